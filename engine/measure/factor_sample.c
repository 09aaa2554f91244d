/* The respondents of a factor model by group, and their moments. */
#include "base/arena.h"
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
    size_t *start; /* [groups.n + 1] */
    uint32_t *row;
    bool some; /* an answer to one item is enough */
    bool weighted;
};

static size_t group_of(const struct reader *r, size_t row) {
    return r->groups.category ? (size_t) r->groups.category[row] : 0;
}

static size_t blocks_of(size_t n) { return (n + RSP_BLOCK - 1) / RSP_BLOCK; }
static size_t end_of(size_t block, size_t n) { return (block + 1) * RSP_BLOCK < n ? (block + 1) * RSP_BLOCK : n; }

/* Marks and counts [groups.n] a block's rows that enter. value: room for a block of answers; answers: likewise, of counts. */
static void choose_block(const struct reader *r, size_t block, double *value, uint32_t *answers, size_t *count) {
    const rsp_sample *s = r->s;
    size_t from = block * RSP_BLOCK, to = end_of(block, s->n), least = r->some ? 1 : r->x->n_items;
    memset(answers, 0, (to - from) * sizeof *answers);
    for (size_t j = 0; j < r->x->n_items; j++) {
        rsp_read_values(s->frame, r->x->variable[j], false, from, to, value);
        for (size_t i = 0; i < to - from; i++) answers[i] += !isnan(value[i]);
    }
    for (size_t i = from; i < to; i++) {
        if (answers[i - from] < least || (r->weighted && !(s->weight[i] > 0))) r->take[i] = 0;
        if (r->groups.category && r->groups.category[i] < 0) r->take[i] = 0;
        if (s->country && r->take[i]) r->take[i] = s->country[i] >= 0 && s->countries[s->country[i]].eligible;
        if (r->take[i]) count[group_of(r, i)]++;
    }
}

/* r->row: the rows that enter, group by group and ascending; r->start: where a group's begin. */
static void choose_rows(struct reader *r, rsp_arena *a) {
    size_t blocks = blocks_of(r->s->n), groups = r->groups.n, n = 0;
    size_t *count = rsp_calloc(blocks * groups + 1, sizeof *count); /* then: the place of the next */
#pragma omp parallel num_threads(rsp_threads()) if (blocks > 1)
    {
        double *value = rsp_malloc(RSP_BLOCK * sizeof *value);
        uint32_t *answers = rsp_malloc(RSP_BLOCK * sizeof *answers);
#pragma omp for schedule(static)
        for (size_t b = 0; b < blocks; b++) choose_block(r, b, value, answers, count + b * groups);
        free(value), free(answers);
    }
    r->start = RSP_ARRAY(a, size_t, groups + 1);
    for (size_t c = 0; c < groups; c++) {
        r->start[c] = n;
        for (size_t b = 0; b < blocks; b++) {
            size_t here = count[b * groups + c];
            count[b * groups + c] = n;
            n += here;
        }
    }
    r->start[groups] = n;
    r->row = rsp_malloc((n + 1) * sizeof *r->row);
#pragma omp parallel for schedule(static) num_threads(rsp_threads()) if (blocks > 1)
    for (size_t b = 0; b < blocks; b++)
        for (size_t i = b * RSP_BLOCK; i < end_of(b, r->s->n); i++)
            if (r->take[i]) r->row[count[b * groups + group_of(r, i)]++] = (uint32_t) i;
    free(count);
}

/* Answers [n * p] and weights of n rows (ascending), each item's for a stretch of the sample at once. */
static void read_rows(const struct reader *r, const uint32_t *row, size_t n, double *x, double *w, double *value) {
    size_t p = r->x->n_items;
    for (size_t from = 0, to; from < n; from = to) {
        uint32_t first = row[from];
        for (to = from; to < n && row[to] - first < RSP_BLOCK;) to++;
        for (size_t j = 0; j < p; j++) {
            rsp_read_values(r->s->frame, r->x->variable[j], false, first, row[to - 1] + 1, value);
            for (size_t i = from; i < to; i++) x[i * p + j] = value[row[i] - first];
        }
    }
    for (size_t i = 0; w && i < n; i++) w[i] = r->x->scale * r->s->weight[row[i]];
}

