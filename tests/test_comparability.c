/* Verdicts on comparability: what they withhold, when they stay, and data that no ladder can be climbed on. Agreement of
 * every rung with lavaan on real data: test_reference. */
#include "measure/alignment.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "made_up.h"

/* ---- a made-up study -------------------------------------------------------------------------------------------- */

/* What is odd about the data, besides 4 items of one factor in groups a, b and c of `n` respondents. */
typedef struct {
    size_t n, small; /* respondents of a group; of group c if not 0 */
    double shift;    /* added to the second item in group b */
    bool broken;     /* in group b two items answer to something else */
    bool constant;   /* the first item in group b */
    bool twins;      /* the second item is the first */
    bool one_group;  /* all in a */
    bool nobody;     /* no answers at all */
    bool steps;      /* answers are 1 to 4 */
    bool halves;     /* answers are 1 and 2 */
    bool hollow;     /* nobody in group b says 4 to the second item */
    bool gaps;       /* every tenth answer is missing */
    bool lonely;     /* one cluster in group c's stratum */
    bool weightless; /* weights of group c are 0 */
    const char *how; /* further keys of the ladder */
} flaws;

/* An item as it is answered: a number, or one of the steps. */
static double answer(const flaws *f, double x, size_t group, size_t item) {
    if (f->halves) return x > 0.4 * (double) item - 0.5 ? 2 : 1;
    if (!f->steps) return x;
    double step = fmin(4, fmax(1, floor(x + 3)));
    return f->hollow && group == 1 && item == 1 && step == 4 ? 3 : step;
}

static void write_answers(const flaws *f) {
    rsp_buf b = {0};
    rsp_rng r;
    rsp_rng_init(&r, 7, 0);
    rsp_buf_puts(&b, "id,g,i1,i2,i3,i4,f1,f2,w,unit\n");
    for (size_t g = 0, id = 1; g < 3; g++)
        for (size_t k = 0; k < (g == 2 && f->small ? f->small : f->n); k++, id++) {
            double factor = rsp_rng_normal(&r) + 0.3 * (double) g, other = rsp_rng_normal(&r), x[4];
            for (size_t i = 0; i < 4; i++)
                x[i] = 0.7 * (f->broken && g == 1 && i < 2 ? other : factor) + 0.6 * rsp_rng_normal(&r);
            if (g == 1) x[1] += f->shift;
            if (g == 1 && f->constant) x[0] = 1;
            if (f->twins) x[1] = x[0];
            rsp_buf_printf(&b, "%zu,%c", id, f->one_group ? 'a' : (int) ('a' + (int) g));
            for (size_t i = 0; i < 4; i++)
                if (f->nobody || (f->gaps && (3 * id + i) % 10 == 0)) rsp_buf_puts(&b, ",");
                else rsp_buf_printf(&b, ",%.6f", answer(f, x[i], g, i));
            double own = rsp_rng_normal(&r);
            rsp_buf_printf(&b, ",%.6f,%.6f", 0.5 * factor + rsp_rng_normal(&r), own);
            rsp_buf_printf(&b, ",%d,%zu\n", f->weightless && g == 2 ? 0 : 1 + (int) (id % 3),
                           f->lonely && g == 2 ? 1000 : g * 100 + k % 20);
        }
    put("data.csv", b.data);
    rsp_buf_free(&b);
}

