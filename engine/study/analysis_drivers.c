/* Models of kind drivers: one outcome, its factors, what is held constant, and the formula over all groups. */
#include "study/analysis.h"
#include "responsive/limits.h"

#include <math.h>
#include <string.h>

static const rsp_node *node_of(const rsp_entry *e, const char *key, size_t variable) {
    const rsp_node *n = rsp_get(e->n, key);
    for (size_t k = 0; k < rsp_values(n); k++)
        if (strcmp(rsp_value_at(n, k)->text, rsp_var(e->l, variable)->name) == 0) return rsp_value_at(n, k);
    return e->n;
}

static rsp_fexpr *as_variable(rsp_entry *e, size_t v, rsp_loc loc) {
    rsp_fexpr *x = RSP_NEW(e->l->a, rsp_fexpr);
    const char *name = rsp_var(e->l, v)->name;
    *x = (rsp_fexpr){.op = RSP_F_VARIABLE, .name = name, .variable = v, .text = name, .loc = loc};
    return x;
}

/* A variable as a number, be it coded or not: codes stand for their values, as in a score. */
static rsp_fexpr *as_number(rsp_entry *e, size_t v, rsp_loc loc) {
    rsp_fexpr *x = as_variable(e, v, loc);
    if (rsp_var(e->l, v)->type != RSP_SELECT_ONE) return x;
    rsp_fexpr *one = RSP_NEW(e->l->a, rsp_fexpr), *product = RSP_NEW(e->l->a, rsp_fexpr);
    *one = (rsp_fexpr){.op = RSP_F_NUMBER, .number = 1, .variable = RSP_NONE, .text = "1", .loc = loc};
    *product = (rsp_fexpr){.op = RSP_F_MUL, .variable = RSP_NONE, .left = x, .right = one, .text = x->text, .loc = loc};
    return product;
}

static void add_predictor(rsp_entry *e, rsp_formula *f, rsp_fexpr *x) {
    size_t *place = RSP_NEW(e->l->a, size_t);
    *place = f->n_factors;
    f->factors[f->n_factors++] = x;
    f->terms[f->n_terms++] = (rsp_fterm){1, place, x->text};
}

/* outcome ~ factors + controls + across: the model over all groups. */
static rsp_formula *formula_of_drivers(rsp_entry *e, const rsp_model *m) {
    const rsp_drivers *d = &m->drivers;
    rsp_formula *f = RSP_NEW(e->l->a, rsp_formula);
    size_t most = d->n_factors + d->n_controls + 1;
    *f = (rsp_formula){.intercept = true, .loc = e->n->loc, .text = ""};
    f->factors = RSP_ARRAY(e->l->a, rsp_fexpr *, most);
    f->terms = RSP_ARRAY(e->l->a, rsp_fterm, most);
    f->response = as_variable(e, d->outcome, rsp_get(e->n, "outcome")->loc);
    for (size_t k = 0; k < d->n_factors; k++)
        add_predictor(e, f, as_number(e, d->factors[k], node_of(e, "factors", d->factors[k])->loc));
    for (size_t k = 0; k <= d->n_controls; k++)
        add_predictor(e, f, as_variable(e, k < d->n_controls ? d->controls[k] : m->across, e->n->loc));
    return f;
}

/* Each variable has one task. */
static void check_tasks(rsp_entry *e, const rsp_model *m) {
    const rsp_drivers *d = &m->drivers;
    for (size_t k = 0; k < d->n_factors + d->n_controls; k++) {
        bool factor = k < d->n_factors;
        size_t v = factor ? d->factors[k] : d->controls[k - d->n_factors];
        const rsp_variable *x = rsp_var(e->l, v);
        rsp_loc loc = node_of(e, factor ? "factors" : "controls", v)->loc;
        bool twice = v == d->outcome || v == m->across;
        for (size_t j = 0; !factor && j < d->n_factors; j++) twice |= d->factors[j] == v;
        if (twice) RSP_FAULT(e->l, loc, "name it once", "'%s' has two tasks in %s", x->name, e->where);
        if (factor && (!rsp_is_numeric(x) || (x->list && x->measure == RSP_NOMINAL)))
            RSP_FAULT(e->l, loc, x->list ? "set its `measure` to ordinal or interval" : "derive a score",
                      "the factor '%s' has no numbers in %s", x->name, e->where);
        if (!factor && !rsp_is_numeric(x))
            RSP_FAULT(e->l, loc, "derive a coded variable or a number", "'%s' cannot be held constant in %s", x->name,
                      e->where);
    }
    for (size_t k = 0; k < d->n_leave_out; k++)
        if (rsp_var(e->l, d->leave_out[k])->type != RSP_SELECT_ONE)
            RSP_FAULT(e->l, node_of(e, "leave_out", d->leave_out[k])->loc, NULL, "'%s' has no codes to leave out in %s",
                      rsp_var(e->l, d->leave_out[k])->name, e->where);
}

void rsp_load_drivers(rsp_entry *e, rsp_model *m) {
    const rsp_node *outcome = rsp_get(e->n, "outcome"), *factors = rsp_get(e->n, "factors"),
                   *across = rsp_get(e->n, "across");
    rsp_drivers *d = &m->drivers;
    d->outcome = rsp_bind(e->l, outcome, e->where);
    d->n_factors = rsp_bind_list(e->l, factors, e->where, &d->factors);
    d->n_controls = rsp_bind_list(e->l, rsp_get(e->n, "controls"), e->where, &d->controls);
    d->n_leave_out = rsp_bind_list(e->l, rsp_get(e->n, "leave_out"), e->where, &d->leave_out);
    d->neutral = rsp_get_number(e->n, "neutral", NAN);
    d->smallest = rsp_get_number(e->n, "smallest", 0.05);
    d->replicates = (size_t) rsp_get_number(e->n, "replicates", 200);
    m->across = across ? rsp_bind(e->l, across, e->where) : e->l->s->roles.country;
    rsp_need_scale(e);
    if (!rsp_node_find(e->n, "outcome") || !rsp_node_find(e->n, "factors"))
        RSP_FAULT(e->l, e->n->loc, NULL, "%s needs 'outcome' and 'factors'", e->where);
    if (factors && (rsp_values(factors) < 2 || rsp_values(factors) > RSP_MOST_FACTORS))
        RSP_FAULT(e->l, factors->loc, NULL, "%s takes 2 to %d factors, not %zu", e->where, RSP_MOST_FACTORS,
                  rsp_values(factors));
    if (!across && m->across == RSP_NONE)
        RSP_FAULT(e->l, e->n->loc, "add `across: VARIABLE`, or a role `country`", "%s has no groups to compare",
                  e->where);
    if (m->across != RSP_NONE && rsp_var(e->l, m->across)->type != RSP_SELECT_ONE)
        RSP_FAULT(e->l, across ? across->loc : e->n->loc, NULL, "'%s' has no codes to make groups in %s",
                  rsp_var(e->l, m->across)->name, e->where);
    if (d->outcome == RSP_NONE || m->across == RSP_NONE) return;
    const rsp_variable *y = rsp_var(e->l, d->outcome);
    if (!rsp_is_numeric(y) || (y->list && y->measure == RSP_NOMINAL))
        RSP_FAULT(e->l, outcome->loc, "derive a score", "the outcome '%s' has no numbers in %s", y->name, e->where);
    if (d->outcome == m->across)
        RSP_FAULT(e->l, outcome->loc, "name it once", "'%s' has two tasks in %s", y->name, e->where);
    check_tasks(e, m);
    m->formula = formula_of_drivers(e, m);
}
