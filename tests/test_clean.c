/* Evaluation of expressions (missing values, codes, choices), derivations, every cleaning rule, and the log, on small
 * studies built in memory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "responsive/clean.h"

/* ---- a study in memory ------------------------------------------------------------------------------------------ */

enum { MAX_VARIABLES = 40, MAX_RULES_HERE = 8 };

typedef struct {
    rsp_study study;
    rsp_variable variables[MAX_VARIABLES];
    rsp_clean_rule rules[MAX_RULES_HERE];
    size_t derived[MAX_VARIABLES];
    rsp_arena *arena;
    rsp_diag *diag;
    rsp_frame *frame;
} world;

static rsp_choice yes_no_choices[] = {
    {.code = "yes", .value = 1}, {.code = "no", .value = 2}, {.code = "dk", .value = 3, .missing = true}};
static const rsp_list yes_no = {"yes_no", 3, yes_no_choices};
static rsp_choice scale_choices[] = {{.code = "1", .value = 1}, {.code = "2", .value = 2},
                                     {.code = "3", .value = 3}, {.code = "4", .value = 4},
                                     {.code = "5", .value = 5}, {.code = "99", .value = 6, .missing = true}};
static const rsp_list scale = {"scale", 6, scale_choices};
static rsp_choice channel_choices[] = {
    {.code = "online", .value = 1}, {.code = "phone", .value = 2}, {.code = "none", .value = 3, .missing = true}};
static const rsp_list channels = {"channels", 3, channel_choices};
static rsp_choice age_choices[] = {
    {.code = "young", .value = 1}, {.code = "middle", .value = 2}, {.code = "old", .value = 3}};
static const rsp_list ages = {"ages", 3, age_choices};
static rsp_choice country_choices[] = {{.code = "PL", .value = 1}, {.code = "FR", .value = 2}};
static const rsp_list countries = {"countries", 2, country_choices};

static world *new_world(void) {
    rsp_arena *a = rsp_arena_new();
    world *w = RSP_NEW(a, world);
    w->arena = a;
    w->diag = rsp_diag_new();
    w->study.variables = w->variables;
    w->study.rules = w->rules;
    w->study.derived = w->derived;
    w->study.arena = a;
    w->study.roles = (rsp_roles){RSP_NONE, RSP_NONE, RSP_NONE, RSP_NONE, RSP_NONE, RSP_NONE, RSP_NONE, RSP_NONE};
    return w;
}

static void free_world(world *w) {
    rsp_frame_free(w->frame);
    rsp_diag_free(w->diag);
    rsp_arena_free(w->arena);
}

static size_t add(world *w, const char *name, rsp_type type, const rsp_list *list) {
    size_t j = w->study.n_variables++;
    assert_true(j < MAX_VARIABLES);
    w->variables[j] =
        (rsp_variable){.name = name, .type = type, .list = list, .part_of = RSP_NONE, .first_part = RSP_NONE};
    w->variables[j].derive.from = RSP_NONE;
    return j;
}

static size_t add_set(world *w, const char *name, rsp_type type, const rsp_list *list) {
    size_t j = add(w, name, type, list);
    w->variables[j].first_part = w->study.n_variables;
    for (size_t k = 0; k < list->n; k++) {
        size_t part = add(w, rsp_printf(w->arena, "%s_%s", name, list->choices[k].code), RSP_INTEGER, NULL);
        w->variables[part].part_of = j;
        w->variables[part].part = k;
    }
    return j;
}

static void bind(rsp_expr *e, void *context) {
    world *w = context;
    for (size_t j = 0; j < w->study.n_variables; j++)
        if (!strcmp(w->variables[j].name, e->text)) e->variable = j;
    if (e->variable == RSP_NONE) fail_msg("no variable '%s'", e->text);
}

static rsp_expr *parse(world *w, const char *text) {
    rsp_origin origin = {{"test", 1, 1}, false, 0};
    rsp_expr *e = rsp_expr_parse(w->arena, text, &origin, w->diag);
    if (!e) fail_msg("%s: %s", text, rsp_diag_at(w->diag, 0)->message);
    rsp_expr_each_variable(e, bind, w);
    return e;
}

static size_t derive(world *w, const char *name, rsp_type type, const rsp_list *list, rsp_derivation d) {
    size_t j = add(w, name, type, list);
    w->variables[j].derive = d;
    w->derived[w->study.n_derived++] = j;
    return j;
}

static size_t derive_by(world *w, const char *name, const rsp_list *list, const char *expr) {
    return derive(w, name, list ? RSP_SELECT_ONE : RSP_DECIMAL, list,
                  (rsp_derivation){.kind = RSP_DERIVE_EXPR, .from = RSP_NONE, .expr = parse(w, expr)});
}

static rsp_clean_rule *rule(world *w, const char *id, rsp_clean_kind kind, rsp_action action) {
    rsp_clean_rule *r = &w->rules[w->study.n_rules++];
    *r = (rsp_clean_rule){.id = id, .kind = kind, .action = action, .minimum = NAN, .low = NAN, .high = NAN};
    return r;
}

static void items(world *w, rsp_clean_rule *r, size_t from, size_t n) {
    size_t *list = RSP_ARRAY(w->arena, size_t, n);
    for (size_t k = 0; k < n; k++) list[k] = from + k;
    r->items = list;
    r->n_items = n;
}

static void start(world *w, size_t n) {
    w->frame = rsp_frame_new(&w->study, n);
    for (size_t i = 0; i < n; i++) w->frame->line[i] = (uint32_t) i + 2;
}

