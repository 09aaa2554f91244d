#include "model/solve.h"

#include <lapacke.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- least squares ---------------------------------------------------------------------------------------------- */

/* Four columns x, ld apart, reflected at once: their sums do not wait for each other. */
static void reflect_four(const long double *v, size_t from, size_t to, long double square, long double *x, size_t ld) {
    long double *x1 = x + ld, *x2 = x1 + ld, *x3 = x2 + ld, d0 = 0, d1 = 0, d2 = 0, d3 = 0;
    for (size_t i = from; i < to; i++) {
        d0 += v[i] * x[i];
        d1 += v[i] * x1[i];
        d2 += v[i] * x2[i];
        d3 += v[i] * x3[i];
    }
    d0 /= square, d1 /= square, d2 /= square, d3 /= square;
    for (size_t i = from; i < to; i++) {
        x[i] -= d0 * v[i];
        x1[i] -= d1 * v[i];
        x2[i] -= d2 * v[i];
        x3[i] -= d3 * v[i];
    }
}

/* Upper triangle of the columns of a (rows r, columns c, column-major with leading dimension ld), in place. */
static void householder(long double *a, size_t r, size_t c, size_t ld) {
    for (size_t j = 0; j < c && j < r; j++) {
        long double *v = a + j * ld, norm = 0;
        for (size_t i = j; i < r; i++) norm += v[i] * v[i];
        norm = sqrtl(norm);
        if (norm == 0) continue;
        long double alpha = v[j] > 0 ? -norm : norm, head = v[j] - alpha,
                    square = norm * norm - v[j] * alpha; /* |v|^2 / 2 */
        v[j] = head;
        size_t m = j + 1;
        for (; m + 4 <= c; m += 4) reflect_four(v, j, r, square, a + m * ld, ld);
        for (; m < c; m++) {
            long double *x = a + m * ld, dot = 0;
            for (size_t i = j; i < r; i++) dot += v[i] * x[i];
            dot /= square;
            for (size_t i = j; i < r; i++) x[i] -= dot * v[i];
        }
        v[j] = alpha;
        memset(v + j + 1, 0, (r - j - 1) * sizeof *v);
    }
}

/* Rows are cut into as many parts as their number says, whatever the threads; each part's factor is made block by block,
 * the parts' factors then are one more block (Demmel et al. 2012). */
enum { BLOCK_ROWS = 1024, PART_ROWS = 4 * BLOCK_ROWS, MOST_PARTS = 24 };

static size_t number_of_parts(size_t n) { return n / PART_ROWS + 1 < MOST_PARTS ? n / PART_ROWS + 1 : MOST_PARTS; }

static size_t start_of_part(size_t n, size_t part) {
    size_t blocks = (n + BLOCK_ROWS - 1) / BLOCK_ROWS, from = blocks * part / number_of_parts(n) * BLOCK_ROWS;
    return from < n ? from : n;
}

struct rows {
    size_t k;
    const double *const *x, *w, *y;
    const long double *scale; /* [k+1] columns are divided by */
};

/* Triangular factor r [c*c] of the scaled weighted columns and y in rows from .. to. */
static void triangle_of_part(const struct rows *of, size_t from, size_t to, long double *r) {
    size_t c = of->k + 1, ld = c + BLOCK_ROWS;
    long double *a = rsp_calloc(ld * c, sizeof *a);
    memset(r, 0, c * c * sizeof *r);
    for (; from < to; from += BLOCK_ROWS) {
        size_t rows = to - from < BLOCK_ROWS ? to - from : BLOCK_ROWS;
        for (size_t j = 0; j < c; j++) {
            memcpy(a + j * ld, r + j * c, c * sizeof *a);
            const double *column = j < of->k ? of->x[j] : of->y;
            for (size_t i = 0; i < rows; i++) {
                long double root = of->w ? sqrtl((long double) of->w[from + i]) : 1;
                a[j * ld + c + i] = column ? root * (long double) column[from + i] / of->scale[j] : 0;
            }
        }
        householder(a, c + rows, c, ld);
        for (size_t j = 0; j < c; j++) memcpy(r + j * c, a + j * ld, c * sizeof *r);
    }
    free(a);
}

