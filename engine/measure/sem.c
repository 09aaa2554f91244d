#include "measure/sem.h"

#include <cblas.h>
#include <lapacke.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- implied moments -------------------------------------------------------------------------------------------- */

/* One group's matrices at a parameter value. */
struct implied {
    size_t p, m;
    double *lambda, *a, *psi, *theta, *nu, *alpha; /* a: (I - B)^-1 */
    double *la;                                    /* Lambda A [p*m] */
    double *phi;                                   /* A Psi A' [m*m] */
    double *lphi;                                  /* Lambda Phi [p*m] */
    double *eta;                                   /* A alpha [m] */
    double *sigma, *mu, *inverse;                  /* [p*p], [p], Sigma^-1 */
    double logdet;
};

static void *cut(double **room, size_t n) {
    double *p = *room;
    *room += n;
    return p;
}

static struct implied implied_new(size_t p, size_t m) {
    struct implied g = {.p = p, .m = m};
    size_t size = 3 * p * m + 3 * m * m + 3 * p * p + 2 * p + 2 * m;
    double *room = rsp_calloc(size, sizeof *room);
    g.lambda = cut(&room, p * m);
    g.a = cut(&room, m * m);
    g.psi = cut(&room, m * m);
    g.theta = cut(&room, p * p);
    g.nu = cut(&room, p);
    g.alpha = cut(&room, m);
    g.la = cut(&room, p * m);
    g.phi = cut(&room, m * m);
    g.lphi = cut(&room, p * m);
    g.eta = cut(&room, m);
    g.sigma = cut(&room, p * p);
    g.mu = cut(&room, p);
    g.inverse = cut(&room, p * p);
    return g;
}

static void implied_free(struct implied *g) { free(g->lambda); }

static void multiply(const double *a, bool ta, const double *b, bool tb, size_t rows, size_t inner, size_t columns,
                     double *c) {
    if (!rows || !columns) return;
    if (!inner) {
        memset(c, 0, rows * columns * sizeof *c);
        return;
    }
    cblas_dgemm(CblasRowMajor, ta ? CblasTrans : CblasNoTrans, tb ? CblasTrans : CblasNoTrans, (int) rows,
                (int) columns, (int) inner, 1, a, (int) (ta ? rows : inner), b, (int) (tb ? inner : columns), 0, c,
                (int) columns);
}

static double cell_value(const rsp_sem_cell *c, const double *par) {
    return c->free == RSP_NONE ? c->value : par[c->free];
}

static void fill_matrices(const rsp_sem *s, size_t group, const double *par, struct implied *g) {
    size_t p = g->p, m = g->m;
    memset(g->lambda, 0,
           (p * m + 2 * m * m + p * p + p + m) * sizeof(double)); /* lambda, a, psi, theta, nu, alpha lie together */
    for (size_t k = 0; k < s->n_cells; k++) {
        const rsp_sem_cell *c = &s->cells[k];
        if (c->group != group) continue;
        double x = cell_value(c, par);
        switch (c->matrix) {
        case RSP_SEM_LAMBDA: g->lambda[c->row * m + c->column] = x; break;
        case RSP_SEM_BETA: g->a[c->row * m + c->column] = -x; break;
        case RSP_SEM_PSI: g->psi[c->row * m + c->column] = g->psi[c->column * m + c->row] = x; break;
        case RSP_SEM_THETA: g->theta[c->row * p + c->column] = g->theta[c->column * p + c->row] = x; break;
        case RSP_SEM_NU: g->nu[c->row] = x; break;
        case RSP_SEM_ALPHA: g->alpha[c->row] = x; break;
        }
    }
}

static bool invert_general(double *a, size_t m) {
    if (!m) return true;
    lapack_int *pivot = rsp_malloc(m * sizeof *pivot);
    bool ok = LAPACKE_dgetrf(LAPACK_ROW_MAJOR, (lapack_int) m, (lapack_int) m, a, (lapack_int) m, pivot) == 0 &&
              LAPACKE_dgetri(LAPACK_ROW_MAJOR, (lapack_int) m, a, (lapack_int) m, pivot) == 0;
    free(pivot);
    return ok;
}

