/* Entries of `models`: outcome, predictors and what is asked beside the coefficients; which keys a kind takes; random
 * parts and their weights; pooled models, which may name another model (drivers: analysis_drivers.c). */
#include "study/analysis.h"

#include <string.h>
#include <strings.h>

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

static void check_logistic(rsp_entry *e, const rsp_variable *y, rsp_loc loc) {
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

static void check_response(rsp_entry *e, const rsp_model *m) {
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
static size_t read_predictor(rsp_entry *e, const rsp_model *m, const char *name, rsp_loc loc, const char *key) {
    size_t v = rsp_bind_name(e->l, name, loc, e->where);
    bool found = !m->formula || m->formula->dot;
    for (size_t k = 0; m->formula && k < m->formula->n_factors; k++) found |= in_formula(m->formula->factors[k], v);
    if (v != RSP_NONE && !found)
        RSP_FAULT(e->l, loc, "add it to the formula, or take it out here", "'%s' of %s is no predictor: '%s'", key,
                  e->where, name);
    return found ? v : RSP_NONE;
}

static void read_margins(rsp_entry *e, rsp_model *m) {
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

static void read_values(rsp_entry *e, const rsp_node *n, rsp_predict *x) {
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

static void read_errors(rsp_entry *e, rsp_model *m) {
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

static void read_predict(rsp_entry *e, rsp_model *m) {
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
static void check_keys_of_kind(rsp_entry *e, int kind, const char *word) {
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

static size_t read_column(rsp_entry *e, const char *key) {
    const rsp_node *n = rsp_get(e->n, key);
    size_t v = n && n->kind == RSP_Y_SCALAR ? rsp_bind(e->l, n, e->where) : RSP_NONE;
    if (v != RSP_NONE && !rsp_is_numeric(rsp_var(e->l, v)))
        RSP_FAULT(e->l, n->loc, NULL, "'%s' is no number in %s", n->text, e->where);
    return v;
}

/* `of` is looked up when all models are read (rsp_resolve_pooled). */
static void load_pooled(rsp_entry *e, rsp_model *m) {
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

/* Linear models have their own ways to count; those of other models do not fit them. */
static void load_freedom(rsp_entry *e, rsp_model *m) {
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
static void load_random(rsp_entry *e, rsp_model *m) {
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

void rsp_load_model(rsp_entry *e) {
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
        rsp_load_drivers(e, m);
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
void rsp_resolve_pooled(rsp_entry *e) {
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
