/* Fit measures for incomplete answers as if they were complete (Zhang and Savalei 2023).
 *
 * With answers missing, chi-square weighs misfit by how well each moment is known, so that its fit measures depend on
 * what is missing. Here the misfit is that of complete data, n F(S, Sigma), of the saturated moments S to the fitted ones;
 * what chance adds to it is tr(W M G M'), with W the information of complete data, G the covariance of S, and
 * M = I - D (D'HD)^-1 D'H, which takes the fitted part away: D derivatives of the moments, H their information in the
 * answers there are. */
#include "measure/sem_likelihood.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Sums over groups of products of the matrices above, by free parameter [k*k]. */
struct sums {
    size_t k;
    double *dhd, *djd, *dwgh, *dwd; /* djd: D'HGHD; dwgh: D'WGHD */
    double wg;                      /* tr WG */
};

static size_t moments_of(const rsp_sem *s) { return s->p * (s->p + 1) / 2 + s->p; }

/* Derivatives of a group's moments, in the order of the saturated model's cells, with respect to its free cells. */
static void fill_derivatives(const rsp_sem_group *g, double *d) {
    size_t p = g->s->p, n = g->n, v = g->g.n_v;
    for (size_t c = 0; c < n; c++) {
        const rsp_tangent *t = &g->t[c];
        size_t row = 0;
        for (size_t i = 0; i < p; i++)
            for (size_t k = 0; k <= i; k++, row++)
                d[row * n + c] =
                    t->f * (g->g.v[i * v + t->a] * g->g.v[k * v + t->b] + g->g.v[i * v + t->b] * g->g.v[k * v + t->a]);
        for (size_t i = 0; i < p; i++, row++) d[row * n + c] = t->h * g->g.v[i * v + t->c];
    }
}

/* Information of all answers had they been given, at the saturated moments. */
static bool complete_information(const rsp_sem_group *g, rsp_arena *a, double *w) {
    size_t p = g->s->p;
    double *par = RSP_ARRAY(a, double, moments_of(g->s)), *gradient = RSP_ARRAY(a, double, moments_of(g->s)), loglik;
    size_t *all = RSP_ARRAY(a, size_t, p);
    for (size_t i = 0; i < p; i++) all[i] = i;
    rsp_sem_pattern pattern = {.n = g->x->n, .q = p, .observed = all, .weight = g->x->weight};
    rsp_sem_sample x = {.n = g->x->n, .weight = g->x->weight, .n_patterns = 1, .pattern = &pattern};
    pattern.mean = x.mean = g->x->mean;
    pattern.cov = x.cov = g->x->cov;
    rsp_sem h;
    rsp_sem_group group;
    rsp_sem_saturated(g->s, &x, a, &h, par);
    rsp_sem_group_new(&h, 0, &x, &group);
    bool ok = rsp_sem_group_evaluate(&group, par, RSP_SEM_EXPECTED, &loglik, gradient, w);
    rsp_sem_group_free(&group);
    return ok;
}

/* H, and J, the variance of its scores (NULL: H itself), of the saturated model at its maximum. */
static bool saturated_information(const rsp_sem_group *g, const rsp_sem_design *design, rsp_arena *a, double *h,
                                  double *j) {
    size_t n = moments_of(g->s);
    double *par = RSP_ARRAY(a, double, n), *gradient = RSP_ARRAY(a, double, n), loglik;
    rsp_sem model;
    rsp_sem_group group;
    rsp_sem_saturated(g->s, g->x, a, &model, par);
    rsp_sem_group_new(&model, 0, g->x, &group);
    bool ok = rsp_sem_group_evaluate(&group, par, RSP_SEM_OBSERVED, &loglik, gradient, h);
    if (ok && j) {
        double *score = rsp_malloc((g->x->n * n + 1) * sizeof *score);
        rsp_sem_group_scores(&group, score);
        if (design) ok = design->variance(design, g->x, 1, &score, &n, j);
        else rsp_multiply(score, true, score, false, n, g->x->n, n, j);
        free(score);
    }
    rsp_sem_group_free(&group);
    return ok;
}

static void scatter(const rsp_sem_group *g, const double *part, size_t k, double *sum) {
    for (size_t i = 0; i < g->n; i++)
        for (size_t l = 0; l < g->n; l++) sum[g->free[i] * k + g->free[l]] += part[i * g->n + l];
}

/* Adds d' x y, x of order q, y q by n. */
static void add_product(const rsp_sem_group *g, const double *d, const double *x, const double *y, size_t q,
                        struct sums *s, double *sum, rsp_arena *a) {
    double *xy = RSP_ARRAY(a, double, q * g->n + 1), *part = RSP_ARRAY(a, double, g->n * g->n + 1);
    rsp_multiply(x, false, y, false, q, q, g->n, xy);
    rsp_multiply(d, true, xy, false, g->n, q, g->n, part);
    scatter(g, part, s->k, sum);
}

