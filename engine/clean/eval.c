/* Evaluation of expressions. A tree is compiled once for a frame: codes and words are looked up then, so that rows
 * cost table look-ups and arithmetic only. It runs over chunks of rows, one vector for each part of the expression;
 * both branches of an if() are computed and the taken one is chosen, which is the same since nothing has side effects.
 *
 * Values have two views. As numbers: NaN is missing, truth is 1 or 0, a coded answer is its choice's value, a text the
 * number it spells. As words: an index into the program's pool of texts, so that equal texts are equal numbers.
 *
 * A choice marked missing ("don't know") is a missing operand everywhere, but it can be asked for by its code:
 * ${x} = 'dk' is true for it and false for any other answer. A select_multiple or rank has no single value: it is asked
 * by selected(), count-selected(), is-missing() and count-valid() only (the study loader refuses the rest). */
#include "clean/eval.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { CHUNK = 512, MISSING_TRUTH = -1 };

typedef enum {
    C_NUMBER,
    C_WORD,
    C_COLUMN_CODE,
    C_COLUMN_SMALL,
    C_COLUMN_NUMBER,
    C_COLUMN_TEXT,
    C_PARTS,
    C_NOTHING,
    C_TRUTH_TABLE, /* truth by choice or dictionary number of one column */
    C_PART_CHOSEN,
    C_COUNT_CHOSEN,
    C_PARTS_MISSING,
    C_IS_MISSING,
    C_AND,
    C_OR,
    C_NOT,
    C_EQUAL,
    C_EQUAL_WORDS,
    C_LESS,
    C_LESS_EQUAL,
    C_ADD,
    C_SUB,
    C_MUL,
    C_DIV,
    C_MOD,
    C_NEG,
    C_IF,
    C_COALESCE,
    C_ROUND,
    C_MIN,
    C_MAX,
    C_SUM,
    C_MEAN,
    C_COUNT_VALID
} opcode;

typedef struct instruction instruction;
struct instruction {
    opcode op;
    bool text;   /* may be a word */
    bool negate; /* C_EQUAL, C_EQUAL_WORDS: unequal */
    double number;
    int32_t word;
    const rsp_column *column; /* of C_PARTS and the like: the first part's */
    size_t n_parts;
    const rsp_list *list;
    const double *values; /* by choice or dictionary number */
    const int32_t *words;
    const int8_t *truth;
    int8_t truth_blank;
    size_t n_args;
    instruction **args;
};

struct rsp_program {
    const rsp_frame *frame;
    size_t self;
    rsp_arena *arena;
    rsp_map *pool;
    const char **words;
    double *word_numbers;
    size_t n_words, room;
    instruction *top;
};

/* ---- compilation ------------------------------------------------------------------------------------------------ */

static double text_number(const char *s) {
    double x;
    return rsp_parse_double(s, strlen(s), '.', &x) ? x : NAN;
}

static int32_t intern(rsp_program *p, const char *s) {
    size_t k = rsp_map_get(p->pool, s);
    if (k != RSP_NONE) return (int32_t) k;
    rsp_map_put(p->pool, s, p->n_words);
    RSP_PUSH(p->words, p->n_words, p->room, s);
    return (int32_t) p->n_words - 1;
}

static instruction *new_instruction(rsp_program *p, opcode op) {
    instruction *c = RSP_NEW(p->arena, instruction);
    c->op = op;
    c->number = NAN;
    return c;
}

static instruction *constant(rsp_program *p, double x) {
    instruction *c = new_instruction(p, C_NUMBER);
    c->number = x;
    return c;
}

static void bind_choices(rsp_program *p, instruction *c, const rsp_list *l) {
    double *values = RSP_ARRAY(p->arena, double, l->n + 1);
    int32_t *words = RSP_ARRAY(p->arena, int32_t, l->n + 1);
    for (size_t k = 0; k < l->n; k++) {
        bool missing = l->choices[k].missing;
        values[k] = missing ? NAN : l->choices[k].value;
        words[k] = missing ? RSP_WORD_MISSING : intern(p, l->choices[k].code);
    }
    c->list = l;
    c->values = values;
    c->words = words;
}

static void bind_dictionary(rsp_program *p, instruction *c) {
    size_t n = c->column->n_words;
    double *values = RSP_ARRAY(p->arena, double, n + 1);
    int32_t *words = RSP_ARRAY(p->arena, int32_t, n + 1);
    for (size_t k = 0; k < n; k++) {
        values[k] = text_number(c->column->words[k]);
        words[k] = intern(p, c->column->words[k]);
    }
    c->values = values;
    c->words = words;
}

