/* Tables: every item of every domain, written in the order crossing, domain, item, level, statistic. */
#include "estimate/estimate.h"

#include "responsive/limits.h"

#include <math.h>
#include <stdlib.h>

enum { PAIRS_AT_ONCE = 8 };
/* Comparing more levels than this, each with each, is nothing that anybody reads. */
struct table {
    rsp_sample *sample;
    const rsp_analysis *analysis;
    const rsp_replicates *replicates;
    rsp_results *results;
    rsp_diag *diag;
    size_t n_differences, room;
    struct {
        size_t row, item;
        double p;
    } * differences; /* of the whole analysis: families of Holm's adjustment */
};

struct crossing {
    const struct table *table;
    est_context context;
    est_items items;
    bool compare;
    bool ambiguous;               /* another crossing compares levels of the same names in the same domains */
    est_value **values;           /* per item [n_forms * n_domains] */
    est_differences *differences; /* per item */
    rsp_arena *arena;
};

/* ---- numbers ---------------------------------------------------------------------------------------------------- */

static bool wants_variance(const est_form *f, const est_value *v) {
    bool certain = f->share && (v->estimate == 0 || v->estimate == 1);
    return !f->counted && !certain && !isnan(v->estimate);
}

static void flush_pairs(const est_context *x, const est_item *it, const est_pair *pairs, size_t p, est_value *values,
                        est_work *w) {
    double vcov[PAIRS_AT_ONCE * PAIRS_AT_ONCE];
    uint32_t flags = 0;
    est_vcov(x, it, pairs, p, vcov, &flags, w);
    for (size_t j = 0; j < p; j++) {
        est_value *v = &values[pairs[j].form * x->who->n_domains + pairs[j].domain];
        v->variance = vcov[j * p + j];
        v->flags |= flags;
    }
}

/* Domain by domain: statistics of the same rows are worked on together. */
static void variances(const est_context *x, const est_item *it, bool compare, est_value *values, est_work *w) {
    est_pair pairs[PAIRS_AT_ONCE];
    for (size_t g = 0; g < x->who->n_domains; g++) {
        size_t p = 0;
        for (size_t f = 0; f < it->n_forms; f++) {
            if ((compare && it->forms[f].compared) ||
                !wants_variance(&it->forms[f], &values[f * x->who->n_domains + g]))
                continue;
            pairs[p++] = (est_pair){f, g};
            if (p < PAIRS_AT_ONCE) continue;
            flush_pairs(x, it, pairs, p, values, w);
            p = 0;
        }
        if (p) flush_pairs(x, it, pairs, p, values, w);
    }
}

static void work_on_item(struct crossing *c, size_t j, est_work *w) {
    const est_context *x = &c->context;
    est_item *it = &c->items.items[j];
    size_t n = x->who->n_domains;
    est_value *values = c->values[j];
    est_designs(x, it, w);
    for (size_t f = 0; f < it->n_forms; f++)
        for (size_t g = 0; g < n; g++) est_describe(x, it, f, g, &values[f * n + g]);
    variances(x, it, c->compare, values, w);
    if (c->compare) est_compare(x, it, values, &c->differences[j], w);
    for (size_t f = 0; f < it->n_forms; f++)
        for (size_t g = 0; g < n; g++) est_finish(x, it, f, g, &values[f * n + g]);
}

static void work_on_items(struct crossing *c) {
    const est_people *who = c->context.who;
#pragma omp parallel for schedule(dynamic, 1) num_threads(rsp_threads())
    for (size_t j = 0; j < c->items.n; j++)
        if (!c->items.items[j].kept) est_totals_full(who, &c->items.items[j]);
    size_t n = c->context.replicates && !c->context.rep ? rsp_replicates_count(c->context.replicates) : 0;
    for (size_t from = 0, to; from < c->items.n; from = to) {
        double *rep = NULL;
        to = n ? est_end_of_batch(who, &c->items, from, n, &c->context.stride) : c->items.n;
        if (n) {
            rep = rsp_malloc((n * c->context.stride + 1) * sizeof *rep);
            est_totals_replicates(who, c->items.items + from, to - from, c->context.replicates, c->context.stride, rep);
            c->context.rep = rep;
        }
#pragma omp parallel num_threads(rsp_threads()) if (to - from > 1)
        {
            est_work w;
            est_work_init(&w, c->context.sample);
#pragma omp for schedule(dynamic, 1)
            for (size_t j = from; j < to; j++) work_on_item(c, j, &w);
            est_work_free(&w);
        }
        free(rep);
    }
}

/* ---- rows ------------------------------------------------------------------------------------------------------- */

