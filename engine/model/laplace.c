/* Laplace's approximation and its gradient by blocks.
 *
 * As in blocks.c the grouping variable with the most effects is eliminated first, group by group; what is left is dense
 * and small. The modes u are found by Newton's method with step halving (penalised iteratively reweighted least
 * squares). The gradient is exact: with leverages h_i = z_i L H^-1 L' z_i' and t = H^-1 L'Z'(h W'),
 *
 *   dl = sum c_i d(eta_i | u) - (terms of L's own change)/2,  c = slope - (h W' - W Z L t) / 2,
 *
 * so it costs about as much as one more step for u (the adjoint of the implicit function u(parameters); Skaug and
 * Fournier 2006). Sums run over rows in the order of groups: the same bits on any number of threads. */
#include "model/glmm.h"

#include <lapacke.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_STEPS = 100, MOST_HALVINGS = 40 };

/* ---- layout ----------------------------------------------------------------------------------------------------- */

static size_t *rows_by_level(const rsp_mgroup *g, size_t n, size_t *begin, rsp_arena *a) {
    size_t *order = RSP_ARRAY(a, size_t, n + 1), *next = RSP_ARRAY(a, size_t, g->n_levels + 1);
    for (size_t i = 0; i < n; i++) begin[g->level[i] + 1]++;
    for (size_t l = 0; l < g->n_levels; l++) begin[l + 1] += begin[l];
    memcpy(next, begin, g->n_levels * sizeof *next);
    for (size_t i = 0; i < n; i++) order[next[g->level[i]]++] = i;
    return order;
}

/* Effects of the other variables, and the list of those that each group of the first meets. */
static void place_rest(rsp_glmm *x, const size_t *order) {
    const rsp_mixed *r = x->random;
    size_t *place = RSP_ARRAY(x->arena, size_t, x->rest + 1), n_entries = 0;
    for (size_t j = 0; j < x->rest; j++) place[j] = RSP_NONE;
    x->rest_z = RSP_ARRAY(x->arena, double, x->n * x->rest_d + 1);
    x->entry = RSP_ARRAY(x->arena, uint32_t, x->n * x->rest_d + 1);
    x->column = RSP_ARRAY(x->arena, uint32_t, x->n * x->rest_d + 1);
    for (size_t l = 0; l < x->n_levels; l++) {
        x->start[l] = n_entries;
        for (size_t i = x->begin[l]; i < x->begin[l + 1]; i++)
            for (size_t g = 1, k = 0; g < r->n_groups; g++)
                for (size_t j = 0; j < r->groups[g].d; j++, k++) {
                    const rsp_mgroup *b = &r->groups[g];
                    size_t c = b->offset + (size_t) b->level[order[i]] * b->d + j;
                    if (place[c] == RSP_NONE || place[c] < x->start[l]) {
                        place[c] = n_entries;
                        x->column[n_entries++] = (uint32_t) c;
                    }
                    x->rest_z[i * x->rest_d + k] = b->z[order[i] * b->d + j];
                    x->entry[i * x->rest_d + k] = (uint32_t) (place[c] - x->start[l]);
                }
    }
    x->start[x->n_levels] = n_entries;
}

rsp_glmm *rsp_glmm_new(rsp_glmm_family family, size_t n_tau, const rsp_mixed *random, size_t p,
                       const double *const *columns, const double *y, const double *w, const double *level_weight) {
    rsp_arena *a = random->arena;
    rsp_glmm *x = RSP_NEW(a, rsp_glmm);
    const rsp_mgroup *g = &random->groups[0];
    size_t n = random->n;
    *x = (rsp_glmm){.family = family,
                    .n = n,
                    .p = p,
                    .n_tau = n_tau,
                    .n_parameters = n_tau + p + random->n_theta,
                    .random = random,
                    .n_levels = g->n_levels,
                    .d = g->d,
                    .rest = random->q - g->n_levels * g->d,
                    .arena = a};
    for (size_t k = 1; k < random->n_groups; k++) x->rest_d += random->groups[k].d;
    x->begin = RSP_ARRAY(a, size_t, g->n_levels + 1);
    x->start = RSP_ARRAY(a, size_t, g->n_levels + 1);
    x->x = RSP_ARRAY(a, double, n *p + 1);
    x->y = RSP_ARRAY(a, double, n);
    x->w = RSP_ARRAY(a, double, n);
    x->z = RSP_ARRAY(a, double, n * x->d);
    x->level_weight = RSP_ARRAY(a, double, g->n_levels);
    size_t *order = rows_by_level(g, n, x->begin, a);
    for (size_t i = 0; i < n; i++) {
        x->y[i] = y[order[i]];
        x->w[i] = w ? w[order[i]] : 1;
        for (size_t j = 0; j < p; j++) x->x[i * p + j] = columns[j][order[i]];
        for (size_t j = 0; j < x->d; j++) x->z[i * x->d + j] = g->z[order[i] * x->d + j];
    }
    for (size_t l = 0; l < g->n_levels; l++) x->level_weight[l] = level_weight ? level_weight[l] : 1;
    place_rest(x, order);
    return x;
}

