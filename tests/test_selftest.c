/* The self-test of the installed program: what it promises is met, and a wrong number is noticed. */
#include "batch/selftest.h"
#include "responsive/batch.h"
#include "shell.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static char here[512]; /* scratch folder, with the program as it is installed */

static const rsp_accuracy *find(const rsp_accuracy *sets, size_t n, const char *name) {
    for (size_t k = 0; k < n; k++)
        if (strcmp(sets[k].name, name) == 0) return &sets[k];
    fail_msg("no set %s", name);
    return NULL;
}

static void every_set_is_met(void **state) {
    (void) state;
    rsp_arena *a = rsp_arena_new();
    rsp_diag *d = rsp_diag_new();
    const rsp_accuracy *sets;
    size_t n;
    assert_true(rsp_selftest_run(false, a, &sets, &n, d));
    assert_int_equal(rsp_diag_count(d), 0);
    assert_true(n >= 25);
    for (size_t k = 0; k < n; k++) {
        if (!sets[k].met) fail_msg("%s: %.1f and %.1f digits", sets[k].name, sets[k].digits, sets[k].error_digits);
        assert_true(sets[k].compared > 0 && sets[k].asked >= 4);
        assert_true((strcmp(sets[k].part, "reference") == 0) == (sets[k].against != NULL));
    }
    /* Known of these sets: double precision allows everything in one, and no more than four digits in the other. */
    assert_true(find(sets, n, "Lottery")->digits == 15);
    double hard = find(sets, n, "SmLs07")->digits;
    assert_true(hard >= 4 && hard < 6);
    assert_int_equal(find(sets, n, "Longley")->compared, 15); /* seven coefficients, their errors, R2 */
    size_t nightly;
    assert_true(rsp_selftest_run(true, a, &sets, &nightly, d));
    assert_true(nightly < n && nightly >= 20); /* the rest by the command alone */
    rsp_diag_free(d);
    rsp_arena_free(a);
}

static void a_wrong_digit_is_noticed(void **state) {
    (void) state;
    const char *share = "usr/share/responsive/fixtures/reference";
    assert_int_equal(
        sh("%s/usr/bin/responsive selftest > %s/right.txt && %s/usr/bin/responsive selftest > %s/again.txt "
           "&& cmp %s/right.txt %s/again.txt",
           here, here, here, here, here, here),
        0);
    assert_int_equal(sh("grep -q 'Norris .* met$' %s/right.txt", here), 0);
    /* The ninth digit of Norris' slope. */
    assert_int_equal(
        sh("cd %s/%s/nist/Norris && grep -q 1.00211681 expected.csv && sed -i s/1.00211681/1.00211671/ expected.csv",
           here, share),
        0);
    assert_int_equal(sh("%s/usr/bin/responsive selftest > %s/wrong.txt 2> %s/said.txt", here, here, here), 1);
    assert_int_equal(
        sh("grep -q 'Norris .* 7.0 of 9 .*NOT MET$' %s/wrong.txt && grep -q Norris %s/said.txt", here, here), 0);
    assert_int_equal(sh("%s/usr/bin/responsive selftest --json | python3 -c \"import json,sys; "
                        "s={x['name']:x for x in json.load(sys.stdin)['sets']}; "
                        "assert s['Norris']['digits']==7.0 and not s['Norris']['met'] and s['Lew']['met']\"",
                        here),
                     0);
}

static void what_is_not_there_is_said(void **state) {
    (void) state;
    const char *share = "usr/share/responsive/fixtures/reference";
    assert_int_equal(sh("rm %s/%s/nist/Lew/Lew.csv", here, share), 0);
    assert_int_equal(sh("%s/usr/bin/responsive selftest > /dev/null 2> %s/said.txt", here, here), RSP_ERR_STUDY);
    assert_int_equal(sh("grep -q \"the set 'Lew' cannot be computed\" %s/said.txt", here), 0);
    assert_int_equal(sh("echo 'sets: [{study: x, name: y}, z]' > %s/%s/selftest.yaml", here, share), 0);
    assert_int_equal(sh("%s/usr/bin/responsive selftest > /dev/null 2> %s/said.txt", here, here), RSP_ERR_STUDY);
    assert_int_equal(sh("grep -c selftest.yaml:1 %s/said.txt | grep -q 3", here), 0); /* two keys, no mapping */
}

static int set_up(void **state) {
    (void) state;
    snprintf(here, sizeof here, "/tmp/test_selftest_XXXXXX");
    if (!mkdtemp(here)) return -1;
    return sh("make -s install BUILD=%s DESTDIR=%s PREFIX=/usr > /dev/null", build_folder(), here);
}

static int tear_down(void **state) {
    (void) state;
    return sh("rm -rf %s", here);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_set_is_met), cmocka_unit_test(a_wrong_digit_is_noticed),
                                       cmocka_unit_test(what_is_not_there_is_said)};
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
