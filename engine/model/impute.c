/* Multiple imputation by chained equations (van Buuren 2018, chapter 4): each variable in turn is predicted from all
 * others, a model's parameters are drawn from their posterior, and missing answers from the model; some rounds of this
 * give one completed data set.
 *
 *   pmm          a normal linear model; the answer of one of the five respondents whose prediction is nearest (Little 1988;
 *                type 1 matching: the estimate for donors, the draw for receivers)
 *   logistic, multinomial, ordinal   the category drawn from the model; slopes on standardised predictors have a normal
 *                prior of standard deviation 2.5, so that separation and collinearity do no harm (Gelman et al. 2008)
 *
 * Predictors are the other variables (nominal ones as dummies, others as numbers), those the study names, the country and
 * the weight. What is missing for a reason (not shown, not asked) and "don't know" stay as they are; as predictors they
 * are a category of their own. Imputation k draws from stream k of the seed. */
#include "model/impute.h"

#include "base/ranks.h"
#include "model/likelihood.h"
#include "responsive/clean.h"
#include "responsive/intake.h"

#include <cblas.h>
#include <lapacke.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { DONORS = 5, ROWS = 256 };
static const double PRIOR_PRECISION = 1 / (2.5 * 2.5), RIDGE = 1e-5;

/* A variable of the chain; targets have a method, fixed predictors none (-1). */
struct variable {
    size_t variable;
    int method;
    bool coded, dummies;
    double *value;   /* [n] as observed: place among levels, or number; NaN */
    size_t n_levels; /* coded: valid answers that occur */
    size_t *choice;  /* [n_levels] */
    double *score;   /* [n_levels] the choices' numbers */
    size_t n_observed, n_missing;
    uint32_t *observed, *missing; /* rows; missing: those to complete */
    double centre, spread;
    size_t first, k; /* its columns among the predictors */
    bool holes;      /* the last of them says that there is no answer and will be none */
};

struct plan {
    rsp_sample *s;
    const rsp_imputation_spec *spec;
    rsp_arena *arena;
    size_t n, n_variables, n_targets, k; /* columns of all variables and the weight's */
    struct variable *variables;          /* targets first */
    double *weight;                      /* standardised; NULL: all alike */
    size_t failed;                       /* models that did not converge */
};

/* ---- plan ------------------------------------------------------------------------------------------------------- */

/* Is it an answer that should have been there? */
static bool may_be_completed(const rsp_column *c, size_t i) {
    int why = c->kind == RSP_COL_NUMBER ? (c->why ? c->why[i] : RSP_NA_UNKNOWN) : rsp_code(c, i);
    return why < 0 && why != RSP_NA_NOT_SHOWN && why != RSP_NA_NOT_ASKED && why != RSP_NA_DERIVED;
}

static double number_of(const struct variable *v, double value) {
    return v->coded && !isnan(value) ? v->score[(size_t) value] : value;
}

static void read_levels(struct plan *p, struct variable *v, const rsp_column *c) {
    const rsp_list *l = c->list;
    size_t *place = RSP_ARRAY(p->arena, size_t, l->n + 1), *count = RSP_ARRAY(p->arena, size_t, l->n + 1);
    for (size_t i = 0; i < p->n; i++)
        if (rsp_valid(p->s->frame, v->variable, i)) count[rsp_code(c, i)]++;
    v->choice = RSP_ARRAY(p->arena, size_t, l->n + 1);
    v->score = RSP_ARRAY(p->arena, double, l->n + 1);
    for (size_t k = 0; k < l->n; k++) {
        place[k] = v->n_levels;
        if (!count[k]) continue;
        v->choice[v->n_levels] = k;
        v->score[v->n_levels++] = l->choices[k].value;
    }
    for (size_t i = 0; i < p->n; i++)
        v->value[i] = rsp_valid(p->s->frame, v->variable, i) ? (double) place[rsp_code(c, i)] : NAN;
}

