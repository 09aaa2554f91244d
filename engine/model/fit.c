/* Regressions of the study: model matrix, estimate, design-based variance, joint tests, rows of the results table.
 *
 * Weighted models solve the weighted estimating equations (pseudo-likelihood, Binder 1983); their variance is the
 * sandwich with the design's variance of the scores in the middle, or that of replicates refitted from the full
 * sample's estimate. Without weights the model's own errors stand: classical for linear, inverse observed information
 * for the others (negative binomial coefficients: expected information, which does not depend on theta's error; Lawless
 * 1987). Aliased, separated and empty columns are rows with a flag and no numbers. */
#include "model/fit.h"

#include "base/ranks.h"
#include "model/few.h"
#include "model/firth.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

rsp_active rsp_active_columns(const rsp_regression *f) {
    rsp_active a = {.column = RSP_ARRAY(f->arena, size_t, f->m->k + 1),
                    .x = RSP_ARRAY(f->arena, const double *, f->m->k + 1)};
    for (size_t j = 0; j < f->m->k; j++) {
        if (f->flags[f->n_thresholds + j]) continue;
        a.column[a.k] = j;
        a.x[a.k++] = f->m->columns[j].x;
    }
    return a;
}

size_t rsp_parameter_at(const rsp_regression *f, size_t equation, size_t column) {
    return f->n_thresholds + equation * f->m->k + column;
}

size_t rsp_active_parameters(const rsp_regression *f, const rsp_active *a) {
    return f->n_thresholds + f->n_equations * a->k;
}

size_t rsp_parameter_of(const rsp_regression *f, const rsp_active *a, size_t j) {
    if (j < f->n_thresholds) return j;
    if (j == rsp_active_parameters(f, a)) return f->p - 1; /* theta */
    j -= f->n_thresholds;
    return rsp_parameter_at(f, j / a->k, a->column[j % a->k]);
}

void rsp_spread(const rsp_regression *f, const rsp_active *a, const double *from, size_t q, double *to) {
    for (size_t i = 0; i < q; i++)
        for (size_t j = 0; j < q; j++)
            to[rsp_parameter_of(f, a, i) * f->p + rsp_parameter_of(f, a, j)] = from[i * q + j];
}

/* ---- columns that cannot be estimated --------------------------------------------------------------------------- */

static bool all_zero(const rsp_mcolumn *c, size_t n) {
    for (size_t i = 0; i < n; i++)
        if (c->x[i] != 0) return false;
    return true;
}

static void flag_column(rsp_regression *f, size_t column, uint32_t flag) {
    for (size_t e = 0; e < f->n_equations; e++) f->flags[rsp_parameter_at(f, e, column)] = flag;
}

static void flag_columns(rsp_regression *f) {
    const rsp_mmatrix *m = f->m;
    bool ordinal = f->a->model.kind == RSP_ORDINAL_MODEL;
    const double **x = RSP_ARRAY(f->arena, const double *, m->k + 1);
    size_t *column = RSP_ARRAY(f->arena, size_t, m->k + 1), k = 0;
    if (ordinal) { /* the thresholds hold a constant */
        double *one = RSP_ARRAY(f->arena, double, m->n);
        for (size_t i = 0; i < m->n; i++) one[i] = 1;
        column[k] = RSP_NONE;
        x[k++] = one;
    }
    bool *zero = RSP_ARRAY(f->arena, bool, m->k + 1);
#pragma omp parallel for schedule(dynamic, 1) num_threads(rsp_threads()) if (m->n > RSP_BLOCK)
    for (size_t j = 0; j < m->k; j++) zero[j] = all_zero(&m->columns[j], m->n);
    for (size_t j = 0; j < m->k; j++) {
        if (zero[j]) {
            flag_column(f, j, m->columns[j].unanswered ? RSP_F_UNANSWERED : RSP_F_EMPTY);
            continue;
        }
        column[k] = j;
        x[k++] = m->columns[j].x;
    }
    bool linear = f->a->model.kind == RSP_LINEAR_MODEL;
    rsp_least_squares *fit = RSP_NEW(f->arena, rsp_least_squares);
    rsp_least_squares_fit(m->n, k, x, m->w, linear ? m->y : NULL, f->arena, fit);
    for (size_t j = 0; j < k; j++)
        if (fit->aliased[j] && column[j] != RSP_NONE) flag_column(f, column[j], RSP_F_SINGULAR);
    if (linear && fit->rank == k) f->least_squares = fit;
}

/* ---- variance --------------------------------------------------------------------------------------------------- */

/* Scores of the rows: by row [n*q], or, of a linear or logistic model, their residuals times their columns. */
struct scores {
    size_t q;
    const double *score, *residual;
    const double *const *x;
};

static void fill_scores(const void *context, const uint32_t *place, size_t n, size_t stride, double *z) {
    const struct scores *s = context;
    for (size_t r = 0; r < n; r++) {
        size_t i = place[r];
        if (s->score) memcpy(z + r * stride, s->score + i * s->q, s->q * sizeof *z);
        for (size_t j = 0; !s->score && j < s->q; j++) z[r * stride + j] = s->residual[i] * s->x[j][i];
    }
}

/* Of every row of the model on the parameters but theta: inverse [q*q] times its scores. */
static void keep_influence(rsp_regression *f, const double *inverse, const struct scores *of) {
    size_t n = f->m->n, q = of->q, kept = f->has_theta && isfinite(f->theta) ? q - 1 : q;
    double *one = rsp_malloc((q + 1) * sizeof *one);
    f->influence = RSP_ARRAY(f->arena, double, n *kept + 1);
    for (size_t i = 0; i < n; i++) {
        uint32_t place = (uint32_t) i;
        fill_scores(of, &place, 1, q, one);
        for (size_t j = 0; j < kept; j++)
            for (size_t l = 0; l < q; l++) f->influence[i * kept + j] += inverse[j * q + l] * one[l];
    }
    free(one);
}