static void write_value(const struct crossing *c, const est_item *it, const est_form *f, size_t domain,
                        const est_value *v) {
    rsp_row *row = rsp_results_add(c->table->results, c->table->analysis->id, c->context.who->text[domain], it->term,
                                   f->level, f->statistic);
    row->estimate = v->estimate;
    row->se = v->se;
    row->df = v->df;
    row->lower = v->lower;
    row->upper = v->upper;
    row->n = v->n;
    row->n_eff = v->n_eff;
    row->deff = v->deff;
    row->flags = v->flags;
    row->base = v->base;
    row->cell = v->cell;
    row->organisations = v->organisations;
    row->tail = v->tail;
    row->largest = v->largest;
    row->second = v->second;
    if (f->tested && v->se > 0 && v->df > 0) row->p = rsp_t_two_sided(v->estimate / v->se, v->df);
}

/* Holm's adjustment over the tested rows of one item in one domain, which stand from `from` on. */
static void adjust_tested(rsp_results *r, size_t from) {
    size_t n = r->n - from;
    double *p = rsp_malloc((n + 1) * sizeof *p), *adjusted = rsp_malloc((n + 1) * sizeof *adjusted);
    for (size_t k = 0; k < n; k++) p[k] = r->rows[from + k].p;
    est_holm(p, n, adjusted);
    for (size_t k = 0; k < n; k++) r->rows[from + k].p_adj = adjusted[k];
    free(p);
    free(adjusted);
}

static void write_values(const struct crossing *c) {
    const est_people *who = c->context.who;
    for (size_t g = 0; g < who->n_domains; g++)
        for (size_t j = 0, from = 0; j < c->items.n; j++) {
            const est_item *it = &c->items.items[j];
            if (j == 0 || it->item != it[-1].item) from = c->table->results->n;
            for (size_t f = 0; f < it->n_forms; f++)
                write_value(c, it, &it->forms[f], g, &c->values[j][f * who->n_domains + g]);
            bool last = j + 1 == c->items.n || it[1].item != it->item;
            if (last && it->forms[0].tested) adjust_tested(c->table->results, from);
        }
}

/* The domain of a difference: the other variables' levels. */
static const char *domain_of_group(const struct crossing *c, size_t group) {
    const est_people *who = c->context.who;
    const char **code = RSP_ARRAY(c->arena, const char *, who->n_variables);
    for (size_t j = who->n_variables - 1; j-- > 0; group /= who->n_codes[j])
        code[j] = who->codes[j][group % who->n_codes[j]];
    return rsp_domain_text(c->arena, who->n_variables - 1, who->names, code);
}

static void write_difference(struct table *t, const struct crossing *c, const est_item *it, const est_difference *d) {
    const est_people *who = c->context.who;
    const est_form *f = &it->forms[d->form];
    size_t last = who->n_variables - 1, n = who->n_codes[last];
    const char *first = who->codes[last][d->first],
               *second = d->second == RSP_NONE ? "average" : who->codes[last][d->second];
    const char *variable = c->ambiguous ? rsp_printf(c->arena, "%s=", who->names[last]) : "";
    const char *term = *f->level ? rsp_printf(c->arena, "%s=%s", it->term, f->level) : it->term;
    rsp_row *row = rsp_results_add(t->results, t->analysis->id, domain_of_group(c, d->group), term,
                                   rsp_printf(c->arena, "%s%s-%s", variable, first, second), "difference");
    row->estimate = d->estimate;
    row->se = d->se;
    row->df = d->df;
    row->p = d->p;
    row->n = d->n;
    row->flags = d->flags;
    row->base = d->base;
    row->organisations = d->organisations;
    row->sides[0] = rsp_strdup(t->results->arena, who->text[d->group * n + d->first]);
    if (d->second != RSP_NONE) row->sides[1] = rsp_strdup(t->results->arena, who->text[d->group * n + d->second]);
    if (!isnan(row->se)) rsp_row_interval(row);
    if (t->n_differences == t->room) {
        t->room = t->room ? 2 * t->room : 64;
        t->differences = rsp_realloc(t->differences, t->room * sizeof *t->differences);
    }
    t->differences[t->n_differences].row = t->results->n - 1;
    t->differences[t->n_differences].item = it->item;
    t->differences[t->n_differences++].p = d->p;
}

static void write_differences(struct table *t, const struct crossing *c) {
    const est_people *who = c->context.who;
    size_t n = who->n_codes[who->n_variables - 1], groups = n ? who->n_domains / n : 0;
    size_t *next = rsp_calloc(c->items.n + 1, sizeof *next);
    for (size_t g = 0; g < groups; g++) {
        for (size_t j = 0; j < c->items.n; j++) {
            const est_differences *list = &c->differences[j];
            for (; next[j] < list->n && list->rows[next[j]].group == g; next[j]++)
                write_difference(t, c, &c->items.items[j], &list->rows[next[j]]);
        }
    }
    free(next);
}

