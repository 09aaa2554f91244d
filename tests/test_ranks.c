/* Two processes give the bytes of one. Without Open MPI, or with sanitizers, the tests are skipped, and say so; tests/ranks.sh
 * (make ranks) does more, kills a rank, and takes longer. */
#include "shell.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

static char here[] = "/tmp/responsive-ranks-XXXXXX";

/* Of each way that work is dealt: a table's replicates, completed data sets, a model's replicates, what goes whole. */
static const char STUDY[] =
    "study: dealt\n"
    "title: {en: Dealt}\n"
    "languages: [en]\n"
    "field: {from: 2026-03-01, to: 2026-06-30}\n"
    "sources:\n"
    "  - {files: \"exports/*.csv\", format: limesurvey, simulated: yes}\n"
    "instrument: {survey: survey.csv, choices: choices.csv}\n"
    "roles: {id: id, country: country, started: startdate, submitted: submitdate, language: "
    "startlanguage, organisation: org}\n"
    "derive:\n"
    "  - {name: engage, mean: [eng1, eng2, eng3], min_valid: 1}\n"
    "design: {strata: country, cluster: org}\n"
    "eligible: {respondents: 2, clusters: 1}\n"
    "weighting: {scale: sample}\n"
    "variance: {method: bootstrap, replicates: 20, seed: 1}\n"
    "imputation: {variables: [eng1, chg1], predictors: [sector], m: 2, iterations: 2, seed: 1}\n"
    "tables:\n"
    "  - {id: shares, statistic: proportion, items: [eng1, chg1]}\n"
    "  - {id: taylor, statistic: mean, items: [chg1], variance: {method: taylor}}\n"
    "models:\n"
    "  - {id: linear, kind: linear, formula: \"engage ~ sector\"}\n"
    "  - {id: whole, kind: linear, formula: \"engage ~ sector\", variance: {method: taylor}}\n"
    "disclosure: off # made-up data\n"
    "simulate:\n"
    "  countries:\n"
    "    - {code: AT, n: 100, language: de}\n"
    "    - {code: PL, n: 140, language: pl, effect: 0.5}\n"
    "  cluster_size: 6\n"
    "  cluster_variance: 0.1\n"
    "  item_nonresponse: 0.05\n"
    "  factors: [{name: eng, items: [eng1, eng2, eng3, chg1], loading: 0.7}]\n"
    "  answers:\n"
    "    sector: [0.3, 0.2, 0.3, 0.2]\n"
    "    eng1: [0.1, 0.24, 0.32, 0.24, 0.1]\n"
    "    eng2: [0.1, 0.24, 0.32, 0.24, 0.1]\n"
    "    eng3: [0.1, 0.24, 0.32, 0.24, 0.1]\n"
    "    chg1: [0.1, 0.24, 0.32, 0.24, 0.1]\n";

static void need_mpi(void) {
    if (sh("test -x %s/tests/responsive_ranks && command -v mpirun >/dev/null", build_folder()) == 0) return;
    fprintf(stderr, "SKIPPED: no program for several processes here, so nobody has held it against the one for one\n");
    skip();
}

static const char *as_root(void) { return geteuid() == 0 ? "--allow-run-as-root" : ""; }

/* On n ranks; what they say stays in `said` unless they fail. */
static void on_ranks(int n, const char *arguments) {
    int status =
        sh("timeout 120 mpirun %s --oversubscribe -np %d %s/tests/responsive_ranks %s --jobs 1 --quiet >%s/said "
           "2>&1",
           as_root(), n, build_folder(), arguments, here);
    if (status == 0) return;
    sh("cat %s/said >&2", here);
    fail_msg("%d ranks end with %d", n, status);
}

static const char *arguments(const char *format, ...) __attribute__((format(printf, 1, 2)));

static const char *arguments(const char *format, ...) {
    static char line[512];
    va_list args;
    va_start(args, format);
    vsnprintf(line, sizeof line, format, args);
    va_end(args);
    return line;
}

static void ranks_publish_the_bytes_of_one_process(void **state) {
    (void) state;
    need_mpi();
    on_ranks(2, arguments("run %s/study --out %s/two", here, here));
    assert_int_equal(
        sh("diff -r -x manifest.json -x run.log %s/one/dealt/latest/ %s/two/dealt/latest/ >&2", here, here), 0);
    /* and they did share the work */
    assert_int_equal(sh("grep -q 'computing shares on all ranks' %s/two/dealt/latest/run.log", here), 0);
    assert_int_equal(sh("grep -q 'computing taylor on data set 1' %s/two/dealt/latest/run.log", here), 0);
}

static void nights_on_made_up_answers_are_dealt_out(void **state) {
    (void) state;
    need_mpi();
    assert_int_equal(sh("%s/responsive rehearse %s/study --out %s/nights --nights 3 --n 240 --quiet 2>%s/log",
                        build_folder(), here, here, here),
                     0);
    on_ranks(2, arguments("rehearse %s/study --out %s/nights2 --nights 3 --n 240", here, here));
    assert_int_equal(sh("cmp %s/nights/nights.csv %s/nights2/nights.csv >&2", here, here), 0);
}

static int set_up(void **state) {
    (void) state;
    if (!mkdtemp(here) || sh("mkdir %s/study && cp specs/bench/*.csv %s/study", here, here) != 0) return -1;
    FILE *f = fopen(arguments("%s/study/study.yaml", here), "w");
    if (!f || fputs(STUDY, f) < 0 || fclose(f) != 0) return -1;
    return sh("%s/responsive simulate %s/study --out %s/study/exports --n 240 --seed 1 >/dev/null && "
              "%s/responsive run %s/study --out %s/one --quiet >%s/log 2>&1 || { cat %s/log >&2; exit 1; }",
              build_folder(), here, here, build_folder(), here, here, here, here);
}

static int tear_down(void **state) {
    (void) state;
    return sh("rm -rf %s", here);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(ranks_publish_the_bytes_of_one_process),
                                       cmocka_unit_test(nights_on_made_up_answers_are_dealt_out)};
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
