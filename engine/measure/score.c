#include "measure/score.h"

#include "measure/sem_moments.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The restricted model's parameters, where an extra that one of them was split into counts with it: rows of the extras added
 * to theirs, y [n_own * columns] from x [(n_own + extras) * columns]. */
static void gather(const double *x, size_t n_own, const rsp_extras *extras, size_t columns, double *y) {
    memcpy(y, x, n_own * columns * sizeof *y);
    for (size_t e = 0; e < extras->n; e++)
        for (size_t k = 0; extras->of[e] != RSP_NONE && k < columns; k++)
            y[extras->of[e] * columns + k] += x[(n_own + e) * columns + k];
}

bool rsp_score_directions(const double *information, size_t n_free, const rsp_extras *extras, double *directions) {
    size_t n = extras->n, own = n_free - n;
    double *half = rsp_malloc((2 * own * n_free + own * own + 2 * own * n + 1) * sizeof *half),
           *turned = half + own * n_free, *inner = turned + n_free * own, *with = inner + own * own,
           *part = with + own * n;
    gather(information, own, extras, n_free, half); /* own by all */
    for (size_t i = 0; i < own; i++)
        for (size_t k = 0; k < n_free; k++) turned[k * own + i] = half[i * n_free + k];
    gather(turned, own, extras, own, inner);
    for (size_t i = 0; i < own; i++)
        for (size_t e = 0; e < n; e++) with[i * n + e] = half[i * n_free + own + e];
    bool ok = rsp_invert_information(inner, own);
    rsp_multiply(inner, false, with, false, own, own, n, part);
    for (size_t e = 0; e < n; e++) {
        for (size_t i = 0; i < own; i++) directions[i * n + e] = -part[i * n + e];
        for (size_t k = 0; k < n; k++) {
            double *to = &directions[(own + k) * n + e];
            *to = extras->of[k] == RSP_NONE ? 0 : -part[extras->of[k] * n + e];
            *to += k == e;
        }
    }
    free(half);
    return ok;
}

void rsp_score_left(const double *information, size_t n_free, const rsp_extras *extras, const double *directions,
                    double *left) {
    size_t n = extras->n;
    for (size_t e = 0; e < n; e++) {
        const double *own = information + (n_free - n + e) * n_free;
        left[e] = 0; /* the directions are orthogonal to the restricted model's parameters */
        for (size_t k = 0; k < n_free; k++) left[e] += own[k] * directions[k * n + e];
        left[e] /= own[n_free - n + e];
    }
}

double rsp_score_statistic(const double *score, const double *variance, size_t n) {
    double *inverse = rsp_malloc((n * n + 1) * sizeof *inverse), sum = 0;
    memcpy(inverse, variance, n * n * sizeof *inverse);
    bool ok = rsp_invert_information(inverse, n);
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < n; k++) sum += score[i] * inverse[i * n + k] * score[k];
    free(inverse);
    return ok ? sum : NAN;
}