static void read_values(struct plan *p, struct variable *v) {
    const rsp_frame *f = p->s->frame;
    const rsp_column *c = &f->columns[v->variable];
    size_t gone = 0;
    double sum = 0, squares = 0;
    v->coded = c->kind == RSP_COL_CODE;
    v->dummies = v->coded && f->study->variables[v->variable].measure == RSP_NOMINAL;
    v->value = RSP_ARRAY(p->arena, double, p->n + 1);
    if (v->coded) read_levels(p, v, c);
    for (size_t i = 0; !v->coded && i < p->n; i++) v->value[i] = rsp_value(f, v->variable, i);
    v->observed = RSP_ARRAY(p->arena, uint32_t, p->n + 1);
    v->missing = RSP_ARRAY(p->arena, uint32_t, p->n + 1);
    for (size_t i = 0; i < p->n; i++) {
        if (!isnan(v->value[i])) v->observed[v->n_observed++] = (uint32_t) i;
        else if (v->method >= 0 && may_be_completed(c, i)) v->missing[v->n_missing++] = (uint32_t) i;
        else gone++;
    }
    v->holes = gone > 0;
    for (size_t k = 0; k < v->n_observed; k++) sum += number_of(v, v->value[v->observed[k]]);
    v->centre = v->n_observed ? sum / (double) v->n_observed : 0;
    for (size_t k = 0; k < v->n_observed; k++) {
        double d = number_of(v, v->value[v->observed[k]]) - v->centre;
        squares += d * d;
    }
    v->spread = squares > 0 ? sqrt(squares / (double) v->n_observed) : 1;
    v->k = (v->dummies ? (v->n_levels ? v->n_levels - 1 : 0) : 1) + v->holes;
}

static void read_weight(struct plan *p) {
    double mean = 0, squares = 0;
    for (size_t i = 0; i < p->n; i++) mean += p->s->weight[i] / (double) p->n;
    for (size_t i = 0; i < p->n; i++) squares += (p->s->weight[i] - mean) * (p->s->weight[i] - mean);
    if (!(squares > 1e-18 * mean * mean)) return;
    p->weight = RSP_ARRAY(p->arena, double, p->n);
    for (size_t i = 0; i < p->n; i++) p->weight[i] = (p->s->weight[i] - mean) / sqrt(squares / (double) p->n);
}

static void add_variable(struct plan *p, size_t variable, int method) {
    for (size_t k = 0; k < p->n_variables; k++)
        if (p->variables[k].variable == variable) return;
    struct variable *v = &p->variables[p->n_variables++];
    *v = (struct variable){.variable = variable, .method = method};
    read_values(p, v);
    v->first = p->k;
    p->k += v->k;
}

static void make_plan(struct plan *p) {
    const rsp_imputation_spec *x = p->spec;
    size_t country = p->s->frame->study->roles.country;
    p->variables = RSP_ARRAY(p->arena, struct variable, x->n_variables + x->n_predictors + 1);
    for (size_t k = 0; k < x->n_variables; k++) add_variable(p, x->variables[k], x->methods[k]);
    p->n_targets = p->n_variables;
    for (size_t k = 0; k < x->n_predictors; k++) add_variable(p, x->predictors[k], -1);
    if (country != RSP_NONE) add_variable(p, country, -1);
    read_weight(p);
    p->k += p->weight != NULL;
}

/* ---- one chain -------------------------------------------------------------------------------------------------- */

struct chain {
    const struct plan *p;
    rsp_rng rng;
    double **value;  /* [n_targets][n] completed */
    double *columns; /* [k * n] */
    double *one, *w; /* [n] a constant; 1 where the target at hand was observed */
    const double **x;
    size_t n_x;
    double **par; /* [n_targets] where the last round's model ended; NULL at first */
    size_t failed;
};

static void encode(struct chain *c, const struct variable *v, const double *value) {
    size_t n = c->p->n, numbers = v->k - v->holes;
    double *to = c->columns + v->first * n;
    for (size_t i = 0; i < n; i++) {
        bool there = !isnan(value[i]);
        if (v->dummies)
            for (size_t j = 0; j < numbers; j++) to[j * n + i] = there && value[i] == (double) (j + 1);
        else to[i] = there ? (number_of(v, value[i]) - v->centre) / v->spread : 0;
        if (v->holes) to[numbers * n + i] = !there;
    }
}

