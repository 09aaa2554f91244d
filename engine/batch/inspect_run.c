/* Looking at a run that is there: verify, show. */
#include "batch/log.h"
#include "batch/publish.h"
#include "responsive/batch.h"
#include "responsive/render.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

static json_t *read_manifest(const char *dir, rsp_arena *a, rsp_diag *d) {
    char *path = rsp_path_join(a, dir, "manifest.json");
    json_error_t e;
    json_t *m = json_load_file(path, JSON_REJECT_DUPLICATES, &e);
    if (!m)
        rsp_report(d, RSP_ERR_DATA, (rsp_loc){path, e.line > 0 ? e.line : 0, e.line > 0 ? e.column : 0},
                   "name the folder of a run, e.g. out/STUDY/latest", "%s", e.text);
    return m;
}

static void compare_with_manifest(const char *dir, json_t *outputs, rsp_arena *a, rsp_diag *d) {
    const char **paths;
    size_t n;
    if (!rsp_list_files(dir, a, &paths, &n, d)) return;
    rsp_map *there = rsp_map_new();
    for (size_t k = 0; k < n; k++) {
        rsp_map_put(there, paths[k], k);
        if (strcmp(paths[k], "manifest.json") == 0 || strcmp(paths[k], "run.log") == 0) continue;
        const char *expected = json_string_value(json_object_get(outputs, paths[k]));
        char hex[65], *path = rsp_path_join(a, dir, paths[k]);
        if (!expected) rsp_report(d, RSP_ERR_DATA, (rsp_loc){path, 0, 0}, NULL, "added: the manifest does not name it");
        else if (!rsp_hash_file(path, hex)) rsp_report(d, RSP_ERR_DATA, (rsp_loc){path, 0, 0}, NULL, "cannot be read");
        else if (strcmp(hex, expected) != 0)
            rsp_report(d, RSP_ERR_DATA, (rsp_loc){path, 0, 0}, "run the study again",
                       "changed: its hash differs from the manifest's");
    }
    const char *name;
    json_t *hash;
    json_object_foreach(outputs, name, hash) if (rsp_map_get(there, name) == RSP_NONE)
        rsp_report(d, RSP_ERR_DATA, (rsp_loc){rsp_path_join(a, dir, name), 0, 0}, "run the study again", "missing");
    rsp_map_free(there);
}

int rsp_verify(const char *run_dir) {
    rsp_diag *d = rsp_diag_new();
    rsp_arena *a = rsp_arena_new();
    char *dir = realpath(run_dir, NULL); /* `latest` is a link */
    json_t *m = read_manifest(dir ? dir : run_dir, a, d), *outputs = json_object_get(m, "outputs");
    if (m && !json_is_object(outputs))
        rsp_report(d, RSP_ERR_DATA, (rsp_loc){rsp_path_join(a, run_dir, "manifest.json"), 0, 0}, NULL,
                   "has no `outputs`");
    else if (m) compare_with_manifest(dir, outputs, a, d);
    int status = rsp_diag_status(d);
    rsp_diag_print(d, stderr, rsp_colour_wanted(stderr), 0);
    if (!status) printf("%s: %zu files as published\n", run_dir, json_object_size(outputs));
    json_decref(m);
    free(dir);
    rsp_arena_free(a);
    rsp_diag_free(d);
    return status;
}

static size_t terminal_width(void) {
    struct winsize w;
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &w) == 0 && w.ws_col >= 40) return w.ws_col;
    const char *columns = getenv("COLUMNS");
    long n = columns ? strtol(columns, NULL, 10) : 0;
    return n >= 40 && n <= 1000 ? (size_t) n : 80;
}

/* The language of the person at the terminal, as the environment names it; "" if it does not. */
static const char *users_language(rsp_arena *a) {
    static const char *const names[] = {"LC_ALL", "LC_MESSAGES", "LANG"};
    const char *locale = NULL;
    for (size_t k = 0; k < 3 && !(locale && *locale); k++) locale = getenv(names[k]);
    return locale ? rsp_strndup(a, locale, strcspn(locale, "_.@")) : "";
}

/* The user's language if the study speaks it; else the study's first. */
static const char *language_of_study(const rsp_study *s, const char *wish) {
    for (size_t k = 0; k < s->n_languages; k++)
        if (strcmp(s->languages[k], wish) == 0) return s->languages[k];
    return s->languages[0];
}

static bool is_run(const char *where, rsp_arena *a) {
    return access(rsp_path_join(a, where, "manifest.json"), F_OK) == 0;
}

static const char *nearest(const rsp_published *p, const char *analysis, rsp_arena *a) {
    size_t n = 0, rows = rsp_published_count(p);
    const char **ids = RSP_ARRAY(a, const char *, rows);
    for (size_t i = 0; i < rows; i++) {
        const char *id = rsp_published_at(p, i)->analysis;
        if (!n || strcmp(ids[n - 1], id) != 0) ids[n++] = id;
    }
    const char *meant = rsp_suggest(analysis, ids, n);
    return meant ? rsp_printf(a, "did you mean '%s'?", meant) : NULL;
}

/* A study folder, whose latest run below `out` is shown, or the folder of a run. */
int rsp_show_command(const char *where, const char *out, const char *analysis, const char *lang) {
    rsp_diag *d = rsp_diag_new();
    rsp_arena *a = rsp_arena_new();
    rsp_study *s = is_run(where, a) ? NULL : rsp_study_load(where, d);
    const char *run = s ? rsp_printf(a, "%s/%s/latest", out, s->id) : is_run(where, a) ? where : NULL;
    rsp_published *p = run ? rsp_published_read_csv(rsp_path_join(a, run, "data/results.csv"), d) : NULL;
    const char *wish = users_language(a);
    size_t from, to;
    if (p && !rsp_published_range(p, analysis, &from, &to))
        rsp_report(d, RSP_ERR_USAGE, RSP_NOWHERE, nearest(p, analysis, a), "the run has no analysis '%s'", analysis);
    else if (p && s) rsp_show(s, p, analysis, lang ? lang : language_of_study(s, wish), terminal_width(), stdout, d);
    else if (p) rsp_show_run(run, p, analysis, lang, wish, terminal_width(), stdout, d);
    rsp_diag_print(d, stderr, rsp_colour_wanted(stderr), 0);
    int status = rsp_diag_status(d);
    rsp_published_free(p);
    rsp_study_free(s);
    rsp_arena_free(a);
    rsp_diag_free(d);
    return status > 1 ? status : 0;
}
