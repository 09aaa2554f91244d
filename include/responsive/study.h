/* The study: everything about one questionnaire, read from its folder (study.yaml, survey.csv, choices.csv).
 *
 *   rsp_study *s = rsp_study_load("specs/ifsw", diag);      all errors reported, each with file:line:column
 *   rsp_study_check(s, diag)                                 what can be found wrong without reading data
 *   rsp_study_free(s)
 *
 * All strings and arrays live as long as the study. Names are resolved: whatever names a variable holds its index.
 * The study knows nothing of data; the frame (frame.h) has one column per variable (more for select_multiple/rank). */
#ifndef RESPONSIVE_STUDY_H
#define RESPONSIVE_STUDY_H

#include "responsive/expr.h"
#include "responsive/formula.h"
#include "responsive/text.h"

/* ---- the instrument --------------------------------------------------------------------------------------------- */

typedef struct {
    const char *code;
    double value; /* the number of an ordinal answer: `value`, else its place in the list from 1 */
    bool missing; /* a "don't know": kept, but not a valid answer */
    rsp_text label;
    size_t n_aliases; /* other texts that exports use for it (column `alias`, separated by |) */
    const char **aliases;
    rsp_loc loc;
} rsp_choice;

typedef struct {
    const char *name;
    size_t n;
    rsp_choice *choices; /* in the order of the questionnaire; the first is the reference category */
} rsp_list;

size_t rsp_list_find(const rsp_list *l, const char *code); /* RSP_NONE if absent */

typedef enum {
    RSP_SELECT_ONE,
    RSP_SELECT_MULTIPLE,
    RSP_RANK,
    RSP_INTEGER,
    RSP_DECIMAL,
    RSP_DATE,
    RSP_DATETIME,
    RSP_TEXT
} rsp_type;

typedef enum { RSP_NOMINAL, RSP_ORDINAL, RSP_INTERVAL } rsp_measure;

typedef enum {
    RSP_DERIVE_NONE,
    RSP_DERIVE_CUT,
    RSP_DERIVE_MAP,
    RSP_DERIVE_EXPR,
    RSP_DERIVE_MEAN,
    RSP_DERIVE_SUM
} rsp_derive_kind;

typedef struct {
    rsp_derive_kind kind;
    size_t from;  /* cut, map: variable */
    size_t n_cut; /* intervals closed on the left; codes are n_cut + 1 */
    const double *cut;
    size_t n_map; /* map: choice index of `from` (in its list) -> code index in the variable's list */
    const size_t *map_from, *map_to;
    rsp_expr *expr;
    size_t n_items; /* mean, sum */
    const size_t *items;
    size_t min_valid; /* default: all */
} rsp_derivation;

/* A variable: a question of survey.csv, a derivation of study.yaml, or one choice of a select_multiple or rank. */
typedef struct {
    const char *name;
    rsp_type type;
    const rsp_list *list; /* select_one, select_multiple, rank, coded derivations; else NULL */
    rsp_measure measure;
    bool reverse;
    bool required;
    size_t n_export_names; /* headings in the exports where they differ from name (`|` separates alternatives) */
    const char **export_names;
    rsp_text label, hint;
    rsp_expr *relevant, *constraint; /* NULL if none; `relevant` includes its groups' conditions */
    rsp_derivation derive;
    /* A select_multiple or rank NAME has one further variable for each choice, NAME_CODE (type integer: 1 chosen, 0
     * not; for rank the place from 1, 0 not ranked): part_of is the index of NAME, part the place in its list. */
    size_t part_of, part;
    size_t first_part; /* of NAME: index of its first NAME_CODE; RSP_NONE otherwise */
    rsp_loc loc;
} rsp_variable;

/* ---- study.yaml ------------------------------------------------------------------------------------------------- */

typedef struct {
    const char *name, *value;
} rsp_pair;

