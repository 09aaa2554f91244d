/* `responsive diff`: what moved between two publications, and why. */
#include "batch/causes.h"
#include "batch/log.h"
#include "responsive/batch.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { SHOWN_OF_EACH_KIND = 40 };

struct side {
    const char *dir;
    json_t *manifest;
    rsp_published *results;
};

static bool open_side(struct side *x, const char *dir, rsp_arena *a, rsp_diag *d) {
    json_error_t e;
    char *path = rsp_path_join(a, dir, "manifest.json");
    *x = (struct side){.dir = dir, .manifest = json_load_file(path, JSON_REJECT_DUPLICATES, &e)};
    if (!x->manifest)
        rsp_report(d, RSP_ERR_DATA, (rsp_loc){path, e.line > 0 ? e.line : 0, e.line > 0 ? e.column : 0},
                   "name the folder of a run, e.g. out/STUDY/latest", "%s", e.text);
    else x->results = rsp_published_read_csv(rsp_path_join(a, dir, "data/results.csv"), d);
    return x->results != NULL;
}

static void close_side(struct side *x) {
    json_decref(x->manifest);
    rsp_published_free(x->results);
}

/* ---- why -------------------------------------------------------------------------------------------------------- */

static const char *text(const json_t *object, const char *key) {
    const char *t = json_string_value(json_object_get(object, key));
    return t ? t : "";
}

static void print_cause(const rsp_cause *c, FILE *to) {
    static const char *const parts[] = {[RSP_CAUSE_DATA] = "export", [RSP_CAUSE_STUDY] = "study file"};
    if (c->part == RSP_CAUSE_PROGRAM) fprintf(to, "  program %s, before %s\n", c->now, c->before);
    else fprintf(to, "  %s %s %s\n", !c->before ? "new    " : !c->now ? "gone   " : "changed", parts[c->part], c->name);
}

static void print_why(const rsp_changes *all, FILE *to) {
    fprintf(to, "why:\n");
    for (size_t k = 0; k < all->n_causes; k++) print_cause(&all->causes[k], to);
    if (all->final) fprintf(to, "  data collection has ended: results are no longer preliminary\n");
    if (!all->n_causes && !all->final) fprintf(to, "  exports, study and program are the same\n");
}

/* ---- what ------------------------------------------------------------------------------------------------------- */

static void print_name(const rsp_published_row *r, FILE *to) {
    fprintf(to, "  %s", r->analysis);
    const char *const parts[] = {r->domain, r->term, strcmp(r->statistic, "verdict") == 0 ? "" : r->level};
    for (size_t k = 0; k < sizeof parts / sizeof *parts; k++)
        if (*parts[k]) fprintf(to, " %s", parts[k]);
    fprintf(to, " %s:", r->statistic);
}

static void print_number(const rsp_published_row *r, FILE *to) {
    if (isnan(r->estimate)) fprintf(to, " -");
    else fprintf(to, " %.4g", r->estimate);
}

static void print_change(const rsp_change *c, FILE *to) {
    char flags[256];
    const rsp_published_row *x = c->before, *y = c->now;
    print_name(y ? y : x, to);
    if (c->kind == RSP_CHANGE_FLIPPED && strcmp(y->statistic, "verdict") == 0 && strcmp(x->level, y->level) != 0) {
        fprintf(to, " %s -> %s\n", x->level, y->level);
    } else if (c->kind == RSP_CHANGE_FLIPPED) {
        fprintf(to, " [%s]", rsp_flags_text(x->flags, flags));
        fprintf(to, " -> [%s]\n", rsp_flags_text(y->flags, flags));
    } else {
        if (x) print_number(x, to);
        if (x && y) fprintf(to, " ->");
        if (y) print_number(y, to);
        if (c->kind == RSP_CHANGE_MOVED) fprintf(to, " (%.1f standard errors)", c->errors);
        fprintf(to, "\n");
    }
}

static void print_kind(const rsp_changes *all, rsp_change_kind kind, const char *heading, FILE *to) {
    size_t shown = 0;
    if (all->of_kind[kind]) fprintf(to, "%s: %zu\n", heading, all->of_kind[kind]);
    for (size_t k = 0; k < all->n && shown < SHOWN_OF_EACH_KIND; k++)
        if (all->changes[k].kind == kind) {
            print_change(&all->changes[k], to);
            shown++;
        }
    if (all->of_kind[kind] > shown) fprintf(to, "  and %zu more\n", all->of_kind[kind] - shown);
}

static void print_changes(const rsp_changes *c, FILE *to) {
    print_kind(c, RSP_CHANGE_COUNTED, "respondents and weights", to);
    print_kind(c, RSP_CHANGE_FLIPPED, "verdicts and marks that flipped", to);
    print_kind(c, RSP_CHANGE_MOVED, "estimates that moved by more than their error", to);
    print_kind(c, RSP_CHANGE_ADDED, "new rows", to);
    print_kind(c, RSP_CHANGE_REMOVED, "rows that are gone", to);
    if (!c->n) fprintf(to, "nothing moved by more than its error (%zu rows compared)\n", c->compared);
}

int rsp_diff(const char *before, const char *now) {
    rsp_diag *d = rsp_diag_new();
    rsp_arena *a = rsp_arena_new();
    struct side x = {0}, y = {0};
    bool ok = open_side(&x, before, a, d);
    ok = open_side(&y, now, a, d) && ok;
    size_t changes = 0;
    if (ok) {
        rsp_changes *c = rsp_changes_find(x.results, y.results, a);
        rsp_made_of then = rsp_made_of_read(x.manifest, a), after = rsp_made_of_read(y.manifest, a);
        c->causes = rsp_causes_find(&then, &after, a, &c->n_causes);
        changes = c->n;
        printf("%s (%s) -> %s (%s)\n", text(x.manifest, "run"), text(x.manifest, "content_id"), text(y.manifest, "run"),
               text(y.manifest, "content_id"));
        print_why(c, stdout);
        print_changes(c, stdout);
    }
    rsp_diag_print(d, stderr, rsp_colour_wanted(stderr), 0);
    int status = rsp_diag_status(d);
    close_side(&x);
    close_side(&y);
    rsp_arena_free(a);
    rsp_diag_free(d);
    return status ? status : changes ? 1 : 0;
}
