/* What: the items of a table as measures (what is added up) and forms (statistics of the sums). */
#include "estimate/estimate.h"

#include "responsive/limits.h"

#include <math.h>
#include <string.h>

enum { FIVE_POINTS = 5 };

struct builder {
    const rsp_frame *frame;
    const rsp_analysis *analysis;
    const est_people *who;
    rsp_arena *arena;
    rsp_diag *diag;
    est_items *out;
};

/* The levels of an item as they are counted, before any statistic is chosen. */
struct levels {
    size_t k;
    const char **code;
    double *value;
    uint8_t *valid; /* else a missing category */
    bool any_missing;
    bool numbered; /* values are numbers (not words) */
};

static est_shape shape_of(rsp_statistic s) { return s == RSP_MEAN ? EST_RATIO : s == RSP_SD ? EST_SD : EST_TOTAL; }

static est_item *add_item(struct builder *b, const char *term, size_t place, size_t most_forms) {
    est_item *it = &b->out->items[b->out->n++];
    *it = (est_item){.term = term, .item = place};
    it->forms = RSP_ARRAY(b->arena, est_form, most_forms);
    return it;
}

static est_form *add_form(est_item *it, const char *level, const char *statistic, est_shape shape) {
    est_form *f = &it->forms[it->n_forms++];
    *f = (est_form){.level = level, .statistic = statistic, .shape = shape, .probability = NAN, .compared = true};
    return f;
}

static bool room_for_totals(struct builder *b, est_item *it) {
    size_t cells = b->who->n_domains * b->who->n_countries;
    if (cells * it->measure.k > RSP_MOST_TOTALS) {
        rsp_report(b->diag, RSP_ERR_STUDY, b->analysis->loc, "derive coarser classes with `cut` or `map`",
                   "'%s' crossed with %zu groups makes more than %d cells", it->term, b->who->n_domains,
                   RSP_MOST_TOTALS);
        return false;
    }
    it->full = RSP_ARRAY(b->arena, double, cells * it->measure.k);
    it->count = RSP_ARRAY(b->arena, int64_t, it->measure.kind == EST_LEVELS ? cells * it->measure.k : cells);
    it->df = RSP_ARRAY(b->arena, double, it->n_bases * b->who->n_domains);
    it->organisations = RSP_ARRAY(b->arena, int64_t, it->n_bases * b->who->n_domains);
    it->designed = RSP_ARRAY(b->arena, bool, it->n_bases + 1);
    return true;
}

static void refuse(struct builder *b, const rsp_variable *v, const char *hint) {
    rsp_report(b->diag, RSP_ERR_STUDY, b->analysis->loc, hint, "statistic %s has no meaning for '%s'",
               rsp_statistic_word(b->analysis->table.statistic), v->name);
}

/* ---- levels ----------------------------------------------------------------------------------------------------- */

static void levels_new(struct levels *l, size_t k, rsp_arena *a) {
    *l = (struct levels){.k = k,
                         .code = RSP_ARRAY(a, const char *, k),
                         .value = RSP_ARRAY(a, double, k),
                         .valid = RSP_ARRAY(a, uint8_t, k),
                         .numbered = true};
    memset(l->valid, 1, k);
}

static void levels_of_list(const rsp_list *list, struct levels *l, rsp_arena *a) {
    levels_new(l, list->n, a);
    for (size_t k = 0; k < list->n; k++) {
        l->code[k] = list->choices[k].code;
        l->value[k] = list->choices[k].value;
        l->valid[k] = !list->choices[k].missing;
        l->any_missing |= list->choices[k].missing;
    }
}

/* Ticks are 0 and 1, places of a ranking 0 (not ranked) to the number of choices. */
static void levels_of_small(size_t largest, struct levels *l, rsp_arena *a) {
    levels_new(l, largest + 1, a);
    for (size_t k = 0; k <= largest; k++) {
        l->code[k] = rsp_printf(a, "%zu", k);
        l->value[k] = (double) k;
    }
}

static size_t largest_small(const rsp_frame *f, size_t variable) {
    const rsp_column *c = &f->columns[variable];
    int largest = 1;
    for (size_t i = 0; i < f->n; i++)
        if (c->c8[i] > largest) largest = c->c8[i];
    return (size_t) largest;
}

