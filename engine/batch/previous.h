/* The publication that stands before tonight's: an input like any other, and the answer to whether there is anything new.
 *
 * It is taken through `latest` while the lock is held. One that is damaged (its files are not those that its manifest
 * names) is warned of and counts as none: tonight's publication must not rest on it. */
#ifndef RESPONSIVE_BATCH_PREVIOUS_H
#define RESPONSIVE_BATCH_PREVIOUS_H

#include "batch/causes.h"

typedef struct {
    const char *link, *dir; /* `latest`, and the folder behind it */
    const char *run;        /* name of its folder; NULL: there is no previous publication */
    const char *content_id; /* "" if its manifest has none */
    const char *inputs_id;  /* see rsp_inputs_id(); "" likewise */
    size_t releases;        /* publications in the memory when it was made, it among them; 0: there was none */
    int status;             /* exit status that its run ended with: 0 or 1 */
    rsp_made_of made_of;
    rsp_published *results; /* its data/results.csv, once rsp_previous_read() has read it */
} rsp_previous;

/* Fills `p` from study_dir/latest; strings live in the arena. Files that were touched since it was published are held against
 * their hashes. */
void rsp_previous_open(rsp_previous *p, const char *study_dir, rsp_arena *a, rsp_diag *d);
/* Its results, which a night without anything new does not need; every file is held against its hash first. */
void rsp_previous_read(rsp_previous *p, rsp_arena *a, rsp_diag *d);
void rsp_previous_close(rsp_previous *p);

/* Hash of everything that a publication is made from but the previous one, file by file: program, study files, exports,
 * reports/, what was asked for, whether it is preliminary. Equal ids: nothing could come out differently. */
bool rsp_inputs_id(const rsp_request *r, char id[17], rsp_diag *d);

#endif
