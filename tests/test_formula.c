/* Model formulas held against R's terms(), random parts, lavaan's syntax, positions of errors, hostile input. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "responsive/formula.h"

static const rsp_origin ORIGIN = {{"study.yaml", 3, 5}, false, 0};

/* Term labels, intercept and response as R 4.2.2 gives them: attr(terms(f), "term.labels"), "intercept", and the
 * deparsed left side. */
static const struct {
    const char *formula, *terms;
    bool intercept;
    const char *response;
} from_r[] = {
    {"y ~ a", "a", true, "y"},
    {"y ~ a + b", "a | b", true, "y"},
    {"y ~ a * b", "a | b | a:b", true, "y"},
    {"y ~ a:b", "a:b", true, "y"},
    {"y ~ b:a + a", "a | b:a", true, "y"},
    {"y ~ (a + b)^2", "a | b | a:b", true, "y"},
    {"y ~ (a + b + c)^2", "a | b | c | a:b | a:c | b:c", true, "y"},
    {"y ~ (a + b + c)^3 - a:b:c", "a | b | c | a:b | a:c | b:c", true, "y"},
    {"y ~ a / b", "a | a:b", true, "y"},
    {"y ~ a / (b + c)", "a | a:b | a:c", true, "y"},
    {"y ~ (a + b) / c", "a | b | a:b:c", true, "y"},
    {"y ~ b %in% a", "b:a", true, "y"},
    {"y ~ a + b %in% a", "a | a:b", true, "y"},
    {"y ~ a * b * c", "a | b | c | a:b | a:c | b:c | a:b:c", true, "y"},
    {"y ~ a * b - a", "b | a:b", true, "y"},
    {"y ~ 0 + a", "a", false, "y"},
    {"y ~ a - 1", "a", false, "y"},
    {"y ~ a + 0 + b", "a | b", false, "y"},
    {"y ~ -1 + a", "a", false, "y"},
    {"y ~ a - 1 + 1", "a", true, "y"},
    {"y ~ 1", "", true, "y"},
    {"y ~ 0", "", false, "y"},
    {"y ~ log(x) + I(x^2)", "log(x) | I(x^2)", true, "y"},
    {"y ~ I(x^2 + 1) * g", "I(x^2 + 1) | g | I(x^2 + 1):g", true, "y"},
    {"log(y) ~ sqrt(x):g + exp(x)", "exp(x) | sqrt(x):g", true, "log(y)"},
    {"y ~ a + a + a:a", "a", true, "y"},
    {"y ~ a:b + b:a + c + a", "c | a | a:b", true, "y"},
    {"y ~ a * b:c", "a | b:c | a:b:c", true, "y"},
    {"y ~ (a + b):(c + d)", "a:c | a:d | b:c | b:d", true, "y"},
    {"y ~ (a * b)^2", "a | b | a:b", true, "y"},
    {"y ~ c:b:a + a + b:a", "a | b:a | c:b:a", true, "y"},
    {"y ~ factor(x) * abs(z)", "factor(x) | abs(z) | factor(x):abs(z)", true, "y"},
    {"y ~ I(2*x) + I(x/3) + I(-x)", "I(2 * x) | I(x/3) | I(-x)", true, "y"},
    {"y ~ a * (b + c:d)", "a | b | c:d | a:b | a:c:d", true, "y"},
    {"y ~ (a / b) * c", "a | c | a:b | a:c | a:b:c", true, "y"},
    {"y ~ a + (b - a)", "a | b", true, "y"},
    {"y ~ (a + b + c) - (a + b)", "c", true, "y"},
    {"y ~ a^2", "a", true, "y"},
    {"y ~ I((a + b) * 2)", "I((a + b) * 2)", true, "y"},
    {"y ~ a %in% b %in% c", "a:b:c", true, "y"},
    {"y ~ a + log(x + 100000) + I(x - 123456.5)", "a | log(x + 1e+05) | I(x - 123456.5)", true, "y"},
    {"y ~ (1 + a + b)^2", "a | b | a:b", true, "y"},
    {"y ~ a:b - 0", "a:b", true, "y"},
    {"y ~ (a + b + c + d)^2 - a:d + d:e", "a | b | c | d | a:b | a:c | b:c | b:d | c:d | d:e", true, "y"},
    {"y ~ a - b + b", "a | b", true, "y"},
    {"y ~ I(x**2)", "I(x^2)", true, "y"},
    {"y ~ a*b %in% c", "a | b:c | a:b:c", true, "y"},
    {"y ~ a - (b + 1)", "a", false, "y"},
    {"y ~ log10(x) + log2(z)", "log10(x) | log2(z)", true, "y"},
    {"y ~ +a", "a", true, "y"},
};

