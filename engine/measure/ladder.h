/* The ladder of measurement invariance: the same structure in every group (configural), equal loadings (metric), equal
 * intercepts too (scalar). Each rung constrains the one before; what a rung costs in fit says whether it holds.
 *
 * Factors are scaled by their variance: 1 in every group of the configural model, 1 in the first and free in the others
 * where loadings are equal; their means are 0, and free from the second group on where intercepts are equal. So no item
 * is special, and any of them may be released. Fit is that of every other way of scaling. */
#ifndef RESPONSIVE_MEASURE_LADDER_H
#define RESPONSIVE_MEASURE_LADDER_H

#include "measure/sem.h"
#include "responsive/study.h"

typedef enum { RSP_CONFIGURAL, RSP_METRIC, RSP_SCALAR } rsp_rung;

/* A fitted rung. */
typedef struct {
    rsp_sem sem;
    rsp_sem_fit fit;
    double *value;                      /* [sem.n_cells] */
    double chisq, df, cfi, rmsea, srmr; /* robust ones where robust fits are asked for */
    bool good;                          /* converged: the numbers may be used */
} rsp_rung_fit;

/* An equality given up: of the loading or the intercept of an item, in all groups. */
typedef struct {
    rsp_rung rung; /* metric: its loading (and so its intercept); scalar: its intercept */
    size_t item;
    double score, df; /* score statistic of the rung's model for giving it up */
} rsp_release;

typedef enum { RSP_NOT_COMPARABLE, RSP_WITH_CAUTION, RSP_COMPARABLE } rsp_grade;

typedef struct {
    rsp_rung_fit rung[3];    /* in full */
    rsp_rung_fit partial[3]; /* metric, scalar: with releases; sem.n_cells 0 where there are none */
    bool holds[3];           /* the rung in full */
    bool partly[3];          /* the rung in full or with releases */
    size_t n_releases;
    rsp_release *releases; /* in order */
    rsp_grade grade;       /* without alignment */
} rsp_ladder;

typedef struct {
    const rsp_sem *configural; /* cells of the configural model, factors of variance 1, in the order of the groups */
    const rsp_sem_sample *samples;
    bool robust;
    size_t anchors;
    rsp_cutoffs cutoffs;
} rsp_ladder_spec;

/* Published cut-offs where the study gives none: Chen (2007) below ten groups, with her values for small samples up to
 * 300 respondents, else Rutkowski and Svetina (2014), who give none for the srmr. */
rsp_cutoffs rsp_cutoffs_settle(const rsp_cutoffs *c, size_t n_groups, size_t n);

/* Climbs: full rungs are fitted at the first call (rung[k].sem.n_cells 0) and kept; `stretch` multiplies all cut-offs.
 * Everything lives in the arena. */
void rsp_ladder_climb(const rsp_ladder_spec *spec, double stretch, rsp_arena *a, rsp_ladder *l);

/* The first factor that an item loads on. */
size_t rsp_factor_of_item(const rsp_sem *configural, size_t item);

#endif
