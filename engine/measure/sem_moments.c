#include "measure/sem_moments.h"

#include <cblas.h>
#include <lapacke.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- small matrices --------------------------------------------------------------------------------------------- */

void rsp_multiply(const double *a, bool ta, const double *b, bool tb, size_t rows, size_t inner, size_t columns,
                  double *c) {
    if (!rows || !columns) return;
    if (!inner) {
        memset(c, 0, rows * columns * sizeof *c);
        return;
    }
    cblas_dgemm(CblasRowMajor, ta ? CblasTrans : CblasNoTrans, tb ? CblasTrans : CblasNoTrans, (int) rows,
                (int) columns, (int) inner, 1, a, (int) (ta ? rows : inner), b, (int) (tb ? inner : columns), 0, c,
                (int) columns);
}

static bool invert_general(double *a, size_t m) {
    if (!m) return true;
    lapack_int *pivot = rsp_malloc(m * sizeof *pivot);
    bool ok = LAPACKE_dgetrf(LAPACK_ROW_MAJOR, (lapack_int) m, (lapack_int) m, a, (lapack_int) m, pivot) == 0 &&
              LAPACKE_dgetri(LAPACK_ROW_MAJOR, (lapack_int) m, a, (lapack_int) m, pivot) == 0;
    free(pivot);
    return ok;
}

/* Symmetric, so the upper triangle by column is the lower by row: no copies to turn it round. */
bool rsp_invert_positive(const double *matrix, size_t p, double *inverse, double *logdet) {
    lapack_int n = (lapack_int) p;
    memcpy(inverse, matrix, p * p * sizeof *inverse);
    *logdet = 0;
    if (!p) return true;
    if (LAPACKE_dpotrf(LAPACK_COL_MAJOR, 'U', n, inverse, n) != 0) return false;
    for (size_t i = 0; i < p; i++) *logdet += 2 * log(inverse[i * p + i]);
    if (LAPACKE_dpotri(LAPACK_COL_MAJOR, 'U', n, inverse, n) != 0) return false;
    for (size_t i = 0; i < p; i++)
        for (size_t j = 0; j < i; j++) inverse[j * p + i] = inverse[i * p + j];
    return isfinite(*logdet);
}

bool rsp_invert_information(double *matrix, size_t k) {
    double *scale = rsp_malloc((k + 1) * sizeof *scale), *copy = rsp_malloc((k * k + 1) * sizeof *copy), logdet;
    bool ok = true;
    for (size_t i = 0; i < k; i++) ok = (scale[i] = sqrt(matrix[i * k + i])) > 0 && ok;
    for (size_t i = 0; ok && i < k; i++)
        for (size_t l = 0; l < k; l++) copy[i * k + l] = matrix[i * k + l] / (scale[i] * scale[l]);
    ok = ok && rsp_invert_positive(copy, k, matrix, &logdet);
    for (size_t i = 0; ok && i < k; i++) ok = matrix[i * k + i] < 1e10;
    for (size_t i = 0; ok && i < k; i++)
        for (size_t l = 0; l < k; l++) matrix[i * k + l] /= scale[i] * scale[l];
    free(scale), free(copy);
    return ok;
}

/* ---- implied moments -------------------------------------------------------------------------------------------- */

static void *cut(double **room, size_t n) {
    double *p = *room;
    *room += n;
    return p;
}

void rsp_implied_new(size_t p, size_t m, rsp_implied *g) {
    *g = (rsp_implied){.p = p, .m = m, .n_v = p + 2 * m + 1};
    double *room = rsp_calloc(3 * p * m + 3 * m * m + 2 * p * p + 3 * p + 2 * m + p * g->n_v + 1, sizeof *room);
    g->lambda = cut(&room, p * m); /* the first six lie together: fill_matrices */
    g->a = cut(&room, m * m);
    g->psi = cut(&room, m * m);
    g->theta = cut(&room, p * p);
    g->nu = cut(&room, p);
    g->alpha = cut(&room, m);
    g->la = cut(&room, p * m);
    g->phi = cut(&room, m * m);
    g->lphi = cut(&room, p * m);
    g->eta = cut(&room, m);
    g->sigma = cut(&room, p * p);
    g->mu = cut(&room, p);
    g->delta = cut(&room, p);
    g->v = cut(&room, p * g->n_v);
}

void rsp_implied_free(rsp_implied *g) { free(g->lambda); }

