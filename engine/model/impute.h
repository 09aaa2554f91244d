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

/* Rows of the m data sets' results pooled by Rubin's rules into `out`, in the order of the first (rubin.c). */
void rsp_pool_imputations(const rsp_analysis *a, const rsp_results *const *each, size_t m, rsp_results *out);

#endif
