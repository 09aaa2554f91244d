/* Workbooks, open data, quality page, index page and `show`: words, layout, equal numbers, equal bytes, hostile texts.
 */
#include "batch/manifest.h"
#include "render/dataset.h"
#include "render/workbook.h"
#include "shell.h"

#include <jansson.h>
#include <libxml/HTMLparser.h>
#include <libxml/tree.h>
#include <libxml/xpath.h>
#include <libxml/xpathInternals.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

static char here[64];

/* ---- a publication made by hand on the study specs/wvs ---------------------------------------------------------- */

struct world {
    rsp_diag *d;
    rsp_study *study;
    rsp_results *results;
    rsp_published *published;
    rsp_labels *in[2]; /* the study's languages */
    const rsp_texts *texts;
    const rsp_labels *labels;
    rsp_publication p;
    rsp_arena *a;
};

static const char *const LEVELS[] = {"too_little", "about_right", "too_much"};
static const char *const COUNTRIES[] = {"AU", "NO", "SE", "US"};

static rsp_row *add(struct world *w, const char *analysis, const char *domain, const char *term, const char *level,
                    const char *statistic, double estimate, double n) {
    rsp_row *r = rsp_results_add(w->results, analysis, domain, term, level, statistic);
    r->estimate = estimate;
    r->se = 0.0123456789012345678;
    r->n = n;
    r->df = 100;
    r->base = (int64_t) n;
    rsp_row_interval(r);
    return r;
}

static void add_shares(struct world *w, const char *analysis, const char *domain, double first, double n) {
    double share[] = {first, 1.0 / 3, 1 - first - 1.0 / 3};
    for (size_t k = 0; k < 3; k++) add(w, analysis, domain, "poverty", LEVELS[k], "proportion", share[k], n);
}

static void add_own_rows(struct world *w) {
    const double counts[] = {5400, 5381, 19};
    const char *stages[] = {"read", "kept", "set_aside"};
    for (size_t k = 0; k < 3; k++) add(w, "response", "", stages[k], "", "count", counts[k], NAN);
    for (size_t c = 0; c < 4; c++)
        add(w, "response", rsp_printf(w->a, "country=%s", COUNTRIES[c]), "read", "", "count", 1350, NAN);
    for (size_t c = 0; c < 4; c++) {
        const char *domain = rsp_printf(w->a, "country=%s", COUNTRIES[c]);
        add(w, "weights", domain, "", "", "deff_kish", 1.21, 1300);
        add(w, "weights", domain, "", "", "n_eff", 1074.38, 1300);
        add(w, "weights", domain, "gender", "female", "margin_gap", c == 2 ? 0.0123 : 1e-9, 1300);
    }
}

static void add_rows(struct world *w) {
    add_own_rows(w);
    add_shares(w, "poverty", "", 0.505262606633, 5381);
    for (size_t c = 0; c < 4; c++)
        add_shares(w, "poverty", rsp_printf(w->a, "country=%s", COUNTRIES[c]), 0.4 + 0.05 * (double) c, 1300);
    w->results->rows[w->results->n - 1].flags |= RSP_F_LOW_BASE;
    for (size_t c = 0; c < 4; c++)
        add(w, "age", rsp_printf(w->a, "country=%s", COUNTRIES[c]), "age", "", "mean", 43.5 + (double) c, 1300);
    rsp_row *d = add(w, "age", "", "age", "AU-US", "difference", -3, 2600);
    d->p = 0.001;
    d->p_adj = 0.006;
    d = add(w, "age", "", "age", "AU-NO", "difference", -1, 2600);
    d->p = 0.4;
    d->p_adj = 0.8;
    add(w, "age", "", "age", "NO-average", "difference", -0.5, 2600);
    add(w, "agree_logistic", "", "degree=yes", "", "coefficient", -0.1357, 5381)->p = 0.07;
    add(w, "agree_logistic", "", "degree=yes", "", "odds_ratio", 0.8731, 5381);
    add(w, "agree_logistic", "", "", "", "loglik", -3000.25, 5381);
    add(w, "poverty_ordinal", "", "too_little|about_right", "", "threshold", 0.73, 5381);
    add(w, "poverty_ordinal", "", "poverty", "enabler_in_most", "verdict", NAN, 5381);
}

static const struct rsp_file_note FILES[] = {{"somewhere/wvs.csv", "csv", "UTF-8", 5400, 7}};
static const char *const NOTES[] = {"wvs.csv, line 7: <b>odd</b> & strange"};

static void open_world(struct world *w) {
    *w = (struct world){.d = rsp_diag_new(), .a = rsp_arena_new()};
    assert_non_null(w->study = rsp_study_load("specs/wvs", w->d));
    w->results = rsp_results_new();
    add_rows(w);
    assert_non_null(w->published = rsp_disclose(w->study, w->results, NULL, true, w->d));
    assert_int_equal(w->study->n_languages, 2);
    for (size_t k = 0; k < 2; k++) assert_non_null(w->in[k] = rsp_labels_open(w->study, w->study->languages[k], w->d));
    w->labels = w->in[0];
    w->texts = rsp_labels_texts(w->labels);
    w->p = (rsp_publication){.study = w->study,
                             .results = w->published,
                             .content_id = "0123456789abcdef",
                             .preliminary = true,
                             .simulated = true,
                             .n_languages = w->study->n_languages,
                             .languages = w->study->languages,
                             .labels = w->in,
                             .n_files = 1,
                             .files = FILES,
                             .n_notes = 1,
                             .notes = NOTES};
}

static void close_world(struct world *w) {
    rsp_hashes_free(w->p.hashes);
    for (size_t k = 0; k < 2; k++) rsp_labels_free(w->in[k]);
    rsp_published_free(w->published);
    rsp_results_free(w->results);
    rsp_study_free(w->study);
    rsp_diag_free(w->d);
    rsp_arena_free(w->a);
}

