/* What the published table says about one edition, as observations that rules can put into sentences.
 *
 * A comparison is observed only from a row that tested it: `difference` rows (adjusted p below 0.05), coefficients of a
 * model, tests. Where nothing was tested the observation is neutral: the least and the greatest value, without names.
 *
 * Every value cites the rows it rests on: those it prints, and those that decide a claim. Of a claim about many rows (none
 * differs, the highest of all) the row that comes nearest to the contrary decides: if it is on the right side, all are. */
#include "brief.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char *const KINDS[] = {
    "edition",    "answer",          "several", "battery",     "values",  "profile",         "spread",
    "difference", "against_average", "model",   "association", "drivers", "drivers_country", NULL};

static const double ALPHA = 0.05;

enum { FEW_ITEMS = 4, NAMED = 3 };

bool brief_kind_known(const char *kind) {
    for (size_t k = 0; KINDS[k]; k++)
        if (strcmp(KINDS[k], kind) == 0) return true;
    return false;
}

/* ---- rows ------------------------------------------------------------------------------------------------------- */

static bool usable(const rsp_published_row *r) {
    const uint32_t unsound = RSP_F_SUPPRESSED | RSP_F_SUPPRESSED_COMPLEMENTARY | RSP_F_NOT_CONVERGED | RSP_F_SINGULAR |
                             RSP_F_SEPARATED | RSP_F_NOT_ELIGIBLE | RSP_F_NOT_COMPARABLE | RSP_F_EXACT;
    return r && !isnan(r->estimate) && !(r->flags & unsound);
}

static const rsp_published_row *find(const brief_edition *e, const rsp_analysis *x, const char *domain,
                                     const char *term, const char *level, const char *statistic) {
    const rsp_published_row *r = rsp_published_find(e->p->results, x->id, domain, term, level, statistic);
    return usable(r) ? r : NULL;
}

static const char *p_column(const rsp_published_row *r) { return isnan(r->p_adj) ? "p" : "p_adj"; }

static double p_value(const rsp_published_row *r) { return isnan(r->p_adj) ? r->p : r->p_adj; }

static bool significant(const rsp_published_row *r) { return !isnan(p_value(r)) && p_value(r) < ALPHA; }

static double strength(const rsp_published_row *r) { return r->se > 0 ? fabs(r->estimate) / r->se : 0; }

/* ---- words ------------------------------------------------------------------------------------------------------ */

/* Without what a label explains in brackets at its end: "Responsiveness (score 0 to 100)". */
static const char *short_label(rsp_arena *a, const char *label) {
    const char *open = strstr(label, " (");
    size_t n = strlen(label);
    if (!open || open == label || label[n - 1] != ')' || strchr(open + 2, ')') != label + n - 1) return label;
    return rsp_strndup(a, label, (size_t) (open - label));
}

static const char *say(const brief_edition *e, const char *key, const rsp_arg *args, size_t n) {
    return rsp_say(e->texts, e->arena, key, args, n);
}

static const char *quoted(const brief_edition *e, const char *label) {
    return say(e, "brief.quote", (rsp_arg[]){{"text", label, 0}}, 1);
}

static const char *joined(const brief_edition *e, size_t n, const char *const *words) {
    const char *list = n ? words[0] : "";
    for (size_t k = 1; k + 1 < n; k++) list = rsp_printf(e->arena, "%s, %s", list, words[k]);
    return n < 2 ? list : say(e, "brief.list", (rsp_arg[]){{"list", list, 0}, {"last", words[n - 1], 0}}, 2);
}

static const char *variable_label(const brief_edition *e, size_t v) {
    return rsp_variable_label(e->p->study, v, rsp_texts_lang(e->texts));
}

/* Shares of respondents by answer; sets and rankings are described by their choices' shares. */
static bool of_answers(const rsp_analysis *x) {
    rsp_statistic s = x->table.statistic;
    return s == RSP_PROPORTION || s == RSP_COMBINATIONS || s == RSP_RANKING;
}

/* Few digits: a reader of a sentence compares sizes. The workbook has them all. */
static const char *number_text(const brief_edition *e, const rsp_analysis *x, double value) {
    if (x->table.statistic == RSP_NET) return say(e, "net_value", (rsp_arg[]){{"x", NULL, value}}, 1);
    if (of_answers(x) || x->table.statistic == RSP_TOP2) return rsp_say_percent(e->texts, e->arena, value, 0);
    double size = fabs(value);
    return rsp_say_number(e->texts, e->arena, value, size >= 1000 ? 0 : size >= 1 ? 1 : 2);
}

static const char *distance_text(const brief_edition *e, const rsp_analysis *x, double value) {
    rsp_statistic s = x->table.statistic;
    if (of_answers(x) || s == RSP_TOP2 || s == RSP_NET)
        return say(e, "brief.points", (rsp_arg[]){{"x", NULL, round(100 * fabs(value))}}, 1);
    return number_text(e, x, fabs(value));
}

/* ---- observations ----------------------------------------------------------------------------------------------- */

static brief_observation *observe(brief_edition *e, const char *kind, const rsp_analysis *x) {
    brief_observation o = {.kind = kind, .analysis = x, .values = e->values};
    RSP_PUSH(e->observations, e->n_observations, e->capacity, o);
    brief_observation *added = &e->observations[e->n_observations - 1];
    if (x) {
        brief_put(&added->values, "table", x->id, NAN);
        brief_put(&added->values, "topic",
                  quoted(e, short_label(e->arena, rsp_label_analysis(e->labels, e->arena, x->id))), NAN);
    }
    return added;
}

static void cite(const brief_edition *e, brief_observation *o, const char *name, const rsp_published_row *r,
                 const char *column, const char *printed) {
    brief_cite(&o->values, e->arena, name, r, column, printed);
}

static double number_in(const rsp_published_row *r, const char *column) {
    if (strcmp(column, "lower") == 0) return r->lower;
    return strcmp(column, "upper") == 0 ? r->upper : r->estimate;
}

/* The number in a column (estimate, lower, upper) of a row. */
static void put_number(const brief_edition *e, brief_observation *o, const char *name, const rsp_published_row *r,
                       const char *column) {
    const char *text = number_text(e, o->analysis, number_in(r, column));
    brief_put(&o->values, name, text, number_in(r, column));
    cite(e, o, name, r, column, text);
}

/* The label of what a row is about (term), of its answer or its sides (level), or of its group (domain). */
static void put_label(const brief_edition *e, brief_observation *o, const char *name, const char *label,
                      const rsp_published_row *r, const char *column) {
    brief_put(&o->values, name, label, NAN);
    cite(e, o, name, r, column, label);
}

/* A number that conditions look at, and the row that decided it. */
static void put_fact(const brief_edition *e, brief_observation *o, const char *name, double number,
                     const rsp_published_row *r, const char *column) {
    brief_put(&o->values, name, NULL, number);
    cite(e, o, name, r, column, NULL);
}

static void put_base(const brief_edition *e, brief_observation *o, const rsp_published_row *r) {
    put_fact(e, o, "base", r->n, r, "n");
}

/* Everybody's number beside a country's; NULL where both are the same respondents' */
static const rsp_published_row *average_of(const brief_edition *e, const rsp_analysis *x, const rsp_published_row *r) {
    bool beside = e->country && !rsp_label_one_country(e->labels);
    return beside ? find(e, x, "", r->term, r->level, r->statistic) : NULL;
}

