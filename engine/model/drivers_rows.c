/* Rows of kind `drivers`: what holds for the whole, then factor by factor. */
#include "model/drivers.h"

#include <math.h>
#include <stdlib.h>

struct writer {
    const drv_run *x;
    const drv_factor *f; /* NULL: of the whole */
    rsp_results *out;
};

/* A row that rests on all respondents of the regression. */
static rsp_row *add(const struct writer *w, const char *level, const char *statistic, double estimate) {
    rsp_row *r = rsp_results_add(w->out, w->x->a->id, NULL, w->f ? w->f->name : NULL, level, statistic);
    r->n = (double) w->x->n;
    r->base = (int64_t) w->x->n;
    r->organisations = w->x->organisations;
    r->flags = w->x->n ? 0 : RSP_F_EMPTY;
    if (isfinite(estimate)) r->estimate = estimate;
    return r;
}

/* Without an estimate the row says why. */
static void need(rsp_row *r, uint32_t flag) {
    if (isnan(r->estimate) && !r->flags) r->flags |= flag;
}

static void fill(rsp_row *r, const drv_value *v, double by) {
    r->flags |= v->flags;
    r->estimate = v->estimate * by;
    r->se = v->se * by;
    r->df = v->df;
    r->lower = v->lower * by;
    r->upper = v->upper * by;
    r->p = v->p;
    if (v->cell >= 0) r->cell = v->cell;
    need(r, RSP_F_SINGULAR);
}

/* ---- of the whole ----------------------------------------------------------------------------------------------- */

static void write_whole(const struct writer *w) {
    const drv_run *x = w->x;
    need(add(w, NULL, "r_squared", x->r_squared), RSP_F_SINGULAR);
    need(add(w, NULL, "r_squared_controls", x->r_squared_held), RSP_F_SINGULAR);
    add(w, NULL, "groups", (double) x->n_pooled);
    rsp_row *r = add(w, NULL, "wald_f", NAN);
    if (x->joint_df > 0) {
        r->estimate = x->joint;
        r->df1 = x->joint_df1;
        r->df = x->joint_df;
        r->p = x->joint_p;
    } else {
        r->flags |= RSP_F_NO_DF;
    }
}

/* ---- of a factor ------------------------------------------------------------------------------------------------ */

static void write_verdict(const struct writer *w) {
    const drv_factor *f = w->f;
    rsp_row *r;
    if (!f->judged) {
        need(add(w, NULL, "verdict", NAN), f->all.flags ? f->all.flags : RSP_F_NO_DF);
        need(add(w, NULL, "role", NAN), f->all.flags ? f->all.flags : RSP_F_NO_DF);
        return;
    }
    r = add(w, drv_verdict_word(f->verdict), "verdict", f->pool_value.estimate * f->to_standard);
    r->flags |= f->pool_value.flags;
    r->lower = f->prediction.lower * f->to_standard;
    r->upper = f->prediction.upper * f->to_standard;
    r->df = f->prediction.df;
    r->p = f->pool_p;
    r->p_adj = f->pool_adjusted;
    r = add(w, drv_role_word(f->role), "role", f->all.estimate * f->to_standard);
    r->p_adj = f->all_adjusted;
}

static void write_net_row(const struct writer *w, const char *domain, const est_value *v, const drv_rated *rated) {
    rsp_row *r = rsp_results_add(w->out, w->x->a->id, domain, w->f->name, NULL, "net");
    r->estimate = v->estimate;
    r->se = v->se;
    r->df = v->df;
    r->lower = v->lower;
    r->upper = v->upper;
    r->p = rated->p;
    r->p_adj = rated->adjusted;
    r->n = v->n;
    r->n_eff = v->n_eff;
    r->deff = v->deff;
    r->flags = v->flags;
    r->base = v->base;
    r->organisations = v->organisations;
}

static void write_share(const struct writer *w, const char *statistic, double estimate, double se, double low,
                        double high) {
    rsp_row *r = add(w, NULL, statistic, estimate);
    need(r, RSP_F_SINGULAR);
    if (isnan(estimate)) return;
    r->se = se;
    r->lower = low;
    r->upper = high;
    r->flags |= w->x->shares_flags;
}

