/* Analyses of a study in the order of study.yaml: what all have (id, title, filter, variance, imputation); each section
 * reads the rest of its entries itself (analysis_table.c, analysis_model.c, analysis_drivers.c, analysis_factor.c). */
#include "study/analysis.h"

#include <string.h>

/* Figures over several countries need a decision how countries combine. */
void rsp_need_scale(rsp_entry *e) {
    size_t country = e->l->s->roles.country;
    if (country == RSP_NONE || e->l->s->weighting.scale != RSP_SCALE_UNSET || e->l->needs_scale) return;
    e->l->needs_scale = true;
    RSP_FAULT(e->l, e->n->loc, "add `weighting: {scale: equal}`, sample or population",
              "%s asks for figures over all countries, but the study does not say how countries combine", e->where);
}

static const struct {
    const char *section, *word;
    void (*load)(rsp_entry *e);
} sections[] = {{"tables", "table", rsp_load_table},
                {"tests", "test", rsp_load_test},
                {"scales", "scale", rsp_load_scale},
                {"factors", "factor model", rsp_load_factor},
                {"models", "model", rsp_load_model}};

static void check_id(rsp_entry *e, rsp_map *ids, bool scale) {
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

static void load_imputed(rsp_entry *e) {
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
    rsp_entry e = {l, n, &l->s->analyses[l->s->n_analyses],
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
static void resolve_section(rsp_loader *l, const char *section, rsp_analysis_kind kind, void (*resolve)(rsp_entry *e)) {
    const rsp_node *list = rsp_get(l->root, section);
    for (size_t j = 0; list && list->kind == RSP_Y_LIST && j < list->n; j++)
        for (size_t k = 0; k < l->s->n_analyses; k++) {
            rsp_analysis *x = &l->s->analyses[k];
            const rsp_node *n = list->items[j];
            if (x->kind != kind || x->loc.line != n->loc.line || x->loc.column != n->loc.column) continue;
            resolve(&(rsp_entry){
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
    resolve_section(l, "models", RSP_A_MODEL, rsp_resolve_pooled);
    resolve_section(l, "factors", RSP_A_INVARIANCE, rsp_resolve_invariance);
    rsp_map_free(ids);
}