static bool levels_of_values(struct builder *b, size_t variable, est_measure *m, struct levels *l) {
    const rsp_variable *v = &b->frame->study->variables[variable];
    rsp_categories c;
    rsp_categorise(b->frame, variable, b->arena, &c);
    if (c.n > RSP_MOST_LEVELS) {
        rsp_report(b->diag, RSP_ERR_STUDY, b->analysis->loc, "derive classes of it with `cut`",
                   "'%s' has %zu different values: shares are made of %d at most", v->name, c.n, RSP_MOST_LEVELS);
        return false;
    }
    levels_new(l, c.n, b->arena);
    for (size_t k = 0; k < c.n; k++) {
        l->code[k] = c.code[k];
        l->numbered = rsp_parse_double(c.code[k], strlen(c.code[k]), '.', &l->value[k]) && l->numbered;
    }
    m->c32 = c.category;
    return true;
}

/* Levels and the column that holds them; false and reported when the item has none. */
static bool take_levels(struct builder *b, size_t variable, est_measure *m, struct levels *l) {
    const rsp_variable *v = &b->frame->study->variables[variable];
    const rsp_column *c = &b->frame->columns[variable];
    m->kind = EST_LEVELS;
    switch (c->kind) {
    case RSP_COL_CODE: levels_of_list(c->list, l, b->arena); break;
    case RSP_COL_SMALL: levels_of_small(largest_small(b->frame, variable), l, b->arena); break;
    case RSP_COL_NUMBER:
    case RSP_COL_TEXT:
        if (!levels_of_values(b, variable, m, l)) return false;
        break;
    case RSP_COL_NONE: refuse(b, v, "this text is not kept"); return false;
    }
    m->k = l->k;
    m->c8 = c->kind == RSP_COL_CODE || c->kind == RSP_COL_SMALL ? c->c8 : NULL;
    m->c16 = c->kind == RSP_COL_CODE ? c->c16 : NULL;
    return true;
}

static double *zeros(const struct builder *b, size_t k) { return RSP_ARRAY(b->arena, double, k); }

/* 1 at every level of a base. */
static const double *ones_of(const struct builder *b, const uint8_t *base, size_t k) {
    double *one = zeros(b, k);
    for (size_t l = 0; l < k; l++) one[l] = !base || base[l];
    return one;
}

static void set_bases(const struct builder *b, est_item *it, const uint8_t *first, const uint8_t *second) {
    it->n_bases = 2;
    it->bases = RSP_ARRAY(b->arena, const uint8_t *, 2);
    it->bases[0] = first;
    it->bases[1] = second;
}

static est_form *add_share(struct builder *b, est_item *it, const char *level, const char *statistic, const double *a,
                           size_t base) {
    est_form *f = add_form(it, level, statistic, EST_RATIO);
    f->a = a;
    f->b = ones_of(b, it->bases[base], it->measure.k);
    f->base = base;
    f->share = true;
    return f;
}

static const double *only(struct builder *b, size_t k, size_t level) {
    double *a = zeros(b, k);
    a[level] = 1;
    return a;
}

/* Valid levels first, in the order of the list; then the missing categories ("don't know"), each as its share of all
 * who gave a valid or such an answer. */
static void proportions(struct builder *b, est_item *it, const struct levels *l) {
    for (size_t k = 0; k < l->k; k++)
        if (l->valid[k]) add_share(b, it, l->code[k], "proportion", only(b, l->k, k), 0);
    for (size_t k = 0; k < l->k; k++)
        if (!l->valid[k]) add_share(b, it, l->code[k], "proportion_missing", only(b, l->k, k), 1)->compared = false;
}

/* An ordered scale of five answers: the two at each end can be joined where an answer of few must be hidden. */
static bool joins_in_pairs(const struct builder *b, size_t variable, const struct levels *l) {
    const rsp_variable *v = &b->frame->study->variables[variable];
    size_t n_valid = 0;
    for (size_t k = 0; k < l->k; k++) n_valid += l->valid[k];
    return n_valid == FIVE_POINTS && v->list && v->measure != RSP_NOMINAL && !b->frame->study->disclosure.off;
}

