/* Multiple imputation: missing answers completed several times, results pooled. */
#ifndef RESPONSIVE_MODEL_IMPUTE_H
#define RESPONSIVE_MODEL_IMPUTE_H

#include "responsive/statistics.h"

/* The completed data sets of the study's `imputation`: the sample with other answers in the imputed variables and in what
 * is derived from them; design and weights are the same. Made at the first call; live as long as the sample. */
typedef struct rsp_imputations {
    size_t m;
    rsp_sample *samples; /* [m] */
    bool *changed;       /* [variables] imputed, or derived from what was */
    size_t n_cells;      /* completed in each */
} rsp_imputations;

const rsp_imputations *rsp_impute(rsp_sample *s, rsp_diag *d);

/* The samples that an analysis is to look at: the n completed ones where it is to be imputed and uses what was completed,
 * else the sample itself, n = 1. Borrowed. */
rsp_sample *rsp_completed(rsp_sample *s, const rsp_analysis *a, size_t *n, rsp_diag *d);

#endif
