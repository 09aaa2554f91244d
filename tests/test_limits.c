/* Every limit of responsive/limits.h is an error that says what and where; none is a crash, a hang or a full memory. */
#include "responsive/limits.h"

#include "responsive/formula.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <zip.h>

#include <cmocka.h>

#include "made_up.h"
#include "render/message.h"
#include "shell.h"

enum { ROWS = 3000, ITEMS = 120 };

_Static_assert(RSP_MOST_CROSSED == 8 && RSP_MOST_FORMULA_TERMS == 4096 && RSP_MOST_DOMAINS == 20000 &&
                   RSP_MOST_LEVELS == 2000 && RSP_MOST_TOTALS == 1048576 && RSP_MOST_COMPARED == 64 &&
                   RSP_MOST_TEST_CELLS == 200 && RSP_MOST_COEFFICIENTS == 2000 && RSP_MOST_CORRELATED == 18,
               "studies and messages below are made for these");

static const char head[] = "study: limits\ntitle: Limits\nlanguages: [en]\n"
                           "instrument: {survey: survey.csv, choices: choices.csv}\ndisclosure: off\n";

static void repeat(rsp_buf *b, const char *text, size_t n) {
    for (size_t k = 0; k < n; k++) rsp_buf_puts(b, text);
}

/* An identifier, a number with many values, and items with three answers each. */
static void put_folder(void) {
    rsp_buf b = {0};
    rsp_rng r;
    rsp_rng_init(&r, 1, 1);
    rsp_buf_puts(&b, "type,name,label,measure\ninteger,id,Id,\ninteger,big,Big,\nselect_one l,y,Y,interval\n");
    for (int k = 0; k < ITEMS; k++) rsp_buf_printf(&b, "select_one l,q%d,Item,ordinal\n", k);
    put("survey.csv", b.data);
    put("choices.csv", "list_name,name,label\nl,a,A\nl,b,B\nl,c,C\n");
    rsp_buf_free(&b);
    rsp_buf_puts(&b, "id,big,y");
    for (int k = 0; k < ITEMS; k++) rsp_buf_printf(&b, ",q%d", k);
    for (int i = 0; i < ROWS; i++) {
        rsp_buf_printf(&b, "\n%d,%d,%c", i, i * 7, "abc"[rsp_rng_below(&r, 3)]);
        for (int k = 0; k < ITEMS; k++) rsp_buf_printf(&b, ",%c", "abc"[rsp_rng_below(&r, 3)]);
    }
    put("data.csv", b.data);
    rsp_buf_free(&b);
}

static bool said(rsp_diag *d, rsp_class class, const char *text) {
    for (size_t k = 0; k < rsp_diag_count(d); k++) {
        const rsp_diagnostic *e = rsp_diag_at(d, k);
        if (e->class == class && strstr(e->message, text) && e->loc.file) return true;
    }
    rsp_diag_print(d, stderr, false, 5);
    return false;
}

/* As far as it goes: loaded, read, cleaned, weighted, analysed. */
static void go(rsp_diag *d) {
    rsp_study *s = rsp_study_load(folder, d);
    rsp_frame *f = s ? rsp_intake(s, d) : NULL;
    rsp_clean_log *log = f && !rsp_diag_errors(d) ? rsp_clean(f, d) : NULL;
    rsp_sample *sample = log ? rsp_sample_new(f, d) : NULL;
    rsp_results *r = rsp_results_new();
    for (size_t k = 0; sample && k < s->n_analyses; k++) rsp_analyse(sample, &s->analyses[k], r, d);
    rsp_results_free(r);
    rsp_sample_free(sample);
    rsp_clean_log_free(log);
    rsp_frame_free(f);
    rsp_study_free(s);
}

static void expect(const char *tail, rsp_class class, const char *says) {
    rsp_buf b = {0};
    rsp_diag *d = rsp_diag_new();
    rsp_buf_printf(&b, "%ssources: [{files: data.csv, format: csv}]\n%s", head, tail);
    put("study.yaml", b.data);
    limit_seconds(120);
    go(d);
    limit_seconds(0);
    if (!said(d, class, says)) fail_msg("nothing says: %s", says);
    rsp_diag_free(d);
    rsp_buf_free(&b);
}