typedef struct {
    size_t n_patterns;
    const char **patterns;   /* as written; relative to the study folder */
    const char *format;      /* "auto", "csv", "limesurvey", ... */
    const char *encoding;    /* NULL: detect */
    char delimiter, decimal; /* 0: detect */
    const char *sheet;       /* of a workbook; NULL: the first that holds answers */
    char dates;              /* 'd' day first, 'm' month first, 0: detect */
    bool simulated;          /* data made by `responsive simulate`: said on every output */
    size_t n_set;            /* constants: variable and code */
    rsp_pair *set;
    size_t n_rename; /* heading in the file -> variable */
    rsp_pair *rename;
    rsp_loc loc;
} rsp_source;

typedef struct {
    size_t id, country, language, organisation, started, submitted, duration, consent; /* variables or RSP_NONE */
} rsp_roles;

typedef enum {
    RSP_CLEAN_DROP,
    RSP_CLEAN_DUPLICATES,
    RSP_CLEAN_INCOMPLETE,
    RSP_CLEAN_SPEEDERS,
    RSP_CLEAN_STRAIGHTLINERS,
    RSP_CLEAN_OUTLIERS,
    RSP_CLEAN_RECODE,
    RSP_CLEAN_SET_MISSING,
    RSP_CLEAN_CONSTRAINT,
    RSP_CLEAN_RELEVANT
} rsp_clean_kind;

typedef enum { RSP_ACTION_DROP, RSP_ACTION_FLAG, RSP_ACTION_SET_MISSING } rsp_action;

typedef struct {
    const char *id;
    rsp_clean_kind kind;
    rsp_action action;
    rsp_text label;
    rsp_expr *expr; /* drop, set-missing (condition) */
    size_t n_items; /* straightliners, set-missing, outliers, incomplete, recode: variables concerned */
    const size_t *items;
    size_t n_by; /* duplicates */
    const size_t *by;
    enum { RSP_KEEP_FIRST, RSP_KEEP_LAST, RSP_KEEP_MOST_COMPLETE } keep;
    double minimum;   /* incomplete: share answered; straightliners: least number of answers alike;
                                     speeders: share of the median; outliers: number of interquartile ranges */
    double low, high; /* outliers: limits instead, NaN if not given */
    size_t n_recode;
    rsp_pair *recode; /* code -> code ("" : missing) */
    rsp_loc loc;
} rsp_clean_rule;

typedef struct {
    size_t weight;   /* variable or RSP_NONE */
    size_t n_strata; /* a stratum may be a crossing of variables (list) */
    const size_t *strata;
    size_t n_stages; /* clusters by stage; 0: respondents are the clusters */
    const size_t *cluster;
    size_t n_fpc;
    const size_t *fpc;
    enum { RSP_LONELY_FAIL, RSP_LONELY_ADJUST, RSP_LONELY_CERTAINTY } lonely;
    bool self_selected;
    rsp_loc loc;
} rsp_design_spec;

typedef struct {
    const char *country; /* "" where weighting is not within a variable */
    const char *code;
    double amount; /* count or share */
    const char *source;
    rsp_loc loc;
} rsp_target;

typedef struct {
    const char *name; /* margin's name: the variable's, or "a:b" for a crossing */
    size_t n_variables;
    const size_t *variables;
    bool counts; /* targets are counts, else shares */
    size_t n_targets;
    rsp_target *targets; /* code: "x", or "x:y" for a crossing */
    bool numeric;        /* calibration to totals of a numeric variable */
    rsp_loc loc;
} rsp_margin;

typedef struct {
    bool given;    /* there is a `weighting` with margins */
    size_t within; /* variable or RSP_NONE */
    enum { RSP_RAKE, RSP_LINEAR, RSP_LOGIT } method;
    size_t n_margins;
    rsp_margin *margins;
    double bound_low, bound_high; /* of calibrated/base weight; NaN: none */
    double trim_low, trim_high;   /* of weight over its group's mean weight; NaN: none */
    bool set_aside_missing;       /* missing: set-aside */
    size_t n_nonresponse;         /* weighting classes: variables */
    const size_t *nonresponse;
    rsp_expr *respondent; /* nonresponse: who responded (default: rows kept) */
    enum { RSP_SCALE_UNSET, RSP_SCALE_SAMPLE, RSP_SCALE_POPULATION, RSP_SCALE_EQUAL } scale;
    size_t n_population;
    rsp_target *population; /* by country, count */
    rsp_loc loc;
} rsp_weighting_spec;

