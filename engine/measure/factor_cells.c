/* From lavaan's statements to the cells of the model's matrices, group by group.
 *
 * What a statement leaves open is filled in as lavaan's cfa() and sem() do: a variance for every variable, the first
 * loading of a factor 1 (or its variance, with std_lv), covariances among factors that nothing explains, an intercept
 * for every item where the model has means. */
#include "measure/factor_cells.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct builder {
    const rsp_factor_model *f;
    const rsp_factor_sample *x;
    rsp_arena *a;
    rsp_sem sem;
    size_t capacity;
    size_t *start;               /* [groups] first cell of each */
    const char **item, **factor; /* names by row of the matrices */
    rsp_map *items, *factors, *labels;
};

/* ---- cells ------------------------------------------------------------------------------------------------------ */

static bool named_equal(uint32_t equal, rsp_sem_matrix matrix, bool diagonal) {
    switch (matrix) {
    case RSP_SEM_LAMBDA: return equal & RSP_EQUAL_LOADINGS;
    case RSP_SEM_BETA: return equal & RSP_EQUAL_REGRESSIONS;
    case RSP_SEM_PSI: return equal & (diagonal ? RSP_EQUAL_LV_VARIANCES : RSP_EQUAL_LV_COVARIANCES);
    case RSP_SEM_THETA: return equal & (diagonal ? RSP_EQUAL_RESIDUALS : RSP_EQUAL_RESIDUAL_COVARIANCES);
    case RSP_SEM_NU: return equal & RSP_EQUAL_INTERCEPTS;
    case RSP_SEM_ALPHA: return equal & RSP_EQUAL_MEANS;
    case RSP_SEM_TAU: return equal & RSP_EQUAL_THRESHOLDS;
    case RSP_SEM_DELTA: return false;
    }
    return false;
}

static bool is_pair(const char *a, const char *b, const char *x, const char *y) {
    return (strcmp(a, x) == 0 && strcmp(b, y) == 0) || (strcmp(a, y) == 0 && strcmp(b, x) == 0);
}

/* Does a statement of `partial` speak of this cell? */
static bool speaks_of(const struct builder *b, const rsp_lavaan_row *r, const rsp_sem_cell *c) {
    const char *factor = c->column < b->sem.m ? b->factor[c->column] : NULL;
    switch (c->matrix) {
    case RSP_SEM_LAMBDA:
        return r->op == RSP_L_LOADING && strcmp(r->lhs, factor) == 0 && strcmp(r->rhs, b->item[c->row]) == 0;
    case RSP_SEM_BETA:
        return (r->op == RSP_L_LOADING && strcmp(r->lhs, factor) == 0 && strcmp(r->rhs, b->factor[c->row]) == 0) ||
               (r->op == RSP_L_REGRESSION && strcmp(r->rhs, factor) == 0 && strcmp(r->lhs, b->factor[c->row]) == 0);
    case RSP_SEM_PSI: return r->op == RSP_L_COVARIANCE && is_pair(b->factor[c->row], factor, r->lhs, r->rhs);
    case RSP_SEM_THETA:
        return r->op == RSP_L_COVARIANCE && is_pair(b->item[c->row], b->item[c->column], r->lhs, r->rhs);
    case RSP_SEM_NU: return r->op == RSP_L_INTERCEPT && strcmp(r->lhs, b->item[c->row]) == 0;
    case RSP_SEM_ALPHA: return r->op == RSP_L_INTERCEPT && strcmp(r->lhs, b->factor[c->row]) == 0;
    case RSP_SEM_TAU:
        return r->op == RSP_L_THRESHOLD && strcmp(r->lhs, b->item[c->row]) == 0 && r->rhs[0] == 't' &&
               strtoul(r->rhs + 1, NULL, 10) == c->column + 1;
    case RSP_SEM_DELTA: break;
    }
    return false;
}

static bool equal_across(const struct builder *b, const rsp_sem_cell *c) {
    if (!named_equal(b->f->equal, c->matrix, c->row == c->column)) return false;
    for (size_t k = 0; b->f->partial && k < b->f->partial->n; k++)
        if (speaks_of(b, &b->f->partial->rows[k], c)) return false;
    return true;
}

static const rsp_sem_cell *find_cell(const struct builder *b, rsp_sem_matrix matrix, size_t group, size_t row,
                                     size_t column) {
    for (size_t k = b->start[group]; k < b->sem.n_cells; k++) {
        const rsp_sem_cell *c = &b->sem.cells[k];
        if (c->group != group) break;
        if (c->matrix == matrix && c->row == row && c->column == column) return c;
    }
    return NULL;
}

static bool is_ordinal(const struct builder *b, size_t item) {
    return rsp_limited_information(b->f) && b->x->layout.n_thresholds[item] > 0;
}

