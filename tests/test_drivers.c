/* Kind `drivers`: shares against every order of entry, replicates against their plain version, verdicts of data made to
 * deserve them, data that are no data. Agreement with R on real data: test_reference. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "made_up.h"

#include "model/products.h"

/* ---- a made-up study -------------------------------------------------------------------------------------------- */

/* Columns: id, y, factors a to d, o (an organisation's kind), c (one of six countries). */
static struct run analyse(const char *more, const char *data) {
    rsp_buf yaml = {0};
    put("survey.csv",
        "type,name,label::en\ninteger,id,Id\ndecimal,y,Y\ndecimal,a,A\ndecimal,b,B\ndecimal,c,C\ndecimal,d,D\n"
        "select_one kind,o,O\nselect_one country,country,Country\n");
    put("choices.csv", "list_name,name,label::en\nkind,public,Public\nkind,ngo,NGO\ncountry,AT,A\ncountry,DK,D\n"
                       "country,FR,F\ncountry,PL,P\ncountry,PT,P\ncountry,RO,R\n");
    rsp_buf_puts(&yaml, "study: s\ntitle: {en: S}\nlanguages: [en]\nsources:\n  - {files: data.csv, format: csv}\n"
                        "instrument: {survey: survey.csv, choices: choices.csv}\nroles: {id: id, country: country}\n"
                        "design: {strata: country}\nweighting: {scale: equal}\ndisclosure: off\nmodels:\n");
    rsp_buf_puts(&yaml, more);
    put("study.yaml", yaml.data);
    put("data.csv", data);
    rsp_buf_free(&yaml);
    return load_and_analyse(folder);
}

static bool same(const char *a, const char *b) { return strcmp(a ? a : "", b) == 0; }

static bool says(const struct run *r, const char *message) {
    for (size_t k = 0; k < rsp_diag_count(r->diag); k++)
        if (same(rsp_diag_at(r->diag, k)->message, message)) return true;
    return false;
}

static const rsp_row *find(const struct run *r, const char *domain, const char *term, const char *statistic) {
    for (size_t k = 0; k < r->results->n; k++) {
        const rsp_row *x = &r->results->rows[k];
        if (same(x->domain, domain) && same(x->term, term) && same(x->statistic, statistic)) return x;
    }
    fail_msg("no row %s | %s | %s", domain, term, statistic);
    return NULL;
}

/* ---- made-up answers -------------------------------------------------------------------------------------------- */

static const char *const COUNTRY[] = {"AT", "DK", "FR", "PL", "PT", "RO"};

/* Slopes of a, b, c, d in country k of n respondents each. b, c and d may follow a. */
struct recipe {
    size_t n_countries, n[6];
    double slope[6][4];
    double follow[4]; /* share of a in each factor */
    double centre;    /* of the factors: above 0 they enable */
};

static char *answers(const struct recipe *x) {
    rsp_buf b = {0};
    rsp_rng g;
    size_t id = 0;
    rsp_rng_init(&g, 7, 1);
    rsp_buf_puts(&b, "id,y,a,b,c,d,o,country\n");
    for (size_t k = 0; k < x->n_countries; k++)
        for (size_t i = 0; i < x->n[k]; i++) {
            double f[4], y = (double) k;
            for (size_t j = 0; j < 4; j++) {
                f[j] = rsp_rng_normal(&g) + (j ? x->follow[j] * (f[0] - x->centre) : 0) + x->centre;
                y += x->slope[k][j] * f[j];
            }
            y += rsp_rng_normal(&g);
            rsp_buf_printf(&b, "%zu,%.6f,%.6f,%.6f,%.6f,%.6f,%s,%s\n", ++id, y, f[0], f[1], f[2], f[3],
                           i % 3 ? "public" : "ngo", COUNTRY[k]);
        }
    return b.data;
}

static struct run analyse_recipe(const struct recipe *x, const char *more) {
    char *data = answers(x);
    struct run r = analyse(more, data);
    free(data);
    return r;
}