typedef enum { RSP_TAYLOR, RSP_JK1, RSP_JKN, RSP_BRR, RSP_FAY, RSP_BOOTSTRAP } rsp_variance_method;

typedef struct {
    rsp_variance_method method;
    size_t replicates;
    uint64_t seed;
    double rho; /* Fay */
    bool mse;
} rsp_variance_spec;

/* Answers completed several times by chained equations. */
enum { RSP_IMPUTE_PMM, RSP_IMPUTE_LOGISTIC, RSP_IMPUTE_ORDINAL, RSP_IMPUTE_MULTINOMIAL };

typedef struct {
    size_t n_variables; /* 0: none */
    const size_t *variables;
    int *methods;        /* [n_variables] RSP_IMPUTE_... */
    size_t n_predictors; /* beside the variables themselves, the country and the weight */
    const size_t *predictors;
    size_t m, iterations;
    uint64_t seed;
    rsp_loc loc;
} rsp_imputation_spec;

typedef enum {
    RSP_PROPORTION,
    RSP_MEAN,
    RSP_TOTAL,
    RSP_MEDIAN,
    RSP_QUANTILE,
    RSP_COUNT,
    RSP_SD,
    RSP_NET,
    RSP_TOP2,
    RSP_COMBINATIONS, /* of a select_multiple: its choices, and which of them go together */
    RSP_RANKING,      /* of a rank: its choices, and which of them can be told apart */
    RSP_RATIO
} rsp_statistic;

/* "proportion", as study.yaml and results write it; a ratio has a key of its own in study.yaml. */
const char *rsp_statistic_word(rsp_statistic s);

typedef struct {
    size_t n;
    const size_t *variables;
} rsp_crossing; /* n 0: everybody */

typedef struct {
    rsp_statistic statistic;
    size_t n_items;
    const size_t *items;
    size_t numerator, denominator; /* ratio */
    size_t n_probs;                /* quantile */
    const double *probs;
    size_t n_by;
    rsp_crossing *by;
    bool compare;
    bool rating; /* net: answers rate from blocking to enabling, not from disagreement to agreement */
} rsp_table;

typedef struct {
    enum { RSP_TEST_RAO_SCOTT, RSP_TEST_T, RSP_TEST_WALD, RSP_TEST_KRUSKAL } kind;
    size_t rows, columns; /* rao_scott, wald; t, kruskal: rows is the outcome, columns the group */
} rsp_test;

/* Values of a variable at which a model predicts: codes, or numbers as written. */
typedef struct {
    size_t variable, n;
    const char **values;
} rsp_predict;
/* kind drivers: which factors go with an outcome, in every group and over all. The model's formula holds them all. */
typedef struct {
    size_t outcome;
    size_t n_factors, n_controls;
    const size_t *factors, *controls;
    size_t n_leave_out; /* coded variables: once more without each of their codes */
    const size_t *leave_out;
    double neutral; /* value of a factor that neither enables nor blocks; NaN: none (coded factors have their middle) */
    double smallest;   /* least standardised coefficient that counts as a role */
    size_t replicates; /* of the bootstrap behind shares, where the variance is not one */
} rsp_drivers;

enum { RSP_MOST_FACTORS = 16 }; /* every subset of them is a regression */

