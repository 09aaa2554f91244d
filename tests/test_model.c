/* Regressions: limits where estimates do not exist, random effects worked out by hand, and properties that hold for
 * every model. Agreement with R on real data: test_reference. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <omp.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "made_up.h"

#include "model/matrix.h"
#include "model/likelihood.h"
#include "model/solve.h"

/* ---- a made-up study -------------------------------------------------------------------------------------------- */

/* Columns: id, y and z numbers, g one of a to f, k one of low, middle, high. models: lines of study.yaml. */
static struct run analyse(const char *models, const char *data) {
    rsp_buf yaml = {0};
    put("survey.csv",
        "type,name,label::en\ninteger,id,Id\ndecimal,y,Y\ndecimal,z,Z\nselect_one g,g,G\nselect_one k,k,K\ntext,t,T\n");
    put("choices.csv", "list_name,name,label::en\ng,a,A\ng,b,B\ng,c,C\ng,d,D\ng,e,E\ng,f,F\nk,low,Low\nk,middle,"
                       "Middle\nk,high,High\n");
    rsp_buf_puts(&yaml,
                 "study: s\ntitle: {en: S}\nlanguages: [en]\nsources:\n  - {files: data.csv, format: csv}\n"
                 "instrument: {survey: survey.csv, choices: choices.csv}\nroles: {id: id}\ndisclosure: off\nmodels:\n");
    rsp_buf_puts(&yaml, models);
    put("study.yaml", yaml.data);
    put("data.csv", data);
    rsp_buf_free(&yaml);
    return load_and_analyse(folder);
}

static bool same(const char *a, const char *b) { return strcmp(a ? a : "", b) == 0; }

static const rsp_row *row_of(const struct run *r, const char *analysis, const char *term, const char *level,
                             const char *statistic) {
    for (size_t k = 0; k < r->results->n; k++) {
        const rsp_row *x = &r->results->rows[k];
        if (same(x->analysis, analysis) && same(x->domain, "") && same(x->term, term) && same(x->level, level) &&
            same(x->statistic, statistic))
            return x;
    }
    fail_msg("no row %s | %s | %s | %s", analysis, term, level, statistic);
    return NULL;
}

/* ---- counts ----------------------------------------------------------------------------------------------------- */

#define HEAD "id,y,z,g,k,t\n"

/* With a single factor Poisson's rates are the groups' means; a group of noughts runs off to -infinity. */
static void poisson_groups(void **state) {
    (void) state;
    struct run r = analyse("  - {id: m, kind: poisson, formula: \"y ~ g\", weights: none}\n",
                           HEAD "1,2,0,a,low,\n2,4,0,a,low,\n3,9,0,b,low,\n4,3,0,b,low,\n5,0,0,c,low,\n6,0,0,c,low,\n");
    near(row_of(&r, "m", "(Intercept)", "", "coefficient")->estimate, log(3), 1e-12);
    near(row_of(&r, "m", "g=b", "", "rate_ratio")->estimate, 2, 1e-12);
    near(row_of(&r, "m", "g=b", "", "coefficient")->se, sqrt(1.0 / 6 + 1.0 / 12), 1e-9);
    assert_true(row_of(&r, "m", "g=c", "", "coefficient")->flags & RSP_F_SEPARATED);
    assert_true(isnan(row_of(&r, "m", "g=c", "", "coefficient")->estimate));
    assert_true(row_of(&r, "m", "g=d", "", "coefficient")->flags & RSP_F_EMPTY);
    done(&r);
}

/* Counts that spread less than Poisson's: theta has no value, the coefficients are Poisson's. */
static void theta_without_spread(void **state) {
    (void) state;
    struct run r = analyse(
        "  - {id: p, kind: poisson, formula: \"y ~ z\", weights: none}\n"
        "  - {id: n, kind: negative_binomial, formula: \"y ~ z\", weights: none}\n",
        HEAD "1,4,0,a,low,\n2,5,0,a,low,\n3,5,1,b,low,\n4,6,1,b,low,\n5,7,2,c,low,\n6,7,2,c,low,\n7,4,0,a,low,\n");
    near(row_of(&r, "n", "z", "", "coefficient")->estimate, row_of(&r, "p", "z", "", "coefficient")->estimate, 1e-7);
    near(row_of(&r, "n", "z", "", "coefficient")->se, row_of(&r, "p", "z", "", "coefficient")->se, 1e-7);
    const rsp_row *theta = row_of(&r, "n", "", "", "theta");
    assert_true(theta->flags & RSP_F_SINGULAR);
    assert_true(isnan(theta->estimate));
    done(&r);
}

static void counts_are_whole(void **state) {
    (void) state;
    struct run r = analyse("  - {id: p, kind: poisson, formula: \"y ~ z\"}\n",
                           HEAD "1,4,0,a,low,\n2,5.5,0,a,low,\n3,5,1,b,low,\n");
    assert_int_equal(r.results->n, 0);
    assert_int_equal(rsp_diag_errors(r.diag), 1);
    assert_string_equal(rsp_diag_at(r.diag, 0)->message,
                        "the outcome 'y' of model 'p' must be counts (0, 1, 2, ...); one is 5.5");
    done(&r);
}

/* ---- categories ------------------------------------------------------------------------------------------------- */

/* With a single factor the odds are those of the table; an empty cell separates its coefficient alone. */
static void multinomial_table(void **state) {
    (void) state;
    struct run r = analyse("  - {id: m, kind: multinomial, formula: \"k ~ g\", weights: none}\n",
                           HEAD "1,0,0,a,low,\n2,0,0,a,low,\n3,0,0,a,middle,\n4,0,0,a,high,\n5,0,0,b,low,\n6,0,0,b,"
                                "middle,\n7,0,0,b,middle,\n8,0,0,b,middle,\n");
    near(row_of(&r, "m", "(Intercept)", "middle", "coefficient")->estimate, log(0.5), 1e-7);
    near(row_of(&r, "m", "g=b", "middle", "coefficient")->estimate, log(6), 1e-7);
    near(row_of(&r, "m", "g=b", "middle", "coefficient")->se, sqrt(1 / 2.0 + 1 + 1 + 1 / 3.0), 1e-6);
    assert_true(row_of(&r, "m", "g=b", "high", "coefficient")->flags & RSP_F_SEPARATED);
    assert_false(row_of(&r, "m", "(Intercept)", "high", "coefficient")->flags & RSP_F_SEPARATED);
    done(&r);
}

