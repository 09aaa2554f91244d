/* Standard errors with few clusters.
 *
 * cr2   residuals of each cluster are adjusted so that the sandwich is unbiased when the working model holds, and t and F
 *       have the degrees of freedom that the sandwich's own spread implies (Bell and McCaffrey 2002; Pustejovsky and
 *       Tipton 2018; joint tests: Tipton and Pustejovsky 2015). Working model: independent errors, of equal variance in a
 *       linear model, of the binomial's over the weight in a logistic one.
 * wild  the coefficient's hypothesis is imposed, each cluster's residuals are multiplied by a random sign (Rademacher) or,
 *       with fewer than twelve clusters, by one of six values (Webb 2023), and t is computed anew (Cameron, Gelbach and
 *       Miller 2008). The interval holds the values that are not rejected at 5 %.
 *
 * Both take the clusters as independent and the weights as given: strata, sampling fractions and calibration, which only
 * make errors smaller, do not enter. */
#include "model/few.h"

#include <cblas.h>
#include <lapacke.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double SMALLEST_ROOT = 1e-12; /* of the largest */
enum { LARGEST_DENSE = 1000 };

/* ---- rows by cluster -------------------------------------------------------------------------------------------- */

static void order_rows(rsp_few *x) {
    const rsp_mmatrix *m = x->f->m;
    const rsp_sample *s = x->f->s;
    size_t *count = rsp_calloc(s->n_clusters + 2, sizeof *count),
           *number = rsp_calloc(s->n_clusters + 1, sizeof *number);
    for (size_t i = 0; i < m->n; i++) count[s->cluster[m->row[i]]]++;
    for (size_t c = 0; c < s->n_clusters; c++)
        if (count[c]) number[c] = x->n_clusters++;
    x->start = RSP_ARRAY(x->f->arena, size_t, x->n_clusters + 1);
    x->order = RSP_ARRAY(x->f->arena, size_t, m->n + 1);
    for (size_t c = 0; c < s->n_clusters; c++)
        if (count[c]) x->start[number[c] + 1] = x->start[number[c]] + count[c];
    memset(count, 0, (s->n_clusters + 2) * sizeof *count);
    for (size_t i = 0; i < m->n; i++) {
        size_t c = number[s->cluster[m->row[i]]];
        x->order[x->start[c] + count[c]++] = i;
    }
    free(count);
    free(number);
}

/* Columns, weights, residuals and working variances in the order of clusters. */
static void gather(rsp_few *x, const rsp_active *a, const rsp_few_model *of) {
    size_t n = x->f->m->n, k = x->k;
    x->x = RSP_ARRAY(x->f->arena, double, n *k + 1);
    x->w = RSP_ARRAY(x->f->arena, double, n + 1);
    x->e = RSP_ARRAY(x->f->arena, double, n + 1);
    x->phi = RSP_ARRAY(x->f->arena, double, n + 1);
    for (size_t r = 0; r < n; r++) {
        size_t i = x->order[r];
        x->w[r] = of->w[i];
        x->e[r] = of->residual[i];
        x->phi[r] = of->phi ? of->phi[i] : 1;
        for (size_t j = 0; j < k; j++) x->x[r * k + j] = (of->slope ? of->slope[i] : 1) * a->x[j][i];
    }
}

rsp_few *rsp_few_new(const rsp_regression *f, const rsp_active *a, const rsp_few_model *of) {
    rsp_few *x = RSP_NEW(f->arena, rsp_few);
    *x = (rsp_few){.f = f, .k = a->k, .bread = of->bread, .dense = of->phi != NULL};
    order_rows(x);
    gather(x, a, of);
    return x;
}

/* ---- cr2 -------------------------------------------------------------------------------------------------------- */

/* c [m*n] = a [m*k] b [k*n], a transposed where it says so; rows contiguous. */
static void multiply(bool transposed, size_t m, size_t n, size_t k, const double *a, const double *b, double *c) {
    cblas_dgemm(CblasRowMajor, transposed ? CblasTrans : CblasNoTrans, CblasNoTrans, (int) m, (int) n, (int) k, 1, a,
                (int) (transposed ? m : k), b, (int) n, 0, c, (int) n);
}

