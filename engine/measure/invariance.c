/* Comparability of scales: one ladder for each scale and grouping variable, what was released, alignment, how far group
 * means and items move, and the verdict.
 *
 * Rows bear the term `scale:variable`. Items are used as answered: turning one round changes the sign of its loading and
 * no measure of fit. Groups smaller than `minimum_group`, or in which an item is constant, are left out and named. */
#include "measure/alignment.h"
#include "measure/comparability.h"
#include "measure/factor_cells.h"
#include "measure/ladder.h"
#include "responsive/statistics.h"

#include <math.h>
#include <string.h>

static const char *const RUNGS[] = {"configural", "metric", "scalar"};
static const char *const PARTIAL[] = {"", "partial_metric", "partial_scalar"};

/* One scale by one variable. */
struct comparison {
    const rsp_analysis *an;
    const rsp_invariance *x;
    const char *name, *term; /* scale; `scale:variable` */
    rsp_factor_sample *sample;
    size_t n_factors;
    const char **factor;
    rsp_sem configural;
    rsp_ladder_spec spec;
    rsp_ladder ladder;
    double share[3]; /* loadings, intercepts, both that differ after alignment; NaN: not aligned */
    rsp_grade low, high;
    rsp_results *out;
    rsp_arena *a;
};

/* ---- groups ----------------------------------------------------------------------------------------------------- */

static bool moments_usable(const rsp_sem_sample *g, size_t p) {
    for (size_t i = 0; i < p; i++)
        if (!(g->cov[i * p + i] > 0)) return false;
    return g->n > p;
}

static rsp_row *add_row(const struct comparison *c, const char *group, const char *term, const char *level,
                        const char *statistic, size_t n) {
    const char *domain = group ? rsp_domain_text(c->a, 1, &c->sample->group_name, &group) : NULL;
    rsp_row *r = rsp_results_add(c->out, c->an->id, domain, term, level, statistic);
    r->n = (double) n;
    r->base = (int64_t) n;
    return r;
}

/* Leaves the others out of the sample and says so. */
static void keep_large_groups(struct comparison *c) {
    rsp_factor_sample *x = c->sample;
    size_t kept = 0, n = 0;
    for (size_t g = 0; g < x->n_groups; g++) {
        bool usable = moments_usable(&x->group[g], x->n_items);
        if (usable && x->group[g].n >= c->x->minimum_group) {
            x->group[kept] = x->group[g];
            x->code[kept++] = x->code[g];
            n += x->group[g].n;
            continue;
        }
        rsp_row *r = add_row(c, x->code[g], c->term, NULL, "group_size", x->group[g].n);
        r->estimate = (double) x->group[g].n;
        r->flags = usable || x->group[g].n < c->x->minimum_group ? RSP_F_LOW_BASE : RSP_F_SINGULAR;
    }
    x->n_groups = kept;
    x->n = n;
}

/* ---- rungs ------------------------------------------------------------------------------------------------------ */

static void add_measure(const struct comparison *c, const rsp_rung_fit *f, const char *level, const char *statistic,
                        double x) {
    rsp_row *r = add_row(c, NULL, c->term, level, statistic, c->sample->n);
    if (!f->good) r->flags = f->fit.status == RSP_SEM_NOT_CONVERGED ? RSP_F_NOT_CONVERGED : RSP_F_SINGULAR;
    else if (isfinite(x)) r->estimate = x;
    if (f->good && f->fit.heywood) r->flags |= RSP_F_HEYWOOD;
}

static void add_rung(const struct comparison *c, const rsp_rung_fit *f, const rsp_rung_fit *before, const char *level) {
    bool robust = c->x->robust;
    add_measure(c, f, level, robust ? "chisq_scaled" : "chisq", f->chisq);
    rsp_row *chisq = &c->out->rows[c->out->n - 1];
    if (f->good) {
        chisq->df = f->df;
        if (f->df > 0) chisq->p = rsp_chisq_upper(f->chisq, f->df);
    }
    add_measure(c, f, level, robust ? "cfi_robust" : "cfi", f->cfi);
    add_measure(c, f, level, robust ? "rmsea_robust" : "rmsea", f->rmsea);
    add_measure(c, f, level, "srmr", f->srmr);
    if (!before || !before->good) return;
    add_measure(c, f, level, "delta_cfi", f->cfi - before->cfi);
    add_measure(c, f, level, "delta_rmsea", f->rmsea - before->rmsea);
    add_measure(c, f, level, "delta_srmr", f->srmr - before->srmr);
}

