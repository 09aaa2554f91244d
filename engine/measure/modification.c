/* Score statistics of one restriction at a time (Rao 1948; Sorbom 1989), and the change that giving it up is expected to
 * bring (Saris, Satorra and Sorbom 1987).
 *
 * Let g and H be gradient and expected information by cell, f the model's free parameters. A cell that gets a parameter
 * of its own, beside the one it may share, has the index g_c^2 / V and the expected change g_c / V, V = H_cc - H_cf H_ff^-1
 * H_fc: so fixed cells and equalities are one case. Information is expected under the model for all estimators, as in
 * lavaan: with robust estimators and design weights these indices say where to look, and are no test. The scaled ones
 * are: there V is the variance of g_c - H_cf H_ff^-1 g_f by the scores of respondents or the design, with observed
 * information, or by the covariance of thresholds and correlations. */
#include "measure/modification.h"

#include "measure/sem_likelihood.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Columns of derivatives that are formed at once: information is square in them. */
enum { CHUNK = 64 };

struct search {
    const rsp_factor_fit *fit;
    rsp_arena *a;
    double *inverse; /* [k*k] of the free parameters' information */
    bool regressions;
    bool *regressed; /* [m] factors that regressions name */
    rsp_modification *found;
    size_t n, capacity;
};

/* One group's cells: those of the model, then candidates. */
struct cells {
    size_t group, n, n_model, capacity;
    rsp_sem_cell *cell;
    double *value; /* at the estimates */
    size_t *free;  /* the model's parameter; RSP_NONE */
};

/* ---- derivatives ------------------------------------------------------------------------------------------------ */

/* Gradient [n] and information [n*n] of the cells named in `at`, each a parameter. */
static bool differentiate(const struct search *s, const struct cells *c, const size_t *at, size_t n, double *gradient,
                          double *information) {
    const rsp_factor_sample *x = s->fit->sample;
    rsp_sem model = s->fit->sem;
    size_t *number = rsp_malloc((c->n + 1) * sizeof *number), used = 0;
    double *par = rsp_malloc((n + 1) * sizeof *par), loglik;
    for (size_t k = 0; k < c->n; k++) number[k] = RSP_NONE;
    for (size_t j = 0; j < n; j++) number[at[j]] = j;
    model.cells = rsp_malloc((c->n + 1) * sizeof *model.cells);
    for (size_t k = 0; k < c->n; k++) {
        if (k >= c->n_model && number[k] == RSP_NONE) continue;
        rsp_sem_cell *cell = &model.cells[used++];
        *cell = c->cell[k];
        cell->value = c->value[k];
        cell->free = number[k];
        if (number[k] != RSP_NONE) par[number[k]] = c->value[k];
    }
    model.n_cells = used;
    model.n_free = n;
    bool ok;
    if (rsp_limited_information(s->fit->model)) {
        ok = rsp_wls_differentiate(&model, c->group, &x->layout, &x->wls[c->group], par, gradient, information);
    } else {
        rsp_sem_group g;
        double *by_cell = rsp_malloc((n + n * n + 1) * sizeof *by_cell);
        rsp_sem_group_new(&model, c->group, &x->group[c->group], &g);
        ok = rsp_sem_group_evaluate(&g, par, RSP_SEM_EXPECTED, &loglik, by_cell, by_cell + n);
        for (size_t i = 0; ok && i < n; i++) {
            gradient[g.free[i]] = by_cell[i];
            for (size_t l = 0; l < n; l++) information[g.free[i] * n + g.free[l]] = by_cell[n + i * n + l];
        }
        rsp_sem_group_free(&g);
        free(by_cell);
    }
    free(number), free(par), free(model.cells);
    return ok;
}

/* ---- candidates ------------------------------------------------------------------------------------------------- */

