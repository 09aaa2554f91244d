/* A library for LD_PRELOAD that lets one call fail: what a full disk, a broken one, lost permissions or too little memory
 * do to a run.
 *
 *   RSP_FAULT_UNDER   folder (absolute): only calls that concern files below it count
 *   RSP_FAULT_AT      the call that fails, from 1; 0: none
 *   RSP_FAULT_STAYS   1: every later call that needs room on the disk fails too, as on a full disk
 *   RSP_FAULT_MEMORY  the allocation that fails, of the program or of any library, from 1; 0: none
 *   RSP_FAULT_SITE    the same by its place (in hexadecimal; 0: none): the first allocation asked for there, RSP_FAULT_MEMORY or
 *                     a later one
 *   RSP_FAULT_SHORT   1: every later allocation fails too
 *   RSP_FAULT_SITES   file that gets the places of all allocations, one a line, and the first allocation there
 *   RSP_FAULT_REPORT  file that gets the number of calls, the name of the one that failed, the number of allocations, and
 *                     whether one of them failed
 *
 * A place is a chain of callers, FRAMES deep from the one that asked for memory (a helper that asks for
 * many, such as g_malloc(), is not one place), each told by its library and its distance
 * from where that was loaded: the same in every run of the same build, whatever the addresses and the order of threads.
 *
 * What a call fails with goes round with its number: ENOSPC, EIO, EACCES, and for write() half of the bytes first. A
 * stream (fopen) fails as a real one does: its descriptor becomes that of /dev/full. */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <link.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <unwind.h>

#define REAL(name, ...) ((__typeof__(name) *) dlsym(RTLD_NEXT, #name))(__VA_ARGS__)

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static long calls;
static char failed[64] = "none";

/* Set before main(): an allocation must not look at the environment. 0 before that. */
static atomic_long allocations;
static long allocation_at;
static bool counting, memory_stays_short;
static atomic_bool refused; /* an allocation has failed */

static long number_of(const char *name) {
    const char *text = getenv(name);
    return text ? atol(text) : 0;
}

static bool below(const char *path) {
    const char *under = getenv("RSP_FAULT_UNDER");
    size_t n = under ? strlen(under) : 0;
    return n && path && strncmp(path, under, n) == 0 && (path[n] == '/' || !path[n]);
}

static bool concerns(int fd) {
    char name[64], path[PATH_MAX];
    ssize_t n;
    snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
    n = readlink(name, path, sizeof path - 1);
    if (n <= 0) return false;
    path[n] = '\0';
    return below(path);
}

/* Counts a call; true with errno set if it is to fail. */
static bool fails(const char *call, bool needs_room) {
    static const int errors[] = {ENOSPC, EIO, EACCES, ENOSPC};
    pthread_mutex_lock(&lock);
    long at = number_of("RSP_FAULT_AT"), now = ++calls;
    bool fail = at > 0 && (now == at || (now > at && needs_room && number_of("RSP_FAULT_STAYS")));
    if (now == at) snprintf(failed, sizeof failed, "%s", call);
    pthread_mutex_unlock(&lock);
    if (fail) errno = number_of("RSP_FAULT_STAYS") ? ENOSPC : errors[at % 4];
    return fail;
}

static void write_sites(void);

__attribute__((destructor)) static void report(void) {
    write_sites();
    const char *path = getenv("RSP_FAULT_REPORT");
    FILE *f = path ? REAL(fopen, path, "we") : NULL;
    if (!f) return;
    fprintf(f, "%ld %s %ld %d\n", calls, failed, atomic_load(&allocations), atomic_load(&refused) ? 1 : 0);
    fclose(f);
}

/* ---- descriptors ------------------------------------------------------------------------------------------------ */

int open(const char *path, int flags, ...) {
    va_list args;
    va_start(args, flags);
    int mode = flags & (O_CREAT | __O_TMPFILE) ? va_arg(args, int) : 0;
    va_end(args);
    if (below(path) && fails("open", flags & O_CREAT)) return -1;
    return REAL(open, path, flags, mode);
}

