/* Cleaning rules: each entry of `clean` has one kind, whose value may be short (a number, a list) or a mapping. */
#include "study/loader.h"

#include "responsive/limits.h"

#include <math.h>
#include <string.h>

static const char *const kinds[] = {"drop",           "duplicates", "incomplete", "speeders",
                                    "straightliners", "outliers",   "recode",     "set-missing",
                                    "constraint",     "relevant",   NULL};

typedef struct {
    rsp_loader *l;
    const rsp_node *entry, *value; /* the rule; the value of its kind */
    const char *where;
} rule;

/* A key of the rule: inside the kind's mapping, or beside it. */
static rsp_node *part(const rule *r, const char *key) {
    rsp_node *n = r->value && r->value->kind == RSP_Y_MAP ? rsp_get(r->value, key) : NULL;
    return n ? n : rsp_get(r->entry, key);
}

/* The kind's own value if it is short, else the part of that name. */
static const rsp_node *own(const rule *r, const char *key) {
    return r->value && r->value->kind != RSP_Y_MAP ? r->value : part(r, key);
}

static int find_kind(rsp_loader *l, const rsp_node *entry, const char *where) {
    int kind = -1, found = 0;
    for (int k = 0; kinds[k]; k++)
        if (rsp_node_find(entry, kinds[k])) {
            kind = k;
            found++;
        }
    if (found != 1)
        RSP_FAULT(l, entry->loc,
                  "drop, duplicates, incomplete, speeders, straightliners, outliers, recode, set-missing, "
                  "constraint or relevant",
                  "%s needs one kind%s", where, found ? ", not several" : "");
    return found == 1 ? kind : -1;
}

static void read_items(const rule *r, const rsp_node *n, rsp_clean_rule *x, bool needed) {
    x->n_items = rsp_bind_list(r->l, n, r->where, &x->items);
    if (needed && !n) RSP_FAULT(r->l, r->entry->loc, "add `items: [...]`", "%s names no variables", r->where);
}

static void read_number(const rule *r, rsp_clean_rule *x, const char *key) {
    x->minimum = rsp_node_number(own(r, key));
    if (!own(r, key)) RSP_FAULT(r->l, r->entry->loc, NULL, "%s needs '%s'", r->where, key);
}

static void read_duplicates(const rule *r, rsp_clean_rule *x) {
    const rsp_node *by = own(r, "by"), *keep = part(r, "keep");
    x->n_by = rsp_bind_list(r->l, by, r->where, &x->by);
    if (!by) RSP_FAULT(r->l, r->entry->loc, "add `by: [...]`", "%s names no variables", r->where);
    x->keep = !keep || strcmp(keep->text, "first") == 0 ? RSP_KEEP_FIRST
              : strcmp(keep->text, "last") == 0         ? RSP_KEEP_LAST
                                                        : RSP_KEEP_MOST_COMPLETE;
}

static void read_straightliners(const rule *r, rsp_clean_rule *x) {
    const rsp_node *least = part(r, "minimum"), *items = own(r, "items");
    read_items(r, items, x, true);
    x->minimum = least ? rsp_node_number(least) : (double) x->n_items;
    if (least && (x->minimum < 2 || x->minimum > (double) rsp_values(items)))
        RSP_FAULT(r->l, least->loc, NULL, "'minimum' must be from 2 to the number of items (%zu) in %s",
                  rsp_values(items), r->where);
    if (items && rsp_values(items) < 2) RSP_FAULT(r->l, items->loc, NULL, "%s needs at least two items", r->where);
}

static void read_outliers(const rule *r, rsp_clean_rule *x) {
    const rsp_node *low = part(r, "low"), *high = part(r, "high"), *least = part(r, "minimum"),
                   *items = own(r, "items");
    read_items(r, items, x, true);
    for (size_t k = 0; k < x->n_items; k++) {
        const rsp_variable *v = rsp_var(r->l, x->items[k]);
        if (v->type != RSP_INTEGER && v->type != RSP_DECIMAL)
            RSP_FAULT(r->l, items->loc, NULL, "'%s' is no number in %s", v->name, r->where);
    }
    x->low = rsp_node_number(low);
    x->high = rsp_node_number(high);
    x->minimum = rsp_node_number(least);
    if (!low && !high && !least)
        RSP_FAULT(r->l, r->entry->loc, NULL, "%s needs 'low', 'high' or 'minimum' (interquartile ranges)", r->where);
    if (x->low > x->high) RSP_FAULT(r->l, low->loc, NULL, "'low' is above 'high' in %s", r->where);
}

static const char *missing_code(const rsp_node *n) { return strcmp(n->text, "missing") == 0 ? "" : n->text; }

static void read_recode(const rule *r, rsp_clean_rule *x) {
    const rsp_node *map = part(r, "map");
    read_items(r, own(r, "items"), x, true);
    if (!map) RSP_FAULT(r->l, r->entry->loc, "add `map: {old: new}`", "%s says nothing to recode", r->where);
    x->recode = RSP_ARRAY(r->l->a, rsp_pair, map ? map->n : 0);
    for (size_t k = 0; k < x->n_items; k++) {
        const rsp_variable *v = rsp_var(r->l, x->items[k]);
        const char *name = rsp_printf(r->l->a, "'%s' in %s", v->name, r->where);
        if (!v->list || rsp_is_set(v)) RSP_FAULT(r->l, r->entry->loc, NULL, "%s has no single code to recode", name);
        for (size_t j = 0; map && v->list && j < map->n; j++) {
            rsp_bind_code(r->l, v->list, map->keys[j]->text, map->keys[j]->loc, name);
            const rsp_node *to = map->items[j];
            bool missing = !to->bad && !missing_code(to)[0] && rsp_list_find(v->list, to->text) == RSP_NONE;
            if (!to->bad && !missing) rsp_bind_code(r->l, v->list, to->text, to->loc, name);
        }
    }
    for (size_t j = 0; map && j < map->n; j++)
        if (!map->items[j]->bad) x->recode[x->n_recode++] = (rsp_pair){map->keys[j]->text, missing_code(map->items[j])};
}