/* The design's variance of the scores between two inverses [q*q]. */
static bool linearised(rsp_regression *f, const double *inverse, const struct scores *of, double *vcov, rsp_diag *d) {
    size_t q = of->q;
    uint32_t *row = rsp_malloc((f->m->n + 1) * sizeof *row);
    double *room = rsp_calloc(2 * q * q + 1, sizeof *room), *middle = room, *half = room + q * q;
    for (size_t i = 0; i < f->m->n; i++) row[i] = (uint32_t) f->m->row[i];
    if (f->keep) keep_influence(f, inverse, of);
    bool ok = rsp_taylor_fill(f->s, NULL, f->m->n, row, q, fill_scores, of, middle, d);
    for (size_t i = 0; i < q; i++)
        for (size_t j = 0; j < q; j++)
            for (size_t l = 0; l < q; l++) half[i * q + j] += inverse[i * q + l] * middle[l * q + j];
    for (size_t i = 0; i < q; i++)
        for (size_t j = 0; j <= i; j++) {
            double sum = 0;
            for (size_t l = 0; l < q; l++) sum += half[i * q + l] * inverse[j * q + l];
            vcov[i * q + j] = vcov[j * q + i] = sum;
        }
    free(row);
    free(room);
    return ok;
}

/* ---- replicates ------------------------------------------------------------------------------------------------- */

static bool refit_likelihood(const rsp_regression *f, const rsp_active *a, double *w, const double *start,
                             double *theta);

static void refit_all(const rsp_regression *f, const rsp_active *a, const rsp_replicates *r, const double *full,
                      size_t q, double *theta) {
    rsp_part part = rsp_ranks_part(rsp_replicates_count(r), 1);
#pragma omp parallel
    {
        double *all = rsp_malloc(f->s->n * sizeof *all), *w = rsp_malloc((f->m->n ? f->m->n : 1) * sizeof *w);
#pragma omp for schedule(dynamic, 1)
        for (size_t k = part.from; k < part.to; k++) {
            rsp_replicate_weights(r, k, all);
            for (size_t i = 0; i < f->m->n; i++) w[i] = all[f->m->row[i]];
            if (!refit_likelihood(f, a, w, full, theta + k * q))
                for (size_t j = 0; j < q; j++) theta[k * q + j] = NAN;
        }
        free(all);
        free(w);
    }
    rsp_ranks_gather(&part, theta, q * sizeof *theta);
}

static bool replicated(rsp_regression *f, const rsp_active *a, const double *full, size_t q, double *vcov,
                       rsp_diag *d) {
    const rsp_replicates *r = rsp_replicates_get((rsp_sample *) f->s, &f->a->variance, f->a->loc, d);
    if (!r) return false;
    size_t R = rsp_replicates_count(r), failed = 0;
    double *theta = rsp_malloc((R * q + 1) * sizeof *theta);
    if (f->a->model.kind == RSP_LINEAR_MODEL) rsp_linear_replicates(f, a, r, full, theta);
    else refit_all(f, a, r, full, q, theta);
    rsp_replicate_variance(r, theta, full, q, vcov, &failed);
    if (failed) f->status |= RSP_F_REPLICATES_FAILED;
    if (f->keep) {
        f->replicate_values = RSP_ARRAY(f->arena, double, R *q + 1);
        memcpy(f->replicate_values, theta, R * q * sizeof *theta);
    }
    free(theta);
    return true;
}

/* ---- few clusters ----------------------------------------------------------------------------------------------- */

static void few_clusters(rsp_regression *f, const rsp_active *a, const rsp_few_model *of, const double *beta,
                         double *vcov, rsp_diag *d) {
    size_t k = a->k;
    rsp_few *x = rsp_few_new(f, a, of);
    double *contrast = RSP_ARRAY(f->arena, double, k + 1);
    f->few = x;
    f->dfs = RSP_ARRAY(f->arena, double, f->p + 1);
    if (f->a->model.errors == RSP_ERRORS_CR2) {
        if (!rsp_few_cr2(x, vcov, d)) f->status |= RSP_F_NO_DF;
        for (size_t j = 0; j < k && !(f->status & RSP_F_NO_DF); j++) {
            contrast[j] = 1;
            f->dfs[rsp_parameter_of(f, a, j)] = rsp_few_df(x, contrast);
            contrast[j] = 0;
        }
        return;
    }
    if (x->n_clusters < 2 || f->m->n <= k) {
        f->status |= RSP_F_NO_DF;
        return;
    }
    rsp_few_wild wild = {RSP_ARRAY(f->arena, double, k + 1), RSP_ARRAY(f->arena, double, k + 1),
                         RSP_ARRAY(f->arena, double, k + 1)};
    rsp_few_bootstrap(x, f->m->y, beta, f->a->model.draws, f->a->variance.seed, vcov, &wild);
    f->lower = RSP_ARRAY(f->arena, double, f->p + 1);
    f->upper = RSP_ARRAY(f->arena, double, f->p + 1);
    f->p_value = RSP_ARRAY(f->arena, double, f->p + 1);
    for (size_t j = 0; j < k; j++) {
        size_t at = rsp_parameter_of(f, a, j);
        f->dfs[at] = NAN; /* the reference distribution is the bootstrap's */
        f->lower[at] = wild.lower[j];
        f->upper[at] = wild.upper[j];
        f->p_value[at] = wild.p[j];
    }
}

/* ---- linear ----------------------------------------------------------------------------------------------------- */

