/* What a run says while it goes on: a line that moves on a terminal, plain lines elsewhere, all of it in run.log. */
#ifndef RESPONSIVE_BATCH_LOG_H
#define RESPONSIVE_BATCH_LOG_H

#include "responsive/base.h"

typedef struct {
    rsp_buf text; /* run.log */
    bool terminal, quiet, colour;
    double start;
} rsp_log;

void rsp_log_open(rsp_log *l, bool quiet);
void rsp_log_line(rsp_log *l, const char *format, ...) __attribute__((format(printf, 2, 3)));
void rsp_log_entries(rsp_log *l, rsp_diag *d); /* all entries to the log */
void rsp_log_print(rsp_log *l, rsp_diag *d);   /* the first of each class to stderr */
void rsp_log_close(rsp_log *l);
bool rsp_colour_wanted(FILE *to); /* a terminal, and NO_COLOR is not set */
double rsp_seconds(void);         /* a monotonic clock */

#endif
