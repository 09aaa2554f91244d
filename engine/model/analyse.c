/* Which station computes an analysis. */
#include "responsive/statistics.h"

void rsp_analyse(rsp_sample *s, const rsp_analysis *a, rsp_results *out, rsp_diag *d) {
    switch (a->kind) {
    case RSP_A_TABLE: rsp_estimate_table(s, a, out, d); break;
    case RSP_A_TEST: rsp_estimate_test(s, a, out, d); break;
    case RSP_A_SCALE: rsp_measure_scale(s, a, out, d); break;
    case RSP_A_FACTOR: rsp_measure_factor(s, a, out, d); break;
    case RSP_A_INVARIANCE: rsp_measure_invariance(s, a, out, d); break;
    case RSP_A_EXPLORATION: rsp_measure_exploration(s, a, out, d); break;
    case RSP_A_MODEL: rsp_fit_model(s, a, out, d); break;
    }
}
