/* How answers became numbers: rows, cleaning, design, weighting, errors, missing answers, protection. */
#include "methods.h"

#include "charts.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char DASH[] = "\u2013";

/* Domains of an analysis' rows in order of appearance. */
static const char **domains(const methods_annex *x, const char *analysis, size_t *n) {
    size_t from = 0, to = 0;
    const char **list = NULL;
    rsp_map *seen = rsp_map_new();
    *n = 0;
    if (rsp_published_range(x->p->results, analysis, &from, &to)) list = RSP_ARRAY(x->a, const char *, to - from);
    for (size_t i = from; i < to; i++) {
        const char *domain = rsp_published_at(x->p->results, i)->domain;
        if (rsp_map_put(seen, domain, *n)) list[(*n)++] = domain;
    }
    rsp_map_free(seen);
    return list;
}

static const char *domain_label(const methods_annex *x, const char *domain) {
    return *domain ? rsp_label_domain(x->labels, x->a, domain) : annex_word(x, "data.everybody");
}

static double rows_of(const methods_annex *x, const char *domain, const char *stage) {
    return annex_value(x, "response", domain, stage, "", "count");
}

/* ---- rows ------------------------------------------------------------------------------------------------------- */

static void files(methods_annex *x) {
    if (!x->p->n_files) return;
    annex_table(x, annex_word(x, "data.files"), 5,
                (const char *const[]){"data.file", "data.tool", "data.encoding", "data.rows", "data.columns"},
                (const double[]){0, 110, 90, 65, 65}, "ttxnn");
    for (size_t k = 0; k < x->p->n_files; k++) {
        const struct rsp_file_note *f = &x->p->files[k];
        const char *slash = strrchr(f->name, '/'); /* where it lies on this machine is nobody's business */
        annex_cell(x, slash ? slash + 1 : f->name);
        annex_cell(x, f->tool ? f->tool : DASH);
        annex_cell(x, f->encoding ? f->encoding : DASH);
        annex_cell(x, annex_count(x, (double) f->rows));
        annex_cell(x, annex_count(x, (double) f->columns));
    }
    annex_table_end(x);
}

static void rows(methods_annex *x) {
    static const char *const stages[] = {"read", "kept", "set_aside"};
    size_t n;
    const char **list = domains(x, "response", &n);
    if (n < 2) return;
    annex_table(x, annex_word(x, "data.groups"), 4,
                (const char *const[]){"data.country", "data.read", "data.kept", "data.aside"},
                (const double[]){0, 90, 90, 90}, "tnnn");
    for (size_t k = 0; k < n; k++) {
        annex_cell(x, domain_label(x, list[k]));
        for (size_t j = 0; j < 3; j++) annex_cell(x, annex_count(x, rows_of(x, list[k], stages[j])));
    }
    annex_table_end(x);
}

static const char *rule_kind(const methods_annex *x, const rsp_clean_rule *r) {
    rsp_arg minimum = {"minimum", NULL, r->minimum}, items = {"items", NULL, (double) r->n_items};
    switch (r->kind) {
    case RSP_CLEAN_DROP: return annex_word(x, "rule.drop");
    case RSP_CLEAN_DUPLICATES: {
        static const char *const keep[] = {"first", "last", "complete"};
        return annex_say(x, "rule.duplicates",
                         METHODS_ARGS({"by", annex_variables(x, r->by, r->n_by), 0}, {"keep", keep[r->keep], 0}));
    }
    case RSP_CLEAN_INCOMPLETE: return annex_say(x, "rule.incomplete", &minimum, 1);
    case RSP_CLEAN_SPEEDERS: return annex_say(x, "rule.speeders", &minimum, 1);
    case RSP_CLEAN_STRAIGHTLINERS:
        return annex_say(
            x, r->minimum > 0 && r->minimum < (double) r->n_items ? "rule.straightliners_run" : "rule.straightliners",
            (rsp_arg[]){minimum, items}, 2);
    case RSP_CLEAN_OUTLIERS:
        return annex_say(x, isnan(r->minimum) ? "rule.outliers_limits" : "rule.outliers", &minimum, 1);
    case RSP_CLEAN_RECODE: return annex_word(x, "rule.recode");
    case RSP_CLEAN_SET_MISSING: return annex_word(x, "rule.set_missing");
    case RSP_CLEAN_CONSTRAINT: return annex_word(x, "rule.constraint");
    case RSP_CLEAN_RELEVANT: return annex_word(x, "rule.relevant");
    }
    return DASH;
}

