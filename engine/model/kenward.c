/* Kenward and Roger (1997), Biometrics 53, 983: covariance of the fixed effects that allows for the variances being
 * estimated, and degrees of freedom of contrasts, single or joint; with the expected information of the variances, as Halekoh and
 * Hojsgaard (2014) compute it.
 *
 * V = I + sum of psi_k V_k in units of s2; V_k = Z E_k Z' for each variance and covariance of the random effects, the
 * last component is the residual's. Only G = Z'V^-1 Z and H = Z'V^-1 X are needed: whatever holds the residual's
 * V_0 = V - sum psi_k V_k follows by linearity. */
#include "model/mixed.h"
#include "model/solve.h"

#include <cblas.h>
#include <lapacke.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* E_k: elements (a,b) and (b,a) of every group of a grouping variable. */
struct component {
    const rsp_mgroup *g;
    size_t begin; /* of the variable's columns in Z */
    size_t a, b;
    double psi;
};

struct rsp_roger {
    const rsp_mixed *x;
    size_t q, p, k; /* k components without the residual */
    struct component *c;
    double *g, *h, *f;  /* [q*q], [q*p], [p*p] X'V^-1 X */
    double *P, *Q, *t;  /* [k+1][p*p], [k+1][k+1][p*p], [k+1][k+1] */
    double *W;          /* [k+1][k+1] twice the inverse information */
    double *covariance; /* [p*p] unadjusted */
};

static size_t begin_of(const rsp_mixed *x, size_t group) {
    size_t at = 0;
    for (size_t g = 0; g < group; g++) at += x->groups[g].n_levels * x->groups[g].d;
    return at;
}

static void list_components(rsp_roger *r, const double *theta) {
    size_t most = 0;
    for (size_t g = 0; g < r->x->n_groups; g++) most += r->x->groups[g].n_theta;
    r->c = rsp_calloc(most + 1, sizeof *r->c);
    for (size_t g = 0; g < r->x->n_groups; g++) {
        const rsp_mgroup *b = &r->x->groups[g];
        double *t = rsp_calloc(b->d * b->d, sizeof *t);
        rsp_mixed_triangle(b, theta, t);
        for (size_t k = 0; k < b->n_theta; k++) {
            double psi = 0;
            for (size_t l = 0; l < b->d; l++) psi += t[b->row[k] * b->d + l] * t[b->column[k] * b->d + l];
            r->c[r->k++] = (struct component){b, begin_of(r->x, g), b->row[k], b->column[k], psi};
        }
        free(t);
    }
}

/* Z'Z, Z'X and the triangles' product with them: G and H by the inverse of L'Z'Z L + I. */
static void raw_products(rsp_roger *r, double *zz, double *zx) {
    const rsp_mixed *x = r->x;
    size_t most = 0;
    for (size_t g = 0; g < x->n_groups; g++) most += x->groups[g].d;
    size_t *column = rsp_malloc((most + 1) * sizeof *column);
    double *value = rsp_malloc((most + 1) * sizeof *value);
    for (size_t i = 0; i < x->n; i++) {
        size_t n = 0;
        for (size_t g = 0, begin = 0; g < x->n_groups; begin += x->groups[g].n_levels * x->groups[g].d, g++)
            for (size_t j = 0; j < x->groups[g].d; j++) {
                column[n] = begin + (size_t) x->groups[g].level[i] * x->groups[g].d + j;
                value[n++] = x->groups[g].z[i * x->groups[g].d + j];
            }
        for (size_t a = 0; a < n; a++) {
            for (size_t b = 0; b < n; b++) zz[column[a] * r->q + column[b]] += value[a] * value[b];
            for (size_t j = 0; j < r->p; j++) zx[column[a] * r->p + j] += value[a] * x->x[i * r->p + j];
        }
    }
    free(column);
    free(value);
}

