/* See rsp_settle_comparability in statistics.h. */
#include "measure/comparability.h"
#include "responsive/statistics.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

const char *rsp_grade_word(rsp_grade g) {
    static const char *const words[] = {"not_comparable", "with_caution", "comparable"};
    return words[g];
}

static bool is(const char *a, const char *b) { return strcmp(a, b) == 0; }

/* ---- verdicts that stay ------------------------------------------------------------------------------------------- */

static bool previous_grade(const rsp_published *p, const rsp_row *r, rsp_grade *grade) {
    for (rsp_grade g = RSP_NOT_COMPARABLE; p && g <= RSP_COMPARABLE; g++) {
        *grade = g;
        if (rsp_published_find(p, r->analysis, r->domain, r->term, rsp_grade_word(g), "verdict")) return true;
    }
    return false;
}

static void hold_verdict(rsp_row *r, const rsp_published *previous) {
    rsp_grade before;
    if (isnan(r->estimate) || !previous_grade(previous, r, &before)) return;
    if ((double) before < r->lower || (double) before > r->upper) return;
    r->estimate = before;
    r->level = rsp_grade_word(before);
}

/* ---- scores that a scale's items feed ----------------------------------------------------------------------------- */

struct feed {
    const rsp_study *s;
    bool *reached;
};

static void reach(const struct feed *f, size_t v);

static void reach_expr(rsp_expr *variable, void *context) { reach(context, variable->variable); }

/* Marks the variables that a variable is made of, itself among them. Derivations do not go in circles. */
static void reach(const struct feed *f, size_t v) {
    if (v == RSP_NONE || f->reached[v]) return;
    f->reached[v] = true;
    const rsp_derivation *d = &f->s->variables[v].derive;
    if (d->kind == RSP_DERIVE_CUT || d->kind == RSP_DERIVE_MAP) reach(f, d->from);
    if (d->expr) rsp_expr_each_variable(d->expr, reach_expr, (void *) f);
    for (size_t k = 0; k < d->n_items; k++) reach(f, d->items[k]);
}

/* scores[v]: variable v is derived from two of the items or more; a single item is no score. */
static void find_scores(const rsp_study *s, size_t n_items, const size_t *items, bool *scores) {
    struct feed f = {s, rsp_malloc(s->n_variables + 1)};
    for (size_t v = 0; v < s->n_variables; v++) {
        size_t fed = 0;
        if (s->variables[v].derive.kind != RSP_DERIVE_NONE) {
            memset(f.reached, 0, s->n_variables + 1);
            reach(&f, v);
            for (size_t k = 0; k < n_items; k++) fed += f.reached[items[k]];
        }
        scores[v] = fed >= 2;
    }
    free(f.reached);
}

/* ---- rows that compare ---------------------------------------------------------------------------------------------- */

/* One scale that is not comparable by one variable. */
struct gate {
    const rsp_study *s;
    rsp_map *names, *analyses; /* variables, analyses by id */
    const char *by;
    size_t by_variable;
    bool *scores;
};

static bool names_group(const char *domain, const char *by) {
    size_t length = strlen(by);
    for (const char *p = domain; p && *p; p = strchr(p, ';') ? strchr(p, ';') + 1 : NULL)
        if (strncmp(p, by, length) == 0 && p[length] == '=') return true;
    return false;
}

static bool is_score(const struct gate *g, const char *name, size_t length) {
    size_t v = rsp_map_get_n(g->names, name, length);
    return v != RSP_NONE && g->scores[v];
}

/* A term may be a ratio (a/b) or a category (a=x). */
static bool speaks_of_score(const struct gate *g, const char *term) {
    const char *slash = strchr(term, '/');
    return is_score(g, term, strcspn(term, "=/")) || (slash && is_score(g, slash + 1, strlen(slash + 1)));
}

/* A function of a score is one: log(score). */
static bool of_score(const struct gate *g, const rsp_fexpr *e) {
    if (!e) return false;
    if (e->op == RSP_F_VARIABLE) return e->variable != RSP_NONE && g->scores[e->variable];
    return of_score(g, e->left) || of_score(g, e->right);
}

static bool formula_has_score(const struct gate *g, const rsp_formula *f) {
    bool found = of_score(g, f->response);
    for (size_t k = 0; k < f->n_factors; k++) found |= of_score(g, f->factors[k]);
    return found;
}

/* The factor of the formula that a part of a term's name belongs to: `x`, `x=level`; NULL: none. */
static const rsp_fexpr *factor_named(const rsp_formula *f, const char *name, size_t length) {
    for (size_t k = 0; k < f->n_factors; k++) {
        size_t n = strlen(f->factors[k]->text);
        if (n <= length && strncmp(f->factors[k]->text, name, n) == 0 && (n == length || name[n] == '='))
            return f->factors[k];
    }
    return NULL;
}

static bool of_variable(const rsp_fexpr *e, size_t v) {
    if (!e) return false;
    return e->op == RSP_F_VARIABLE ? e->variable == v : of_variable(e->left, v) || of_variable(e->right, v);
}

