/* Tables, comparisons and tests: twelve respondents worked out by hand, kernels against published values and R, and
 * properties that hold for every statistic. Agreement with R on real data: test_reference. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "made_up.h"

#include "estimate/estimate.h"

/* ---- a study's rows --------------------------------------------------------------------------------------------- */

static void estimate(struct run *r) {
    for (size_t k = 0; k < r->study->n_analyses; k++) {
        const rsp_analysis *a = &r->study->analyses[k];
        if (a->kind == RSP_A_TABLE) rsp_estimate_table(r->sample, a, r->results, r->diag);
        if (a->kind == RSP_A_TEST) rsp_estimate_test(r->sample, a, r->results, r->diag);
    }
}

static void unload(struct run *r) {
    rsp_results_free(r->results);
    rsp_sample_free(r->sample);
    rsp_frame_free(r->frame);
    rsp_study_free(r->study);
    rsp_diag_free(r->diag);
}

static const rsp_row *row(const struct run *r, const char *analysis, const char *domain, const char *term,
                          const char *level, const char *statistic) {
    for (size_t i = 0; i < r->results->n; i++) {
        const rsp_row *x = &r->results->rows[i];
        if (!strcmp(x->analysis, analysis) && !strcmp(x->domain, domain) && !strcmp(x->term, term) &&
            !strcmp(x->level, level) && !strcmp(x->statistic, statistic))
            return x;
    }
    fail_msg("no row %s | %s | %s | %s | %s", analysis, domain, term, level, statistic);
    return NULL;
}

static struct run by_hand;

static int open_by_hand(void **state) {
    (void) state;
    by_hand = load("fixtures/estimate");
    estimate(&by_hand);
    return 0;
}

static int close_by_hand(void **state) {
    (void) state;
    unload(&by_hand);
    return 0;
}

#define ROW(...) row(&by_hand, __VA_ARGS__)

/* ---- by hand ---------------------------------------------------------------------------------------------------- */

/* Poland: 10 20 30 40 60 and one missing of 6 rows; Portugal: 10 12 17 21. Means 32 and 15, their average 23.5.
 * Variance: (6/5 * 1480/25 + 4/3 * 74/16) / 4; 9 clusters less 2 strata. */
static void average_of_countries(void **state) {
    (void) state;
    const rsp_row *x = ROW("x", "", "x", "", "mean");
    near(x->estimate, 23.5, 1e-14);
    near(x->se * x->se, (71.04 + 74 / 12.0) / 4, 1e-14);
    near(x->df, 7, 0);
    near(x->n, 9, 0);
    near(x->upper - x->estimate, 2.364624251592785 * x->se, 1e-12); /* qt(0.975, 7) */
    assert_int_equal(x->base, 9);
    assert_int_equal(x->organisations, -1);
    assert_true(x->flags & RSP_F_LOW_BASE);
    /* pooled, countries' weights equal: mean 23.5, variance 9/8 * (mean of 1480/5 and 74/4, plus 8.5 squared) */
    near(x->deff, x->se * x->se / ((1480 / 10.0 + 74 / 8.0 + 72.25) / 8), 1e-12);
    near(x->n_eff, 9 / x->deff, 1e-12);
    near(ROW("x_total", "", "x", "", "total")->estimate, (160 + 60) / 2.0, 1e-14);
    near(ROW("x_total", "", "x", "", "total")->largest, 60 / 220.0, 1e-14);
}

static void countries_with_too_few_answers(void **state) {
    (void) state;
    const rsp_row *x = ROW("x", "country=DK", "x", "", "mean");
    assert_int_equal(x->flags, RSP_F_NOT_ELIGIBLE);
    assert_int_equal(x->base, 0); /* else disclosure control would hide another country's row to protect it */
    assert_true(isnan(x->estimate) && isnan(x->n) && isnan(x->se));
    x = ROW("x_compare", "", "x", "PL-DK", "difference");
    assert_true(isnan(x->estimate) && x->flags & RSP_F_NOT_ELIGIBLE);
}

static void empty_and_tiny_domains(void **state) {
    (void) state;
    const rsp_row *x = ROW("x", "view=3", "x", "", "mean"); /* the one respondent has no x */
    assert_true(x->flags & RSP_F_EMPTY);
    assert_true(isnan(x->estimate) && x->n == 0 && x->base == 0);
    x = ROW("x", "view=4", "x", "", "mean");
    near(x->estimate, 20, 0);
    assert_true(x->flags & RSP_F_NO_DF && isnan(x->se) && isnan(x->lower) && isnan(x->df));
    assert_true(ROW("views", "country=PL", "x", "", "mean")->flags & RSP_F_EMPTY);
    near(ROW("women", "country=PL", "x", "", "mean")->estimate, 30, 1e-14);
}