static void cleaning(methods_annex *x) {
    static const char *const actions[] = {[RSP_ACTION_DROP] = "rules.drop",
                                          [RSP_ACTION_FLAG] = "rules.flag",
                                          [RSP_ACTION_SET_MISSING] = "rules.set_missing"};
    annex_section(x, "rules.heading");
    annex_paragraph(x, annex_word(x, x->s->n_rules ? "rules.text" : "rules.none"));
    if (!x->s->n_rules) return;
    annex_table(x, NULL, 5,
                (const char *const[]){"rules.rule", "rules.how", "rules.action", "rules.rows", "rules.cells"},
                (const double[]){190, 0, 90, 40, 50}, "tttnn");
    for (size_t k = 0; k < x->s->n_rules; k++) {
        const rsp_clean_rule *r = &x->s->rules[k];
        const char *label = rsp_text_in(&r->label, "en");
        double cells = annex_value(x, "cleaning", "", r->id, "cells", "count");
        annex_cell_with(x, label ? label : r->id, label ? r->id : NULL);
        annex_cell(x, rule_kind(x, r));
        annex_cell(x, annex_word(x, actions[r->action]));
        annex_cell(x, annex_count(x, annex_value(x, "cleaning", "", r->id, "", "count")));
        annex_cell(x, annex_count(x, isnan(cells) ? 0 : cells));
    }
    annex_table_end(x);
}

void methods_data(methods_annex *x) {
    const char *text = NULL;
    double read = rows_of(x, "", "read");
    annex_section(x, "data.heading");
    if (!isnan(read))
        annex_add(x, &text, "data.text",
                  METHODS_ARGS({"files", NULL, (double) x->p->n_files}, {"read", NULL, read},
                               {"kept", NULL, rows_of(x, "", "kept")}, {"aside", NULL, rows_of(x, "", "set_aside")}));
    if (x->p->simulated) annex_add(x, &text, "data.simulated", NULL, 0);
    if (x->p->preliminary && x->s->field.freeze)
        annex_add(x, &text, "data.preliminary", METHODS_ARGS({"freeze", x->s->field.freeze, 0}));
    annex_paragraph(x, text ? text : rsp_label_study(x->labels));
    files(x);
    rows(x);
    cleaning(x);
}

/* ---- design ----------------------------------------------------------------------------------------------------- */

static void add_list(methods_annex *x, const char **text, const char *key, const size_t *variables, size_t n) {
    if (n)
        annex_add(x, text, key, METHODS_ARGS({"list", annex_variables(x, variables, n), 0}, {"n", NULL, (double) n}));
}

/* Countries with answers, but too few for figures of their own. */
static const char *few_answers(const methods_annex *x) {
    size_t n = 0, c = x->s->roles.country;
    const char **has = rsp_countries(x->s, x->p->results, x->a, &n), *list = "";
    const rsp_list *codes = c == RSP_NONE ? NULL : x->s->variables[c].list;
    for (size_t k = 0; codes && k < codes->n; k++) {
        bool own = false;
        for (size_t j = 0; j < n; j++) own |= strcmp(has[j], codes->choices[k].code) == 0;
        const char *domain = rsp_domain_text(x->a, 1, &x->s->variables[c].name, &codes->choices[k].code);
        if (own || !(rows_of(x, domain, "kept") > 0)) continue;
        const char *label = rsp_label_country(x->labels, codes->choices[k].code);
        list = *list ? rsp_printf(x->a, "%s, %s", list, label) : label;
    }
    return list;
}

