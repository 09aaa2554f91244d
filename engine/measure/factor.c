/* Factor models of the study: the sample's moments, the model's cells, the fit, and its rows. */
#include "estimate/estimate.h"
#include "measure/factor_cells.h"
#include "measure/modification.h"
#include "responsive/statistics.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- fit -------------------------------------------------------------------------------------------------------- */

static uint32_t fit_flags(const rsp_factor_sample *x, const rsp_sem_fit *fit) {
    if (!x->n) return RSP_F_EMPTY;
    if (!x->usable) return RSP_F_SINGULAR;
    if (fit->status == RSP_SEM_NO_VARIANCE) return RSP_F_LONELY;
    if (fit->status == RSP_SEM_NOT_CONVERGED) return RSP_F_NOT_CONVERGED;
    if (fit->status != RSP_SEM_OK) return RSP_F_SINGULAR;
    return fit->heywood ? RSP_F_HEYWOOD : 0;
}

bool rsp_factor_robust(const rsp_factor_model *f) {
    return (f->estimator != RSP_ML && f->estimator != RSP_DWLS) || f->weighted;
}

bool rsp_factor_good(const rsp_factor_fit *fit) { return !(fit->flags & ~(uint32_t) RSP_F_HEYWOOD); }

static rsp_factor_measures no_measures(void) {
    return (rsp_factor_measures){NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN,
                                 NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN};
}

/* Robust: misfit less what chance adds to it (Brosseau-Liard and Savalei 2014; Brosseau-Liard, Savalei and Li 2012; with
 * incomplete answers Zhang and Savalei 2023). */
static void robust_measures(const rsp_sem_fit *f, double root_groups, rsp_factor_measures *m) {
    double left = f->misfit - f->chance, left_baseline = f->misfit_baseline - f->chance_baseline,
           excess = fmax(0, left), baseline = fmax(excess, left_baseline);
    m->cfi_robust = baseline > 0 ? 1 - excess / baseline : 1;
    m->tli_robust = f->df > 0 ? 1 - left / f->df / (left_baseline / f->df_baseline) : 1;
    m->rmsea_robust = f->df > 0 ? sqrt(excess / (f->df * f->size)) * root_groups : 0;
}

static void scaled_measures(const rsp_sem_fit *f, double root_groups, rsp_factor_measures *m) {
    double scaled = f->chisq / f->scaling + f->shift,
           baseline = f->chisq_baseline / f->scaling_baseline + f->shift_baseline;
    double excess = fmax(0, scaled - f->df), excess_baseline = fmax(excess, baseline - f->df_baseline),
           ratio = baseline / f->df_baseline;
    m->chisq_scaled = scaled;
    m->chisq_baseline_scaled = baseline;
    m->cfi_scaled = excess_baseline > 0 ? 1 - excess / excess_baseline : 1;
    m->tli_scaled = f->df > 0 ? (ratio - scaled / f->df) / (ratio - 1) : 1;
    m->rmsea_scaled = f->df > 0 ? sqrt(excess / (f->df * f->size)) * root_groups : 0;
}

void rsp_factor_measure(const rsp_sem *s, const rsp_sem_fit *f, bool robust, rsp_factor_measures *m) {
    *m = no_measures();
    double n = (double) f->n, k = (double) s->n_free, root_groups = sqrt((double) s->n_groups);
    double excess = fmax(0, f->chisq - f->df), baseline = fmax(excess, f->chisq_baseline - f->df_baseline);
    double ratio = f->chisq_baseline / f->df_baseline;
    m->chisq = f->chisq;
    m->df = f->df;
    m->chisq_baseline = f->chisq_baseline;
    m->df_baseline = f->df_baseline;
    m->cfi = baseline > 0 ? 1 - excess / baseline : 1;
    m->tli = f->df > 0 ? (ratio - f->chisq / f->df) / (ratio - 1) : 1;
    m->rmsea = f->df > 0 ? sqrt(excess / (f->df * f->size)) * root_groups : 0;
    m->srmr = f->srmr;
    m->aic = 2 * k - 2 * f->loglik;
    m->bic = k * log(n) - 2 * f->loglik;
    m->loglik = f->loglik;
    if (robust) scaled_measures(f, root_groups, m);
    if (!isnan(f->misfit)) robust_measures(f, root_groups, m);
}

