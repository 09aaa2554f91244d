/* What titles of charts claim (fixtures/charts/titles): each claim where results bear it, and beside it results that differ in
 * what matters, with which it must not be made. Before the freeze, and where a scale is not comparable, nothing is claimed. */
#include "render/charts.h"
#include "shell.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Rows are `analysis,domain,term,level,statistic,estimate,lower,upper,p`, the p-value adjusted or not. */
typedef struct {
    const char *analysis, *kind, *rows, *title;
} example;

static struct {
    rsp_diag *d;
    rsp_study *study;
    rsp_texts *texts;
    rsp_labels *labels;
    char path[64];
} w;

static int set_up(void **state) {
    (void) state;
    w.d = rsp_diag_new();
    w.study = rsp_study_load("fixtures/charts/titles", w.d);
    w.texts = rsp_texts_load("en", w.d);
    if (!w.study || !w.texts) rsp_diag_print(w.d, stderr, false, 0);
    if (!w.study || !w.texts) return -1;
    w.labels = rsp_labels_new(w.study, w.texts);
    strcpy(w.path, "/tmp/responsive-titles-XXXXXX");
    return mkdtemp(w.path) ? 0 : -1;
}

static int tear_down(void **state) {
    (void) state;
    sh("rm -rf %s", w.path);
    rsp_labels_free(w.labels);
    rsp_texts_free(w.texts);
    rsp_study_free(w.study);
    rsp_diag_free(w.d);
    return 0;
}

/* The rows as results.csv has them; `flag` for the first. */
static rsp_published *published(const char *rows, const char *flag) {
    char file[96];
    rsp_buf b = {0};
    rsp_buf_puts(&b, "analysis,domain,term,level,statistic,estimate,se,df,df1,lower,upper,p,p_adj,n,n_eff,deff,flag\n");
    for (const char *p = rows; *p;) {
        size_t length = strcspn(p, "\n"), at = 0;
        const char *field[9] = {0};
        size_t size[9] = {0};
        for (size_t k = 0; k < 9 && at <= length; k++) {
            field[k] = p + at;
            size[k] = strcspn(field[k], ",\n");
            at += size[k] + 1;
        }
        for (size_t k = 0; k < 6; k++) rsp_buf_printf(&b, "%.*s,", (int) size[k], field[k]);
        rsp_buf_puts(&b, ",,,");
        for (size_t k = 6; k < 9; k++) rsp_buf_printf(&b, "%.*s,", (int) size[k], field[k] ? field[k] : "");
        rsp_buf_printf(&b, "%.*s,500,,,%s\n", (int) size[8], field[8] ? field[8] : "", flag);
        flag = "";
        p += length + (p[length] == '\n');
    }
    snprintf(file, sizeof file, "%s/results.csv", w.path);
    assert_true(rsp_write_file(file, b.data, b.length, w.d));
    rsp_buf_free(&b);
    rsp_published *r = rsp_published_read_csv(file, w.d);
    if (!r) rsp_diag_print(w.d, stderr, false, 0);
    assert_non_null(r);
    return r;
}

static void says(const example *e, bool preliminary, const char *flag, const char *title) {
    const rsp_chart_spec *spec = NULL;
    for (size_t k = 0; k < w.study->reports.n_charts && !spec; k++) {
        const rsp_chart_spec *s = &w.study->reports.charts[k];
        if (strcmp(s->analysis, e->analysis) == 0 && strcmp(s->kind, e->kind) == 0) spec = s;
    }
    assert_non_null(spec);
    rsp_published *results = published(e->rows, flag);
    rsp_publication p = {.study = w.study,
                         .results = results,
                         .content_id = "0123abcd",
                         .n_languages = 1,
                         .languages = w.study->languages,
                         .labels = &w.labels,
                         .preliminary = preliminary};
    rsp_scene *s = rsp_chart(&p, spec, NULL, w.texts, 482);
    if (!s) fail_msg("no chart, but should say: %s", title);
    if (strcmp(s->title, title) != 0) fail_msg("says \"%s\", should say \"%s\"", s->title, title);
    rsp_scene_free(s);
    rsp_published_free(results);
}