static void eligibility(methods_annex *x, const char **text) {
    if (!x->s->eligible.respondents && !x->s->eligible.clusters) return;
    const char *few = few_answers(x);
    annex_add(x, text, "design.eligible",
              METHODS_ARGS({"respondents", NULL, (double) x->s->eligible.respondents},
                           {"clusters", NULL, (double) x->s->eligible.clusters}));
    if (*few) annex_add(x, text, "design.eligible_few", METHODS_ARGS({"list", few, 0}));
    else annex_add(x, text, "design.eligible_all", NULL, 0);
}

void methods_design(methods_annex *x) {
    static const char *const lonely[] = {[RSP_LONELY_FAIL] = "design.lonely_fail",
                                         [RSP_LONELY_ADJUST] = "design.lonely_adjust",
                                         [RSP_LONELY_CERTAINTY] = "design.lonely_certainty"};
    const rsp_design_spec *d = &x->s->design;
    const char *text = NULL;
    annex_section(x, "design.heading");
    annex_add(x, &text, d->self_selected ? "design.self_selected" : "design.probability", NULL, 0);
    if (d->weight != RSP_NONE)
        annex_add(x, &text, "design.weight", METHODS_ARGS({"variable", annex_variables(x, &d->weight, 1), 0}));
    add_list(x, &text, "design.strata", d->strata, d->n_strata);
    if (d->n_stages) add_list(x, &text, d->n_stages > 1 ? "design.stages" : "design.clusters", d->cluster, d->n_stages);
    else annex_add(x, &text, "design.single", NULL, 0);
    add_list(x, &text, "design.fpc", d->fpc, d->n_fpc);
    if (d->n_strata) annex_add(x, &text, lonely[d->lonely], NULL, 0);
    annex_paragraph(x, text);
    text = NULL;
    eligibility(x, &text);
    if (text) annex_paragraph(x, text);
}

/* ---- weighting -------------------------------------------------------------------------------------------------- */

static void add_limits(methods_annex *x, const char **text, const rsp_weighting_spec *w) {
    rsp_arg trim[] = {{"low", NULL, w->trim_low}, {"high", NULL, w->trim_high}},
            bounds[] = {{"low", NULL, w->bound_low}, {"high", NULL, w->bound_high}};
    if (!isnan(w->bound_low) && !isnan(w->bound_high)) annex_add(x, text, "weights.bounds", bounds, 2);
    if (!isnan(w->trim_low) && !isnan(w->trim_high)) annex_add(x, text, "weights.trim", trim, 2);
    else if (!isnan(w->trim_high)) annex_add(x, text, "weights.trim_high", trim, 2);
    else if (!isnan(w->trim_low)) annex_add(x, text, "weights.trim_low", trim, 2);
}

static void add_scale(methods_annex *x, const char **text, const rsp_weighting_spec *w) {
    static const char *const scales[] = {[RSP_SCALE_UNSET] = NULL,
                                         [RSP_SCALE_SAMPLE] = "weights.sample",
                                         [RSP_SCALE_POPULATION] = "weights.population",
                                         [RSP_SCALE_EQUAL] = "weights.equal"};
    if (!scales[w->scale]) return;
    annex_add(x, text, scales[w->scale], NULL, 0);
    annex_add(x, text, "weights.models", NULL, 0);
}

static const char *weighting_text(methods_annex *x) {
    static const char *const methods[] = {
        [RSP_RAKE] = "weights.rake", [RSP_LINEAR] = "weights.linear", [RSP_LOGIT] = "weights.logit"};
    const rsp_weighting_spec *w = &x->s->weighting;
    const char *text = NULL;
    if (w->given) {
        if (w->within != RSP_NONE)
            annex_add(x, &text, "weights.within", METHODS_ARGS({"variable", annex_variables(x, &w->within, 1), 0}));
        add_list(x, &text, "weights.nonresponse", w->nonresponse, w->n_nonresponse);
        annex_add(x, &text, methods[w->method], NULL, 0);
        add_limits(x, &text, w);
        annex_add(x, &text, w->set_aside_missing ? "weights.set_aside" : "weights.proportional", NULL, 0);
    } else {
        annex_add(x, &text, "weights.none", NULL, 0);
    }
    add_scale(x, &text, w);
    return text;
}

