/* Errors with few clusters, for linear and logistic regressions; see few.c. */
#ifndef RESPONSIVE_MODEL_FEW_H
#define RESPONSIVE_MODEL_FEW_H

#include "model/regression.h"

/* Rows stand in the order of clusters. */
typedef struct rsp_few {
    const rsp_regression *f;
    size_t n_clusters, k;
    size_t *start, *order;      /* [n_clusters + 1], [n] rows of the matrix */
    double *x, *w, *e, *phi;    /* [n*k] by row, [n] weights, residuals, working variances */
    const double *bread, *meat; /* [k*k] M = (X'WX)^-1, M X'W phi W X M */
    double *u;                  /* [n*k] adjustment times W X M */
    bool dense;                 /* phi = 1/w, not constant: matrices of a cluster's size */
} rsp_few;

/* The working model, by row of the matrix: expectations change by slope times x (NULL: 1) with the coefficients; their
 * errors have variances phi (NULL: 1, else 1/w); weights w. A logistic model: slope and variance pi (1 - pi), the latter
 * over the respondent's weight. bread [k*k]: of the active columns. */
typedef struct {
    const double *slope, *w, *residual, *phi, *bread;
} rsp_few_model;

/* Lives in the matrix' arena; the bread must, too. */
rsp_few *rsp_few_new(const rsp_regression *f, const rsp_active *a, const rsp_few_model *of);
/* vcov [k*k]; false where there are fewer than two clusters, or (reported) too large ones for a logistic model. */
bool rsp_few_cr2(rsp_few *x, double *vcov, rsp_diag *d);
/* After rsp_few_cr2: Satterthwaite's degrees of freedom of a contrast [k] of the coefficients; 0: none. */
double rsp_few_df(const rsp_few *x, const double *contrast);
/* Of q contrasts [k*q] together: eta, of which Hotelling's T2 has eta - q + 1. */
double rsp_few_joint_df(const rsp_few *x, const double *contrast, size_t q);

typedef struct {
    double *p, *lower, *upper; /* [k]; NaN: the interval has no such end */
} rsp_few_wild;

/* Wild cluster bootstrap of every coefficient of a linear model; y [n] by row of the matrix, beta [k]; vcov [k*k] is the
 * cluster-robust one that the statistics are made with, times G/(G-1) (n-1)/(n-k). Two clusters or more. */
void rsp_few_bootstrap(rsp_few *x, const double *y, const double *beta, size_t wanted, uint64_t seed, double *vcov,
                       rsp_few_wild *out);

#endif
