/* Which published rows a chart shows, in which order, and what they are called. No geometry here. */
#include "chart.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_SERIES = 4, MAX_GROUP_ROWS = 40, MAX_COLUMNS = 12 };

/* A row of results that may be shown, with its domain seen from the edition. */
typedef struct {
    const rsp_published_row *row;
    size_t n_pairs;
    const char *rest; /* the domain without the edition's country */
    bool own;         /* the domain names the edition's country */
} candidate;

typedef struct {
    chart *c;
    size_t n, capacity;
    candidate *items; /* heap; in the order of the results */
    size_t n_terms, n_levels;
    const char *event;       /* code of the one answer shown of two; NULL: all */
    bool everybody, country; /* there are rows for everybody; for the edition's country alone */
    size_t most_pairs;
    bool few; /* rows for every item and group can still be read */
} selection;

/* ---- single values ------------------------------------------------------------------------------------------------ */

chart_state chart_state_of(const rsp_published_row *r) {
    if (!r) return CHART_NO_DATA;
    if (r->flags & (RSP_F_SUPPRESSED | RSP_F_SUPPRESSED_COMPLEMENTARY)) return CHART_SUPPRESSED;
    if (r->flags & RSP_F_NOT_COMPARABLE) return CHART_NOT_COMPARABLE;
    if (isnan(r->estimate)) {
        const uint32_t failed = RSP_F_SEPARATED | RSP_F_SINGULAR | RSP_F_NOT_CONVERGED | RSP_F_LONELY |
                                RSP_F_REPLICATES_FAILED | RSP_F_CONSTANT;
        if (r->flags & RSP_F_NOT_ELIGIBLE) return CHART_NOT_ELIGIBLE;
        return r->flags & failed ? CHART_NOT_ESTIMABLE : CHART_NO_DATA;
    }
    return r->flags & RSP_F_LOW_BASE ? CHART_LOW_BASE : CHART_PLAIN;
}

bool chart_known(const rsp_published_row *r) {
    chart_state s = chart_state_of(r);
    return (s == CHART_PLAIN || s == CHART_LOW_BASE) && isfinite(r->estimate);
}

static bool is(const char *a, const char *b) { return strcmp(a, b) == 0; }

bool chart_share(const chart *c) {
    const char *s = c->data.statistic;
    return is(s, "proportion") || is(s, "top2") || is(s, "net") || is(s, "combination") || is(s, "explained_share");
}

const char *chart_value(const chart *c, double x) {
    if (is(c->data.statistic, "net")) return rsp_say(c->t, c->a, "net_value", (rsp_arg[]){{"x", NULL, x}}, 1);
    if (chart_share(c)) return rsp_say_percent(c->t, c->a, x, 0);
    if (is(c->data.statistic, "count")) return rsp_say_number(c->t, c->a, x, 0);
    if (c->data.kind == CHART_FOREST && fabs(x) >= 1e6) /* an end without bound, in effect */
        return rsp_say_number(c->t, c->a, x > 0 ? INFINITY : -INFINITY, 0);
    return rsp_say_number(c->t, c->a, x, fabs(x) >= 1000 ? 0 : c->data.digits);
}

/* One number of decimals for the whole chart, so that a column of numbers can be compared: what the standard error says
 * in forests, else what the size of the largest says. */
int chart_digits(const chart_data *d) {
    double largest = 0, least_se = INFINITY;
    for (size_t r = 0; r < d->n_rows; r++)
        for (size_t k = 0; k < d->n_columns; k++) {
            const rsp_published_row *x = d->rows[r].cells[k];
            if (!chart_known(x)) continue;
            largest = fmax(largest, fabs(x->estimate));
            if (x->se > 0) least_se = fmin(least_se, x->se);
        }
    if (d->kind == CHART_FOREST) return least_se >= 0.01 ? 2 : least_se >= 0.001 ? 3 : 4;
    return largest >= 1000 ? 0 : largest >= 10 ? 1 : 2;
}

double chart_row_n(const chart *c, const chart_row *r) {
    double n = NAN;
    for (size_t k = 0; k < c->data.n_columns; k++)
        if (r->cells[k]) n = fmax(n, r->cells[k]->n); /* a hidden cell's is NaN, which fmax passes over */
    return n;
}

const char *chart_net_heading(const chart *c) {
    for (size_t r = 0; r < c->data.n_rows; r++)
        if (c->data.rows[r].net && rsp_label_rates(c->l, c->data.rows[r].net->analysis)) return "net_rating_heading";
    return "net_heading";
}

