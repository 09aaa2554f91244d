/* Forgetting a respondent: caches go, the memory of publications and later runs leave the row out. Publications are whole or
 * not at all: those that stand are not changed but named, with what replaces them. */
#include "batch/log.h"
#include "batch/publish.h"
#include "batch/sealed.h"
#include "responsive/batch.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct forgetting {
    const rsp_study *study;
    const char *study_dir;
    char pseudonym[24];
    uint64_t person;
    bool
        known; /* to the list of forgotten, the memory, an export or a cleaning log: the key's owner may read them all */
    unsigned char key[RSP_KEY_BYTES];
    rsp_arena *arena;
    rsp_diag *d;
};

static bool in_exports(const struct forgetting *f) {
    rsp_diag *quiet = rsp_diag_new(); /* exports that cannot be read hold nobody */
    rsp_frame *x = rsp_intake(f->study, quiet);
    bool found = false;
    for (size_t i = 0; x && !found && i < x->n; i++) found = rsp_person(x, i, f->key) == f->person;
    rsp_frame_free(x);
    rsp_diag_free(quiet);
    return found;
}

/* The respondent's own mark in the memory; what publications told of domains stays, as readers keep that, too. */
static bool leave_memory(struct forgetting *f) {
    if (access(rsp_path_join(f->arena, f->study_dir, ".memory"), F_OK) != 0) return true;
    rsp_memory *m = rsp_memory_open(f->study_dir, f->study, f->key, 0, f->d);
    bool marked = m && rsp_memory_forget(m, f->person);
    bool good = m && (!marked || rsp_memory_save(m, f->study_dir, f->key, f->d));
    f->known |= marked;
    rsp_memory_free(m);
    return good;
}

static bool names_respondent(const struct forgetting *f, const char *run) {
    rsp_buf log = {0};
    rsp_diag *quiet = rsp_diag_new();
    char *path = rsp_printf(f->arena, "%s/%s/quality/cleaning.csv", f->study_dir, run);
    bool found = access(path, F_OK) == 0 && rsp_read_file(path, &log, quiet, RSP_ERR_DATA, (rsp_loc){path, 0, 0}) &&
                 log.length && strstr(log.data, f->pseudonym);
    rsp_diag_free(quiet);
    rsp_buf_free(&log);
    return found;
}

static int compare_names(const void *a, const void *b) {
    return strcmp(*(const char *const *) a, *(const char *const *) b);
}

/* Publications that stand, in words; the ones whose cleaning log names the respondent are marked. */
static void list_publications(struct forgetting *f, rsp_buf *list) {
    DIR *handle = opendir(f->study_dir);
    const char **runs = NULL;
    size_t n = 0, capacity = 0;
    for (struct dirent *e; handle && (e = readdir(handle));)
        if (e->d_name[0] != '.' && strcmp(e->d_name, "latest") != 0 &&
            access(rsp_printf(f->arena, "%s/%s/manifest.json", f->study_dir, e->d_name), F_OK) == 0)
            RSP_PUSH(runs, n, capacity, rsp_strdup(f->arena, e->d_name));
    if (handle) closedir(handle);
    if (n) qsort(runs, n, sizeof *runs, compare_names);
    for (size_t k = 0; k < n; k++) {
        bool named = names_respondent(f, runs[k]);
        f->known |= named;
        rsp_buf_printf(list, "  %s/%s%s\n", f->study_dir, runs[k],
                       named ? ": its quality/cleaning.csv names the pseudonym" : "");
    }
    if (!n) rsp_buf_puts(list, "  none\n");
    free(runs);
}

static void list_exports(const struct forgetting *f) {
    const char **paths, **names;
    size_t n;
    rsp_diag *quiet = rsp_diag_new(); /* exports that cannot be read hold nobody */
    if (rsp_source_files(f->study, f->arena, &paths, &names, &n, quiet))
        for (size_t k = 0; k < n; k++) printf("  %s\n", paths[k]);
    rsp_diag_free(quiet);
}

/* Only of a respondent who is known can it be said that answers and publications hold something. */
static void say(struct forgetting *f, const char *dir) {
    rsp_buf publications = {0};
    list_publications(f, &publications);
    if (f->known) {
        printf("%s is forgotten: later runs set the row aside, caches are removed.\n", f->pseudonym);
        printf("Exports may still hold the answers; remove the row there:\n");
        list_exports(f);
        printf("Publications made so far may count the respondent; remove those that must go:\n%s", publications.data);
        printf("Then: responsive run %s. A publication that would differ by one respondent alone waits until more have "
               "changed.\n",
               dir);
    } else {
        rsp_report(f->d, RSP_WARNING, (rsp_loc){f->study->path, 0, 0},
                   "is the id written as in the exports? The pseudonym stays on the list, for a row that comes later",
                   "nobody is known as %s: neither the exports nor earlier publications count such a respondent",
                   f->pseudonym);
    }
    rsp_buf_free(&publications);
}

static bool forget(struct forgetting *f, const char *id, const char *out) {
    if (f->study->roles.id == RSP_NONE) {
        rsp_report(f->d, RSP_ERR_STUDY, (rsp_loc){f->study->path, 0, 0}, "name the variable under `roles: {id: ...}`",
                   "the study has no ids of respondents: remove the row from the exports");
        return false;
    }
    if (!rsp_pseudonym_key(f->study, f->key, f->d)) return false;
    if (rsp_pseudonym_number(id, &f->person)) snprintf(f->pseudonym, sizeof f->pseudonym, "%s", id);
    else rsp_pseudonym(f->key, f->study->id, id, f->pseudonym);
    rsp_pseudonym_number(f->pseudonym, &f->person);
    if (!rsp_forgotten_add(f->study, f->pseudonym, &f->known, f->d)) return false;
    f->known |= in_exports(f);
    f->study_dir = rsp_printf(f->arena, "%s/%s", out, f->study->id);
    if (access(f->study_dir, F_OK) != 0) return true;
    rsp_stage stage;
    bool good = rsp_stage_open(&stage, out, f->study->id, "forget", f->d) &&
                rsp_remove_tree(rsp_path_join(f->arena, f->study_dir, ".cache"), f->d) && leave_memory(f);
    rsp_stage_close(&stage);
    return good;
}

int rsp_forget(const char *dir, const char *id, const char *out) {
    struct forgetting f = {.arena = rsp_arena_new(), .d = rsp_diag_new()};
    rsp_study *s = rsp_study_load(dir, f.d);
    f.study = s;
    if (s && !rsp_diag_errors(f.d) && forget(&f, id, out)) say(&f, dir);
    rsp_diag_print(f.d, stderr, rsp_colour_wanted(stderr), 0);
    int status = rsp_diag_status(f.d);
    rsp_study_free(s);
    rsp_diag_free(f.d);
    rsp_arena_free(f.arena);
    return status;
}
