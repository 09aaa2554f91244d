/* Models with random effects by Laplace's approximation: logistic, ordinal, and the weighted ones, linear too.
 *
 * All parameters are estimated together, by a quasi-Newton method on the exact gradient (BFGS; Nocedal and Wright 2006,
 * chapter 6) that starts from the curvature, found by differences of gradients, and ends with Newton steps on it. Errors
 * come from the curvature of the whole approximated likelihood at its maximum; with weights from the sandwich, the
 * scores of groups in the middle. */
#include "model/fit.h"
#include "model/glmm.h"
#include "model/likelihood.h"

#include <lapacke.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_STEPS = 200, MOST_HALVINGS = 30, MOST_ROUNDS = 8 };

/* Beyond: a triangle's element in units of the linear predictor, past which chances are 0 or 1 to nine digits. */
static const double LARGEST_THETA = 40;

struct glmm {
    rsp_mfit f;
    rsp_sample *s;
    rsp_mixed *random;
    rsp_glmm *x;
    rsp_glmm_family family;
    size_t n_tau, m;  /* m parameters */
    double **columns; /* [p][n] of X, orthonormal but for the factor root(n); free of the constant where tau holds it */
    double *basis,
        *constant; /* [p*p] lower triangle: coefficients as written from those of `columns`; [p] what goes to tau */
    double *y, *w, *level_weight; /* [n] outcome, weights of rows within groups; [levels] or NULL */
    double *shift, unit;          /* normal: least squares, and the standard deviation that it leaves */
    double *par, *u, value;       /* value: minus the log-likelihood */
    double *gradient, *hessian;   /* [m], [m*m] */
};

/* ---- columns ---------------------------------------------------------------------------------------------------- */

/* Columns by the inverse's Cholesky factor, which has the constant last: so it takes part in the others alone. */
static bool make_columns(struct glmm *g) {
    const rsp_mmatrix *m = g->f.m;
    size_t n = m->n, p = g->f.p, constant = g->family == RSP_GLMM_ORDINAL, k = p + constant;
    rsp_arena *a = m->arena;
    const double **c = RSP_ARRAY(a, const double *, k + 1);
    double *one = RSP_ARRAY(a, double, n), root = sqrt((double) n);
    rsp_least_squares ls;
    for (size_t i = 0; i < n; i++) one[i] = 1;
    for (size_t j = 0; j < p; j++) c[j] = m->columns[g->f.column[j]].x;
    if (constant) c[p] = one;
    rsp_least_squares_fit(n, k, c, NULL, m->y, a, &ls);
    if (k && LAPACKE_dpotrf(LAPACK_COL_MAJOR, 'U', (lapack_int) k, ls.inverse, (lapack_int) k) != 0) return false;
    g->basis = RSP_ARRAY(a, double, p *p + 1);
    g->constant = RSP_ARRAY(a, double, p + 1);
    g->columns = RSP_ARRAY(a, double *, p + 1);
    for (size_t j = 0; j < p; j++) {
        g->columns[j] = RSP_ARRAY(a, double, n);
        for (size_t l = j; l < p; l++) g->basis[l * p + j] = root * ls.inverse[l * k + j];
        if (constant) g->constant[j] = root * ls.inverse[p * k + j];
        for (size_t i = 0; i < n; i++) g->columns[j][i] = g->constant[j];
        for (size_t l = j; l < p; l++)
            for (size_t i = 0; i < n; i++) g->columns[j][i] += c[l][i] * g->basis[l * p + j];
    }
    g->shift = ls.beta;
    g->unit = 1;
    g->y = RSP_ARRAY(a, double, n);
    memcpy(g->y, m->y, n * sizeof *g->y);
    if (g->family != RSP_GLMM_NORMAL) return true;
    double total = 0;
    for (size_t i = 0; i < n; i++) total += m->y[i] * m->y[i];
    g->unit = sqrt(ls.rss / (double) n);
    for (size_t i = 0; i < n; i++) {
        for (size_t j = 0; j < p; j++) g->y[i] -= c[j][i] * ls.beta[j];
        g->y[i] /= g->unit;
    }
    return ls.rss > 1e-20 * total && n > p + 1;
}

/* ---- weights ---------------------------------------------------------------------------------------------------- */

struct group_sums {
    double n, w, square, own; /* rows, sum of weights, of their squares; the group's stated weight */
};

