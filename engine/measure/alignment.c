/* The simplicity function f(x) = (x^2 + e)^(1/4), e = 0.01, over all pairs of groups, weighted by the root of the product
 * of their sizes; the first group's mean is 0 and the product of variances 1 while it is minimised. It has many local
 * minima for a small e, so the minimum is followed from e = 10, where there is one, down to 0.01. */
#include "measure/alignment.h"

#include <lapacke.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Free parameters: means of groups 1.., then logarithms of the standard deviations of groups 1.. less the mean of all. */
struct problem {
    const rsp_unaligned *u;
    double e;
    size_t k; /* 2 (n_groups - 1) */
    double *mean, *logsd;
};

static struct problem problem_new(const rsp_unaligned *u) {
    size_t g = u->n_groups;
    double *room = rsp_calloc(2 * g, sizeof *room);
    return (struct problem){.u = u, .k = 2 * (g - 1), .mean = room, .logsd = room + g};
}

static void place(struct problem *p, const double *x) {
    size_t g = p->u->n_groups;
    double sum = 0;
    p->mean[0] = 0;
    for (size_t i = 1; i < g; i++) {
        p->mean[i] = x[i - 1];
        p->logsd[i] = x[g - 1 + i - 1];
        sum += p->logsd[i];
    }
    p->logsd[0] = -sum;
}

/* f and its first two derivatives. */
static double simplicity(double x, double e, double *d1, double *d2) {
    double q = x * x + e, f = sqrt(sqrt(q));
    *d1 = 0.5 * x * f / q;
    *d2 = 0.5 * f / q - 0.75 * x * x * f / (q * q);
    return f;
}

/* Derivatives of one parameter of one group: by its mean, by its log standard deviation, and the second ones. */
struct slopes {
    double value, m, s, ms, ss;
};

static struct slopes slopes_of(const struct problem *p, size_t g, size_t i, bool intercept) {
    size_t at = g * p->u->p + i;
    double l = p->u->loading[at] * exp(-p->logsd[g]), m = p->mean[g];
    if (!intercept) return (struct slopes){l, 0, -l, 0, l};
    return (struct slopes){p->u->intercept[at] - m * l, -l, m * l, l, -m * l};
}

/* Adds one pair's term to the gradient and the Hessian in the 2 G parameters (mean, log sd of each group). */
static double add_pair(const struct slopes *a, const struct slopes *b, size_t ga, size_t gb, double w, double e,
                       size_t n, double *gradient, double *hessian) {
    double d1, d2, f = simplicity(a->value - b->value, e, &d1, &d2);
    size_t at[4] = {ga, n + ga, gb, n + gb};
    double by[4] = {a->m, a->s, -b->m, -b->s};
    for (size_t j = 0; j < 4; j++) {
        gradient[at[j]] += w * d1 * by[j];
        for (size_t k = 0; k < 4; k++) hessian[at[j] * 2 * n + at[k]] += w * d2 * by[j] * by[k];
    }
    const struct slopes *side[2] = {a, b};
    for (size_t k = 0; k < 2; k++) {
        double sign = k ? -w * d1 : w * d1;
        size_t m = at[2 * k], s = at[2 * k + 1];
        hessian[m * 2 * n + s] += sign * side[k]->ms;
        hessian[s * 2 * n + m] += sign * side[k]->ms;
        hessian[s * 2 * n + s] += sign * side[k]->ss;
    }
    return w * f;
}

/* The loss; gradient [k] and Hessian [k*k] in the free parameters if wanted. full has room for 2G + 4G^2. */
static double loss_at(struct problem *p, const double *x, double *gradient, double *hessian, double *full) {
    size_t n = p->u->n_groups, k = p->k, wide = 2 * n;
    double *g = full, *h = full + wide, sum = 0;
    place(p, x);
    memset(full, 0, (wide + wide * wide) * sizeof *full);
    for (size_t i = 0; i < p->u->p; i++)
        for (int intercept = 0; intercept < 2; intercept++)
            for (size_t a = 0; a < n; a++)
                for (size_t b = 0; b < a; b++) {
                    struct slopes sa = slopes_of(p, a, i, intercept), sb = slopes_of(p, b, i, intercept);
                    sum += add_pair(&sa, &sb, a, b, sqrt(p->u->n[a] * p->u->n[b]), p->e, n, g, h);
                }
    if (!gradient) return sum;
    /* The first group's log sd is minus the sum of the others'. */
    for (size_t j = 0; j < k; j++) {
        size_t row = j < n - 1 ? j + 1 : j + 2;
        bool sj = j >= n - 1;
        gradient[j] = g[row] - (sj ? g[n] : 0);
        for (size_t l = 0; l < k; l++) {
            size_t column = l < n - 1 ? l + 1 : l + 2;
            bool sl = l >= n - 1;
            hessian[j * k + l] = h[row * wide + column] - (sj ? h[n * wide + column] : 0) -
                                 (sl ? h[row * wide + n] : 0) + (sj && sl ? h[n * wide + n] : 0);
        }
    }
    return sum;
}

/* Solves (H + ridge I) step = -gradient; false if not positive definite. */
static bool newton_step(const double *hessian, const double *gradient, size_t k, double ridge, double *room,
                        double *step) {
    memcpy(room, hessian, k * k * sizeof *room);
    for (size_t j = 0; j < k; j++) {
        room[j * k + j] += ridge;
        step[j] = -gradient[j];
    }
    return LAPACKE_dposv(LAPACK_ROW_MAJOR, 'L', (lapack_int) k, 1, room, (lapack_int) k, step, 1) == 0;
}