/* In place: the inverse square root of a symmetric matrix, on the space where it is positive. */
static bool inverse_root(double *a, size_t n) {
    double *value = rsp_malloc((n + 1) * sizeof *value), *v = rsp_malloc((n * n + 1) * sizeof *v);
    memcpy(v, a, n * n * sizeof *v);
    bool ok = n == 0 || LAPACKE_dsyev(LAPACK_ROW_MAJOR, 'V', 'L', (lapack_int) n, v, (lapack_int) n, value) == 0;
    double least = n && ok ? SMALLEST_ROOT * value[n - 1] : 0; /* eigenvalues ascend */
    for (size_t i = 0; ok && i < n; i++)
        for (size_t j = 0; j <= i; j++) {
            double s = 0;
            for (size_t l = 0; l < n; l++)
                if (value[l] > least && value[l] > 0) s += v[i * n + l] * v[j * n + l] / sqrt(value[l]);
            a[i * n + j] = a[j * n + i] = s;
        }
    free(value), free(v);
    return ok;
}

/* An orthonormal basis z [n*r] of the columns of both [n*c] (kept columns first by pivoting); r returned. */
static size_t basis_of(double *both, size_t n, size_t c, double *z) {
    size_t most = n < c ? n : c, r = 0;
    for (size_t j = 0; j < c; j++) { /* of one length, so that units do not matter */
        double norm = cblas_dnrm2((int) n, both + j, (int) c);
        if (norm > 0) cblas_dscal((int) n, 1 / norm, both + j, (int) c);
    }
    double *tau = rsp_malloc((most + 1) * sizeof *tau);
    lapack_int *pivot = rsp_calloc(c + 1, sizeof *pivot);
    LAPACKE_dgeqp3(LAPACK_ROW_MAJOR, (lapack_int) n, (lapack_int) c, both, (lapack_int) c, pivot, tau);
    while (r < most && fabs(both[r * c + r]) > 1e-10 * fabs(both[0])) r++;
    LAPACKE_dorgqr(LAPACK_ROW_MAJOR, (lapack_int) n, (lapack_int) r, (lapack_int) r, both, (lapack_int) c, tau);
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < r; j++) z[i * r + j] = both[i * c + j];
    free(tau), free(pivot);
    return r;
}

/* Working variances alike: the adjusted covariance differs from the identity on the span of X and WX alone, so that no
 * matrix of the cluster's size is needed. U = A W X M [n*k]. */
static bool adjust_by_basis(const rsp_few *x, const double *meat, size_t from, size_t n) {
    size_t k = x->k, c = 2 * k;
    const double *X = x->x + from * k;
    double *both = rsp_malloc((n * c + 1) * sizeof *both), *z = rsp_malloc((n * c + 1) * sizeof *z),
           *wx = rsp_malloc((n * k + 1) * sizeof *wx), *room = rsp_malloc((4 * c * k + c * c + 1) * sizeof *room);
    double *rx = room, *rw = rx + c * k, *rm = rw + c * k, *wm = rm + c * k, *core = wm + c * k;
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < k; j++) {
            wx[i * k + j] = x->w[from + i] * X[i * k + j];
            both[i * c + j] = X[i * k + j];
            both[i * c + k + j] = wx[i * k + j];
        }
    size_t r = basis_of(both, n, c, z);
    multiply(true, r, k, n, z, X, rx);
    multiply(true, r, k, n, z, wx, rw);
    multiply(false, r, k, k, rx, meat, rm); /* Rx M Q M */
    multiply(false, r, k, k, rw, x->bread, wm);
    for (size_t i = 0; i < r; i++)
        for (size_t j = 0; j < r; j++) {
            double s = i == j;
            for (size_t l = 0; l < k; l++)
                s += rm[i * k + l] * rx[j * k + l] - wm[i * k + l] * rx[j * k + l] - rx[i * k + l] * wm[j * k + l];
            core[i * r + j] = s;
        }
    bool ok = inverse_root(core, r);
    multiply(false, r, k, r, core, wm, rm);
    multiply(false, n, k, r, z, rm, x->u + from * k);
    free(both), free(z), free(wx), free(room);
    return ok;
}

