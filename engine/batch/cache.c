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
    "rules, derivations, design, weighting, variance, disclosure or answer codes have changed",
    "its own lines in study.yaml have changed"};
static const char MAGIC[] = "responsive cache 1\n";
enum { PARTS_AT = sizeof MAGIC - 1 + 64, HEAD = PARTS_AT + N_PARTS * 64 };

struct rsp_cache {
    char *dir; /* NULL: there is none */
    const rsp_study *study;
    char program[65];
    const char *data;
    rsp_arena *arena;
};

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

/* A file is the magic line, the hash of the rest, the hashes that it depends on, the packed rows. False: it is absent or
 * damaged, as `why` says. */
static bool sound(const char *path, rsp_buf *file, const char **why) {
    rsp_diag *quiet = rsp_diag_new();
    bool ok = access(path, F_OK) == 0;
    *why = "it was not computed before";
    if (ok) {
        char hex[65] = "";
        *why = "its entry in the cache is damaged";
        ok = rsp_read_file(path, file, quiet, RSP_ERR_DATA, (rsp_loc){path, 0, 0}) && file->length > HEAD &&
             memcmp(file->data, MAGIC, sizeof MAGIC - 1) == 0;
        if (ok) hash_of(file->data + PARTS_AT, file->length - PARTS_AT, hex);
        ok = ok && memcmp(file->data + sizeof MAGIC - 1, hex, 64) == 0;
    }
    rsp_diag_free(quiet);
    return ok;
}

static bool current(const rsp_cache *c, size_t k, const char *then, const char **why) {
    const char *part[N_PARTS];
    parts_of(c, k, part);
    for (size_t j = 0; j < N_PARTS; j++) {
        if (memcmp(then + j * 64, part[j], 64) == 0) continue;
        *why = CHANGED[j];
        return false;
    }
    return true;
}

bool rsp_cache_find(rsp_cache *c, size_t k, rsp_buf *packed, const char **why) {
    *why = "there is no cache";
    if (!c->dir) return false;
    rsp_buf file = {0};
    bool found = sound(entry_path(c, k), &file, why) && current(c, k, file.data + PARTS_AT, why);
    if (found) {
        *why = "from the cache: nothing that it depends on has changed";
        rsp_buf_add(packed, file.data + HEAD, file.length - HEAD);
    }
    rsp_buf_free(&file);
    return found;
}

void rsp_cache_keep(rsp_cache *c, size_t k, const rsp_buf *packed) {
    if (!c->dir) return;
    rsp_buf payload = {0}, file = {0};
    const char *part[N_PARTS];
    char hex[65];
    parts_of(c, k, part);
    for (size_t j = 0; j < N_PARTS; j++) rsp_buf_add(&payload, part[j], 64);
    rsp_buf_add(&payload, packed->data, packed->length);
    hash_of(payload.data, payload.length, hex);
    rsp_buf_add(&file, MAGIC, sizeof MAGIC - 1);
    rsp_buf_add(&file, hex, 64);
    rsp_buf_add(&file, payload.data, payload.length);
    /* An entry that could not be written whole is one that will not be found. */
    rsp_diag *quiet = rsp_diag_new();
    unlink(entry_path(c, k)); /* what stands there may be a link */
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