static void choose_predictors(struct chain *c, const struct variable *target, bool constant) {
    size_t n = c->p->n;
    c->n_x = 0;
    if (constant) c->x[c->n_x++] = c->one;
    for (size_t j = 0; j < c->p->k; j++)
        if (j < target->first || j >= target->first + target->k) c->x[c->n_x++] = c->columns + j * n;
}

/* Gamma distribution with shape a >= 1/2 (Marsaglia and Tsang 2000). */
static double draw_gamma(rsp_rng *r, double a) {
    if (a < 1) return draw_gamma(r, a + 1) * pow(rsp_rng_uniform(r), 1 / a);
    double d = a - 1.0 / 3, c = 1 / sqrt(9 * d);
    for (;;) {
        double z = rsp_rng_normal(r), v = 1 + c * z;
        if (v <= 0) continue;
        v = v * v * v;
        if (log(rsp_rng_uniform(r)) < z * z / 2 + d * (1 - v + log(v))) return d * v;
    }
}

/* to = mean + scale * L z, L the lower triangle of the covariance [p*p]. */
static void draw_normal(rsp_rng *r, const double *mean, const double *covariance, double scale, size_t p, double *to) {
    double *l = rsp_malloc((p * p + p + 1) * sizeof *l), *z = l + p * p;
    memcpy(l, covariance, p * p * sizeof *l);
    bool ok = p == 0 || LAPACKE_dpotrf(LAPACK_ROW_MAJOR, 'L', (lapack_int) p, l, (lapack_int) p) == 0;
    for (size_t j = 0; j < p; j++) z[j] = rsp_rng_normal(r);
    for (size_t j = 0; j < p; j++) {
        to[j] = mean[j];
        for (size_t i = 0; ok && i <= j; i++) to[j] += scale * l[j * p + i] * z[i];
    }
    free(l);
}

/* ---- predictive mean matching ----------------------------------------------------------------------------------- */

static double predict(const struct chain *c, const double *beta, size_t i) {
    double sum = 0;
    for (size_t j = 0; j < c->n_x; j++) sum += beta[j] * c->x[j][i];
    return sum;
}

/* X'X with y as last column, over the rows observed. */
static void products(const struct chain *c, const struct variable *v, const double *y, double *xx) {
    size_t k = c->n_x, q = k + 1;
    double *block = rsp_malloc(ROWS * q * sizeof *block);
    memset(xx, 0, q * q * sizeof *xx);
    for (size_t from = 0; from < v->n_observed; from += ROWS) {
        size_t rows = v->n_observed - from < ROWS ? v->n_observed - from : ROWS;
        for (size_t r = 0; r < rows; r++) {
            uint32_t i = v->observed[from + r];
            for (size_t j = 0; j < k; j++) block[r * q + j] = c->x[j][i];
            block[r * q + k] = number_of(v, y[i]);
        }
        cblas_dsyrk(CblasRowMajor, CblasLower, CblasTrans, (int) q, (int) rows, 1, block, (int) q, 1, xx, (int) q);
    }
    free(block);
}

struct donor {
    double prediction;
    uint32_t row;
};

static int compare_donors(const void *a, const void *b) {
    const struct donor *x = a, *y = b;
    if (x->prediction != y->prediction) return x->prediction < y->prediction ? -1 : 1;
    return (x->row > y->row) - (x->row < y->row);
}

/* One of the DONORS nearest, chosen at random. */
static uint32_t choose_donor(const struct donor *d, size_t n, double prediction, rsp_rng *rng) {
    size_t low = 0, high = n, wanted = n < DONORS ? n : DONORS;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (d[middle].prediction < prediction) low = middle + 1;
        else high = middle;
    }
    size_t from = low, to = low; /* the nearest are d[from .. to) */
    while (to - from < wanted)
        if (to == n || (from > 0 && prediction - d[from - 1].prediction <= d[to].prediction - prediction)) from--;
        else to++;
    return d[from + rsp_rng_below(rng, (uint32_t) wanted)].row;
}