bool chart_bases(const chart *c, double *low, double *high) {
    size_t columns = c->data.kind == CHART_RANKING ? 1 : c->data.n_columns; /* mean places rest on fewer */
    *low = *high = NAN;
    for (size_t r = 0; r < c->data.n_rows; r++)
        for (size_t k = 0; k < columns; k++) {
            const rsp_published_row *x = c->data.rows[r].cells[k];
            if (!x || isnan(x->n) || x->flags & (RSP_F_UNANSWERED | RSP_F_CONSTANT)) continue; /* no part of it */
            *low = fmin(*low, x->n);
            *high = fmax(*high, x->n);
        }
    return !isnan(*low);
}

/* ---- candidates --------------------------------------------------------------------------------------------------- */

/* A bar of all answers a row. */
static bool of_answers(const chart *c) { return c->data.kind == CHART_AGREEMENT || c->data.kind == CHART_DIVERGING; }

static const char *main_statistic(const chart *c, size_t from, size_t to) {
    static const char *const models[] = {"odds_ratio", "rate_ratio"};
    if (c->x->kind == RSP_A_TABLE) return rsp_label_table_statistic(c->x);
    if (c->x->kind == RSP_A_MODEL && c->x->model.kind == RSP_DRIVERS_MODEL) return "coefficient_std";
    for (size_t k = 0; k < 2; k++)
        for (size_t i = from; i < to; i++)
            if (is(rsp_published_at(c->p->results, i)->statistic, models[k])) return models[k];
    return "coefficient";
}

static size_t count_pairs(const char *domain) {
    size_t n = *domain != 0;
    for (; *domain; domain++) n += *domain == ';';
    return n;
}

/* The domain without the pair of `variable`. */
static const char *without(rsp_arena *a, const char *domain, const char *variable) {
    rsp_buf b = {0};
    size_t name = strlen(variable);
    for (const char *p = domain; *p;) {
        size_t length = strcspn(p, ";");
        if (strncmp(p, variable, name) != 0 || p[name] != '=') {
            if (b.length) rsp_buf_putc(&b, ';');
            rsp_buf_add(&b, p, length);
        }
        p += length + (p[length] == ';');
    }
    const char *rest = rsp_strdup(a, b.length ? b.data : "");
    rsp_buf_free(&b);
    return rest;
}

static const char *country_variable(const chart *c) {
    size_t v = c->p->study->roles.country;
    return v == RSP_NONE ? NULL : c->p->study->variables[v].name;
}

static size_t variable_of(const chart *c, const char *name) { return rsp_study_variable(c->p->study, name); }

static void add_candidate(selection *s, const rsp_published_row *row) {
    chart *c = s->c;
    const char *variable = country_variable(c), *code = NULL;
    if (c->country && variable && *row->domain) code = rsp_domain_code(c->a, row->domain, variable);
    candidate x = {row, count_pairs(row->domain), row->domain, code && is(code, c->country)};
    if (x.own) x.rest = without(c->a, row->domain, variable);
    if (x.n_pairs == 0) s->everybody = true;
    if (x.own && x.n_pairs == 1) s->country = true;
    if (x.n_pairs > s->most_pairs) s->most_pairs = x.n_pairs;
    RSP_PUSH(s->items, s->n, s->capacity, x);
}

/* Thresholds and intercepts are no finding. */
static bool wanted(const chart *c, const rsp_published_row *r) {
    return is(r->statistic, c->data.statistic) && !(c->x->kind == RSP_A_MODEL && is(r->term, "(Intercept)"));
}

static size_t count_distinct(const selection *s, bool levels) {
    rsp_map *seen = rsp_map_new();
    for (size_t k = 0; k < s->n; k++) rsp_map_put(seen, levels ? s->items[k].row->level : s->items[k].row->term, 0);
    size_t n = rsp_map_count(seen);
    rsp_map_free(seen);
    return n;
}

/* Of two answers one says all: yes, or else the second, as in models. */
const char *chart_event(const chart *c, size_t item) {
    if (!is(c->data.statistic, "proportion") || !c->x->table.n_items) return NULL;
    const rsp_variable *v = &c->p->study->variables[item];
    const char *codes[2];
    size_t n = 0;
    if (!v->list || v->type != RSP_SELECT_ONE) return NULL;
    for (size_t j = 1; j < c->x->table.n_items; j++)
        if (c->p->study->variables[c->x->table.items[j]].list != v->list) return NULL;
    for (size_t k = 0; k < v->list->n; k++)
        if (!v->list->choices[k].missing) {
            if (n == 2) return NULL;
            codes[n++] = v->list->choices[k].code;
        }
    return n < 2 ? NULL : is(codes[0], "yes") ? codes[0] : codes[1];
}

