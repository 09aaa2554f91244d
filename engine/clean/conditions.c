/* Rules that a condition decides: drop, set-missing, constraint and relevant checks; and recode. */
#include "clean/cleaner.h"
#include "clean/eval.h"

#include <math.h>
#include <stdlib.h>

static const rsp_clean_rule *this_rule(const rsp_cleaner *c) { return &c->study->rules[c->rule]; }
static bool kept(const rsp_cleaner *c, size_t row) { return c->frame->aside[row] < 0; }

void rsp_rule_drop(rsp_cleaner *c) {
    rsp_eval_filter(c->frame, this_rule(c)->expr, c->take);
    for (size_t i = 0; i < c->frame->n; i++)
        if (c->take[i] && kept(c, i)) rsp_cleaner_act(c, i, RSP_NONE, "the rule's condition holds");
}

static bool uses_self(const rsp_expr *e) {
    bool found = e->op == RSP_X_SELF;
    for (size_t k = 0; k < e->n_args && !found; k++) found = uses_self(e->args[k]);
    return found;
}

/* `.` stands for each of the rule's variables in turn. Conditions are computed for all of them before any cell
 * changes, so that the order of the variables does not matter. */
void rsp_rule_set_missing(rsp_cleaner *c) {
    const rsp_clean_rule *rule = this_rule(c);
    bool each = uses_self(rule->expr);
    size_t n = c->frame->n;
    uint8_t *take = rsp_malloc((each ? rule->n_items : 1) * n + 1);
    for (size_t k = 0; k < (each ? rule->n_items : 1); k++) {
        rsp_program *p = rsp_program_new(c->frame, rule->expr, each ? rule->items[k] : RSP_NONE);
        rsp_program_filter(p, take + k * n);
        rsp_program_free(p);
    }
    for (size_t k = 0; k < rule->n_items; k++)
        for (size_t i = 0; i < n; i++)
            if (take[each ? k * n + i : i] && kept(c, i) && rsp_cell_present(c->frame, rule->items[k], i))
                rsp_cleaner_set_missing(c, i, rule->items[k], RSP_NA_SET, "the rule's condition holds");
    free(take);
}

/* ---- the instrument's own conditions ---------------------------------------------------------------------------- */

typedef struct {
    const rsp_study *study;
    bool found;
} derived_search;

static void visit_derived(rsp_expr *e, void *context) {
    derived_search *s = context;
    s->found = s->found || s->study->variables[e->variable].derive.kind != RSP_DERIVE_NONE;
}

static void values_up_to_date(rsp_cleaner *c, rsp_expr *e) {
    derived_search s = {c->study, false};
    if (c->any_dirty) rsp_expr_each_variable(e, visit_derived, &s);
    if (s.found) rsp_cleaner_derive(c);
}

enum { IS_FALSE, IS_TRUE, IS_MISSING };

/* The condition of every row, three-valued, into take. */
static void evaluate(rsp_cleaner *c, rsp_expr *e, size_t self) {
    values_up_to_date(c, e);
    rsp_program *p = rsp_program_new(c->frame, e, self);
    size_t n = c->frame->n, blocks = (n + RSP_BLOCK - 1) / RSP_BLOCK;
#pragma omp parallel for schedule(static) if (blocks > 1)
    for (size_t b = 0; b < blocks; b++) {
        size_t from = b * RSP_BLOCK, length = n - from < RSP_BLOCK ? n - from : RSP_BLOCK;
        double truth[RSP_BLOCK];
        rsp_program_numbers(p, from, length, truth);
        for (size_t i = 0; i < length; i++)
            c->take[from + i] = isnan(truth[i]) ? IS_MISSING : truth[i] != 0 ? IS_TRUE : IS_FALSE;
    }
    rsp_program_free(p);
}

void rsp_rule_constraint(rsp_cleaner *c) {
    for (size_t j = 0; j < c->study->n_variables; j++) {
        rsp_expr *constraint = c->study->variables[j].constraint;
        if (!constraint || c->study->variables[j].part_of != RSP_NONE) continue;
        evaluate(c, constraint, j);
        for (size_t i = 0; i < c->frame->n; i++)
            if (c->take[i] == IS_FALSE && kept(c, i) && rsp_cell_present(c->frame, j, i))
                rsp_cleaner_act(c, i, j, "against the constraint of the question");
    }
}

/* Is something answered? Boxes that nobody could tick hold "not chosen" in many exports: that is no answer here. */
static bool answered(const rsp_frame *f, size_t variable, size_t row) {
    const rsp_variable *v = &f->study->variables[variable];
    if (v->first_part == RSP_NONE) return rsp_cell_present(f, variable, row);
    for (size_t k = 0; k < v->list->n; k++)
        if (f->columns[v->first_part + k].c8[row] > 0) return true;
    return false;
}

