/* Covariances of an item's statistics, by linearisation or by replicates, and what the design says of a domain. */
#include "estimate/estimate.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

void est_work_init(est_work *w, const rsp_sample *s) {
    *w = (est_work){.n = s->n};
    w->cluster = rsp_calloc(s->n_clusters + 1, sizeof *w->cluster);
    w->stratum = rsp_calloc(s->n_strata + 1, sizeof *w->stratum);
    for (size_t i = 0; s->organisation && i < s->n; i++)
        if (s->organisation[i] >= 0 && (size_t) s->organisation[i] >= w->organisation_room)
            w->organisation_room = (size_t) s->organisation[i] + 1;
    w->organisation = rsp_calloc(w->organisation_room + 1, sizeof *w->organisation);
}

void est_work_free(est_work *w) {
    for (size_t k = 0; k < w->n_z; k++) free(w->z[k]);
    free(w->z);
    free(w->theta);
    free(w->cluster);
    free(w->stratum);
    free(w->organisation);
}

static void room_for(est_work *w, size_t p) {
    if (p <= w->n_z) return;
    w->z = rsp_realloc(w->z, p * sizeof *w->z);
    while (w->n_z < p) w->z[w->n_z++] = rsp_malloc((w->n ? w->n : 1) * sizeof **w->z);
}

/* z[0 .. rows of the domain): the influence of each. */
static void influence_levels(const est_people *who, const est_item *it, size_t domain, const double *g, double *z) {
    const est_measure *m = &it->measure;
    size_t from = who->start[domain], to = who->start[domain + 1];
    if (m->c8 && who->n_countries == 1) { /* nearly all tables: no choice inside the loop */
        for (size_t r = from; r < to; r++) {
            int l = m->c8[who->rows[r]];
            z[r - from] = l < 0 ? 0 : g[l];
        }
        return;
    }
    for (size_t r = from; r < to; r++) {
        size_t i = who->rows[r];
        int l = est_level(m, i);
        size_t country = (size_t) who->cell[i] - domain * who->n_countries;
        z[r - from] = l < 0 ? 0 : g[country * m->k + (size_t) l];
    }
}

static void influence_numbers(const est_people *who, const est_item *it, size_t domain, const double *g, double *z) {
    const est_measure *m = &it->measure;
    for (size_t r = who->start[domain]; r < who->start[domain + 1]; r++, z++) {
        size_t i = who->rows[r];
        *z = 0;
        if (!est_counted(it, 0, i)) continue;
        const double *of = g + ((size_t) who->cell[i] - domain * who->n_countries) * m->k;
        if (m->kind == EST_PAIR) {
            *z = of[0] + of[1] * m->y[i] + of[2] * m->x[i];
            continue;
        }
        double y = m->y[i] - m->shift, power = 1, sum = 0;
        for (size_t l = 0; l < m->k; l++, power *= y) sum += of[l] * power;
        *z = sum;
    }
}

/* Statistics of one domain, by levels: a row's influences are those of its level (of its country), none the last. */
static bool linearised_levels(const est_context *x, const est_item *it, const est_pair *pairs, size_t p, double *vcov) {
    const est_people *who = x->who;
    const est_measure *m = &it->measure;
    size_t domain = pairs[0].domain, cells = who->n_countries * m->k, n = who->start[domain + 1] - who->start[domain];
    const uint32_t *rows = who->rows + who->start[domain];
    double *g = rsp_malloc((cells + 1) * sizeof *g), *z = rsp_calloc((cells + 1) * p, sizeof *z);
    uint32_t *code = rsp_malloc((n + 1) * sizeof *code);
    for (size_t j = 0; j < p; j++) {
        est_gradient_of(who, it, &it->forms[pairs[j].form], domain, g);
        for (size_t c = 0; c < cells; c++) z[c * p + j] = g[c];
    }
    for (size_t r = 0; r < n; r++) {
        int l = m->c8 ? m->c8[rows[r]] : est_level(m, rows[r]);
        size_t country = who->n_countries > 1 ? (size_t) who->cell[rows[r]] - domain * who->n_countries : 0;
        code[r] = (uint32_t) (l < 0 ? cells : country * m->k + (size_t) l);
    }
    bool good = rsp_taylor_codes(x->sample, who->given, n, rows, code, cells + 1, z, p, vcov, x->diag);
    free(g), free(z), free(code);
    return good;
}

static bool of_one_domain(const est_pair *pairs, size_t p) {
    for (size_t j = 1; j < p; j++)
        if (pairs[j].domain != pairs[0].domain) return false;
    return p > 0;
}

