/* Parser of model formulas: R's language of formulas and the meaning that R's terms() gives them (Chambers and Hastie
 * 1992, Statistical Models in S, chapter 2; Wilkinson and Rogers 1973), random parts as lme4 writes them.
 *
 * The text becomes a syntax tree by precedence (^, unary sign, :, %in%, * /, + -, |, ~). The tree is then read in two
 * ways: as terms, where + * : ^ / combine sets of factors, and inside log(), I() and the like as arithmetic. A term is
 * a set of factors, held as bits in the order in which factors appear; terms are ordered by their number of factors,
 * then by appearance. */
#include "responsive/formula.h"

#include "responsive/limits.h"
#include "study/faults.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_FAULTS = 8, WORDS = RSP_MOST_FORMULA_VARIABLES / 64 };

/* ---- syntax tree ------------------------------------------------------------------------------------------------ */

typedef enum {
    N_END,
    N_NAME,
    N_NUMBER,
    N_DOT,
    N_CALL,
    N_PAREN,
    N_CLOSE,
    N_COMMA,
    N_TILDE,
    N_BAR,
    N_BARS,
    N_PLUS,
    N_MINUS,
    N_TIMES,
    N_SLASH,
    N_IN,
    N_COLON,
    N_POWER,
    N_SIGN,
    N_BAD
} node_kind;

typedef struct node node;
struct node {
    node_kind kind;
    size_t at;
    double number;
    const char *name;   /* N_NAME, N_CALL; N_SIGN: "+" or "-" */
    node *left, *right; /* N_CALL, N_PAREN, N_SIGN: left alone */
};

typedef struct {
    node_kind kind;
    size_t at, length;
    double number;
    const char *name;
} token;

typedef struct {
    uint64_t bits[WORDS];
} set;

typedef struct {
    size_t n, room;
    set *v;
    rsp_map *known; /* of many: each by its bits; NULL: not made yet */
} sets;

typedef struct {
    rsp_arena *arena;
    const char *text;
    size_t length, next;
    rsp_faults faults;
    token now;
    int depth;
    size_t nodes;
    /* Reading of the tree. */
    rsp_formula *formula;
    size_t factor_room;
    node **random; /* brackets with | met in the fixed part, read when its factors are known */
    size_t n_random, random_room;
} parser;

static void give_up(parser *p, size_t at, const char *what, int limit) {
    RSP_FAULT(&p->faults, at, "write a smaller formula", what, limit);
    p->faults.over = true;
    p->next = p->length;
    p->now = (token){.kind = N_END, .at = p->length};
}

static node *new_node(parser *p, node_kind kind, size_t at, node *left, node *right) {
    if (++p->nodes > RSP_MOST_FORMULA_PARTS && !p->faults.over)
        give_up(p, at, "formula has more than %d parts", RSP_MOST_FORMULA_PARTS);
    node *n = RSP_NEW(p->arena, node);
    *n = (node){.kind = kind, .at = at, .left = left, .right = right};
    return n;
}

/* ---- tokens ----------------------------------------------------------------------------------------------------- */

static bool is_digit(char c) { return c >= '0' && c <= '9'; }
static bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }
static bool is_name(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '.' || is_digit(c) || (c & 0x80);
}

static token lex_number(parser *p, size_t at) {
    size_t k = at;
    while (is_digit(p->text[k]) || p->text[k] == '.') k++;
    if (p->text[k] == 'e' || p->text[k] == 'E') {
        size_t e = k + 1;
        if (p->text[e] == '+' || p->text[e] == '-') e++;
        if (is_digit(p->text[e])) {
            while (is_digit(p->text[e])) e++;
            k = e;
        }
    }
    while (is_name(p->text[k])) k++;
    token t = {.kind = N_NUMBER, .at = at, .length = k - at};
    if (!rsp_parse_double(p->text + at, k - at, '.', &t.number))
        RSP_FAULT(&p->faults, at, "a name does not start with a digit", "'%.*s' is not a number", (int) (k - at),
                  p->text + at);
    return t;
}

static token lex_name(parser *p, size_t at) {
    size_t k = at;
    while (is_name(p->text[k])) k++;
    bool dot = k == at + 1 && p->text[at] == '.';
    return (token){
        .kind = dot ? N_DOT : N_NAME, .at = at, .length = k - at, .name = rsp_strndup(p->arena, p->text + at, k - at)};
}

