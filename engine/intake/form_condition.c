/* Conditions of questions, of three tools' languages, as XLSForm writes them: LimeSurvey's
 * (Q1.NAOK == "Y" and !is_empty(Q2)), REDCap's ([role] = '2' or [serv(3)] = '1') and XLSForm's own. What has no
 * counterpart there makes the whole condition unknown: half a condition would be another one. */
#include "form.h"

#include "responsive/expr.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

typedef enum { T_END, T_NAME, T_TEXT, T_NUMBER, T_COMPARE, T_WORD, T_SIGN, T_BAD } token_kind;

struct token {
    token_kind kind;
    const char *text; /* of T_COMPARE and and/or/not: as XLSForm writes it */
};

struct reader {
    rsp_form_kind kind;
    const char *at;
    rsp_form_resolve resolve;
    void *context;
    rsp_arena *arena;
    rsp_buf out;
    bool bad;
};

/* ---- tokens ----------------------------------------------------------------------------------------------------- */

static const struct {
    const char *sign, *means;
    token_kind kind;
} signs[] = {{"==", "=", T_COMPARE},  {"!=", "!=", T_COMPARE}, {"<>", "!=", T_COMPARE}, {"<=", "<=", T_COMPARE},
             {">=", ">=", T_COMPARE}, {"&&", "and", T_WORD},   {"||", "or", T_WORD},    {"=", "=", T_COMPARE},
             {"<", "<", T_COMPARE},   {">", ">", T_COMPARE},   {"!", "not", T_WORD}};

static const struct {
    const char *word, *means;
    token_kind kind;
} words[] = {{"and", "and", T_WORD},  {"or", "or", T_WORD},    {"not", "not", T_WORD},
             {"eq", "=", T_COMPARE},  {"ne", "!=", T_COMPARE}, {"lt", "<", T_COMPARE},
             {"le", "<=", T_COMPARE}, {"gt", ">", T_COMPARE},  {"ge", ">=", T_COMPARE}};

static struct token between(struct reader *r, const char *close, token_kind kind) {
    const char *end = strstr(r->at, close);
    if (!end) return (struct token){T_BAD, ""};
    struct token t = {kind, rsp_strndup(r->arena, r->at, (size_t) (end - r->at))};
    r->at = end + strlen(close);
    return t;
}

/* LimeSurvey's Q1.NAOK and Q1.value are the answer, Q1.relevanceStatus and others are not. */
static struct token word_token(struct reader *r) {
    const char *from = r->at;
    while (isalnum((unsigned char) *r->at) || *r->at == '_' || *r->at == '-' || *r->at == '.') {
        if (*r->at == '-' && r->kind == RSP_FORM_LIMESURVEY) break;
        r->at++;
    }
    const char *text = rsp_strndup(r->arena, from, (size_t) (r->at - from));
    for (size_t k = 0; k < sizeof words / sizeof *words; k++)
        if (strcasecmp(text, words[k].word) == 0) return (struct token){words[k].kind, words[k].means};
    if (r->kind != RSP_FORM_LIMESURVEY || *r->at == '(') return (struct token){T_WORD, text};
    const char *dot = strchr(text, '.');
    bool answer = !dot || strcmp(dot, ".NAOK") == 0 || strcmp(dot, ".value") == 0 || strcmp(dot, ".code") == 0;
    const char *name = dot ? rsp_strndup(r->arena, text, (size_t) (dot - text)) : text;
    return (struct token){answer ? T_NAME : T_BAD, name};
}

static struct token next_token(struct reader *r) {
    while (isspace((unsigned char) *r->at)) r->at++;
    char c = *r->at;
    if (!c) return (struct token){T_END, ""};
    if (c == '"' || c == '\'') {
        char close[2] = {c, 0};
        r->at++;
        return between(r, close, T_TEXT);
    }
    if (strncmp(r->at, "${", 2) == 0) {
        r->at += 2;
        return between(r, "}", T_NAME);
    }
    if (c == '[' && r->kind == RSP_FORM_REDCAP) {
        r->at++;
        return between(r, "]", T_NAME);
    }
    if (isdigit((unsigned char) c)) {
        const char *from = r->at;
        while (isdigit((unsigned char) *r->at) || *r->at == '.') r->at++;
        return (struct token){T_NUMBER, rsp_strndup(r->arena, from, (size_t) (r->at - from))};
    }
    if (isalpha((unsigned char) c) || c == '_') return word_token(r);
    for (size_t k = 0; k < sizeof signs / sizeof *signs; k++) {
        size_t n = strlen(signs[k].sign);
        if (strncmp(r->at, signs[k].sign, n) != 0) continue;
        r->at += n;
        return (struct token){signs[k].kind, signs[k].means};
    }
    r->at++;
    bool sign = strchr("()+-*,", c) && (r->kind == RSP_FORM_XLSFORM || strchr("()", c));
    return (struct token){sign ? T_SIGN : T_BAD, rsp_strndup(r->arena, &c, 1)};
}

static struct token look_ahead(const struct reader *r) {
    struct reader copy = *r;
    return next_token(&copy);
}

/* ---- what they mean --------------------------------------------------------------------------------------------- */

