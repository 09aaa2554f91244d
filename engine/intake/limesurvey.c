/* LimeSurvey: how its exports are recognised and what its own columns are called.
 *
 * Headings are codes (`Q4[SQ001]`), full texts (`Question [Option]`) or both joined by a string of the user's choice
 * (`Q4[SQ001]. Question [Option]`). Published files have often lost the first columns (id, dates, language), so that
 * only the brackets are left to go by. */
#include "reader.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* Folded headings of the tool's own columns in the languages of its exports. */
static const rsp_own own_columns[] = {{"id", "id", RSP_OWN_ID},
                                      {"submitdate", "submitdate", RSP_OWN_SUBMITTED},
                                      {"lastpage", "lastpage", RSP_OWN_STATUS},
                                      {"startlanguage", "startlanguage", RSP_OWN_LANGUAGE},
                                      {"seed", "seed", RSP_OWN_STATUS},
                                      {"token", "token", RSP_OWN_PERSONAL},
                                      {"startdate", "startdate", RSP_OWN_STARTED},
                                      {"datestamp", "datestamp", RSP_OWN_STATUS},
                                      {"ipaddr", "ipaddr", RSP_OWN_PERSONAL},
                                      {"refurl", "refurl", RSP_OWN_PERSONAL},
                                      {"interviewtime", "interviewtime", RSP_OWN_DURATION},
                                      {"response id", "id", RSP_OWN_ID},
                                      {"date submitted", "submitdate", RSP_OWN_SUBMITTED},
                                      {"last page", "lastpage", RSP_OWN_STATUS},
                                      {"start language", "startlanguage", RSP_OWN_LANGUAGE},
                                      {"date started", "startdate", RSP_OWN_STARTED},
                                      {"date last action", "datestamp", RSP_OWN_STATUS},
                                      {"ip address", "ipaddr", RSP_OWN_PERSONAL},
                                      {"referrer url", "refurl", RSP_OWN_PERSONAL},
                                      {"total time", "interviewtime", RSP_OWN_DURATION},
                                      {"access code", "token", RSP_OWN_PERSONAL},
                                      {"antwort id", "id", RSP_OWN_ID},
                                      {"antwort-id", "id", RSP_OWN_ID},
                                      {"datum abgeschickt", "submitdate", RSP_OWN_SUBMITTED},
                                      {"letzte seite", "lastpage", RSP_OWN_STATUS},
                                      {"start-sprache", "startlanguage", RSP_OWN_LANGUAGE},
                                      {"startsprache", "startlanguage", RSP_OWN_LANGUAGE},
                                      {"datum gestartet", "startdate", RSP_OWN_STARTED},
                                      {"datum letzte aktivität", "datestamp", RSP_OWN_STATUS},
                                      {"ip-adresse", "ipaddr", RSP_OWN_PERSONAL},
                                      {"weiterleitungs-url", "refurl", RSP_OWN_PERSONAL},
                                      {"zufallsstartwert", "seed", RSP_OWN_STATUS},
                                      {"gesamtzeit", "interviewtime", RSP_OWN_DURATION},
                                      {"zugangscode", "token", RSP_OWN_PERSONAL},
                                      {"id de la réponse", "id", RSP_OWN_ID},
                                      {"date de soumission", "submitdate", RSP_OWN_SUBMITTED},
                                      {"dernière page", "lastpage", RSP_OWN_STATUS},
                                      {"langue de départ", "startlanguage", RSP_OWN_LANGUAGE},
                                      {"langue initiale", "startlanguage", RSP_OWN_LANGUAGE},
                                      {"date de lancement", "startdate", RSP_OWN_STARTED},
                                      {"date de début", "startdate", RSP_OWN_STARTED},
                                      {"date de la dernière action", "datestamp", RSP_OWN_STATUS},
                                      {"adresse ip", "ipaddr", RSP_OWN_PERSONAL},
                                      {"url de référence", "refurl", RSP_OWN_PERSONAL},
                                      {"tête de série", "seed", RSP_OWN_STATUS},
                                      {"temps total", "interviewtime", RSP_OWN_DURATION},
                                      {"svar id", "id", RSP_OWN_ID},
                                      {"svar-id", "id", RSP_OWN_ID},
                                      {"dato indsendt", "submitdate", RSP_OWN_SUBMITTED},
                                      {"dato afsendt", "submitdate", RSP_OWN_SUBMITTED},
                                      {"sidste side", "lastpage", RSP_OWN_STATUS},
                                      {"startsprog", "startlanguage", RSP_OWN_LANGUAGE},
                                      {"dato startet", "startdate", RSP_OWN_STARTED},
                                      {"startdato", "startdate", RSP_OWN_STARTED},
                                      {"dato for seneste handling", "datestamp", RSP_OWN_STATUS},
                                      {"id odpowiedzi", "id", RSP_OWN_ID},
                                      {"data wysłania", "submitdate", RSP_OWN_SUBMITTED},
                                      {"ostatnia strona", "lastpage", RSP_OWN_STATUS},
                                      {"język początkowy", "startlanguage", RSP_OWN_LANGUAGE},
                                      {"język startowy", "startlanguage", RSP_OWN_LANGUAGE},
                                      {"data rozpoczęcia", "startdate", RSP_OWN_STARTED},
                                      {"data ostatniej akcji", "datestamp", RSP_OWN_STATUS},
                                      {"adres ip", "ipaddr", RSP_OWN_PERSONAL},
                                      {"id da resposta", "id", RSP_OWN_ID},
                                      {"data de submissão", "submitdate", RSP_OWN_SUBMITTED},
                                      {"data de envio", "submitdate", RSP_OWN_SUBMITTED},
                                      {"última página", "lastpage", RSP_OWN_STATUS},
                                      {"idioma inicial", "startlanguage", RSP_OWN_LANGUAGE},
                                      {"língua inicial", "startlanguage", RSP_OWN_LANGUAGE},
                                      {"data de início", "startdate", RSP_OWN_STARTED},
                                      {"data da última ação", "datestamp", RSP_OWN_STATUS},
                                      {"endereço ip", "ipaddr", RSP_OWN_PERSONAL},
                                      {"id răspuns", "id", RSP_OWN_ID},
                                      {"data trimiterii", "submitdate", RSP_OWN_SUBMITTED},
                                      {"data transmiterii", "submitdate", RSP_OWN_SUBMITTED},
                                      {"ultima pagină", "lastpage", RSP_OWN_STATUS},
                                      {"limba de start", "startlanguage", RSP_OWN_LANGUAGE},
                                      {"limba de început", "startlanguage", RSP_OWN_LANGUAGE},
                                      {"data începerii", "startdate", RSP_OWN_STARTED},
                                      {"data ultimei acțiuni", "datestamp", RSP_OWN_STATUS},
                                      {"adresa ip", "ipaddr", RSP_OWN_PERSONAL},
                                      {"vastuse id", "id", RSP_OWN_ID}};

