#include "measure/sem_wls.h"

#include "measure/sem_moments.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* One group: weights A = size / diag(gamma), covariance of the statistics G = gamma / size. As in lavaan the size is n - 1
 * while the misfit is minimised, and for the errors the group's share of all respondents less one for each group. */
struct group {
    const rsp_sem *s;
    const rsp_item_layout *l;
    const rsp_wls_sample *x;
    double size;
    size_t from, to, n_free;
    size_t *free; /* distinct free parameters of the group */
    rsp_implied g;
    double *weight, *fitted; /* [q] */
    double *d;               /* [q*n_free] derivatives of the fitted */
};

static void set_size(struct group *g, double size) {
    g->size = size;
    for (size_t i = 0; i < g->l->q; i++) g->weight[i] = size / g->x->gamma[i * g->l->q + i];
}

static void group_new(const rsp_sem *s, size_t index, const rsp_item_layout *l, const rsp_wls_sample *x,
                      struct group *g) {
    *g = (struct group){.s = s, .l = l, .x = x};
    while (g->from < s->n_cells && s->cells[g->from].group < index) g->from++;
    for (g->to = g->from; g->to < s->n_cells && s->cells[g->to].group == index;) g->to++;
    g->free = rsp_malloc((g->to - g->from + 1) * sizeof *g->free);
    bool *seen = rsp_calloc(s->n_free + 1, sizeof *seen);
    for (size_t k = g->from; k < g->to; k++) {
        size_t f = s->cells[k].free;
        if (f == RSP_NONE || seen[f]) continue;
        seen[f] = true;
        g->free[g->n_free++] = f;
    }
    free(seen);
    rsp_implied_new(s->p, s->m, &g->g);
    g->weight = rsp_malloc((2 * l->q + l->q * g->n_free + 1) * sizeof *g->weight);
    g->fitted = g->weight + l->q;
    g->d = g->fitted + l->q;
    set_size(g, x->weight - 1);
}

static void group_free(struct group *g) {
    free(g->free), free(g->weight);
    rsp_implied_free(&g->g);
}

/* ---- fitted statistics ------------------------------------------------------------------------------------------ */

static bool set_fitted(struct group *g, const double *par, double *to) {
    const rsp_item_layout *l = g->l;
    size_t p = l->p;
    if (!rsp_imply(g->s, g->from, g->to, par, &g->g)) return false;
    bool ok = true;
    for (size_t i = 0; i < p; i++) {
        ok = ok && g->g.delta[i] > 0;
        if (l->variance[i] == RSP_NONE) continue;
        to[l->first[i]] = g->g.mu[i];
        to[l->variance[i]] = g->g.sigma[i * p + i];
    }
    for (size_t k = g->from; k < g->to; k++) {
        const rsp_sem_cell *c = &g->s->cells[k];
        if (c->matrix != RSP_SEM_TAU) continue;
        double tau = c->free == RSP_NONE ? c->value : par[c->free];
        to[l->first[c->row] + c->column] = g->g.delta[c->row] * (tau - g->g.mu[c->row]);
    }
    for (size_t i = 0; i < p; i++)
        for (size_t j = 0; j < i; j++)
            to[rsp_item_pair(l, i, j)] = g->g.delta[i] * g->g.delta[j] * g->g.sigma[i * p + j];
    return ok;
}

/* Central differences: the fitted are polynomials and quotients of low degree. */
static bool set_derivatives(struct group *g, double *par) {
    size_t q = g->l->q;
    double *up = rsp_malloc(2 * q * sizeof *up), *down = up + q;
    bool ok = true;
    for (size_t k = 0; ok && k < g->n_free; k++) {
        double at = par[g->free[k]], h = 1e-5 * fmax(fabs(at), 0.1);
        par[g->free[k]] = at + h;
        ok = set_fitted(g, par, up);
        par[g->free[k]] = at - h;
        ok = ok && set_fitted(g, par, down);
        par[g->free[k]] = at;
        for (size_t i = 0; i < q; i++) g->d[i * g->n_free + k] = (up[i] - down[i]) / (2 * h);
    }
    free(up);
    return ok && set_fitted(g, par, g->fitted);
}

