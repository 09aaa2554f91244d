/* The respondents of a factor model by group, and their moments. */
#include "measure/factor_cells.h"
#include "measure/sem_likelihood.h"
#include "responsive/clean.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct reader {
    const rsp_sample *s;
    const rsp_factor_sample *x;
    rsp_categories groups;
    uint8_t *take;
    size_t *count; /* [groups.n] */
    bool fiml, weighted;
};

static size_t group_of(const struct reader *r, size_t row) {
    return r->groups.category ? (size_t) r->groups.category[row] : 0;
}

/* Marks and counts the rows that enter. */
static void choose_rows(struct reader *r) {
    const rsp_sample *s = r->s;
    for (size_t i = 0; i < s->n; i++) {
        size_t answers = 0;
        for (size_t j = 0; r->take[i] && j < r->x->n_items; j++)
            answers += !isnan(rsp_value(s->frame, r->x->variable[j], i));
        if (answers < (r->fiml ? 1 : r->x->n_items) || (r->weighted && !(s->weight[i] > 0))) r->take[i] = 0;
        if (r->groups.category && r->groups.category[i] < 0) r->take[i] = 0;
        if (s->country && r->take[i]) r->take[i] = s->country[i] >= 0 && s->countries[s->country[i]].eligible;
        if (r->take[i]) r->count[group_of(r, i)]++;
    }
}

static bool read_group(const struct reader *r, size_t category, rsp_arena *a, rsp_sem_sample *out) {
    size_t p = r->x->n_items, n = 0;
    double *x = rsp_malloc((r->count[category] * p + 1) * sizeof *x);
    double *w = r->weighted ? rsp_malloc((r->count[category] + 1) * sizeof *w) : NULL;
    uint32_t *row = rsp_malloc((r->count[category] + 1) * sizeof *row);
    for (size_t i = 0; i < r->s->n; i++) {
        if (!r->take[i] || group_of(r, i) != category) continue;
        for (size_t j = 0; j < p; j++) x[n * p + j] = rsp_value(r->s->frame, r->x->variable[j], i);
        if (w) w[n] = r->x->scale * r->s->weight[i];
        row[n++] = (uint32_t) i;
    }
    bool ok = rsp_sem_sample_new(x, w, row, n, p, a, out);
    free(x), free(w), free(row);
    return ok;
}

/* Weights are brought to the sum of the respondents of all groups. */
static void set_scale(const struct reader *r, rsp_factor_sample *x) {
    double sum = 0, n = 0;
    x->scale = 1;
    x->df = NAN;
    if (!r->weighted) return;
    for (size_t i = 0; i < r->s->n; i++)
        if (r->take[i]) sum += r->s->weight[i], n++;
    x->scale = n / sum;
    x->df = rsp_design_df(r->s, r->take);
}

rsp_factor_sample *rsp_factor_sample_new(const rsp_sample *s, const rsp_factor_model *f, const rsp_expr *filter,
                                         const uint8_t *take, rsp_arena *a) {
    rsp_factor_sample *x = RSP_NEW(a, rsp_factor_sample);
    struct reader r = {.s = s,
                       .x = x,
                       .groups = {.n = 1},
                       .take = RSP_ARRAY(a, uint8_t, s->n + 1),
                       .fiml = f->fiml,
                       .weighted = f->weighted};
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
    x->sample = s;
    set_scale(&r, x);
    x->usable = true;
    x->group_name = f->group_name;
    x->code = f->group == RSP_NONE ? NULL : RSP_ARRAY(a, const char *, r.groups.n);
    x->group = RSP_ARRAY(a, rsp_sem_sample, r.groups.n);
    for (size_t c = 0; c < r.groups.n; c++) {
        if (!r.count[c]) continue;
        x->usable &= read_group(&r, c, a, &x->group[x->n_groups]) && r.count[c] > x->n_items;
        if (x->code) x->code[x->n_groups] = r.groups.code[c];
        x->n += r.count[c];
        x->n_groups++;
    }
    x->usable &= x->n_groups > 0;
    return x;
}
