/* See keys.h. Tables stand inside out: what is used stands above what uses it. */
#include "study/keys.h"

#include "responsive/limits.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- the table -------------------------------------------------------------------------------------------------- */

#define END                                                                                                            \
    { NULL, 0, RSP_V_TEXT, NULL, false, NULL, NULL }
#define ONE RSP_S_ONE
#define LIST RSP_S_LIST

static const rsp_key field_keys[] = {
    {"from", ONE, RSP_V_DATE, NULL, false, NULL, "first day of the field period"},
    {"to", ONE, RSP_V_DATE, NULL, false, NULL, "last day of the field period"},
    {"freeze", ONE, RSP_V_DATE, NULL, false, NULL, "until this day has passed everything is marked preliminary"},
    {"wave", ONE, RSP_V_INTEGER, "0..", false, NULL, "number of the wave"},
    END};

static const rsp_key source_keys[] = {
    {"files", ONE | LIST, RSP_V_FILE, NULL, true, NULL, "exports, as paths or globs seen from the study folder"},
    {"format", ONE, RSP_V_ENUM,
     "auto|csv|limesurvey|eusurvey|qualtrics|surveymonkey|kobo|redcap|sosci|unipark|google-forms|microsoft-forms|spss|"
     "stata",
     false, NULL, "tool that wrote the export; default: recognised"},
    {"sheet", ONE, RSP_V_TEXT, NULL, false, NULL, "sheet of a workbook; default: the first that holds answers"},
    {"dates", ONE, RSP_V_ENUM, "dmy|mdy", false, NULL,
     "order of dates that are not ISO 8601, such as 3/4/2026; default: recognised where a day above 12 tells"},
    {"encoding", ONE, RSP_V_TEXT, NULL, false, NULL, "encoding of the text, as iconv names it; default: recognised"},
    {"delimiter", ONE, RSP_V_ENUM, ",|;|tab|pipe", false, NULL, "sign between cells; default: recognised"},
    {"decimal", ONE, RSP_V_ENUM, ".|,", false, NULL, "decimal sign; default: recognised"},
    {"simulated", ONE, RSP_V_YESNO, NULL, false, NULL, "yes: made up by `responsive simulate`; every output says so"},
    {"set", RSP_S_MAP, RSP_V_TEXT, NULL, false, NULL, "constants of every row: variable and code or number"},
    {"rename", RSP_S_MAP, RSP_V_TEXT, NULL, false, NULL,
     "heading in the file and the variable, or `NAME[CODE]`, it is"},
    END};

static const rsp_key instrument_keys[] = {
    {"survey", ONE, RSP_V_FILE, NULL, true, NULL, "the XLSForm sheet `survey` as CSV"},
    {"choices", ONE, RSP_V_FILE, NULL, false, NULL, "the XLSForm sheet `choices` as CSV"},
    END};

static const rsp_key privacy_keys[] = {
    {"keep", ONE | LIST, RSP_V_VARIABLE, NULL, false, NULL,
     "variables that are read although they identify persons; the id: shown as it is, not as a pseudonym"},
    {"key", ONE, RSP_V_FILE, NULL, false, NULL,
     "file of the key of the pseudonyms, made on first use; default: responsive/pseudonyms.key in XDG_CONFIG_HOME"},
    END};

static const rsp_key role_keys[] = {
    {"id", ONE, RSP_V_VARIABLE, NULL, false, NULL,
     "identifies a respondent; without it the row's place in its file does"},
    {"country", ONE, RSP_V_VARIABLE, NULL, false, NULL, "the country, a coded variable"},
    {"language", ONE, RSP_V_VARIABLE, NULL, false, NULL, "language in which the respondent answered"},
    {"organisation", ONE, RSP_V_VARIABLE, NULL, false, NULL, "the respondent's organisation, for disclosure control"},
    {"started", ONE, RSP_V_VARIABLE, NULL, false, NULL, "when answering began"},
    {"submitted", ONE, RSP_V_VARIABLE, NULL, false, NULL, "when the answers were sent; blank: not completed"},
    {"duration", ONE, RSP_V_VARIABLE, NULL, false, NULL, "time taken, in any unit; default: submitted minus started"},
    {"consent", ONE, RSP_V_VARIABLE, NULL, false, NULL, "consent to take part"},
    END};

#define ITEMS                                                                                                          \
    { "items", ONE | LIST, RSP_V_VARIABLE, NULL, false, NULL, "variables concerned" }
#define BY                                                                                                             \
    { "by", ONE | LIST, RSP_V_VARIABLE, NULL, false, NULL, "duplicates: variables that are alike" }
#define KEEP                                                                                                           \
    {                                                                                                                  \
        "keep", ONE, RSP_V_ENUM, "first|last|most_complete", false, NULL,                                              \
            "duplicates: the row that stays; default first"                                                            \
    }
#define MINIMUM                                                                                                        \
    {                                                                                                                  \
        "minimum", ONE, RSP_V_NUMBER, "0..", false, NULL,                                                              \
            "incomplete: least share answered; speeders: share of the median; straightliners: least number of "        \
            "answers "                                                                                                 \
            "(default: all items); outliers: number of interquartile ranges"                                           \
    }
#define LOW                                                                                                            \
    { "low", ONE, RSP_V_NUMBER, NULL, false, NULL, "outliers: least value" }
#define HIGH                                                                                                           \
    { "high", ONE, RSP_V_NUMBER, NULL, false, NULL, "outliers: greatest value" }
#define RECODE_MAP                                                                                                     \
    { "map", RSP_S_MAP, RSP_V_CODE, NULL, false, NULL, "recode: old code and new code; `missing` sets it missing" }

static const rsp_key rule_value_keys[] = {ITEMS, BY, KEEP, MINIMUM, LOW, HIGH, RECODE_MAP, END};

static const rsp_key clean_keys[] = {
    {"id", ONE, RSP_V_ID, NULL, true, NULL, "name of the rule in the cleaning log"},
    {"label", RSP_S_WORDS, RSP_V_TEXT, NULL, false, NULL, "the rule in words"},
    {"drop", ONE, RSP_V_EXPR, NULL, false, NULL, "sets rows aside where the condition holds"},
    {"duplicates", ONE | LIST | RSP_S_OBJECT, RSP_V_VARIABLE, NULL, false, rule_value_keys,
     "rows alike in these variables"},
    {"incomplete", ONE | RSP_S_OBJECT, RSP_V_NUMBER, "0..1", false, rule_value_keys,
     "rows with a smaller share of the questions shown answered"},
    {"speeders", ONE | RSP_S_OBJECT, RSP_V_NUMBER, "0..1", false, rule_value_keys,
     "rows faster than this share of the median duration per country and language"},
    {"straightliners", ONE | LIST | RSP_S_OBJECT, RSP_V_VARIABLE, NULL, false, rule_value_keys,
     "rows with the same answer to all of these items"},
    {"outliers", ONE | LIST | RSP_S_OBJECT, RSP_V_VARIABLE, NULL, false, rule_value_keys,
     "values of these variables outside `low` to `high`, or further than `minimum` interquartile ranges from the "
     "quartiles"},
    {"recode", ONE | LIST | RSP_S_OBJECT, RSP_V_VARIABLE, NULL, false, rule_value_keys,
     "answers of these variables replaced after `map`"},
    {"set-missing", ONE, RSP_V_EXPR, NULL, false, NULL, "sets `items` missing where the condition holds"},
    {"constraint", ONE, RSP_V_ENUM, "check", false, NULL, "answers that break the constraint in survey.csv"},
    {"relevant", ONE, RSP_V_ENUM, "check", false, NULL, "answers to questions that were not to be shown"},
    {"action", ONE, RSP_V_ENUM, "drop|flag|set-missing", false, NULL,
     "what happens: default drop; set-missing for outliers, recode, set-missing, constraint and relevant"},
    ITEMS,
    BY,
    KEEP,
    MINIMUM,
    LOW,
    HIGH,
    RECODE_MAP,
    END};