int open64(const char *path, int flags, ...) {
    va_list args;
    va_start(args, flags);
    int mode = flags & (O_CREAT | __O_TMPFILE) ? va_arg(args, int) : 0;
    va_end(args);
    if (below(path) && fails("open64", flags & O_CREAT)) return -1;
    return REAL(open64, path, flags, mode);
}

ssize_t write(int fd, const void *bytes, size_t length) {
    if (concerns(fd) && fails("write", true)) {
        bool half = number_of("RSP_FAULT_AT") % 4 == 3 && length > 1;
        return half ? REAL(write, fd, bytes, length / 2) : -1;
    }
    return REAL(write, fd, bytes, length);
}

ssize_t pwrite(int fd, const void *bytes, size_t length, off_t at) {
    if (concerns(fd) && fails("pwrite", true)) return -1;
    return REAL(pwrite, fd, bytes, length, at);
}

int ftruncate(int fd, off_t length) {
    if (concerns(fd) && fails("ftruncate", true)) return -1;
    return REAL(ftruncate, fd, length);
}

int fsync(int fd) {
    if (concerns(fd) && fails("fsync", true)) return -1;
    return REAL(fsync, fd);
}

/* The descriptor is gone whatever close() says. */
int close(int fd) {
    bool fail = concerns(fd) && fails("close", false);
    int why = errno, rc = REAL(close, fd);
    if (!fail) return rc;
    errno = why;
    return -1;
}

/* ---- names ------------------------------------------------------------------------------------------------------ */

int rename(const char *from, const char *to) {
    if (below(to) && fails("rename", true)) return -1;
    return REAL(rename, from, to);
}

int symlink(const char *to, const char *path) {
    if (below(path) && fails("symlink", true)) return -1;
    return REAL(symlink, to, path);
}

int mkdir(const char *path, mode_t mode) {
    if (below(path) && fails("mkdir", true)) return -1;
    return REAL(mkdir, path, mode);
}

int unlink(const char *path) {
    if (below(path) && fails("unlink", false)) return -1;
    return REAL(unlink, path);
}

/* ---- streams ---------------------------------------------------------------------------------------------------- */

static void fill_up(FILE *f) {
    int full = REAL(open, "/dev/full", O_WRONLY | O_CLOEXEC, 0); /* reading from it would never end */
    if (full < 0) return;
    dup2(full, fileno(f));
    REAL(close, full);
}

FILE *fopen(const char *path, const char *mode) {
    if (below(path) && fails("fopen", *mode != 'r')) return NULL;
    return REAL(fopen, path, mode);
}

FILE *fopen64(const char *path, const char *mode) {
    if (below(path) && fails("fopen64", *mode != 'r')) return NULL;
    return REAL(fopen64, path, mode);
}

size_t fwrite(const void *bytes, size_t size, size_t n, FILE *f) {
    if (concerns(fileno(f)) && fails("fwrite", true)) fill_up(f);
    return REAL(fwrite, bytes, size, n, f);
}

int fclose(FILE *f) {
    if (concerns(fileno(f)) && fails("fclose", false)) fill_up(f);
    return REAL(fclose, f);
}

/* ---- places of allocations -------------------------------------------------------------------------------------- */

enum { FRAMES = 3, MOST_SITES = 1 << 16 };

struct walk {
    uint64_t site;
    int frames;
    bool outside; /* of this library and of the program's malloc() */
};

static struct dl_find_object self;
static _Atomic uint64_t sites[MOST_SITES]; /* 0: free */
static long first_at[MOST_SITES];
static uint64_t site_at;
static bool listing;

static uint64_t mixed(uint64_t h, uint64_t x) {
    h = (h ^ x) * 0x9E3779B97F4A7C15u;
    return h ^ h >> 29;
}

