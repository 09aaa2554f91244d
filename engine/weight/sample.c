/* The sample: design, base weights, nonresponse, calibration, then what is known of groups and countries. */
#include "responsive/clean.h"
#include "responsive/results.h"
#include "weight/internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- groups ----------------------------------------------------------------------------------------------------- */

/* One group for each category that a row has, in the order of categories; rows without one form the last, "(none)". */
static int32_t *group_rows(rsp_sample *s, size_t variable, size_t *n_groups, rsp_group **groups) {
    int32_t *group = RSP_ARRAY(s->arena, int32_t, s->n);
    if (variable == RSP_NONE) {
        *n_groups = 1;
        *groups = RSP_NEW(s->arena, rsp_group);
        (*groups)[0] = (rsp_group){.code = "", .why = "", .weighted = true};
        return group;
    }
    rsp_numbered v = rsp_number_variable(s->frame, variable, s->arena);
    int32_t *place = RSP_ARRAY(s->arena, int32_t, v.n);
    for (size_t i = 0; i < s->n; i++) place[v.number[i]] = 1;
    *groups = RSP_ARRAY(s->arena, rsp_group, v.n);
    *n_groups = 0;
    for (size_t k = 1; k <= v.n; k++) {
        size_t code = k % v.n; /* 0, missing, comes last */
        if (!place[code]) continue;
        place[code] = (int32_t) *n_groups;
        (*groups)[(*n_groups)++] = (rsp_group){.code = code ? v.code[code - 1] : "(none)", .why = "", .weighted = true};
    }
#pragma omp parallel for schedule(static) num_threads(rsp_threads()) if (s->n > RSP_BLOCK)
    for (size_t i = 0; i < s->n; i++) group[i] = place[v.number[i]];
    return group;
}

/* Parts of rows, whose sums are added in order, or of clusters: by their number alone. One where groups are so many that the
 * parts' sums would be more work than the rows. */
static size_t parts_of(size_t n, size_t n_groups) {
    enum { MOST_PARTS = 16 };
    return n > RSP_BLOCK && n > MOST_PARTS * n_groups ? MOST_PARTS : 1;
}

/* Clusters that hold a respondent with positive weight, by group. */
static void count_clusters(const rsp_sample *s, const int32_t *group, size_t n_groups, rsp_group *groups) {
    const rsp_design_private *p = s->private_;
    size_t parts = parts_of(s->n, n_groups);
    size_t *count = rsp_calloc(parts * n_groups + 1, sizeof *count);
#pragma omp parallel for schedule(dynamic, 1) num_threads(rsp_threads()) if (parts > 1)
    for (size_t part = 0; part < parts; part++) {
        size_t first = s->n_clusters * part / parts, end = s->n_clusters * (part + 1) / parts;
        int32_t *last = rsp_malloc((n_groups + 1) * sizeof *last); /* the cluster counted last in each group */
        for (size_t k = 0; k < n_groups; k++) last[k] = -1;
        for (size_t k = p->cluster_start[first]; k < p->cluster_start[end]; k++) {
            size_t i = p->cluster_order[k];
            if (!(s->weight[i] != 0) || last[group[i]] == s->cluster[i]) continue;
            last[group[i]] = s->cluster[i];
            count[part * n_groups + (size_t) group[i]]++;
        }
        free(last);
    }
    for (size_t part = 0; part < parts; part++)
        for (size_t k = 0; k < n_groups; k++) groups[k].n_clusters += count[part * n_groups + k];
    free(count);
}

/* What a part of the rows knows of a group's weights. */
struct weights {
    size_t n;
    double min, max, sum, squares;
};

static void add_weights(struct weights *to, const struct weights *from) {
    if (!from->n) return;
    if (!to->n || from->min < to->min) to->min = from->min;
    if (!to->n || from->max > to->max) to->max = from->max;
    to->n += from->n;
    to->sum += from->sum;
    to->squares += from->squares;
}

/* weights [n_groups], of all rows that have one. */
static void sum_weights(const rsp_sample *s, const int32_t *group, size_t n_groups, struct weights *weights) {
    size_t n = s->n, parts = parts_of(n, n_groups);
    struct weights *of = rsp_calloc(parts * n_groups + 1, sizeof *of);
#pragma omp parallel for schedule(dynamic, 1) num_threads(rsp_threads()) if (parts > 1)
    for (size_t part = 0; part < parts; part++)
        for (size_t i = n * part / parts; i < n * (part + 1) / parts; i++) {
            double w = s->weight[i];
            if (w != 0) add_weights(&of[part * n_groups + (size_t) group[i]], &(struct weights){1, w, w, w, w * w});
        }
    for (size_t part = 0; part < parts; part++)
        for (size_t k = 0; k < n_groups; k++) add_weights(&weights[k], &of[part * n_groups + k]);
    free(of);
}

