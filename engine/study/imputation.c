/* `imputation`: which answers are completed, from what, how often. */
#include "study/loader.h"

#include <string.h>

static const char *const METHODS[] = {"pmm", "logistic", "ordinal", "multinomial", NULL};

/* Weights are made before answers are completed: what they rest on must stay as it was answered. */
static bool weighs(const rsp_study *s, size_t v) {
    bool found = s->design.weight == v || s->weighting.within == v || s->roles.country == v;
    for (size_t k = 0; k < s->design.n_strata; k++) found |= s->design.strata[k] == v;
    for (size_t k = 0; k < s->design.n_stages; k++) found |= s->design.cluster[k] == v;
    for (size_t k = 0; k < s->design.n_fpc; k++) found |= s->design.fpc[k] == v;
    for (size_t k = 0; k < s->weighting.n_nonresponse; k++) found |= s->weighting.nonresponse[k] == v;
    for (size_t k = 0; k < s->weighting.n_margins; k++)
        for (size_t j = 0; j < s->weighting.margins[k].n_variables; j++)
            found |= s->weighting.margins[k].variables[j] == v;
    return found;
}

static size_t valid_answers(const rsp_variable *v) {
    size_t n = 0;
    for (size_t k = 0; v->list && k < v->list->n; k++) n += !v->list->choices[k].missing;
    return n;
}

static void check_variable(rsp_loader *l, size_t v, rsp_loc loc) {
    const rsp_variable *x = rsp_var(l, v);
    if (x->derive.kind != RSP_DERIVE_NONE)
        RSP_FAULT(l, loc, "name the questions it is made of", "'%s' is derived and cannot be imputed itself", x->name);
    else if (x->part_of != RSP_NONE || (x->type != RSP_SELECT_ONE && x->type != RSP_INTEGER && x->type != RSP_DECIMAL))
        RSP_FAULT(l, loc, "only numbers and questions with one answer can", "'%s' cannot be imputed", x->name);
    else if (weighs(l->s, v))
        RSP_FAULT(l, loc, "take it out here", "'%s' belongs to the design or the weighting and cannot be imputed",
                  x->name);
}

/* Many ordered answers are matched like numbers: as good, and much faster than a threshold for each. */
enum { MOST_ORDINAL = 4 };

static int default_method(const rsp_variable *v) {
    if (!v->list) return RSP_IMPUTE_PMM;
    if (valid_answers(v) <= 2) return RSP_IMPUTE_LOGISTIC;
    if (v->measure == RSP_NOMINAL) return RSP_IMPUTE_MULTINOMIAL;
    return valid_answers(v) <= MOST_ORDINAL ? RSP_IMPUTE_ORDINAL : RSP_IMPUTE_PMM;
}

static void load_methods(rsp_loader *l, const rsp_node *n, rsp_imputation_spec *x) {
    for (size_t k = 0; n && k < n->n; k++) {
        const rsp_node *key = n->keys[k], *value = n->items[k];
        size_t v = rsp_bind_name(l, key->text, key->loc, "'imputation'"), at = 0;
        if (v == RSP_NONE || value->bad) continue;
        while (at < x->n_variables && x->variables[at] != v) at++;
        if (at == x->n_variables) {
            RSP_FAULT(l, key->loc, "add it to `variables`", "'%s' is not imputed and needs no method", key->text);
            continue;
        }
        int method = 0;
        while (METHODS[method] && strcmp(METHODS[method], value->text) != 0) method++;
        bool coded = rsp_var(l, v)->list != NULL;
        if (!METHODS[method]) {
            RSP_FAULT(l, value->loc, "one of pmm, logistic, ordinal, multinomial", "unknown method '%s' of '%s'",
                      value->text, key->text);
        } else if (!coded && method != RSP_IMPUTE_PMM) {
            RSP_FAULT(l, value->loc, "use pmm", "'%s' is a number and has no categories for method '%s'", key->text,
                      value->text);
        } else if (method == RSP_IMPUTE_LOGISTIC && valid_answers(rsp_var(l, v)) > 2) {
            RSP_FAULT(l, value->loc, "use ordinal or multinomial", "'%s' has more than two answers", key->text);
        } else {
            x->methods[at] = method;
        }
    }
}

void rsp_load_imputation(rsp_loader *l) {
    const rsp_node *n = rsp_get(l->root, "imputation"), *variables = rsp_get(n, "variables");
    rsp_imputation_spec *x = &l->s->imputation;
    if (!n) return;
    x->loc = n->loc;
    x->n_variables = rsp_bind_list(l, variables, "'imputation'", &x->variables);
    x->n_predictors = rsp_bind_list(l, rsp_get(n, "predictors"), "'imputation'", &x->predictors);
    x->m = (size_t) rsp_get_number(n, "m", 20);
    x->iterations = (size_t) rsp_get_number(n, "iterations", 10);
    x->seed = (uint64_t) rsp_get_number(n, "seed", 1);
    for (size_t k = 0; k < x->n_variables; k++) check_variable(l, x->variables[k], variables->loc);
    if (variables && !x->n_variables) RSP_FAULT(l, variables->loc, NULL, "'imputation' names no variable");
    for (size_t k = 0; k < x->n_predictors; k++) {
        const rsp_variable *v = rsp_var(l, x->predictors[k]);
        if (!rsp_is_numeric(v))
            RSP_FAULT(l, rsp_get(n, "predictors")->loc, NULL, "'%s' has no numbers or codes to predict from", v->name);
        for (size_t j = 0; j < x->n_variables; j++)
            if (x->variables[j] == x->predictors[k])
                RSP_FAULT(l, rsp_get(n, "predictors")->loc, "leave it out: imputed variables predict each other",
                          "'%s' stands under both variables and predictors", v->name);
    }
    x->methods = RSP_ARRAY(l->a, int, x->n_variables + 1);
    for (size_t k = 0; k < x->n_variables; k++) x->methods[k] = default_method(rsp_var(l, x->variables[k]));
    load_methods(l, rsp_get(n, "methods"), x);
}
