/* Titles of charts: what the run's own tests say, in at most ten words, else what the chart is about. A title never ranks
 * what no test ranks; it says nothing before the field is frozen, or where a scale is not comparable. */
#include "brief_type.h"
#include "chart.h"

#include <math.h>
#include <string.h>

enum { MOST_WORDS = 10 };
static const double ALPHA = 0.05;

static bool is(const char *a, const char *b) { return strcmp(a, b) == 0; }

/* The claim in words with the rows that bear it, or NULL where its names make it longer than a title may be. */
static const char *claim(const chart *c, chart_origin *o, const char *key, size_t k, size_t n, const char *name) {
    const rsp_arg args[] = {{"k", rsp_say_number(c->t, c->a, (double) k, 0), 0},
                            {"n", rsp_say_number(c->t, c->a, (double) n, 0), 0},
                            {"name", name, 0}};
    const char *said = rsp_say(c->t, c->a, key, args, 3);
    o->from = key;
    return brief_count_printed(said) <= MOST_WORDS ? said : NULL;
}

static const char *of_sample(const chart *c, const char *key) {
    return c->p->study->design.self_selected ? rsp_printf(c->a, "%s_respondents", key) : key;
}

/* ---- groups ------------------------------------------------------------------------------------------------------- */

typedef struct {
    const rsp_published_row *row; /* of one group */
    const char *code, *label;
} member;

static const char *code_of(const rsp_published_row *r) {
    const char *equals = strchr(r->domain, '=');
    return equals ? equals + 1 : "";
}

static bool same_grouping(const char *a, const char *b) {
    size_t n = strcspn(a, "=");
    return n == strcspn(b, "=") && strncmp(a, b, n) == 0;
}

/* All numbers of single groups that the chart shows. None if they are of several groupings, whose codes the names of tests
 * do not tell apart, or of crossed groups, which no test compares. */
static size_t list_members(const chart *c, member *list) {
    size_t n = 0;
    for (size_t r = 0; r < c->data.n_rows; r++)
        for (size_t k = 0; k < c->data.n_columns; k++) {
            const rsp_published_row *x = c->data.rows[r].cells[k];
            if (!x || !*x->domain) continue;
            if (strchr(x->domain, ';') || (n && !same_grouping(x->domain, list[0].row->domain))) return 0;
            list[n++] = (member){x, code_of(x), chart_codes_label(c, x->domain)};
        }
    return n;
}

/* The published test of two groups on the same item, and whether the first lies above; NULL: there is none. */
static const rsp_published_row *test_of(const chart *c, const member *a, const member *b, bool *above) {
    const rsp_published_row *r = a->row;
    if (!is(r->term, b->row->term) || !is(r->level, b->row->level) || is(a->code, b->code)) return NULL;
    const char *term = *r->level ? rsp_printf(c->a, "%s=%s", r->term, r->level) : r->term;
    for (int turned = 0; turned < 2; turned++) {
        const char *pair = rsp_printf(c->a, "%s-%s", turned ? b->code : a->code, turned ? a->code : b->code);
        const rsp_published_row *d = rsp_published_find(c->p->results, r->analysis, "", term, pair, "difference");
        if (!chart_known(d) || isnan(d->p_adj)) continue;
        *above = (d->estimate > 0) != turned;
        return d;
    }
    return NULL;
}

typedef struct {
    size_t significant;
    const member *upper; /* of every significant test, if that is one group; NULL: several */
    bool several;
} outcome_of_tests;

static void note_test(outcome_of_tests *t, const rsp_published_row *d, const member *upper) {
    if (d->p_adj >= ALPHA) return;
    t->significant++;
    t->several = t->several || (t->upper && !is(t->upper->code, upper->code));
    t->upper = upper;
}

