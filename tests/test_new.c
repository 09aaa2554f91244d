/* `responsive new`: drafts of real exports load without a fault, read every row, and run; what they make of questions. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <xlsxwriter.h>

#include "intake/form.h"
#include "intake/scales.h"
#include "responsive/expr.h"
#include "shell.h"

static char folder[] = "/tmp/responsive-new-XXXXXX";

static rsp_study *drafted(const char *name, const char *const *paths, size_t n, rsp_diag *d) {
    char dir[120];
    snprintf(dir, sizeof dir, "%s/%s", folder, name);
    if (!rsp_new(dir, paths, n, d)) {
        rsp_diag_print(d, stderr, false, 0);
        fail_msg("no draft of %s", paths[0]);
    }
    rsp_study *s = rsp_study_load(dir, d);
    if (!s) rsp_diag_print(d, stderr, false, 0);
    assert_non_null(s);
    return s;
}

/* Does `responsive run` publish the draft? */
static void expect_run(const char *name) {
    int status = sh("%s/responsive run %s/%s --out %s/out --quiet > %s/run.log 2>&1", build_folder(), folder, name,
                    folder, folder);
    if (status == 0 || status == 1) return;
    if (sh("grep error %s/run.log >&2", folder) != 0) fputs("no error is named\n", stderr);
    fail_msg("the run of %s ends with %d", name, status);
}

static const struct {
    const char *name;
    size_t rows, n;
    const char *paths[3];
    bool run;
} drafts[] = {{"wvs", 5381, 1, {"fixtures/wvs/wvs.csv"}, true},
              {"rse2017",
               424,
               3,
               {"fixtures/rse2017/rse2017-germany.csv", "fixtures/rse2017/rse2017-netherlands.csv",
                "fixtures/rse2017/rse2017-south-africa.csv"},
               true},
              {"star_wars", 1186, 1, {"fixtures/exports/surveymonkey/star-wars.csv"}, true},
              {"dam", 138, 1, {"fixtures/exports/kobo/dam-and-you-labels.csv"}, true},
              {"everse", 28, 1, {"fixtures/exports/eusurvey/everse-landscaping.xlsx"}, true},
              {"twins", 96, 1, {"fixtures/limesurvey/digital-twins-german.csv"}, true},
              {"electric", 240, 1, {"fixtures/exports/spss/foreign-electric.sav"}, true},
              {"unit_tests", 70, 1, {"fixtures/limesurvey/unit-test-quality.csv"}, true},
              {"steak", 550, 1, {"fixtures/exports/surveymonkey/steak-risk.csv"}, true},
              {"hot_dog_25", 207, 1, {"fixtures/exports/google-forms/hot-dog-fall25.xlsx"}, true},
              {"hot_dog_spring", 64, 1, {"fixtures/exports/google-forms/hot-dog-spring25.csv"}, true},
              {"hot_dog_24", 187, 1, {"fixtures/exports/microsoft-forms/hot-dog-fall24.csv"}, true},
              {"types_3", 5, 1, {"fixtures/exports/qualtrics/question-types-3-headers.csv"}, false},
              {"types_2", 5, 1, {"fixtures/exports/qualtrics/question-types-2-headers-legacy.csv"}, false},
              {"checkboxes", 4, 1, {"fixtures/exports/redcap/checkboxes-1-data.csv"}, false},
              {"sample_dta", 5, 1, {"fixtures/exports/stata/pyreadstat-sample.dta"}, false}};

static void test_drafts_load_and_read(void **state) {
    (void) state;
    for (size_t k = 0; k < sizeof drafts / sizeof *drafts; k++) {
        rsp_diag *d = rsp_diag_new();
        rsp_study *s = drafted(drafts[k].name, drafts[k].paths, drafts[k].n, d);
        rsp_frame *f = rsp_intake(s, d);
        if (!f) rsp_diag_print(d, stderr, false, 0);
        assert_non_null(f);
        assert_int_equal(f->n, drafts[k].rows);
        if (strcmp(drafts[k].name, "electric") == 0) /* outlives the table that it was read from */
            assert_string_equal(f->files[0].encoding, "WINDOWS-1252");
        rsp_frame_free(f);
        rsp_study_free(s);
        rsp_diag_free(d);
        if (drafts[k].run) expect_run(drafts[k].name);
    }
}

static const rsp_variable *variable_labelled(const rsp_study *s, const char *label) {
    for (size_t v = 0; v < s->n_variables; v++)
        if (strcmp(rsp_variable_label(s, v, s->languages[0]), label) == 0) return &s->variables[v];
    fail_msg("no variable is called '%s'", label);
    return NULL;
}

static void test_what_a_draft_says(void **state) {
    (void) state;
    rsp_diag *d = rsp_diag_new();
    const char *stars[] = {"fixtures/exports/surveymonkey/star-wars.csv"};
    rsp_study *s = drafted("said", stars, 1, d);
    assert_string_equal(s->variables[s->roles.id].name, "RespondentID");
    const rsp_variable *han = variable_labelled(s, "Han Solo"), *yoda = variable_labelled(s, "Yoda");
    assert_ptr_equal(han->list, yoda->list);
    assert_int_equal(han->measure, RSP_ORDINAL);
    static const char *const order[] = {
        "Very unfavorably",   "Somewhat unfavorably", "Neither favorably nor unfavorably (neutral)",
        "Somewhat favorably", "Very favorably",       "Unfamiliar (N/A)"};
    assert_int_equal(han->list->n, 6);
    for (size_t k = 0; k < 6; k++) assert_string_equal(rsp_choice_label(han->list, k, "en"), order[k]);
    assert_true(han->list->choices[5].missing && !han->list->choices[4].missing);
    const rsp_variable *seen =
        variable_labelled(s, "Which of the following Star Wars films have you seen? Please select all that apply.");
    assert_int_equal(seen->type, RSP_SELECT_MULTIPLE);
    assert_int_equal(seen->list->n, 6);
    const rsp_variable *rank =
        variable_labelled(s, "Please rank the Star Wars films in order of preference with 1 being your "
                             "favorite film in the franchise and 6 being your least favorite film.");
    assert_int_equal(rank->type, RSP_RANK);
    const rsp_variable *age = variable_labelled(s, "Age"), *income = variable_labelled(s, "Household Income");
    assert_int_equal(age->measure, RSP_ORDINAL);
    assert_string_equal(rsp_choice_label(age->list, 0, "en"), "18-29");
    assert_string_equal(rsp_choice_label(age->list, age->list->n - 1, "en"), "> 60");
    assert_string_equal(rsp_choice_label(income->list, 0, "en"), "$0 - $24,999");
    assert_string_equal(rsp_choice_label(income->list, income->list->n - 1, "en"), "$150,000+");
    rsp_study_free(s);
    /* A second draft does not write over the first. */
    char dir[120];
    snprintf(dir, sizeof dir, "%s/said", folder);
    assert_false(rsp_new(dir, stars, 1, d));
    assert_int_equal(rsp_diag_status(d), RSP_ERR_OUTPUT);
    rsp_diag_free(d);
}