/* Inverse and log determinant of a positive definite matrix; false if it is none. */
static bool invert_positive(const double *matrix, size_t p, double *inverse, double *logdet) {
    memcpy(inverse, matrix, p * p * sizeof *inverse);
    if (LAPACKE_dpotrf(LAPACK_ROW_MAJOR, 'L', (lapack_int) p, inverse, (lapack_int) p) != 0) return false;
    *logdet = 0;
    for (size_t i = 0; i < p; i++) *logdet += 2 * log(inverse[i * p + i]);
    if (LAPACKE_dpotri(LAPACK_ROW_MAJOR, 'L', (lapack_int) p, inverse, (lapack_int) p) != 0) return false;
    for (size_t i = 0; i < p; i++)
        for (size_t j = 0; j < i; j++) inverse[j * p + i] = inverse[i * p + j];
    return isfinite(*logdet);
}

static bool imply(const rsp_sem *s, size_t group, const double *par, struct implied *g) {
    size_t p = g->p, m = g->m;
    double *room = rsp_malloc((m * m + 1) * sizeof *room);
    fill_matrices(s, group, par, g);
    for (size_t j = 0; j < m; j++) g->a[j * m + j] += 1;
    bool ok = invert_general(g->a, m);
    multiply(g->lambda, false, g->a, false, p, m, m, g->la);
    multiply(g->a, false, g->psi, false, m, m, m, room);
    multiply(room, false, g->a, true, m, m, m, g->phi);
    multiply(g->lambda, false, g->phi, false, p, m, m, g->lphi);
    multiply(g->lphi, false, g->lambda, true, p, m, p, g->sigma);
    multiply(g->a, false, g->alpha, false, m, m, 1, g->eta);
    multiply(g->lambda, false, g->eta, false, p, m, 1, g->mu);
    for (size_t i = 0; i < p * p; i++) g->sigma[i] += g->theta[i];
    for (size_t i = 0; i < p; i++) g->mu[i] += g->nu[i];
    free(room);
    return ok && invert_positive(g->sigma, p, g->inverse, &g->logdet);
}

/* ---- derivatives ------------------------------------------------------------------------------------------------ */

/* d Sigma = f (a b' + b a'), d mu = c for one cell. */
struct derivative {
    double f;
    double *a, *b, *c; /* [p] each */
};

static void column_of(const double *matrix, size_t rows, size_t columns, size_t j, double scale, double *to) {
    for (size_t i = 0; i < rows; i++) to[i] = scale * matrix[i * columns + j];
}

static void differentiate(const struct implied *g, const rsp_sem_cell *cell, struct derivative *d) {
    size_t p = g->p, m = g->m, r = cell->row, k = cell->column;
    memset(d->a, 0, 3 * p * sizeof *d->a);
    d->f = 1;
    switch (cell->matrix) {
    case RSP_SEM_LAMBDA:
        d->a[r] = 1;
        column_of(g->lphi, p, m, k, 1, d->b);
        d->c[r] = g->eta[k];
        break;
    case RSP_SEM_BETA:
        column_of(g->la, p, m, r, 1, d->a);
        column_of(g->lphi, p, m, k, 1, d->b);
        column_of(g->la, p, m, r, g->eta[k], d->c);
        break;
    case RSP_SEM_PSI:
        column_of(g->la, p, m, r, 1, d->a);
        column_of(g->la, p, m, k, 1, d->b);
        d->f = r == k ? 0.5 : 1;
        break;
    case RSP_SEM_THETA:
        d->a[r] = d->b[k] = 1;
        d->f = r == k ? 0.5 : 1;
        break;
    case RSP_SEM_NU: d->c[r] = 1; break;
    case RSP_SEM_ALPHA: column_of(g->la, p, m, r, 1, d->c); break;
    }
}

/* The free cells of a group with their derivatives. */
struct jacobian {
    size_t n;
    size_t *free;
    struct derivative *d;
    double *room;
};

static struct jacobian jacobian_new(const rsp_sem *s, size_t group) {
    struct jacobian j = {.free = rsp_malloc((s->n_cells + 1) * sizeof(size_t)),
                         .d = rsp_malloc((s->n_cells + 1) * sizeof(struct derivative)),
                         .room = rsp_malloc((s->n_cells + 1) * 3 * s->p * sizeof(double))};
    for (size_t k = 0; k < s->n_cells; k++) {
        if (s->cells[k].group != group || s->cells[k].free == RSP_NONE) continue;
        double *room = j.room + 3 * s->p * j.n;
        j.d[j.n] = (struct derivative){1, room, room + s->p, room + 2 * s->p};
        j.free[j.n++] = s->cells[k].free;
    }
    return j;
}