static void show_terms(rsp_buf *b, const rsp_fterm *terms, size_t n) {
    rsp_buf_puts(b, "");
    for (size_t k = 0; k < n; k++) rsp_buf_printf(b, "%s%s", k ? " | " : "", terms[k].text);
}

static void terms_as_in_r(void **state) {
    (void) state;
    for (size_t k = 0; k < sizeof from_r / sizeof *from_r; k++) {
        rsp_arena *a = rsp_arena_new();
        rsp_diag *d = rsp_diag_new();
        rsp_formula *f = rsp_formula_parse(a, from_r[k].formula, &ORIGIN, d);
        rsp_buf b = {0};
        if (!f) fail_msg("%s: %s", from_r[k].formula, rsp_diag_at(d, 0)->message);
        show_terms(&b, f->terms, f->n_terms);
        if (strcmp(b.data, from_r[k].terms)) fail_msg("%s: %s, R: %s", from_r[k].formula, b.data, from_r[k].terms);
        assert_int_equal(f->intercept, from_r[k].intercept);
        assert_string_equal(f->response->text, from_r[k].response);
        for (size_t t = 0; t < f->n_terms; t++)
            for (size_t j = 0; j < f->terms[t].n; j++) assert_true(f->terms[t].factor[j] < f->n_factors);
        rsp_buf_free(&b);
        rsp_diag_free(d);
        rsp_arena_free(a);
    }
}

/* Arithmetic as a prefix expression. */
static void show(rsp_buf *b, const rsp_fexpr *e) {
    static const char *const names[] = {
        [RSP_F_ADD] = "+",     [RSP_F_SUB] = "-",   [RSP_F_MUL] = "*",         [RSP_F_DIV] = "/",
        [RSP_F_POW] = "^",     [RSP_F_NEG] = "neg", [RSP_F_LOG] = "log",       [RSP_F_EXP] = "exp",
        [RSP_F_SQRT] = "sqrt", [RSP_F_ABS] = "abs", [RSP_F_FACTOR] = "factor",
    };
    if (e->op == RSP_F_VARIABLE) rsp_buf_puts(b, e->name);
    else if (e->op == RSP_F_NUMBER) rsp_buf_printf(b, "%g", e->number);
    else {
        rsp_buf_printf(b, "(%s ", names[e->op]);
        show(b, e->left);
        if (e->right) {
            rsp_buf_putc(b, ' ');
            show(b, e->right);
        }
        rsp_buf_putc(b, ')');
    }
}

static void arithmetic(void **state) {
    static const struct {
        const char *formula, *tree;
    } cases[] = {
        {"y ~ x", "x"},
        {"y ~ I(-x^2)", "(neg (^ x 2))"},
        {"y ~ I((a + b) * 2 - c / 3)", "(- (* (+ a b) 2) (/ c 3))"},
        {"y ~ I(a - b - c)", "(- (- a b) c)"},
        {"y ~ log(x + 1)", "(log (+ x 1))"},
        {"y ~ sqrt(abs(exp(x)))", "(sqrt (abs (exp x)))"},
        {"y ~ factor(x)", "(factor x)"},
        {"y ~ I(x^-1)", "(^ x (neg 1))"},
        {"y ~ log2(x)", "(/ (log x) 0.693147)"},
        {"y ~ `odd name`", "odd name"},
        {"y ~ größe.1_x", "größe.1_x"},
    };
    (void) state;
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        rsp_arena *a = rsp_arena_new();
        rsp_diag *d = rsp_diag_new();
        rsp_formula *f = rsp_formula_parse(a, cases[k].formula, &ORIGIN, d);
        rsp_buf b = {0};
        if (!f) fail_msg("%s: %s", cases[k].formula, rsp_diag_at(d, 0)->message);
        show(&b, f->factors[0]);
        assert_string_equal(b.data, cases[k].tree);
        rsp_buf_free(&b);
        rsp_diag_free(d);
        rsp_arena_free(a);
    }
}

