/* The moments of a group: by pattern of what was answered, and of all together. With missing answers these are the
 * maximum of the normal likelihood, by the EM algorithm (Little and Rubin 2002, section 11.2). */
#include "measure/sem_likelihood.h"

#include <cblas.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- patterns --------------------------------------------------------------------------------------------------- */

/* A pattern's name: one byte an item, 1 if it was answered. */
static void name_pattern(const double *x, size_t p, char *name) {
    for (size_t j = 0; j < p; j++) name[j] = isnan(x[j]) ? '0' : '1';
    name[p] = '\0';
}

static void set_observed(rsp_sem_pattern *o, const double *x, size_t p, rsp_arena *a) {
    size_t *observed = RSP_ARRAY(a, size_t, p);
    for (size_t j = 0; j < p; j++)
        if (!isnan(x[j])) observed[o->q++] = j;
    o->observed = observed;
}

/* Patterns in the order of their first row; place[i]: the row's place among rows sorted by pattern. */
static void find_patterns(const double *x, size_t n, size_t p, rsp_arena *a, rsp_sem_sample *out, size_t *place) {
    rsp_map *names = rsp_map_new();
    char *name = RSP_ARRAY(a, char, p + 1);
    size_t capacity = 0, *pattern = rsp_malloc((n + 1) * sizeof *pattern), from = 0;
    rsp_sem_pattern *list = NULL;
    for (size_t i = 0; i < n; i++) {
        name_pattern(x + i * p, p, name);
        pattern[i] = rsp_map_get(names, name);
        if (pattern[i] == RSP_NONE) {
            pattern[i] = out->n_patterns;
            rsp_map_put(names, name, pattern[i]);
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
    free(list), free(pattern);
    rsp_map_free(names);
}

/* Mean and covariance, divided by the weights' sum, of a pattern's rows; two passes, in blocks. Unobserved columns hold
 * noughts and give noughts. */
static void pattern_moments(const rsp_sem_sample *x, size_t p, rsp_arena *a, rsp_sem_pattern *o) {
    enum { ROWS = 256 };
    double *mean = RSP_ARRAY(a, double, p), *cov = RSP_ARRAY(a, double, p *p), *d = rsp_malloc(ROWS * p * sizeof *d);
    size_t end = o->from + o->n;
    o->weight = 0;
    for (size_t i = o->from; i < end; i++) {
        double w = x->w ? x->w[i] : 1;
        o->weight += w;
        for (size_t j = 0; j < p; j++) mean[j] += w * x->x[i * p + j];
    }
    for (size_t j = 0; j < p; j++) mean[j] /= o->weight;
    for (size_t from = o->from; from < end; from += ROWS) {
        size_t rows = end - from < ROWS ? end - from : ROWS;
        for (size_t i = 0; i < rows; i++) {
            double root = x->w ? sqrt(x->w[from + i]) : 1;
            for (size_t j = 0; j < p; j++) d[i * p + j] = root * (x->x[(from + i) * p + j] - mean[j]);
        }
        cblas_dsyrk(CblasRowMajor, CblasLower, CblasTrans, (int) p, (int) rows, 1 / o->weight, d, (int) p, 1, cov,
                    (int) p);
    }
    for (size_t j = 0; j < p; j++)
        for (size_t k = 0; k < j; k++) cov[k * p + j] = cov[j * p + k];
    o->mean = mean;
    o->cov = cov;
    free(d);
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
    double *sorted = RSP_ARRAY(a, double, n *p + 1), *weight = w ? RSP_ARRAY(a, double, n + 1) : NULL;
    uint32_t *rows = RSP_ARRAY(a, uint32_t, n + 1);
    *out = (rsp_sem_sample){.n = n, .x = sorted, .w = weight, .row = rows, .known = RSP_NEW(a, rsp_sem_known)};
    find_patterns(x, n, p, a, out, place);
    for (size_t i = 0; i < n; i++) {
        for (size_t j = 0; j < p; j++) sorted[place[i] * p + j] = isnan(x[i * p + j]) ? 0 : x[i * p + j];
        if (w) weight[place[i]] = w[i];
        rows[place[i]] = row[i];
    }
    free(place);
    for (size_t k = 0; k < out->n_patterns; k++) {
        pattern_moments(out, p, a, &out->pattern[k]);
        out->weight += out->pattern[k].weight;
    }
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