/* The weight that the study states for a group; the same in all its rows, or reported. */
static bool stated_weights(const struct glmm *g, struct group_sums *sum, rsp_diag *d) {
    const rsp_analysis *a = g->f.a;
    const rsp_mmatrix *m = g->f.m;
    const rsp_mrandom *r = &m->random[0];
    if (a->model.group_weight == RSP_NONE) return true;
    for (size_t i = 0; i < m->n; i++) {
        double w = rsp_value(g->s->frame, a->model.group_weight, m->row[i]), *own = &sum[r->group[i]].own;
        if (!(w > 0) || !isfinite(w) || (!isnan(*own) && w != *own)) {
            rsp_report(d, RSP_ERR_DATA, a->loc, "give every respondent of a group the group's weight",
                       "the group_weight of model '%s' is %s for a respondent", a->id,
                       w > 0 ? "not the same in a group" : "not above 0");
            return false;
        }
        *own = w;
    }
    return true;
}

/* Weights within groups add up to the group's size, or effective size (their methods 2 and 1); the group's own is
 * stated, or the mean of its weights. Group weights have mean 1. */
static bool make_weights(struct glmm *g, rsp_diag *d) {
    const rsp_mmatrix *m = g->f.m;
    const rsp_mrandom *r = &m->random[0];
    if (g->f.a->model.unweighted) return true;
    struct group_sums *sum = RSP_ARRAY(m->arena, struct group_sums, r->n_groups);
    double mean = 0;
    for (size_t l = 0; l < r->n_groups; l++) sum[l].own = NAN;
    if (!stated_weights(g, sum, d)) return false;
    g->w = RSP_ARRAY(m->arena, double, m->n);
    g->level_weight = RSP_ARRAY(m->arena, double, r->n_groups);
    for (size_t i = 0; i < m->n; i++) {
        struct group_sums *s = &sum[r->group[i]];
        s->n += 1;
        s->w += m->w[i];
        s->square += m->w[i] * m->w[i];
    }
    for (size_t i = 0; i < m->n; i++) {
        const struct group_sums *s = &sum[r->group[i]];
        g->w[i] = m->w[i] * (g->f.a->model.scaling == RSP_SCALING_SIZE ? s->n / s->w : s->w / s->square);
    }
    for (size_t l = 0; l < r->n_groups; l++) {
        g->level_weight[l] = isnan(sum[l].own) ? sum[l].w / sum[l].n : sum[l].own;
        mean += g->level_weight[l] / (double) r->n_groups;
    }
    for (size_t l = 0; l < r->n_groups; l++) g->level_weight[l] /= mean;
    return true;
}

/* ---- start ------------------------------------------------------------------------------------------------------ */

static void start_thresholds(const struct glmm *g, const double *w) {
    const rsp_mmatrix *m = g->f.m;
    double *share = RSP_ARRAY(m->arena, double, m->n_levels + 1), total = 0, sum = 0;
    for (size_t i = 0; i < m->n; i++) share[(size_t) m->y[i]] += w[i], total += w[i];
    for (size_t j = 0; j < g->n_tau; j++) {
        sum += share[j] / total;
        g->par[j] = log(sum / (1 - sum));
    }
}

/* The regression without random effects. Where that separates, so does the model with them. */
static void start(struct glmm *g) {
    const rsp_mmatrix *m = g->f.m;
    size_t q = g->n_tau + g->f.p;
    rsp_arena *a = m->arena;
    for (size_t k = 0; k < g->random->n_groups; k++)
        for (size_t t = 0; t < g->random->groups[k].n_theta; t++)
            if (g->random->groups[k].row[t] == g->random->groups[k].column[t])
                g->par[q + g->random->groups[k].theta + t] = 0.7;
    if (g->family == RSP_GLMM_NORMAL) return;
    double *w = RSP_ARRAY(a, double, m->n);
    for (size_t i = 0; i < m->n; i++) w[i] = g->w ? g->w[i] * g->level_weight[m->random[0].group[i]] : 1;
    rsp_regression_data data = {m->n, g->f.p, (const double *const *) g->columns, g->y, g->n_tau, 1, 1};
    rsp_likelihood l = {.p = q,
                        .data = &data,
                        .evaluate = g->family == RSP_GLMM_ORDINAL ? rsp_ordinal_evaluate : rsp_logistic_evaluate};
    rsp_newton_fit n = {
        .par = g->par, .information_inverse = RSP_ARRAY(a, double, q *q + 1), .separated = RSP_ARRAY(a, bool, q + 1)};
    start_thresholds(g, w);
    if (!q) return;
    rsp_newton(&l, w, &n);
    if (n.status == RSP_FIT_SEPARATED) g->f.status |= RSP_F_SEPARATED;
    else if (n.status == RSP_FIT_SINGULAR) g->f.status |= RSP_F_SINGULAR;
    else if (n.status != RSP_FIT_OK) g->f.status |= RSP_F_NOT_CONVERGED;
}

