#include "measure/arrow.h"

#include "measure/sem_moments.h"

#include <cblas.h>
#include <lapacke.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Matrices are symmetric: the lower triangle by row is the upper by column, which is what LAPACK is told. */

static size_t shared(const rsp_arrow *a) { return a->k - a->start[a->n_blocks]; }
static size_t size_of(const rsp_arrow *a, size_t block) { return a->start[block + 1] - a->start[block]; }

/* Of a matrix in the order of places. */
static double *block_of(const rsp_arrow *a, double *matrix, size_t block) {
    return matrix + a->start[block] * a->k + a->start[block];
}

void rsp_arrow_new(const rsp_sem *s, rsp_arrow *a) {
    size_t k = s->n_free, groups = s->n_groups, n = 0;
    size_t *group = rsp_malloc((k + 1) * sizeof *group); /* of a parameter; `groups`: of none or several */
    *a = (rsp_arrow){k, groups, rsp_calloc(groups + 1, sizeof *a->start), rsp_malloc((k + 1) * sizeof *a->order)};
    for (size_t j = 0; j < k; j++) group[j] = RSP_NONE;
    for (size_t c = 0; c < s->n_cells; c++) {
        size_t j = s->cells[c].free;
        if (j == RSP_NONE) continue;
        if (group[j] == RSP_NONE) group[j] = s->cells[c].group;
        else if (group[j] != s->cells[c].group) group[j] = groups;
    }
    for (size_t g = 0; g < groups; g++) {
        a->start[g] = n;
        for (size_t j = 0; j < k; j++)
            if (group[j] == g) a->order[n++] = j;
    }
    a->start[groups] = n;
    for (size_t j = 0; j < k; j++)
        if (group[j] == groups || group[j] == RSP_NONE) a->order[n++] = j;
    free(group);
}

void rsp_arrow_free(rsp_arrow *a) { free(a->start), free(a->order); }

/* ---- factor and solution ---------------------------------------------------------------------------------------- */

/* Elements in blocks and of shared parameters; the others of `to` are never looked at. */
static void put_in_order(const rsp_arrow *a, const double *matrix, const double *scale, double ridge, double *to) {
    for (size_t b = 0; b <= a->n_blocks; b++) {
        bool last = b == a->n_blocks;
        for (size_t i = a->start[b]; i < (last ? a->k : a->start[b + 1]); i++) {
            const double *row = matrix + a->order[i] * a->k, by = scale[a->order[i]];
            for (size_t j = last ? 0 : a->start[b]; j <= i; j++)
                to[i * a->k + j] = row[a->order[j]] * by * scale[a->order[j]];
            to[i * a->k + i] += ridge;
        }
    }
}

static bool factorise_block(double *block, size_t n, size_t k, double *least) {
    if (n && LAPACKE_dpotrf_work(LAPACK_COL_MAJOR, 'U', (lapack_int) n, block, (lapack_int) k) != 0) return false;
    for (size_t i = 0; i < n; i++) {
        if (!(block[i * k + i] > 0)) return false; /* or not a number */
        *least = fmin(*least, block[i * k + i]);
    }
    return true;
}

bool rsp_arrow_factorise(const rsp_arrow *a, const double *matrix, const double *scale, double ridge, double *factor,
                         double *least) {
    size_t k = a->k, end = a->start[a->n_blocks], s = shared(a);
    *least = INFINITY;
    put_in_order(a, matrix, scale, ridge, factor);
    double *tail = factor + end * k; /* rows of shared parameters */
    for (size_t b = 0; b < a->n_blocks; b++) {
        size_t n = size_of(a, b);
        double *block = block_of(a, factor, b), *beside = tail + a->start[b];
        if (!factorise_block(block, n, k, least)) return false;
        if (!n || !s) continue;
        cblas_dtrsm(CblasColMajor, CblasLeft, CblasUpper, CblasTrans, CblasNonUnit, (int) n, (int) s, 1, block, (int) k,
                    beside, (int) k);
        cblas_dsyrk(CblasColMajor, CblasUpper, CblasTrans, (int) s, (int) n, -1, beside, (int) k, 1, tail + end,
                    (int) k);
    }
    return factorise_block(tail + end, s, k, least);
}

/* x = R'^-1 x (`back`: R^-1 x) for a block's triangle. */
static void solve_block(const double *block, size_t n, size_t k, bool back, double *x) {
    if (n)
        cblas_dtrsv(CblasColMajor, CblasUpper, back ? CblasNoTrans : CblasTrans, CblasNonUnit, (int) n, block, (int) k,
                    x, 1);
}

void rsp_arrow_solve(const rsp_arrow *a, const double *factor, double *x, double *room) {
    size_t k = a->k, end = a->start[a->n_blocks], s = shared(a);
    const double *tail = factor + end * k;
    for (size_t i = 0; i < k; i++) room[i] = x[a->order[i]];
    for (size_t b = 0; b < a->n_blocks; b++) {
        size_t at = a->start[b];
        solve_block(factor + at * k + at, size_of(a, b), k, false, room + at);
    }
    for (size_t i = 0; i < s; i++)
        for (size_t j = 0; j < end; j++) room[end + i] -= tail[i * k + j] * room[j];
    solve_block(tail + end, s, k, false, room + end);
    solve_block(tail + end, s, k, true, room + end);
    for (size_t i = 0; i < s; i++)
        for (size_t j = 0; j < end; j++) room[j] -= tail[i * k + j] * room[end + i];
    for (size_t b = 0; b < a->n_blocks; b++) {
        size_t at = a->start[b];
        solve_block(factor + at * k + at, size_of(a, b), k, true, room + at);
    }
    for (size_t i = 0; i < k; i++) x[a->order[i]] = room[i];
}