/* A free parameter of its own, or the one that a label or an equality across groups names. */
static size_t free_parameter(struct builder *b, const rsp_sem_cell *c, const char *label) {
    if (label) {
        size_t k = rsp_map_get(b->labels, label);
        if (k == RSP_NONE) rsp_map_put(b->labels, label, k = b->sem.n_free++);
        return k;
    }
    if (c->group > 0 && equal_across(b, c)) {
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

/* Factors stand left of =~; what else a loading names is an item. */
void rsp_factor_names(const rsp_lavaan *l, rsp_arena *a, size_t *n_items, const char ***items, size_t *n_factors,
                      const char ***factors) {
    rsp_map *seen_items = rsp_map_new(), *seen_factors = rsp_map_new();
    *n_items = *n_factors = 0;
    *items = *factors = NULL;
    for (size_t k = 0; k < l->n; k++)
        if (l->rows[k].op == RSP_L_LOADING) number_of(seen_factors, factors, n_factors, l->rows[k].lhs, a);
    for (size_t k = 0; k < l->n; k++)
        if (l->rows[k].op == RSP_L_LOADING && rsp_map_get(seen_factors, l->rows[k].rhs) == RSP_NONE)
            number_of(seen_items, items, n_items, l->rows[k].rhs, a);
    rsp_map_free(seen_items), rsp_map_free(seen_factors);
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
        if (!is_ordinal(b, i))
            add_cell(b,
                     (rsp_sem_cell){.matrix = RSP_SEM_THETA,
                                    .group = group,
                                    .row = i,
                                    .column = i,
                                    .value = 0.5 * variance_of(x, p, i)},
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
        if (!is_ordinal(b, i))
            add_cell(b, (rsp_sem_cell){.matrix = RSP_SEM_NU, .group = group, .row = i, .value = x->mean[i]}, false,
                     NULL);
    bool free_means =
        group > 0 && (b->f->equal & (RSP_EQUAL_INTERCEPTS | RSP_EQUAL_THRESHOLDS)) && !(b->f->equal & RSP_EQUAL_MEANS);
    for (size_t j = 0; j < b->sem.m; j++)
        add_cell(b, (rsp_sem_cell){.matrix = RSP_SEM_ALPHA, .group = group, .row = j}, !free_means, NULL);
}

/* Thresholds of ordinal items, and their scales: 1, but free from the second group on where thresholds are equal. */
static void add_thresholds(struct builder *b, size_t group) {
    if (!rsp_limited_information(b->f)) return;
    const rsp_item_layout *l = &b->x->layout;
    bool free_scale = group > 0 && (b->f->equal & RSP_EQUAL_THRESHOLDS);
    for (size_t i = 0; i < b->sem.p; i++) {
        for (size_t k = 0; k < l->n_thresholds[i]; k++)
            add_cell(b,
                     (rsp_sem_cell){.matrix = RSP_SEM_TAU,
                                    .group = group,
                                    .row = i,
                                    .column = k,
                                    .value = b->x->wls[group].stat[l->first[i] + k]},
                     false, NULL);
        if (l->n_thresholds[i])
            add_cell(b, (rsp_sem_cell){.matrix = RSP_SEM_DELTA, .group = group, .row = i, .value = 1}, !free_scale,
                     NULL);
    }
}

static bool wants_means(const rsp_factor_model *f) {
    for (size_t k = 0; k < f->syntax->n; k++)
        if (f->syntax->rows[k].op == RSP_L_INTERCEPT) return true;
    return f->group != RSP_NONE || f->fiml || rsp_limited_information(f);
}

/* ---- all -------------------------------------------------------------------------------------------------------- */

static rsp_map *numbers_of(const char **names, size_t n) {
    rsp_map *m = rsp_map_new();
    for (size_t k = 0; k < n; k++) rsp_map_put(m, names[k], k);
    return m;
}

void rsp_factor_cells(const rsp_factor_model *f, const rsp_factor_sample *x, rsp_arena *a, rsp_sem *out) {
    struct builder b = {
        .f = f, .x = x, .a = a, .labels = rsp_map_new(), .start = RSP_ARRAY(a, size_t, x->n_groups + 1)};
    rsp_factor_names(f->syntax, a, &b.sem.p, &b.item, &b.sem.m, &b.factor);
    b.items = numbers_of(b.item, b.sem.p);
    b.factors = numbers_of(b.factor, b.sem.m);
    b.sem.n_groups = x->n_groups;
    b.sem.means = wants_means(f);
    for (size_t k = 0; k < x->n_groups; k++) {
        b.start[k] = b.sem.n_cells;
        add_loadings(&b, k, &x->group[k]);
        add_regressions(&b, k);
        add_covariances(&b, k);
        add_defaults(&b, k, &x->group[k]);
        add_means(&b, k, &x->group[k]);
        add_thresholds(&b, k);
    }
    *out = b.sem;
    out->cells = RSP_ARRAY(a, rsp_sem_cell, b.sem.n_cells + 1);
    if (b.sem.n_cells) memcpy(out->cells, b.sem.cells, b.sem.n_cells * sizeof *out->cells);
    free(b.sem.cells);
    rsp_map_free(b.items), rsp_map_free(b.factors), rsp_map_free(b.labels);
}