static const rsp_key derive_keys[] = {
    {"name", ONE, RSP_V_NAME, NULL, true, NULL, "name of the new variable"},
    {"type", ONE, RSP_V_ENUM, "integer|decimal", false, NULL,
     "of `expr` without codes, `mean`, `sum`; default decimal"},
    {"label", RSP_S_WORDS, RSP_V_TEXT, NULL, false, NULL, "the variable in words"},
    {"labels", RSP_S_MAP_WORDS, RSP_V_TEXT, NULL, false, NULL, "its codes in words"},
    {"from", ONE, RSP_V_VARIABLE, NULL, false, NULL, "cut, map: the variable it comes from"},
    {"cut", ONE | LIST, RSP_V_NUMBER, NULL, false, NULL, "limits, rising; intervals are closed on the left"},
    {"map", RSP_S_MAP, RSP_V_CODE, NULL, false, NULL,
     "code of `from` and code of the new variable; others are missing"},
    {"expr", ONE, RSP_V_EXPR, NULL, false, NULL, "its value as an expression"},
    {"mean", LIST, RSP_V_VARIABLE, NULL, false, NULL, "mean of these variables, reversed items turned"},
    {"sum", LIST, RSP_V_VARIABLE, NULL, false, NULL, "sum of these variables, reversed items turned"},
    {"min_valid", ONE, RSP_V_INTEGER, "1..", false, NULL, "mean, sum: least number of valid answers; default all"},
    {"codes", LIST, RSP_V_CODE, NULL, false, NULL, "codes in their order; needed with `cut`"},
    {"measure", ONE, RSP_V_ENUM, "nominal|ordinal|interval", false, NULL,
     "default: ordinal for cut, nominal for other codes, interval for numbers"},
    END};

static const rsp_key design_keys[] = {
    {"weight", ONE, RSP_V_VARIABLE, NULL, false, NULL, "base weight; default: from `fpc`, else 1"},
    {"strata", ONE | LIST, RSP_V_VARIABLE, NULL, false, NULL, "strata; of several the crossing"},
    {"cluster", ONE | LIST, RSP_V_VARIABLE, NULL, false, NULL, "clusters, by stage"},
    {"fpc", ONE | LIST, RSP_V_VARIABLE, NULL, false, NULL,
     "population size or sampling fraction, by stage; fractions only if all values are at most 1"},
    {"lonely", ONE, RSP_V_ENUM, "fail|adjust|certainty", false, NULL, "stratum with one cluster; default fail"},
    {"sample", ONE, RSP_V_ENUM, "probability|self_selected", false, NULL, "default probability"},
    END};

static const rsp_key eligible_keys[] = {
    {"respondents", ONE, RSP_V_INTEGER, "0..", false, NULL, "a country needs this many respondents"},
    {"clusters", ONE, RSP_V_INTEGER, "0..", false, NULL, "a country needs this many clusters"},
    END};

static const rsp_key margin_keys[] = {
    {"margin", ONE | LIST, RSP_V_VARIABLE, NULL, true, NULL, "the variable; several, or `a:b`, for a crossing"},
    {"targets", ONE, RSP_V_FILE, NULL, true, NULL,
     "CSV with the variables' columns, the column of `within`, `share`, `count` or (numbers) `total`, and `source`"},
    END};

static const rsp_key trim_keys[] = {
    {"low", ONE, RSP_V_NUMBER, "0..1", false, NULL, "least weight over the mean weight of its group"},
    {"high", ONE, RSP_V_NUMBER, "1..", false, NULL, "greatest weight over the mean weight of its group"},
    END};

static const rsp_key nonresponse_keys[] = {
    {"classes", ONE | LIST, RSP_V_VARIABLE, NULL, true, NULL, "weighting classes: the crossing of these variables"},
    {"respondent", ONE, RSP_V_EXPR, NULL, false, NULL, "who responded; default: rows kept"},
    END};

static const rsp_key weighting_keys[] = {
    {"within", ONE, RSP_V_VARIABLE, NULL, false, NULL, "every group of this variable is weighted by itself"},
    {"nonresponse", ONE | LIST | RSP_S_OBJECT, RSP_V_VARIABLE, NULL, false, nonresponse_keys,
     "adjustment by weighting classes before the margins"},
    {"rake", RSP_S_OBJECTS, RSP_V_TEXT, NULL, false, margin_keys, "margins to rake to"},
    {"calibrate", RSP_S_OBJECTS, RSP_V_TEXT, NULL, false, margin_keys, "margins to calibrate to by `method`"},
    {"method", ONE, RSP_V_ENUM, "raking|linear|logit", false, NULL, "of `calibrate`; default raking"},
    {"bounds", LIST, RSP_V_NUMBER, "0..", false, NULL,
     "least and greatest calibrated over base weight; logit needs them"},
    {"trim", ONE | LIST | RSP_S_OBJECT, RSP_V_NUMBER, "0..", false, trim_keys,
     "limits of weight over its group's mean weight: the greatest, or `[least, greatest]`"},
    {"missing", ONE, RSP_V_ENUM, "proportional|set-aside", false, NULL,
     "rows without an answer or a target: keep their observed share (default), or are set aside"},
    {"scale", ONE, RSP_V_ENUM, "sample|population|equal", false, NULL, "how countries combine in all-country figures"},
    {"population", ONE, RSP_V_FILE, NULL, false, NULL,
     "scale population: CSV with the country's column, `count`, `source`"},
    END};

static const rsp_key variance_keys[] = {
    {"method", ONE, RSP_V_ENUM, "taylor|jk1|jkn|brr|fay|bootstrap", false, NULL, "default taylor"},
    {"replicates", ONE, RSP_V_INTEGER, "2..100000", false, NULL, "bootstrap: number of replicates; default 200"},
    {"seed", ONE, RSP_V_INTEGER, "0..", false, NULL, "of the random streams; default 1"},
    {"rho", ONE, RSP_V_NUMBER, "0..1", false, NULL, "fay: the factor, from 0 (brr) to below 1; needed with fay"},
    {"mse", ONE, RSP_V_YESNO, NULL, false, NULL, "yes: around the full-sample estimate; default around the mean"},
    END};

