/* Correlations of items as a heat map: a cell for each pair, below the diagonal. Rows and columns keep the order of the
 * specification, in which what belongs together stands together; columns go by the numbers of the rows. */
#include "chart.h"

static const char *statistic(const rsp_exploration *x) {
    static const char *const names[] = {[RSP_PEARSON] = "correlation",
                                        [RSP_SPEARMAN] = "correlation_rank",
                                        [RSP_POLYCHORIC] = "correlation_polychoric"};
    return names[x->correlation];
}

/* Whose correlations: everybody's, or the edition's country's. NULL: the study has no countries. */
static const char *whose(const chart *c) {
    size_t v = c->p->study->roles.country;
    if (!c->country) return "";
    return v == RSP_NONE ? NULL : rsp_domain_text(c->a, 1, &c->p->study->variables[v].name, &c->country);
}

static bool add_items(chart *c, const rsp_exploration *x, const char *domain) {
    const rsp_variable *v = c->p->study->variables;
    bool any = false;
    for (size_t j = 0; j < x->n_items; j++) {
        const char *label = rsp_variable_label(c->p->study, x->items[j], rsp_texts_lang(c->t));
        const char *number = rsp_say_number(c->t, c->a, (double) j + 1, 0);
        chart_row *r = chart_add_row(c, x->n_items);
        r->label = rsp_printf(c->a, "%s\u00A0\u00A0%s", number, label);
        c->data.columns[j] = label;
        for (size_t k = 0; k < j; k++) {
            r->cells[k] = rsp_published_find(c->p->results, c->x->id, domain, v[x->items[k]].name, v[x->items[j]].name,
                                             c->data.statistic);
            any = any || r->cells[k];
        }
    }
    return any;
}

bool chart_collect_correlations(chart *c) {
    const rsp_exploration *x = &c->x->exploration;
    const char *domain = whose(c);
    if (!domain) return false;
    c->data.statistic = statistic(x);
    c->data.pairs = true;
    c->data.n_columns = x->n_items - 1;
    c->data.columns = RSP_ARRAY(c->a, const char *, x->n_items);
    bool any = add_items(c, x, domain);
    chart_settle(c);
    c->data.note = rsp_say(c->t, c->a, "correlations_note", NULL, 0);
    return any;
}