static struct run analyse(const flaws *f) {
    put("survey.csv", "type,name,label::en\ninteger,id,Id\nselect_one g,g,G\ndecimal,i1,I1\ndecimal,i2,I2\ndecimal,i3,"
                      "I3\ndecimal,i4,I4\ndecimal,f1,F1\ndecimal,f2,F2\ndecimal,w,W\ninteger,unit,U\n");
    put("choices.csv", "list_name,name,label::en\ng,a,A\ng,b,B\ng,c,C\n");
    char ladder[400];
    snprintf(ladder, sizeof ladder, "factors:\n  - {id: ladder, kind: invariance, scales: [side], by: [g]%s%s}\n",
             f->how ? ", " : "", f->how ? f->how : "");
    bool designed = f->how && strstr(f->how, "design");
    rsp_buf b = {0};
    rsp_buf_puts(
        &b, "study: s\ntitle: {en: S}\nlanguages: [en]\nsources:\n  - {files: data.csv, format: csv}\n"
            "instrument: {survey: survey.csv, choices: choices.csv}\nroles: {id: id}\ndisclosure: off\n"
            "derive:\n  - {name: score, mean: [i1, i2, i3, i4]}\n  - {name: points, type: decimal, expr: \"${score} * "
            "10\"}\n"
            "  - {name: double, type: decimal, expr: \"${i1} * 2\"}\n"
            "tables:\n  - {id: means, items: [points, i1, double], statistic: mean, by: [[], [g]], compare: yes}\n"
            "tests:\n  - {id: t, kind: kruskal, rows: score, columns: g}\n"
            "scales:\n  - {id: scales, name: side, items: [i1, i2, i3, i4]}\n");
    rsp_buf_puts(&b, ladder);
    if (designed) rsp_buf_puts(&b, "design: {weight: w, strata: g, cluster: unit, lonely: fail}\n");
    else
        rsp_buf_puts(
            &b,
            "models:\n  - {id: m, kind: linear, formula: score ~ g}\n"
            "  - {id: exponential, kind: linear, formula: \"exp(score) ~ g + i1\"}\n"
            "  - {id: explains, kind: linear, formula: \"f1 ~ factor(g) * I(score / 2) + g:f2\"}\n"
            "  - {id: within, kind: linear, formula: \"f1 ~ score\"}\n"
            "  - {id: of_item, kind: linear, formula: \"i1 ~ g * f1\"}\n"
            "  - {id: pooled, kind: pooled, of: within, term: score, across: g}\n"
            "  - {id: pooled_item, kind: pooled, of: of_item, term: f1, across: g}\n"
            "  - {id: outcome, kind: drivers, outcome: points, factors: [f1, f2], neutral: 0, across: g, replicates: "
            "2}\n"
            "  - {id: factor, kind: drivers, outcome: f1, factors: [score, f2], neutral: 0, across: g, replicates: 2}\n"
            "  - {id: item, kind: drivers, outcome: i1, factors: [f1, f2], neutral: 0, across: g, replicates: 2}\n");
    put("study.yaml", b.data);
    rsp_buf_free(&b);
    write_answers(f);
    return load_and_analyse(folder);
}

static bool is(const char *a, const char *b) { return strcmp(a, b) == 0; }

/* domain, term or level NULL: any. */
static rsp_row *row_of(const struct run *r, const char *analysis, const char *domain, const char *term,
                       const char *level, const char *statistic) {
    for (size_t k = 0; k < r->results->n; k++) {
        rsp_row *x = &r->results->rows[k];
        if (is(x->analysis, analysis) && is(x->statistic, statistic) && (!domain || is(x->domain, domain)) &&
            (!term || is(x->term, term)) && (!level || is(x->level, level)))
            return x;
    }
    return NULL;
}

static rsp_row *verdict(const struct run *r) {
    rsp_row *x = row_of(r, "ladder", "", "side:g", NULL, "verdict");
    assert_non_null(x);
    return x;
}

static bool flagged(const struct run *r, const char *analysis, const char *domain, const char *term, const char *level,
                    const char *statistic) {
    const rsp_row *x = row_of(r, analysis, domain, term, level, statistic);
    assert_non_null(x);
    return x->flags & RSP_F_NOT_COMPARABLE;
}

/* ---- verdicts --------------------------------------------------------------------------------------------------- */