/* ---- maximum ---------------------------------------------------------------------------------------------------- */

static bool evaluate(const struct glmm *g, const double *par, double *u, double *value, double *gradient) {
    bool ok = rsp_glmm_evaluate(g->x, par, u, value, gradient, NULL);
    *value = ok ? -*value : INFINITY;
    for (size_t j = 0; ok && gradient && j < g->m; j++) gradient[j] = -gradient[j];
    return ok;
}

/* Second derivatives by central differences of the gradient, whatever the number of threads from the same modes. */
static bool curvature(struct glmm *g) {
    size_t m = g->m, q = g->random->q;
    double *side = rsp_malloc(2 * m * m * sizeof *side);
    bool ok = true;
#pragma omp parallel for schedule(dynamic, 1) reduction(&& : ok)
    for (size_t k = 0; k < 2 * m; k++) {
        double *par = rsp_malloc(m * sizeof *par), *u = rsp_malloc(q * sizeof *u), value;
        size_t j = k / 2;
        memcpy(par, g->par, m * sizeof *par);
        memcpy(u, g->u, q * sizeof *u);
        par[j] += (k & 1 ? -3e-4 : 3e-4) * fmin(fmax(fabs(par[j]), 0.2), 1);
        ok = evaluate(g, par, u, &value, side + k * m) && ok;
        for (size_t l = 0; l < m; l++) side[k * m + l] /= 2 * fabs(par[j] - g->par[j]);
        free(par), free(u);
    }
    for (size_t j = 0; j < m; j++)
        for (size_t l = 0; l < m; l++) g->hessian[j * m + l] = side[2 * j * m + l] - side[(2 * j + 1) * m + l];
    for (size_t j = 0; j < m; j++)
        for (size_t l = 0; l < j; l++)
            g->hessian[j * m + l] = g->hessian[l * m + j] = (g->hessian[j * m + l] + g->hessian[l * m + j]) / 2;
    free(side);
    return ok;
}

/* Inverse of the curvature: with absolute values so that its steps go downhill, or with what is not curved upwards left
 * out. `least`: the smallest curvature over the largest, `direction` [m] its eigenvector. */
static bool invert(const struct glmm *g, bool absolute, double *inverse, double *least, double *direction) {
    size_t m = g->m;
    double *v = rsp_malloc(m * m * sizeof *v), *value = rsp_malloc(m * sizeof *value), most = 0;
    memcpy(v, g->hessian, m * m * sizeof *v);
    bool ok = LAPACKE_dsyev(LAPACK_COL_MAJOR, 'V', 'L', (lapack_int) m, v, (lapack_int) m, value) == 0;
    for (size_t k = 0; ok && k < m; k++) most = fmax(most, fabs(value[k]));
    memset(inverse, 0, m * m * sizeof *inverse);
    for (size_t k = 0; ok && k < m; k++) {
        double c = absolute ? fmax(fabs(value[k]), 1e-6 * most + 1e-12) : value[k];
        if (!(c > 1e-10 * most)) continue;
        for (size_t i = 0; i < m; i++)
            for (size_t j = 0; j < m; j++) inverse[i * m + j] += v[k * m + i] * v[k * m + j] / c;
    }
    if (least) *least = value[0] / most;
    if (direction) memcpy(direction, v, m * sizeof *v);
    free(v), free(value);
    return ok && isfinite(most);
}

static double product(const double *a, const double *b, size_t n) {
    double sum = 0;
    for (size_t j = 0; j < n; j++) sum += a[j] * b[j];
    return sum;
}

/* No triangle's element may go from 1 to 0, a ridge or the end; no coefficient by more than 3. */
static void limit_step(const struct glmm *g, double *step) {
    size_t fixed = g->m - g->random->n_theta;
    double factor = 1;
    for (size_t j = 0; j < g->m; j++) {
        double most = j < fixed ? 3 : 0.7 * fmax(1, fabs(g->par[j]));
        factor = fmin(factor, most / fmax(fabs(step[j]), 1e-300));
    }
    for (size_t j = 0; j < g->m; j++) step[j] *= factor;
}

struct bfgs {
    double *inverse, *step, *trial, *u, *gradient, *change, *half;
};

/* Inverse of the curvature after a step that changed the gradient (Nocedal and Wright, 6.17). */
static void update(struct bfgs *b, const double *old, size_t m) {
    for (size_t j = 0; j < m; j++) b->change[j] = b->gradient[j] - old[j];
    double sy = product(b->step, b->change, m);
    if (!(sy > 1e-14 * sqrt(product(b->step, b->step, m) * product(b->change, b->change, m)))) return;
    for (size_t i = 0; i < m; i++) b->half[i] = product(b->inverse + i * m, b->change, m);
    double yhy = product(b->change, b->half, m);
    for (size_t i = 0; i < m; i++)
        for (size_t j = 0; j < m; j++)
            b->inverse[i * m + j] += (1 + yhy / sy) * b->step[i] * b->step[j] / sy -
                                     (b->half[i] * b->step[j] + b->step[i] * b->half[j]) / sy;
}