static instruction *variable(rsp_program *p, size_t j) {
    static const opcode by_kind[] = {[RSP_COL_CODE] = C_COLUMN_CODE,
                                     [RSP_COL_SMALL] = C_COLUMN_SMALL,
                                     [RSP_COL_NUMBER] = C_COLUMN_NUMBER,
                                     [RSP_COL_TEXT] = C_COLUMN_TEXT,
                                     [RSP_COL_NONE] = C_NOTHING};
    if (j >= p->frame->n_columns) return new_instruction(p, C_NOTHING);
    const rsp_column *column = &p->frame->columns[j];
    const rsp_variable *v = &p->frame->study->variables[j];
    instruction *c = new_instruction(p, by_kind[column->kind]);
    c->column = column;
    if (c->op == C_COLUMN_CODE) bind_choices(p, c, column->list);
    if (c->op == C_COLUMN_TEXT) bind_dictionary(p, c);
    if (c->op == C_NOTHING && v->first_part != RSP_NONE) {
        c->op = C_PARTS;
        c->column = &p->frame->columns[v->first_part];
        c->n_parts = v->list->n;
        c->list = v->list;
    }
    c->text = c->op == C_COLUMN_CODE || c->op == C_COLUMN_TEXT;
    return c;
}

static bool is_variable(const rsp_expr *e) { return e->op == RSP_X_VARIABLE || e->op == RSP_X_SELF; }

static size_t variable_of(const rsp_program *p, const rsp_expr *e) {
    return e->op == RSP_X_SELF ? p->self : e->variable;
}

/* Seconds since 1970 of "2026-01-31" or "2026-01-31T12:30[:00]"; NaN if it is none. Days after Hinnant's civil count.
 */
static double date_seconds(const char *s) {
    int y, m, d, h = 0, min = 0, sec = 0, end = 0, more = 0;
    if (sscanf(s, "%4d-%2d-%2d%n", &y, &m, &d, &end) != 3 || !end || m < 1 || m > 12 || d < 1 || d > 31) return NAN;
    if (s[end] == 'T' || s[end] == ' ') {
        if (sscanf(s + end + 1, "%2d:%2d%n", &h, &min, &more) != 2 || !more) return NAN;
        end += 1 + more;
        if (s[end] == ':' && sscanf(s + end, ":%2d%n", &sec, &more) == 1) end += more;
    }
    if (s[end]) return NAN;
    int64_t year = y - (m <= 2), era = (year >= 0 ? year : year - 399) / 400;
    int64_t of_era = year - era * 400, of_year = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1;
    int64_t days = era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
    return (double) (days * 86400 + h * 3600 + min * 60 + sec);
}

/* A literal set against a variable in an ordered comparison, or against a date: the code's value, the date's second. */
static bool literal_number(const rsp_program *p, const rsp_expr *literal, const rsp_expr *other, bool ordered,
                           double *x) {
    if (literal->op != RSP_X_STRING || !is_variable(other)) return false;
    size_t j = variable_of(p, other);
    if (j >= p->frame->n_columns) return false;
    const rsp_column *column = &p->frame->columns[j];
    rsp_type type = p->frame->study->variables[j].type;
    if (column->kind == RSP_COL_CODE && ordered) {
        size_t k = rsp_list_find(column->list, literal->text);
        if (k == RSP_NONE) return false;
        *x = column->list->choices[k].missing ? NAN : column->list->choices[k].value;
        return true;
    }
    if (column->kind != RSP_COL_NUMBER || (type != RSP_DATE && type != RSP_DATETIME)) return false;
    *x = date_seconds(literal->text);
    return true;
}

/* The choice that a literal names: by its code, a number by the code that spells it. */
static size_t find_choice(const rsp_list *l, const rsp_expr *literal) {
    if (literal->op == RSP_X_STRING) return rsp_list_find(l, literal->text);
    for (size_t k = 0; k < l->n; k++)
        if (text_number(l->choices[k].code) == literal->number) return k;
    return RSP_NONE;
}

/* Truth of "the answer is this code" for every choice of the list. */
static const int8_t *choice_truth(rsp_program *p, const rsp_list *l, const rsp_expr *literal, bool negate) {
    int8_t *truth = RSP_ARRAY(p->arena, int8_t, l->n + 1);
    size_t wanted = find_choice(l, literal);
    bool asks_missing = wanted != RSP_NONE && l->choices[wanted].missing;
    for (size_t k = 0; k < l->n; k++)
        truth[k] = l->choices[k].missing && !asks_missing ? MISSING_TRUTH : (int8_t) ((k == wanted) != negate);
    return truth;
}