/* ---- room ------------------------------------------------------------------------------------------------------- */

struct work {
    const rsp_glmm *x;
    const double *tau, *b, *theta;
    double *gap, *t[256]; /* triangles, by grouping variable */
    double *offset;       /* [n] X b */
    double *slope, *w;    /* [n] of log f, with the rows' weights */
    double *v;            /* [q] L u */
    double *factor;       /* [levels*d*d] Cholesky factor of each group's block of H */
    double *coupling; /* [entries*d] L^-1 T' z'Wz of a group with other variables' effects (before their triangle) */
    double *s;        /* [rest*rest] triangle of what is left, a lower one by row */
    double *value;    /* [levels] a group's part of l */
    double rest_value;
    double *step, *right; /* [q] */
    rsp_arena *arena;
};

static struct work new_work(const rsp_glmm *x, const double *par) {
    rsp_arena *a = rsp_arena_new();
    size_t d = x->d, entries = x->start[x->n_levels], q = x->random->q;
    struct work k = {.x = x, .tau = par, .b = par + x->n_tau, .theta = par + x->n_tau + x->p, .arena = a};
    k.gap = RSP_ARRAY(a, double, 2 * x->n_tau + 2);
    for (size_t g = 0; g < x->random->n_groups; g++) {
        const rsp_mgroup *group = &x->random->groups[g];
        k.t[g] = RSP_ARRAY(a, double, group->d * group->d);
        rsp_mixed_triangle(group, k.theta, k.t[g]);
    }
    k.offset = RSP_ARRAY(a, double, x->n);
    k.slope = RSP_ARRAY(a, double, x->n);
    k.w = RSP_ARRAY(a, double, x->n);
    k.v = RSP_ARRAY(a, double, q);
    k.step = RSP_ARRAY(a, double, q);
    k.right = RSP_ARRAY(a, double, q);
    k.factor = RSP_ARRAY(a, double, x->n_levels *d *d);
    k.coupling = RSP_ARRAY(a, double, entries *d + 1);
    k.s = RSP_ARRAY(a, double, x->rest * x->rest + 1);
    k.value = RSP_ARRAY(a, double, x->n_levels);
    for (size_t i = 0; i < x->n; i++)
        for (size_t j = 0; j < x->p; j++) k.offset[i] += x->x[i * x->p + j] * k.b[j];
    return k;
}

/* to = T from, or T' from, for every group of a variable; in place is allowed. */
static void by_triangle(const double *t, size_t d, size_t levels, bool transposed, const double *from, double *to) {
    double r[RSP_MOST_EFFECTS];
    for (size_t l = 0; l < levels; l++) {
        for (size_t i = 0; i < d; i++) {
            r[i] = 0;
            if (transposed)
                for (size_t j = i; j < d; j++) r[i] += t[j * d + i] * from[l * d + j];
            else
                for (size_t j = 0; j <= i; j++) r[i] += t[i * d + j] * from[l * d + j];
        }
        memcpy(to + l * d, r, d * sizeof *r);
    }
}

/* The same over all effects [q], or over those of all but the first variable [rest]. */
static void by_triangles(const struct work *k, bool first, bool transposed, const double *from, double *to) {
    const rsp_mixed *r = k->x->random;
    size_t at = first ? r->groups[0].n_levels * r->groups[0].d : 0;
    if (first) by_triangle(k->t[0], r->groups[0].d, r->groups[0].n_levels, transposed, from, to);
    for (size_t g = 1; g < r->n_groups; g++) {
        size_t o = at + r->groups[g].offset;
        by_triangle(k->t[g], r->groups[g].d, r->groups[g].n_levels, transposed, from + o, to + o);
    }
}

