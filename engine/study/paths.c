/* Where a study's files may lie: in its folder, or where `paths: {allow: ...}` lets it read. Symbolic links are followed
 * first: exports are often dropped into a folder by others, and a link among them must not publish another file. */
#include "study/loader.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

/* Without links and points; of a file that is not there yet, that of the nearest folder above, or the root where `..`
 * stands behind what is not there. NULL: cannot be said, and cannot be opened either. To be freed. */
static char *real_place(const char *path) {
    char copy[PATH_MAX];
    if (strlen(path) >= sizeof copy) return NULL;
    strcpy(copy, path);
    for (;;) {
        char *real = realpath(copy, NULL), *slash = strrchr(copy, '/');
        if (real || errno != ENOENT || strcmp(copy, ".") == 0) return real;
        if (strcmp(slash ? slash + 1 : copy, "..") == 0) return realpath("/", NULL);
        if (!slash) strcpy(copy, ".");
        else slash[slash == copy] = '\0';
    }
}

static bool lies_in(const char *path, const char *folder) {
    size_t n = strlen(folder);
    if (n && folder[n - 1] == '/') return strncmp(path, folder, n) == 0; /* the root */
    return strncmp(path, folder, n) == 0 && (path[n] == '/' || !path[n]);
}

static bool allowed(const rsp_study *s, const char *real) {
    for (size_t k = 0; k < s->n_roots; k++)
        if (lies_in(real, s->roots[k])) return true;
    return false;
}

/* What to allow: the folder as the study names it, or where a link leads. */
static const char *folder_to_allow(const rsp_study *s, const char *path, const char *real, rsp_arena *a) {
    size_t dir = strlen(s->dir);
    const char *named = strncmp(path, s->dir, dir) == 0 && path[dir] == '/' ? path + dir + 1 : path;
    const char *from = named[0] == '/' || strncmp(named, "../", 3) == 0 ? named : real, *slash = strrchr(from, '/');
    return slash && slash != from ? rsp_strndup(a, from, (size_t) (slash - from)) : "/";
}

bool rsp_study_may_read(const rsp_study *s, const char *path, rsp_loc loc, rsp_diag *d) {
    char *real = real_place(path);
    bool may = !real || allowed(s, real);
    if (!may) {
        rsp_arena *a = rsp_arena_new();
        const char *folder = folder_to_allow(s, path, real, a);
        rsp_report(d, RSP_ERR_STUDY, loc, rsp_printf(a, "if that is meant: `paths: {allow: [%s]}`", folder),
                   "%s lies outside the study folder", strcmp(folder, "/") != 0 && folder[0] == '/' ? real : path);
        rsp_arena_free(a);
    }
    free(real);
    return may;
}

const char *rsp_named_file(rsp_loader *l, const rsp_node *file) {
    const char *path = rsp_path_join(l->a, l->s->dir, file->text);
    if (!rsp_study_may_read(l->s, path, file->loc, l->d)) return NULL;
    rsp_add_input(l, path);
    return rsp_path_plain(l->a, path);
}

const char *rsp_study_pattern(const rsp_study *s, const char *pattern, rsp_arena *a) {
    if (pattern[0] == '/') return pattern;
    rsp_buf escaped = {0};
    for (const char *c = s->dir; *c; c++) {
        if (strchr("*?[]\\", *c)) rsp_buf_putc(&escaped, '\\');
        rsp_buf_putc(&escaped, *c);
    }
    const char *whole = rsp_path_join(a, escaped.data ? escaped.data : ".", pattern);
    rsp_buf_free(&escaped);
    return whole;
}

void rsp_study_no_file(const rsp_study *s, const char *pattern, rsp_loc loc, rsp_class class, rsp_diag *d) {
    static const char seen_from[] = "paths are seen from the study folder";
    if (strpbrk(pattern, "*?[")) {
        rsp_report(d, class, loc, seen_from, "no file matches '%s'", pattern);
        return;
    }
    rsp_arena *a = rsp_arena_new();
    const char *path = rsp_path_join(a, s->dir, pattern);
    char *real = real_place(path);
    const char *near = real && allowed(s, real) ? rsp_suggest_file(a, path) : NULL;
    rsp_report(d, class, loc, near ? rsp_printf(a, "did you mean '%s'?", near) : seen_from, "there is no file '%s'",
               pattern);
    free(real);
    rsp_arena_free(a);
}

static void add_root(rsp_loader *l, const char *folder, rsp_loc loc) {
    char *real = realpath(folder, NULL);
    if (real) l->s->roots[l->s->n_roots++] = rsp_strdup(l->a, real);
    else rsp_report(l->d, RSP_NOTE, loc, NULL, "there is no folder %s to allow: %s", folder, strerror(errno));
    free(real);
}

void rsp_load_paths(rsp_loader *l) {
    const rsp_node *allow = rsp_get(rsp_get(l->root, "paths"), "allow");
    l->s->roots = RSP_ARRAY(l->a, const char *, 1 + rsp_values(allow));
    add_root(l, l->s->dir, (rsp_loc){l->s->path, 0, 0});
    for (size_t k = 0; k < rsp_values(allow); k++) {
        const rsp_node *folder = rsp_value_at(allow, k);
        if (!folder->bad) add_root(l, rsp_path_join(l->a, l->s->dir, folder->text), folder->loc);
    }
}
