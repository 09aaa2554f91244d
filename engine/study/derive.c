/* Derived variables: first all are declared, so that each may name any other, then bound, then put in order. */
#include "study/loader.h"

#include "responsive/limits.h"

#include <stdlib.h>
#include <string.h>

typedef struct {
    rsp_loader *l;
    const rsp_node *node;
    size_t variable;
    const char *where; /* "derived variable 'x'" */
} derivation;

static const char *const ways[] = {"cut", "map", "expr", "mean", "sum", NULL};

static rsp_derive_kind find_kind(rsp_loader *l, const rsp_node *n, const char *name) {
    rsp_derive_kind kind = RSP_DERIVE_NONE;
    size_t found = 0;
    for (int k = 0; ways[k]; k++)
        if (rsp_node_find(n, ways[k])) {
            kind = (rsp_derive_kind) (RSP_DERIVE_CUT + k);
            found++;
        }
    if (found != 1)
        RSP_FAULT(l, n->loc, NULL, "derived variable '%s' needs one of cut, map, expr, mean and sum%s", name,
                  found ? ", not several" : "");
    return kind;
}

/* ---- codes ------------------------------------------------------------------------------------------------------ */

static rsp_list *list_from_codes(rsp_loader *l, const char *name, const rsp_node *codes) {
    rsp_list *list = rsp_new_list(l, name, rsp_values(codes));
    list->n = 0;
    for (size_t k = 0; k < rsp_values(codes); k++) {
        const rsp_node *code = rsp_value_at(codes, k);
        if (code->bad) continue;
        if (rsp_list_find(list, code->text) != RSP_NONE)
            RSP_FAULT(l, code->loc, NULL, "code '%s' stands twice in '%s'", code->text, name);
        else if (!rsp_good_code(code->text))
            RSP_FAULT(l, code->loc, RSP_CODE_HINT, "'%s' cannot be a code", code->text);
        else {
            list->choices[list->n] = (rsp_choice){.code = code->text, .value = (double) list->n + 1, .loc = code->loc};
            list->n++;
        }
    }
    return list;
}

/* Without `codes` the new codes of a map stand in the order of their first appearance. */
static rsp_list *list_from_map(rsp_loader *l, const char *name, const rsp_node *map) {
    rsp_list *list = rsp_new_list(l, name, map->n);
    list->n = 0;
    for (size_t k = 0; k < map->n; k++) {
        const rsp_node *code = map->items[k];
        if (code->bad || code->kind != RSP_Y_SCALAR || rsp_list_find(list, code->text) != RSP_NONE) continue;
        if (!rsp_good_code(code->text)) RSP_FAULT(l, code->loc, RSP_CODE_HINT, "'%s' cannot be a code", code->text);
        list->choices[list->n] = (rsp_choice){.code = code->text, .value = (double) list->n + 1, .loc = code->loc};
        list->n++;
    }
    return list;
}

static void label_codes(rsp_loader *l, rsp_list *list, const rsp_node *labels, const char *where) {
    for (size_t k = 0; labels && k < labels->n; k++) {
        size_t c = rsp_bind_code(l, list, labels->keys[k]->text, labels->keys[k]->loc, where);
        if (c != RSP_NONE) list->choices[c].label = rsp_read_words(l, labels->items[k]);
    }
}

static void refuse(rsp_loader *l, const rsp_node *n, const char *key, const char *where, const char *hint) {
    const rsp_node *value = rsp_get(n, key);
    if (value) RSP_FAULT(l, value->loc, hint, "'%s' has no meaning in %s", key, where);
}

/* ---- declaring -------------------------------------------------------------------------------------------------- */

static rsp_list *declare_list(rsp_loader *l, const rsp_node *n, const char *name, rsp_derive_kind kind) {
    const rsp_node *codes = rsp_get(n, "codes"), *map = rsp_get(n, "map");
    if (codes && kind != RSP_DERIVE_MEAN && kind != RSP_DERIVE_SUM) return list_from_codes(l, name, codes);
    if (kind == RSP_DERIVE_MAP && map && map->kind == RSP_Y_MAP) return list_from_map(l, name, map);
    return NULL;
}

