/* Comparability of scales: one ladder for each scale and grouping variable, what was released, alignment, how far group
 * means and items move, and the verdict.
 *
 * Rows bear the term `scale:variable`. Items are used as answered: turning one round changes the sign of its loading and
 * no measure of fit. Groups smaller than `minimum_group`, or in which an item is constant (an ordinal one: without one
 * of its answers), are left out and named. */
#include "measure/alignment.h"
#include "measure/comparability.h"
#include "measure/factor_cells.h"
#include "measure/ladder.h"
#include "responsive/statistics.h"

#include <math.h>
#include <string.h>

static const char *const RUNGS[] = {"configural", "threshold", "metric", "scalar"};
static const char *const PARTIAL[] = {"", "partial_threshold", "partial_metric", "partial_scalar"};

/* One scale by one variable. */
struct comparison {
    const rsp_analysis *an;
    const rsp_invariance *x;
    const char *name, *term; /* scale; `scale:variable` */
    rsp_factor_model model;
    rsp_factor_sample *sample;
    size_t n_factors;
    const char **factor;
    rsp_sem configural;
    rsp_ladder_spec spec;
    rsp_ladder ladder;
    double share[3]; /* loadings, intercepts, both that differ after alignment; NaN: not aligned */
    rsp_grade low, high;
    rsp_results *out;
    rsp_arena *a;
};

/* Of the standard normal distribution. */
static double cumulative(double x) { return 0.5 * erfc(-x * M_SQRT1_2); }

/* ---- groups ----------------------------------------------------------------------------------------------------- */

static rsp_row *add_row(const struct comparison *c, const char *group, const char *term, const char *level,
                        const char *statistic, size_t n) {
    const char *domain = group ? rsp_domain_text(c->a, 1, &c->sample->group_name, &group) : NULL;
    rsp_row *r = rsp_results_add(c->out, c->an->id, domain, term, level, statistic);
    r->n = (double) n;
    r->base = (int64_t) n;
    return r;
}

/* Distinct answers to an item, as many as there is room for. */
struct answers {
    size_t n;
    double value[RSP_MOST_ANSWERS];
};

static void add_answer(struct answers *a, double value) {
    size_t k = 0;
    while (k < a->n && a->value[k] != value) k++;
    if (k == a->n && k < RSP_MOST_ANSWERS && !isnan(value)) a->value[a->n++] = value;
}

/* Those that were given in a group; two are enough to see that an item varies. */
static void read_answers(const rsp_factor_sample *x, size_t group, size_t item, size_t enough, struct answers *a) {
    const rsp_sem_sample *g = &x->group[group];
    for (size_t i = 0; i < g->n && a->n < enough; i++)
        add_answer(a, rsp_value(x->sample->frame, x->variable[item], g->row[i]));
}

static bool is_large(const struct comparison *c, size_t group) {
    return c->sample->group[group].n >= c->x->minimum_group && c->sample->group[group].n > c->sample->n_items;
}

static bool is_ordinal(const struct comparison *c, size_t item) {
    return rsp_limited_information(&c->model) && c->sample->layout.n_thresholds[item] > 0;
}

/* Where an item varies, and an ordinal one has all the answers that the large groups have, in each of these. */
static void find_usable(const struct comparison *c, bool *usable) {
    const rsp_factor_sample *x = c->sample;
    for (size_t i = 0; i < x->n_items; i++) {
        size_t enough = is_ordinal(c, i) ? RSP_MOST_ANSWERS : 2;
        struct answers all = {0};
        for (size_t g = 0; enough > 2 && g < x->n_groups; g++)
            if (is_large(c, g)) read_answers(x, g, i, enough, &all);
        for (size_t g = 0; g < x->n_groups; g++) {
            struct answers own = {0};
            read_answers(x, g, i, enough, &own);
            usable[g] = usable[g] && own.n > 1 && own.n >= all.n;
        }
    }
}