/* ---- mixed ------------------------------------------------------------------------------------------------------ */

/* Balanced one-way: the variances of the analysis of variance, exact degrees of freedom. */
static void mixed_one_way(void **state) {
    (void) state;
    struct run r =
        analyse("  - {id: m, kind: mixed, formula: \"y ~ 1 + (1 | g)\"}\n"
                "  - {id: k, kind: mixed, formula: \"y ~ 1 + (1 | g)\", df: kenward_roger}\n",
                HEAD "1,1,0,a,low,\n2,3,0,a,low,\n3,6,0,b,low,\n4,8,0,b,low,\n5,13,0,c,low,\n6,11,0,c,low,\n");
    /* means 2, 7, 12: between 2 * 25 = 50, within 6 / 3 = 2 */
    near(row_of(&r, "m", "residual", "", "variance")->estimate, 2, 1e-7);
    near(row_of(&r, "m", "g", "(Intercept)", "variance")->estimate, 24, 1e-7);
    near(row_of(&r, "m", "g", "", "icc")->estimate, 24.0 / 26, 1e-8);
    near(row_of(&r, "m", "g", "", "groups")->estimate, 3, 0);
    assert_true(row_of(&r, "m", "g", "(Intercept)", "variance")->flags & RSP_F_FEW_GROUPS);
    const rsp_row *b = row_of(&r, "m", "(Intercept)", "", "coefficient"),
                  *k = row_of(&r, "k", "(Intercept)", "", "coefficient");
    near(b->estimate, 7, 1e-10);
    near(b->se, sqrt(50.0 / 6), 1e-8);
    near(b->df, 2, 1e-6);
    near(k->df, 2, 1e-6);
    near(k->se, b->se, 1e-8);
    done(&r);
}

/* Groups alike: variance 0, flagged on its row alone; the coefficient is the plain mean. */
static void mixed_singular(void **state) {
    (void) state;
    struct run r = analyse("  - {id: m, kind: mixed, formula: \"y ~ 1 + (1 | g)\"}\n",
                           HEAD "1,1,0,a,low,\n2,9,0,a,low,\n3,2,0,b,low,\n4,8,0,b,low,\n5,3,0,c,low,\n6,7,0,c,low,\n");
    near(row_of(&r, "m", "g", "(Intercept)", "variance")->estimate, 0, 1e-8);
    assert_true(row_of(&r, "m", "g", "(Intercept)", "variance")->flags & RSP_F_SINGULAR);
    assert_false(row_of(&r, "m", "(Intercept)", "", "coefficient")->flags & RSP_F_SINGULAR);
    near(row_of(&r, "m", "(Intercept)", "", "coefficient")->estimate, 5, 1e-10);
    near(row_of(&r, "m", "(Intercept)", "", "coefficient")->se, sqrt(58.0 / 5 / 6), 1e-7);
    near(row_of(&r, "m", "(Intercept)", "", "coefficient")->df, 5, 1e-5);
    done(&r);
}

static void mixed_impossible(void **state) {
    static const struct {
        const char *formula, *data, *wanted;
    } cases[] = {{"y ~ z + (1 | g)", HEAD "1,1,0,a,low,\n2,9,1,a,low,\n3,2,2,a,low,\n4,5,2,a,low,\n",
                  "model 'm' cannot be fitted: 'g' has a single group"},
                 {"y ~ 1 + (1 | t)", HEAD "1,1,0,a,low,p\n2,9,1,a,low,q\n3,2,2,a,low,r\n",
                  "model 'm' cannot be fitted: 't' has as many random effects as there are rows"},
                 {"y ~ 1 + (1 | g)", HEAD "1,1,0,a,low,p\n2,1,1,a,low,q\n3,1,2,b,low,r\n4,1,2,b,low,r\n",
                  "model 'm' cannot be fitted: its outcome does not vary beyond the predictors"},
                 {"y ~ 1 + (1 + z + I(2*z) | g)",
                  HEAD "1,1,0,a,low,p\n2,3,1,a,low,q\n3,1,2,b,low,r\n4,1,2,b,low,r\n5,1,2,a,low,r\n6,4,2,b,low,r\n7,1,"
                       "2,b,low,r\n8,4,2,b,low,r\n",
                  "model 'm' cannot be fitted: random effects by 'g' depend on each other"}};
    (void) state;
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        char models[200];
        snprintf(models, sizeof models, "  - {id: m, kind: mixed, formula: \"%s\"}\n", cases[k].formula);
        struct run r = analyse(models, cases[k].data);
        assert_true(rsp_diag_warnings(r.diag) >= 1);
        assert_string_equal(rsp_diag_at(r.diag, 0)->message, cases[k].wanted);
        const rsp_row *b = row_of(&r, "m", "(Intercept)", "", "coefficient");
        assert_true(isnan(b->estimate) && (b->flags & RSP_F_SINGULAR));
        done(&r);
    }
}