/* One cell from text: a code, a number, "" for a blank. */
static void set(world *w, size_t j, size_t i, const char *text) {
    rsp_column *c = &w->frame->columns[j];
    double x;
    if (!*text) rsp_set_missing(w->frame, j, i, RSP_NA_UNKNOWN);
    else if (c->kind == RSP_COL_CODE) rsp_set_code(c, i, (int) rsp_list_find(c->list, text));
    else if (rsp_parse_double(text, strlen(text), '.', &x)) {
        if (c->kind == RSP_COL_SMALL) c->c8[i] = (int8_t) x;
        else c->number[i] = x;
    }
}

/* A column from words parted by blanks; `-` is a blank cell. */
static void fill(world *w, size_t j, const char *cells) {
    for (size_t i = 0; i < w->frame->n; i++) {
        size_t length = strcspn(cells, " ");
        char *word = rsp_strndup(w->arena, cells, length);
        set(w, j, i, strcmp(word, "-") ? word : "");
        cells += length + (cells[length] == ' ');
    }
}

/* Words by their number in the dictionary. */
static void fill_text(world *w, size_t j, const char **words, size_t n_words, const char *cells) {
    rsp_column *c = &w->frame->columns[j];
    c->words = words;
    c->n_words = n_words;
    for (size_t i = 0; i < w->frame->n; i++) c->text[i] = cells[2 * i] == '-' ? RSP_NA_UNKNOWN : cells[2 * i] - '0';
}

/* A column as words, `-` for missing. */
static const char *column(world *w, size_t j) {
    rsp_buf b = {0};
    char text[64];
    rsp_buf_puts(&b, "");
    for (size_t i = 0; i < w->frame->n; i++) {
        const char *cell = rsp_cell_text(w->frame, j, i, text);
        rsp_buf_printf(&b, "%s%s", i ? " " : "", *cell ? cell : "-");
    }
    const char *copy = rsp_strdup(w->arena, b.data);
    rsp_buf_free(&b);
    return copy;
}

/* ---- evaluation ------------------------------------------------------------------------------------------------- */

/* Value of an expression in row 0 as text: a number, 'text', or `missing`. */
static const char *value(world *w, const char *expr, size_t self) {
    rsp_expr_value v = rsp_eval(w->frame, parse(w, expr), 0, self);
    char number[32];
    if (v.missing) return "missing";
    if (v.text) return rsp_printf(w->arena, "'%s'", v.text);
    rsp_double_text(v.number, number);
    return rsp_strdup(w->arena, number);
}

static void missing_logic(void **state) {
    static const char *const operand[] = {"true()", "false()", "${m}"}; /* m is missing */
    static const char *const and_table[3][3] = {{"1", "0", "missing"}, {"0", "0", "0"}, {"missing", "0", "missing"}};
    static const char *const or_table[3][3] = {{"1", "1", "1"}, {"1", "0", "missing"}, {"1", "missing", "missing"}};
    static const char *const not_table[3] = {"0", "1", "missing"};
    world *w = new_world();
    (void) state;
    add(w, "m", RSP_INTEGER, NULL);
    start(w, 1);
    for (int a = 0; a < 3; a++) {
        for (int b = 0; b < 3; b++) {
            assert_string_equal(value(w, rsp_printf(w->arena, "%s and %s", operand[a], operand[b]), RSP_NONE),
                                and_table[a][b]);
            assert_string_equal(value(w, rsp_printf(w->arena, "%s or %s", operand[a], operand[b]), RSP_NONE),
                                or_table[a][b]);
        }
        assert_string_equal(value(w, rsp_printf(w->arena, "not(%s)", operand[a]), RSP_NONE), not_table[a]);
    }
    free_world(w);
}