static void standardise(rsp_factor_fit *f, rsp_arena *a) {
    const rsp_sem *s = &f->sem;
    rsp_sem_standardise(s, f->fit.par, f->fit.vcov, true, f->std, f->std_se, f->r2, f->r2_se);
    if (!(f->model->standardised & RSP_STANDARDISED_LV)) return;
    f->std_lv = RSP_ARRAY(a, double, s->n_cells + 1);
    f->std_lv_se = RSP_ARRAY(a, double, s->n_cells + 1);
    rsp_sem_standardise(s, f->fit.par, f->fit.vcov, false, f->std_lv, f->std_lv_se, NULL, NULL);
}

static void read_cells(rsp_factor_fit *f) {
    size_t k = f->sem.n_free;
    for (size_t c = 0; c < f->sem.n_cells; c++) {
        const rsp_sem_cell *cell = &f->sem.cells[c];
        bool fixed = cell->free == RSP_NONE;
        f->estimate[c] = fixed ? cell->value : f->fit.par[cell->free];
        f->se[c] = fixed ? 0 : sqrt(f->fit.vcov[cell->free * k + cell->free]);
    }
}

void rsp_factor_maximise(const rsp_factor_model *f, const rsp_factor_sample *x, const rsp_sem *sem, rsp_arena *a,
                         rsp_sem_fit *out, rsp_diag *d) {
    static const rsp_wls_correction corrections[] = {
        [RSP_WLSMV] = RSP_WLS_SHIFTED, [RSP_WLSM] = RSP_WLS_SCALED, [RSP_DWLS] = RSP_WLS_NAIVE};
    if (rsp_limited_information(f)) {
        if (x->lonely) *out = (rsp_sem_fit){.status = RSP_SEM_NO_VARIANCE};
        else rsp_wls_estimate(sem, &x->layout, x->wls, corrections[f->estimator], a, out);
        return;
    }
    rsp_factor_design context = {x->sample, x->scale, d};
    rsp_sem_design design = rsp_factor_taylor(&context);
    rsp_sem_options options = {
        .robust = rsp_factor_robust(f), .observed = f->fiml, .design = f->weighted ? &design : NULL};
    rsp_sem_estimate(sem, x->group, &options, a, out);
}

rsp_sem_status rsp_factor_scores(const rsp_factor_model *f, const rsp_factor_sample *x, const rsp_sem *sem,
                                 const rsp_extras *extras, double *score, double *variance, double *left, rsp_diag *d) {
    if (rsp_limited_information(f)) return rsp_wls_scores(sem, &x->layout, x->wls, extras, score, variance, left);
    rsp_factor_design context = {x->sample, x->scale, d};
    rsp_sem_design design = rsp_factor_taylor(&context);
    rsp_sem_options options = {.robust = rsp_factor_robust(f), .design = f->weighted ? &design : NULL};
    return rsp_sem_scores(sem, x->group, &options, extras, score, variance, left);
}

void rsp_factor_estimate(const rsp_factor_model *f, const rsp_factor_sample *x, rsp_arena *a, rsp_factor_fit *out,
                         rsp_diag *d) {
    size_t n_items;
    const char **items;
    *out = (rsp_factor_fit){.model = f, .sample = x, .fit = {.status = RSP_SEM_SINGULAR_DATA}};
    out->measures = no_measures();
    rsp_factor_names(f->syntax, a, &n_items, &items, &out->n_factors, &out->factor);
    rsp_factor_cells(f, x, a, &out->sem);
    if (x->usable) rsp_factor_maximise(f, x, &out->sem, a, &out->fit, d);
    out->flags = fit_flags(x, &out->fit);
    double **const columns[] = {&out->estimate, &out->se, &out->std, &out->std_se};
    for (size_t k = 0; k < 4; k++) *columns[k] = RSP_ARRAY(a, double, out->sem.n_cells + 1);
    for (size_t c = 0; c < out->sem.n_cells; c++) out->estimate[c] = out->std[c] = NAN;
    out->r2 = RSP_ARRAY(a, double, out->sem.n_groups *(out->sem.p + out->sem.m) + 1);
    out->r2_se = RSP_ARRAY(a, double, out->sem.n_groups *(out->sem.p + out->sem.m) + 1);
    if (!rsp_factor_good(out)) return;
    rsp_factor_measure(&out->sem, &out->fit, rsp_factor_robust(f), &out->measures);
    read_cells(out);
    standardise(out, a);
}