/* Laplace models where there is nothing to estimate: each says so, in flags and words, and stops. */
static void glmm_impossible(void **state) {
    static const struct {
        const char *kind, *formula, *data, *message;
        uint32_t flag;
    } cases[] = {{"mixed_logistic", "y ~ z + (1 | g)", HEAD "1,1,0,a,low,\n2,0,1,a,low,\n3,1,2,a,low,\n4,0,2,a,low,\n",
                  "model 'm' cannot be fitted: 'g' has a single group", RSP_F_SINGULAR},
                 {"mixed_logistic", "y ~ 1 + (1 | t)", HEAD "1,1,0,a,low,p\n2,0,1,a,low,q\n3,1,2,a,low,r\n",
                  "model 'm' cannot be fitted: 't' has as many random effects as there are rows", RSP_F_SINGULAR},
                 {"mixed_logistic", "y ~ z + (1 | g)", HEAD "1,1,0,a,low,\n2,1,1,a,low,\n3,1,2,b,low,\n4,1,2,b,low,\n",
                  "model 'm' cannot be fitted: its outcome does not vary", RSP_F_SINGULAR},
                 {"mixed_ordinal", "k ~ z + (1 | g)", HEAD "1,1,0,a,low,\n2,1,1,a,low,\n3,1,2,b,low,\n4,1,2,b,low,\n",
                  "model 'm' cannot be fitted: its outcome does not vary", RSP_F_SINGULAR},
                 {"mixed_logistic", "y ~ z + (1 | g)", /* the predictor tells all */
                  HEAD "1,0,0,a,low,\n2,0,1,a,low,\n3,1,2,a,low,\n4,1,3,b,low,\n5,0,0,b,low,\n6,1,4,b,low,\n", NULL,
                  RSP_F_SEPARATED},
                 {"mixed_logistic", "y ~ z + (1 | g)", /* the groups tell all */
                  HEAD
                  "1,0,0,a,low,\n2,0,1,a,low,\n3,0,2,a,low,\n4,1,0,b,low,\n5,1,1,b,low,\n6,1,2,b,low,\n7,0,0,c,low,"
                  "\n8,0,1,c,low,\n9,0,2,c,low,\n10,1,0,d,low,\n11,1,1,d,low,\n12,1,2,d,low,\n",
                  NULL, RSP_F_SEPARATED}};
    (void) state;
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        char models[200];
        snprintf(models, sizeof models, "  - {id: m, kind: %s, formula: \"%s\"}\n", cases[k].kind, cases[k].formula);
        struct run r = analyse(models, cases[k].data);
        if (cases[k].message) assert_string_equal(rsp_diag_at(r.diag, 0)->message, cases[k].message);
        const rsp_row *v =
            row_of(&r, "m", strcmp(cases[k].formula, "y ~ 1 + (1 | t)") == 0 ? "t" : "g", "(Intercept)", "variance");
        if (!isnan(v->estimate) || !(v->flags & cases[k].flag))
            fail_msg("case %zu: %g, flags %x", k, v->estimate, v->flags);
        done(&r);
    }
}

/* Groups alike: the variance is 0 with its flag, the rest is the regression without groups, weighted or not. */
static void glmm_singular(void **state) {
    const char *data =
        HEAD "1,0,0,a,low,\n2,1,1,a,middle,\n3,0,1,a,low,\n4,1,0,a,high,\n5,0,0,b,low,\n6,1,1,b,middle,\n"
             "7,0,1,b,low,\n8,1,0,b,high,\n9,0,0,c,low,\n10,1,1,c,middle,\n11,0,1,c,low,\n12,1,0,c,high,\n";
    (void) state;
    struct run r = analyse("  - {id: m, kind: mixed_logistic, formula: \"y ~ z + (1 | g)\"}\n"
                           "  - {id: w, kind: mixed_logistic, formula: \"y ~ z + (1 | g)\", weights: design}\n"
                           "  - {id: o, kind: mixed_ordinal, formula: \"k ~ z + (1 | g)\"}\n"
                           "  - {id: p, kind: logistic, formula: \"y ~ z\", weights: none}\n"
                           "  - {id: q, kind: ordinal, formula: \"k ~ z\", weights: none}\n",
                           data);
    static const char *const ids[][2] = {{"m", "p"}, {"w", "p"}, {"o", "q"}};
    for (size_t k = 0; k < 3; k++) {
        const rsp_row *v = row_of(&r, ids[k][0], "g", "(Intercept)", "variance");
        near(v->estimate, 0, 1e-8);
        assert_true(v->flags & RSP_F_SINGULAR);
        near(row_of(&r, ids[k][0], "z", "", "coefficient")->estimate,
             row_of(&r, ids[k][1], "z", "", "coefficient")->estimate, 1e-6);
    }
    near(row_of(&r, "m", "z", "", "coefficient")->se, row_of(&r, "p", "z", "", "coefficient")->se, 1e-5);
    near(row_of(&r, "o", "low|middle", "", "threshold")->se, row_of(&r, "q", "low|middle", "", "threshold")->se, 1e-5);
    done(&r);
}

/* A made-up sample of crossed groups; unit and origin of a covariate may not matter. */
static char *crossed_data(double scale, double origin) {
    rsp_buf b = {0};
    rsp_rng rng;
    rsp_rng_init(&rng, 5, 1);
    rsp_buf_puts(&b, HEAD);
    double group[6], slope[6], other[40];
    for (size_t k = 0; k < 6; k++) group[k] = rsp_rng_normal(&rng), slope[k] = 0.5 * rsp_rng_normal(&rng);
    for (size_t k = 0; k < 40; k++) other[k] = 0.7 * rsp_rng_normal(&rng);
    for (size_t i = 0; i < 900; i++) {
        uint32_t g = rsp_rng_below(&rng, 6), o = rsp_rng_below(&rng, 40);
        double z = rsp_rng_normal(&rng), y = 1 + z + group[g] + slope[g] * z + other[o] + rsp_rng_normal(&rng);
        rsp_buf_printf(&b, "%zu,%.6f,%.17g,%c,low,o%u\n", i, y, scale * z + origin, (int) ('a' + g), o);
    }
    return b.data;
}

static void mixed_units(void **state) {
    const char *models = "  - {id: m, kind: mixed, formula: \"y ~ z + (1 + z | g) + (1 | t)\"}\n";
    char *plain = crossed_data(1, 0), *moved = crossed_data(0.01, 20);
    (void) state;
    struct run a = analyse(models, plain), b = analyse(models, moved);
    const rsp_row *slope = row_of(&a, "m", "z", "", "coefficient"),
                  *same_slope = row_of(&b, "m", "z", "", "coefficient");
    near(same_slope->estimate, 100 * slope->estimate, 1e-7);
    near(same_slope->se, 100 * slope->se, 1e-6);
    near(same_slope->df, slope->df, 1e-4);
    near(row_of(&b, "m", "g", "z", "variance")->estimate, 1e4 * row_of(&a, "m", "g", "z", "variance")->estimate, 1e-6);
    near(row_of(&b, "m", "t", "(Intercept)", "variance")->estimate,
         row_of(&a, "m", "t", "(Intercept)", "variance")->estimate, 1e-6);
    near(row_of(&b, "m", "", "", "loglik")->estimate, row_of(&a, "m", "", "", "loglik")->estimate + log(0.01) * -1,
         1e-7);
    near(row_of(&b, "m", "", "", "icc")->estimate, row_of(&a, "m", "", "", "icc")->estimate, 1e-6);
    done(&a), done(&b);
    free(plain), free(moved);
}