/* The group that tests show to lie above every other on the one item that is shown. */
static const char *highest(const chart *c, const member *list, size_t n, chart_origin *o) {
    for (size_t i = 0; i < n; i++) {
        o->n = 0;
        for (size_t j = 0; j < n; j++) {
            bool above = false;
            const rsp_published_row *d = i == j ? NULL : test_of(c, &list[i], &list[j], &above);
            if (d && above && d->p_adj < ALPHA) o->rows[o->n++] = d;
        }
        if (n > 1 && o->n == n - 1) return claim(c, o, of_sample(c, "finding_highest"), 0, 0, list[i].label);
    }
    return NULL;
}

static bool one_item(const member *list, size_t n) {
    for (size_t k = 1; k < n; k++)
        if (!is(list[k].row->term, list[0].row->term) || !is(list[k].row->level, list[0].row->level)) return false;
    return true;
}

static bool two_groups(const member *list, size_t n) {
    const char *other = NULL;
    for (size_t k = 1; k < n; k++) {
        if (is(list[k].code, list[0].code)) continue;
        if (other && !is(other, list[k].code)) return false;
        other = list[k].code;
    }
    return other != NULL;
}

/* How many of the differences between groups are more than chance; of two groups, which is the higher. */
static const char *groups(const chart *c, chart_origin *o) {
    size_t cells = c->data.n_rows * c->data.n_columns;
    member *list = RSP_ARRAY(c->a, member, cells + 1);
    size_t n = list_members(c, list);
    if (n < 2) return NULL;
    o->rows = RSP_ARRAY(c->a, const rsp_published_row *, n *(n - 1) / 2 + 1);
    const char *said = one_item(list, n) ? highest(c, list, n, o) : NULL;
    if (said) return said;
    outcome_of_tests t = {0};
    o->n = 0;
    for (size_t i = 0; i < n; i++)
        for (size_t j = i + 1; j < n; j++) {
            bool above = false;
            const rsp_published_row *d = test_of(c, &list[i], &list[j], &above);
            if (!d) continue;
            o->rows[o->n++] = d;
            note_test(&t, d, above ? &list[i] : &list[j]);
        }
    if (!o->n) return NULL;
    if (!t.significant) return claim(c, o, "finding_no_difference", 0, o->n, "");
    if (two_groups(list, n) && !t.several && o->n > 1)
        said = claim(c, o, of_sample(c, "finding_higher"), t.significant, o->n, t.upper->label);
    return said ? said : claim(c, o, "finding_differences", t.significant, o->n, "");
}

/* ---- balance of answers ------------------------------------------------------------------------------------------- */

static bool in_scope(const chart *c, const rsp_published_row *r) {
    size_t v = c->p->study->roles.country;
    const char *own = c->country ? rsp_domain_text(c->a, 1, &c->p->study->variables[v].name, &c->country) : "";
    return r && is(r->statistic, "net") && is(r->domain, own);
}

/* For how many items the interval of net agreement lies above zero: an interval without zero is a test of zero. */
static const char *balance(const chart *c, chart_origin *o) {
    size_t above = 0;
    o->rows = RSP_ARRAY(c->a, const rsp_published_row *, c->data.n_rows *(c->data.n_columns + 1) + 1);
    for (size_t r = 0; r < c->data.n_rows; r++)
        for (size_t k = 0; k <= c->data.n_columns; k++) {
            const chart_row *row = &c->data.rows[r];
            const rsp_published_row *x = k < c->data.n_columns ? row->cells[k] : row->net;
            if (!in_scope(c, x)) continue;
            if (!chart_known(x) || isnan(x->lower)) return NULL;
            above += x->lower > 0;
            o->rows[o->n++] = x;
        }
    return o->n > 1 ? claim(c, o, "finding_net", above, o->n, "") : NULL;
}

/* ---- models ------------------------------------------------------------------------------------------------------- */

/* The row with the test of what a forest shows: of drivers the coefficient's, adjusted for the number of factors. */
static const rsp_published_row *tested(const chart *c, const rsp_published_row *shown, bool drivers) {
    return drivers ? rsp_published_find(c->p->results, shown->analysis, shown->domain, shown->term, shown->level,
                                        "coefficient")
                   : shown;
}

