/* Weighted totals of every cell, under the full-sample weights and under each replicate's. */
#include "estimate/estimate.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Replicates are worked on side by side: one visit of a row adds its weight in this many replicates at once. */
enum { LANES = 8 };

bool est_counted(const est_item *it, size_t base, size_t i) {
    const est_measure *m = &it->measure;
    if (m->kind == EST_LEVELS) {
        int l = est_level(m, i);
        return l >= 0 && (!it->bases[base] || it->bases[base][l]);
    }
    return !isnan(m->y[i]) && (m->kind == EST_MOMENTS || !isnan(m->x[i]));
}

int64_t est_base_of_cell(const est_item *it, size_t base, size_t cell) {
    if (it->measure.kind != EST_LEVELS) return it->count[cell];
    size_t  k = it->measure.k;
    int64_t n = 0;
    for (size_t l = 0; l < k; l++)
        if (!it->bases[base] || it->bases[base][l]) n += it->count[cell * k + l];
    return n;
}

int64_t est_base_of_domain(const est_people *who, const est_item *it, size_t base, size_t domain) {
    int64_t n = 0;
    for (size_t c = 0; c < who->n_countries; c++) n += est_base_of_cell(it, base, domain * who->n_countries + c);
    return n;
}

/* Where row i's totals start, or -1. LEVELS: the one total that it adds to. */
static int64_t place_of(const est_people *who, const est_item *it, size_t i) {
    const est_measure *m = &it->measure;
    if (who->cell[i] < 0) return -1;
    int64_t first = (int64_t) who->cell[i] * (int64_t) m->k;
    if (m->kind == EST_LEVELS) {
        int l = est_level(m, i);
        return l < 0 ? -1 : first + l;
    }
    return est_counted(it, 0, i) ? first : -1;
}

/* Takes the shift of numbers near their middle: powers of y - shift keep their digits. */
static void choose_shift(const est_people *who, est_item *it) {
    const est_measure *m = &it->measure;
    double             sum = 0, n = 0;
    for (size_t i = 0; i < who->sample->n; i++) {
        if (who->cell[i] < 0 || isnan(m->y[i])) continue;
        sum += m->y[i];
        n++;
    }
    double shift = n > 0 ? sum / n : 0;
    it->measure.shift = isfinite(shift) ? shift : 0;
}

void est_totals_full(const est_people *who, est_item *it) {
    est_measure *m = &it->measure;
    if (m->kind == EST_MOMENTS && m->k > 2) choose_shift(who, it);
    for (size_t i = 0; i < who->sample->n; i++) {
        int64_t at = place_of(who, it, i);
        if (at < 0) continue;
        double w = who->weight[i];
        it->full[at] += w;
        it->count[m->kind == EST_LEVELS ? at : who->cell[i]]++;
        if (m->kind == EST_LEVELS) continue;
        if (m->kind == EST_PAIR) {
            it->full[at + 1] += w * m->y[i];
            it->full[at + 2] += w * m->x[i];
            continue;
        }
        double y = m->y[i] - m->shift;
        for (size_t l = 1; l < m->k; l++) it->full[at + (int64_t) l] += w *= y;
    }
}

static inline void add_lanes(double *restrict into, const double *restrict w, double by) {
    for (int lane = 0; lane < LANES; lane++) into[lane] += w[lane] * by;
}

static void add_block(const est_people *who, const est_item *it, size_t from, size_t to, const double *w,
                      double *sums) {
    const est_measure *m = &it->measure;
    for (size_t i = from; i < to; i++) {
        int64_t at = place_of(who, it, i);
        if (at < 0) continue;
        const double *wi = w + (i - from) * LANES;
        double       *into = sums + (size_t) at * LANES;
        add_lanes(into, wi, 1);
        if (m->kind == EST_LEVELS) continue;
        if (m->kind == EST_PAIR) {
            add_lanes(into + LANES, wi, m->y[i]);
            add_lanes(into + 2 * LANES, wi, m->x[i]);
            continue;
        }
        double y = m->y[i] - m->shift, power = y;
        for (size_t l = 1; l < m->k; l++, power *= y) add_lanes(into + l * LANES, wi, power);
    }
}

/* Items of bytes are nearly all of a survey's: without the choices of place_of inside the loop over rows. */
static void add_block_bytes(const est_people *who, const est_item *it, size_t from, size_t to, const double *w,
                            double *sums) {
    const int8_t  *code = it->measure.c8;
    const int32_t *cell = who->cell;
    size_t         k = it->measure.k;
    for (size_t i = from; i < to; i++) {
        if (cell[i] < 0 || code[i] < 0) continue;
        add_lanes(sums + ((size_t) cell[i] * k + (size_t) code[i]) * LANES, w + (i - from) * LANES, 1);
    }
}

static void weights_of_block(const est_people *who, const rsp_replicates *r, size_t first, size_t n_lanes, size_t from,
                             size_t to, double *one, double *w) {
    for (size_t lane = 0; lane < n_lanes; lane++) {
        rsp_replicate_weights_block(r, first + lane, from, to, one);
        for (size_t i = 0; i < to - from; i++)
            w[i * LANES + lane] = who->factor ? one[i] * who->factor[from + i] : one[i];
    }
}

static void chunk_of_replicates(const est_people *who, const est_item *items, size_t n_items, const rsp_replicates *r,
                                size_t stride, size_t first, size_t n_lanes, double *rep) {
    double *sums = rsp_calloc(stride * LANES, sizeof *sums);
    double *w = rsp_calloc((size_t) RSP_BLOCK * LANES, sizeof *w), *one = rsp_malloc(RSP_BLOCK * sizeof *one);
    for (size_t from = 0; from < who->sample->n; from += RSP_BLOCK) {
        size_t to = from + RSP_BLOCK < who->sample->n ? from + RSP_BLOCK : who->sample->n;
        weights_of_block(who, r, first, n_lanes, from, to, one, w);
        for (size_t j = 0; j < n_items; j++) {
            double *into = sums + items[j].offset * LANES;
            if (items[j].measure.kind == EST_LEVELS && items[j].measure.c8)
                add_block_bytes(who, &items[j], from, to, w, into);
            else add_block(who, &items[j], from, to, w, into);
        }
    }
    for (size_t lane = 0; lane < n_lanes; lane++)
        for (size_t s = 0; s < stride; s++) rep[(first + lane) * stride + s] = sums[s * LANES + lane];
    free(sums);
    free(w);
    free(one);
}

/* A replicate's totals are added by one thread in the order of rows: the same whatever the number of threads. */
void est_totals_replicates(const est_people *who, const est_item *items, size_t n_items, const rsp_replicates *r,
                           size_t stride, double *rep) {
    size_t n = rsp_replicates_count(r), chunks = (n + LANES - 1) / LANES;
#pragma omp parallel for schedule(dynamic, 1) num_threads(rsp_threads())
    for (size_t c = 0; c < chunks; c++) {
        size_t first = c * LANES, n_lanes = n - first < LANES ? n - first : LANES;
        chunk_of_replicates(who, items, n_items, r, stride, first, n_lanes, rep);
    }
}
