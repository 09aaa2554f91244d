/* Which factors go with the outcome: one regression over all groups (their levels held constant), one within each group,
 * their random-effects mean, a mixed model beside them.
 *
 * Whether a factor's coefficient is the same in all groups is asked first: Wald's test of the model in which every
 * coefficient may differ by group, which is the groups' own models side by side; their estimates are independent. */
#include "model/drivers.h"
#include "model/impute.h"

#include "model/solve.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Residual degrees of freedom below which a group's regression says nothing of it. */
enum { LEAST_RESIDUALS = 10, FEW_GROUPS = 5 };

bool drv_known(const drv_value *v) { return !isnan(v->estimate) && v->se > 0; }

void drv_complete(drv_value *v) {
    rsp_row r = {.estimate = v->estimate, .se = v->se, .df = v->df, .lower = NAN, .upper = NAN, .flags = v->flags};
    rsp_row_interval(&r);
    v->df = r.df, v->lower = r.lower, v->upper = r.upper, v->flags = r.flags;
    v->p = drv_known(v) && !(v->flags & RSP_F_NO_DF) ? rsp_t_two_sided(v->estimate / v->se, v->df) : NAN;
}

static drv_value no_value(uint32_t flags) { return (drv_value){NAN, NAN, NAN, NAN, NAN, NAN, flags, -1}; }

/* The column of factor k, which is a number and has just one. */
static size_t column_of(const rsp_mmatrix *m, size_t k) {
    for (size_t j = 0; j < m->k; j++)
        if (m->columns[j].term == k) return j;
    return RSP_NONE;
}

static drv_value value_of(const rsp_estimates *e, size_t k) {
    size_t j = column_of(e->m, k);
    drv_value v = no_value(j == RSP_NONE ? RSP_F_EMPTY : e->flags[j]);
    if (j == RSP_NONE) return v;
    v.cell = e->cell[j];
    if (v.flags & ~(uint32_t) (RSP_F_REPLICATES_FAILED | RSP_F_LONELY)) return v;
    v.estimate = e->b[j];
    if (v.flags & RSP_F_LONELY) return v;
    v.se = sqrt(e->v[j * e->m->k + j]);
    v.df = e->df;
    drv_complete(&v);
    return v;
}

/* ---- groups ----------------------------------------------------------------------------------------------------- */

/* A group counts in pools when its regression has an error worth the name: residuals and clusters left. */
static bool enters(const drv_group *g, size_t k) {
    return !g->flags && drv_known(&g->value[k]) && !(g->value[k].flags & RSP_F_NO_DF);
}

static size_t n_columns_used(const rsp_estimates *e) {
    size_t n = 0;
    for (size_t j = 0; j < e->m->k; j++) n += !(e->flags[j] & (RSP_F_EMPTY | RSP_F_SINGULAR | RSP_F_UNANSWERED));
    return n;
}

static void fit_group(drv_run *x, size_t at, const uint8_t *take) {
    drv_group *g = &x->group[at];
    rsp_mdomain domain = {take, x->a->model.across};
    rsp_estimates e;
    size_t f = x->n_factors;
    g->value = RSP_ARRAY(x->arena, drv_value, f);
    g->organisations = -1;
    for (size_t k = 0; k < f; k++) g->value[k] = no_value(RSP_F_EMPTY);
    if (!rsp_fit_estimates(x->s, &x->linear, &domain, &e, x->d)) return;
    g->n = e.m->n;
    g->organisations = e.m->organisations;
    g->df = e.df;
    bool few = e.m->n < n_columns_used(&e) + LEAST_RESIDUALS;
    g->v = RSP_ARRAY(x->arena, double, f *f);
    g->complete = g->n > 0 && !few;
    for (size_t k = 0; k < f; k++) {
        size_t column = column_of(e.m, k);
        g->value[k] = e.m->n && few ? no_value(RSP_F_LOW_BASE | RSP_F_NO_DF) : value_of(&e, k);
        g->complete &= enters(g, k) || !drv_known(&x->factor[k].all);
        for (size_t l = 0; l < f; l++) {
            size_t other = column_of(e.m, l);
            g->v[k * f + l] = column == RSP_NONE || other == RSP_NONE ? NAN : e.v[column * e.m->k + other];
        }
    }
    rsp_mmatrix_free(e.m);
}

