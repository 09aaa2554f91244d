#include "flat.h"

#include "study/yaml.h"

#include <stdlib.h>

bool rsp_flat_load(rsp_flat *f, rsp_arena *a, const char *path, rsp_diag *d) {
    size_t before = rsp_diag_errors(d);
    const rsp_node *root = rsp_yaml_read(a, rsp_strdup(a, path), d);
    *f = (rsp_flat){.index = rsp_map_new()};
    if (root && root->kind != RSP_Y_MAP)
        rsp_report(d, RSP_ERR_STUDY, root->loc, "write one 'key: value' a line", "this file must hold keys and values");
    for (size_t k = 0; root && root->kind == RSP_Y_MAP && k < root->n; k++) {
        const rsp_node *key = root->keys[k], *value = root->items[k];
        if (value->bad) continue; /* said */
        if (value->kind != RSP_Y_SCALAR) {
            rsp_report(d, RSP_ERR_STUDY, value->loc, "values here are plain texts",
                       "a list or a mapping is not allowed here");
            continue;
        }
        rsp_map_put(f->index, key->text, f->n);
        RSP_PUSH(f->entries, f->n, f->capacity, ((rsp_flat_entry){key->text, value->text, key->loc, value->loc}));
    }
    return rsp_diag_errors(d) == before;
}

void rsp_flat_free(rsp_flat *f) {
    free(f->entries);
    rsp_map_free(f->index);
    *f = (rsp_flat){0};
}

const char *rsp_flat_get(const rsp_flat *f, const char *key) {
    size_t k = rsp_map_get(f->index, key);
    return k == RSP_NONE ? NULL : f->entries[k].value;
}
