/* Derived variables: numbers, or codes of the variable's own list. */
#include "clean/cleaner.h"
#include "clean/eval.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- items of mean and sum -------------------------------------------------------------------------------------- */

/* An item's numbers, turned round where the instrument says `reverse`; NULL values: the column holds numbers. */
typedef struct {
    const rsp_column *column;
    double *values; /* by choice */
} item;

static item prepare_item(const rsp_frame *f, size_t j, rsp_arena *a) {
    const rsp_variable *v = &f->study->variables[j];
    item it = {&f->columns[j], NULL};
    double low = INFINITY, high = -INFINITY;
    if (it.column->kind != RSP_COL_CODE) return it;
    const rsp_list *l = it.column->list;
    it.values = RSP_ARRAY(a, double, l->n + 1);
    for (size_t k = 0; k < l->n; k++) {
        it.values[k] = l->choices[k].missing ? NAN : l->choices[k].value;
        low = fmin(low, it.values[k]); /* fmin and fmax pass over NaN */
        high = fmax(high, it.values[k]);
    }
    for (size_t k = 0; v->reverse && k < l->n; k++) it.values[k] = low + high - it.values[k];
    return it;
}

static void add_item(const rsp_frame *f, size_t j, const item *it, size_t from, size_t n, double *sum, int *valid) {
    for (size_t i = 0; i < n; i++) {
        double x;
        if (it->values) {
            int k = rsp_code(it->column, from + i);
            x = k < 0 ? NAN : it->values[k];
        } else {
            x = rsp_value_reversed(f, j, from + i);
        }
        if (isnan(x)) continue;
        sum[i] += x;
        valid[i]++;
    }
}

static void store_number(rsp_column *c, size_t i, double x) {
    bool there = isfinite(x);
    c->number[i] = there ? x : NAN;
    if (c->why) c->why[i] = there ? 0 : RSP_NA_DERIVED;
}

/* Mean or sum of the valid items of each row that has enough of them. */
static void derive_items(rsp_frame *f, const rsp_derivation *d, rsp_column *into) {
    rsp_arena *a = rsp_arena_new();
    item *items = RSP_ARRAY(a, item, d->n_items);
    for (size_t k = 0; k < d->n_items; k++) items[k] = prepare_item(f, d->items[k], a);
    size_t blocks = (f->n + RSP_BLOCK - 1) / RSP_BLOCK;
#pragma omp parallel for schedule(static) if (blocks > 1)
    for (size_t b = 0; b < blocks; b++) {
        size_t from = b * RSP_BLOCK, n = f->n - from < RSP_BLOCK ? f->n - from : RSP_BLOCK;
        double sum[RSP_BLOCK] = {0};
        int valid[RSP_BLOCK] = {0};
        for (size_t k = 0; k < d->n_items; k++) add_item(f, d->items[k], &items[k], from, n, sum, valid);
        for (size_t i = 0; i < n; i++) {
            double x = d->kind == RSP_DERIVE_MEAN ? sum[i] / valid[i] : sum[i];
            store_number(into, from + i, (size_t) valid[i] >= d->min_valid ? x : NAN);
        }
    }
    rsp_arena_free(a);
}

/* ---- cut and map ------------------------------------------------------------------------------------------------ */

/* Intervals are closed on the left: the code's place is the number of limits that the value has reached. */
static void derive_cut(const rsp_frame *f, const rsp_derivation *d, rsp_column *into) {
#pragma omp parallel for schedule(static) if (f->n > RSP_BLOCK)
    for (size_t i = 0; i < f->n; i++) {
        double x = rsp_value(f, d->from, i);
        size_t place = 0;
        while (place < d->n_cut && x >= d->cut[place]) place++;
        rsp_set_code(into, i, isnan(x) ? RSP_NA_DERIVED : (int) place);
    }
}

static void derive_map(const rsp_frame *f, const rsp_derivation *d, rsp_column *into) {
    const rsp_column *from = &f->columns[d->from];
    int *place = rsp_malloc((from->list->n + 1) * sizeof *place);
    for (size_t k = 0; k < from->list->n; k++) place[k] = RSP_NA_DERIVED;
    for (size_t k = 0; k < d->n_map; k++) place[d->map_from[k]] = (int) d->map_to[k];
    for (size_t i = 0; i < f->n; i++) {
        int k = rsp_code(from, i);
        rsp_set_code(into, i, k < 0 ? RSP_NA_DERIVED : place[k]);
    }
    free(place);
}

/* ---- expressions ------------------------------------------------------------------------------------------------ */

static int choice_of_number(const rsp_list *l, const double *spelled, double x) {
    for (size_t k = 0; k < l->n; k++)
        if (spelled[k] == x) return (int) k;
    return RSP_NA_INVALID;
}

/* Codes of the list by the program's words, and the numbers that codes spell. */
static void match_codes(const rsp_program *p, const rsp_list *l, int *of_word, double *spelled) {
    for (size_t k = 0; k < rsp_program_n_words(p); k++) {
        size_t c = rsp_list_find(l, rsp_program_word(p, k));
        of_word[k] = c == RSP_NONE ? RSP_NA_INVALID : (int) c;
    }
    for (size_t k = 0; k < l->n; k++) {
        const char *code = l->choices[k].code;
        if (!rsp_parse_double(code, strlen(code), '.', &spelled[k])) spelled[k] = NAN;
    }
}

