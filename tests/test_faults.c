/* What a night leaves behind when the disk is full or broken, when permissions are lost, when memory is short, and when the
 * program is stopped or killed: `latest` is whole, old or new; staging is gone, at the latest after the next run.
 * tests/faults.c makes the calls fail.
 *
 * Every call and every place that asks for memory is a night of its own with FAULTS=all (`make faults`, about half an hour);
 * otherwise the first and last calls, and samples of the rest. */
#include "responsive/base.h"
#include "shell.h"

#include <fcntl.h>
#include <jansson.h>
#include <inttypes.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

enum {
    KILLS = 100,
    PLACES = 60,
    MOST_PLACES = 1 << 16,
    BEFORE = 2000,
    AT_THE_END = 12,
    SECONDS = 25 /* then steps grow faster: the machine is busy */
};

#ifdef __SANITIZE_ADDRESS__
enum { SANITIZED = 1 }; /* LD_PRELOAD and the sanitizer do not mix */
#else
enum { SANITIZED = 0 };
#endif

static char here[256], out[300], program[1024], faults[1024], report[400];
static bool all; /* FAULTS=all */

/* What goes wrong in a night: calls and allocations count from 1; 0: none. */
struct fault {
    long call, allocation;
    uint64_t site; /* of tests/faults.c: the first allocation asked for there, counting from the one above */
    bool stays;    /* from there on all that are alike fail */
    rlim_t space;  /* bytes of address space; 0: no limit */
};

static void set_number(const char *name, long k) {
    char text[32];
    snprintf(text, sizeof text, "%ld", k);
    setenv(name, text, 1);
}