static void shares(void **state) {
    (void) state;
    near(ROW("view", "", "view", "5", "proportion")->estimate, (1 / 5.0 + 2 / 4.0) / 2, 1e-14);
    near(ROW("view", "", "view", "dk", "proportion_missing")->estimate, (1 / 6.0 + 0) / 2, 1e-14);
    near(ROW("view", "", "view", "dk", "proportion_missing")->n, 10, 0);
    const rsp_row *none = ROW("view", "country=PT", "view", "3", "proportion");
    assert_true(none->estimate == 0 && none->se == 0 && none->lower == 0 && none->cell == 0);
    near(none->upper, 1 - pow(0.025, 0.25), 1e-12); /* Clopper-Pearson of 0 in 4; t quantiles of 3 df cancel */
    assert_true(isnan(none->deff));
    const rsp_row *half = ROW("view", "country=PT", "view", "5", "proportion");
    near(half->se * half->se, 4 / 3.0 * 4 * 0.25 / 16, 1e-14);
    near(log(half->upper / (1 - half->upper)), 3.182446305284263 * half->se / 0.25, 1e-12); /* qt(0.975, 3) */
    assert_int_equal(half->cell, 2);
    near(half->deff, 1, 1e-12);
    near(ROW("view_net", "", "view", "", "net")->estimate, 0, 1e-15);
    near(ROW("view_top2", "", "view", "", "top2")->estimate, (2 / 5.0 + 2 / 4.0) / 2, 1e-14);
    near(ROW("view_count", "country=PL", "tools", "a", "count")->estimate, 3, 0);
    near(ROW("view_count", "country=PT", "view", "3", "count")->estimate, 0, 0);
    near(ROW("view_count", "country=PL", "x", "", "count")->estimate, 5, 0);
}

static void questions_in_parts(void **state) {
    (void) state;
    const rsp_row *b = ROW("tools", "", "tools", "b", "proportion");
    near(b->estimate, (2 / 6.0 + 3 / 4.0) / 2, 1e-14);
    near(b->n, 10, 0);
    near(ROW("wishes", "", "wishes", "x", "proportion")->estimate, (5 / 6.0 + 2 / 4.0) / 2, 1e-14);
    const rsp_row *rank = ROW("wishes", "", "wishes", "x", "mean_rank");
    near(rank->estimate, ((1 + 2 + 1 + 3 + 1) / 5.0 + (1 + 2) / 2.0) / 2, 1e-14);
    near(rank->n, 7, 0);
    near(rank->df, 5, 0);
}

static void spread(void **state) {
    (void) state;
    near(ROW("x_sd", "country=PL", "x", "", "sd")->estimate, sqrt(1480 / 4.0), 1e-13);
    near(ROW("x_sd", "country=PL", "view", "", "sd")->estimate, sqrt(2.5), 1e-13);
    near(ROW("x_sd", "country=PT", "view", "", "sd")->estimate, sqrt(4.25), 1e-13); /* 5 5 1 2 */
}

/* Cumulated with equal country sums: 10: .225, 12: .35, 17: .475, 20: .575. */
static void quantiles(void **state) {
    (void) state;
    const rsp_row *x = ROW("x_median", "", "x", "", "median");
    near(x->estimate, 20, 0);
    assert_int_equal(x->tail, 5);
    near(ROW("x_quantile", "", "x", "0.9", "quantile")->estimate, 40, 0);
    near(ROW("x_quantile", "", "x", "0.1", "quantile")->estimate, 10, 0);
    assert_true(isnan(ROW("x_quantile", "", "x", "0.1", "quantile")->lower));
    near(x->se, (x->upper - x->lower) / (2 * 2.364624251592785), 1e-12);
}

