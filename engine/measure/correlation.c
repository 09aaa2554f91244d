/* Correlations of items: product-moment, of ranks, polychoric; by domain, with or without the design.
 *
 * A correlation's error comes from its influence function: of a product-moment one (z_j z_k - r (z_j^2 + z_k^2) / 2), of
 * Spearman's that of the functional of the joint distribution (Croux and Dehon 2010), with mid-ranks for ties; of a polychoric
 * or polyserial one the scores of both steps (polychoric.c). Unweighted the variance is the sum of squares, with `weights:
 * design` the design's. Intervals stand on Fisher's scale. */
#include "measure/correlation.h"

#include "measure/polychoric.h"
#include "responsive/clean.h"
#include "responsive/statistics.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* One domain's answers: those of `take`, in the order of the sample. */
struct answers {
    const rsp_analysis *an;
    const rsp_exploration *x;
    const rsp_sample *s;
    const char *domain;
    size_t p, n;
    double *value; /* [n*p]; NaN: no answer */
    double *w;     /* [n] */
    uint32_t *row; /* [n] */
    bool usable;   /* polychoric: statistics could be had */
    rsp_item_layout layout;
    double *stat, *influence; /* polychoric: [q], [n*q] */
    rsp_results *out;
    rsp_arena *a;
    rsp_diag *d;
};

/* ---- rows ------------------------------------------------------------------------------------------------------- */

static void read_answers(struct answers *t, const uint8_t *take) {
    size_t p = t->p, n = t->s->n;
    t->value = RSP_ARRAY(t->a, double, n *p + 1);
    t->w = RSP_ARRAY(t->a, double, n + 1);
    t->row = RSP_ARRAY(t->a, uint32_t, n + 1);
    for (size_t i = 0; i < n; i++) {
        size_t answers = 0;
        if (!take[i] || (t->x->weighted && !(t->s->weight[i] > 0))) continue;
        for (size_t j = 0; j < p; j++) {
            t->value[t->n * p + j] = rsp_value(t->s->frame, t->x->items[j], i);
            answers += !isnan(t->value[t->n * p + j]);
        }
        if (answers < (t->x->pairwise ? 1 : p)) continue;
        t->row[t->n] = (uint32_t) i;
        t->w[t->n++] = t->x->weighted ? t->s->weight[i] : 1;
    }
}

/* A pair of items: those who answered both. */
struct pair {
    size_t n;
    double sum;            /* of weights */
    size_t *place;         /* [n] among the domain's answers */
    double *w, *x, *y, *z; /* [n] weights, values, influence without the weight */
    double r;
    bool usable;
};

static void pair_new(const struct answers *t, size_t j, size_t k, struct pair *o) {
    double *room = rsp_malloc((4 * t->n + 1) * sizeof *room);
    *o = (struct pair){.place = rsp_malloc((t->n + 1) * sizeof *o->place),
                       .w = room,
                       .x = room + t->n,
                       .y = room + 2 * t->n,
                       .z = room + 3 * t->n};
    for (size_t i = 0; i < t->n; i++) {
        double x = t->value[i * t->p + j], y = t->value[i * t->p + k];
        if (isnan(x) || isnan(y)) continue;
        o->place[o->n] = i;
        o->w[o->n] = t->w[i];
        o->x[o->n] = x;
        o->y[o->n] = y;
        o->sum += o->w[o->n++];
    }
}

static void pair_free(struct pair *o) { free(o->place), free(o->w); }

/* ---- product moments -------------------------------------------------------------------------------------------- */

/* To mean 0 and variance 1 under the weights; false if constant. */
static bool standardise(const struct pair *o, double *x) {
    if (!rsp_answers_vary(x, o->n, 1)) return false;
    double mean = 0, square = 0;
    for (size_t i = 0; i < o->n; i++) mean += o->w[i] * x[i] / o->sum;
    for (size_t i = 0; i < o->n; i++) {
        x[i] -= mean;
        square += o->w[i] * x[i] * x[i] / o->sum;
    }
    for (size_t i = 0; square > 0 && i < o->n; i++) x[i] /= sqrt(square);
    return square > 0;
}

