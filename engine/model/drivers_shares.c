/* Shares of explained variance, associations of a factor alone, the estimate once more with something changed: all from
 * sums of products, which are made once for the sample, each replicate and each variant of its weights.
 *
 * Shares are Lindeman, Merenda and Gold's, groups and controls always first; their intervals are the middle 95 % of the
 * replicates of a bootstrap (Rao and Wu 1988). Alone, a factor stands with groups and controls but without the other
 * factors: what the other factors explain of it is then ascribed to it. */
#include "model/drivers.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct shares {
    drv_run *x;
    rsp_arena *a; /* what is not needed afterwards: columns, sums */
    rsp_columns *c;
    size_t f, n_estimable; /* factors; of these with a coefficient of their own */
    int32_t *group;        /* [n] groups that occur, numbered 0 .. */
    size_t *group_at;      /* [n_groups of c] their place in x->group */
    double *sums;          /* of the sample */
    rsp_partial whole;
    const rsp_replicates *replicates; /* of shares; NULL: none */
    double *left;                     /* [replicates][(f+1)^2 + 1]: what is shared, g of rsp_partial, and its total */
    double *rep;                      /* [replicates][2 f]: share, explained */
    double *alone;                    /* [replicates][f] where these replicates are the variance too */
};

/* ---- columns ---------------------------------------------------------------------------------------------------- */

/* Groups that occur among the rows, in their order. */
static size_t number_groups(struct shares *s) {
    const drv_run *x = s->x;
    const rsp_mmatrix *m = x->all.m;
    int32_t *place = RSP_ARRAY(s->a, int32_t, x->n_groups + 1), n = 0;
    s->group = RSP_ARRAY(s->a, int32_t, m->n + 1);
    s->group_at = RSP_ARRAY(s->a, size_t, x->n_groups + 1);
    for (size_t i = 0; i < m->n; i++)
        if (x->groups.category[m->row[i]] >= 0) place[x->groups.category[m->row[i]]] = 1;
    for (size_t g = 0; g < x->n_groups; g++)
        if (place[g]) s->group_at[n] = g, place[g] = n++;
    for (size_t i = 0; i < m->n; i++) s->group[i] = place[x->groups.category[m->row[i]]];
    return (size_t) n;
}

static void build_columns(struct shares *s) {
    drv_run *x = s->x;
    const rsp_mmatrix *m = x->all.m;
    size_t across = m->n_terms - 1, k = 0, n = 0, groups = number_groups(s);
    const double **column = RSP_ARRAY(s->a, const double *, m->k + 1);
    for (size_t j = 0; j < m->k; j++) { /* controls that can be estimated */
        size_t t = m->columns[j].term;
        if (t == RSP_NONE || t < s->f || t == across ||
            x->all.flags[j] & (RSP_F_EMPTY | RSP_F_SINGULAR | RSP_F_UNANSWERED))
            continue;
        column[n++] = m->columns[j].x;
        k++;
    }
    for (size_t j = 0; j < m->k; j++)
        if (m->columns[j].term != RSP_NONE && m->columns[j].term < s->f) column[n++] = m->columns[j].x;
    column[n++] = m->y;
    s->c = rsp_columns_new(s->a, m->n, m->row, groups, s->group, k, s->f, column);
}

/* ---- shares ----------------------------------------------------------------------------------------------------- */

static size_t left_size(size_t f) { return (f + 1) * (f + 1) + 1; }

static void note_left(const rsp_partial *p, double *left) {
    memcpy(left, p->g, (p->f + 1) * (p->f + 1) * sizeof *left);
    left[(p->f + 1) * (p->f + 1)] = p->total;
}

/* out [2f]: share of what all factors explain, share of the outcome's variance. NaN where there is nothing to share. */
static void shares_of(size_t f, const double *explained, double total, double *out) {
    double sum = 0;
    for (size_t k = 0; k < f; k++) sum += explained[k * RSP_SHARE_LANES];
    for (size_t k = 0; k < f; k++) {
        out[k] = sum > 0 ? explained[k * RSP_SHARE_LANES] / sum : NAN;
        out[f + k] = total > 0 ? explained[k * RSP_SHARE_LANES] / total : NAN;
    }
}

/* Of n <= RSP_SHARE_LANES: left [n] to out [n][2f]. */
static void share_out(size_t f, const double *left, size_t n, double *out) {
    enum { LANES = RSP_SHARE_LANES };
    size_t size = left_size(f);
    double *g = rsp_calloc((size + f) * LANES, sizeof *g), *explained = g + size * LANES;
    for (size_t l = 0; l < n; l++)
        for (size_t j = 0; j < size; j++) g[j * LANES + l] = left[l * size + j];
    rsp_partial_shares(f, g, explained);
    for (size_t l = 0; l < n; l++) shares_of(f, explained + l, left[l * size + size - 1], out + l * 2 * f);
    free(g);
}