static void gather(selection *s) {
    size_t from, to;
    chart *c = s->c;
    if (!rsp_published_range(c->p->results, c->spec->analysis, &from, &to)) return;
    c->data.statistic = main_statistic(c, from, to);
    if (!of_answers(c) && c->x->kind == RSP_A_TABLE)
        s->event = c->x->table.n_items ? chart_event(c, c->x->table.items[0]) : NULL;
    for (size_t i = from; i < to; i++) {
        const rsp_published_row *r = rsp_published_at(c->p->results, i);
        if (wanted(c, r) && (!s->event || is(r->level, s->event))) add_candidate(s, r);
    }
    s->n_terms = count_distinct(s, false);
    s->n_levels = count_distinct(s, true);
    if (s->event) c->data.answer = rsp_label_code(c->l, c->x->table.items[0], s->event);
}

/* ---- choosing ----------------------------------------------------------------------------------------------------- */

static size_t n_units(const selection *s) { return of_answers(s->c) ? s->n_terms : s->n_terms * s->n_levels; }

/* A country's edition shows the country beside the others where one number a country is the message; else its own. */
static bool keep_for_country(const selection *s, const candidate *x) {
    if (s->c->data.kind == CHART_FOREST) return false;
    if (s->country && n_units(s) == 1) return x->n_pairs <= 1;
    if (s->country) return x->own && x->n_pairs == 1;
    return x->own;
}

/* Would a row for each item (or answer) and group still be read? */
static bool few_rows(const selection *s) {
    rsp_map *domains = rsp_map_new();
    for (size_t k = 0; k < s->n; k++)
        if (s->items[k].n_pairs <= 1) rsp_map_put(domains, s->items[k].rest, 0);
    size_t rows = rsp_map_count(domains) * n_units(s);
    rsp_map_free(domains);
    return rows <= MAX_GROUP_ROWS;
}

static bool keep_for_all(const selection *s, const candidate *x) {
    if (s->c->data.kind == CHART_FOREST) return true;
    if (s->c->data.kind == CHART_HEATMAP) return s->most_pairs > 1 && !s->everybody ? x->n_pairs == 2 : x->n_pairs <= 1;
    if (s->everybody && n_units(s) > 1 && (of_answers(s->c) || !s->few)) return x->n_pairs == 0;
    bool single = false;
    for (size_t k = 0; k < s->n && !single; k++) single = s->items[k].n_pairs <= 1;
    return single ? x->n_pairs <= 1 : true;
}

static const rsp_published_row *for_everybody(const chart *c, const rsp_published_row *r) {
    return rsp_published_find(c->p->results, r->analysis, "", r->term, r->level, r->statistic);
}

/* The one country of a publication of one country, whose figures are those of everybody; NULL: there are several, or none. */
static const char *only_country(const selection *s) {
    const char *variable = country_variable(s->c), *only = NULL;
    for (size_t k = 0; variable && k < s->n; k++) {
        const rsp_published_row *r = s->items[k].row, *all = s->items[k].n_pairs == 1 ? for_everybody(s->c, r) : NULL;
        const char *code = s->items[k].n_pairs == 1 ? rsp_domain_code(s->c->a, r->domain, variable) : NULL;
        if (!code) continue;
        bool twins = all && (all->n == r->n || isnan(all->n) || isnan(r->n));
        if ((only && !is(only, code)) || !twins) return NULL;
        only = code;
    }
    return only;
}

/* One of two sets of rows that say the same: everybody's, in the country's own edition its own. */
static void leave_out_twins(selection *s) {
    const char *only = s->everybody ? only_country(s) : NULL, *variable = country_variable(s->c);
    size_t n = 0;
    for (size_t k = 0; only && k < s->n; k++) {
        const candidate *x = &s->items[k];
        bool own = x->n_pairs == 1 && rsp_domain_code(s->c->a, x->row->domain, variable);
        if (s->c->country ? x->n_pairs > 0 : !own) s->items[n++] = *x;
    }
    if (only) s->n = n;
    if (only && s->c->country) s->everybody = false;
}

static void choose(selection *s) {
    size_t n = 0;
    leave_out_twins(s);
    s->few = few_rows(s);
    for (size_t k = 0; k < s->n; k++) {
        candidate *x = &s->items[k];
        if (s->c->country ? keep_for_country(s, x) : keep_for_all(s, x)) s->items[n++] = *x;
    }
    s->n = n;
}