static void all_say(const example *list, size_t n) {
    for (size_t k = 0; k < n; k++) says(&list[k], false, "", list[k].title);
}

#define ALL(list) all_say(list, sizeof(list) / sizeof *(list))

/* ---- countries ---------------------------------------------------------------------------------------------------- */

#define COUNTRIES                                                                                                      \
    "one,,s1,,mean,50,49,51,\n"                                                                                        \
    "one,country=AT,s1,,mean,50,48,52,\n"                                                                              \
    "one,country=DK,s1,,mean,60,58,62,\n"                                                                              \
    "one,country=RO,s1,,mean,40,38,42,\n"
/* p-values of Austria and Denmark, Austria and Romania, Denmark and Romania; of each against the average */
#define PAIRS(a, b, c)                                                                                                 \
    "one,,s1,AT-DK,difference,-10,,," a "\none,,s1,AT-RO,difference,10,,," b "\none,,s1,DK-RO,difference,20,,," c "\n"
#define AVERAGES(a, b, c)                                                                                              \
    "one,,s1,AT-average,difference,1,,," a "\none,,s1,DK-average,difference,10,,," b                                   \
    "\none,,s1,RO-average,difference,-10,,," c "\n"

static const example countries[] = {
    {"one", "dots", COUNTRIES, "One"}, /* nothing was tested */
    {"one", "tiles", COUNTRIES, "One"},
    {"one", "tiles", COUNTRIES PAIRS("0.01", "0.01", "0.01"), "Highest: Denmark; lowest: Romania"},
    {"one", "tiles", COUNTRIES PAIRS("0.01", "0.2", "0.01"), "Highest: Denmark"},
    {"one", "tiles", COUNTRIES PAIRS("0.2", "0.01", "0.01"), "Lowest: Romania"},
    {"one", "tiles", COUNTRIES PAIRS("0.2", "0.2", "0.01"), "Only clear difference: Denmark above Romania"},
    {"one", "tiles", COUNTRIES PAIRS("0.2", "0.2", "0.2"), "No difference between groups can be told from chance"},
    {"one", "dots", COUNTRIES PAIRS("0.2", "0.2", "0.01") AVERAGES("0.9", "0.01", "0.2"), "Above average: Denmark"},
    {"one", "dots", COUNTRIES PAIRS("0.2", "0.2", "0.01") AVERAGES("0.9", "0.2", "0.01"), "Below average: Romania"},
    {"one", "dots", COUNTRIES PAIRS("0.2", "0.2", "0.01") AVERAGES("0.01", "0.01", "0.2"),
     "Above average: Denmark and Austria"},
    {"one", "tiles", COUNTRIES PAIRS("0.2", "0.2", "0.01") AVERAGES("0.9", "0.01", "0.01"),
     "Above average: Denmark; below average: Romania"},
    {"one", "dots", COUNTRIES PAIRS("0.2", "0.2", "0.01") AVERAGES("0.9", "0.2", "0.2"),
     "Only clear difference: Denmark above Romania"},
    {"one", "dots", COUNTRIES PAIRS("0.2", "0.2", "0.01") "one,,s1,DK-average,difference,10,,,0.01\n",
     "Only clear difference: Denmark above Romania"}, /* two are not tested against the average */
};

static void test_countries(void **state) {
    (void) state;
    ALL(countries);
    w.study->design.self_selected = true;
    says(&countries[2], false, "", "Highest among respondents: Denmark; lowest: Romania");
    says(&countries[10], false, "", "Respondents above average: Denmark; below average: Romania");
    w.study->design.self_selected = false;
}

/* ---- groups ------------------------------------------------------------------------------------------------------- */