/* Different sources of a margin's targets, with semicolons. */
static const char *target_sources(const methods_annex *x, const rsp_margin *m) {
    rsp_map *seen = rsp_map_new();
    const char *list = "";
    for (size_t k = 0; k < m->n_targets; k++) {
        const char *source = m->targets[k].source;
        if (!source || !*source || !rsp_map_put(seen, source, k)) continue;
        list = *list ? rsp_printf(x->a, "%s; %s", list, source) : source;
    }
    rsp_map_free(seen);
    return *list ? list : DASH;
}

static void margins(methods_annex *x) {
    const rsp_weighting_spec *w = &x->s->weighting;
    if (!w->n_margins) return;
    annex_table(x, annex_word(x, "weights.margins"), 3,
                (const char *const[]){"weights.margin", "weights.targets", "weights.source"},
                (const double[]){150, 80, 0}, "ttt");
    for (size_t k = 0; k < w->n_margins; k++) {
        const rsp_margin *m = &w->margins[k];
        const char *kind = m->numeric ? "weights.totals" : m->counts ? "weights.counts" : "weights.shares";
        annex_cell(x, annex_variables(x, m->variables, m->n_variables));
        annex_cell(x, annex_say(x, kind, METHODS_ARGS({"n", NULL, (double) m->n_targets})));
        annex_cell(x, target_sources(x, m));
    }
    annex_table_end(x);
}

static const rsp_published_row *largest_gap(const methods_annex *x, const char *domain) {
    size_t from, to;
    const rsp_published_row *largest = NULL;
    if (!rsp_published_range(x->p->results, "weights", &from, &to)) return NULL;
    for (size_t i = from; i < to; i++) {
        const rsp_published_row *r = rsp_published_at(x->p->results, i);
        if ((domain && strcmp(r->domain, domain) != 0) || strcmp(r->statistic, "margin_gap") != 0 || isnan(r->estimate))
            continue;
        if (!largest || fabs(r->estimate) > fabs(largest->estimate)) largest = r;
    }
    return largest;
}

static const char *gap_text(const methods_annex *x, const rsp_published_row *gap, bool in_words) {
    if (!gap) return DASH;
    rsp_as as = rsp_label_as(x->labels, gap);
    if (as == RSP_AS_SHARE && fabs(gap->estimate) < 5e-6)
        return in_words ? annex_word(x, "weights.tiny") : rsp_say_percent(x->texts, x->a, 0, 3);
    return rsp_label_number(x->labels, x->a, gap->estimate, as);
}

/* How many respondents stand in the class of the largest weights; NULL where there are no classes. */
static const char *heaviest(const methods_annex *x, const char *domain) {
    size_t from, to;
    const rsp_published_row *top = NULL;
    double limit = 0;
    if (!rsp_published_range(x->p->results, "weights", &from, &to)) return NULL;
    for (size_t i = from; i < to; i++) {
        const rsp_published_row *r = rsp_published_at(x->p->results, i);
        if (strcmp(r->domain, domain) == 0 && strcmp(r->statistic, "weight_count") == 0) top = r;
    }
    const char *hyphen = top ? strchr(top->level, '-') : NULL;
    if (!hyphen || hyphen[1] || isnan(top->estimate) ||
        !rsp_parse_double(top->level, (size_t) (hyphen - top->level), '.', &limit))
        return NULL;
    return annex_say(x, "weights.heaviest", METHODS_ARGS({"n", NULL, top->estimate}, {"limit", NULL, limit}));
}

