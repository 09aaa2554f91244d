/* Names to variables, in nodes, expressions and formulas, with what can be known of types without data. */
#include "study/loader.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_SUGGESTIONS = 200 }; /* a file of nothing but wrong names shall not take minutes */

const char *rsp_did_you_mean(rsp_loader *l, const char *word, const char *const *candidates, size_t n) {
    if (l->n_suggestions++ >= MAX_SUGGESTIONS) return NULL;
    const char *near = rsp_suggest(word, candidates, n);
    return near ? rsp_printf(l->a, "did you mean '%s'?", near) : NULL;
}

bool rsp_is_set(const rsp_variable *v) { return v->list && (v->type == RSP_SELECT_MULTIPLE || v->type == RSP_RANK); }

bool rsp_is_numeric(const rsp_variable *v) {
    return v->type == RSP_INTEGER || v->type == RSP_DECIMAL || v->type == RSP_SELECT_ONE;
}

/* ---- names ------------------------------------------------------------------------------------------------------ */

size_t rsp_bind_name(rsp_loader *l, const char *name, rsp_loc loc, const char *where) {
    size_t v = rsp_map_get(l->names, name);
    if (v != RSP_NONE || l->blind) return v;
    const char **names = rsp_calloc(l->s->n_variables + 1, sizeof *names);
    for (size_t k = 0; k < l->s->n_variables; k++) names[k] = l->s->variables[k].name;
    RSP_FAULT(l, loc, rsp_did_you_mean(l, name, names, l->s->n_variables), "unknown variable '%s' in %s", name, where);
    free(names);
    return RSP_NONE;
}

size_t rsp_bind(rsp_loader *l, const rsp_node *n, const char *where) {
    return n && !n->bad && n->kind == RSP_Y_SCALAR && n->text[0] ? rsp_bind_name(l, n->text, n->loc, where) : RSP_NONE;
}

size_t rsp_bind_list(rsp_loader *l, const rsp_node *n, const char *where, const size_t **out) {
    size_t *found = RSP_ARRAY(l->a, size_t, rsp_values(n)), count = 0;
    for (size_t k = 0; k < rsp_values(n); k++) {
        const rsp_node *value = rsp_value_at(n, k);
        size_t v = rsp_bind(l, value, where);
        bool twice = false;
        for (size_t j = 0; j < count; j++) twice |= found[j] == v;
        if (v == RSP_NONE) continue;
        if (twice) RSP_FAULT(l, value->loc, NULL, "variable '%s' stands twice in %s", value->text, where);
        else found[count++] = v;
    }
    *out = found;
    return count;
}

size_t rsp_bind_code(rsp_loader *l, const rsp_list *list, const char *code, rsp_loc loc, const char *where) {
    size_t k = rsp_list_find(list, code);
    if (k != RSP_NONE) return k;
    const char **codes = rsp_calloc(list->n + 1, sizeof *codes);
    for (k = 0; k < list->n; k++) codes[k] = list->choices[k].code;
    const char *hint = rsp_did_you_mean(l, code, codes, list->n);
    if (!hint && list->n && list->n <= 12) {
        rsp_buf b = {0};
        rsp_buf_puts(&b, "its codes are ");
        for (k = 0; k < list->n; k++) rsp_buf_printf(&b, "%s%s", k ? ", " : "", codes[k]);
        hint = rsp_strdup(l->a, b.data);
        rsp_buf_free(&b);
    }
    RSP_FAULT(l, loc, hint, "'%s' is no code of %s", code, where);
    free(codes);
    return RSP_NONE;
}

/* ---- expressions ------------------------------------------------------------------------------------------------ */

typedef struct {
    rsp_loader *l;
    size_t self;
    const char *where;
} binding;

static const rsp_variable *variable_of(const binding *b, const rsp_expr *e) {
    size_t v = e->op == RSP_X_VARIABLE ? e->variable : e->op == RSP_X_SELF ? b->self : RSP_NONE;
    return v == RSP_NONE ? NULL : rsp_var(b->l, v);
}

static bool is_literal(const rsp_expr *e) { return e->op == RSP_X_STRING || e->op == RSP_X_NUMBER; }

static const char *literal_text(const rsp_expr *e, char text[32]) {
    if (e->op == RSP_X_STRING) return e->text;
    rsp_double_text(e->number, text);
    return text;
}

static void check_code(const binding *b, const rsp_variable *v, const rsp_expr *literal) {
    char text[32];
    rsp_bind_code(b->l, v->list, literal_text(literal, text), literal->loc,
                  rsp_printf(b->l->a, "'%s' in %s", v->name, b->where));
}

static void check_equal(const binding *b, const rsp_expr *variable, const rsp_expr *literal) {
    const rsp_variable *v = variable_of(b, variable);
    double number;
    if (!v || !is_literal(literal)) return;
    if (v->type == RSP_SELECT_ONE && v->list) check_code(b, v, literal);
    else if ((v->type == RSP_INTEGER || v->type == RSP_DECIMAL) && literal->op == RSP_X_STRING &&
             !rsp_parse_double(literal->text, strlen(literal->text), '.', &number))
        RSP_FAULT(b->l, literal->loc, NULL, "'%s' is a number and can never be '%s' in %s", v->name, literal->text,
                  b->where);
}

static void check_order(const binding *b, const rsp_expr *variable, const rsp_expr *literal) {
    const rsp_variable *v = variable_of(b, variable);
    double number;
    if (!v || literal->op != RSP_X_STRING || !rsp_is_numeric(v)) return;
    if (!rsp_parse_double(literal->text, strlen(literal->text), '.', &number))
        RSP_FAULT(b->l, literal->loc, v->list ? "codes are ordered by their `value`: write a number" : NULL,
                  "'%s' is compared with a text that is no number in %s", v->name, b->where);
}