/* ---- rows ------------------------------------------------------------------------------------------------------- */

struct output {
    const rsp_analysis *an;
    const rsp_factor_fit *fit;
    rsp_results *out;
    rsp_arena *a;
};

/* group RSP_NONE: of all groups together. */
static rsp_row *add_row(const struct output *o, size_t group, const char *term, const char *level,
                        const char *statistic) {
    const rsp_factor_sample *x = o->fit->sample;
    bool one = group != RSP_NONE && x->code;
    char *domain = one ? rsp_domain_text(o->a, 1, &x->group_name, &x->code[group]) : NULL;
    rsp_row *r = rsp_results_add(o->out, o->an->id, domain, term, level, statistic);
    size_t n = one ? x->group[group].n : x->n;
    r->n = (double) n;
    r->base = (int64_t) n;
    r->flags = o->fit->flags;
    return r;
}

static void set_estimate(const struct output *o, rsp_row *r, double estimate, double se) {
    if (!rsp_factor_good(o->fit)) return;
    r->estimate = estimate;
    if (!(se > 0)) return; /* fixed */
    r->se = se;
    r->df = o->fit->sample->df;
    rsp_row_interval(r);
    r->p = rsp_t_two_sided(estimate / se, r->df);
}

/* The names of a cell's row and column, and the statistic that it is. */
static void name_cell(const rsp_factor_fit *f, const rsp_sem_cell *c, const char **term, const char **level,
                      const char **statistic) {
    const char **item = f->sample->item, **factor = f->factor;
    *level = NULL;
    switch (c->matrix) {
    case RSP_SEM_LAMBDA: *term = factor[c->column], *level = item[c->row], *statistic = "loading"; return;
    case RSP_SEM_BETA: *term = factor[c->row], *level = factor[c->column], *statistic = "coefficient"; return;
    case RSP_SEM_NU: *term = item[c->row], *statistic = "intercept"; return;
    case RSP_SEM_ALPHA: *term = factor[c->row], *statistic = "intercept"; return;
    case RSP_SEM_TAU:
        *term = item[c->row], *level = f->sample->values[c->row][c->column], *statistic = "threshold";
        return;
    case RSP_SEM_DELTA: *term = item[c->row], *statistic = "scale"; return;
    case RSP_SEM_PSI:
    case RSP_SEM_THETA: break;
    }
    const char **name = c->matrix == RSP_SEM_PSI ? factor : item;
    *term = name[c->column];
    *statistic = c->row == c->column ? "variance" : "covariance";
    if (c->row != c->column) *level = name[c->row];
}

static void add_standardised(const struct output *o, size_t group, size_t cell, const char *prefix, const double *std,
                             const double *se) {
    const char *term, *level, *statistic;
    name_cell(o->fit, &o->fit->sem.cells[cell], &term, &level, &statistic);
    rsp_row *r = add_row(o, group, term, level, rsp_printf(o->a, "%s%s", prefix, statistic));
    if (rsp_factor_good(o->fit) && isfinite(std[cell])) set_estimate(o, r, std[cell], se[cell]);
}