static double group_misfit(const struct group *g) {
    double sum = 0;
    for (size_t i = 0; i < g->l->q; i++) {
        double r = g->x->stat[i] - g->fitted[i];
        sum += g->weight[i] * r * r;
    }
    return sum;
}

/* ---- the minimum ------------------------------------------------------------------------------------------------ */

struct fitting {
    const rsp_sem *s;
    struct group *group;
    double *par, *trial, *step, *gradient;
    double *bread; /* [k*k] D'AD, then its inverse */
    double misfit;
};

static bool all_misfit(struct fitting *f, const double *par, double *misfit) {
    *misfit = 0;
    for (size_t g = 0; g < f->s->n_groups; g++) {
        if (!set_fitted(&f->group[g], par, f->group[g].fitted)) return false;
        *misfit += group_misfit(&f->group[g]);
    }
    return isfinite(*misfit);
}

/* Free parameters that columns belong to. */
struct columns {
    size_t n;
    const size_t *at;
};

/* out [k*k] += x' y, x [q * n] and y of the columns' parameters. */
static void add_product(size_t q, const double *x, struct columns cx, const double *y, struct columns cy, size_t k,
                        double *out) {
    double *part = rsp_malloc((cx.n * cy.n + 1) * sizeof *part);
    rsp_multiply(x, true, y, false, cx.n, q, cy.n, part);
    for (size_t i = 0; i < cx.n; i++)
        for (size_t l = 0; l < cy.n; l++) out[cx.at[i] * k + cy.at[l]] += part[i * cy.n + l];
    free(part);
}

/* out += x' y by free parameter, both [q * n_free]. */
static void scatter_product(const struct group *g, const double *x, const double *y, size_t k, double *out) {
    struct columns own = {g->n_free, g->free};
    add_product(g->l->q, x, own, y, own, k, out);
}

/* y = A x */
static void weigh(const struct group *g, const double *x, double *y) {
    for (size_t i = 0; i < g->l->q; i++)
        for (size_t k = 0; k < g->n_free; k++) y[i * g->n_free + k] = g->weight[i] * x[i * g->n_free + k];
}

static bool linearise(struct fitting *f) {
    size_t k = f->s->n_free;
    bool ok = true;
    memset(f->bread, 0, k * k * sizeof *f->bread);
    memset(f->gradient, 0, k * sizeof *f->gradient);
    f->misfit = 0;
    for (size_t g = 0; ok && g < f->s->n_groups; g++) {
        struct group *o = &f->group[g];
        double *ad = rsp_malloc((o->l->q * o->n_free + 1) * sizeof *ad);
        ok = set_derivatives(o, f->par);
        weigh(o, o->d, ad);
        scatter_product(o, o->d, ad, k, f->bread);
        for (size_t i = 0; i < o->l->q; i++)
            for (size_t j = 0; j < o->n_free; j++)
                f->gradient[o->free[j]] += ad[i * o->n_free + j] * (o->x->stat[i] - o->fitted[i]);
        f->misfit += group_misfit(o);
        free(ad);
    }
    return ok;
}

