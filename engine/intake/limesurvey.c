/* LimeSurvey: how its exports are recognised and what its own columns are called.
 *
 * Headings are codes (`Q4[SQ001]`), full texts (`Question [Option]`) or both joined by a string of the user's choice
 * (`Q4[SQ001]. Question [Option]`). Published files have often lost the first columns (id, dates, language), so that
 * only the brackets are left to go by. */
#include "reader.h"

#include <ctype.h>
#include <string.h>

struct own {
    const char *folded, *code;
};

/* Folded headings of the tool's own columns in the languages of its exports. */
static const struct own own_columns[] = {{"id", "id"},
                                         {"submitdate", "submitdate"},
                                         {"lastpage", "lastpage"},
                                         {"startlanguage", "startlanguage"},
                                         {"seed", "seed"},
                                         {"token", "token"},
                                         {"startdate", "startdate"},
                                         {"datestamp", "datestamp"},
                                         {"ipaddr", "ipaddr"},
                                         {"refurl", "refurl"},
                                         {"interviewtime", "interviewtime"},
                                         {"response id", "id"},
                                         {"date submitted", "submitdate"},
                                         {"last page", "lastpage"},
                                         {"start language", "startlanguage"},
                                         {"date started", "startdate"},
                                         {"date last action", "datestamp"},
                                         {"ip address", "ipaddr"},
                                         {"referrer url", "refurl"},
                                         {"total time", "interviewtime"},
                                         {"access code", "token"},
                                         {"antwort id", "id"},
                                         {"antwort-id", "id"},
                                         {"datum abgeschickt", "submitdate"},
                                         {"letzte seite", "lastpage"},
                                         {"start-sprache", "startlanguage"},
                                         {"startsprache", "startlanguage"},
                                         {"datum gestartet", "startdate"},
                                         {"datum letzte aktivität", "datestamp"},
                                         {"ip-adresse", "ipaddr"},
                                         {"weiterleitungs-url", "refurl"},
                                         {"zufallsstartwert", "seed"},
                                         {"gesamtzeit", "interviewtime"},
                                         {"zugangscode", "token"},
                                         {"id de la réponse", "id"},
                                         {"date de soumission", "submitdate"},
                                         {"dernière page", "lastpage"},
                                         {"langue de départ", "startlanguage"},
                                         {"langue initiale", "startlanguage"},
                                         {"date de lancement", "startdate"},
                                         {"date de début", "startdate"},
                                         {"date de la dernière action", "datestamp"},
                                         {"adresse ip", "ipaddr"},
                                         {"url de référence", "refurl"},
                                         {"tête de série", "seed"},
                                         {"temps total", "interviewtime"},
                                         {"svar id", "id"},
                                         {"svar-id", "id"},
                                         {"dato indsendt", "submitdate"},
                                         {"dato afsendt", "submitdate"},
                                         {"sidste side", "lastpage"},
                                         {"startsprog", "startlanguage"},
                                         {"dato startet", "startdate"},
                                         {"startdato", "startdate"},
                                         {"dato for seneste handling", "datestamp"},
                                         {"id odpowiedzi", "id"},
                                         {"data wysłania", "submitdate"},
                                         {"ostatnia strona", "lastpage"},
                                         {"język początkowy", "startlanguage"},
                                         {"język startowy", "startlanguage"},
                                         {"data rozpoczęcia", "startdate"},
                                         {"data ostatniej akcji", "datestamp"},
                                         {"adres ip", "ipaddr"},
                                         {"id da resposta", "id"},
                                         {"data de submissão", "submitdate"},
                                         {"data de envio", "submitdate"},
                                         {"última página", "lastpage"},
                                         {"idioma inicial", "startlanguage"},
                                         {"língua inicial", "startlanguage"},
                                         {"data de início", "startdate"},
                                         {"data da última ação", "datestamp"},
                                         {"endereço ip", "ipaddr"},
                                         {"id răspuns", "id"},
                                         {"data trimiterii", "submitdate"},
                                         {"data transmiterii", "submitdate"},
                                         {"ultima pagină", "lastpage"},
                                         {"limba de start", "startlanguage"},
                                         {"limba de început", "startlanguage"},
                                         {"data începerii", "startdate"},
                                         {"data ultimei acțiuni", "datestamp"},
                                         {"adresa ip", "ipaddr"},
                                         {"vastuse id", "id"}};

static const char *own_column(const char *folded) {
    for (size_t k = 0; k < sizeof own_columns / sizeof own_columns[0]; k++)
        if (strcmp(folded, own_columns[k].folded) == 0) return own_columns[k].code;
    return NULL;
}

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

/* A tool's own column by the whole heading or by the code before a joining string. "id" alone says nothing. */
static const char *own_of_heading(const char *heading) {
    rsp_buf folded = {0};
    rsp_fold(heading, strlen(heading), &folded);
    const char *code = own_column(folded.data);
    if (!code) {
        size_t n = strspn(folded.data, "abcdefghijklmnopqrstuvwxyz");
        if (n && strchr("._:", folded.data[n]) && folded.data[n]) {
            folded.data[n] = '\0';
            code = own_column(folded.data);
        }
    }
    rsp_buf_free(&folded);
    return code && strcmp(heading, "id") != 0 ? code : NULL;
}

static int recognise(const rsp_table_data *t, char why[160]) {
    size_t own = 0, brackets = 0;
    for (size_t j = 0; j < t->n_columns; j++) {
        const char *code = own_of_heading(t->headings[j]);
        if (code && strcmp(code, "token") != 0 && strcmp(code, "startdate") != 0) own++;
        if (bracket_heading(t->headings[j])) brackets++;
    }
    snprintf(why, 160, "%zu heading%s of LimeSurvey's own columns, %zu of the form CODE[SUB]", own, own == 1 ? "" : "s",
             brackets);
    if (own >= 2) return 10;
    if (own == 1 && (brackets || own_of_heading(t->headings[0]))) return 8;
    return brackets >= 2 && brackets * 20 >= t->n_columns ? 6 : 0;
}

const rsp_tool rsp_tool_limesurvey = {"limesurvey", recognise, own_column, true, true, true};
