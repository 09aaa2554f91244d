#include "measure/explore.h"

#include <gsl/gsl_cdf.h>
#include <lapacke.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

bool rsp_eigen(const double *matrix, size_t p, double *value, double *vectors) {
    double *a = rsp_malloc((p * p + p) * sizeof *a), *w = a + p * p;
    memcpy(a, matrix, p * p * sizeof *a);
    bool ok = LAPACKE_dsyev(LAPACK_ROW_MAJOR, vectors ? 'V' : 'N', 'U', (lapack_int) p, a, (lapack_int) p, w) == 0;
    for (size_t j = 0; ok && j < p; j++) {
        value[j] = w[p - 1 - j];
        for (size_t i = 0; vectors && i < p; i++) vectors[i * p + j] = a[i * p + p - 1 - j];
    }
    free(a);
    return ok;
}

/* ---- parallel analysis ------------------------------------------------------------------------------------------ */

/* Correlations of n normal rows: their covariance matrix is Wishart's, whose root Bartlett's decomposition draws in p^2
 * numbers whatever n is. */
static void random_correlations(size_t n, size_t p, uint64_t seed, uint64_t stream, double *root, double *r) {
    rsp_rng rng;
    rsp_rng_init(&rng, seed, stream);
    memset(root, 0, p * p * sizeof *root);
    for (size_t i = 0; i < p; i++) {
        for (size_t j = 0; j < i; j++) root[i * p + j] = rsp_rng_normal(&rng);
        root[i * p + i] = sqrt(gsl_cdf_chisq_Pinv(rsp_rng_uniform(&rng), (double) (n - 1 - i)));
    }
    for (size_t i = 0; i < p; i++) {
        double ss = 0;
        for (size_t k = 0; k <= i; k++) ss += root[i * p + k] * root[i * p + k];
        for (size_t k = 0; k <= i; k++) root[i * p + k] /= sqrt(ss);
    }
    for (size_t i = 0; i < p; i++)
        for (size_t j = 0; j <= i; j++) {
            double sum = 0;
            for (size_t k = 0; k <= j; k++) sum += root[i * p + k] * root[j * p + k];
            r[i * p + j] = r[j * p + i] = sum;
        }
}

static int compare_numbers(const void *a, const void *b) {
    double x = *(const double *) a, y = *(const double *) b;
    return x < y ? -1 : x > y;
}

void rsp_random_eigenvalues(size_t n, size_t p, size_t replicates, uint64_t seed, double *value) {
    double *drawn = rsp_malloc(replicates * p * sizeof *drawn), *room = rsp_malloc((2 * p * p + p) * sizeof *room);
    for (size_t k = 0; k < replicates; k++) {
        random_correlations(n, p, seed, k, room, room + p * p);
        rsp_eigen(room + p * p, p, room + 2 * p * p, NULL);
        for (size_t j = 0; j < p; j++) drawn[j * replicates + k] = room[2 * p * p + j];
    }
    for (size_t j = 0; j < p; j++) {
        qsort(drawn + j * replicates, replicates, sizeof *drawn, compare_numbers);
        value[j] = drawn[j * replicates + (size_t) ceil(0.95 * (double) replicates) - 1];
    }
    free(drawn), free(room);
}

/* ---- extraction ------------------------------------------------------------------------------------------------- */

static const double LEAST_UNIQUENESS = 0.005;

/* The function of x = log uniquenesses. */
struct extraction {
    const double *r;
    size_t p, m;
    bool ml;
    double *matrix, *value, *vectors; /* [p*p], [p], [p*p] at the last x */
};

static double extraction_at(struct extraction *e, const double *x) {
    size_t p = e->p;
    double f = 0;
    for (size_t i = 0; i < p; i++)
        for (size_t j = 0; j < p; j++) {
            double v = e->r[i * p + j];
            e->matrix[i * p + j] = e->ml ? v * exp(-0.5 * (x[i] + x[j])) : v - (i == j ? exp(x[i]) : 0);
        }
    if (!rsp_eigen(e->matrix, p, e->value, e->vectors)) return INFINITY;
    for (size_t j = e->m; j < p; j++) {
        double t = e->value[j];
        if (e->ml && !(t > 0)) return INFINITY;
        f += e->ml ? t - log(t) - 1 : 0.5 * t * t;
    }
    return f;
}

