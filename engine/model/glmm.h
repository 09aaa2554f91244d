/* Models with random effects whose outcome has a density f(y | eta), eta = X b + Z L u, u ~ N(0, 1): the likelihood by
 * Laplace's approximation (Pinheiro and Bates 1995; Bates, Maechler, Bolker and Walker 2015),
 *
 *   l = sum log f - u'u/2 - log |H|/2 at the u that maximises the first two terms, H = L'Z'WZL + 1,
 *
 * W minus the second derivatives of log f by eta. L is made of a triangle for each grouping variable, as in mixed.h.
 * With a single grouping variable groups and rows may have weights (a pseudo-likelihood; Rabe-Hesketh and Skrondal
 * 2006): the sum over groups of level_weight times l of the group, whose log f have the rows' weights. */
#ifndef RESPONSIVE_MODEL_GLMM_H
#define RESPONSIVE_MODEL_GLMM_H

#include "model/mixed.h"

/* logistic: y 0 or 1. ordinal: category 0 .. n_tau, logit P(y <= j) = tau_j - eta. normal: tau[0] the log of the
 * standard deviation; Laplace's approximation is then exact. */
typedef enum { RSP_GLMM_LOGISTIC, RSP_GLMM_ORDINAL, RSP_GLMM_NORMAL } rsp_glmm_family;

/* log f at eta: itself, derivative, w minus the second and its derivative; then by the nuisance parameters that the
 * answer touches. */
typedef struct {
    double loglik, slope, w, w_slope;
    size_t n_tau, tau[2];
    double loglik_tau[2], slope_tau[2], w_tau[2];
} rsp_glmm_row;

/* False where tau is outside its space (thresholds that do not rise). gap: room [2*n_tau] for what rows share. */
bool rsp_glmm_prepare(rsp_glmm_family f, size_t n_tau, const double *tau, double *gap);
rsp_glmm_row rsp_glmm_row_at(rsp_glmm_family f, size_t n_tau, const double *tau, const double *gap, double y,
                             double eta);

/* Rows stand in the order of the groups of the first grouping variable. Parameters: tau, b of p columns, theta. */
typedef struct {
    rsp_glmm_family family;
    size_t n, p, n_tau, n_parameters;
    const rsp_mixed *random;    /* groups, n_groups, n_theta, q */
    double *x, *y, *w;          /* [n*p] by row, [n], [n] weights of rows */
    size_t n_levels, d, *begin; /* of the first variable; [n_levels + 1] its rows */
    double *z;                  /* [n*d] */
    size_t rest, rest_d;        /* random effects of the other variables, of which so many meet in a row */
    double *rest_z;             /* [n*rest_d] */
    uint32_t *entry;            /* [n*rest_d] place among the entries of the row's group */
    size_t *start;              /* [n_levels + 1] entries of a group: */
    uint32_t *column;           /* effects of other variables that it meets */
    double *level_weight;       /* [n_levels] */
    rsp_arena *arena;
} rsp_glmm;

/* columns [p] of m, each [m->n]; row and level weights NULL: 1. The model lives in random->arena. */
rsp_glmm *rsp_glmm_new(rsp_glmm_family family, size_t n_tau, const rsp_mixed *random, size_t p,
                       const double *const *columns, const double *y, const double *w, const double *level_weight);
/* At the parameters par: *loglik; gradient [n_parameters], or NULL; scores [n_levels * n_parameters] of groups without
 * their weights, or NULL (a single grouping variable). u [q]: start, and on return the conditional modes. False where
 * there is no value. */
bool rsp_glmm_evaluate(const rsp_glmm *x, const double *par, double *u, double *loglik, double *gradient,
                       double *scores);

#endif