static void render(struct world *w, const char *name) {
    rsp_hashes_free(w->p.hashes);
    w->p.hashes = rsp_hashes_new();
    w->p.dir = rsp_printf(w->a, "%s/%s", here, name);
    bool ok = rsp_make_dirs(w->p.dir, w->d) && rsp_render_dataset(&w->p, w->d) && rsp_render_workbooks(&w->p, w->d) &&
              rsp_render_methods(&w->p, w->d) && rsp_render_quality(&w->p, w->d) && rsp_render_changes(&w->p, w->d) &&
              rsp_render_explore(&w->p, w->d) && rsp_hash_outputs(w->p.dir, w->p.hashes, w->d) &&
              rsp_render_site(&w->p, w->d);
    if (!ok) rsp_diag_print(w->d, stderr, false, 0);
    assert_true(ok);
}

static const char *read_file(struct world *w, const char *name) {
    rsp_buf b = {0};
    char *path = rsp_path_join(w->a, w->p.dir, name);
    assert_true(rsp_read_file(path, &b, w->d, RSP_ERR_DATA, RSP_NOWHERE));
    char *text = rsp_strndup(w->a, b.data, b.length);
    rsp_buf_free(&b);
    return text;
}

static rsp_published_row row_of(const char *analysis, const char *domain, const char *term, const char *level,
                                const char *statistic) {
    return (rsp_published_row){.analysis = analysis,
                               .domain = domain,
                               .term = term,
                               .level = level,
                               .statistic = statistic,
                               .estimate = 0.5,
                               .p_adj = NAN};
}

/* ---- words ------------------------------------------------------------------------------------------------------ */

static void domains_are_said_in_words(void **state) {
    (void) state;
    struct world w;
    open_world(&w);
    assert_string_equal(rsp_label_domain(w.labels, w.a, "country=AU;gender=female"), "Australia, Female");
    assert_string_equal(rsp_label_domain(w.labels, w.a, "degree=yes"), "Holds a university degree: Yes");
    assert_string_equal(rsp_label_domain(w.labels, w.a, ""), "All respondents");
    assert_string_equal(rsp_label_domain(w.labels, w.a, "nowhere=x"), "nowhere: x");
    assert_string_equal(rsp_label_domain(w.labels, w.a, ";;="), ", , : ");
    w.study->weighting.scale = RSP_SCALE_EQUAL;
    assert_string_equal(rsp_label_domain(w.labels, w.a, ""), "Average of the participating countries");
    rsp_published_row count = row_of("poverty", "", "poverty", "", "count");
    assert_string_equal(rsp_label_who(w.labels, w.a, &count), "All respondents");
    close_world(&w);
}

static void check_term(struct world *w, const char *analysis, const char *term, const char *statistic,
                       const char *expected) {
    rsp_published_row r = row_of(analysis, "", term, "", statistic);
    assert_string_equal(rsp_label_term(w->labels, w->a, &r), expected);
}

static void terms_are_said_in_words(void **state) {
    (void) state;
    struct world w;
    open_world(&w);
    check_term(&w, "age", "age", "mean", "Age in years");
    check_term(&w, "age_linear", "degree=yes:country=NO", "coefficient",
               "Holds a university degree: Yes \u00d7 Country: Norway");
    check_term(&w, "age_linear", "degree:country", "wald_f", "Holds a university degree \u00d7 Country");
    check_term(&w, "age_linear", "(Intercept)", "coefficient", "Intercept");
    check_term(&w, "age_linear", "log(age)", "coefficient", "log(age)");
    check_term(&w, "poverty_ordinal", "too_little|about_right", "threshold", "Too little | About right");
    check_term(&w, "x", "age/agree", "ratio", "Age in years / Thinks that too little is done");
    check_term(&w, "response", "set_aside", "count", "Set aside");
    close_world(&w);
}

static void differences_know_their_sides(void **state) {
    (void) state;
    struct world w;
    open_world(&w);
    rsp_published_row r = row_of("poverty_age", "", "poverty=too_much", "under30-30_44", "difference");
    assert_string_equal(rsp_label_level(w.labels, w.a, &r), "Under 30 compared with 30 to 44");
    r = row_of("age", "", "age", "NO-average", "difference");
    assert_string_equal(rsp_label_level(w.labels, w.a, &r), "Norway compared with Average of the participating "
                                                            "countries");
    assert_null(rsp_label_sides(w.labels, w.a, &r).second);
    r = row_of("poverty_gender", "country=AU", "poverty", "female-male", "difference");
    assert_string_equal(rsp_label_level(w.labels, w.a, &r), "Female compared with Male");
    r = row_of("age", "", "age", "no-such", "difference");
    assert_string_equal(rsp_label_level(w.labels, w.a, &r), "no-such");
    close_world(&w);
}

static void estimates_carry_their_marks(void **state) {
    (void) state;
    struct world w;
    open_world(&w);
    rsp_published_row r = row_of("poverty", "", "poverty", "too_much", "proportion");
    assert_string_equal(rsp_label_estimate(w.labels, w.a, &r), "50.0%");
    r.flags = RSP_F_LOW_BASE | RSP_F_PRELIMINARY;
    assert_string_equal(rsp_label_estimate(w.labels, w.a, &r), "50.0% [u]");
    assert_string_equal(rsp_label_flags(w.labels, w.a, r.flags), "Low reliability");
    r.estimate = NAN;
    assert_string_equal(rsp_shorthand(&r), "[x]");
    r.flags = RSP_F_EMPTY;
    assert_string_equal(rsp_shorthand(&r), "[z]");
    r.flags = RSP_F_SUPPRESSED_COMPLEMENTARY;
    assert_string_equal(rsp_shorthand(&r), "[c]");
    close_world(&w);
}

/* ---- layout ----------------------------------------------------------------------------------------------------- */

