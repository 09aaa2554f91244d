/* Linear mixed models: y = X b + Z u + e, u ~ N(0, s2 L L'), e ~ N(0, s2), L made of a triangle T for each grouping
 * variable (Bates, Maechler, Bolker and Walker 2015, sections 2 and 3).
 *
 * The numbers are held apart from rows and pages: rsp_mixed_evaluate gives what the profiled deviance needs at theta,
 * the free elements of the triangles. */
#ifndef RESPONSIVE_MODEL_MIXED_H
#define RESPONSIVE_MODEL_MIXED_H

#include "model/matrix.h"
#include "model/solve.h"

enum { RSP_MOST_EFFECTS = 64 }; /* random effects of one grouping variable */

/* A grouping variable with all its random effects. Effects of one correlated part are rotated so that their columns
 * are orthonormal over the rows, others are scaled to length 1: no unit of measurement makes theta hard to find. */
typedef struct {
    size_t d, n_levels;
    const int32_t *level;  /* [n] */
    double *z;             /* [n*d], by row */
    double *back;          /* [d*d]: what the columns were multiplied by; covariances of the effects as written are
                                    back C back' */
    size_t n_theta, theta; /* free elements of T, place of the first in theta */
    uint8_t *row, *column; /* [n_theta] which; by column, diagonal first */
    uint8_t *part;         /* [d] random part of the formula an effect stands in */
    uint8_t *effect;       /* [d] and its place there */
    size_t offset;         /* of its columns among those of all but the first variable */
} rsp_mgroup;

typedef struct rsp_mixed rsp_mixed;
struct rsp_mixed {
    size_t n, p; /* rows, columns of X */
    bool ml;
    size_t n_groups, n_theta, q; /* grouping variables, the first with the most columns; columns of Z */
    rsp_mgroup *groups;
    /* X is replaced by X basis, orthonormal; y by what X leaves of it, divided by unit. */
    double *shift, *basis;  /* [p] coefficients of least squares, [p*p] lower triangle */
    double *x;              /* [n*p], by row */
    double *y;              /* [n] */
    double unit, log_basis; /* log_basis: 2 log |basis| */
    struct cross *cross;    /* cross-products: blocks.c */
    double work, work_rest; /* multiplications of an evaluation, about: of the first variable, of the rest */
    rsp_arena *arena;
};

/* At one theta; y in its unit. */
typedef struct {
    double log_z, log_x; /* log determinants of L'Z'Z L + I and of X' (Z L L' Z' + I)^-1 X */
    double rss;          /* penalised residual sum of squares */
    double *gamma;       /* [p] coefficients of the orthonormal columns */
    double *inverse;     /* [p*p] their covariance over s2 */
} rsp_mixed_at;

/* Random effects alone: groups, n_groups, n_theta and q of x, which has an arena. False: *why says in words. */
bool rsp_mixed_effects(rsp_mixed *x, const rsp_mmatrix *m, const char **why);

/* X: the columns of m that are estimable, ls: least squares of y on all of m's. NULL when no such model can be fitted;
 * *why then says so in words. */
rsp_mixed *rsp_mixed_new(const rsp_mmatrix *m, size_t p, const size_t *columns, const rsp_least_squares *ls, bool ml,
                         const char **why);
void rsp_mixed_free(rsp_mixed *x);
/* False where the determinants do not exist. at->gamma, at->inverse: room of the caller's, or NULL. */
bool rsp_mixed_evaluate(const rsp_mixed *x, const double *theta, rsp_mixed_at *at);
/* The same in two steps, for points that share the first variable's triangle: s [rsp_mixed_rest] is what is left when
 * that variable is taken out, which theta's elements of other variables do not touch; finishing uses s up. */
size_t rsp_mixed_rest(const rsp_mixed *x);
bool rsp_mixed_eliminate(const rsp_mixed *x, const double *theta, double *s, double *log_z);
bool rsp_mixed_finish(const rsp_mixed *x, const double *theta, double *s, double log_z, rsp_mixed_at *at);
double rsp_mixed_deviance(const rsp_mixed *x, const rsp_mixed_at *at); /* s2 profiled out */
/* T of a grouping variable, [d*d] by row. */
void rsp_mixed_triangle(const rsp_mgroup *g, const double *theta, double *t);

/* l [d*d] = Cholesky of T' A T + I for one group's cross-products A; adds the log of its square's determinant. */
bool rsp_level_factor(const double *a, const double *t, size_t d, double *l, double *log_det);
/* c = L^-1 T' v. */
void rsp_level_solve(const double *l, const double *t, size_t d, const double *v, double *c);
/* s = L' s L + I over the columns of a further variable; s [r*r] full and symmetric. */
void rsp_scale_group(const rsp_mgroup *g, const double *t, size_t r, double *s);

/* Kenward and Roger's (1997) adjusted covariance of the orthonormal columns' coefficients over s2 [p*p], given the
 * plain one, and what tests of contrasts need. NULL if the information of the variances is singular. */
typedef struct rsp_roger rsp_roger;
rsp_roger *rsp_kenward_roger(const rsp_mixed *x, const double *theta, const double *covariance, double *adjusted);
void rsp_roger_free(rsp_roger *r);
/* The test of q contrasts c[q*p]: denominator degrees of freedom, and what the Wald statistic is multiplied by. */
void rsp_roger_test(const rsp_roger *r, size_t q, const double *c, double *df, double *scale);
enum { RSP_KENWARD_ROGER_MOST = 5000 }; /* columns of Z that it can hold */

/* ---- a fitted model, and its rows: mixed_rows.c ------------------------------------------------------------------ */

/* A joint test of a term's coefficients. */
typedef struct {
    size_t term;
    double f, df1, df; /* NaN df: chi-squared over df1 */
} rsp_mtest;

typedef struct {
    const rsp_analysis *a;
    rsp_mmatrix *m;
    const rsp_mixed *x;      /* NULL: cannot be fitted */
    uint32_t *flags;         /* [k] of the columns */
    uint32_t status;         /* of the whole model */
    size_t p, *column;       /* columns that can be estimated */
    rsp_least_squares least; /* of y on all columns */
    double *b, *se, *df;     /* [p]; df NaN: normal */
    size_t n_thresholds;
    double *threshold, *threshold_se;
    double threshold_df;
    size_t n_tests;
    rsp_mtest *tests;
    double *theta; /* [n_theta] */
    double s2;     /* what squares of the triangle are multiplied by */
    double rest;   /* variance of an answer that the groups leave: of the residual, or the latent scale's */
    double loglik; /* NaN: a pseudo-likelihood */
    size_t n_parameters;
} rsp_mfit;

/* Columns that can be estimated beside a constant (`constant`: the thresholds hold one), flags of the others. */
void rsp_mfit_columns(rsp_mfit *f, bool constant);
/* Columns [q] of f->column, and how many, that belong to a term; for joint tests. */
size_t rsp_mfit_term(const rsp_mfit *f, size_t term, size_t *in);
/* Covariances [d*d] of a random part's effects as written; whether the triangle has a nearly empty diagonal element. */
bool rsp_mfit_covariance(const rsp_mfit *f, size_t part, double *c);
void rsp_mfit_write(const rsp_mfit *f, rsp_results *out);

#endif
