#include "measure/polychoric.h"

#include "measure/sem_moments.h"

#include <gsl/gsl_errno.h>
#include <gsl/gsl_roots.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- the normal distribution ------------------------------------------------------------------------------------ */

static double density(double x) { return isfinite(x) ? exp(-0.5 * x * x) / sqrt(2 * M_PI) : 0; }
static double cumulative(double x) { return 0.5 * erfc(-x * M_SQRT1_2); }

/* Gauss-Legendre integral of Plackett's (1954) derivative over one panel of the angle asin(r). */
static double panel(double h, double k, double from, double to) {
    static const double node[] = {0.0950125098376374, 0.2816035507792589, 0.4580167776572274, 0.6178762444026438,
                                  0.7554044083550030, 0.8656312023878318, 0.9445750230732326, 0.9894009349916499};
    static const double weight[] = {0.1894506104550685, 0.1826034150449236, 0.1691565193950025, 0.1495959888165767,
                                    0.1246289712555339, 0.0951585116824928, 0.0622535239386479, 0.0271524594117541};
    double middle = (from + to) / 2, half = (to - from) / 2, sum = 0;
    for (int i = 0; i < 8; i++)
        for (int side = -1; side <= 1; side += 2) {
            double s = sin(middle + side * half * node[i]), c = 1 - s * s;
            sum += weight[i] * exp((h * k * s - 0.5 * (h * h + k * k)) / c);
        }
    return half * sum;
}

/* Near -1 and 1 the integrand changes quickly: panels halve their distance to the end. */
double rsp_bivariate_normal(double h, double k, double r) {
    if (h == -INFINITY || k == -INFINITY) return 0;
    if (h == INFINITY) return cumulative(k);
    if (k == INFINITY) return cumulative(h);
    double end = asin(r), limit = copysign(M_PI_2, r), from = 0, sum = 0;
    for (int i = 0; i < 12 && fabs(end - from) > 1e-12; i++) {
        double to = from + (limit - from) * 0.5;
        if (i == 11 || fabs(to) > fabs(end)) to = end;
        sum += panel(h, k, from, to);
        from = to;
    }
    return cumulative(h) * cumulative(k) + sum / (2 * M_PI);
}

static double bivariate_density(double h, double k, double r) {
    if (!isfinite(h) || !isfinite(k)) return 0;
    double c = 1 - r * r;
    return exp((r * h * k - 0.5 * (h * h + k * k)) / c) / (2 * M_PI * sqrt(c));
}

/* ---- places ----------------------------------------------------------------------------------------------------- */

void rsp_item_layout_new(size_t p, const size_t *n_thresholds, rsp_arena *a, rsp_item_layout *l) {
    *l = (rsp_item_layout){.p = p,
                           .n_thresholds = n_thresholds,
                           .first = RSP_ARRAY(a, size_t, p + 1),
                           .variance = RSP_ARRAY(a, size_t, p + 1)};
    for (size_t i = 0; i < p; i++) {
        l->first[i] = l->q;
        l->q += n_thresholds[i] ? n_thresholds[i] : 1;
    }
    for (size_t i = 0; i < p; i++) l->variance[i] = n_thresholds[i] ? RSP_NONE : l->q++;
    l->first_pair = l->q;
    l->q += p * (p - 1) / 2;
}

size_t rsp_item_pair(const rsp_item_layout *l, size_t i, size_t j) { return l->first_pair + i * (i - 1) / 2 + j; }

/* ---- first step ------------------------------------------------------------------------------------------------- */

struct work {
    const rsp_item_layout *l;
    const double *x, *weights;
    size_t n;
    double total; /* sum of weights */
    double *stat;
    double *score; /* [n*q] of the single items and of the pairs' correlations */
    double *
        a21; /* [pairs*q] mean of score of the correlation times that of an item's statistic, in the pair's likelihood */
    double *a22; /* [pairs] */
};

static double weight_of(const struct work *w, size_t row) { return w->weights ? w->weights[row] : 1; }

/* Threshold k of an item between -infinity and infinity: cut(-1), cut(0), ... */
static double cut(const struct work *w, size_t item, long k) {
    if (k < 0) return -INFINITY;
    return (size_t) k >= w->l->n_thresholds[item] ? INFINITY : w->stat[w->l->first[item] + (size_t) k];
}

