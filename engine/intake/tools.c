/* The survey tools whose exports are known. A further one is its own file and one line in `tools`. */
#include "reader.h"

#include <stdlib.h>
#include <string.h>

static const rsp_tool *const tools[] = {
    &rsp_tool_limesurvey, &rsp_tool_eusurvey, &rsp_tool_qualtrics, &rsp_tool_surveymonkey, &rsp_tool_kobo,
    &rsp_tool_redcap,     &rsp_tool_sosci,    &rsp_tool_unipark,   &rsp_tool_google_forms, &rsp_tool_microsoft_forms,
    &rsp_tool_spss,       &rsp_tool_stata,    &rsp_tool_csv};
enum { N_TOOLS = sizeof tools / sizeof tools[0] };

static const rsp_tool *by_evidence(rsp_table_data *t, char why[160]) {
    const rsp_tool *best = NULL;
    int best_score = 0;
    for (size_t k = 0; k < N_TOOLS; k++) {
        char evidence[160];
        int score = tools[k]->recognise(t, evidence);
        if (score <= best_score) continue;
        best = tools[k];
        best_score = score;
        memcpy(why, evidence, sizeof evidence);
    }
    return best;
}

const rsp_tool *rsp_tool_find(const char *format, rsp_table_data *t, char why[160]) {
    why[0] = '\0';
    if (strcmp(format, "auto") == 0) return by_evidence(t, why);
    snprintf(why, 160, "as the source says");
    for (size_t k = 0; k < N_TOOLS; k++)
        if (strcmp(format, tools[k]->name) == 0) return tools[k];
    return NULL;
}

static void count_headings(rsp_table_data *t) {
    rsp_map *first = rsp_map_new();
    size_t *last = RSP_ARRAY(t->arena, size_t, t->n_columns); /* of a heading, at its first column */
    t->occurrence = RSP_ARRAY(t->arena, size_t, t->n_columns);
    for (size_t j = 0; j < t->n_columns; j++) {
        if (!*t->headings[j] || rsp_map_put(first, t->headings[j], j)) continue;
        size_t at = rsp_map_get(first, t->headings[j]);
        last[at] = last[at] ? last[at] + 1 : 2;
        t->occurrence[at] = 1;
        t->occurrence[j] = last[at];
    }
    rsp_map_free(first);
}

const char *rsp_column_name(const rsp_table_data *t, size_t column, rsp_arena *a) {
    size_t nth = t->occurrence ? t->occurrence[column] : 0;
    return nth > 1 ? rsp_printf(a, "%s#%zu", t->headings[column], nth) : t->headings[column];
}

/* ---- a row of sums below the answers ---------------------------------------------------------------------------- */

static bool is_sum_word(const char *folded) {
    static const char *const words[] = {
        "total",      "totals", "grand total", "sum",        "sums",         "mean",   "average", "count",
        "gesamt",     "summe",  "insgesamt",   "mittelwert", "durchschnitt", "anzahl", "i alt",   "sum i alt",
        "gennemsnit", "antal",  "somme",       "moyenne",    "nombre",       "suma",   "razem",   "ogółem",
        "średnia",    "liczba", "soma",        "média",      "contagem",     "medie",  "media",   "număr"};
    for (size_t k = 0; k < sizeof words / sizeof *words; k++)
        if (strcmp(folded, words[k]) == 0) return true;
    return false;
}

/* Does the record begin with a word for a sum or a mean, as its first cell that is not blank? */
static bool begins_with_sum(const rsp_table_data *t, const rsp_cell *cells, rsp_buf *room) {
    for (size_t j = 0; j < t->n_columns; j++) {
        if (rsp_cell_blank(&cells[j])) continue;
        size_t n = cells[j].length;
        while (n && (cells[j].text[n - 1] == ':' || cells[j].text[n - 1] == ' ')) n--;
        rsp_fold(cells[j].text, n, room);
        return is_sum_word(room->data);
    }
    return false;
}

enum { LAST_LOOKED_AT = 3 };