/* Estimate, interval, respondents and the average beside a country's value. */
static void put_estimate(const brief_edition *e, brief_observation *o, const char *name, const rsp_published_row *r) {
    put_number(e, o, name, r, "estimate");
    if (!isnan(r->lower)) {
        put_number(e, o, "lower", r, "lower");
        put_number(e, o, "upper", r, "upper");
    }
    put_base(e, o, r);
    put_fact(e, o, "unreliable", (r->flags & RSP_F_LOW_BASE) != 0, r, "flag");
    const rsp_published_row *all = average_of(e, o->analysis, r);
    put_fact(e, o, "has_average", all != NULL, all, "estimate");
    if (all) put_number(e, o, "average", all, "estimate");
}

static void put_item(const brief_edition *e, brief_observation *o, size_t v, const rsp_published_row *r) {
    put_label(e, o, "item", quoted(e, short_label(e->arena, variable_label(e, v))), r, "term");
}

/* ---- proportions ------------------------------------------------------------------------------------------------ */

typedef struct {
    const rsp_published_row *row;
    const char *label;
    size_t place;
} share;

static int by_size(const void *x, const void *y) {
    const share *a = x, *b = y;
    if (a->row->estimate != b->row->estimate) return a->row->estimate > b->row->estimate ? -1 : 1;
    return (a->place > b->place) - (a->place < b->place);
}

/* Shares of an item's valid answers, largest first. */
static share *shares_of(const brief_edition *e, const rsp_analysis *x, size_t v, const char *domain, size_t *n) {
    const rsp_variable *var = &e->p->study->variables[v];
    *n = 0;
    if (!var->list) return NULL;
    share *out = RSP_ARRAY(e->arena, share, var->list->n + 1);
    for (size_t k = 0; k < var->list->n; k++) {
        const rsp_choice *c = &var->list->choices[k];
        const rsp_published_row *r =
            c->missing ? NULL : find(e, x, domain, var->name, c->code, rsp_label_table_statistic(x));
        if (r) out[(*n)++] = (share){r, quoted(e, rsp_choice_label(var->list, k, rsp_texts_lang(e->texts))), k};
    }
    qsort(out, *n, sizeof *out, by_size);
    return out;
}

static const rsp_published_row *greatest_upper(const share *s, size_t n) {
    const rsp_published_row *most = NULL;
    for (size_t k = 0; k < n; k++)
        if (!most || s[k].row->upper > most->upper) most = s[k].row;
    return most;
}

/* `clear`: the intervals of the three named stand above those of all others, so that chance did not choose them. */
static void put_ranked(const brief_edition *e, brief_observation *o, const share *s, size_t n) {
    put_label(e, o, "answer", s[0].label, s[0].row, "level");
    if (n > 1) {
        put_label(e, o, "second", s[1].label, s[1].row, "level");
        put_number(e, o, "second_share", s[1].row, "estimate");
        put_fact(e, o, "second_upper", s[1].row->upper, s[1].row, "upper");
    }
    if (n > 2) {
        put_label(e, o, "third", s[2].label, s[2].row, "level");
        put_number(e, o, "third_share", s[2].row, "estimate");
    }
    const rsp_published_row *others = n > 3 ? greatest_upper(s + 3, n - 3) : NULL;
    put_fact(e, o, "clear", others && s[2].row->lower > others->upper, others, "upper");
    if (others) cite(e, o, "clear", s[2].row, "lower", NULL);
    put_label(e, o, "last", s[n - 1].label, s[n - 1].row, "level");
    put_number(e, o, "last_share", s[n - 1].row, "estimate");
    put_fact(e, o, "shares", (double) n, s[n - 1].row, "estimate");
    put_estimate(e, o, "share", s[0].row);
}

static void observe_item(brief_edition *e, const rsp_analysis *x, size_t v) {
    size_t n;
    share *s = shares_of(e, x, v, e->domain, &n);
    if (!n) return;
    rsp_type type = e->p->study->variables[v].type;
    brief_observation *o = observe(e, type == RSP_SELECT_MULTIPLE || type == RSP_RANK ? "several" : "answer", x);
    put_item(e, o, v, s[0].row);
    put_ranked(e, o, s, n);
}

static bool is_battery(const rsp_study *s, const rsp_table *t) {
    const rsp_list *list = t->n_items ? s->variables[t->items[0]].list : NULL;
    for (size_t k = 0; k < t->n_items; k++)
        if (s->variables[t->items[k]].list != list || s->variables[t->items[k]].type != RSP_SELECT_ONE) return false;
    return list && t->n_items >= 3;
}

/* The answer that stands for a battery: the far end of an ordered scale, else the first (yes of yes and no). */
static size_t marked_answer(const rsp_variable *v) {
    size_t first = RSP_NONE, last = RSP_NONE;
    for (size_t k = 0; k < v->list->n; k++) {
        if (v->list->choices[k].missing) continue;
        if (first == RSP_NONE) first = k;
        last = k;
    }
    return v->measure == RSP_ORDINAL && v->list->n > 2 ? last : first;
}

typedef struct {
    const rsp_published_row *high, *low;
    size_t high_item, low_item, n;
    const rsp_published_row *others; /* that with the greatest upper end of an interval but `high` */
} extremes;

static void consider(extremes *x, const rsp_published_row *r, size_t item) {
    if (!r) return;
    bool high = !x->n || r->estimate > x->high->estimate;
    const rsp_published_row *passed = high ? x->high : r;
    if (passed && (!x->others || passed->upper > x->others->upper)) x->others = passed;
    if (high) x->high = r, x->high_item = item;
    if (!x->n || r->estimate < x->low->estimate) x->low = r, x->low_item = item;
    x->n++;
}

static void put_extremes(const brief_edition *e, brief_observation *o, const extremes *x, bool names) {
    put_number(e, o, "high_value", x->high, "estimate");
    put_number(e, o, "low_value", x->low, "estimate");
    if (!names) return;
    put_label(e, o, "high", quoted(e, short_label(e->arena, variable_label(e, x->high_item))), x->high, "term");
    put_label(e, o, "low", quoted(e, short_label(e->arena, variable_label(e, x->low_item))), x->low, "term");
    put_fact(e, o, "items", (double) x->n, x->low, "estimate");
}

static void observe_battery(brief_edition *e, const rsp_analysis *x) {
    const rsp_study *s = e->p->study;
    const rsp_variable *first = &s->variables[x->table.items[0]];
    size_t mark = marked_answer(first);
    extremes found = {0};
    for (size_t k = 0; mark != RSP_NONE && k < x->table.n_items; k++) {
        size_t v = x->table.items[k];
        consider(
            &found,
            find(e, x, e->domain, s->variables[v].name, first->list->choices[mark].code, rsp_label_table_statistic(x)),
            v);
    }
    if (found.n < 2) return;
    brief_observation *o = observe(e, "battery", x);
    put_label(e, o, "answer", quoted(e, rsp_choice_label(first->list, mark, rsp_texts_lang(e->texts))), found.high,
              "level");
    put_estimate(e, o, "share", found.high);
    put_extremes(e, o, &found, true);
    /* Intervals that do not meet: the highest stands above all others, or at least above the lowest. */
    put_fact(e, o, "clear", found.high->lower > found.others->upper, found.others, "upper");
    cite(e, o, "clear", found.high, "lower", NULL);
    put_fact(e, o, "apart", found.high->lower > found.low->upper, found.low, "upper");
    cite(e, o, "apart", found.high, "lower", NULL);
}

/* ---- numbers ---------------------------------------------------------------------------------------------------- */

