/* Numbering and ordering of rows in linear time: counting sorts, and a hash table for numbers. */
#include "weight/number.h"
#include "responsive/base.h"

#include <stdlib.h>
#include <string.h>

enum { TABLE_PAIRS = 2 }; /* for a row */

/* Parts of rows to be counted and placed side by side; how many does not show, as there is one stable order. */
static size_t parts_of(size_t n_keys, size_t n) {
    size_t parts = (size_t) rsp_threads();
    return n > RSP_BLOCK && parts * n_keys <= n ? parts : 1;
}

void rsp_order_by(const int32_t *key, size_t n_keys, size_t n, uint32_t *order, uint32_t *start) {
    size_t parts = parts_of(n_keys, n);
    uint32_t *next = rsp_calloc(parts * n_keys + 1, sizeof *next), at = 0; /* counts, then places, by part */
#pragma omp parallel for schedule(static) num_threads(rsp_threads()) if (parts > 1)
    for (size_t p = 0; p < parts; p++)
        for (size_t i = n * p / parts; i < n * (p + 1) / parts; i++) next[p * n_keys + (size_t) key[i]]++;
    for (size_t k = 0; k < n_keys; k++) {
        start[k] = at;
        for (size_t p = 0; p < parts; p++) {
            uint32_t count = next[p * n_keys + k];
            next[p * n_keys + k] = at;
            at += count;
        }
    }
    start[n_keys] = at;
#pragma omp parallel for schedule(static) num_threads(rsp_threads()) if (parts > 1)
    for (size_t p = 0; p < parts; p++)
        for (size_t i = n * p / parts; i < n * (p + 1) / parts; i++)
            order[next[p * n_keys + (size_t) key[i]]++] = (uint32_t) i;
    free(next);
}

/* Few enough for a table of all pairs: those that occur are marked, and then numbered in their order. Threads look before they
 * mark: a line of the cache that nobody writes to is at hand for all. */
static size_t number_by_table(const int32_t *a, size_t na, const int32_t *b, size_t nb, size_t n, int32_t *out) {
    int32_t *number = rsp_calloc(na * nb + 1, sizeof *number), count = 0;
#pragma omp parallel for schedule(static) num_threads(rsp_threads()) if (n > RSP_BLOCK)
    for (size_t i = 0; i < n; i++) {
        int32_t *mark = &number[(size_t) a[i] * nb + (size_t) b[i]];
        if (!__atomic_load_n(mark, __ATOMIC_RELAXED)) __atomic_store_n(mark, 1, __ATOMIC_RELAXED);
    }
    for (size_t k = 0; k < na * nb; k++)
        if (number[k]) number[k] = count++;
#pragma omp parallel for schedule(static) num_threads(rsp_threads()) if (n > RSP_BLOCK)
    for (size_t i = 0; i < n; i++) out[i] = number[(size_t) a[i] * nb + (size_t) b[i]];
    free(number);
    return (size_t) count;
}

size_t rsp_number_pairs(const int32_t *a, size_t na, const int32_t *b, size_t nb, size_t n, int32_t *out) {
    if (!n) return 0;
    if (nb < TABLE_PAIRS * n / na) return number_by_table(a, na, b, nb, n, out);
    uint32_t *by_b = rsp_malloc(n * sizeof *by_b), *order = rsp_malloc(n * sizeof *order);
    uint32_t *start = rsp_malloc(((na > nb ? na : nb) + 1) * sizeof *start);
    rsp_order_by(b, nb, n, by_b, start);
    memset(start, 0, (na + 1) * sizeof *start);
    for (size_t i = 0; i < n; i++) start[a[i] + 1]++;
    for (size_t k = 0; k < na; k++) start[k + 1] += start[k];
    for (size_t k = 0; k < n; k++) order[start[a[by_b[k]]]++] = by_b[k];
    int32_t last_a = -1, last_b = -1, count = 0;
    for (size_t k = 0; k < n; k++) {
        size_t i = order[k];
        if (a[i] != last_a || b[i] != last_b) count++;
        last_a = a[i];
        last_b = b[i];
        out[i] = count - 1;
    }
    free(by_b);
    free(order);
    free(start);
    return (size_t) count;
}

size_t rsp_number_doubles(const double *x, size_t n, int32_t *out) {
    size_t size = 16;
    while (size < 2 * n) size *= 2;
    int32_t *slot = rsp_malloc(size * sizeof *slot); /* row of the first appearance, or -1 */
    memset(slot, 0xff, size * sizeof *slot);
    int32_t count = 0;
    for (size_t i = 0; i < n; i++) {
        double value = x[i] != x[i] ? __builtin_nan("") : x[i] + 0.0; /* one NaN, one zero */
        size_t k = rsp_hash64(&value, sizeof value, 0) & (size - 1);
        for (;; k = (k + 1) & (size - 1)) {
            if (slot[k] < 0) {
                slot[k] = (int32_t) i;
                out[i] = count++;
                break;
            }
            double other = x[slot[k]];
            if (other == value || (other != other && value != value)) {
                out[i] = out[slot[k]];
                break;
            }
        }
    }
    free(slot);
    return (size_t) count;
}