static const char *written(const char *name, const char *text) {
    static char paths[8][120];
    static size_t next;
    char *path = paths[next++ % 8];
    rsp_diag *d = rsp_diag_new();
    snprintf(path, sizeof paths[0], "%s/%s", folder, name);
    assert_true(rsp_write_file(path, text, strlen(text), d));
    rsp_diag_free(d);
    return path;
}

static const rsp_analysis *analysis_of(const rsp_study *s, const char *item, rsp_statistic statistic) {
    size_t v = rsp_study_variable(s, item);
    for (size_t k = 0; k < s->n_analyses && v != RSP_NONE; k++)
        for (size_t i = 0; i < s->analyses[k].table.n_items; i++)
            if (s->analyses[k].table.items[i] == v && s->analyses[k].table.statistic == statistic)
                return &s->analyses[k];
    return NULL;
}

static bool in_brief(const rsp_study *s, const rsp_analysis *x) {
    for (size_t k = 0; k < s->reports.briefs[0].n_analyses; k++)
        if (strcmp(s->reports.briefs[0].analyses[k], x->id) == 0) return true;
    return s->reports.briefs[0].n_analyses == 0;
}

/* A scale of eleven points is read by its mean, years and weights are no means at all, one country is nothing to compare. */
static void test_numbers_of_a_draft(void **state) {
    (void) state;
    rsp_diag *d = rsp_diag_new();
    rsp_buf data = {0};
    rsp_buf_puts(&data, "country,trust in parliament,year of birth,design weight,days waited,hours\n");
    for (int k = 0; k < 400; k++) {
        static const char *const ends[] = {"\xEF\xBB\xBF"
                                           "0 (None at all)",
                                           "10 (Complete)"};
        rsp_buf_puts(&data, "Portugal,");
        if (k % 11 == 0 || k % 11 == 10) rsp_buf_puts(&data, ends[k % 11 != 0]);
        else rsp_buf_printf(&data, "%d", k % 11);
        rsp_buf_printf(&data, ",%d,%.3f,%d,%d\n", 1931 + k * 11 % 69, 0.4 + (k % 97) * 0.013, k % 200 ? k % 17 : 9000,
                       k * 13 % 41);
    }
    const char *files[] = {written("numbers.csv", data.data)};
    rsp_study *s = drafted("numbers", files, 1, d);
    assert_true(s->roles.country == RSP_NONE);
    const rsp_list *trust = variable_labelled(s, "trust in parliament")->list;
    assert_int_equal(trust->n, 11);
    assert_string_equal(rsp_choice_label(trust, 0, "en"), "0 (None at all)"); /* without the mark of byte order */
    for (size_t k = 0; k < 11; k++) assert_true(trust->choices[k].value == (double) k);
    const rsp_analysis *mean = analysis_of(s, "trust_parliament", RSP_MEAN),
                       *shares = analysis_of(s, "trust_parliament", RSP_PROPORTION),
                       *year = analysis_of(s, "year_birth", RSP_MEDIAN), *hours = analysis_of(s, "hours", RSP_MEAN);
    assert_true(mean && shares && year && hours && analysis_of(s, "days_waited", RSP_MEDIAN));
    assert_true(in_brief(s, mean) && !in_brief(s, shares) && !in_brief(s, year) && in_brief(s, hours));
    assert_int_equal(mean->table.by[0].n, 0);
    assert_int_equal(s->variables[rsp_study_variable(s, "design_weight")].type, RSP_DECIMAL);
    assert_true(!analysis_of(s, "design_weight", RSP_MEAN) && !analysis_of(s, "design_weight", RSP_MEDIAN));
    rsp_study_free(s);
    rsp_buf_free(&data);
    rsp_diag_free(d);
}

/* "How much of your land was affected?" asks for no country; "Land" with names of countries does. A column where everybody
 * has the same is about the file. Kobo's options stand behind the question's own column. */
static void test_what_a_draft_leaves(void **state) {
    (void) state;
    rsp_diag *d = rsp_diag_new();
    const char *dam[] = {"fixtures/exports/kobo/dam-and-you-labels.csv"};
    rsp_study *s = drafted("dam_again", dam, 1, d);
    assert_true(s->roles.country == RSP_NONE);
    const rsp_variable *have = variable_labelled(s, "Which of these do you have in your household?");
    assert_int_equal(have->type, RSP_SELECT_MULTIPLE);
    assert_string_equal(rsp_choice_label(have->list, 1, "en"), "Motorbike/scooter");
    rsp_study_free(s);
    rsp_buf b = {0};
    rsp_buf_puts(&b, "Land,round,vote\n");
    for (int k = 0; k < 60; k++) rsp_buf_printf(&b, "%s,5,%s\n", k % 2 ? "Österreich" : "Polen", k % 3 ? "ja" : "nein");
    const char *lands[] = {written("land.csv", b.data)};
    s = drafted("lands", lands, 1, d);
    assert_string_equal(s->variables[s->roles.country].name, "Land");
    assert_int_equal(s->n_analyses, 1); /* of the vote */
    assert_string_equal(s->analyses[0].id, "t_vote");
    assert_int_equal(rsp_list_find(s->variables[s->roles.country].list, "AT"), 1); /* as maps know it */
    rsp_study_free(s);
    /* DK is Denmark where countries are asked for, and "don't know" elsewhere. */
    b.length = 0;
    rsp_buf_puts(&b, "country,born_country,trust\n");
    for (int k = 0; k < 60; k++)
        rsp_buf_printf(&b, "%s,%s,%s\n", k % 3 ? "DK" : "PL", k % 4 ? "DK" : "NA",
                       k % 5 == 0 ? "DK"
                       : k % 2    ? "low"
                                  : "high");
    const char *codes[] = {written("codes.csv", b.data)};
    s = drafted("codes", codes, 1, d);
    const rsp_list *country = s->variables[s->roles.country].list, *trust = variable_labelled(s, "trust")->list;
    assert_int_equal(country->n, 2);
    assert_string_equal(country->choices[0].code, "DK");
    assert_string_equal(rsp_choice_label(country, 0, "en"), "Denmark");
    assert_false(country->choices[0].missing);
    const rsp_list *born = variable_labelled(s, "born_country")->list;
    assert_false(born->choices[0].missing || born->choices[1].missing); /* NA is Namibia */
    assert_true(trust->choices[rsp_list_find(trust, "dk")].missing);
    rsp_frame *f = rsp_intake(s, d);
    assert_non_null(f);
    for (size_t i = 0; i < f->n; i++) assert_true(rsp_valid(f, s->roles.country, i));
    rsp_frame_free(f);
    rsp_buf_free(&b);
    rsp_study_free(s);
    rsp_diag_free(d);
}