typedef struct {
    enum {
        RSP_LINEAR_MODEL,
        RSP_LOGISTIC_MODEL,
        RSP_ORDINAL_MODEL,
        RSP_POISSON_MODEL,
        RSP_NEGATIVE_BINOMIAL_MODEL,
        RSP_MULTINOMIAL_MODEL,
        RSP_MIXED_MODEL,
        RSP_MIXED_LOGISTIC_MODEL,
        RSP_MIXED_ORDINAL_MODEL,
        RSP_POOLED_MODEL,
        RSP_DRIVERS_MODEL
    } kind;
    rsp_formula *formula;                                     /* NULL: pooled */
    const char *event;                                        /* code of the outcome that counts as 1; NULL */
    bool unweighted;                                          /* weights: none */
    enum { RSP_SCALING_SIZE, RSP_SCALING_EFFECTIVE } scaling; /* weighted models with random effects */
    size_t group_weight;                                      /* their weight of a group: variable, or RSP_NONE */
    bool ml;                   /* mixed, pooled: maximum likelihood, else restricted (REML) */
    bool kenward_roger;        /* mixed: else Satterthwaite's degrees of freedom */
    bool normal;               /* mixed_logistic, mixed_ordinal: normal intervals, else between and within groups */
    size_t estimate, variance; /* pooled: variables, or RSP_NONE where `of` is given */
    size_t of;                 /* pooled: index of the model among the analyses */
    const char *term;          /* pooled: its coefficient */
    size_t across;             /* pooled, drivers: variable of the groups */
    bool leave_one_out;        /* pooled: again without each group */
    bool mixture;              /* pooled, drivers: `prediction: confidence_distribution`, else t */
    size_t n_margins;          /* average marginal effects of these variables */
    const size_t *margins;
    size_t n_predict; /* predictions at every combination of these values */
    rsp_predict *predict;
    rsp_drivers drivers;
    enum { RSP_ERRORS_DESIGN, RSP_ERRORS_CR2, RSP_ERRORS_WILD } errors;
    size_t draws; /* wild */
    bool firth;   /* logistic: penalised likelihood */
} rsp_model;

/* Has the outcome two answers, one of them the event? Ordered categories? Does the model have random effects? */
static inline bool rsp_model_binary(const rsp_model *m) {
    return m->kind == RSP_LOGISTIC_MODEL || m->kind == RSP_MIXED_LOGISTIC_MODEL;
}
static inline bool rsp_model_ordered(const rsp_model *m) {
    return m->kind == RSP_ORDINAL_MODEL || m->kind == RSP_MIXED_ORDINAL_MODEL;
}
static inline bool rsp_model_random(const rsp_model *m) {
    return m->kind == RSP_MIXED_MODEL || m->kind == RSP_MIXED_LOGISTIC_MODEL || m->kind == RSP_MIXED_ORDINAL_MODEL;
}

typedef struct {
    const char *name;
    size_t n_items;
    const size_t *items;
    size_t min_valid;
    bool weighted;    /* weights: design */
    size_t agreement; /* variable of units within which respondents may agree; RSP_NONE */
} rsp_scale;

/* Parameters that are equal between the groups of a factor model. */
enum {
    RSP_EQUAL_LOADINGS = 1u << 0,
    RSP_EQUAL_INTERCEPTS = 1u << 1,
    RSP_EQUAL_RESIDUALS = 1u << 2,
    RSP_EQUAL_RESIDUAL_COVARIANCES = 1u << 3,
    RSP_EQUAL_LV_VARIANCES = 1u << 4,
    RSP_EQUAL_LV_COVARIANCES = 1u << 5,
    RSP_EQUAL_MEANS = 1u << 6,
    RSP_EQUAL_REGRESSIONS = 1u << 7,
    RSP_EQUAL_THRESHOLDS = 1u << 8
};

enum {
    RSP_STANDARDISED_ALL = 1u << 0, /* by factors and items */
    RSP_STANDARDISED_LV = 1u << 1   /* by factors */
};

