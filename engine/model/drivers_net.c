/* Net rating of a factor: share of respondents who say that it enables less the share of those who say that it blocks.
 * It is the mean of 1, 0 and -1, so its error is that of a mean. */
#include "model/drivers.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Sides of a coded factor's answers: above and below the middle of its scale, as in the statistic `net`. */
static void sides_of_list(const rsp_list *l, double *side) {
    size_t n = 0, place = 0;
    for (size_t k = 0; k < l->n; k++) n += !l->choices[k].missing;
    for (size_t k = 0; k < l->n; k++) {
        side[k] = l->choices[k].missing ? NAN : 2 * place + 1 > n ? 1 : 2 * place + 1 < n ? -1 : 0;
        place += !l->choices[k].missing;
    }
}

/* 1, 0 or -1 for each row; NULL where the factor has no middle. */
static double *sides_of(const drv_run *x, size_t variable, rsp_arena *a) {
    const rsp_frame *f = x->s->frame;
    const rsp_list *l = f->columns[variable].kind == RSP_COL_CODE ? f->columns[variable].list : NULL;
    double neutral = x->a->model.drivers.neutral;
    if (!l && isnan(neutral)) return NULL;
    double *y = RSP_ARRAY(a, double, f->n), *side = RSP_ARRAY(a, double, (l ? l->n : 0) + 1);
    if (l) sides_of_list(l, side);
    for (size_t i = 0; i < f->n; i++) {
        double v = rsp_value(f, variable, i);
        if (isnan(v)) y[i] = NAN;
        else if (isnan(neutral)) y[i] = side[rsp_code(&f->columns[variable], i)];
        else y[i] = v > neutral ? 1 : v < neutral ? -1 : 0;
    }
    return y;
}

static void rate(drv_run *x, const est_people *who, const rsp_replicates *r, const double *y, est_value *values,
                 rsp_arena *a) {
    est_item it;
    est_work w;
    size_t n = who->n_domains;
    est_context c = {x->s, who, r, NULL, 0, x->d};
    est_mean_item(&it, y, who, a);
    est_work_init(&w, x->s);
    est_totals_full(who, &it);
    double *rep = NULL;
    if (r) {
        c.stride = n * who->n_countries * it.measure.k;
        c.rep = rep = rsp_malloc((rsp_replicates_count(r) * c.stride + 1) * sizeof *rep);
        est_totals_replicates(who, &it, 1, r, c.stride, rep);
    }
    est_designs(&c, &it, &w);
    for (size_t g = 0; g < n; g++) {
        est_pair pair = {0, g};
        uint32_t flags = 0;
        est_describe(&c, &it, 0, g, &values[g]);
        if (!isnan(values[g].estimate)) est_vcov(&c, &it, &pair, 1, &values[g].variance, &flags, &w);
        values[g].flags |= flags;
        est_finish(&c, &it, 0, g, &values[g]);
    }
    free(rep);
    est_work_free(&w);
}

void drv_net(drv_run *x) {
    const rsp_drivers *spec = &x->a->model.drivers;
    const rsp_crossing everybody = {0, NULL}, groups = {1, &x->a->model.across};
    rsp_arena *a = rsp_arena_new(); /* of columns that are not needed afterwards */
    const est_people *all = est_people_new(x->s, &everybody, x->a->filter, EST_AS_SCALED, x->a->loc, a, x->d);
    const est_people *by = est_people_new(x->s, &groups, x->a->filter, EST_AS_SCALED, x->a->loc, a, x->d);
    const rsp_replicates *r = NULL;
    bool ok = all && by;
    if (ok && x->a->variance.method != RSP_TAYLOR) {
        r = rsp_replicates_get(x->s, &x->a->variance, x->a->loc, x->d);
        ok = r != NULL;
    }
    for (size_t k = 0; ok && k < x->n_factors; k++) {
        double *y = sides_of(x, spec->factors[k], a);
        if (!y) continue;
        x->factor[k].net = RSP_ARRAY(x->arena, est_value, by->n_domains + 1);
        rate(x, by, r, y, x->factor[k].net, a);
        rate(x, all, r, y, &x->factor[k].net_all, a);
    }
    rsp_arena_free(a);
}
