/* The night: stations in order, then one publication. */
#include "base/ranks.h"
#include "batch/analyses.h"
#include "batch/log.h"
#include "batch/manifest.h"
#include "batch/previous.h"
#include "batch/publish.h"
#include "batch/respondents.h"
#include "batch/sealed.h"
#include "batch/selftest.h"
#include "batch/software.h"
#include "render/labels.h"
#include "responsive/batch.h"
#include "responsive/clean.h"
#include "responsive/render.h"
#include "responsive/statistics.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* How far tonight's program can be trusted. */
struct trust {
    rsp_arena *arena;
    rsp_diag *d;
    bool known;
    size_t n_accuracy, n_recovery;
    const rsp_accuracy *accuracy;
    const rsp_recovery *recovery;
};

struct night {
    const rsp_run_options *options;
    rsp_diag *d;
    rsp_log log;
    rsp_arena *arena;
    rsp_study *study;
    rsp_respondents people;
    rsp_results *results;
    rsp_published *published;
    rsp_stage stage;
    size_t n_languages;
    const char **languages;
    rsp_labels **labels; /* their words */
    rsp_previous previous;
    rsp_inputs inputs;
    rsp_changes *changes; /* since then; NULL: nothing to compare with */
    rsp_hashes *hashes;   /* of the publication's files */
    struct trust trust;
    char content_id[17], inputs_id[17];
    bool preliminary, unchanged; /* unchanged: the publication before is what tonight's would be */
};

static void utc_now(const char *format, char *text, size_t size) {
    time_t now = time(NULL);
    struct tm utc;
    gmtime_r(&now, &utc);
    strftime(text, size, format, &utc);
}

static bool wanted(const struct night *n, const char *id) {
    for (size_t k = 0; k < n->options->n_only; k++)
        if (strcmp(n->options->only[k], id) == 0) return true;
    return n->options->n_only == 0;
}

/* ---- what was asked for ----------------------------------------------------------------------------------------- */

static bool check_only(struct night *n) {
    const char **ids = RSP_ARRAY(n->arena, const char *, n->study->n_analyses);
    for (size_t k = 0; k < n->study->n_analyses; k++) ids[k] = n->study->analyses[k].id;
    bool ok = true;
    for (size_t j = 0; j < n->options->n_only; j++) {
        bool found = false;
        for (size_t k = 0; k < n->study->n_analyses; k++) found |= strcmp(ids[k], n->options->only[j]) == 0;
        if (found) continue;
        const char *meant = rsp_suggest(n->options->only[j], ids, n->study->n_analyses);
        rsp_report(n->d, RSP_ERR_USAGE, RSP_NOWHERE, meant ? rsp_printf(n->arena, "did you mean '%s'?", meant) : NULL,
                   "--only: the study has no analysis '%s'", n->options->only[j]);
        ok = false;
    }
    return ok;
}

/* A language whose words are incomplete is left out as a whole; the others go on. */
static void leave_out(struct night *n, const char *lang, rsp_diag *d) {
    const rsp_diagnostic *first = rsp_diag_at(d, 0);
    size_t missing = rsp_diag_count(d);
    const char *more = missing > 1 ? rsp_printf(n->arena, ", and %zu more", missing - 1) : "";
    rsp_report(n->d, RSP_WARNING, first->loc, "nothing is published in this language until the words are there",
               "language '%s' is left out: %s%s", lang, first->message, more);
}

static void open_languages(struct night *n, size_t n_asked, const char **asked) {
    rsp_labels **labels = RSP_ARRAY(n->arena, rsp_labels *, n_asked);
    rsp_diag **d = RSP_ARRAY(n->arena, rsp_diag *, n_asked);
#pragma omp parallel for schedule(dynamic) num_threads(rsp_threads())
    for (size_t k = 0; k < n_asked; k++) {
        d[k] = rsp_diag_new();
        labels[k] = rsp_labels_open(n->study, asked[k], d[k]);
    }
    for (size_t k = 0; k < n_asked; k++) {
        if (!labels[k]) leave_out(n, asked[k], d[k]);
        rsp_diag_free(d[k]);
        if (!labels[k]) continue;
        n->labels[n->n_languages] = labels[k];
        n->languages[n->n_languages++] = asked[k];
    }
}

