/* Multiple imputation: pooling against R's mice on fixed data sets, recovery of known values when answers are missing at
 * random, and what must not change: answers given, threads, what was not asked. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "made_up.h"

#include "model/impute.h"

/* ---- against mice ----------------------------------------------------------------------------------------------- */

enum { SETS = 5 };

struct set {
    rsp_study *study;
    rsp_frame *frame;
    rsp_sample *sample;
};

/* The folder's study with one of its completed data sets. */
static struct set open_set(const char *dir, int k, rsp_diag *d) {
    struct set x = {.study = rsp_study_load(dir, d)};
    assert_non_null(x.study);
    x.study->sources[0].patterns[0] = rsp_printf(x.study->arena, "set-%d.csv", k);
    x.frame = rsp_intake(x.study, d);
    assert_non_null(x.frame);
    rsp_clean_log_free(rsp_clean(x.frame, d));
    x.sample = rsp_sample_new(x.frame, d);
    return x;
}

/* Kinds that look at all data sets themselves find them where imputation would have left its own. */
static void pool_within(const struct set *sets, rsp_analysis *a, rsp_results *out, rsp_diag *d) {
    rsp_sample samples[SETS];
    bool *changed = rsp_malloc(sets[0].study->n_variables * sizeof *changed);
    rsp_imputations x = {.m = SETS, .samples = samples, .changed = changed, .n_cells = 1};
    memset(changed, 1, sets[0].study->n_variables);
    for (int k = 0; k < SETS; k++) samples[k] = *sets[k].sample;
    sets[0].sample->imputed = &x;
    sets[0].study->imputation.n_variables = 1;
    a->imputed = true;
    rsp_analyse(sets[0].sample, a, out, d);
    sets[0].sample->imputed = NULL;
    free(changed);
}

static void pool_analysis(const struct set *sets, size_t analysis, rsp_results *out, rsp_diag *d) {
    rsp_results *each[SETS];
    rsp_analysis *a = &sets[0].study->analyses[analysis];
    if (a->kind == RSP_A_MODEL && (a->model.kind == RSP_POOLED_MODEL || a->model.kind == RSP_DRIVERS_MODEL)) {
        pool_within(sets, a, out, d);
        return;
    }
    for (int k = 0; k < SETS; k++) {
        each[k] = rsp_results_new();
        rsp_analyse(sets[k].sample, &sets[k].study->analyses[analysis], each[k], d);
    }
    rsp_pool_imputations(a, (const rsp_results *const *) each, SETS, out);
    for (int k = 0; k < SETS; k++) rsp_results_free(each[k]);
}

static const rsp_row *find_in(const rsp_results *r, const char *analysis, const char *domain, const char *term,
                              const char *level, const char *statistic) {
    for (size_t k = 0; k < r->n; k++) {
        const rsp_row *x = &r->rows[k];
        if (!strcmp(x->analysis, analysis) && !strcmp(x->term, term) && !strcmp(x->level, level) &&
            !strcmp(x->domain, domain) && !strcmp(x->statistic, statistic))
            return x;
    }
    fail_msg("no row %s %s %s %s %s", analysis, domain, term, level, statistic);
    return NULL;
}

static const rsp_row *find(const rsp_results *r, const char *analysis, const char *term, const char *level,
                           const char *statistic) {
    return find_in(r, analysis, "", term, level, statistic);
}

static void agrees(double got, double want, double tolerance, const char *what) {
    if (isnan(want)) return;
    if (!(fabs(got - want) <= tolerance * fmax(fabs(want), 1e-8)))
        fail_msg("%s: %.12g instead of %.12g", what, got, want);
}

/* Tolerance of a row: what rests on iterations, there or here, is looser. */
struct loose {
    const char *analysis;
    double estimate, se;
};

static void compare_row(const rsp_results *out, const rsp_published_row *e, const struct loose *loose) {
    struct loose t = {"", 1e-6, 1e-6};
    char what[256];
    const rsp_row *g = find_in(out, e->analysis, e->domain, e->term, e->level, e->statistic);
    for (; loose && loose->analysis; loose++)
        if (!strcmp(loose->analysis, e->analysis)) t = *loose;
    snprintf(what, sizeof what, "%s %s %s %s %s", e->analysis, e->domain, e->term, e->level, e->statistic);
    agrees(g->estimate, e->estimate, t.estimate, what);
    agrees(g->se, e->se, t.se, what);
    agrees(g->df, e->df, t.se * 10, what);
    agrees(g->df1, e->df1, 0, what);
    agrees(g->lower, e->lower, t.se, what);
    agrees(g->upper, e->upper, t.se, what);
    agrees(g->p, e->p, t.se * 10, what);
}