static void fill_matrices(const rsp_sem *s, size_t from, size_t to, const double *par, rsp_implied *g) {
    size_t p = g->p, m = g->m;
    for (size_t i = 0; i < p; i++) g->delta[i] = 1;
    memset(g->lambda, 0, (p * m + 2 * m * m + p * p + p + m) * sizeof(double));
    for (size_t k = from; k < to; k++) {
        const rsp_sem_cell *c = &s->cells[k];
        double x = c->free == RSP_NONE ? c->value : par[c->free];
        switch (c->matrix) {
        case RSP_SEM_LAMBDA: g->lambda[c->row * m + c->column] = x; break;
        case RSP_SEM_BETA: g->a[c->row * m + c->column] = -x; break;
        case RSP_SEM_PSI: g->psi[c->row * m + c->column] = g->psi[c->column * m + c->row] = x; break;
        case RSP_SEM_THETA: g->theta[c->row * p + c->column] = g->theta[c->column * p + c->row] = x; break;
        case RSP_SEM_NU: g->nu[c->row] = x; break;
        case RSP_SEM_ALPHA: g->alpha[c->row] = x; break;
        case RSP_SEM_DELTA: g->delta[c->row] = x; break;
        case RSP_SEM_TAU: break;
        }
    }
}

void rsp_implied_keep(const rsp_implied *g, size_t k, rsp_arena *a, rsp_sem_fit *fit) {
    size_t p = g->p, m = g->m;
    fit->sigma[k] = RSP_ARRAY(a, double, p *p);
    fit->mu[k] = RSP_ARRAY(a, double, p);
    fit->phi[k] = RSP_ARRAY(a, double, m *m + 1);
    memcpy(fit->sigma[k], g->sigma, p * p * sizeof(double));
    memcpy(fit->mu[k], g->mu, p * sizeof(double));
    memcpy(fit->phi[k], g->phi, m * m * sizeof(double));
    for (size_t j = 0; j < p; j++) fit->heywood |= g->theta[j * p + j] < 0;
    for (size_t j = 0; j < m; j++) fit->heywood |= g->psi[j * m + j] < 0;
}

static void fill_v(rsp_implied *g) {
    size_t p = g->p, m = g->m, n = g->n_v;
    memset(g->v, 0, p * n * sizeof *g->v);
    for (size_t i = 0; i < p; i++) {
        g->v[i * n + i] = 1;
        if (!m) continue;
        memcpy(g->v + i * n + p, g->lphi + i * m, m * sizeof *g->v);
        memcpy(g->v + i * n + p + m, g->la + i * m, m * sizeof *g->v);
    }
}

bool rsp_imply(const rsp_sem *s, size_t from, size_t to, const double *par, rsp_implied *g) {
    size_t p = g->p, m = g->m;
    double *room = rsp_malloc((m * m + 1) * sizeof *room);
    fill_matrices(s, from, to, par, g);
    for (size_t j = 0; j < m; j++) g->a[j * m + j] += 1;
    bool ok = invert_general(g->a, m);
    rsp_multiply(g->lambda, false, g->a, false, p, m, m, g->la);
    rsp_multiply(g->a, false, g->psi, false, m, m, m, room);
    rsp_multiply(room, false, g->a, true, m, m, m, g->phi);
    rsp_multiply(g->lambda, false, g->phi, false, p, m, m, g->lphi);
    rsp_multiply(g->lphi, false, g->lambda, true, p, m, p, g->sigma);
    rsp_multiply(g->a, false, g->alpha, false, m, m, 1, g->eta);
    rsp_multiply(g->lambda, false, g->eta, false, p, m, 1, g->mu);
    for (size_t i = 0; i < p * p; i++) g->sigma[i] += g->theta[i];
    for (size_t i = 0; i < p; i++) g->mu[i] += g->nu[i];
    for (size_t k = from; k < to; k++) { /* an ordinal item's residual variance is what is left of its own */
        size_t i = s->cells[k].row;
        if (s->cells[k].matrix != RSP_SEM_DELTA) continue;
        g->theta[i * p + i] = 1 / (g->delta[i] * g->delta[i]) - g->sigma[i * p + i];
        g->sigma[i * p + i] += g->theta[i * p + i];
    }
    fill_v(g);
    free(room);
    return ok;
}

double rsp_standard_unit(const rsp_implied *g, const rsp_sem_cell *c, bool items) {
    size_t p = g->p, m = g->m, r = c->row, k = c->column;
    bool latent = c->matrix == RSP_SEM_BETA || c->matrix == RSP_SEM_PSI || c->matrix == RSP_SEM_ALPHA;
    double variance = latent ? g->phi[r * m + r] : items ? g->sigma[r * p + r] : 1; /* of what the row stands for */
    switch (c->matrix) {
    case RSP_SEM_LAMBDA:
    case RSP_SEM_BETA: return sqrt(g->phi[k * m + k]) / sqrt(variance);
    case RSP_SEM_PSI: return r == k ? 1 / variance : 1 / (sqrt(g->psi[r * m + r]) * sqrt(g->psi[k * m + k]));
    case RSP_SEM_THETA:
        if (r == k || !items) return 1 / variance;
        return 1 / (sqrt(g->theta[r * p + r]) * sqrt(g->theta[k * p + k]));
    case RSP_SEM_NU:
    case RSP_SEM_ALPHA:
    case RSP_SEM_TAU: return 1 / sqrt(variance);
    case RSP_SEM_DELTA: return 1;
    }
    return 1;
}