static void jacobian_fill(const rsp_sem *s, size_t group, const struct implied *g, struct jacobian *j) {
    size_t n = 0;
    for (size_t k = 0; k < s->n_cells; k++)
        if (s->cells[k].group == group && s->cells[k].free != RSP_NONE) differentiate(g, &s->cells[k], &j->d[n++]);
}

static void jacobian_free(struct jacobian *j) { free(j->free), free(j->d), free(j->room); }

/* Adds n times the expected information of one respondent: 1/2 tr(W dS W dS) = f f [(aWa)(bWb) + (aWb)(bWa)], and c'W c. */
static void add_expected(const struct implied *g, const struct jacobian *j, double n, size_t n_free,
                         double *information) {
    size_t p = g->p, k = 3 * j->n;
    double *wv = rsp_malloc((k * p + 1) * sizeof *wv), *q = rsp_malloc((k * k + 1) * sizeof *q);
    if (j->n) {
        multiply(j->room, false, g->inverse, false, k, p, p, wv); /* rows a, b, c of each cell lie together */
        multiply(wv, false, j->room, true, k, p, k, q);
    }
    for (size_t s = 0; s < j->n; s++)
        for (size_t t = 0; t < j->n; t++) {
            const double *qa = q + 3 * s * k + 3 * t, *qb = qa + k, *qc = qb + k;
            double x = j->d[s].f * j->d[t].f * (qa[0] * qb[1] + qa[1] * qb[0]) + qc[2];
            information[j->free[s] * n_free + j->free[t]] += n * x;
        }
    free(wv), free(q);
}

/* Gradient of the log-likelihood of n respondents: n [f a'Q b 2/2 ... + c'W d], Q = W (T - Sigma) W, T = S + d d'. */
static void add_gradient(const struct implied *g, const struct jacobian *j, const rsp_sem_sample *x, bool means,
                         double *gradient) {
    size_t p = g->p;
    double *t = rsp_malloc(p * p * sizeof *t), *q = rsp_malloc(p * p * sizeof *q), *wd = rsp_calloc(p, sizeof *wd),
           *d = rsp_calloc(p, sizeof *d);
    for (size_t i = 0; means && i < p; i++) d[i] = x->mean[i] - g->mu[i];
    for (size_t i = 0; i < p; i++)
        for (size_t k = 0; k < p; k++) t[i * p + k] = x->cov[i * p + k] + d[i] * d[k] - g->sigma[i * p + k];
    multiply(g->inverse, false, t, false, p, p, p, q);
    multiply(q, false, g->inverse, false, p, p, p, t);
    multiply(g->inverse, false, d, false, p, p, 1, wd);
    for (size_t k = 0; k < j->n; k++) {
        double sum = 0;
        for (size_t i = 0; i < p; i++) {
            sum += j->d[k].c[i] * wd[i];
            if (j->d[k].a[i] == 0) continue;
            double row = 0;
            for (size_t l = 0; l < p; l++) row += t[i * p + l] * j->d[k].b[l];
            sum += j->d[k].f * j->d[k].a[i] * row;
        }
        gradient[j->free[k]] += (double) x->n * sum;
    }
    free(t), free(q), free(wd), free(d);
}

/* -2/n times the log-likelihood without its constant. */
static double deviance(const struct implied *g, const rsp_sem_sample *x, bool means) {
    size_t p = g->p;
    double sum = g->logdet;
    for (size_t i = 0; i < p; i++)
        for (size_t k = 0; k < p; k++) {
            double d = means ? (x->mean[i] - g->mu[i]) * (x->mean[k] - g->mu[k]) : 0;
            sum += g->inverse[i * p + k] * (x->cov[i * p + k] + d);
        }
    return sum;
}

/* ---- the whole model -------------------------------------------------------------------------------------------- */

struct state {
    const rsp_sem *s;
    const rsp_sem_sample *x;
    struct implied *g;
    struct jacobian *j;
};