typedef struct {
    const char *label;
    double value;
    size_t place;
    const rsp_published_row *row;
} named;

/* A number of a list, with what it rests on; in a country's brief with the average. */
static const char *value_words(const brief_edition *e, const rsp_analysis *x, const named *v,
                               const brief_source **from) {
    const rsp_published_row *r = v->row, *all = average_of(e, x, r);
    const char *value = number_text(e, x, r->estimate), *average = all ? number_text(e, x, all->estimate) : "";
    *from = brief_source_add(e->arena, *from, r, "term", v->label);
    *from = brief_source_add(e->arena, *from, r, "estimate", value);
    *from = brief_source_add(e->arena, *from, all, "estimate", average);
    rsp_arg args[] = {{"item", v->label, 0}, {"value", value, 0}, {"average", average, 0}};
    return say(e, all ? "brief.value_average" : "brief.value", args, 3);
}

static void put_values(const brief_edition *e, brief_observation *o, const named *v, size_t n) {
    const char *words[FEW_ITEMS];
    const brief_source *from = NULL;
    for (size_t k = 0; k < n; k++) words[k] = value_words(e, o->analysis, &v[k], &from);
    brief_put(&o->values, "list", joined(e, n, words), NAN);
    brief_rest_on(&o->values, "list", from);
}

static void observe_values(brief_edition *e, const rsp_analysis *x) {
    named v[FEW_ITEMS];
    size_t n = 0;
    for (size_t k = 0; k < x->table.n_items && n < FEW_ITEMS; k++) {
        size_t item = x->table.items[k];
        const rsp_published_row *r =
            find(e, x, e->domain, e->p->study->variables[item].name, "", rsp_label_table_statistic(x));
        if (r) v[n++] = (named){quoted(e, short_label(e->arena, variable_label(e, item))), r->estimate, item, r};
    }
    if (!n) return;
    brief_observation *o = observe(e, "values", x);
    put_label(e, o, "item", quoted(e, variable_label(e, v[0].place)), v[0].row, "term");
    put_estimate(e, o, "value", v[0].row);
    put_values(e, o, v, n);
    put_fact(e, o, "items", (double) n, v[n - 1].row, "estimate");
}

static int by_value(const void *x, const void *y) {
    const named *a = x, *b = y;
    if (a->value != b->value) return a->value > b->value ? -1 : 1;
    return (a->place > b->place) - (a->place < b->place);
}

static size_t least(size_t a, size_t b) { return a < b ? a : b; }

/* Labels at one end, up to NAMED, with their values. */
static void put_end(const brief_edition *e, brief_observation *o, const char *name, const named *v, size_t n) {
    const char *words[NAMED];
    const brief_source *from = NULL;
    for (size_t k = 0; k < n; k++) {
        const char *value = number_text(e, o->analysis, v[k].value);
        words[k] = say(e, "brief.value_bracket", (rsp_arg[]){{"item", v[k].label, 0}, {"value", value, 0}}, 2);
        from = brief_source_add(e->arena, from, v[k].row, "term", v[k].label);
        from = brief_source_add(e->arena, from, v[k].row, "estimate", value);
    }
    brief_put(&o->values, name, joined(e, n, words), NAN);
    brief_rest_on(&o->values, name, from);
}

/* Many numbers of one scale. Where some intervals lie wholly above and others wholly below zero, zero separates them. */
static void observe_profile(brief_edition *e, const rsp_analysis *x) {
    named *v = RSP_ARRAY(e->arena, named, x->table.n_items);
    named *up = RSP_ARRAY(e->arena, named, x->table.n_items + 1),
          *down = RSP_ARRAY(e->arena, named, x->table.n_items + 1);
    size_t n = 0, above = 0, below = 0;
    for (size_t k = 0; k < x->table.n_items; k++) {
        size_t item = x->table.items[k];
        const rsp_published_row *r =
            find(e, x, e->domain, e->p->study->variables[item].name, "", rsp_label_table_statistic(x));
        if (r) v[n++] = (named){quoted(e, short_label(e->arena, variable_label(e, item))), r->estimate, k, r};
    }
    if (n < 2) return;
    qsort(v, n, sizeof *v, by_value);
    up[0] = v[0];
    down[0] = v[n - 1];
    for (size_t k = 0; k < n; k++) {
        if (v[k].row->lower > 0) up[above++] = v[k];
        if (v[n - 1 - k].row->upper < 0) down[below++] = v[n - 1 - k];
    }
    size_t high = above ? least(above, NAMED) : 1, low = below ? least(below, NAMED) : 1;
    brief_observation *o = observe(e, "profile", x);
    put_fact(e, o, "above", (double) above, up[high - 1].row, "lower");
    put_fact(e, o, "below", (double) below, down[low - 1].row, "upper");
    put_base(e, o, v[0].row);
    put_extremes(
        e, o, &(extremes){v[0].row, v[n - 1].row, x->table.items[v[0].place], x->table.items[v[n - 1].place], n, NULL},
        true);
    put_end(e, o, "positive", up, high);
    put_end(e, o, "negative", down, low);
}

/* ---- groups without a test -------------------------------------------------------------------------------------- */

static bool concerns_country(const brief_edition *e, const char *domain) {
    if (!e->country) return true;
    const char *code = rsp_domain_code(e->arena, domain, e->p->study->variables[e->p->study->roles.country].name);
    return code && strcmp(code, e->country) == 0;
}

static bool has_differences(const brief_edition *e, const rsp_analysis *x) {
    size_t from, to;
    if (!rsp_published_range(e->p->results, x->id, &from, &to)) return false;
    for (size_t i = from; i < to; i++)
        if (strcmp(rsp_published_at(e->p->results, i)->statistic, "difference") == 0) return true;
    return false;
}

static const rsp_crossing *first_crossing(const rsp_analysis *x) {
    for (size_t b = 0; b < x->table.n_by; b++)
        if (x->table.by[b].n) return &x->table.by[b];
    return NULL;
}

static const char *crossing_words(const brief_edition *e, const rsp_crossing *c) {
    const char *words[8];
    size_t n = 0;
    for (; n < c->n && n < 8; n++) words[n] = quoted(e, short_label(e->arena, variable_label(e, c->variables[n])));
    return joined(e, n, words);
}

/* The first item (and its first valid answer) over all groups of a crossing that nothing tested. */
static void observe_spread(brief_edition *e, const rsp_analysis *x) {
    const rsp_crossing *c = first_crossing(x);
    size_t from, to, v = x->table.n_items ? x->table.items[0] : RSP_NONE;
    if (!c || v == RSP_NONE || !rsp_published_range(e->p->results, x->id, &from, &to)) return;
    const rsp_variable *var = &e->p->study->variables[v];
    bool levels = x->table.statistic == RSP_PROPORTION && var->list;
    const char *level = levels ? var->list->choices[marked_answer(var) == RSP_NONE ? 0 : marked_answer(var)].code : "";
    extremes found = {0};
    for (size_t i = from; i < to; i++) {
        const rsp_published_row *r = rsp_published_at(e->p->results, i);
        if (usable(r) && *r->domain && strcmp(r->term, var->name) == 0 && strcmp(r->level, level) == 0 &&
            strcmp(r->statistic, rsp_label_table_statistic(x)) == 0 && concerns_country(e, r->domain))
            consider(&found, r, v);
    }
    if (found.n < 2) return;
    brief_observation *o = observe(e, "spread", x);
    put_item(e, o, v, found.high);
    put_extremes(e, o, &found, false);
    put_fact(e, o, "groups", (double) found.n, found.low, "estimate");
    put_label(e, o, "grouping", crossing_words(e, c), found.high, "domain");
    put_fact(e, o, "by_country", c->n == 1 && c->variables[0] == e->p->study->roles.country, found.high, "domain");
    if (levels) put_label(e, o, "answer", quoted(e, rsp_label_code(e->labels, v, level)), found.high, "level");
    put_fact(e, o, "shares", levels, found.high, "level");
}