static token lex_quoted(parser *p, size_t at) {
    const char *end = strchr(p->text + at + 1, '`');
    size_t length = end ? (size_t) (end - (p->text + at)) + 1 : p->length - at;
    if (!end || length == 2)
        RSP_FAULT(&p->faults, at, NULL, end ? "empty name ``" : "a name that starts with ` has no closing `");
    return (token){.kind = N_NAME,
                   .at = at,
                   .length = length,
                   .name = rsp_strndup(p->arena, p->text + at + 1, length > 2 ? length - 2 : 0)};
}

static token lex_sign(parser *p, size_t at) {
    static const struct {
        const char *sign;
        node_kind kind;
    } signs[] = {
        {"%in%", N_IN}, {"||", N_BARS}, {"|", N_BAR},   {"~", N_TILDE}, {"**", N_POWER}, {"+", N_PLUS},  {"-", N_MINUS},
        {"*", N_TIMES}, {"/", N_SLASH}, {":", N_COLON}, {"^", N_POWER}, {"(", N_PAREN},  {")", N_CLOSE}, {",", N_COMMA},
    };
    for (size_t k = 0; k < sizeof signs / sizeof *signs; k++)
        if (!strncmp(p->text + at, signs[k].sign, strlen(signs[k].sign)))
            return (token){.kind = signs[k].kind, .at = at, .length = strlen(signs[k].sign)};
    if (!strncmp(p->text + at, "${", 2)) {
        size_t inside = strcspn(p->text + at + 2, "}");
        RSP_FAULT(&p->faults, at, "formulas name variables without ${ }", "'${' in formula");
        return (token){.kind = N_NAME,
                       .at = at,
                       .length = inside + 2 + (p->text[at + 2 + inside] == '}'),
                       .name = rsp_strndup(p->arena, p->text + at + 2, inside)};
    }
    char quote[2] = {p->text[at], '\0'};
    if (*quote == '"' || *quote == '\'') {
        size_t inside = strcspn(p->text + at + 1, quote);
        RSP_FAULT(&p->faults, at, "formulas hold names of variables, no texts in quotation marks",
                  "a quotation mark in formula");
        return (token){.kind = N_NAME,
                       .at = at,
                       .length = inside + 1 + (p->text[at + 1 + inside] == *quote),
                       .name = rsp_strndup(p->arena, p->text + at + 1, inside)};
    }
    RSP_FAULT(&p->faults, at, NULL, "unexpected character '%c' in formula", p->text[at]);
    return (token){.kind = N_BAD, .at = at, .length = 1};
}

static void advance(parser *p) {
    size_t at = p->next;
    while (at < p->length && is_blank(p->text[at])) at++;
    char c = p->text[at];
    if (at >= p->length) p->now = (token){.kind = N_END, .at = p->length};
    else if (is_digit(c) || (c == '.' && is_digit(p->text[at + 1]))) p->now = lex_number(p, at);
    else if (c == '`') p->now = lex_quoted(p, at);
    else if (is_name(c) && c != '_') p->now = lex_name(p, at);
    else p->now = lex_sign(p, at);
    p->next = p->now.at + p->now.length;
}

/* ---- grammar ---------------------------------------------------------------------------------------------------- */

static node *parse_level(parser *p, int level);

static void expect_close(parser *p, size_t opened) {
    if (p->now.kind == N_CLOSE) advance(p);
    else if (p->now.kind == N_END) RSP_FAULT(&p->faults, opened, NULL, "'(' is not closed");
    else if (p->now.kind == N_COMMA) RSP_FAULT(&p->faults, p->now.at, NULL, "functions in formulas take one argument");
    else
        RSP_FAULT(&p->faults, p->now.at, NULL, "expected an operator or ')' before '%.*s'", (int) p->now.length,
                  p->text + p->now.at);
}

static node *parse_primary(parser *p) {
    token t = p->now;
    node *n = new_node(p, t.kind, t.at, NULL, NULL);
    n->name = t.name;
    n->number = t.number;
    switch (t.kind) {
    case N_NUMBER:
    case N_DOT: advance(p); return n;
    case N_NAME:
        advance(p);
        if (p->now.kind != N_PAREN) return n;
        n->kind = N_CALL;
        break;
    case N_PAREN: break;
    case N_END: RSP_FAULT(&p->faults, t.at, NULL, "formula ends where a variable was expected"); return n;
    default:
        RSP_FAULT(&p->faults, t.at, NULL, "expected a variable, found '%.*s'", (int) t.length, p->text + t.at);
        n->kind = N_BAD;
        if (t.kind != N_CLOSE) advance(p);
        return n;
    }
    size_t opened = p->now.at;
    advance(p);
    n->left = parse_level(p, 0);
    expect_close(p, opened);
    return n;
}