/* Kish (1965): n sum w^2 / (sum w)^2, over respondents with a weight. */
static void describe(const rsp_sample *s, const int32_t *group, size_t n_groups, rsp_group *groups) {
    struct weights *weights = rsp_calloc(n_groups + 1, sizeof *weights);
    sum_weights(s, group, n_groups, weights);
    count_clusters(s, group, n_groups, groups);
    for (size_t k = 0; k < n_groups; k++) {
        const struct weights *w = &weights[k];
        groups[k].n = w->n;
        groups[k].sum = w->sum;
        groups[k].weight_min = w->min;
        groups[k].weight_max = w->max;
    }
    for (size_t k = 0; k < n_groups; k++) {
        rsp_group *g = &groups[k];
        double n = (double) g->n;
        g->deff_kish = n > 0 ? n * weights[k].squares / (g->sum * g->sum) : NAN;
        g->n_eff = n > 0 ? n / g->deff_kish : 0;
        if (!g->n) g->weight_min = g->weight_max = NAN;
        g->eligible = g->n > 0 && strcmp(g->code, "(none)") &&
                      (int64_t) g->n >= s->frame->study->eligible.respondents &&
                      (int64_t) g->n_clusters >= s->frame->study->eligible.clusters;
        if (!g->eligible) g->flags |= RSP_F_NOT_ELIGIBLE;
    }
    free(weights);
}

static void make_countries(rsp_sample *s) {
    const rsp_study *study = s->frame->study;
    size_t country = study->roles.country;
    if (country == RSP_NONE) return;
    if (country == study->weighting.within) {
        s->country = s->group;
        s->n_countries = s->n_groups;
        s->countries = s->groups;
        return;
    }
    s->country = group_rows(s, country, &s->n_countries, &s->countries);
    describe(s, s->country, s->n_countries, s->countries);
}

/* ---- nonresponse ------------------------------------------------------------------------------------------------ */

/* Sums of base weights by class: of everybody, and of respondents (take). */
static void class_sums(const rsp_sample *s, const int32_t *class, const uint8_t *take, double *all, double *answered) {
    for (size_t i = 0; i < s->n; i++) {
        all[class[i]] += s->base[i];
        if (take[i]) answered[class[i]] += s->base[i];
    }
}

/* Respondents of each class take over the weight of all its rows. */
static void spread_weight(rsp_sample *s, const int32_t *class, size_t n_classes, const uint8_t *take) {
    double *all = rsp_calloc(n_classes, sizeof *all), *answered = rsp_calloc(n_classes, sizeof *answered);
    class_sums(s, class, take, all, answered);
    for (size_t i = 0; i < s->n; i++)
        if (take[i] && answered[class[i]] > 0) s->private_->base[i] *= all[class[i]] / answered[class[i]];
    free(all);
    free(answered);
}

/* Classes without any respondent leave their weight to the respondents of their group, which is reported. */
static void spread_lost(rsp_sample *s, const int32_t *class, size_t n_classes, const uint8_t *take, rsp_diag *d) {
    double *all = rsp_calloc(n_classes, sizeof *all), *answered = rsp_calloc(n_classes, sizeof *answered);
    class_sums(s, class, take, all, answered);
    size_t lost = 0;
    for (size_t k = 0; k < n_classes; k++) lost += all[k] > 0 && !(answered[k] > 0);
    for (size_t i = 0; i < s->n; i++) /* of other classes, nonrespondents' weight is with the respondents already */
        if (!take[i] && answered[class[i]] > 0) s->private_->base[i] = 0;
    if (lost) {
        rsp_report(d, RSP_WARNING, s->frame->study->weighting.loc, "use coarser classes",
                   "%zu classes of `nonresponse` have no respondent: their weight goes to the rest of their group",
                   lost);
        spread_weight(s, s->group, s->n_groups, take);
    }
    for (size_t i = 0; i < s->n; i++)
        if (!take[i]) s->private_->base[i] = 0;
    free(all);
    free(answered);
}

