#include "measure/ladder.h"

#include "measure/factor_cells.h"

#include <math.h>
#include <string.h>

/* ---- models ----------------------------------------------------------------------------------------------------- */

/* The first rung whose equality an item has given up, with all later ones; RSP_N_RUNGS: none. */
struct released {
    rsp_rung *from;
};

static bool equal_item(const struct released *r, size_t item, rsp_rung kind, rsp_rung rung) {
    return rung >= kind && r->from[item] > kind;
}

/* 0: a number. */
static size_t thresholds_of(const rsp_ladder_spec *spec, size_t item) {
    return rsp_limited_information(spec->model) ? spec->sample->layout.n_thresholds[item] : 0;
}

static const rsp_sem_cell *same_cell(const rsp_sem *s, const rsp_sem_cell *c, size_t group) {
    for (size_t k = 0; k < s->n_cells; k++) {
        const rsp_sem_cell *x = &s->cells[k];
        if (x->group == group && x->matrix == c->matrix && x->row == c->row && x->column == c->column) return x;
    }
    return NULL;
}

static bool equal_in_groups(const rsp_ladder_spec *spec, const rsp_sem_cell *c, rsp_rung rung,
                            const struct released *r) {
    if (c->matrix == RSP_SEM_TAU) return equal_item(r, c->row, RSP_THRESHOLD, rung);
    if (c->matrix == RSP_SEM_LAMBDA) return equal_item(r, c->row, RSP_METRIC, rung);
    return c->matrix == RSP_SEM_NU && !thresholds_of(spec, c->row) && equal_item(r, c->row, RSP_SCALAR, rung);
}

/* Can the factor's variance be told from the items' scales? Not by equal loadings of items with two answers alone. */
static bool factor_has_scale(const rsp_ladder_spec *spec, size_t factor, rsp_rung rung, const struct released *r) {
    const rsp_sem *s = spec->configural;
    for (size_t i = 0; i < s->p; i++)
        if (rsp_factor_of_item(s, i) == factor && equal_item(r, i, RSP_METRIC, rung) &&
            (thresholds_of(spec, i) != 1 || equal_item(r, i, RSP_SCALAR, rung)))
            return true;
    return false;
}

/* Scale of a latent answer: by two equal thresholds, or by one and an equal loading. */
static bool scale_is_free(const rsp_ladder_spec *spec, size_t item, rsp_rung rung, const struct released *r) {
    return equal_item(r, item, thresholds_of(spec, item) > 1 ? RSP_THRESHOLD : RSP_METRIC, rung);
}

/* Fixed at 1 or 0 in the configural model, free where something of the metric is shared between groups. */
static bool freed_by_rung(const rsp_ladder_spec *spec, const rsp_sem_cell *c, rsp_rung rung, const struct released *r) {
    if (c->group == 0) return false;
    switch (c->matrix) {
    case RSP_SEM_PSI: return c->row == c->column && factor_has_scale(spec, c->row, rung, r);
    case RSP_SEM_ALPHA: return rung >= RSP_SCALAR;
    case RSP_SEM_DELTA: return scale_is_free(spec, c->row, rung, r);
    case RSP_SEM_NU:
        return thresholds_of(spec, c->row) && equal_item(r, c->row, RSP_THRESHOLD, rung) &&
               !equal_item(r, c->row, RSP_SCALAR, rung);
    default: return false;
    }
}