static bool linearised(const est_context *x, const est_item *it, const est_pair *pairs, size_t p, double *vcov,
                       est_work *w) {
    const est_people *who = x->who;
    if (it->measure.kind == EST_LEVELS && of_one_domain(pairs, p)) return linearised_levels(x, it, pairs, p, vcov);
    double *g = rsp_malloc(who->n_countries * it->measure.k * sizeof *g);
    rsp_influence *rows = rsp_malloc((p + 1) * sizeof *rows);
    room_for(w, p);
    for (size_t j = 0; j < p; j++) {
        size_t domain = pairs[j].domain;
        est_gradient_of(who, it, &it->forms[pairs[j].form], domain, g);
        if (it->measure.kind == EST_LEVELS) influence_levels(who, it, domain, g, w->z[j]);
        else influence_numbers(who, it, domain, g, w->z[j]);
        rows[j] = (rsp_influence){who->start[domain + 1] - who->start[domain], who->rows + who->start[domain], w->z[j]};
    }
    free(g);
    bool good = rsp_taylor_rows(x->sample, who->given, rows, p, vcov, x->diag);
    free(rows);
    return good;
}

static bool replicated(const est_context *x, const est_item *it, const est_pair *pairs, size_t p, double *vcov,
                       uint32_t *flags, est_work *w) {
    size_t n = rsp_replicates_count(x->replicates), failed = 0;
    if (w->theta_room < (n + 1) * p) {
        w->theta_room = (n + 1) * p;
        w->theta = rsp_realloc(w->theta, w->theta_room * sizeof *w->theta);
    }
    for (size_t k = 0; k <= n; k++) {
        const double *totals = k < n ? x->rep + k * x->stride + it->offset : it->full;
        for (size_t j = 0; j < p; j++)
            w->theta[k * p + j] = est_value_of(x->who, it, &it->forms[pairs[j].form], pairs[j].domain, totals);
    }
    rsp_replicate_variance(x->replicates, w->theta, w->theta + n * p, p, vcov, &failed);
    if (failed) *flags |= RSP_F_REPLICATES_FAILED;
    return true;
}

void est_vcov(const est_context *x, const est_item *it, const est_pair *pairs, size_t p, double *vcov, uint32_t *flags,
              est_work *w) {
    if (x->replicates ? replicated(x, it, pairs, p, vcov, flags, w) : linearised(x, it, pairs, p, vcov, w)) return;
    *flags |= RSP_F_LONELY;
    for (size_t j = 0; j < p * p; j++) vcov[j] = NAN;
}

/* What has been met: by stamps, as domains and runs may share it. */
struct met {
    const rsp_sample *sample;
    est_work *work;
    int64_t clusters, strata, organisations;
};

static inline void meet(struct met *m, size_t i) {
    const rsp_sample *s = m->sample;
    est_work *w = m->work;
    int32_t cluster = s->cluster[i], organisation = s->organisation ? s->organisation[i] : -1;
    if (w->cluster[cluster] != w->stamp) {
        w->cluster[cluster] = w->stamp;
        m->clusters++;
        m->strata += w->stratum[s->stratum[i]] != w->stamp;
        w->stratum[s->stratum[i]] = w->stamp;
    }
    if (organisation >= 0 && w->organisation[organisation] != w->stamp) {
        w->organisation[organisation] = w->stamp;
        m->organisations++;
    }
}

/* Place in who->rows of the run's first row that is counted in the base, else its end. */
static size_t first_counted(const est_people *who, const est_item *it, size_t base, size_t run) {
    const int8_t *code = it->measure.kind == EST_LEVELS ? it->measure.c8 : NULL;
    const uint8_t *counts = it->bases[base];
    size_t r = who->run[run], to = who->run[run + 1];
    for (; r < to; r++) {
        size_t i = who->rows[r];
        if (code ? code[i] >= 0 && (!counts || counts[code[i]]) : est_counted(it, base, i)) break;
    }
    return r;
}

/* Clusters less strata over those that hold a counted respondent, as rsp_design_df. */
void est_design_of(const est_context *x, const est_item *it, size_t base, const size_t *domains, size_t n_domains,
                   double *df, int64_t *organisations, est_work *w) {
    const est_people *who = x->who;
    struct met all = {.sample = x->sample, .work = w};
    w->stamp++;
    for (size_t k = 0; k < n_domains; k++)
        for (size_t run = who->first_run[domains[k]]; run < who->first_run[domains[k] + 1]; run++) {
            size_t r = first_counted(who, it, base, run);
            if (r < who->run[run + 1]) meet(&all, who->rows[r]);
        }
    *df = (double) (all.clusters - all.strata);
    *organisations = x->sample->organisation ? all.organisations : -1;
}

void est_designs(const est_context *x, est_item *it, est_work *w) {
    size_t n = x->who->n_domains;
    for (size_t base = 0; base < it->n_bases; base++) {
        bool used = false;
        for (size_t f = 0; f < it->n_forms; f++) used |= it->forms[f].base == base;
        if (!used || it->designed[base]) continue;
        for (size_t g = 0; g < n; g++)
            est_design_of(x, it, base, &g, 1, &it->df[base * n + g], &it->organisations[base * n + g], w);
        it->designed[base] = true;
    }
}