static const rsp_key imputation_keys[] = {
    {"variables", LIST, RSP_V_VARIABLE, NULL, true, NULL, "questions whose missing answers are completed"},
    {"predictors", ONE | LIST, RSP_V_VARIABLE, NULL, false, NULL,
     "further variables that they are predicted from, beside each other, the country and the weight"},
    {"methods", RSP_S_MAP, RSP_V_TEXT, NULL, false, NULL,
     "variable and `pmm`, `logistic`, `ordinal` or `multinomial`; default: pmm for numbers and five or more ordered "
     "answers"},
    {"m", ONE, RSP_V_INTEGER, "2..1000", false, NULL, "number of completed data sets; default 20"},
    {"iterations", ONE, RSP_V_INTEGER, "1..1000", false, NULL, "rounds of the chained equations; default 10"},
    {"seed", ONE, RSP_V_INTEGER, "0..", false, NULL, "of the random streams; default 1"},
    END};

#define IMPUTED                                                                                                        \
    {                                                                                                                  \
        "imputed", ONE, RSP_V_YESNO, NULL, false, NULL,                                                                \
            "pooled over the completed data sets of `imputation`; default yes where it uses one of its variables and " \
            "its results can be "                                                                                      \
            "pooled"                                                                                                   \
    }
#define TITLE                                                                                                          \
    { "title", RSP_S_WORDS, RSP_V_TEXT, NULL, false, NULL, "neutral description for charts and tables" }
#define FILTER                                                                                                         \
    { "filter", ONE, RSP_V_EXPR, NULL, false, NULL, "only respondents for whom the condition holds" }
#define VARIANCE                                                                                                       \
    {                                                                                                                  \
        "variance", RSP_S_OBJECT, RSP_V_TEXT, NULL, false, variance_keys,                                              \
            "its own variance; what is not said: the study's"                                                          \
    }
#define ID                                                                                                             \
    { "id", ONE, RSP_V_ID, NULL, true, NULL, "name of the analysis in the results; unique in the study" }

static const rsp_key ratio_keys[] = {{"numerator", ONE, RSP_V_VARIABLE, NULL, true, NULL, "a number"},
                                     {"denominator", ONE, RSP_V_VARIABLE, NULL, true, NULL, "a number"},
                                     END};

static const rsp_key table_keys[] = {
    ID,
    TITLE,
    {"items", LIST, RSP_V_VARIABLE, NULL, false, NULL, "variables, or choices of a select_multiple as NAME_CODE"},
    {"statistic", ONE, RSP_V_ENUM, "proportion|mean|total|median|quantile|count|sd|net|top2|combinations|ranking",
     false, NULL, "default proportion"},
    {"probs", ONE | LIST, RSP_V_NUMBER, "0..1", false, NULL, "quantile: the probabilities"},
    {"ratio", RSP_S_OBJECT, RSP_V_TEXT, NULL, false, ratio_keys, "ratio of two totals, in place of items"},
    {"by", RSP_S_LISTS, RSP_V_VARIABLE, NULL, false, NULL, "crossings; `[]` is everybody; default `[[]]`"},
    FILTER,
    {"compare", ONE, RSP_V_YESNO, NULL, false, NULL, "yes: differences between the levels of the crossings"},
    {"rating", ONE, RSP_V_YESNO, NULL, false, NULL,
     "net: yes if the answers go from blocking to enabling; it is then called enabling minus blocking, not net "
     "agreement"},
    VARIANCE,
    IMPUTED,
    END};

static const rsp_key test_keys[] = {
    ID,
    TITLE,
    IMPUTED,
    {"kind", ONE, RSP_V_ENUM, "rao_scott|t|wald|kruskal", true, NULL, "the test"},
    {"rows", ONE, RSP_V_VARIABLE, NULL, true, NULL, "rows of the table; the outcome of t and kruskal"},
    {"columns", ONE, RSP_V_VARIABLE, NULL, true, NULL, "columns of the table; the groups of t and kruskal"},
    FILTER,
    VARIANCE,
    END};

static const rsp_key scale_keys[] = {
    {"id", ONE, RSP_V_ID, NULL, true, NULL, "name of the analysis; several scales may share one"},
    TITLE,
    IMPUTED,
    {"name", ONE, RSP_V_NAME, NULL, true, NULL, "name of the scale; unique with its id"},
    {"items", LIST, RSP_V_VARIABLE, NULL, true, NULL, "items; those with `reverse` are turned"},
    {"min_valid", ONE, RSP_V_INTEGER, "1..", false, NULL, "least number of valid answers; default all"},
    {"weights", ONE, RSP_V_ENUM, "none|design", false, NULL, "default none"},
    {"agreement", ONE, RSP_V_VARIABLE, NULL, false, NULL,
     "units (organisations) within which respondents may agree: ICC and within-group agreement of the scale's mean"},
    FILTER,
    END};

static const rsp_key cutoff_keys[] = {
    {"rule", ONE, RSP_V_ENUM, "chen_2007|rutkowski_svetina_2014", false, NULL,
     "published cut-offs to start from; default by the number of groups: the latter from ten on"},
    {"cfi", ONE, RSP_V_NUMBER, "0..1", false, NULL, "greatest fall of the CFI from one rung to the next"},
    {"cfi_metric", ONE, RSP_V_NUMBER, "0..1", false, NULL, "the same for equal loadings alone"},
    {"rmsea", ONE, RSP_V_NUMBER, "0..1", false, NULL, "greatest rise of the RMSEA"},
    {"rmsea_metric", ONE, RSP_V_NUMBER, "0..1", false, NULL, "the same for equal loadings alone"},
    {"srmr", ONE, RSP_V_NUMBER, "0..1", false, NULL, "greatest rise of the SRMR"},
    {"srmr_metric", ONE, RSP_V_NUMBER, "0..1", false, NULL, "the same for equal loadings alone"},
    {"configural_cfi", ONE, RSP_V_NUMBER, "0..1", false, NULL, "least CFI of the common structure; default 0.9"},
    {"configural_srmr", ONE, RSP_V_NUMBER, "0..1", false, NULL, "greatest SRMR of the common structure; default 0.08"},
    {"noninvariant", ONE, RSP_V_NUMBER, "0..1", false, NULL,
     "many groups: greatest share of parameters that differ after alignment (not of ordinal items); default 0.25"},
    END};

static const rsp_key modification_keys[] = {
    {"most", ONE, RSP_V_INTEGER, "1..", false, NULL, "as many of the largest are shown; default 20"},
    {"minimum", ONE, RSP_V_NUMBER, "0..", false, NULL, "smaller ones are not shown; default 3.84"},
    END};

