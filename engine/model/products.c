#include "model/products.h"

#include "base/vector.h"
#include "model/lanes.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* MOST_PARTS: rows are cut into as many as their number says, whatever the threads. */
enum { LANES = RSP_LANES, ROWS_AT_ONCE = 256, MOST_PARTS = 16 };
/* A column of which rounding alone is left; of which others leave so small a share that it has no effect of its own. */
static const double NOTHING = 1e-18, DETERMINED = 1e-10;

/* ---- columns ---------------------------------------------------------------------------------------------------- */

/* Mean of a column of n numbers; the sum of squares in c->size. */
static double describe_column(rsp_columns *c, size_t j, const double *from) {
    double sum = 0, size = 0;
    for (size_t i = 0; i < c->n; i++) sum += from[i], size += from[i] * from[i];
    c->size[j] = size;
    return c->n ? sum / (double) c->n : 0;
}

/* Rows from .. to, so few that what is written to stays in the first cache. */
static void fill_rows(rsp_columns *c, size_t from, size_t to, const double *const *columns, const double *mean) {
    for (size_t i = from; i < to; i++) c->x[i * c->p] = 1;
    for (size_t j = 1; j < c->p; j++)
        for (size_t i = from; i < to; i++) c->x[i * c->p + j] = columns[j - 1][i] - mean[j];
}

rsp_columns *rsp_columns_new(rsp_arena *a, size_t n, const size_t *row, size_t n_groups, const int32_t *group, size_t k,
                             size_t f, const double *const *columns) {
    rsp_columns *c = RSP_NEW(a, rsp_columns);
    *c = (rsp_columns){.n = n, .n_groups = n_groups, .k = k, .f = f, .p = k + f + 2, .row = row, .group = group};
    c->x = RSP_ARRAY_UNSET(a, double, n * c->p + 1);
    c->size = RSP_ARRAY(a, double, c->p);
    double *mean = RSP_ARRAY(a, double, c->p);
#pragma omp parallel for schedule(dynamic, 1) num_threads(rsp_threads()) if (n > RSP_BLOCK)
    for (size_t j = 1; j < c->p; j++) mean[j] = describe_column(c, j, columns[j - 1]);
#pragma omp parallel for schedule(static) num_threads(rsp_threads()) if (n > RSP_BLOCK)
    for (size_t i = 0; i < n; i += ROWS_AT_ONCE)
        fill_rows(c, i, i + ROWS_AT_ONCE < n ? i + ROWS_AT_ONCE : n, columns, mean);
    return c;
}

/* ---- sums of products ------------------------------------------------------------------------------------------- */

static void products_of_rows(const rsp_columns *c, const double *w, size_t from, size_t to, double *sums) {
    size_t p = c->p, triangle = p * (p + 1) / 2;
    for (size_t i = from; i < to; i++) {
        const double *x = c->x + i * p;
        double *into = sums + (size_t) c->group[i] * triangle;
        for (size_t a = 0; a < p; a++)
            for (size_t b = 0; b <= a; b++) *into++ += w[i] * (x[a] * x[b]);
    }
}

void rsp_products(const rsp_columns *c, const double *w, double *sums) {
    size_t n = c->n, size = rsp_products_size(c), parts = n / RSP_BLOCK + 1;
    if (parts > MOST_PARTS) parts = MOST_PARTS;
    double *part = rsp_calloc((parts - 1) * size + 1, sizeof *part); /* the first part's are sums */
    memset(sums, 0, size * sizeof *sums);
#pragma omp parallel for schedule(dynamic, 1) num_threads(rsp_threads()) if (parts > 1)
    for (size_t k = 0; k < parts; k++)
        products_of_rows(c, w, n * k / parts, n * (k + 1) / parts, k ? part + (k - 1) * size : sums);
    for (size_t k = 1; k < parts; k++)
        for (size_t j = 0; j < size; j++) sums[j] += part[(k - 1) * size + j];
    free(part);
}