#define DRIVERS "  - {id: m, kind: drivers, outcome: y, factors: [a, b, c, d], neutral: 0, replicates: 40"

static const struct recipe PLAIN = {6,
                                    {80, 90, 100, 110, 120, 70},
                                    {{0.8, 0, 0.8, -0.6},
                                     {0.7, 0, 0.6, -0.6},
                                     {0.8, 0, 0.7, -0.7},
                                     {0.9, 0, -0.8, -0.6},
                                     {0.8, 0, -0.7, -0.5},
                                     {0.8, 0, -0.7, -0.7}},
                                    {0, 0.7, 0, 0},
                                    0.3};

/* ---- shares ----------------------------------------------------------------------------------------------------- */

/* Residual sum of squares of y on the columns of the set, by plain elimination. */
static double explained_by(const double *g, size_t f, size_t set) {
    double m[5][5];
    for (size_t i = 0; i <= f; i++)
        for (size_t j = 0; j <= f; j++) m[i][j] = g[i * (f + 1) + j];
    for (size_t k = 0; k < f; k++) {
        if (!(set >> k & 1)) continue;
        for (size_t i = 0; i <= f; i++) {
            if (i == k) continue;
            double by = m[i][k] / m[k][k];
            for (size_t j = 0; j <= f; j++) m[i][j] -= by * m[k][j];
        }
    }
    return g[(f + 1) * (f + 1) - 1] - m[f][f];
}

/* The definition itself: the mean gain over all 24 orders of four factors. */
static void shares_over_orders(void **state) {
    (void) state;
    rsp_arena *a = rsp_arena_new();
    double columns[5][60], *g;
    const double *at[5];
    size_t row[60];
    int32_t group[60];
    rsp_rng s;
    rsp_rng_init(&s, 3, 0);
    for (size_t i = 0; i < 60; i++) {
        row[i] = i, group[i] = (int32_t) (i % 3);
        for (size_t j = 0; j < 4; j++) columns[j][i] = rsp_rng_normal(&s) + (j ? 0.5 * columns[0][i] : 100);
        columns[4][i] = columns[0][i] + 0.3 * columns[2][i] - columns[3][i] + (double) group[i] + rsp_rng_normal(&s);
    }
    for (size_t j = 0; j < 5; j++) at[j] = columns[j];
    rsp_columns *c = rsp_columns_new(a, 60, row, 3, group, 0, 4, at);
    double w[60], *sums = RSP_ARRAY(a, double, rsp_products_size(c)), want[4] = {0}, got[4][RSP_SHARE_LANES];
    double left[25][RSP_SHARE_LANES];
    for (size_t i = 0; i < 60; i++) w[i] = 1 + 0.1 * (double) (i % 7);
    rsp_products(c, w, sums);
    rsp_partial p = rsp_partial_new(a, c);
    rsp_partial_of(c, sums, NULL, &p);
    g = p.g;
    for (size_t o = 0; o < 256; o++) { /* four digits to the base of four: those that are an order */
        size_t order[4] = {o & 3, o >> 2 & 3, o >> 4 & 3, o >> 6}, set = 0;
        bool once = true;
        for (size_t i = 0; i < 4; i++)
            for (size_t j = 0; j < i; j++) once &= order[i] != order[j];
        for (size_t i = 0; once && i < 4; i++) {
            want[order[i]] += (explained_by(g, 4, set | (size_t) 1 << order[i]) - explained_by(g, 4, set)) / 24;
            set |= (size_t) 1 << order[i];
        }
    }
    enum { LANES = RSP_SHARE_LANES, GONE = LANES - 1 };
    for (size_t j = 0; j < 25; j++) { /* the first lane is empty; in the last, nothing is left of a factor */
        for (size_t l = 0; l < LANES; l++) left[j][l] = (double) l * g[j];
        if (j / 5 == 1 || j % 5 == 1) left[j][GONE] = 0;
    }
    rsp_partial_shares(4, &left[0][0], &got[0][0]);
    for (size_t l = 0; l < GONE; l++) {
        double sum = 0;
        for (size_t j = 0; j < 4; j++) near(got[j][l], (double) l * want[j], 1e-10), sum += got[j][l];
        near(sum, (double) l * explained_by(g, 4, 15), 1e-10);
    }
    assert_true(got[1][GONE] == 0);
    near(got[0][GONE] + got[2][GONE] + got[3][GONE], GONE * explained_by(g, 4, 13), 1e-10);
    rsp_arena_free(a);
}

