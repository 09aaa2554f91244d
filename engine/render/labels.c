#include "labels.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct rsp_labels {
    const rsp_study *study;
    const rsp_texts *texts;
    rsp_texts *own; /* the same, where they go with these labels */
    const char *lang;
    rsp_map *variables; /* name -> index */
    rsp_map *analyses;  /* id -> index */
    rsp_map *rules;     /* id -> index */
    uint8_t *ambiguous; /* per variable: its choices do not say what they are about */
    bool one_country;
};

/* A list that several questions share (yes, no) does not tell by itself which of them a label belongs to. */
static uint8_t *find_ambiguous(const rsp_study *s) {
    uint8_t *ambiguous = rsp_calloc(s->n_variables + 1, 1);
    for (size_t j = 0; j < s->n_variables; j++) {
        const rsp_list *list = s->variables[j].list;
        ambiguous[j] = list == NULL;
        for (size_t k = 0; list && k < s->n_variables; k++)
            if (k != j && s->variables[k].list == list && s->variables[k].part_of == RSP_NONE) ambiguous[j] = 1;
    }
    return ambiguous;
}

rsp_labels *rsp_labels_new(const rsp_study *s, const rsp_texts *t) {
    rsp_labels *l = rsp_calloc(1, sizeof *l);
    *l = (rsp_labels){.study = s,
                      .texts = t,
                      .lang = rsp_texts_lang(t),
                      .variables = rsp_map_new(),
                      .analyses = rsp_map_new(),
                      .rules = rsp_map_new(),
                      .ambiguous = find_ambiguous(s)};
    for (size_t k = 0; k < s->n_variables; k++) rsp_map_put(l->variables, s->variables[k].name, k);
    for (size_t k = 0; k < s->n_analyses; k++) rsp_map_put(l->analyses, s->analyses[k].id, k);
    for (size_t k = 0; k < s->n_rules; k++) rsp_map_put(l->rules, s->rules[k].id, k);
    return l;
}

void rsp_labels_free(rsp_labels *l) {
    if (!l) return;
    rsp_map_free(l->variables);
    rsp_map_free(l->analyses);
    rsp_map_free(l->rules);
    free(l->ambiguous);
    rsp_texts_free(l->own);
    free(l);
}

rsp_labels *rsp_labels_open(const rsp_study *s, const char *lang, rsp_diag *d) {
    rsp_texts *t = rsp_texts_load(lang, d);
    if (!t || !rsp_texts_cover(t, s, d)) {
        rsp_texts_free(t);
        return NULL;
    }
    rsp_labels *l = rsp_labels_new(s, t);
    l->own = t;
    return l;
}

const rsp_labels *rsp_labels_in(const rsp_publication *p, const char *lang) {
    for (size_t k = 0; k < p->n_languages; k++)
        if (strcmp(p->languages[k], lang) == 0) return p->labels[k];
    return NULL;
}

const rsp_texts *rsp_labels_texts(const rsp_labels *l) { return l->texts; }

const rsp_study *rsp_labels_study(const rsp_labels *l) { return l->study; }

const rsp_analysis *rsp_label_find(const rsp_labels *l, const char *id) {
    size_t k = rsp_map_get(l->analyses, id);
    return k == RSP_NONE ? NULL : &l->study->analyses[k];
}

const char *rsp_label_publisher(const rsp_labels *l, rsp_arena *a) {
    const char *publisher = rsp_text_in(&l->study->publication.publisher, l->lang);
    return publisher ? publisher : rsp_say(l->texts, a, "publisher_unnamed", NULL, 0);
}

const char *rsp_label_study(const rsp_labels *l) {
    const char *title = rsp_text_in(&l->study->title, l->lang);
    return title ? title : l->study->id;
}

/* ---- codes ------------------------------------------------------------------------------------------------------ */

static const char *variable_label(const rsp_labels *l, size_t v) { return rsp_variable_label(l->study, v, l->lang); }

const char *rsp_label_code(const rsp_labels *l, size_t variable, const char *code) {
    const rsp_list *list = variable == RSP_NONE ? NULL : l->study->variables[variable].list;
    size_t k = list ? rsp_list_find(list, code) : RSP_NONE;
    return k == RSP_NONE ? code : rsp_choice_label(list, k, l->lang);
}

const char *rsp_label_country(const rsp_labels *l, const char *code) {
    return rsp_label_code(l, l->study->roles.country, code);
}

const char *rsp_label_in_country(const rsp_labels *l, rsp_arena *a, const char *code) {
    const char *key = rsp_printf(a, "in_country.%s", code);
    if (!rsp_texts_has(l->texts, key)) key = "in_country.other";
    return rsp_say(l->texts, a, key, (rsp_arg[]){{"country", rsp_label_country(l, code), 0}}, 1);
}