static void triangle(const struct rows *of, size_t n, long double *r) {
    size_t c = of->k + 1, parts = number_of_parts(n);
    long double *factor = rsp_malloc(parts * c * c * sizeof *factor), *all;
#pragma omp parallel for schedule(dynamic, 1) num_threads(rsp_threads()) if (parts > 1)
    for (size_t p = 0; p < parts; p++)
        triangle_of_part(of, start_of_part(n, p), start_of_part(n, p + 1), factor + p * c * c);
    if (parts > 1) {
        all = rsp_malloc(parts * c * c * sizeof *all);
        for (size_t j = 0; j < c; j++)
            for (size_t p = 0; p < parts; p++)
                memcpy(all + (j * parts + p) * c, factor + (p * c + j) * c, c * sizeof *all);
        householder(all, parts * c, c, parts * c);
        for (size_t j = 0; j < c; j++) memcpy(factor + j * c, all + j * parts * c, c * sizeof *all);
        free(all);
    }
    memcpy(r, factor, c * c * sizeof *r);
    free(factor);
}

static void column_scales(const struct rows *of, size_t n, long double *scale) {
#pragma omp parallel for schedule(dynamic, 1) num_threads(rsp_threads()) if (n > PART_ROWS)
    for (size_t j = 0; j < of->k; j++) {
        long double s = 0;
        for (size_t i = 0; i < n; i++)
            s += (of->w ? (long double) of->w[i] : 1) * (long double) of->x[j][i] * (long double) of->x[j][i];
        scale[j] = s > 0 ? sqrtl(s) : 1;
    }
    scale[of->k] = 1;
}

/* The same in double precision, for many rows: two or three times the digits of the data, in a tenth of the time.
 * r is scaled like triangle's; scale, too, is filled. */
static void quick_triangle_of_part(const struct rows *of, size_t from, size_t to, double *r) {
    enum { ROWS = 256, COLUMNS = 8 };
    size_t c = of->k + 1, panel = c < COLUMNS ? c : COLUMNS;
    double *a = rsp_malloc((ROWS * c + 2 * panel * c) * sizeof *a), *t = a + ROWS * c, root[ROWS];
    memset(r, 0, c * c * sizeof *r);
    for (; from < to; from += ROWS) {
        size_t rows = to - from < ROWS ? to - from : ROWS;
        for (size_t i = 0; i < rows; i++) root[i] = of->w ? sqrt(of->w[from + i]) : 1;
        for (size_t j = 0; j < c; j++) {
            const double *column = j < of->k ? of->x[j] : of->y;
            for (size_t i = 0; i < rows; i++) a[j * ROWS + i] = column ? root[i] * column[from + i] : 0;
        }
        LAPACKE_dtpqrt_work(LAPACK_COL_MAJOR, (lapack_int) rows, (lapack_int) c, 0, (lapack_int) panel, r,
                            (lapack_int) c, a, ROWS, t, (lapack_int) panel, t + panel * c);
    }
    free(a);
}

static void quick_triangle(const struct rows *of, size_t n, long double *scale, long double *r) {
    size_t c = of->k + 1, parts = number_of_parts(n), panel = 1;
    double *factor = rsp_malloc((parts * c * c + 2 * c) * sizeof *factor), *t = factor + parts * c * c;
#pragma omp parallel for schedule(dynamic, 1) num_threads(rsp_threads()) if (parts > 1)
    for (size_t p = 0; p < parts; p++)
        quick_triangle_of_part(of, start_of_part(n, p), start_of_part(n, p + 1), factor + p * c * c);
    for (size_t p = 1; p < parts; p++)
        LAPACKE_dtpqrt_work(LAPACK_COL_MAJOR, (lapack_int) c, (lapack_int) c, (lapack_int) c, (lapack_int) panel,
                            factor, (lapack_int) c, factor + p * c * c, (lapack_int) c, t, (lapack_int) panel, t + c);
    for (size_t j = 0; j < c; j++) {
        long double length = 0;
        for (size_t i = 0; i <= j; i++) length += (long double) factor[j * c + i] * (long double) factor[j * c + i];
        scale[j] = j < of->k && length > 0 ? sqrtl(length) : 1;
        for (size_t i = 0; i < c; i++) r[j * c + i] = i <= j ? (long double) factor[j * c + i] / scale[j] : 0;
    }
    free(factor);
}