static void write_association(const struct writer *w) {
    const drv_factor *f = w->f;
    rsp_row *r = add(w, NULL, "wald_f", NAN);
    if (f->wald_df > 0) {
        r->estimate = f->wald;
        r->df1 = f->wald_df1;
        r->df = f->wald_df;
        r->p = f->wald_p;
        r->p_adj = f->wald_adjusted;
    } else {
        r->flags |= RSP_F_NO_DF;
    }
    r = add(w, NULL, "coefficient", NAN);
    fill(r, &f->all, 1);
    r->p_adj = f->all_adjusted;
    fill(add(w, NULL, "coefficient_std", NAN), &f->all, f->to_standard);
    fill(add(w, NULL, "coefficient_alone", NAN), &f->alone, 1);
}

static void write_pool(const struct writer *w) {
    const drv_factor *f = w->f;
    rsp_row *r = add(w, NULL, "pooled", NAN);
    fill(r, &f->pool_value, 1);
    r->p_adj = f->pool_adjusted;
    fill(add(w, NULL, "prediction", NAN), &f->prediction, 1);
    r = add(w, NULL, "tau2", f->pooled ? f->pool.tau2 : NAN);
    if (f->pooled) r->se = f->pool.tau2_se;
    need(r, f->pool_value.flags);
    need(add(w, NULL, "i2", f->pooled ? f->pool.i2 : NAN), f->pool_value.flags);
    r = add(w, NULL, "q", f->pooled ? f->pool.q : NAN);
    need(r, f->pool_value.flags);
    if (f->pooled) {
        r->df = f->pool.df;
        r->p = f->pool.q_p;
    }
    add(w, NULL, "groups", (double) f->n_pooled);
    add(w, NULL, "opposite_sign", (double) f->opposite);
    add(w, NULL, "opposite_sign_clear", (double) f->clearly_opposite);
}

/* The pool once more without each group, then from which to which its mean moves. */
static void write_leave_one_out(const struct writer *w, size_t k) {
    const drv_run *x = w->x;
    double low = INFINITY, high = -INFINITY;
    if (w->f->n_pooled < 3) return;
    double *y = rsp_malloc(x->n_groups * sizeof *y), *v = rsp_malloc(x->n_groups * sizeof *v);
    for (size_t out = 0; out < x->n_groups; out++) {
        size_t n = 0;
        bool any = false;
        for (size_t g = 0; g < x->n_groups; g++) {
            const drv_value *b = &x->group[g].value[k];
            if (x->group[g].flags || !drv_known(b) || (b->flags & RSP_F_NO_DF)) continue;
            any |= g == out;
            if (g != out) y[n] = b->estimate, v[n++] = b->se * b->se;
        }
        if (!any) continue;
        rsp_pool p = rsp_pool_estimates(n, y, v, x->a->model.ml);
        drv_value value = {p.mean, p.mean_se, p.df, NAN, NAN, NAN, 0, -1};
        drv_complete(&value);
        fill(add(w, x->group[out].code, "pooled_without", NAN), &value, 1);
        low = fmin(low, p.mean);
        high = fmax(high, p.mean);
    }
    rsp_row *r = add(w, NULL, "pooled_range", w->f->pool.mean);
    r->lower = low;
    r->upper = high;
    free(y);
    free(v);
}

static void write_multilevel(const struct writer *w) {
    const rsp_mixed_term *t = &w->f->multilevel;
    drv_value v = {t->estimate, t->se, t->df, NAN, NAN, NAN, t->flags, -1};
    if (!(v.df > 0)) v.df = isnan(v.estimate) ? NAN : 0; /* no interval */
    drv_complete(&v);
    fill(add(w, NULL, "coefficient_multilevel", NAN), &v, 1);
    if (!isnan(t->slope_variance)) add(w, NULL, "slope_variance", t->slope_variance);
}

