/* Inside the estimate station: what tables, comparisons and tests share.
 *
 * Every statistic here is a function of weighted totals. A *measure* says what is added up over rows: for a coded item
 * the weight at each level, for a number the weight and the weighted powers of it, for a ratio the two sums. A *form*
 * is a statistic as a function of one cell's totals: a ratio of two linear forms, a linear form, or a standard
 * deviation. Its gradient times a row's contribution is the row's influence, so linearised variance needs no formula of
 * its own, and replicate variance is the same function of each replicate's totals.
 *
 *   est_people_new    who: the domains of one crossing, weights, countries to average
 *   est_items_new     what: measures and forms of the table's items
 *   est_totals_full, est_totals_replicates
 *   est_vcov          covariance of any (form, domain) pairs of an item
 *   est_describe      the numbers of one row: estimate, error, interval, bases */
#ifndef ESTIMATE_ESTIMATE_H
#define ESTIMATE_ESTIMATE_H

#include "responsive/statistics.h"

/* ---- who -------------------------------------------------------------------------------------------------------- */

/* The domains of one crossing. A cell is a domain, or a country within it where all-country figures are the mean of
 * the countries' estimates (`scale: equal`): cell = domain * n_countries + country. */
typedef struct {
    const rsp_sample *sample;
    size_t n_variables; /* of the crossing */
    const char **names;
    size_t *n_codes;
    const char ***codes;
    size_t country_axis; /* place of the country variable in the crossing; RSP_NONE */
    size_t n_domains, n_countries;
    int32_t *cell;        /* [n], -1: in no domain */
    size_t *start;        /* [n_domains + 1] into rows */
    uint32_t *rows;       /* rows by domain, within it by sampling unit (rsp_sample_order) */
    size_t *first_run;    /* [n_domains + 1] into runs */
    size_t *run;          /* [runs + 1] into rows: neighbours of a domain in one cluster and one organisation */
    const double *weight; /* [n] weights of the estimates */
    const double *given;  /* `weight` where it differs from the sample's (what rsp_taylor wants), else NULL */
    double *factor;       /* [n] weight over the sample's weight, for replicates; NULL: all 1 */
    uint32_t *flags;      /* [n_domains] from weighting and eligibility */
    const char **text;    /* [n_domains] */
} est_people;

/* How all-country figures come about: as the study's scale says; by pooling under its scaled weights (tests, which are
 * no mean of countries' tests); or the sample's own weights (where countries are among what is compared). */
typedef enum { EST_AS_SCALED, EST_POOLED, EST_OWN_WEIGHTS } est_scaling;

/* NULL and reported when the crossing cannot be. */
est_people *est_people_new(const rsp_sample *s, const rsp_crossing *by, const rsp_expr *filter, est_scaling scaling,
                           rsp_loc loc, rsp_arena *a, rsp_diag *d);

/* ---- what ------------------------------------------------------------------------------------------------------- */

typedef enum { EST_LEVELS, EST_MOMENTS, EST_PAIR } est_measure_kind;

typedef struct {
    est_measure_kind kind;
    size_t k;         /* totals a cell: levels; 1, y, ... powers of y; 1, numerator, denominator */
    const int8_t *c8; /* LEVELS: one of these, negative: not counted */
    const int16_t *c16;
    const int32_t *c32;
    const double *y, *x; /* MOMENTS: y; PAIR: y over x; NaN: not counted */
    double shift;        /* MOMENTS: taken off y so that powers keep their digits */
} est_measure;

typedef enum { EST_RATIO, EST_TOTAL, EST_SD } est_shape;

typedef struct {
    const char *level, *statistic;
    est_shape shape;
    const double *a, *b, *a2; /* [k] numerator, denominator, for EST_SD the squares */
    size_t base;              /* which of the item's bases it rests on */
    bool share;               /* a proportion: logit interval, may be exactly 0 or 1 */
    bool compared;            /* takes part in comparisons */
    bool counted;             /* unweighted: no error, no interval */
    bool tested;              /* is it zero: p, adjusted within item and domain */
    double probability;       /* quantiles: NaN otherwise */
} est_form;