/* ---- rows --------------------------------------------------------------------------------------------------------- */

chart_row *chart_add_row(chart *c, size_t n_cells) {
    chart_row r = {.label = "", .order = NAN};
    r.cells = RSP_ARRAY(c->a, const rsp_published_row *, n_cells ? n_cells : 1);
    RSP_PUSH(c->data.rows, c->data.n_rows, c->data.capacity, r);
    return &c->data.rows[c->data.n_rows - 1];
}

static chart_row *row_of(chart *c, rsp_map *index, const char *key) {
    size_t at = rsp_map_get(index, key);
    if (at != RSP_NONE) return &c->data.rows[at];
    rsp_map_put(index, key, c->data.n_rows);
    return chart_add_row(c, c->data.n_columns);
}

/* Heading of groups: the variables of a domain. */
static const char *domain_heading(const chart *c, const char *domain) {
    const char *heading = NULL;
    for (const char *p = domain; *p;) {
        size_t length = strcspn(p, ";"), name = strcspn(p, "=");
        size_t v = variable_of(c, rsp_strndup(c->a, p, name < length ? name : length));
        const char *one = v == RSP_NONE ? "" : rsp_variable_label(c->p->study, v, rsp_texts_lang(c->t));
        heading = heading ? rsp_printf(c->a, "%s, %s", heading, one) : one;
        p += length + (p[length] == ';');
    }
    return heading;
}

/* Labels of a domain's codes without their variables, which stand in the heading. */
const char *chart_codes_label(const chart *c, const char *domain) {
    if (!*domain) return rsp_label_domain(c->l, c->a, "");
    const char *label = NULL;
    for (const char *p = domain; *p;) {
        size_t length = strcspn(p, ";"), name = strcspn(p, "=");
        size_t v = variable_of(c, rsp_strndup(c->a, p, name));
        const char *code = rsp_strndup(c->a, p + name + 1, length > name ? length - name - 1 : 0);
        const char *one = rsp_label_code(c->l, v, code);
        label = label ? rsp_printf(c->a, "%s, %s", label, one) : one;
        p += length + (p[length] == ';');
    }
    return label;
}

static size_t domain_variable(const chart *c, const char *domain) {
    return variable_of(c, rsp_strndup(c->a, domain, strcspn(domain, "=")));
}

/* Groups that have no order of their own may be sorted. */
static bool group_has_order(const chart *c, const char *domain) {
    size_t v = *domain ? domain_variable(c, domain) : RSP_NONE;
    return v != RSP_NONE && c->p->study->variables[v].measure != RSP_NOMINAL;
}

static const char *unit_label(const chart *c, const selection *s, const rsp_published_row *r) {
    const char *term = rsp_label_term(c->l, c->a, r), *level = rsp_label_level(c->l, c->a, r);
    if (s->event || !*r->level) return term;
    return s->n_terms > 1 && s->n_levels == 1 ? term : level;
}

/* ---- dots --------------------------------------------------------------------------------------------------------- */

static size_t distinct_domains(const selection *s, rsp_map *index) {
    for (size_t k = 0; k < s->n; k++) rsp_map_put(index, s->items[k].rest, rsp_map_count(index));
    return rsp_map_count(index);
}

/* Everybody in one word, for the head of a narrow column. */
static const char *pooled_head(const chart *c) {
    return rsp_say(c->t, c->a, rsp_label_is_average(c->l) ? "pooled_average" : "pooled_all", NULL, 0);
}

static void name_columns(chart *c, const selection *s, const rsp_map *index, size_t n) {
    c->data.n_columns = n;
    c->data.columns = RSP_ARRAY(c->a, const char *, n);
    c->data.pooled_column = RSP_ARRAY(c->a, bool, n);
    for (size_t k = 0; k < s->n; k++) {
        size_t at = rsp_map_get(index, s->items[k].rest);
        if (at == RSP_NONE || c->data.columns[at]) continue;
        c->data.pooled_column[at] = !*s->items[k].rest;
        c->data.columns[at] = c->data.kind == CHART_DOTS ? rsp_label_domain(c->l, c->a, s->items[k].rest)
                              : *s->items[k].rest        ? chart_codes_label(c, s->items[k].rest)
                                                         : pooled_head(c);
    }
}

