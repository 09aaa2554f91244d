/* Rules about how a respondent answered: twice, too little, too fast, always the same, far from everybody else. */
#include "clean/cleaner.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const rsp_clean_rule *this_rule(const rsp_cleaner *c) { return &c->study->rules[c->rule]; }
static bool kept(const rsp_cleaner *c, size_t row) { return c->frame->aside[row] < 0; }

static int compare_doubles(const void *x, const void *y) {
    double a = *(const double *) x, b = *(const double *) y;
    return (a > b) - (a < b);
}

/* ---- incomplete ------------------------------------------------------------------------------------------------- */

/* What an export knows of a respondent without asking is no question answered. */
static bool is_role(const rsp_roles *r, size_t j) {
    const size_t roles[] = {r->id, r->country, r->language, r->started, r->submitted, r->duration, r->consent};
    for (size_t k = 0; k < sizeof roles / sizeof *roles; k++)
        if (roles[k] == j) return true;
    return false;
}

static bool counts_as_question(const rsp_cleaner *c, size_t j) {
    const rsp_variable *v = &c->study->variables[j];
    if (v->derive.kind != RSP_DERIVE_NONE || v->part_of != RSP_NONE || is_role(&c->study->roles, j)) return false;
    return c->frame->columns[j].kind != RSP_COL_NONE || v->first_part != RSP_NONE; /* unused texts are not stored */
}

/* Variables that the rule names, else all questions. */
static size_t *questions(const rsp_cleaner *c, const rsp_clean_rule *rule, size_t *n) {
    size_t *list = rsp_malloc((c->study->n_variables + rule->n_items + 1) * sizeof *list);
    *n = 0;
    for (size_t k = 0; k < rule->n_items; k++) list[(*n)++] = rule->items[k];
    for (size_t j = 0; !rule->n_items && j < c->study->n_variables; j++)
        if (counts_as_question(c, j)) list[(*n)++] = j;
    return list;
}

static bool not_shown(int why) { return why == RSP_NA_NOT_SHOWN || why == RSP_NA_NOT_ASKED; }

/* Was the question of this cell shown to the respondent? */
static bool was_shown(const rsp_frame *f, size_t variable, size_t row) {
    const rsp_column *c = &f->columns[variable];
    const rsp_variable *v = &f->study->variables[variable];
    switch (c->kind) {
    case RSP_COL_CODE:
    case RSP_COL_SMALL: return !not_shown(rsp_code(c, row));
    case RSP_COL_NUMBER: return !isnan(c->number[row]) || !c->why || !not_shown(c->why[row]);
    case RSP_COL_TEXT: return !not_shown(c->text[row]);
    case RSP_COL_NONE: break;
    }
    for (size_t k = 0; v->first_part != RSP_NONE && k < v->list->n; k++)
        if (was_shown(f, v->first_part + k, row)) return true;
    return false;
}

typedef struct {
    uint32_t answered, shown;
} tally;

/* Questions shown and answered, by row; "don't know" is an answer. */
static tally *count_answers(const rsp_cleaner *c, const size_t *list, size_t n) {
    const rsp_frame *f = c->frame;
    tally *rows = rsp_calloc(f->n + 1, sizeof *rows);
    size_t blocks = (f->n + RSP_BLOCK - 1) / RSP_BLOCK;
#pragma omp parallel for schedule(static) if (blocks > 1)
    for (size_t b = 0; b < blocks; b++) {
        size_t from = b * RSP_BLOCK, to = f->n - from < RSP_BLOCK ? f->n : from + RSP_BLOCK;
        for (size_t k = 0; k < n; k++)
            for (size_t i = from; i < to; i++) {
                bool present = rsp_cell_present(f, list[k], i);
                rows[i].answered += present;
                rows[i].shown += present || was_shown(f, list[k], i);
            }
    }
    return rows;
}

void rsp_rule_incomplete(rsp_cleaner *c) {
    size_t n;
    size_t *list = questions(c, this_rule(c), &n);
    tally *rows = count_answers(c, list, n);
    for (size_t i = 0; i < c->frame->n; i++) {
        double share = rows[i].shown ? (double) rows[i].answered / rows[i].shown : 0;
        if (kept(c, i) && share < this_rule(c)->minimum)
            rsp_cleaner_act(c, i, RSP_NONE,
                            rsp_printf(c->log->arena, "%u of %u questions answered", rows[i].answered, rows[i].shown));
    }
    free(rows);
    free(list);
}

/* ---- duplicates ------------------------------------------------------------------------------------------------- */

typedef struct {
    const rsp_cleaner *c;
    const tally *answers; /* RSP_KEEP_MOST_COMPLETE */
} ranking;

/* When the respondent was there: submission, else the start. */
static double time_of(const rsp_cleaner *c, size_t row) {
    const rsp_roles *r = &c->study->roles;
    double t = r->submitted == RSP_NONE ? NAN : rsp_value(c->frame, r->submitted, row);
    return isnan(t) && r->started != RSP_NONE ? rsp_value(c->frame, r->started, row) : t;
}

