/* Weighted totals of every cell, under the full-sample weights and under each replicate's. */
#include "base/ranks.h"
#include "base/vector.h"
#include "estimate/estimate.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Replicates are worked on side by side: one visit of a row adds its weight in all lanes. Weights of so many rows and
 * an item's sums stay in the first cache while every item is added up. */
enum { LANES = RSP_LANES, ROWS_AT_ONCE = 128 };

/* Replicate totals of items worked on together: at most this many numbers (256 MiB). */
enum { MOST_TOTALS = 1 << 25 };

/* Coded items are bundled: a row's answers to two, three or more items of few levels are one code, added up once; an item's
 * totals are then sums over codes. Worth it where a cell has several rows for each code. */
enum { MOST_CODES = 255, MOST_BUNDLED = 8, ROWS_FOR_A_CODE = 4, MOST_SUMS = 4096 };

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

/* Nearly all tables: no choice inside the loop. */
static void add_bytes(const est_people *who, est_item *it) {
    const int8_t *level = it->measure.c8;
    const int32_t *cell = who->cell;
    const double *weight = who->weight;
    double *full = it->full;
    int64_t *count = it->count;
    for (size_t i = 0, n = who->sample->n, k = it->measure.k; i < n; i++) {
        if (cell[i] < 0 || level[i] < 0) continue;
        size_t at = (size_t) cell[i] * k + (size_t) level[i];
        full[at] += weight[i];
        count[at]++;
    }
}

void est_totals_full(const est_people *who, est_item *it) {
    est_measure *m = &it->measure;
    if (m->kind == EST_LEVELS && m->c8) {
        add_bytes(who, it);
        return;
    }
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
    case EST_LEVELS: add_levels(who, it, from, to, w, sums); return;
    case EST_MOMENTS: add_moments(who, it, from, to, w, sums); return;
    case EST_PAIR: add_pairs(who, it, from, to, w, sums); return;
    }
}

/* ---- bundles ---------------------------------------------------------------------------------------------------- */

/* Items counted together. The code of a row has a digit for each item, the first the highest: its level, or k where it
 * has none. */
struct bundle {
    size_t n;
    const est_item *items[MOST_BUNDLED];
    size_t n_codes; /* product of k + 1 */
    uint8_t *code;  /* [n] by row; NULL: a single item, added up as it is */
};

struct bundles {
    const est_people *who;
    size_t n, n_cells;
    struct bundle *all;
};

static size_t codes_with(const struct bundle *b, const est_item *it) { return b->n_codes * (it->measure.k + 1); }

static bool bundled(const est_item *it) { return it->measure.kind == EST_LEVELS && it->measure.c8; }

/* Codes that a bundle may have. */
static size_t most_codes(const est_people *who, size_t n_cells) {
    size_t most = who->sample->n / (n_cells * ROWS_FOR_A_CODE);
    if (most > MOST_SUMS / n_cells) most = MOST_SUMS / n_cells;
    return most < MOST_CODES ? most : MOST_CODES;
}

static void write_codes(const est_people *who, struct bundle *b) {
    size_t n = who->sample->n;
    b->code = rsp_calloc(n + 1, 1);
    for (size_t j = 0; j < b->n; j++) {
        const int8_t *level = b->items[j]->measure.c8;
        uint8_t k = (uint8_t) b->items[j]->measure.k;
        for (size_t i = 0; i < n; i++)
            b->code[i] = (uint8_t) (b->code[i] * (k + 1) + (level[i] < 0 ? k : (uint8_t) level[i]));
    }
}

static struct bundles bundles_new(const est_people *who, const est_item *items, size_t n_items) {
    struct bundles x = {.who = who, .n_cells = who->n_domains * who->n_countries};
    x.all = rsp_calloc(n_items + 1, sizeof *x.all);
    size_t most = x.n_cells ? most_codes(who, x.n_cells) : 0;
    for (size_t j = 0; j < n_items; j++) {
        struct bundle *last = x.n ? &x.all[x.n - 1] : NULL;
        bool joins = last && last->n < MOST_BUNDLED && bundled(last->items[0]) && bundled(&items[j]) &&
                     codes_with(last, &items[j]) <= most;
        if (!joins) {
            last = &x.all[x.n++];
            last->n_codes = 1;
        }
        last->n_codes = codes_with(last, &items[j]);
        last->items[last->n++] = &items[j];
    }
#pragma omp parallel for schedule(dynamic, 1) num_threads(rsp_threads())
    for (size_t k = 0; k < x.n; k++)
        if (x.all[k].n > 1) write_codes(who, &x.all[k]);
    return x;
}