/* to = L' from, rows of a [q*n]. */
static void scale_rows(const rsp_roger *r, const double *theta, const double *from, size_t n, double *to) {
    for (size_t g = 0; g < r->x->n_groups; g++) {
        const rsp_mgroup *b = &r->x->groups[g];
        double *t = rsp_calloc(b->d * b->d, sizeof *t);
        size_t begin = begin_of(r->x, g);
        rsp_mixed_triangle(b, theta, t);
        for (size_t level = 0; level < b->n_levels; level++)
            for (size_t i = 0; i < b->d; i++) {
                double *row = to + (begin + level * b->d + i) * n;
                memset(row, 0, n * sizeof *row);
                for (size_t u = i; u < b->d; u++)
                    for (size_t j = 0; j < n; j++) row[j] += t[u * b->d + i] * from[(begin + level * b->d + u) * n + j];
            }
        free(t);
    }
}

static void transpose(double *a, size_t q) {
    for (size_t i = 0; i < q; i++)
        for (size_t j = 0; j < i; j++) {
            double swap = a[i * q + j];
            a[i * q + j] = a[j * q + i];
            a[j * q + i] = swap;
        }
}

static bool inverse_products(rsp_roger *r, const double *theta) {
    size_t q = r->q, p = r->p;
    double *scaled = rsp_malloc(q * q * sizeof *scaled), *m = rsp_malloc(q * q * sizeof *m),
           *sx = rsp_malloc((q * p + 1) * sizeof *sx);
    r->g = rsp_calloc(q * q, sizeof *r->g);
    r->h = rsp_calloc(q * p + 1, sizeof *r->h);
    r->f = rsp_calloc(p * p + 1, sizeof *r->f);
    raw_products(r, r->g, r->h);
    scale_rows(r, theta, r->g, q, scaled); /* L'Z'Z */
    double *turned = rsp_malloc(q * q * sizeof *turned);
    memcpy(turned, scaled, q * q * sizeof *turned);
    transpose(turned, q);               /* Z'Z L */
    scale_rows(r, theta, turned, q, m); /* L'Z'Z L */
    free(turned);
    scale_rows(r, theta, r->h, p, sx);
    for (size_t i = 0; i < q; i++) m[i * q + i] += 1;
    bool ok = LAPACKE_dpotrf(LAPACK_COL_MAJOR, 'U', (lapack_int) q, m, (lapack_int) q) == 0;
    if (ok) { /* by row a lower triangle: B = L^-1 scaled, G = Z'Z - B'B */
        cblas_dtrsm(CblasRowMajor, CblasLeft, CblasLower, CblasNoTrans, CblasNonUnit, (int) q, (int) q, 1, m, (int) q,
                    scaled, (int) q);
        cblas_dgemm(CblasRowMajor, CblasTrans, CblasNoTrans, (int) q, (int) q, (int) q, -1, scaled, (int) q, scaled,
                    (int) q, 1, r->g, (int) q);
    }
    for (size_t j = 0; j < p; j++) r->f[j * p + j] = 1; /* X'X */
    if (ok && p) {
        cblas_dtrsm(CblasRowMajor, CblasLeft, CblasLower, CblasNoTrans, CblasNonUnit, (int) q, (int) p, 1, m, (int) q,
                    sx, (int) p);
        cblas_dgemm(CblasRowMajor, CblasTrans, CblasNoTrans, (int) q, (int) p, (int) q, -1, scaled, (int) q, sx,
                    (int) p, 1, r->h, (int) p);
        cblas_dgemm(CblasRowMajor, CblasTrans, CblasNoTrans, (int) p, (int) p, (int) q, -1, sx, (int) p, sx, (int) p, 1,
                    r->f, (int) p);
    }
    free(scaled), free(m), free(sx);
    return ok;
}

/* to = E_k H. */
static void place(const rsp_roger *r, const struct component *c, double *to) {
    size_t p = r->p, d = c->g->d;
    memset(to, 0, r->q * p * sizeof *to);
    for (size_t level = 0; level < c->g->n_levels; level++) {
        size_t a = c->begin + level * d + c->a, b = c->begin + level * d + c->b;
        memcpy(to + a * p, r->h + b * p, p * sizeof *to);
        memcpy(to + b * p, r->h + a * p, p * sizeof *to);
    }
}

