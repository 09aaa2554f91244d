/* Entries of `tables` and `tests`. */
#include "study/analysis.h"

/* ---- tables ----------------------------------------------------------------------------------------------------- */

/* In the order of rsp_statistic. */
static const char *const statistics[] = {"proportion", "mean", "total", "median",       "quantile", "count",
                                         "sd",         "net",  "top2",  "combinations", "ranking",  NULL};

const char *rsp_statistic_word(rsp_statistic s) { return s == RSP_RATIO ? "ratio" : statistics[s]; }

static const char *item_fault(const rsp_variable *v, rsp_statistic s) {
    if (v->type == RSP_TEXT) return "is free text, which is never published";
    if (v->type == RSP_DATE || v->type == RSP_DATETIME) return "is a date";
    switch (s) {
    case RSP_PROPORTION: return v->type == RSP_DECIMAL ? "is a number without categories: `cut` it first" : NULL;
    case RSP_COMBINATIONS: return v->type == RSP_SELECT_MULTIPLE ? NULL : "is no select_multiple";
    case RSP_RANKING: return v->type == RSP_RANK ? NULL : "is no rank";
    case RSP_NET:
    case RSP_TOP2: return v->type == RSP_SELECT_ONE ? NULL : "has no ordered answers";
    case RSP_MEDIAN:
    case RSP_QUANTILE:
    case RSP_SD: return rsp_is_set(v) ? "takes several choices: name one as NAME_CODE" : NULL;
    default: return NULL;
    }
}

static void read_items(rsp_entry *e, rsp_table *t) {
    const rsp_node *items = rsp_get(e->n, "items");
    t->n_items = rsp_bind_list(e->l, items, e->where, &t->items);
    for (size_t k = 0; items && k < items->n; k++) {
        size_t v = items->items[k]->bad ? RSP_NONE : rsp_map_get(e->l->names, items->items[k]->text);
        const char *fault = v == RSP_NONE ? NULL : item_fault(rsp_var(e->l, v), t->statistic);
        if (fault)
            RSP_FAULT(e->l, items->items[k]->loc, NULL, "'%s' %s (%s of %s)", rsp_var(e->l, v)->name, fault,
                      statistics[t->statistic], e->where);
    }
    if (items && !items->n) RSP_FAULT(e->l, items->loc, NULL, "%s has no items", e->where);
}

static size_t read_ratio_part(rsp_entry *e, const rsp_node *ratio, const char *key) {
    const rsp_node *n = rsp_get(ratio, key);
    size_t v = rsp_bind(e->l, n, e->where);
    if (v != RSP_NONE && !rsp_is_numeric(rsp_var(e->l, v)))
        RSP_FAULT(e->l, n->loc, NULL, "'%s' is no number in %s", n->text, e->where);
    return v;
}

static void read_what(rsp_entry *e, rsp_table *t) {
    const rsp_node *ratio = rsp_get(e->n, "ratio"), *items = rsp_get(e->n, "items"),
                   *statistic = rsp_get(e->n, "statistic");
    t->statistic = ratio ? RSP_RATIO : (rsp_statistic) rsp_get_choice(e->n, "statistic", statistics, RSP_PROPORTION);
    t->numerator = t->denominator = RSP_NONE;
    if (ratio && items) RSP_FAULT(e->l, items->loc, "keep one of them", "%s has both 'items' and 'ratio'", e->where);
    if (ratio && statistic) RSP_FAULT(e->l, statistic->loc, "leave it out", "'statistic' has no meaning with 'ratio'");
    if (ratio) {
        t->numerator = read_ratio_part(e, ratio, "numerator");
        t->denominator = read_ratio_part(e, ratio, "denominator");
    } else {
        if (!rsp_node_find(e->n, "items")) RSP_FAULT(e->l, e->n->loc, NULL, "%s needs 'items' or 'ratio'", e->where);
        read_items(e, t);
    }
}

static void read_probs(rsp_entry *e, rsp_table *t) {
    const rsp_node *probs = rsp_get(e->n, "probs");
    double *p = RSP_ARRAY(e->l->a, double, rsp_values(probs));
    if (probs && t->statistic != RSP_QUANTILE)
        RSP_FAULT(e->l, probs->loc, NULL, "'probs' goes with statistic quantile alone");
    if (!rsp_node_find(e->n, "probs") && t->statistic == RSP_QUANTILE)
        RSP_FAULT(e->l, e->n->loc, "add `probs: [0.25, 0.5, 0.75]`", "%s needs 'probs'", e->where);
    for (size_t k = 0; k < rsp_values(probs); k++) {
        const rsp_node *value = rsp_value_at(probs, k);
        if (value->bad) continue;
        p[t->n_probs++] = rsp_node_number(value);
        if (!(p[t->n_probs - 1] > 0 && p[t->n_probs - 1] < 1))
            RSP_FAULT(e->l, value->loc, NULL, "a probability lies between 0 and 1, not at %s", value->text);
    }
    t->probs = p;
}