static void study_file(void **state) {
    rsp_buf b = {0};
    (void) state;
    rsp_buf_puts(&b, "keep: ");
    repeat(&b, "[", RSP_MOST_YAML_DEPTH + 1);
    expect(b.data, RSP_ERR_STUDY, "nested deeper than 64 levels");
    rsp_buf_free(&b);
    rsp_buf_puts(&b, "#");
    repeat(&b, "0123456789abcdef", RSP_MOST_YAML_BYTES / 16);
    expect(b.data, RSP_ERR_STUDY, "larger than 16 MiB");
    rsp_buf_free(&b);
    /* Nine in nine in nine ...: the aliases of a few lines stand for more than RSP_MOST_YAML_VALUES. */
    rsp_buf_puts(&b, "labels:\n  - &a0 [x, x, x, x, x, x, x, x, x]\n");
    for (int k = 1; k < 9; k++) {
        rsp_buf_printf(&b, "  - &a%d [", k);
        for (int j = 0; j < 9; j++) rsp_buf_printf(&b, "%s*a%d", j ? ", " : "", k - 1);
        rsp_buf_puts(&b, "]\n");
    }
    expect(b.data, RSP_ERR_STUDY, "aliases make the file too large");
    rsp_buf_free(&b);
    rsp_buf_puts(&b, "clean:\n");
    for (int k = 0; k <= RSP_MOST_RULES; k++) rsp_buf_printf(&b, "  - {id: r%d, drop: \"${id} < 0\"}\n", k);
    expect(b.data, RSP_ERR_STUDY, "more than 64 cleaning rules");
    rsp_buf_free(&b);
    expect("weighting: {scale: sample, rake: [{margin: q0:q1:q2:q3:q4:q5:q6:q7:q8, targets: data.csv}]}\n",
           RSP_ERR_STUDY, "crosses more than 8 variables");
}

static void expressions(void **state) {
    rsp_buf b = {0};
    (void) state;
    rsp_buf_puts(&b, "derive: [{name: z, expr: \"");
    repeat(&b, "(", RSP_MOST_EXPR_DEPTH + 1);
    rsp_buf_puts(&b, "\"}]\n");
    expect(b.data, RSP_ERR_STUDY, "nested deeper than 200");
    rsp_buf_free(&b);
    rsp_buf_puts(&b, "derive: [{name: z, expr: \"1");
    repeat(&b, "+1", RSP_MOST_EXPR_PARTS);
    rsp_buf_puts(&b, "\"}]\n");
    expect(b.data, RSP_ERR_STUDY, "more than 5000 parts");
    rsp_buf_free(&b);
}

static void formulas(void **state) {
    rsp_buf b = {0};
    (void) state;
    rsp_buf_puts(&b, "models: [{id: m, kind: linear, formula: \"y ~ ");
    repeat(&b, "(", RSP_MOST_FORMULA_DEPTH * 6 + 1);
    rsp_buf_puts(&b, "\"}]\n");
    expect(b.data, RSP_ERR_STUDY, "nested deeper than 200");
    rsp_buf_free(&b);
    rsp_buf_puts(&b, "models: [{id: m, kind: linear, formula: \"y ~ id");
    repeat(&b, "+id", RSP_MOST_FORMULA_PARTS);
    rsp_buf_puts(&b, "\"}]\n");
    expect(b.data, RSP_ERR_STUDY, "more than 5000 parts");
    rsp_buf_free(&b);
    rsp_buf_puts(&b, "models: [{id: m, kind: linear, formula: \"y ~ (id");
    for (int k = 0; k < 20; k++) rsp_buf_printf(&b, "+q%d", k);
    rsp_buf_puts(&b, ")^9\"}]\n");
    expect(b.data, RSP_ERR_STUDY, "more than 4096 terms");
    rsp_buf_free(&b);
    rsp_buf_puts(&b, "models: [{id: m, kind: linear, formula: \"y ~ w0");
    for (int k = 1; k <= RSP_MOST_FORMULA_VARIABLES; k++) rsp_buf_printf(&b, "+w%d", k);
    rsp_buf_puts(&b, "\"}]\n");
    expect(b.data, RSP_ERR_STUDY, "more than 512 variables");
    rsp_buf_free(&b);
    rsp_buf_puts(&b, "factors: [{id: f, model: \"x =~ w0");
    for (int k = 1; k <= RSP_MOST_ITEMS; k++) rsp_buf_printf(&b, " + w%d", k);
    rsp_buf_puts(&b, "\"}]\n");
    expect(b.data, RSP_ERR_STUDY, "at most 500 are fitted");
    rsp_buf_free(&b);
    rsp_buf_puts(&b, "factors: [{id: f, model: \"x =~ q0");
    for (int k = 0; k <= RSP_MOST_PARAMETERS; k++) rsp_buf_printf(&b, " + v%d", k);
    rsp_buf_puts(&b, "\"}]\n");
    expect(b.data, RSP_ERR_STUDY, "more than 20000 parameters");
    rsp_buf_free(&b);
}