static void same_bits(const rsp_results *a, const rsp_results *b) {
    assert_int_equal(a->n, b->n);
    for (size_t k = 0; k < a->n; k++) {
        assert_memory_equal(&a->rows[k].estimate, &b->rows[k].estimate, sizeof(double));
        assert_memory_equal(&a->rows[k].se, &b->rows[k].se, sizeof(double));
        assert_memory_equal(&a->rows[k].df, &b->rows[k].df, sizeof(double));
    }
}

static void threads_do_not_matter(void **state) {
    const char *models = "  - {id: a, kind: mixed, formula: \"y ~ z + (1 + z | g) + (1 | t)\", df: kenward_roger}\n"
                         "  - {id: b, kind: mixed, formula: \"y ~ z + (z || t)\", method: ml}\n"
                         "  - {id: c, kind: multinomial, formula: \"g ~ z\"}\n"
                         "  - {id: e, kind: mixed_ordinal, formula: \"g ~ z + (1 + z | t)\"}\n"
                         "  - {id: d, kind: pooled, estimate: y, variance: id, filter: \"${id} > 0\"}\n";
    char *data = crossed_data(1, 0);
    (void) state;
    rsp_threads_set(1);
    struct run a = analyse(models, data);
    rsp_threads_set(3);
    struct run b = analyse(models, data);
    rsp_threads_set(0);
    same_bits(a.results, b.results);
    done(&a), done(&b);
    free(data);
}

/* ---- the point in a formula ------------------------------------------------------------------------------------- */

static void same_model(const struct run *r, const char *a, const char *b) {
    size_t of_a = 0, of_b = 0;
    for (size_t k = 0; k < r->results->n; k++) {
        const rsp_row *x = &r->results->rows[k];
        of_b += same(x->analysis, b);
        if (!same(x->analysis, a)) continue;
        const rsp_row *y = row_of(r, b, x->term, x->level, x->statistic);
        assert_int_equal(x->flags, y->flags);
        assert_true(isnan(x->estimate) == isnan(y->estimate) && isnan(x->se) == isnan(y->se));
        if (!isnan(x->estimate)) near(x->estimate, y->estimate, 1e-9);
        if (!isnan(x->se)) near(x->se, y->se, 1e-9);
        of_a++;
    }
    assert_true(of_a > 3);
    assert_int_equal(of_a, of_b);
}

/* `.` is every other question with numbers or one answer, in the order of the questionnaire; not the id, a text, or the
 * variables of the left side. What is named beside it stands once; what is named in an interaction or as a random slope has
 * its effect too; what makes the groups of a random part has none. */
static void every_other_variable(void **state) {
    (void) state;
    rsp_buf b = {0};
    rsp_rng rng;
    rsp_rng_init(&rng, 3, 0);
    rsp_buf_puts(&b, HEAD);
    for (int i = 1; i <= 90; i++)
        rsp_buf_printf(&b, "%d,%.4f,%.4f,%c,%s,word%d\n", i, exp(rsp_rng_normal(&rng)), rsp_rng_normal(&rng),
                       'a' + (int) (rsp_rng_uniform(&rng) * 3), rsp_rng_uniform(&rng) < 0.5 ? "low" : "high", i);
    struct run r = analyse("  - {id: dot, kind: linear, formula: \"y ~ .\"}\n"
                           "  - {id: all, kind: linear, formula: \"y ~ z + g + k\"}\n"
                           "  - {id: log_dot, kind: linear, formula: \"log(y) ~ k + . + z:k\"}\n"
                           "  - {id: log_all, kind: linear, formula: \"log(y) ~ k + z + g + k:z\"}\n"
                           "  - {id: origin_dot, kind: linear, formula: \"y ~ . - 1\"}\n"
                           "  - {id: origin_all, kind: linear, formula: \"y ~ z + g + k - 1\"}\n"
                           "  - {id: crossed_dot, kind: linear, formula: \"y ~ . + z:k\"}\n"
                           "  - {id: crossed_all, kind: linear, formula: \"y ~ z + g + k + z:k\"}\n"
                           "  - {id: mixed_dot, kind: mixed, formula: \"y ~ . + (1 + z | g)\"}\n"
                           "  - {id: mixed_all, kind: mixed, formula: \"y ~ z + k + (1 + z | g)\"}\n",
                           b.data);
    assert_int_equal(rsp_diag_count(r.diag), 0);
    same_model(&r, "dot", "all");
    same_model(&r, "log_dot", "log_all");
    same_model(&r, "origin_dot", "origin_all");
    same_model(&r, "crossed_dot", "crossed_all");
    same_model(&r, "mixed_dot", "mixed_all");
    done(&r);
    rsp_buf_free(&b);
}

/* ---- pooled ----------------------------------------------------------------------------------------------------- */

/* Three equal variances: tau2 is the estimates' variance less theirs, the interval that of their mean. */
static void pooled_by_hand(void **state) {
    (void) state;
    struct run r = analyse("  - {id: p, kind: pooled, estimate: y, variance: z, leave_one_out: yes}\n",
                           HEAD "1,1,2,a,low,\n2,5,2,a,low,\n3,9,2,a,low,\n");
    const rsp_row *p = row_of(&r, "p", "", "", "pooled"), *next = row_of(&r, "p", "", "", "prediction");
    near(row_of(&r, "p", "", "", "tau2")->estimate, 14, 1e-9);
    near(row_of(&r, "p", "", "", "q")->estimate, 16, 1e-12);
    near(row_of(&r, "p", "", "", "i2")->estimate, 14.0 / 16, 1e-9);
    near(p->estimate, 5, 1e-12);
    near(p->se, sqrt(16.0 / 3), 1e-9);
    near(p->df, 2, 0);
    near(next->upper, 5 + rsp_t_quantile(0.975, 2) * sqrt(14 + 16.0 / 3), 1e-9);
    near(row_of(&r, "p", "", "2", "pooled_without")->se, sqrt(32.0 / 2), 1e-9);
    done(&r);
}