static void match_means(struct chain *c, const struct variable *v, double *value) {
    choose_predictors(c, v, true);
    size_t k = c->n_x, q = k + 1;
    double *xx = rsp_malloc((q * q + k * k + 2 * k + 1) * sizeof *xx), *inverse = xx + q * q, *beta = inverse + k * k,
           *drawn = beta + k, rss = 0;
    struct donor *donors = rsp_malloc((v->n_observed + 1) * sizeof *donors);
    products(c, v, value, xx);
    for (size_t i = 0; i < k; i++)
        for (size_t j = 0; j <= i; j++)
            inverse[i * k + j] = inverse[j * k + i] =
                i == j ? (xx[i * q + i] > 0 ? xx[i * q + i] * (1 + RIDGE) : 1) : xx[i * q + j];
    if (!rsp_invert_spd(inverse, k)) c->failed++;
    for (size_t i = 0; i < k; i++) {
        beta[i] = 0;
        for (size_t j = 0; j < k; j++) beta[i] += inverse[i * k + j] * xx[k * q + j];
    }
    for (size_t r = 0; r < v->n_observed; r++) {
        uint32_t i = v->observed[r];
        donors[r] = (struct donor){predict(c, beta, i), i};
        double e = number_of(v, value[i]) - donors[r].prediction;
        rss += e * e;
    }
    double df = v->n_observed > k ? (double) (v->n_observed - k) : 1;
    double sigma = sqrt(rss / (2 * draw_gamma(&c->rng, df / 2)));
    draw_normal(&c->rng, beta, inverse, sigma, k, drawn);
    qsort(donors, v->n_observed, sizeof *donors, compare_donors);
    for (size_t r = 0; r < v->n_missing; r++) {
        uint32_t i = v->missing[r];
        value[i] = v->value[choose_donor(donors, v->n_observed, predict(c, drawn, i), &c->rng)];
    }
    free(xx), free(donors);
}

/* ---- categories ------------------------------------------------------------------------------------------------- */

/* A likelihood with the prior; the first `free` parameters have none, nor has the first of each equation's k. */
struct with_prior {
    rsp_likelihood base;
    size_t free, k;
    bool constant;
};

static bool evaluate_with_prior(const rsp_likelihood *l, const double *par, const double *w, double *loglik,
                                double *gradient, double *information) {
    const struct with_prior *x = l->data;
    if (!x->base.evaluate(&x->base, par, w, loglik, gradient, information)) return false;
    for (size_t j = x->free; j < l->p; j++) {
        if (x->constant && (j - x->free) % x->k == 0) continue;
        *loglik -= PRIOR_PRECISION / 2 * par[j] * par[j];
        gradient[j] -= PRIOR_PRECISION * par[j];
        information[j * l->p + j] += PRIOR_PRECISION;
    }
    return true;
}

static void start_thresholds(const struct variable *v, double *par) {
    double *count = rsp_calloc(v->n_levels + 1, sizeof *count), sum = 0;
    for (size_t r = 0; r < v->n_observed; r++) count[(size_t) v->value[v->observed[r]]]++;
    for (size_t j = 0; j + 1 < v->n_levels; j++) {
        sum += count[j] / (double) v->n_observed;
        par[j] = log(sum / (1 - sum));
    }
    free(count);
}

static double logistic(double x) { return x >= 0 ? 1 / (1 + exp(-x)) : exp(x) / (1 + exp(x)); }

static double draw_ordinal(const struct chain *c, const struct variable *v, const double *par, size_t i, double u) {
    size_t t = v->n_levels - 1, j = 0;
    double eta = predict(c, par + t, i);
    while (j < t && u > logistic(par[j] - eta)) j++;
    return (double) j;
}

static double draw_category(const struct chain *c, const struct variable *v, const double *par, size_t i, double u) {
    size_t e = v->n_levels - 1, j = 0;
    double *share = rsp_malloc((e + 1) * sizeof *share), most = 0, sum = 0;
    share[0] = 0;
    for (size_t b = 0; b < e; b++) {
        share[b + 1] = predict(c, par + b * c->n_x, i);
        most = fmax(most, share[b + 1]);
    }
    for (size_t b = 0; b <= e; b++) sum += share[b] = exp(share[b] - most);
    for (double reached = share[0]; j < e && u * sum > reached; reached += share[j]) j++;
    free(share);
    return (double) j;
}

