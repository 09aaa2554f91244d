#include "batch/analyses.h"

#include "batch/cache.h"
#include "batch/pack.h"
#include "base/ranks.h"

#include <stdlib.h>

/* What becomes of an analysis. */
enum { NOT_WANTED, CACHED, COMPUTED };

/* Scales may share an id: the log then says which one, " (name)". Empty strings where there is nothing to tell apart. */
struct called {
    const char *id, *open, *name, *close;
};

static struct called call(const rsp_analysis *a) {
    bool named = a->kind == RSP_A_SCALE && a->scale.name;
    return named ? (struct called){a->id, " (", a->scale.name, ")"} : (struct called){a->id, "", "", ""};
}

static void look_up(const rsp_analyses *x, rsp_cache *cache, rsp_buf *packed, char *fate, const char **why) {
    for (size_t k = 0; k < x->study->n_analyses; k++) {
        fate[k] = NOT_WANTED;
        if (x->wanted[k]) fate[k] = rsp_cache_find(cache, k, &packed[k], &why[k]) ? CACHED : COMPUTED;
        struct called c = call(&x->study->analyses[k]);
        if (fate[k] == CACHED) rsp_log_line(x->log, "%s%s%s%s: %s", c.id, c.open, c.name, c.close, why[k]);
    }
}

/* Work that one rank does, or all together: an analysis, or one completed data set of it. */
struct piece {
    size_t analysis, part, parts;
    int owner; /* ALL: every rank has its share of the replicates */
    rsp_diag *said;
    rsp_buf packed;
};
enum { ALL = -1, SIDE_BY_SIDE = 50000 /* respondents: with more, the loops over them keep all threads busy */ };

struct pieces {
    size_t n, capacity;
    struct piece *all;
};

/* The same list on every rank. Work that all share comes first: what is made on the way (replicates, completed data) is
 * then there before ranks go ways of their own. */
static struct pieces deal(const rsp_analyses *x, const char *fate, rsp_diag *d) {
    struct pieces all = {0};
    size_t n = x->study->n_analyses, dealt = 0;
    bool many = rsp_ranks() > 1;
    for (size_t shared = many; shared < 2; shared--) /* 1, then 0 */
        for (size_t k = 0; k < n; k++) {
            const rsp_analysis *a = &x->study->analyses[k];
            if (fate[k] != COMPUTED || shared != (many && rsp_analysis_replicates(a))) continue;
            struct piece one = {.analysis = k, .parts = 1, .owner = ALL};
            rsp_ranks_together(true); /* completing data is dealt out, too */
            if (many && !shared) one.parts = rsp_analysis_parts(x->sample, a, d);
            rsp_ranks_together(false);
            for (; one.part < one.parts; one.part++) {
                if (!shared) one.owner = (int) (dealt++ % (size_t) rsp_ranks());
                RSP_PUSH(all.all, all.n, all.capacity, one);
            }
        }
    return all;
}

/* Packed even where nothing is sent or kept: rows take one way, whoever computed them. */
static void compute(const rsp_analyses *x, const char *why, struct piece *p) {
    const rsp_analysis *a = &x->study->analyses[p->analysis];
    if (!why) why = "dealt to this rank";
    bool together = p->owner == ALL && rsp_ranks() > 1;
    struct called c = call(a);
    if (p->parts > 1) rsp_log_line(x->log, "computing %s on data set %zu: %s", a->id, p->part + 1, why);
    else
        rsp_log_line(x->log, "computing %s%s%s%s%s: %s", c.id, c.open, c.name, c.close, together ? " on all ranks" : "",
                     why);
    rsp_results *rows = rsp_results_new();
    rsp_ranks_together(together);
    if (p->parts > 1) rsp_analyse_part(x->sample, a, p->parts, p->part, rows, p->said);
    else rsp_analyse(x->sample, a, rows, p->said);
    rsp_ranks_together(false);
    rsp_pack(&p->packed, a, rows, p->said);
    rsp_results_free(rows);
}

/* Pieces p[0..parts) of completed data sets become the analysis' rows. */
static bool pool(const rsp_analyses *x, const rsp_analysis *a, const struct piece *p, rsp_buf *packed) {
    rsp_diag *said = rsp_diag_new();
    rsp_results *rows = rsp_results_new(), **each = rsp_calloc(p->parts, sizeof *each);
    bool whole = true;
    for (size_t k = 0; k < p->parts; k++) {
        each[k] = rsp_results_new();
        whole &= rsp_unpack(p[k].packed.data, p[k].packed.length, x->study, a, each[k], said);
    }
    if (whole) rsp_pool_imputations(a, (const rsp_results *const *) each, p->parts, rows);
    rsp_pack(packed, a, rows, said);
    for (size_t k = 0; k < p->parts; k++) rsp_results_free(each[k]);
    free(each);
    rsp_results_free(rows);
    rsp_diag_free(said);
    return whole;
}

/* What takes longer has the greater number: fits that are fits of many others, then of many steps, then one pass. */
static int length_of(const rsp_analysis *a) {
    enum { PASS, STEPS, REPLICATES, LADDER, MANY_FITS, INTEGRALS };
    switch (a->kind) {
    case RSP_A_TABLE:
    case RSP_A_TEST:
    case RSP_A_SCALE: return PASS;
    case RSP_A_FACTOR: return STEPS;
    case RSP_A_INVARIANCE:
    case RSP_A_EXPLORATION: return LADDER;
    case RSP_A_MODEL: break;
    }
    if (a->model.kind == RSP_MIXED_LOGISTIC_MODEL || a->model.kind == RSP_MIXED_ORDINAL_MODEL) return INTEGRALS;
    if (a->model.kind == RSP_DRIVERS_MODEL) return MANY_FITS;
    return rsp_analysis_replicates(a) ? REPLICATES : STEPS;
}

