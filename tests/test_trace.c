/* Every sentence of every brief can be traced to rows of the results: three studies, all their languages, run as a person runs
 * them, and held by tests/trace.py with software that shares nothing with ours; so is the PDFs' structure, by tests/matterhorn.py. */
#include "shell.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static char here[] = "/tmp/responsive-trace-XXXXXX";

static void run(const char *study) {
    int status = sh("%s/responsive run specs/%s --out %s --quiet 2>%s/log", build_folder(), study, here, here);
    assert_true(status == 0 || status == 1);
}

static int trace(const char *study, const char *rest) {
    return sh("python3 -I tests/trace.py specs/%s %s/%s/latest %s >%s/said 2>&1", study, here, study, rest, here);
}

static void every_sentence_can_be_traced(void **state) {
    (void) state;
    static const char *const studies[][2] = {
        {"ifsw", "--figures=4"}, {"wvs", "--figures=4"}, {"rse2017", "--figures=3"}};
    for (size_t k = 0; k < sizeof studies / sizeof *studies; k++) {
        run(studies[k][0]);
        if (trace(studies[k][0], studies[k][1]) == 0) continue;
        sh("cat %s/said >&2", here);
        fail_msg("%s: sentences that cannot be traced, or a brief too long or without its figures", studies[k][0]);
    }
}

/* A row whose numbers are others: what is printed, named or claimed with it is seen to be wrong. */
static void a_wrong_row_is_noticed(void **state) {
    (void) state;
    static const char *const rows[] = {"drivers,,time,,net",
                                       "drivers,,culture,,coefficient",
                                       "drivers,,culture,,explained_share",
                                       "drivers,country=PL,leadership,,coefficient",
                                       "drivers,country=PT,time,,net",
                                       "channels,,channels,casework,proportion",
                                       "channels,country=PT,channels,survey,proportion",
                                       "factor_scores,country=PL,funding,,mean",
                                       "scores,,listen,,mean",
                                       "changed,country=DK,changed,yes,proportion",
                                       "changed,,changed=yes,DK-RO,difference",
                                       "response,,kept,,count",
                                       "response,country=FR,read,,count"};
    for (size_t k = 0; k < sizeof rows / sizeof *rows; k++) {
        char rest[256];
        snprintf(rest, sizeof rest, "--no-pages --spoil=%s", rows[k]);
        if (trace("ifsw", rest) != 1) fail_msg("a wrong row is not noticed: %s", rows[k]);
    }
}

/* The trace of the run with one thing changed by a Python expression over the lines of a file. */
static int trace_changed(const char *file, const char *change, bool pages) {
    assert_int_equal(sh("cd %s/ifsw/latest && cp %s kept && python3 -I -c 'import csv, sys; "
                        "r = list(csv.DictReader(open(\"kept\", encoding=\"utf-8\", newline=\"\"))); %s; "
                        "w = csv.DictWriter(open(\"%s\", \"w\", encoding=\"utf-8\", newline=\"\"), r[0].keys()); "
                        "w.writeheader(); w.writerows(r)'",
                        here, file, change, file),
                     0);
    int status = trace("ifsw", pages ? "" : "--no-pages");
    assert_int_equal(sh("cd %s/ifsw/latest && mv kept %s", here, file), 0);
    return status;
}

static void a_changed_trace_is_noticed(void **state) {
    (void) state;
    static const char *const sentences = "quality/sentences.csv", *const values = "quality/sentence_values.csv",
                             *const results = "data/results.csv";
    const char *const changes[][2] = {
        /* the first two are seen on the page */
        {sentences, "del r[7]"},                                       /* a sentence without a trace */
        {sentences, "r[7][\"text\"] = r[7][\"text\"][:-1] + \" 7.\""}, /* other words than the page's */
        {sentences, "r[7][\"condition\"] = \"${below} = 0\""},         /* another condition */
        {sentences, "r[7][\"template\"] = \"brief.message.unheard\""}, /* no template */
        {values, "r[:] = [v for v in r if v[\"sentence\"] != \"8\"]"}, /* a sentence without a row */
        {values, "[v.update(term=\"unheard\") for v in r if v[\"term\"] == \"time\"]"},     /* no such row */
        {results, "[v.update(flag=\"suppressed\") for v in r if v[\"term\"] == \"time\"]"}, /* a hidden row */
    };
    for (size_t k = 0; k < sizeof changes / sizeof *changes; k++)
        if (trace_changed(changes[k][0], changes[k][1], k < 2) != 1) fail_msg("not noticed: %s", changes[k][1]);
    assert_int_equal(trace("ifsw", ""), 0);
}

