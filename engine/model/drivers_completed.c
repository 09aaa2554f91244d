/* Kind `drivers` on completed data: what each data set says is pooled by Rubin's rules, coefficients of each group within the
 * group, before anything is made of them; pools over groups, tests, roles and verdicts then rest on pooled numbers, as
 * Burgess, White, Resche-Rigon and Wood (2013) advise for estimates that are combined in two steps. */
#include "model/drivers.h"

#include "model/rubin.h"
#include "model/solve.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct runs {
    const drv_run *run; /* [m] */
    size_t m;
    drv_run *to;
    double *q, *u; /* [m] */
};

static double mean_of(const double *x, size_t m) {
    double sum = 0;
    for (size_t k = 0; k < m; k++) sum += x[k] / (double) m;
    return sum;
}

/* ---- numbers with an error -------------------------------------------------------------------------------------- */

/* Pools what x->q and x->u (squared errors) hold. `complete`: degrees of freedom of complete data; none left stay none. */
static rsp_rubin pool(const struct runs *x, double complete) {
    rsp_rubin p = rsp_rubin_pool(x->q, x->u, x->m, complete);
    if (complete <= 0) p.df = complete;
    return p;
}

/* each [m] */
static drv_value pool_values(const struct runs *x, const drv_value *const *each) {
    drv_value v = {NAN, NAN, NAN, NAN, NAN, NAN, 0, INT64_MAX};
    double df = 0;
    for (size_t k = 0; k < x->m; k++) {
        x->q[k] = each[k]->estimate;
        x->u[k] = each[k]->se * each[k]->se;
        df += each[k]->df / (double) x->m;
        v.flags |= each[k]->flags;
        if (each[k]->cell < v.cell) v.cell = each[k]->cell;
    }
    v.estimate = mean_of(x->q, x->m);
    if (isnan(v.estimate) && !v.flags) v.flags = RSP_F_EMPTY;
    if (isnan(mean_of(x->u, x->m)) || isnan(v.estimate)) return v;
    rsp_rubin p = pool(x, df);
    v.se = sqrt(p.total);
    v.df = p.df;
    drv_complete(&v);
    return v;
}

static void pool_multilevel(const struct runs *x, size_t factor) {
    double df = 0, slope = 0;
    uint32_t flags = 0;
    for (size_t k = 0; k < x->m; k++) {
        const rsp_mixed_term *from = &x->run[k].factor[factor].multilevel;
        x->q[k] = from->estimate;
        x->u[k] = from->se * from->se;
        df += from->df / (double) x->m;
        slope += from->slope_variance / (double) x->m;
        flags |= from->flags;
    }
    rsp_rubin p = pool(x, df);
    x->to->factor[factor].multilevel = (rsp_mixed_term){p.estimate, sqrt(p.total), p.df, slope, flags};
}

static void pool_net(const struct runs *x, const est_value *const *each, est_value *to) {
    double df = 0, simple = 0;
    est_value v = *each[0];
    for (size_t k = 0; k < x->m; k++) {
        const est_value *from = each[k];
        x->q[k] = from->estimate;
        x->u[k] = from->se * from->se;
        df += from->df / (double) x->m;
        simple += x->u[k] / from->deff / (double) x->m;
        v.flags |= from->flags;
        if (from->n < v.n) v.n = from->n;
        if (from->base < v.base) v.base = from->base;
        if (from->organisations < v.organisations) v.organisations = from->organisations;
    }
    rsp_rubin p = pool(x, df);
    drv_value value = {p.estimate, sqrt(p.total), p.df, NAN, NAN, NAN, v.flags, -1};
    if (!isnan(value.estimate) && !isnan(value.se)) drv_complete(&value);
    v.estimate = value.estimate, v.se = value.se, v.df = value.df;
    v.lower = value.lower, v.upper = value.upper, v.flags = value.flags;
    v.deff = simple > 0 ? p.total / simple : NAN;
    v.n_eff = simple > 0 ? v.n / v.deff : NAN;
    *to = v;
}

/* ---- groups ----------------------------------------------------------------------------------------------------- */

/* Trace of U^-1 B over its rank, U the mean covariance within data sets, B that between them: the average rise of
 * variance that missing answers bring (Li, Raghunathan and Rubin 1991). */
