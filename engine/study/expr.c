/* Parser of the expression language of XLSForm (grammar after XPath 1.0, W3C 1999, section 3): recursive descent, one
 * function for each level of precedence, weakest first:
 *
 *   or    and    = !=    < <= > >=    + -    * div mod    unary -    values, calls, ( )
 *
 * After a fault the parser puts a missing number in the place of what it could not read and goes on, so that several
 * faults of one text are reported together. Chains of and/or become one node with many arguments. */
#include "responsive/expr.h"

#include "responsive/limits.h"
#include "study/faults.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { MAX_FAULTS = 8 };

typedef enum {
    T_END,
    T_NUMBER,
    T_STRING,
    T_VARIABLE,
    T_SELF,
    T_NAME,
    T_OPEN,
    T_CLOSE,
    T_COMMA,
    T_PLUS,
    T_MINUS,
    T_TIMES,
    T_EQ,
    T_NE,
    T_LT,
    T_LE,
    T_GT,
    T_GE,
    T_BAD
} token_kind;

typedef struct {
    token_kind kind;
    size_t at, length; /* bytes of the text */
    double number;
    const char *string; /* T_STRING, T_VARIABLE: the inside */
} token;

typedef struct {
    rsp_arena *arena;
    const char *text;
    size_t length, next; /* next: where the token after `now` starts */
    rsp_faults faults;
    token now;
    int depth;
    size_t nodes;
} parser;

static const struct {
    const char *name;
    rsp_expr_op op;
    size_t least, most; /* arguments */
} functions[] = {
    {"if", RSP_X_IF, 3, 3},
    {"not", RSP_X_NOT, 1, 1},
    {"coalesce", RSP_X_COALESCE, 2, SIZE_MAX},
    {"selected", RSP_X_SELECTED, 2, 2},
    {"count-selected", RSP_X_COUNT_SELECTED, 1, 1},
    {"is-missing", RSP_X_IS_MISSING, 1, 1},
    {"round", RSP_X_ROUND, 1, 2},
    {"min", RSP_X_MIN, 1, SIZE_MAX},
    {"max", RSP_X_MAX, 1, SIZE_MAX},
    {"sum", RSP_X_SUM, 1, SIZE_MAX},
    {"mean", RSP_X_MEAN, 1, SIZE_MAX},
    {"count-valid", RSP_X_COUNT_VALID, 1, SIZE_MAX},
    {"true", RSP_X_NUMBER, 0, 0},
    {"false", RSP_X_NUMBER, 0, 0},
};
enum { N_FUNCTIONS = sizeof functions / sizeof *functions };

rsp_loc rsp_origin_at(const rsp_origin *o, const char *text, size_t byte_offset) {
    rsp_loc loc = o->loc;
    if (!loc.line) return loc;
    for (size_t k = 0; k < byte_offset && text[k]; k++) {
        if (o->block && text[k] == '\n') {
            loc.line++;
            loc.column = o->indent;
        } else if (((unsigned char) text[k] & 0xC0) != 0x80) {
            loc.column++;
        }
    }
    return loc;
}

/* ---- nodes ------------------------------------------------------------------------------------------------------ */

static rsp_expr *new_node(parser *p, rsp_expr_op op, size_t at) {
    if (++p->nodes > RSP_MOST_EXPR_PARTS && !p->faults.over) {
        RSP_FAULT(&p->faults, at, "split it into derived variables", "expression has more than %d parts",
                  RSP_MOST_EXPR_PARTS);
        p->faults.over = true;
        p->next = p->length; /* nothing more is read */
    }
    rsp_expr *e = RSP_NEW(p->arena, rsp_expr);
    e->op = op;
    e->number = NAN;
    e->variable = RSP_NONE;
    e->loc = rsp_origin_at(p->faults.origin, p->text, at);
    return e;
}

/* Stands where something could not be read; the whole is refused, so nobody evaluates it. */
static rsp_expr *hole(parser *p) { return new_node(p, RSP_X_NUMBER, p->now.at); }