static uint32_t eligibility(const drv_run *x, const char *code) {
    if (x->a->model.across != x->s->frame->study->roles.country || !x->s->country) return 0;
    for (size_t c = 0; c < x->s->n_countries; c++)
        if (strcmp(x->s->countries[c].code, code) == 0 && !x->s->countries[c].eligible) return RSP_F_NOT_ELIGIBLE;
    return 0;
}

static void fit_groups(drv_run *x) {
    const rsp_frame *f = x->s->frame;
    uint8_t *take = rsp_malloc(f->n + 1);
    for (size_t g = 0; g < x->n_groups; g++) {
        for (size_t i = 0; i < f->n; i++) take[i] = x->groups.category[i] == (int32_t) g;
        x->group[g].code = x->groups.code[g];
        x->group[g].domain = rsp_domain_text(x->arena, 1, &x->across, &x->groups.code[g]);
        x->group[g].flags = eligibility(x, x->groups.code[g]);
        fit_group(x, g, take);
    }
    free(take);
}

/* ---- the same everywhere? --------------------------------------------------------------------------------------- */

/* Degrees of freedom of the model with all coefficients by group. */
static double df_of_groups(const drv_run *x) {
    double df = 0;
    size_t n = 0;
    for (size_t g = 0; g < x->n_groups; g++) {
        if (!x->group[g].complete) continue;
        df += x->group[g].df;
        n++;
    }
    /* Each group's are clusters - strata + 1 - coefficients: the whole has that 1 once. Strata that reach over groups
     * would be counted once a group; then the sum errs towards fewer. */
    return df - (double) n + 1;
}

/* Each group's error is estimated by itself, so Wald's statistic is too large by chance alone, the more the fewer degrees
 * of freedom the groups have: Welch's (1951) denominator and degrees of freedom. */
static void compare_groups(drv_run *x, drv_factor *f, size_t k) {
    double n = (double) f->n_pooled, weights = 0, uneven = 0;
    f->wald = f->wald_df1 = f->wald_df = f->wald_p = NAN;
    if (f->n_pooled < 2) return;
    for (size_t g = 0; g < x->n_groups; g++)
        if (enters(&x->group[g], k)) weights += 1 / (x->group[g].value[k].se * x->group[g].value[k].se);
    for (size_t g = 0; g < x->n_groups; g++) {
        const drv_value *v = &x->group[g].value[k];
        if (!enters(&x->group[g], k)) continue;
        double rest = 1 - 1 / (v->se * v->se) / weights;
        uneven += rest * rest / v->df;
    }
    f->wald_df1 = n - 1;
    f->wald = f->pool.q / f->wald_df1 / (1 + 2 * (n - 2) / (n * n - 1) * uneven);
    f->wald_df = (n * n - 1) / (3 * uneven);
    if (f->wald_df > 0) f->wald_p = rsp_f_upper(f->wald, f->wald_df1, f->wald_df);
}

