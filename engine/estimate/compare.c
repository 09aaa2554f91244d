/* Differences between the levels of the crossing's last variable, within each combination of the others, with the
 * covariance that a common design, common clusters and common margins bring. */
#include "estimate/estimate.h"

#include <math.h>
#include <stdlib.h>

/* One form of an item over the levels of the last variable. */
struct series {
    const est_context *x;
    const est_item *it;
    size_t form, group, n_levels;
    est_value *values; /* [n_levels] */
    est_pair *pairs;   /* those with an estimate */
    size_t *place;     /* [n_levels] in pairs, RSP_NONE: no estimate */
    size_t p;
    double *vcov, *contrast;
    size_t *domains; /* scratch [n_levels] */
    est_differences *out;
    est_work *work;
};

static void find_pairs(struct series *s) {
    s->p = 0;
    for (size_t l = 0; l < s->n_levels; l++) {
        s->place[l] = RSP_NONE;
        if (isnan(s->values[l].estimate)) continue;
        s->place[l] = s->p;
        s->pairs[s->p++] = (est_pair){s->form, s->group * s->n_levels + l};
    }
}

static void covariance(struct series *s) {
    uint32_t flags = 0;
    if (s->p) est_vcov(s->x, s->it, s->pairs, s->p, s->vcov, &flags, s->work);
    for (size_t l = 0; l < s->n_levels; l++) {
        if (s->place[l] == RSP_NONE) continue;
        s->values[l].flags |= flags;
        s->values[l].variance = s->vcov[s->place[l] * s->p + s->place[l]];
    }
}

/* The contrast's estimate, error and p; df of the respondents of every level that has part in it. */
static void evaluate(struct series *s, est_difference *d) {
    const size_t n = s->n_levels, base = s->it->forms[s->form].base;
    double variance = 0;
    size_t n_domains = 0;
    d->estimate = d->n = 0;
    d->base = INT64_MAX;
    for (size_t l = 0; l < n; l++) {
        if (s->place[l] == RSP_NONE || (s->contrast[l] == 0 && d->second != RSP_NONE)) continue;
        d->estimate += s->contrast[l] * s->values[l].estimate;
        d->n += s->values[l].n;
        d->flags |= s->values[l].flags;
        if (s->values[l].base < d->base) d->base = s->values[l].base;
        s->domains[n_domains++] = s->group * n + l;
        for (size_t m = 0; m < n; m++)
            if (s->place[m] != RSP_NONE)
                variance += s->contrast[l] * s->contrast[m] * s->vcov[s->place[l] * s->p + s->place[m]];
    }
    est_design_of(s->x, s->it, base, s->domains, n_domains, &d->df, &d->organisations, s->work);
    if (!(variance > 0)) { /* both sides exactly 0 or 1, or no variance at all: neither error nor test */
        d->df = NAN;
        return;
    }
    d->se = sqrt(variance);
    if (d->df > 0) d->p = rsp_t_two_sided(d->estimate / d->se, d->df);
}

static void add_pair(struct series *s, size_t first, size_t second) {
    est_difference d = {s->group, s->form, first, second, NAN, NAN, NAN, NAN, NAN, 0, -1, -1};
    if (s->place[first] == RSP_NONE || s->place[second] == RSP_NONE) {
        d.flags = s->values[first].flags | s->values[second].flags;
    } else {
        for (size_t l = 0; l < s->n_levels; l++) s->contrast[l] = 0;
        s->contrast[first] = 1;
        s->contrast[second] = -1;
        evaluate(s, &d);
    }
    RSP_PUSH(s->out->rows, s->out->n, s->out->capacity, d);
}

/* A country against the mean of the participating countries' estimates, its own among them. */
static void add_average(struct series *s, size_t first) {
    est_difference d = {s->group, s->form, first, RSP_NONE, NAN, NAN, NAN, NAN, NAN, 0, -1, -1};
    if (s->place[first] == RSP_NONE || s->p < 2) {
        d.flags = s->values[first].flags;
    } else {
        for (size_t l = 0; l < s->n_levels; l++) s->contrast[l] = s->place[l] == RSP_NONE ? 0 : -1 / (double) s->p;
        s->contrast[first] += 1;
        evaluate(s, &d);
    }
    RSP_PUSH(s->out->rows, s->out->n, s->out->capacity, d);
}

static void compare_series(struct series *s) {
    find_pairs(s);
    covariance(s);
    for (size_t a = 0; a < s->n_levels; a++)
        for (size_t b = a + 1; b < s->n_levels; b++) add_pair(s, a, b);
    bool countries = s->x->who->country_axis == s->x->who->n_variables - 1;
    for (size_t a = 0; countries && a < s->n_levels; a++) add_average(s, a);
}

void est_compare(const est_context *x, const est_item *it, est_value *values, est_differences *out, est_work *w) {
    const est_people *who = x->who;
    size_t n = who->n_codes[who->n_variables - 1], groups = n ? who->n_domains / n : 0;
    struct series s = {.x = x, .it = it, .n_levels = n, .out = out, .work = w};
    s.pairs = rsp_malloc((n + 1) * sizeof *s.pairs);
    s.place = rsp_malloc((n + 1) * sizeof *s.place);
    s.domains = rsp_malloc((n + 1) * sizeof *s.domains);
    s.contrast = rsp_malloc((n + 1) * sizeof *s.contrast);
    s.vcov = rsp_malloc((n * n + 1) * sizeof *s.vcov);
    for (s.group = 0; s.group < groups; s.group++) {
        for (s.form = 0; s.form < it->n_forms; s.form++) {
            if (!it->forms[s.form].compared) continue;
            s.values = values + s.form * who->n_domains + s.group * n;
            compare_series(&s);
        }
    }
    free(s.pairs);
    free(s.place);
    free(s.domains);
    free(s.contrast);
    free(s.vcov);
}
