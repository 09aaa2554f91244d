/* The expression parser: precedence, functions, every syntax error with its position and hint, hostile input. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "responsive/expr.h"

static const rsp_origin ORIGIN = {{"study.yaml", 7, 11}, false, 0};

static const char *op_name(rsp_expr_op op) {
    static const char *const names[] = {
        [RSP_X_AND] = "and",
        [RSP_X_OR] = "or",
        [RSP_X_NOT] = "not",
        [RSP_X_EQ] = "=",
        [RSP_X_NE] = "!=",
        [RSP_X_LT] = "<",
        [RSP_X_LE] = "<=",
        [RSP_X_GT] = ">",
        [RSP_X_GE] = ">=",
        [RSP_X_ADD] = "+",
        [RSP_X_SUB] = "-",
        [RSP_X_MUL] = "*",
        [RSP_X_DIV] = "div",
        [RSP_X_MOD] = "mod",
        [RSP_X_NEG] = "neg",
        [RSP_X_IF] = "if",
        [RSP_X_COALESCE] = "coalesce",
        [RSP_X_SELECTED] = "selected",
        [RSP_X_COUNT_SELECTED] = "count-selected",
        [RSP_X_IS_MISSING] = "is-missing",
        [RSP_X_ROUND] = "round",
        [RSP_X_MIN] = "min",
        [RSP_X_MAX] = "max",
        [RSP_X_SUM] = "sum",
        [RSP_X_MEAN] = "mean",
        [RSP_X_COUNT_VALID] = "count-valid",
    };
    return names[op];
}

/* The tree as text: (= x 'a'). */
static void show(rsp_buf *b, const rsp_expr *e) {
    char number[32];
    switch (e->op) {
    case RSP_X_NUMBER:
        rsp_double_text(e->number, number);
        rsp_buf_puts(b, number);
        return;
    case RSP_X_STRING: rsp_buf_printf(b, "'%s'", e->text); return;
    case RSP_X_VARIABLE: rsp_buf_puts(b, e->text); return;
    case RSP_X_SELF: rsp_buf_putc(b, '.'); return;
    default: break;
    }
    rsp_buf_printf(b, "(%s", op_name(e->op));
    for (size_t k = 0; k < e->n_args; k++) {
        rsp_buf_putc(b, ' ');
        show(b, e->args[k]);
    }
    rsp_buf_putc(b, ')');
}

static void trees(void **state) {
    static const struct {
        const char *text, *tree;
    } cases[] = {
        {"1 + 2 * 3", "(+ 1 (* 2 3))"},
        {"(1 + 2) * 3", "(* (+ 1 2) 3)"},
        {"10 - 4 - 3", "(- (- 10 4) 3)"},
        {"12 div 4 div 3", "(div (div 12 4) 3)"},
        {"7 mod 4 * 2", "(* (mod 7 4) 2)"},
        {"-2 * -${x}", "(* (neg 2) (neg x))"},
        {"- - 3", "(neg (neg 3))"},
        {"1 = 2 < 3", "(= 1 (< 2 3))"},
        {"${a} or ${b} and ${c}", "(or a (and b c))"},
        {"(${a} or ${b}) and ${c}", "(and (or a b) c)"},
        {"${a} and ${b} and ${c}", "(and a b c)"},
        {"${a} or ${b} or ${c} or ${d}", "(or a b c d)"},
        {"${age} >= 18 and ${role} = 'manager'", "(and (>= age 18) (= role 'manager'))"},
        {"${a} != \"it's\"", "(!= a 'it's')"},
        {". >= 0 and . <= .5", "(and (>= . 0) (<= . 0.5))"},
        {"selected(${channels}, 'online')", "(selected channels 'online')"},
        {"selected(., 'x')", "(selected . 'x')"},
        {"count-selected(${c})-1", "(- (count-selected c) 1)"},
        {"if(not(${a}), true(), false())", "(if (not a) 1 0)"},
        {"coalesce(${a}, ${b}, 'none')", "(coalesce a b 'none')"},
        {"round(${x} * 100, 2)", "(round (* x 100) 2)"},
        {"mean(${a},${b}) > min(1, 2) + max(3) - sum(4) * count-valid(${a})",
         "(> (mean a b) (- (+ (min 1 2) (max 3)) (* (sum 4) (count-valid a))))"},
        {"is-missing( ${ spaced } )", "(is-missing spaced)"},
        {"${a}\n  and\n\t${b}", "(and a b)"},
        {"1.50 + 2.", "(+ 1.5 2)"},
        {"${größe} = 'groß'", "(= größe 'groß')"},
    };
    (void) state;
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        rsp_arena *a = rsp_arena_new();
        rsp_diag *d = rsp_diag_new();
        rsp_expr *e = rsp_expr_parse(a, cases[k].text, &ORIGIN, d);
        rsp_buf b = {0};
        if (!e) fail_msg("'%s': %s", cases[k].text, rsp_diag_at(d, 0)->message);
        show(&b, e);
        assert_string_equal(b.data, cases[k].tree);
        assert_int_equal(rsp_diag_count(d), 0);
        rsp_buf_free(&b);
        rsp_diag_free(d);
        rsp_arena_free(a);
    }
}

