/* The moments of a group: by pattern of what was answered, and of all together. With missing answers these are the
 * maximum of the normal likelihood, by the EM algorithm (Little and Rubin 2002, section 11.2). */
#include "measure/sem_likelihood.h"

#include <cblas.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- patterns --------------------------------------------------------------------------------------------------- */

static size_t blocks_of(size_t n) { return (n + RSP_BLOCK - 1) / RSP_BLOCK; }
static size_t end_of(size_t block, size_t n) { return (block + 1) * RSP_BLOCK < n ? (block + 1) * RSP_BLOCK : n; }

/* Names of the patterns of n rows: a bit for each item, set if it was answered; `size` bytes each. */
static void name_patterns(const double *x, size_t n, size_t p, size_t size, unsigned char *name) {
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < p; j++)
            if (!isnan(x[i * p + j])) name[i * size + j / 8] |= (unsigned char) (1u << j % 8);
}

static void set_observed(rsp_sem_pattern *o, const double *x, size_t p, rsp_arena *a) {
    size_t *observed = RSP_ARRAY(a, size_t, p);
    for (size_t j = 0; j < p; j++)
        if (!isnan(x[j])) observed[o->q++] = j;
    o->observed = observed;
}

/* Patterns in the order of their first row; place[i]: the row's place among rows sorted by pattern. */
static void find_patterns(const double *x, size_t n, size_t p, rsp_arena *a, rsp_sem_sample *out, size_t *place) {
    rsp_map *known = rsp_map_new();
    size_t capacity = 0, *pattern = rsp_malloc((n + 1) * sizeof *pattern), from = 0, size = (p + 7) / 8;
    unsigned char *names = rsp_calloc(n * size + 1, 1);
    rsp_sem_pattern *list = NULL;
#pragma omp parallel for schedule(static) num_threads(rsp_threads()) if (n > RSP_BLOCK)
    for (size_t b = 0; b < blocks_of(n); b++) {
        size_t begin = b * RSP_BLOCK;
        name_patterns(x + begin * p, end_of(b, n) - begin, p, size, names + begin * size);
    }
    for (size_t i = 0; i < n; i++) {
        const char *name = (const char *) names + i * size;
        bool again = i && memcmp(name, name - size, size) == 0;
        pattern[i] = again ? pattern[i - 1] : rsp_map_get_n(known, name, size);
        if (pattern[i] == RSP_NONE) {
            pattern[i] = out->n_patterns;
            rsp_map_put_n(known, name, size, pattern[i]);
            rsp_sem_pattern o = {0};
            set_observed(&o, x + i * p, p, a);
            RSP_PUSH(list, out->n_patterns, capacity, o);
        }
        list[pattern[i]].n++;
    }
    out->pattern = RSP_ARRAY(a, rsp_sem_pattern, out->n_patterns + 1);
    for (size_t k = 0; k < out->n_patterns; k++) {
        out->pattern[k] = list[k];
        out->pattern[k].from = from;
        from += list[k].n;
        list[k].n = 0; /* now counts the rows placed */
    }
    for (size_t i = 0; i < n; i++) place[i] = out->pattern[pattern[i]].from + list[pattern[i]].n++;
    free(list), free(pattern), free(names);
    rsp_map_free(known);
}

/* ---- moments by pattern ----------------------------------------------------------------------------------------- */

/* A stretch of a pattern's rows, whose sums are added to its others' in order: they do not depend on threads. */
struct stretch {
    size_t pattern, from, to;
    double weight, *sum; /* [p] */
    double *products;    /* [p*p], lower triangle; the pattern's first has its covariance's place */
};

static struct stretch *cut_patterns(const rsp_sem_sample *x, size_t p, rsp_arena *a, size_t *n) {
    struct stretch *all = NULL;
    size_t capacity = 0;
    *n = 0;
    for (size_t k = 0; k < x->n_patterns; k++) {
        rsp_sem_pattern *o = &x->pattern[k];
        double *cov = RSP_ARRAY(a, double, p *p);
        o->mean = RSP_ARRAY(a, double, p);
        o->cov = cov;
        o->weight = 0;
        for (size_t b = 0; b < blocks_of(o->n); b++) {
            struct stretch s = {.pattern = k, .from = o->from + b * RSP_BLOCK, .to = o->from + end_of(b, o->n)};
            s.sum = b ? rsp_calloc(p + 1, sizeof *s.sum) : (double *) o->mean;
            s.products = b ? rsp_calloc(p * p + 1, sizeof *s.products) : cov;
            RSP_PUSH(all, *n, capacity, s);
        }
    }
    return all;
}

static void add_answers(const rsp_sem_sample *x, size_t p, struct stretch *s) {
    for (size_t i = s->from; i < s->to; i++) {
        double w = x->w ? x->w[i] : 1;
        s->weight += w;
        for (size_t j = 0; j < p; j++) s->sum[j] += w * x->x[i * p + j];
    }
}

