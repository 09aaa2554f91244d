/* Reliability of scales: alpha (Cronbach 1951), omega of one factor by maximum likelihood (McDonald 1999), item-rest
 * correlations. Listwise complete rows, reversed items turned round. */
#include "responsive/statistics.h"

#include "responsive/clean.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct moments {
    size_t p, n;
    double *cov; /* [p*p], divided by n - 1 (weights: by their sum less its mean) */
};

/* Two passes over the complete rows, in order: their sums do not depend on threads. */
static struct moments item_moments(const rsp_sample *s, const rsp_analysis *a) {
    const rsp_scale *scale = &a->scale;
    size_t p = scale->n_items;
    struct moments m = {p, 0, rsp_calloc(p * p, sizeof(double))};
    double *x = rsp_malloc(s->n * p * sizeof *x), *w = rsp_malloc(s->n * sizeof *w),
           *mean = rsp_calloc(p, sizeof *mean), sum = 0;
    uint8_t *take = rsp_malloc(s->n);
    memset(take, 1, s->n);
    if (a->filter) rsp_eval_filter(s->frame, a->filter, take);
    for (size_t i = 0; i < s->n; i++) {
        double *row = x + m.n * p;
        bool complete = take[i] && (!scale->weighted || s->weight[i] > 0);
        for (size_t j = 0; complete && j < p; j++) {
            row[j] = rsp_value_reversed(s->frame, scale->items[j], i);
            complete = !isnan(row[j]);
        }
        if (!complete) continue;
        w[m.n] = scale->weighted ? s->weight[i] : 1;
        sum += w[m.n++];
    }
    for (size_t i = 0; i < m.n; i++)
        for (size_t j = 0; j < p; j++) mean[j] += w[i] * x[i * p + j] / sum;
    double divisor = sum - sum / (double) m.n;
    for (size_t i = 0; i < m.n; i++)
        for (size_t j = 0; j < p; j++)
            for (size_t k = 0; k < p; k++)
                m.cov[j * p + k] += w[i] * (x[i * p + j] - mean[j]) * (x[i * p + k] - mean[k]) / divisor;
    free(x), free(w), free(mean), free(take);
    return m;
}

static double alpha(const struct moments *m) {
    double total = 0, diagonal = 0;
    for (size_t j = 0; j < m->p; j++)
        for (size_t k = 0; k < m->p; k++) {
            total += m->cov[j * m->p + k];
            if (j == k) diagonal += m->cov[j * m->p + k];
        }
    return (double) m->p / (double) (m->p - 1) * (1 - diagonal / total);
}

static double item_rest(const struct moments *m, size_t item) {
    double with = 0, rest = 0;
    for (size_t j = 0; j < m->p; j++) {
        if (j == item) continue;
        with += m->cov[item * m->p + j];
        for (size_t k = 0; k < m->p; k++)
            if (k != item) rest += m->cov[j * m->p + k];
    }
    return with / sqrt(m->cov[item * m->p + item] * rest);
}

/* One factor by the EM algorithm (Rubin and Thayer 1982): each step costs p*p, so its many steps are cheap. Returns
 * false when a unique variance goes to zero (Heywood case) or nothing settles. */
static bool one_factor(const struct moments *m, double *loading, double *unique) {
    enum { MOST_STEPS = 200000 };
    size_t p = m->p;
    double *sb = rsp_malloc(p * sizeof *sb), *b = rsp_malloc(p * sizeof *b);
    bool settled = false, heywood = false;
    for (size_t j = 0; j < p; j++) {
        double v = m->cov[j * p + j];
        loading[j] = sqrt(v / 2);
        unique[j] = v / 2;
    }
    for (int step = 0; step < MOST_STEPS && !settled && !heywood; step++) {
        double c = 0, bsb = 0, bl = 0, moved = 0;
        for (size_t j = 0; j < p; j++) c += loading[j] * loading[j] / unique[j];
        for (size_t j = 0; j < p; j++) b[j] = loading[j] / unique[j] / (1 + c);
        for (size_t j = 0; j < p; j++) {
            sb[j] = 0;
            for (size_t k = 0; k < p; k++) sb[j] += m->cov[j * p + k] * b[k];
            bsb += b[j] * sb[j];
            bl += b[j] * loading[j];
        }
        double ezz = 1 - bl + bsb;
        for (size_t j = 0; j < p; j++) {
            double v = m->cov[j * p + j], l = sb[j] / ezz, u = v - l * sb[j];
            moved = fmax(moved, fabs(l - loading[j]) / sqrt(v));
            heywood |= !(u > 1e-8 * v);
            loading[j] = l;
            unique[j] = u;
        }
        settled = moved < 1e-13;
    }
    free(sb), free(b);
    return settled && !heywood;
}

static double omega(const struct moments *m, bool *converged) {
    double *loading = rsp_malloc(m->p * sizeof *loading), *unique = rsp_malloc(m->p * sizeof *unique), l = 0, u = 0;
    *converged = one_factor(m, loading, unique);
    for (size_t j = 0; j < m->p; j++) l += loading[j], u += unique[j];
    free(loading), free(unique);
    return l * l / (l * l + u);
}

static void add(rsp_results *out, const rsp_analysis *a, const char *level, const char *statistic, double x, size_t n,
                uint32_t flags) {
    rsp_row *r = rsp_results_add(out, a->id, NULL, a->scale.name, level, statistic);
    r->n = (double) n;
    r->base = (int64_t) n;
    r->flags = flags;
    if (!flags && isfinite(x)) r->estimate = x;
    else if (!flags) r->flags = RSP_F_SINGULAR;
}

void rsp_measure_scale(rsp_sample *s, const rsp_analysis *a, rsp_results *out, rsp_diag *d) {
    (void) d;
    struct moments m = item_moments(s, a);
    uint32_t flags = m.n == 0 ? RSP_F_EMPTY : 0;
    for (size_t j = 0; !flags && j < m.p; j++)
        if (!(m.cov[j * m.p + j] > 0)) flags = RSP_F_SINGULAR; /* an item with one answer only */
    add(out, a, NULL, "alpha", flags ? NAN : alpha(&m), m.n, flags);
    if (m.p >= 3) {
        bool converged = true;
        double x = flags ? NAN : omega(&m, &converged);
        add(out, a, NULL, "omega", x, m.n, flags ? flags : converged ? 0 : RSP_F_NOT_CONVERGED);
    }
    for (size_t j = 0; j < m.p; j++)
        add(out, a, s->frame->study->variables[a->scale.items[j]].name, "item_rest", flags ? NAN : item_rest(&m, j),
            m.n, flags);
    free(m.cov);
}