/* Names, words, variables: what a study holds beside analyses. */
static void words_and_names(void **state) {
    rsp_buf b = {0};
    (void) state;
    rsp_buf_puts(&b, "derive: [{name: v, label: \"");
    repeat(&b, "word ", RSP_MOST_WORDING_BYTES / 5 + 1);
    rsp_buf_puts(&b, "\", expr: \"${id}\"}]\n");
    expect(b.data, RSP_ERR_STUDY, "labels have at most 20000");
    rsp_buf_free(&b);
    rsp_buf_puts(&b, "derive: [{name: ");
    repeat(&b, "v", RSP_MOST_NAME_BYTES + 1);
    rsp_buf_puts(&b, ", expr: \"${id}\"}]\n");
    expect(b.data, RSP_ERR_STUDY, "cannot be a name");
    rsp_buf_free(&b);
    rsp_buf_puts(&b, "derive:\n");
    for (int k = 0; k <= RSP_MOST_DERIVED; k++) rsp_buf_printf(&b, "  - {name: v%d, expr: \"${id}\"}\n", k);
    expect(b.data, RSP_ERR_STUDY, "more than 10000 derived variables");
    rsp_buf_free(&b);
    rsp_buf_puts(&b, "type,name,label\n");
    for (int k = 0; k <= RSP_MOST_VARIABLES; k++) rsp_buf_printf(&b, "integer,v%d,V\n", k);
    put("survey.csv", b.data);
    expect("", RSP_ERR_STUDY, "more than 65535 variables");
    rsp_buf_free(&b);
    rsp_buf_puts(&b, "type,name,label\ninteger,id,\"");
    repeat(&b, "word ", RSP_MOST_WORDING_BYTES / 5 + 1);
    rsp_buf_puts(&b, "\"\n");
    put("survey.csv", b.data);
    expect("", RSP_ERR_STUDY, "labels have at most 20000");
    rsp_buf_free(&b);
    put_folder();
    rsp_buf_puts(&b, "list_name,name,label\nl,");
    repeat(&b, "c", RSP_MOST_NAME_BYTES + 1);
    rsp_buf_puts(&b, ",C\n");
    put("choices.csv", b.data);
    expect("", RSP_ERR_STUDY, "cannot be a code");
    rsp_buf_free(&b);
    put_folder();
}

/* A longest chain of derivations, each made of the next: in order, and back, in finite time and stack. */
static void derivations_in_a_chain(void **state) {
    rsp_buf b = {0};
    rsp_diag *d = rsp_diag_new();
    (void) state;
    rsp_buf_printf(&b, "%ssources: [{files: data.csv, format: csv}]\nderive:\n", head);
    for (int k = 0; k + 1 < RSP_MOST_DERIVED; k++)
        rsp_buf_printf(&b, "  - {name: v%d, type: integer, expr: \"${v%d}\"}\n", k, k + 1);
    rsp_buf_printf(&b, "  - {name: v%d, type: integer, expr: \"${id}\"}\n", RSP_MOST_DERIVED - 1);
    put("study.yaml", b.data);
    limit_seconds(120);
    rsp_study *s = rsp_study_load(folder, d);
    limit_seconds(0);
    if (!s) rsp_diag_print(d, stderr, false, 5);
    assert_non_null(s);
    rsp_study_free(s);
    rsp_diag_free(d);
    rsp_buf_free(&b);
}

static void page_texts(void **state) {
    rsp_buf b = {0};
    rsp_diag *d = rsp_diag_new();
    rsp_arena *a = rsp_arena_new();
    (void) state;
    for (int k = 0; k <= RSP_MOST_MESSAGE_DEPTH; k++) rsp_buf_puts(&b, "{n, plural, other {");
    assert_null(rsp_msg_compile(a, NULL, b.data, (rsp_loc){"texts.yaml", 1, 1}, d));
    assert_true(said(d, RSP_ERR_STUDY, "nested too deeply"));
    rsp_buf_free(&b);
    repeat(&b, "x", RSP_MOST_MESSAGE_BYTES + 1);
    assert_null(rsp_msg_compile(a, NULL, b.data, (rsp_loc){"texts.yaml", 1, 1}, d));
    assert_true(said(d, RSP_ERR_STUDY, "longer than a page"));
    rsp_buf_free(&b);
    rsp_arena_free(a);
    rsp_diag_free(d);
}

