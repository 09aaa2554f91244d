/* Unipark (Tivian EFS): lfdn, v_1, v_2, ..., dispcode. A code says why there is no answer: -77 the question was not
 * shown, -66 a text was hidden, 0 or (in texts) -99 it was shown and not answered. */
#include "reader.h"

#include <ctype.h>
#include <string.h>

static const rsp_own own_columns[] = {{"lfdn", "lfdn", RSP_OWN_ID},
                                      {"external_lfdn", "external_lfdn", RSP_OWN_PERSONAL},
                                      {"tester", "tester", RSP_OWN_STATUS},
                                      {"dispcode", "dispcode", RSP_OWN_FINISHED},
                                      {"lastpage", "lastpage", RSP_OWN_STATUS},
                                      {"quality", "quality", RSP_OWN_STATUS},
                                      {"duration", "duration", RSP_OWN_DURATION},
                                      {"quota", "quota", RSP_OWN_STATUS},
                                      {"quota_assignment", "quota_assignment", RSP_OWN_STATUS},
                                      {"page_history", "page_history", RSP_OWN_STATUS},
                                      {"hflip", "hflip", RSP_OWN_STATUS},
                                      {"vflip", "vflip", RSP_OWN_STATUS},
                                      {"output_mode", "output_mode", RSP_OWN_STATUS},
                                      {"javascript", "javascript", RSP_OWN_STATUS},
                                      {"flash", "flash", RSP_OWN_STATUS},
                                      {"session_id", "session_id", RSP_OWN_PERSONAL},
                                      {"language", "language", RSP_OWN_LANGUAGE},
                                      {"cleaned", "cleaned", RSP_OWN_STATUS},
                                      {"ats", "ats", RSP_OWN_STATUS},
                                      {"datetime", "datetime", RSP_OWN_STARTED},
                                      {"date_of_last_access", "date_of_last_access", RSP_OWN_STATUS},
                                      {"date_of_first_mail", "date_of_first_mail", RSP_OWN_STATUS},
                                      {"participant_browser", "participant_browser", RSP_OWN_PERSONAL},
                                      {"referer", "referer", RSP_OWN_PERSONAL}};

static int recognise(rsp_table_data *t, char why[160]) {
    size_t own = 0, variables = 0;
    bool number = false;
    rsp_buf room = {0};
    for (size_t j = 0; j < t->n_columns; j++) {
        own += rsp_tool_own(&rsp_tool_unipark, t->headings[j], &room) != NULL;
        number = number || strcmp(t->headings[j], "lfdn") == 0;
        variables += strncmp(t->headings[j], "v_", 2) == 0 && isdigit((unsigned char) t->headings[j][2]);
    }
    rsp_buf_free(&room);
    snprintf(why, 160, "%zu headings of Unipark's own columns%s, %zu of the form v_1", own,
             number ? " (lfdn among them)" : "", variables);
    return number && (own >= 2 || variables >= 2) ? 11 : 0;
}

static int missing(const char *text, size_t length, rsp_take take) {
    if (length == 1 && text[0] == '0') return take == RSP_TAKE_CODE ? RSP_NA_SKIPPED : 0;
    if (length != 3 || text[0] != '-' || text[1] != text[2]) return 0;
    return text[1] == '7' || text[1] == '6' ? RSP_NA_NOT_SHOWN : text[1] == '9' ? RSP_NA_SKIPPED : 0;
}

/* Disposition codes: 31 and 32 are complete. */
static bool finished(const char *text, size_t length) {
    return length == 2 && text[0] == '3' && (text[1] == '1' || text[1] == '2');
}

static void prepare(rsp_table_data *t, rsp_diag *d) {
    (void) d;
    t->skipped_marked = true;
}

const rsp_tool rsp_tool_unipark = {.name = "unipark",
                                   .recognise = recognise,
                                   .prepare = prepare,
                                   .n_own = sizeof own_columns / sizeof *own_columns,
                                   .own = own_columns,
                                   .missing = missing,
                                   .finished = finished,
                                   .tells_missing = true,
                                   .noughts = true};