static bool set_thresholds(struct work *w, size_t item) {
    size_t p = w->l->p, k = w->l->n_thresholds[item];
    double *count = rsp_calloc(k + 1, sizeof *count), below = 0, all = 0;
    bool ok = true;
    for (size_t i = 0; i < w->n; i++)
        if (!isnan(w->x[i * p + item])) count[(size_t) w->x[i * p + item]] += weight_of(w, i);
    for (size_t j = 0; j <= k; j++) {
        ok = ok && count[j] > 0;
        all += count[j];
    }
    for (size_t j = 0; ok && j < k; j++) {
        below += count[j];
        w->stat[w->l->first[item] + j] = rsp_normal_quantile(below / all);
    }
    free(count);
    return ok;
}

bool rsp_answers_vary(const double *x, size_t n, size_t stride) {
    double first = NAN;
    for (size_t i = 0; i < n; i++) {
        double y = x[i * stride];
        if (isnan(first)) first = y;
        if (!isnan(y) && y != first) return true;
    }
    return false;
}

static bool set_moments(struct work *w, size_t item) {
    size_t p = w->l->p;
    double mean = 0, square = 0, all = 0;
    for (size_t i = 0; i < w->n; i++)
        if (!isnan(w->x[i * p + item])) all += weight_of(w, i), mean += weight_of(w, i) * w->x[i * p + item];
    mean /= all;
    for (size_t i = 0; i < w->n; i++) {
        double d = w->x[i * p + item] - mean;
        if (!isnan(d)) square += weight_of(w, i) * d * d;
    }
    w->stat[w->l->first[item]] = mean;
    w->stat[w->l->variance[item]] = square / all;
    return square > 0 && rsp_answers_vary(w->x + item, w->n, p);
}

static void score_item(struct work *w, size_t item) {
    size_t p = w->l->p, q = w->l->q, first = w->l->first[item], thresholds = w->l->n_thresholds[item];
    for (size_t i = 0; i < w->n; i++) {
        double x = w->x[i * p + item], *s = w->score + i * q;
        if (isnan(x)) continue;
        if (thresholds) {
            long c = (long) x;
            double upper = cut(w, item, c), lower = cut(w, item, c - 1), share = cumulative(upper) - cumulative(lower);
            if ((size_t) c < thresholds) s[first + (size_t) c] = density(upper) / share;
            if (c > 0) s[first + (size_t) c - 1] = -density(lower) / share;
        } else {
            double variance = w->stat[w->l->variance[item]], d = x - w->stat[first];
            s[first] = d / variance;
            s[w->l->variance[item]] = (d * d / variance - 1) / (2 * variance);
        }
    }
}

/* ---- second step: a correlation --------------------------------------------------------------------------------- */

/* A pair of items, i > j. Ordinal items work on their table, others on rows. */
struct pair {
    const struct work *w;
    size_t i, j;
    const double *count; /* table [(ki+1)*(kj+1)]; NULL: not both ordinal */
    double r;
};

/* One cell of the table: its probability and derivative with respect to the correlation. */
static void cell_of(const struct pair *o, size_t a, size_t b, double r, double *share, double *slope) {
    double u[2] = {cut(o->w, o->i, (long) a - 1), cut(o->w, o->i, (long) a)};
    double v[2] = {cut(o->w, o->j, (long) b - 1), cut(o->w, o->j, (long) b)};
    *share = *slope = 0;
    for (int s = 0; s < 2; s++)
        for (int t = 0; t < 2; t++) {
            double sign = s == t ? 1 : -1;
            *share += sign * rsp_bivariate_normal(u[s], v[t], r);
            *slope += sign * bivariate_density(u[s], v[t], r);
        }
    *share = fmax(*share, 1e-300);
}

static double table_score(double r, void *context) {
    const struct pair *o = context;
    size_t rows = o->w->l->n_thresholds[o->i] + 1, columns = o->w->l->n_thresholds[o->j] + 1;
    double sum = 0, share, slope;
    for (size_t a = 0; a < rows; a++)
        for (size_t b = 0; b < columns; b++) {
            if (o->count[a * columns + b] == 0) continue;
            cell_of(o, a, b, r, &share, &slope);
            sum += o->count[a * columns + b] * slope / share;
        }
    return sum;
}

