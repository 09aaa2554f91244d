/* The respondents of a factor model by group, and their moments. */
#include "measure/factor_cells.h"
#include "responsive/clean.h"

#include <math.h>
#include <string.h>

static void moments(double *x, size_t n, size_t p, rsp_arena *a, rsp_sem_sample *out) {
    double *mean = RSP_ARRAY(a, double, p), *cov = RSP_ARRAY(a, double, p *p);
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < p; j++) mean[j] += x[i * p + j] / (double) n;
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < p; j++)
            for (size_t k = 0; k <= j; k++)
                cov[j * p + k] += (x[i * p + j] - mean[j]) * (x[i * p + k] - mean[k]) / (double) n;
    for (size_t j = 0; j < p; j++)
        for (size_t k = 0; k < j; k++) cov[k * p + j] = cov[j * p + k];
    *out = (rsp_sem_sample){n, mean, cov, x};
}

/* More respondents than items, and no item with one answer only. */
static bool usable(const rsp_factor_sample *x) {
    size_t p = x->n_items;
    bool ok = x->n_groups > 0;
    for (size_t g = 0; g < x->n_groups; g++) {
        ok = ok && x->group[g].n > p;
        for (size_t i = 0; i < p; i++) ok = ok && x->group[g].cov[i * p + i] > 0;
    }
    return ok;
}

struct reader {
    const rsp_sample *s;
    const rsp_factor_sample *x;
    rsp_categories groups;
    uint8_t *take;
    size_t *count; /* [groups.n] */
};

static size_t group_of(const struct reader *r, size_t row) {
    return r->groups.category ? (size_t) r->groups.category[row] : 0;
}

/* Marks and counts the rows that enter. */
static void choose_rows(struct reader *r) {
    const rsp_sample *s = r->s;
    for (size_t i = 0; i < s->n; i++) {
        for (size_t j = 0; r->take[i] && j < r->x->n_items; j++)
            r->take[i] = !isnan(rsp_value(s->frame, r->x->variable[j], i));
        if (r->groups.category && r->groups.category[i] < 0) r->take[i] = 0;
        if (s->country && r->take[i]) r->take[i] = s->country[i] >= 0 && s->countries[s->country[i]].eligible;
        if (r->take[i]) r->count[group_of(r, i)]++;
    }
}

static void read_group(const struct reader *r, size_t category, rsp_arena *a, rsp_sem_sample *out) {
    size_t p = r->x->n_items, n = 0;
    double *x = RSP_ARRAY(a, double, r->count[category] * p);
    for (size_t i = 0; i < r->s->n; i++) {
        if (!r->take[i] || group_of(r, i) != category) continue;
        for (size_t j = 0; j < p; j++) x[n * p + j] = rsp_value(r->s->frame, r->x->variable[j], i);
        n++;
    }
    moments(x, n, p, a, out);
}

rsp_factor_sample *rsp_factor_sample_new(const rsp_sample *s, const rsp_factor_model *f, const rsp_expr *filter,
                                         const uint8_t *take, rsp_arena *a) {
    rsp_factor_sample *x = RSP_NEW(a, rsp_factor_sample);
    struct reader r = {.s = s, .x = x, .groups = {.n = 1}, .take = RSP_ARRAY(a, uint8_t, s->n + 1)};
    size_t n_factors;
    const char **factors;
    rsp_factor_names(f->syntax, a, &x->n_items, &x->item, &n_factors, &factors);
    x->variable = RSP_ARRAY(a, size_t, x->n_items);
    for (size_t j = 0; j < x->n_items; j++) x->variable[j] = rsp_study_variable(s->frame->study, x->item[j]);
    if (f->group != RSP_NONE) rsp_categorise(s->frame, f->group, a, &r.groups);
    r.count = RSP_ARRAY(a, size_t, r.groups.n);
    memset(r.take, 1, s->n);
    if (filter) rsp_eval_filter(s->frame, filter, r.take);
    for (size_t i = 0; take && i < s->n; i++) r.take[i] &= take[i] != 0;
    choose_rows(&r);
    x->group_name = f->group_name;
    x->code = f->group == RSP_NONE ? NULL : RSP_ARRAY(a, const char *, r.groups.n);
    x->group = RSP_ARRAY(a, rsp_sem_sample, r.groups.n);
    for (size_t c = 0; c < r.groups.n; c++) {
        if (!r.count[c]) continue;
        read_group(&r, c, a, &x->group[x->n_groups]);
        if (x->code) x->code[x->n_groups] = r.groups.code[c];
        x->n += r.count[c];
        x->n_groups++;
    }
    x->usable = usable(x);
    return x;
}