static pid_t start(const struct fault *f) {
    pid_t child = fork();
    assert_true(child >= 0);
    if (child) return child;
    char log[400], site[32];
    snprintf(log, sizeof log, "%s/stderr", here);
    int fd = open(log, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (fd >= 0) dup2(fd, 2);
    if (f) {
        setenv("LD_PRELOAD", faults, 1);
        setenv("RSP_FAULT_UNDER", out, 1);
        setenv("RSP_FAULT_REPORT", report, 1);
        set_number("RSP_FAULT_AT", f->call);
        set_number("RSP_FAULT_STAYS", f->call && f->stays);
        set_number("RSP_FAULT_MEMORY", f->allocation);
        set_number("RSP_FAULT_SHORT", (f->allocation || f->site) && f->stays);
        snprintf(site, sizeof site, "%016" PRIx64, f->site);
        setenv("RSP_FAULT_SITE", site, 1);
        if (f->space) setrlimit(RLIMIT_AS, &(struct rlimit){f->space, f->space});
    }
    alarm(180); /* a night that hangs is killed, and fails the test */
    execl(program, "responsive", "run", "specs/wvs", "--out", out, "--lang", "en", "--only", "poverty", "--quiet",
          "--force", (char *) NULL);
    _exit(127);
}

static int finish(pid_t child) {
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

/* Of the run before: calls, the name of the one that failed, the number of allocations, whether one failed. */
static long last_report(char name[64], long *allocations, int *short_of_memory) {
    long n = -1;
    FILE *f = fopen(report, "re");
    assert_non_null(f);
    assert_int_equal(fscanf(f, "%ld %63s %ld %d", &n, name, allocations, short_of_memory), 4);
    fclose(f);
    return n;
}

static char *latest(void) {
    static char target[256];
    char link[400];
    snprintf(link, sizeof link, "%s/wvs/latest", out);
    ssize_t n = readlink(link, target, sizeof target - 1);
    assert_true(n > 0);
    target[n] = '\0';
    return target;
}

/* Names and hashes of everything that `latest` holds. */
static json_t *latest_outputs(void) {
    char path[400];
    snprintf(path, sizeof path, "%s/wvs/latest/manifest.json", out);
    json_t *m = json_load_file(path, 0, NULL);
    assert_non_null(m);
    json_t *outputs = json_incref(json_object_get(m, "outputs"));
    json_decref(m);
    assert_non_null(outputs);
    return outputs;
}

static void assert_latest_whole(const char *when) {
    if (sh("for r in %s/wvs/2*Z*; do [ -e $r/manifest.json ] || exit 1; done", out) != 0)
        fail_msg("%s: half of an old publication is left under its name", when);
    if (sh("%s verify %s/wvs/latest >/dev/null 2>%s/verify.txt", program, out, here) == 0) return;
    sh("cat %s/verify.txt >&2", here);
    fail_msg("%s: latest is not whole", when);
}

static bool any_staging(void) { return sh("ls -d %s/wvs/.staging-* %s/wvs/.latest >/dev/null 2>&1", out, out) == 0; }

/* One night with a fault: what it may and may not leave. */
static void night_with_fault(long k, bool stays, json_t *expected, size_t *refused) {
    char before[256], when[128], call[64];
    long allocations;
    int short_of_memory;
    snprintf(before, sizeof before, "%s", latest());
    int status = finish(start(&(struct fault){.call = k, .stays = stays}));
    last_report(call, &allocations, &short_of_memory);
    snprintf(when, sizeof when, "call %ld (%s)%s", k, call, stays ? ", disk full from there on" : "");
    assert_latest_whole(when);
    if (status == RSP_ERR_OUTPUT) {
        ++*refused;
        if (sh("grep -q 'error: ' %s/stderr", here) != 0) fail_msg("%s: refused without a word", when);
        if (any_staging() && strcmp(call, "unlink") != 0) fail_msg("%s: staging is left", when);
    } else if (status > 1) {
        sh("cat %s/stderr >&2", here);
        fail_msg("%s: exit status %d", when, status);
    } else if (sh("grep -q 'is damaged' %s/stderr", here) != 0) {
        /* Published although a call failed: then nothing may be missing or cut short. Where the publication before could not
         * be read, the quality page says so, and is another. */
        json_t *outputs = latest_outputs();
        if (!json_equal(outputs, expected)) fail_msg("%s: the run is published, and not what it should be", when);
        json_decref(outputs);
    }
    if (status > 1 && strcmp(before, latest()) != 0 && sh("grep -q 'is published' %s/stderr", here) != 0)
        fail_msg("%s: refused, and latest has moved", when);
}

static void failing_calls(void **state) {
    (void) state;
    if (SANITIZED) skip();
    char name[64];
    size_t refused = 0, nights = 0;
    time_t until = time(NULL) + SECONDS;
    json_t *expected = latest_outputs();
    long allocations, n;
    int short_of_memory;
    assert_int_equal(finish(start(&(struct fault){0})), 0);
    n = last_report(name, &allocations, &short_of_memory);
    assert_true(n > 50);
    /* Preparing and publishing call by call, what lies between with growing steps; all again on a disk that stays full. */
    for (int stays = 0; stays < 2; stays++) {
        for (long k = 1, step = 1; k <= n; k += step, nights++) {
            night_with_fault(k, stays, expected, &refused);
            step = all || k + AT_THE_END >= n ? 1 : k < 12 ? 1 : 1 + k / (time(NULL) > until ? 2 : 8);
            if (step > 1 && k + step + AT_THE_END > n) step = n - AT_THE_END - k > 0 ? n - AT_THE_END - k : 1;
        }
    }
    json_decref(expected);
    if (getenv("VERBOSE")) fprintf(stderr, "%ld calls, %zu nights, %zu refused\n", n, nights, refused);
    assert_true(refused > nights / 3);
    assert_int_equal(finish(start(NULL)), 0);
    assert_false(any_staging());
}

/* A night that ends for want of memory, in the engine or in a library: it says so, and leaves what a whole night or none
 * would leave. True if it was refused. */
static bool night_without_memory(const struct fault *f, json_t *expected) {
    char before[256], when[128];
    snprintf(before, sizeof before, "%s", latest());
    int status = finish(start(f));
    snprintf(when, sizeof when, "allocation %ld at %016" PRIx64 "%s, %zu bytes of address space", f->allocation,
             f->site, f->stays ? " and all later ones" : "", (size_t) f->space);
    assert_latest_whole(when);
    if (any_staging()) fail_msg("%s: staging is left", when);
    if (status == RSP_ERR_BUG && sh("grep -q '^responsive: .*memory' %s/stderr", here) == 0) {
        bool moved = strcmp(before, latest()) != 0;
        if (moved == (sh("grep -q 'nothing was published' %s/stderr", here) == 0))
            fail_msg("%s: latest has%s moved, and stderr says otherwise", when, moved ? "" : " not");
        return true;
    }
    if (status != 0) {
        sh("cat %s/stderr >&2", here);
        fail_msg("%s: exit status %d", when, status);
    }
    json_t *outputs = latest_outputs();
    if (!json_equal(outputs, expected)) fail_msg("%s: the run is published, and not what it should be", when);
    json_decref(outputs);
    return false;
}

/* A place that asks for memory, and the allocation of a whole night that was its first. */
struct place {
    uint64_t site;
    long at;
};

static int by_time(const void *a, const void *b) {
    const struct place *p = a, *q = b;
    return p->at != q->at ? (p->at > q->at) - (p->at < q->at) : (p->site > q->site) - (p->site < q->site);
}

static size_t places_of_a_night(struct place *places) {
    char list[400];
    size_t n = 0;
    snprintf(list, sizeof list, "%s/places", here);
    setenv("RSP_FAULT_SITES", list, 1);
    int status = finish(start(&(struct fault){0}));
    unsetenv("RSP_FAULT_SITES");
    assert_int_equal(status, 0);
    FILE *f = fopen(list, "re");
    assert_non_null(f);
    while (n < MOST_PLACES && fscanf(f, "%" SCNx64 " %ld", &places[n].site, &places[n].at) == 2) n++;
    fclose(f);
    qsort(places, n, sizeof *places, by_time);
    return n;
}

/* Threads share out their work, so that a place may be reached earlier than in the night that listed it. */
static bool place_without_memory(const struct place *p, bool stays, json_t *expected, size_t *spared) {
    struct fault f = {.site = p->site, .allocation = p->at > BEFORE ? p->at - BEFORE : 0, .stays = stays};
    for (;; f.allocation = 0) {
        char name[64];
        long allocations;
        int reached;
        if (night_without_memory(&f, expected)) return true;
        last_report(name, &allocations, &reached);
        *spared += reached != 0;
        if (reached || !f.allocation) return false;
    }
}

static void failing_allocations(void **state) {
    (void) state;
    if (SANITIZED) skip();
    size_t refused = 0, spared = 0, nights = 0;
    struct place *places = calloc(MOST_PLACES, sizeof *places);
    assert_non_null(places);
    json_t *expected = latest_outputs();
    size_t n = places_of_a_night(places);
    assert_true(n > 1000);
    /* Otherwise one of each stretch of a night, whose places differ from stretch to stretch. */
    for (size_t k = 0; k < (all ? n : PLACES); k++, nights++) {
        size_t which = all ? k : n * k / PLACES + k * k * 31 % (n / PLACES);
        refused += place_without_memory(&places[which], k % 2, expected, &spared);
    }
    if (getenv("VERBOSE"))
        fprintf(stderr, "%zu places, %zu nights, %zu refused, %zu went on without\n", n, nights, refused, spared);
    assert_true(refused + spared >= nights * 19 / 20); /* few places are not reached in every night */
    assert_true(refused >= nights * 9 / 10);
    json_decref(expected);
    free(places);
}

/* Where the machine refuses memory itself: allocations, stacks of threads, maps of files. Below the first size the system
 * cannot load the program. */
static void too_little_memory(void **state) {
    (void) state;
    if (SANITIZED) skip();
    size_t refused = 0;
    json_t *expected = latest_outputs();
    for (rlim_t megabytes = 160; megabytes <= 640; megabytes += 60)
        refused += night_without_memory(&(struct fault){.space = megabytes << 20}, expected);
    assert_true(refused > 0);
    json_decref(expected);
}

static double seconds_now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double) t.tv_sec + (double) t.tv_nsec * 1e-9;
}