static bool ascending(const double *x, size_t n) {
    for (size_t j = 1; j < n; j++)
        if (!(x[j] > x[j - 1])) return false;
    return true;
}

/* Rows that have no answer and never will count nothing in the model, but need a category to look at. */
static void fill_holes(const double *value, double *to, size_t n) {
    for (size_t i = 0; i < n; i++) to[i] = isnan(value[i]) ? 0 : value[i];
}

static void draw_categories(struct chain *c, const struct variable *v, size_t target, double *value) {
    bool ordinal = v->method == RSP_IMPUTE_ORDINAL;
    choose_predictors(c, v, !ordinal);
    size_t thresholds = ordinal ? v->n_levels - 1 : 0, equations = ordinal ? 1 : v->n_levels - 1;
    double *y = rsp_malloc((c->p->n + 1) * sizeof *y);
    fill_holes(value, y, c->p->n);
    rsp_regression_data data = {c->p->n, c->n_x, c->x, y, thresholds, equations, 0};
    struct with_prior prior = {.free = thresholds, .k = c->n_x, .constant = !ordinal};
    size_t p = thresholds + equations * c->n_x;
    prior.base = (rsp_likelihood){p, &data, ordinal ? rsp_ordinal_evaluate : rsp_multinomial_evaluate};
    rsp_likelihood l = {p, &prior, evaluate_with_prior};
    if (!c->par[target]) {
        c->par[target] = rsp_calloc(p + 1, sizeof **c->par);
        if (ordinal) start_thresholds(v, c->par[target]);
    }
    rsp_newton_fit fit = {.par = c->par[target], .tolerance = 1e-3};
    fit.information_inverse = rsp_malloc((p * p + p + 1) * sizeof *fit.information_inverse);
    fit.separated = rsp_calloc(p + 1, sizeof *fit.separated);
    double *drawn = fit.information_inverse + p * p;
    memset(c->w, 0, c->p->n * sizeof *c->w);
    for (size_t r = 0; r < v->n_observed; r++) c->w[v->observed[r]] = 1;
    rsp_newton(&l, c->w, &fit);
    bool ok = fit.status == RSP_FIT_OK;
    c->failed += !ok;
    memcpy(drawn, fit.par, p * sizeof *drawn);
    for (int attempt = 0; ok && attempt < 20; attempt++) { /* thresholds out of order are no draw */
        draw_normal(&c->rng, fit.par, fit.information_inverse, 1, p, drawn);
        if (ascending(drawn, thresholds)) break;
        memcpy(drawn, fit.par, p * sizeof *drawn);
    }
    for (size_t r = 0; r < v->n_missing; r++) {
        uint32_t i = v->missing[r];
        double u = rsp_rng_uniform(&c->rng);
        value[i] = ordinal ? draw_ordinal(c, v, drawn, i, u) : draw_category(c, v, drawn, i, u);
    }
    free(fit.information_inverse), free(fit.separated), free(y);
}

/* ---- rounds ----------------------------------------------------------------------------------------------------- */

static void start_values(struct chain *c) {
    for (size_t t = 0; t < c->p->n_targets; t++) {
        const struct variable *v = &c->p->variables[t];
        memcpy(c->value[t], v->value, c->p->n * sizeof **c->value);
        for (size_t r = 0; v->n_observed && r < v->n_missing; r++)
            c->value[t][v->missing[r]] = v->value[v->observed[rsp_rng_below(&c->rng, (uint32_t) v->n_observed)]];
    }
}

static void complete_one(struct chain *c, size_t t) {
    const struct variable *v = &c->p->variables[t];
    if (!v->n_missing || !v->n_observed) return;
    if (v->coded && v->n_levels == 1) return; /* everybody gave one answer: so it started */
    if (v->method == RSP_IMPUTE_PMM) match_means(c, v, c->value[t]);
    else draw_categories(c, v, t, c->value[t]);
    encode(c, v, c->value[t]);
}