static void push(struct cells *c, rsp_arena *a, rsp_sem_cell cell, double value) {
    if (c->n == c->capacity) {
        size_t more = 2 * c->capacity + 64;
        rsp_sem_cell *cells = RSP_ARRAY(a, rsp_sem_cell, more);
        double *values = RSP_ARRAY(a, double, more);
        size_t *frees = RSP_ARRAY(a, size_t, more);
        if (c->n) {
            memcpy(cells, c->cell, c->n * sizeof *cells);
            memcpy(values, c->value, c->n * sizeof *values);
            memcpy(frees, c->free, c->n * sizeof *frees);
        }
        c->cell = cells, c->value = values, c->free = frees, c->capacity = more;
    }
    c->cell[c->n] = cell;
    c->free[c->n] = cell.free;
    c->value[c->n++] = value;
}

static void push_absent(const struct search *s, struct cells *c, const bool *there, rsp_sem_matrix matrix, size_t row,
                        size_t column, size_t columns) {
    if (there[row * columns + column]) return;
    push(c, s->a, (rsp_sem_cell){.matrix = matrix, .group = c->group, .row = row, .column = column, .free = RSP_NONE},
         0);
}

/* Which places [rows*columns] of a matrix the model has a cell for. */
static bool *places(const struct search *s, const struct cells *c, rsp_sem_matrix matrix, size_t rows, size_t columns) {
    bool *there = RSP_ARRAY(s->a, bool, rows *columns + 1);
    for (size_t k = 0; k < c->n_model; k++)
        if (c->cell[k].matrix == matrix) there[c->cell[k].row * columns + c->cell[k].column] = true;
    return there;
}

/* Loadings, covariances within residuals and within factors, regressions among factors that regressions name, intercepts of
 * ordinal items. */
static void add_absent(const struct search *s, struct cells *c) {
    const rsp_factor_sample *x = s->fit->sample;
    size_t p = s->fit->sem.p, m = s->fit->sem.m;
    bool *there = places(s, c, RSP_SEM_LAMBDA, p, m);
    for (size_t j = 0; j < m; j++)
        for (size_t i = 0; i < p; i++) push_absent(s, c, there, RSP_SEM_LAMBDA, i, j, m);
    there = places(s, c, RSP_SEM_BETA, m, m);
    for (size_t j = 0; s->regressions && j < m; j++)
        for (size_t i = 0; i < m; i++)
            if (i != j && s->regressed[i] && s->regressed[j]) push_absent(s, c, there, RSP_SEM_BETA, i, j, m);
    there = places(s, c, RSP_SEM_THETA, p, p);
    for (size_t j = 0; j < p; j++)
        for (size_t i = j + 1; i < p; i++) push_absent(s, c, there, RSP_SEM_THETA, i, j, p);
    there = places(s, c, RSP_SEM_PSI, m, m);
    for (size_t j = 0; j < m; j++)
        for (size_t i = j + 1; i < m; i++) push_absent(s, c, there, RSP_SEM_PSI, i, j, m);
    there = places(s, c, RSP_SEM_NU, p, 1);
    for (size_t i = 0; x->layout.n_thresholds && s->fit->sem.means && i < p; i++)
        if (x->layout.n_thresholds[i]) push_absent(s, c, there, RSP_SEM_NU, i, 0, 1);
}

static struct cells group_cells(const struct search *s, size_t group) {
    struct cells c = {.group = group};
    for (size_t k = 0; k < s->fit->sem.n_cells; k++)
        if (s->fit->sem.cells[k].group == group) push(&c, s->a, s->fit->sem.cells[k], s->fit->estimate[k]);
    c.n_model = c.n;
    add_absent(s, &c);
    return c;
}

/* ---- indices ---------------------------------------------------------------------------------------------------- */

/* Cells of the model that are free, in front of [*n]; returns the list with room for CHUNK more. */
static size_t *free_cells(const struct search *s, const struct cells *c, size_t *n) {
    size_t *at = RSP_ARRAY(s->a, size_t, c->n_model + CHUNK + 1);
    *n = 0;
    for (size_t k = 0; k < c->n_model; k++)
        if (c->free[k] != RSP_NONE) at[(*n)++] = k;
    return at;
}

