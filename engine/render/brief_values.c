/* Named values of a brief and conditions on them. */
#include "brief.h"

#include <assert.h>
#include <math.h>
#include <string.h>

/* Every name that a message or a condition of the brief may use; what each means stands in reports/brief.yaml. */
static const char *const NAMES[] = {
    /* of the whole brief */
    "study", "who", "country", "in_country", "publisher", "content", "from", "to", "dated", "n", "read", "aside",
    "countries", "country_list", "ineligible", "ineligible_list", "weighted", "margins", "equal", "population",
    "self_selected", "preliminary", "simulated", "public", "suppressed", "minimum", "one_country", "models",
    "differences", "contrasts", "unclear_contrasts", "findings", "contact", "has_contact", "funding", "has_funding",
    "licence", "has_licence", "not_comparable", "not_comparable_list", "caution", "caution_list",
    /* of an observation */
    "topic", "item", "answer", "share", "lower", "upper", "second", "second_share", "second_upper", "third",
    "third_share", "clear", "apart", "last", "last_share", "average", "has_average", "high", "high_value", "low",
    "low_value", "value", "list", "items", "groups", "grouping", "outcome", "positive", "positives", "negative",
    "negatives", "unclear", "significant", "tested", "higher", "by_country", "base", "unreliable", "shares", "above",
    "below", "table", "figure", "enabling", "has_enabling", "blocking", "has_blocking", "blockings", "depends",
    "has_depends", "has_negative", "reversed", "has_reversed", "verdict", "has_verdict", "unassessed", "has_unassessed",
    "drivers"};
#define N_NAMES (sizeof NAMES / sizeof *NAMES)
_Static_assert(sizeof NAMES / sizeof *NAMES <= (size_t) BRIEF_VALUES, "room for every name");

void brief_values_clear(brief_values *v) {
    v->n = N_NAMES;
    for (size_t k = 0; k < N_NAMES; k++) {
        v->v[k] = (rsp_arg){NAMES[k], "", NAN};
        v->sources[k] = NULL;
    }
}

static size_t place_of(const char *name) {
    size_t k = 0;
    while (k < N_NAMES && strcmp(NAMES[k], name) != 0) k++;
    return k;
}

bool brief_value_known(const char *name) { return place_of(name) < N_NAMES; }

void brief_put(brief_values *v, const char *name, const char *text, double number) {
    size_t k = place_of(name);
    assert(k < N_NAMES);
    v->v[k] = (rsp_arg){NAMES[k], text, number};
    v->sources[k] = NULL;
}

const brief_source *brief_source_add(rsp_arena *a, const brief_source *before, const rsp_published_row *row,
                                     const char *column, const char *printed) {
    if (!row) return before;
    brief_source *s = RSP_NEW(a, brief_source);
    *s = (brief_source){row, column, printed, before};
    return s;
}

const brief_source *brief_sources(const brief_values *v, const char *name) {
    size_t k = place_of(name);
    return k < N_NAMES ? v->sources[k] : NULL;
}

void brief_rest_on(brief_values *v, const char *name, const brief_source *sources) {
    size_t k = place_of(name);
    assert(k < N_NAMES);
    v->sources[k] = sources;
}

void brief_cite(brief_values *v, rsp_arena *a, const char *name, const rsp_published_row *row, const char *column,
                const char *printed) {
    size_t k = place_of(name);
    assert(k < N_NAMES);
    v->sources[k] = brief_source_add(a, v->sources[k], row, column, printed);
}

double brief_number(const brief_values *v, const char *name) {
    size_t k = place_of(name);
    return k < N_NAMES ? v->v[k].number : NAN;
}

/* ---- conditions ------------------------------------------------------------------------------------------------- */

static double compare(rsp_expr_op op, double x, double y) {
    if (isnan(x) || isnan(y)) return NAN;
    switch (op) {
    case RSP_X_EQ: return x == y;
    case RSP_X_NE: return x != y;
    case RSP_X_LT: return x < y;
    case RSP_X_LE: return x <= y;
    case RSP_X_GT: return x > y;
    default: return x >= y;
    }
}

/* Three-valued: NaN is "not known"; `and` and `or` look at what decides. */
static double evaluate(const rsp_expr *e, const brief_values *v) {
    double x = e->n_args ? evaluate(e->args[0], v) : NAN;
    switch (e->op) {
    case RSP_X_NUMBER: return e->number;
    case RSP_X_VARIABLE: return brief_number(v, e->text);
    case RSP_X_NOT: return isnan(x) ? NAN : x == 0;
    case RSP_X_NEG: return -x;
    case RSP_X_IS_MISSING: return isnan(x);
    case RSP_X_AND:
    case RSP_X_OR: {
        bool decides = e->op == RSP_X_OR;
        for (size_t k = 0; k < e->n_args; k++) {
            double y = k ? evaluate(e->args[k], v) : x;
            if (!isnan(y) && (y != 0) == decides) return decides;
            if (isnan(y)) x = NAN;
        }
        return isnan(x) ? NAN : !decides;
    }
    default: break;
    }
    double y = e->n_args > 1 ? evaluate(e->args[1], v) : NAN;
    switch (e->op) {
    case RSP_X_ADD: return x + y;
    case RSP_X_SUB: return x - y;
    case RSP_X_MUL: return x * y;
    case RSP_X_DIV: return x / y;
    default: return compare(e->op, x, y);
    }
}

bool brief_holds(const rsp_expr *when, const brief_values *v) {
    if (!when) return true;
    double x = evaluate(when, v);
    return !isnan(x) && x != 0;
}