static void run_chain(struct chain *c) {
    const struct plan *p = c->p;
    start_values(c);
    for (size_t t = 0; t < p->n_variables; t++)
        encode(c, &p->variables[t], t < p->n_targets ? c->value[t] : p->variables[t].value);
    if (p->weight) memcpy(c->columns + (p->k - 1) * p->n, p->weight, p->n * sizeof *p->weight);
    for (size_t k = 0; k < p->spec->iterations; k++)
        for (size_t t = 0; t < p->n_targets; t++) complete_one(c, t);
}

/* value [n_missing] */
static void write_values(const struct variable *v, const double *value, rsp_column *to) {
    for (size_t r = 0; r < v->n_missing; r++) {
        uint32_t i = v->missing[r];
        if (isnan(value[r])) continue; /* nobody answered */
        if (v->coded) rsp_set_code(to, i, (int) v->choice[(size_t) value[r]]);
        else to->number[i] = value[r];
        if (to->why) to->why[i] = 0;
    }
}

/* completed: values of the missing answers, target after target. Returns how many models did not converge. */
static size_t complete_set(const struct plan *p, size_t k, double *completed) {
    struct chain c = {.p = p};
    rsp_rng_init(&c.rng, p->spec->seed, k);
    c.value = rsp_calloc(p->n_targets + 1, sizeof *c.value);
    c.par = rsp_calloc(p->n_targets + 1, sizeof *c.par);
    c.x = rsp_calloc(p->k + 2, sizeof *c.x);
    c.columns = rsp_malloc((p->k * p->n + 1) * sizeof *c.columns);
    c.one = rsp_malloc((2 * p->n + 1) * sizeof *c.one);
    c.w = c.one + p->n;
    for (size_t i = 0; i < p->n; i++) c.one[i] = 1;
    for (size_t t = 0; t < p->n_targets; t++) c.value[t] = rsp_malloc((p->n + 1) * sizeof **c.value);
    run_chain(&c);
    for (size_t t = 0; t < p->n_targets; t++) {
        const struct variable *v = &p->variables[t];
        for (size_t r = 0; r < v->n_missing; r++) *completed++ = c.value[t][v->missing[r]];
        free(c.value[t]), free(c.par[t]);
    }
    free(c.value), free(c.par), free(c.x), free(c.columns), free(c.one);
    return c.failed;
}

/* All sets, dealt out where ranks work together. */
static void complete_all(struct plan *p, size_t m, rsp_frame *const *frames) {
    size_t size = 0;
    for (size_t t = 0; t < p->n_targets; t++) size += p->variables[t].n_missing;
    double *completed = rsp_malloc((m * size + 1) * sizeof *completed);
    size_t *failed = rsp_calloc(m + 1, sizeof *failed);
    rsp_part part = rsp_ranks_part(m, 1);
#pragma omp parallel for schedule(dynamic, 1)
    for (size_t k = part.from; k < part.to; k++) failed[k] = complete_set(p, k, completed + k * size);
    rsp_ranks_gather(&part, completed, size * sizeof *completed);
    rsp_ranks_gather(&part, failed, sizeof *failed);
    for (size_t k = 0; k < m; k++) {
        const double *value = completed + k * size;
        for (size_t t = 0; t < p->n_targets; value += p->variables[t++].n_missing)
            write_values(&p->variables[t], value, &frames[k]->columns[p->variables[t].variable]);
        p->failed += failed[k];
    }
    free(completed);
    free(failed);
}

/* ---- completed samples ------------------------------------------------------------------------------------------ */

static void *copy(rsp_arena *a, const void *from, size_t count, size_t size) {
    void *to = from ? rsp_alloc_array(a, count + 1, size) : NULL;
    if (to) memcpy(to, from, count * size);
    return to;
}