static bool choose_languages(struct night *n) {
    const rsp_study *s = n->study;
    for (size_t j = 0; j < n->options->n_languages; j++) {
        bool found = false;
        for (size_t k = 0; k < s->n_languages; k++) found |= strcmp(s->languages[k], n->options->languages[j]) == 0;
        if (!found)
            rsp_report(n->d, RSP_ERR_USAGE, RSP_NOWHERE, "see `languages` in study.yaml",
                       "--lang: the study has no language '%s'", n->options->languages[j]);
    }
    if (rsp_diag_errors(n->d)) return false;
    n->languages = RSP_ARRAY(n->arena, const char *, s->n_languages);
    n->labels = RSP_ARRAY(n->arena, rsp_labels *, s->n_languages);
    const char **wanted = RSP_ARRAY(n->arena, const char *, s->n_languages);
    size_t n_wanted = 0;
    for (size_t k = 0; k < s->n_languages; k++) {
        bool asked = n->options->n_languages == 0;
        for (size_t j = 0; j < n->options->n_languages; j++)
            asked |= strcmp(s->languages[k], n->options->languages[j]) == 0;
        if (asked) wanted[n_wanted++] = s->languages[k];
    }
    open_languages(n, n_wanted, wanted);
    if (!n->n_languages)
        rsp_report(n->d, RSP_ERR_STUDY, s->languages_loc, "complete the translations of one language at least",
                   "no language can be published");
    return n->n_languages > 0;
}

/* ---- stations --------------------------------------------------------------------------------------------------- */

static void add_count(rsp_results *r, const char *analysis, const char *domain, const char *term, size_t count) {
    rsp_row *row = rsp_results_add(r, analysis, domain, term, NULL, "count");
    row->estimate = row->n = (double) count;
}

static void report_response(struct night *n) {
    const rsp_clean_log *l = n->people.cleaning;
    add_count(n->results, "response", "", "read", l->rows_read);
    add_count(n->results, "response", "", "kept", l->rows_kept);
    add_count(n->results, "response", "", "set_aside", l->rows_read - l->rows_kept);
    size_t *kept = rsp_count_by_country(n->people.frame, n->arena);
    for (size_t k = 0; kept && k < n->study->variables[n->study->roles.country].list->n; k++) {
        if (!n->people.read_by_country[k]) continue;
        const rsp_variable *v = &n->study->variables[n->study->roles.country];
        char *domain = rsp_domain_text(n->arena, 1, &v->name, &v->list->choices[k].code);
        add_count(n->results, "response", domain, "read", n->people.read_by_country[k]);
        add_count(n->results, "response", domain, "kept", kept[k]);
        add_count(n->results, "response", domain, "set_aside", n->people.read_by_country[k] - kept[k]);
    }
    for (size_t k = 0; k < n->study->n_rules; k++) {
        add_count(n->results, "cleaning", "", n->study->rules[k].id, l->rule_rows[k]);
        if (l->rule_cells[k]) {
            rsp_row *row = rsp_results_add(n->results, "cleaning", "", n->study->rules[k].id, "cells", "count");
            row->estimate = (double) l->rule_cells[k];
        }
    }
}

static rsp_request request_of(const struct night *n) {
    return (rsp_request){n->study, n->preliminary, n->options->n_only, n->n_languages, n->options->only, n->languages};
}

static bool analyse(struct night *n) {
    bool *chosen = RSP_ARRAY(n->arena, bool, n->study->n_analyses);
    for (size_t k = 0; k < n->study->n_analyses; k++) chosen[k] = wanted(n, n->study->analyses[k].id);
    rsp_analyses x = {n->people.sample, n->study, chosen, n->stage.study_dir, &n->log};
    return rsp_analyses_run(&x, n->results, n->d);
}

static void compare(struct night *n) {
    rsp_made_of now = rsp_made_of_now(&n->inputs, n->arena);
    rsp_changes *c = rsp_changes_find(n->previous.results, n->published, n->arena);
    c->causes = rsp_causes_find(&n->previous.made_of, &now, n->arena, &c->n_causes);
    n->changes = c;
}