/* ---- questionnaires beside the exports -------------------------------------------------------------------------- */

static const rsp_variable *variable_named(const rsp_study *s, const char *name) {
    size_t v = rsp_study_variable(s, name);
    if (v == RSP_NONE) fail_msg("no variable is named '%s'", name);
    return &s->variables[v];
}

static void expect_label(const rsp_study *s, const char *name, const char *language, const char *label) {
    assert_string_equal(rsp_variable_label(s, (size_t) (variable_named(s, name) - s->variables), language), label);
}

static char *bytes_of(const char *name, const char *file) {
    char path[200];
    rsp_buf b = {0};
    rsp_diag *d = rsp_diag_new();
    snprintf(path, sizeof path, "%s/%s/%s", folder, name, file);
    assert_true(rsp_read_file(path, &b, d, RSP_ERR_DATA, RSP_NOWHERE));
    rsp_diag_free(d);
    return b.data;
}

static void test_limesurvey_questionnaires(void **state) {
    static const char export[] = "fixtures/questionnaires/voices.csv";
    const char *xml[] = {export, "fixtures/questionnaires/voices.lss"};
    const char *table[] = {"fixtures/questionnaires/voices.txt", export};
    (void) state;
    rsp_diag *d = rsp_diag_new();
    rsp_study *s = drafted("voices", xml, 2, d);
    assert_int_equal(s->n_languages, 2);
    assert_int_equal(variable_named(s, "country")->type, RSP_SELECT_ONE);
    assert_true(s->roles.country == rsp_study_variable(s, "country"));
    expect_label(s, "years", "pl", "Od ilu lat pracuje Pan/Pani w tej dziedzinie?");
    const rsp_variable *engage = variable_named(s, "engage_sq002");
    assert_int_equal(engage->measure, RSP_ORDINAL);
    assert_string_equal(engage->list->choices[0].code, "A1"); /* asked with agreement first */
    assert_string_equal(rsp_choice_label(engage->list, 4, "pl"), "Zdecydowanie się zgadzam");
    assert_ptr_equal(engage->list, variable_named(s, "engage_sq003")->list);
    const rsp_variable *channel = variable_named(s, "channel");
    assert_int_equal(channel->type, RSP_SELECT_MULTIPLE);
    assert_int_equal(channel->list->n, 4);
    assert_string_equal(rsp_choice_label(channel->list, 3, "pl"), "Inne");
    assert_non_null(variable_named(s, "satisf")->relevant);
    assert_null(variable_named(s, "country")->relevant); /* always shown */
    assert_int_equal(variable_named(s, "why")->relevant->op, RSP_X_AND);
    rsp_frame *f = rsp_intake(s, d);
    assert_non_null(f);
    assert_int_equal(f->n, 150);
    size_t why = rsp_study_variable(s, "why"), other = channel->first_part + 3, answered = 0, others = 0;
    for (size_t i = 0; i < f->n; i++) {
        answered += rsp_valid(f, why, i);
        others += rsp_value(f, other, i) == 1;
    }
    assert_true(answered > 20 && answered < 60);
    assert_true(others > 5 && others < 40);
    assert_int_equal(rsp_diag_warnings(d) + rsp_diag_errors(d), 0);
    rsp_frame_free(f);
    rsp_study_free(s);
    expect_run("voices");
    rsp_study_free(drafted("voices_2", table, 2, d));
    static const char *const files[] = {"survey.csv", "choices.csv"};
    for (size_t k = 0; k < 2; k++) {
        char *one = bytes_of("voices", files[k]), *two = bytes_of("voices_2", files[k]);
        assert_string_equal(one, two);
        free(one);
        free(two);
    }
    char dir[120];
    snprintf(dir, sizeof dir, "%s/none", folder);
    assert_false(rsp_new(dir, xml + 1, 1, d)); /* no answers */
    assert_int_equal(rsp_diag_status(d), RSP_ERR_DATA);
    rsp_diag_free(d);
}

/* Types, entities that nobody declares and nesting without end: each is said, and no other file is read. */
static void test_questionnaires_that_are_refused(void **state) {
#define LSS(type, inside) type "<document><LimeSurveyDocType>Survey</LimeSurveyDocType>" inside "</document>"
    static const struct {
        const char *text, *says;
    } cases[] = {
        {LSS("<!DOCTYPE d [<!ENTITY a \"ha\"><!ENTITY b \"&a;&a;&a;\">]>", "<x>&b;</x>"), "declares a document type"},
        {LSS("<!DOCTYPE d [<!ENTITY f SYSTEM \"/etc/passwd\">]>", "<x>&f;</x>"), "declares a document type"},
        {LSS("<!DOCTYPE d SYSTEM \"/etc/passwd\">", ""), "declares a document type"},
        {LSS("", "<x>&f;</x>"), "no whole XML document"},
        {LSS("", "<x>"), "no whole XML document"},
    };
    (void) state;
    for (size_t k = 0; k <= sizeof cases / sizeof *cases; k++) {
        rsp_diag *d = rsp_diag_new();
        rsp_buf raw = {0};
        bool deep = k == sizeof cases / sizeof *cases;
        rsp_buf_puts(&raw, deep ? LSS("", "") : cases[k].text);
        raw.length -= deep ? strlen("</document>") : 0;
        for (int depth = 0; deep && depth < 100000; depth++) rsp_buf_puts(&raw, "<x>");
        assert_null(rsp_form_read(&raw, "form.lss", d));
        assert_int_equal(rsp_diag_count(d), 1);
        assert_non_null(strstr(rsp_diag_at(d, 0)->message, deep ? "no whole XML document" : cases[k].says));
        rsp_buf_free(&raw);
        rsp_diag_free(d);
    }
}

static void write_sheet(lxw_workbook *book, const char *name, const char *const *cells, uint16_t columns) {
    lxw_worksheet *sheet = workbook_add_worksheet(book, name);
    for (uint32_t k = 0; cells[k]; k++)
        if (*cells[k]) worksheet_write_string(sheet, k / columns, (lxw_col_t) (k % columns), cells[k], NULL);
}

