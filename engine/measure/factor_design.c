/* The variance of total scores under the survey's design: what makes the sandwich of a weighted factor model design-based
 * (Muthen and Satorra 1995; Oberski 2014). Every cell's scores are influences of the house's Taylor kernel. */
#include "measure/factor_cells.h"

#include <math.h>
#include <stdlib.h>

/* place[k]: the k-th row of x in the order of the survey's rows; patterns stand in another. */
static void order_rows(const rsp_sem_sample *x, size_t n_rows, size_t *place, uint32_t *row) {
    size_t *at = rsp_malloc((n_rows + 1) * sizeof *at), n = 0;
    for (size_t i = 0; i < n_rows; i++) at[i] = RSP_NONE;
    for (size_t k = 0; k < x->n; k++) at[x->row[k]] = k;
    for (size_t i = 0; i < n_rows; i++) {
        if (at[i] == RSP_NONE) continue;
        row[n] = (uint32_t) i;
        place[n++] = at[i];
    }
    free(at);
}

static bool taylor(const rsp_sem_design *design, const rsp_sem_sample *x, size_t n_groups, double *const *score,
                   const size_t *k, double *out) {
    const rsp_factor_design *d = design->context;
    rsp_arena *a = rsp_arena_new();
    size_t total = 0, at = 0;
    for (size_t g = 0; g < n_groups; g++) total += k[g];
    rsp_influence *z = RSP_ARRAY(a, rsp_influence, total + 1);
    for (size_t g = 0; g < n_groups; g++) {
        size_t n = x[g].n, *place = RSP_ARRAY(a, size_t, n + 1);
        uint32_t *row = RSP_ARRAY(a, uint32_t, n + 1);
        order_rows(&x[g], d->sample->n, place, row);
        for (size_t j = 0; j < k[g]; j++) {
            double *values = RSP_ARRAY(a, double, n + 1);
            for (size_t i = 0; i < n; i++) values[i] = d->scale * score[g][place[i] * k[g] + j];
            z[at++] = (rsp_influence){n, row, values};
        }
    }
    bool ok = rsp_taylor_rows(d->sample, NULL, z, total, out, d->diag);
    rsp_arena_free(a);
    return ok;
}

rsp_sem_design rsp_factor_taylor(const rsp_factor_design *d) { return (rsp_sem_design){taylor, d}; }

bool rsp_factor_covary(rsp_factor_sample *x, double *const *influence, rsp_arena *a, rsp_diag *d) {
    size_t groups = x->n_groups, q = x->layout.q, all = groups * q, *k = RSP_ARRAY(a, size_t, groups + 1);
    rsp_factor_design context = {x->sample, x->scale, d};
    rsp_sem_design design = rsp_factor_taylor(&context);
    double *v = rsp_calloc(all * all + 1, sizeof *v);
    for (size_t g = 0; g < groups; g++) k[g] = q;
    bool ok = design.variance(&design, x->group, groups, influence, k, v);
    for (size_t g = 0; g < groups; g++) {
        const double **with = RSP_ARRAY(a, const double *, groups);
        for (size_t h = 0; h < groups; h++) {
            double *block = RSP_ARRAY(a, double, q *q), scale = sqrt(x->wls[g].weight * x->wls[h].weight);
            for (size_t i = 0; i < q; i++)
                for (size_t j = 0; j < q; j++) block[i * q + j] = scale * v[(g * q + i) * all + h * q + j];
            with[h] = block;
        }
        x->wls[g].gamma = with[g];
        if (groups > 1) x->wls[g].with = with;
    }
    free(v);
    return ok;
}
