/* The ladder of measurement invariance: the same structure in every group (configural), equal thresholds where items are
 * ordinal, equal loadings (metric), equal intercepts too (scalar). Each rung constrains the one before; what a rung costs
 * in fit says whether it holds.
 *
 * Factors are scaled by their variance: 1 in every group of the configural model, 1 in the first and free in the others
 * where loadings are equal; their means are 0, and free from the second group on where intercepts are equal. So no item
 * is special, and any of them may be released. Fit is that of every other way of scaling.
 *
 * Ordinal items (Wu and Estabrook 2016): where thresholds are equal, intercepts and scales of the latent answers are free
 * from the second group on; the scalar rung fixes the intercepts again. Two answers have one threshold, which its intercept
 * takes up, and a scale that is known once loadings are equal: so only the scalar rung asks something of them. */
#ifndef RESPONSIVE_MEASURE_LADDER_H
#define RESPONSIVE_MEASURE_LADDER_H

#include "measure/factor.h"

typedef enum { RSP_CONFIGURAL, RSP_THRESHOLD, RSP_METRIC, RSP_SCALAR, RSP_N_RUNGS } rsp_rung;

/* A fitted rung. */
typedef struct {
    rsp_sem sem;
    rsp_sem_fit fit;
    double *value;                      /* [sem.n_cells] */
    double chisq, df, cfi, rmsea, srmr; /* those of rsp_ladder_measures */
    bool good;                          /* converged: the numbers may be used */
} rsp_rung_fit;

/* An equality given up: of what an item's rung makes equal, in all groups. */
typedef struct {
    rsp_rung rung; /* what of the item is free then, with all that the later rungs would make equal */
    size_t item;
    double score, df; /* score statistic of the rung's model for giving it up */
} rsp_release;

typedef enum { RSP_NOT_COMPARABLE, RSP_WITH_CAUTION, RSP_COMPARABLE } rsp_grade;

/* The threshold rung is there with ordinal items alone: else its sem.n_cells are 0. */
typedef struct {
    rsp_rung_fit rung[RSP_N_RUNGS];    /* in full */
    rsp_rung_fit partial[RSP_N_RUNGS]; /* with releases; sem.n_cells 0 where there are none */
    bool holds[RSP_N_RUNGS];           /* the rung in full */
    size_t n_releases;
    rsp_release *releases; /* in order */
    rsp_grade grade;       /* without alignment */
} rsp_ladder;

typedef struct {
    const rsp_factor_model *model;
    const rsp_factor_sample *sample;
    const rsp_sem *configural; /* of rsp_ladder_configural */
    size_t anchors;
    rsp_cutoffs cutoffs;
    rsp_diag *diag;
} rsp_ladder_spec;

/* Which measures of fit a ladder is climbed by: as they are; corrected as if answers were normal and complete (the published
 * cut-offs are for these); or from the scaled chi-square of ordinal items, whose robust measures look at correlations
 * alone and so do not see thresholds and intercepts. */
typedef enum { RSP_FIT_PLAIN, RSP_FIT_ROBUST, RSP_FIT_SCALED } rsp_ladder_fit;
rsp_ladder_fit rsp_ladder_measures(const rsp_factor_model *f);

/* Cells of the configural model: the study's, factors of variance 1, and intercepts of ordinal items, which are 0. */
void rsp_ladder_configural(const rsp_factor_model *f, const rsp_factor_sample *x, rsp_arena *a, rsp_sem *out);

/* Chi-square of a rung against the one it was climbed from, on the difference of their degrees of freedom: of the robust ones
 * that of the unscaled, scaled (Satorra and Bentler 2001; wlsmv: Satorra 2000, scaled and shifted). NaN where the models have
 * the same degrees of freedom or the scale is not positive. */
double rsp_ladder_difference(const rsp_ladder_spec *spec, const rsp_rung_fit *before, const rsp_rung_fit *now);

/* Published cut-offs where the study gives none: Chen (2007) below ten groups, with her values for small samples up to
 * 300 respondents, else Rutkowski and Svetina (2014), who give none for the srmr. */
rsp_cutoffs rsp_cutoffs_settle(const rsp_cutoffs *c, size_t n_groups, size_t n);

/* Climbs: full rungs are fitted at the first call (rung[k].sem.n_cells 0) and kept; `stretch` multiplies all cut-offs.
 * Everything lives in the arena. */
void rsp_ladder_climb(const rsp_ladder_spec *spec, double stretch, rsp_arena *a, rsp_ladder *l);

/* The first factor that an item loads on. */
size_t rsp_factor_of_item(const rsp_sem *configural, size_t item);

#endif