static double average_rise(const struct runs *x, size_t group, const double *within) {
    size_t f = x->to->n_factors;
    double *inverse = RSP_ARRAY(x->to->arena, double, f *f), trace = 0, m = (double) x->m;
    const drv_value *mean = x->to->group[group].value;
    memcpy(inverse, within, f * f * sizeof *inverse);
    if (!rsp_invert_spd(inverse, f)) return NAN;
    for (size_t k = 0; k < x->m; k++) {
        const drv_value *own = x->run[k].group[group].value;
        for (size_t i = 0; i < f; i++)
            for (size_t j = 0; j < f; j++)
                trace += inverse[i * f + j] * (own[i].estimate - mean[i].estimate) *
                         (own[j].estimate - mean[j].estimate) / (m - 1);
    }
    return (1 + 1 / m) * trace / (double) f;
}

/* The covariance for the joint test. With fewer data sets than coefficients that between data sets is singular; taken in
 * proportion to that within, its size alone has to be estimated. */
static void pool_covariance(const struct runs *x, size_t group) {
    drv_group *to = &x->to->group[group];
    size_t f = x->to->n_factors;
    double *v = RSP_ARRAY(x->to->arena, double, f *f), df = 0;
    to->complete = true;
    for (size_t k = 0; k < x->m; k++) {
        const drv_group *from = &x->run[k].group[group];
        to->complete = to->complete && from->complete;
        df += from->df / (double) x->m;
        for (size_t j = 0; to->complete && j < f * f; j++) v[j] += from->v[j] / (double) x->m;
    }
    to->df = df;
    if (!to->complete) return;
    double rise = average_rise(x, group, v);
    to->complete = !isnan(rise);
    for (size_t j = 0; j < f * f; j++) v[j] *= 1 + rise;
    to->v = v;
    to->df = (df + 1) / (df + 3) * df / (1 + rise); /* what is observed of them: Barnard and Rubin (1999) */
}

static void pool_group(const struct runs *x, size_t group) {
    drv_group *to = &x->to->group[group];
    const drv_value **each = RSP_ARRAY(x->to->arena, const drv_value *, x->m);
    *to = x->run[0].group[group];
    to->v = NULL;
    to->domain = rsp_strdup(x->to->arena, to->domain);
    to->code = x->to->groups.code[group];
    to->value = RSP_ARRAY(x->to->arena, drv_value, x->to->n_factors);
    for (size_t i = 0; i < x->to->n_factors; i++) {
        for (size_t k = 0; k < x->m; k++) each[k] = &x->run[k].group[group].value[i];
        to->value[i] = pool_values(x, each);
    }
    for (size_t k = 1; k < x->m; k++) {
        const drv_group *from = &x->run[k].group[group];
        to->flags |= from->flags;
        if (from->n < to->n) to->n = from->n;
        if (from->organisations < to->organisations) to->organisations = from->organisations;
    }
    pool_covariance(x, group);
}

/* ---- shares ----------------------------------------------------------------------------------------------------- */

/* Interval: the middle 95 % of the replicates of all data sets together (Schomaker and Heumann 2018). Statistic j of
 * 2 f: the factors' shares of what all explain, then of the outcome's variance. */
static void pool_share(const struct runs *x, size_t j, double *estimate, double *se, double *low, double *high) {
    size_t f = x->to->n_factors, total = 0, used = 0;
    *se = *low = *high = NAN;
    for (size_t k = 0; k < x->m; k++) {
        const drv_factor *from = &x->run[k].factor[j % f];
        double error = j < f ? from->share_se : from->explained_se;
        x->q[k] = j < f ? from->share : from->explained;
        x->u[k] = error * error;
        total += x->run[k].n_draws;
    }
    *estimate = mean_of(x->q, x->m);
    if (isnan(*estimate) || isnan(mean_of(x->u, x->m))) return;
    double *v = rsp_malloc((total + 1) * sizeof *v), spread;
    for (size_t k = 0; k < x->m; k++)
        for (size_t r = 0; r < x->run[k].n_draws; r++) {
            v[used] = x->run[k].draws[r * 2 * f + j];
            used += !isnan(v[used]);
        }
    drv_spread(v, used, &spread, low, high);
    *se = sqrt(rsp_rubin_pool(x->q, x->u, x->m, NAN).total);
    free(v);
}

