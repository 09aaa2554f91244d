/* Net rating of a factor: share of respondents who say that it enables less the share of those who say that it blocks.
 * It is the mean of 1, 0 and -1, so its error is that of a mean. */
#include "model/drivers.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Sides as est_sides_item takes them. */
enum { AGAINST, NEITHER, FOR, NO_ANSWER = -1 };

/* Sides of a coded factor's answers: above and below the middle of its scale, as in the statistic `net`. */
static void sides_of_list(const rsp_list *l, int8_t *side) {
    size_t n = 0, place = 0;
    for (size_t k = 0; k < l->n; k++) n += !l->choices[k].missing;
    for (size_t k = 0; k < l->n; k++) {
        side[k] = l->choices[k].missing ? NO_ANSWER : 2 * place + 1 > n ? FOR : 2 * place + 1 < n ? AGAINST : NEITHER;
        place += !l->choices[k].missing;
    }
}

static const rsp_list *list_of(const drv_run *x, size_t variable) {
    const rsp_column *c = &x->s->frame->columns[variable];
    return c->kind == RSP_COL_CODE ? c->list : NULL;
}

/* Has the factor a middle? */
static bool is_rated(const drv_run *x, size_t variable) {
    return list_of(x, variable) || !isnan(x->a->model.drivers.neutral);
}

/* The side of each row. */
static void fill_sides(const drv_run *x, size_t variable, int8_t *side) {
    const rsp_frame *f = x->s->frame;
    const rsp_list *l = list_of(x, variable);
    double neutral = x->a->model.drivers.neutral;
    int8_t *of_code = rsp_malloc((l ? l->n : 0) + 1);
    if (l) sides_of_list(l, of_code);
    for (size_t i = 0; i < f->n; i++) {
        double v = rsp_value(f, variable, i);
        if (isnan(v)) side[i] = NO_ANSWER;
        else if (isnan(neutral)) side[i] = of_code[rsp_code(&f->columns[variable], i)];
        else side[i] = v > neutral ? FOR : v < neutral ? AGAINST : NEITHER;
    }
    free(of_code);
}

static void rate_item(const est_context *c, est_item *it, est_value *values, est_work *w) {
    est_designs(c, it, w);
    for (size_t g = 0; g < c->who->n_domains; g++) {
        est_pair pair = {0, g};
        uint32_t flags = 0;
        est_describe(c, it, 0, g, &values[g]);
        if (!isnan(values[g].estimate)) est_vcov(c, it, &pair, 1, &values[g].variance, &flags, w);
        values[g].flags |= flags;
        est_finish(c, it, 0, g, &values[g]);
    }
}

/* values [items][domains]. All items go through the replicates together. */
static void rate_items(drv_run *x, const est_people *who, const rsp_replicates *r, est_items *all,
                       est_value *const *values) {
    est_context c = {x->s, who, r, NULL, 0, x->d};
    size_t replicates = r ? rsp_replicates_count(r) : 0;
#pragma omp parallel for schedule(dynamic, 1) num_threads(rsp_threads())
    for (size_t j = 0; j < all->n; j++) est_totals_full(who, &all->items[j]);
    for (size_t from = 0, to; from < all->n; from = to) {
        double *rep = NULL;
        to = est_end_of_batch(who, all, from, replicates, &c.stride);
        if (r) {
            c.rep = rep = rsp_malloc((replicates * c.stride + 1) * sizeof *rep);
            est_totals_replicates(who, all->items + from, to - from, r, c.stride, rep);
        }
#pragma omp parallel num_threads(rsp_threads()) if (to - from > 1)
        {
            est_work w;
            est_work_init(&w, x->s);
#pragma omp for schedule(dynamic, 1)
            for (size_t j = from; j < to; j++) rate_item(&c, &all->items[j], values[j], &w);
            est_work_free(&w);
        }
        free(rep);
    }
}

/* All factors that are rated, in each group or over everybody. */
static void rate(drv_run *x, const est_people *who, const rsp_replicates *r, const int8_t *const *side, bool everybody,
                 rsp_arena *a) {
    est_items items = {0, RSP_ARRAY(a, est_item, x->listed->n_listed + 1)};
    est_value **values = RSP_ARRAY(a, est_value *, x->listed->n_listed + 1);
    for (size_t k = 0; k < x->listed->n_listed; k++) {
        drv_factor *f = &x->factor[k];
        if (!side[k]) continue;
        if (!everybody) f->net = RSP_ARRAY(x->arena, est_value, who->n_domains + 1);
        values[items.n] = everybody ? &f->net_all : f->net;
        est_sides_item(&items.items[items.n++], side[k], who, a);
    }
    rate_items(x, who, r, &items, values);
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
    int8_t **side = RSP_ARRAY(a, int8_t *, x->listed->n_listed + 1);
    for (size_t k = 0; k < x->listed->n_listed; k++)
        if (is_rated(x, spec->factors[k])) side[k] = RSP_ARRAY_UNSET(a, int8_t, x->s->n + 1);
#pragma omp parallel for schedule(dynamic, 1) num_threads(rsp_threads())
    for (size_t k = 0; k < x->listed->n_listed; k++)
        if (side[k]) fill_sides(x, spec->factors[k], side[k]);
    if (ok) {
        rate(x, by, r, (const int8_t *const *) side, false, a);
        rate(x, all, r, (const int8_t *const *) side, true, a);
    }
    rsp_arena_free(a);
}