/* Weighted sum of (y - mean)^power, block by block, in order. */
static long double outcome_sum(const rsp_mmatrix *m, long double mean, int power) {
    size_t blocks = (m->n + RSP_BLOCK - 1) / RSP_BLOCK;
    long double *sums = rsp_calloc(blocks + 1, sizeof *sums), total = 0;
#pragma omp parallel for schedule(static) num_threads(rsp_threads()) if (blocks > 1)
    for (size_t b = 0; b < blocks; b++)
        for (size_t i = b * RSP_BLOCK; i < m->n && i < (b + 1) * RSP_BLOCK; i++) {
            long double x = m->w[i];
            for (int k = 0; k < power; k++) x *= (long double) m->y[i] - mean;
            sums[b] += x;
        }
    for (size_t b = 0; b < blocks; b++) total += sums[b];
    free(sums);
    return total;
}

static void linear_sums(rsp_regression *f) {
    const rsp_mmatrix *m = f->m;
    long double sw = outcome_sum(m, 0, 0);
    bool intercept = f->a->model.formula->intercept;
    long double mean = intercept && sw > 0 ? outcome_sum(m, 0, 1) / sw : 0; /* without an intercept R2 is about zero */
    f->tss = (double) outcome_sum(m, mean, 2);
    double n = (double) m->n;
    f->loglik = -n / 2 * (log(2 * M_PI * f->rss / n) + 1);
}

static void linear_residuals(const rsp_mmatrix *m, const rsp_active *a, const double *beta, double *residual) {
#pragma omp parallel for schedule(static) num_threads(rsp_threads()) if (m->n > RSP_BLOCK)
    for (size_t i = 0; i < m->n; i++) {
        residual[i] = m->y[i];
        for (size_t j = 0; j < a->k; j++) residual[i] -= beta[j] * a->x[j][i];
    }
}

static void fit_linear(rsp_regression *f, rsp_diag *d) {
    const rsp_mmatrix *m = f->m;
    rsp_active a = rsp_active_columns(f);
    rsp_least_squares ls;
    if (f->least_squares) ls = *f->least_squares;
    else rsp_least_squares_fit(m->n, a.k, a.x, m->w, m->y, f->arena, &ls);
    for (size_t j = 0; j < a.k; j++) f->par[a.column[j]] = ls.beta[j];
    f->rss = ls.rss;
    linear_sums(f);
    size_t q = a.k;
    double *vcov = RSP_ARRAY(f->arena, double, q *q + 1);
    if (f->a->model.errors != RSP_ERRORS_DESIGN) {
        double *residual = RSP_ARRAY(f->arena, double, m->n + 1);
        linear_residuals(m, &a, ls.beta, residual);
        if (f->a->model.unweighted) f->df = (double) m->n - (double) q;
        few_clusters(f, &a, &(rsp_few_model){NULL, m->w, residual, NULL, ls.inverse}, ls.beta, vcov, d);
    } else if (f->a->model.unweighted) {
        double residual_df = (double) m->n - (double) q;
        f->df = residual_df;
        for (size_t j = 0; j < q * q; j++) vcov[j] = residual_df > 0 ? ls.inverse[j] * ls.rss / residual_df : NAN;
    } else if (f->a->variance.method == RSP_TAYLOR) {
        double *residual = rsp_malloc((m->n + 1) * sizeof *residual);
        linear_residuals(m, &a, ls.beta, residual);
        if (!linearised(f, ls.inverse, &(struct scores){q, NULL, residual, a.x}, vcov, d)) f->status |= RSP_F_LONELY;
        free(residual);
    } else {
        if (!replicated(f, &a, ls.beta, q, vcov, d)) f->status |= RSP_F_LONELY;
    }
    rsp_spread(f, &a, vcov, q, f->vcov);
}

/* ---- by likelihood ---------------------------------------------------------------------------------------------- */

static rsp_likelihood likelihood_of(const rsp_regression *f, const rsp_active *a, rsp_regression_data *data) {
    rsp_likelihood l = {.p = rsp_active_parameters(f, a), .data = data};
    *data = (rsp_regression_data){f->m->n, a->k, a->x, f->m->y, f->n_thresholds, f->n_equations, f->theta};
    switch (f->a->model.kind) {
    case RSP_ORDINAL_MODEL: l.evaluate = rsp_ordinal_evaluate; break;
    case RSP_MULTINOMIAL_MODEL: l.evaluate = rsp_multinomial_evaluate; break;
    case RSP_POISSON_MODEL: l.evaluate = rsp_poisson_evaluate; break;
    case RSP_NEGATIVE_BINOMIAL_MODEL: l.evaluate = rsp_negative_binomial_evaluate; break;
    default: l.evaluate = f->a->model.firth ? rsp_firth_evaluate : rsp_logistic_evaluate; break;
    }
    return l;
}

static void scores_of(const rsp_regression *f, const rsp_regression_data *data, const double *par, double *score) {
    switch (f->a->model.kind) {
    case RSP_ORDINAL_MODEL: rsp_ordinal_scores(data, par, score); break;
    case RSP_MULTINOMIAL_MODEL: rsp_multinomial_scores(data, par, score); break;
    default: rsp_poisson_scores(data, par, score); break;
    }
}

/* ---- theta ------------------------------------------------------------------------------------------------------ */

static const double LARGEST_THETA = 1e7, SMALLEST_THETA = 1e-7;

/* Newton's method on log(theta), coefficients held fixed; where the likelihood is not concave a step uphill. False when
 * theta leaves what counts can tell: then data->theta is the limit it left by. */
static bool maximise_theta(rsp_regression_data *data, const double *par, const double *w) {
    for (int k = 0; k < 100; k++) {
        double first, second;
        rsp_negative_binomial_theta(data, par, w, &first, &second);
        double step = second < 0 ? -first / second : first > 0 ? 1 : -1;
        if (!isfinite(step)) return false;
        data->theta *= exp(fmin(fmax(step, -1.5), 1.5));
        if (data->theta > LARGEST_THETA || data->theta < SMALLEST_THETA) return false;
        if (fabs(step) < 1e-11) break;
    }
    return true;
}

