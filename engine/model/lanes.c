#include "model/lanes.h"

#include "base/vector.h"

/* Half of the lanes: one of the widest registers, or several of narrower ones. */
typedef double half __attribute__((vector_size(RSP_LANES / 2 * sizeof(double)), aligned(8), may_alias));

RSP_WIDE
void rsp_lane_multiply(const double *x, size_t n, size_t p, double *products) {
    size_t triangle = p * (p + 1) / 2, size = rsp_lane_products(p);
    for (size_t i = 0; i < n; i++, x += p, products += size) {
        double *restrict to = products;
        for (size_t a = 0; a < p; to += ++a)
            for (size_t b = 0; b <= a; b++) to[b] = x[a] * x[b];
        for (size_t s = triangle; s < size; s++) products[s] = 0;
    }
}

RSP_WIDE
void rsp_lane_add(const double *products, size_t n, size_t size, const double *w, double *sums) {
    for (size_t s = 0; s < size; s += RSP_LANE_SUMS, products += RSP_LANE_SUMS) {
        half *to = (half *) (sums + s * RSP_LANES);
        half a0 = to[0], b0 = to[1], a1 = to[2], b1 = to[3], a2 = to[4], b2 = to[5];
        half a3 = to[6], b3 = to[7], a4 = to[8], b4 = to[9], a5 = to[10], b5 = to[11];
        const half *weight = (const half *) w;
        const double *x = products;
        for (size_t i = 0; i < n; i++, weight += 2, x += size) {
            half a = weight[0], b = weight[1];
            a0 += a * x[0], b0 += b * x[0];
            a1 += a * x[1], b1 += b * x[1];
            a2 += a * x[2], b2 += b * x[2];
            a3 += a * x[3], b3 += b * x[3];
            a4 += a * x[4], b4 += b * x[4];
            a5 += a * x[5], b5 += b * x[5];
        }
        to[0] = a0, to[1] = b0, to[2] = a1, to[3] = b1, to[4] = a2, to[5] = b2;
        to[6] = a3, to[7] = b3, to[8] = a4, to[9] = b4, to[10] = a5, to[11] = b5;
    }
}