/* Log-likelihood (without constant) and, where wanted, gradient and expected information. False outside. */
static bool evaluate(struct state *st, const double *par, double *loglik, double *gradient, double *information) {
    size_t k = st->s->n_free;
    *loglik = 0;
    for (size_t g = 0; g < st->s->n_groups; g++) {
        if (!imply(st->s, g, par, &st->g[g])) return false;
        *loglik -= 0.5 * (double) st->x[g].n * deviance(&st->g[g], &st->x[g], st->s->means);
    }
    if (gradient) memset(gradient, 0, k * sizeof *gradient);
    if (information) memset(information, 0, k * k * sizeof *information);
    for (size_t g = 0; gradient && g < st->s->n_groups; g++) {
        jacobian_fill(st->s, g, &st->g[g], &st->j[g]);
        add_gradient(&st->g[g], &st->j[g], &st->x[g], st->s->means, gradient);
        if (information) add_expected(&st->g[g], &st->j[g], (double) st->x[g].n, k, information);
    }
    return isfinite(*loglik);
}

/* Scaled to a unit diagonal before it is inverted; false if it is singular. */
static bool invert_information(double *matrix, size_t k) {
    double *scale = rsp_malloc((k + 1) * sizeof *scale), *copy = rsp_malloc((k * k + 1) * sizeof *copy), logdet;
    bool ok = true;
    for (size_t i = 0; i < k; i++) ok = (scale[i] = sqrt(matrix[i * k + i])) > 0 && ok;
    for (size_t i = 0; ok && i < k * k; i++) copy[i] = matrix[i] / (scale[i / k] * scale[i % k]);
    ok = ok && invert_positive(copy, k, matrix, &logdet);
    for (size_t i = 0; ok && i < k; i++) ok = matrix[i * k + i] < 1e10;
    for (size_t i = 0; ok && i < k * k; i++) matrix[i] /= scale[i / k] * scale[i % k];
    free(scale), free(copy);
    return ok;
}

/* Fisher scoring with step halving; a singular information is helped by a ridge on the way, but not at the end. */
static rsp_sem_status score_steps(struct state *st, rsp_sem_fit *fit) {
    enum { MOST_ITERATIONS = 500, MOST_HALVINGS = 40 };
    size_t k = st->s->n_free;
    double *gradient = rsp_malloc((k + 1) * sizeof *gradient),
           *information = rsp_malloc((k * k + 1) * sizeof *information);
    double *step = rsp_malloc((k + 1) * sizeof *step), *trial = rsp_malloc((k + 1) * sizeof *trial), loglik, next;
    rsp_sem_status status = RSP_SEM_NOT_CONVERGED;
    bool ok = evaluate(st, fit->par, &loglik, gradient, information);
    for (fit->iterations = 0; ok && fit->iterations < MOST_ITERATIONS; fit->iterations++) {
        double ridge = 0, decrement = 0;
        memcpy(fit->vcov, information, k * k * sizeof *information);
        while (!invert_information(fit->vcov, k) && ridge < 1) {
            ridge = ridge == 0 ? 1e-6 : 10 * ridge;
            memcpy(fit->vcov, information, k * k * sizeof *information);
            for (size_t i = 0; i < k; i++) fit->vcov[i * k + i] *= 1 + ridge;
        }
        for (size_t i = 0; i < k; i++) {
            step[i] = 0;
            for (size_t l = 0; l < k; l++) step[i] += fit->vcov[i * k + l] * gradient[l];
            decrement += step[i] * gradient[i];
        }
        if (decrement < 1e-18 * fabs(loglik) || (decrement < 1e-12 * fabs(loglik) && ridge > 0)) {
            status = ridge > 0 ? RSP_SEM_NOT_IDENTIFIED : RSP_SEM_OK;
            break;
        }
        double length = 1;
        int halvings = 0;
        for (; halvings <= MOST_HALVINGS; halvings++, length /= 2) {
            for (size_t i = 0; i < k; i++) trial[i] = fit->par[i] + length * step[i];
            if (evaluate(st, trial, &next, NULL, NULL) && next > loglik) break;
        }
        if (halvings > MOST_HALVINGS) { /* no rise within rounding */
            if (decrement < 1e-10 * fabs(loglik)) status = ridge > 0 ? RSP_SEM_NOT_IDENTIFIED : RSP_SEM_OK;
            ok = evaluate(st, fit->par, &loglik, gradient, information);
            break;
        }
        memcpy(fit->par, trial, k * sizeof *trial);
        ok = evaluate(st, fit->par, &loglik, gradient, information);
    }
    memcpy(fit->vcov, information, k * k * sizeof *information);
    fit->loglik = loglik;
    if (status == RSP_SEM_OK && !invert_information(fit->vcov, k)) status = RSP_SEM_NOT_IDENTIFIED;
    free(gradient), free(information), free(step), free(trial);
    return ok ? status : RSP_SEM_NOT_CONVERGED;
}