static const char *with_variable(const rsp_labels *l, rsp_arena *a, const char *variable, const char *value) {
    return rsp_say(l->texts, a, "term_category", (rsp_arg[]){{"variable", variable, 0}, {"category", value, 0}}, 2);
}

/* `variable=code`; always: also where the code alone would do. */
static const char *pair_label(const rsp_labels *l, rsp_arena *a, const char *pair, size_t length, bool always) {
    const char *equals = memchr(pair, '=', length);
    if (!equals) return rsp_strndup(a, pair, length);
    const char *code = rsp_strndup(a, equals + 1, length - (size_t) (equals + 1 - pair));
    size_t v = rsp_map_get_n(l->variables, pair, (size_t) (equals - pair));
    if (v == RSP_NONE) return with_variable(l, a, rsp_strndup(a, pair, (size_t) (equals - pair)), code);
    const char *label = rsp_label_code(l, v, code);
    return always || l->ambiguous[v] ? with_variable(l, a, variable_label(l, v), label) : label;
}

void rsp_labels_count_countries(rsp_labels *l, const rsp_published *p) {
    size_t from, to, n = 0;
    if (!rsp_published_range(p, "response", &from, &to)) return;
    for (size_t i = from; i < to; i++) {
        const rsp_published_row *r = rsp_published_at(p, i);
        n += *r->domain && strcmp(r->term, "kept") == 0 && r->estimate != 0; /* a hidden count is not zero */
    }
    l->one_country = n == 1;
}

bool rsp_label_one_country(const rsp_labels *l) { return l->one_country; }

bool rsp_label_is_average(const rsp_labels *l) {
    return l->study->roles.country != RSP_NONE && !l->one_country && l->study->weighting.scale == RSP_SCALE_EQUAL;
}

static const char *everybody(const rsp_labels *l, rsp_arena *a) {
    bool countries = l->study->roles.country != RSP_NONE && !l->one_country;
    if (rsp_label_is_average(l)) return rsp_say(l->texts, a, "average_of_countries", NULL, 0);
    if (countries && l->study->weighting.scale == RSP_SCALE_POPULATION)
        return rsp_say(l->texts, a, "all_countries", NULL, 0);
    return rsp_say(l->texts, a, "everybody", NULL, 0);
}

const char *rsp_label_who(const rsp_labels *l, rsp_arena *a, const rsp_published_row *row) {
    if (!*row->domain && strcmp(row->statistic, "count") == 0) return rsp_say(l->texts, a, "everybody", NULL, 0);
    return rsp_label_domain(l, a, row->domain);
}

const char *rsp_label_domain(const rsp_labels *l, rsp_arena *a, const char *domain) {
    if (!*domain) return everybody(l, a);
    const char *label = NULL;
    for (const char *p = domain; *p;) {
        size_t length = strcspn(p, ";");
        const char *one = pair_label(l, a, p, length, false);
        label = label ? rsp_printf(a, "%s, %s", label, one) : one;
        p += length + (p[length] == ';');
    }
    return label ? label : domain;
}

/* ---- terms ------------------------------------------------------------------------------------------------------ */

/* A variable's name, `variable=code`, or what R prints for arithmetic: then as it stands. */
static const char *factor_label(const rsp_labels *l, rsp_arena *a, const char *term, size_t length) {
    size_t v = rsp_map_get_n(l->variables, term, length);
    return v == RSP_NONE ? pair_label(l, a, term, length, true) : variable_label(l, v);
}

static const char *interaction_label(const rsp_labels *l, rsp_arena *a, const char *term) {
    const char *label = NULL;
    for (const char *p = term; *p;) {
        size_t length = strcspn(p, ":");
        const char *one = factor_label(l, a, p, length);
        label = label ? rsp_printf(a, "%s \u00d7 %s", label, one) : one;
        p += length + (p[length] == ':');
    }
    return label ? label : term;
}

/* Codes of the outcome on the two sides of a threshold. */
static const char *threshold_label(const rsp_labels *l, rsp_arena *a, const rsp_published_row *row, const char *bar) {
    const rsp_analysis *x = rsp_label_find(l, row->analysis);
    size_t v = RSP_NONE;
    if (x && x->kind == RSP_A_MODEL && x->model.formula && x->model.formula->response)
        v = rsp_map_get(l->variables, x->model.formula->response->text);
    const char *below = rsp_label_code(l, v, rsp_strndup(a, row->term, (size_t) (bar - row->term)));
    return rsp_printf(a, "%s | %s", below, rsp_label_code(l, v, bar + 1));
}

