/* Average marginal effects and predictions: what a model's coefficients mean in the outcome's own unit.
 *
 * A prediction at stated values is the weighted mean, over the respondents the model rests on, of what the model expects
 * of each with these values in place of their own (predictive margins: Graubard and Korn 1999). A marginal effect of a
 * number is the mean of its slopes, of a category the mean difference against the first one (Bartus 2005).
 *
 * Standard errors by the delta method. Under a design both sources count: the respondents over whom is averaged and the
 * coefficients, as one influence function, theta_i = (g_i - mean) / sum(w) + G' beta_i; with replicates everything is
 * computed anew. Without a design, and with few clusters, the respondents are taken as given: G' V G. */
#include "model/few.h"

#include "base/ranks.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* What is averaged: a prediction, a difference of two, or a slope; one value for each category of the outcome. */
struct quantity {
    const char *term, *statistic;
    const rsp_mscene *at, *minus; /* minus NULL: no difference */
    bool slope;
    uint32_t flags;
    int64_t cell;
};

struct margins {
    const rsp_regression *f;
    rsp_active a;
    size_t q;         /* active parameters, theta left out */
    size_t n_linear;  /* linear predictors: thresholds, or equations */
    size_t n_values;  /* categories of the outcome; 1 where it is a number */
    double *par;      /* [q] */
    double *mean;     /* [n_values] of the quantity at hand */
    double *gradient; /* [n_values * q] */
    double *value;    /* [n * n_values] */
};

/* One thread's memory. */
struct room {
    double *x, *dx, *l, *dl, *mu, *first, *second, *gradient;
};

static struct room room_new(const struct margins *g) {
    size_t k = g->f->m->k + 1, l = g->n_linear + 1, c = g->n_values;
    size_t size = 2 * k + 2 * l + c + c * l + c * l * l + c * (g->q + 1);
    struct room r = {.x = rsp_calloc(size, sizeof(double))};
    r.dx = r.x + k;
    r.l = r.dx + k;
    r.dl = r.l + l;
    r.mu = r.dl + l;
    r.first = r.mu + c;
    r.second = r.first + c * l;
    r.gradient = r.second + c * l * l;
    return r;
}

/* ---- the outcome's expectation ---------------------------------------------------------------------------------- */

static double logistic(double x) { return x >= 0 ? 1 / (1 + exp(-x)) : exp(x) / (1 + exp(x)); }

/* P(y = c) = F(l_c) - F(l_(c-1)), with first and second derivatives by the cumulative logits l. */
static void cumulative(const struct margins *g, struct room *r) {
    size_t t = g->n_linear;
    for (size_t c = 0; c <= t; c++) {
        r->mu[c] = (c < t ? logistic(r->l[c]) : 1) - (c ? logistic(r->l[c - 1]) : 0);
        for (size_t j = c ? c - 1 : 0; j <= c && j < t; j++) {
            double F = logistic(r->l[j]), sign = j == c ? 1 : -1;
            r->first[c * t + j] = sign * F * (1 - F);
            r->second[(c * t + j) * t + j] = sign * F * (1 - F) * (1 - 2 * F);
        }
    }
}

/* P(y = c) = exp(l_c) / sum, the first category's l being 0. */
static void shares(const struct margins *g, struct room *r) {
    size_t e = g->n_linear;
    double most = 0, sum;
    for (size_t b = 0; b < e; b++) most = fmax(most, r->l[b]);
    sum = r->mu[0] = exp(-most);
    for (size_t b = 0; b < e; b++) sum += r->mu[b + 1] = exp(r->l[b] - most);
    for (size_t c = 0; c <= e; c++) r->mu[c] /= sum;
    for (size_t c = 0; c <= e; c++)
        for (size_t s = 0; s < e; s++) {
            double ps = r->mu[s + 1], as = (c == s + 1) - ps;
            r->first[c * e + s] = r->mu[c] * as;
            for (size_t t = 0; t < e; t++) {
                double pt = r->mu[t + 1];
                r->second[(c * e + s) * e + t] = r->mu[c] * (as * ((c == t + 1) - pt) - ps * ((s == t) - pt));
            }
        }
}

static void expect(const struct margins *g, struct room *r) {
    double mu;
    switch (g->f->a->model.kind) {
    case RSP_ORDINAL_MODEL: cumulative(g, r); break;
    case RSP_MULTINOMIAL_MODEL: shares(g, r); break;
    case RSP_POISSON_MODEL:
    case RSP_NEGATIVE_BINOMIAL_MODEL: r->mu[0] = r->first[0] = r->second[0] = exp(r->l[0]); break;
    case RSP_LOGISTIC_MODEL:
        mu = r->mu[0] = logistic(r->l[0]);
        r->first[0] = mu * (1 - mu);
        r->second[0] = mu * (1 - mu) * (1 - 2 * mu);
        break;
    default:
        r->mu[0] = r->l[0];
        r->first[0] = 1;
        r->second[0] = 0;
    }
}