static void compare_folder(const char *dir, size_t rows, const struct loose *loose) {
    rsp_results *out = rsp_results_new();
    struct set sets[SETS];
    char path[256];
    rsp_diag *d = rsp_diag_new();
    for (int k = 0; k < SETS; k++) sets[k] = open_set(dir, k + 1, d);
    for (size_t j = 0; j < sets[0].study->n_analyses; j++) pool_analysis(sets, j, out, d);
    assert_int_equal(rsp_diag_errors(d), 0);
    snprintf(path, sizeof path, "%s/expected.csv", dir);
    rsp_published *expected = rsp_published_read_csv(path, d);
    assert_non_null(expected);
    assert_int_equal(rsp_published_count(expected), rows);
    for (size_t k = 0; k < rows; k++) compare_row(out, rsp_published_at(expected, k), loose);
    rsp_published_free(expected);
    rsp_results_free(out);
    for (int k = 0; k < SETS; k++) {
        rsp_sample_free(sets[k].sample);
        rsp_frame_free(sets[k].frame);
        rsp_study_free(sets[k].study);
    }
    rsp_diag_free(d);
}

static void pooled_as_mice(void **state) {
    (void) state;
    compare_folder("fixtures/imputation/nhanes", 15, NULL);
    compare_folder("fixtures/imputation/boys", 8, NULL);
}

/* Scales, correlations, factor models and a t test: mice's rules on the scales of reliabilities and correlations, semTools'
 * for factor models. */
static void pooled_as_semtools(void **state) {
    (void) state;
    static const struct loose loose[] = {
        {"scale", 1e-6, 1e-5}, {"ml", 1e-5, 1e-4}, {"mlr", 1e-5, 1e-4}, {"wlsmv", 1e-5, 1e-4}, {NULL, 0, 0}};
    compare_folder("fixtures/imputation/bfi", 162, loose);
}

/* ---- made-up studies -------------------------------------------------------------------------------------------- */

static struct run analyse(const char *imputation, const char *data) {
    char yaml[2048];
    put("survey.csv",
        "type,name,label::en,measure,relevant\ninteger,id,Id,,\ndecimal,x,X,,\ndecimal,y,Y,,\nselect_one b,b,B,,\n"
        "select_one k,k,K,ordinal,\nselect_one c,c,C,nominal,\nselect_one g,g,G,,\ninteger,q,Q,,${b} = 'yes'\n");
    put("choices.csv",
        "list_name,name,label::en,missing\nb,no,No,\nb,yes,Yes,\nb,dk,Don't know,yes\nk,low,Low,\nk,middle,Middle,\n"
        "k,high,High,\nc,u,U,\nc,v,V,\nc,w,W,\ng,i,I\ng,j,J\n");
    snprintf(yaml, sizeof yaml,
             "study: s\ntitle: {en: S}\nlanguages: [en]\nsources:\n  - {files: data.csv, format: csv}\n"
             "instrument: {survey: survey.csv, choices: choices.csv}\nroles: {id: id}\ndisclosure: off\n"
             "derive:\n  - {name: twice, expr: \"2 * ${y}\"}\n%s"
             "tables:\n  - {id: y, statistic: mean, items: [y, twice]}\n  - {id: k, statistic: mean, items: [k]}\n"
             "  - {id: b, items: [b, c]}\n  - {id: given, statistic: mean, items: [y, k], imputed: no}\n"
             "  - {id: x, statistic: mean, items: [x]}\n"
             "scales:\n  - {id: rel, name: rel, items: [x, y, k]}\n"
             "tests:\n  - {id: t, kind: t, rows: y, columns: b}\n"
             "factors:\n  - {id: r, kind: correlations, items: [x, y, k], missing: pairwise}\n"
             "  - {id: one, model: \"f =~ x + y + k\"}\n"
             "models:\n  - {id: line, kind: linear, formula: \"y ~ x\"}\n"
             "  - {id: over, kind: pooled, of: line, term: x, across: g}\n"
             "  - {id: who, kind: drivers, outcome: y, factors: [x, k], across: g, replicates: 5}\n",
             imputation);
    put("study.yaml", yaml);
    put("data.csv", data);
    struct run r = load(folder);
    for (size_t k = 0; k < r.study->n_analyses; k++) {
        if (!r.study->imputation.n_variables && !strcmp(r.study->analyses[k].id, "given")) continue;
        rsp_analyse(r.sample, &r.study->analyses[k], r.results, r.diag);
    }
    return r;
}