/* The frame with columns of its own where answers change. */
static rsp_frame *own_frame(rsp_arena *a, const rsp_frame *f, const bool *changed) {
    rsp_frame *to = copy(a, f, 1, sizeof *f);
    to->columns = copy(a, f->columns, f->n_columns, sizeof *f->columns);
    for (size_t j = 0; j < f->n_columns; j++) {
        rsp_column *c = &to->columns[j];
        if (!changed[j]) continue;
        c->c8 = copy(a, c->c8, f->n, sizeof *c->c8);
        c->c16 = copy(a, c->c16, f->n, sizeof *c->c16);
        c->number = copy(a, c->number, f->n, sizeof *c->number);
        c->why = copy(a, c->why, f->n, sizeof *c->why);
    }
    return to;
}

static void report(const struct plan *p, const rsp_imputations *x, rsp_diag *d) {
    if (p->failed)
        rsp_report(d, RSP_WARNING, p->spec->loc, "take predictors out, or name other `methods`",
                   "imputation: %zu models did not converge", p->failed);
    for (size_t t = 0; t < p->n_targets; t++)
        if (p->variables[t].n_missing && !p->variables[t].n_observed)
            rsp_report(d, RSP_WARNING, p->spec->loc, "take it out of `imputation`",
                       "nobody answered '%s': nothing to complete it from",
                       p->s->frame->study->variables[p->variables[t].variable].name);
    rsp_report(d, RSP_NOTE, p->spec->loc, NULL, "%zu missing answers to %zu questions completed in %zu data sets",
               x->n_cells, p->n_targets, x->m);
}

const rsp_imputations *rsp_impute(rsp_sample *s, rsp_diag *d) {
    const rsp_study *study = s->frame->study;
    if (s->imputed || !study->imputation.n_variables) return s->imputed;
    rsp_imputations *x = RSP_NEW(s->arena, rsp_imputations);
    rsp_arena *arena = rsp_arena_new();
    struct plan p = {.s = s, .spec = &study->imputation, .arena = arena, .n = s->n};
    make_plan(&p);
    x->m = p.spec->m;
    x->changed = RSP_ARRAY(s->arena, bool, study->n_variables + 1);
    x->samples = RSP_ARRAY(s->arena, rsp_sample, x->m);
    for (size_t t = 0; t < p.n_targets; t++) {
        x->changed[p.variables[t].variable] = true;
        x->n_cells += p.variables[t].n_observed ? p.variables[t].n_missing : 0;
    }
    rsp_derived_from(study, x->changed);
    rsp_frame **frames = RSP_ARRAY(arena, rsp_frame *, x->m);
    for (size_t k = 0; k < x->m; k++) {
        frames[k] = own_frame(s->arena, s->frame, x->changed);
        x->samples[k] = *s;
        x->samples[k].frame = frames[k];
        x->samples[k].kept = NULL;
    }
    complete_all(&p, x->m, frames);
    for (size_t k = 0; k < x->m; k++) {
        bool *changed = copy(arena, x->changed, study->n_variables, sizeof *changed);
        rsp_derive_again(frames[k], changed);
    }
    report(&p, x, d);
    rsp_arena_free(arena);
    s->imputed = x;
    return x;
}

/* Does the analysis look at a variable that imputation completes? */
static bool touches(const rsp_study *s, const rsp_analysis *a, const bool *changed) {
    bool *used = rsp_calloc(s->n_variables + 1, sizeof *used), found = false;
    const rsp_analysis *of = a->kind == RSP_A_MODEL && a->model.kind == RSP_POOLED_MODEL && a->model.of != RSP_NONE
                                 ? &s->analyses[a->model.of]
                                 : a;
    rsp_analysis_uses(a, used);
    rsp_analysis_uses(of, used);
    for (size_t k = 0; k < s->n_variables; k++) found |= used[k] && changed[k];
    found |= of->kind == RSP_A_MODEL && of->model.formula && of->model.formula->dot;
    free(used);
    return found;
}

rsp_sample *rsp_completed(rsp_sample *s, const rsp_analysis *a, size_t *n, rsp_diag *d) {
    const rsp_imputations *x = a->imputed ? rsp_impute(s, d) : NULL;
    bool completed = x && x->n_cells && touches(s->frame->study, a, x->changed);
    *n = completed ? x->m : 1;
    return completed ? x->samples : s;
}
