/* Parser of lavaan's model syntax (Rosseel 2012, Journal of Statistical Software 48(2)): statements
 * `left operator term + term`, a term being `modifier*name`. Line breaks separate statements only where nothing else
 * would continue them, so a statement goes on over lines after or before a `+`. Definitions (:=) and constraints (==)
 * are arithmetic on labels and reach to the end of their line. */
#include "responsive/formula.h"

#include "responsive/limits.h"
#include "study/faults.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_FAULTS = 20, MAX_LEFT = 200 };

typedef enum {
    T_END,
    T_NAME,
    T_NUMBER,
    T_STRING,
    T_OPERATOR,
    T_PLUS,
    T_TIMES,
    T_OPEN,
    T_CLOSE,
    T_COMMA,
    T_MINUS,
    T_BAD
} token_kind;

typedef struct {
    token_kind kind;
    size_t at, length;
    double number;
    const char *text;
    int op; /* T_OPERATOR */
} token;

typedef struct {
    rsp_arena *arena;
    const char *text;
    size_t length, next;
    rsp_faults faults;
    token now;
    rsp_lavaan_row *rows;
    size_t n, room;
    rsp_map *seen; /* operator, left and right of every row -> its index */
} parser;

/* ---- tokens ----------------------------------------------------------------------------------------------------- */

enum { OP_UNSUPPORTED = -1 };

static const struct {
    const char *sign;
    int op;
} operators[] = {
    {"~*~", OP_UNSUPPORTED}, {"=~", RSP_L_LOADING},  {"<~", OP_UNSUPPORTED}, {"~~", RSP_L_COVARIANCE},
    {"~", RSP_L_REGRESSION}, {"|", RSP_L_THRESHOLD}, {":=", RSP_L_DEFINED},  {"==", RSP_L_CONSTRAINT},
    {"<", OP_UNSUPPORTED},   {">", OP_UNSUPPORTED},  {"%", OP_UNSUPPORTED},
};

static bool is_digit(char c) { return c >= '0' && c <= '9'; }
static bool is_name(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '.' || is_digit(c) || (c & 0x80);
}

/* Blanks, line ends, semicolons and comments (# or ! up to the end of the line). */
static size_t skip(const parser *p, size_t at) {
    for (; at < p->length; at++) {
        char c = p->text[at];
        if (c == '#' || c == '!') at += strcspn(p->text + at, "\n") - 1;
        else if (!strchr(" \t\r\n;", c)) break;
    }
    return at;
}

static token lex_number(const parser *p, size_t at) {
    size_t k = at;
    while (is_digit(p->text[k]) || p->text[k] == '.') k++;
    if ((p->text[k] == 'e' || p->text[k] == 'E') &&
        (is_digit(p->text[k + 1]) || (strchr("+-", p->text[k + 1]) && p->text[k + 1] && is_digit(p->text[k + 2])))) {
        k += 2;
        while (is_digit(p->text[k])) k++;
    }
    token t = {.kind = T_NUMBER, .at = at, .length = k - at};
    if (!rsp_parse_double(p->text + at, k - at, '.', &t.number)) t.kind = T_BAD;
    return t;
}

static token lex_sign(const parser *p, size_t at) {
    static const struct {
        char sign;
        token_kind kind;
    } signs[] = {
        {'+', T_PLUS}, {'*', T_TIMES}, {'(', T_OPEN}, {')', T_CLOSE}, {',', T_COMMA}, {'-', T_MINUS},
    };
    for (size_t k = 0; k < sizeof operators / sizeof *operators; k++) {
        size_t length = strlen(operators[k].sign);
        if (!strncmp(p->text + at, operators[k].sign, length))
            return (token){.kind = T_OPERATOR, .at = at, .length = length, .op = operators[k].op};
    }
    for (size_t k = 0; k < sizeof signs / sizeof *signs; k++)
        if (p->text[at] == signs[k].sign) return (token){.kind = signs[k].kind, .at = at, .length = 1};
    return (token){.kind = T_BAD, .at = at, .length = 1};
}

static token lex(const parser *p, size_t from) {
    size_t at = skip(p, from);
    char c = p->text[at];
    if (at >= p->length) return (token){.kind = T_END, .at = p->length};
    if (is_digit(c) || (c == '.' && is_digit(p->text[at + 1]))) return lex_number(p, at);
    if (c == '"') {
        size_t inside = strcspn(p->text + at + 1, "\"\n");
        bool closed = p->text[at + 1 + inside] == '"';
        return (token){.kind = closed ? T_STRING : T_BAD,
                       .at = at,
                       .length = inside + 1 + closed,
                       .text = rsp_strndup(p->arena, p->text + at + 1, inside)};
    }
    if (!is_name(c)) return lex_sign(p, at);
    size_t end = at;
    while (is_name(p->text[end])) end++;
    return (token){.kind = T_NAME, .at = at, .length = end - at, .text = rsp_strndup(p->arena, p->text + at, end - at)};
}

static void advance(parser *p) {
    p->now = lex(p, p->next);
    p->next = p->now.at + p->now.length;
}

