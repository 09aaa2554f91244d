/* Titles of charts that show what is largest: combinations of answers, correlations, weights. Largest is called what has its
 * interval above those of all others: two estimates whose 95 % intervals do not meet differ at the 5 % level however they are
 * correlated, since the standard error of a difference is at most the sum of both. */
#include "chart_claims.h"

#include <math.h>
#include <string.h>

static bool bounded(const rsp_published_row *r) { return chart_known(r) && !isnan(r->lower) && !isnan(r->upper); }

/* ---- combinations ------------------------------------------------------------------------------------------------- */

/* The m rows that lie above all others by their intervals, put first; false: there are no such, or one is not known. */
static bool lead(const rsp_published_row **rows, size_t n, size_t m) {
    if (n <= m) return false;
    for (size_t k = 0; k < n; k++)
        if (!bounded(rows[k])) return false;
    for (size_t k = 0; k < m; k++) {
        size_t best = k;
        for (size_t j = k + 1; j < n; j++)
            if (rows[j]->estimate > rows[best]->estimate) best = j;
        const rsp_published_row *x = rows[best];
        memmove(&rows[k + 1], &rows[k], (best - k) * sizeof(const rsp_published_row *));
        rows[k] = x;
    }
    double least = INFINITY, most = -INFINITY;
    for (size_t k = 0; k < m; k++) least = fmin(least, rows[k]->lower);
    for (size_t k = m; k < n; k++) most = fmax(most, rows[k]->upper);
    return least > most;
}

static const char *choice_label(const chart *c, const char *code) {
    for (size_t r = 0; r < c->data.n_rows; r++)
        if (strcmp(c->data.rows[r].code, code) == 0) return c->data.rows[r].label;
    return NULL;
}

/* Labels of the choices of a combination; NULL where there is none or more than fit into a title. *n: how many. */
static const char *choices_of(const chart *c, const char *level, size_t *n) {
    const char *names[CHART_NAMED] = {0};
    *n = 0;
    for (const char *p = level; *p;) {
        size_t word = strcspn(p, " ");
        if (*n < CHART_NAMED) names[*n] = choice_label(c, rsp_strndup(c->a, p, word));
        (*n)++;
        p += word + (p[word] == ' ');
    }
    return chart_names(c, names, *n);
}

/* One combination that is clearly the most frequent. What is rarer stands together and is none. */
static const char *most_frequent(const chart *c, chart_origin *o) {
    o->n = 0;
    for (size_t k = 0; k < c->data.n_combinations; k++)
        if (strcmp(c->data.combinations[k]->level, "*") != 0) o->rows[o->n++] = c->data.combinations[k];
    size_t n = 0;
    if (!lead(o->rows, o->n, 1)) return NULL;
    const char *name = choices_of(c, o->rows[0]->level, &n);
    if (!name) return NULL;
    return chart_claim(c, o, chart_of_sample(c, n > 1 ? "finding_together" : "finding_alone"),
                       (chart_said){.name = name});
}

/* One or two choices that are clearly named by more than any other. */
static const char *most_named(const chart *c, chart_origin *o) {
    for (size_t m = 1; m <= CHART_NAMED; m++) {
        o->n = 0;
        for (size_t r = 0; r < c->data.n_rows; r++) o->rows[o->n++] = c->data.rows[r].cells[0];
        if (!lead(o->rows, o->n, m)) continue;
        const char *names[CHART_NAMED] = {0};
        for (size_t k = 0; k < m; k++) names[k] = choice_label(c, o->rows[k]->level);
        const char *name = chart_names(c, names, m);
        if (name) return chart_claim(c, o, chart_of_sample(c, "finding_named"), (chart_said){.name = name});
    }
    return NULL;
}

const char *chart_find_combinations(const chart *c, chart_origin *o) {
    o->rows = RSP_ARRAY(c->a, const rsp_published_row *, c->data.n_rows + c->data.n_combinations + 1);
    const char *said = most_frequent(c, o);
    return said ? said : most_named(c, o);
}

/* ---- correlations ------------------------------------------------------------------------------------------------- */

/* Ends of the interval of a correlation's size, whatever its sign. */
static double nearest(const rsp_published_row *r) { return r->estimate < 0 ? -r->upper : r->lower; }

static double farthest(const rsp_published_row *r) { return fmax(fabs(r->lower), fabs(r->upper)); }

static const char *pair_label(const chart *c, const rsp_published_row *r) {
    const char *names[2] = {0};
    for (size_t k = 0; k < 2; k++) {
        size_t v = rsp_study_variable(c->p->study, k ? r->level : r->term);
        names[k] = v == RSP_NONE ? NULL : rsp_variable_label(c->p->study, v, rsp_texts_lang(c->t));
    }
    return chart_names(c, names, 2);
}

/* The pair that is more closely related than any other, or how many are positively related. */
const char *chart_find_correlations(const chart *c, chart_origin *o) {
    const rsp_published_row *top = NULL;
    size_t above = 0;
    o->rows = RSP_ARRAY(c->a, const rsp_published_row *, c->data.n_rows * c->data.n_rows + 1);
    for (size_t r = 0; r < c->data.n_rows; r++)
        for (size_t k = 0; k < r; k++) {
            const rsp_published_row *x = c->data.rows[r].cells[k];
            if (!bounded(x)) return NULL;
            o->rows[o->n++] = x;
            above += x->lower > 0;
            if (!top || fabs(x->estimate) > fabs(top->estimate)) top = x;
        }
    if (o->n < 2) return NULL;
    bool clear = true;
    for (size_t k = 0; k < o->n; k++) clear = clear && (o->rows[k] == top || nearest(top) > farthest(o->rows[k]));
    const char *name = clear ? pair_label(c, top) : NULL;
    const char *said = name ? chart_claim(c, o, top->estimate > 0 ? "finding_closest" : "finding_closest_opposed",
                                          (chart_said){.name = name})
                            : NULL;
    return said ? said
                : chart_claim(c, o, above == o->n ? "finding_correlations_all" : "finding_correlations",
                              (chart_said){.k = above, .n = o->n});
}

/* ---- weights ------------------------------------------------------------------------------------------------------ */

/* Where unequal weights cost most precision: a fact of the sample, which needs no test. */
const char *chart_find_weights(const chart *c, chart_origin *o) {
    size_t top = 0;
    o->rows = RSP_ARRAY(c->a, const rsp_published_row *, c->data.n_rows + 1);
    for (size_t r = 0; r < c->data.n_rows; r++) {
        const rsp_published_row *x =
            rsp_published_find(c->p->results, "weights", c->data.rows[r].cells[0]->domain, "", "", "deff_kish");
        if (!chart_known(x)) return NULL;
        o->rows[o->n++] = x;
        if (x->estimate > o->rows[top]->estimate) top = r;
    }
    if (!o->n) return NULL;
    chart_said s = {.n = o->n, .value = rsp_say_number(c->t, c->a, o->rows[top]->estimate, 2)};
    if (o->n == 1) return chart_claim(c, o, "finding_deff", s);
    s.name = c->data.rows[top].label;
    const char *said = chart_claim(c, o, "finding_deff_most", s);
    return said ? said : chart_claim(c, o, "finding_deff_least", s);
}
