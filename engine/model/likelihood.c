#include "model/likelihood.h"

#include <gsl/gsl_sf_psi.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Sums over rows are made in fixed blocks, one partial sum of (loglik, gradient, information) each, added in order:
 * the same digits for any number of threads. */
typedef void (*block_fn)(const rsp_regression_data *data, const double *par, const double *w, size_t from, size_t to,
                         double *sums);

static bool sum_blocks(const rsp_likelihood *l, const double *par, const double *w, block_fn block, double *loglik,
                       double *gradient, double *information) {
    const rsp_regression_data *data = l->data;
    size_t p = l->p, size = 1 + p + p * p, n_blocks = (data->n + RSP_BLOCK - 1) / RSP_BLOCK;
    double *sums = rsp_calloc(n_blocks * size, sizeof *sums);
#pragma omp parallel for schedule(dynamic, 1) if (n_blocks > 1)
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

static void logistic_block(const rsp_regression_data *data, const double *par, const double *w, size_t from, size_t to,
                           double *sums) {
    size_t p = data->k;
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

bool rsp_logistic_evaluate(const rsp_likelihood *l, const double *par, const double *w, double *loglik,
                           double *gradient, double *information) {
    return sum_blocks(l, par, w, logistic_block, loglik, gradient, information);
}

void rsp_logistic_scores(const rsp_regression_data *data, const double *par, double *score) {
#pragma omp parallel for schedule(static) if (data->n > RSP_BLOCK)
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

static void ordinal_block(const rsp_regression_data *data, const double *par, const double *w, size_t from, size_t to,
                          double *sums) {
    size_t t = data->n_thresholds, k = data->k, p = t + k;
    double *gradient = sums + 1, *information = sums + 1 + p;
    for (size_t i = from; i < to; i++) {
        if (w[i] == 0) continue;
        size_t y = (size_t) data->y[i];
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
            double x = w[i] * data->x[j][i];
            double *row = information + (t + j) * p;
            gradient[t + j] += de * x;
            if (y < t) row[y] += (c.daa + c.dab) * x;
            if (y > 0) row[y - 1] += (c.dbb + c.dab) * x;
            for (size_t m = 0; m <= j; m++) row[t + m] -= dee * x * data->x[m][i];
        }
    }
}

bool rsp_ordinal_evaluate(const rsp_likelihood *l, const double *par, const double *w, double *loglik, double *gradient,
                          double *information) {
    const rsp_regression_data *data = l->data;
    for (size_t j = 1; j < data->n_thresholds; j++)
        if (!(par[j] > par[j - 1])) return false;
    return sum_blocks(l, par, w, ordinal_block, loglik, gradient, information);
}

void rsp_ordinal_scores(const rsp_regression_data *data, const double *par, double *score) {
    size_t t = data->n_thresholds, p = t + data->k;
#pragma omp parallel for schedule(static) if (data->n > RSP_BLOCK)
    for (size_t i = 0; i < data->n; i++) {
        size_t y = (size_t) data->y[i];
        struct cell c = cell_of_row(data, par, i);
        double *s = score + i * p;
        memset(s, 0, p * sizeof *s);
        if (y < t) s[y] += c.da;
        if (y > 0) s[y - 1] += c.db;
        for (size_t j = 0; j < data->k; j++) s[t + j] = -(c.da + c.db) * data->x[j][i];
    }
}

/* ---- multinomial ------------------------------------------------------------------------------------------------ */

/* Probabilities of the categories after the first; returns the log-probability of category y. */
static double multinomial_shares(const rsp_regression_data *data, const double *par, size_t i, double *share) {
    size_t e = data->n_equations, y = (size_t) data->y[i];
    double most = 0, sum = 0, own = 0;
    for (size_t b = 0; b < e; b++) {
        share[b] = linear_predictor(data, par + b * data->k, i);
        if (share[b] > most) most = share[b];
        if (y == b + 1) own = share[b];
    }
    sum = exp(-most);
    for (size_t b = 0; b < e; b++) sum += share[b] = exp(share[b] - most);
    for (size_t b = 0; b < e; b++) share[b] /= sum;
    return own - most - log(sum);
}

static void multinomial_block(const rsp_regression_data *data, const double *par, const double *w, size_t from,
                              size_t to, double *sums) {
    size_t k = data->k, e = data->n_equations, p = k * e;
    double *gradient = sums + 1, *information = sums + 1 + p, *share = rsp_malloc((e + k + 1) * sizeof *share),
           *row = share + e;
    for (size_t i = from; i < to; i++) {
        if (w[i] == 0) continue;
        sums[0] += w[i] * multinomial_shares(data, par, i, share);
        for (size_t j = 0; j < k; j++) row[j] = data->x[j][i];
        for (size_t b = 0; b < e; b++) {
            double residual = w[i] * ((double) (data->y[i] == (double) (b + 1)) - share[b]);
            for (size_t j = 0; j < k; j++) gradient[b * k + j] += residual * row[j];
            for (size_t c = 0; c <= b; c++) {
                double v = w[i] * ((b == c ? share[b] : 0) - share[b] * share[c]);
                for (size_t j = 0; j < k; j++) {
                    double *at = information + (b * k + j) * p + c * k, vx = v * row[j];
                    for (size_t m = 0; m < (b == c ? j + 1 : k); m++) at[m] += vx * row[m];
                }
            }
        }
    }
    free(share);
}

bool rsp_multinomial_evaluate(const rsp_likelihood *l, const double *par, const double *w, double *loglik,
                              double *gradient, double *information) {
    return sum_blocks(l, par, w, multinomial_block, loglik, gradient, information);
}

void rsp_multinomial_scores(const rsp_regression_data *data, const double *par, double *score) {
    size_t k = data->k, e = data->n_equations;
#pragma omp parallel if (data->n > RSP_BLOCK)
    {
        double *share = rsp_malloc((e + 1) * sizeof *share);
#pragma omp for schedule(static)
        for (size_t i = 0; i < data->n; i++) {
            multinomial_shares(data, par, i, share);
            for (size_t b = 0; b < e; b++)
                for (size_t j = 0; j < k; j++)
                    score[(i * e + b) * k + j] = ((double) (data->y[i] == (double) (b + 1)) - share[b]) * data->x[j][i];
        }
        free(share);
    }
}

/* ---- counts ----------------------------------------------------------------------------------------------------- */

/* What one row adds: log-likelihood, its derivative by the linear predictor, minus the second derivative. */
struct count_row {
    double loglik, first, second;
};

typedef struct count_row (*count_fn)(const rsp_regression_data *data, double y, double eta);

static void count_block(const rsp_regression_data *data, const double *par, const double *w, size_t from, size_t to,
                        double *sums, count_fn f) {
    size_t p = data->k;
    double *gradient = sums + 1, *information = sums + 1 + p, *row = rsp_malloc((p ? p : 1) * sizeof *row);
    for (size_t i = from; i < to; i++) {
        if (w[i] == 0) continue;
        struct count_row c = f(data, data->y[i], linear_predictor(data, par, i));
        sums[0] += w[i] * c.loglik;
        for (size_t j = 0; j < p; j++) row[j] = data->x[j][i];
        for (size_t j = 0; j < p; j++) {
            gradient[j] += w[i] * c.first * row[j];
            double vx = w[i] * c.second * row[j];
            for (size_t m = 0; m <= j; m++) information[j * p + m] += vx * row[m];
        }
    }
    free(row);
}

static struct count_row poisson_row(const rsp_regression_data *data, double y, double eta) {
    (void) data;
    double mu = exp(eta);
    return (struct count_row){y * eta - mu - lgamma(y + 1), y - mu, mu};
}

static void poisson_block(const rsp_regression_data *data, const double *par, const double *w, size_t from, size_t to,
                          double *sums) {
    count_block(data, par, w, from, to, sums, poisson_row);
}

bool rsp_poisson_evaluate(const rsp_likelihood *l, const double *par, const double *w, double *loglik, double *gradient,
                          double *information) {
    return sum_blocks(l, par, w, poisson_block, loglik, gradient, information);
}

static void count_scores(const rsp_regression_data *data, const double *par, count_fn f, size_t stride, double *score) {
#pragma omp parallel for schedule(static) if (data->n > RSP_BLOCK)
    for (size_t i = 0; i < data->n; i++) {
        double first = f(data, data->y[i], linear_predictor(data, par, i)).first;
        for (size_t j = 0; j < data->k; j++) score[i * stride + j] = first * data->x[j][i];
    }
}

void rsp_poisson_scores(const rsp_regression_data *data, const double *par, double *score) {
    count_scores(data, par, poisson_row, data->k, score);
}

/* Sums over 0 <= j < y of log(1 + j/theta), 1/(theta + j) and 1/(theta + j)^2: what gamma functions of y + theta and
 * theta leave, without their cancellation where theta is large. Long sums go through the gamma functions. */
enum { LONGEST_SUM = 200 };

struct rising {
    double logs, inverse, square;
};

static struct rising rising_sums(double y, double theta) {
    struct rising s = {0, 0, 0};
    if (y > LONGEST_SUM) {
        s.logs = lgamma(y + theta) - lgamma(theta) - y * log(theta);
        s.inverse = gsl_sf_psi(y + theta) - gsl_sf_psi(theta);
        s.square = gsl_sf_psi_1(theta) - gsl_sf_psi_1(y + theta);
        return s;
    }
    for (int j = 0; j < (int) y; j++) {
        double inverse = 1 / (theta + j);
        s.logs += log1p(j / theta);
        s.inverse += inverse;
        s.square += inverse * inverse;
    }
    return s;
}

static struct count_row negative_binomial_row(const rsp_regression_data *data, double y, double eta) {
    double t = data->theta, mu = exp(eta), v = mu + t;
    return (struct count_row){rising_sums(y, t).logs - lgamma(y + 1) + y * eta - (y + t) * log1p(mu / t),
                              (y - mu) * t / v, mu * t * (y + t) / (v * v)};
}

static void negative_binomial_block(const rsp_regression_data *data, const double *par, const double *w, size_t from,
                                    size_t to, double *sums) {
    count_block(data, par, w, from, to, sums, negative_binomial_row);
}

bool rsp_negative_binomial_evaluate(const rsp_likelihood *l, const double *par, const double *w, double *loglik,
                                    double *gradient, double *information) {
    return sum_blocks(l, par, w, negative_binomial_block, loglik, gradient, information);
}

/* First derivative of a row's log-likelihood by theta, minus the second, minus the mixed one with the predictor. */
static void theta_row(const rsp_regression_data *data, const double *par, size_t i, double out[3]) {
    double t = data->theta, y = data->y[i], mu = exp(linear_predictor(data, par, i)), v = mu + t;
    struct rising s = rising_sums(y, t);
    out[0] = s.inverse - log1p(mu / t) + (mu - y) / v;
    out[1] = s.square - mu / (t * v) + (mu - y) / (v * v);
    out[2] = -(y - mu) * mu / (v * v);
}

void rsp_negative_binomial_scores(const rsp_regression_data *data, const double *par, double *score) {
    size_t p = data->k + 1;
    count_scores(data, par, negative_binomial_row, p, score);
#pragma omp parallel for schedule(static) if (data->n > RSP_BLOCK)
    for (size_t i = 0; i < data->n; i++) {
        double t[3];
        theta_row(data, par, i, t);
        score[i * p + p - 1] = t[0];
    }
}

/* Sums: observed (k+1)^2, then expected k^2. */
static void information_block(const rsp_regression_data *data, const double *par, const double *w, size_t from,
                              size_t to, double *sums) {
    size_t k = data->k, p = k + 1;
    double *expected = sums + p * p;
    for (size_t i = from; i < to; i++) {
        if (w[i] == 0) continue;
        double eta = linear_predictor(data, par, i), mu = exp(eta), t[3];
        double observed = w[i] * negative_binomial_row(data, data->y[i], eta).second,
               fisher = w[i] * mu * data->theta / (mu + data->theta);
        theta_row(data, par, i, t);
        sums[k * p + k] += w[i] * t[1];
        for (size_t j = 0; j < k; j++) {
            double x = data->x[j][i];
            sums[k * p + j] += w[i] * t[2] * x;
            for (size_t m = 0; m <= j; m++) {
                sums[j * p + m] += observed * x * data->x[m][i];
                expected[j * k + m] += fisher * x * data->x[m][i];
            }
        }
    }
}

void rsp_negative_binomial_information(const rsp_regression_data *data, const double *par, const double *w,
                                       double *observed, double *expected) {
    size_t k = data->k, p = k + 1, size = p * p + k * k, n_blocks = (data->n + RSP_BLOCK - 1) / RSP_BLOCK;
    double *sums = rsp_calloc(n_blocks * size + 1, sizeof *sums);
#pragma omp parallel for schedule(dynamic, 1) if (n_blocks > 1)
    for (size_t b = 0; b < n_blocks; b++) {
        size_t from = b * RSP_BLOCK, to = from + RSP_BLOCK < data->n ? from + RSP_BLOCK : data->n;
        information_block(data, par, w, from, to, sums + b * size);
    }
    for (size_t b = 1; b < n_blocks; b++)
        for (size_t j = 0; j < size; j++) sums[j] += sums[b * size + j];
    for (size_t j = 0; j < p; j++)
        for (size_t m = 0; m <= j; m++) observed[j * p + m] = observed[m * p + j] = sums[j * p + m];
    for (size_t j = 0; j < k; j++)
        for (size_t m = 0; m <= j; m++) expected[j * k + m] = expected[m * k + j] = sums[p * p + j * k + m];
    free(sums);
}

void rsp_negative_binomial_theta(const rsp_regression_data *data, const double *par, const double *w, double *first,
                                 double *second) {
    size_t n_blocks = (data->n + RSP_BLOCK - 1) / RSP_BLOCK;
    double *sums = rsp_calloc(2 * n_blocks + 1, sizeof *sums), t = data->theta;
#pragma omp parallel for schedule(dynamic, 1) if (n_blocks > 1)
    for (size_t b = 0; b < n_blocks; b++)
        for (size_t i = b * RSP_BLOCK; i < data->n && i < (b + 1) * RSP_BLOCK; i++) {
            double row[3];
            if (w[i] == 0) continue;
            theta_row(data, par, i, row);
            sums[2 * b] += w[i] * t * row[0]; /* by log(theta): chain rule */
            sums[2 * b + 1] += w[i] * (t * row[0] - t * t * row[1]);
        }
    *first = *second = 0;
    for (size_t b = 0; b < n_blocks; b++) *first += sums[2 * b], *second += sums[2 * b + 1];
    free(sums);
}