static const char *associations(const chart *c, chart_origin *o) {
    bool drivers = is(c->data.statistic, "coefficient_std");
    size_t significant = 0;
    o->rows = RSP_ARRAY(c->a, const rsp_published_row *, c->data.n_rows + 1);
    for (size_t r = 0; r < c->data.n_rows; r++) {
        const rsp_published_row *shown = c->data.rows[r].cells[0];
        const rsp_published_row *x = chart_known(shown) ? tested(c, shown, drivers) : NULL;
        double p = !chart_known(x) ? NAN : drivers ? x->p_adj : x->p;
        if (isnan(p)) return NULL;
        significant += p < ALPHA;
        o->rows[o->n++] = x;
    }
    if (o->n < 2) return NULL;
    if (!significant) return claim(c, o, "finding_no_association", 0, o->n, "");
    return claim(c, o, drivers ? "finding_factors" : "finding_associations", significant, o->n, "");
}

/* Factors whose interval of importance lies above the average share, that of their rating below zero. */
static const char *blocking(const chart *c, chart_origin *o) {
    size_t found = 0;
    const char *name = "";
    o->rows = RSP_ARRAY(c->a, const rsp_published_row *, 2 * c->data.n_rows + 1);
    for (size_t r = 0; r < c->data.n_rows; r++) {
        const chart_row *x = &c->data.rows[r];
        if (isnan(x->cells[0]->lower) || isnan(x->net->upper)) return NULL;
        o->rows[o->n++] = x->cells[0];
        o->rows[o->n++] = x->net;
        if (!(x->cells[0]->lower > chart_average_share(c)) || !(x->net->upper < 0)) continue;
        found++;
        name = x->label;
    }
    if (!found) return claim(c, o, "finding_none_blocks", 0, c->data.n_rows, "");
    const char *said = found == 1 ? claim(c, o, "finding_blocks", 1, c->data.n_rows, name) : NULL;
    return said ? said : claim(c, o, "finding_some_block", found, c->data.n_rows, "");
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

/* The choice that tests show to be placed by more than any other, or how many no test tells from the first. */
static const char *first_place(const chart *c, chart_origin *o) {
    const chart_row *top = top_choice(c);
    size_t below = 0;
    o->rows = RSP_ARRAY(c->a, const rsp_published_row *, c->data.n_rows + 1);
    for (size_t r = 0; r < c->data.n_rows && top; r++) {
        const chart_row *x = &c->data.rows[r];
        if (x == top) continue;
        bool above = false;
        const rsp_published_row *d = chart_choice_test(c, top->cells[0], x->cells[0], &above);
        if (!d) return NULL;
        below += above && d->p_adj < ALPHA;
        o->rows[o->n++] = d;
    }
    if (!o->n) return NULL;
    const char *said = below == o->n ? claim(c, o, "finding_first", 1, o->n + 1, top->label) : NULL;
    return said ? said : claim(c, o, "finding_first_shared", o->n + 1 - below, o->n + 1, "");
}

/* ---- title -------------------------------------------------------------------------------------------------------- */

static const char *finding(const chart *c, chart_origin *o) {
    if (c->p->preliminary || chart_not_comparable(&c->data) || c->data.pairs) return NULL;
    switch (c->data.kind) {
    case CHART_FOREST: return associations(c, o);
    case CHART_QUADRANT: return blocking(c, o);
    case CHART_RANKING: return first_place(c, o);
    case CHART_AGREEMENT:
    case CHART_DIVERGING: return balance(c, o);
    case CHART_HEATMAP:
    case CHART_DOTS: {
        const char *said = groups(c, o);
        if (said || !is(c->data.statistic, "net")) return said;
        *o = (chart_origin){0};
        return balance(c, o);
    }
    default: return NULL;
    }
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