static const char *own_term(const rsp_labels *l, rsp_arena *a, const rsp_published_row *row) {
    static const char *const stages[] = {"read", "kept", "set_aside"};
    for (size_t k = 0; k < 3; k++)
        if (strcmp(row->term, stages[k]) == 0)
            return rsp_say(l->texts, a, rsp_printf(a, "quality_%s", stages[k]), NULL, 0);
    size_t k = rsp_map_get(l->rules, row->term);
    if (strcmp(row->analysis, "cleaning") != 0 || k == RSP_NONE) return NULL;
    const char *label = rsp_text_in(&l->study->rules[k].label, l->lang);
    return label ? label : row->term;
}

/* Its term is a statement of a factor model's syntax, its level a word of the engine. */
static bool of_modification(const rsp_published_row *row) {
    return strncmp(row->statistic, "modification_index", 18) == 0 ||
           strncmp(row->statistic, "expected_change", 15) == 0;
}

const char *rsp_label_term(const rsp_labels *l, rsp_arena *a, const rsp_published_row *row) {
    const char *term = row->term, *bar = strchr(term, '|'), *slash = strchr(term, '/');
    if (!*term) return "";
    if (of_modification(row)) return term;
    if (!rsp_label_find(l, row->analysis)) {
        const char *own = own_term(l, a, row);
        if (own) return own;
    }
    size_t v = rsp_map_get(l->variables, term);
    if (v != RSP_NONE) return variable_label(l, v);
    if (strcmp(term, "(Intercept)") == 0) return rsp_say(l->texts, a, "label_intercept", NULL, 0);
    if (strcmp(row->statistic, "threshold") == 0 && bar) return threshold_label(l, a, row, bar);
    if (slash && rsp_map_get_n(l->variables, term, (size_t) (slash - term)) != RSP_NONE)
        return rsp_printf(a, "%s / %s", factor_label(l, a, term, (size_t) (slash - term)),
                          factor_label(l, a, slash + 1, strlen(slash + 1)));
    return interaction_label(l, a, term);
}

/* ---- levels ----------------------------------------------------------------------------------------------------- */

static bool has_code(const rsp_study *s, size_t v, const char *code) {
    return s->variables[v].list && rsp_list_find(s->variables[v].list, code) != RSP_NONE;
}

/* A list's code, or any text where the variable has no list. */
static bool may_be_code(const rsp_study *s, size_t v, const char *code) {
    return *code && (!s->variables[v].list || has_code(s, v, code));
}

/* Tries every hyphen: the one with a code of v on either side is meant. */
static bool split_sides(const rsp_labels *l, rsp_arena *a, size_t v, const char *level, rsp_sides *out) {
    for (const char *h = strchr(level, '-'); h; h = strchr(h + 1, '-')) {
        const char *first = rsp_strndup(a, level, (size_t) (h - level));
        bool average = v == l->study->roles.country && strcmp(h + 1, "average") == 0;
        if (!may_be_code(l->study, v, first) || (!average && !may_be_code(l->study, v, h + 1))) continue;
        *out = (rsp_sides){v, first, average ? NULL : rsp_strdup(a, h + 1)};
        return true;
    }
    return false;
}

static size_t count_pairs(const char *domain) {
    size_t n = *domain != 0;
    for (; *domain; domain++) n += *domain == ';';
    return n;
}

/* The levels compared are those of the crossing's last variable; the row's domain holds the others. */
rsp_sides rsp_label_sides(const rsp_labels *l, rsp_arena *a, const rsp_published_row *row) {
    rsp_sides sides = {RSP_NONE, NULL, NULL};
    const rsp_analysis *x = rsp_label_find(l, row->analysis);
    if (!x || x->kind != RSP_A_TABLE) return sides;
    for (size_t b = 0; b < x->table.n_by; b++) {
        const rsp_crossing *by = &x->table.by[b];
        if (by->n != count_pairs(row->domain) + 1) continue;
        if (split_sides(l, a, by->variables[by->n - 1], row->level, &sides)) return sides;
    }
    return sides;
}

static const char *difference_label(const rsp_labels *l, rsp_arena *a, const rsp_published_row *row) {
    rsp_sides s = rsp_label_sides(l, a, row);
    if (s.variable == RSP_NONE) return row->level;
    const char *first = rsp_label_code(l, s.variable, s.first);
    const char *second =
        s.second ? rsp_label_code(l, s.variable, s.second) : rsp_say(l->texts, a, "average_of_countries", NULL, 0);
    const char *sides =
        rsp_say(l->texts, a, "label_difference", (rsp_arg[]){{"first", first, 0}, {"second", second, 0}}, 2);
    return l->ambiguous[s.variable] ? with_variable(l, a, variable_label(l, s.variable), sides) : sides;
}