static void grades(void **state) {
    (void) state;
    struct run same = analyse(&(flaws){.n = 300}), shifted = analyse(&(flaws){.n = 300, .shift = 0.8}),
               broken = analyse(&(flaws){.n = 300, .broken = true});
    assert_string_equal(verdict(&same)->level, "comparable");
    assert_string_equal(verdict(&shifted)->level, "with_caution");
    assert_string_equal(verdict(&broken)->level, "not_comparable");
    const rsp_row *released = row_of(&shifted, "ladder", "", "side:g", NULL, "released");
    assert_non_null(released);
    assert_string_equal(released->level, "intercept:i2");
    assert_null(row_of(&same, "ladder", "", "side:g", NULL, "released"));
    /* The item moves group b most, and the means with it while it is held equal. */
    assert_true(row_of(&shifted, "ladder", "g=b", "side:g", "i2", "dmacs")->estimate > 0.5);
    assert_true(row_of(&shifted, "ladder", "g=b", "side:g", "i3", "dmacs")->estimate < 0.2);
    assert_true(row_of(&shifted, "ladder", "", "side:g", "partial", "mean_shift")->estimate > 0.1);
    done(&same), done(&shifted), done(&broken);
}

static void what_is_withheld(void **state) {
    (void) state;
    struct run good = analyse(&(flaws){.n = 300}), bad = analyse(&(flaws){.n = 300, .broken = true});
    rsp_settle_comparability(good.study, NULL, true, good.results);
    for (size_t k = 0; k < good.results->n; k++) assert_false(good.results->rows[k].flags & RSP_F_NOT_COMPARABLE);
    rsp_settle_comparability(bad.study, NULL, true, bad.results);
    assert_true(flagged(&bad, "means", "g=b", "points", "", "mean"));
    assert_true(flagged(&bad, "means", "", "points", "a-b", "difference"));
    assert_true(flagged(&bad, "t", NULL, NULL, NULL, "kruskal_f"));
    assert_true(flagged(&bad, "m", "", "g=b", "", "coefficient"));
    assert_false(flagged(&bad, "m", "", "(Intercept)", "", "coefficient"));
    assert_false(flagged(&bad, "means", "", "points", "", "mean"));    /* everybody: nothing is compared */
    assert_false(flagged(&bad, "means", "g=b", "i1", "", "mean"));     /* an item by itself is no score */
    assert_false(flagged(&bad, "means", "g=b", "double", "", "mean")); /* nor is what comes of one item */
    done(&good), done(&bad);
}

/* What models say about groups in which a score means something else: as outcome, as what explains it, and pooled. What
 * they say of everybody, of items and of other variables stays. */
static void models_are_withheld(void **state) {
    (void) state;
    struct run good = analyse(&(flaws){.n = 300}), bad = analyse(&(flaws){.n = 300, .broken = true});
    rsp_settle_comparability(good.study, NULL, true, good.results);
    rsp_settle_comparability(bad.study, NULL, true, bad.results);
    static const struct {
        const char *model, *term, *statistic;
        bool withheld;
    } rows[] = {{"exponential", "g=b", "coefficient", true},
                {"exponential", "i1", "coefficient", false},
                {"explains", "factor(g)=b:I(score/2)", "coefficient", true},
                {"explains", "I(score/2)", "coefficient", false},
                {"explains", "factor(g)=b", "coefficient", false},
                {"within", "score", "coefficient", false},
                {"of_item", "g=b", "coefficient", false},
                {"of_item", "g=b:f1", "coefficient", false},
                {"pooled", "", "pooled", true},
                {"pooled", "", "prediction", true},
                {"pooled_item", "", "pooled", false}};
    for (size_t k = 0; k < sizeof rows / sizeof *rows; k++) {
        if (flagged(&bad, rows[k].model, "", rows[k].term, NULL, rows[k].statistic) != rows[k].withheld)
            fail_msg("%s, %s", rows[k].model, rows[k].term);
        assert_false(flagged(&good, rows[k].model, "", rows[k].term, NULL, rows[k].statistic));
    }
    done(&good), done(&bad);
}

