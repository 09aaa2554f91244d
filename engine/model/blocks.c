/* Profiled deviance of a mixed model by blocks.
 *
 * The grouping variable with the most columns is eliminated first: its part of L'Z'Z L + I consists of small blocks,
 * one a group, each touching only the groups of other variables that it meets. What is left is dense and small (the
 * way of Bates's MixedModels.jl). Rows are read once, for cross-products; an evaluation costs groups, not rows. */
#include "base/vector.h"
#include "model/mixed.h"
#include "model/solve.h"
#include "weight/number.h"

#include <cblas.h>
#include <lapacke.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_REST = 4000, MOST_THETA = 45 };

/* Rows are cut into parts, and groups into chunks, by their number alone. Parts of the dense products together hold at
 * most MOST_SUMS numbers: with many crossed groups an evaluation costs far more than they do. */
enum { MOST_PARTS = 16, MOST_CHUNKS = 64, BLOCK_ROWS = 256, MOST_SUMS = 4000000 };

/* Cross-products. `rest`: columns of the other grouping variables, then X, then y. */
struct cross {
    size_t rest_z, rest;
    double *first;    /* [levels][d*d] of the first variable with itself */
    size_t *start;    /* [levels + 1] entries of a group in column and value */
    uint32_t *column; /* columns of other grouping variables that it meets */
    double *value;    /* [entries][d] */
    double *fixed;    /* [levels][d][p + 1] of the first variable with X and y */
    double *dense;    /* [rest*rest] of the rest with itself, upper triangle by row */
    /* Groups of one random effect that are alike in `first` differ in nothing that theta touches: their products with
     * the rest are added up once. n_kinds 0: groups are taken one by one. */
    size_t n_kinds, *kind_size;
    double *kind_first, *kind; /* [n_kinds], [n_kinds][rest*rest] upper triangles by row */
};

/* ---- random effects --------------------------------------------------------------------------------------------- */

static bool same_groups(const rsp_mrandom *a, const rsp_mrandom *b) {
    return a->n_groups == b->n_groups && strcmp(a->name, b->name) == 0;
}

/* Parts with the same groups become one variable whose triangle holds a block for each part. */
static bool collect(rsp_mixed *x, const rsp_mmatrix *m, const char **why) {
    x->groups = RSP_ARRAY(x->arena, rsp_mgroup, m->n_random + 1);
    for (size_t k = 0; k < m->n_random; k++) {
        const rsp_mrandom *r = &m->random[k];
        size_t first = 0;
        if (r->n_groups < 2 || r->n_groups * r->d >= m->n) {
            *why = rsp_printf(x->arena,
                              r->n_groups < 2 ? "'%s' has a single group"
                                              : "'%s' has as many random effects as there are rows",
                              r->name);
            return false;
        }
        while (!same_groups(&m->random[first], r)) first++;
        size_t g = 0;
        while (g < x->n_groups && x->groups[g].level != m->random[first].group) g++;
        rsp_mgroup *to = &x->groups[g];
        if (g == x->n_groups) *to = (rsp_mgroup){.n_levels = r->n_groups, .level = r->group}, x->n_groups++;
        if (!to->part)
            to->part = RSP_ARRAY(x->arena, uint8_t, RSP_MOST_EFFECTS),
            to->effect = RSP_ARRAY(x->arena, uint8_t, RSP_MOST_EFFECTS);
        for (size_t j = 0; j < r->d; j++) {
            if (to->d == RSP_MOST_EFFECTS || k > 255) {
                *why = "it has too many random effects";
                return false;
            }
            to->part[to->d] = (uint8_t) k;
            to->effect[to->d++] = (uint8_t) j;
        }
    }
    return true;
}

