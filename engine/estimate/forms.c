/* Statistics as functions of a cell's weighted totals, and their gradients. */
#include "estimate/estimate.h"

#include <math.h>
#include <stdlib.h>

static double linear(const double *a, const double *totals, size_t k) {
    double sum = 0;
    for (size_t l = 0; l < k; l++)
        if (a[l] != 0) sum += a[l] * totals[l];
    return sum;
}

/* sd = sqrt(n/(n-1) sum w (y-m)^2 / sum w): the finite-sample factor makes it the usual one where weights are equal. */
static double value(const est_form *f, size_t k, const double *totals, double n) {
    if (f->shape == EST_TOTAL) return linear(f->a, totals, k);
    double below = linear(f->b, totals, k);
    if (below == 0) return NAN;
    double ratio = linear(f->a, totals, k) / below;
    if (f->shape == EST_RATIO) return ratio;
    if (n < 2) return NAN;
    double spread = linear(f->a2, totals, k) / below - ratio * ratio;
    return sqrt(n / (n - 1) * (spread > 0 ? spread : 0));
}

static void gradient(const est_form *f, size_t k, const double *totals, double n, double *g) {
    if (f->shape == EST_TOTAL) {
        for (size_t l = 0; l < k; l++) g[l] = f->a[l];
        return;
    }
    double below = linear(f->b, totals, k), ratio = linear(f->a, totals, k) / below;
    if (f->shape == EST_RATIO) {
        for (size_t l = 0; l < k; l++) g[l] = (f->a[l] - ratio * f->b[l]) / below;
        return;
    }
    double sd = value(f, k, totals, n), factor = n / (n - 1), spread = sd * sd / factor;
    for (size_t l = 0; l < k; l++) {
        double square = f->a2[l] - 2 * ratio * f->a[l] + ratio * ratio * f->b[l];
        g[l] = sd > 0 ? factor * (square - spread * f->b[l]) / (2 * sd * below) : isnan(sd) ? NAN : 0;
    }
}

/* Countries with an answer in this domain: those whose estimates are averaged. */
static size_t countries_with_data(const est_people *who, const est_item *it, const est_form *f, size_t domain) {
    size_t count = 0;
    for (size_t c = 0; c < who->n_countries; c++)
        count += est_base_of_cell(it, f->base, domain * who->n_countries + c) > 0;
    return count;
}

double est_value_of(const est_people *who, const est_item *it, const est_form *f, size_t domain, const double *totals) {
    double sum = 0, count = 0;
    for (size_t c = 0; c < who->n_countries; c++) {
        size_t cell = domain * who->n_countries + c;
        int64_t n = est_base_of_cell(it, f->base, cell);
        if (!n) continue;
        sum += value(f, it->measure.k, totals + cell * it->measure.k, (double) n);
        count++;
    }
    return count > 0 ? sum / count : NAN;
}

void est_gradient_of(const est_people *who, const est_item *it, const est_form *f, size_t domain, double *g) {
    size_t k = it->measure.k;
    double count = (double) countries_with_data(who, it, f, domain);
    for (size_t c = 0; c < who->n_countries; c++) {
        size_t cell = domain * who->n_countries + c;
        int64_t n = est_base_of_cell(it, f->base, cell);
        double *of = g + c * k;
        for (size_t l = 0; l < k; l++) of[l] = 0;
        if (!n) continue;
        gradient(f, k, it->full + cell * k, (double) n, of);
        for (size_t l = 0; l < k; l++) of[l] /= count;
    }
}

/* Weighted respondents of a cell that count in the form's base. */
static double weight_of_cell(const est_item *it, const est_form *f, size_t cell) {
    const double *totals = it->full + cell * it->measure.k;
    if (it->measure.kind != EST_LEVELS) return totals[0];
    double sum = 0;
    for (size_t l = 0; l < it->measure.k; l++)
        if (!it->bases[f->base] || it->bases[f->base][l]) sum += totals[l];
    return sum;
}

/* What each country's weights are multiplied by so that the pooled distribution is the one the statistic is of. */
static double pooling(const est_people *who, const est_item *it, const est_form *f, size_t cell, double countries) {
    if (who->n_countries == 1) return 1;
    return f->shape == EST_TOTAL ? 1 / countries : 1 / (countries * weight_of_cell(it, f, cell));
}

static double contribution(const est_measure *m, const double *g, size_t i) {
    if (m->kind == EST_PAIR) return g[0] + g[1] * m->y[i] + g[2] * m->x[i];
    double y = m->y[i] - m->shift, power = 1, sum = 0;
    for (size_t l = 0; l < m->k; l++, power *= y) sum += g[l] * power;
    return sum;
}

static double squares_of_rows(const est_people *who, const est_item *it, const est_form *f, size_t domain,
                              const double *g, double mean, double countries) {
    double sum = 0;
    for (size_t r = who->start[domain]; r < who->start[domain + 1]; r++) {
        size_t i = who->rows[r];
        if (!est_counted(it, f->base, i)) continue;
        double u = contribution(&it->measure, g, i) - mean;
        sum += pooling(who, it, f, (size_t) who->cell[i], countries) * who->weight[i] * u * u;
    }
    return sum;
}

/* The linearised value u of the pooled distribution, its weighted variance s^2 = n/(n-1) sum w (u - mean)^2 / W, and
 * from it W^2 s^2 / n: for a mean that is s^2(y)/n, for a total W^2 s^2(y)/n. */
double est_srs_variance(const est_people *who, const est_item *it, const est_form *f, size_t domain) {
    size_t k = it->measure.k;
    double *totals = rsp_calloc(2 * k, sizeof *totals), *g = totals + k;
    double n = (double) est_base_of_domain(who, it, f->base, domain), weight = 0;
    double countries = (double) countries_with_data(who, it, f, domain);
    for (size_t c = 0; c < who->n_countries; c++) {
        size_t cell = domain * who->n_countries + c;
        if (!est_base_of_cell(it, f->base, cell)) continue;
        double by = pooling(who, it, f, cell, countries);
        weight += by * weight_of_cell(it, f, cell);
        for (size_t l = 0; l < k; l++) totals[l] += by * it->full[cell * k + l];
    }
    gradient(f, k, totals, n, g);
    double sum = 0;
    if (it->measure.kind == EST_LEVELS) {
        const uint8_t *base = it->bases[f->base];
        double mean = 0;
        for (size_t l = 0; l < k; l++) mean += !base || base[l] ? totals[l] * g[l] / weight : 0;
        for (size_t l = 0; l < k; l++) sum += !base || base[l] ? totals[l] * (g[l] - mean) * (g[l] - mean) : 0;
    } else {
        sum = squares_of_rows(who, it, f, domain, g, linear(g, totals, k) / weight, countries);
    }
    free(totals);
    return n > 1 ? n / (n - 1) * sum * weight / n : NAN;
}
