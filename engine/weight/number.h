/* Numbering and ordering of rows in linear time. */
#ifndef RESPONSIVE_WEIGHT_NUMBER_H
#define RESPONSIVE_WEIGHT_NUMBER_H

#include <stddef.h>
#include <stdint.h>

/* Numbers the distinct pairs (a[i], b[i]), 0 <= a < na, 0 <= b < nb, in ascending order from 0 into out (may be a).
 * Linear in n + na + nb. Returns how many there are. */
size_t rsp_number_pairs(const int32_t *a, size_t na, const int32_t *b, size_t nb, size_t n, int32_t *out);
/* Numbers the distinct values of x in order of first appearance (NaNs are one value). Linear. */
size_t rsp_number_doubles(const double *x, size_t n, int32_t *out);
/* Rows in order of key (stable): order[n], start[n_keys + 1]. */
void rsp_order_by(const int32_t *key, size_t n_keys, size_t n, uint32_t *order, uint32_t *start);

#endif