/* ---- titles of charts --------------------------------------------------------------------------------------------- */

static int titles(const char *rest) {
    return sh("python3 -I tests/trace.py %s/frozen/specs/ifsw %s/claims/ifsw/latest --no-pages %s >%s/said 2>&1", here,
              here, rest, here);
}

/* The questionnaire after its freeze: one score by two groups that a test tells apart, scores of countries tested against each
 * other, and groups in the place of waves. The charts' titles say so. */
static void a_title_that_claims_can_be_traced(void **state) {
    (void) state;
    assert_int_equal(sh("mkdir %s/frozen && cp -r specs fixtures %s/frozen && sed -i "
                        "'s/freeze: [0-9-]*/freeze: 2026-07-31/; "
                        "/id: scores_manager/,/by:/s/items: .*/items: [responsiveness]/; "
                        "/id: scores$/,/by:/s/by: .*/&\\n    compare: yes/; "
                        "s/^tables:/&\\n  - {id: over_waves, items: [responsiveness], statistic: mean, "
                        "by: [[manager], [country, manager]], compare: yes}/; "
                        "s/^ *- {analysis: weights, kind: histogram}/&\\n    - {analysis: over_waves, kind: slope}"
                        "\\n    - {analysis: channels_changed, kind: multiples}/' %s/frozen/specs/ifsw/study.yaml",
                        here, here, here),
                     0);
    int status = sh("%s/responsive run %s/frozen/specs/ifsw --out %s/claims --lang en,pl --quiet 2>%s/log",
                    build_folder(), here, here, here);
    assert_true(status == 0 || status == 1);
    if (titles("--titles=50") != 0) {
        sh("cat %s/said >&2", here);
        fail_msg("titles that cannot be traced");
    }
    assert_int_equal(titles("--titles=1000"), 1);
    static const char *const rows[][2] = {
        {"scores_manager,,responsiveness,front_line-manages,difference", "scores_manager"},
        {"scores_manager,manager=front_line,responsiveness,,mean", "scores_manager"},
        {"factor_scores_manager,,time,front_line-manages,difference", "factor_scores_manager"},
        {"channels_changed,,channels=advisory_group,yes-no,difference", "channels_changed"},
        {"net_items,,engage1,,net", "engage_items"},
        {"drivers_engage,,leadership,,coefficient", "drivers_engage"},
        {"drivers_changed,,time,,odds_ratio", "drivers_changed"},
        {"priorities,,priorities,quality-prevention,choice_difference", "priorities"},
        {"scores,,responsiveness,DK-RO,difference", "scores.tiles"},
        {"scores,,change,AT-DK,difference", "scores"},
        {"over_waves,country=AT,responsiveness,front_line-manages,difference", "over_waves"},
        {"channels_changed,,channels=art,yes-no,difference", "channels_changed"},
        {"changed,,changed=yes,RO-average,difference", "changed"},
        {"scores_field,,listen,disability-child_protection,difference", "scores_field"},
        {"change_levels,,change_level,team,proportion", "change_levels"},
        {"factor_links,,leadership,culture,correlation", "factor_links"},
        {"weights,country=PL,,,deff_kish", "weights"},
        {"drivers,,trust,,coefficient", "drivers.forest"}};
    for (size_t k = 0; k < sizeof rows / sizeof *rows; k++) {
        char rest[256];
        snprintf(rest, sizeof rest, "--spoil=%s", rows[k][0]);
        if (titles(rest) != 1) fail_msg("not noticed: %s", rows[k][0]);
        if (sh("grep -Eq '^%s-all-pl: (is|claims|should)' %s/said", rows[k][1], here) != 0)
            fail_msg("no title notices: %s", rows[k][0]);
    }
    const char *const changes[] = {"s/Highest among respondents: Management/Highest among respondents: Front line/",
                                   "/^scores_manager-all-pl/d",
                                   "s/,front_line-manages,/,manages-front_line,/",
                                   "s/clearly above zero for [0-9]*/clearly above zero for 17/",
                                   "/^net_items-all-en,.*,engage1,/d",
                                   "/^scores_field-all-en,.*,disability-mental_health,/d",
                                   "/^drivers_changed-all-en,.*,time,/d",
                                   "/^scores.tiles-all-en,.*,DK-RO,/d",
                                   "/^over_waves-all-en,.*,country=AT,/d",
                                   "/^changed-all-pl,.*,FR-average,/d",
                                   "/^factor_links-all-en,.*,leadership,culture,/d",
                                   "/^change_levels-all-pl,.*,team,/d",
                                   "/^weights-all-en,.*,country=PL,/d"};
    for (size_t k = 0; k < sizeof changes / sizeof *changes; k++) {
        assert_int_equal(
            sh("cd %s/claims/ifsw/latest/quality && cp figures.csv kept && sed -i '%s' figures.csv", here, changes[k]),
            0);
        if (titles("") != 1) fail_msg("not noticed: %s", changes[k]);
        assert_int_equal(sh("cd %s/claims/ifsw/latest/quality && mv kept figures.csv", here), 0);
    }
}

