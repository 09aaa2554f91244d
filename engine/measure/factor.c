/* Factor models of the study: lavaan's statements become cells of matrices, the sample its moments, the fit rows.
 *
 * What a statement leaves open is filled in as lavaan's cfa() and sem() do: a variance for every variable, the first
 * loading of a factor 1 (or its variance, with std_lv), covariances among factors that nothing explains, an intercept
 * for every item where the model has means. */
#include "measure/sem.h"
#include "responsive/clean.h"
#include "responsive/statistics.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct builder {
    const rsp_factor_model *f;
    rsp_arena *a;
    rsp_sem sem;
    size_t capacity;
    const char **item, **factor; /* names by row of the matrices */
    rsp_map *items, *factors, *labels;
};

/* ---- cells ------------------------------------------------------------------------------------------------------ */

static bool equal_across(const struct builder *b, rsp_sem_matrix matrix, size_t row, size_t column) {
    switch (matrix) {
    case RSP_SEM_LAMBDA: return b->f->equal & RSP_EQUAL_LOADINGS;
    case RSP_SEM_BETA: return b->f->equal & RSP_EQUAL_REGRESSIONS;
    case RSP_SEM_PSI: return b->f->equal & (row == column ? RSP_EQUAL_LV_VARIANCES : RSP_EQUAL_LV_COVARIANCES);
    case RSP_SEM_THETA: return b->f->equal & (row == column ? RSP_EQUAL_RESIDUALS : RSP_EQUAL_RESIDUAL_COVARIANCES);
    case RSP_SEM_NU: return b->f->equal & RSP_EQUAL_INTERCEPTS;
    case RSP_SEM_ALPHA: return b->f->equal & RSP_EQUAL_MEANS;
    }
    return false;
}

static rsp_sem_cell *find_cell(const struct builder *b, rsp_sem_matrix matrix, size_t group, size_t row,
                               size_t column) {
    for (size_t k = 0; k < b->sem.n_cells; k++) {
        rsp_sem_cell *c = &b->sem.cells[k];
        if (c->matrix == matrix && c->group == group && c->row == row && c->column == column) return c;
    }
    return NULL;
}

/* A free parameter of its own, or the one that a label or an equality across groups names. */
static size_t free_parameter(struct builder *b, const rsp_sem_cell *c, const char *label) {
    if (label) {
        size_t k = rsp_map_get(b->labels, label);
        if (k == RSP_NONE) rsp_map_put(b->labels, label, k = b->sem.n_free++);
        return k;
    }
    if (c->group > 0 && equal_across(b, c->matrix, c->row, c->column)) {
        const rsp_sem_cell *first = find_cell(b, c->matrix, 0, c->row, c->column);
        if (first && first->free != RSP_NONE) return first->free;
    }
    return b->sem.n_free++;
}

static void add_cell(struct builder *b, rsp_sem_cell c, bool fixed, const char *label) {
    if ((c.matrix == RSP_SEM_PSI || c.matrix == RSP_SEM_THETA) && c.column > c.row) {
        size_t swap = c.row;
        c.row = c.column;
        c.column = swap;
    }
    if (find_cell(b, c.matrix, c.group, c.row, c.column)) return; /* said before */
    c.free = fixed ? RSP_NONE : free_parameter(b, &c, label);
    RSP_PUSH(b->sem.cells, b->sem.n_cells, b->capacity, c);
}

/* ---- statements ------------------------------------------------------------------------------------------------- */

static size_t number_of(rsp_map *map, const char ***names, size_t *n, const char *name, rsp_arena *a) {
    size_t k = rsp_map_get(map, name);
    if (k != RSP_NONE) return k;
    k = *n;
    rsp_map_put(map, name, k);
    const char **more = RSP_ARRAY(a, const char *, k + 1);
    if (k) memcpy(more, *names, k * sizeof *more);
    more[k] = name;
    *names = more;
    ++*n;
    return k;
}

/* Factors stand left of =~; what stands in a statement and is no factor is an item. */
static void name_variables(struct builder *b) {
    const rsp_lavaan *l = b->f->syntax;
    for (size_t k = 0; k < l->n; k++)
        if (l->rows[k].op == RSP_L_LOADING) number_of(b->factors, &b->factor, &b->sem.m, l->rows[k].lhs, b->a);
    for (size_t k = 0; k < l->n; k++)
        if (l->rows[k].op == RSP_L_LOADING && rsp_map_get(b->factors, l->rows[k].rhs) == RSP_NONE)
            number_of(b->items, &b->item, &b->sem.p, l->rows[k].rhs, b->a);
}