static void add_matrix_rows(const struct output *o, size_t group, rsp_sem_matrix matrix, bool diagonal) {
    const rsp_factor_fit *f = o->fit;
    bool symmetric = matrix == RSP_SEM_PSI || matrix == RSP_SEM_THETA;
    for (size_t k = 0; k < f->sem.n_cells; k++) {
        const rsp_sem_cell *c = &f->sem.cells[k];
        const char *term, *level, *statistic;
        if (c->group != group || c->matrix != matrix || (symmetric && diagonal != (c->row == c->column))) continue;
        if (matrix == RSP_SEM_DELTA && c->free == RSP_NONE) continue; /* says nothing: 1 by definition */
        name_cell(f, c, &term, &level, &statistic);
        set_estimate(o, add_row(o, group, term, level, statistic), f->estimate[k], f->se[k]);
        if (matrix == RSP_SEM_DELTA) continue;
        if (matrix == RSP_SEM_LAMBDA || f->model->standardised & RSP_STANDARDISED_ALL)
            add_standardised(o, group, k, "std_", f->std, f->std_se);
        if (f->model->standardised & RSP_STANDARDISED_LV)
            add_standardised(o, group, k, "std_lv_", f->std_lv, f->std_lv_se);
    }
}

/* Of items, and of factors that others explain. */
static void add_explained(const struct output *o, size_t group) {
    const rsp_factor_fit *f = o->fit;
    size_t p = f->sem.p, each = p + f->sem.m;
    for (size_t k = 0; k < each; k++) {
        bool endogenous = k < p;
        for (size_t c = 0; c < f->sem.n_cells; c++)
            endogenous |= f->sem.cells[c].matrix == RSP_SEM_BETA && f->sem.cells[c].row + p == k;
        if (!endogenous) continue;
        rsp_row *r = add_row(o, group, k < p ? f->sample->item[k] : f->factor[k - p], NULL, "r_squared");
        set_estimate(o, r, f->r2[group * each + k], f->r2_se[group * each + k]);
    }
}

static double six_digits(double x) {
    double unit = pow(10, floor(log10(x)) - 5);
    return round(x / unit) * unit;
}

/* What is compared with chi-square on one degree of freedom; NaN: it cannot be. */
static double tested(const rsp_factor_model *f, const rsp_modification *m) {
    return rsp_factor_robust(f) ? m->scaled : m->index;
}

/* A modification and what it is ordered by. */
struct ranked {
    const rsp_modification *m;
    double by;
};

/* The largest first; those that are equal to six digits, because they are equivalent, keep the order of cells. */
static int compare_modifications(const void *a, const void *b) {
    const struct ranked *x = a, *y = b;
    double i = six_digits(x->by), j = six_digits(y->by);
    if (i != j) return i > j ? -1 : 1;
    return x->m < y->m ? -1 : x->m > y->m;
}

static void add_modification(const struct output *o, const rsp_modification *m, double p_adjusted) {
    const char *term = rsp_factor_statement(o->fit, &m->cell, o->a), *level = m->equal ? "equal" : "fixed";
    rsp_row *r = add_row(o, m->cell.group, term, level, "modification_index");
    r->estimate = m->index;
    r->df = 1;
    if (rsp_factor_robust(o->fit->model)) {
        r = add_row(o, m->cell.group, term, level, "modification_index_scaled");
        r->estimate = m->scaled;
        r->df = 1;
    }
    r->p = rsp_chisq_upper(r->estimate, 1);
    r->p_adj = p_adjusted;
    add_row(o, m->cell.group, term, level, "expected_change")->estimate = m->epc;
    r = add_row(o, m->cell.group, term, level, "expected_change_std");
    if (isfinite(m->std)) r->estimate = m->std;
}

static void add_modifications(const struct output *o, rsp_diag *d) {
    const rsp_factor_model *f = o->fit->model;
    rsp_modification *all;
    size_t n = rsp_factor_modifications(o->fit, o->a, &all, d), kept = 0;
    struct ranked *order = RSP_ARRAY(o->a, struct ranked, n + 1);
    double *p = RSP_ARRAY(o->a, double, n + 1), *adjusted = RSP_ARRAY(o->a, double, n + 1);
    for (size_t k = 0; k < n; k++) {
        double x = tested(f, &all[k]);
        p[k] = isnan(x) ? NAN : rsp_chisq_upper(x, 1);
        if (x > 0 && x >= f->minimum_modification) order[kept++] = (struct ranked){&all[k], x};
    }
    est_holm(p, n, adjusted);
    qsort(order, kept, sizeof *order, compare_modifications);
    for (size_t k = 0; k < kept && k < f->most_modifications; k++)
        add_modification(o, order[k].m, adjusted[order[k].m - all]);
}

