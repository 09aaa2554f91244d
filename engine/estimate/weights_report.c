/* Analysis `weights`: what weighting did to each group, and how far its margins are from their targets. */
#include "responsive/statistics.h"

#include <math.h>
#include <stdlib.h>

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

/* Limits of classes of weights over their mean; the last is open. */
static const double LIMITS[] = {0, 0.25, 0.5, 0.75, 1, 1.25, 1.5, 2, 3, 4, 5};
enum { N_CLASSES = sizeof LIMITS / sizeof *LIMITS };

static size_t class_of(double x) {
    size_t k = N_CLASSES - 1;
    while (k > 0 && x < LIMITS[k]) k--;
    return k;
}

static void add_class(rsp_results *out, const rsp_group *g, const char *domain, size_t from, size_t to, int64_t count) {
    char low[32], high[32] = "", level[72];
    rsp_double_text(LIMITS[from], low);
    if (to < N_CLASSES) rsp_double_text(LIMITS[to], high);
    snprintf(level, sizeof level, "%s-%s", low, high);
    rsp_row *row = rsp_results_add(out, "weights", domain, "", level, "weight_count");
    row->estimate = (double) count;
    row->n = (double) g->n;
    row->base = (int64_t) g->n;
    row->cell = count;
    row->flags = g->flags;
}

/* Respondents by size of their weight. A class of fewer than `least` is joined with the next, at the upper end with the
 * one before: nobody's weight can be told from it. Groups are not summed up, so nothing follows by subtraction. */
static void add_classes(rsp_results *out, const rsp_group *g, const char *domain, const int64_t *count, int64_t least) {
    size_t start[N_CLASSES + 1], n = 0;
    int64_t sum[N_CLASSES + 1];
    for (size_t k = 0, open = 0; k < N_CLASSES; k++) {
        if (!open) start[n] = k, sum[n++] = 0;
        sum[n - 1] += count[k];
        open = sum[n - 1] > 0 && sum[n - 1] < least;
    }
    while (n > 1 && sum[n - 1] < least) n--, sum[n - 1] += sum[n];
    for (size_t k = 0; k < n; k++) {
        if (sum[k] == 0) continue;
        add_class(out, g, domain, start[k], k + 1 < n ? start[k + 1] : N_CLASSES, sum[k]);
    }
}

static int64_t *count_classes(const rsp_sample *s) {
    int64_t *count = rsp_calloc(s->n_groups * N_CLASSES + 1, sizeof *count);
    for (size_t i = 0; i < s->n; i++) {
        const rsp_group *g = &s->groups[s->group[i]];
        if (s->weight[i] > 0)
            count[(size_t) s->group[i] * N_CLASSES + class_of(s->weight[i] * (double) g->n / g->sum)]++;
    }
    return count;
}

void rsp_report_weights(rsp_sample *s, rsp_results *out) {
    const rsp_study *study = s->frame->study;
    bool weights = study->weighting.given || study->weighting.n_nonresponse;
    size_t within = weights ? study->weighting.within : RSP_NONE;
    rsp_arena *scratch = rsp_arena_new();
    int64_t *classes = count_classes(s), least = study->disclosure.off ? 1 : study->disclosure.minimum_base;
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
        if (g->n && g->weight_max > g->weight_min) add_classes(out, g, domain, classes + k * N_CLASSES, least);
        for (; gap < s->n_gaps && s->gaps[gap].group == k; gap++) add_gap(out, s, &s->gaps[gap], domain);
    }
    free(classes);
    rsp_arena_free(scratch);
}
