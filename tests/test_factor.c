/* Factor models where data are hostile: flagged rows in finite time, and properties that hold for every model. Agreement
 * with lavaan on real data: test_reference. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <stdlib.h>
#include <string.h>

#include "measure/polychoric.h"

#include <cmocka.h>

#include "made_up.h"

/* ---- a made-up study -------------------------------------------------------------------------------------------- */

/* Answers 1 to 5 to four items: a common part and an own one. Kinds of harm by `harm`. */
typedef enum { SOUND, CONSTANT, FEW, ALL_MISSING, EMPTY_CATEGORY, COPIES, GAPS, NO_WEIGHT } harm;

static void add_answers(rsp_buf *b, harm h, size_t n) {
    rsp_rng rng;
    rsp_rng_init(&rng, 7, (uint64_t) h);
    rsp_buf_puts(b, "id,g,w,y1,y2,y3,y4\n");
    for (size_t i = 0; i < n; i++) {
        bool second = h == FEW ? i >= n - 12 : i % 2;
        double common = rsp_rng_normal(&rng);
        int y[4];
        for (size_t k = 0; k < 4; k++) {
            y[k] = (int) lround(3 + common + 0.8 * rsp_rng_normal(&rng));
            y[k] = y[k] < 1 ? 1 : y[k] > 5 ? 5 : y[k];
        }
        if (h == CONSTANT) y[3] = 4;
        if (h == COPIES) y[3] = y[2];
        if (h == EMPTY_CATEGORY && second && y[0] == 3) y[0] = 4;
        rsp_buf_printf(b, "%zu,%c,%d", i + 1, second ? 'b' : 'a', h == NO_WEIGHT && i % 4 < 2 ? 0 : 1 + (int) (i % 3));
        for (size_t k = 0; k < 4; k++) {
            bool gone = h == ALL_MISSING || (h == GAPS && rsp_rng_uniform(&rng) < 0.2);
            rsp_buf_printf(b, gone ? "," : ",%d", y[k]);
        }
        rsp_buf_putc(b, '\n');
    }
}

static const char *const kinds[] = {"estimator: ml",
                                    "estimator: mlr",
                                    "estimator: mlr, missing: fiml",
                                    "estimator: mlr, weights: design",
                                    "estimator: wlsmv",
                                    "estimator: mlr, group: g, equal: [loadings, intercepts]",
                                    "estimator: mlr, missing: fiml, group: g, equal: [loadings, intercepts]",
                                    "estimator: wlsmv, group: g, equal: [loadings, thresholds]",
                                    "estimator: wlsmv, weights: design, group: g",
                                    "estimator: wlsm, missing: pairwise",
                                    "estimator: dwls"};
enum { N_KINDS = sizeof kinds / sizeof *kinds };

static const char *const correlations[] = {"missing: pairwise", "correlation: spearman, weights: design",
                                           "correlation: polychoric, missing: pairwise, weights: design",
                                           "correlation: polychoric, ordered: [y1, y2]"};

static struct run analyse(harm h, size_t n) {
    rsp_buf yaml = {0}, data = {0};
    put("survey.csv", "type,name,label::en\ninteger,id,Id\nselect_one g,g,G\ndecimal,w,W\ninteger,y1,A\ninteger,y2,B\n"
                      "integer,y3,C\ninteger,y4,D\n");
    put("choices.csv", "list_name,name,label::en\ng,a,A\ng,b,B\n");
    rsp_buf_puts(&yaml, "study: s\ntitle: {en: S}\nlanguages: [en]\nsources:\n  - {files: data.csv, format: csv}\n"
                        "instrument: {survey: survey.csv, choices: choices.csv}\nroles: {id: id}\ndesign: {weight: w}\n"
                        "disclosure: off\nfactors:\n");
    for (size_t k = 0; k < N_KINDS; k++)
        rsp_buf_printf(
            &yaml, "  - {id: k%zu, model: 'f =~ y1 + y2 + y3 + y4', standardised: [all, lv], modification: yes, %s}\n",
            k, kinds[k]);
    for (size_t k = 0; k < sizeof correlations / sizeof *correlations; k++)
        rsp_buf_printf(&yaml, "  - {id: c%zu, kind: correlations, items: [y1, y2, y3, y4], by: [g], %s}\n", k,
                       correlations[k]);
    add_answers(&data, h, n);
    put("study.yaml", yaml.data);
    put("data.csv", data.data);
    rsp_buf_free(&yaml), rsp_buf_free(&data);
    return load_and_analyse(folder);
}

static const rsp_row *fit_row(const struct run *r, size_t kind, const char *statistic) {
    char id[8];
    snprintf(id, sizeof id, "k%zu", kind);
    for (size_t k = 0; k < r->results->n; k++)
        if (strcmp(r->results->rows[k].analysis, id) == 0 && strcmp(r->results->rows[k].statistic, statistic) == 0)
            return &r->results->rows[k];
    fail_msg("no row %s %s", id, statistic);
    return NULL;
}