static void sheets(void **state) {
    rsp_buf b = {0};
    (void) state;
    rsp_buf_puts(&b, "type,name");
    repeat(&b, ",", RSP_MOST_SHEET_COLUMNS);
    put("survey.csv", b.data);
    expect("", RSP_ERR_STUDY, "more than 1000 columns");
    rsp_buf_free(&b);
    rsp_buf_puts(&b, "type,name,label\n");
    for (int k = 0; k <= RSP_MOST_GROUP_DEPTH; k++) rsp_buf_printf(&b, "begin_group,g%d,G\n", k);
    put("survey.csv", b.data);
    expect("", RSP_ERR_STUDY, "nested deeper than 32");
    rsp_buf_free(&b);
    repeat(&b, "integer,v,0123456789abcdef0123456789abcdef0123456789abcdef0123\n", RSP_MOST_SHEET_BYTES / 62 + 1);
    put("survey.csv", b.data);
    expect("", RSP_ERR_STUDY, "larger than 64 MiB");
    rsp_buf_free(&b);
    put_folder();
}

static void exports(void **state) {
    rsp_buf b = {0};
    (void) state;
    rsp_buf_puts(&b, "id");
    repeat(&b, ",", RSP_MOST_COLUMNS);
    rsp_buf_puts(&b, "\n1\n");
    put("data.csv", b.data);
    expect("", RSP_ERR_DATA, "at most 65535 are read");
    rsp_buf_free(&b);
    rsp_buf_puts(&b, "id,y\n");
    for (int k = 0; k < RSP_MOST_UNCLOSED + 10; k++) {
        rsp_buf_printf(&b, "%d,\"", k);
        repeat(&b, "0123456789abcdef", RSP_MOST_CELL_BYTES / 16 / RSP_MOST_UNCLOSED * 4);
        rsp_buf_puts(&b, "\n");
    }
    put("data.csv", b.data);
    rsp_diag *d = rsp_diag_new(); /* said of the first, and no cell swallows the rest of the file */
    go(d);
    assert_true(rsp_diag_count(d) > 0);
    rsp_diag_free(d);
    rsp_buf_free(&b);
    put_folder();
}

/* Sources that are too many, or too large: sparse, so that they take no room. */
static void files(void **state) {
    (void) state;
    char path[128];
    snprintf(path, sizeof path, "%s/data.csv", folder);
    assert_int_equal(truncate(path, ((off_t) RSP_MOST_FILE_GIB << 30) + 1), 0);
    expect("", RSP_ERR_DATA, "larger than 8 GiB");
    put_folder();
    assert_int_equal(sh("mkdir %s/many && touch %s/many/0.csv", folder, folder), 0);
    for (int k = 1; k <= RSP_MOST_FILES; k++) {
        char to[128];
        snprintf(to, sizeof to, "%s/many/%d.csv", folder, k);
        int fd = creat(to, 0600);
        assert_true(fd >= 0);
        close(fd);
    }
    rsp_buf b = {0};
    rsp_diag *d = rsp_diag_new();
    rsp_buf_printf(&b, "%ssources: [{files: \"many/*.csv\", format: csv}]\n", head);
    put("study.yaml", b.data);
    limit_seconds(120);
    go(d);
    limit_seconds(0);
    assert_true(said(d, RSP_ERR_DATA, "65536 files are more than can be read"));
    rsp_diag_free(d);
    rsp_buf_free(&b);
    assert_int_equal(sh("rm -r %s/many", folder), 0);
}

/* data.csv as an OpenDocument workbook of this content: formats are known by their bytes. */
static void put_workbook(const char *content, size_t length) {
    char path[128];
    snprintf(path, sizeof path, "%s/data.csv", folder);
    zip_t *zip = zip_open(path, ZIP_CREATE | ZIP_TRUNCATE, NULL);
    assert_non_null(zip);
    zip_file_add(zip, "content.xml", zip_source_buffer(zip, content, length, 0), ZIP_FL_ENC_UTF_8);
    assert_int_equal(zip_close(zip), 0);
}

