/* Correlations, parallel analysis and exploratory factors. */
#include "responsive/statistics.h"

void rsp_measure_exploration(rsp_sample *s, const rsp_analysis *a, rsp_results *out, rsp_diag *d) {
    (void) s, (void) a, (void) out, (void) d;
}
