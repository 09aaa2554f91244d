#ifndef RESPONSIVE_BATCH_MANIFEST_H
#define RESPONSIVE_BATCH_MANIFEST_H

#include "responsive/frame.h"
#include "responsive/results.h"

/* What makes the content of a publication: the same inputs give the same id. */
typedef struct {
    size_t n;
    const char **name; /* relative to the study folder */
    const char **sha256;
    bool *is_export; /* else a file of the study */
} rsp_inputs;

/* Study files and exports, sorted by name. */
bool rsp_inputs_collect(const rsp_study *s, const rsp_frame *f, rsp_arena *a, rsp_inputs *in, rsp_diag *d);
/* What was asked for, whatever the answers. */
typedef struct {
    const rsp_study *study;
    bool preliminary;
    size_t n_only, n_languages;
    const char *const *only, *const *languages;
} rsp_request;

/* Program and libraries by version, data of the self-test, study files, reports/, analyses, languages. */
bool rsp_hash_request(rsp_hash *h, const rsp_request *r, rsp_diag *d);
void rsp_hash_id(rsp_hash *h, char id[17]); /* the first 16 hexadecimal digits */

/* What a publication shows: the same id, the same bytes. Data count by their rows in canonical order (it does not matter
 * how they were spread over files); the publication before counts by what has changed since. */
typedef struct {
    rsp_request request;
    const rsp_frame *frame;
    const rsp_published *results;
    const rsp_changes *changes; /* NULL: there is no publication before */
} rsp_content;

bool rsp_content_id(const rsp_content *c, char id[17], rsp_diag *d);

typedef struct {
    const char *run, *started, *finished, *content_id, *inputs_id, *previous; /* previous: run or NULL */
    int status; /* that the run ends with: 0, or 1 where something needs a look */
    const rsp_study *study;
    const rsp_inputs *inputs;
    const rsp_published *results;
    size_t rows_read, rows_kept;
    size_t releases; /* publications in the memory, this one among them; 0: none is kept */
    rsp_hashes *hashes; /* of the files that are hashed already; the others are added */
} rsp_manifest;

/* Adds the files of the folder that h does not know yet. */
bool rsp_hash_outputs(const char *dir, rsp_hashes *h, rsp_diag *d);

/* Writes dir/manifest.json with a hash of every other file there is: run.log comes after it. */
bool rsp_manifest_write(const rsp_manifest *m, const char *dir, rsp_diag *d);

#endif
