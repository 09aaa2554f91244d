/* What is simulated and what is shown to whom. */
#include "responsive/limits.h"
#include "study/loader.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- simulation ------------------------------------------------------------------------------------------------- */

static void load_country(rsp_loader *l, const rsp_node *n) {
    rsp_simulation *s = &l->s->simulation;
    const rsp_node *code = rsp_get(n, "code");
    size_t country = l->s->roles.country;
    if (!code) return;
    if (country != RSP_NONE && rsp_var(l, country)->list)
        rsp_bind_code(l, rsp_var(l, country)->list, code->text, code->loc, "the country");
    const char *language = rsp_get_text(n, "language");
    s->countries[s->n_countries++] = (rsp_sim_country){code->text, (size_t) rsp_get_number(n, "n", 0),
                                                       language            ? language
                                                       : l->s->n_languages ? l->s->languages[0]
                                                                           : "",
                                                       rsp_get_number(n, "effect", 0)};
}

static bool is_latent(const rsp_loader *l, const char *name) {
    const rsp_simulation *s = &l->s->simulation;
    for (size_t k = 0; k < s->n_factors; k++)
        if (strcmp(s->factors[k].name, name) == 0) return true;
    for (size_t k = 0; k < s->n_outcomes; k++)
        if (strcmp(s->outcomes[k].name, name) == 0) return true;
    return false;
}

/* `variable=code`, or the name of a factor or of an outcome that stands before. */
static void check_effect(rsp_loader *l, const rsp_node *key, const char *where) {
    const char *equals = strchr(key->text, '=');
    if (!equals) {
        if (!is_latent(l, key->text))
            RSP_FAULT(l, key->loc, "name a factor, an outcome above, or variable=code", "unknown effect '%s' in %s",
                      key->text, where);
        return;
    }
    size_t v = rsp_bind_name(l, rsp_strndup(l->a, key->text, (size_t) (equals - key->text)), key->loc, where);
    if (v == RSP_NONE) return;
    if (!rsp_var(l, v)->list) RSP_FAULT(l, key->loc, NULL, "'%s' has no codes in %s", rsp_var(l, v)->name, where);
    else rsp_bind_code(l, rsp_var(l, v)->list, equals + 1, key->loc, rsp_printf(l->a, "'%s'", rsp_var(l, v)->name));
}

static void load_latent(rsp_loader *l, const rsp_node *n, rsp_sim_latent *all, size_t *count, bool outcome) {
    const rsp_node *name = rsp_get(n, "name"), *effects = rsp_get(n, "effects");
    if (!name) return;
    const char *where = rsp_printf(l->a, "simulated %s '%s'", outcome ? "outcome" : "factor", name->text);
    rsp_sim_latent x = {
        .name = name->text, .loading = rsp_get_number(n, "loading", 0.7), .residual = rsp_get_number(n, "residual", 1)};
    if (is_latent(l, name->text)) RSP_FAULT(l, name->loc, NULL, "%s stands twice", where);
    x.n_items = rsp_bind_list(l, rsp_get(n, "items"), where, &x.items);
    if (effects && !outcome) RSP_FAULT(l, effects->loc, NULL, "only outcomes have effects");
    x.effects = RSP_ARRAY(l->a, rsp_pair, effects ? effects->n : 0);
    for (size_t k = 0; effects && k < effects->n; k++) {
        check_effect(l, effects->keys[k], where);
        if (!effects->items[k]->bad)
            x.effects[x.n_effects++] = (rsp_pair){effects->keys[k]->text, effects->items[k]->text};
    }
    all[(*count)++] = x;
}

static void load_latents(rsp_loader *l, const rsp_node *n, const char *key, rsp_sim_latent **all, size_t *count) {
    const rsp_node *list = rsp_get(n, key);
    *all = RSP_ARRAY(l->a, rsp_sim_latent, list ? list->n : 0);
    for (size_t k = 0; list && k < list->n; k++)
        load_latent(l, list->items[k], *all, count, strcmp(key, "outcomes") == 0);
}