static void bundles_free(struct bundles *x) {
    for (size_t k = 0; k < x->n; k++) free(x->all[k].code);
    free(x->all);
}

RSP_WIDE
static void add_codes(const est_people *who, const struct bundle *b, size_t from, size_t to, const double *w,
                      double *sums) {
    const int32_t *cell = who->cell;
    for (size_t i = from; i < to; i++, w += LANES)
        if (cell[i] >= 0) add_lanes(sums + ((size_t) cell[i] * b->n_codes + b->code[i]) * LANES, w);
}

/* Sums by code [cells * n_codes] become each item's by level, at its offset. */
RSP_WIDE
static void unbundle(const struct bundles *x, const struct bundle *b, const double *sums, double *totals) {
    for (size_t cell = 0; cell < x->n_cells; cell++)
        for (size_t code = 0; code < b->n_codes; code++, sums += LANES)
            for (size_t j = b->n, rest = code; j-- > 0;) {
                const est_item *it = b->items[j];
                size_t k = it->measure.k, level = rest % (k + 1);
                rest /= k + 1;
                if (level < k) add_lanes(totals + (it->offset + cell * k + level) * LANES, sums);
            }
}

static void weights_of_block(const est_people *who, const rsp_lanes *lanes, size_t from, size_t to, double *w) {
    rsp_lanes_weights(lanes, from, to, w);
    if (!who->factor) return;
    for (size_t i = from; i < to; i++)
        for (size_t lane = 0; lane < LANES; lane++) w[(i - from) * LANES + lane] *= who->factor[i];
}

static void chunk_of_replicates(const struct bundles *x, const rsp_replicates *r, size_t stride, size_t first,
                                size_t n_lanes, double *rep) {
    const est_people *who = x->who;
    double *totals = rsp_calloc(stride * LANES + 1, sizeof *totals);
    double **sums = rsp_malloc((x->n + 1) * sizeof *sums);
    double *w = rsp_malloc((size_t) ROWS_AT_ONCE * LANES * sizeof *w);
    rsp_lanes *lanes = rsp_lanes_new(r, first);
    for (size_t k = 0; k < x->n; k++)
        sums[k] = x->all[k].code ? rsp_calloc(x->n_cells * x->all[k].n_codes * LANES, sizeof **sums)
                                 : totals + x->all[k].items[0]->offset * LANES;
    for (size_t from = 0; from < who->sample->n; from += ROWS_AT_ONCE) {
        size_t to = from + ROWS_AT_ONCE < who->sample->n ? from + ROWS_AT_ONCE : who->sample->n;
        weights_of_block(who, lanes, from, to, w);
        for (size_t k = 0; k < x->n; k++)
            if (x->all[k].code) add_codes(who, &x->all[k], from, to, w, sums[k]);
            else add_block(who, x->all[k].items[0], from, to, w, sums[k]);
    }
    for (size_t k = 0; k < x->n; k++) {
        if (!x->all[k].code) continue;
        unbundle(x, &x->all[k], sums[k], totals);
        free(sums[k]);
    }
    for (size_t lane = 0; lane < n_lanes; lane++)
        for (size_t s = 0; s < stride; s++) rep[(first + lane) * stride + s] = totals[s * LANES + lane];
    rsp_lanes_free(lanes);
    free(totals);
    free(sums);
    free(w);
}

/* A replicate's totals are added by one thread in the order of rows: the same whatever the number of threads. */
void est_totals_replicates(const est_people *who, const est_item *items, size_t n_items, const rsp_replicates *r,
                           size_t stride, double *rep) {
    rsp_part part = rsp_ranks_part(rsp_replicates_count(r), LANES);
    struct bundles x = bundles_new(who, items, n_items);
#pragma omp parallel for schedule(dynamic, 1) num_threads(rsp_threads())
    for (size_t first = part.from; first < part.to; first += LANES)
        chunk_of_replicates(&x, r, stride, first, part.to - first < LANES ? part.to - first : LANES, rep);
    rsp_ranks_gather(&part, rep, stride * sizeof *rep);
    bundles_free(&x);
}

size_t est_end_of_batch(const est_people *who, const est_items *items, size_t from, size_t replicates, size_t *stride) {
    size_t to = from;
    *stride = 0;
    while (to < items->n) {
        size_t more = who->n_domains * who->n_countries * items->items[to].measure.k;
        if (to > from && (*stride + more) * replicates > MOST_TOTALS) break;
        items->items[to++].offset = *stride;
        *stride += more;
    }
    return to;
}
