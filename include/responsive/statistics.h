/* The stations that compute: each takes the sample and writes rows to the results table. Where a result cannot be had
 * (empty domain, separation, collinearity) the row stands with a flag and without the numbers that make no sense. */
#ifndef RESPONSIVE_STATISTICS_H
#define RESPONSIVE_STATISTICS_H

#include "responsive/results.h"
#include "responsive/weight.h"

/* analysis `weights`: deff_kish, weight_min, weight_max, n_eff, margin_gap by group */
void rsp_report_weights(rsp_sample *s, rsp_results *out);

/* One analysis each, rows in the order: crossing, domain, item, level, statistic. */
void rsp_estimate_table(rsp_sample *s, const rsp_analysis *a, rsp_results *out, rsp_diag *d);
void rsp_estimate_test(rsp_sample *s, const rsp_analysis *a, rsp_results *out, rsp_diag *d);
void rsp_measure_scale(rsp_sample *s, const rsp_analysis *a, rsp_results *out, rsp_diag *d);
void rsp_measure_factor(rsp_sample *s, const rsp_analysis *a, rsp_results *out, rsp_diag *d);
void rsp_measure_invariance(rsp_sample *s, const rsp_analysis *a, rsp_results *out, rsp_diag *d);
void rsp_measure_exploration(rsp_sample *s, const rsp_analysis *a, rsp_results *out, rsp_diag *d);
void rsp_fit_model(rsp_sample *s, const rsp_analysis *a, rsp_results *out, rsp_diag *d);

/* The one that the analysis' kind asks for. */
void rsp_analyse(rsp_sample *s, const rsp_analysis *a, rsp_results *out, rsp_diag *d);

#endif