/* Coefficients given theta and theta given the coefficients in turn: they are independent in expectation, so few rounds
 * do. *theta INFINITY: the counts spread no more than Poisson's, whose coefficients stand. */
static void fit_negative_binomial(const rsp_likelihood *l, rsp_regression_data *data, const double *w,
                                  rsp_newton_fit *n, double *theta) {
    bool limit = false;
    for (int round = 0; round < 100; round++) {
        double before = data->theta;
        rsp_newton(l, w, n);
        if (n->status != RSP_FIT_OK || limit) break;
        if (!maximise_theta(data, n->par, w)) {
            if (data->theta < 1) {
                n->status = RSP_FIT_NOT_CONVERGED;
                break;
            }
            limit = true;
            data->theta = 1e10; /* Poisson's likelihood to ten digits */
        } else if (fabs(log(data->theta / before)) < 1e-10) {
            break;
        }
    }
    *theta = limit ? INFINITY : data->theta;
}

/* Firth's penalty needs weights that sum to the respondents' number: what they are multiplied by. */
static double firth_scale(const double *w, size_t n) {
    double sum = 0;
    for (size_t i = 0; i < n; i++) sum += w[i];
    return (double) n / sum;
}

static bool refit_likelihood(const rsp_regression *f, const rsp_active *a, double *w, const double *start,
                             double *theta) {
    rsp_regression_data data;
    double scale = f->a->model.firth ? firth_scale(w, f->m->n) : 1;
    for (size_t i = 0; scale != 1 && i < f->m->n; i++) w[i] *= scale;
    rsp_likelihood l = likelihood_of(f, a, &data);
    rsp_newton_fit n = {.par = theta,
                        .information_inverse = rsp_malloc((l.p * l.p + 1) * sizeof(double)),
                        .separated = rsp_calloc(l.p, sizeof(bool))};
    memcpy(theta, start, l.p * sizeof *theta);
    n.tolerance = 1e-4; /* Newton's next error is about its square: 1e-8 of a standard error */
    if (f->has_theta) {
        double fitted = NAN;
        if (isinf(f->theta)) data.theta = 1e10;
        if (isinf(f->theta)) rsp_newton(&l, w, &n);
        else fit_negative_binomial(&l, &data, w, &n, &fitted);
        if (!isinf(f->theta)) theta[l.p] = isfinite(fitted) ? fitted : NAN;
    } else {
        rsp_newton(&l, w, &n);
    }
    free(n.information_inverse);
    free(n.separated);
    return n.status == RSP_FIT_OK;
}

/* Counts: least squares on the logarithms, as nought would overshoot. */
static void start_counts(rsp_regression *f, const rsp_active *a, double *par) {
    double *logs = RSP_ARRAY(f->arena, double, f->m->n + 1);
    for (size_t i = 0; i < f->m->n; i++) logs[i] = log(f->m->y[i] + 0.5);
    rsp_least_squares ls;
    rsp_least_squares_fit(f->m->n, a->k, a->x, f->m->w, logs, f->arena, &ls);
    memcpy(par, ls.beta, a->k * sizeof *par);
}

/* Thresholds that give the observed shares of the categories; coefficients 0. */
static void start_values(const rsp_regression *f, double *par) {
    double sum = 0, total = 0;
    double *share = rsp_calloc(f->m->n_levels + 1, sizeof *share);
    for (size_t i = 0; f->n_thresholds && i < f->m->n; i++)
        share[(size_t) f->m->y[i]] += f->m->w[i], total += f->m->w[i];
    for (size_t j = 0; j < f->n_thresholds; j++) {
        sum += share[j] / total;
        par[j] = log(sum / (1 - sum));
    }
    free(share);
}

static uint32_t status_flag(rsp_fit_status s) {
    return s == RSP_FIT_OK          ? 0
           : s == RSP_FIT_SEPARATED ? RSP_F_SEPARATED
           : s == RSP_FIT_SINGULAR  ? RSP_F_SINGULAR
                                    : RSP_F_NOT_CONVERGED;
}

static bool outcome_varies(const rsp_regression *f) {
    const rsp_mmatrix *m = f->m;
    if (m->levels) return m->n_levels >= 2;
    for (size_t i = 1; i < m->n; i++)
        if (m->y[i] != m->y[0]) return true;
    return false;
}

/* Without a design: inverse information; theta and the coefficients of a negative binomial each given the other. */
static void model_variance(const rsp_regression *f, const rsp_regression_data *data, const rsp_newton_fit *n, size_t q,
                           double *vcov) {
    size_t c = f->has_theta && isfinite(f->theta) ? q - 1 : q;
    double *expected = rsp_calloc(c * c + 1, sizeof *expected),
           *observed = rsp_calloc((c + 1) * (c + 1), sizeof *observed);
    memcpy(expected, n->information_inverse, c * c * sizeof *expected);
    if (f->has_theta) {
        rsp_negative_binomial_information(data, n->par, f->m->w, observed, expected);
        if (!rsp_invert_spd(expected, c))
            for (size_t j = 0; j < c * c; j++) expected[j] = NAN;
    }
    for (size_t i = 0; i < c; i++)
        for (size_t j = 0; j < c; j++) vcov[i * q + j] = expected[i * c + j];
    if (q > c) vcov[q * q - 1] = 1 / observed[(c + 1) * (c + 1) - 1];
    free(expected);
    free(observed);
}