/* Lower triangle of part's cross-products, inverted: columns times its transpose are orthonormal. */
static bool rotate_part(rsp_mgroup *g, const rsp_mmatrix *m, size_t from, size_t d, bool correlated) {
    double *c = rsp_calloc(d * d, sizeof *c);
    for (size_t i = 0; i < d; i++)
        for (size_t j = 0; j <= i; j++) {
            if (!correlated && i != j) continue;
            const double *a = m->random[g->part[from]].columns[g->effect[from + i]].x,
                         *b = m->random[g->part[from]].columns[g->effect[from + j]].x;
            c[i * d + j] = c[j * d + i] = rsp_sum_of_products(m->n, NULL, a, b) / (double) m->n;
        }
    bool ok = rsp_invert_spd(c, d); /* back back' is the inverse: any root of it serves */
    ok = ok && LAPACKE_dpotrf(LAPACK_COL_MAJOR, 'U', (lapack_int) d, c, (lapack_int) d) == 0;
    for (size_t i = 0; ok && i < d; i++)
        for (size_t j = 0; j <= i; j++) g->back[(from + i) * g->d + from + j] = c[i * d + j];
    free(c);
    return ok;
}

static size_t part_length(const rsp_mgroup *g, size_t from) {
    size_t to = from + 1;
    while (to < g->d && g->part[to] == g->part[from]) to++;
    return to - from;
}

static void add_free(rsp_mgroup *g, size_t row, size_t column) {
    g->row[g->n_theta] = (uint8_t) row;
    g->column[g->n_theta++] = (uint8_t) column;
}

static bool prepare_group(rsp_mixed *x, rsp_mgroup *g, const rsp_mmatrix *m, const char **why) {
    g->back = RSP_ARRAY(x->arena, double, g->d * g->d);
    g->row = RSP_ARRAY(x->arena, uint8_t, g->d * g->d);
    g->column = RSP_ARRAY(x->arena, uint8_t, g->d * g->d);
    g->z = RSP_ARRAY_UNSET(x->arena, double, m->n * g->d);
    g->theta = x->n_theta;
    for (size_t from = 0; from < g->d; from += part_length(g, from)) {
        size_t d = part_length(g, from);
        const rsp_mrandom *r = &m->random[g->part[from]];
        if (!rotate_part(g, m, from, d, r->correlated)) {
            *why = rsp_printf(x->arena, "random effects by '%s' depend on each other", r->name);
            return false;
        }
        for (size_t j = 0; j < d; j++)
            for (size_t i = j; i < (r->correlated ? d : j + 1); i++) add_free(g, from + i, from + j);
#pragma omp parallel for schedule(static) num_threads(rsp_threads()) if (m->n > RSP_BLOCK)
        for (size_t i = 0; i < m->n; i++)
            for (size_t j = 0; j < d; j++) {
                double z = 0;
                for (size_t l = j; l < d; l++)
                    z += r->columns[g->effect[from + l]].x[i] * g->back[(from + l) * g->d + from + j];
                g->z[i * g->d + from + j] = z;
            }
    }
    x->n_theta += g->n_theta;
    return true;
}

bool rsp_mixed_effects(rsp_mixed *x, const rsp_mmatrix *m, const char **why) {
    if (!collect(x, m, why)) return false;
    size_t largest = 0;
    for (size_t g = 1; g < x->n_groups; g++)
        if (x->groups[g].n_levels * x->groups[g].d > x->groups[largest].n_levels * x->groups[largest].d) largest = g;
    rsp_mgroup swap = x->groups[0];
    x->groups[0] = x->groups[largest];
    x->groups[largest] = swap;
    size_t offset = 0;
    for (size_t g = 0; g < x->n_groups; g++) {
        if (!prepare_group(x, &x->groups[g], m, why)) return false;
        if (x->n_theta > MOST_THETA) {
            *why = rsp_printf(
                x->arena, "it has too many variances and covariances (at most %d): take slopes out, or write || for |",
                MOST_THETA);
            return false;
        }
        x->groups[g].offset = offset;
        if (g) offset += x->groups[g].n_levels * x->groups[g].d;
        x->q += x->groups[g].n_levels * x->groups[g].d;
    }
    if (offset > MOST_REST) {
        *why = rsp_printf(
            x->arena, "its crossed groups are too many (%zu random effects beside the largest grouping; at most %d)",
            offset, MOST_REST);
        return false;
    }
    return true;
}

/* ---- fixed effects ---------------------------------------------------------------------------------------------- */

