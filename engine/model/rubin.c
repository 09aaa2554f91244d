/* Results of completed data sets become one (Rubin 1987): the mean of the estimates, the mean of their variances plus
 * (1 + 1/m) times the variance between them, degrees of freedom after Barnard and Rubin (1999), whose complete-data ones
 * are the design's. Rows belong together by domain, term, level and statistic.
 *
 * Ratios are pooled as logarithms, reliabilities as log(1 - r), correlations by Fisher's transformation. F statistics, t
 * statistics of tests and chi-squares of factor models are pooled by D2, a rule for test statistics alone (Li, Meng,
 * Raghunathan and Rubin 1991); fit measures follow from the pooled chi-squares. What has no standard error is averaged. */
#include "estimate/estimate.h"
#include "model/impute.h"
#include "model/rubin.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static bool is(const rsp_row *r, const char *statistic) { return strcmp(r->statistic, statistic) == 0; }

static bool one_of(const rsp_row *r, const char *const *words) {
    for (; *words; words++)
        if (is(r, *words)) return true;
    return false;
}

static const char *key_of(rsp_arena *a, const rsp_row *r) {
    return rsp_printf(a, "%s\n%s\n%s\n%s\n%s", r->analysis, r->domain, r->term, r->level, r->statistic);
}

/* ---- one number ------------------------------------------------------------------------------------------------- */

rsp_rubin rsp_rubin_pool(const double *q, const double *u, size_t m, double complete) {
    rsp_rubin p = {0};
    double n = (double) m;
    for (size_t k = 0; k < m; k++) p.estimate += q[k] / n, p.within += u[k] / n;
    for (size_t k = 0; k < m; k++) p.between += (q[k] - p.estimate) * (q[k] - p.estimate) / (n - 1);
    double added = (1 + 1 / n) * p.between;
    p.total = p.within + added;
    double lambda = p.total > 0 ? added / p.total : 0, old = lambda > 0 ? (n - 1) / (lambda * lambda) : INFINITY;
    double observed = isnan(complete) ? INFINITY : (complete + 1) / (complete + 3) * complete * (1 - lambda);
    p.df = isinf(old) ? observed : isinf(observed) ? old : old * observed / (old + observed);
    double rise = p.within > 0 ? added / p.within : 0;
    p.fmi = (rise + (isinf(p.df) ? 0 : 2 / (p.df + 3))) / (rise + 1);
    if (!(added > 0)) p.fmi = 0;
    if (isinf(p.df)) p.df = NAN;
    return p;
}

double rsp_rubin_d2(const double *chisq, size_t m, double k, double complete, double *df) {
    double n = (double) m, mean = 0, root = 0, spread = 0;
    for (size_t j = 0; j < m; j++) {
        root += sqrt(chisq[j]) / n;
        mean += chisq[j] / n;
    }
    for (size_t j = 0; j < m; j++) spread += (sqrt(chisq[j]) - root) * (sqrt(chisq[j]) - root) / (n - 1);
    double rise = (1 + 1 / n) * spread;
    *df = complete;
    if (!(rise > 1e-12 * (1 + mean))) return mean / k; /* the same in every data set */
    *df = pow(k, -3 / n) * (n - 1) * (1 + 1 / rise) * (1 + 1 / rise);
    if (complete < *df) *df = complete;
    return fmax(0, (mean / k - (n + 1) / (n - 1) * rise) / (1 + rise));
}

/* ---- one row ---------------------------------------------------------------------------------------------------- */

struct row {
    const rsp_analysis *a;
    size_t m;
    const rsp_row **from; /* [m] */
    double *q, *u;        /* [m] */
    rsp_row *to;
    struct fit {
        double chisq, df, chisq_baseline, df_baseline; /* pooled, of the factor model at hand */
    } plain, scaled;
};

static double mean_of(const struct row *x, size_t offset) {
    double sum = 0;
    for (size_t k = 0; k < x->m; k++) sum += *(const double *) ((const char *) x->from[k] + offset);
    return sum / (double) x->m;
}

static int64_t least_of(const struct row *x, size_t offset) {
    int64_t least = INT64_MAX;
    for (size_t k = 0; k < x->m; k++) {
        int64_t n = *(const int64_t *) ((const char *) x->from[k] + offset);
        if (n < least) least = n;
    }
    return least;
}

