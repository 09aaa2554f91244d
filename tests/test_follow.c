/* One respondent's way through a study, as `responsive follow` tells it: every outcome with its reason, and nothing written. */
#include "responsive/base.h"
#include "shell.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static char here[64], program[512];

static void put(const char *name, const char *text) {
    char path[256];
    snprintf(path, sizeof path, "%s/%s", here, name);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs(text, f);
    assert_int_equal(fclose(f), 0);
}

/* Respondents p0 .. p119, and lines that differ. */
static void write_export(const char *more) {
    char path[256];
    snprintf(path, sizeof path, "%s/s/answers.csv", here);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fprintf(f, "id,country,trust,voice,years\n");
    for (int k = 0; k < 120; k++)
        fprintf(f, "p%d,%s,%s,%s,%d\n", k, k % 2 ? "DK" : "PL", k % 3 ? "low" : "high", k % 4 ? "low" : "high", k % 40);
    fputs(more, f);
    assert_int_equal(fclose(f), 0);
}

static const char MORE[] = "early,PL,low,high,3\n" /* line 122: set aside by a rule */
                           "twice,PL,low,low,4\n"  /* a duplicate */
                           "twice,PL,low,high,5\n" /* which stays */
                           "odd,DK,high,,999\n"    /* a cell set missing, one not answered */
                           "bad\x1b[2J,DK,low,low,7\n" /* no control sequence reaches the terminal */;

static void new_study(const char *id) {
    char text[2048];
    assert_int_equal(sh("rm -rf %s/s %s/out && mkdir %s/s", here, here, here), 0);
    put("s/survey.csv", "type,name,label::en\ntext,id,Respondent\nselect_one country,country,Country\n"
                        "select_one level,trust,Trust\nselect_one level,voice,Voice\ninteger,years,Years\n");
    put("s/choices.csv", "list_name,name,label::en\ncountry,PL,Poland\ncountry,DK,Denmark\nlevel,low,Rather low\n"
                         "level,high,High\n");
    snprintf(text, sizeof text,
             "study: s\ntitle: {en: S}\nlanguages: [en]\nsources: [{files: answers.csv, format: csv}]\n"
             "instrument: {survey: survey.csv, choices: choices.csv}\nroles: {%scountry: country}\n"
             "design: {sample: self_selected}\n"
             "clean:\n  - {id: testers, drop: \"${id} = 'early'\"}\n"
             "%s  - {id: too_old, set-missing: \"${years} > 100\", items: [years]}\n"
             "weighting:\n  within: country\n  rake:\n    - {margin: trust, targets: margins.csv}\n  scale: sample\n"
             "tables:\n  - {id: levels, items: [trust, voice], by: [[], [country]]}\n"
             "  - {id: trusting, items: [voice], filter: \"${trust} = 'high'\"}\n"
             "models:\n  - {id: line, kind: linear, formula: years ~ trust + voice}\n",
             id ? "id: id, " : "", id ? "  - {id: doubles, duplicates: [id], keep: last}\n" : "");
    put("s/study.yaml", text);
    put("s/margins.csv", "country,trust,share,source\nPL,low,0.5,census\nPL,high,0.5,census\nDK,low,0.6,census\n"
                         "DK,high,0.4,census\n");
}

static int follow(const char *id) {
    return sh("XDG_CONFIG_HOME=%s/config %s follow %s/s '%s' --out %s/out > %s/told 2> %s/said", here, program, here,
              id, here, here, here);
}

static bool told(const char *words) {
    return sh("grep -qF -- \"%s\" %s/told", words, here) == 0 || (sh("cat %s/told %s/said >&2", here, here), false);
}

static bool said(const char *words) { return sh("grep -qF -- \"%s\" %s/said", words, here) == 0; }

