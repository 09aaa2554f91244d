/* Covariance and mean structures with latent variables, by maximum likelihood: arrays in, arrays out.
 *
 * One group's model, in the notation of Bollen (1989): eta = alpha + B eta + zeta, y = nu + Lambda eta + epsilon,
 *   Sigma = Lambda A Psi A' Lambda' + Theta,  mu = nu + Lambda A alpha,  A = (I - B)^-1.
 * A parameter is one cell of one matrix of one group, fixed or one of the free parameters; cells that share a free
 * parameter are equal. Every derivative of Sigma has rank two, f (a b' + b a'), so information matrices cost a few
 * products of vectors (see sem.c). Moments are divided by n, as in lavaan. */
#ifndef RESPONSIVE_MEASURE_SEM_H
#define RESPONSIVE_MEASURE_SEM_H

#include "responsive/base.h"

typedef enum { RSP_SEM_LAMBDA, RSP_SEM_BETA, RSP_SEM_PSI, RSP_SEM_THETA, RSP_SEM_NU, RSP_SEM_ALPHA } rsp_sem_matrix;

typedef struct {
    rsp_sem_matrix matrix;
    size_t group, row, column; /* Lambda: item, factor; Beta: factor, factor; Psi, Theta: row >= column */
    size_t free;               /* index of the free parameter; RSP_NONE: fixed */
    double value;              /* fixed value, or start */
} rsp_sem_cell;

typedef struct {
    size_t p, m, n_groups; /* items, factors */
    bool means;            /* nu and alpha are part of the model */
    size_t n_cells, n_free;
    rsp_sem_cell *cells;
} rsp_sem;

typedef struct {
    size_t n;
    const double *mean, *cov; /* [p], [p*p] divided by n */
    const double *x;          /* [n*p] by row; needed for robust errors only */
} rsp_sem_sample;             /* one per group */

typedef enum { RSP_SEM_OK, RSP_SEM_NOT_CONVERGED, RSP_SEM_NOT_IDENTIFIED, RSP_SEM_SINGULAR_DATA } rsp_sem_status;

typedef struct {
    rsp_sem_status status;
    bool heywood; /* a variance is negative */
    double *par;  /* [n_free] */
    double *vcov; /* [n_free^2] of the estimates */
    double chisq, df, chisq_baseline, df_baseline, loglik, srmr;
    double scaling, scaling_baseline; /* robust: chi-square over scaled chi-square; NaN otherwise */
    size_t n, iterations;
    double **sigma, **phi; /* per group: implied [p*p], covariance of factors [m*m] */
} rsp_sem_fit;

/* Fits; arrays live in the arena. robust: Huber-White errors with observed information, Yuan-Bentler-Mplus correction. */
void rsp_sem_estimate(const rsp_sem *model, const rsp_sem_sample *samples, bool robust, rsp_arena *a, rsp_sem_fit *fit);

/* Standardised loadings of all Lambda cells at `par`: loading * sd(factor) / sd(item), in the order of the cells (NaN for
 * cells of other matrices). */
void rsp_sem_standardise(const rsp_sem *model, const double *par, double *standardised);

#endif
