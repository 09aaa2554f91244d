/* Are intervals what they say? Nights drawn from worlds with known parameters (worlds.h, fixtures/recovery) go through the
 * engine's own functions; counted is how often a 95 % interval holds the truth, and how often a test at 5 % rejects what
 * is true.
 *
 *   test_recovery                               a short study, which must agree with the table within its own error
 *   test_recovery --nights 2000 --write TABLE   the long one (`make recovery`): writes the table; fails where an interval
 *                                               misses by more than chance without a known reason */
#include "responsive/statistics.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "worlds.h"

static const char *const TABLE = "fixtures/reference/recovery.csv";
enum { MOST_TARGETS = 64, WORLDS = 3 };
static const char *const WORLD[WORLDS] = {"large", "eight clusters", "sixty respondents"};

/* ---- what is counted --------------------------------------------------------------------------------------------- */

enum what {
    HOLDS,    /* the interval holds the truth */
    ACCEPTS,  /* the test does not reject at 5 % */
    FORESEES, /* the interval holds what a further group has */
    END
};

struct target {
    const char *kind, *analysis, *domain, *term, *level, *statistic;
    enum what what;
    double truth;
};

struct study {
    const char *folder;
    void (*draw)(struct night *);
    size_t units[WORLDS], members[WORLDS]; /* 0: not in this world */
    struct target targets[MOST_TARGETS];
};

/* Of draw_latent's loadings: items have variance 1. */
static const double ALPHA = 1.25 * (1 - 5 / 13.66), OMEGA = 10.89 / 13.66;
/* Means over a standard normal x of p = 1 / (1 + exp(0.3 - 0.8 x)) and of 0.8 p (1 - p): see `means_over_x`. */
#define SHARE_OVER_X 0.43463210193092516
#define SLOPE_OVER_X 0.17250117411725763