static void every_outcome_has_its_reason(void **state) {
    (void) state;
    new_study("id");
    write_export(MORE);
    assert_int_equal(follow("p1"), 0);
    assert_true(told("read       answers.csv, line 3 (csv, UTF-8)"));
    assert_true(told("DK, 62 respondents in 62 clusters"));
    assert_true(told("counted    in levels, line"));
    assert_true(told("not in trusting: outside of its filter"));
    assert_true(told("low (Rather low)"));
    assert_int_equal(follow("early"), 0);
    assert_true(told("answers.csv, line 122"));
    assert_true(told("set aside by 'testers'"));
    assert_int_equal(sh("grep -qE '^(weighted|counted)' %s/told", here), 1);
    assert_int_equal(follow("twice"), 0);
    assert_true(told("line 123 (csv, UTF-8); one of 2 rows with this id"));
    assert_true(told("set aside by 'doubles'"));
    assert_true(told("line 124 (csv, UTF-8); one of 2 rows with this id"));
    assert_int_equal(sh("test $(grep -c '^weighted' %s/told) = 1", here), 0);
    assert_int_equal(follow("odd"), 0);
    assert_true(told("years: 999 -> set missing by a rule (too_old"));
    assert_true(told("in part in levels: no valid answer to voice"));
    assert_true(told("not in line: no valid answer to voice, years"));
    assert_int_equal(follow("bad\x1b[2J"), 0);
    assert_true(told("bad [2J"));
    assert_int_equal(sh("grep -q '\x1b' %s/told", here), 1);
    assert_int_equal(follow("nobody"), RSP_ERR_DATA);
    assert_true(said("no row of the exports belongs to 'nobody'"));
}

/* The weight is the night's: both meet the margins. */
static void the_weight_is_the_nights(void **state) {
    (void) state;
    char path[256];
    double sum[2] = {0, 0};
    new_study("id");
    write_export("");
    snprintf(path, sizeof path, "%s/told", here);
    for (int k = 0; k < 120; k += 2) { /* Poland */
        char id[8], line[256];
        double w = -1;
        snprintf(id, sizeof id, "p%d", k);
        assert_int_equal(follow(id), 0);
        FILE *f = fopen(path, "r");
        while (w < 0 && fgets(line, sizeof line, f)) sscanf(line, " weight %lf,", &w);
        fclose(f);
        assert_true(w > 0);
        sum[k % 3 ? 0 : 1] += w;
    }
    assert_true(fabs(sum[0] - 30) < 0.05 && fabs(sum[1] - 30) < 0.05);
}

static void a_pseudonym_or_a_line_names_a_respondent(void **state) {
    (void) state;
    new_study("id");
    write_export(MORE);
    assert_int_equal(follow("early"), 0);
    assert_int_equal(
        sh("sed -n 's/^respondent //p' %s/told > %s/pseudonym && cp %s/told %s/first", here, here, here, here), 0);
    assert_int_equal(sh("XDG_CONFIG_HOME=%s/config %s follow %s/s $(cat %s/pseudonym) --out %s/out | cmp - %s/first",
                        here, program, here, here, here, here),
                     0);
    assert_int_equal(follow("answers.csv:122"), 0);
    assert_int_equal(sh("cmp %s/told %s/first", here, here), 0);
    new_study(NULL);
    write_export("");
    assert_int_equal(follow("answers.csv:2"), 0);
    assert_true(told("respondent answers.csv:2"));
}

static void who_waits_and_who_is_forgotten(void **state) {
    (void) state;
    new_study("id");
    write_export("");
    assert_true(sh("XDG_CONFIG_HOME=%s/config %s run %s/s --out %s/out --quiet --only levels 2> %s/said", here, program,
                   here, here, here) <= 1);
    write_export("late,PL,low,low,5\n");
    assert_int_equal(sh("find %s -type f ! -name told ! -name said ! -name before ! -name after -exec md5sum {} + | "
                        "sort > %s/before",
                        here, here),
                     0);
    assert_int_equal(follow("late"), 0);
    assert_true(told("set aside by 'waiting': too few newcomers"));
    assert_int_equal(sh("find %s -type f ! -name told ! -name said ! -name before ! -name after -exec md5sum {} + | "
                        "sort > %s/after; cmp %s/before %s/after",
                        here, here, here, here),
                     0);
    assert_int_equal(
        sh("XDG_CONFIG_HOME=%s/config %s forget %s/s p5 --out %s/out > /dev/null", here, program, here, here), 0);
    assert_int_equal(follow("p5"), RSP_ERR_DATA);
    assert_true(said("asked to be forgotten"));
}

static int set_up(void **state) {
    (void) state;
    snprintf(program, sizeof program, "%s/responsive", build_folder());
    strcpy(here, "/tmp/responsive-follow-XXXXXX");
    return mkdtemp(here) ? 0 : -1;
}

static int tear_down(void **state) {
    (void) state;
    return sh("rm -rf %s", here);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_outcome_has_its_reason),
        cmocka_unit_test(the_weight_is_the_nights),
        cmocka_unit_test(a_pseudonym_or_a_line_names_a_respondent),
        cmocka_unit_test(who_waits_and_who_is_forgotten),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