static void test_xlsform(void **state) {
    static const char *const survey[] = {"type",
                                         "name",
                                         "label::English (en)",
                                         "label::Français (fr)",
                                         "relevant",
                                         "begin_group",
                                         "work",
                                         "Work",
                                         "Travail",
                                         "",
                                         "select_one role",
                                         "role",
                                         "What is your role?",
                                         "Quel est votre rôle ?",
                                         "",
                                         "select_multiple serv or_other",
                                         "serv",
                                         "Which services?",
                                         "Quels services ?",
                                         "${role} = 'm'",
                                         "begin_group",
                                         "home",
                                         "At home",
                                         "À la maison",
                                         "${role} != 'f'",
                                         "integer",
                                         "children",
                                         "How many children?",
                                         "Combien d'enfants ?",
                                         "${age} > 18",
                                         "end_group",
                                         "",
                                         "",
                                         "",
                                         "",
                                         "end_group",
                                         "",
                                         "",
                                         "",
                                         "",
                                         "select_one agree",
                                         "heard",
                                         "I am heard.",
                                         "On m'écoute.",
                                         "selected(${serv}, 'care')",
                                         "integer",
                                         "age",
                                         "Your age",
                                         "Votre âge",
                                         "",
                                         "note",
                                         "bye",
                                         "Thank you",
                                         "Merci",
                                         "",
                                         NULL};
    static const char *const choices[] = {"list_name",
                                          "name",
                                          "label::English (en)",
                                          "label::Français (fr)",
                                          "role",
                                          "f",
                                          "Front line",
                                          "Terrain",
                                          "role",
                                          "m",
                                          "Management",
                                          "Direction",
                                          "serv",
                                          "advice",
                                          "Advice",
                                          "Conseil",
                                          "serv",
                                          "care",
                                          "Home care",
                                          "Soins à domicile",
                                          "agree",
                                          "no",
                                          "Disagree",
                                          "Pas d'accord",
                                          "agree",
                                          "yes",
                                          "Agree",
                                          "D'accord",
                                          NULL};
    char path[120];
    (void) state;
    snprintf(path, sizeof path, "%s/form.xlsx", folder);
    lxw_workbook *book = workbook_new(path);
    write_sheet(book, "survey", survey, 5);
    write_sheet(book, "choices", choices, 4);
    assert_int_equal(workbook_close(book), LXW_NO_ERROR);
    rsp_diag *d = rsp_diag_new();
    const char *files[] = {
        written("kobo.csv",
                "\"start\";\"work/role\";\"work/serv\";\"work/serv/advice\";\"work/serv/care\";\"heard\";\"age\";"
                "\"_id\";\"_uuid\";\"_submission_time\";\"_index\"\n"
                "\"2026-03-02T10:11:12.000+02:00\";\"m\";\"advice care\";\"1\";\"1\";\"yes\";\"44\";\"9001\";"
                "\"c0ffee\";\"2026-03-02T08:20:00\";\"1\"\n"
                "\"2026-03-02T11:11:12.000+02:00\";\"f\";\"\";\"\";\"\";\"\";\"31\";\"9002\";\"c0ffef\";"
                "\"2026-03-02T09:20:00\";\"2\"\n"),
        path};
    rsp_study *s = drafted("kobo_form", files, 2, d);
    assert_int_equal(s->n_languages, 2);
    expect_label(s, "heard", "fr", "On m'écoute.");
    assert_string_equal(rsp_choice_label(variable_named(s, "role")->list, 1, "fr"), "Direction");
    assert_int_equal(variable_named(s, "serv")->type, RSP_SELECT_MULTIPLE);
    assert_int_equal(variable_named(s, "serv")->list->n, 3);
    assert_int_equal(variable_named(s, "heard")->measure, RSP_ORDINAL);
    assert_int_equal(variable_named(s, "heard")->relevant->op, RSP_X_SELECTED);
    assert_int_equal(variable_named(s, "age")->type, RSP_INTEGER);
    rsp_frame *f = rsp_intake(s, d);
    assert_non_null(f);
    assert_int_equal(rsp_diag_warnings(d) + rsp_diag_errors(d), 0);
    rsp_frame_free(f);
    rsp_study_free(s);
    /* ODK Central joins groups with hyphens; a condition of the group counts for what is in it; places stay out. */
    files[0] =
        written("odk.csv", "SubmissionDate,work-role,work-serv,work-serv/advice,work-serv/care,work-home-children,"
                           "heard,age,place-Latitude,place-Longitude,KEY,SubmitterID,FormVersion\n"
                           "2026-03-02T08:20:00.000Z,m,advice,1,0,2,yes,44,52.1,21.0,uuid:1,7,2\n"
                           "2026-03-02T09:20:00.000Z,f,care,0,1,,no,31,52.2,21.0,uuid:2,7,2\n");
    s = drafted("odk_form", files, 2, d);
    assert_int_equal(variable_named(s, "serv")->type, RSP_SELECT_MULTIPLE);
    assert_int_equal(variable_named(s, "children")->relevant->op, RSP_X_AND);
    expect_label(s, "children", "fr", "Combien d'enfants ?");
    for (size_t v = 0; v < s->n_variables; v++) assert_null(strcasestr(s->variables[v].name, "itude"));
    rsp_study_free(s);
    /* The same questions in an export with words for headings and answers. */
    files[0] = written("labels.csv", "What is your role?,I am heard.,Your age\nManagement,Agree,44\nFront line,,31\n");
    s = drafted("kobo_words", files, 2, d);
    assert_string_equal(rsp_choice_label(variable_named(s, "role")->list, 0, "fr"), "Terrain");
    assert_int_equal(variable_named(s, "heard")->list->n, 2);
    rsp_study_free(s);
    rsp_diag_free(d);
}

static void test_redcap_dictionary(void **state) {
    const char *files[] = {"fixtures/exports/redcap/repeating-instruments-data.csv",
                           "fixtures/exports/redcap/repeating-instruments-dictionary.csv"};
    (void) state;
    rsp_diag *d = rsp_diag_new();
    rsp_study *s = drafted("redcap_form", files, 2, d);
    assert_string_equal(rsp_choice_label(variable_named(s, "ethnicity")->list, 1, "en"), "NOT Hispanic or Latino");
    assert_int_equal(variable_named(s, "race")->list->n, 7); /* also those that nobody chose */
    assert_int_equal(variable_named(s, "bp_systolic")->type, RSP_INTEGER);
    assert_true(rsp_study_variable(s, "dob") == RSP_NONE && rsp_study_variable(s, "first_name") == RSP_NONE);
    rsp_study_free(s);
    rsp_diag_free(d);
}

static const rsp_analysis *analysis_with(const rsp_study *s, const char *title) {
    for (size_t k = 0; k < s->n_analyses; k++) {
        const char *text = rsp_text_in(&s->analyses[k].title, "en");
        if (text && strcmp(text, title) == 0) return &s->analyses[k];
    }
    fail_msg("no table is called '%s'", title);
    return NULL;
}

