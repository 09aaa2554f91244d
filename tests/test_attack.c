/* An attacker who keeps every file of two nights of the study that ships (tests/attack.py): nothing that is hidden can be narrowed
 * below the rule, and no file says more than the published table. */
#include "shell.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static char here[] = "/tmp/responsive-attack-XXXXXX", program[512];

/* The study that ships, and beside it the same with rules that hide next to nothing and without weights: what both publish rests
 * on the same respondents, since newcomers wait for the same company. */
static void copy_studies(void) {
    assert_int_equal(
        sh("cp -r specs/ifsw %s/study && sed -i 's|\\.\\./\\.\\./fixtures/ifsw|data|g' %s/study/study.yaml && "
           "mkdir %s/study/data && cp -r %s/study %s/plain",
           here, here, here, here, here),
        0);
    assert_int_equal(
        sh("python3 -I -c \"import re, sys; p = sys.argv[1]; w = open(p).read(); "
           "w = re.sub(r'(?m)^weighting:\\n(?:[ #].*\\n|\\n)*', 'weighting: {scale: sample}\\n', w); "
           "w += 'disclosure: {minimum_base: 1, minimum_cell: 1, minimum_organisations: 1, minimum_change: 3}\\n'; "
           "open(p, 'w').write(w)\" %s/plain/study.yaml",
           here),
        0);
}

static void night(const char *study, const char *only) {
    int status = sh("XDG_CONFIG_HOME=%s/config %s run %s/%s --out %s/%s-out --lang en --quiet %s 2> %s/said", here,
                    program, here, study, here, study, only, here);
    if (status > 1) sh("cat %s/said >&2", here);
    assert_true(status == 0 || status == 1);
}

static void two_nights(void) {
    static const int sizes[] = {2400, 2460};
    char only[512];
    snprintf(only, sizeof only,
             "--only $(cut -d, -f1,5 %s/study-out/ifsw/latest/data/results.csv | grep -E "
             "',(proportion|count|combination)$' | cut -d, -f1 | grep -vE '^(weights|cleaning|response)$' | sort -u | "
             "paste -sd,)",
             here);
    for (size_t k = 0; k < 2; k++) {
        if (k) sh("sleep 1"); /* publications are named by the second */
        assert_int_equal(sh("%s simulate specs/ifsw --out %s/study/data --n %d --seed 7 > %s/said && cp "
                            "%s/study/data/* %s/plain/data",
                            program, here, sizes[k], here, here, here),
                         0);
        night("study", "");
        night("plain", only);
    }
}

static int attack(const char *rest) {
    return sh("python3 -I tests/attack.py specs/ifsw --truth %s/plain-out/ifsw/*Z --published %s/study-out/ifsw/*Z %s "
              "> %s/said",
              here, here, rest, here);
}

static void nothing_hidden_is_narrowed(void **state) {
    (void) state;
    copy_studies();
    two_nights();
    if (attack("") == 0) return;
    sh("cat %s/said >&2", here);
    fail_msg("the attacker learns something");
}

/* Had disclosure control shown one row more, the attacker would know the one that it protects. */
static void a_missing_protection_is_noticed(void **state) {
    (void) state;
    char rest[512];
    snprintf(rest, sizeof rest,
             "--show=$(grep -h '^participants,country=AT,gender,.*suppressed_complementary' "
             "%s/study-out/ifsw/latest/data/results.csv | head -1 | cut -d, -f1-5)",
             here);
    assert_int_equal(attack(rest), 1);
    assert_int_equal(sh("grep -q 'country=AT gender answer .* between' %s/said", here), 0);
}

/* A file that says more than the table, or another number, is named: all of these changes in one copy. */
static void files_that_say_more_are_noticed(void **state) {
    (void) state;
    static const struct {
        const char *change, *names; /* of the copy of the last publication */
    } cases[] = {
        {"sed -i 's/respondents were counted before, [0-9,]* are/respondents were counted before, 99,999 are/' "
         "changes.html",
         "changes.html: respondents"},
        {"sed -i 's|<caption>Marked or judged otherwise</caption>|&<tr><th>x</th><td>[c]</td><td>1</td><td>0.123</td>"
         "</tr>|' changes.html",
         "changes.html: .*a difference to a hidden figure"},
        {"sed -i 's|</h1>|&<p>Of 17 women one said no.</p>|' index.html", "index.html: nobody's number: 17"},
        {"sed -i 's|</h1>|&<p>17 women</p>|' explore.html", "explore.html: holds a number: 17"},
        {"sed -i 's|^scores,\\([^,]*,[^,]*,[^,]*\\),mean,[0-9.]*,|scores,\\1,mean,0.5,|' data/results.csv",
         "brief-[A-Za-z]*-en.pdf: no row rounds to"},
        {"sed -i 's|^response,country=AT,read,,count,|&1|' data/results.csv", "methods annex: rows by country"},
        {"sed -i 's|^weights,country=AT,,,deff_kish,|&9|' data/results.csv", "methods annex: weights"},
    };
    const size_t n = sizeof cases / sizeof *cases;
    assert_int_equal(sh("cp -rL %s/study-out/ifsw/latest %s/copy", here, here), 0);
    for (size_t k = 0; k < n; k++) assert_int_equal(sh("cd %s/copy && %s", here, cases[k].change), 0);
    assert_int_equal(sh("python3 -I tests/attack.py specs/ifsw --truth $(ls -d %s/plain-out/ifsw/*Z) --published "
                        "$(ls -d %s/study-out/ifsw/*Z | head -1) %s/copy --files > %s/said",
                        here, here, here, here),
                     1);
    for (size_t k = 0; k < n; k++) {
        if (sh("grep -q \"%s\" %s/said", cases[k].names, here) == 0) continue;
        sh("cat %s/said >&2", here);
        fail_msg("not noticed: %s", cases[k].change);
    }
}

static int set_up(void **state) {
    (void) state;
    snprintf(program, sizeof program, "%s/responsive", build_folder());
    return mkdtemp(here) ? 0 : -1;
}

static int tear_down(void **state) {
    (void) state;
    return sh("rm -rf %s", here);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(nothing_hidden_is_narrowed),
                                       cmocka_unit_test(a_missing_protection_is_noticed),
                                       cmocka_unit_test(files_that_say_more_are_noticed)};
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