static void random_parts(void **state) {
    /* Fixed terms; then for each random part: intercept, terms, correlated, group. */
    static const struct {
        const char *formula, *wanted;
    } cases[] = {
        {"y ~ x + (1 | g)", "x # 1 [] corr g"},
        {"y ~ x + (1 + x | g)", "x # 1 [x] corr g"},
        {"y ~ (x | g) + x", "x # 1 [x] corr g"},
        {"y ~ x + (0 + x || g)", "x # 0 [x] uncorr g"},
        {"y ~ (1 | g/h)", " # 1 [] corr g # 1 [] corr g:h"},
        {"y ~ x * z + (x * z - 1 | g:h) + (1 | k)", "x | z | x:z # 0 [x | z | x:z] corr g:h # 1 [] corr k"},
        {"y ~ (1 | g) + b:a", "b:a # 1 [] corr g"},
        {"y ~ x + (1 | factor(g))", "x # 1 [] corr factor(g)"},
    };
    (void) state;
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        rsp_arena *a = rsp_arena_new();
        rsp_diag *d = rsp_diag_new();
        rsp_formula *f = rsp_formula_parse(a, cases[k].formula, &ORIGIN, d);
        rsp_buf b = {0};
        if (!f) fail_msg("%s: %s", cases[k].formula, rsp_diag_at(d, 0)->message);
        show_terms(&b, f->terms, f->n_terms);
        for (size_t r = 0; r < f->n_random; r++) {
            const rsp_frandom *x = &f->random[r];
            rsp_buf_printf(&b, " # %d [", x->intercept);
            show_terms(&b, x->terms, x->n_terms);
            rsp_buf_printf(&b, "] %s %s", x->correlated ? "corr" : "uncorr", x->group_term.text);
            assert_int_equal(x->group == RSP_NONE, x->group_term.n > 1);
        }
        assert_string_equal(b.data, cases[k].wanted);
        rsp_buf_free(&b);
        rsp_diag_free(d);
        rsp_arena_free(a);
    }
}

static void dot(void **state) {
    rsp_arena *a = rsp_arena_new();
    rsp_diag *d = rsp_diag_new();
    rsp_formula *f = rsp_formula_parse(a, "y ~ . + a:b - 1", &ORIGIN, d);
    (void) state;
    assert_non_null(f);
    assert_true(f->dot);
    assert_false(f->intercept);
    assert_int_equal(f->n_terms, 1);
    rsp_diag_free(d);
    rsp_arena_free(a);
}

static void list_messages(rsp_diag *d, rsp_buf *b) {
    rsp_buf_puts(b, "");
    for (size_t k = 0; k < rsp_diag_count(d); k++) {
        const rsp_diagnostic *x = rsp_diag_at(d, k);
        assert_int_equal(x->class, RSP_ERR_STUDY);
        rsp_buf_printf(b, "%s%d:%d %s", k ? "\n" : "", x->loc.line, x->loc.column, x->message);
        if (x->hint) rsp_buf_printf(b, " (%s)", x->hint);
    }
}

