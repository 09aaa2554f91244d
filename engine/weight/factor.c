/* Pivoted Cholesky factors of small positive semidefinite matrices. Written out here, not left to LAPACK: the matrices
 * are tiny, there is one for every group and replicate, and the rank decision must be the same on every machine. */
#include "weight/internal.h"

#include <math.h>
#include <string.h>

/* Of a unit diagonal: what is left of a column that the ones before explain is rounding, below 1e-13 for dummies. */
static const double DEPENDENT = 1e-10;

rsp_factor rsp_factor_new(rsp_arena *a, size_t p) {
    return (rsp_factor){.p = p,
                        .l = RSP_ARRAY(a, double, p *p),
                        .scale = RSP_ARRAY(a, double, p),
                        .perm = RSP_ARRAY(a, uint32_t, p),
                        .work = RSP_ARRAY(a, double, p)};
}

static void swap_pivot(rsp_factor *f, size_t k, size_t with) {
    if (k == with) return;
    uint32_t index = f->perm[k];
    f->perm[k] = f->perm[with];
    f->perm[with] = index;
    double left = f->work[k];
    f->work[k] = f->work[with];
    f->work[with] = left;
    for (size_t j = 0; j < k; j++) {
        double value = f->l[k * f->p + j];
        f->l[k * f->p + j] = f->l[with * f->p + j];
        f->l[with * f->p + j] = value;
    }
}

void rsp_factorise(rsp_factor *f, size_t p, const double *matrix) {
    f->p = p;
    f->rank = 0;
    for (size_t j = 0; j < p; j++) {
        double diagonal = matrix[j * p + j];
        f->perm[j] = (uint32_t) j;
        f->scale[j] = diagonal > 0 ? 1 / sqrt(diagonal) : 0;
        f->work[j] = diagonal > 0 ? 1 : 0; /* what is left of the diagonal */
    }
    for (size_t k = 0; k < p; k++) {
        size_t best = k;
        for (size_t j = k + 1; j < p; j++)
            if (f->work[j] > f->work[best]) best = j;
        if (!(f->work[best] > DEPENDENT)) return;
        swap_pivot(f, k, best);
        double pivot = sqrt(f->work[k]);
        f->l[k * p + k] = pivot;
        for (size_t i = k + 1; i < p; i++) {
            double sum = matrix[(size_t) f->perm[i] * p + f->perm[k]] * f->scale[f->perm[i]] * f->scale[f->perm[k]];
            for (size_t j = 0; j < k; j++) sum -= f->l[i * p + j] * f->l[k * p + j];
            double value = sum / pivot;
            f->l[i * p + k] = value;
            f->work[i] -= value * value;
        }
        f->rank = k + 1;
    }
}

void rsp_factor_solve(const rsp_factor *f, double *work, double *b) {
    size_t p = f->p, r = f->rank;
    for (size_t i = 0; i < r; i++) {
        double sum = b[f->perm[i]] * f->scale[f->perm[i]];
        for (size_t j = 0; j < i; j++) sum -= f->l[i * p + j] * work[j];
        work[i] = sum / f->l[i * p + i];
    }
    for (size_t i = r; i-- > 0;) {
        for (size_t j = i + 1; j < r; j++) work[i] -= f->l[j * p + i] * work[j];
        work[i] /= f->l[i * p + i];
    }
    memset(b, 0, p * sizeof *b);
    for (size_t i = 0; i < r; i++) b[f->perm[i]] = work[i] * f->scale[f->perm[i]];
}