/* Information of the free parameters, over all groups, inverted. */
static bool invert_model(struct search *s) {
    size_t k = s->fit->sem.n_free;
    bool ok = true;
    s->inverse = RSP_ARRAY(s->a, double, k *k + 1);
    for (size_t g = 0; ok && g < s->fit->sem.n_groups; g++) {
        struct cells c = group_cells(s, g);
        size_t n, *at = free_cells(s, &c, &n);
        double *gradient = rsp_malloc((n + n * n + 1) * sizeof *gradient), *information = gradient + n;
        ok = differentiate(s, &c, at, n, gradient, information);
        for (size_t i = 0; ok && i < n; i++)
            for (size_t l = 0; l < n; l++) s->inverse[c.free[at[i]] * k + c.free[at[l]]] += information[i * n + l];
        free(gradient);
    }
    return ok && rsp_invert_information(s->inverse, k);
}

/* What is left of a cell's information when the free parameters follow it; r [k]: its information with them. */
static double left_over(const struct search *s, double own, const double *r) {
    size_t k = s->fit->sem.n_free;
    for (size_t i = 0; i < k; i++) {
        if (r[i] == 0) continue;
        for (size_t l = 0; l < k; l++) own -= r[i] * r[l] * s->inverse[i * k + l];
    }
    return own;
}

static void add_index(struct search *s, const rsp_sem_cell *cell, bool equal, double gradient, double own,
                      const double *r) {
    const double least = 1e-6; /* of the own information: less cannot be told from none */
    double v = left_over(s, own, r);
    if (!(v > least * own)) return; /* not identified */
    rsp_modification m = {*cell, equal, gradient * gradient / v, NAN, gradient / v, NAN};
    RSP_PUSH(s->found, s->n, s->capacity, m);
}

/* The i-th of the n cells that were differentiated; the first n_free of them are the model's own. */
static void add_indices(struct search *s, const struct cells *c, const size_t *at, size_t i, size_t n, size_t n_free,
                        const double *gradient, const double *information) {
    double *r = rsp_calloc(s->fit->sem.n_free + 1, sizeof *r);
    for (size_t l = 0; l < n_free; l++) r[c->free[at[l]]] += information[i * n + l];
    add_index(s, &c->cell[at[i]], i < n_free, gradient[i], information[i * n + i], r);
    free(r);
}

/* Cells that share their parameter. Of two, giving up one or the other is the same: the second stands for both. */
static bool *shared(const struct search *s, const struct cells *c) {
    const rsp_sem *m = &s->fit->sem;
    size_t *count = RSP_ARRAY(s->a, size_t, m->n_free + 1), *first = RSP_ARRAY(s->a, size_t, m->n_free + 1);
    for (size_t k = 0; k < m->n_cells; k++) {
        size_t f = m->cells[k].free;
        if (f != RSP_NONE && !count[f]++) first[f] = k;
    }
    bool *is = RSP_ARRAY(s->a, bool, c->n_model + 1);
    size_t start = 0;
    while (start < m->n_cells && m->cells[start].group < c->group) start++;
    for (size_t k = 0; k < c->n_model; k++) {
        size_t f = c->free[k];
        is[k] = f != RSP_NONE && count[f] > 1 && (count[f] > 2 || first[f] != start + k);
    }
    return is;
}

static bool is_candidate(const struct cells *c, size_t k) {
    return c->free[k] == RSP_NONE && c->cell[k].matrix != RSP_SEM_DELTA && c->cell[k].matrix != RSP_SEM_TAU;
}

