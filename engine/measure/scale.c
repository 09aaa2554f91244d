/* Reliability of scales: alpha (Cronbach 1951), omega of one factor by maximum likelihood (McDonald 1999), item-rest
 * correlations, alpha without each item, agreement within organisations. Listwise complete rows, reversed items turned
 * round.
 *
 * Errors of alpha and omega make no assumption about the answers' distribution (Maydeu-Olivares, Coffman and Hartmann
 * 2007): both are functions of the covariance matrix, so a respondent's influence is the derivative times what he or she
 * adds to it. Unweighted, the variance is the sum of squared influences (covariances of moments divided by n); with
 * `weights: design` it goes through the design's kernel. */
#include "measure/scale.h"
#include "responsive/clean.h"
#include "responsive/statistics.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct moments {
    size_t p, n;
    double *cov;   /* [p*p], divided by n - 1 (weights: by their sum less its mean) */
    double *x, *w; /* [n*p] deviations from the means, [n] */
    double sum;    /* of weights */
    uint32_t *row; /* [n] of the sample */
};

static size_t blocks_of(size_t n) { return (n + RSP_BLOCK - 1) / RSP_BLOCK; }
static size_t end_of(size_t block, size_t n) { return (block + 1) * RSP_BLOCK < n ? (block + 1) * RSP_BLOCK : n; }

/* Complete rows of a block of the sample, marked. Returns how many there are. value: room for a block of answers. */
static size_t choose_block(const rsp_sample *s, const rsp_analysis *a, size_t block, double *value, uint8_t *take) {
    const rsp_scale *scale = &a->scale;
    size_t from = block * RSP_BLOCK, to = end_of(block, s->n), n = 0;
    for (size_t j = 0; j < scale->n_items; j++) {
        rsp_read_values(s->frame, scale->items[j], true, from, to, value);
        for (size_t i = from; i < to; i++) take[i] &= !isnan(value[i - from]);
    }
    for (size_t i = from; scale->weighted && i < to; i++) take[i] &= s->weight[i] > 0;
    for (size_t i = from; i < to; i++) n += take[i];
    return n;
}

/* The block's rows stand from `at` on. */
static void read_block(const rsp_sample *s, const rsp_analysis *a, const uint8_t *take, size_t block, size_t at,
                       double *value, struct moments *m) {
    const rsp_scale *scale = &a->scale;
    size_t from = block * RSP_BLOCK, to = end_of(block, s->n);
    for (size_t j = 0; j < m->p; j++) {
        double *x = m->x + at * m->p + j;
        rsp_read_values(s->frame, scale->items[j], true, from, to, value);
        for (size_t i = from; i < to; i++)
            if (take[i]) *x = value[i - from], x += m->p;
    }
    for (size_t i = from; i < to; i++) {
        if (!take[i]) continue;
        m->row[at] = (uint32_t) i;
        m->w[at++] = scale->weighted ? s->weight[i] : 1;
    }
}

/* Sum of x y (NULL: 1), block by block, in order. */
static double sum_of(size_t n, const double *x, const double *y) {
    size_t blocks = blocks_of(n);
    double *sums = rsp_calloc(blocks + 1, sizeof *sums), total = 0;
#pragma omp parallel for schedule(static) num_threads(rsp_threads()) if (blocks > 1)
    for (size_t b = 0; b < blocks; b++)
        for (size_t i = b * RSP_BLOCK; i < end_of(b, n); i++) sums[b] += x[i] * (y ? y[i] : 1);
    for (size_t b = 0; b < blocks; b++) total += sums[b];
    free(sums);
    return total;
}

static void read_rows(const rsp_sample *s, const rsp_analysis *a, struct moments *m) {
    size_t blocks = blocks_of(s->n), *start = rsp_calloc(blocks + 1, sizeof *start);
    uint8_t *take = rsp_malloc(s->n + 1);
    memset(take, 1, s->n);
    if (a->filter) rsp_eval_filter(s->frame, a->filter, take);
#pragma omp parallel num_threads(rsp_threads()) if (blocks > 1)
    {
        double *value = rsp_malloc(RSP_BLOCK * sizeof *value);
#pragma omp for schedule(static)
        for (size_t b = 0; b < blocks; b++) start[b + 1] = choose_block(s, a, b, value, take);
#pragma omp single
        for (size_t b = 0; b < blocks; b++) start[b + 1] += start[b];
#pragma omp for schedule(static)
        for (size_t b = 0; b < blocks; b++) read_block(s, a, take, b, start[b], value, m);
        free(value);
    }
    m->n = start[blocks];
    m->sum = sum_of(m->n, m->w, NULL);
    free(take);
    free(start);
}

/* Weighted sums of the items [p], or, of deviations from the means, of their products [p*p]. */
static void add_block(struct moments *m, size_t block, const double *mean, double *sums) {
    size_t p = m->p;
    for (size_t i = block * RSP_BLOCK; i < end_of(block, m->n); i++) {
        double *x = m->x + i * p;
        for (size_t j = 0; !mean && j < p; j++) sums[j] += m->w[i] * x[j];
        if (!mean) continue;
        for (size_t j = 0; j < p; j++) x[j] -= mean[j];
        for (size_t j = 0; j < p; j++)
            for (size_t k = 0; k < p; k++) sums[j * p + k] += m->w[i] * x[j] * x[k];
    }
}

