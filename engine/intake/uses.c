/* Which variables' values the study needs. */
#include "reader.h"
#include "responsive/intake.h"

#include <string.h>

static void use(bool *used, size_t variable) {
    if (variable != RSP_NONE) used[variable] = true;
}

static void use_all(bool *used, const size_t *variables, size_t n) {
    for (size_t k = 0; k < n; k++) use(used, variables[k]);
}

static void visit(rsp_expr *variable, void *context) { use(context, variable->variable); }

static void use_expr(bool *used, rsp_expr *e) {
    if (e) rsp_expr_each_variable(e, visit, used);
}

static void use_fexpr(bool *used, const rsp_fexpr *x) {
    for (; x; x = x->left) {
        if (x->op == RSP_F_VARIABLE) use(used, x->variable);
        use_fexpr(used, x->right);
    }
}

static void use_roles(bool *used, const rsp_roles *r) {
    use_all(used,
            (const size_t[]){r->id, r->country, r->language, r->organisation, r->started, r->submitted, r->duration,
                             r->consent},
            8);
}

static void use_rule(bool *used, const rsp_study *s, const rsp_clean_rule *r) {
    use_expr(used, r->expr);
    use_all(used, r->by, r->n_by);
    /* `incomplete` asks only whether there is an answer: listing a text there is a reason to keep it, too. */
    use_all(used, r->items, r->n_items);
    for (size_t j = 0; r->kind == RSP_CLEAN_RELEVANT && j < s->n_variables; j++)
        use_expr(used, s->variables[j].relevant);
    for (size_t j = 0; r->kind == RSP_CLEAN_CONSTRAINT && j < s->n_variables; j++) {
        if (s->variables[j].constraint) use(used, j);
        use_expr(used, s->variables[j].constraint);
    }
}

void rsp_analysis_uses(const rsp_analysis *a, bool *used) {
    use_expr(used, a->filter);
    if (a->kind == RSP_A_TABLE) {
        use_all(used, a->table.items, a->table.n_items);
        for (size_t k = 0; k < a->table.n_by; k++) use_all(used, a->table.by[k].variables, a->table.by[k].n);
        if (a->table.statistic == RSP_RATIO) {
            use(used, a->table.numerator);
            use(used, a->table.denominator);
        }
    } else if (a->kind == RSP_A_TEST) {
        use(used, a->test.rows);
        use(used, a->test.columns);
    } else if (a->kind == RSP_A_SCALE) {
        use_all(used, a->scale.items, a->scale.n_items);
        use(used, a->scale.agreement);
    } else if (a->kind == RSP_A_INVARIANCE) {
        use_all(used, a->invariance.by, a->invariance.n_by);
        for (size_t k = 0; k < a->invariance.n_models; k++)
            use_all(used, a->invariance.items[k], a->invariance.n_items[k]);
    } else if (a->kind == RSP_A_EXPLORATION) {
        use_all(used, a->exploration.items, a->exploration.n_items);
        use_all(used, a->exploration.by, a->exploration.n_by);
    } else if (a->kind == RSP_A_MODEL && a->model.kind == RSP_POOLED_MODEL) {
        use_all(used, (const size_t[]){a->model.estimate, a->model.variance, a->model.across}, 3);
    } else if (a->model.formula) {
        use_all(used, a->model.drivers.leave_out, a->model.drivers.n_leave_out);
        use_fexpr(used, a->model.formula->response);
        for (size_t k = 0; k < a->model.formula->n_factors; k++) use_fexpr(used, a->model.formula->factors[k]);
    }
}

static void use_weighting(bool *used, const rsp_weighting_spec *w) {
    if (!w->given) return;
    use(used, w->within);
    for (size_t k = 0; k < w->n_margins; k++) use_all(used, w->margins[k].variables, w->margins[k].n_variables);
    use_all(used, w->nonresponse, w->n_nonresponse);
    use_expr(used, w->respondent);
}

void rsp_study_computes_with(const rsp_study *s, bool *used) {
    memset(used, 0, s->n_variables * sizeof *used);
    use(used, s->roles.country);
    use(used, s->design.weight);
    use_all(used, s->design.strata, s->design.n_strata);
    use_all(used, s->design.cluster, s->design.n_stages);
    use_weighting(used, &s->weighting);
    for (size_t k = 0; k < s->n_analyses; k++) rsp_analysis_uses(&s->analyses[k], used);
    for (size_t j = 0; j < s->n_variables; j++) {
        const rsp_derivation *v = &s->variables[j].derive;
        if (used[j] && (v->kind == RSP_DERIVE_CUT || v->kind == RSP_DERIVE_MAP)) use(used, v->from);
    }
}

void rsp_study_uses(const rsp_study *s, bool *used) {
    memset(used, 0, s->n_variables * sizeof *used);
    use_roles(used, &s->roles);
    for (size_t k = 0; k < s->n_rules; k++) use_rule(used, s, &s->rules[k]);
    for (size_t j = 0; j < s->n_variables; j++) {
        const rsp_derivation *v = &s->variables[j].derive;
        if (v->kind == RSP_DERIVE_NONE) continue;
        if (v->kind == RSP_DERIVE_CUT || v->kind == RSP_DERIVE_MAP) use(used, v->from);
        use_expr(used, v->expr);
        use_all(used, v->items, v->n_items);
    }
    use(used, s->design.weight);
    use_all(used, s->design.strata, s->design.n_strata);
    use_all(used, s->design.cluster, s->design.n_stages);
    use_all(used, s->design.fpc, s->design.n_fpc);
    use_weighting(used, &s->weighting);
    for (size_t k = 0; k < s->n_analyses; k++) rsp_analysis_uses(&s->analyses[k], used);
}
