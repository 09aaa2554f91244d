#include "measure/sem_likelihood.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

void rsp_sem_group_new(const rsp_sem *s, size_t group, const rsp_sem_sample *x, rsp_sem_group *out) {
    *out = (rsp_sem_group){.s = s, .x = x};
    while (out->from < s->n_cells && s->cells[out->from].group < group) out->from++;
    for (out->to = out->from; out->to < s->n_cells && s->cells[out->to].group == group; out->to++)
        out->n += s->cells[out->to].free != RSP_NONE;
    out->free = rsp_malloc((out->n + 1) * sizeof *out->free);
    out->t = rsp_calloc(out->n + 1, sizeof *out->t);
    for (size_t k = out->from, n = 0; k < out->to; k++)
        if (s->cells[k].free != RSP_NONE) out->free[n++] = s->cells[k].free;
    rsp_implied_new(s->p, s->m, &out->g);
}

void rsp_sem_group_free(rsp_sem_group *g) {
    free(g->free), free(g->t);
    rsp_implied_free(&g->g);
}

static void fill_tangents(rsp_sem_group *g) {
    size_t n = 0;
    for (size_t k = g->from; k < g->to; k++)
        if (g->s->cells[k].free != RSP_NONE) rsp_tangent_of(&g->g, &g->s->cells[k], &g->t[n++]);
}

/* ---- a pattern -------------------------------------------------------------------------------------------------- */

/* W: inverse of the pattern's covariance, 0 where not observed; d = mean - mu; e = W d; Q = W (S + d d' - Sigma) W. */
struct pattern {
    size_t p;
    double *w, *q, *t, *d, *e, *small, *room;
    double deviance; /* logdet + tr W (S + d d') */
};

static void pattern_new(size_t p, struct pattern *o) {
    double *room = rsp_malloc((5 * p * p + 2 * p + 1) * sizeof *room);
    *o = (struct pattern){.p = p,
                          .w = room,
                          .q = room + p * p,
                          .t = room + 2 * p * p,
                          .small = room + 3 * p * p,
                          .d = room + 5 * p * p,
                          .e = room + 5 * p * p + p,
                          .room = room};
}

static void pattern_free(struct pattern *o) { free(o->room); }

/* W and the log determinant of what the pattern observed. */
static bool invert_observed(struct pattern *o, const rsp_sem_pattern *x, const double *sigma, double *logdet) {
    size_t p = o->p, q = x->q;
    if (q == p) return rsp_invert_positive(sigma, p, o->w, logdet);
    double *part = o->small, *inverse = o->small + p * p;
    for (size_t i = 0; i < q; i++)
        for (size_t k = 0; k < q; k++) part[i * q + k] = sigma[x->observed[i] * p + x->observed[k]];
    if (!rsp_invert_positive(part, q, inverse, logdet)) return false;
    memset(o->w, 0, p * p * sizeof *o->w);
    for (size_t i = 0; i < q; i++)
        for (size_t k = 0; k < q; k++) o->w[x->observed[i] * p + x->observed[k]] = inverse[i * q + k];
    return true;
}

static bool pattern_deviance(struct pattern *o, const rsp_sem_pattern *x, const double *sigma, const double *mu) {
    size_t p = o->p;
    double sum;
    memset(o->d, 0, p * sizeof *o->d);
    if (!invert_observed(o, x, sigma, &sum)) return false;
    for (size_t i = 0; mu && i < x->q; i++) o->d[x->observed[i]] = x->mean[x->observed[i]] - mu[x->observed[i]];
    for (size_t i = 0; i < p; i++)
        for (size_t k = 0; k < p; k++) sum += o->w[i * p + k] * (x->cov[i * p + k] + o->d[i] * o->d[k]);
    o->deviance = sum;
    return isfinite(sum);
}

/* Q and e, after the deviance. Where W is zero, so are they. */
static void pattern_residuals(struct pattern *o, const rsp_sem_pattern *x, const double *sigma) {
    size_t p = o->p;
    for (size_t i = 0; i < p; i++)
        for (size_t k = 0; k < p; k++) o->t[i * p + k] = x->cov[i * p + k] + o->d[i] * o->d[k] - sigma[i * p + k];
    rsp_multiply(o->w, false, o->t, false, p, p, p, o->q);
    rsp_multiply(o->q, false, o->w, false, p, p, p, o->t);
    memcpy(o->q, o->t, p * p * sizeof *o->q);
    rsp_multiply(o->w, false, o->d, false, p, p, 1, o->e);
}

/* ---- information ------------------------------------------------------------------------------------------------ */

/* V'WV, V'QV [n*n] and V'e [n]. */
struct products {
    size_t n;
    double *w, *q, *e, *room;
};

