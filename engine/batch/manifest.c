#include "batch/manifest.h"

#include "batch/publish.h"
#include "batch/selftest.h"
#include "batch/software.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static int compare_names(const void *a, const void *b) {
    return strcmp(*(const char *const *) a, *(const char *const *) b);
}

/* Inputs are named as the study names them, so that moving the folder changes nothing. */
static const char *name_in_study(const rsp_study *s, const char *path) {
    size_t length = strlen(s->dir);
    if (strncmp(path, s->dir, length) == 0 && path[length] == '/') return path + length + 1;
    return path;
}

bool rsp_inputs_collect(const rsp_study *s, const rsp_frame *f, rsp_arena *a, rsp_inputs *in, rsp_diag *d) {
    size_t n = s->n_inputs + f->n_files;
    const char **lines = RSP_ARRAY(a, const char *, n);
    bool ok = true;
    for (size_t k = 0; k < s->n_inputs; k++) {
        char hex[65];
        if (!rsp_hash_file(s->inputs[k], hex)) {
            rsp_report(d, RSP_ERR_STUDY, (rsp_loc){s->inputs[k], 0, 0}, NULL, "cannot be read any more");
            ok = false;
        } else {
            lines[k] = rsp_printf(a, "%s\x1f%c%s", name_in_study(s, s->inputs[k]), 's', hex);
        }
    }
    if (!ok) return false;
    for (size_t k = 0; k < f->n_files; k++)
        lines[s->n_inputs + k] = rsp_printf(a, "%s\x1f%c%s", f->files[k].name, 'e', f->files[k].sha256);
    qsort(lines, n, sizeof *lines, compare_names);
    *in = (rsp_inputs){n, RSP_ARRAY(a, const char *, n), RSP_ARRAY(a, const char *, n), RSP_ARRAY(a, bool, n)};
    for (size_t k = 0; k < n; k++) {
        const char *split = strchr(lines[k], '\x1f');
        in->name[k] = rsp_strndup(a, lines[k], (size_t) (split - lines[k]));
        in->is_export[k] = split[1] == 'e';
        in->sha256[k] = split + 2;
    }
    return true;
}

/* Words, layouts and colours of the pages belong to the program, but translators edit them. */
static bool hash_report_files(rsp_hash *h, rsp_diag *d) {
    rsp_arena *a = rsp_arena_new();
    const char *dir = rsp_path_join(a, rsp_data_dir(), "reports"), **paths;
    size_t n;
    bool ok = rsp_list_files(dir, a, &paths, &n, d);
    for (size_t k = 0; ok && k < n; k++) {
        char file[65];
        if (!(ok = rsp_hash_file(rsp_path_join(a, dir, paths[k]), file)))
            rsp_report(d, RSP_ERR_STUDY, (rsp_loc){paths[k], 0, 0}, NULL, "cannot be read");
        rsp_hash_str(h, paths[k]);
        rsp_hash_str(h, file);
    }
    rsp_arena_free(a);
    return ok;
}

/* Another version of a library may compute or draw differently; the methods annex names them. */
static void hash_software(rsp_hash *h) {
    rsp_arena *a = rsp_arena_new();
    size_t n;
    const rsp_library *all = rsp_software(a, &n);
    for (size_t k = 0; k < n; k++) rsp_hash_str(h, all[k].version);
    rsp_arena_free(a);
}

bool rsp_hash_request(rsp_hash *h, const rsp_request *r, rsp_diag *d) {
    const rsp_study *s = r->study;
    rsp_hash_str(h, RSP_VERSION);
    hash_software(h);
    rsp_selftest_hash(h);
    for (size_t k = 0; k < s->n_inputs; k++) {
        char file[65];
        if (!rsp_hash_file(s->inputs[k], file)) {
            rsp_report(d, RSP_ERR_STUDY, (rsp_loc){s->inputs[k], 0, 0}, NULL, "cannot be read any more");
            return false;
        }
        rsp_hash_str(h, name_in_study(s, s->inputs[k]));
        rsp_hash_str(h, file);
    }
    if (!hash_report_files(h, d)) return false;
    rsp_hash_str(h, r->preliminary ? "preliminary" : "final");
    for (size_t k = 0; k < r->n_only; k++) rsp_hash_str(h, r->only[k]);
    rsp_hash_str(h, "");
    for (size_t k = 0; k < r->n_languages; k++) rsp_hash_str(h, r->languages[k]);
    return true;
}

void rsp_hash_id(rsp_hash *h, char id[17]) {
    char hex[65];
    rsp_hash_hex(h, hex);
    memcpy(id, hex, 16);
    id[16] = '\0';
}

/* Every number as it is published; the text of the row apart, so that no two tables are alike by chance. */
static void hash_row(rsp_hash *h, const rsp_published_row *r) {
    const char *const texts[] = {r->analysis, r->domain, r->term, r->level, r->statistic};
    const double numbers[] = {r->estimate, r->se,    r->df, r->df1,   r->lower, r->upper,
                              r->p,        r->p_adj, r->n,  r->n_eff, r->deff};
    for (size_t k = 0; k < sizeof texts / sizeof *texts; k++) rsp_hash_str(h, texts[k]);
    for (size_t k = 0; k < sizeof numbers / sizeof *numbers; k++) {
        double x = isnan(numbers[k]) ? NAN : numbers[k] == 0 ? 0 : numbers[k]; /* one bit pattern each */
        rsp_hash_add(h, &x, sizeof x);
    }
    rsp_hash_add(h, &r->flags, sizeof r->flags);
}

