/* Log-likelihoods of the regressions, for rsp_newton and for influence functions. */
#ifndef RESPONSIVE_MODEL_LIKELIHOOD_H
#define RESPONSIVE_MODEL_LIKELIHOOD_H

#include "model/solve.h"

typedef struct {
    size_t n, k; /* rows, columns of x */
    const double *const *x;
    const double *y;     /* logistic: 0/1; ordinal, multinomial: category 0 .. J-1; counts: 0, 1, 2, ... */
    size_t n_thresholds; /* ordinal: J-1; else 0 */
    size_t n_equations;  /* multinomial: J-1; else 1 */
    double theta;        /* negative binomial */
} rsp_regression_data;

/* Logistic regression: p = k. */
bool rsp_logistic_evaluate(const rsp_likelihood *l, const double *par, const double *w, double *loglik,
                           double *gradient, double *information);
/* Of row i the outcome less its probability: times the columns, the derivative of the row's log-likelihood, unweighted. */
void rsp_logistic_residuals(const rsp_regression_data *data, const double *par, double *residual);

/* Cumulative logits, logit P(y <= j) = threshold_j - x'b (McCullagh 1980): p = J-1 thresholds, then k coefficients. */
bool rsp_ordinal_evaluate(const rsp_likelihood *l, const double *par, const double *w, double *loglik, double *gradient,
                          double *information);
void rsp_ordinal_scores(const rsp_regression_data *data, const double *par, double *score);

/* Multinomial logits against category 0, log(P(y = b+1) / P(y = 0)) = x'b_b: p = (J-1) k, equation after equation. */
bool rsp_multinomial_evaluate(const rsp_likelihood *l, const double *par, const double *w, double *loglik,
                              double *gradient, double *information);
void rsp_multinomial_scores(const rsp_regression_data *data, const double *par, double *score);

/* Poisson regression with log link: p = k. */
bool rsp_poisson_evaluate(const rsp_likelihood *l, const double *par, const double *w, double *loglik, double *gradient,
                          double *information);
void rsp_poisson_scores(const rsp_regression_data *data, const double *par, double *score);

/* Negative binomial regression with log link and variance mu + mu^2/theta (NB2; Hilbe 2011, chapter 8).
 * rsp_negative_binomial_evaluate holds data->theta fixed: p = k, concave. */
bool rsp_negative_binomial_evaluate(const rsp_likelihood *l, const double *par, const double *w, double *loglik,
                                    double *gradient, double *information);
/* Of coefficients and theta together, theta last: scores [n*(k+1)]; observed information [(k+1)*(k+1)]; expected information of the coefficients [k*k], by which theta and coefficients are independent. */
void rsp_negative_binomial_scores(const rsp_regression_data *data, const double *par, double *score);
void rsp_negative_binomial_information(const rsp_regression_data *data, const double *par, const double *w,
                                       double *observed, double *expected);
/* Sums over rows of the first two derivatives of the log-likelihood by log(theta), coefficients held fixed. */
void rsp_negative_binomial_theta(const rsp_regression_data *data, const double *par, const double *w, double *first,
                                 double *second);

#endif
