#include "batch/previous.h"

#include "batch/publish.h"
#include "responsive/intake.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* ---- is it what it was when it was published? ------------------------------------------------------------------- */

struct output {
    const char *path, *sha256;
    bool same;
};

/* When the publication was written: what its manifest says, to a second, or the change of the manifest itself, whichever is
 * earlier. 0: not known. */
static struct timespec written_at(const char *manifest, const json_t *root) {
    const char *finished = json_string_value(json_object_get(root, "finished"));
    struct tm day = {0};
    struct stat st;
    if (!finished || !strptime(finished, "%Y-%m-%dT%H:%M:%SZ", &day) || stat(manifest, &st) != 0)
        return (struct timespec){0};
    time_t end = timegm(&day) + 2;
    return st.st_ctim.tv_sec < end ? st.st_ctim : (struct timespec){.tv_sec = end};
}

/* Programs cannot set a file's time of change (ctime): what was written, copied, moved or linked after `since` shows it. */
static bool untouched(const char *path, struct timespec since) {
    struct stat st;
    if (lstat(path, &st) != 0 || !S_ISREG(st.st_mode)) return false;
    return st.st_ctim.tv_sec < since.tv_sec ||
           (st.st_ctim.tv_sec == since.tv_sec && st.st_ctim.tv_nsec <= since.tv_nsec);
}

/* Every output is there with its hash, and nothing else is. Files untouched since then are not read. */
static bool intact(const char *dir, json_t *outputs, struct timespec since, rsp_arena *a) {
    rsp_diag *quiet = rsp_diag_new(); /* the caller says in one sentence that it is damaged */
    const char **paths, *name;
    size_t n, k = 0, n_outputs = json_object_size(outputs);
    struct output *all = RSP_ARRAY(a, struct output, n_outputs);
    json_t *hash;
    json_object_foreach(outputs, name, hash) {
        const char *hex = json_string_value(hash);
        all[k++] = (struct output){rsp_path_join(a, dir, name), hex ? hex : "", false};
    }
    bool ok = n_outputs && rsp_list_files(dir, a, &paths, &n, quiet) && n == n_outputs + 2; /* manifest.json, run.log */
#pragma omp parallel for schedule(dynamic, 16) if (ok)
    for (size_t j = 0; j < n_outputs; j++) {
        char hex[65];
        all[j].same = ok && (untouched(all[j].path, since) ||
                             (rsp_hash_file(all[j].path, hex) && strcmp(hex, all[j].sha256) == 0));
    }
    for (size_t j = 0; j < n_outputs; j++) ok &= all[j].same;
    rsp_diag_free(quiet);
    return ok;
}

static const char *text_of(const json_t *root, const char *key, rsp_arena *a) {
    const char *text = json_string_value(json_object_get(root, key));
    return rsp_strdup(a, text ? text : "");
}

static json_t *load_manifest(const char *dir, rsp_arena *a) {
    return json_load_file(rsp_path_join(a, dir, "manifest.json"), JSON_REJECT_DUPLICATES, NULL);
}

/* Takes what the manifest tells of a publication that is what it was; else p->run stays NULL. */
static void read_manifest(rsp_previous *p, const char *dir, rsp_arena *a) {
    json_t *m = load_manifest(dir, a);
    json_t *outputs = json_object_get(m, "outputs");
    p->releases = m ? (size_t) json_integer_value(json_object_get(m, "releases")) : 1; /* damaged: as if it told some */
    struct timespec since = written_at(rsp_path_join(a, dir, "manifest.json"), m);
    if (json_is_object(outputs) && intact(dir, outputs, since, a)) {
        p->dir = rsp_strdup(a, dir);
        p->run = strrchr(p->dir, '/') + 1;
        p->content_id = text_of(m, "content_id", a);
        p->inputs_id = text_of(m, "inputs_id", a);
        p->made_of = rsp_made_of_read(m, a);
        p->status = (int) json_integer_value(json_object_get(m, "status"));
    }
    json_decref(m);
}

static void report_damage(const char *link, rsp_diag *d) {
    rsp_report(d, RSP_WARNING, (rsp_loc){link, 0, 0}, "`responsive verify` names what was changed",
               "the publication before is damaged: tonight's is made as if there were none");
}

void rsp_previous_open(rsp_previous *p, const char *study_dir, rsp_arena *a, rsp_diag *d) {
    *p = (rsp_previous){.link = rsp_path_join(a, study_dir, "latest"), .content_id = "", .inputs_id = ""};
    if (access(p->link, F_OK) != 0) return;
    char *dir = realpath(p->link, NULL);
    if (dir) read_manifest(p, dir, a);
    if (!p->run) report_damage(p->link, d);
    free(dir);
}

void rsp_previous_read(rsp_previous *p, rsp_arena *a, rsp_diag *d) {
    if (!p->run) return;
    rsp_diag *quiet = rsp_diag_new();
    json_t *m = load_manifest(p->dir, a);
    if (intact(p->dir, json_object_get(m, "outputs"), (struct timespec){0}, a))
        p->results = rsp_published_read_csv(rsp_path_join(a, p->dir, "data/results.csv"), quiet);
    json_decref(m);
    rsp_diag_free(quiet);
    if (p->results) return;
    *p = (rsp_previous){.link = p->link, .content_id = "", .inputs_id = "", .releases = p->releases};
    report_damage(p->link, d);
}

void rsp_previous_close(rsp_previous *p) {
    rsp_published_free(p->results);
    p->results = NULL;
}

/* ---- is there anything new? ------------------------------------------------------------------------------------- */

static bool hash_exports(rsp_hash *h, const rsp_study *s, rsp_arena *a, rsp_diag *d) {
    const char **paths, **names;
    size_t n;
    if (!rsp_source_files(s, a, &paths, &names, &n, d)) return false;
    char(*hex)[65] = rsp_alloc(a, n * sizeof *hex);
    bool ok = true;
#pragma omp parallel for schedule(dynamic, 1) reduction(&& : ok)
    for (size_t k = 0; k < n; k++) ok = rsp_hash_file(paths[k], hex[k]) && ok;
    for (size_t k = 0; ok && k < n; k++) {
        rsp_hash_str(h, names[k]);
        rsp_hash_str(h, hex[k]);
    }
    return ok; /* what cannot be read is reported by the intake, with more to say */
}

bool rsp_inputs_id(const rsp_request *r, char id[17], rsp_diag *d) {
    rsp_arena *a = rsp_arena_new();
    rsp_hash h;
    rsp_hash_init(&h);
    bool ok = rsp_hash_request(&h, r, d) && hash_exports(&h, r->study, a, d);
    rsp_hash_str(&h, RSP_COMMIT); /* the next build of a version may compute otherwise */
    char forgotten[65];
    const char *path = rsp_forgotten_path(r->study, a);
    if (path && rsp_hash_file(path, forgotten)) rsp_hash_str(&h, forgotten);
    if (ok) rsp_hash_id(&h, id);
    rsp_arena_free(a);
    return ok;
}