static bool read_group(const struct reader *r, size_t category, rsp_arena *a, rsp_sem_sample *out) {
    size_t p = r->x->n_items, n = r->start[category + 1] - r->start[category], blocks = blocks_of(n);
    const uint32_t *row = r->row + r->start[category];
    double *x = rsp_malloc((n * p + 1) * sizeof *x), *w = r->weighted ? rsp_malloc((n + 1) * sizeof *w) : NULL;
#pragma omp parallel num_threads(rsp_threads()) if (blocks > 1)
    {
        double *value = rsp_malloc(RSP_BLOCK * sizeof *value);
#pragma omp for schedule(static)
        for (size_t b = 0; b < blocks; b++) {
            size_t from = b * RSP_BLOCK;
            read_rows(r, row + from, end_of(b, n) - from, x + from * p, w ? w + from : NULL, value);
        }
        free(value);
    }
    bool ok = rsp_sem_sample_new(x, w, row, n, p, a, out);
    free(x), free(w);
    return ok;
}

/* Are groups to be read side by side? Where one holds more than a thread's part, its blocks are dealt out instead. */
static bool side_by_side(const struct reader *r) {
    size_t largest = 0, n = r->start[r->groups.n];
    for (size_t c = 0; c < r->groups.n; c++)
        if (r->start[c + 1] - r->start[c] > largest) largest = r->start[c + 1] - r->start[c];
    return n > RSP_BLOCK && largest * (size_t) rsp_threads() <= n;
}

