/* Parallel analysis and exploratory factors: listwise complete rows, items as answered; with `weights: design` weighted
 * correlations. Correlations as rows of their own: correlation.c. */
#include "measure/correlation.h"
#include "measure/explore.h"
#include "measure/polychoric.h"
#include "responsive/clean.h"
#include "responsive/statistics.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct answers {
    const rsp_analysis *an;
    const rsp_exploration *x;
    rsp_sample *s;
    size_t p, n;
    double *z; /* [n*p] standardised */
    double *w, sum;
    uint32_t *row; /* [n] of the sample */
    double *r;     /* [p*p] correlations */
    uint32_t flags;
    rsp_results *out;
    rsp_arena *a;
};

/* Complete rows of positive weight, made to have mean 0 and variance 1 under the weights. */
static void read_answers(struct answers *t) {
    size_t p = t->p, n = t->s->n;
    t->z = RSP_ARRAY(t->a, double, n *p + 1);
    t->w = RSP_ARRAY(t->a, double, n + 1);
    t->row = RSP_ARRAY(t->a, uint32_t, n + 1);
    uint8_t *take = RSP_ARRAY(t->a, uint8_t, n + 1);
    memset(take, 1, n);
    if (t->an->filter) rsp_eval_filter(t->s->frame, t->an->filter, take);
    for (size_t i = 0; i < n; i++) {
        bool complete = take[i] && (!t->x->weighted || t->s->weight[i] > 0);
        for (size_t j = 0; complete && j < p; j++) {
            t->z[t->n * p + j] = rsp_value(t->s->frame, t->x->items[j], i);
            complete = !isnan(t->z[t->n * p + j]);
        }
        if (!complete) continue;
        t->row[t->n] = (uint32_t) i;
        t->w[t->n] = t->x->weighted ? t->s->weight[i] : 1;
        t->sum += t->w[t->n++];
    }
    for (size_t j = 0; j < p; j++) {
        double mean = 0, ss = 0;
        bool varies = rsp_answers_vary(t->z + j, t->n, p);
        for (size_t i = 0; i < t->n; i++) mean += t->w[i] * t->z[i * p + j] / t->sum;
        for (size_t i = 0; i < t->n; i++) {
            double gap = t->z[i * p + j] -= mean;
            ss += t->w[i] * gap * gap / t->sum;
        }
        if (!varies || !(ss > 0)) t->flags = RSP_F_SINGULAR;
        for (size_t i = 0; i < t->n; i++) t->z[i * p + j] /= ss > 0 ? sqrt(ss) : 1;
    }
    if (!t->n) t->flags = RSP_F_EMPTY;
}

static void correlate(struct answers *t) {
    size_t p = t->p;
    t->r = RSP_ARRAY(t->a, double, p *p);
    for (size_t i = 0; i < t->n; i++)
        for (size_t j = 0; j < p; j++)
            for (size_t k = 0; k < j; k++) t->r[j * p + k] += t->w[i] * t->z[i * p + j] * t->z[i * p + k] / t->sum;
    for (size_t j = 0; j < p; j++) {
        t->r[j * p + j] = 1;
        for (size_t k = 0; k < j; k++) t->r[k * p + j] = t->r[j * p + k];
    }
}

static rsp_row *add(const struct answers *t, const char *term, const char *level, const char *statistic,
                    double estimate, uint32_t flags) {
    rsp_row *r = rsp_results_add(t->out, t->an->id, NULL, term, level, statistic);
    r->n = (double) t->n;
    r->base = (int64_t) t->n;
    r->flags = flags;
    if (!flags || flags == RSP_F_HEYWOOD) r->estimate = estimate;
    return r;
}

static const char *item(const struct answers *t, size_t j) {
    return t->s->frame->study->variables[t->x->items[j]].name;
}

/* ---- how many --------------------------------------------------------------------------------------------------- */

/* Eigenvalues, those of random data, and how many of the former lie above the latter, counted from the first. */
static size_t parallel(const struct answers *t, bool rows) {
    double *value = RSP_ARRAY(t->a, double, t->p), *random = RSP_ARRAY(t->a, double, t->p);
    uint32_t flags = t->flags ? t->flags : t->n <= t->p ? RSP_F_SINGULAR : 0;
    size_t n = 0;
    if (!flags && !rsp_eigen(t->r, t->p, value, NULL)) flags = RSP_F_SINGULAR;
    if (!flags) rsp_random_eigenvalues(t->n, t->p, t->x->replicates, t->x->seed, random);
    while (!flags && n < t->p && value[n] > random[n]) n++;
    add(t, NULL, NULL, "factors", (double) n, flags);
    for (size_t j = 0; rows && j < t->p; j++) {
        const char *term = rsp_printf(t->a, "factor%zu", j + 1);
        add(t, term, NULL, "eigenvalue", value[j], flags);
        add(t, term, NULL, "eigenvalue_random", random[j], flags);
    }
    return n;
}

