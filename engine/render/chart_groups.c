/* Titles of charts of groups, countries and waves: which of the run's own tests found a difference. Named is what one or two
 * differences, groups or items are about; more are counted. */
#include "chart_claims.h"

#include <math.h>
#include <string.h>

static bool is(const char *a, const char *b) { return strcmp(a, b) == 0; }

typedef struct {
    const rsp_published_row *row; /* of one group */
    const char *before, *variable, *code, *label;
} member;

typedef struct {
    const rsp_published_row *row;
    const member *upper, *lower;
    bool clear;
} comparison;

typedef struct {
    const chart *c;
    chart_origin *o;
    size_t n, n_tests, significant;
    member *members;
    comparison *tests;
} groups;

/* ---- members and their tests -------------------------------------------------------------------------------------- */

/* The domain's last pair is the group, what stands before it whom the groups are taken from. */
static member make_member(const chart *c, const rsp_published_row *r) {
    const char *cut = strrchr(r->domain, ';'), *pair = cut ? cut + 1 : r->domain;
    size_t name = strcspn(pair, "=");
    return (member){.row = r,
                    .before = cut ? rsp_strndup(c->a, r->domain, (size_t) (cut - r->domain)) : "",
                    .variable = rsp_strndup(c->a, pair, name),
                    .code = pair[name] ? pair + name + 1 : "",
                    .label = chart_codes_label(c, pair)};
}

static void list_members(groups *g) {
    const chart_data *d = &g->c->data;
    g->members = RSP_ARRAY(g->c->a, member, d->n_rows * d->n_columns + 1);
    for (size_t r = 0; r < d->n_rows; r++)
        for (size_t k = 0; k < d->n_columns; k++) {
            const rsp_published_row *x = d->rows[r].cells[k];
            if (x && *x->domain) g->members[g->n++] = make_member(g->c, x);
        }
}

const rsp_published_row *chart_group_test(const chart *c, const rsp_published_row *r, const char *before,
                                          const char *variable, const char *a, const char *b, bool *above) {
    const char *term = *r->level ? rsp_printf(c->a, "%s=%s", r->term, r->level) : r->term;
    for (int way = 0; way < 4; way++) { /* either first; with the variable's name where its codes are another's too */
        bool turned = way & 1;
        const char *prefix = way & 2 ? rsp_printf(c->a, "%s=", variable) : "";
        const char *pair = rsp_printf(c->a, "%s%s-%s", prefix, turned ? b : a, turned ? a : b);
        const rsp_published_row *d = rsp_published_find(c->p->results, r->analysis, before, term, pair, "difference");
        if (!chart_known(d) || isnan(d->p_adj)) continue;
        *above = (d->estimate > 0) != turned;
        return d;
    }
    return NULL;
}

static bool same_item(const rsp_published_row *a, const rsp_published_row *b) {
    return is(a->term, b->term) && is(a->level, b->level);
}

static bool compared(const member *a, const member *b) {
    return same_item(a->row, b->row) && is(a->variable, b->variable) && is(a->before, b->before) &&
           !is(a->code, b->code);
}

static void list_tests(groups *g) {
    g->tests = RSP_ARRAY(g->c->a, comparison, g->n * (g->n - 1) / 2 + 1);
    for (size_t i = 0; i < g->n; i++)
        for (size_t j = i + 1; j < g->n; j++) {
            const member *a = &g->members[i], *b = &g->members[j];
            bool above = false;
            const rsp_published_row *d =
                compared(a, b) ? chart_group_test(g->c, a->row, a->before, a->variable, a->code, b->code, &above)
                               : NULL;
            if (!d) continue;
            bool clear = chart_significant(d);
            g->tests[g->n_tests++] = (comparison){d, above ? a : b, above ? b : a, clear};
            g->significant += clear;
        }
}

static void cite_all(groups *g) {
    g->o->n = 0;
    for (size_t k = 0; k < g->n_tests; k++) g->o->rows[g->o->n++] = g->tests[k].row;
}

/* ---- what the members are ----------------------------------------------------------------------------------------- */

static bool one_item(const groups *g) {
    for (size_t k = 1; k < g->n; k++)
        if (!same_item(g->members[k].row, g->members[0].row)) return false;
    return true;
}

static bool one_grouping(const groups *g) {
    for (size_t k = 1; k < g->n; k++)
        if (!is(g->members[k].variable, g->members[0].variable) || !is(g->members[k].before, g->members[0].before))
            return false;
    return true;
}

