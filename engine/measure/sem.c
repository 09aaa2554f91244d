#include "measure/sem.h"

#include "measure/arrow.h"
#include "measure/sem_likelihood.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- the whole model -------------------------------------------------------------------------------------------- */

struct model {
    const rsp_sem *s;
    const rsp_sem_sample *x;
    rsp_sem_group *group;
    size_t *start; /* [groups + 1] of each group's cells among those of all groups */
    rsp_arrow arrow;
};

static struct model model_new(const rsp_sem *s, const rsp_sem_sample *x) {
    struct model m = {.s = s,
                      .x = x,
                      .group = rsp_malloc((s->n_groups + 1) * sizeof *m.group),
                      .start = rsp_calloc(s->n_groups + 2, sizeof *m.start)};
    rsp_arrow_new(s, &m.arrow);
    for (size_t g = 0; g < s->n_groups; g++) {
        rsp_sem_group_new(s, g, &x[g], &m.group[g]);
        m.start[g + 1] = m.start[g] + m.group[g].n;
    }
    return m;
}

static void model_free(struct model *m) {
    for (size_t g = 0; g < m->s->n_groups; g++) rsp_sem_group_free(&m->group[g]);
    free(m->group), free(m->start);
    rsp_arrow_free(&m->arrow);
}

/* Waking threads costs more than a small model's likelihood, above all on a machine that others use too. */
static bool worth_threads(const struct model *m) {
    size_t work = 0;
    for (size_t g = 0; g < m->s->n_groups; g++) work += m->group[g].n * m->group[g].n;
    return work > 10000;
}

/* What one group gives: its parts are added in order, so that threads do not matter. */
struct part {
    bool ok;
    double loglik, *gradient, *information; /* NULL if not wanted */
};

static void add_part(const rsp_sem_group *g, const struct part *part, size_t k, double *gradient, double *information) {
    for (size_t i = 0; gradient && i < g->n; i++) gradient[g->free[i]] += part->gradient[i];
    for (size_t i = 0; information && i < g->n; i++)
        for (size_t l = 0; l < g->n; l++) information[g->free[i] * k + g->free[l]] += part->information[i * g->n + l];
}

/* Log-likelihood (without constant) and, where wanted, gradient and information. False outside. */
static bool evaluate(struct model *m, const double *par, rsp_sem_information kind, double *loglik, double *gradient,
                     double *information) {
    size_t k = m->s->n_free, groups = m->s->n_groups;
    struct part *part = rsp_calloc(groups + 1, sizeof *part);
    bool ok = true;
#pragma omp parallel for schedule(dynamic, 1) if (worth_threads(m))
    for (size_t g = 0; g < groups; g++) {
        size_t n = m->group[g].n;
        if (gradient) part[g].gradient = rsp_malloc((n + 1) * sizeof(double));
        if (information) part[g].information = rsp_malloc((n * n + 1) * sizeof(double));
        part[g].ok =
            rsp_sem_group_evaluate(&m->group[g], par, kind, &part[g].loglik, part[g].gradient, part[g].information);
    }
    *loglik = 0;
    if (gradient) memset(gradient, 0, k * sizeof *gradient);
    if (information) memset(information, 0, k * k * sizeof *information);
    for (size_t g = 0; g < groups; g++) {
        ok = ok && part[g].ok;
        *loglik += part[g].loglik;
        if (ok) add_part(&m->group[g], &part[g], k, gradient, information);
        free(part[g].gradient), free(part[g].information);
    }
    free(part);
    return ok && isfinite(*loglik);
}

/* ---- the maximum ------------------------------------------------------------------------------------------------ */

struct search {
    struct model *m;
    double *par, loglik, *gradient, *information, *factor, *step, *trial, *room;
    double ridge;     /* of the last step's matrix; 0: none was needed */
    double decrement; /* gradient' step: twice the rise that a quadratic promises */
    bool whole;       /* the last step was not halved */
    bool fresh;       /* log-likelihood, gradient and observed information are those of par already */
};

