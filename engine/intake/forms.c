/* Google Forms and Microsoft Forms: headings are the questions' texts; own columns go by the owner's language. */
#include "reader.h"

#include <string.h>

/* ---- Google ----------------------------------------------------------------------------------------------------- */

static const rsp_own google_own[] = {{"timestamp", "Timestamp", RSP_OWN_SUBMITTED},
                                     {"zeitstempel", "Timestamp", RSP_OWN_SUBMITTED},
                                     {"horodateur", "Timestamp", RSP_OWN_SUBMITTED},
                                     {"tidsstempel", "Timestamp", RSP_OWN_SUBMITTED},
                                     {"sygnatura czasowa", "Timestamp", RSP_OWN_SUBMITTED},
                                     {"carimbo de data/hora", "Timestamp", RSP_OWN_SUBMITTED},
                                     {"carimbo data/hora", "Timestamp", RSP_OWN_SUBMITTED},
                                     {"marcaj de timp", "Timestamp", RSP_OWN_SUBMITTED},
                                     {"marca temporal", "Timestamp", RSP_OWN_SUBMITTED},
                                     {"email address", "Email Address", RSP_OWN_PERSONAL},
                                     {"e-mail-adresse", "Email Address", RSP_OWN_PERSONAL},
                                     {"adresse e-mail", "Email Address", RSP_OWN_PERSONAL},
                                     {"mailadresse", "Email Address", RSP_OWN_PERSONAL},
                                     {"adres e-mail", "Email Address", RSP_OWN_PERSONAL},
                                     {"endereço de e-mail", "Email Address", RSP_OWN_PERSONAL},
                                     {"endereço de email", "Email Address", RSP_OWN_PERSONAL},
                                     {"adresă de e-mail", "Email Address", RSP_OWN_PERSONAL},
                                     {"username", "Username", RSP_OWN_PERSONAL},
                                     {"nutzername", "Username", RSP_OWN_PERSONAL},
                                     {"nom d'utilisateur", "Username", RSP_OWN_PERSONAL},
                                     {"score", "Score", RSP_OWN_STATUS}};

static bool is_responses_sheet(const char *sheet) {
    static const char *const names[] = {
        "Form Responses",         "Form responses",          "Formularantworten",       "Réponses au formulaire",
        "Formularsvar",           "Liczba odpowiedzi",       "Respostas ao formulário", "Respostas do formulário",
        "Răspunsuri la formular", "Respuestas de formulario"};
    for (size_t k = 0; sheet && k < sizeof names / sizeof *names; k++)
        if (strncmp(sheet, names[k], strlen(names[k])) == 0) return true;
    return false;
}

static bool is_timestamp(rsp_table_data *t) {
    rsp_buf room = {0};
    const rsp_own *own = t->n_columns > 1 ? rsp_tool_own(&rsp_tool_google_forms, t->headings[0], &room) : NULL;
    rsp_buf_free(&room);
    return own && own->kind == RSP_OWN_SUBMITTED;
}

static int recognise_google(rsp_table_data *t, char why[160]) {
    const char **cells = rsp_table_record(t, 0);
    double seconds;
    bool sheet = is_responses_sheet(t->sheet), stamp = is_timestamp(t);
    bool dated = cells && (rsp_parse_local_date(cells[0], strlen(cells[0]), RSP_DATES_DAY_FIRST, &seconds) ||
                           rsp_parse_local_date(cells[0], strlen(cells[0]), RSP_DATES_MONTH_FIRST, &seconds));
    snprintf(why, 160, "the first column is \"%.40s\"%s%s%.40s%s", t->n_columns ? t->headings[0] : "",
             dated ? " and holds points in time" : "", sheet ? "; the sheet is \"" : "", sheet ? t->sheet : "",
             sheet ? "\"" : "");
    if (sheet && stamp) return 12;
    return stamp && (dated || !cells) ? 8 : 0;
}