/* Rows from .. of x->x and x->y, a block of them or the `left` last, of the columns c. */
static void fill_rows(rsp_mixed *x, const double *const *c, const double *y, size_t from, size_t left) {
    size_t p = x->p, rows = left < BLOCK_ROWS ? left : BLOCK_ROWS;
    double *to = x->x + from * p;
    for (size_t i = 0; i < rows; i++)
        for (size_t l = 0; l < p; l++) to[i * p + l] = c[l][from + i];
    for (size_t i = 0; i < rows; i++) {
        double rest = y[from + i];
        for (size_t l = 0; l < p; l++) rest -= to[i * p + l] * x->shift[l];
        x->y[from + i] = rest / x->unit;
    }
    if (p)
        cblas_dtrmm(CblasRowMajor, CblasRight, CblasLower, CblasNoTrans, CblasNonUnit, (int) rows, (int) p, 1, x->basis,
                    (int) p, to, (int) p);
}

static bool fixed_effects(rsp_mixed *x, const rsp_mmatrix *m, const size_t *columns, const rsp_least_squares *ls,
                          const char **why) {
    size_t n = m->n, p = x->p;
    const double **c = RSP_ARRAY(x->arena, const double *, p + 1);
    x->shift = RSP_ARRAY(x->arena, double, p + 1);
    x->basis = RSP_ARRAY(x->arena, double, p *p + 1);
    for (size_t j = 0; j < p; j++) {
        c[j] = m->columns[columns[j]].x;
        x->shift[j] = ls->beta[columns[j]];
        for (size_t l = 0; l < p; l++) x->basis[j * p + l] = ls->inverse[columns[j] * ls->k + columns[l]];
    }
    x->unit = sqrt(ls->rss / (double) n);
    double total = rsp_sum_of_products(n, NULL, m->y, m->y);
    if (!(ls->rss > 1e-20 * total) || n <= p + 1) {
        *why = "its outcome does not vary beyond the predictors";
        return false;
    }
    if (p && LAPACKE_dpotrf(LAPACK_COL_MAJOR, 'U', (lapack_int) p, x->basis, (lapack_int) p) != 0) {
        *why = "its predictors depend on each other";
        return false;
    }
    for (size_t j = 0; j < p; j++) {
        x->log_basis += 2 * log(x->basis[j * p + j]);
        for (size_t l = j + 1; l < p; l++) x->basis[j * p + l] = 0;
    }
    x->x = RSP_ARRAY_UNSET(x->arena, double, n *p + 1);
    x->y = RSP_ARRAY_UNSET(x->arena, double, n);
#pragma omp parallel for schedule(static) num_threads(rsp_threads()) if (n > RSP_BLOCK)
    for (size_t from = 0; from < n; from += BLOCK_ROWS) fill_rows(x, c, m->y, from, n - from);
    return true;
}

/* ---- cross-products --------------------------------------------------------------------------------------------- */

/* Entries of row i among the other grouping variables, ascending: columns and values. Returns how many. */
static size_t rest_of_row(const rsp_mixed *x, size_t i, uint32_t *column, double *value) {
    size_t n = 0;
    for (size_t g = 1; g < x->n_groups; g++) {
        const rsp_mgroup *b = &x->groups[g];
        for (size_t j = 0; j < b->d; j++) {
            column[n] = (uint32_t) (b->offset + (size_t) b->level[i] * b->d + j);
            value[n++] = b->z[i * b->d + j];
        }
    }
    return n;
}

static size_t most_entries(const rsp_mixed *x) {
    size_t n = 1;
    for (size_t g = 1; g < x->n_groups; g++) n += x->groups[g].d;
    return n;
}

/* Products of the rows from .. to, added to dense [rest*rest]. */
static void dense_part(const rsp_mixed *x, size_t from, size_t to, double *dense) {
    const struct cross *c = x->cross;
    size_t p = x->p, r = c->rest;
    uint32_t *column = rsp_malloc(most_entries(x) * sizeof *column);
    double *value = rsp_malloc(most_entries(x) * sizeof *value), *corner = dense + c->rest_z * r + c->rest_z;
    for (size_t i = from; i < to; i++) {
        size_t n = rest_of_row(x, i, column, value);
        for (size_t a = 0; a < n; a++) {
            double *row = dense + column[a] * r;
            for (size_t b = a; b < n; b++) row[column[b]] += value[a] * value[b];
            for (size_t j = 0; j < p; j++) row[c->rest_z + j] += value[a] * x->x[i * p + j];
            row[r - 1] += value[a] * x->y[i];
        }
        dense[r * r - 1] += x->y[i] * x->y[i];
    }
    for (size_t rows; p && from < to; from += rows) {
        rows = to - from < BLOCK_ROWS ? to - from : BLOCK_ROWS;
        const double *block = x->x + from * p;
        cblas_dsyrk(CblasRowMajor, CblasUpper, CblasTrans, (int) p, (int) rows, 1, block, (int) p, 1, corner, (int) r);
        cblas_dgemv(CblasRowMajor, CblasTrans, (int) rows, (int) p, 1, block, (int) p, x->y + from, 1, 1, corner + p,
                    (int) r);
    }
    free(column);
    free(value);
}