/* Respondents kept in a publication, of a country ("country=PL") or of all (""); NaN where that is not told. */
static double kept_in(const rsp_published *p, const char *domain) {
    const rsp_published_row *r = rsp_published_find(p, "response", domain, "kept", "", "count");
    return r ? r->estimate : NAN;
}

static void tell_of_loss(struct night *n, const char *domain, const char *whom) {
    double before = kept_in(n->previous.results, domain), now = kept_in(n->published, domain);
    bool gone = isnan(now) && !rsp_published_find(n->published, "response", domain, "kept", "", "count");
    if (!(before > 0) || !(gone || 2 * now < before)) return;
    rsp_report(n->d, RSP_WARNING, (rsp_loc){n->study->path, 0, 0},
               "is an export missing or cut short, or was a rule or a code changed?",
               "%s: %.0f respondents tonight, %.0f in the publication before", whom, gone ? 0 : now, before);
}

/* Nobody watches: a country that is gone, or has lost more than half of its respondents, is no everyday news. */
static void compare_respondents(struct night *n) {
    size_t country = n->study->roles.country;
    tell_of_loss(n, "", "in all");
    if (country == RSP_NONE) return;
    const rsp_variable *v = &n->study->variables[country];
    for (size_t k = 0; k < v->list->n; k++) {
        const char *code = v->list->choices[k].code;
        tell_of_loss(n, rsp_domain_text(n->arena, 1, &v->name, &code), rsp_printf(n->arena, "country '%s'", code));
    }
}

static bool disclose(struct night *n) {
    rsp_settle_comparability(n->study, n->previous.results, n->study->field.freeze && !n->preliminary, n->results);
    if (!(n->published = rsp_disclose(n->study, n->results, n->people.memory, n->preliminary, n->d))) return false;
    if (n->people.memory) rsp_let_in(n->people.frame, n->people.memory, n->people.key);
    if (!rsp_inputs_collect(n->study, n->people.frame, n->arena, &n->inputs, n->d)) return false;
    /* Without --only: what was not asked for is not gone. */
    if (n->previous.results && !n->options->n_only) compare(n);
    if (n->previous.results) compare_respondents(n);
    return rsp_content_id(&(rsp_content){request_of(n), n->people.frame, n->published, n->changes}, n->content_id,
                          n->d);
}

static void test_program(struct trust *t) {
    t->arena = rsp_arena_new();
    t->d = rsp_diag_new();
    t->known = rsp_selftest_run(true, t->arena, &t->accuracy, &t->n_accuracy, t->d);
    t->known = rsp_selftest_recovery(t->arena, &t->recovery, &t->n_recovery, t->d) && t->known;
}

/* Disclosure control keeps one thread; another has time for the self-test. */
static bool disclose_and_test(struct night *n) {
    bool disclosed = false;
#pragma omp parallel num_threads(rsp_threads() > 1 ? 2 : 1)
    {
#pragma omp master
        disclosed = disclose(n);
#pragma omp single nowait
        test_program(&n->trust);
    }
    return disclosed;
}

/* A predictor that had to be left out: each by name, a categorical one once. */
static void report_aside(struct night *n, const rsp_published_row *r, rsp_map *seen) {
    if (!(r->flags & (RSP_F_UNANSWERED | RSP_F_CONSTANT)) || *r->domain || strcmp(r->statistic, "coefficient") != 0)
        return;
    int length = (int) strcspn(r->term, "=");
    if (!rsp_map_put(seen, rsp_printf(n->arena, "aside|%s|%.*s", r->analysis, length, r->term), 1)) return;
    bool constant = r->flags & RSP_F_CONSTANT;
    rsp_report(n->d, RSP_WARNING, RSP_NOWHERE,
               constant ? "take it out of the analysis, or wait for more answers"
                        : "take it out of the analysis, or see why the exports have no answers to it",
               "analysis '%s': '%.*s' is set aside, %s", r->analysis, length, r->term,
               constant ? "all who answered it gave the same answer" : "nobody answered it");
}