static void formula_errors(void **state) {
    static const struct {
        const char *text, *wanted;
    } cases[] = {
        {" ", "3:5 empty formula (as in change ~ culture + country)"},
        {"y", "3:5 formula without '~' (as in change ~ culture + country)"},
        {"~ x", "3:5 formula without a variable before '~' (as in change ~ culture)"},
        {"y ~", "3:8 formula ends where a variable was expected"},
        {"y ~ x +", "3:12 formula ends where a variable was expected"},
        {"y ~ x ~ z", "3:11 a second '~' in one formula"},
        {"y ~ (x + z", "3:9 '(' is not closed"},
        {"y ~ x)", "3:10 ')' without '('"},
        {"y ~ x z", "3:11 expected an operator before 'z'"},
        {"y ~ lgo(x)", "3:9 function 'lgo()' is not supported in formulas (did you mean 'log'?)"},
        {"y ~ poly(x, 2)", "3:9 function 'poly()' is not supported in formulas (write the powers, as x + I(x^2))\n3:15 "
                           "functions in formulas take one argument"},
        {"y ~ poly(x)", "3:9 function 'poly()' is not supported in formulas (write the powers, as x + I(x^2))"},
        {"y ~ 2 * x", "3:9 only 0 and 1 stand as numbers among the terms (arithmetic stands in I(), as I(2 * x))"},
        {"y ~ x^0.5", "3:11 the power of terms is a whole number from 1 to 20 (a power of a variable is I(x^2))"},
        {"y ~ x + 1 | g", "3:15 '|' outside brackets (put it into brackets: (1 + x | g))"},
        {"y ~ x * (1 | g)", "3:13 a random part cannot be combined with other terms (add it with +)"},
        {"y ~ x - (1 | g)", "3:13 a random part cannot be taken away"},
        {"y ~ (0 | g)", "3:9 a random part without any effect"},
        {"y ~ (1 | 2)", "3:14 groups of a random part are variables (as in (1 | country) or (1 | country/region))"},
        {"y ~ y + x", "3:9 'y' stands on both sides of the formula"},
        {"y ~ . - x", "3:13 '.' cannot stand for all but some variables (list the variables)"},
        {"y ~ a * .", "3:13 '.' can only be added to other terms (list the variables)"},
        {"y ~ ${x}", "3:9 '${' in formula (formulas name variables without ${ })"},
        {"5 ~ x", "3:5 the left side of '~' is a number, not a variable"},
        {"y ~ log(factor(x))", "3:13 factor() cannot stand inside log()"},
        {"y ~ factor(x + 1)", "3:9 factor() takes a variable (derive a variable by cut instead)"},
        {"y ~ I(a:b)", "3:12 'a:b' is not arithmetic"},
        {"y ~ `x", "3:9 a name that starts with ` has no closing `"},
        {"größe ~ lgo(x)", "3:13 function 'lgo()' is not supported in formulas (did you mean 'log'?)"},
    };
    (void) state;
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        rsp_arena *a = rsp_arena_new();
        rsp_diag *d = rsp_diag_new();
        rsp_formula *f = rsp_formula_parse(a, cases[k].text, &ORIGIN, d);
        rsp_buf b = {0};
        list_messages(d, &b);
        assert_null(f);
        if (strcmp(b.data, cases[k].wanted)) fail_msg("'%s':\n%s\nwanted:\n%s", cases[k].text, b.data, cases[k].wanted);
        rsp_buf_free(&b);
        rsp_diag_free(d);
        rsp_arena_free(a);
    }
}

/* ---- lavaan ----------------------------------------------------------------------------------------------------- */

static void show_model(rsp_buf *b, const rsp_lavaan *m) {
    static const char *const ops[] = {
        [RSP_L_LOADING] = "=~",  [RSP_L_REGRESSION] = "~", [RSP_L_COVARIANCE] = "~~", [RSP_L_INTERCEPT] = "~1",
        [RSP_L_THRESHOLD] = "|", [RSP_L_DEFINED] = ":=",   [RSP_L_CONSTRAINT] = "==",
    };
    rsp_buf_puts(b, "");
    for (size_t k = 0; k < m->n; k++) {
        const rsp_lavaan_row *r = &m->rows[k];
        rsp_buf_printf(b, "%s%s%s", k ? "; " : "", r->lhs, ops[r->op]);
        if (r->fixed) rsp_buf_printf(b, "[%g]", r->value);
        if (r->free) rsp_buf_puts(b, "[free]");
        if (r->label) rsp_buf_printf(b, "[%s]", r->label);
        rsp_buf_puts(b, r->rhs);
    }
}