static void share_out_replicates(struct shares *s) {
    size_t n = rsp_replicates_count(s->replicates), size = left_size(s->f);
#pragma omp parallel for schedule(dynamic, 1) num_threads(rsp_threads())
    for (size_t k = 0; k < n; k += RSP_SHARE_LANES)
        share_out(s->f, s->left + k * size, n - k < RSP_SHARE_LANES ? n - k : RSP_SHARE_LANES, s->rep + k * 2 * s->f);
}

static double alone_of(const rsp_partial *p, size_t k) {
    size_t m = p->f + 1;
    return p->g[k * m + k] > 0 ? p->g[k * m + p->f] / p->g[k * m + k] : NAN;
}

static void use_replicate(void *context, size_t replicate, const double *sums) {
    const struct shares *s = context;
    rsp_arena *a = rsp_arena_new();
    rsp_partial p = rsp_partial_new(a, s->c);
    rsp_partial_of(s->c, sums, NULL, &p);
    if (s->left) note_left(&p, s->left + replicate * left_size(s->f));
    for (size_t k = 0; s->alone && k < s->f; k++) s->alone[replicate * s->f + k] = alone_of(&p, k);
    rsp_arena_free(a);
}

static int compare_doubles(const void *x, const void *y) {
    double a = *(const double *) x, b = *(const double *) y;
    return (a > b) - (a < b);
}

void drv_spread(double *v, size_t n, double *se, double *low, double *high) {
    double mean = 0, sum = 0;
    *se = *low = *high = NAN;
    if (n < 2) return;
    qsort(v, n, sizeof *v, compare_doubles);
    for (size_t r = 0; r < n; r++) mean += v[r] / (double) n;
    for (size_t r = 0; r < n; r++) sum += (v[r] - mean) * (v[r] - mean);
    double limits[2] = {0.025, 0.975}, at[2];
    for (size_t q = 0; q < 2; q++) { /* between the neighbouring values in proportion (Hyndman and Fan's type 7) */
        double place = limits[q] * (double) (n - 1);
        size_t below = (size_t) place, above = below + 1 < n ? below + 1 : below;
        at[q] = v[below] + (place - (double) below) * (v[above] - v[below]);
    }
    *se = sqrt(sum / (double) (n - 1));
    *low = at[0], *high = at[1];
}

/* Of statistic j over the replicates that have it. */
static void spread(const struct shares *s, size_t j, double *se, double *low, double *high) {
    size_t n = rsp_replicates_count(s->replicates), used = 0;
    double *v = rsp_malloc((n + 1) * sizeof *v);
    for (size_t r = 0; r < n; r++)
        if (!isnan(s->rep[r * 2 * s->f + j])) v[used++] = s->rep[r * 2 * s->f + j];
    drv_spread(v, used, se, low, high);
    free(v);
}

static void write_shares(struct shares *s) {
    drv_run *x = s->x;
    double *whole = RSP_ARRAY(x->arena, double, 2 * s->f), *left = RSP_ARRAY(s->a, double, left_size(s->f));
    note_left(&s->whole, left);
    share_out(s->f, left, 1, whole);
    for (size_t k = 0; k < s->f; k++) {
        drv_factor *f = &x->factor[k];
        f->share = whole[k];
        f->explained = whole[s->f + k];
        if (!s->replicates || isnan(f->share)) continue;
        spread(s, k, &f->share_se, &f->share_low, &f->share_high);
        spread(s, s->f + k, &f->explained_se, &f->explained_low, &f->explained_high);
    }
}

/* ---- alone ------------------------------------------------------------------------------------------------------ */

/* Influence of a row on the coefficient: its residual of the factor times its residual of the outcome, over the sum of
 * the factor's squares; groups and controls are gone from both (Frisch and Waugh 1933). */