/* Gradient, and Joereskog's approximation of the second derivatives, which is exact where the residuals vanish. */
static void extraction_slopes(const struct extraction *e, const double *x, double *gradient, double *hessian) {
    size_t p = e->p;
    for (size_t i = 0; i < p; i++) {
        double u = exp(x[i]);
        gradient[i] = 0;
        for (size_t j = e->m; j < p; j++) {
            double w = e->vectors[i * p + j], t = e->value[j];
            gradient[i] += (e->ml ? 1 - t : -t * u) * w * w;
        }
        for (size_t k = 0; k < p; k++) {
            double sum = 0;
            for (size_t j = e->m; j < p; j++) sum += e->vectors[i * p + j] * e->vectors[k * p + j];
            hessian[i * p + k] = sum * sum * (e->ml ? 1 : u * exp(x[k]));
        }
    }
}

/* Newton's step over the coordinates that are not held at the bound. */
static bool extraction_step(double *hessian, const double *gradient, const bool *held, size_t p, double ridge,
                            double *step) {
    double *a = rsp_malloc(p * p * sizeof *a);
    memcpy(a, hessian, p * p * sizeof *a);
    for (size_t i = 0; i < p; i++) {
        a[i * p + i] *= 1 + ridge;
        step[i] = held[i] ? 0 : -gradient[i];
        for (size_t k = 0; k < p; k++)
            if (i != k && (held[i] || held[k])) a[i * p + k] = 0;
        if (held[i] || !(a[i * p + i] > 0)) a[i * p + i] = 1;
    }
    bool ok = LAPACKE_dposv(LAPACK_ROW_MAJOR, 'L', (lapack_int) p, 1, a, (lapack_int) p, step, 1) == 0;
    free(a);
    return ok;
}

static bool minimise(struct extraction *e, double *x, rsp_extraction *out) {
    enum { MOST_STEPS = 1000, MOST_RIDGES = 40 };
    size_t p = e->p;
    double *gradient = rsp_malloc((3 * p + p * p) * sizeof *gradient), *step = gradient + p, *trial = step + p,
           *hessian = trial + p, least = log(LEAST_UNIQUENESS), ridge = 0, now = extraction_at(e, x);
    bool *held = rsp_malloc(p * sizeof *held), done = false, stuck = false;
    for (out->iterations = 0; !done && !stuck && out->iterations < MOST_STEPS; out->iterations++) {
        double largest = 0;
        extraction_slopes(e, x, gradient, hessian);
        for (size_t i = 0; i < p; i++) {
            held[i] = x[i] <= least && gradient[i] > 0;
            if (!held[i]) largest = fmax(largest, fabs(gradient[i]));
        }
        done = largest < 1e-11;
        stuck = true;
        for (int k = 0; !done && stuck && k < MOST_RIDGES; k++) {
            bool ok = extraction_step(hessian, gradient, held, p, ridge, step);
            for (size_t i = 0; i < p; i++) trial[i] = fmin(0, fmax(least, x[i] + step[i]));
            double next = ok ? extraction_at(e, trial) : INFINITY;
            stuck = !(next < now);
            if (!stuck) memcpy(x, trial, p * sizeof *x), now = next;
            ridge = stuck ? fmax(1e-4, 4 * ridge) : ridge / 8;
        }
        if (stuck && !done) done = largest < 1e-7; /* within rounding of the minimum */
        if (!isfinite(now)) break;
    }
    extraction_at(e, x);
    free(gradient), free(held);
    return done && isfinite(now);
}

rsp_extraction rsp_extract(const double *r, size_t p, size_t m, bool ml, double *loading) {
    rsp_extraction out = {0};
    double *room = rsp_malloc((2 * p * p + 2 * p) * sizeof *room), *x = room + 2 * p * p + p;
    struct extraction e = {r, p, m, ml, room, room + 2 * p * p, room + p * p};
    bool sound = rsp_eigen(r, p, e.value, NULL) && (!ml || e.value[p - 1] > 1e-10);
    for (size_t i = 0; i < p; i++) x[i] = log(0.5);
    out.converged = sound && minimise(&e, x, &out);
    for (size_t i = 0; i < p; i++) {
        out.heywood |= x[i] <= log(LEAST_UNIQUENESS) + 1e-12;
        for (size_t j = 0; j < m; j++) {
            double t = ml ? e.value[j] - 1 : e.value[j], scale = ml ? exp(0.5 * x[i]) : 1;
            loading[i * m + j] = out.converged ? scale * e.vectors[i * p + j] * sqrt(fmax(0, t)) : NAN;
        }
    }
    free(room);
    return out;
}

