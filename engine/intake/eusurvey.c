/* EUSurvey: a sheet `Content` with a preamble (Alias, Export Date, a blank row) above the headings, the tool's own columns
 * last. With "assigned values" an identifier stands in brackets behind questions and answers: `Country (Q1)`, `Malta(MT)`.
 * There is no CSV export: a CSV is a sheet that somebody saved, often without the preamble. XML: euxml.c. */
#include "reader.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

static const rsp_own own_columns[] = {{"contribution id", "Contribution ID", RSP_OWN_ID},
                                      {"kennnummer des beitrags", "Contribution ID", RSP_OWN_ID},
                                      {"numéro d'identification de la contribution", "Contribution ID", RSP_OWN_ID},
                                      {"creation date", "Creation date", RSP_OWN_STARTED},
                                      {"erstellungsdatum", "Creation date", RSP_OWN_STARTED},
                                      {"date de création", "Creation date", RSP_OWN_STARTED},
                                      {"last update", "Last update", RSP_OWN_SUBMITTED},
                                      {"letzte aktualisierung", "Last update", RSP_OWN_SUBMITTED},
                                      {"dernière mise à jour", "Last update", RSP_OWN_SUBMITTED},
                                      {"languages", "Languages", RSP_OWN_LANGUAGE},
                                      {"sprachen", "Languages", RSP_OWN_LANGUAGE},
                                      {"langues", "Languages", RSP_OWN_LANGUAGE},
                                      {"total score", "Total Score", RSP_OWN_STATUS},
                                      {"invitation number", "Invitation number", RSP_OWN_PERSONAL},
                                      {"einladungsnummer", "Invitation number", RSP_OWN_PERSONAL},
                                      {"numéro d'invitation", "Invitation number", RSP_OWN_PERSONAL},
                                      {"user name", "User name", RSP_OWN_PERSONAL},
                                      {"benutzername", "User name", RSP_OWN_PERSONAL},
                                      {"nom d'utilisateur", "User name", RSP_OWN_PERSONAL}};
enum { N_OWN = sizeof own_columns / sizeof *own_columns };

static bool is_own(const char *heading, rsp_buf *room) {
    rsp_fold(heading, strlen(heading), room);
    return rsp_own_find(own_columns, N_OWN, room->data) != NULL;
}

static bool has_preamble(rsp_table_data *t) {
    const char **second = rsp_table_record(t, 0);
    return t->n_columns && second && strcmp(t->headings[0], "Alias") == 0 && strncasecmp(second[0], "Export", 6) == 0;
}

static int recognise(rsp_table_data *t, char why[160]) {
    size_t own = 0;
    rsp_buf room = {0};
    if (strcmp(t->format, "xml") == 0) {
        snprintf(why, 160, "an XML document <Results> with <Survey> and <Answers>");
        return 100;
    }
    for (size_t j = 0; j < t->n_columns; j++) own += is_own(t->headings[j], &room);
    bool last = t->n_columns && is_own(t->headings[t->n_columns - 1], &room);
    rsp_buf_free(&room);
    bool preamble = has_preamble(t), sheet = t->sheet && strcmp(t->sheet, "Content") == 0;
    if (preamble) snprintf(why, 160, "Alias and Export Date above the headings%s", sheet ? ", a sheet Content" : "");
    else
        snprintf(why, 160, "%zu headings of EUSurvey's own columns, %s the last", own,
                 last ? "one of them" : "but not");
    if (preamble) return 12;
    return own >= 3 && last ? 9 : 0;
}

/* The identifier in the last pair of brackets of n bytes; NULL if what stands there is none. */
static const char *identifier(const char *heading, size_t n, size_t *length) {
    if (n < 3 || heading[n - 1] != ')') return NULL;
    const char *open = memrchr(heading, '(', n);
    if (!open || open == heading) return NULL;
    *length = (size_t) (heading + n - 1 - (open + 1));
    for (size_t k = 0; k < *length; k++)
        if (!isalnum((unsigned char) open[1 + k]) && !strchr("_-.", open[1 + k])) return NULL;
    return *length ? open + 1 : NULL;
}

/* Cells of a table have two: `Table Row (ID1):Column (ID2)` is ID1:ID2. */
static const char *with_row(rsp_table_data *t, const char *heading, const char *id, size_t length) {
    size_t row_length;
    const char *joint = NULL, *row = NULL;
    for (const char *at = heading; (at = strstr(at, "):")) && at < id; at++) joint = at;
    if (joint) row = identifier(heading, (size_t) (joint + 1 - heading), &row_length);
    if (!row) return rsp_strndup(t->arena, id, length);
    return rsp_printf(t->arena, "%.*s:%.*s", (int) row_length, row, (int) length, id);
}

static void take_identifiers(rsp_table_data *t) {
    size_t questions = 0, identified = 0, length;
    rsp_buf room = {0};
    for (size_t j = 0; j < t->n_columns; j++) {
        if (is_own(t->headings[j], &room)) continue;
        questions++;
        identified += identifier(t->headings[j], strlen(t->headings[j]), &length) != NULL;
    }
    for (size_t j = 0; identified * 2 > questions && j < t->n_columns; j++) {
        const char *h = t->headings[j], *id = is_own(h, &room) ? NULL : identifier(h, strlen(h), &length);
        if (!id) continue;
        size_t text = (size_t) (id - 1 - h);
        while (text && h[text - 1] == ' ') text--;
        rsp_table_set_label(t, j, rsp_strndup(t->arena, h, text));
        rsp_table_set_heading(t, j, with_row(t, h, id, length));
    }
    rsp_buf_free(&room);
}

static size_t filled(const rsp_table_data *t, const char **cells) {
    size_t n = 0;
    for (size_t j = 0; cells && j < t->n_columns; j++) n += cells[j][0] != '\0';
    return n;
}

static void prepare(rsp_table_data *t, rsp_diag *d) {
    (void) d;
    if (strcmp(t->format, "xml") == 0) return;
    if (has_preamble(t)) {
        size_t head = 1; /* behind Export Date; a blank row is no record */
        while (head < 3 && filled(t, rsp_table_record(t, head)) < 2 && rsp_table_record(t, head + 1)) head++;
        if (rsp_table_record(t, head)) rsp_table_head(t, head);
    }
    take_identifiers(t);
}

const rsp_tool rsp_tool_eusurvey = {
    .name = "eusurvey", .recognise = recognise, .prepare = prepare, .n_own = N_OWN, .own = own_columns};