struct comparison {
    const rsp_columns *c;
    const rsp_replicates *r;
    size_t seen;
};

/* Sums of a replicate against those of its plain weights. */
static void compare_replicate(void *context, size_t replicate, const double *sums) {
    struct comparison *x = context;
    double *all = rsp_malloc(x->c->row[x->c->n - 1] * sizeof *all + sizeof *all), *w = rsp_malloc(x->c->n * sizeof *w),
           *want = rsp_malloc(rsp_products_size(x->c) * sizeof *want);
    rsp_replicate_weights_block(x->r, replicate, 0, x->c->row[x->c->n - 1] + 1, all);
    for (size_t i = 0; i < x->c->n; i++) w[i] = all[x->c->row[i]];
    rsp_products(x->c, w, want);
    assert_memory_equal(want, sums, rsp_products_size(x->c) * sizeof *want);
    free(all), free(w), free(want);
#pragma omp atomic
    x->seen++;
}

static void replicates_side_by_side(void **state) {
    (void) state;
    struct run r = analyse_recipe(&PLAIN, DRIVERS "}\n");
    rsp_arena *a = rsp_arena_new();
    size_t n = 0, *row = RSP_ARRAY(a, size_t, r.frame->n);
    int32_t *group = RSP_ARRAY(a, int32_t, r.frame->n);
    double *x[3];
    for (size_t j = 0; j < 3; j++) x[j] = RSP_ARRAY(a, double, r.frame->n);
    for (size_t i = 0; i < r.frame->n; i++) {
        if (i % 5 == 2) continue;
        for (size_t j = 0; j < 3; j++) x[j][n] = rsp_value(r.frame, j + 1, i);
        row[n] = i, group[n++] = r.sample->country[i];
    }
    rsp_variance_spec spec = {.method = RSP_BOOTSTRAP, .replicates = 37, .seed = 5};
    const rsp_replicates *of = rsp_replicates_get(r.sample, &spec, RSP_NOWHERE, r.diag);
    assert_non_null(of);
    rsp_columns *c = rsp_columns_new(a, n, row, 6, group, 0, 2, (const double *const *) x);
    struct comparison all = {c, of, 0};
    rsp_products_replicates(c, of, compare_replicate, &all);
    assert_int_equal(all.seen, 37);
    rsp_arena_free(a);
    done(&r);
}

/* Alone, b stands for a, whom it follows; beside a it has nothing of its own. Shares add to one. */
static void shares_and_roles(void **state) {
    static const char *const factor[] = {"a", "b", "c", "d"};
    (void) state;
    struct run r = analyse_recipe(&PLAIN, DRIVERS "}\n");
    double sum = 0, explained = 0;
    for (size_t j = 0; j < 4; j++) {
        const rsp_row *x = find(&r, "", factor[j], "explained_share");
        assert_true(x->lower <= x->estimate && x->estimate <= x->upper && x->lower >= 0 && x->upper <= 1);
        assert_true(x->se > 0 && x->se < 0.2);
        sum += x->estimate;
        explained += find(&r, "", factor[j], "explained")->estimate;
    }
    near(sum, 1, 1e-12);
    near(explained, find(&r, "", "", "r_squared")->estimate - find(&r, "", "", "r_squared_controls")->estimate, 1e-10);
    assert_string_equal(find(&r, "", "a", "role")->level, "own");
    assert_string_equal(find(&r, "", "b", "role")->level, "shared");
    assert_true(find(&r, "", "b", "explained_share")->estimate > 0.05);
    done(&r);
}

