/* Statistics of ordinal and numeric items of one group for limited-information factor models: thresholds or means, variances,
 * and polychoric, polyserial or product-moment covariances, estimated in two steps (Olsson 1979; Olsson, Drasgow and
 * Dorans 1982), with the asymptotic covariance of all of them (Muthen 1984). */
#ifndef RESPONSIVE_MEASURE_POLYCHORIC_H
#define RESPONSIVE_MEASURE_POLYCHORIC_H

#include "responsive/base.h"

/* Where the statistics of p items stand: thresholds (ordinal) or the mean (numeric) of item after item, variances of
 * numeric items, then covariances of pairs (1,0), (2,0), (2,1), ... A latent answer has mean 0 and variance 1. */
typedef struct {
    size_t p, q;
    const size_t *n_thresholds; /* [p]; 0: numeric */
    size_t *first;              /* [p] first threshold, or the mean */
    size_t *variance;           /* [p]; RSP_NONE: ordinal */
    size_t first_pair;
} rsp_item_layout;

void rsp_item_layout_new(size_t p, const size_t *n_thresholds, rsp_arena *a, rsp_item_layout *l);
size_t rsp_item_pair(const rsp_item_layout *l, size_t i, size_t j); /* i > j */

/* Rows x [n*p]: ordinal answers 0 .. n_thresholds, NaN where there is none: an item rests on its own answers, a pair on those
 * who answered both (pairwise). w: weights, NULL: all 1. */
typedef struct {
    size_t n;
    const double *x, *w;
} rsp_item_answers;

/* stat [q]; gamma [q*q]: sum of weights times their covariance, respondents independent; influence [n*q]: what each row
 * adds to the deviations of the statistics, times its weight. Either NULL if not wanted. False where an item is constant, a category
 * empty, or a correlation cannot be had. */
bool rsp_polychoric(const rsp_item_layout *l, const rsp_item_answers *answers, double *stat, double *gamma,
                    double *influence);

/* P(X <= h, Y <= k) of the standard bivariate normal distribution with correlation r. */
double rsp_bivariate_normal(double h, double k, double r);

/* Whether answers differ: n of them, `stride` apart; NaN is none. Sums of squares cannot tell, as rounding leaves some of a
 * constant. */
bool rsp_answers_vary(const double *x, size_t n, size_t stride);

#endif
