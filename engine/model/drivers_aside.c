/* Factors and controls that say nothing, found before anything is fitted; the others are estimated as if these were not
 * listed. */
#include "model/drivers.h"

#include <math.h>
#include <string.h>

/* Looks at rows until two answers differ; `any` is enough for a control. */
static void look_at_factor(const rsp_frame *f, const rsp_mmatrix *m, drv_predictor *p) {
    double first = NAN;
    for (size_t i = 0; i < m->n; i++) {
        double v = rsp_value(f, p->variable, m->row[i]);
        if (isnan(v)) continue;
        if (p->answered++ == 0) first = v;
        if (v != first) return;
    }
    p->flag = p->answered ? RSP_F_CONSTANT : RSP_F_UNANSWERED;
}

static void look_at_control(const rsp_frame *f, const rsp_mmatrix *m, drv_predictor *p, rsp_arena *arena) {
    rsp_column_kind kind = f->columns[p->variable].kind;
    rsp_categories c = {0};
    if (kind == RSP_COL_CODE || kind == RSP_COL_TEXT) rsp_categorise(f, p->variable, arena, &c);
    for (size_t i = 0; i < m->n; i++)
        if (c.category ? c.category[m->row[i]] >= 0 : !isnan(rsp_value(f, p->variable, m->row[i]))) return;
    p->flag = RSP_F_UNANSWERED;
}

/* A regression takes whole rows: where nobody of a group answered a factor that others did, the group is in none, for all
 * factors. Groups too small to publish have no regression of their own, and are not named. */
static void report_unasked(rsp_sample *s, const rsp_analysis *a, const rsp_mmatrix *m, const drv_predictor *p,
                           rsp_arena *arena, rsp_diag *d) {
    const rsp_study *study = s->frame->study;
    rsp_categories groups;
    rsp_buf names = {0};
    rsp_categorise(s->frame, a->model.across, arena, &groups);
    int64_t *here = RSP_ARRAY(arena, int64_t, groups.n + 1), *answered = RSP_ARRAY(arena, int64_t, groups.n + 1),
            least = study->disclosure.minimum_base > 1 ? study->disclosure.minimum_base : 1;
    for (size_t i = 0; i < m->n; i++) {
        int32_t g = groups.category[m->row[i]];
        if (g < 0) continue;
        here[g]++;
        answered[g] += !isnan(rsp_value(s->frame, p->variable, m->row[i]));
    }
    for (size_t g = 0; g < groups.n; g++)
        if (here[g] >= least && !answered[g]) rsp_buf_printf(&names, "%s%s", names.length ? ", " : "", groups.code[g]);
    if (names.length)
        rsp_report(d, RSP_WARNING, a->loc, "was it asked there? Without this factor they would be in it",
                   "analysis '%s' is without %s: nobody there answered '%s'", a->id, names.data,
                   study->variables[p->variable].name);
    rsp_buf_free(&names);
}

/* Terms that are kept, numbered anew. `take` [n_terms]. */
static rsp_formula *formula_of(const rsp_formula *from, const bool *take, rsp_arena *arena) {
    rsp_formula *f = RSP_NEW(arena, rsp_formula);
    *f = *from;
    f->factors = RSP_ARRAY(arena, rsp_fexpr *, from->n_factors);
    f->terms = RSP_ARRAY(arena, rsp_fterm, from->n_terms);
    f->n_factors = f->n_terms = 0;
    for (size_t t = 0; t < from->n_terms; t++) { /* a term is one factor: the loader made them so */
        if (!take[t]) continue;
        size_t *place = RSP_NEW(arena, size_t);
        *place = f->n_factors;
        f->factors[f->n_factors++] = from->factors[from->terms[t].factor[0]];
        f->terms[f->n_terms++] = (rsp_fterm){1, place, from->terms[t].text};
    }
    return f;
}

/* Respondents with an outcome and a group: the model that has the groups alone. NULL: reported. */
static rsp_mmatrix *respondents(rsp_sample *s, const rsp_analysis *a, rsp_arena *arena, rsp_diag *d) {
    rsp_analysis plain = *a;
    size_t n = a->model.formula->n_terms;
    bool *take = RSP_ARRAY(arena, bool, n);
    take[n - 1] = true; /* the groups stand last */
    plain.model.kind = RSP_LINEAR_MODEL;
    plain.model.formula = formula_of(a->model.formula, take, arena);
    return rsp_mmatrix_new(s, &plain, NULL, d);
}

/* Those kept first, each part in the order of the study. */
static void arrange(const drv_predictor *all, const rsp_drivers *spec, drv_listed *l, rsp_arena *arena) {
    size_t *factors = RSP_ARRAY(arena, size_t, spec->n_factors + 1), at = 0;
    for (int aside = 0; aside <= 1; aside++)
        for (size_t k = 0; k < spec->n_factors; k++) {
            if ((all[k].flag != 0) != aside) continue;
            factors[at] = all[k].variable;
            l->factor[at] = all[k];
            l->order[k] = at++;
            l->kept.model.drivers.n_factors += !aside;
        }
    l->kept.model.drivers.factors = factors;
}

void drv_set_aside(rsp_sample *s, const rsp_analysis *a, rsp_arena *arena, drv_listed *l, rsp_diag *d) {
    const rsp_drivers *spec = &a->model.drivers;
    size_t n = spec->n_factors, n_terms = a->model.formula->n_terms;
    rsp_mmatrix *m = respondents(s, a, arena, d);
    drv_predictor *all = RSP_ARRAY(arena, drv_predictor, n + 1);
    bool *take = RSP_ARRAY(arena, bool, n_terms + 1);
    *l = (drv_listed){.kept = *a, .n_listed = n, .factor = RSP_ARRAY(arena, drv_predictor, n + 1)};
    l->order = RSP_ARRAY(arena, size_t, n + 1);
    l->control = RSP_ARRAY(arena, drv_predictor, spec->n_controls + 1);
    for (size_t t = 0; t < n_terms; t++) take[t] = true;
    for (size_t k = 0; k < n; k++) {
        all[k].variable = spec->factors[k];
        if (m && m->n) look_at_factor(s->frame, m, &all[k]);
        take[k] = !all[k].flag;
        if (m && m->n && take[k]) report_unasked(s, a, m, &all[k], arena, d);
    }
    for (size_t k = 0; k < spec->n_controls; k++) {
        drv_predictor p = {.variable = spec->controls[k]};
        if (m && m->n) look_at_control(s->frame, m, &p, arena);
        take[n + k] = !p.flag;
        if (p.flag) l->control[l->n_controls++] = p;
    }
    if (m) rsp_mmatrix_free(m);
    l->kept.model.formula = formula_of(a->model.formula, take, arena);
    l->kept.model.drivers.n_factors = 0;
    arrange(all, spec, l, arena);
}