static void search_new(struct model *m, double *par, struct search *s) {
    size_t k = m->s->n_free + 1;
    double *room = rsp_malloc((4 * k + 2 * k * k) * sizeof *room);
    *s = (struct search){.m = m,
                         .par = par,
                         .gradient = room,
                         .step = room + k,
                         .trial = room + 2 * k,
                         .room = room + 3 * k,
                         .information = room + 4 * k,
                         .factor = room + 4 * k + k * k};
}

/* Cholesky factor of the information, scaled to a unit diagonal, with a ridge; false if there is none. */
static bool factorise(struct search *s, double ridge) {
    size_t k = s->m->s->n_free;
    double least;
    for (size_t i = 0; i < k; i++) {
        double d = s->information[i * k + i];
        if (!(d > 0)) return false;
        s->trial[i] = 1 / sqrt(d);
    }
    if (!rsp_arrow_factorise(&s->m->arrow, s->information, s->trial, ridge, s->factor, &least)) return false;
    if (!(least > 1e-6)) return false;
    for (size_t i = 0; i < k; i++) s->step[i] = s->gradient[i] * s->trial[i];
    rsp_arrow_solve(&s->m->arrow, s->factor, s->step, s->room);
    s->decrement = 0;
    for (size_t i = 0; i < k; i++) {
        s->step[i] *= s->trial[i];
        s->decrement += s->step[i] * s->gradient[i];
    }
    return true;
}

/* The step of the observed information where that is positive, near the maximum; else of the expected, with a ridge
 * where it is singular. */
static bool find_step(struct search *s) {
    s->ridge = 0;
    if (!s->fresh && !evaluate(s->m, s->par, RSP_SEM_OBSERVED, &s->loglik, s->gradient, s->information)) return false;
    if (s->m->s->n_free == 0 || factorise(s, 0)) return true;
    if (!evaluate(s->m, s->par, RSP_SEM_EXPECTED, &s->loglik, s->gradient, s->information)) return false;
    while (!factorise(s, s->ridge)) {
        s->ridge = s->ridge == 0 ? 1e-6 : 10 * s->ridge;
        if (s->ridge > 1) return false;
    }
    return true;
}

/* Goes along the step, halved until the likelihood rises; false if it does not within rounding. After a whole step the
 * next will be one, too: all that is needed there is worked out at the first try. */
static bool move(struct search *s) {
    enum { MOST_HALVINGS = 40 };
    size_t k = s->m->s->n_free;
    double length = 1, next;
    for (int halvings = 0; halvings <= MOST_HALVINGS; halvings++, length /= 2) {
        bool all = s->whole && !halvings;
        for (size_t i = 0; i < k; i++) s->trial[i] = s->par[i] + length * s->step[i];
        if (!evaluate(s->m, s->trial, RSP_SEM_OBSERVED, &next, all ? s->gradient : NULL, all ? s->information : NULL) ||
            !(next > s->loglik))
            continue;
        memcpy(s->par, s->trial, k * sizeof *s->par);
        s->loglik = next;
        s->whole = !halvings;
        s->fresh = all;
        return true;
    }
    return false;
}

static rsp_sem_status maximise(struct search *s, size_t *iterations) {
    enum { MOST_ITERATIONS = 500 };
    for (*iterations = 0; *iterations < MOST_ITERATIONS; ++*iterations) {
        if (!find_step(s)) return RSP_SEM_NOT_CONVERGED;
        double size = fabs(s->loglik);
        rsp_sem_status found = s->ridge > 0 ? RSP_SEM_NOT_IDENTIFIED : RSP_SEM_OK;
        if (s->decrement < (s->ridge > 0 ? 1e-12 : 1e-18) * size) return found;
        if (!move(s)) return s->decrement < 1e-10 * size ? found : RSP_SEM_NOT_CONVERGED;
    }
    return RSP_SEM_NOT_CONVERGED;
}