/* Verdicts on factors across groups in which the outcome, or the factor, means something else. */
static void drivers_are_withheld(void **state) {
    (void) state;
    struct run good = analyse(&(flaws){.n = 300}), bad = analyse(&(flaws){.n = 300, .broken = true});
    assert_string_equal(row_of(&bad, "outcome", "", "f1", NULL, "role")->level, "own");
    rsp_settle_comparability(good.study, NULL, true, good.results);
    rsp_settle_comparability(bad.study, NULL, true, bad.results);
    const char *const statistics[] = {"verdict", "role", "pooled", "prediction", "wald_f", "coefficient", "explained"};
    for (size_t k = 0; k < sizeof statistics / sizeof *statistics; k++) {
        assert_true(flagged(&bad, "outcome", "", "f1", NULL, statistics[k]));
        assert_true(flagged(&bad, "factor", "", "score", NULL, statistics[k]));
        assert_false(flagged(&bad, "factor", "", "f2", NULL, statistics[k]));
        assert_false(flagged(&bad, "item", "", "f1", NULL, statistics[k]));
        assert_false(flagged(&good, "outcome", "", "f1", NULL, statistics[k]));
    }
    assert_true(flagged(&bad, "outcome", "g=b", "f1", "", "coefficient"));
    assert_false(flagged(&bad, "outcome", "", "f1", "", "net")); /* a rating of the factor, which is comparable */
    assert_true(flagged(&bad, "factor", "g=b", "score", "", "net"));
    assert_string_equal(row_of(&bad, "outcome", "", "f1", NULL, "verdict")->level, "");
    assert_string_equal(row_of(&bad, "outcome", "", "f1", NULL, "role")->level, "");
    assert_string_equal(row_of(&bad, "item", "", "f1", NULL, "role")->level, "own");
    assert_string_equal(row_of(&good, "outcome", "", "f1", NULL, "role")->level, "own");
    assert_true(*row_of(&good, "outcome", "", "f1", NULL, "verdict")->level);
    done(&good), done(&bad);
}

/* A publication whose verdict is `grade`. */
static rsp_published *publication(const struct run *r, double grade, const char *word) {
    rsp_results *x = rsp_results_new();
    rsp_results_add(x, "ladder", NULL, "side:g", word, "verdict")->estimate = grade;
    rsp_published *p = rsp_disclose(r->study, x, NULL, true, r->diag);
    rsp_results_free(x);
    assert_non_null(p);
    return p;
}

static void verdicts_stay_within_the_margin(void **state) {
    (void) state;
    struct run r = analyse(&(flaws){.n = 300});
    rsp_published *before = publication(&r, 1, "with_caution");
    rsp_settle_comparability(r.study, before, false, r.results);
    assert_string_equal(verdict(&r)->level, "comparable"); /* clear: no cut-off within the margin says otherwise */
    verdict(&r)->lower = 1;
    rsp_settle_comparability(r.study, NULL, false, r.results);
    assert_string_equal(verdict(&r)->level, "comparable");
    rsp_settle_comparability(r.study, before, true, r.results);
    assert_string_equal(verdict(&r)->level, "comparable"); /* the freeze settles it */
    rsp_settle_comparability(r.study, before, false, r.results);
    assert_string_equal(verdict(&r)->level, "with_caution");
    assert_string_equal(row_of(&r, "ladder", "", "side:g", NULL, "verdict_computed")->level, "comparable");
    rsp_published_free(before);
    done(&r);
}

/* ---- hostile data ----------------------------------------------------------------------------------------------- */

static void no_row_is_infinite(const struct run *r) {
    for (size_t k = 0; k < r->results->n; k++) {
        const rsp_row *x = &r->results->rows[k];
        if (isinf(x->estimate) || isinf(x->se))
            fail_msg("infinite: %s %s %s %s", x->analysis, x->domain, x->term, x->statistic);
    }
}