/* All messages as `line:column message (hint)`, one a line. */
static void messages(const char *text, const rsp_origin *origin, rsp_buf *b) {
    rsp_arena *a = rsp_arena_new();
    rsp_diag *d = rsp_diag_new();
    rsp_expr *e = rsp_expr_parse(a, text, origin, d);
    assert_true((e == NULL) == (rsp_diag_errors(d) > 0));
    rsp_buf_puts(b, "");
    for (size_t k = 0; k < rsp_diag_count(d); k++) {
        const rsp_diagnostic *x = rsp_diag_at(d, k);
        assert_int_equal(x->class, RSP_ERR_STUDY);
        rsp_buf_printf(b, "%s%d:%d %s", k ? "\n" : "", x->loc.line, x->loc.column, x->message);
        if (x->hint) rsp_buf_printf(b, " (%s)", x->hint);
    }
    rsp_diag_free(d);
    rsp_arena_free(a);
}

static void errors(void **state) {
    static const struct {
        const char *text, *wanted;
    } cases[] = {
        {"", "7:11 empty expression"},
        {"${a} = ", "7:18 expression ends where a value was expected"},
        {"${a} == 1", "7:16 '==' is not an operator of expressions (write = for equal)"},
        {"${a} && ${b}", "7:16 '&&' is not an operator of expressions (write and)"},
        {"${a} AND ${b}", "7:16 expected an operator before 'AND' (write and in small letters)"},
        {"${a} / 2", "7:16 '/' is not an operator of expressions (write div for division)"},
        {"slected(${a}, 'x')", "7:11 unknown function 'slected' (did you mean 'selected'?)"},
        {"frobnicate(1)", "7:11 unknown function 'frobnicate' (the functions are listed in specs/README.md)"},
        {". <= today()",
         "7:16 'today()' would make results depend on the clock (write the date as text: '2026-01-31')"},
        {"age >= 18", "7:11 unexpected word 'age' (write ${age} for a variable, 'age' for a code or text)"},
        {"if(${a}, 1)", "7:11 if() has 2 arguments, it takes 3"},
        {"coalesce(${a})", "7:11 coalesce() has 1 argument, it takes at least 2"},
        {"round(1, 2, 3)", "7:11 round() has 3 arguments, it takes at most 2"},
        {"selected('x', ${a})",
         "7:11 selected() needs a variable as its first argument (as in selected(${channels}, 'online'))"},
        {"selected(${a}, 3)",
         "7:11 selected() needs a code in quotes as its second argument (as in selected(${channels}, 'online'))"},
        {"(1 + 2", "7:11 '(' is not closed"},
        {"1 + 2)", "7:16 ')' without '('"},
        {"min(1 2)", "7:17 expected ',' or ')' before '2'"},
        {"'abc", "7:11 text that starts with ' has no closing '"},
        {"${a = 1", "7:11 '${' without closing '}'"},
        {"${} = 1", "7:11 '${}' names no variable"},
        {"$a = 1", "7:11 '$' without a name in braces (write ${name})"},
        {"1 < > 2", "7:15 expected a value, found '>'"},
        {"${a} = \xE2\x80\x98x\xE2\x80\x99",
         "7:18 unexpected character '\xE2\x80\x98' in expression (write straight quotes: 'text')"},
        {"${größe} = && 1", "7:22 '&&' is not an operator of expressions (write and)"}, /* characters, not bytes */
        {"1.2.3", "7:14 expected an operator before '.3'"},
        {"3x", "7:11 a number is followed by letters: '3x'"},
        /* Two faults in one text. */
        {"slected(${a}, 'x') and ${b} == 2", "7:11 unknown function 'slected' (did you mean 'selected'?)\n7:39 '==' is "
                                             "not an operator of expressions (write = for equal)"},
        {"min() + roung(2)",
         "7:11 min() has 0 arguments, it takes at least 1\n7:19 unknown function 'roung' (did you mean 'round'?)"},
    };
    (void) state;
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        rsp_buf b = {0};
        messages(cases[k].text, &ORIGIN, &b);
        if (strcmp(b.data, cases[k].wanted)) fail_msg("'%s':\n%s\nwanted:\n%s", cases[k].text, b.data, cases[k].wanted);
        rsp_buf_free(&b);
    }
}