/* ---- rotation --------------------------------------------------------------------------------------------------- */

/* c = a (or its transpose) times b. */
static void times(const double *a, bool ta, const double *b, size_t rows, size_t inner, size_t columns, double *c) {
    for (size_t i = 0; i < rows; i++)
        for (size_t j = 0; j < columns; j++) {
            double sum = 0;
            for (size_t k = 0; k < inner; k++) sum += (ta ? a[k * rows + i] : a[i * inner + k]) * b[k * columns + j];
            c[i * columns + j] = sum;
        }
}

/* Varimax: minus a quarter of the sum of the columns' variances of squares times p; gradient by the loadings. */
static double varimax_value(const double *l, size_t p, size_t m, double *g) {
    double f = 0;
    for (size_t j = 0; j < m; j++) {
        double mean = 0;
        for (size_t i = 0; i < p; i++) mean += l[i * m + j] * l[i * m + j] / (double) p;
        for (size_t i = 0; i < p; i++) {
            double q = l[i * m + j] * l[i * m + j] - mean;
            f -= q * q / 4;
            g[i * m + j] = -l[i * m + j] * q;
        }
    }
    return f;
}

/* Quartimin: a quarter of the sum of products of squares in different columns. */
static double quartimin_value(const double *l, size_t p, size_t m, double *g) {
    double f = 0;
    for (size_t i = 0; i < p; i++) {
        double sum = 0;
        for (size_t j = 0; j < m; j++) sum += l[i * m + j] * l[i * m + j];
        for (size_t j = 0; j < m; j++) {
            double q = l[i * m + j] * l[i * m + j];
            f += q * (sum - q) / 4;
            g[i * m + j] = l[i * m + j] * (sum - q);
        }
    }
    return f;
}

static bool invert(const double *a, size_t m, double *inverse) {
    lapack_int *pivot = rsp_malloc(m * sizeof *pivot);
    memcpy(inverse, a, m * m * sizeof *a);
    bool ok = LAPACKE_dgetrf(LAPACK_ROW_MAJOR, (lapack_int) m, (lapack_int) m, inverse, (lapack_int) m, pivot) == 0 &&
              LAPACKE_dgetri(LAPACK_ROW_MAJOR, (lapack_int) m, inverse, (lapack_int) m, pivot) == 0;
    free(pivot);
    return ok;
}

struct rotation {
    size_t p, m;
    bool oblique;
    const double *a;   /* unrotated [p*m] */
    double *t, *l, *g; /* [m*m] transformation; [p*m] rotated; [m*m] gradient by the transformation */
    double *room;      /* [p*m + 2 m*m] */
};

/* Orthogonal: L = A T. Oblique: L = A (T')^-1, columns of T of length 1. */
static double rotation_at(struct rotation *r, const double *t) {
    size_t p = r->p, m = r->m;
    double *gq = r->room, *inverse = gq + p * m, *other = inverse + m * m;
    if (!r->oblique) {
        times(r->a, false, t, p, m, m, r->l);
        double f = varimax_value(r->l, p, m, gq);
        times(r->a, true, gq, m, p, m, r->g);
        return f;
    }
    if (!invert(t, m, inverse)) return INFINITY;
    for (size_t i = 0; i < p; i++)
        for (size_t j = 0; j < m; j++) {
            r->l[i * m + j] = 0;
            for (size_t k = 0; k < m; k++) r->l[i * m + j] += r->a[i * m + k] * inverse[j * m + k];
        }
    double f = quartimin_value(r->l, p, m, gq);
    times(r->l, true, gq, m, p, m, other);       /* L' Gq */
    times(other, false, inverse, m, m, m, r->g); /* L' Gq T^-1 */
    memcpy(other, r->g, m * m * sizeof *other);
    for (size_t i = 0; i < m; i++)
        for (size_t j = 0; j < m; j++) r->g[i * m + j] = -other[j * m + i];
    return f;
}

