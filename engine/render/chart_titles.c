/* Titles of charts: what the run's own tests say, in at most ten words, else what the chart is about. A title never ranks
 * what no test ranks; it says nothing before the field is frozen, or where a scale is not comparable. */
#include "brief_type.h"
#include "chart_claims.h"

#include <math.h>
#include <string.h>

enum { MOST_WORDS = 10 };
static const double ALPHA = 0.05;

static bool is(const char *a, const char *b) { return strcmp(a, b) == 0; }

const char *chart_claim(const chart *c, chart_origin *o, const char *key, chart_said said) {
    const rsp_arg args[] = {{"k", rsp_say_number(c->t, c->a, (double) said.k, 0), 0},
                            {"n", rsp_say_number(c->t, c->a, (double) said.n, 0), 0},
                            {"name", said.name ? said.name : "", 0},
                            {"other", said.other ? said.other : "", 0},
                            {"first", said.first ? said.first : "", 0},
                            {"last", said.last ? said.last : "", 0},
                            {"value", said.value ? said.value : "", 0}};
    const char *words = rsp_say(c->t, c->a, key, args, sizeof args / sizeof *args);
    o->from = key;
    return brief_count_printed(words) <= MOST_WORDS ? words : NULL;
}

const char *chart_of_sample(const chart *c, const char *key) {
    return c->p->study->design.self_selected ? rsp_printf(c->a, "%s_respondents", key) : key;
}

const char *chart_names(const chart *c, const char *const *names, size_t n) {
    if (!n || n > CHART_NAMED) return NULL;
    for (size_t k = 0; k < n; k++)
        if (!names[k]) return NULL;
    if (n == 1) return names[0];
    return rsp_say(c->t, c->a, "names_two", (rsp_arg[]){{"first", names[0], 0}, {"second", names[1], 0}}, 2);
}

bool chart_significant(const rsp_published_row *test) { return test->p_adj < ALPHA; }

/* Those that are found, or those that are not, by name if they are few: only these, all but these, else so many. */
static const char *few_or_count(const chart *c, chart_origin *o, const char *key, const char *const *label,
                                const bool *found, size_t n) {
    const char *names[2][CHART_NAMED] = {0};
    size_t count[2] = {0};
    for (size_t k = 0; k < n; k++) {
        size_t *at = &count[found[k]];
        if (*at < CHART_NAMED) names[found[k]][*at] = label[k];
        (*at)++;
    }
    chart_said s = {.k = count[1], .n = n, .name = chart_names(c, names[1], count[1])};
    const char *said = NULL;
    if (!count[0]) said = chart_claim(c, o, rsp_printf(c->a, "%s_all", key), s);
    else if (s.name && count[1] < count[0]) said = chart_claim(c, o, rsp_printf(c->a, "%s_only", key), s);
    else if (count[1] > count[0] && (s.name = chart_names(c, names[0], count[0])))
        said = chart_claim(c, o, rsp_printf(c->a, "%s_but", key), s);
    return said ? said : chart_claim(c, o, key, s);
}

/* ---- balance of answers ------------------------------------------------------------------------------------------- */

static bool in_scope(const chart *c, const rsp_published_row *r) {
    size_t v = c->p->study->roles.country;
    const char *own = c->country ? rsp_domain_text(c->a, 1, &c->p->study->variables[v].name, &c->country) : "";
    return r && is(r->statistic, "net") && is(r->domain, own);
}

/* For how many items the interval of net agreement lies above zero: an interval without zero is a test of zero. */
static const char *balance(const chart *c, chart_origin *o) {
    size_t room = c->data.n_rows * (c->data.n_columns + 1) + 1;
    const char **label = RSP_ARRAY(c->a, const char *, room);
    bool *above = RSP_ARRAY(c->a, bool, room);
    o->rows = RSP_ARRAY(c->a, const rsp_published_row *, room);
    for (size_t r = 0; r < c->data.n_rows; r++)
        for (size_t k = 0; k <= c->data.n_columns; k++) {
            const chart_row *row = &c->data.rows[r];
            const rsp_published_row *x = k < c->data.n_columns ? row->cells[k] : row->net;
            if (!in_scope(c, x)) continue;
            if (!chart_known(x) || isnan(x->lower)) return NULL;
            label[o->n] = rsp_label_term(c->l, c->a, x);
            above[o->n] = x->lower > 0;
            o->rows[o->n++] = x;
        }
    if (o->n < 2) return NULL;
    const char *key = rsp_label_rates(c->l, o->rows[0]->analysis) ? "finding_rating" : "finding_net";
    for (size_t k = 0; k < o->n; k++)
        if (above[k]) return few_or_count(c, o, key, label, above, o->n);
    return chart_claim(c, o, rsp_printf(c->a, "%s_none", key), (chart_said){.n = o->n});
}

/* ---- models ------------------------------------------------------------------------------------------------------- */

/* The row with the test of what a forest shows: of drivers the coefficient's, adjusted for the number of factors. */
static const rsp_published_row *tested(const chart *c, const rsp_published_row *shown, bool drivers) {
    return drivers ? rsp_published_find(c->p->results, shown->analysis, shown->domain, shown->term, shown->level,
                                        "coefficient")
                   : shown;
}

