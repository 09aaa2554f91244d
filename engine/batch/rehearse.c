/* Nights on made-up answers, one after the other: what would this study find, how precisely, and how often? Each night draws
 * exports from the latent structure under `simulate` with a seed of its own, reads, cleans, weights, computes and protects
 * them as `run` does, and publishes nothing. Of all nights together there is one table: how results vary from night to night,
 * beside what their standard errors say (Morris, White and Crowther 2019, Statistics in Medicine 38, 2074-2102).
 *
 * Nights are dealt out over ranks and, within a rank, over threads, which each have a study and a folder of exports. Rank 0
 * adds them up in their order, so that nobody can tell who drew which. */
#include "base/ending.h"
#include "base/ranks.h"
#include "batch/publish.h"
#include "batch/selftest.h"
#include "batch/simulate.h"
#include "responsive/batch.h"

#include <limits.h>
#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Nights that a thread computes before rank 0 takes them. */
enum { ROUND = 4, KEYS = 5, NUMBERS = 4 };
static const double SIGNIFICANT = 0.05;

struct rehearsal {
    const rsp_rehearse_options *o;
    rsp_arena *arena;
    const char *room; /* this rank's folder */
    size_t n_threads;
    struct player *players; /* [n_threads] */
};

struct player {
    rsp_study *study;
    const char *folder;
    uint64_t imputation, *seeds; /* as the study says */
};

/* One result over the nights; strings live in the table's arena. */
struct row {
    const char *key[KEYS];
    size_t n, n_errors, n_tests, n_significant, capacity;
    double squares; /* of standard errors */
    struct {
        double estimate, lower, upper;
    } * nights;
};

struct table {
    rsp_arena *arena;
    rsp_map *places;
    size_t n, capacity;
    struct row *rows;
};

/* ---- a night ---------------------------------------------------------------------------------------------------- */

/* The study reads what is simulated, from its player's folder. */
static void redirect(rsp_study *s, const char *folder) {
    rsp_source *source = RSP_NEW(s->arena, rsp_source);
    const char **patterns = RSP_ARRAY(s->arena, const char *, 1), **roots;
    char real[PATH_MAX];
    patterns[0] = rsp_path_join(s->arena, realpath(folder, real) ? real : folder, "*.csv");
    *source = (rsp_source){
        .n_patterns = 1, .patterns = patterns, .format = "limesurvey", .simulated = true, .loc = {s->path, 0, 0}};
    roots = RSP_ARRAY(s->arena, const char *, s->n_roots + 1);
    if (s->n_roots) memcpy(roots, s->roots, s->n_roots * sizeof *roots);
    roots[s->n_roots++] = rsp_strdup(s->arena, real);
    s->roots = roots;
    s->sources = source;
    s->n_sources = 1;
}

static bool open_player(const struct rehearsal *r, size_t k, rsp_diag *d) {
    struct player *p = &r->players[k];
    p->folder = rsp_printf(r->arena, "%s/%zu", r->room, k);
    if (!rsp_make_dirs(p->folder, d) || !(p->study = rsp_study_load(r->o->dir, d))) return false;
    if (!rsp_can_simulate(p->study, d)) return false;
    redirect(p->study, p->folder);
    p->imputation = p->study->imputation.seed;
    p->seeds = RSP_ARRAY(r->arena, uint64_t, p->study->n_analyses + 1);
    for (size_t j = 0; j < p->study->n_analyses; j++) p->seeds[j] = p->study->analyses[j].variance.seed;
    return true;
}

/* Streams of random numbers are the night's: replicates and completed data are drawn anew, too. */
static void reseed(struct player *p, size_t night) {
    p->study->imputation.seed = p->imputation + night;
    for (size_t j = 0; j < p->study->n_analyses; j++) p->study->analyses[j].variance.seed = p->seeds[j] + night;
}

static void pack(const rsp_published *published, rsp_buf *b) {
    for (size_t k = 0; k < rsp_published_count(published); k++) {
        const rsp_published_row *x = rsp_published_at(published, k);
        if (isnan(x->estimate)) continue;
        const char *key[KEYS] = {x->analysis, x->domain, x->term, x->level, x->statistic};
        const double number[NUMBERS + 1] = {x->estimate, x->se, x->lower, x->upper, isnan(x->p_adj) ? x->p : x->p_adj};
        for (size_t j = 0; j < KEYS; j++) rsp_buf_add(b, key[j], strlen(key[j]) + 1);
        rsp_buf_add(b, (const char *) number, sizeof number);
    }
}