static void add_release(const struct comparison *c, const rsp_release *x) {
    const char *kind = x->rung == RSP_METRIC ? "loading" : "intercept";
    rsp_row *r =
        add_row(c, NULL, c->term, rsp_printf(c->a, "%s:%s", kind, c->sample->item[x->item]), "released", c->sample->n);
    r->estimate = x->score;
    r->df = x->df;
    r->p = rsp_chisq_upper(x->score, x->df);
}

static void add_rungs(const struct comparison *c) {
    const rsp_ladder *l = &c->ladder;
    const rsp_rung_fit *before = NULL;
    for (rsp_rung k = RSP_CONFIGURAL; k <= RSP_SCALAR; k++) {
        /* The full scalar model is compared with the full metric one, the partial one with what it was climbed from. */
        add_rung(c, &l->rung[k], k ? &l->rung[k - 1] : NULL, RUNGS[k]);
        if (l->partial[k].sem.n_cells) add_rung(c, &l->partial[k], before, PARTIAL[k]);
        before = l->partial[k].sem.n_cells ? &l->partial[k] : &l->rung[k];
    }
    for (size_t k = 0; k < l->n_releases; k++) add_release(c, &l->releases[k]);
}

/* ---- one factor in all groups ------------------------------------------------------------------------------------- */

/* Loadings and intercepts of the configural model with their errors, [group * p + item of the factor]. */
struct factor_values {
    size_t p, n_groups, *item;
    double *n, *loading, *intercept, *loading_var, *intercept_var, *cov;
    double *mean, *sd; /* aligned */
    double *loading_al, *intercept_al;
};

static size_t find_cell(const rsp_sem *s, rsp_sem_matrix matrix, size_t group, size_t row, size_t column) {
    for (size_t k = 0; k < s->n_cells; k++) {
        const rsp_sem_cell *c = &s->cells[k];
        if (c->matrix == matrix && c->group == group && c->row == row && c->column == column) return k;
    }
    return RSP_NONE;
}

static double covariance_of(const rsp_rung_fit *f, size_t j, size_t k) {
    size_t a = f->sem.cells[j].free, b = f->sem.cells[k].free;
    return a == RSP_NONE || b == RSP_NONE ? 0 : f->fit.vcov[a * f->sem.n_free + b];
}

static struct factor_values read_values(const struct comparison *c, size_t factor) {
    const rsp_rung_fit *f = &c->ladder.rung[RSP_CONFIGURAL];
    size_t groups = f->sem.n_groups, most = groups * f->sem.p;
    struct factor_values v = {.n_groups = groups, .item = RSP_ARRAY(c->a, size_t, f->sem.p)};
    for (size_t i = 0; i < f->sem.p; i++)
        if (rsp_factor_of_item(&f->sem, i) == factor) v.item[v.p++] = i;
    double **arrays[] = {&v.loading, &v.intercept,  &v.loading_var, &v.intercept_var,
                         &v.cov,     &v.loading_al, &v.intercept_al};
    for (size_t k = 0; k < sizeof arrays / sizeof *arrays; k++) *arrays[k] = RSP_ARRAY(c->a, double, most);
    v.n = RSP_ARRAY(c->a, double, groups);
    v.mean = RSP_ARRAY(c->a, double, groups);
    v.sd = RSP_ARRAY(c->a, double, groups);
    for (size_t g = 0; g < groups; g++) {
        double sign = 0;
        v.n[g] = (double) c->sample->group[g].n;
        for (size_t i = 0; i < v.p; i++) {
            size_t l = find_cell(&f->sem, RSP_SEM_LAMBDA, g, v.item[i], factor),
                   t = find_cell(&f->sem, RSP_SEM_NU, g, v.item[i], 0), at = g * v.p + i;
            v.loading[at] = f->value[l];
            v.intercept[at] = f->value[t];
            v.loading_var[at] = covariance_of(f, l, l);
            v.intercept_var[at] = covariance_of(f, t, t);
            v.cov[at] = covariance_of(f, l, t);
            sign += f->value[l] * v.loading[i]; /* the same direction as in the first group */
        }
        for (size_t i = 0; i < v.p && sign < 0; i++) {
            v.loading[g * v.p + i] *= -1;
            v.cov[g * v.p + i] *= -1;
        }
    }
    return v;
}