/* What one respondent adds to the likelihood of an ordinal (i) and a numeric item (j), y between cuts given z. */
struct serial {
    double rho, upper, lower, z; /* score of the correlation; of the cuts above and below; d log P / dz */
};

static struct serial serial_scores(const struct pair *o, double r, double y, double z) {
    double root = sqrt(1 - r * r), above = cut(o->w, o->i, (long) y), below = cut(o->w, o->i, (long) y - 1);
    double u = (above - r * z) / root, l = (below - r * z) / root;
    double share = u > 0 ? cumulative(-l) - cumulative(-u) : cumulative(u) - cumulative(l);
    double du = density(u) / fmax(share, 1e-300), dl = density(l) / fmax(share, 1e-300);
    double ru = isfinite(above) ? du * (above * r - z) : 0, rl = isfinite(below) ? dl * (below * r - z) : 0;
    return (struct serial){(ru - rl) / (root * root * root), du / root, -dl / root, -r / root * (du - dl)};
}

static double standard_value(const struct work *w, size_t row, size_t item) {
    return (w->x[row * w->l->p + item] - w->stat[w->l->first[item]]) / sqrt(w->stat[w->l->variance[item]]);
}

static bool both_answered(const struct pair *o, size_t row) {
    const double *x = o->w->x + row * o->w->l->p;
    return !isnan(x[o->i]) && !isnan(x[o->j]);
}

static double serial_score(double r, void *context) {
    const struct pair *o = context;
    double sum = 0;
    for (size_t k = 0; k < o->w->n; k++)
        if (both_answered(o, k))
            sum += weight_of(o->w, k) *
                   serial_scores(o, r, o->w->x[k * o->w->l->p + o->i], standard_value(o->w, k, o->j)).rho;
    return sum;
}

/* The correlation at which the score is zero: it falls from plus to minus. Far out cells become too unlikely for their scores to
 * be computed, so the interval grows only where it must. */
static bool solve(double *r, double (*score)(double, void *), void *context) {
    static const double limits[] = {0.8, 0.95, 0.99, 0.999, 0.9999};
    gsl_function f = {score, context};
    gsl_root_fsolver *s = gsl_root_fsolver_alloc(gsl_root_fsolver_brent);
    bool ok = false;
    for (size_t k = 0; !ok && k < sizeof limits / sizeof *limits; k++)
        ok = score(-limits[k], context) > 0 && score(limits[k], context) < 0 &&
             gsl_root_fsolver_set(s, &f, -limits[k], limits[k]) == GSL_SUCCESS;
    for (int k = 0; ok && k < 100; k++) {
        ok = gsl_root_fsolver_iterate(s) == GSL_SUCCESS;
        *r = gsl_root_fsolver_root(s);
        if (fabs(gsl_root_fsolver_x_upper(s) - gsl_root_fsolver_x_lower(s)) < 1e-12) break;
    }
    gsl_root_fsolver_free(s);
    return ok;
}

/* An empty cell of a table of two by two would make the correlation -1 or 1: it counts half a respondent, and the
 * margins stay. */
static void fill_empty(double *count, size_t rows, size_t columns) {
    if (rows != 2 || columns != 2) return;
    for (size_t k = 0; k < 4; k++) {
        if (count[k] > 0) continue;
        bool diagonal = k == 0 || k == 3;
        for (size_t c = 0; c < 4; c++) count[c] += (c == 0 || c == 3) == diagonal ? 0.5 : -0.5;
        return;
    }
}

/* ---- scores of a pair ------------------------------------------------------------------------------------------- */

static double *a21_row(struct work *w, size_t i, size_t j) {
    return w->a21 + (rsp_item_pair(w->l, i, j) - w->l->first_pair) * w->l->q;
}

/* Derivative of a cell's probability with respect to cut `k` of the item whose cut this is: the density there times the other
 * item's share of its own interval given it. */
static double cut_slope(double at, double low, double high, double r) {
    if (!isfinite(at)) return 0;
    double root = sqrt(1 - r * r);
    return density(at) * (cumulative((high - r * at) / root) - cumulative((low - r * at) / root));
}

