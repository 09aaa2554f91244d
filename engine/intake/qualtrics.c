/* Qualtrics: three rows of headings (tag, text, ImportId), in legacy files two (tag, text; V1, V2, ... for its own
 * columns, which the second row names). */
#include "reader.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

static const rsp_own own_columns[] = {{"responseid", "ResponseId", RSP_OWN_ID},
                                      {"response id", "ResponseId", RSP_OWN_ID},
                                      {"startdate", "StartDate", RSP_OWN_STARTED},
                                      {"start date", "StartDate", RSP_OWN_STARTED},
                                      {"enddate", "EndDate", RSP_OWN_STATUS},
                                      {"end date", "EndDate", RSP_OWN_STATUS},
                                      {"recordeddate", "RecordedDate", RSP_OWN_SUBMITTED},
                                      {"recorded date", "RecordedDate", RSP_OWN_SUBMITTED},
                                      {"finished", "Finished", RSP_OWN_FINISHED},
                                      {"status", "Status", RSP_OWN_STATUS},
                                      {"response type", "Status", RSP_OWN_STATUS},
                                      {"progress", "Progress", RSP_OWN_STATUS},
                                      {"duration (in seconds)", "Duration (in seconds)", RSP_OWN_DURATION},
                                      {"userlanguage", "UserLanguage", RSP_OWN_LANGUAGE},
                                      {"user language", "UserLanguage", RSP_OWN_LANGUAGE},
                                      {"distributionchannel", "DistributionChannel", RSP_OWN_STATUS},
                                      {"distribution channel", "DistributionChannel", RSP_OWN_STATUS},
                                      {"responseset", "ResponseSet", RSP_OWN_STATUS},
                                      {"ipaddress", "IPAddress", RSP_OWN_PERSONAL},
                                      {"ip address", "IPAddress", RSP_OWN_PERSONAL},
                                      {"name", "Name", RSP_OWN_PERSONAL},
                                      {"recipientlastname", "RecipientLastName", RSP_OWN_PERSONAL},
                                      {"recipient last name", "RecipientLastName", RSP_OWN_PERSONAL},
                                      {"recipientfirstname", "RecipientFirstName", RSP_OWN_PERSONAL},
                                      {"recipient first name", "RecipientFirstName", RSP_OWN_PERSONAL},
                                      {"recipientemail", "RecipientEmail", RSP_OWN_PERSONAL},
                                      {"recipient email", "RecipientEmail", RSP_OWN_PERSONAL},
                                      {"emailaddress", "EmailAddress", RSP_OWN_PERSONAL},
                                      {"externaldatareference", "ExternalReference", RSP_OWN_PERSONAL},
                                      {"externalreference", "ExternalReference", RSP_OWN_PERSONAL},
                                      {"external data reference", "ExternalReference", RSP_OWN_PERSONAL},
                                      {"locationlatitude", "LocationLatitude", RSP_OWN_PERSONAL},
                                      {"location latitude", "LocationLatitude", RSP_OWN_PERSONAL},
                                      {"locationlongitude", "LocationLongitude", RSP_OWN_PERSONAL},
                                      {"location longitude", "LocationLongitude", RSP_OWN_PERSONAL},
                                      {"locationaccuracy", "LocationAccuracy", RSP_OWN_PERSONAL}};
enum { N_OWN = sizeof own_columns / sizeof *own_columns };

/* Cells of {"ImportId":"QID1"}, in files of 2016 with single quotation marks. */
static size_t import_ids(const rsp_table_data *t, const char **cells) {
    size_t n = 0;
    for (size_t j = 0; cells && j < t->n_columns; j++) n += cells[j][0] == '{' && strstr(cells[j], "ImportId") != NULL;
    return n;
}

static size_t count_own(const rsp_table_data *t, const char **cells) {
    rsp_buf room = {0};
    size_t n = 0;
    for (size_t j = 0; cells && j < t->n_columns; j++) {
        rsp_fold(cells[j], strlen(cells[j]), &room);
        n += rsp_own_find(own_columns, N_OWN, room.data) != NULL;
    }
    rsp_buf_free(&room);
    return n;
}

static bool is_legacy_heading(const char *h) { return h[0] == 'V' && isdigit((unsigned char) h[1]); }

/* Record (from 0) of the ImportIds; RSP_NONE. */
static size_t id_row(rsp_table_data *t) {
    for (size_t k = 0; k < 3; k++)
        if (import_ids(t, rsp_table_record(t, k)) * 2 > t->n_columns) return k;
    return RSP_NONE;
}

static bool has_text_row(rsp_table_data *t) {
    const char **texts = rsp_table_record(t, 0);
    return count_own(t, texts) >= 4;
}

static int recognise(rsp_table_data *t, char why[160]) {
    size_t own = count_own(t, t->headings), ids = id_row(t), legacy = 0;
    for (size_t j = 0; j < t->n_columns; j++) legacy += is_legacy_heading(t->headings[j]);
    if (ids != RSP_NONE) {
        snprintf(why, 160, "row %zu of the headings holds ImportIds; %zu of Qualtrics's own columns", ids + 2, own);
        return 12;
    }
    if (legacy >= 8 && has_text_row(t)) {
        snprintf(why, 160, "columns V1 to V%zu, explained in the second row of headings (legacy export)", legacy);
        return 11;
    }
    snprintf(why, 160, "%zu headings of Qualtrics's own columns", own);
    return own >= 5 ? 9 : 0;
}

/* Cells that are exactly -99: questions seen and not answered, where that was chosen for the export. */
static bool marks_skipped(const rsp_table_data *t) {
    if (!t->text || !t->records || !t->n_records) return false;
    const char *at = t->text + t->records[0].offset;
    const struct rsp_record *last = &t->records[t->n_records - 1];
    const char *end = t->text + last->offset + last->length;
    while ((at = memmem(at, (size_t) (end - at), "-99", 3)) != NULL) {
        char before = at > t->text ? at[-1] : '\n', after = at + 3 < end ? at[3] : '\n';
        bool quoted = before == '"' && after == '"';
        if (quoted || (before == t->delimiter && (after == t->delimiter || after == '\n' || after == '\r')))
            return true;
        at += 3;
    }
    return false;
}

static void prepare(rsp_table_data *t, rsp_diag *d) {
    (void) d;
    size_t ids = id_row(t);
    const char **texts = rsp_table_record(t, 0);
    if (ids != 0 && (ids != RSP_NONE || has_text_row(t))) {
        for (size_t j = 0; j < t->n_columns; j++) {
            rsp_table_set_label(t, j, texts[j]);
            if (is_legacy_heading(t->headings[j]) && texts[j][0]) rsp_table_set_heading(t, j, texts[j]);
        }
        if (ids == RSP_NONE) rsp_table_drop(t, 1);
    }
    if (ids != RSP_NONE) rsp_table_drop(t, ids + 1);
    t->skipped_marked = marks_skipped(t);
}

static int missing(const char *text, size_t length, rsp_take take) {
    (void) take;
    return length == 3 && memcmp(text, "-99", 3) == 0 ? RSP_NA_SKIPPED : 0;
}

const rsp_tool rsp_tool_qualtrics = {.name = "qualtrics",
                                     .recognise = recognise,
                                     .prepare = prepare,
                                     .n_own = N_OWN,
                                     .own = own_columns,
                                     .missing = missing,
                                     .tells_missing = true};