/* Codes of a margin: one, or `x:y` for a crossing `a:b`. */
static const char *margin_label(const rsp_labels *l, rsp_arena *a, const rsp_published_row *row) {
    const char *label = NULL, *names = row->term;
    for (const char *p = row->level; *p;) {
        size_t length = strcspn(p, ":"), name = strcspn(names, ":");
        const char *one = rsp_label_code(l, rsp_map_get_n(l->variables, names, name), rsp_strndup(a, p, length));
        label = label ? rsp_printf(a, "%s, %s", label, one) : one;
        p += length + (p[length] == ':');
        names += name + (names[name] == ':');
    }
    return label ? label : "";
}

/* A multinomial model's level is a code of its outcome. */
static const char *category_label(const rsp_labels *l, const rsp_published_row *row) {
    const rsp_analysis *x = rsp_label_find(l, row->analysis);
    size_t v = RSP_NONE;
    if (x && x->kind == RSP_A_MODEL && x->model.formula && x->model.formula->response)
        v = rsp_map_get(l->variables, x->model.formula->response->text);
    return v != RSP_NONE && has_code(l->study, v, row->level) ? rsp_label_code(l, v, row->level) : row->level;
}

/* Codes joined by blanks: those ticked together, nothing for nobody's, `*` for all without a level of their own. */
static const char *combination_label(const rsp_labels *l, rsp_arena *a, const rsp_published_row *row) {
    size_t v = rsp_map_get(l->variables, row->term);
    const char *label = NULL;
    if (strcmp(row->level, "*") == 0) return rsp_say(l->texts, a, "label_other_combinations", NULL, 0);
    for (const char *p = row->level; *p && v != RSP_NONE;) {
        size_t length = strcspn(p, " ");
        const char *one = rsp_label_code(l, v, rsp_strndup(a, p, length));
        label = label ? rsp_printf(a, "%s + %s", label, one) : one;
        p += length + (p[length] == ' ');
    }
    return label ? label : rsp_say(l->texts, a, "label_no_choice", NULL, 0);
}

/* Two choices of a ranking. */
static const char *choices_label(const rsp_labels *l, rsp_arena *a, const rsp_published_row *row) {
    size_t v = rsp_map_get(l->variables, row->term);
    rsp_sides s;
    if (v == RSP_NONE || !split_sides(l, a, v, row->level, &s)) return row->level;
    return rsp_say(
        l->texts, a, "label_difference",
        (rsp_arg[]){{"first", rsp_label_code(l, v, s.first), 0}, {"second", rsp_label_code(l, v, s.second), 0}}, 2);
}

/* The engine's own words: a verdict, a rung, what was released (`intercept:ITEM`); NULL for what is none of these. */
static const char *own_level(const rsp_labels *l, rsp_arena *a, const char *level) {
    size_t length = strcspn(level, ":");
    const char *key = rsp_printf(a, "level_%.*s", (int) length, level);
    if (!rsp_texts_has(l->texts, key)) return NULL;
    const char *word = rsp_say(l->texts, a, key, NULL, 0);
    size_t item = level[length] ? rsp_map_get(l->variables, level + length + 1) : RSP_NONE;
    return item == RSP_NONE ? word : with_variable(l, a, word, variable_label(l, item));
}

/* NULL: none; a publication before may hold a level of another version. */
static const char *words_for(const rsp_labels *l, rsp_arena *a, const char *what, const char *level) {
    const char *key = rsp_printf(a, "%s_%s", what, level);
    return rsp_texts_has(l->texts, key) ? rsp_say(l->texts, a, key, NULL, 0) : NULL;
}

/* Words of roles and verdicts; what was changed for an estimate, what was left out. NULL: another kind of level. */
static const char *drivers_level(const rsp_labels *l, rsp_arena *a, const rsp_published_row *row) {
    const rsp_analysis *x = rsp_label_find(l, row->analysis);
    if (!x || x->kind != RSP_A_MODEL) return NULL;
    if (strcmp(row->statistic, "verdict") == 0 || strcmp(row->statistic, "role") == 0)
        return words_for(l, a, row->statistic, row->level);
    if (strcmp(row->statistic, "coefficient_without") == 0) {
        if (!strchr(row->level, '=')) return words_for(l, a, "level", row->level);
        return rsp_say(l->texts, a, "level_without", (rsp_arg[]){{"who", rsp_label_domain(l, a, row->level), 0}}, 1);
    }
    if (strcmp(row->statistic, "pooled_without") != 0 || x->model.across == RSP_NONE) return NULL;
    if (!has_code(l->study, x->model.across, row->level)) return NULL;
    return rsp_say(l->texts, a, "level_without",
                   (rsp_arg[]){{"who", rsp_label_code(l, x->model.across, row->level), 0}}, 1);
}

