/* Sums of products of columns under RSP_LANES replicates at once: what linear models and drivers are solved from. The
 * products of a row are made once; each is then multiplied by the row's weights in all lanes, six sums at a time
 * staying in registers over a block of rows. A sum runs over the rows in order, however they are cut into blocks: the bits
 * are those of sum += w * (x_a * x_b), row after row. */
#ifndef RESPONSIVE_MODEL_LANES_H
#define RESPONSIVE_MODEL_LANES_H

#include "responsive/weight.h"

/* Rows whose products and weights stay in the first cache; sums that stay in registers. */
enum { RSP_LANE_ROWS = 32, RSP_LANE_SUMS = 6 };

/* Products of p columns, the lower triangle by row, rounded up to whole groups of sums. */
static inline size_t rsp_lane_products(size_t p) {
    return (p * (p + 1) / 2 + RSP_LANE_SUMS - 1) / RSP_LANE_SUMS * RSP_LANE_SUMS;
}

/* products [n * rsp_lane_products(p)] of x [n*p] by row; what was rounded up is 0. */
void rsp_lane_multiply(const double *x, size_t n, size_t p, double *products);
/* Adds to sums [size * RSP_LANES] the products [n*size] times the weights w [n * RSP_LANES]. */
void rsp_lane_add(const double *products, size_t n, size_t size, const double *w, double *sums);

#endif