static const int8_t *word_truth(rsp_program *p, const rsp_column *c, const char *word, bool negate) {
    int8_t *truth = RSP_ARRAY(p->arena, int8_t, c->n_words + 1);
    for (size_t k = 0; k < c->n_words; k++) truth[k] = (int8_t) (!strcmp(c->words[k], word) != negate);
    return truth;
}

/* ${x} = 'code' and ${x} != 'code'; NULL where the operands are not of this form. */
static instruction *compare_literal(rsp_program *p, const rsp_expr *var, const rsp_expr *literal, bool negate) {
    if (!is_variable(var) || (literal->op != RSP_X_STRING && literal->op != RSP_X_NUMBER)) return NULL;
    size_t j = variable_of(p, var);
    if (j >= p->frame->n_columns) return NULL;
    const rsp_column *column = &p->frame->columns[j];
    if (column->kind != RSP_COL_CODE && (column->kind != RSP_COL_TEXT || literal->op == RSP_X_NUMBER)) return NULL;
    instruction *c = new_instruction(p, C_TRUTH_TABLE);
    c->column = column;
    c->truth_blank = MISSING_TRUTH;
    c->truth = column->kind == RSP_COL_CODE ? choice_truth(p, column->list, literal, negate)
                                            : word_truth(p, column, literal->text, negate);
    return c;
}

static instruction *compile(rsp_program *p, const rsp_expr *e);

static instruction *with_args(rsp_program *p, opcode op, const rsp_expr *e) {
    instruction *c = new_instruction(p, op);
    c->n_args = e->n_args;
    c->args = RSP_ARRAY(p->arena, instruction *, e->n_args + 1);
    for (size_t k = 0; k < e->n_args; k++) c->args[k] = compile(p, e->args[k]);
    return c;
}

static instruction *compile_equal(rsp_program *p, const rsp_expr *e) {
    bool negate = e->op == RSP_X_NE;
    instruction *c = compare_literal(p, e->args[0], e->args[1], negate);
    if (!c) c = compare_literal(p, e->args[1], e->args[0], negate);
    if (c) return c;
    c = with_args(p, C_EQUAL, e);
    c->negate = negate;
    for (size_t k = 0; k < 2; k++) {
        double x;
        if (literal_number(p, e->args[k], e->args[1 - k], false, &x)) c->args[k] = constant(p, x);
    }
    if (c->args[0]->text || c->args[1]->text) c->op = C_EQUAL_WORDS;
    return c;
}

static int8_t ordered(opcode op, double a, double b) {
    if (isnan(a) || isnan(b)) return MISSING_TRUTH;
    return op == C_LESS ? a < b : a <= b;
}

/* A coded variable against a number: decided once for every choice. Others stay as they are. */
static instruction *order_table(rsp_program *p, instruction *c) {
    const instruction *a = c->args[0], *b = c->args[1];
    const instruction *coded = a->op == C_COLUMN_CODE ? a : b, *other = coded == a ? b : a;
    if (coded->op != C_COLUMN_CODE || other->op != C_NUMBER) return c;
    int8_t *truth = RSP_ARRAY(p->arena, int8_t, coded->list->n + 1);
    for (size_t k = 0; k < coded->list->n; k++)
        truth[k] = ordered(c->op, coded == a ? coded->values[k] : other->number,
                           coded == a ? other->number : coded->values[k]);
    instruction *t = new_instruction(p, C_TRUTH_TABLE);
    t->column = coded->column;
    t->truth = truth;
    t->truth_blank = MISSING_TRUTH;
    return t;
}

/* a > b is b < a. */
static instruction *compile_order(rsp_program *p, const rsp_expr *e) {
    bool strict = e->op == RSP_X_LT || e->op == RSP_X_GT, swap = e->op == RSP_X_GT || e->op == RSP_X_GE;
    instruction *c = with_args(p, strict ? C_LESS : C_LESS_EQUAL, e);
    for (size_t k = 0; k < 2; k++) {
        double x;
        if (literal_number(p, e->args[k], e->args[1 - k], true, &x)) c->args[k] = constant(p, x);
    }
    if (swap) {
        instruction *first = c->args[0];
        c->args[0] = c->args[1];
        c->args[1] = first;
    }
    return order_table(p, c);
}

