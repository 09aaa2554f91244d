/* The model matrix: a formula and the sample become numbers.
 *
 * Categorical variables enter by treatment contrasts against their first category; in a term whose margin is not in the
 * model they enter by all their categories (the rule of R's model.matrix, Chambers and Hastie 1992, section 2.4.1). */
#ifndef RESPONSIVE_MODEL_MATRIX_H
#define RESPONSIVE_MODEL_MATRIX_H

#include "responsive/statistics.h"

/* A factor of the formula over all rows of the frame. */
typedef struct rsp_mfactor rsp_mfactor;

/* What a column is the product of: a number, or whether a categorical factor has this category. */
typedef struct {
    const rsp_mfactor *factor;
    size_t category;
} rsp_mcode;

typedef struct {
    const char *name; /* "(Intercept)", "age", "degree=yes:country=NO" */
    size_t term;      /* index of the formula's term; RSP_NONE: the intercept */
    bool unanswered;  /* all zero, since nobody answered what it is of */
    bool dummy;       /* values are 0 and 1 */
    size_t ones;      /* dummy: rows where it is 1 */
    double *x;        /* [n] */
    size_t n_codes;   /* 0: the intercept */
    const rsp_mcode *codes;
} rsp_mcolumn;

/* A random part of a mixed model: effects that vary between groups. */
typedef struct {
    const char *name;     /* of the groups: "country", "country:region" */
    size_t d;             /* effects: columns, named as in the fixed part */
    rsp_mcolumn *columns; /* [d] */
    bool correlated;
    size_t n_groups; /* that occur in the rows used */
    int32_t *group;  /* [n] */
} rsp_mrandom;

typedef struct {
    size_t n;            /* rows used: complete, of the analysis' domain, of eligible countries, with a weight */
    size_t *row;         /* [n] rows of the frame */
    double *w;           /* [n] final weights; 1 where the model is unweighted */
    uint8_t *take;       /* [frame n] 1 where used */
    double *y;           /* [n] response: number; 0/1; category from 0 */
    size_t n_levels;     /* categories of the response that occur (ordinal) */
    const char **levels; /* their codes, in order */
    size_t *level_count;
    size_t k; /* columns */
    rsp_mcolumn *columns;
    size_t n_terms;
    const char **term_names; /* "degree:country" */
    bool *term_joint;        /* a joint test says more than its coefficients: categorical, or an interaction */
    size_t n_random;         /* mixed: random parts */
    rsp_mrandom *random;
    int64_t organisations; /* distinct among the rows used; -1 where the study has none */
    const rsp_frame *frame;
    size_t n_factors;
    const rsp_mfactor *factors;
    rsp_arena *arena;
} rsp_mmatrix;

/* A part of the analysis: rows marked in take (NULL: all), terms that hold the variable `without` left out. */
typedef struct {
    const uint8_t *take; /* [frame n] */
    size_t without;
} rsp_mdomain;

/* NULL when the response is not what the kind of model needs (class RSP_ERR_DATA). n may be 0. domain NULL: the whole. */
rsp_mmatrix *rsp_mmatrix_new(const rsp_sample *s, const rsp_analysis *a, const rsp_mdomain *domain, rsp_diag *d);
void rsp_mmatrix_free(rsp_mmatrix *m);
/* Is the variable set aside wherever it enters, since nobody answered what it enters by? */
bool rsp_mmatrix_unanswered(const rsp_mmatrix *m, size_t variable);
/* Why a joint test of term t has nothing to test: unanswered, or else singular. */
uint32_t rsp_mmatrix_untested(const rsp_mmatrix *m, size_t t);

/* ---- the columns at other values, for marginal effects and predictions ------------------------------------------- */

/* The categories by which a variable enters the model; NULL where it enters as a number alone, or not at all. */
const rsp_categories *rsp_mmatrix_categories(const rsp_mmatrix *m, size_t variable);

/* A value that stands in place of every respondent's own. */
typedef struct {
    size_t variable;
    const char *code; /* of a category */
    double value;     /* as a number */
} rsp_msetting;

/* Prepared once for many rows; in the matrix' arena. `slope`: the variable by which columns are differentiated, or
 * RSP_NONE. */
typedef struct rsp_mscene rsp_mscene;
const rsp_mscene *rsp_mscene_new(const rsp_mmatrix *m, size_t n, const rsp_msetting *settings, size_t slope);
/* Row i of the matrix: x [k], and where a slope is asked for the columns' derivatives dx [k], else NULL. */
void rsp_mscene_row(const rsp_mscene *s, size_t i, double *x, double *dx);

#endif