/* x and its noise together: the noise has nothing to do with y, but helps to see through x. */
static void suppressor(void **state) {
    (void) state;
    rsp_buf b = {0};
    rsp_rng g;
    rsp_rng_init(&g, 11, 0);
    rsp_buf_puts(&b, "id,y,a,b,c,d,o,country\n");
    for (size_t i = 0; i < 600; i++) {
        double y = rsp_rng_normal(&g), noise = rsp_rng_normal(&g);
        rsp_buf_printf(&b, "%zu,%.6f,%.6f,%.6f,%.6f,%.6f,ngo,%s\n", i, y + 0.3 * rsp_rng_normal(&g), y + noise, noise,
                       rsp_rng_normal(&g), rsp_rng_normal(&g), COUNTRY[i % 6]);
    }
    struct run r = analyse(DRIVERS "}\n", b.data);
    assert_string_equal(find(&r, "", "a", "role")->level, "own");
    assert_string_equal(find(&r, "", "b", "role")->level, "suppressed");
    assert_string_equal(find(&r, "", "c", "role")->level, "none");
    rsp_buf_free(&b);
    done(&r);
}

/* ---- verdicts --------------------------------------------------------------------------------------------------- */

static void verdicts(void **state) {
    (void) state;
    struct run r = analyse_recipe(&PLAIN, DRIVERS "}\n");
    assert_string_equal(find(&r, "", "a", "verdict")->level, "enabler_everywhere");
    assert_string_equal(find(&r, "", "b", "verdict")->level, "no_clear_role");
    assert_string_equal(find(&r, "", "c", "verdict")->level, "depends_on_country");
    assert_string_equal(find(&r, "", "d", "verdict")->level, "blocker");
    assert_true(find(&r, "", "c", "wald_f")->p_adj < 1e-6);
    assert_true(find(&r, "", "c", "opposite_sign_clear")->estimate == 3);
    assert_true(find(&r, "", "a", "opposite_sign")->estimate == 0);
    assert_true(find(&r, "", "a", "pooled")->df == 5);
    done(&r);
    /* The same part, but respondents say that it blocks. */
    struct recipe low = PLAIN;
    low.centre = -0.5;
    r = analyse_recipe(&low, DRIVERS "}\n");
    assert_true(find(&r, "", "a", "net")->upper < 0);
    assert_string_equal(find(&r, "", "a", "verdict")->level, "blocker");
    done(&r);
    /* Of different size in the countries, but nowhere against: a prediction for a further country reaches zero. */
    struct recipe uneven = PLAIN;
    const double slopes[6] = {0.1, 0.3, 0.5, 0.9, 1.1, 1.3};
    for (size_t k = 0; k < 6; k++) uneven.slope[k][0] = slopes[k];
    r = analyse_recipe(&uneven, DRIVERS "}\n");
    assert_true(find(&r, "", "a", "prediction")->lower < 0);
    assert_string_equal(find(&r, "", "a", "verdict")->level, "enabler_in_most");
    done(&r);
    /* A size that nobody cares for. */
    r = analyse_recipe(&PLAIN, DRIVERS ", smallest: 0.9}\n");
    assert_string_equal(find(&r, "", "a", "verdict")->level, "no_clear_role");
    done(&r);
}

/* Two countries pool to something, but a verdict over countries needs three. */
static void few_countries(void **state) {
    (void) state;
    struct recipe few = PLAIN;
    few.n_countries = 2;
    struct run r = analyse_recipe(&few, DRIVERS "}\n");
    assert_string_equal(find(&r, "", "a", "verdict")->level, "too_few_countries");
    assert_true(find(&r, "", "a", "pooled")->df == 1);
    assert_true(isfinite(find(&r, "", "a", "wald_f")->p));
    assert_true(find(&r, "", "a", "coefficient_multilevel")->estimate > 0.5);
    done(&r);
    few.n_countries = 1;
    r = analyse_recipe(&few, DRIVERS "}\n");
    assert_string_equal(find(&r, "", "a", "verdict")->level, "too_few_countries");
    assert_true(find(&r, "", "a", "coefficient")->estimate > 0.5);
    assert_true(isnan(find(&r, "", "a", "pooled")->estimate));
    assert_true(find(&r, "", "a", "pooled")->flags & RSP_F_NO_DF);
    assert_true(find(&r, "", "a", "wald_f")->flags & RSP_F_NO_DF);
    done(&r);
}

