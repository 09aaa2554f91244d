/* From lavaan's statements to the cells of a structural model (factor_cells.c). */
#ifndef RESPONSIVE_MEASURE_FACTOR_CELLS_H
#define RESPONSIVE_MEASURE_FACTOR_CELLS_H

#include "measure/factor.h"

/* Names of the items of the model, in the order in which its statements name them, and of its factors. */
void rsp_factor_names(const rsp_lavaan *syntax, rsp_arena *a, size_t *n_items, const char ***items, size_t *n_factors,
                      const char ***factors);

/* All cells of all groups with starting values; out->cells live in the arena. */
void rsp_factor_cells(const rsp_factor_model *f, const rsp_factor_sample *x, rsp_arena *a, rsp_sem *out);

/* `weights: design`: weights times scale sum to the respondents. */
typedef struct {
    const rsp_sample *sample;
    double scale;
    rsp_diag *diag;
} rsp_factor_design;

rsp_sem_design rsp_factor_taylor(const rsp_factor_design *d);

/* Covariances of the ordinal statistics of all groups by the design, from the influences [n_g * q] of every group's
 * rows. False where the design gives none. */
bool rsp_factor_covary(rsp_factor_sample *x, double *const *influence, rsp_arena *a, rsp_diag *d);

#endif