static void products_new(const rsp_implied *g, struct products *o) {
    size_t n = g->n_v;
    double *room = rsp_malloc((2 * n * n + n + g->p * n) * sizeof *room);
    *o = (struct products){n, room, room + n * n, room + 2 * n * n, room + 2 * n * n + n};
}

static void products_free(struct products *o) { free(o->w); }

static void products_fill(const rsp_implied *g, const struct pattern *x, bool residuals, struct products *o) {
    size_t p = g->p, n = o->n;
    rsp_multiply(x->w, false, g->v, false, p, p, n, o->room);
    rsp_multiply(g->v, true, o->room, false, n, p, n, o->w);
    if (!residuals) return;
    rsp_multiply(x->q, false, g->v, false, p, p, n, o->room);
    rsp_multiply(g->v, true, o->room, false, n, p, n, o->q);
    rsp_multiply(g->v, true, x->e, false, n, p, 1, o->e);
}

/* 1/2 tr(W dS W dS) + dmu' W dmu */
static double expected_pair(const struct products *o, const rsp_tangent *s, const rsp_tangent *t) {
    const double *a = o->w + s->a * o->n, *b = o->w + s->b * o->n, *c = o->w + s->c * o->n;
    return s->f * t->f * (a[t->a] * b[t->b] + a[t->b] * b[t->a]) + s->h * t->h * c[t->c];
}

/* What the observed information adds to the expected, but for second derivatives of Sigma and mu. */
static double residual_pair(const struct products *o, const rsp_tangent *s, const rsp_tangent *t) {
    const double *wa = o->w + s->a * o->n, *wb = o->w + s->b * o->n, *wc = o->w + s->c * o->n;
    const double *qa = o->q + s->a * o->n, *qb = o->q + s->b * o->n;
    double x = s->f * t->f * (wa[t->a] * qb[t->b] + wa[t->b] * qb[t->a] + wb[t->a] * qa[t->b] + wb[t->b] * qa[t->a]);
    x += t->h * s->f * (wa[t->c] * o->e[s->b] + wb[t->c] * o->e[s->a]);
    return x + s->h * t->f * (wc[t->a] * o->e[t->b] + wc[t->b] * o->e[t->a]);
}

static void add_information(const rsp_sem_group *g, const struct products *o, double weight, bool observed,
                            double *information) {
    for (size_t s = 0; s < g->n; s++)
        for (size_t t = 0; t <= s; t++) {
            double x = expected_pair(o, &g->t[s], &g->t[t]);
            if (observed) x += residual_pair(o, &g->t[s], &g->t[t]);
            information[s * g->n + t] += weight * x;
        }
}

/* Second derivatives of the moments, weighted by the whole group's residuals G and h. */
static void subtract_curvature(const rsp_sem_group *g, const double *gv, const double *h, double *information) {
    double *room = rsp_malloc(rsp_curvature_room(&g->g) * sizeof *room);
    for (size_t s = 0; s < g->n; s++) {
        rsp_curvature_prepare(&g->g, &g->t[s], room);
        for (size_t t = 0; t <= s; t++) information[s * g->n + t] -= rsp_curvature(&g->g, &g->t[t], room, gv, h);
    }
    free(room);
}

static void mirror(double *matrix, size_t n) {
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < i; k++) matrix[k * n + i] = matrix[i * n + k];
}

/* ---- a group ---------------------------------------------------------------------------------------------------- */

/* The group's residuals: G = sum of weight Q, h = sum of weight e. */
struct residuals {
    double *g, *h, *gv;
};

static void set_gradient(const rsp_sem_group *g, struct residuals *r, double *gradient) {
    size_t p = g->g.p, n = g->g.n_v;
    rsp_multiply(r->g, false, g->g.v, false, p, p, n, r->gv);
    for (size_t k = 0; k < g->n; k++) {
        const rsp_tangent *t = &g->t[k];
        double sum = 0;
        for (size_t i = 0; i < p; i++) {
            sum += t->f * g->g.v[i * n + t->a] * r->gv[i * n + t->b];
            sum += t->h * g->g.v[i * n + t->c] * r->h[i];
        }
        gradient[k] = sum;
    }
}