/* z_i v, v in the units of the columns of Z. */
static double along(const rsp_glmm *x, const double *v, size_t level, size_t i) {
    const double *rest = v + x->n_levels * x->d;
    double sum = 0;
    for (size_t j = 0; j < x->d; j++) sum += x->z[i * x->d + j] * v[level * x->d + j];
    for (size_t j = 0; j < x->rest_d; j++)
        sum += x->rest_z[i * x->rest_d + j] * rest[x->column[x->start[level] + x->entry[i * x->rest_d + j]]];
    return sum;
}

/* to [q] += z_i times a. */
static void spread(const rsp_glmm *x, double a, size_t level, size_t i, double *to) {
    double *rest = to + x->n_levels * x->d;
    for (size_t j = 0; j < x->d; j++) to[level * x->d + j] += a * x->z[i * x->d + j];
    for (size_t j = 0; j < x->rest_d; j++)
        rest[x->column[x->start[level] + x->entry[i * x->rest_d + j]]] += a * x->rest_z[i * x->rest_d + j];
}

/* ---- modes ------------------------------------------------------------------------------------------------------ */

/* Log f less u'u/2, by group; slopes and weights of the rows. Returns the sum that the modes maximise. */
static double look(struct work *k, const double *u) {
    const rsp_glmm *x = k->x;
    double total = 0, rest = 0;
    by_triangles(k, true, false, u, k->v);
    for (size_t l = 0; l < x->n_levels; l++) {
        double sum = 0;
        for (size_t i = x->begin[l]; i < x->begin[l + 1]; i++) {
            double eta = k->offset[i] + along(x, k->v, l, i);
            rsp_glmm_row r = rsp_glmm_row_at(x->family, x->n_tau, k->tau, k->gap, x->y[i], eta);
            k->slope[i] = x->w[i] * r.slope;
            k->w[i] = x->w[i] * r.w;
            sum += x->w[i] * r.loglik;
        }
        for (size_t j = 0; j < x->d; j++) sum -= u[l * x->d + j] * u[l * x->d + j] / 2;
        k->value[l] = sum;
        total += x->level_weight[l] * sum;
    }
    for (size_t j = x->n_levels * x->d; j < x->random->q; j++) rest += u[j] * u[j] / 2;
    k->rest_value = -rest;
    return total - rest;
}

/* Z'WZ of a group: with itself a [d*d], with other variables' effects into coupling, these with each other into s. */
static void level_products(struct work *k, size_t l, double *a) {
    const rsp_glmm *x = k->x;
    size_t d = x->d, m = x->rest_d;
    memset(a, 0, d * d * sizeof *a);
    memset(k->coupling + x->start[l] * d, 0, (x->start[l + 1] - x->start[l]) * d * sizeof *k->coupling);
    for (size_t i = x->begin[l]; i < x->begin[l + 1]; i++) {
        const double *z = x->z + i * d, *rz = x->rest_z + i * m;
        const uint32_t *entry = x->entry + i * m;
        for (size_t u = 0; u < d; u++)
            for (size_t v = 0; v < d; v++) a[u * d + v] += k->w[i] * z[u] * z[v];
        for (size_t e = 0; e < m; e++) {
            double *row = k->s + x->column[x->start[l] + entry[e]] * x->rest,
                   *c = k->coupling + (x->start[l] + entry[e]) * d, by = k->w[i] * rz[e];
            for (size_t u = 0; u < d; u++) c[u] += by * z[u];
            for (size_t f = e; f < m; f++) row[x->column[x->start[l] + entry[f]]] += by * rz[f];
        }
    }
}