/* The configural model with a rung's equalities; starts [n_cells of the configural] are means over groups where shared. */
static rsp_sem rung_model(const rsp_ladder_spec *spec, rsp_rung rung, const struct released *r, const double *start,
                          rsp_arena *a) {
    const rsp_sem *base = spec->configural;
    rsp_sem s = *base;
    s.n_free = 0;
    s.cells = RSP_ARRAY(a, rsp_sem_cell, base->n_cells);
    for (size_t k = 0; k < base->n_cells; k++) {
        rsp_sem_cell *c = &s.cells[k];
        *c = base->cells[k];
        if (c->free == RSP_NONE && !freed_by_rung(spec, c, rung, r)) continue;
        if (start) c->value = start[k];
        const rsp_sem_cell *first = equal_in_groups(spec, c, rung, r) && c->group ? same_cell(&s, c, 0) : NULL;
        c->free = first && first->free != RSP_NONE ? first->free : s.n_free++;
    }
    double *sum = RSP_ARRAY(a, double, s.n_free + 1), *weight = RSP_ARRAY(a, double, s.n_free + 1);
    for (size_t k = 0; k < s.n_cells; k++) {
        const rsp_sem_cell *c = &s.cells[k];
        if (c->free == RSP_NONE) continue;
        sum[c->free] += (double) spec->sample->group[c->group].n * c->value;
        weight[c->free] += (double) spec->sample->group[c->group].n;
    }
    for (size_t k = 0; k < s.n_cells; k++)
        if (s.cells[k].free != RSP_NONE) s.cells[k].value = sum[s.cells[k].free] / weight[s.cells[k].free];
    return s;
}

void rsp_ladder_configural(const rsp_factor_model *f, const rsp_factor_sample *x, rsp_arena *a, rsp_sem *out) {
    rsp_sem s;
    size_t n = 0, p;
    rsp_factor_cells(f, x, a, &s);
    p = s.p;
    *out = s;
    out->cells = RSP_ARRAY(a, rsp_sem_cell, s.n_cells + s.n_groups * p + 1);
    for (size_t k = 0; k < s.n_cells; k++) {
        out->cells[n++] = s.cells[k];
        bool last = k + 1 == s.n_cells || s.cells[k + 1].group != s.cells[k].group;
        for (size_t i = 0; last && rsp_limited_information(f) && i < p; i++)
            if (x->layout.n_thresholds[i])
                out->cells[n++] =
                    (rsp_sem_cell){.matrix = RSP_SEM_NU, .group = s.cells[k].group, .row = i, .free = RSP_NONE};
    }
    out->n_cells = n;
}

/* ---- fits ------------------------------------------------------------------------------------------------------- */

rsp_ladder_fit rsp_ladder_measures(const rsp_factor_model *f) {
    if (rsp_limited_information(f)) return RSP_FIT_SCALED;
    return rsp_factor_robust(f) || f->fiml ? RSP_FIT_ROBUST : RSP_FIT_PLAIN;
}

static void measure_fit(const rsp_ladder_spec *spec, rsp_rung_fit *x) {
    rsp_factor_measures m;
    bool robust = rsp_factor_robust(spec->model);
    rsp_ladder_fit kind = rsp_ladder_measures(spec->model);
    rsp_factor_measure(&x->sem, &x->fit, robust, &m);
    x->df = m.df;
    x->srmr = m.srmr;
    x->chisq = m.df > 0 ? robust ? m.chisq_scaled : m.chisq : 0;
    x->cfi = m.df > 0 ? kind == RSP_FIT_PLAIN ? m.cfi : kind == RSP_FIT_ROBUST ? m.cfi_robust : m.cfi_scaled : 1;
    x->rmsea = m.df > 0 ? kind == RSP_FIT_PLAIN    ? m.rmsea
                          : kind == RSP_FIT_ROBUST ? m.rmsea_robust
                                                   : m.rmsea_scaled
                        : 0;
    x->good = isfinite(x->chisq) && isfinite(x->cfi) && isfinite(x->rmsea) && isfinite(x->srmr);
}

static void fit_rung(const rsp_ladder_spec *spec, rsp_rung rung, const struct released *r, const double *start,
                     rsp_arena *a, rsp_rung_fit *x) {
    *x = (rsp_rung_fit){.sem = rung_model(spec, rung, r, start, a), .fit = {.status = RSP_SEM_SINGULAR_DATA}};
    if (spec->sample->usable) rsp_factor_maximise(spec->model, spec->sample, &x->sem, a, &x->fit, spec->diag);
    x->value = RSP_ARRAY(a, double, x->sem.n_cells + 1);
    for (size_t k = 0; k < x->sem.n_cells; k++) {
        const rsp_sem_cell *c = &x->sem.cells[k];
        x->value[k] = c->free == RSP_NONE || !x->fit.par ? c->value : x->fit.par[c->free];
    }
    if (x->fit.status == RSP_SEM_OK) measure_fit(spec, x);
}

