/* Logistic regression with Firth's penalty (Firth 1993; Heinze and Schemper 2002): the log-likelihood plus half the
 * logarithm of the information's determinant. Estimates exist under separation and are less biased in small samples. */
#include "model/firth.h"

#include <lapacke.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static double logistic(double x) { return x >= 0 ? 1 / (1 + exp(-x)) : exp(x) / (1 + exp(x)); }

static double log_determinant(const double *matrix, size_t p) {
    double *l = rsp_malloc((p * p + 1) * sizeof *l), sum = 0;
    memcpy(l, matrix, p * p * sizeof *l);
    if (LAPACKE_dpotrf(LAPACK_ROW_MAJOR, 'L', (lapack_int) p, l, (lapack_int) p) != 0) sum = NAN;
    for (size_t j = 0; j < p && !isnan(sum); j++) sum += 2 * log(l[j * p + j]);
    free(l);
    return sum;
}

/* What a row adds to the score: x times (y - pi) + pi (1 - pi) x' I^-1 x (1/2 - pi), per unit of weight. */
static double row_factor(const rsp_regression_data *data, const double *par, const double *inverse, size_t i) {
    size_t p = data->k;
    double eta = 0, leverage = 0;
    for (size_t j = 0; j < p; j++) eta += par[j] * data->x[j][i];
    for (size_t j = 0; j < p; j++) {
        double s = 0;
        for (size_t l = 0; l < j; l++) s += inverse[j * p + l] * data->x[l][i];
        leverage += data->x[j][i] * (2 * s + inverse[j * p + j] * data->x[j][i]);
    }
    double pi = logistic(eta);
    return data->y[i] - pi + pi * (1 - pi) * leverage * (0.5 - pi);
}

static void penalised_gradient(const rsp_regression_data *data, const double *par, const double *w,
                               const double *inverse, double *gradient) {
    size_t p = data->k, n_blocks = (data->n + RSP_BLOCK - 1) / RSP_BLOCK;
    double *sums = rsp_calloc(n_blocks * p + 1, sizeof *sums);
#pragma omp parallel for schedule(dynamic, 1) if (n_blocks > 1)
    for (size_t b = 0; b < n_blocks; b++)
        for (size_t i = b * RSP_BLOCK; i < data->n && i < (b + 1) * RSP_BLOCK; i++) {
            if (w[i] == 0) continue;
            double factor = w[i] * row_factor(data, par, inverse, i);
            for (size_t j = 0; j < p; j++) sums[b * p + j] += factor * data->x[j][i];
        }
    memset(gradient, 0, p * sizeof *gradient);
    for (size_t b = 0; b < n_blocks; b++)
        for (size_t j = 0; j < p; j++) gradient[j] += sums[b * p + j];
    free(sums);
}

bool rsp_firth_evaluate(const rsp_likelihood *l, const double *par, const double *w, double *loglik, double *gradient,
                        double *information) {
    size_t p = l->p;
    if (!rsp_logistic_evaluate(l, par, w, loglik, gradient, information)) return false;
    double *inverse = rsp_malloc((p * p + 1) * sizeof *inverse);
    memcpy(inverse, information, p * p * sizeof *inverse);
    bool ok = rsp_invert_spd(inverse, p);
    if (ok) {
        *loglik += log_determinant(information, p) / 2;
        penalised_gradient(l->data, par, w, inverse, gradient);
    }
    free(inverse);
    return ok && isfinite(*loglik);
}

void rsp_firth_scores(const rsp_regression_data *data, const double *par, const double *inverse, double *score) {
#pragma omp parallel for schedule(static) if (data->n > RSP_BLOCK)
    for (size_t i = 0; i < data->n; i++) {
        double factor = row_factor(data, par, inverse, i);
        for (size_t j = 0; j < data->k; j++) score[i * data->k + j] = factor * data->x[j][i];
    }
}

/* ---- profiles --------------------------------------------------------------------------------------------------- */

/* The penalised likelihood of all coefficients but one, which is held fixed. */
struct profile {
    const rsp_likelihood *full;
    size_t fixed;
    double value;
};

