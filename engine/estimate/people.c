/* Who: the domains of a crossing. All variance is over the whole design, so a domain is a mask, never a subset. */
#include "estimate/estimate.h"

#include "responsive/limits.h"

#include "responsive/clean.h"

#include <stdlib.h>
#include <string.h>

/* A crossing with more domains than this is a mistake (a number or an id among its variables). */
static bool axes_of(const rsp_frame *f, const rsp_crossing *by, rsp_categories *axes, rsp_loc loc, rsp_arena *a,
                    rsp_diag *d) {
    size_t n_domains = 1;
    for (size_t j = 0; j < by->n; j++) {
        const rsp_variable *v = &f->study->variables[by->variables[j]];
        if (f->columns[by->variables[j]].kind == RSP_COL_NONE) {
            rsp_report(d, RSP_ERR_STUDY, loc, "cross by one of its parts, NAME_CODE",
                       "'%s' has no single answer a respondent: it cannot make groups", v->name);
            return false;
        }
        rsp_categorise(f, by->variables[j], a, &axes[j]);
        size_t n = axes[j].n;
        if (n > RSP_MOST_DOMAINS || n_domains * n > RSP_MOST_DOMAINS) {
            rsp_report(d, RSP_ERR_STUDY, loc, "derive classes of it with `cut`",
                       "the crossing by '%s' has more than %d groups", v->name, RSP_MOST_DOMAINS);
            return false;
        }
        n_domains *= n;
    }
    return true;
}

static void name_domains(est_people *who, rsp_arena *a) {
    who->text = RSP_ARRAY(a, const char *, who->n_domains);
    const char **code = RSP_ARRAY(a, const char *, who->n_variables);
    for (size_t g = 0; g < who->n_domains; g++) {
        size_t rest = g;
        for (size_t j = who->n_variables; j-- > 0; rest /= who->n_codes[j])
            code[j] = who->codes[j][rest % who->n_codes[j]];
        who->text[g] = rsp_domain_text(a, who->n_variables, who->names, code);
    }
}

/* Weights under the scale of countries. Rows of countries that do not count get weight 0. */
static void scale_countries(est_people *who, rsp_arena *a) {
    const rsp_sample *s = who->sample;
    double *w = RSP_ARRAY(a, double, s->n);
    rsp_scaled_weights(s, w);
    who->factor = RSP_ARRAY(a, double, s->n);
    for (size_t i = 0; i < s->n; i++) who->factor[i] = s->weight[i] != 0 ? w[i] / s->weight[i] : 0;
    who->weight = who->given = w;
}

static bool in_average(const rsp_sample *s, size_t i) {
    return s->country[i] >= 0 && s->countries[s->country[i]].eligible;
}

static uint32_t flags_of_row(const rsp_sample *s, size_t i) {
    uint32_t flags = s->group && s->group[i] >= 0 ? s->groups[s->group[i]].flags : 0;
    if (s->country && s->country[i] >= 0) flags |= s->countries[s->country[i]].flags;
    return flags;
}

static void list_rows(est_people *who, const int32_t *domain, rsp_arena *a) {
    size_t n = who->sample->n;
    who->start = RSP_ARRAY(a, size_t, who->n_domains + 1);
    for (size_t i = 0; i < n; i++)
        if (domain[i] >= 0) who->start[domain[i] + 1]++;
    for (size_t g = 0; g < who->n_domains; g++) who->start[g + 1] += who->start[g];
    who->rows = RSP_ARRAY(a, uint32_t, who->start[who->n_domains]);
    size_t *at = rsp_malloc((who->n_domains + 1) * sizeof *at);
    const uint32_t *order = rsp_sample_order(who->sample);
    memcpy(at, who->start, (who->n_domains + 1) * sizeof *at);
    for (size_t k = 0; k < n; k++)
        if (domain[order[k]] >= 0) who->rows[at[domain[order[k]]]++] = order[k];
    free(at);
}

static bool alike(const rsp_sample *s, size_t i, size_t j) {
    return s->cluster[i] == s->cluster[j] && (!s->organisation || s->organisation[i] == s->organisation[j]);
}

static void find_runs(est_people *who, rsp_arena *a) {
    size_t n = who->start[who->n_domains], runs = 0, *run = rsp_malloc((n + 1) * sizeof *run);
    who->first_run = RSP_ARRAY(a, size_t, who->n_domains + 1);
    for (size_t g = 0; g < who->n_domains; g++) {
        who->first_run[g] = runs;
        for (size_t r = who->start[g]; r < who->start[g + 1]; r++)
            if (r == who->start[g] || !alike(who->sample, who->rows[r], who->rows[r - 1])) run[runs++] = r;
    }
    who->first_run[who->n_domains] = runs;
    run[runs] = n;
    who->run = RSP_ARRAY(a, size_t, runs + 1);
    memcpy(who->run, run, (runs + 1) * sizeof *run);
    free(run);
}