static bool search_group(struct search *s, size_t group) {
    struct cells c = group_cells(s, group);
    size_t n_free, *at = free_cells(s, &c, &n_free), most = n_free + CHUNK, n = n_free;
    double *gradient = rsp_malloc((most + most * most + 1) * sizeof *gradient), *information = gradient + most;
    bool ok = true;
    for (size_t k = 0; ok && k <= c.n; k++) {
        if (k < c.n && is_candidate(&c, k)) at[n++] = k;
        if (n == n_free || (n < most && k < c.n)) continue;
        ok = differentiate(s, &c, at, n, gradient, information);
        for (size_t i = n_free; ok && i < n; i++) add_indices(s, &c, at, i, n, n_free, gradient, information);
        n = n_free;
    }
    if (ok) ok = differentiate(s, &c, at, n_free, gradient, information);
    if (ok) {
        bool *is = shared(s, &c);
        for (size_t i = 0; i < n_free; i++)
            if (is[at[i]]) add_indices(s, &c, at, i, n_free, n_free, gradient, information);
    }
    free(gradient);
    return ok;
}

static void find_regressions(struct search *s) {
    const rsp_lavaan *l = s->fit->model->syntax;
    s->regressed = RSP_ARRAY(s->a, bool, s->fit->n_factors + 1);
    for (size_t k = 0; k < l->n; k++) {
        if (l->rows[k].op != RSP_L_REGRESSION) continue;
        s->regressions = true;
        for (size_t j = 0; j < s->fit->n_factors; j++)
            if (strcmp(s->fit->factor[j], l->rows[k].lhs) == 0 || strcmp(s->fit->factor[j], l->rows[k].rhs) == 0)
                s->regressed[j] = true;
    }
}

/* Multiplies what was found in a group by the units of its items and factors. */
static void standardise(struct search *s, size_t group, size_t from) {
    const rsp_sem *m = &s->fit->sem;
    rsp_implied g;
    size_t first = 0, last;
    while (first < m->n_cells && m->cells[first].group < group) first++;
    for (last = first; last < m->n_cells && m->cells[last].group == group;) last++;
    rsp_implied_new(m->p, m->m, &g);
    if (rsp_imply(m, first, last, s->fit->fit.par, &g))
        for (size_t k = from; k < s->n; k++)
            s->found[k].std = s->found[k].epc * rsp_standard_unit(&g, &s->found[k].cell, true);
    rsp_implied_free(&g);
}

/* ---- scaled ----------------------------------------------------------------------------------------------------- */

static bool same_place(const rsp_sem_cell *a, const rsp_sem_cell *b) {
    return a->group == b->group && a->matrix == b->matrix && a->row == b->row && a->column == b->column;
}

/* The model at its estimates, in which n of what was found in a group have parameters of their own. of [n]: their extras'. */
static rsp_sem freed_model(const struct search *s, const rsp_modification *found, size_t n, rsp_arena *a, size_t *of) {
    const rsp_sem *m = &s->fit->sem;
    rsp_sem larger = *m;
    larger.cells = RSP_ARRAY(a, rsp_sem_cell, m->n_cells + n + 1);
    larger.n_cells = 0;
    larger.n_free = m->n_free + n;
    for (size_t e = 0; e < n; e++) of[e] = RSP_NONE;
    bool added = false;
    for (size_t k = 0; k <= m->n_cells; k++) {
        bool after = !added && (k == m->n_cells || m->cells[k].group > found->cell.group);
        added = added || after;
        for (size_t e = 0; after && e < n; e++) { /* cells that the model does not have */
            bool there = false;
            for (size_t j = 0; j < k; j++) there |= same_place(&m->cells[j], &found[e].cell);
            if (there) continue;
            larger.cells[larger.n_cells] = found[e].cell;
            larger.cells[larger.n_cells].value = 0;
            larger.cells[larger.n_cells++].free = m->n_free + e;
        }
        if (k == m->n_cells) break;
        rsp_sem_cell *c = &larger.cells[larger.n_cells++];
        *c = m->cells[k];
        c->value = s->fit->estimate[k];
        for (size_t e = 0; e < n; e++) {
            if (!same_place(c, &found[e].cell)) continue;
            of[e] = c->free;
            c->free = m->n_free + e;
        }
    }
    return larger;
}