/* Counts for disclosure control: the least; dominance: the greatest share. */
static void pool_counts(struct row *x) {
    rsp_row *r = x->to;
    r->n = mean_of(x, offsetof(rsp_row, n));
    r->base = least_of(x, offsetof(rsp_row, base));
    r->cell = least_of(x, offsetof(rsp_row, cell));
    r->organisations = least_of(x, offsetof(rsp_row, organisations));
    r->tail = least_of(x, offsetof(rsp_row, tail));
    for (size_t k = 0; k < x->m; k++) {
        r->flags |= x->from[k]->flags;
        if (!(r->largest >= x->from[k]->largest)) {
            r->largest = x->from[k]->largest;
            r->second = x->from[k]->second;
        }
    }
}

/* Scales on which an interval keeps within what can be. */
enum scale { PLAIN, LOGARITHM, LOGIT };

static enum scale scale_of(const struct row *x) {
    static const char *const shares[] = {"proportion", "proportion_missing", "proportion_collapsed", "top2", NULL};
    if (one_of(x->to, shares)) return LOGIT;
    if (!is(x->to, "predicted")) return PLAIN;
    switch (x->a->model.kind) {
    case RSP_LINEAR_MODEL: return PLAIN;
    case RSP_POISSON_MODEL:
    case RSP_NEGATIVE_BINOMIAL_MODEL: return LOGARITHM;
    default: return LOGIT;
    }
}

static void interval(struct row *x) {
    rsp_row *r = x->to;
    enum scale scale = scale_of(x);
    rsp_row_interval(r);
    if (scale == LOGIT) {
        est_share_interval(r->estimate, r->se, isnan(r->df) ? INFINITY : r->df, r->n, &r->lower, &r->upper);
    } else if (scale == LOGARITHM && !isnan(r->lower)) {
        double half = rsp_t_quantile(0.975, r->df) * r->se / r->estimate;
        r->lower = r->estimate * exp(-half);
        r->upper = r->estimate * exp(half);
    }
}

static void pool_estimate(struct row *x, double *fmi) {
    rsp_row *r = x->to;
    for (size_t k = 0; k < x->m; k++) {
        x->q[k] = x->from[k]->estimate;
        x->u[k] = x->from[k]->se * x->from[k]->se;
    }
    rsp_rubin p = rsp_rubin_pool(x->q, x->u, x->m, mean_of(x, offsetof(rsp_row, df)));
    r->estimate = p.estimate;
    r->se = sqrt(p.total);
    if (isnan(r->se)) return;
    r->df = p.df;
    *fmi = p.fmi;
    interval(x);
    bool tested = !isnan(mean_of(x, offsetof(rsp_row, p)));
    if (tested && !(r->flags & RSP_F_NO_DF) && r->se > 0) r->p = rsp_t_two_sided(r->estimate / r->se, r->df);
    double simple = 0; /* variance of a simple random sample of the completed data */
    for (size_t k = 0; k < x->m; k++) simple += x->u[k] / x->from[k]->deff / (double) x->m;
    if (simple > 0) {
        r->deff = p.total / simple;
        r->n_eff = r->n / r->deff;
    }
}

static void pool_ratio(struct row *x) {
    rsp_row *r = x->to;
    for (size_t k = 0; k < x->m; k++) {
        double se = x->from[k]->se / x->from[k]->estimate;
        x->q[k] = log(x->from[k]->estimate);
        x->u[k] = se * se;
    }
    rsp_rubin p = rsp_rubin_pool(x->q, x->u, x->m, mean_of(x, offsetof(rsp_row, df)));
    double se = sqrt(p.total), t = rsp_t_quantile(0.975, p.df);
    r->estimate = exp(p.estimate);
    r->se = r->estimate * se;
    r->df = p.df;
    if (isnan(se)) return;
    r->lower = exp(p.estimate - t * se);
    r->upper = exp(p.estimate + t * se);
    r->p = rsp_t_two_sided(p.estimate / se, p.df);
}

/* ---- bounded numbers -------------------------------------------------------------------------------------------- */

