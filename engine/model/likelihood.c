#include "model/likelihood.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Sums over rows are made in fixed blocks, one partial sum of (loglik, gradient, information) each, added in order:
 * the same digits for any number of threads. */
typedef void (*block_fn)(const rsp_regression_data *data, const double *par, const double *w, size_t from, size_t to, double *sums);

static bool sum_blocks(const rsp_likelihood *l, const double *par, const double *w, block_fn block, double *loglik,
                       double *gradient, double *information) {
    const rsp_regression_data *data = l->data;
    size_t  p = l->p, size = 1 + p + p * p, n_blocks = (data->n + RSP_BLOCK - 1) / RSP_BLOCK;
    double *sums = rsp_calloc(n_blocks * size, sizeof *sums);
#pragma omp parallel for schedule(dynamic, 1)
    for (size_t b = 0; b < n_blocks; b++) {
        size_t from = b * RSP_BLOCK, to = from + RSP_BLOCK < data->n ? from + RSP_BLOCK : data->n;
        block(data, par, w, from, to, sums + b * size);
    }
    double *total = rsp_calloc(size, sizeof *total);
    for (size_t b = 0; b < n_blocks; b++)
        for (size_t j = 0; j < size; j++) total[j] += sums[b * size + j];
    *loglik = total[0];
    memcpy(gradient, total + 1, p * sizeof *gradient);
    for (size_t i = 0; i < p; i++)
        for (size_t j = 0; j <= i; j++) information[i * p + j] = information[j * p + i] = total[1 + p + i * p + j];
    free(sums);
    free(total);
    return isfinite(*loglik);
}

static double linear_predictor(const rsp_regression_data *data, const double *beta, size_t i) {
    double eta = 0;
    for (size_t j = 0; j < data->k; j++) eta += beta[j] * data->x[j][i];
    return eta;
}

static double logistic(double x) { return x >= 0 ? 1 / (1 + exp(-x)) : exp(x) / (1 + exp(x)); }

/* ---- logistic --------------------------------------------------------------------------------------------------- */

static void logistic_block(const rsp_regression_data *data, const double *par, const double *w, size_t from, size_t to, double *sums) {
    size_t  p = data->k;
    double *gradient = sums + 1, *information = sums + 1 + p, *row = rsp_malloc((p ? p : 1) * sizeof *row);
    for (size_t i = from; i < to; i++) {
        if (w[i] == 0) continue;
        double eta = linear_predictor(data, par, i), mu = logistic(eta);
        /* log(1 + exp(eta)) without overflow */
        sums[0] += w[i] * (data->y[i] * eta - (eta > 0 ? eta + log1p(exp(-eta)) : log1p(exp(eta))));
        double residual = w[i] * (data->y[i] - mu), v = w[i] * mu * (1 - mu);
        for (size_t j = 0; j < p; j++) row[j] = data->x[j][i];
        for (size_t j = 0; j < p; j++) {
            gradient[j] += residual * row[j];
            double vx = v * row[j];
            for (size_t m = 0; m <= j; m++) information[j * p + m] += vx * row[m];
        }
    }
    free(row);
}

bool rsp_logistic_evaluate(const rsp_likelihood *l, const double *par, const double *w, double *loglik, double *gradient, double *information) {
    return sum_blocks(l, par, w, logistic_block, loglik, gradient, information);
}

void rsp_logistic_scores(const rsp_regression_data *data, const double *par, double *score) {
#pragma omp parallel for schedule(static)
    for (size_t i = 0; i < data->n; i++) {
        double residual = data->y[i] - logistic(linear_predictor(data, par, i));
        for (size_t j = 0; j < data->k; j++) score[i * data->k + j] = residual * data->x[j][i];
    }
}

/* ---- ordinal ---------------------------------------------------------------------------------------------------- */

/* Derivatives of log(F(a) - F(b)) where a and b are the category's upper and lower threshold minus the predictor;
 * an outermost category has a = +inf or b = -inf, with zero derivatives. */
struct cell {
    double logp, da, db, daa, dbb, dab;
};

static struct cell ordinal_cell(double a, double b) {
    double Fa = isinf(a) ? 1 : logistic(a), Fb = isinf(b) ? 0 : logistic(b);
    double fa = isinf(a) ? 0 : Fa * (1 - Fa), fb = isinf(b) ? 0 : Fb * (1 - Fb);
    /* F(a) - F(b) loses digits where both are near 1: there the upper tails are subtracted. */
    double p = isinf(a) ? logistic(-b) : isinf(b) ? Fa : b > 0 ? logistic(-b) - logistic(-a) : Fa - Fb;
    double ra = fa / p, rb = fb / p;
    return (struct cell){log(p), ra, -rb, ra * (1 - 2 * Fa) - ra * ra, -rb * (1 - 2 * Fb) - rb * rb, ra * rb};
}

static struct cell cell_of_row(const rsp_regression_data *data, const double *par, size_t i) {
    size_t t = data->n_thresholds, y = (size_t) data->y[i];
    double eta = linear_predictor(data, par + t, i);
    return ordinal_cell(y < t ? par[y] - eta : INFINITY, y > 0 ? par[y - 1] - eta : -INFINITY);
}

static void ordinal_block(const rsp_regression_data *data, const double *par, const double *w, size_t from, size_t to, double *sums) {
    size_t  t = data->n_thresholds, k = data->k, p = t + k;
    double *gradient = sums + 1, *information = sums + 1 + p;
    for (size_t i = from; i < to; i++) {
        if (w[i] == 0) continue;
        size_t      y = (size_t) data->y[i];
        struct cell c = cell_of_row(data, par, i);
        sums[0] += w[i] * c.logp;
        double de = -(c.da + c.db), dee = c.daa + c.dbb + 2 * c.dab; /* with respect to the predictor */
        if (y < t) {
            gradient[y] += w[i] * c.da;
            information[y * p + y] -= w[i] * c.daa;
        }
        if (y > 0) {
            gradient[y - 1] += w[i] * c.db;
            information[(y - 1) * p + y - 1] -= w[i] * c.dbb;
        }
        if (y > 0 && y < t) information[y * p + y - 1] -= w[i] * c.dab;
        for (size_t j = 0; j < k; j++) {
            double  x = w[i] * data->x[j][i];
            double *row = information + (t + j) * p;
            gradient[t + j] += de * x;
            if (y < t) row[y] += (c.daa + c.dab) * x;
            if (y > 0) row[y - 1] += (c.dbb + c.dab) * x;
            for (size_t m = 0; m <= j; m++) row[t + m] -= dee * x * data->x[m][i];
        }
    }
}

bool rsp_ordinal_evaluate(const rsp_likelihood *l, const double *par, const double *w, double *loglik, double *gradient, double *information) {
    const rsp_regression_data *data = l->data;
    for (size_t j = 1; j < data->n_thresholds; j++)
        if (!(par[j] > par[j - 1])) return false;
    return sum_blocks(l, par, w, ordinal_block, loglik, gradient, information);
}

void rsp_ordinal_scores(const rsp_regression_data *data, const double *par, double *score) {
    size_t t = data->n_thresholds, p = t + data->k;
#pragma omp parallel for schedule(static)
    for (size_t i = 0; i < data->n; i++) {
        size_t      y = (size_t) data->y[i];
        struct cell c = cell_of_row(data, par, i);
        double     *s = score + i * p;
        memset(s, 0, p * sizeof *s);
        if (y < t) s[y] += c.da;
        if (y > 0) s[y - 1] += c.db;
        for (size_t j = 0; j < data->k; j++) s[t + j] = -(c.da + c.db) * data->x[j][i];
    }
}