static void kills(void **state) {
    (void) state;
    if (SANITIZED) skip();
    double from = seconds_now();
    assert_int_equal(finish(start(NULL)), 0);
    double length = seconds_now() - from;
    size_t killed = 0;
    for (int k = 0; k < KILLS; k++) {
        double wait = length * (k + 0.5) / KILLS;
        struct timespec pause = {(time_t) wait, (long) ((wait - (double) (time_t) wait) * 1e9)};
        char when[64];
        pid_t child = start(NULL);
        nanosleep(&pause, NULL);
        kill(child, SIGKILL);
        killed += finish(child) == 1000 + SIGKILL;
        snprintf(when, sizeof when, "killed after %.3f s", wait);
        assert_latest_whole(when);
    }
    assert_true(killed > KILLS / 2);
    assert_int_equal(finish(start(NULL)), 0); /* a dead holder's lock holds nobody */
    assert_false(any_staging());
    assert_latest_whole("after the kills");
}

/* Signals that ask the program to stop, and those that a bug raises: staging goes with it. */
static void stopped(void **state) {
    (void) state;
    if (SANITIZED) skip();
    static const struct {
        int signal, status;
        const char *says;
    } ends[] = {{SIGTERM, 1000 + SIGTERM, "stopped; nothing was published"},
                {SIGINT, 1000 + SIGINT, "stopped; nothing was published"},
                {SIGHUP, 1000 + SIGHUP, "stopped; nothing was published"},
                {SIGSEGV, RSP_ERR_BUG, "segmentation fault; nothing was published"},
                {SIGABRT, RSP_ERR_BUG, "aborted; nothing was published"}};
    for (size_t k = 0; k < sizeof ends / sizeof *ends; k++) {
        char before[256];
        snprintf(before, sizeof before, "%s", latest());
        pid_t child = start(NULL);
        for (int wait = 0; !any_staging() && wait < 500; wait++) nanosleep(&(struct timespec){0, 2000000}, NULL);
        kill(child, ends[k].signal);
        int status = finish(child);
        if (status == 0) continue; /* it was quicker than this test */
        assert_int_equal(status, ends[k].status);
        assert_int_equal(sh("grep -q '%s' %s/stderr", ends[k].says, here), 0);
        assert_false(any_staging());
        assert_string_equal(before, latest());
        assert_latest_whole("after a signal");
    }
}

