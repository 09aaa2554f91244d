#include "results/families.h"

#include "responsive/clean.h"
#include "responsive/results.h"

#include <stdlib.h>
#include <string.h>

/* ---- families --------------------------------------------------------------------------------------------------- */

static void add_family(rsp_families *x, const rsp_analysis *a, const uint8_t *take, size_t n_items, const size_t *items,
                       const rsp_crossing *by, bool said) {
    rsp_family f = {a, take, n_items, by ? by->n : 0, items, by ? by->variables : NULL, said};
    RSP_PUSH(x->all, x->n, x->capacity, f);
}

static bool has_dont_know(const rsp_study *s, size_t item) {
    const rsp_list *list = s->variables[item].list;
    for (size_t k = 0; list && k < list->n; k++)
        if (list->choices[k].missing) return true;
    return false;
}

static void table_families(rsp_families *x, const uint8_t *take, const rsp_analysis *a) {
    const rsp_table *t = &a->table;
    const size_t pair[] = {t->numerator, t->denominator};
    size_t *ratio = RSP_ARRAY(x->arena, size_t, 2);
    memcpy(ratio, pair, sizeof pair);
    for (size_t b = 0; b < t->n_by; b++) {
        if (t->statistic == RSP_RATIO) add_family(x, a, take, 2, ratio, &t->by[b], false);
        for (size_t k = 0; t->statistic != RSP_RATIO && k < t->n_items; k++) {
            add_family(x, a, take, 1, &t->items[k], &t->by[b], false);
            if (has_dont_know(x->study, t->items[k])) add_family(x, a, take, 1, &t->items[k], &t->by[b], true);
        }
    }
}

static void use_names(const rsp_study *s, const rsp_lavaan *syntax, bool *used) {
    for (size_t k = 0; syntax && k < syntax->n; k++) {
        size_t sides[] = {rsp_study_variable(s, syntax->rows[k].lhs),
                          syntax->rows[k].rhs ? rsp_study_variable(s, syntax->rows[k].rhs) : RSP_NONE};
        for (size_t j = 0; j < 2; j++)
            if (sides[j] != RSP_NONE) used[sides[j]] = true;
    }
}

/* Variables whose groups an analysis looks at one by one. */
static size_t groups_of(const rsp_analysis *a, const size_t **groups) {
    *groups = a->invariance.by;
    if (a->kind == RSP_A_INVARIANCE) return a->invariance.n_by;
    *groups = a->kind == RSP_A_FACTOR ? &a->factor.group : a->kind == RSP_A_TEST ? &a->test.columns : &a->model.across;
    bool some = a->kind == RSP_A_FACTOR || a->kind == RSP_A_TEST || a->kind == RSP_A_MODEL;
    return some && **groups != RSP_NONE;
}

/* All variables together: models take complete rows. */
static void other_families(rsp_families *x, const uint8_t *take, const rsp_analysis *a) {
    bool *used = rsp_calloc(x->study->n_variables + 1, 1);
    rsp_analysis unfiltered = *a;
    unfiltered.filter = NULL;
    rsp_analysis_uses(&unfiltered, used);
    if (a->kind == RSP_A_FACTOR) use_names(x->study, a->factor.syntax, used);
    size_t n = 0, *items = RSP_ARRAY(x->arena, size_t, x->study->n_variables);
    for (size_t j = 0; j < x->study->n_variables; j++)
        if (used[j]) items[n++] = j;
    free(used);
    if (!n) return;
    const size_t *groups;
    size_t n_groups = groups_of(a, &groups);
    add_family(x, a, take, n, items, NULL, false);
    for (size_t k = 0; k < n_groups; k++) {
        rsp_crossing by = {1, &groups[k]};
        add_family(x, a, take, n, items, &by, false);
    }
}

static void list_families(rsp_families *x) {
    for (size_t k = 0; k < x->study->n_analyses; k++) {
        const rsp_analysis *a = &x->study->analyses[k];
        uint8_t *take = a->filter ? RSP_ARRAY(x->arena, uint8_t, x->frame->n) : NULL;
        if (take) rsp_eval_filter(x->frame, a->filter, take);
        if (a->kind == RSP_A_TABLE) table_families(x, take, a);
        else other_families(x, take, a);
    }
}

/* ---- who belongs to it ------------------------------------------------------------------------------------------ */

static bool answered(const rsp_families *x, const rsp_family *f, size_t row) {
    if (f->take && !f->take[row]) return false;
    for (size_t k = 0; k < f->n_items; k++) {
        const rsp_column *c = &x->frame->columns[f->items[k]];
        if (f->said && c->kind == RSP_COL_CODE ? rsp_code(c, row) < 0 : !rsp_valid(x->frame, f->items[k], row))
            return false;
    }
    return true;
}

static const rsp_categories *axis(rsp_families *x, size_t variable) {
    if (!x->made[variable]) rsp_categorise(x->frame, variable, x->arena, &x->axes[variable]);
    x->made[variable] = true;
    return &x->axes[variable];
}

size_t rsp_family_domains(rsp_families *x, const rsp_family *f) {
    size_t n = 1;
    for (size_t k = 0; k < f->n_by; k++) {
        if (x->frame->columns[f->by[k]].kind == RSP_COL_NONE) return 0;
        size_t codes = axis(x, f->by[k])->n;
        if (codes > 1u << 20 || n * codes > 1u << 20) return 0;
        n *= codes;
    }
    return n;
}

int64_t rsp_family_domain(const rsp_families *x, const rsp_family *f, size_t row) {
    int64_t domain = 0;
    if (!answered(x, f, row)) return -1;
    for (size_t k = 0; k < f->n_by; k++) {
        const rsp_categories *a = &x->axes[f->by[k]];
        if (a->category[row] < 0) return -1;
        domain = domain * (int64_t) a->n + a->category[row];
    }
    return domain;
}

char *rsp_family_domain_text(const rsp_families *x, const rsp_family *f, size_t domain, rsp_arena *a) {
    const char **variables = RSP_ARRAY(a, const char *, f->n_by), **codes = RSP_ARRAY(a, const char *, f->n_by);
    for (size_t k = f->n_by; k-- > 0;) {
        const rsp_categories *c = &x->axes[f->by[k]];
        variables[k] = x->study->variables[f->by[k]].name;
        codes[k] = c->code[domain % c->n];
        domain /= c->n;
    }
    return rsp_domain_text(a, f->n_by, variables, codes);
}

/* ---- made and freed --------------------------------------------------------------------------------------------- */

rsp_families rsp_families_list(const rsp_frame *f, rsp_arena *a) {
    rsp_families x = {.study = f->study,
                      .frame = f,
                      .axes = RSP_ARRAY(a, rsp_categories, f->study->n_variables),
                      .made = RSP_ARRAY(a, bool, f->study->n_variables),
                      .arena = a};
    list_families(&x);
    return x;
}

void rsp_families_free(rsp_families *x) { free(x->all); }