static rsp_sem_status fit_model(struct model *m, bool observed, rsp_sem_fit *fit) {
    struct search s;
    size_t k = m->s->n_free;
    search_new(m, fit->par, &s);
    rsp_sem_status status = maximise(&s, &fit->iterations);
    fit->loglik = s.loglik;
    if (status == RSP_SEM_OK) {
        rsp_sem_information kind = observed ? RSP_SEM_OBSERVED : RSP_SEM_EXPECTED;
        bool ok = evaluate(m, fit->par, kind, &fit->loglik, s.gradient, s.information);
        memcpy(fit->vcov, s.information, k * k * sizeof *fit->vcov);
        if (!ok || !rsp_arrow_invert(&m->arrow, fit->vcov)) status = RSP_SEM_NOT_IDENTIFIED;
    }
    free(s.gradient);
    return status;
}

/* ---- robust ----------------------------------------------------------------------------------------------------- */

/* Sums of products of one group's scores [n*n], respondents independent. */
static void add_products(rsp_sem_group *g, double *out) {
    size_t n = g->n;
    double *score = rsp_malloc((g->x->n * n + 1) * sizeof *score);
    rsp_sem_group_scores(g, score);
    rsp_multiply(score, true, score, false, n, g->x->n, n, out);
    free(score);
}

/* Variance of the total scores of all groups' cells [K*K], K = start[groups]. */
static bool design_products(struct model *m, const rsp_sem_design *design, double *out) {
    size_t groups = m->s->n_groups;
    double **score = rsp_malloc((groups + 1) * sizeof *score);
    size_t *n = rsp_malloc((groups + 1) * sizeof *n);
    for (size_t g = 0; g < groups; g++) {
        n[g] = m->group[g].n;
        score[g] = rsp_malloc((m->x[g].n * n[g] + 1) * sizeof **score);
        rsp_sem_group_scores(&m->group[g], score[g]);
    }
    bool ok = design->variance(design, m->x, groups, score, n, out);
    for (size_t g = 0; g < groups; g++) free(score[g]);
    free(score), free(n);
    return ok;
}

/* The meat of the sandwich by free parameter [k*k], at the parameters of the last evaluation. */
static bool score_variance(struct model *m, const rsp_sem_design *design, double *out) {
    size_t k = m->s->n_free, groups = m->s->n_groups, all = m->start[groups];
    memset(out, 0, k * k * sizeof *out);
    if (design) {
        double *v = rsp_calloc(all * all + 1, sizeof *v);
        bool ok = design_products(m, design, v);
        for (size_t g = 0; g < groups; g++)
            for (size_t h = 0; h < groups; h++)
                for (size_t i = 0; i < m->group[g].n; i++)
                    for (size_t l = 0; l < m->group[h].n; l++)
                        out[m->group[g].free[i] * k + m->group[h].free[l]] +=
                            v[(m->start[g] + i) * all + m->start[h] + l];
        free(v);
        return ok;
    }
    struct part *part = rsp_calloc(groups + 1, sizeof *part);
#pragma omp parallel for schedule(dynamic, 1) if (worth_threads(m))
    for (size_t g = 0; g < groups; g++) {
        part[g].information = rsp_malloc((m->group[g].n * m->group[g].n + 1) * sizeof(double));
        add_products(&m->group[g], part[g].information);
    }
    for (size_t g = 0; g < groups; g++) {
        add_part(&m->group[g], &part[g], k, NULL, out);
        free(part[g].information);
    }
    free(part);
    return true;
}

static double trace_of_product(const double *a, const double *b, size_t k) {
    double sum = 0;
    for (size_t i = 0; i < k; i++)
        for (size_t l = 0; l < k; l++) sum += a[i * k + l] * b[l * k + i];
    return sum;
}

