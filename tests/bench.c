/* What a night costs, station by station:
 * `bench [--best K] [--threads N] [--exports keep] [--pages no] [--one yes] [--peer Rscript] STUDY INTO SIZE...`.
 *
 * For each size exports are simulated into INTO/SIZE beside a copy of the study (with `--exports keep` unless they are
 * there), then a process of its own runs the stations in the order of a night: wall clock, processor time of all threads,
 * peak memory so far, wall clock for each respondent, and how wall clock and processor time for each respondent stand to
 * the first size's. K processes are run, each station's fastest is shown. Intake is also run by itself, on one thread and on
 * all; with --one the stations before pages, too: how many times as quick they are on all threads, and how many times the
 * first thread's processor time goes into that of all, which is what it could be where nobody else uses the machine; and
 * all analyses as a run computes them. With --peer the first size's exports are also given to the study's peer.R, those of
 * the others to its fread alone, and the ratios are printed. */
#include "render/labels.h"
#include "batch/manifest.h"
#include "batch/analyses.h"
#include "responsive/batch.h"
#include "responsive/clean.h"
#include "responsive/intake.h"
#include "responsive/render.h"
#include "responsive/statistics.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { MOST_STATIONS = 64, NAME_ROOM = 32 };

struct station {
    char name[NAME_ROOM];
    double wall, cpu, own; /* seconds; own: processor time of the first thread, which does what is dealt to no other */
    double peak;           /* bytes, of the process so far */
    bool publication;      /* renders; a night without pages ends before */
};

struct night {
    size_t n, rows;
    struct station stations[MOST_STATIONS];
};

struct bench {
    const char *study, *into, *peer;
    int best, threads; /* 0: as many as there are cores */
    bool keep, pages, one;
    size_t n_sizes;
    size_t *sizes;
    struct night first; /* the smallest's, to compare with */
};

static double seconds(clockid_t clock) {
    struct timespec t;
    clock_gettime(clock, &t);
    return (double) t.tv_sec + 1e-9 * (double) t.tv_nsec;
}

static double peak_memory(void) {
    struct rusage used;
    getrusage(RUSAGE_SELF, &used);
    return 1024.0 * (double) used.ru_maxrss;
}

/* ---- one night -------------------------------------------------------------------------------------------------- */

struct stopwatch {
    struct night *night;
    double wall, cpu, own;
};

static void start(struct stopwatch *w) {
    w->wall = seconds(CLOCK_MONOTONIC);
    w->cpu = seconds(CLOCK_PROCESS_CPUTIME_ID);
    w->own = seconds(CLOCK_THREAD_CPUTIME_ID);
}

/* What has passed since the last stop is this station's; analyses of one id (scales) are one. */
static void stop(struct stopwatch *w, const char *name, bool publication) {
    double wall = seconds(CLOCK_MONOTONIC), cpu = seconds(CLOCK_PROCESS_CPUTIME_ID),
           own = seconds(CLOCK_THREAD_CPUTIME_ID);
    struct night *n = w->night;
    struct station *s = n->n ? &n->stations[n->n - 1] : NULL;
    if (!s || strncmp(s->name, name, NAME_ROOM - 1) != 0) {
        if (n->n == MOST_STATIONS) return;
        s = &n->stations[n->n++];
        snprintf(s->name, sizeof s->name, "%s", name);
    }
    s->wall += wall - w->wall;
    s->cpu += cpu - w->cpu;
    s->own += own - w->own;
    s->peak = peak_memory();
    s->publication = publication;
    start(w);
}