/* A coefficient of the grouping variable where the outcome is such a score, or how much more a score tells in one group
 * than in another; what is pooled over its groups. */
static bool model_compares(const struct gate *g, const rsp_model *m, const rsp_row *r) {
    if (m->kind == RSP_POOLED_MODEL) {
        if (m->across != g->by_variable) return false;
        if (m->estimate != RSP_NONE) return g->scores[m->estimate];
        const rsp_formula *of = g->s->analyses[m->of].model.formula;
        return of && formula_has_score(g, of);
    }
    if (!m->formula) return false;
    bool score = of_score(g, m->formula->response), group = false;
    size_t length = strlen(g->by);
    for (const char *p = r->term; *p; p += strcspn(p, ":") + (p[strcspn(p, ":")] == ':')) {
        size_t part = strcspn(p, ":");
        const rsp_fexpr *e = factor_named(m->formula, p, part);
        group |= of_variable(e, g->by_variable) ||
                 (part >= length && strncmp(p, g->by, length) == 0 && (part == length || p[length] == '='));
        score |= of_score(g, e);
    }
    return group && score;
}

/* Kind drivers: what its groups say together of an outcome or a factor that means something else in each of them, and
 * each group's association beside the others. A rating (`net`) speaks of the factor alone; of everybody it compares nothing. */
static bool drivers_compare(const struct gate *g, const rsp_model *m, const rsp_row *r) {
    if (m->across != g->by_variable || is(r->statistic, "net")) return false;
    return g->scores[m->drivers.outcome] || is_score(g, r->term, strlen(r->term));
}

static bool compares(const struct gate *g, const rsp_row *r) {
    bool of_groups =
        names_group(r->domain, g->by) || names_group(r->sides[0], g->by) || names_group(r->sides[1], g->by);
    if (of_groups && speaks_of_score(g, r->term)) return true;
    size_t k = rsp_map_get(g->analyses, r->analysis);
    const rsp_analysis *a = k == RSP_NONE ? NULL : &g->s->analyses[k];
    if (a && a->kind == RSP_A_TEST)
        return (a->test.columns == g->by_variable && g->scores[a->test.rows]) ||
               (a->test.rows == g->by_variable && g->scores[a->test.columns]);
    if (!a || a->kind != RSP_A_MODEL) return false;
    return a->model.kind == RSP_DRIVERS_MODEL ? drivers_compare(g, &a->model, r) : model_compares(g, &a->model, r);
}

/* A verdict on a factor that rests on such a comparison is none; nor is its role beside the others. */
static void withhold(rsp_row *r) {
    r->flags |= RSP_F_NOT_COMPARABLE;
    if (is(r->statistic, "verdict") || is(r->statistic, "role")) r->level = "";
}

static void flag_rows(struct gate *g, size_t n_items, const size_t *items, rsp_results *out) {
    find_scores(g->s, n_items, items, g->scores);
    for (size_t i = 0; i < out->n; i++)
        if (compares(g, &out->rows[i])) withhold(&out->rows[i]);
}

/* The verdict's term is `scale:variable`. */
static void gate_verdict(struct gate *g, const rsp_row *r, rsp_results *out) {
    const rsp_invariance *x = &g->s->analyses[rsp_map_get(g->analyses, r->analysis)].invariance;
    const char *colon = strchr(r->term, ':');
    for (size_t m = 0; colon && m < x->n_models; m++) {
        if (strlen(x->name[m]) != (size_t) (colon - r->term) || strncmp(x->name[m], r->term, strlen(x->name[m])) != 0)
            continue;
        g->by = colon + 1;
        g->by_variable = rsp_map_get(g->names, g->by);
        flag_rows(g, x->n_items[m], x->items[m], out);
    }
}

void rsp_settle_comparability(const rsp_study *s, const rsp_published *previous, bool final, rsp_results *out) {
    struct gate g = {.s = s, .names = rsp_map_new(), .analyses = rsp_map_new()};
    g.scores = rsp_calloc(s->n_variables + 1, sizeof *g.scores);
    for (size_t k = 0; k < s->n_variables; k++) rsp_map_put(g.names, s->variables[k].name, k);
    for (size_t k = 0; k < s->n_analyses; k++) rsp_map_put(g.analyses, s->analyses[k].id, k);
    for (size_t i = 0; i < out->n; i++) {
        if (!is(out->rows[i].statistic, "verdict")) continue;
        size_t k = rsp_map_get(g.analyses, out->rows[i].analysis);
        if (k == RSP_NONE || s->analyses[k].kind != RSP_A_INVARIANCE) continue;
        if (!final) hold_verdict(&out->rows[i], previous);
        const rsp_row r = out->rows[i];
        if (is(r.level, rsp_grade_word(RSP_NOT_COMPARABLE))) gate_verdict(&g, &r, out);
    }
    free(g.scores);
    rsp_map_free(g.names);
    rsp_map_free(g.analyses);
}
