/* Rows of analyses from earlier nights, so that what nothing has changed for is not computed again.
 *
 * OUT/<study>/.cache holds one file an analysis (mode 0600 in a folder of mode 0700: rows are those before disclosure
 * control, though no respondent's). An entry counts if program, data, what all analyses share (rules, derivations, design,
 * weighting, variance) and the analysis' own lines are what they were, by hash. One that is damaged counts as absent. */
#ifndef RESPONSIVE_BATCH_CACHE_H
#define RESPONSIVE_BATCH_CACHE_H

#include "responsive/frame.h"
#include "responsive/results.h"

typedef struct rsp_cache rsp_cache;

/* Never fails: where the folder cannot be made or read, nothing is found and nothing is kept. */
rsp_cache *rsp_cache_open(const char *study_dir, const rsp_frame *f);
void rsp_cache_close(rsp_cache *c);

/* The packed rows of analysis k (see pack.h). `why` is one sentence: that it was found, or what has changed. */
bool rsp_cache_find(rsp_cache *c, size_t k, rsp_buf *packed, const char **why);
void rsp_cache_keep(rsp_cache *c, size_t k, const rsp_buf *packed);

#endif