static void check_selected(const binding *b, const rsp_expr *e) {
    if (e->n_args < 1) return;
    const rsp_variable *v = variable_of(b, e->args[0]);
    if (!v) return;
    if (!v->list) RSP_FAULT(b->l, e->args[0]->loc, NULL, "'%s' has no choices to be selected in %s", v->name, b->where);
    else if (e->op == RSP_X_SELECTED && e->n_args > 1 && is_literal(e->args[1])) check_code(b, v, e->args[1]);
}

/* Texts have no number: reckoning with them would make every row missing. */
static void check_numbers(const binding *b, const rsp_expr *e) {
    double number;
    for (size_t k = 0; k < e->n_args; k++) {
        const rsp_expr *x = e->args[k];
        const rsp_variable *v = variable_of(b, x);
        if (x->op == RSP_X_STRING && !rsp_parse_double(x->text, strlen(x->text), '.', &number))
            RSP_FAULT(b->l, x->loc, "write a number without quotation marks, or compare with =",
                      "'%s' is a text and cannot be reckoned with in %s", x->text, b->where);
        else if (v && v->type == RSP_TEXT)
            RSP_FAULT(b->l, x->loc, "make it an integer or a decimal in survey.csv if it holds numbers",
                      "'%s' is a text and cannot be reckoned with in %s", v->name, b->where);
    }
}

static bool reckons(rsp_expr_op op) {
    return (op >= RSP_X_ADD && op <= RSP_X_NEG) || (op >= RSP_X_ROUND && op <= RSP_X_MEAN);
}

static bool takes_sets(rsp_expr_op op) {
    return op == RSP_X_SELECTED || op == RSP_X_COUNT_SELECTED || op == RSP_X_IS_MISSING || op == RSP_X_COUNT_VALID;
}

static void bind_node(binding *b, rsp_expr *e) {
    if (e->op == RSP_X_VARIABLE) e->variable = rsp_bind_name(b->l, e->text, e->loc, b->where);
    if (e->op == RSP_X_SELF && b->self == RSP_NONE)
        RSP_FAULT(b->l, e->loc, "name the variable: ${name}", "'.' stands for no variable in %s", b->where);
    for (size_t k = 0; k < e->n_args; k++) {
        bind_node(b, e->args[k]);
        const rsp_variable *v = variable_of(b, e->args[k]);
        if (v && rsp_is_set(v) && !takes_sets(e->op))
            RSP_FAULT(b->l, e->args[k]->loc, "use selected(${...}, 'code') or count-selected(${...})",
                      "'%s' takes several choices and has no single value in %s", v->name, b->where);
    }
    if ((e->op == RSP_X_EQ || e->op == RSP_X_NE) && e->n_args == 2) {
        check_equal(b, e->args[0], e->args[1]);
        check_equal(b, e->args[1], e->args[0]);
    } else if (e->op >= RSP_X_LT && e->op <= RSP_X_GE && e->n_args == 2) {
        check_order(b, e->args[0], e->args[1]);
        check_order(b, e->args[1], e->args[0]);
    } else if (e->op == RSP_X_SELECTED || e->op == RSP_X_COUNT_SELECTED) {
        check_selected(b, e);
    } else if (reckons(e->op)) {
        check_numbers(b, e);
    }
}

void rsp_bind_expr(rsp_loader *l, rsp_expr *e, size_t self, const char *where) {
    binding b = {l, self, where};
    if (!e) return;
    bind_node(&b, e);
    const rsp_variable *v = variable_of(&b, e);
    if (v && rsp_is_set(v))
        RSP_FAULT(l, e->loc, "use selected(${...}, 'code') or count-selected(${...})",
                  "'%s' takes several choices and has no single value in %s", v->name, where);
}

rsp_expr *rsp_read_expr(rsp_loader *l, const rsp_node *n, size_t self, const char *where) {
    if (!n) return NULL;
    rsp_expr *e = rsp_expr_parse(l->a, n->text, &n->origin, l->d);
    rsp_bind_expr(l, e, self, where);
    return e;
}

/* ---- formulas --------------------------------------------------------------------------------------------------- */

/* `grouping`: the factor stands after |, where a text such as an organisation's code may stand. */
static void bind_factor(rsp_loader *l, rsp_fexpr *e, bool grouping, const char *where) {
    if (!e) return;
    if (e->op == RSP_F_VARIABLE) {
        e->variable = rsp_bind_name(l, e->name, e->loc, where);
        const rsp_variable *v = e->variable == RSP_NONE ? NULL : rsp_var(l, e->variable);
        if (v && rsp_is_set(v))
            RSP_FAULT(l, e->loc, rsp_printf(l->a, "name its choices: %s_%s", v->name, v->list->choices[0].code),
                      "'%s' takes several choices and cannot enter %s", v->name, where);
        else if (v && !rsp_is_numeric(v) && !grouping)
            RSP_FAULT(l, e->loc, NULL, "'%s' is a text or a date and cannot enter %s", v->name, where);
    }
    bind_factor(l, e->left, grouping, where);
    bind_factor(l, e->right, grouping, where);
}

static bool groups(const rsp_formula *f, size_t factor) {
    for (size_t k = 0; k < f->n_random; k++) {
        if (f->random[k].group == factor) return true;
        for (size_t j = 0; f->random[k].group == RSP_NONE && j < f->random[k].group_term.n; j++)
            if (f->random[k].group_term.factor[j] == factor) return true;
    }
    return false;
}

void rsp_bind_formula(rsp_loader *l, rsp_formula *f, const char *where) {
    bind_factor(l, f->response, false, where);
    for (size_t k = 0; k < f->n_factors; k++) bind_factor(l, f->factors[k], groups(f, k), where);
}