static int compare_groups(const rsp_cleaner *c, size_t a, size_t b) {
    const rsp_clean_rule *rule = this_rule(c);
    int order = 0;
    for (size_t k = 0; k < rule->n_by && !order; k++) order = rsp_cell_compare(c->frame, rule->by[k], a, b);
    return order;
}

/* Alike rows together, the one that stays first. Without times the frame's order decides, which does not depend on
 * files. */
static int compare_rows(const void *x, const void *y, void *context) {
    const ranking *r = context;
    size_t a = *(const size_t *) x, b = *(const size_t *) y;
    int keep = this_rule(r->c)->keep, order = compare_groups(r->c, a, b);
    if (order) return order;
    if (keep == RSP_KEEP_MOST_COMPLETE && r->answers[a].answered != r->answers[b].answered)
        return r->answers[a].answered > r->answers[b].answered ? -1 : 1;
    double ta = time_of(r->c, a), tb = time_of(r->c, b);
    if (isnan(ta) != isnan(tb)) return isnan(ta) ? 1 : -1;
    bool late = keep == RSP_KEEP_LAST;
    if (ta < tb || ta > tb) return (ta < tb) != late ? -1 : 1;
    return (a < b) != late ? -1 : 1;
}

/* Rows that have all that rows are compared by: without it nobody is anybody's duplicate. */
static size_t *comparable_rows(const rsp_cleaner *c, size_t *n) {
    const rsp_clean_rule *rule = this_rule(c);
    size_t *rows = rsp_malloc((c->frame->n + 1) * sizeof *rows);
    *n = 0;
    for (size_t i = 0; i < c->frame->n; i++) {
        bool all = kept(c, i);
        for (size_t k = 0; k < rule->n_by && all; k++) all = rsp_cell_present(c->frame, rule->by[k], i);
        if (all) rows[(*n)++] = i;
    }
    return rows;
}

static const char *names_of(const rsp_cleaner *c, const size_t *list, size_t n) {
    rsp_buf b = {0};
    for (size_t k = 0; k < n; k++) rsp_buf_printf(&b, "%s%s", k ? ", " : "", c->study->variables[list[k]].name);
    const char *text = rsp_strdup(c->log->arena, b.data ? b.data : "");
    rsp_buf_free(&b);
    return text;
}

void rsp_rule_duplicates(rsp_cleaner *c) {
    static const char *const stays[] = {"the first stays", "the last stays", "the most complete stays"};
    const rsp_clean_rule *rule = this_rule(c);
    ranking r = {c, NULL};
    size_t n, n_questions;
    size_t *rows = comparable_rows(c, &n), *list = NULL;
    tally *answers = NULL;
    if (rule->keep == RSP_KEEP_MOST_COMPLETE) {
        const rsp_clean_rule all = {.n_items = 0};
        list = questions(c, &all, &n_questions);
        r.answers = answers = count_answers(c, list, n_questions);
    }
    qsort_r(rows, n, sizeof *rows, compare_rows, &r);
    uint8_t *twice = rsp_calloc(c->frame->n + 1, 1); /* the log is written in the order of rows */
    for (size_t k = 1; k < n; k++) twice[rows[k]] = !compare_groups(c, rows[k - 1], rows[k]);
    const char *detail = rsp_printf(c->log->arena, "same as another row in %s; %s", names_of(c, rule->by, rule->n_by),
                                    stays[rule->keep]);
    for (size_t i = 0; i < c->frame->n; i++)
        if (twice[i]) rsp_cleaner_act(c, i, RSP_NONE, detail);
    free(twice);
    free(answers);
    free(list);
    free(rows);
}

/* ---- speeders --------------------------------------------------------------------------------------------------- */

typedef struct {
    int32_t country, language;
    double duration;
    size_t row;
} visit;

/* Time taken, NaN where unknown: a submission before the start says nothing. */
static double duration_of(const rsp_cleaner *c, size_t row) {
    const rsp_roles *r = &c->study->roles;
    double t = NAN;
    if (r->duration != RSP_NONE) t = rsp_value(c->frame, r->duration, row);
    else if (r->started != RSP_NONE && r->submitted != RSP_NONE)
        t = rsp_value(c->frame, r->submitted, row) - rsp_value(c->frame, r->started, row);
    return t >= 0 ? t : NAN;
}

static int compare_visits(const void *x, const void *y) {
    const visit *a = x, *b = y;
    if (a->country != b->country) return a->country < b->country ? -1 : 1;
    if (a->language != b->language) return a->language < b->language ? -1 : 1;
    if (a->duration < b->duration || a->duration > b->duration) return a->duration < b->duration ? -1 : 1;
    return a->row < b->row ? -1 : a->row > b->row;
}

static const int32_t *categories(const rsp_cleaner *c, size_t variable, rsp_arena *a) {
    if (variable == RSP_NONE || c->frame->columns[variable].kind == RSP_COL_NONE) return NULL;
    rsp_categories k;
    rsp_categorise(c->frame, variable, a, &k);
    return k.category;
}