/* ---- first and second derivatives ------------------------------------------------------------------------------- */

void rsp_tangent_of(const rsp_implied *g, const rsp_sem_cell *cell, rsp_tangent *t) {
    size_t p = g->p, la = p + g->m, none = p + 2 * g->m, r = cell->row, k = cell->column;
    double half = r == k ? 0.5 : 1;
    switch (cell->matrix) {
    case RSP_SEM_LAMBDA: *t = (rsp_tangent){cell, 1, g->eta[k], r, p + k, r}; break;
    case RSP_SEM_BETA: *t = (rsp_tangent){cell, 1, g->eta[k], la + r, p + k, la + r}; break;
    case RSP_SEM_PSI: *t = (rsp_tangent){cell, half, 0, la + r, la + k, none}; break;
    case RSP_SEM_THETA: *t = (rsp_tangent){cell, half, 0, r, k, none}; break;
    case RSP_SEM_NU: *t = (rsp_tangent){cell, 0, 1, none, none, r}; break;
    case RSP_SEM_ALPHA: *t = (rsp_tangent){cell, 0, 1, none, none, la + r}; break;
    case RSP_SEM_TAU:
    case RSP_SEM_DELTA: break; /* not of the normal likelihood */
    }
}

size_t rsp_curvature_room(const rsp_implied *g) { return 2 * g->p * g->m + g->m + 1; }

/* room: derivatives of Lambda A, Lambda Phi [m*p each, by column] and A alpha [m] along t. */
void rsp_curvature_prepare(const rsp_implied *g, const rsp_tangent *t, double *room) {
    size_t p = g->p, m = g->m, r = t->cell->row, k = t->cell->column;
    double *dla = room, *dlphi = room + p * m, *deta = room + 2 * p * m;
    memset(room, 0, rsp_curvature_room(g) * sizeof *room);
    for (size_t j = 0; j < m; j++) switch (t->cell->matrix) {
        case RSP_SEM_LAMBDA:
            dla[j * p + r] = g->a[k * m + j];
            dlphi[j * p + r] = g->phi[k * m + j];
            break;
        case RSP_SEM_BETA:
            deta[j] = g->a[j * m + r] * g->eta[k];
            for (size_t i = 0; i < p; i++) {
                dla[j * p + i] = g->la[i * m + r] * g->a[k * m + j];
                dlphi[j * p + i] = g->la[i * m + r] * g->phi[k * m + j] + g->lphi[i * m + k] * g->a[j * m + r];
            }
            break;
        case RSP_SEM_PSI:
            for (size_t i = 0; i < p; i++)
                dlphi[j * p + i] = t->f * (g->la[i * m + r] * g->a[j * m + k] + g->la[i * m + k] * g->a[j * m + r]);
            break;
        case RSP_SEM_ALPHA: deta[j] = g->a[j * m + r]; break;
        case RSP_SEM_THETA:
        case RSP_SEM_NU:
        case RSP_SEM_TAU:
        case RSP_SEM_DELTA: break;
        }
}

/* x' (column c of the p x n matrix) */
static double dot_column(const double *x, const double *matrix, size_t p, size_t n, size_t c) {
    double sum = 0;
    for (size_t i = 0; i < p; i++) sum += x[i] * matrix[i * n + c];
    return sum;
}

double rsp_curvature(const rsp_implied *g, const rsp_tangent *s, const double *room, const double *gv,
                     const double *h) {
    size_t p = g->p, m = g->m, n = g->n_v, r = s->cell->row, k = s->cell->column;
    const double *dla = room, *dlphi = room + p * m, *deta = room + 2 * p * m;
    switch (s->cell->matrix) {
    case RSP_SEM_LAMBDA: return dot_column(dlphi + k * p, gv, p, n, s->a) + h[r] * deta[k];
    case RSP_SEM_BETA:
        return dot_column(dla + r * p, gv, p, n, s->b) + dot_column(dlphi + k * p, gv, p, n, s->a) +
               g->eta[k] * dot_column(dla + r * p, h, p, 1, 0) + deta[k] * dot_column(h, g->la, p, m, r);
    case RSP_SEM_PSI: return s->f * (dot_column(dla + r * p, gv, p, n, s->b) + dot_column(dla + k * p, gv, p, n, s->a));
    case RSP_SEM_ALPHA: return dot_column(dla + r * p, h, p, 1, 0);
    case RSP_SEM_THETA:
    case RSP_SEM_NU:
    case RSP_SEM_TAU:
    case RSP_SEM_DELTA: return 0;
    }
    return 0;
}