/* Weighting classes (Little 1986): respondents of a class stand for its nonrespondents too. */
static bool adjust_nonresponse(rsp_sample *s, rsp_diag *d) {
    const rsp_weighting_spec *w = &s->frame->study->weighting;
    if (!w->n_nonresponse) return true;
    if (!w->respondent) {
        rsp_report(d, RSP_ERR_STUDY, w->loc, "write nonresponse: {classes: [...], respondent: \"${...} = '...'\"}",
                   "`nonresponse` needs `respondent`: every row that is kept would count as a respondent");
        return false;
    }
    rsp_arena *scratch = rsp_arena_new();
    uint8_t *take = RSP_ARRAY(scratch, uint8_t, s->n);
    int32_t *class = RSP_ARRAY(scratch, int32_t, s->n);
    size_t n_classes = s->n_groups;
    rsp_eval_filter(s->frame, w->respondent, take);
    memcpy(class, s->group, s->n * sizeof *class);
    for (size_t k = 0; k < w->n_nonresponse; k++) {
        rsp_numbered v = rsp_number_variable(s->frame, w->nonresponse[k], scratch);
        n_classes = rsp_number_pairs(class, n_classes, v.number, v.n, s->n, class);
    }
    spread_weight(s, class, n_classes, take);
    spread_lost(s, class, n_classes, take, d);
    rsp_arena_free(scratch);
    return true;
}

/* ---- scaling of countries --------------------------------------------------------------------------------------- */

static double population_of(const rsp_weighting_spec *w, const char *code) {
    for (size_t k = 0; k < w->n_population; k++)
        if (!strcmp(w->population[k].country, code)) return w->population[k].amount;
    return NAN;
}

static bool check_population(const rsp_sample *s, rsp_diag *d) {
    const rsp_weighting_spec *w = &s->frame->study->weighting;
    bool good = true;
    if (w->scale != RSP_SCALE_POPULATION) return true;
    for (size_t k = 0; k < s->n_countries; k++) {
        if (!s->countries[k].eligible || population_of(w, s->countries[k].code) > 0) continue;
        rsp_report(d, RSP_ERR_STUDY, w->loc, "add it to the file of `population`", "no population of '%s'",
                   s->countries[k].code);
        good = false;
    }
    return good;
}

void rsp_scaled_weights(const rsp_sample *s, double *w) {
    const rsp_weighting_spec *spec = &s->frame->study->weighting;
    if (!s->country) {
        memcpy(w, s->weight, s->n * sizeof *w);
        return;
    }
    double *factor = rsp_calloc(s->n_countries, sizeof *factor), total = 0, eligible = 0;
    for (size_t k = 0; k < s->n_countries; k++) {
        if (!s->countries[k].eligible) continue;
        total += s->countries[k].sum;
        eligible++;
    }
    for (size_t k = 0; k < s->n_countries; k++) {
        const rsp_group *c = &s->countries[k];
        if (!c->eligible) continue;
        factor[k] = 1;
        if (spec->scale == RSP_SCALE_POPULATION) factor[k] = population_of(spec, c->code) / c->sum;
        if (spec->scale == RSP_SCALE_EQUAL) factor[k] = total / eligible / c->sum;
    }
    for (size_t i = 0; i < s->n; i++) w[i] = s->weight[i] * factor[s->country[i]];
    free(factor);
}

/* ---- together --------------------------------------------------------------------------------------------------- */

rsp_sample *rsp_sample_new(const rsp_frame *f, rsp_diag *d) {
    rsp_arena *a = rsp_arena_new();
    rsp_sample *s = RSP_NEW(a, rsp_sample);
    s->arena = a;
    s->frame = f;
    s->n = f->n;
    s->private_ = RSP_NEW(a, rsp_design_private);
    double *weight = RSP_ARRAY(a, double, s->n);
    s->weight = weight;
    s->private_->weight = weight;
    if (!rsp_design_build(s, d)) goto fail;
    const rsp_weighting_spec *w = &f->study->weighting;
    s->group = group_rows(s, w->given || w->n_nonresponse ? w->within : RSP_NONE, &s->n_groups, &s->groups);
    if (!adjust_nonresponse(s, d)) goto fail;
    rsp_weighting_run(s, d);
    describe(s, s->group, s->n_groups, s->groups);
    make_countries(s);
    if (!check_population(s, d)) goto fail;
    return s;
fail:
    rsp_sample_free(s);
    return NULL;
}

const uint32_t *rsp_sample_order(const rsp_sample *s) { return s->private_->order; }

void rsp_sample_free(rsp_sample *s) {
    if (!s) return;
    rsp_replicate_sets_free(s->private_);
    rsp_arena_free(s->arena);
}