static void lavaan_models(void **state) {
    static const struct {
        const char *text, *wanted;
    } cases[] = {
        {"visual =~ x1 + x2 + x3", "visual=~x1; visual=~x2; visual=~x3"},
        {"f =~ 1*x1 + a*x2 + NA*x3 + -0.5*x4", "f=~[1]x1; f=~[a]x2; f=~[free]x3; f=~[-0.5]x4"},
        {"f =~ x1 + x2\ng =~ x3 + x4", "f=~x1; f=~x2; g=~x3; g=~x4"},
        {"f =~ x1 +\n  x2\n  + x3; f ~~ 1*f", "f=~x1; f=~x2; f=~x3; f~~[1]f"},
        {"# measurement\nf =~ x1 + # first\n x2 ! second\n\n y ~ f", "f=~x1; f=~x2; y~f"},
        {"x1 ~ 1\nx2 ~ 0*1 + z", "x1~11; x2~1[0]1; x2~z"},
        {"x1 + x2 ~~ x3", "x1~~x3; x2~~x3"},
        {"x1 | t1 + t2", "x1|t1; x1|t2"},
        {"y ~ a*x\nm ~ b*x\nab := a * b\na == 2*b # same", "y~[a]x; m~[b]x; ab:=a * b; a==2*b"},
        {"f =~ a*x1 + 1*x1", "f=~[1][a]x1"},
        {"f =~ label(\"a\")*x1", "f=~[a]x1"},
    };
    (void) state;
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        rsp_arena *a = rsp_arena_new();
        rsp_diag *d = rsp_diag_new();
        rsp_lavaan *m = rsp_lavaan_parse(a, cases[k].text, &ORIGIN, d);
        rsp_buf b = {0};
        if (!m) fail_msg("%s: %s", cases[k].text, rsp_diag_at(d, 0)->message);
        show_model(&b, m);
        assert_string_equal(b.data, cases[k].wanted);
        rsp_buf_free(&b);
        rsp_diag_free(d);
        rsp_arena_free(a);
    }
}

static void lavaan_errors(void **state) {
    static const rsp_origin block = {{"study.yaml", 3, 5}, true, 5};
    static const struct {
        const char *text, *wanted;
    } cases[] = {
        {" # nothing\n", "3:5 empty model (write f =~ x1 + x2 + x3)"},
        {"f =~ x1 x2", "3:13 'x2' is not followed by an operator or '+' (write f =~ x1 + x2)"},
        {"f = x1", "3:5 'f' is not followed by an operator or '+' (write f =~ x1 + x2)"},
        {"f =~ x1\nf <~ x2\nf =~ +", "4:7 operator '<~' is not supported (the operators are =~ ~ ~~ ~1 | := ==)\n"
                                     "5:10 expected a variable, found '+'"},
        {"f =~ start(0.5)*x1",
         "3:10 modifier 'start(...)' is not supported (fix it with a number, free it with NA*, name it with a label)"},
        {"f =~ equal(\"f=~x2\")*x1",
         "3:10 modifier 'equal(...)' is not supported (give both parameters the same label)"},
        {"f =~ c(a, b)*x1",
         "3:10 modifier 'c(...)' is not supported (equality over groups is said by the key `equal`)"},
        {"f =~ x1 + x2 + x1", "3:20 'f' with 'x1' stands twice"},
        {"x1 ~~ x2\nx2 ~~ x1", "4:11 'x2' with 'x1' stands twice"},
        {"f =~ 2*a*x1", "3:12 a second modifier of one term (name the variable again, as a*x + 1*x)"},
        {"f =~", "3:9 model ends where a variable was expected"},
        {"1 =~ x", "3:5 expected the name of a factor or variable, found '1'"},
        {"f =~ 5", "3:10 expected a variable, found '5'"},
        {"ab :=\n", "3:5 nothing stands after ':='"},
    };
    (void) state;
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        rsp_arena *a = rsp_arena_new();
        rsp_diag *d = rsp_diag_new();
        rsp_lavaan *m = rsp_lavaan_parse(a, cases[k].text, &block, d);
        rsp_buf b = {0};
        list_messages(d, &b);
        assert_null(m);
        if (strcmp(b.data, cases[k].wanted)) fail_msg("'%s':\n%s\nwanted:\n%s", cases[k].text, b.data, cases[k].wanted);
        rsp_buf_free(&b);
        rsp_diag_free(d);
        rsp_arena_free(a);
    }
}