static const struct study STUDIES[] = {
    {"design",
     draw_design,
     {150, 8, 30},
     {6, 25, 2},
     {{"proportion", "shares", "", "likely", "yes", "proportion", HOLDS, 0.645},
      {"proportion, rare", "shares", "", "rare", "yes", "proportion", HOLDS, 0.052},
      {"proportion, part of the sample", "shares", "sex=m", "likely", "yes", "proportion", HOLDS, 0.645},
      {"mean", "mean", "", "y", "", "mean", HOLDS, 3.55},
      {"mean, part of the sample", "mean", "sex=m", "y", "", "mean", HOLDS, 3.8},
      {"difference of means", "mean", "", "y", "f-m", "difference", HOLDS, -0.5},
      {"mean, jackknife by stratum", "mean_jkn", "", "y", "", "mean", HOLDS, 3.55},
      {"mean, bootstrap", "mean_bootstrap", "", "y", "", "mean", HOLDS, 3.55},
      {"median", "median", "", "skew", "", "median", HOLDS, 1},
      {"median, bootstrap", "median_bootstrap", "", "skew", "", "median", HOLDS, 1},
      {"standard deviation", "sd", "", "y", "", "sd", HOLDS, 1.1280514172678479},
      {"ratio", "ratio", "", "y/d", "", "ratio", HOLDS, 3.55 / 5.775},
      {"total", "total", "", "y", "", "total", HOLDS, 3.55},
      {"net agreement", "net", "", "agree", "", "net", HOLDS, 0.2},
      {"top two answers", "top2", "", "agree", "", "top2", HOLDS, 0.5},
      {"test: Rao-Scott", "rao_scott", "", "opinion", "", "rao_scott_f", ACCEPTS, 0},
      {"test: Wald's of independence", "wald", "", "opinion", "", "wald_f", ACCEPTS, 0},
      {"test: t", "t", "", "skew", "", "t", ACCEPTS, 0},
      {"test: Kruskal-Wallis", "kruskal", "", "skew", "", "kruskal_f", ACCEPTS, 0},
      {"linear regression", "linear", "", "x", "", "coefficient", HOLDS, 0.5},
      {"linear regression, jackknife by stratum", "linear_jkn", "", "x", "", "coefficient", HOLDS, 0.5},
      {"logistic regression", "logistic", "", "x", "", "coefficient", HOLDS, 0.8},
      {"logistic regression, marginal effect", "logistic", "", "x", "", "marginal_effect", HOLDS, SLOPE_OVER_X},
      {"ordinal regression", "ordinal", "", "x", "", "coefficient", HOLDS, 0.8},
      {"multinomial regression", "multinomial", "", "x", "q", "coefficient", HOLDS, 0.5},
      {"Poisson regression", "poisson", "", "x", "", "coefficient", HOLDS, 0.4},
      {"negative binomial regression", "negative_binomial", "", "x", "", "coefficient", HOLDS, 0.4},
      {.what = END}}},
    {"pairs",
     draw_design,
     {150, 8, 30},
     {6, 25, 2},
     {{"mean, balanced replicates", "mean", "", "y", "", "mean", HOLDS, 3.55},
      {"mean, Fay's replicates", "mean_fay", "", "y", "", "mean", HOLDS, 3.55},
      {"median, balanced replicates", "median", "", "skew", "", "median", HOLDS, 1},
      {"linear regression, balanced replicates", "linear", "", "x", "", "coefficient", HOLDS, 0.5},
      {.what = END}}},
    {"raked",
     draw_raked,
     {60, 8, 30},
     {15, 25, 2},
     {{"raked mean", "taylor", "", "y", "", "mean", HOLDS, 2.9},
      {"raked mean, jackknife by stratum", "jkn", "", "y", "", "mean", HOLDS, 2.9},
      {"raked mean, balanced replicates", "brr", "", "y", "", "mean", HOLDS, 2.9},
      {"raked mean, Fay's replicates", "fay", "", "y", "", "mean", HOLDS, 2.9},
      {"raked mean, bootstrap", "bootstrap", "", "y", "", "mean", HOLDS, 2.9},
      {.what = END}}},
    {"simple",
     draw_raked,
     {40, 8, 30},
     {15, 25, 2},
     {{"raked mean, jackknife without strata", "jk1", "", "y", "", "mean", HOLDS, 2.9},
      {"linear regression, predictor of units", "linear", "", "z", "", "coefficient", HOLDS, 0.3},
      {"linear regression, CR2", "cr2", "", "x", "", "coefficient", HOLDS, 0.5},
      {"linear regression, CR2, predictor of units", "cr2", "", "z", "", "coefficient", HOLDS, 0.3},
      {"linear regression, wild bootstrap", "wild", "", "x", "", "coefficient", HOLDS, 0.5},
      {"linear regression, wild bootstrap, predictor of units", "wild", "", "z", "", "coefficient", HOLDS, 0.3},
      {"logistic regression, CR2", "cr2_logistic", "", "x", "", "coefficient", HOLDS, 0.8},
      {"logistic regression, rare outcome, Firth", "firth", "", "exposed=yes", "", "coefficient", HOLDS, 1.2},
      {"logistic regression, rare outcome", "unweighted", "", "exposed=yes", "", "coefficient", HOLDS, 1.2},
      {.what = END}}},
    {"groups",
     draw_groups,
     {30, 8, 10},
     {10, 25, 6},
     {{"mixed linear, Satterthwaite", "satterthwaite", "", "x", "", "coefficient", HOLDS, 0.5},
      {"mixed linear, Satterthwaite, predictor of groups", "satterthwaite", "", "z", "", "coefficient", HOLDS, 0.7},
      {"mixed linear, Kenward-Roger", "kenward_roger", "", "x", "", "coefficient", HOLDS, 0.5},
      {"mixed linear, Kenward-Roger, predictor of groups", "kenward_roger", "", "z", "", "coefficient", HOLDS, 0.7},
      {"mixed linear, slopes that vary", "slopes", "", "x", "", "coefficient", HOLDS, 0.5},
      {"mixed logistic", "logistic", "", "x", "", "coefficient", HOLDS, 0.6},
      {"mixed logistic, predictor of groups", "logistic", "", "z", "", "coefficient", HOLDS, 0.5},
      {"mixed ordinal", "ordinal", "", "x", "", "coefficient", HOLDS, 0.6},
      {"mixed ordinal, predictor of groups", "ordinal", "", "z", "", "coefficient", HOLDS, 0.5},
      {"ICC(1)", "agreement", "", "score", "", "icc1", HOLDS, 0.25},
      {.what = END}}},
    {"latent",
     draw_latent,
     {60, 8, 30},
     {10, 25, 2},
     {{"alpha", "reliability", "", "normal", "", "alpha", HOLDS, ALPHA},
      {"alpha, skewed answers", "reliability", "", "skewed", "", "alpha", HOLDS, ALPHA},
      {"alpha, weights and clusters", "reliability", "", "clustered", "", "alpha", HOLDS, ALPHA},
      {"omega", "reliability", "", "normal", "", "omega", HOLDS, OMEGA},
      {"omega, skewed answers", "reliability", "", "skewed", "", "omega", HOLDS, OMEGA},
      {"omega, weights and clusters", "reliability", "", "clustered", "", "omega", HOLDS, OMEGA},
      {"loading, ml", "ml", "", "f", "n1", "loading", HOLDS, 0.8},
      {"loading, ml, weak item", "ml", "", "f", "n5", "loading", HOLDS, 0.5},
      {"loading, mlr, skewed answers", "mlr", "", "f", "s1", "loading", HOLDS, 0.8},
      {"loading, mlr, weights and clusters", "mlr_design", "", "f", "c1", "loading", HOLDS, 0.8},
      {"loading, wlsmv, ordered answers", "wlsmv", "", "f", "o1", "loading", HOLDS, 0.8},
      {"test: fit, ml", "ml", "", "", "", "chisq", ACCEPTS, 0},
      {"test: fit, mlr, skewed answers", "mlr", "", "", "", "chisq_scaled", ACCEPTS, 0},
      {"test: fit, mlr, weights and clusters", "mlr_design", "", "", "", "chisq_scaled", ACCEPTS, 0},
      {"test: fit, wlsmv, ordered answers", "wlsmv", "", "", "", "chisq_scaled", ACCEPTS, 0},
      {.what = END}}},
    {"pooled",
     draw_pooled,
     {30, 8, 5},
     {60, 60, 60},
     {{"pooled, two steps", "pooled", "", "", "", "pooled", HOLDS, 0.3},
      {"pooled, two steps, a further country", "pooled", "", "", "", "prediction", FORESEES, 0},
      {"pooled, two steps, a further country, confidence distribution", "mixture", "", "", "", "prediction", FORESEES,
       0},
      {.what = END}}},
    {"countries",
     draw_countries,
     {12, 8, 5},
     {60, 60, 60},
     {{"drivers, pooled association", "drivers", "", "f1", "", "pooled", HOLDS, 0.4},
      {"drivers, a further country", "drivers", "", "f1", "", "prediction", FORESEES, 0},
      {"drivers, association, countries alike", "same", "", "f1", "", "coefficient", HOLDS, 0.4},
      {"drivers, pooled association, countries alike", "same", "", "f1", "", "pooled", HOLDS, 0.4},
      {"drivers, share of what is explained", "same", "", "f1", "", "explained_share", HOLDS, 0.8},
      {"test: drivers, equal in all countries", "same", "", "f1", "", "wald_f", ACCEPTS, 0},
      {.what = END}}},
    {"missing",
     draw_missing,
     {400, 0, 60},
     {1, 0, 1},
     {{"imputed mean", "mean", "", "y", "", "mean", HOLDS, 1},
      {"imputed proportion", "share", "", "binary", "yes", "proportion", HOLDS, SHARE_OVER_X},
      {"imputed, linear regression", "linear", "", "x", "", "coefficient", HOLDS, 0.5},
      {"imputed, logistic regression", "logistic", "", "x", "", "coefficient", HOLDS, 0.8},
      {.what = END}}}};