static bool linearised_variance(rsp_regression *f, const rsp_regression_data *data, const rsp_newton_fit *n, size_t q,
                                double *vcov, rsp_diag *d) {
    size_t c = data->k;
    bool plain = f->a->model.kind == RSP_LOGISTIC_MODEL && !f->a->model.firth;
    double *score = rsp_malloc((f->m->n * (plain ? 1 : q + 1) + 1) * sizeof *score),
           *inverse = rsp_calloc((q + 1) * (q + 1), sizeof *inverse);
    memcpy(inverse, n->information_inverse, (f->has_theta ? c * c : q * q) * sizeof *inverse);
    struct scores of = {q, plain ? NULL : score, score, data->x}; /* logistic: residuals alone */
    if (plain) {
        rsp_logistic_residuals(data, n->par, score);
    } else if (f->a->model.firth) {
        rsp_firth_scores(data, n->par, n->information_inverse, score);
        double scale = firth_scale(f->m->w, f->m->n);
        for (size_t j = 0; j < q * q; j++) inverse[j] *= scale;
    } else if (!f->has_theta) {
        scores_of(f, data, n->par, score);
    } else if (q > c) { /* theta is estimated with the coefficients */
        double *expected = rsp_calloc(c * c + 1, sizeof *expected);
        rsp_negative_binomial_scores(data, n->par, score);
        rsp_negative_binomial_information(data, n->par, f->m->w, inverse, expected);
        if (!rsp_invert_spd(inverse, q)) f->status |= RSP_F_SINGULAR;
        free(expected);
    } else {
        rsp_poisson_scores(data, n->par, score);
    }
    bool ok = linearised(f, inverse, &of, vcov, d);
    free(score);
    free(inverse);
    return ok;
}

static void few_logistic(rsp_regression *f, const rsp_active *a, const rsp_newton_fit *n, double *vcov, rsp_diag *d) {
    size_t rows = f->m->n;
    double *room = RSP_ARRAY(f->arena, double, 4 * rows + 1), *w = room, *e = w + rows, *phi = e + rows,
           *slope = phi + rows;
    for (size_t i = 0; i < rows; i++) {
        double eta = 0;
        for (size_t j = 0; j < a->k; j++) eta += n->par[j] * a->x[j][i];
        double pi = 1 / (1 + exp(-eta));
        slope[i] = pi * (1 - pi);
        phi[i] = slope[i] / f->m->w[i];
        w[i] = 1 / phi[i];
        e[i] = f->m->y[i] - pi;
    }
    few_clusters(f, a, &(rsp_few_model){slope, w, e, phi, n->information_inverse}, n->par, vcov, d);
}

/* Beyond this many steps (rows times coefficients cubed) profiles take too long: Wald's interval stands. */
static const double MOST_PROFILE = 2e6;

/* Firth without a design: profile intervals and likelihood ratio tests; the likelihood shown is without the penalty. */
static void firth_profiles(rsp_regression *f, const rsp_active *a, const rsp_likelihood *l, const rsp_newton_fit *n) {
    size_t q = l->p;
    double *se = RSP_ARRAY(f->arena, double, q + 1), *gradient = RSP_ARRAY(f->arena, double, q + 1),
           *information = RSP_ARRAY(f->arena, double, q *q + 1);
    rsp_logistic_evaluate(l, n->par, f->m->w, &f->loglik, gradient, information);
    if ((double) f->m->n * pow((double) q, 3) > MOST_PROFILE) return;
    for (size_t j = 0; j < q; j++) se[j] = sqrt(n->information_inverse[j * q + j]);
    f->lower = RSP_ARRAY(f->arena, double, f->p + 1);
    f->upper = RSP_ARRAY(f->arena, double, f->p + 1);
    f->p_value = RSP_ARRAY(f->arena, double, f->p + 1);
#pragma omp parallel for schedule(dynamic, 1)
    for (size_t j = 0; j < q; j++) {
        size_t at = rsp_parameter_of(f, a, j);
        rsp_firth_profile(l, f->m->w, n->par, se, n->loglik, j, &f->lower[at], &f->upper[at], &f->p_value[at]);
    }
}

/* Weights of the likelihood: the rows' own but for Firth's penalty. */
static const double *likelihood_weights(const rsp_regression *f) {
    if (!f->a->model.firth || f->a->model.unweighted) return f->m->w;
    double *w = RSP_ARRAY(f->arena, double, f->m->n + 1), scale = firth_scale(f->m->w, f->m->n);
    for (size_t i = 0; i < f->m->n; i++) w[i] = scale * f->m->w[i];
    return w;
}

/* Answers in categories that the predictors tell apart completely (Albert and Anderson 1984): the likelihood has no maximum,
 * so no coefficient has an estimate, wherever the iterations stopped. */
static bool told_apart(const rsp_regression *f, const rsp_newton_fit *n) {
    double total = 0;
    if (n->status != RSP_FIT_SEPARATED && n->status != RSP_FIT_SINGULAR) return false;
    for (size_t i = 0; i < f->m->n; i++) total += f->m->w[i];
    return n->loglik > -1e-4 * total;
}

