/* Which station computes an analysis, and on which data: the answers as given, or completed ones. */
#include "model/drivers.h"
#include "model/impute.h"
#include "responsive/intake.h"
#include "responsive/statistics.h"

#include <stdlib.h>

static void analyse_once(rsp_sample *s, const rsp_analysis *a, rsp_results *out, rsp_diag *d) {
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

/* Kinds that pool first within each group, then over groups, look at all completed data sets themselves: estimates of
 * groups are what Rubin's rules are for, the heterogeneity between groups is not (Burgess et al. 2013). */
static bool pools_itself(const rsp_analysis *a) {
    return a->kind == RSP_A_MODEL && (a->model.kind == RSP_POOLED_MODEL || a->model.kind == RSP_DRIVERS_MODEL);
}

size_t rsp_analysis_parts(rsp_sample *s, const rsp_analysis *a, rsp_diag *d) {
    size_t n;
    rsp_completed(s, a, &n, d);
    return pools_itself(a) ? 1 : n;
}

/* Does it use replicate weights wherever its variance is not linearised? */
static bool by_replicates(const rsp_analysis *a) {
    bool drivers = a->kind == RSP_A_MODEL && a->model.kind == RSP_DRIVERS_MODEL;
    return rsp_analysis_replicates(a) || (drivers && a->variance.method != RSP_TAYLOR);
}

void rsp_analysis_prepare(rsp_sample *s, const rsp_analysis *a, rsp_diag *d) {
    size_t n = rsp_analysis_parts(s, a, d);
    for (size_t k = 0; k < n; k++) {
        rsp_sample *of = n > 1 ? &s->imputed->samples[k] : s;
        if (by_replicates(a)) rsp_replicates_get(of, &a->variance, a->loc, d);
        rsp_estimate_prepare(of, a, d);
        if (a->kind != RSP_A_MODEL || a->model.kind != RSP_DRIVERS_MODEL) continue;
        rsp_variance_spec shares = drv_shares_variance(a);
        rsp_replicates_get(of, &shares, a->loc, d);
    }
}

void rsp_analyse_part(rsp_sample *s, const rsp_analysis *a, size_t n, size_t part, rsp_results *out, rsp_diag *d) {
    analyse_once(n > 1 ? &s->imputed->samples[part] : s, a, out, d);
}

void rsp_analyse(rsp_sample *s, const rsp_analysis *a, rsp_results *out, rsp_diag *d) {
    size_t n = rsp_analysis_parts(s, a, d);
    if (n == 1) {
        analyse_once(s, a, out, d);
        return;
    }
    rsp_results **each = rsp_malloc(n * sizeof *each);
    for (size_t k = 0; k < n; k++) {
        each[k] = rsp_results_new();
        rsp_analyse_part(s, a, n, k, each[k], d);
    }
    rsp_pool_imputations(a, (const rsp_results *const *) each, n, out);
    for (size_t k = 0; k < n; k++) rsp_results_free(each[k]);
    free(each);
}

bool rsp_analysis_replicates(const rsp_analysis *a) {
    if (a->variance.method == RSP_TAYLOR) return false;
    if (a->kind == RSP_A_TABLE) return a->table.statistic != RSP_COUNT;
    if (a->kind == RSP_A_TEST) return true;
    bool regression = a->kind == RSP_A_MODEL && a->model.kind <= RSP_MULTINOMIAL_MODEL;
    return regression && !a->model.unweighted && a->model.errors == RSP_ERRORS_DESIGN;
}
