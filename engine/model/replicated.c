/* A linear regression in every replicate. A row's few entries that are not zero (dummies mostly are) are read once for
 * RSP_LANES replicates, whose cross-products stand side by side; each replicate's sums run over the rows in order, so they
 * do not depend on threads. */
#include "base/vector.h"
#include "model/regression.h"
#include "model/solve.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { CHUNK = 64 }; /* rows whose weights stay in the first cache */

/* Rows as lists of the entries that are not zero, and the residuals of the full sample. */
struct entries {
    size_t n, k;
    const size_t *row; /* [n] in the frame */
    size_t *start;     /* [n + 1] */
    uint32_t *column;
    double *value, *residual;
};

static struct entries entries_new(const rsp_regression *f, const rsp_active *a, const double *beta) {
    size_t n = f->m->n, k = a->k, total = 0;
    struct entries e = {.n = n, .k = k, .row = f->m->row};
    for (size_t j = 0; j < k; j++)
        for (size_t i = 0; i < n; i++) total += a->x[j][i] != 0;
    e.start = rsp_malloc((n + 1) * sizeof *e.start);
    e.column = rsp_malloc((total + 1) * sizeof *e.column);
    e.value = rsp_malloc((total + 1) * sizeof *e.value);
    e.residual = rsp_malloc((n + 1) * sizeof *e.residual);
    total = 0;
    for (size_t i = 0; i < n; i++) {
        e.start[i] = total;
        e.residual[i] = f->m->y[i];
        for (size_t j = 0; j < k; j++) {
            double x = a->x[j][i];
            if (x == 0) continue;
            e.residual[i] -= beta[j] * x;
            e.column[total] = (uint32_t) j;
            e.value[total++] = x;
        }
    }
    e.start[n] = total;
    return e;
}

static void entries_free(struct entries *e) { free(e->start), free(e->column), free(e->value), free(e->residual); }

/* Adds one row: xx [k(k+1)/2] of columns j >= l at j(j+1)/2 + l, xy [k], each with its lanes. */
RSP_WIDE
static void add_products(const uint32_t *column, const double *value, size_t n, double residual,
                         const double *restrict w, double *restrict xx, double *restrict xy) {
    double wx[RSP_LANES];
    for (size_t a = 0; a < n; a++) {
        size_t j = column[a];
        double *to = xy + j * RSP_LANES;
        for (size_t lane = 0; lane < RSP_LANES; lane++) wx[lane] = w[lane] * value[a];
        for (size_t lane = 0; lane < RSP_LANES; lane++) to[lane] += wx[lane] * residual;
        for (size_t b = 0; b <= a; b++) {
            double x = value[b];
            to = xx + (j * (j + 1) / 2 + column[b]) * RSP_LANES;
            for (size_t lane = 0; lane < RSP_LANES; lane++) to[lane] += wx[lane] * x;
        }
    }
}

static void sum_products(const struct entries *e, const rsp_lanes *lanes, size_t n_rows, double *xx, double *xy) {
    double w[CHUNK * RSP_LANES];
    size_t i = 0;
    for (size_t from = 0; from < n_rows && i < e->n; from += CHUNK) {
        size_t to = from + CHUNK < n_rows ? from + CHUNK : n_rows;
        if (e->row[i] >= to) continue;
        rsp_lanes_weights(lanes, from, to, w);
        for (; i < e->n && e->row[i] < to; i++)
            add_products(e->column + e->start[i], e->value + e->start[i], e->start[i + 1] - e->start[i], e->residual[i],
                         w + (e->row[i] - from) * RSP_LANES, xx, xy);
    }
}

/* Solved for the change against the full-sample estimate: the cross-products with its residuals are small, so the
 * digits lost in X'WX touch the change alone. */
static void solve_lane(size_t k, size_t lane, const double *xx, const double *xy, const double *full, double *matrix,
                       double *theta) {
    for (size_t j = 0; j < k; j++)
        for (size_t l = 0; l <= j; l++)
            matrix[j * k + l] = matrix[l * k + j] = xx[(j * (j + 1) / 2 + l) * RSP_LANES + lane];
    bool ok = rsp_invert_spd(matrix, k);
    for (size_t j = 0; j < k; j++) {
        theta[j] = ok ? full[j] : NAN;
        for (size_t l = 0; ok && l < k; l++) theta[j] += matrix[j * k + l] * xy[l * RSP_LANES + lane];
    }
}

void rsp_linear_replicates(const rsp_regression *f, const rsp_active *a, const rsp_replicates *r, const double *full,
                           double *theta) {
    size_t k = a->k, R = rsp_replicates_count(r), size = (k * (k + 1) / 2 + k) * RSP_LANES;
    struct entries e = entries_new(f, a, full);
#pragma omp parallel
    {
        double *sums = rsp_malloc((size + k * k + 1) * sizeof *sums), *xy = sums + k * (k + 1) / 2 * RSP_LANES;
#pragma omp for schedule(dynamic, 1)
        for (size_t first = 0; first < R; first += RSP_LANES) {
            rsp_lanes *lanes = rsp_lanes_new(r, first);
            memset(sums, 0, size * sizeof *sums);
            sum_products(&e, lanes, f->s->n, sums, xy);
            for (size_t lane = 0; lane < RSP_LANES && first + lane < R; lane++)
                solve_lane(k, lane, sums, xy, full, sums + size, theta + (first + lane) * k);
            rsp_lanes_free(lanes);
        }
        free(sums);
    }
    entries_free(&e);
}