/* What an operator should look at: estimates that could not be made. Suppression and small bases are everyday. */
static void report_flags(struct night *n) {
    const uint32_t serious = RSP_F_NOT_CONVERGED | RSP_F_SINGULAR | RSP_F_SEPARATED | RSP_F_NOT_WEIGHTED |
                             RSP_F_MARGIN_UNMET | RSP_F_REPLICATES_FAILED | RSP_F_LONELY | RSP_F_EXACT;
    rsp_map *seen = rsp_map_new();
    for (size_t i = 0; i < rsp_published_count(n->published); i++) {
        const rsp_published_row *r = rsp_published_at(n->published, i);
        report_aside(n, r, seen);
        if (!(r->flags & serious)) continue;
        char flags[256];
        const char *text = rsp_flags_text(r->flags & serious, flags);
        if (rsp_map_put(seen, rsp_printf(n->arena, "%s|%s", r->analysis, text), i))
            rsp_report(n->d, RSP_WARNING, RSP_NOWHERE, "see data/results.csv", "analysis '%s': %s%s%s%s", r->analysis,
                       text, *r->domain ? ", first in " : "", r->domain,
                       *r->term ? rsp_printf(n->arena, " (%s)", r->term) : "");
    }
    rsp_map_free(seen);
}

/* ---- publication ------------------------------------------------------------------------------------------------ */

static void file_notes(const struct night *n, rsp_publication *p) {
    struct rsp_file_note *notes = RSP_ARRAY(n->arena, struct rsp_file_note, n->people.frame->n_files);
    for (size_t k = 0; k < n->people.frame->n_files; k++) {
        const rsp_file *f = &n->people.frame->files[k];
        notes[k] = (struct rsp_file_note){f->name, f->tool, f->encoding, f->rows, f->columns};
    }
    p->files = notes;
    p->n_files = n->people.frame->n_files;
}

static void warning_notes(const struct night *n, rsp_publication *p) {
    size_t count = rsp_diag_count(n->d);
    const char **notes = RSP_ARRAY(n->arena, const char *, count);
    for (size_t k = 0; k < count; k++) {
        const rsp_diagnostic *e = rsp_diag_at(n->d, k);
        if (e->class != RSP_WARNING) continue;
        /* Without the folder: the page must not depend on where the study stands. */
        const char *file = e->loc.file ? strrchr(e->loc.file, '/') ? strrchr(e->loc.file, '/') + 1 : e->loc.file : NULL;
        notes[p->n_notes++] = file && e->loc.line
                                  ? rsp_printf(n->arena, "%s, line %d: %s", file, e->loc.line, e->message)
                              : file ? rsp_printf(n->arena, "%s: %s", file, e->message)
                                     : rsp_strdup(n->arena, e->message);
    }
    p->notes = notes;
}

/* A failed self-test does not stop the publication: it says so itself. */
static void accuracy_notes(struct night *n, rsp_publication *p) {
    const struct trust *t = &n->trust;
    if (!t->known)
        rsp_report(n->d, RSP_WARNING, RSP_NOWHERE, "`responsive selftest` says what is missing",
                   "the program's self-test cannot be computed: %s", rsp_diag_at(t->d, 0)->message);
    for (size_t k = 0; t->known && k < t->n_accuracy; k++)
        if (!t->accuracy[k].met)
            rsp_report(n->d, RSP_WARNING, RSP_NOWHERE, "see the methods annex, or `responsive selftest`",
                       "self-test '%s': met to fewer digits than promised", t->accuracy[k].name);
    p->n_accuracy = t->known ? t->n_accuracy : 0;
    p->n_recovery = t->known ? t->n_recovery : 0;
    p->accuracy = t->accuracy;
    p->recovery = t->recovery;
    p->libraries = rsp_software(n->arena, &p->n_libraries);
}

static bool render_parts(struct night *n, const rsp_publication *p, const char *name, size_t n_parts,
                         rsp_renderer *const *parts) {
    rsp_log_line(&n->log, "rendering %s", name);
    return rsp_render_together(p, n_parts, parts, n->d) && !rsp_diag_errors(n->d);
}