static void comparisons(void **state) {
    (void) state;
    const rsp_row *pair = ROW("x_compare", "", "x", "PL-PT", "difference");
    near(pair->estimate, 17, 1e-14);
    near(pair->se * pair->se, 71.04 + 74 / 12.0, 1e-13);
    near(pair->df, 7, 0);
    near(pair->n, 9, 0);
    assert_string_equal(pair->sides[0], "country=PL");
    assert_string_equal(pair->sides[1], "country=PT");
    const rsp_row *average = ROW("x_compare", "", "x", "PL-average", "difference");
    near(average->estimate, 8.5, 1e-14);
    near(average->se, pair->se / 2, 1e-13);
    assert_null(average->sides[1]);
    near(pair->p_adj, fmin(1, 4 * pair->p), 1e-14); /* four tests: three of countries alike, one of sex */
    const rsp_row *level = ROW("view_compare", "country=PL", "view=1", "f-m", "difference");
    near(level->estimate, 1 / 3.0, 1e-14);
    const rsp_row *same = ROW("view_compare", "country=PT", "view=3", "f-m", "difference");
    assert_true(same->estimate == 0 && isnan(same->se) && isnan(same->p) && isnan(same->p_adj));
}

/* Two crossings whose levels are called alike: the key of a difference names the variable. */
static void differences_have_keys_of_their_own(void **state) {
    (void) state;
    near(ROW("ticks", "", "x", "tools_a=0-1", "difference")->n, 9, 0);
    near(ROW("ticks", "", "x", "tools_b=0-1", "difference")->n, 9, 0);
    for (size_t i = 0; i < by_hand.results->n; i++)
        for (size_t j = 0; j < i; j++) {
            const rsp_row *a = &by_hand.results->rows[i], *b = &by_hand.results->rows[j];
            assert_false(!strcmp(a->analysis, b->analysis) && !strcmp(a->domain, b->domain) &&
                         !strcmp(a->term, b->term) && !strcmp(a->level, b->level) &&
                         !strcmp(a->statistic, b->statistic));
        }
}

static void order_of_rows(void **state) {
    (void) state;
    const char *const domains[] = {"", "country=PL", "country=PT", "country=DK", "view=1"};
    size_t at = 0;
    while (strcmp(by_hand.results->rows[at].analysis, "x")) at++;
    for (size_t k = 0; k < 5; k++) assert_string_equal(by_hand.results->rows[at + k].domain, domains[k]);
}

/* R 4.2, survey 4.1 on the ten of Poland and Portugal, stratified by country: svychisq (Wald, F) and svyttest with
 * weights 1/6 and 1/4, which give each country the same sum; svyranktest with weights 1. */
static void tests_of_hypotheses(void **state) {
    (void) state;
    const rsp_row *f = ROW("wald", "", "tools_a", "", "wald_f");
    near(f->estimate, 3, 1e-12);
    near(f->df, 8, 0);
    near(f->df1, 1, 0);
    near(f->p, 0.121502918817, 1e-11);
    f = ROW("rao_scott", "", "tools_a", "", "rao_scott_f");
    near(f->estimate, 2.25, 1e-12);
    near(f->df1, 1, 1e-12);
    near(f->p, 0.172003291952, 1e-11);
    const rsp_row *t = ROW("t", "", "x", "", "t");
    near(t->estimate, 0.509488462332, 1e-11);
    near(t->df, 6, 0);
    near(t->p, 0.628600706353, 1e-11);
    const rsp_row *k = ROW("kruskal", "", "x", "", "kruskal_f");
    near(k->estimate, 2.374066215156, 1e-11);
    near(k->p, 0.174297773688, 1e-11);
}

/* ---- kernels ---------------------------------------------------------------------------------------------------- */

static void holm(void **state) { /* R: p.adjust(c(0.01, 0.04, NA, 0.03, 0.005), "holm") */
    (void) state;
    const double p[] = {0.01, 0.04, NAN, 0.03, 0.005}, want[] = {0.03, 0.06, NAN, 0.06, 0.02};
    double got[5];
    est_holm(p, 5, got);
    for (size_t k = 0; k < 5; k++) {
        if (isnan(want[k])) assert_true(isnan(got[k]));
        else near(got[k], want[k], 1e-15);
    }
}

static void share_intervals(void **state) {
    (void) state;
    double low, high;
    est_share_interval(0.505262606633, 0.0069994653618, 5377, 5381, &low, &high); /* wvs: R svyciprop, logit */
    near(low, 0.491540299299, 1e-9);
    near(high, 0.518976990004, 1e-9);
    est_share_interval(0, 0, 110, 113, &low, &high); /* apistrat, awards: Korn-Graubard */
    assert_true(low == 0);
    near(high, 0.0321304059679, 1e-9);
    est_share_interval(1, 0, 15, 16, &low, &high);
    near(low, 0.794092785792, 1e-9);
    assert_true(high == 1);
    est_share_interval(0.5, 0.1, 0, 2, &low, &high);
    assert_true(isnan(low) && isnan(high));
}