static void table_scores(struct work *w, struct pair *o) {
    size_t rows = w->l->n_thresholds[o->i] + 1, columns = w->l->n_thresholds[o->j] + 1, p = w->l->p;
    size_t at = rsp_item_pair(w->l, o->i, o->j);
    double *s = rsp_calloc(rows * columns, sizeof *s), *a21 = a21_row(w, o->i, o->j),
           *a22 = w->a22 + (at - w->l->first_pair);
    for (size_t a = 0; a < rows; a++)
        for (size_t b = 0; b < columns; b++) {
            double share, slope, u[2] = {cut(w, o->i, (long) a - 1), cut(w, o->i, (long) a)},
                                 v[2] = {cut(w, o->j, (long) b - 1), cut(w, o->j, (long) b)};
            cell_of(o, a, b, o->r, &share, &slope);
            double weight = o->count[a * columns + b] / w->total, rho = slope / share;
            s[a * columns + b] = rho;
            *a22 += weight * rho * rho;
            for (size_t k = 0; k < 2; k++) { /* the cuts below and above */
                double sign = k ? 1 : -1;
                if (a + k >= 1 && a + k < rows)
                    a21[w->l->first[o->i] + a + k - 1] +=
                        weight * rho * sign * cut_slope(u[k], v[0], v[1], o->r) / share;
                if (b + k >= 1 && b + k < columns)
                    a21[w->l->first[o->j] + b + k - 1] +=
                        weight * rho * sign * cut_slope(v[k], u[0], u[1], o->r) / share;
            }
        }
    for (size_t k = 0; k < w->n; k++)
        if (both_answered(o, k))
            w->score[k * w->l->q + at] = s[(size_t) w->x[k * p + o->i] * columns + (size_t) w->x[k * p + o->j]];
    free(s);
}

static void serial_rows(struct work *w, struct pair *o) {
    const rsp_item_layout *l = w->l;
    size_t at = rsp_item_pair(l, o->i > o->j ? o->i : o->j, o->i > o->j ? o->j : o->i),
           thresholds = l->n_thresholds[o->i];
    double *a21 = w->a21 + (at - l->first_pair) * l->q, *a22 = w->a22 + (at - l->first_pair),
           variance = w->stat[l->variance[o->j]], sd = sqrt(variance);
    for (size_t k = 0; k < w->n; k++) {
        if (!both_answered(o, k)) continue;
        double y = w->x[k * l->p + o->i], z = standard_value(w, k, o->j), share = weight_of(w, k) / w->total;
        struct serial s = serial_scores(o, o->r, y, z);
        w->score[k * l->q + at] = s.rho;
        *a22 += s.rho * s.rho * share;
        if ((size_t) y < thresholds) a21[l->first[o->i] + (size_t) y] += s.rho * s.upper * share;
        if (y > 0) a21[l->first[o->i] + (size_t) y - 1] += s.rho * s.lower * share;
        a21[l->first[o->j]] += s.rho * (z - s.z) / sd * share;
        a21[l->variance[o->j]] += s.rho * (z * z - 1 - s.z * z) / (2 * variance) * share;
    }
}

static void numeric_rows(struct work *w, struct pair *o) {
    const rsp_item_layout *l = w->l;
    size_t at = rsp_item_pair(l, o->i, o->j);
    double *a21 = a21_row(w, o->i, o->j), *a22 = w->a22 + (at - l->first_pair), r = o->r, c = 1 - r * r;
    double vi = w->stat[l->variance[o->i]], vj = w->stat[l->variance[o->j]];
    for (size_t k = 0; k < w->n; k++) {
        if (!both_answered(o, k)) continue;
        double x = standard_value(w, k, o->i), y = standard_value(w, k, o->j), share = weight_of(w, k) / w->total;
        double rho = (r * c + x * y * (1 + r * r) - r * (x * x + y * y)) / (c * c);
        w->score[k * l->q + at] = rho;
        *a22 += rho * rho * share;
        a21[l->first[o->i]] += rho * (x - r * y) / (sqrt(vi) * c) * share;
        a21[l->first[o->j]] += rho * (y - r * x) / (sqrt(vj) * c) * share;
        a21[l->variance[o->i]] += rho * ((x * x - r * x * y) / c - 1) / (2 * vi) * share;
        a21[l->variance[o->j]] += rho * ((y * y - r * x * y) / c - 1) / (2 * vj) * share;
    }
}