/* Blocks' sums are added in order, so that they do not depend on threads; then divided. */
static void add_rows(struct moments *m, const double *mean, double divisor, size_t size, double *total) {
    size_t blocks = blocks_of(m->n);
    double *sums = rsp_calloc(blocks * size + 1, sizeof *sums);
#pragma omp parallel for schedule(static) num_threads(rsp_threads()) if (blocks > 1)
    for (size_t b = 0; b < blocks; b++) add_block(m, b, mean, sums + b * size);
    for (size_t b = 0; b < blocks; b++)
        for (size_t k = 0; k < size; k++) total[k] += sums[b * size + k];
    for (size_t k = 0; k < size; k++) total[k] /= divisor;
    free(sums);
}

static struct moments item_moments(const rsp_sample *s, const rsp_analysis *a) {
    size_t p = a->scale.n_items;
    struct moments m = {p,
                        0,
                        rsp_calloc(p * p, sizeof(double)),
                        rsp_malloc((s->n * p + 1) * sizeof(double)),
                        rsp_malloc((s->n + 1) * sizeof(double)),
                        0,
                        rsp_malloc((s->n + 1) * sizeof(uint32_t))};
    double *mean = rsp_calloc(p, sizeof *mean);
    read_rows(s, a, &m);
    add_rows(&m, NULL, m.sum, p, mean);
    add_rows(&m, mean, m.sum - m.sum / (double) m.n, p * p, m.cov);
    free(mean);
    return m;
}

static void moments_free(struct moments *m) { free(m->cov), free(m->x), free(m->w), free(m->row); }

/* `without`: an item that is left out, or RSP_NONE. */
static double alpha(const double *cov, size_t p, size_t without) {
    double total = 0, diagonal = 0, k = (double) p - (without != RSP_NONE);
    for (size_t i = 0; i < p; i++)
        for (size_t j = 0; j < p; j++) {
            if (i == without || j == without) continue;
            total += cov[i * p + j];
            if (i == j) diagonal += cov[i * p + j];
        }
    return k / (k - 1) * (1 - diagonal / total);
}