static void shares_stand_side_by_side(void **state) {
    (void) state;
    struct world w;
    open_world(&w);
    rsp_tab *t = rsp_tabulate(w.labels, w.published, "poverty", NULL, RSP_TAB_VALUES, w.a);
    assert_int_equal(t->n_rows, 5);
    assert_string_equal(t->columns[0].title, "Group");
    assert_string_equal(t->columns[1].title, "Too little");
    assert_string_equal(t->cells[0].text, "All respondents");
    assert_float_equal(t->cells[1].number, 0.505262606633, 0);
    assert_float_equal(t->cells[4].number, 5381, 0);
    assert_string_equal(t->cells[4 * t->n_columns + 5].text, "[u] Low reliability (Too much)");
    close_world(&w);
}

static void a_country_sees_itself_and_all(void **state) {
    (void) state;
    struct world w;
    open_world(&w);
    rsp_tab *t = rsp_tabulate(w.labels, w.published, "poverty", "SE", RSP_TAB_VALUES, w.a);
    assert_int_equal(t->n_rows, 2);
    assert_string_equal(t->cells[t->n_columns].text, "Sweden");
    t = rsp_tabulate(w.labels, w.published, "age", "NO", RSP_TAB_DIFFERENCES, w.a);
    assert_int_equal(t->n_rows, 2); /* AU-NO and NO-average, not AU-US */
    assert_null(rsp_tabulate(w.labels, w.published, "age", "SE", RSP_TAB_DIFFERENCES, w.a));
    assert_null(rsp_tabulate(w.labels, w.published, "no_such", NULL, RSP_TAB_VALUES, w.a));
    close_world(&w);
}

static size_t column_named(const rsp_tab *t, const char *title) {
    for (size_t k = 0; k < t->n_columns; k++)
        if (strcmp(t->columns[k].title, title) == 0) return k;
    fail_msg("no column %s", title);
    return 0;
}

static void letters_tell_significant_differences(void **state) {
    (void) state;
    struct world w;
    open_world(&w);
    rsp_tab *t = rsp_tabulate(w.labels, w.published, "age", NULL, RSP_TAB_VALUES, w.a);
    size_t letter = column_named(t, "Letter"), differs = column_named(t, "Differs from");
    assert_string_equal(t->cells[letter].text, "A");
    assert_string_equal(t->cells[differs].text, "D");                     /* Australia: from the United States */
    assert_string_equal(t->cells[t->n_columns + differs].text, "\u2013"); /* Norway: p_adj 0.8 */
    assert_string_equal(t->cells[3 * t->n_columns + differs].text, "A");
    t = rsp_tabulate(w.labels, w.published, "age", NULL, RSP_TAB_DIFFERENCES, w.a);
    size_t significant = column_named(t, "Significant (5%)");
    assert_string_equal(t->cells[significant].text, "yes");
    assert_string_equal(t->cells[t->n_columns + significant].text, "no");
    close_world(&w);
}

static void hidden_cells_stay_hidden(void **state) {
    (void) state;
    struct world w;
    open_world(&w);
    w.study->disclosure.off = false;
    w.study->disclosure.minimum_base = 2000;
    rsp_published_free(w.published);
    w.published = rsp_disclose(w.study, w.results, NULL, true, w.d);
    rsp_tab *t = rsp_tabulate(w.labels, w.published, "poverty", "SE", RSP_TAB_VALUES, w.a);
    for (size_t k = 1; k < t->n_columns; k++) {
        const rsp_cell *c = &t->cells[t->n_columns + k];
        assert_non_null(c->text);
        assert_memory_equal(c->text, "[c]", 3);
    }
    close_world(&w);
}

static double field_of(const rsp_published_row *r, const char *field) {
    if (strcmp(field, "estimate") == 0) return r->estimate;
    if (strcmp(field, "lower") == 0) return r->lower;
    if (strcmp(field, "upper") == 0) return r->upper;
    if (strcmp(field, "p") == 0) return r->p;
    if (strcmp(field, "p_adj") == 0) return r->p_adj;
    if (strcmp(field, "df") == 0) return r->df;
    if (strcmp(field, "df1") == 0) return r->df1;
    assert_string_equal(field, "n");
    return r->n;
}

/* ---- the workbook's numbers are those of results.csv ------------------------------------------------------------ */

/* Numbers of all sheets with a published table, in the order of sheets, rows, columns: read by other software. */
static FILE *numbers_of(const char *xlsx) {
    char command[2048];
    snprintf(command, sizeof command,
             "python3 -I -c \"\nimport re, sys, zipfile\nz = zipfile.ZipFile('%s')\n"
             "names = sorted((n for n in z.namelist() if re.match(r'xl/worksheets/sheet[0-9]+.xml', n)),"
             " key=lambda n: int(re.findall('[0-9]+', n)[0]))\n"
             "assert not any('<f>' in z.read(n).decode() or 'mergeCell' in z.read(n).decode() for n in names)\n"
             "for n in names[3:]:\n"
             "    for c in re.findall(r'<c ([^>]*)><v>([^<]*)</v>', z.read(n).decode()):\n"
             "        if 't=' not in c[0]: print(c[1])\n\"",
             xlsx);
    FILE *f = popen(command, "r");
    assert_non_null(f);
    return f;
}

static size_t compare_tab(struct world *w, FILE *f, const char *id, rsp_tab_part part) {
    rsp_tab *t = rsp_tabulate(w->labels, w->published, id, NULL, part, w->a);
    size_t n = 0;
    for (size_t k = 0; t && k < t->n_rows * t->n_columns; k++) {
        const rsp_cell *c = &t->cells[k];
        char line[64];
        if (c->text) continue;
        assert_float_equal(c->number, field_of(c->row, c->field), 0);
        assert_non_null(fgets(line, sizeof line, f));
        double written = strtod(line, NULL);
        assert_true(fabs(written - c->number) <= 6e-16 * fabs(c->number)); /* 16 digits are written */
        n++;
    }
    return n;
}

