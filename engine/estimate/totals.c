/* Weighted totals of every cell, under the full-sample weights and under each replicate's. */
#include "base/vector.h"
#include "estimate/estimate.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Replicates are worked on side by side: one visit of a row adds its weight in all lanes. Weights of so many rows and
 * an item's sums stay in the first cache while every item is added up. */
enum { LANES = RSP_LANES, ROWS_AT_ONCE = 256 };

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
    size_t k = it->measure.k;
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
    double sum = 0, n = 0;
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

static inline void add_lanes(double *restrict into, const double *restrict w) {
    for (int lane = 0; lane < LANES; lane++) into[lane] += w[lane];
}

static inline void add_lanes_times(double *restrict into, const double *restrict w, double by) {
    for (int lane = 0; lane < LANES; lane++) into[lane] += w[lane] * by;
}

RSP_WIDE
static void add_levels(const est_people *who, const est_item *it, size_t from, size_t to, const double *w,
                       double *sums) {
    const est_measure *m = &it->measure;
    for (size_t i = from; i < to; i++, w += LANES) {
        int level = est_level(m, i);
        if (who->cell[i] < 0 || level < 0) continue;
        add_lanes(sums + ((size_t) who->cell[i] * m->k + (size_t) level) * LANES, w);
    }
}

/* Items of bytes are nearly all of a survey's: without the choices of est_level inside the loop over rows. */
RSP_WIDE
static void add_levels_bytes(const est_people *who, const est_item *it, size_t from, size_t to, const double *w,
                             double *sums) {
    const int8_t *code = it->measure.c8;
    const int32_t *cell = who->cell;
    size_t k = it->measure.k;
    for (size_t i = from; i < to; i++, w += LANES) {
        if (cell[i] < 0 || code[i] < 0) continue;
        add_lanes(sums + ((size_t) cell[i] * k + (size_t) code[i]) * LANES, w);
    }
}

RSP_WIDE
static void add_moments(const est_people *who, const est_item *it, size_t from, size_t to, const double *w,
                        double *sums) {
    const est_measure *m = &it->measure;
    for (size_t i = from; i < to; i++, w += LANES) {
        if (who->cell[i] < 0 || isnan(m->y[i])) continue;
        double *into = sums + (size_t) who->cell[i] * m->k * LANES;
        double y = m->y[i] - m->shift, power = y;
        add_lanes(into, w);
        for (size_t l = 1; l < m->k; l++, power *= y) add_lanes_times(into + l * LANES, w, power);
    }
}

RSP_WIDE
static void add_pairs(const est_people *who, const est_item *it, size_t from, size_t to, const double *w,
                      double *sums) {
    const est_measure *m = &it->measure;
    for (size_t i = from; i < to; i++, w += LANES) {
        if (who->cell[i] < 0 || isnan(m->y[i]) || isnan(m->x[i])) continue;
        double *into = sums + (size_t) who->cell[i] * m->k * LANES;
        add_lanes(into, w);
        add_lanes_times(into + LANES, w, m->y[i]);
        add_lanes_times(into + 2 * LANES, w, m->x[i]);
    }
}

static void add_block(const est_people *who, const est_item *it, size_t from, size_t to, const double *w,
                      double *sums) {
    switch (it->measure.kind) {
    case EST_LEVELS:
        if (it->measure.c8) add_levels_bytes(who, it, from, to, w, sums);
        else add_levels(who, it, from, to, w, sums);
        return;
    case EST_MOMENTS: add_moments(who, it, from, to, w, sums); return;
    case EST_PAIR: add_pairs(who, it, from, to, w, sums); return;
    }
}

static void weights_of_block(const est_people *who, const rsp_lanes *lanes, size_t from, size_t to, double *w) {
    rsp_lanes_weights(lanes, from, to, w);
    if (!who->factor) return;
    for (size_t i = from; i < to; i++)
        for (size_t lane = 0; lane < LANES; lane++) w[(i - from) * LANES + lane] *= who->factor[i];
}

static void chunk_of_replicates(const est_people *who, const est_item *items, size_t n_items, const rsp_replicates *r,
                                size_t stride, size_t first, size_t n_lanes, double *rep) {
    double *sums = rsp_calloc(stride * LANES, sizeof *sums);
    double *w = rsp_malloc((size_t) ROWS_AT_ONCE * LANES * sizeof *w);
    rsp_lanes *lanes = rsp_lanes_new(r, first);
    for (size_t from = 0; from < who->sample->n; from += ROWS_AT_ONCE) {
        size_t to = from + ROWS_AT_ONCE < who->sample->n ? from + ROWS_AT_ONCE : who->sample->n;
        weights_of_block(who, lanes, from, to, w);
        for (size_t j = 0; j < n_items; j++) add_block(who, &items[j], from, to, w, sums + items[j].offset * LANES);
    }
    for (size_t lane = 0; lane < n_lanes; lane++)
        for (size_t s = 0; s < stride; s++) rep[(first + lane) * stride + s] = sums[s * LANES + lane];
    rsp_lanes_free(lanes);
    free(sums);
    free(w);
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
