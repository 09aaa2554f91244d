/* Sampling design, weights and variance: what every statistic stands on.
 *
 *   rsp_sample *s = rsp_sample_new(frame, diag)          design, base weights, raking, eligibility
 *   rsp_taylor(s, z, p, filter.., vcov)                  linearised variance of p statistics
 *   rsp_replicates *r = rsp_replicates_get(s, &spec, d)  made once per specification
 *   rsp_replicate_weights(r, k, w)
 *
 * A statistic is written as an influence function z (per unit of weight): theta(w) changes by sum w_i z_i. Its variance
 * is over all clusters of the design, with z zero outside the domain; where weights are calibrated the kernel replaces
 * z by its residual from the regression on the margins fitted with the weights before calibration (Deville and Sarndal
 * 1993). Replicate weights are cluster factors times calibration factors by cell, so they are stored by cluster and by
 * cell (rows with the same margins and base weight), never by row. */
#ifndef RESPONSIVE_WEIGHT_H
#define RESPONSIVE_WEIGHT_H

#include "responsive/frame.h"

typedef struct rsp_replicates rsp_replicates;

/* One country (or the whole sample where weighting is not within a variable). */
typedef struct {
    const char *code; /* "" for the whole */
    size_t n, n_clusters;
    bool eligible;   /* enough respondents and clusters */
    bool weighted;   /* margins met; else why says what not: weights stay the base weights */
    const char *why; /* "", "no target", "empty cell", "not converged", "missing values of a numeric margin" */
    uint32_t flags;  /* RSP_F_... of results.h for its rows */
    double deff_kish, weight_min, weight_max, n_eff, sum;
    size_t iterations, n_trimmed;
} rsp_group;

/* How far a margin's weighted share is from its target after weighting. */
typedef struct {
    size_t group;
    const char *margin, *code;
    double target, achieved;
    int64_t n;
} rsp_margin_gap;

typedef struct {
    const rsp_frame *frame;
    size_t n;
    const double *base;   /* [n] before calibration */
    const double *weight; /* [n] final, within countries */
    const int32_t *group; /* [n] index into groups */
    size_t n_groups;
    rsp_group *groups;
    size_t n_gaps;
    rsp_margin_gap *gaps;
    /* Countries for all-country figures: equals groups when weighting is within country. */
    const int32_t *country; /* [n] or NULL where the study has no country role */
    size_t n_countries;
    rsp_group *countries;
    /* First-stage design. Rows are numbered by stratum and cluster; clusters are nested in strata. */
    const int32_t *stratum; /* [n] */
    const int32_t *cluster; /* [n] numbered over all strata */
    size_t n_strata, n_clusters;
    const int32_t *cluster_stratum; /* [n_clusters] */
    const int32_t *organisation;    /* [n] for disclosure: roles.organisation, or NULL */
    const uint8_t
        *set_aside; /* [n] rows that `missing: set-aside` gave weight 0; NULL: none (log: weighting_missing) */
    struct rsp_design_private *private_;
    struct rsp_imputations *imputed; /* made when first wanted (engine/model/impute.h) */
    struct est_kept *kept;           /* totals that tables share (engine/estimate/kept.c) */
    rsp_arena *arena;
} rsp_sample;

rsp_sample *rsp_sample_new(const rsp_frame *f, rsp_diag *d);
void rsp_sample_free(rsp_sample *s);

/* [n] rows by stratum, cluster and sampling unit: neighbours here are neighbours in the memory of what is added up by unit. */
const uint32_t *rsp_sample_order(const rsp_sample *s);

/* Clusters minus strata, over those that hold a row of the domain (take NULL: all). May be 0 or less. */
double rsp_design_df(const rsp_sample *s, const uint8_t *take);

/* Variance-covariance [p*p, row-major] of statistics with influence z[k] ([n] each, 0 outside the domain).
 * `weight` NULL: the sample's final weights; else those (a scaling of countries). False (and reported once with the
 * name of the stratum) when a stratum has a single cluster and lonely is `fail`. NaN influence makes NaN. */
bool rsp_taylor(const rsp_sample *s, const double *weight, const double *const *z, size_t p, double *vcov, rsp_diag *d);

/* The same for influences that are zero outside the rows listed (ascending): a domain costs its own rows. */
typedef struct {
    size_t n;
    const uint32_t *row; /* [n]; NULL: all rows of the sample */
    const double *z;     /* [n] */
} rsp_influence;

bool rsp_taylor_rows(const rsp_sample *s, const double *weight, const rsp_influence *z, size_t p, double *vcov,
                     rsp_diag *d);

/* The same for statistics that are zero outside the same rows (ascending; NULL: all), for which a row's p influences come
 * together: `fill` writes those of n rows, given by their places in the list, to z[row * stride + statistic]. It is called
 * by several threads, twice for each row. Equal to rsp_taylor_rows up to rounding, and many times as fast. */
typedef void (*rsp_influence_fill)(const void *context, const uint32_t *place, size_t n, size_t stride, double *z);
bool rsp_taylor_fill(const rsp_sample *s, const double *weight, size_t n, const uint32_t *row, size_t p,
                     rsp_influence_fill fill, const void *context, double *vcov, rsp_diag *d);

/* The same where a row's influences depend on its code alone, as on the level of an answer: code [n] by place in the list,
 * z [n_codes * p]. */
bool rsp_taylor_codes(const rsp_sample *s, const double *weight, size_t n, const uint32_t *row, const uint32_t *code,
                      size_t n_codes, const double *z, size_t p, double *vcov, rsp_diag *d);

/* Replicate weights for one specification, made at the first call and kept with the sample. NULL when impossible
 * (brr without two clusters a stratum, ...), reported at `loc`. */
const rsp_replicates *rsp_replicates_get(rsp_sample *s, const rsp_variance_spec *spec, rsp_loc loc, rsp_diag *d);
size_t rsp_replicates_count(const rsp_replicates *r);
size_t rsp_replicates_redrawn(const rsp_replicates *r); /* bootstrap replicates drawn again for an empty raking cell */
void rsp_replicate_weights(const rsp_replicates *r, size_t k, double *w); /* [n] */
void rsp_replicate_weights_block(const rsp_replicates *r, size_t k, size_t from, size_t to,
                                 double *w); /* w[0..to-from) */
/* Neighbouring replicates side by side, for loops that visit a row once for all of them: lane j of row i in
 * w[(i - from) * RSP_LANES + j] is the weight in replicate first + j; lanes behind the last replicate are 0. The same
 * bits as rsp_replicate_weights. Lanes are one thread's. */
enum { RSP_LANES = 16 };
typedef struct rsp_lanes rsp_lanes;
rsp_lanes *rsp_lanes_new(const rsp_replicates *r, size_t first);
void rsp_lanes_free(rsp_lanes *l);
void rsp_lanes_weights(const rsp_lanes *l, size_t from, size_t to, double *w);
/* Variance-covariance [p*p] from replicate estimates theta[k*p + j] and the full-sample estimate. A replicate with a
 * NaN estimate is left out and counted in *failed (may be NULL). */
void rsp_replicate_variance(const rsp_replicates *r, const double *theta, const double *full, size_t p, double *vcov,
                            size_t *failed);

/* All-country figures. rsp_scaled_weights gives the weights under `scale: sample` or `population` (for `equal`
 * estimates are made by country and averaged; the weights then make every eligible country's sum equal, for
 * quantiles). Rows of countries that are not eligible get 0. */
void rsp_scaled_weights(const rsp_sample *s, double *w);

#endif