/* ---- robust ----------------------------------------------------------------------------------------------------- */

/* Gradient of one group's log-likelihood. */
static bool group_gradient(struct state *st, size_t g, const double *par, double *gradient) {
    if (!imply(st->s, g, par, &st->g[g])) return false;
    memset(gradient, 0, st->s->n_free * sizeof *gradient);
    jacobian_fill(st->s, g, &st->g[g], &st->j[g]);
    add_gradient(&st->g[g], &st->j[g], &st->x[g], st->s->means, gradient);
    return true;
}

/* Adds one group's part of minus the derivative of the gradient with respect to parameter i: central differences of the
 * analytic gradient. */
static bool add_information_row(struct state *st, size_t g, const double *par, size_t i, double *room, double *row) {
    size_t k = st->s->n_free;
    double h = 1e-5 * fmax(fabs(par[i]), 0.1), *up = room, *down = room + k, *at = room + 2 * k;
    memcpy(at, par, k * sizeof *at);
    at[i] = par[i] + h;
    if (!group_gradient(st, g, at, up)) return false;
    at[i] = par[i] - h;
    if (!group_gradient(st, g, at, down)) return false;
    for (size_t l = 0; l < k; l++) row[l] -= (up[l] - down[l]) / (2 * h);
    return true;
}

/* A parameter moves only the groups it stands in. */
static bool group_information(struct state *st, size_t g, const double *par, double *out) {
    size_t k = st->s->n_free;
    double *room = rsp_malloc((3 * k + 1) * sizeof *room);
    bool *here = rsp_calloc(k + 1, sizeof *here), ok = true;
    for (size_t t = 0; t < st->j[g].n; t++) here[st->j[g].free[t]] = true;
    for (size_t i = 0; ok && i < k; i++)
        if (here[i]) ok = add_information_row(st, g, par, i, room, out + i * k);
    free(room), free(here);
    return ok;
}

/* Groups are worked on in parallel, each with a matrix of its own, and added in order. */
static bool observed_information(struct state *st, const double *par, double *out) {
    size_t k = st->s->n_free, groups = st->s->n_groups;
    double *parts = rsp_calloc(groups * k * k + 1, sizeof *parts), loglik;
    bool *ok = rsp_calloc(groups + 1, sizeof *ok), all = true;
#pragma omp parallel for schedule(dynamic, 1)
    for (size_t g = 0; g < groups; g++) ok[g] = group_information(st, g, par, parts + g * k * k);
    memset(out, 0, k * k * sizeof *out);
    for (size_t g = 0; g < groups; g++) {
        all = all && ok[g];
        for (size_t i = 0; i < k * k; i++) out[i] += parts[g * k * k + i];
    }
    for (size_t i = 0; i < k; i++)
        for (size_t l = 0; l < i; l++) out[i * k + l] = out[l * k + i] = (out[i * k + l] + out[l * k + i]) / 2;
    free(parts), free(ok);
    return all && evaluate(st, par, &loglik, NULL, NULL);
}

