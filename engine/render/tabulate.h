/* Published rows of one analysis laid out as a table that people read: no file format here.
 *
 *   rsp_tab *t = rsp_tabulate(labels, published, "engage_items", "PL", RSP_TAB_VALUES, arena);
 *
 * Shares of coded answers with few levels stand wide (a row: group and item, a column a level), everything else long
 * (a row a result). Every number is the published one in full precision; how many decimals are shown is the column's
 * affair. A cell without a number holds its shorthand ([c], [x], [z]), never nothing. */
#ifndef RESPONSIVE_RENDER_TABULATE_H
#define RESPONSIVE_RENDER_TABULATE_H

#include "labels.h"

typedef struct {
    const char *text; /* NULL: a number */
    double number;
    rsp_as as;
    const rsp_published_row *row; /* where the number is from, or what hides it; NULL for words */
    const char *field;            /* which of its columns: "estimate", "lower", ... */
} rsp_cell;

typedef struct {
    const char *title; /* unique within the table */
    double width;      /* characters */
} rsp_tab_column;

typedef struct {
    const char *title, *subtitle;
    const char *measure; /* short, for a list of tables */
    size_t n_columns, n_rows;
    rsp_tab_column *columns;
    rsp_cell *cells; /* [n_rows * n_columns] */
} rsp_tab;

/* SUMMARY: of kind drivers, a row a factor; other analyses have none. */
typedef enum { RSP_TAB_SUMMARY, RSP_TAB_VALUES, RSP_TAB_DIFFERENCES } rsp_tab_part;

/* country NULL: every row; else the rows about it, and those that are not about a country. NULL if no row is left. */
rsp_tab *rsp_tabulate(const rsp_labels *l, const rsp_published *p, const char *analysis, const char *country,
                      rsp_tab_part part, rsp_arena *a);

#endif