static bool two_groups(const groups *g) {
    const char *other = NULL;
    for (size_t k = 1; k < g->n; k++) {
        if (is(g->members[k].code, g->members[0].code)) continue;
        if (other && !is(other, g->members[k].code)) return false;
        other = g->members[k].code;
    }
    return other != NULL;
}

/* The item, or of one item the answer; NULL where it takes both to tell it from the others. */
static const char *item_label(const groups *g, const rsp_published_row *r) {
    if (!*r->level || g->c->data.answer) return rsp_label_term(g->c->l, g->c->a, r);
    for (size_t k = 0; k < g->n; k++)
        if (!is(g->members[k].row->term, r->term)) return NULL;
    return rsp_label_level(g->c->l, g->c->a, r);
}

/* ---- one item, one grouping --------------------------------------------------------------------------------------- */

/* The group that tests show to lie above, or below, every other; its tests are added to those cited. */
static const member *extreme(groups *g, bool above) {
    for (size_t i = 0; i < g->n; i++) {
        size_t from = g->o->n;
        for (size_t k = 0; k < g->n_tests; k++) {
            const comparison *t = &g->tests[k];
            if (t->clear && (above ? t->upper : t->lower) == &g->members[i]) g->o->rows[g->o->n++] = t->row;
        }
        if (g->n > 1 && g->o->n - from == g->n - 1) return &g->members[i];
        g->o->n = from;
    }
    return NULL;
}

static const char *ends(groups *g) {
    g->o->n = 0;
    const member *top = extreme(g, true), *last = g->n > 2 ? extreme(g, false) : NULL;
    const char *said = NULL;
    if (top && last) { /* the test of the two would be cited twice */
        size_t n = 0;
        for (size_t k = 0; k < g->n_tests; k++) {
            const comparison *t = &g->tests[k];
            if (t->upper == top || t->lower == last) g->o->rows[n++] = t->row;
        }
        g->o->n = n;
        said = chart_claim(g->c, g->o, chart_of_sample(g->c, "finding_ends"),
                           (chart_said){.name = top->label, .other = last->label});
        if (said) return said;
        g->o->n = 0;
        extreme(g, true);
    }
    if (top) return chart_claim(g->c, g->o, chart_of_sample(g->c, "finding_highest"), (chart_said){.name = top->label});
    if (last)
        return chart_claim(g->c, g->o, chart_of_sample(g->c, "finding_lowest"), (chart_said){.name = last->label});
    return NULL;
}

typedef struct {
    size_t n;
    const char *label[CHART_NAMED];
} few_names; /* n may be larger than what is kept */

static void add_name(few_names *f, const char *label) {
    if (f->n < CHART_NAMED) f->label[f->n] = label;
    f->n++;
}

static const char *join(const groups *g, const few_names *f) { return chart_names(g->c, f->label, f->n); }

/* Countries that tests show to lie above or below the average of the participating ones. */
static const char *against_average(groups *g) {
    size_t v = g->c->p->study->roles.country;
    few_names up = {0}, down = {0};
    g->o->n = 0;
    for (size_t k = 0; k < g->n; k++) {
        const member *m = &g->members[k];
        if (v == RSP_NONE || !is(m->variable, g->c->p->study->variables[v].name) || *m->before) continue;
        bool above = false;
        const rsp_published_row *d = chart_group_test(g->c, m->row, m->before, m->variable, m->code, "average", &above);
        if (!d && chart_known(m->row)) return NULL;
        if (!d) continue;
        g->o->rows[g->o->n++] = d;
        if (chart_significant(d)) add_name(above ? &up : &down, m->label);
    }
    if (!up.n && !down.n) return NULL;
    const chart_said s = {
        .k = up.n + down.n, .n = g->o->n, .name = join(g, up.n ? &up : &down), .other = join(g, &down)};
    const char *said = NULL, *key = up.n && down.n ? "finding_average_both"
                                    : up.n         ? "finding_average_above"
                                                   : "finding_average_below";
    if (s.name && (!down.n || s.other)) said = chart_claim(g->c, g->o, chart_of_sample(g->c, key), s);
    return said ? said : chart_claim(g->c, g->o, "finding_average_some", s);
}