/* tr(B A^-1) of a model of one group at its maximum. */
static double group_trace(const rsp_sem *s, const rsp_sem_sample *x, const double *par, const rsp_sem_design *design) {
    struct model m = model_new(s, x);
    size_t k = s->n_free;
    double *a = rsp_malloc((2 * k * k + k + 1) * sizeof *a), *b = a + k * k, *gradient = b + k * k, loglik, trace = NAN;
    bool ok = evaluate(&m, par, RSP_SEM_OBSERVED, &loglik, gradient, a) && rsp_arrow_invert(&m.arrow, a) &&
              score_variance(&m, design, b);
    if (ok) trace = trace_of_product(a, b, k);
    free(a);
    model_free(&m);
    return trace;
}

/* The saturated model's trace with complete, independent answers: there A^-1 is known, and the trace is half of Mardia's
 * kurtosis less p, and p for the means: with y = x - mean and S^-1 = W,
 * E[s' A^-1 s] = E[(y'Wy)^2 - 2 y'Wy + p] / 2 + E[y'Wy]. */
static double complete_trace(const rsp_sem_sample *x, size_t p, bool means) {
    enum { ROWS = 256 };
    double *w = rsp_malloc((p * p + 2 * ROWS * p) * sizeof *w), *d = w + p * p, *y = d + ROWS * p, logdet, sum = 0;
    bool ok = rsp_invert_positive(x->cov, p, w, &logdet);
    for (size_t from = 0; ok && from < x->n; from += ROWS) {
        size_t rows = x->n - from < ROWS ? x->n - from : ROWS;
        for (size_t i = 0; i < rows; i++)
            for (size_t j = 0; j < p; j++) d[i * p + j] = x->x[(from + i) * p + j] - x->mean[j];
        rsp_multiply(d, false, w, false, rows, p, p, y);
        for (size_t i = 0; i < rows; i++) {
            double square = 0;
            for (size_t j = 0; j < p; j++) square += d[i * p + j] * y[i * p + j];
            sum += square * square;
        }
    }
    free(w);
    double kurtosis = sum / (double) x->n;
    return ok ? (kurtosis - (double) p) / 2 + (means ? (double) p : 0) : NAN;
}

/* What is known with another design is forgotten. */
static void set_design(rsp_sem_known *known, const rsp_sem_design *design) {
    if (known->designed != (design != NULL)) *known = (rsp_sem_known){.designed = design != NULL};
}

static void group_traces(const rsp_sem *s, const rsp_sem_sample *x, const rsp_sem_design *design, double *full,
                         double *base) {
    rsp_sem_known *known = x->known;
    if (known && known->found && known->means == s->means && known->designed == (design != NULL)) {
        *full = known->saturated;
        *base = known->independent;
        return;
    }
    size_t p = s->p;
    rsp_arena *a = rsp_arena_new();
    rsp_sem h;
    double *par = RSP_ARRAY(a, double, p *(p + 1) / 2 + p);
    if (!design && x->n_patterns == 1) {
        *full = complete_trace(x, p, s->means);
    } else {
        rsp_sem_saturated(s, x, a, &h, par);
        *full = group_trace(&h, x, par, design);
    }
    rsp_sem_independence(s, x, a, &h, par);
    *base = group_trace(&h, x, par, design);
    rsp_arena_free(a);
    if (!known) return;
    set_design(known, design);
    known->found = true;
    known->means = s->means;
    known->saturated = *full;
    known->independent = *base;
}

/* Groups share no moments, so the traces of all are the sums of theirs. The design's kernel has threads of its own. */
static void moment_traces(const struct model *m, const rsp_sem_design *design, double *full, double *base) {
    size_t groups = m->s->n_groups;
    double *traces = rsp_malloc((2 * groups + 1) * sizeof *traces);
#pragma omp parallel for schedule(dynamic, 1) if (!design && worth_threads(m))
    for (size_t g = 0; g < groups; g++) group_traces(m->s, &m->x[g], design, &traces[2 * g], &traces[2 * g + 1]);
    *full = *base = 0;
    for (size_t g = 0; g < groups; g++) {
        *full += traces[2 * g];
        *base += traces[2 * g + 1];
    }
    free(traces);
}

