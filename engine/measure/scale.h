#ifndef RESPONSIVE_MEASURE_SCALE_H
#define RESPONSIVE_MEASURE_SCALE_H

#include "responsive/statistics.h"

/* ICC(1) and ICC(2) of the scale's mean and r_wg(j) of its items within the units that `agreement` names. */
void rsp_measure_agreement(const rsp_sample *s, const rsp_analysis *a, rsp_results *out);

#endif