/* Two answers that are published together. */
static const char *pair_of_answers(const rsp_labels *l, rsp_arena *a, const rsp_published_row *row) {
    size_t v = rsp_map_get(l->variables, row->term), first = strcspn(row->level, " ");
    if (v == RSP_NONE || !row->level[first]) return row->level;
    return rsp_printf(a, "%s / %s", rsp_label_code(l, v, rsp_strndup(a, row->level, first)),
                      rsp_label_code(l, v, row->level + first + 1));
}

const char *rsp_label_level(const rsp_labels *l, rsp_arena *a, const rsp_published_row *row) {
    double p;
    if (strcmp(row->statistic, "combination") == 0) return combination_label(l, a, row);
    if (!*row->level) return "";
    if (strcmp(row->statistic, "choice_difference") == 0) return choices_label(l, a, row);
    if (strcmp(row->statistic, "proportion_collapsed") == 0) return pair_of_answers(l, a, row);
    const rsp_analysis *x = rsp_label_find(l, row->analysis);
    bool words = of_modification(row) || (x && (x->kind == RSP_A_INVARIANCE || x->kind == RSP_A_SCALE));
    const char *own = words ? own_level(l, a, row->level) : NULL;
    if (own) return own;
    if (strcmp(row->statistic, "difference") == 0) return difference_label(l, a, row);
    if (strcmp(row->statistic, "margin_gap") == 0) return margin_label(l, a, row);
    if (strcmp(row->statistic, "coefficient") == 0) return category_label(l, row);
    const char *of_drivers = drivers_level(l, a, row);
    if (of_drivers) return of_drivers;
    if (strcmp(row->statistic, "quantile") == 0 && rsp_parse_double(row->level, strlen(row->level), '.', &p))
        return rsp_label_number(l, a, p, RSP_AS_SHARE);
    if (strcmp(row->analysis, "cleaning") == 0 && strcmp(row->level, "cells") == 0)
        return rsp_say(l->texts, a, "quality_cells", NULL, 0);
    size_t v = rsp_map_get(l->variables, row->term);
    if (v != RSP_NONE && has_code(l->study, v, row->level)) return rsp_label_code(l, v, row->level);
    size_t item = rsp_map_get(l->variables, row->level);
    return item == RSP_NONE ? row->level : variable_label(l, item);
}

/* ---- statistics and analyses ------------------------------------------------------------------------------------ */

/* Standardised forms of a statistic without a word of their own take the statistic's. */
const char *rsp_label_statistic(const rsp_labels *l, rsp_arena *a, const char *statistic) {
    static const char *const forms[] = {"std_lv_", "std_"};
    const char *key = rsp_printf(a, "statistic_%s", statistic);
    if (rsp_texts_has(l->texts, key)) return rsp_say(l->texts, a, key, NULL, 0);
    for (size_t k = 0; k < 2; k++) {
        size_t n = strlen(forms[k]);
        if (strncmp(statistic, forms[k], n) != 0) continue;
        return rsp_say(l->texts, a, k ? "statistic_std" : "statistic_std_lv",
                       (rsp_arg[]){{"what", rsp_label_statistic(l, a, statistic + n), 0}}, 1);
    }
    return statistic;
}

bool rsp_label_rates(const rsp_labels *l, const char *analysis) {
    const rsp_analysis *x = rsp_label_find(l, analysis);
    if (!x) return false;
    return x->kind == RSP_A_TABLE ? x->table.rating : x->kind == RSP_A_MODEL && x->model.kind == RSP_DRIVERS_MODEL;
}

const char *rsp_label_statistic_of(const rsp_labels *l, rsp_arena *a, const char *analysis, const char *statistic) {
    bool rating = strcmp(statistic, "net") == 0 && rsp_label_rates(l, analysis);
    return rsp_label_statistic(l, a, rating ? "net_rating" : statistic);
}

const char *rsp_label_table_statistic(const rsp_analysis *x) {
    rsp_statistic s = x->table.statistic;
    return rsp_statistic_word(s == RSP_COMBINATIONS || s == RSP_RANKING ? RSP_PROPORTION : s);
}

static const char *outcome_label(const rsp_labels *l, rsp_arena *a, const rsp_analysis *x) {
    const rsp_fexpr *y = x->model.formula ? x->model.formula->response : NULL;
    return y ? factor_label(l, a, y->text, strlen(y->text)) : x->id;
}

/* The items of a table or a scale: the first, and how many more. */
static const char *items_label(const rsp_labels *l, rsp_arena *a, size_t n, const size_t *items, const char *id) {
    if (!n) return id;
    const char *first = variable_label(l, items[0]);
    return n == 1 ? first
                  : rsp_say(l->texts, a, "title_items",
                            (rsp_arg[]){{"first", first, 0}, {"more", NULL, (double) (n - 1)}}, 2);
}

