/* Arenas, growing buffers, the map of names. */
#include "responsive/base.h"

#include "base/arena.h"
#include "base/ending.h"

#include <malloc.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/* ---- heap ------------------------------------------------------------------------------------------------------- */

void rsp_heap_keep(void) {
    mallopt(M_MMAP_THRESHOLD, 32 << 20); /* a larger one is seldom filled, and the system clears a page when it is */
    mallopt(M_TRIM_THRESHOLD, 256 << 20);
}

/* Columns of many respondents come in large pages: a first touch then costs a fault for 2 MiB instead of for 4 KiB, and a
 * row's place in dozens of columns is found without looking through page tables. A wish: where the kernel has none to give,
 * pages stay small. Blocks below LARGE stay as they are, so that a small study's memory does. */
enum { LARGE = 4 << 20, LARGE_PAGE = 2 << 20 };

/* Of the large pages that lie within these bytes. */
static void advise(const void *p, size_t bytes, int advice) {
    uintptr_t from = ((uintptr_t) p + LARGE_PAGE - 1) & ~(uintptr_t) (LARGE_PAGE - 1),
              to = ((uintptr_t) p + bytes) & ~(uintptr_t) (LARGE_PAGE - 1);
    if (to > from) madvise((void *) from, to - from, advice);
}

static void *with_large_pages(void *p, size_t bytes) {
    if (!p) rsp_ending_without_memory();
    if (bytes >= LARGE) advise(p, bytes, MADV_HUGEPAGE);
    return p;
}

void rsp_give_back(const void *p, size_t bytes) { advise(p, bytes, MADV_DONTNEED); }

void *rsp_malloc(size_t bytes) { return with_large_pages(malloc(bytes ? bytes : 1), bytes); }

void *rsp_calloc(size_t count, size_t size) {
    return with_large_pages(calloc(count ? count : 1, size ? size : 1), count * size);
}

void *rsp_realloc(void *p, size_t bytes) { return with_large_pages(realloc(p, bytes ? bytes : 1), bytes); }

/* ---- arena ------------------------------------------------------------------------------------------------------ */

enum { ALIGNMENT = 16, FIRST_BLOCK = 4096, LARGEST_BLOCK = 1 << 20 };

struct block {
    struct block *next;
    size_t used, size;
    bool zero; /* what is not used yet holds zeros */
    _Alignas(ALIGNMENT) char bytes[];
};

struct rsp_arena {
    struct block *blocks; /* the first is the one being filled */
    size_t next_size;
};

rsp_arena *rsp_arena_new(void) {
    rsp_arena *a = rsp_calloc(1, sizeof *a);
    a->next_size = FIRST_BLOCK;
    return a;
}

void rsp_arena_free(rsp_arena *a) {
    if (!a) return;
    for (struct block *b = a->blocks, *next; b; b = next) {
        next = b->next;
        free(b);
    }
    free(a);
}

static struct block *block_new(size_t size, bool zero) {
    if (size > SIZE_MAX - sizeof(struct block)) rsp_ending_without_memory();
    struct block *b = zero ? rsp_calloc(1, sizeof *b + size) : rsp_malloc(sizeof *b + size);
    b->next = NULL;
    b->used = 0;
    b->size = size;
    b->zero = zero;
    return b;
}

void rsp_arena_expect(rsp_arena *a, size_t bytes) {
    if (bytes > SIZE_MAX - sizeof(struct block)) rsp_ending_without_memory();
    struct block *b = calloc(1, sizeof *b + bytes);
    if (!b) rsp_ending_without_memory();
    b->size = bytes;
    b->zero = true;
    b->next = a->blocks;
    a->blocks = b;
}

void rsp_arena_join(rsp_arena *a, rsp_arena *other) {
    struct block **end = &a->blocks;
    while (*end) end = &(*end)->next;
    *end = other->blocks;
    free(other);
}

