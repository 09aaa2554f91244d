/* Linear mixed models of the study: estimate, degrees of freedom, rows.
 *
 * theta minimises the profiled deviance (REML or ML) by Newton's method with numerical derivatives, whose last steps
 * are extrapolated (Richardson), so that theta is good to eight digits. The deviance does not change when a column of
 * a triangle changes its sign, so the boundary (a variance of 0) is an inner point. Degrees of freedom after
 * Satterthwaite as in Kuznetsova, Brockhoff and Christensen (2017), or Kenward and Roger (1997). */
#include "model/mixed.h"
#include "model/fit.h"
#include "model/solve.h"
#include "weight/number.h"

#include <lapacke.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_STEPS = 60 };
/* Multiplications, some 0.2 ms: waking threads for less costs more than it saves. Numbers that points may share. */
enum { LEAST_SHARED_WORK = 200000, MOST_SHARED = 4000000 };

/* ---- derivatives ------------------------------------------------------------------------------------------------ */

/* What is differentiated by theta: determinants' part of the deviance, rss, deviance, then the covariance of the
 * orthonormal columns' coefficients over s2, its lower triangle by row. */
enum { F_LOGS, F_RSS, F_DEVIANCE, F_FIRST };

/* A point of the parameters and, unless it is NULL, what is left at it without the first variable. */
struct point {
    const double *theta, *rest;
    double log_z;
    bool ok; /* of the first variable */
};

static bool evaluate(const rsp_mixed *x, const struct point *at, rsp_mixed_at *to) {
    if (!at->rest) return rsp_mixed_evaluate(x, at->theta, to);
    if (!at->ok) return false;
    size_t size = rsp_mixed_rest(x);
    double *s = rsp_malloc(size * sizeof *s);
    memcpy(s, at->rest, size * sizeof *s);
    bool ok = rsp_mixed_finish(x, at->theta, s, at->log_z, to);
    free(s);
    return ok;
}

static bool outputs(const rsp_mixed *x, const struct point *point, size_t n_out, double *out) {
    size_t p = x->p, k = F_FIRST;
    rsp_mixed_at at = {.inverse = n_out > F_FIRST ? rsp_calloc(p * p + 1, sizeof(double)) : NULL};
    bool ok = evaluate(x, point, &at);
    out[F_LOGS] = ok ? at.log_z + (x->ml ? 0 : at.log_x) : INFINITY;
    out[F_RSS] = at.rss;
    out[F_DEVIANCE] = ok ? rsp_mixed_deviance(x, &at) : INFINITY;
    for (size_t i = 0; n_out > F_FIRST && i < p; i++)
        for (size_t j = 0; j <= i; j++) out[k++] = at.inverse[i * p + j];
    free(at.inverse);
    return ok;
}

/* Central differences with steps h: gradient [n_out][m], second derivatives of the first three [3][m*m]. */
struct derivatives {
    size_t m, n_out;
    double *at, *gradient, *second;
};

static struct derivatives new_derivatives(rsp_arena *a, size_t m, size_t n_out) {
    return (struct derivatives){m, n_out, RSP_ARRAY(a, double, n_out), RSP_ARRAY(a, double, n_out *m + 1),
                                RSP_ARRAY(a, double, 3 * m * m + 1)};
}

/* The points: centre, +-h for each element, four for each pair. */
static size_t point_count(size_t m) { return 1 + 2 * m + 2 * m * (m - 1); }

static void place_points(const double *theta, const double *h, size_t m, double *points) {
    size_t n = point_count(m), at = 1;
    for (size_t k = 0; k < n; k++) memcpy(points + k * m, theta, m * sizeof *points);
    for (size_t i = 0; i < m; i++, at += 2) points[at * m + i] += h[i], points[(at + 1) * m + i] -= h[i];
    for (size_t i = 0; i < m; i++)
        for (size_t j = 0; j < i; j++, at += 4)
            for (size_t s = 0; s < 4; s++) {
                points[(at + s) * m + i] += s & 1 ? -h[i] : h[i];
                points[(at + s) * m + j] += s & 2 ? -h[j] : h[j];
            }
}