/* Whether it is one, only the researcher knows: a question may be answered with such a word. */
static void report_sums(const rsp_table_data *t, rsp_diag *d) {
    size_t n = t->n_records;
    rsp_room room = {0};
    rsp_buf folded = {0};
    rsp_lines lines = {0};
    rsp_cell *cells = rsp_calloc(t->n_columns + 1, sizeof *cells);
    for (size_t i = n > LAST_LOOKED_AT ? n - LAST_LOOKED_AT : 0; i < n && t->n_columns > 1; i++) {
        t->read(t, i, i + 1, &room, cells);
        if (begins_with_sum(t, cells, &folded)) rsp_lines_add(&lines, t->line[i]);
    }
    char text[128];
    if (lines.n)
        rsp_report(d, RSP_WARNING, (rsp_loc){t->path, (int) lines.first[0], 0},
                   "take it out of the file if it is one: it counts as a respondent",
                   "the end of the table looks like a row of sums or means below the answers (%s)",
                   rsp_rows_text(t, &lines, text));
    free(cells);
    rsp_buf_free(&folded);
    rsp_room_free(&room);
}

const rsp_tool *rsp_tool_take(const char *format, rsp_table_data *t, char why[160], rsp_diag *d) {
    const rsp_tool *tool = rsp_tool_find(format, t, why);
    bool statistics = tool == &rsp_tool_spss || tool == &rsp_tool_stata;
    if (t->statistical != statistics) {
        rsp_report(d, RSP_ERR_DATA, (rsp_loc){t->path, 0, 0}, "take the `format` out: it is recognised",
                   "the source says %s, but the file is %s", format,
                   t->statistical ? "one of a statistics program" : t->format);
        return NULL;
    }
    if (tool->prepare) tool->prepare(t, d);
    count_headings(t);
    if (!t->statistical) report_sums(t, d);
    return tool;
}

const rsp_own *rsp_own_find(const rsp_own *own, size_t n, const char *folded) {
    for (size_t k = 0; k < n; k++)
        if (strcmp(folded, own[k].folded) == 0) return &own[k];
    return NULL;
}

const rsp_own *rsp_tool_own(const rsp_tool *tool, const char *heading, rsp_buf *room) {
    rsp_fold(heading, strlen(heading), room);
    const rsp_own *own = rsp_own_find(tool->own, tool->n_own, room->data);
    if (own) return own;
    size_t n = strspn(room->data, "abcdefghijklmnopqrstuvwxyz_");
    if (!n || !room->data[n] || !strchr("._:", room->data[n])) return NULL;
    room->data[n] = '\0';
    return rsp_own_find(tool->own, tool->n_own, room->data);
}

/* ---- why there is no answer ------------------------------------------------------------------------------------- */

int rsp_as_left(const rsp_tool *tool, bool beyond, int why) {
    return tool->tells_missing && beyond && (why == RSP_NA_NOT_SHOWN || why == RSP_NA_UNKNOWN) ? RSP_NA_BROKE_OFF : why;
}

int rsp_blank_kind(const rsp_tool *tool, const rsp_table_data *t, const rsp_cell *c, bool beyond) {
    if (c->missing) return rsp_as_left(tool, beyond, c->missing);
    if (!tool->tells_missing) return RSP_NA_UNKNOWN;
    if (beyond) return RSP_NA_BROKE_OFF;
    if (t->skipped_marked) return RSP_NA_NOT_SHOWN;
    if (!tool->quotes_tell || !t->bare_empty || !t->quoted_empty) return RSP_NA_UNKNOWN;
    return c->quoted ? RSP_NA_SKIPPED : RSP_NA_NOT_SHOWN;
}

bool rsp_was_left(const rsp_tool *tool, const rsp_cell *submitted, const rsp_cell *finished) {
    static const char *const no[] = {"0", "false", "no", "falsch", "faux", "nein", "non"};
    if (!tool->tells_missing) return false;
    if (submitted && rsp_cell_blank(submitted)) return true;
    if (!finished) return false;
    if (tool->finished) return !tool->finished(finished->text, finished->length);
    for (size_t k = 0; k < sizeof no / sizeof *no; k++)
        if (strlen(no[k]) == finished->length && strncasecmp(no[k], finished->text, finished->length) == 0) return true;
    return rsp_cell_blank(finished);
}