static bool render_all(const rsp_study *s, const rsp_frame *f, const rsp_published *published, const char *into,
                       struct stopwatch *w, rsp_diag *d) {
    static const struct {
        const char *name;
        rsp_renderer *render;
    } parts[] = {{"open data", rsp_render_dataset}, {"charts", rsp_render_charts},
                 {"briefs", rsp_render_briefs},     {"workbooks", rsp_render_workbooks},
                 {"quality", rsp_render_quality},   {"explore page", rsp_render_explore},
                 {"index page", rsp_render_site}};
    rsp_labels **labels = rsp_calloc(s->n_languages, sizeof *labels);
    bool good = true;
    for (size_t k = 0; k < s->n_languages; k++) good = (labels[k] = rsp_labels_open(s, s->languages[k], d)) && good;
    rsp_publication p = {.study = s,
                         .results = published,
                         .dir = into,
                         .content_id = "0000000000000000",
                         .simulated = rsp_study_simulated(s),
                         .n_languages = s->n_languages,
                         .languages = s->languages,
                         .labels = labels,
                         .hashes = rsp_hashes_new()};
    struct rsp_file_note *notes = rsp_calloc(f->n_files, sizeof *notes);
    for (size_t k = 0; k < f->n_files; k++)
        notes[k] = (struct rsp_file_note){f->files[k].name, f->files[k].tool, f->files[k].encoding, f->files[k].rows,
                                          f->files[k].columns};
    p.files = notes;
    p.n_files = f->n_files;
    good = good && rsp_make_dirs(into, d);
    for (size_t k = 0; good && k < sizeof parts / sizeof *parts; k++) {
        if (parts[k].render == rsp_render_site) good = rsp_hash_outputs(into, p.hashes, d);
        good = good && rsp_render_together(&p, 1, &parts[k].render, d) && !rsp_diag_errors(d);
        stop(w, parts[k].name, true);
    }
    free(notes);
    rsp_hashes_free(p.hashes);
    for (size_t k = 0; k < s->n_languages; k++) rsp_labels_free(labels[k]);
    free(labels);
    return good;
}

/* The stations of batch/run.c, a clock between them. */
static bool run_stations(const struct bench *b, const char *dir, struct night *night, rsp_diag *d) {
    struct stopwatch w = {.night = night};
    rsp_arena *a = rsp_arena_new();
    rsp_frame *f = NULL;
    rsp_clean_log *log = NULL;
    rsp_sample *sample = NULL;
    rsp_results *results = rsp_results_new();
    rsp_published *published = NULL;
    start(&w);
    rsp_study *s = rsp_study_load(dir, d);
    stop(&w, "study", false);
    bool good = s && (f = rsp_intake(s, d));
    stop(&w, "intake", false);
    good = good && (log = rsp_clean(f, d));
    stop(&w, "clean", false);
    good = good && (sample = rsp_sample_new(f, d));
    stop(&w, "weights", false);
    rsp_heap_keep();
    if (good && s->variance.method != RSP_TAYLOR) {
        rsp_replicates_get(sample, &s->variance, (rsp_loc){s->path, 0, 0}, d);
        stop(&w, "replicates", false);
    }
    night->rows = good ? f->n : 0;
    for (size_t k = 0; good && k < s->n_analyses; k++) {
        rsp_analyse(sample, &s->analyses[k], results, d);
        stop(&w, s->analyses[k].id, false);
    }
    good = good && !rsp_diag_errors(d) && (published = rsp_disclose(s, results, NULL, false, d));
    stop(&w, "disclosure", false);
    if (b->pages) good = good && render_all(s, f, published, rsp_printf(a, "%s/out", dir), &w, d);
    rsp_published_free(published);
    rsp_results_free(results);
    rsp_sample_free(sample);
    rsp_clean_log_free(log);
    rsp_frame_free(f);
    rsp_study_free(s);
    rsp_arena_free(a);
    return good;
}

typedef bool (*work_fn)(const struct bench *b, const char *dir, void *into, rsp_diag *d);