static const rsp_key factor_keys[] = {
    ID,
    TITLE,
    IMPUTED,
    {"kind", ONE, RSP_V_ENUM, "model|invariance|exploratory|parallel|correlations", false, NULL,
     "default model; invariance: the ladder of comparability between groups; exploratory: rotated factors; parallel: "
     "how many factors; correlations: of the items"},
    {"model", ONE, RSP_V_LAVAAN, NULL, false, NULL, "the model in lavaan's syntax"},
    {"scales", ONE | LIST, RSP_V_NAME, NULL, false, NULL, "invariance: names of scales, each with one factor"},
    {"by", ONE | LIST, RSP_V_VARIABLE, NULL, false, NULL,
     "invariance: variables whose groups are compared; correlations: domains beside everybody"},
    {"cutoffs", RSP_S_OBJECT, RSP_V_TEXT, NULL, false, cutoff_keys, "invariance: when a rung holds"},
    {"anchors", ONE, RSP_V_INTEGER, "2..", false, NULL,
     "invariance: items of a factor that must stay equal in all groups; default 2"},
    {"minimum_group", ONE, RSP_V_INTEGER, "20..", false, NULL, "invariance: smaller groups are left out; default 100"},
    {"margin", ONE, RSP_V_NUMBER, "0..0.9", false, NULL,
     "invariance: a verdict of the previous publication stays while cut-offs moved by this share would give it; "
     "default "
     "0.2"},
    {"items", LIST, RSP_V_VARIABLE, NULL, false, NULL, "exploratory, parallel, correlations: the items"},
    {"correlation", ONE, RSP_V_ENUM, "pearson|spearman|polychoric", false, NULL,
     "correlations: of numbers, of ranks, of the normal variables behind ordinal answers (`ordered`; with numbers "
     "polyserial); default pearson"},
    {"factors", ONE, RSP_V_TEXT, NULL, false, NULL, "exploratory: how many, or `parallel`; default parallel"},
    {"method", ONE, RSP_V_ENUM, "minres|ml", false, NULL, "exploratory; default minres"},
    {"rotation", ONE, RSP_V_ENUM, "oblimin|varimax|none", false, NULL, "exploratory; default oblimin"},
    {"seed", ONE, RSP_V_INTEGER, "0..", false, NULL, "parallel: of the random streams; default the study's"},
    {"replicates", ONE, RSP_V_INTEGER, "20..10000", false, NULL, "parallel: random data sets; default 100"},
    {"estimator", ONE, RSP_V_ENUM, "ml|mlr|wlsmv|wlsm|dwls", false, NULL,
     "default ml (invariance: mlr); ordinal items: wlsmv (chi-square scaled and shifted), wlsm (scaled), dwls "
     "(neither, naive errors; not of invariance)"},
    {"ordered", ONE | LIST, RSP_V_TEXT, NULL, false, NULL,
     "wlsmv, wlsm, dwls, polychoric: `all` (default), or the items that are ordinal"},
    {"group", ONE, RSP_V_VARIABLE, NULL, false, NULL, "groups to compare"},
    {"equal", ONE | LIST, RSP_V_ENUM,
     "loadings|intercepts|residuals|residual.covariances|lv.variances|lv.covariances|means|regressions|thresholds",
     false, NULL, "parameters that are equal between groups"},
    {"partial", ONE, RSP_V_LAVAAN, NULL, false, NULL,
     "statements whose parameters differ between groups although `equal` names their kind"},
    {"missing", ONE, RSP_V_ENUM, "listwise|fiml|pairwise", false, NULL,
     "fiml: every answer counts; pairwise (wlsmv, correlations): items and pairs rest on those who answered them; "
     "default listwise"},
    {"weights", ONE, RSP_V_ENUM, "none|design", false, NULL,
     "design: weights, strata and clusters count; default none"},
    {"std.lv", ONE, RSP_V_YESNO, NULL, false, NULL, "yes: factors have variance 1"},
    {"standardised", ONE | LIST, RSP_V_ENUM, "all|lv", false, NULL,
     "solutions beside the estimates: `all` by factors and items, with explained variance; `lv` by factors alone; "
     "standardised loadings always"},
    {"modification", ONE | RSP_S_OBJECT, RSP_V_YESNO, NULL, false, modification_keys,
     "modification indices: what fixed and equal parameters would do if they were free; default no"},
    FILTER,
    END};

static const rsp_key model_keys[] = {
    ID,
    TITLE,
    {"kind", ONE, RSP_V_ENUM,
     "linear|logistic|ordinal|poisson|negative_binomial|multinomial|mixed|mixed_logistic|mixed_ordinal|pooled|drivers",
     true, NULL, "the kind of model"},
    {"formula", ONE, RSP_V_FORMULA, NULL, false, NULL, "the model as an R formula"},
    {"event", ONE, RSP_V_CODE, NULL, false, NULL,
     "logistic, mixed_logistic: the code that counts as 1; default the last of two"},
    {"weights", ONE, RSP_V_ENUM, "design|none", false, NULL,
     "none: the unweighted model with its own errors; default design, for mixed models none"},
    {"scaling", ONE, RSP_V_ENUM, "size|effective", false, NULL,
     "mixed models with weights: weights within a group add up to its size, or to its effective size; default size"},
    {"group_weight", ONE, RSP_V_VARIABLE, NULL, false, NULL,
     "mixed models with weights: the weight of a group; default the mean of its respondents' weights"},
    FILTER,
    IMPUTED,
    {"variance", ONE | RSP_S_OBJECT, RSP_V_TEXT, NULL, false, variance_keys,
     "its own variance; pooled: the column of variances"},
    {"method", ONE, RSP_V_ENUM, "reml|ml", false, NULL, "mixed, pooled; default reml"},
    {"df", ONE, RSP_V_ENUM, "satterthwaite|kenward_roger|between_within|normal", false, NULL,
     "degrees of freedom. mixed: satterthwaite (default) or kenward_roger; mixed_logistic, mixed_ordinal: "
     "between_within "
     "(default) or normal, without any"},
    {"estimate", ONE, RSP_V_VARIABLE, NULL, false, NULL, "pooled: the column of estimates"},
    {"of", ONE, RSP_V_ID, NULL, false, NULL, "pooled: the model whose coefficient is pooled"},
    {"term", ONE, RSP_V_TEXT, NULL, false, NULL, "pooled: the coefficient"},
    {"across", ONE, RSP_V_VARIABLE, NULL, false, NULL, "pooled, drivers: the groups; drivers: default the country"},
    {"interval", ONE, RSP_V_ENUM, "knapp_hartung", false, NULL, "pooled; default knapp_hartung"},
    {"prediction", ONE, RSP_V_ENUM, "t|confidence_distribution", false, NULL,
     "pooled, drivers: interval of a further group; confidence_distribution counts in how uncertain the variance "
     "between "
     "few groups is; default t"},
    {"leave_one_out", ONE, RSP_V_YESNO, NULL, false, NULL, "pooled: yes: once more without each group or row"},
    {"errors", ONE, RSP_V_ENUM, "design|cr2|wild", false, NULL,
     "few clusters: cr2 (linear, logistic) with Satterthwaite's degrees of freedom, or wild cluster bootstrap "
     "(linear); "
     "default design"},
    {"draws", ONE, RSP_V_INTEGER, "99..1000000", false, NULL, "errors wild: number of draws; default 1999"},
    {"firth", ONE, RSP_V_YESNO, NULL, false, NULL, "logistic: yes: Firth's penalised likelihood"},
    {"margins", ONE | LIST, RSP_V_VARIABLE, NULL, false, NULL,
     "average marginal effects of these predictors, in the outcome's own unit"},
    {"predict", RSP_S_MAP_LIST, RSP_V_CODE, NULL, false, NULL,
     "predictions at every combination of these predictors' codes or numbers, the others as observed"},
    {"outcome", ONE, RSP_V_VARIABLE, NULL, false, NULL, "drivers: what is to be explained, a number"},
    {"factors", LIST, RSP_V_VARIABLE, NULL, false, NULL, "drivers: 2 to 16 numbers or ordered answers"},
    {"controls", LIST, RSP_V_VARIABLE, NULL, false, NULL, "drivers: what is held constant beside the groups"},
    {"leave_out", ONE | LIST, RSP_V_VARIABLE, NULL, false, NULL,
     "drivers: coded variables; robustness without each of their codes"},
    {"neutral", ONE, RSP_V_NUMBER, NULL, false, NULL,
     "drivers: value of a factor that neither enables nor blocks, for the net rating; ordered answers have their "
     "middle"},
    {"smallest", ONE, RSP_V_NUMBER, "0..1", false, NULL,
     "drivers: least standardised coefficient that counts as a role; default 0.05"},
    {"replicates", ONE, RSP_V_INTEGER, "2..100000", false, NULL,
     "drivers: of the bootstrap behind shares of explained variance, unless `variance` is one; default 200"},
    END};