/* Are the rows answers of an ordered scale, which stay in its order? */
static bool answers_have_order(const chart *c, const selection *s, const rsp_published_row *r) {
    size_t v = s->n_levels > 1 && !s->event ? variable_of(c, r->term) : RSP_NONE;
    return v != RSP_NONE && c->p->study->variables[v].type == RSP_SELECT_ONE &&
           c->p->study->variables[v].measure == RSP_ORDINAL;
}

/* One row a unit (item or answer), one mark a group. */
static void build_series(chart *c, const selection *s, const rsp_map *domains, size_t n) {
    name_columns(c, s, domains, n);
    rsp_map *index = rsp_map_new();
    for (size_t k = 0; k < s->n; k++) {
        const candidate *x = &s->items[k];
        chart_row *r = row_of(c, index, rsp_printf(c->a, "%s\x1f%s", x->row->term, x->row->level));
        r->label = unit_label(c, s, x->row);
        if (s->n_terms > 1 && s->n_levels > 1) r->section = rsp_label_term(c->l, c->a, x->row);
        r->cells[rsp_map_get(domains, x->rest)] = x->row;
        if (x->own && x->n_pairs == 1 && !rsp_label_one_country(c->l)) r->reference = for_everybody(c, x->row);
        if (r->reference) c->data.has_reference = true;
        if (isnan(r->order) && chart_known(x->row) && !answers_have_order(c, s, x->row)) r->order = x->row->estimate;
    }
    rsp_map_free(index);
}

/* One row a group, units as sections. */
static void build_groups(chart *c, const selection *s) {
    c->data.n_columns = 1;
    rsp_map *index = rsp_map_new();
    for (size_t pass = 0; pass < 2; pass++) /* everybody last */
        for (size_t k = 0; k < s->n; k++) {
            const candidate *x = &s->items[k];
            bool pooled = x->n_pairs == 0, several = n_units(s) > 1;
            if (pooled != (pass == 1)) continue;
            chart_row *r =
                row_of(c, index, rsp_printf(c->a, "%s\x1f%s\x1f%s", x->row->domain, x->row->term, x->row->level));
            bool strip = x->own && x->n_pairs > 1;
            r->label = chart_codes_label(c, strip ? x->rest : x->row->domain);
            r->section = several  ? unit_label(c, s, x->row)
                         : pooled ? NULL
                                  : domain_heading(c, strip ? x->rest : x->row->domain);
            r->cells[0] = x->row;
            r->own = x->own && x->n_pairs == 1;
            r->pooled = pooled;
            if (chart_known(x->row) && !group_has_order(c, x->row->domain)) r->order = x->row->estimate;
        }
    rsp_map_free(index);
}

static void build_dots(chart *c, const selection *s) {
    rsp_map *domains = rsp_map_new();
    size_t n = distinct_domains(s, domains);
    if (n_units(s) > 1 && n <= MAX_SERIES) build_series(c, s, domains, n);
    else build_groups(c, s);
    rsp_map_free(domains);
}

/* ---- heat map ----------------------------------------------------------------------------------------------------- */

/* Two variables crossed: the first makes rows, the second columns. */
static void build_crossed(chart *c, const selection *s) {
    rsp_map *rows = rsp_map_new(), *columns = rsp_map_new();
    size_t first_pair;
    for (size_t k = 0; k < s->n; k++) {
        first_pair = strcspn(s->items[k].rest, ";");
        rsp_map_put(columns, s->items[k].rest + first_pair + 1, rsp_map_count(columns));
    }
    c->data.n_columns = rsp_map_count(columns);
    c->data.columns = RSP_ARRAY(c->a, const char *, c->data.n_columns);
    c->data.pooled_column = RSP_ARRAY(c->a, bool, c->data.n_columns);
    for (size_t k = 0; k < s->n; k++) {
        const candidate *x = &s->items[k];
        first_pair = strcspn(x->rest, ";");
        const char *first = rsp_strndup(c->a, x->rest, first_pair), *second = x->rest + first_pair + 1;
        chart_row *r = row_of(c, rows, rsp_printf(c->a, "%s\x1f%s\x1f%s", first, x->row->term, x->row->level));
        size_t at = rsp_map_get(columns, second);
        r->label = chart_codes_label(c, first);
        if (n_units(s) > 1) r->section = unit_label(c, s, x->row);
        r->cells[at] = x->row;
        c->data.columns[at] = chart_codes_label(c, second);
    }
    rsp_map_free(rows);
    rsp_map_free(columns);
}

