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
/* Makes what this table shares with others, so that they find it inside a parallel region. */
void rsp_estimate_prepare(rsp_sample *s, const rsp_analysis *a, rsp_diag *d);
void rsp_estimate_test(rsp_sample *s, const rsp_analysis *a, rsp_results *out, rsp_diag *d);
void rsp_measure_scale(rsp_sample *s, const rsp_analysis *a, rsp_results *out, rsp_diag *d);
void rsp_measure_factor(rsp_sample *s, const rsp_analysis *a, rsp_results *out, rsp_diag *d);
void rsp_measure_invariance(rsp_sample *s, const rsp_analysis *a, rsp_results *out, rsp_diag *d);
void rsp_measure_exploration(rsp_sample *s, const rsp_analysis *a, rsp_results *out, rsp_diag *d);
void rsp_fit_model(rsp_sample *s, const rsp_analysis *a, rsp_results *out, rsp_diag *d);

/* What verdicts on comparability mean for the other rows, once all analyses have been made.
 *
 * First the verdicts of kind invariance: one of the previous publication (NULL: there is none) stays where tonight's
 * differs from it only by what cut-offs moved by the margin would give; `final` (the freeze date has passed) makes
 * tonight's count. `verdict` is what counts, `verdict_computed` what tonight's data alone say.
 * Then, for each scale that is not comparable by a variable: rows that compare groups of that variable by a score which
 * two or more of the scale's items feed, in crossings, differences, tests, coefficients, pooled models and drivers, are
 * flagged not_comparable; verdicts and roles of such factors lose their level. */
void rsp_settle_comparability(const rsp_study *s, const rsp_published *previous, bool final, rsp_results *out);

/* Makes what several analyses use (completed data, replicate weights) and keeps it with the sample. Analyses that have been
 * prepared may be made at the same time by several threads. */
void rsp_analysis_prepare(rsp_sample *s, const rsp_analysis *a, rsp_diag *d);

/* The one that the analysis' kind asks for. */
void rsp_analyse(rsp_sample *s, const rsp_analysis *a, rsp_results *out, rsp_diag *d);

/* The same in parts that can be made apart: one, or one for each completed data set (made at the first call), whose rows
 * rsp_pool_imputations makes one. */
size_t rsp_analysis_parts(rsp_sample *s, const rsp_analysis *a, rsp_diag *d);
void rsp_analyse_part(rsp_sample *s, const rsp_analysis *a, size_t n, size_t part, rsp_results *out, rsp_diag *d);
/* Rows of the n parts pooled by Rubin's rules into `out`, in the order of the first. */
void rsp_pool_imputations(const rsp_analysis *a, const rsp_results *const *each, size_t n, rsp_results *out);
/* Is most of its work made once for each replicate, so that several processes may share it? */
bool rsp_analysis_replicates(const rsp_analysis *a);

#endif