static void dense_products(const rsp_mixed *x) {
    struct cross *c = x->cross;
    size_t n = x->n, square = c->rest * c->rest, parts = n / RSP_BLOCK + 1;
    if (parts > MOST_PARTS) parts = MOST_PARTS;
    if (parts > MOST_SUMS / square + 1) parts = MOST_SUMS / square + 1;
    double *sums = rsp_calloc((parts - 1) * square + 1, sizeof *sums); /* the first part's are c->dense */
#pragma omp parallel for schedule(dynamic, 1) num_threads(rsp_threads()) if (parts > 1)
    for (size_t k = 0; k < parts; k++)
        dense_part(x, n * k / parts, n * (k + 1) / parts, k ? sums + (k - 1) * square : c->dense);
    for (size_t k = 1; k < parts; k++)
        for (size_t j = 0; j < square; j++) c->dense[j] += sums[(k - 1) * square + j];
    free(sums);
}

/* What neighbouring groups of the first variable meet; `start` of c counts from the chunk's first entry until chunks are
 * put together. */
struct chunk {
    size_t from, to; /* groups */
    size_t n, room, n_values, room_values;
    uint32_t *column;
    double *value;
};

/* place [rest]: room. begin and row: rows of each group. */
static void chunk_products(const rsp_mixed *x, const uint32_t *begin, const uint32_t *order, size_t *place,
                           struct chunk *k) {
    struct cross *c = x->cross;
    const rsp_mgroup *g = &x->groups[0];
    size_t d = g->d, p = x->p;
    uint32_t *column = rsp_malloc(most_entries(x) * sizeof *column);
    double *value = rsp_malloc(most_entries(x) * sizeof *value);
    for (size_t j = 0; j < c->rest_z; j++) place[j] = RSP_NONE;
    for (size_t l = k->from; l < k->to; l++) {
        c->start[l] = k->n;
        for (size_t r = begin[l]; r < begin[l + 1]; r++) {
            const double *z = g->z + order[r] * d;
            size_t n = rest_of_row(x, order[r], column, value);
            for (size_t a = 0; a < d; a++) {
                double *row = c->fixed + (l * d + a) * (p + 1);
                for (size_t b = 0; b < d; b++) c->first[(l * d + a) * d + b] += z[a] * z[b];
                for (size_t j = 0; j < p; j++) row[j] += z[a] * x->x[order[r] * p + j];
                row[p] += z[a] * x->y[order[r]];
            }
            for (size_t e = 0; e < n; e++) {
                size_t at = place[column[e]];
                if (at == RSP_NONE || at < c->start[l]) { /* first met in this group */
                    at = place[column[e]] = k->n;
                    RSP_PUSH(k->column, k->n, k->room, column[e]);
                    for (size_t a = 0; a < d; a++) RSP_PUSH(k->value, k->n_values, k->room_values, 0);
                }
                for (size_t a = 0; a < d; a++) k->value[at * d + a] += z[a] * value[e];
            }
        }
    }
    free(column);
    free(value);
}

static void join_chunks(rsp_mixed *x, struct chunk *chunks, size_t n) {
    struct cross *c = x->cross;
    size_t d = x->groups[0].d, all = 0, at = 0;
    for (size_t k = 0; k < n; k++) all += chunks[k].n;
    c->column = RSP_ARRAY(x->arena, uint32_t, all + 1);
    c->value = RSP_ARRAY(x->arena, double, all *d + 1);
    for (size_t k = 0; k < n; at += chunks[k].n, k++) {
        if (chunks[k].n) {
            memcpy(c->column + at, chunks[k].column, chunks[k].n * sizeof *c->column);
            memcpy(c->value + at * d, chunks[k].value, chunks[k].n * d * sizeof *c->value);
        }
        for (size_t l = chunks[k].from; l < chunks[k].to; l++) c->start[l] += at;
        free(chunks[k].column), free(chunks[k].value);
    }
    c->start[x->groups[0].n_levels] = all;
}