/* The shares of the two lowest and of the two highest answers: candidates that disclosure control publishes only where it
 * cannot publish the five. */
static void joined_pairs(struct builder *b, est_item *it, const struct levels *l) {
    size_t valid[FIVE_POINTS], n = 0;
    for (size_t k = 0; k < l->k; k++)
        if (l->valid[k]) valid[n++] = k;
    for (size_t first = 0; first < FIVE_POINTS; first += 3) {
        double *a = zeros(b, l->k);
        a[valid[first]] = a[valid[first + 1]] = 1;
        const char *level = rsp_printf(b->arena, "%s %s", l->code[valid[first]], l->code[valid[first + 1]]);
        add_share(b, it, level, "proportion_collapsed", a, 0)->compared = false;
    }
}

static void counts(struct builder *b, est_item *it, const struct levels *l) {
    for (size_t k = 0; k < l->k; k++) {
        if (!l->valid[k]) continue;
        est_form *f = add_form(it, l->code[k], "count", EST_TOTAL);
        f->a = only(b, l->k, k);
        f->compared = false;
        f->counted = true;
    }
}

/* net: categories above the middle of the scale less those below it, each counted 1 (of five: 4, 5 less 1, 2); the
 * middle one of an odd number counts 0. top2: the two highest. */
static bool ordinal_form(struct builder *b, est_item *it, const struct levels *l, bool net) {
    size_t n_valid = 0, place = 0;
    double *a = zeros(b, l->k);
    for (size_t k = 0; k < l->k; k++) n_valid += l->valid[k];
    if (n_valid < 2) return false;
    for (size_t k = 0; k < l->k; k++) {
        if (!l->valid[k]) continue;
        if (net) a[k] = 2 * place + 1 > n_valid ? 1 : 2 * place + 1 < n_valid ? -1 : 0;
        else a[k] = place + 2 >= n_valid;
        place++;
    }
    est_form *f = add_share(b, it, "", net ? "net" : "top2", a, 0);
    f->share = !net;
    return true;
}

static void value_form(struct builder *b, est_item *it, const struct levels *l, rsp_statistic statistic) {
    double *a = zeros(b, l->k), *a2 = zeros(b, l->k), first = NAN;
    for (size_t k = 0; k < l->k; k++) {
        if (!l->valid[k]) continue;
        if (isnan(first)) first = statistic == RSP_SD ? l->value[k] : 0; /* a spread does not depend on it */
        a[k] = l->value[k] - first;
        a2[k] = a[k] * a[k];
    }
    est_form *f = add_form(it, "", rsp_statistic_word(statistic), shape_of(statistic));
    f->a = a;
    f->a2 = a2;
    f->b = ones_of(b, it->bases[0], l->k);
}

static bool forms_of_levels(struct builder *b, est_item *it, const struct levels *l, rsp_statistic statistic) {
    switch (statistic) {
    case RSP_PROPORTION: proportions(b, it, l); return true;
    case RSP_COUNT: counts(b, it, l); return true;
    case RSP_NET: return ordinal_form(b, it, l, true);
    case RSP_TOP2: return ordinal_form(b, it, l, false);
    case RSP_MEAN:
    case RSP_TOTAL:
    case RSP_SD: value_form(b, it, l, statistic); return l->numbered;
    default: return false;
    }
}

static bool add_levels_item(struct builder *b, size_t variable, size_t place, rsp_statistic statistic) {
    est_measure m = {0};
    struct levels l = {0};
    if (!take_levels(b, variable, &m, &l)) return false;
    const rsp_variable *v = &b->frame->study->variables[variable];
    est_item *it = add_item(b, v->name, place, l.k + 2);
    it->measure = m;
    set_bases(b, it, l.any_missing ? l.valid : NULL, NULL);
    if (!forms_of_levels(b, it, &l, statistic)) {
        bool order = statistic == RSP_NET || statistic == RSP_TOP2;
        refuse(b, v, order ? "it needs two or more answers in order" : "its answers are words");
        return false;
    }
    if (statistic == RSP_PROPORTION && joins_in_pairs(b, variable, &l)) joined_pairs(b, it, &l);
    return room_for_totals(b, it);
}