static void load_bias(rsp_loader *l, const rsp_node *n, rsp_simulation *s) {
    s->bias = RSP_ARRAY(l->a, rsp_sim_bias, n ? n->n : 0);
    for (size_t k = 0; n && k < n->n; k++) {
        size_t item = rsp_bind(l, rsp_get(n->items[k], "item"), "'bias'"), country = l->s->roles.country;
        const rsp_node *code = rsp_get(n->items[k], "country");
        if (!code || item == RSP_NONE) continue;
        if (country != RSP_NONE && rsp_var(l, country)->list)
            rsp_bind_code(l, rsp_var(l, country)->list, code->text, code->loc, "the country");
        s->bias[s->n_bias++] = (rsp_sim_bias){code->text, item, rsp_get_number(n->items[k], "shift", 0)};
    }
}

static void load_answer_shares(rsp_loader *l, const rsp_node *key, const rsp_node *value, rsp_simulation *s) {
    size_t v = rsp_bind_name(l, key->text, key->loc, "'answers'"), valid = 0;
    if (v == RSP_NONE || value->bad) return;
    const rsp_list *list = rsp_var(l, v)->list;
    if (!list) {
        RSP_FAULT(l, key->loc, "use `numbers`", "'%s' has no answers to choose from", key->text);
        return;
    }
    for (size_t k = 0; k < list->n; k++) valid += !list->choices[k].missing;
    double *shares = RSP_ARRAY(l->a, double, rsp_values(value)), sum = 0;
    for (size_t k = 0; k < rsp_values(value); k++) sum += shares[k] = rsp_node_number(rsp_value_at(value, k));
    if (rsp_values(value) != valid)
        RSP_FAULT(l, value->loc, NULL, "'%s' has %zu answers that are not missing, here are %zu shares", key->text,
                  valid, rsp_values(value));
    else if (rsp_var(l, v)->type == RSP_SELECT_ONE && fabs(sum - 1) > 1e-6)
        RSP_FAULT(l, value->loc, NULL, "the shares of '%s' add up to %.6g, not to 1", key->text, sum);
    else s->answers[s->n_answers++] = (rsp_sim_answers){v, valid, shares};
}

static void load_numbers(rsp_loader *l, const rsp_node *n, rsp_simulation *s) {
    s->numbers = RSP_ARRAY(l->a, rsp_sim_number, n ? n->n : 0);
    for (size_t k = 0; n && k < n->n; k++) {
        const rsp_node *name = rsp_get(n->items[k], "variable");
        size_t v = rsp_bind(l, name, "'numbers'");
        if (v == RSP_NONE) continue;
        if (rsp_var(l, v)->type != RSP_INTEGER && rsp_var(l, v)->type != RSP_DECIMAL)
            RSP_FAULT(l, name->loc, NULL, "'%s' is no number in 'numbers'", name->text);
        s->numbers[s->n_numbers++] =
            (rsp_sim_number){v, rsp_get_number(n->items[k], "median", NAN), rsp_get_number(n->items[k], "sigma", NAN),
                             rsp_get_number(n->items[k], "max", INFINITY)};
    }
}

static void load_flaws(const rsp_node *n, rsp_simulation *s) {
    s->duplicates = rsp_get_number(n, "duplicates", 0);
    s->speeders = rsp_get_number(n, "speeders", 0);
    s->straightliners = rsp_get_number(n, "straightliners", 0);
    s->test_rows = rsp_get_number(n, "test_rows", 0);
    s->incomplete = rsp_get_number(n, "incomplete", 0);
    s->item_nonresponse = rsp_get_number(n, "item_nonresponse", 0);
    s->dont_know = rsp_get_number(n, "dont_know", 0);
}