#define FIELDS                                                                                                         \
    "fields,field=x,s1,,mean,5,4,6,\nfields,field=y,s1,,mean,4,3,5,\nfields,field=z,s1,,mean,3,2,4,\n"                 \
    "fields,field=x,s2,,mean,5,4,6,\nfields,field=y,s2,,mean,4,3,5,\nfields,field=z,s2,,mean,3,2,4,\n"                 \
    "fields,field=x,s3,,mean,5,4,6,\nfields,field=y,s3,,mean,4,3,5,\nfields,field=z,s3,,mean,3,2,4,\n"
/* differences of an item between Health and Housing, Health and Schools, Housing and Schools, with their p-values */
#define FIELD(item, a, p, b, q, c, r)                                                                                  \
    "fields,," item ",x-y,difference," a ",,," p "\nfields,," item ",x-z,difference," b ",,," q "\nfields,," item      \
    ",y-z,difference," c ",,," r "\n"
#define NOTHING(item) FIELD(item, "1", "0.5", "2", "0.5", "1", "0.5")

#define SEXES                                                                                                          \
    "sexes,sex=f,s1,,mean,5,4,6,\nsexes,sex=m,s1,,mean,4,3,5,\nsexes,sex=f,s2,,mean,5,4,6,\n"                          \
    "sexes,sex=m,s2,,mean,4,3,5,\nsexes,sex=f,s3,,mean,5,4,6,\nsexes,sex=m,s3,,mean,4,3,5,\n"
#define SEX(a, p, b, q, c, r)                                                                                          \
    "sexes,,s1,f-m,difference," a ",,," p "\nsexes,,s2,f-m,difference," b ",,," q "\nsexes,,s3,f-m,difference," c      \
    ",,," r "\n"

#define SEVERAL                                                                                                        \
    "several,country=AT,s1,,mean,5,4,6,\nseveral,country=DK,s1,,mean,6,5,7,\nseveral,field=x,s1,,mean,5,4,6,\n"        \
    "several,field=y,s1,,mean,6,5,7,\nseveral,sex=f,s1,,mean,5,4,6,\nseveral,sex=m,s1,,mean,6,5,7,\n"
#define BY(country, field, sex)                                                                                        \
    "several,,s1,AT-DK,difference,-1,,," country "\nseveral,,s1,x-y,difference,-1,,," field                            \
    "\nseveral,,s1,f-m,difference,-1,,," sex "\n"
#define AGAINST(a, b) "several,,s1,AT-average,difference,-1,,," a "\nseveral,,s1,DK-average,difference,1,,," b "\n"