/* Leaves the others out of the sample and says so. */
static void keep_large_groups(struct comparison *c, const rsp_sample *s, rsp_diag *d) {
    const rsp_factor_sample *x = c->sample;
    bool *usable = RSP_ARRAY(c->a, bool, x->n_groups + 1);
    uint8_t *take = RSP_ARRAY(c->a, uint8_t, s->n + 1);
    size_t kept = 0;
    for (size_t g = 0; g < x->n_groups; g++) usable[g] = true;
    find_usable(c, usable);
    for (size_t g = 0; g < x->n_groups; g++) {
        if (usable[g] && is_large(c, g)) {
            for (size_t i = 0; i < x->group[g].n; i++) take[x->group[g].row[i]] = 1;
            kept++;
            continue;
        }
        rsp_row *r = add_row(c, x->code[g], c->term, NULL, "group_size", x->group[g].n);
        r->estimate = (double) x->group[g].n;
        r->flags = is_large(c, g) ? RSP_F_SINGULAR : RSP_F_LOW_BASE;
    }
    if (kept < x->n_groups) c->sample = rsp_factor_sample_new(s, &c->model, c->an->filter, take, c->a, d);
}

/* ---- rungs ------------------------------------------------------------------------------------------------------ */

static uint32_t failure(const rsp_sem_fit *f) {
    if (f->status == RSP_SEM_NO_VARIANCE) return RSP_F_LONELY;
    return f->status == RSP_SEM_NOT_CONVERGED ? RSP_F_NOT_CONVERGED : RSP_F_SINGULAR;
}

static void add_measure(const struct comparison *c, const rsp_rung_fit *f, const char *level, const char *statistic,
                        double x) {
    rsp_row *r = add_row(c, NULL, c->term, level, statistic, c->sample->n);
    if (!f->good) r->flags = failure(&f->fit);
    else if (isfinite(x)) r->estimate = x;
    if (f->good && f->fit.heywood) r->flags |= RSP_F_HEYWOOD;
}

/* Against the rung that it was climbed from. */
static void add_difference(const struct comparison *c, const rsp_rung_fit *f, const rsp_rung_fit *before,
                           const char *level) {
    if (!f->good || !(f->df > before->df)) return;
    add_measure(c, f, level, "delta_chisq", rsp_ladder_difference(&c->spec, before, f));
    rsp_row *r = &c->out->rows[c->out->n - 1];
    if (isnan(r->estimate)) {
        r->flags |= RSP_F_SINGULAR; /* its scale is not positive */
        return;
    }
    r->df = f->df - before->df;
    r->p = rsp_chisq_upper(r->estimate, r->df);
}

static void add_rung(const struct comparison *c, const rsp_rung_fit *f, const rsp_rung_fit *before, const char *level) {
    static const char *const cfi[] = {"cfi", "cfi_robust", "cfi_scaled"}, *const rmsea[] = {"rmsea", "rmsea_robust",
                                                                                            "rmsea_scaled"};
    rsp_ladder_fit kind = rsp_ladder_measures(&c->model);
    add_measure(c, f, level, rsp_factor_robust(&c->model) ? "chisq_scaled" : "chisq", f->chisq);
    rsp_row *chisq = &c->out->rows[c->out->n - 1];
    if (f->good) {
        chisq->df = f->df;
        if (f->df > 0) chisq->p = rsp_chisq_upper(f->chisq, f->df);
    }
    add_measure(c, f, level, cfi[kind], f->cfi);
    add_measure(c, f, level, rmsea[kind], f->rmsea);
    add_measure(c, f, level, "srmr", f->srmr);
    if (!before || !before->good) return;
    add_difference(c, f, before, level);
    add_measure(c, f, level, "delta_cfi", f->cfi - before->cfi);
    add_measure(c, f, level, "delta_rmsea", f->rmsea - before->rmsea);
    add_measure(c, f, level, "delta_srmr", f->srmr - before->srmr);
}

static void add_release(const struct comparison *c, const rsp_release *x) {
    static const char *const kinds[] = {
        [RSP_THRESHOLD] = "threshold", [RSP_METRIC] = "loading", [RSP_SCALAR] = "intercept"};
    rsp_row *r = add_row(c, NULL, c->term, rsp_printf(c->a, "%s:%s", kinds[x->rung], c->sample->item[x->item]),
                         "released", c->sample->n);
    r->estimate = x->score;
    r->df = x->df;
    r->p = rsp_chisq_upper(x->score, x->df);
}

static void add_rungs(const struct comparison *c) {
    const rsp_ladder *l = &c->ladder;
    const rsp_rung_fit *before = NULL, *full = NULL;
    for (rsp_rung k = RSP_CONFIGURAL; k < RSP_N_RUNGS; k++) {
        if (!l->rung[k].sem.n_cells) continue;
        /* A full model is compared with the full one below, a partial one with what it was climbed from. */
        add_rung(c, &l->rung[k], full, RUNGS[k]);
        full = &l->rung[k];
        if (l->partial[k].sem.n_cells) add_rung(c, &l->partial[k], before, PARTIAL[k]);
        before = l->partial[k].sem.n_cells ? &l->partial[k] : &l->rung[k];
    }
    for (size_t k = 0; k < l->n_releases; k++) add_release(c, &l->releases[k]);
}