static size_t rounded_up(size_t bytes) {
    if (bytes > SIZE_MAX - ALIGNMENT) rsp_ending_without_memory();
    size_t rounded = (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    return rounded ? rounded : ALIGNMENT;
}

/* A block of its own, behind the one being filled. */
static void *own_block(rsp_arena *a, size_t size, bool zero) {
    struct block *own = block_new(size, zero), *b = a->blocks;
    if (b) {
        own->next = b->next;
        b->next = own;
    } else {
        a->blocks = own;
    }
    own->used = size;
    return own->bytes;
}

void *rsp_alloc(rsp_arena *a, size_t bytes) {
    size_t rounded = rounded_up(bytes);
    struct block *b = a->blocks;
    bool fits = b && b->size - b->used >= rounded;
    if (!fits && rounded > LARGEST_BLOCK / 4)
        return own_block(a, rounded, true); /* the system's zeros need no writing */
    if (!fits) {
        size_t size = a->next_size > rounded ? a->next_size : rounded;
        b = block_new(size, false);
        b->next = a->blocks;
        a->blocks = b;
        if (a->next_size < LARGEST_BLOCK) a->next_size *= 2;
    }
    void *p = b->bytes + b->used;
    b->used += rounded;
    return b->zero ? p : memset(p, 0, rounded);
}

void *rsp_alloc_unset(rsp_arena *a, size_t count, size_t size) {
    if (size && count > SIZE_MAX / size) rsp_ending_without_memory();
    size_t rounded = rounded_up(count * size);
    return rounded > LARGEST_BLOCK / 4 ? own_block(a, rounded, false) : rsp_alloc(a, rounded);
}

void *rsp_alloc_array(rsp_arena *a, size_t count, size_t size) {
    if (size && count > SIZE_MAX / size) rsp_ending_without_memory();
    return rsp_alloc(a, count * size);
}

char *rsp_strndup(rsp_arena *a, const char *s, size_t length) {
    if (!s) return NULL;
    char *copy = rsp_alloc(a, length + 1);
    memcpy(copy, s, length);
    return copy;
}

char *rsp_strdup(rsp_arena *a, const char *s) { return s ? rsp_strndup(a, s, strlen(s)) : NULL; }

char *rsp_printable(rsp_arena *a, const char *text) {
    char *out = rsp_strdup(a, text), *to = out;
    for (const char *p = out; *p; p++) {
        unsigned char c = (unsigned char) *p;
        if (c == 0xc2 && (unsigned char) p[1] >= 0x80 && (unsigned char) p[1] < 0xa0) p++; /* U+0080..U+009F */
        else if (c >= 0x20 && c != 0x7f) *to++ = *p;
        else *to++ = ' ';
    }
    *to = 0;
    return out;
}

static char *format_new(rsp_arena *a, const char *format, va_list args) {
    va_list again;
    va_copy(again, args);
    int length = vsnprintf(NULL, 0, format, again);
    va_end(again);
    if (length < 0) rsp_ending_without_memory();
    char *text = rsp_alloc(a, (size_t) length + 1);
    vsnprintf(text, (size_t) length + 1, format, args);
    return text;
}

char *rsp_printf(rsp_arena *a, const char *format, ...) {
    va_list args;
    va_start(args, format);
    char *text = format_new(a, format, args);
    va_end(args);
    return text;
}

/* ---- buffer ----------------------------------------------------------------------------------------------------- */

void rsp_buf_reserve(rsp_buf *b, size_t more) {
    if (more > SIZE_MAX - b->length - 1) rsp_ending_without_memory();
    size_t need = b->length + more + 1;
    if (need <= b->capacity) return;
    size_t capacity = b->capacity ? b->capacity : 256;
    while (capacity < need) capacity = capacity > SIZE_MAX / 2 ? need : 2 * capacity;
    b->data = rsp_realloc(b->data, capacity);
    b->capacity = capacity;
}

void rsp_buf_add(rsp_buf *b, const char *bytes, size_t length) {
    rsp_buf_reserve(b, length);
    if (length) memcpy(b->data + b->length, bytes, length);
    b->length += length;
    b->data[b->length] = '\0';
}

void rsp_buf_puts(rsp_buf *b, const char *s) { rsp_buf_add(b, s, strlen(s)); }

void rsp_buf_putc(rsp_buf *b, char c) { rsp_buf_add(b, &c, 1); }

void rsp_buf_printf(rsp_buf *b, const char *format, ...) {
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int length = vsnprintf(NULL, 0, format, again);
    va_end(again);
    if (length < 0) rsp_ending_without_memory();
    rsp_buf_reserve(b, (size_t) length);
    vsnprintf(b->data + b->length, (size_t) length + 1, format, args);
    b->length += (size_t) length;
    va_end(args);
}

void rsp_buf_csv(rsp_buf *b, const char *text, bool guard) {
    bool quote = strpbrk(text, ",\"\r\n") != NULL;
    if (quote) rsp_buf_putc(b, '"');
    if (guard && text[0] && strchr("=+-@\t\r", text[0])) rsp_buf_putc(b, '\'');
    for (const char *c = text; *c; c++) {
        if (*c == '"') rsp_buf_putc(b, '"');
        rsp_buf_putc(b, *c);
    }
    if (quote) rsp_buf_putc(b, '"');
}

void rsp_buf_free(rsp_buf *b) {
    free(b->data);
    *b = (rsp_buf){0};
}

/* ---- map -------------------------------------------------------------------------------------------------------- */

/* Most maps hold a few short keys, and there is one for each column of an export. */
enum { FIRST_SLOTS = 8, FIRST_KEYS = 128 };

struct slot {
    const char *key;
    size_t length, value;
    uint64_t hash;
};

struct rsp_map {
    struct slot *slots; /* open addressing, size a power of two, at most half full */
    size_t size, count;
    rsp_arena *keys;
};

rsp_map *rsp_map_new(void) {
    rsp_map *m = rsp_calloc(1, sizeof *m);
    m->keys = rsp_arena_new();
    m->keys->next_size = FIRST_KEYS;
    return m;
}

void rsp_map_free(rsp_map *m) {
    if (!m) return;
    free(m->slots);
    rsp_arena_free(m->keys);
    free(m);
}

static struct slot *map_slot(const rsp_map *m, const char *key, size_t length, uint64_t hash) {
    for (size_t k = (size_t) hash & (m->size - 1);; k = (k + 1) & (m->size - 1)) {
        struct slot *s = &m->slots[k];
        if (!s->key || (s->hash == hash && s->length == length && memcmp(s->key, key, length) == 0)) return s;
    }
}

static void map_grow(rsp_map *m) {
    struct slot *old = m->slots;
    size_t old_size = m->size;
    m->size = old_size ? 2 * old_size : FIRST_SLOTS;
    m->slots = rsp_calloc(m->size, sizeof *m->slots);
    for (size_t k = 0; k < old_size; k++)
        if (old[k].key) *map_slot(m, old[k].key, old[k].length, old[k].hash) = old[k];
    free(old);
}

size_t rsp_map_get_n(const rsp_map *m, const char *key, size_t length) {
    if (!m->size) return RSP_NONE;
    const struct slot *s = map_slot(m, key, length, rsp_hash64(key, length, 0));
    return s->key ? s->value : RSP_NONE;
}

size_t rsp_map_get(const rsp_map *m, const char *key) { return rsp_map_get_n(m, key, strlen(key)); }

bool rsp_map_put_n(rsp_map *m, const char *key, size_t length, size_t value) {
    if (2 * (m->count + 1) > m->size) map_grow(m);
    uint64_t hash = rsp_hash64(key, length, 0);
    struct slot *s = map_slot(m, key, length, hash);
    if (s->key) return false;
    *s = (struct slot){rsp_strndup(m->keys, key, length), length, value, hash};
    m->count++;
    return true;
}

bool rsp_map_put(rsp_map *m, const char *key, size_t value) { return rsp_map_put_n(m, key, strlen(key), value); }

size_t rsp_map_count(const rsp_map *m) { return m->count; }

/* ---- suggestions ------------------------------------------------------------------------------------------------ */

enum { LONGEST_WORD = 64 };

/* Edits between two words: insert, delete, replace, swap neighbours (optimal string alignment); case counts half. */
static double edits(const char *a, size_t n, const char *b, size_t m) {
    double row[3][LONGEST_WORD + 1];
    for (size_t j = 0; j <= m; j++) row[0][j] = (double) j;
    for (size_t i = 1; i <= n; i++) {
        double *now = row[i % 3], *before = row[(i + 2) % 3], *earlier = row[(i + 1) % 3];
        now[0] = (double) i;
        for (size_t j = 1; j <= m; j++) {
            char x = a[i - 1], y = b[j - 1];
            double same = x == y ? 0 : ((x | 0x20) == (y | 0x20) ? 0.5 : 1);
            double best = before[j - 1] + same;
            if (before[j] + 1 < best) best = before[j] + 1;
            if (now[j - 1] + 1 < best) best = now[j - 1] + 1;
            if (i > 1 && j > 1 && x == b[j - 2] && a[i - 2] == y && earlier[j - 2] + 1 < best)
                best = earlier[j - 2] + 1;
            now[j] = best;
        }
    }
    return row[n % 3][m];
}

const char *rsp_suggest(const char *word, const char *const *candidates, size_t n) {
    size_t length = strlen(word);
    if (!length || length > LONGEST_WORD) return NULL;
    const char *best = NULL;
    double least = length <= 2 ? 1 : length <= 5 ? 1.5 : 0.34 * (double) length + 0.5;
    for (size_t k = 0; k < n; k++) {
        size_t m = strlen(candidates[k]);
        if (!m || m > LONGEST_WORD) continue;
        double e = edits(word, length, candidates[k], m);
        if (e < least || (e == least && !best)) {
            least = e;
            best = candidates[k];
        }
    }
    return best;
}