typedef struct {
    rsp_lavaan *syntax;
    enum { RSP_ML, RSP_MLR, RSP_WLSMV, RSP_WLSM, RSP_DWLS } estimator;
    bool all_ordered; /* wlsmv, wlsm, dwls: every item is ordinal, else those of `ordered` */
    size_t n_ordered;
    const size_t *ordered;  /* variables */
    size_t group;           /* variable or RSP_NONE */
    const char *group_name; /* its name; NULL without groups */
    uint32_t equal;         /* RSP_EQUAL_... */
    rsp_lavaan *partial;    /* statements whose parameters are free in every group all the same; NULL: none */
    bool fiml;              /* missing: every answer counts (full information), else complete rows */
    bool pairwise;          /* missing, wlsmv: items and pairs rest on those who answered them */
    bool weighted;          /* weights: design */
    bool std_lv;            /* factors have variance 1, else the first loading is 1 */
    uint32_t standardised;  /* RSP_STANDARDISED_...: solutions beside the estimates; standardised loadings always */
    bool modification; /* modification indices: the `most_modifications` largest of at least `minimum_modification` */
    size_t most_modifications;
    double minimum_modification;
} rsp_factor_model;

/* Estimated from thresholds and polychoric correlations: ordinal items, no likelihood. */
static inline bool rsp_limited_information(const rsp_factor_model *f) { return f->estimator >= RSP_WLSMV; }

/* When a rung of the ladder holds: NaN leaves the choice to the published rule that suits the number of groups. Index 0:
 * equal loadings, 1: equal intercepts, or thresholds. */
typedef struct {
    enum { RSP_CUTOFFS_BY_GROUPS, RSP_CUTOFFS_CHEN, RSP_CUTOFFS_RUTKOWSKI_SVETINA } rule;
    double cfi[2], rmsea[2], srmr[2];
    double configural_cfi, configural_srmr, noninvariant;
} rsp_cutoffs;

/* Does a scale mean the same in all groups? One ladder for each scale (or the one model) and variable. */
typedef struct {
    size_t n_models;
    const char **name;    /* [n_models] the scale's name, or the id where a model is given */
    rsp_lavaan **syntax;  /* [n_models] */
    const size_t **items; /* [n_models] variables; n_items of each */
    size_t *n_items;
    size_t n_by;
    const size_t *by;
    /* estimator, ordered, missing and weights as in a model of the study; syntax and group are those of each comparison */
    rsp_factor_model model;
    rsp_cutoffs cutoffs;
    size_t anchors, minimum_group;
    double margin;
} rsp_invariance;

/* Items and the factors that data suggest for them; also their correlations alone. */
typedef struct {
    enum { RSP_EXPLORE_FACTORS, RSP_EXPLORE_PARALLEL, RSP_EXPLORE_CORRELATIONS } kind;
    size_t n_items;
    const size_t *items;
    size_t n_factors; /* 0: as many as parallel analysis suggests */
    bool ml;          /* else minres */
    enum { RSP_OBLIMIN, RSP_VARIMAX, RSP_NO_ROTATION } rotation;
    bool weighted; /* weights: design */
    uint64_t seed;
    size_t replicates;
    /* correlations */
    enum { RSP_PEARSON, RSP_SPEARMAN, RSP_POLYCHORIC } correlation;
    bool pairwise;    /* missing: a pair rests on those who answered both, else on those who answered all items */
    bool all_ordered; /* polychoric: every item is ordinal, else those of `ordered` */
    size_t n_ordered, n_by;
    const size_t *ordered, *by; /* variables; `by` beside everybody */
} rsp_exploration;

typedef enum {
    RSP_A_TABLE,
    RSP_A_TEST,
    RSP_A_SCALE,
    RSP_A_FACTOR,
    RSP_A_INVARIANCE,
    RSP_A_EXPLORATION,
    RSP_A_MODEL
} rsp_analysis_kind;

typedef struct {
    const char *id;
    rsp_analysis_kind kind;
    rsp_text title;             /* neutral description for charts and tables; may be empty */
    rsp_expr *filter;           /* NULL: everybody */
    rsp_variance_spec variance; /* its own or the study's */
    bool imputed;               /* pooled over the completed data sets, where it uses one of their variables */
    rsp_table table;
    rsp_test test;
    rsp_scale scale;
    rsp_factor_model factor;
    rsp_invariance invariance;
    rsp_exploration exploration;
    rsp_model model;
    char digest[65]; /* hash of its lines without the words for pages */
    bool refers;     /* it looks at other analyses: their lines count as its own */
    rsp_loc loc;
} rsp_analysis;