/* tr(E_k G E_m G) and tr(E_k G). */
static double trace(const rsp_roger *r, const struct component *c, const struct component *e) {
    double sum = 0;
    for (size_t l = 0; l < c->g->n_levels; l++) {
        size_t i[2] = {c->begin + l * c->g->d + c->a, c->begin + l * c->g->d + c->b};
        for (size_t m = 0; m < e->g->n_levels; m++) {
            size_t j[2] = {e->begin + m * e->g->d + e->a, e->begin + m * e->g->d + e->b};
            for (int u = 0; u < (i[0] == i[1] ? 1 : 2); u++)
                for (int v = 0; v < (j[0] == j[1] ? 1 : 2); v++)
                    sum += r->g[i[1 - u] * r->q + j[v]] * r->g[j[1 - v] * r->q + i[u]];
        }
    }
    return sum;
}

static double single_trace(const rsp_roger *r, const struct component *c) {
    double sum = 0;
    for (size_t l = 0; l < c->g->n_levels; l++) {
        size_t a = c->begin + l * c->g->d + c->a, b = c->begin + l * c->g->d + c->b;
        sum += (a == b ? 1 : 2) * r->g[a * r->q + b];
    }
    return sum;
}

#define AT_Q(r, i, j) ((r)->Q + ((i) * ((r)->k + 1) + (j)) * (r)->p * (r)->p)

/* P_k = -X'V^-1 V_k V^-1 X, Q_km = X'V^-1 V_k V^-1 V_m V^-1 X, t_km = tr(V^-1 V_k V^-1 V_m). */
static void components(rsp_roger *r) {
    size_t k = r->k, p = r->p, q = r->q, pp = p * p;
    double *e = rsp_malloc((k * q * p + 1) * sizeof *e), *ge = rsp_malloc((q * p + 1) * sizeof *ge);
    r->P = rsp_calloc((k + 1) * pp + 1, sizeof *r->P);
    r->Q = rsp_calloc((k + 1) * (k + 1) * pp + 1, sizeof *r->Q);
    r->t = rsp_calloc((k + 1) * (k + 1), sizeof *r->t);
    for (size_t i = 0; i < k; i++) place(r, &r->c[i], e + i * q * p);
    for (size_t j = 0; j < k; j++) {
        cblas_dgemm(CblasRowMajor, CblasTrans, CblasNoTrans, (int) p, (int) p, (int) q, -1, r->h, (int) p,
                    e + j * q * p, (int) p, 0, r->P + j * pp, (int) p);
        cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, (int) q, (int) p, (int) q, 1, r->g, (int) q,
                    e + j * q * p, (int) p, 0, ge, (int) p);
        for (size_t i = 0; i < k; i++) {
            cblas_dgemm(CblasRowMajor, CblasTrans, CblasNoTrans, (int) p, (int) p, (int) q, 1, e + i * q * p, (int) p,
                        ge, (int) p, 0, AT_Q(r, i, j), (int) p);
            r->t[i * (k + 1) + j] = trace(r, &r->c[i], &r->c[j]);
        }
    }
    free(e);
    free(ge);
}