/* Groups whose parameter of item i is not that of the largest set. Errors take the aligned means as given. */
static size_t count_differing(const struct comparison *c, const struct factor_values *v, size_t i, bool intercept) {
    double *x = RSP_ARRAY(c->a, double, v->n_groups), *se = RSP_ARRAY(c->a, double, v->n_groups);
    bool *same = RSP_ARRAY(c->a, bool, v->n_groups);
    size_t differing = 0;
    for (size_t g = 0; g < v->n_groups; g++) {
        size_t at = g * v->p + i;
        double b = v->mean[g] / v->sd[g];
        x[g] = intercept ? v->intercept_al[at] : v->loading_al[at];
        se[g] = intercept ? sqrt(v->intercept_var[at] + b * b * v->loading_var[at] - 2 * b * v->cov[at])
                          : sqrt(v->loading_var[at]) / v->sd[g];
    }
    rsp_invariant_set(v->n_groups, x, se, v->n, same);
    for (size_t g = 0; g < v->n_groups; g++) differing += !same[g];
    return differing;
}

/* Effect of an item's own parameters on its mean in a group, in standard deviations: dMACS of Nye and Drasgow (2011),
 * group g being focal and all others together the reference, on the aligned metric. */
static double dmacs(const struct comparison *c, const struct factor_values *v, size_t g, size_t i) {
    size_t item = v->item[i], p = c->sample->n_items;
    double n = 0, loading = 0, intercept = 0, df = 0, ss = 0;
    for (size_t h = 0; h < v->n_groups; h++) {
        const rsp_sem_sample *s = &c->sample->group[h];
        if (h == g) continue;
        n += v->n[h];
        loading += v->n[h] * v->loading_al[h * v->p + i];
        intercept += v->n[h] * v->intercept_al[h * v->p + i];
        ss += v->n[h] * s->cov[item * p + item]; /* moments are divided by n */
        df += v->n[h] - 1;
    }
    const rsp_sem_sample *focal = &c->sample->group[g];
    double nf = v->n[g], sd_r = sqrt(ss / df), sd_f = sqrt(focal->cov[item * p + item] * nf / (nf - 1)),
           sd = ((n - 1) * sd_r + (nf - 1) * sd_f) / (n + nf - 2);
    double a = intercept / n - v->intercept_al[g * v->p + i], b = loading / n - v->loading_al[g * v->p + i];
    double at_mean = a + b * v->mean[g];
    return sqrt(at_mean * at_mean + b * b * v->sd[g] * v->sd[g]) / sd;
}

/* ---- means of groups -------------------------------------------------------------------------------------------- */

/* Means of a factor under a rung's model, in standard deviations of the first group; NaN where it was not fitted. */
static void rung_means(const struct comparison *c, const rsp_rung_fit *f, size_t factor, double *mean, double *se) {
    for (size_t g = 0; g < c->sample->n_groups; g++) {
        size_t k = f->good ? find_cell(&f->sem, RSP_SEM_ALPHA, g, factor, 0) : RSP_NONE;
        mean[g] = k == RSP_NONE ? NAN : f->value[k];
        se[g] = k == RSP_NONE ? NAN : sqrt(covariance_of(f, k, k));
    }
}

/* The most that a difference between two groups changes from one set of means to the other. */
static double largest_move(size_t n, const double *from, const double *to) {
    double low = INFINITY, high = -INFINITY;
    for (size_t g = 0; g < n; g++) {
        low = fmin(low, to[g] - from[g]);
        high = fmax(high, to[g] - from[g]);
    }
    return high - low;
}

static void add_move(const struct comparison *c, const char *term, const char *level, const double *from,
                     const double *to) {
    double x = largest_move(c->sample->n_groups, from, to);
    if (isfinite(x)) add_row(c, NULL, term, level, "mean_shift", c->sample->n)->estimate = x;
}

