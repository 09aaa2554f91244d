/* Quantiles: the first value whose cumulated weight reaches p. Their error comes from the distribution function at that
 * value (Woodruff 1952), which is a proportion: every answer gets the number of the bin between the domain's quantiles,
 * and the ordinary machinery does the rest, replicates and the average of countries included. */
#include "estimate/estimate.h"

#include <math.h>
#include <stdlib.h>

/* Sums of weights that should reach p exactly may miss it by rounding. */
static const double ROUNDING = 1 - 1e-12;

int est_compare_entries(const void *x, const void *y) {
    const est_entry *a = x, *b = y;
    if (a->y != b->y) return a->y < b->y ? -1 : 1;
    return a->row < b->row ? -1 : a->row > b->row;
}

/* Weight of each country's answers in the domain: where countries are averaged, each counts 1/C whatever its sum. */
static void country_weights(const est_people *who, const est_entry *e, size_t n, size_t domain, double *by) {
    double countries = 0;
    for (size_t c = 0; c < who->n_countries; c++) by[c] = 0;
    for (size_t k = 0; k < n; k++)
        by[(size_t) who->cell[e[k].row] - domain * who->n_countries] += who->weight[e[k].row];
    for (size_t c = 0; c < who->n_countries; c++) countries += by[c] > 0;
    for (size_t c = 0; c < who->n_countries; c++)
        by[c] = who->n_countries == 1 ? 1 : by[c] > 0 ? 1 / (countries * by[c]) : 0;
}

static void sort_domain(const est_people *who, const double *y, size_t domain, est_entry *e, double *by, est_item *it) {
    size_t n = 0, at = it->sorted_start[domain];
    for (size_t r = who->start[domain]; r < who->start[domain + 1]; r++)
        if (!isnan(y[who->rows[r]])) e[n++] = (est_entry){y[who->rows[r]], who->rows[r]};
    qsort(e, n, sizeof *e, est_compare_entries);
    country_weights(who, e, n, domain, by);
    double sum = 0;
    for (size_t k = 0; k < n; k++) {
        size_t country = (size_t) who->cell[e[k].row] - domain * who->n_countries;
        it->sorted[at + k] = e[k].y;
        it->cumulated[at + k] = sum += who->weight[e[k].row] * by[country];
    }
    it->sorted_start[domain + 1] = at + n;
}

double est_quantile_at(const est_item *it, size_t domain, double p) {
    size_t from = it->sorted_start[domain], to = it->sorted_start[domain + 1];
    if (!(p >= 0 && p <= 1) || from == to) return NAN;
    double target = p * it->cumulated[to - 1] * ROUNDING;
    size_t low = from, high = to - 1;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (it->cumulated[middle] >= target) high = middle;
        else low = middle + 1;
    }
    return it->sorted[low];
}

static int64_t tail_at(const est_item *it, size_t domain, double q) {
    int64_t below = 0, above = 0;
    for (size_t k = it->sorted_start[domain]; k < it->sorted_start[domain + 1]; k++) {
        below += it->sorted[k] <= q;
        above += it->sorted[k] >= q;
    }
    return below < above ? below : above;
}

/* The bin of y: how many of the domain's quantiles (by rising probability) lie below it. */
static int32_t bin_of(const est_item *it, const size_t *rising, const est_people *who, size_t domain, double y) {
    int32_t bin = 0;
    for (size_t k = 0; k < it->n_forms; k++) bin += it->quantile[rising[k] * who->n_domains + domain] < y;
    return bin;
}

static void form_of_bins(est_form *f, size_t place, size_t n, rsp_arena *a) {
    double *up_to = RSP_ARRAY(a, double, n), *all = RSP_ARRAY(a, double, n);
    for (size_t l = 0; l < n; l++) {
        up_to[l] = l <= place;
        all[l] = 1;
    }
    f->shape = EST_RATIO;
    f->a = up_to;
    f->b = all;
    f->share = true;
}

/* Forms carry level, statistic and probability already. */
void est_quantiles(const est_people *who, const double *y, est_item *it, rsp_arena *a) {
    size_t n = who->sample->n, p = it->n_forms;
    est_entry *e = rsp_malloc((n + 1) * sizeof *e);
    double *by = rsp_malloc(who->n_countries * sizeof *by);
    it->sorted = RSP_ARRAY(a, double, n);
    it->cumulated = RSP_ARRAY(a, double, n);
    it->sorted_start = RSP_ARRAY(a, size_t, who->n_domains + 1);
    it->quantile = RSP_ARRAY(a, double, p * who->n_domains);
    it->tail = RSP_ARRAY(a, int64_t, p * who->n_domains);
    for (size_t g = 0; g < who->n_domains; g++) {
        sort_domain(who, y, g, e, by, it);
        for (size_t k = 0; k < p; k++) {
            double q = est_quantile_at(it, g, it->forms[k].probability);
            it->quantile[k * who->n_domains + g] = q;
            it->tail[k * who->n_domains + g] = tail_at(it, g, q);
        }
    }
    free(e);
    free(by);

    size_t *rising = RSP_ARRAY(a, size_t, p);
    for (size_t k = 0; k < p; k++) {
        size_t at = k;
        for (; at > 0 && it->forms[rising[at - 1]].probability > it->forms[k].probability; at--)
            rising[at] = rising[at - 1];
        rising[at] = k;
    }
    for (size_t k = 0; k < p; k++) form_of_bins(&it->forms[rising[k]], k, p + 1, a);

    int32_t *bin = RSP_ARRAY(a, int32_t, n);
    for (size_t i = 0; i < n; i++) {
        int32_t cell = who->cell[i];
        bin[i] = cell < 0 || isnan(y[i]) ? -1 : bin_of(it, rising, who, (size_t) cell / who->n_countries, y[i]);
    }
    it->measure = (est_measure){.kind = EST_LEVELS, .k = p + 1, .c32 = bin};
}
