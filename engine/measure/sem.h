/* Covariance and mean structures with latent variables: arrays in, arrays out.
 *
 * One group's model, in the notation of Bollen (1989): eta = alpha + B eta + zeta, y = nu + Lambda eta + epsilon,
 *   Sigma = Lambda A Psi A' Lambda' + Theta,  mu = nu + Lambda A alpha,  A = (I - B)^-1.
 * A parameter is one cell of one matrix of one group, fixed or one of the free parameters; cells that share a free
 * parameter are equal.
 *
 * Maximum likelihood (sem.c, sem_likelihood.c): respondents come in patterns, those who answered the same items; complete
 * data are one pattern. Moments are divided by n, as in lavaan. With weights the likelihood is the pseudo-likelihood
 * whose weights sum to n (Skinner 1989).
 *
 * Ordinal items (sem_wls.c): a latent answer y is cut at thresholds tau, and known up to its scale delta, which is 1 in one
 * group: the latent answer's variance is 1 / delta^2, so that Theta's diagonal is what is left of it (the delta
 * parameterisation of Muthen and Asparouhov 2002). */
#ifndef RESPONSIVE_MEASURE_SEM_H
#define RESPONSIVE_MEASURE_SEM_H

#include "measure/score.h"

typedef enum {
    RSP_SEM_LAMBDA,
    RSP_SEM_BETA,
    RSP_SEM_PSI,
    RSP_SEM_THETA,
    RSP_SEM_NU,
    RSP_SEM_ALPHA,
    RSP_SEM_TAU /* thresholds */,
    RSP_SEM_DELTA /* scales of ordinal items */
} rsp_sem_matrix;

typedef struct {
    rsp_sem_matrix matrix;
    size_t group, row,
        column;   /* Lambda: item, factor; Beta: factor, factor; Psi, Theta: row >= column; Tau: item, threshold */
    size_t free;  /* index of the free parameter; RSP_NONE: fixed */
    double value; /* fixed value, or start */
} rsp_sem_cell;

typedef struct {
    size_t p, m, n_groups; /* items, factors */
    bool means;            /* nu and alpha are part of the model */
    size_t n_cells, n_free;
    rsp_sem_cell *cells; /* group by group */
} rsp_sem;

/* Respondents who answered the same items. */
typedef struct {
    size_t n, from;           /* rows [from, from + n) of the group's x */
    size_t q;                 /* items answered */
    const size_t *observed;   /* [q] ascending */
    double weight;            /* sum of weights; n without */
    const double *mean, *cov; /* [p], [p*p]; 0 where not observed */
} rsp_sem_pattern;

/* What every model of a group's answers is held against, found at the first fit: of the saturated model and independence,
 * with or without means and a design. */
typedef struct {
    bool found, means, designed;
    double saturated, independent; /* traces of their sandwiches: robust chi-square */
    bool corrected, robust;        /* as if no answer were missing, by whichever errors: */
    double misfit_baseline, chance_baseline;
} rsp_sem_known;

typedef struct {
    size_t n;
    double weight; /* sum of weights; n without */
    size_t n_patterns;
    rsp_sem_pattern *pattern;
    const double *mean, *cov; /* of the saturated model: [p], [p*p] */
    const double *x;          /* [n*p] by row, pattern by pattern; 0 where missing */
    const double *w;          /* [n] weights; NULL: all 1 */
    const uint32_t *row;      /* [n] of the survey's sample */
    double saturated_loglik;  /* without its constant */
    rsp_sem_known *known;     /* NULL: is found anew by every fit */
} rsp_sem_sample;             /* one per group */

typedef enum {
    RSP_SEM_OK,
    RSP_SEM_NOT_CONVERGED,
    RSP_SEM_NOT_IDENTIFIED,
    RSP_SEM_SINGULAR_DATA,
    RSP_SEM_NO_VARIANCE /* by the design */
} rsp_sem_status;

/* Variance of totals of scores. z: [rows][k] by row of a group's x; adds to out [k*k] between all statistics of all
 * groups. NULL: respondents are independent. */
typedef struct rsp_sem_design rsp_sem_design;
struct rsp_sem_design {
    /* score[g]: [n_g * k[g]]; out: [K*K], K the sum of k. False: no variance can be given. */
    bool (*variance)(const rsp_sem_design *d, const rsp_sem_sample *x, size_t n_groups, double *const *score,
                     const size_t *k, double *out);
    const void *context;
};

typedef struct {
    bool robust;   /* Huber-White errors with observed information, Yuan-Bentler-Mplus correction */
    bool observed; /* errors from observed information (incomplete answers) */
    const rsp_sem_design *design;
} rsp_sem_options;

typedef struct {
    rsp_sem_status status;
    bool heywood; /* a variance is negative */
    double *par;  /* [n_free] */
    double *vcov; /* [n_free^2] of the estimates */
    double chisq, df, chisq_baseline, df_baseline, loglik, srmr;
    double scaling, scaling_baseline; /* robust: chi-square over scaled chi-square; NaN otherwise */
    /* Misfit and what chance adds to it, for robust fit measures: chi-square and scaling * df with complete answers; with
     * incomplete ones those of Zhang and Savalei (2023). NaN where neither applies. */
    double misfit, chance, misfit_baseline, chance_baseline;
    double shift, shift_baseline; /* scaled chi-square = chi-square / scaling + shift */
    double size;                  /* what the excess of chi-square is divided by in rmsea */
    size_t n, iterations;
    double **sigma, **mu, **phi; /* per group: implied [p*p], [p] (0 without means), covariance of factors [m*m] */
} rsp_sem_fit;

/* Fits; arrays live in the arena. */
void rsp_sem_estimate(const rsp_sem *model, const rsp_sem_sample *samples, const rsp_sem_options *options, rsp_arena *a,
                      rsp_sem_fit *fit);

/* Scores [n] of the extras of a model whose cells' values are the estimates of the more restricted one, along the directions
 * of rsp_score_directions, and their variance [n*n]: expected information, or where `robust` what the scores of respondents
 * or the design say, with observed information. left [n] of rsp_score_left. */
rsp_sem_status rsp_sem_scores(const rsp_sem *model, const rsp_sem_sample *samples, const rsp_sem_options *options,
                              const rsp_extras *extras, double *score, double *variance, double *left);

/* The standardised solution at `par` (standardised.c): every cell where factors have variance 1, and items too if `items`, in
 * the order of the cells; and by group the share of the variance of items, then of factors, that the model explains
 * [n_groups * (p + m)]. Errors by the delta method from vcov [n_free^2]; 0 where nothing can vary. NaN where a variance is
 * not positive. r2 and r2_se may be NULL. */
void rsp_sem_standardise(const rsp_sem *model, const double *par, const double *vcov, bool items, double *std,
                         double *se, double *r2, double *r2_se);

#endif