enum { N_STUDIES = sizeof STUDIES / sizeof *STUDIES };

/* ---- nights ------------------------------------------------------------------------------------------------------ */

static int threads = 1; /* that share the nights */

struct tally {
    size_t given, held; /* nights with an interval or a p value; those where it was right */
};

static bool same(const char *a, const char *b) { return strcmp(a ? a : "", b) == 0; }

static bool is_row(const rsp_row *x, const struct target *t) {
    return same(x->statistic, t->statistic) && same(x->analysis, t->analysis) && same(x->term, t->term) &&
           same(x->level, t->level) && same(x->domain, t->domain);
}

/* Rows stand where they stood the night before, as a rule. */
static const rsp_row *find(const rsp_results *r, const struct target *t, size_t *last) {
    if (*last < r->n && is_row(&r->rows[*last], t)) return &r->rows[*last];
    for (*last = 0; *last < r->n; (*last)++)
        if (is_row(&r->rows[*last], t)) return &r->rows[*last];
    return NULL;
}

static void count(const rsp_row *x, const struct target *t, const struct night *night, struct tally *tally) {
    if (t->what == ACCEPTS) {
        if (isnan(x->p)) return;
        tally->held += x->p >= 0.05;
    } else {
        /* A total's truth is of a respondent, for all worlds. */
        double truth = t->what == FORESEES ? night->further : t->truth;
        if (same(t->statistic, "total")) truth *= (double) (night->units * night->members);
        if (isnan(x->lower) && isnan(x->upper)) return;
        tally->held += !(truth < x->lower) && !(truth > x->upper);
    }
    tally->given++;
}

