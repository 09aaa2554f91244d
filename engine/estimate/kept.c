/* Totals that several tables share. Shares, means, net agreement of the same items in the same groups are functions of one
 * set of totals, and so are those under each replicate's weights, which cost most: the first table makes them, the others
 * find them with the sample.
 *
 * Only whole lists of items are shared, all of them coded answers: the last digits of replicate totals depend on which items
 * are bundled, and must not depend on which tables a night computes. */
#include "estimate/estimate.h"

#include <omp.h>
#include <stdlib.h>
#include <string.h>

/* Replicate totals beyond 16 MiB are made for each table. */
enum { MOST_KEPT = 1 << 21 };

struct est_kept {
    struct est_kept *next;
    const rsp_table *table;
    const rsp_crossing *by;
    bool usable; /* all items are coded answers */
    const est_people *who;
    est_items items;
    const rsp_replicates *replicates; /* those of rep */
    double *rep;
    size_t stride;
};

/* ---- who shares with whom --------------------------------------------------------------------------------------- */

static bool of_totals(const rsp_analysis *a) {
    if (a->kind != RSP_A_TABLE || a->filter) return false;
    switch (a->table.statistic) {
    case RSP_PROPORTION:
    case RSP_MEAN:
    case RSP_TOTAL:
    case RSP_SD:
    case RSP_NET:
    case RSP_TOP2: return true;
    default: return false;
    }
}

static bool same_items(const rsp_table *a, const rsp_table *b) {
    return a->n_items == b->n_items && !memcmp(a->items, b->items, a->n_items * sizeof *a->items);
}

static bool same_crossing(const rsp_crossing *a, const rsp_crossing *b) {
    return a->n == b->n && (!a->n || !memcmp(a->variables, b->variables, a->n * sizeof *a->variables));
}

static bool has_crossing(const rsp_table *t, const rsp_crossing *by) {
    bool found = !t->n_by && !by->n;
    for (size_t k = 0; k < t->n_by; k++) found |= same_crossing(&t->by[k], by);
    return found;
}

static bool wanted_again(const rsp_study *s, const rsp_analysis *a, const rsp_crossing *by) {
    if (!of_totals(a)) return false;
    for (size_t k = 0; k < s->n_analyses; k++) {
        const rsp_analysis *b = &s->analyses[k];
        if (b != a && of_totals(b) && same_items(&a->table, &b->table) && has_crossing(&b->table, by)) return true;
    }
    return false;
}

/* ---- making them ------------------------------------------------------------------------------------------------ */

static bool all_coded(const est_items *items) {
    for (size_t j = 0; j < items->n; j++) {
        const est_measure *m = &items->items[j].measure;
        if (m->kind != EST_LEVELS || m->c32 || !(m->c8 || m->c16)) return false;
    }
    return true;
}

static void add_up(rsp_sample *s, est_kept *k) {
    est_context x = {s, k->who, NULL, NULL, 0, NULL};
#pragma omp parallel num_threads(rsp_threads())
    {
        est_work w;
        est_work_init(&w, s);
#pragma omp for schedule(dynamic, 1)
        for (size_t j = 0; j < k->items.n; j++) {
            est_item *it = &k->items.items[j];
            est_totals_full(k->who, it);
            est_designs(&x, it, &w);
        }
        est_work_free(&w);
    }
}

/* What goes wrong is left to the table that finds nothing here. */
static est_kept *make(rsp_sample *s, const rsp_analysis *a, const rsp_crossing *by) {
    rsp_diag *unheard = rsp_diag_new();
    est_kept *k = RSP_NEW(s->arena, est_kept);
    *k = (est_kept){.next = s->kept, .table = &a->table, .by = by};
    k->who = est_people_new(s, by, NULL, EST_AS_SCALED, a->loc, s->arena, unheard);
    k->usable = k->who && est_items_new(s->frame, a, k->who, s->arena, &k->items, unheard) && all_coded(&k->items);
    if (k->usable) add_up(s, k);
    rsp_diag_free(unheard);
    s->kept = k;
    return k;
}

static void add_replicates(rsp_sample *s, est_kept *k, const rsp_replicates *r) {
    size_t n = rsp_replicates_count(r), stride = 0;
    for (size_t j = 0; j < k->items.n; j++) {
        k->items.items[j].offset = stride;
        stride += k->who->n_domains * k->who->n_countries * k->items.items[j].measure.k;
    }
    if (n * stride > MOST_KEPT) return;
    k->rep = RSP_ARRAY(s->arena, double, n *stride + 1);
    k->replicates = r;
    k->stride = stride;
    est_totals_replicates(k->who, k->items.items, k->items.n, r, stride, k->rep);
}

est_kept *est_kept_get(rsp_sample *s, const rsp_analysis *a, const rsp_crossing *by, const rsp_replicates *r) {
    est_kept *k = s->kept;
    while (k && !(same_items(k->table, &a->table) && same_crossing(k->by, by))) k = k->next;
    if (!wanted_again(s->frame->study, a, by)) return NULL;
    if (!omp_in_parallel()) {
        if (!k) k = make(s, a, by);
        if (k->usable && r && !k->replicates) add_replicates(s, k, r);
    }
    return k && k->usable ? k : NULL;
}

/* ---- finding them ----------------------------------------------------------------------------------------------- */

const est_people *est_kept_people(const est_kept *k) { return k->who; }

static bool same_measure(const est_item *a, const est_item *b) {
    const est_measure *m = &a->measure, *o = &b->measure;
    if (m->kind != o->kind || m->k != o->k || m->c8 != o->c8 || m->c16 != o->c16 || m->c32 != o->c32) return false;
    if (a->n_bases != b->n_bases) return false;
    for (size_t base = 0; base < a->n_bases; base++) {
        const uint8_t *x = a->bases[base], *y = b->bases[base];
        if (!x != !y || (x && memcmp(x, y, m->k))) return false;
    }
    return true;
}

bool est_kept_adopt(const est_kept *k, est_items *items, rsp_arena *a) {
    bool same = k->items.n == items->n;
    for (size_t j = 0; same && j < items->n; j++) same = same_measure(&k->items.items[j], &items->items[j]);
    for (size_t j = 0; same && j < items->n; j++) {
        const est_item *from = &k->items.items[j];
        est_item *to = &items->items[j];
        size_t n = to->n_bases * k->who->n_domains;
        to->kept = true;
        to->full = from->full;
        to->count = from->count;
        to->offset = from->offset;
        memcpy(to->df, from->df, n * sizeof *to->df);
        memcpy(to->organisations, from->organisations, n * sizeof *to->organisations);
        to->designed = RSP_ARRAY(a, bool, to->n_bases + 1);
        memcpy(to->designed, from->designed, to->n_bases * sizeof *to->designed);
    }
    return same;
}

const double *est_kept_replicates(const est_kept *k, const rsp_replicates *r, size_t *stride) {
    *stride = k->stride;
    return k->replicates == r ? k->rep : NULL;
}

void rsp_estimate_prepare(rsp_sample *s, const rsp_analysis *a, rsp_diag *d) {
    static const rsp_crossing everybody = {0, NULL};
    const rsp_replicates *r = NULL;
    if (!of_totals(a)) return;
    if (a->variance.method != RSP_TAYLOR) r = rsp_replicates_get(s, &a->variance, a->loc, d);
    for (size_t k = 0; k < a->table.n_by; k++) est_kept_get(s, a, &a->table.by[k], r);
    if (!a->table.n_by) est_kept_get(s, a, &everybody, r);
}
