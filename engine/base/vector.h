/* Loops worth the processor's widest registers. RSP_WIDE before a function compiles it for several of them and takes
 * the best at the program's start. Sums keep their order and no product is fused with an addition, so every version
 * gives the same bits; elsewhere, and under sanitizers (which instrument the choice itself), the plain one is built. */
#ifndef BASE_VECTOR_H
#define BASE_VECTOR_H

#if defined(__x86_64__) && defined(__linux__) && defined(__GNUC__) && !defined(__clang__) &&                           \
    !defined(__SANITIZE_ADDRESS__)
#define RSP_WIDE_CHOSEN 1 /* a function may also choose by the processor itself */
#define RSP_WIDE __attribute__((target_clones("arch=x86-64-v4", "avx2", "default")))
#else
#define RSP_WIDE
#endif

#endif