static double variance_of(const rsp_sem_sample *x, size_t p, size_t i) { return x->cov[i * p + i]; }

/* A loading's start: the item's covariance with the marker over half the marker's variance. */
static double loading_start(const struct builder *b, const rsp_sem_sample *x, size_t item, size_t marker) {
    size_t p = b->sem.p;
    if (marker == RSP_NONE || marker == item) return 1;
    double start = x->cov[item * p + marker] / (0.5 * variance_of(x, p, marker)),
           sd = sqrt(variance_of(x, p, item) / variance_of(x, p, marker));
    return fmax(-1.5 * sd, fmin(1.5 * sd, start));
}

static void add_loadings(struct builder *b, size_t group, const rsp_sem_sample *x) {
    const rsp_lavaan *l = b->f->syntax;
    size_t *marker = RSP_ARRAY(b->a, size_t, b->sem.m);
    for (size_t j = 0; j < b->sem.m; j++) marker[j] = RSP_NONE;
    for (size_t k = 0; k < l->n; k++) {
        const rsp_lavaan_row *r = &l->rows[k];
        if (r->op != RSP_L_LOADING) continue;
        size_t j = rsp_map_get(b->factors, r->lhs), i = rsp_map_get(b->items, r->rhs),
               higher = rsp_map_get(b->factors, r->rhs);
        bool first = true;
        for (size_t e = 0; e < k; e++) first &= l->rows[e].op != RSP_L_LOADING || strcmp(l->rows[e].lhs, r->lhs) != 0;
        bool fixed = r->fixed || (first && !r->free && !b->f->std_lv && !r->label);
        if (first && higher == RSP_NONE) marker[j] = i;
        rsp_sem_cell c = {.matrix = higher == RSP_NONE ? RSP_SEM_LAMBDA : RSP_SEM_BETA,
                          .group = group,
                          .row = higher == RSP_NONE ? i : higher,
                          .column = j};
        c.value = r->fixed ? r->value : fixed ? 1 : higher == RSP_NONE ? loading_start(b, x, i, marker[j]) : 0.5;
        add_cell(b, c, fixed, r->label);
    }
}

static void add_regressions(struct builder *b, size_t group) {
    const rsp_lavaan *l = b->f->syntax;
    for (size_t k = 0; k < l->n; k++) {
        const rsp_lavaan_row *r = &l->rows[k];
        if (r->op != RSP_L_REGRESSION) continue;
        rsp_sem_cell c = {.matrix = RSP_SEM_BETA,
                          .group = group,
                          .row = rsp_map_get(b->factors, r->lhs),
                          .column = rsp_map_get(b->factors, r->rhs),
                          .value = r->fixed ? r->value : 0};
        add_cell(b, c, r->fixed, r->label);
    }
}

static void add_covariances(struct builder *b, size_t group) {
    const rsp_lavaan *l = b->f->syntax;
    for (size_t k = 0; k < l->n; k++) {
        const rsp_lavaan_row *r = &l->rows[k];
        if (r->op != RSP_L_COVARIANCE) continue;
        size_t i = rsp_map_get(b->factors, r->lhs), j = rsp_map_get(b->factors, r->rhs);
        bool latent = i != RSP_NONE && j != RSP_NONE;
        if (!latent) i = rsp_map_get(b->items, r->lhs), j = rsp_map_get(b->items, r->rhs);
        rsp_sem_cell c = {.matrix = latent ? RSP_SEM_PSI : RSP_SEM_THETA,
                          .group = group,
                          .row = i,
                          .column = j,
                          .value = r->fixed ? r->value
                                   : i == j ? 0.5
                                            : 0};
        add_cell(b, c, r->fixed, r->label);
    }
}

static bool explained(const struct builder *b, size_t factor) {
    for (size_t k = 0; k < b->sem.n_cells; k++)
        if (b->sem.cells[k].matrix == RSP_SEM_BETA && b->sem.cells[k].row == factor) return true;
    return false;
}