static const rsp_key dominance_keys[] = {
    {"n", ONE, RSP_V_INTEGER, "1..", true, NULL, "number of largest contributors"},
    {"k", ONE, RSP_V_NUMBER, "0..1", true, NULL, "share of the total they must not exceed"},
    END};

static const rsp_key disclosure_keys[] = {
    {"minimum_base", ONE, RSP_V_INTEGER, "1..", false, NULL, "respondents a statistic rests on; default 10"},
    {"minimum_cell", ONE, RSP_V_INTEGER, "1..", false, NULL, "respondents in a published cell; default 3"},
    {"minimum_organisations", ONE, RSP_V_INTEGER, "1..", false, NULL, "organisations a statistic rests on; default 3"},
    {"minimum_change", ONE, RSP_V_INTEGER, "1..", false, NULL,
     "respondents by whom a figure may differ from one night to another; newcomers wait until they are as many; "
     "default "
     "minimum_cell"},
    {"dominance", RSP_S_OBJECT, RSP_V_TEXT, NULL, false, dominance_keys, "magnitudes: the n largest hold at most k"},
    {"rounding", ONE, RSP_V_NUMBER, "0..", false, NULL, "counts to multiples of this; default none"},
    END};

static const rsp_key sim_country_keys[] = {
    {"code", ONE, RSP_V_CODE, NULL, true, NULL, "the country's code"},
    {"n", ONE, RSP_V_INTEGER, "0..", false, NULL,
     "respondents; the command line's --n is divided in these proportions"},
    {"language", ONE, RSP_V_LANGUAGE, NULL, false, NULL, "language of the export; default: the study's first"},
    {"effect", ONE, RSP_V_NUMBER, NULL, false, NULL, "on every factor, in standard deviations"},
    END};

static const rsp_key sim_latent_keys[] = {
    {"name", ONE, RSP_V_NAME, NULL, true, NULL, "name of the latent variable"},
    {"loading", ONE, RSP_V_NUMBER, "0..1", false, NULL, "of every item; default 0.7"},
    {"items", LIST, RSP_V_VARIABLE, NULL, true, NULL, "items that show it"},
    {"effects", RSP_S_MAP, RSP_V_NUMBER, NULL, false, NULL,
     "outcomes: coefficients of factors, earlier outcomes or `variable=code`"},
    {"residual", ONE, RSP_V_NUMBER, "0..", false, NULL,
     "outcomes: standard deviation of what effects leave; default 1"},
    END};

static const rsp_key sim_bias_keys[] = {
    {"country", ONE, RSP_V_CODE, NULL, true, NULL, "the country's code"},
    {"item", ONE, RSP_V_VARIABLE, NULL, true, NULL, "the item that does not mean the same there"},
    {"shift", ONE, RSP_V_NUMBER, NULL, true, NULL, "added to it, in standard deviations"},
    END};

static const rsp_key sim_number_keys[] = {
    {"variable", ONE, RSP_V_VARIABLE, NULL, true, NULL, "a number"},
    {"median", ONE, RSP_V_NUMBER, "0..", true, NULL, "its median"},
    {"sigma", ONE, RSP_V_NUMBER, "0..", true, NULL, "standard deviation of its logarithm"},
    {"max", ONE, RSP_V_NUMBER, "0..", false, NULL, "its greatest value; default: the constraint's"},
    END};

static const rsp_key sim_text_keys[] = {
    {"share", ONE, RSP_V_NUMBER, "0..1", true, NULL, "share of respondents who write"},
    {"words", ONE, RSP_V_TEXT, NULL, true, NULL, "what they write"},
    END};

static const rsp_key simulate_keys[] = {
    {"countries", RSP_S_OBJECTS, RSP_V_TEXT, NULL, false, sim_country_keys, "who is simulated"},
    {"cluster_size", ONE, RSP_V_NUMBER, "1..", false, NULL, "mean number of respondents of an organisation"},
    {"cluster_variance", ONE, RSP_V_NUMBER, "0..1", false, NULL, "share of a factor's variance between organisations"},
    {"factors", RSP_S_OBJECTS, RSP_V_TEXT, NULL, false, sim_latent_keys, "latent variables"},
    {"common", ONE, RSP_V_NUMBER, "0..1", false, NULL, "correlation between any two factors; default 0"},
    {"outcomes", RSP_S_OBJECTS, RSP_V_TEXT, NULL, false, sim_latent_keys, "latent variables that depend on factors"},
    {"bias", RSP_S_OBJECTS, RSP_V_TEXT, NULL, false, sim_bias_keys, "items that do not mean the same in a country"},
    {"answers", RSP_S_MAP_LIST, RSP_V_NUMBER, "0..", false, NULL,
     "variable and shares of its answers in the order of its list, without the missing ones; a rank: their worths"},
    {"organisation_level", ONE | LIST, RSP_V_VARIABLE, NULL, false, NULL, "variables drawn once for an organisation"},
    {"places", ONE, RSP_V_INTEGER, "1..", false, NULL, "places of a rank; default all"},
    {"numbers", RSP_S_OBJECTS, RSP_V_TEXT, NULL, false, sim_number_keys, "log-normal whole numbers"},
    {"free_text", RSP_S_OBJECT, RSP_V_TEXT, NULL, false, sim_text_keys, "answers to text questions"},
    {"duplicates", ONE, RSP_V_NUMBER, "0..1", false, NULL, "share of rows sent twice"},
    {"speeders", ONE, RSP_V_NUMBER, "0..1", false, NULL, "share of rows answered too fast"},
    {"straightliners", ONE, RSP_V_NUMBER, "0..1", false, NULL, "share of rows with the same answer throughout"},
    {"test_rows", ONE, RSP_V_NUMBER, "0..1", false, NULL, "share of rows that somebody wrote to try it out"},
    {"incomplete", ONE, RSP_V_NUMBER, "0..1", false, NULL, "share of rows broken off"},
    {"item_nonresponse", ONE, RSP_V_NUMBER, "0..1", false, NULL, "share of answers left out"},
    {"dont_know", ONE, RSP_V_NUMBER, "0..1", false, NULL, "share of answers that are \"don't know\""},
    END};

/* Who a brief or workbook is for, and in which languages. */
#define FOR                                                                                                            \
    { "for", ONE, RSP_V_ENUM, "all|each_country", false, NULL, "everybody (default), or each eligible country" }
#define LANGUAGES                                                                                                      \
    {                                                                                                                  \
        "languages", ONE | LIST, RSP_V_TEXT, NULL, false, NULL,                                                        \
            "languages; `national`: the country's own; default: the first of the study"                                \
    }
