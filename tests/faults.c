/* A library for LD_PRELOAD that lets one call fail: what a full disk, a broken one, lost permissions or too little memory
 * do to a run.
 *
 *   RSP_FAULT_UNDER   folder (absolute): only calls that concern files below it count
 *   RSP_FAULT_AT      the call that fails, from 1; 0: none
 *   RSP_FAULT_STAYS   1: every later call that needs room on the disk fails too, as on a full disk
 *   RSP_FAULT_MEMORY  the allocation that fails, of the program or of any library, from 1; 0: none
 *   RSP_FAULT_SHORT   1: every later allocation fails too
 *   RSP_FAULT_REPORT  file that gets the number of calls, the name of the one that failed, and the number of allocations
 *
 * What a call fails with goes round with its number: ENOSPC, EIO, EACCES, and for write() half of the bytes first. A
 * stream (fopen) fails as a real one does: its descriptor becomes that of /dev/full. */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define REAL(name, ...) ((__typeof__(name) *) dlsym(RTLD_NEXT, #name))(__VA_ARGS__)

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static long calls;
static char failed[64] = "none";

/* Set before main(): an allocation must not look at the environment. 0 before that. */
static atomic_long allocations;
static long allocation_at;
static bool counting, memory_stays_short;

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

__attribute__((destructor)) static void report(void) {
    const char *path = getenv("RSP_FAULT_REPORT");
    FILE *f = path ? REAL(fopen, path, "we") : NULL;
    if (!f) return;
    fprintf(f, "%ld %s %ld\n", calls, failed, atomic_load(&allocations));
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

/* ---- memory ----------------------------------------------------------------------------------------------------- */

__attribute__((constructor)) static void begin(void) {
    allocation_at = number_of("RSP_FAULT_MEMORY");
    memory_stays_short = number_of("RSP_FAULT_SHORT");
    counting = true;
}

static bool short_of_memory(void) {
    if (!counting) return false;
    long now = atomic_fetch_add(&allocations, 1) + 1;
    if (!allocation_at || (now != allocation_at && !(memory_stays_short && now > allocation_at))) return false;
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
