/* A linear regression in every replicate. Cross-products are added up for RSP_LANES replicates side by side: of columns that
 * are mostly not zero by rsp_lane_add, of the others (dummies mostly) entry by entry. Each replicate's sums run over the
 * rows in order, so they do not depend on threads. */
#include "base/ranks.h"
#include "base/vector.h"
#include "model/lanes.h"
#include "model/regression.h"
#include "model/solve.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { TOGETHER = 2 }; /* lanes of replicates that share a row's products */

/* The model's columns, dense ones first (the residuals of the full sample stand last among them), then the sparse. */
struct entries {
    size_t n, k, dense, sparse;
    const size_t *row; /* [n] in the frame */
    size_t *place;     /* [k] of a column in this order */
    double *x;         /* [n * dense] by row */
    size_t *start;     /* [n + 1] of a row's sparse entries */
    uint32_t *column;  /* from 0 among the sparse */
    double *value;
};

/* Half of the rows and a column is dense: then products that are not used cost less than finding those that are. */
static void place_columns(struct entries *e, const rsp_active *a) {
    size_t *filled = rsp_calloc(e->k + 1, sizeof *filled);
#pragma omp parallel for schedule(dynamic, 1) num_threads(rsp_threads()) if (e->n > RSP_BLOCK)
    for (size_t j = 0; j < e->k; j++) {
        size_t n = 0;
        for (size_t i = 0; i < e->n; i++) n += a->x[j][i] != 0;
        filled[j] = n;
    }
    for (size_t j = 0; j < e->k; j++) e->place[j] = 2 * filled[j] >= e->n ? e->dense++ : RSP_NONE;
    e->dense++; /* residuals */
    for (size_t j = 0; j < e->k; j++)
        if (e->place[j] == RSP_NONE) e->place[j] = e->dense + e->sparse++;
    free(filled);
}

/* A row's dense values and the entries of its sparse columns. */
static void fill_row(struct entries *e, const rsp_regression *f, const rsp_active *a, const double *beta, size_t i) {
    double *x = e->x + i * e->dense, residual = f->m->y[i];
    size_t at = e->start[i];
    for (size_t j = 0; j < e->k; j++) {
        double v = a->x[j][i];
        residual -= beta[j] * v;
        if (e->place[j] < e->dense) {
            x[e->place[j]] = v;
        } else if (v != 0) {
            e->column[at] = (uint32_t) (e->place[j] - e->dense);
            e->value[at++] = v;
        }
    }
    x[e->dense - 1] = residual;
}

static void count_sparse(struct entries *e, const rsp_active *a) {
#pragma omp parallel for schedule(static) num_threads(rsp_threads()) if (e->n > RSP_BLOCK)
    for (size_t i = 0; i < e->n; i++) {
        e->start[i + 1] = 0;
        for (size_t j = 0; j < e->k; j++) e->start[i + 1] += e->place[j] >= e->dense && a->x[j][i] != 0;
    }
    e->start[0] = 0;
    for (size_t i = 0; i < e->n; i++) e->start[i + 1] += e->start[i];
}

static struct entries entries_new(const rsp_regression *f, const rsp_active *a, const double *beta) {
    struct entries e = {.n = f->m->n, .k = a->k, .row = f->m->row};
    e.place = rsp_malloc((e.k + 1) * sizeof *e.place);
    place_columns(&e, a);
    e.x = rsp_malloc((e.n * e.dense + 1) * sizeof *e.x);
    e.start = rsp_malloc((e.n + 1) * sizeof *e.start);
    count_sparse(&e, a);
    e.column = rsp_malloc((e.start[e.n] + 1) * sizeof *e.column);
    e.value = rsp_malloc((e.start[e.n] + 1) * sizeof *e.value);
#pragma omp parallel for schedule(static) num_threads(rsp_threads()) if (e.n > RSP_BLOCK)
    for (size_t i = 0; i < e.n; i++) fill_row(&e, f, a, beta, i);
    return e;
}

static void entries_free(struct entries *e) {
    free(e->place), free(e->x), free(e->start), free(e->column), free(e->value);
}

/* ---- sums, each with its lanes ---------------------------------------------------------------------------------- */

/* Dense with dense (the triangle of rsp_lane_add), sparse with dense, the triangle of sparse with sparse. */
static size_t size_of_sums(const struct entries *e) {
    return rsp_lane_products(e->dense) + e->sparse * e->dense + e->sparse * (e->sparse + 1) / 2;
}

static size_t place_of_sum(const struct entries *e, size_t a, size_t b) {
    if (a < b) return place_of_sum(e, b, a);
    if (a < e->dense) return a * (a + 1) / 2 + b;
    size_t from = rsp_lane_products(e->dense), s = a - e->dense;
    if (b < e->dense) return from + s * e->dense + b;
    return from + e->sparse * e->dense + s * (s + 1) / 2 + b - e->dense;
}

