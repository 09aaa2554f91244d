/* Where the signs of delimited text stand, 64 bytes at a time: bit k of each mask says whether byte k is one. */
#ifndef INTAKE_SIGNS_H
#define INTAKE_SIGNS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#ifdef __x86_64__
#include <immintrin.h>
/* Before a function: compiled for processors that have these, and called on no other. */
#define RSP_SIGNS_WIDE __attribute__((target("avx2,pclmul,bmi")))
#endif

enum { RSP_SIGNS = 64 };

typedef struct {
    uint64_t quote, delimiter, line_end,
        blank; /* line_end: LF or CR; blank: space or tab, unless it is the delimiter */
} rsp_signs;

/* The plain version, for other processors and as the tests' reference. */
static inline rsp_signs rsp_signs_plain(const char text[RSP_SIGNS], char delimiter) {
    rsp_signs s = {0, 0, 0, 0};
    for (int k = 0; k < RSP_SIGNS; k++) {
        char c = text[k];
        uint64_t bit = (uint64_t) 1 << k;
        if (c == delimiter) s.delimiter |= bit;
        else if (c == ' ' || c == '\t') s.blank |= bit;
        if (c == '"') s.quote |= bit;
        if (c == '\n' || c == '\r') s.line_end |= bit;
    }
    return s;
}

static inline rsp_signs rsp_signs_of(const char text[RSP_SIGNS], char delimiter) {
#ifdef __x86_64__
    rsp_signs s = {0, 0, 0, 0};
    const __m128i d = _mm_set1_epi8(delimiter), q = _mm_set1_epi8('"'), lf = _mm_set1_epi8('\n'),
                  cr = _mm_set1_epi8('\r'), space = _mm_set1_epi8(' '), tab = _mm_set1_epi8('\t');
    for (int k = 0; k < RSP_SIGNS; k += 16) {
        __m128i x = _mm_loadu_si128((const __m128i *) (const void *) (text + k));
        __m128i ends = _mm_or_si128(_mm_cmpeq_epi8(x, lf), _mm_cmpeq_epi8(x, cr));
        __m128i blanks = _mm_or_si128(_mm_cmpeq_epi8(x, space), _mm_cmpeq_epi8(x, tab));
        s.quote |= (uint64_t) (uint32_t) _mm_movemask_epi8(_mm_cmpeq_epi8(x, q)) << k;
        s.delimiter |= (uint64_t) (uint32_t) _mm_movemask_epi8(_mm_cmpeq_epi8(x, d)) << k;
        s.line_end |= (uint64_t) (uint32_t) _mm_movemask_epi8(ends) << k;
        s.blank |= (uint64_t) (uint32_t) _mm_movemask_epi8(blanks) << k;
    }
    s.blank &= ~s.delimiter;
    return s;
#else
    return rsp_signs_plain(text, delimiter);
#endif
}

/* Bit k: an odd number of bits up to and including k. */
static inline uint64_t rsp_odd_so_far(uint64_t x) {
    for (int k = 1; k < RSP_SIGNS; k *= 2) x ^= x << k;
    return x;
}

/* ---- processors with AVX2 --------------------------------------------------------------------------------------- */

#ifdef RSP_SIGNS_WIDE
static inline bool rsp_signs_are_wide(void) {
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("pclmul") && __builtin_cpu_supports("bmi");
}

/* As rsp_signs_of, 32 bytes at once. */
RSP_SIGNS_WIDE static inline rsp_signs rsp_signs_of_wide(const char text[RSP_SIGNS], char delimiter) {
    rsp_signs s = {0, 0, 0, 0};
    const __m256i d = _mm256_set1_epi8(delimiter), q = _mm256_set1_epi8('"'), lf = _mm256_set1_epi8('\n'),
                  cr = _mm256_set1_epi8('\r'), space = _mm256_set1_epi8(' '), tab = _mm256_set1_epi8('\t');
    for (int k = 0; k < RSP_SIGNS; k += 32) {
        __m256i x = _mm256_loadu_si256((const __m256i *) (const void *) (text + k));
        __m256i ends = _mm256_or_si256(_mm256_cmpeq_epi8(x, lf), _mm256_cmpeq_epi8(x, cr));
        __m256i blanks = _mm256_or_si256(_mm256_cmpeq_epi8(x, space), _mm256_cmpeq_epi8(x, tab));
        s.quote |= (uint64_t) (uint32_t) _mm256_movemask_epi8(_mm256_cmpeq_epi8(x, q)) << k;
        s.delimiter |= (uint64_t) (uint32_t) _mm256_movemask_epi8(_mm256_cmpeq_epi8(x, d)) << k;
        s.line_end |= (uint64_t) (uint32_t) _mm256_movemask_epi8(ends) << k;
        s.blank |= (uint64_t) (uint32_t) _mm256_movemask_epi8(blanks) << k;
    }
    s.blank &= ~s.delimiter;
    return s;
}

/* As rsp_odd_so_far: a product without carries by all ones. */
RSP_SIGNS_WIDE static inline uint64_t rsp_odd_so_far_wide(uint64_t x) {
    __m128i product = _mm_clmulepi64_si128(_mm_set_epi64x(0, (long long) x), _mm_set1_epi8(-1), 0);
    return (uint64_t) _mm_cvtsi128_si64(product);
}
#endif

#endif
