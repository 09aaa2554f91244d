/* The standardised solution and its errors. A group's quantities depend on the group's parameters alone, so each of these is
 * moved by itself: derivatives are central differences of the implied moments. */
#include "measure/sem_moments.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* One group: its cells, then the explained shares of p items and m factors. */
struct group {
    const rsp_sem *s;
    bool items;
    size_t from, to, n, n_free;
    size_t *free; /* distinct free parameters */
    rsp_implied g;
};

static void group_new(const rsp_sem *s, size_t from, bool items, struct group *o) {
    *o = (struct group){.s = s, .items = items, .from = from, .to = from};
    while (o->to < s->n_cells && s->cells[o->to].group == s->cells[from].group) o->to++;
    o->n = o->to - from + s->p + s->m;
    o->free = rsp_malloc((o->to - from + 1) * sizeof *o->free);
    bool *seen = rsp_calloc(s->n_free + 1, sizeof *seen);
    for (size_t k = from; k < o->to; k++) {
        size_t f = s->cells[k].free;
        if (f == RSP_NONE || seen[f]) continue;
        seen[f] = true;
        o->free[o->n_free++] = f;
    }
    free(seen);
    rsp_implied_new(s->p, s->m, &o->g);
}

static void group_free(struct group *o) {
    free(o->free);
    rsp_implied_free(&o->g);
}

static void quantities(struct group *o, const double *par, double *out) {
    const rsp_sem *s = o->s;
    const rsp_implied *g = &o->g;
    bool ok = rsp_imply(s, o->from, o->to, par, &o->g);
    for (size_t k = o->from; k < o->to; k++, out++) {
        const rsp_sem_cell *c = &s->cells[k];
        *out = ok ? rsp_standard_unit(g, c, o->items) * (c->free == RSP_NONE ? c->value : par[c->free]) : NAN;
    }
    for (size_t i = 0; i < s->p; i++) *out++ = ok ? 1 - g->theta[i * s->p + i] / g->sigma[i * s->p + i] : NAN;
    for (size_t j = 0; j < s->m; j++) *out++ = ok ? 1 - g->psi[j * s->m + j] / g->phi[j * s->m + j] : NAN;
}

/* d: [n * n_free] */
static void derive(struct group *o, const double *par, double *d) {
    size_t k = o->s->n_free, n = o->n;
    double *at = rsp_malloc((k + 2 * n + 1) * sizeof *at), *up = at + k, *down = up + n;
    memcpy(at, par, k * sizeof *at);
    for (size_t j = 0; j < o->n_free; j++) {
        double here = par[o->free[j]], h = 1e-5 * fmax(fabs(here), 0.1);
        at[o->free[j]] = here + h;
        quantities(o, at, up);
        at[o->free[j]] = here - h;
        quantities(o, at, down);
        at[o->free[j]] = here;
        for (size_t i = 0; i < n; i++) d[i * o->n_free + j] = (up[i] - down[i]) / (2 * h);
    }
    free(at);
}

/* Differences of what cannot vary are rounding, 1e-11 at most. */
static double delta_error(const struct group *o, const double *d, const double *vcov) {
    const double least = 1e-18;
    double v = 0;
    for (size_t i = 0; i < o->n_free; i++)
        for (size_t j = 0; d[i] != 0 && j < o->n_free; j++)
            v += d[i] * d[j] * vcov[o->free[i] * o->s->n_free + o->free[j]];
    return v > least ? sqrt(v) : 0;
}

static void standardise_group(const rsp_sem *s, size_t group, size_t from, const double *par, const double *vcov,
                              bool items, double *std, double *se, double *r2, double *r2_se) {
    size_t each = s->p + s->m;
    struct group o;
    group_new(s, from, items, &o);
    double *value = rsp_malloc((o.n + o.n * o.n_free + 1) * sizeof *value), *d = value + o.n;
    quantities(&o, par, value);
    derive(&o, par, d);
    for (size_t k = 0; k < o.to - from; k++) {
        std[from + k] = value[k];
        se[from + k] = delta_error(&o, d + k * o.n_free, vcov);
    }
    for (size_t k = 0; r2 && k < each; k++) {
        r2[group * each + k] = value[o.to - from + k];
        r2_se[group * each + k] = delta_error(&o, d + (o.to - from + k) * o.n_free, vcov);
    }
    free(value);
    group_free(&o);
}

void rsp_sem_standardise(const rsp_sem *s, const double *par, const double *vcov, bool items, double *std, double *se,
                         double *r2, double *r2_se) {
    size_t *start = rsp_malloc((s->n_groups + 1) * sizeof *start), n = 0;
    for (size_t k = 0; k < s->n_cells; k++)
        if (!k || s->cells[k].group != s->cells[k - 1].group) start[n++] = k;
#pragma omp parallel for schedule(dynamic, 1) num_threads(rsp_threads()) if (n > 1)
    for (size_t g = 0; g < n; g++) standardise_group(s, g, start[g], par, vcov, items, std, se, r2, r2_se);
    free(start);
}