/* Points whose elements of the first variable are the same: the number of each one's kind, and the first point of each
 * kind. Returns how many kinds there are. */
static size_t same_first(const rsp_mixed *x, const double *points, size_t n, size_t *kind, size_t *first) {
    size_t m = x->n_theta, kinds = 0;
    const rsp_mgroup *g = &x->groups[0];
    for (size_t k = 0; k < n; k++) {
        for (kind[k] = 0; kind[k] < kinds; kind[k]++)
            if (!memcmp(points + k * m + g->theta, points + first[kind[k]] * m + g->theta, g->n_theta * sizeof *points))
                break;
        if (kind[k] == kinds) first[kinds++] = k;
    }
    return kinds;
}

/* Takes the first variable, which most multiplications are for, out once for all points that share its elements. Returns
 * the room that points look into; NULL: each does it for itself, as none share, or too much would have to be kept. */
static double *eliminate_once(const rsp_mixed *x, const double *points, size_t n, struct point *at) {
    size_t *kind = rsp_malloc(2 * n * sizeof *kind), *first = kind + n, kinds = same_first(x, points, n, kind, first);
    size_t size = rsp_mixed_rest(x);
    double *rest = NULL;
    if (kinds < n && kinds * size <= MOST_SHARED) {
        rest = rsp_malloc(kinds * size * sizeof *rest);
#pragma omp parallel for schedule(dynamic, 1) if ((double) kinds * x->work > LEAST_SHARED_WORK)
        for (size_t k = 0; k < kinds; k++) {
            struct point *to = &at[first[k]];
            to->ok = rsp_mixed_eliminate(x, to->theta, rest + k * size, &to->log_z);
        }
        for (size_t k = 0; k < n; k++) {
            const struct point *of = &at[first[kind[k]]];
            at[k] = (struct point){at[k].theta, rest + kind[k] * size, of->log_z, of->ok};
        }
    }
    free(kind);
    return rest;
}

static bool differentiate(const rsp_mixed *x, const double *theta, const double *h, struct derivatives *d) {
    size_t m = d->m, n = point_count(m), q = d->n_out, at = 1;
    double *points = rsp_malloc((n * m + 1) * sizeof *points), *v = rsp_malloc(n * q * sizeof *v);
    struct point *point = rsp_calloc(n, sizeof *point);
    bool ok = true;
    place_points(theta, h, m, points);
    for (size_t k = 0; k < n; k++) point[k].theta = points + k * m;
    double *rest = eliminate_once(x, points, n, point), work = x->work_rest + (rest ? 0 : x->work);
#pragma omp parallel for schedule(dynamic, 1) reduction(&& : ok) if ((double) n * work > LEAST_SHARED_WORK)
    for (size_t k = 0; k < n; k++) ok = outputs(x, &point[k], q, v + k * q) && ok;
    free(point);
    free(rest);
    memcpy(d->at, v, q * sizeof *v);
    for (size_t i = 0; i < m; i++, at += 2) {
        for (size_t k = 0; k < q; k++) d->gradient[k * m + i] = (v[at * q + k] - v[(at + 1) * q + k]) / (2 * h[i]);
        for (size_t k = 0; k < 3; k++)
            d->second[(k * m + i) * m + i] = (v[at * q + k] - 2 * v[k] + v[(at + 1) * q + k]) / (h[i] * h[i]);
    }
    for (size_t i = 0; i < m; i++)
        for (size_t j = 0; j < i; j++, at += 4)
            for (size_t k = 0; k < 3; k++) {
                const double *w = v + at * q + k;
                d->second[(k * m + i) * m + j] = d->second[(k * m + j) * m + i] =
                    (w[0] - w[q] - w[2 * q] + w[3 * q]) / (4 * h[i] * h[j]);
            }
    free(points);
    free(v);
    return ok;
}

