/* What a study and its exports may hold at most: one table. Beyond a limit there is an error that says what, where and what
 * to do (tests/test_limits.c makes each of them); none is near what a survey needs. They keep time and memory finite
 * whatever a file says, and the stack shallow: every recursion over foreign input goes down one of the depths here. */
#ifndef RESPONSIVE_LIMITS_H
#define RESPONSIVE_LIMITS_H

#include <stddef.h>

enum {
    /* study.yaml */
    RSP_MOST_YAML_BYTES = 16 << 20,
    RSP_MOST_YAML_VALUES = 1000000, /* after aliases */
    RSP_MOST_YAML_DEPTH = 64,
    RSP_MOST_VARIABLES = 65535, /* asked, derived, and one for each choice of a multiple choice */
    RSP_MOST_DERIVED = 10000,
    RSP_MOST_NAME_BYTES = 128,      /* of a variable's name or a code: codes of countries become names of files */
    RSP_MOST_WORDING_BYTES = 20000, /* of a label, hint or title */
    RSP_MOST_RULES = 64,            /* cleaning rules: bits of a row's flags */
    RSP_MOST_CROSSED = 8,           /* variables that a margin of the weighting crosses */
    RSP_MOST_ORDERED = 100, /* items of a wlsmv model: its weights are the square of its thresholds and correlations */
    RSP_MOST_ITEMS = 500,   /* items of any other factor model: moments are their square */

    /* expressions, formulas, factor models, page texts */
    RSP_MOST_EXPR_DEPTH = 200,
    RSP_MOST_EXPR_PARTS = 5000,
    RSP_MOST_FORMULA_DEPTH = 200,
    RSP_MOST_FORMULA_PARTS = 5000,
    RSP_MOST_FORMULA_TERMS = 4096,
    RSP_MOST_FORMULA_VARIABLES = 512,
    RSP_MOST_PARAMETERS = 20000, /* of a factor model */
    RSP_MOST_MESSAGE_DEPTH = 16,
    RSP_MOST_MESSAGE_BYTES = 20000,

    /* survey.csv, choices.csv, targets */
    RSP_MOST_SHEET_BYTES = 64 << 20,
    RSP_MOST_SHEET_COLUMNS = 1000,
    RSP_MOST_GROUP_DEPTH = 32, /* begin_group in begin_group */

    /* exports; rows are numbered by 32 bits */
    RSP_MOST_FILES = 65535,
    RSP_MOST_FILE_GIB = 8,
    RSP_MOST_COLUMNS = 65535,
    RSP_MOST_CELL_BYTES = 1 << 20, /* a quoted cell longer than this lost its closing quotation mark */
    RSP_MOST_UNCLOSED = 1000,      /* quotation marks never closed: with more it is not a file with quotes */
    RSP_MOST_XML_DEPTH = 64,
    RSP_MOST_INFLATED = 1 << 30,   /* bytes of a workbook's parts together */
    RSP_MOST_GRID_COLUMNS = 16384, /* of a sheet of a workbook */
    RSP_MOST_GRID_CELLS = 1 << 25,
    RSP_MOST_CASE_CELLS = 1 << 27, /* of a statistics file */

    /* what an analysis spans */
    RSP_MOST_DOMAINS = 20000,    /* groups of one crossing */
    RSP_MOST_LEVELS = 2000,      /* distinct values of a number that shares are asked of */
    RSP_MOST_TOTALS = 1 << 20,   /* groups times levels of an item: held once for every replicate */
    RSP_MOST_COMPARED = 64,      /* levels compared with each other */
    RSP_MOST_TEST_CELLS = 200,   /* of a table that is tested, groups of a test */
    RSP_MOST_COEFFICIENTS = 2000, /* of a regression: its covariances are their square */
    RSP_MOST_CORRELATED = 18      /* items of a heat map of correlations: a number in each cell can be read */
};

#endif