/* Working variances phi, with weights their inverse: S = phi - X M X', A = phi^(1/2) B^(-1/2) phi^(1/2) of B = phi^(1/2) S
 * phi^(1/2). */
static bool adjust_dense(const rsp_few *x, size_t from, size_t n) {
    size_t k = x->k;
    const double *X = x->x + from * k, *phi = x->phi + from;
    double *b = rsp_malloc((n * n + 1) * sizeof *b), *xm = rsp_malloc((n * k + 1) * sizeof *xm);
    multiply(false, n, k, k, X, x->bread, xm);
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j <= i; j++) {
            double s = i == j ? phi[i] : 0;
            for (size_t l = 0; l < k; l++) s -= xm[i * k + l] * X[j * k + l];
            b[i * n + j] = b[j * n + i] = s * sqrt(phi[i]) * sqrt(phi[j]);
        }
    bool ok = inverse_root(b, n);
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < n; j++) b[i * n + j] *= sqrt(phi[i]) * sqrt(phi[j]) * x->w[from + j];
    multiply(false, n, k, n, b, xm, x->u + from * k);
    free(b), free(xm);
    return ok;
}

/* X' W phi W X. */
static void working_meat(const rsp_few *x, double *q) {
    size_t k = x->k;
    memset(q, 0, k * k * sizeof *q);
    for (size_t r = 0; r < x->f->m->n; r++) {
        double v = x->w[r] * x->w[r] * x->phi[r];
        for (size_t j = 0; j < k; j++)
            for (size_t l = 0; l < k; l++) q[j * k + l] += v * x->x[r * k + j] * x->x[r * k + l];
    }
}

/* V = sum over clusters of U'e e'U. */
static void sandwich(const rsp_few *x, double *vcov) {
    size_t k = x->k;
    double *s = rsp_malloc((k + 1) * sizeof *s);
    memset(vcov, 0, k * k * sizeof *vcov);
    for (size_t c = 0; c < x->n_clusters; c++) {
        memset(s, 0, k * sizeof *s);
        for (size_t r = x->start[c]; r < x->start[c + 1]; r++)
            for (size_t j = 0; j < k; j++) s[j] += x->u[r * k + j] * x->e[r];
        for (size_t j = 0; j < k; j++)
            for (size_t l = 0; l < k; l++) vcov[j * k + l] += s[j] * s[l];
    }
    free(s);
}

bool rsp_few_cr2(rsp_few *x, double *vcov, rsp_diag *d) {
    size_t k = x->k, n = x->f->m->n, largest = 0;
    for (size_t c = 0; c < x->n_clusters; c++)
        if (x->start[c + 1] - x->start[c] > largest) largest = x->start[c + 1] - x->start[c];
    if (x->dense && largest > LARGEST_DENSE) {
        rsp_report(d, RSP_WARNING, x->f->a->loc, "use errors: design, or a linear model",
                   "cr2 errors of the logistic model '%s' need clusters of at most %d respondents; one has %zu",
                   x->f->a->id, LARGEST_DENSE, largest);
        return false;
    }
    if (x->n_clusters < 2) return false;
    double *meat = RSP_ARRAY(x->f->arena, double, k *k + 1), *q = RSP_ARRAY(x->f->arena, double, k *k + 1),
           *half = RSP_ARRAY(x->f->arena, double, k *k + 1);
    working_meat(x, q);
    multiply(false, k, k, k, x->bread, q, half);
    multiply(false, k, k, k, half, x->bread, meat);
    x->meat = meat;
    x->u = RSP_ARRAY(x->f->arena, double, n *k + 1);
    bool ok = true;
#pragma omp parallel for schedule(dynamic, 1) reduction(&& : ok)
    for (size_t c = 0; c < x->n_clusters; c++) {
        size_t from = x->start[c], size = x->start[c + 1] - from;
        ok = (x->dense ? adjust_dense(x, from, size) : adjust_by_basis(x, meat, from, size)) && ok;
    }
    sandwich(x, vcov);
    return ok;
}