static rsp_measure declare_measure(const rsp_node *n, const rsp_variable *v) {
    static const char *const words[] = {"nominal", "ordinal", "interval", NULL};
    int fallback = !v->list ? RSP_INTERVAL : v->derive.kind == RSP_DERIVE_CUT ? RSP_ORDINAL : RSP_NOMINAL;
    return (rsp_measure) rsp_get_choice(n, "measure", words, fallback);
}

static bool declare(rsp_loader *l, const rsp_node *n, derivation *out) {
    const char *name = rsp_get_text(n, "name"), *type = rsp_get_text(n, "type");
    if (!name) return false;
    rsp_variable v = {.name = name, .part_of = RSP_NONE, .first_part = RSP_NONE, .loc = rsp_get(n, "name")->loc};
    const char *where = rsp_printf(l->a, "derived variable '%s'", name);
    v.derive.kind = find_kind(l, n, name);
    v.derive.from = RSP_NONE;
    rsp_list *list = declare_list(l, n, name, v.derive.kind);
    v.list = list;
    v.type = list ? RSP_SELECT_ONE : type && strcmp(type, "integer") == 0 ? RSP_INTEGER : RSP_DECIMAL;
    v.measure = declare_measure(n, &v);
    v.label = rsp_read_words(l, rsp_get(n, "label"));
    if (list) label_codes(l, list, rsp_get(n, "labels"), where);
    else refuse(l, n, "labels", where, "only codes have labels");
    if (list) refuse(l, n, "type", where, "its values are codes");
    if (v.derive.kind == RSP_DERIVE_MEAN || v.derive.kind == RSP_DERIVE_SUM)
        refuse(l, n, "codes", where, "derive a number first and `cut` it in another variable");
    else refuse(l, n, "min_valid", where, "it goes with mean and sum");
    if (v.derive.kind != RSP_DERIVE_CUT && v.derive.kind != RSP_DERIVE_MAP) refuse(l, n, "from", where, NULL);
    *out = (derivation){l, n, 0, where};
    return rsp_add_variable(l, &v, &out->variable) && v.derive.kind != RSP_DERIVE_NONE;
}

/* ---- binding ---------------------------------------------------------------------------------------------------- */

static void bind_from(const derivation *x, rsp_derivation *d) {
    const rsp_node *from = rsp_get(x->node, "from");
    if (!rsp_node_find(x->node, "from")) RSP_FAULT(x->l, x->node->loc, NULL, "%s needs the key 'from'", x->where);
    d->from = rsp_bind(x->l, from, x->where);
}

static void bind_cut(const derivation *x, rsp_derivation *d, const rsp_list *list) {
    const rsp_node *cut = rsp_get(x->node, "cut");
    double *limits = RSP_ARRAY(x->l->a, double, rsp_values(cut));
    bind_from(x, d);
    if (d->from != RSP_NONE && !rsp_is_numeric(rsp_var(x->l, d->from)))
        RSP_FAULT(x->l, rsp_get(x->node, "from")->loc, NULL, "'%s' is no number to cut in %s",
                  rsp_var(x->l, d->from)->name, x->where);
    for (size_t k = 0; k < rsp_values(cut); k++) {
        const rsp_node *value = rsp_value_at(cut, k);
        if (value->bad) continue;
        limits[d->n_cut] = rsp_node_number(value);
        if (d->n_cut && !(limits[d->n_cut] > limits[d->n_cut - 1]))
            RSP_FAULT(x->l, value->loc, NULL, "the limits of 'cut' must rise: %s does not", value->text);
        d->n_cut++;
    }
    d->cut = limits;
    if (!list) RSP_FAULT(x->l, x->node->loc, NULL, "%s needs `codes`, one more than limits", x->where);
    else if (cut && list->n != rsp_values(cut) + 1)
        RSP_FAULT(x->l, rsp_get(x->node, "codes")->loc, NULL, "%zu limits make %zu codes, not %zu, in %s",
                  rsp_values(cut), rsp_values(cut) + 1, list->n, x->where);
}

