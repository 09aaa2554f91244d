#include "model/likelihood.h"

#include "base/vector.h"

#include <cblas.h>
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

/* Rows with a weight, gathered by column, so that products are a matter of dense matrices. */
enum { STACK = 128 };

struct stack {
    size_t n, k;
    size_t row[STACK];
    double *x, *vx;    /* [k*STACK] */
    double eta[STACK]; /* linear predictors */
    double u[STACK];   /* what a row's columns count with in the gradient */
    double v[STACK];   /* and in the information */
};

static struct stack stack_new(size_t k) {
    return (struct stack){.k = k, .x = rsp_malloc((2 * k * STACK + 1) * sizeof(double))};
}

/* The next rows of *from .. to; false when there are none. */
static bool stack_next(struct stack *s, const rsp_regression_data *data, const double *w, size_t *from, size_t to) {
    s->vx = s->x + s->k * STACK;
    s->n = 0;
    for (; *from < to && s->n < STACK; ++*from)
        if (w[*from] != 0) s->row[s->n++] = *from;
    for (size_t j = 0; j < s->k; j++)
        for (size_t i = 0; i < s->n; i++) s->x[j * STACK + i] = data->x[j][s->row[i]];
    return s->n > 0;
}

RSP_WIDE
static void stack_predict(struct stack *s, const double *beta) {
    for (size_t i = 0; i < s->n; i++) s->eta[i] = 0;
    for (size_t j = 0; j < s->k; j++)
        for (size_t i = 0; i < s->n; i++) s->eta[i] += beta[j] * s->x[j * STACK + i];
}

/* gradient [k] += sum of u x. */
static void stack_gradient(const struct stack *s, double *gradient) {
    cblas_dgemv(CblasRowMajor, CblasNoTrans, (int) s->k, (int) s->n, 1, s->x, STACK, s->u, 1, 1, gradient, 1);
}

RSP_WIDE
static void scale_columns(struct stack *s) {
    for (size_t j = 0; j < s->k; j++)
        for (size_t i = 0; i < s->n; i++) s->vx[j * STACK + i] = s->v[i] * s->x[j * STACK + i];
}

/* information [k rows of length p] += sum of v x x', both triangles. */
static void stack_information(struct stack *s, double *information, size_t p) {
    int n = (int) s->n, k = (int) s->k;
    scale_columns(s);
    cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasTrans, k, k, n, 1, s->vx, STACK, s->x, STACK, 1, information,
                (int) p);
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
    struct stack s = stack_new(p);
    while (stack_next(&s, data, w, &from, to)) {
        stack_predict(&s, par);
        for (size_t i = 0; i < s.n; i++) {
            double eta = s.eta[i], weight = w[s.row[i]], y = data->y[s.row[i]], small = exp(-fabs(eta));
            double mu = eta >= 0 ? 1 / (1 + small) : small / (1 + small);
            sums[0] += weight * (y * eta - (eta > 0 ? eta : 0) - log1p(small)); /* log(1 + exp(eta)) without overflow */
            s.u[i] = weight * (y - mu);
            s.v[i] = weight * mu * (1 - mu);
        }
        stack_gradient(&s, sums + 1);
        stack_information(&s, sums + 1 + p, p);
    }
    free(s.x);
}

bool rsp_logistic_evaluate(const rsp_likelihood *l, const double *par, const double *w, double *loglik,
                           double *gradient, double *information) {
    return sum_blocks(l, par, w, logistic_block, loglik, gradient, information);
}

void rsp_logistic_residuals(const rsp_regression_data *data, const double *par, double *residual) {
#pragma omp parallel for schedule(static) if (data->n > RSP_BLOCK)
    for (size_t i = 0; i < data->n; i++) residual[i] = data->y[i] - logistic(linear_predictor(data, par, i));
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

static struct cell cell_of_row(const rsp_regression_data *data, const double *par, double eta, size_t y) {
    size_t t = data->n_thresholds;
    return ordinal_cell(y < t ? par[y] - eta : INFINITY, y > 0 ? par[y - 1] - eta : -INFINITY);
}

/* Thresholds [p] by columns: sums of `by` [t*STACK] times x. */
static void thresholds_by_columns(const struct stack *s, const double *by, size_t t, double *information, size_t p) {
    cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasTrans, (int) s->k, (int) t, (int) s->n, 1, s->x, STACK, by, STACK, 1,
                information, (int) p);
}