static const rsp_key brief_keys[] = {
    FOR,
    LANGUAGES,
    {"analyses", ONE | LIST, RSP_V_ID, NULL, false, NULL, "analyses shown, in this order; default all"},
    END};

static const rsp_key workbook_keys[] = {
    FOR,
    LANGUAGES,
    {"analyses", ONE | LIST, RSP_V_ID, NULL, false, NULL, "analyses with a table; default all"},
    {"drivers", ONE, RSP_V_ENUM, "summary|all_estimates", false, NULL,
     "analyses of drivers: a table with a row a factor (default for a country), or all estimates behind it as well "
     "(default for everybody)"},
    END};

static const rsp_key chart_keys[] = {
    {"analysis", ONE, RSP_V_ID, NULL, true, NULL, "what is drawn"},
    {"kind", ONE, RSP_V_ENUM,
     "agreement|diverging|dots|forest|heatmap|tiles|upset|ranking|slope|multiples|histogram|quadrant", true, NULL,
     "the form; correlations are a heatmap"},
    {"item", ONE, RSP_V_VARIABLE, NULL, false, NULL, "tiles: the item shown; default the table's first"},
    {"limits", LIST, RSP_V_NUMBER, NULL, false, NULL,
     "tiles: at most four values between classes; needed where the statistic is neither a share nor net"},
    {"title", RSP_S_WORDS, RSP_V_TEXT, NULL, false, NULL, "the finding; default: composed from the tests of the run"},
    END};

static const rsp_key report_keys[] = {
    {"briefs", RSP_S_OBJECTS, RSP_V_TEXT, NULL, false, brief_keys, "policy briefs"},
    {"workbooks", RSP_S_OBJECTS, RSP_V_TEXT, NULL, false, workbook_keys, "workbooks"},
    {"charts", RSP_S_OBJECTS, RSP_V_TEXT, NULL, false, chart_keys, "charts; default: one for each analysis"},
    END};

static const rsp_key publication_keys[] = {
    {"publisher", RSP_S_WORDS, RSP_V_TEXT, NULL, false, NULL, "who publishes: in the source line of every chart"},
    {"contact", RSP_S_WORDS, RSP_V_TEXT, NULL, false, NULL, "whom to ask"},
    {"funding", RSP_S_WORDS, RSP_V_TEXT, NULL, false, NULL, "who paid, in the funder's words"},
    {"licence", RSP_S_WORDS, RSP_V_TEXT, NULL, false, NULL, "licence of text, figures and data, with attribution"},
    END};

static const rsp_key path_keys[] = {
    {"allow", ONE | LIST, RSP_V_FILE, NULL, false, NULL,
     "folders outside the study folder whose files it may use, also where a link leads there"},
    END};

static const rsp_key study_keys[] = {
    {"study", ONE, RSP_V_ID, NULL, true, NULL, "identifier, the name of the output folder"},
    {"title", RSP_S_WORDS, RSP_V_TEXT, NULL, true, NULL, "title"},
    {"languages", LIST, RSP_V_LANGUAGE, NULL, true, NULL, "languages of the outputs; the first is the default"},
    {"national", RSP_S_MAP_LIST, RSP_V_LANGUAGE, NULL, false, NULL, "country code and its language or languages"},
    {"publication", RSP_S_OBJECT, RSP_V_TEXT, NULL, false, publication_keys, "what the pages say about who made them"},
    {"field", RSP_S_OBJECT, RSP_V_TEXT, NULL, false, field_keys, "field period"},
    {"paths", RSP_S_OBJECT, RSP_V_TEXT, NULL, false, path_keys, "which files the study may use beyond its folder's"},
    {"sources", RSP_S_OBJECTS, RSP_V_TEXT, NULL, true, source_keys, "where the answers are"},
    {"instrument", RSP_S_OBJECT, RSP_V_TEXT, NULL, true, instrument_keys, "the questionnaire (XLSForm as CSV)"},
    {"roles", RSP_S_OBJECT, RSP_V_TEXT, NULL, false, role_keys, "variables with a task"},
    {"privacy", RSP_S_OBJECT, RSP_V_TEXT, NULL, false, privacy_keys, "personal data and pseudonyms"},
    {"clean", RSP_S_OBJECTS, RSP_V_TEXT, NULL, false, clean_keys, "cleaning rules, in order; each is one kind"},
    {"derive", RSP_S_OBJECTS, RSP_V_TEXT, NULL, false, derive_keys, "derived variables; each is one kind"},
    {"design", RSP_S_OBJECT, RSP_V_TEXT, NULL, false, design_keys, "sampling design"},
    {"eligible", RSP_S_OBJECT, RSP_V_TEXT, NULL, false, eligible_keys, "countries that enter all-country figures"},
    {"weighting", RSP_S_OBJECT, RSP_V_TEXT, NULL, false, weighting_keys, "calibration and combination of countries"},
    {"variance", RSP_S_OBJECT, RSP_V_TEXT, NULL, false, variance_keys, "how standard errors are estimated"},
    {"imputation", RSP_S_OBJECT, RSP_V_TEXT, NULL, false, imputation_keys, "missing answers completed several times"},
    {"tables", RSP_S_OBJECTS, RSP_V_TEXT, NULL, false, table_keys, "estimates by crossings"},
    {"tests", RSP_S_OBJECTS, RSP_V_TEXT, NULL, false, test_keys, "tests"},
    {"scales", RSP_S_OBJECTS, RSP_V_TEXT, NULL, false, scale_keys, "reliability of scales"},
    {"factors", RSP_S_OBJECTS, RSP_V_TEXT, NULL, false, factor_keys, "factor models"},
    {"models", RSP_S_OBJECTS, RSP_V_TEXT, NULL, false, model_keys, "regressions"},
    {"disclosure", ONE | RSP_S_OBJECT, RSP_V_ENUM, "off", false, disclosure_keys,
     "disclosure control; `off` says that the data are public or made up"},
    {"simulate", RSP_S_OBJECT, RSP_V_TEXT, NULL, false, simulate_keys, "what `responsive simulate` writes"},
    {"keep", ONE, RSP_V_INTEGER, "1..100000", false, NULL,
     "publications that stay; older ones are removed after each run (default: all stay)"},
    {"reports", RSP_S_OBJECT, RSP_V_TEXT, NULL, false, report_keys,
     "what is shown to whom; without it one brief and one workbook for everybody"},
    END};

const rsp_key RSP_STUDY_KEYS = {"study.yaml", RSP_S_OBJECT, RSP_V_TEXT, NULL, true, study_keys, "a study"};

/* ---- single values ---------------------------------------------------------------------------------------------- */

