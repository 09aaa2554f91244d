/* SurveyMonkey: two rows of headings. A question's text stands over the first of its columns, the second row says
 * "Response", "Open-Ended Response", or names the option or row. They become `Question` and `Question [Option]`. */
#include "reader.h"

#include <string.h>

static const rsp_own own_columns[] = {
    {"respondentid", "RespondentID", RSP_OWN_ID},      {"respondent id", "RespondentID", RSP_OWN_ID},
    {"collectorid", "CollectorID", RSP_OWN_STATUS},    {"collector id", "CollectorID", RSP_OWN_STATUS},
    {"startdate", "StartDate", RSP_OWN_STARTED},       {"start date", "StartDate", RSP_OWN_STARTED},
    {"date created", "StartDate", RSP_OWN_STARTED},    {"enddate", "EndDate", RSP_OWN_SUBMITTED},
    {"end date", "EndDate", RSP_OWN_SUBMITTED},        {"date modified", "EndDate", RSP_OWN_SUBMITTED},
    {"ip address", "IP Address", RSP_OWN_PERSONAL},    {"email address", "Email Address", RSP_OWN_PERSONAL},
    {"first name", "First Name", RSP_OWN_PERSONAL},    {"last name", "Last Name", RSP_OWN_PERSONAL},
    {"lastname", "Last Name", RSP_OWN_PERSONAL},       {"custom data", "Custom Data", RSP_OWN_PERSONAL},
    {"custom data 1", "Custom Data", RSP_OWN_PERSONAL}};
enum { N_OWN = sizeof own_columns / sizeof *own_columns };

static bool is_answer_word(const char *folded) {
    static const char *const words[] = {"response", "open-ended response", "antwort",   "offene antwort",
                                        "réponse",  "réponse ouverte",     "resposta",  "resposta aberta",
                                        "svar",     "åbent svar",          "odpowiedź", "odpowiedź otwarta",
                                        "răspuns",  "răspuns deschis",     "respuesta", "respuesta abierta"};
    for (size_t k = 0; k < sizeof words / sizeof *words; k++)
        if (strcmp(folded, words[k]) == 0) return true;
    return false;
}

/* Is the first record a second row of headings? Answers would stand under an id that has none in that row. */
static size_t answer_words(rsp_table_data *t, size_t *named) {
    const char **cells = rsp_table_record(t, 0);
    rsp_buf room = {0};
    size_t words = 0;
    *named = 0;
    for (size_t j = 0; cells && j < t->n_columns; j++) {
        rsp_fold(cells[j], strlen(cells[j]), &room);
        words += is_answer_word(room.data);
        *named += room.length > 0;
    }
    if (cells && cells[0][0] && t->n_columns > 1) words = *named == words ? words : 0;
    rsp_buf_free(&room);
    return words;
}

static int recognise(rsp_table_data *t, char why[160]) {
    size_t own = 0, named, words = answer_words(t, &named);
    rsp_buf room = {0};
    for (size_t j = 0; j < t->n_columns; j++)
        own += rsp_tool_own(&rsp_tool_surveymonkey, t->headings[j], &room) != NULL;
    bool respondent = t->n_columns && rsp_tool_own(&rsp_tool_surveymonkey, t->headings[0], &room) &&
                      rsp_tool_own(&rsp_tool_surveymonkey, t->headings[0], &room)->kind == RSP_OWN_ID;
    rsp_buf_free(&room);
    snprintf(why, 160,
             "%zu of SurveyMonkey's own columns; the second row says \"Response\" %zu times and names %zu options", own,
             words, named - words);
    if (words && (respondent || own >= 2)) return 12;
    if (words && words * 3 >= named) return 8;
    return respondent && own >= 3 ? 9 : 0;
}

static void prepare(rsp_table_data *t, rsp_diag *d) {
    size_t named;
    rsp_buf room = {0};
    (void) d;
    if (!answer_words(t, &named)) return;
    const char **second = rsp_table_record(t, 0), *question = "";
    for (size_t j = 0; j < t->n_columns; j++) {
        if (t->headings[j][0]) question = t->headings[j];
        rsp_fold(second[j], strlen(second[j]), &room);
        if (!room.length) {
            if (!t->headings[j][0]) question = "";
            continue;
        }
        if (is_answer_word(room.data)) rsp_table_set_heading(t, j, question);
        else rsp_table_set_heading(t, j, rsp_printf(t->arena, "%s [%s]", question, second[j]));
    }
    rsp_buf_free(&room);
    rsp_table_drop(t, 1);
}

static int tick(const rsp_table_data *t, const char *text, size_t length) {
    (void) t;
    return length == 12 && memcmp(text, "Not selected", 12) == 0 ? 0 : RSP_NO_TICK;
}

const rsp_tool rsp_tool_surveymonkey = {.name = "surveymonkey",
                                        .recognise = recognise,
                                        .prepare = prepare,
                                        .n_own = N_OWN,
                                        .own = own_columns,
                                        .tick = tick,
                                        .month_first = true};