static void play(const struct rehearsal *r, struct player *p, size_t night, rsp_buf *packed, rsp_diag *d) {
    reseed(p, night);
    if (!rsp_simulate_exports(p->study, p->folder, r->o->n, r->o->seed + night, d)) return;
    rsp_published *published = rsp_selftest_compute_study(p->study, d);
    if (published) pack(published, packed);
    rsp_published_free(published);
}

/* ---- all of them ------------------------------------------------------------------------------------------------ */

static struct row *row_of(struct table *t, const char *const *key, rsp_buf *joined) {
    joined->length = 0;
    for (size_t j = 0; j < KEYS; j++) {
        rsp_buf_puts(joined, key[j]);
        rsp_buf_putc(joined, '\n');
    }
    size_t k = rsp_map_get(t->places, joined->data);
    if (k != RSP_NONE) return &t->rows[k];
    struct row new = {.n = 0};
    for (size_t j = 0; j < KEYS; j++) new.key[j] = rsp_strdup(t->arena, key[j]);
    rsp_map_put(t->places, rsp_strdup(t->arena, joined->data), t->n);
    RSP_PUSH(t->rows, t->n, t->capacity, new);
    return &t->rows[t->n - 1];
}

static void add_night(struct table *t, const rsp_buf *packed) {
    rsp_buf joined = {0};
    for (size_t at = 0; at < packed->length;) {
        const char *key[KEYS];
        double x[NUMBERS + 1];
        for (size_t j = 0; j < KEYS; j++) {
            key[j] = packed->data + at;
            at += strlen(key[j]) + 1;
        }
        memcpy(x, packed->data + at, sizeof x);
        at += sizeof x;
        struct row *row = row_of(t, key, &joined);
        if (row->n == row->capacity) {
            row->capacity = row->capacity ? 2 * row->capacity : 16;
            row->nights = rsp_realloc(row->nights, row->capacity * sizeof *row->nights);
        }
        row->nights[row->n].estimate = x[0];
        row->nights[row->n].lower = x[2];
        row->nights[row->n++].upper = x[3];
        if (!isnan(x[1])) row->squares += x[1] * x[1], row->n_errors++;
        if (!isnan(x[4])) row->n_significant += x[4] < SIGNIFICANT, row->n_tests++;
    }
    rsp_buf_free(&joined);
}

/* Nights from .. to: this rank's, which are those of its share, then all of them brought to rank 0. False: one failed. */
static bool play_round(const struct rehearsal *r, size_t from, size_t to, struct table *t, rsp_diag *d) {
    size_t ranks = (size_t) rsp_ranks(), rank = (size_t) rsp_rank(), n = to - from;
    rsp_buf *packed = rsp_calloc(n, sizeof *packed);
    rsp_diag **said = rsp_calloc(n, sizeof *said);
    for (size_t k = 0; k < n; k++) said[k] = rsp_diag_new();
#pragma omp parallel for schedule(dynamic, 1) num_threads(r->n_threads)
    for (size_t k = 0; k < n; k++)
        if (k % ranks == rank) play(r, &r->players[omp_get_thread_num()], from + k, &packed[k], said[k]);
    bool good = true;
    for (size_t k = 0; k < n; k++) {
        for (size_t j = 0; j < rsp_diag_count(said[k]) && good; j++) {
            const rsp_diagnostic *e = rsp_diag_at(said[k], j);
            if (e->class != RSP_WARNING && e->class != RSP_NOTE)
                rsp_report(d, e->class, e->loc, e->hint, "night %zu: %s", from + k + 1, e->message);
        }
        good = good && !rsp_diag_errors(said[k]);
        rsp_diag_free(said[k]);
    }
    good = rsp_ranks_agree(good);
    for (size_t k = 0; k < n; k++) {
        if (good) rsp_ranks_bring(&packed[k], (int) (k % ranks));
        if (good && !rank) add_night(t, &packed[k]);
        rsp_buf_free(&packed[k]);
    }
    free(packed);
    free(said);
    return good;
}

/* ---- the table -------------------------------------------------------------------------------------------------- */

static void put_number(rsp_buf *b, double x) {
    char text[32] = "";
    if (!isnan(x)) rsp_double_text(x, text);
    rsp_buf_putc(b, ',');
    rsp_buf_puts(b, text);
}