/* Neighbouring rows from i on, of one group, whose weights are at hand for rows of the sample up to `to`. */
static size_t rows_alike(const rsp_columns *c, size_t i, size_t to) {
    size_t n = 1;
    while (n < RSP_LANE_ROWS && i + n < c->n && c->group[i + n] == c->group[i] && c->row[i + n] < to &&
           c->row[i + n] == c->row[i] + n)
        n++;
    return n;
}

/* sums: by group as rsp_lane_add leaves them. */
static void products_of_lanes(const rsp_columns *c, const rsp_lanes *lanes, double *w, double *products, double *sums) {
    size_t size = rsp_lane_products(c->p);
    for (size_t i = 0; i < c->n;) {
        size_t from = c->row[i], to = from + ROWS_AT_ONCE, last = c->row[c->n - 1] + 1;
        if (to > last) to = last;
        rsp_lanes_weights(lanes, from, to, w);
        for (size_t n; i < c->n && c->row[i] < to; i += n) {
            n = rows_alike(c, i, to);
            rsp_lane_multiply(c->x + i * c->p, n, c->p, products);
            rsp_lane_add(products, n, size, w + (c->row[i] - from) * LANES, sums + (size_t) c->group[i] * size * LANES);
        }
    }
}

void rsp_products_replicates(const rsp_columns *c, const rsp_replicates *r, rsp_products_use each, void *context) {
    size_t n = rsp_replicates_count(r), chunks = (n + LANES - 1) / LANES, triangle = c->p * (c->p + 1) / 2;
    size_t size = rsp_lane_products(c->p);
#pragma omp parallel for schedule(dynamic, 1) num_threads(rsp_threads())
    for (size_t chunk = 0; chunk < chunks; chunk++) {
        size_t first = chunk * LANES, n_lanes = n - first < LANES ? n - first : LANES;
        double *sums = rsp_calloc(c->n_groups * size * LANES + 1, sizeof *sums),
               *one = rsp_malloc((rsp_products_size(c) + 1) * sizeof *one);
        double *w = rsp_malloc((size_t) ROWS_AT_ONCE * LANES * sizeof *w),
               *products = rsp_malloc(RSP_LANE_ROWS * size * sizeof *products);
        rsp_lanes *lanes = rsp_lanes_new(r, first);
        products_of_lanes(c, lanes, w, products, sums);
        for (size_t lane = 0; lane < n_lanes; lane++) {
            for (size_t g = 0; g < c->n_groups; g++)
                for (size_t s = 0; s < triangle; s++) one[g * triangle + s] = sums[(g * size + s) * LANES + lane];
            each(context, first + lane, one);
        }
        rsp_lanes_free(lanes);
        free(sums), free(one), free(w), free(products);
    }
}

/* ---- what groups and controls leave ----------------------------------------------------------------------------- */

rsp_partial rsp_partial_new(rsp_arena *a, const rsp_columns *c) {
    size_t m = c->f + 1, q = c->k + m;
    return (rsp_partial){.f = c->f,
                         .g = RSP_ARRAY(a, double, m *m),
                         .within = RSP_ARRAY(a, double, m),
                         .gamma = RSP_ARRAY(a, double, (c->k + 1) * m),
                         .work = RSP_ARRAY(a, double, q *q + q)};
}

static double at(const double *triangle, size_t i, size_t j) {
    return i >= j ? triangle[i * (i + 1) / 2 + j] : triangle[j * (j + 1) / 2 + i];
}

/* s [q*q]: sums of products within groups of all columns but the constant. */
static void within_groups(const rsp_columns *c, const double *sums, const uint8_t *skip, double *s, double *total) {
    size_t q = c->p - 1, triangle = c->p * (c->p + 1) / 2;
    double w = 0, y = 0, yy = 0;
    memset(s, 0, q * q * sizeof *s);
    for (size_t g = 0; g < c->n_groups; g++) {
        const double *t = sums + g * triangle;
        if ((skip && skip[g]) || t[0] == 0) continue;
        for (size_t i = 0; i < q; i++)
            for (size_t j = 0; j <= i; j++)
                s[i * q + j] += at(t, i + 1, j + 1) - at(t, i + 1, 0) * at(t, j + 1, 0) / t[0];
        w += t[0], y += at(t, q, 0), yy += at(t, q, q);
    }
    for (size_t i = 0; i < q; i++) {
        if (!(fabs(s[i * q + i]) > NOTHING * c->size[i + 1]) && !isnan(s[i * q + i]))
            for (size_t j = 0; j < q; j++) *(j <= i ? &s[i * q + j] : &s[j * q + i]) = 0;
        for (size_t j = 0; j < i; j++) s[j * q + i] = s[i * q + j];
    }
    *total = w != 0 ? yy - y * y / w : 0;
}