static void workbook_equals_results(void **state) {
    (void) state;
    struct world w;
    char rest[64];
    size_t n = 0;
    open_world(&w);
    render(&w, "twin");
    FILE *f = numbers_of(rsp_path_join(w.a, w.p.dir, "tables/tables-all-en.xlsx"));
    for (size_t k = 0; k < w.study->n_analyses; k++) {
        n += compare_tab(&w, f, w.study->analyses[k].id, RSP_TAB_VALUES);
        n += compare_tab(&w, f, w.study->analyses[k].id, RSP_TAB_DIFFERENCES);
    }
    assert_null(fgets(rest, sizeof rest, f));
    assert_int_equal(pclose(f), 0);
    assert_true(n > 60);
    close_world(&w);
}

/* ---- names of sheets -------------------------------------------------------------------------------------------- */

/* As much of a title as a spreadsheet takes, between words, and what tells it from others that begin alike. */
static void sheets_are_named_by_titles(void **state) {
    (void) state;
    static const char *const titles[][2] = {
        {"Who took part", "01 Who took part"},
        {"Responsiveness scores (0 to 100)", "02 Responsiveness scores"},
        {"Responsiveness scores by field of work (0 to 100)", "03 \u2026scores by field of work"},
        {"Responsiveness scores by type of organisation", "04 \u2026scores by type of\u2026"},
        {"Differences: 04", "05 Differences \u2013 04"},
        {"Services that listen, act, and answer each other", "06 Services that listen, act\u2026"},
        {"Diff\u00e9rences\u00a0: \u00e2ge et/ou sexe [ans]\u202f?", "07 Diff\u00e9rences \u2013 \u00e2ge et-ou\u2026"},
        {"Was B\u00fcrger:innen sagen", "08 Was B\u00fcrger_innen sagen"},
        {"'*\\a:\tb?'", "09 \u2019-a \u2013 b\u2019"},
        {"*?", "10"},
        {"", "11"},
        {"Donaudampfschifffahrtsgesellschaft", "12 Donaudampfschifffahrtsgesel\u2026"},
        {"\U0001F600\U0001F600\U0001F600\U0001F600\U0001F600\U0001F600\U0001F600\U0001F600\U0001F600\U0001F600"
         "\U0001F600"
         "\U0001F600\U0001F600\U0001F600\U0001F600",
         "13 \U0001F600\U0001F600\U0001F600\U0001F600\U0001F600\U0001F600\U0001F600\U0001F600\U0001F600\U0001F600"
         "\U0001F600\U0001F600\U0001F600\u2026"},
        {"The same title for two of the tables", "14 The same title for two of\u2026"},
        {"The same title for two of the tables", "15 The same title for two of\u2026"},
        {"\xff\xfe broken", "16 \ufffd\ufffd broken"},
    };
    enum { N = sizeof titles / sizeof *titles };
    const char *given[N];
    rsp_arena *a = rsp_arena_new();
    for (size_t k = 0; k < N; k++) given[k] = titles[k][0];
    const char **names = rsp_book_sheet_names(a, given, N);
    for (size_t k = 0; k < N; k++) assert_string_equal(names[k], titles[k][1]);
    rsp_arena_free(a);
}

/* ---- bytes ------------------------------------------------------------------------------------------------------ */

static void same_bytes(struct world *w, const char *x, const char *y) {
    static const char *const files[] = {"index.html",
                                        "quality/quality.html",
                                        "tables/tables-all-en.xlsx",
                                        "tables/tables-all-pl.xlsx",
                                        "data/results.csv",
                                        "data/results.sqlite",
                                        "data/codebook.csv",
                                        "data/codebook.xml",
                                        "data/datapackage.json",
                                        "data/results.csv-metadata.json"};
    for (size_t k = 0; k < sizeof files / sizeof *files; k++) {
        char first[65], second[65];
        assert_true(rsp_hash_file(rsp_printf(w->a, "%s/%s/%s", here, x, files[k]), first));
        assert_true(rsp_hash_file(rsp_printf(w->a, "%s/%s/%s", here, y, files[k]), second));
        if (strcmp(first, second) != 0) fail_msg("%s differs between two runs", files[k]);
    }
}

static void bytes_do_not_depend_on_clock_zone_threads(void **state) {
    (void) state;
    struct world w;
    open_world(&w);
    rsp_threads_set(1);
    setenv("TZ", "Pacific/Kiritimati", 1);
    tzset();
    render(&w, "one");
    rsp_threads_set(4);
    setenv("TZ", "America/New_York", 1);
    tzset();
    sleep(1); /* a stamp of the clock, in seconds, would now be another */
    render(&w, "two");
    unsetenv("TZ");
    tzset();
    same_bytes(&w, "one", "two");
    close_world(&w);
}

/* ---- pages ------------------------------------------------------------------------------------------------------ */

static int xpath_count(xmlDocPtr doc, const char *expression) {
    xmlXPathContextPtr context = xmlXPathNewContext(doc);
    xmlXPathRegisterNs(context, BAD_CAST "d", BAD_CAST "ddi:codebook:2_5");
    xmlXPathObjectPtr found = xmlXPathEvalExpression(BAD_CAST expression, context);
    assert_non_null(found);
    int n = found->nodesetval ? found->nodesetval->nodeNr : 0;
    xmlXPathFreeObject(found);
    xmlXPathFreeContext(context);
    return n;
}

static void links_exist(struct world *w, xmlDocPtr doc, const char *page) {
    xmlXPathContextPtr context = xmlXPathNewContext(doc);
    xmlXPathObjectPtr found = xmlXPathEvalExpression(BAD_CAST "//@href | //@src", context);
    char *folder = rsp_printf(w->a, "%s/%s", w->p.dir, page);
    *strrchr(folder, '/') = 0;
    assert_true(found->nodesetval && found->nodesetval->nodeNr > 0);
    for (int k = 0; k < found->nodesetval->nodeNr; k++) {
        xmlChar *link = xmlNodeGetContent(found->nodesetval->nodeTab[k]);
        if (link[0] == '#') {
            assert_int_equal(xpath_count(doc, rsp_printf(w->a, "//*[@id='%s']", link + 1)), 1);
        } else if (strcmp((const char *) link, "manifest.json") != 0) { /* written when everything else is */
            int length = (int) strcspn((const char *) link, "#");
            if (access(rsp_printf(w->a, "%s/%.*s", folder, length, link), R_OK) != 0)
                fail_msg("%s: dead link %s", page, link);
        }
        xmlFree(link);
    }
    xmlXPathFreeObject(found);
    xmlXPathFreeContext(context);
}