static void step_sizes(const double *theta, size_t m, double share, double *h) {
    for (size_t i = 0; i < m; i++) h[i] = share * fmax(fabs(theta[i]), 0.1);
}

/* With steps h and h/2, extrapolated to errors of order h^4. */
static bool differentiate_well(const rsp_mixed *x, const double *theta, struct derivatives *d, rsp_arena *a) {
    struct derivatives wide = new_derivatives(a, d->m, d->n_out);
    double *h = RSP_ARRAY(a, double, d->m + 1);
    step_sizes(theta, d->m, 0.02, h);
    bool ok = differentiate(x, theta, h, &wide);
    for (size_t i = 0; i < d->m; i++) h[i] /= 2;
    ok = differentiate(x, theta, h, d) && ok;
    for (size_t k = 0; k < d->n_out * d->m; k++) d->gradient[k] += (d->gradient[k] - wide.gradient[k]) / 3;
    for (size_t k = 0; k < 3 * d->m * d->m; k++) d->second[k] += (d->second[k] - wide.second[k]) / 3;
    return ok;
}

/* ---- estimate --------------------------------------------------------------------------------------------------- */

/* Eigenvectors (columns, by column) of a symmetric matrix, in place. */
static bool eigen(double *matrix, size_t m, double *value) {
    return !m || LAPACKE_dsyev(LAPACK_COL_MAJOR, 'V', 'L', (lapack_int) m, matrix, (lapack_int) m, value) == 0;
}

/* Downhill whatever the curvature: Newton's step with the curvatures' absolute values. Returns the fall it promises. */
static double descent(const struct derivatives *d, double *step, rsp_arena *a) {
    size_t m = d->m;
    double *v = RSP_ARRAY(a, double, m *m + 1), *value = RSP_ARRAY(a, double, m + 1), most = 0, fall = 0;
    const double *g = d->gradient + F_DEVIANCE * m;
    memcpy(v, d->second + F_DEVIANCE * m * m, m * m * sizeof *v);
    if (!eigen(v, m, value)) return NAN;
    for (size_t k = 0; k < m; k++) most = fmax(most, fabs(value[k]));
    memset(step, 0, m * sizeof *step);
    for (size_t k = 0; k < m; k++) {
        double along = 0, curvature = fmax(fabs(value[k]), 1e-7 * most + 1e-12);
        for (size_t i = 0; i < m; i++) along += v[k * m + i] * g[i];
        /* A ridge, as where a variance is 0 though the data want one: its slope is 0, so step off to either side. */
        if (value[k] < -1e-3 && fabs(along) < 0.3 * curvature) along = along < 0 ? -0.3 * curvature : 0.3 * curvature;
        for (size_t i = 0; i < m; i++) step[i] -= v[k * m + i] * along / curvature;
        fall += along * along / curvature / 2;
    }
    return fall;
}

/* No element may move by more than its own size or 1, and none from 1 to 0, a ridge or the end. */
static void limit_step(const double *theta, double *step, size_t m) {
    double factor = 1;
    for (size_t i = 0; i < m; i++) factor = fmin(factor, 0.7 * fmax(1, fabs(theta[i])) / fmax(fabs(step[i]), 1e-300));
    for (size_t i = 0; i < m; i++) step[i] *= factor;
}

static bool move(const rsp_mixed *x, double *theta, const double *step, double *deviance) {
    size_t m = x->n_theta;
    double *trial = rsp_malloc((m + 1) * sizeof *trial), out[F_FIRST], length = 1;
    bool moved = false;
    for (int k = 0; k < 40 && !moved; k++, length /= 2) {
        for (size_t i = 0; i < m; i++) trial[i] = theta[i] + length * step[i];
        if (!outputs(x, &(struct point){.theta = trial}, F_FIRST, out) || !(out[F_DEVIANCE] < *deviance)) continue;
        moved = true;
        *deviance = out[F_DEVIANCE];
        memcpy(theta, trial, m * sizeof *theta);
    }
    free(trial);
    return moved;
}