/* Before the field is frozen the published verdict is empty; what it would rest on stays. */
static void no_verdict_before_the_freeze(void **state) {
    (void) state;
    struct run r = analyse_recipe(&PLAIN, DRIVERS "}\n");
    rsp_published *p = rsp_disclose(r.study, r.results, NULL, true, r.diag);
    const rsp_published_row *x = rsp_published_find(p, "m", "", "a", "", "verdict");
    assert_non_null(x);
    assert_true(isfinite(x->estimate) && x->flags & RSP_F_PRELIMINARY);
    assert_null(rsp_published_find(p, "m", "", "a", "enabler_everywhere", "verdict"));
    rsp_published_free(p);
    p = rsp_disclose(r.study, r.results, NULL, false, r.diag);
    assert_non_null(rsp_published_find(p, "m", "", "a", "enabler_everywhere", "verdict"));
    rsp_published_free(p);
    done(&r);
}

/* ---- ways to change something ----------------------------------------------------------------------------------- */

static const rsp_row *level_of(const struct run *r, const char *term, const char *level, const char *statistic) {
    for (size_t k = 0; k < r->results->n; k++) {
        const rsp_row *x = &r->results->rows[k];
        if (same(x->term, term) && same(x->level, level) && same(x->statistic, statistic)) return x;
    }
    fail_msg("no row %s | %s | %s", term, level, statistic);
    return NULL;
}

/* Leaving out is fitting anew without: the same number as from a study that never had them. */
static void variants(void **state) {
    (void) state;
    struct run r =
        analyse_recipe(&PLAIN, DRIVERS ", leave_out: [o]}\n"
                                       "  - {id: f, kind: drivers, outcome: y, factors: [a, b, c, d], replicates: "
                                       "2, filter: \"${country} != 'PL'\"}\n"
                                       "  - {id: g, kind: drivers, outcome: y, factors: [a, b, c, d], replicates: "
                                       "2, filter: \"${o} != 'ngo'\"}\n");
    const rsp_row *full = find(&r, "", "a", "coefficient");
    near(level_of(&r, "a", "unweighted", "coefficient_without")->estimate, full->estimate, 1e-12);
    double poland = level_of(&r, "a", "country=PL", "coefficient_without")->estimate,
           ngo = level_of(&r, "a", "o=ngo", "coefficient_without")->estimate;
    size_t seen = 0;
    for (size_t k = 0; k < r.results->n; k++) {
        const rsp_row *x = &r.results->rows[k];
        if (!same(x->term, "a") || !same(x->statistic, "coefficient") || !same(x->domain, "")) continue;
        if (same(x->analysis, "f")) near(poland, x->estimate, 1e-10), seen++;
        if (same(x->analysis, "g")) near(ngo, x->estimate, 1e-10), seen++;
    }
    assert_int_equal(seen, 2);
    const rsp_row *range = find(&r, "", "a", "coefficient_range");
    assert_true(range->lower <= fmin(poland, ngo) && range->upper >= fmax(poland, ngo));
    done(&r);
}