/* The gradient that linearisation uses is the derivative of the statistic by its totals, whatever the form. */
static void check_gradient(const est_people *who, const est_item *it, const est_form *f, size_t domain) {
    size_t k = it->measure.k, n = who->n_countries * k, first = domain * n;
    double *g = rsp_malloc(n * sizeof *g);
    est_gradient_of(who, it, f, domain, g);
    for (size_t l = 0; l < n; l++) {
        double at = it->full[first + l], step = 1e-5 * fmax(1, fabs(at));
        it->full[first + l] = at + step;
        double above = est_value_of(who, it, f, domain, it->full);
        it->full[first + l] = at - step;
        double below = est_value_of(who, it, f, domain, it->full);
        it->full[first + l] = at;
        near(g[l], (above - below) / (2 * step), 1e-7);
    }
    free(g);
}

static void gradients(void **state) {
    (void) state;
    static const rsp_crossing everybody = {0, NULL};
    for (size_t j = 0; j < by_hand.study->n_analyses; j++) {
        const rsp_analysis *a = &by_hand.study->analyses[j];
        if (a->kind != RSP_A_TABLE || a->table.statistic == RSP_COUNT) continue;
        rsp_arena *arena = rsp_arena_new();
        est_items items;
        est_people *who =
            est_people_new(by_hand.sample, &everybody, NULL, EST_AS_SCALED, RSP_NOWHERE, arena, by_hand.diag);
        assert_non_null(who);
        assert_int_equal(who->n_countries, 3);
        assert_true(est_items_new(by_hand.frame, a, who, arena, &items, by_hand.diag));
        for (size_t i = 0; i < items.n; i++) {
            est_totals_full(who, &items.items[i]);
            for (size_t f = 0; f < items.items[i].n_forms; f++)
                check_gradient(who, &items.items[i], &items.items[i].forms[f], 0);
        }
        rsp_arena_free(arena);
    }
}

/* ---- properties ------------------------------------------------------------------------------------------------- */

static bool same(double a, double b) { return memcmp(&a, &b, sizeof a) == 0 || (isnan(a) && isnan(b)); }

static void threads_do_not_matter(void **state) {
    (void) state;
    struct run r[2];
    for (int jobs = 0; jobs < 2; jobs++) {
        rsp_threads_set(jobs ? 4 : 1);
        r[jobs] = load("fixtures/reference/nhanes_brr");
        estimate(&r[jobs]);
    }
    rsp_threads_set(0);
    assert_int_equal(r[0].results->n, r[1].results->n);
    for (size_t i = 0; i < r[0].results->n; i++) {
        const rsp_row *a = &r[0].results->rows[i], *b = &r[1].results->rows[i];
        assert_true(same(a->estimate, b->estimate) && same(a->se, b->se) && same(a->deff, b->deff) &&
                    same(a->lower, b->lower));
    }
    unload(&r[0]);
    unload(&r[1]);
}

static void same_rows(const rsp_results *a, size_t from, const rsp_results *b) {
    for (size_t i = 0; i < b->n; i++) {
        const rsp_row *x = &a->rows[from + i], *y = &b->rows[i];
        assert_true(from + i < a->n && !strcmp(x->analysis, y->analysis) && !strcmp(x->term, y->term));
        assert_true(same(x->estimate, y->estimate) && same(x->se, y->se) && same(x->df, y->df) && same(x->n, y->n) &&
                    same(x->lower, y->lower) && same(x->upper, y->upper) && same(x->deff, y->deff));
        assert_true(x->base == y->base && x->cell == y->cell && x->organisations == y->organisations &&
                    x->flags == y->flags && x->tail == y->tail);
    }
}

/* Every table of the study alone, with nobody to share totals with, one after the other. */
static void estimate_alone(struct run *r) {
    rsp_analysis *all = r->study->analyses;
    size_t n = r->study->n_analyses;
    r->study->n_analyses = 1;
    for (size_t k = 0; k < n; k++) {
        r->study->analyses = all + k;
        if (all[k].kind == RSP_A_TABLE) rsp_estimate_table(r->sample, &all[k], r->results, r->diag);
        assert_null(r->sample->kept);
    }
    r->study->analyses = all;
    r->study->n_analyses = n;
}