/* Takes the step, halved until the value falls by a share of what was promised. */
static bool move(struct glmm *g, struct bfgs *b, double promise) {
    size_t m = g->m, q = g->random->q;
    double value;
    for (int h = 0; h < MOST_HALVINGS; h++) {
        for (size_t j = 0; j < m; j++) b->trial[j] = g->par[j] + b->step[j];
        memcpy(b->u, g->u, q * sizeof *b->u);
        if (evaluate(g, b->trial, b->u, &value, b->gradient) && value <= g->value - 1e-4 * promise) {
            memcpy(g->par, b->trial, m * sizeof *b->trial);
            memcpy(g->u, b->u, q * sizeof *b->u);
            g->value = value;
            return true;
        }
        for (size_t j = 0; j < m; j++) b->step[j] /= 2;
        promise /= 2;
    }
    return false;
}

/* Downhill with gradients alone, from an inverse curvature. Returns what is left to gain; NaN: lost. */
static double descend(struct glmm *g, struct bfgs *b) {
    size_t m = g->m;
    double gain = INFINITY;
    for (int k = 0; k < MOST_STEPS; k++) {
        for (size_t i = 0; i < m; i++) b->step[i] = -product(b->inverse + i * m, g->gradient, m);
        gain = -product(b->step, g->gradient, m);
        if (isnan(gain) || gain < 1e-11) return gain;
        limit_step(g, b->step);
        if (!move(g, b, -product(b->step, g->gradient, m))) return gain;
        update(b, g->gradient, m);
        memcpy(g->gradient, b->gradient, m * sizeof *b->gradient);
        for (size_t j = m - g->random->n_theta; j < m; j++)
            if (fabs(g->par[j]) > LARGEST_THETA) return gain;
    }
    return gain;
}

/* On a ridge, as where a variance is 0 though the data want one, the slope is 0: off to the side. */
static bool leave_ridge(struct glmm *g, struct bfgs *b, const double *direction) {
    for (size_t j = 0; j < g->m; j++) b->step[j] = 0.3 * direction[j];
    if (!move(g, b, 0)) return false;
    memcpy(g->gradient, b->gradient, g->m * sizeof *b->gradient);
    return true;
}

/* The last digits: Newton steps on the curvature at hand. */
static void polish(struct glmm *g, struct bfgs *b) {
    size_t m = g->m;
    for (int k = 0; k < 4; k++) {
        for (size_t i = 0; i < m; i++) b->step[i] = -product(b->inverse + i * m, g->gradient, m);
        double gain = -product(b->step, g->gradient, m), value;
        if (!(gain > 1e-20)) return;
        for (size_t j = 0; j < m; j++) b->trial[j] = g->par[j] + b->step[j];
        memcpy(b->u, g->u, g->random->q * sizeof *b->u);
        if (!evaluate(g, b->trial, b->u, &value, b->gradient) || value > g->value + 1e-10 * (1 + fabs(g->value)))
            return;
        memcpy(g->par, b->trial, m * sizeof *b->trial);
        memcpy(g->u, b->u, g->random->q * sizeof *b->u);
        memcpy(g->gradient, b->gradient, m * sizeof *b->gradient);
        g->value = value;
    }
}

static struct bfgs new_bfgs(const struct glmm *g) {
    rsp_arena *a = g->f.m->arena;
    size_t m = g->m;
    return (struct bfgs){RSP_ARRAY(a, double, m *m), RSP_ARRAY(a, double, m),
                         RSP_ARRAY(a, double, m),    RSP_ARRAY(a, double, g->random->q),
                         RSP_ARRAY(a, double, m),    RSP_ARRAY(a, double, m),
                         RSP_ARRAY(a, double, m)};
}

