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

/* ---- options in columns of their own ---------------------------------------------------------------------------- */

/* "Split option": the question's column stays blank and is followed by one column an option, headed by its text alone,
 * with Yes or No. */
struct kinds {
    size_t blank, ticks, other; /* cells of a column */
};

static bool is_word(const rsp_cell *c, const char *word) {
    return c->length == strlen(word) && memcmp(c->text, word, c->length) == 0;
}

/* Is what stands in the column of dates none? Then the cells of an unanswered question were left out in front of it. */
static bool is_shifted(const rsp_cell *c) {
    double seconds;
    return !rsp_parse_date(c->text, c->length, &seconds) &&
           !rsp_parse_local_date(c->text, c->length, RSP_DATES_DAY_FIRST, &seconds) &&
           !rsp_parse_local_date(c->text, c->length, RSP_DATES_MONTH_FIRST, &seconds);
}

/* Kinds of all cells, and the rows whose date of creation (or of the last update) is none. */
static void look_at_cells(const rsp_table_data *t, size_t dated, struct kinds *kinds, rsp_lines *shifted) {
    size_t block = rsp_table_block(t);
    rsp_room room = {0};
    rsp_cell *cells = rsp_malloc(block * t->n_columns * sizeof *cells);
    for (size_t from = 0; from < t->n_records; from += block) {
        size_t to = from + block < t->n_records ? from + block : t->n_records;
        t->read(t, from, to, &room, cells);
        for (size_t k = 0; k < (to - from) * t->n_columns; k++) {
            struct kinds *column = &kinds[k % t->n_columns];
            if (rsp_cell_blank(&cells[k])) column->blank++;
            else if (is_word(&cells[k], "Yes") || is_word(&cells[k], "No")) column->ticks++;
            else column->other++;
            if (k % t->n_columns == dated && is_shifted(&cells[k]))
                rsp_lines_add(shifted, t->line[from + k / t->n_columns]);
        }
    }
    free(cells);
    rsp_room_free(&room);
}

static const char *label_of(const rsp_table_data *t, size_t j) {
    return t->info && t->info[j].label ? t->info[j].label : t->headings[j];
}

/* `Question [Option]` as other tools write it; with identifiers `Q2[S1]`, and the texts as the label. */
static void name_option(rsp_table_data *t, size_t question, size_t option) {
    const char *label = rsp_printf(t->arena, "%s [%s]", label_of(t, question), label_of(t, option));
    bool coded = t->info && t->info[question].label;
    rsp_table_set_heading(t, option,
                          coded ? rsp_printf(t->arena, "%s[%s]", t->headings[question], t->headings[option]) : label);
    if (coded) rsp_table_set_label(t, option, label);
}

static size_t column_of_dates(const rsp_table_data *t, rsp_buf *room) {
    for (size_t j = 0; j < t->n_columns; j++) {
        const rsp_own *own = rsp_tool_own(&rsp_tool_eusurvey, t->headings[j], room);
        if (own && own->kind == RSP_OWN_STARTED) return j;
    }
    return RSP_NONE;
}

/* Of shifted rows anything may stand there; a heading that asks is a question of its own. */
static bool is_option(const rsp_table_data *t, size_t j, const struct kinds *k, size_t n_shifted) {
    const char *text = label_of(t, j);
    size_t n = strlen(text);
    return n && text[n - 1] != '?' && k->ticks && k->other <= n_shifted;
}

static void join_options(rsp_table_data *t, rsp_diag *d) {
    rsp_buf room = {0};
    rsp_lines shifted = {0};
    size_t dated = column_of_dates(t, &room), joined = 0, first = 0;
    struct kinds *kinds = rsp_calloc(t->n_columns, sizeof *kinds);
    look_at_cells(t, dated, kinds, &shifted);
    for (size_t j = 0; j + 2 < t->n_columns; j++) {
        size_t end = j + 1;
        if (kinds[j].blank < t->n_records || !*t->headings[j] || is_own(t->headings[j], &room)) continue;
        while (end < t->n_columns && is_option(t, end, &kinds[end], shifted.n) && !is_own(t->headings[end], &room))
            end++;
        if (end < j + 3) continue; /* one column is a question of its own */
        for (size_t k = j + 1; k < end; k++) name_option(t, j, k);
        if (!joined++) first = j;
        j = end - 1;
    }
    char text[128];
    if (joined)
        rsp_report(d, RSP_WARNING, (rsp_loc){t->path, (int) t->heading_line, 0},
                   "if they are questions of their own, say so under `rename`",
                   "columns of Yes and No behind %zu blank one%s are read as its options (the first is '%.60s')",
                   joined, joined == 1 ? "" : "s", label_of(t, first));
    if (joined && shifted.n)
        rsp_report(
            d, RSP_WARNING, (rsp_loc){t->path, (int) shifted.first[0], 0},
            "export the answers as XML, or without splitting options",
            "%zu row%s no date under '%s': EUSurvey leaves cells out where a question with split options was not "
            "answered, and later answers stand too far left (%s)",
            shifted.n, shifted.n == 1 ? " has" : "s have", t->headings[dated], rsp_rows_text(t, &shifted, text));
    free(kinds);
    rsp_buf_free(&room);
}

static size_t filled(const rsp_table_data *t, const char **cells) {
    size_t n = 0;
    for (size_t j = 0; cells && j < t->n_columns; j++) n += cells[j][0] != '\0';
    return n;
}

static void prepare(rsp_table_data *t, rsp_diag *d) {
    if (strcmp(t->format, "xml") == 0) return;
    if (has_preamble(t)) {
        size_t head = 1; /* behind Export Date; a blank row is no record */
        while (head < 3 && filled(t, rsp_table_record(t, head)) < 2 && rsp_table_record(t, head + 1)) head++;
        if (rsp_table_record(t, head)) rsp_table_head(t, head);
    }
    take_identifiers(t);
    join_options(t, d);
}

const rsp_tool rsp_tool_eusurvey = {
    .name = "eusurvey", .recognise = recognise, .prepare = prepare, .n_own = N_OWN, .own = own_columns};