static void ordinal_block(const rsp_regression_data *data, const double *par, const double *w, size_t from, size_t to,
                          double *sums) {
    size_t t = data->n_thresholds, k = data->k, p = t + k;
    double *gradient = sums + 1, *information = sums + 1 + p, *by = rsp_malloc((t * STACK + 1) * sizeof *by);
    struct stack s = stack_new(k);
    while (stack_next(&s, data, w, &from, to)) {
        stack_predict(&s, par + t);
        memset(by, 0, t * STACK * sizeof *by);
        for (size_t i = 0; i < s.n; i++) {
            size_t y = (size_t) data->y[s.row[i]];
            double weight = w[s.row[i]];
            struct cell c = cell_of_row(data, par, s.eta[i], y);
            sums[0] += weight * c.logp;
            s.u[i] = -weight * (c.da + c.db); /* with respect to the predictor */
            s.v[i] = -weight * (c.daa + c.dbb + 2 * c.dab);
            if (y < t) {
                gradient[y] += weight * c.da;
                information[y * p + y] -= weight * c.daa;
                by[y * STACK + i] = weight * (c.daa + c.dab);
            }
            if (y > 0) {
                gradient[y - 1] += weight * c.db;
                information[(y - 1) * p + y - 1] -= weight * c.dbb;
                by[(y - 1) * STACK + i] = weight * (c.dbb + c.dab);
            }
            if (y > 0 && y < t) information[y * p + y - 1] -= weight * c.dab;
        }
        stack_gradient(&s, gradient + t);
        thresholds_by_columns(&s, by, t, information + t * p, p);
        stack_information(&s, information + t * p + t, p);
    }
    free(by);
    free(s.x);
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
        struct cell c = cell_of_row(data, par, linear_predictor(data, par + t, i), y);
        double *s = score + i * p;
        memset(s, 0, p * sizeof *s);
        if (y < t) s[y] += c.da;
        if (y > 0) s[y - 1] += c.db;
        for (size_t j = 0; j < data->k; j++) s[t + j] = -(c.da + c.db) * data->x[j][i];
    }
}

/* ---- multinomial ------------------------------------------------------------------------------------------------ */

/* Turns the predictors [e] of the categories after the first into probabilities; returns the log-probability of y. */
static double multinomial_shares(size_t e, size_t y, double *share) {
    double most = 0, sum, own = y ? share[y - 1] : 0;
    for (size_t b = 0; b < e; b++) most = fmax(most, share[b]);
    sum = exp(-most);
    for (size_t b = 0; b < e; b++) sum += share[b] = exp(share[b] - most);
    for (size_t b = 0; b < e; b++) share[b] /= sum;
    return own - most - log(sum);
}

/* share [e*STACK]: predictors, then probabilities. */
static double stack_shares(struct stack *s, const rsp_regression_data *data, const double *par, const double *w,
                           double *share, double *one) {
    size_t e = data->n_equations;
    double loglik = 0;
    for (size_t b = 0; b < e; b++) {
        stack_predict(s, par + b * data->k);
        memcpy(share + b * STACK, s->eta, s->n * sizeof *share);
    }
    for (size_t i = 0; i < s->n; i++) {
        for (size_t b = 0; b < e; b++) one[b] = share[b * STACK + i];
        loglik += w[s->row[i]] * multinomial_shares(e, (size_t) data->y[s->row[i]], one);
        for (size_t b = 0; b < e; b++) share[b * STACK + i] = one[b];
    }
    return loglik;
}

static void multinomial_block(const rsp_regression_data *data, const double *par, const double *w, size_t from,
                              size_t to, double *sums) {
    size_t k = data->k, e = data->n_equations, p = k * e;
    double *gradient = sums + 1, *information = sums + 1 + p,
           *share = rsp_malloc((e * (STACK + 1) + 1) * sizeof *share);
    struct stack s = stack_new(k);
    while (stack_next(&s, data, w, &from, to)) {
        sums[0] += stack_shares(&s, data, par, w, share, share + e * STACK);
        for (size_t b = 0; b < e; b++) {
            const double *of = share + b * STACK;
            for (size_t i = 0; i < s.n; i++)
                s.u[i] = w[s.row[i]] * ((double) (data->y[s.row[i]] == (double) (b + 1)) - of[i]);
            stack_gradient(&s, gradient + b * k);
            for (size_t c = 0; c <= b; c++) {
                for (size_t i = 0; i < s.n; i++)
                    s.v[i] = w[s.row[i]] * ((b == c ? of[i] : 0) - of[i] * share[c * STACK + i]);
                stack_information(&s, information + b * k * p + c * k, p);
            }
        }
    }
    free(share);
    free(s.x);
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
            for (size_t b = 0; b < e; b++) share[b] = linear_predictor(data, par + b * k, i);
            multinomial_shares(e, (size_t) data->y[i], share);
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
    struct stack s = stack_new(p);
    while (stack_next(&s, data, w, &from, to)) {
        stack_predict(&s, par);
        for (size_t i = 0; i < s.n; i++) {
            double weight = w[s.row[i]];
            struct count_row c = f(data, data->y[s.row[i]], s.eta[i]);
            sums[0] += weight * c.loglik;
            s.u[i] = weight * c.first;
            s.v[i] = weight * c.second;
        }
        stack_gradient(&s, sums + 1);
        stack_information(&s, sums + 1 + p, p);
    }
    free(s.x);
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