/* ---- numbers ---------------------------------------------------------------------------------------------------- */

/* A variable as numbers, borrowed where the column holds them. */
static const double *numbers_of(struct builder *b, size_t variable) {
    const rsp_column *c = &b->frame->columns[variable];
    if (c->kind == RSP_COL_NUMBER) return c->number;
    double *y = RSP_ARRAY(b->arena, double, b->frame->n);
    for (size_t i = 0; i < b->frame->n; i++) y[i] = rsp_value(b->frame, variable, i);
    return y;
}

static bool has_numbers(struct builder *b, size_t variable) {
    rsp_column_kind kind = b->frame->columns[variable].kind;
    if (kind != RSP_COL_TEXT && kind != RSP_COL_NONE) return true;
    refuse(b, &b->frame->study->variables[variable], "it has no numbers");
    return false;
}

static void one_base(est_item *it, rsp_arena *a) {
    it->n_bases = 1;
    it->bases = RSP_ARRAY(a, const uint8_t *, 1);
}

/* The mean, total or standard deviation of numbers. Totals a cell: 1, y, y squared, y less the shift. */
static void moment_form(struct builder *b, est_item *it, const double *y, rsp_statistic statistic) {
    size_t k = statistic == RSP_SD ? 3 : 2;
    double *a = zeros(b, k), *a2 = zeros(b, k), *one = zeros(b, k);
    one[0] = a[1] = 1;
    if (k > 2) a2[2] = 1;
    it->measure = (est_measure){.kind = EST_MOMENTS, .k = k, .y = y};
    est_form *f = add_form(it, "", rsp_statistic_word(statistic), shape_of(statistic));
    f->a = a;
    f->b = one;
    f->a2 = a2;
    f->compared = statistic != RSP_COUNT;
    f->counted = statistic == RSP_COUNT;
}

static bool add_number_item(struct builder *b, size_t variable, size_t place, rsp_statistic statistic) {
    if (!has_numbers(b, variable)) return false;
    est_item *it = add_item(b, b->frame->study->variables[variable].name, place, 1);
    one_base(it, b->arena);
    moment_form(b, it, numbers_of(b, variable), statistic);
    return room_for_totals(b, it);
}

static bool add_quantile_item(struct builder *b, size_t variable, size_t place) {
    const rsp_table *t = &b->analysis->table;
    if (!has_numbers(b, variable)) return false;
    size_t n = t->statistic == RSP_MEDIAN ? 1 : t->n_probs;
    est_item *it = add_item(b, b->frame->study->variables[variable].name, place, n);
    for (size_t k = 0; k < n; k++) {
        double p = t->statistic == RSP_MEDIAN ? 0.5 : t->probs[k];
        char text[32];
        rsp_double_text(p, text);
        bool median = t->statistic == RSP_MEDIAN;
        est_form *f = add_form(it, median ? "" : rsp_strdup(b->arena, text), median ? "median" : "quantile", EST_RATIO);
        f->probability = p;
        f->compared = false;
    }
    one_base(it, b->arena);
    est_quantiles(b->who, numbers_of(b, variable), it, b->arena);
    return room_for_totals(b, it);
}

static bool add_ratio_item(struct builder *b) {
    const rsp_table *t = &b->analysis->table;
    const rsp_variable *v = b->frame->study->variables;
    if (!has_numbers(b, t->numerator) || !has_numbers(b, t->denominator)) return false;
    est_item *it = add_item(b, rsp_printf(b->arena, "%s/%s", v[t->numerator].name, v[t->denominator].name), 0, 1);
    double *above = zeros(b, 3), *below = zeros(b, 3);
    above[1] = below[2] = 1;
    it->measure = (est_measure){.kind = EST_PAIR, .k = 3};
    it->measure.y = numbers_of(b, t->numerator);
    it->measure.x = numbers_of(b, t->denominator);
    one_base(it, b->arena);
    est_form *f = add_form(it, "", "ratio", EST_RATIO);
    f->a = above;
    f->b = below;
    return room_for_totals(b, it);
}