/* ---- inverse ---------------------------------------------------------------------------------------------------- */

static bool invert_block(double *block, size_t n, size_t k) {
    return !n || LAPACKE_dpotri_work(LAPACK_COL_MAJOR, 'U', (lapack_int) n, block, (lapack_int) k) == 0;
}

static void mirror(double *matrix, size_t n, size_t k) {
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < i; j++) matrix[j * k + i] = matrix[i * k + j];
}

/* The factor becomes the inverse [k*k], in the order of places. With V the rows of shared parameters times the inverse of a
 * block's triangle and S the inverse of what blocks leave of them, it is S there, -S V beside, and V'S V (to which blocks
 * add their own inverses) elsewhere. */
static bool invert_factor(const rsp_arrow *a, double *factor) {
    size_t k = a->k, end = a->start[a->n_blocks], s = shared(a);
    double *tail = factor + end * k, *beside = rsp_malloc((s * k + 1) * sizeof *beside);
    bool ok = invert_block(tail + end, s, k);
    mirror(tail + end, s, k);
    for (size_t b = 0; b < a->n_blocks; b++) {
        size_t n = size_of(a, b), at = a->start[b];
        double *block = block_of(a, factor, b);
        if (n && s)
            cblas_dtrsm(CblasColMajor, CblasLeft, CblasUpper, CblasNoTrans, CblasNonUnit, (int) n, (int) s, 1, block,
                        (int) k, tail + at, (int) k);
        ok = ok && invert_block(block, n, k);
        mirror(block, n, k);
        for (size_t i = at; i < at + n; i++) {
            memset(factor + i * k, 0, at * sizeof *factor);
            memset(factor + i * k + at + n, 0, (k - at - n) * sizeof *factor);
        }
    }
    if (s && end) {
        for (size_t i = 0; i < s; i++) memcpy(beside + i * k, tail + i * k, end * sizeof *beside);
        cblas_dsymm(CblasRowMajor, CblasLeft, CblasLower, (int) s, (int) end, -1, tail + end, (int) k, beside, (int) k,
                    0, tail, (int) k);
        cblas_dgemm(CblasRowMajor, CblasTrans, CblasNoTrans, (int) end, (int) end, (int) s, -1, beside, (int) k, tail,
                    (int) k, 1, factor, (int) k);
        for (size_t i = 0; i < s; i++)
            for (size_t j = 0; j < end; j++) factor[j * k + end + i] = tail[i * k + j];
    }
    free(beside);
    return ok;
}

bool rsp_arrow_invert(const rsp_arrow *a, double *matrix) {
    size_t k = a->k;
    double *scale = rsp_malloc((k + 1) * sizeof *scale), *factor = rsp_malloc((k * k + 1) * sizeof *factor), least;
    bool ok = true;
    for (size_t i = 0; i < k; i++) {
        ok = ok && matrix[i * k + i] > 0;
        scale[i] = 1 / sqrt(matrix[i * k + i]);
    }
    ok = ok && rsp_arrow_factorise(a, matrix, scale, 0, factor, &least) && invert_factor(a, factor);
    for (size_t i = 0; ok && i < k; i++) ok = factor[i * k + i] < 1e10;
    for (size_t i = 0; ok && i < k; i++)
        for (size_t j = 0; j <= i; j++) {
            size_t x = a->order[i], y = a->order[j];
            matrix[x * k + y] = matrix[y * k + x] = factor[i * k + j] * (scale[x] * scale[y]);
        }
    free(scale), free(factor);
    return ok;
}

/* ---- sandwich --------------------------------------------------------------------------------------------------- */

static void pick(const rsp_arrow *a, size_t block, const double *matrix, double *to) {
    const size_t *of = a->order + a->start[block];
    size_t n = size_of(a, block);
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < n; j++) to[i * n + j] = matrix[of[i] * a->k + of[j]];
}

/* c = a b, all [k*k], a panel of rows at a time, so that large ones can be dealt out: the same bits for any threads. */
static void multiply_panels(const double *a, const double *b, size_t k, double *c) {
    enum { PANEL = 32, WORTH_THREADS = 100 };
#pragma omp parallel for schedule(dynamic, 1) num_threads(rsp_threads()) if (k > WORTH_THREADS)
    for (size_t i = 0; i < k; i += PANEL)
        rsp_multiply(a + i * k, false, b, false, i + PANEL < k ? PANEL : k - i, k, k, c + i * k);
}

void rsp_arrow_sandwich(const rsp_arrow *a, const double *v, const double *b, bool blocks, double *out) {
    size_t k = a->k;
    double *room = rsp_malloc((3 * k * k + 1) * sizeof *room);
    if (!blocks || shared(a)) {
        multiply_panels(v, b, k, room);
        multiply_panels(room, v, k, out);
        free(room);
        return;
    }
    memset(out, 0, k * k * sizeof *out);
    for (size_t g = 0; g < a->n_blocks; g++) {
        size_t n = size_of(a, g), *of = a->order + a->start[g];
        double *vg = room, *bg = room + n * n, *vb = room + 2 * n * n;
        pick(a, g, v, vg);
        pick(a, g, b, bg);
        rsp_multiply(vg, false, bg, false, n, n, n, vb);
        rsp_multiply(vb, false, vg, false, n, n, n, bg);
        for (size_t i = 0; i < n; i++)
            for (size_t j = 0; j < n; j++) out[of[i] * k + of[j]] = bg[i * n + j];
    }
    free(room);
}