/* ---- tested differences ----------------------------------------------------------------------------------------- */

typedef struct {
    const rsp_published_row *best, *nearest; /* nearest: that with the least p */
    rsp_sides sides;
    size_t tested, significant;
} contrasts;

/* "changed=yes" -> "changed" and "yes" */
static const char *term_item(rsp_arena *a, const char *term, const char **level) {
    const char *equals = strchr(term, '=');
    *level = equals ? equals + 1 : "";
    return equals ? rsp_strndup(a, term, (size_t) (equals - term)) : term;
}

/* Of two answers one says all: yes, or else the second, as in charts and models. The other's differences are its mirror
 * image. */
static bool is_mirror(const brief_edition *e, const rsp_published_row *r) {
    const char *level, *item = term_item(e->arena, r->term, &level);
    size_t v = *level ? rsp_study_variable(e->p->study, item) : RSP_NONE, n = 0;
    const rsp_list *list = v == RSP_NONE ? NULL : e->p->study->variables[v].list;
    const char *codes[2] = {NULL, NULL};
    if (!list || e->p->study->variables[v].type != RSP_SELECT_ONE) return false;
    for (size_t k = 0; k < list->n; k++) {
        if (list->choices[k].missing) continue;
        if (n < 2) codes[n] = list->choices[k].code;
        n++;
    }
    return n == 2 && strcmp(level, codes[strcmp(codes[0], "yes") == 0]) == 0;
}

static void weigh(const brief_edition *e, contrasts *c, const rsp_published_row *r, rsp_sides sides) {
    if (isnan(p_value(r))) return; /* the rows had no test to give */
    c->tested++;
    if (!c->nearest || p_value(r) < p_value(c->nearest)) c->nearest = r;
    if (!significant(r)) return;
    c->significant++;
    if ((c->best && strength(r) <= strength(c->best)) || is_mirror(e, r)) return;
    c->best = r;
    c->sides = sides;
}

/* The two sides' own estimates: what a reader wants to see beside "higher". */
static const rsp_published_row *side_row(const brief_edition *e, const rsp_analysis *x, const rsp_published_row *r,
                                         size_t variable, const char *code) {
    const char *level, *item = term_item(e->arena, r->term, &level), *name = e->p->study->variables[variable].name;
    return find(e, x, rsp_domain_text(e->arena, 1, &name, &code), item, level, rsp_label_table_statistic(x));
}

static void put_contrast(const brief_edition *e, brief_observation *o, const contrasts *c) {
    const rsp_published_row *decides = c->best ? c->best : c->nearest;
    put_fact(e, o, "tested", (double) c->tested, c->nearest, p_column(c->nearest));
    put_fact(e, o, "significant", (double) c->significant, decides, p_column(decides));
    if (!c->best) return;
    const char *level, *item = term_item(e->arena, c->best->term, &level);
    size_t v = rsp_study_variable(e->p->study, item);
    const char *distance = distance_text(e, o->analysis, c->best->estimate);
    brief_put(&o->values, "value", distance, fabs(c->best->estimate));
    cite(e, o, "value", c->best, "estimate", distance);
    if (v == RSP_NONE) return;
    put_item(e, o, v, c->best);
    put_fact(e, o, "shares", *level != '\0', c->best, "term");
    if (*level) put_label(e, o, "answer", quoted(e, rsp_label_code(e->labels, v, level)), c->best, "term");
}

static void put_sides(const brief_edition *e, brief_observation *o, const contrasts *c) {
    bool first_higher = c->best->estimate > 0;
    const char *high = first_higher ? c->sides.first : c->sides.second,
               *low = first_higher ? c->sides.second : c->sides.first;
    const rsp_published_row *up = side_row(e, o->analysis, c->best, c->sides.variable, high);
    const rsp_published_row *down = side_row(e, o->analysis, c->best, c->sides.variable, low);
    put_label(e, o, "high", quoted(e, rsp_label_code(e->labels, c->sides.variable, high)), c->best, "level");
    put_label(e, o, "low", quoted(e, rsp_label_code(e->labels, c->sides.variable, low)), c->best, "level");
    if (up) put_number(e, o, "high_value", up, "estimate");
    if (down) put_number(e, o, "low_value", down, "estimate");
}

/* One observation for each variable whose levels were compared: the strongest difference of all. */
static void observe_differences(brief_edition *e, const rsp_analysis *x, size_t variable) {
    size_t from, to;
    contrasts c = {0};
    if (!rsp_published_range(e->p->results, x->id, &from, &to)) return;
    for (size_t i = from; i < to; i++) {
        const rsp_published_row *r = rsp_published_at(e->p->results, i);
        if (strcmp(r->statistic, "difference") != 0 || *r->domain || !usable(r)) continue;
        rsp_sides sides = rsp_label_sides(e->labels, e->arena, r);
        if (sides.variable == variable && sides.second) weigh(e, &c, r, sides);
    }
    if (!c.tested) return;
    brief_observation *o = observe(e, "difference", x);
    put_contrast(e, o, &c);
    put_label(e, o, "grouping", quoted(e, short_label(e->arena, variable_label(e, variable))), c.nearest, "level");
    put_fact(e, o, "by_country", variable == e->p->study->roles.country, c.nearest, "level");
    if (c.best) put_sides(e, o, &c);
}

/* A country beside the average of the participating countries: rows of level `PL-average`. */
static void observe_against_average(brief_edition *e, const rsp_analysis *x) {
    size_t from, to;
    contrasts c = {0};
    if (!rsp_published_range(e->p->results, x->id, &from, &to)) return;
    for (size_t i = from; i < to; i++) {
        const rsp_published_row *r = rsp_published_at(e->p->results, i);
        if (strcmp(r->statistic, "difference") != 0 || *r->domain || !usable(r)) continue;
        rsp_sides sides = rsp_label_sides(e->labels, e->arena, r);
        if (sides.variable == e->p->study->roles.country && !sides.second && strcmp(sides.first, e->country) == 0)
            weigh(e, &c, r, sides);
    }
    if (!c.tested) return;
    brief_observation *o = observe(e, "against_average", x);
    put_contrast(e, o, &c);
    if (!c.best) return;
    brief_put(&o->values, "higher", c.best->estimate > 0 ? "yes" : "no", c.best->estimate > 0);
    cite(e, o, "higher", c.best, "estimate", NULL);
    const rsp_published_row *own = side_row(e, x, c.best, e->p->study->roles.country, e->country);
    if (own) put_number(e, o, "high_value", own, "estimate");
    const char *code, *item = term_item(e->arena, c.best->term, &code);
    const rsp_published_row *all = find(e, x, "", item, code, rsp_label_table_statistic(x));
    put_fact(e, o, "has_average", own && all, all, "estimate");
    if (all) put_number(e, o, "average", all, "estimate");
}

/* ---- models and tests ------------------------------------------------------------------------------------------- */