/* Items (or answers) by groups. Everybody stands in the last column. */
static void build_matrix(chart *c, const selection *s) {
    rsp_map *columns = rsp_map_new(), *rows = rsp_map_new();
    for (size_t k = 0; k < s->n; k++)
        if (*s->items[k].rest) rsp_map_put(columns, s->items[k].rest, rsp_map_count(columns));
    for (size_t k = 0; k < s->n; k++)
        if (!*s->items[k].rest) rsp_map_put(columns, "", rsp_map_count(columns));
    name_columns(c, s, columns, rsp_map_count(columns));
    for (size_t k = 0; k < s->n; k++) {
        const candidate *x = &s->items[k];
        chart_row *r = row_of(c, rows, rsp_printf(c->a, "%s\x1f%s", x->row->term, x->row->level));
        r->label = unit_label(c, s, x->row);
        if (s->n_terms > 1 && s->n_levels > 1) r->section = rsp_label_term(c->l, c->a, x->row);
        r->cells[rsp_map_get(columns, x->rest)] = x->row;
        if ((isnan(r->order) || !*x->rest) && chart_known(x->row)) r->order = x->row->estimate;
    }
    rsp_map_free(columns);
    rsp_map_free(rows);
}

/* Many groups are rows rather than columns: a page is longer than wide, and numbers need room. */
static void transpose(chart *c) {
    chart_data *d = &c->data;
    chart_row *rows = rsp_calloc(d->n_columns + 1, sizeof *rows);
    for (size_t k = 0; k < d->n_columns; k++) {
        rows[k] = (chart_row){.label = d->pooled_column[k] ? rsp_label_domain(c->l, c->a, "") : d->columns[k],
                              .pooled = d->pooled_column[k],
                              .order = NAN};
        rows[k].cells = RSP_ARRAY(c->a, const rsp_published_row *, d->n_rows);
        for (size_t r = 0; r < d->n_rows; r++) rows[k].cells[r] = d->rows[r].cells[k];
    }
    const char **columns = RSP_ARRAY(c->a, const char *, d->n_rows);
    for (size_t r = 0; r < d->n_rows; r++)
        columns[r] =
            d->rows[r].section ? rsp_printf(c->a, "%s: %s", d->rows[r].section, d->rows[r].label) : d->rows[r].label;
    size_t n = d->n_columns;
    free(d->rows);
    d->rows = rows;
    d->columns = columns;
    d->n_columns = d->n_rows;
    d->capacity = d->n_rows = n;
    d->pooled_column = RSP_ARRAY(c->a, bool, d->n_columns);
}

static void build_heatmap(chart *c, const selection *s) {
    bool crossed = s->n > 0;
    for (size_t k = 0; k < s->n; k++) crossed = crossed && count_pairs(s->items[k].rest) == 2;
    if (crossed) build_crossed(c, s);
    else build_matrix(c, s);
    if (c->data.n_columns > MAX_COLUMNS && c->data.n_rows <= MAX_COLUMNS && !crossed) transpose(c);
}

/* ---- agreement ---------------------------------------------------------------------------------------------------- */

/* The valid answers in the order of the questionnaire, all kept, even empty. Items of one table share their scale here;
 * one with other answers is left to the tables. */
static const rsp_list *answers(chart *c, const selection *s) {
    size_t v = s->n ? variable_of(c, s->items[0].row->term) : RSP_NONE;
    const rsp_list *list = v == RSP_NONE ? NULL : c->p->study->variables[v].list;
    if (!list || c->p->study->variables[v].type != RSP_SELECT_ONE) return NULL;
    c->data.ordinal = c->p->study->variables[v].measure != RSP_NOMINAL;
    c->data.columns = RSP_ARRAY(c->a, const char *, list->n);
    for (size_t k = 0; k < list->n; k++)
        if (!list->choices[k].missing)
            c->data.columns[c->data.n_columns++] = rsp_choice_label(list, k, rsp_texts_lang(c->t));
    return list;
}

static size_t answer_column(const rsp_list *list, const char *code) {
    size_t column = 0;
    for (size_t k = 0; k < list->n; k++) {
        if (is(list->choices[k].code, code)) return list->choices[k].missing ? RSP_NONE : column;
        column += !list->choices[k].missing;
    }
    return RSP_NONE;
}

/* Net agreement of the same item and group, from a table of the same filter (none). */
static const rsp_published_row *find_net(const chart *c, const rsp_published_row *r) {
    for (size_t k = 0; k < c->p->study->n_analyses; k++) {
        const rsp_analysis *x = &c->p->study->analyses[k];
        if (x->kind != RSP_A_TABLE || x->table.statistic != RSP_NET || x->filter || c->x->filter) continue;
        const rsp_published_row *net = rsp_published_find(c->p->results, x->id, r->domain, r->term, "", "net");
        if (net) return net;
    }
    return NULL;
}