static _Unwind_Reason_Code add_frame(struct _Unwind_Context *context, void *p) {
    struct walk *w = p;
    struct dl_find_object in;
    void *pc = (void *) _Unwind_GetIP(context);
    if (!pc || _dl_find_object(pc, &in) != 0) return _URC_END_OF_STACK;
    if (in.dlfo_map_start == self.dlfo_map_start) return _URC_NO_REASON;
    if (!w->outside) {
        w->outside = true;
        return _URC_NO_REASON;
    }
    const char *name = strrchr(in.dlfo_link_map->l_name, '/');
    for (name = name ? name : ""; *name; name++) w->site = mixed(w->site, (unsigned char) *name);
    w->site = mixed(w->site, (uint64_t) ((char *) pc - (char *) in.dlfo_map_start));
    return ++w->frames < FRAMES ? _URC_NO_REASON : _URC_END_OF_STACK;
}

/* Walks the stack by what compilers write for exceptions, which needs no memory. */
static uint64_t site_of_caller(void) {
    struct walk w = {.site = 1};
    _Unwind_Backtrace(add_frame, &w);
    return w.site ? w.site : 1;
}

static void list_site(uint64_t site, long now) {
    for (size_t k = site % MOST_SITES, tried = 0; tried < MOST_SITES; tried++, k = (k + 1) % MOST_SITES) {
        uint64_t there = 0;
        bool added = atomic_compare_exchange_strong(&sites[k], &there, site);
        if (added) first_at[k] = now;
        if (added || there == site) return;
    }
}

static void write_sites(void) {
    const char *path = getenv("RSP_FAULT_SITES");
    FILE *f = path ? REAL(fopen, path, "we") : NULL;
    if (!f) return;
    for (size_t k = 0; k < MOST_SITES; k++)
        if (sites[k]) fprintf(f, "%016" PRIx64 " %ld\n", sites[k], first_at[k]);
    fclose(f);
}

/* ---- memory ----------------------------------------------------------------------------------------------------- */

__attribute__((constructor)) static void begin(void) {
    const char *site = getenv("RSP_FAULT_SITE");
    allocation_at = number_of("RSP_FAULT_MEMORY");
    memory_stays_short = number_of("RSP_FAULT_SHORT");
    site_at = site ? strtoull(site, NULL, 16) : 0;
    listing = getenv("RSP_FAULT_SITES");
    counting = _dl_find_object((void *) begin, &self) == 0;
}

static bool falls_here(long now) {
    if (listing) list_site(site_of_caller(), now);
    if (site_at) return now >= allocation_at && site_of_caller() == site_at;
    return allocation_at && now == allocation_at;
}

static bool short_of_memory(void) {
    if (!counting) return false;
    long now = atomic_fetch_add(&allocations, 1) + 1;
    if (atomic_load(&refused) ? !memory_stays_short : !falls_here(now)) return false;
    atomic_store(&refused, true);
    errno = ENOMEM;
    return true;
}

/* The program's malloc() asks these (engine/allocator.c), for all libraries too. */
void *__libc_malloc(size_t bytes);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *p, size_t bytes);
void *__libc_memalign(size_t alignment, size_t bytes);

void *__libc_malloc(size_t bytes) {
    static __typeof__(__libc_malloc) *next;
    if (!next) next = (__typeof__(next)) dlsym(RTLD_NEXT, "__libc_malloc");
    return short_of_memory() ? NULL : next(bytes);
}

void *__libc_calloc(size_t count, size_t size) {
    static __typeof__(__libc_calloc) *next;
    if (!next) next = (__typeof__(next)) dlsym(RTLD_NEXT, "__libc_calloc");
    return short_of_memory() ? NULL : next(count, size);
}

void *__libc_realloc(void *p, size_t bytes) {
    static __typeof__(__libc_realloc) *next;
    if (!next) next = (__typeof__(next)) dlsym(RTLD_NEXT, "__libc_realloc");
    return short_of_memory() ? NULL : next(p, bytes);
}

void *__libc_memalign(size_t alignment, size_t bytes) {
    static __typeof__(__libc_memalign) *next;
    if (!next) next = (__typeof__(next)) dlsym(RTLD_NEXT, "__libc_memalign");
    return short_of_memory() ? NULL : next(alignment, bytes);
}