static const char *composed_title(const rsp_labels *l, rsp_arena *a, const rsp_analysis *x) {
    switch (x->kind) {
    case RSP_A_TABLE:
        if (x->table.statistic == RSP_RATIO)
            return rsp_printf(a, "%s / %s", variable_label(l, x->table.numerator),
                              variable_label(l, x->table.denominator));
        return items_label(l, a, x->table.n_items, x->table.items, x->id);
    case RSP_A_SCALE: return x->scale.name ? x->scale.name : x->id;
    case RSP_A_FACTOR:
    case RSP_A_INVARIANCE:
    case RSP_A_EXPLORATION: return x->id;
    case RSP_A_TEST:
        return rsp_printf(a, "%s \u00d7 %s", variable_label(l, x->test.rows), variable_label(l, x->test.columns));
    case RSP_A_MODEL:
        return rsp_say(l->texts, a, "title_outcome", (rsp_arg[]){{"outcome", outcome_label(l, a, x), 0}}, 1);
    }
    return x->id;
}

const char *rsp_label_analysis(const rsp_labels *l, rsp_arena *a, const char *id) {
    const rsp_analysis *x = rsp_label_find(l, id);
    if (!x) {
        const char *key = rsp_printf(a, "analysis_%s", id);
        return rsp_texts_has(l->texts, key) ? rsp_say(l->texts, a, key, NULL, 0) : id;
    }
    const char *title = rsp_text_in(&x->title, l->lang);
    return title ? title : composed_title(l, a, x);
}

const char *rsp_label_measure(const rsp_labels *l, rsp_arena *a, const char *id) {
    static const char *const tests[] = {[RSP_TEST_RAO_SCOTT] = "rao_scott_f",
                                        [RSP_TEST_T] = "t",
                                        [RSP_TEST_WALD] = "wald_f",
                                        [RSP_TEST_KRUSKAL] = "kruskal_f"};
    const rsp_analysis *x = rsp_label_find(l, id);
    if (!x) return "";
    switch (x->kind) {
    case RSP_A_TABLE: return rsp_label_statistic_of(l, a, id, rsp_label_table_statistic(x));
    case RSP_A_TEST: return rsp_label_statistic(l, a, tests[x->test.kind]);
    case RSP_A_SCALE: return rsp_label_statistic(l, a, "alpha");
    case RSP_A_FACTOR: return rsp_label_statistic(l, a, "loading");
    case RSP_A_INVARIANCE: return rsp_label_statistic(l, a, "verdict");
    case RSP_A_EXPLORATION:
        return rsp_label_statistic(l, a,
                                   x->exploration.kind == RSP_EXPLORE_FACTORS    ? "loading"
                                   : x->exploration.kind == RSP_EXPLORE_PARALLEL ? "eigenvalue"
                                                                                 : "correlation");
    case RSP_A_MODEL:
        return rsp_label_statistic(l, a, x->model.kind == RSP_DRIVERS_MODEL ? "coefficient_std" : "coefficient");
    }
    return "";
}

/* ---- numbers and flags ------------------------------------------------------------------------------------------ */

static bool one_of(const char *word, const char *const *words) {
    for (; *words; words++)
        if (strcmp(word, *words) == 0) return true;
    return false;
}

/* A gap is in the margin's own unit: shares, or counts. */
static bool margin_of_counts(const rsp_study *s, const char *margin) {
    for (size_t k = 0; k < s->weighting.n_margins; k++)
        if (strcmp(s->weighting.margins[k].name, margin) == 0) return s->weighting.margins[k].counts;
    return false;
}

const char *rsp_label_row(const rsp_labels *l, rsp_arena *a, const rsp_published_row *row) {
    const char *parts[] = {rsp_label_analysis(l, a, row->analysis), rsp_label_who(l, a, row),
                           *row->term ? rsp_label_term(l, a, row) : "", rsp_label_level(l, a, row)};
    const char *name = parts[0];
    for (size_t k = 1; k < sizeof parts / sizeof *parts; k++)
        if (*parts[k]) name = rsp_printf(a, "%s \u00b7 %s", name, parts[k]);
    return name;
}

/* Statistics by what their numbers are; those in none of the lists have the unit of their item. */
static const char *const SHARES[] = {"proportion",
                                     "proportion_missing",
                                     "proportion_collapsed",
                                     "top2",
                                     "net",
                                     "combination",
                                     "choice_difference",
                                     "noninvariant_share",
                                     "variance_explained",
                                     "explained",
                                     "explained_share",
                                     NULL};