/* In a process of its own, so that peak memory is this work's alone; what it leaves is as large as `size`. */
static bool run_apart(const struct bench *b, work_fn work, const char *dir, int threads, void *into, size_t size) {
    int ends[2];
    if (pipe(ends) != 0) return false;
    fflush(stdout); /* what is printed so far is printed once, also where stdout is a file */
    pid_t child = fork();
    if (child < 0) return false;
    if (child == 0) {
        close(ends[0]);
        rsp_threads_set(threads);
        rsp_diag *d = rsp_diag_new();
        bool good = work(b, dir, into, d);
        rsp_diag_print(d, stderr, false, good ? 3 : 0);
        good = good && write(ends[1], into, size) == (ssize_t) size;
        rsp_diag_free(d);
        _exit(good ? 0 : 1);
    }
    close(ends[1]);
    char *to = into;
    size_t got = 0;
    for (ssize_t n; got < size && (n = read(ends[0], to + got, size - got)) > 0;) got += (size_t) n;
    close(ends[0]);
    int status;
    return waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0 && got == size;
}

static bool work_of_a_night(const struct bench *b, const char *dir, void *night, rsp_diag *d) {
    return run_stations(b, dir, night, d);
}

static bool best_night(const struct bench *b, const char *dir, int threads, struct night *best) {
    for (int k = 0; k < b->best; k++) {
        struct night night = {0};
        if (!run_apart(b, work_of_a_night, dir, threads, &night, sizeof night)) return false;
        if (k == 0) *best = night;
        for (size_t j = 0; j < night.n; j++) {
            struct station *s = &best->stations[j];
            if (night.stations[j].wall < s->wall) s->wall = night.stations[j].wall;
            if (night.stations[j].cpu < s->cpu) s->cpu = night.stations[j].cpu;
            if (night.stations[j].own < s->own) s->own = night.stations[j].own;
        }
    }
    return true;
}

/* ---- intake alone ----------------------------------------------------------------------------------------------- */

struct reading {
    double wall, cpu;          /* seconds */
    double cells, bytes, room; /* cells of the exports, their bytes, memory beside these bytes at its most */
};

static bool read_exports(const struct bench *b, const char *dir, void *into, rsp_diag *d) {
    struct reading *r = into;
    (void) b;
    rsp_study *s = rsp_study_load(dir, d);
    double before = peak_memory(), wall = seconds(CLOCK_MONOTONIC), cpu = seconds(CLOCK_PROCESS_CPUTIME_ID);
    rsp_frame *f = s ? rsp_intake(s, d) : NULL;
    r->wall = seconds(CLOCK_MONOTONIC) - wall;
    r->cpu = seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu;
    for (size_t k = 0; f && k < f->n_files; k++) {
        struct stat st;
        r->cells += (double) f->files[k].rows * (double) f->files[k].columns;
        r->bytes += stat(f->files[k].path, &st) == 0 ? (double) st.st_size : 0;
    }
    r->room = peak_memory() - before - r->bytes;
    bool good = f != NULL;
    rsp_frame_free(f);
    rsp_study_free(s);
    return good;
}

static bool best_reading(const struct bench *b, const char *dir, int threads, struct reading *best) {
    for (int k = 0; k < b->best; k++) {
        struct reading r = {0};
        if (!run_apart(b, read_exports, dir, threads, &r, sizeof r)) return false;
        if (k == 0 || r.wall < best->wall) *best = r;
    }
    return true;
}

/* Cells that are read and coded in a second, on one thread and on all. */
static bool print_reading(const struct bench *b, const char *dir) {
    struct reading one, all;
    if (!best_reading(b, dir, 1, &one) || !best_reading(b, dir, b->threads, &all)) return false;
    printf(
        "  intake alone: %.1f million cells, %.0f MB; on one thread %.1f million cells and %.0f MB a second (%.1f "
        "million a second of processor time), %.2f bytes a cell beside the text; on %d threads %.2f times as quick\n",
        one.cells / 1e6, one.bytes / 1e6, one.cells / one.wall / 1e6, one.bytes / one.wall / 1e6,
        one.cells / one.cpu / 1e6, one.room / one.cells, rsp_threads(), one.wall / all.wall);
    return true;
}

/* ---- analyses together ------------------------------------------------------------------------------------------- */

struct together {
    double wall, cpu;
};