static void product_moment(struct pair *o) {
    o->usable = o->n > 1 && standardise(o, o->x) && standardise(o, o->y);
    if (!o->usable) return;
    for (size_t i = 0; i < o->n; i++) o->r += o->w[i] * o->x[i] * o->y[i] / o->sum;
    for (size_t i = 0; i < o->n; i++)
        o->z[i] = (o->x[i] * o->y[i] - o->r * (o->x[i] * o->x[i] + o->y[i] * o->y[i]) / 2) / o->sum;
}

/* ---- ranks ------------------------------------------------------------------------------------------------------ */

struct place {
    double x;
    size_t at;
};

static int compare_places(const void *a, const void *b) {
    const struct place *x = a, *y = b;
    if (x->x != y->x) return x->x < y->x ? -1 : 1;
    return x->at < y->at ? -1 : x->at > y->at;
}

static struct place *sorted(const struct pair *o, const double *x) {
    struct place *p = rsp_malloc((o->n + 1) * sizeof *p);
    for (size_t i = 0; i < o->n; i++) p[i] = (struct place){x[i], i};
    qsort(p, o->n, sizeof *p, compare_places);
    return p;
}

/* out[i]: share of g (1 if NULL) that lies below x_i, half of what ties with it. */
static void shares_below(const struct pair *o, const struct place *p, const double *g, double *out) {
    double below = 0;
    for (size_t from = 0, to; from < o->n; from = to) {
        double tie = 0;
        for (to = from; to < o->n && p[to].x == p[from].x; to++) tie += o->w[p[to].at] * (g ? g[p[to].at] : 1) / o->sum;
        for (size_t i = from; i < to; i++) out[p[i].at] = below + tie / 2;
        below += tie;
    }
}

static double weighted_mean(const struct pair *o, const double *f, const double *g) {
    double sum = 0;
    for (size_t i = 0; i < o->n; i++) sum += o->w[i] * f[i] * g[i] / o->sum;
    return sum;
}

/* With mid-ranks F and G, r = (E FG - 1/4) / sqrt((E FF - 1/4) (E GG - 1/4)). A respondent at (x, y) changes E FG by
 * F(x) G(y) + E[s(x, X) G(Y)] + E[F(X) s(y, Y)] - 3 E FG, s(x, X) being 1 where x lies below X and 1/2 where they tie. */
static void spearman(struct pair *o) {
    size_t n = o->n;
    double *room = rsp_malloc((6 * n + 1) * sizeof *room), *f = room, *g = f + n, *gx = g + n, *fx = gx + n,
           *fy = fx + n, *gy = fy + n;
    struct place *px = sorted(o, o->x), *py = sorted(o, o->y);
    shares_below(o, px, NULL, f);
    shares_below(o, py, NULL, g);
    shares_below(o, px, g, gx); /* E[G(Y) of those below x]; E G = 1/2 is all of it */
    shares_below(o, px, f, fx);
    shares_below(o, py, f, fy);
    shares_below(o, py, g, gy);
    double fg = weighted_mean(o, f, g), ff = weighted_mean(o, f, f), gg = weighted_mean(o, g, g);
    double a = fg - 0.25, b = ff - 0.25, c = gg - 0.25;
    o->usable = n > 1 && b > 1e-12 && c > 1e-12;
    o->r = o->usable ? a / sqrt(b * c) : NAN;
    for (size_t i = 0; o->usable && i < n; i++) {
        double da = f[i] * g[i] + (0.5 - gx[i]) + (0.5 - fy[i]) - 3 * fg, db = f[i] * f[i] + 2 * (0.5 - fx[i]) - 3 * ff,
               dc = g[i] * g[i] + 2 * (0.5 - gy[i]) - 3 * gg;
        o->z[i] = (da / sqrt(b * c) - o->r / 2 * (db / b + dc / c)) / o->sum;
    }
    free(px), free(py), free(room);
}