static instruction *compile_selected(rsp_program *p, const rsp_expr *e) {
    instruction *what = compile(p, e->args[0]);
    instruction *simple = compare_literal(p, e->args[0], e->args[1], false);
    if (simple) return simple;
    if (what->op != C_PARTS) return new_instruction(p, C_NOTHING);
    size_t k = rsp_list_find(what->list, e->args[1]->text);
    if (k == RSP_NONE) return new_instruction(p, C_NOTHING);
    instruction *c = new_instruction(p, C_PART_CHOSEN);
    c->column = what->column + k;
    return c;
}

static instruction *compile_is_missing(rsp_program *p, const rsp_expr *e) {
    instruction *what = compile(p, e->args[0]);
    if (what->op == C_PARTS) {
        what->op = C_PARTS_MISSING;
        return what;
    }
    instruction *c = new_instruction(p, C_IS_MISSING);
    if (what->op == C_COLUMN_CODE) {
        int8_t *truth = RSP_ARRAY(p->arena, int8_t, what->list->n + 1);
        for (size_t k = 0; k < what->list->n; k++) truth[k] = what->list->choices[k].missing;
        c->op = C_TRUTH_TABLE;
        c->column = what->column;
        c->truth = truth;
        c->truth_blank = 1;
        return c;
    }
    c->n_args = 1;
    c->args = RSP_ARRAY(p->arena, instruction *, 1);
    c->args[0] = what;
    return c;
}

static instruction *compile_count_selected(rsp_program *p, const rsp_expr *e) {
    instruction *what = compile(p, e->args[0]);
    if (what->op == C_PARTS) {
        what->op = C_COUNT_CHOSEN;
        return what;
    }
    /* One answer of one: its value, missing where there is none, as 1. */
    instruction *c = new_instruction(p, what->op == C_COLUMN_CODE ? C_TRUTH_TABLE : C_NOTHING);
    if (c->op == C_NOTHING) return c;
    int8_t *truth = RSP_ARRAY(p->arena, int8_t, what->list->n + 1);
    for (size_t k = 0; k < what->list->n; k++) truth[k] = what->list->choices[k].missing ? MISSING_TRUTH : 1;
    c->column = what->column;
    c->truth = truth;
    c->truth_blank = MISSING_TRUTH;
    return c;
}

static instruction *compile_count_valid(rsp_program *p, const rsp_expr *e) {
    instruction *c = with_args(p, C_COUNT_VALID, e);
    for (size_t k = 0; k < c->n_args; k++)
        if (c->args[k]->op == C_PARTS) c->args[k]->op = C_COUNT_CHOSEN; /* missing where the question is */
    return c;
}

static instruction *compile_branches(rsp_program *p, const rsp_expr *e, opcode op) {
    instruction *c = with_args(p, op, e);
    for (size_t k = op == C_IF; k < c->n_args; k++) c->text = c->text || c->args[k]->text;
    return c;
}

static instruction *compile_string(rsp_program *p, const rsp_expr *e) {
    instruction *c = new_instruction(p, C_WORD);
    c->word = intern(p, e->text);
    c->number = text_number(e->text);
    c->text = true;
    return c;
}

static instruction *compile(rsp_program *p, const rsp_expr *e) {
    switch (e->op) {
    case RSP_X_NUMBER: return constant(p, e->number);
    case RSP_X_STRING: return compile_string(p, e);
    case RSP_X_VARIABLE:
    case RSP_X_SELF: return variable(p, variable_of(p, e));
    case RSP_X_AND: return with_args(p, C_AND, e);
    case RSP_X_OR: return with_args(p, C_OR, e);
    case RSP_X_NOT: return with_args(p, C_NOT, e);
    case RSP_X_EQ:
    case RSP_X_NE: return compile_equal(p, e);
    case RSP_X_LT:
    case RSP_X_LE:
    case RSP_X_GT:
    case RSP_X_GE: return compile_order(p, e);
    case RSP_X_ADD: return with_args(p, C_ADD, e);
    case RSP_X_SUB: return with_args(p, C_SUB, e);
    case RSP_X_MUL: return with_args(p, C_MUL, e);
    case RSP_X_DIV: return with_args(p, C_DIV, e);
    case RSP_X_MOD: return with_args(p, C_MOD, e);
    case RSP_X_NEG: return with_args(p, C_NEG, e);
    case RSP_X_IF: return compile_branches(p, e, C_IF);
    case RSP_X_COALESCE: return compile_branches(p, e, C_COALESCE);
    case RSP_X_SELECTED: return compile_selected(p, e);
    case RSP_X_COUNT_SELECTED: return compile_count_selected(p, e);
    case RSP_X_IS_MISSING: return compile_is_missing(p, e);
    case RSP_X_ROUND: return with_args(p, C_ROUND, e);
    case RSP_X_MIN: return with_args(p, C_MIN, e);
    case RSP_X_MAX: return with_args(p, C_MAX, e);
    case RSP_X_SUM: return with_args(p, C_SUM, e);
    case RSP_X_MEAN: return with_args(p, C_MEAN, e);
    case RSP_X_COUNT_VALID: return compile_count_valid(p, e);
    }
    return new_instruction(p, C_NOTHING);
}

