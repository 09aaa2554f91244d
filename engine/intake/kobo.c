/* KoboToolbox and ODK Central: XLSForm names, with groups in front where asked for; select_multiple as a joined cell and
 * a column for each choice (`question/option`). A row of HXL tags may follow the headings. */
#include "reader.h"

#include <stdlib.h>
#include <string.h>

static const rsp_own own_columns[] = {{"_id", "_id", RSP_OWN_ID},
                                      {"_uuid", "_uuid", RSP_OWN_STATUS},
                                      {"start", "start", RSP_OWN_STARTED},
                                      {"end", "end", RSP_OWN_STATUS},
                                      {"today", "today", RSP_OWN_STATUS},
                                      {"_submission_time", "_submission_time", RSP_OWN_SUBMITTED},
                                      {"_validation_status", "_validation_status", RSP_OWN_STATUS},
                                      {"_notes", "_notes", RSP_OWN_STATUS},
                                      {"_status", "_status", RSP_OWN_STATUS},
                                      {"_submitted_by", "_submitted_by", RSP_OWN_PERSONAL},
                                      {"__version__", "__version__", RSP_OWN_STATUS},
                                      {"_version_", "__version__", RSP_OWN_STATUS},
                                      {"_tags", "_tags", RSP_OWN_STATUS},
                                      {"_index", "_index", RSP_OWN_STATUS},
                                      {"_parent_index", "_parent_index", RSP_OWN_STATUS},
                                      {"_parent_table_name", "_parent_table_name", RSP_OWN_STATUS},
                                      {"_attachments", "_attachments", RSP_OWN_STATUS},
                                      {"formhub/uuid", "formhub/uuid", RSP_OWN_STATUS},
                                      {"meta/instanceid", "meta/instanceID", RSP_OWN_STATUS},
                                      {"meta-instanceid", "meta/instanceID", RSP_OWN_STATUS},
                                      {"deviceid", "deviceid", RSP_OWN_PERSONAL},
                                      {"username", "username", RSP_OWN_PERSONAL},
                                      {"phonenumber", "phonenumber", RSP_OWN_PERSONAL},
                                      {"subscriberid", "subscriberid", RSP_OWN_PERSONAL},
                                      {"simserial", "simserial", RSP_OWN_PERSONAL},
                                      {"submissiondate", "SubmissionDate", RSP_OWN_SUBMITTED},
                                      {"key", "KEY", RSP_OWN_ID},
                                      {"submitterid", "SubmitterID", RSP_OWN_PERSONAL},
                                      {"submittername", "SubmitterName", RSP_OWN_PERSONAL},
                                      {"attachmentspresent", "AttachmentsPresent", RSP_OWN_STATUS},
                                      {"attachmentsexpected", "AttachmentsExpected", RSP_OWN_STATUS},
                                      {"status", "Status", RSP_OWN_STATUS},
                                      {"reviewstate", "ReviewState", RSP_OWN_STATUS},
                                      {"edits", "Edits", RSP_OWN_STATUS},
                                      {"formversion", "FormVersion", RSP_OWN_STATUS}};

static bool among(const char *heading, const char *const *names, size_t n) {
    for (size_t k = 0; k < n; k++)
        if (strcmp(heading, names[k]) == 0) return true;
    return false;
}

static int recognise(rsp_table_data *t, char why[160]) {
    static const char *const kobo[] = {
        "_id",    "_uuid", "_submission_time", "_validation_status", "_submitted_by", "_status", "_tags", "__version__",
        "_index", "_notes"};
    static const char *const odk[] = {
        "SubmissionDate",      "KEY",         "SubmitterID", "SubmitterName", "AttachmentsPresent",
        "AttachmentsExpected", "ReviewState", "DeviceID",    "FormVersion",   "meta-instanceID"};
    size_t of_kobo = 0, of_odk = 0;
    for (size_t j = 0; j < t->n_columns; j++) {
        of_kobo += among(t->headings[j], kobo, sizeof kobo / sizeof *kobo);
        of_odk += among(t->headings[j], odk, sizeof odk / sizeof *odk);
    }
    snprintf(why, 160, "%zu headings of KoboToolbox's own columns, %zu of ODK Central's", of_kobo, of_odk);
    return of_kobo >= 3 || of_odk >= 3 ? 11 : 0;
}

/* How often the text stood as a heading so far. */
static size_t times_of(rsp_map *seen, const size_t *times, const char *text, size_t length) {
    size_t at = rsp_map_get_n(seen, text, length);
    return at == RSP_NONE ? 0 : times[at];
}

/* Where questions are headed by their words, two of them may be headed alike ("Please select all that apply"): the options
 * behind the second become `Question#2/Option`, as the question itself is `Question#2`. */
static void tell_options_apart(rsp_table_data *t) {
    rsp_map *seen = rsp_map_new();
    size_t *times = rsp_calloc(t->n_columns + 1, sizeof *times);
    for (size_t j = 0; j < t->n_columns; j++) {
        const char *heading = t->headings[j];
        rsp_map_put(seen, heading, j);
        times[rsp_map_get(seen, heading)]++;
        for (const char *at = strchr(heading, '/'); at; at = strchr(at + 1, '/')) {
            size_t length = (size_t) (at - heading), nth = times_of(seen, times, heading, length);
            if (nth < 2) continue;
            rsp_table_set_heading(t, j, rsp_printf(t->arena, "%.*s#%zu%s", (int) length, heading, nth, at));
            break;
        }
    }
    free(times);
    rsp_map_free(seen);
}

static void prepare(rsp_table_data *t, rsp_diag *d) {
    const char **cells = rsp_table_record(t, 0);
    size_t tags = 0, other = 0;
    (void) d;
    for (size_t j = 0; cells && j < t->n_columns; j++) {
        if (cells[j][0] == '#') tags++;
        else if (cells[j][0]) other++;
    }
    if (tags && !other) rsp_table_drop(t, 1); /* HXL */
    tell_options_apart(t);
}

const rsp_tool rsp_tool_kobo = {.name = "kobo",
                                .recognise = recognise,
                                .prepare = prepare,
                                .n_own = sizeof own_columns / sizeof *own_columns,
                                .own = own_columns,
                                .decimal_point = true,
                                .paths = true,
                                .noughts = true};