/* Replicates instead of linearisation: errors alike, estimates the same. */
static void replicate_variance(void **state) {
    (void) state;
    struct run
        r = analyse_recipe(&PLAIN, DRIVERS "}\n"),
        j = analyse_recipe(
            &PLAIN,
            "  - {id: m, kind: drivers, outcome: y, factors: [a, b, c, d], neutral: 0, replicates: 40, variance: "
            "{method: jkn}}\n");
    static const char *const statistic[] = {"coefficient", "coefficient_alone", "pooled", "net"};
    for (size_t k = 0; k < 4; k++) {
        const rsp_row *x = find(&r, "", "b", statistic[k]), *y = find(&j, "", "b", statistic[k]);
        near(y->estimate, x->estimate, k == 2 ? 0.05 : 1e-10);
        near(y->se / x->se, 1, 0.05);
    }
    near(find(&j, "", "a", "explained_share")->upper, find(&r, "", "a", "explained_share")->upper, 0);
    done(&r);
    done(&j);
}

static bool equal_bits(const void *a, const void *b) { return memcmp(a, b, sizeof(double)) == 0; }

static void threads(void **state) {
    (void) state;
    rsp_threads_set(1);
    struct run one = analyse_recipe(&PLAIN, DRIVERS ", leave_out: [o]}\n");
    rsp_threads_set(3);
    struct run three = analyse_recipe(&PLAIN, DRIVERS ", leave_out: [o]}\n");
    assert_int_equal(one.results->n, three.results->n);
    for (size_t k = 0; k < one.results->n; k++) {
        const rsp_row *x = &one.results->rows[k], *y = &three.results->rows[k];
        if (!equal_bits(&x->estimate, &y->estimate) || !equal_bits(&x->se, &y->se) || !equal_bits(&x->upper, &y->upper))
            fail_msg("row %zu: %s %s", k, x->term, x->statistic);
    }
    rsp_threads_set(0);
    done(&one);
    done(&three);
}

/* ---- data that are no data -------------------------------------------------------------------------------------- */

/* Every number finite or absent, and an absent estimate with a reason. */
static void check_sound(const struct run *r) {
    for (size_t k = 0; k < r->results->n; k++) {
        const rsp_row *x = &r->results->rows[k];
        if (isnan(x->estimate) && !x->flags) fail_msg("no reason: %s | %s | %s", x->domain, x->term, x->statistic);
        if (isinf(x->estimate) || isinf(x->se) || isinf(x->lower) || isinf(x->upper) || x->se < 0)
            fail_msg("infinite: %s | %s | %s", x->domain, x->term, x->statistic);
    }
    assert_int_equal(rsp_diag_errors(r->diag), 0);
}

/* A country of twelve, one of three, one that never answered y. */
static void small_countries(void **state) {
    (void) state;
    struct recipe x = PLAIN;
    x.n[1] = 12, x.n[4] = 3;
    struct run r = analyse_recipe(&x, DRIVERS "}\n");
    check_sound(&r);
    assert_true(find(&r, "country=DK", "a", "coefficient")->flags & RSP_F_NO_DF);
    assert_true(isnan(find(&r, "country=PT", "a", "coefficient")->estimate));
    assert_int_equal((int) find(&r, "", "a", "groups")->estimate, 4);
    assert_string_equal(find(&r, "", "a", "verdict")->level, "enabler_everywhere");
    done(&r);
}

static void hostile_factors(void **state) {
    (void) state;
    rsp_buf b = {0};
    rsp_rng g;
    rsp_rng_init(&g, 5, 0);
    rsp_buf_puts(&b, "id,y,a,b,c,d,o,country\n");
    for (size_t i = 0; i < 480; i++) { /* b is twice a, c constant, d missing in half of the countries */
        double a = round(1e4 * rsp_rng_normal(&g)) / 1e4, y = a + rsp_rng_normal(&g), d = rsp_rng_normal(&g);
        rsp_buf_printf(&b, "%zu,%.6f,%.4f,%.4f,4,", i, y, a, 2 * a + 1);
        if (i % 6 > 2) rsp_buf_printf(&b, "%.6f", d);
        rsp_buf_printf(&b, ",ngo,%s\n", COUNTRY[i % 6]);
    }
    struct run r = analyse(DRIVERS "}\n", b.data);
    check_sound(&r);
    assert_true(find(&r, "", "b", "coefficient")->flags & RSP_F_SINGULAR);
    assert_true(find(&r, "", "c", "coefficient")->flags == RSP_F_CONSTANT);
    near(find(&r, "", "a", "explained_share")->estimate, find(&r, "", "b", "explained_share")->estimate, 1e-9);
    assert_true(isnan(find(&r, "", "c", "explained_share")->estimate));
    assert_string_equal(find(&r, "", "b", "verdict")->level, "");
    assert_int_equal((int) find(&r, "", "a", "groups")->estimate, 3);
    assert_true(says(&r, "analysis 'm' is without AT, DK, FR: nobody there answered 'd'"));
    rsp_buf_free(&b);
    done(&r);
}

