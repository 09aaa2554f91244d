/* Lock, staging, publication: everything about files that must survive a crash, in one place. */
#ifndef RESPONSIVE_BATCH_PUBLISH_H
#define RESPONSIVE_BATCH_PUBLISH_H

#include "responsive/base.h"

typedef struct {
    char *study_dir; /* OUT/<study> */
    char *run;       /* name of the run */
    char *staging;   /* OUT/<study>/.staging-<run> */
    char *final;     /* OUT/<study>/<run> */
    int lock;        /* descriptor that holds the lock; -1 none */
    rsp_arena *arena;
} rsp_stage;

/* Takes the lock (RSP_ERR_LOCKED names the holder), removes what a dead run left behind, makes the staging folder. */
bool rsp_stage_open(rsp_stage *s, const char *out, const char *study, const char *run, rsp_diag *d);
/* Everything to the disk, staging renamed to the run, `latest` moved: in this order. */
bool rsp_stage_publish(rsp_stage *s, rsp_diag *d);
/* Removes all but the `keep` newest publications, never the one called `latest`; 0 keeps all. Only folders that bear a
 * run's name and hold a manifest are touched; what cannot be removed is a warning: tonight's publication stands. */
void rsp_stage_retain(rsp_stage *s, const char *latest, size_t keep, rsp_diag *d);
/* Removes the staging folder if it was not published, releases the lock. */
void rsp_stage_close(rsp_stage *s);

/* Files below dir, relative paths, sorted. The arrays live in the arena. */
bool rsp_list_files(const char *dir, rsp_arena *a, const char ***paths, size_t *n, rsp_diag *d);
bool rsp_remove_tree(const char *dir, rsp_diag *d);

#endif