static xmlDocPtr page_of(struct world *w, const char *name) {
    xmlDocPtr doc = htmlReadFile(rsp_path_join(w->a, w->p.dir, name), "UTF-8", HTML_PARSE_NOERROR | HTML_PARSE_NONET);
    assert_non_null(doc);
    return doc;
}

static void index_page_leads_everywhere(void **state) {
    (void) state;
    struct world w;
    open_world(&w);
    w.p.dir = rsp_printf(w.a, "%s/site", here);
    assert_true(rsp_make_dirs(rsp_path_join(w.a, w.p.dir, "charts"), w.d));
    const char *svg = "<svg width=\"640\" height=\"400\"><title>Less &amp; more</title><desc>From 1 \"low\" to "
                      "2</desc></svg>";
    assert_true(rsp_write_file(rsp_path_join(w.a, w.p.dir, "charts/poverty-all-en.svg"), svg, strlen(svg), w.d));
    assert_true(rsp_write_file(rsp_path_join(w.a, w.p.dir, "charts/poverty-NO-en.svg"), svg, strlen(svg), w.d));
    render(&w, "site");
    xmlDocPtr doc = page_of(&w, "index.html");
    links_exist(&w, doc, "index.html");
    assert_int_equal(xpath_count(doc, "//html[@lang='en']"), 1);
    assert_int_equal(xpath_count(doc, "//section[@lang]"), 2);
    assert_int_equal(xpath_count(doc, "//script"), 0);
    assert_int_equal(xpath_count(doc, "//img"), 2);
    assert_int_equal(xpath_count(doc, "//img[@alt='Less & more. From 1 \"low\" to 2' and @width='640']"), 2);
    assert_int_equal(xpath_count(doc, "//h3[contains(., 'Norway')]"), 1);
    assert_int_equal(xpath_count(doc, "//section[@lang='en']//ul[@class='badges']/li"), 2);
    assert_int_equal(xpath_count(doc, "//section[@lang='pl']//a[contains(@href, 'tables-all-pl.xlsx')]"), 1);
    xmlFreeDoc(doc);
    close_world(&w);
}

/* The explore page chooses among the published rows: all of them, in every language, and no other number. */
static void explore_holds_every_row(void **state) {
    (void) state;
    struct world w;
    open_world(&w);
    render(&w, "explore");
    xmlDocPtr doc = page_of(&w, "explore.html");
    links_exist(&w, doc, "explore.html");
    assert_int_equal(xpath_count(doc, "//label[@for = //select/@id or @for = //input/@id]"), 4);
    assert_int_equal(xpath_count(doc, "//*[@role='status']"), 1);
    xmlFreeDoc(doc);
    const char *text = read_file(&w, "explore-data.js"), *from = strchr(text, '{');
    json_t *all = json_loadb(from, strlen(from) - 2, 0, NULL); /* without ";\n" */
    assert_non_null(all);
    size_t n = 0, k;
    json_t *topic, *words = json_object_get(all, "words");
    json_array_foreach(json_object_get(all, "topics"), k, topic) {
        size_t first, to, j;
        json_t *row;
        assert_true(rsp_published_range(w.published, json_string_value(json_object_get(topic, "id")), &first, &to));
        assert_int_equal(json_array_size(json_object_get(topic, "rows")), to - first);
        json_array_foreach(json_object_get(topic, "rows"), j, row) {
            const rsp_published_row *r = rsp_published_at(w.published, first + j);
            double shown = json_number_value(json_array_get(row, 6));
            if (isnan(r->estimate)) assert_true(json_is_null(json_array_get(row, 6)));
            else assert_true(fabs(shown - r->estimate) <= 5e-7 * fabs(r->estimate));
            assert_string_equal(json_string_value(json_array_get(row, 10)), rsp_shorthand(r));
            size_t who = (size_t) json_integer_value(json_array_get(row, 1));
            json_t *labels = json_object_get(json_object_get(words, "en"), "labels");
            assert_string_equal(json_string_value(json_array_get(labels, who)), rsp_label_who(w.labels, w.a, r));
            n++;
        }
    }
    size_t own = 0;
    for (size_t i = 0; i < rsp_published_count(w.published); i++)
        own += rsp_label_find(w.labels, rsp_published_at(w.published, i)->analysis) != NULL;
    assert_int_equal(n, own);
    assert_int_equal(json_array_size(json_object_get(json_object_get(words, "en"), "labels")),
                     json_array_size(json_object_get(json_object_get(words, "pl"), "labels")));
    json_decref(all);
    close_world(&w);
}

static const rsp_cause CAUSES[] = {{RSP_CAUSE_DATA, "../somewhere/wvs.csv", "a", "b"},
                                   {RSP_CAUSE_DATA, "extra<1>.csv", NULL, "b"},
                                   {RSP_CAUSE_STUDY, "targets_gender.csv", "a", NULL},
                                   {RSP_CAUSE_PROGRAM, "", "0.1.0 (a)", "0.1.0 (b)"}};

