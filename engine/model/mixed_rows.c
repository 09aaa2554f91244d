/* Rows of models with random effects: coefficients and their ratios, joint tests, variances, shares of variance. */
#include "model/fit.h"
#include "model/mixed.h"
#include "model/solve.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double SINGULAR = 1e-4; /* lme4's limit for a diagonal element of the triangle */

/* A variance between few groups says little, however many respondents they have. */
enum { FEW_GROUPS = 10 };

/* ---- columns ---------------------------------------------------------------------------------------------------- */

void rsp_mfit_columns(rsp_mfit *f, bool constant) {
    const rsp_mmatrix *m = f->m;
    const double **x = RSP_ARRAY(m->arena, const double *, m->k + 2);
    f->flags = RSP_ARRAY(m->arena, uint32_t, m->k + 1);
    f->column = RSP_ARRAY(m->arena, size_t, m->k + 1);
    if (constant) {
        double *one = RSP_ARRAY(m->arena, double, m->n + 1);
        for (size_t i = 0; i < m->n; i++) one[i] = 1;
        x[0] = one;
    }
    for (size_t j = 0; j < m->k; j++) x[j + constant] = m->columns[j].x;
    rsp_least_squares_fit(m->n, m->k + constant, x, NULL, m->y, m->arena, &f->least);
    for (size_t j = 0; j < m->k; j++) {
        bool zero = true;
        for (size_t i = 0; zero && i < m->n; i++) zero = m->columns[j].x[i] == 0;
        if (zero) f->flags[j] = m->columns[j].unanswered ? RSP_F_UNANSWERED : RSP_F_EMPTY;
        else if (f->least.aliased[j + constant]) f->flags[j] = RSP_F_SINGULAR;
        else f->column[f->p++] = j;
    }
}

size_t rsp_mfit_term(const rsp_mfit *f, size_t term, size_t *in) {
    size_t q = 0;
    for (size_t j = 0; j < f->p; j++)
        if (f->m->columns[f->column[j]].term == term) in[q++] = j;
    return q;
}

/* ---- coefficients ----------------------------------------------------------------------------------------------- */

static rsp_row *add_row(const rsp_mfit *f, rsp_results *out, const char *term, const char *level,
                        const char *statistic) {
    rsp_row *r = rsp_results_add(out, f->a->id, NULL, term, level, statistic);
    r->n = (double) f->m->n;
    r->base = (int64_t) f->m->n;
    r->organisations = f->m->organisations;
    r->flags = f->status;
    return r;
}

static void add_number(const rsp_mfit *f, rsp_results *out, const char *term, const char *level, const char *statistic,
                       double x, uint32_t flags) {
    rsp_row *r = add_row(f, out, term, level, statistic);
    r->flags |= flags;
    if (!f->status && isfinite(x)) r->estimate = x;
}

/* Is an error missing because the design leaves none? The estimates stand then. */
static bool stands(const rsp_mfit *f) { return !(f->status & ~(uint32_t) RSP_F_LONELY); }

/* Estimate and error, t or normal. A df that does not exist (0 or less, as from a failed approximation) gives none. */
static void add_estimate(const rsp_mfit *f, rsp_row *r, double b, double se, double df) {
    if (!stands(f)) return;
    r->estimate = b;
    if (f->status) return;
    r->se = se;
    r->df = df;
    if (df <= 0) {
        r->df = NAN;
        r->flags |= RSP_F_NO_DF;
        return;
    }
    rsp_row_interval(r);
    r->p = rsp_t_two_sided(r->estimate / r->se, r->df);
}

static bool few_groups(const rsp_mfit *f) {
    for (size_t k = 0; k < f->m->n_random; k++)
        if (f->m->random[k].n_groups < FEW_GROUPS) return true;
    return false;
}

/* Normal intervals of coefficients take it that there are many groups. */
static uint32_t coefficient_flags(const rsp_mfit *f) {
    return f->a->model.kind != RSP_MIXED_MODEL && few_groups(f) ? RSP_F_FEW_GROUPS : 0;
}

/* Respondents behind a coefficient's very cell: of the category, and of the rarer of two outcomes. */
static int64_t cell_of(const rsp_mfit *f, const rsp_mcolumn *c) {
    size_t n = f->m->n, least = c->dummy ? (c->ones < n - c->ones ? c->ones : n - c->ones) : n, events = 0;
    if (f->a->model.kind != RSP_MIXED_LOGISTIC_MODEL) return (int64_t) least;
    for (size_t i = 0; i < n; i++) events += f->m->y[i] == 1;
    if (n - events < events) events = n - events;
    return (int64_t) (events < least ? events : least);
}

