/* The quick hash inline, for loops over millions of cells. */
#ifndef BASE_HASH64_H
#define BASE_HASH64_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Multiply-and-fold over 8-byte words: quick, well mixed, not cryptographic. */
static inline uint64_t rsp_fold64(uint64_t a, uint64_t b) {
    __uint128_t product = (__uint128_t) a * b;
    return (uint64_t) product ^ (uint64_t) (product >> 64);
}

static inline uint64_t rsp_hash64_inline(const void *bytes, size_t length, uint64_t seed) {
    const unsigned char *p = bytes;
    uint64_t h = rsp_fold64(seed ^ 0x9e3779b97f4a7c15u, (uint64_t) length ^ 0xbf58476d1ce4e5b9u), rest = 0;
    for (; length >= 8; p += 8, length -= 8) {
        uint64_t word;
        memcpy(&word, p, 8);
        h = rsp_fold64(h ^ word, 0x94d049bb133111ebu);
    }
    for (size_t k = 0; k < length; k++) rest |= (uint64_t) p[k] << (8 * k);
    return rsp_fold64(h ^ rest ^ 0xd6e8feb86659fd93u, 0xa0761d6478bd642fu);
}

#endif