static void changes_page_tells_them(struct world *w) {
    const char *text = read_file(w, "changes.html");
    xmlDocPtr doc = page_of(w, "changes.html");
    links_exist(w, doc, "changes.html");
    assert_int_equal(xpath_count(doc, "//section[@lang]"), 2);
    assert_int_equal(xpath_count(doc, "//table[not(caption)] | //script"), 0);
    assert_int_equal(xpath_count(doc, "//section[@lang='en']//h1"), 1);
    assert_int_equal(xpath_count(doc, "//section[@lang='en']/ul/li[.='Export with other content: wvs.csv']"), 1);
    assert_int_equal(xpath_count(doc, "//section[@lang='en']/ul/li[.='New export: extra<1>.csv']"), 1);
    assert_int_equal(
        xpath_count(doc, "//section[@lang='en']/ul/li[.='File of the study no longer there: targets_gender.csv']"), 1);
    assert_non_null(strstr(text, "Another version of the program: 0.1.0 (b), before 0.1.0 (a)"));
    assert_non_null(strstr(text, "More than the exports is new"));
    assert_null(strstr(text, "somewhere/")); /* folders of the machine are not published */
    assert_null(strstr(text, ">nan"));
    /* Before, now and the difference, from one pair of publications. */
    assert_int_equal(xpath_count(doc, "//section[@lang='en']//tr[th='All countries and groups']"
                                      "[td[1]='4,000'][td[2]='5,381'][td[3]='+1,381']"),
                     1);
    assert_int_equal(xpath_count(doc, "//section[@lang='en']//tr[th='Sweden \u00b7 Effective sample size']"
                                      "[td[1]='1,000'][td[2]='1,074']"),
                     1);
    assert_int_equal(xpath_count(doc, "//section[@lang='en']//tr[contains(th, 'Norway')][td[3]='2.0']"
                                      "[contains(td[3]/@style, '100.0%')]"),
                     1);
    assert_int_equal(xpath_count(doc, "//section[@lang='en']//tr[th='Norway'][td[1]='1'][td[4]='0']"), 1);
    assert_int_equal(xpath_count(doc, "//section[@lang='en']//tr[th='United States'][td[4]='1']"), 1);
    assert_int_equal(xpath_count(doc, "//section[@lang='en']//tr[contains(td[1], 'did not converge')][td[2]='0.730']"),
                     1);
    /* The verdict stands before marks. */
    assert_int_equal(xpath_count(doc, "//section[@lang='en']//tr[td[1]='Blocks'][td[2]='Enables in most countries']"
                                      "/following-sibling::tr[contains(td[1], 'did not converge')]"),
                     1);
    xmlFreeDoc(doc);
}

static void what_changed_has_a_page(void **state) {
    (void) state;
    struct world w, before;
    open_world(&w);
    open_world(&before);
    rsp_published_free(before.published);
    for (size_t i = 0; i < before.results->n; i++) {
        rsp_row *r = &before.results->rows[i];
        if (strcmp(r->analysis, "age") == 0 && strcmp(r->domain, "country=NO") == 0) r->estimate -= 2 * r->se;
        if (strcmp(r->analysis, "response") == 0 && strcmp(r->term, "kept") == 0) r->estimate = 4000;
        if (strcmp(r->statistic, "n_eff") == 0 && strcmp(r->domain, "country=SE") == 0) r->estimate = 1000;
        if (strcmp(r->statistic, "threshold") == 0) r->flags |= RSP_F_NOT_CONVERGED;
        if (strcmp(r->statistic, "verdict") == 0) r->level = "blocker";
    }
    add(&before, "age", "country=US", "poverty", "", "mean", 1, 1300);
    assert_non_null(before.published = rsp_disclose(before.study, before.results, NULL, false, before.d));
    rsp_published_free(w.published); /* verdicts on factors are given when the field is frozen */
    assert_non_null(w.p.results = w.published = rsp_disclose(w.study, w.results, NULL, false, w.d));
    rsp_changes *all = rsp_changes_find(before.published, w.published, w.a);
    all->causes = CAUSES;
    all->n_causes = sizeof CAUSES / sizeof *CAUSES;
    w.p.changes = all;
    render(&w, "changes");
    static const char *const pages[] = {"index.html", "changes.html"};
    for (size_t k = 0; k < 2; k++) {
        const char *page = read_file(&w, pages[k]);
        assert_non_null(strstr(page, "1 estimate moved by more than its standard error."));
        assert_non_null(strstr(page, "2 figures are marked or hidden otherwise than before."));
        assert_non_null(strstr(page, "1 figure is gone."));
        assert_non_null(strstr(page, "4,000 respondents were counted before, 5,381 are now."));
    }
    changes_page_tells_them(&w);
    close_world(&before);
    close_world(&w);
}

static void quality_page_accounts_for_all(void **state) {
    (void) state;
    struct world w;
    open_world(&w);
    render(&w, "quality");
    xmlDocPtr doc = page_of(&w, "quality/quality.html");
    const char *text = read_file(&w, "quality/quality.html");
    assert_non_null(strstr(text, "5,400 = 5,381 + 19"));
    assert_non_null(strstr(text, "&lt;b&gt;odd&lt;/b&gt; &amp; strange"));
    assert_null(strstr(text, "somewhere/")); /* folders of the machine are not published */
    assert_null(strstr(text, ">nan"));
    assert_int_equal(xpath_count(doc, "//section[@lang='en']//tr[th='Sweden'][td='1.2%']"),
                     2); /* the one target that is not met */
    assert_int_equal(xpath_count(doc, "//section[@lang='en']//tr[th='Low reliability'][td='1']"), 1);
    assert_int_equal(xpath_count(doc, "//table[not(caption)]"), 0);
    /* What is looked at first: the one warning, rows kept of those read, the target that is not met. */
    assert_non_null(strstr(text, "1 thing needs a look."));
    assert_int_equal(
        xpath_count(doc, "//section[@lang='en']//p[contains(@class,'alarm')]/following-sibling::*[1][self::ul]/li"), 1);
    assert_int_equal(xpath_count(doc, "//dl[@class='facts']/div[dt='Kept'][dd='5,381']"), 1);
    assert_non_null(strstr(text, "19 of 5,400 rows set aside (0.4%)"));
    assert_int_equal(xpath_count(doc, "//div[@class='alarm'][dd='1 target is missed']"), 1);
    assert_int_equal(xpath_count(doc, "//nav//a[@href='../methods/methods-en.pdf']"), 2);
    assert_int_equal(xpath_count(doc, "//nav//a[starts-with(@href,'#en-')]"), 6);
    assert_int_equal(xpath_count(doc, "//nav//a[starts-with(@href,'#')][not(substring(@href,2) = //h2/@id)]"),
                     4); /* two languages, each chosen above and named by its own page */
    links_exist(&w, doc, "quality/quality.html");
    xmlFreeDoc(doc);
    close_world(&w);
}