typedef struct {
    size_t variable;
    bool several;
} single;

static void note_variable(rsp_expr *e, void *context) {
    single *s = context;
    s->several |= s->variable != RSP_NONE && s->variable != e->variable;
    s->variable = e->variable;
}

/* Without items the one variable of the condition is meant; with several it must be said. */
static void read_set_missing(const rule *r, rsp_clean_rule *x) {
    const rsp_node *items = rsp_get(r->entry, "items");
    read_items(r, items, x, false);
    x->expr = rsp_read_expr(r->l, r->value, x->n_items ? x->items[0] : RSP_NONE, r->where);
    for (size_t k = 1; x->expr && k < x->n_items; k++) rsp_bind_expr(r->l, x->expr, x->items[k], r->where);
    single s = {RSP_NONE, false};
    if (items || !x->expr) return;
    rsp_expr_each_variable(x->expr, note_variable, &s);
    if (s.several || s.variable == RSP_NONE) {
        if (!r->l->blind)
            RSP_FAULT(r->l, r->entry->loc, "add `items: [...]`", "%s does not say which variables become missing",
                      r->where);
        return;
    }
    size_t *one = RSP_NEW(r->l->a, size_t);
    *one = s.variable;
    x->items = one;
    x->n_items = 1;
}

static rsp_action read_action(const rule *r, rsp_clean_kind kind) {
    static const char *const words[] = {"drop", "flag", "set-missing", NULL};
    bool cells = kind >= RSP_CLEAN_OUTLIERS;
    int action = rsp_get_choice(r->entry, "action", words, cells ? RSP_ACTION_SET_MISSING : RSP_ACTION_DROP);
    if (action == RSP_ACTION_SET_MISSING && !cells && kind != RSP_CLEAN_STRAIGHTLINERS)
        RSP_FAULT(r->l, rsp_get(r->entry, "action")->loc, "use drop or flag",
                  "%s concerns whole rows and cannot set answers missing", r->where);
    if ((kind == RSP_CLEAN_RECODE || kind == RSP_CLEAN_SET_MISSING) && action != RSP_ACTION_SET_MISSING)
        RSP_FAULT(r->l, rsp_get(r->entry, "action")->loc, "leave it out", "'action' has no meaning in %s", r->where);
    return (rsp_action) action;
}

static void read_kind(const rule *r, rsp_clean_rule *x) {
    switch (x->kind) {
    case RSP_CLEAN_DROP: x->expr = rsp_read_expr(r->l, r->value, RSP_NONE, r->where); break;
    case RSP_CLEAN_DUPLICATES: read_duplicates(r, x); break;
    case RSP_CLEAN_INCOMPLETE:
        read_number(r, x, "minimum");
        read_items(r, part(r, "items"), x, false);
        break;
    case RSP_CLEAN_SPEEDERS:
        read_number(r, x, "minimum");
        if (r->l->s->roles.duration == RSP_NONE &&
            (r->l->s->roles.started == RSP_NONE || r->l->s->roles.submitted == RSP_NONE))
            RSP_FAULT(r->l, r->entry->loc, "name the variable in roles.duration, or roles.started and roles.submitted",
                      "%s needs the time taken", r->where);
        break;
    case RSP_CLEAN_STRAIGHTLINERS: read_straightliners(r, x); break;
    case RSP_CLEAN_OUTLIERS: read_outliers(r, x); break;
    case RSP_CLEAN_RECODE: read_recode(r, x); break;
    case RSP_CLEAN_SET_MISSING: read_set_missing(r, x); break;
    case RSP_CLEAN_CONSTRAINT:
    case RSP_CLEAN_RELEVANT: break;
    }
}

static void load_rule(rsp_loader *l, const rsp_node *entry, rsp_map *ids) {
    const char *id = rsp_get_text(entry, "id");
    rule r = {l, entry, NULL, rsp_printf(l->a, "rule '%s'", id ? id : "?")};
    rsp_clean_rule *x = &l->s->rules[l->s->n_rules];
    int kind = find_kind(l, entry, r.where);
    if (id && !rsp_map_put(ids, id, l->s->n_rules))
        RSP_FAULT(l, rsp_get(entry, "id")->loc, NULL, "rule '%s' stands twice", id);
    if (kind < 0) return;
    *x = (rsp_clean_rule){.id = id,
                          .kind = (rsp_clean_kind) kind,
                          .label = rsp_read_words(l, rsp_get(entry, "label")),
                          .minimum = NAN,
                          .low = NAN,
                          .high = NAN,
                          .loc = entry->loc};
    r.value = rsp_get(entry, kinds[kind]);
    if (!r.value) return;
    l->s->n_rules++;
    x->action = read_action(&r, x->kind);
    read_kind(&r, x);
}

void rsp_load_rules(rsp_loader *l) {
    const rsp_node *n = rsp_get(l->root, "clean");
    rsp_map *ids = rsp_map_new();
    l->s->rules = RSP_ARRAY(l->a, rsp_clean_rule, n ? n->n : 0);
    for (size_t k = 0; n && k < n->n; k++)
        if (!n->items[k]->bad) load_rule(l, n->items[k], ids);
    if (l->s->n_rules > RSP_MOST_RULES)
        RSP_FAULT(l, n->items[RSP_MOST_RULES]->loc, "join conditions with or", "more than %d cleaning rules",
                  RSP_MOST_RULES);
    rsp_map_free(ids);
}