static void weight_rows(methods_annex *x) {
    size_t n;
    const char **list = domains(x, "weights", &n);
    bool hidden = false;
    if (!n) return;
    annex_table(x, annex_word(x, "weights.groups"), 6,
                (const char *const[]){"weights.group", "weights.n", "weights.deff", "weights.n_eff", "weights.largest",
                                      "weights.gap"},
                (const double[]){0, 70, 70, 90, 100, 70}, "tnnnnn");
    for (size_t k = 0; k < n; k++) {
        const rsp_published_row *deff = rsp_published_find(x->p->results, "weights", list[k], "", "", "deff_kish"),
                                *most = rsp_published_find(x->p->results, "weights", list[k], "", "", "weight_max");
        annex_cell_with(x, domain_label(x, list[k]), deff ? rsp_label_flags(x->labels, x->a, deff->flags) : NULL);
        annex_cell(x, annex_count(x, deff ? deff->n : NAN));
        annex_cell(x, deff ? rsp_say_number(x->texts, x->a, deff->estimate, 2) : DASH);
        annex_cell(x, annex_count(x, annex_value(x, "weights", list[k], "", "", "n_eff")));
        annex_cell_with(x, most ? rsp_label_estimate(x->labels, x->a, most) : DASH, heaviest(x, list[k]));
        annex_cell(x, gap_text(x, largest_gap(x, list[k]), false));
        hidden |= most && most->flags & RSP_F_SUPPRESSED;
    }
    annex_table_end(x);
    if (hidden) annex_paragraph(x, annex_word(x, "weights.confidential"));
}

static size_t unmet_groups(const methods_annex *x) {
    size_t n, unmet = 0;
    const char **list = domains(x, "weights", &n);
    for (size_t k = 0; k < n; k++) {
        const rsp_published_row *r = rsp_published_find(x->p->results, "weights", list[k], "", "", "deff_kish");
        unmet += r && r->flags & (RSP_F_MARGIN_UNMET | RSP_F_NOT_WEIGHTED);
    }
    return unmet;
}

void methods_weighting(methods_annex *x) {
    const char *text = weighting_text(x), *gap = gap_text(x, largest_gap(x, NULL), true);
    size_t unmet = unmet_groups(x);
    annex_section(x, "weights.heading");
    annex_paragraph(x, text);
    if (largest_gap(x, NULL))
        annex_paragraph(x, annex_say(x, unmet ? "weights.unmet" : "weights.converged",
                                     METHODS_ARGS({"n", NULL, (double) unmet}, {"gap", gap, 0})));
    margins(x);
    weight_rows(x);
    if (x->s->weighting.given)
        annex_figure(x, &(rsp_chart_spec){.analysis = "weights", .kind = "histogram", .item = RSP_NONE});
}

/* ---- errors ----------------------------------------------------------------------------------------------------- */

static void add_method(methods_annex *x, const char **text, const rsp_variance_spec *v) {
    static const char *const methods[] = {
        [RSP_TAYLOR] = "variance.taylor", [RSP_JK1] = "variance.jk1", [RSP_JKN] = "variance.jkn",
        [RSP_BRR] = "variance.brr",       [RSP_FAY] = "variance.fay", [RSP_BOOTSTRAP] = "variance.bootstrap"};
    annex_add(x, text, methods[v->method],
              METHODS_ARGS({"replicates", NULL, (double) v->replicates}, {"rho", NULL, v->rho},
                           {"seed", rsp_printf(x->a, "%llu", (unsigned long long) v->seed), 0}));
    if (v->method == RSP_TAYLOR && x->s->weighting.given) annex_add(x, text, "variance.calibrated", NULL, 0);
    if (v->method != RSP_TAYLOR && x->s->weighting.given) annex_add(x, text, "variance.anew", NULL, 0);
    if (v->method != RSP_TAYLOR && v->mse) annex_add(x, text, "variance.mse", NULL, 0);
}

/* Analyses whose errors come from another method than the study's. */
static const char *other_methods(const methods_annex *x) {
    static const char *const names[] = {[RSP_TAYLOR] = "taylor", [RSP_JK1] = "jk1", [RSP_JKN] = "jkn",
                                        [RSP_BRR] = "brr",       [RSP_FAY] = "fay", [RSP_BOOTSTRAP] = "bootstrap"};
    const char *list = "";
    for (size_t k = 0; k < x->s->n_analyses; k++) {
        const rsp_analysis *a = &x->s->analyses[k];
        if (a->variance.method == x->s->variance.method) continue;
        const char *one =
            rsp_printf(x->a, "%s (%s)", rsp_label_analysis(x->labels, x->a, a->id), names[a->variance.method]);
        list = *list ? rsp_printf(x->a, "%s; %s", list, one) : one;
    }
    return list;
}