/* Gauss and Newton's steps, halved until the misfit falls. */
static rsp_sem_status minimise(struct fitting *f, size_t *iterations) {
    enum { MOST_ITERATIONS = 500, MOST_HALVINGS = 30 };
    size_t k = f->s->n_free;
    for (*iterations = 0; *iterations < MOST_ITERATIONS; ++*iterations) {
        double promise = 0, next;
        if (!linearise(f)) return RSP_SEM_NOT_CONVERGED;
        if (!rsp_invert_information(f->bread, k)) return RSP_SEM_NOT_IDENTIFIED;
        rsp_multiply(f->bread, false, f->gradient, false, k, k, 1, f->step);
        for (size_t i = 0; i < k; i++) promise += f->step[i] * f->gradient[i];
        if (promise < 1e-16 * (f->misfit + 1)) return RSP_SEM_OK;
        double length = 1;
        int halvings = 0;
        for (; halvings < MOST_HALVINGS; halvings++, length /= 2) {
            for (size_t i = 0; i < k; i++) f->trial[i] = f->par[i] + length * f->step[i];
            if (all_misfit(f, f->trial, &next) && next < f->misfit) break;
        }
        if (halvings == MOST_HALVINGS) return promise < 1e-9 * (f->misfit + 1) ? RSP_SEM_OK : RSP_SEM_NOT_CONVERGED;
        memcpy(f->par, f->trial, k * sizeof *f->par);
    }
    return RSP_SEM_NOT_CONVERGED;
}

/* ---- errors and chi-square -------------------------------------------------------------------------------------- */

/* Sums over groups by free parameter, P = (D'AD)^-1; and traces of the statistics alone. */
struct sums {
    double *c;           /* D'AGAD */
    double *e;           /* D'AGAGAD */
    double *dwd, *dwgad; /* with W, the normal information of correlations */
    double ag, agag, wg; /* traces */
    double misfit;       /* n F(R, Sigma) of correlations */
    double ag_pairs;     /* tr((AG)^2) of covariances alone: independence */
    double wg_independence, misfit_independence, chisq_independence;
    bool correlations; /* W could be had in every group */
};

static double trace_of_product(const double *a, const double *b, size_t k) {
    double sum = 0;
    for (size_t i = 0; i < k; i++)
        for (size_t l = 0; l < k; l++) sum += a[i * k + l] * b[l * k + i];
    return sum;
}

static void full_matrix(const rsp_item_layout *l, const double *stat, double *r) {
    for (size_t i = 0; i < l->p; i++) {
        r[i * l->p + i] = l->variance[i] == RSP_NONE ? 1 : stat[l->variance[i]];
        for (size_t j = 0; j < i; j++) r[i * l->p + j] = r[j * l->p + i] = stat[rsp_item_pair(l, i, j)];
    }
}

/* W [q*q], zero but for pairs: the information that complete normal answers would hold on correlations (Savalei 2021). */
static void correlation_information(const struct group *g, const double *inverse, double *w) {
    const rsp_item_layout *l = g->l;
    size_t p = l->p, q = l->q;
    memset(w, 0, q * q * sizeof *w);
    for (size_t i = 0; i < p; i++)
        for (size_t j = 0; j < i; j++)
            for (size_t k = 0; k < p; k++)
                for (size_t m = 0; m < k; m++)
                    w[rsp_item_pair(l, i, j) * q + rsp_item_pair(l, k, m)] =
                        g->size * (inverse[i * p + k] * inverse[j * p + m] + inverse[i * p + m] * inverse[j * p + k]);
}

/* As if the correlations were those of complete normal answers: for robust fit measures. W stands at the fitted
 * correlations; those of independence are 0, where W is the identity. */