/* ---- one row ---------------------------------------------------------------------------------------------------- */

/* Linear predictors and their slopes; an ordinal model's are thresholds minus the common predictor. */
static void predict_linear(const struct margins *g, const double *par, struct room *r) {
    size_t t = g->f->n_thresholds, k = g->a.k;
    for (size_t e = 0; e < g->n_linear; e++) {
        const double *b = par + t + (t ? 0 : e * k);
        double l = 0, dl = 0;
        for (size_t j = 0; j < k; j++) l += b[j] * r->x[g->a.column[j]], dl += b[j] * r->dx[g->a.column[j]];
        r->l[e] = t ? par[e] - l : l;
        r->dl[e] = t ? -dl : dl;
    }
}

/* Adds weight by_l, by_dl of a linear predictor and of its slope to the gradient of one value. */
static void add_linear(const struct margins *g, const struct room *r, size_t e, double by_l, double by_dl, double *to) {
    size_t t = g->f->n_thresholds, k = g->a.k;
    double sign = t ? -1 : 1, *b = to + t + (t ? 0 : e * k);
    if (t) to[e] += by_l;
    for (size_t j = 0; j < k; j++) b[j] += sign * (by_l * r->x[g->a.column[j]] + by_dl * r->dx[g->a.column[j]]);
}

/* Adds sign times the row's values to value [n_values], and times weight to gradient (NULL: not wanted). */
static void add_scene(const struct margins *g, const rsp_mscene *scene, bool slope, double sign, size_t i,
                      const double *par, struct room *r, double *value, double *gradient) {
    size_t l = g->n_linear;
    rsp_mscene_row(scene, i, r->x, slope ? r->dx : NULL);
    predict_linear(g, par, r);
    expect(g, r);
    for (size_t c = 0; c < g->n_values; c++) {
        double *to = gradient ? gradient + c * g->q : NULL, sum = slope ? 0 : r->mu[c];
        for (size_t e = 0; e < l; e++) {
            double first = r->first[c * l + e], curve = 0;
            if (slope) sum += first * r->dl[e];
            for (size_t s = 0; slope && s < l; s++) curve += r->second[(c * l + e) * l + s] * r->dl[s];
            if (to) add_linear(g, r, e, sign * (slope ? curve : first), slope ? sign * first : 0, to);
        }
        value[c] += sign * sum;
    }
}

static void add_row(const struct margins *g, const struct quantity *z, size_t i, const double *par, struct room *r,
                    double *value, double *gradient) {
    add_scene(g, z->at, z->slope, 1, i, par, r, value, gradient);
    if (z->minus) add_scene(g, z->minus, false, -1, i, par, r, value, gradient);
}

/* ---- all rows --------------------------------------------------------------------------------------------------- */

/* Weighted means of values and gradients, in fixed blocks; values of every row stay in g->value. */
static void average(struct margins *g, const struct quantity *z) {
    const rsp_mmatrix *m = g->f->m;
    size_t c = g->n_values, q = g->q, size = 1 + c + c * q, n_blocks = (m->n + RSP_BLOCK - 1) / RSP_BLOCK;
    double *sums = rsp_calloc(n_blocks * size, sizeof *sums);
#pragma omp parallel if (n_blocks > 1)
    {
        struct room r = room_new(g);
#pragma omp for schedule(dynamic, 1)
        for (size_t b = 0; b < n_blocks; b++) {
            double *to = sums + b * size;
            for (size_t i = b * RSP_BLOCK; i < m->n && i < (b + 1) * RSP_BLOCK; i++) {
                double *value = g->value + i * c;
                memset(value, 0, c * sizeof *value);
                memset(r.gradient, 0, c * q * sizeof *r.gradient);
                add_row(g, z, i, g->par, &r, value, r.gradient);
                to[0] += m->w[i];
                for (size_t k = 0; k < c; k++) to[1 + k] += m->w[i] * value[k];
                for (size_t k = 0; k < c * q; k++) to[1 + c + k] += m->w[i] * r.gradient[k];
            }
        }
        free(r.x);
    }
    for (size_t b = 1; b < n_blocks; b++)
        for (size_t k = 0; k < size; k++) sums[k] += sums[b * size + k];
    for (size_t k = 0; k < c; k++) g->mean[k] = sums[1 + k] / sums[0];
    for (size_t k = 0; k < c * q; k++) g->gradient[k] = sums[1 + c + k] / sums[0];
    free(sums);
}