static bool render(struct night *n) {
    n->hashes = rsp_hashes_new();
    rsp_publication p = {.study = n->study,
                         .results = n->published,
                         .dir = n->stage.staging,
                         .content_id = n->content_id,
                         .preliminary = n->preliminary,
                         .simulated = rsp_study_simulated(n->study),
                         .n_languages = n->n_languages,
                         .languages = n->languages,
                         .labels = n->labels,
                         .n_only = n->options->n_only,
                         .only = n->options->only,
                         .changes = n->changes,
                         .hashes = n->hashes};
    for (size_t k = 0; k < n->n_languages; k++) rsp_labels_count_countries(n->labels[k], n->published);
    file_notes(n, &p);
    accuracy_notes(n, &p);
    warning_notes(n, &p);
    static rsp_renderer *const first[] = {rsp_render_methods, rsp_render_dataset, rsp_render_quality,
                                          rsp_render_charts},
                               *const then[] = {rsp_render_explore, rsp_render_changes, rsp_render_workbooks,
                                                rsp_render_briefs},
                               *const last[] = {rsp_render_site};
    return render_parts(n, &p, "open data, methods annex, quality report, charts", sizeof first / sizeof *first,
                        first) &&
           render_parts(n, &p, "workbooks, briefs, pages", sizeof then / sizeof *then, then) &&
           rsp_clean_write(n->people.cleaning, rsp_path_join(n->arena, n->stage.staging, "quality/cleaning.csv"),
                           n->d) &&
           rsp_hash_outputs(n->stage.staging, n->hashes, n->d) && render_parts(n, &p, "index page", 1, last);
}

static bool write_manifest(struct night *n, const char *started) {
    char finished[32];
    utc_now("%Y-%m-%dT%H:%M:%SZ", finished, sizeof finished);
    rsp_manifest m = {.run = n->stage.run,
                      .started = started,
                      .finished = finished,
                      .content_id = n->content_id,
                      .inputs_id = n->inputs_id,
                      .previous = n->previous.run,
                      .status = rsp_diag_status(n->d),
                      .study = n->study,
                      .inputs = &n->inputs,
                      .results = n->published,
                      .rows_read = n->people.cleaning->rows_read,
                      .rows_kept = n->people.cleaning->rows_kept,
                      .releases = n->people.memory ? rsp_memory_releases(n->people.memory) : 0,
                      .hashes = n->hashes};
    return rsp_manifest_write(&m, n->stage.staging, n->d);
}

/* Exports, study, program and request are those of the publication that stands, which is undamaged. */
static bool nothing_new(struct night *n) {
    rsp_diag *quiet = rsp_diag_new(); /* exports that cannot be read are the intake's to report */
    rsp_previous_open(&n->previous, n->stage.study_dir, n->arena, n->d);
    rsp_request request = request_of(n);
    bool known = rsp_inputs_id(&request, n->inputs_id, quiet);
    rsp_diag_free(quiet);
    return known && n->previous.run && strcmp(n->previous.inputs_id, n->inputs_id) == 0 && !n->options->force;
}

/* Is it so on every rank? */
static bool all_ranks(struct night *n, bool ok) {
    bool all = rsp_ranks_agree(ok);
    if (ok && !all && !n->unchanged && !rsp_rank() && rsp_ranks() > 1)
        rsp_report(n->d, RSP_ERR_DATA, RSP_NOWHERE, "every machine needs the study and its exports under the same path",
                   "another rank could not go on");
    return all;
}

/* Read, weighted and analysed; rows are on rank 0. */
static bool compute(struct night *n) {
    rsp_respondents *x = &n->people;
    *x = (rsp_respondents){.study = n->study,
                           .study_dir = rsp_printf(n->arena, "%s/%s", n->options->out, n->study->id),
                           .releases = n->previous.releases,
                           .log = &n->log,
                           .arena = n->arena};
    if (!all_ranks(n, rsp_respondents_read(x, n->d) && rsp_respondents_weigh(x, n->d))) return false;
    rsp_heap_keep();
    n->results = rsp_results_new();
    if (!rsp_rank()) {
        report_response(n);
        rsp_report_weights(n->people.sample, n->results);
    }
    return analyse(n);
}

static bool open_stage(struct night *n, const char *run) {
    if (rsp_rank()) return true;
    return rsp_stage_open(&n->stage, n->options->out, n->study->id, run, n->d);
}