static void fit_likelihood(rsp_regression *f, rsp_diag *d) {
    if (!outcome_varies(f)) { /* everybody gave the same answer: nothing to explain */
        f->status |= RSP_F_SINGULAR;
        for (size_t j = 0; j < f->p; j++) f->flags[j] |= RSP_F_SINGULAR;
        return;
    }
    rsp_active a = rsp_active_columns(f);
    rsp_regression_data data;
    f->theta = 1;
    rsp_likelihood l = likelihood_of(f, &a, &data);
    size_t q = l.p;
    rsp_newton_fit n = {.par = RSP_ARRAY(f->arena, double, q + 1),
                        .information_inverse = RSP_ARRAY(f->arena, double, q *q + 1),
                        .separated = RSP_ARRAY(f->arena, bool, q + 1)};
    bool counts = f->a->model.kind == RSP_POISSON_MODEL || f->has_theta;
    if (counts) start_counts(f, &a, n.par);
    else start_values(f, n.par);
    if (f->has_theta) fit_negative_binomial(&l, &data, f->m->w, &n, &f->theta);
    else rsp_newton(&l, likelihood_weights(f), &n);
    if (!counts && told_apart(f, &n)) {
        n.status = RSP_FIT_SEPARATED;
        for (size_t j = 0; j < q; j++) n.separated[j] = true;
    }
    uint32_t flag = status_flag(n.status);
    f->loglik = n.loglik;
    for (size_t j = 0; j < q; j++) {
        f->par[rsp_parameter_of(f, &a, j)] = n.par[j];
        if (flag && (n.status != RSP_FIT_SEPARATED || n.separated[j])) f->flags[rsp_parameter_of(f, &a, j)] |= flag;
    }
    if (flag && n.status != RSP_FIT_SEPARATED) {
        f->status |= flag;
        return;
    }
    if (f->has_theta && (isinf(f->theta) || flag)) f->flags[f->p - 1] |= flag ? flag : RSP_F_SINGULAR;
    if (f->has_theta && !f->flags[f->p - 1]) f->par[f->p - 1] = n.par[q++] = f->theta;
    double *vcov = RSP_ARRAY(f->arena, double, q *q + 1);
    if (f->a->model.errors != RSP_ERRORS_DESIGN) {
        few_logistic(f, &a, &n, vcov, d);
    } else if (f->a->model.unweighted) {
        model_variance(f, &data, &n, q, vcov);
        if (f->a->model.firth) firth_profiles(f, &a, &l, &n);
    } else if (f->a->variance.method == RSP_TAYLOR) {
        if (!linearised_variance(f, &data, &n, q, vcov, d)) f->status |= RSP_F_LONELY;
    } else if (!replicated(f, &a, n.par, q, vcov, d)) {
        f->status |= RSP_F_LONELY;
    }
    rsp_spread(f, &a, vcov, q, f->vcov);
}

/* ---- rows ------------------------------------------------------------------------------------------------------- */

rsp_row *rsp_regression_row(const rsp_regression *f, rsp_results *out, const char *term, const char *level,
                            const char *statistic) {
    rsp_row *r = rsp_results_add(out, f->a->id, NULL, term, level, statistic);
    r->n = (double) f->m->n;
    r->base = (int64_t) f->m->n;
    r->organisations = f->m->organisations;
    return r;
}

/* Respondents behind a coefficient's very cell: those of the category, and of the rarer outcome. */
static int64_t cell_of(const rsp_regression *f, const rsp_mcolumn *c, size_t equation) {
    size_t least = c && c->dummy ? (c->ones < f->m->n - c->ones ? c->ones : f->m->n - c->ones) : f->m->n;
    if (f->a->model.kind == RSP_LOGISTIC_MODEL && f->n_rarer < least) least = f->n_rarer;
    if (f->a->model.kind == RSP_MULTINOMIAL_MODEL)
        for (size_t k = 0; k <= equation + 1; k += equation + 1)
            if (f->m->level_count[k] < least) least = f->m->level_count[k];
    return (int64_t) least;
}

static void add_estimate(const rsp_regression *f, rsp_row *r, size_t j) {
    r->flags |= f->flags[j] | f->status;
    if (f->flags[j] || !f->usable) return;
    r->estimate = f->par[j];
    if (f->status & (RSP_F_LONELY | RSP_F_NO_DF)) return;
    r->df = f->dfs ? f->dfs[j] : f->df;
    if (f->exact) {
        r->flags |= f->exact;
        return;
    }
    r->se = sqrt(f->vcov[j * f->p + j]);
    rsp_row_interval(r);
    if (!(r->flags & RSP_F_NO_DF)) r->p = rsp_t_two_sided(r->estimate / r->se, r->df);
    if (!f->p_value) return;
    r->lower = f->lower[j];
    r->upper = f->upper[j];
    r->p = f->p_value[j];
}

void rsp_exponentiate(rsp_row *ratio, const rsp_row *coefficient) {
    ratio->estimate = exp(coefficient->estimate);
    ratio->se = ratio->estimate * coefficient->se;
    ratio->df = coefficient->df;
    ratio->lower = exp(coefficient->lower);
    ratio->upper = exp(coefficient->upper);
    ratio->p = coefficient->p;
    ratio->flags = coefficient->flags;
    ratio->cell = coefficient->cell;
}

/* The coefficient's odds or rate ratio. */
static void add_ratio(rsp_results *out, const rsp_regression *f, size_t coefficient, const char *statistic) {
    rsp_row from = out->rows[coefficient];
    rsp_row *r = rsp_regression_row(f, out, from.term, NULL, statistic);
    rsp_exponentiate(r, &from);
}

/* Of the parameters in[q], with few clusters. */
static double joint_df(const rsp_regression *f, const size_t *in, size_t q) {
    size_t k = f->few->k;
    double *contrast = RSP_ARRAY(f->arena, double, k *q + 1);
    rsp_active a = rsp_active_columns(f);
    for (size_t s = 0; s < q; s++)
        for (size_t j = 0; j < k; j++) contrast[j * q + s] = a.column[j] == in[s];
    return rsp_few_joint_df(f->few, contrast, q);
}