/* As far as the pages tell them. */
static void hash_causes(rsp_hash *h, const rsp_changes *all) {
    rsp_hash_str(h, all->final ? "final" : "");
    for (size_t k = 0; k < all->n_causes; k++) {
        const rsp_cause *c = &all->causes[k];
        bool program = c->part == RSP_CAUSE_PROGRAM;
        rsp_hash_str(h, c->name);
        rsp_hash_str(h, !c->before ? "new" : program ? c->before : "there");
        rsp_hash_str(h, !c->now ? "gone" : program ? c->now : "there");
    }
}

bool rsp_content_id(const rsp_content *c, char id[17], rsp_diag *d) {
    rsp_hash h;
    rsp_hash_init(&h);
    rsp_hash_str(&h, c->frame->content);
    for (size_t i = 0; i < rsp_published_count(c->results); i++) hash_row(&h, rsp_published_at(c->results, i));
    rsp_hash_str(&h, c->changes ? "compared" : "first"); /* pages say which */
    if (c->changes) hash_causes(&h, c->changes);
    for (size_t k = 0; c->changes && k < c->changes->n; k++)
        if (c->changes->changes[k].before) hash_row(&h, c->changes->changes[k].before);
    bool ok = rsp_hash_request(&h, &c->request, d);
    if (ok) rsp_hash_id(&h, id);
    return ok;
}

static json_t *flag_counts(const rsp_published *p) {
    json_t *counts = json_object();
    for (size_t i = 0; i < rsp_published_count(p); i++)
        for (uint32_t bit = 0; bit < 32; bit++) {
            if (!(rsp_published_at(p, i)->flags & (1u << bit))) continue;
            char name[256];
            rsp_flags_text(1u << bit, name);
            json_int_t before = json_integer_value(json_object_get(counts, name));
            json_object_set_new(counts, name, json_integer(before + 1));
        }
    return counts;
}

static json_t *text_or_null(const char *s) { return s ? json_string(s) : json_null(); }

bool rsp_hash_outputs(const char *dir, rsp_hashes *h, rsp_diag *d) {
    rsp_arena *a = rsp_arena_new();
    const char **paths;
    size_t n;
    bool ok = rsp_list_files(dir, a, &paths, &n, d) && rsp_hashes_add(h, dir, paths, n, d);
    rsp_arena_free(a);
    return ok;
}

static bool list_outputs(const char *dir, const rsp_hashes *h, json_t *outputs, rsp_diag *d) {
    rsp_arena *a = rsp_arena_new();
    const char **paths;
    size_t n;
    bool ok = rsp_list_files(dir, a, &paths, &n, d);
    for (size_t k = 0; ok && k < n; k++)
        json_object_set_new(outputs, paths[k], json_string(rsp_hashes_get(h, paths[k])));
    rsp_arena_free(a);
    return ok;
}

bool rsp_manifest_write(const rsp_manifest *m, const char *dir, rsp_diag *d) {
    rsp_arena *a = rsp_arena_new();
    json_t *inputs = json_object(), *exports = json_array(), *outputs = json_object();
    for (size_t k = 0; k < m->inputs->n; k++) {
        json_object_set_new(inputs, m->inputs->name[k], json_string(m->inputs->sha256[k]));
        if (m->inputs->is_export[k]) json_array_append_new(exports, json_string(m->inputs->name[k]));
    }
    bool ok = rsp_hash_outputs(dir, m->hashes, d) && list_outputs(dir, m->hashes, outputs, d);
    json_t *root = json_object();
    json_object_set_new(root, "run", json_string(m->run));
    json_object_set_new(root, "study", json_string(m->study->id));
    json_object_set_new(root, "program", json_pack("{s:s, s:s}", "version", RSP_VERSION, "commit", RSP_COMMIT));
    json_object_set_new(root, "started", json_string(m->started));
    json_object_set_new(root, "finished", json_string(m->finished));
    json_object_set_new(root, "seed", json_integer((json_int_t) m->study->variance.seed));
    json_object_set_new(root, "status", json_integer(m->status));
    json_object_set_new(root, "content_id", json_string(m->content_id));
    json_object_set_new(root, "inputs_id", json_string(m->inputs_id));
    json_object_set_new(root, "disclosure", json_string(m->study->disclosure.digest));
    json_object_set_new(root, "releases", json_integer((json_int_t) m->releases));
    json_object_set_new(root, "previous", text_or_null(m->previous));
    json_object_set_new(root, "inputs", inputs);
    json_object_set_new(root, "exports", exports);
    json_object_set_new(root, "outputs", outputs);
    json_object_set_new(root, "rows",
                        json_pack("{s:I, s:I, s:I, s:I}", "read", (json_int_t) m->rows_read, "kept",
                                  (json_int_t) m->rows_kept, "set_aside", (json_int_t) (m->rows_read - m->rows_kept),
                                  "results", (json_int_t) rsp_published_count(m->results)));
    json_object_set_new(root, "flags", flag_counts(m->results));
    char *text = json_dumps(root, JSON_INDENT(2) | JSON_PRESERVE_ORDER);
    if (ok) ok = rsp_write_file(rsp_path_join(a, dir, "manifest.json"), text, strlen(text), d);
    free(text);
    json_decref(root);
    rsp_arena_free(a);
    return ok;
}
