#include "batch/causes.h"

#include <stdlib.h>
#include <string.h>

static const char *text_of(const json_t *object, const char *key) {
    const char *text = json_string_value(json_object_get(object, key));
    return text ? text : "";
}

static const char *program_name(rsp_arena *a, const char *version, const char *commit) {
    return *commit ? rsp_printf(a, "%s (%s)", version, commit) : rsp_strdup(a, version);
}

rsp_made_of rsp_made_of_read(const json_t *manifest, rsp_arena *a) {
    json_t *inputs = json_object_get(manifest, "inputs"), *exports = json_object_get(manifest, "exports"),
           *program = json_object_get(manifest, "program"), *hash, *one;
    size_t n = json_object_size(inputs), k = 0, j;
    rsp_made_of o = {{0, RSP_ARRAY(a, const char *, n), RSP_ARRAY(a, const char *, n), RSP_ARRAY(a, bool, n)},
                     program_name(a, text_of(program, "version"), text_of(program, "commit"))};
    const char *name;
    json_object_foreach(inputs, name, hash) {
        const char *hex = json_string_value(hash);
        o.inputs.name[k] = rsp_strdup(a, name);
        o.inputs.sha256[k] = rsp_strdup(a, hex ? hex : "");
        json_array_foreach(exports, j, one) {
            const char *of = json_string_value(one);
            o.inputs.is_export[k] |= of && strcmp(of, name) == 0;
        }
        k++;
    }
    o.inputs.n = k;
    return o;
}

rsp_made_of rsp_made_of_now(const rsp_inputs *inputs, rsp_arena *a) {
    return (rsp_made_of){*inputs, program_name(a, RSP_VERSION, RSP_COMMIT)};
}

/* ---- differences ------------------------------------------------------------------------------------------------ */

struct list {
    rsp_cause *causes;
    size_t n;
};

static rsp_map *by_name(const rsp_inputs *in) {
    rsp_map *m = rsp_map_new();
    for (size_t k = 0; k < in->n; k++) rsp_map_put(m, in->name[k], k);
    return m;
}

static void add(struct list *l, bool is_export, const char *name, const char *before, const char *now) {
    l->causes[l->n++] = (rsp_cause){is_export ? RSP_CAUSE_DATA : RSP_CAUSE_STUDY, name, before, now};
}

static void add_files(struct list *l, const rsp_inputs *before, const rsp_inputs *now) {
    rsp_map *there = by_name(before), *here = by_name(now);
    for (size_t k = 0; k < now->n; k++) {
        size_t j = rsp_map_get(there, now->name[k]);
        const char *old = j == RSP_NONE ? NULL : before->sha256[j];
        if (!old || strcmp(old, now->sha256[k]) != 0) add(l, now->is_export[k], now->name[k], old, now->sha256[k]);
    }
    for (size_t j = 0; j < before->n; j++)
        if (rsp_map_get(here, before->name[j]) == RSP_NONE)
            add(l, before->is_export[j], before->name[j], before->sha256[j], NULL);
    rsp_map_free(there);
    rsp_map_free(here);
}

static int by_part(const void *x, const void *y) {
    const rsp_cause *a = x, *b = y;
    return a->part != b->part ? (int) a->part - (int) b->part : strcmp(a->name, b->name);
}

const rsp_cause *rsp_causes_find(const rsp_made_of *before, const rsp_made_of *now, rsp_arena *a, size_t *n) {
    struct list l = {RSP_ARRAY(a, rsp_cause, before->inputs.n + now->inputs.n + 1), 0};
    add_files(&l, &before->inputs, &now->inputs);
    if (strcmp(before->program, now->program) != 0)
        l.causes[l.n++] = (rsp_cause){RSP_CAUSE_PROGRAM, "", before->program, now->program};
    if (l.n) qsort(l.causes, l.n, sizeof *l.causes, by_part);
    *n = l.n;
    return l.causes;
}
