/* Two-step random effects: estimates of groups (countries, studies) and their variances become one.
 *
 * y_i ~ N(mu, tau2 + v_i); tau2 by restricted or full maximum likelihood (Viechtbauer 2005). The mean's error is
 * Hartung and Knapp's (2001) with k - 1 degrees of freedom, not made larger where groups agree by chance; the prediction
 * interval for a further group is Higgins, Thompson and Spiegelhalter's (2009) with that error; I2 rests on the typical
 * variance of Higgins and Thompson (2002). With `of`, the groups' estimates are coefficients of a model fitted to each
 * group alone, without the terms that tell groups apart. */
#include "model/fit.h"
#include "model/impute.h"
#include "model/rubin.h"
#include "responsive/clean.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* What is pooled: k estimates with their variances. */
struct studies {
    size_t k;
    const double *y, *v;
};

/* ---- numbers ---------------------------------------------------------------------------------------------------- */

struct sums {
    double w, w2, w3, mean, square; /* sums of weights' powers; weighted mean; sum of w^2 (y - mean)^2 */
    double spread, loglik_part;     /* sum of w (y - mean)^2; sum of log w */
};

static struct sums sums_at(const struct studies *s, double tau2) {
    struct sums x = {0};
    for (size_t i = 0; i < s->k; i++) {
        double w = 1 / (s->v[i] + tau2);
        x.w += w, x.w2 += w * w, x.w3 += w * w * w;
        x.mean += w * s->y[i];
        x.loglik_part += log(w);
    }
    x.mean /= x.w;
    for (size_t i = 0; i < s->k; i++) {
        double w = 1 / (s->v[i] + tau2), e = s->y[i] - x.mean;
        x.spread += w * e * e;
        x.square += w * w * e * e;
    }
    return x;
}

/* Twice the (restricted) log-likelihood of tau2, up to a constant. */
static double profile(const struct studies *s, double tau2, bool ml) {
    struct sums x = sums_at(s, tau2);
    return x.loglik_part - x.spread - (ml ? 0 : log(x.w));
}

/* Its derivative. */
static double slope(const struct studies *s, double tau2, bool ml) {
    struct sums x = sums_at(s, tau2);
    return x.square - x.w + (ml ? 0 : x.w2 / x.w);
}

/* The likelihood may have two maxima: the best point of a grid, then the zero of the slope beside it. */
static double estimate_tau2(const struct studies *s, bool ml) {
    enum { POINTS = 200 };
    double low = INFINITY, high = 0, mean = 0, range = 0, grid[POINTS];
    for (size_t i = 0; i < s->k; i++) mean += s->y[i] / (double) s->k;
    for (size_t i = 0; i < s->k; i++) {
        low = fmin(low, s->v[i]);
        high = fmax(high, s->v[i]);
        range += (s->y[i] - mean) * (s->y[i] - mean);
    }
    double from = low * 1e-4, to = 10 * (range + high);
    size_t best = 0;
    for (size_t j = 0; j < POINTS; j++) {
        grid[j] = j ? from * pow(to / from, (double) (j - 1) / (POINTS - 2)) : 0;
        if (profile(s, grid[j], ml) > profile(s, grid[best], ml)) best = j;
    }
    double a = best ? grid[best - 1] : 0, b = grid[best + 1 < POINTS ? best + 1 : best];
    if (slope(s, a, ml) <= 0) return a == 0 ? 0 : grid[best];
    for (int k = 0; k < 200 && b - a > 1e-15 * b; k++) {
        double middle = a + (b - a) / 2;
        if (slope(s, middle, ml) > 0) a = middle;
        else b = middle;
    }
    return a + (b - a) / 2;
}