/* H's factor; adds -log|H|/2 to the values when `values`. */
static bool decompose(struct work *k, bool values) {
    const rsp_glmm *x = k->x;
    size_t d = x->d, r = x->rest;
    double *a = rsp_malloc(d * d * sizeof *a);
    bool ok = true;
    memset(k->s, 0, r * r * sizeof *k->s);
    for (size_t l = 0; ok && l < x->n_levels; l++) {
        double log_det = 0, *c = k->coupling + x->start[l] * d;
        size_t n = x->start[l + 1] - x->start[l];
        const uint32_t *column = x->column + x->start[l];
        level_products(k, l, a);
        ok = rsp_level_factor(a, k->t[0], d, k->factor + l * d * d, &log_det);
        for (size_t e = 0; ok && e < n; e++) {
            double raw[RSP_MOST_EFFECTS];
            memcpy(raw, c + e * d, d * sizeof *raw);
            rsp_level_solve(k->factor + l * d * d, k->t[0], d, raw, c + e * d);
        }
        for (size_t e = 0; ok && e < n; e++)
            for (size_t f = 0; f < n; f++) {
                if (column[f] < column[e]) continue;
                double sum = 0;
                for (size_t u = 0; u < d; u++) sum += c[e * d + u] * c[f * d + u];
                k->s[column[e] * r + column[f]] -= sum;
            }
        if (values) k->value[l] -= log_det / 2;
    }
    free(a);
    if (!ok || !r) return ok;
    for (size_t i = 0; i < r; i++)
        for (size_t j = 0; j < i; j++) k->s[i * r + j] = k->s[j * r + i];
    for (size_t g = 1; g < x->random->n_groups; g++) rsp_scale_group(&x->random->groups[g], k->t[g], r, k->s);
    ok = LAPACKE_dpotrf(LAPACK_COL_MAJOR, 'U', (lapack_int) r, k->s, (lapack_int) r) == 0;
    for (size_t i = 0; ok && values && i < r; i++) k->rest_value -= log(k->s[i * r + i]);
    return ok;
}

static void lower_solve(const double *l, size_t n, double *b) {
    for (size_t i = 0; i < n; i++) {
        for (size_t j = 0; j < i; j++) b[i] -= l[i * n + j] * b[j];
        b[i] /= l[i * n + i];
    }
}

static void lower_solve_transposed(const double *l, size_t n, double *b) {
    for (size_t i = n; i-- > 0;) {
        b[i] /= l[i * n + i];
        for (size_t j = 0; j < i; j++) b[j] -= l[i * n + j] * b[i];
    }
}

/* b = H^-1 b, [q]. */
static void solve(const struct work *k, double *b) {
    const rsp_glmm *x = k->x;
    size_t d = x->d, r = x->rest;
    double *rest = b + x->n_levels * d, *sum = rsp_calloc(r + 1, sizeof *sum);
    for (size_t l = 0; l < x->n_levels; l++) {
        lower_solve(k->factor + l * d * d, d, b + l * d);
        for (size_t e = x->start[l]; e < x->start[l + 1]; e++)
            for (size_t j = 0; j < d; j++) sum[x->column[e]] += k->coupling[e * d + j] * b[l * d + j];
    }
    by_triangles(k, false, true, sum, sum);
    for (size_t j = 0; j < r; j++) rest[j] -= sum[j];
    lower_solve(k->s, r, rest);
    lower_solve_transposed(k->s, r, rest);
    by_triangles(k, false, false, rest, sum);
    for (size_t l = 0; l < x->n_levels; l++) {
        for (size_t e = x->start[l]; e < x->start[l + 1]; e++)
            for (size_t j = 0; j < d; j++) b[l * d + j] -= k->coupling[e * d + j] * sum[x->column[e]];
        lower_solve_transposed(k->factor + l * d * d, d, b + l * d);
    }
    free(sum);
}

/* Newton's step; returns twice the rise it promises. */
static double newton(struct work *k, const double *u) {
    const rsp_glmm *x = k->x;
    size_t q = x->random->q;
    double promise = 0;
    memset(k->right, 0, q * sizeof *k->right);
    for (size_t l = 0; l < x->n_levels; l++)
        for (size_t i = x->begin[l]; i < x->begin[l + 1]; i++) spread(x, k->slope[i], l, i, k->right);
    by_triangles(k, true, true, k->right, k->right);
    for (size_t j = 0; j < q; j++) k->step[j] = k->right[j] -= u[j];
    solve(k, k->step);
    for (size_t j = 0; j < q; j++) promise += k->step[j] * k->right[j];
    return promise;
}

