#ifndef RESPONSIVE_BATCH_MANIFEST_H
#define RESPONSIVE_BATCH_MANIFEST_H

#include "responsive/frame.h"
#include "responsive/results.h"

/* What makes the content of a publication: the same inputs give the same id. */
typedef struct {
    size_t n;
    const char **name; /* relative to the study folder */
    const char **sha256;
} rsp_inputs;

/* Study files and exports, sorted by name. */
bool rsp_inputs_collect(const rsp_study *s, const rsp_frame *f, rsp_arena *a, rsp_inputs *in, rsp_diag *d);
/* Hash of data (rows in canonical order: it does not matter how they were spread over files), study, program, what was
 * asked for and whether it is preliminary: 16 hexadecimal digits. */
bool rsp_content_id(const rsp_study *s, const rsp_frame *f, bool preliminary, size_t n_only, const char *const *only,
                    size_t n_languages, const char *const *languages, char id[17], rsp_diag *d);

typedef struct {
    const char *run, *started, *finished, *content_id, *previous; /* previous: run or NULL */
    const rsp_study *study;
    const rsp_inputs *inputs;
    const rsp_published *results;
    size_t rows_read, rows_kept;
} rsp_manifest;

/* Writes dir/manifest.json with a hash of every other file but run.log. */
bool rsp_manifest_write(const rsp_manifest *m, const char *dir, rsp_diag *d);

#endif
