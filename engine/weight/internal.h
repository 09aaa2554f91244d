/* What the files of this station share: the design with all its stages, the calibration problem by cells, and small
 * linear algebra. Nothing here is seen outside engine/weight.
 *
 *   design.c     strata, clusters of every stage, fpc, base weights
 *   margins.c    variables and targets -> cells and one problem for each group
 *   calibrate.c  one problem solved: raking, linear, logit, trimming (arrays only)
 *   sample.c     puts them together; eligibility, Kish's figures, gaps, scaling of countries
 *   taylor.c     linearised variance
 *   replicates.c replicate weights and their variance */
#ifndef RESPONSIVE_WEIGHT_INTERNAL_H
#define RESPONSIVE_WEIGHT_INTERNAL_H

#include "responsive/weight.h"
#include "weight/number.h"

/* ---- symmetric systems (factor.c) ------------------------------------------------------------------------------- */

/* Cholesky with diagonal pivoting of a positive semidefinite matrix scaled to unit diagonal; columns that depend on
 * the ones before are left out (coefficient 0), so the dummies of several margins need no reference category. */
typedef struct {
    size_t p, rank;
    double *l;      /* [p*p], row-major, in pivoted order */
    double *scale;  /* [p] 1/sqrt of the diagonal, 0 for empty columns */
    uint32_t *perm; /* [p] */
    double *work;   /* [p] */
} rsp_factor;

rsp_factor rsp_factor_new(rsp_arena *a, size_t p);
void rsp_factorise(rsp_factor *f, size_t p, const double *matrix);   /* p up to the size it was made for */
void rsp_factor_solve(const rsp_factor *f, double *work, double *b); /* b[p] -> solution; work[p] */

/* ---- design (design.c) ------------------------------------------------------------------------------------------ */

typedef enum {
    RSP_UNIT_SPREAD, /* sum of squares around the mean */
    RSP_UNIT_ZERO,   /* taken whole, or a lonely unit taken as certain */
    RSP_UNIT_ADJUST, /* lonely: square around 0, the mean of all influences */
    RSP_UNIT_LONELY  /* lonely: fail */
} rsp_unit_mode;

/* One stage of sampling: units within parents (strata at the first stage, units of the stage before at others). Units
 * are numbered in order of their parents, so the children of a parent are neighbours. */
typedef struct {
    size_t n_parents, n_units;
    const uint32_t *first;  /* [n_parents + 1] */
    const int32_t *parent;  /* [n_units] */
    const double *fraction; /* [n_parents] n/N, 0 without fpc */
    const double *scale;    /* [n_parents] of the sum of squares: product of fractions before, (1-f) n/(n-1) */
    const uint8_t *mode;    /* [n_parents] rsp_unit_mode */
    bool lonely;            /* any parent is RSP_UNIT_LONELY */
} rsp_stage;

/* Variables as numbers from 0 for each row: 0 is missing, k + 1 is category k. */
typedef struct {
    size_t n; /* categories + 1 */
    int32_t *number;
    const char **code;
    size_t n_missing;
} rsp_numbered;

rsp_numbered rsp_number_variable(const rsp_frame *f, size_t variable, rsp_arena *a);

struct rsp_calibration;

typedef struct rsp_design_private {
    size_t n_stages; /* that count for the variance */
    rsp_stage *stages;
    const uint32_t *order;                         /* [n] rows by unit of the last stage */
    const uint32_t *unit_start;                    /* [units of the last stage + 1] */
    const uint32_t *stratum_row;                   /* [n_strata] a row of each, for its name */
    const uint32_t *cluster_order, *cluster_start; /* rows by first-stage cluster */
    double *base, *weight;                         /* writable views of the sample's */
    bool has_base;                                 /* the study gives base weights, by a column or by fpc */
    struct rsp_calibration *calibration;           /* NULL without margins */
    struct rsp_taylor_layout *layout;              /* rows by unit for linearised variance, made when first wanted */
    struct rsp_replicate_set **sets;               /* made so far */
    size_t n_sets, sets_capacity;
} rsp_design_private;

