#ifndef RESPONSIVE_MEASURE_CORRELATION_H
#define RESPONSIVE_MEASURE_CORRELATION_H

#include "responsive/statistics.h"

/* Correlations of all pairs of items, of everybody and by domain. */
void rsp_measure_correlations(const rsp_sample *s, const rsp_analysis *a, rsp_results *out, rsp_diag *d);

#endif