#define ODS(inside) "<d xmlns:table=\"t\" xmlns:text=\"x\"><table:table table:name=\"a\">" inside "</table:table></d>"
#define ODS_CELL "<table:table-cell><text:p>x</text:p></table:table-cell>"

static void expect_workbook(const char *content, size_t length, const char *says) {
    put_workbook(content, length);
    rsp_diag *d = rsp_diag_new();
    rsp_buf b = {0};
    rsp_buf_printf(&b, "%ssources: [{files: data.csv}]\n", head);
    put("study.yaml", b.data);
    limit_seconds(120);
    go(d);
    limit_seconds(0);
    if (!said(d, RSP_ERR_DATA, says)) fail_msg("nothing says: %s", says);
    rsp_diag_free(d);
    rsp_buf_free(&b);
}

/* Bombs: a few bytes that stand for more columns, cells or bytes than RSP_MOST_GRID_COLUMNS, RSP_MOST_GRID_CELLS and
 * RSP_MOST_INFLATED allow. */
static void workbooks(void **state) {
    static const char wide[] = ODS(
        "<table:table-row><table:table-cell table:number-columns-repeated=\"16384\"/>" ODS_CELL "</table:table-row>"),
                      many[] = ODS("<table:table-row table:number-rows-repeated=\"1048576\"><table:table-cell "
                                   "table:number-columns-repeated=\"64\"><text:p>x</text:p></table:table-cell>"
                                   "</table:table-row>"),
                      entities[] = "<!DOCTYPE d [<!ENTITY a \"ha\"><!ENTITY b \"&a;&a;&a;&a;\">]><d>&b;</d>";
    rsp_buf b = {0};
    (void) state;
    expect_workbook(wide, sizeof wide - 1, "more than can be read");
    expect_workbook(many, sizeof many - 1, "more than can be read");
    expect_workbook(entities, sizeof entities - 1, "declares a document type");
    repeat(&b, "<d>", RSP_MOST_XML_DEPTH + 2);
    repeat(&b, "</d>", RSP_MOST_XML_DEPTH + 2);
    expect_workbook(b.data, b.length, "damaged");
    rsp_buf_free(&b);
#ifdef __SANITIZE_ADDRESS__
    put_folder();
    return; /* a gigabyte, and its shadow */
#endif
    rsp_buf_reserve(&b, (size_t) RSP_MOST_INFLATED + 4096);
    rsp_buf_puts(&b, "<d xmlns:table=\"t\" xmlns:text=\"x\"><table:table table:name=\"a\">");
    char *from = b.data + b.length;
    memset(from, ' ',
           RSP_MOST_INFLATED); /* comments, as one text node of a gigabyte is refused by the parser already */
    for (size_t k = 0; k + 4096 <= RSP_MOST_INFLATED; k += 4096) {
        memcpy(from + k, "<!--", 4);
        memcpy(from + k + 4093, "-->", 3);
    }
    b.length += RSP_MOST_INFLATED;
    b.data[b.length] = '\0';
    rsp_buf_puts(&b, "</table:table></d>");
    expect_workbook(b.data, b.length, "more than can be read");
    rsp_buf_free(&b);
    put_folder();
}