static const example groups[] = {
    {"fields", "dots", FIELDS, "Fields"},
    {"fields", "dots", FIELDS NOTHING("s1") NOTHING("s2") NOTHING("s3"),
     "No difference between groups can be told from chance"},
    {"fields", "dots", FIELDS FIELD("s1", "1", "0.5", "2", "0.01", "1", "0.5") NOTHING("s2") NOTHING("s3"),
     "Only clear difference (Trust): Health above Schools"},
    {"fields", "dots", FIELDS FIELD("s1", "1", "0.5", "-2", "0.01", "1", "0.5") NOTHING("s2") NOTHING("s3"),
     "Only clear difference (Trust): Schools above Health"},
    {"fields", "dots",
     FIELDS FIELD("s1", "1", "0.5", "2", "0.01", "1", "0.5") FIELD("s2", "1", "0.5", "2", "0.5", "1", "0.01")
         NOTHING("s3"),
     "Lower (all 2 clear differences): Schools"},
    {"fields", "dots", FIELDS FIELD("s1", "1", "0.01", "2", "0.01", "1", "0.5") NOTHING("s2") NOTHING("s3"),
     "Higher (all 2 clear differences): Health"},
    {"fields", "dots", FIELDS FIELD("s1", "1", "0.01", "2", "0.5", "1", "0.01") NOTHING("s2") NOTHING("s3"),
     "Groups clearly differ only in: Trust"},
    {"fields", "dots",
     FIELDS FIELD("s1", "1", "0.01", "2", "0.01", "1", "0.5") FIELD("s2", "1", "0.01", "2", "0.01", "1", "0.5")
         FIELD("s3", "1", "0.01", "2", "0.01", "1", "0.5"),
     "Highest throughout: Health"},
    {"fields", "dots",
     FIELDS FIELD("s1", "1", "0.01", "2", "0.01", "1", "0.5") FIELD("s2", "1", "0.01", "2", "0.01", "1", "0.5")
         FIELD("s3", "1", "0.01", "2", "0.2", "1", "0.5"),
     "Higher (all 5 clear differences): Health"},
    {"fields", "dots",
     FIELDS FIELD("s1", "1", "0.01", "2", "0.01", "1", "0.01") FIELD("s2", "1", "0.01", "2", "0.01", "1", "0.5")
         FIELD("s3", "-1", "0.01", "2", "0.2", "1", "0.5"),
     "Differences between groups beyond chance: 6 of 9"},
    {"sexes", "dots", SEXES SEX("1", "0.01", "1", "0.01", "1", "0.01"), "Higher throughout: Women"},
    {"sexes", "dots", SEXES SEX("-1", "0.01", "-1", "0.01", "-1", "0.01"), "Higher throughout: Men"},
    {"sexes", "dots", SEXES SEX("1", "0.01", "1", "0.2", "1", "0.01"), "Higher for Trust and Skills only: Women"},
    {"sexes", "dots", SEXES SEX("1", "0.2", "1", "0.01", "1", "0.2"), "Higher for Time only: Women"},
    {"sexes", "dots", SEXES SEX("1", "0.01", "-1", "0.01", "1", "0.2"),
     "Groups clearly differ only in: Trust and Time"},
    {"sexes", "dots", SEXES SEX("1", "0.01", "-1", "0.01", "1", "0.01"),
     "Differences between groups beyond chance: 3 of 3"},
    {"several", "dots", SEVERAL BY("0.01", "0.2", "0.2") AGAINST("0.2", "0.01"), "Above average: Denmark"},
    {"several", "dots", SEVERAL BY("0.01", "0.2", "0.2") AGAINST("0.2", "0.2"), "Clear differences by: Country"},
    {"several", "dots", SEVERAL BY("0.01", "0.2", "0.01") AGAINST("0.2", "0.01"),
     "Clear differences by: Country and Sex"},
    {"several", "dots", SEVERAL BY("0.01", "0.01", "0.01") AGAINST("0.2", "0.01"),
     "Differences between groups beyond chance: 3 of 3"},
    {"several", "dots", SEVERAL BY("0.2", "0.2", "0.2") AGAINST("0.2", "0.2"),
     "No difference between groups can be told from chance"},
};

static void test_groups(void **state) {
    (void) state;
    ALL(groups);
}

/* ---- waves -------------------------------------------------------------------------------------------------------- */

#define WAVES                                                                                                          \
    "waves,wave=w1,s1,,mean,5,4,6,\nwaves,wave=w2,s1,,mean,6,5,7,\nwaves,wave=w1,s2,,mean,5,4,6,\n"                    \
    "waves,wave=w2,s2,,mean,4,3,5,\nwaves,wave=w1,s3,,mean,5,4,6,\nwaves,wave=w2,s3,,mean,5,4,6,\n"
/* The run writes the first wave before the second: a rise is below zero. */
#define CHANGES(a, p, b, q, c, r)                                                                                      \
    "waves,,s1,w1-w2,difference," a ",,," p "\nwaves,,s2,w1-w2,difference," b ",,," q                                  \
    "\nwaves,,s3,w1-w2,difference," c ",,," r "\n"

