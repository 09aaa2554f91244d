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

/* Appends the rows of analysis k and reports again what was reported when they were computed. `why` is one sentence: that it
 * was found, or what has changed; it lives as long as the cache. */
bool rsp_cache_find(rsp_cache *c, size_t k, rsp_results *into, rsp_diag *d, const char **why);
/* Keeps rows [from, out->n) and the entries of `said` as those of analysis k. */
void rsp_cache_keep(rsp_cache *c, size_t k, const rsp_results *out, size_t from, rsp_diag *said);

#endif