static void values(void **state) {
    static const struct {
        const char *expr, *wanted;
    } cases[] = {
        {"1 + 2 * 3 - 4 div 8", "6.5"},
        {"-7 mod 4", "-3"},
        {"1 div 0", "missing"},
        {"5 mod 0", "missing"},
        {"${n} * 2", "14"},
        {"${m} * 0", "missing"},
        {"${m} = ${m}", "missing"},
        {"${n} != 7", "0"},
        {"- - ${n}", "7"},
        /* Codes compare as text with = and !=, by value in order and in sums. */
        {"${yn} = 'yes'", "0"},
        {"${yn} != 'yes'", "1"},
        {"'no' = ${yn}", "1"},
        {"${yn} < 2", "0"},
        {"${yn} <= 2", "1"},
        {"${yn} < 'no'", "0"},
        {"${yn} > 'yes'", "1"},
        {"${yn} + 1", "3"},
        {"${yn}", "'no'"},
        {"${s} = 4", "1"},
        {"${s} = '4'", "1"},
        {"${s} != 5", "1"},
        {"${s} >= 4", "1"},
        {"${yn} = ${yn2}", "1"},
        {"${s} = ${n} - 3", "1"},
        {"2 < ${yn}", "0"},
        {"2 <= ${yn}", "1"},
        {"${yn} < ${s}", "1"},
        {"${dk} < 9", "missing"},
        {"${blank} >= 0", "missing"},
        {"${dk} < 'no'", "missing"},
        {"${yn} < 'dk'", "missing"},
        {"2 < 3", "1"},
        {"3 <= 3", "1"},
        {"3 > ${m}", "missing"},
        /* "Don't know" is missing, unless it is asked for. */
        {"${dk} = 'yes'", "missing"},
        {"${dk} != 'yes'", "missing"},
        {"${dk} = 'dk'", "1"},
        {"${yn} = 'dk'", "0"},
        {"${yn} != 'dk'", "1"},
        {"${blank} = 'dk'", "missing"},
        {"${dk} + 1", "missing"},
        {"${dk} = ${yn}", "missing"},
        {"is-missing(${dk})", "1"},
        {"is-missing(${blank})", "1"},
        {"is-missing(${yn})", "0"},
        {"is-missing(${m})", "1"},
        {"is-missing(${m} + 1)", "1"},
        {"is-missing('x')", "0"},
        {"is-missing(${t})", "0"},
        {"${s99} = 99", "1"},
        {"selected(${dk}, 'yes')", "missing"},
        {"selected(${yn}, 'no')", "1"},
        /* if() looks at the branch taken only. */
        {"if(${n} > 5, 1, ${m})", "1"},
        {"if(${n} < 5, 1, ${m})", "missing"},
        {"if(${m} > 5, 1, 2)", "missing"},
        {"if(${n} > 5, 'high', 'low')", "'high'"},
        {"if(true(), ${yn}, 'x')", "'no'"},
        {"if(false(), 'x', 3)", "3"},
        {"if(${n} > 5, 'high', 'low') = 'high'", "1"},
        {"coalesce(${m}, ${dk}, ${n})", "7"},
        {"coalesce(${blank}, 'none')", "'none'"},
        {"coalesce(${m}, ${m2})", "missing"},
        {"coalesce(${yn}, 'none') != 'none'", "1"},
        /* What is missing is skipped. */
        {"sum(${n}, ${m}, 2)", "9"},
        {"mean(${n}, ${m}, 2)", "4.5"},
        {"min(${n}, ${m}, 2)", "2"},
        {"max(${n}, ${m}, 2)", "7"},
        {"sum(${m})", "missing"},
        {"mean(${m}, ${m2})", "missing"},
        {"count-valid(${n}, ${m}, ${dk}, ${yn}, ${t}, ${c})", "4"},
        {"max(-3, -5)", "-3"},
        {"min(${s}, ${dk}, 9)", "4"},
        {"round(2.5)", "3"},
        {"round(-2.5)", "-3"},
        {"round(3.14159, 2)", "3.14"},
        {"round(1234, -2)", "1200"},
        {"round(${m}, 1)", "missing"},
        /* Sets of choices: ticked are online and (in c2) none, whose choice is a "don't know". */
        {"selected(${c}, 'online')", "1"},
        {"selected(${c}, 'phone')", "0"},
        {"count-selected(${c})", "1"},
        {"is-missing(${c})", "0"},
        {"is-missing(${c2})", "1"},
        {"count-selected(${c2})", "missing"},
        {"selected(${c2}, 'none')", "1"},
        {"is-missing(${c3})", "1"},
        {"count-selected(${c3})", "missing"},
        {"selected(${c3}, 'phone')", "missing"},
        {"count-selected(${c4})", "0"},
        {"is-missing(${c4})", "0"},
        {"selected(${r}, 'phone')", "1"},
        {"selected(${r}, 'online')", "0"},
        {"count-selected(${yn})", "1"},
        {"count-selected(${dk})", "missing"},
        /* Texts and dates. */
        {"${t} = 'beta'", "1"},
        {"${t} != 'alpha'", "1"},
        {"${t}", "'beta'"},
        {"${day} = '2024-02-29'", "1"},
        {"${day} < '2024-03-01T00:00'", "1"},
        {"${day} - 86400 = '2024-02-28'", "0"},
        {"${day} >= 'never'", "missing"},
        {". > 6", "1"},
        {". = 7 and ${yn} = 'no'", "1"},
    };
    static const char *words[] = {"alpha", "beta"};
    world *w = new_world();
    (void) state;
    size_t n = add(w, "n", RSP_INTEGER, NULL);
    add(w, "m", RSP_INTEGER, NULL);
    add(w, "m2", RSP_DECIMAL, NULL);
    size_t yn = add(w, "yn", RSP_SELECT_ONE, &yes_no), yn2 = add(w, "yn2", RSP_SELECT_ONE, &yes_no);
    size_t dk = add(w, "dk", RSP_SELECT_ONE, &yes_no);
    add(w, "blank", RSP_SELECT_ONE, &yes_no);
    size_t s = add(w, "s", RSP_SELECT_ONE, &scale), s99 = add(w, "s99", RSP_SELECT_ONE, &scale);
    size_t t = add(w, "t", RSP_TEXT, NULL), day = add(w, "day", RSP_DATE, NULL);
    size_t c = add_set(w, "c", RSP_SELECT_MULTIPLE, &channels), c2 = add_set(w, "c2", RSP_SELECT_MULTIPLE, &channels);
    add_set(w, "c3", RSP_SELECT_MULTIPLE, &channels);
    size_t c4 = add_set(w, "c4", RSP_SELECT_MULTIPLE, &channels), r = add_set(w, "r", RSP_RANK, &channels);
    start(w, 1);
    fill(w, n, "7");
    fill(w, yn, "no");
    fill(w, yn2, "no");
    fill(w, dk, "dk");
    fill(w, s, "4");
    fill(w, s99, "99");
    fill_text(w, t, words, 2, "1");
    fill(w, day, "1709164800"); /* date -u -d 2024-02-29 +%s */
    const size_t sets[] = {c, c2, c4, r};
    const char *ticks[][3] = {{"1", "0", "0"}, {"0", "0", "1"}, {"0", "0", "0"}, {"0", "1", "0"}};
    for (size_t k = 0; k < 4; k++)
        for (size_t part = 0; part < 3; part++) fill(w, sets[k] + 1 + part, ticks[k][part]);
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        const char *got = value(w, cases[k].expr, n);
        if (strcmp(got, cases[k].wanted)) fail_msg("%s is %s, not %s", cases[k].expr, got, cases[k].wanted);
    }
    free_world(w);
}