void rsp_load_simulation(rsp_loader *l) {
    const rsp_node *n = rsp_get(l->root, "simulate"), *countries = rsp_get(n, "countries"),
                   *answers = rsp_get(n, "answers");
    rsp_simulation *s = &l->s->simulation;
    s->given = n != NULL;
    s->countries = RSP_ARRAY(l->a, rsp_sim_country, countries ? countries->n : 0);
    for (size_t k = 0; countries && k < countries->n; k++) load_country(l, countries->items[k]);
    s->cluster_size = rsp_get_number(n, "cluster_size", 1);
    s->cluster_variance = rsp_get_number(n, "cluster_variance", 0);
    s->common = rsp_get_number(n, "common", 0);
    load_latents(l, n, "factors", &s->factors, &s->n_factors);
    load_latents(l, n, "outcomes", &s->outcomes, &s->n_outcomes);
    load_bias(l, rsp_get(n, "bias"), s);
    s->answers = RSP_ARRAY(l->a, rsp_sim_answers, answers ? answers->n : 0);
    for (size_t k = 0; answers && k < answers->n; k++) load_answer_shares(l, answers->keys[k], answers->items[k], s);
    s->n_organisation_level =
        rsp_bind_list(l, rsp_get(n, "organisation_level"), "'organisation_level'", &s->organisation_level);
    s->places = (size_t) rsp_get_number(n, "places", 0);
    load_numbers(l, rsp_get(n, "numbers"), s);
    s->free_text_share = rsp_get_number(rsp_get(n, "free_text"), "share", 0);
    s->free_text = rsp_get_text(rsp_get(n, "free_text"), "words");
    load_flaws(n, s);
}

/* ---- reports ---------------------------------------------------------------------------------------------------- */

static const rsp_analysis *find_analysis(const rsp_loader *l, const char *id) {
    for (size_t k = 0; k < l->s->n_analyses; k++)
        if (l->s->analyses[k].id && strcmp(l->s->analyses[k].id, id) == 0) return &l->s->analyses[k];
    return NULL;
}

static const rsp_analysis *bind_analysis(rsp_loader *l, const rsp_node *n, const char *where) {
    const rsp_analysis *found = find_analysis(l, n->text);
    if (found) return found;
    const char **ids = rsp_calloc(l->s->n_analyses + 1, sizeof *ids);
    size_t count = 0;
    for (size_t k = 0; k < l->s->n_analyses; k++)
        if (l->s->analyses[k].id) ids[count++] = l->s->analyses[k].id;
    RSP_FAULT(l, n->loc, rsp_did_you_mean(l, n->text, ids, count), "unknown analysis '%s' in %s", n->text, where);
    free(ids);
    return NULL;
}

/* Where a language of the study is misspelt, or none is named, nobody can say that another is not among them. */
static bool is_output_language(const rsp_loader *l, const char *tag) {
    const rsp_node *all = rsp_get(l->root, "languages");
    if (!l->s->n_languages || l->s->n_languages < rsp_values(all)) return true;
    for (size_t k = 0; k < l->s->n_languages; k++)
        if (strcmp(l->s->languages[k], tag) == 0) return true;
    return false;
}

static void check_language(rsp_loader *l, const rsp_node *n, bool each_country) {
    bool national = strcmp(n->text, "national") == 0;
    if (national && !each_country)
        RSP_FAULT(l, n->loc, "name the languages", "'national' goes with `for: each_country`");
    else if (national && !l->s->n_national)
        RSP_FAULT(l, n->loc, "add `national: {PL: pl, ...}`",
                  "the study does not say which language is national where");
    else if (!national && !is_output_language(l, n->text))
        RSP_FAULT(l, n->loc, rsp_did_you_mean(l, n->text, l->s->languages, l->s->n_languages),
                  "'%s' is no language of the study", n->text);
}

