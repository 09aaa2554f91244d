/* Linearised variance. A statistic with influence z has, for its variance, the total of u = w e, e the residual of z
 * from the regression on the margins of its group with the weights before calibration (Deville and Saerndal 1993,
 * JASA 88, 1013-1020); z itself where nothing is calibrated. Totals of u by sampling unit then give the variance stage
 * by stage (Bellhouse 1985; Saerndal, Swensson and Wretman 1992, section 4.3):
 *
 *   V = sum over strata (1-f) n/(n-1) sum (t - mean)^2 + sum over units f_parent V(stages below)
 *
 * Rows are visited by unit, each unit's sum is one thread's: the result has the same bits for any number of threads. */
#include "weight/internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { PARALLEL_WORK = 100000, CHUNK = 512 };

/* ---- residuals -------------------------------------------------------------------------------------------------- */

/* predicted[p * n_cells]: fitted value of each statistic in each cell, 0 where the group is not calibrated. */
static void cell_sums(const rsp_sample *s, const double *const *z, size_t p, double *sum) {
    const rsp_calibration *c = s->private_->calibration;
#pragma omp parallel for collapse(2) schedule(dynamic, 16) if (s->n * p > PARALLEL_WORK)
    for (size_t k = 0; k < p; k++)
        for (size_t cell = 0; cell < c->n_cells; cell++) {
            double total = 0;
            for (size_t r = c->cell_start[cell]; r < c->cell_start[cell + 1]; r++) {
                size_t i = c->cell_order[r];
                total += s->base[i] * z[k][i];
            }
            sum[k * c->n_cells + cell] = total;
        }
}

static void predict_group(const rsp_calibration *c, size_t group, double *cell, double *beta, double *work) {
    const rsp_problem *p = &c->problems[group];
    size_t             from = c->group_cell[group], numeric = p->n_cols - p->n_numeric;
    memset(beta, 0, p->n_cols * sizeof *beta);
    for (size_t k = 0; k < p->n_cells; k++) {
        for (size_t m = 0; m < p->n_margins; m++) beta[p->col[k * p->n_margins + m]] += cell[from + k];
        for (size_t q = 0; q < p->n_numeric; q++) beta[numeric + q] += cell[from + k] * p->x[k * p->n_numeric + q];
    }
    rsp_factor_solve(&c->regression[group], work, beta);
    for (size_t k = 0; k < p->n_cells; k++) {
        double fitted = 0;
        for (size_t m = 0; m < p->n_margins; m++) fitted += beta[p->col[k * p->n_margins + m]];
        for (size_t q = 0; q < p->n_numeric; q++) fitted += beta[numeric + q] * p->x[k * p->n_numeric + q];
        cell[from + k] = fitted;
    }
}

static double *predictions(const rsp_sample *s, const double *const *z, size_t p) {
    const rsp_calibration *c = s->private_->calibration;
    if (!c) return NULL;
    double *cell = rsp_malloc(p * c->n_cells * sizeof *cell);
    cell_sums(s, z, p, cell);
    double *beta = rsp_malloc(2 * (c->max_cols + 1) * sizeof *beta);
    for (size_t k = 0; k < p; k++)
        for (size_t g = 0; g < c->n_groups; g++) {
            double *mine = cell + k * c->n_cells;
            if (c->solved[g]) predict_group(c, g, mine, beta, beta + c->max_cols + 1);
            else memset(mine + c->group_cell[g], 0, (c->group_cell[g + 1] - c->group_cell[g]) * sizeof *mine);
        }
    free(beta);
    return cell;
}

/* ---- totals ----------------------------------------------------------------------------------------------------- */

/* totals[p * units of the last stage] of w (z - prediction). */
static void unit_totals(const rsp_sample *s, const double *w, const double *const *z, size_t p, const double *predicted,
                        double *totals) {
    const rsp_design_private *d = s->private_;
    const rsp_calibration    *c = d->calibration;
    size_t                    n_units = d->stages[d->n_stages - 1].n_units, chunks = (n_units + CHUNK - 1) / CHUNK;
#pragma omp parallel for collapse(2) schedule(dynamic) if (s->n * p > PARALLEL_WORK)
    for (size_t k = 0; k < p; k++)
        for (size_t chunk = 0; chunk < chunks; chunk++) {
            size_t        to = (chunk + 1) * CHUNK < n_units ? (chunk + 1) * CHUNK : n_units;
            const double *fitted = predicted ? predicted + k * c->n_cells : NULL;
            for (size_t u = chunk * CHUNK; u < to; u++) {
                double total = 0;
                for (size_t r = d->unit_start[u]; r < d->unit_start[u + 1]; r++) {
                    size_t i = d->order[r];
                    total += w[i] * (fitted ? z[k][i] - fitted[c->row_cell[i]] : z[k][i]);
                }
                totals[k * n_units + u] = total;
            }
        }
}