/* Sum over respondents of products of their scores [n_free^2]. Scores: f [ (a'y)(b'y) - a'W b ] + c'y, y = W (x - mu). */
static void add_score_products(const struct state *st, size_t group, double *out) {
    const struct implied *g = &st->g[group];
    struct jacobian *j = &st->j[group];
    const rsp_sem_sample *x = &st->x[group];
    size_t p = g->p, k = st->s->n_free;
    double *score = rsp_malloc((j->n + 1) * sizeof *score), *y = rsp_malloc(p * sizeof *y),
           *d = rsp_malloc(p * sizeof *d), *awb = rsp_malloc((j->n + 1) * sizeof *awb);
    double *sums = rsp_calloc(j->n * j->n + 1, sizeof *sums);
    jacobian_fill(st->s, group, g, j);
    for (size_t t = 0; t < j->n; t++) {
        awb[t] = 0;
        for (size_t i = 0; i < p; i++)
            for (size_t l = 0; j->d[t].a[i] != 0 && l < p; l++)
                awb[t] += j->d[t].a[i] * g->inverse[i * p + l] * j->d[t].b[l];
    }
    for (size_t i = 0; i < x->n; i++) {
        for (size_t l = 0; l < p; l++) d[l] = x->x[i * p + l] - (st->s->means ? g->mu[l] : x->mean[l]);
        multiply(g->inverse, false, d, false, p, p, 1, y);
        for (size_t t = 0; t < j->n; t++) {
            double a = 0, b = 0, c = 0;
            for (size_t l = 0; l < p; l++) a += j->d[t].a[l] * y[l], b += j->d[t].b[l] * y[l], c += j->d[t].c[l] * y[l];
            score[t] = j->d[t].f * (a * b - awb[t]) + c;
        }
        cblas_dsyr(CblasRowMajor, CblasLower, (int) j->n, 1, score, 1, sums, (int) j->n);
    }
    for (size_t s = 0; s < j->n; s++)
        for (size_t t = 0; t <= s; t++) {
            out[j->free[s] * k + j->free[t]] += sums[s * j->n + t];
            if (s != t) out[j->free[t] * k + j->free[s]] += sums[s * j->n + t];
        }
    free(score), free(y), free(d), free(awb), free(sums);
}

static double trace_of_product(const double *a, const double *b, size_t k) {
    double sum = 0;
    for (size_t i = 0; i < k; i++)
        for (size_t l = 0; l < k; l++) sum += a[i * k + l] * b[l * k + i];
    return sum;
}

/* The saturated model of one group's moments: its trace is what the correction compares with. */
static rsp_sem saturated(const rsp_sem *s, rsp_arena *a) {
    size_t p = s->p;
    rsp_sem h = {
        .p = p, .m = 0, .n_groups = 1, .means = s->means, .cells = RSP_ARRAY(a, rsp_sem_cell, p * (p + 1) / 2 + p)};
    for (size_t i = 0; i < p; i++)
        for (size_t k = 0; k <= i; k++) h.cells[h.n_cells++] = (rsp_sem_cell){RSP_SEM_THETA, 0, i, k, h.n_free++, 0};
    for (size_t i = 0; s->means && i < p; i++)
        h.cells[h.n_cells++] = (rsp_sem_cell){RSP_SEM_NU, 0, i, 0, h.n_free++, 0};
    return h;
}

/* Independence in one group: variances (and means) alone. */
static rsp_sem independence(const rsp_sem *s, rsp_arena *a) {
    rsp_sem h = {.p = s->p, .m = 0, .n_groups = 1, .means = s->means, .cells = RSP_ARRAY(a, rsp_sem_cell, 2 * s->p)};
    for (size_t i = 0; i < s->p; i++) {
        h.cells[h.n_cells++] = (rsp_sem_cell){RSP_SEM_THETA, 0, i, i, h.n_free++, 0};
        if (s->means) h.cells[h.n_cells++] = (rsp_sem_cell){RSP_SEM_NU, 0, i, 0, h.n_free++, 0};
    }
    return h;
}

static struct state state_new(const rsp_sem *s, const rsp_sem_sample *x) {
    struct state st = {s, x, rsp_malloc(s->n_groups * sizeof *st.g), rsp_malloc(s->n_groups * sizeof *st.j)};
    for (size_t g = 0; g < s->n_groups; g++) {
        st.g[g] = implied_new(s->p, s->m);
        st.j[g] = jacobian_new(s, g);
    }
    return st;
}

static void state_free(struct state *st) {
    for (size_t g = 0; g < st->s->n_groups; g++) {
        implied_free(&st->g[g]);
        jacobian_free(&st->j[g]);
    }
    free(st->g), free(st->j);
}