static void residual_component(rsp_roger *r) {
    size_t k = r->k, pp = r->p * r->p, w = k + 1;
    double all = (double) r->x->n, *single = rsp_calloc(k + 1, sizeof *single);
    double *P0 = r->P + k * pp;
    for (size_t m = 0; m < k; m++) {
        single[m] = single_trace(r, &r->c[m]);
        all -= r->c[m].psi * single[m];
    }
    for (size_t l = 0; l < pp; l++) {
        P0[l] = -r->f[l];
        for (size_t m = 0; m < k; m++) P0[l] -= r->c[m].psi * r->P[m * pp + l];
    }
    for (size_t m = 0; m < k; m++) {
        double t = single[m];
        for (size_t i = 0; i < k; i++) t -= r->c[i].psi * r->t[i * w + m];
        r->t[k * w + m] = r->t[m * w + k] = t;
        for (size_t a = 0; a < r->p; a++)
            for (size_t b = 0; b < r->p; b++) {
                size_t l = a * r->p + b;
                double sum = -r->P[m * pp + l];
                for (size_t i = 0; i < k; i++) sum -= r->c[i].psi * AT_Q(r, i, m)[l];
                AT_Q(r, k, m)[l] = AT_Q(r, m, k)[b * r->p + a] = sum;
            }
    }
    r->t[k * w + k] = all;
    memcpy(AT_Q(r, k, k), P0, pp * sizeof *P0);
    for (size_t l = 0; l < pp; l++) AT_Q(r, k, k)[l] = -P0[l];
    for (size_t m = 0; m < k; m++) {
        r->t[k * w + k] -= r->c[m].psi * r->t[m * w + k];
        for (size_t l = 0; l < pp; l++) AT_Q(r, k, k)[l] -= r->c[m].psi * AT_Q(r, m, k)[l];
    }
    free(single);
}

static void multiply(const double *a, const double *b, size_t p, double *c) {
    cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, (int) p, (int) p, (int) p, 1, a, (int) p, b, (int) p, 0, c,
                (int) p);
}

/* W = 2 information^-1; correction = sum of W_ij (Q_ij - P_i C P_j). */
static bool weigh(rsp_roger *r, const double *covariance, double *correction) {
    size_t w = r->k + 1, p = r->p, pp = p * p;
    double *cp = rsp_malloc((w * pp + 1) * sizeof *cp), *product = rsp_malloc((pp + 1) * sizeof *product);
    r->W = rsp_calloc(w * w, sizeof *r->W);
    for (size_t i = 0; i < w; i++) multiply(covariance, r->P + i * pp, p, cp + i * pp);
    for (size_t i = 0; i < w; i++)
        for (size_t j = 0; j < w; j++) {
            double sum = r->t[i * w + j];
            for (size_t a = 0; a < p; a++)
                for (size_t b = 0; b < p; b++) {
                    sum -= 2 * covariance[a * p + b] * AT_Q(r, i, j)[b * p + a];
                    sum += cp[i * pp + a * p + b] * cp[j * pp + b * p + a];
                }
            r->W[i * w + j] = sum;
        }
    bool ok = rsp_invert_spd(r->W, w);
    memset(correction, 0, pp * sizeof *correction);
    for (size_t i = 0; ok && i < w; i++)
        for (size_t j = 0; j < w; j++) {
            double weight = r->W[i * w + j] *= 2;
            multiply(r->P + i * pp, cp + j * pp, p, product);
            for (size_t l = 0; l < pp; l++) correction[l] += weight * (AT_Q(r, i, j)[l] - product[l]);
        }
    free(cp);
    free(product);
    return ok;
}

static void fill_theta(const double *c, size_t q, size_t p, const double *covariance, double *theta) {
    double *middle = rsp_calloc(q * q, sizeof *middle);
    for (size_t i = 0; i < q; i++)
        for (size_t j = 0; j < q; j++)
            for (size_t a = 0; a < p; a++)
                for (size_t b = 0; b < p; b++) middle[i * q + j] += c[i * p + a] * covariance[a * p + b] * c[j * p + b];
    memset(theta, 0, p * p * sizeof *theta);
    bool ok = rsp_invert_spd(middle, q);
    for (size_t i = 0; ok && i < q; i++)
        for (size_t j = 0; j < q; j++)
            for (size_t a = 0; a < p; a++)
                for (size_t b = 0; b < p; b++) theta[a * p + b] += c[i * p + a] * middle[i * q + j] * c[j * p + b];
    free(middle);
}