/* ---- text alternatives -------------------------------------------------------------------------------------------- */

/* Of the publication that the test before made. The least important factor, made important, is missed in the text. */
static void a_quadrant_says_what_results_say(void **state) {
    (void) state;
    assert_int_equal(titles("--quadrants=2"), 0);
    assert_int_equal(titles("--quadrants=1000"), 1);
    assert_int_equal(titles("--spoil=drivers,,digital,,explained_share"), 1);
    assert_int_equal(sh("grep -q '^drivers-all-pl: says of its factors' %s/said", here), 0);
}

/* Who hears the text only knows which of several averages is meant, and what bars of answers say. */
static void values_name_what_they_are_of(void **state) {
    (void) state;
    assert_int_equal(
        sh("grep -q '<desc[^<]*Actively engaging (score 0 to 100), Average of the participating countries: [0-9]' "
           "%s/claims/ifsw/latest/charts/scores-all-en.svg",
           here),
        0);
    assert_int_equal(sh("grep -q '<desc[^<]*Stacked bars of answers.*Net agreement, points: from [^<]*[0-9] (' "
                        "%s/claims/ifsw/latest/charts/engage_items-all-en.svg",
                        here),
                     0);
    assert_int_equal(sh("grep -l '<desc[^>]*>Stacked bars of answers, [0-9]* rows*\\. \\(The numbers\\|Simulated\\)' "
                        "%s/claims/ifsw/latest/charts/*-en.svg",
                        here),
                     1); /* none has bars without a number */
}

/* ---- notes under charts ------------------------------------------------------------------------------------------- */

static bool says(const char *words) { return sh("grep -q '%s' %s/said", words, here) == 0; }