static bool visit_patterns(rsp_sem_group *g, bool observed, struct residuals *r, double *loglik, double *information) {
    size_t p = g->g.p;
    struct pattern o;
    struct products products = {0};
    bool ok = true;
    pattern_new(p, &o);
    if (information) products_new(&g->g, &products);
    for (size_t k = 0; ok && k < g->x->n_patterns; k++) {
        const rsp_sem_pattern *x = &g->x->pattern[k];
        ok = pattern_deviance(&o, x, g->g.sigma, g->s->means ? g->g.mu : NULL);
        if (!ok) break;
        *loglik -= 0.5 * x->weight * o.deviance;
        if (!r) continue;
        pattern_residuals(&o, x, g->g.sigma);
        for (size_t i = 0; i < p * p; i++) r->g[i] += x->weight * o.q[i];
        for (size_t i = 0; i < p; i++) r->h[i] += x->weight * o.e[i];
        if (!information) continue;
        products_fill(&g->g, &o, observed, &products);
        add_information(g, &products, x->weight, observed, information);
    }
    pattern_free(&o);
    if (information) products_free(&products);
    return ok;
}

bool rsp_sem_group_evaluate(rsp_sem_group *g, const double *par, rsp_sem_information kind, double *loglik,
                            double *gradient, double *information) {
    size_t p = g->s->p;
    struct residuals r = {0};
    *loglik = 0;
    if (!rsp_imply(g->s, g->from, g->to, par, &g->g)) return false;
    fill_tangents(g);
    if (gradient) {
        r.g = rsp_calloc(p * p + p + p * g->g.n_v, sizeof *r.g);
        r.h = r.g + p * p;
        r.gv = r.h + p;
    }
    if (information) memset(information, 0, g->n * g->n * sizeof *information);
    bool ok = visit_patterns(g, kind == RSP_SEM_OBSERVED, gradient ? &r : NULL, loglik, information);
    if (ok && gradient) set_gradient(g, &r, gradient);
    if (ok && information && kind == RSP_SEM_OBSERVED) subtract_curvature(g, r.gv, r.h, information);
    if (ok && information) mirror(information, g->n);
    free(r.g);
    return ok;
}

bool rsp_sem_residuals(const rsp_sem_sample *x, size_t p, const double *mean, const double *cov, double *loglik,
                       double *q, double *e) {
    struct pattern o;
    bool ok = true;
    *loglik = 0;
    memset(q, 0, p * p * sizeof *q);
    memset(e, 0, p * sizeof *e);
    pattern_new(p, &o);
    for (size_t k = 0; ok && k < x->n_patterns; k++) {
        const rsp_sem_pattern *r = &x->pattern[k];
        ok = pattern_deviance(&o, r, cov, mean);
        if (!ok) break;
        *loglik -= 0.5 * r->weight * o.deviance;
        pattern_residuals(&o, r, cov);
        for (size_t i = 0; i < p * p; i++) q[i] += r->weight * o.q[i];
        for (size_t i = 0; i < p; i++) e[i] += r->weight * o.e[i];
    }
    pattern_free(&o);
    return ok;
}

/* ---- scores ----------------------------------------------------------------------------------------------------- */

/* Of a block of rows of one pattern: f [ (v_a'y)(v_b'y) - v_a'W v_b ] + h v_c'y, y = W (x - mu). */
static void score_rows(const rsp_sem_group *g, const struct products *o, const double *yv, size_t rows, double *score) {
    for (size_t i = 0; i < rows; i++) {
        const double *v = yv + i * o->n;
        for (size_t k = 0; k < g->n; k++) {
            const rsp_tangent *t = &g->t[k];
            score[i * g->n + k] = t->f * (v[t->a] * v[t->b] - o->w[t->a * o->n + t->b]) + t->h * v[t->c];
        }
    }
}

void rsp_sem_group_scores(rsp_sem_group *g, double *score) {
    enum { ROWS = 256 };
    size_t p = g->g.p, n = g->g.n_v;
    struct pattern o;
    struct products products;
    double *d = rsp_malloc(ROWS * (p + n) * sizeof *d), *yv = d + ROWS * p, *wv;
    pattern_new(p, &o);
    products_new(&g->g, &products);
    wv = products.room; /* W V, left there by products_fill */
    for (size_t k = 0; k < g->x->n_patterns; k++) {
        const rsp_sem_pattern *x = &g->x->pattern[k];
        const double *mu = g->s->means ? g->g.mu : x->mean;
        double logdet;
        if (!invert_observed(&o, x, g->g.sigma, &logdet)) continue; /* evaluated before: cannot be */
        products_fill(&g->g, &o, false, &products);
        for (size_t from = x->from; from < x->from + x->n; from += ROWS) {
            size_t rows = x->from + x->n - from < ROWS ? x->from + x->n - from : ROWS;
            for (size_t i = 0; i < rows; i++)
                for (size_t j = 0; j < p; j++) d[i * p + j] = g->x->x[(from + i) * p + j] - mu[j];
            rsp_multiply(d, false, wv, false, rows, p, n, yv); /* unobserved items meet zeros of W */
            score_rows(g, &products, yv, rows, score + from * g->n);
        }
    }
    pattern_free(&o);
    products_free(&products);
    free(d);
}
