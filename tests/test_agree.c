/* All parts of a publication say the same numbers: two studies that ship, run as a person runs them, and compared by
 * tests/agree.py with software that shares nothing with ours. */
#include "shell.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static char here[] = "/tmp/responsive-agree-XXXXXX";

static void run(const char *study, const char *languages) {
    assert_int_equal(sh("%s/responsive run specs/%s --out %s --lang %s --quiet 2>%s/log", build_folder(), study, here,
                        languages, here),
                     0);
}

static int agree(const char *study, const char *rest) {
    return sh("python3 -I tests/agree.py specs/%s %s/%s/latest %s >%s/said", study, here, study, rest, here);
}

static void all_parts_agree(void **state) {
    (void) state;
    static const char *const studies[][2] = {{"wvs", "en"}, {"ifsw", "en,de"}};
    for (size_t k = 0; k < 2; k++) {
        run(studies[k][0], studies[k][1]);
        if (agree(studies[k][0], "") == 0) continue;
        sh("cat %s/said >&2", here);
        fail_msg("%s: parts of the publication disagree", studies[k][0]);
    }
}

/* One number changed, and each part is seen to disagree with it: the check would notice. (A printed number could by chance
 * be the rounding of another row of its table; these are not.) */
static void one_wrong_number_is_found(void **state) {
    (void) state;
    static const char *const parts[] = {"sqlite", "workbooks", "charts", "briefs"};
    static const char *const rows[] = {"scores,,listen,,mean", "factor_scores,,funding,,mean"};
    for (size_t p = 0; p < 4; p++)
        for (size_t r = 0; r < 2; r++) {
            char rest[256];
            snprintf(rest, sizeof rest, "%s --spoil=%s", parts[p], rows[r]);
            if (agree("ifsw", rest) != 1) fail_msg("%s: a wrong number in %s is not noticed", parts[p], rows[r]);
        }
}

/* A file that was changed after the run. */
static void a_changed_file_is_found(void **state) {
    (void) state;
    assert_int_equal(
        sh("cd %s/wvs/latest && python3 -I -c \"import sqlite3; c = sqlite3.connect('data/results.sqlite'); "
           "c.execute('update results set estimate = estimate + 1e-9 where rowid = 20'); c.commit()\"",
           here),
        0);
    assert_int_equal(agree("wvs", "sqlite"), 1);
    assert_int_equal(agree("wvs", "workbooks charts briefs"), 0);
}

static int printed(const char *study, const char *rest) {
    return sh("python3 -I tests/printed.py %s/%s/latest %s >%s/said", here, study, rest, here);
}

static void workbooks_can_be_printed(void **state) {
    (void) state;
    static const char *const studies[] = {"wvs", "ifsw"};
    for (size_t k = 0; k < 2; k++) {
        if (printed(studies[k], "") != 0) {
            sh("cat %s/said >&2", here);
            fail_msg("%s: workbooks that are not fit for paper or screen", studies[k]);
        }
        assert_int_equal(printed(studies[k], "--page=120"), 1);
    }
}

static int in_workbook(const char *name, const char *words) {
    return sh("unzip -p %s/ifsw/latest/tables/tables-%s.xlsx xl/sharedStrings.xml | grep -qF '%s'", here, name, words);
}

/* specs/ifsw shows all estimates of its drivers in the English workbook for everybody; the others say where they are. */
static void all_estimates_stand_where_asked_for(void **state) {
    (void) state;
    assert_int_equal(in_workbook("all-en", "All estimates: "), 0);
    assert_int_equal(in_workbook("all-en", "Tables of factors are summaries"), 1);
    assert_int_equal(in_workbook("all-de", "Alle Schätzwerte: "), 1);
    assert_int_equal(in_workbook("all-de", "Die Tabellen der Faktoren sind Zusammenfassungen"), 0);
    assert_int_equal(in_workbook("PL-en", "Tables of factors are summaries"), 0);
}

static int set_up(void **state) {
    (void) state;
    return mkdtemp(here) ? 0 : -1;
}

static int tear_down(void **state) {
    (void) state;
    return sh("rm -rf %s", here);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(all_parts_agree), cmocka_unit_test(one_wrong_number_is_found),
                                       cmocka_unit_test(a_changed_file_is_found),
                                       cmocka_unit_test(workbooks_can_be_printed),
                                       cmocka_unit_test(all_estimates_stand_where_asked_for)};
    return cmocka_run_group_tests_name("agree", tests, set_up, tear_down);
}