void est_mean_item(est_item *it, const double *y, const est_people *who, rsp_arena *a) {
    struct builder b = {.who = who, .arena = a};
    *it = (est_item){.term = "", .forms = RSP_ARRAY(a, est_form, 1)};
    one_base(it, a);
    moment_form(&b, it, y, RSP_MEAN);
    room_for_totals(&b, it); /* few groups: the test saw to it */
}

void est_sides_item(est_item *it, const int8_t *side, const est_people *who, rsp_arena *a) {
    struct builder b = {.who = who, .arena = a};
    double *numerator = zeros(&b, 3);
    numerator[0] = -1, numerator[2] = 1;
    *it = (est_item){.term = "", .forms = RSP_ARRAY(a, est_form, 1)};
    it->measure = (est_measure){.kind = EST_LEVELS, .k = 3, .c8 = side};
    one_base(it, a);
    est_form *f = add_form(it, "", "net", EST_RATIO);
    f->a = numerator;
    f->b = ones_of(&b, NULL, 3);
    room_for_totals(&b, it); /* few groups: the analysis saw to it */
}

void est_cells_item(est_item *it, const int32_t *cell, size_t k, est_form *forms, size_t n_forms, const est_people *who,
                    rsp_arena *a) {
    struct builder b = {.who = who, .arena = a};
    *it = (est_item){.term = "", .forms = forms, .n_forms = n_forms};
    it->measure = (est_measure){.kind = EST_LEVELS, .k = k, .c32 = cell};
    one_base(it, a);
    room_for_totals(&b, it); /* few groups: the test saw to it */
}

/* ---- questions in parts ----------------------------------------------------------------------------------------- */

/* A ranking's choice: the share who ranked it at all and, among those, its mean place (1 is the top). */
static void rank_forms(struct builder *b, est_item *it, const struct levels *l, const char *code,
                       rsp_statistic statistic) {
    uint8_t *ranked = RSP_ARRAY(b->arena, uint8_t, l->k);
    double *any = zeros(b, l->k);
    for (size_t k = 1; k < l->k; k++) {
        ranked[k] = 1;
        any[k] = 1;
    }
    set_bases(b, it, NULL, ranked);
    if (statistic == RSP_PROPORTION) add_share(b, it, code, "proportion", any, 0);
    est_form *f = add_form(it, code, "mean_rank", EST_RATIO);
    f->a = l->value;
    f->b = ones_of(b, ranked, l->k);
    f->base = 1;
    f->compared = false;
}

static void tick_forms(struct builder *b, est_item *it, const struct levels *l, const char *code,
                       rsp_statistic statistic) {
    set_bases(b, it, NULL, NULL);
    if (statistic == RSP_PROPORTION || statistic == RSP_MEAN) {
        add_share(b, it, code, "proportion", only(b, l->k, 1), 0);
        return;
    }
    est_form *f = add_form(it, code, rsp_statistic_word(statistic), EST_TOTAL);
    f->a = l->value;
    f->b = ones_of(b, NULL, l->k);
    f->compared = false;
    f->counted = statistic == RSP_COUNT;
}

/* Shares of the exclusive combinations, which add up to 1 over everybody shown the question. */
static bool add_combinations(struct builder *b, size_t variable, size_t place) {
    const rsp_variable *v = &b->frame->study->variables[variable];
    int32_t *cell = RSP_ARRAY(b->arena, int32_t, b->frame->n);
    const char **names;
    size_t k = est_combinations(b->frame, variable, b->who->sample->weight, b->arena, cell, &names);
    est_item *it = add_item(b, v->name, place, k);
    it->measure = (est_measure){.kind = EST_LEVELS, .k = k, .c32 = cell};
    set_bases(b, it, NULL, NULL);
    for (size_t j = 0; j < k; j++) add_share(b, it, names[j], "combination", only(b, k, j), 0)->compared = false;
    return room_for_totals(b, it);
}

/* How much larger the share is that ranks one choice than the share that ranks another: the same respondents gave both,
 * so the difference is a statistic of one item. */