static const rsp_published_row *find_missing(const chart *c, const rsp_published_row *r, const rsp_list *list) {
    for (size_t k = 0; k < list->n; k++) {
        if (!list->choices[k].missing) continue;
        const rsp_published_row *m = rsp_published_find(c->p->results, r->analysis, r->domain, r->term,
                                                        list->choices[k].code, "proportion_missing");
        if (m) return m;
    }
    return NULL;
}

/* The five answers of this item and group as three. */
static void find_pairs(chart *c, const rsp_published_row *r, const rsp_list *list, chart_row *row) {
    const char *code[5];
    size_t n = 0;
    for (size_t k = 0; k < list->n && n < 5; k++)
        if (!list->choices[k].missing) code[n++] = list->choices[k].code;
    if (c->data.n_columns != 5) return;
    for (size_t side = 0; side < 2; side++) {
        const char *level = rsp_printf(c->a, "%s %s", code[3 * side], code[3 * side + 1]);
        row->pairs[side] =
            rsp_published_find(c->p->results, r->analysis, r->domain, r->term, level, "proportion_collapsed");
        c->data.has_pair[side] = c->data.has_pair[side] || row->pairs[side];
    }
}

static void describe_agreement_row(chart *c, const selection *s, const candidate *x, const rsp_list *list,
                                   chart_row *r) {
    bool strip = x->own && x->n_pairs > 1;
    if (s->n_terms > 1) {
        r->label = rsp_label_term(c->l, c->a, x->row);
        if (x->n_pairs > (x->own ? 1u : 0u)) r->section = chart_codes_label(c, strip ? x->rest : x->row->domain);
    } else {
        r->label = chart_codes_label(c, strip ? x->rest : x->row->domain);
        r->section = x->n_pairs ? domain_heading(c, strip ? x->rest : x->row->domain) : NULL;
        r->pooled = x->n_pairs == 0;
        r->own = x->own && x->n_pairs == 1;
    }
    r->net = find_net(c, x->row);
    r->missing = find_missing(c, x->row, list);
    find_pairs(c, x->row, list, r);
    c->data.has_net = c->data.has_net || r->net;
    c->data.has_missing = c->data.has_missing || r->missing;
    if (chart_known(r->net) && !(s->n_terms == 1 && group_has_order(c, x->row->domain))) r->order = r->net->estimate;
}

/* Without net agreement the upper half of the answers sorts. */
static void order_by_upper_half(chart *c, bool sortable) {
    for (size_t r = 0; r < c->data.n_rows && sortable && !c->data.has_net; r++) {
        chart_row *x = &c->data.rows[r];
        double sum = 0;
        for (size_t k = (c->data.n_columns + 1) / 2; k < c->data.n_columns; k++)
            sum += chart_known(x->cells[k]) ? x->cells[k]->estimate : 0;
        if (chart_known(x->pairs[1])) sum = x->pairs[1]->estimate;
        x->order = sum;
    }
}

static void build_agreement(chart *c, const selection *s) {
    const rsp_list *list = answers(c, s);
    rsp_map *index = rsp_map_new();
    for (size_t pass = 0; list && pass < 2; pass++)
        for (size_t k = 0; k < s->n; k++) {
            const candidate *x = &s->items[k];
            size_t v = variable_of(c, x->row->term), column = answer_column(list, x->row->level);
            if (v == RSP_NONE || c->p->study->variables[v].list != list || column == RSP_NONE) continue;
            if ((s->n_terms == 1 && x->n_pairs == 0) != (pass == 1)) continue;
            chart_row *r = row_of(c, index, rsp_printf(c->a, "%s\x1f%s", x->row->domain, x->row->term));
            if (!*r->label) describe_agreement_row(c, s, x, list, r);
            r->cells[column] = x->row;
        }
    bool sortable = c->data.ordinal && s->n_terms > 1;
    order_by_upper_half(c, sortable);
    rsp_map_free(index);
}

/* ---- forest ------------------------------------------------------------------------------------------------------- */