/* Streams of random numbers are the night's: imputations and bootstraps are drawn anew too. */
static void reseed(rsp_study *s, uint64_t seed) {
    s->imputation.seed = seed;
    for (size_t k = 0; k < s->n_analyses; k++) s->analyses[k].variance.seed = seed;
}

static void run_night(rsp_study *s, const struct study *which, size_t world, uint64_t number_of, size_t *last,
                      struct tally *tally) {
    rsp_diag *d = rsp_diag_new();
    size_t units = which->units[world], members = which->members[world];
    bool row_a_unit = which->draw == draw_pooled;
    struct night t = {.f = rsp_frame_new(s, row_a_unit ? units : units * members), .units = units, .members = members};
    rsp_rng_init(&t.g, 1000 * world + (uint64_t) (which - STUDIES), number_of);
    which->draw(&t);
    reseed(s, number_of + 1);
    rsp_sample *sample = rsp_sample_new(t.f, d);
    rsp_results *r = rsp_results_new();
    for (size_t k = 0; sample && k < s->n_analyses; k++) rsp_analyse(sample, &s->analyses[k], r, d);
    for (size_t k = 0; which->targets[k].what != END; k++) {
        const rsp_row *x = find(r, &which->targets[k], &last[k]);
        if (x) count(x, &which->targets[k], &t, &tally[k]);
    }
    rsp_results_free(r);
    rsp_sample_free(sample);
    rsp_frame_free(t.f);
    rsp_diag_free(d);
}

static rsp_study *load_study(const struct study *which) {
    rsp_diag *d = rsp_diag_new();
    char path[128];
    snprintf(path, sizeof path, "fixtures/recovery/%s", which->folder);
    rsp_study *s = rsp_study_load(path, d);
    if (!s) rsp_diag_print(d, stderr, false, 0);
    rsp_diag_free(d);
    return s;
}

/* Nights are shared among threads, each with a study of its own, since a night sets its seeds; within a night there is
 * one thread (rsp_threads_set). False: no study. */
static bool run_nights(const struct study *which, size_t world, size_t nights, struct tally *sum) {
    bool good = true;
#pragma omp parallel num_threads(threads)
    {
        struct tally tally[MOST_TARGETS] = {0};
        size_t last[MOST_TARGETS] = {0};
        rsp_study *s = load_study(which);
#pragma omp for schedule(dynamic)
        for (size_t k = 0; k < nights; k++)
            if (s) run_night(s, which, world, k, last, tally);
#pragma omp critical
        for (size_t k = 0; k < MOST_TARGETS; k++) {
            sum[k].given += tally[k].given;
            sum[k].held += tally[k].held;
            good = good && s;
        }
        rsp_study_free(s);
    }
    return good;
}

