/* Firth's penalised likelihood of a logistic regression; see firth.c. Data are rsp_regression_data. */
#ifndef RESPONSIVE_MODEL_FIRTH_H
#define RESPONSIVE_MODEL_FIRTH_H

#include "model/likelihood.h"

/* For rsp_newton: the information is Fisher's. The penalty's share depends on the weights' scale: they should sum to n. */
bool rsp_firth_evaluate(const rsp_likelihood *l, const double *par, const double *w, double *loglik, double *gradient,
                        double *information);
/* Contributions of rows to the penalised score, per unit of weight; inverse [k*k] of the information at par. */
void rsp_firth_scores(const rsp_regression_data *data, const double *par, const double *inverse, double *score);
/* Interval of coefficient j by the profile of the penalised likelihood, and the likelihood ratio test that it is 0; l is
 * the likelihood at whose maximum `loglik` par stands, se their errors. NaN: no such limit. */
void rsp_firth_profile(const rsp_likelihood *l, const double *w, const double *par, const double *se, double loglik,
                       size_t j, double *lower, double *upper, double *p_value);

#endif