/* The group that tests show to lie above every other, on each of several items. */
static const char *highest_on_all(groups *g) {
    for (size_t i = 0; i < g->n; i++) {
        const char *code = g->members[i].code;
        size_t won = 0, own = 0, wanted = 0;
        g->o->n = 0;
        for (size_t k = 0; k < g->n_tests; k++) {
            const comparison *t = &g->tests[k];
            if (!t->clear || !is(t->upper->code, code)) continue;
            g->o->rows[g->o->n++] = t->row;
            won++;
        }
        for (size_t k = 0; k < g->n; k++) {
            own += is(g->members[k].code, code);
            for (size_t j = 0; j < g->n && is(g->members[k].code, code); j++)
                wanted += compared(&g->members[k], &g->members[j]);
        }
        if (own > 1 && wanted > own && won == wanted)
            return chart_claim(g->c, g->o, chart_of_sample(g->c, "finding_highest_all"),
                               (chart_said){.name = g->members[i].label});
    }
    return NULL;
}

/* ---- what differences have in common ------------------------------------------------------------------------------ */

/* The one group that lies above, or below, in every clear difference; NULL: there is none. */
static const member *common(const groups *g, bool above) {
    const member *found = NULL;
    for (size_t k = 0; k < g->n_tests; k++) {
        const member *m = above ? g->tests[k].upper : g->tests[k].lower;
        if (!g->tests[k].clear) continue;
        if (found && !is(found->code, m->code)) return NULL;
        found = m;
    }
    return found;
}

/* Items with a clear difference, or those that were tested and have none, in the order of the chart. */
static few_names items_with(const groups *g, bool clear) {
    few_names f = {0};
    for (size_t i = 0; i < g->n; i++) {
        bool known = false, any = false, tested = false;
        for (size_t j = 0; j < i && !known; j++) known = same_item(g->members[j].row, g->members[i].row);
        for (size_t k = 0; k < g->n_tests && !known; k++) {
            if (!same_item(g->tests[k].upper->row, g->members[i].row)) continue;
            tested = true;
            any = any || g->tests[k].clear;
        }
        if (tested && any == clear) add_name(&f, item_label(g, g->members[i].row));
    }
    return f;
}

/* The one clear difference: who lies above whom, and on which item. */
static const char *single(groups *g) {
    const comparison *t = g->tests;
    while (!t->clear) t++;
    chart_said s = {.k = 1, .n = g->n_tests, .name = t->upper->label, .other = t->lower->label};
    if (one_item(g)) return chart_claim(g->c, g->o, "finding_one_difference", s);
    s.value = item_label(g, t->upper->row);
    return s.value ? chart_claim(g->c, g->o, "finding_one_difference_item", s) : NULL;
}

/* Two groups, one of which lies above wherever they differ: on all items, on one or two, on so many. */
static const char *of_two(groups *g, const member *upper, const chart_said *count) {
    chart_said s = *count;
    s.name = upper->label;
    const few_names items = items_with(g, true);
    s.other = join(g, &items);
    const char *said = NULL;
    if (s.k == s.n) said = chart_claim(g->c, g->o, chart_of_sample(g->c, "finding_higher_all"), s);
    else if (s.other) said = chart_claim(g->c, g->o, chart_of_sample(g->c, "finding_higher_only"), s);
    return said ? said : chart_claim(g->c, g->o, chart_of_sample(g->c, "finding_higher"), s);
}

/* Where all differences meet: in one group that lies below or above, in one or two items, in all but one or two. */
static const char *where_they_meet(groups *g, const chart_said *count) {
    chart_said s = *count;
    const member *upper = common(g, true), *lower = common(g, false);
    const char *said = NULL;
    if (two_groups(g) && upper && s.n > 1) return of_two(g, upper, count);
    if (lower && s.k > 1) {
        s.name = lower->label;
        said = chart_claim(g->c, g->o, chart_of_sample(g->c, "finding_always_lower"), s);
    }
    if (!said && upper && s.k > 1) {
        s.name = upper->label;
        said = chart_claim(g->c, g->o, chart_of_sample(g->c, "finding_always_higher"), s);
    }
    const few_names with = items_with(g, true), without = items_with(g, false);
    if (!said && without.n && (s.name = join(g, &with))) said = chart_claim(g->c, g->o, "finding_items", s);
    if (!said && with.n > without.n && (s.name = join(g, &without)))
        said = chart_claim(g->c, g->o, "finding_items_but", s);
    return said;
}