/* ---- open data -------------------------------------------------------------------------------------------------- */

static void metadata_describe_the_files(void **state) {
    (void) state;
    struct world w;
    open_world(&w);
    render(&w, "data");
    json_t *package = json_loads(read_file(&w, "data/datapackage.json"), 0, NULL);
    json_t *results = json_array_get(json_object_get(package, "resources"), 0);
    json_t *fields = json_object_get(json_object_get(results, "schema"), "fields");
    const char *csv = read_file(&w, "data/results.csv");
    assert_int_equal(json_integer_value(json_object_get(results, "bytes")), strlen(csv));
    rsp_buf heading = {0};
    for (size_t k = 0; k < json_array_size(fields); k++)
        rsp_buf_printf(&heading, "%s%s", k ? "," : "",
                       json_string_value(json_object_get(json_array_get(fields, k), "name")));
    assert_memory_equal(csv, heading.data, heading.length);
    assert_memory_equal(csv + heading.length, "\r\n", 2);
    rsp_buf_free(&heading);
    json_t *csvw = json_loads(read_file(&w, "data/results.csv-metadata.json"), 0, NULL);
    assert_int_equal(json_array_size(json_object_get(json_object_get(csvw, "tableSchema"), "columns")),
                     json_array_size(fields));
    json_decref(csvw);
    json_decref(package);
    close_world(&w);
}

static void codebook_holds_every_question(void **state) {
    (void) state;
    struct world w;
    open_world(&w);
    render(&w, "codebook");
    xmlDocPtr doc = xmlReadFile(rsp_path_join(w.a, w.p.dir, "data/codebook.xml"), NULL, XML_PARSE_NONET);
    assert_non_null(doc);
    int variables = 0;
    for (size_t k = 0; k < w.study->n_variables; k++) variables += rsp_in_codebook(&w.study->variables[k]);
    assert_int_equal(xpath_count(doc, "//d:var"), variables);
    assert_int_equal(xpath_count(doc, "//d:var[@name='poverty']/d:catgry"), 3);
    assert_int_equal(xpath_count(doc, "//d:var[@name='poverty']/d:labl[@xml:lang='pl']"), 1);
    assert_int_equal(xpath_count(doc, "//d:parTitl[@xml:lang='pl']"), 1);
    xmlFreeDoc(doc);
    const char *csv = read_file(&w, "data/codebook.csv");
    assert_non_null(strstr(csv, "\r\npoverty,too_much,choice,,,3,no,Too much,Za du\u017co\r\n"));
    close_world(&w);
}

/* ---- hostile texts ---------------------------------------------------------------------------------------------- */

static void texts_cannot_break_out(void **state) {
    (void) state;
    struct world w;
    open_world(&w);
    size_t v = rsp_study_variable(w.study, "poverty"), age = rsp_study_variable(w.study, "age");
    w.study->variables[v].label.wording[0].text = "=cmd|' /C calc'!A0 <script>alert(1)</script> \"&\x01\x1b[31m";
    w.study->variables[age].label.wording[0].text = "+1<i>";
    w.study->title.wording[0].text = "@SUM(1)</title><script>x</script>";
    for (size_t k = 0; k < w.study->variables[v].list->n; k++)
        w.study->variables[v].list->choices[k].label.wording[0].text = "-1+1"; /* three alike */
    render(&w, "hostile");
    assert_null(strstr(read_file(&w, "index.html"), "<script>"));
    assert_null(strstr(read_file(&w, "quality/quality.html"), "<script>"));
    xmlDocPtr doc =
        xmlReadFile(rsp_path_join(w.a, w.p.dir, "data/codebook.xml"), NULL, XML_PARSE_NONET | XML_PARSE_NOERROR);
    assert_non_null(doc);
    xmlFreeDoc(doc);
    FILE *f =
        numbers_of(rsp_path_join(w.a, w.p.dir, "tables/tables-all-en.xlsx")); /* asserts that there is no formula */
    char line[64];
    assert_non_null(fgets(line, sizeof line, f));
    while (fgets(line, sizeof line, f)) assert_true(strlen(line) > 0);
    assert_int_equal(pclose(f), 0);
    rsp_tab *t = rsp_tabulate(w.labels, w.published, "poverty", NULL, RSP_TAB_VALUES, w.a);
    for (size_t j = 0; j < t->n_columns; j++)
        for (size_t k = 0; k < j; k++) assert_string_not_equal(t->columns[j].title, t->columns[k].title);
    close_world(&w);
}

/* ---- the terminal ----------------------------------------------------------------------------------------------- */

static size_t columns_of(const char *line) {
    size_t n = 0;
    for (; *line && *line != '\n'; line++) n += ((unsigned char) *line & 0xc0) != 0x80;
    return n;
}

static void show_fits_the_window(void **state) {
    (void) state;
    struct world w;
    open_world(&w);
    size_t age = rsp_study_variable(w.study, "age");
    w.study->variables[age].label.wording[0].text = "Age\x1b[31m in years";
    for (size_t width = 40; width <= 140; width += 20) {
        char *text = NULL, *save = NULL;
        size_t size = 0;
        FILE *f = open_memstream(&text, &size);
        rsp_show(w.study, w.published, "poverty", "en", width, f, w.d);
        rsp_show(w.study, w.published, "age", "pl", width, f, w.d);
        rsp_show(w.study, w.published, "agree_logistic", "en", width, f, w.d);
        fclose(f);
        assert_non_null(strstr(text, "50.5%"));
        assert_non_null(strstr(text, "\u2588"));
        assert_null(strchr(text, '\x1b'));
        for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
            assert_in_range(columns_of(line), 0, width);
        free(text);
    }
    close_world(&w);
}