/* Kobo's labels: rows of two questions under one heading, the questions' words over blank columns in front, slashes. */
static void test_rows_of_label_exports(void **state) {
    const char *files[] = {"fixtures/exports/kobo/dam-and-you-labels.csv"};
    (void) state;
    rsp_diag *d = rsp_diag_new();
    rsp_study *s = drafted("dam_rows", files, 1, d);
    expect_label(s, "drinking_water", "en", "Drinking water");
    expect_label(s, "drinking_water_2", "en", "Drinking water");
    expect_label(s, "collecting_herbs", "en", "Collecting herbs / medicinal plants");
    assert_non_null(analysis_with(s, "How do you use the river?"));
    assert_non_null(analysis_with(s, "How do you use the forest?"));
    rsp_frame *f = rsp_intake(s, d);
    assert_non_null(f);
    size_t first = rsp_study_variable(s, "drinking_water"), second = rsp_study_variable(s, "drinking_water_2"),
           n[2] = {0};
    for (size_t i = 0; i < f->n; i++) {
        n[0] += rsp_valid(f, first, i);
        n[1] += rsp_valid(f, second, i);
    }
    assert_int_equal(n[0], 136);
    assert_int_equal(n[1], 134);
    rsp_frame_free(f);
    rsp_study_free(s);
    rsp_diag_free(d);
}

static void test_qualtrics_questionnaire(void **state) {
    const char *files[] = {"fixtures/questionnaires/voices-qualtrics.csv", "fixtures/questionnaires/voices.qsf"};
    (void) state;
    rsp_diag *d = rsp_diag_new();
    rsp_study *s = drafted("qsf", files, 2, d);
    assert_int_equal(s->n_languages, 2);
    assert_string_equal(s->languages[1], "de");
    expect_label(s, "Q1", "en", "In which field do you work?"); /* without HTML */
    expect_label(s, "Q1", "de", "In welchem Feld arbeiten Sie?");
    const rsp_list *field = variable_named(s, "Q1")->list;
    assert_string_equal(field->choices[0].code, "30"); /* in the order shown, by the recode values */
    assert_string_equal(rsp_choice_label(field, 0, "de"), "Kinderschutz");
    const rsp_variable *channels = variable_named(s, "Q2");
    assert_int_equal(channels->type, RSP_SELECT_MULTIPLE);
    assert_string_equal(channels->list->choices[2].code, "4");
    assert_string_equal(rsp_choice_label(channels->list, 1, "de"), "Treffen");
    const rsp_variable *board = variable_named(s, "board"); /* a row that has a tag of its own */
    assert_ptr_equal(board->list, variable_named(s, "Q3_4")->list);
    assert_int_equal(board->list->n, 5);
    expect_label(s, "board", "de", "Nutzerinnen und Nutzer sitzen im Vorstand.");
    assert_int_equal(board->measure, RSP_ORDINAL);
    assert_int_equal(variable_named(s, "Q4_1")->list == NULL, 1);
    assert_non_null(variable_named(s, "Q6")->relevant);
    assert_true(rsp_study_variable(s, "Q9") == RSP_NONE);
    rsp_frame *f = rsp_intake(s, d);
    assert_non_null(f);
    assert_int_equal(f->n, 120);
    size_t meetings = rsp_study_variable(s, "Q2"), recorded = rsp_study_variable(s, "Q6"), chosen = 0, answered = 0;
    for (size_t i = 0; i < f->n; i++) {
        chosen += f->columns[s->variables[meetings].first_part + 1].c8[i] == 1;
        answered += rsp_valid(f, recorded, i);
    }
    assert_true(chosen > 40 && answered > 20 && answered < chosen);
    rsp_frame_free(f);
    rsp_study_free(s);
    const char *cut[] = {"fixtures/questionnaires/voices-qualtrics.csv",
                         written("cut.qsf", "{\"SurveyEntry\": {},\n \"SurveyElements\": [{]}")};
    char dir[200];
    snprintf(dir, sizeof dir, "%s/cut", folder);
    assert_false(rsp_new(dir, cut, 2, d));
    const rsp_diagnostic *damaged = NULL;
    for (size_t k = 0; k < rsp_diag_count(d); k++)
        if (strstr(rsp_diag_at(d, k)->message, "this .qsf file is cut or damaged")) damaged = rsp_diag_at(d, k);
    assert_non_null(damaged);
    assert_int_equal(damaged->loc.line, 2);
    rsp_diag_free(d);
}

/* A table side by side: each of its columns a matrix, TAG#1 and TAG#2, with the rows of both. */
static void test_side_by_side(void **state) {
    static const char form[] =
        "{\"SurveyEntry\": {\"SurveyName\": \"Care\", \"SurveyLanguage\": \"EN\"}, \"SurveyElements\": ["
        "{\"Element\": \"SQ\", \"Payload\": {\"QuestionID\": \"QID4\", \"DataExportTag\": \"Q4\", \"QuestionType\": "
        "\"SBS\", \"Selector\": \"SBSMatrix\", \"QuestionText\": \"Services\", \"Choices\": {\"1\": {\"Display\": "
        "\"Home care\"}, \"3\": {\"Display\": \"Advice\"}}, \"ChoiceOrder\": [1, 3], \"NumberOfQuestions\": 2, "
        "\"AdditionalQuestions\": {\"1\": {\"QuestionType\": \"Matrix\", \"Selector\": \"Likert\", \"SubSelector\": "
        "\"SingleAnswer\", \"QuestionText\": \"How often?\", \"Answers\": {\"1\": {\"Display\": \"Never\"}, \"2\": "
        "{\"Display\": \"Often\"}}, \"AnswerOrder\": [1, 2], \"RecodeValues\": []}, \"2\": {\"QuestionType\": "
        "\"Matrix\", "
        "\"Selector\": \"Likert\", \"SubSelector\": \"SingleAnswer\", \"QuestionText\": \"How good?\", \"Answers\": "
        "{\"1\": "
        "{\"Display\": \"Bad\"}, \"2\": {\"Display\": \"Good\"}}, \"AnswerOrder\": [1, 2], \"RecodeValues\": {\"1\": "
        "\"10\", \"2\": \"20\"}}}}}]}";
    (void) state;
    rsp_diag *d = rsp_diag_new();
    const char *files[] = {
        written(
            "sides.csv",
            "StartDate,Status,Finished,ResponseId,Q4#1_1,Q4#1_3,Q4#2_1,Q4#2_3\n"
            "Start Date,Response Type,Finished,Response ID,Services - How often? - Home care,Services - How often? - "
            "Advice,Services - How good? - Home care,Services - How good? - Advice\n"
            "\"{\"\"ImportId\"\":\"\"startDate\"\"}\",\"{\"\"ImportId\"\":\"\"status\"\"}\",\"{\"\"ImportId\"\":"
            "\"\"finished\"\"}\","
            "\"{\"\"ImportId\"\":\"\"_recordId\"\"}\",\"{\"\"ImportId\"\":\"\"QID4#1_1\"\"}\",\"{\"\"ImportId\"\":"
            "\"\"QID4#1_3\"\"}\","
            "\"{\"\"ImportId\"\":\"\"QID4#2_1\"\"}\",\"{\"\"ImportId\"\":\"\"QID4#2_3\"\"}\"\n"
            "2026-03-02 10:11:12,0,1,R_1,1,2,10,20\n2026-03-03 10:11:12,0,1,R_2,2,2,20,20\n"),
        written("sides.qsf", form)};
    rsp_study *s = drafted("sides", files, 2, d);
    const rsp_variable *often = variable_labelled(s, "Home care");
    assert_int_equal(often->type, RSP_SELECT_ONE);
    assert_string_equal(rsp_choice_label(often->list, 1, "en"), "Often");
    const rsp_variable *good = variable_named(s, "q4_2_3");
    assert_string_equal(good->list->choices[1].code, "20");
    assert_string_equal(rsp_choice_label(good->list, 1, "en"), "Good");
    rsp_frame *f = rsp_intake(s, d);
    assert_non_null(f);
    assert_int_equal(rsp_code(&f->columns[rsp_study_variable(s, "q4_2_3")], 0), 1);
    rsp_frame_free(f);
    rsp_study_free(s);
    rsp_diag_free(d);
}