/* Explained by a regression, and not an indicator of a higher factor, whose variance is what its indicators share. */
static bool outcome(const struct builder *b, size_t factor) {
    const rsp_lavaan *l = b->f->syntax;
    bool regressed = false, indicator = false;
    for (size_t k = 0; k < l->n; k++) {
        regressed |= l->rows[k].op == RSP_L_REGRESSION && strcmp(l->rows[k].lhs, b->factor[factor]) == 0;
        indicator |= l->rows[k].op == RSP_L_LOADING && strcmp(l->rows[k].rhs, b->factor[factor]) == 0;
    }
    return regressed && !indicator;
}

static bool explains(const struct builder *b, size_t factor) {
    for (size_t k = 0; k < b->sem.n_cells; k++)
        if (b->sem.cells[k].matrix == RSP_SEM_BETA && b->sem.cells[k].column == factor) return true;
    return false;
}

static size_t marker_item(const struct builder *b, size_t group, size_t factor) {
    for (size_t k = 0; k < b->sem.n_cells; k++) {
        const rsp_sem_cell *c = &b->sem.cells[k];
        if (c->matrix == RSP_SEM_LAMBDA && c->group == group && c->column == factor) return c->row;
    }
    return RSP_NONE;
}

static void add_defaults(struct builder *b, size_t group, const rsp_sem_sample *x) {
    size_t p = b->sem.p, m = b->sem.m;
    for (size_t i = 0; i < p; i++)
        add_cell(
            b,
            (rsp_sem_cell){
                .matrix = RSP_SEM_THETA, .group = group, .row = i, .column = i, .value = 0.5 * variance_of(x, p, i)},
            false, NULL);
    for (size_t j = 0; j < m; j++) {
        size_t marker = marker_item(b, group, j);
        double start = b->f->std_lv ? 1 : marker == RSP_NONE ? 0.5 : 0.5 * variance_of(x, p, marker);
        add_cell(b, (rsp_sem_cell){.matrix = RSP_SEM_PSI, .group = group, .row = j, .column = j, .value = start},
                 b->f->std_lv, NULL);
    }
    /* Covariances among factors that nothing explains, and among those that explain nothing further. */
    for (size_t j = 0; j < m; j++)
        for (size_t k = 0; k < j; k++) {
            bool both_exogenous = !explained(b, j) && !explained(b, k);
            bool both_last = outcome(b, j) && outcome(b, k) && !explains(b, j) && !explains(b, k);
            if (both_exogenous || both_last)
                add_cell(b, (rsp_sem_cell){.matrix = RSP_SEM_PSI, .group = group, .row = j, .column = k}, false, NULL);
        }
}

static void add_means(struct builder *b, size_t group, const rsp_sem_sample *x) {
    const rsp_lavaan *l = b->f->syntax;
    if (!b->sem.means) return;
    for (size_t k = 0; k < l->n; k++) {
        const rsp_lavaan_row *r = &l->rows[k];
        if (r->op != RSP_L_INTERCEPT) continue;
        size_t j = rsp_map_get(b->factors, r->lhs), i = rsp_map_get(b->items, r->lhs);
        rsp_sem_cell c = {
            .matrix = j != RSP_NONE ? RSP_SEM_ALPHA : RSP_SEM_NU, .group = group, .row = j != RSP_NONE ? j : i};
        c.value = r->fixed ? r->value : j != RSP_NONE ? 0 : x->mean[i];
        add_cell(b, c, r->fixed, r->label);
    }
    for (size_t i = 0; i < b->sem.p; i++)
        add_cell(b, (rsp_sem_cell){.matrix = RSP_SEM_NU, .group = group, .row = i, .value = x->mean[i]}, false, NULL);
    bool free_means = group > 0 && (b->f->equal & RSP_EQUAL_INTERCEPTS) && !(b->f->equal & RSP_EQUAL_MEANS);
    for (size_t j = 0; j < b->sem.m; j++)
        add_cell(b, (rsp_sem_cell){.matrix = RSP_SEM_ALPHA, .group = group, .row = j}, !free_means, NULL);
}

static bool wants_means(const rsp_factor_model *f) {
    for (size_t k = 0; k < f->syntax->n; k++)
        if (f->syntax->rows[k].op == RSP_L_INTERCEPT) return true;
    return f->group != RSP_NONE;
}

/* ---- sample ----------------------------------------------------------------------------------------------------- */

struct groups {
    size_t n;
    const char **code; /* NULL: one group */
    rsp_sem_sample *sample;
    size_t n_rows;
    int64_t organisations;
};

