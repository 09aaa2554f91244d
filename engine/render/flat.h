/* Flat YAML files of the renderers (`key: value`, values are scalars): message catalogues and the theme. */
#ifndef RESPONSIVE_RENDER_FLAT_H
#define RESPONSIVE_RENDER_FLAT_H

#include "responsive/base.h"

typedef struct {
    const char *key, *value;
    rsp_loc key_loc, value_loc;
} rsp_flat_entry;

typedef struct {
    size_t n, capacity;
    rsp_flat_entry *entries; /* in the order of the file; heap, see rsp_flat_free */
    rsp_map *index;          /* key -> entry */
} rsp_flat;

/* Every fault (not a flat mapping, duplicate key, syntax) is reported; false if there was one. Strings live in `a`,
 * and what was read must be freed in either case. */
bool rsp_flat_load(rsp_flat *f, rsp_arena *a, const char *path, rsp_diag *d);
void rsp_flat_free(rsp_flat *f);
const char *rsp_flat_get(const rsp_flat *f, const char *key); /* NULL if absent */

#endif