/* Blocks in branches of the flow are shown under their condition, with the question's own; a block that another way leads to
 * as well, or a branch by what is no answer, has none. */
static void test_branches_of_a_flow(void **state) {
    static const char *const conditions[] = {NULL, "${Q1} = '1'", "(${Q1} = '1') and (${Q1} != '2')",
                                             NULL, NULL,          "(${Q1} = '1') and (${Q2} = '2')"};
    (void) state;
    rsp_diag *d = rsp_diag_new();
    rsp_buf form = {0}, data = {0};
    rsp_buf_puts(&form,
                 "{\"SurveyEntry\": {\"SurveyName\": \"Flow\", \"SurveyLanguage\": \"EN\"}, \"SurveyElements\": [\n"
                 "{\"Element\": \"BL\", \"Payload\": {");
    for (int k = 1; k <= 6; k++)
        rsp_buf_printf(&form,
                       "%s\"%d\": {\"Type\": \"Standard\", \"ID\": \"BL_%d\", \"BlockElements\": [{\"Type\": "
                       "\"Question\", \"QuestionID\": \"QID%d\"}]}",
                       k > 1 ? ", " : "", k, k, k);
    static const char selected[] = "{\"0\": {\"0\": {\"LogicType\": \"Question\", \"QuestionID\": \"QID%d\", "
                                   "\"ChoiceLocator\": \"q://QID%d/SelectableChoice/%d\", \"Operator\": \"%s\"}}}";
    char first[256], nested[256], own[256];
    snprintf(first, sizeof first, selected, 1, 1, 1, "Selected");
    snprintf(nested, sizeof nested, selected, 2, 2, 2, "Selected");
    snprintf(own, sizeof own, selected, 1, 1, 2, "NotSelected");
    rsp_buf_printf(
        &form,
        "}},\n{\"Element\": \"FL\", \"Payload\": {\"Type\": \"Root\", \"Flow\": [{\"Type\": \"Block\", \"ID\": "
        "\"BL_1\"}, {\"Type\": \"Branch\", \"BranchLogic\": %s, \"Flow\": [{\"Type\": \"Standard\", \"ID\": "
        "\"BL_2\"}, {\"Type\": \"Standard\", \"ID\": \"BL_3\"}, {\"Type\": \"Standard\", \"ID\": \"BL_4\"}, "
        "{\"Type\": \"Branch\", \"BranchLogic\": %s, \"Flow\": [{\"Type\": \"Standard\", \"ID\": \"BL_6\"}]}]}, "
        "{\"Type\": \"Standard\", \"ID\": \"BL_4\"}, {\"Type\": \"Branch\", \"BranchLogic\": {\"0\": {\"0\": "
        "{\"LogicType\": \"EmbeddedField\", \"LeftOperand\": \"panel\", \"Operator\": \"EqualTo\"}}}, "
        "\"Flow\": [{\"Type\": \"Standard\", \"ID\": \"BL_5\"}]}]}}",
        first, nested);
    rsp_buf_puts(&data, "StartDate,Status,Finished,ResponseId,Q1,Q2,Q3,Q4,Q5,Q6\nStart Date,Response Type,Finished,"
                        "Response ID,a,b,c,d,e,f\n");
    for (int k = 0; k < 40; k++)
        rsp_buf_printf(&data, "2026-03-02 10:11:12,0,1,R_%d,%d,%d,%d,%d,%d,%d\n", k, 1 + k % 2, 1 + k % 2, 1 + k % 2,
                       1 + k % 2, 1 + k % 2, 1 + k % 2);
    for (int k = 1; k <= 6; k++)
        rsp_buf_printf(&form,
                       ",\n{\"Element\": \"SQ\", \"Payload\": {\"QuestionText\": \"Question %d\", \"DataExportTag\": "
                       "\"Q%d\", \"QuestionType\": \"MC\", \"Selector\": \"SAVR\", \"Choices\": {\"1\": {\"Display\": "
                       "\"Yes\"}, \"2\": {\"Display\": \"No\"}}, \"QuestionID\": \"QID%d\"%s%s}}",
                       k, k, k, k == 3 ? ", \"DisplayLogic\": " : "", k == 3 ? own : "");
    rsp_buf_puts(&form, "]}");
    const char *files[] = {written("flow.csv", data.data), written("flow.qsf", form.data)};
    rsp_study *s = drafted("flow", files, 2, d);
    char *survey = bytes_of("flow", "survey.csv");
    for (int k = 0; k < 6; k++) {
        char line[200], name[8];
        snprintf(name, sizeof name, "Q%d", k + 1);
        snprintf(line, sizeof line, ",%s,Question %d,,%s,", name, k + 1, conditions[k] ? conditions[k] : "");
        if (!strstr(survey, line)) fail_msg("no line %s in\n%s", line, survey);
    }
    free(survey);
    rsp_study_free(s);
    rsp_buf_free(&form);
    rsp_buf_free(&data);
    rsp_diag_free(d);
}