static void sparse_products(rsp_mixed *x) {
    const rsp_mgroup *g = &x->groups[0];
    size_t n = g->n_levels < MOST_CHUNKS ? g->n_levels : MOST_CHUNKS;
    uint32_t *begin = rsp_malloc((g->n_levels + 1) * sizeof *begin), *order = rsp_malloc(x->n * sizeof *order);
    struct chunk *chunks = rsp_calloc(n, sizeof *chunks);
    rsp_order_by(g->level, g->n_levels, x->n, order, begin);
#pragma omp parallel num_threads(rsp_threads()) if (x->n > RSP_BLOCK)
    {
        size_t *place = rsp_malloc((x->cross->rest_z + 1) * sizeof *place);
#pragma omp for schedule(dynamic, 1)
        for (size_t k = 0; k < n; k++) {
            chunks[k].from = g->n_levels * k / n;
            chunks[k].to = g->n_levels * (k + 1) / n;
            chunk_products(x, begin, order, place, &chunks[k]);
        }
        free(place);
    }
    join_chunks(x, chunks, n);
    free(begin), free(order), free(chunks);
}

/* Different values of `first` in the order of their first group; the groups of each, ascending, in order from start. */
static void find_kinds(rsp_mixed *x, uint32_t *order, uint32_t *start) {
    struct cross *c = x->cross;
    size_t levels = x->groups[0].n_levels;
    int32_t *kind = rsp_malloc(levels * sizeof *kind);
    c->n_kinds = rsp_number_doubles(c->first, levels, kind);
    c->kind_first = RSP_ARRAY(x->arena, double, c->n_kinds);
    c->kind_size = RSP_ARRAY(x->arena, size_t, c->n_kinds);
    for (size_t g = 0; g < levels; g++) c->kind_first[kind[g]] = c->first[g], c->kind_size[kind[g]]++;
    rsp_order_by(kind, c->n_kinds, levels, order, start);
    free(kind);
}

/* Adds the products of group g with the rest. */
static void add_to_kind(const rsp_mixed *x, size_t g, double *to) {
    const struct cross *c = x->cross;
    size_t w = x->p + 1;
    const double *fixed = c->fixed + g * w;
    for (size_t a = c->start[g]; a < c->start[g + 1]; a++) {
        double *row = to + c->column[a] * c->rest;
        for (size_t b = c->start[g]; b < c->start[g + 1]; b++)
            if (c->column[b] >= c->column[a]) row[c->column[b]] += c->value[a] * c->value[b];
        for (size_t j = 0; j < w; j++) row[c->rest_z + j] += c->value[a] * fixed[j];
    }
    for (size_t i = 0; i < w; i++)
        for (size_t j = i; j < w; j++) to[(c->rest_z + i) * c->rest + c->rest_z + j] += fixed[i] * fixed[j];
}

/* Many groups of few sizes, as organisations with a random intercept: an evaluation then costs sizes, not groups. */
static void make_kinds(rsp_mixed *x) {
    struct cross *c = x->cross;
    size_t levels = x->groups[0].n_levels, square = c->rest * c->rest;
    uint32_t *order = rsp_malloc(levels * sizeof *order), *start = rsp_malloc((levels + 1) * sizeof *start);
    find_kinds(x, order, start);
    if ((double) (c->n_kinds * square) > x->work) {
        c->n_kinds = 0;
    } else {
        x->work = (double) (c->n_kinds * square);
        c->kind = RSP_ARRAY(x->arena, double, c->n_kinds *square);
    }
#pragma omp parallel for schedule(dynamic, 1) num_threads(rsp_threads()) if (x->n > RSP_BLOCK)
    for (size_t k = 0; k < c->n_kinds; k++)
        for (size_t g = start[k]; g < start[k + 1]; g++) add_to_kind(x, order[g], c->kind + k * square);
    free(order), free(start);
}