/* Huber-White errors and the correction of Yuan and Bentler (2000) as Mplus computes it: the traces of the saturated
 * and of the fitted model's sandwiches, over the degrees of freedom. vcov: inverse observed information. */
static rsp_sem_status make_robust(struct model *m, const rsp_sem_design *design, rsp_sem_fit *fit) {
    size_t k = m->s->n_free;
    double *b = rsp_malloc((2 * k * k + 1) * sizeof *b), *v = b + k * k, full, base;
    if (!score_variance(m, design, b)) {
        free(b);
        return RSP_SEM_NO_VARIANCE;
    }
    double own = trace_of_product(fit->vcov, b, k);
    rsp_arrow_sandwich(&m->arrow, fit->vcov, b, !design, v);
    memcpy(fit->vcov, v, k * k * sizeof *v);
    free(b);
    moment_traces(m, design, &full, &base);
    fit->scaling = fit->df > 0 ? (full - own) / fit->df : 1;
    fit->scaling_baseline = (full - base) / fit->df_baseline;
    return isfinite(fit->scaling) ? RSP_SEM_OK : RSP_SEM_NOT_IDENTIFIED;
}

/* ---- fit -------------------------------------------------------------------------------------------------------- */

static double independence_loglik(const rsp_sem *s, const rsp_sem_sample *x) {
    rsp_arena *a = rsp_arena_new();
    rsp_sem h;
    double *par = RSP_ARRAY(a, double, 2 * s->p), loglik;
    rsp_sem_independence(s, x, a, &h, par);
    struct model m = model_new(&h, x);
    if (!evaluate(&m, par, RSP_SEM_EXPECTED, &loglik, NULL, NULL)) loglik = NAN;
    model_free(&m);
    rsp_arena_free(a);
    return loglik;
}

/* Chi-square against the saturated model, of the fitted and of the independence model; the full log-likelihood. */
static void fit_measures(const struct model *m, rsp_sem_fit *fit) {
    const rsp_sem *s = m->s;
    double p = (double) s->p, saturated = 0, independent = 0, answers = 0, groups = (double) s->n_groups;
    fit->n = 0;
    for (size_t g = 0; g < s->n_groups; g++) {
        saturated += m->x[g].saturated_loglik;
        independent += independence_loglik(s, &m->x[g]);
        fit->n += m->x[g].n;
        for (size_t k = 0; k < m->x[g].n_patterns; k++)
            answers += m->x[g].pattern[k].weight * (double) m->x[g].pattern[k].q;
    }
    fit->chisq = fmax(0, 2 * (saturated - fit->loglik));
    fit->df = groups * (p * (p + 1) / 2 + (s->means ? p : 0)) - (double) s->n_free;
    fit->chisq_baseline = 2 * (saturated - independent);
    fit->df_baseline = groups * p * (p - 1) / 2;
    fit->size = (double) fit->n;
    fit->loglik -= 0.5 * answers * log(2 * M_PI);
}

/* Standardised root mean square residual (Bentler 1995): groups weighted by size. */
static double srmr(const struct model *m, size_t n) {
    double total = 0;
    size_t p = m->s->p;
    for (size_t g = 0; g < m->s->n_groups; g++) {
        const double *s = m->x[g].cov, *sigma = m->group[g].g.sigma;
        double sum = 0, count = (double) (p * (p + 1) / 2 + (m->s->means ? p : 0));
        for (size_t i = 0; i < p; i++) {
            for (size_t k = 0; k <= i; k++) {
                double r = (s[i * p + k] - sigma[i * p + k]) / sqrt(s[i * p + i] * s[k * p + k]);
                sum += r * r;
            }
            double r = m->s->means ? (m->x[g].mean[i] - m->group[g].g.mu[i]) / sqrt(s[i * p + i]) : 0;
            sum += r * r;
        }
        total += m->x[g].weight / (double) n * sqrt(sum / count);
    }
    return total;
}

