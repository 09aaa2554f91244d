/* The normal likelihood of one group's answers, pattern by pattern of what was answered (Arbuckle 1996): its value,
 * gradient, expected and observed information, and the scores of respondents (sem_likelihood.c). */
#ifndef RESPONSIVE_MEASURE_SEM_LIKELIHOOD_H
#define RESPONSIVE_MEASURE_SEM_LIKELIHOOD_H

#include "measure/sem_moments.h"

/* One group of a model; `n` counts its free cells, whose parameters are free[0..n). */
typedef struct {
    const rsp_sem *s;
    const rsp_sem_sample *x;
    size_t from, to, n;
    size_t *free;
    rsp_tangent *t;
    rsp_implied g;
} rsp_sem_group;

void rsp_sem_group_new(const rsp_sem *s, size_t group, const rsp_sem_sample *x, rsp_sem_group *out);
void rsp_sem_group_free(rsp_sem_group *g);

typedef enum { RSP_SEM_EXPECTED, RSP_SEM_OBSERVED } rsp_sem_information;

/* Log-likelihood without its constant at `par` of the whole model; gradient [n] and information [n*n] by free cell, NULL
 * if not wanted. False where a covariance is not positive definite. */
bool rsp_sem_group_evaluate(rsp_sem_group *g, const double *par, rsp_sem_information kind, double *loglik,
                            double *gradient, double *information);

/* Scores of respondents [x->n * n], each of weight 1, at the parameters of the last evaluation. */
void rsp_sem_group_scores(rsp_sem_group *g, double *score);

/* At given moments: log-likelihood without its constant, and the sums over respondents of Q = W (S + d d' - Sigma) W [p*p]
 * and e = W d [p], W the inverse of what a respondent answered, 0 elsewhere. False if cov is not positive definite. */
bool rsp_sem_residuals(const rsp_sem_sample *x, size_t p, const double *mean, const double *cov, double *loglik,
                       double *q, double *e);

/* Puts the rows x [n*p] (NaN: missing) of a group, with weights or NULL and rows of the survey's sample, in the order of their
 * patterns; moments by pattern and of the saturated model, by the EM algorithm where answers are missing (saturated.c).
 * False if a covariance is singular or an item has no answer. Everything lives in the arena. */
bool rsp_sem_sample_new(const double *x, const double *w, const uint32_t *row, size_t n, size_t p, rsp_arena *a,
                        rsp_sem_sample *out);

/* Misfit of complete data at `par`, and what chance is expected to add to it (sem_corrected.c). */
bool rsp_sem_corrected(const rsp_sem *s, const rsp_sem_sample *x, const double *par, bool robust,
                       const rsp_sem_design *design, double *misfit, double *expected);

/* The saturated model and independence of one group, at their maximum in par [n_free]. */
void rsp_sem_saturated(const rsp_sem *s, const rsp_sem_sample *x, rsp_arena *a, rsp_sem *out, double *par);
void rsp_sem_independence(const rsp_sem *s, const rsp_sem_sample *x, rsp_arena *a, rsp_sem *out, double *par);

#endif