/* CODE[SUB] alone or followed by the joining string and the text. */
static bool bracket_heading(const char *h) {
    const char *at = h;
    if (!isalpha((unsigned char) *at)) return false;
    while (isalnum((unsigned char) *at) || *at == '_') at++;
    if (*at != '[') return false;
    const char *close = strchr(at, ']');
    if (!close || close == at + 1) return false;
    for (const char *c = at + 1; c < close; c++)
        if (!isalnum((unsigned char) *c) && *c != '_') return false;
    return close[1] == '\0' || !isalnum((unsigned char) close[1]);
}

enum { N_OWN = sizeof own_columns / sizeof own_columns[0] };

/* "id", however it is written, says nothing alone. */
static const char *own_of_heading(const char *heading, rsp_buf *room) {
    const rsp_own *own = rsp_tool_own(&rsp_tool_limesurvey, heading, room);
    return own && strcmp(own->folded, "id") != 0 ? own->code : NULL;
}

/* VV: the second row holds codes, the first texts; the last cells of answers are in braces. */
static bool is_vv(rsp_table_data *t) {
    const char **codes = rsp_table_record(t, 0);
    return t->delimiter == '\t' && codes && strcmp(codes[0], "id") == 0 && t->n_columns > 2 &&
           (strcmp(codes[1], "submitdate") == 0 || strcmp(codes[1], "token") == 0 || strcmp(codes[1], "lastpage") == 0);
}