static double logit_noise(rsp_rng *r) {
    double u = rsp_rng_uniform(r);
    return log(u / (1 - u));
}

static bool answered(rsp_rng *r, double x) { return logit_noise(r) > 0.8 * x - 0.8; }

/* y = 1 + x/2 + noise, b and k rise with x and are symmetric, c = u, v, w at random; answers go missing with x. */
static char *missing_at_random(size_t n, uint64_t stream) {
    rsp_buf b = {0};
    rsp_rng r;
    rsp_rng_init(&r, 77, stream);
    rsp_buf_puts(&b, "id,x,y,b,k,c,g,q\n");
    for (size_t i = 0; i < n; i++) {
        double x = rsp_rng_normal(&r), y = 1 + x / 2 + rsp_rng_normal(&r), l = 1.5 * x + logit_noise(&r),
               m = x + logit_noise(&r);
        uint32_t c = rsp_rng_below(&r, 3);
        rsp_buf_printf(&b, "%zu,%.6f,", i + 1, x);
        if (answered(&r, x)) rsp_buf_printf(&b, "%.6f", y);
        rsp_buf_printf(&b, ",%s", !answered(&r, x) ? "" : l > 0 ? "yes" : "no");
        rsp_buf_printf(&b, ",%s", !answered(&r, x) ? "" : m < -1 ? "low" : m < 1 ? "middle" : "high");
        rsp_buf_printf(&b, ",%s,%s,\n",
                       rsp_rng_uniform(&r) < 0.2 ? ""
                       : c == 0                  ? "u"
                       : c == 1                  ? "v"
                                                 : "w",
                       i % 2 ? "i" : "j");
    }
    return b.data;
}

static const char *const ALL = "imputation: {variables: [y, b, k, c], predictors: [x], m: 5, iterations: 2, seed: 4}\n";

struct tally {
    const char *analysis, *term, *level, *statistic;
    double truth, sum, squares;
    size_t covered;
};

/* Means over many samples are the true ones, intervals hold them in 95 of 100; answers given alone are far off. */
static void recovers(void **state) {
    (void) state;
    enum { SAMPLES = 60 };
    struct tally t[] = {{"y", "y", "", "mean", 1, 0, 0, 0},
                        {"y", "twice", "", "mean", 2, 0, 0, 0},
                        {"k", "k", "", "mean", 2, 0, 0, 0},
                        {"b", "b", "yes", "proportion", 0.5, 0, 0, 0},
                        {"b", "c", "v", "proportion", 1.0 / 3, 0, 0, 0},
                        {"line", "x", "", "coefficient", 0.5, 0, 0, 0}};
    double given = 0;
    for (size_t sample = 0; sample < SAMPLES; sample++) {
        char *data = missing_at_random(600, sample);
        struct run r = analyse(ALL, data);
        for (size_t k = 0; k < sizeof t / sizeof *t; k++) {
            const rsp_row *x = find(r.results, t[k].analysis, t[k].term, t[k].level, t[k].statistic);
            t[k].sum += x->estimate;
            t[k].squares += (x->estimate - t[k].truth) * (x->estimate - t[k].truth);
            t[k].covered += x->lower <= t[k].truth && t[k].truth <= x->upper;
        }
        given += find(r.results, "given", "y", "", "mean")->estimate / SAMPLES;
        done(&r);
        free(data);
    }
    assert_true(given < 0.94);
    for (size_t k = 0; k < sizeof t / sizeof *t; k++) {
        double bias = t[k].sum / SAMPLES - t[k].truth, error = sqrt(t[k].squares / SAMPLES / SAMPLES);
        double coverage = (double) t[k].covered / SAMPLES, slack = 3 * sqrt(0.95 * 0.05 / SAMPLES);
        if (fabs(bias) > 4 * error || coverage < 0.95 - slack)
            fail_msg("%s of %s: bias %.4f (error %.4f), coverage %.3f", t[k].statistic, t[k].term, bias, error,
                     coverage);
    }
}