/* All factors at once: sum of (b - mean)' V^-1 (b - mean) over groups, the mean weighted by V^-1. */
static void compare_all(drv_run *x) {
    size_t all = x->n_factors, f = 0, groups = 0, *used = RSP_ARRAY(x->arena, size_t, all);
    x->joint = x->joint_df1 = x->joint_df = x->joint_p = NAN;
    for (size_t k = 0; k < all; k++)
        if (drv_known(&x->factor[k].all)) used[f++] = k;
    double *inverse = RSP_ARRAY(x->arena, double, x->n_groups *f *f + 1), *sum = RSP_ARRAY(x->arena, double, f *f + 1),
           *right = RSP_ARRAY(x->arena, double, f + 1), *mean = RSP_ARRAY(x->arena, double, f + 1);
    for (size_t g = 0; g < x->n_groups; g++) {
        double *v = inverse + g * f * f;
        if (!x->group[g].complete) continue;
        for (size_t i = 0; i < f; i++)
            for (size_t j = 0; j < f; j++) v[i * f + j] = x->group[g].v[used[i] * all + used[j]];
        if (!rsp_invert_spd(v, f)) {
            x->group[g].complete = false;
            continue;
        }
        groups++;
        for (size_t i = 0; i < f; i++)
            for (size_t j = 0; j < f; j++) {
                sum[i * f + j] += v[i * f + j];
                right[i] += v[i * f + j] * x->group[g].value[used[j]].estimate;
            }
    }
    if (groups < 2 || !f || !rsp_invert_spd(sum, f)) return;
    for (size_t i = 0; i < f; i++)
        for (size_t j = 0; j < f; j++) mean[i] += sum[i * f + j] * right[j];
    double form = 0;
    for (size_t g = 0; g < x->n_groups; g++)
        for (size_t i = 0; x->group[g].complete && i < f; i++)
            for (size_t j = 0; j < f; j++)
                form += (x->group[g].value[used[i]].estimate - mean[i]) * inverse[(g * f + i) * f + j] *
                        (x->group[g].value[used[j]].estimate - mean[j]);
    x->joint_df1 = (double) (f * (groups - 1));
    x->joint = form / x->joint_df1;
    x->joint_df = df_of_groups(x);
    if (x->joint_df > 0) x->joint_p = rsp_f_upper(x->joint, x->joint_df1, x->joint_df);
}

/* ---- pools ------------------------------------------------------------------------------------------------------ */

static void pool_factor(drv_run *x, drv_factor *f, size_t k) {
    double *y = rsp_malloc((x->n_groups + 1) * sizeof *y), *v = rsp_malloc((x->n_groups + 1) * sizeof *v);
    f->n_pooled = 0;
    for (size_t g = 0; g < x->n_groups; g++) {
        if (!enters(&x->group[g], k)) continue;
        y[f->n_pooled] = x->group[g].value[k].estimate;
        v[f->n_pooled++] = x->group[g].value[k].se * x->group[g].value[k].se;
    }
    f->pooled = f->n_pooled >= 2;
    f->pool_value = f->prediction = no_value(f->n_pooled ? RSP_F_NO_DF : RSP_F_EMPTY);
    if (f->pooled) {
        f->pool = rsp_pool_estimates(f->n_pooled, y, v, x->a->model.ml);
        f->pool_value = (drv_value){f->pool.mean, f->pool.mean_se, f->pool.df, NAN, NAN, NAN, 0, -1};
        f->prediction = (drv_value){f->pool.mean, f->pool.prediction_se, f->pool.df, NAN, NAN, NAN, 0, -1};
        drv_complete(&f->pool_value);
        drv_complete(&f->prediction);
        f->prediction.p = NAN;
        if (x->a->model.mixture) {
            f->prediction.se = f->prediction.df = NAN;
            if (!rsp_prediction_interval(f->n_pooled, y, v, &f->prediction.lower, &f->prediction.upper))
                f->prediction.flags |= RSP_F_SINGULAR;
        }
    }
    f->pool_p = f->pool_value.p;
    free(y);
    free(v);
}

/* Signs in the groups against that of the pool, or of the model over all where nothing could be pooled. */
static void count_signs(drv_run *x, drv_factor *f, size_t k) {
    double reference = f->pooled ? f->pool.mean : f->all.estimate;
    for (size_t g = 0; g < x->n_groups; g++) {
        const drv_value *v = &x->group[g].value[k];
        if (!enters(&x->group[g], k)) continue;
        bool clear = v->lower > 0 || v->upper < 0, opposite = v->estimate * reference < 0;
        f->positive += v->estimate > 0;
        f->clearly_positive += v->lower > 0;
        f->clearly_negative += v->upper < 0;
        f->opposite += opposite;
        f->clearly_opposite += opposite && clear;
    }
}

