/* Functions of other libraries that this program answers itself, because those who call them offer no setting. The Makefile
 * (HOOKS) makes the linker take them in and show them to the libraries. */
#include <printf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* LAPACK's Fortran runtime brings libquadmath, which adds conversions of its own to printf; from then on glibc parses every
 * format the slow way, for everybody: a sixth of a night. -1 is the documented "no room", and libquadmath leaves it at that. */
int register_printf_type(printf_va_arg_function *read) {
    (void) read;
    return -1;
}

/* Whether nothing else runs or wants to: the fourth number of /proc/loadavg counts such tasks, this one among them. */
static bool machine_is_quiet(void) {
    int running = 0;
    FILE *f = fopen("/proc/loadavg", "r");
    if (!f) return false;
    bool read = fscanf(f, "%*s %*s %*s %d/", &running) == 1;
    fclose(f);
    return read && running == 1;
}

/* A thread that waits for the next parallel loop spins, by libgomp's default, for many milliseconds: on a machine that
 * others use too it takes from them, and from the very thread it waits for. Here it looks a thousand times (a fiftieth of a
 * millisecond), then sleeps. Waking it costs more than a short loop gains, and most loops over a hundred thousand respondents
 * begin within two tenths of a millisecond of the one before: where nobody else uses the machine as the program starts, a
 * thread looks ten times as long. libgomp reads the number before main begins, from the environment alone; what somebody has set
 * there stays. OpenBLAS likewise starts its own threads, which spin, before main could say that none are wanted. */
char *getenv(const char *name) {
    static char briefly[] = "1000", quietly[] = "10000", one[] = "1";
    size_t length = strlen(name);
    bool policy = false;
    for (char **at = environ; at && *at; at++) {
        if (strncmp(*at, name, length) == 0 && (*at)[length] == '=') return *at + length + 1;
        policy |= strncmp(*at, "OMP_WAIT_POLICY=", 16) == 0;
    }
    if (strcmp(name, "OPENBLAS_NUM_THREADS") == 0) return one;
    if (policy || strcmp(name, "GOMP_SPINCOUNT") != 0) return NULL;
    return machine_is_quiet() ? quietly : briefly;
}