static void check_domain(rsp_entry *e, const rsp_node *list) {
    for (size_t k = 0; k < list->n; k++) {
        size_t v = list->items[k]->bad ? RSP_NONE : rsp_map_get(e->l->names, list->items[k]->text);
        if (v == RSP_NONE) continue;
        const rsp_variable *x = rsp_var(e->l, v);
        if (rsp_is_set(x))
            RSP_FAULT(e->l, list->items[k]->loc,
                      rsp_printf(e->l->a, "name a choice: %s_%s", x->name, x->list->choices[0].code),
                      "'%s' takes several choices and makes no groups in %s", x->name, e->where);
        else if (x->type != RSP_SELECT_ONE && x->type != RSP_INTEGER)
            RSP_FAULT(e->l, list->items[k]->loc, "derive a coded variable", "'%s' has no codes to make groups in %s",
                      x->name, e->where);
    }
}

static void read_by(rsp_entry *e, rsp_table *t) {
    const rsp_node *by = rsp_get(e->n, "by");
    if (by && !by->n) RSP_FAULT(e->l, by->loc, "write [[]] for everybody", "'by' names no crossing in %s", e->where);
    t->n_by = by ? by->n : 1;
    t->by = RSP_ARRAY(e->l->a, rsp_crossing, t->n_by);
    for (size_t k = 0; by && k < by->n; k++) {
        if (by->items[k]->bad || by->items[k]->kind != RSP_Y_LIST) continue;
        t->by[k].n = rsp_bind_list(e->l, by->items[k], e->where, &t->by[k].variables);
        check_domain(e, by->items[k]);
    }
}

static bool by_country(const rsp_loader *l, const rsp_crossing *c) {
    for (size_t k = 0; k < c->n; k++)
        if (c->variables[k] == l->s->roles.country) return true;
    return false;
}

void rsp_load_table(rsp_entry *e) {
    rsp_table *t = &e->x->table;
    e->x->kind = RSP_A_TABLE;
    read_what(e, t);
    read_probs(e, t);
    read_by(e, t);
    t->compare = rsp_get_yes(e->n, "compare");
    t->rating = rsp_get_yes(e->n, "rating");
    if (t->rating && t->statistic != RSP_NET)
        RSP_FAULT(e->l, rsp_get(e->n, "rating")->loc, "leave it out, or write `statistic: net`",
                  "'rating' has a meaning with the statistic net alone (%s)", e->where);
    for (size_t k = 0; k < t->n_by; k++)
        if (!by_country(e->l, &t->by[k]) && t->statistic != RSP_COUNT) rsp_need_scale(e);
}

/* ---- tests ------------------------------------------------------------------------------------------------------ */

static size_t read_side(rsp_entry *e, const char *key, bool coded) {
    const rsp_node *n = rsp_get(e->n, key);
    size_t v = rsp_bind(e->l, n, e->where);
    if (v == RSP_NONE) return v;
    const rsp_variable *x = rsp_var(e->l, v);
    if (coded ? x->type != RSP_SELECT_ONE && x->type != RSP_INTEGER : !rsp_is_numeric(x))
        RSP_FAULT(e->l, n->loc, NULL, "'%s' %s in %s", x->name, coded ? "has no codes" : "is no number", e->where);
    return v;
}

void rsp_load_test(rsp_entry *e) {
    static const char *const kinds[] = {"rao_scott", "t", "wald", "kruskal", NULL};
    rsp_test *t = &e->x->test;
    e->x->kind = RSP_A_TEST;
    t->kind = rsp_get_choice(e->n, "kind", kinds, RSP_TEST_RAO_SCOTT);
    bool table = t->kind == RSP_TEST_RAO_SCOTT || t->kind == RSP_TEST_WALD;
    t->rows = read_side(e, "rows", table);
    t->columns = read_side(e, "columns", true);
    if (t->rows != RSP_NONE && t->rows == t->columns)
        RSP_FAULT(e->l, rsp_get(e->n, "columns")->loc, NULL, "%s tests '%s' against itself", e->where,
                  rsp_var(e->l, t->rows)->name);
    rsp_need_scale(e);
}