static void adjust_all(drv_run *x) {
    size_t n = x->n_factors;
    double *p = rsp_malloc(3 * n * sizeof *p), *adjusted = rsp_malloc(3 * n * sizeof *adjusted);
    for (size_t k = 0; k < n; k++) {
        p[k] = x->factor[k].all.p;
        p[n + k] = x->factor[k].pool_p;
        p[2 * n + k] = x->factor[k].wald_p;
    }
    for (size_t family = 0; family < 3; family++) est_benjamini_hochberg(p + family * n, n, adjusted + family * n);
    for (size_t k = 0; k < n; k++) {
        x->factor[k].all_adjusted = adjusted[k];
        x->factor[k].pool_adjusted = adjusted[n + k];
        x->factor[k].wald_adjusted = adjusted[2 * n + k];
    }
    free(p);
    free(adjusted);
}

/* Is the net rating zero? */
static double rating_p(const est_value *v) {
    bool known = v->se > 0 && v->df > 0 && !isnan(v->estimate) && !(v->flags & RSP_F_NO_DF);
    return known ? rsp_t_two_sided(v->estimate / v->se, v->df) : NAN;
}

/* Coefficients within a group and ratings by it, each over the factors; g = n_groups: ratings by everybody. */
static void adjust_group(drv_run *x, size_t g) {
    size_t n = x->n_factors, listed = x->listed->n_listed;
    bool everybody = g == x->n_groups;
    double *p = RSP_ARRAY(x->arena, double, listed), *adjusted = RSP_ARRAY(x->arena, double, listed);
    for (size_t k = 0; k < listed; k++) {
        const drv_factor *f = &x->factor[k];
        p[k] = f->net ? rating_p(everybody ? &f->net_all : &f->net[g]) : NAN;
    }
    est_benjamini_hochberg(p, listed, adjusted);
    for (size_t k = 0; k < listed; k++) x->factor[k].rated[g] = (drv_rated){p[k], adjusted[k]};
    if (everybody) return;
    for (size_t k = 0; k < n; k++) p[k] = x->group[g].value[k].p;
    est_benjamini_hochberg(p, n, adjusted);
    x->group[g].adjusted = adjusted;
}

static void adjust_groups(drv_run *x) {
    for (size_t k = 0; k < x->listed->n_listed; k++)
        x->factor[k].rated = RSP_ARRAY(x->arena, drv_rated, x->n_groups + 1);
    for (size_t g = 0; g <= x->n_groups; g++) adjust_group(x, g);
}

/* ---- mixed models ----------------------------------------------------------------------------------------------- */

/* outcome ~ factors + controls + (1 | across) */
static rsp_analysis mixed_analysis(const drv_run *x) {
    rsp_analysis a = x->linear;
    rsp_formula *f = RSP_NEW(x->arena, rsp_formula);
    *f = *x->a->model.formula;
    f->n_terms--; /* the groups stand last and become random */
    f->n_random = 1;
    f->random = RSP_NEW(x->arena, rsp_frandom);
    *f->random = (rsp_frandom){.intercept = true, .group = f->n_factors - 1, .loc = f->loc};
    f->random->group_term = f->terms[f->n_terms];
    a.model.kind = RSP_MIXED_MODEL;
    a.model.formula = f;
    a.model.unweighted = true;
    return a;
}

/* With few groups a variance between slopes says nothing: then the slopes are the same everywhere. */
static void fit_multilevel(drv_run *x) {
    size_t n = x->n_factors, groups = 0;
    const char **names = RSP_ARRAY(x->arena, const char *, n);
    rsp_mixed_term *terms = RSP_ARRAY(x->arena, rsp_mixed_term, n);
    for (size_t g = 0; g < x->n_groups; g++) groups += x->group[g].n > 0;
    for (size_t k = 0; k < n; k++) {
        names[k] = x->factor[k].name;
        terms[k] = (rsp_mixed_term){NAN, NAN, NAN, NAN, RSP_F_EMPTY};
    }
    if (groups >= 2) {
        rsp_analysis a = mixed_analysis(x);
        rsp_fit_mixed_terms(x->s, &a, groups >= FEW_GROUPS, n, names, terms, x->d);
    }
    for (size_t k = 0; k < n; k++) x->factor[k].multilevel = terms[k];
}