static const char *const RATIOS[] = {"coefficient",
                                     "odds_ratio",
                                     "rate_ratio",
                                     "threshold",
                                     "r_squared",
                                     "alpha",
                                     "omega",
                                     "item_rest",
                                     "loading",
                                     "variance",
                                     "covariance",
                                     "intercept",
                                     "cfi",
                                     "cfi_robust",
                                     "tli",
                                     "tli_robust",
                                     "rmsea",
                                     "rmsea_robust",
                                     "srmr",
                                     "theta",
                                     "icc",
                                     "pooled",
                                     "prediction",
                                     "tau2",
                                     "i2",
                                     "rao_scott_f",
                                     "t",
                                     "wald_f",
                                     "kruskal_f",
                                     "ratio",
                                     "deff_kish",
                                     "weight_min",
                                     "weight_max",
                                     "marginal_effect",
                                     "predicted",
                                     "fmi",
                                     "verdict",
                                     "role",
                                     "r_squared_controls",
                                     "coefficient_std",
                                     "coefficient_alone",
                                     "coefficient_multilevel",
                                     "coefficient_without",
                                     "coefficient_range",
                                     "pooled_without",
                                     "pooled_range",
                                     "alpha_if_dropped",
                                     "delta_cfi",
                                     "delta_rmsea",
                                     "delta_srmr",
                                     "mean_shift",
                                     "latent_mean",
                                     "latent_variance",
                                     "dmacs",
                                     "icc1",
                                     "icc2",
                                     "r_wg_j",
                                     "correlation",
                                     "correlation_rank",
                                     "correlation_polychoric",
                                     "eigenvalue",
                                     "communality",
                                     "eigenvalue_random",
                                     NULL};
static const char *const COUNTS[] = {"count", "factors", "group_size", "groups", "opposite_sign", "opposite_sign_clear",
                                     NULL};

rsp_as rsp_label_as(const rsp_labels *l, const rsp_published_row *row) {
    if (strncmp(row->statistic, "std_", 4) == 0 || strncmp(row->statistic, "expected_change", 15) == 0)
        return RSP_AS_RATIO;
    if (one_of(row->statistic, COUNTS)) return RSP_AS_COUNT;
    if (strcmp(row->statistic, "margin_gap") == 0)
        return margin_of_counts(l->study, row->term) ? RSP_AS_NUMBER : RSP_AS_SHARE;
    if (one_of(row->statistic, SHARES)) return RSP_AS_SHARE;
    if (one_of(row->statistic, RATIOS)) return RSP_AS_RATIO;
    const rsp_analysis *x = rsp_label_find(l, row->analysis);
    if (strcmp(row->statistic, "difference") == 0 && x && x->kind == RSP_A_TABLE)
        return one_of(rsp_label_table_statistic(x), SHARES) ? RSP_AS_SHARE : RSP_AS_NUMBER;
    return RSP_AS_NUMBER;
}

const char *rsp_value_number(const rsp_texts *t, rsp_arena *a, double x, rsp_as as) {
    double size = fabs(x);
    switch (as) {
    case RSP_AS_SHARE: return rsp_say_percent(t, a, x, 1);
    case RSP_AS_COUNT: return rsp_say_number(t, a, x, 0);
    case RSP_AS_RATIO:
    case RSP_AS_P: return rsp_say_number(t, a, x, 3);
    default: return rsp_say_number(t, a, x, size >= 1000 ? 0 : size >= 100 ? 1 : 2);
    }
}

const char *rsp_label_number(const rsp_labels *l, rsp_arena *a, double x, rsp_as as) {
    return rsp_value_number(l->texts, a, x, as);
}

const char *rsp_shorthand(const rsp_published_row *row) {
    if (row->flags & (RSP_F_SUPPRESSED | RSP_F_SUPPRESSED_COMPLEMENTARY)) return "[c]";
    if (isnan(row->estimate)) return row->flags & RSP_F_EMPTY ? "[z]" : "[x]";
    return row->flags & RSP_F_LOW_BASE ? "[u]" : "";
}

const char *rsp_value_estimate(const rsp_texts *t, rsp_arena *a, const rsp_published_row *row, rsp_as as) {
    const char *mark = rsp_shorthand(row);
    if (isnan(row->estimate) || strcmp(mark, "[c]") == 0) return mark;
    const char *number = rsp_value_number(t, a, row->estimate, as);
    return *mark ? rsp_printf(a, "%s %s", number, mark) : number;
}

const char *rsp_label_estimate(const rsp_labels *l, rsp_arena *a, const rsp_published_row *row) {
    return rsp_value_estimate(l->texts, a, row, rsp_label_as(l, row));
}

const char *rsp_label_flag(const rsp_labels *l, rsp_arena *a, uint32_t flag) {
    char name[256];
    const char *key = rsp_printf(a, "flag_%s", rsp_flags_text(flag, name));
    return rsp_texts_has(l->texts, key) ? rsp_say(l->texts, a, key, NULL, 0) : rsp_strdup(a, name);
}