/* Joint Wald test of a term's coefficients. */
static void add_joint_test(const rsp_regression *f, rsp_results *out, size_t t) {
    size_t *in = RSP_ARRAY(f->arena, size_t, f->p + 1), q = 0;
    for (size_t e = 0; e < f->n_equations; e++)
        for (size_t j = 0; j < f->m->k; j++)
            if (f->m->columns[j].term == t && !f->flags[rsp_parameter_at(f, e, j)]) in[q++] = rsp_parameter_at(f, e, j);
    rsp_row *r = rsp_regression_row(f, out, f->m->term_names[t], NULL, "wald_f");
    r->flags |= f->status;
    if (!q || f->exact) {
        r->flags |= f->exact ? f->exact : rsp_mmatrix_untested(f->m, t);
        return;
    }
    if (!f->usable || f->status) return;
    double *b = RSP_ARRAY(f->arena, double, q), *v = RSP_ARRAY(f->arena, double, q *q);
    for (size_t i = 0; i < q; i++) {
        b[i] = f->par[in[i]];
        for (size_t j = 0; j < q; j++) v[i * q + j] = f->vcov[in[i] * f->p + in[j]];
    }
    double form = rsp_quadratic_form(b, v, q);
    if (isnan(form)) {
        r->flags |= RSP_F_SINGULAR;
        return;
    }
    double df = f->df, scale = 1;
    if (f->few && f->a->model.errors == RSP_ERRORS_CR2) {
        double eta = joint_df(f, in, q);
        df = eta - (double) q + 1;
        scale = df / eta;
    }
    if (!isnan(df) && !(df > 0)) {
        r->flags |= RSP_F_NO_DF;
        return;
    }
    r->estimate = scale * form / (double) q;
    r->df1 = (double) q;
    r->df = df;
    r->p = rsp_f_upper(r->estimate, r->df1, r->df);
}

static void add_measure(const rsp_regression *f, rsp_results *out, const char *statistic, double x) {
    rsp_row *r = rsp_regression_row(f, out, NULL, NULL, statistic);
    if (isfinite(x) && f->usable && !(f->status & (RSP_F_NOT_CONVERGED | RSP_F_SINGULAR))) r->estimate = x;
    r->flags |= f->status;
}

static void add_fit_measures(const rsp_regression *f, rsp_results *out) {
    bool linear = f->a->model.kind == RSP_LINEAR_MODEL;
    if (linear) {
        add_measure(f, out, "r_squared", f->tss > 0 ? 1 - f->rss / f->tss : NAN);
        if (f->a->model.unweighted && !f->exact) add_measure(f, out, "sigma", sqrt(f->rss / f->df));
    }
    if (!f->a->model.unweighted || f->exact) return; /* a pseudo-likelihood has no information criterion */
    add_measure(f, out, "loglik", f->loglik);
    if (f->a->model.firth) return; /* a penalised estimate is not the maximum that the criterion speaks of */
    add_measure(f, out, "aic", 2 * ((double) f->n_estimated + linear) - 2 * f->loglik);
}

/* Thetas spread to the right: a standard error, but no interval. */
static void add_theta(const rsp_regression *f, rsp_results *out) {
    rsp_row *r = rsp_regression_row(f, out, NULL, NULL, "theta");
    r->flags |= f->flags[f->p - 1] | f->status;
    if (f->flags[f->p - 1] || !f->usable || (f->status & ~(uint32_t) RSP_F_REPLICATES_FAILED)) return;
    r->estimate = f->par[f->p - 1];
    r->se = sqrt(f->vcov[f->p * f->p - 1]);
}

static const char *ratio_of(const rsp_regression *f) {
    switch (f->a->model.kind) {
    case RSP_LOGISTIC_MODEL:
    case RSP_ORDINAL_MODEL: return "odds_ratio";
    case RSP_POISSON_MODEL:
    case RSP_NEGATIVE_BINOMIAL_MODEL: return "rate_ratio";
    default: return NULL;
    }
}

static void write_rows(rsp_regression *f, rsp_results *out) {
    const rsp_mmatrix *m = f->m;
    for (size_t j = 0; j < f->n_thresholds; j++) {
        const char *term = rsp_printf(f->arena, "%s|%s", m->levels[j], m->levels[j + 1]);
        add_estimate(f, rsp_regression_row(f, out, term, NULL, "threshold"), j);
    }
    size_t first = out->n;
    for (size_t e = 0; e < f->n_equations; e++)
        for (size_t j = 0; j < m->k; j++) {
            const char *level = f->a->model.kind == RSP_MULTINOMIAL_MODEL ? m->levels[e + 1] : NULL;
            rsp_row *r = rsp_regression_row(f, out, m->columns[j].name, level, "coefficient");
            r->cell = cell_of(f, &m->columns[j], e);
            add_estimate(f, r, rsp_parameter_at(f, e, j));
        }
    for (size_t j = 0; ratio_of(f) && j < m->k; j++)
        if (m->columns[j].term != RSP_NONE) add_ratio(out, f, first + j, ratio_of(f));
    for (size_t t = 0; t < m->n_terms; t++)
        if (m->term_joint[t]) add_joint_test(f, out, t);
    if (f->has_theta) add_theta(f, out);
    add_fit_measures(f, out);
}

/* ---- all -------------------------------------------------------------------------------------------------------- */

static size_t equations_of(const rsp_regression *f) {
    if (f->a->model.kind != RSP_MULTINOMIAL_MODEL) return 1;
    return f->m->n_levels ? f->m->n_levels - 1 : 0;
}

static size_t rarer_outcome(const rsp_mmatrix *m) {
    size_t events = 0;
    for (size_t i = 0; i < m->n; i++) events += m->y[i] == 1;
    return events < m->n - events ? events : m->n - events;
}

/* Why there are no errors: no more than this share of a linear model's squares is left. 0: more. */
static uint32_t without_residuals(const rsp_regression *f, double share) {
    const rsp_mmatrix *m = f->m;
    double total = 0;
    for (size_t i = 0; i < m->n; i++) total += (m->w ? m->w[i] : 1) * m->y[i] * m->y[i];
    if (!m->n || f->a->model.kind != RSP_LINEAR_MODEL || f->rss > share * total) return 0;
    return outcome_varies(f) ? RSP_F_EXACT : RSP_F_SINGULAR;
}