/* Leaves the factor of H, and values with its determinant, at the modes. */
static bool find_modes(struct work *k, double *u) {
    size_t q = k->x->random->q;
    double *from = RSP_ARRAY(k->arena, double, q), best = look(k, u), promise = INFINITY;
    if (!isfinite(best)) return false;
    for (int step = 0; step < MOST_STEPS; step++) {
        /* The step before was quadratically small: here is its end. */
        bool last = promise < 1e-10;
        if (!decompose(k, last)) return false;
        if (last) return true;
        promise = newton(k, u);
        if (!isfinite(promise)) return false;
        memcpy(from, u, q * sizeof *u);
        double length = 1, now = -INFINITY;
        for (int h = 0; h < MOST_HALVINGS; h++, length /= 2) {
            for (size_t j = 0; j < q; j++) u[j] = from[j] + length * k->step[j];
            now = look(k, u);
            if (now >= best - 1e-11 * fabs(best)) break;
        }
        if (!isfinite(now)) return false;
        best = now;
    }
    return false;
}

/* ---- gradient --------------------------------------------------------------------------------------------------- */

/* For the rows of one group, from H^-1 L' in blocks; columns in the units of Z. */
struct level_inverse {
    double *own;    /* [d*d] group by group */
    double *cross;  /* [d*n] minus: group's effects by its entries' */
    double *turned; /* [n*d] minus: entries' effects by the group's */
};

struct gradient {
    struct work *k;
    double *inverse;  /* [rest*rest] of what is left, its columns in the units of Z */
    double *both;     /* the same with rows in the units of Z too */
    double *leverage; /* [n] */
    double *q;        /* [q] L'Z'(h W'), then t = H^-1 of it */
    double *of_theta; /* [n_theta], [levels][n_theta of the first] when scores are wanted */
    struct level_inverse at;
    double *room, *effect;
};

static void invert_rest(struct gradient *g) {
    const struct work *k = g->k;
    size_t r = k->x->rest;
    const rsp_mixed *m = k->x->random;
    if (!r) return;
    memcpy(g->both, k->s, r * r * sizeof *g->both);
    LAPACKE_dpotri(LAPACK_COL_MAJOR, 'U', (lapack_int) r, g->both, (lapack_int) r);
    for (size_t i = 0; i < r; i++)
        for (size_t j = 0; j < i; j++) g->both[j * r + i] = g->both[i * r + j];
    for (size_t i = 0; i < r; i++) by_triangles(k, false, false, g->both + i * r, g->inverse + i * r);
    for (size_t b = 1; b < m->n_groups; b++) { /* rows of `both` = L times rows of `inverse` */
        const rsp_mgroup *group = &m->groups[b];
        for (size_t l = 0; l < group->n_levels; l++)
            for (size_t i = 0; i < group->d; i++) {
                double *row = g->both + (group->offset + l * group->d + i) * r;
                memset(row, 0, r * sizeof *row);
                for (size_t u = 0; u <= i; u++) {
                    const double *from = g->inverse + (group->offset + l * group->d + u) * r,
                                 by = k->t[b][i * group->d + u];
                    for (size_t j = 0; j < r; j++) row[j] += by * from[j];
                }
            }
    }
}

/* own = (FF')^-1 T' + F^-T C both C'F^-1 T', F the factor, C the coupling; cross = F^-T C both; turned = inverse C'F^-1 T'. */
static void invert_level(struct gradient *g, size_t l) {
    const struct work *k = g->k;
    const rsp_glmm *x = k->x;
    size_t d = x->d, n = x->start[l + 1] - x->start[l], r = x->rest;
    const double *f = k->factor + l * d * d;
    const uint32_t *column = x->column + x->start[l];
    double *p = g->room, *pt = g->room + n * d; /* [n*d] F^-T C, and T times it, by entry */
    double unit[RSP_MOST_EFFECTS];
    for (size_t j = 0; j < d; j++) { /* column j of T' is row j of T */
        for (size_t i = 0; i < d; i++) unit[i] = i <= j ? k->t[0][j * d + i] : 0;
        lower_solve(f, d, unit);
        lower_solve_transposed(f, d, unit);
        for (size_t i = 0; i < d; i++) g->at.own[i * d + j] = unit[i];
    }
    for (size_t e = 0; e < n; e++) {
        memcpy(p + e * d, k->coupling + (x->start[l] + e) * d, d * sizeof *p);
        lower_solve_transposed(f, d, p + e * d);
        by_triangle(k->t[0], d, 1, false, p + e * d, pt + e * d);
    }
    memset(g->at.cross, 0, n * d * sizeof *p);
    memset(g->at.turned, 0, n * d * sizeof *p);
    for (size_t e = 0; e < n; e++)
        for (size_t h = 0; h < n; h++) {
            double both = g->both[column[e] * r + column[h]], one = g->inverse[column[e] * r + column[h]];
            for (size_t j = 0; j < d; j++) {
                g->at.cross[j * n + h] += p[e * d + j] * both;
                g->at.turned[e * d + j] += one * pt[h * d + j];
            }
        }
    for (size_t i = 0; i < d; i++)
        for (size_t j = 0; j < d; j++)
            for (size_t e = 0; e < n; e++) g->at.own[i * d + j] += g->at.cross[i * n + e] * pt[e * d + j];
}