/* False: no maximum was reached. Leaves par, u, value and the curvature there. */
static bool maximise(struct glmm *g) {
    struct bfgs b = new_bfgs(g);
    size_t m = g->m;
    double *direction = RSP_ARRAY(g->f.m->arena, double, m), least;
    if (!evaluate(g, g->par, g->u, &g->value, g->gradient)) return false;
    for (int round = 0; round < MOST_ROUNDS; round++) {
        if (!curvature(g) || !invert(g, true, b.inverse, &least, direction)) return false;
        double gain = 0;
        for (size_t i = 0; i < m; i++) gain += g->gradient[i] * product(b.inverse + i * m, g->gradient, m);
        if (isnan(gain)) return false;
        if (gain < 1e-9 && least > -1e-7) {
            polish(g, &b);
            return true;
        }
        if (gain < 1e-9 && !leave_ridge(g, &b, direction)) return least > -1e-5;
        if (isnan(descend(g, &b))) return false;
        for (size_t j = m - g->random->n_theta; j < m; j++)
            if (fabs(g->par[j]) > LARGEST_THETA) {
                g->f.status |= RSP_F_SEPARATED;
                return true;
            }
    }
    return false;
}

/* ---- sandwich --------------------------------------------------------------------------------------------------- */

/* Does every group lie in one cluster of the design, and do the clusters hold several respondents? Then the design's
 * variance counts, else that between groups. */
static bool in_clusters(const struct glmm *g) {
    const rsp_mrandom *r = &g->f.m->random[0];
    int32_t *cluster = rsp_malloc(r->n_groups * sizeof *cluster);
    bool nested = true;
    for (size_t l = 0; l < r->n_groups; l++) cluster[l] = -1;
    for (size_t i = 0; i < g->f.m->n; i++) {
        int32_t c = g->s->cluster[g->f.m->row[i]], *of = &cluster[r->group[i]];
        nested = nested && (*of < 0 || *of == c);
        *of = c;
    }
    free(cluster);
    return nested;
}

/* The design's variance of sums over groups: a group's score stands in equal parts with its rows. */
static bool middle_of_design(const struct glmm *g, const double *scores, double *middle, rsp_diag *d) {
    const rsp_mmatrix *m = g->f.m;
    const rsp_mrandom *r = &m->random[0];
    size_t q = g->m;
    double **z = rsp_malloc(q * sizeof *z), *size = rsp_calloc(r->n_groups, sizeof *size);
    for (size_t i = 0; i < m->n; i++) size[r->group[i]] += 1;
    for (size_t j = 0; j < q; j++) {
        z[j] = rsp_calloc(g->s->n, sizeof **z);
        for (size_t i = 0; i < m->n; i++) {
            size_t l = (size_t) r->group[i];
            z[j][m->row[i]] = g->level_weight[l] * scores[l * q + j] / (size[l] * m->w[i]);
        }
    }
    bool ok = rsp_taylor(g->s, NULL, (const double *const *) z, q, middle, d);
    for (size_t j = 0; j < q; j++) free(z[j]);
    free(z), free(size);
    return ok;
}

/* Groups as independent units: L/(L-1) times the sum of squares. */
static void middle_of_groups(const struct glmm *g, const double *scores, double *middle) {
    size_t q = g->m, levels = g->x->n_levels;
    memset(middle, 0, q * q * sizeof *middle);
    for (size_t l = 0; l < levels; l++) {
        double w = g->level_weight[l] * g->level_weight[l] * (double) levels / ((double) levels - 1);
        for (size_t i = 0; i < q; i++)
            for (size_t j = 0; j < q; j++) middle[i * q + j] += w * scores[l * q + i] * scores[l * q + j];
    }
}

/* inverse -> inverse * middle * inverse; *df before coefficients are taken off. */
static bool sandwich(struct glmm *g, double *inverse, double *df, rsp_diag *d) {
    size_t q = g->m;
    rsp_arena *a = g->f.m->arena;
    double *scores = RSP_ARRAY(a, double, g->x->n_levels *q), *gradient = RSP_ARRAY(a, double, q), value;
    double *middle = RSP_ARRAY(a, double, q *q), *half = RSP_ARRAY(a, double, q *q);
    bool ok = rsp_glmm_evaluate(g->x, g->par, g->u, &value, gradient, scores);
    if (ok && in_clusters(g)) {
        *df = rsp_design_df(g->s, g->f.m->take);
        ok = middle_of_design(g, scores, middle, d);
    } else if (ok) {
        *df = (double) g->x->n_levels - 1;
        middle_of_groups(g, scores, middle);
    }
    for (size_t i = 0; i < q; i++)
        for (size_t j = 0; j < q; j++)
            for (size_t l = 0; l < q; l++) half[i * q + j] += inverse[i * q + l] * middle[l * q + j];
    for (size_t i = 0; i < q; i++)
        for (size_t j = 0; j < q; j++) {
            double sum = 0;
            for (size_t l = 0; l < q; l++) sum += half[i * q + l] * inverse[l * q + j];
            middle[i * q + j] = sum;
        }
    memcpy(inverse, middle, q * q * sizeof *middle);
    return ok;
}