static void bind_map(const derivation *x, rsp_derivation *d, const rsp_list *list) {
    const rsp_node *map = rsp_get(x->node, "map");
    bind_from(x, d);
    const rsp_list *from = d->from == RSP_NONE ? NULL : rsp_var(x->l, d->from)->list;
    if (d->from != RSP_NONE && (!from || rsp_is_set(rsp_var(x->l, d->from)))) {
        RSP_FAULT(x->l, rsp_get(x->node, "from")->loc, "use `cut` for numbers, `expr` for the rest",
                  "'%s' has no single code to map in %s", rsp_var(x->l, d->from)->name, x->where);
        return;
    }
    if (!map || !from || !list) return;
    size_t *source = RSP_ARRAY(x->l->a, size_t, map->n), *target = RSP_ARRAY(x->l->a, size_t, map->n);
    for (size_t k = 0; k < map->n; k++) {
        const rsp_node *key = map->keys[k], *value = map->items[k];
        size_t a =
            rsp_bind_code(x->l, from, key->text, key->loc, rsp_printf(x->l->a, "'%s'", rsp_var(x->l, d->from)->name));
        size_t b = value->bad ? RSP_NONE : rsp_bind_code(x->l, list, value->text, value->loc, x->where);
        if (a == RSP_NONE || b == RSP_NONE) continue;
        source[d->n_map] = a;
        target[d->n_map++] = b;
    }
    d->map_from = source;
    d->map_to = target;
}

/* The texts that an expression can give must be codes of the variable. */
static void check_results(const derivation *x, const rsp_expr *e, const rsp_list *list) {
    if (e->op == RSP_X_STRING) rsp_bind_code(x->l, list, e->text, e->loc, x->where);
    for (size_t k = 0; e->op == RSP_X_IF && k < e->n_args; k++)
        if (k) check_results(x, e->args[k], list);
    for (size_t k = 0; e->op == RSP_X_COALESCE && k < e->n_args; k++) check_results(x, e->args[k], list);
}

static void refuse_text_results(const derivation *x, const rsp_expr *e) {
    if (e->op == RSP_X_STRING)
        RSP_FAULT(x->l, e->loc, "list its texts under `codes`", "%s gives the text '%s'", x->where, e->text);
    for (size_t k = 0; e->op == RSP_X_IF && k < e->n_args; k++)
        if (k) refuse_text_results(x, e->args[k]);
    for (size_t k = 0; e->op == RSP_X_COALESCE && k < e->n_args; k++) refuse_text_results(x, e->args[k]);
}

static void bind_items(const derivation *x, rsp_derivation *d, const char *key) {
    const rsp_node *items = rsp_get(x->node, key), *least = rsp_get(x->node, "min_valid");
    d->n_items = rsp_bind_list(x->l, items, x->where, &d->items);
    for (size_t k = 0; k < d->n_items; k++)
        if (!rsp_is_numeric(rsp_var(x->l, d->items[k])))
            RSP_FAULT(x->l, items->loc, NULL, "'%s' is no number in %s", rsp_var(x->l, d->items[k])->name, x->where);
    if (items && !items->n) RSP_FAULT(x->l, items->loc, NULL, "'%s' names no variable", key);
    d->min_valid = (size_t) rsp_get_number(x->node, "min_valid", (double) d->n_items);
    if (least && items && d->min_valid > items->n)
        RSP_FAULT(x->l, least->loc, NULL, "'min_valid' is %zu of %zu items", d->min_valid, items->n);
}

static void bind(const derivation *x) {
    rsp_derivation d = rsp_var(x->l, x->variable)->derive;
    const rsp_list *list = rsp_var(x->l, x->variable)->list;
    switch (d.kind) {
    case RSP_DERIVE_CUT: bind_cut(x, &d, list); break;
    case RSP_DERIVE_MAP: bind_map(x, &d, list); break;
    case RSP_DERIVE_EXPR:
        d.expr = rsp_read_expr(x->l, rsp_get(x->node, "expr"), RSP_NONE, x->where);
        if (d.expr && list) check_results(x, d.expr, list);
        else if (d.expr) refuse_text_results(x, d.expr);
        break;
    case RSP_DERIVE_MEAN: bind_items(x, &d, "mean"); break;
    case RSP_DERIVE_SUM: bind_items(x, &d, "sum"); break;
    case RSP_DERIVE_NONE: break;
    }
    x->l->s->variables[x->variable].derive = d;
}