/* ^ binds to the right and tighter than a sign before it: -x^2 is -(x^2); its exponent may have a sign. */
static node *parse_power(parser *p) {
    node *base = parse_primary(p);
    if (p->now.kind != N_POWER) return base;
    size_t at = p->now.at;
    advance(p);
    bool minus = p->now.kind == N_MINUS;
    size_t sign_at = p->now.at;
    if (minus) advance(p);
    node *exponent = parse_primary(p);
    if (minus) {
        exponent = new_node(p, N_SIGN, sign_at, exponent, NULL);
        exponent->name = "-";
    }
    if (p->now.kind == N_POWER) RSP_FAULT(&p->faults, p->now.at, "use brackets", "a power of a power");
    return new_node(p, N_POWER, at, base, exponent);
}

static node *parse_sign(parser *p) {
    node *first = NULL, *last = NULL;
    while (p->now.kind == N_PLUS || p->now.kind == N_MINUS) {
        node *n = new_node(p, N_SIGN, p->now.at, NULL, NULL);
        n->name = p->now.kind == N_MINUS ? "-" : "+";
        if (last) last->left = n;
        else first = n;
        last = n;
        if (last != first) RSP_FAULT(&p->faults, n->at, NULL, "two signs in a row");
        advance(p);
    }
    if (!last) return parse_power(p);
    last->left = parse_power(p);
    return first;
}

/* The level at which a binary operator stands, weakest 0; -1: none. */
static int level_of(node_kind k) {
    switch (k) {
    case N_BARS:
    case N_BAR: return 0;
    case N_PLUS:
    case N_MINUS: return 1;
    case N_TIMES:
    case N_SLASH: return 2;
    case N_IN: return 3;
    case N_COLON: return 4;
    default: return -1;
    }
}

static node *parse_next(parser *p, int level) { return level == 4 ? parse_sign(p) : parse_level(p, level + 1); }

/* A sign stands before a whole product in R's grammar only by itself (-a:b is (-a):b); both readings give one term. */
static node *parse_level(parser *p, int level) {
    if (p->depth >= RSP_MOST_FORMULA_DEPTH * 6) { /* six levels of precedence for each bracket */
        give_up(p, p->now.at, "formula is nested deeper than %d", RSP_MOST_FORMULA_DEPTH);
        return new_node(p, N_BAD, p->now.at, NULL, NULL);
    }
    p->depth++;
    node *left = parse_next(p, level);
    while (level_of(p->now.kind) == level) {
        node_kind kind = p->now.kind;
        size_t at = p->now.at;
        advance(p);
        node *right = parse_next(p, level);
        left = new_node(p, kind, at, left, right);
    }
    p->depth--;
    return left;
}

/* ---- texts as R prints them ------------------------------------------------------------------------------------- */

/* A number as R deparses it: up to 15 significant digits, fixed unless scientific is shorter. */
static char *number_text(rsp_arena *a, double x) {
    char sci[40], fixed[400];
    int digits = 0;
    for (; digits < 14; digits++) {
        char full[40];
        snprintf(sci, sizeof sci, "%.*e", digits, x);
        snprintf(full, sizeof full, "%.14e", x);
        double lhs, rhs;
        if (rsp_parse_double(sci, strlen(sci), '.', &lhs) && rsp_parse_double(full, strlen(full), '.', &rhs) &&
            lhs == rhs)
            break;
    }
    snprintf(sci, sizeof sci, "%.*e", digits, x);
    const char *e = strchr(sci, 'e');
    int exponent = e ? atoi(e + 1) : 0;
    int decimals = digits > exponent ? digits - exponent : 0;
    snprintf(fixed, sizeof fixed, "%.*f", decimals, x);
    return rsp_strdup(a, strlen(fixed) <= strlen(sci) ? fixed : sci);
}

