/* Functions of other libraries that this program answers itself, because those who call them offer no setting. The Makefile
 * (HOOKS) makes the linker take them in and show them to the libraries. */
#include <dlfcn.h>
#include <printf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

/* LAPACK's Fortran runtime brings libquadmath, which adds conversions of its own to printf; from then on glibc parses every
 * format the slow way, for everybody: a sixth of a night. -1 is the documented "no room", and libquadmath leaves it at that. */
int register_printf_type(printf_va_arg_function *read) {
    (void) read;
    return -1;
}

/* Cairo and libxlsxwriter pack at zlib's default level 6, and thousands of small parts: level 1 takes less than half the time
 * over them for a tenth more bytes, and a window of 8 KiB, whose tables stay in the cache, need not be cleared at length for
 * each. A level that somebody chose stays, and the window with it. */
enum { QUICK = Z_BEST_SPEED, WINDOW_BITS = 13, MEMORY = 6 };

/* Negative: no header; beyond MAX_WBITS: gzip's. */
static int small_window(int bits) {
    return bits < 0 ? -WINDOW_BITS : bits > MAX_WBITS ? 16 + WINDOW_BITS : WINDOW_BITS;
}

typedef int init_function(z_streamp, int, int, int, int, int, const char *, int);

int deflateInit2_(z_streamp z, int level, int method, int window_bits, int memory, int strategy, const char *version,
                  int size) {
    static init_function *next;
    init_function *found = __atomic_load_n(&next, __ATOMIC_RELAXED);
    if (!found) {
        void *symbol = dlsym(RTLD_NEXT, "deflateInit2_");
        if (!symbol) return Z_VERSION_ERROR;
        *(void **) &found = symbol;
        __atomic_store_n(&next, found, __ATOMIC_RELAXED);
    }
    if (level != Z_DEFAULT_COMPRESSION) return found(z, level, method, window_bits, memory, strategy, version, size);
    return found(z, QUICK, method, small_window(window_bits), MEMORY, strategy, version, size);
}

int deflateInit_(z_streamp z, int level, const char *version, int size) {
    return deflateInit2_(z, level, Z_DEFLATED, MAX_WBITS, 8, Z_DEFAULT_STRATEGY, version, size);
}

/* A thread that waits for the next parallel loop spins, by libgomp's default, for many milliseconds: on a machine that
 * others use too it takes from them, and from the very thread it waits for. Here it looks a thousand times (a twentieth of a
 * millisecond), then sleeps. libgomp reads the number before main begins, from the environment alone; what somebody has set
 * there stays. OpenBLAS likewise starts its own threads, which spin, before main could say that none are wanted. */
char *getenv(const char *name) {
    static char briefly[] = "1000", one[] = "1";
    size_t length = strlen(name);
    bool policy = false;
    for (char **at = environ; at && *at; at++) {
        if (strncmp(*at, name, length) == 0 && (*at)[length] == '=') return *at + length + 1;
        policy |= strncmp(*at, "OMP_WAIT_POLICY=", 16) == 0;
    }
    if (strcmp(name, "OPENBLAS_NUM_THREADS") == 0) return one;
    return !policy && strcmp(name, "GOMP_SPINCOUNT") == 0 ? briefly : NULL;
}