static token peek(const parser *p) { return lex(p, p->next); }

/* After a fault: on with the next line or statement. */
static void next_statement(parser *p) {
    size_t at = p->now.at;
    at += strcspn(p->text + at, "\n;");
    p->next = at;
    advance(p);
}

/* ---- rows ------------------------------------------------------------------------------------------------------- */

/* The same parameter may be named again to give it a second modifier: `a*x1 + 1*x1`. */
static void merge(parser *p, rsp_lavaan_row *old, const rsp_lavaan_row *row, size_t at) {
    bool label = row->label && !old->label, fixed = row->fixed && !old->fixed && !old->free;
    bool freed = row->free && !old->free && !old->fixed;
    if (label) old->label = row->label;
    if (fixed) old->value = row->value;
    old->fixed = old->fixed || fixed;
    old->free = old->free || freed;
    if (!label && !fixed && !freed) RSP_FAULT(&p->faults, at, NULL, "'%s' with '%s' stands twice", row->lhs, row->rhs);
}

static void add_row(parser *p, const rsp_lavaan_row *row, size_t at) {
    if (p->n >= RSP_MOST_PARAMETERS) {
        if (p->n == RSP_MOST_PARAMETERS)
            RSP_FAULT(&p->faults, at, NULL, "model has more than %d parameters", RSP_MOST_PARAMETERS);
        p->next = p->length;
        return;
    }
    const char *a = row->lhs, *b = row->rhs;
    if (row->op == RSP_L_COVARIANCE && strcmp(a, b) > 0) {
        a = row->rhs;
        b = row->lhs;
    }
    char *key = rsp_printf(p->arena, "%d %s\n%s", (int) row->op, a, b);
    size_t old = rsp_map_get(p->seen, key);
    if (old != RSP_NONE) {
        merge(p, &p->rows[old], row, at);
        return;
    }
    rsp_map_put(p->seen, key, p->n);
    RSP_PUSH(p->rows, p->n, p->room, *row);
}

/* ---- terms ------------------------------------------------------------------------------------------------------ */

static void unsupported_modifier(parser *p, const token *t) {
    const char *hint = "fix it with a number, free it with NA*, name it with a label";
    if (!strcmp(t->text, "equal")) hint = "give both parameters the same label";
    if (!strcmp(t->text, "c")) hint = "equality over groups is said by the key `equal`";
    RSP_FAULT(&p->faults, t->at, hint, "modifier '%s(...)' is not supported", t->text);
    int depth = 0;
    do { /* up to its closing bracket */
        advance(p);
        depth += (p->now.kind == T_OPEN) - (p->now.kind == T_CLOSE);
    } while (p->now.kind != T_END && (depth > 0 || p->now.kind != T_CLOSE));
    if (p->now.kind == T_CLOSE) advance(p);
}

/* label("a")* is a label like a*. */
static bool label_call(parser *p, rsp_lavaan_row *row) {
    advance(p);
    advance(p);
    row->label = p->now.text;
    bool good = p->now.kind == T_STRING && peek(p).kind == T_CLOSE;
    if (!good) RSP_FAULT(&p->faults, p->now.at, NULL, "label() takes one name in quotes");
    else advance(p);
    if (good) advance(p);
    return good;
}

/* What stands before the *; the current token is its first. */
static void read_modifier(parser *p, rsp_lavaan_row *row) {
    token t = p->now;
    if (t.kind == T_MINUS || t.kind == T_NUMBER) {
        if (t.kind == T_MINUS) advance(p);
        row->fixed = true;
        row->value = t.kind == T_MINUS ? -p->now.number : p->now.number;
        if (p->now.kind != T_NUMBER) RSP_FAULT(&p->faults, t.at, NULL, "'-' without a number");
        advance(p);
    } else if (peek(p).kind == T_OPEN) {
        if (!strcmp(t.text, "label")) label_call(p, row);
        else unsupported_modifier(p, &t);
    } else {
        if (!strcmp(t.text, "NA")) row->free = true;
        else row->label = t.text;
        advance(p);
    }
}

static bool has_modifier(const parser *p) {
    if (p->now.kind == T_MINUS) return true;
    token after = peek(p);
    if (p->now.kind == T_NUMBER) return after.kind == T_TIMES;
    return p->now.kind == T_NAME && (after.kind == T_TIMES || after.kind == T_OPEN);
}

/* The right side's name, or 1 of an intercept. False after a fault. */
static bool read_name(parser *p, rsp_lavaan_row *row) {
    bool one = p->now.kind == T_NUMBER && (p->now.number == 1 || p->now.number == 0) && row->op == RSP_L_REGRESSION;
    if (one) {
        row->op = RSP_L_INTERCEPT;
        row->rhs = "1";
        if (p->now.number == 0) { /* `x ~ 0` says that there is none */
            row->fixed = true;
            row->value = 0;
        }
    } else if (p->now.kind == T_NAME) {
        row->rhs = p->now.text;
    } else if (p->now.kind == T_END) {
        RSP_FAULT(&p->faults, p->now.at, NULL, "model ends where a variable was expected");
        return false;
    } else {
        RSP_FAULT(&p->faults, p->now.at, NULL, "expected a variable, found '%.*s'", (int) p->now.length,
                  p->text + p->now.at);
        return false;
    }
    advance(p);
    return true;
}