static const char *associations(const chart *c, chart_origin *o) {
    bool drivers = is(c->data.statistic, "coefficient_std"), any = false;
    const char **label = RSP_ARRAY(c->a, const char *, c->data.n_rows + 1);
    bool *significant = RSP_ARRAY(c->a, bool, c->data.n_rows + 1);
    o->rows = RSP_ARRAY(c->a, const rsp_published_row *, c->data.n_rows + 1);
    for (size_t r = 0; r < c->data.n_rows; r++) {
        const rsp_published_row *shown = c->data.rows[r].cells[0];
        const rsp_published_row *x = chart_known(shown) ? tested(c, shown, drivers) : NULL;
        double p = !chart_known(x) ? NAN : drivers ? x->p_adj : x->p;
        if (isnan(p)) return NULL;
        significant[o->n] = p < ALPHA;
        any = any || p < ALPHA;
        label[o->n] = c->data.rows[r].label;
        o->rows[o->n++] = x;
    }
    if (o->n < 2) return NULL;
    if (!any) return chart_claim(c, o, "finding_no_association", (chart_said){.n = o->n});
    if (drivers) return few_or_count(c, o, "finding_factors", label, significant, o->n);
    size_t k = 0;
    for (size_t r = 0; r < o->n; r++) k += significant[r];
    return chart_claim(c, o, "finding_associations", (chart_said){.k = k, .n = o->n});
}

/* Factors whose interval of importance lies above the average share, that of their rating below zero. */
static const char *blocking(const chart *c, chart_origin *o) {
    const char *names[CHART_NAMED] = {0};
    chart_said s = {.n = c->data.n_rows};
    o->rows = RSP_ARRAY(c->a, const rsp_published_row *, 2 * c->data.n_rows + 1);
    for (size_t r = 0; r < c->data.n_rows; r++) {
        const chart_row *x = &c->data.rows[r];
        if (isnan(x->cells[0]->lower) || isnan(x->net->upper)) return NULL;
        o->rows[o->n++] = x->cells[0];
        o->rows[o->n++] = x->net;
        if (!(x->cells[0]->lower > chart_average_share(c)) || !(x->net->upper < 0)) continue;
        if (s.k < CHART_NAMED) names[s.k] = x->label;
        s.k++;
    }
    if (!s.k) return chart_claim(c, o, "finding_none_blocks", s);
    s.name = chart_names(c, names, s.k);
    const char *said = s.name ? chart_claim(c, o, "finding_blocks", s) : NULL;
    return said ? said : chart_claim(c, o, "finding_some_block", s);
}

/* ---- rankings ----------------------------------------------------------------------------------------------------- */

static const chart_row *top_choice(const chart *c) {
    const chart_row *top = NULL;
    for (size_t r = 0; r < c->data.n_rows; r++) {
        const chart_row *x = &c->data.rows[r];
        if (chart_known(x->cells[0]) && (!top || x->cells[0]->estimate > top->cells[0]->estimate)) top = x;
    }
    return top;
}

/* The choice that tests show to be placed by more than any other, or those that no test tells from the first. */
static const char *first_place(const chart *c, chart_origin *o) {
    const chart_row *top = top_choice(c);
    if (!top) return NULL;
    const char *names[CHART_NAMED] = {top->label};
    chart_said s = {.k = 1, .n = 1};
    o->rows = RSP_ARRAY(c->a, const rsp_published_row *, c->data.n_rows + 1);
    for (size_t r = 0; r < c->data.n_rows; r++) {
        const chart_row *x = &c->data.rows[r];
        if (x == top) continue;
        bool above = false;
        const rsp_published_row *d = chart_choice_test(c, top->cells[0], x->cells[0], &above);
        if (!d) return NULL;
        o->rows[o->n++] = d;
        s.n++;
        if (above && chart_significant(d)) continue;
        if (s.k < CHART_NAMED) names[s.k] = x->label;
        s.k++;
    }
    if (!o->n) return NULL;
    s.name = chart_names(c, names, s.k);
    const char *said = s.name ? chart_claim(c, o, s.k == 1 ? "finding_first" : "finding_first_two", s) : NULL;
    return said ? said : chart_claim(c, o, "finding_first_shared", s);
}

/* ---- title -------------------------------------------------------------------------------------------------------- */

static const char *finding(const chart *c, chart_origin *o) {
    if (c->p->preliminary || chart_not_comparable(&c->data)) return NULL;
    switch (c->data.kind) {
    case CHART_FOREST: return associations(c, o);
    case CHART_QUADRANT: return blocking(c, o);
    case CHART_RANKING:
        return c->data.n_columns > 1 ? first_place(c, o) : NULL; /* tests are of shares, not of places */
    case CHART_AGREEMENT:
    case CHART_DIVERGING: return balance(c, o);
    case CHART_TILES: return chart_find_groups(c, o);
    case CHART_UPSET: return chart_find_combinations(c, o);
    case CHART_SLOPE:
    case CHART_MULTIPLES: return chart_find_waves(c, o);
    case CHART_HISTOGRAM: return chart_find_weights(c, o);
    case CHART_HEATMAP:
    case CHART_DOTS: {
        const char *said = c->data.pairs ? chart_find_correlations(c, o) : chart_find_groups(c, o);
        if (said || !is(c->data.statistic, "net")) return said;
        *o = (chart_origin){0};
        return balance(c, o);
    }
    case CHART_N_KINDS: break;
    }
    return NULL;
}

const char *chart_title(const chart *c, const char **subject) {
    const char *given = rsp_text_in(&c->spec->title, rsp_texts_lang(c->t));
    const char *topic = rsp_label_analysis(c->l, c->a, c->spec->analysis), *title = NULL;
    chart_origin o = {0};
    *subject = NULL;
    if (given && !c->country) { /* a finding about everybody need not hold for one country */
        title = given;
        o.from = "study.yaml: title of the chart";
    } else if ((title = finding(c, &o))) {
        *subject = topic;
    } else {
        title = topic;
        o = (chart_origin){.from = "study.yaml: title of the analysis"};
    }
    if (c->origin) *c->origin = o;
    return title;
}