static void moments(double *x, size_t n, size_t p, rsp_arena *a, rsp_sem_sample *out) {
    double *mean = RSP_ARRAY(a, double, p), *cov = RSP_ARRAY(a, double, p *p);
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < p; j++) mean[j] += x[i * p + j] / (double) n;
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < p; j++)
            for (size_t k = 0; k <= j; k++)
                cov[j * p + k] += (x[i * p + j] - mean[j]) * (x[i * p + k] - mean[k]) / (double) n;
    for (size_t j = 0; j < p; j++)
        for (size_t k = 0; k < j; k++) cov[k * p + j] = cov[j * p + k];
    *out = (rsp_sem_sample){n, mean, cov, x};
}

/* Complete rows, by group; groups that nobody belongs to are left out. */
static struct groups read_sample(const rsp_sample *s, const rsp_analysis *an, const struct builder *b, rsp_arena *a) {
    const rsp_frame *f = s->frame;
    size_t p = b->sem.p;
    rsp_categories categories = {.n = 1};
    if (b->f->group != RSP_NONE) rsp_categorise(f, b->f->group, a, &categories);
    size_t *variable = RSP_ARRAY(a, size_t, p), *count = RSP_ARRAY(a, size_t, categories.n);
    uint8_t *take = RSP_ARRAY(a, uint8_t, f->n);
    memset(take, 1, f->n);
    for (size_t i = 0; i < p; i++) variable[i] = rsp_study_variable(f->study, b->item[i]);
    if (an->filter) rsp_eval_filter(f, an->filter, take);
    for (size_t i = 0; i < f->n; i++) {
        for (size_t j = 0; take[i] && j < p; j++) take[i] = !isnan(rsp_value(f, variable[j], i));
        if (categories.category && categories.category[i] < 0) take[i] = 0;
        if (s->country && take[i]) take[i] = s->country[i] >= 0 && s->countries[s->country[i]].eligible;
        if (take[i]) count[categories.category ? categories.category[i] : 0]++;
    }
    struct groups g = {.code = categories.category ? RSP_ARRAY(a, const char *, categories.n) : NULL,
                       .sample = RSP_ARRAY(a, rsp_sem_sample, categories.n)};
    for (size_t c = 0; c < categories.n; c++) {
        if (!count[c]) continue;
        double *x = RSP_ARRAY(a, double, count[c] * p);
        size_t n = 0;
        for (size_t i = 0; i < f->n; i++) {
            if (!take[i] || (categories.category && categories.category[i] != (int32_t) c)) continue;
            for (size_t j = 0; j < p; j++) x[n * p + j] = rsp_value(f, variable[j], i);
            n++;
        }
        moments(x, n, p, a, &g.sample[g.n]);
        if (g.code) g.code[g.n] = categories.code[c];
        g.n_rows += n;
        g.n++;
    }
    return g;
}

/* ---- rows ------------------------------------------------------------------------------------------------------- */

struct output {
    const rsp_analysis *an;
    const struct builder *b;
    const struct groups *g;
    const rsp_sem_fit *fit;
    rsp_results *out;
    uint32_t flags;
    double *std, *std_se; /* by cell */
};

static rsp_row *add_row(const struct output *o, size_t group, const char *term, const char *level,
                        const char *statistic) {
    char *domain = NULL;
    if (group != RSP_NONE && o->g->code) {
        const char *name = o->b->f->group_name;
        domain = rsp_domain_text(o->b->a, 1, &name, &o->g->code[group]);
    }
    rsp_row *r = rsp_results_add(o->out, o->an->id, domain, term, level, statistic);
    size_t n = group == RSP_NONE || !o->g->n ? o->g->n_rows : o->g->sample[group].n;
    r->n = (double) n;
    r->base = (int64_t) n;
    r->flags = o->flags;
    return r;
}

static void set_estimate(const struct output *o, rsp_row *r, double estimate, double se) {
    if (o->flags & ~(uint32_t) RSP_F_HEYWOOD) return;
    r->estimate = estimate;
    if (!(se > 0)) return; /* fixed */
    r->se = se;
    rsp_row_interval(r);
    r->p = rsp_t_two_sided(estimate / se, NAN);
}

static void add_cell_row(const struct output *o, const rsp_sem_cell *c, const char *term, const char *level,
                         const char *statistic) {
    double x = c->free == RSP_NONE ? c->value : o->fit->par[c->free];
    double se = c->free == RSP_NONE ? 0 : sqrt(o->fit->vcov[c->free * o->b->sem.n_free + c->free]);
    set_estimate(o, add_row(o, c->group, term, level, statistic), x, se);
}