/* ---- order of evaluation ---------------------------------------------------------------------------------------- */

typedef struct {
    const rsp_study *s;
    uint8_t *ready; /* by variable */
    bool waiting;
    size_t for_whom;
} dependency;

static void need(dependency *x, size_t v) {
    if (v == RSP_NONE || x->ready[v]) return;
    x->waiting = true;
    x->for_whom = v;
}

static void need_variable(rsp_expr *variable, void *context) { need(context, variable->variable); }

/* Does the derivation wait for one that is not ready? */
static bool waits(dependency *x, size_t v) {
    const rsp_derivation *d = &x->s->variables[v].derive;
    x->waiting = false;
    if (d->kind == RSP_DERIVE_CUT || d->kind == RSP_DERIVE_MAP) need(x, d->from);
    for (size_t k = 0; k < d->n_items; k++) need(x, d->items[k]);
    if (d->expr) rsp_expr_each_variable(d->expr, need_variable, x);
    return x->waiting;
}

/* Follows who waits for whom from v: after as many steps as there are variables it is inside a cycle. */
static void report_cycle(rsp_loader *l, dependency *x, size_t v) {
    for (size_t k = 0; k < l->s->n_variables; k++) {
        waits(x, v);
        v = x->for_whom;
    }
    rsp_buf path = {0};
    size_t start = v, shown = 0;
    do {
        rsp_buf_printf(&path, "'%s' needs ", rsp_var(l, v)->name);
        waits(x, v);
        v = x->for_whom;
    } while (v != start && ++shown < 10);
    rsp_buf_printf(&path, "'%s'", v == start ? rsp_var(l, start)->name : "...");
    RSP_FAULT(l, rsp_var(l, start)->loc, NULL, "derived variables go in a circle: %s", path.data);
    rsp_buf_free(&path);
}

/* Rounds over those not yet placed, in the order of the study: each round places what waits for nobody. */
static void put_in_order(rsp_loader *l, const derivation *all, size_t n) {
    dependency x = {.s = l->s, .ready = rsp_calloc(l->s->n_variables + 1, 1)};
    size_t *order = RSP_ARRAY(l->a, size_t, n), placed = 0;
    for (size_t k = 0; k < l->s->n_variables; k++) x.ready[k] = l->s->variables[k].derive.kind == RSP_DERIVE_NONE;
    for (bool progress = true; progress && placed < n;) {
        progress = false;
        for (size_t k = 0; k < n; k++) {
            size_t v = all[k].variable;
            if (x.ready[v] || waits(&x, v)) continue;
            order[placed++] = v;
            x.ready[v] = 1;
            progress = true;
        }
    }
    for (size_t k = 0; k < n && placed < n; k++)
        if (!x.ready[all[k].variable]) {
            report_cycle(l, &x, all[k].variable);
            break;
        }
    l->s->n_derived = placed;
    l->s->derived = order;
    free(x.ready);
}

void rsp_load_derivations(rsp_loader *l) {
    const rsp_node *n = rsp_get(l->root, "derive");
    size_t count = 0;
    if (!n || n->kind != RSP_Y_LIST) return;
    if (n->n > RSP_MOST_DERIVED) {
        RSP_FAULT(l, n->loc, NULL, "more than %d derived variables", RSP_MOST_DERIVED);
        return;
    }
    derivation *all = rsp_calloc(n->n + 1, sizeof *all);
    for (size_t k = 0; k < n->n; k++)
        if (declare(l, n->items[k], &all[count])) count++;
    for (size_t k = 0; k < count; k++) bind(&all[k]);
    put_in_order(l, all, count);
    free(all);
}
