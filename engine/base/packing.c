/* zlib's deflate, answered by ISA-L. Cairo and libxlsxwriter pack thousands of small parts with zlib at its default level and
 * offer no other setting; ISA-L takes a quarter of the time over them for a few more bytes. Whoever asks zlib for a level of
 * their own gets zlib. The Makefile (HOOKS) shows these functions to the libraries instead of zlib's. */
#include <dlfcn.h>
#include <isa-l/igzip_lib.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

/* Callers give a byte at a time, or megabytes: what is small is held until it is worth a call. */
enum { ROOM = 1 << 13 /* bytes */ };

typedef struct {
    struct isal_zstream z;
    unsigned char memory[ISAL_DEF_LVL1_SMALL];
    uint16_t header;
    uInt held;
    unsigned char hold[ROOM];
} packing;

/* Stands in z_stream.reserved, which zlib leaves alone, while z_stream.state is a packing. */
enum { OURS = 0x49534120 };

static packing *ours(z_streamp z) { return z && z->reserved == OURS ? (packing *) (void *) z->state : NULL; }

/* zlib's own function; threads that look it up at the same time find the same. */
static void *zlib(void **known, const char *name) {
    void *found = __atomic_load_n(known, __ATOMIC_RELAXED);
    if (!found) {
        found = dlsym(RTLD_NEXT, name);
        __atomic_store_n(known, found, __ATOMIC_RELAXED);
    }
    return found;
}

typedef int init_function(z_streamp, int, int, int, int, int, const char *, int);
typedef int flush_function(z_streamp, int);
typedef int end_function(z_streamp);

/* As zlib reads them: negative, no header; beyond MAX_WBITS, gzip's. */
static uint16_t header_of(int window_bits) {
    return window_bits < 0 ? IGZIP_DEFLATE : window_bits > MAX_WBITS ? IGZIP_GZIP : IGZIP_ZLIB;
}

/* From nothing but zeros: what isal_deflate_init() leaves as it was shows in the bytes of small streams (ISA-L 2.30), and
 * after isal_deflate_reset() they cannot be unpacked at all. */
static void start(packing *p) {
    memset(&p->z, 0, sizeof p->z);
    memset(p->memory, 0, sizeof p->memory);
    isal_deflate_init(&p->z);
    p->z.gzip_flag = p->header;
    p->z.level = 1;
    p->z.level_buf = p->memory;
    p->z.level_buf_size = sizeof p->memory;
    p->held = 0;
}

int deflateInit2_(z_streamp z, int level, int method, int window_bits, int memory, int strategy, const char *version,
                  int size) {
    static void *known;
    if (z) z->reserved = 0;
    if (!z || level != Z_DEFAULT_COMPRESSION) {
        init_function *theirs = (init_function *) zlib(&known, "deflateInit2_");
        return theirs ? theirs(z, level, method, window_bits, memory, strategy, version, size) : Z_VERSION_ERROR;
    }
    packing *p = malloc(sizeof *p);
    if (!p) return Z_MEM_ERROR;
    p->header = header_of(window_bits);
    start(p);
    z->state = (void *) p;
    z->reserved = OURS;
    z->total_in = z->total_out = 0;
    z->msg = NULL;
    return Z_OK;
}

int deflateInit_(z_streamp z, int level, const char *version, int size) {
    return deflateInit2_(z, level, Z_DEFLATED, MAX_WBITS, 8, Z_DEFAULT_STRATEGY, version, size);
}

/* Packs from *in, and takes away what was taken. */
static bool feed(z_streamp z, packing *p, const unsigned char **in, uInt *n, int flush, bool end) {
    p->z.next_in = (uint8_t *) *in;
    p->z.avail_in = *n;
    p->z.next_out = z->next_out;
    p->z.avail_out = z->avail_out;
    p->z.flush = flush == Z_NO_FLUSH || flush == Z_FINISH ? NO_FLUSH : flush == Z_FULL_FLUSH ? FULL_FLUSH : SYNC_FLUSH;
    p->z.end_of_stream = end;
    bool ok = isal_deflate(&p->z) == COMP_OK;
    *in = p->z.next_in;
    *n = p->z.avail_in;
    z->total_out += z->avail_out - p->z.avail_out;
    z->next_out = p->z.next_out;
    z->avail_out = p->z.avail_out;
    return ok;
}

static void hold(z_streamp z, packing *p) {
    memcpy(p->hold + p->held, z->next_in, z->avail_in);
    p->held += z->avail_in;
    z->total_in += z->avail_in;
    z->next_in += z->avail_in;
    z->avail_in = 0;
}

static bool feed_held(z_streamp z, packing *p, int flush, bool end) {
    const unsigned char *in = p->hold;
    bool ok = feed(z, p, &in, &p->held, flush, end);
    memmove(p->hold, in, p->held);
    return ok;
}

static int pack(z_streamp z, packing *p, int flush) {
    if (p->z.internal_state.state == ZSTATE_END) return Z_STREAM_END;
    uInt in = z->avail_in, out = z->avail_out;
    bool end = flush == Z_FINISH, ok = true;
    if (in && in <= ROOM - p->held) hold(z, p);
    if (flush != Z_NO_FLUSH || z->avail_in) {
        bool all = !z->avail_in; /* nothing comes behind what is held */
        if (p->held || all) ok = feed_held(z, p, all ? flush : Z_NO_FLUSH, end && all);
        if (ok && !p->held && z->avail_in) {
            uInt before = z->avail_in;
            ok = feed(z, p, (const unsigned char **) &z->next_in, &z->avail_in, flush, end);
            z->total_in += before - z->avail_in;
        }
    }
    if (!ok) return Z_STREAM_ERROR;
    if (p->z.internal_state.state == ZSTATE_END) return Z_STREAM_END;
    return in != z->avail_in || out != z->avail_out ? Z_OK : Z_BUF_ERROR;
}

int deflate(z_streamp z, int flush) {
    static void *known;
    packing *p = ours(z);
    if (p) return pack(z, p, flush);
    flush_function *theirs = (flush_function *) zlib(&known, "deflate");
    return theirs ? theirs(z, flush) : Z_VERSION_ERROR;
}

int deflateEnd(z_streamp z) {
    static void *known;
    packing *p = ours(z);
    if (!p) {
        end_function *theirs = (end_function *) zlib(&known, "deflateEnd");
        return theirs ? theirs(z) : Z_VERSION_ERROR;
    }
    int result = p->z.internal_state.state == ZSTATE_END ? Z_OK : Z_DATA_ERROR;
    free(p);
    z->state = NULL;
    z->reserved = 0;
    return result;
}

int deflateReset(z_streamp z) {
    static void *known;
    packing *p = ours(z);
    if (!p) {
        end_function *theirs = (end_function *) zlib(&known, "deflateReset");
        return theirs ? theirs(z) : Z_VERSION_ERROR;
    }
    start(p);
    z->total_in = z->total_out = 0;
    return Z_OK;
}