/* ---- tokens ----------------------------------------------------------------------------------------------------- */

static bool is_digit(char c) { return c >= '0' && c <= '9'; }
static bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
static bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

static size_t name_end(const char *s, size_t k) {
    while (is_letter(s[k]) || is_digit(s[k]) || s[k] == ':' || (s[k] == '-' && is_letter(s[k + 1]))) k++;
    return k;
}

/* Signs that people write for ours, by habit of other languages or by a word processor. */
static const struct {
    const char *sign, *hint;
    token_kind kind; /* read as, so that parsing goes on */
} habits[] = {
    {"==", "write = for equal", T_EQ},
    {"<>", "write != for not equal", T_NE},
    {"\xE2\x89\xA0", "write != for not equal", T_NE},
    {"\xE2\x89\xA4", "write <=", T_LE},
    {"\xE2\x89\xA5", "write >=", T_GE},
    {"\xE2\x88\x92", "write - for minus", T_MINUS},
    {"\xC3\x97", "write * for times", T_TIMES},
    {"/", "write div for division", T_TIMES},
    {"%", "write mod for the remainder", T_TIMES},
    {"&&", "write and", T_BAD},
    {"||", "write or", T_BAD},
    {"&", "write and", T_BAD},
    {"|", "write or", T_BAD},
    {"!", "write not(...)", T_BAD},
};

/* Quotation marks of word processors, U+2018 to U+201F. */
static bool is_curly(const char *s) {
    return s[0] == '\xE2' && s[1] == '\x80' && (unsigned char) s[2] >= 0x98 && (unsigned char) s[2] <= 0x9F;
}

static token lex_habit(parser *p, size_t at) {
    for (size_t k = 0; k < sizeof habits / sizeof *habits; k++) {
        size_t length = strlen(habits[k].sign);
        if (strncmp(p->text + at, habits[k].sign, length)) continue;
        RSP_FAULT(&p->faults, at, habits[k].hint, "'%s' is not an operator of expressions", habits[k].sign);
        return (token){.kind = habits[k].kind, .at = at, .length = length};
    }
    size_t length = 1;
    while (((unsigned char) p->text[at + length] & 0xC0) == 0x80) length++;
    bool curly = is_curly(p->text + at);
    const char *hint = curly ? "write straight quotes: 'text'" : NULL;
    RSP_FAULT(&p->faults, at, hint, "unexpected character '%.*s' in expression", (int) length, p->text + at);
    if (!curly) return (token){.kind = T_BAD, .at = at, .length = length};
    while (p->text[at + length] && !is_curly(p->text + at + length)) length++;
    length += p->text[at + length] ? 3 : 0;
    return (token){.kind = T_STRING, .at = at, .length = length, .string = ""};
}

static token lex_string(parser *p, size_t at) {
    const char *end = strchr(p->text + at + 1, p->text[at]);
    if (!end) {
        RSP_FAULT(&p->faults, at, NULL, "text that starts with %c has no closing %c", p->text[at], p->text[at]);
        return (token){.kind = T_STRING, .at = at, .length = p->length - at, .string = ""};
    }
    size_t length = (size_t) (end - (p->text + at)) + 1;
    return (token){
        .kind = T_STRING, .at = at, .length = length, .string = rsp_strndup(p->arena, p->text + at + 1, length - 2)};
}

static token lex_variable(parser *p, size_t at) {
    size_t from = at + 2, to = from;
    if (p->text[at + 1] != '{') {
        RSP_FAULT(&p->faults, at, "write ${name}", "'$' without a name in braces");
        size_t end = name_end(p->text, at + 1);
        return (token){.kind = T_VARIABLE, .at = at, .length = end - at, .string = ""};
    }
    while (p->text[to] && p->text[to] != '}') to++;
    size_t end = to;
    if (p->text[to] != '}') RSP_FAULT(&p->faults, at, NULL, "'${' without closing '}'");
    else end++;
    while (from < to && is_blank(p->text[from])) from++;
    while (to > from && is_blank(p->text[to - 1])) to--;
    if (from == to) RSP_FAULT(&p->faults, at, NULL, "'${}' names no variable");
    return (token){
        .kind = T_VARIABLE, .at = at, .length = end - at, .string = rsp_strndup(p->arena, p->text + from, to - from)};
}