/* A night that was started with nohup goes on when the terminal is gone. */
static void terminal_gone(void **state) {
    (void) state;
    if (SANITIZED) skip();
    signal(SIGHUP, SIG_IGN); /* inherited by the child */
    pid_t child = start(NULL);
    signal(SIGHUP, SIG_DFL);
    for (int wait = 0; !any_staging() && wait < 500; wait++) nanosleep(&(struct timespec){0, 2000000}, NULL);
    kill(child, SIGHUP);
    assert_int_equal(finish(child), 0);
    assert_latest_whole("after a night without its terminal");
}

/* Who only looks and has seen enough hears nothing of it; of a run whose reader is gone it is said what it published. */
static void reader_gone(void **state) {
    (void) state;
    if (SANITIZED) skip();
    assert_int_equal(sh("bash -c '%s schema --reference 2>%s/stderr | head -c 1 >/dev/null; "
                        "test ${PIPESTATUS[0]} = 141 -o ${PIPESTATUS[0]} = 0'",
                        program, here),
                     0);
    assert_int_equal(sh("test ! -s %s/stderr", here), 0);
    char before[256];
    snprintf(before, sizeof before, "%s", latest());
    assert_int_equal(
        sh("bash -c 'set -o pipefail; %s run specs/wvs --out %s --lang en --only poverty --force --explain "
           "2>%s/stderr | true; test ${PIPESTATUS[0]} -le 1 -o ${PIPESTATUS[0]} = 141'",
           program, out, here),
        0);
    bool moved = strcmp(before, latest()) != 0;
    if (!moved) assert_int_equal(sh("grep -q 'stopped; nothing was published' %s/stderr", here), 0);
    assert_false(any_staging());
    assert_latest_whole("after a run whose reader was gone");
}

static int set_up(void **state) {
    (void) state;
    char folder[] = "/tmp/responsive-faults-XXXXXX", cwd[512];
    if (!mkdtemp(folder) || !getcwd(cwd, sizeof cwd)) return -1;
    snprintf(here, sizeof here, "%s", folder);
    snprintf(out, sizeof out, "%s/out", here);
    snprintf(report, sizeof report, "%s/report", here);
    snprintf(program, sizeof program, "%s/responsive", build_folder());
    snprintf(faults, sizeof faults, "%s/%s/tests/faults.so", cwd, build_folder());
    return SANITIZED || finish(start(NULL)) == 0 ? 0 : -1;
}

static int tear_down(void **state) {
    (void) state;
    return sh("rm -rf %s", here);
}

/* The name of one test may be given. */
int main(int argc, char **argv) {
    if (argc > 1) cmocka_set_test_filter(argv[1]);
    const char *told = getenv("FAULTS");
    all = told && strcmp(told, "all") == 0;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(failing_calls), cmocka_unit_test(failing_allocations), cmocka_unit_test(too_little_memory),
        cmocka_unit_test(stopped),       cmocka_unit_test(terminal_gone),       cmocka_unit_test(reader_gone),
        cmocka_unit_test(kills)};
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