/* ---- one factor in all groups ------------------------------------------------------------------------------------- */

/* Loadings and intercepts of the configural model with their errors, [group * p + item of the factor]. */
struct factor_values {
    size_t p, n_groups, *item;
    double *n, *loading, *intercept, *loading_var, *intercept_var, *cov;
    double *mean, *sd; /* aligned */
    double *loading_al, *intercept_al;
};

static size_t find_cell(const rsp_sem *s, rsp_sem_matrix matrix, size_t group, size_t row, size_t column) {
    for (size_t k = 0; k < s->n_cells; k++) {
        const rsp_sem_cell *c = &s->cells[k];
        if (c->matrix == matrix && c->group == group && c->row == row && c->column == column) return k;
    }
    return RSP_NONE;
}

static double covariance_of(const rsp_rung_fit *f, size_t j, size_t k) {
    size_t a = f->sem.cells[j].free, b = f->sem.cells[k].free;
    return a == RSP_NONE || b == RSP_NONE ? 0 : f->fit.vcov[a * f->sem.n_free + b];
}

static struct factor_values read_values(const struct comparison *c, size_t factor) {
    const rsp_rung_fit *f = &c->ladder.rung[RSP_CONFIGURAL];
    size_t groups = f->sem.n_groups, most = groups * f->sem.p;
    struct factor_values v = {.n_groups = groups, .item = RSP_ARRAY(c->a, size_t, f->sem.p)};
    for (size_t i = 0; i < f->sem.p; i++)
        if (rsp_factor_of_item(&f->sem, i) == factor) v.item[v.p++] = i;
    double **arrays[] = {&v.loading, &v.intercept,  &v.loading_var, &v.intercept_var,
                         &v.cov,     &v.loading_al, &v.intercept_al};
    for (size_t k = 0; k < sizeof arrays / sizeof *arrays; k++) *arrays[k] = RSP_ARRAY(c->a, double, most);
    v.n = RSP_ARRAY(c->a, double, groups);
    v.mean = RSP_ARRAY(c->a, double, groups);
    v.sd = RSP_ARRAY(c->a, double, groups);
    for (size_t g = 0; g < groups; g++) {
        double sign = 0;
        v.n[g] = (double) c->sample->group[g].n;
        for (size_t i = 0; i < v.p; i++) {
            size_t l = find_cell(&f->sem, RSP_SEM_LAMBDA, g, v.item[i], factor),
                   t = find_cell(&f->sem, RSP_SEM_NU, g, v.item[i], 0), at = g * v.p + i;
            v.loading[at] = f->value[l];
            v.intercept[at] = f->value[t];
            v.loading_var[at] = covariance_of(f, l, l);
            v.intercept_var[at] = covariance_of(f, t, t);
            v.cov[at] = covariance_of(f, l, t);
            sign += f->value[l] * v.loading[i]; /* the same direction as in the first group */
        }
        for (size_t i = 0; i < v.p && sign < 0; i++) {
            v.loading[g * v.p + i] *= -1;
            v.cov[g * v.p + i] *= -1;
        }
    }
    return v;
}

/* Groups whose parameter of item i is not that of the largest set. Errors take the aligned means as given. */
static size_t count_differing(const struct comparison *c, const struct factor_values *v, size_t i, bool intercept) {
    double *x = RSP_ARRAY(c->a, double, v->n_groups), *se = RSP_ARRAY(c->a, double, v->n_groups);
    bool *same = RSP_ARRAY(c->a, bool, v->n_groups);
    size_t differing = 0;
    for (size_t g = 0; g < v->n_groups; g++) {
        size_t at = g * v->p + i;
        double b = v->mean[g] / v->sd[g];
        x[g] = intercept ? v->intercept_al[at] : v->loading_al[at];
        se[g] = intercept ? sqrt(v->intercept_var[at] + b * b * v->loading_var[at] - 2 * b * v->cov[at])
                          : sqrt(v->loading_var[at]) / v->sd[g];
    }
    rsp_invariant_set(v->n_groups, x, se, v->n, same);
    for (size_t g = 0; g < v->n_groups; g++) differing += !same[g];
    return differing;
}