/* A country that is not eligible is shown as such, also where nobody is left in this domain of it. */
static void mark_eligibility(est_people *who) {
    const rsp_sample *s = who->sample;
    rsp_map *place = rsp_map_new();
    for (size_t c = 0; c < s->n_countries; c++) rsp_map_put(place, s->countries[c].code, c);
    size_t below = 1;
    for (size_t j = who->country_axis + 1; j < who->n_variables; j++) below *= who->n_codes[j];
    for (size_t g = 0; g < who->n_domains; g++) {
        size_t c = rsp_map_get(place, who->codes[who->country_axis][g / below % who->n_codes[who->country_axis]]);
        if (c != RSP_NONE && !s->countries[c].eligible && s->countries[c].n) who->flags[g] |= RSP_F_NOT_ELIGIBLE;
    }
    rsp_map_free(place);
}

static est_people *people_of(const rsp_sample *s, const rsp_crossing *by, const rsp_categories *axes, rsp_arena *a) {
    const rsp_study *study = s->frame->study;
    est_people *who = RSP_NEW(a, est_people);
    who->sample = s;
    who->n_variables = by->n;
    who->names = RSP_ARRAY(a, const char *, by->n);
    who->n_codes = RSP_ARRAY(a, size_t, by->n);
    who->codes = RSP_ARRAY(a, const char **, by->n);
    who->n_domains = 1;
    who->country_axis = RSP_NONE;
    for (size_t j = 0; j < by->n; j++) {
        who->names[j] = study->variables[by->variables[j]].name;
        who->n_codes[j] = axes[j].n;
        who->codes[j] = axes[j].code;
        who->n_domains *= who->n_codes[j];
        if (by->variables[j] == study->roles.country) who->country_axis = j;
    }
    name_domains(who, a);
    return who;
}

/* Domain of every row, -1 where it has no part; cells and flags on the way. */
static int32_t *place_rows(est_people *who, const rsp_categories *axes, const uint8_t *take, bool average,
                           rsp_arena *a) {
    const rsp_sample *s = who->sample;
    int32_t *domain = rsp_malloc((s->n + 1) * sizeof *domain);
    who->cell = RSP_ARRAY(a, int32_t, s->n);
    who->flags = RSP_ARRAY(a, uint32_t, who->n_domains);
    for (size_t i = 0; i < s->n; i++) {
        int32_t g = (!take || take[i]) && who->weight[i] != 0 && (!average || in_average(s, i)) ? 0 : -1;
        for (size_t j = 0; g >= 0 && j < who->n_variables; j++) {
            int32_t k = axes[j].category[i];
            g = k < 0 ? -1 : g * (int32_t) who->n_codes[j] + k;
        }
        domain[i] = g;
        who->cell[i] = g < 0 || !average ? g : g * (int32_t) s->n_countries + s->country[i];
        if (g >= 0) who->flags[g] |= flags_of_row(s, i);
    }
    return domain;
}

est_people *est_people_new(const rsp_sample *s, const rsp_crossing *by, const rsp_expr *filter, est_scaling scaling,
                           rsp_loc loc, rsp_arena *a, rsp_diag *d) {
    rsp_categories *axes = RSP_ARRAY(a, rsp_categories, by->n);
    if (!axes_of(s->frame, by, axes, loc, a, d)) return NULL;
    est_people *who = people_of(s, by, axes, a);
    bool by_country = who->country_axis != RSP_NONE;
    bool all_countries = s->country && !by_country && scaling != EST_OWN_WEIGHTS;
    bool average = all_countries && scaling == EST_AS_SCALED && s->frame->study->weighting.scale == RSP_SCALE_EQUAL;
    who->n_countries = average ? s->n_countries : 1;
    who->weight = s->weight;
    if (all_countries && !average) scale_countries(who, a);

    uint8_t *take = NULL;
    if (filter) {
        take = RSP_ARRAY(a, uint8_t, s->n);
        rsp_eval_filter(s->frame, filter, take);
    }
    int32_t *domain = place_rows(who, axes, take, average, a);
    list_rows(who, domain, a);
    free(domain);
    find_runs(who, a);
    if (by_country && s->country) mark_eligibility(who);
    return who;
}