/* ---- verdicts ---------------------------------------------------------------------------------------------------- */

/* What is known of intervals that fall short, or hold more often than they say: kinds that begin with `kind`, in the large
 * world too or in the others alone. The first that fits counts. */
#define DF "t on clusters less strata takes all clusters to say as much: with uneven weights and strata they do not"
#define LINEARISED                                                                                                     \
    "linearisation with few clusters errs low, most for predictors that vary between them: use errors: cr2 or wild"
#define FEW_ANSWERS "with few answers a group their spread is overrated, and t on few degrees of freedom adds to it"
#define MOMENTS "fourth moments of skewed answers need larger samples"
#define FURTHER "the variance between few groups is itself uncertain, which t on groups less 1 covers in part"
#define FEW_DF "degrees of freedom count all coefficients: few are left, and intervals err wide"
#define RARE "few events: an interval has only few ends that it can take"
#define WALD "Wald's statistic rejects too often where its covariance rests on few clusters"
static const struct {
    const char *kind, *verdict;
    bool large;
    const char *why;
} KNOWN[] = {
    {"proportion, rare", "wide", false, RARE},
    {"standard deviation", "short", false, "squares have long tails, whose errors few clusters or answers underrate"},
    {"test: Rao-Scott", "wide", false, "errs towards not rejecting where clusters are few"},
    {"test: Wald", "short", false, WALD ": use rao_scott"},
    {"test: Kruskal", "short", true, WALD},
    {"proportion", "short", false, DF},
    {"mean", "short", false, DF},
    {"median", "short", false, DF},
    {"ratio", "short", false, DF},
    {"total", "short", false, DF},
    {"net", "short", false, DF},
    {"linear regression, CR2", "short", false, "rows weigh unevenly even after the correction"},
    {"logistic regression, CR2", "short", false,
     "a correction made for linear models, applied to the last step of the fit"},
    {"logistic regression, rare", "wide", false, RARE},
    {"linear regression", "wide", false, FEW_DF},
    {"multinomial regression", "wide", false, FEW_DF},
    {"linear regression, predictor of units", "short", true, LINEARISED},
    {"linear regression", "short", false, LINEARISED},
    {"logistic regression", "short", false, LINEARISED},
    {"ordinal regression", "short", false, LINEARISED},
    {"Poisson regression", "short", false, LINEARISED},
    {"negative binomial regression", "short", false, LINEARISED},
    {"mixed logistic", "wide", false, FEW_ANSWERS},
    {"alpha, skewed", "short", true, MOMENTS},
    {"omega, skewed", "short", true, MOMENTS},
    {"omega", "short", false, "the interval is symmetric, the distribution in a small sample is not"},
    {"loading, mlr, weights", "short", false, "cluster sums, as in linearisation: few of them err low"},
    {"loading, mlr", "short", false, MOMENTS},
    {"loading", "short", false, "normal intervals in a small sample"},
    {"test: fit, mlr, weights", "short", false, "the scaling factor rests on few cluster sums"},
    {"test: fit", "short", false, "chi-square of a small sample rejects too often"},
    {"pooled, two steps, a further", "short", true, FURTHER},
    {"drivers, a further", "short", true, FURTHER},
    {"drivers, share", "short", true,
     "percentiles of a bootstrap do not see that shares of small samples err towards being alike"},
    {"test: drivers", "short", true, "errors of sixty respondents a country err low; more respondents, less so"},
    {"imputed, linear", "short", true,
     "predictive mean matching: where nearly all answers are missing, few donors give them all; mice 3.15 alike, 0.89 "
     "in 500 nights"},
    {"imputed, logistic", "wide", false, "the prior of the imputation's models holds back what few answers say"}};

static double limit(double nights) { return 3 * sqrt(0.95 * 0.05 / nights); }

static const char *verdict_of(double coverage, double nights) {
    if (coverage < 0.95 - limit(nights)) return "short";
    return coverage > 0.95 + limit(nights) ? "wide" : "holds";
}