/* Rounding leaves 1e-32; answers that differ in their thirteenth digit alone 1e-26. */
#define ROUNDING 1e-28

/* False, and reported, when the outcome is not what the kind needs. */
static bool fit(rsp_regression *f, const rsp_mdomain *domain, rsp_diag *d) {
    const rsp_model *model = &f->a->model;
    f->m = rsp_mmatrix_new(f->s, f->a, domain, d);
    if (!f->m) return false;
    f->arena = f->m->arena;
    if (model->kind == RSP_LOGISTIC_MODEL) f->n_rarer = rarer_outcome(f->m);
    f->n_thresholds = model->kind == RSP_ORDINAL_MODEL && f->m->n_levels ? f->m->n_levels - 1 : 0;
    f->n_equations = equations_of(f);
    f->has_theta = model->kind == RSP_NEGATIVE_BINOMIAL_MODEL;
    f->p = f->n_thresholds + f->n_equations * f->m->k + f->has_theta;
    f->par = RSP_ARRAY(f->arena, double, f->p + 1);
    f->vcov = RSP_ARRAY(f->arena, double, f->p * f->p + 1);
    f->flags = RSP_ARRAY(f->arena, uint32_t, f->p + 1);
    if (f->m->n == 0) {
        for (size_t j = 0; j < f->p; j++) f->flags[j] = RSP_F_EMPTY;
    } else {
        f->usable = true;
        flag_columns(f);
        if (model->kind == RSP_LINEAR_MODEL) {
            fit_linear(f, d);
            f->exact = without_residuals(f, ROUNDING); /* errors made of rounding find anything */
        } else {
            fit_likelihood(f, d);
        }
    }
    size_t coefficients = 0;
    for (size_t j = 0; j < f->p; j++) {
        f->n_estimated += !f->flags[j];
        coefficients += j >= f->n_thresholds && j < f->p - f->has_theta && !f->flags[j];
    }
    /* Thresholds count as one intercept. */
    if (!model->unweighted)
        f->df = rsp_design_df(f->s, f->m->take) + 1 - (double) (coefficients + (f->n_thresholds > 0));
    if (f->few) f->df = (double) f->few->n_clusters - 1;
    return true;
}

void rsp_fit_regression(rsp_sample *s, const rsp_analysis *a, rsp_results *out, rsp_diag *d) {
    rsp_regression f = {.s = s, .a = a, .df = NAN, .loglik = NAN, .rss = NAN, .tss = NAN};
    f.keep = a->model.n_margins || a->model.n_predict;
    if (!fit(&f, NULL, d)) return;
    write_rows(&f, out);
    rsp_regression_margins(&f, out, d);
    rsp_mmatrix_free(f.m);
}

bool rsp_fit_estimates(rsp_sample *s, const rsp_analysis *a, const rsp_mdomain *domain, rsp_estimates *e, rsp_diag *d) {
    rsp_regression f = {.s = s, .a = a, .df = NAN, .loglik = NAN, .rss = NAN, .tss = NAN};
    if (!fit(&f, domain, d)) return false;
    size_t k = f.m->k;
    double *b = RSP_ARRAY(f.arena, double, k + 1), *v = RSP_ARRAY(f.arena, double, k *k + 1);
    uint32_t *flags = RSP_ARRAY(f.arena, uint32_t, k + 1);
    int64_t *cell = RSP_ARRAY(f.arena, int64_t, k + 1);
    /* Where estimates are compared, such small errors outweigh all others. */
    f.status |= without_residuals(&f, 1e-20);
    for (size_t j = 0; j < k; j++) {
        size_t at = rsp_parameter_at(&f, 0, j);
        flags[j] = f.flags[at] | f.status;
        b[j] = f.flags[at] ? NAN : f.par[at];
        cell[j] = cell_of(&f, &f.m->columns[j], 0);
        for (size_t l = 0; l < k; l++) v[j * k + l] = f.vcov[at * f.p + rsp_parameter_at(&f, 0, l)];
    }
    *e = (rsp_estimates){f.m, b, v, flags, cell, f.df, f.rss, f.tss};
    return true;
}

rsp_group_fit rsp_fit_group(rsp_sample *s, const rsp_analysis *a, const rsp_mdomain *domain, const char *term,
                            rsp_diag *d) {
    rsp_group_fit g = {.estimate = NAN, .variance = NAN, .df = NAN};
    rsp_estimates e;
    if (!rsp_fit_estimates(s, a, domain, &e, d)) return g;
    g.n = e.m->n;
    g.organisations = e.m->organisations;
    for (size_t j = 0; j < e.m->k; j++) {
        if (strcmp(e.m->columns[j].name, term) != 0) continue;
        g.found = true;
        g.flags = e.flags[j];
        g.cell = e.cell[j];
        g.df = e.df;
        if (g.flags & ~(uint32_t) RSP_F_REPLICATES_FAILED) continue;
        g.estimate = e.b[j];
        g.variance = e.v[j * e.m->k + j];
    }
    rsp_mmatrix_free(e.m);
    return g;
}

void rsp_fit_model(rsp_sample *s, const rsp_analysis *a, rsp_results *out, rsp_diag *d) {
    switch (a->model.kind) {
    case RSP_MIXED_MODEL: (a->model.unweighted ? rsp_fit_mixed : rsp_fit_glmm)(s, a, out, d); break;
    case RSP_MIXED_LOGISTIC_MODEL:
    case RSP_MIXED_ORDINAL_MODEL: rsp_fit_glmm(s, a, out, d); break;
    case RSP_POOLED_MODEL: rsp_fit_pooled(s, a, out, d); break;
    case RSP_DRIVERS_MODEL: rsp_fit_drivers(s, a, out, d); break;
    default: rsp_fit_regression(s, a, out, d); break;
    }
}