/* tr(B A^-1) of a model of one group whose parameters are the sample's own moments (saturated or independence). */
static double group_trace(const rsp_sem *h, const rsp_sem_sample *x, bool *ok) {
    struct state st = state_new(h, x);
    size_t k = h->n_free;
    double *par = rsp_malloc((k + 1) * sizeof *par), *a = rsp_malloc((k * k + 1) * sizeof *a),
           *b = rsp_calloc(k * k + 1, sizeof *b), *gradient = rsp_malloc((k + 1) * sizeof *gradient), loglik,
           trace = NAN;
    for (size_t c = 0; c < h->n_cells; c++) {
        const rsp_sem_cell *cell = &h->cells[c];
        par[cell->free] = cell->matrix == RSP_SEM_NU ? x[cell->group].mean[cell->row]
                                                     : x[cell->group].cov[cell->row * h->p + cell->column];
    }
    *ok = *ok && evaluate(&st, par, &loglik, gradient, a);
    if (*ok && h->n_free < h->p * (h->p + 1) / 2) *ok = observed_information(&st, par, a);
    for (size_t g = 0; *ok && g < h->n_groups; g++) add_score_products(&st, g, b);
    *ok = *ok && invert_information(a, k);
    if (*ok) trace = trace_of_product(a, b, k);
    free(par), free(a), free(b), free(gradient);
    state_free(&st);
    return trace;
}

/* Groups share no moments, so the trace of all is the sum of theirs. */
static double moment_trace(const rsp_sem *h, const rsp_sem_sample *x, size_t n_groups, bool *ok) {
    double *trace = rsp_malloc((n_groups + 1) * sizeof *trace), sum = 0;
    bool *good = rsp_malloc(n_groups + 1);
#pragma omp parallel for schedule(dynamic, 1)
    for (size_t g = 0; g < n_groups; g++) {
        good[g] = true;
        trace[g] = group_trace(h, &x[g], &good[g]);
    }
    for (size_t g = 0; g < n_groups; g++) {
        *ok = *ok && good[g];
        sum += trace[g];
    }
    free(trace), free(good);
    return sum;
}

/* Huber-White errors and the correction of Yuan and Bentler (2000) as Mplus computes it: the traces of the saturated
 * and of the fitted model's sandwiches, over the degrees of freedom. */
static bool make_robust(struct state *st, rsp_arena *arena, rsp_sem_fit *fit) {
    size_t k = st->s->n_free;
    double *a = rsp_malloc((k * k + 1) * sizeof *a), *b = rsp_calloc(k * k + 1, sizeof *b),
           *ab = rsp_malloc((k * k + 1) * sizeof *ab);
    bool ok = observed_information(st, fit->par, a) && invert_information(a, k);
    if (ok) {
        size_t n_groups = st->s->n_groups;
        double *parts = rsp_calloc(n_groups * k * k + 1, sizeof *parts);
#pragma omp parallel for schedule(dynamic, 1)
        for (size_t g = 0; g < n_groups; g++) add_score_products(st, g, parts + g * k * k);
        for (size_t g = 0; g < n_groups; g++)
            for (size_t i = 0; i < k * k; i++) b[i] += parts[g * k * k + i];
        free(parts);
        multiply(a, false, b, false, k, k, k, ab);
        multiply(ab, false, a, false, k, k, k, fit->vcov);
        double own = trace_of_product(a, b, k);
        rsp_sem h1 = saturated(st->s, arena), h0 = independence(st->s, arena);
        size_t groups = st->s->n_groups;
        double full = moment_trace(&h1, st->x, groups, &ok), base = moment_trace(&h0, st->x, groups, &ok);
        fit->scaling = (full - own) / fit->df;
        fit->scaling_baseline = (full - base) / fit->df_baseline;
    }
    free(a), free(b), free(ab);
    return ok;
}

/* ---- fit -------------------------------------------------------------------------------------------------------- */

/* Chi-square against the saturated model, of the fitted and of the independence model; the full log-likelihood. */
static bool fit_measures(const struct state *st, rsp_sem_fit *fit) {
    const rsp_sem *s = st->s;
    double p = (double) s->p, saturated_loglik = 0, independent = 0;
    double *room = rsp_malloc(s->p * s->p * sizeof *room);
    fit->n = 0;
    for (size_t g = 0; g < s->n_groups; g++) {
        double logdet, n = (double) st->x[g].n, diagonal = 0;
        if (!invert_positive(st->x[g].cov, s->p, room, &logdet)) {
            free(room);
            return false;
        }
        for (size_t i = 0; i < s->p; i++) diagonal += log(st->x[g].cov[i * s->p + i]);
        saturated_loglik -= 0.5 * n * (logdet + p);
        independent -= 0.5 * n * (diagonal + p);
        fit->n += st->x[g].n;
    }
    free(room);
    double groups = (double) s->n_groups;
    fit->chisq = fmax(0, 2 * (saturated_loglik - fit->loglik));
    fit->df = groups * (p * (p + 1) / 2 + (s->means ? p : 0)) - (double) s->n_free;
    fit->chisq_baseline = 2 * (saturated_loglik - independent);
    fit->df_baseline = groups * p * (p - 1) / 2;
    fit->loglik -= 0.5 * (double) fit->n * p * log(2 * M_PI);
    return true;
}