static void hostile(void **state) {
    (void) state;
    struct run small = analyse(&(flaws){.n = 200, .small = 12});
    const rsp_row *out = row_of(&small, "ladder", "g=c", "side:g", NULL, "group_size");
    assert_non_null(out);
    assert_true(out->estimate == 12 && out->flags & RSP_F_LOW_BASE);
    assert_string_equal(verdict(&small)->level, "comparable"); /* of the two others */
    assert_null(row_of(&small, "ladder", "g=c", "side:g", "i1", "dmacs"));
    struct run constant = analyse(&(flaws){.n = 200, .constant = true});
    assert_true(row_of(&constant, "ladder", "g=b", "side:g", NULL, "group_size")->flags & RSP_F_SINGULAR);
    /* An outcome that is the same for all of a group has no errors there, and no weight in the pool. */
    assert_true(row_of(&constant, "item", "g=b", "f1", "", "coefficient")->flags & RSP_F_SINGULAR);
    assert_true(row_of(&constant, "item", "", "f1", "", "groups")->estimate == 2);
    struct run twins = analyse(&(flaws){.n = 200, .twins = true});
    assert_string_equal(verdict(&twins)->level, "not_comparable");
    assert_true(verdict(&twins)->flags & (RSP_F_SINGULAR | RSP_F_NOT_CONVERGED));
    struct run one = analyse(&(flaws){.n = 200, .one_group = true}),
               nobody = analyse(&(flaws){.n = 50, .nobody = true});
    assert_string_equal(verdict(&one)->level, "");
    assert_true(verdict(&one)->flags & RSP_F_EMPTY && verdict(&nobody)->flags & RSP_F_EMPTY);
    struct run *all[] = {&small, &constant, &twins, &one, &nobody};
    for (size_t k = 0; k < 5; k++) {
        rsp_settle_comparability(all[k]->study, NULL, true, all[k]->results);
        no_row_is_infinite(all[k]);
        done(all[k]);
    }
}

/* Weights, missing and ordinal answers: the same grades where nothing is odd, flags and finite numbers where something is. */
static void other_estimators(void **state) {
    (void) state;
    static const char *const how[] = {"weights: design",
                                      "missing: fiml",
                                      "estimator: ml, missing: fiml",
                                      "weights: design, missing: fiml",
                                      "estimator: wlsmv",
                                      "estimator: wlsmv, missing: pairwise",
                                      "estimator: wlsm, weights: design",
                                      "estimator: wlsmv, ordered: [i1, i2]"};
    for (size_t k = 0; k < sizeof how / sizeof *how; k++) {
        flaws f = {.n = 300, .how = how[k], .steps = k >= 4, .gaps = strstr(how[k], "missing")};
        struct run same = analyse(&f);
        f.shift = 0.8;
        struct run shifted = analyse(&f);
        f.shift = 0, f.broken = true;
        struct run broken = analyse(&f);
        assert_string_equal(verdict(&same)->level, "comparable");
        assert_string_equal(verdict(&shifted)->level, "with_caution");
        assert_string_equal(row_of(&shifted, "ladder", "", "side:g", NULL, "released")->level, "intercept:i2");
        assert_string_not_equal(verdict(&broken)->level, "comparable");
        assert_true(row_of(&shifted, "ladder", "g=b", "side:g", "i2", "dmacs")->estimate >
                    2 * row_of(&shifted, "ladder", "g=b", "side:g", "i3", "dmacs")->estimate);
        assert_true(row_of(&shifted, "ladder", "", "side:g", "scalar", "delta_chisq")->p < 1e-6);
        assert_true(row_of(&same, "ladder", "", "side:g", "metric", "delta_chisq")->p > 1e-3);
        struct run *all[] = {&same, &shifted, &broken};
        for (size_t j = 0; j < 3; j++) no_row_is_infinite(all[j]), done(all[j]);
    }
}