static rsp_pool pool_studies(const struct studies *s, bool ml) {
    rsp_pool p = {.tau2 = estimate_tau2(s, ml), .df = (double) s->k - 1};
    struct sums x = sums_at(s, p.tau2), fixed = sums_at(s, 0);
    p.mean = x.mean;
    p.mean_se = sqrt(x.spread / p.df / x.w);
    p.tau2_se = sqrt(2 / (ml ? x.w2 : x.w2 - 2 * x.w3 / x.w + x.w2 * x.w2 / (x.w * x.w)));
    p.q = fixed.spread;
    p.q_p = rsp_chisq_upper(p.q, p.df);
    double typical = p.df * fixed.w / (fixed.w * fixed.w - fixed.w2);
    p.i2 = p.tau2 / (p.tau2 + typical);
    p.prediction_se = sqrt(p.tau2 + p.mean_se * p.mean_se);
    return p;
}

rsp_pool rsp_pool_estimates(size_t k, const double *estimate, const double *variance, bool ml) {
    struct studies s = {k, estimate, variance};
    return pool_studies(&s, ml);
}

/* ---- what is pooled --------------------------------------------------------------------------------------------- */

/* Groups or rows in order; `used` ones are pooled. */
struct work {
    rsp_sample *s;
    const rsp_analysis *a;
    rsp_arena *arena;
    size_t n, k;
    double *y, *v;        /* [k] */
    const char **name;    /* [k] domain of a group: "country=PL"; row: its case's name */
    rsp_group_fit *group; /* [n] with `of` */
    const char **domain;  /* [n] */
    int64_t respondents, organisations, least_cell;
    uint32_t flags;
};

static void push(struct work *w, double y, double v, const char *name) {
    w->y[w->k] = y;
    w->v[w->k] = v;
    w->name[w->k++] = name;
}

static void make_room(struct work *w, size_t n) {
    w->n = n;
    w->y = RSP_ARRAY(w->arena, double, n + 1);
    w->v = RSP_ARRAY(w->arena, double, n + 1);
    w->name = RSP_ARRAY(w->arena, const char *, n + 1);
}

/* The rows are studies, not respondents: they go by the names that the file gives them. */
static const char *study_name(const struct work *w, size_t i) {
    const rsp_frame *f = w->s->frame;
    char text[256];
    size_t id = f->study->roles.id;
    return rsp_strdup(w->arena, id != RSP_NONE && rsp_valid(f, id, i) ? rsp_cell_text(f, id, i, text)
                                                                      : rsp_case_name(f, i, text));
}

/* A row is an estimate with its variance. */
static bool from_columns(struct work *w, rsp_diag *d) {
    const rsp_frame *f = w->s->frame;
    const rsp_model *m = &w->a->model;
    uint8_t *take = rsp_malloc(f->n ? f->n : 1);
    size_t bad = 0;
    memset(take, 1, f->n);
    if (w->a->filter) rsp_eval_filter(f, w->a->filter, take);
    make_room(w, f->n);
    for (size_t i = 0; i < f->n; i++) {
        double y = rsp_value(f, m->estimate, i), v = rsp_value(f, m->variance, i);
        if (!take[i] || isnan(y) || isnan(v)) continue;
        if (!(v > 0)) {
            bad++;
            rsp_report(d, RSP_ERR_DATA, w->a->loc, "variances are above 0: leave such rows out by `filter`",
                       "the variance of %s in model '%s' is not above 0", study_name(w, i), w->a->id);
            continue;
        }
        push(w, y, v, study_name(w, i));
    }
    w->respondents = (int64_t) w->k;
    w->organisations = w->least_cell = -1;
    free(take);
    return !bad;
}

/* The group's estimates on n completed data sets by Rubin's rules: first within groups, then over them (Burgess, White,
 * Resche-Rigon and Wood 2013). */
static rsp_group_fit pool_fits(const rsp_group_fit *each, size_t n, rsp_arena *a) {
    rsp_group_fit x = each[0];
    double *q = RSP_ARRAY(a, double, n), *u = RSP_ARRAY(a, double, n), df = 0;
    if (n == 1) return x;
    for (size_t k = 0; k < n; k++) {
        q[k] = each[k].estimate;
        u[k] = each[k].variance;
        df += each[k].df / (double) n;
        x.found = x.found || each[k].found;
        x.flags |= each[k].flags;
        if (each[k].n < x.n) x.n = each[k].n;
        if (each[k].cell < x.cell) x.cell = each[k].cell;
        if (each[k].organisations < x.organisations) x.organisations = each[k].organisations;
    }
    rsp_rubin r = rsp_rubin_pool(q, u, n, df);
    x.estimate = r.estimate;
    x.variance = r.total;
    x.df = df <= 0 ? df : r.df; /* no degrees of freedom stay none */
    return x;
}

