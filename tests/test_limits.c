/* Every limit of responsive/limits.h is an error that says what and where; none is a crash, a hang or a full memory. */
#include "responsive/limits.h"

#include "responsive/formula.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "made_up.h"

enum { ROWS = 3000, ITEMS = 120 };

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
    alarm(120);
    go(d);
    alarm(0);
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
    rsp_buf_puts(&b, "factors: [{id: f, model: \"x =~ q0");
    for (int k = 0; k <= RSP_MOST_PARAMETERS; k++) rsp_buf_printf(&b, " + v%d", k);
    rsp_buf_puts(&b, "\"}]\n");
    expect(b.data, RSP_ERR_STUDY, "more than 20000 parameters");
    rsp_buf_free(&b);
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
    expect("derive:\n  - {name: c1, from: id, cut: [1], codes: [a, b]}\n"
           "tables: [{id: t, items: [y], statistic: mean, by: [[q0, q1, q2, q3, q4, q5, q6, q7, q8, q9]]}]\n",
           RSP_ERR_STUDY, "more than 20000 groups");
    rsp_buf_puts(&b, "tests: [{id: t, kind: rao_scott, rows: q0, columns: many}]\n"
                     "tables: [{id: u, items: [y], statistic: mean, by: [[many]], compare: yes}]\n"
                     "derive: [{name: many, from: id, cut: [");
    for (int k = 1; k < 70; k++) rsp_buf_printf(&b, "%s%d", k > 1 ? ", " : "", 40 * k);
    rsp_buf_puts(&b, "], codes: [");
    for (int k = 0; k < 70; k++) rsp_buf_printf(&b, "%sk%d", k ? ", " : "", k);
    rsp_buf_puts(&b, "]}]\n");
    expect(b.data, RSP_ERR_STUDY, "more than 200 cells");
    expect(b.data, RSP_ERR_STUDY, "too many to compare");
    rsp_buf_free(&b);
}

static int set_up(void **state) {
    if (make_folder(state) != 0) return -1;
    put_folder();
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(study_file), cmocka_unit_test(expressions),
                                       cmocka_unit_test(formulas),   cmocka_unit_test(sheets),
                                       cmocka_unit_test(exports),    cmocka_unit_test(analyses)};
    return cmocka_run_group_tests(tests, set_up, remove_folder);
}
