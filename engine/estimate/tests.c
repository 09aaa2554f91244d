/* Tests that respect the design: independence in a two-way table (Rao and Scott 1984, second order; Wald after Koch,
 * Freeman and Freeman 1975), difference of two means, and the rank test of Lumley and Scott (2013). */
#include "estimate/estimate.h"

#include "responsive/limits.h"

#include <lapacke.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* More cells than this are no table that anybody tests, and their covariance would not fit. */
static const double SINGULAR = 1e-13; /* reciprocal condition number */

struct test {
    rsp_sample *sample;
    const rsp_analysis *analysis;
    const rsp_replicates *replicates;
    rsp_diag *diag;
    rsp_arena *arena;
    est_people *who;
    est_context context;
    est_item item;
    est_work work;
    double design_df, n;
    int64_t organisations;
    uint32_t flags;
    double estimate, df1, df, p;
};

/* ---- small matrices ---------------------------------------------------------------------------------------------- */

/* b [n*m, row-major] becomes A^-1 b, A symmetric positive definite [n*n] (destroyed); false if it is singular. */
static bool solve_positive(double *a, double *b, size_t n, size_t m) {
    lapack_int order = (lapack_int) n;
    double norm = 0, reciprocal = 0;
    for (size_t i = 0; i < n; i++) {
        double row = 0;
        for (size_t j = 0; j < n; j++) row += fabs(a[i * n + j]);
        if (!(row < INFINITY)) return false;
        norm = fmax(norm, row);
    }
    if (LAPACKE_dpotrf(LAPACK_ROW_MAJOR, 'U', order, a, order)) return false;
    if (LAPACKE_dpocon(LAPACK_ROW_MAJOR, 'U', order, a, order, norm, &reciprocal) || !(reciprocal > SINGULAR))
        return false;
    return LAPACKE_dpotrs(LAPACK_ROW_MAJOR, 'U', order, (lapack_int) m, a, order, b, (lapack_int) m) == 0;
}

/* x' V^-1 x, or NaN; V is destroyed. */
static double quadratic_form(const struct test *t, double *v, const double *x, size_t n) {
    double *solved = RSP_ARRAY(t->arena, double, n), sum = 0;
    memcpy(solved, x, n * sizeof *x);
    if (!solve_positive(v, solved, n, 1)) return NAN;
    for (size_t j = 0; j < n; j++) sum += x[j] * solved[j];
    return sum;
}

/* ---- common ----------------------------------------------------------------------------------------------------- */

static bool is_country(const struct test *t, size_t variable) {
    return variable == t->sample->frame->study->roles.country;
}

/* Countries that are not eligible take no part, be they pooled or compared. */
static bool takes_part(const rsp_sample *s, size_t i) {
    return !s->country || (s->country[i] >= 0 && s->countries[s->country[i]].eligible);
}

static bool open_people(struct test *t, const rsp_crossing *by) {
    const rsp_test *spec = &t->analysis->test;
    bool own = is_country(t, spec->rows) || is_country(t, spec->columns);
    t->who = est_people_new(t->sample, by, t->analysis->filter, own ? EST_OWN_WEIGHTS : EST_POOLED, t->analysis->loc,
                            t->arena, t->diag);
    return t->who != NULL;
}

static double *replicate_totals(struct test *t) {
    if (!t->replicates) return NULL;
    size_t stride = t->who->n_domains * t->item.measure.k;
    double *rep = rsp_malloc((rsp_replicates_count(t->replicates) * stride + 1) * sizeof *rep);
    est_totals_replicates(t->who, &t->item, 1, t->replicates, stride, rep);
    t->context.rep = rep;
    t->context.stride = stride;
    return rep;
}

/* Totals are there: covariance of the pairs. */
static void covariance(struct test *t, const est_pair *pairs, size_t p, double *vcov) {
    double *rep = replicate_totals(t);
    est_vcov(&t->context, &t->item, pairs, p, vcov, &t->flags, &t->work);
    free(rep);
}

