/* Hashes and counter-based random streams. */
#include "base/hash64.h"
#include "responsive/base.h"

#include <assert.h>
#include <fcntl.h>
#include <nettle/base16.h>
#include <nettle/sha2.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static_assert(sizeof(struct sha256_ctx) <= sizeof(rsp_hash), "room for Nettle's state");

static struct sha256_ctx *state_of(rsp_hash *h) { return (struct sha256_ctx *) (void *) h->state; }

void rsp_hash_init(rsp_hash *h) { sha256_init(state_of(h)); }

void rsp_hash_add(rsp_hash *h, const void *bytes, size_t length) {
    if (length) sha256_update(state_of(h), length, bytes);
}

void rsp_hash_str(rsp_hash *h, const char *s) {
    uint64_t length = s ? strlen(s) : UINT64_MAX; /* NULL differs from "" */
    unsigned char size[8];
    for (int k = 0; k < 8; k++) size[k] = (unsigned char) (length >> (8 * k));
    rsp_hash_add(h, size, sizeof size);
    if (s) rsp_hash_add(h, s, strlen(s));
}

void rsp_hash_hex(rsp_hash *h, char hex[65]) {
    uint8_t out[SHA256_DIGEST_SIZE];
    sha256_digest(state_of(h), sizeof out, out);
    base16_encode_update(hex, sizeof out, out);
    hex[2 * sizeof out] = '\0';
}

static bool hash_contents(int fd, char hex[65]) {
    rsp_hash h;
    rsp_hash_init(&h);
    enum { CHUNK = 1 << 16 };
    unsigned char *chunk = rsp_malloc(CHUNK);
    ssize_t got;
    while ((got = read(fd, chunk, CHUNK)) > 0) rsp_hash_add(&h, chunk, (size_t) got);
    free(chunk);
    rsp_hash_hex(&h, hex);
    return got == 0;
}

bool rsp_hash_file(const char *path, char hex[65]) {
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* opening a pipe must not wait for its writer */
    struct stat st;
    bool ok = fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && hash_contents(fd, hex);
    if (fd >= 0) close(fd);
    return ok;
}

/* ---- of many files ---------------------------------------------------------------------------------------------- */

struct rsp_hashes {
    rsp_map *place; /* path -> its place in hex */
    size_t n;
    char (*hex)[65];
};

rsp_hashes *rsp_hashes_new(void) {
    rsp_hashes *h = rsp_calloc(1, sizeof *h);
    h->place = rsp_map_new();
    return h;
}

/* The disk works on all files at once, and the file system's journal takes their names and sizes together, at the first
 * fsync: one after the other, a thousand files take five times as long. */
static bool hash_and_start_writing(const char *path, char hex[65]) {
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    bool ok = fd >= 0 && hash_contents(fd, hex);
    if (ok) (void) !sync_file_range(fd, 0, 0, SYNC_FILE_RANGE_WRITE); /* whoever brings it to the disk hears of faults */
    if (fd >= 0) close(fd);
    return ok;
}

bool rsp_hashes_add(rsp_hashes *h, const char *dir, const char *const *paths, size_t n, rsp_diag *d) {
    size_t known = h->n;
    const char **fresh = rsp_calloc(n + 1, sizeof *fresh);
    for (size_t k = 0; k < n; k++)
        if (rsp_map_put(h->place, paths[k], h->n)) fresh[h->n++ - known] = paths[k];
    h->hex = rsp_realloc(h->hex, (h->n + 1) * sizeof *h->hex);
    bool ok = true;
#pragma omp parallel for schedule(dynamic, 8) num_threads(rsp_threads()) reduction(&& : ok)
    for (size_t k = known; k < h->n; k++) {
        rsp_arena *a = rsp_arena_new();
        if (!hash_and_start_writing(rsp_path_join(a, dir, fresh[k - known]), h->hex[k])) {
            rsp_report(d, RSP_ERR_OUTPUT, (rsp_loc){fresh[k - known], 0, 0}, NULL, "cannot be read back");
            ok = false;
        }
        rsp_arena_free(a);
    }
    free(fresh);
    return ok;
}

const char *rsp_hashes_get(const rsp_hashes *h, const char *path) {
    size_t at = rsp_map_get(h->place, path);
    return at == RSP_NONE ? NULL : h->hex[at];
}

void rsp_hashes_free(rsp_hashes *h) {
    if (!h) return;
    rsp_map_free(h->place);
    free(h->hex);
    free(h);
}

uint64_t rsp_hash64(const void *bytes, size_t length, uint64_t seed) { return rsp_hash64_inline(bytes, length, seed); }

/* ---- Philox 4x32-10 --------------------------------------------------------------------------------------------- */

void rsp_rng_init(rsp_rng *r, uint64_t seed, uint64_t stream) {
    *r = (rsp_rng){.key = {(uint32_t) seed, (uint32_t) (seed >> 32)}, .used = 4};
    r->counter[2] = (uint32_t) stream;
    r->counter[3] = (uint32_t) (stream >> 32);
}

static void philox_block(rsp_rng *r) {
    uint32_t c[4], k[2] = {r->key[0], r->key[1]};
    memcpy(c, r->counter, sizeof c);
    for (int round = 0; round < 10; round++) {
        uint64_t p0 = (uint64_t) 0xD2511F53u * c[0], p1 = (uint64_t) 0xCD9E8D57u * c[2];
        uint32_t next[4] = {(uint32_t) (p1 >> 32) ^ c[1] ^ k[0], (uint32_t) p1, (uint32_t) (p0 >> 32) ^ c[3] ^ k[1],
                            (uint32_t) p0};
        memcpy(c, next, sizeof c);
        k[0] += 0x9E3779B9u;
        k[1] += 0xBB67AE85u;
    }
    memcpy(r->block, c, sizeof c);
    if (++r->counter[0] == 0) r->counter[1]++;
    r->used = 0;
}

uint32_t rsp_rng_u32(rsp_rng *r) {
    if (r->used == 4) philox_block(r);
    return r->block[r->used++];
}

double rsp_rng_uniform(rsp_rng *r) {
    uint64_t high = rsp_rng_u32(r), low = rsp_rng_u32(r);
    uint64_t bits = (high << 32 | low) >> 11; /* 53 bits */
    return ((double) bits + 0.5) * 0x1p-53;
}

double rsp_rng_normal(rsp_rng *r) { return rsp_normal_quantile(rsp_rng_uniform(r)); }

uint32_t rsp_rng_below(rsp_rng *r, uint32_t n) {
    assert(n > 0);
    uint32_t least = (uint32_t) -n % n; /* 2^32 mod n: smaller low halves would be drawn too often (Lemire 2019) */
    for (;;) {
        uint64_t m = (uint64_t) rsp_rng_u32(r) * n;
        if ((uint32_t) m >= least) return (uint32_t) (m >> 32);
    }
}