/* Products of an evaluation that takes groups one by one. */
static double work_by_group(const rsp_mixed *x) {
    const struct cross *c = x->cross;
    double d = (double) x->groups[0].d, sum = 0;
    for (size_t g = 0; g < x->groups[0].n_levels; g++) {
        double touched = (double) (c->start[g + 1] - c->start[g] + x->p + 1);
        sum += d * touched * touched;
    }
    return sum;
}

static void cross_products(rsp_mixed *x) {
    struct cross *c = x->cross = RSP_NEW(x->arena, struct cross);
    const rsp_mgroup *g = &x->groups[0];
    c->rest_z = x->q - g->n_levels * g->d;
    c->rest = c->rest_z + x->p + 1;
    c->first = RSP_ARRAY(x->arena, double, g->n_levels * g->d * g->d);
    c->start = RSP_ARRAY(x->arena, size_t, g->n_levels + 1);
    c->fixed = RSP_ARRAY(x->arena, double, g->n_levels * g->d * (x->p + 1));
    c->dense = RSP_ARRAY(x->arena, double, c->rest * c->rest);
    dense_products(x);
    sparse_products(x);
    x->work = work_by_group(x);
    if (g->d == 1) make_kinds(x);
    x->work_rest = (double) (c->rest * c->rest * c->rest) / 3;
}

rsp_mixed *rsp_mixed_new(const rsp_mmatrix *m, size_t p, const size_t *columns, const rsp_least_squares *ls, bool ml,
                         const char **why) {
    rsp_arena *arena = rsp_arena_new();
    rsp_mixed *x = RSP_NEW(arena, rsp_mixed);
    const char *words = NULL;
    x->arena = arena;
    x->n = m->n;
    x->p = p;
    x->ml = ml;
    if (rsp_mixed_effects(x, m, &words) && fixed_effects(x, m, columns, ls, &words)) {
        cross_products(x);
        return x;
    }
    *why = rsp_strdup(m->arena, words);
    rsp_mixed_free(x);
    return NULL;
}

void rsp_mixed_free(rsp_mixed *x) {
    if (!x) return;
    rsp_arena_free(x->arena);
}

/* ---- evaluation ------------------------------------------------------------------------------------------------- */

void rsp_mixed_triangle(const rsp_mgroup *g, const double *theta, double *t) {
    memset(t, 0, g->d * g->d * sizeof *t);
    for (size_t k = 0; k < g->n_theta; k++) t[g->row[k] * g->d + g->column[k]] = theta[g->theta + k];
}

/* In place: the lower triangle l of a small matrix; log of its determinant in *log_det. */
static bool small_cholesky(double *a, size_t d, double *log_det) {
    for (size_t i = 0; i < d; i++)
        for (size_t j = 0; j <= i; j++) {
            double s = a[i * d + j];
            for (size_t k = 0; k < j; k++) s -= a[i * d + k] * a[j * d + k];
            if (i == j && !(s > 0)) return false;
            a[i * d + j] = i == j ? sqrt(s) : s / a[j * d + j];
            if (i == j) *log_det += log(s);
        }
    return true;
}

bool rsp_level_factor(const double *a, const double *t, size_t d, double *l, double *log_det) {
    for (size_t i = 0; i < d; i++)
        for (size_t j = 0; j <= i; j++) {
            double s = i == j;
            for (size_t u = i; u < d; u++)
                for (size_t v = j; v < d; v++) s += t[u * d + i] * a[u * d + v] * t[v * d + j];
            l[i * d + j] = s;
        }
    return small_cholesky(l, d, log_det);
}

void rsp_level_solve(const double *l, const double *t, size_t d, const double *v, double *c) {
    for (size_t i = 0; i < d; i++) {
        double s = 0;
        for (size_t u = i; u < d; u++) s += t[u * d + i] * v[u];
        for (size_t j = 0; j < i; j++) s -= l[i * d + j] * c[j];
        c[i] = s / l[i * d + i];
    }
}

/* The same for w columns at once, one a column of v and c [d*w]. */
static void solve_columns(const double *l, const double *t, size_t d, size_t w, const double *v, double *c) {
    for (size_t i = 0; i < d; i++) {
        double *to = c + i * w;
        memset(to, 0, w * sizeof *to);
        for (size_t u = i; u < d; u++)
            for (size_t j = 0; j < w; j++) to[j] += t[u * d + i] * v[u * w + j];
        for (size_t k = 0; k < i; k++)
            for (size_t j = 0; j < w; j++) to[j] -= l[i * d + k] * c[k * w + j];
        for (size_t j = 0; j < w; j++) to[j] /= l[i * d + i];
    }
}

