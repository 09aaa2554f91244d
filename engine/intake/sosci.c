/* SoSci Survey: CASE, SERIAL, ... in front, FINISHED, LASTPAGE, ... behind; ticks are 2 (chosen) and 1 (not). */
#include "reader.h"

#include <ctype.h>
#include <string.h>

static const rsp_own own_columns[] = {{"case", "CASE", RSP_OWN_ID},
                                      {"serial", "SERIAL", RSP_OWN_PERSONAL},
                                      {"ref", "REF", RSP_OWN_PERSONAL},
                                      {"questnnr", "QUESTNNR", RSP_OWN_STATUS},
                                      {"mode", "MODE", RSP_OWN_STATUS},
                                      {"started", "STARTED", RSP_OWN_STARTED},
                                      {"language", "LANGUAGE", RSP_OWN_LANGUAGE},
                                      {"time_sum", "TIME_SUM", RSP_OWN_DURATION},
                                      {"mailsent", "MAILSENT", RSP_OWN_STATUS},
                                      {"lastdata", "LASTDATA", RSP_OWN_SUBMITTED},
                                      {"status", "STATUS", RSP_OWN_STATUS},
                                      {"finished", "FINISHED", RSP_OWN_FINISHED},
                                      {"q_viewer", "Q_VIEWER", RSP_OWN_STATUS},
                                      {"lastpage", "LASTPAGE", RSP_OWN_STATUS},
                                      {"maxpage", "MAXPAGE", RSP_OWN_STATUS},
                                      {"missing", "MISSING", RSP_OWN_STATUS},
                                      {"missrel", "MISSREL", RSP_OWN_STATUS},
                                      {"time_rsi", "TIME_RSI", RSP_OWN_STATUS},
                                      {"deg_time", "DEG_TIME", RSP_OWN_STATUS}};
enum { N_OWN = sizeof own_columns / sizeof *own_columns };

static int recognise(rsp_table_data *t, char why[160]) {
    size_t own = 0, in_capitals = 0;
    rsp_buf room = {0};
    for (size_t j = 0; j < t->n_columns; j++) {
        const rsp_own *o = rsp_tool_own(&rsp_tool_sosci, t->headings[j], &room);
        own += o != NULL;
        in_capitals += o && strcmp(o->code, t->headings[j]) == 0;
    }
    rsp_buf_free(&room);
    bool first = t->n_columns && strcmp(t->headings[0], "CASE") == 0;
    snprintf(why, 160, "%zu headings of SoSci Survey's own columns%s", own, first ? ", the first is CASE" : "");
    return (first && in_capitals >= 3) || in_capitals >= 6 ? 11 : 0;
}

/* Some files have a second row of headings with texts; a case number would stand there. */
static void prepare(rsp_table_data *t, rsp_diag *d) {
    const char **cells = rsp_table_record(t, 0);
    (void) d;
    t->skipped_marked = true;
    if (!cells || strcmp(t->headings[0], "CASE") != 0 || !cells[0][0] || isdigit((unsigned char) cells[0][0])) return;
    for (size_t j = 0; j < t->n_columns; j++) rsp_table_set_label(t, j, cells[j]);
    rsp_table_drop(t, 1);
}

static int missing(const char *text, size_t length, rsp_take take) {
    (void) take;
    if (length != 2 || text[0] != '-') return 0;
    return text[1] == '9' ? RSP_NA_SKIPPED : text[1] == '1' ? RSP_NA_DONT_KNOW : 0;
}

static int tick(const rsp_table_data *t, const char *text, size_t length) {
    (void) t;
    return length != 1 ? RSP_NO_TICK : text[0] == '2' ? 1 : text[0] == '1' ? 0 : RSP_NO_TICK;
}

const rsp_tool rsp_tool_sosci = {.name = "sosci",
                                 .recognise = recognise,
                                 .prepare = prepare,
                                 .n_own = N_OWN,
                                 .own = own_columns,
                                 .missing = missing,
                                 .tick = tick,
                                 .tells_missing = true,
                                 .noughts = true};