/* A number stands exactly where no flag but `heywood` does. */
static void flagged_or_whole(const struct run *r) {
    for (size_t k = 0; k < r->results->n; k++) {
        const rsp_row *x = &r->results->rows[k];
        bool good = !(x->flags & ~(uint32_t) RSP_F_HEYWOOD), robust = strstr(x->statistic, "_robust");
        if (!good) assert_true(isnan(x->estimate) && isnan(x->se));
        else if (!robust) assert_true(isfinite(x->estimate));
        if (!isnan(x->se)) assert_true(x->se > 0 && isfinite(x->se));
    }
}

static void sound_data(void **state) {
    (void) state;
    struct run r = analyse(SOUND, 600);
    flagged_or_whole(&r);
    for (size_t k = 0; k < N_KINDS; k++) {
        assert_int_equal(fit_row(&r, k, "chisq")->flags, 0);
        assert_true(fit_row(&r, k, "cfi")->estimate > 0.97);
    }
    /* Complete answers: full information is maximum likelihood; only its errors are observed ones. */
    assert_true(fabs(fit_row(&r, 1, "chisq")->estimate - fit_row(&r, 2, "chisq")->estimate) < 1e-6);
    assert_true(fabs(fit_row(&r, 1, "chisq_scaled")->estimate - fit_row(&r, 2, "chisq_scaled")->estimate) < 1e-6);
    done(&r);
}

static void harmed_data(void **state) {
    static const struct {
        harm harm;
        uint32_t flag; /* of the models named by the bits of `of`; 0: any */
        unsigned of;
    } cases[] = {{CONSTANT, RSP_F_SINGULAR, 0x7ff},
                 {FEW, 0, 0},
                 {ALL_MISSING, RSP_F_EMPTY, 0x7ff},
                 {EMPTY_CATEGORY, RSP_F_SINGULAR, 1u << 7 | 1u << 8},
                 {COPIES, RSP_F_SINGULAR, 0x2f},
                 {GAPS, 0, 0},
                 {NO_WEIGHT, 0, 0}};
    (void) state;
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        struct run r = analyse(cases[c].harm, 300);
        flagged_or_whole(&r);
        for (size_t k = 0; k < N_KINDS; k++)
            if (cases[c].of >> k & 1) assert_int_equal(fit_row(&r, k, "chisq")->flags, cases[c].flag);
        done(&r);
    }
}

/* Rounding leaves some variance of a constant 0.1, which is none: no correlation rests on it, and no factor. */
static void constant_item(void **state) {
    rsp_buf data = {0};
    size_t pairs = 0;
    (void) state;
    put("survey.csv", "type,name,label::en\ninteger,id,Id\ndecimal,w,W\ninteger,y1,A\ninteger,y2,B\ndecimal,y3,C\n");
    put("choices.csv", "list_name,name,label::en\n");
    put("study.yaml",
        "study: s\ntitle: {en: S}\nlanguages: [en]\nsources:\n  - {files: data.csv, format: csv}\n"
        "instrument: {survey: survey.csv, choices: choices.csv}\nroles: {id: id}\ndesign: {weight: w}\n"
        "disclosure: off\nfactors:\n"
        "  - {id: plain, kind: correlations, items: [y1, y2, y3]}\n"
        "  - {id: weighted, kind: correlations, items: [y1, y2, y3], weights: design}\n"
        "  - {id: serial, kind: correlations, items: [y1, y2, y3], correlation: polychoric, ordered: [y1]}\n"
        "  - {id: none, kind: parallel, items: [y1, y2, y3]}\n");
    rsp_buf_puts(&data, "id,w,y1,y2,y3\n");
    for (int i = 0; i < 300; i++) rsp_buf_printf(&data, "%d,%d,%d,%d,0.1\n", i, 1 + i % 3, 1 + i % 4, 1 + i * i % 5);
    put("data.csv", data.data);
    struct run r = load_and_analyse(folder);
    for (size_t k = 0; k < r.results->n; k++) {
        const rsp_row *x = &r.results->rows[k];
        bool pair = strncmp(x->statistic, "correlation", 11) == 0;
        if (strcmp(x->analysis, "none") != 0 && (!pair || strcmp(x->level, "y3") != 0)) continue;
        assert_true(isnan(x->estimate) && (x->flags & RSP_F_SINGULAR));
        pairs += pair;
    }
    assert_int_equal(pairs, 6);
    done(&r);
    rsp_buf_free(&data);
}

/* ---- ordinal items in clusters ---------------------------------------------------------------------------------- */