/* ---- all -------------------------------------------------------------------------------------------------------- */

static void start(drv_run *x) {
    const rsp_study *study = x->s->frame->study;
    const rsp_drivers *spec = &x->a->model.drivers;
    x->linear = *x->a;
    x->linear.model.kind = RSP_LINEAR_MODEL;
    x->across = study->variables[x->a->model.across].name;
    rsp_categorise(x->s->frame, x->a->model.across, x->arena, &x->groups);
    x->n_groups = x->groups.n;
    x->n_factors = spec->n_factors;
    x->group = RSP_ARRAY(x->arena, drv_group, x->n_groups + 1);
    x->factor = RSP_ARRAY(x->arena, drv_factor, x->listed->n_listed);
    for (size_t k = 0; k < x->listed->n_listed; k++) {
        x->factor[k].name = study->variables[spec->factors[k]].name;
        x->factor[k].aside = x->listed->factor[k].flag;
        x->factor[k].answered = x->listed->factor[k].answered;
    }
}

/* What one data set says; false where the outcome is not what the kind needs. */
static bool estimate(drv_run *x) {
    if (!rsp_fit_estimates(x->s, &x->linear, NULL, &x->all, x->d)) return false;
    x->n = x->all.m->n;
    x->organisations = x->all.m->organisations;
    x->r_squared = x->all.tss > 0 ? 1 - x->all.rss / x->all.tss : NAN;
    for (size_t k = 0; k < x->n_factors; k++) x->factor[k].all = value_of(&x->all, k);
    fit_groups(x);
    fit_multilevel(x);
    drv_shares(x);
    drv_net(x);
    rsp_mmatrix_free(x->all.m);
    x->all.m = NULL;
    return true;
}

/* What follows from it. */
static void conclude(drv_run *x, rsp_results *out) {
    for (size_t k = 0; k < x->n_factors; k++) {
        pool_factor(x, &x->factor[k], k);
        compare_groups(x, &x->factor[k], k);
        count_signs(x, &x->factor[k], k);
        if (x->factor[k].n_pooled > x->n_pooled) x->n_pooled = x->factor[k].n_pooled;
    }
    adjust_all(x);
    adjust_groups(x);
    compare_all(x);
    drv_judge(x);
    drv_write(x, out);
}

static void run_free(drv_run *x) {
    free(x->variant);
    rsp_arena_free(x->arena);
}

void rsp_fit_drivers(rsp_sample *s, const rsp_analysis *a, rsp_results *out, rsp_diag *d) {
    size_t m;
    rsp_sample *samples = rsp_completed(s, a, &m, d);
    rsp_arena *arena = rsp_arena_new();
    drv_listed listed;
    drv_set_aside(&samples[0], a, arena, &listed, d);
    drv_run *run = rsp_calloc(m, sizeof *run),
            pooled = {.s = s, .a = &listed.kept, .listed = &listed, .d = d, .arena = rsp_arena_new()};
    bool ok = true;
    for (size_t k = 0; k < m; k++) {
        run[k] = (drv_run){.s = &samples[k], .a = &listed.kept, .listed = &listed, .d = d, .arena = rsp_arena_new()};
        start(&run[k]);
        ok = ok && estimate(&run[k]);
    }
    start(&pooled);
    if (ok && m > 1) drv_pool_completed(run, m, &pooled);
    if (ok) conclude(m > 1 ? &pooled : &run[0], out);
    for (size_t k = 0; k < m; k++) run_free(&run[k]);
    run_free(&pooled);
    rsp_arena_free(arena);
    free(run);
}
