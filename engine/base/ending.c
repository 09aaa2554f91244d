#include "base/ending.h"

#include "responsive/base.h"

#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Other threads go on writing for a moment: what they add is removed in another pass. */
enum { PASSES = 20, DEEPEST = 16, ENTRIES = 4096 };

static char staging[PATH_MAX];
static atomic_bool staged, published, expected, tells_only;
static atomic_flag ending = ATOMIC_FLAG_INIT;

void rsp_ending_removes(const char *dir) {
    atomic_store(&staged, false);
    if (!dir || strlen(dir) >= sizeof staging) return;
    strcpy(staging, dir);
    atomic_store(&staged, true);
}

void rsp_ending_published(void) { atomic_store(&published, true); }

void rsp_ending_tells_only(void) { atomic_store(&tells_only, true); }

void rsp_ending_expected(void) { atomic_store(&expected, true); }

/* ---- removing without memory ------------------------------------------------------------------------------------ */

struct entry { /* what the kernel writes: struct linux_dirent64 */
    uint64_t inode;
    int64_t next;
    unsigned short length;
    unsigned char type;
    char name[];
};

/* Empties the folder that fd stands for. readdir() would allocate, so the kernel is asked; each depth has its own room. */
static void empty(int fd, int depth) {
    static _Alignas(8) char room[DEEPEST][ENTRIES];
    if (depth == DEEPEST) return;
    for (long got; (got = syscall(SYS_getdents64, fd, room[depth], ENTRIES)) > 0;) {
        for (long at = 0; at < got;) {
            const struct entry *e = (const struct entry *) (room[depth] + at);
            at += e->length;
            if (strcmp(e->name, ".") == 0 || strcmp(e->name, "..") == 0) continue;
            if (unlinkat(fd, e->name, 0) == 0) continue;
            int below = openat(fd, e->name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
            if (below < 0) continue;
            empty(below, depth + 1);
            close(below);
            unlinkat(fd, e->name, AT_REMOVEDIR);
        }
    }
}

static void remove_staging(void) {
    if (!atomic_load(&staged)) return;
    for (int pass = 0; pass < PASSES && access(staging, F_OK) == 0; pass++) {
        int fd = open(staging, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (fd < 0) return;
        empty(fd, 0);
        close(fd);
        rmdir(staging);
    }
}

/* ---- ends ------------------------------------------------------------------------------------------------------- */

static void say(const char *text) {
    ssize_t written = write(STDERR_FILENO, text, strlen(text));
    (void) written;
}

/* One thread ends the program; others that come here wait for it. */
static void end(const char *what, const char *remedy) {
    if (atomic_flag_test_and_set(&ending))
        for (;;) pause();
    remove_staging();
    say("responsive: ");
    say(what);
    if (!atomic_load(&tells_only)) say(atomic_load(&published) ? "; the run is published" : "; nothing was published");
    say(remedy);
    say("\n");
}

void rsp_ending_without_memory(void) {
    end("out of memory", " (give it more memory, fewer threads with --jobs, or fewer analyses at once with --only)");
    _exit(RSP_ERR_BUG);
}

static void on_fault(int signal) {
    static const struct {
        int signal;
        const char *what;
    } names[] = {{SIGSEGV, "a bug: segmentation fault"},
                 {SIGBUS, "a bug, or a file that was cut while it was read: bus error"},
                 {SIGFPE, "a bug: arithmetic fault"},
                 {SIGILL, "a bug, or a program built for another processor: illegal instruction"},
                 {SIGABRT, "a bug, or a library without memory: aborted"},
                 {SIGTRAP, "a library gave up, for want of memory or threads"}}; /* GLib */
    const char *what = "a bug";
    for (size_t k = 0; k < sizeof names / sizeof *names; k++)
        if (names[k].signal == signal) what = names[k].what;
    end(what, " (if memory and threads are not limited, please report it with the study)");
    _exit(RSP_ERR_BUG);
}

/* The caller sees that it was the signal: the handler is gone when the signal comes again. */
static void on_stop(int signal) {
    if (signal != SIGPIPE || !atomic_load(&tells_only)) end("stopped", "");
    raise(signal);
}

static void on_exit_by_others(void) {
    if (atomic_load(&expected)) return;
    end("a library gave up", " (see what it said above: memory, or the number of threads, may be limited)");
    _exit(RSP_ERR_BUG);
}

void rsp_ending_watch(void) {
    static const int stops[] = {SIGTERM, SIGINT, SIGHUP, SIGPIPE, SIGXCPU};
    struct sigaction stop = {.sa_handler = on_stop, .sa_flags = (int) SA_RESETHAND};
    struct sigaction ignored;
    for (size_t k = 0; k < sizeof stops / sizeof *stops; k++) /* nohup ignores one of them: leave it so */
        if (sigaction(stops[k], NULL, &ignored) == 0 && ignored.sa_handler != SIG_IGN) sigaction(stops[k], &stop, NULL);
#ifndef __SANITIZE_ADDRESS__    /* it has handlers of its own, which say more */
    static char stack[1 << 16]; /* a stack that overflows leaves no room for a handler */
    static const int faults[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP};
    /* The handler stays: of two threads that a library gives up in, the second waits. A fault within it ends the program. */
    struct sigaction fault = {.sa_handler = on_fault, .sa_flags = SA_ONSTACK};
    sigaltstack(&(stack_t){.ss_sp = stack, .ss_size = sizeof stack}, NULL);
    for (size_t k = 0; k < sizeof faults / sizeof *faults; k++) sigaction(faults[k], &fault, NULL);
    atexit(on_exit_by_others);
#else
    (void) on_fault;
    (void) on_exit_by_others;
#endif
}