/* ---- degrees of freedom ----------------------------------------------------------------------------------------- */

/* With u_g = U_g l for a contrast l of the coefficients, the adjusted residuals' part in it is e'p_g, and
 *   p_g' phi p_h = [g = h] a_g + r_g' S r_h,   a_g = u_g' phi u_g,  r_g = (X_g' W phi u_g, X_g' u_g),
 *   S = ((0, -M), (-M, M Q M)):
 * sums over pairs of clusters are traces, linear in the number of clusters. */
struct forms {
    size_t q, k, n; /* contrasts, coefficients, clusters */
    double *a;      /* [n*q*q] */
    double *r;      /* [n*q*2k] */
    double *sr;     /* [n*q*2k] S r */
    double *tt;     /* [q*q*(2k)^2] sum over clusters of S r_s r_t' */
};

/* contrast [k*q] */
static struct forms forms_new(const rsp_few *x, const double *contrast, size_t q) {
    size_t k = x->k, k2 = 2 * k, n = x->n_clusters;
    struct forms f = {.q = q, .k = k, .n = n};
    f.a = rsp_calloc(n * q * q + 1, sizeof *f.a);
    f.r = rsp_calloc(n * q * k2 + 1, sizeof *f.r);
    f.sr = rsp_calloc(n * q * k2 + 1, sizeof *f.sr);
    f.tt = rsp_calloc(q * q * k2 * k2 + 1, sizeof *f.tt);
    double *u = rsp_malloc((q + 1) * sizeof *u);
    for (size_t c = 0; c < n; c++) {
        for (size_t row = x->start[c]; row < x->start[c + 1]; row++) {
            for (size_t s = 0; s < q; s++) {
                u[s] = 0;
                for (size_t j = 0; j < k; j++) u[s] += x->u[row * k + j] * contrast[j * q + s];
            }
            for (size_t s = 0; s < q; s++) {
                double *r = f.r + (c * q + s) * k2;
                for (size_t t = 0; t < q; t++) f.a[(c * q + s) * q + t] += u[s] * x->phi[row] * u[t];
                for (size_t j = 0; j < k; j++) {
                    r[j] += x->x[row * k + j] * x->w[row] * x->phi[row] * u[s];
                    r[k + j] += x->x[row * k + j] * u[s];
                }
            }
        }
        for (size_t s = 0; s < q; s++) {
            const double *r = f.r + (c * q + s) * k2;
            double *to = f.sr + (c * q + s) * k2;
            for (size_t j = 0; j < k; j++)
                for (size_t l = 0; l < k; l++) {
                    to[j] -= x->bread[j * k + l] * r[k + l];
                    to[k + j] += x->meat[j * k + l] * r[k + l] - x->bread[j * k + l] * r[l];
                }
        }
        for (size_t s = 0; s < q; s++)
            for (size_t t = 0; t < q; t++) {
                double *to = f.tt + (s * q + t) * k2 * k2;
                const double *left = f.sr + (c * q + s) * k2, *right = f.r + (c * q + t) * k2;
                for (size_t i = 0; i < k2; i++)
                    for (size_t j = 0; j < k2; j++) to[i * k2 + j] += left[i] * right[j];
            }
    }
    free(u);
    return f;
}

static void forms_free(struct forms *f) { free(f->a), free(f->r), free(f->sr), free(f->tt); }

/* r_s' S r_t of one cluster. */
static double form(const struct forms *f, size_t c, size_t s, size_t t) {
    size_t k2 = 2 * f->k;
    double sum = 0;
    for (size_t j = 0; j < k2; j++) sum += f->r[(c * f->q + s) * k2 + j] * f->sr[(c * f->q + t) * k2 + j];
    return sum;
}

