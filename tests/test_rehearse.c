/* Nights on made-up answers: the table is what the nights' own results come to, on any number of threads, or there is none. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "shell.h"

#include "batch/selftest.h"
#include "batch/simulate.h"
#include "responsive/batch.h"

enum { NIGHTS = 5, RESPONDENTS = 240, SEED = 11 };

static char here[64] = "/tmp/test_rehearse_XXXXXX";

/* specs/bench with three tables and two models; 20 replicates. */
static const char STUDY[] = "study: rehearsed\n"
                            "title: {en: Rehearsed}\n"
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
                            "tables:\n"
                            "  - {id: shares, statistic: proportion, items: [eng1, chg1]}\n"
                            "  - {id: taylor, statistic: mean, items: [engage], variance: {method: taylor}}\n"
                            "models:\n"
                            "  - {id: linear, kind: linear, formula: \"engage ~ sector\"}\n"
                            "disclosure: off # made-up data\n"
                            "simulate:\n"
                            "  countries:\n"
                            "    - {code: AT, n: 100, language: de}\n"
                            "    - {code: PL, n: 140, language: pl, effect: 0.5}\n"
                            "  cluster_size: 6\n"
                            "  cluster_variance: 0.1\n"
                            "  factors: [{name: eng, items: [eng1, eng2, eng3, chg1], loading: 0.7}]\n"
                            "  answers:\n"
                            "    sector: [0.3, 0.2, 0.3, 0.2]\n"
                            "    eng1: [0.1, 0.24, 0.32, 0.24, 0.1]\n"
                            "    eng2: [0.1, 0.24, 0.32, 0.24, 0.1]\n"
                            "    eng3: [0.1, 0.24, 0.32, 0.24, 0.1]\n"
                            "    chg1: [0.1, 0.24, 0.32, 0.24, 0.1]\n";

static const char *at(const char *name) {
    static char path[4][128];
    static int next;
    next = (next + 1) % 4;
    snprintf(path[next], sizeof path[next], "%s/%s", here, name);
    return path[next];
}

static int open_folder(void **state) {
    (void) state;
    if (!mkdtemp(here) || sh("mkdir %s/study && cp specs/bench/*.csv %s/study", here, here) != 0) return -1;
    FILE *f = fopen(at("study/study.yaml"), "w");
    return !f || fputs(STUDY, f) < 0 || fclose(f) != 0;
}

static int remove_folder(void **state) {
    (void) state;
    return sh("rm -rf %s", here);
}

static int rehearse(const char *study, const char *out, int jobs) {
    rsp_rehearse_options o = {
        .dir = study, .out = out, .nights = NIGHTS, .n = RESPONDENTS, .seed = SEED, .jobs = jobs, .quiet = true};
    return rsp_rehearse(&o);
}

static rsp_buf read_table(const char *path) {
    rsp_buf b = {0};
    rsp_diag *d = rsp_diag_new();
    assert_true(rsp_read_file(path, &b, d, RSP_ERR_DATA, RSP_NOWHERE));
    rsp_diag_free(d);
    return b;
}

/* The nights one by one. */
static void one_by_one(rsp_published *night[NIGHTS]) {
    rsp_diag *d = rsp_diag_new();
    for (size_t k = 0; k < NIGHTS; k++) {
        rsp_study *s = rsp_study_load(at("study"), d);
        assert_true(rsp_simulate_exports(s, at("study/exports"), RESPONDENTS, SEED + k, d));
        for (size_t j = 0; j < s->n_analyses; j++) s->analyses[j].variance.seed += k;
        night[k] = rsp_selftest_compute_study(s, d);
        assert_non_null(night[k]);
        rsp_study_free(s);
    }
    assert_int_equal(rsp_diag_errors(d), 0);
    rsp_diag_free(d);
}

struct expected {
    double n, mean, sd, se, coverage, significant;
};

static struct expected expect(rsp_published *night[NIGHTS], const rsp_published_row *like) {
    const rsp_published_row *of[NIGHTS];
    struct expected e = {0};
    double tests = 0;
    for (size_t k = 0; k < NIGHTS; k++) {
        of[k] = rsp_published_find(night[k], like->analysis, like->domain, like->term, like->level, like->statistic);
        assert_non_null(of[k]);
        e.n += !isnan(of[k]->estimate);
        e.mean += of[k]->estimate / NIGHTS;
        e.se += of[k]->se * of[k]->se / NIGHTS;
    }
    for (size_t k = 0; k < NIGHTS; k++) {
        e.sd += (of[k]->estimate - e.mean) * (of[k]->estimate - e.mean) / (NIGHTS - 1);
        e.coverage += (e.mean >= of[k]->lower && e.mean <= of[k]->upper) / (double) NIGHTS;
        tests += !isnan(of[k]->p);
        e.significant += of[k]->p < 0.05;
    }
    e.significant = tests > 0 ? e.significant / tests : NAN;
    e.sd = sqrt(e.sd);
    e.se = sqrt(e.se);
    return e;
}

