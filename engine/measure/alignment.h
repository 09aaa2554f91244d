/* Alignment of many groups (Asparouhov and Muthen 2014): factor means and variances that make as many loadings and
 * intercepts as alike as can be, without asking any of them to be equal. Arrays in, arrays out. */
#ifndef RESPONSIVE_MEASURE_ALIGNMENT_H
#define RESPONSIVE_MEASURE_ALIGNMENT_H

#include "responsive/base.h"

/* One factor in each group by itself, its mean 0 and its variance 1: loading[g * p + i], intercept[g * p + i]. */
typedef struct {
    size_t n_groups, p;
    const double *n; /* [n_groups] respondents */
    const double *loading, *intercept;
} rsp_unaligned;

/* mean[g], sd[g] of the factor in units of the first group's: mean 0, standard deviation 1 there. False when no minimum
 * was reached within the steps allowed. *loss: the simplicity function at its minimum, the product of variances being 1. */
bool rsp_align(const rsp_unaligned *u, double *mean, double *sd, double *loss);

/* Loadings and intercepts on the common metric: lambda / sd, nu - lambda mean / sd. Arrays [n_groups * p]. */
void rsp_aligned(const rsp_unaligned *u, const double *mean, const double *sd, double *loading, double *intercept);

/* Which groups share a parameter: estimates and standard errors of n groups, independent of one another. same[g] is true
 * for the groups of the largest set whose values do not differ. Rule of Asparouhov and Muthen (2014): start from the
 * largest set linked by differences with p above 0.01; then, until nothing changes, groups whose value differs from the
 * mean of the set (weighted by respondents) with p below 0.001 are out and the others in. */
void rsp_invariant_set(size_t n, const double *estimate, const double *se, const double *weight, bool *same);

#endif