static void threads_do_not_matter(void **state) {
    (void) state;
    char *data = missing_at_random(200, 5);
    rsp_threads_set(1);
    struct run a = analyse(ALL, data);
    rsp_threads_set(3);
    struct run b = analyse(ALL, data);
    rsp_threads_set(0);
    assert_int_equal(a.results->n, b.results->n);
    for (size_t k = 0; k < a.results->n; k++)
        assert_memory_equal(&a.results->rows[k].estimate, &b.results->rows[k].estimate,
                            offsetof(rsp_row, flags) - offsetof(rsp_row, estimate));
    done(&a), done(&b);
    free(data);
}

/* Answers given, "don't know" and what was not shown stay; derived variables follow; the observed frame is untouched;
 * analyses of other variables are not pooled. */
static void leaves_alone(void **state) {
    (void) state;
    struct run r = analyse("imputation: {variables: [y, b, q], predictors: [x], m: 4, iterations: 2}\n",
                           "id,x,y,b,k,c,q,g\n1,1,2,yes,low,u,3,i\n2,2,,yes,low,u,,i\n3,3,5,no,low,u,,i\n4,4,6,,low,v,,"
                           "i\n5,5,9,dk,low,v,,i\n"
                           "6,6,1,yes,low,v,4,i\n7,7,,no,high,w,,i\n8,8,3,yes,high,w,8,i\n");
    const rsp_imputations *x = rsp_impute(r.sample, r.diag);
    size_t y = rsp_study_variable(r.study, "y"), b = rsp_study_variable(r.study, "b"),
           q = rsp_study_variable(r.study, "q"), twice = rsp_study_variable(r.study, "twice");
    assert_int_equal(x->m, 4);
    assert_true(x->changed[y] && x->changed[twice] && !x->changed[rsp_study_variable(r.study, "x")]);
    for (size_t k = 0; k < x->m; k++) {
        const rsp_frame *f = x->samples[k].frame;
        for (size_t i = 0; i < f->n; i++) {
            double own = rsp_value(r.frame, y, i);
            assert_false(isnan(rsp_value(f, y, i)));
            if (!isnan(own)) assert_true(rsp_value(f, y, i) == own);
            assert_true(rsp_value(f, twice, i) == 2 * rsp_value(f, y, i));
        }
        assert_int_equal(rsp_code(&f->columns[b], 4), 2);
        assert_true(rsp_valid(f, b, 3));
        assert_true(isnan(rsp_value(f, q, 2))); /* not shown */
        assert_false(isnan(rsp_value(f, q, 1)));
    }
    assert_true(isnan(rsp_value(r.frame, y, 1)));
    agrees(find(r.results, "x", "x", "", "mean")->estimate, 4.5, 1e-12, "mean of x");
    for (size_t k = 0; k < r.results->n; k++)
        assert_true(strcmp(r.results->rows[k].analysis, "x") || strcmp(r.results->rows[k].statistic, "fmi"));
    done(&r);
}

/* Constant and separated answers, nobody's answers, fewer respondents than predictors: finite, and said. */
static void hostile(void **state) {
    (void) state;
    struct run r = analyse(
        "imputation: {variables: [y, b, k, c], predictors: [x], m: 3, iterations: 2, methods: {b: multinomial, "
        "y: pmm}}\n",
        "id,x,y,b,k,c,q,g\n1,1,7,no,low,,,i\n2,1,7,no,low,,,i\n3,1,,yes,,,,i\n4,1,7,yes,high,,,i\n5,1,7,,high,,,i\n");
    const rsp_row *row = find(r.results, "y", "y", "", "mean");
    agrees(row->estimate, 7, 1e-12, "constant");
    agrees(row->se, 0, 0, "its error");
    assert_true(isfinite(find(r.results, "k", "k", "", "mean")->estimate));
    bool said = false;
    for (size_t k = 0; k < rsp_diag_count(r.diag); k++)
        said |= strstr(rsp_diag_at(r.diag, k)->message, "nobody answered 'c'") != NULL;
    assert_true(said);
    done(&r);
}

int main(void) {
    rsp_threads_set(0);
    const struct CMUnitTest tests[] = {cmocka_unit_test(pooled_as_mice), cmocka_unit_test(pooled_as_semtools),
                                       cmocka_unit_test(recovers),       cmocka_unit_test(threads_do_not_matter),
                                       cmocka_unit_test(leaves_alone),   cmocka_unit_test(hostile)};
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
