/* The regressions' ways in: each writes the rows of one analysis. */
#ifndef RESPONSIVE_MODEL_FIT_H
#define RESPONSIVE_MODEL_FIT_H

#include "model/matrix.h"

void rsp_fit_regression(rsp_sample *s, const rsp_analysis *a, rsp_results *out,
                        rsp_diag *d); /* linear to multinomial */
void rsp_fit_mixed(rsp_sample *s, const rsp_analysis *a, rsp_results *out, rsp_diag *d);
void rsp_fit_pooled(rsp_sample *s, const rsp_analysis *a, rsp_results *out, rsp_diag *d);

/* One coefficient of a model fitted to a group's respondents alone, the design's other clusters counting as empty. */
typedef struct {
    bool found;                /* the model has such a term there */
    double estimate, variance; /* NaN with flags */
    double df;                 /* of the design in the group; NaN: normal */
    uint32_t flags;
    size_t n;
    int64_t cell, organisations;
} rsp_group_fit;

rsp_group_fit rsp_fit_group(rsp_sample *s, const rsp_analysis *a, const rsp_mdomain *domain, const char *term,
                            rsp_diag *d);

#endif