static void print(parser *p, rsp_buf *into, const node *n) {
    static const struct {
        node_kind kind;
        const char *sign;
    } signs[] = {
        {N_PLUS, " + "}, {N_MINUS, " - "}, {N_TIMES, " * "}, {N_SLASH, "/"},   {N_POWER, "^"},
        {N_COLON, ":"},  {N_IN, " %in% "}, {N_BAR, " | "},   {N_BARS, " || "},
    };
    if (!n) return;
    switch (n->kind) {
    case N_NAME: rsp_buf_puts(into, n->name); return;
    case N_DOT: rsp_buf_putc(into, '.'); return;
    case N_NUMBER: rsp_buf_puts(into, number_text(p->arena, n->number)); return;
    case N_CALL:
    case N_PAREN:
        rsp_buf_puts(into, n->kind == N_CALL ? n->name : "");
        rsp_buf_putc(into, '(');
        print(p, into, n->left);
        rsp_buf_putc(into, ')');
        return;
    case N_SIGN:
        rsp_buf_puts(into, n->name);
        print(p, into, n->left);
        return;
    default: break;
    }
    for (size_t k = 0; k < sizeof signs / sizeof *signs; k++) {
        if (signs[k].kind != n->kind) continue;
        print(p, into, n->left);
        rsp_buf_puts(into, signs[k].sign);
        print(p, into, n->right);
    }
}

static const char *deparse(parser *p, const node *n) {
    rsp_buf b = {0};
    print(p, &b, n);
    const char *text = rsp_strdup(p->arena, b.data ? b.data : "");
    rsp_buf_free(&b);
    return text;
}

/* ---- arithmetic ------------------------------------------------------------------------------------------------- */

static rsp_fexpr *arithmetic(parser *p, const node *n);

static rsp_fexpr *new_fexpr(parser *p, const node *n) {
    rsp_fexpr *e = RSP_NEW(p->arena, rsp_fexpr);
    e->op = RSP_F_NUMBER;
    e->number = NAN;
    e->variable = RSP_NONE;
    e->loc = rsp_origin_at(p->faults.origin, p->text, n->at);
    return e;
}

static rsp_fexpr *scaled_log(parser *p, const node *n, double base) {
    rsp_fexpr *e = new_fexpr(p, n), *top = new_fexpr(p, n), *bottom = new_fexpr(p, n);
    top->op = RSP_F_LOG;
    top->left = arithmetic(p, n->left);
    bottom->number = log(base);
    e->op = RSP_F_DIV;
    e->left = top;
    e->right = bottom;
    return e;
}

static void unknown_call(parser *p, const node *n) {
    static const char *const known[] = {"log", "exp", "sqrt", "abs", "I", "factor", "log2", "log10"};
    const char *hint = NULL, *near = rsp_suggest(n->name, known, sizeof known / sizeof *known);
    if (!strcmp(n->name, "poly")) hint = "write the powers, as x + I(x^2)";
    else if (!strcmp(n->name, "as.factor")) hint = "write factor()";
    else if (near) hint = rsp_printf(p->arena, "did you mean '%s'?", near);
    else hint = "formulas take log, log2, log10, exp, sqrt, abs, I and factor; else derive a variable";
    RSP_FAULT(&p->faults, n->at, hint, "function '%s()' is not supported in formulas", n->name);
}

static rsp_fexpr *call(parser *p, const node *n) {
    static const struct {
        const char *name;
        int op;
    } calls[] = {
        {"log", RSP_F_LOG}, {"exp", RSP_F_EXP}, {"sqrt", RSP_F_SQRT}, {"abs", RSP_F_ABS}, {"factor", RSP_F_FACTOR},
    };
    if (!strcmp(n->name, "I")) return arithmetic(p, n->left);
    if (!strcmp(n->name, "log2")) return scaled_log(p, n, 2);
    if (!strcmp(n->name, "log10")) return scaled_log(p, n, 10);
    rsp_fexpr *e = new_fexpr(p, n);
    for (size_t k = 0; k < sizeof calls / sizeof *calls; k++) {
        if (strcmp(n->name, calls[k].name)) continue;
        e->op = calls[k].op;
        if (e->op == RSP_F_FACTOR && n->left->kind != N_NAME && n->left->kind != N_BAD)
            RSP_FAULT(&p->faults, n->at, "derive a variable by cut instead", "factor() takes a variable");
        e->left = arithmetic(p, n->left);
        if (e->left->op == RSP_F_FACTOR)
            RSP_FAULT(&p->faults, n->left->at, NULL, "factor() cannot stand inside %s()", n->name);
        return e;
    }
    unknown_call(p, n);
    arithmetic(p, n->left);
    return e;
}

static rsp_fexpr *two_sides(parser *p, const node *n, int op) {
    rsp_fexpr *e = new_fexpr(p, n);
    e->op = op;
    e->left = arithmetic(p, n->left);
    e->right = arithmetic(p, n->right);
    return e;
}