/* The scale on which a number is pooled whose distribution is skewed near the end of its range. */
enum bounded { UNBOUNDED, RELIABILITY, CORRELATION };

static enum bounded bounded_of(const rsp_row *r) {
    static const char *const reliabilities[] = {"alpha", "omega", "alpha_if_dropped", NULL};
    static const char *const correlations[] = {"item_rest", "correlation", "correlation_rank", "correlation_polychoric",
                                               NULL};
    if (one_of(r, reliabilities)) return RELIABILITY;
    return one_of(r, correlations) ? CORRELATION : UNBOUNDED;
}

static double to_scale(enum bounded b, double x) { return b == RELIABILITY ? -log(1 - x) : atanh(x); }
static double from_scale(enum bounded b, double y) { return b == RELIABILITY ? 1 - exp(-y) : tanh(y); }
/* Derivative of from_scale, at the number itself. */
static double slope_at(enum bounded b, double x) { return b == RELIABILITY ? 1 - x : 1 - x * x; }

static void pool_bounded(struct row *x, enum bounded b, double *fmi) {
    rsp_row *r = x->to;
    bool tested = !isnan(mean_of(x, offsetof(rsp_row, p)));
    for (size_t k = 0; k < x->m; k++) {
        double se = x->from[k]->se / slope_at(b, x->from[k]->estimate);
        x->q[k] = to_scale(b, x->from[k]->estimate);
        x->u[k] = se * se;
    }
    rsp_rubin p = rsp_rubin_pool(x->q, x->u, x->m, mean_of(x, offsetof(rsp_row, df)));
    if (!isfinite(p.estimate)) { /* 1 or -1 in a data set */
        r->estimate = mean_of(x, offsetof(rsp_row, estimate));
        return;
    }
    double se = sqrt(p.total), half = rsp_t_quantile(0.975, p.df) * se;
    r->estimate = from_scale(b, p.estimate);
    if (isnan(se)) return;
    r->se = se * slope_at(b, r->estimate);
    r->df = p.df;
    *fmi = p.fmi;
    if (r->flags & RSP_F_NO_DF) return;
    r->lower = from_scale(b, p.estimate - half);
    r->upper = from_scale(b, p.estimate + half);
    if (tested) r->p = rsp_t_two_sided(p.estimate / se, p.df);
}

/* ---- test statistics -------------------------------------------------------------------------------------------- */

/* F, times its first degrees of freedom, is taken as a chi-square. */
static void pool_f(struct row *x) {
    rsp_row *r = x->to;
    double k = mean_of(x, offsetof(rsp_row, df1));
    for (size_t j = 0; j < x->m; j++) x->q[j] = k * x->from[j]->estimate;
    r->df1 = k;
    r->estimate = rsp_rubin_d2(x->q, x->m, k, mean_of(x, offsetof(rsp_row, df)), &r->df);
    if (!isnan(r->estimate)) r->p = rsp_f_upper(r->estimate, r->df1, r->df);
}

/* t squared is an F on one degree of freedom. */
static void pool_t(struct row *x) {
    rsp_row *r = x->to;
    double mean = mean_of(x, offsetof(rsp_row, estimate));
    for (size_t j = 0; j < x->m; j++) x->q[j] = x->from[j]->estimate * x->from[j]->estimate;
    r->estimate = copysign(sqrt(rsp_rubin_d2(x->q, x->m, 1, mean_of(x, offsetof(rsp_row, df)), &r->df)), mean);
    if (!isnan(r->estimate)) r->p = rsp_t_two_sided(r->estimate, r->df);
}

/* A chi-square of a factor model: k times D2, its p from F. */
static void pool_chisq(struct row *x) {
    rsp_row *r = x->to;
    double k = mean_of(x, offsetof(rsp_row, df)), df;
    for (size_t j = 0; j < x->m; j++) x->q[j] = x->from[j]->estimate;
    r->df = k;
    if (k > 0) {
        double f = rsp_rubin_d2(x->q, x->m, k, NAN, &df);
        r->estimate = k * f;
        if (!isnan(f)) r->p = isnan(df) ? rsp_chisq_upper(k * f, k) : rsp_f_upper(f, k, df);
    } else {
        r->estimate = mean_of(x, offsetof(rsp_row, estimate));
    }
    struct fit *fit = strstr(r->statistic, "_scaled") ? &x->scaled : &x->plain;
    bool baseline = strstr(r->statistic, "_baseline") != NULL;
    *(baseline ? &fit->chisq_baseline : &fit->chisq) = r->estimate;
    *(baseline ? &fit->df_baseline : &fit->df) = k;
}

