/* Regression by sums of products: every weighting of the rows (a replicate, a variant without a group) costs one pass
 * over them, and every subset of factors a few additions.
 *
 * Columns are a constant, controls, factors, the outcome. Groups (countries) keep levels of their own: within-group sums
 * of products are what is left when these are held constant. Sums are added in the order of rows, so they do not depend
 * on threads. Columns are moved to mean 0, which keeps the digits that differences of sums would lose. */
#ifndef RESPONSIVE_MODEL_PRODUCTS_H
#define RESPONSIVE_MODEL_PRODUCTS_H

#include "responsive/weight.h"

typedef struct {
    size_t n, n_groups;   /* rows; groups */
    size_t k, f, p;       /* controls, factors; p = k + f + 2 columns */
    const size_t *row;    /* [n] rows of the sample, ascending */
    const int32_t *group; /* [n] */
    double *x;            /* [n*p] by row */
    double *size;         /* [p] sum of squares before columns were moved: what rounding is measured by */
} rsp_columns;

/* columns [p-1]: controls, factors, outcome, [n] each. */
rsp_columns *rsp_columns_new(rsp_arena *a, size_t n, const size_t *row, size_t n_groups, const int32_t *group, size_t k,
                             size_t f, const double *const *columns);

static inline size_t rsp_products_size(const rsp_columns *c) { return c->n_groups * (c->p * (c->p + 1) / 2); }

/* sums [rsp_products_size]: by group, the lower triangle by row, under weights w [n]. */
void rsp_products(const rsp_columns *c, const double *w, double *sums);

/* The same under every replicate's weights, on all threads; `each` is called once a replicate, from any of them. NaN
 * where a replicate has no weights. */
typedef void (*rsp_products_use)(void *context, size_t replicate, const double *sums);
void rsp_products_replicates(const rsp_columns *c, const rsp_replicates *r, rsp_products_use each, void *context);

/* What groups and controls leave of the factors and the outcome, which stands last. */
typedef struct {
    size_t f;
    double *g;      /* [(f+1)*(f+1)] sums of products */
    double *within; /* [f+1] sums of squares within groups, controls not yet held constant */
    double *gamma;  /* [(k+1)*(f+1)] regression of each on the controls, by control */
    double total;   /* of the outcome, around its mean over all groups */
    double *work;
} rsp_partial;

rsp_partial rsp_partial_new(rsp_arena *a, const rsp_columns *c);
/* skip [n_groups]: groups left out; NULL: none. */
void rsp_partial_of(const rsp_columns *c, const double *sums, const uint8_t *skip, rsp_partial *into);

/* Coefficients [f] of the factors together; NaN for one that those before it determine. */
void rsp_partial_coefficients(const rsp_partial *p, double *b);
/* Sum of squares that each factor adds, averaged over all orders in which they can enter (Lindeman, Merenda and Gold
 * 1980; the Shapley value), groups and controls standing before all, of RSP_SHARE_LANES sums of products side by side:
 * g [(f+1)*(f+1)][lanes], explained [f][lanes]. Nothing passes between lanes. */
enum { RSP_SHARE_LANES = 8 };
void rsp_partial_shares(size_t f, const double *g, double *explained);
/* Residuals [n*(f+1)] of factors and outcome by row, whose sums of products are g. */
void rsp_partial_residuals(const rsp_columns *c, const double *sums, const rsp_partial *p, double *residuals);

#endif
