#include "measure/ladder.h"

#include <math.h>
#include <string.h>

/* ---- models ----------------------------------------------------------------------------------------------------- */

/* Equalities given up, by item. */
struct released {
    bool *loading, *intercept;
};

static const rsp_sem_cell *same_cell(const rsp_sem *s, const rsp_sem_cell *c, size_t group) {
    for (size_t k = 0; k < s->n_cells; k++) {
        const rsp_sem_cell *x = &s->cells[k];
        if (x->group == group && x->matrix == c->matrix && x->row == c->row && x->column == c->column) return x;
    }
    return NULL;
}

static bool equal_in_groups(const rsp_sem_cell *c, rsp_rung rung, const struct released *r) {
    if (c->matrix == RSP_SEM_LAMBDA) return rung >= RSP_METRIC && !r->loading[c->row];
    if (c->matrix == RSP_SEM_NU) return rung >= RSP_SCALAR && !r->loading[c->row] && !r->intercept[c->row];
    return false;
}

/* Fixed at 1 or 0 in the configural model, free where something of the metric is shared between groups. */
static bool freed_by_rung(const rsp_sem_cell *c, rsp_rung rung) {
    if (c->group == 0) return false;
    if (c->matrix == RSP_SEM_PSI && c->row == c->column) return rung >= RSP_METRIC;
    return c->matrix == RSP_SEM_ALPHA && rung >= RSP_SCALAR;
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
        c->value = start ? start[k] : c->value;
        if (c->free == RSP_NONE && !freed_by_rung(c, rung)) continue;
        const rsp_sem_cell *first = equal_in_groups(c, rung, r) && c->group ? same_cell(&s, c, 0) : NULL;
        c->free = first ? first->free : s.n_free++;
    }
    double *sum = RSP_ARRAY(a, double, s.n_free + 1), *weight = RSP_ARRAY(a, double, s.n_free + 1);
    for (size_t k = 0; k < s.n_cells; k++) {
        const rsp_sem_cell *c = &s.cells[k];
        if (c->free == RSP_NONE) continue;
        sum[c->free] += (double) spec->samples[c->group].n * c->value;
        weight[c->free] += (double) spec->samples[c->group].n;
    }
    for (size_t k = 0; k < s.n_cells; k++)
        if (s.cells[k].free != RSP_NONE) s.cells[k].value = sum[s.cells[k].free] / weight[s.cells[k].free];
    return s;
}

/* CFI and RMSEA, robust after Brosseau-Liard and Savalei (2014) and Brosseau-Liard, Savalei and Li (2012). */
static void measure_fit(rsp_rung_fit *x, bool robust) {
    const rsp_sem_fit *f = &x->fit;
    double c = robust ? f->scaling : 1, cb = robust ? f->scaling_baseline : 1;
    double excess = f->df > 0 ? fmax(0, f->chisq - c * f->df) : 0,
           baseline = fmax(excess, f->chisq_baseline - cb * f->df_baseline);
    x->df = f->df;
    x->chisq = f->df > 0 ? f->chisq / c : 0;
    x->cfi = baseline > 0 ? 1 - excess / baseline : 1;
    x->rmsea = f->df > 0 ? sqrt(excess / (f->df * (double) f->n) * (double) x->sem.n_groups) : 0;
    x->srmr = f->srmr;
}