static token lex_number(parser *p, size_t at) {
    size_t k = at;
    while (is_digit(p->text[k])) k++;
    if (p->text[k] == '.')
        for (k++; is_digit(p->text[k]);) k++;
    token t = {.kind = T_NUMBER, .at = at, .length = k - at};
    if (!rsp_parse_double(p->text + at, k - at, '.', &t.number))
        RSP_FAULT(&p->faults, at, NULL, "'%.*s' is not a number", (int) (k - at), p->text + at);
    else if (is_letter(p->text[k])) {
        t.length = name_end(p->text, k) - at;
        RSP_FAULT(&p->faults, at, NULL, "a number is followed by letters: '%.*s'", (int) t.length, p->text + at);
    }
    return t;
}

static token lex_sign(parser *p, size_t at) {
    static const struct {
        const char *sign;
        token_kind kind;
    } signs[] = {
        {"!=", T_NE},  {"<=", T_LE},   {">=", T_GE},   {"<", T_LT},   {">", T_GT},    {"=", T_EQ},
        {"+", T_PLUS}, {"-", T_MINUS}, {"*", T_TIMES}, {"(", T_OPEN}, {")", T_CLOSE}, {",", T_COMMA},
    };
    if (strncmp(p->text + at, "==", 2) && strncmp(p->text + at, "<>", 2))
        for (size_t k = 0; k < sizeof signs / sizeof *signs; k++)
            if (!strncmp(p->text + at, signs[k].sign, strlen(signs[k].sign)))
                return (token){.kind = signs[k].kind, .at = at, .length = strlen(signs[k].sign)};
    return lex_habit(p, at);
}

static void advance(parser *p) {
    size_t at = p->next;
    while (at < p->length && is_blank(p->text[at])) at++;
    char c = p->text[at];
    if (at >= p->length) p->now = (token){.kind = T_END, .at = p->length};
    else if (is_digit(c) || (c == '.' && is_digit(p->text[at + 1]))) p->now = lex_number(p, at);
    else if (c == '.') p->now = (token){.kind = T_SELF, .at = at, .length = 1};
    else if (c == '\'' || c == '"') p->now = lex_string(p, at);
    else if (c == '$') p->now = lex_variable(p, at);
    else if (is_letter(c)) p->now = (token){.kind = T_NAME, .at = at, .length = name_end(p->text, at) - at};
    else p->now = lex_sign(p, at);
    p->next = p->now.at + p->now.length;
}

static bool at_word(const parser *p, const char *word) {
    return p->now.kind == T_NAME && p->now.length == strlen(word) && !memcmp(p->text + p->now.at, word, p->now.length);
}

/* ---- grammar ---------------------------------------------------------------------------------------------------- */

static rsp_expr *parse_or(parser *p);

static bool starts_value(token_kind k) {
    return k == T_NUMBER || k == T_STRING || k == T_VARIABLE || k == T_SELF || k == T_OPEN;
}

/* Arguments of a call up to its closing bracket. */
static size_t parse_args(parser *p, rsp_expr ***into) {
    rsp_expr **list = NULL;
    size_t n = 0, room = 0, opened = p->now.at;
    advance(p); /* ( */
    if (p->now.kind != T_CLOSE) {
        for (;;) {
            rsp_expr *e = parse_or(p);
            RSP_PUSH(list, n, room, e);
            if (p->now.kind == T_COMMA) {
                advance(p);
            } else {
                if (!starts_value(p->now.kind)) break;
                RSP_FAULT(&p->faults, p->now.at, NULL, "expected ',' or ')' before '%.*s'", (int) p->now.length,
                          p->text + p->now.at);
            }
        }
    }
    if (p->now.kind == T_CLOSE) advance(p);
    else if (p->now.kind == T_END) RSP_FAULT(&p->faults, opened, NULL, "'(' is not closed");
    else
        RSP_FAULT(&p->faults, p->now.at, NULL, "expected ',' or ')' before '%.*s'", (int) p->now.length,
                  p->text + p->now.at);
    *into = RSP_ARRAY(p->arena, rsp_expr *, n + 1);
    if (n) memcpy(*into, list, n * sizeof *list);
    free(list);
    return n;
}

