/* Model formulas: R's for regressions and mixed models, lavaan's for factor models. Syntax only; no data.
 *
 *   change ~ culture + country * sector + log(x) + I(x^2) + factor(x) + (1 + culture | country)     0 +   - 1   .   a:b
 *   visual =~ x1 + 1*x2 + a*x3     y ~ x     x1 ~~ x2     x1 ~ 1                                                    */
#ifndef RESPONSIVE_FORMULA_H
#define RESPONSIVE_FORMULA_H

#include "responsive/expr.h"

/* A column of the model: a variable, or arithmetic on variables. */
typedef struct rsp_fexpr rsp_fexpr;
struct rsp_fexpr {
    enum {
        RSP_F_VARIABLE,
        RSP_F_NUMBER,
        RSP_F_ADD,
        RSP_F_SUB,
        RSP_F_MUL,
        RSP_F_DIV,
        RSP_F_POW,
        RSP_F_NEG,
        RSP_F_LOG,
        RSP_F_EXP,
        RSP_F_SQRT,
        RSP_F_ABS,
        RSP_F_FACTOR /* factor(x): x as categories */
    } op;
    const char *name; /* variable */
    size_t variable;  /* bound by the study loader, else RSP_NONE */
    double number;
    rsp_fexpr *left, *right;
    const char *text; /* as R prints it: `log(x)`, `I(x^2)`; the name for a variable: used in terms of results */
    rsp_loc loc;
};

/* An interaction of one or more factors (in the sense of R's terms), e.g. country:sector. */
typedef struct {
    size_t n;
    size_t *factor;   /* indices into rsp_formula.factors */
    const char *text; /* "country:sector" */
} rsp_fterm;

typedef struct {
    bool intercept;
    size_t n_terms;
    rsp_fterm *terms;
    size_t group; /* index into factors: the grouping variable after | ; RSP_NONE if it is an interaction */
    rsp_fterm group_term;
    bool correlated; /* false for || */
    rsp_loc loc;
} rsp_frandom;

typedef struct {
    const char *text;
    rsp_fexpr *response;
    bool intercept;
    bool dot; /* `.` stands on the right: all other variables */
    size_t n_factors;
    rsp_fexpr **factors; /* distinct, in order of appearance */
    size_t n_terms;
    rsp_fterm *terms; /* expanded, by order then appearance, as R's terms() */
    size_t n_random;
    rsp_frandom *random;
    rsp_loc loc;
} rsp_formula;

rsp_formula *rsp_formula_parse(rsp_arena *a, const char *text, const rsp_origin *origin, rsp_diag *d);

/* One statement of lavaan syntax with one right-hand side each: `f =~ x1 + 2*x2` gives two rows. */
typedef struct {
    const char *lhs;
    enum {
        RSP_L_LOADING /* =~ */,
        RSP_L_REGRESSION /* ~ */,
        RSP_L_COVARIANCE /* ~~ */,
        RSP_L_INTERCEPT /* ~1 */,
        RSP_L_THRESHOLD /* | */,
        RSP_L_DEFINED /* := */,
        RSP_L_CONSTRAINT /* == */
    } op;
    const char *rhs;
    const char *label; /* a*x ; NULL */
    bool fixed;        /* 1*x */
    double value;      /* if fixed */
    bool free;         /* NA*x: free though it would be fixed */
    rsp_loc loc;
} rsp_lavaan_row;

typedef struct {
    size_t n;
    rsp_lavaan_row *rows;
} rsp_lavaan;

rsp_lavaan *rsp_lavaan_parse(rsp_arena *a, const char *text, const rsp_origin *origin, rsp_diag *d);

#endif
