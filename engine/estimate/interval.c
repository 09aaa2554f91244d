/* From an estimate and its variance to the numbers of a row. */
#include "estimate/estimate.h"

#include <math.h>
#include <stdlib.h>

enum { SMALL_EFFECTIVE_BASE = 30 };
static const double WIDE_SHARE = 0.3;

/* Exactly 0 or 1: Clopper and Pearson's interval with the effective number of respondents of Korn and Graubard (1998),
 * whose design effect cannot be estimated there and is taken as 1. */
static void exact_interval(double p, double df, double n, double *lower, double *upper) {
    double ratio = rsp_t_quantile(0.025, n - 1) / rsp_t_quantile(0.025, df), effective = n * ratio * ratio;
    *lower = p > 0 ? rsp_beta_quantile(0.025, effective, 1) : 0;
    *upper = p < 1 ? rsp_beta_quantile(0.975, 1, effective) : 1;
    if (isnan(effective)) *lower = *upper = NAN;
}

void est_share_interval(double p, double se, double df, double n, double *lower, double *upper) {
    *lower = *upper = NAN;
    if (isnan(p) || isnan(se) || df <= 0) return;
    if (p <= 0 || p >= 1) {
        exact_interval(p, df, n, lower, upper);
        return;
    }
    double centre = log(p / (1 - p)), half = rsp_t_quantile(0.975, df) * se / (p * (1 - p));
    *lower = 1 / (1 + exp(half - centre));
    *upper = 1 / (1 + exp(-half - centre));
}

static void two_largest(const est_people *who, const est_item *it, size_t domain, double *first, double *second) {
    double sum = 0;
    *first = *second = 0;
    for (size_t r = who->start[domain]; r < who->start[domain + 1]; r++) {
        size_t i = who->rows[r];
        if (!est_counted(it, 0, i)) continue;
        double x = fabs(who->weight[i] * it->measure.y[i]);
        sum += x;
        if (x > *first) {
            *second = *first;
            *first = x;
        } else if (x > *second) {
            *second = x;
        }
    }
    *first = sum > 0 ? *first / sum : NAN;
    *second = sum > 0 ? *second / sum : NAN;
}

/* Respondents who gave one of the answers that the share is of. */
static int64_t cell_of(const est_people *who, const est_item *it, const est_form *f, size_t domain) {
    if (it->measure.kind != EST_LEVELS || !(f->share || f->counted)) return -1;
    size_t k = it->measure.k;
    int64_t n = 0;
    for (size_t c = 0; c < who->n_countries; c++)
        for (size_t l = 0; l < k; l++)
            if (f->a[l] != 0) n += it->count[(domain * who->n_countries + c) * k + l];
    return n;
}

void est_describe(const est_context *x, const est_item *it, size_t form, size_t domain, est_value *v) {
    const est_people *who = x->who;
    const est_form *f = &it->forms[form];
    *v = (est_value){.flags = who->flags[domain], .cell = -1, .tail = -1};
    v->estimate = v->se = v->lower = v->upper = v->n = v->n_eff = v->deff = v->variance = v->largest = v->second = NAN;
    v->base = est_base_of_domain(who, it, f->base, domain);
    v->df = it->df[f->base * who->n_domains + domain];
    v->organisations = it->organisations[f->base * who->n_domains + domain];
    if (v->flags & RSP_F_NOT_ELIGIBLE) { /* nothing of it is shown, nor part of any whole: nothing to disclose */
        v->base = 0;
        v->organisations = -1;
        return;
    }
    v->n = (double) v->base;
    if (v->base == 0) {
        v->flags |= RSP_F_EMPTY;
        return;
    }
    v->cell = cell_of(who, it, f, domain);
    if (f->counted) {
        v->estimate = (double) (v->cell >= 0 ? v->cell : v->base);
        return;
    }
    v->estimate = est_value_of(who, it, f, domain, it->full);
    if (f->share && (v->cell == 0 || v->cell == v->base)) v->estimate = v->cell ? 1 : 0;
    if (it->tail) v->tail = it->tail[form * who->n_domains + domain];
    if (f->shape == EST_TOTAL && it->measure.kind == EST_MOMENTS) two_largest(who, it, domain, &v->largest, &v->second);
}