static void report_unknown(parser *p, size_t at, const char *name) {
    static const char *const clock[] = {"today", "now"};
    for (size_t k = 0; k < 2; k++)
        if (!strcmp(name, clock[k])) {
            RSP_FAULT(&p->faults, at, "write the date as text: '2026-01-31'",
                      "'%s()' would make results depend on the clock", name);
            return;
        }
    const char *known[N_FUNCTIONS];
    for (size_t k = 0; k < N_FUNCTIONS; k++) known[k] = functions[k].name;
    const char *near = rsp_suggest(name, known, N_FUNCTIONS);
    char *hint = near ? rsp_printf(p->arena, "did you mean '%s'?", near) : NULL;
    RSP_FAULT(&p->faults, at, hint ? hint : "the functions are listed in specs/README.md", "unknown function '%s'",
              name);
}

static void check_args(parser *p, size_t at, size_t f, const rsp_expr *e) {
    const char *name = functions[f].name;
    if (e->n_args < functions[f].least || e->n_args > functions[f].most) {
        size_t wanted = e->n_args < functions[f].least ? functions[f].least : functions[f].most;
        RSP_FAULT(&p->faults, at, NULL, "%s() has %zu argument%s, it takes %s%zu", name, e->n_args,
                  e->n_args == 1 ? "" : "s",
                  functions[f].least == functions[f].most ? ""
                  : wanted == functions[f].least          ? "at least "
                                                          : "at most ",
                  wanted);
        return;
    }
    if (e->op == RSP_X_SELECTED || e->op == RSP_X_COUNT_SELECTED) {
        rsp_expr_op what = e->args[0]->op;
        if (what != RSP_X_VARIABLE && what != RSP_X_SELF)
            RSP_FAULT(&p->faults, at, "as in selected(${channels}, 'online')",
                      "%s() needs a variable as its first argument", name);
    }
    if (e->op == RSP_X_SELECTED && e->args[1]->op != RSP_X_STRING)
        RSP_FAULT(&p->faults, at, "as in selected(${channels}, 'online')",
                  "selected() needs a code in quotes as its second argument");
}

static rsp_expr *parse_call(parser *p) {
    size_t at = p->now.at;
    char *name = rsp_strndup(p->arena, p->text + at, p->now.length);
    advance(p);
    if (p->now.kind != T_OPEN) {
        RSP_FAULT(&p->faults, at,
                  rsp_printf(p->arena, "write ${%s} for a variable, '%s' for a code or text", name, name),
                  "unexpected word '%s'", name);
        return hole(p);
    }
    size_t f = 0;
    while (f < N_FUNCTIONS && strcmp(functions[f].name, name)) f++;
    rsp_expr *e = new_node(p, f < N_FUNCTIONS ? functions[f].op : RSP_X_COALESCE, at);
    if (f == N_FUNCTIONS) report_unknown(p, at, name);
    e->n_args = parse_args(p, &e->args);
    if (f < N_FUNCTIONS) check_args(p, at, f, e);
    if (e->op == RSP_X_NUMBER) e->number = !strcmp(name, "true");
    return e;
}

static rsp_expr *parse_leaf(parser *p, rsp_expr_op op) {
    rsp_expr *e = new_node(p, op, p->now.at);
    e->number = op == RSP_X_NUMBER ? p->now.number : NAN;
    e->text = p->now.string;
    advance(p);
    return e;
}

static rsp_expr *parse_bracket(parser *p) {
    size_t opened = p->now.at;
    advance(p);
    rsp_expr *e = parse_or(p);
    if (p->now.kind == T_CLOSE) advance(p);
    else if (p->now.kind == T_END) RSP_FAULT(&p->faults, opened, NULL, "'(' is not closed");
    else
        RSP_FAULT(&p->faults, p->now.at, NULL, "expected an operator or ')' before '%.*s'", (int) p->now.length,
                  p->text + p->now.at);
    return e;
}