const char *rsp_label_flags(const rsp_labels *l, rsp_arena *a, uint32_t flags) {
    const char *words = "";
    for (int bit = 0; bit < 32; bit++) {
        uint32_t flag = (uint32_t) 1 << bit;
        if (!(flags & flag) || flag == RSP_F_PRELIMINARY) continue;
        const char *one = rsp_label_flag(l, a, flag);
        words = *words ? rsp_printf(a, "%s; %s", words, one) : one;
    }
    return words;
}

/* ---- editions --------------------------------------------------------------------------------------------------- */

/* Which countries of the list have a row of their own, of an analysis of the study, with a number: the first such row, or
 * the first that is marked as ineligible, decides. One pass over the rows, however long the list. */
static void find_figures(const rsp_labels *l, const rsp_published *p, const rsp_variable *v, bool *has) {
    enum { UNDECIDED, YES, NO };
    rsp_arena *a = rsp_arena_new();
    rsp_map *place = rsp_map_new();
    char *verdict = RSP_ARRAY(a, char, v->list->n);
    for (size_t k = 0; k < v->list->n; k++)
        rsp_map_put(place, rsp_domain_text(a, 1, &v->name, &v->list->choices[k].code), k);
    const size_t stem = strlen(v->name);
    for (size_t i = 0; i < rsp_published_count(p); i++) {
        const rsp_published_row *r = rsp_published_at(p, i);
        if (strncmp(r->domain, v->name, stem) != 0 || r->domain[stem] != '=' || strchr(r->domain, ';')) continue;
        bool barred = r->flags & RSP_F_NOT_ELIGIBLE;
        if (!barred && isnan(r->estimate)) continue;
        size_t k = rsp_map_get(place, r->domain);
        if (k != RSP_NONE && verdict[k] == UNDECIDED && rsp_label_find(l, r->analysis)) verdict[k] = barred ? NO : YES;
    }
    for (size_t k = 0; k < v->list->n; k++) has[k] = verdict[k] == YES;
    rsp_map_free(place);
    rsp_arena_free(a);
}

const char **rsp_countries(const rsp_study *s, const rsp_published *p, rsp_arena *a, size_t *n) {
    *n = 0;
    if (s->roles.country == RSP_NONE || !s->variables[s->roles.country].list) return NULL;
    const rsp_variable *v = &s->variables[s->roles.country];
    const char **codes = RSP_ARRAY(a, const char *, v->list->n);
    bool *has = RSP_ARRAY(a, bool, v->list->n);
    rsp_labels l = {.study = s, .analyses = rsp_map_new()};
    for (size_t k = 0; k < s->n_analyses; k++) rsp_map_put(l.analyses, s->analyses[k].id, k);
    find_figures(&l, p, v, has);
    for (size_t k = 0; k < v->list->n; k++)
        if (has[k]) codes[(*n)++] = v->list->choices[k].code;
    rsp_map_free(l.analyses);
    return codes;
}

static void add_language(const rsp_publication *p, const char *lang, const char **out, size_t *n) {
    for (size_t k = 0; k < *n; k++)
        if (strcmp(out[k], lang) == 0) return;
    for (size_t k = 0; k < p->n_languages; k++)
        if (strcmp(p->languages[k], lang) == 0) out[(*n)++] = p->languages[k];
}

const char **rsp_edition_languages(const rsp_publication *p, const rsp_edition *e, const char *country, rsp_arena *a,
                                   size_t *n) {
    const char **out = RSP_ARRAY(a, const char *, p->n_languages + 1);
    *n = 0;
    if (e && !e->n_languages) add_language(p, p->study->languages[0], out, n);
    for (size_t k = 0; !e && k < p->n_languages; k++) add_language(p, p->languages[k], out, n);
    if (!e) return out;
    for (size_t k = 0; k < e->n_languages; k++) {
        if (strcmp(e->languages[k], "national") != 0) add_language(p, e->languages[k], out, n);
        for (size_t j = 0; country && strcmp(e->languages[k], "national") == 0 && j < p->study->n_national; j++)
            if (strcmp(p->study->national[j].name, country) == 0) add_language(p, p->study->national[j].value, out, n);
    }
    return out;
}

bool rsp_edition_wants(const rsp_publication *p, const rsp_edition *e, const char *id) {
    bool wanted = p->n_only == 0;
    for (size_t k = 0; k < p->n_only; k++) wanted |= strcmp(p->only[k], id) == 0;
    if (!wanted || !e || !e->n_analyses) return wanted;
    for (size_t k = 0; k < e->n_analyses; k++)
        if (strcmp(e->analyses[k], id) == 0) return true;
    return false;
}