/* Over many rows, and blocks of them: the same as row by row, whatever the number of threads. */
static void filters(void **state) {
    enum { N = 3 * RSP_BLOCK + 77 };
    world *w = new_world();
    (void) state;
    size_t x = add(w, "x", RSP_INTEGER, NULL), yn = add(w, "yn", RSP_SELECT_ONE, &yes_no);
    start(w, N);
    for (size_t i = 0; i < N; i++) {
        w->frame->columns[x].number[i] = i % 7 ? (double) (i % 100) : NAN;
        rsp_set_code(&w->frame->columns[yn], i, (int) (i % 4) - 1);
    }
    rsp_expr *e = parse(w, "${x} > 50 and ${yn} = 'yes' or ${x} mod 10 = 3 and not(is-missing(${yn}))");
    uint8_t *one = rsp_calloc(N, 1), *two = rsp_calloc(N, 1);
    rsp_threads_set(1);
    rsp_eval_filter(w->frame, e, one);
    rsp_threads_set(2);
    rsp_eval_filter(w->frame, e, two);
    assert_memory_equal(one, two, N);
    size_t taken = 0;
    for (size_t i = 0; i < N; i++) {
        double number = i % 7 ? (double) (i % 100) : NAN;
        int code = (int) (i % 4) - 1;
        bool holds = (number > 50 && code == 0) || (fmod(number, 10) == 3 && (code == 0 || code == 1));
        assert_int_equal(one[i], holds);
        taken += holds;
    }
    assert_true(taken > 100);
    free(one);
    free(two);
    free_world(w);
}

/* As long a chain and as deep a nesting as the parser lets through. */
static void long_expressions(void **state) {
    world *w = new_world();
    rsp_buf chain = {0}, deep = {0};
    (void) state;
    add(w, "x", RSP_INTEGER, NULL);
    start(w, 1);
    fill(w, 0, "1");
    rsp_buf_puts(&chain, "${x}");
    for (int k = 0; k < 2400; k++) rsp_buf_puts(&chain, " + ${x}");
    assert_string_equal(value(w, chain.data, RSP_NONE), "2401");
    for (int k = 0; k < 190; k++) rsp_buf_puts(&deep, "(1 + ");
    rsp_buf_puts(&deep, "${x}");
    for (int k = 0; k < 190; k++) rsp_buf_puts(&deep, ")");
    assert_string_equal(value(w, deep.data, RSP_NONE), "191");
    rsp_buf_free(&chain);
    rsp_buf_free(&deep);
    free_world(w);
}

/* ---- derivations ------------------------------------------------------------------------------------------------ */

static void derivations(void **state) {
    static const double limits[] = {30, 60};
    static const size_t map_from[] = {0, 1}, map_to[] = {2, 0};
    world *w = new_world();
    (void) state;
    size_t age = add(w, "age", RSP_INTEGER, NULL), yn = add(w, "yn", RSP_SELECT_ONE, &yes_no);
    size_t s1 = add(w, "s1", RSP_SELECT_ONE, &scale);
    size_t s2 = add(w, "s2", RSP_SELECT_ONE, &scale), s3 = add(w, "s3", RSP_SELECT_ONE, &scale);
    w->variables[s3].reverse = true;
    const size_t three[] = {s1, s2, s3};
    size_t cut = derive(w, "cut", RSP_SELECT_ONE, &ages,
                        (rsp_derivation){.kind = RSP_DERIVE_CUT, .from = age, .n_cut = 2, .cut = limits});
    size_t map = derive(
        w, "map", RSP_SELECT_ONE, &ages,
        (rsp_derivation){.kind = RSP_DERIVE_MAP, .from = yn, .n_map = 2, .map_from = map_from, .map_to = map_to});
    size_t mean = derive(
        w, "mean", RSP_DECIMAL, NULL,
        (rsp_derivation){.kind = RSP_DERIVE_MEAN, .from = RSP_NONE, .n_items = 3, .items = three, .min_valid = 2});
    size_t sum = derive(
        w, "sum", RSP_DECIMAL, NULL,
        (rsp_derivation){.kind = RSP_DERIVE_SUM, .from = RSP_NONE, .n_items = 3, .items = three, .min_valid = 3});
    size_t number = derive_by(w, "number", NULL, "${mean} * 2");
    size_t code = derive_by(w, "code", &ages, "if(${age} < 30, 'young', if(${yn} = 'yes', 'old', 'middle'))");
    size_t digit = derive_by(w, "digit", &scale, "round(${age} div 20)");
    size_t flag = derive_by(w, "flag", NULL, "${yn} = 'yes'");
    size_t fixed = derive_by(w, "fixed", NULL, "42");
    start(w, 5);
    fill(w, age, "29 30 60 59.5 -");
    fill(w, yn, "yes no dk - yes");
    fill(w, s1, "1 5 99 2 3");
    fill(w, s2, "2 5 4 - -");
    fill(w, s3, "1 5 1 2 99");
    rsp_clean_log *log = rsp_clean(w->frame, w->diag);
    assert_string_equal(column(w, cut), "young middle old middle -");
    assert_string_equal(column(w, map), "old young - - old");
    assert_string_equal(column(w, mean), "2.6666666666666665 3.6666666666666665 4.5 3 -"); /* s3 counts as 5 1 5 4 */
    assert_string_equal(column(w, sum), "8 11 - - -");
    assert_string_equal(column(w, number), "5.333333333333333 7.333333333333333 9 6 -");
    assert_string_equal(column(w, code), "young middle - - -");
    assert_string_equal(column(w, digit), "1 2 3 3 -");
    assert_string_equal(column(w, flag), "1 0 - - 1");
    assert_string_equal(column(w, fixed), "42 42 42 42 42");
    assert_int_equal(w->frame->columns[cut].c8[4], RSP_NA_DERIVED);
    assert_int_equal(w->frame->columns[mean].why[4], RSP_NA_DERIVED);
    assert_int_equal(rsp_diag_count(w->diag), 0);
    assert_int_equal(log->rows_kept, 5);
    rsp_clean_log_free(log);
    free_world(w);
}