/* Newton's method with a ridge that grows where a step does not lead down. */
static bool descend(struct problem *p, double *x) {
    enum { MOST_STEPS = 500, MOST_RIDGES = 60 };
    size_t k = p->k, wide = 2 * p->u->n_groups;
    double *gradient = rsp_malloc((3 * k + 2 * k * k + wide + wide * wide) * sizeof *gradient), *step = gradient + k,
           *trial = step + k, *hessian = trial + k, *room = hessian + k * k, *full = room + k * k;
    double ridge = 0, scale = 0, now = loss_at(p, x, gradient, hessian, full);
    bool done = false, stuck = false;
    for (int s = 0; s < MOST_STEPS && !done && !stuck; s++) {
        double largest = 0;
        scale = 0;
        for (size_t j = 0; j < k; j++) {
            largest = fmax(largest, fabs(gradient[j]));
            scale = fmax(scale, fabs(hessian[j * k + j]));
        }
        done = largest < 1e-11 * fmax(scale, now);
        stuck = true;
        for (int r = 0; r < MOST_RIDGES && !done && stuck; r++) {
            bool down = newton_step(hessian, gradient, k, ridge, room, step);
            for (size_t j = 0; j < k; j++) trial[j] = x[j] + step[j];
            double next = down ? loss_at(p, trial, NULL, NULL, full) : INFINITY;
            if (next < now) {
                memcpy(x, trial, k * sizeof *x);
                ridge = ridge < 1e-8 * scale ? 0 : ridge / 10;
                stuck = false;
            } else {
                ridge = ridge == 0 ? 1e-8 * scale : 10 * ridge;
            }
        }
        /* No step leads further down: within rounding of the minimum, if the gradient says so. */
        if (stuck && !done) done = largest < 1e-6 * fmax(scale, now);
        if (!done && !stuck) now = loss_at(p, x, gradient, hessian, full);
    }
    free(gradient);
    return done;
}

bool rsp_align(const rsp_unaligned *u, double *mean, double *sd, double *loss) {
    static const double path[] = {10, 3, 1, 0.3, 0.1, 0.03, 0.01};
    struct problem p = problem_new(u);
    double *x = rsp_calloc(p.k + 1, sizeof *x), wide = 2 * (double) u->n_groups;
    double *full = rsp_malloc((size_t) (wide + wide * wide) * sizeof *full);
    bool ok = true;
    for (size_t k = 0; k < sizeof path / sizeof *path; k++) {
        p.e = path[k];
        ok = descend(&p, x);
    }
    *loss = loss_at(&p, x, NULL, NULL, full);
    for (size_t g = u->n_groups; g-- > 0;) {
        mean[g] = p.mean[g] * exp(-p.logsd[0]);
        sd[g] = exp(p.logsd[g] - p.logsd[0]);
    }
    free(p.mean), free(x), free(full);
    return ok && isfinite(*loss);
}

void rsp_aligned(const rsp_unaligned *u, const double *mean, const double *sd, double *loading, double *intercept) {
    for (size_t g = 0; g < u->n_groups; g++)
        for (size_t i = 0; i < u->p; i++) {
            size_t at = g * u->p + i;
            loading[at] = u->loading[at] / sd[g];
            intercept[at] = u->intercept[at] - loading[at] * mean[g];
        }
}

/* ---- which parameters differ ------------------------------------------------------------------------------------ */

static bool differ(double x, double se, double limit) { return rsp_t_two_sided(x / se, NAN) < limit; }

/* Numbers the sets of groups that links with p above 0.01 connect; returns the number of the largest, the first of equals. */
static size_t largest_linked(size_t n, const double *estimate, const double *se, size_t *set) {
    size_t *count = rsp_calloc(n + 1, sizeof *count), largest = 0;
    for (size_t g = 0; g < n; g++) set[g] = g;
    for (size_t a = 0; a < n; a++)
        for (size_t b = 0; b < a; b++) {
            if (differ(estimate[a] - estimate[b], hypot(se[a], se[b]), 0.01)) continue;
            size_t from = set[a], to = set[b];
            for (size_t g = 0; g < n; g++)
                if (set[g] == from) set[g] = to;
        }
    for (size_t g = 0; g < n; g++) count[set[g]]++;
    for (size_t g = 1; g < n; g++)
        if (count[g] > count[largest]) largest = g;
    free(count);
    return largest;
}

void rsp_invariant_set(size_t n, const double *estimate, const double *se, const double *weight, bool *same) {
    enum { MOST_ROUNDS = 50 };
    size_t *set = rsp_malloc((n + 1) * sizeof *set), largest = largest_linked(n, estimate, se, set);
    for (size_t g = 0; g < n; g++) same[g] = set[g] == largest;
    bool changed = true;
    for (int round = 0; changed && round < MOST_ROUNDS; round++) {
        double sum = 0, total = 0, variance = 0;
        changed = false;
        for (size_t g = 0; g < n; g++)
            if (same[g]) {
                sum += weight[g] * estimate[g];
                total += weight[g];
                variance += weight[g] * weight[g] * se[g] * se[g];
            }
        double mean = sum / total, var = variance / (total * total);
        for (size_t g = 0; g < n; g++) {
            /* A member's value is part of the mean: cov(value, mean) = weight share x its variance. */
            double own = se[g] * se[g], v = own + var - (same[g] ? 2 * weight[g] / total * own : 0);
            bool in = v <= 0 || !differ(estimate[g] - mean, sqrt(v), 0.001);
            changed |= in != same[g];
            set[g] = in;
        }
        size_t left = 0;
        for (size_t g = 0; g < n; g++) left += set[g];
        if (!left) break;
        for (size_t g = 0; g < n; g++) same[g] = set[g];
    }
    free(set);
}