static void put_row(rsp_buf *b, const struct row *x) {
    double mean = 0, squares = 0, held = 0, intervals = 0, n = (double) x->n;
    for (size_t k = 0; k < x->n; k++) mean += x->nights[k].estimate / n;
    for (size_t k = 0; k < x->n; k++) {
        double gap = x->nights[k].estimate - mean;
        bool interval = !isnan(x->nights[k].lower) || !isnan(x->nights[k].upper);
        squares += gap * gap;
        intervals += interval;
        held += interval && !(mean < x->nights[k].lower) && !(mean > x->nights[k].upper);
    }
    for (size_t j = 0; j < KEYS; j++) {
        if (j) rsp_buf_putc(b, ',');
        rsp_buf_csv(b, x->key[j], true);
    }
    put_number(b, n);
    put_number(b, mean);
    put_number(b, x->n > 1 ? sqrt(squares / (n - 1)) : NAN);
    put_number(b, x->n_errors ? sqrt(x->squares / (double) x->n_errors) : NAN);
    put_number(b, intervals > 0 ? held / intervals : NAN);
    put_number(b, x->n_tests ? (double) x->n_significant / (double) x->n_tests : NAN);
    rsp_buf_putc(b, '\n');
}

static bool write_table(const struct rehearsal *r, const struct table *t, rsp_diag *d) {
    rsp_buf b = {0};
    const char *path = rsp_path_join(r->arena, r->o->out, "nights.csv");
    rsp_buf_puts(&b, "analysis,domain,term,level,statistic,nights,mean,sd,se,coverage,significant\n");
    for (size_t k = 0; k < t->n; k++) put_row(&b, &t->rows[k]);
    bool good = rsp_write_file(rsp_path_join(r->arena, r->room, "nights.csv"), b.data, b.length, d);
    rsp_buf_free(&b);
    if (good && rename(rsp_path_join(r->arena, r->room, "nights.csv"), path) != 0) {
        rsp_report(d, RSP_ERR_OUTPUT, RSP_NOWHERE, NULL, "cannot write %s", path);
        good = false;
    }
    if (good && !r->o->quiet) printf("%s: %zu results of %zu nights\n", path, t->n, r->o->nights);
    return good;
}

static void table_free(struct table *t) {
    for (size_t k = 0; k < t->n; k++) free(t->rows[k].nights);
    free(t->rows);
    rsp_map_free(t->places);
    rsp_arena_free(t->arena);
}

static bool play_all(const struct rehearsal *r, rsp_diag *d) {
    struct table t = {.arena = rsp_arena_new(), .places = rsp_map_new()};
    size_t at_once = (size_t) rsp_ranks() * r->n_threads * ROUND;
    bool good = true;
    for (size_t from = 0, to; good && from < r->o->nights; from = to) {
        to = from + at_once < r->o->nights ? from + at_once : r->o->nights;
        good = play_round(r, from, to, &t, d);
        if (good && !rsp_rank() && !r->o->quiet && isatty(STDERR_FILENO))
            fprintf(stderr, "\r%zu of %zu nights%s", to, r->o->nights, to == r->o->nights ? "\n" : "");
    }
    good = good && (rsp_rank() || write_table(r, &t, d));
    table_free(&t);
    return good;
}

int rsp_rehearse(const rsp_rehearse_options *o) {
    rsp_diag *d = rsp_diag_new();
    struct rehearsal r = {.o = o, .arena = rsp_arena_new()};
    rsp_threads_set(o->jobs);
    r.n_threads = (size_t) rsp_threads();
    r.players = RSP_ARRAY(r.arena, struct player, r.n_threads);
    r.room = rsp_printf(r.arena, "%s/.nights-%d", o->out, rsp_rank());
    rsp_ending_removes(r.room);
    bool good = rsp_remove_tree(r.room, d);
    for (size_t k = 0; good && k < r.n_threads; k++) good = open_player(&r, k, d);
    if (rsp_ranks_agree(good)) play_all(&r, d);
    for (size_t k = 0; k < r.n_threads; k++) rsp_study_free(r.players[k].study);
    rsp_remove_tree(r.room, d);
    rsp_ending_removes(NULL);
    /* Where all ranks find the same fault, one says it. */
    if (good ? rsp_diag_errors(d) > 0 : rsp_rank() == 0) rsp_diag_print(d, stderr, false, 0);
    int status = rsp_ranks_worst(rsp_diag_status(d));
    rsp_arena_free(r.arena);
    rsp_diag_free(d);
    return status;
}
