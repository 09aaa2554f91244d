/* Verdicts on comparability: what they withhold, when they stay, and data that no ladder can be climbed on. Agreement of
 * every rung with lavaan on real data: test_reference. */
#include "measure/alignment.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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
} flaws;

static void write_answers(const flaws *f) {
    rsp_buf b = {0};
    rsp_rng r;
    rsp_rng_init(&r, 7, 0);
    rsp_buf_puts(&b, "id,g,i1,i2,i3,i4,f1,f2\n");
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
                if (f->nobody) rsp_buf_puts(&b, ",");
                else rsp_buf_printf(&b, ",%.6f", x[i]);
            double own = rsp_rng_normal(&r);
            rsp_buf_printf(&b, ",%.6f,%.6f\n", 0.5 * factor + rsp_rng_normal(&r), own);
        }
    put("data.csv", b.data);
    rsp_buf_free(&b);
}

static struct run analyse(const flaws *f) {
    put("survey.csv", "type,name,label::en\ninteger,id,Id\nselect_one g,g,G\ndecimal,i1,I1\ndecimal,i2,I2\ndecimal,i3,"
                      "I3\ndecimal,i4,I4\ndecimal,f1,F1\ndecimal,f2,F2\n");
    put("choices.csv", "list_name,name,label::en\ng,a,A\ng,b,B\ng,c,C\n");
    put("study.yaml",
        "study: s\ntitle: {en: S}\nlanguages: [en]\nsources:\n  - {files: data.csv, format: csv}\n"
        "instrument: {survey: survey.csv, choices: choices.csv}\nroles: {id: id}\ndisclosure: off\n"
        "derive:\n  - {name: score, mean: [i1, i2, i3, i4]}\n  - {name: points, type: decimal, expr: \"${score} * "
        "10\"}\n"
        "  - {name: double, type: decimal, expr: \"${i1} * 2\"}\n"
        "tables:\n  - {id: means, items: [points, i1, double], statistic: mean, by: [[], [g]], compare: yes}\n"
        "tests:\n  - {id: t, kind: kruskal, rows: score, columns: g}\n"
        "scales:\n  - {id: scales, name: side, items: [i1, i2, i3, i4]}\n"
        "factors:\n  - {id: ladder, kind: invariance, scales: [side], by: [g]}\n"
        "models:\n  - {id: m, kind: linear, formula: score ~ g}\n"
        "  - {id: outcome, kind: drivers, outcome: points, factors: [f1, f2], neutral: 0, across: g, replicates: 2}\n"
        "  - {id: factor, kind: drivers, outcome: f1, factors: [score, f2], neutral: 0, across: g, replicates: 2}\n"
        "  - {id: item, kind: drivers, outcome: i1, factors: [f1, f2], neutral: 0, across: g, replicates: 2}\n");
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
                                       cmocka_unit_test(drivers_are_withheld),
                                       cmocka_unit_test(verdicts_stay_within_the_margin),
                                       cmocka_unit_test(hostile),
                                       cmocka_unit_test(alignment_recovers_what_is_invariant)};
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