/* Column x [c] after the reflections v [c by column, rank of them] that made a triangle of the columns before it. */
static void reflect_column(const long double *v, const long double *square, size_t rank, size_t c, long double *x) {
    for (size_t j = 0; j < rank; j++, v += c) {
        long double dot = 0;
        for (size_t i = j; i < c; i++) dot += v[i] * x[i];
        dot /= square[j];
        for (size_t i = j; i < c; i++) x[i] -= dot * v[i];
    }
}

/* A second pass over the small factor leaves out columns that those before determine: what is left of a column of unit
 * length after the kept ones were taken out. `q` gets the triangle of the kept columns and, last, y; returns the number
 * kept. */
static size_t keep_columns(const long double *r, size_t k, long double *q, size_t *kept, bool *aliased) {
    const long double tolerance = 1e-11L;
    size_t c = k + 1, rank = 0;
    long double *v = rsp_malloc((c + 1) * c * sizeof *v), *square = v + c * c;
    for (size_t j = 0; j < c; j++) {
        long double *x = q + rank * c, *own = v + rank * c, left = 0;
        memcpy(x, r + j * c, c * sizeof *x);
        reflect_column(v, square, rank, c, x);
        for (size_t i = rank; i < c; i++) left += x[i] * x[i];
        left = sqrtl(left);
        if (j < k) aliased[j] = !(left > tolerance);
        if (j < k ? aliased[j] : left == 0) continue;
        memcpy(own, x, c * sizeof *own);
        memset(x + rank, 0, (c - rank) * sizeof *x);
        x[rank] = own[rank] > 0 ? -left : left;
        square[rank] = left * left - own[rank] * x[rank]; /* |v|^2 / 2 */
        own[rank] -= x[rank];
        if (j < k) kept[rank++] = j;
    }
    free(v);
    return rank;
}

/* Inverse, column by column, of the leading triangle of q [c*c, by column]. */
static void invert_triangle(const long double *q, size_t rank, size_t c, long double *inverse) {
    for (size_t m = 0; m < rank; m++)
        for (size_t j = m + 1; j-- > 0;) {
            long double s = j == m ? 1 : 0;
            for (size_t l = j + 1; l <= m; l++) s -= q[l * c + j] * inverse[m * c + l];
            inverse[m * c + j] = s / q[j * c + j];
        }
}

/* Condition of columns of unit length, in Frobenius' norm: how many times the data's relative errors may come out. */
static long double condition(const long double *inverse, size_t rank, size_t c) {
    long double sum = 0;
    for (size_t m = 0; m < rank; m++)
        for (size_t j = 0; j <= m; j++) sum += inverse[m * c + j] * inverse[m * c + j];
    return sqrtl(sum * (long double) rank);
}

/* Double precision keeps twelve digits up to this condition; fewer rows are quick anyway. */
static const long double QUICK_CONDITION = 1e4L;
enum { QUICK_ROWS = 4096 };

void rsp_least_squares_fit(size_t n, size_t k, const double *const *x, const double *w, const double *y, rsp_arena *a,
                           rsp_least_squares *out) {
    size_t c = k + 1, rank;
    long double *r = rsp_calloc(c * c, sizeof *r), *q = rsp_calloc(c * c, sizeof *q),
                *inverse = rsp_calloc(c * c, sizeof *inverse);
    long double *scale = rsp_calloc(c, sizeof *scale), *b = rsp_calloc(c, sizeof *b);
    size_t *kept = rsp_calloc(c, sizeof *kept);
    *out = (rsp_least_squares){.k = k,
                               .beta = RSP_ARRAY(a, double, k),
                               .aliased = RSP_ARRAY(a, bool, k),
                               .inverse = RSP_ARRAY(a, double, k *k)};
    struct rows of = {k, x, w, y, scale};
    for (bool quick = n >= QUICK_ROWS;; quick = false) {
        if (quick) quick_triangle(&of, n, scale, r);
        else column_scales(&of, n, scale), triangle(&of, n, r);
        rank = keep_columns(r, k, q, kept, out->aliased);
        invert_triangle(q, rank, c, inverse);
        if (!quick || (rank == k && condition(inverse, rank, c) < QUICK_CONDITION)) break;
    }
    out->rank = rank;
    for (size_t j = rank; j-- > 0;) { /* back substitution */
        b[j] = q[rank * c + j];
        for (size_t m = j + 1; m < rank; m++) b[j] -= q[m * c + j] * b[m];
        b[j] /= q[j * c + j];
        out->beta[kept[j]] = (double) (b[j] / scale[kept[j]]);
    }
    for (size_t i = 0; i < rank; i++)
        for (size_t j = 0; j < rank; j++) {
            long double s = 0;
            for (size_t m = i > j ? i : j; m < rank; m++) s += inverse[m * c + i] * inverse[m * c + j];
            out->inverse[kept[i] * k + kept[j]] = (double) (s / scale[kept[i]] / scale[kept[j]]);
        }
    long double rss = 0;
    for (size_t i = rank; i < c; i++) rss += q[rank * c + i] * q[rank * c + i];
    out->rss = (double) rss;
    free(r), free(q), free(inverse), free(scale), free(b), free(kept);
}