static void test_syntax_files(void **state) {
    static const char r[] =
        "data <- read.csv(\"survey_1_R_data_file.csv\", quote = \"'\\\"\")\n\n"
        "# LimeSurvey Field type: A\ndata[, 1] <- as.character(data[, 1])\n"
        "attributes(data)$variable.labels[1] <- \"Is \\\"care\\\" near?\"\n"
        "data[, 1] <- factor(data[, 1], levels=c(\"A1\",\"A2\"),labels=c(\"Yes, near\",\"No\"))\nnames(data)[1] <- "
        "\"near\"\n"
        "attributes(data)$variable.labels[2] <- \"Weeks of waiting\"\nnames(data)[2] <- \"weeks\"\n";
    static const char spss[] =
        "GET DATA /TYPE=TXT.\nVARIABLE LABELS near 'Is \"care\" near?'\n  weeks 'Weeks of waiting'.\n"
        "VALUE LABELS near\n \"A1\" \"Yes, near\"\n \"A2\" \"No\".\nEXECUTE.\n";
    static const char sosci[] = "data = read.table(\"x.csv\")\nattr(data$near,\"A1\") = \"Yes, near\"\n"
                                "attr(data$near,\"A2\") = \"No\"\ncomment(data$near) = \"Is \\\"care\\\" near?\"\n"
                                "comment(data$weeks) = \"Weeks of waiting\"\n";
    static const char *const texts[] = {r, spss, sosci}, *const names[] = {"by.R", "by.sps", "by2.R"};
    (void) state;
    rsp_diag *d = rsp_diag_new();
    rsp_buf data = {0};
    rsp_buf_puts(&data, "near,weeks\n");
    for (int k = 0; k < 40; k++) rsp_buf_printf(&data, "%s,%d\n", k % 3 ? "A1" : "A2", k * 7 % 50);
    for (size_t k = 0; k < 3; k++) {
        const char *files[] = {written("data.csv", data.data), written(names[k], texts[k])};
        char dir[16];
        snprintf(dir, sizeof dir, "syntax_%zu", k);
        rsp_study *s = drafted(dir, files, 2, d);
        expect_label(s, "near", s->languages[0], "Is \"care\" near?");
        expect_label(s, "weeks", s->languages[0], "Weeks of waiting");
        const rsp_list *near = variable_named(s, "near")->list;
        assert_int_equal(near->n, 2);
        assert_string_equal(near->choices[0].code, "A1");
        assert_string_equal(rsp_choice_label(near, 0, s->languages[0]), "Yes, near");
        rsp_study_free(s);
    }
    rsp_buf_free(&data);
    rsp_diag_free(d);
}

/* Scales of eleven numbers: shares of an answer that hardly anybody gave would be hidden, and the mean with them. Ticks
 * beside each other are a question's options; what is not read stands in the draft, by its reason. */
static void test_tables_of_colleagues(void **state) {
    (void) state;
    rsp_diag *d = rsp_diag_new();
    rsp_buf data = {0};
    rsp_buf_puts(&data, "id,trust_law,trust_press,serv_a,serv_b,serv_c,is_old,often,mail");
    for (int k = 0; k < 60; k++) rsp_buf_printf(&data, ",blank%d", k);
    for (int k = 0; k < 330; k++) {
        static const char *const often[] = {"Never", "Every day", "Once a month"};
        int rare = k < 2 ? 10 : k % 10;
        rsp_buf_printf(&data, "\n%d,%d,%d,%d,%d,%d,%d,%s,a%d@b.org", k + 1, k % 11, rare, k % 2, k % 3 == 0, k % 5 == 0,
                       k % 7 == 0, often[k % 3], k);
        for (int j = 0; j < 60; j++) rsp_buf_putc(&data, ',');
    }
    const char *files[] = {written("colleague.csv", data.data)};
    rsp_study *s = drafted("colleague", files, 1, d);
    const rsp_variable *serv = variable_named(s, "serv"), *often = variable_named(s, "often");
    assert_int_equal(serv->type, RSP_SELECT_MULTIPLE);
    assert_int_equal(serv->list->n, 3);
    assert_string_equal(serv->list->choices[1].code, "b");
    assert_int_equal(variable_named(s, "is_old")->type, RSP_SELECT_ONE);
    assert_int_equal(often->measure, RSP_ORDINAL);
    assert_string_equal(rsp_choice_label(often->list, 1, s->languages[0]), "Once a month");
    char *yaml = bytes_of("colleague", "study.yaml");
    assert_non_null(strstr(yaml, "    statistic: mean\n    items: [trust_law, trust_press]\n"));
    assert_non_null(strstr(yaml, "    items: [trust_law]\n"));
    assert_non_null(strstr(yaml, "#   personal data: 'mail'\n"));
    assert_non_null(strstr(yaml, "'blank59'\n")); /* all of them */
    free(yaml);
    rsp_study_free(s);
    rsp_buf_free(&data);
    rsp_diag_free(d);
}

/* Titles over several columns, and questions of one wording with options of their own behind them. */
static void test_headings_of_two_rows(void **state) {
    (void) state;
    rsp_diag *d = rsp_diag_new();
    rsp_buf data = {0}, kobo = {0};
    rsp_buf_puts(&data, "Person,,Trust in,,,Note\ncode,age,Courts,Police,Press,\n");
    rsp_buf_puts(&kobo, "Which?;Which?/a;Which?/b;Which?;Which?/a;Which?/b;_id;_uuid;_submission_time;_index\n");
    for (int k = 0; k < 60; k++) {
        static const char *const answers[] = {"low", "high", "medium"};
        rsp_buf_printf(&data, "c%d,%d,%s,%s,%s,n%d\n", k, 20 + k % 40, answers[k % 3], answers[k % 2],
                       answers[(k + 1) % 3], k);
        rsp_buf_printf(&kobo, "a;1;0;b;0;%d;%d;u%d;2026-03-02T08:20:00;%d\n", k % 2, 900 + k, k, k + 1);
    }
    const char *files[] = {written("titles.csv", data.data)}, *forms[] = {written("kobo.csv", kobo.data)};
    rsp_study *s = drafted("titles", files, 1, d);
    expect_label(s, "Police", s->languages[0], "Police");
    assert_string_equal(variable_named(s, "Police")->hint.wording[0].text, "Trust in");
    assert_ptr_equal(variable_named(s, "Police")->list, variable_named(s, "Courts")->list);
    rsp_frame *f = rsp_intake(s, d);
    assert_int_equal(f->n, 60);
    rsp_frame_free(f);
    rsp_study_free(s);
    s = drafted("kobo", forms, 1, d);
    f = rsp_intake(s, d);
    const rsp_variable *first = variable_named(s, "which"), *second = variable_named(s, "q_2");
    assert_int_equal(first->list->n, 2);
    assert_int_equal(second->list->n, 2);
    for (size_t i = 0, sum = 0; i < 60; i++) {
        assert_int_equal(f->columns[first->first_part].c8[i], 1);
        assert_int_equal(f->columns[second->first_part].c8[i], 0);
        sum += (size_t) f->columns[second->first_part + 1].c8[i];
        if (i == 59) assert_int_equal(sum, 30);
    }
    rsp_frame_free(f);
    rsp_study_free(s);
    rsp_buf_free(&data);
    rsp_buf_free(&kobo);
    rsp_diag_free(d);
}

/* All names are known; q4_2 and serv(2) are choices. */
static const char *any_name(void *context, const char *name, const char **part) {
    (void) context;
    if (strcmp(name, "unknown") == 0) return NULL;
    bool choice = strcmp(name, "Q4_2") == 0 || strcmp(name, "serv(2)") == 0;
    if (choice) *part = "2";
    return choice ? "q4" : name;
}