/* Gauss and Jordan's sweep of row k (Goodnight 1979): the others' products without what column k explains, and their
 * regression on it. */
static void sweep(double *s, size_t q, size_t k) {
    double d = s[k * q + k];
    for (size_t i = 0; i < q; i++) {
        if (i == k) continue;
        double by = s[i * q + k] / d;
        for (size_t j = 0; j < q; j++)
            if (j != k) s[i * q + j] -= by * s[k * q + j];
        s[i * q + k] = -by;
    }
    for (size_t j = 0; j < q; j++)
        if (j != k) s[k * q + j] /= d;
    s[k * q + k] = 1 / d;
}

void rsp_partial_of(const rsp_columns *c, const double *sums, const uint8_t *skip, rsp_partial *into) {
    size_t q = c->p - 1, k = c->k, m = c->f + 1;
    double *s = into->work, *whole = s + q * q;
    within_groups(c, sums, skip, s, &into->total);
    for (size_t i = 0; i < q; i++) whole[i] = s[i * q + i];
    for (size_t j = 0; j < m; j++) into->within[j] = whole[k + j];
    memset(into->gamma, 0, (k + 1) * m * sizeof *into->gamma);
    uint8_t *held = rsp_calloc(k + 1, 1);
    for (size_t i = 0; i < k; i++) {
        held[i] = s[i * q + i] > DETERMINED * whole[i];
        if (held[i]) sweep(s, q, i);
    }
    for (size_t i = 0; i < k; i++)
        for (size_t j = 0; held[i] && j < m; j++) into->gamma[i * m + j] = s[i * q + k + j];
    for (size_t i = 0; i < m; i++)
        for (size_t j = 0; j < m; j++) {
            double left = s[(k + i) * q + k + j];
            bool none = !(s[(k + i) * q + k + i] > DETERMINED * whole[k + i]) ||
                        !(s[(k + j) * q + k + j] > DETERMINED * whole[k + j]);
            into->g[i * m + j] = none && !isnan(left) ? 0 : left;
        }
    free(held);
}

void rsp_partial_coefficients(const rsp_partial *p, double *b) {
    size_t f = p->f, m = f + 1;
    double *s = rsp_malloc(m * m * sizeof *s);
    memcpy(s, p->g, m * m * sizeof *s);
    for (size_t j = 0; j < f; j++) {
        bool own = s[j * m + j] > DETERMINED * p->g[j * m + j];
        b[j] = own ? 0 : NAN;
        if (own) sweep(s, m, j);
    }
    for (size_t j = 0; j < f; j++)
        if (!isnan(b[j])) b[j] = s[j * m + f];
    free(s);
}

void rsp_partial_residuals(const rsp_columns *c, const double *sums, const rsp_partial *p, double *residuals) {
    size_t k = c->k, m = c->f + 1, triangle = c->p * (c->p + 1) / 2;
    for (size_t i = 0; i < c->n; i++) {
        const double *x = c->x + i * c->p + 1, *t = sums + (size_t) c->group[i] * triangle;
        for (size_t j = 0; j < m; j++) {
            double left = x[k + j] - at(t, k + j + 1, 0) / t[0];
            for (size_t l = 0; l < k; l++) left -= p->gamma[l * m + j] * (x[l] - at(t, l + 1, 0) / t[0]);
            residuals[i * m + j] = left;
        }
    }
}