/* Adds a row's sparse entries. */
RSP_WIDE
static void add_sparse(const struct entries *e, size_t i, const double *restrict w, double *restrict sums) {
    const double *x = e->x + i * e->dense;
    double *mixed = sums + rsp_lane_products(e->dense) * RSP_LANES, *own = mixed + e->sparse * e->dense * RSP_LANES;
    double wx[RSP_LANES];
    for (size_t a = e->start[i]; a < e->start[i + 1]; a++) {
        size_t j = e->column[a];
        double *restrict to = mixed + j * e->dense * RSP_LANES;
        for (size_t lane = 0; lane < RSP_LANES; lane++) wx[lane] = w[lane] * e->value[a];
        for (size_t l = 0; l < e->dense; l++, to += RSP_LANES)
            for (size_t lane = 0; lane < RSP_LANES; lane++) to[lane] += wx[lane] * x[l];
        for (size_t b = e->start[i]; b <= a; b++) {
            to = own + (j * (j + 1) / 2 + e->column[b]) * RSP_LANES;
            for (size_t lane = 0; lane < RSP_LANES; lane++) to[lane] += wx[lane] * e->value[b];
        }
    }
}

/* Moves the weights of the model's rows i .. i+n to the front; the block's first row in the frame is `from`. */
static void keep_weights(const struct entries *e, size_t i, size_t n, size_t from, double *w) {
    for (size_t k = 0; k < n; k++) {
        size_t at = e->row[i + k] - from;
        if (at != k) memcpy(w + k * RSP_LANES, w + at * RSP_LANES, RSP_LANES * sizeof *w);
    }
}

static void sum_products(const struct entries *e, rsp_lanes *const *lanes, size_t n_lanes, double *products,
                         double *const *sums) {
    double w[RSP_LANE_ROWS * RSP_LANES];
    size_t size = rsp_lane_products(e->dense), n;
    for (size_t i = 0; i < e->n; i += n) {
        size_t from = e->row[i], to;
        for (n = 1; i + n < e->n && e->row[i + n] < from + RSP_LANE_ROWS;) n++;
        to = e->row[i + n - 1] + 1;
        rsp_lane_multiply(e->x + i * e->dense, n, e->dense, products);
        for (size_t g = 0; g < n_lanes; g++) {
            rsp_lanes_weights(lanes[g], from, to, w);
            keep_weights(e, i, n, from, w);
            rsp_lane_add(products, n, size, w, sums[g]);
            for (size_t k = 0; k < n; k++) add_sparse(e, i + k, w + k * RSP_LANES, sums[g]);
        }
    }
}

/* Solved for the change against the full-sample estimate: the cross-products with its residuals are small, so the
 * digits lost in X'WX touch the change alone. */
static void solve_lane(const struct entries *e, const double *sums, const double *full, double *matrix, double *theta) {
    size_t k = e->k;
    for (size_t j = 0; j < k; j++)
        for (size_t l = 0; l <= j; l++)
            matrix[j * k + l] = matrix[l * k + j] = sums[place_of_sum(e, e->place[j], e->place[l]) * RSP_LANES];
    bool ok = rsp_invert_spd(matrix, k);
    for (size_t j = 0; j < k; j++) {
        theta[j] = ok ? full[j] : NAN;
        for (size_t l = 0; ok && l < k; l++)
            theta[j] += matrix[j * k + l] * sums[place_of_sum(e, e->place[l], e->dense - 1) * RSP_LANES];
    }
}

void rsp_linear_replicates(const rsp_regression *f, const rsp_active *a, const rsp_replicates *r, const double *full,
                           double *theta) {
    size_t k = a->k;
    rsp_part part = rsp_ranks_part(rsp_replicates_count(r), TOGETHER * RSP_LANES);
    struct entries e = entries_new(f, a, full);
    size_t size = size_of_sums(&e) * RSP_LANES;
#pragma omp parallel num_threads(rsp_threads())
    {
        double *room = rsp_malloc((TOGETHER * size + RSP_LANE_ROWS * rsp_lane_products(e.dense)) * sizeof *room),
               *products = room + TOGETHER * size, *matrix = rsp_malloc((k * k + 1) * sizeof *matrix);
        double *sums[TOGETHER];
        for (size_t g = 0; g < TOGETHER; g++) sums[g] = room + g * size;
#pragma omp for schedule(dynamic, 1)
        for (size_t first = part.from; first < part.to; first += TOGETHER * RSP_LANES) {
            rsp_lanes *lanes[TOGETHER] = {NULL};
            size_t n_lanes = 0;
            for (size_t at = first; n_lanes < TOGETHER && at < part.to; at += RSP_LANES)
                lanes[n_lanes++] = rsp_lanes_new(r, at);
            memset(room, 0, TOGETHER * size * sizeof *room);
            sum_products(&e, lanes, n_lanes, products, sums);
            for (size_t at = first; at < part.to && at < first + TOGETHER * RSP_LANES; at++)
                solve_lane(&e, sums[(at - first) / RSP_LANES] + (at - first) % RSP_LANES, full, matrix, theta + at * k);
            for (size_t g = 0; g < n_lanes; g++) rsp_lanes_free(lanes[g]);
        }
        free(room);
        free(matrix);
    }
    rsp_ranks_gather(&part, theta, k * sizeof *theta);
    entries_free(&e);
}