/* Of a focal group against all others together, by respondents (Nye and Drasgow 2011). */
static double pooled_sd(size_t n_groups, const double *n, const double *variance, size_t focal) {
    double others = 0, df = 0, ss = 0;
    for (size_t h = 0; h < n_groups; h++) {
        if (h == focal) continue;
        others += n[h];
        ss += n[h] * variance[h]; /* moments are divided by n */
        df += n[h] - 1;
    }
    double nf = n[focal], sd_r = sqrt(ss / df), sd_f = sqrt(variance[focal] * nf / (nf - 1));
    return ((others - 1) * sd_r + (nf - 1) * sd_f) / (others + nf - 2);
}

/* Effect of an item's own parameters on its mean in a group, in standard deviations: dMACS of Nye and Drasgow (2011),
 * group g being focal and all others together the reference, on the aligned metric. */
static double dmacs(const struct comparison *c, const struct factor_values *v, size_t g, size_t i) {
    size_t item = v->item[i], p = c->sample->n_items;
    double n = 0, loading = 0, intercept = 0, *variance = RSP_ARRAY(c->a, double, v->n_groups);
    for (size_t h = 0; h < v->n_groups; h++) {
        variance[h] = c->sample->group[h].cov[item * p + item];
        if (h == g) continue;
        n += v->n[h];
        loading += v->n[h] * v->loading_al[h * v->p + i];
        intercept += v->n[h] * v->intercept_al[h * v->p + i];
    }
    double a = intercept / n - v->intercept_al[g * v->p + i], b = loading / n - v->loading_al[g * v->p + i];
    double at_mean = a + b * v->mean[g];
    return sqrt(at_mean * at_mean + b * b * v->sd[g] * v->sd[g]) / pooled_sd(v->n_groups, v->n, variance, g);
}

/* ---- ordinal items ---------------------------------------------------------------------------------------------- */

/* Response curves of one factor's items: those of the configural model, where every group has its own thresholds and loadings
 * and a factor of mean 0 and variance 1, seen from the metric that the scalar model (or, where items were released,
 * the partial one) gives the groups. */
struct curves {
    const struct comparison *c;
    const rsp_rung_fit *own;
    size_t factor;
    double *mean, *sd, *sign; /* [groups]; sign: the direction of the factor, as in the first group */
};

static double own_value(const struct curves *x, rsp_sem_matrix matrix, size_t group, size_t row, size_t column) {
    return x->own->value[find_cell(&x->own->sem, matrix, group, row, column)];
}

static bool read_curves(const struct comparison *c, size_t factor, struct curves *x) {
    const rsp_ladder *l = &c->ladder;
    const rsp_rung_fit *metric = l->partial[RSP_SCALAR].sem.n_cells ? &l->partial[RSP_SCALAR] : &l->rung[RSP_SCALAR];
    size_t groups = c->sample->n_groups;
    *x = (struct curves){.c = c, .own = &l->rung[RSP_CONFIGURAL], .factor = factor};
    if (!x->own->good || !metric->good) return false;
    x->mean = RSP_ARRAY(c->a, double, groups);
    x->sd = RSP_ARRAY(c->a, double, groups);
    x->sign = RSP_ARRAY(c->a, double, groups);
    bool ok = true;
    for (size_t g = 0; g < groups; g++) {
        double sign = 0, variance = metric->value[find_cell(&metric->sem, RSP_SEM_PSI, g, factor, factor)];
        for (size_t i = 0; i < c->sample->n_items; i++)
            if (rsp_factor_of_item(&x->own->sem, i) == factor)
                sign += own_value(x, RSP_SEM_LAMBDA, g, i, factor) * own_value(x, RSP_SEM_LAMBDA, 0, i, factor);
        x->sign[g] = sign < 0 ? -1 : 1;
        x->mean[g] = metric->value[find_cell(&metric->sem, RSP_SEM_ALPHA, g, factor, 0)];
        x->sd[g] = sqrt(variance);
        ok = ok && variance > 0;
    }
    return ok;
}