/* All analyses as a run computes them: side by side where respondents are few. There is no folder to cache them in. */
static bool analyse_together(const struct bench *b, const char *dir, void *into, rsp_diag *d) {
    struct together *t = into;
    (void) b;
    rsp_study *s = rsp_study_load(dir, d);
    rsp_frame *f = s ? rsp_intake(s, d) : NULL;
    rsp_clean_log *log = f ? rsp_clean(f, d) : NULL;
    rsp_sample *sample = log ? rsp_sample_new(f, d) : NULL;
    rsp_results *results = rsp_results_new();
    bool *all = rsp_calloc(s ? s->n_analyses + 1 : 1, sizeof *all);
    for (size_t k = 0; s && k < s->n_analyses; k++) all[k] = true;
    rsp_log said;
    rsp_log_open(&said, true);
    rsp_arena *a = rsp_arena_new();
    rsp_analyses x = {sample, s, all, rsp_path_join(a, dir, "nowhere"), &said};
    rsp_heap_keep();
    t->wall = seconds(CLOCK_MONOTONIC);
    t->cpu = seconds(CLOCK_PROCESS_CPUTIME_ID);
    bool good = sample && rsp_analyses_run(&x, results, d);
    t->wall = seconds(CLOCK_MONOTONIC) - t->wall;
    t->cpu = seconds(CLOCK_PROCESS_CPUTIME_ID) - t->cpu;
    rsp_log_close(&said);
    rsp_arena_free(a);
    free(all);
    rsp_results_free(results);
    rsp_sample_free(sample);
    rsp_clean_log_free(log);
    rsp_frame_free(f);
    rsp_study_free(s);
    return good;
}

/* ---- the study of one size -------------------------------------------------------------------------------------- */

/* A study's files (its sources are relative to it); folders such as old exports stay behind. */
static bool copy_study(const rsp_study *s, const char *dir, rsp_diag *d) {
    rsp_arena *a = rsp_arena_new();
    bool good = rsp_make_dirs(dir, d);
    for (size_t k = 0; good && k < s->n_inputs; k++) {
        const char *slash = strrchr(s->inputs[k], '/');
        rsp_buf bytes = {0};
        good = rsp_read_file(s->inputs[k], &bytes, d, RSP_ERR_STUDY, RSP_NOWHERE) &&
               rsp_write_file(rsp_path_join(a, dir, slash ? slash + 1 : s->inputs[k]), bytes.data, bytes.length, d);
        rsp_buf_free(&bytes);
    }
    rsp_arena_free(a);
    return good;
}

/* The exports of dir, or those of the bench before. */
static bool write_exports(const struct bench *b, const char *dir, void *size, rsp_diag *d) {
    rsp_arena *a = rsp_arena_new();
    rsp_study *s = rsp_study_load(b->study, d);
    const char *exports = rsp_printf(a, "%s/exports", dir);
    double begin = seconds(CLOCK_MONOTONIC);
    bool good = s && copy_study(s, dir, d);
    if (good && !(b->keep && access(exports, F_OK) == 0)) {
        good = rsp_simulate(dir, exports, *(const size_t *) size, 1) == 0;
        if (good) printf("simulated in %.1f s\n", seconds(CLOCK_MONOTONIC) - begin);
        fflush(stdout);
    }
    rsp_study_free(s);
    rsp_arena_free(a);
    return good;
}

/* Apart as nights are: once a process has started threads, those that it forks must not use them. */
static bool prepare(const struct bench *b, const char *dir, size_t n) {
    return run_apart(b, write_exports, dir, b->threads, &n, sizeof n);
}

/* ---- what is printed -------------------------------------------------------------------------------------------- */

static void print_line(const char *name, const struct station *now, size_t rows, const struct station *first,
                       size_t first_rows) {
    double each = now->wall / (double) rows, growth = (double) first_rows / (double) rows;
    printf("  %-14s %9.3f s %9.3f s %8.0f MB %9.3f us", name, now->wall, now->cpu, now->peak / 1e6, 1e6 * each);
    if (first_rows) printf(" %7.2f %9.2f", now->wall / first->wall * growth, now->cpu / first->cpu * growth);
    putchar('\n');
}