/* ---- variance --------------------------------------------------------------------------------------------------- */

static void delta_variance(const struct margins *g, double *variance) {
    const rsp_regression *f = g->f;
    for (size_t c = 0; c < g->n_values; c++) {
        const double *d = g->gradient + c * g->q;
        variance[c] = 0;
        for (size_t i = 0; i < g->q; i++)
            for (size_t j = 0; j < g->q; j++)
                variance[c] +=
                    d[i] * d[j] * f->vcov[rsp_parameter_of(f, &g->a, i) * f->p + rsp_parameter_of(f, &g->a, j)];
    }
}

static bool linearised_variance(const struct margins *g, double *variance, rsp_diag *d) {
    const rsp_regression *f = g->f;
    size_t n = f->m->n, c = g->n_values;
    double total = 0, *z = rsp_malloc((n * c + 1) * sizeof *z), *vcov = rsp_malloc(c * c * sizeof *vcov);
    uint32_t *row = rsp_malloc((n + 1) * sizeof *row);
    rsp_influence *of = rsp_malloc(c * sizeof *of);
    for (size_t i = 0; i < n; i++) total += f->m->w[i], row[i] = (uint32_t) f->m->row[i];
    for (size_t k = 0; k < c; k++) {
        const double *gradient = g->gradient + k * g->q;
        of[k] = (rsp_influence){n, row, z + k * n};
#pragma omp parallel for schedule(static) if (n > RSP_BLOCK)
        for (size_t i = 0; i < n; i++) {
            double sum = (g->value[i * c + k] - g->mean[k]) / total;
            for (size_t j = 0; j < g->q; j++) sum += gradient[j] * f->influence[i * g->q + j];
            z[k * n + i] = sum;
        }
    }
    bool ok = rsp_taylor_rows(f->s, NULL, of, c, vcov, d);
    for (size_t k = 0; k < c; k++) variance[k] = vcov[k * c + k];
    free(z), free(vcov), free(row), free(of);
    return ok;
}

static void replicate_means(const struct margins *g, const struct quantity *z, const rsp_replicates *reps, size_t k,
                            double *w, double *mean) {
    const rsp_mmatrix *m = g->f->m;
    const double *par = g->f->replicate_values + k * (g->q + (g->f->has_theta && isfinite(g->f->theta)));
    size_t c = g->n_values;
    double total = 0, *value = rsp_malloc(c * sizeof *value);
    struct room r = room_new(g);
    rsp_replicate_weights(reps, k, w);
    memset(mean, 0, c * sizeof *mean);
    for (size_t i = 0; i < m->n; i++) {
        double weight = w[m->row[i]];
        if (weight == 0) continue;
        memset(value, 0, c * sizeof *value);
        add_row(g, z, i, par, &r, value, NULL);
        total += weight;
        for (size_t j = 0; j < c; j++) mean[j] += weight * value[j];
    }
    for (size_t j = 0; j < c; j++) mean[j] /= total;
    free(r.x);
    free(value);
}

static bool replicated_variance(const struct margins *g, const struct quantity *z, double *variance, rsp_diag *d) {
    const rsp_regression *f = g->f;
    const rsp_replicates *reps = rsp_replicates_get((rsp_sample *) f->s, &f->a->variance, f->a->loc, d);
    if (!reps) return false;
    size_t c = g->n_values;
    rsp_part part = rsp_ranks_part(rsp_replicates_count(reps), 1);
    double *theta = rsp_malloc(part.n * c * sizeof *theta), *vcov = rsp_malloc(c * c * sizeof *vcov);
#pragma omp parallel
    {
        double *w = rsp_malloc(f->s->n * sizeof *w);
#pragma omp for schedule(dynamic, 1)
        for (size_t k = part.from; k < part.to; k++) replicate_means(g, z, reps, k, w, theta + k * c);
        free(w);
    }
    rsp_ranks_gather(&part, theta, c * sizeof *theta);
    rsp_replicate_variance(reps, theta, g->mean, c, vcov, NULL);
    for (size_t k = 0; k < c; k++) variance[k] = vcov[k * c + k];
    free(theta), free(vcov);
    return true;
}

static bool variance_of(const struct margins *g, const struct quantity *z, double *variance, rsp_diag *d) {
    if (g->f->influence) return linearised_variance(g, variance, d);
    if (g->f->replicate_values) return replicated_variance(g, z, variance, d);
    delta_variance(g, variance);
    return true;
}

/* ---- rows ------------------------------------------------------------------------------------------------------- */