/* x->group: of the categories that have rows. Every group is read into an arena of its own, which goes over into a. */
static void read_moments(const struct reader *r, bool pairwise, rsp_factor_sample *x, rsp_arena *a) {
    size_t *category = RSP_ARRAY(a, size_t, r->groups.n);
    bool usable = true;
    for (size_t c = 0; c < r->groups.n; c++)
        if (r->start[c + 1] > r->start[c]) category[x->n_groups++] = c;
    rsp_arena **own = RSP_ARRAY(a, rsp_arena *, x->n_groups + 1);
#pragma omp parallel for schedule(dynamic, 1) num_threads(rsp_threads()) reduction(&& : usable) if (side_by_side(r))
    for (size_t g = 0; g < x->n_groups; g++) {
        own[g] = rsp_arena_new();
        bool moments = read_group(r, category[g], own[g], &x->group[g]) || pairwise; /* which needs none of all items */
        usable = usable && moments && x->group[g].n > x->n_items;
    }
    for (size_t g = 0; g < x->n_groups; g++) {
        rsp_arena_join(a, own[g]);
        if (x->code) x->code[g] = r->groups.code[category[g]];
        x->n += x->group[g].n;
    }
    x->usable = usable && x->n_groups > 0;
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

/* ---- ordinal items ---------------------------------------------------------------------------------------------- */

static bool is_ordinal(const rsp_factor_model *f, size_t variable) {
    bool ordinal = f->all_ordered;
    for (size_t k = 0; k < f->n_ordered; k++) ordinal |= f->ordered[k] == variable;
    return ordinal;
}

static int compare_numbers(const void *a, const void *b) {
    double x = *(const double *) a, y = *(const double *) b;
    return (x > y) - (x < y);
}

/* The code of an answer with this number, or the number itself. */
static const char *value_text(const rsp_study *s, size_t variable, double value, rsp_arena *a) {
    const rsp_list *list = s->variables[variable].list;
    for (size_t k = 0; list && k < list->n; k++)
        if (!list->choices[k].missing && list->choices[k].value == value) return list->choices[k].code;
    char text[32];
    rsp_double_text(value, text);
    return rsp_strdup(a, text);
}

/* A group's answers by row, as its patterns stand; NaN where there is none. */
static double *answers_of(const rsp_factor_sample *x, size_t group, rsp_arena *a) {
    const rsp_sem_sample *g = &x->group[group];
    size_t p = x->n_items;
    double *answer = RSP_ARRAY(a, double, g->n *p + 1);
    for (size_t i = 0; i < g->n * p; i++) answer[i] = NAN;
    for (size_t k = 0; k < g->n_patterns; k++) {
        const rsp_sem_pattern *o = &g->pattern[k];
        for (size_t i = o->from; i < o->from + o->n; i++)
            for (size_t j = 0; j < o->q; j++) answer[i * p + o->observed[j]] = g->x[i * p + o->observed[j]];
    }
    return answer;
}

/* Distinct answers to an item in all groups, ascending; more than RSP_MOST_ANSWERS: it is no ordinal item. */
static size_t distinct_values(const rsp_factor_sample *x, double *const *answer, size_t item,
                              double value[RSP_MOST_ANSWERS + 1]) {
    size_t n = 0;
    for (size_t g = 0; g < x->n_groups; g++)
        for (size_t i = 0; i < x->group[g].n && n <= RSP_MOST_ANSWERS; i++) {
            double y = answer[g][i * x->n_items + item];
            size_t k = 0;
            while (k < n && value[k] != y) k++;
            if (k == n && !isnan(y)) value[n++] = y;
        }
    qsort(value, n, sizeof *value, compare_numbers);
    return n;
}

/* Names of the thresholds of an item: the codes below and above. */
static const char **threshold_names(const rsp_factor_sample *x, size_t item, const double *value, size_t n,
                                    rsp_arena *a) {
    const rsp_study *s = x->sample->frame->study;
    const char **names = RSP_ARRAY(a, const char *, n + 1);
    for (size_t k = 0; k + 1 < n; k++)
        names[k] = rsp_printf(a, "%s|%s", value_text(s, x->variable[item], value[k], a),
                              value_text(s, x->variable[item], value[k + 1], a));
    return names;
}

static void code_answers(const rsp_factor_sample *x, double *answer, size_t n, double (*value)[RSP_MOST_ANSWERS + 1]) {
    for (size_t i = 0; i < n * x->n_items; i++) {
        size_t item = i % x->n_items, k = 0;
        if (!x->layout.n_thresholds[item] || isnan(answer[i])) continue;
        while (value[item][k] != answer[i]) k++;
        answer[i] = (double) k;
    }
}

/* A group's statistics, which stand in for moments where the model's cells begin; influence [n*q]: NULL without a design. */
static bool read_statistics(rsp_factor_sample *x, size_t group, const double *answer, double *influence, rsp_arena *a) {
    rsp_sem_sample *g = &x->group[group];
    const rsp_item_layout *l = &x->layout;
    size_t p = x->n_items, q = l->q;
    double *stat = RSP_ARRAY(a, double, q), *gamma = RSP_ARRAY(a, double, q *q), *cov = RSP_ARRAY(a, double, p *p),
           *mean = RSP_ARRAY(a, double, p);
    bool ok = rsp_polychoric(l, &(rsp_item_answers){g->n, answer, g->w}, stat, influence ? NULL : gamma, influence);
    for (size_t i = 0; i < p; i++) {
        bool ordinal = l->n_thresholds[i] > 0;
        mean[i] = ordinal ? 0 : stat[l->first[i]];
        cov[i * p + i] = ordinal ? 1 : stat[l->variance[i]];
        for (size_t j = 0; j < i; j++) cov[i * p + j] = cov[j * p + i] = stat[rsp_item_pair(l, i, j)];
    }
    g->mean = mean;
    g->cov = cov;
    x->wls[group] = (rsp_wls_sample){.n = g->n, .weight = g->weight, .stat = stat, .gamma = gamma};
    return ok;
}

static bool read_groups(const rsp_factor_model *f, rsp_factor_sample *x, double *const *answer, rsp_arena *a,
                        rsp_diag *d) {
    double **influence = rsp_calloc(x->n_groups + 1, sizeof *influence);
    bool ok = true;
    for (size_t g = 0; ok && g < x->n_groups; g++) {
        if (f->weighted) influence[g] = rsp_malloc((x->group[g].n * x->layout.q + 1) * sizeof **influence);
        ok = read_statistics(x, g, answer[g], influence[g], a);
    }
    if (ok && f->weighted) x->lonely = !rsp_factor_covary(x, influence, a, d);
    for (size_t g = 0; g < x->n_groups; g++) free(influence[g]);
    free(influence);
    return ok;
}

static bool read_ordinal(const rsp_factor_model *f, rsp_factor_sample *x, rsp_arena *a, rsp_diag *d) {
    size_t p = x->n_items, *thresholds = RSP_ARRAY(a, size_t, p);
    double(*value)[RSP_MOST_ANSWERS + 1] = rsp_calloc(p, sizeof *value);
    double **answer = RSP_ARRAY(a, double *, x->n_groups + 1);
    bool ok = true;
    x->values = RSP_ARRAY(a, const char **, p);
    x->wls = RSP_ARRAY(a, rsp_wls_sample, x->n_groups + 1);
    for (size_t g = 0; g < x->n_groups; g++) answer[g] = answers_of(x, g, a);
    for (size_t i = 0; i < p; i++) {
        if (!is_ordinal(f, x->variable[i])) continue;
        size_t n = distinct_values(x, answer, i, value[i]);
        ok = ok && n > 1 && n <= RSP_MOST_ANSWERS;
        thresholds[i] = n > 1 ? n - 1 : 1;
        x->values[i] = threshold_names(x, i, value[i], n, a);
    }
    rsp_item_layout_new(p, thresholds, a, &x->layout);
    for (size_t g = 0; ok && g < x->n_groups; g++) code_answers(x, answer[g], x->group[g].n, value);
    if (ok) ok = read_groups(f, x, answer, a, d);
    for (size_t g = 0; g < x->n_groups; g++)
        if (!x->wls[g].stat) x->wls[g].stat = RSP_ARRAY(a, double, x->layout.q);
    free(value);
    return ok;
}

rsp_factor_sample *rsp_factor_sample_new(const rsp_sample *s, const rsp_factor_model *f, const rsp_expr *filter,
                                         const uint8_t *take, rsp_arena *a, rsp_diag *d) {
    rsp_factor_sample *x = RSP_NEW(a, rsp_factor_sample);
    struct reader r = {.s = s,
                       .x = x,
                       .groups = {.n = 1},
                       .take = RSP_ARRAY(a, uint8_t, s->n + 1),
                       .some = f->fiml || f->pairwise,
                       .weighted = f->weighted};
    size_t n_factors;
    const char **factors;
    rsp_factor_names(f->syntax, a, &x->n_items, &x->item, &n_factors, &factors);
    x->variable = RSP_ARRAY(a, size_t, x->n_items);
    for (size_t j = 0; j < x->n_items; j++) x->variable[j] = rsp_study_variable(s->frame->study, x->item[j]);
    if (f->group != RSP_NONE) rsp_categorise(s->frame, f->group, a, &r.groups);
    memset(r.take, 1, s->n);
    if (filter) rsp_eval_filter(s->frame, filter, r.take);
    for (size_t i = 0; take && i < s->n; i++) r.take[i] &= take[i] != 0;
    choose_rows(&r, a);
    x->sample = s;
    set_scale(&r, x);
    x->group_name = f->group_name;
    x->code = f->group == RSP_NONE ? NULL : RSP_ARRAY(a, const char *, r.groups.n);
    x->group = RSP_ARRAY(a, rsp_sem_sample, r.groups.n);
    read_moments(&r, f->pairwise, x, a);
    free(r.row);
    if (rsp_limited_information(f)) x->usable &= read_ordinal(f, x, a, d);
    return x;
}