static rsp_edition load_edition(rsp_loader *l, const rsp_node *n, const char *where) {
    const rsp_node *languages = rsp_get(n, "languages"), *analyses = rsp_get(n, "analyses");
    const char *whom = rsp_get_text(n, "for"), *drivers = rsp_get_text(n, "drivers");
    rsp_edition x = {.each_country = whom && strcmp(whom, "each_country") == 0, .loc = n->loc};
    x.all_estimates = drivers ? strcmp(drivers, "all_estimates") == 0 : !x.each_country;
    if (x.each_country && l->s->roles.country == RSP_NONE && !l->blind)
        RSP_FAULT(l, rsp_get(n, "for")->loc, "name the country's variable in roles.country",
                  "%s for each country, but the study has no countries", where);
    x.languages = RSP_ARRAY(l->a, const char *, rsp_values(languages) + 1);
    for (size_t k = 0; k < rsp_values(languages); k++) {
        if (rsp_value_at(languages, k)->bad) continue;
        check_language(l, rsp_value_at(languages, k), x.each_country);
        x.languages[x.n_languages++] = rsp_value_at(languages, k)->text;
    }
    if (!languages && l->s->n_languages) x.languages[x.n_languages++] = l->s->languages[0];
    if (!analyses) return x;
    x.analyses = RSP_ARRAY(l->a, const char *, rsp_values(analyses));
    for (size_t k = 0; k < rsp_values(analyses); k++) {
        const rsp_node *id = rsp_value_at(analyses, k);
        if (!id->bad && bind_analysis(l, id, where)) x.analyses[x.n_analyses++] = id->text;
    }
    return x;
}

static rsp_edition *load_editions(rsp_loader *l, const rsp_node *n, const char *where, size_t *count) {
    rsp_edition *all = RSP_ARRAY(l->a, rsp_edition, n ? n->n : 1);
    *count = n ? n->n : 0;
    for (size_t k = 0; k < *count; k++) all[k] = load_edition(l, n->items[k], where);
    return all;
}

/* Without the key `reports` everybody gets one brief and one workbook in the default language. */
static void default_editions(rsp_loader *l, rsp_reports *r) {
    rsp_edition x = {.all_estimates = true,
                     .loc = {l->s->path, 0, 0},
                     .n_languages = l->s->n_languages ? 1 : 0,
                     .languages = l->s->languages};
    *r->briefs = *r->workbooks = x;
    r->n_briefs = r->n_workbooks = 1;
}

static bool is_kind(const rsp_node *kind, const char *word) { return strcmp(kind->text, word) == 0; }

static bool crossed_by_country(const rsp_loader *l, const rsp_table *t) {
    for (size_t b = 0; b < t->n_by; b++)
        if (t->by[b].n == 1 && t->by[b].variables[0] == l->s->roles.country) return true;
    return false;
}

static bool is_share(rsp_statistic s) { return s == RSP_PROPORTION || s == RSP_TOP2 || s == RSP_NET; }

static bool two_answers(const rsp_variable *v) {
    size_t n = 0;
    for (size_t k = 0; v->list && k < v->list->n; k++) n += !v->list->choices[k].missing;
    return v->type == RSP_SELECT_ONE && n == 2;
}

