/* `responsive new`: drafts of real exports load without a fault, read every row, and run; what they make of questions. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "intake/scales.h"

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
    char command[400];
    snprintf(command, sizeof command, "%s/responsive run %s/%s --out %s/out --quiet > %s/run.log 2>&1",
             getenv("BUILD") ? getenv("BUILD") : "build", folder, name, folder, folder);
    int status = WEXITSTATUS(system(command));
    if (status <= 1) return;
    snprintf(command, sizeof command, "grep error %s/run.log >&2", folder);
    if (system(command) != 0) fputs("no error is named\n", stderr);
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
              {"everse", 28, 1, {"fixtures/exports/eusurvey/everse-landscaping.xls"}, true},
              {"twins", 96, 1, {"fixtures/limesurvey/digital-twins-german.csv"}, true},
              {"electric", 240, 1, {"fixtures/exports/spss/foreign-electric.sav"}, true},
              {"unit_tests", 70, 1, {"fixtures/limesurvey/unit-test-quality.csv"}, false},
              {"steak", 550, 1, {"fixtures/exports/surveymonkey/steak-risk.csv"}, false},
              {"hot_dog_25", 207, 1, {"fixtures/exports/google-forms/hot-dog-fall25.xlsx"}, false},
              {"hot_dog_spring", 64, 1, {"fixtures/exports/google-forms/hot-dog-spring25.csv"}, false},
              {"hot_dog_24", 187, 1, {"fixtures/exports/microsoft-forms/hot-dog-fall24.csv"}, false},
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

static void test_scale_words(void **state) {
    static const struct {
        const char *word, *scale;
        double place;
    } cases[] = {{"strongly agree", "agreement", 5},     {"stimme eher nicht zu", "agreement", 2},
                 {"raczej się zgadzam", "agreement", 4}, {"tout à fait d'accord", "agreement", 5},
                 {"helt uenig", "agreement", 1},         {"concordo totalmente", "agreement", 5},
                 {"dezacord", "agreement", 2},           {"4 - often", "frequency", 4},
                 {"niciodată", "frequency", 1},          {"sehr gut", "quality", 5}};
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

int main(void) {
    assert_non_null(mkdtemp(folder));
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_drafts_load_and_read),
                                       cmocka_unit_test(test_what_a_draft_says), cmocka_unit_test(test_scale_words)};
    int failed = cmocka_run_group_tests_name("new", tests, NULL, NULL);
    char command[80];
    snprintf(command, sizeof command, "rm -rf %s", folder);
    return system(command) == 0 ? failed : 1;
}