/* H^-1 L'z_i at the row's own effects: first [d], then those of the other variables [rest_d]. Returns z_i L of it. */
static double row_effects(const struct gradient *g, size_t l, size_t i, double *first, double *rest) {
    const rsp_glmm *x = g->k->x;
    const rsp_mixed *m = x->random;
    size_t d = x->d, n = x->start[l + 1] - x->start[l], k = x->rest_d;
    const double *z = x->z + i * d, *rz = x->rest_z + i * k;
    const uint32_t *entry = x->entry + i * k, *column = x->column + x->start[l];
    double leverage = 0;
    for (size_t s = 0; s < d; s++) {
        first[s] = 0;
        for (size_t j = 0; j < d; j++) first[s] += g->at.own[s * d + j] * z[j];
        for (size_t e = 0; e < k; e++) first[s] -= g->at.cross[s * n + entry[e]] * rz[e];
    }
    for (size_t e = 0; e < k; e++) {
        rest[e] = 0;
        for (size_t f = 0; f < k; f++) rest[e] += g->inverse[column[entry[e]] * x->rest + column[entry[f]]] * rz[f];
        for (size_t j = 0; j < d; j++) rest[e] -= g->at.turned[entry[e] * d + j] * z[j];
    }
    for (size_t s = 0; s < d; s++)
        for (size_t j = s; j < d; j++) leverage += z[j] * g->k->t[0][j * d + s] * first[s];
    for (size_t b = 1, at = 0; b < m->n_groups; at += m->groups[b].d, b++)
        for (size_t s = 0; s < m->groups[b].d; s++)
            for (size_t j = s; j < m->groups[b].d; j++)
                leverage += rz[at + j] * g->k->t[b][j * m->groups[b].d + s] * rest[at + s];
    return leverage;
}

/* First pass: leverages, q, and the part of theta's gradient that L's own change in H makes. */
static void first_pass(struct gradient *g, double *of_theta, size_t stride) {
    const rsp_glmm *x = g->k->x;
    const rsp_mixed *m = x->random;
    double *first = g->effect, *rest = g->effect + x->d;
    for (size_t l = 0; l < x->n_levels; l++) {
        invert_level(g, l);
        for (size_t i = x->begin[l]; i < x->begin[l + 1]; i++) {
            double h = g->leverage[i] = row_effects(g, l, i, first, rest), eta = g->k->offset[i];
            eta += along(x, g->k->v, l, i);
            rsp_glmm_row r = rsp_glmm_row_at(x->family, x->n_tau, g->k->tau, g->k->gap, x->y[i], eta);
            spread(x, h * x->w[i] * r.w_slope, l, i, g->q);
            for (size_t b = 0, at = 0; b < m->n_groups; b++) {
                const rsp_mgroup *group = &m->groups[b];
                const double *z = b ? x->rest_z + i * x->rest_d + at : x->z + i * x->d, *a = b ? rest + at : first;
                for (size_t t = 0; t < group->n_theta; t++)
                    of_theta[l * stride + group->theta + t] -= g->k->w[i] * z[group->row[t]] * a[group->column[t]];
                if (b) at += group->d;
            }
        }
    }
}