static bool is_predictor(const brief_edition *e, const rsp_published_row *r) {
    const rsp_study *s = e->p->study;
    if (strcmp(r->statistic, "coefficient") != 0 || !usable(r) || r->term[0] == '(' || strchr(r->term, ':'))
        return false;
    /* Of one category against another, or within one group: not an association with the outcome in everybody. */
    if (*r->level || *r->domain) return false;
    if (s->roles.country == RSP_NONE) return true;
    /* Countries are held constant, not compared: their coefficients would be a ranking. */
    const char *name = s->variables[s->roles.country].name;
    size_t n = strlen(name);
    return strncmp(r->term, name, n) != 0 || r->term[n] != '=';
}

static const char *outcome_words(const brief_edition *e, const rsp_analysis *x) {
    const rsp_fexpr *y = x->model.formula ? x->model.formula->response : NULL;
    if (!y || y->variable == RSP_NONE) return y && y->text ? y->text : x->id;
    const char *label = short_label(e->arena, variable_label(e, y->variable));
    if (!x->model.event) return quoted(e, label);
    const char *event = rsp_label_code(e->labels, y->variable, x->model.event);
    return say(e, "term_category", (rsp_arg[]){{"variable", quoted(e, label), 0}, {"category", event, 0}}, 2);
}

static const char *predictor_words(const brief_edition *e, const rsp_published_row *r) {
    return quoted(e, short_label(e->arena, rsp_label_term(e->labels, e->arena, r)));
}

/* One sort of factors: those most of it first. */
typedef struct {
    size_t n;
    named *all;
} factor_list;

static void add_factor(factor_list *l, const char *words, double size, size_t at, const rsp_published_row *r) {
    l->all[l->n++] = (named){words, size, at, r};
}

/* The first NAMED of a sort by name, with the number that put each into it: p, or an end of an interval (column). */
static void put_list(const brief_edition *e, brief_observation *o, const char *name, factor_list *l,
                     const char *column) {
    const char *words[NAMED];
    const brief_source *from = NULL;
    size_t n = least(l->n, NAMED);
    if (l->n) qsort(l->all, l->n, sizeof *l->all, by_value);
    for (size_t k = 0; k < n; k++) {
        const rsp_published_row *r = l->all[k].row;
        words[k] = l->all[k].label;
        from = brief_source_add(e->arena, from, r, "term", words[k]);
        from = brief_source_add(e->arena, from, r, column ? column : p_column(r), NULL);
    }
    brief_put(&o->values, name, joined(e, n, words), NAN);
    brief_rest_on(&o->values, name, from);
}

/* How many there are of a sort, each with the number that put it there. */
static void put_number_of(const brief_edition *e, brief_observation *o, const char *name, const factor_list *l,
                          const char *column) {
    brief_put(&o->values, name, NULL, (double) l->n);
    for (size_t k = 0; k < l->n; k++) cite(e, o, name, l->all[k].row, column ? column : p_column(l->all[k].row), NULL);
}

static factor_list empty_list(const brief_edition *e, size_t most) {
    return (factor_list){0, RSP_ARRAY(e->arena, named, most + 1)};
}

static void observe_model(brief_edition *e, const rsp_analysis *x) {
    size_t from, to;
    if (*e->domain || !rsp_published_range(e->p->results, x->id, &from, &to)) return;
    factor_list up = empty_list(e, to - from), down = empty_list(e, to - from), unclear = empty_list(e, to - from);
    const rsp_published_row *last = NULL;
    for (size_t i = from; i < to; i++) {
        const rsp_published_row *r = rsp_published_at(e->p->results, i);
        if (!is_predictor(e, r)) continue;
        add_factor(!significant(r)   ? &unclear
                   : r->estimate > 0 ? &up
                                     : &down,
                   predictor_words(e, r), strength(r), i, r);
        last = r;
    }
    if (!last) return;
    brief_observation *o = observe(e, "model", x);
    put_label(e, o, "outcome", outcome_words(e, x), last, "analysis");
    put_list(e, o, "positive", &up, NULL);
    put_list(e, o, "negative", &down, NULL);
    put_number_of(e, o, "positives", &up, NULL);
    put_number_of(e, o, "negatives", &down, NULL);
    put_number_of(e, o, "unclear", &unclear, NULL);
    put_base(e, o, last);
}

/* ---- drivers ---------------------------------------------------------------------------------------------------- */

/* Factors of one published verdict; NULL if there are none. */
static const char *factors_of_verdict(const brief_edition *e, const rsp_analysis *x, const char *verdict,
                                      const brief_source **from) {
    const rsp_drivers *d = &x->model.drivers;
    const char **words = RSP_ARRAY(e->arena, const char *, d->n_factors + 1);
    size_t n = 0;
    for (size_t k = 0; k < d->n_factors; k++) {
        const rsp_published_row *r = find(e, x, "", e->p->study->variables[d->factors[k]].name, verdict, "verdict");
        if (!r) continue;
        words[n] = quoted(e, short_label(e->arena, variable_label(e, d->factors[k])));
        *from = brief_source_add(e->arena, *from, r, "term", words[n++]);
    }
    return n ? joined(e, n, words) : NULL;
}

/* Published verdicts in the order of the rules, each with its factors; none before the field is frozen. */
static void put_verdicts(const brief_edition *e, brief_observation *o) {
    static const char *const verdicts[] = {"enabler_everywhere", "enabler_in_most", "depends_on_country", "blocker",
                                           "no_clear_role"};
    const brief_source *from = NULL;
    const char *all = NULL;
    for (size_t v = 0; v < sizeof verdicts / sizeof *verdicts; v++) {
        const char *list = factors_of_verdict(e, o->analysis, verdicts[v], &from);
        if (!list) continue;
        const char *verdict = say(e, rsp_printf(e->arena, "verdict_%s", verdicts[v]), NULL, 0);
        const char *one = say(e, "brief.verdict", (rsp_arg[]){{"verdict", verdict, 0}, {"list", list, 0}}, 2);
        all = all ? rsp_printf(e->arena, "%s; %s", all, one) : one;
    }
    brief_put(&o->values, "verdict", all ? all : "", NAN);
    brief_rest_on(&o->values, "verdict", from);
    brief_put(&o->values, "has_verdict", all ? "yes" : "no", all != NULL);
    brief_rest_on(&o->values, "has_verdict", from);
}

/* Factors that were set aside, in the order of the study. */
static void put_unassessed(const brief_edition *e, brief_observation *o) {
    const rsp_drivers *d = &o->analysis->model.drivers;
    const char **words = RSP_ARRAY(e->arena, const char *, d->n_factors + 1);
    const brief_source *from = NULL;
    size_t n = 0;
    for (size_t k = 0; k < d->n_factors; k++) {
        const char *term = e->p->study->variables[d->factors[k]].name;
        const rsp_published_row *r = rsp_published_find(e->p->results, o->analysis->id, "", term, "", "coefficient");
        if (!r || !(r->flags & (RSP_F_UNANSWERED | RSP_F_CONSTANT))) continue;
        words[n] = quoted(e, short_label(e->arena, variable_label(e, d->factors[k])));
        from = brief_source_add(e->arena, from, r, "term", words[n++]);
    }
    brief_put(&o->values, "unassessed", n ? joined(e, n, words) : "", NAN);
    brief_rest_on(&o->values, "unassessed", from);
    brief_put(&o->values, "has_unassessed", n ? "yes" : "no", n > 0);
    brief_rest_on(&o->values, "has_unassessed", from);
}