/* tr(S R_st S R_uv). */
static double trace(const struct forms *f, size_t s, size_t t, size_t u, size_t v) {
    size_t k2 = 2 * f->k;
    const double *a = f->tt + (s * f->q + t) * k2 * k2, *b = f->tt + (u * f->q + v) * k2 * k2;
    double sum = 0;
    for (size_t i = 0; i < k2; i++)
        for (size_t j = 0; j < k2; j++) sum += a[i * k2 + j] * b[j * k2 + i];
    return sum;
}

/* Variance of sum over clusters of (e'p_s)(e'p_t) when e is normal with the working variances. */
static double variance_of(const struct forms *f, size_t s, size_t t) {
    double sum = trace(f, s, t, t, s) + trace(f, t, s, t, s);
    for (size_t c = 0; c < f->n; c++) {
        const double *a = f->a + c * f->q * f->q;
        double st = a[s * f->q + t];
        sum += a[s * f->q + s] * a[t * f->q + t] + a[s * f->q + s] * form(f, c, t, t) +
               a[t * f->q + t] * form(f, c, s, s) + st * st + 2 * st * form(f, c, s, t);
    }
    return sum;
}

double rsp_few_df(const rsp_few *x, const double *contrast) {
    struct forms f = forms_new(x, contrast, 1);
    double mean = 0, variance = variance_of(&f, 0, 0);
    for (size_t c = 0; c < f.n; c++) mean += f.a[c] + form(&f, c, 0, 0);
    forms_free(&f);
    double df = 2 * mean * mean / variance;
    return isfinite(df) && mean > 0 ? df : 0;
}

/* Contrasts made orthonormal under the working model; then the degrees of freedom of the approximating Wishart. */
double rsp_few_joint_df(const rsp_few *x, const double *contrast, size_t q) {
    size_t k = x->k;
    double *omega = rsp_calloc(q * q + 1, sizeof *omega), *unit = rsp_calloc(k * q + 1, sizeof *unit), sum = 0;
    for (size_t s = 0; s < q; s++)
        for (size_t t = 0; t < q; t++)
            for (size_t i = 0; i < k; i++)
                for (size_t j = 0; j < k; j++)
                    omega[s * q + t] += contrast[i * q + s] * x->meat[i * k + j] * contrast[j * q + t];
    bool ok = inverse_root(omega, q);
    multiply(false, k, q, q, contrast, omega, unit);
    struct forms f = forms_new(x, unit, q);
    for (size_t s = 0; s < q; s++)
        for (size_t t = 0; t < q; t++) sum += variance_of(&f, s, t);
    forms_free(&f);
    free(omega), free(unit);
    return ok && sum > 0 ? (double) (q * (q + 1)) / sum : 0;
}

/* ---- wild bootstrap --------------------------------------------------------------------------------------------- */

enum { MOST_SIX = 12 }; /* fewer clusters than this: six values in place of two */
static const double SIX[6] = {-1.2247448713915890, -1, -0.70710678118654752,
                              0.70710678118654752, 1,  1.2247448713915890};

/* All combinations where they are no more than the draws wanted, else random ones: multiplier of cluster c in draw b. */
struct draws {
    size_t n, n_clusters, base;
    bool all;
    uint64_t seed;
};

static struct draws draws_new(size_t n_clusters, size_t wanted, uint64_t seed) {
    struct draws d = {wanted, n_clusters, n_clusters < MOST_SIX ? 6 : 2, true, seed};
    size_t combinations = 1;
    for (size_t c = 0; c < n_clusters && combinations <= wanted; c++) combinations *= d.base;
    d.all = combinations <= wanted;
    if (d.all) d.n = combinations;
    return d;
}

static void draw(const struct draws *d, size_t b, double *v) {
    rsp_rng stream;
    rsp_rng_init(&stream, d->seed, b);
    for (size_t c = 0, rest = b; c < d->n_clusters; c++, rest /= d->base) {
        size_t k = d->all ? rest % d->base : rsp_rng_below(&stream, (uint32_t) d->base);
        v[c] = d->base == 6 ? SIX[k] : k ? 1 : -1;
    }
}