/* Intervals keep within what can be: probabilities on the logit scale, expected counts on the logarithm's. */
static void prediction_interval(const struct margins *g, rsp_row *r) {
    double x = r->estimate, half;
    bool counts = g->f->a->model.kind == RSP_POISSON_MODEL || g->f->a->model.kind == RSP_NEGATIVE_BINOMIAL_MODEL;
    if (g->f->a->model.kind == RSP_LINEAR_MODEL || isnan(r->lower)) return;
    half = rsp_t_quantile(0.975, r->df) * r->se / (counts ? x : x * (1 - x));
    r->lower = counts ? x * exp(-half) : logistic(log(x / (1 - x)) - half);
    r->upper = counts ? x * exp(half) : logistic(log(x / (1 - x)) + half);
}

static void write_quantity(struct margins *g, const struct quantity *z, rsp_results *out, rsp_diag *d) {
    const rsp_regression *f = g->f;
    double *variance = RSP_ARRAY(f->arena, double, g->n_values);
    bool known = false, none = z->flags || !f->usable || f->status & (RSP_F_NOT_CONVERGED | RSP_F_SINGULAR);
    if (!none) {
        average(g, z);
        known = !f->exact && !(f->status & RSP_F_NO_DF) && variance_of(g, z, variance, d);
    }
    for (size_t c = 0; c < g->n_values; c++) {
        const char *level = f->m->levels ? f->m->levels[c] : NULL;
        rsp_row *r = rsp_regression_row(f, out, z->term, level, z->statistic);
        r->cell = z->cell;
        if (f->m->levels && (int64_t) f->m->level_count[c] < r->cell) r->cell = (int64_t) f->m->level_count[c];
        r->flags |= z->flags | f->status;
        if (none) continue;
        r->estimate = g->mean[c];
        if (!known) {
            if (f->exact) r->flags |= f->exact;
            else r->flags |= f->status & RSP_F_NO_DF ? 0 : RSP_F_LONELY;
            continue;
        }
        r->se = sqrt(variance[c]);
        r->df = f->few && f->a->model.errors == RSP_ERRORS_CR2 ? rsp_few_df(f->few, g->gradient) : f->df;
        rsp_row_interval(r);
        if (strcmp(z->statistic, "predicted") == 0) prediction_interval(g, r);
        else if (!(r->flags & RSP_F_NO_DF)) r->p = rsp_t_two_sided(r->estimate / r->se, r->df);
    }
}

/* ---- what is asked for ------------------------------------------------------------------------------------------ */

/* Respondents who themselves have the value; everybody where it is a number. */
static int64_t holders(const rsp_mmatrix *m, size_t variable, const char *code) {
    const rsp_categories *c = rsp_mmatrix_categories(m, variable);
    int64_t n = 0;
    for (size_t i = 0; i < m->n; i++) {
        int32_t k = c ? c->category[m->row[i]] : -1;
        n += !c || (k >= 0 && strcmp(c->code[k], code) == 0);
    }
    return n;
}

static int64_t rarer_outcome(const rsp_regression *f) {
    size_t events = 0;
    if (f->a->model.kind != RSP_LOGISTIC_MODEL) return (int64_t) f->m->n;
    for (size_t i = 0; i < f->m->n; i++) events += f->m->y[i] == 1;
    return (int64_t) (events < f->m->n - events ? events : f->m->n - events);
}

/* Coefficients without numbers leave predictions without: collinear and separated ones all of them, those of empty cells
 * the ones that would need them. A predictor that nobody answered is no part of the model. */
static uint32_t scene_flags(const rsp_regression *f, const rsp_mscene *scene) {
    uint32_t flags = 0;
    double *x = RSP_ARRAY(f->arena, double, f->m->k + 1);
    for (size_t j = 0; j < f->p - f->has_theta; j++)
        flags |= f->flags[j] & ~(uint32_t) (RSP_F_EMPTY | RSP_F_UNANSWERED);
    for (size_t j = 0; j < f->m->k; j++) {
        if (!(f->flags[f->n_thresholds + j] & RSP_F_EMPTY)) continue;
        for (size_t i = 0; i < f->m->n; i++) {
            rsp_mscene_row(scene, i, x, NULL);
            if (x[j] == 0) continue;
            flags |= RSP_F_EMPTY;
            break;
        }
    }
    return flags;
}