/* One group's estimate: take[k][n] its respondents in the k-th of n_samples samples. */
static rsp_group_fit fit_one(struct work *w, rsp_sample *samples, size_t n_samples, uint8_t *const *take, rsp_diag *d) {
    const rsp_model *m = &w->a->model;
    rsp_analysis of = w->s->frame->study->analyses[m->of];
    rsp_group_fit *each = RSP_ARRAY(w->arena, rsp_group_fit, n_samples);
    for (size_t k = 0; k < n_samples; k++) {
        rsp_mdomain domain = {take[k], m->across};
        each[k] = rsp_fit_group(&samples[k], &of, &domain, m->term, d);
    }
    return pool_fits(each, n_samples, w->arena);
}

static bool from_groups(struct work *w, rsp_diag *d) {
    const rsp_frame *f = w->s->frame;
    const rsp_model *m = &w->a->model;
    const rsp_variable *across = &f->study->variables[m->across];
    rsp_categories groups;
    size_t n_samples;
    rsp_sample *samples = rsp_completed(w->s, w->a, &n_samples, d);
    uint8_t **mine = RSP_ARRAY(w->arena, uint8_t *, n_samples), **take = RSP_ARRAY(w->arena, uint8_t *, n_samples);
    bool found = false;
    rsp_categorise(f, m->across, w->arena, &groups);
    make_room(w, groups.n);
    w->group = RSP_ARRAY(w->arena, rsp_group_fit, groups.n + 1);
    w->domain = RSP_ARRAY(w->arena, const char *, groups.n + 1);
    w->least_cell = INT64_MAX;
    for (size_t k = 0; k < n_samples; k++) {
        mine[k] = RSP_ARRAY(w->arena, uint8_t, f->n + 1);
        take[k] = RSP_ARRAY(w->arena, uint8_t, f->n + 1);
        memset(mine[k], 1, f->n);
        if (w->a->filter) rsp_eval_filter(samples[k].frame, w->a->filter, mine[k]);
    }
    for (size_t g = 0; g < groups.n; g++) {
        for (size_t k = 0; k < n_samples; k++)
            for (size_t i = 0; i < f->n; i++) take[k][i] = mine[k][i] && groups.category[i] == (int32_t) g;
        rsp_group_fit *x = &w->group[g];
        *x = fit_one(w, samples, n_samples, take, d);
        w->domain[g] = rsp_domain_text(w->arena, 1, &across->name, &groups.code[g]);
        found |= x->found;
        if (!(x->variance > 0)) continue;
        push(w, x->estimate, x->variance, w->domain[g]);
        w->respondents += (int64_t) x->n;
        w->organisations = x->organisations < 0 ? -1 : w->organisations + x->organisations;
        if (x->cell < w->least_cell) w->least_cell = x->cell;
    }
    if (!w->k) w->least_cell = -1;
    if (found || !groups.n) return true;
    rsp_report(d, RSP_ERR_DATA, w->a->loc, "name a coefficient that the model has within a group",
               "no group of '%s' has the term '%s' of model '%s', to be pooled in model '%s'", across->name, m->term,
               f->study->analyses[m->of].id, w->a->id);
    return false;
}

/* ---- rows ------------------------------------------------------------------------------------------------------- */

static rsp_row *add_row(const struct work *w, rsp_results *out, const char *domain, const char *level,
                        const char *statistic) {
    rsp_row *r = rsp_results_add(out, w->a->id, domain, NULL, level, statistic);
    r->n = (double) w->respondents;
    r->base = w->respondents;
    r->organisations = w->organisations;
    r->flags = w->flags;
    return r;
}