static void add_correlations(const struct group *g, const double *gad, struct columns c, size_t k, struct sums *s) {
    const rsp_item_layout *l = g->l;
    size_t p = l->p, q = l->q;
    double *r = rsp_malloc((4 * p * p + q * q + q * (c.n + g->n_free) + 1) * sizeof *r), *fitted = r + p * p,
           *inverse = r + 2 * p * p, *room = r + 3 * p * p, *w = r + 4 * p * p, *wx = w + q * q, own, logdet;
    full_matrix(l, g->x->stat, r);
    full_matrix(l, g->fitted, fitted);
    bool ok = rsp_invert_positive(fitted, p, inverse, &logdet) && rsp_invert_positive(r, p, room, &own);
    for (size_t i = 0; i < p; i++) ok = ok && l->variance[i] == RSP_NONE;
    s->correlations = s->correlations && ok;
    if (ok) {
        double n = g->x->weight;
        correlation_information(g, inverse, w);
        rsp_multiply(w, false, gad, false, q, q, c.n, wx);
        add_product(q, g->d, (struct columns){g->n_free, g->free}, wx, c, k, s->dwgad);
        rsp_multiply(w, false, g->d, false, q, q, g->n_free, wx);
        scatter_product(g, g->d, wx, k, s->dwd);
        s->wg += trace_of_product(w, g->x->gamma, q) / g->size;
        s->misfit += n * (logdet - own + trace_of_product(inverse, r, p) - (double) p);
        s->misfit_independence -= n * own;
        for (size_t i = l->first_pair; i < q; i++) s->wg_independence += g->x->gamma[i * q + i];
    }
    free(r);
}

/* Covariance G of the statistics of two groups, but for the root of both sizes; NULL: none. */
static const double *block(const struct fitting *f, size_t g, size_t h) {
    if (g == h) return f->group[g].x->gamma;
    return f->group[g].x->with ? f->group[g].x->with[h] : NULL;
}

/* Adds G_gh A_h D_h to gad, whose columns `to` are those of h's parameters. */
static void covary(const struct fitting *f, size_t g, size_t h, const double *gamma, struct columns to, double *gad) {
    const struct group *o = &f->group[h];
    size_t q = o->l->q, n = o->n_free, *column = rsp_malloc((f->s->n_free + 1) * sizeof *column);
    double *ad = rsp_malloc((2 * q * n + 1) * sizeof *ad), *part = ad + q * n,
           scale = 1 / sqrt(f->group[g].size * o->size);
    for (size_t j = 0; j < to.n; j++) column[to.at[j]] = j;
    weigh(o, o->d, ad);
    rsp_multiply(gamma, false, ad, false, q, q, n, part);
    for (size_t i = 0; i < q; i++)
        for (size_t j = 0; j < n; j++) gad[i * to.n + column[o->free[j]]] += scale * part[i * n + j];
    free(ad), free(column);
}

/* Traces of AG and of its square, of all statistics and of covariances alone. */
static void add_traces(const struct fitting *f, size_t g, struct sums *s) {
    const struct group *o = &f->group[g];
    size_t q = o->l->q, first = o->l->first_pair;
    s->ag += (double) q;
    for (size_t h = 0; h < f->s->n_groups; h++) {
        const double *gamma = block(f, g, h);
        double scale = 1 / (o->size * f->group[h].size);
        for (size_t i = 0; gamma && i < q; i++)
            for (size_t j = 0; j < q; j++) {
                double square = o->weight[i] * gamma[i * q + j] * gamma[i * q + j] * f->group[h].weight[j] * scale;
                s->agag += square;
                if (i >= first && j >= first) s->ag_pairs += square;
            }
    }
}

/* `all`: every free parameter, which groups that are not independent share. */
static void add_group(const struct fitting *f, size_t g, struct columns all, struct sums *s) {
    const struct group *o = &f->group[g];
    size_t q = o->l->q;
    struct columns own = {o->n_free, o->free}, c = o->x->with ? all : own;
    double *ad = rsp_calloc(q * (own.n + 2 * c.n) + 1, sizeof *ad), *gad = ad + q * own.n, *agad = gad + q * c.n;
    weigh(o, o->d, ad);
    for (size_t h = 0; h < f->s->n_groups; h++)
        if (block(f, g, h)) covary(f, g, h, block(f, g, h), c, gad);
    for (size_t i = 0; i < q; i++)
        for (size_t j = 0; j < c.n; j++) agad[i * c.n + j] = o->weight[i] * gad[i * c.n + j];
    add_product(q, ad, own, gad, c, all.n, s->c);
    add_product(q, gad, c, agad, c, all.n, s->e);
    add_traces(f, g, s);
    for (size_t i = o->l->first_pair; i < q; i++)
        s->chisq_independence += (o->x->weight - 1) / o->size * o->weight[i] * o->x->stat[i] * o->x->stat[i];
    add_correlations(o, gad, c, all.n, s);
    free(ad);
}