/* A1 = sum of W_ij tr(M_i) tr(M_j), A2 = sum of W_ij tr(M_i M_j), M_i = Theta C P_i C (their section 3). */
static void moments(const rsp_roger *r, size_t q, const double *c, double *a1, double *a2) {
    size_t p = r->p, w = r->k + 1, pp = p * p;
    double *theta = rsp_calloc(pp + 1, sizeof *theta), *left = rsp_calloc(pp + 1, sizeof *left),
           *half = rsp_calloc(pp + 1, sizeof *half), *m = rsp_calloc(w * pp + 1, sizeof *m),
           *trace_of = rsp_calloc(w, sizeof *trace_of);
    fill_theta(c, q, p, r->covariance, theta);
    multiply(theta, r->covariance, p, left);
    for (size_t i = 0; i < w; i++) {
        multiply(left, r->P + i * pp, p, half);
        multiply(half, r->covariance, p, m + i * pp);
        for (size_t a = 0; a < p; a++) trace_of[i] += m[i * pp + a * p + a];
    }
    *a1 = *a2 = 0;
    for (size_t i = 0; i < w; i++)
        for (size_t j = 0; j < w; j++) {
            double product = 0;
            for (size_t a = 0; a < p; a++)
                for (size_t b = 0; b < p; b++) product += m[i * pp + a * p + b] * m[j * pp + b * p + a];
            *a1 += r->W[i * w + j] * trace_of[i] * trace_of[j];
            *a2 += r->W[i * w + j] * product;
        }
    free(theta), free(left), free(half), free(m), free(trace_of);
}

/* Both moments of the Wald statistic are matched with those of a scaled F, so that the exact cases stay exact. */
void rsp_roger_test(const rsp_roger *r, size_t q, const double *c, double *df, double *scale) {
    double a1, a2, k = (double) q;
    moments(r, q, c, &a1, &a2);
    *scale = 1;
    if (q == 1) { /* then A1 = A2 and all of it comes to this */
        *df = 2 / a2;
        return;
    }
    double b = (a1 + 6 * a2) / (2 * k), g = ((k + 1) * a1 - (k + 4) * a2) / ((k + 2) * a2),
           c1 = g / (3 * k + 2 * (1 - g)), c2 = (k - g) / (3 * k + 2 * (1 - g)),
           c3 = (k + 2 - g) / (3 * k + 2 * (1 - g));
    double ratio = (1 - a2 / k) / (1 - c2 * b), rho = ratio * ratio * (1 + c1 * b) / (1 - c3 * b) / k;
    *df = 4 + (k + 2) / (k * rho - 1);
    if (!(*df > 0) || !isfinite(*df)) *df = 0;
    else if (fabs(*df - 2) > 1e-2) *scale = *df * (1 - a2 / k) / (*df - 2);
}

rsp_roger *rsp_kenward_roger(const rsp_mixed *x, const double *theta, const double *covariance, double *adjusted) {
    rsp_roger *r = rsp_calloc(1, sizeof *r);
    size_t p = x->p, pp = p * p;
    double *correction = rsp_calloc(pp + 1, sizeof *correction), *half = rsp_calloc(pp + 1, sizeof *half);
    *r = (rsp_roger){.x = x, .q = x->q, .p = p, .covariance = rsp_malloc((pp + 1) * sizeof(double))};
    memcpy(r->covariance, covariance, pp * sizeof *covariance);
    list_components(r, theta);
    bool ok = inverse_products(r, theta);
    if (ok) {
        components(r);
        residual_component(r);
        ok = weigh(r, covariance, correction);
    }
    if (ok) {
        multiply(covariance, correction, p, half);
        multiply(half, covariance, p, adjusted);
        for (size_t l = 0; l < pp; l++) adjusted[l] = covariance[l] + 2 * adjusted[l];
    }
    free(correction), free(half);
    if (ok) return r;
    rsp_roger_free(r);
    return NULL;
}

void rsp_roger_free(rsp_roger *r) {
    if (!r) return;
    free(r->c), free(r->g), free(r->h), free(r->f), free(r->P), free(r->Q), free(r->t), free(r->W), free(r->covariance);
    free(r);
}
