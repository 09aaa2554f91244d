/* Numerical kernels of the regressions: arrays in, arrays out. */
#ifndef RESPONSIVE_MODEL_SOLVE_H
#define RESPONSIVE_MODEL_SOLVE_H

#include "responsive/base.h"

/* Weighted least squares of y on the columns x[0..k), n rows, weights w (NULL: 1), by Householder transformations of
 * blocks of rows in extended precision (Golub and Van Loan 2013, section 5.2; blocks: Demmel et al. 2012), because
 * polynomials lose ten digits and the certified values ask for the rest. A column that the columns before it determine
 * up to 1e-11 of its length is aliased: coefficient 0, left out of the inverse. y NULL: rank only. */
typedef struct {
    size_t k, rank;
    double *beta;    /* [k] */
    bool *aliased;   /* [k] */
    double *inverse; /* [k*k] (X'WX)^-1, 0 in rows and columns of aliased ones */
    double rss;      /* weighted residual sum of squares */
} rsp_least_squares;

void rsp_least_squares_fit(size_t n, size_t k, const double *const *x, const double *w, const double *y, rsp_arena *a,
                           rsp_least_squares *out);

/* Sum of w a b over n rows (w NULL: 1), in blocks whose sums are added in order. */
double rsp_sum_of_products(size_t n, const double *w, const double *a, const double *b);

/* In place: the inverse of a symmetric positive definite p*p matrix by Cholesky after scaling to a unit diagonal.
 * False if it is not (numerically) positive definite. */
bool rsp_invert_spd(double *matrix, size_t p);

/* b' V^-1 b; NaN if V is singular. */
double rsp_quadratic_form(const double *b, const double *v, size_t p);

/* Newton's method for a concave log-likelihood of p parameters. */
typedef struct rsp_likelihood rsp_likelihood;
struct rsp_likelihood {
    size_t p;
    const void *data;
    /* Weighted log-likelihood, gradient [p] and negative Hessian [p*p] at par; false outside the parameter space. */
    bool (*evaluate)(const rsp_likelihood *l, const double *par, const double *w, double *loglik, double *gradient,
                     double *information);
};

typedef enum { RSP_FIT_OK, RSP_FIT_SEPARATED, RSP_FIT_SINGULAR, RSP_FIT_NOT_CONVERGED } rsp_fit_status;

typedef struct {
    rsp_fit_status status;
    double *par;                 /* [p]: start on entry, estimate on return */
    double *information_inverse; /* [p*p] */
    bool *separated;             /* [p]: runs off to infinity */
    double loglik;
    double tolerance; /* 0: as near as rounding allows; else a step this long, in standard errors, is the last */
    int iterations;
} rsp_newton_fit;

/* Steps are in units where each parameter's information is 1 at the start; the likelihood must rise at each step (step
 * halving). Under separation the gradient vanishes while the step does not: the parameters that still move are marked
 * (Albert and Anderson 1984). */
void rsp_newton(const rsp_likelihood *l, const double *w, rsp_newton_fit *fit);

#endif