static void hostile_to_other_estimators(void **state) {
    (void) state;
    static const char *const how[] = {"weights: design", "missing: fiml", "estimator: wlsmv",
                                      "estimator: wlsmv, weights: design", "estimator: wlsmv, missing: pairwise"};
    for (size_t k = 0; k < sizeof how / sizeof *how; k++) {
        bool steps = k >= 2, weighted = strstr(how[k], "design");
        const flaws odd[] = {{.n = 200, .small = 12},       {.n = 200, .constant = true},   {.n = 200, .twins = true},
                             {.n = 200, .one_group = true}, {.n = 50, .nobody = true},      {.n = 12},
                             {.n = 200, .hollow = true},    {.n = 200, .weightless = true}, {.n = 200, .lonely = true}};
        for (size_t j = 0; j < sizeof odd / sizeof *odd; j++) {
            flaws f = odd[j];
            f.how = how[k], f.steps = steps, f.gaps = strstr(how[k], "missing");
            struct run r = analyse(&f);
            const rsp_row *left_out = row_of(&r, "ladder", NULL, "side:g", NULL, "group_size"), *v = verdict(&r);
            no_row_is_infinite(&r);
            if (f.small) assert_true(is(left_out->domain, "g=c") && left_out->flags & RSP_F_LOW_BASE);
            if (f.small) assert_string_equal(v->level, "comparable"); /* of the two others */
            if (f.constant) assert_true(is(left_out->domain, "g=b") && left_out->flags & RSP_F_SINGULAR);
            if (f.hollow && steps) assert_true(is(left_out->domain, "g=b") && left_out->flags & RSP_F_SINGULAR);
            if (f.hollow && !steps) assert_null(left_out);
            if (f.twins) assert_true(v->flags & (RSP_F_SINGULAR | RSP_F_NOT_CONVERGED));
            if (f.one_group || f.nobody || f.n == 12) assert_true(v->flags & RSP_F_EMPTY);
            if (f.weightless && weighted) assert_null(row_of(&r, "ladder", "g=c", NULL, NULL, "latent_mean"));
            if (f.lonely) assert_true(!(v->flags & RSP_F_LONELY) == !weighted);
            done(&r);
        }
    }
}

/* Two answers have one threshold: only the scalar rung asks something. */
static void two_answers(void **state) {
    (void) state;
    struct run r = analyse(&(flaws){.n = 400, .halves = true, .how = "estimator: wlsmv"});
    const rsp_row *before = row_of(&r, "ladder", "", "side:g", "configural", "chisq_scaled");
    static const char *const levels[] = {"threshold", "metric"};
    for (size_t k = 0; k < 2; k++) {
        const rsp_row *x = row_of(&r, "ladder", "", "side:g", levels[k], "chisq_scaled");
        assert_true(x->df == before->df && fabs(x->estimate - before->estimate) < 1e-6);
        assert_null(row_of(&r, "ladder", "", "side:g", levels[k], "delta_chisq"));
    }
    assert_true(row_of(&r, "ladder", "", "side:g", "scalar", "delta_chisq")->df ==
                4); /* 2 items less 2 of 4, 2 groups */
    assert_string_equal(verdict(&r)->level, "comparable");
    done(&r);
}

/* ---- alignment -------------------------------------------------------------------------------------------------- */

/* Where every item means the same everywhere, alignment finds the means and variances that made the groups. */
static void alignment_recovers_what_is_invariant(void **state) {
    (void) state;
    static const double mean[] = {0, 0.5, -0.4}, sd[] = {1, 1.3, 0.8}, lambda[] = {0.7, 0.9, 0.5, 1.1},
                        nu[] = {3, 2.5, 3.3, 2.9}, n[] = {200, 500, 300};
    double loading[12], intercept[12], found_mean[3], found_sd[3], loss;
    for (size_t g = 0; g < 3; g++)
        for (size_t i = 0; i < 4; i++) {
            loading[g * 4 + i] = lambda[i] * sd[g];
            intercept[g * 4 + i] = nu[i] + lambda[i] * mean[g];
        }
    assert_true(rsp_align(&(rsp_unaligned){3, 4, n, loading, intercept}, found_mean, found_sd, &loss));
    for (size_t g = 0; g < 3; g++) {
        assert_true(fabs(found_mean[g] - mean[g]) < 1e-8);
        assert_true(fabs(found_sd[g] - sd[g]) < 1e-8);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(grades),
                                       cmocka_unit_test(what_is_withheld),
                                       cmocka_unit_test(models_are_withheld),
                                       cmocka_unit_test(drivers_are_withheld),
                                       cmocka_unit_test(verdicts_stay_within_the_margin),
                                       cmocka_unit_test(hostile),
                                       cmocka_unit_test(other_estimators),
                                       cmocka_unit_test(hostile_to_other_estimators),
                                       cmocka_unit_test(two_answers),
                                       cmocka_unit_test(alignment_recovers_what_is_invariant)};
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