static char *shown(struct world *w, const char *analysis, const char *lang, const char *wish, const char *run) {
    char *text = NULL;
    size_t size = 0;
    FILE *f = open_memstream(&text, &size);
    if (run) rsp_show_run(run, w->published, analysis, lang, wish, 100, f, w->d);
    else rsp_show(w->study, w->published, analysis, lang, 100, f, w->d);
    fclose(f);
    return text;
}

/* A publication carries its words: what it shows without the study is what the study shows, the engine's own rows too. */
static void show_needs_no_study(void **state) {
    (void) state;
    static const char *const ids[] = {"poverty", "age", "agree_logistic", "response", "weights"};
    static const char *const langs[] = {"en", "pl"};
    struct world w;
    open_world(&w);
    render(&w, "explore");
    size_t messages = rsp_diag_count(w.d);
    for (size_t k = 0; k < sizeof ids / sizeof *ids; k++)
        for (size_t j = 0; j < 2; j++) {
            char *by_study = shown(&w, ids[k], langs[j], NULL, NULL),
                 *by_run = shown(&w, ids[k], NULL, langs[j], w.p.dir);
            assert_true(strlen(by_study) > 30);
            assert_string_equal(by_run, by_study);
            free(by_study);
            free(by_run);
        }
    char *first = shown(&w, "poverty", NULL, "fr", w.p.dir), *english = shown(&w, "poverty", "en", NULL, NULL);
    assert_true(strlen(english) > 100);
    assert_string_equal(first, english);
    free(first);
    free(english);
    assert_int_equal(rsp_diag_count(w.d), messages);
    close_world(&w);
}

/* Words that do not fit the rows, or no words at all: a message with the way out, no half-spoken table. */
static void show_trusts_no_file(void **state) {
    (void) state;
    static const struct {
        const char *change, *lang, *message;
    } cases[] = {
        {"s/\"topics\"/\"tropics\"/", NULL, "rows and words do not match"},
        {"s/\"labels\":\\[\"[^\"]*\",/\"labels\":[7,/", NULL, "rows and words do not match"},
        {"s/\"measures\"/\"measured\"/g", NULL, "rows and words do not match"},
        /* ways to show a number that do not exist, one of which the same bits of 32 as one that does */
        {"s/\\(\\[\"\",[0-9]*,[0-9]*,[0-9]*,[0-9]*\\),[0-9],/\\1,6,/g", NULL, "rows and words do not match"},
        {"s/\\(\\[\"\",[0-9]*,[0-9]*,[0-9]*,[0-9]*\\),[0-9],/\\1,-1,/g", NULL, "rows and words do not match"},
        {"s/\\(\\[\"\",[0-9]*,[0-9]*,[0-9]*,[0-9]*\\),[0-9],/\\1,4294967297,/g", NULL, "rows and words do not match"},
        {"s/const EXPLORE = .*/const EXPLORE = {};/", NULL, "no language"},
        {"s/const EXPLORE = .*/const EXPLORE = {\"languages\": [\"en\"/", NULL, "cannot be read"},
        {"s/.*//", NULL, "no data"},
        {"s/x/x/", "fr", "does not speak 'fr'"},
    };
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        struct world w;
        char command[512];
        open_world(&w);
        render(&w, "explore");
        snprintf(command, sizeof command, "sed -i '%s' %s/explore-data.js", cases[k].change, w.p.dir);
        assert_int_equal(system(command), 0);
        size_t before = rsp_diag_count(w.d), said = 0;
        char *text = shown(&w, "poverty", cases[k].lang, NULL, w.p.dir);
        assert_string_equal(text, "");
        assert_int_equal(rsp_diag_count(w.d), before + 1);
        for (size_t j = 0; j <= before; j++) said += strstr(rsp_diag_at(w.d, j)->message, cases[k].message) != NULL;
        if (said != 1) fail_msg("no message says: %s", cases[k].message);
        free(text);
        close_world(&w);
    }
}

static int make_scratch(void **state) {
    (void) state;
    strcpy(here, "/tmp/responsive-pages-XXXXXX");
    return mkdtemp(here) ? 0 : 1;
}

static int remove_scratch(void **state) {
    (void) state;
    return sh("rm -rf '%s'", here);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(domains_are_said_in_words),
        cmocka_unit_test(terms_are_said_in_words),
        cmocka_unit_test(differences_know_their_sides),
        cmocka_unit_test(estimates_carry_their_marks),
        cmocka_unit_test(shares_stand_side_by_side),
        cmocka_unit_test(a_country_sees_itself_and_all),
        cmocka_unit_test(letters_tell_significant_differences),
        cmocka_unit_test(hidden_cells_stay_hidden),
        cmocka_unit_test(workbook_equals_results),
        cmocka_unit_test(sheets_are_named_by_titles),
        cmocka_unit_test(bytes_do_not_depend_on_clock_zone_threads),
        cmocka_unit_test(index_page_leads_everywhere),
        cmocka_unit_test(explore_holds_every_row),
        cmocka_unit_test(what_changed_has_a_page),
        cmocka_unit_test(quality_page_accounts_for_all),
        cmocka_unit_test(metadata_describe_the_files),
        cmocka_unit_test(codebook_holds_every_question),
        cmocka_unit_test(texts_cannot_break_out),
        cmocka_unit_test(show_fits_the_window),
        cmocka_unit_test(show_needs_no_study),
        cmocka_unit_test(show_trusts_no_file),
    };
    return cmocka_run_group_tests(tests, make_scratch, remove_scratch);
}