struct waiting {
    int length;
    struct piece *piece;
};

static int compare_lengths(const void *a, const void *b) {
    const struct waiting *x = a, *y = b;
    if (x->length != y->length) return x->length > y->length ? -1 : 1;
    return x->piece < y->piece ? -1 : 1;
}

/* One process gives each thread an analysis: most of their loops are too short to share. Long ones begin first, so that no
 * thread is left with one when the others have nothing to do. What several of them need is made before, by all threads, and
 * whoever needs it first in the order of the study says what is to be said of it. */
static void compute_side_by_side(const rsp_analyses *x, const char *const *why, struct pieces *pieces) {
    struct waiting *next = rsp_malloc((pieces->n + 1) * sizeof *next);
    for (size_t k = 0; k < pieces->n; k++) {
        const rsp_analysis *a = &x->study->analyses[pieces->all[k].analysis];
        rsp_analysis_prepare(x->sample, a, pieces->all[k].said);
        next[k] = (struct waiting){length_of(a), &pieces->all[k]};
    }
    qsort(next, pieces->n, sizeof *next, compare_lengths);
#pragma omp parallel for schedule(dynamic, 1) num_threads(rsp_threads())
    for (size_t k = 0; k < pieces->n; k++) compute(x, why[next[k].piece->analysis], next[k].piece);
    free(next);
}

static void compute_in_turn(const rsp_analyses *x, const char *const *why, struct pieces *pieces) {
    for (size_t k = 0; k < pieces->n; k++) {
        struct piece *p = &pieces->all[k];
        if (p->owner == ALL || p->owner == rsp_rank()) compute(x, why[p->analysis], p);
    }
    for (size_t k = 0; k < pieces->n; k++)
        if (pieces->all[k].owner != ALL) rsp_ranks_bring(&pieces->all[k].packed, pieces->all[k].owner);
}

static void compute_all(const rsp_analyses *x, const char *const *why, struct pieces *pieces) {
    for (size_t k = 0; k < pieces->n; k++) pieces->all[k].said = rsp_diag_new();
    if (rsp_ranks() == 1 && x->sample->n < SIDE_BY_SIDE) compute_side_by_side(x, why, pieces);
    else compute_in_turn(x, why, pieces);
    for (size_t k = 0; k < pieces->n; k++) rsp_diag_free(pieces->all[k].said);
}

/* Rank 0: appends the rows of an analysis, and keeps what was computed without an error. */
static void take_rows(const rsp_analyses *x, rsp_cache *cache, size_t k, const rsp_buf *packed, bool computed,
                      rsp_results *into, rsp_diag *d) {
    const rsp_analysis *a = &x->study->analyses[k];
    size_t errors = rsp_diag_errors(d);
    if (!rsp_unpack(packed->data, packed->length, x->study, a, into, d))
        rsp_report(d, RSP_ERR_BUG, a->loc, NULL, "the rows of '%s' came back cut short", a->id);
    if (computed && rsp_diag_errors(d) == errors) rsp_cache_keep(cache, k, packed);
}

/* Moves what was computed to the analyses' places. */
static void place(const rsp_analyses *x, struct pieces *pieces, rsp_buf *packed, rsp_diag *d) {
    for (size_t k = 0; k < pieces->n; k += pieces->all[k].parts) {
        struct piece *p = &pieces->all[k];
        const rsp_analysis *a = &x->study->analyses[p->analysis];
        if (p->parts == 1) {
            packed[p->analysis] = p->packed;
            p->packed = (rsp_buf){0};
        } else if (!rsp_rank() && !pool(x, a, p, &packed[p->analysis])) {
            rsp_report(d, RSP_ERR_BUG, a->loc, NULL, "a data set's rows of '%s' came back cut short", a->id);
        }
    }
    for (size_t k = 0; k < pieces->n; k++) rsp_buf_free(&pieces->all[k].packed);
    free(pieces->all);
}

bool rsp_analyses_run(const rsp_analyses *x, rsp_results *into, rsp_diag *d) {
    size_t n = x->study->n_analyses, errors = rsp_diag_errors(d);
    rsp_cache *cache = x->study_dir ? rsp_cache_open(x->study_dir, x->sample->frame) : NULL;
    rsp_buf *packed = rsp_calloc(n + 1, sizeof *packed);
    char *fate = rsp_calloc(n + 1, 1);
    const char **why = rsp_calloc(n + 1, sizeof *why);
    if (cache) look_up(x, cache, packed, fate, why);
    rsp_ranks_share(fate, (int) n);
    struct pieces pieces = deal(x, fate, d);
    compute_all(x, why, &pieces);
    place(x, &pieces, packed, d);
    for (size_t k = 0; k < n; k++) {
        if (cache && fate[k] != NOT_WANTED) take_rows(x, cache, k, &packed[k], fate[k] == COMPUTED, into, d);
        rsp_buf_free(&packed[k]);
    }
    free(why);
    free(fate);
    free(packed);
    rsp_cache_close(cache);
    return rsp_diag_errors(d) == errors;
}