rsp_program *rsp_program_new(const rsp_frame *f, const rsp_expr *e, size_t self) {
    rsp_arena *a = rsp_arena_new();
    rsp_program *p = RSP_NEW(a, rsp_program);
    p->arena = a;
    p->frame = f;
    p->self = self;
    p->pool = rsp_map_new();
    p->top = compile(p, e);
    p->word_numbers = RSP_ARRAY(a, double, p->n_words + 1);
    for (size_t k = 0; k < p->n_words; k++) p->word_numbers[k] = text_number(p->words[k]);
    return p;
}

void rsp_program_free(rsp_program *p) {
    if (!p) return;
    rsp_map_free(p->pool);
    free(p->words);
    rsp_arena_free(p->arena);
}

size_t rsp_program_n_words(const rsp_program *p) { return p->n_words; }
const char *rsp_program_word(const rsp_program *p, size_t k) { return p->words[k]; }

/* ---- running ---------------------------------------------------------------------------------------------------- */

/* Vectors of one thread, used as a stack: the depth of an expression to the right decides how many are needed. */
typedef struct {
    const rsp_program *program;
    size_t row, n; /* the chunk */
    void **vectors;
    size_t made, used, room;
} machine;

static void *borrow(machine *m) {
    if (m->used == m->made) {
        void *v = rsp_malloc(CHUNK * sizeof(double));
        RSP_PUSH(m->vectors, m->made, m->room, v);
    }
    return m->vectors[m->used++];
}

static void give_back(machine *m, size_t count) { m->used -= count; }

static void machine_free(machine *m) {
    for (size_t k = 0; k < m->made; k++) free(m->vectors[k]);
    free(m->vectors);
}

static void numbers(machine *m, const instruction *c, double *out);
static void values(machine *m, const instruction *c, double *out, int32_t *word);

static void read_codes(const machine *m, const rsp_column *column, int *code) {
    size_t from = m->row;
    if (column->kind == RSP_COL_TEXT)
        for (size_t i = 0; i < m->n; i++) code[i] = column->text[from + i];
    else if (column->c8)
        for (size_t i = 0; i < m->n; i++) code[i] = column->c8[from + i];
    else
        for (size_t i = 0; i < m->n; i++) code[i] = column->c16[from + i];
}

static void truth_table(const machine *m, const instruction *c, double *out) {
    static const double as_number[] = {NAN, 0, 1};
    int code[CHUNK];
    read_codes(m, c->column, code);
    for (size_t i = 0; i < m->n; i++) out[i] = as_number[1 + (code[i] < 0 ? c->truth_blank : c->truth[code[i]])];
}

static void column_values(const machine *m, const instruction *c, double *out) {
    int code[CHUNK];
    read_codes(m, c->column, code);
    for (size_t i = 0; i < m->n; i++) out[i] = code[i] < 0 ? NAN : c->values[code[i]];
}

static void part_ticks(const machine *m, const rsp_column *part, double *out) {
    const int8_t *cell = part->c8 + m->row;
    for (size_t i = 0; i < m->n; i++) out[i] = cell[i] < 0 ? NAN : cell[i];
}

static void part_chosen(const machine *m, const instruction *c, double *out) {
    const int8_t *cell = c->column->c8 + m->row;
    for (size_t i = 0; i < m->n; i++) out[i] = cell[i] < 0 ? NAN : cell[i] > 0;
}

/* Ticks of a select_multiple or rank, choices marked missing left out: NaN where no part holds anything, or where only
 * such a choice was ticked. */