static void write_thresholds(const rsp_mfit *f, rsp_results *out) {
    for (size_t j = 0; f->a->model.kind == RSP_MIXED_ORDINAL_MODEL && j + 1 < f->m->n_levels; j++) {
        rsp_buf name = {0};
        rsp_buf_printf(&name, "%s|%s", f->m->levels[j], f->m->levels[j + 1]);
        rsp_row *r = add_row(f, out, name.data, NULL, "threshold");
        r->flags |= coefficient_flags(f);
        if (f->n_thresholds) add_estimate(f, r, f->threshold[j], f->threshold_se[j], f->threshold_df);
        rsp_buf_free(&name);
    }
}

static void write_coefficients(const rsp_mfit *f, rsp_results *out) {
    for (size_t j = 0, at = 0; j < f->m->k; j++) {
        const rsp_mcolumn *c = &f->m->columns[j];
        rsp_row *r = add_row(f, out, c->name, NULL, "coefficient");
        r->cell = cell_of(f, c);
        r->flags |= f->flags[j] | coefficient_flags(f);
        if (f->flags[j]) continue;
        size_t k = at++;
        if (f->b) add_estimate(f, r, f->b[k], f->se[k], f->df[k]);
    }
}

/* Odds ratios of the coefficients in the rows from `first` on. */
static void write_ratios(const rsp_mfit *f, rsp_results *out, size_t first) {
    for (size_t j = 0; f->a->model.kind != RSP_MIXED_MODEL && j < f->m->k; j++) {
        if (f->m->columns[j].term == RSP_NONE) continue;
        rsp_row from = out->rows[first + j];
        rsp_row *r = add_row(f, out, from.term, NULL, "odds_ratio");
        rsp_exponentiate(r, &from);
    }
}

static const rsp_mtest *test_of(const rsp_mfit *f, size_t term) {
    for (size_t k = 0; k < f->n_tests; k++)
        if (f->tests[k].term == term) return &f->tests[k];
    return NULL;
}

static void write_tests(const rsp_mfit *f, rsp_results *out) {
    for (size_t t = 0; t < f->m->n_terms; t++) {
        if (!f->m->term_joint[t]) continue;
        rsp_row *r = add_row(f, out, f->m->term_names[t], NULL, "wald_f");
        const rsp_mtest *test = test_of(f, t);
        r->flags |= coefficient_flags(f);
        if (f->status) continue;
        if (!test || isnan(test->f)) {
            r->flags |= rsp_mmatrix_untested(f->m, t);
            continue;
        }
        if (test->df <= 0) {
            r->flags |= RSP_F_NO_DF;
            continue;
        }
        r->estimate = test->f;
        r->df1 = test->df1;
        r->df = test->df;
        r->p = rsp_f_upper(r->estimate, r->df1, r->df);
    }
}

/* ---- variances -------------------------------------------------------------------------------------------------- */

static const rsp_mgroup *group_of(const rsp_mixed *x, size_t part, size_t *from) {
    for (size_t g = 0; g < x->n_groups; g++)
        for (*from = 0; *from < x->groups[g].d; ++*from)
            if (x->groups[g].part[*from] == part) return &x->groups[g];
    return NULL;
}

bool rsp_mfit_covariance(const rsp_mfit *f, size_t part, double *c) {
    size_t from = 0, d = f->m->random[part].d;
    const rsp_mgroup *g = group_of(f->x, part, &from);
    double *t = rsp_calloc(g->d * g->d, sizeof *t), *root = rsp_calloc(d * d, sizeof *root);
    bool singular = false;
    rsp_mixed_triangle(g, f->theta, t);
    for (size_t i = 0; i < d; i++) {
        singular |= fabs(t[(from + i) * g->d + from + i]) < SINGULAR;
        for (size_t j = 0; j < d; j++)
            for (size_t l = 0; l < d; l++)
                root[i * d + j] += g->back[(from + i) * g->d + from + l] * t[(from + l) * g->d + from + j];
    }
    for (size_t i = 0; i < d; i++)
        for (size_t j = 0; j < d; j++) {
            c[i * d + j] = 0;
            for (size_t l = 0; l < d; l++) c[i * d + j] += f->s2 * root[i * d + l] * root[j * d + l];
        }
    free(t);
    free(root);
    return singular;
}