/* Of the same publication. A number, a combination, an answer, a day and the content's id are others: each is missed. */
static void notes_say_what_results_say(void **state) {
    (void) state;
    if (titles("--notes=1000") != 0) {
        sh("cat %s/said >&2", here);
        fail_msg("notes that cannot be traced");
    }
    assert_int_equal(sh("cd %s/claims/ifsw/latest && cp -r . ../spoiled && cd ../spoiled && "
                        "sed -i '/^change_levels,,change_level,team,combination/d' data/results.csv && "
                        "sed -i 's/^\\(field,disability,.*\\),Disability,/\\1,Ability,/' data/codebook.csv && "
                        "sed -i 's/\"content_id\": \"./&x/' manifest.json && "
                        "sed 's/^field: {from: 2026-03-01/field: {from: 2026-03-02/' %s/frozen/specs/ifsw/study.yaml "
                        ">study.yaml",
                        here, here),
                     0);
    assert_int_equal(
        sh("python3 -I tests/trace.py %s/claims/ifsw/spoiled %s/claims/ifsw/spoiled --no-pages --notes=1000 "
           "--spoil=channel_sets,,channels,*,combination >%s/said 2>&1",
           here, here, here),
        1);
    assert_true(says("^channel_sets-all-pl: says .* in upset_others, should say"));
    assert_true(says("^change_levels-all-en: says .* in upset_more, should say"));
    assert_true(says("^drivers_changed-all-en: compares with what is no first answer"));
    assert_true(says("^scores-all-pl: was in the field until or from another day"));
    assert_true(says("^scores-all-en: says .* in content_id, should say"));
}

/* ---- structure -------------------------------------------------------------------------------------------------- */

static int matterhorn(const char *files) {
    return sh("python3 -I tests/matterhorn.py %s/%s >%s/said 2>&1", here, files, here);
}

static void structures_are_accessible(void **state) {
    (void) state;
    if (matterhorn("*/latest/briefs/*.pdf") == 0) return;
    sh("cat %s/said >&2", here);
    fail_msg("PDF/UA-1 is not met");
}

/* One thing changed in the uncompressed file, of the same length so that offsets hold. */
static void a_damaged_structure_is_noticed(void **state) {
    (void) state;
    static const char *const changes[] = {"s|/Marked true|/Marced true|",
                                          "s|/DisplayDocTitle|/DisplayDocTitel|",
                                          "s|/Lang (|/Leng (|",
                                          "s|pdfuaid:part|pdfuaid:bart|",
                                          "s|<dc:title>|<dc:titel>|",
                                          "s|/Alt (|/Ald (|; s|/Alt <|/Ald <|",
                                          "s|/S /H2|/S /H4|",
                                          "s|/Scope|/Skope|",
                                          "s|/S /TR|/S /Tr|",
                                          "s|/S /LI|/S /Li|",
                                          "s|/ToUnicode|/ToUnikode|",
                                          "s|/FontFile|/FondFile|",
                                          "s|^/Artifact BMC|/Artifact BMX|"};
    assert_int_equal(
        sh("qpdf --qdf --object-streams=disable %s/ifsw/latest/briefs/brief-all-en.pdf %s/whole.pdf", here, here), 0);
    assert_int_equal(matterhorn("whole.pdf"), 0);
    for (size_t k = 0; k < sizeof changes / sizeof *changes; k++) {
        assert_int_equal(sh("LC_ALL=C sed '%s' %s/whole.pdf >%s/damaged.pdf", changes[k], here, here), 0);
        if (matterhorn("damaged.pdf") != 1) fail_msg("not noticed: %s", changes[k]);
    }
}

static int make_folder(void **state) {
    (void) state;
    return mkdtemp(here) ? 0 : -1;
}

static int remove_folder(void **state) {
    (void) state;
    return sh("rm -rf %s", here);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_sentence_can_be_traced),     cmocka_unit_test(a_wrong_row_is_noticed),
        cmocka_unit_test(a_changed_trace_is_noticed),       cmocka_unit_test(a_title_that_claims_can_be_traced),
        cmocka_unit_test(a_quadrant_says_what_results_say), cmocka_unit_test(values_name_what_they_are_of),
        cmocka_unit_test(notes_say_what_results_say),       cmocka_unit_test(structures_are_accessible),
        cmocka_unit_test(a_damaged_structure_is_noticed),
    };
    return cmocka_run_group_tests_name("trace", tests, make_folder, remove_folder);
}
