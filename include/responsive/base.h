/* Foundations shared by every station: memory, strings, diagnostics, hashes, random streams, numbers, files.
 *
 * Memory. Things that live and die together stand in one arena and are freed with it. Allocation never returns NULL:
 * without memory the program says so, removes its staging and ends with exit status 70 (engine/base/ending.h).
 *
 * Errors. There is one error type: an entry in a collector of diagnostics (rsp_diag). A function that can fail takes
 * the collector, adds what is wrong, where, and what to do, and returns false or NULL; the caller goes on looking for
 * further faults where that makes sense and stops before anything is written. The worst class decides the exit status.
 * Broken promises between our own functions are assert()s.
 *
 * Missing numbers are NaN everywhere. Proportions and shares are in 0..1 everywhere; percent exists on pages only. */
#ifndef RESPONSIVE_BASE_H
#define RESPONSIVE_BASE_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* ---- memory ---------------------------------------------------------------------------------------------------- */

typedef struct rsp_arena rsp_arena;

rsp_arena *rsp_arena_new(void);
void rsp_arena_free(rsp_arena *a);                              /* NULL allowed */
void *rsp_alloc(rsp_arena *a, size_t bytes);                    /* zeroed, aligned for any type */
void *rsp_alloc_array(rsp_arena *a, size_t count, size_t size); /* zeroed; overflow is an out-of-memory */
char *rsp_strdup(rsp_arena *a, const char *s);                  /* NULL gives NULL */
char *rsp_strndup(rsp_arena *a, const char *s, size_t length);
char *rsp_printf(rsp_arena *a, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* For a terminal: texts come from files, and no control character of theirs may reach it. */
char *rsp_printable(rsp_arena *a, const char *text);
/* Not zeroed where it is large: for what threads fill, so that each brings in the pages that it writes. */
void *rsp_alloc_unset(rsp_arena *a, size_t count, size_t size);
#define RSP_NEW(arena, type) ((type *) rsp_alloc((arena), sizeof(type)))
#define RSP_ARRAY(arena, type, count) ((type *) rsp_alloc_array((arena), (count), sizeof(type)))
#define RSP_ARRAY_UNSET(arena, type, count) ((type *) rsp_alloc_unset((arena), (count), sizeof(type)))

/* Heap memory that the caller frees with free(); never NULL. */
void *rsp_malloc(size_t bytes);
void *rsp_calloc(size_t count, size_t size);
void *rsp_realloc(void *p, size_t bytes);
/* The system may have back what lies within these bytes of a large block, which are read no more; they are freed as ever. */
void rsp_give_back(const void *p, size_t bytes);
/* From here on the heap keeps what is freed: pictures and models' columns of some MiB come and go by the hundred, and what is
 * given back is cleared anew for each. Not while exports are read, whose texts would lie beside their answers. */
void rsp_heap_keep(void);

/* A growing array kept by hand: RSP_PUSH(v, n, cap, value) appends to heap array v of n elements with room for cap. */
#define RSP_PUSH(v, n, cap, value)                                                                                     \
    do {                                                                                                               \
        if ((n) == (cap)) {                                                                                            \
            (cap) = (cap) ? 2 * (cap) : 16;                                                                            \
            (v) = rsp_realloc((v), (cap) * sizeof *(v));                                                               \
        }                                                                                                              \
        (v)[(n)++] = (value);                                                                                          \
    } while (0)

/* Growing byte buffer; always NUL-terminated after the first write. Zero-initialise; free with rsp_buf_free. */
typedef struct {
    char *data;
    size_t length, capacity;
} rsp_buf;

void rsp_buf_add(rsp_buf *b, const char *bytes, size_t length);
void rsp_buf_reserve(rsp_buf *b, size_t more); /* room for so many further bytes, at least twice what there was */
void rsp_buf_puts(rsp_buf *b, const char *s);
void rsp_buf_putc(rsp_buf *b, char c);
void rsp_buf_printf(rsp_buf *b, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* One field of a CSV record (RFC 4180), quoted where it must be. guard: what a spreadsheet would run as a formula (= + - @
 * in front) gets an apostrophe. */
void rsp_buf_csv(rsp_buf *b, const char *text, bool guard);
void rsp_buf_free(rsp_buf *b);

/* ---- names ------------------------------------------------------------------------------------------------------ */

/* Map from string to a number of the caller's (an index). Keys are copied. */
typedef struct rsp_map rsp_map;

#define RSP_NONE ((size_t) -1)
rsp_map *rsp_map_new(void);
void rsp_map_free(rsp_map *m);
size_t rsp_map_get(const rsp_map *m, const char *key); /* RSP_NONE if absent */
size_t rsp_map_get_n(const rsp_map *m, const char *key, size_t length);
bool rsp_map_put(rsp_map *m, const char *key, size_t value); /* false and unchanged if the key is there */
bool rsp_map_put_n(rsp_map *m, const char *key, size_t length, size_t value);
size_t rsp_map_count(const rsp_map *m);

/* The candidate nearest to word by edit distance, or NULL when none is near enough to be meant. */
const char *rsp_suggest(const char *word, const char *const *candidates, size_t n);

/* ---- diagnostics ------------------------------------------------------------------------------------------------ */

/* A place in a file: line and column count characters from 1; 0 means unknown. file NULL: no place. */
typedef struct {
    const char *file;
    int line, column;
} rsp_loc;

/* Classes of errors are the exit statuses of the program; warnings and notes do not stop a run. */
typedef enum {
    RSP_NOTE = -1,   /* worth knowing */
    RSP_WARNING = 1, /* the run goes on and ends with status 1 */
    RSP_ERR_USAGE = 2,
    RSP_ERR_STUDY = 3,  /* wrong study specification */
    RSP_ERR_DATA = 4,   /* unreadable or inconsistent input data */
    RSP_ERR_OUTPUT = 5, /* could not write */
    RSP_ERR_LOCKED = 6, /* another run holds the lock */
    RSP_ERR_BUG = 70
} rsp_class;

typedef struct {
    rsp_class class;
    rsp_loc loc;
    const char *message; /* what is wrong */
    const char *hint;    /* what to do; NULL if the message says it */
} rsp_diagnostic;

typedef struct rsp_diag rsp_diag; /* thread-safe collector */

rsp_diag *rsp_diag_new(void);
void rsp_diag_free(rsp_diag *d);
/* Adds one entry; the same text at the same place is kept once. hint may be NULL; it is copied. */
void rsp_report(rsp_diag *d, rsp_class class, rsp_loc loc, const char *hint, const char *format, ...)
    __attribute__((format(printf, 5, 6)));
size_t rsp_diag_errors(const rsp_diag *d); /* entries of an error class */
size_t rsp_diag_warnings(const rsp_diag *d);
size_t rsp_diag_count(const rsp_diag *d);
const rsp_diagnostic *rsp_diag_at(rsp_diag *d, size_t k); /* sorted by file, line, column, then order of arrival */
int rsp_diag_status(const rsp_diag *d);                   /* exit status: 0, 1, or the lowest error class present */
/* Prints `file:line:column: error: message (hint)`, one a line. At most `limit` entries of each class, then how many
 * more; 0: all. What fails to be written for one and the same reason is said once, with how many other files. */
void rsp_diag_print(rsp_diag *d, FILE *to, bool colour, size_t limit);

#define RSP_NOWHERE ((rsp_loc){NULL, 0, 0})

/* ---- hashes and random streams ---------------------------------------------------------------------------------- */

/* SHA-256 by Nettle, which uses the processor's own instructions for it. */
typedef struct {
    _Alignas(64) unsigned char state[128];
} rsp_hash;

void rsp_hash_init(rsp_hash *h);
void rsp_hash_add(rsp_hash *h, const void *bytes, size_t length);
void rsp_hash_str(rsp_hash *h, const char *s); /* with its length, so that ("a","b") and ("ab","") differ */
void rsp_hash_hex(rsp_hash *h, char hex[65]);
bool rsp_hash_file(const char *path, char hex[65]); /* false if it cannot be read */

/* SHA-256 of the files of a folder, each read once. */
typedef struct rsp_hashes rsp_hashes;
rsp_hashes *rsp_hashes_new(void);
/* Reads those of paths[n] (below `dir`) that are not known yet, on all threads, and lets them start on their way to the disk.
 * False, each reported: cannot be read. */
bool rsp_hashes_add(rsp_hashes *h, const char *dir, const char *const *paths, size_t n, rsp_diag *d);
const char *rsp_hashes_get(const rsp_hashes *h, const char *path); /* hexadecimal; NULL: not known */
void rsp_hashes_free(rsp_hashes *h);

/* Fast 64-bit hash of bytes for sorting and tables (not for identity of publications). */
uint64_t rsp_hash64(const void *bytes, size_t length, uint64_t seed);

/* Counter-based random stream Philox 4x32-10 (Salmon, Moraes, Dror and Shaw 2011): the k-th number of stream s of a
 * seed does not depend on what other streams did, so replicates can be made in any order on any thread. */
typedef struct {
    uint32_t key[2], counter[4], block[4];
    unsigned used;
} rsp_rng;

void rsp_rng_init(rsp_rng *r, uint64_t seed, uint64_t stream);
uint32_t rsp_rng_u32(rsp_rng *r);
double rsp_rng_uniform(rsp_rng *r);             /* in (0,1), 53 bits */
double rsp_rng_normal(rsp_rng *r);              /* inverse of the normal distribution function */
uint32_t rsp_rng_below(rsp_rng *r, uint32_t n); /* 0 .. n-1, unbiased; n > 0 */

/* ---- numbers ---------------------------------------------------------------------------------------------------- */

/* Shortest decimal that reads back to the same double, in the C locale whatever the process's; "" for NaN. */
void rsp_double_text(double x, char text[32]);
/* Reads a whole number text with the given decimal sign; blanks around are allowed. False if it is not a number. */
bool rsp_parse_double(const char *text, size_t length, char decimal, double *value);

/* Student's t, F, chi-square and normal: upper tails and quantiles accurate in far tails (see engine/base/dist.c). */
double rsp_t_two_sided(double t, double df); /* df infinite or NaN: normal */
double rsp_t_quantile(double p, double df);
double rsp_f_upper(double f, double df1, double df2);
double rsp_chisq_upper(double x, double df);
double rsp_normal_quantile(double p);
double rsp_beta_quantile(double p, double a, double b);

/* ---- threads ---------------------------------------------------------------------------------------------------- */

/* Rows are worked on in fixed blocks, whatever the number of threads, and block sums are added in order: this is what
 * makes results independent of threads. */
enum { RSP_BLOCK = 4096 };
void rsp_threads_set(int jobs); /* 0: as many as there are cores; BLAS stays on one thread */
int rsp_threads(void);

/* ---- files ------------------------------------------------------------------------------------------------------ */

/* The name in the folder of `path` that is nearest to a file that is not there, in the arena; NULL: none is near. */
const char *rsp_suggest_file(rsp_arena *a, const char *path);
/* Whole file into the buffer; on failure reports class `class` at loc and returns false. */
bool rsp_read_file(const char *path, rsp_buf *into, rsp_diag *d, rsp_class class, rsp_loc loc);
/* Writes path whole; every write is checked; on failure reports RSP_ERR_OUTPUT, returns false. The publication brings all
 * its files to the disk at once (batch/publish.h). */
bool rsp_write_file(const char *path, const void *bytes, size_t length, rsp_diag *d);
bool rsp_make_dirs(const char *path, rsp_diag *d); /* like mkdir -p */
const char *rsp_data_dir(void); /* folder that holds reports/ and specs/: beside the program, or as installed */
/* Path of `name` as seen from folder `dir`: absolute names stay. */
char *rsp_path_join(rsp_arena *a, const char *dir, const char *name);
/* The same file by a path without `folder/..` and `.`, for people to read. What lies behind a link keeps its `..`. */
char *rsp_path_plain(rsp_arena *a, const char *path);

extern const char *const RSP_VERSION;
extern const char *const RSP_COMMIT; /* of the sources, "" if unknown */

#endif