/* The gradient's part along the manifold. */
static double project(const struct rotation *r, const double *t, double *gp) {
    size_t m = r->m;
    double *tg = rsp_malloc(m * m * sizeof *tg), sum = 0;
    times(t, true, r->g, m, m, m, tg);
    for (size_t i = 0; i < m; i++)
        for (size_t j = 0; j < m; j++) {
            double take = 0;
            if (r->oblique) take = t[i * m + j] * tg[j * m + j];
            for (size_t k = 0; !r->oblique && k < m; k++) take += t[i * m + k] * (tg[k * m + j] + tg[j * m + k]) / 2;
            gp[i * m + j] = r->g[i * m + j] - take;
            sum += gp[i * m + j] * gp[i * m + j];
        }
    free(tg);
    return sqrt(sum);
}

/* Back to the manifold: nearest orthogonal matrix, or columns of length 1. */
static void retract(const struct rotation *r, double *x) {
    size_t m = r->m;
    if (r->oblique) {
        for (size_t j = 0; j < m; j++) {
            double ss = 0;
            for (size_t i = 0; i < m; i++) ss += x[i * m + j] * x[i * m + j];
            for (size_t i = 0; i < m; i++) x[i * m + j] /= sqrt(ss);
        }
        return;
    }
    double *u = rsp_malloc((2 * m * m + 2 * m) * sizeof *u), *vt = u + m * m, *s = vt + m * m;
    if (LAPACKE_dgesvd(LAPACK_ROW_MAJOR, 'A', 'A', (lapack_int) m, (lapack_int) m, x, (lapack_int) m, s, u,
                       (lapack_int) m, vt, (lapack_int) m, s + m) == 0)
        times(u, false, vt, m, m, m, x);
    free(u);
}

static bool rotate(struct rotation *r) {
    enum { MOST_STEPS = 20000, MOST_HALVINGS = 30 };
    size_t m = r->m;
    double *gp = rsp_malloc(2 * m * m * sizeof *gp), *trial = gp + m * m, al = 1;
    bool settled = false;
    for (size_t i = 0; i < m; i++) r->t[i * m + i] = 1;
    double f = rotation_at(r, r->t);
    for (int step = 0; !settled && step < MOST_STEPS; step++) {
        double s = project(r, r->t, gp), next = INFINITY;
        bool lower = false;
        settled = s < 1e-9;
        al *= 2;
        for (int k = 0; !settled && !lower && k < MOST_HALVINGS; k++, al /= lower ? 1 : 2) {
            for (size_t i = 0; i < m * m; i++) trial[i] = r->t[i] - al * gp[i];
            retract(r, trial);
            next = rotation_at(r, trial);
            lower = next < f - 0.5 * s * s * al;
        }
        if (settled) break;
        if (!lower) { /* no way down within rounding */
            settled = s < 1e-6;
            break;
        }
        memcpy(r->t, trial, m * m * sizeof *trial);
        f = next;
    }
    rotation_at(r, r->t);
    free(gp);
    return settled;
}

static bool run_rotation(size_t p, size_t m, bool oblique, double *loading, double *phi) {
    double *room = rsp_calloc(3 * p * m + 4 * m * m, sizeof *room);
    struct rotation r = {p, m, oblique, room, room + p * m, NULL, NULL, NULL};
    memcpy(room, loading, p * m * sizeof *room);
    r.l = r.t + m * m;
    r.g = r.l + p * m;
    r.room = r.g + m * m;
    bool ok = rotate(&r);
    memcpy(loading, r.l, p * m * sizeof *loading);
    if (phi) times(r.t, true, r.t, m, m, m, phi);
    free(room);
    return ok;
}

bool rsp_rotate_varimax(size_t p, size_t m, double *loading) {
    double *length = rsp_malloc(p * sizeof *length);
    for (size_t i = 0; i < p; i++) {
        length[i] = 0;
        for (size_t j = 0; j < m; j++) length[i] += loading[i * m + j] * loading[i * m + j];
        length[i] = length[i] > 0 ? sqrt(length[i]) : 1;
        for (size_t j = 0; j < m; j++) loading[i * m + j] /= length[i];
    }
    bool ok = run_rotation(p, m, false, loading, NULL);
    for (size_t i = 0; i < p * m; i++) loading[i] *= length[i / m];
    free(length);
    return ok;
}

bool rsp_rotate_oblimin(size_t p, size_t m, double *loading, double *phi) {
    return run_rotation(p, m, true, loading, phi);
}