/* Rows of analysis `id` in r equal those of `other` in q but for the id, set aside ones apart. */
static void check_as_unlisted(const struct run *r, const struct run *q) {
    size_t j = 0;
    for (size_t k = 0; k < r->results->n; k++) {
        const rsp_row *x = &r->results->rows[k];
        if (!same(x->analysis, "m") || x->flags & (RSP_F_UNANSWERED | RSP_F_CONSTANT)) continue;
        if (same(x->statistic, "net") && (same(x->term, "b") || same(x->term, "d"))) continue;
        while (j < q->results->n && !same(q->results->rows[j].analysis, "m")) j++;
        assert_true(j < q->results->n);
        const rsp_row *y = &q->results->rows[j++];
        if (!same(x->term, y->term) || !same(x->domain, y->domain) || !same(x->statistic, y->statistic))
            fail_msg("%s %s %s beside %s %s %s", x->domain, x->term, x->statistic, y->domain, y->term, y->statistic);
        assert_true(x->flags == y->flags);
        assert_true(equal_bits(&x->estimate, &y->estimate) || (isnan(x->estimate) && isnan(y->estimate)));
        assert_true(equal_bits(&x->se, &y->se) || (isnan(x->se) && isnan(y->se)));
        assert_true(equal_bits(&x->p_adj, &y->p_adj) || (isnan(x->p_adj) && isnan(y->p_adj)));
    }
    while (j < q->results->n && !same(q->results->rows[j].analysis, "m")) j++;
    assert_int_equal(j, q->results->n);
}

/* Answers of PLAIN; nobody answers b, everybody says 3 to d, and in one country nobody has an outcome. */
static char *answers_with_gaps(bool no_outcome) {
    char *data = answers(&PLAIN), *line = data;
    rsp_buf b = {0};
    for (size_t k = 0; line && *line; k++) {
        char *end = strchr(line, '\n'), y[32], a[32], c[32], o[16], country[8];
        unsigned id;
        *end = '\0';
        if (!k) rsp_buf_printf(&b, "%s\n", line);
        else {
            assert_int_equal(
                sscanf(line, "%u,%31[^,],%31[^,],%*[^,],%31[^,],%*[^,],%15[^,],%7s", &id, y, a, c, o, country), 6);
            bool gone = no_outcome && strcmp(country, "PT") == 0;
            rsp_buf_printf(&b, "%u,%s,%s,,%s,%s,%s,%s\n", id, gone ? "" : y, a, c, k % 5 ? "3" : "", o, country);
        }
        line = end + 1;
    }
    free(data);
    return b.data;
}