static void test_conditions(void **state) {
    static const struct {
        rsp_form_kind kind;
        const char *text, *expected;
    } cases[] = {
        {RSP_FORM_LIMESURVEY, "1", NULL},
        {RSP_FORM_LIMESURVEY, "Q1.NAOK == \"Y\"", "${Q1} = 'Y'"},
        {RSP_FORM_LIMESURVEY, "((Q1 >= \"18\" && !is_empty(Q2)))", "((${Q1} >= 18 and not(is-missing(${Q2}))))"},
        {RSP_FORM_LIMESURVEY, "Q4_2.NAOK == \"Y\" or Q1 != \"\"", "selected(${q4}, '2') or not(is-missing(${Q1}))"},
        {RSP_FORM_LIMESURVEY, "Q1.relevanceStatus == 1", NULL},
        {RSP_FORM_LIMESURVEY, "count(Q1, Q2) > 1", NULL},
        {RSP_FORM_LIMESURVEY, "unknown == \"1\"", NULL},
        {RSP_FORM_REDCAP, "[role] = '2' and [serv(2)] = '1'", "${role} = '2' and selected(${q4}, '2')"},
        {RSP_FORM_REDCAP, "[serv(2)] <> '1' or [age] > 17", "not(selected(${q4}, '2')) or ${age} > 17"},
        {RSP_FORM_REDCAP, "datediff([a], 'today', 'y') > 3", NULL},
        {RSP_FORM_XLSFORM, "selected(${a}, 'x') and ${b} != ''", "selected(${a}, 'x') and not(is-missing(${b}))"},
        {RSP_FORM_XLSFORM, "${a} = 'x' and (", NULL},
        {RSP_FORM_XLSFORM, "pulldata('f', 'a', 'b', ${c})", NULL}};
    (void) state;
    rsp_arena *a = rsp_arena_new();
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        const char *got = rsp_form_condition(cases[k].kind, cases[k].text, any_name, NULL, a);
        if (cases[k].expected && got) assert_string_equal(got, cases[k].expected);
        else if (got || cases[k].expected) fail_msg("%s became %s", cases[k].text, got ? got : "nothing");
    }
    rsp_arena_free(a);
}

static void test_scale_words(void **state) {
    static const struct {
        const char *word, *scale;
        double place;
    } cases[] = {{"strongly agree", "agreement", 5},
                 {"stimme eher nicht zu", "agreement", 2},
                 {"raczej się zgadzam", "agreement", 4},
                 {"tout à fait d'accord", "agreement", 5},
                 {"helt uenig", "agreement", 1},
                 {"concordo totalmente", "agreement", 5},
                 {"dezacord", "agreement", 2},
                 {"4 - often", "frequency", 4},
                 {"niciodată", "frequency", 1},
                 {"sehr gut", "quality", 5},
                 {"most days", "rate", 9},
                 {"kilka razy w tygodniu", "rate", 8},
                 {"peu intéressé", "interest", 2},
                 {"once a month", "rate", 5},
                 {"some", "extent", 3}};
    double place;
    (void) state;
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        assert_string_equal(rsp_scale_word(cases[k].word, 0, &place), cases[k].scale);
        assert_true(place == cases[k].place);
    }
    assert_null(rsp_scale_word("austria", 0, &place));
    assert_true(rsp_scale_number("< 18") == 17.5 && rsp_scale_number("$50,000 - $99,999") == 50000);
    static const char german[] = "Wie alt sind Sie? Welche Angebote haben Sie genutzt?";
    assert_string_equal(rsp_language_of(german, sizeof german - 1), "de");
}

/* Codes that nobody explained are said to be that; questions that explain their numbers are left as they are. */
static void test_codes_without_words(void **state) {
    (void) state;
    rsp_diag *d = rsp_diag_new();
    rsp_buf data = {0};
    rsp_buf_puts(&data, "idno,hincfel,How safe from 1 to 4?,party,agea\n");
    for (int k = 0; k < 60; k++)
        rsp_buf_printf(&data, "%d,%d,%d,%s,%d\n", 100 + 7 * k, 1 + k % 4, 1 + k % 4, k % 2 ? "red" : "green",
                       15 + k * k % 50);
    const char *files[] = {written("bare.csv", data.data)};
    rsp_study *s = drafted("bare", files, 1, d);
    expect_label(s, "hincfel", "en", "hincfel (numbers without words in the file)");
    expect_label(s, "party", "en", "party");
    expect_label(s, "agea", "en", "agea");
    assert_non_null(variable_labelled(s, "How safe from 1 to 4?"));
    rsp_buf_free(&data);
    rsp_study_free(s);
    rsp_diag_free(d);
}

/* Files copied one below the other: the second one's headings are no answers. */
static void test_headings_again(void **state) {
    (void) state;
    rsp_diag *d = rsp_diag_new();
    rsp_buf data = {0};
    for (int k = 0; k < 40; k++) {
        if (k % 20 == 0)
            rsp_buf_puts(&data, "\xEF\xBB\xBF"
                                "country,trust,advice\n");
        rsp_buf_printf(&data, "%s,%s,%s\n", k % 2 ? "Poland" : "France", k % 3 ? "Agree" : "Disagree",
                       k % 4 ? "Yes" : "No");
    }
    const char *files[] = {written("again.csv", data.data)};
    rsp_study *s = drafted("again", files, 1, d);
    assert_int_equal(variable_named(s, "country")->list->n, 2);
    assert_int_equal(variable_named(s, "trust")->list->n, 2);
    bool said = false;
    for (size_t k = 0; k < rsp_diag_count(d); k++)
        said = said || strstr(rsp_diag_at(d, k)->message, "headings stand among");
    assert_true(said);
    rsp_buf_free(&data);
    rsp_study_free(s);
    rsp_diag_free(d);
}

int main(void) {
    assert_non_null(mkdtemp(folder));
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_headings_again),
                                       cmocka_unit_test(test_codes_without_words),
                                       cmocka_unit_test(test_drafts_load_and_read),
                                       cmocka_unit_test(test_what_a_draft_says),
                                       cmocka_unit_test(test_what_a_draft_leaves),
                                       cmocka_unit_test(test_numbers_of_a_draft),
                                       cmocka_unit_test(test_questionnaires_that_are_refused),
                                       cmocka_unit_test(test_limesurvey_questionnaires),
                                       cmocka_unit_test(test_xlsform),
                                       cmocka_unit_test(test_redcap_dictionary),
                                       cmocka_unit_test(test_rows_of_label_exports),
                                       cmocka_unit_test(test_qualtrics_questionnaire),
                                       cmocka_unit_test(test_side_by_side),
                                       cmocka_unit_test(test_branches_of_a_flow),
                                       cmocka_unit_test(test_syntax_files),
                                       cmocka_unit_test(test_tables_of_colleagues),
                                       cmocka_unit_test(test_headings_of_two_rows),
                                       cmocka_unit_test(test_conditions),
                                       cmocka_unit_test(test_scale_words)};
    int failed = cmocka_run_group_tests_name("new", tests, NULL, NULL);
    return sh("rm -rf %s", folder) == 0 ? failed : 1;
}