typedef struct {
    bool off; /* data are public or made up; said on the outputs */
    int64_t minimum_base, minimum_cell, minimum_organisations, minimum_change;
    double rounding;                 /* counts to multiples of this; 0: none */
    double dominance_n, dominance_k; /* magnitudes: the n largest hold more than share k; NaN: off */
    char digest[65];                 /* hash of the rules */
    rsp_loc loc;
} rsp_disclosure_spec;

/* Who a brief or workbook is for: everybody, or each eligible country. */
typedef struct {
    bool each_country; /* false: all */
    size_t n_languages;
    const char **languages; /* "national" stands for the country's languages (`national`) */
    size_t n_analyses;
    const char **analyses; /* NULL: every analysis */
    bool all_estimates;    /* workbooks: beside the summary of an analysis of drivers */
    rsp_loc loc;
} rsp_edition;

typedef struct {
    const char *analysis;
    const char *kind;     /* a word of the key's list: "agreement", "dots", ... */
    rsp_text title;       /* finding; NULL: composed from tests */
    size_t item;          /* tiles: the variable shown; RSP_NONE: the table's first */
    size_t n_limits;      /* tiles: between the classes of values, ascending; 0: as the statistic suggests */
    const double *limits; /* in the statistic's own unit */
    rsp_loc loc;
} rsp_chart_spec;

typedef struct {
    size_t n_briefs, n_workbooks, n_charts;
    rsp_edition *briefs, *workbooks;
    rsp_chart_spec *charts; /* none given: one per analysis by its kind */
} rsp_reports;

/* simulate: a latent structure and flaws; see engine/batch/simulate.c and specs/README for meaning. */
typedef struct {
    const char *code; /* country */
    size_t n;         /* respondents */
    const char *language;
    double effect; /* on every factor, in standard deviations */
} rsp_sim_country;

typedef struct {
    const char *name;
    double loading; /* of every item */
    size_t n_items;
    const size_t *items;
    size_t n_effects; /* outcomes: factor, earlier outcome, or `variable=code`, and its coefficient */
    rsp_pair *effects;
    double residual; /* outcomes: standard deviation of what effects leave; default 1 */
} rsp_sim_latent;

/* A shift of one item in one country, in standard deviations: the item does not mean the same there. */
typedef struct {
    const char *country;
    size_t item;
    double shift;
} rsp_sim_bias;

/* Shares of a variable's answers in the order of its list, choices marked missing left out (rank: worths). */
typedef struct {
    size_t variable, n;
    const double *shares;
} rsp_sim_answers;

/* Whole numbers: log-normal around the median, at most max. */
typedef struct {
    size_t variable;
    double median, sigma, max;
} rsp_sim_number;

typedef struct {
    bool given;
    size_t n_countries;
    rsp_sim_country *countries;
    double cluster_size, cluster_variance;
    double common; /* correlation between any two factors */
    size_t n_factors, n_outcomes;
    rsp_sim_latent *factors, *outcomes;
    size_t n_bias;
    rsp_sim_bias *bias;
    size_t n_answers;
    rsp_sim_answers *answers;
    size_t n_organisation_level; /* drawn once for an organisation */
    const size_t *organisation_level;
    size_t places; /* of a rank; 0: all */
    size_t n_numbers;
    rsp_sim_number *numbers;
    double free_text_share; /* of respondents who write free_text into text questions */
    const char *free_text;  /* NULL: none */
    double duplicates, speeders, straightliners, test_rows, incomplete, item_nonresponse, dont_know;
} rsp_simulation;