/* Of several groupings those by which answers differ; of countries alone, which of them. */
static const char *by_grouping(groups *g, const chart_said *count) {
    chart_said s = *count;
    few_names f = {0};
    size_t country = g->c->p->study->roles.country, found = RSP_NONE;
    for (size_t i = 0; i < g->n; i++) {
        const char *variable = g->members[i].variable;
        bool seen = false, any = false;
        if (*g->members[i].before) return NULL; /* crossed groups are counted */
        for (size_t j = 0; j < i && !seen; j++) seen = is(g->members[j].variable, variable);
        for (size_t k = 0; k < g->n_tests && !seen; k++)
            any = any || (g->tests[k].clear && is(g->tests[k].upper->variable, variable));
        if (!any) continue;
        found = rsp_study_variable(g->c->p->study, variable);
        add_name(&f, found == RSP_NONE ? NULL : rsp_variable_label(g->c->p->study, found, rsp_texts_lang(g->c->t)));
    }
    const char *said = NULL;
    if (f.n == 1 && found != RSP_NONE && found == country && one_item(g)) said = against_average(g);
    if (said) return said;
    cite_all(g);
    s.name = join(g, &f);
    return s.name ? chart_claim(g->c, g->o, "finding_groupings", s) : NULL;
}

const char *chart_find_groups(const chart *c, chart_origin *o) {
    groups g = {.c = c, .o = o};
    list_members(&g);
    if (g.n < 2) return NULL;
    list_tests(&g);
    if (!g.n_tests) return NULL;
    o->rows = RSP_ARRAY(c->a, const rsp_published_row *, 2 * g.n_tests + g.n);
    const char *said = NULL;
    bool simple = one_grouping(&g);
    if (simple && one_item(&g)) said = ends(&g);
    else if (simple) said = highest_on_all(&g);
    if (!said && simple && one_item(&g)) said = against_average(&g);
    if (said) return said;
    cite_all(&g);
    const chart_said s = {.k = g.significant, .n = g.n_tests};
    if (!s.k) return chart_claim(c, o, "finding_no_difference", s);
    if (!simple) said = by_grouping(&g, &s);
    else if (s.k == 1 && !two_groups(&g)) said = single(&g);
    if (!said && simple) said = where_they_meet(&g, &s);
    return said ? said : chart_claim(c, o, "finding_differences", s);
}

/* ---- waves -------------------------------------------------------------------------------------------------------- */

static const rsp_published_row *ends_of_line(const chart *c, const chart_row *row, bool *rises, bool *known) {
    const rsp_published_row *first = row->cells[0], *last = row->cells[c->data.n_columns - 1];
    *known = chart_known(first) && chart_known(last);
    if (!*known) return NULL;
    const member a = make_member(c, first), b = make_member(c, last);
    return chart_group_test(c, last, b.before, b.variable, b.code, a.code, rises);
}

/* Which lines rise or fall from the first wave to the last by more than chance. */
const char *chart_find_waves(const chart *c, chart_origin *o) {
    few_names up = {0}, down = {0};
    o->rows = RSP_ARRAY(c->a, const rsp_published_row *, c->data.n_rows + 1);
    for (size_t r = 0; r < c->data.n_rows; r++) {
        bool rises = false, known = false;
        const rsp_published_row *d = ends_of_line(c, &c->data.rows[r], &rises, &known);
        if (known && !d) return NULL;
        if (!d) continue;
        o->rows[o->n++] = d;
        if (chart_significant(d)) add_name(rises ? &up : &down, c->data.rows[r].label);
    }
    if (!o->n) return NULL;
    const chart_said s = {.k = up.n + down.n,
                          .n = o->n,
                          .name = up.n ? chart_names(c, up.label, up.n) : chart_names(c, down.label, down.n),
                          .other = chart_names(c, down.label, down.n),
                          .first = c->data.columns[0],
                          .last = c->data.columns[c->data.n_columns - 1]};
    const char *said = NULL, *key = up.n && down.n ? "finding_rise_fall" : up.n ? "finding_rise" : "finding_fall";
    if (!s.k) return chart_claim(c, o, "finding_no_change", s);
    if (s.name && (!down.n || s.other)) said = chart_claim(c, o, chart_of_sample(c, key), s);
    return said ? said : chart_claim(c, o, "finding_changes", s);
}