static visit *visits(const rsp_cleaner *c, size_t *n) {
    rsp_arena *a = rsp_arena_new();
    const int32_t *country = categories(c, c->study->roles.country, a);
    const int32_t *language = categories(c, c->study->roles.language, a);
    visit *list = rsp_malloc((c->frame->n + 1) * sizeof *list);
    *n = 0;
    for (size_t i = 0; i < c->frame->n; i++) {
        double t = duration_of(c, i);
        if (kept(c, i) && !isnan(t)) list[(*n)++] = (visit){country ? country[i] : 0, language ? language[i] : 0, t, i};
    }
    rsp_arena_free(a);
    return list;
}

static bool same_group(const visit *a, const visit *b) {
    return a->country == b->country && a->language == b->language;
}

void rsp_rule_speeders(rsp_cleaner *c) {
    size_t n;
    visit *list = visits(c, &n);
    uint8_t *fast = rsp_calloc(c->frame->n + 1, 1);
    qsort(list, n, sizeof *list, compare_visits);
    for (size_t from = 0, to; from < n; from = to) {
        for (to = from; to < n && same_group(&list[from], &list[to]);) to++;
        double median = (list[from + (to - from - 1) / 2].duration + list[from + (to - from) / 2].duration) / 2;
        for (size_t k = from; k < to; k++) fast[list[k].row] = list[k].duration < this_rule(c)->minimum * median;
    }
    char share[32];
    rsp_double_text(this_rule(c)->minimum, share);
    bool parts = c->study->roles.country != RSP_NONE || c->study->roles.language != RSP_NONE;
    const char *detail = rsp_printf(c->log->arena, "faster than %s of the median time%s", share,
                                    parts ? " in the same country and language" : "");
    for (size_t i = 0; i < c->frame->n; i++)
        if (fast[i]) rsp_cleaner_act(c, i, RSP_NONE, detail);
    free(fast);
    free(list);
}

/* ---- straightliners --------------------------------------------------------------------------------------------- */

/* Answers as given, not turned round: how many are there, and are they all alike? */
static bool all_alike(const rsp_cleaner *c, const rsp_clean_rule *rule, size_t row, size_t *answers) {
    double first = NAN;
    *answers = 0;
    for (size_t k = 0; k < rule->n_items; k++) {
        double x = rsp_value(c->frame, rule->items[k], row);
        if (isnan(x)) continue;
        if (++*answers == 1) first = x;
        else if (x != first) return false;
    }
    return true;
}

void rsp_rule_straightliners(rsp_cleaner *c) {
    const rsp_clean_rule *rule = this_rule(c);
    for (size_t i = 0; i < c->frame->n; i++) {
        size_t answers;
        if (!kept(c, i) || !all_alike(c, rule, i, &answers) || (double) answers < rule->minimum) continue;
        rsp_cleaner_act(c, i, RSP_NONE,
                        rsp_printf(c->log->arena, "the same answer to %zu of %zu statements", answers, rule->n_items));
    }
}

/* ---- outliers --------------------------------------------------------------------------------------------------- */

/* Quantile of sorted values by linear interpolation (Hyndman and Fan 1996, definition 7). */
static double quantile(const double *sorted, size_t n, double p) {
    double at = (double) (n - 1) * p, low = floor(at);
    size_t k = (size_t) low;
    return sorted[k] + (k + 1 < n ? (at - low) * (sorted[k + 1] - sorted[k]) : 0);
}

/* Limits of a variable: those of the rule, narrowed to the quartiles less and plus `minimum` interquartile ranges. */
static void limits(const rsp_cleaner *c, size_t variable, double *low, double *high) {
    const rsp_clean_rule *rule = this_rule(c);
    *low = isnan(rule->low) ? -INFINITY : rule->low;
    *high = isnan(rule->high) ? INFINITY : rule->high;
    if (isnan(rule->minimum)) return;
    double *sorted = rsp_malloc((c->frame->n + 1) * sizeof *sorted);
    size_t n = 0;
    for (size_t i = 0; i < c->frame->n; i++) {
        double x = rsp_value(c->frame, variable, i);
        if (kept(c, i) && !isnan(x)) sorted[n++] = x;
    }
    qsort(sorted, n, sizeof *sorted, compare_doubles);
    if (n) {
        double q1 = quantile(sorted, n, 0.25), q3 = quantile(sorted, n, 0.75), reach = rule->minimum * (q3 - q1);
        *low = fmax(*low, q1 - reach);
        *high = fmin(*high, q3 + reach);
    }
    free(sorted);
}

void rsp_rule_outliers(rsp_cleaner *c) {
    const rsp_clean_rule *rule = this_rule(c);
    const char *detail = isnan(rule->minimum) ? "outside the rule's limits" : "far from the quartiles";
    for (size_t k = 0; k < rule->n_items; k++) {
        double low, high;
        limits(c, rule->items[k], &low, &high);
        for (size_t i = 0; i < c->frame->n; i++) {
            double x = rsp_value(c->frame, rule->items[k], i);
            if (kept(c, i) && (x < low || x > high)) rsp_cleaner_act(c, i, rule->items[k], detail);
        }
    }
}