/* ---- as written ------------------------------------------------------------------------------------------------- */

/* Rows of the linear map from par (without theta) to thresholds and coefficients as written: [(n_tau+p)*(n_tau+p)]. */
static double *map_of(const struct glmm *g) {
    size_t t = g->family == RSP_GLMM_ORDINAL ? g->n_tau : 0, p = g->f.p, k = g->n_tau + p;
    double *map = RSP_ARRAY(g->f.m->arena, double, k *k + 1);
    for (size_t i = 0; i < t; i++) {
        map[i * k + i] = 1;
        for (size_t j = 0; j < p; j++) map[i * k + g->n_tau + j] = -g->constant[j];
    }
    for (size_t i = 0; i < p; i++)
        for (size_t j = 0; j <= i; j++) map[(g->n_tau + i) * k + g->n_tau + j] = g->unit * g->basis[i * p + j];
    return map;
}

/* ---- degrees of freedom ----------------------------------------------------------------------------------------- */

/* What a coefficient's error rests on: so many groups of a random part, or rows less groups; and how many coefficients
 * they have to give. */
struct stratum {
    bool groups;
    size_t units, k;
};

static bool constant_within(const rsp_mrandom *r, const double *x, size_t n, double *first) {
    for (size_t l = 0; l < r->n_groups; l++) first[l] = NAN;
    for (size_t i = 0; i < n; i++) {
        double *own = &first[r->group[i]];
        if (isnan(*own)) *own = x[i];
        if (x[i] != *own) return false;
    }
    return true;
}

static bool has_slope(const rsp_mrandom *r, const char *name) {
    for (size_t j = 0; j < r->d; j++)
        if (strcmp(r->columns[j].name, name) == 0) return true;
    return false;
}

/* Between and within (Schluchter and Elashoff 1990; Li and Redden 2015): a coefficient of a predictor that is constant
 * within groups rests on the groups, as many as there are less the coefficients of such predictors; one whose slope
 * varies between groups on the groups less 1; others on the rows. Of several random parts the one with the fewest groups
 * counts. The constant (thresholds: constant) is a predictor of groups. x NULL: the constant. */
static struct stratum stratum_of(const struct glmm *g, const uint8_t *constant, const rsp_mcolumn *x, size_t at) {
    const rsp_mmatrix *m = g->f.m;
    size_t p = g->f.p, most = 0;
    struct stratum s = {0};
    for (size_t r = 0; r < m->n_random; r++) {
        const rsp_mrandom *random = &m->random[r];
        bool flat = !x || constant[r * p + at], slope = !flat && has_slope(random, x->name);
        if (random->n_groups > most) most = random->n_groups;
        if ((!flat && !slope) || (s.groups && random->n_groups >= s.units)) continue;
        s = (struct stratum){true, random->n_groups, slope || g->family == RSP_GLMM_ORDINAL};
        for (size_t j = 0; flat && j < p; j++) s.k += constant[r * p + j];
    }
    if (s.groups) return s;
    s.units = m->n - most;
    for (size_t j = 0; j < p; j++) {
        bool within = true;
        for (size_t r = 0; r < m->n_random; r++) within = within && !constant[r * p + j];
        s.k += within;
    }
    return s;
}

static void find_constant(const struct glmm *g, uint8_t *constant) {
    const rsp_mmatrix *m = g->f.m;
    size_t most = 0, p = g->f.p;
    for (size_t r = 0; r < m->n_random; r++)
        if (m->random[r].n_groups > most) most = m->random[r].n_groups;
    double *first = rsp_malloc((most + 1) * sizeof *first);
    for (size_t r = 0; r < m->n_random; r++)
        for (size_t j = 0; j < p; j++)
            constant[r * p + j] = constant_within(&m->random[r], m->columns[g->f.column[j]].x, m->n, first);
    free(first);
}

/* df [k], and the covariance [k*k] of thresholds and coefficients, `alone` its part that rows would have without groups.
 * Maximum likelihood takes the variance between G groups for what they leave of their k coefficients, so what groups
 * add to a covariance that rests on them grows by G / (G - k), which in a balanced linear model is the step to restricted
 * maximum likelihood (Elff, Heisig, Schaeffer and Shikano 2021). */
