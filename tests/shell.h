/* Commands of a shell, for tests that work with the installed or built program as its users do. */
#ifndef RESPONSIVE_TESTS_SHELL_H
#define RESPONSIVE_TESTS_SHELL_H

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/time.h>
#include <sys/wait.h>

static int sh(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The command's exit status; -1: a signal ended it. */
static int sh(const char *format, ...) {
    char command[4096];
    va_list args;
    va_start(args, format);
    vsnprintf(command, sizeof command, format, args);
    va_end(args);
    int status = system(command);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* Of processor time, whatever else the machine has to do; 0: no limit. What goes on for longer is ended by a signal. */
static inline void limit_seconds(time_t seconds) {
    setitimer(ITIMER_PROF, &(struct itimerval){.it_value = {seconds, 0}}, NULL);
}

/* Where what is tested was built: as tests/run was told, or by plain `make`. */
static inline const char *build_folder(void) {
    const char *told = getenv("BUILD");
    return told ? told : "build";
}

#endif