static rsp_fexpr *variable(parser *p, const node *n) {
    rsp_fexpr *e = new_fexpr(p, n);
    e->op = RSP_F_VARIABLE;
    e->name = e->text = n->name;
    return e;
}

static rsp_fexpr *sign(parser *p, const node *n) {
    rsp_fexpr *e = arithmetic(p, n->left);
    if (*n->name != '-') return e;
    rsp_fexpr *minus = new_fexpr(p, n);
    minus->op = RSP_F_NEG;
    minus->left = e;
    return minus;
}

static rsp_fexpr *arithmetic(parser *p, const node *n) {
    rsp_fexpr *e = NULL;
    switch (n->kind) {
    case N_NAME: return variable(p, n);
    case N_NUMBER:
        e = new_fexpr(p, n);
        e->number = n->number;
        return e;
    case N_SIGN: return sign(p, n);
    case N_PAREN: return arithmetic(p, n->left);
    case N_CALL: return call(p, n);
    case N_PLUS: return two_sides(p, n, RSP_F_ADD);
    case N_MINUS: return two_sides(p, n, RSP_F_SUB);
    case N_TIMES: return two_sides(p, n, RSP_F_MUL);
    case N_SLASH: return two_sides(p, n, RSP_F_DIV);
    case N_POWER: return two_sides(p, n, RSP_F_POW);
    case N_BAD:
    case N_END: break;
    case N_DOT: RSP_FAULT(&p->faults, n->at, NULL, "'.' stands for variables, not inside arithmetic"); break;
    default: RSP_FAULT(&p->faults, n->at, NULL, "'%s' is not arithmetic", deparse(p, n)); break;
    }
    return new_fexpr(p, n);
}

/* ---- terms ------------------------------------------------------------------------------------------------------ */

static bool same(const set *a, const set *b) { return !memcmp(a, b, sizeof *a); }

static set joined(const set *a, const set *b) {
    set c;
    for (size_t k = 0; k < WORDS; k++) c.bits[k] = a->bits[k] | b->bits[k];
    return c;
}

static set all_of(const sets *s) {
    set c = {{0}};
    for (size_t k = 0; k < s->n; k++) c = joined(&c, &s->v[k]);
    return c;
}

static size_t order_of(const set *s) {
    size_t n = 0;
    for (size_t k = 0; k < WORDS; k++) n += (size_t) __builtin_popcountll(s->bits[k]);
    return n;
}

static void free_sets(sets *s) {
    rsp_map_free(s->known);
    free(s->v);
    *s = (sets){0};
}

/* Powers of sums ask this for products of thousands of terms with each other. */
static bool contains(sets *s, const set *one) {
    enum { FEW = 32 };
    for (size_t k = 0; s->n <= FEW && k < s->n; k++)
        if (same(&s->v[k], one)) return true;
    if (s->n <= FEW) return false;
    if (!s->known) {
        s->known = rsp_map_new();
        for (size_t k = 0; k < s->n; k++) rsp_map_put_n(s->known, (const char *) &s->v[k], sizeof *s->v, k);
    }
    return rsp_map_get_n(s->known, (const char *) one, sizeof *one) != RSP_NONE;
}

static void add_set(parser *p, sets *s, const set *one, size_t at) {
    if (contains(s, one)) return;
    if (s->n >= RSP_MOST_FORMULA_TERMS) {
        give_up(p, at, "formula has more than %d terms", RSP_MOST_FORMULA_TERMS);
        return;
    }
    if (s->known) rsp_map_put_n(s->known, (const char *) one, sizeof *one, s->n);
    RSP_PUSH(s->v, s->n, s->room, *one);
}

static void add_sets(parser *p, sets *into, const sets *from, size_t at) {
    for (size_t k = 0; k < from->n && !p->faults.over; k++) add_set(p, into, &from->v[k], at);
}

static void remove_sets(sets *from, sets *what) {
    size_t kept = 0;
    for (size_t k = 0; k < from->n; k++)
        if (!contains(what, &from->v[k])) from->v[kept++] = from->v[k];
    from->n = kept;
    rsp_map_free(from->known);
    from->known = NULL;
}

static sets crossed(parser *p, const sets *a, const sets *b, size_t at) {
    sets c = {0};
    for (size_t k = 0; k < a->n; k++)
        for (size_t j = 0; j < b->n && !p->faults.over; j++) {
            set one = joined(&a->v[k], &b->v[j]);
            add_set(p, &c, &one, at);
        }
    return c;
}