/* ---- polychoric ------------------------------------------------------------------------------------------------- */

static bool is_ordinal(const rsp_exploration *x, size_t variable) {
    for (size_t k = 0; k < x->n_ordered; k++)
        if (x->ordered[k] == variable) return true;
    return x->all_ordered;
}

enum { MOST_CATEGORIES = 64 };

static int compare_numbers(const void *a, const void *b) {
    double x = *(const double *) a, y = *(const double *) b;
    return (x > y) - (x < y);
}

/* Answers of an item become 0, 1, ...; how many thresholds lie between them, 0 if there are too few or too many answers. */
static size_t code_item(struct answers *t, size_t item) {
    double seen[MOST_CATEGORIES + 1];
    size_t n = 0;
    for (size_t i = 0; i < t->n && n <= MOST_CATEGORIES; i++) {
        double y = t->value[i * t->p + item];
        size_t k = 0;
        while (k < n && seen[k] != y) k++;
        if (k == n && !isnan(y)) seen[n++] = y;
    }
    if (n < 2 || n > MOST_CATEGORIES) return 0;
    qsort(seen, n, sizeof *seen, compare_numbers);
    for (size_t i = 0; i < t->n; i++) {
        double *y = &t->value[i * t->p + item];
        size_t k = 0;
        while (!isnan(*y) && seen[k] != *y) k++;
        if (!isnan(*y)) *y = (double) k;
    }
    return n - 1;
}

static void estimate_polychoric(struct answers *t) {
    size_t *thresholds = RSP_ARRAY(t->a, size_t, t->p + 1);
    t->usable = t->n > 1;
    for (size_t j = 0; j < t->p; j++) {
        if (!is_ordinal(t->x, t->x->items[j])) continue;
        thresholds[j] = code_item(t, j);
        t->usable = t->usable && thresholds[j] > 0;
    }
    if (!t->usable) return;
    rsp_item_layout_new(t->p, thresholds, t->a, &t->layout);
    t->stat = RSP_ARRAY(t->a, double, t->layout.q);
    t->influence = RSP_ARRAY(t->a, double, t->n * t->layout.q + 1);
    t->usable = rsp_polychoric(&t->layout, &(rsp_item_answers){t->n, t->value, t->w}, t->stat, NULL, t->influence);
}

/* From covariances, where an item is numeric, to correlations. j > k. */
static void polychoric(const struct answers *t, size_t j, size_t k, struct pair *o) {
    const rsp_item_layout *l = &t->layout;
    size_t item[2] = {j, k}, at = rsp_item_pair(l, j, k);
    double scale = 1;
    for (int i = 0; i < 2; i++)
        if (l->variance[item[i]] != RSP_NONE) scale *= sqrt(t->stat[l->variance[item[i]]]);
    o->usable = true;
    o->r = t->stat[at] / scale;
    o->n = t->n; /* thresholds rest on all who answered their item */
    for (size_t i = 0; i < t->n; i++) {
        const double *u = t->influence + i * l->q;
        o->place[i] = i;
        o->w[i] = t->w[i];
        o->z[i] = u[at] / scale;
        for (int h = 0; h < 2; h++)
            if (l->variance[item[h]] != RSP_NONE)
                o->z[i] -= o->r / 2 * u[l->variance[item[h]]] / t->stat[l->variance[item[h]]];
    }
}

/* ---- rows of results -------------------------------------------------------------------------------------------- */

static bool variance_of(const struct answers *t, const struct pair *o, double *variance, double *df) {
    *variance = 0;
    *df = NAN;
    if (!t->x->weighted) {
        for (size_t i = 0; i < o->n; i++) *variance += o->z[i] * o->z[i];
        return true;
    }
    uint32_t *row = rsp_malloc((o->n + 1) * sizeof *row);
    uint8_t *take = rsp_calloc(t->s->n + 1, 1);
    for (size_t i = 0; i < o->n; i++) take[row[i] = t->row[o->place[i]]] = 1;
    bool ok = rsp_taylor_rows(t->s, NULL, &(rsp_influence){o->n, row, o->z}, 1, variance, t->d);
    *df = rsp_design_df(t->s, take);
    free(row), free(take);
    return ok;
}

