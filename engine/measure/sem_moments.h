/* What a structural model implies for one group, and how that changes with its parameters (sem_moments.c).
 *
 * Every derivative of Sigma has rank two, f (a b' + b a'), and a and b are columns of one small matrix
 * V = [I | Lambda Phi | Lambda A | 0]; those of mu are columns of it too. So whatever information matrices need are
 * entries of V'MV for a few matrices M: cells cost look-ups. */
#ifndef RESPONSIVE_MEASURE_SEM_MOMENTS_H
#define RESPONSIVE_MEASURE_SEM_MOMENTS_H

#include "measure/sem.h"

typedef struct {
    size_t p, m, n_v;                              /* n_v = p + 2m + 1 columns of V */
    double *lambda, *a, *psi, *theta, *nu, *alpha; /* a: (I - B)^-1 */
    double *la;                                    /* Lambda A [p*m] */
    double *phi;                                   /* A Psi A' [m*m] */
    double *lphi;                                  /* Lambda Phi [p*m] */
    double *eta;                                   /* A alpha [m] */
    double *sigma, *mu, *v;                        /* [p*p], [p], [p*n_v] */
    double *delta;                                 /* [p] scales; 1 for numeric items */
} rsp_implied;

void rsp_implied_new(size_t p, size_t m, rsp_implied *g);
void rsp_implied_free(rsp_implied *g);
/* Copies moments and factor covariances of group k into the fit, and notes negative variances (Heywood cases). */
void rsp_implied_keep(const rsp_implied *g, size_t k, rsp_arena *a, rsp_sem_fit *fit);
/* Cells [from, to) are the group's. False where I - B has no inverse. */
bool rsp_imply(const rsp_sem *s, size_t from, size_t to, const double *par, rsp_implied *g);

/* What a cell is multiplied by where factors have variance 1, and items too if `items`: a regression weight by the ratio of
 * standard deviations, a variance by one over the whole variance (so that it is the share left unexplained), a covariance
 * of residuals so that it is their correlation. NaN where a variance is not positive. */
double rsp_standard_unit(const rsp_implied *g, const rsp_sem_cell *cell, bool items);

/* d Sigma = f (v_a v_b' + v_b v_a'), d mu = h v_c. */
typedef struct {
    const rsp_sem_cell *cell;
    double f, h;
    size_t a, b, c;
} rsp_tangent;

void rsp_tangent_of(const rsp_implied *g, const rsp_sem_cell *cell, rsp_tangent *t);

/* Second derivatives with respect to tangents t and s, as sum of G_ij dd Sigma_ij / 2 and h_i dd mu_i. gv: G V [p*n_v].
 * room: rsp_curvature_room(g) doubles, filled by rsp_curvature_prepare for t and used for every s. */
size_t rsp_curvature_room(const rsp_implied *g);
void rsp_curvature_prepare(const rsp_implied *g, const rsp_tangent *t, double *room);
double rsp_curvature(const rsp_implied *g, const rsp_tangent *s, const double *room, const double *gv, const double *h);

/* Inverse of an information matrix, scaled to a unit diagonal before; false if it is singular. */
bool rsp_invert_information(double *matrix, size_t k);
/* c = op(a) op(b), row-major; inner 0 gives zeros. */
void rsp_multiply(const double *a, bool ta, const double *b, bool tb, size_t rows, size_t inner, size_t columns,
                  double *c);
/* Inverse and log determinant of a positive definite matrix; false if it is none. */
bool rsp_invert_positive(const double *matrix, size_t p, double *inverse, double *logdet);

#endif