/* Mean and variance of chi-square under the model are those of the shifted one (Asparouhov and Muthen 2010). */
static void scale_and_shift(double df, double trace, double square, double *scaling, double *shift) {
    *scaling = df > 0 && square > 0 ? sqrt(square / df) : 1;
    *shift = df > 0 && square > 0 ? df - trace / *scaling : 0;
}

static void test_fit(const struct fitting *f, rsp_wls_correction correction, rsp_sem_fit *fit) {
    size_t k = f->s->n_free;
    double *room = rsp_calloc(6 * k * k + 1, sizeof *room), *pc = room + 4 * k * k, *pcp = room + 5 * k * k;
    struct sums s = {
        .c = room, .e = room + k * k, .dwd = room + 2 * k * k, .dwgad = room + 3 * k * k, .correlations = true};
    const double *p = f->bread;
    size_t *all = rsp_malloc((k + 1) * sizeof *all);
    for (size_t i = 0; i < k; i++) all[i] = i;
    for (size_t g = 0; g < f->s->n_groups; g++) add_group(f, g, (struct columns){k, all}, &s);
    free(all);
    rsp_multiply(p, false, s.c, false, k, k, k, pc);
    rsp_multiply(pc, false, p, false, k, k, k, pcp);
    memcpy(fit->vcov, correction == RSP_WLS_NAIVE ? p : pcp, k * k * sizeof *pcp);
    double trace = s.ag, square = s.agag - 2 * trace_of_product(p, s.e, k) + trace_of_product(pc, pc, k);
    for (size_t i = 0; i < k; i++) trace -= pc[i * k + i];
    if (correction == RSP_WLS_SHIFTED) {
        scale_and_shift(fit->df, trace, square, &fit->scaling, &fit->shift);
        scale_and_shift(fit->df_baseline, fit->df_baseline, s.ag_pairs, &fit->scaling_baseline, &fit->shift_baseline);
    } else {
        fit->scaling = correction == RSP_WLS_SCALED && fit->df > 0 ? trace / fit->df : 1;
        fit->scaling_baseline = 1; /* the trace of independence is its degrees of freedom */
    }
    fit->chisq_baseline = s.chisq_independence;
    if (s.correlations && correction != RSP_WLS_NAIVE) {
        fit->misfit = s.misfit;
        fit->chance = s.wg - 2 * trace_of_product(s.dwgad, p, k) + trace_of_product(s.dwd, pcp, k);
        fit->misfit_baseline = s.misfit_independence;
        fit->chance_baseline = s.wg_independence;
    }
    free(room);
}

/* Of covariances alone, numeric variances among them (lavaan's srmr of ordinal items). */
static double srmr(const struct fitting *f, size_t n) {
    const rsp_item_layout *l = f->group[0].l;
    double total = 0, count = (double) (l->p * (l->p + 1) / 2);
    for (size_t g = 0; g < f->s->n_groups; g++) {
        const double *s = f->group[g].x->stat, *fitted = f->group[g].fitted;
        double sum = 0;
        for (size_t i = 0; i < l->p; i++)
            for (size_t j = 0; j <= i; j++) {
                double vi = l->variance[i] == RSP_NONE ? 1 : s[l->variance[i]],
                       vj = l->variance[j] == RSP_NONE ? 1 : s[l->variance[j]];
                size_t at = i == j ? l->variance[i] : rsp_item_pair(l, i, j);
                double r = at == RSP_NONE ? 0 : (s[at] - fitted[at]) / sqrt(vi * vj);
                sum += r * r;
            }
        total += f->group[g].x->weight / (double) n * sqrt(sum / count);
    }
    return total;
}