static const char *why_of(const char *kind, const char *world, const char *verdict) {
    for (size_t k = 0; k < sizeof KNOWN / sizeof *KNOWN; k++)
        if (strncmp(kind, KNOWN[k].kind, strlen(KNOWN[k].kind)) == 0 && same(verdict, KNOWN[k].verdict) &&
            (KNOWN[k].large || !same(world, WORLD[0])))
            return KNOWN[k].why;
    return NULL;
}

/* ---- the long study ---------------------------------------------------------------------------------------------- */

/* One line of the table; false when the interval misses by more than chance and nobody knows why. */
static bool write_line(rsp_buf *b, const struct target *t, const char *world, size_t asked, struct tally x) {
    double n = (double) x.given, coverage = x.given ? (double) x.held / n : 0;
    const char *verdict = x.given ? verdict_of(coverage, n) : "short", *why = NULL;
    bool holds = same(verdict, "holds");
    if (!holds) why = why_of(t->kind, world, verdict);
    rsp_buf_csv(b, t->kind, false);
    rsp_buf_putc(b, ',');
    rsp_buf_csv(b, world, false);
    rsp_buf_printf(b, ",%zu,%.4f,%.4f,%.4f,%s,", x.given, coverage, 0.95 - limit(n), 0.95 + limit(n), verdict);
    if (why) rsp_buf_csv(b, why, false);
    rsp_buf_putc(b, '\n');
    if (!holds) fprintf(stderr, "  %-5s %.4f  %s, %s\n", verdict, coverage, t->kind, world);
    if (10 * x.given < 9 * asked)
        fprintf(stderr, "  %s, %s: %zu of %zu nights have one\n", t->kind, world, x.given, asked);
    return (holds || why) && 10 * x.given >= 9 * asked;
}

static int write_table(const char *path, size_t nights) {
    rsp_buf b = {0};
    rsp_diag *d = rsp_diag_new();
    bool good = true;
    rsp_buf_puts(&b, "kind,world,nights,coverage,expected_low,expected_high,verdict,why\n");
    for (size_t k = 0; k < N_STUDIES; k++)
        for (size_t w = 0; w < WORLDS; w++) {
            struct tally t[MOST_TARGETS] = {0};
            if (!STUDIES[k].units[w]) continue;
            fprintf(stderr, "%s, %s\n", STUDIES[k].folder, WORLD[w]);
            good = run_nights(&STUDIES[k], w, nights, t) && good;
            for (size_t j = 0; STUDIES[k].targets[j].what != END; j++)
                good = write_line(&b, &STUDIES[k].targets[j], WORLD[w], nights, t[j]) && good;
        }
    good = rsp_write_file(path, b.data, b.length, d) && good;
    rsp_diag_print(d, stderr, false, 0);
    rsp_diag_free(d);
    rsp_buf_free(&b);
    return good ? 0 : 1;
}

/* ---- the short study --------------------------------------------------------------------------------------------- */

#ifdef __SANITIZE_ADDRESS__
enum { SHORT = 4 };
#else
enum { SHORT = 40 };
#endif

struct line {
    size_t nights;
    double coverage, low, high;
    const char *verdict, *why; /* borrowed: the line is cut up */
};

/* Takes the next line of the table, which must be of this kind and world. */
static struct line next_line(char **at, const char *kind, const char *world) {
    struct line x = {0};
    rsp_buf begin = {0};
    rsp_buf_csv(&begin, kind, false);
    rsp_buf_putc(&begin, ',');
    rsp_buf_csv(&begin, world, false);
    rsp_buf_putc(&begin, ',');
    if (strncmp(*at, begin.data, begin.length) != 0) fail_msg("%s: no line `%s`; run make recovery", TABLE, begin.data);
    char *p = *at + begin.length, *end = strchr(p, '\n');
    int used = 0;
    assert_non_null(end);
    *end = 0;
    assert_int_equal(sscanf(p, "%zu,%lf,%lf,%lf,%n", &x.nights, &x.coverage, &x.low, &x.high, &used), 4);
    x.verdict = p + used;
    p = strchr(p + used, ',');
    assert_non_null(p);
    *p = 0;
    x.why = p + 1;
    *at = end + 1;
    rsp_buf_free(&begin);
    return x;
}