/* Takes one group of the first variable out of s; `fixed` [d][p+1] its solved part with X and y. */
static void eliminate_level(const rsp_mixed *x, size_t g, const double *solved, const double *fixed, double *s) {
    const struct cross *c = x->cross;
    size_t d = x->groups[0].d, n = c->start[g + 1] - c->start[g], w = x->p + 1;
    const uint32_t *column = c->column + c->start[g];
    for (size_t a = 0; a < n; a++) {
        double *row = s + column[a] * c->rest;
        for (size_t b = 0; b < n; b++) {
            if (column[b] < column[a]) continue;
            double sum = 0;
            for (size_t k = 0; k < d; k++) sum += solved[a * d + k] * solved[b * d + k];
            row[column[b]] -= sum;
        }
        for (size_t k = 0; k < d; k++)
            for (size_t j = 0; j < w; j++) row[c->rest_z + j] -= solved[a * d + k] * fixed[k * w + j];
    }
}

RSP_WIDE
static void subtract(double *from, const double *what, double times, size_t n) {
    for (size_t i = 0; i < n; i++) from[i] -= times * what[i];
}

/* The same for all groups of a kind at once: L is a number, t its triangle. */
static bool eliminate_kinds(const rsp_mixed *x, double t, double *s, double *log_det) {
    const struct cross *c = x->cross;
    for (size_t k = 0; k < c->n_kinds; k++) {
        double square = 1 + t * t * c->kind_first[k];
        *log_det += (double) c->kind_size[k] * log(square);
        subtract(s, c->kind + k * c->rest * c->rest, t * t / square, c->rest * c->rest);
    }
    return isfinite(*log_det);
}

/* Takes the first variable out of s (upper triangle). */
static bool eliminate(const rsp_mixed *x, const double *t, double *s, double *log_det) {
    const struct cross *c = x->cross;
    size_t d = x->groups[0].d, levels = x->groups[0].n_levels, most = 0, w = x->p + 1;
    for (size_t g = 0; g < levels; g++)
        if (c->start[g + 1] - c->start[g] > most) most = c->start[g + 1] - c->start[g];
    double *solved = rsp_malloc((most * d + 1) * sizeof *solved), *fixed = rsp_malloc(levels * d * w * sizeof *fixed);
    double l[RSP_MOST_EFFECTS * RSP_MOST_EFFECTS];
    bool ok = true;
    for (size_t g = 0; ok && g < levels; g++) {
        ok = rsp_level_factor(c->first + g * d * d, t, d, l, log_det);
        for (size_t k = 0; ok && k < c->start[g + 1] - c->start[g]; k++)
            rsp_level_solve(l, t, d, c->value + (c->start[g] + k) * d, solved + k * d);
        if (ok) solve_columns(l, t, d, w, c->fixed + g * d * w, fixed + g * d * w);
        if (ok) eliminate_level(x, g, solved, fixed + g * d * w, s);
    }
    if (ok)
        cblas_dsyrk(CblasRowMajor, CblasUpper, CblasTrans, (int) w, (int) (levels * d), -1, fixed, (int) w, 1,
                    s + c->rest_z * c->rest + c->rest_z, (int) c->rest);
    free(solved);
    free(fixed);
    return ok;
}

void rsp_scale_group(const rsp_mgroup *g, const double *t, size_t r, double *s) {
    size_t d = g->d;
    double v[RSP_MOST_EFFECTS];
    for (size_t level = 0; level < g->n_levels; level++) {
        size_t at = g->offset + level * d;
        for (size_t j = 0; j < r; j++) { /* rows, then columns */
            for (size_t i = 0; i < d; i++) {
                v[i] = 0;
                for (size_t u = i; u < d; u++) v[i] += t[u * d + i] * s[(at + u) * r + j];
            }
            for (size_t i = 0; i < d; i++) s[(at + i) * r + j] = v[i];
        }
        for (size_t j = 0; j < r; j++) {
            for (size_t i = 0; i < d; i++) {
                v[i] = 0;
                for (size_t u = i; u < d; u++) v[i] += t[u * d + i] * s[j * r + at + u];
            }
            for (size_t i = 0; i < d; i++) s[j * r + at + i] = v[i];
        }
    }
    for (size_t i = 0; i < g->n_levels * d; i++) s[(g->offset + i) * r + g->offset + i] += 1;
}

