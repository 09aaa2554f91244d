/* Rubin's rules for one number: m completed data sets' estimates and variances become one. */
#ifndef RESPONSIVE_MODEL_RUBIN_H
#define RESPONSIVE_MODEL_RUBIN_H

#include <stddef.h>

typedef struct {
    double estimate, within, between, total; /* total: within + (1 + 1/m) between, the variance */
    double df, fmi;                          /* df NaN: infinite; fmi: share of uncertainty due to missing answers */
} rsp_rubin;

/* q, u [m]: estimates and their variances; df of the complete data, NaN: infinite. */
rsp_rubin rsp_rubin_pool(const double *q, const double *u, size_t m, double complete);

/* D2 of Li, Meng, Raghunathan and Rubin (1991), formulas 2.1 to 2.3, of m chi-squares on k degrees of freedom: F on k and
 * *df, at most `complete` (NaN: infinite). */
double rsp_rubin_d2(const double *chisq, size_t m, double k, double complete, double *df);

#endif
