/* Do people of one organisation see it alike? Unweighted, over listwise complete rows of units with two respondents or
 * more; a unit with one says nothing about agreement.
 *
 * ICC(1) and ICC(2) from the one-way analysis of variance of the scale's mean, with the average size of a unit (Bliese
 * 2000; Shrout and Fleiss 1979), intervals from the F distribution (McGraw and Wong 1996). r_wg(j) compares the mean
 * variance of j items in a unit with that of answers drawn evenly over the A codes, (A^2 - 1) / 12 (James, Demaree and
 * Wolf 1984); more variance than that counts as no agreement. Its mean and median over units are given. */
#include "measure/scale.h"
#include "responsive/clean.h"

#include <gsl/gsl_cdf.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* One unit's sums. */
struct unit {
    size_t n;
    double sum, squares;    /* of the scale's mean, squares around its mean */
    double *item, *item_ss; /* [p] */
};

struct units {
    size_t n, p;
    struct unit *unit;
    rsp_arena *a;
};

/* Reads a row's items; false where one is missing. */
static bool read_row(const rsp_sample *s, const rsp_scale *x, size_t i, double *value, double *mean) {
    *mean = 0;
    for (size_t j = 0; j < x->n_items; j++) {
        value[j] = rsp_value_reversed(s->frame, x->items[j], i);
        if (isnan(value[j])) return false;
        *mean += value[j] / (double) x->n_items;
    }
    return true;
}

/* Two passes, so that sums of squares are around the means. */
static struct units read_units(const rsp_sample *s, const rsp_analysis *an, rsp_arena *a) {
    const rsp_scale *x = &an->scale;
    rsp_categories c;
    rsp_categorise(s->frame, x->agreement, a, &c);
    struct units u = {c.n, x->n_items, RSP_ARRAY(a, struct unit, c.n + 1), a};
    double *value = RSP_ARRAY(a, double, 2 * u.p * (c.n + 1) + u.p), *room = value + u.p, mean;
    uint8_t *take = RSP_ARRAY(a, uint8_t, s->n + 1);
    memset(take, 1, s->n);
    if (an->filter) rsp_eval_filter(s->frame, an->filter, take);
    for (size_t g = 0; g < c.n; g++) {
        u.unit[g].item = room + 2 * u.p * g;
        u.unit[g].item_ss = u.unit[g].item + u.p;
    }
    for (int pass = 0; pass < 2; pass++)
        for (size_t i = 0; i < s->n; i++) {
            if (!take[i] || c.category[i] < 0 || !read_row(s, x, i, value, &mean)) continue;
            struct unit *g = &u.unit[c.category[i]];
            g->n += pass == 0;
            double n = (double) g->n;
            if (pass == 0) g->sum += mean;
            else g->squares += (mean - g->sum / n) * (mean - g->sum / n);
            for (size_t j = 0; j < u.p; j++) {
                double gap = value[j] - g->item[j] / n;
                if (pass == 0) g->item[j] += value[j];
                else g->item_ss[j] += gap * gap;
            }
        }
    return u;
}

static size_t count_units(struct units *u, size_t *n) {
    size_t kept = 0;
    *n = 0;
    for (size_t g = 0; g < u->n; g++) {
        if (u->unit[g].n < 2) continue;
        u->unit[kept++] = u->unit[g];
        *n += u->unit[g].n;
    }
    return u->n = kept;
}

static rsp_row *add(const rsp_analysis *an, const char *level, const char *statistic, const struct units *u, size_t n,
                    rsp_results *out) {
    rsp_row *r = rsp_results_add(out, an->id, NULL, an->scale.name, level, statistic);
    r->n = (double) n;
    r->base = (int64_t) n;
    r->organisations = (int64_t) u->n;
    return r;
}