static void linearised(struct shares *s, double *variance, uint32_t *flags) {
    const rsp_columns *c = s->c;
    size_t f = s->f, m = f + 1;
    double *r = rsp_malloc((c->n * m + 1) * sizeof *r), *z = rsp_malloc((c->n * f + 1) * sizeof *z),
           *vcov = rsp_calloc(f * f + 1, sizeof *vcov);
    uint32_t *row = rsp_malloc((c->n + 1) * sizeof *row);
    rsp_influence *influence = rsp_malloc((f + 1) * sizeof *influence);
    rsp_partial_residuals(c, s->sums, &s->whole, r);
    for (size_t i = 0; i < c->n; i++) row[i] = (uint32_t) c->row[i];
    for (size_t k = 0; k < f; k++) {
        double b = alone_of(&s->whole, k), square = s->whole.g[k * m + k];
        for (size_t i = 0; i < c->n; i++)
            z[k * c->n + i] = isnan(b) ? 0 : r[i * m + k] * (r[i * m + f] - b * r[i * m + k]) / square;
        influence[k] = (rsp_influence){c->n, row, z + k * c->n};
    }
    if (!rsp_taylor_rows(s->x->s, NULL, influence, f, vcov, s->x->d)) {
        *flags |= RSP_F_LONELY;
        for (size_t k = 0; k < f * f; k++) vcov[k] = NAN;
    }
    for (size_t k = 0; k < f; k++) variance[k] = vcov[k * f + k];
    free(r), free(z), free(vcov), free(row), free(influence);
}

static void write_alone(struct shares *s, const rsp_replicates *of_variance) {
    drv_run *x = s->x;
    size_t f = s->f;
    double *variance = RSP_ARRAY(x->arena, double, f), *full = RSP_ARRAY(x->arena, double, f),
           *vcov = RSP_ARRAY(x->arena, double, f *f);
    uint32_t flags = 0;
    for (size_t k = 0; k < f; k++) full[k] = alone_of(&s->whole, k);
    if (of_variance) {
        size_t failed = 0;
        rsp_replicate_variance(of_variance, s->alone, full, f, vcov, &failed);
        if (failed) flags |= RSP_F_REPLICATES_FAILED;
        for (size_t k = 0; k < f; k++) variance[k] = vcov[k * f + k];
    } else {
        linearised(s, variance, &flags);
    }
    for (size_t k = 0; k < f; k++) {
        drv_value *v = &x->factor[k].alone;
        *v = (drv_value){full[k], NAN, NAN, NAN, NAN, NAN, flags, (int64_t) s->c->n};
        if (isnan(full[k])) v->flags |= s->c->n ? RSP_F_SINGULAR : RSP_F_EMPTY;
        if (isnan(full[k]) || isnan(variance[k])) continue;
        v->se = sqrt(variance[k]);
        v->df = x->all.df + (double) s->n_estimable - 1;
        drv_complete(v);
    }
}

/* ---- variants --------------------------------------------------------------------------------------------------- */

static void add_variant(struct shares *s, const char *level, const double *sums, const uint8_t *skip, size_t n,
                        int64_t out) {
    drv_run *x = s->x;
    drv_variant v = {level, n, out, RSP_ARRAY(x->arena, double, s->f)};
    rsp_partial p = rsp_partial_new(s->a, s->c);
    rsp_partial_of(s->c, sums, skip, &p);
    rsp_partial_coefficients(&p, v.b);
    RSP_PUSH(x->variant, x->n_variants, x->variants_capacity, v);
}

/* Only rows with keep, each with its weight (w NULL: 1). */
static void variant_of_rows(struct shares *s, const char *level, const uint8_t *keep, const double *w) {
    const rsp_columns *c = s->c;
    double *sums = rsp_malloc((rsp_products_size(c) + 1) * sizeof *sums), *use = rsp_malloc((c->n + 1) * sizeof *use);
    size_t n = 0;
    for (size_t i = 0; i < c->n; i++) {
        use[i] = keep && !keep[i] ? 0 : w ? w[i] : 1;
        n += !keep || keep[i];
    }
    rsp_products(c, use, sums);
    add_variant(s, level, sums, NULL, n, keep ? (int64_t) (c->n - n) : -1);
    free(sums);
    free(use);
}

static void without_flagged(struct shares *s) {
    const rsp_mmatrix *m = s->x->all.m;
    uint8_t *keep = rsp_malloc(m->n + 1);
    bool any = false;
    for (size_t i = 0; i < m->n; i++) {
        keep[i] = !s->x->s->frame->flags[m->row[i]];
        any |= !keep[i];
    }
    if (any) variant_of_rows(s, "unflagged", keep, m->w);
    free(keep);
}

static void without_group(struct shares *s, size_t g) {
    uint8_t *skip = rsp_calloc(s->c->n_groups + 1, 1);
    const drv_group *group = &s->x->group[s->group_at[g]];
    size_t out = 0;
    for (size_t i = 0; i < s->c->n; i++) out += s->group[i] == (int32_t) g;
    skip[g] = 1;
    add_variant(s, group->domain, s->sums, skip, s->c->n - out, (int64_t) out);
    free(skip);
}