static void write_variants(const struct writer *w, size_t k) {
    const drv_run *x = w->x;
    double low = INFINITY, high = -INFINITY;
    for (size_t j = 0; j < x->n_variants; j++) {
        const drv_variant *v = &x->variant[j];
        rsp_row *r = add(w, v->level, "coefficient_without", v->b[k]);
        need(r, RSP_F_SINGULAR);
        r->n = (double) v->n;
        r->base = (int64_t) v->n;
        r->cell = v->cell;
        if (isnan(v->b[k])) continue;
        low = fmin(low, v->b[k]);
        high = fmax(high, v->b[k]);
    }
    rsp_row *r = add(w, NULL, "coefficient_range", w->f->all.estimate);
    need(r, w->f->all.flags ? w->f->all.flags : RSP_F_SINGULAR);
    if (isnan(r->estimate) || low > high) return;
    r->lower = low;
    r->upper = high;
}

/* ---- set aside -------------------------------------------------------------------------------------------------- */

/* A row that says why there is no number. */
static void add_aside(const struct writer *w, const char *domain, const char *term, const char *statistic, size_t n,
                      uint32_t flag) {
    rsp_row *r = rsp_results_add(w->out, w->x->a->id, domain, term, NULL, statistic);
    r->n = (double) n;
    r->base = (int64_t) n;
    r->organisations = n ? w->x->organisations : -1;
    r->flags = flag;
}

/* What respondents say of the factor stands, where they say anything. */
static void write_aside(const struct writer *w) {
    static const char *const before[] = {"verdict", "role"},
                             *const after[] = {"explained_share", "explained",       "wald_f",
                                               "coefficient",     "coefficient_std", "coefficient_alone",
                                               "pooled",          "prediction",      "coefficient_multilevel"};
    const drv_factor *f = w->f;
    const drv_run *x = w->x;
    for (size_t k = 0; k < sizeof before / sizeof *before; k++)
        add_aside(w, NULL, f->name, before[k], f->answered, f->aside);
    if (f->net) write_net_row(w, NULL, &f->net_all, &f->rated[x->n_groups]);
    for (size_t k = 0; k < sizeof after / sizeof *after; k++)
        add_aside(w, NULL, f->name, after[k], f->answered, f->aside);
    for (size_t g = 0; g < x->n_groups; g++) {
        if (f->net) write_net_row(w, x->group[g].domain, &f->net[g], &f->rated[g]);
        add_aside(w, x->group[g].domain, f->name, "coefficient", f->answered ? x->group[g].n : 0, f->aside);
    }
}

/* ---- all -------------------------------------------------------------------------------------------------------- */

static void write_group(const struct writer *w, size_t k, size_t g) {
    const drv_group *group = &w->x->group[g];
    if (w->f->net) write_net_row(w, group->domain, &w->f->net[g], &w->f->rated[g]);
    rsp_row *r = rsp_results_add(w->out, w->x->a->id, group->domain, w->f->name, NULL, "coefficient");
    r->n = (double) group->n;
    r->base = (int64_t) group->n;
    r->organisations = group->organisations;
    r->flags = group->flags | (group->n ? 0 : RSP_F_EMPTY);
    if (!group->n || group->flags) return;
    fill(r, &group->value[k], 1);
    r->p_adj = group->adjusted[k];
}

void drv_write(const drv_run *x, rsp_results *out) {
    struct writer w = {x, NULL, out};
    write_whole(&w);
    for (size_t j = 0; j < x->listed->n_listed; j++) {
        size_t k = x->listed->order[j];
        w.f = &x->factor[k];
        if (w.f->aside) {
            write_aside(&w);
            continue;
        }
        write_verdict(&w);
        if (w.f->net) write_net_row(&w, NULL, &w.f->net_all, &w.f->rated[x->n_groups]);
        write_share(&w, "explained_share", w.f->share, w.f->share_se, w.f->share_low, w.f->share_high);
        write_share(&w, "explained", w.f->explained, w.f->explained_se, w.f->explained_low, w.f->explained_high);
        write_association(&w);
        write_pool(&w);
        write_leave_one_out(&w, k);
        write_multilevel(&w);
        write_variants(&w, k);
        for (size_t g = 0; g < x->n_groups; g++) write_group(&w, k, g);
    }
    const rsp_variable *variables = x->s->frame->study->variables;
    for (size_t k = 0; k < x->listed->n_controls; k++)
        add_aside(&w, NULL, variables[x->listed->control[k].variable].name, "coefficient", 0,
                  x->listed->control[k].flag);
}