static void near(double got, double want) {
    if (!(fabs(got - want) <= 1e-9 * fmax(1, fabs(want)))) fail_msg("%.12g, not %.12g", got, want);
}

static void check_line(const rsp_buf *table, const rsp_published_row *r, const struct expected *e) {
    char key[256];
    double x[6];
    snprintf(key, sizeof key, "\n%s,%s,%s,%s,%s,", r->analysis, r->domain, r->term, r->level, r->statistic);
    const char *line = strstr(table->data, key);
    if (!line) fail_msg("no line %s", key + 1);
    line += strlen(key);
    for (size_t k = 0; k < 6; k++) {
        char *end;
        x[k] = *line == ',' || *line == '\n' ? NAN : strtod(line, &end);
        line = strpbrk(line, ",\n") + 1;
    }
    near(x[0], e->n), near(x[1], e->mean), near(x[2], e->sd), near(x[3], e->se), near(x[4], e->coverage);
    if (isnan(e->significant)) assert_true(isnan(x[5]));
    else near(x[5], e->significant);
}

static void table_is_what_the_nights_are(void **state) {
    (void) state;
    rsp_published *night[NIGHTS];
    size_t compared = 0;
    assert_int_equal(rehearse(at("study"), at("one"), 1), 0);
    rsp_buf table = read_table(at("one/nights.csv"));
    one_by_one(night);
    for (size_t k = 0; k < rsp_published_count(night[0]); k++) {
        const rsp_published_row *r = rsp_published_at(night[0], k);
        if (strcmp(r->analysis, "shares") && strcmp(r->analysis, "taylor") && strcmp(r->statistic, "coefficient"))
            continue;
        struct expected e = expect(night, r);
        assert_true(e.sd > 0 && e.se > 0);
        check_line(&table, r, &e);
        compared++;
    }
    assert_int_equal(compared, 10 + 1 + 4);
    for (size_t k = 0; k < NIGHTS; k++) rsp_published_free(night[k]);
    rsp_buf_free(&table);
}

static void threads_do_not_matter(void **state) {
    (void) state;
    assert_int_equal(rehearse(at("study"), at("three"), 3), 0);
    assert_int_equal(sh("cmp -s %s/one/nights.csv %s/three/nights.csv", here, here), 0);
    assert_int_equal(sh("[ -z \"$(ls -A %s/three | grep -v nights.csv)\" ]", here), 0);
}

/* What cannot be rehearsed leaves the table of before as it was. */
static void faults(void **state) {
    (void) state;
    assert_int_equal(rehearse("specs/wvs", at("one"), 2), RSP_ERR_STUDY);
    assert_int_equal(sh("cmp -s %s/one/nights.csv %s/three/nights.csv", here, here), 0);
    assert_int_equal(rehearse(at("nowhere"), at("none"), 2), RSP_ERR_STUDY);
    assert_int_equal(access(at("none/nights.csv"), F_OK), -1);
    assert_int_equal(sh("touch %s/file", here), 0);
    assert_int_equal(rehearse(at("study"), at("file"), 1), RSP_ERR_OUTPUT);
}

/* It once waited for ever: nights were forked from a process that had started threads. */
static void bench_measures_every_station(void **state) {
    (void) state;
    assert_int_equal(sh("timeout 60 %s/tests/bench --pages no specs/bench %s/bench 300 600 >%s 2>&1", build_folder(),
                        here, at("measured")),
                     0);
    for (const char *const *k = (const char *const[]){"simulated", "600 respondents", "replicates", "linear_taylor",
                                                      "computed", "intake alone", NULL};
         *k; k++)
        assert_int_equal(sh("grep -q '%s' %s", *k, at("measured")), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(table_is_what_the_nights_are),
                                       cmocka_unit_test(threads_do_not_matter), cmocka_unit_test(faults),
                                       cmocka_unit_test(bench_measures_every_station)};
    return cmocka_run_group_tests(tests, open_folder, remove_folder);
}
