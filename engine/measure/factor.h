/* Factor models for the modules of this station: a sample of items in groups, a model, its fit.
 *
 *   rsp_factor_sample *x = rsp_factor_sample_new(sample, &model, filter, NULL, arena, diag);   rows and moments, once
 *   rsp_factor_estimate(&model, x, arena, &fit, diag);    as often as models of the same items are to be fitted
 *   fit.flags, fit.measures, fit.estimate[k] ...          k: a cell of fit.sem.cells
 *
 * A model is what the study says (rsp_factor_model of study.h) or what a caller puts together: `syntax` from
 * rsp_lavaan_parse or rows of its own, `equal` (RSP_EQUAL_...), and in `partial` the statements whose parameters are free
 * in every group although `equal` names their kind (f =~ x2 a loading, x2 ~ 1 an intercept, x2 ~~ x2 a residual
 * variance, x2 | t1 a threshold). Models fitted to one sample must have the same items, group variable, estimator,
 * `ordered`, `fiml`, `pairwise` and `weighted`. Everything lives in the arena. What lavaan 0.6 does is followed throughout. */
#ifndef RESPONSIVE_MEASURE_FACTOR_H
#define RESPONSIVE_MEASURE_FACTOR_H

#include "measure/sem_wls.h"
#include "responsive/weight.h"

enum { RSP_MOST_ANSWERS = 64 }; /* distinct ones to an ordinal item: with more it is none */

typedef struct {
    size_t n_items, n_groups, n; /* n: respondents of all groups */
    const char **item;           /* [n_items] in the order in which the statements name them */
    size_t *variable;            /* [n_items] of the study */
    const char *group_name;      /* NULL: one group */
    const char **code;           /* [n_groups] in the order of the choices; NULL: one group */
    rsp_sem_sample *group;       /* [n_groups] */
    const rsp_sample *sample;
    double scale, df; /* weights: design: weight times scale sums to n; design degrees of freedom. Else 1, NaN */
    /* wlsmv: where the statistics stand, and those of every group; values[i] of an ordinal item, ascending (codes as text) */
    rsp_item_layout layout;
    rsp_wls_sample *wls;
    const char ***values;
    bool lonely; /* wlsmv: the design gives their covariance no variance */
    bool usable; /* more respondents than items in every group, and no constant item */
} rsp_factor_sample;

/* Rows that the filter (NULL: all) and `take` (NULL: all; [sample->n]) leave, of eligible countries, with an answer to
 * every item (fiml, pairwise: to one); by group, where groups that nobody belongs to are left out. */
rsp_factor_sample *rsp_factor_sample_new(const rsp_sample *s, const rsp_factor_model *f, const rsp_expr *filter,
                                         const uint8_t *take, rsp_arena *a, rsp_diag *d);

/* NaN where the estimator does not give one. */
typedef struct {
    double chisq, df, chisq_scaled, cfi, tli, rmsea, srmr;
    double chisq_baseline, df_baseline, chisq_baseline_scaled; /* of the model in which no two items go together */
    double cfi_robust, tli_robust, rmsea_robust;
    double cfi_scaled, tli_scaled, rmsea_scaled; /* wlsmv, wlsm */
    double aic, bic, loglik;
} rsp_factor_measures;

typedef struct {
    const rsp_factor_model *model;
    const rsp_factor_sample *sample;
    size_t n_factors;
    const char **factor; /* [n_factors]: columns of Lambda, rows of Psi, Beta and alpha */
    uint32_t flags;      /* RSP_F_...; numbers are given if 0 or RSP_F_HEYWOOD, and are NaN or 0 otherwise */
    rsp_factor_measures measures;
    rsp_sem sem; /* cells[k]: which matrix, group, row and column; fixed or which free parameter */
    rsp_sem_fit fit;
    double *estimate, *se;      /* [sem.n_cells]; se 0: fixed */
    double *std, *std_se;       /* [sem.n_cells] standardised by factors and items; NaN where the flags say so */
    double *std_lv, *std_lv_se; /* [sem.n_cells] by factors alone; NULL where the model does not ask for it */
    double *r2, *r2_se;         /* [groups * (items + factors)] share of their variance that the model explains */
} rsp_factor_fit;

void rsp_factor_estimate(const rsp_factor_model *f, const rsp_factor_sample *x, rsp_arena *a, rsp_factor_fit *out,
                         rsp_diag *d);

/* The parts of it, for other cells than those of the study's statements: a fit of the cells (NO_VARIANCE: by the design), its
 * measures (chisq_scaled where `robust`), and scores of restrictions, whose cells' values are the restricted model's
 * estimates (rsp_sem_scores). */
void rsp_factor_maximise(const rsp_factor_model *f, const rsp_factor_sample *x, const rsp_sem *sem, rsp_arena *a,
                         rsp_sem_fit *out, rsp_diag *d);
void rsp_factor_measure(const rsp_sem *s, const rsp_sem_fit *f, bool robust, rsp_factor_measures *m);
rsp_sem_status rsp_factor_scores(const rsp_factor_model *f, const rsp_factor_sample *x, const rsp_sem *sem,
                                 const rsp_extras *extras, double *score, double *variance, double *left, rsp_diag *d);

/* Errors and chi-square by the sandwich: all but ml and dwls, and all with weights: design. */
bool rsp_factor_robust(const rsp_factor_model *f);

/* True if the numbers of a fit may be used. */
bool rsp_factor_good(const rsp_factor_fit *fit);

#endif