static void start_item(struct test *t) {
    size_t *domains = RSP_ARRAY(t->arena, size_t, t->who->n_domains);
    for (size_t g = 0; g < t->who->n_domains; g++) domains[g] = g;
    t->context = (est_context){t->sample, t->who, t->replicates, NULL, 0, t->diag};
    est_totals_full(t->who, &t->item);
    est_design_of(&t->context, &t->item, 0, domains, t->who->n_domains, &t->design_df, &t->organisations, &t->work);
    t->n = 0;
    for (size_t g = 0; g < t->who->n_domains; g++) {
        t->n += (double) est_base_of_domain(t->who, &t->item, 0, g);
        t->flags |= t->who->flags[g] & ~RSP_F_NOT_ELIGIBLE;
    }
}

/* ---- two-way tables --------------------------------------------------------------------------------------------- */

struct two_way {
    size_t n_rows, n_columns, k;  /* levels with respondents; k cells: row * n_columns + column */
    int32_t *cell;                /* [n] */
    double *share, *row, *column; /* weighted: [k], [n_rows], [n_columns] */
    double weight;                /* sum of weights */
};

/* Numbers levels that occur among rows of the domain 0, 1, ...; the others -1. */
static size_t number_used(const struct test *t, const rsp_categories *a, const rsp_categories *b, int32_t *place) {
    size_t n = 0;
    memset(place, 0xff, a->n * sizeof *place);
    for (size_t i = 0; i < t->sample->n; i++)
        if (t->who->cell[i] >= 0 && takes_part(t->sample, i) && a->category[i] >= 0 && b->category[i] >= 0)
            place[a->category[i]] = 0;
    for (size_t k = 0; k < a->n; k++)
        if (place[k] == 0) place[k] = (int32_t) n++;
    return n;
}

static bool cross_classify(struct test *t, struct two_way *x) {
    const rsp_test *spec = &t->analysis->test;
    const rsp_frame *f = t->sample->frame;
    rsp_categories rows, columns;
    size_t both[] = {spec->rows, spec->columns};
    for (size_t k = 0; k < 2; k++) {
        if (f->columns[both[k]].kind != RSP_COL_NONE) continue;
        rsp_report(t->diag, RSP_ERR_STUDY, t->analysis->loc, "test one of its parts, NAME_CODE",
                   "'%s' has no single answer a respondent", f->study->variables[both[k]].name);
        return false;
    }
    rsp_categorise(f, spec->rows, t->arena, &rows);
    rsp_categorise(f, spec->columns, t->arena, &columns);
    int32_t *row = RSP_ARRAY(t->arena, int32_t, rows.n), *column = RSP_ARRAY(t->arena, int32_t, columns.n);
    x->n_rows = number_used(t, &rows, &columns, row);
    x->n_columns = number_used(t, &columns, &rows, column);
    x->k = x->n_rows * x->n_columns;
    if (x->n_rows > RSP_MOST_TEST_CELLS || x->k > RSP_MOST_TEST_CELLS) {
        rsp_report(t->diag, RSP_ERR_STUDY, t->analysis->loc, "derive classes with `cut` or `map`",
                   "the table to be tested has more than %d cells", RSP_MOST_TEST_CELLS);
        return false;
    }
    x->cell = RSP_ARRAY(t->arena, int32_t, f->n);
    for (size_t i = 0; i < f->n; i++) {
        bool in = takes_part(t->sample, i) && rows.category[i] >= 0 && columns.category[i] >= 0 && t->who->cell[i] >= 0;
        x->cell[i] = in ? row[rows.category[i]] * (int32_t) x->n_columns + column[columns.category[i]] : -1;
    }
    return true;
}

static void margins(const struct test *t, struct two_way *x) {
    x->share = RSP_ARRAY(t->arena, double, x->k);
    x->row = RSP_ARRAY(t->arena, double, x->n_rows);
    x->column = RSP_ARRAY(t->arena, double, x->n_columns);
    for (size_t l = 0; l < x->k; l++) x->weight += t->item.full[l];
    for (size_t l = 0; l < x->k; l++) {
        x->share[l] = t->item.full[l] / x->weight;
        x->row[l / x->n_columns] += x->share[l];
        x->column[l % x->n_columns] += x->share[l];
    }
}