const rsp_tool rsp_tool_google_forms = {.name = "google-forms",
                                        .recognise = recognise_google,
                                        .n_own = sizeof google_own / sizeof *google_own,
                                        .own = google_own};

/* ---- Microsoft -------------------------------------------------------------------------------------------------- */

static const rsp_own microsoft_own[] = {{"id", "Id", RSP_OWN_ID},
                                        {"identyfikator", "Id", RSP_OWN_ID},
                                        {"start time", "Start time", RSP_OWN_STARTED},
                                        {"startzeit", "Start time", RSP_OWN_STARTED},
                                        {"heure de début", "Start time", RSP_OWN_STARTED},
                                        {"starttidspunkt", "Start time", RSP_OWN_STARTED},
                                        {"godzina rozpoczęcia", "Start time", RSP_OWN_STARTED},
                                        {"hora de início", "Start time", RSP_OWN_STARTED},
                                        {"ora de început", "Start time", RSP_OWN_STARTED},
                                        {"ora începerii", "Start time", RSP_OWN_STARTED},
                                        {"completion time", "Completion time", RSP_OWN_SUBMITTED},
                                        {"fertigstellungszeit", "Completion time", RSP_OWN_SUBMITTED},
                                        {"heure de fin", "Completion time", RSP_OWN_SUBMITTED},
                                        {"fuldførelsestidspunkt", "Completion time", RSP_OWN_SUBMITTED},
                                        {"godzina ukończenia", "Completion time", RSP_OWN_SUBMITTED},
                                        {"hora de conclusão", "Completion time", RSP_OWN_SUBMITTED},
                                        {"ora finalizării", "Completion time", RSP_OWN_SUBMITTED},
                                        {"ora de finalizare", "Completion time", RSP_OWN_SUBMITTED},
                                        {"last modified time", "Last modified time", RSP_OWN_STATUS},
                                        {"uhrzeit der letzten änderung", "Last modified time", RSP_OWN_STATUS},
                                        {"heure de la dernière modification", "Last modified time", RSP_OWN_STATUS},
                                        {"email", "Email", RSP_OWN_PERSONAL},
                                        {"e-mail", "Email", RSP_OWN_PERSONAL},
                                        {"mail", "Email", RSP_OWN_PERSONAL},
                                        {"adresse de messagerie", "Email", RSP_OWN_PERSONAL},
                                        {"adres e-mail", "Email", RSP_OWN_PERSONAL},
                                        {"name", "Name", RSP_OWN_PERSONAL},
                                        {"nom", "Name", RSP_OWN_PERSONAL},
                                        {"navn", "Name", RSP_OWN_PERSONAL},
                                        {"nazwa", "Name", RSP_OWN_PERSONAL},
                                        {"nome", "Name", RSP_OWN_PERSONAL},
                                        {"nume", "Name", RSP_OWN_PERSONAL},
                                        {"language", "Language", RSP_OWN_LANGUAGE}};

static int recognise_microsoft(rsp_table_data *t, char why[160]) {
    rsp_buf room = {0};
    bool seen[RSP_OWN_PERSONAL + 1] = {false};
    size_t own = 0;
    for (size_t j = 0; j < t->n_columns && j < 7; j++) {
        const rsp_own *o = rsp_tool_own(&rsp_tool_microsoft_forms, t->headings[j], &room);
        if (!o) continue;
        own++;
        seen[o->kind] = true;
    }
    rsp_buf_free(&room);
    snprintf(why, 160, "the first columns are %zu of Microsoft Forms' own (id, start, completion, e-mail, name)", own);
    return seen[RSP_OWN_ID] && seen[RSP_OWN_STARTED] && seen[RSP_OWN_SUBMITTED] ? 11 : 0;
}

const rsp_tool rsp_tool_microsoft_forms = {.name = "microsoft-forms",
                                           .recognise = recognise_microsoft,
                                           .n_own = sizeof microsoft_own / sizeof *microsoft_own,
                                           .own = microsoft_own};