static bool read_term(parser *p, const char *const *left, size_t n_left, int op) {
    rsp_lavaan_row row = {.op = op, .value = NAN};
    while (has_modifier(p)) {
        if (row.fixed || row.free || row.label) {
            RSP_FAULT(&p->faults, p->now.at, "name the variable again, as a*x + 1*x", "a second modifier of one term");
            return false;
        }
        read_modifier(p, &row);
        if (p->now.kind != T_TIMES) {
            RSP_FAULT(&p->faults, p->now.at, NULL, "expected '*' after the modifier");
            return false;
        }
        advance(p);
    }
    size_t at = p->now.at;
    if (!read_name(p, &row)) return false;
    row.loc = rsp_origin_at(p->faults.origin, p->text, at);
    for (size_t k = 0; k < n_left; k++) {
        row.lhs = left[k];
        add_row(p, &row, at);
    }
    return true;
}

/* ---- statements ------------------------------------------------------------------------------------------------- */

/* := and ==: the rest of the line is arithmetic on labels. */
static void read_to_line_end(parser *p, const char *lhs, int op, size_t at) {
    size_t from = p->next + strspn(p->text + p->next, " \t"), length = strcspn(p->text + from, "\n;#!");
    while (length && strchr(" \t\r", p->text[from + length - 1])) length--;
    rsp_lavaan_row row = {.op = op, .value = NAN, .lhs = lhs, .rhs = rsp_strndup(p->arena, p->text + from, length)};
    row.loc = rsp_origin_at(p->faults.origin, p->text, at);
    if (!length) RSP_FAULT(&p->faults, at, NULL, "nothing stands after '%s'", op == RSP_L_DEFINED ? ":=" : "==");
    add_row(p, &row, at);
    p->next = from + length;
    advance(p);
}

/* Names before the operator. 0 after a fault. */
static size_t read_left(parser *p, const char **left) {
    size_t n = 0;
    for (;;) {
        if (p->now.kind != T_NAME || n == MAX_LEFT) {
            if (n == MAX_LEFT)
                RSP_FAULT(&p->faults, p->now.at, NULL, "more than %d names before the operator", MAX_LEFT);
            else
                RSP_FAULT(&p->faults, p->now.at, NULL, "expected the name of a factor or variable, found '%.*s'",
                          (int) p->now.length, p->text + p->now.at);
            return 0;
        }
        left[n++] = p->now.text;
        advance(p);
        if (p->now.kind != T_PLUS) return n;
        advance(p);
    }
}

static void read_statement(parser *p) {
    const char *left[MAX_LEFT];
    size_t at = p->now.at, n_left = read_left(p, left);
    if (!n_left) {
        next_statement(p);
        return;
    }
    if (p->now.kind != T_OPERATOR || p->now.op == OP_UNSUPPORTED) {
        bool end = p->now.kind == T_END;
        if (p->now.kind == T_OPERATOR)
            RSP_FAULT(&p->faults, p->now.at, "the operators are =~ ~ ~~ ~1 | := ==", "operator '%.*s' is not supported",
                      (int) p->now.length, p->text + p->now.at);
        else
            RSP_FAULT(&p->faults, at, "write f =~ x1 + x2", "'%s' is not followed by an operator or '+'",
                      left[n_left - 1]);
        if (!end && p->now.kind == T_OPERATOR) next_statement(p);
        else if (p->now.kind != T_NAME && !end) next_statement(p);
        return;
    }
    int op = p->now.op;
    if (op == RSP_L_DEFINED || op == RSP_L_CONSTRAINT) {
        read_to_line_end(p, left[0], op, at);
        return;
    }
    do {
        advance(p); /* the operator or + */
        if (!read_term(p, left, n_left, op)) {
            next_statement(p);
            return;
        }
    } while (p->now.kind == T_PLUS);
}

rsp_lavaan *rsp_lavaan_parse(rsp_arena *a, const char *text, const rsp_origin *origin, rsp_diag *d) {
    parser p = {.arena = a, .text = text, .length = strlen(text), .faults = {text, origin, d, .most = MAX_FAULTS}};
    p.seen = rsp_map_new();
    advance(&p);
    if (p.now.kind == T_END) RSP_FAULT(&p.faults, 0, "write f =~ x1 + x2 + x3", "empty model");
    while (p.now.kind != T_END && !rsp_faults_full(&p.faults)) read_statement(&p);
    rsp_lavaan *model = RSP_NEW(a, rsp_lavaan);
    model->n = p.n;
    model->rows = RSP_ARRAY(a, rsp_lavaan_row, p.n + 1);
    if (p.n) memcpy(model->rows, p.rows, p.n * sizeof *p.rows);
    free(p.rows);
    rsp_map_free(p.seen);
    return rsp_faults_any(&p.faults) ? NULL : model;
}
