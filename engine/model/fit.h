/* The regressions' ways in: each writes the rows of one analysis. */
#ifndef RESPONSIVE_MODEL_FIT_H
#define RESPONSIVE_MODEL_FIT_H

#include "model/matrix.h"

void rsp_fit_regression(rsp_sample *s, const rsp_analysis *a, rsp_results *out,
                        rsp_diag *d); /* linear to multinomial */
void rsp_fit_mixed(rsp_sample *s, const rsp_analysis *a, rsp_results *out, rsp_diag *d);
void rsp_fit_glmm(rsp_sample *s, const rsp_analysis *a, rsp_results *out,
                  rsp_diag *d); /* mixed_logistic, mixed_ordinal; weighted mixed */
void rsp_fit_pooled(rsp_sample *s, const rsp_analysis *a, rsp_results *out, rsp_diag *d);
void rsp_fit_drivers(rsp_sample *s, const rsp_analysis *a, rsp_results *out, rsp_diag *d);

/* The numbers of an odds or rate ratio from those of its coefficient: the error by the delta method, the limits as they are
 * on the scale of the predictor. */
void rsp_exponentiate(rsp_row *ratio, const rsp_row *coefficient);

/* A regression's estimates without rows of results; m owns them all. */
typedef struct {
    rsp_mmatrix *m;        /* its columns are the coefficients */
    const double *b, *v;   /* [k], [k*k]: estimates and their covariance; NaN or 0 where flags say why */
    const uint32_t *flags; /* [k] why a coefficient has no numbers or no error (singular: no residuals either); 0 */
    const int64_t *cell;   /* [k] respondents behind the coefficient's own cell */
    double df;             /* NaN: normal */
    double rss, tss;       /* linear: weighted sums of squares, of residuals and of the outcome */
} rsp_estimates;

/* False, and reported, when the outcome is not what the kind needs. Free with rsp_mmatrix_free(e->m). */
bool rsp_fit_estimates(rsp_sample *s, const rsp_analysis *a, const rsp_mdomain *domain, rsp_estimates *e, rsp_diag *d);

/* One coefficient of a model fitted to a group's respondents alone, the design's other clusters counting as empty. */
typedef struct {
    bool found;                /* the model has such a term there */
    double estimate, variance; /* NaN with flags */
    double df;                 /* of the design in the group; NaN: normal */
    uint32_t flags;
    size_t n;
    int64_t cell, organisations;
} rsp_group_fit;

rsp_group_fit rsp_fit_group(rsp_sample *s, const rsp_analysis *a, const rsp_mdomain *domain, const char *term,
                            rsp_diag *d);

/* Random effects of two estimates or more with variances above 0 (pooled.c). */
typedef struct {
    double tau2, tau2_se, mean, mean_se, df, q, q_p, i2;
    double prediction_se; /* of a further group; t on df */
} rsp_pool;

rsp_pool rsp_pool_estimates(size_t k, const double *estimate, const double *variance, bool ml);
/* The middle 95 % of a further group's confidence distribution (prediction.c); false and NaN where the estimates do not
 * differ or are fewer than two. */
bool rsp_prediction_interval(size_t k, const double *estimate, const double *variance, double *lower, double *upper);

/* Coefficients of a linear mixed model whose random part is (1 | groups) (mixed.c). slopes: each with its own slope
 * varying between groups too, where such a model can be fitted. */
typedef struct {
    double estimate, se, df;
    double slope_variance; /* of the coefficient between groups; NaN where it does not vary in the model */
    uint32_t flags;
} rsp_mixed_term;

void rsp_fit_mixed_terms(rsp_sample *s, const rsp_analysis *a, bool slopes, size_t n, const char *const *terms,
                         rsp_mixed_term *out, rsp_diag *d);

#endif