/* Each term of a together with everything in b. */
static sets within(parser *p, const sets *a, const sets *b, size_t at) {
    set all = all_of(b);
    sets c = {0};
    for (size_t k = 0; k < a->n && !p->faults.over; k++) {
        set one = joined(&a->v[k], &all);
        add_set(p, &c, &one, at);
    }
    return c;
}

static size_t factor_index(parser *p, const node *n) {
    rsp_formula *f = p->formula;
    const char *text = deparse(p, n);
    for (size_t k = 0; k < f->n_factors; k++)
        if (!strcmp(f->factors[k]->text, text)) return k;
    rsp_fexpr *e = arithmetic(p, n);
    e->text = text; /* of the whole: I(x) is arithmetic on x alone, but prints with its I */
    if (f->n_factors >= RSP_MOST_FORMULA_VARIABLES) {
        give_up(p, n->at, "formula has more than %d variables", RSP_MOST_FORMULA_VARIABLES);
        return 0;
    }
    if (f->response && f->response->text && !strcmp(f->response->text, e->text))
        RSP_FAULT(&p->faults, n->at, NULL, "'%s' stands on both sides of the formula", e->text);
    RSP_PUSH(f->factors, f->n_factors, p->factor_room, e);
    return f->n_factors - 1;
}

static sets encode(parser *p, const node *n, bool positive, bool *intercept);

static sets one_factor(parser *p, const node *n) {
    sets s = {0};
    set one = {{0}};
    size_t k = factor_index(p, n);
    one.bits[k / 64] |= UINT64_C(1) << (k % 64);
    add_set(p, &s, &one, n->at);
    return s;
}

static void encode_number(parser *p, const node *n, bool positive, bool *intercept) {
    if (n->number == 0 || n->number == 1) *intercept = (n->number == 1) == positive;
    else
        RSP_FAULT(&p->faults, n->at, "arithmetic stands in I(), as I(2 * x)",
                  "only 0 and 1 stand as numbers among the terms");
}

static sets encode_power(parser *p, const node *n, bool positive, bool *intercept) {
    sets base = encode(p, n->left, positive, intercept);
    double times = n->right->kind == N_NUMBER ? n->right->number : NAN;
    if (!(times >= 1 && times <= 20 && times == floor(times))) {
        RSP_FAULT(&p->faults, n->right->at, "a power of a variable is I(x^2)",
                  "the power of terms is a whole number from 1 to 20");
        return base;
    }
    sets all = {0};
    add_sets(p, &all, &base, n->at);
    for (int k = 1; k < (int) times && !p->faults.over; k++) {
        size_t before = all.n;
        sets more = crossed(p, &all, &base, n->at);
        free_sets(&all);
        all = more;
        if (all.n == before) break; /* every combination is there */
    }
    free_sets(&base);
    return all;
}

/* a*b, a:b, a/b, a %in% b. */
static sets encode_product(parser *p, const node *n, bool positive, bool *intercept) {
    sets a = encode(p, n->left, positive, intercept), b = encode(p, n->right, positive, intercept);
    sets c = {0}, more;
    if (n->kind == N_TIMES || n->kind == N_SLASH) add_sets(p, &c, &a, n->at);
    if (n->kind == N_TIMES) add_sets(p, &c, &b, n->at);
    if (n->kind == N_SLASH) more = within(p, &b, &a, n->at);
    else if (n->kind == N_IN) more = within(p, &a, &b, n->at);
    else more = crossed(p, &a, &b, n->at);
    add_sets(p, &c, &more, n->at);
    free_sets(&more);
    free_sets(&a);
    free_sets(&b);
    return c;
}

static sets encode_minus(parser *p, sets a, const node *what, bool positive, bool *intercept) {
    if (what->kind == N_PAREN && what->left && (what->left->kind == N_BAR || what->left->kind == N_BARS))
        RSP_FAULT(&p->faults, what->at, NULL, "a random part cannot be taken away");
    sets b = encode(p, what, !positive, intercept);
    remove_sets(&a, &b);
    free_sets(&b);
    return a;
}

static bool is_bar(const node *n) { return n && (n->kind == N_BAR || n->kind == N_BARS); }