/* The size by which the excess of chi-square is divided in rmsea, over the number of groups, as the data sets' own rows
 * have it. D2 is at most the mean of the chi-squares: if it leaves an excess, so does one of them. */
static double size_of(const struct row *x, const struct fit *fit, const rsp_results *const *each) {
    const char *chisq = fit == &x->scaled ? "chisq_scaled" : "chisq";
    for (size_t k = 0; k < x->m; k++)
        for (size_t i = 0; x->from[k]->estimate > 0 && i < each[k]->n; i++) {
            const rsp_row *r = &each[k]->rows[i];
            if (is(r, chisq) && strcmp(r->analysis, x->to->analysis) == 0 && !*r->domain)
                return (r->estimate - fit->df) / (fit->df * x->from[k]->estimate * x->from[k]->estimate);
        }
    return NAN;
}

/* Fit measures as functions of the pooled chi-squares, as in measure/factor.c. */
static void pool_measure(struct row *x, const rsp_results *const *each) {
    const char *s = x->to->statistic;
    const struct fit *f = strstr(s, "_scaled") ? &x->scaled : &x->plain;
    double excess = fmax(0, f->chisq - f->df), baseline = fmax(excess, f->chisq_baseline - f->df_baseline),
           ratio = f->chisq_baseline / f->df_baseline, value;
    if (isnan(mean_of(x, offsetof(rsp_row, estimate))) || isnan(f->chisq)) return;
    if (strncmp(s, "cfi", 3) == 0) value = baseline > 0 ? 1 - excess / baseline : 1;
    else if (strncmp(s, "tli", 3) == 0) value = f->df > 0 ? (ratio - f->chisq / f->df) / (ratio - 1) : 1;
    else value = excess > 0 ? sqrt(excess / (f->df * size_of(x, f, each))) : 0;
    if (isfinite(value)) x->to->estimate = value;
}

/* ---- all rows --------------------------------------------------------------------------------------------------- */

static bool main_statistic(const rsp_row *r) {
    static const char *const words[] = {"coefficient",
                                        "threshold",
                                        "proportion",
                                        "mean",
                                        "total",
                                        "ratio",
                                        "median",
                                        "quantile",
                                        "sd",
                                        "net",
                                        "top2",
                                        "alpha",
                                        "omega",
                                        "correlation",
                                        "correlation_rank",
                                        "correlation_polychoric",
                                        "loading",
                                        NULL};
    return one_of(r, words);
}

/* Of factor models. Likelihoods and what rests on them are each data set's own; robust fit measures rest on misfit and
 * chance, which have no pooled counterpart; which modifications are listed differs from data set to data set. */
static bool never_pooled(const rsp_analysis *a, const rsp_row *r) {
    static const char *const words[] = {"aic", "bic", "loglik", "cfi_robust", "tli_robust", "rmsea_robust", NULL};
    return a->kind == RSP_A_FACTOR && one_of(r, words);
}

static void pool_numbers(struct row *x, const rsp_results *const *each, double *fmi) {
    static const char *const ratios[] = {"odds_ratio", "rate_ratio", NULL};
    static const char *const tests[] = {"wald_f", "rao_scott_f", "kruskal_f", NULL};
    static const char *const chisq[] = {"chisq", "chisq_scaled", "chisq_baseline", "chisq_baseline_scaled", NULL};
    static const char *const fit[] = {"cfi", "tli", "rmsea", "cfi_scaled", "tli_scaled", "rmsea_scaled", NULL};
    const rsp_row *r = x->to;
    enum bounded b = bounded_of(r);
    if (one_of(r, tests)) pool_f(x);
    else if (x->a->kind == RSP_A_TEST) pool_t(x);
    else if (one_of(r, chisq)) pool_chisq(x);
    else if (one_of(r, fit)) pool_measure(x, each);
    else if (one_of(r, ratios)) pool_ratio(x);
    else if (b != UNBOUNDED) pool_bounded(x, b, fmi);
    else if (isnan(mean_of(x, offsetof(rsp_row, se)))) x->to->estimate = mean_of(x, offsetof(rsp_row, estimate));
    else pool_estimate(x, fmi);
}