/* The rung's model with its estimates in the cells. */
static rsp_sem at_estimates(const rsp_rung_fit *x, rsp_arena *a) {
    rsp_sem s = x->sem;
    s.cells = RSP_ARRAY(a, rsp_sem_cell, s.n_cells + 1);
    for (size_t k = 0; k < s.n_cells; k++) {
        s.cells[k] = x->sem.cells[k];
        s.cells[k].value = x->value[k];
    }
    return s;
}

double rsp_ladder_difference(const rsp_ladder_spec *spec, const rsp_rung_fit *before, const rsp_rung_fit *now) {
    double df = now->df - before->df, naive = now->fit.chisq - before->fit.chisq, result = NAN;
    if (!before->good || !now->good || !(df > 0)) return NAN;
    if (!rsp_factor_robust(spec->model)) return naive;
    if (spec->model->estimator != RSP_WLSMV) {
        double scaling = (now->fit.scaling * now->df - before->fit.scaling * before->df) / df;
        return scaling > 0 ? naive / scaling : NAN;
    }
    rsp_arena *a = rsp_arena_new();
    rsp_sem larger = at_estimates(before, a), smaller = at_estimates(now, a);
    double scaling, shift;
    if (rsp_wls_difference(&larger, &smaller, &spec->sample->layout, spec->sample->wls, &scaling, &shift))
        result = naive / scaling + shift;
    rsp_arena_free(a);
    return result;
}

/* ---- cut-offs --------------------------------------------------------------------------------------------------- */

rsp_cutoffs rsp_cutoffs_settle(const rsp_cutoffs *c, size_t n_groups, size_t n) {
    enum { MANY_GROUPS = 10, SMALL_SAMPLE = 300 };
    static const double chen[3][2] = {{0.010, 0.010}, {0.015, 0.015}, {0.030, 0.010}};
    static const double chen_small[3][2] = {{0.005, 0.005}, {0.010, 0.010}, {0.025, 0.005}};
    static const double many[3][2] = {{0.020, 0.010}, {0.030, 0.010}, {NAN, NAN}};
    rsp_cutoffs x = *c;
    if (x.rule == RSP_CUTOFFS_BY_GROUPS)
        x.rule = n_groups >= MANY_GROUPS ? RSP_CUTOFFS_RUTKOWSKI_SVETINA : RSP_CUTOFFS_CHEN;
    const double(*rule)[2] = x.rule != RSP_CUTOFFS_CHEN ? many : n <= SMALL_SAMPLE ? chen_small : chen;
    for (int k = 0; k < 2; k++) {
        if (isnan(x.cfi[k])) x.cfi[k] = rule[0][k];
        if (isnan(x.rmsea[k])) x.rmsea[k] = rule[1][k];
        if (isnan(x.srmr[k])) x.srmr[k] = rule[2][k];
    }
    return x;
}

/* Chen's rule: a fall of the CFI to its cut-off or past it, borne out by the RMSEA or the SRMR. Of thresholds the CFI alone
 * says (Cheung and Rensvold 2002): the SRMR does not see them, and the RMSEA falls with their many degrees of freedom. */
static bool rung_holds(const rsp_cutoffs *c, double stretch, rsp_rung rung, const rsp_rung_fit *before,
                       const rsp_rung_fit *now) {
    size_t k = rung == RSP_METRIC ? 0 : 1; /* thresholds say where answers lie, as intercepts do */
    if (!before->good || !now->good) return false;
    if (before->cfi - now->cfi < c->cfi[k] * stretch) return true;
    if (rung == RSP_THRESHOLD) return false;
    bool rmsea = now->rmsea - before->rmsea >= c->rmsea[k] * stretch;
    bool srmr = !isnan(c->srmr[k]) && now->srmr - before->srmr >= c->srmr[k] * stretch;
    return !rmsea && !srmr;
}