/* Expected answer to an item in a group where the factor is `at`: a number, or steps from the lowest answer. */
static double expected_answer(const struct curves *x, size_t g, size_t item, double at) {
    double z = x->sign[g] * (at - x->mean[g]) / x->sd[g], loading = own_value(x, RSP_SEM_LAMBDA, g, item, x->factor),
           sum = 0;
    if (!is_ordinal(x->c, item)) return own_value(x, RSP_SEM_NU, g, item, 0) + loading * z;
    double rest = sqrt(1 - loading * loading); /* NaN: nothing is left of the latent answer's variance of 1 */
    for (size_t k = 0; k < x->c->sample->layout.n_thresholds[item]; k++)
        sum += cumulative((loading * z - own_value(x, RSP_SEM_TAU, g, item, k)) / rest);
    return sum;
}

/* Variance of an item's answers, counted as expected_answer does, divided by n. */
static double variance_of_answers(const struct comparison *c, size_t g, size_t item) {
    const rsp_item_layout *l = &c->sample->layout;
    const double *stat = c->sample->wls[g].stat;
    double mean = 0, square = 0;
    if (!is_ordinal(c, item)) return stat[l->variance[item]];
    for (size_t k = 0; k < l->n_thresholds[item]; k++) {
        double above = cumulative(-stat[l->first[item] + k]);
        mean += above;
        square += (2 * (double) k + 1) * above;
    }
    return square - mean * mean;
}

/* dMACS with the curves of what is answered in place of lines (Nye et al. 2019), by the trapezoidal rule, which
 * is exact to rounding for what falls off as a normal density does. */
static double ordinal_dmacs(const struct curves *x, size_t g, size_t item) {
    enum { STEPS = 400, REACH = 8 };
    const rsp_factor_sample *s = x->c->sample;
    double *n = RSP_ARRAY(x->c->a, double, s->n_groups), *variance = RSP_ARRAY(x->c->a, double, s->n_groups),
           others = 0, sum = 0;
    for (size_t h = 0; h < s->n_groups; h++) {
        n[h] = (double) s->group[h].n;
        variance[h] = variance_of_answers(x->c, h, item);
        others += h == g ? 0 : n[h];
    }
    for (int k = -STEPS; k <= STEPS; k++) {
        double z = (double) k * REACH / STEPS, at = x->mean[g] + x->sd[g] * z, gap = -expected_answer(x, g, item, at);
        for (size_t h = 0; h < s->n_groups; h++)
            if (h != g) gap += n[h] / others * expected_answer(x, h, item, at);
        sum += gap * gap * exp(-0.5 * z * z);
    }
    return sqrt(sum * REACH / STEPS / sqrt(2 * M_PI)) / pooled_sd(s->n_groups, n, variance, g);
}

static void add_ordinal_dmacs(const struct comparison *c, size_t factor, const char *term) {
    struct curves x;
    if (!rsp_limited_information(&c->model) || !read_curves(c, factor, &x)) return;
    for (size_t g = 0; g < c->sample->n_groups; g++)
        for (size_t i = 0; i < c->sample->n_items; i++) {
            if (rsp_factor_of_item(&x.own->sem, i) != factor) continue;
            double d = ordinal_dmacs(&x, g, i);
            rsp_row *r = add_row(c, c->sample->code[g], term, c->sample->item[i], "dmacs", c->sample->group[g].n);
            if (isfinite(d)) r->estimate = d;
            else r->flags = RSP_F_HEYWOOD;
        }
}

/* ---- means of groups -------------------------------------------------------------------------------------------- */

/* Means of a factor under a rung's model, in standard deviations of the first group; NaN where it was not fitted. */
static void rung_means(const struct comparison *c, const rsp_rung_fit *f, size_t factor, double *mean, double *se) {
    for (size_t g = 0; g < c->sample->n_groups; g++) {
        size_t k = f->good ? find_cell(&f->sem, RSP_SEM_ALPHA, g, factor, 0) : RSP_NONE;
        mean[g] = k == RSP_NONE ? NAN : f->value[k];
        se[g] = k == RSP_NONE ? NAN : sqrt(covariance_of(f, k, k));
    }
}

/* The most that a difference between two groups changes from one set of means to the other. */
static double largest_move(size_t n, const double *from, const double *to) {
    double low = INFINITY, high = -INFINITY;
    for (size_t g = 0; g < n; g++) {
        low = fmin(low, to[g] - from[g]);
        high = fmax(high, to[g] - from[g]);
    }
    return high - low;
}

static void add_move(const struct comparison *c, const char *term, const char *level, const double *from,
                     const double *to) {
    double x = largest_move(c->sample->n_groups, from, to);
    if (isfinite(x)) add_row(c, NULL, term, level, "mean_shift", c->sample->n)->estimate = x;
}