static void set_error(const struct answers *t, const struct pair *o, rsp_row *row) {
    double variance, r = o->r;
    bool ok = variance_of(t, o, &variance, &row->df);
    if (!ok) row->flags |= RSP_F_LONELY;
    if (!ok || !(variance > 1e-28) || !(fabs(r) < 1)) return;
    row->se = sqrt(variance);
    rsp_row_interval(row); /* flags a lack of degrees of freedom */
    if (isnan(row->lower)) return;
    double half = (row->upper - row->lower) / 2 / (1 - r * r);
    row->lower = tanh(atanh(r) - half);
    row->upper = tanh(atanh(r) + half);
    row->p = rsp_t_two_sided(r / row->se, row->df);
}

static const char *item(const struct answers *t, size_t j) {
    return t->s->frame->study->variables[t->x->items[j]].name;
}

static void add_pair(const struct answers *t, size_t j, size_t k) {
    static const char *const names[] = {"correlation", "correlation_rank", "correlation_polychoric"};
    struct pair o;
    pair_new(t, j, k, &o);
    rsp_row *r = rsp_results_add(t->out, t->an->id, t->domain, item(t, k), item(t, j), names[t->x->correlation]);
    r->n = (double) o.n;
    r->base = (int64_t) o.n;
    switch (t->x->correlation) {
    case RSP_PEARSON: product_moment(&o); break;
    case RSP_SPEARMAN: spearman(&o); break;
    case RSP_POLYCHORIC:
        if (t->usable) polychoric(t, j, k, &o);
        break;
    }
    if (o.usable) {
        r->estimate = o.r;
        set_error(t, &o, r);
    } else {
        r->flags = r->n > 0 ? RSP_F_SINGULAR : RSP_F_EMPTY;
    }
    pair_free(&o);
}

static void add_domain(const rsp_sample *s, const rsp_analysis *an, const char *domain, const uint8_t *take,
                       rsp_results *out, rsp_diag *d) {
    rsp_arena *a = rsp_arena_new();
    struct answers t = {.an = an,
                        .x = &an->exploration,
                        .s = s,
                        .domain = domain,
                        .p = an->exploration.n_items,
                        .out = out,
                        .a = a,
                        .d = d};
    read_answers(&t, take);
    if (t.x->correlation == RSP_POLYCHORIC) estimate_polychoric(&t);
    for (size_t j = 1; j < t.p; j++)
        for (size_t k = 0; k < j; k++) add_pair(&t, j, k);
    rsp_arena_free(a);
}

void rsp_measure_correlations(const rsp_sample *s, const rsp_analysis *an, rsp_results *out, rsp_diag *d) {
    rsp_arena *a = rsp_arena_new();
    uint8_t *all = RSP_ARRAY(a, uint8_t, s->n + 1), *take = RSP_ARRAY(a, uint8_t, s->n + 1);
    memset(all, 1, s->n);
    if (an->filter) rsp_eval_filter(s->frame, an->filter, all);
    add_domain(s, an, NULL, all, out, d);
    for (size_t b = 0; b < an->exploration.n_by; b++) {
        rsp_categories c;
        const char *name = s->frame->study->variables[an->exploration.by[b]].name;
        rsp_categorise(s->frame, an->exploration.by[b], a, &c);
        for (size_t k = 0; k < c.n; k++) {
            for (size_t i = 0; i < s->n; i++) take[i] = all[i] && c.category[i] == (int32_t) k;
            add_domain(s, an, rsp_domain_text(a, 1, &name, &c.code[k]), take, out, d);
        }
    }
    rsp_arena_free(a);
}