static void estimate_side_by_side(struct run *r) {
    rsp_results *each[64];
    size_t n = r->study->n_analyses, at = 0;
    assert_true(n <= 64);
    for (size_t k = 0; k < n; k++) rsp_estimate_prepare(r->sample, &r->study->analyses[k], r->diag);
    assert_non_null(r->sample->kept);
#pragma omp parallel for schedule(dynamic, 1) num_threads(3)
    for (size_t k = 0; k < n; k++) {
        each[k] = rsp_results_new();
        if (r->study->analyses[k].kind != RSP_A_TABLE) continue;
        rsp_diag *d = rsp_diag_new();
        rsp_estimate_table(r->sample, &r->study->analyses[k], each[k], d);
        rsp_diag_free(d);
    }
    for (size_t k = 0; k < n; at += each[k]->n, k++) same_rows(r->results, at, each[k]);
    assert_true(at > 0 && at <= r->results->n);
    for (size_t k = 0; k < n; k++) rsp_results_free(each[k]);
}

/* Tables of the same items in the same groups share their totals: no bit of a row tells. Averages of countries, "don't know",
 * replicates and linearised errors. */
static void totals_are_shared(void **state) {
    static const char *const folders[] = {"fixtures/reference/wvs_equal", "fixtures/estimate"};
    (void) state;
    for (size_t c = 0; c < 4; c++) {
        struct run together = load(folders[c / 2]), alone = load(folders[c / 2]), parallel = load(folders[c / 2]);
        const struct run *all[] = {&together, &alone, &parallel};
        for (size_t k = 0; c % 2 && k < 3 * together.study->n_analyses; k++) {
            rsp_variance_spec *v = &all[k % 3]->study->analyses[k / 3].variance;
            if (k / 3 % 4) *v = (rsp_variance_spec){.method = RSP_BOOTSTRAP, .replicates = 40, .seed = 3};
        }
        estimate_alone(&alone);
        for (size_t k = 0; k < together.study->n_analyses; k++)
            if (together.study->analyses[k].kind == RSP_A_TABLE)
                rsp_estimate_table(together.sample, &together.study->analyses[k], together.results, together.diag);
        assert_non_null(together.sample->kept);
        assert_int_equal(together.results->n, alone.results->n);
        same_rows(together.results, 0, alone.results);
        rsp_results_free(parallel.results);
        parallel.results = alone.results;
        estimate_side_by_side(&parallel);
        parallel.results = rsp_results_new();
        unload(&together), unload(&alone), unload(&parallel);
    }
}

enum { BUNDLED = 9 };

/* A replicate's totals of an item, row by row under its plain weights. */
static void plain_totals(const est_people *who, const est_item *it, const double *w, double *totals) {
    size_t k = it->measure.k, size = who->n_domains * who->n_countries * k;
    memset(totals, 0, size * sizeof *totals);
    for (size_t i = 0; i < who->sample->n; i++) {
        int level = est_level(&it->measure, i);
        if (who->cell[i] >= 0 && level >= 0) totals[(size_t) who->cell[i] * k + (size_t) level] += w[i];
    }
}

/* Items of few levels are counted several at once, those of many levels and in small cells one by one: the totals of every
 * replicate are those of its weights. */
static void items_in_bundles(void **state) {
    static const size_t levels[BUNDLED] = {5, 5, 5, 2, 2, 2, 2, 40, 5};
    (void) state;
    struct run r = load("specs/wvs");
    rsp_arena *a = rsp_arena_new();
    rsp_rng rng;
    rsp_rng_init(&rng, 11, 0);
    size_t variables[] = {rsp_study_variable(r.study, "country"), rsp_study_variable(r.study, "gender"),
                          rsp_study_variable(r.study, "age")};
    rsp_variance_spec spec = {.method = RSP_BOOTSTRAP, .replicates = 21, .seed = 5};
    const rsp_replicates *reps = rsp_replicates_get(r.sample, &spec, RSP_NOWHERE, r.diag);
    est_item items[BUNDLED];
    for (size_t j = 0; j < BUNDLED; j++) {
        int8_t *code = RSP_ARRAY(a, int8_t, r.frame->n);
        for (size_t i = 0; i < r.frame->n; i++)
            code[i] = (int8_t) ((int) rsp_rng_below(&rng, (uint32_t) levels[j] + 1) - (i % 3 == 0));
        for (size_t i = 0; i < r.frame->n; i++)
            if (code[i] == (int) levels[j]) code[i] = -2;
        items[j] = (est_item){.term = "", .measure = {.kind = EST_LEVELS, .k = levels[j], .c8 = code}};
    }
    for (size_t depth = 0; depth <= 3; depth++) { /* from everybody to cells of a few rows */
        rsp_crossing by = {depth, variables};
        est_people *who = est_people_new(r.sample, &by, NULL, EST_OWN_WEIGHTS, RSP_NOWHERE, a, r.diag);
        assert_non_null(who);
        size_t stride = 0, cells = who->n_domains * who->n_countries;
        for (size_t j = 0; j < BUNDLED; j++) {
            items[j].offset = stride;
            stride += cells * levels[j];
        }
        double *rep = rsp_malloc(21 * stride * sizeof *rep), *w = rsp_malloc(r.frame->n * sizeof *w),
               *plain = rsp_malloc(stride * sizeof *plain);
        est_totals_replicates(who, items, BUNDLED, reps, stride, rep);
        for (size_t k = 0; k < 21; k++) {
            rsp_replicate_weights(reps, k, w);
            for (size_t j = 0; j < BUNDLED; j++) {
                plain_totals(who, &items[j], w, plain);
                for (size_t t = 0; t < cells * levels[j]; t++)
                    near(rep[k * stride + items[j].offset + t], plain[t], 1e-12);
            }
        }
        free(rep), free(w), free(plain);
    }
    rsp_arena_free(a);
    unload(&r);
}