static void add_matrix_rows(const struct output *o, size_t group, rsp_sem_matrix matrix, bool diagonal) {
    const struct builder *b = o->b;
    for (size_t k = 0; k < b->sem.n_cells; k++) {
        const rsp_sem_cell *c = &b->sem.cells[k];
        if (c->group != group || c->matrix != matrix) continue;
        const char **row =
            matrix == RSP_SEM_LAMBDA || matrix == RSP_SEM_THETA || matrix == RSP_SEM_NU ? b->item : b->factor;
        const char **column = matrix == RSP_SEM_THETA ? b->item : b->factor;
        bool symmetric = matrix == RSP_SEM_PSI || matrix == RSP_SEM_THETA;
        if (symmetric && diagonal != (c->row == c->column)) continue;
        if (matrix == RSP_SEM_LAMBDA) {
            add_cell_row(o, c, column[c->column], row[c->row], "loading");
            set_estimate(o, add_row(o, group, column[c->column], row[c->row], "std_loading"), o->std[k], o->std_se[k]);
        } else if (symmetric && diagonal) {
            add_cell_row(o, c, row[c->row], NULL, "variance");
        } else if (symmetric) {
            add_cell_row(o, c, row[c->column], row[c->row], "covariance");
        } else if (matrix == RSP_SEM_BETA) {
            add_cell_row(o, c, row[c->row], column[c->column], "coefficient");
        } else {
            add_cell_row(o, c, row[c->row], NULL, "intercept");
        }
    }
}

static void add_measure(const struct output *o, const char *statistic, double x, double df) {
    rsp_row *r = add_row(o, RSP_NONE, NULL, NULL, statistic);
    if ((o->flags & ~(uint32_t) RSP_F_HEYWOOD) || !isfinite(x)) return;
    r->estimate = x;
    if (!isnan(df)) {
        r->df = df;
        if (df > 0) r->p = rsp_chisq_upper(x, df);
    }
}

static void add_fit_rows(const struct output *o, bool robust) {
    const rsp_sem_fit *f = o->fit;
    double n = (double) f->n, k = (double) o->b->sem.n_free, groups = (double) o->g->n;
    double excess = fmax(0, f->chisq - f->df), excess_baseline = fmax(excess, f->chisq_baseline - f->df_baseline);
    add_measure(o, "chisq", f->chisq, f->df);
    if (robust) add_measure(o, "chisq_scaled", f->chisq / f->scaling, f->df);
    add_measure(o, "cfi", excess_baseline > 0 ? 1 - excess / excess_baseline : 1, NAN);
    double ratio = f->chisq_baseline / f->df_baseline;
    add_measure(o, "tli", f->df > 0 ? (ratio - f->chisq / f->df) / (ratio - 1) : 1, NAN);
    add_measure(o, "rmsea", f->df > 0 ? sqrt(excess / (f->df * n)) * sqrt(groups) : 0, NAN);
    if (robust) { /* Brosseau-Liard and Savalei (2014), Brosseau-Liard, Savalei and Li (2012) */
        double r = fmax(0, f->chisq - f->scaling * f->df),
               rb = fmax(r, f->chisq_baseline - f->scaling_baseline * f->df_baseline);
        add_measure(o, "cfi_robust", rb > 0 ? 1 - r / rb : 1, NAN);
        add_measure(o, "rmsea_robust", f->df > 0 ? sqrt(r / (f->df * n)) * sqrt(groups) : 0, NAN);
    }
    add_measure(o, "srmr", f->srmr, NAN);
    add_measure(o, "aic", 2 * k - 2 * f->loglik, NAN);
    add_measure(o, "bic", k * log(n) - 2 * f->loglik, NAN);
    add_measure(o, "loglik", f->loglik, NAN);
}