/* ---- variants --------------------------------------------------------------------------------------------------- */

static const drv_variant *variant_of(const drv_run *x, const char *level) {
    for (size_t j = 0; j < x->n_variants; j++)
        if (strcmp(x->variant[j].level, level) == 0) return &x->variant[j];
    return NULL;
}

/* The mean over the data sets; none where one of them has no such variant. */
static void pool_variant(const struct runs *x, const drv_variant *first) {
    drv_run *to = x->to;
    drv_variant v = *first;
    v.level = rsp_strdup(to->arena, first->level);
    v.b = RSP_ARRAY(to->arena, double, to->n_factors);
    for (size_t k = 0; k < x->m; k++) {
        const drv_variant *from = variant_of(&x->run[k], first->level);
        if (from && from->n < v.n) v.n = from->n;
        if (from && from->cell < v.cell) v.cell = from->cell;
        for (size_t i = 0; i < to->n_factors; i++) v.b[i] += from ? from->b[i] / (double) x->m : NAN;
    }
    RSP_PUSH(to->variant, to->n_variants, to->variants_capacity, v);
}

/* ---- all -------------------------------------------------------------------------------------------------------- */

static void pool_nets(const struct runs *x, size_t factor) {
    drv_factor *to = &x->to->factor[factor];
    const est_value **each = RSP_ARRAY(x->to->arena, const est_value *, x->m);
    for (size_t k = 0; k < x->m; k++)
        if (!x->run[k].factor[factor].net) return;
    to->net = RSP_ARRAY(x->to->arena, est_value, x->to->n_groups + 1);
    for (size_t g = 0; g <= x->to->n_groups; g++) {
        bool all = g == x->to->n_groups;
        for (size_t k = 0; k < x->m; k++) {
            const drv_factor *from = &x->run[k].factor[factor];
            each[k] = all ? &from->net_all : &from->net[g];
        }
        pool_net(x, each, all ? &to->net_all : &to->net[g]);
    }
}

static void pool_factor(const struct runs *x, size_t factor) {
    drv_factor *to = &x->to->factor[factor];
    size_t f = x->to->n_factors;
    const drv_value **all = RSP_ARRAY(x->to->arena, const drv_value *, 2 * x->m), **alone = all + x->m;
    to->to_standard = 0;
    for (size_t k = 0; k < x->m; k++) {
        all[k] = &x->run[k].factor[factor].all;
        alone[k] = &x->run[k].factor[factor].alone;
        to->to_standard += x->run[k].factor[factor].to_standard / (double) x->m;
    }
    to->all = pool_values(x, all);
    to->alone = pool_values(x, alone);
    pool_multilevel(x, factor);
    pool_share(x, factor, &to->share, &to->share_se, &to->share_low, &to->share_high);
    pool_share(x, f + factor, &to->explained, &to->explained_se, &to->explained_low, &to->explained_high);
}

void drv_pool_completed(const drv_run *run, size_t m, drv_run *to) {
    struct runs x = {run, m, to, RSP_ARRAY(to->arena, double, m), RSP_ARRAY(to->arena, double, m)};
    to->n = run[0].n;
    to->organisations = run[0].organisations;
    to->r_squared = to->r_squared_held = 0;
    for (size_t k = 0; k < m; k++) {
        to->r_squared += run[k].r_squared / (double) m;
        to->r_squared_held += run[k].r_squared_held / (double) m;
        to->shares_flags |= run[k].shares_flags;
        if (run[k].n < to->n) to->n = run[k].n;
        if (run[k].organisations < to->organisations) to->organisations = run[k].organisations;
    }
    for (size_t k = 0; k < to->n_factors; k++) pool_factor(&x, k);
    for (size_t k = 0; k < to->listed->n_listed; k++) pool_nets(&x, k);
    for (size_t g = 0; g < to->n_groups; g++) pool_group(&x, g);
    for (size_t j = 0; j < run[0].n_variants; j++) pool_variant(&x, &run[0].variant[j]);
}