static int recognise(rsp_table_data *t, char why[160]) {
    size_t own = 0, brackets = 0;
    rsp_buf room = {0};
    for (size_t j = 0; j < t->n_columns; j++) {
        const char *code = own_of_heading(t->headings[j], &room);
        if (code && strcmp(code, "token") != 0 && strcmp(code, "startdate") != 0) own++;
        if (bracket_heading(t->headings[j])) brackets++;
    }
    bool first = t->n_columns && own_of_heading(t->headings[0], &room);
    rsp_buf_free(&room);
    if (is_vv(t)) {
        snprintf(why, 160, "two rows of headings, the second with codes, as in LimeSurvey's VV files");
        return 12;
    }
    snprintf(why, 160, "%zu heading%s of LimeSurvey's own columns, %zu of the form CODE[SUB]", own, own == 1 ? "" : "s",
             brackets);
    if (own >= 2) return 10;
    if (own == 1 && (brackets || first)) return 8;
    return brackets >= 2 && brackets * 20 >= t->n_columns ? 6 : 0;
}

/* ---- VV --------------------------------------------------------------------------------------------------------- */

static const struct {
    const char *written, *is;
} escapes[] = {{"{newline}", "\n"}, {"{cr}", "\r"}, {"{tab}", "\t"}, {"{quote}", "\""}, {"{lbrace}", "{"}};

/* Undoes the escapes; {lbrace} is met once, so that what follows it is no escape. */
static void unescape(const char *text, size_t length, rsp_buf *into) {
    into->length = 0;
    rsp_buf_add(into, "", 0);
    for (size_t i = 0; i < length;) {
        size_t taken = 0;
        for (size_t k = 0; text[i] == '{' && !taken && k < sizeof escapes / sizeof *escapes; k++) {
            size_t n = strlen(escapes[k].written);
            if (length - i < n || memcmp(text + i, escapes[k].written, n) != 0) continue;
            rsp_buf_puts(into, escapes[k].is);
            taken = n;
        }
        if (!taken) rsp_buf_putc(into, text[i]);
        i += taken ? taken : 1;
    }
}

/* Held in memory: a cell says in words that its question was not shown. */
static void rewrite_vv(rsp_table_data *t, rsp_diag *d) {
    static const char not_shown[] = "{question_not_shown}";
    rsp_grid *g = rsp_grid_new();
    rsp_room room = {0};
    rsp_buf text = {0};
    rsp_cell *cells = rsp_calloc(t->n_columns, sizeof *cells);
    bool fits = true;
    for (size_t i = 0; i < t->n_records && fits; i++) {
        t->read(t, i, i + 1, &room, cells);
        rsp_grid_row(g, t->line[i]);
        for (size_t j = 0; j < t->n_columns && fits; j++) {
            bool hidden =
                cells[j].length == sizeof not_shown - 1 && memcmp(cells[j].text, not_shown, cells[j].length) == 0;
            unescape(hidden ? "" : cells[j].text, hidden ? 0 : cells[j].length, &text);
            fits = rsp_grid_put(g, j, rsp_grid_keep(g, text.data, text.length), text.length, !hidden,
                                hidden        ? RSP_NA_NOT_SHOWN
                                : text.length ? 0
                                              : RSP_NA_SKIPPED);
        }
    }
    free(cells);
    rsp_room_free(&room);
    rsp_buf_free(&text);
    if (fits) {
        rsp_table_hold(t, g);
        return;
    }
    rsp_grid_free(g);
    rsp_report(d, RSP_ERR_DATA, (rsp_loc){t->path, 0, 0}, "export the answers as CSV",
               "the VV file holds more than can be read");
}

static void prepare(rsp_table_data *t, rsp_diag *d) {
    if (!is_vv(t)) return;
    const char **codes = rsp_table_record(t, 0);
    for (size_t j = 0; j < t->n_columns; j++) {
        rsp_table_set_label(t, j, t->headings[j]);
        rsp_table_set_heading(t, j, codes[j]);
    }
    rsp_table_drop(t, 1);
    rewrite_vv(t, d);
}

/* ---- answers ---------------------------------------------------------------------------------------------------- */

/* The option "convert Y to, N to" writes 1 and 2; the data file of the R export 2 for yes and 1 for no. */
static int tick(const rsp_table_data *t, const char *text, size_t length) {
    if (length != 1) return RSP_NO_TICK;
    bool r_export = strstr(t->path, "_R_data_file") != NULL;
    if (r_export && (text[0] == '1' || text[0] == '2')) return text[0] == '2';
    return text[0] == '2' ? 0 : RSP_NO_TICK;
}

const rsp_tool rsp_tool_limesurvey = {.name = "limesurvey",
                                      .recognise = recognise,
                                      .prepare = prepare,
                                      .n_own = N_OWN,
                                      .own = own_columns,
                                      .tick = tick,
                                      .decimal_point = true,
                                      .ranks_by_place = true,
                                      .tells_missing = true,
                                      .quotes_tell = true};