/* Products of the deviations from the pattern's mean, over its weight. */
static void add_products(const rsp_sem_sample *x, size_t p, const struct stretch *s) {
    enum { ROWS = 256 };
    const rsp_sem_pattern *o = &x->pattern[s->pattern];
    double *d = rsp_malloc(ROWS * p * sizeof *d);
    for (size_t from = s->from; from < s->to; from += ROWS) {
        size_t rows = s->to - from < ROWS ? s->to - from : ROWS;
        for (size_t i = 0; i < rows; i++) {
            double root = x->w ? sqrt(x->w[from + i]) : 1;
            for (size_t j = 0; j < p; j++) d[i * p + j] = root * (x->x[(from + i) * p + j] - o->mean[j]);
        }
        cblas_dsyrk(CblasRowMajor, CblasLower, CblasTrans, (int) p, (int) rows, 1 / o->weight, d, (int) p, 1,
                    s->products, (int) p);
    }
    free(d);
}

/* Mean and covariance, divided by the weights' sum, of every pattern's rows; two passes. Unobserved columns hold noughts and
 * give noughts. */
static void pattern_moments(const rsp_sem_sample *x, size_t p, rsp_arena *a) {
    size_t n;
    struct stretch *all = cut_patterns(x, p, a, &n);
#pragma omp parallel for schedule(static) num_threads(rsp_threads()) if (x->n > RSP_BLOCK)
    for (size_t k = 0; k < n; k++) add_answers(x, p, &all[k]);
    for (size_t k = 0; k < n; k++) {
        rsp_sem_pattern *o = &x->pattern[all[k].pattern];
        double *mean = (double *) o->mean;
        o->weight += all[k].weight;
        for (size_t j = 0; all[k].sum != mean && j < p; j++) mean[j] += all[k].sum[j];
        if (all[k].sum != mean) free(all[k].sum);
    }
    for (size_t k = 0; k < x->n_patterns; k++)
        for (size_t j = 0; j < p; j++) ((double *) x->pattern[k].mean)[j] /= x->pattern[k].weight;
#pragma omp parallel for schedule(static) num_threads(rsp_threads()) if (x->n > RSP_BLOCK)
    for (size_t k = 0; k < n; k++) add_products(x, p, &all[k]);
    for (size_t k = 0; k < n; k++) {
        double *cov = (double *) x->pattern[all[k].pattern].cov;
        if (all[k].products == cov) continue;
        for (size_t j = 0; j < p * p; j++) cov[j] += all[k].products[j];
        free(all[k].products);
    }
    for (size_t k = 0; k < x->n_patterns; k++) {
        double *cov = (double *) x->pattern[k].cov;
        for (size_t j = 0; j < p; j++)
            for (size_t l = 0; l < j; l++) cov[l * p + j] = cov[j * p + l];
    }
    free(all);
}

/* ---- saturated -------------------------------------------------------------------------------------------------- */

/* Mean and variance of every item over those who answered it: the independence model's maximum, and where EM begins. */
static bool item_moments(const rsp_sem_sample *x, size_t p, double *mean, double *variance) {
    bool ok = true;
    for (size_t j = 0; j < p; j++) {
        double weight = 0, sum = 0, square = 0;
        for (int pass = 0; pass < 2; pass++)
            for (size_t k = 0; k < x->n_patterns; k++) {
                const rsp_sem_pattern *o = &x->pattern[k];
                bool answered = false;
                for (size_t l = 0; l < o->q; l++) answered |= o->observed[l] == j;
                if (!answered) continue;
                if (pass == 0) {
                    weight += o->weight;
                    sum += o->weight * o->mean[j];
                } else {
                    double d = o->mean[j] - sum / weight;
                    square += o->weight * (o->cov[j * p + j] + d * d);
                }
            }
        mean[j] = sum / weight;
        variance[j] = square / weight;
        ok = ok && weight > 0 && variance[j] > 0;
    }
    return ok;
}

/* One EM step in place: with G and h the sums of Q and e, mu moves by S h / n, S by S G S / n less the move's square.
 * Returns how far things moved in standard deviations. */
static double em_step(const rsp_sem_sample *x, size_t p, double *mean, double *cov, const double *g, const double *h,
                      double *room) {
    double *sg = room, *step = room + p * p, *move = room + 2 * p * p, most = 0;
    rsp_multiply(cov, false, g, false, p, p, p, sg);
    rsp_multiply(sg, false, cov, false, p, p, p, step);
    rsp_multiply(cov, false, h, false, p, p, 1, move);
    for (size_t i = 0; i < p; i++) move[i] /= x->weight;
    for (size_t i = 0; i < p; i++) {
        most = fmax(most, fabs(move[i]) / sqrt(cov[i * p + i]));
        for (size_t k = 0; k <= i; k++) {
            double d = step[i * p + k] / x->weight - move[i] * move[k];
            most = fmax(most, fabs(d) / sqrt(cov[i * p + i] * cov[k * p + k]));
        }
    }
    for (size_t i = 0; i < p; i++) {
        mean[i] += move[i];
        for (size_t k = 0; k <= i; k++) {
            cov[i * p + k] += (step[i * p + k] + step[k * p + i]) / 2 / x->weight - move[i] * move[k];
            cov[k * p + i] = cov[i * p + k];
        }
    }
    return most;
}