static bool load(struct night *n, const char *today) {
    if (!(n->study = rsp_study_load(n->options->dir, n->d)) || rsp_diag_errors(n->d)) return false;
    n->preliminary = rsp_study_preliminary(n->study, today);
    return check_only(n) && choose_languages(n);
}

static bool night(struct night *n) {
    char started[32], run[32], today[16];
    utc_now("%Y-%m-%dT%H:%M:%SZ", started, sizeof started);
    utc_now("%Y%m%dT%H%M%SZ", run, sizeof run);
    utc_now("%Y-%m-%d", today, sizeof today);
    rsp_log_line(&n->log, "responsive %s, study %s", RSP_VERSION, n->options->dir);
    bool ok = load(n, today) && open_stage(n, run);
    if (ok && !rsp_rank()) n->unchanged = nothing_new(n);
    if (!all_ranks(n, ok && !n->unchanged) || n->unchanged) return n->unchanged;
    if (!rsp_rank()) rsp_previous_read(&n->previous, n->arena, n->d);
    ok = compute(n);
    if (n->people.too_little) return n->unchanged = true;
    if (rsp_rank() || !ok) return ok;
    if (!disclose_and_test(n)) return false;
    report_flags(n);
    if (!render(n)) return false;
    rsp_log_line(&n->log, "publishing %s", n->stage.run);
    rsp_log_entries(&n->log, n->d);
    rsp_buf *log = &n->log.text;
    ok = write_manifest(n, started) &&
         rsp_write_file(rsp_path_join(n->arena, n->stage.staging, "run.log"), log->data, log->length, n->d) &&
         (!n->people.memory ||
          rsp_memory_save(n->people.memory, n->stage.study_dir, n->people.key, n->d)) && /* first: see sealed.h */
         rsp_stage_publish(&n->stage, n->d);
    return ok;
}

/* For monitoring: one object on one line, whatever came of the night. */
static void print_summary(const struct night *n, bool published, int status, double seconds) {
    json_t *root = json_object(), *entries = json_array();
    const char *run = n->unchanged ? n->previous.run : published ? n->stage.run : NULL;
    json_object_set_new(root, "study", n->study ? json_string(n->study->id) : json_null());
    json_object_set_new(root, "status", json_integer(status));
    const char *outcome = n->people.too_little ? "too_little"
                          : n->unchanged       ? "unchanged"
                          : published          ? "published"
                                               : "failed";
    json_object_set_new(root, "outcome", json_string(outcome));
    json_object_set_new(root, "run", run ? json_string(run) : json_null());
    json_object_set_new(root, "seconds", json_real(round(seconds * 1000) / 1000));
    if (published && !n->unchanged) {
        json_object_set_new(root, "waiting", json_integer((json_int_t) n->people.arrivals.wait));
        json_object_set_new(root, "rows_read", json_integer((json_int_t) n->people.cleaning->rows_read));
        json_object_set_new(root, "rows_kept", json_integer((json_int_t) n->people.cleaning->rows_kept));
        json_object_set_new(root, "changes", json_integer(n->changes ? (json_int_t) n->changes->n : 0));
    }
    for (size_t k = 0; k < rsp_diag_count(n->d); k++) {
        const rsp_diagnostic *e = rsp_diag_at(n->d, k);
        if (e->class == RSP_NOTE) continue;
        json_t *one = json_object();
        json_object_set_new(one, "class", json_string(e->class == RSP_WARNING ? "warning" : "error"));
        json_object_set_new(one, "file", e->loc.file ? json_string(e->loc.file) : json_null());
        json_object_set_new(one, "line", json_integer(e->loc.line));
        json_object_set_new(one, "message", json_string(e->message));
        json_array_append_new(entries, one);
    }
    json_object_set_new(root, "entries", entries);
    json_dumpf(root, stdout, JSON_COMPACT | JSON_REAL_PRECISION(6));
    putchar('\n');
    json_decref(root);
}