static void fit_rung(const rsp_ladder_spec *spec, rsp_rung rung, const struct released *r, const double *start,
                     rsp_arena *a, rsp_rung_fit *x) {
    x->sem = rung_model(spec, rung, r, start, a);
    rsp_sem_estimate(&x->sem, spec->samples, &(rsp_sem_options){.robust = spec->robust}, a, &x->fit);
    x->good = x->fit.status == RSP_SEM_OK;
    x->value = RSP_ARRAY(a, double, x->sem.n_cells + 1);
    for (size_t k = 0; k < x->sem.n_cells; k++) {
        const rsp_sem_cell *c = &x->sem.cells[k];
        x->value[k] = c->free == RSP_NONE ? c->value : x->fit.par[c->free];
    }
    if (x->good) measure_fit(x, spec->robust && x->fit.df > 0);
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

/* Chen's rule: a fall of the CFI to its cut-off or past it, borne out by the RMSEA or the SRMR. */
static bool rung_holds(const rsp_cutoffs *c, double stretch, rsp_rung rung, const rsp_rung_fit *before,
                       const rsp_rung_fit *now) {
    size_t k = rung == RSP_METRIC ? 0 : 1;
    if (!before->good || !now->good) return false;
    if (before->cfi - now->cfi < c->cfi[k] * stretch) return true;
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
    for (size_t i = 0; i < s->p; i++) n += rsp_factor_of_item(s, i) == factor && !r->loading[i] && !r->intercept[i];
    return n;
}

/* The candidate with the largest score statistic; RSP_NONE when anchors are used up. */
static size_t next_release(const rsp_ladder_spec *spec, rsp_rung rung, struct released *r, const rsp_rung_fit *now,
                           rsp_arena *a, double *score) {
    const rsp_sem *base = spec->configural;
    bool *given_up = rung == RSP_METRIC ? r->loading : r->intercept;
    size_t best = RSP_NONE;
    *score = 0;
    for (size_t i = 0; i < base->p; i++) {
        if (r->loading[i] || r->intercept[i] || anchors_of(base, r, rsp_factor_of_item(base, i)) <= spec->anchors)
            continue;
        given_up[i] = true;
        rsp_sem larger = rung_model(spec, rung, r, now->value, a);
        given_up[i] = false;
        double x = rsp_sem_score_test(&larger, spec->samples);
        if (!(x > *score)) continue;
        *score = x;
        best = i;
    }
    return best;
}

static bool release_until_it_holds(const rsp_ladder_spec *spec, double stretch, rsp_rung rung,
                                   const rsp_rung_fit *before, const rsp_rung_fit *full, struct released *r,
                                   rsp_arena *a, rsp_ladder *l) {
    rsp_rung_fit now = *full;
    double score;
    for (size_t item; now.good && (item = next_release(spec, rung, r, &now, a, &score)) != RSP_NONE;) {
        (rung == RSP_METRIC ? r->loading : r->intercept)[item] = true;
        l->releases[l->n_releases++] = (rsp_release){rung, item, score, (double) (spec->configural->n_groups - 1)};
        fit_rung(spec, rung, r, now.value, a, &now);
        if (rung_holds(&spec->cutoffs, stretch, rung, before, &now)) break;
    }
    l->partial[rung] = now;
    return rung_holds(&spec->cutoffs, stretch, rung, before, &now);
}

/* ---- the climb -------------------------------------------------------------------------------------------------- */

static void fit_full(const rsp_ladder_spec *spec, const struct released *none, rsp_arena *a, rsp_ladder *l) {
    if (l->rung[RSP_CONFIGURAL].sem.n_cells) return;
    for (rsp_rung k = RSP_CONFIGURAL; k <= RSP_SCALAR; k++)
        fit_rung(spec, k, none, k ? l->rung[k - 1].value : NULL, a, &l->rung[k]);
}

void rsp_ladder_climb(const rsp_ladder_spec *spec, double stretch, rsp_arena *a, rsp_ladder *l) {
    size_t p = spec->configural->p;
    struct released r = {RSP_ARRAY(a, bool, p), RSP_ARRAY(a, bool, p)};
    fit_full(spec, &r, a, l);
    l->releases = RSP_ARRAY(a, rsp_release, 2 * p);
    l->n_releases = 0;
    memset(l->partial, 0, sizeof l->partial);
    memset(l->holds, 0, sizeof l->holds);
    memset(l->partly, 0, sizeof l->partly);
    l->grade = RSP_NOT_COMPARABLE;
    l->holds[0] = l->partly[0] = structure_holds(&spec->cutoffs, stretch, &l->rung[0]);
    if (!l->holds[0]) return;
    l->holds[1] = l->partly[1] = rung_holds(&spec->cutoffs, stretch, RSP_METRIC, &l->rung[0], &l->rung[1]);
    if (!l->holds[1])
        l->partly[1] = release_until_it_holds(spec, stretch, RSP_METRIC, &l->rung[0], &l->rung[1], &r, a, l);
    if (!l->partly[1]) return;
    const rsp_rung_fit *metric = l->holds[1] ? &l->rung[1] : &l->partial[1];
    rsp_rung_fit scalar = l->rung[2];
    if (!l->holds[1]) { /* intercepts of the released items are free as well */
        fit_rung(spec, RSP_SCALAR, &r, metric->value, a, &scalar);
        l->partial[2] = scalar;
    }
    bool holds = rung_holds(&spec->cutoffs, stretch, RSP_SCALAR, metric, &scalar);
    l->holds[2] = holds && l->holds[1];
    l->partly[2] = holds || release_until_it_holds(spec, stretch, RSP_SCALAR, metric, &scalar, &r, a, l);
    if (l->holds[2]) l->grade = RSP_COMPARABLE;
    else if (l->partly[2]) l->grade = RSP_WITH_CAUTION;
}