/* The structure itself: distances from a perfect fit are stretched, not the measures. */
static bool structure_holds(const rsp_cutoffs *c, double stretch, const rsp_rung_fit *x) {
    return x->good && 1 - x->cfi <= (1 - c->configural_cfi) * stretch && x->srmr <= c->configural_srmr * stretch;
}

/* ---- releases --------------------------------------------------------------------------------------------------- */

size_t rsp_factor_of_item(const rsp_sem *configural, size_t item) {
    for (size_t k = 0; k < configural->n_cells; k++) {
        const rsp_sem_cell *c = &configural->cells[k];
        if (c->matrix == RSP_SEM_LAMBDA && c->group == 0 && c->row == item) return c->column;
    }
    return RSP_NONE;
}

/* Items of a factor that are equal in everything so far. */
static size_t anchors_of(const rsp_sem *s, const struct released *r, size_t factor) {
    size_t n = 0;
    for (size_t i = 0; i < s->p; i++) n += rsp_factor_of_item(s, i) == factor && r->from[i] == RSP_N_RUNGS;
    return n;
}

/* Is this cell a parameter of its own once the item's equality is given up? Of thresholds two go on being equal, which say
 * what intercept and scale would. */
static bool gives_up(const rsp_ladder_spec *spec, const rsp_sem_cell *c, rsp_rung rung, size_t item) {
    if (c->group == 0 || c->row != item) return false;
    if (rung == RSP_THRESHOLD) return c->matrix == RSP_SEM_TAU && c->column >= 2;
    if (rung == RSP_METRIC) return c->matrix == RSP_SEM_LAMBDA && c->free != RSP_NONE && thresholds_of(spec, item) != 1;
    return c->matrix == RSP_SEM_NU && (c->free != RSP_NONE || thresholds_of(spec, item));
}

/* Score statistic for giving up an item's equality, on *df degrees of freedom; NaN: there is none, or nothing to give up. */
static double score_of(const rsp_ladder_spec *spec, rsp_rung rung, const rsp_rung_fit *now, size_t item, rsp_arena *a,
                       double *df) {
    rsp_sem larger = at_estimates(now, a);
    rsp_extras extras = {.of = NULL};
    size_t *of = RSP_ARRAY(a, size_t, larger.n_cells + 1);
    for (size_t k = 0; k < larger.n_cells; k++) {
        if (!gives_up(spec, &larger.cells[k], rung, item)) continue;
        of[extras.n++] = larger.cells[k].free;
        larger.cells[k].free = larger.n_free++;
    }
    extras.of = of;
    *df = (double) extras.n;
    if (!extras.n) return NAN;
    double *score = RSP_ARRAY(a, double, extras.n), *left = RSP_ARRAY(a, double, extras.n),
           *variance = RSP_ARRAY(a, double, extras.n *extras.n);
    if (rsp_factor_scores(spec->model, spec->sample, &larger, &extras, score, variance, left, spec->diag) != RSP_SEM_OK)
        return NAN;
    for (size_t e = 0; e < extras.n; e++)
        if (!(fabs(left[e]) > RSP_SCORE_LEAST_LEFT)) return NAN;
    return rsp_score_statistic(score, variance, extras.n);
}

/* The candidate with the largest score statistic; RSP_NONE when anchors are used up. */
static size_t next_release(const rsp_ladder_spec *spec, rsp_rung rung, const struct released *r,
                           const rsp_rung_fit *now, rsp_arena *a, double *score, double *df) {
    const rsp_sem *base = spec->configural;
    size_t best = RSP_NONE;
    *score = 0;
    for (size_t i = 0; i < base->p; i++) {
        double x, d;
        if (r->from[i] < RSP_N_RUNGS || anchors_of(base, r, rsp_factor_of_item(base, i)) <= spec->anchors) continue;
        x = score_of(spec, rung, now, i, a, &d);
        if (!(x > *score)) continue;
        *score = x;
        *df = d;
        best = i;
    }
    return best;
}