static bool table_pair(struct work *w, struct pair *o) {
    size_t rows = w->l->n_thresholds[o->i] + 1, columns = w->l->n_thresholds[o->j] + 1, p = w->l->p;
    double *count = rsp_calloc(rows * columns, sizeof *count);
    for (size_t k = 0; k < w->n; k++)
        if (both_answered(o, k))
            count[(size_t) w->x[k * p + o->i] * columns + (size_t) w->x[k * p + o->j]] += weight_of(w, k);
    fill_empty(count, rows, columns);
    o->count = count;
    bool ok = solve(&o->r, table_score, o);
    if (ok && w->score) table_scores(w, o);
    free(count);
    return ok;
}

/* Sums of standardised squares and products of those who answered both items, over their weight. */
struct moments {
    double xx, yy, xy;
};

/* Of the normal likelihood, mean and variance being known. */
static double numeric_score(double r, void *context) {
    const struct moments *m = context;
    return r * (1 - r * r) + m->xy * (1 + r * r) - r * (m->xx + m->yy);
}

static bool numeric_pair(struct work *w, struct pair *o) {
    struct moments m = {0};
    double all = 0;
    for (size_t k = 0; k < w->n; k++) {
        if (!both_answered(o, k)) continue;
        double x = standard_value(w, k, o->i), y = standard_value(w, k, o->j), weight = weight_of(w, k);
        m = (struct moments){m.xx + weight * x * x, m.yy + weight * y * y, m.xy + weight * x * y};
        all += weight;
    }
    m = (struct moments){m.xx / all, m.yy / all, m.xy / all};
    bool ok = solve(&o->r, numeric_score, &m);
    if (ok && w->score) numeric_rows(w, o);
    return ok;
}

static bool pair(struct work *w, size_t i, size_t j, double *r) {
    bool oi = w->l->n_thresholds[i] > 0, oj = w->l->n_thresholds[j] > 0, ok;
    struct pair o = {.w = w, .i = i, .j = j};
    if (oi && oj) {
        ok = table_pair(w, &o);
    } else if (!oi && !oj) {
        ok = numeric_pair(w, &o);
    } else {
        if (oj) o.i = j, o.j = i; /* the ordinal one first */
        ok = solve(&o.r, serial_score, &o);
        if (ok && w->score) serial_rows(w, &o);
    }
    *r = o.r;
    return ok;
}

/* ---- asymptotic covariance -------------------------------------------------------------------------------------- */

/* Statistics of an item of its own: thresholds, or mean and variance. */
static size_t own_statistics(const rsp_item_layout *l, size_t item, size_t *at) {
    size_t n = 0, k = l->n_thresholds[item] ? l->n_thresholds[item] : 1;
    for (size_t j = 0; j < k; j++) at[n++] = l->first[item] + j;
    if (l->variance[item] != RSP_NONE) at[n++] = l->variance[item];
    return n;
}

/* Items' own information A11 [m*m], by the products of scores. */
static void own_information(const struct work *w, size_t m, double *a11) {
    size_t *at = rsp_malloc((m + 1) * sizeof *at), q = w->l->q;
    for (size_t i = 0; i < w->l->p; i++) {
        size_t n = own_statistics(w->l, i, at);
        for (size_t k = 0; k < w->n; k++) {
            const double *s = w->score + k * q;
            for (size_t j = 0; j < n; j++) {
                if (s[at[j]] == 0) continue;
                double share = weight_of(w, k) / w->total * s[at[j]];
                for (size_t h = 0; h < n; h++) a11[at[j] * m + at[h]] += share * s[at[h]];
            }
        }
    }
    free(at);
}

