/* Linear mixed models: y = X b + Z u + e, u ~ N(0, s2 L L'), e ~ N(0, s2), L made of a triangle T for each grouping
 * variable (Bates, Maechler, Bolker and Walker 2015, sections 2 and 3).
 *
 * The numbers are held apart from rows and pages: rsp_mixed_evaluate gives what the profiled deviance needs at theta,
 * the free elements of the triangles. */
#ifndef RESPONSIVE_MODEL_MIXED_H
#define RESPONSIVE_MODEL_MIXED_H

#include "model/matrix.h"

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
    rsp_arena *arena;
};

/* At one theta; y in its unit. */
typedef struct {
    double log_z, log_x; /* log determinants of L'Z'Z L + I and of X' (Z L L' Z' + I)^-1 X */
    double rss;          /* penalised residual sum of squares */
    double *gamma;       /* [p] coefficients of the orthonormal columns */
    double *inverse;     /* [p*p] their covariance over s2 */
} rsp_mixed_at;

/* X: the columns of m that are estimable. NULL when no such model can be fitted; *why then says so in words. */
rsp_mixed *rsp_mixed_new(const rsp_mmatrix *m, size_t p, const size_t *columns, bool ml, const char **why);
void rsp_mixed_free(rsp_mixed *x);
/* False where the determinants do not exist. at->gamma, at->inverse: room of the caller's, or NULL. */
bool rsp_mixed_evaluate(const rsp_mixed *x, const double *theta, rsp_mixed_at *at);
double rsp_mixed_deviance(const rsp_mixed *x, const rsp_mixed_at *at); /* s2 profiled out */
/* T of a grouping variable, [d*d] by row. */
void rsp_mixed_triangle(const rsp_mgroup *g, const double *theta, double *t);

/* Kenward and Roger's (1997) adjusted covariance of the orthonormal columns' coefficients over s2 [p*p], and for k
 * contrasts c[k*p] their degrees of freedom. */
bool rsp_kenward_roger(const rsp_mixed *x, const double *theta, size_t k, const double *c, double *covariance,
                       double *df);
enum { RSP_KENWARD_ROGER_MOST = 5000 }; /* columns of Z that it can hold */

#endif