static bool search(const rsp_mixed *x, double *theta, rsp_arena *a) {
    size_t m = x->n_theta;
    struct derivatives d = new_derivatives(a, m, F_FIRST);
    double *step = RSP_ARRAY(a, double, m + 1), *h = RSP_ARRAY(a, double, m + 1);
    for (int k = 0; k < MOST_STEPS; k++) {
        step_sizes(theta, m, 2e-3, h);
        if (!differentiate(x, theta, h, &d)) return false;
        double fall = descent(&d, step, a), deviance = d.at[F_DEVIANCE];
        if (isnan(fall)) return false;
        limit_step(theta, step, m);
        if (fall < 1e-8) return true;
        if (!move(x, theta, step, &deviance)) return fall < 1e-5;
    }
    return false;
}

/* The last digits: plain Newton steps with good derivatives, where curvature is up in all directions. */
static bool polish(const rsp_mixed *x, double *theta, struct derivatives *d, rsp_arena *a) {
    size_t m = x->n_theta;
    double *step = RSP_ARRAY(a, double, m + 1);
    for (int k = 0; k < 3; k++) {
        if (!differentiate_well(x, theta, d, a)) return false;
        double fall = descent(d, step, a), most = 0;
        for (size_t i = 0; i < m; i++) most = fmax(most, fabs(step[i]) / fmax(fabs(theta[i]), 0.1));
        if (most < 1e-9 || k == 2) return fall < 1e-5;
        if (fall > 1e-4) return false;
        for (size_t i = 0; i < m; i++) theta[i] += most < 0.02 ? step[i] : 0.02 / most * step[i];
    }
    return true;
}

static void start(const rsp_mixed *x, double *theta) {
    for (size_t g = 0; g < x->n_groups; g++)
        for (size_t k = 0; k < x->groups[g].n_theta; k++)
            theta[x->groups[g].theta + k] = x->groups[g].row[k] == x->groups[g].column[k] ? 1 : 0;
}

/* ---- degrees of freedom ----------------------------------------------------------------------------------------- */

/* Twice the inverse of the deviance's second derivatives by theta and s, as a sum over its eigenvectors; directions that
 * are not curved upwards are left out. */
struct satterthwaite {
    const rsp_mixed *x;
    const struct derivatives *d;
    double s2, *vector, *value; /* [k*k] one a row, [k]; k = theta's elements and s */
};

static bool curvature(struct satterthwaite *w, rsp_arena *a) {
    const struct derivatives *d = w->d;
    size_t m = d->m, k = m + 1;
    double n = (double) (w->x->ml ? w->x->n : w->x->n - w->x->p), rss = d->at[F_RSS], s2 = w->s2 = rss / n,
           s = sqrt(s2);
    double *h = w->vector = RSP_ARRAY(a, double, k *k);
    w->value = RSP_ARRAY(a, double, k);
    for (size_t i = 0; i < m; i++) {
        for (size_t j = 0; j < m; j++)
            h[i * k + j] = d->second[(F_LOGS * m + i) * m + j] + d->second[(F_RSS * m + i) * m + j] / s2;
        h[i * k + m] = h[m * k + i] = -2 * d->gradient[F_RSS * m + i] / (s2 * s);
    }
    h[m * k + m] = -2 * n / s2 + 6 * rss / (s2 * s2);
    return eigen(h, k, w->value);
}

/* 2 f^2 / (g' A g), f the variance of the contrast c (of orthonormal columns) as a function of theta and s, g its
 * gradient. 0: none. */