static struct station sum_of(const struct night *n, bool with_publication) {
    struct station all = {.name = ""};
    for (size_t k = 0; k < n->n; k++) {
        if (n->stations[k].publication && !with_publication) continue;
        all.wall += n->stations[k].wall;
        all.cpu += n->stations[k].cpu;
        all.own += n->stations[k].own;
        all.peak = n->stations[k].peak;
    }
    return all;
}

static void print_sum(const struct bench *b, const struct night *n, const char *name, bool with_publication) {
    struct station now = sum_of(n, with_publication), first = sum_of(&b->first, with_publication);
    print_line(name, &now, n->rows, &first, b->first.rows);
}

static int threads_of(const struct bench *b) { return b->threads ? b->threads : rsp_threads(); }

static void print_night(const struct bench *b, size_t size, const struct night *n) {
    int threads = threads_of(b);
    printf("%zu respondents, %zu after cleaning, %d thread%s\n", size, n->rows, threads, threads == 1 ? "" : "s");
    printf("  %-14s %11s %11s %11s %12s%s\n", "station", "wall", "processor", "peak", "a respondent",
           b->first.rows ? "   ratio, of processor" : "");
    for (size_t k = 0; k < n->n; k++)
        print_line(n->stations[k].name, &n->stations[k], n->rows, &b->first.stations[k], b->first.rows);
    print_sum(b, n, "computed", false);
    if (b->pages) print_sum(b, n, "published", true);
}

static void print_threads(const char *name, const struct station *one, const struct station *all, int threads) {
    double possible = fmin(all->cpu / all->own, threads); /* the least of several nights may be of different ones */
    printf("  %-14s %9.3f s %9.3f s %8.2f %9.3f s %9.3f s %8.2f\n", name, one->wall, all->wall, one->wall / all->wall,
           one->cpu, all->cpu, possible);
}

/* What threads gain, station by station, before pages. */
static bool compare_threads(struct bench *b, const char *dir, const struct night *all) {
    bool pages = b->pages;
    int threads = threads_of(b);
    struct night one = {0};
    b->pages = false;
    bool good = best_night(b, dir, 1, &one);
    b->pages = pages;
    if (!good) return false;
    printf("  %-14s %11s %9d   %8s %11s %9d   %8s\n", "threads: wall", "1", threads, "times", "processor, 1", threads,
           "possible");
    for (size_t k = 0; k < one.n; k++)
        print_threads(one.stations[k].name, &one.stations[k], &all->stations[k], threads);
    struct station alone = sum_of(&one, false), together = sum_of(all, false);
    print_threads("computed", &alone, &together, threads);
    return true;
}

static bool print_together(const struct bench *b, const char *dir) {
    struct together best[2] = {{INFINITY, INFINITY}, {INFINITY, INFINITY}};
    for (int k = 0; k < 2 * b->best; k++) {
        struct together now, *to = &best[k % 2];
        if (!run_apart(b, analyse_together, dir, k % 2 ? b->threads : 1, &now, sizeof now)) return false;
        *to = (struct together){fmin(to->wall, now.wall), fmin(to->cpu, now.cpu)};
    }
    printf(
        "  analyses as a run computes them, replicates included: %.3f s on one thread (processor %.3f s), %.3f s on %d "
        "(%.3f s), %.2f times as quick\n",
        best[0].wall, best[0].cpu, best[1].wall, threads_of(b), best[1].cpu, best[0].wall / best[1].wall);
    return true;
}

static double wall_of(const struct night *n, const char *station) {
    for (size_t k = 0; k < n->n; k++)
        if (!strcmp(n->stations[k].name, station)) return n->stations[k].wall;
    return 0;
}