static void count_chosen(const machine *m, const instruction *c, double *out) {
    for (size_t i = 0; i < m->n; i++) {
        size_t ticks = 0, refusals = 0, present = 0;
        for (size_t k = 0; k < c->n_parts; k++) {
            int cell = c->column[k].c8[m->row + i];
            present += cell >= 0;
            if (cell > 0 && c->list->choices[k].missing) refusals++;
            else ticks += cell > 0;
        }
        out[i] = !present || (refusals && !ticks) ? NAN : (double) ticks;
    }
}

static void missing_to_truth(const machine *m, double *out) {
    for (size_t i = 0; i < m->n; i++) out[i] = isnan(out[i]);
}

/* 1 where the operand, number or word, is missing. */
static void is_missing(machine *m, const instruction *what, double *out) {
    if (!what->text) {
        numbers(m, what, out);
        missing_to_truth(m, out);
        return;
    }
    int32_t *word = borrow(m);
    values(m, what, out, word);
    for (size_t i = 0; i < m->n; i++)
        out[i] = word[i] == RSP_WORD_MISSING || (word[i] == RSP_WORD_NUMBER && isnan(out[i]));
    give_back(m, 1);
}

/* Three-valued: one side that decides, decides; else a missing side makes the value missing. */
static void chain(machine *m, const instruction *c, double *out, bool decisive) {
    double *next = borrow(m);
    double decided = decisive;
    for (size_t i = 0; i < m->n; i++) out[i] = !decisive;
    for (size_t k = 0; k < c->n_args; k++) {
        numbers(m, c->args[k], next);
        for (size_t i = 0; i < m->n; i++) {
            bool missing = isnan(next[i]), decides = !missing && (next[i] != 0) == decisive;
            out[i] = decides || out[i] == decided ? decided : missing ? NAN : out[i];
        }
    }
    give_back(m, 1);
}

static void equal_words(machine *m, const instruction *c, double *out) {
    const double *spelled = m->program->word_numbers;
    double *right = borrow(m);
    int32_t *a = borrow(m), *b = borrow(m);
    values(m, c->args[0], out, a);
    values(m, c->args[1], right, b);
    for (size_t i = 0; i < m->n; i++) {
        bool number_a = a[i] == RSP_WORD_NUMBER, number_b = b[i] == RSP_WORD_NUMBER, same;
        if (a[i] == RSP_WORD_MISSING || b[i] == RSP_WORD_MISSING || (number_a && isnan(out[i])) ||
            (number_b && isnan(right[i]))) {
            out[i] = NAN;
            continue;
        }
        if (!number_a && !number_b) same = a[i] == b[i];
        else same = (number_a ? out[i] : spelled[a[i]]) == (number_b ? right[i] : spelled[b[i]]);
        out[i] = same != c->negate;
    }
    give_back(m, 3);
}

static double finite_or_missing(double x) { return isfinite(x) ? x : NAN; }

#define EACH_ROW(value)                                                                                                \
    for (size_t i = 0; i < m->n; i++) {                                                                                \
        double a = out[i], b = right[i];                                                                               \
        out[i] = isnan(a) || isnan(b) ? NAN : (value);                                                                 \
    }                                                                                                                  \
    break

static void two_sides(machine *m, const instruction *c, double *out) {
    numbers(m, c->args[0], out); /* first, so that long chains to the left need no more vectors */
    double *right = borrow(m);
    numbers(m, c->args[1], right);
    switch (c->op) {
    case C_EQUAL: EACH_ROW((a == b) != c->negate);
    case C_LESS: EACH_ROW(a < b);
    case C_LESS_EQUAL: EACH_ROW(a <= b);
    case C_ADD: EACH_ROW(finite_or_missing(a + b));
    case C_SUB: EACH_ROW(finite_or_missing(a - b));
    case C_MUL: EACH_ROW(finite_or_missing(a * b));
    case C_DIV: EACH_ROW(finite_or_missing(a / b));
    default: EACH_ROW(finite_or_missing(fmod(a, b)));
    }
    give_back(m, 1);
}

#undef EACH_ROW

/* Halves away from zero; digits between -15 and 15. */
static void rounded(machine *m, const instruction *c, double *out) {
    double *digits = borrow(m);
    for (size_t i = 0; i < m->n; i++) digits[i] = 0;
    numbers(m, c->args[0], out);
    if (c->n_args > 1) numbers(m, c->args[1], digits);
    for (size_t i = 0; i < m->n; i++) {
        if (isnan(digits[i])) out[i] = NAN;
        double places = fmax(-15, fmin(15, round(digits[i]))), scale = pow(10, fabs(places));
        out[i] = finite_or_missing(places < 0 ? round(out[i] / scale) * scale : round(out[i] * scale) / scale);
    }
    give_back(m, 1);
}