/* Derivatives of alpha by the elements of the covariance matrix, each off-diagonal one counted once for each place. */
static void alpha_slopes(const double *cov, size_t p, double *slope) {
    double total = 0, diagonal = 0, k = (double) p;
    for (size_t i = 0; i < p; i++)
        for (size_t j = 0; j < p; j++) total += cov[i * p + j], diagonal += i == j ? cov[i * p + j] : 0;
    for (size_t i = 0; i < p; i++)
        for (size_t j = 0; j < p; j++)
            slope[i * p + j] = k / (k - 1) * (diagonal / (total * total) - (i == j ? 1 / total : 0));
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
 * false when a unique variance goes to zero (Heywood case) or nothing settles. `warm`: starts from what the arrays hold. */
static bool one_factor(const double *cov, size_t p, bool warm, double *loading, double *unique) {
    enum { MOST_STEPS = 200000 };
    double *sb = rsp_malloc(p * sizeof *sb), *b = rsp_malloc(p * sizeof *b);
    bool settled = false, heywood = false;
    for (size_t j = 0; !warm && j < p; j++) {
        double v = cov[j * p + j];
        loading[j] = sqrt(v / 2);
        unique[j] = v / 2;
    }
    for (int step = 0; step < MOST_STEPS && !settled && !heywood; step++) {
        double c = 0, bsb = 0, bl = 0, moved = 0;
        for (size_t j = 0; j < p; j++) c += loading[j] * loading[j] / unique[j];
        for (size_t j = 0; j < p; j++) b[j] = loading[j] / unique[j] / (1 + c);
        for (size_t j = 0; j < p; j++) {
            sb[j] = 0;
            for (size_t k = 0; k < p; k++) sb[j] += cov[j * p + k] * b[k];
            bsb += b[j] * sb[j];
            bl += b[j] * loading[j];
        }
        double ezz = 1 - bl + bsb;
        for (size_t j = 0; j < p; j++) {
            double v = cov[j * p + j], l = sb[j] / ezz, u = v - l * sb[j];
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

static double omega_of(const double *loading, const double *unique, size_t p) {
    double l = 0, u = 0;
    for (size_t j = 0; j < p; j++) l += loading[j], u += unique[j];
    return l * l / (l * l + u);
}

/* Omega, and its derivatives by central differences over refitted matrices (slope NULL: not wanted). */
static double omega(const double *cov, size_t p, double *slope, bool *converged) {
    double *loading = rsp_malloc(2 * p * sizeof *loading), *unique = loading + p, *at = rsp_malloc(2 * p * sizeof *at),
           *moved = rsp_malloc(p * p * sizeof *moved);
    *converged = one_factor(cov, p, false, loading, unique);
    double value = omega_of(loading, unique, p);
    for (size_t i = 0; slope && *converged && i < p; i++)
        for (size_t j = 0; j <= i; j++) {
            double h = 1e-4 * sqrt(cov[i * p + i] * cov[j * p + j]), side[2];
            for (int k = 0; k < 2; k++) {
                memcpy(moved, cov, p * p * sizeof *moved);
                memcpy(at, loading, 2 * p * sizeof *at);
                moved[i * p + j] += k ? h : -h;
                moved[j * p + i] = moved[i * p + j];
                *converged = one_factor(moved, p, true, at, at + p) && *converged;
                side[k] = omega_of(at, at + p, p);
            }
            slope[i * p + j] = slope[j * p + i] = (side[1] - side[0]) / (2 * h) / (i == j ? 1 : 2);
        }
    free(loading), free(at), free(moved);
    return value;
}

/* ---- rows ------------------------------------------------------------------------------------------------------- */

static rsp_row *add(rsp_results *out, const rsp_analysis *a, const char *level, const char *statistic, double x,
                    size_t n, uint32_t flags) {
    rsp_row *r = rsp_results_add(out, a->id, NULL, a->scale.name, level, statistic);
    r->n = (double) n;
    r->base = (int64_t) n;
    r->flags = flags;
    if (!flags && isfinite(x)) r->estimate = x;
    else if (!flags) r->flags = RSP_F_SINGULAR;
    return r;
}

/* Influences of respondents on a function of the covariance matrix with these derivatives, per unit of weight. */
static double *influences(const struct moments *m, const double *slope) {
    double *z = rsp_malloc((m->n + 1) * sizeof *z);
#pragma omp parallel for schedule(static) num_threads(rsp_threads()) if (m->n > RSP_BLOCK)
    for (size_t i = 0; i < m->n; i++) {
        const double *x = m->x + i * m->p;
        z[i] = 0;
        for (size_t j = 0; j < m->p; j++) {
            double row = 0;
            for (size_t k = 0; k < m->p; k++) row += slope[j * m->p + k] * x[k];
            z[i] += x[j] * row;
        }
    }
    double mean = sum_of(m->n, m->w, z) / m->sum;
    /* The derivatives were taken at covariances divided by n - 1, the influence is of those divided by n. */
    double scale = (double) m->n / ((double) m->n - 1) / m->sum;
#pragma omp parallel for schedule(static) num_threads(rsp_threads()) if (m->n > RSP_BLOCK)
    for (size_t i = 0; i < m->n; i++) z[i] = (z[i] - mean) * scale;
    return z;
}

static void set_error(rsp_sample *s, const rsp_analysis *a, const struct moments *m, const double *slope, rsp_row *r,
                      rsp_diag *d) {
    double *z = influences(m, slope), variance = 0;
    bool ok = true;
    if (a->scale.weighted) {
        uint8_t *take = rsp_calloc(s->n + 1, 1);
        for (size_t i = 0; i < m->n; i++) take[m->row[i]] = 1;
        ok = rsp_taylor_rows(s, NULL, &(rsp_influence){m->n, m->row, z}, 1, &variance, d);
        r->df = rsp_design_df(s, take);
        free(take);
    } else {
        variance = sum_of(m->n, z, z);
    }
    if (!ok) r->flags |= RSP_F_LONELY;
    if (ok && variance > 0 && !isnan(r->estimate)) {
        r->se = sqrt(variance);
        rsp_row_interval(r);
    }
    free(z);
}

void rsp_measure_scale(rsp_sample *s, const rsp_analysis *a, rsp_results *out, rsp_diag *d) {
    struct moments m = item_moments(s, a);
    uint32_t flags = m.n == 0 ? RSP_F_EMPTY : 0;
    double *slope = rsp_malloc(m.p * m.p * sizeof *slope);
    for (size_t j = 0; !flags && j < m.p; j++)
        if (!(m.cov[j * m.p + j] > 0)) flags = RSP_F_SINGULAR; /* an item with one answer only */
    rsp_row *r = add(out, a, NULL, "alpha", flags ? NAN : alpha(m.cov, m.p, RSP_NONE), m.n, flags);
    if (!flags) {
        alpha_slopes(m.cov, m.p, slope);
        set_error(s, a, &m, slope, r, d);
    }
    if (m.p >= 3) {
        bool converged = true;
        double x = flags ? NAN : omega(m.cov, m.p, slope, &converged);
        r = add(out, a, NULL, "omega", x, m.n, flags ? flags : converged ? 0 : RSP_F_NOT_CONVERGED);
        if (!r->flags) set_error(s, a, &m, slope, r, d);
    }
    for (size_t j = 0; j < m.p; j++) {
        const char *item = s->frame->study->variables[a->scale.items[j]].name;
        add(out, a, item, "item_rest", flags ? NAN : item_rest(&m, j), m.n, flags);
        if (m.p >= 3) add(out, a, item, "alpha_if_dropped", flags ? NAN : alpha(m.cov, m.p, j), m.n, flags);
    }
    free(slope);
    moments_free(&m);
    if (a->scale.agreement != RSP_NONE) rsp_measure_agreement(s, a, out);
}
