/* What a publication was made of, and in what that differs from another's: why their numbers may differ. */
#ifndef RESPONSIVE_BATCH_CAUSES_H
#define RESPONSIVE_BATCH_CAUSES_H

#include "batch/manifest.h"

#include <jansson.h>

typedef struct {
    rsp_inputs inputs;
    const char *program; /* version and commit */
} rsp_made_of;

/* From a manifest; what it does not say is empty. Strings of the arena. */
rsp_made_of rsp_made_of_read(const json_t *manifest, rsp_arena *a);
/* Of tonight's run. */
rsp_made_of rsp_made_of_now(const rsp_inputs *inputs, rsp_arena *a);
/* Exports, then files of the study, both by name, then the program. Borrows strings of both. */
const rsp_cause *rsp_causes_find(const rsp_made_of *before, const rsp_made_of *now, rsp_arena *a, size_t *n);

#endif