static void derive_codes(const rsp_frame *f, const rsp_program *p, rsp_column *into) {
    const rsp_list *l = into->list;
    int *of_word = rsp_malloc((rsp_program_n_words(p) + 1) * sizeof *of_word);
    double *spelled = rsp_malloc((l->n + 1) * sizeof *spelled);
    match_codes(p, l, of_word, spelled);
    size_t blocks = (f->n + RSP_BLOCK - 1) / RSP_BLOCK;
#pragma omp parallel for schedule(static) if (blocks > 1)
    for (size_t b = 0; b < blocks; b++) {
        size_t from = b * RSP_BLOCK, n = f->n - from < RSP_BLOCK ? f->n - from : RSP_BLOCK;
        double number[RSP_BLOCK];
        int32_t word[RSP_BLOCK];
        rsp_program_values(p, from, n, number, word);
        for (size_t i = 0; i < n; i++) {
            int code = word[i] == RSP_WORD_MISSING  ? RSP_NA_DERIVED
                       : word[i] == RSP_WORD_NUMBER ? choice_of_number(l, spelled, number[i])
                                                    : of_word[word[i]];
            rsp_set_code(into, from + i, code);
        }
    }
    free(of_word);
    free(spelled);
}

static void derive_numbers(const rsp_frame *f, const rsp_program *p, rsp_column *into) {
    size_t blocks = (f->n + RSP_BLOCK - 1) / RSP_BLOCK;
#pragma omp parallel for schedule(static) if (blocks > 1)
    for (size_t b = 0; b < blocks; b++) {
        size_t from = b * RSP_BLOCK, n = f->n - from < RSP_BLOCK ? f->n - from : RSP_BLOCK;
        double number[RSP_BLOCK];
        rsp_program_numbers(p, from, n, number);
        for (size_t i = 0; i < n; i++) store_number(into, from + i, number[i]);
    }
}

static void derive_expr(const rsp_frame *f, const rsp_derivation *d, rsp_column *into) {
    rsp_program *p = rsp_program_new(f, d->expr, RSP_NONE);
    if (into->kind == RSP_COL_CODE) derive_codes(f, p, into);
    else derive_numbers(f, p, into);
    rsp_program_free(p);
}

/* ---- what needs to be computed ---------------------------------------------------------------------------------- */

typedef struct {
    const rsp_cleaner *cleaner;
    bool dirty;
} search;

static void visit_variable(rsp_expr *e, void *context) {
    search *s = context;
    s->dirty = s->dirty || s->cleaner->dirty[e->variable];
}

static bool needs_computing(const rsp_cleaner *c, const rsp_derivation *d) {
    search s = {c, false};
    if (d->kind == RSP_DERIVE_EXPR) rsp_expr_each_variable(d->expr, visit_variable, &s);
    if (d->kind == RSP_DERIVE_CUT || d->kind == RSP_DERIVE_MAP) s.dirty = c->dirty[d->from];
    for (size_t k = 0; k < d->n_items && !s.dirty; k++) s.dirty = c->dirty[d->items[k]];
    return s.dirty;
}

static void derive_one(rsp_cleaner *c, size_t variable) {
    const rsp_derivation *d = &c->study->variables[variable].derive;
    rsp_column *into = &c->frame->columns[variable];
    switch (d->kind) {
    case RSP_DERIVE_NONE: assert(!"a derivation without a kind"); break;
    case RSP_DERIVE_CUT: derive_cut(c->frame, d, into); break;
    case RSP_DERIVE_MAP: derive_map(c->frame, d, into); break;
    case RSP_DERIVE_EXPR: derive_expr(c->frame, d, into); break;
    case RSP_DERIVE_MEAN:
    case RSP_DERIVE_SUM: derive_items(c->frame, d, into); break;
    }
}

void rsp_cleaner_derive(rsp_cleaner *c) {
    if (c->computed && !c->any_dirty) return;
    for (size_t k = 0; k < c->study->n_derived; k++) {
        size_t j = c->study->derived[k];
        if (c->computed && !needs_computing(c, &c->study->variables[j].derive)) continue;
        derive_one(c, j);
        c->dirty[j] = true;
    }
    memset(c->dirty, 0, c->study->n_variables * sizeof *c->dirty);
    c->any_dirty = false;
    c->computed = true;
}

void rsp_cleaner_check_derived(rsp_cleaner *c) {
    for (size_t k = 0; k < c->study->n_derived; k++) {
        const rsp_variable *v = &c->study->variables[c->study->derived[k]];
        const rsp_column *column = &c->frame->columns[c->study->derived[k]];
        size_t strangers = 0;
        if (column->kind != RSP_COL_CODE) continue;
        for (size_t i = 0; i < c->frame->n; i++)
            strangers += c->frame->aside[i] < 0 && rsp_code(column, i) == RSP_NA_INVALID;
        if (strangers)
            rsp_report(c->diag, RSP_WARNING, v->loc, "add the missing codes under `codes`",
                       "%zu value%s of derived variable '%s' %s none of its codes and count%s as missing", strangers,
                       strangers == 1 ? "" : "s", v->name, strangers == 1 ? "is" : "are", strangers == 1 ? "s" : "");
    }
}

void rsp_derived_from(const rsp_study *s, bool *changed) {
    rsp_cleaner c = {.study = s, .dirty = changed};
    for (size_t k = 0; k < s->n_derived; k++) {
        size_t j = s->derived[k];
        changed[j] = changed[j] || needs_computing(&c, &s->variables[j].derive);
    }
}

void rsp_derive_again(rsp_frame *f, bool *changed) {
    rsp_cleaner c = {.frame = f, .study = f->study, .dirty = changed};
    for (size_t k = 0; k < f->study->n_derived; k++) {
        size_t j = f->study->derived[k];
        if (!needs_computing(&c, &f->study->variables[j].derive)) continue;
        derive_one(&c, j);
        changed[j] = true;
    }
}
