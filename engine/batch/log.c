#include "batch/log.h"

#include <stdlib.h>
#include <time.h>
#include <unistd.h>

double rsp_seconds(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double) t.tv_sec + 1e-9 * (double) t.tv_nsec;
}

bool rsp_colour_wanted(FILE *to) {
    const char *no = getenv("NO_COLOR");
    return isatty(fileno(to)) && !(no && *no);
}

void rsp_log_open(rsp_log *l, bool quiet) {
    *l = (rsp_log){
        .terminal = isatty(STDOUT_FILENO), .quiet = quiet, .colour = rsp_colour_wanted(stdout), .start = rsp_seconds()};
}

void rsp_log_line(rsp_log *l, const char *format, ...) {
    va_list args, again;
    char line[512], now[32];
    va_start(args, format);
    va_copy(again, args);
    vsnprintf(line, sizeof line, format, again);
    va_end(again);
    va_end(args);
    time_t t = time(NULL);
    struct tm utc;
    gmtime_r(&t, &utc);
    strftime(now, sizeof now, "%Y-%m-%dT%H:%M:%SZ", &utc);
    struct timespec cpu; /* of all threads */
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &cpu);
#pragma omp critical(rsp_log)
    {
        double at = rsp_seconds() - l->start;
        rsp_buf_printf(&l->text, "%s %8.3f s %8.3f s cpu  %s\n", now, at,
                       (double) cpu.tv_sec + 1e-9 * (double) cpu.tv_nsec, line);
        if (!l->quiet) {
            if (l->terminal) printf("\r\033[K%6.2f s  %s", at, line);
            else printf("%s\n", line);
            fflush(stdout);
        }
    }
}

void rsp_log_entries(rsp_log *l, rsp_diag *d) {
    for (size_t k = 0; k < rsp_diag_count(d); k++) {
        const rsp_diagnostic *e = rsp_diag_at(d, k);
        const char *word = e->class == RSP_NOTE ? "note" : e->class == RSP_WARNING ? "warning" : "error";
        rsp_buf_printf(&l->text, "%s: ", word);
        if (e->loc.file) rsp_buf_printf(&l->text, "%s:", e->loc.file);
        if (e->loc.file && e->loc.line) rsp_buf_printf(&l->text, "%d:%d:", e->loc.line, e->loc.column);
        rsp_buf_printf(&l->text, "%s%s%s%s%s\n", e->loc.file ? " " : "", e->message, e->hint ? " (" : "",
                       e->hint ? e->hint : "", e->hint ? ")" : "");
    }
}

void rsp_log_print(rsp_log *l, rsp_diag *d) {
    enum { SHOWN_OF_EACH_CLASS = 30 };
    if (l->terminal && !l->quiet) printf("\r\033[K");
    fflush(stdout);
    rsp_diag_print(d, stderr, rsp_colour_wanted(stderr), SHOWN_OF_EACH_CLASS);
}

void rsp_log_close(rsp_log *l) {
    if (l->terminal && !l->quiet) printf("\r\033[K");
    fflush(stdout);
    rsp_buf_free(&l->text);
}