static const example waves[] = {
    {"waves", "slope", WAVES, "Waves"},
    {"waves", "slope", WAVES "waves,,s1,w1-w2,difference,-1,,,0.01\n", "Waves"}, /* two lines were not tested */
    {"waves", "slope", WAVES CHANGES("-1", "0.01", "1", "0.2", "0", "0.9"), "Clear rise from 2021 to 2026: Trust"},
    {"waves", "slope", WAVES CHANGES("-1", "0.2", "1", "0.01", "0", "0.9"), "Clear fall from 2021 to 2026: Time"},
    {"waves", "multiples", WAVES CHANGES("-1", "0.01", "1", "0.01", "0", "0.9"),
     "2021 to 2026, clear rise: Trust; fall: Time"},
    {"waves", "multiples", WAVES CHANGES("-1", "0.01", "-1", "0.01", "-1", "0.01"),
     "Changes over the waves beyond chance: 3 of 3"},
    {"waves", "slope", WAVES CHANGES("-1", "0.2", "1", "0.2", "0", "0.9"), "No change over the waves is beyond chance"},
};

static void test_waves(void **state) {
    (void) state;
    ALL(waves);
}

/* ---- what is largest ---------------------------------------------------------------------------------------------- */

#define WAYS(p0, p1, q0, q1)                                                                                           \
    "ways,,ways,p,proportion,0.6," p0 "," p1 ",\nways,,ways,q,proportion,0.5," q0 "," q1                               \
    ",\nways,,ways,r,proportion,0.2,0.15,0.25,\n"
#define SETS(level, low, other, high)                                                                                  \
    "ways,,ways," level ",combination,0.3," low ",0.4,\nways,,ways," other ",combination,0.2,0.1," high                \
    ",\nways,,ways,*,combination,0.5,0.45,0.55,\n"
#define LINK(a, b, r, low, high) "links,," a "," b ",correlation," r "," low "," high ",0.01\n"
#define DEFF(code, x)                                                                                                  \
    "weights,country=" code ",,,deff_kish," x ",,,\nweights,country=" code                                             \
    ",,0-1,weight_count,300,,,\nweights,country=" code ",,1-,weight_count,200,,,\n"

static const example largest[] = {
    {"ways", "upset", WAYS("0.45", "0.7", "0.45", "0.6") SETS("p q", "0.28", "p", "0.25"),
     "Most frequent combination: Letters and Meetings"},
    {"ways", "upset", WAYS("0.45", "0.7", "0.45", "0.6") SETS("p", "0.28", "p q", "0.25"),
     "Most frequent answer pattern: Letters alone"},
    {"ways", "upset", WAYS("0.45", "0.7", "0.45", "0.6") SETS("p q", "0.24", "p", "0.25"),
     "Named most often: Letters and Meetings"}, /* the intervals of the combinations meet */
    {"ways", "upset", WAYS("0.57", "0.7", "0.45", "0.55") SETS("p q", "0.24", "p", "0.25"),
     "Named most often: Letters"},
    {"ways", "upset", WAYS("0.45", "0.7", "0.2", "0.6") SETS("p q", "0.24", "p", "0.25"), "Ways"},
    {"ways", "upset",
     WAYS("0.45", "0.7", "0.2", "0.6") SETS("p q", "0.28", "p", "0.25") "ways,,ways,r,combination,,,,\n", "Ways"},
    {"links", "heatmap",
     LINK("s1", "s2", "0.6", "0.5", "0.7") LINK("s1", "s3", "0.2", "0.1", "0.3") LINK("s2", "s3", "0.3", "0.2", "0.4"),
     "Strongest correlation: Trust and Time"},
    {"links", "heatmap",
     LINK("s1", "s2", "-0.6", "-0.7", "-0.5") LINK("s1", "s3", "0.2", "0.1", "0.3")
         LINK("s2", "s3", "0.3", "0.2", "0.4"),
     "Strongest correlation (negative): Trust and Time"},
    {"links", "heatmap",
     LINK("s1", "s2", "0.5", "0.4", "0.6") LINK("s1", "s3", "0.2", "0.1", "0.3")
         LINK("s2", "s3", "-0.4", "-0.5", "-0.3"),
     "2 of 3 correlations above zero, each taken singly (5%)"},
    {"links", "heatmap",
     LINK("s1", "s2", "0.5", "0.4", "0.6") LINK("s1", "s3", "0.2", "0.1", "0.3") LINK("s2", "s3", "0.4", "0.3", "0.5"),
     "All 3 correlations above zero, each taken singly (5%)"},
    {"weights", "histogram", DEFF("AT", "1.2") DEFF("DK", "1.34"),
     "Most unequal weights: Denmark (design effect 1.34)"},
    {"weights", "histogram", DEFF("AT", "1.4") DEFF("DK", "1.34"),
     "Most unequal weights: Austria (design effect 1.40)"},
    {"weights", "histogram", DEFF("AT", "1.4"), "Design effect of weighting: 1.40"},
    {"weights", "histogram", DEFF("AT", "1.4") "weights,country=DK,,0-1,weight_count,300,,,\n", "Weights"},
};