/* Gives up equalities until the rung holds; l->partial[rung] is the last model, where there is any. */
static bool release_until_it_holds(const rsp_ladder_spec *spec, double stretch, rsp_rung rung,
                                   const rsp_rung_fit *before, const rsp_rung_fit *full, struct released *r,
                                   rsp_arena *a, rsp_ladder *l) {
    rsp_rung_fit now = *full;
    double score, df;
    for (size_t item; now.good && (item = next_release(spec, rung, r, &now, a, &score, &df)) != RSP_NONE;) {
        r->from[item] = rung;
        l->releases[l->n_releases++] = (rsp_release){rung, item, score, df};
        fit_rung(spec, rung, r, now.value, a, &now);
        l->partial[rung] = now;
        if (rung_holds(&spec->cutoffs, stretch, rung, before, &now)) return true;
    }
    return false;
}

/* ---- the climb -------------------------------------------------------------------------------------------------- */

static bool is_ordinal(const rsp_ladder_spec *spec) { return rsp_limited_information(spec->model); }

static void fit_full(const rsp_ladder_spec *spec, const struct released *none, rsp_arena *a, rsp_ladder *l) {
    const double *start = NULL;
    if (l->rung[RSP_CONFIGURAL].sem.n_cells) return;
    for (rsp_rung k = RSP_CONFIGURAL; k < RSP_N_RUNGS; k++) {
        if (k == RSP_THRESHOLD && !is_ordinal(spec)) continue;
        fit_rung(spec, k, none, start, a, &l->rung[k]);
        start = l->rung[k].value;
    }
}

/* One rung on from `before`, with what has been released; the model that the next is compared with, or NULL. */
static const rsp_rung_fit *climb(const rsp_ladder_spec *spec, double stretch, rsp_rung rung, const rsp_rung_fit *before,
                                 struct released *r, rsp_arena *a, rsp_ladder *l) {
    const rsp_rung_fit *now = &l->rung[rung];
    bool in_full = l->n_releases == 0;
    if (!in_full) { /* what comes after is free in the released items as well */
        fit_rung(spec, rung, r, before->value, a, &l->partial[rung]);
        now = &l->partial[rung];
    }
    if (rung_holds(&spec->cutoffs, stretch, rung, before, now)) {
        l->holds[rung] = in_full;
        return now;
    }
    return release_until_it_holds(spec, stretch, rung, before, now, r, a, l) ? &l->partial[rung] : NULL;
}

void rsp_ladder_climb(const rsp_ladder_spec *spec, double stretch, rsp_arena *a, rsp_ladder *l) {
    size_t p = spec->configural->p;
    struct released r = {RSP_ARRAY(a, rsp_rung, p + 1)};
    for (size_t i = 0; i < p; i++) r.from[i] = RSP_N_RUNGS;
    fit_full(spec, &r, a, l);
    l->releases = RSP_ARRAY(a, rsp_release, p + 1);
    l->n_releases = 0;
    memset(l->partial, 0, sizeof l->partial);
    memset(l->holds, 0, sizeof l->holds);
    l->grade = RSP_NOT_COMPARABLE;
    l->holds[RSP_CONFIGURAL] = structure_holds(&spec->cutoffs, stretch, &l->rung[RSP_CONFIGURAL]);
    const rsp_rung_fit *at = l->holds[RSP_CONFIGURAL] ? &l->rung[RSP_CONFIGURAL] : NULL;
    for (rsp_rung k = RSP_THRESHOLD; at && k < RSP_N_RUNGS; k++)
        if (k != RSP_THRESHOLD || is_ordinal(spec)) at = climb(spec, stretch, k, at, &r, a, l);
    if (at) l->grade = l->n_releases ? RSP_WITH_CAUTION : RSP_COMPARABLE;
}
