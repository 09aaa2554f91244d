#include "batch/cache.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* What an entry depends on, in the order in which a change is named. */
enum { PROGRAM, DATA, SHARED, OWN, N_PARTS };
static const char *const CHANGED[N_PARTS] = {
    "the program is another", "the data have changed",
    "rules, derivations, design, weighting, variance or answer codes have changed",
    "its own lines in study.yaml have changed"};
static const char MAGIC[] = "responsive cache 1\n";

struct rsp_cache {
    char *dir; /* NULL: there is none */
    const rsp_study *study;
    char program[65];
    const char *data;
    rsp_arena *arena;
};

/* ---- bytes ------------------------------------------------------------------------------------------------------ */

static void put(rsp_buf *b, const void *bytes, size_t n) { rsp_buf_add(b, bytes, n); }

static void put_text(rsp_buf *b, const char *s) {
    uint32_t length = s ? (uint32_t) strlen(s) : UINT32_MAX;
    put(b, &length, sizeof length);
    if (s) put(b, s, length);
}

struct bytes {
    const char *at, *end;
    bool short_; /* read beyond the end */
};

static void get(struct bytes *b, void *into, size_t n) {
    if ((size_t) (b->end - b->at) < n) b->short_ = true;
    if (b->short_) memset(into, 0, n);
    else memcpy(into, b->at, n);
    if (!b->short_) b->at += n;
}

static const char *get_text(struct bytes *b, rsp_arena *a) {
    uint32_t length;
    get(b, &length, sizeof length);
    if (b->short_ || length == UINT32_MAX) return NULL;
    if ((size_t) (b->end - b->at) < length) {
        b->short_ = true;
        return NULL;
    }
    b->at += length;
    return rsp_strndup(a, b->at - length, length);
}

/* ---- rows ------------------------------------------------------------------------------------------------------- */

enum { N_DOUBLES = 13, N_COUNTS = 4 };

static double *number(rsp_row *r, size_t k) {
    double *all[N_DOUBLES] = {&r->estimate, &r->se, &r->df,    &r->df1,  &r->lower,   &r->upper, &r->p,
                              &r->p_adj,    &r->n,  &r->n_eff, &r->deff, &r->largest, &r->second};
    return all[k];
}

static int64_t *count(rsp_row *r, size_t k) {
    int64_t *all[N_COUNTS] = {&r->base, &r->cell, &r->organisations, &r->tail};
    return all[k];
}

static void put_row(rsp_buf *b, rsp_row r) {
    const char *const texts[] = {r.analysis, r.domain, r.term, r.level, r.statistic, r.sides[0], r.sides[1]};
    for (size_t k = 0; k < sizeof texts / sizeof *texts; k++) put_text(b, texts[k]);
    for (size_t k = 0; k < N_DOUBLES; k++) put(b, number(&r, k), sizeof(double));
    for (size_t k = 0; k < N_COUNTS; k++) put(b, count(&r, k), sizeof(int64_t));
    put(b, &r.flags, sizeof r.flags);
}

static void get_row(struct bytes *b, rsp_results *into) {
    const char *texts[7];
    for (size_t k = 0; k < 7; k++) texts[k] = get_text(b, into->arena);
    rsp_row *r = rsp_results_add(into, texts[0], texts[1], texts[2], texts[3], texts[4] ? texts[4] : "");
    r->sides[0] = texts[5];
    r->sides[1] = texts[6];
    for (size_t k = 0; k < N_DOUBLES; k++) get(b, number(r, k), sizeof(double));
    for (size_t k = 0; k < N_COUNTS; k++) get(b, count(r, k), sizeof(int64_t));
    get(b, &r->flags, sizeof r->flags);
}

/* Lines are counted from the analysis' own, which may have moved in the file. */
static void put_entry(rsp_buf *b, const rsp_diagnostic *e, const rsp_analysis *a) {
    bool own = e->loc.file && strcmp(e->loc.file, a->loc.file) == 0;
    int32_t line = e->loc.line - (own ? a->loc.line : 0), numbers[] = {e->class, own, line, e->loc.column};
    put(b, numbers, sizeof numbers);
    put_text(b, own ? NULL : e->loc.file);
    put_text(b, e->message);
    put_text(b, e->hint);
}

static void get_entry(struct bytes *b, const rsp_analysis *a, rsp_arena *arena, rsp_diag *d) {
    int32_t numbers[4];
    get(b, numbers, sizeof numbers);
    const char *file = get_text(b, arena), *message = get_text(b, arena), *hint = get_text(b, arena);
    rsp_loc loc = {numbers[1] ? a->loc.file : file, numbers[2] + (numbers[1] ? a->loc.line : 0), numbers[3]};
    if (message) rsp_report(d, numbers[0], loc, hint, "%s", message);
}

/* ---- entries ---------------------------------------------------------------------------------------------------- */

/* Scales may share an id: which of them it is stands behind it. */
static char *entry_path(const rsp_cache *c, size_t k) {
    size_t same = 0;
    for (size_t j = 0; j < k; j++) same += strcmp(c->study->analyses[j].id, c->study->analyses[k].id) == 0;
    return rsp_printf(c->arena, "%s/%s.%zu", c->dir, c->study->analyses[k].id, same);
}