/* ---- shares ----------------------------------------------------------------------------------------------------- */

/* Problems side by side, each in a lane of one of the widest registers; at any place of memory. */
enum { SIDE = RSP_SHARE_LANES };
typedef double lanes __attribute__((vector_size(SIDE * sizeof(double)), aligned(8), may_alias));
typedef int64_t mask __attribute__((vector_size(SIDE * sizeof(int64_t)), aligned(8), may_alias));

/* All subsets of the factors, a set being reached from the one without its last factor. `gain` is what a set of s factors
 * counts with for those who are in it, `loss` for those who are not. */
struct lattice {
    size_t f;
    double *gain, *loss; /* [f+1] */
    lanes *own;          /* [f] sums of squares of the factors alone */
    lanes *in, all;      /* [f] sums of gain over the sets with a factor; of loss over all sets */
    lanes *room;         /* [f][(f+1)^2], one matrix for each depth */
};

/* What g [m*m, its lower triangle] leaves of those behind factor j when it is let in: child [n*n], n = m - j - 1. A factor
 * that those before it determine takes nothing. */
RSP_WIDE
static void let_in(const lanes *g, size_t m, size_t j, const lanes *own, lanes *child) {
    size_t n = m - j - 1;
    const lanes d = g[j * m + j], least = DETERMINED * *own, one = 1 - (lanes){0};
    const mask known = d > least;
    const lanes by = (lanes) ((mask) (one / d) & known);
    for (size_t a = 0; a < n; a++) {
        const lanes *from = g + (j + 1 + a) * m, times = from[j] * by;
        for (size_t b = 0; b <= a; b++) child[a * n + b] = from[j + 1 + b] - times * g[(j + 1 + b) * m + j];
    }
}

/* The set of `size` factors explains `explained`; g [m*m] is what it leaves of the factors from `first` on and, last, of
 * the outcome. Each factor of these is let in in turn. Adds the gains of all sets that this leads to. */
static void visit(struct lattice *x, const lanes *g, size_t first, size_t size, const lanes *explained, lanes *gains) {
    size_t m = x->f - first + 1;
    for (size_t j = 0; j + 1 < m; j++) {
        size_t n = m - j - 1;
        lanes *child = x->room + (first + j) * (x->f + 1) * (x->f + 1);
        let_in(g, m, j, &x->own[first + j], child);
        lanes with = *explained + (g[m * m - 1] - child[n * n - 1]), sum = x->gain[size + 1] * with;
        x->all += x->loss[size + 1] * with;
        visit(x, child, first + j + 1, size + 1, &with, &sum);
        x->in[first + j] += sum;
        *gains += sum;
    }
}

/* Of the orders of f factors, those that let a given set of s others in first are s! (f-s-1)! / f!: a factor's share is the
 * sum over sets without it of this weight times what it adds to them. Each set's part of all these sums is taken once. */
void rsp_partial_shares(size_t f, const double *g, double *explained) {
    size_t m = f + 1;
    double *room = rsp_calloc(2 * m + ((f + 2) * m * m) * SIDE, sizeof *room);
    struct lattice x = {.f = f, .gain = room, .loss = room + m, .own = (lanes *) (room + 2 * m)};
    x.in = x.own + f;
    x.room = x.in + f;
    lanes none = {0}, gains = {0};
    for (size_t j = 0; j < f; j++) x.own[j] = ((const lanes *) g)[j * m + j];
    for (size_t s = 0; s < f; s++) {
        x.loss[s] = 1 / (double) f;
        for (size_t k = 1; k <= s; k++) x.loss[s] *= (double) k / (double) (f - k);
    }
    for (size_t s = 1; s <= f; s++) x.gain[s] = x.loss[s - 1] + x.loss[s];
    visit(&x, (const lanes *) g, 0, 0, &none, &gains);
    for (size_t j = 0; j < f; j++) /* nothing is left of some factors: 0, not what rounding makes of it */
        ((lanes *) explained)[j] = (lanes) ((mask) (x.in[j] - x.all) & (x.own[j] != 0));
    free(room);
}