/* ---- all -------------------------------------------------------------------------------------------------------- */

void rsp_wls_estimate(const rsp_sem *s, const rsp_item_layout *l, const rsp_wls_sample *x,
                      rsp_wls_correction correction, rsp_arena *a, rsp_sem_fit *fit) {
    size_t k = s->n_free;
    double groups = (double) s->n_groups, *room = rsp_malloc((3 * k + k * k + 1) * sizeof *room);
    *fit = (rsp_sem_fit){.par = RSP_ARRAY(a, double, k + 1),
                         .vcov = RSP_ARRAY(a, double, k *k + 1),
                         .loglik = NAN,
                         .misfit = NAN,
                         .misfit_baseline = NAN,
                         .df = groups * (double) l->q - (double) k,
                         .df_baseline = groups * (double) (l->q - l->first_pair),
                         .sigma = RSP_ARRAY(a, double *, s->n_groups),
                         .mu = RSP_ARRAY(a, double *, s->n_groups),
                         .phi = RSP_ARRAY(a, double *, s->n_groups)};
    struct fitting f = {.s = s,
                        .group = rsp_malloc((s->n_groups + 1) * sizeof *f.group),
                        .par = fit->par,
                        .trial = room,
                        .step = room + k,
                        .gradient = room + 2 * k,
                        .bread = room + 3 * k};
    for (size_t c = 0; c < s->n_cells; c++)
        if (s->cells[c].free != RSP_NONE) fit->par[s->cells[c].free] = s->cells[c].value;
    for (size_t g = 0; g < s->n_groups; g++) fit->n += x[g].n;
    fit->size = (double) fit->n - groups;
    for (size_t g = 0; g < s->n_groups; g++) group_new(s, g, l, &x[g], &f.group[g]);
    fit->status = minimise(&f, &fit->iterations);
    if (fit->status == RSP_SEM_OK) {
        fit->chisq = f.misfit;
        for (size_t g = 0; g < s->n_groups; g++) set_size(&f.group[g], x[g].weight * fit->size / (double) fit->n);
        if (!linearise(&f) || !rsp_invert_information(f.bread, k)) fit->status = RSP_SEM_NOT_IDENTIFIED;
    }
    if (fit->status == RSP_SEM_OK) {
        test_fit(&f, correction, fit);
        fit->srmr = srmr(&f, fit->n);
    }
    for (size_t g = 0; g < s->n_groups; g++) rsp_implied_keep(&f.group[g].g, g, a, fit);
    for (size_t g = 0; g < s->n_groups; g++) group_free(&f.group[g]);
    free(f.group), free(room);
}

/* ---- restrictions ----------------------------------------------------------------------------------------------- */

/* A model at given parameters: derivatives, bread and gradient; the sizes of groups are their weights times `share`. */
static bool fitting_at(const rsp_sem *s, const rsp_item_layout *l, const rsp_wls_sample *x, double share,
                       struct fitting *f) {
    size_t k = s->n_free;
    double *room = rsp_malloc((2 * k + k * k + 1) * sizeof *room);
    *f = (struct fitting){.s = s,
                          .group = rsp_malloc((s->n_groups + 1) * sizeof *f->group),
                          .par = room,
                          .gradient = room + k,
                          .bread = room + 2 * k};
    for (size_t g = 0; g < s->n_groups; g++) {
        group_new(s, g, l, &x[g], &f->group[g]);
        set_size(&f->group[g], share * x[g].weight);
    }
    for (size_t c = 0; c < s->n_cells; c++)
        if (s->cells[c].free != RSP_NONE) f->par[s->cells[c].free] = s->cells[c].value;
    return linearise(f);
}

static void fitting_end(struct fitting *f) {
    for (size_t g = 0; g < f->s->n_groups; g++) group_free(&f->group[g]);
    free(f->group), free(f->par);
}