/* Coefficients and their covariance from the triangle's rows of X and y. */
static bool solve_fixed(const rsp_mixed *x, const double *s, rsp_mixed_at *at) {
    size_t r = x->cross->rest, z = x->cross->rest_z, p = x->p;
    for (size_t j = p; at->gamma && j-- > 0;) {
        double sum = s[(r - 1) * r + z + j];
        for (size_t i = j + 1; i < p; i++) sum -= s[(z + i) * r + z + j] * at->gamma[i];
        at->gamma[j] = sum / s[(z + j) * r + z + j];
    }
    if (!at->inverse || !p) return true;
    for (size_t i = 0; i < p; i++)
        for (size_t j = 0; j <= i; j++) at->inverse[i * p + j] = s[(z + i) * r + z + j];
    if (LAPACKE_dpotri(LAPACK_COL_MAJOR, 'U', (lapack_int) p, at->inverse, (lapack_int) p) != 0) return false;
    for (size_t i = 0; i < p; i++)
        for (size_t j = 0; j < i; j++) at->inverse[j * p + i] = at->inverse[i * p + j];
    return true;
}

bool rsp_mixed_eliminate(const rsp_mixed *x, const double *theta, double *s, double *log_z) {
    const struct cross *c = x->cross;
    double t[RSP_MOST_EFFECTS * RSP_MOST_EFFECTS];
    memcpy(s, c->dense, c->rest * c->rest * sizeof *s);
    *log_z = 0;
    rsp_mixed_triangle(&x->groups[0], theta, t);
    return c->n_kinds ? eliminate_kinds(x, t[0], s, log_z) : eliminate(x, t, s, log_z);
}

size_t rsp_mixed_rest(const rsp_mixed *x) { return x->cross->rest * x->cross->rest; }

bool rsp_mixed_finish(const rsp_mixed *x, const double *theta, double *s, double log_z, rsp_mixed_at *at) {
    const struct cross *c = x->cross;
    size_t r = c->rest;
    double t[RSP_MOST_EFFECTS * RSP_MOST_EFFECTS];
    at->log_z = log_z;
    at->log_x = 0;
    for (size_t i = 0; i < r; i++)
        for (size_t j = 0; j < i; j++) s[i * r + j] = s[j * r + i];
    for (size_t g = 1; g < x->n_groups; g++) {
        rsp_mixed_triangle(&x->groups[g], theta, t);
        rsp_scale_group(&x->groups[g], t, r, s);
    }
    /* A lower triangle by row is an upper one by column. */
    if (LAPACKE_dpotrf_work(LAPACK_COL_MAJOR, 'U', (lapack_int) r, s, (lapack_int) r) != 0) return false;
    for (size_t i = 0; i < c->rest_z; i++) at->log_z += 2 * log(s[i * r + i]);
    for (size_t i = c->rest_z; i < r - 1; i++) at->log_x += 2 * log(s[i * r + i]);
    at->log_x -= x->log_basis;
    at->rss = s[r * r - 1] * s[r * r - 1];
    return solve_fixed(x, s, at) && isfinite(at->log_z + at->log_x + at->rss);
}

bool rsp_mixed_evaluate(const rsp_mixed *x, const double *theta, rsp_mixed_at *at) {
    double *s = rsp_malloc(rsp_mixed_rest(x) * sizeof *s), log_z;
    bool ok = rsp_mixed_eliminate(x, theta, s, &log_z) && rsp_mixed_finish(x, theta, s, log_z, at);
    free(s);
    return ok;
}

double rsp_mixed_deviance(const rsp_mixed *x, const rsp_mixed_at *at) {
    double n = (double) (x->ml ? x->n : x->n - x->p);
    return at->log_z + (x->ml ? 0 : at->log_x) + n * (1 + log(2 * M_PI * at->rss / n) + 2 * log(x->unit));
}