static int why_missing(const rsp_column *c, size_t row) {
    switch (c->kind) {
    case RSP_COL_CODE:
    case RSP_COL_SMALL: return rsp_code(c, row);
    case RSP_COL_NUMBER: return c->why ? c->why[row] : RSP_NA_UNKNOWN;
    case RSP_COL_TEXT: return c->text[row];
    case RSP_COL_NONE: break;
    }
    return RSP_NA_NOT_ASKED;
}

/* A blank says "not shown" where it could be nothing else; who left before, refused or was set missing keeps that. */
static bool may_be_not_shown(int why, bool surely) {
    return why == RSP_NA_UNKNOWN || why == RSP_NA_SKIPPED || (surely && why == RSP_NA_BROKE_OFF);
}

static void mark_parts(rsp_cleaner *c, const rsp_variable *v, size_t row, bool surely) {
    for (size_t k = 0; k < v->list->n; k++) {
        int8_t *cell = &c->frame->columns[v->first_part + k].c8[row];
        if (*cell >= 0 || may_be_not_shown(*cell, surely)) {
            if (*cell >= 0) rsp_cleaner_changed(c, v->first_part + k);
            *cell = RSP_NA_NOT_SHOWN;
        }
    }
}

/* A blank answer where the question's condition is not true: it was not shown, since tools show no question on a
 * condition that they cannot decide. */
static void mark_blank(rsp_cleaner *c, size_t variable, size_t row, bool surely) {
    const rsp_variable *v = &c->study->variables[variable];
    if (v->first_part != RSP_NONE) mark_parts(c, v, row, surely);
    else if (may_be_not_shown(why_missing(&c->frame->columns[variable], row), surely))
        rsp_set_missing(c->frame, variable, row, RSP_NA_NOT_SHOWN);
}

static void mark_variable(rsp_cleaner *c, size_t j) {
    for (size_t i = 0; i < c->frame->n; i++)
        if (c->take[i] != IS_TRUE && !answered(c->frame, j, i)) mark_blank(c, j, i, c->take[i] == IS_FALSE);
}

static bool has_condition(const rsp_study *s, size_t j) {
    return s->variables[j].relevant && s->variables[j].part_of == RSP_NONE;
}

void rsp_cleaner_mark_not_shown(rsp_cleaner *c) {
    for (size_t j = 0; j < c->study->n_variables; j++) {
        if (!has_condition(c->study, j)) continue;
        evaluate(c, c->study->variables[j].relevant, RSP_NONE);
        mark_variable(c, j);
    }
}

static void answer_not_asked(rsp_cleaner *c, size_t row, size_t variable) {
    static const char detail[] = "answered though the question's condition is false";
    if (this_rule(c)->action == RSP_ACTION_SET_MISSING)
        rsp_cleaner_set_missing(c, row, variable, RSP_NA_NOT_SHOWN, detail);
    else rsp_cleaner_act(c, row, variable, detail);
}

/* Questions in the order of the questionnaire, each seeing what the check left of those before it. An answer stays
 * where the condition is missing, since nobody can tell. */
void rsp_rule_relevant(rsp_cleaner *c) {
    for (size_t j = 0; j < c->study->n_variables; j++) {
        if (!has_condition(c->study, j)) continue;
        evaluate(c, c->study->variables[j].relevant, RSP_NONE);
        for (size_t i = 0; i < c->frame->n; i++)
            if (c->take[i] == IS_FALSE && kept(c, i) && answered(c->frame, j, i)) answer_not_asked(c, i, j);
        mark_variable(c, j);
    }
}

/* ---- recode ----------------------------------------------------------------------------------------------------- */

enum { UNCHANGED = -1000 };

/* All pairs at once, so that codes can change places. */
static void recode_variable(rsp_cleaner *c, size_t variable) {
    const rsp_clean_rule *rule = this_rule(c);
    rsp_column *column = &c->frame->columns[variable];
    if (column->kind != RSP_COL_CODE) return;
    int *to = rsp_malloc((column->list->n + 1) * sizeof *to);
    for (size_t k = 0; k < column->list->n; k++) to[k] = UNCHANGED;
    for (size_t k = 0; k < rule->n_recode; k++) {
        size_t from = rsp_list_find(column->list, rule->recode[k].name);
        size_t into = *rule->recode[k].value ? rsp_list_find(column->list, rule->recode[k].value) : RSP_NONE;
        if (from != RSP_NONE && from != into) to[from] = into == RSP_NONE ? RSP_NA_SET : (int) into;
    }
    for (size_t i = 0; i < c->frame->n; i++) {
        int k = rsp_code(column, i);
        if (k < 0 || to[k] == UNCHANGED || !kept(c, i)) continue;
        rsp_set_code(column, i, to[k]);
        rsp_cleaner_changed(c, variable);
        rsp_cleaner_touch(c, i);
        c->log->rule_cells[c->rule]++;
        rsp_cleaner_line(c, i, "recode", c->study->variables[variable].name, "recoded");
    }
    free(to);
}

void rsp_rule_recode(rsp_cleaner *c) {
    for (size_t k = 0; k < this_rule(c)->n_items; k++) recode_variable(c, this_rule(c)->items[k]);
}
