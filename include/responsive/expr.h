/* The one expression language: XLSForm's, for expr, relevant, constraint, drop, set-missing and filters.
 *
 *   ${age} >= 18 and ${role} = 'manager'        selected(${channels}, 'online')       . >= 0
 *   coalesce(a, b)  if(c, a, b)  count-selected(x)  not(x)  is-missing(x)  true() false()
 *   + - * div mod   = != < <= > >=   and or     round(x[, digits]) min() max() sum() mean() count-valid()
 *
 * An operand that is missing makes the value missing; min, max, sum, mean and count-valid skip missing values;
 * is-missing() is true for don't-know codes too; if() looks at the branch taken, and/or at what decides.
 * A coded variable compares with its codes as text (= and !=) and by its choices' values with < <= > >= and in sums.
 * Parsing knows no data. Names are bound to variables by the study loader, values come from clean/eval.h. */
#ifndef RESPONSIVE_EXPR_H
#define RESPONSIVE_EXPR_H

#include "responsive/base.h"

typedef enum {
    RSP_X_NUMBER,
    RSP_X_STRING,
    RSP_X_VARIABLE,
    RSP_X_SELF, /* '.' */
    RSP_X_AND,
    RSP_X_OR,
    RSP_X_NOT,
    RSP_X_EQ,
    RSP_X_NE,
    RSP_X_LT,
    RSP_X_LE,
    RSP_X_GT,
    RSP_X_GE,
    RSP_X_ADD,
    RSP_X_SUB,
    RSP_X_MUL,
    RSP_X_DIV,
    RSP_X_MOD,
    RSP_X_NEG,
    RSP_X_IF,
    RSP_X_COALESCE,
    RSP_X_SELECTED,
    RSP_X_COUNT_SELECTED,
    RSP_X_IS_MISSING,
    RSP_X_ROUND,
    RSP_X_MIN,
    RSP_X_MAX,
    RSP_X_SUM,
    RSP_X_MEAN,
    RSP_X_COUNT_VALID
} rsp_expr_op;

typedef struct rsp_expr rsp_expr;
struct rsp_expr {
    rsp_expr_op op;
    double number;    /* RSP_X_NUMBER */
    const char *text; /* RSP_X_STRING: the string; RSP_X_VARIABLE: the name */
    size_t variable;  /* RSP_X_VARIABLE: index in the study's variables, set by binding; RSP_NONE before */
    size_t n_args;
    rsp_expr **args;
    rsp_loc loc; /* of this node in the study's files */
};

/* Where characters of a scalar stand in the file: the k-th character (0-based, in code points) of the text is at
 * column loc.column + k of loc.line for plain and quoted scalars of one line; block scalars start a line below. */
typedef struct {
    rsp_loc loc; /* of the first character */
    bool block;  /* literal block: line breaks advance the line, `indent` is the column of its lines */
    int indent;
} rsp_origin;

rsp_loc rsp_origin_at(const rsp_origin *o, const char *text, size_t byte_offset);

/* NULL with every syntax error reported (class RSP_ERR_STUDY) if the text is wrong. Nesting is limited to 200. */
rsp_expr *rsp_expr_parse(rsp_arena *a, const char *text, const rsp_origin *origin, rsp_diag *d);

/* Calls visit for every RSP_X_VARIABLE node. */
void rsp_expr_each_variable(rsp_expr *e, void (*visit)(rsp_expr *variable, void *context), void *context);

#endif