static void set_counts(const struct margins *g, struct quantity *z, size_t n, const rsp_msetting *set) {
    const rsp_mmatrix *m = g->f->m;
    z->flags |= m->n ? scene_flags(g->f, z->at) : RSP_F_EMPTY;
    z->cell = rarer_outcome(g->f);
    for (size_t j = 0; j < n; j++) {
        int64_t have = holders(m, set[j].variable, set[j].code);
        if (rsp_mmatrix_unanswered(m, set[j].variable)) z->flags |= RSP_F_UNANSWERED;
        else if (!have) z->flags |= RSP_F_EMPTY;
        if (have < z->cell) z->cell = have;
    }
}

static rsp_msetting setting_of(const rsp_mmatrix *m, size_t variable, const char *code) {
    const rsp_variable *v = &m->frame->study->variables[variable];
    size_t k = v->list ? rsp_list_find(v->list, code) : RSP_NONE;
    rsp_msetting s = {variable, code, NAN};
    if (k != RSP_NONE) s.value = v->list->choices[k].value;
    else rsp_parse_double(code, strlen(code), '.', &s.value);
    return s;
}

static void marginal_effects(struct margins *g, size_t variable, rsp_results *out, rsp_diag *d) {
    const rsp_mmatrix *m = g->f->m;
    const rsp_categories *c = rsp_mmatrix_categories(m, variable);
    const char *name = m->frame->study->variables[variable].name;
    struct quantity z = {.term = name, .statistic = "marginal_effect"};
    if (!c) {
        z.at = rsp_mscene_new(m, 0, NULL, variable);
        z.slope = true;
        set_counts(g, &z, 0, NULL);
        if (rsp_mmatrix_unanswered(m, variable)) z.flags |= RSP_F_UNANSWERED;
        write_quantity(g, &z, out, d);
        return;
    }
    for (size_t k = 1; k < c->n; k++) {
        rsp_msetting set[2] = {setting_of(m, variable, c->code[k]), setting_of(m, variable, c->code[0])};
        z = (struct quantity){.term = rsp_printf(g->f->arena, "%s=%s", name, c->code[k]), .statistic = z.statistic};
        z.at = rsp_mscene_new(m, 1, &set[1], RSP_NONE);
        set_counts(g, &z, 2, set);
        z.minus = z.at;
        z.at = rsp_mscene_new(m, 1, &set[0], RSP_NONE);
        z.flags |= m->n ? scene_flags(g->f, z.at) : 0;
        write_quantity(g, &z, out, d);
    }
}

/* Every combination of the stated values, the last variable's varying fastest. */
static void predictions(struct margins *g, rsp_results *out, rsp_diag *d) {
    const rsp_model *model = &g->f->a->model;
    const rsp_mmatrix *m = g->f->m;
    size_t n = model->n_predict, total = n ? 1 : 0;
    rsp_msetting *set = RSP_ARRAY(g->f->arena, rsp_msetting, n + 1);
    for (size_t j = 0; j < n; j++) total *= model->predict[j].n;
    for (size_t k = 0; k < total; k++) {
        rsp_buf term = {0};
        for (size_t j = n, rest = k; j-- > 0; rest /= model->predict[j].n)
            set[j] = setting_of(m, model->predict[j].variable, model->predict[j].values[rest % model->predict[j].n]);
        for (size_t j = 0; j < n; j++)
            rsp_buf_printf(&term, "%s%s=%s", j ? ":" : "", m->frame->study->variables[set[j].variable].name,
                           set[j].code);
        struct quantity z = {.term = rsp_strdup(g->f->arena, term.data), .statistic = "predicted"};
        rsp_buf_free(&term);
        z.at = rsp_mscene_new(m, n, set, RSP_NONE);
        set_counts(g, &z, n, set);
        write_quantity(g, &z, out, d);
    }
}

void rsp_regression_margins(const rsp_regression *f, rsp_results *out, rsp_diag *d) {
    const rsp_model *model = &f->a->model;
    if (!model->n_margins && !model->n_predict) return;
    struct margins g = {.f = f, .a = rsp_active_columns(f)};
    g.q = rsp_active_parameters(f, &g.a);
    g.n_linear = f->n_thresholds ? f->n_thresholds : f->n_equations;
    g.n_values = f->m->levels ? f->m->n_levels : 1;
    g.par = RSP_ARRAY(f->arena, double, g.q + 1);
    for (size_t j = 0; j < g.q; j++) g.par[j] = f->par[rsp_parameter_of(f, &g.a, j)];
    g.mean = RSP_ARRAY(f->arena, double, g.n_values);
    g.gradient = RSP_ARRAY(f->arena, double, g.n_values *g.q + 1);
    g.value = RSP_ARRAY(f->arena, double, f->m->n *g.n_values + 1);
    for (size_t k = 0; k < model->n_margins; k++) marginal_effects(&g, model->margins[k], out, d);
    predictions(&g, out, d);
}