static void add_measure(const struct output *o, const char *statistic, double x, double df) {
    rsp_row *r = add_row(o, RSP_NONE, NULL, NULL, statistic);
    if (!isfinite(x)) return;
    r->estimate = x;
    if (isnan(df)) return;
    r->df = df;
    if (df > 0) r->p = rsp_chisq_upper(x, df);
}

static void add_fit_rows(const struct output *o) {
    const rsp_factor_measures *m = &o->fit->measures;
    bool robust = rsp_factor_robust(o->fit->model);
    add_measure(o, "chisq", m->chisq, m->df);
    if (robust) add_measure(o, "chisq_scaled", m->chisq_scaled, m->df);
    add_measure(o, "chisq_baseline", m->chisq_baseline, m->df_baseline);
    if (robust) add_measure(o, "chisq_baseline_scaled", m->chisq_baseline_scaled, m->df_baseline);
    add_measure(o, "cfi", m->cfi, NAN);
    add_measure(o, "tli", m->tli, NAN);
    add_measure(o, "rmsea", m->rmsea, NAN);
    bool limited = rsp_limited_information(o->fit->model);
    if (limited && robust) {
        add_measure(o, "cfi_scaled", m->cfi_scaled, NAN);
        add_measure(o, "tli_scaled", m->tli_scaled, NAN);
        add_measure(o, "rmsea_scaled", m->rmsea_scaled, NAN);
    }
    if (robust || o->fit->model->fiml) { /* the row stands even where the number cannot be had */
        add_measure(o, "cfi_robust", m->cfi_robust, NAN);
        add_measure(o, "tli_robust", m->tli_robust, NAN);
        add_measure(o, "rmsea_robust", m->rmsea_robust, NAN);
    }
    add_measure(o, "srmr", m->srmr, NAN);
    if (limited) return; /* no likelihood */
    add_measure(o, "aic", m->aic, NAN);
    add_measure(o, "bic", m->bic, NAN);
    add_measure(o, "loglik", m->loglik, NAN);
}

void rsp_measure_factor(rsp_sample *s, const rsp_analysis *an, rsp_results *out, rsp_diag *d) {
    rsp_arena *a = rsp_arena_new();
    rsp_factor_fit fit;
    rsp_factor_estimate(&an->factor, rsp_factor_sample_new(s, &an->factor, an->filter, NULL, a, d), a, &fit, d);
    struct output o = {.an = an, .fit = &fit, .out = out, .a = a};
    add_fit_rows(&o);
    for (size_t k = 0; k < fit.sample->n_groups; k++) {
        add_matrix_rows(&o, k, RSP_SEM_LAMBDA, false);
        add_matrix_rows(&o, k, RSP_SEM_BETA, false);
        add_matrix_rows(&o, k, RSP_SEM_THETA, true);
        add_matrix_rows(&o, k, RSP_SEM_PSI, true);
        add_matrix_rows(&o, k, RSP_SEM_THETA, false);
        add_matrix_rows(&o, k, RSP_SEM_PSI, false);
        add_matrix_rows(&o, k, RSP_SEM_NU, false);
        add_matrix_rows(&o, k, RSP_SEM_ALPHA, false);
        add_matrix_rows(&o, k, RSP_SEM_TAU, false);
        add_matrix_rows(&o, k, RSP_SEM_DELTA, false);
        if (an->factor.standardised & RSP_STANDARDISED_ALL) add_explained(&o, k);
    }
    if (an->factor.modification) add_modifications(&o, d);
    rsp_arena_free(a);
}