static void correct_baseline(const rsp_sem *s, const rsp_sem_sample *x, const rsp_sem_options *options, double *misfit,
                             double *chance) {
    rsp_sem_known *known = x->known;
    bool designed = options->design != NULL;
    if (!known || !known->corrected || known->robust != options->robust || known->designed != designed) {
        rsp_arena *a = rsp_arena_new();
        rsp_sem h;
        double *par = RSP_ARRAY(a, double, 2 * s->p);
        rsp_sem_independence(s, x, a, &h, par);
        rsp_sem_corrected(&h, x, par, options->robust, options->design, misfit, chance);
        rsp_arena_free(a);
        if (!known) return;
        set_design(known, options->design);
        known->corrected = true;
        known->robust = options->robust;
        known->misfit_baseline = *misfit;
        known->chance_baseline = *chance;
    }
    *misfit = known->misfit_baseline;
    *chance = known->chance_baseline;
}

/* Of the fitted model, and of independence group by group. */
static void correct_measures(const struct model *m, const rsp_sem_options *options, rsp_sem_fit *fit) {
    rsp_sem_corrected(m->s, m->x, fit->par, options->robust, options->design, &fit->misfit, &fit->chance);
    fit->misfit_baseline = fit->chance_baseline = 0;
    for (size_t g = 0; g < m->s->n_groups; g++) {
        double misfit, chance;
        correct_baseline(m->s, &m->x[g], options, &misfit, &chance);
        fit->misfit_baseline += misfit;
        fit->chance_baseline += chance;
    }
}

static void robust_measures(const struct model *m, const rsp_sem_options *options, rsp_sem_fit *fit) {
    if (options->observed) {
        correct_measures(m, options, fit);
    } else if (options->robust) {
        fit->misfit = fit->chisq;
        fit->chance = fit->scaling * fit->df;
        fit->misfit_baseline = fit->chisq_baseline;
        fit->chance_baseline = fit->scaling_baseline * fit->df_baseline;
    }
}

void rsp_sem_estimate(const rsp_sem *s, const rsp_sem_sample *x, const rsp_sem_options *options, rsp_arena *a,
                      rsp_sem_fit *fit) {
    *fit = (rsp_sem_fit){.par = RSP_ARRAY(a, double, s->n_free + 1),
                         .vcov = RSP_ARRAY(a, double, s->n_free * s->n_free + 1),
                         .misfit = NAN,
                         .misfit_baseline = NAN,
                         .scaling = NAN,
                         .scaling_baseline = NAN,
                         .sigma = RSP_ARRAY(a, double *, s->n_groups),
                         .mu = RSP_ARRAY(a, double *, s->n_groups),
                         .phi = RSP_ARRAY(a, double *, s->n_groups)};
    for (size_t k = 0; k < s->n_cells; k++)
        if (s->cells[k].free != RSP_NONE) fit->par[s->cells[k].free] = s->cells[k].value;
    struct model m = model_new(s, x);
    fit->status = fit_model(&m, options->robust || options->observed, fit);
    if (fit->status == RSP_SEM_OK) {
        fit_measures(&m, fit);
        fit->srmr = srmr(&m, fit->n);
        if (options->robust) fit->status = make_robust(&m, options->design, fit);
        if (fit->status == RSP_SEM_OK) robust_measures(&m, options, fit);
    }
    for (size_t g = 0; g < s->n_groups; g++) rsp_implied_keep(&m.group[g].g, g, a, fit);
    model_free(&m);
}