static void parts_of(const rsp_cache *c, size_t k, const char *part[N_PARTS]) {
    part[PROGRAM] = c->program;
    part[DATA] = c->data;
    part[SHARED] = c->study->digest;
    part[OWN] = c->study->analyses[k].refers ? c->study->analyses_digest : c->study->analyses[k].digest;
}

static void hash_of(const char *bytes, size_t n, char hex[65]) {
    rsp_hash h;
    rsp_hash_init(&h);
    rsp_hash_add(&h, bytes, n);
    rsp_hash_hex(&h, hex);
}

/* The payload of a sound file; false: absent or damaged, as `why` says. */
static bool sound(const char *path, rsp_buf *file, struct bytes *b, const char **why) {
    rsp_diag *quiet = rsp_diag_new();
    bool ok = access(path, F_OK) == 0;
    *why = "it was not computed before";
    if (ok) {
        size_t head = sizeof MAGIC - 1 + 64;
        char hex[65];
        *why = "its entry in the cache is damaged";
        ok = rsp_read_file(path, file, quiet, RSP_ERR_DATA, (rsp_loc){path, 0, 0}) && file->length > head &&
             memcmp(file->data, MAGIC, sizeof MAGIC - 1) == 0;
        if (ok) hash_of(file->data + head, file->length - head, hex);
        ok = ok && memcmp(file->data + sizeof MAGIC - 1, hex, 64) == 0;
        if (ok) *b = (struct bytes){file->data + head, file->data + file->length, false};
    }
    rsp_diag_free(quiet);
    return ok;
}

static bool current(rsp_cache *c, size_t k, struct bytes *b, const char **why) {
    const char *part[N_PARTS];
    parts_of(c, k, part);
    bool same = true;
    for (size_t j = 0; j < N_PARTS; j++) {
        const char *then = get_text(b, c->arena);
        if (same && (!then || strcmp(then, part[j]) != 0)) *why = CHANGED[j];
        same = same && then && strcmp(then, part[j]) == 0;
    }
    return same;
}

bool rsp_cache_find(rsp_cache *c, size_t k, rsp_results *into, rsp_diag *d, const char **why) {
    *why = "there is no cache";
    if (!c->dir) return false;
    rsp_buf file = {0};
    struct bytes b;
    bool found = sound(entry_path(c, k), &file, &b, why) && current(c, k, &b, why);
    if (found) {
        uint64_t rows, entries;
        *why = "from the cache: nothing that it depends on has changed";
        get(&b, &rows, sizeof rows);
        for (uint64_t j = 0; j < rows && !b.short_; j++) get_row(&b, into);
        get(&b, &entries, sizeof entries);
        for (uint64_t j = 0; j < entries && !b.short_; j++) get_entry(&b, &c->study->analyses[k], c->study->arena, d);
    }
    rsp_buf_free(&file);
    return found;
}

void rsp_cache_keep(rsp_cache *c, size_t k, const rsp_results *out, size_t from, rsp_diag *said) {
    if (!c->dir) return;
    rsp_buf payload = {0}, file = {0};
    const char *part[N_PARTS];
    uint64_t rows = out->n - from, entries = rsp_diag_count(said);
    char hex[65];
    parts_of(c, k, part);
    for (size_t j = 0; j < N_PARTS; j++) put_text(&payload, part[j]);
    put(&payload, &rows, sizeof rows);
    for (size_t j = from; j < out->n; j++) put_row(&payload, out->rows[j]);
    put(&payload, &entries, sizeof entries);
    for (size_t j = 0; j < entries; j++) put_entry(&payload, rsp_diag_at(said, j), &c->study->analyses[k]);
    hash_of(payload.data, payload.length, hex);
    put(&file, MAGIC, sizeof MAGIC - 1);
    put(&file, hex, 64);
    put(&file, payload.data, payload.length);
    /* An entry that could not be written whole is one that will not be found. */
    rsp_diag *quiet = rsp_diag_new();
    rsp_write_file(entry_path(c, k), file.data, file.length, quiet);
    rsp_diag_free(quiet);
    rsp_buf_free(&payload);
    rsp_buf_free(&file);
}

/* ---- opening ---------------------------------------------------------------------------------------------------- */

/* The program's own bytes: a version alone does not tell a build from the next. */
static void hash_program(char hex[65]) {
    char file[65] = "";
    rsp_hash h;
    rsp_hash_init(&h);
    rsp_hash_str(&h, RSP_VERSION);
    rsp_hash_str(&h, rsp_hash_file("/proc/self/exe", file) ? file : RSP_COMMIT);
    rsp_hash_hex(&h, hex);
}

rsp_cache *rsp_cache_open(const char *study_dir, const rsp_frame *f) {
    rsp_arena *a = rsp_arena_new();
    rsp_cache *c = RSP_NEW(a, rsp_cache);
    struct stat st;
    *c = (rsp_cache){.study = f->study, .data = f->content, .arena = a};
    char *dir = rsp_path_join(a, study_dir, ".cache");
    hash_program(c->program);
    if (mkdir(dir, 0700) == 0 || (lstat(dir, &st) == 0 && S_ISDIR(st.st_mode) && chmod(dir, 0700) == 0)) c->dir = dir;
    return c;
}

void rsp_cache_close(rsp_cache *c) {
    if (c) rsp_arena_free(c->arena);
}
