/* zlib's deflate, answered by ISA-L. Cairo, libqpdf and libxlsxwriter pack thousands of small parts with zlib at its default
 * level and offer no other setting; ISA-L at its level 0 takes a tenth of the time over them and makes files a fifth larger.
 * It packs whole streams, so input is kept until its end. Whoever asks zlib for a level of their own gets zlib. The Makefile
 * (HOOKS) shows these functions to the libraries instead of zlib's. */
#include <dlfcn.h>
#include <isa-l/igzip_lib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

enum { FIRST_ROOM = 1 << 12, HEADERS = 1 << 10 /* bytes */ };

typedef struct {
    int window_bits; /* as zlib reads them: negative, no header; beyond MAX_WBITS, gzip's */
    unsigned char *in, *out;
    size_t n, room, made, given; /* bytes of `in`, room there; bytes of `out`, how many the caller has */
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

static void start(packing *p) {
    free(p->in);
    free(p->out);
    *p = (packing){.window_bits = p->window_bits};
}

int deflateInit2_(z_streamp z, int level, int method, int window_bits, int memory, int strategy, const char *version,
                  int size) {
    static void *known;
    if (z) z->reserved = 0;
    if (!z || level != Z_DEFAULT_COMPRESSION) {
        init_function *theirs = (init_function *) zlib(&known, "deflateInit2_");
        return theirs ? theirs(z, level, method, window_bits, memory, strategy, version, size) : Z_VERSION_ERROR;
    }
    packing *p = calloc(1, sizeof *p);
    if (!p) return Z_MEM_ERROR;
    p->window_bits = window_bits;
    z->state = (void *) p;
    z->reserved = OURS;
    z->total_in = z->total_out = 0;
    z->msg = NULL;
    return Z_OK;
}

int deflateInit_(z_streamp z, int level, const char *version, int size) {
    return deflateInit2_(z, level, Z_DEFLATED, MAX_WBITS, 8, Z_DEFAULT_STRATEGY, version, size);
}

static bool keep(z_streamp z, packing *p) {
    size_t need = p->n + z->avail_in, room = p->room ? p->room : FIRST_ROOM;
    while (room < need) room *= 2;
    if (room > p->room) {
        unsigned char *in = realloc(p->in, room);
        if (!in) return false;
        p->in = in;
        p->room = room;
    }
    if (z->avail_in) memcpy(p->in + p->n, z->next_in, z->avail_in);
    p->n = need;
    z->total_in += z->avail_in;
    z->next_in += z->avail_in;
    z->avail_in = 0;
    return true;
}

static bool pack_all(packing *p) {
    struct isal_zstream z;
    size_t bound = p->n + p->n / 8 + HEADERS; /* what cannot be packed is stored, a little longer than it came */
    p->out = bound <= UINT32_MAX ? malloc(bound) : NULL;
    if (!p->out) return false;
    memset(&z, 0, offsetof(struct isal_zstream, internal_state)); /* the next function leaves out hist_bits, the window */
    isal_deflate_stateless_init(&z);
    z.gzip_flag = p->window_bits < 0 ? IGZIP_DEFLATE : p->window_bits > MAX_WBITS ? IGZIP_GZIP : IGZIP_ZLIB;
    z.end_of_stream = 1;
    z.next_in = p->in;
    z.avail_in = (uint32_t) p->n;
    z.next_out = p->out;
    z.avail_out = (uint32_t) bound;
    if (isal_deflate_stateless(&z) == COMP_OK) p->made = z.total_out;
    return p->made > 0;
}

static int give(z_streamp z, packing *p) {
    size_t left = p->made - p->given, n = left < z->avail_out ? left : z->avail_out;
    memcpy(z->next_out, p->out + p->given, n);
    p->given += n;
    z->total_out += n;
    z->next_out += n;
    z->avail_out -= (uInt) n;
    return p->given == p->made ? Z_STREAM_END : n ? Z_OK : Z_BUF_ERROR;
}

static int pack(z_streamp z, packing *p, int flush) {
    bool came = z->avail_in > 0;
    if (p->out && came) return Z_STREAM_ERROR;
    if (!p->out && !keep(z, p)) return Z_MEM_ERROR;
    if (flush != Z_FINISH) return came ? Z_OK : Z_BUF_ERROR;
    if (!p->out && !pack_all(p)) return Z_MEM_ERROR;
    return give(z, p);
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
    int result = p->out && p->given == p->made ? Z_OK : Z_DATA_ERROR;
    start(p);
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