/* Mean over the rows, by weight, of the variance that a part's effects give an answer: sum of c times the columns' mean
 * products (Johnson 2014). */
static double mean_variance(const rsp_mfit *f, size_t part, const double *c) {
    const rsp_mrandom *r = &f->m->random[part];
    double sum = 0, weight = 0;
    for (size_t k = 0; k < f->m->n; k++) weight += f->m->w[k];
    for (size_t i = 0; i < r->d; i++)
        for (size_t j = 0; j < r->d; j++) {
            double products = rsp_sum_of_products(f->m->n, f->m->w, r->columns[i].x, r->columns[j].x);
            sum += c[i * r->d + j] * products / weight;
        }
    return sum;
}

static uint32_t group_flags(const rsp_mrandom *r) { return r->n_groups < FEW_GROUPS ? RSP_F_FEW_GROUPS : 0; }

static double write_part(const rsp_mfit *f, rsp_results *out, size_t part) {
    const rsp_mrandom *r = &f->m->random[part];
    double *c = rsp_calloc(r->d * r->d, sizeof *c), share = 0;
    uint32_t flags = group_flags(r);
    if (f->x && f->theta && !f->status) {
        if (rsp_mfit_covariance(f, part, c)) flags |= RSP_F_SINGULAR;
        share = mean_variance(f, part, c);
    }
    for (size_t i = 0; i < r->d; i++)
        add_number(f, out, r->name, r->columns[i].name, "variance", c[i * r->d + i], flags);
    for (size_t i = 0; r->correlated && i < r->d; i++)
        for (size_t j = i + 1; j < r->d; j++) {
            rsp_buf name = {0};
            rsp_buf_printf(&name, "%s:%s", r->columns[i].name, r->columns[j].name);
            add_number(f, out, r->name, name.data, "covariance", c[i * r->d + j], flags);
            rsp_buf_free(&name);
        }
    free(c);
    return share;
}

/* Is part k the first with its groups? */
static bool first_of_groups(const rsp_mfit *f, size_t k) {
    for (size_t j = 0; j < k; j++)
        if (strcmp(f->m->random[j].name, f->m->random[k].name) == 0) return false;
    return true;
}

/* Share of the variance that lies between groups: of each grouping variable, then of all together. */
static void write_icc(const rsp_mfit *f, rsp_results *out, const double *between) {
    double total = f->rest, all = 0;
    for (size_t k = 0; k < f->m->n_random; k++) all += between[k];
    total += all;
    for (size_t k = 0; k < f->m->n_random; k++) {
        double of_variable = 0;
        for (size_t j = 0; j < f->m->n_random; j++)
            if (strcmp(f->m->random[j].name, f->m->random[k].name) == 0) of_variable += between[j];
        if (first_of_groups(f, k))
            add_number(f, out, f->m->random[k].name, NULL, "icc", of_variable / total, group_flags(&f->m->random[k]));
    }
    add_number(f, out, NULL, NULL, "icc", all / total, few_groups(f) ? RSP_F_FEW_GROUPS : 0);
}

void rsp_mfit_write(const rsp_mfit *f, rsp_results *out) {
    double *between = rsp_calloc(f->m->n_random + 1, sizeof *between), k = (double) f->n_parameters;
    write_thresholds(f, out);
    size_t first = out->n;
    write_coefficients(f, out);
    write_ratios(f, out, first);
    write_tests(f, out);
    for (size_t part = 0; part < f->m->n_random; part++) between[part] = write_part(f, out, part);
    if (f->a->model.kind == RSP_MIXED_MODEL) add_number(f, out, "residual", NULL, "variance", f->rest, 0);
    if (f->a->model.unweighted) { /* a pseudo-likelihood has no information criterion */
        add_number(f, out, NULL, NULL, "loglik", f->loglik, 0);
        add_number(f, out, NULL, NULL, "aic", 2 * k - 2 * f->loglik, 0);
        add_number(f, out, NULL, NULL, "bic", log((double) f->m->n) * k - 2 * f->loglik, 0);
    }
    write_icc(f, out, between);
    for (size_t part = 0; part < f->m->n_random; part++) {
        const rsp_mrandom *r = &f->m->random[part];
        if (first_of_groups(f, part)) add_number(f, out, r->name, NULL, "groups", (double) r->n_groups, group_flags(r));
    }
    free(between);
}