static void without_codes(struct shares *s, size_t variable) {
    const rsp_mmatrix *m = s->x->all.m;
    const char *name = s->x->s->frame->study->variables[variable].name;
    uint8_t *keep = rsp_malloc(m->n + 1);
    rsp_categories c;
    rsp_categorise(s->x->s->frame, variable, s->x->arena, &c);
    for (size_t k = 0; k < c.n; k++) {
        size_t out = 0;
        for (size_t i = 0; i < m->n; i++) {
            keep[i] = c.category[m->row[i]] != (int32_t) k;
            out += !keep[i];
        }
        if (out) variant_of_rows(s, rsp_domain_text(s->x->arena, 1, &name, &c.code[k]), keep, m->w);
    }
    free(keep);
}

static void write_variants(struct shares *s) {
    const rsp_drivers *spec = &s->x->a->model.drivers;
    variant_of_rows(s, "unweighted", NULL, NULL);
    without_flagged(s);
    for (size_t g = 0; s->c->n_groups > 1 && g < s->c->n_groups; g++) without_group(s, g);
    for (size_t k = 0; k < spec->n_leave_out; k++) without_codes(s, spec->leave_out[k]);
}

/* ---- all -------------------------------------------------------------------------------------------------------- */

static void clear(drv_factor *f) {
    f->share = f->share_se = f->share_low = f->share_high = NAN;
    f->explained = f->explained_se = f->explained_low = f->explained_high = NAN;
    f->alone = (drv_value){NAN, NAN, NAN, NAN, NAN, NAN, RSP_F_EMPTY, -1};
    f->to_standard = NAN;
}

rsp_variance_spec drv_shares_variance(const rsp_analysis *a) {
    if (a->variance.method == RSP_BOOTSTRAP) return a->variance;
    return (rsp_variance_spec){
        .method = RSP_BOOTSTRAP, .replicates = a->model.drivers.replicates, .seed = a->variance.seed};
}

static void compute(struct shares *s) {
    drv_run *x = s->x;
    const rsp_variance_spec *variance = &x->a->variance;
    build_columns(s);
    s->sums = RSP_ARRAY(s->a, double, rsp_products_size(s->c) + 1);
    rsp_products(s->c, x->all.m->w, s->sums);
    s->whole = rsp_partial_new(s->a, s->c);
    rsp_partial_of(s->c, s->sums, NULL, &s->whole);
    size_t last = (s->f + 1) * (s->f + 1) - 1;
    if (s->whole.total > 0) x->r_squared_held = 1 - s->whole.g[last] / s->whole.total;
    for (size_t k = 0; k < s->f; k++)
        if (s->whole.within[s->f] > 0) x->factor[k].to_standard = sqrt(s->whole.within[k] / s->whole.within[s->f]);

    bool bootstrap = variance->method == RSP_BOOTSTRAP;
    rsp_variance_spec own = drv_shares_variance(x->a);
    const rsp_replicates *of_variance =
        variance->method == RSP_TAYLOR ? NULL : rsp_replicates_get(x->s, variance, x->a->loc, x->d);
    s->replicates = rsp_replicates_get(x->s, &own, x->a->loc, x->d);
    if (of_variance) s->alone = RSP_ARRAY(x->arena, double, rsp_replicates_count(of_variance) * s->f);
    if (of_variance && !bootstrap) rsp_products_replicates(s->c, of_variance, use_replicate, s);
    if (s->replicates) {
        double *alone = s->alone;
        if (!bootstrap) s->alone = NULL; /* those of the variance are there already */
        s->left = RSP_ARRAY(s->a, double, rsp_replicates_count(s->replicates) * left_size(s->f));
        s->rep = RSP_ARRAY(x->arena, double, rsp_replicates_count(s->replicates) * 2 * s->f);
        rsp_products_replicates(s->c, s->replicates, use_replicate, s);
        share_out_replicates(s);
        s->alone = alone;
        x->n_draws = rsp_replicates_count(s->replicates);
        x->draws = s->rep;
    } else {
        x->shares_flags = RSP_F_LONELY;
    }
    write_shares(s);
    write_alone(s, of_variance);
    write_variants(s);
}

void drv_shares(drv_run *x) {
    struct shares s = {.x = x, .f = x->n_factors, .a = rsp_arena_new()};
    x->r_squared_held = NAN;
    for (size_t k = 0; k < s.f; k++) clear(&x->factor[k]);
    for (size_t k = 0; k < s.f; k++) s.n_estimable += !isnan(x->factor[k].all.estimate);
    if (x->all.m->n) compute(&s);
    rsp_arena_free(s.a);
}