static void block_scalars_advance_lines(void **state) {
    const rsp_origin block = {{"study.yaml", 20, 7}, true, 7};
    rsp_buf b = {0};
    (void) state;
    messages("${a} and\n${b} == 2", &block, &b);
    assert_string_equal(b.data, "21:12 '==' is not an operator of expressions (write = for equal)");
    rsp_buf_free(&b);
}

static void nodes_know_their_place(void **state) {
    rsp_arena *a = rsp_arena_new();
    rsp_diag *d = rsp_diag_new();
    rsp_expr *e = rsp_expr_parse(a, "${a} = 'é' and ${b}", &ORIGIN, d);
    (void) state;
    assert_int_equal(e->loc.column, 11 + 11);
    assert_int_equal(e->args[0]->loc.column, 11 + 5);
    assert_int_equal(e->args[1]->loc.column, 11 + 15);
    assert_int_equal(e->args[1]->variable, RSP_NONE);
    rsp_diag_free(d);
    rsp_arena_free(a);
}

static void count_names(rsp_expr *variable, void *context) {
    rsp_buf *b = context;
    rsp_buf_printf(b, "%s ", variable->text);
}

static void visits_every_variable(void **state) {
    rsp_arena *a = rsp_arena_new();
    rsp_diag *d = rsp_diag_new();
    rsp_buf b = {0};
    (void) state;
    rsp_expr_each_variable(rsp_expr_parse(a, "if(${a} = 1, sum(${b}, ${c}), -${a})", &ORIGIN, d), count_names, &b);
    assert_string_equal(b.data, "a b c a ");
    rsp_buf_free(&b);
    rsp_diag_free(d);
    rsp_arena_free(a);
}

/* `count` times one text, then another, then a third as often. */
static char *repeated(const char *before, const char *middle, const char *after, size_t count) {
    rsp_buf b = {0};
    for (size_t k = 0; k < count; k++) rsp_buf_puts(&b, before);
    rsp_buf_puts(&b, middle);
    for (size_t k = 0; k < count; k++) rsp_buf_puts(&b, after);
    return b.data;
}

static void assert_parses(char *text, bool good, const char *message) {
    rsp_arena *a = rsp_arena_new();
    rsp_diag *d = rsp_diag_new();
    rsp_expr *e = rsp_expr_parse(a, text, &ORIGIN, d);
    assert_true((e != NULL) == good);
    if (message) assert_string_equal(rsp_diag_at(d, 0)->message, message);
    assert_true(rsp_diag_count(d) <= 8);
    rsp_diag_free(d);
    rsp_arena_free(a);
    free(text);
}

static void limits(void **state) {
    (void) state;
    assert_parses(repeated("(", "1", ")", 199), true, NULL);
    assert_parses(repeated("(", "1", ")", 200), false, "expression is nested deeper than 200");
    assert_parses(repeated("(", "1", ")", 1000000), false, "expression is nested deeper than 200");
    assert_parses(repeated("not(", "1", ")", 100000), false, "expression is nested deeper than 200");
    assert_parses(repeated("1+", "1", "", 2000), true, NULL);
    assert_parses(repeated("1+", "1", "", 100000), false, "expression has more than 5000 parts");
    assert_parses(repeated("-", "1", "", 100000), true, NULL);
    assert_parses(repeated("true()and ", "1", "", 100000), false, "expression has more than 5000 parts");
    assert_parses(repeated(") ", "", "", 1000), false, NULL);
    assert_parses(repeated("$", "", "{", 1000), false, NULL);
}

/* Whatever the bytes, the parser ends with a tree or with messages. */
static void noise(void **state) {
    static const char *const pieces[] = {"${a}", "(", ")",    ",",  " and ", " or ", "not(", "selected(", "'x'",
                                         "1",    ".", "-",    "=",  "<",     "if(",  "\"",   "'",         "$",
                                         "{",    "}", "\xC3", "&&", "  ",    "div",  "min"};
    rsp_rng r;
    (void) state;
    rsp_rng_init(&r, 20261122, 1);
    for (int round = 0; round < 3000; round++) {
        rsp_buf b = {0};
        for (uint32_t k = rsp_rng_below(&r, 30); k > 0; k--)
            rsp_buf_puts(&b, pieces[rsp_rng_below(&r, sizeof pieces / sizeof *pieces)]);
        rsp_buf_puts(&b, "");
        rsp_buf said = {0};
        messages(b.data, &ORIGIN, &said); /* asserts: no tree exactly if something was reported */
        rsp_buf_free(&said);
        rsp_buf_free(&b);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(trees),
        cmocka_unit_test(errors),
        cmocka_unit_test(block_scalars_advance_lines),
        cmocka_unit_test(nodes_know_their_place),
        cmocka_unit_test(visits_every_variable),
        cmocka_unit_test(limits),
        cmocka_unit_test(noise),
    };
    return cmocka_run_group_tests_name("expr", tests, NULL, NULL);
}