/* The q = (rows-1)(columns-1) statistics whose covariance a test needs, each a linear form of the cells. */
static est_form *linear_forms(const struct test *t, const struct two_way *x, double **a, est_shape shape) {
    size_t q = (x->n_rows - 1) * (x->n_columns - 1);
    est_form *forms = RSP_ARRAY(t->arena, est_form, q);
    double *one = RSP_ARRAY(t->arena, double, x->k);
    *a = RSP_ARRAY(t->arena, double, q * x->k);
    for (size_t l = 0; l < x->k; l++) one[l] = 1;
    for (size_t j = 0; j < q; j++)
        forms[j] = (est_form){.level = "", .statistic = "", .shape = shape, .a = *a + j * x->k, .b = one};
    return forms;
}

static const est_pair *pairs_of(const struct test *t, size_t q) {
    est_pair *pairs = RSP_ARRAY(t->arena, est_pair, q);
    for (size_t j = 0; j < q; j++) pairs[j].form = j;
    return pairs;
}

static double pearson(const struct two_way *x, double n) {
    double sum = 0;
    for (size_t l = 0; l < x->k; l++) {
        double expected = x->row[l / x->n_columns] * x->column[l % x->n_columns];
        sum += (x->share[l] - expected) * (x->share[l] - expected) / expected;
    }
    return n * sum;
}

/* Interaction contrasts with the main effects taken out: on a full grid of cells, products of centred indicators. */
static double contrast(const struct two_way *x, size_t j, size_t l) {
    size_t r = j / (x->n_columns - 1) + 1, c = j % (x->n_columns - 1) + 1;
    double in_row = (l / x->n_columns == r) - 1 / (double) x->n_rows,
           in_column = (l % x->n_columns == c) - 1 / (double) x->n_columns;
    return in_row * in_column;
}

/* Second-order correction: with delta the eigenvalues of (C'D^-1C/n)^-1 (C'D^-1 V D^-1 C), X2 / sum(delta) is F on
 * (sum delta)^2 / sum delta^2 and that times the design's degrees of freedom. An empty cell's 1/p counts 0. */
static void rao_scott(struct test *t, struct two_way *x) {
    size_t q = (x->n_rows - 1) * (x->n_columns - 1);
    double *a, *v = RSP_ARRAY(t->arena, double, q *q), *below = RSP_ARRAY(t->arena, double, q *q);
    est_form *forms = linear_forms(t, x, &a, EST_RATIO);
    for (size_t j = 0; j < q; j++)
        for (size_t l = 0; l < x->k; l++) a[j * x->k + l] = x->share[l] > 0 ? contrast(x, j, l) / x->share[l] : 0;
    t->item.forms = forms;
    t->item.n_forms = q;
    covariance(t, pairs_of(t, q), q, v);
    for (size_t j = 0; j < q; j++)
        for (size_t m = 0; m < q; m++)
            for (size_t l = 0; l < x->k; l++) below[j * q + m] += a[j * x->k + l] * contrast(x, m, l) / t->n;
    double trace = 0, squares = 0;
    bool solved = solve_positive(below, v, q, q);
    for (size_t j = 0; j < q; j++) {
        trace += v[j * q + j];
        for (size_t m = 0; m < q; m++) squares += v[j * q + m] * v[m * q + j];
    }
    if (!solved || !(squares > 0)) {
        t->flags |= RSP_F_SINGULAR;
        return;
    }
    t->estimate = pearson(x, t->n) / trace;
    t->df1 = trace * trace / squares;
    t->df = t->df1 * t->design_df;
}

/* Observed less expected totals, N_ij - N_i. N_.j / N, linearised in the cells; F on q and the design's df. */
static void wald(struct test *t, struct two_way *x) {
    size_t q = (x->n_rows - 1) * (x->n_columns - 1);
    double *a, *v = RSP_ARRAY(t->arena, double, q *q), *gap = RSP_ARRAY(t->arena, double, q);
    est_form *forms = linear_forms(t, x, &a, EST_TOTAL);
    for (size_t j = 0; j < q; j++) {
        size_t r = j / (x->n_columns - 1) + 1, c = j % (x->n_columns - 1) + 1;
        gap[j] = x->weight * (x->share[r * x->n_columns + c] - x->row[r] * x->column[c]);
        for (size_t l = 0; l < x->k; l++) {
            bool same_row = l / x->n_columns == r, same_column = l % x->n_columns == c;
            a[j * x->k + l] = (same_row && same_column) - same_row * x->column[c] - same_column * x->row[r] +
                              x->row[r] * x->column[c];
        }
    }
    t->item.forms = forms;
    t->item.n_forms = q;
    covariance(t, pairs_of(t, q), q, v);
    double form = quadratic_form(t, v, gap, q);
    if (isnan(form)) {
        t->flags |= RSP_F_SINGULAR;
        return;
    }
    t->estimate = form / (double) q;
    t->df1 = (double) q;
    t->df = t->design_df;
}