static sets encode(parser *p, const node *n, bool positive, bool *intercept) {
    sets a = {0};
    if (p->faults.over) return a;
    switch (n->kind) {
    case N_NUMBER: encode_number(p, n, positive, intercept); return a;
    case N_NAME:
    case N_CALL: return one_factor(p, n);
    case N_PLUS: {
        a = encode(p, n->left, positive, intercept);
        sets b = encode(p, n->right, positive, intercept);
        add_sets(p, &a, &b, n->at);
        free_sets(&b);
        return a;
    }
    case N_MINUS: return encode_minus(p, encode(p, n->left, positive, intercept), n->right, positive, intercept);
    case N_SIGN:
        if (*n->name == '-') return encode_minus(p, a, n->left, positive, intercept);
        return encode(p, n->left, positive, intercept);
    case N_PAREN:
        if (!is_bar(n->left)) return encode(p, n->left, positive, intercept);
        RSP_FAULT(&p->faults, n->at, "add it with +", "a random part cannot be combined with other terms");
        return a;
    case N_POWER: return encode_power(p, n, positive, intercept);
    case N_TIMES:
    case N_COLON:
    case N_SLASH:
    case N_IN: return encode_product(p, n, positive, intercept);
    case N_DOT: RSP_FAULT(&p->faults, n->at, "list the variables", "'.' can only be added to other terms"); return a;
    case N_BAR:
    case N_BARS: RSP_FAULT(&p->faults, n->at, "put it into brackets: (1 + x | g)", "'|' outside brackets"); return a;
    case N_BAD:
    case N_END: return a;
    default: RSP_FAULT(&p->faults, n->at, NULL, "this cannot stand in a formula"); return a;
    }
}

/* Takes random parts and `.` out of the top-level sum; what remains is handed to encode(). NULL: nothing remains. */
static node *take_special(parser *p, node *n) {
    if (n->kind == N_PLUS || n->kind == N_MINUS) {
        node *left = take_special(p, n->left);
        node *right = n->kind == N_PLUS ? take_special(p, n->right) : n->right;
        if (n->kind == N_MINUS && p->formula->dot && n->right->kind != N_NUMBER)
            RSP_FAULT(&p->faults, n->right->at, "list the variables", "'.' cannot stand for all but some variables");
        if (!left && n->kind == N_MINUS)
            return new_node(p, N_MINUS, n->at, new_node(p, N_BAD, n->at, NULL, NULL), right);
        if (!left || !right) return left ? left : right;
        return new_node(p, n->kind, n->at, left, right);
    }
    if (n->kind == N_PAREN && is_bar(n->left)) {
        RSP_PUSH(p->random, p->n_random, p->random_room, n);
        return NULL;
    }
    if (n->kind == N_DOT) {
        p->formula->dot = true;
        return NULL;
    }
    return n;
}

static rsp_fterm make_term(parser *p, const set *s) {
    rsp_fterm t = {.n = 0};
    t.factor = RSP_ARRAY(p->arena, size_t, order_of(s));
    rsp_buf text = {0};
    for (size_t k = 0; k < p->formula->n_factors; k++) {
        if (!(s->bits[k / 64] >> (k % 64) & 1)) continue;
        if (t.n) rsp_buf_putc(&text, ':');
        rsp_buf_puts(&text, p->formula->factors[k]->text);
        t.factor[t.n++] = k;
    }
    t.text = rsp_strdup(p->arena, text.data ? text.data : "");
    rsp_buf_free(&text);
    return t;
}

/* By order, then appearance. */
static rsp_fterm *make_terms(parser *p, const sets *s, size_t *n) {
    rsp_fterm *terms = RSP_ARRAY(p->arena, rsp_fterm, s->n);
    size_t most = 0, done = 0;
    for (size_t k = 0; k < s->n; k++) {
        size_t order = order_of(&s->v[k]);
        if (order > most) most = order;
    }
    for (size_t order = 1; order <= most; order++)
        for (size_t k = 0; k < s->n; k++)
            if (order_of(&s->v[k]) == order) terms[done++] = make_term(p, &s->v[k]);
    *n = done;
    return terms;
}

/* ---- random parts ----------------------------------------------------------------------------------------------- */

/* Grouping factors: g, g:h, and g/h, which stands for g and g:h. */
static sets encode_groups(parser *p, const node *n) {
    bool ignored = true;
    bool plain = n->kind == N_NAME || n->kind == N_COLON || n->kind == N_SLASH || n->kind == N_PAREN ||
                 (n->kind == N_CALL && !strcmp(n->name, "factor"));
    if (!plain && n->kind != N_BAD && n->kind != N_END)
        RSP_FAULT(&p->faults, n->at, "as in (1 | country) or (1 | country/region)",
                  "groups of a random part are variables");
    return encode(p, n, true, &ignored);
}

