/* Cells under cleaning: reading, changing, and what an action does to them. */
#include "clean/cleaner.h"

#include <math.h>

bool rsp_cell_present(const rsp_frame *f, size_t variable, size_t row) {
    const rsp_column *c = &f->columns[variable];
    switch (c->kind) {
    case RSP_COL_CODE:
    case RSP_COL_SMALL: return rsp_code(c, row) >= 0;
    case RSP_COL_NUMBER: return !isnan(c->number[row]);
    case RSP_COL_TEXT: return c->text[row] >= 0;
    case RSP_COL_NONE: break;
    }
    return rsp_valid(f, variable, row);
}

static int compare_doubles(double a, double b) {
    if (isnan(a) || isnan(b)) return isnan(a) - isnan(b);
    return (a > b) - (a < b);
}

static int code_of(const rsp_column *c, size_t row) {
    int k = c->kind == RSP_COL_TEXT ? c->text[row] : rsp_code(c, row);
    return k < 0 ? -1 : k;
}

int rsp_cell_compare(const rsp_frame *f, size_t variable, size_t a, size_t b) {
    const rsp_column *c = &f->columns[variable];
    const rsp_variable *v = &f->study->variables[variable];
    if (c->kind == RSP_COL_NUMBER) return compare_doubles(c->number[a], c->number[b]);
    if (c->kind != RSP_COL_NONE) return code_of(c, a) - code_of(c, b);
    for (size_t k = 0; v->first_part != RSP_NONE && k < v->list->n; k++) {
        int order = rsp_cell_compare(f, v->first_part + k, a, b);
        if (order) return order;
    }
    return 0;
}

void rsp_cleaner_changed(rsp_cleaner *c, size_t variable) {
    const rsp_variable *v = &c->study->variables[variable];
    c->dirty[variable] = c->any_dirty = true;
    if (v->part_of != RSP_NONE) c->dirty[v->part_of] = true;
    for (size_t k = 0; v->first_part != RSP_NONE && k < v->list->n; k++) c->dirty[v->first_part + k] = true;
}

void rsp_cleaner_touch(rsp_cleaner *c, size_t row) {
    c->log->rule_rows[c->rule] += !c->touched[row];
    c->touched[row] = 1;
}

void rsp_cleaner_set_missing(rsp_cleaner *c, size_t row, size_t variable, int kind, const char *detail) {
    rsp_set_missing(c->frame, variable, row, kind);
    rsp_cleaner_changed(c, variable);
    rsp_cleaner_touch(c, row);
    c->log->rule_cells[c->rule]++;
    rsp_cleaner_line(c, row, "set-missing", c->study->variables[variable].name, detail);
}

/* A rule about whole rows sets the answers that it is about missing. */
static void set_items_missing(rsp_cleaner *c, size_t row, const char *detail) {
    const rsp_clean_rule *rule = &c->study->rules[c->rule];
    for (size_t k = 0; k < rule->n_items; k++)
        if (rsp_cell_present(c->frame, rule->items[k], row))
            rsp_cleaner_set_missing(c, row, rule->items[k], RSP_NA_SET, detail);
}

void rsp_cleaner_act(rsp_cleaner *c, size_t row, size_t variable, const char *detail) {
    const char *name = variable == RSP_NONE ? "" : c->study->variables[variable].name;
    switch (c->study->rules[c->rule].action) {
    case RSP_ACTION_DROP:
        c->frame->aside[row] = (int16_t) c->rule;
        rsp_cleaner_touch(c, row);
        rsp_cleaner_line(c, row, "drop", name, detail);
        return;
    case RSP_ACTION_FLAG:
        c->frame->flags[row] |= UINT64_C(1) << c->rule;
        rsp_cleaner_touch(c, row);
        rsp_cleaner_line(c, row, "flag", name, detail);
        return;
    case RSP_ACTION_SET_MISSING:
        if (variable == RSP_NONE) set_items_missing(c, row, detail);
        else rsp_cleaner_set_missing(c, row, variable, RSP_NA_SET, detail);
        return;
    }
}