static double contrast_df(const struct satterthwaite *w, const double *c) {
    const struct derivatives *d = w->d;
    size_t m = d->m, k = m + 1, p = w->x->p;
    double *g = rsp_calloc(k, sizeof *g), v = 0, sum = 0;
    for (size_t i = 0, at = F_FIRST; i < p; i++)
        for (size_t j = 0; j <= i; j++, at++) {
            double weight = (i == j ? 1 : 2) * c[i] * c[j];
            v += weight * d->at[at];
            for (size_t l = 0; weight != 0 && l < m; l++) g[l] += w->s2 * weight * d->gradient[at * m + l];
        }
    g[m] = 2 * sqrt(w->s2) * v;
    for (size_t e = 0; e < k; e++) {
        double along = 0;
        for (size_t i = 0; i < k; i++) along += w->vector[e * k + i] * g[i];
        if (w->value[e] > 1e-8) sum += 2 * along * along / w->value[e];
    }
    free(g);
    return sum > 0 ? 2 * w->s2 * v * w->s2 * v / sum : 0;
}

/* ---- coefficients and tests ------------------------------------------------------------------------------------- */

/* The fit at its optimum: covariance [p*p] of the orthonormal columns' coefficients over s2, `adjusted` after Kenward
 * and Roger. */
struct optimum {
    rsp_mfit *f;
    struct satterthwaite w;
    rsp_roger *roger;
    double *covariance, *adjusted;
    bool ok;
};

static double form(const double *a, const double *v, const double *b, size_t p) {
    double sum = 0;
    for (size_t i = 0; i < p; i++)
        for (size_t j = 0; j < p; j++) sum += a[i] * v[i * p + j] * b[j];
    return sum;
}

static void coefficients(struct optimum *o, const double *gamma) {
    rsp_mfit *f = o->f;
    const rsp_mixed *x = f->x;
    size_t p = f->p;
    for (size_t j = 0; j < p; j++) {
        const double *c = x->basis + j * p;
        double scale = 1;
        f->b[j] = x->shift[j];
        for (size_t l = 0; l <= j; l++) f->b[j] += x->unit * c[l] * gamma[l];
        f->se[j] = sqrt(f->s2 * form(c, o->adjusted, c, p));
        f->df[j] = 0;
        if (o->roger) rsp_roger_test(o->roger, 1, c, &f->df[j], &scale);
        else if (o->ok && !f->a->model.kenward_roger) f->df[j] = contrast_df(&o->w, c);
    }
}

/* Fai and Cornelius's (1996) degrees of freedom: the tests of orthogonal contrasts, each with its own, make an F. */
static void joint_satterthwaite(const struct optimum *o, const size_t *in, size_t q, rsp_mtest *t) {
    const rsp_mfit *f = o->f;
    size_t p = f->p;
    double *v = rsp_calloc(q * q, sizeof *v), *value = rsp_calloc(q, sizeof *value), *c = rsp_calloc(p, sizeof *c),
           sum = 0, e = 0;
    bool ok = o->ok;
    for (size_t i = 0; i < q; i++)
        for (size_t j = 0; j < q; j++)
            v[i * q + j] = f->s2 * form(f->x->basis + in[i] * p, o->covariance, f->x->basis + in[j] * p, p);
    ok = ok && eigen(v, q, value) && value[0] > 1e-12 * value[q - 1];
    double first = 0, low = INFINITY, high = 0;
    for (size_t k = 0; ok && k < q; k++) {
        double b = 0;
        memset(c, 0, p * sizeof *c);
        for (size_t i = 0; i < q; i++) {
            b += v[k * q + i] * f->b[in[i]];
            for (size_t l = 0; l < p; l++) c[l] += v[k * q + i] * f->x->basis[in[i] * p + l];
        }
        double df = contrast_df(&o->w, c);
        sum += b * b / value[k];
        e += df / (df - 2);
        if (k == 0) first = df;
        low = fmin(low, df);
        high = fmax(high, df);
    }
    double q_ = (double) q;
    *t = (rsp_mtest){t->term, ok ? sum / q_ : NAN, q_, low > 2 ? 2 * e / (e - q_) : 2};
    if (high - low < 1e-8 * high) t->df = first; /* all alike: no rounding of e - q */
    free(v), free(value), free(c);
}