/* Fills strata, clusters, stages and base weights of s. False after reporting what is wrong with the data. */
bool rsp_design_build(rsp_sample *s, rsp_diag *d);
/* "country=PL;region=north", "" for the only one. */
const char *rsp_stratum_name(const rsp_sample *s, size_t stratum, rsp_arena *a);

/* ---- calibration (margins.c, calibrate.c) ----------------------------------------------------------------------- */

/* One group's problem. Cells are rows alike in all margins (and in base weight where trimming looks at weights).
 * Columns: the codes present of every categorical margin, then the numeric margins. */
typedef struct {
    size_t n_cells, n_margins, n_numeric, n_cols;
    const uint32_t *margin_col; /* [n_margins + 1] first column of each margin */
    const uint32_t *col;        /* [n_cells * n_margins] */
    const double *x;            /* [n_cells * n_numeric] */
    const double *share;        /* [n_cols] target within its margin, summing to 1; NaN: keeps its observed share */
    const double *total_x;      /* [n_numeric] targets */
    double total;               /* the weights' sum */
    int method;                 /* RSP_RAKE, RSP_LINEAR, RSP_LOGIT */
    double low, high;           /* of calibrated over base weight; NaN: none */
    bool rescale;               /* bounds are relative to base weights brought to the total */
    const double *unit;         /* [n_cells] base weight of a row, for trimming; NULL: no trimming */
    const double *respondents;  /* [n_cells] rows with a positive base weight */
    double n;                   /* their sum */
    double trim_low, trim_high; /* of weight over mean weight; NaN: none */
} rsp_problem;

typedef enum { RSP_CAL_OK, RSP_CAL_EMPTY, RSP_CAL_NOT_CONVERGED, RSP_CAL_TRIM_UNMET } rsp_cal_status;

typedef struct {
    rsp_cal_status status;
    size_t iterations, n_trimmed;
    size_t empty_col; /* RSP_CAL_EMPTY */
} rsp_cal_outcome;

/* Calibrations side by side, at most. */
enum { RSP_CAL_LANES = 8 };

typedef struct {
    size_t lanes;                                                /* 1 or RSP_CAL_LANES */
    double *target, *sum, *gap, *lambda, *step, *trial, *matrix; /* one calibration's, by column; matrix p*p */
    double *one, *factor, *slope, *cut[RSP_CAL_LANES];           /* likewise, by cell */
    double *targets, *sums, *others, *start;                     /* by column or cell, and by lane */
    rsp_factor f;
} rsp_cal_work;

rsp_cal_work rsp_cal_work_new(rsp_arena *a, size_t max_cells, size_t max_cols, size_t lanes);
/* n calibrations of one problem. d[k][n_cells]: base weights by cell. g[k] likewise: in, where raking starts (1, or the full
 * sample's factors); out, final over base weight. What comes of one does not depend on the others. */
void rsp_calibrate(const rsp_problem *p, size_t n, const double *const *d, double *const *g, rsp_cal_work *w,
                   rsp_cal_outcome *const *out);
/* Cross products of the columns with weights d: matrix[n_cols*n_cols]. */
void rsp_problem_products(const rsp_problem *p, const double *d, double *matrix);

typedef struct rsp_calibration {
    size_t n_cells, n_margins, n_numeric, max_cells, max_cols, n_groups;
    const int32_t *row_cell;                 /* [n] */
    const uint32_t *cell_order, *cell_start; /* rows by cell */
    const uint32_t *group_cell;              /* [n_groups + 1]: the cells of a group are neighbours */
    const double *d;                         /* [n_cells] base weight */
    double *g;                               /* [n_cells] final over base */
    rsp_problem *problems;                   /* [n_groups] */
    bool *solved;                            /* [n_groups] calibrated: residuals and replicates use it */
    rsp_factor *regression;                  /* [n_groups] where solved */
    size_t set_aside;                        /* rows that took part in no margin and got weight 0 */
} rsp_calibration;

/* Calibrates every group: fills weights, groups' outcome, gaps. */
void rsp_weighting_run(rsp_sample *s, rsp_diag *d);

void rsp_replicate_sets_free(rsp_design_private *p);

#endif