static void count_freedom(const struct glmm *g, const double *alone, size_t k, double *vcov, double *df) {
    const rsp_mmatrix *m = g->f.m;
    uint8_t *constant = RSP_ARRAY(m->arena, uint8_t, m->n_random * g->f.p + 1);
    double *factor = RSP_ARRAY(m->arena, double, k);
    find_constant(g, constant);
    for (size_t i = 0; i < k; i++) {
        size_t at = i < g->n_tau ? 0 : i - g->n_tau;
        struct stratum s = stratum_of(g, constant, i < g->n_tau ? NULL : &m->columns[g->f.column[at]], at);
        df[i] = s.units > s.k ? (double) (s.units - s.k) : 0;
        factor[i] = s.groups && df[i] > 0 ? sqrt((double) s.units / df[i]) : 1;
    }
    for (size_t i = 0; i < k; i++)
        for (size_t j = 0; j < k; j++)
            vcov[i * k + j] = alone[i * k + j] + (vcov[i * k + j] - alone[i * k + j]) * factor[i] * factor[j];
}

/* The covariance [k*k] that par without theta would have if groups did not differ, from the curvature there; 0 where that
 * is not to be had. */
static void alone_covariance(struct glmm *g, size_t k, double *v) {
    size_t m = g->m, t = g->random->n_theta;
    struct glmm at = *g;
    rsp_arena *a = rsp_arena_new();
    at.par = RSP_ARRAY(a, double, m);
    at.u = RSP_ARRAY(a, double, g->random->q);
    at.hessian = RSP_ARRAY(a, double, m *m);
    memcpy(at.par, g->par, (m - t) * sizeof *at.par);
    bool ok = curvature(&at);
    for (size_t i = 0; i < k; i++) memcpy(v + i * k, at.hessian + i * m, k * sizeof *v);
    if (!ok || !rsp_invert_spd(v, k)) memset(v, 0, k * k * sizeof *v);
    rsp_arena_free(a);
}

/* df [k]: that of a joint test is the least of its coefficients'. */
static void joint_tests(struct glmm *g, const double *vcov, size_t k, const double *df) {
    rsp_mfit *f = &g->f;
    rsp_arena *a = f->m->arena;
    size_t *in = RSP_ARRAY(a, size_t, f->p + 1);
    f->tests = RSP_ARRAY(a, rsp_mtest, f->m->n_terms + 1);
    for (size_t t = 0; t < f->m->n_terms; t++) {
        size_t q = f->m->term_joint[t] ? rsp_mfit_term(f, t, in) : 0;
        if (!q) continue;
        double *b = RSP_ARRAY(a, double, q), *v = RSP_ARRAY(a, double, q *q), least = df[g->n_tau + in[0]];
        for (size_t i = 0; i < q; i++) {
            b[i] = f->b[in[i]];
            least = fmin(least, df[g->n_tau + in[i]]);
            for (size_t j = 0; j < q; j++) v[i * q + j] = vcov[(g->n_tau + in[i]) * k + g->n_tau + in[j]];
        }
        f->tests[f->n_tests++] = (rsp_mtest){t, rsp_quadratic_form(b, v, q) / (double) q, (double) q, least};
    }
}

/* to [k*k] = map v map', v the first k rows and columns of a matrix of m. */
static void as_written(const struct glmm *g, const double *map, const double *v, size_t m, size_t k, double *to) {
    double *half = RSP_ARRAY(g->f.m->arena, double, k *k + 1);
    for (size_t i = 0; i < k; i++)
        for (size_t j = 0; j < k; j++)
            for (size_t l = 0; l < k; l++) half[i * k + j] += map[i * k + l] * v[l * m + j];
    for (size_t i = 0; i < k; i++)
        for (size_t j = 0; j < k; j++) to[i * k + j] = product(half + i * k, map + j * k, k);
}

/* Estimates and errors of thresholds and coefficients as written, from the covariance [m*m] of par. df: the design's;
 * without weights NaN. */
static void describe(struct glmm *g, const double *covariance, double df) {
    rsp_mfit *f = &g->f;
    rsp_arena *a = f->m->arena;
    size_t p = f->p, k = g->n_tau + p, m = g->m;
    double *map = map_of(g), *vcov = RSP_ARRAY(a, double, k *k + 1), *as = RSP_ARRAY(a, double, k + 1);
    for (size_t i = 0; i < k; i++) as[i] = product(map + i * k, g->par, k);
    as_written(g, map, covariance, m, k, vcov);
    double *each = RSP_ARRAY(a, double, k + 1);
    for (size_t i = 0; i < k; i++) each[i] = df;
    if (!g->level_weight && !f->a->model.normal) {
        double *alone = RSP_ARRAY(a, double, k *k + 1), *mapped = RSP_ARRAY(a, double, k *k + 1);
        alone_covariance(g, k, alone);
        as_written(g, map, alone, k, k, mapped);
        count_freedom(g, mapped, k, vcov, each);
    }
    f->threshold = as;
    f->threshold_se = RSP_ARRAY(a, double, k + 1);
    f->threshold_df = g->n_tau ? each[0] : NAN;
    f->b = as + g->n_tau;
    f->se = f->threshold_se + g->n_tau;
    f->df = RSP_ARRAY(a, double, p + 1);
    for (size_t i = 0; i < k; i++) f->threshold_se[i] = sqrt(vcov[i * k + i]);
    for (size_t j = 0; j < p; j++) {
        f->df[j] = each[g->n_tau + j];
        if (g->family == RSP_GLMM_NORMAL) f->b[j] += g->shift[j];
    }
    if (g->family == RSP_GLMM_ORDINAL) f->n_thresholds = g->n_tau;
    f->theta = g->par + k;
    f->s2 = g->unit * g->unit;
    f->rest = g->family == RSP_GLMM_NORMAL ? f->s2 * exp(2 * g->par[0]) : M_PI * M_PI / 3;
    f->loglik = -g->value;
    f->n_parameters = m;
    joint_tests(g, vcov, k, each);
}

