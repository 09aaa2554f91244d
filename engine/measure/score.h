/* Score statistics of a model's restrictions (score.c): what giving some of them up would bring, from the restricted model's
 * estimates alone. Arrays in, arrays out. */
#ifndef RESPONSIVE_MEASURE_SCORE_H
#define RESPONSIVE_MEASURE_SCORE_H

#include "responsive/base.h"

/* The parameters that the larger model has beyond the restricted one: its last ones. */
typedef struct {
    size_t n;         /* how many of them there are */
    const size_t *of; /* [n] the parameter that each was part of; RSP_NONE: it was fixed */
} rsp_extras;

/* directions [n_free * extras->n] of the larger model's parameters: each extra, less the part of it that the restricted
 * model's parameters take up, by the information [n_free^2] of the larger model. Scores along them are those of the
 * restrictions. False where the restricted model is not identified. */
bool rsp_score_directions(const double *information, size_t n_free, const rsp_extras *extras, double *directions);

/* Less of an extra's information than this cannot be told from none. */
#define RSP_SCORE_LEAST_LEFT 1e-6

/* For each extra the share of its information that the restricted model's parameters do not take up; next to none: it is not
 * identified beside them (observed information may be negative where the model does not fit). */
void rsp_score_left(const double *information, size_t n_free, const rsp_extras *extras, const double *directions,
                    double *left);

/* score' variance^-1 score of n directions, chi-square on n degrees of freedom (Rao 1948; with a variance that takes nothing
 * from the model Boos 1992); NaN where the variance has no inverse. */
double rsp_score_statistic(const double *score, const double *variance, size_t n);

#endif