static bool evaluate_profile(const rsp_likelihood *l, const double *par, const double *w, double *loglik,
                             double *gradient, double *information) {
    const struct profile *f = l->data;
    size_t p = f->full->p, at = f->fixed;
    double *room = rsp_malloc((p * p + 2 * p) * sizeof *room), *all = room, *g = room + p, *info = g + p;
    for (size_t j = 0; j < p; j++) all[j] = j == at ? f->value : par[j - (j > at)];
    bool ok = rsp_firth_evaluate(f->full, all, w, loglik, g, info);
    for (size_t i = 0; ok && i < p; i++) {
        if (i == at) continue;
        gradient[i - (i > at)] = g[i];
        for (size_t j = 0; j < p; j++)
            if (j != at) information[(i - (i > at)) * (p - 1) + j - (j > at)] = info[i * p + j];
    }
    free(room);
    return ok;
}

struct search {
    struct profile profile;
    rsp_likelihood l;
    const double *w;
    double *start, *room; /* [p-1] the others' estimates; where Newton's method works */
    bool *separated;
    double most; /* the penalised likelihood's maximum */
};

/* Twice the fall of the profile at a value of the coefficient; NaN where the others do not converge. */
static double fall(struct search *s, double value) {
    rsp_newton_fit n = {.par = s->room, .information_inverse = s->room + s->l.p, .separated = s->separated};
    s->profile.value = value;
    memcpy(s->room, s->start, s->l.p * sizeof *s->room);
    if (s->l.p) {
        rsp_newton(&s->l, s->w, &n);
        if (n.status != RSP_FIT_OK) return NAN;
    } else {
        double gradient, information;
        if (!rsp_firth_evaluate(s->profile.full, &value, s->w, &n.loglik, &gradient, &information)) return NAN;
    }
    return 2 * (s->most - n.loglik);
}

/* Where the fall reaches `level`, from the estimate in steps of doubled length, then by regula falsi (Illinois). */
static double limit(struct search *s, double estimate, double step, double level) {
    double near = estimate, far = estimate + step, below = -level, above = fall(s, far) - level;
    for (int k = 0; above < 0 && k < 30; k++) {
        near = far, below = above;
        far += step *= 2;
        above = fall(s, far) - level;
    }
    if (!(above >= 0)) return NAN;
    for (int k = 0, last = 0; k < 60 && fabs(far - near) > 1e-9 * (1 + fabs(far)); k++) {
        double x = far - above * (far - near) / (above - below), y = fall(s, x) - level;
        if (isnan(y)) return NAN;
        if (fabs(y) < 1e-9) return x;
        if (y > 0) {
            far = x, above = y;
            if (last == 1) below /= 2;
            last = 1;
        } else {
            near = x, below = y;
            if (last == -1) above /= 2;
            last = -1;
        }
    }
    return (near + far) / 2;
}

void rsp_firth_profile(const rsp_likelihood *l, const double *w, const double *par, const double *se, double loglik,
                       size_t j, double *lower, double *upper, double *p_value) {
    size_t p = l->p;
    struct search s = {.profile = {.full = l, .fixed = j}, .w = w, .most = loglik};
    s.l = (rsp_likelihood){.p = p - 1, .data = &s.profile, .evaluate = evaluate_profile};
    s.start = rsp_malloc((2 * p + p * p) * sizeof *s.start);
    s.room = s.start + p;
    s.separated = rsp_calloc(p, sizeof *s.separated);
    for (size_t i = 0; i < p; i++)
        if (i != j) s.start[i - (i > j)] = par[i];
    double level = 3.841458820694124; /* of chi-square with one degree of freedom, 95 % */
    *lower = limit(&s, par[j], -1.5 * se[j], level);
    *upper = limit(&s, par[j], 1.5 * se[j], level);
    double x = fall(&s, 0);
    *p_value = isnan(x) ? NAN : rsp_chisq_upper(fmax(x, 0), 1);
    free(s.start), free(s.separated);
}