/* The factors of an outcome by what is said of them, over all countries or in one. `apart`: their association differs between
 * countries; in one country, it runs against that of all together. `nearest` decides where none is apart: the joint test with the
 * least p; in one country the factor that runs against all countries most, or along with them least (`least_along`). NULL: there
 * is nothing to compare. */
typedef struct {
    factor_list up, down, unclear, enabling, blocking, apart;
    const rsp_published_row *last, *nearest;
    double least_along;
} factor_sorts;

static factor_sorts empty_sorts(const brief_edition *e, size_t most) {
    return (factor_sorts){.up = empty_list(e, most),
                          .down = empty_list(e, most),
                          .unclear = empty_list(e, most),
                          .enabling = empty_list(e, most),
                          .blocking = empty_list(e, most),
                          .apart = empty_list(e, most)};
}

/* What tests of the run say of a factor: association (adjusted p), rating (interval clear of zero), differences between
 * the countries (adjusted p of the joint test). */
static void sort_factor(brief_edition *e, const rsp_analysis *x, size_t k, factor_sorts *s) {
    size_t v = x->model.drivers.factors[k];
    const char *term = e->p->study->variables[v].name, *words = quoted(e, short_label(e->arena, variable_label(e, v)));
    const rsp_published_row *b = find(e, x, "", term, "", "coefficient"), *net = find(e, x, "", term, "", "net"),
                            *part = find(e, x, "", term, "", "explained_share"),
                            *wald = find(e, x, "", term, "", "wald_f");
    if (wald && (!s->nearest || p_value(wald) < p_value(s->nearest))) s->nearest = wald;
    if (wald && significant(wald)) add_factor(&s->apart, words, wald->estimate, k, wald);
    if (!b) return;
    s->last = b;
    if (!significant(b)) add_factor(&s->unclear, words, strength(b), k, b);
    if (significant(b) && b->estimate < 0) add_factor(&s->down, words, strength(b), k, b);
    if (!significant(b) || b->estimate < 0 || !part) return;
    add_factor(&s->up, words, part->estimate, k, b);
    if (net && net->lower > 0) add_factor(&s->enabling, words, net->estimate, k, net);
    if (net && net->upper < 0) add_factor(&s->blocking, words, -net->estimate, k, net);
}

/* The factors that are associated with the outcome, each with its share of what all explain. */
static void put_shares(const brief_edition *e, brief_observation *o, const factor_list *up) {
    const char *words[NAMED];
    const brief_source *from = NULL;
    size_t n = least(up->n, NAMED);
    for (size_t k = 0; k < n; k++) {
        const named *one = &up->all[k];
        const rsp_published_row *part = find(e, o->analysis, "", one->row->term, "", "explained_share");
        const char *part_words = rsp_say_percent(e->texts, e->arena, part->estimate, 0);
        words[k] = say(e, "brief.value_bracket", (rsp_arg[]){{"item", one->label, 0}, {"value", part_words, 0}}, 2);
        from = brief_source_add(e->arena, from, one->row, p_column(one->row), NULL);
        from = brief_source_add(e->arena, from, part, "term", one->label);
        from = brief_source_add(e->arena, from, part, "estimate", part_words);
    }
    brief_put(&o->values, "list", joined(e, n, words), NAN);
    brief_rest_on(&o->values, "list", from);
}

/* A sort that a sentence names or not. */
static void put_sort(const brief_edition *e, brief_observation *o, const char *name, const char *has, factor_list *l,
                     const char *column) {
    put_list(e, o, name, l, column);
    brief_put(&o->values, has, l->n ? "yes" : "no", l->n > 0);
    brief_rest_on(&o->values, has, brief_sources(&o->values, name));
}

static void put_depends(const brief_edition *e, brief_observation *o, factor_sorts *s) {
    put_sort(e, o, "depends", "has_depends", &s->apart, NULL);
    if (!s->nearest) brief_put(&o->values, "has_depends", "untested", NAN);
    else if (!s->apart.n) cite(e, o, "has_depends", s->nearest, p_column(s->nearest), NULL);
}

/* ---- drivers in one country ------------------------------------------------------------------------------------- */

static void sort_rating(factor_sorts *s, const char *words, size_t k, const rsp_published_row *net) {
    if (!net || !significant(net)) return;
    if (net->estimate > 0) add_factor(&s->enabling, words, net->estimate, k, net);
    if (net->estimate < 0) add_factor(&s->blocking, words, -net->estimate, k, net);
}

/* How many errors a coefficient lies on the pool's side of zero. */
static double along(const rsp_published_row *own, const rsp_published_row *pool) {
    return copysign(1, pool->estimate) * own->estimate / own->se;
}

static void sort_association(factor_sorts *s, const char *words, size_t k, const rsp_published_row *own,
                             const rsp_published_row *pool) {
    if (!own || !(own->se > 0)) return;
    s->last = own;
    add_factor(!significant(own) ? &s->unclear : own->estimate > 0 ? &s->up : &s->down, words, strength(own), k, own);
    if (!pool || !significant(pool)) return;
    if (!s->nearest || along(own, pool) < s->least_along) s->nearest = own, s->least_along = along(own, pool);
    if (significant(own) && along(own, pool) < 0) add_factor(&s->apart, words, strength(own), k, own);
}

/* Where the association in the country runs against that of all countries: both are clear. */
static void put_reversed(const brief_edition *e, brief_observation *o, factor_sorts *s) {
    put_sort(e, o, "reversed", "has_reversed", &s->apart, NULL);
    if (!s->nearest) brief_put(&o->values, "has_reversed", "untested", NAN);
    const rsp_published_row *decides = s->nearest && !s->apart.n ? s->nearest : NULL;
    if (decides) cite(e, o, "has_reversed", decides, "estimate", NULL);
    for (size_t k = 0; k < s->apart.n; k++)
        cite(e, o, "has_reversed", find(e, o->analysis, "", s->apart.all[k].row->term, "", "pooled"), "estimate", NULL);
}

/* What a country's own respondents say: their ratings, and the regression among them alone; tests are adjusted over the
 * factors. */
static void observe_drivers_in_country(brief_edition *e, const rsp_analysis *x) {
    size_t n = x->model.drivers.n_factors;
    factor_sorts s = empty_sorts(e, n);
    for (size_t k = 0; k < n; k++) {
        size_t v = x->model.drivers.factors[k];
        const char *term = e->p->study->variables[v].name;
        const char *words = quoted(e, short_label(e->arena, variable_label(e, v)));
        sort_rating(&s, words, k, find(e, x, e->domain, term, "", "net"));
        sort_association(&s, words, k, find(e, x, e->domain, term, "", "coefficient"),
                         find(e, x, "", term, "", "pooled"));
    }
    if (!s.last) return;
    brief_observation *o = observe(e, "drivers_country", x);
    put_label(e, o, "outcome", outcome_words(e, x), s.last, "analysis");
    put_list(e, o, "positive", &s.up, NULL);
    put_sort(e, o, "negative", "has_negative", &s.down, NULL);
    put_number_of(e, o, "positives", &s.up, NULL);
    put_number_of(e, o, "negatives", &s.down, NULL);
    put_number_of(e, o, "unclear", &s.unclear, NULL);
    put_base(e, o, s.last);
    put_sort(e, o, "enabling", "has_enabling", &s.enabling, NULL);
    put_sort(e, o, "blocking", "has_blocking", &s.blocking, NULL);
    put_reversed(e, o, &s);
}

