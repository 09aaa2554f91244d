/* REDCap: raw exports have variable names and codes, labelled ones the fields' labels and texts. Checkboxes are
 * `name___code` with 0 and 1, or `Label (choice=Text)` with Checked and Unchecked. */
#include "reader.h"

#include <stdlib.h>
#include <string.h>

static const rsp_own own_columns[] = {{"record_id", "record_id", RSP_OWN_ID},
                                      {"record id", "record_id", RSP_OWN_ID},
                                      {"redcap_event_name", "redcap_event_name", RSP_OWN_STATUS},
                                      {"event name", "redcap_event_name", RSP_OWN_STATUS},
                                      {"redcap_repeat_instrument", "redcap_repeat_instrument", RSP_OWN_STATUS},
                                      {"repeat instrument", "redcap_repeat_instrument", RSP_OWN_STATUS},
                                      {"redcap_repeat_instance", "redcap_repeat_instance", RSP_OWN_STATUS},
                                      {"repeat instance", "redcap_repeat_instance", RSP_OWN_STATUS},
                                      {"redcap_data_access_group", "redcap_data_access_group", RSP_OWN_STATUS},
                                      {"redcap_survey_identifier", "redcap_survey_identifier", RSP_OWN_PERSONAL},
                                      {"survey identifier", "redcap_survey_identifier", RSP_OWN_PERSONAL},
                                      {"survey timestamp", "survey_timestamp", RSP_OWN_SUBMITTED},
                                      {"complete?", "complete", RSP_OWN_STATUS}};

static bool ends_with(const char *text, const char *end) {
    size_t n = strlen(text), m = strlen(end);
    return n > m && strcmp(text + n - m, end) == 0;
}

static bool is_dictionary(const rsp_table_data *t) {
    return t->n_columns && strcmp(t->headings[0], "Variable / Field Name") == 0;
}

static int recognise(rsp_table_data *t, char why[160]) {
    size_t own = 0, complete = 0, boxes = 0, labelled = 0;
    if (is_dictionary(t)) {
        snprintf(why, 160, "the first column is \"Variable / Field Name\": REDCap's data dictionary");
        return 12;
    }
    for (size_t j = 0; j < t->n_columns; j++) {
        const char *h = t->headings[j];
        own += strncmp(h, "redcap_", 7) == 0;
        complete += ends_with(h, "_complete");
        boxes += strstr(h, "___") != NULL;
        labelled += strcmp(h, "Complete?") == 0 || (strstr(h, "(choice=") && ends_with(h, ")"));
    }
    bool record =
        t->n_columns && (strcmp(t->headings[0], "record_id") == 0 || strcmp(t->headings[0], "Record ID") == 0);
    snprintf(why, 160, "%zu columns redcap_..., %zu ..._complete, %zu NAME___CODE, %zu of labelled exports%s", own,
             complete, boxes, labelled, record ? "; the first is the record's id" : "");
    if (own || (record && (complete || labelled))) return 11;
    return (complete && boxes) || labelled >= 2 ? 9 : 0;
}

/* `Label (choice=Text)` becomes `Label [Text]`. */
static void prepare(rsp_table_data *t, rsp_diag *d) {
    (void) d;
    if (is_dictionary(t)) t->instead = "REDCap's data dictionary, which holds the questions and no answers";
    for (size_t j = 0; j < t->n_columns; j++) {
        const char *h = t->headings[j], *choice = strstr(h, " (choice=");
        if (!choice || !ends_with(h, ")")) continue;
        const char *text = choice + strlen(" (choice=");
        rsp_table_set_heading(
            t, j, rsp_printf(t->arena, "%.*s [%.*s]", (int) (choice - h), h, (int) (strlen(text) - 1), text));
    }
}

const rsp_tool rsp_tool_redcap = {.name = "redcap",
                                  .recognise = recognise,
                                  .prepare = prepare,
                                  .n_own = sizeof own_columns / sizeof *own_columns,
                                  .own = own_columns};