static void read_random(parser *p, const node *bracket, size_t *room) {
    rsp_formula *f = p->formula;
    const node *bar = bracket->left;
    if (is_bar(bar->left)) {
        RSP_FAULT(&p->faults, bar->at, NULL, "a second '|' in a random part");
        return;
    }
    rsp_frandom r = {.intercept = true, .correlated = bar->kind == N_BAR, .group = RSP_NONE};
    r.loc = rsp_origin_at(p->faults.origin, p->text, bracket->at);
    sets effects = encode(p, bar->left, true, &r.intercept);
    sets groups = encode_groups(p, bar->right);
    r.terms = make_terms(p, &effects, &r.n_terms);
    if (!r.intercept && !r.n_terms) RSP_FAULT(&p->faults, bracket->at, NULL, "a random part without any effect");
    for (size_t k = 0; k < groups.n; k++) {
        r.group_term = make_term(p, &groups.v[k]);
        r.group = r.group_term.n == 1 ? r.group_term.factor[0] : RSP_NONE;
        RSP_PUSH(f->random, f->n_random, *room, r);
    }
    free_sets(&effects);
    free_sets(&groups);
}

/* ---- whole formula ---------------------------------------------------------------------------------------------- */

static void *into_arena(rsp_arena *a, void *heap, size_t n, size_t size) {
    void *copy = rsp_alloc_array(a, n + 1, size);
    if (n) memcpy(copy, heap, n * size);
    free(heap);
    return copy;
}

static void read_right(parser *p, node *right) {
    rsp_formula *f = p->formula;
    f->intercept = true;
    node *fixed = take_special(p, right);
    sets terms = {0};
    if (fixed) terms = encode(p, fixed, true, &f->intercept);
    size_t room = 0;
    f->n_random = 0;
    f->random = NULL;
    for (size_t k = 0; k < p->n_random && !p->faults.over; k++) read_random(p, p->random[k], &room);
    f->random = into_arena(p->arena, f->random, f->n_random, sizeof *f->random);
    f->terms = make_terms(p, &terms, &f->n_terms);
    free_sets(&terms);
    free(p->random);
    f->factors = into_arena(p->arena, f->factors, f->n_factors, sizeof *f->factors);
}

static void read_response(parser *p, const node *left) {
    p->formula->response = arithmetic(p, left);
    p->formula->response->text = deparse(p, left);
    if (p->formula->response->op == RSP_F_NUMBER && left->kind == N_NUMBER)
        RSP_FAULT(&p->faults, left->at, NULL, "the left side of '~' is a number, not a variable");
}

rsp_formula *rsp_formula_parse(rsp_arena *a, const char *text, const rsp_origin *origin, rsp_diag *d) {
    parser p = {.arena = a, .text = text, .length = strlen(text), .faults = {text, origin, d, .most = MAX_FAULTS}};
    p.formula = RSP_NEW(a, rsp_formula);
    p.formula->text = rsp_strdup(a, text);
    p.formula->loc = rsp_origin_at(origin, text, 0);
    advance(&p);
    if (p.now.kind == N_END) {
        RSP_FAULT(&p.faults, 0, "as in change ~ culture + country", "empty formula");
        return NULL;
    }
    if (p.now.kind == N_TILDE)
        RSP_FAULT(&p.faults, p.now.at, "as in change ~ culture", "formula without a variable before '~'");
    node *left = p.now.kind == N_TILDE ? new_node(&p, N_BAD, 0, NULL, NULL) : parse_level(&p, 0);
    if (p.now.kind != N_TILDE) {
        if (p.now.kind == N_END) RSP_FAULT(&p.faults, 0, "as in change ~ culture + country", "formula without '~'");
        else
            RSP_FAULT(&p.faults, p.now.at, NULL, "expected an operator or '~' before '%.*s'", (int) p.now.length,
                      text + p.now.at);
        return NULL;
    }
    advance(&p);
    node *right = parse_level(&p, 0);
    if (p.now.kind == N_TILDE) RSP_FAULT(&p.faults, p.now.at, NULL, "a second '~' in one formula");
    else if (p.now.kind == N_CLOSE) RSP_FAULT(&p.faults, p.now.at, NULL, "')' without '('");
    else if (p.now.kind != N_END)
        RSP_FAULT(&p.faults, p.now.at, NULL, "expected an operator before '%.*s'", (int) p.now.length, text + p.now.at);
    read_response(&p, left);
    read_right(&p, right);
    return rsp_faults_any(&p.faults) ? NULL : p.formula;
}
