/* Log-likelihoods of the regressions, for rsp_newton and for influence functions. */
#ifndef RESPONSIVE_MODEL_LIKELIHOOD_H
#define RESPONSIVE_MODEL_LIKELIHOOD_H

#include "model/solve.h"

typedef struct {
    size_t               n, k;       /* rows, columns of x */
    const double *const *x;
    const double        *y;          /* logistic: 0/1; ordinal: category 0 .. J-1 */
    size_t               n_thresholds; /* ordinal: J-1; logistic: 0 */
} rsp_regression_data;

/* Logistic regression: p = k. */
bool rsp_logistic_evaluate(const rsp_likelihood *l, const double *par, const double *w, double *loglik, double *gradient, double *information);
/* score[i*p ..]: derivative of row i's log-likelihood, unweighted. */
void rsp_logistic_scores(const rsp_regression_data *data, const double *par, double *score);

/* Cumulative logits, logit P(y <= j) = threshold_j - x'b (McCullagh 1980): p = J-1 thresholds, then k coefficients. */
bool rsp_ordinal_evaluate(const rsp_likelihood *l, const double *par, const double *w, double *loglik, double *gradient, double *information);
void rsp_ordinal_scores(const rsp_regression_data *data, const double *par, double *score);

#endif