/* Listed factors and controls that say nothing are named, and change nothing else. */
static void set_aside(void **state) {
    (void) state;
    for (int no_outcome = 0; no_outcome <= 1; no_outcome++) {
        char *data = answers_with_gaps(no_outcome);
        struct run r = analyse(DRIVERS "}\n", data),
                   q = analyse("  - {id: m, kind: drivers, outcome: y, factors: [a, c], neutral: 0, replicates: 40}\n",
                               data),
                   u = analyse("  - {id: m, kind: drivers, outcome: y, factors: [a, c], controls: [b], neutral: 0, "
                               "replicates: 40}\n",
                               data);
        check_sound(&r);
        check_as_unlisted(&r, &q);
        check_as_unlisted(&u, &q);
        assert_true(find(&r, "", "b", "coefficient")->flags == RSP_F_UNANSWERED);
        assert_true(find(&r, "", "b", "verdict")->flags == RSP_F_UNANSWERED && find(&r, "", "b", "verdict")->n == 0);
        assert_true(find(&r, "country=PL", "d", "coefficient")->flags == RSP_F_CONSTANT);
        assert_true(find(&r, "", "d", "net")->estimate == 1);
        assert_true(find(&u, "", "b", "coefficient")->flags == RSP_F_UNANSWERED);
        assert_string_equal(find(&r, "", "a", "verdict")->level, "enabler_everywhere");
        assert_int_equal((int) find(&r, "", "a", "groups")->estimate, no_outcome ? 5 : 6);
        done(&r), done(&q), done(&u);
        free(data);
    }
}

/* All factors set aside: nothing is left but to say so. */
static void all_set_aside(void **state) {
    (void) state;
    char *data = answers_with_gaps(false);
    struct run r =
        analyse("  - {id: m, kind: drivers, outcome: y, factors: [b, d], neutral: 0, replicates: 40}\n", data);
    check_sound(&r);
    assert_true(find(&r, "", "b", "coefficient")->flags == RSP_F_UNANSWERED);
    assert_true(find(&r, "", "d", "coefficient")->flags == RSP_F_CONSTANT);
    near(find(&r, "", "", "r_squared")->estimate, find(&r, "", "", "r_squared_controls")->estimate, 1e-12);
    done(&r);
    free(data);
}

static void nothing(void **state) {
    (void) state;
    struct run r = analyse(DRIVERS "}\n", "id,y,a,b,c,d,o,country\n1,,1,2,3,4,ngo,AT\n2,,2,1,3,4,ngo,AT\n");
    check_sound(&r);
    done(&r);
    r = analyse(DRIVERS ", leave_out: [o]}\n",
                "id,y,a,b,c,d,o,country\n1,1,1,2,3,4,ngo,AT\n2,2,2,1,3,4,ngo,AT\n3,1,5,5,5,5,ngo,PL\n");
    check_sound(&r);
    done(&r);
}

/* Twelve respondents; an outcome that never changes. */
static void little(void **state) {
    (void) state;
    struct recipe x = PLAIN;
    x.n_countries = 2;
    x.n[0] = x.n[1] = 6;
    struct run r = analyse_recipe(&x, DRIVERS "}\n");
    check_sound(&r);
    done(&r);
    rsp_buf b = {0};
    rsp_rng g;
    rsp_rng_init(&g, 5, 0);
    rsp_buf_puts(&b, "id,y,a,b,c,d,o,country\n");
    for (size_t i = 0; i < 240; i++)
        rsp_buf_printf(&b, "%zu,7,%.6f,%.6f,%.6f,%.6f,ngo,%s\n", i, rsp_rng_normal(&g), rsp_rng_normal(&g),
                       rsp_rng_normal(&g), rsp_rng_normal(&g), COUNTRY[i % 4]);
    r = analyse(DRIVERS "}\n", b.data);
    check_sound(&r);
    assert_string_equal(find(&r, "", "a", "verdict")->level, "");
    rsp_buf_free(&b);
    done(&r);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shares_over_orders),
        cmocka_unit_test(replicates_side_by_side),
        cmocka_unit_test(shares_and_roles),
        cmocka_unit_test(suppressor),
        cmocka_unit_test(verdicts),
        cmocka_unit_test(few_countries),
        cmocka_unit_test(no_verdict_before_the_freeze),
        cmocka_unit_test(variants),
        cmocka_unit_test(replicate_variance),
        cmocka_unit_test(threads),
        cmocka_unit_test(small_countries),
        cmocka_unit_test(hostile_factors),
        cmocka_unit_test(set_aside),
        cmocka_unit_test(all_set_aside),
        cmocka_unit_test(nothing),
        cmocka_unit_test(little),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