static void pooled_limits(void **state) {
    (void) state;
    struct run r = analyse("  - {id: none, kind: pooled, estimate: y, variance: z, filter: \"${id} > 9\"}\n"
                           "  - {id: one, kind: pooled, estimate: y, variance: z, filter: \"${id} = 1\"}\n"
                           "  - {id: alike, kind: pooled, estimate: y, variance: z, filter: \"${id} < 4\"}\n"
                           "  - {id: wrong, kind: pooled, estimate: y, variance: z}\n",
                           HEAD "1,1,2,a,low,\n2,1.5,3,a,low,\n3,1,2,a,low,\n4,1,0,a,low,\n");
    assert_true(row_of(&r, "none", "", "", "pooled")->flags & RSP_F_EMPTY);
    assert_true(row_of(&r, "one", "", "", "pooled")->flags & RSP_F_NO_DF);
    assert_true(isnan(row_of(&r, "one", "", "", "pooled")->estimate));
    near(row_of(&r, "alike", "", "", "tau2")->estimate, 0, 0);
    near(row_of(&r, "alike", "", "", "pooled")->estimate, (0.5 + 0.5 + 0.5) / (4.0 / 3), 1e-12);
    assert_int_equal(rsp_diag_errors(r.diag), 1);
    assert_string_equal(rsp_diag_at(r.diag, 0)->message, "the variance of 4 in model 'wrong' is not above 0");
    done(&r);
}

/* ---- marginal effects and predictions --------------------------------------------------------------------------- */

/* Twelve of each group a, b, c; the event y in 3, 6 and 9 of them; nobody in d. */
static char *shares_data(void) {
    rsp_buf b = {0};
    rsp_buf_puts(&b, HEAD);
    for (int i = 0; i < 36; i++)
        rsp_buf_printf(&b, "%d,%d,%d,%c,low,\n", i + 1, i % 12 < 3 * (i / 12 + 1), i % 5, 'a' + i / 12);
    return b.data;
}

/* A model with a parameter for each group predicts the groups' shares; a line's slope is its coefficient. */
static void margins_by_hand(void **state) {
    (void) state;
    char *data = shares_data();
    struct run r = analyse(
        "  - {id: s, kind: logistic, formula: \"y ~ g\", weights: none, margins: [g], predict: {g: [a, c, d]}}\n"
        "  - {id: l, kind: linear, formula: \"y ~ z\", weights: none, margins: [z], predict: {z: [0]}}\n"
        "  - {id: w, kind: linear, formula: \"y ~ z\", margins: [z]}\n",
        data);
    const rsp_row *p = row_of(&r, "s", "g=a", "", "predicted"), *e = row_of(&r, "s", "g=c", "", "marginal_effect");
    near(p->estimate, 0.25, 1e-9);
    near(p->se, sqrt(0.25 * 0.75 / 12), 1e-9);
    near(e->estimate, 0.5, 1e-9);
    near(e->se, sqrt(2 * 0.25 * 0.75 / 12), 1e-9);
    assert_true(row_of(&r, "s", "g=d", "", "predicted")->flags & RSP_F_EMPTY);
    assert_true(isnan(row_of(&r, "s", "g=d", "", "marginal_effect")->estimate));
    const rsp_row *b = row_of(&r, "l", "z", "", "coefficient"), *m = row_of(&r, "l", "z", "", "marginal_effect");
    near(m->estimate, b->estimate, 1e-12);
    near(m->se, b->se, 1e-12);
    near(m->upper, b->upper, 1e-12);
    near(row_of(&r, "l", "z=0", "", "predicted")->se, row_of(&r, "l", "(Intercept)", "", "coefficient")->se, 1e-12);
    near(row_of(&r, "w", "z", "", "marginal_effect")->se, row_of(&r, "w", "z", "", "coefficient")->se, 1e-12);
    done(&r);
    free(data);
}

/* Separated and collinear coefficients leave no predictions; an outcome that does not vary neither. */
static void margins_without(void **state) {
    (void) state;
    struct run r = analyse("  - {id: s, kind: logistic, formula: \"y ~ g\", margins: [g]}\n"
                           "  - {id: c, kind: linear, formula: \"y ~ z + I(2 * z)\", margins: [z]}\n"
                           "  - {id: o, kind: ordinal, formula: \"k ~ z\", margins: [z], predict: {z: [1]}}\n"
                           "  - {id: e, kind: linear, formula: \"y ~ z\", margins: [z], filter: \"${id} > 99\"}\n",
                           HEAD "1,0,1,a,low,\n2,0,2,a,low,\n3,0,3,a,low,\n4,1,4,b,low,\n5,1,6,b,low,\n6,1,9,b,low,\n");
    assert_true(row_of(&r, "s", "g=b", "", "marginal_effect")->flags & RSP_F_SEPARATED);
    assert_true(isnan(row_of(&r, "s", "g=b", "", "marginal_effect")->estimate));
    assert_true(row_of(&r, "c", "z", "", "marginal_effect")->flags & RSP_F_SINGULAR);
    assert_true(row_of(&r, "o", "z=1", "low", "predicted")->flags & RSP_F_SINGULAR);
    assert_true(row_of(&r, "e", "z", "", "marginal_effect")->flags & RSP_F_EMPTY);
    done(&r);
}

/* ---- replicates side by side ------------------------------------------------------------------------------------ */

/* Coefficients in every replicate are those of least squares with that replicate's weights. */
static void replicates_one_by_one(void **state) {
    (void) state;
    char *data = crossed_data(1, 0);
    struct run r = analyse(
        "  - {id: b, kind: linear, formula: \"y ~ z + g\", variance: {method: bootstrap, replicates: 37, seed: 5}}\n",
        data);
    const rsp_analysis *a = &r.study->analyses[0];
    rsp_mmatrix *m = rsp_mmatrix_new(r.sample, a, NULL, r.diag);
    const rsp_replicates *reps = rsp_replicates_get(r.sample, &a->variance, a->loc, r.diag);
    const double *x[16];
    double w[1024], theta[37 * 16], vcov[256];
    assert_true(m->k <= 16 && r.sample->n <= 1024 && m->n == r.sample->n);
    for (size_t j = 0; j < m->k; j++) x[j] = m->columns[j].x;
    for (size_t k = 0; k < 37; k++) {
        rsp_least_squares ls;
        rsp_replicate_weights(reps, k, w);
        rsp_least_squares_fit(m->n, m->k, x, w, m->y, m->arena, &ls);
        memcpy(theta + k * m->k, ls.beta, m->k * sizeof *theta);
    }
    rsp_replicate_variance(reps, theta, theta, m->k, vcov, NULL);
    for (size_t j = 0; j < m->k; j++)
        near(row_of(&r, "b", m->columns[j].name, "", "coefficient")->se / sqrt(vcov[j * m->k + j]), 1, 1e-10);
    rsp_mmatrix_free(m);
    done(&r);
    free(data);
}