void methods_variance(methods_annex *x) {
    const char *text = NULL, *other = other_methods(x);
    annex_section(x, "variance.heading");
    add_method(x, &text, &x->s->variance);
    if (*other) annex_add(x, &text, "variance.own", METHODS_ARGS({"list", other, 0}));
    annex_paragraph(x, text);
    annex_paragraph(x, annex_word(x, "variance.df"));
    annex_paragraph(x, annex_word(x, "variance.deff"));
    annex_paragraph(x, annex_word(x, "variance.holm"));
}

/* ---- missing answers -------------------------------------------------------------------------------------------- */

static bool uses_fiml(const methods_annex *x) {
    for (size_t k = 0; k < x->s->n_analyses; k++)
        if (x->s->analyses[k].kind == RSP_A_FACTOR && x->s->analyses[k].factor.fiml) return true;
    return false;
}

static void add_imputation(methods_annex *x, const char **text) {
    const rsp_imputation_spec *i = &x->s->imputation;
    double low = INFINITY, high = -INFINITY;
    if (!i->n_variables) {
        annex_add(x, text, "missing.none", NULL, 0);
        return;
    }
    const char *predictors = i->n_predictors ? annex_variables(x, i->predictors, i->n_predictors) : "none";
    annex_add(x, text, "missing.imputed",
              METHODS_ARGS({"variables", annex_variables(x, i->variables, i->n_variables), 0},
                           {"m", NULL, (double) i->m}, {"iterations", NULL, (double) i->iterations},
                           {"seed", rsp_printf(x->a, "%llu", (unsigned long long) i->seed), 0},
                           {"predictors", predictors, 0}));
    for (size_t k = 0; k < rsp_published_count(x->p->results); k++) {
        const rsp_published_row *r = rsp_published_at(x->p->results, k);
        if (strcmp(r->statistic, "fmi") != 0 || isnan(r->estimate)) continue;
        low = fmin(low, r->estimate);
        high = fmax(high, r->estimate);
    }
    if (high >= low) annex_add(x, text, "missing.fmi", METHODS_ARGS({"low", NULL, low}, {"high", NULL, high}));
}

typedef struct {
    const char *label;
    double n;
    size_t place;
} base;

static int by_n(const void *p, const void *q) {
    const base *a = p, *b = q;
    if (a->n != b->n) return a->n < b->n ? -1 : 1;
    return a->place < b->place ? -1 : a->place > b->place;
}

/* Rows that tell how many of everybody answered an item: tables without a filter, the whole sample, valid answers. */
static bool tells_base(const methods_annex *x, const rsp_published_row *r) {
    const rsp_analysis *of = rsp_label_find(x->labels, r->analysis);
    size_t v = rsp_study_variable(x->s, r->term);
    if (!of || of->kind != RSP_A_TABLE || of->filter || *r->domain || isnan(r->n) || v == RSP_NONE) return false;
    const rsp_list *list = x->s->variables[v].list;
    size_t k = list && *r->level ? rsp_list_find(list, r->level) : RSP_NONE;
    return k == RSP_NONE || !list->choices[k].missing;
}

static void least_answered(methods_annex *x) {
    enum { MOST = 8 };
    double kept = rows_of(x, "", "kept");
    size_t count = rsp_published_count(x->p->results), n = 0;
    base *all = RSP_ARRAY(x->a, base, count + 1);
    rsp_map *seen = rsp_map_new();
    for (size_t i = 0; i < count && kept > 0; i++) {
        const rsp_published_row *r = rsp_published_at(x->p->results, i);
        if (!tells_base(x, r) || r->n >= kept || !rsp_map_put(seen, r->term, i)) continue;
        all[n] = (base){rsp_label_term(x->labels, x->a, r), r->n, n};
        n++;
    }
    rsp_map_free(seen);
    if (!n) return;
    qsort(all, n, sizeof *all, by_n);
    annex_table(x, annex_word(x, "missing.table"), 3,
                (const char *const[]){"missing.question", "missing.n", "missing.share"}, (const double[]){0, 95, 80},
                "tnn");
    for (size_t k = 0; k < n && k < MOST; k++) {
        annex_cell(x, all[k].label);
        annex_cell(x, annex_count(x, all[k].n));
        annex_cell(x, rsp_say_percent(x->texts, x->a, 1 - all[k].n / kept, 1));
    }
    annex_table_end(x);
}