/* ---- sums -------------------------------------------------------------------------------------------------------- */

double rsp_sum_of_products(size_t n, const double *w, const double *a, const double *b) {
    size_t blocks = (n + RSP_BLOCK - 1) / RSP_BLOCK;
    double *sums = rsp_calloc(blocks + 1, sizeof *sums), sum = 0;
#pragma omp parallel for schedule(static) num_threads(rsp_threads()) if (blocks > 1)
    for (size_t k = 0; k < blocks; k++)
        for (size_t i = k * RSP_BLOCK; i < n && i < (k + 1) * RSP_BLOCK; i++) sums[k] += (w ? w[i] : 1) * a[i] * b[i];
    for (size_t k = 0; k < blocks; k++) sum += sums[k];
    free(sums);
    return sum;
}

/* ---- symmetric matrices ----------------------------------------------------------------------------------------- */

bool rsp_invert_spd(double *matrix, size_t p) {
    if (p == 0) return true;
    double *scale = rsp_malloc(p * sizeof *scale);
    bool ok = true;
    for (size_t i = 0; i < p; i++) {
        scale[i] = sqrt(matrix[i * p + i]);
        ok = ok && isfinite(scale[i]) && scale[i] > 0;
    }
    for (size_t i = 0; ok && i < p; i++)
        for (size_t j = 0; j < p; j++) matrix[i * p + j] /= scale[i] * scale[j];
    ok = ok && LAPACKE_dpotrf(LAPACK_ROW_MAJOR, 'L', (lapack_int) p, matrix, (lapack_int) p) == 0;
    for (size_t i = 0; ok && i < p; i++) ok = matrix[i * p + i] > 1e-10;
    ok = ok && LAPACKE_dpotri(LAPACK_ROW_MAJOR, 'L', (lapack_int) p, matrix, (lapack_int) p) == 0;
    for (size_t i = 0; ok && i < p; i++)
        for (size_t j = 0; j <= i; j++) {
            double x = matrix[i * p + j] / (scale[i] * scale[j]);
            matrix[i * p + j] = matrix[j * p + i] = x;
        }
    free(scale);
    return ok;
}

double rsp_quadratic_form(const double *b, const double *v, size_t p) {
    double *inverse = rsp_malloc(p * p * sizeof *inverse), sum = 0;
    memcpy(inverse, v, p * p * sizeof *inverse);
    if (!rsp_invert_spd(inverse, p)) sum = NAN;
    for (size_t i = 0; i < p; i++)
        for (size_t j = 0; j < p; j++) sum += b[i] * inverse[i * p + j] * b[j];
    free(inverse);
    return sum;
}

/* ---- Newton ----------------------------------------------------------------------------------------------------- */

enum { MOST_ITERATIONS = 60, MOST_HALVINGS = 30 };

/* step = inverse * gradient; returns the decrement gradient' step, the rise that a quadratic model promises (times 2). */
static double newton_step(const double *inverse, const double *gradient, size_t p, double *step) {
    double decrement = 0;
    for (size_t i = 0; i < p; i++) {
        step[i] = 0;
        for (size_t j = 0; j < p; j++) step[i] += inverse[i * p + j] * gradient[j];
        decrement += step[i] * gradient[i];
    }
    return decrement;
}