static void joint_roger(const struct optimum *o, const size_t *in, size_t q, rsp_mtest *t) {
    const rsp_mfit *f = o->f;
    size_t p = f->p;
    double *c = rsp_calloc(q * p, sizeof *c), *v = rsp_calloc(q * q, sizeof *v), *b = rsp_calloc(q, sizeof *b), df = 0,
           scale = 1;
    for (size_t i = 0; i < q; i++) {
        memcpy(c + i * p, f->x->basis + in[i] * p, p * sizeof *c);
        b[i] = f->b[in[i]];
    }
    for (size_t i = 0; i < q; i++)
        for (size_t j = 0; j < q; j++) v[i * q + j] = f->s2 * form(c + i * p, o->adjusted, c + j * p, p);
    if (o->roger) rsp_roger_test(o->roger, q, c, &df, &scale);
    *t = (rsp_mtest){t->term, scale * rsp_quadratic_form(b, v, q) / (double) q, (double) q, df};
    free(c), free(v), free(b);
}

static void joint_tests(const struct optimum *o) {
    rsp_mfit *f = o->f;
    size_t *in = RSP_ARRAY(f->m->arena, size_t, f->p + 1);
    f->tests = RSP_ARRAY(f->m->arena, rsp_mtest, f->m->n_terms + 1);
    for (size_t t = 0; t < f->m->n_terms; t++) {
        size_t q = f->m->term_joint[t] ? rsp_mfit_term(f, t, in) : 0;
        if (!q) continue;
        rsp_mtest *test = &f->tests[f->n_tests++];
        test->term = t;
        if (f->a->model.kenward_roger) joint_roger(o, in, q, test);
        else joint_satterthwaite(o, in, q, test);
    }
}

/* Estimate, error and degrees of freedom of the coefficients as written. */
static void describe(rsp_mfit *f, const struct derivatives *d) {
    const rsp_mixed *x = f->x;
    size_t p = f->p;
    rsp_arena *a = f->m->arena;
    rsp_mixed_at at = {.gamma = RSP_ARRAY(a, double, p + 1), .inverse = RSP_ARRAY(a, double, p *p + 1)};
    if (!rsp_mixed_evaluate(x, f->theta, &at)) {
        f->status |= RSP_F_NOT_CONVERGED;
        return;
    }
    f->s2 = at.rss / (double) (x->ml ? x->n : x->n - p) * x->unit * x->unit;
    f->rest = f->s2;
    f->loglik = -rsp_mixed_deviance(x, &at) / 2;
    f->n_parameters = p + x->n_theta + 1;
    struct optimum o = {.f = f, .w = {.x = x, .d = d}, .covariance = at.inverse, .adjusted = at.inverse};
    if (f->a->model.kenward_roger) {
        o.adjusted = RSP_ARRAY(a, double, p *p + 1);
        o.roger = rsp_kenward_roger(x, f->theta, at.inverse, o.adjusted);
        if (!o.roger) o.adjusted = at.inverse;
    } else {
        o.ok = curvature(&o.w, a);
    }
    coefficients(&o, at.gamma);
    joint_tests(&o);
    rsp_roger_free(o.roger);
}

/* ---- all -------------------------------------------------------------------------------------------------------- */

static void estimate(rsp_mfit *f) {
    rsp_arena *a = f->m->arena;
    struct derivatives d = new_derivatives(a, f->x->n_theta, F_FIRST + f->p * (f->p + 1) / 2);
    f->theta = RSP_ARRAY(a, double, f->x->n_theta + 1);
    f->b = RSP_ARRAY(a, double, f->p + 1);
    f->se = RSP_ARRAY(a, double, f->p + 1);
    f->df = RSP_ARRAY(a, double, f->p + 1);
    start(f->x, f->theta);
    if (search(f->x, f->theta, a) && polish(f->x, f->theta, &d, a)) describe(f, &d);
    else f->status |= RSP_F_NOT_CONVERGED;
}