static void fault(rsp_diag *d, rsp_node *n, const char *hint, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

static void fault(rsp_diag *d, rsp_node *n, const char *hint, const char *format, ...) {
    char text[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    rsp_report(d, RSP_ERR_STUDY, n->loc, hint, "%s", text);
    n->bad = true;
}

/* Copies the words of `allowed` into list (at most 32) with or without those not built yet; returns how many. */
static size_t allowed_words(const char *allowed, char words[][32], bool built) {
    size_t n = 0;
    for (const char *p = allowed; *p && n < 32;) {
        size_t length = strcspn(p, "|");
        bool marked = length && p[length - 1] == '!';
        if (!(built && marked)) {
            snprintf(words[n], 32, "%.*s", (int) (length - marked), p);
            n++;
        }
        p += length + (p[length] == '|');
    }
    return n;
}

static void join(rsp_buf *b, char words[][32], size_t n, const char *last) {
    for (size_t k = 0; k < n; k++) {
        if (k) rsp_buf_puts(b, k + 1 == n ? last : ", ");
        rsp_buf_puts(b, words[k]);
    }
}

static void check_enum(const rsp_key *key, rsp_node *n, rsp_diag *d) {
    char built[32][32], known[32][32];
    size_t n_built = allowed_words(key->allowed, built, true), n_known = allowed_words(key->allowed, known, false);
    const char *candidates[32];
    for (size_t k = 0; k < n_built; k++)
        if (strcmp(built[k], n->text) == 0) return;
    rsp_buf list = {0};
    for (size_t k = 0; k < n_known; k++) {
        candidates[k] = known[k];
        if (strcmp(known[k], n->text) != 0) continue;
        join(&list, built, n_built, " and ");
        fault(d, n, NULL, "%s '%s' is not built yet; this version has %s", key->name, n->text, list.data);
        rsp_buf_free(&list);
        return;
    }
    const char *near = rsp_suggest(n->text, candidates, n_known);
    if (near) {
        rsp_buf_printf(&list, "did you mean '%s'?", near);
    } else {
        rsp_buf_puts(&list, n_built == 1 ? "it can only be " : "one of ");
        join(&list, built, n_built, ", ");
        if (key->shapes & RSP_S_OBJECT) rsp_buf_puts(&list, ", or a mapping of keys");
    }
    fault(d, n, list.data, "unknown value '%s' of '%s'", n->text, key->name);
    rsp_buf_free(&list);
}

static void check_number(const rsp_key *key, rsp_node *n, rsp_diag *d) {
    double value;
    bool whole = key->value == RSP_V_INTEGER;
    if (!rsp_parse_double(n->text, strlen(n->text), '.', &value) || !isfinite(value)) {
        fault(d, n, strchr(n->text, ',') ? "the decimal sign here is a point" : NULL, "'%s' must be a number, not '%s'",
              key->name, n->text);
        return;
    }
    if (whole && (value != floor(value) || fabs(value) > 9e15)) {
        fault(d, n, NULL, "'%s' must be a whole number, not %s", key->name, n->text);
        return;
    }
    if (!key->allowed) return;
    const char *dots = strstr(key->allowed, "..");
    double low, high;
    bool under = rsp_parse_double(key->allowed, (size_t) (dots - key->allowed), '.', &low) && value < low;
    bool over = dots[2] && rsp_parse_double(dots + 2, strlen(dots + 2), '.', &high) && value > high;
    if ((under || over) && dots[2])
        fault(d, n, NULL, "'%s' must be from %.*s to %s, not %s", key->name, (int) (dots - key->allowed), key->allowed,
              dots + 2, n->text);
    else if (under)
        fault(d, n, NULL, "'%s' must be at least %.*s, not %s", key->name, (int) (dots - key->allowed), key->allowed,
              n->text);
}

static bool is_name(const char *s, const char *further) {
    for (const char *p = s; *p; p++)
        if (!(isalnum((unsigned char) *p) && (unsigned char) *p < 128) && !strchr(further, *p)) return false;
    return *s != '\0';
}

static bool is_date(const char *s) {
    static const int days[] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    for (int k = 0; k < 10; k++)
        if (k == 4 || k == 7 ? s[k] != '-' : s[k] < '0' || s[k] > '9') return false;
    int year = atoi(s), month = atoi(s + 5), day = atoi(s + 8);
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return s[10] == '\0' && month >= 1 && month <= 12 && day >= 1 && day <= days[month - 1] &&
           (month != 2 || day <= 28 + leap);
}

bool rsp_is_language(const char *s) {
    size_t n = strcspn(s, "-");
    if (n < 2 || n > 3) return false;
    for (size_t k = 0; k < n; k++)
        if (s[k] < 'a' || s[k] > 'z') return false;
    return is_name(s, "-") && strlen(s) <= 35;
}

static void check_scalar(const rsp_key *key, rsp_node *n, rsp_diag *d) {
    if (n->bad) return;
    if (!n->text[0]) {
        if (n->plain) fault(d, n, NULL, "'%s' has no value", key->name);
        else if (key->value != RSP_V_CODE && key->value != RSP_V_TEXT) fault(d, n, NULL, "'%s' is empty", key->name);
        return;
    }
    switch (key->value) {
    case RSP_V_ID:
        if (!is_name(n->text, "_-") || strlen(n->text) > 64)
            fault(d, n, "use up to 64 letters, digits, _ and -", "'%s' cannot be an %s", n->text, key->name);
        break;
    case RSP_V_NAME:
        if (!is_name(n->text, "_.-") || strlen(n->text) > RSP_MOST_NAME_BYTES || isdigit((unsigned char) n->text[0]) ||
            n->text[0] == '.' || n->text[0] == '-')
            fault(d, n, "use up to 128 letters, digits, _, . and -, a letter or _ first", "'%s' cannot be a name",
                  n->text);
        break;
    case RSP_V_NUMBER:
    case RSP_V_INTEGER: check_number(key, n, d); break;
    case RSP_V_YESNO:
        if (strcmp(n->text, "yes") && strcmp(n->text, "no") && strcmp(n->text, "true") && strcmp(n->text, "false"))
            fault(d, n, NULL, "'%s' must be yes or no, not '%s'", key->name, n->text);
        break;
    case RSP_V_ENUM: check_enum(key, n, d); break;
    case RSP_V_DATE:
        if (strnlen(n->text, 10) < 10 || !is_date(n->text))
            fault(d, n, NULL, "'%s' must be a date like 2026-05-31, not '%s'", key->name, n->text);
        break;
    case RSP_V_LANGUAGE:
        if (!rsp_is_language(n->text))
            fault(d, n, "write it like en, pl or pt-BR", "'%s' is not a language tag", n->text);
        break;
    default: break;
    }
}

/* ---- shapes ----------------------------------------------------------------------------------------------------- */

static void describe(unsigned shapes, rsp_buf *b) {
    static const struct {
        unsigned shape;
        const char *words;
    } names[] = {{RSP_S_ONE, "a single value"},
                 {RSP_S_LIST, "a list of values"},
                 {RSP_S_LISTS, "a list of lists, like [[a], [a, b]]"},
                 {RSP_S_MAP, "a mapping"},
                 {RSP_S_MAP_LIST, "a mapping"},
                 {RSP_S_WORDS, "a text, or texts by language"},
                 {RSP_S_MAP_WORDS, "texts by code"},
                 {RSP_S_OBJECT, "a mapping of keys"},
                 {RSP_S_OBJECTS, "a list of mappings, each after a dash"}};
    bool first = true;
    for (size_t k = 0; k < sizeof names / sizeof *names; k++) {
        if (!(shapes & names[k].shape)) continue;
        rsp_buf_puts(b, first ? "" : ", or ");
        rsp_buf_puts(b, names[k].words);
        first = false;
    }
}

static void wrong_shape(const rsp_key *key, unsigned shapes, rsp_node *n, rsp_diag *d) {
    static const char *const kinds[] = {"a single value", "a list", "a mapping"};
    rsp_buf b = {0};
    if (n->bad) return;
    describe(shapes, &b);
    fault(d, n, NULL, "'%s' must be %s, not %s", key->name, b.data, kinds[n->kind]);
    rsp_buf_free(&b);
}

static const rsp_key *find_key(const rsp_key *keys, const char *name) {
    for (const rsp_key *k = keys; k->name; k++)
        if (strcmp(k->name, name) == 0) return k;
    return NULL;
}

/* The key that is meant, or NULL. */
static const rsp_key *suggest_key(const rsp_key *keys, const char *word, rsp_buf *hint) {
    const char *names[64] = {NULL};
    size_t n = 0;
    for (const rsp_key *k = keys; k->name && n < 64; k++) names[n++] = k->name;
    const char *near = rsp_suggest(word, names, n);
    if (near) {
        rsp_buf_printf(hint, "did you mean '%s'?", near);
        return find_key(keys, near);
    }
    rsp_buf_puts(hint, "known here: ");
    for (size_t k = 0; k < n; k++) rsp_buf_printf(hint, "%s%s", k ? ", " : "", names[k]);
    return NULL;
}

/* A misspelt key is read as the one that is meant, unless that stands there too: one fault should not make ten. */
static const rsp_key *misspelt_key(const rsp_key *key, rsp_node *n, size_t k, rsp_diag *d) {
    rsp_buf hint = {0};
    const rsp_key *meant = suggest_key(key->keys, n->keys[k]->text, &hint);
    rsp_report(d, RSP_ERR_STUDY, n->keys[k]->loc, hint.data, "unknown key '%s' in '%s'", n->keys[k]->text, key->name);
    rsp_buf_free(&hint);
    if (!meant || rsp_node_find(n, meant->name)) return NULL;
    n->keys[k]->text = meant->name;
    return meant;
}

static void check_object(const rsp_key *key, rsp_node *n, rsp_diag *d) {
    for (size_t k = 0; k < n->n; k++) {
        const rsp_key *found = find_key(key->keys, n->keys[k]->text);
        if (!found) found = misspelt_key(key, n, k, d);
        if (found) rsp_keys_check(found, n->items[k], d);
    }
    for (const rsp_key *one = key->keys; one->name; one++)
        if (one->required && !rsp_node_find(n, one->name))
            rsp_report(d, RSP_ERR_STUDY, n->loc, one->says, "'%s' needs the key '%s'", key->name, one->name);
}

/* `{en: Yes, pl: Tak, oczywiście}` holds, after YAML, a third key without a value: the comma ended the Polish text.
 * In words by language such a key cannot mean anything else, so the text is read as it was meant, and this is said. */
static bool continues_text(const rsp_node *map, size_t k) {
    const rsp_node *value = map->items[k];
    return map->flow && k && value->kind == RSP_Y_SCALAR && value->plain && !value->text[0] &&
           map->items[k - 1]->kind == RSP_Y_SCALAR && map->items[k - 1]->plain && !rsp_is_language(map->keys[k]->text);
}

static void check_words(const rsp_key *key, rsp_node *n, rsp_diag *d) {
    if (n->kind == RSP_Y_SCALAR) {
        check_scalar(key, n, d);
        return;
    }
    if (n->kind == RSP_Y_LIST) {
        wrong_shape(key, RSP_S_WORDS, n, d);
        return;
    }
    for (size_t k = 0; k < n->n; k++) {
        if (continues_text(n, k)) {
            n->keys[k]->joins = true;
            rsp_report(d, RSP_NOTE, n->keys[k]->loc, "put the text in quotation marks",
                       "'%s' is read as the rest of the text before the comma", n->keys[k]->text);
            continue;
        }
        if (!rsp_is_language(n->keys[k]->text))
            fault(d, n->keys[k], "write it like en, pl or pt-BR", "'%s' is not a language tag", n->keys[k]->text);
        if (n->items[k]->kind == RSP_Y_SCALAR) check_scalar(key, n->items[k], d);
        else wrong_shape(key, RSP_S_ONE, n->items[k], d);
    }
}

static void check_list(const rsp_key *key, rsp_node *n, rsp_diag *d) {
    for (size_t k = 0; k < n->n; k++) {
        if (n->items[k]->kind == RSP_Y_SCALAR) check_scalar(key, n->items[k], d);
        else wrong_shape(key, RSP_S_ONE, n->items[k], d);
    }
}

static void check_lists(const rsp_key *key, rsp_node *n, rsp_diag *d) {
    for (size_t k = 0; k < n->n; k++) {
        rsp_node *inner = n->items[k];
        if (inner->kind == RSP_Y_LIST) check_list(key, inner, d);
        else if (!inner->bad)
            fault(d, inner, "put brackets around each crossing: [[a], [a, b]]", "'%s' must be a list of lists",
                  key->name);
    }
}

static void check_map(const rsp_key *key, rsp_node *n, rsp_diag *d) {
    for (size_t k = 0; k < n->n; k++) {
        rsp_node *value = n->items[k];
        if (key->shapes & RSP_S_MAP_WORDS) check_words(key, value, d);
        else if (value->kind == RSP_Y_SCALAR) check_scalar(key, value, d);
        else if (value->kind == RSP_Y_LIST && key->shapes & RSP_S_MAP_LIST) check_list(key, value, d);
        else wrong_shape(key, RSP_S_ONE, value, d);
    }
}

static void check_objects(const rsp_key *key, rsp_node *n, rsp_diag *d) {
    for (size_t k = 0; k < n->n; k++) {
        if (n->items[k]->kind == RSP_Y_MAP) check_object(key, n->items[k], d);
        else if (!n->items[k]->bad) {
            n->items[k]->bad = true;
            rsp_report(d, RSP_ERR_STUDY, n->items[k]->loc, NULL, "each entry of '%s' must be a mapping of keys",
                       key->name);
        }
    }
}

void rsp_keys_check(const rsp_key *key, rsp_node *n, rsp_diag *d) {
    unsigned s = key->shapes;
    if (n->kind == RSP_Y_SCALAR && s & RSP_S_ONE) check_scalar(key, n, d);
    else if (n->kind != RSP_Y_LIST && s & RSP_S_WORDS) check_words(key, n, d);
    else if (n->kind == RSP_Y_LIST && s & LIST) check_list(key, n, d);
    else if (n->kind == RSP_Y_LIST && s & RSP_S_LISTS) check_lists(key, n, d);
    else if (n->kind == RSP_Y_LIST && s & RSP_S_OBJECTS) check_objects(key, n, d);
    else if (n->kind == RSP_Y_MAP && s & RSP_S_OBJECT) check_object(key, n, d);
    else if (n->kind == RSP_Y_MAP && s & (RSP_S_MAP | RSP_S_MAP_LIST | RSP_S_MAP_WORDS)) check_map(key, n, d);
    else if (n->kind == RSP_Y_SCALAR && n->plain && !n->text[0]) fault(d, n, NULL, "'%s' has no value", key->name);
    else wrong_shape(key, s, n, d);
}