static void print_outcome(const struct night *n, bool published, int status, double seconds) {
    const char *out = n->options->out;
    if (n->people.too_little) printf("too little has changed for a new publication, see above\n");
    else if (n->unchanged)
        printf("nothing has changed since %s/%s/%s (%.2f s); --force publishes again%s\n", out, n->study->id,
               n->previous.run, seconds, status ? "; something needed a look then, see its run.log" : "");
    else if (published)
        printf("published %s/%s/latest/index.html in %.1f s%s\n", out, n->study->id, seconds,
               status ? "; something needs a look, see above" : "");
}

/* A rank that only computes says no more than what went wrong. */
static int close_worker(struct night *n, bool ok) {
    if (!ok) rsp_log_print(&n->log, n->d);
    return rsp_ranks_status(0);
}

static int close_night(struct night *n, bool published) {
    const rsp_run_options *o = n->options;
    double seconds = rsp_seconds() - n->log.start;
    rsp_log_print(&n->log, n->d);
    int status = rsp_diag_status(n->d);
    if (n->unchanged && n->previous.status > status) status = n->previous.status;
    if (o->json) print_summary(n, published, status, seconds);
    else if (!o->quiet) print_outcome(n, published, status, seconds);
    if (!published) fprintf(stderr, "nothing was published\n");
    return rsp_ranks_status(status);
}

int rsp_run(const rsp_run_options *o) {
    rsp_threads_set(o->jobs);
    struct night n = {.options = o, .d = rsp_diag_new(), .arena = rsp_arena_new(), .stage = {.lock = -1}};
    rsp_log_open(&n.log, o->quiet || o->json || rsp_rank());
    if (o->explain) n.log.terminal = false; /* every line stays */
    bool published = night(&n);
    /* A night that has nothing new too: the one before may have been killed before it came to this. Where nothing is published
     * beside a damaged publication, which has no name, an older one may be the only sound one. */
    const char *latest = n.unchanged ? n.previous.run : n.stage.run;
    if (published && latest && !rsp_rank()) rsp_stage_retain(&n.stage, latest, n.study->keep, n.d);
    int status = rsp_rank() ? close_worker(&n, published) : close_night(&n, published);
    rsp_log_close(&n.log);
    if (n.stage.arena) rsp_stage_close(&n.stage);
    rsp_previous_close(&n.previous);
    rsp_hashes_free(n.hashes);
    rsp_arena_free(n.trust.arena);
    rsp_diag_free(n.trust.d);
    rsp_published_free(n.published);
    rsp_results_free(n.results);
    rsp_respondents_free(&n.people);
    for (size_t k = 0; k < n.n_languages; k++) rsp_labels_free(n.labels[k]);
    rsp_study_free(n.study);
    rsp_arena_free(n.arena);
    rsp_diag_free(n.d);
    return status;
}

/* Languages that the pages have no words in: a run would leave them out. Words of the study that lack are told elsewhere. */
static void check_languages(const rsp_study *s, rsp_diag *d) {
    for (size_t k = 0; k < s->n_languages; k++) {
        rsp_diag *own = rsp_diag_new();
        rsp_texts *t = rsp_texts_load(s->languages[k], own);
        if (!t)
            rsp_report(d, RSP_WARNING, (rsp_loc){s->path, 0, 0}, rsp_diag_at(own, 0)->hint,
                       "language '%s' would be left out: %s", s->languages[k], rsp_diag_at(own, 0)->message);
        rsp_texts_free(t);
        rsp_diag_free(own);
    }
}

int rsp_check(const char *dir) {
    rsp_diag *d = rsp_diag_new();
    rsp_study *s = rsp_study_load(dir, d);
    if (s) rsp_study_check(s, d);
    if (s) check_languages(s, d);
    rsp_diag_print(d, stderr, rsp_colour_wanted(stderr), 0);
    int status = rsp_diag_status(d);
    if (s && status <= 1)
        printf("%s: %zu variables, %zu %s, %zu language%s: %s\n", s->path, s->n_variables, s->n_analyses,
               s->n_analyses == 1 ? "analysis" : "analyses", s->n_languages, s->n_languages == 1 ? "" : "s",
               status ? "sound, with warnings" : "nothing wrong");
    rsp_study_free(s);
    rsp_diag_free(d);
    return status;
}