/* What one coefficient's statistic needs of a draw when its value under the hypothesis is b: numerator n0 - b n1, squared
 * error d0 - 2 b d1 + b^2 d2. */
struct drawn {
    double n0, n1, d0, d1, d2;
};

struct wild {
    const rsp_few *x;
    size_t j;          /* the coefficient */
    double *h0, *h1;   /* [n_clusters*k] M X'W e of each cluster: restricted residuals are e0 - b e1 */
    double *g;         /* [n_clusters*k] row j of M X'W X of each cluster */
    struct drawn *all; /* [draws] */
    size_t n;
    double estimate, error; /* of the data: squared error of the coefficient, by the same formula */
};

/* Regression of a column of `rows` values on the other columns: residuals, weights W. */
static void restricted_residuals(const rsp_few *x, size_t j, const double *y, double *e) {
    size_t n = x->f->m->n, k = x->k, q = 0;
    const double **columns = rsp_malloc((k + 1) * sizeof *columns);
    double *turned = rsp_malloc((n * k + 1) * sizeof *turned);
    for (size_t l = 0; l < k; l++) {
        if (l == j) continue;
        for (size_t r = 0; r < n; r++) turned[q * n + r] = x->x[r * k + l];
        columns[q] = turned + q * n;
        q++;
    }
    rsp_arena *a = rsp_arena_new();
    rsp_least_squares ls;
    rsp_least_squares_fit(n, q, columns, x->w, y, a, &ls);
    for (size_t r = 0; r < n; r++) {
        e[r] = y[r];
        for (size_t l = 0; l < q; l++) e[r] -= ls.beta[l] * columns[l][r];
    }
    rsp_arena_free(a);
    free(columns), free(turned);
}

/* to[cluster*k ..] = M X'W e of each cluster. */
static void cluster_scores(const rsp_few *x, const double *e, double *to) {
    size_t k = x->k;
    double *s = rsp_malloc((k + 1) * sizeof *s);
    for (size_t c = 0; c < x->n_clusters; c++) {
        memset(s, 0, k * sizeof *s);
        for (size_t r = x->start[c]; r < x->start[c + 1]; r++)
            for (size_t l = 0; l < k; l++) s[l] += x->x[r * k + l] * x->w[r] * e[r];
        for (size_t l = 0; l < k; l++) {
            to[c * k + l] = 0;
            for (size_t i = 0; i < k; i++) to[c * k + l] += x->bread[l * k + i] * s[i];
        }
    }
    free(s);
}

static void projections(const rsp_few *x, size_t j, double *g) {
    size_t k = x->k;
    memset(g, 0, x->n_clusters * k * sizeof *g);
    for (size_t c = 0; c < x->n_clusters; c++)
        for (size_t r = x->start[c]; r < x->start[c + 1]; r++) {
            double m = 0;
            for (size_t i = 0; i < k; i++) m += x->bread[j * k + i] * x->x[r * k + i];
            for (size_t l = 0; l < k; l++) g[c * k + l] += m * x->w[r] * x->x[r * k + l];
        }
}

static void evaluate_draw(const struct wild *z, const double *v, double *room, struct drawn *to) {
    size_t k = z->x->k, n = z->x->n_clusters;
    double *sum0 = room, *sum1 = room + k;
    memset(room, 0, 2 * k * sizeof *room);
    for (size_t c = 0; c < n; c++)
        for (size_t l = 0; l < k; l++) {
            sum0[l] += v[c] * z->h0[c * k + l];
            sum1[l] += v[c] * z->h1[c * k + l];
        }
    *to = (struct drawn){.n0 = sum0[z->j], .n1 = sum1[z->j]};
    for (size_t c = 0; c < n; c++) {
        double a = v[c] * z->h0[c * k + z->j], b = v[c] * z->h1[c * k + z->j];
        for (size_t l = 0; l < k; l++) a -= z->g[c * k + l] * sum0[l], b -= z->g[c * k + l] * sum1[l];
        to->d0 += a * a;
        to->d1 += a * b;
        to->d2 += b * b;
    }
}

