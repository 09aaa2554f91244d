/* Kind `drivers`: which factors go with an outcome, how much each matters, and where.
 *
 *   drivers_aside.c     factors and controls that say nothing, set aside beforehand
 *   drivers.c           one regression over all groups and one for each; what several ways of estimating say
 *   drivers_completed.c the same on completed data sets, made one by Rubin's rules
 *   drivers_net.c       whether respondents rate a factor as enabling or as blocking
 *   drivers_shares.c    shares of explained variance, associations of a factor alone, variants without a group
 *   drivers_verdict.c   from numbers to a role and a verdict, by rules
 *   drivers_rows.c      rows of the results table */
#ifndef RESPONSIVE_MODEL_DRIVERS_H
#define RESPONSIVE_MODEL_DRIVERS_H

#include "estimate/estimate.h"
#include "model/fit.h"
#include "model/products.h"

/* A coefficient as it stands in a row; NaN and flags where there is none. */
typedef struct {
    double estimate, se, df, lower, upper, p;
    uint32_t flags;
    int64_t cell;
} drv_value;

/* What every group's own regression says. */
typedef struct {
    const char *code, *domain; /* "PL", "country=PL" */
    size_t n;                  /* respondents of its regression */
    int64_t organisations;
    uint32_t flags;   /* of the group: not eligible, empty */
    double df;        /* of its design */
    drv_value *value; /* [n_factors] */
    double *adjusted; /* [n_factors] their p, Benjamini and Hochberg over the factors of the group */
    double *v;        /* [n_factors^2] covariance; NULL: not fitted */
    bool complete;    /* every factor that the whole has is estimated here */
} drv_group;

/* Is the rating zero? Adjusted over the factors that the same people rate. */
typedef struct {
    double p, adjusted;
} drv_rated;

/* The estimate once more with something changed. */
typedef struct {
    const char *level; /* "unweighted", "unflagged", "country=PL", "organisation_type=ngo": what is left out */
    size_t n;          /* respondents that remain */
    int64_t cell;      /* respondents left out; -1: none */
    double *b;         /* [n_factors] */
} drv_variant;

typedef enum { DRV_ROLE_OWN, DRV_ROLE_SHARED, DRV_ROLE_SUPPRESSED, DRV_ROLE_NONE } drv_role;

typedef enum {
    DRV_ENABLER_EVERYWHERE,
    DRV_ENABLER_IN_MOST,
    DRV_DEPENDS,
    DRV_NO_CLEAR_ROLE,
    DRV_BLOCKER,
    DRV_TOO_FEW
} drv_verdict;

typedef struct {
    const char *name;
    uint32_t aside;       /* why it is set aside; then it has ratings alone */
    size_t answered;      /* set aside: respondents with an answer */
    double to_standard;   /* standard deviation within groups over the outcome's */
    drv_value all, alone; /* groups and controls held constant: with the other factors, without them */
    double all_adjusted;  /* p of `all`, Benjamini and Hochberg over the factors */
    size_t n_pooled;      /* groups that enter the pool */
    bool pooled;          /* two or more */
    rsp_pool pool;
    double pool_p, pool_adjusted;
    drv_value pool_value, prediction;
    double wald, wald_df1, wald_df, wald_p, wald_adjusted; /* the same in every group? */
    size_t opposite, clearly_opposite;                     /* groups whose estimate has the other sign */
    size_t positive, clearly_positive, clearly_negative;   /* of the groups in the pool */
    rsp_mixed_term multilevel;
    double explained, explained_se, explained_low, explained_high; /* share of the outcome's variance */
    double share, share_se, share_low, share_high;                 /* of what all factors explain */
    est_value *net, net_all;                                       /* [n_groups], everybody; NULL: not rated */
    drv_rated *rated;                                              /* [n_groups + 1], everybody last */
    bool judged;                                                   /* role and verdict hold */
    drv_role role;
    drv_verdict verdict;
} drv_factor;

/* A listed factor or control, and what keeps it out. */
typedef struct {
    size_t variable, answered;
    uint32_t flag; /* unanswered, constant; 0: nothing */
} drv_predictor;

/* What the study lists, and the analysis that is left of it. */
typedef struct {
    rsp_analysis kept;     /* model.drivers.factors: those that are kept, beyond n_factors the others */
    size_t n_listed;       /* factors */
    drv_predictor *factor; /* [n_listed] in the order of kept.model.drivers.factors */
    size_t *order;         /* [n_listed] place in `factor` of each factor in the order of the study */
    size_t n_controls;     /* controls set aside */
    drv_predictor *control;
} drv_listed;

typedef struct {
    rsp_sample *s;
    const rsp_analysis *a;
    const drv_listed *listed;
    rsp_diag *d;
    rsp_arena *arena;
    rsp_analysis linear; /* the regression over all groups */
    rsp_estimates all;   /* its matrix: of one data set while that is looked at */
    size_t n;            /* respondents of the regression over all groups */
    int64_t organisations;
    rsp_categories groups;
    const char *across;
    size_t n_factors, n_groups;
    drv_factor *factor; /* [listed->n_listed], those set aside last */
    drv_group *group;
    size_t n_variants, variants_capacity;
    drv_variant *variant;
    double r_squared, r_squared_held; /* of all; of groups and controls alone */
    double joint, joint_df1, joint_df, joint_p;
    size_t n_pooled;       /* groups that enter any pool */
    uint32_t shares_flags; /* why shares have no intervals */
    size_t n_draws;        /* replicates of shares */
    const double *draws;   /* [n_draws][2 n_factors]: shares of what is explained, then of the outcome's variance */
} drv_run;

/* Nobody answered it, or all who answered alike: such a factor, in the list of complete cases, would take all respondents
 * along or stand for the intercept. Looked for among respondents with an outcome and a group. A control: unanswered only; with
 * one answer it changes nothing. */
void drv_set_aside(rsp_sample *s, const rsp_analysis *a, rsp_arena *arena, drv_listed *l, rsp_diag *d);

/* Estimates, nets, shares and variants of m completed data sets pooled into `to`, which is started. */
void drv_pool_completed(const drv_run *run, size_t m, drv_run *to);

/* Ratings of all factors by group: net of those that say it enables and those that say it blocks. */
void drv_net(drv_run *x);
/* Shares, associations alone, variants. */
void drv_shares(drv_run *x);
rsp_variance_spec drv_shares_variance(const rsp_analysis *a); /* of the shares: always the bootstrap's */
/* Standard deviation and the middle 95 % of v[0..n), which is sorted on the way; NaN with fewer than two. */
void drv_spread(double *v, size_t n, double *se, double *low, double *high);
void drv_judge(drv_run *x);
const char *drv_role_word(drv_role r);
const char *drv_verdict_word(drv_verdict v);
void drv_write(const drv_run *x, rsp_results *out);

/* Interval and p from estimate, se and df; df of 0 or less: flag no_df. */
void drv_complete(drv_value *v);
bool drv_known(const drv_value *v); /* estimate with an error above 0 */

#endif