/* Woodruff (1952): the interval of the distribution function at the estimate, read back as values; a limit outside
 * (0, 1) gives none. The standard error is the interval's length over twice the t quantile. */
static void woodruff(const est_item *it, size_t domain, est_value *v) {
    double t = rsp_t_quantile(0.975, v->df), share = v->estimate, half = t * v->se;
    v->lower = est_quantile_at(it, domain, share - half);
    v->upper = est_quantile_at(it, domain, share + half);
    v->se = (v->upper - v->lower) / (2 * t);
}

static void intervals(const est_item *it, const est_form *f, size_t domain, est_value *v) {
    bool has_df = v->df > 0;
    if (!has_df) v->flags |= RSP_F_NO_DF;
    if (it->quantile) {
        if (has_df) woodruff(it, domain, v);
        else v->se = NAN;
    } else if (has_df && f->share) {
        est_share_interval(v->estimate, v->se, v->df, v->n, &v->lower, &v->upper);
    } else if (has_df) {
        double half = rsp_t_quantile(0.975, v->df) * v->se;
        v->lower = v->estimate - half;
        v->upper = v->estimate + half;
    }
    if (!has_df) {
        v->df = NAN;
        if (v->se == 0) v->se = NAN; /* a single respondent, or one a country: nothing varies because nothing can */
    }
}

void est_finish(const est_context *x, const est_item *it, size_t form, size_t domain, est_value *v) {
    const est_form *f = &it->forms[form];
    if (isnan(v->estimate) || f->counted) {
        v->df = NAN;
        return;
    }
    bool certain = f->share && (v->estimate == 0 || v->estimate == 1);
    if (certain) v->variance = 0;
    v->se = sqrt(v->variance > 0 || isnan(v->variance) ? v->variance : 0);
    if (!certain && !isnan(v->variance)) {
        v->deff = v->variance / est_srs_variance(x->who, it, f, domain);
        v->n_eff = v->n / v->deff;
        if (!(v->deff > 0) || !isfinite(v->deff)) v->deff = v->n_eff = NAN;
    }
    if (!isnan(v->se)) intervals(it, f, domain, v);
    else v->df = NAN;
    if (it->quantile) v->estimate = it->quantile[form * x->who->n_domains + domain];
    if ((isnan(v->n_eff) ? v->n : v->n_eff) < SMALL_EFFECTIVE_BASE) v->flags |= RSP_F_LOW_BASE;
    if (f->share && !it->quantile && v->upper - v->lower > WIDE_SHARE) v->flags |= RSP_F_LOW_BASE;
}

struct ranked {
    double p;
    size_t at;
};

static int compare_ranked(const void *x, const void *y) {
    const struct ranked *a = x, *b = y;
    if (a->p != b->p) return a->p < b->p ? -1 : 1;
    return a->at < b->at ? -1 : 1;
}

/* Those that are not NaN, ascending; returns how many. adjusted: NaN throughout. */
static size_t rank_values(const double *p, size_t n, double *adjusted, struct ranked *order) {
    size_t m = 0;
    for (size_t k = 0; k < n; k++) {
        adjusted[k] = NAN;
        if (!isnan(p[k])) order[m++] = (struct ranked){p[k], k};
    }
    qsort(order, m, sizeof *order, compare_ranked);
    return m;
}

void est_holm(const double *p, size_t n, double *adjusted) {
    struct ranked *order = rsp_malloc((n + 1) * sizeof *order);
    size_t m = rank_values(p, n, adjusted, order);
    double largest = 0;
    for (size_t k = 0; k < m; k++) {
        largest = fmax(largest, fmin(1, (double) (m - k) * order[k].p));
        adjusted[order[k].at] = largest;
    }
    free(order);
}

void est_benjamini_hochberg(const double *p, size_t n, double *adjusted) {
    struct ranked *order = rsp_malloc((n + 1) * sizeof *order);
    size_t m = rank_values(p, n, adjusted, order);
    double least = 1;
    for (size_t k = m; k-- > 0;) {
        least = fmin(least, (double) m / (double) (k + 1) * order[k].p);
        adjusted[order[k].at] = least;
    }
    free(order);
}