static bool add_group(const rsp_sem_group *g, bool robust, const rsp_sem_design *design, struct sums *s) {
    size_t q = moments_of(g->s);
    rsp_arena *a = rsp_arena_new();
    double *d = RSP_ARRAY(a, double, q * g->n + 1), *w = RSP_ARRAY(a, double, q *q), *h = RSP_ARRAY(a, double, q *q),
           *j = RSP_ARRAY(a, double, q *q), *inverse = RSP_ARRAY(a, double, q *q), *gh = RSP_ARRAY(a, double, q *q),
           *ghd = RSP_ARRAY(a, double, q * g->n + 1), logdet;
    fill_derivatives(g, d);
    bool ok = complete_information(g, a, w) && saturated_information(g, design, a, h, robust ? j : NULL) &&
              rsp_invert_positive(h, q, inverse, &logdet);
    if (ok) {
        if (!robust) memcpy(j, h, q * q * sizeof *j);
        rsp_multiply(inverse, false, j, false, q, q, q, gh); /* G H = H^-1 J */
        rsp_multiply(gh, false, d, false, q, q, g->n, ghd);
        add_product(g, d, h, d, q, s, s->dhd, a);
        add_product(g, d, j, d, q, s, s->djd, a);
        add_product(g, d, w, ghd, q, s, s->dwgh, a);
        add_product(g, d, w, d, q, s, s->dwd, a);
        rsp_multiply(gh, false, inverse, false, q, q, q, j); /* G */
        for (size_t i = 0; i < q; i++)
            for (size_t l = 0; l < q; l++) s->wg += w[i * q + l] * j[l * q + i];
    }
    rsp_arena_free(a);
    return ok;
}

/* tr WG - 2 tr(D'WGHD P) + tr(D'WD P D'HGHD P), P = (D'HD)^-1 */
static double expected_misfit(const struct sums *s) {
    size_t k = s->k;
    double *p = rsp_malloc((3 * k * k + 1) * sizeof *p), *pc = p + k * k, *pcp = p + 2 * k * k, logdet, trace = s->wg;
    if (!rsp_invert_positive(s->dhd, k, p, &logdet)) trace = NAN;
    rsp_multiply(p, false, s->djd, false, k, k, k, pc);
    rsp_multiply(pc, false, p, false, k, k, k, pcp);
    for (size_t i = 0; !isnan(trace) && i < k; i++)
        for (size_t l = 0; l < k; l++)
            trace += s->dwd[i * k + l] * pcp[l * k + i] - 2 * s->dwgh[i * k + l] * p[l * k + i];
    free(p);
    return trace;
}

/* n F(S, Sigma) of one group. */
static double complete_misfit(const rsp_sem_group *g) {
    size_t p = g->s->p;
    double *w = rsp_malloc(p * p * sizeof *w), logdet, own, sum = NAN;
    bool ok = rsp_invert_positive(g->x->cov, p, w, &own) && rsp_invert_positive(g->g.sigma, p, w, &logdet);
    if (ok) sum = logdet - own - (double) p;
    for (size_t i = 0; ok && i < p; i++)
        for (size_t k = 0; k < p; k++)
            sum += w[i * p + k] * (g->x->cov[i * p + k] + (g->x->mean[i] - g->g.mu[i]) * (g->x->mean[k] - g->g.mu[k]));
    free(w);
    return g->x->weight * sum;
}

bool rsp_sem_corrected(const rsp_sem *s, const rsp_sem_sample *x, const double *par, bool robust,
                       const rsp_sem_design *design, double *misfit, double *expected) {
    size_t k = s->n_free;
    double *room = rsp_calloc(4 * k * k + 1, sizeof *room), loglik;
    struct sums sums = {k, room, room + k * k, room + 2 * k * k, room + 3 * k * k, 0};
    bool ok = true;
    *misfit = 0;
    for (size_t g = 0; ok && g < s->n_groups; g++) {
        rsp_sem_group group;
        rsp_sem_group_new(s, g, &x[g], &group);
        ok = rsp_sem_group_evaluate(&group, par, RSP_SEM_EXPECTED, &loglik, NULL, NULL) &&
             add_group(&group, robust, design, &sums);
        if (ok) *misfit += complete_misfit(&group);
        rsp_sem_group_free(&group);
    }
    *expected = ok ? expected_misfit(&sums) : NAN;
    free(room);
    return ok && isfinite(*expected);
}