/* The groups' own estimates, on the same footing: t on the design's degrees of freedom in the group. */
static void write_groups(const struct work *w, rsp_results *out) {
    for (size_t g = 0; w->group && g < w->n; g++) {
        const rsp_group_fit *x = &w->group[g];
        rsp_row *r = rsp_results_add(out, w->a->id, w->domain[g], w->a->model.term, NULL, "coefficient");
        r->n = (double) x->n;
        r->base = (int64_t) x->n;
        r->organisations = x->organisations;
        r->cell = x->cell;
        r->flags = x->flags | (x->n ? 0 : RSP_F_EMPTY);
        if (!(x->variance > 0)) continue;
        r->estimate = x->estimate;
        r->se = sqrt(x->variance);
        r->df = x->df;
        rsp_row_interval(r);
        if (!(r->flags & RSP_F_NO_DF)) r->p = rsp_t_two_sided(r->estimate / r->se, r->df);
    }
}

static void write_mean(const struct work *w, rsp_row *r, const rsp_pool *p) {
    r->cell = w->least_cell;
    r->estimate = p->mean;
    r->se = p->mean_se;
    r->df = p->df;
    rsp_row_interval(r);
    if (r->se > 0) r->p = rsp_t_two_sided(r->estimate / r->se, r->df);
}

static void write_pool(const struct work *w, rsp_results *out) {
    static const char *const all[] = {"pooled", "tau2", "i2", "q", "prediction"};
    struct studies s = {w->k, w->y, w->v};
    if (w->k < 2) { /* one estimate has no spread */
        for (size_t j = 0; j < sizeof all / sizeof *all; j++)
            add_row(w, out, NULL, NULL, all[j])->flags |= w->k ? RSP_F_NO_DF : RSP_F_EMPTY;
        return;
    }
    rsp_pool p = pool_studies(&s, w->a->model.ml);
    write_mean(w, add_row(w, out, NULL, NULL, "pooled"), &p);
    rsp_row *r = add_row(w, out, NULL, NULL, "tau2");
    r->estimate = p.tau2;
    r->se = p.tau2_se;
    add_row(w, out, NULL, NULL, "i2")->estimate = p.i2;
    r = add_row(w, out, NULL, NULL, "q");
    r->estimate = p.q;
    r->df = p.df;
    r->p = p.q_p;
    r = add_row(w, out, NULL, NULL, "prediction");
    r->cell = w->least_cell;
    r->estimate = p.mean;
    if (w->a->model.mixture) {
        if (!rsp_prediction_interval(w->k, w->y, w->v, &r->lower, &r->upper)) r->flags |= RSP_F_SINGULAR;
        return;
    }
    r->se = p.prediction_se;
    r->df = p.df;
    rsp_row_interval(r);
}

/* Level: what is left out, the group's code or the case. */
static void write_leave_one_out(const struct work *w, rsp_results *out) {
    if (!w->a->model.leave_one_out || w->k < 3) return;
    double *y = rsp_malloc(w->k * sizeof *y), *v = rsp_malloc(w->k * sizeof *v);
    for (size_t i = 0; i < w->k; i++) {
        size_t n = 0;
        for (size_t j = 0; j < w->k; j++)
            if (j != i) y[n] = w->y[j], v[n++] = w->v[j];
        struct studies s = {n, y, v};
        rsp_pool p = pool_studies(&s, w->a->model.ml);
        const char *sign = strchr(w->name[i], '=');
        write_mean(w, add_row(w, out, NULL, w->group && sign ? sign + 1 : w->name[i], "pooled_without"), &p);
    }
    free(y);
    free(v);
}

void rsp_fit_pooled(rsp_sample *s, const rsp_analysis *a, rsp_results *out, rsp_diag *d) {
    struct work w = {.s = s, .a = a, .arena = rsp_arena_new()};
    if (a->model.of == RSP_NONE ? from_columns(&w, d) : from_groups(&w, d)) {
        write_groups(&w, out);
        write_pool(&w, out);
        write_leave_one_out(&w, out);
    }
    rsp_arena_free(w.arena);
}