/* Respondents with a number z and an outcome that follows it: 0 or 1, a count, or one of three categories. */
static char *outcome_data(int kind) {
    rsp_buf b = {0};
    rsp_rng rng;
    rsp_rng_init(&rng, 9, (uint64_t) kind);
    rsp_buf_puts(&b, HEAD);
    for (size_t i = 0; i < 300; i++) {
        double z = rsp_rng_normal(&rng), u = 0.7 * z + rsp_rng_normal(&rng), g = (double) rsp_rng_below(&rng, 3);
        double y = kind == 0 ? u + 0.3 * g > 0.5 : floor(exp(0.5 * (u + 1)));
        rsp_buf_printf(&b, "%zu,%g,%.6f,%c,%s,\n", i, y, z, (int) ('a' + (int) g),
                       u < -0.5            ? "low"
                       : u < 0.5 + 0.3 * g ? "middle"
                                           : "high");
    }
    return b.data;
}

struct refit {
    const char *kind, *outcome;
    int data;
    size_t n_thresholds, n_equations;
    bool (*evaluate)(const rsp_likelihood *, const double *, const double *, double *, double *, double *);
};

/* Fits of replicates begin at the full sample's estimate and stop early. They are those of full fits from nought to
 * 1e-8 of a standard error: so much may the standard errors differ. */
static void replicates_converge(void **state) {
    static const struct refit of[] = {{"logistic", "y", 0, 0, 1, rsp_logistic_evaluate},
                                      {"poisson", "y", 1, 0, 1, rsp_poisson_evaluate},
                                      {"ordinal", "k", 1, 2, 1, rsp_ordinal_evaluate},
                                      {"multinomial", "k", 1, 0, 2, rsp_multinomial_evaluate}};
    enum { REPLICATES = 60, MOST = 8 };
    (void) state;
    for (size_t t = 0; t < sizeof of / sizeof *of; t++) {
        char *data = outcome_data(of[t].data), models[256];
        snprintf(
            models, sizeof models,
            "  - {id: b, kind: %s, formula: \"%s ~ z + g\", variance: {method: bootstrap, replicates: %d, seed: 7}}\n",
            of[t].kind, of[t].outcome, REPLICATES);
        struct run r = analyse(models, data);
        const rsp_analysis *a = &r.study->analyses[0];
        rsp_mmatrix *m = rsp_mmatrix_new(r.sample, a, NULL, r.diag);
        const rsp_replicates *reps = rsp_replicates_get(r.sample, &a->variance, a->loc, r.diag);
        const double *x[MOST];
        double w[300], theta[REPLICATES * MOST], vcov[MOST * MOST], inverse[MOST * MOST], se[MOST] = {0};
        bool separated[MOST];
        size_t k = 0; /* columns that occur: g has six categories, three of them empty */
        for (size_t j = 0; j < m->k; j++)
            if (!m->columns[j].dummy || m->columns[j].ones) x[k++] = m->columns[j].x;
        rsp_regression_data all = {m->n, k, x, m->y, of[t].n_thresholds, of[t].n_equations, 0};
        rsp_likelihood l = {of[t].n_thresholds + of[t].n_equations * k, &all, of[t].evaluate};
        assert_true(l.p <= MOST && m->n == 300 && r.sample->n == 300);
        for (size_t rep = 0; rep < REPLICATES; rep++) {
            rsp_newton_fit fit = {.par = theta + rep * l.p, .information_inverse = inverse, .separated = separated};
            for (size_t j = 0; j < l.p; j++) fit.par[j] = of[t].n_thresholds && j == 1; /* thresholds ascend */
            rsp_replicate_weights(reps, rep, w);
            rsp_newton(&l, w, &fit);
            assert_int_equal(fit.status, RSP_FIT_OK);
        }
        rsp_replicate_variance(reps, theta, theta, l.p, vcov, NULL);
        size_t found = 0;
        for (size_t j = 0; j < r.results->n; j++) {
            const rsp_row *row = &r.results->rows[j];
            if (!same(row->statistic, "coefficient") && !same(row->statistic, "threshold")) continue;
            if (row->flags & RSP_F_EMPTY) continue;
            assert_true(found < l.p && row->se > 0);
            se[found++] = row->se;
        }
        assert_int_equal(found, l.p);
        for (size_t j = 0; j < l.p; j++) near(se[j] / sqrt(vcov[j * l.p + j]), 1, 1e-8);
        rsp_mmatrix_free(m);
        done(&r);
        free(data);
    }
}

/* ---- least squares ---------------------------------------------------------------------------------------------- */

/* Told apart completely by one predictor: no coefficient has an estimate, not those of the others either. */
static void separated_completely(void **state) {
    (void) state;
    rsp_buf data = {0};
    rsp_rng g;
    rsp_rng_init(&g, 3, 0);
    rsp_buf_puts(&data, HEAD);
    for (int i = 0; i < 90; i++) {
        double y = rsp_rng_normal(&g);
        rsp_buf_printf(&data, "%d,%.4f,%.4f,%c,%s,\n", i, y, rsp_rng_normal(&g), "abc"[i % 3], y < 0 ? "low" : "high");
    }
    struct run r = analyse("  - {id: m, kind: logistic, event: high, formula: \"k ~ y + z + g\"}\n"
                           "  - {id: u, kind: ordinal, formula: \"k ~ y + z\", weights: none}\n"
                           "  - {id: n, kind: logistic, event: high, formula: \"k ~ z + g\"}\n",
                           data.data);
    static const char *const id[] = {"m", "u"}, *const term[] = {"y", "z"};
    for (size_t k = 0; k < 4; k++) {
        const rsp_row *x = row_of(&r, id[k / 2], term[k % 2], "", "coefficient");
        assert_true(isnan(x->estimate) && isnan(x->p) && x->flags == RSP_F_SEPARATED);
    }
    assert_true(isnan(row_of(&r, "m", "(Intercept)", "", "coefficient")->estimate));
    assert_true(row_of(&r, "n", "z", "", "coefficient")->se > 0);
    done(&r);
    rsp_buf_free(&data);
}

