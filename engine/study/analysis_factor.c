/* Entries of `scales` and `factors`: factor models, ladders of comparability, exploratory factors, parallel analysis
 * and correlations. */
#include "study/analysis.h"
#include "responsive/limits.h"

#include <math.h>
#include <string.h>

void rsp_load_scale(rsp_entry *e) {
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
static void check_statement(rsp_entry *e, const rsp_lavaan *m, const rsp_lavaan_row *r) {
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
static void load_partial(rsp_entry *e, const rsp_node *partial, rsp_factor_model *x) {
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
static void load_ordered(rsp_entry *e, const rsp_node *ordered, rsp_factor_model *x) {
    x->all_ordered = !ordered || (ordered->kind == RSP_Y_SCALAR && strcmp(ordered->text, "all") == 0);
    if (ordered && !rsp_limited_information(x))
        RSP_FAULT(e->l, ordered->loc, "say estimator: wlsmv", "'ordered' has no meaning in %s", e->where);
    if (!x->all_ordered) x->n_ordered = rsp_bind_list(e->l, ordered, e->where, &x->ordered);
}

static void check_ordered(rsp_entry *e, const rsp_node *ordered, const rsp_factor_model *x) {
    for (size_t k = 0; !x->all_ordered && x->syntax && k < rsp_values(ordered); k++)
        if (!rsp_value_at(ordered, k)->bad && !is_indicator_of(x->syntax, rsp_value_at(ordered, k)->text))
            RSP_FAULT(e->l, rsp_value_at(ordered, k)->loc, NULL, "'%s' is no indicator of %s",
                      rsp_value_at(ordered, k)->text, e->where);
}

static bool is_ordinal(const rsp_entry *e, const rsp_factor_model *x, const char *name) {
    if (x->all_ordered) return true;
    for (size_t k = 0; k < x->n_ordered; k++)
        if (strcmp(rsp_var(e->l, x->ordered[k])->name, name) == 0) return true;
    return false;
}

/* Moments and their errors grow with the square of the items, or its square. */
static void check_size(rsp_entry *e, size_t n, bool ordinal, rsp_loc loc) {
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
static void check_ordinal_keys(rsp_entry *e, const rsp_factor_model *x) {
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

/* Variables of `by`, whose answers make the groups. */
static size_t read_groups(rsp_entry *e, const rsp_node *by, const size_t **variables) {
    size_t n = rsp_bind_list(e->l, by, e->where, variables);
    for (size_t k = 0; k < n; k++) {
        const rsp_variable *v = rsp_var(e->l, (*variables)[k]);
        if (v->type != RSP_SELECT_ONE && v->type != RSP_TEXT)
            RSP_FAULT(e->l, by->loc, NULL, "'%s' has no codes to make groups in %s", v->name, e->where);
    }
    return n;
}

/* What an ordinal item does not have. */
static void check_ordinal_statements(rsp_entry *e, const rsp_factor_model *x, const rsp_lavaan *syntax) {
    for (size_t k = 0; rsp_limited_information(x) && syntax && k < syntax->n; k++) {
        const rsp_lavaan_row *r = &syntax->rows[k];
        bool own = r->op == RSP_L_INTERCEPT || (r->op == RSP_L_COVARIANCE && strcmp(r->lhs, r->rhs) == 0);
        if (own && !is_factor_of(syntax, r->lhs) && is_ordinal(e, x, r->lhs))
            RSP_FAULT(e->l, r->loc, "leave it out",
                      "'%s' is ordinal: it has neither intercept nor variance of its own in %s", r->lhs, e->where);
    }
}

enum kind { KIND_MODEL, KIND_INVARIANCE, KIND_EXPLORATORY, KIND_PARALLEL, KIND_CORRELATIONS };

/* Keys that mean something for some kinds of factor analysis only. */
static void check_factor_keys(rsp_entry *e, enum kind kind) {
    enum {
        MODEL = 1u << KIND_MODEL,
        LADDER = 1u << KIND_INVARIANCE,
        FACTORS = 1u << KIND_EXPLORATORY,
        PARALLEL = 1u << KIND_PARALLEL,
        CORRELATIONS = 1u << KIND_CORRELATIONS,
        ALL = MODEL | LADDER | FACTORS | PARALLEL | CORRELATIONS
    };
    static const struct {
        const char *key;
        unsigned kinds;
    } keys[] = {{"model", MODEL | LADDER},
                {"estimator", MODEL | LADDER},
                {"group", MODEL},
                {"equal", MODEL},
                {"missing", MODEL | LADDER | CORRELATIONS},
                {"ordered", MODEL | LADDER | CORRELATIONS},
                {"std.lv", MODEL},
                {"partial", MODEL},
                {"standardised", MODEL},
                {"modification", MODEL},
                {"scales", LADDER},
                {"cutoffs", LADDER},
                {"anchors", LADDER},
                {"minimum_group", LADDER},
                {"margin", LADDER},
                {"by", LADDER | CORRELATIONS},
                {"correlation", CORRELATIONS},
                {"items", FACTORS | PARALLEL | CORRELATIONS},
                {"factors", FACTORS},
                {"method", FACTORS},
                {"rotation", FACTORS},
                {"seed", FACTORS | PARALLEL},
                {"replicates", FACTORS | PARALLEL},
                {"weights", ALL}};
    for (size_t k = 0; k < sizeof keys / sizeof *keys; k++) {
        const rsp_node *n = rsp_get(e->n, keys[k].key);
        if (n && !(keys[k].kinds >> kind & 1))
            RSP_FAULT(e->l, n->loc, "leave it out", "'%s' has no meaning for %s of this kind", keys[k].key, e->where);
    }
}

/* `yes`, or what to show. */
static void load_modification(rsp_entry *e, rsp_factor_model *x) {
    const rsp_node *n = rsp_node_find(e->n, "modification");
    if (!n) return;
    bool map = n->kind == RSP_Y_MAP;
    x->modification = map || rsp_get_yes(e->n, "modification");
    x->most_modifications = (size_t) rsp_get_number(map ? n : NULL, "most", 20);
    x->minimum_modification = rsp_get_number(map ? n : NULL, "minimum", 3.84);
}

/* Which answers count, what their weight is, and which are ordinal. */
static void load_answers(rsp_entry *e, rsp_factor_model *x) {
    static const char *const missing[] = {"listwise", "fiml", "pairwise", NULL}, *const weights[] = {"none", "design",
                                                                                                     NULL};
    x->fiml = rsp_get_choice(e->n, "missing", missing, 0) == 1;
    x->pairwise = rsp_get_choice(e->n, "missing", missing, 0) == 2;
    x->weighted = rsp_get_choice(e->n, "weights", weights, 0) == 1;
    load_ordered(e, rsp_get(e->n, "ordered"), x);
    check_ordinal_keys(e, x);
}

static void load_factor_model(rsp_entry *e) {
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
static rsp_lavaan *one_factor(rsp_entry *e, const char *name, size_t n, const size_t *items, rsp_loc loc) {
    rsp_lavaan *m = RSP_NEW(e->l->a, rsp_lavaan);
    m->rows = RSP_ARRAY(e->l->a, rsp_lavaan_row, n);
    for (size_t k = 0; k < n; k++)
        m->rows[m->n++] =
            (rsp_lavaan_row){.lhs = name, .op = RSP_L_LOADING, .rhs = rsp_var(e->l, items[k])->name, .loc = loc};
    return m;
}

static void add_ladder(rsp_entry *e, const char *name, rsp_lavaan *syntax, size_t n, const size_t *items) {
    rsp_invariance *x = &e->x->invariance;
    check_size(e, n, rsp_limited_information(&x->model), e->n->loc);
    x->name[x->n_models] = name;
    x->syntax[x->n_models] = syntax;
    x->n_items[x->n_models] = n;
    x->items[x->n_models++] = items;
}

/* The scale of this name; two of the same name under different ids would be ambiguous. */
static const rsp_scale *scale_named(rsp_entry *e, const rsp_node *n) {
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
static void check_ladder_ordered(rsp_entry *e) {
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
void rsp_resolve_invariance(rsp_entry *e) {
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

static void load_cutoffs(rsp_entry *e, rsp_cutoffs *x) {
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

static void load_invariance(rsp_entry *e) {
    static const char *const estimators[] = {"mlr", "ml", "wlsmv", "wlsm", "dwls", NULL};
    rsp_invariance *x = &e->x->invariance;
    const rsp_node *by = rsp_get(e->n, "by"), *scales = rsp_get(e->n, "scales"), *model = rsp_get(e->n, "model");
    e->x->kind = RSP_A_INVARIANCE;
    e->x->refers = true;
    if (!scales == !model)
        RSP_FAULT(e->l, e->n->loc, "name `scales`, or give a `model`", "%s needs either 'scales' or 'model'", e->where);
    if (!by) RSP_FAULT(e->l, e->n->loc, "add `by: [country]`", "%s needs 'by'", e->where);
    x->n_by = read_groups(e, by, &x->by);
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

static void load_correlations(rsp_entry *e, rsp_exploration *x) {
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
    x->n_by = read_groups(e, by, &x->by);
}

static void load_exploration(rsp_entry *e, enum kind kind) {
    static const char *const methods[] = {"minres", "ml", NULL};
    static const char *const rotations[] = {"oblimin", "varimax", "none", NULL};
    rsp_exploration *x = &e->x->exploration;
    const rsp_node *items = rsp_get(e->n, "items"), *factors = rsp_get(e->n, "factors");
    const char *weights = rsp_get_text(e->n, "weights");
    e->x->kind = RSP_A_EXPLORATION;
    x->kind = kind == KIND_EXPLORATORY ? RSP_EXPLORE_FACTORS
              : kind == KIND_PARALLEL  ? RSP_EXPLORE_PARALLEL
                                       : RSP_EXPLORE_CORRELATIONS;
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

void rsp_load_factor(rsp_entry *e) {
    static const char *const kinds[] = {"model", "invariance", "exploratory", "parallel", "correlations", NULL};
    enum kind kind = rsp_get_choice(e->n, "kind", kinds, KIND_MODEL);
    check_factor_keys(e, kind);
    if (kind == KIND_MODEL && !rsp_node_find(e->n, "model"))
        RSP_FAULT(e->l, e->n->loc, NULL, "the key 'model' is missing in %s", e->where);
    if (kind == KIND_MODEL) load_factor_model(e);
    else if (kind == KIND_INVARIANCE) load_invariance(e);
    else load_exploration(e, kind);
}