/* All that was found in a group, some at a time. */
static void scale_indices(struct search *s, size_t from, rsp_diag *d) {
    for (size_t k = from; k < s->n; k += CHUNK) {
        size_t n = s->n - k < CHUNK ? s->n - k : CHUNK;
        rsp_arena *a = rsp_arena_new();
        size_t *of = RSP_ARRAY(a, size_t, n);
        rsp_sem larger = freed_model(s, &s->found[k], n, a, of);
        double *score = RSP_ARRAY(a, double, n), *left = RSP_ARRAY(a, double, n),
               *variance = RSP_ARRAY(a, double, n *n);
        rsp_extras extras = {n, of};
        bool ok =
            rsp_factor_scores(s->fit->model, s->fit->sample, &larger, &extras, score, variance, left, d) == RSP_SEM_OK;
        for (size_t e = 0; ok && e < n; e++)
            if (fabs(left[e]) > RSP_SCORE_LEAST_LEFT && variance[e * n + e] > 0)
                s->found[k + e].scaled = score[e] * score[e] / variance[e * n + e];
        rsp_arena_free(a);
    }
}

/* ---- all -------------------------------------------------------------------------------------------------------- */

size_t rsp_factor_modifications(const rsp_factor_fit *fit, rsp_arena *a, rsp_modification **out, rsp_diag *d) {
    struct search s = {.fit = fit, .a = a};
    *out = NULL;
    if (!rsp_factor_good(fit)) return 0;
    find_regressions(&s);
    bool ok = invert_model(&s);
    for (size_t g = 0; ok && g < fit->sem.n_groups; g++) {
        size_t from = s.n;
        ok = search_group(&s, g);
        standardise(&s, g, from);
        if (rsp_factor_robust(fit->model)) scale_indices(&s, from, d);
    }
    if (!ok) s.n = 0;
    *out = RSP_ARRAY(a, rsp_modification, s.n + 1);
    if (s.n) memcpy(*out, s.found, s.n * sizeof **out);
    free(s.found);
    return s.n;
}

static bool loads_on(const rsp_lavaan *l, const char *factor, const char *indicator) {
    for (size_t k = 0; k < l->n; k++)
        if (l->rows[k].op == RSP_L_LOADING && strcmp(l->rows[k].lhs, factor) == 0 &&
            strcmp(l->rows[k].rhs, indicator) == 0)
            return true;
    return false;
}

const char *rsp_factor_statement(const rsp_factor_fit *fit, const rsp_sem_cell *c, rsp_arena *a) {
    const char **item = fit->sample->item, **factor = fit->factor;
    switch (c->matrix) {
    case RSP_SEM_LAMBDA: return rsp_printf(a, "%s =~ %s", factor[c->column], item[c->row]);
    case RSP_SEM_BETA:
        if (loads_on(fit->model->syntax, factor[c->column], factor[c->row]))
            return rsp_printf(a, "%s =~ %s", factor[c->column], factor[c->row]);
        return rsp_printf(a, "%s ~ %s", factor[c->row], factor[c->column]);
    case RSP_SEM_PSI: return rsp_printf(a, "%s ~~ %s", factor[c->column], factor[c->row]);
    case RSP_SEM_THETA: return rsp_printf(a, "%s ~~ %s", item[c->column], item[c->row]);
    case RSP_SEM_NU: return rsp_printf(a, "%s ~ 1", item[c->row]);
    case RSP_SEM_ALPHA: return rsp_printf(a, "%s ~ 1", factor[c->row]);
    case RSP_SEM_TAU: return rsp_printf(a, "%s | t%zu", item[c->row], c->column + 1);
    case RSP_SEM_DELTA: return rsp_printf(a, "%s ~*~ %s", item[c->row], item[c->row]);
    }
    return "";
}