static void results_without_code_are_reported(void **state) {
    world *w = new_world();
    (void) state;
    size_t n = add(w, "n", RSP_INTEGER, NULL), d = derive_by(w, "d", &scale, "${n} * 2");
    start(w, 3);
    fill(w, n, "1 7 8");
    rsp_clean_log *log = rsp_clean(w->frame, w->diag);
    assert_string_equal(column(w, d), "2 - -");
    assert_int_equal(w->frame->columns[d].c8[1], RSP_NA_INVALID);
    assert_string_equal(rsp_diag_at(w->diag, 0)->message,
                        "2 values of derived variable 'd' are none of its codes and count as missing");
    rsp_clean_log_free(log);
    free_world(w);
}

/* ---- rules ------------------------------------------------------------------------------------------------------ */

/* The log as `row rule action variable` lines, row numbers from 1 as in the file's lines. */
static const char *lines(world *w, const rsp_clean_log *l) {
    rsp_buf b = {0};
    rsp_buf_puts(&b, "");
    for (size_t k = 0; k < l->n; k++)
        rsp_buf_printf(&b, "%s%s %s %s%s%s", k ? "; " : "", l->lines[k].case_name, l->lines[k].rule, l->lines[k].action,
                       *l->lines[k].variable ? " " : "", l->lines[k].variable);
    const char *text = rsp_strdup(w->arena, b.data);
    rsp_buf_free(&b);
    return text;
}

static world *with_id(size_t *id) {
    world *w = new_world();
    *id = add(w, "id", RSP_INTEGER, NULL);
    w->study.roles.id = *id;
    return w;
}

static void drop_sees_derived_values_as_they_stand(void **state) {
    size_t id;
    world *w = with_id(&id);
    (void) state;
    size_t x = add(w, "x", RSP_INTEGER, NULL);
    derive_by(w, "twice", NULL, "coalesce(${x}, 0) * 2");
    rule(w, "too_big", RSP_CLEAN_DROP, RSP_ACTION_DROP)->expr = parse(w, "${twice} > 10");
    rsp_clean_rule *r = rule(w, "nonsense", RSP_CLEAN_SET_MISSING, RSP_ACTION_SET_MISSING);
    r->expr = parse(w, ". = 3");
    items(w, r, x, 1);
    rule(w, "none", RSP_CLEAN_DROP, RSP_ACTION_DROP)->expr = parse(w, "${twice} = 0");
    rule(w, "seen", RSP_CLEAN_DROP, RSP_ACTION_FLAG)->expr = parse(w, "${x} = 2");
    start(w, 5);
    fill(w, id, "1 2 3 4 5");
    fill(w, x, "1 2 3 6 -");
    rsp_clean_log *log = rsp_clean(w->frame, w->diag);
    assert_string_equal(lines(w, log),
                        "4 too_big drop; 3 nonsense set-missing x; 3 none drop; 5 none drop; 2 seen flag");
    assert_string_equal(column(w, id), "1 2");
    assert_int_equal(w->frame->flags[0], 0);
    assert_int_equal(w->frame->flags[1], 1 << 3);
    assert_int_equal(log->rows_read, 5);
    assert_int_equal(log->rows_kept, 2);
    const size_t rows[] = {1, 1, 2, 1}, cells[] = {0, 1, 0, 0};
    for (size_t k = 0; k < 4; k++) {
        assert_int_equal(log->rule_rows[k], rows[k]);
        assert_int_equal(log->rule_cells[k], cells[k]);
    }
    rsp_clean_log_free(log);
    free_world(w);
}

static void duplicates(void **state) {
    static const char *const wanted[] = {"1 2 4 5 6", "1 3 4 5 6", "1 3 4 5 6"};
    (void) state;
    for (int keep = RSP_KEEP_FIRST; keep <= RSP_KEEP_MOST_COMPLETE; keep++) {
        size_t id;
        world *w = with_id(&id);
        size_t who = add(w, "who", RSP_TEXT, NULL), at = add(w, "at", RSP_DATETIME, NULL),
               x = add(w, "x", RSP_INTEGER, NULL);
        static const char *words[] = {"ann", "bob", "cyd"};
        w->study.roles.submitted = at;
        rsp_clean_rule *r = rule(w, "twice", RSP_CLEAN_DUPLICATES, RSP_ACTION_DROP);
        size_t *by = RSP_NEW(w->arena, size_t);
        *by = who;
        r->by = by;
        r->n_by = 1;
        r->keep = keep;
        start(w, 6);
        fill(w, id, "1 2 3 4 5 6");
        fill_text(w, who, words, 3, "0 1 1 2 - -");
        fill(w, at, "10 20 30 40 50 60");
        fill(w, x, "1 - 3 4 5 6");
        rsp_clean_log *log = rsp_clean(w->frame, w->diag);
        assert_string_equal(column(w, id), wanted[keep]);
        assert_int_equal(log->n, 1);
        rsp_clean_log_free(log);
        free_world(w);
    }
}