void methods_missing(methods_annex *x) {
    const char *text = NULL;
    annex_section(x, "missing.heading");
    annex_add(x, &text, "missing.text", METHODS_ARGS({"fiml", uses_fiml(x) ? "yes" : "no", 0}));
    add_imputation(x, &text);
    annex_paragraph(x, text);
    least_answered(x);
}

/* ---- protection ------------------------------------------------------------------------------------------------- */

static void add_rules(methods_annex *x, const char **text) {
    const rsp_disclosure_spec *d = &x->s->disclosure;
    double organisations = x->s->roles.organisation == RSP_NONE ? 0 : (double) d->minimum_organisations;
    annex_add(x, text, "disclosure.rules",
              METHODS_ARGS({"base", NULL, (double) d->minimum_base}, {"organisations", NULL, organisations},
                           {"cell", NULL, (double) d->minimum_cell}));
    if (!isnan(d->dominance_n) && !isnan(d->dominance_k))
        annex_add(x, text, "disclosure.dominance",
                  METHODS_ARGS({"n", NULL, d->dominance_n}, {"k", NULL, d->dominance_k}));
    if (d->rounding > 0) annex_add(x, text, "disclosure.rounding", METHODS_ARGS({"k", NULL, d->rounding}));
    annex_add(x, text, "disclosure.complementary", NULL, 0);
}

typedef struct {
    double results, own, more;
} cost;

static cost cost_of(const methods_annex *x, size_t from, size_t to) {
    cost c = {0};
    for (size_t i = from; i < to; i++) {
        uint32_t flags = rsp_published_at(x->p->results, i)->flags;
        c.results++;
        c.own += (flags & RSP_F_SUPPRESSED) != 0;
        c.more += !(flags & RSP_F_SUPPRESSED) && flags & RSP_F_SUPPRESSED_COMPLEMENTARY;
    }
    return c;
}

static void hidden_by_analysis(methods_annex *x) {
    size_t count = rsp_published_count(x->p->results);
    annex_table(x, annex_word(x, "disclosure.table"), 4,
                (const char *const[]){"disclosure.analysis", "disclosure.results", "disclosure.own", "disclosure.more"},
                (const double[]){0, 70, 75, 75}, "tnnn");
    for (size_t i = 0; i < count;) {
        const char *id = rsp_published_at(x->p->results, i)->analysis;
        size_t to = i;
        while (to < count && strcmp(rsp_published_at(x->p->results, to)->analysis, id) == 0) to++;
        cost c = cost_of(x, i, to);
        i = to;
        if (c.own + c.more == 0) continue;
        annex_cell(x, rsp_label_analysis(x->labels, x->a, id));
        annex_cell(x, annex_count(x, c.results));
        annex_cell(x, annex_count(x, c.own));
        annex_cell(x, annex_count(x, c.more));
    }
    annex_table_end(x);
}

void methods_disclosure(methods_annex *x) {
    const char *text = NULL;
    cost c = cost_of(x, 0, rsp_published_count(x->p->results));
    annex_section(x, "disclosure.heading");
    if (x->s->disclosure.off) {
        annex_paragraph(x, annex_word(x, "disclosure.off"));
        return;
    }
    add_rules(x, &text);
    annex_paragraph(x, text);
    if (c.own + c.more == 0) {
        annex_paragraph(x, annex_say(x, "disclosure.none", METHODS_ARGS({"results", NULL, c.results})));
        return;
    }
    const char *share = rsp_say_percent(x->texts, x->a, (c.own + c.more) / c.results, 1);
    annex_paragraph(x, annex_say(x, "disclosure.cost",
                                 METHODS_ARGS({"results", NULL, c.results}, {"own", NULL, c.own},
                                              {"more", NULL, c.more}, {"share", share, 0})));
    hidden_by_analysis(x);
}