static void check_line(const struct line *x, const char *kind, const char *world) {
    double n = (double) x->nights;
    assert_true(x->nights >= 1800);
    if (!same(x->verdict, verdict_of(x->coverage, n)) || fabs(x->high - 0.95 - limit(n)) > 1e-4 ||
        fabs(0.95 - x->low - limit(n)) > 1e-4)
        fail_msg("%s, %s: %s does not follow from %.4f", kind, world, x->verdict, x->coverage);
    if (same(x->verdict, "holds") != !*x->why) fail_msg("%s, %s: %s, why `%s`", kind, world, x->verdict, x->why);
}

/* Within five errors of the difference of two shares. */
static void check_tally(const struct line *x, struct tally t, const char *kind, const char *world) {
    double n = (double) t.given, p = fmin(x->coverage, 0.99);
    if (!t.given) fail_msg("%s, %s: no interval", kind, world);
    double error = sqrt(p * (1 - p) * (1 / n + 1 / (double) x->nights));
    if (fabs((double) t.held / n - x->coverage) > 5 * error + 1 / n)
        fail_msg("%s, %s: %zu of %zu intervals hold, the table says %.4f", kind, world, t.held, t.given, x->coverage);
}

static void short_study(void **state) {
    rsp_buf table = {0};
    rsp_diag *d = rsp_diag_new();
    (void) state;
    assert_true(rsp_read_file(TABLE, &table, d, RSP_ERR_DATA, RSP_NOWHERE));
    char *at = strchr(table.data, '\n') + 1;
    for (size_t k = 0; k < N_STUDIES; k++)
        for (size_t w = 0; w < WORLDS; w++) {
            struct tally t[MOST_TARGETS] = {0};
            if (!STUDIES[k].units[w]) continue;
            assert_true(run_nights(&STUDIES[k], w, SHORT, t));
            for (size_t j = 0; STUDIES[k].targets[j].what != END; j++) {
                const char *kind = STUDIES[k].targets[j].kind;
                struct line x = next_line(&at, kind, WORLD[w]);
                check_line(&x, kind, WORLD[w]);
                check_tally(&x, t[j], kind, WORLD[w]);
            }
        }
    assert_int_equal(*at, 0);
    rsp_buf_free(&table);
    rsp_diag_free(d);
}

static void nights_do_not_depend_on_threads(void **state) {
    struct tally one[MOST_TARGETS] = {0}, three[MOST_TARGETS] = {0};
    (void) state;
    threads = 1;
    assert_true(run_nights(&STUDIES[0], 1, 9, one));
    threads = 3;
    assert_true(run_nights(&STUDIES[0], 1, 9, three));
    assert_memory_equal(one, three, sizeof one);
    threads = 1;
}

/* Means over a standard normal, by the trapezoid rule. */
static void means_over_x(void **state) {
    enum { STEPS = 4000 };
    double share = 0, slope = 0, h = 24.0 / STEPS;
    (void) state;
    for (size_t k = 0; k <= STEPS; k++) {
        double x = -12 + h * (double) k, p = logistic(-0.3 + 0.8 * x), density = exp(-x * x / 2) / sqrt(2 * M_PI);
        share += h * density * p;
        slope += h * density * 0.8 * p * (1 - p);
    }
    assert_true(fabs(share - SHARE_OVER_X) < 1e-12 && fabs(slope - SLOPE_OVER_X) < 1e-12);
}

int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(means_over_x),
                                       cmocka_unit_test(nights_do_not_depend_on_threads),
                                       cmocka_unit_test(short_study)};
    bool write = argc == 5 && same(argv[1], "--nights") && same(argv[3], "--write");
    if (write) threads = rsp_threads();
    rsp_threads_set(1);
    return write ? write_table(argv[4], (size_t) strtoull(argv[2], NULL, 10))
                 : cmocka_run_group_tests(tests, NULL, NULL);
}