/* The jackknife of a linear statistic is the linearised variance; of a mean it is near it. */
static void jackknife_and_linearised(void **state) {
    (void) state;
    double linearised = ROW("x", "", "x", "", "mean")->se, jackknife = ROW("jackknife", "", "x", "", "mean")->se;
    assert_true(fabs(jackknife / linearised - 1) < 0.1 && jackknife != linearised);
    near(ROW("jackknife_total", "", "x", "", "total")->se, ROW("x_total", "", "x", "", "total")->se, 1e-12);
}

/* ---- wrong requests --------------------------------------------------------------------------------------------- */

/* The loader refuses these; the station must not rely on it. */
static void wrong_requests(void **state) {
    (void) state;
    size_t remark = rsp_study_variable(by_hand.study, "remark"), tools = rsp_study_variable(by_hand.study, "tools");
    size_t x = rsp_study_variable(by_hand.study, "x");
    rsp_crossing by = {1, &tools};
    rsp_analysis text = {
        .id = "text", .kind = RSP_A_TABLE, .table = {.statistic = RSP_MEAN, .n_items = 1, .items = &remark}};
    rsp_analysis cross = {.id = "cross",
                          .kind = RSP_A_TABLE,
                          .table = {.statistic = RSP_MEAN, .n_items = 1, .items = &x, .n_by = 1, .by = &by}};
    rsp_analysis net = {
        .id = "net", .kind = RSP_A_TABLE, .table = {.statistic = RSP_NET, .n_items = 1, .items = &tools}};
    rsp_analysis test = {.id = "test", .kind = RSP_A_TEST, .test = {RSP_TEST_T, remark, x}};
    rsp_results *out = rsp_results_new();
    rsp_diag *d = rsp_diag_new();
    rsp_estimate_table(by_hand.sample, &text, out, d);
    assert_int_equal(rsp_diag_errors(d), 1);
    rsp_estimate_table(by_hand.sample, &cross, out, d);
    assert_int_equal(rsp_diag_errors(d), 2);
    rsp_estimate_table(by_hand.sample, &net, out, d);
    assert_int_equal(rsp_diag_errors(d), 3);
    rsp_estimate_test(by_hand.sample, &test, out, d);
    assert_int_equal(rsp_diag_errors(d), 4);
    assert_int_equal(out->n, 0);
    rsp_diag_free(d);
    rsp_results_free(out);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(average_of_countries),
        cmocka_unit_test(countries_with_too_few_answers),
        cmocka_unit_test(empty_and_tiny_domains),
        cmocka_unit_test(shares),
        cmocka_unit_test(questions_in_parts),
        cmocka_unit_test(spread),
        cmocka_unit_test(quantiles),
        cmocka_unit_test(comparisons),
        cmocka_unit_test(differences_have_keys_of_their_own),
        cmocka_unit_test(order_of_rows),
        cmocka_unit_test(tests_of_hypotheses),
        cmocka_unit_test(holm),
        cmocka_unit_test(share_intervals),
        cmocka_unit_test(gradients),
        cmocka_unit_test(threads_do_not_matter),
        cmocka_unit_test(totals_are_shared),
        cmocka_unit_test(items_in_bundles),
        cmocka_unit_test(jackknife_and_linearised),
        cmocka_unit_test(wrong_requests),
    };
    return cmocka_run_group_tests(tests, open_by_hand, close_by_hand);
}