struct newton {
    const rsp_likelihood *l;
    const double *w;
    rsp_newton_fit *fit;
    double *gradient, *step, *trial, *unit; /* unit: 1/sqrt(information) at the start, the natural length of a step */
};

/* Moves along step, halved until the likelihood does not fall; leaves gradient and information of the new point. */
static bool move(struct newton *n, double *information) {
    size_t p = n->l->p;
    double length = 1, loglik;
    for (int k = 0; k <= MOST_HALVINGS; k++, length /= 2) {
        for (size_t i = 0; i < p; i++) n->trial[i] = n->fit->par[i] + length * n->step[i];
        bool inside = n->l->evaluate(n->l, n->trial, n->w, &loglik, n->gradient, information);
        if (!inside || !isfinite(loglik) || loglik < n->fit->loglik - 1e-11 * fabs(n->fit->loglik)) continue;
        memcpy(n->fit->par, n->trial, p * sizeof *n->trial);
        n->fit->loglik = loglik;
        return true;
    }
    return false;
}

/* Parameters that still move by much although there is nothing left to gain. */
static bool mark_separated(struct newton *n) {
    size_t p = n->l->p;
    double most = 0;
    bool any = false;
    for (size_t i = 0; i < p; i++) most = fmax(most, fabs(n->step[i] / n->unit[i]));
    for (size_t i = 0; i < p; i++)
        any |= n->fit->separated[i] = fabs(n->step[i] / n->unit[i]) > 1e-3 * most && most > 1e-2;
    return any;
}

static rsp_fit_status iterate(struct newton *n) {
    size_t p = n->l->p;
    rsp_newton_fit *f = n->fit;
    double *information = f->information_inverse; /* evaluated, then inverted, in place */
    if (!n->l->evaluate(n->l, f->par, n->w, &f->loglik, n->gradient, information)) return RSP_FIT_NOT_CONVERGED;
    for (size_t i = 0; i < p; i++) {
        double d = information[i * p + i];
        if (!(d > 0)) return RSP_FIT_SINGULAR;
        n->unit[i] = 1 / sqrt(d);
    }
    bool flat = false;
    for (f->iterations = 0; f->iterations < MOST_ITERATIONS; f->iterations++) {
        if (!rsp_invert_spd(information, p))
            return flat ? (mark_separated(n) ? RSP_FIT_SEPARATED : RSP_FIT_SINGULAR) : RSP_FIT_SINGULAR;
        double decrement = newton_step(information, n->gradient, p, n->step), most = 0;
        for (size_t i = 0; i < p; i++) most = fmax(most, fabs(n->step[i] / n->unit[i]));
        if (decrement < 1e-16 * (1 + fabs(f->loglik)) && most < 1e-7) return RSP_FIT_OK;
        flat = decrement < 1e-9;
        if (flat && most > 0.1 && f->iterations > 12)
            return mark_separated(n) ? RSP_FIT_SEPARATED : RSP_FIT_NOT_CONVERGED;
        if (!move(n, information)) {
            /* Nothing to gain any more within rounding: the last point stands, with its own information. */
            bool small = most < 1e-6;
            n->l->evaluate(n->l, f->par, n->w, &f->loglik, n->gradient, information);
            if (!rsp_invert_spd(information, p)) return RSP_FIT_SINGULAR;
            return small ? RSP_FIT_OK : RSP_FIT_NOT_CONVERGED;
        }
        if (most < f->tolerance) return rsp_invert_spd(information, p) ? RSP_FIT_OK : RSP_FIT_SINGULAR;
    }
    return RSP_FIT_NOT_CONVERGED;
}

void rsp_newton(const rsp_likelihood *l, const double *w, rsp_newton_fit *fit) {
    double *room = rsp_calloc(4 * l->p, sizeof *room);
    struct newton n = {l, w, fit, room, room + l->p, room + 2 * l->p, room + 3 * l->p};
    memset(fit->separated, 0, l->p * sizeof *fit->separated);
    fit->status = iterate(&n);
    free(room);
}
