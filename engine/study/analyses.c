/* Tables, tests, scales, factor models, regressions: in the order of study.yaml. */
#include "study/loader.h"
#include "responsive/limits.h"

#include <math.h>
#include <string.h>
#include <strings.h>

typedef struct {
    rsp_loader *l;
    const rsp_node *n;
    rsp_analysis *x;
    const char *where; /* "table 'age'" */
} entry;

/* ---- tables ----------------------------------------------------------------------------------------------------- */

static const char *const statistics[] = {"proportion", "mean", "total", "median",       "quantile", "count",
                                         "sd",         "net",  "top2",  "combinations", "ranking",  NULL};

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

static void read_items(entry *e, rsp_table *t) {
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

static size_t read_ratio_part(entry *e, const rsp_node *ratio, const char *key) {
    const rsp_node *n = rsp_get(ratio, key);
    size_t v = rsp_bind(e->l, n, e->where);
    if (v != RSP_NONE && !rsp_is_numeric(rsp_var(e->l, v)))
        RSP_FAULT(e->l, n->loc, NULL, "'%s' is no number in %s", n->text, e->where);
    return v;
}

static void read_what(entry *e, rsp_table *t) {
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

static void read_probs(entry *e, rsp_table *t) {
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

static void check_domain(entry *e, const rsp_node *list) {
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

static void read_by(entry *e, rsp_table *t) {
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

/* Figures over several countries need a decision how countries combine. */
static void need_scale(entry *e) {
    size_t country = e->l->s->roles.country;
    if (country == RSP_NONE || e->l->s->weighting.scale != RSP_SCALE_UNSET || e->l->needs_scale) return;
    e->l->needs_scale = true;
    RSP_FAULT(e->l, e->n->loc, "add `weighting: {scale: equal}`, sample or population",
              "%s asks for figures over all countries, but the study does not say how countries combine", e->where);
}

static void load_table(entry *e) {
    rsp_table *t = &e->x->table;
    e->x->kind = RSP_A_TABLE;
    read_what(e, t);
    read_probs(e, t);
    read_by(e, t);
    t->compare = rsp_get_yes(e->n, "compare");
    for (size_t k = 0; k < t->n_by; k++)
        if (!by_country(e->l, &t->by[k]) && t->statistic != RSP_COUNT) need_scale(e);
}

/* ---- tests ------------------------------------------------------------------------------------------------------ */

static size_t read_side(entry *e, const char *key, bool coded) {
    const rsp_node *n = rsp_get(e->n, key);
    size_t v = rsp_bind(e->l, n, e->where);
    if (v == RSP_NONE) return v;
    const rsp_variable *x = rsp_var(e->l, v);
    if (coded ? x->type != RSP_SELECT_ONE && x->type != RSP_INTEGER : !rsp_is_numeric(x))
        RSP_FAULT(e->l, n->loc, NULL, "'%s' %s in %s", x->name, coded ? "has no codes" : "is no number", e->where);
    return v;
}

static void load_test(entry *e) {
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
    need_scale(e);
}

/* ---- regressions ------------------------------------------------------------------------------------------------ */

static size_t valid_codes(const rsp_list *list, const char *codes[2]) {
    size_t n = 0;
    for (size_t k = 0; k < list->n; k++)
        if (!list->choices[k].missing) {
            if (n < 2) codes[n] = list->choices[k].code;
            n++;
        }
    return n;
}

static bool yes_then_no(const char *const codes[2]) {
    static const char *const pairs[][2] = {{"yes", "no"}, {"y", "n"}, {"true", "false"}, {"1", "0"}};
    for (size_t k = 0; k < sizeof pairs / sizeof *pairs; k++)
        if (strcasecmp(codes[0], pairs[k][0]) == 0 && strcasecmp(codes[1], pairs[k][1]) == 0) return true;
    return false;
}

static void check_logistic(entry *e, const rsp_variable *y, rsp_loc loc) {
    const rsp_node *event = rsp_get(e->n, "event");
    const char *codes[2] = {"", ""};
    double number;
    if (event && y->list) {
        rsp_bind_code(e->l, y->list, event->text, event->loc, rsp_printf(e->l->a, "'%s' in %s", y->name, e->where));
    } else if (event && !rsp_parse_double(event->text, strlen(event->text), '.', &number)) {
        RSP_FAULT(e->l, event->loc, NULL, "the event of '%s', a number, cannot be '%s'", y->name, event->text);
    } else if (y->list && !event) {
        size_t n = valid_codes(y->list, codes);
        if (n != 2)
            RSP_FAULT(e->l, loc, "add `event: CODE`", "'%s' has %zu valid answers, a logistic model needs two, in %s",
                      y->name, n, e->where);
        else if (yes_then_no(codes))
            RSP_FAULT(e->l, loc, rsp_printf(e->l->a, "add `event: \"%s\"`", codes[0]),
                      "the answers of '%s' stand in the order %s, %s: %s must say which is the event", y->name,
                      codes[0], codes[1], e->where);
    }
}

static void check_response(entry *e, const rsp_model *m) {
    const rsp_fexpr *r = m->formula->response;
    const rsp_node *event = rsp_get(e->n, "event");
    if (event && !rsp_model_binary(m))
        RSP_FAULT(e->l, event->loc, NULL, "'event' goes with kinds logistic and mixed_logistic alone");
    if (!r) {
        RSP_FAULT(e->l, m->formula->loc, "write `outcome ~ predictors`", "the formula of %s has no outcome", e->where);
        return;
    }
    if (r->op != RSP_F_VARIABLE || r->variable == RSP_NONE) return;
    const rsp_variable *y = rsp_var(e->l, r->variable);
    const char *codes[2];
    if (rsp_model_binary(m)) check_logistic(e, y, r->loc);
    if (rsp_model_ordered(m) && (!y->list || valid_codes(y->list, codes) < 2))
        RSP_FAULT(e->l, r->loc, NULL, "'%s' has no ordered answers in the ordinal %s", y->name, e->where);
    if (m->kind == RSP_MULTINOMIAL_MODEL && (!y->list || valid_codes(y->list, codes) < 2))
        RSP_FAULT(e->l, r->loc, NULL, "'%s' has no categories in the multinomial %s", y->name, e->where);
    if ((m->kind == RSP_LINEAR_MODEL || m->kind == RSP_MIXED_MODEL) && y->list && y->measure == RSP_NOMINAL)
        RSP_FAULT(e->l, r->loc, "set its `measure` to ordinal or interval", "'%s' has no numbers in the %s %s", y->name,
                  m->kind == RSP_MIXED_MODEL ? "mixed" : "linear", e->where);
    if ((m->kind == RSP_POISSON_MODEL || m->kind == RSP_NEGATIVE_BINOMIAL_MODEL) && y->list)
        RSP_FAULT(e->l, r->loc, "name a variable of whole numbers", "'%s' is no count in %s", y->name, e->where);
}

static bool in_formula(const rsp_fexpr *e, size_t v) {
    if (!e) return false;
    if (e->op == RSP_F_VARIABLE) return e->variable == v;
    return in_formula(e->left, v) || in_formula(e->right, v);
}

/* The predictor that a node of `margins` or `predict` names, or RSP_NONE. */
static size_t read_predictor(entry *e, const rsp_model *m, const char *name, rsp_loc loc, const char *key) {
    size_t v = rsp_bind_name(e->l, name, loc, e->where);
    bool found = !m->formula || m->formula->dot;
    for (size_t k = 0; m->formula && k < m->formula->n_factors; k++) found |= in_formula(m->formula->factors[k], v);
    if (v != RSP_NONE && !found)
        RSP_FAULT(e->l, loc, "add it to the formula, or take it out here", "'%s' of %s is no predictor: '%s'", key,
                  e->where, name);
    return found ? v : RSP_NONE;
}

static void read_margins(entry *e, rsp_model *m) {
    const rsp_node *n = rsp_get(e->n, "margins");
    size_t *found = RSP_ARRAY(e->l->a, size_t, rsp_values(n) + 1);
    for (size_t k = 0; k < rsp_values(n); k++) {
        const rsp_node *value = rsp_value_at(n, k);
        size_t v = value->bad ? RSP_NONE : read_predictor(e, m, value->text, value->loc, "margins");
        for (size_t j = 0; j < m->n_margins; j++)
            if (found[j] == v && v != RSP_NONE)
                RSP_FAULT(e->l, value->loc, NULL, "'%s' stands twice in 'margins' of %s", value->text, e->where);
        if (v != RSP_NONE) found[m->n_margins++] = v;
    }
    m->margins = found;
}

static void read_values(entry *e, const rsp_node *n, rsp_predict *x) {
    const rsp_variable *v = rsp_var(e->l, x->variable);
    double number;
    x->values = RSP_ARRAY(e->l->a, const char *, rsp_values(n) + 1);
    for (size_t k = 0; k < rsp_values(n); k++) {
        const rsp_node *value = rsp_value_at(n, k);
        if (value->bad) continue;
        size_t at = v->list ? rsp_bind_code(e->l, v->list, value->text, value->loc,
                                            rsp_printf(e->l->a, "'%s' in %s", v->name, e->where))
                            : RSP_NONE;
        if (at != RSP_NONE && v->list->choices[at].missing)
            RSP_FAULT(e->l, value->loc, NULL, "'%s' is no valid answer to '%s' to predict at", value->text, v->name);
        if (!v->list && !rsp_parse_double(value->text, strlen(value->text), '.', &number))
            RSP_FAULT(e->l, value->loc, NULL, "'%s' is a number and cannot be '%s' in %s", v->name, value->text,
                      e->where);
        x->values[x->n++] = value->text;
    }
}

static void read_errors(entry *e, rsp_model *m) {
    static const char *const words[] = {"design", "cr2", "wild", NULL};
    const rsp_node *errors = rsp_get(e->n, "errors"), *draws = rsp_get(e->n, "draws");
    int way = rsp_get_choice(e->n, "errors", words, 0);
    m->errors = way == 1 ? RSP_ERRORS_CR2 : way == 2 ? RSP_ERRORS_WILD : RSP_ERRORS_DESIGN;
    m->draws = (size_t) rsp_get_number(e->n, "draws", 1999);
    m->firth = rsp_get_yes(e->n, "firth");
    if (m->errors == RSP_ERRORS_WILD && m->kind == RSP_LOGISTIC_MODEL)
        RSP_FAULT(e->l, errors->loc, "use cr2", "the wild bootstrap is for linear models, not for the logistic %s",
                  e->where);
    if (m->errors != RSP_ERRORS_DESIGN && m->firth)
        RSP_FAULT(e->l, errors->loc, "use errors: design", "'errors: %s' does not go with 'firth' in %s", errors->text,
                  e->where);
    if (draws && m->errors != RSP_ERRORS_WILD)
        RSP_FAULT(e->l, draws->loc, "add `errors: wild`, or leave it out", "'draws' goes with errors: wild alone");
}

enum { MOST_PREDICTIONS = 1000 };

static void read_predict(entry *e, rsp_model *m) {
    const rsp_node *n = rsp_get(e->n, "predict");
    size_t total = 1;
    if (!n) return;
    m->predict = RSP_ARRAY(e->l->a, rsp_predict, n->n + 1);
    for (size_t k = 0; k < n->n; k++) {
        rsp_predict *x = &m->predict[m->n_predict];
        x->variable = read_predictor(e, m, n->keys[k]->text, n->keys[k]->loc, "predict");
        if (x->variable == RSP_NONE) continue;
        read_values(e, n->items[k], x);
        total *= x->n && total <= MOST_PREDICTIONS ? x->n : 1;
        m->n_predict += x->n > 0;
    }
    if (total > MOST_PREDICTIONS)
        RSP_FAULT(e->l, n->loc, "name fewer values", "%s asks for more than %d predictions", e->where,
                  MOST_PREDICTIONS);
}

enum { MIXED = 1u << RSP_MIXED_MODEL | 1u << RSP_MIXED_LOGISTIC_MODEL | 1u << RSP_MIXED_ORDINAL_MODEL };

/* Which keys a kind takes beside those of all. */
static void check_keys_of_kind(entry *e, int kind, const char *word) {
    static const struct {
        const char *key;
        unsigned kinds;
    } takes[] = {{"scaling", MIXED},
                 {"group_weight", MIXED},
                 {"method", 1u << RSP_MIXED_MODEL | 1u << RSP_POOLED_MODEL},
                 {"df", 1u << RSP_MIXED_MODEL | 1u << RSP_MIXED_LOGISTIC_MODEL | 1u << RSP_MIXED_ORDINAL_MODEL},
                 {"estimate", 1u << RSP_POOLED_MODEL},
                 {"of", 1u << RSP_POOLED_MODEL},
                 {"term", 1u << RSP_POOLED_MODEL},
                 {"across", 1u << RSP_POOLED_MODEL | 1u << RSP_DRIVERS_MODEL},
                 {"interval", 1u << RSP_POOLED_MODEL},
                 {"prediction", 1u << RSP_POOLED_MODEL | 1u << RSP_DRIVERS_MODEL},
                 {"leave_one_out", 1u << RSP_POOLED_MODEL},
                 {"errors", 1u << RSP_LINEAR_MODEL | 1u << RSP_LOGISTIC_MODEL},
                 {"draws", 1u << RSP_LINEAR_MODEL},
                 {"firth", 1u << RSP_LOGISTIC_MODEL},
                 {"margins", ~(1u << RSP_POOLED_MODEL | MIXED | 1u << RSP_DRIVERS_MODEL)},
                 {"predict", ~(1u << RSP_POOLED_MODEL | MIXED | 1u << RSP_DRIVERS_MODEL)},
                 {"outcome", 1u << RSP_DRIVERS_MODEL},
                 {"factors", 1u << RSP_DRIVERS_MODEL},
                 {"controls", 1u << RSP_DRIVERS_MODEL},
                 {"leave_out", 1u << RSP_DRIVERS_MODEL},
                 {"neutral", 1u << RSP_DRIVERS_MODEL},
                 {"smallest", 1u << RSP_DRIVERS_MODEL},
                 {"replicates", 1u << RSP_DRIVERS_MODEL},
                 {"formula", ~(1u << RSP_POOLED_MODEL | 1u << RSP_DRIVERS_MODEL)},
                 {"weights", ~(1u << RSP_POOLED_MODEL | 1u << RSP_DRIVERS_MODEL)}};
    for (size_t k = 0; k < sizeof takes / sizeof *takes; k++)
        if (rsp_get(e->n, takes[k].key) && !(takes[k].kinds & 1u << kind))
            RSP_FAULT(e->l, rsp_get(e->n, takes[k].key)->loc, "leave it out", "'%s' has no meaning for kind '%s'",
                      takes[k].key, word);
    if (kind != RSP_POOLED_MODEL && rsp_get(e->n, "variance") && rsp_get(e->n, "variance")->kind == RSP_Y_SCALAR)
        RSP_FAULT(e->l, rsp_get(e->n, "variance")->loc, "like {method: taylor}",
                  "'variance' must be a mapping of keys");
}

static size_t read_column(entry *e, const char *key) {
    const rsp_node *n = rsp_get(e->n, key);
    size_t v = n && n->kind == RSP_Y_SCALAR ? rsp_bind(e->l, n, e->where) : RSP_NONE;
    if (v != RSP_NONE && !rsp_is_numeric(rsp_var(e->l, v)))
        RSP_FAULT(e->l, n->loc, NULL, "'%s' is no number in %s", n->text, e->where);
    return v;
}

/* `of` is looked up when all models are read (resolve_pooled). */
static void load_pooled(entry *e, rsp_model *m) {
    const rsp_node *of = rsp_get(e->n, "of"), *variance = rsp_get(e->n, "variance"), *across = rsp_get(e->n, "across");
    bool columns = rsp_get(e->n, "estimate") || (variance && variance->kind == RSP_Y_SCALAR);
    m->estimate = read_column(e, "estimate");
    m->variance = read_column(e, "variance");
    m->term = rsp_get_text(e->n, "term");
    m->across = rsp_bind(e->l, across, e->where);
    m->leave_one_out = rsp_get_yes(e->n, "leave_one_out");
    if (columns == (of != NULL))
        RSP_FAULT(e->l, e->n->loc,
                  "`estimate` and `variance` name columns; `of`, `term` and `across` a model's coefficient",
                  "%s needs either a model or two columns", e->where);
    else if (columns && (!rsp_get(e->n, "estimate") || !variance || variance->kind != RSP_Y_SCALAR))
        RSP_FAULT(e->l, e->n->loc, NULL, "%s needs both 'estimate' and 'variance', each a variable", e->where);
    else if (of && (!m->term || !across))
        RSP_FAULT(e->l, e->n->loc, NULL, "%s needs 'term' and 'across' beside 'of'", e->where);
    if (m->across != RSP_NONE && !rsp_var(e->l, m->across)->list)
        RSP_FAULT(e->l, across->loc, NULL, "'%s' has no codes to make groups in %s", across->text, e->where);
}

/* ---- drivers ---------------------------------------------------------------------------------------------------- */

static const rsp_node *node_of(const entry *e, const char *key, size_t variable) {
    const rsp_node *n = rsp_get(e->n, key);
    for (size_t k = 0; k < rsp_values(n); k++)
        if (strcmp(rsp_value_at(n, k)->text, rsp_var(e->l, variable)->name) == 0) return rsp_value_at(n, k);
    return e->n;
}

static rsp_fexpr *as_variable(entry *e, size_t v, rsp_loc loc) {
    rsp_fexpr *x = RSP_NEW(e->l->a, rsp_fexpr);
    const char *name = rsp_var(e->l, v)->name;
    *x = (rsp_fexpr){.op = RSP_F_VARIABLE, .name = name, .variable = v, .text = name, .loc = loc};
    return x;
}

/* A variable as a number, be it coded or not: codes stand for their values, as in a score. */
static rsp_fexpr *as_number(entry *e, size_t v, rsp_loc loc) {
    rsp_fexpr *x = as_variable(e, v, loc);
    if (rsp_var(e->l, v)->type != RSP_SELECT_ONE) return x;
    rsp_fexpr *one = RSP_NEW(e->l->a, rsp_fexpr), *product = RSP_NEW(e->l->a, rsp_fexpr);
    *one = (rsp_fexpr){.op = RSP_F_NUMBER, .number = 1, .variable = RSP_NONE, .text = "1", .loc = loc};
    *product = (rsp_fexpr){.op = RSP_F_MUL, .variable = RSP_NONE, .left = x, .right = one, .text = x->text, .loc = loc};
    return product;
}

static void add_predictor(entry *e, rsp_formula *f, rsp_fexpr *x) {
    size_t *place = RSP_NEW(e->l->a, size_t);
    *place = f->n_factors;
    f->factors[f->n_factors++] = x;
    f->terms[f->n_terms++] = (rsp_fterm){1, place, x->text};
}

/* outcome ~ factors + controls + across: the model over all groups. */
static rsp_formula *formula_of_drivers(entry *e, const rsp_model *m) {
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
static void check_tasks(entry *e, const rsp_model *m) {
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

static void load_drivers(entry *e, rsp_model *m) {
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
    need_scale(e);
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

/* ---- all regressions -------------------------------------------------------------------------------------------- */

/* Linear models have their own ways to count; those of other models do not fit them. */
static void load_freedom(entry *e, rsp_model *m) {
    const rsp_node *df = rsp_get(e->n, "df");
    if (!df) return;
    bool linear = m->kind == RSP_MIXED_MODEL, roger = strcmp(df->text, "kenward_roger") == 0,
         of_linear = roger || strcmp(df->text, "satterthwaite") == 0;
    m->kenward_roger = roger;
    m->normal = strcmp(df->text, "normal") == 0;
    if (linear != of_linear)
        RSP_FAULT(e->l, df->loc, linear ? "satterthwaite or kenward_roger" : "between_within or normal",
                  "'%s' does not count degrees of freedom of this kind of model, in %s", df->text, e->where);
}

/* Random parts, and how they stand to the design. */
static void load_random(entry *e, rsp_model *m) {
    static const char *const scalings[] = {"size", "effective", NULL};
    const rsp_node *weights = rsp_get(e->n, "weights"), *method = rsp_get(e->n, "method"), *df = rsp_get(e->n, "df"),
                   *group = rsp_get(e->n, "group_weight"), *scaling = rsp_get(e->n, "scaling");
    load_freedom(e, m);
    m->unweighted = !weights || strcmp(weights->text, "design") != 0;
    m->scaling = rsp_get_choice(e->n, "scaling", scalings, RSP_SCALING_SIZE);
    m->group_weight = read_column(e, "group_weight");
    for (size_t k = 0; m->unweighted && k < 2; k++)
        if (k ? group : scaling)
            RSP_FAULT(e->l, (k ? group : scaling)->loc, "add `weights: design`", "'%s' needs design weights, in %s",
                      k ? "group_weight" : "scaling", e->where);
    if (m->unweighted) return;
    if (method && !m->ml)
        RSP_FAULT(e->l, method->loc, "leave it out", "a weighted model is fitted by (pseudo) maximum likelihood, in %s",
                  e->where);
    if (df)
        RSP_FAULT(e->l, df->loc, "leave it out", "a weighted model's degrees of freedom are the design's, in %s",
                  e->where);
    for (size_t k = 1; m->formula && k < m->formula->n_random; k++)
        if (strcmp(m->formula->random[k].group_term.text, m->formula->random[0].group_term.text) != 0) {
            RSP_FAULT(e->l, m->formula->random[k].loc, "keep one grouping variable, or leave `weights` out",
                      "weights at both levels are built for a single grouping variable, in %s", e->where);
            return;
        }
}

static void load_model(entry *e) {
    static const char *const kinds[] = {
        "linear", "logistic",       "ordinal",       "poisson", "negative_binomial", "multinomial",
        "mixed",  "mixed_logistic", "mixed_ordinal", "pooled",  "drivers",           NULL};
    const rsp_node *formula = rsp_get(e->n, "formula"), *weights = rsp_get(e->n, "weights");
    const char *method = rsp_get_text(e->n, "method"), *prediction = rsp_get_text(e->n, "prediction");
    rsp_model *m = &e->x->model;
    int kind = rsp_get_choice(e->n, "kind", kinds, -1);
    e->x->kind = RSP_A_MODEL;
    m->estimate = m->variance = m->of = m->across = m->group_weight = RSP_NONE;
    if (formula) m->formula = rsp_formula_parse(e->l->a, formula->text, &formula->origin, e->l->d);
    if (m->formula) rsp_bind_formula(e->l, m->formula, e->where);
    if (kind < 0) return; /* reported with the keys */
    m->kind = kind;
    m->unweighted = weights && strcmp(weights->text, "none") == 0;
    m->event = rsp_get_text(e->n, "event");
    m->ml = method && strcmp(method, "ml") == 0;
    m->mixture = prediction && strcmp(prediction, "confidence_distribution") == 0;
    check_keys_of_kind(e, kind, kinds[kind]);
    if (kind == RSP_POOLED_MODEL) {
        m->formula = NULL;
        load_pooled(e, m);
        return;
    }
    if (kind == RSP_DRIVERS_MODEL) {
        m->formula = NULL;
        load_drivers(e, m);
        return;
    }
    if (rsp_model_random(m)) load_random(e, m);
    if (m->kenward_roger && m->ml)
        RSP_FAULT(e->l, rsp_get(e->n, "df")->loc, "use method: reml", "Kenward and Roger's method needs REML, in %s",
                  e->where);
    if (!rsp_node_find(e->n, "formula")) RSP_FAULT(e->l, e->n->loc, NULL, "%s needs a formula", e->where);
    if (!m->formula) return;
    if (m->formula->n_random && !rsp_model_random(m))
        RSP_FAULT(e->l, m->formula->random[0].loc, "use kind: mixed, mixed_logistic or mixed_ordinal",
                  "random parts need a kind of mixed model, in %s", e->where);
    if (!m->formula->n_random && rsp_model_random(m))
        RSP_FAULT(e->l, m->formula->loc, "as in (1 | country)", "the mixed %s has no random part", e->where);
    check_response(e, m);
    read_margins(e, m);
    read_predict(e, m);
    read_errors(e, m);
}

/* Is the term one of the model's: every part `variable` or `variable=code` with a variable of its formula? */
static bool term_known(const rsp_loader *l, const rsp_formula *f, const char *term) {
    for (const char *at = term; *at;) {
        size_t length = strcspn(at, ":"), name = strcspn(at, ":=");
        bool found = f->dot || strcmp(term, "(Intercept)") == 0;
        for (size_t k = 0; k < f->n_factors && !found; k++) {
            const char *text = f->factors[k]->text;
            size_t v = f->factors[k]->op == RSP_F_VARIABLE ? f->factors[k]->variable : RSP_NONE;
            if (strncmp(text, at, name) != 0 || text[name]) continue;
            const rsp_list *list = v == RSP_NONE ? NULL : l->s->variables[v].list;
            char *code = rsp_strndup(l->a, at + name + (length > name), length - name - (length > name));
            found = list ? length > name && rsp_list_find(list, code) != RSP_NONE : true;
        }
        if (!found) return false;
        at += length;
        if (*at) at++;
    }
    return *term != 0;
}

/* `of` of a pooled model may name a model that stands further down. */
static void resolve_pooled(entry *e) {
    rsp_loader *l = e->l;
    const rsp_node *n = e->n;
    rsp_analysis *x = e->x;
    const rsp_node *of = rsp_get(n, "of"), *term = rsp_get(n, "term");
    if (x->model.kind != RSP_POOLED_MODEL || !of) return;
    x->refers = true;
    const char **ids = RSP_ARRAY(l->a, const char *, l->s->n_analyses + 1);
    size_t found = RSP_NONE, n_ids = 0;
    for (size_t k = 0; k < l->s->n_analyses; k++) {
        const rsp_analysis *y = &l->s->analyses[k];
        if (y->kind != RSP_A_MODEL || !y->id) continue;
        if (y->model.kind != RSP_POOLED_MODEL && y->model.kind != RSP_DRIVERS_MODEL) ids[n_ids++] = y->id;
        if (strcmp(y->id, of->text) == 0) found = k;
    }
    if (found == RSP_NONE) {
        RSP_FAULT(l, of->loc, rsp_did_you_mean(l, of->text, ids, n_ids), "unknown model '%s' in model '%s'", of->text,
                  x->id);
        return;
    }
    const rsp_model *m = &l->s->analyses[found].model;
    x->model.of = found;
    if (m->kind == RSP_MULTINOMIAL_MODEL || rsp_model_random(m) || m->kind == RSP_POOLED_MODEL ||
        m->kind == RSP_DRIVERS_MODEL)
        RSP_FAULT(l, of->loc, "pool a linear, logistic, ordinal, poisson or negative_binomial model",
                  "coefficients of model '%s' cannot be pooled in model '%s'", of->text, x->id);
    else if (term && m->formula && !term_known(l, m->formula, term->text))
        RSP_FAULT(l, term->loc, "terms read `variable`, `variable=code` or `a=x:b`",
                  "model '%s' has no term '%s' to pool in model '%s'", of->text, term->text, x->id);
}

/* ---- measurement ------------------------------------------------------------------------------------------------ */

static void load_scale(entry *e) {
    rsp_scale *x = &e->x->scale;
    const char *weights = rsp_get_text(e->n, "weights");
    e->x->kind = RSP_A_SCALE;
    x->name = rsp_get_text(e->n, "name");
    x->n_items = rsp_bind_list(e->l, rsp_get(e->n, "items"), e->where, &x->items);
    x->min_valid = (size_t) rsp_get_number(e->n, "min_valid", (double) x->n_items);
    x->weighted = weights && strcmp(weights, "design") == 0;
    x->agreement = rsp_bind(e->l, rsp_get(e->n, "agreement"), e->where);
    if (rsp_get(e->n, "items") && rsp_values(rsp_get(e->n, "items")) < 2)
        RSP_FAULT(e->l, rsp_get(e->n, "items")->loc, NULL, "%s needs two items or more", e->where);
    for (size_t k = 0; k < x->n_items; k++)
        if (!rsp_is_numeric(rsp_var(e->l, x->items[k])))
            RSP_FAULT(e->l, rsp_get(e->n, "items")->loc, NULL, "'%s' is no number in %s",
                      rsp_var(e->l, x->items[k])->name, e->where);
}

static bool is_factor_of(const rsp_lavaan *m, const char *name) {
    for (size_t k = 0; k < m->n; k++)
        if (m->rows[k].op == RSP_L_LOADING && strcmp(m->rows[k].lhs, name) == 0) return true;
    return false;
}

static bool is_indicator_of(const rsp_lavaan *m, const char *name) {
    for (size_t k = 0; k < m->n; k++)
        if (m->rows[k].op == RSP_L_LOADING && strcmp(m->rows[k].rhs, name) == 0) return true;
    return false;
}

/* Factors may have any name; what they load on is an item of the study or a factor. Other statements speak of these. */
static void check_statement(entry *e, const rsp_lavaan *m, const rsp_lavaan_row *r) {
    if (r->op == RSP_L_LOADING) {
        size_t v = is_factor_of(m, r->rhs) ? RSP_NONE : rsp_bind_name(e->l, r->rhs, r->loc, e->where);
        if (v != RSP_NONE && !rsp_is_numeric(rsp_var(e->l, v)))
            RSP_FAULT(e->l, r->loc, NULL, "'%s' is no number in %s", r->rhs, e->where);
        return;
    }
    if (r->op != RSP_L_REGRESSION && r->op != RSP_L_COVARIANCE && r->op != RSP_L_INTERCEPT) {
        RSP_FAULT(e->l, r->loc, "leave it out until a later version",
                  "thresholds, constraints and defined parameters are not built yet, in %s", e->where);
        return;
    }
    const char *sides[2] = {r->lhs, r->op == RSP_L_INTERCEPT ? NULL : r->rhs};
    for (size_t k = 0; k < 2; k++) {
        if (!sides[k] || is_factor_of(m, sides[k])) continue;
        if (r->op == RSP_L_REGRESSION)
            RSP_FAULT(e->l, r->loc, "name factors on both sides",
                      "'%s' is no factor of %s: regressions are built among factors", sides[k], e->where);
        else if (!is_indicator_of(m, sides[k]))
            RSP_FAULT(e->l, r->loc, NULL, "'%s' is neither a factor nor an indicator of %s", sides[k], e->where);
    }
    bool mixed = r->op == RSP_L_COVARIANCE && is_factor_of(m, r->lhs) != is_factor_of(m, r->rhs);
    if (mixed)
        RSP_FAULT(e->l, r->loc, NULL, "a covariance of a factor with an indicator is not built yet, in %s", e->where);
}

/* Statements of parameters that the model has and that `equal` would make equal. */
static void load_partial(entry *e, const rsp_node *partial, rsp_factor_model *x) {
    if (!partial || !x->syntax) return;
    if (!x->equal)
        RSP_FAULT(e->l, partial->loc, "say what is equal otherwise: `equal`", "'partial' has no meaning in %s",
                  e->where);
    x->partial = rsp_lavaan_parse(e->l->a, partial->text, &partial->origin, e->l->d);
    for (size_t k = 0; x->partial && k < x->partial->n; k++) {
        const rsp_lavaan_row *r = &x->partial->rows[k];
        bool one = r->op == RSP_L_INTERCEPT || r->op == RSP_L_THRESHOLD;
        const char *sides[2] = {r->lhs, one ? r->lhs : r->rhs};
        for (size_t j = 0; j < 2; j++)
            if (!is_factor_of(x->syntax, sides[j]) && !is_indicator_of(x->syntax, sides[j]))
                RSP_FAULT(e->l, r->loc, NULL, "'%s' is neither a factor nor an indicator of %s", sides[j], e->where);
    }
}

/* `all`, or names of items. */
static void load_ordered(entry *e, const rsp_node *ordered, rsp_factor_model *x) {
    x->all_ordered = !ordered || (ordered->kind == RSP_Y_SCALAR && strcmp(ordered->text, "all") == 0);
    if (ordered && !rsp_limited_information(x))
        RSP_FAULT(e->l, ordered->loc, "say estimator: wlsmv", "'ordered' has no meaning in %s", e->where);
    if (!x->all_ordered) x->n_ordered = rsp_bind_list(e->l, ordered, e->where, &x->ordered);
}

static void check_ordered(entry *e, const rsp_node *ordered, const rsp_factor_model *x) {
    for (size_t k = 0; !x->all_ordered && x->syntax && k < rsp_values(ordered); k++)
        if (!rsp_value_at(ordered, k)->bad && !is_indicator_of(x->syntax, rsp_value_at(ordered, k)->text))
            RSP_FAULT(e->l, rsp_value_at(ordered, k)->loc, NULL, "'%s' is no indicator of %s",
                      rsp_value_at(ordered, k)->text, e->where);
}

static bool is_ordinal(const entry *e, const rsp_factor_model *x, const char *name) {
    if (x->all_ordered) return true;
    for (size_t k = 0; k < x->n_ordered; k++)
        if (strcmp(rsp_var(e->l, x->ordered[k])->name, name) == 0) return true;
    return false;
}

/* Moments and their errors grow with the square of the items, or its square. */
static void check_size(entry *e, size_t n, bool ordinal, rsp_loc loc) {
    size_t most = ordinal ? RSP_MOST_ORDERED : RSP_MOST_ITEMS;
    if (n > most)
        RSP_FAULT(e->l, loc, "split it into models of fewer items", "%s has %zu items; at most %zu are fitted%s",
                  e->where, n, most, ordinal ? " by limited information" : "");
}

static size_t count_items(const rsp_lavaan *m) {
    rsp_map *seen = rsp_map_new();
    for (size_t k = 0; m && k < m->n; k++)
        if (m->rows[k].op == RSP_L_LOADING) rsp_map_put(seen, m->rows[k].rhs, k);
    size_t n = rsp_map_count(seen);
    rsp_map_free(seen);
    return n;
}

/* What goes with ordinal items only, and what does not. */
static void check_ordinal_keys(entry *e, const rsp_factor_model *x) {
    bool ordinal = rsp_limited_information(x);
    if (ordinal && x->fiml)
        RSP_FAULT(e->l, rsp_get(e->n, "missing")->loc, "say missing: pairwise", "wlsmv has no full information, in %s",
                  e->where);
    if (x->estimator == RSP_DWLS && x->weighted)
        RSP_FAULT(e->l, rsp_get(e->n, "weights")->loc, "say estimator: wlsmv", "dwls knows no design, in %s", e->where);
    if (!ordinal && x->pairwise)
        RSP_FAULT(e->l, rsp_get(e->n, "missing")->loc, "say missing: fiml", "'pairwise' goes with wlsmv alone, in %s",
                  e->where);
    if (!ordinal && x->equal & RSP_EQUAL_THRESHOLDS)
        RSP_FAULT(e->l, rsp_get(e->n, "equal")->loc, "say estimator: wlsmv", "there are no thresholds in %s", e->where);
}

/* What an ordinal item does not have. */
static void check_ordinal_statements(entry *e, const rsp_factor_model *x, const rsp_lavaan *syntax) {
    for (size_t k = 0; rsp_limited_information(x) && syntax && k < syntax->n; k++) {
        const rsp_lavaan_row *r = &syntax->rows[k];
        bool own = r->op == RSP_L_INTERCEPT || (r->op == RSP_L_COVARIANCE && strcmp(r->lhs, r->rhs) == 0);
        if (own && !is_factor_of(syntax, r->lhs) && is_ordinal(e, x, r->lhs))
            RSP_FAULT(e->l, r->loc, "leave it out",
                      "'%s' is ordinal: it has neither intercept nor variance of its own in %s", r->lhs, e->where);
    }
}

/* Keys that mean something for some kinds of factor analysis only. */
static void check_factor_keys(entry *e, int kind) {
    static const struct {
        const char *key;
        unsigned kinds; /* bit k: kind k of the words in load_factor */
    } keys[] = {{"model", 3},        {"estimator", 3}, {"group", 1},        {"equal", 1},         {"missing", 19},
                {"ordered", 19},     {"std.lv", 1},    {"partial", 1},      {"scales", 2},        {"by", 18},
                {"correlation", 16}, {"cutoffs", 2},   {"anchors", 2},      {"minimum_group", 2}, {"margin", 2},
                {"items", 28},       {"factors", 4},   {"method", 4},       {"rotation", 4},      {"seed", 12},
                {"replicates", 12},  {"weights", 31},  {"standardised", 1}, {"modification", 1}};
    for (size_t k = 0; k < sizeof keys / sizeof *keys; k++) {
        const rsp_node *n = rsp_get(e->n, keys[k].key);
        if (n && !(keys[k].kinds >> kind & 1))
            RSP_FAULT(e->l, n->loc, "leave it out", "'%s' has no meaning for %s of this kind", keys[k].key, e->where);
    }
}

/* `yes`, or what to show. */
static void load_modification(entry *e, rsp_factor_model *x) {
    const rsp_node *n = rsp_node_find(e->n, "modification");
    if (!n) return;
    bool map = n->kind == RSP_Y_MAP;
    x->modification = map || rsp_get_yes(e->n, "modification");
    x->most_modifications = (size_t) rsp_get_number(map ? n : NULL, "most", 20);
    x->minimum_modification = rsp_get_number(map ? n : NULL, "minimum", 3.84);
}

/* Which answers count, what their weight is, and which are ordinal. */
static void load_answers(entry *e, rsp_factor_model *x) {
    static const char *const missing[] = {"listwise", "fiml", "pairwise", NULL}, *const weights[] = {"none", "design",
                                                                                                     NULL};
    x->fiml = rsp_get_choice(e->n, "missing", missing, 0) == 1;
    x->pairwise = rsp_get_choice(e->n, "missing", missing, 0) == 2;
    x->weighted = rsp_get_choice(e->n, "weights", weights, 0) == 1;
    load_ordered(e, rsp_get(e->n, "ordered"), x);
    check_ordinal_keys(e, x);
}

static void load_factor_model(entry *e) {
    static const char *const estimators[] = {"ml", "mlr", "wlsmv", "wlsm", "dwls", NULL};
    static const struct {
        const char *word;
        uint32_t bits;
    } equalities[] = {{"loadings", RSP_EQUAL_LOADINGS},
                      {"intercepts", RSP_EQUAL_INTERCEPTS},
                      {"residuals", RSP_EQUAL_RESIDUALS},
                      {"means", RSP_EQUAL_MEANS},
                      {"regressions", RSP_EQUAL_REGRESSIONS},
                      {"residual.covariances", RSP_EQUAL_RESIDUAL_COVARIANCES},
                      {"thresholds", RSP_EQUAL_THRESHOLDS},
                      {"lv.variances", RSP_EQUAL_LV_VARIANCES},
                      {"lv.covariances", RSP_EQUAL_LV_COVARIANCES}};
    const rsp_node *model = rsp_get(e->n, "model"), *group = rsp_get(e->n, "group"), *equal = rsp_get(e->n, "equal");
    const rsp_node *standardised = rsp_get(e->n, "standardised");
    const char *std_lv = rsp_get_text(e->n, "std.lv");
    rsp_factor_model *x = &e->x->factor;
    e->x->kind = RSP_A_FACTOR;
    if (model) x->syntax = rsp_lavaan_parse(e->l->a, model->text, &model->origin, e->l->d);
    for (size_t k = 0; x->syntax && k < x->syntax->n; k++) check_statement(e, x->syntax, &x->syntax->rows[k]);
    static const int values[] = {RSP_ML, RSP_MLR, RSP_WLSMV, RSP_WLSM, RSP_DWLS};
    x->estimator = values[rsp_get_choice(e->n, "estimator", estimators, 0)];
    check_size(e, count_items(x->syntax), rsp_limited_information(x), model ? model->loc : e->n->loc);
    x->group = group ? rsp_bind(e->l, group, e->where) : RSP_NONE;
    if (x->group != RSP_NONE) x->group_name = rsp_var(e->l, x->group)->name;
    if (x->group != RSP_NONE && rsp_var(e->l, x->group)->type != RSP_SELECT_ONE)
        RSP_FAULT(e->l, group->loc, NULL, "'%s' has no codes to make groups in %s", x->group_name, e->where);
    for (size_t k = 0; equal && k < rsp_values(equal); k++)
        for (size_t j = 0; j < sizeof equalities / sizeof *equalities; j++)
            if (strcmp(rsp_value_at(equal, k)->text, equalities[j].word) == 0) x->equal |= equalities[j].bits;
    if (equal && !group)
        RSP_FAULT(e->l, equal->loc, "name the `group`", "'equal' has no meaning without groups in %s", e->where);
    load_answers(e, x);
    check_ordered(e, rsp_get(e->n, "ordered"), x);
    check_ordinal_statements(e, x, x->syntax);
    load_partial(e, rsp_get(e->n, "partial"), x);
    x->std_lv = std_lv && strcmp(std_lv, "yes") == 0;
    for (size_t k = 0; k < rsp_values(standardised); k++)
        x->standardised |=
            strcmp(rsp_value_at(standardised, k)->text, "all") == 0 ? RSP_STANDARDISED_ALL : RSP_STANDARDISED_LV;
    load_modification(e, x);
}

/* One factor with all items of a scale. */
static rsp_lavaan *one_factor(entry *e, const char *name, size_t n, const size_t *items, rsp_loc loc) {
    rsp_lavaan *m = RSP_NEW(e->l->a, rsp_lavaan);
    m->rows = RSP_ARRAY(e->l->a, rsp_lavaan_row, n);
    for (size_t k = 0; k < n; k++)
        m->rows[m->n++] =
            (rsp_lavaan_row){.lhs = name, .op = RSP_L_LOADING, .rhs = rsp_var(e->l, items[k])->name, .loc = loc};
    return m;
}

static void add_ladder(entry *e, const char *name, rsp_lavaan *syntax, size_t n, const size_t *items) {
    rsp_invariance *x = &e->x->invariance;
    check_size(e, n, rsp_limited_information(&x->model), e->n->loc);
    x->name[x->n_models] = name;
    x->syntax[x->n_models] = syntax;
    x->n_items[x->n_models] = n;
    x->items[x->n_models++] = items;
}

/* The scale of this name; two of the same name under different ids would be ambiguous. */
static const rsp_scale *scale_named(entry *e, const rsp_node *n) {
    const char **names = RSP_ARRAY(e->l->a, const char *, e->l->s->n_analyses + 1);
    const rsp_scale *found = NULL;
    size_t count = 0;
    for (size_t k = 0; k < e->l->s->n_analyses; k++) {
        const rsp_analysis *y = &e->l->s->analyses[k];
        if (y->kind != RSP_A_SCALE || !y->scale.name) continue;
        names[count++] = y->scale.name;
        if (strcmp(y->scale.name, n->text) != 0) continue;
        if (found)
            RSP_FAULT(e->l, n->loc, "give the scales different names", "there are two scales '%s' in %s", n->text,
                      e->where);
        found = &y->scale;
    }
    if (!found)
        RSP_FAULT(e->l, n->loc, rsp_did_you_mean(e->l, n->text, names, count), "unknown scale '%s' in %s", n->text,
                  e->where);
    return found;
}

/* Every item of `ordered` belongs to a scale or to the model. */
static void check_ladder_ordered(entry *e) {
    const rsp_invariance *x = &e->x->invariance;
    for (size_t k = 0; k < x->model.n_ordered; k++) {
        bool found = x->n_models == 0; /* which is said elsewhere */
        for (size_t m = 0; m < x->n_models; m++)
            for (size_t i = 0; i < x->n_items[m]; i++) found |= x->items[m][i] == x->model.ordered[k];
        if (!found)
            RSP_FAULT(e->l, rsp_get(e->n, "ordered")->loc, "name it among the items", "'%s' is no item of %s",
                      rsp_var(e->l, x->model.ordered[k])->name, e->where);
    }
}

/* Scales may stand further down in study.yaml, so their names are looked up when all analyses are read. */
static void resolve_invariance(entry *e) {
    rsp_invariance *x = &e->x->invariance;
    const rsp_node *scales = rsp_get(e->n, "scales"), *model = rsp_get(e->n, "model");
    size_t most = rsp_values(scales) + 1;
    x->name = RSP_ARRAY(e->l->a, const char *, most);
    x->syntax = RSP_ARRAY(e->l->a, rsp_lavaan *, most);
    x->items = RSP_ARRAY(e->l->a, const size_t *, most);
    x->n_items = RSP_ARRAY(e->l->a, size_t, most);
    for (size_t k = 0; k < rsp_values(scales); k++) {
        const rsp_node *n = rsp_value_at(scales, k);
        const rsp_scale *scale = n->bad ? NULL : scale_named(e, n);
        if (!scale) continue;
        if (scale->n_items < 3)
            RSP_FAULT(e->l, n->loc, NULL, "scale '%s' needs three items or more to be compared in %s", n->text,
                      e->where);
        add_ladder(e, scale->name, one_factor(e, scale->name, scale->n_items, scale->items, n->loc), scale->n_items,
                   scale->items);
    }
    if (!model) check_ladder_ordered(e);
    if (!model) return;
    rsp_lavaan *syntax = rsp_lavaan_parse(e->l->a, model->text, &model->origin, e->l->d);
    size_t *items = RSP_ARRAY(e->l->a, size_t, syntax ? syntax->n + 1 : 1), n = 0;
    for (size_t k = 0; syntax && k < syntax->n; k++) {
        check_statement(e, syntax, &syntax->rows[k]);
        size_t v = syntax->rows[k].op == RSP_L_LOADING ? rsp_map_get(e->l->names, syntax->rows[k].rhs) : RSP_NONE;
        if (v != RSP_NONE) items[n++] = v;
        if (syntax->rows[k].op == RSP_L_REGRESSION || is_factor_of(syntax, syntax->rows[k].rhs))
            RSP_FAULT(e->l, syntax->rows[k].loc, "name factors and their items alone",
                      "the ladder compares loadings and intercepts of items in %s", e->where);
    }
    check_ordinal_statements(e, &x->model, syntax);
    if (syntax) add_ladder(e, e->x->id, syntax, n, items);
    check_ladder_ordered(e);
}

static void load_cutoffs(entry *e, rsp_cutoffs *x) {
    static const char *const rules[] = {"chen_2007", "rutkowski_svetina_2014", NULL};
    const rsp_node *n = rsp_get(e->n, "cutoffs");
    x->rule = RSP_CUTOFFS_BY_GROUPS;
    if (n && rsp_get(n, "rule"))
        x->rule = rsp_get_choice(n, "rule", rules, 0) ? RSP_CUTOFFS_RUTKOWSKI_SVETINA : RSP_CUTOFFS_CHEN;
    x->cfi[1] = rsp_get_number(n, "cfi", NAN), x->cfi[0] = rsp_get_number(n, "cfi_metric", x->cfi[1]);
    x->rmsea[1] = rsp_get_number(n, "rmsea", NAN), x->rmsea[0] = rsp_get_number(n, "rmsea_metric", x->rmsea[1]);
    x->srmr[1] = rsp_get_number(n, "srmr", NAN), x->srmr[0] = rsp_get_number(n, "srmr_metric", x->srmr[1]);
    x->configural_cfi = rsp_get_number(n, "configural_cfi", 0.9);
    x->configural_srmr = rsp_get_number(n, "configural_srmr", 0.08);
    x->noninvariant = rsp_get_number(n, "noninvariant", 0.25);
}

static void load_invariance(entry *e) {
    static const char *const estimators[] = {"mlr", "ml", "wlsmv", "wlsm", "dwls", NULL};
    rsp_invariance *x = &e->x->invariance;
    const rsp_node *by = rsp_get(e->n, "by"), *scales = rsp_get(e->n, "scales"), *model = rsp_get(e->n, "model");
    e->x->kind = RSP_A_INVARIANCE;
    e->x->refers = true;
    if (!scales == !model)
        RSP_FAULT(e->l, e->n->loc, "name `scales`, or give a `model`", "%s needs either 'scales' or 'model'", e->where);
    if (!by) RSP_FAULT(e->l, e->n->loc, "add `by: [country]`", "%s needs 'by'", e->where);
    x->n_by = rsp_bind_list(e->l, by, e->where, &x->by);
    for (size_t k = 0; k < x->n_by; k++)
        if (rsp_var(e->l, x->by[k])->type != RSP_SELECT_ONE && rsp_var(e->l, x->by[k])->type != RSP_TEXT)
            RSP_FAULT(e->l, by->loc, NULL, "'%s' has no codes to make groups in %s", rsp_var(e->l, x->by[k])->name,
                      e->where);
    static const int values[] = {RSP_MLR, RSP_ML, RSP_WLSMV, RSP_WLSM, RSP_DWLS};
    x->model.estimator = values[rsp_get_choice(e->n, "estimator", estimators, 0)];
    if (x->model.estimator == RSP_DWLS)
        RSP_FAULT(e->l, rsp_get(e->n, "estimator")->loc, "say estimator: wlsmv",
                  "dwls corrects neither chi-square nor fit measures, by which the ladder of %s is climbed", e->where);
    x->model.std_lv = true;
    load_answers(e, &x->model);
    load_cutoffs(e, &x->cutoffs);
    const rsp_node *cutoffs = rsp_get(e->n, "cutoffs"), *share = cutoffs ? rsp_get(cutoffs, "noninvariant") : NULL;
    if (share && rsp_limited_information(&x->model))
        RSP_FAULT(e->l, share->loc, "leave it out, or say estimator: mlr",
                  "groups are aligned by loadings and intercepts, and ordinal items have thresholds, in %s", e->where);
    x->anchors = (size_t) rsp_get_number(e->n, "anchors", 2);
    x->minimum_group = (size_t) rsp_get_number(e->n, "minimum_group", 100);
    x->margin = rsp_get_number(e->n, "margin", 0.2);
}

static void load_correlations(entry *e, rsp_exploration *x) {
    static const char *const kinds[] = {"pearson", "spearman", "polychoric", NULL}, *const missing[] = {
                                                                                        "listwise", "fiml", "pairwise",
                                                                                        NULL};
    const rsp_node *ordered = rsp_get(e->n, "ordered"), *by = rsp_get(e->n, "by"), *gaps = rsp_get(e->n, "missing");
    x->correlation = rsp_get_choice(e->n, "correlation", kinds, 0);
    x->pairwise = rsp_get_choice(e->n, "missing", missing, 0) == 2;
    if (gaps && strcmp(gaps->text, "fiml") == 0)
        RSP_FAULT(e->l, gaps->loc, "say missing: pairwise", "correlations have no full information, in %s", e->where);
    if (ordered && x->correlation != RSP_POLYCHORIC)
        RSP_FAULT(e->l, ordered->loc, "say correlation: polychoric", "'ordered' has no meaning in %s", e->where);
    x->all_ordered = !ordered || (ordered->kind == RSP_Y_SCALAR && strcmp(ordered->text, "all") == 0);
    if (!x->all_ordered) x->n_ordered = rsp_bind_list(e->l, ordered, e->where, &x->ordered);
    for (size_t k = 0; k < x->n_ordered; k++) {
        bool named = false;
        for (size_t j = 0; j < x->n_items; j++) named |= x->items[j] == x->ordered[k];
        if (!named)
            RSP_FAULT(e->l, ordered->loc, "name it among the items", "'%s' is no item of %s",
                      rsp_var(e->l, x->ordered[k])->name, e->where);
    }
    if (by) x->n_by = rsp_bind_list(e->l, by, e->where, &x->by);
    for (size_t k = 0; k < x->n_by; k++)
        if (rsp_var(e->l, x->by[k])->type != RSP_SELECT_ONE && rsp_var(e->l, x->by[k])->type != RSP_TEXT)
            RSP_FAULT(e->l, by->loc, NULL, "'%s' has no codes to make groups in %s", rsp_var(e->l, x->by[k])->name,
                      e->where);
}

static void load_exploration(entry *e, int kind) {
    static const char *const methods[] = {"minres", "ml", NULL};
    static const char *const rotations[] = {"oblimin", "varimax", "none", NULL};
    rsp_exploration *x = &e->x->exploration;
    const rsp_node *items = rsp_get(e->n, "items"), *factors = rsp_get(e->n, "factors");
    const char *weights = rsp_get_text(e->n, "weights");
    e->x->kind = RSP_A_EXPLORATION;
    x->kind = kind == 2 ? RSP_EXPLORE_FACTORS : kind == 3 ? RSP_EXPLORE_PARALLEL : RSP_EXPLORE_CORRELATIONS;
    x->n_items = rsp_bind_list(e->l, items, e->where, &x->items);
    if (!items || rsp_values(items) < 2)
        RSP_FAULT(e->l, items ? items->loc : e->n->loc, NULL, "%s needs two items or more", e->where);
    for (size_t k = 0; k < x->n_items; k++)
        if (!rsp_is_numeric(rsp_var(e->l, x->items[k])))
            RSP_FAULT(e->l, items->loc, NULL, "'%s' is no number in %s", rsp_var(e->l, x->items[k])->name, e->where);
    double n = 0;
    if (factors && strcmp(factors->text, "parallel") != 0 &&
        (!rsp_parse_double(factors->text, strlen(factors->text), '.', &n) || n < 1 || n != floor(n) ||
         2 * n > (double) x->n_items))
        RSP_FAULT(e->l, factors->loc, "at most half as many as items",
                  "'%s' is neither a number of factors nor `parallel` in %s", factors->text, e->where);
    x->n_factors = (size_t) n;
    x->ml = rsp_get_choice(e->n, "method", methods, 0) == 1;
    x->rotation = rsp_get_choice(e->n, "rotation", rotations, 0);
    x->weighted = weights && strcmp(weights, "design") == 0;
    x->seed = (uint64_t) rsp_get_number(e->n, "seed", (double) e->l->s->variance.seed);
    x->replicates = (size_t) rsp_get_number(e->n, "replicates", 100);
    if (x->kind == RSP_EXPLORE_CORRELATIONS) load_correlations(e, x);
}

static void load_factor(entry *e) {
    static const char *const kinds[] = {"model", "invariance", "exploratory", "parallel", "correlations", NULL};
    int kind = rsp_get_choice(e->n, "kind", kinds, 0);
    check_factor_keys(e, kind);
    if (kind == 0 && !rsp_node_find(e->n, "model"))
        RSP_FAULT(e->l, e->n->loc, NULL, "the key 'model' is missing in %s", e->where);
    if (kind == 0) load_factor_model(e);
    else if (kind == 1) load_invariance(e);
    else load_exploration(e, kind);
}

/* ---- all -------------------------------------------------------------------------------------------------------- */

static const struct {
    const char *section, *word;
    void (*load)(entry *e);
} sections[] = {{"tables", "table", load_table},
                {"tests", "test", load_test},
                {"scales", "scale", load_scale},
                {"factors", "factor model", load_factor},
                {"models", "model", load_model}};

static void check_id(entry *e, rsp_map *ids, bool scale) {
    const rsp_node *id = rsp_get(e->n, "id"), *name = rsp_get(e->n, "name");
    const char *const own[] = {"weights", "cleaning", "response"};
    if (!id) return;
    for (size_t k = 0; k < 3; k++)
        if (strcmp(own[k], id->text) == 0) RSP_FAULT(e->l, id->loc, NULL, "the id '%s' is the engine's own", id->text);
    if (!scale) {
        if (!rsp_map_put(ids, id->text, 0)) RSP_FAULT(e->l, id->loc, NULL, "the id '%s' stands twice", id->text);
        return;
    }
    /* Scales may share an id: then their names tell them apart. */
    if (name && !rsp_map_put(ids, rsp_printf(e->l->a, "%s\n%s", id->text, name->text), 1))
        RSP_FAULT(e->l, name->loc, NULL, "scale '%s' stands twice under the id '%s'", name->text, id->text);
    if (!rsp_map_put(ids, id->text, 1) && rsp_map_get(ids, id->text) == 0)
        RSP_FAULT(e->l, id->loc, NULL, "the id '%s' stands twice", id->text);
}

static void note_completed(rsp_expr *variable, void *context) {
    bool *state = context; /* [0] the answer, then whether each variable is completed */
    state[0] |= state[1 + variable->variable];
}

/* Is the variable imputed, or derived from one that is? */
static bool imputes(const rsp_loader *l, size_t variable) {
    const rsp_study *s = l->s;
    bool *state = RSP_ARRAY(l->a, bool, s->n_variables + 2), *completed = state + 1;
    if (variable == RSP_NONE) return false;
    for (size_t k = 0; k < s->imputation.n_variables; k++) completed[s->imputation.variables[k]] = true;
    for (size_t k = 0; k < s->n_derived; k++) {
        const rsp_derivation *d = &s->variables[s->derived[k]].derive;
        state[0] = false;
        if (d->kind == RSP_DERIVE_EXPR && d->expr) rsp_expr_each_variable(d->expr, note_completed, state);
        if (d->kind == RSP_DERIVE_CUT || d->kind == RSP_DERIVE_MAP) state[0] |= completed[d->from];
        for (size_t j = 0; j < d->n_items; j++) state[0] |= completed[d->items[j]];
        completed[s->derived[k]] |= state[0];
    }
    return completed[variable];
}

/* Why an analysis' results on completed data sets cannot become one, and what to do instead; false: they can. */
static bool not_pooled(const rsp_loader *l, const rsp_analysis *x, const char **why, const char **instead) {
    bool pooled = x->kind == RSP_A_MODEL && x->model.kind == RSP_POOLED_MODEL;
    bool groups = pooled || (x->kind == RSP_A_MODEL && x->model.kind == RSP_DRIVERS_MODEL);
    *instead = "leave `imputed` out: it uses the answers as given";
    *why = NULL;
    if (x->kind == RSP_A_INVARIANCE) {
        *why = "a verdict on comparability is no estimate, and differences of fit have no pooled counterpart";
        *instead = "say `missing: fiml`, which uses all answers given";
    } else if (x->kind == RSP_A_EXPLORATION && x->exploration.kind != RSP_EXPLORE_CORRELATIONS) {
        *why = "the factors of one completed data set have no counterpart in the next";
        *instead = "pool correlations or a factor model, or leave `imputed` out";
    } else if (x->kind == RSP_A_FACTOR && (x->factor.fiml || x->factor.pairwise)) {
        *why = "`missing` already says what to do about answers that are not there";
        *instead = "take one of `missing` and `imputed` out";
    } else if (x->kind == RSP_A_FACTOR && x->factor.modification) {
        *why = "modification indices are each data set's own";
        *instead = "ask for them in a model of its own, with `imputed: no`";
    } else if (pooled && x->model.estimate != RSP_NONE) {
        *why = "its rows are estimates of studies, not respondents";
    } else if (groups && imputes(l, x->model.across)) {
        *why = "its groups are completed themselves: who belongs to which would differ from data set to data set";
        *instead = "take the variable of `across` out of `imputation`";
    }
    return *why != NULL;
}

static void load_imputed(entry *e) {
    const rsp_node *said = rsp_get(e->n, "imputed");
    bool wanted = said && rsp_get_yes(e->n, "imputed"), possible = e->l->s->imputation.n_variables > 0;
    const char *why, *instead;
    if (wanted && !possible)
        RSP_FAULT(e->l, said->loc, "add it, or leave `imputed` out",
                  "%s is to be imputed, but the study has no `imputation`", e->where);
    if (not_pooled(e->l, e->x, &why, &instead)) {
        if (wanted) RSP_FAULT(e->l, said->loc, instead, "%s cannot be pooled over completed data: %s", e->where, why);
        possible = false;
    }
    e->x->imputed = possible && (!said || wanted);
}

static void load_entry(rsp_loader *l, const rsp_node *n, size_t section, rsp_map *ids) {
    const char *scale_name = strcmp(sections[section].word, "scale") == 0 ? rsp_get_text(n, "name") : NULL;
    const char *id = scale_name ? scale_name : rsp_get_text(n, "id");
    entry e = {l, n, &l->s->analyses[l->s->n_analyses],
               rsp_printf(l->a, "%s '%s'", sections[section].word, id ? id : "?")};
    rsp_analysis *x = e.x;
    x->id = rsp_get_text(n, "id");
    x->loc = n->loc;
    x->title = rsp_read_words(l, rsp_get(n, "title"));
    x->filter = rsp_read_expr(l, rsp_get(n, "filter"), RSP_NONE, e.where);
    x->variance = rsp_load_variance(l, rsp_get(n, "variance"), &l->s->variance);
    check_id(&e, ids, strcmp(sections[section].word, "scale") == 0);
    rsp_digest_node(n, x->digest);
    sections[section].load(&e);
    load_imputed(&e);
    l->s->n_analyses++;
}

/* Gives each entry of a section that was loaded as an analysis of this kind to `resolve`. */
static void resolve_section(rsp_loader *l, const char *section, rsp_analysis_kind kind, void (*resolve)(entry *e)) {
    const rsp_node *list = rsp_get(l->root, section);
    for (size_t j = 0; list && list->kind == RSP_Y_LIST && j < list->n; j++)
        for (size_t k = 0; k < l->s->n_analyses; k++) {
            rsp_analysis *x = &l->s->analyses[k];
            const rsp_node *n = list->items[j];
            if (x->kind != kind || x->loc.line != n->loc.line || x->loc.column != n->loc.column) continue;
            resolve(&(entry){
                l, n, x,
                rsp_printf(l->a, "%s '%s'", kind == RSP_A_MODEL ? "model" : "factor model", x->id ? x->id : "?")});
        }
}

void rsp_load_analyses(rsp_loader *l) {
    size_t total = 0;
    rsp_map *ids = rsp_map_new();
    for (size_t k = 0; k < sizeof sections / sizeof *sections; k++) {
        const rsp_node *n = rsp_get(l->root, sections[k].section);
        total += n && n->kind == RSP_Y_LIST ? n->n : 0;
    }
    l->s->analyses = RSP_ARRAY(l->a, rsp_analysis, total + 1);
    for (size_t i = 0; i < l->root->n; i++)
        for (size_t k = 0; k < sizeof sections / sizeof *sections; k++) {
            const rsp_node *n = l->root->items[i];
            if (strcmp(l->root->keys[i]->text, sections[k].section) != 0 || n->bad || n->kind != RSP_Y_LIST) continue;
            for (size_t j = 0; j < n->n; j++)
                if (!n->items[j]->bad && n->items[j]->kind == RSP_Y_MAP) load_entry(l, n->items[j], k, ids);
        }
    resolve_section(l, "models", RSP_A_MODEL, resolve_pooled);
    resolve_section(l, "factors", RSP_A_INVARIANCE, resolve_invariance);
    rsp_map_free(ids);
}