typedef struct {
    const char *term;
    size_t item; /* place among the table's items: the family of Holm's adjustment */
    est_measure measure;
    size_t n_forms;
    est_form *forms;
    size_t n_bases;
    const uint8_t **bases;  /* [n_bases][k] levels counted; NULL: every counted row */
    double *full;           /* [cells * k] totals under the full-sample weights */
    int64_t *count;         /* [cells * k] (LEVELS) or [cells] respondents */
    double *df;             /* [n_bases * n_domains] degrees of freedom */
    int64_t *organisations; /* likewise: distinct among the respondents, -1 where the study has none */
    bool *designed;         /* [n_bases] these two are known */
    bool kept;              /* totals are another table's, too (kept.c) */
    size_t offset;          /* of its totals in a replicate's */
    double *sorted;         /* quantiles: values by domain, ascending; NULL otherwise */
    double *cumulated;      /* their cumulated weights within the domain */
    size_t *sorted_start;   /* [n_domains + 1] */
    double *quantile;       /* [n_forms * n_domains] */
    int64_t *tail;          /* likewise: fewer of the respondents at or below, at or above */
} est_item;

typedef struct {
    size_t n;
    est_item *items;
} est_items;

/* Expands the table's items into measures and forms. False and reported where a statistic does not fit an item. */
bool est_items_new(const rsp_frame *f, const rsp_analysis *a, const est_people *who, rsp_arena *arena, est_items *out,
                   rsp_diag *d);
/* For tests: the mean of y; the cells 0..k of a cross-classification, whose n_forms forms the caller gives. */
void est_mean_item(est_item *it, const double *y, const est_people *who, rsp_arena *a);
/* For ratings: the mean of 1, 0 and -1, which `side` [n] holds as 2, 1 and 0; negative: not counted. */
void est_sides_item(est_item *it, const int8_t *side, const est_people *who, rsp_arena *a);
void est_cells_item(est_item *it, const int32_t *cell, size_t k, est_form *forms, size_t n_forms, const est_people *who,
                    rsp_arena *a);

static inline int est_level(const est_measure *m, size_t i) {
    return m->c8 ? m->c8[i] : m->c16 ? m->c16[i] : m->c32[i];
}
bool est_counted(const est_item *it, size_t base, size_t i);            /* row i is in the base */
int64_t est_base_of_cell(const est_item *it, size_t base, size_t cell); /* unweighted respondents */
int64_t est_base_of_domain(const est_people *who, const est_item *it, size_t base, size_t domain);

/* ---- questions with several choices (sets.c) -------------------------------------------------------------------- */

/* The exclusive combinations of a select_multiple: cell [n] becomes each row's place among the names, -1 where the
 * question was not answered. Returns how many names there are; combinations without a level of their own share `*`,
 * the last. weight [n] chooses the largest; those of fewer respondents than disclosure control lets pass have none. */
size_t est_combinations(const rsp_frame *f, size_t variable, const double *weight, rsp_arena *a, int32_t *cell,
                        const char ***names);
/* Two choices of a ranking: 1 only the first was ranked, 2 only the second, 0 both or neither, -1 no answer. */
const int8_t *est_preferred(const rsp_frame *f, size_t variable, size_t first, size_t second, rsp_arena *a);

/* ---- totals ----------------------------------------------------------------------------------------------------- */

void est_totals_full(const est_people *who, est_item *it);
/* rep [replicates * stride]; item j's totals start at its offset. Same bytes for any number of threads. */
void est_totals_replicates(const est_people *who, const est_item *items, size_t n_items, const rsp_replicates *r,
                           size_t stride, double *rep);

/* Items from .. to (returned) whose totals in so many replicates fit into memory together, at least one; sets their offsets. */
size_t est_end_of_batch(const est_people *who, const est_items *items, size_t from, size_t replicates, size_t *stride);

/* Totals that several tables of the study share (kept.c), made at the first call; NULL where no other table wants the same,
 * and inside a parallel region where they are not there yet. */
typedef struct est_kept est_kept;
est_kept *est_kept_get(rsp_sample *s, const rsp_analysis *a, const rsp_crossing *by, const rsp_replicates *r);
const est_people *est_kept_people(const est_kept *k);
/* Gives the items, made for the same people, the kept totals. False, and nothing done, where these are of other items. */
bool est_kept_adopt(const est_kept *k, est_items *items, rsp_arena *a);
/* Totals in the replicates r, as est_totals_replicates leaves them; NULL: not kept. */
const double *est_kept_replicates(const est_kept *k, const rsp_replicates *r, size_t *stride);