/* Operators where a value should stand are stepped over, so that what follows is read for its own faults. */
static void skip_operators(parser *p) {
    while (p->now.kind != T_NAME && p->now.kind != T_CLOSE && p->now.kind != T_COMMA && p->now.kind != T_END &&
           !starts_value(p->now.kind)) {
        RSP_FAULT(&p->faults, p->now.at, NULL, "expected a value, found '%.*s'", (int) p->now.length,
                  p->text + p->now.at);
        advance(p);
        if (p->now.kind == T_END || p->now.kind == T_CLOSE || p->now.kind == T_COMMA) p->faults.last = p->now.at;
    }
}

static rsp_expr *parse_primary(parser *p) {
    skip_operators(p);
    switch (p->now.kind) {
    case T_NUMBER: return parse_leaf(p, RSP_X_NUMBER);
    case T_STRING: return parse_leaf(p, RSP_X_STRING);
    case T_VARIABLE: return parse_leaf(p, RSP_X_VARIABLE);
    case T_SELF: return parse_leaf(p, RSP_X_SELF);
    case T_NAME: return parse_call(p);
    case T_OPEN: return parse_bracket(p);
    case T_END: RSP_FAULT(&p->faults, p->now.at, NULL, "expression ends where a value was expected"); return hole(p);
    default:
        RSP_FAULT(&p->faults, p->now.at, NULL, "expected a value before '%.*s'", (int) p->now.length,
                  p->text + p->now.at);
        return hole(p);
    }
}

static rsp_expr *parse_unary(parser *p) {
    bool negative = false;
    size_t at = p->now.at;
    /* A run of signs is a loop, so that it cannot go deep. */
    bool any = false;
    for (; p->now.kind == T_MINUS; any = true) {
        negative = !negative;
        advance(p);
    }
    rsp_expr *e = parse_primary(p);
    if (!any) return e;
    rsp_expr *outer = new_node(p, RSP_X_NEG, at);
    outer->n_args = 1;
    outer->args = RSP_ARRAY(p->arena, rsp_expr *, 1);
    outer->args[0] = e;
    if (negative) return outer;
    rsp_expr *twice = new_node(p, RSP_X_NEG, at); /* an even run still makes a number of its operand */
    twice->n_args = 1;
    twice->args = RSP_ARRAY(p->arena, rsp_expr *, 1);
    twice->args[0] = outer;
    return twice;
}

static rsp_expr *binary(parser *p, rsp_expr_op op, size_t at, rsp_expr *left, rsp_expr *right) {
    rsp_expr *e = new_node(p, op, at);
    e->n_args = 2;
    e->args = RSP_ARRAY(p->arena, rsp_expr *, 2);
    e->args[0] = left;
    e->args[1] = right;
    return e;
}

/* The binary operator that stands here at the given level (0: * div mod, 1: + -, 2: < <= > >=, 3: = !=), or false. */
static bool operator_here(const parser *p, int level, rsp_expr_op *op) {
    static const struct {
        token_kind kind;
        const char *word;
        int level;
        rsp_expr_op op;
    } operators[] = {
        {T_TIMES, NULL, 0, RSP_X_MUL}, {T_NAME, "div", 0, RSP_X_DIV}, {T_NAME, "mod", 0, RSP_X_MOD},
        {T_PLUS, NULL, 1, RSP_X_ADD},  {T_MINUS, NULL, 1, RSP_X_SUB}, {T_LT, NULL, 2, RSP_X_LT},
        {T_LE, NULL, 2, RSP_X_LE},     {T_GT, NULL, 2, RSP_X_GT},     {T_GE, NULL, 2, RSP_X_GE},
        {T_EQ, NULL, 3, RSP_X_EQ},     {T_NE, NULL, 3, RSP_X_NE},
    };
    for (size_t k = 0; k < sizeof operators / sizeof *operators; k++)
        if (operators[k].level == level && operators[k].kind == p->now.kind &&
            (!operators[k].word || at_word(p, operators[k].word))) {
            *op = operators[k].op;
            return true;
        }
    return false;
}