/* ---- hostile input ---------------------------------------------------------------------------------------------- */

static char *repeated(const char *before, const char *piece, const char *middle, const char *after, size_t count) {
    rsp_buf b = {0};
    rsp_buf_puts(&b, before);
    for (size_t k = 0; k < count; k++) rsp_buf_puts(&b, piece);
    rsp_buf_puts(&b, middle);
    for (size_t k = 0; k < count; k++) rsp_buf_puts(&b, after);
    return b.data;
}

static void assert_refused(char *text, const char *message) {
    rsp_arena *a = rsp_arena_new();
    rsp_diag *d = rsp_diag_new();
    rsp_formula *f = rsp_formula_parse(a, text, &ORIGIN, d);
    assert_true((f == NULL) == (message != NULL));
    if (message) assert_string_equal(rsp_diag_at(d, 0)->message, message);
    rsp_diag_free(d);
    rsp_arena_free(a);
    free(text);
}

static void limits(void **state) {
    (void) state;
    assert_refused(repeated("y ~ ", "(", "x", ")", 150), NULL);
    assert_refused(repeated("y ~ ", "(", "x", ")", 100000), "formula is nested deeper than 200");
    assert_refused(repeated("y ~ ", "log(", "x", ")", 100000), "formula is nested deeper than 200");
    assert_refused(repeated("y ~ ", "x + ", "x", "", 100000), "formula has more than 5000 parts");
    assert_refused(repeated("y ~ ", "-", "x", "", 100000), "two signs in a row");
    assert_refused(repeated("y ~ I(", "x + ", "x)", "", 2000), NULL);
}

static void powers_are_bounded(void **state) {
    rsp_buf b = {0};
    (void) state;
    rsp_buf_puts(&b, "y ~ (x0");
    for (int k = 1; k < 20; k++) rsp_buf_printf(&b, " + x%d", k);
    rsp_buf_puts(&b, ")^20");
    assert_refused(b.data, "formula has more than 4096 terms");
}

static void noise(void **state) {
    static const char *const pieces[] = {
        "x", "y", "~", "+", "-",    "*", ":",  "/",  "^",   "2",  "(",  ")", "|",  "||", "log(", "I(", ".",  "%in%",
        "`", " ", "0", "1", "\xC3", ",", "=~", "~~", "NA*", "a*", "\n", "#", "\"", "==", ":=",   ";",  "c(", "label("};
    rsp_rng r;
    (void) state;
    rsp_rng_init(&r, 20261122, 2);
    for (int round = 0; round < 6000; round++) {
        rsp_buf b = {0};
        rsp_arena *a = rsp_arena_new();
        rsp_diag *d = rsp_diag_new();
        rsp_buf_puts(&b, round % 2 ? "y ~ x" : "");
        for (uint32_t k = rsp_rng_below(&r, 25); k > 0; k--)
            rsp_buf_puts(&b, pieces[rsp_rng_below(&r, sizeof pieces / sizeof *pieces)]);
        bool formula = rsp_formula_parse(a, b.data, &ORIGIN, d) != NULL;
        assert_true(formula == (rsp_diag_errors(d) == 0));
        size_t before = rsp_diag_errors(d);
        bool model = rsp_lavaan_parse(a, b.data, &ORIGIN, d) != NULL;
        assert_true(!model || rsp_diag_errors(d) == before);
        rsp_buf_free(&b);
        rsp_diag_free(d);
        rsp_arena_free(a);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(terms_as_in_r), cmocka_unit_test(arithmetic),     cmocka_unit_test(random_parts),
        cmocka_unit_test(dot),           cmocka_unit_test(formula_errors), cmocka_unit_test(lavaan_models),
        cmocka_unit_test(lavaan_errors), cmocka_unit_test(limits),         cmocka_unit_test(powers_are_bounded),
        cmocka_unit_test(noise),
    };
    return cmocka_run_group_tests_name("formula", tests, NULL, NULL);
}
