/* A fitted regression, as its parts share it: fit.c estimates and writes the rows, firth.c, few.c and margins.c add what
 * a study asks for. */
#ifndef RESPONSIVE_MODEL_REGRESSION_H
#define RESPONSIVE_MODEL_REGRESSION_H

#include "model/likelihood.h"
#include "model/matrix.h"

/* p parameters: thresholds, then the columns of the matrix once for each equation, then theta. */
typedef struct {
    const rsp_sample *s;
    const rsp_analysis *a;
    rsp_mmatrix *m;
    rsp_arena *arena;
    size_t p, n_thresholds, n_equations;
    bool has_theta;
    double theta;       /* negative binomial; infinite: no more spread than Poisson's */
    double *par, *vcov; /* [p], [p*p] */
    uint32_t *flags;    /* [p]: why a parameter has no numbers; 0 if it has */
    size_t n_estimated; /* parameters without a flag */
    size_t n_rarer;     /* logistic: respondents of the rarer outcome */
    double df;          /* NaN: normal */
    uint32_t exact;     /* linear: nothing is left of the outcome but rounding; the flag of estimates without errors */
    double loglik, rss, tss;
    uint32_t status; /* of the whole model: not_converged, lonely, replicates_failed */
    bool usable;
    const rsp_least_squares *least_squares; /* linear: of all columns but empty ones; NULL where some are collinear */
    /* What some ways of estimating know beside; NULL where they do not. */
    double *dfs;           /* [p] degrees of freedom of each parameter, in place of df */
    double *lower, *upper; /* [p] intervals that are not estimate +- t se */
    double *p_value;       /* [p] */
    /* Kept for functions of the parameters, by active parameter (q of them): */
    bool keep;                 /* wanted */
    double *influence;         /* [n*q] of every row, per unit of weight: linearised variance */
    double *replicate_values;  /* [replicates*q] */
    const struct rsp_few *few; /* few clusters: for joint tests */
} rsp_regression;

/* The columns that can be estimated, for the kernels. */
typedef struct {
    size_t k;
    size_t *column;
    const double **x;
} rsp_active;

rsp_active rsp_active_columns(const rsp_regression *f);
/* Place of a coefficient among the p parameters. */
size_t rsp_parameter_at(const rsp_regression *f, size_t equation, size_t column);
/* Thresholds and coefficients that can be estimated; place of the j-th of them among the p. */
size_t rsp_active_parameters(const rsp_regression *f, const rsp_active *a);
size_t rsp_parameter_of(const rsp_regression *f, const rsp_active *a, size_t j);
/* Spreads a q*q matrix of the active parameters over all p. */
void rsp_spread(const rsp_regression *f, const rsp_active *a, const double *from, size_t q, double *to);

/* A row about the model with its counts. */
rsp_row *rsp_regression_row(const rsp_regression *f, rsp_results *out, const char *term, const char *level,
                            const char *statistic);

/* replicated.c: coefficients [k] of a linear model in every replicate, theta[replicate * k + j]; NaN where X'WX is singular.
 * The same as least squares with each replicate's weights, up to rounding. */
void rsp_linear_replicates(const rsp_regression *f, const rsp_active *a, const rsp_replicates *r, const double *full,
                           double *theta);

/* margins.c: average marginal effects and predictions, after the model is fitted. */
void rsp_regression_margins(const rsp_regression *f, rsp_results *out, rsp_diag *d);

#endif
