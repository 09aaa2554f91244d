/* Memory of the program: an allocation that fails, be it in the engine, in GLib, in HarfBuzz or in the C library, ends the
 * program with a word, exit status 70 and no staging left (base/ending.h).
 *
 * Few libraries tell their caller: some abort, some crash, and some go on with less, so that a page would lack a word and
 * nobody would know. The program's own malloc() stands before the C library's for all of them. What a program that embeds
 * the engine does is its own affair: this file is no part of the library.
 *
 * Requests above BIG are the exception: they stem from a number (a dimension, a length in a file), their callers look at
 * what comes back, and the machine may have plenty for everything else. */
#include "base/ending.h"

#include <errno.h>
#include <malloc.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#if defined(__GLIBC__) && !defined(__SANITIZE_ADDRESS__)

#define BIG ((size_t) 256 << 20)

/* The C library's own, under the names that it keeps for programs which bring a malloc(). */
extern void *__libc_malloc(size_t bytes);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *p, size_t bytes);
extern void *__libc_memalign(size_t alignment, size_t bytes);

static void *given(void *p, size_t bytes) {
    if (!p && bytes && bytes <= BIG) rsp_ending_without_memory();
    return p;
}

void *malloc(size_t bytes) { return given(__libc_malloc(bytes), bytes); }

void *calloc(size_t count, size_t size) {
    size_t bytes = size && count > SIZE_MAX / size ? SIZE_MAX : count * size;
    return given(__libc_calloc(count, size), bytes);
}

/* Nothing is asked for where p is given back. */
void *realloc(void *p, size_t bytes) { return given(__libc_realloc(p, bytes), bytes); }

void *memalign(size_t alignment, size_t bytes) { return given(__libc_memalign(alignment, bytes), bytes); }

void *aligned_alloc(size_t alignment, size_t bytes) { return memalign(alignment, bytes); }

int posix_memalign(void **p, size_t alignment, size_t bytes) {
    if (alignment % sizeof(void *) || !alignment || (alignment & (alignment - 1))) return EINVAL;
    void *got = memalign(alignment, bytes);
    if (!got) return ENOMEM;
    *p = got;
    return 0;
}

#endif