/* Share of draws whose statistic is at least as large as the data's, the hypothesis being b. Draws equal up to rounding
 * (the data's own signs among them) count. */
static double wild_p(const struct wild *z, double b) {
    double t = (z->estimate - b) * (z->estimate - b) / z->error, more = 0;
    for (size_t k = 0; k < z->n; k++) {
        const struct drawn *x = &z->all[k];
        double top = x->n0 - b * x->n1, under = x->d0 - 2 * b * x->d1 + b * b * x->d2;
        more += top * top >= t * under * (1 - 1e-10);
    }
    return more / (double) z->n;
}

/* The nearest value beyond which 5 % are no longer reached, `sign` the direction; NaN where none is within reach. */
static double wild_limit(const struct wild *z, double sign) {
    double near = 0, far = 2 * sqrt(z->error);
    for (int k = 0; wild_p(z, z->estimate + sign * far) >= 0.05; k++, near = far, far *= 2)
        if (k == 40) return NAN;
    for (int k = 0; k < 60; k++) {
        double middle = (near + far) / 2;
        if (wild_p(z, z->estimate + sign * middle) >= 0.05) near = middle;
        else far = middle;
    }
    return z->estimate + sign * near;
}

static void wild_coefficient(rsp_few *x, const double *y, size_t j, const struct draws *draws, double estimate,
                             rsp_few_wild *out) {
    size_t n = x->f->m->n, k = x->k, G = x->n_clusters;
    struct wild z = {.x = x, .j = j, .n = draws->n, .estimate = estimate};
    double *e = rsp_malloc((n + 1) * sizeof *e), *column = rsp_malloc((n + 1) * sizeof *column);
    z.h0 = rsp_malloc(3 * G * k * sizeof *z.h0 + 1);
    z.h1 = z.h0 + G * k;
    z.g = z.h1 + G * k;
    z.all = rsp_malloc(draws->n * sizeof *z.all);
    projections(x, j, z.g);
    cluster_scores(x, x->e, z.h0);
    for (size_t c = 0; c < G; c++) z.error += z.h0[c * k + j] * z.h0[c * k + j];
    restricted_residuals(x, j, y, e);
    cluster_scores(x, e, z.h0);
    for (size_t r = 0; r < n; r++) column[r] = x->x[r * k + j];
    restricted_residuals(x, j, column, e);
    cluster_scores(x, e, z.h1);
#pragma omp parallel
    {
        double *v = rsp_malloc((G + 2 * k + 1) * sizeof *v);
#pragma omp for schedule(static)
        for (size_t b = 0; b < draws->n; b++) {
            draw(draws, b, v);
            evaluate_draw(&z, v, v + G, &z.all[b]);
        }
        free(v);
    }
    out->p[j] = wild_p(&z, 0);
    out->lower[j] = wild_limit(&z, -1);
    out->upper[j] = wild_limit(&z, 1);
    free(e), free(column), free(z.h0), free(z.all);
}

void rsp_few_bootstrap(rsp_few *x, const double *y, const double *beta, size_t wanted, uint64_t seed, double *vcov,
                       rsp_few_wild *out) {
    size_t n = x->f->m->n, k = x->k, G = x->n_clusters;
    double *scores = rsp_malloc((G * k + 1) * sizeof *scores), *ordered = rsp_malloc((n + 1) * sizeof *ordered);
    double scale = (double) G / ((double) G - 1) * ((double) n - 1) / ((double) n - (double) k);
    cluster_scores(x, x->e, scores);
    for (size_t j = 0; j < k; j++)
        for (size_t l = 0; l < k; l++) {
            vcov[j * k + l] = 0;
            for (size_t c = 0; c < G; c++) vcov[j * k + l] += scale * scores[c * k + j] * scores[c * k + l];
        }
    for (size_t r = 0; r < n; r++) ordered[r] = y[x->order[r]];
    struct draws draws = draws_new(G, wanted, seed);
    for (size_t j = 0; j < k; j++) wild_coefficient(x, ordered, j, &draws, beta[j], out);
    free(scores), free(ordered);
}