/* What each kind of chart asks of its table. */
static void check_table_chart(rsp_loader *l, const rsp_node *n, const rsp_node *kind, const rsp_analysis *a) {
    const rsp_table *t = &a->table;
    bool crossed = false;
    for (size_t b = 0; b < t->n_by; b++) crossed = crossed || t->by[b].n > 0;
    if ((is_kind(kind, "agreement") || is_kind(kind, "diverging")) && t->statistic != RSP_PROPORTION)
        RSP_FAULT(l, kind->loc, "use dots or heatmap", "an agreement chart shows proportions, table '%s' has none",
                  a->id);
    if (is_kind(kind, "upset") && t->statistic != RSP_COMBINATIONS)
        RSP_FAULT(l, kind->loc, "give the table `statistic: combinations`",
                  "an upset chart shows combinations of choices, table '%s' has none", a->id);
    if (is_kind(kind, "ranking") && t->statistic != RSP_RANKING)
        RSP_FAULT(l, kind->loc, "give the table `statistic: ranking`",
                  "a ranking chart shows the choices of a rank, table '%s' has none", a->id);
    if ((is_kind(kind, "slope") || is_kind(kind, "multiples")) && !crossed)
        RSP_FAULT(l, kind->loc, "cross the table by the wave: `by: [[wave]]`",
                  "a chart of kind '%s' shows change, table '%s' has no groups", kind->text, a->id);
    if (!is_kind(kind, "tiles")) return;
    if (t->statistic == RSP_COMBINATIONS || t->statistic == RSP_RANKING || t->statistic == RSP_COUNT ||
        (t->statistic == RSP_PROPORTION && t->n_items && !two_answers(rsp_var(l, t->items[0]))))
        RSP_FAULT(l, kind->loc, "use statistic top2, net or mean",
                  "tiles show one number a country, table '%s' has more", a->id);
    if (l->s->roles.country == RSP_NONE || !crossed_by_country(l, t))
        RSP_FAULT(l, kind->loc, "add the country's variable to `by`", "tiles show countries, table '%s' has none",
                  a->id);
    if (!rsp_node_find(n, "limits") && !is_share(t->statistic))
        RSP_FAULT(l, kind->loc, "add `limits: [20, 40, 60, 80]`",
                  "the classes of tiles of '%s' are not known: they stay the same from night to night", a->id);
}

static bool are_correlations(const rsp_analysis *a) {
    return a->kind == RSP_A_EXPLORATION && a->exploration.kind == RSP_EXPLORE_CORRELATIONS;
}

static void check_correlations_chart(rsp_loader *l, const rsp_node *kind, const rsp_analysis *a) {
    if (!is_kind(kind, "heatmap"))
        RSP_FAULT(l, kind->loc, "use heatmap", "a chart of kind '%s' cannot show correlations '%s'", kind->text, a->id);
    else if (a->exploration.n_items > RSP_MOST_CORRELATED)
        RSP_FAULT(l, kind->loc, "make one analysis of fewer items for the chart",
                  "a heat map shows the correlations of at most %d items, '%s' has %zu", RSP_MOST_CORRELATED, a->id,
                  a->exploration.n_items);
}

/* A quadrant places factors by their net rating, which numbers have only beside a neutral value. */
static bool has_ratings(const rsp_loader *l, const rsp_drivers *d) {
    bool any = !isnan(d->neutral) || !d->n_factors;
    for (size_t k = 0; k < d->n_factors; k++) any = any || rsp_var(l, d->factors[k])->list;
    return any;
}

static void check_chart(rsp_loader *l, const rsp_node *n, const rsp_node *kind, const rsp_analysis *a) {
    bool model = a->kind == RSP_A_MODEL;
    if (are_correlations(a)) check_correlations_chart(l, kind, a);
    else if (!model && a->kind != RSP_A_TABLE)
        RSP_FAULT(l, kind->loc, "name a table, a regression or correlations",
                  "analysis '%s' makes no chart of kind '%s'", a->id, kind->text);
    else if (is_kind(kind, "quadrant") && (!model || a->model.kind != RSP_DRIVERS_MODEL))
        RSP_FAULT(l, kind->loc, model ? "use forest" : "use agreement, dots, heatmap or another of tables",
                  "a quadrant shows models of kind 'drivers', which '%s' is not", a->id);
    else if (is_kind(kind, "quadrant") && !has_ratings(l, &a->model.drivers))
        RSP_FAULT(l, kind->loc, "say in the model which value neither enables nor blocks, as in `neutral: 3`",
                  "a quadrant needs a neutral value: all factors of '%s' are numbers", a->id);
    else if (!is_kind(kind, "quadrant") && model != is_kind(kind, "forest"))
        RSP_FAULT(l, kind->loc,
                  model ? "use forest" : "forest is for models: use agreement, dots, heatmap or another of tables",
                  "a chart of kind '%s' cannot show %s '%s'", kind->text, model ? "model" : "table", a->id);
    else if (!model) check_table_chart(l, n, kind, a);
}

