/* The analyses of a night: from the cache, or computed, by one process or dealt out over several. */
#ifndef RESPONSIVE_BATCH_ANALYSES_H
#define RESPONSIVE_BATCH_ANALYSES_H

#include "batch/log.h"
#include "responsive/statistics.h"

typedef struct {
    rsp_sample *sample;
    const rsp_study *study;
    const bool *wanted;    /* per analysis */
    const char *study_dir; /* OUT/<study>, for the cache; NULL on ranks that only compute */
    rsp_log *log;
} rsp_analyses;

/* Appends rows in the order of the study; on ranks other than 0 nothing is appended. False: an analysis reported an error. */
bool rsp_analyses_run(const rsp_analyses *x, rsp_results *into, rsp_diag *d);

#endif