static void add_means(const struct comparison *c, const char *term, const char *level, const double *mean,
                      const double *se) {
    for (size_t g = 0; g < c->sample->n_groups; g++) {
        if (isnan(mean[g])) continue;
        rsp_row *r = add_row(c, c->sample->code[g], term, level, "latent_mean", c->sample->group[g].n);
        r->estimate = mean[g];
        if (!se || !(se[g] > 0)) continue;
        r->se = se[g];
        rsp_row_interval(r);
    }
}

/* ---- one factor's rows ------------------------------------------------------------------------------------------ */

static void add_aligned(const struct comparison *c, const char *term, const struct factor_values *v) {
    for (size_t g = 0; g < v->n_groups; g++) {
        const char *code = c->sample->code[g];
        size_t n = c->sample->group[g].n;
        add_row(c, code, term, "aligned", "latent_variance", n)->estimate = v->sd[g] * v->sd[g];
        for (size_t i = 0; i < v->p; i++)
            add_row(c, code, term, c->sample->item[v->item[i]], "dmacs", n)->estimate = dmacs(c, v, g, i);
    }
}

static bool align(struct comparison *c, struct factor_values *v, size_t differing[2]) {
    rsp_unaligned u = {v->n_groups, v->p, v->n, v->loading, v->intercept};
    double loss;
    if (v->p < 2 || !rsp_align(&u, v->mean, v->sd, &loss)) return false;
    rsp_aligned(&u, v->mean, v->sd, v->loading_al, v->intercept_al);
    for (size_t i = 0; i < v->p; i++)
        for (int k = 0; k < 2; k++) differing[k] += count_differing(c, v, i, k == 1);
    return true;
}

/* Alignment of every factor; the share of parameters that differ, over all of them. */
static struct factor_values *align_all(struct comparison *c) {
    struct factor_values *v = RSP_ARRAY(c->a, struct factor_values, c->n_factors);
    size_t differing[2] = {0}, parameters = 0;
    bool ok = true;
    for (size_t k = 0; k < c->n_factors; k++) {
        v[k] = read_values(c, k);
        if (!align(c, &v[k], differing)) {
            v[k].p = 0;
            ok = false;
        }
        parameters += v[k].p * v[k].n_groups;
    }
    for (int k = 0; k < 3; k++) c->share[k] = NAN;
    if (!ok || !parameters) return v;
    c->share[0] = (double) differing[0] / (double) parameters;
    c->share[1] = (double) differing[1] / (double) parameters;
    c->share[2] = (c->share[0] + c->share[1]) / 2;
    return v;
}

static void add_factor(const struct comparison *c, size_t factor, const struct factor_values *v) {
    const rsp_ladder *l = &c->ladder;
    size_t groups = c->sample->n_groups;
    const char *term = rsp_printf(c->a, "%s:%s", c->factor[factor], c->sample->group_name);
    double *scalar = RSP_ARRAY(c->a, double, 4 * groups), *scalar_se = scalar + groups, *partial = scalar_se + groups,
           *partial_se = partial + groups;
    bool released = l->partial[RSP_SCALAR].sem.n_cells > 0;
    rung_means(c, &l->rung[RSP_SCALAR], factor, scalar, scalar_se);
    if (released) rung_means(c, &l->partial[RSP_SCALAR], factor, partial, partial_se);
    if (released) add_move(c, term, "partial", scalar, partial);
    if (v->p) add_move(c, term, "aligned", scalar, v->mean);
    add_means(c, term, "scalar", scalar, scalar_se);
    if (released) add_means(c, term, "partial", partial, partial_se);
    if (!v->p) return;
    add_means(c, term, "aligned", v->mean, NULL);
    add_aligned(c, term, v);
}

/* ---- verdict ---------------------------------------------------------------------------------------------------- */

/* With many groups a partial ladder seldom holds; then alignment with few parameters that differ gives means that may
 * be compared with caution (Muthen and Asparouhov 2014: up to a quarter). */
static rsp_grade graded(struct comparison *c, double stretch) {
    enum { MANY_GROUPS = 10 };
    rsp_ladder_climb(&c->spec, stretch, c->a, &c->ladder);
    bool aligned = c->ladder.grade == RSP_NOT_COMPARABLE && c->ladder.holds[RSP_CONFIGURAL] &&
                   c->sample->n_groups >= MANY_GROUPS && c->share[2] <= c->spec.cutoffs.noninvariant * stretch;
    return aligned ? RSP_WITH_CAUTION : c->ladder.grade;
}