static bool independence(struct test *t) {
    static const rsp_crossing everybody = {0, NULL};
    struct two_way x = {0};
    if (!open_people(t, &everybody) || !cross_classify(t, &x)) return false;
    est_cells_item(&t->item, x.cell, x.k, NULL, 0, t->who, t->arena);
    start_item(t);
    if (x.n_rows < 2 || x.n_columns < 2) {
        t->flags |= x.k ? RSP_F_SINGULAR : RSP_F_EMPTY;
        return true;
    }
    margins(t, &x);
    if (t->analysis->test.kind == RSP_TEST_RAO_SCOTT) rao_scott(t, &x);
    else wald(t, &x);
    t->p = rsp_f_upper(t->estimate, t->df1, t->df);
    return true;
}

/* ---- means of groups -------------------------------------------------------------------------------------------- */

static double *outcome(struct test *t) {
    const rsp_frame *f = t->sample->frame;
    size_t variable = t->analysis->test.rows;
    rsp_column_kind kind = f->columns[variable].kind;
    if (kind == RSP_COL_TEXT || kind == RSP_COL_NONE) {
        rsp_report(t->diag, RSP_ERR_STUDY, t->analysis->loc, NULL, "'%s' has no numbers to compare",
                   f->study->variables[variable].name);
        return NULL;
    }
    double *y = RSP_ARRAY(t->arena, double, f->n);
    for (size_t i = 0; i < f->n; i++)
        y[i] = t->who->cell[i] >= 0 && takes_part(t->sample, i) ? rsp_value(f, variable, i) : NAN;
    return y;
}

/* Estimated population ranks in 0..1: the weight below plus half the weight at one's own. (R's svyranktest adds up
 * tied respondents one by one, so that its ranks depend on their order where weights differ.) */
static void rank_by_weight(const struct test *t, double *y) {
    size_t n = 0;
    double below = 0;
    est_entry *e = rsp_malloc((t->sample->n + 1) * sizeof *e);
    for (size_t i = 0; i < t->sample->n; i++)
        if (!isnan(y[i])) e[n++] = (est_entry){y[i], (uint32_t) i};
    qsort(e, n, sizeof *e, est_compare_entries);
    for (size_t from = 0, to; from < n; from = to) {
        double here = 0;
        for (to = from; to < n && e[to].y == e[from].y; to++) here += t->who->weight[e[to].row];
        for (size_t k = from; k < to; k++) y[e[k].row] = below + here / 2;
        below += here;
    }
    for (size_t k = 0; k < n; k++) y[e[k].row] /= below;
    free(e);
}

static double mean_of(const struct test *t, size_t group) {
    return est_value_of(t->who, &t->item, &t->item.forms[0], group, t->item.full);
}

/* The second group's mean less the first's; a regression on the group has one degree of freedom fewer. */
static void two_means(struct test *t, const est_pair *pairs, size_t p) {
    double v[4];
    if (p != 2) {
        if (p)
            rsp_report(t->diag, RSP_WARNING, t->analysis->loc, "use kruskal, or filter",
                       "test '%s' compares two groups, the data have %zu", t->analysis->id, p);
        t->flags |= p ? RSP_F_SINGULAR : RSP_F_EMPTY;
        return;
    }
    covariance(t, pairs, 2, v);
    double variance = v[0] + v[3] - 2 * v[1];
    if (!(variance > 0)) {
        t->flags |= RSP_F_SINGULAR;
        return;
    }
    t->estimate = (mean_of(t, pairs[1].domain) - mean_of(t, pairs[0].domain)) / sqrt(variance);
    t->df = t->design_df - 1;
    t->p = t->df > 0 ? rsp_t_two_sided(t->estimate, t->df) : NAN;
}