/* The later answer stays though the frame holds it first; three alike lose two. */
static void duplicates_go_by_time(void **state) {
    size_t id;
    world *w = with_id(&id);
    (void) state;
    size_t at = add(w, "at", RSP_DATETIME, NULL), x = add(w, "x", RSP_INTEGER, NULL);
    w->study.roles.submitted = at;
    rsp_clean_rule *r = rule(w, "twice", RSP_CLEAN_DUPLICATES, RSP_ACTION_DROP);
    r->by = &w->study.roles.id;
    r->n_by = 1;
    r->keep = RSP_KEEP_LAST;
    start(w, 4);
    fill(w, id, "1 1 1 2");
    fill(w, at, "20 30 - 5");
    fill(w, x, "7 8 9 1");
    rsp_clean_log *log = rsp_clean(w->frame, w->diag);
    assert_string_equal(column(w, x), "8 1");
    assert_string_equal(lines(w, log), "1 twice drop; 1 twice drop");
    assert_string_equal(log->lines[0].detail, "same as another row in id; the last stays");
    rsp_clean_log_free(log);
    free_world(w);
}

static void incomplete(void **state) {
    size_t id;
    world *w = with_id(&id);
    (void) state;
    size_t a = add(w, "a", RSP_SELECT_ONE, &yes_no), b = add(w, "b", RSP_INTEGER, NULL);
    size_t c = add_set(w, "c", RSP_SELECT_MULTIPLE, &channels), e = add(w, "e", RSP_SELECT_ONE, &yes_no);
    derive_by(w, "d", NULL, "1");
    w->variables[b].relevant = parse(w, "${a} = 'yes'");
    rule(w, "half", RSP_CLEAN_INCOMPLETE, RSP_ACTION_DROP)->minimum = 0.5;
    start(w, 5);
    fill(w, id, "1 2 3 4 5");
    fill(w, a, "yes no yes dk -");
    fill(w, b, "- - 5 - -");
    for (size_t part = 0; part < 3; part++) fill(w, c + 1 + part, "- - 0 1 -");
    fill(w, e, "- - - - -");
    rsp_clean_log *log = rsp_clean(w->frame, w->diag);
    /* 1: a of a b c e; 2: a of a c e, b was not shown; 3: a b c of four; 4: a ("don't know") and c of a c e; 5: none.
     */
    assert_string_equal(column(w, id), "3 4");
    assert_string_equal(log->lines[0].detail, "1 of 4 questions answered");
    assert_string_equal(log->lines[1].detail, "1 of 3 questions answered");
    assert_string_equal(log->lines[2].detail, "0 of 3 questions answered");
    assert_int_equal(w->frame->columns[b].why[1], RSP_NA_NOT_SHOWN);
    rsp_clean_log_free(log);
    free_world(w);
}

static void speeders(void **state) {
    (void) state;
    for (int with_times = 0; with_times < 2; with_times++) {
        size_t id;
        world *w = with_id(&id);
        size_t country = add(w, "country", RSP_SELECT_ONE, &countries), from = add(w, "from", RSP_DATETIME, NULL);
        size_t to = add(w, "to", RSP_DATETIME, NULL), out = add(w, "out", RSP_INTEGER, NULL);
        w->study.roles.country = country;
        if (with_times) {
            w->study.roles.started = from;
            w->study.roles.submitted = to;
        } else {
            w->study.roles.duration = to;
        }
        rule(w, "out", RSP_CLEAN_DROP, RSP_ACTION_DROP)->expr = parse(w, "${out} = 1");
        rule(w, "fast", RSP_CLEAN_SPEEDERS, RSP_ACTION_DROP)->minimum = 0.5;
        start(w, 9);
        fill(w, id, "1 2 3 4 5 6 7 8 9");
        fill(w, country, "PL PL PL PL FR FR FR PL -");
        fill(w, from, "0 0 0 0 0 0 0 0 0");
        /* PL without the row already out: 10 30 40 -> median 30, limit 15. FR: 10 11 12 -> nobody. */
        fill(w, to, "10 30 40 1 10 11 12 - 1");
        fill(w, out, "0 0 0 1 0 0 0 0 0");
        rsp_clean_log *log = rsp_clean(w->frame, w->diag);
        assert_string_equal(column(w, id), "2 3 5 6 7 8 9");
        assert_string_equal(lines(w, log), "4 out drop; 1 fast drop");
        assert_string_equal(log->lines[1].detail,
                            "faster than 0.5 of the median time in the same country and language");
        rsp_clean_log_free(log);
        free_world(w);
    }
}