/* ---- statistics of totals --------------------------------------------------------------------------------------- */

/* The statistic in a domain from totals laid out as `full`; the mean over the countries with data where they are
 * averaged. NaN where there is nothing to divide by. */
double est_value_of(const est_people *who, const est_item *it, const est_form *f, size_t domain, const double *totals);
/* Gradient [n_countries * k] of it at the full-sample totals: influence of a row is gradient times contribution. */
void est_gradient_of(const est_people *who, const est_item *it, const est_form *f, size_t domain, double *gradient);
/* Variance it would have in a simple random sample with replacement of the same number of respondents. */
double est_srs_variance(const est_people *who, const est_item *it, const est_form *f, size_t domain);

/* ---- variance --------------------------------------------------------------------------------------------------- */

typedef struct {
    rsp_sample *sample;
    const est_people *who;
    const rsp_replicates *replicates; /* NULL: Taylor */
    const double *rep;
    size_t stride;
    rsp_diag *diag;
} est_context;

/* One thread's scratch memory. */
typedef struct {
    size_t n, n_z;
    double **z;
    size_t theta_room;
    double *theta;
    uint32_t *cluster, *stratum, *organisation, stamp;
    size_t organisation_room;
} est_work;

void est_work_init(est_work *w, const rsp_sample *s);
void est_work_free(est_work *w);

typedef struct {
    size_t form, domain;
} est_pair;

/* Covariance [p*p] of p statistics of an item; NaN, with flags, where it cannot be had. */
void est_vcov(const est_context *x, const est_item *it, const est_pair *pairs, size_t p, double *vcov, uint32_t *flags,
              est_work *w);
/* Degrees of freedom and distinct organisations of the respondents counted in a base in any of these domains. */
void est_design_of(const est_context *x, const est_item *it, size_t base, const size_t *domains, size_t n_domains,
                   double *df, int64_t *organisations, est_work *w);
/* The same for every base and domain of the item, kept with it. */
void est_designs(const est_context *x, est_item *it, est_work *w);

/* ---- rows ------------------------------------------------------------------------------------------------------- */

typedef struct {
    double estimate, se, df, lower, upper, n, n_eff, deff, variance, largest, second;
    uint32_t flags;
    int64_t base, cell, organisations, tail;
} est_value;

/* Interval of a proportion on the logit scale, exactly 0 or 1 after Korn and Graubard (1998). */
void est_share_interval(double p, double se, double df, double n, double *lower, double *upper);
/* Everything of a row but the variance and what follows from it. */
void est_describe(const est_context *x, const est_item *it, size_t form, size_t domain, est_value *v);
/* Standard error, interval, effective sample size and warnings from v->variance. */
void est_finish(const est_context *x, const est_item *it, size_t form, size_t domain, est_value *v);
/* Holm's adjustment (1979) of p[0..n); NaN are left out of the family. */
void est_holm(const double *p, size_t n, double *adjusted);
/* Benjamini and Hochberg's (1995), which bounds the expected share of false findings; NaN are left out of the family. */
void est_benjamini_hochberg(const double *p, size_t n, double *adjusted);

/* Quantiles of an item's domains, bins and forms for their distribution function. */
void est_quantiles(const est_people *who, const double *y, est_item *it, rsp_arena *a);
double est_quantile_at(const est_item *it, size_t domain, double p); /* NaN outside [0, 1] */

/* A difference between two levels of the crossing's last variable, or between a country and the average of the
 * participating countries (second RSP_NONE). */
typedef struct {
    size_t group, form;   /* which combination of the other variables' levels; which form of the item */
    size_t first, second; /* levels of the last variable */
    double estimate, se, df, p, n;
    uint32_t flags;
    int64_t base, organisations;
} est_difference;

typedef struct {
    size_t n, capacity;
    est_difference *rows; /* heap; by group, form, pair */
} est_differences;

/* All differences of an item; its values [n_forms * n_domains, by form] get their variances on the way. */
void est_compare(const est_context *x, const est_item *it, est_value *values, est_differences *out, est_work *w);

/* Answers to be put in order (qsort): by value, equal ones by row, so that there is one order (quantile.c). */
typedef struct {
    double y;
    uint32_t row;
} est_entry;

int est_compare_entries(const void *x, const void *y);

#endif