/* B: the inverse of [A11 0; A21 A22]. */
static bool influence_matrix(const struct work *w, double *b) {
    size_t q = w->l->q, m = w->l->first_pair, pairs = q - m;
    double *a11 = rsp_calloc(2 * m * m + 1, sizeof *a11), *inverse = a11 + m * m, logdet;
    own_information(w, m, a11);
    bool ok = rsp_invert_positive(a11, m, inverse, &logdet);
    memset(b, 0, q * q * sizeof *b);
    for (size_t i = 0; ok && i < m; i++) memcpy(b + i * q, inverse + i * m, m * sizeof *b);
    for (size_t r = 0; ok && r < pairs; r++) {
        double *to = b + (m + r) * q;
        ok = w->a22[r] > 0;
        for (size_t i = 0; i < m; i++)
            for (size_t k = 0; w->a21[r * q + i] != 0 && k < m; k++)
                to[k] -= w->a21[r * q + i] * inverse[i * m + k] / w->a22[r];
        to[m + r] = 1 / w->a22[r];
    }
    free(a11);
    return ok;
}

/* From correlations to covariances: rows of B of pairs with numeric items, by the delta method. */
static void to_covariances(struct work *w, const double *correlation, double *b) {
    const rsp_item_layout *l = w->l;
    for (size_t i = 0; i < l->p; i++)
        for (size_t j = 0; j < i; j++) {
            size_t at = rsp_item_pair(l, i, j), item[2] = {i, j};
            double scale = 1, r = correlation[at - l->first_pair];
            for (int k = 0; k < 2; k++)
                if (l->variance[item[k]] != RSP_NONE) scale *= sqrt(w->stat[l->variance[item[k]]]);
            w->stat[at] = r * scale;
            for (size_t c = 0; b && c < l->q; c++) {
                b[at * l->q + c] *= scale;
                for (int k = 0; k < 2; k++)
                    if (l->variance[item[k]] != RSP_NONE)
                        b[at * l->q + c] +=
                            r * scale / (2 * w->stat[l->variance[item[k]]]) * b[l->variance[item[k]] * l->q + c];
            }
        }
}

static bool asymptotics(struct work *w, const double *correlation, double *gamma, double *influence) {
    size_t q = w->l->q;
    double *inner = rsp_calloc(3 * q * q, sizeof *inner), *b = inner + q * q, *bi = inner + 2 * q * q;
    bool ok = influence_matrix(w, b);
    to_covariances(w, correlation, b);
    if (influence) {
        rsp_multiply(w->score, false, b, true, w->n, q, q, influence);
        for (size_t i = 0; i < w->n * q; i++) influence[i] /= w->total;
    }
    for (size_t k = 0; gamma && w->weights && k < w->n; k++)
        for (size_t j = 0; j < q; j++) w->score[k * q + j] *= w->weights[k];
    if (gamma) {
        rsp_multiply(w->score, true, w->score, false, q, w->n, q, inner);
        for (size_t i = 0; i < q * q; i++) inner[i] /= w->total;
        rsp_multiply(b, false, inner, false, q, q, q, bi);
        rsp_multiply(bi, false, b, true, q, q, q, gamma);
    }
    free(inner);
    return ok;
}

bool rsp_polychoric(const rsp_item_layout *l, const rsp_item_answers *answers, double *stat, double *gamma,
                    double *influence) {
    size_t n = answers->n, pairs = l->q - l->first_pair;
    struct work w = {.l = l, .x = answers->x, .weights = answers->w, .n = n, .stat = stat};
    double *correlation = rsp_calloc(pairs + 1, sizeof *correlation);
    bool ok = n > 1, scores = gamma || influence;
    for (size_t k = 0; k < n; k++) w.total += weight_of(&w, k);
    if (scores) {
        w.score = rsp_calloc(n * l->q + 1, sizeof *w.score);
        w.a21 = rsp_calloc(pairs * l->q + pairs + 1, sizeof *w.a21);
        w.a22 = w.a21 + pairs * l->q;
    }
    for (size_t i = 0; ok && i < l->p; i++) {
        ok = l->n_thresholds[i] ? set_thresholds(&w, i) : set_moments(&w, i);
        if (ok && scores) score_item(&w, i);
    }
    for (size_t i = 0; ok && i < l->p; i++)
        for (size_t j = 0; ok && j < i; j++) ok = pair(&w, i, j, &correlation[i * (i - 1) / 2 + j]);
    if (ok && scores) ok = asymptotics(&w, correlation, gamma, influence);
    else if (ok) to_covariances(&w, correlation, NULL);
    free(correlation), free(w.score), free(w.a21);
    return ok;
}