/* ---- the table -------------------------------------------------------------------------------------------------- */

/* Without lists (numbers, words, ticks) the values are not known here: they may be the same. */
static bool share_two_codes(const rsp_list *a, const rsp_list *b) {
    size_t common = 0;
    if (!a || !b) return a == b;
    for (size_t k = 0; k < a->n; k++) common += rsp_list_find(b, a->choices[k].code) != RSP_NONE;
    return common > 1;
}

/* Would a difference `yes-no` of this crossing have the key of another's? Then the level names the variable. */
static bool ambiguous(const struct table *t, const rsp_crossing *by) {
    const rsp_variable *v = t->sample->frame->study->variables;
    for (size_t k = 0; by->n && k < t->analysis->table.n_by; k++) {
        const rsp_crossing *other = &t->analysis->table.by[k];
        size_t last = by->n - 1;
        if (other->n != by->n || other->variables[last] == by->variables[last]) continue;
        bool same_others = true;
        for (size_t j = 0; j < last; j++) same_others &= other->variables[j] == by->variables[j];
        if (same_others && share_two_codes(v[by->variables[last]].list, v[other->variables[last]].list)) return true;
    }
    return false;
}

/* False and reported when too many levels would be compared. */
static bool comparable(const struct table *t, const est_people *who) {
    size_t n = who->n_codes[who->n_variables - 1];
    if (n <= RSP_MOST_COMPARED) return true;
    rsp_report(t->diag, RSP_ERR_STUDY, t->analysis->loc, "derive classes with `cut` or `map`",
               "'%s' has %zu levels, too many to compare", who->names[who->n_variables - 1], n);
    return false;
}

static void one_crossing(struct table *t, const rsp_crossing *by) {
    rsp_arena *arena = rsp_arena_new();
    const rsp_analysis *a = t->analysis;
    struct crossing c = {.table = t, .arena = arena, .compare = a->table.compare && by->n > 0};
    const est_kept *kept = est_kept_get(t->sample, a, by, t->replicates);
    const est_people *who =
        kept ? est_kept_people(kept) : est_people_new(t->sample, by, a->filter, EST_AS_SCALED, a->loc, arena, t->diag);
    c.ambiguous = c.compare && ambiguous(t, by);
    if (who && (!c.compare || comparable(t, who)) &&
        est_items_new(t->sample->frame, a, who, arena, &c.items, t->diag)) {
        c.context = (est_context){t->sample, who, t->replicates, NULL, 0, t->diag};
        if (kept && est_kept_adopt(kept, &c.items, arena) && t->replicates)
            c.context.rep = est_kept_replicates(kept, t->replicates, &c.context.stride);
        c.values = RSP_ARRAY(arena, est_value *, c.items.n);
        c.differences = RSP_ARRAY(arena, est_differences, c.items.n);
        for (size_t j = 0; j < c.items.n; j++)
            c.values[j] = RSP_ARRAY(arena, est_value, c.items.items[j].n_forms * who->n_domains);
        work_on_items(&c);
        write_values(&c);
        if (c.compare) write_differences(t, &c);
        for (size_t j = 0; j < c.items.n; j++) free(c.differences[j].rows);
    }
    rsp_arena_free(arena);
}

/* Holm's adjustment over all differences of an item in the analysis. */
static void adjust(struct table *t) {
    double *p = rsp_malloc((t->n_differences + 1) * sizeof *p),
           *adjusted = rsp_malloc((t->n_differences + 1) * sizeof *adjusted);
    for (size_t item = 0; item < t->analysis->table.n_items || item == 0; item++) {
        for (size_t k = 0; k < t->n_differences; k++) p[k] = t->differences[k].item == item ? t->differences[k].p : NAN;
        est_holm(p, t->n_differences, adjusted);
        for (size_t k = 0; k < t->n_differences; k++)
            if (t->differences[k].item == item) t->results->rows[t->differences[k].row].p_adj = adjusted[k];
    }
    free(p);
    free(adjusted);
}

void rsp_estimate_table(rsp_sample *s, const rsp_analysis *a, rsp_results *out, rsp_diag *d) {
    struct table t = {.sample = s, .analysis = a, .results = out, .diag = d};
    if (a->variance.method != RSP_TAYLOR && a->table.statistic != RSP_COUNT) {
        t.replicates = rsp_replicates_get(s, &a->variance, a->loc, d);
        if (!t.replicates) return;
    }
    static const rsp_crossing everybody = {0, NULL};
    for (size_t k = 0; k < a->table.n_by; k++) one_crossing(&t, &a->table.by[k]);
    if (!a->table.n_by) one_crossing(&t, &everybody);
    adjust(&t);
    free(t.differences);
}
