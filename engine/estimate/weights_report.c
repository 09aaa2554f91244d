/* Analysis `weights`: what weighting did to each group, and how far its margins are from their targets. */
#include "responsive/statistics.h"

#include <math.h>

static void add(rsp_results *out, const rsp_group *g, const char *domain, const char *statistic, double value) {
    rsp_row *row = rsp_results_add(out, "weights", domain, "", "", statistic);
    row->estimate = g->n ? value : NAN;
    row->n = (double) g->n;
    row->base = (int64_t) g->n;
    row->flags = g->flags | (g->n ? 0 : RSP_F_EMPTY);
}

static void add_gap(rsp_results *out, const rsp_sample *s, const rsp_margin_gap *gap, const char *domain) {
    const rsp_group *g = &s->groups[gap->group];
    rsp_row *row = rsp_results_add(out, "weights", domain, gap->margin, gap->code, "margin_gap");
    row->estimate = gap->achieved - gap->target;
    row->n = (double) g->n;
    row->base = (int64_t) g->n;
    row->cell = gap->n;
    row->flags = g->flags;
}

void rsp_report_weights(rsp_sample *s, rsp_results *out) {
    const rsp_study *study = s->frame->study;
    bool weights = study->weighting.given || study->weighting.n_nonresponse;
    size_t within = weights ? study->weighting.within : RSP_NONE;
    rsp_arena *scratch = rsp_arena_new();
    for (size_t k = 0, gap = 0; k < s->n_groups; k++) {
        const rsp_group *g = &s->groups[k];
        const char *domain = "";
        if (within != RSP_NONE)
            domain = rsp_domain_text(scratch, 1, (const char *const[]){study->variables[within].name},
                                     (const char *const[]){g->code});
        add(out, g, domain, "deff_kish", g->deff_kish);
        add(out, g, domain, "weight_min", g->weight_min);
        add(out, g, domain, "weight_max", g->weight_max);
        add(out, g, domain, "n_eff", g->n_eff);
        for (; gap < s->n_gaps && s->gaps[gap].group == k; gap++) add_gap(out, s, &s->gaps[gap], domain);
    }
    rsp_arena_free(scratch);
}