/* A question that nobody answered leaves nobody out: everything else, margins too, is as in the model without it. */
static void unanswered_predictors(void **state) {
    (void) state;
    static const struct {
        const char *kind, *outcome;
    } cases[] = {{"linear", "y"},
                 {"linear, weights: none", "y"},
                 {"logistic, event: high", "k"},
                 {"ordinal", "k"},
                 {"multinomial", "k"},
                 {"poisson", "id"},
                 {"negative_binomial", "id"},
                 {"mixed", "y"},
                 {"mixed_ordinal", "k"}};
    rsp_buf data = {0};
    rsp_rng g;
    rsp_rng_init(&g, 9, 0);
    rsp_buf_puts(&data, HEAD);
    for (int i = 0; i < 240; i++)
        rsp_buf_printf(&data, "%d,%.3f,,,%s,%c\n", i, rsp_rng_normal(&g) + 0.2 * (i % 3),
                       (const char *[]){"low", "middle", "high"}[i * i % 7 % 3], 'a' + i % 12);
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        rsp_buf models = {0};
        const char *kind = cases[c].kind, *random = strncmp(kind, "mixed", 5) == 0 ? " + (1 | t)" : "";
        const char *x = same(cases[c].outcome, "y") ? "id" : "y";
        char of_less[64] = "", of_more[64] = ""; /* what coefficients mean in the outcome's own unit */
        if (!*random) snprintf(of_less, sizeof of_less, ", margins: [%s], predict: {%s: [1, 2]}", x, x);
        if (!*random) snprintf(of_more, sizeof of_more, ", margins: [%s, z, g], predict: {%s: [1, 2]}", x, x);
        rsp_buf_printf(&models, "  - {id: less, kind: %s, formula: \"%s ~ %s%s\"%s}\n", kind, cases[c].outcome, x,
                       random, of_less);
        rsp_buf_printf(&models, "  - {id: more, kind: %s, formula: \"%s ~ %s + z + g + z:%s%s\"%s}\n", kind,
                       cases[c].outcome, x, x, random, of_more);
        struct run r = analyse(models.data, data.data);
        size_t same_rows = 0, aside = 0, margins = 0;
        assert_int_equal(rsp_diag_errors(r.diag), 0);
        for (size_t k = 0; k < r.results->n; k++) {
            const rsp_row *m = &r.results->rows[k];
            if (!same(m->analysis, "more")) continue;
            margins += (same(m->statistic, "marginal_effect") || same(m->statistic, "predicted")) && m->se > 0;
            if (m->flags & RSP_F_UNANSWERED) {
                assert_true(isnan(m->estimate) && (m->term[0] == 'z' || m->term[0] == 'g' || strstr(m->term, ":z")));
                aside++;
                continue;
            }
            const rsp_row *l = row_of(&r, "less", m->term, m->level, m->statistic);
            assert_true(l->flags == m->flags && (isnan(l->estimate) ? isnan(m->estimate) : l->n == m->n));
            if (!isnan(l->estimate)) near(m->estimate, l->estimate, 1e-9 * fmax(1, fabs(l->estimate)));
            if (!isnan(l->se)) near(m->se, l->se, 1e-9 * fmax(1, l->se));
            same_rows++;
        }
        if (same_rows < 3 || aside < 7) fail_msg("%s: %zu rows alike, %zu set aside", kind, same_rows, aside);
        assert_true(*random ? !margins : margins == (strncmp(kind, "ordinal", 7) && strncmp(kind, "multi", 5) ? 3 : 9));
        rsp_buf_free(&models);
        done(&r);
    }
    rsp_buf_free(&data);
}

/* An outcome that is constant, or follows from the predictors, leaves rounding: estimates, but no errors to test them with. */
static void exact_outcomes(void **state) {
    rsp_buf data = {0};
    (void) state;
    rsp_buf_puts(&data, HEAD);
    for (int i = 0; i < 30; i++)
        rsp_buf_printf(&data, "%d,%.1f,%d,%c,low,%d\n", i, 0.1 * (i % 7) + 0.7, i % 7, "abc"[i * i % 3], i / 5);
    struct run r = analyse("  - {id: m, kind: linear, formula: \"y ~ z + g\", margins: [z]}\n"
                           "  - {id: u, kind: linear, formula: \"y ~ z + g\", weights: none}\n"
                           "  - {id: w, kind: linear, formula: \"y ~ z + g\", errors: cr2}\n"
                           "  - {id: less, kind: linear, formula: \"y ~ g\"}\n",
                           data.data);
    for (const char *const *id = (const char *const[]){"m", "u", "w", NULL}; *id; id++) {
        const rsp_row *b = row_of(&r, *id, "z", "", "coefficient"), *f = row_of(&r, *id, "g", "", "wald_f");
        near(b->estimate, 0.1, 1e-12);
        assert_true(isnan(b->se) && isnan(b->lower) && isnan(b->p) && (b->flags & RSP_F_EXACT));
        assert_true(isnan(f->estimate) && isnan(f->p) && (f->flags & RSP_F_EXACT));
        near(row_of(&r, *id, "", "", "r_squared")->estimate, 1, 1e-12);
    }
    const rsp_row *margin = row_of(&r, "m", "z", "", "marginal_effect");
    near(margin->estimate, 0.1, 1e-12);
    assert_true(isnan(margin->se) && margin->flags == RSP_F_EXACT);
    const rsp_row *less = row_of(&r, "less", "g=b", "", "coefficient");
    assert_true(less->se > 0 && !less->flags);
    done(&r);
    rsp_buf_free(&data);
}

/* Many rows take the quick way, fifty of them, weighted by how often they occur, the careful one: the same digits. With a
 * column that others nearly determine the quick way gives up. */