static void analyses(void **state) {
    rsp_buf b = {0};
    (void) state;
    expect("models: [{id: m, kind: linear, formula: \"y ~ factor(id)\"}]\n", RSP_ERR_STUDY,
           "more than 2000 coefficients");
    expect("models: [{id: m, kind: multinomial, formula: \"q0 ~ factor(id)\"}]\n", RSP_ERR_STUDY,
           "more than 2000 coefficients");
    expect("models: [{id: m, kind: linear, formula: \"y ~ q0*q1*q2*q3*q4*q5*q6*q7*q8*q9*q10*q11\"}]\n", RSP_ERR_STUDY,
           "more than");
    rsp_buf_puts(&b, "factors: [{id: f, estimator: wlsmv, ordered: all, model: \"x =~ q0");
    for (int k = 1; k <= RSP_MOST_ORDERED; k++) rsp_buf_printf(&b, " + q%d", k);
    rsp_buf_puts(&b, "\"}]\n");
    expect(b.data, RSP_ERR_STUDY, "at most 100 are fitted by limited information");
    rsp_buf_free(&b);
    rsp_buf_puts(&b,
                 "reports: {charts: [{analysis: c, kind: heatmap}]}\nfactors: [{id: c, kind: correlations, items: [y");
    for (int k = 0; k < RSP_MOST_CORRELATED; k++) rsp_buf_printf(&b, ", q%d", k);
    rsp_buf_puts(&b, "]}]\n");
    expect(b.data, RSP_ERR_STUDY, "correlations of at most 18 items, 'c' has 19");
    rsp_buf_free(&b);
    expect("derive:\n  - {name: c1, from: id, cut: [1], codes: [a, b]}\n"
           "tables: [{id: t, items: [y], statistic: mean, by: [[q0, q1, q2, q3, q4, q5, q6, q7, q8, q9]]}]\n",
           RSP_ERR_STUDY, "more than 20000 groups");
    expect("tables: [{id: t, items: [id], statistic: proportion}]\n", RSP_ERR_STUDY, "shares are made of 2000 at most");
    rsp_buf_puts(&b,
                 "tests: [{id: t, kind: rao_scott, rows: q0, columns: many}]\n"
                 "tables: [{id: u, items: [y], statistic: mean, by: [[many]], compare: yes}, {id: w, items: [many], "
                 "statistic: proportion, by: [[q0, q1, q2, q3, q4, q5, q6, q7, q8]]}]\n"
                 "derive: [{name: many, from: id, cut: [");
    for (int k = 1; k < 70; k++) rsp_buf_printf(&b, "%s%d", k > 1 ? ", " : "", 40 * k);
    rsp_buf_puts(&b, "], codes: [");
    for (int k = 0; k < 70; k++) rsp_buf_printf(&b, "%sk%d", k ? ", " : "", k);
    rsp_buf_puts(&b, "]}]\n");
    expect(b.data, RSP_ERR_STUDY, "more than 200 cells");
    expect(b.data, RSP_ERR_STUDY, "too many to compare");
    expect(b.data, RSP_ERR_STUDY, "makes more than 1048576 cells");
    rsp_buf_free(&b);
}

static int set_up(void **state) {
    if (make_folder(state) != 0) return -1;
    put_folder();
    return 0;
}

/* The table of limits and these tests belong together: a limit that no test names is one that nobody has seen work.
 * RSP_MOST_CASE_CELLS would take a statistics file of a gigabyte. */
static void every_limit_is_tested(void **state) {
    (void) state;
    rsp_diag *d = rsp_diag_new();
    rsp_buf limits = {0}, tests = {0};
    size_t n = 0;
    assert_true(rsp_read_file("include/responsive/limits.h", &limits, d, RSP_ERR_DATA, RSP_NOWHERE));
    assert_true(rsp_read_file("tests/test_limits.c", &tests, d, RSP_ERR_DATA, RSP_NOWHERE));
    for (const char *at = limits.data; (at = strstr(at, "    RSP_MOST_"));) {
        char name[64];
        size_t length = strcspn(at += 4, " ,=\n");
        snprintf(name, sizeof name, "%.*s", (int) length, at);
        if (!strstr(tests.data, name)) fail_msg("%s: no test names it", name);
        n++;
    }
    assert_true(n > 30);
    rsp_buf_free(&limits);
    rsp_buf_free(&tests);
    rsp_diag_free(d);
}

/* Depth of the stack: every function of the library that calls itself is listed with what ends it. */
static void every_recursion_has_an_end(void **state) {
    (void) state;
#ifdef __SANITIZE_ADDRESS__
    skip(); /* other calls stand in its code; the plain build is looked at */
#endif
    assert_int_equal(sh("python3 tests/recursion.py %s/libresponsive.a tests/recursion.txt", build_folder()), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(study_file),
                                       cmocka_unit_test(expressions),
                                       cmocka_unit_test(formulas),
                                       cmocka_unit_test(words_and_names),
                                       cmocka_unit_test(derivations_in_a_chain),
                                       cmocka_unit_test(page_texts),
                                       cmocka_unit_test(sheets),
                                       cmocka_unit_test(exports),
                                       cmocka_unit_test(files),
                                       cmocka_unit_test(workbooks),
                                       cmocka_unit_test(analyses),
                                       cmocka_unit_test(every_limit_is_tested),
                                       cmocka_unit_test(every_recursion_has_an_end)};
    return cmocka_run_group_tests(tests, set_up, remove_folder);
}