/* The weights are no analysis of the study's, and a histogram shows nothing else. */
static bool check_histogram(rsp_loader *l, const rsp_node *id, const rsp_node *kind) {
    bool weights = strcmp(id->text, "weights") == 0, histogram = is_kind(kind, "histogram");
    if (weights != histogram)
        RSP_FAULT(l, kind->loc, "write `{analysis: weights, kind: histogram}`",
                  histogram ? "a histogram shows the weights alone" : "weights are shown as a histogram alone");
    return weights && histogram;
}

static void load_tiles(rsp_loader *l, const rsp_node *n, const rsp_node *kind, const rsp_analysis *a,
                       rsp_chart_spec *x) {
    const rsp_node *item = rsp_get(n, "item"), *limits = rsp_get(n, "limits");
    bool tiles = is_kind(kind, "tiles"), found = !item;
    double *values = RSP_ARRAY(l->a, double, rsp_values(limits));
    x->item = item ? rsp_bind(l, item, "a chart") : RSP_NONE;
    for (size_t k = 0; !found && k < a->table.n_items; k++) found = a->table.items[k] == x->item;
    if (!tiles && (item || limits))
        RSP_FAULT(l, (item ? item : limits)->loc, NULL, "'%s' goes with tiles alone", item ? "item" : "limits");
    else if (!found && x->item != RSP_NONE)
        RSP_FAULT(l, item->loc, NULL, "table '%s' has no item '%s'", a->id, item->text);
    if (rsp_values(limits) > 4) RSP_FAULT(l, limits->loc, NULL, "at most four limits make five classes");
    for (size_t k = 0; k < rsp_values(limits); k++) {
        if (rsp_value_at(limits, k)->bad) continue;
        values[x->n_limits] = rsp_node_number(rsp_value_at(limits, k));
        if (x->n_limits && !(values[x->n_limits] > values[x->n_limits - 1]))
            RSP_FAULT(l, limits->loc, NULL, "limits ascend");
        x->n_limits++;
    }
    x->limits = values;
}

static void load_charts(rsp_loader *l, const rsp_node *n, rsp_reports *r) {
    r->charts = RSP_ARRAY(l->a, rsp_chart_spec, n ? n->n : 0);
    for (size_t k = 0; n && k < n->n; k++) {
        const rsp_node *id = rsp_get(n->items[k], "analysis"), *kind = rsp_get(n->items[k], "kind");
        if (!id || !kind) continue;
        rsp_chart_spec x = {.analysis = id->text,
                            .kind = kind->text,
                            .title = rsp_read_words(l, rsp_get(n->items[k], "title")),
                            .item = RSP_NONE,
                            .loc = id->loc};
        if (strcmp(id->text, "weights") == 0 || is_kind(kind, "histogram")) {
            if (check_histogram(l, id, kind)) r->charts[r->n_charts++] = x;
            continue;
        }
        const rsp_analysis *a = bind_analysis(l, id, "a chart");
        if (!a) continue;
        check_chart(l, n->items[k], kind, a);
        if (a->kind == RSP_A_TABLE) load_tiles(l, n->items[k], kind, a, &x);
        r->charts[r->n_charts++] = x;
    }
}

void rsp_load_reports(rsp_loader *l) {
    const rsp_node *n = rsp_get(l->root, "reports");
    rsp_reports *r = &l->s->reports;
    r->briefs = load_editions(l, rsp_get(n, "briefs"), "a brief", &r->n_briefs);
    r->workbooks = load_editions(l, rsp_get(n, "workbooks"), "a workbook", &r->n_workbooks);
    if (!rsp_node_find(l->root, "reports")) default_editions(l, r);
    load_charts(l, rsp_get(n, "charts"), r);
}