/* out [n*n]: variance of the gradient along the directions [n_free * n]. */
static void projected_variance(const struct fitting *f, const double *directions, size_t n, double *out) {
    size_t groups = f->s->n_groups, q = f->group[0].l->q;
    double **r = rsp_malloc((groups + 1) * sizeof *r), *half = rsp_malloc((q * n + n * n + 1) * sizeof *half),
           *part = half + q * n;
    for (size_t g = 0; g < groups; g++) {
        const struct group *o = &f->group[g];
        double *own = rsp_malloc((o->n_free * n + 1) * sizeof *own);
        for (size_t i = 0; i < o->n_free; i++) memcpy(own + i * n, directions + o->free[i] * n, n * sizeof *own);
        r[g] = rsp_malloc((q * n + 1) * sizeof **r);
        rsp_multiply(o->d, false, own, false, q, o->n_free, n, r[g]);
        for (size_t i = 0; i < q; i++)
            for (size_t e = 0; e < n; e++) r[g][i * n + e] *= o->weight[i] / sqrt(o->size);
        free(own);
    }
    memset(out, 0, n * n * sizeof *out);
    for (size_t g = 0; g < groups; g++)
        for (size_t h = 0; h < groups; h++) {
            if (!block(f, g, h)) continue;
            rsp_multiply(block(f, g, h), false, r[h], false, q, q, n, half);
            rsp_multiply(r[g], true, half, false, n, q, n, part);
            for (size_t i = 0; i < n * n; i++) out[i] += part[i];
        }
    for (size_t g = 0; g < groups; g++) free(r[g]);
    free(r), free(half);
}

rsp_sem_status rsp_wls_scores(const rsp_sem *s, const rsp_item_layout *l, const rsp_wls_sample *x,
                              const rsp_extras *extras, double *score, double *variance, double *left) {
    struct fitting f;
    size_t k = s->n_free, n = extras->n;
    double *directions = rsp_malloc((k * n + 1) * sizeof *directions);
    bool ok = fitting_at(s, l, x, 1, &f) && rsp_score_directions(f.bread, k, extras, directions);
    if (ok) {
        rsp_score_left(f.bread, k, extras, directions, left);
        rsp_multiply(directions, true, f.gradient, false, n, k, 1, score);
        projected_variance(&f, directions, n, variance);
    }
    fitting_end(&f);
    free(directions);
    return ok ? RSP_SEM_OK : RSP_SEM_NOT_IDENTIFIED;
}

/* D'AGAD by free parameter, G between groups too. */
static void gradient_variance(const struct fitting *f, double *c) {
    size_t k = f->s->n_free, *at = rsp_malloc((k + 1) * sizeof *at);
    for (size_t i = 0; i < k; i++) at[i] = i;
    struct columns all = {k, at};
    for (size_t g = 0; g < f->s->n_groups; g++) {
        const struct group *o = &f->group[g];
        size_t q = o->l->q;
        double *ad = rsp_calloc(q * (o->n_free + k) + 1, sizeof *ad), *gad = ad + q * o->n_free;
        weigh(o, o->d, ad);
        for (size_t h = 0; h < f->s->n_groups; h++)
            if (block(f, g, h)) covary(f, g, h, block(f, g, h), all, gad);
        add_product(q, ad, (struct columns){o->n_free, o->free}, gad, all, k, c);
        free(ad);
    }
    free(at);
}