static void quick_least_squares(void **state) {
    enum { FEW = 50, TIMES = 800, MANY = FEW * TIMES, K = 5 };
    (void) state;
    rsp_arena *a = rsp_arena_new();
    for (int near_collinear = 0; near_collinear < 2; near_collinear++) {
        double *x[K], *y = RSP_ARRAY(a, double, MANY), w[FEW];
        rsp_rng rng;
        rsp_rng_init(&rng, 4, 0);
        for (size_t j = 0; j < K; j++) x[j] = RSP_ARRAY(a, double, MANY);
        for (size_t i = 0; i < MANY; i++) {
            size_t same_row = i % FEW;
            for (size_t j = 0; j < K; j++)
                x[j][i] = i >= FEW ? x[j][same_row] : j == 0 ? 1 : j < 4 ? 3 + rsp_rng_normal(&rng) : (double) (i % 2);
            if (i < FEW && near_collinear) x[3][i] = x[1][i] + x[2][i] + 1e-5 * rsp_rng_normal(&rng);
            y[i] = i >= FEW ? y[same_row] : x[1][i] - 0.3 * x[2][i] + x[4][i] + rsp_rng_normal(&rng);
        }
        for (size_t i = 0; i < FEW; i++) w[i] = TIMES;
        rsp_least_squares many, few;
        rsp_least_squares_fit(MANY, K, (const double *const *) x, NULL, y, a, &many);
        rsp_least_squares_fit(FEW, K, (const double *const *) x, w, y, a, &few);
        assert_int_equal(many.rank, K);
        near(many.rss / few.rss, 1, 1e-11);
        for (size_t j = 0; j < K; j++) {
            near(many.beta[j] / few.beta[j], 1, 1e-10);
            near(many.inverse[j * K + j] / few.inverse[j * K + j], 1, 1e-11);
        }
        omp_set_num_threads(1);
        rsp_least_squares one;
        rsp_least_squares_fit(MANY, K, (const double *const *) x, NULL, y, a, &one);
        assert_memory_equal(one.beta, many.beta, K * sizeof *one.beta);
        assert_memory_equal(one.inverse, many.inverse, K * K * sizeof *one.inverse);
        omp_set_num_threads(omp_get_num_procs());
    }
    rsp_arena_free(a);
}

/* ---- few clusters, separation ----------------------------------------------------------------------------------- */

/* Each respondent a cluster of their own: cr2 of a mean is the classical error with n - 1 degrees of freedom. */
static void cr2_of_a_mean(void **state) {
    (void) state;
    struct run r = analyse("  - {id: m, kind: linear, formula: \"y ~ 1\", errors: cr2}\n"
                           "  - {id: g, kind: linear, formula: \"y ~ g\", errors: cr2, weights: none}\n"
                           "  - {id: one, kind: linear, formula: \"y ~ 1\", errors: cr2, filter: \"${id} = 1\"}\n"
                           "  - {id: none, kind: linear, formula: \"y ~ z\", errors: wild, filter: \"${id} < 3\"}\n",
                           HEAD "1,1,0,a,low,\n2,4,1,a,low,\n3,5,1,b,low,\n4,6,0,b,low,\n5,9,2,b,low,\n");
    const rsp_row *m = row_of(&r, "m", "(Intercept)", "", "coefficient");
    near(m->estimate, 5, 1e-12);
    near(m->se, sqrt((16 + 1 + 0 + 1 + 16) / 4.0 / 5), 1e-12);
    near(m->df, 4, 1e-9);
    /* Two means of unequal variance: Welch's error. */
    near(row_of(&r, "g", "g=b", "", "coefficient")->se, sqrt(4.5 / 2 + 13.0 / 3 / 3), 1e-12);
    assert_true(row_of(&r, "one", "(Intercept)", "", "coefficient")->flags & RSP_F_NO_DF);
    assert_true(isnan(row_of(&r, "one", "(Intercept)", "", "coefficient")->se));
    assert_true(row_of(&r, "none", "z", "", "coefficient")->flags & RSP_F_NO_DF);
    done(&r);
}

/* A table with an empty cell, Firth's estimate by adding 1/2 to each cell (of a saturated 2 by 2 table). */
static void firth_table(void **state) {
    (void) state;
    char *data = shares_data();
    struct run r = analyse(
        "  - {id: f, kind: logistic, formula: \"y ~ g\", firth: yes, weights: none, filter: \"${g} != 'c' and (${g} != "
        "'a' or ${y} = 0)\", margins: [g]}\n"
        "  - {id: p, kind: logistic, formula: \"y ~ g\", filter: \"${g} != 'c' and (${g} != 'a' or ${y} = 0)\"}\n",
        data);
    const rsp_row *f = row_of(&r, "f", "g=b", "", "coefficient");
    near(f->estimate, log(6.5 / 6.5) - log(0.5 / 9.5), 1e-7);
    near(f->se, sqrt(1 / (9 * 0.05 * 0.95) + 1 / 3.0), 1e-7);
    assert_true(f->flags == 0 && f->lower > 0 && f->upper > f->estimate && f->p < 0.05);
    assert_false(isnan(row_of(&r, "f", "g=b", "", "marginal_effect")->se));
    assert_true(row_of(&r, "p", "g=b", "", "coefficient")->flags & RSP_F_SEPARATED);
    done(&r);
    free(data);
}

/* The bootstrap does not depend on threads; a hypothesis that is true of the data is not rejected. */
static void wild_threads(void **state) {
    (void) state;
    char *data = crossed_data(1, 0);
    const char *models =
        "  - {id: w, kind: linear, formula: \"y ~ z\", errors: wild, draws: 199, filter: \"${id} < 60\"}\n";
    rsp_threads_set(1);
    struct run a = analyse(models, data);
    rsp_threads_set(3);
    struct run b = analyse(models, data);
    rsp_threads_set(0);
    same_bits(a.results, b.results);
    const rsp_row *z = row_of(&a, "w", "z", "", "coefficient");
    assert_true(z->lower < 1 && z->upper > 1 && z->p < 0.05);
    done(&a), done(&b);
    free(data);
}

int main(void) {
    rsp_threads_set(0);
    const struct CMUnitTest tests[] = {cmocka_unit_test(poisson_groups),        cmocka_unit_test(theta_without_spread),
                                       cmocka_unit_test(counts_are_whole),      cmocka_unit_test(multinomial_table),
                                       cmocka_unit_test(mixed_one_way),         cmocka_unit_test(mixed_singular),
                                       cmocka_unit_test(mixed_impossible),      cmocka_unit_test(mixed_units),
                                       cmocka_unit_test(glmm_impossible),       cmocka_unit_test(glmm_singular),
                                       cmocka_unit_test(threads_do_not_matter), cmocka_unit_test(pooled_by_hand),
                                       cmocka_unit_test(pooled_limits),         cmocka_unit_test(every_other_variable),
                                       cmocka_unit_test(margins_by_hand),       cmocka_unit_test(margins_without),
                                       cmocka_unit_test(replicates_one_by_one), cmocka_unit_test(replicates_converge),
                                       cmocka_unit_test(exact_outcomes),        cmocka_unit_test(unanswered_predictors),
                                       cmocka_unit_test(separated_completely),  cmocka_unit_test(quick_least_squares),
                                       cmocka_unit_test(cr2_of_a_mean),         cmocka_unit_test(firth_table),
                                       cmocka_unit_test(wild_threads)};
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