/* ---- scores of restrictions ------------------------------------------------------------------------------------- */

/* Adds up the blocks of groups of a variance [groups*n squared] in out [n*n]. */
static void add_blocks(const double *v, size_t groups, size_t n, double *out) {
    memset(out, 0, n * n * sizeof *out);
    for (size_t g = 0; g < groups; g++)
        for (size_t h = 0; h < groups; h++)
            for (size_t i = 0; i < n; i++)
                for (size_t l = 0; l < n; l++) out[i * n + l] += v[(g * n + i) * groups * n + h * n + l];
}

/* Respondents' scores of one group along the directions [n_free * n]: z [n_g * n]. */
static void project_scores(rsp_sem_group *g, const double *directions, size_t n, double *z) {
    double *score = rsp_malloc((g->x->n * g->n + g->n * n + 1) * sizeof *score), *own = score + g->x->n * g->n;
    for (size_t i = 0; i < g->n; i++) memcpy(own + i * n, directions + g->free[i] * n, n * sizeof *own);
    rsp_sem_group_scores(g, score);
    rsp_multiply(score, false, own, false, g->x->n, g->n, n, z);
    free(score);
}

static bool projected_variance(struct model *m, const rsp_sem_design *design, const double *directions, size_t n,
                               double *out) {
    size_t groups = m->s->n_groups;
    double **z = rsp_malloc((groups + 1) * sizeof *z), *v = rsp_calloc(groups * n * groups * n + 1, sizeof *v);
    size_t *k = rsp_malloc((groups + 1) * sizeof *k);
    bool ok = true;
    for (size_t g = 0; g < groups; g++) {
        k[g] = n;
        z[g] = rsp_malloc((m->x[g].n * n + 1) * sizeof **z);
        project_scores(&m->group[g], directions, n, z[g]);
    }
    if (design) {
        ok = design->variance(design, m->x, groups, z, k, v);
        add_blocks(v, groups, n, out);
    } else {
        memset(out, 0, n * n * sizeof *out);
        for (size_t g = 0; g < groups; g++) {
            rsp_multiply(z[g], true, z[g], false, n, m->x[g].n, n, v);
            for (size_t i = 0; i < n * n; i++) out[i] += v[i];
        }
    }
    for (size_t g = 0; g < groups; g++) free(z[g]);
    free(z), free(v), free(k);
    return ok;
}

rsp_sem_status rsp_sem_scores(const rsp_sem *s, const rsp_sem_sample *x, const rsp_sem_options *options,
                              const rsp_extras *extras, double *score, double *variance, double *left) {
    struct model m = model_new(s, x);
    size_t k = s->n_free, n = extras->n;
    double *par = rsp_malloc((2 * k + k * k + 2 * k * n + 1) * sizeof *par), *gradient = par + k,
           *information = gradient + k, *directions = information + k * k, *half = directions + k * n, loglik;
    for (size_t c = 0; c < s->n_cells; c++)
        if (s->cells[c].free != RSP_NONE) par[s->cells[c].free] = s->cells[c].value;
    rsp_sem_status status = RSP_SEM_NOT_IDENTIFIED;
    if (evaluate(&m, par, options->robust ? RSP_SEM_OBSERVED : RSP_SEM_EXPECTED, &loglik, gradient, information) &&
        rsp_score_directions(information, k, extras, directions)) {
        status = RSP_SEM_OK;
        rsp_score_left(information, k, extras, directions, left);
        rsp_multiply(directions, true, gradient, false, n, k, 1, score);
        if (!options->robust) {
            rsp_multiply(information, false, directions, false, k, k, n, half);
            rsp_multiply(directions, true, half, false, n, k, n, variance);
        } else if (!projected_variance(&m, options->design, directions, n, variance)) {
            status = RSP_SEM_NO_VARIANCE;
        }
    }
    free(par);
    model_free(&m);
    return status;
}