/* Standardised root mean square residual (Bentler 1995): groups weighted by size. */
static double srmr(const struct state *st, size_t n) {
    double total = 0;
    size_t p = st->s->p;
    for (size_t g = 0; g < st->s->n_groups; g++) {
        const double *s = st->x[g].cov, *sigma = st->g[g].sigma;
        double sum = 0, count = (double) (p * (p + 1) / 2 + (st->s->means ? p : 0));
        for (size_t i = 0; i < p; i++) {
            for (size_t k = 0; k <= i; k++) {
                double r = (s[i * p + k] - sigma[i * p + k]) / sqrt(s[i * p + i] * s[k * p + k]);
                sum += r * r;
            }
            double r = st->s->means ? (st->x[g].mean[i] - st->g[g].mu[i]) / sqrt(s[i * p + i]) : 0;
            sum += r * r;
        }
        total += (double) st->x[g].n / (double) n * sqrt(sum / count);
    }
    return total;
}

void rsp_sem_estimate(const rsp_sem *s, const rsp_sem_sample *x, bool robust, rsp_arena *a, rsp_sem_fit *fit) {
    *fit = (rsp_sem_fit){.par = RSP_ARRAY(a, double, s->n_free + 1),
                         .vcov = RSP_ARRAY(a, double, s->n_free * s->n_free + 1),
                         .scaling = NAN,
                         .scaling_baseline = NAN,
                         .sigma = RSP_ARRAY(a, double *, s->n_groups),
                         .phi = RSP_ARRAY(a, double *, s->n_groups)};
    for (size_t k = 0; k < s->n_cells; k++)
        if (s->cells[k].free != RSP_NONE) fit->par[s->cells[k].free] = s->cells[k].value;
    struct state st = state_new(s, x);
    fit->status = score_steps(&st, fit);
    if (!fit_measures(&st, fit)) fit->status = RSP_SEM_SINGULAR_DATA;
    if (fit->status == RSP_SEM_OK) {
        fit->srmr = srmr(&st, fit->n);
        if (robust && !make_robust(&st, a, fit)) fit->status = RSP_SEM_NOT_IDENTIFIED;
    }
    for (size_t g = 0; g < s->n_groups; g++) {
        fit->sigma[g] = RSP_ARRAY(a, double, s->p * s->p);
        fit->phi[g] = RSP_ARRAY(a, double, s->m * s->m + 1);
        memcpy(fit->sigma[g], st.g[g].sigma, s->p * s->p * sizeof(double));
        memcpy(fit->phi[g], st.g[g].phi, s->m * s->m * sizeof(double));
        for (size_t i = 0; i < s->p; i++) fit->heywood |= st.g[g].theta[i * s->p + i] < 0;
        for (size_t i = 0; i < s->m; i++) fit->heywood |= st.g[g].psi[i * s->m + i] < 0;
    }
    state_free(&st);
}

void rsp_sem_standardise(const rsp_sem *s, const double *par, double *standardised) {
    for (size_t g = 0; g < s->n_groups; g++) {
        struct implied m = implied_new(s->p, s->m);
        bool ok = imply(s, g, par, &m);
        for (size_t k = 0; k < s->n_cells; k++) {
            const rsp_sem_cell *c = &s->cells[k];
            if (c->group != g) continue;
            standardised[k] = !ok || c->matrix != RSP_SEM_LAMBDA
                                  ? NAN
                                  : m.lambda[c->row * s->m + c->column] *
                                        sqrt(m.phi[c->column * s->m + c->column] / m.sigma[c->row * s->p + c->row]);
        }
        implied_free(&m);
    }
}