/* h [k*r]: the restricted model's directions among those of the larger, by least squares over the statistics. */
static bool restricted_directions(const struct fitting *f, const struct fitting *restricted, double *h) {
    size_t k = f->s->n_free, r = restricted->s->n_free;
    double *square = rsp_calloc(k * k + k * r + 1, sizeof *square), *cross = square + k * k;
    for (size_t g = 0; g < f->s->n_groups; g++) {
        const struct group *o = &f->group[g], *p = &restricted->group[g];
        scatter_product(o, o->d, o->d, k, square);
        add_product(o->l->q, o->d, (struct columns){o->n_free, o->free}, p->d, (struct columns){p->n_free, p->free}, r,
                    cross);
    }
    bool ok = rsp_invert_information(square, k);
    rsp_multiply(square, false, cross, false, k, k, r, h);
    free(square);
    return ok;
}

/* tr(NC) and tr(NCNC), N = P^-1 - H (H'PH)^-1 H': what the larger model's parameters can do that those of the restricted one
 * cannot, and the covariance C of its gradient. */
static bool difference_traces(const struct fitting *f, const double *h, size_t r, double *trace, double *square) {
    size_t k = f->s->n_free;
    double *n = rsp_calloc(3 * k * k + 2 * k * r + r * r + 1, sizeof *n), *c = n + k * k, *nc = c + k * k,
           *ph = nc + k * k, *half = ph + k * r, *inner = half + k * r;
    gradient_variance(f, c);
    rsp_multiply(f->bread, false, h, false, k, k, r, ph);
    rsp_multiply(h, true, ph, false, r, k, r, inner);
    memcpy(n, f->bread, k * k * sizeof *n);
    bool ok = rsp_invert_information(inner, r) && rsp_invert_information(n, k);
    rsp_multiply(h, false, inner, false, k, r, r, half);
    rsp_multiply(half, false, h, true, k, r, k, nc);
    for (size_t i = 0; i < k * k; i++) n[i] -= nc[i];
    rsp_multiply(n, false, c, false, k, k, k, nc);
    *square = trace_of_product(nc, nc, k);
    *trace = 0;
    for (size_t i = 0; i < k; i++) *trace += nc[i * k + i];
    free(n);
    return ok;
}

bool rsp_wls_difference(const rsp_sem *s, const rsp_sem *restricted, const rsp_item_layout *l, const rsp_wls_sample *x,
                        double *scaling, double *shift) {
    struct fitting f, g;
    size_t k = s->n_free, r = restricted->n_free;
    double n = 0, trace, square, *h = rsp_malloc((k * r + 1) * sizeof *h);
    for (size_t j = 0; j < s->n_groups; j++) n += (double) x[j].n;
    double share = (n - (double) s->n_groups) / n;
    bool ok = fitting_at(s, l, x, share, &f), other = fitting_at(restricted, l, x, share, &g);
    ok = ok && other && k > r && restricted_directions(&f, &g, h) && difference_traces(&f, h, r, &trace, &square);
    if (ok) scale_and_shift((double) (k - r), trace, square, scaling, shift);
    fitting_end(&f), fitting_end(&g);
    free(h);
    return ok && isfinite(*scaling) && isfinite(*shift);
}

bool rsp_wls_differentiate(const rsp_sem *s, size_t group, const rsp_item_layout *l, const rsp_wls_sample *x,
                           const double *par, double *gradient, double *information) {
    struct group g;
    size_t k = s->n_free;
    group_new(s, group, l, x, &g);
    double *at = rsp_malloc((k + l->q * g.n_free + 1) * sizeof *at), *ad = at + k;
    memcpy(at, par, k * sizeof *at);
    bool ok = set_derivatives(&g, at);
    memset(gradient, 0, k * sizeof *gradient);
    memset(information, 0, k * k * sizeof *information);
    if (ok) {
        for (size_t i = 0; i < l->q; i++)
            for (size_t j = 0; j < g.n_free; j++)
                gradient[g.free[j]] += g.d[i * g.n_free + j] * g.weight[i] * (x->stat[i] - g.fitted[i]);
        set_size(&g, x->weight);
        weigh(&g, g.d, ad);
        scatter_product(&g, g.d, ad, k, information);
    }
    group_free(&g);
    free(at);
    return ok;
}