/* ---- all -------------------------------------------------------------------------------------------------------- */

static bool outcome_varies(const rsp_mmatrix *m) {
    for (size_t i = 1; i < m->n; i++)
        if (m->y[i] != m->y[0]) return true;
    return false;
}

static void estimate(struct glmm *g, rsp_diag *d) {
    rsp_arena *a = g->f.m->arena;
    size_t m = g->m = g->n_tau + g->f.p + g->random->n_theta;
    double df = NAN;
    g->par = RSP_ARRAY(a, double, m);
    g->u = RSP_ARRAY(a, double, g->random->q);
    g->gradient = RSP_ARRAY(a, double, m);
    g->hessian = RSP_ARRAY(a, double, m *m);
    start(g);
    if (g->f.status) return;
    g->x = rsp_glmm_new(g->family, g->n_tau, g->random, g->f.p, (const double *const *) g->columns, g->y, g->w,
                        g->level_weight);
    if (!maximise(g)) g->f.status |= RSP_F_NOT_CONVERGED;
    if (g->f.status) return;
    double *covariance = RSP_ARRAY(a, double, m *m);
    if (!curvature(g) || !invert(g, false, covariance, NULL, NULL)) {
        g->f.status |= RSP_F_NOT_CONVERGED;
        return;
    }
    if (g->level_weight) {
        if (!sandwich(g, covariance, &df, d)) g->f.status |= RSP_F_LONELY;
        df += 1 - (double) (g->f.p + (g->family == RSP_GLMM_ORDINAL)); /* thresholds count as one intercept */
        if (df <= 0) df = 0;
    }
    describe(g, covariance, df);
}

static const char *prepare(struct glmm *g) {
    const char *why = NULL;
    const rsp_mmatrix *m = g->f.m;
    if (!outcome_varies(m)) return "its outcome does not vary";
    g->random = RSP_NEW(m->arena, rsp_mixed);
    g->random->arena = m->arena;
    g->random->n = m->n;
    g->n_tau = g->family == RSP_GLMM_ORDINAL ? m->n_levels - 1 : g->family == RSP_GLMM_NORMAL;
    if (!rsp_mixed_effects(g->random, m, &why)) return why;
    g->f.x = g->random;
    return make_columns(g)                ? NULL
           : g->family == RSP_GLMM_NORMAL ? "its outcome does not vary beyond the predictors"
                                          : "its predictors depend on each other";
}

void rsp_fit_glmm(rsp_sample *s, const rsp_analysis *a, rsp_results *out, rsp_diag *d) {
    struct glmm g = {.s = s,
                     .f = {.a = a, .m = rsp_mmatrix_new(s, a, NULL, d), .s2 = NAN, .rest = NAN, .loglik = NAN},
                     .family = a->model.kind == RSP_MIXED_LOGISTIC_MODEL  ? RSP_GLMM_LOGISTIC
                               : a->model.kind == RSP_MIXED_ORDINAL_MODEL ? RSP_GLMM_ORDINAL
                                                                          : RSP_GLMM_NORMAL};
    if (!g.f.m) return;
    rsp_mfit_columns(&g.f, g.family == RSP_GLMM_ORDINAL);
    const char *why = g.f.m->n ? prepare(&g) : NULL;
    if (why) rsp_report(d, RSP_WARNING, a->loc, NULL, "model '%s' cannot be fitted: %s", a->id, why);
    if (!g.f.m->n || why) g.f.status |= why ? RSP_F_SINGULAR : RSP_F_EMPTY;
    else if (make_weights(&g, d)) estimate(&g, d);
    else g.f.status |= RSP_F_NOT_WEIGHTED;
    rsp_mfit_write(&g.f, out);
    rsp_mmatrix_free(g.f.m);
}