static void straightliners(void **state) {
    static const struct {
        rsp_action action;
        const char *left, *said;
    } cases[] = {
        {RSP_ACTION_DROP, "2 3 5", "1 same drop; 4 same drop"},
        {RSP_ACTION_FLAG, "1 2 3 4 5", "1 same flag; 4 same flag"},
        {RSP_ACTION_SET_MISSING, "1 2 3 4 5",
         "1 same set-missing a; 1 same set-missing b; 1 same set-missing c; "
         "4 same set-missing a; 4 same set-missing c"},
    };
    (void) state;
    for (size_t k = 0; k < 3; k++) {
        size_t id;
        world *w = with_id(&id);
        size_t a = add(w, "a", RSP_SELECT_ONE, &scale), b = add(w, "b", RSP_SELECT_ONE, &scale);
        size_t c = add(w, "c", RSP_SELECT_ONE, &scale);
        w->variables[c].reverse = true; /* answers count as given */
        rsp_clean_rule *r = rule(w, "same", RSP_CLEAN_STRAIGHTLINERS, cases[k].action);
        items(w, r, a, 3);
        r->minimum = 2;
        start(w, 5);
        fill(w, id, "1 2 3 4 5");
        fill(w, a, "3 3 3 4 99");
        fill(w, b, "3 3 - - 99");
        fill(w, c, "3 4 - 4 99");
        rsp_clean_log *log = rsp_clean(w->frame, w->diag);
        assert_string_equal(column(w, id), cases[k].left);
        assert_string_equal(lines(w, log), cases[k].said);
        rsp_clean_log_free(log);
        free_world(w);
    }
}

static void outliers(void **state) {
    size_t id;
    world *w = with_id(&id);
    (void) state;
    size_t x = add(w, "x", RSP_DECIMAL, NULL), y = add(w, "y", RSP_DECIMAL, NULL);
    rsp_clean_rule *r = rule(w, "far", RSP_CLEAN_OUTLIERS, RSP_ACTION_SET_MISSING);
    items(w, r, x, 1);
    r->minimum = 1.5;
    rsp_clean_rule *limits = rule(w, "limits", RSP_CLEAN_OUTLIERS, RSP_ACTION_FLAG);
    items(w, limits, y, 1);
    limits->low = 0;
    limits->high = 10;
    start(w, 6);
    fill(w, id, "1 2 3 4 5 6");
    fill(w, x, "1 2 3 4 5 8.6"); /* R: quantile(x, c(.25, .75)) = 2.25 4.75; limit 4.75 + 1.5 * 2.5 = 8.5 */
    fill(w, y, "-1 0 10 11 - 5");
    rsp_clean_log *log = rsp_clean(w->frame, w->diag);
    assert_string_equal(column(w, x), "1 2 3 4 5 -");
    assert_int_equal(w->frame->columns[x].why[5], RSP_NA_SET);
    assert_string_equal(lines(w, log), "6 far set-missing x; 1 limits flag y; 4 limits flag y");
    rsp_clean_log_free(log);
    free_world(w);
}

static void recode(void **state) {
    size_t id;
    world *w = with_id(&id);
    (void) state;
    size_t a = add(w, "a", RSP_SELECT_ONE, &yes_no), d = derive_by(w, "d", NULL, "${a} = 'yes'");
    static rsp_pair pairs[] = {{"yes", "no"}, {"no", "yes"}, {"dk", ""}};
    rsp_clean_rule *r = rule(w, "turned", RSP_CLEAN_RECODE, RSP_ACTION_SET_MISSING);
    items(w, r, a, 1);
    r->recode = pairs;
    r->n_recode = 3;
    start(w, 4);
    fill(w, id, "1 2 3 4");
    fill(w, a, "yes no dk -");
    rsp_clean_log *log = rsp_clean(w->frame, w->diag);
    assert_string_equal(column(w, a), "no yes - -");
    assert_int_equal(w->frame->columns[a].c8[2], RSP_NA_SET);
    assert_int_equal(w->frame->columns[a].c8[3], RSP_NA_UNKNOWN);
    assert_string_equal(column(w, d), "0 1 - -");
    assert_string_equal(lines(w, log), "1 turned recode a; 2 turned recode a; 3 turned recode a");
    rsp_clean_log_free(log);
    free_world(w);
}

static void constraints(void **state) {
    static const struct {
        rsp_action action;
        const char *left, *x, *said;
    } cases[] = {
        {RSP_ACTION_SET_MISSING, "1 2 3", "5 - -", "2 range set-missing x"},
        {RSP_ACTION_DROP, "1 3", "5 -", "2 range drop x"},
        {RSP_ACTION_FLAG, "1 2 3", "5 -5 -", "2 range flag x"},
    };
    (void) state;
    for (size_t k = 0; k < 3; k++) {
        size_t id;
        world *w = with_id(&id);
        size_t x = add(w, "x", RSP_INTEGER, NULL);
        w->variables[x].constraint = parse(w, ". >= 0 and . <= 10");
        rule(w, "range", RSP_CLEAN_CONSTRAINT, cases[k].action);
        start(w, 3);
        fill(w, id, "1 2 3");
        fill(w, x, "5 -5 -");
        rsp_clean_log *log = rsp_clean(w->frame, w->diag);
        assert_string_equal(column(w, id), cases[k].left);
        assert_string_equal(column(w, x), cases[k].x);
        assert_string_equal(lines(w, log), cases[k].said);
        rsp_clean_log_free(log);
        free_world(w);
    }
}