static void observe_drivers(brief_edition *e, const rsp_analysis *x) {
    size_t n = x->model.drivers.n_factors;
    if (*e->domain) {
        observe_drivers_in_country(e, x);
        return;
    }
    factor_sorts s = empty_sorts(e, n);
    for (size_t k = 0; k < n; k++) sort_factor(e, x, k, &s);
    if (!s.last) return;
    brief_observation *o = observe(e, "drivers", x);
    put_label(e, o, "outcome", outcome_words(e, x), s.last, "analysis");
    put_number_of(e, o, "positives", &s.up, NULL);
    put_number_of(e, o, "negatives", &s.down, NULL);
    put_number_of(e, o, "unclear", &s.unclear, NULL);
    put_number_of(e, o, "blockings", &s.blocking, "upper");
    put_base(e, o, s.last);
    put_list(e, o, "positive", &s.up, NULL);
    put_shares(e, o, &s.up);
    put_sort(e, o, "negative", "has_negative", &s.down, NULL);
    put_sort(e, o, "enabling", "has_enabling", &s.enabling, "lower");
    put_sort(e, o, "blocking", "has_blocking", &s.blocking, "upper");
    put_depends(e, o, &s);
    put_verdicts(e, o);
    put_unassessed(e, o);
}

static void observe_test(brief_edition *e, const rsp_analysis *x) {
    size_t from, to;
    if (*e->domain || !rsp_published_range(e->p->results, x->id, &from, &to)) return;
    const rsp_published_row *r = rsp_published_at(e->p->results, from);
    if (isnan(r->p) || !usable(r)) return;
    brief_observation *o = observe(e, "association", x);
    put_item(e, o, x->test.rows, r);
    put_label(e, o, "grouping", quoted(e, short_label(e->arena, variable_label(e, x->test.columns))), r, "analysis");
    put_fact(e, o, "tested", 1, r, p_column(r));
    put_fact(e, o, "significant", significant(r), r, p_column(r));
    put_base(e, o, r);
}

/* ---- tables ----------------------------------------------------------------------------------------------------- */

static void observe_compared(brief_edition *e, const rsp_analysis *x) {
    if (e->country) {
        observe_against_average(e, x);
        return;
    }
    for (size_t b = 0; b < x->table.n_by; b++)
        if (x->table.by[b].n == 1) observe_differences(e, x, x->table.by[b].variables[0]);
}

static void observe_table(brief_edition *e, const rsp_analysis *x) {
    const rsp_table *t = &x->table;
    size_t before = e->n_observations;
    if (t->statistic == RSP_COUNT || t->statistic == RSP_QUANTILE || t->statistic == RSP_RATIO) return;
    if (of_answers(x)) {
        if (is_battery(e->p->study, t)) observe_battery(e, x);
        for (size_t k = 0; !is_battery(e->p->study, t) && k < t->n_items; k++) observe_item(e, x, t->items[k]);
    } else if (t->n_items > FEW_ITEMS) observe_profile(e, x);
    else observe_values(e, x);
    if (t->compare) observe_compared(e, x);
    if (e->n_observations == before && !has_differences(e, x)) observe_spread(e, x);
}

/* ---- the edition ------------------------------------------------------------------------------------------------ */

static const char *country_domain(const brief_edition *e, const char *code) {
    return rsp_domain_text(e->arena, 1, &e->p->study->variables[e->p->study->roles.country].name, &code);
}

static const rsp_published_row *response(const brief_edition *e, const char *domain, const char *stage) {
    const rsp_published_row *r = rsp_published_find(e->p->results, "response", domain, stage, "", "count");
    return r && !isnan(r->estimate) ? r : NULL;
}

/* Of the whole brief: a number that the messages format, and its row. */
static void put_count(brief_edition *e, const char *name, double number, const rsp_published_row *r,
                      const char *column) {
    brief_put(&e->values, name, NULL, number);
    brief_cite(&e->values, e->arena, name, r, column,
               r && number > 0 ? rsp_say_number(e->texts, e->arena, number, 0) : NULL);
}

static void put_response(brief_edition *e, const char *name, const char *stage) {
    const rsp_published_row *r = response(e, e->domain, stage);
    put_count(e, name, r ? r->estimate : NAN, r, "estimate");
}

/* Respondents: as the run counted them, or the largest base of any figure where it left no count. */
static void put_respondents(brief_edition *e) {
    const rsp_published_row *kept = response(e, e->domain, "kept"), *most = NULL;
    for (size_t i = 0; !kept && i < rsp_published_count(e->p->results); i++) {
        const rsp_published_row *r = rsp_published_at(e->p->results, i);
        if (strcmp(r->domain, e->domain) == 0 && r->n > (most ? most->n : 0)) most = r;
    }
    if (kept) put_response(e, "n", "kept");
    else put_count(e, "n", most ? most->n : NAN, most, "n");
}

typedef struct {
    size_t n;
    const char **names;
    const brief_source *from;
} country_list;

static void name_country(const brief_edition *e, country_list *l, const char *code, const rsp_published_row *kept) {
    l->names[l->n] = rsp_label_country(e->labels, code);
    l->from = brief_source_add(e->arena, l->from, kept, "domain", l->names[l->n]);
    l->n++;
}

static void put_country_list(brief_edition *e, const char *number, const char *name, const country_list *l) {
    brief_put(&e->values, number, NULL, (double) l->n);
    brief_rest_on(&e->values, number, l->from);
    brief_put(&e->values, name, joined(e, l->n, l->names), NAN);
    brief_rest_on(&e->values, name, l->from);
}

static void put_countries(brief_edition *e) {
    const rsp_study *s = e->p->study;
    if (s->roles.country == RSP_NONE || !s->variables[s->roles.country].list) return;
    const rsp_list *list = s->variables[s->roles.country].list;
    country_list with = {.names = RSP_ARRAY(e->arena, const char *, list->n + 1)}, few = with;
    few.names = RSP_ARRAY(e->arena, const char *, list->n + 1);
    for (size_t k = 0; k < list->n; k++) {
        const char *code = list->choices[k].code;
        bool has = false;
        for (size_t j = 0; j < e->n_countries; j++) has |= strcmp(e->countries[j], code) == 0;
        const rsp_published_row *kept = response(e, country_domain(e, code), "kept");
        if (has || (kept && kept->estimate > 0)) name_country(e, has ? &with : &few, code, kept);
    }
    put_country_list(e, "countries", "country_list", &with);
    put_country_list(e, "ineligible", "ineligible_list", &few);
}

/* A scale is called after the score of its name, where the study has one. */
static const char *scale_label(const brief_edition *e, const char *name) {
    size_t v = rsp_study_variable(e->p->study, name);
    return quoted(e, v == RSP_NONE ? name : short_label(e->arena, variable_label(e, v)));
}