static bool is_number(const char *text) {
    double x;
    return rsp_parse_double(text, strlen(text), '.', &x);
}

static void put_literal(struct reader *r, const struct token *t, bool ordered) {
    bool number = t->kind == T_NUMBER || (ordered && is_number(t->text));
    if (strchr(t->text, '\'')) r->bad = true;
    rsp_buf_printf(&r->out, number ? "%s" : "'%s'", t->text);
}

/* A choice of a multiple choice, compared with the sign for "chosen" or for "not". */
static void put_part(struct reader *r, const char *item, const char *part, const char *compare, const char *value) {
    static const char *const chosen[] = {"1", "Y", "checked"}, *const not_chosen[] = {"0", "", "N", "unchecked"};
    bool yes = false, no = false;
    for (size_t k = 0; k < 3; k++) yes = yes || strcasecmp(value, chosen[k]) == 0;
    for (size_t k = 0; k < 4; k++) no = no || strcasecmp(value, not_chosen[k]) == 0;
    bool equal = strcmp(compare, "=") == 0;
    if (yes == no || (!equal && strcmp(compare, "!=") != 0)) r->bad = true;
    rsp_buf_printf(&r->out, equal == yes ? "selected(${%s}, '%s')" : "not(selected(${%s}, '%s'))", item, part);
}

static void put_name(struct reader *r, const char *name) {
    const char *part = NULL, *item = r->resolve(r->context, name, &part);
    struct token compare = look_ahead(r);
    if (!item) {
        r->bad = true;
        return;
    }
    if (compare.kind != T_COMPARE) {
        rsp_buf_printf(&r->out, "${%s}", item);
        r->bad = r->bad || part;
        return;
    }
    next_token(r);
    struct token value = look_ahead(r);
    bool literal = value.kind == T_TEXT || value.kind == T_NUMBER;
    if (literal) next_token(r);
    bool equal = strcmp(compare.text, "=") == 0, unequal = strcmp(compare.text, "!=") == 0;
    if (part) {
        put_part(r, item, part, compare.text, literal ? value.text : "?");
    } else if (literal && !*value.text) {
        r->bad = r->bad || !(equal || unequal);
        rsp_buf_printf(&r->out, equal ? "is-missing(${%s})" : "not(is-missing(${%s}))", item);
    } else {
        rsp_buf_printf(&r->out, "${%s} %s ", item, compare.text);
        if (literal) put_literal(r, &value, !equal && !unequal);
    }
}

/* LimeSurvey's is_empty; not without brackets gets them. */
static void put_word(struct reader *r, const char *word) {
    if (strcmp(word, "and") == 0 || strcmp(word, "or") == 0) {
        rsp_buf_printf(&r->out, " %s ", word);
    } else if (strcasecmp(word, "is_empty") == 0) {
        rsp_buf_puts(&r->out, "is-missing");
    } else if (strcmp(word, "not") == 0) {
        struct token t = look_ahead(r);
        bool call = t.kind == T_WORD && strcasecmp(t.text, "is_empty") == 0;
        r->bad = r->bad || !(call || (t.kind == T_SIGN && *t.text == '('));
        rsp_buf_puts(&r->out, call ? "not(is-missing" : "not");
        if (!call) return;
        next_token(r);
        struct token open = next_token(r), name = next_token(r), close = next_token(r);
        const char *part = NULL, *item = name.kind == T_NAME ? r->resolve(r->context, name.text, &part) : NULL;
        r->bad = r->bad || *open.text != '(' || *close.text != ')' || !item || part;
        rsp_buf_printf(&r->out, "(${%s}))", item ? item : "");
    } else if (r->kind == RSP_FORM_XLSFORM) {
        rsp_buf_puts(&r->out, word);
    } else {
        r->bad = true;
    }
}

static bool parses(const char *text, rsp_arena *a) {
    rsp_diag *unsaid = rsp_diag_new();
    rsp_origin origin = {.loc = RSP_NOWHERE};
    bool good = rsp_expr_parse(a, text, &origin, unsaid) && !rsp_diag_errors(unsaid);
    rsp_diag_free(unsaid);
    return good;
}

const char *rsp_form_condition(rsp_form_kind kind, const char *text, rsp_form_resolve resolve, void *context,
                               rsp_arena *a) {
    struct reader r = {.kind = kind, .at = text, .resolve = resolve, .context = context, .arena = a};
    bool any = false;
    for (struct token t = next_token(&r); t.kind != T_END && !r.bad; t = next_token(&r)) {
        any = any || t.kind == T_NAME;
        switch (t.kind) {
        case T_NAME: put_name(&r, t.text); break;
        case T_TEXT:
        case T_NUMBER: put_literal(&r, &t, false); break;
        case T_COMPARE: rsp_buf_printf(&r.out, " %s ", t.text); break;
        case T_WORD: put_word(&r, t.text); break;
        case T_SIGN: rsp_buf_printf(&r.out, *t.text == ',' ? ", " : "%s", t.text); break;
        default: r.bad = true;
        }
    }
    const char *condition = any && !r.bad && parses(r.out.data, a) ? rsp_strdup(a, r.out.data) : NULL;
    rsp_buf_free(&r.out);
    return condition;
}