static bool em(rsp_sem_sample *x, size_t p, double *mean, double *cov) {
    enum { MOST_STEPS = 5000 };
    double *room = rsp_malloc((3 * p * p + 2 * p + 1) * sizeof *room), *g = room + 2 * p * p + p, *h = g + p * p;
    double moved = INFINITY;
    bool ok = true;
    for (int step = 0; ok && step < MOST_STEPS && moved > 1e-11; step++) {
        ok = rsp_sem_residuals(x, p, mean, cov, &x->saturated_loglik, g, h);
        if (ok) moved = em_step(x, p, mean, cov, g, h, room);
    }
    free(room);
    return ok;
}

static bool saturate(rsp_sem_sample *x, size_t p, rsp_arena *a) {
    double *mean = RSP_ARRAY(a, double, p), *cov = RSP_ARRAY(a, double, p *p), *variance = RSP_ARRAY(a, double, p),
           *inverse = RSP_ARRAY(a, double, p *p), logdet;
    bool ok = item_moments(x, p, mean, variance), complete = x->n_patterns == 1 && x->pattern[0].q == p;
    if (complete) memcpy(cov, x->pattern[0].cov, p * p * sizeof *cov);
    for (size_t i = 0; !complete && i < p; i++) cov[i * p + i] = variance[i];
    x->mean = mean;
    x->cov = cov;
    if (ok && !complete) ok = em(x, p, mean, cov);
    ok = ok && rsp_invert_positive(cov, p, inverse, &logdet);
    if (ok && complete) x->saturated_loglik = -0.5 * x->weight * (logdet + (double) p);
    return ok;
}

bool rsp_sem_sample_new(const double *x, const double *w, const uint32_t *row, size_t n, size_t p, rsp_arena *a,
                        rsp_sem_sample *out) {
    size_t *place = rsp_malloc((n + 1) * sizeof *place);
    double *sorted = RSP_ARRAY_UNSET(a, double, n *p + 1), *weight = w ? RSP_ARRAY_UNSET(a, double, n + 1) : NULL;
    uint32_t *rows = RSP_ARRAY_UNSET(a, uint32_t, n + 1);
    *out = (rsp_sem_sample){.n = n, .x = sorted, .w = weight, .row = rows, .known = RSP_NEW(a, rsp_sem_known)};
    find_patterns(x, n, p, a, out, place);
#pragma omp parallel for schedule(static) num_threads(rsp_threads()) if (n > RSP_BLOCK)
    for (size_t i = 0; i < n; i++) {
        for (size_t j = 0; j < p; j++) sorted[place[i] * p + j] = isnan(x[i * p + j]) ? 0 : x[i * p + j];
        if (w) weight[place[i]] = w[i];
        rows[place[i]] = row[i];
    }
    free(place);
    pattern_moments(out, p, a);
    for (size_t k = 0; k < out->n_patterns; k++) out->weight += out->pattern[k].weight;
    return saturate(out, p, a);
}

/* ---- as models -------------------------------------------------------------------------------------------------- */

void rsp_sem_saturated(const rsp_sem *s, const rsp_sem_sample *x, rsp_arena *a, rsp_sem *out, double *par) {
    size_t p = s->p;
    *out =
        (rsp_sem){.p = p, .n_groups = 1, .means = s->means, .cells = RSP_ARRAY(a, rsp_sem_cell, p * (p + 1) / 2 + p)};
    for (size_t i = 0; i < p; i++)
        for (size_t k = 0; k <= i; k++) {
            par[out->n_free] = x->cov[i * p + k];
            out->cells[out->n_cells++] = (rsp_sem_cell){RSP_SEM_THETA, 0, i, k, out->n_free++, 0};
        }
    for (size_t i = 0; s->means && i < p; i++) {
        par[out->n_free] = x->mean[i];
        out->cells[out->n_cells++] = (rsp_sem_cell){RSP_SEM_NU, 0, i, 0, out->n_free++, 0};
    }
}

void rsp_sem_independence(const rsp_sem *s, const rsp_sem_sample *x, rsp_arena *a, rsp_sem *out, double *par) {
    size_t p = s->p;
    double *mean = RSP_ARRAY(a, double, p), *variance = RSP_ARRAY(a, double, p);
    *out = (rsp_sem){.p = p, .n_groups = 1, .means = s->means, .cells = RSP_ARRAY(a, rsp_sem_cell, 2 * p)};
    item_moments(x, p, mean, variance);
    for (size_t i = 0; i < p; i++) {
        par[out->n_free] = variance[i];
        out->cells[out->n_cells++] = (rsp_sem_cell){RSP_SEM_THETA, 0, i, i, out->n_free++, 0};
        if (!s->means) continue;
        par[out->n_free] = mean[i];
        out->cells[out->n_cells++] = (rsp_sem_cell){RSP_SEM_NU, 0, i, 0, out->n_free++, 0};
    }
}