/* Where the matrix makes no mixed model, the status says so, and a report why (d NULL: none). n: observations; the
 * matrix may stand for more rows than it has. What f->x is, for the caller to free. */
static rsp_mixed *fit_matrix(rsp_mfit *f, size_t n, rsp_diag *d) {
    const char *why = NULL;
    rsp_mfit_columns(f, false);
    rsp_mixed *x = f->m->n ? rsp_mixed_new(f->m, f->p, f->column, &f->least, f->a->model.ml, &why) : NULL;
    f->x = x;
    if (x) x->n = n;
    if (x && f->a->model.kenward_roger && x->q > RSP_KENWARD_ROGER_MOST) {
        rsp_report(d, RSP_ERR_STUDY, f->a->loc, "use df: satterthwaite",
                   "model '%s' has %zu random effects, too many for Kenward and Roger's method", f->a->id, x->q);
        f->status |= RSP_F_NO_DF;
    } else if (x) {
        estimate(f);
    } else {
        f->status |= f->m->n ? RSP_F_SINGULAR : RSP_F_EMPTY;
        if (why && d) rsp_report(d, RSP_WARNING, f->a->loc, NULL, "model '%s' cannot be fitted: %s", f->a->id, why);
    }
    return x;
}

void rsp_fit_mixed(rsp_sample *s, const rsp_analysis *a, rsp_results *out, rsp_diag *d) {
    rsp_mfit f = {.a = a, .m = rsp_mmatrix_new(s, a, NULL, d), .s2 = NAN, .rest = NAN, .loglik = NAN};
    if (!f.m) return;
    rsp_mixed *x = fit_matrix(&f, f.m->n, d);
    rsp_mfit_write(&f, out);
    rsp_mixed_free(x);
    rsp_mmatrix_free(f.m);
}

/* ---- single coefficients ---------------------------------------------------------------------------------------- */

/* Rows of a group, listed in order, become the triangle of their QR decomposition, from row `at` of `to` on: at most as
 * many rows as columns. */
static void triangle_of(const rsp_mmatrix *m, size_t n, const uint32_t *rows, const rsp_mmatrix *to, size_t at) {
    size_t k = m->k + 1, left = n < k ? n : k, work = 32 * k;
    double *a = rsp_malloc((n * k + k + work + 1) * sizeof *a), *tau = a + n * k;
    for (size_t j = 0; j < k; j++)
        for (size_t i = 0; i < n; i++) a[j * n + i] = j < m->k ? m->columns[j].x[rows[i]] : m->y[rows[i]];
    LAPACKE_dgeqrf_work(LAPACK_COL_MAJOR, (lapack_int) n, (lapack_int) k, a, (lapack_int) n, tau, tau + k,
                        (lapack_int) work);
    for (size_t j = 0; j < k; j++)
        for (size_t i = 0; i < left; i++) (j < m->k ? to->columns[j].x : to->y)[at + i] = i <= j ? a[j * n + i] : 0;
    free(a);
}

/* The same model of far fewer rows, where all groups are of one variable: likelihoods know of rows only their sums of
 * products within groups. The random part is left to the caller; its groups stand in *group. */
