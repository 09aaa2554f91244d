#include "model/lanes.h"

#include "base/vector.h"

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

/* Two registers of lanes and RSP_LANE_SUMS products at a time: twelve sums, which stay in the sixteen registers that every
 * processor has, beside the weights and a product. A register must not be wider than the processor's: of one that is, the
 * compiler keeps the halves in memory, at eight times the time. */
#define LANE_ADD(name, width, attributes)                                                                              \
    typedef double name##_register __attribute__((vector_size((width) * sizeof(double)), aligned(8), may_alias));      \
    attributes static void name(const double *products, size_t n, size_t size, const double *w, double *sums) {        \
        enum { STEP = RSP_LANES / (width) };                                                                           \
        for (size_t s = 0; s < size; s += RSP_LANE_SUMS, products += RSP_LANE_SUMS) {                                  \
            for (size_t part = 0; part < STEP; part += 2) {                                                            \
                name##_register *to = (name##_register *) (sums + s * RSP_LANES) + part;                               \
                name##_register a0 = to[0], a1 = to[STEP], a2 = to[2 * STEP], a3 = to[3 * STEP], a4 = to[4 * STEP];    \
                name##_register b0 = to[1], b1 = to[STEP + 1], b2 = to[2 * STEP + 1], b3 = to[3 * STEP + 1];           \
                name##_register b4 = to[4 * STEP + 1], a5 = to[5 * STEP], b5 = to[5 * STEP + 1];                       \
                const name##_register *weight = (const name##_register *) w + part;                                    \
                const double *x = products;                                                                            \
                for (size_t i = 0; i < n; i++, weight += STEP, x += size) {                                            \
                    name##_register a = weight[0], b = weight[1];                                                      \
                    a0 += a * x[0], b0 += b * x[0];                                                                    \
                    a1 += a * x[1], b1 += b * x[1];                                                                    \
                    a2 += a * x[2], b2 += b * x[2];                                                                    \
                    a3 += a * x[3], b3 += b * x[3];                                                                    \
                    a4 += a * x[4], b4 += b * x[4];                                                                    \
                    a5 += a * x[5], b5 += b * x[5];                                                                    \
                }                                                                                                      \
                to[0] = a0, to[STEP] = a1, to[2 * STEP] = a2, to[3 * STEP] = a3, to[4 * STEP] = a4;                    \
                to[1] = b0, to[STEP + 1] = b1, to[2 * STEP + 1] = b2, to[3 * STEP + 1] = b3;                           \
                to[4 * STEP + 1] = b4, to[5 * STEP] = a5, to[5 * STEP + 1] = b5;                                       \
            }                                                                                                          \
        }                                                                                                              \
    }

LANE_ADD(add_two, 2, )
#ifdef RSP_WIDE_CHOSEN
LANE_ADD(add_four, 4, __attribute__((target("avx2"))))
LANE_ADD(add_eight, 8, __attribute__((target("avx512f"))))
#endif

void rsp_lane_add(const double *products, size_t n, size_t size, const double *w, double *sums) {
#ifdef RSP_WIDE_CHOSEN
    if (__builtin_cpu_supports("avx512f")) {
        add_eight(products, n, size, w, sums);
        return;
    }
    if (__builtin_cpu_supports("avx2")) {
        add_four(products, n, size, w, sums);
        return;
    }
#endif
    add_two(products, n, size, w, sums);
}