/* Standardised loadings and their errors by the delta method, derivatives by central differences. */
static void standardise(const struct builder *b, const rsp_sem_fit *fit, double *std, double *se) {
    size_t k = b->sem.n_free, n = b->sem.n_cells;
    double *at = rsp_malloc((k + 1) * sizeof *at), *up = rsp_malloc((n + 1) * sizeof *up),
           *down = rsp_malloc((n + 1) * sizeof *down);
    double *d = rsp_malloc((n * k + 1) * sizeof *d);
    rsp_sem_standardise(&b->sem, fit->par, std);
    for (size_t j = 0; j < k; j++) {
        double h = 1e-5 * fmax(fabs(fit->par[j]), 0.1);
        memcpy(at, fit->par, k * sizeof *at);
        at[j] += h;
        rsp_sem_standardise(&b->sem, at, up);
        at[j] -= 2 * h;
        rsp_sem_standardise(&b->sem, at, down);
        for (size_t c = 0; c < n; c++) d[c * k + j] = (up[c] - down[c]) / (2 * h);
    }
    for (size_t c = 0; c < n; c++) {
        double v = 0;
        for (size_t i = 0; b->sem.cells[c].matrix == RSP_SEM_LAMBDA && i < k; i++)
            for (size_t j = 0; j < k; j++) v += d[c * k + i] * fit->vcov[i * k + j] * d[c * k + j];
        se[c] = v > 0 ? sqrt(v) : 0;
    }
    free(at), free(up), free(down), free(d);
}

static uint32_t fit_flags(const rsp_sem_fit *fit) {
    if (fit->status == RSP_SEM_NOT_CONVERGED) return RSP_F_NOT_CONVERGED;
    if (fit->status != RSP_SEM_OK) return RSP_F_SINGULAR;
    return fit->heywood ? RSP_F_HEYWOOD : 0;
}

static bool moments_usable(const struct groups *g, size_t p) {
    bool ok = g->n > 0;
    for (size_t k = 0; k < g->n; k++) {
        ok = ok && g->sample[k].n > p;
        for (size_t i = 0; i < p; i++) ok = ok && g->sample[k].cov[i * p + i] > 0;
    }
    return ok;
}

void rsp_measure_factor(rsp_sample *s, const rsp_analysis *an, rsp_results *out, rsp_diag *d) {
    (void) d;
    rsp_arena *a = rsp_arena_new();
    struct builder b = {
        .f = &an->factor, .a = a, .items = rsp_map_new(), .factors = rsp_map_new(), .labels = rsp_map_new()};
    name_variables(&b);
    struct groups g = read_sample(s, an, &b, a);
    b.sem.n_groups = g.n;
    b.sem.means = wants_means(b.f);
    for (size_t k = 0; k < g.n; k++) {
        add_loadings(&b, k, &g.sample[k]);
        add_regressions(&b, k);
        add_covariances(&b, k);
        add_defaults(&b, k, &g.sample[k]);
        add_means(&b, k, &g.sample[k]);
    }
    rsp_sem_fit fit = {.status = RSP_SEM_SINGULAR_DATA};
    bool robust = b.f->estimator == RSP_MLR, usable = moments_usable(&g, b.sem.p);
    struct output o = {.an = an, .b = &b, .g = &g, .fit = &fit, .out = out};
    if (usable) rsp_sem_estimate(&b.sem, g.sample, robust, a, &fit);
    o.flags = g.n_rows ? fit_flags(&fit) : RSP_F_EMPTY;
    o.std = RSP_ARRAY(a, double, b.sem.n_cells + 1);
    o.std_se = RSP_ARRAY(a, double, b.sem.n_cells + 1);
    if (fit.status == RSP_SEM_OK) standardise(&b, &fit, o.std, o.std_se);
    else
        fit.par = RSP_ARRAY(a, double, b.sem.n_free + 1),
        fit.vcov = RSP_ARRAY(a, double, b.sem.n_free *b.sem.n_free + 1);
    add_fit_rows(&o, robust);
    for (size_t k = 0; k < g.n; k++) {
        add_matrix_rows(&o, k, RSP_SEM_LAMBDA, false);
        add_matrix_rows(&o, k, RSP_SEM_BETA, false);
        add_matrix_rows(&o, k, RSP_SEM_THETA, true);
        add_matrix_rows(&o, k, RSP_SEM_PSI, true);
        add_matrix_rows(&o, k, RSP_SEM_THETA, false);
        add_matrix_rows(&o, k, RSP_SEM_PSI, false);
        add_matrix_rows(&o, k, RSP_SEM_NU, false);
        add_matrix_rows(&o, k, RSP_SEM_ALPHA, false);
    }
    free(b.sem.cells);
    rsp_map_free(b.items), rsp_map_free(b.factors), rsp_map_free(b.labels);
    rsp_arena_free(a);
}