/* The pooled size of a factor, in standard deviations as the forest is, stands with its verdict, whatever that is. */
static const rsp_published_row *pooled_size(const chart *c, const char *term) {
    static const char *const verdicts[] = {
        "", "enabler_everywhere", "enabler_in_most", "depends_on_country", "no_clear_role", "blocker"};
    if (!is(c->data.statistic, "coefficient_std")) return NULL;
    for (size_t k = 0; k < sizeof verdicts / sizeof *verdicts; k++) {
        const rsp_published_row *r = rsp_published_find(c->p->results, c->x->id, "", term, verdicts[k], "verdict");
        if (r) return chart_known(r) && isfinite(r->lower) && isfinite(r->upper) ? r : NULL;
    }
    return NULL;
}

static void build_forest(chart *c, const selection *s) {
    c->data.n_columns = 1;
    for (size_t k = 0; k < s->n; k++) {
        chart_row r = {.label = rsp_label_term(c->l, c->a, s->items[k].row), .order = NAN};
        const char *level = rsp_label_level(c->l, c->a, s->items[k].row); /* multinomial: the category */
        if (*level) r.label = rsp_printf(c->a, "%s (%s)", r.label, level);
        r.cells = RSP_ARRAY(c->a, const rsp_published_row *, 1);
        r.cells[0] = s->items[k].row;
        r.further = pooled_size(c, s->items[k].row->term);
        if (r.further) c->data.note = rsp_say(c->t, c->a, "forest_further", NULL, 0);
        if (chart_known(r.cells[0])) r.order = r.cells[0]->estimate;
        RSP_PUSH(c->data.rows, c->data.n_rows, c->data.capacity, r);
    }
}

/* ---- order -------------------------------------------------------------------------------------------------------- */

static bool goes_before(const chart_row *a, const chart_row *b) {
    if (a->pooled != b->pooled) return b->pooled;
    if (isnan(a->order)) return false;
    return isnan(b->order) || a->order > b->order;
}

static bool same_section(const chart_row *a, const chart_row *b) {
    if (!a->section || !b->section) return a->section == b->section;
    return is(a->section, b->section);
}

/* Sections together in order of first appearance, rows of a section by size. Stable, by insertion: charts have few rows. */
static void sort_rows(chart_data *d, bool by_size) {
    for (size_t i = 1; i < d->n_rows; i++) {
        chart_row x = d->rows[i];
        size_t at = i;
        while (at > 0 && !d->rows[at - 1].pooled && !same_section(&d->rows[at - 1], &x)) at--;
        if (at == 0 || !same_section(&d->rows[at - 1], &x)) at = i;
        while (by_size && at > 0 && same_section(&d->rows[at - 1], &x) && goes_before(&x, &d->rows[at - 1])) at--;
        memmove(&d->rows[at + 1], &d->rows[at], (i - at) * sizeof x);
        d->rows[at] = x;
    }
}

/* One heading over all rows says nothing that the subtitle could not. */
static void drop_single_section(chart_data *d) {
    for (size_t r = 1; r < d->n_rows; r++)
        if (d->rows[r].section && d->rows[0].section && !is(d->rows[r].section, d->rows[0].section)) return;
    for (size_t r = 0; r < d->n_rows; r++) d->rows[r].section = NULL;
}

bool chart_not_comparable(const chart_data *d) {
    for (size_t r = 0; r < d->n_rows; r++)
        for (size_t k = 0; k < d->n_columns; k++)
            if (d->rows[r].cells[k] && d->rows[r].cells[k]->flags & RSP_F_NOT_COMPARABLE) return true;
    return false;
}

static bool any_number(const chart_data *d) {
    for (size_t r = 0; r < d->n_rows; r++)
        for (size_t k = 0; k < d->n_columns; k++)
            if (d->rows[r].cells[k]) return true;
    return false;
}

void chart_settle(chart *c) {
    c->data.digits = chart_digits(&c->data);
    sort_rows(&c->data, !c->p->preliminary && !chart_not_comparable(&c->data));
}

bool chart_collect(chart *c) {
    selection s = {.c = c};
    if (c->x->kind == RSP_A_EXPLORATION) return chart_collect_correlations(c);
    /* One country alone has no columns to compare: its values stand beside those of everybody. */
    if (c->country && c->data.kind == CHART_HEATMAP) c->data.kind = CHART_DOTS;
    gather(&s);
    choose(&s);
    switch (c->data.kind) {
    case CHART_HEATMAP: build_heatmap(c, &s); break;
    case CHART_FOREST: build_forest(c, &s); break;
    case CHART_DOTS: build_dots(c, &s); break;
    default: build_agreement(c, &s);
    }
    free(s.items);
    drop_single_section(&c->data);
    chart_settle(c);
    return any_number(&c->data);
}

void chart_data_free(chart_data *d) {
    free(d->rows);
    d->rows = NULL;
}