/* ---- factors ---------------------------------------------------------------------------------------------------- */

/* Share of the items' variance that goes with a factor; with correlated factors what it shares with others is halved
 * between them: diagonal of phi L'L over p. */
static double explained(const double *l, const double *phi, size_t p, size_t m, size_t j) {
    double sum = 0;
    for (size_t k = 0; k < m; k++)
        for (size_t i = 0; i < p; i++) sum += phi[j * m + k] * l[i * m + k] * l[i * m + j];
    return sum / (double) p;
}

static double communality(const double *l, const double *phi, size_t m) {
    double sum = 0;
    for (size_t j = 0; j < m; j++)
        for (size_t k = 0; k < m; k++) sum += l[j] * phi[j * m + k] * l[k];
    return sum;
}

/* Factors by the variance that goes with them, each pointing where most of its loadings do. */
static void put_in_order(double *l, double *phi, size_t p, size_t m, rsp_arena *a) {
    size_t *order = RSP_ARRAY(a, size_t, m);
    double *share = RSP_ARRAY(a, double, m), *sign = RSP_ARRAY(a, double, m),
           *from = RSP_ARRAY(a, double, p *m + m * m);
    for (size_t j = 0; j < m; j++) {
        double sum = 0;
        for (size_t i = 0; i < p; i++) sum += l[i * m + j];
        sign[j] = sum < 0 ? -1 : 1;
        share[j] = explained(l, phi, p, m, j);
        size_t at = j;
        while (at > 0 && share[order[at - 1]] < share[j]) order[at] = order[at - 1], at--;
        order[at] = j;
    }
    memcpy(from, l, p * m * sizeof *l);
    memcpy(from + p * m, phi, m * m * sizeof *phi);
    for (size_t j = 0; j < m; j++) {
        for (size_t i = 0; i < p; i++) l[i * m + j] = sign[order[j]] * from[i * m + order[j]];
        for (size_t k = 0; k < m; k++)
            phi[j * m + k] = sign[order[j]] * sign[order[k]] * from[p * m + order[j] * m + order[k]];
    }
}

static void add_factors(const struct answers *t) {
    size_t p = t->p, m = t->x->n_factors ? t->x->n_factors : parallel(t, false);
    if (!m) return; /* random data have factors as large: the row `factors` says 0 */
    double *l = RSP_ARRAY(t->a, double, p *m), *phi = RSP_ARRAY(t->a, double, m *m);
    uint32_t flags = t->flags ? t->flags : t->n <= p || 2 * m > p ? RSP_F_SINGULAR : 0;
    for (size_t j = 0; j < m; j++) phi[j * m + j] = 1;
    if (!flags) {
        rsp_extraction e = rsp_extract(t->r, p, m, t->x->ml, l);
        bool ok = e.converged;
        if (ok && m > 1 && t->x->rotation == RSP_VARIMAX) ok = rsp_rotate_varimax(p, m, l);
        if (ok && m > 1 && t->x->rotation == RSP_OBLIMIN) ok = rsp_rotate_oblimin(p, m, l, phi);
        flags = !ok ? RSP_F_NOT_CONVERGED : e.heywood ? RSP_F_HEYWOOD : 0;
        if (ok) put_in_order(l, phi, p, m, t->a);
    }
    for (size_t j = 0; j < m; j++) {
        const char *term = rsp_printf(t->a, "factor%zu", j + 1);
        for (size_t i = 0; i < p; i++) add(t, term, item(t, i), "loading", l[i * m + j], flags);
        add(t, term, NULL, "variance_explained", explained(l, phi, p, m, j), flags);
        for (size_t k = 0; t->x->rotation == RSP_OBLIMIN && k < j; k++)
            add(t, rsp_printf(t->a, "factor%zu", k + 1), term, "correlation", phi[j * m + k], flags);
    }
    for (size_t i = 0; i < p; i++) add(t, item(t, i), NULL, "communality", communality(l + i * m, phi, m), flags);
}

void rsp_measure_exploration(rsp_sample *s, const rsp_analysis *an, rsp_results *out, rsp_diag *d) {
    if (an->exploration.kind == RSP_EXPLORE_CORRELATIONS) {
        rsp_measure_correlations(s, an, out, d);
        return;
    }
    rsp_arena *a = rsp_arena_new();
    struct answers t = {.an = an, .x = &an->exploration, .s = s, .p = an->exploration.n_items, .out = out, .a = a};
    read_answers(&t);
    correlate(&t);
    if (t.x->kind == RSP_EXPLORE_PARALLEL) parallel(&t, true);
    else add_factors(&t);
    rsp_arena_free(a);
}