/* The verdict; the lowest and the highest that cut-offs moved by the margin would give. */
static rsp_grade judge(struct comparison *c) {
    rsp_grade strict = graded(c, 1 - c->x->margin), lenient = graded(c, 1 + c->x->margin), grade = graded(c, 1);
    c->low = strict < grade ? strict : grade;
    c->high = lenient > grade ? lenient : grade;
    return grade;
}

/* What tonight's data say, and what counts: the same until the previous publication is asked (comparability.c). */
static void add_verdict_row(const struct comparison *c, rsp_grade grade, bool enough, const char *statistic) {
    rsp_row *r = add_row(c, NULL, c->term, enough ? rsp_grade_word(grade) : NULL, statistic, c->sample->n);
    const rsp_rung_fit *f = &c->ladder.rung[RSP_CONFIGURAL];
    if (!enough) {
        r->flags = RSP_F_EMPTY; /* nothing to compare */
        return;
    }
    r->estimate = grade;
    r->lower = c->low;
    r->upper = c->high;
    if (!f->good) r->flags = f->fit.status == RSP_SEM_NOT_CONVERGED ? RSP_F_NOT_CONVERGED : RSP_F_SINGULAR;
}

static void add_verdict(struct comparison *c) {
    bool enough = c->sample->n_groups > 1;
    rsp_grade grade = enough ? judge(c) : RSP_NOT_COMPARABLE;
    add_verdict_row(c, grade, enough, "verdict");
    add_verdict_row(c, grade, enough, "verdict_computed");
}

/* ---- the analysis ----------------------------------------------------------------------------------------------- */

static void compare(const rsp_sample *s, const rsp_analysis *an, size_t model, size_t by, rsp_results *out,
                    rsp_diag *d) {
    rsp_arena *a = rsp_arena_new();
    const char *group_name = s->frame->study->variables[by].name;
    rsp_factor_model f = {.syntax = an->invariance.syntax[model],
                          .estimator = an->invariance.robust ? RSP_MLR : RSP_ML,
                          .group = by,
                          .group_name = group_name,
                          .std_lv = true};
    struct comparison c = {.an = an, .x = &an->invariance, .name = an->invariance.name[model], .out = out, .a = a};
    c.term = rsp_printf(a, "%s:%s", c.name, group_name);
    c.sample = rsp_factor_sample_new(s, &f, an->filter, NULL, a, d);
    keep_large_groups(&c);
    if (c.sample->n_groups > 1) {
        size_t n_items;
        const char **items;
        rsp_factor_names(f.syntax, a, &n_items, &items, &c.n_factors, &c.factor);
        rsp_factor_cells(&f, c.sample, a, &c.configural);
        c.spec = (rsp_ladder_spec){&c.configural, c.sample->group, c.x->robust, c.x->anchors,
                                   rsp_cutoffs_settle(&c.x->cutoffs, c.sample->n_groups, c.sample->n)};
        rsp_ladder_climb(&c.spec, 1, a, &c.ladder);
    }
    struct factor_values *v = NULL;
    if (c.sample->n_groups > 1 && c.ladder.rung[RSP_CONFIGURAL].good) v = align_all(&c);
    add_verdict(&c);
    if (c.sample->n_groups > 1) add_rungs(&c);
    for (int k = 0; v && k < 3; k++) {
        static const char *const levels[] = {"loading", "intercept", "all"};
        if (!isnan(c.share[k]))
            add_row(&c, NULL, c.term, levels[k], "noninvariant_share", c.sample->n)->estimate = c.share[k];
    }
    for (size_t k = 0; v && k < c.n_factors; k++) add_factor(&c, k, &v[k]);
    rsp_arena_free(a);
}

void rsp_measure_invariance(rsp_sample *s, const rsp_analysis *an, rsp_results *out, rsp_diag *d) {
    for (size_t m = 0; m < an->invariance.n_models; m++)
        for (size_t k = 0; k < an->invariance.n_by; k++) compare(s, an, m, an->invariance.by[k], out, d);
}