typedef struct {
    const char *dir, *path; /* the folder; study.yaml in it */
    size_t n_roots;
    const char **roots; /* folders that its files may lie in, without links: its own, then `paths: {allow: ...}` */
    const char *id;
    rsp_text title;
    size_t n_languages;
    const char **languages; /* of outputs; the first is the default */
    rsp_loc languages_loc;
    struct {
        rsp_text publisher, contact, funding, licence;
    } publication; /* each may be empty */
    struct {
        const char *from, *to, *freeze;
        long wave;
    } field; /* ISO dates or NULL */
    size_t n_sources;
    rsp_source *sources;
    const char *survey_path, *choices_path;
    size_t n_lists;
    rsp_list *lists;
    size_t n_variables;
    rsp_variable *variables; /* questions, parts, derivations */
    size_t n_derived;
    const size_t *derived; /* derivations in order of evaluation */
    rsp_roles roles;
    struct {
        size_t n_keep;
        const size_t *keep; /* variables read although they identify persons */
        const char *key;    /* file of the pseudonyms' key, seen from the folder; NULL: the user's */
    } privacy;
    size_t n_rules;
    rsp_clean_rule *rules;
    rsp_design_spec design;
    struct {
        int64_t respondents, clusters;
    } eligible; /* 0: no limit */
    rsp_weighting_spec weighting;
    rsp_variance_spec variance;
    rsp_imputation_spec imputation;
    size_t n_analyses;
    rsp_analysis *analyses; /* in the order of study.yaml */
    rsp_disclosure_spec disclosure;
    size_t keep; /* publications that stay; 0: all */
    rsp_reports reports;
    size_t n_national;
    rsp_pair *national; /* country code -> language (several: several pairs) */
    rsp_simulation simulation;
    char digest[65];          /* of what all analyses rest on: instrument, rules, derivations, weighting, ... */
    char analyses_digest[65]; /* of all analyses */
    size_t n_inputs;
    const char **inputs; /* files read while loading: for the manifest */
    rsp_map *names;      /* of variables -> their places */
    rsp_arena *arena;
} rsp_study;

/* Loads dir/study.yaml and what it names. NULL when anything is wrong (class RSP_ERR_STUDY in d). */
rsp_study *rsp_study_load(const char *dir, rsp_diag *d);
void rsp_study_free(rsp_study *s);
/* Things `check` says beyond errors: files that match nothing, unused lists, missing translations (warnings). */
void rsp_study_check(rsp_study *s, rsp_diag *d);

/* May a file that the study names be read or written: does it lie, once links are followed, in the study folder or in one
 * of `paths: {allow: ...}`? Reports RSP_ERR_STUDY at loc if not. A file that is not there yet counts as its folder does. */
bool rsp_study_may_read(const rsp_study *s, const char *path, rsp_loc loc, rsp_diag *d);
/* A pattern of a source for glob(), whatever signs the study folder's own name has; in the arena. */
const char *rsp_study_pattern(const rsp_study *s, const char *pattern, rsp_arena *a);
/* Reports that no file matches it. */
void rsp_study_no_file(const rsp_study *s, const char *pattern, rsp_loc loc, rsp_class class, rsp_diag *d);

size_t rsp_study_variable(const rsp_study *s, const char *name); /* RSP_NONE if absent */
/* The label of a variable or of choice k of its list in lang, or the name/code where there is none. Never NULL. */
const char *rsp_variable_label(const rsp_study *s, size_t variable, const char *lang);
const char *rsp_choice_label(const rsp_list *l, size_t k, const char *lang);
bool rsp_study_preliminary(const rsp_study *s, const char *today_iso); /* freeze date not passed */
bool rsp_study_keeps(const rsp_study *s, size_t variable);             /* privacy: keep */
bool rsp_study_simulated(const rsp_study *s);                          /* any source is simulated */

/* The JSON schema of study.yaml and the reference of its keys (Markdown), from the loader's own table of keys. */
void rsp_study_schema(rsp_buf *into);
void rsp_study_reference(rsp_buf *into);

#endif