static void test_largest(void **state) {
    (void) state;
    ALL(largest);
}

/* ---- few are named ------------------------------------------------------------------------------------------------ */

#define NET(item, low) "nets,," item ",,net,0.5," low ",0.9,\n"
#define NETS(a, b, c, d) NET("a1", a) NET("a2", b) NET("a3", c) NET("a4", d)
#define FACTOR(name, p)                                                                                                \
    "drive,," name ",,coefficient,0.5,0.1,0.9," p "\ndrive,," name ",,coefficient_std,0.5,0.1,0.9,\n"
#define DRIVE(a, b, c, d) FACTOR("s2", a) FACTOR("s3", b) FACTOR("s4", c) FACTOR("s5", d)

static const example few[] = {
    {"nets", "dots", NETS("0.1", "0.1", "0.1", "0.1"), "Net agreement clearly above zero for all 4 items"},
    {"nets", "dots", NETS("0.1", "0.1", "0.1", "-0.1"), "Net agreement clearly above zero except for: Thanked"},
    {"nets", "dots", NETS("0.1", "0.1", "-0.1", "-0.1"), "Net agreement clearly above zero for 2 of 4 items"},
    {"nets", "dots", NETS("-0.1", "0.1", "-0.1", "-0.1"), "Net agreement clearly above zero only for: Asked"},
    {"nets", "dots", NETS("-0.1", "-0.1", "-0.1", "-0.1"), "Net agreement clearly above zero for none of 4 items"},
    {"drive", "forest", DRIVE("0.01", "0.01", "0.01", "0.01"),
     "All 4 factors clearly associated, others held constant"},
    {"drive", "forest", DRIVE("0.01", "0.2", "0.01", "0.01"),
     "Clearly associated, others held constant, all but: Skills"},
    {"drive", "forest", DRIVE("0.2", "0.2", "0.01", "0.2"), "Clearly associated, others held constant, only: Money"},
    {"drive", "forest", DRIVE("0.2", "0.2", "0.01", "0.01"), "2 of 4 factors clearly associated, others held constant"},
    {"drive", "forest", DRIVE("0.2", "0.2", "0.2", "0.2"), "No association can be told from chance"},
};

static void test_few(void **state) {
    (void) state;
    ALL(few);
}

/* ---- when nothing may be claimed ---------------------------------------------------------------------------------- */

static void silent(const example *list, size_t n) {
    for (size_t k = 0; k < n; k++) {
        char topic[32];
        snprintf(topic, sizeof topic, "%c%s", list[k].analysis[0] - 'a' + 'A', list[k].analysis + 1);
        says(&list[k], true, "", topic);
        if (strcmp(list[k].kind, "histogram") != 0) says(&list[k], false, "not_comparable", topic);
    }
}

#define SILENT(list) silent(list, sizeof(list) / sizeof *(list))

static void test_silent(void **state) {
    (void) state;
    SILENT(countries);
    SILENT(groups);
    SILENT(waves);
    SILENT(largest);
    SILENT(few);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_countries), cmocka_unit_test(test_groups),
                                       cmocka_unit_test(test_waves),     cmocka_unit_test(test_largest),
                                       cmocka_unit_test(test_few),       cmocka_unit_test(test_silent)};
    return cmocka_run_group_tests_name("titles", tests, set_up, tear_down);
}
