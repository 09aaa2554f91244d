/* Exploratory factors of a correlation matrix: extraction, rotation, how many. Arrays in, arrays out; matrices by row. */
#ifndef RESPONSIVE_MEASURE_EXPLORE_H
#define RESPONSIVE_MEASURE_EXPLORE_H

#include "responsive/base.h"

/* Eigenvalues of a symmetric matrix, falling; vectors [p*p] (column j belongs to value j) unless NULL. False: no numbers. */
bool rsp_eigen(const double *matrix, size_t p, double *value, double *vectors);

/* The 95th percentile of each eigenvalue of correlation matrices of n independent normal answers to p items (Horn 1965;
 * Glorfeld 1995). Replicate k has stream k of the seed. */
void rsp_random_eigenvalues(size_t n, size_t p, size_t replicates, uint64_t seed, double *value);

typedef struct {
    bool converged, heywood; /* heywood: a uniqueness at its lower bound of 0.005 */
    size_t iterations;
} rsp_extraction;

/* m factors [p*m] by minimum residuals or maximum likelihood: Joereskog's (1967) function of the uniquenesses alone. */
rsp_extraction rsp_extract(const double *r, size_t p, size_t m, bool ml, double *loading);

/* Gradient projection (Bernaards and Jennrich 2005) on loadings [p*m], in place. phi [m*m]: correlations of factors. False
 * if it has not settled. */
bool rsp_rotate_varimax(size_t p, size_t m, double *loading);              /* with Kaiser's normalisation */
bool rsp_rotate_oblimin(size_t p, size_t m, double *loading, double *phi); /* gamma 0 (quartimin) */

#endif