/* peer.R prints a line for each part, one of them `fread SECONDS`, and `total SECONDS`; without replicates it ends with
 * fread. Exit status 3: packages are missing. */
static void run_peer(const struct bench *b, const char *dir, int replicates, const struct night *night) {
    rsp_arena *a = rsp_arena_new();
    char line[256];
    double total = 0, fread = 0, intake = wall_of(night, "intake"),
           ours = sum_of(night, true).wall - wall_of(night, "drivers"); /* which no package of R computes */
    fflush(stdout);
    FILE *peer = popen(rsp_printf(a, "%s %s/peer.R %s %d", b->peer, b->study, dir, replicates), "r");
    while (peer && fgets(line, sizeof line, peer)) {
        printf("  R: %s", line);
        sscanf(line, "total %lf", &total);
        sscanf(line, "fread %lf", &fread);
    }
    int status = peer ? pclose(peer) : -1;
    if (status == 0 && fread > 0)
        printf(
            "  data.table::fread needs %.3f s for the texts, intake %.3f s for the coded answers: %.1f times as long\n",
            fread, intake, fread / intake);
    if (status == 0 && total > 0)
        printf("  R needs %.1f s, the night without drivers %.2f s: %.0f times as long\n", total, ours, total / ours);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 3) printf("  R lacks packages that peer.R names: no comparison\n");
    else if (status != 0) printf("  peer.R failed: no comparison\n");
    rsp_arena_free(a);
}

static bool one_size(struct bench *b, size_t k) {
    rsp_arena *a = rsp_arena_new();
    const char *dir = rsp_printf(a, "%s/%zu", b->into, b->sizes[k]);
    struct night night = {0};
    bool good = prepare(b, dir, b->sizes[k]) && best_night(b, dir, b->threads, &night);
    if (good) print_night(b, b->sizes[k], &night);
    if (good && b->one) good = compare_threads(b, dir, &night) && print_together(b, dir);
    good = good && print_reading(b, dir);
    if (good && k == 0) b->first = night;
    if (good && b->peer) run_peer(b, dir, k == 0 ? 200 : 0, &night);
    fflush(stdout);
    rsp_arena_free(a);
    return good;
}

static int usage(void) {
    fprintf(stderr, "usage: bench [--best K] [--threads N] [--exports keep] [--pages no] [--one yes] [--peer RSCRIPT] "
                    "STUDY INTO SIZE...\n");
    return RSP_ERR_USAGE;
}

int main(int argc, char **argv) {
    struct bench b = {.best = 1, .pages = true};
    int at = 1;
    for (; at + 1 < argc && strncmp(argv[at], "--", 2) == 0; at += 2) {
        if (strcmp(argv[at], "--best") == 0) b.best = (int) strtol(argv[at + 1], NULL, 10);
        else if (strcmp(argv[at], "--threads") == 0) b.threads = (int) strtol(argv[at + 1], NULL, 10);
        else if (strcmp(argv[at], "--exports") == 0) b.keep = strcmp(argv[at + 1], "keep") == 0;
        else if (strcmp(argv[at], "--pages") == 0) b.pages = strcmp(argv[at + 1], "no") != 0;
        else if (strcmp(argv[at], "--one") == 0) b.one = strcmp(argv[at + 1], "yes") == 0;
        else if (strcmp(argv[at], "--peer") == 0) b.peer = argv[at + 1];
        else return usage();
    }
    if (argc - at < 3 || b.best < 1 || b.threads < 0) return usage();
    b.study = argv[at];
    b.into = argv[at + 1];
    b.n_sizes = (size_t) (argc - at - 2);
    b.sizes = rsp_calloc(b.n_sizes, sizeof *b.sizes);
    bool good = true;
    for (size_t k = 0; k < b.n_sizes && good; k++) {
        b.sizes[k] = strtoull(argv[at + 2 + (int) k], NULL, 10);
        good = b.sizes[k] > 0 && one_size(&b, k);
    }
    free(b.sizes);
    return good ? 0 : 1;
}