/* 400 people who answer once (copies 1) or twice, in a cluster of their own; across: the copy is of the other group. */
static struct run clustered(size_t copies, bool across) {
    rsp_buf data = {0};
    rsp_rng rng;
    rsp_rng_init(&rng, 11, 0);
    put("survey.csv", "type,name,label::en\ninteger,id,Id\nselect_one g,g,G\ndecimal,w,W\ninteger,c,C\ninteger,y1,A\n"
                      "integer,y2,B\ninteger,y3,C\ninteger,y4,D\n");
    put("choices.csv", "list_name,name,label::en\ng,a,A\ng,b,B\n");
    put("study.yaml", "study: s\ntitle: {en: S}\nlanguages: [en]\nsources:\n  - {files: data.csv, format: csv}\n"
                      "instrument: {survey: survey.csv, choices: choices.csv}\nroles: {id: id}\n"
                      "design: {weight: w, cluster: c}\ndisclosure: off\nfactors:\n"
                      "  - {id: k0, model: 'f =~ y1 + y2 + y3 + y4', estimator: wlsmv, weights: design}\n"
                      "  - {id: k1, model: 'f =~ y1 + y2 + y3 + y4', estimator: wlsmv, weights: design, group: g, "
                      "equal: [loadings, thresholds]}\n");
    rsp_buf_puts(&data, "id,g,w,c,y1,y2,y3,y4\n");
    for (size_t i = 0; i < 400; i++) {
        double common = rsp_rng_normal(&rng);
        int y[4];
        for (size_t k = 0; k < 4; k++) {
            y[k] = (int) lround(2 + common + 0.8 * rsp_rng_normal(&rng));
            y[k] = y[k] < 1 ? 1 : y[k] > 3 ? 3 : y[k];
        }
        for (size_t c = 0; c < copies; c++)
            rsp_buf_printf(&data, "%zu,%c,%zu,%zu,%d,%d,%d,%d\n", 1000 * c + i, (across ? c : i) % 2 ? 'b' : 'a',
                           1 + i % 3, i, y[0], y[1], y[2], y[3]);
    }
    put("data.csv", data.data);
    rsp_buf_free(&data);
    return load_and_analyse(folder);
}

static const rsp_row *row_of(const struct run *r, const char *analysis, const char *domain, const char *level,
                             const char *statistic) {
    for (size_t k = 0; k < r->results->n; k++) {
        const rsp_row *x = &r->results->rows[k];
        if (strcmp(x->analysis, analysis) == 0 && strcmp(x->domain, domain) == 0 && strcmp(x->level, level) == 0 &&
            strcmp(x->term, "f") == 0 && strcmp(x->statistic, statistic) == 0)
            return x;
    }
    fail_msg("no row %s %s %s", analysis, level, statistic);
    return NULL;
}

/* Who answers twice says nothing new; a group that the other's clusters answer for a second time differs for certain by 0. */
static void clusters_of_copies(void **state) {
    (void) state;
    struct run once = clustered(1, false), twice = clustered(2, false), across = clustered(2, true);
    const rsp_row *x = row_of(&once, "k0", "", "y3", "loading"), *y = row_of(&twice, "k0", "", "y3", "loading");
    near(y->estimate, x->estimate, 1e-8);
    near(y->se, x->se * sqrt(800. / 799 / (400. / 399)), 1e-8); /* statistics rest on n - 1, as in lavaan */
    near(y->df, x->df, 0);
    x = row_of(&twice, "k1", "g=b", "", "intercept"), y = row_of(&across, "k1", "g=b", "", "intercept");
    assert_true(x->se > 0.05);
    near(y->estimate, 0, 1e-6);
    assert_true(isnan(y->se) || y->se < 1e-5);
    done(&once), done(&twice), done(&across);
}

/* ---- the bivariate normal distribution -------------------------------------------------------------------------- */

static void orthants(void **state) {
    (void) state;
    for (double r = -0.999; r < 1; r += 0.037) { /* Sheppard (1899) */
        assert_true(fabs(rsp_bivariate_normal(0, 0, r) - (0.25 + asin(r) / (2 * M_PI))) < 1e-13);
        double lower = rsp_bivariate_normal(0.7, -0.4, r) + rsp_bivariate_normal(0.7, 0.4, -r);
        assert_true(fabs(lower - 0.5 * erfc(-0.7 * M_SQRT1_2)) < 1e-12); /* Y and -Y share X */
    }
}

int main(void) {
    rsp_threads_set(0);
    const struct CMUnitTest tests[] = {cmocka_unit_test(sound_data), cmocka_unit_test(harmed_data),
                                       cmocka_unit_test(constant_item), cmocka_unit_test(clusters_of_copies),
                                       cmocka_unit_test(orthants)};
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