static void pool_row(struct row *x, const rsp_results *const *each, rsp_results *out) {
    double fmi = NAN;
    const rsp_row *first = x->from[0];
    x->to = rsp_results_add(out, first->analysis, first->domain, first->term, first->level, first->statistic);
    for (size_t j = 0; j < 2; j++) x->to->sides[j] = rsp_strdup(out->arena, first->sides[j]);
    for (size_t k = 0; k < x->m; k++)
        if (!x->from[k]) { /* in some data sets there is nobody of whom it could be said */
            x->to->flags |= RSP_F_EMPTY;
            x->to->base = 0;
            return;
        }
    pool_counts(x);
    pool_numbers(x, each, &fmi);
    if (isnan(fmi) || !main_statistic(x->to)) return;
    rsp_row from = *x->to, *r = rsp_results_add(out, from.analysis, from.domain, from.term, from.level, "fmi");
    r->estimate = fmi;
    r->n = from.n;
    r->base = from.base;
    r->cell = from.cell;
    r->organisations = from.organisations;
}

/* Holm's adjustment within the families that the data sets' rows had: differences by item, other tests by item and
 * domain. */
static void adjust(rsp_results *out, size_t from, const uint8_t *adjusted) {
    size_t n = out->n - from;
    double *p = rsp_malloc((n + 1) * sizeof *p), *to = rsp_malloc((n + 1) * sizeof *to);
    uint8_t *done = rsp_calloc(n + 1, 1);
    for (size_t k = 0; k < n; k++) {
        const rsp_row *r = &out->rows[from + k];
        if (done[k] || !adjusted[k]) continue;
        for (size_t j = 0; j < n; j++) {
            const rsp_row *s = &out->rows[from + j];
            bool family = adjusted[j] && is(s, r->statistic) && strcmp(s->term, r->term) == 0 &&
                          (is(r, "difference") || strcmp(s->domain, r->domain) == 0);
            done[j] |= family;
            p[j] = family ? s->p : NAN;
        }
        est_holm(p, n, to);
        for (size_t j = 0; j < n; j++)
            if (!isnan(p[j])) out->rows[from + j].p_adj = to[j];
    }
    free(p), free(to), free(done);
}

void rsp_pool_imputations(const rsp_analysis *a, const rsp_results *const *each, size_t m, rsp_results *out) {
    rsp_arena *arena = rsp_arena_new();
    rsp_map **places = RSP_ARRAY(arena, rsp_map *, m);
    struct row x = {.a = a, .m = m, .from = RSP_ARRAY(arena, const rsp_row *, m)};
    size_t first = out->n;
    uint8_t *adjusted = RSP_ARRAY(arena, uint8_t, 2 * each[0]->n + 1);
    x.q = RSP_ARRAY(arena, double, m);
    x.u = RSP_ARRAY(arena, double, m);
    for (size_t k = 1; k < m; k++) {
        places[k] = rsp_map_new();
        for (size_t i = 0; i < each[k]->n; i++) rsp_map_put(places[k], key_of(arena, &each[k]->rows[i]), i);
    }
    for (size_t i = 0; i < each[0]->n; i++) {
        const char *key = key_of(arena, &each[0]->rows[i]);
        x.from[0] = &each[0]->rows[i];
        for (size_t k = 1; k < m; k++) {
            size_t at = rsp_map_get(places[k], key);
            x.from[k] = at == RSP_NONE ? NULL : &each[k]->rows[at];
        }
        if (never_pooled(a, x.from[0])) continue;
        adjusted[out->n - first] = !isnan(x.from[0]->p_adj);
        pool_row(&x, each, out);
    }
    adjust(out, first, adjusted);
    for (size_t k = 1; k < m; k++) rsp_map_free(places[k]);
    rsp_arena_free(arena);
}