static bool add_choice_differences(struct builder *b, size_t variable, size_t place) {
    static const uint8_t all[3] = {1, 1, 1};
    const rsp_variable *v = &b->frame->study->variables[variable];
    double *a = zeros(b, 3);
    a[1] = 1;
    a[2] = -1;
    for (size_t x = 0; x < v->list->n; x++)
        for (size_t y = x + 1; y < v->list->n; y++) {
            est_item *it = add_item(b, v->name, place, 1);
            const int8_t *cell = est_preferred(b->frame, variable, x, y, b->arena);
            it->measure = (est_measure){.kind = EST_LEVELS, .k = 3, .c8 = cell};
            set_bases(b, it, all, NULL);
            const char *codes = rsp_printf(b->arena, "%s-%s", v->list->choices[x].code, v->list->choices[y].code);
            est_form *f = add_share(b, it, codes, "choice_difference", a, 0);
            f->share = f->compared = false;
            f->tested = true;
            if (!room_for_totals(b, it)) return false;
        }
    return true;
}

/* One row a choice; base: everybody shown the question, which the part's own missing codes tell. */
static bool add_parts(struct builder *b, size_t variable, size_t place, rsp_statistic statistic) {
    const rsp_variable *v = &b->frame->study->variables[variable];
    bool rank = v->type == RSP_RANK;
    bool share = statistic == RSP_PROPORTION || statistic == RSP_MEAN;
    if (!share && (rank || (statistic != RSP_TOTAL && statistic != RSP_COUNT))) {
        refuse(b, v, "use proportion");
        return false;
    }
    for (size_t c = 0; c < v->list->n; c++) {
        est_measure m = {.kind = EST_LEVELS, .c8 = b->frame->columns[v->first_part + c].c8};
        struct levels l;
        size_t highest = rank ? v->list->n : 1, seen = largest_small(b->frame, v->first_part + c);
        levels_of_small(seen > highest ? seen : highest, &l, b->arena);
        m.k = l.k;
        est_item *it = add_item(b, v->name, place, 2);
        it->measure = m;
        if (rank) rank_forms(b, it, &l, v->list->choices[c].code, statistic);
        else tick_forms(b, it, &l, v->list->choices[c].code, statistic);
        if (!room_for_totals(b, it)) return false;
    }
    return true;
}

/* ---- the table -------------------------------------------------------------------------------------------------- */

static size_t most_items(const rsp_study *s, const rsp_table *t) {
    size_t n = 1;
    for (size_t j = 0; j < t->n_items; j++) {
        const rsp_variable *v = &s->variables[t->items[j]];
        size_t choices = v->first_part != RSP_NONE && v->list ? v->list->n : 0;
        n += 1 + choices + (t->statistic == RSP_RANKING ? choices * choices / 2 : 0);
    }
    return n;
}

static bool add_one(struct builder *b, size_t variable, size_t place) {
    const rsp_variable *v = &b->frame->study->variables[variable];
    const rsp_column *c = &b->frame->columns[variable];
    rsp_statistic statistic = b->analysis->table.statistic;
    if (statistic == RSP_COMBINATIONS)
        return add_parts(b, variable, place, RSP_PROPORTION) && add_combinations(b, variable, place);
    if (statistic == RSP_RANKING)
        return add_parts(b, variable, place, RSP_PROPORTION) && add_choice_differences(b, variable, place);
    if (c->kind == RSP_COL_NONE && v->first_part != RSP_NONE && v->list)
        return add_parts(b, variable, place, statistic);
    if (statistic == RSP_MEDIAN || statistic == RSP_QUANTILE) return add_quantile_item(b, variable, place);
    bool of_value = statistic == RSP_MEAN || statistic == RSP_TOTAL || statistic == RSP_SD || statistic == RSP_COUNT;
    if (of_value && c->kind == RSP_COL_NUMBER) return add_number_item(b, variable, place, statistic);
    return add_levels_item(b, variable, place, statistic);
}

bool est_items_new(const rsp_frame *f, const rsp_analysis *a, const est_people *who, rsp_arena *arena, est_items *out,
                   rsp_diag *d) {
    struct builder b = {f, a, who, arena, d, out};
    bool ok = true;
    *out = (est_items){.items = RSP_ARRAY(arena, est_item, most_items(f->study, &a->table))};
    if (a->table.statistic == RSP_RATIO) return add_ratio_item(&b);
    for (size_t j = 0; j < a->table.n_items; j++) ok = add_one(&b, a->table.items[j], j) && ok;
    return ok;
}