static rsp_mmatrix *compress(const rsp_mmatrix *m, rsp_arena *a, int32_t **group) {
    const rsp_mrandom *r = &m->random[0];
    rsp_mmatrix *to = RSP_NEW(a, rsp_mmatrix);
    size_t most = r->n_groups * (m->k + 1), *at = RSP_ARRAY(a, size_t, r->n_groups + 1);
    uint32_t *start = RSP_ARRAY(a, uint32_t, r->n_groups + 1), *order = RSP_ARRAY(a, uint32_t, m->n + 1);
    if (most > m->n) most = m->n;
    *to = (rsp_mmatrix){.k = m->k, .n_terms = m->n_terms, .arena = a};
    to->columns = RSP_ARRAY(a, rsp_mcolumn, m->k + 1);
    to->y = RSP_ARRAY(a, double, most + 1);
    *group = RSP_ARRAY(a, int32_t, most + 1);
    for (size_t j = 0; j < m->k; j++) {
        to->columns[j] = m->columns[j];
        to->columns[j].x = RSP_ARRAY(a, double, most + 1);
    }
    rsp_order_by(r->group, r->n_groups, m->n, order, start);
    for (size_t g = 0; g < r->n_groups; g++) {
        size_t rows = start[g + 1] - start[g], left = rows < m->k + 1 ? rows : m->k + 1;
        at[g] = to->n;
        for (size_t i = 0; i < left; i++) (*group)[to->n++] = (int32_t) g;
    }
#pragma omp parallel for schedule(dynamic, 1) if (m->n > RSP_BLOCK)
    for (size_t g = 0; g < r->n_groups; g++) triangle_of(m, start[g + 1] - start[g], order + start[g], to, at[g]);
    return to;
}

/* Coefficients of the model with the effects [d] varying between groups, each by itself. */
static void fit_terms(const rsp_analysis *a, const rsp_mmatrix *m, size_t n_rows, size_t d, rsp_mcolumn *effects,
                      const rsp_mrandom *groups, size_t n, const char *const *terms, rsp_mixed_term *out,
                      rsp_diag *diag) {
    rsp_mmatrix with = *m;
    rsp_mrandom part = *groups;
    part.d = d;
    part.columns = effects;
    part.correlated = false;
    with.n_random = 1;
    with.random = &part;
    with.n_terms = 0; /* no joint tests */
    rsp_mfit f = {.a = a, .m = &with, .s2 = NAN, .rest = NAN, .loglik = NAN};
    rsp_mixed *x = fit_matrix(&f, n_rows, diag);
    double *c = rsp_calloc(d * d + 1, sizeof *c);
    if (!f.status) rsp_mfit_covariance(&f, 0, c);
    for (size_t j = 0, at = 0; j < with.k; at += !f.flags[j], j++)
        for (size_t k = 0; k < n; k++) {
            if (strcmp(with.columns[j].name, terms[k]) != 0) continue;
            out[k] = (rsp_mixed_term){NAN, NAN, NAN, NAN, f.flags[j] | f.status};
            if (out[k].flags) continue;
            out[k] = (rsp_mixed_term){f.b[at], f.se[at], f.df[at], NAN, 0};
            for (size_t e = 0; e < d; e++)
                if (strcmp(effects[e].name, terms[k]) == 0) out[k].slope_variance = c[e * d + e];
        }
    free(c);
    rsp_mixed_free(x);
}

void rsp_fit_mixed_terms(rsp_sample *s, const rsp_analysis *a, bool slopes, size_t n, const char *const *terms,
                         rsp_mixed_term *out, rsp_diag *d) {
    rsp_mmatrix *m = rsp_mmatrix_new(s, a, NULL, d);
    for (size_t k = 0; k < n; k++) out[k] = (rsp_mixed_term){NAN, NAN, NAN, NAN, RSP_F_EMPTY};
    if (!m) return;
    rsp_mrandom groups = m->random[0];
    rsp_mmatrix *few = compress(m, m->arena, &groups.group);
    rsp_mcolumn effects[2] = {few->columns[0]}; /* the intercept stands first */
    fit_terms(a, few, m->n, 1, effects, &groups, n, terms, out, d);
    for (size_t k = 0; slopes && k < n; k++) {
        rsp_mixed_term with = {.flags = RSP_F_EMPTY};
        for (size_t j = 0; j < few->k; j++)
            if (strcmp(few->columns[j].name, terms[k]) == 0) effects[1] = few->columns[j];
        if (!out[k].flags) fit_terms(a, few, m->n, 2, effects, &groups, 1, &terms[k], &with, NULL);
        if (!out[k].flags && !with.flags) out[k] = with;
    }
    rsp_mmatrix_free(m);
}