/* Totals of one stage from those of the stage below, statistic by statistic. */
static double *roll_up(const rsp_stage *below, const double *totals, size_t p) {
    double *up = rsp_calloc(p * below->n_parents, sizeof *up);
    for (size_t k = 0; k < p; k++)
        for (size_t u = 0; u < below->n_units; u++)
            up[k * below->n_parents + (size_t) below->parent[u]] += totals[k * below->n_units + u];
    return up;
}

/* Turns totals into deviations whose products sum to the stage's variance. */
static void center(const rsp_stage *stage, double *t) {
    for (size_t q = 0; q < stage->n_parents; q++) {
        size_t from = stage->first[q], to = stage->first[q + 1];
        double mean = 0, root = sqrt(stage->scale[q]);
        if (stage->mode[q] == RSP_UNIT_SPREAD) {
            for (size_t u = from; u < to; u++) mean += t[u];
            mean /= (double) (to - from);
        }
        for (size_t u = from; u < to; u++) /* not root * anything: NaN must not come of a stratum that adds nothing */
            t[u] = stage->mode[q] == RSP_UNIT_ZERO ? 0 : root * (t[u] - mean);
    }
}

/* Four running sums in fixed order: as fast as the processor adds, and the same everywhere. */
static double dot(const double *x, const double *y, size_t n) {
    double a = 0, b = 0, c = 0, d = 0;
    size_t i = 0;
    for (; i + 4 <= n; i += 4) {
        a += x[i] * y[i];
        b += x[i + 1] * y[i + 1];
        c += x[i + 2] * y[i + 2];
        d += x[i + 3] * y[i + 3];
    }
    for (; i < n; i++) a += x[i] * y[i];
    return (a + b) + (c + d);
}

static void add_products(const rsp_stage *stage, double *t, size_t p, double *vcov) {
    size_t n = stage->n_units;
#pragma omp parallel if (n * p > PARALLEL_WORK)
    {
#pragma omp for schedule(dynamic)
        for (size_t k = 0; k < p; k++) center(stage, t + k * n);
#pragma omp for schedule(dynamic)
        for (size_t k = 0; k < p; k++)
            for (size_t l = 0; l <= k; l++) vcov[k * p + l] += dot(t + k * n, t + l * n, n);
    }
}

static bool report_lonely(const rsp_sample *s, rsp_diag *d) {
    const rsp_design_private *p = s->private_;
    for (size_t k = 0; k < p->n_stages; k++) {
        if (!p->stages[k].lonely) continue;
        size_t lonely = 0, first = RSP_NONE;
        for (size_t q = 0; q < p->stages[k].n_parents; q++) {
            if (p->stages[k].mode[q] != RSP_UNIT_LONELY) continue;
            if (first == RSP_NONE) first = q;
            lonely++;
        }
        for (size_t j = k; j-- > 0;) first = (size_t) p->stages[j].parent[first];
        rsp_arena  *a = rsp_arena_new();
        const char *name = rsp_stratum_name(s, first, a);
        rsp_report(d, RSP_WARNING, s->frame->study->design.loc,
                   "merge it with another, or say lonely: adjust or certainty",
                   "%zu %s with a single sampling unit (the first: '%s'): no variance can be given", lonely,
                   k ? "units of a later stage" : "strata", name);
        rsp_arena_free(a);
        return true;
    }
    return false;
}

bool rsp_taylor(const rsp_sample *s, const double *weight, const double *const *z, size_t p, double *vcov,
                rsp_diag *d) {
    const rsp_design_private *design = s->private_;
    for (size_t k = 0; k < p * p; k++) vcov[k] = NAN;
    if (report_lonely(s, d)) return false;
    memset(vcov, 0, p * p * sizeof *vcov);
    if (!p) return true;
    const rsp_stage *last = &design->stages[design->n_stages - 1];
    double          *predicted = predictions(s, z, p), *totals = rsp_malloc(p * last->n_units * sizeof *totals);
    unit_totals(s, weight ? weight : s->weight, z, p, predicted, totals);
    for (size_t k = design->n_stages; k-- > 0;) {
        double *up = k ? roll_up(&design->stages[k], totals, p) : NULL; /* before they become deviations */
        add_products(&design->stages[k], totals, p, vcov);
        free(totals);
        totals = up;
    }
    free(predicted);
    for (size_t k = 0; k < p; k++)
        for (size_t l = k + 1; l < p; l++) vcov[k * p + l] = vcov[l * p + k];
    return true;
}

double rsp_design_df(const rsp_sample *s, const uint8_t *take) {
    const rsp_design_private *d = s->private_;
    double                    clusters = 0, strata = 0;
    for (size_t h = 0; h < s->n_strata; h++) {
        bool any = false;
        for (size_t c = d->stages[0].first[h]; c < d->stages[0].first[h + 1]; c++) {
            bool here = false;
            for (size_t r = d->cluster_start[c]; r < d->cluster_start[c + 1] && !here; r++) {
                size_t i = d->cluster_order[r];
                here = s->weight[i] != 0 && (!take || take[i]);
            }
            clusters += here;
            any |= here;
        }
        strata += any;
    }
    return clusters - strata;
}