/* Scales by the verdict on their comparability between countries; a term of these rows is `scale:variable`. */
static void put_comparability(brief_edition *e) {
    const rsp_study *s = e->p->study;
    size_t n = rsp_published_count(e->p->results), count[2] = {0};
    const brief_source *from[2] = {NULL, NULL};
    const char **names[2] = {RSP_ARRAY(e->arena, const char *, n + 1), RSP_ARRAY(e->arena, const char *, n + 1)};
    const char *country = s->roles.country == RSP_NONE ? "" : s->variables[s->roles.country].name;
    for (size_t i = 0; i < n; i++) {
        const rsp_published_row *r = rsp_published_at(e->p->results, i);
        const char *colon = strcmp(r->statistic, "verdict") == 0 ? strchr(r->term, ':') : NULL;
        if (!colon || strcmp(colon + 1, country) != 0 || strcmp(r->level, "comparable") == 0 || !*r->level) continue;
        int k = strcmp(r->level, "not_comparable") == 0 ? 0 : 1;
        names[k][count[k]] = scale_label(e, rsp_strndup(e->arena, r->term, (size_t) (colon - r->term)));
        from[k] = brief_source_add(e->arena, from[k], r, "term", names[k][count[k]]);
        count[k]++;
    }
    static const char *const put[2][2] = {{"not_comparable", "not_comparable_list"}, {"caution", "caution_list"}};
    for (int k = 0; k < 2; k++) {
        brief_put(&e->values, put[k][0], NULL, (double) count[k]);
        brief_rest_on(&e->values, put[k][0], from[k]);
        brief_put(&e->values, put[k][1], joined(e, count[k], names[k]), NAN);
        brief_rest_on(&e->values, put[k][1], from[k]);
    }
}

static void put_margins(brief_edition *e) {
    const rsp_weighting_spec *w = &e->p->study->weighting;
    size_t n = 0, room = 0;
    for (size_t k = 0; k < w->n_margins; k++) room += w->margins[k].n_variables;
    const char **names = RSP_ARRAY(e->arena, const char *, room + 1);
    for (size_t k = 0; k < w->n_margins; k++)
        for (size_t j = 0; j < w->margins[k].n_variables; j++)
            names[n++] = quoted(e, short_label(e->arena, variable_label(e, w->margins[k].variables[j])));
    brief_put(&e->values, "weighted", NULL, w->given && n > 0);
    brief_put(&e->values, "margins", joined(e, n, names), NAN);
    brief_put(&e->values, "equal", NULL, w->scale == RSP_SCALE_EQUAL);
    brief_put(&e->values, "population", NULL, w->scale == RSP_SCALE_POPULATION);
}

static size_t hidden_figures(const brief_edition *e) {
    size_t n = 0;
    for (size_t i = 0; i < rsp_published_count(e->p->results); i++)
        n += (rsp_published_at(e->p->results, i)->flags & (RSP_F_SUPPRESSED | RSP_F_SUPPRESSED_COMPLEMENTARY)) != 0;
    return n;
}

/* Words that the study may have or not. */
static void put_words(brief_edition *e, const char *name, const char *has, const rsp_text *words) {
    const char *text = rsp_text_in(words, rsp_texts_lang(e->texts));
    brief_put(&e->values, name, text ? text : "", NAN);
    brief_put(&e->values, has, NULL, text != NULL);
}

static void put_edition(brief_edition *e) {
    const rsp_publication *p = e->p;
    const rsp_study *s = p->study;
    brief_values *v = &e->values;
    brief_values_clear(v);
    brief_put(v, "study", rsp_label_study(e->labels), NAN);
    brief_put(v, "who", rsp_label_domain(e->labels, e->arena, e->domain), NAN);
    brief_put(v, "country", e->country ? rsp_label_country(e->labels, e->country) : "", NAN);
    brief_put(v, "in_country", e->country ? rsp_label_in_country(e->labels, e->arena, e->country) : "", NAN);
    brief_put(v, "one_country", NULL, e->country != NULL);
    brief_put(v, "publisher", rsp_label_publisher(e->labels, e->arena), NAN);
    put_words(e, "contact", "has_contact", &s->publication.contact);
    put_words(e, "funding", "has_funding", &s->publication.funding);
    put_words(e, "licence", "has_licence", &s->publication.licence);
    brief_put(v, "content", p->content_id, NAN);
    brief_put(v, "dated", NULL, s->field.from && s->field.to);
    if (s->field.from && s->field.to) {
        brief_put(v, "from", s->field.from, NAN);
        brief_put(v, "to", s->field.to, NAN);
    }
    put_respondents(e);
    put_response(e, "read", "read");
    put_response(e, "aside", "set_aside");
    brief_put(v, "self_selected", NULL, s->design.self_selected);
    brief_put(v, "preliminary", NULL, p->preliminary);
    brief_put(v, "simulated", NULL, p->simulated);
    brief_put(v, "public", NULL, s->disclosure.off);
    brief_put(v, "suppressed", NULL, (double) hidden_figures(e));
    brief_put(v, "minimum", NULL, (double) s->disclosure.minimum_base);
    put_countries(e);
    put_margins(e);
    put_comparability(e);
}

/* Findings of one sort, with the rows that decided them. */
typedef struct {
    size_t n;
    const brief_source *from;
} tally;

static void count_finding(const brief_edition *e, tally *t, const brief_observation *o, const char *decided) {
    t->n++;
    for (const brief_source *s = brief_sources(&o->values, decided); s; s = s->next)
        t->from = brief_source_add(e->arena, t->from, s->row, s->column, NULL);
}

static void put_tally(brief_edition *e, const char *name, const tally *t) {
    brief_put(&e->values, name, NULL, (double) t->n);
    brief_rest_on(&e->values, name, t->from);
}

/* How many findings of each sort there are: what the sections after the findings may refer to. */
static void put_counts(brief_edition *e) {
    tally models = {0}, drivers = {0}, differences = {0}, tested = {0}, unclear = {0};
    for (size_t k = 0; k < e->n_observations; k++) {
        const brief_observation *o = &e->observations[k];
        double found = brief_number(&o->values, "significant"), positive = brief_number(&o->values, "positives"),
               negative = brief_number(&o->values, "negatives");
        if (positive > 0 && strncmp(o->kind, "drivers", 7) == 0) count_finding(e, &drivers, o, "positives");
        if (positive + negative > 0) count_finding(e, &models, o, positive > 0 ? "positives" : "negatives");
        if (!isnan(found)) count_finding(e, &tested, o, "significant");
        if (found > 0) count_finding(e, &differences, o, "significant");
        if (found == 0) count_finding(e, &unclear, o, "significant");
    }
    put_tally(e, "models", &models);
    put_tally(e, "drivers", &drivers);
    put_tally(e, "differences", &differences);
    put_tally(e, "contrasts", &tested);
    put_tally(e, "unclear_contrasts", &unclear);
    brief_put(&e->values, "findings", NULL, (double) e->n_observations);
}

static void choose_analyses(brief_edition *e) {
    const rsp_study *s = e->p->study;
    const rsp_edition *d = e->edition;
    size_t n = d && d->n_analyses ? d->n_analyses : s->n_analyses;
    e->analyses = RSP_ARRAY(e->arena, const rsp_analysis *, n + 1);
    for (size_t k = 0; k < n; k++) {
        const rsp_analysis *x = d && d->n_analyses ? rsp_label_find(e->labels, d->analyses[k]) : &s->analyses[k];
        if (x && rsp_edition_wants(e->p, d, x->id)) e->analyses[e->n_analyses++] = x;
    }
}

void brief_observe(brief_edition *e) {
    put_edition(e);
    choose_analyses(e);
    for (size_t k = 0; k < e->n_analyses; k++) {
        const rsp_analysis *x = e->analyses[k];
        if (x->kind == RSP_A_TABLE) observe_table(e, x);
        if (x->kind == RSP_A_MODEL && x->model.kind == RSP_DRIVERS_MODEL) observe_drivers(e, x);
        else if (x->kind == RSP_A_MODEL) observe_model(e, x);
        if (x->kind == RSP_A_TEST) observe_test(e, x);
    }
    put_counts(e);
    observe(e, "edition", NULL)->values = e->values;
}