static void add_means(const struct comparison *c, const char *term, const char *level, const double *mean,
                      const double *se) {
    for (size_t g = 0; g < c->sample->n_groups; g++) {
        if (isnan(mean[g])) continue;
        rsp_row *r = add_row(c, c->sample->code[g], term, level, "latent_mean", c->sample->group[g].n);
        r->estimate = mean[g];
        if (!se || !(se[g] > 0)) continue;
        r->se = se[g];
        r->df = c->sample->df;
        rsp_row_interval(r);
    }
}

/* ---- one factor's rows ------------------------------------------------------------------------------------------ */

static void add_aligned(const struct comparison *c, const char *term, const struct factor_values *v) {
    for (size_t g = 0; g < v->n_groups; g++) {
        const char *code = c->sample->code[g];
        size_t n = c->sample->group[g].n;
        add_row(c, code, term, "aligned", "latent_variance", n)->estimate = v->sd[g] * v->sd[g];
        for (size_t i = 0; i < v->p; i++)
            add_row(c, code, term, c->sample->item[v->item[i]], "dmacs", n)->estimate = dmacs(c, v, g, i);
    }
}

static bool align(struct comparison *c, struct factor_values *v, size_t differing[2]) {
    rsp_unaligned u = {v->n_groups, v->p, v->n, v->loading, v->intercept};
    double loss;
    if (v->p < 2 || !rsp_align(&u, v->mean, v->sd, &loss)) return false;
    rsp_aligned(&u, v->mean, v->sd, v->loading_al, v->intercept_al);
    for (size_t i = 0; i < v->p; i++)
        for (int k = 0; k < 2; k++) differing[k] += count_differing(c, v, i, k == 1);
    return true;
}

/* Alignment of every factor; the share of parameters that differ, over all of them. */
static struct factor_values *align_all(struct comparison *c) {
    struct factor_values *v = RSP_ARRAY(c->a, struct factor_values, c->n_factors);
    size_t differing[2] = {0}, parameters = 0;
    bool ok = true;
    for (size_t k = 0; k < c->n_factors; k++) {
        v[k] = read_values(c, k);
        if (!align(c, &v[k], differing)) {
            v[k].p = 0;
            ok = false;
        }
        parameters += v[k].p * v[k].n_groups;
    }
    for (int k = 0; k < 3; k++) c->share[k] = NAN;
    if (!ok || !parameters) return v;
    c->share[0] = (double) differing[0] / (double) parameters;
    c->share[1] = (double) differing[1] / (double) parameters;
    c->share[2] = (c->share[0] + c->share[1]) / 2;
    return v;
}

static void add_factor(const struct comparison *c, size_t factor, const struct factor_values *v) {
    const rsp_ladder *l = &c->ladder;
    size_t groups = c->sample->n_groups;
    const char *term = rsp_printf(c->a, "%s:%s", c->factor[factor], c->sample->group_name);
    double *scalar = RSP_ARRAY(c->a, double, 4 * groups), *scalar_se = scalar + groups, *partial = scalar_se + groups,
           *partial_se = partial + groups;
    bool released = l->partial[RSP_SCALAR].sem.n_cells > 0;
    rung_means(c, &l->rung[RSP_SCALAR], factor, scalar, scalar_se);
    if (released) rung_means(c, &l->partial[RSP_SCALAR], factor, partial, partial_se);
    if (released) add_move(c, term, "partial", scalar, partial);
    if (v && v->p) add_move(c, term, "aligned", scalar, v->mean);
    add_means(c, term, "scalar", scalar, scalar_se);
    if (released) add_means(c, term, "partial", partial, partial_se);
    add_ordinal_dmacs(c, factor, term);
    if (!v || !v->p) return;
    add_means(c, term, "aligned", v->mean, NULL);
    add_aligned(c, term, v);
}

/* ---- verdict ---------------------------------------------------------------------------------------------------- */

/* With many groups a partial ladder seldom holds; then alignment with few parameters that differ gives means that may
 * be compared with caution (Muthen and Asparouhov 2014: up to a quarter). */