static void add_icc(const rsp_analysis *an, const struct units *u, size_t n, rsp_results *out) {
    double grand = 0, between = 0, within = 0, df1 = (double) u->n - 1, df2 = (double) (n - u->n);
    for (size_t g = 0; g < u->n; g++) grand += u->unit[g].sum / (double) n;
    for (size_t g = 0; g < u->n; g++) {
        double size = (double) u->unit[g].n, gap = u->unit[g].sum / size - grand;
        between += size * gap * gap;
        within += u->unit[g].squares;
    }
    bool enough = u->n > 1 && df2 > 0 && within > 0;
    double k = (double) n / (double) u->n, f = between / df1 / (within / df2);
    rsp_row *one = add(an, NULL, "icc1", u, n, out);
    if (enough) {
        double low = f / gsl_cdf_fdist_Pinv(0.975, df1, df2), high = f * gsl_cdf_fdist_Pinv(0.975, df2, df1);
        one->estimate = (f - 1) / (f + k - 1);
        one->lower = (low - 1) / (low + k - 1);
        one->upper = (high - 1) / (high + k - 1);
        one->df1 = df1;
        one->df = df2;
        one->p = rsp_f_upper(f, df1, df2);
    } else {
        one->flags = u->n ? RSP_F_SINGULAR : RSP_F_EMPTY;
    }
    uint32_t flags = one->flags;
    rsp_row *two = add(an, NULL, "icc2", u, n, out);
    two->flags = flags;
    if (!enough) return;
    two->estimate = 1 - 1 / f;
    two->lower = 1 - gsl_cdf_fdist_Pinv(0.975, df1, df2) / f;
    two->upper = 1 - 1 / (f * gsl_cdf_fdist_Pinv(0.975, df2, df1));
}

/* Number of valid codes, the same for all items; 0 where items are not of that sort. */
static size_t answer_codes(const rsp_study *s, const rsp_scale *x) {
    size_t codes = 0;
    for (size_t j = 0; j < x->n_items; j++) {
        const rsp_list *list = s->variables[x->items[j]].list;
        size_t valid = 0;
        for (size_t k = 0; list && k < list->n; k++) valid += !list->choices[k].missing;
        if (!valid || (codes && valid != codes)) return 0;
        codes = valid;
    }
    return codes;
}

static int compare_numbers(const void *a, const void *b) {
    double x = *(const double *) a, y = *(const double *) b;
    return x < y ? -1 : x > y;
}

static void add_r_wg(const rsp_analysis *an, const struct units *u, size_t n, size_t codes, rsp_results *out) {
    double *r = RSP_ARRAY(u->a, double, u->n + 1), mean = 0, j = (double) u->p,
           even = ((double) codes * (double) codes - 1) / 12;
    for (size_t g = 0; g < u->n; g++) {
        double variance = 0;
        for (size_t i = 0; i < u->p; i++) variance += u->unit[g].item_ss[i] / (double) (u->unit[g].n - 1) / j;
        double ratio = fmin(1, variance / even);
        r[g] = j * (1 - ratio) / (j * (1 - ratio) + ratio);
        mean += r[g] / (double) u->n;
    }
    qsort(r, u->n, sizeof *r, compare_numbers);
    for (int k = 0; k < 2; k++) {
        rsp_row *row = add(an, k ? "median" : "mean", "r_wg_j", u, n, out);
        if (u->n) row->estimate = k ? (r[(u->n - 1) / 2] + r[u->n / 2]) / 2 : mean;
        else row->flags = RSP_F_EMPTY;
    }
}

void rsp_measure_agreement(const rsp_sample *s, const rsp_analysis *an, rsp_results *out) {
    rsp_arena *a = rsp_arena_new();
    struct units u = read_units(s, an, a);
    size_t n, codes = answer_codes(s->frame->study, &an->scale);
    count_units(&u, &n);
    add(an, NULL, "groups", &u, n, out)->estimate = (double) u.n;
    add_icc(an, &u, n, out);
    if (codes > 1) add_r_wg(an, &u, n, codes, out);
    rsp_arena_free(a);
}