static rsp_expr *parse_binary(parser *p, int level) {
    rsp_expr *left = level ? parse_binary(p, level - 1) : parse_unary(p);
    rsp_expr_op op;
    while (operator_here(p, level, &op)) {
        size_t at = p->now.at;
        advance(p);
        rsp_expr *right = level ? parse_binary(p, level - 1) : parse_unary(p);
        left = binary(p, op, at, left, right);
    }
    return left;
}

/* `a and b and c` (inner true) or `x or y`: one node for the whole chain. */
static rsp_expr *parse_chain(parser *p, bool inner) {
    const char *word = inner ? "and" : "or";
    rsp_expr *first = inner ? parse_binary(p, 3) : parse_chain(p, true);
    if (!at_word(p, word)) return first;
    rsp_expr *e = new_node(p, inner ? RSP_X_AND : RSP_X_OR, p->now.at);
    rsp_expr **list = NULL;
    size_t n = 0, room = 0;
    RSP_PUSH(list, n, room, first);
    while (at_word(p, word)) {
        advance(p);
        rsp_expr *next = inner ? parse_binary(p, 3) : parse_chain(p, true);
        RSP_PUSH(list, n, room, next);
    }
    e->n_args = n;
    e->args = RSP_ARRAY(p->arena, rsp_expr *, n);
    memcpy(e->args, list, n * sizeof *list);
    free(list);
    return e;
}

static rsp_expr *parse_or(parser *p) {
    if (p->depth >= RSP_MOST_EXPR_DEPTH) {
        RSP_FAULT(&p->faults, p->now.at, "split it into derived variables", "expression is nested deeper than %d",
                  RSP_MOST_EXPR_DEPTH);
        p->faults.over = true;
        p->next = p->length;
        advance(p);
        return hole(p);
    }
    p->depth++;
    rsp_expr *e = parse_chain(p, false);
    p->depth--;
    return e;
}

static void report_rest(parser *p) {
    int length = (int) p->now.length;
    const char *word = p->text + p->now.at;
    const char *hint = NULL;
    if (p->now.kind == T_NAME && length == 3 && !strncasecmp(word, "and", 3)) hint = "write and in small letters";
    if (p->now.kind == T_NAME && length == 2 && !strncasecmp(word, "or", 2)) hint = "write or in small letters";
    if (p->now.kind == T_CLOSE) RSP_FAULT(&p->faults, p->now.at, NULL, "')' without '('");
    else if (p->now.kind != T_BAD)
        RSP_FAULT(&p->faults, p->now.at, hint, "expected an operator before '%.*s'", length, word);
}

rsp_expr *rsp_expr_parse(rsp_arena *a, const char *text, const rsp_origin *origin, rsp_diag *d) {
    parser p = {.arena = a, .text = text, .length = strlen(text), .faults = {text, origin, d, .most = MAX_FAULTS}};
    advance(&p);
    if (p.now.kind == T_END) {
        RSP_FAULT(&p.faults, 0, NULL, "empty expression");
        return NULL;
    }
    rsp_expr *e = parse_or(&p);
    while (p.now.kind != T_END && !rsp_faults_full(&p.faults)) {
        report_rest(&p);
        /* What stands behind the fault is read for its own faults; an operator or word there is stepped over. */
        if (!starts_value(p.now.kind)) advance(&p);
        if (p.now.kind != T_END) parse_or(&p);
    }
    return rsp_faults_any(&p.faults) ? NULL : e;
}

void rsp_expr_each_variable(rsp_expr *e, void (*visit)(rsp_expr *variable, void *context), void *context) {
    if (!e) return;
    if (e->op == RSP_X_VARIABLE) visit(e, context);
    for (size_t k = 0; k < e->n_args; k++) rsp_expr_each_variable(e->args[k], visit, context);
}
