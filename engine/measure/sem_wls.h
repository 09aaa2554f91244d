/* Factor models of ordinal items by diagonally weighted least squares: thresholds, variances and polychoric covariances
 * against the model's (Muthen, du Toit and Spisic 1997), errors from their whole asymptotic covariance, chi-square scaled and
 * shifted (Asparouhov and Muthen 2010). */
#ifndef RESPONSIVE_MEASURE_SEM_WLS_H
#define RESPONSIVE_MEASURE_SEM_WLS_H

#include "measure/polychoric.h"
#include "measure/sem.h"

typedef struct {
    size_t n;
    double weight;              /* sum of weights; n without */
    const double *stat, *gamma; /* [q], [q*q] of rsp_polychoric, or by the design */
    /* [n_groups] covariances with the other groups' statistics, times the root of both weights [q*q]; its own is gamma. NULL:
     * groups are independent. */
    const double *const *with;
} rsp_wls_sample; /* one per group */

typedef enum {
    RSP_WLS_SHIFTED, /* robust errors, chi-square scaled and shifted */
    RSP_WLS_SCALED,  /* robust errors, chi-square scaled to its mean (Satorra and Bentler 1994) */
    RSP_WLS_NAIVE    /* as if the weights were the inverse of the whole covariance */
} rsp_wls_correction;

/* Fits; arrays live in the arena. Cells: every ordinal item has its thresholds in Tau and its scale in Delta. loglik is
 * NaN. */
void rsp_wls_estimate(const rsp_sem *s, const rsp_item_layout *l, const rsp_wls_sample *x,
                      rsp_wls_correction correction, rsp_arena *a, rsp_sem_fit *fit);

/* Scores of the extras and their variance by the whole covariance of the statistics; as rsp_sem_scores. */
rsp_sem_status rsp_wls_scores(const rsp_sem *s, const rsp_item_layout *l, const rsp_wls_sample *x,
                              const rsp_extras *extras, double *score, double *variance, double *left);

/* The difference of chi-square between a model and a more restricted one, whose cells' values are their estimates: divided by
 * `scaling` and with `shift` added it has mean and variance of chi-square on the difference of degrees of freedom (Satorra
 * 2000; Asparouhov and Muthen 2010). False where it cannot be had. */
bool rsp_wls_difference(const rsp_sem *model, const rsp_sem *restricted, const rsp_item_layout *l,
                        const rsp_wls_sample *x, double *scaling, double *shift);

/* One group's gradient D'A(s - sigma) and information D'AD, A = 1 / diag(gamma), by the free parameters of s, which holds the
 * group's cells alone; as in lavaan the one is multiplied by n - 1, the other by n (sums
 * of weights). False where the model implies no
 * moments. */
bool rsp_wls_differentiate(const rsp_sem *s, size_t group, const rsp_item_layout *l, const rsp_wls_sample *x,
                           const double *par, double *gradient, double *information);

#endif