/* Second pass, once t is known: the rest of the gradient of one group's rows. */
static void second_pass(const struct gradient *g, const double *t, const double *u, size_t l, double *out) {
    const struct work *k = g->k;
    const rsp_glmm *x = k->x;
    const rsp_mixed *m = x->random;
    size_t first = x->n_levels * x->d;
    for (size_t i = x->begin[l]; i < x->begin[l + 1]; i++) {
        double eta = k->offset[i] + along(x, k->v, l, i), w = x->w[i], h = g->leverage[i], e = along(x, g->q, l, i);
        rsp_glmm_row r = rsp_glmm_row_at(x->family, x->n_tau, k->tau, k->gap, x->y[i], eta);
        double c = w * (r.slope - (h * r.w_slope - r.w * e) / 2);
        for (size_t j = 0; j < r.n_tau; j++)
            out[r.tau[j]] += w * (r.loglik_tau[j] - (h * r.w_tau[j] + e * r.slope_tau[j]) / 2);
        for (size_t j = 0; j < x->p; j++) out[x->n_tau + j] += c * x->x[i * x->p + j];
        for (size_t b = 0, at = 0; b < m->n_groups; b++) {
            const rsp_mgroup *group = &m->groups[b];
            const double *z = b ? x->rest_z + i * x->rest_d + at : x->z + i * x->d;
            /* Effects of a variable stand one after the other: its first column's place is the group's. */
            size_t place = b ? first + x->column[x->start[l] + x->entry[i * x->rest_d + at]] : l * x->d;
            for (size_t q = 0; q < group->n_theta; q++)
                out[x->n_tau + x->p + group->theta + q] +=
                    z[group->row[q]] *
                    (c * u[place + group->column[q]] - k->slope[i] * t[place + group->column[q]] / 2);
            if (b) at += group->d;
        }
    }
}

static void differentiate(struct work *k, const double *u, double *gradient, double *scores) {
    const rsp_glmm *x = k->x;
    rsp_arena *a = k->arena;
    size_t most = 0, m = x->n_parameters, n_theta = x->random->n_theta, r = x->rest, q = x->random->q;
    for (size_t l = 0; l < x->n_levels; l++)
        if (x->start[l + 1] - x->start[l] > most) most = x->start[l + 1] - x->start[l];
    struct gradient g = {.k = k,
                         .inverse = RSP_ARRAY(a, double, r *r + 1),
                         .both = RSP_ARRAY(a, double, r *r + 1),
                         .leverage = RSP_ARRAY(a, double, x->n),
                         .q = RSP_ARRAY(a, double, q),
                         .of_theta = RSP_ARRAY(a, double, x->n_levels *n_theta + 1),
                         .at = {RSP_ARRAY(a, double, x->d * x->d), RSP_ARRAY(a, double, most * x->d + 1),
                                RSP_ARRAY(a, double, most * x->d + 1)},
                         .room = RSP_ARRAY(a, double, 2 * most * x->d + 1),
                         .effect = RSP_ARRAY(a, double, x->d + x->rest_d)};
    double *t = RSP_ARRAY(a, double, q), *part = RSP_ARRAY(a, double, m);
    invert_rest(&g);
    first_pass(&g, g.of_theta, n_theta);
    by_triangles(k, true, true, g.q, t);
    solve(k, t);
    by_triangles(k, true, false, t, g.q);
    memset(gradient, 0, m * sizeof *gradient);
    for (size_t l = 0; l < x->n_levels; l++) {
        double *out = scores ? scores + l * m : part;
        memset(out, 0, m * sizeof *out);
        second_pass(&g, t, u, l, out);
        for (size_t j = 0; j < n_theta; j++) out[x->n_tau + x->p + j] += g.of_theta[l * n_theta + j];
        for (size_t j = 0; j < m; j++) gradient[j] += x->level_weight[l] * out[j];
    }
}

bool rsp_glmm_evaluate(const rsp_glmm *x, const double *par, double *u, double *loglik, double *gradient,
                       double *scores) {
    struct work k = new_work(x, par);
    bool ok = rsp_glmm_prepare(x->family, x->n_tau, par, k.gap) && find_modes(&k, u);
    *loglik = ok ? k.rest_value : -INFINITY;
    for (size_t l = 0; ok && l < x->n_levels; l++) *loglik += x->level_weight[l] * k.value[l];
    ok = ok && isfinite(*loglik);
    if (ok && gradient) differentiate(&k, u, gradient, scores);
    rsp_arena_free(k.arena);
    return ok;
}