/* min, max, sum, mean skip what is missing; nothing left is missing. */
static void summary(machine *m, const instruction *c, double *out) {
    double *next = borrow(m), *count = borrow(m);
    for (size_t i = 0; i < m->n; i++) out[i] = count[i] = 0;
    for (size_t k = 0; k < c->n_args; k++) {
        numbers(m, c->args[k], next);
        for (size_t i = 0; i < m->n; i++) {
            if (isnan(next[i])) continue;
            if (c->op == C_MIN) out[i] = count[i] && out[i] < next[i] ? out[i] : next[i];
            else if (c->op == C_MAX) out[i] = count[i] && out[i] > next[i] ? out[i] : next[i];
            else out[i] += next[i];
            count[i]++;
        }
    }
    for (size_t i = 0; i < m->n; i++) {
        if (c->op == C_MEAN) out[i] /= count[i];
        out[i] = count[i] ? finite_or_missing(out[i]) : NAN;
    }
    give_back(m, 2);
}

static void count_valid(machine *m, const instruction *c, double *out) {
    double *missing = borrow(m);
    for (size_t i = 0; i < m->n; i++) out[i] = 0;
    for (size_t k = 0; k < c->n_args; k++) {
        is_missing(m, c->args[k], missing);
        for (size_t i = 0; i < m->n; i++) out[i] += missing[i] == 0;
    }
    give_back(m, 1);
}

static void choose(machine *m, const instruction *c, double *out) {
    double *condition = borrow(m), *other = borrow(m);
    numbers(m, c->args[0], condition);
    numbers(m, c->args[1], out);
    numbers(m, c->args[2], other);
    for (size_t i = 0; i < m->n; i++) out[i] = isnan(condition[i]) ? NAN : condition[i] != 0 ? out[i] : other[i];
    give_back(m, 2);
}

static void coalesce(machine *m, const instruction *c, double *out) {
    double *next = borrow(m);
    numbers(m, c->args[0], out);
    for (size_t k = 1; k < c->n_args; k++) {
        numbers(m, c->args[k], next);
        for (size_t i = 0; i < m->n; i++) out[i] = isnan(out[i]) ? next[i] : out[i];
    }
    give_back(m, 1);
}

static void numbers(machine *m, const instruction *c, double *out) {
    switch (c->op) {
    case C_NUMBER:
    case C_WORD:
        for (size_t i = 0; i < m->n; i++) out[i] = c->number;
        return;
    case C_COLUMN_CODE:
    case C_COLUMN_TEXT: column_values(m, c, out); return;
    case C_COLUMN_SMALL: part_ticks(m, c->column, out); return;
    case C_COLUMN_NUMBER: memcpy(out, c->column->number + m->row, m->n * sizeof *out); return;
    case C_PARTS: /* no number */
    case C_NOTHING:
        for (size_t i = 0; i < m->n; i++) out[i] = NAN;
        return;
    case C_TRUTH_TABLE: truth_table(m, c, out); return;
    case C_PART_CHOSEN: part_chosen(m, c, out); return;
    case C_COUNT_CHOSEN: count_chosen(m, c, out); return;
    case C_PARTS_MISSING:
        count_chosen(m, c, out);
        missing_to_truth(m, out);
        return;
    case C_IS_MISSING: is_missing(m, c->args[0], out); return;
    case C_AND: chain(m, c, out, false); return;
    case C_OR: chain(m, c, out, true); return;
    case C_NOT:
        numbers(m, c->args[0], out);
        for (size_t i = 0; i < m->n; i++) out[i] = isnan(out[i]) ? NAN : out[i] == 0;
        return;
    case C_NEG:
        numbers(m, c->args[0], out);
        for (size_t i = 0; i < m->n; i++) out[i] = 0 - out[i];
        return;
    case C_EQUAL_WORDS: equal_words(m, c, out); return;
    case C_EQUAL:
    case C_LESS:
    case C_LESS_EQUAL:
    case C_ADD:
    case C_SUB:
    case C_MUL:
    case C_DIV:
    case C_MOD: two_sides(m, c, out); return;
    case C_IF: choose(m, c, out); return;
    case C_COALESCE: coalesce(m, c, out); return;
    case C_ROUND: rounded(m, c, out); return;
    case C_MIN:
    case C_MAX:
    case C_SUM:
    case C_MEAN: summary(m, c, out); return;
    case C_COUNT_VALID: count_valid(m, c, out); return;
    }
}