static rsp_grade graded(struct comparison *c, double stretch) {
    enum { MANY_GROUPS = 10 };
    rsp_ladder_climb(&c->spec, stretch, c->a, &c->ladder);
    bool aligned = c->ladder.grade == RSP_NOT_COMPARABLE && c->ladder.holds[RSP_CONFIGURAL] &&
                   c->sample->n_groups >= MANY_GROUPS && c->share[2] <= c->spec.cutoffs.noninvariant * stretch;
    return aligned ? RSP_WITH_CAUTION : c->ladder.grade;
}

/* The verdict; the lowest and the highest that cut-offs moved by the margin would give. */
static rsp_grade judge(struct comparison *c) {
    rsp_grade strict = graded(c, 1 - c->x->margin), lenient = graded(c, 1 + c->x->margin), grade = graded(c, 1);
    c->low = strict < grade ? strict : grade;
    c->high = lenient > grade ? lenient : grade;
    return grade;
}

/* What tonight's data say, and what counts: the same until the previous publication is asked (comparability.c). */
static void add_verdict_row(const struct comparison *c, rsp_grade grade, bool enough, const char *statistic) {
    rsp_row *r = add_row(c, NULL, c->term, enough ? rsp_grade_word(grade) : NULL, statistic, c->sample->n);
    const rsp_rung_fit *f = &c->ladder.rung[RSP_CONFIGURAL];
    if (!enough) {
        r->flags = RSP_F_EMPTY; /* nothing to compare */
        return;
    }
    r->estimate = grade;
    r->lower = c->low;
    r->upper = c->high;
    if (!f->good) r->flags = failure(&f->fit);
}

static void add_verdict(struct comparison *c) {
    bool enough = c->sample->n_groups > 1;
    rsp_grade grade = enough ? judge(c) : RSP_NOT_COMPARABLE;
    add_verdict_row(c, grade, enough, "verdict");
    add_verdict_row(c, grade, enough, "verdict_computed");
}

/* ---- the analysis ----------------------------------------------------------------------------------------------- */

static void compare(const rsp_sample *s, const rsp_analysis *an, size_t model, size_t by, rsp_results *out,
                    rsp_diag *d) {
    rsp_arena *a = rsp_arena_new();
    const char *group_name = s->frame->study->variables[by].name;
    struct comparison c = {.an = an,
                           .x = &an->invariance,
                           .name = an->invariance.name[model],
                           .model = an->invariance.model,
                           .out = out,
                           .a = a};
    c.model.syntax = an->invariance.syntax[model];
    c.model.group = by;
    c.model.group_name = group_name;
    c.term = rsp_printf(a, "%s:%s", c.name, group_name);
    c.sample = rsp_factor_sample_new(s, &c.model, an->filter, NULL, a, d);
    keep_large_groups(&c, s, d);
    if (c.sample->n_groups > 1) {
        size_t n_items;
        const char **items;
        rsp_factor_names(c.model.syntax, a, &n_items, &items, &c.n_factors, &c.factor);
        rsp_ladder_configural(&c.model, c.sample, a, &c.configural);
        c.spec = (rsp_ladder_spec){&c.model,
                                   c.sample,
                                   &c.configural,
                                   c.x->anchors,
                                   rsp_cutoffs_settle(&c.x->cutoffs, c.sample->n_groups, c.sample->n),
                                   d};
        rsp_ladder_climb(&c.spec, 1, a, &c.ladder);
    }
    struct factor_values *v = NULL;
    bool fitted = c.sample->n_groups > 1 && c.ladder.rung[RSP_CONFIGURAL].good;
    for (int k = 0; k < 3; k++) c.share[k] = NAN;
    if (fitted && !rsp_limited_information(&c.model)) v = align_all(&c);
    add_verdict(&c);
    if (c.sample->n_groups > 1) add_rungs(&c);
    for (int k = 0; v && k < 3; k++) {
        static const char *const levels[] = {"loading", "intercept", "all"};
        if (!isnan(c.share[k]))
            add_row(&c, NULL, c.term, levels[k], "noninvariant_share", c.sample->n)->estimate = c.share[k];
    }
    for (size_t k = 0; fitted && k < c.n_factors; k++) add_factor(&c, k, v ? &v[k] : NULL);
    rsp_arena_free(a);
}

void rsp_measure_invariance(rsp_sample *s, const rsp_analysis *an, rsp_results *out, rsp_diag *d) {
    for (size_t m = 0; m < an->invariance.n_models; m++)
        for (size_t k = 0; k < an->invariance.n_by; k++) compare(s, an, m, an->invariance.by[k], out, d);
}