/* Answers go where the condition is false; blanks of questions that were not shown say so without a line. */
static void relevance(void **state) {
    size_t id;
    world *w = with_id(&id);
    (void) state;
    size_t a = add(w, "a", RSP_SELECT_ONE, &yes_no), b = add(w, "b", RSP_SELECT_ONE, &yes_no);
    size_t c = add_set(w, "c", RSP_SELECT_MULTIPLE, &channels), e = add(w, "e", RSP_INTEGER, NULL);
    w->variables[b].relevant = parse(w, "${a} = 'yes'");
    w->variables[c].relevant = parse(w, "${b} = 'yes'");
    w->variables[e].relevant = parse(w, "${a} = 'no'");
    size_t ticks = derive_by(w, "ticks", NULL, "count-selected(${c})");
    rule(w, "not_asked", RSP_CLEAN_RELEVANT, RSP_ACTION_SET_MISSING);
    start(w, 5);
    fill(w, id, "1 2 3 4 5");
    fill(w, a, "yes no no - yes");
    fill(w, b, "yes yes - yes no");
    fill(w, c + 1, "1 1 0 0 0");
    fill(w, c + 2, "0 0 0 0 0");
    fill(w, c + 3, "0 0 0 0 0");
    fill(w, e, "- 4 5 6 -");
    w->frame->columns[e].why[4] = RSP_NA_REFUSED;
    rsp_clean_log *log = rsp_clean(w->frame, w->diag);
    /* 2: b was closed by a = no. Then c's condition is missing: its ticks stay, since nobody can tell. 4: a is blank.
     */
    assert_string_equal(lines(w, log), "2 not_asked set-missing b");
    assert_string_equal(column(w, b), "yes - - yes no");
    assert_int_equal(w->frame->columns[b].c8[1], RSP_NA_NOT_SHOWN);
    assert_int_equal(w->frame->columns[b].c8[2], RSP_NA_NOT_SHOWN);
    assert_string_equal(column(w, e), "- 4 5 6 -");
    assert_int_equal(w->frame->columns[e].why[0], RSP_NA_NOT_SHOWN);
    assert_int_equal(w->frame->columns[e].why[4], RSP_NA_REFUSED);
    assert_string_equal(column(w, c + 1), "1 1 - 0 -"); /* 3, 5: not shown; 4: shown, none chosen */
    assert_int_equal(w->frame->columns[c + 2].c8[4], RSP_NA_NOT_SHOWN);
    assert_string_equal(column(w, ticks), "1 1 - 0 -");
    rsp_clean_log_free(log);
    free_world(w);
}

/* ---- the file --------------------------------------------------------------------------------------------------- */

static void written_log(void **state) {
    static const char *words[] = {"b", "=1+1", "a,\"x\""};
    world *w = new_world();
    (void) state;
    size_t id = add(w, "id", RSP_TEXT, NULL), x = add(w, "x", RSP_INTEGER, NULL), y = add(w, "y", RSP_INTEGER, NULL);
    w->study.roles.id = id;
    rsp_clean_rule *r = rule(w, "bad", RSP_CLEAN_SET_MISSING, RSP_ACTION_SET_MISSING);
    r->expr = parse(w, "${x} = 1");
    static const size_t both[] = {2, 1};
    r->items = both;
    r->n_items = 2;
    rule(w, "all", RSP_CLEAN_DROP, RSP_ACTION_DROP)->expr = parse(w, "true()");
    start(w, 3);
    fill_text(w, id, words, 3, "0 1 2");
    fill(w, x, "1 2 3");
    fill(w, y, "1 2 3");
    rsp_clean_log *log = rsp_clean(w->frame, w->diag);
    char path[] = "/tmp/test_clean_XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    close(fd);
    assert_true(rsp_clean_write(log, path, w->diag));
    rsp_buf b = {0};
    assert_true(rsp_read_file(path, &b, w->diag, RSP_ERR_DATA, RSP_NOWHERE));
    assert_string_equal(b.data, "case,rule,action,variable,detail\r\n"
                                "'=1+1,all,drop,,the rule's condition holds\r\n"
                                "\"a,\"\"x\"\"\",all,drop,,the rule's condition holds\r\n"
                                "b,bad,set-missing,x,the rule's condition holds\r\n"
                                "b,bad,set-missing,y,the rule's condition holds\r\n"
                                "b,all,drop,,the rule's condition holds\r\n");
    assert_int_equal(log->rows_read, 3);
    assert_int_equal(log->rows_kept, 0);
    rsp_buf_free(&b);
    unlink(path);
    rsp_clean_log_free(log);
    free_world(w);
}

static void nobody(void **state) {
    world *w = new_world();
    (void) state;
    size_t x = add(w, "x", RSP_INTEGER, NULL);
    derive_by(w, "d", NULL, "${x} + 1");
    rsp_clean_rule *r = rule(w, "far", RSP_CLEAN_OUTLIERS, RSP_ACTION_DROP);
    items(w, r, x, 1);
    r->minimum = 3;
    rule(w, "half", RSP_CLEAN_INCOMPLETE, RSP_ACTION_DROP)->minimum = 0.5;
    w->study.roles.duration = x;
    rule(w, "fast", RSP_CLEAN_SPEEDERS, RSP_ACTION_DROP)->minimum = 0.5;
    start(w, 0);
    rsp_clean_log *log = rsp_clean(w->frame, w->diag);
    assert_int_equal(log->n, 0);
    rsp_clean_log_free(log);
    free_world(w);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(missing_logic),
        cmocka_unit_test(values),
        cmocka_unit_test(filters),
        cmocka_unit_test(long_expressions),
        cmocka_unit_test(derivations),
        cmocka_unit_test(results_without_code_are_reported),
        cmocka_unit_test(drop_sees_derived_values_as_they_stand),
        cmocka_unit_test(duplicates),
        cmocka_unit_test(duplicates_go_by_time),
        cmocka_unit_test(incomplete),
        cmocka_unit_test(speeders),
        cmocka_unit_test(straightliners),
        cmocka_unit_test(outliers),
        cmocka_unit_test(recode),
        cmocka_unit_test(constraints),
        cmocka_unit_test(relevance),
        cmocka_unit_test(written_log),
        cmocka_unit_test(nobody),
    };
    return cmocka_run_group_tests_name("clean", tests, NULL, NULL);
}