/* ---- the view as words ------------------------------------------------------------------------------------------ */

static void column_words(const machine *m, const instruction *c, int32_t *word) {
    int code[CHUNK];
    read_codes(m, c->column, code);
    for (size_t i = 0; i < m->n; i++) word[i] = code[i] < 0 ? RSP_WORD_MISSING : c->words[code[i]];
}

static void choose_words(machine *m, const instruction *c, double *out, int32_t *word) {
    double *condition = borrow(m), *other = borrow(m);
    int32_t *other_word = borrow(m);
    numbers(m, c->args[0], condition);
    values(m, c->args[1], out, word);
    values(m, c->args[2], other, other_word);
    for (size_t i = 0; i < m->n; i++) {
        if (isnan(condition[i])) word[i] = RSP_WORD_MISSING;
        if (isnan(condition[i]) || condition[i] != 0) continue;
        out[i] = other[i];
        word[i] = other_word[i];
    }
    give_back(m, 3);
}

static void coalesce_words(machine *m, const instruction *c, double *out, int32_t *word) {
    double *next = borrow(m);
    int32_t *next_word = borrow(m);
    values(m, c->args[0], out, word);
    for (size_t k = 1; k < c->n_args; k++) {
        values(m, c->args[k], next, next_word);
        for (size_t i = 0; i < m->n; i++) {
            if (word[i] != RSP_WORD_MISSING) continue;
            out[i] = next[i];
            word[i] = next_word[i];
        }
    }
    give_back(m, 2);
}

static void values(machine *m, const instruction *c, double *out, int32_t *word) {
    if (c->text && c->op == C_IF) choose_words(m, c, out, word);
    else if (c->text && c->op == C_COALESCE) coalesce_words(m, c, out, word);
    else {
        numbers(m, c, out);
        if (c->op == C_COLUMN_CODE || c->op == C_COLUMN_TEXT) column_words(m, c, word);
        else
            for (size_t i = 0; i < m->n; i++)
                word[i] = c->op == C_WORD ? c->word : isnan(out[i]) ? RSP_WORD_MISSING : RSP_WORD_NUMBER;
    }
}

/* ---- entry points ----------------------------------------------------------------------------------------------- */

void rsp_program_numbers(const rsp_program *p, size_t from, size_t n, double *out) {
    machine m = {.program = p};
    for (size_t done = 0; done < n; done += m.n) {
        m.row = from + done;
        m.n = n - done < CHUNK ? n - done : CHUNK;
        numbers(&m, p->top, out + done);
    }
    machine_free(&m);
}

void rsp_program_values(const rsp_program *p, size_t from, size_t n, double *number, int32_t *word) {
    machine m = {.program = p};
    for (size_t done = 0; done < n; done += m.n) {
        m.row = from + done;
        m.n = n - done < CHUNK ? n - done : CHUNK;
        values(&m, p->top, number + done, word + done);
    }
    machine_free(&m);
}

void rsp_program_filter(const rsp_program *p, uint8_t *take) {
    size_t n = p->frame->n, blocks = (n + RSP_BLOCK - 1) / RSP_BLOCK;
#pragma omp parallel for schedule(dynamic) if (blocks > 1)
    for (size_t b = 0; b < blocks; b++) {
        double truth[RSP_BLOCK];
        size_t from = b * RSP_BLOCK, length = n - from < RSP_BLOCK ? n - from : RSP_BLOCK;
        rsp_program_numbers(p, from, length, truth);
        for (size_t i = 0; i < length; i++) take[from + i] = !isnan(truth[i]) && truth[i] != 0;
    }
}

rsp_expr_value rsp_eval(const rsp_frame *f, const rsp_expr *e, size_t row, size_t self) {
    rsp_program *p = rsp_program_new(f, e, self);
    rsp_expr_value v = {.number = NAN};
    double number;
    int32_t word;
    rsp_program_values(p, row, 1, &number, &word);
    v.missing = word == RSP_WORD_MISSING;
    if (word >= 0) v.text = p->words[word];
    rsp_program_numbers(p, row, 1, &v.number);
    rsp_program_free(p);
    return v;
}

void rsp_eval_filter(const rsp_frame *f, const rsp_expr *e, uint8_t *take) {
    rsp_program *p = rsp_program_new(f, e, RSP_NONE);
    rsp_program_filter(p, take);
    rsp_program_free(p);
}