static void kruskal(struct test *t, const est_pair *pairs, size_t p) {
    if (p < 2) {
        t->flags |= p ? RSP_F_SINGULAR : RSP_F_EMPTY;
        return;
    }
    size_t q = p - 1;
    double *v = RSP_ARRAY(t->arena, double, p *p), *of = RSP_ARRAY(t->arena, double, q *q),
           *gap = RSP_ARRAY(t->arena, double, q);
    covariance(t, pairs, p, v);
    for (size_t j = 0; j < q; j++) {
        gap[j] = mean_of(t, pairs[j + 1].domain) - mean_of(t, pairs[0].domain);
        for (size_t m = 0; m < q; m++) of[j * q + m] = v[(j + 1) * p + m + 1] - v[(j + 1) * p] - v[m + 1] + v[0];
    }
    double form = quadratic_form(t, of, gap, q);
    if (isnan(form)) {
        t->flags |= RSP_F_SINGULAR;
        return;
    }
    t->estimate = form / (double) q;
    t->df1 = (double) q;
    t->df = t->design_df - (double) q;
    t->p = rsp_f_upper(t->estimate, t->df1, t->df);
}

static bool groups(struct test *t) {
    size_t column = t->analysis->test.columns;
    rsp_crossing by = {1, &column};
    if (!open_people(t, &by)) return false;
    if (t->who->n_domains > RSP_MOST_TEST_CELLS) {
        rsp_report(t->diag, RSP_ERR_STUDY, t->analysis->loc, "derive classes with `cut` or `map`",
                   "the test compares more than %d groups", RSP_MOST_TEST_CELLS);
        return false;
    }
    double *y = outcome(t);
    if (!y) return false;
    if (t->analysis->test.kind == RSP_TEST_KRUSKAL) rank_by_weight(t, y);
    est_mean_item(&t->item, y, t->who, t->arena);
    start_item(t);
    est_pair *pairs = RSP_ARRAY(t->arena, est_pair, t->who->n_domains);
    size_t p = 0;
    for (size_t g = 0; g < t->who->n_domains; g++)
        if (est_base_of_domain(t->who, &t->item, 0, g)) pairs[p++] = (est_pair){0, g};
    if (t->analysis->test.kind == RSP_TEST_T) two_means(t, pairs, p);
    else kruskal(t, pairs, p);
    return true;
}

/* ---- rows ------------------------------------------------------------------------------------------------------- */

static void write_row(struct test *t, rsp_results *out) {
    static const char *const NAMES[] = {[RSP_TEST_RAO_SCOTT] = "rao_scott_f",
                                        [RSP_TEST_T] = "t",
                                        [RSP_TEST_WALD] = "wald_f",
                                        [RSP_TEST_KRUSKAL] = "kruskal_f"};
    const rsp_test *spec = &t->analysis->test;
    rsp_row *row = rsp_results_add(out, t->analysis->id, "", t->sample->frame->study->variables[spec->rows].name, "",
                                   NAMES[spec->kind]);
    bool has_df = t->df > 0;
    if (!isnan(t->df) && !has_df) t->flags |= RSP_F_NO_DF;
    row->estimate = t->estimate;
    row->df1 = t->df1;
    row->df = has_df ? t->df : NAN;
    row->p = has_df ? t->p : NAN;
    row->n = t->n;
    row->flags = t->flags;
    row->base = (int64_t) t->n;
    row->organisations = t->organisations;
}

void rsp_estimate_test(rsp_sample *s, const rsp_analysis *a, rsp_results *out, rsp_diag *d) {
    struct test t = {.sample = s, .analysis = a, .diag = d, .estimate = NAN, .df1 = NAN, .df = NAN, .p = NAN};
    if (a->variance.method != RSP_TAYLOR) {
        t.replicates = rsp_replicates_get(s, &a->variance, a->loc, d);
        if (!t.replicates) return;
    }
    t.arena = rsp_arena_new();
    est_work_init(&t.work, s);
    bool two_way = a->test.kind == RSP_TEST_RAO_SCOTT || a->test.kind == RSP_TEST_WALD;
    if (two_way ? independence(&t) : groups(&t)) write_row(&t, out);
    est_work_free(&t.work);
    rsp_arena_free(t.arena);
}
