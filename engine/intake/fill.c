/* Cells into the frame: blocks of records on all threads.
 *
 * Every thread keeps, per column, a map from the bytes of a cell to its code, so that matching an answer costs one
 * look-up; what the words mean is worked out once for each spelling. Counts of answers that match nothing are summed
 * over threads and sorted by line, so that reports do not depend on who read what. */
#include "fill.h"

#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

/* ---- a thread's memory ------------------------------------------------------------------------------------------ */

struct odd { /* a spelling that means nothing */
    const char *text;
    rsp_lines lines;
};

struct cache {
    rsp_map *codes; /* bytes of a cell -> code + BASE, or ODD + index */
    int one[256];   /* the same for cells of one byte, as most codes are; 0: not met */
    size_t n_odd, odd_capacity;
    struct odd *odd;
    size_t n_sets, sets_capacity;
    uint8_t **sets;    /* cells with several answers: place of each choice */
    rsp_lines bad;     /* no number, no date */
    rsp_lines undated; /* LimeSurvey's date of submission where it keeps none */
    bool ambiguous;
};

struct dictionary {
    rsp_map *numbers;
    size_t n, capacity;
    const char **words;
};

struct worker {
    rsp_room room;
    rsp_cell *cells;
    rsp_buf fold;
    rsp_arena *arena;
    size_t n_caches;
    struct cache *caches;            /* per column of the file */
    struct dictionary *dictionaries; /* per variable */
};

struct rsp_filler {
    rsp_frame *frame;
    const rsp_matcher *matcher;
    int n_workers;
    struct worker *workers;
    uint16_t *reader; /* per row: the worker that numbered its words */
};

enum { CODE_BASE = 16, ODD_BIT = 1 << 30 };

/* 1980-01-01 00:00:00: a complete response of a LimeSurvey survey without date stamps. */
enum { NO_DATE = 315532800 };

rsp_filler *rsp_filler_new(rsp_frame *f, const rsp_matcher *m) {
    rsp_filler *x = rsp_calloc(1, sizeof *x);
    x->frame = f;
    x->matcher = m;
    x->n_workers = omp_get_max_threads();
    x->workers = rsp_calloc((size_t) x->n_workers, sizeof *x->workers);
    for (int k = 0; k < x->n_workers; k++) {
        x->workers[k].arena = rsp_arena_new();
        x->workers[k].dictionaries = rsp_calloc(f->n_columns, sizeof *x->workers[k].dictionaries);
    }
    x->reader = rsp_calloc(f->n, sizeof *x->reader);
    return x;
}

static void caches_free(struct worker *w) {
    for (size_t j = 0; j < w->n_caches; j++) {
        struct cache *c = &w->caches[j];
        rsp_map_free(c->codes);
        free(c->odd);
        for (size_t k = 0; k < c->n_sets; k++) free(c->sets[k]);
        free(c->sets);
    }
    free(w->caches);
    w->caches = NULL;
    w->n_caches = 0;
}

void rsp_filler_free(rsp_filler *x) {
    if (!x) return;
    for (int k = 0; k < x->n_workers; k++) {
        struct worker *w = &x->workers[k];
        caches_free(w);
        for (size_t j = 0; j < x->frame->n_columns; j++) {
            rsp_map_free(w->dictionaries[j].numbers);
            free(w->dictionaries[j].words);
        }
        free(w->dictionaries);
        rsp_room_free(&w->room);
        rsp_buf_free(&w->fold);
        free(w->cells);
        rsp_arena_free(w->arena);
    }
    free(x->workers);
    free(x->reader);
    free(x);
}

/* ---- one record ------------------------------------------------------------------------------------------------- */

/* Columns of one select_multiple or rank, together. */
struct group {
    size_t variable, n, *columns;
};

struct plan {
    const rsp_fill_job *job;
    rsp_frame *frame;
    const rsp_matcher *matcher;
    size_t n_single, *single; /* columns that are filled by themselves */
    size_t n_groups;
    struct group *groups;
    size_t n_answers, *answers; /* columns that show how far the respondent came */
    size_t submitted;           /* column, or RSP_NONE */
    bool two_kinds;             /* bare and quoted blanks differ */
};

struct record {
    const rsp_cell *cells;
    size_t row; /* of the frame */
    uint32_t line;
    size_t last; /* column of the last answer + 1; 0: none */
    bool left;   /* not submitted */
};

static bool is_blank(const rsp_cell *c) {
    for (uint32_t k = 0; k < c->length; k++) {
        unsigned char b = (unsigned char) c->text[k];
        if (b == 0xC2 && k + 1 < c->length && (unsigned char) c->text[k + 1] == 0xA0) k++;
        else if (b != ' ' && b != '\t' && b != '\n' && b != '\r') return false;
    }
    return true;
}

static bool no_answer(const rsp_cell *c) { return is_blank(c) || rsp_is_not_available(c->text, c->length); }

static int why_blank(const struct plan *p, const struct record *r, size_t column) {
    if (!p->job->tool->tells_missing) return RSP_NA_UNKNOWN;
    if (r->left && column >= r->last) return RSP_NA_BROKE_OFF;
    if (!p->two_kinds) return RSP_NA_UNKNOWN;
    return r->cells[column].quoted ? RSP_NA_SKIPPED : RSP_NA_NOT_SHOWN;
}

static const char *keep(struct worker *w, const rsp_cell *c) { return rsp_strndup(w->arena, c->text, c->length); }

static int add_odd(struct worker *w, struct cache *c, const rsp_cell *cell) {
    struct odd o = {.text = keep(w, cell)};
    RSP_PUSH(c->odd, c->n_odd, c->odd_capacity, o);
    return (int) (ODD_BIT | (c->n_odd - 1));
}

/* The code of a cell that the cache has not met. */
static int work_out(const struct plan *p, struct worker *w, struct cache *c, const rsp_target_column *t,
                    const rsp_cell *cell) {
    const rsp_list *list = p->frame->study->variables[t->variable].list;
    int value;
    if (t->take == RSP_TAKE_TICK || t->take == RSP_TAKE_OTHER) {
        value = rsp_match_tick(cell->text, cell->length, &w->fold);
        if (value != RSP_NO_TICK) return value;
        if (t->take == RSP_TAKE_OTHER) return 1; /* respondents' own words: they said something */
        value = rsp_match_value(p->matcher, list, cell->text, cell->length, &w->fold);
        if (value == (int) t->part) return 1; /* the option's text stands for a tick */
        return add_odd(w, c, cell);
    }
    value = rsp_match_value(p->matcher, list, cell->text, cell->length, &w->fold);
    if (value >= 0) return value;
    if (value == RSP_VALUE_AMBIGUOUS) c->ambiguous = true;
    else if (rsp_is_not_available(cell->text, cell->length)) return RSP_NA_UNKNOWN;
    return add_odd(w, c, cell);
}

static int code_of(const struct plan *p, struct worker *w, const struct record *r, size_t column) {
    const rsp_target_column *t = &p->job->columns[column];
    struct cache *c = &w->caches[column];
    const rsp_cell *cell = &r->cells[column];
    /* CODE_BASE makes every code positive. */
    int *one = cell->length == 1 ? &c->one[(unsigned char) cell->text[0]] : NULL;
    if (!c->codes) c->codes = rsp_map_new();
    size_t known = one ? *one ? (size_t) *one : RSP_NONE : rsp_map_get_n(c->codes, cell->text, cell->length);
    int code;
    if (known != RSP_NONE) {
        code = (int) known - CODE_BASE;
    } else {
        code = work_out(p, w, c, t, cell);
        if (one) *one = code + CODE_BASE;
        else rsp_map_put_n(c->codes, cell->text, cell->length, (size_t) (code + CODE_BASE));
    }
    if (code < ODD_BIT) return code;
    rsp_lines_add(&c->odd[code - ODD_BIT].lines, r->line);
    return RSP_NA_INVALID;
}

static void fill_code(const struct plan *p, struct worker *w, const struct record *r, size_t column) {
    rsp_column *to = &p->frame->columns[p->job->columns[column].variable];
    int code;
    if (is_blank(&r->cells[column])) code = why_blank(p, r, column);
    else code = code_of(p, w, r, column);
    if (code == RSP_NA_UNKNOWN && r->left && column >= r->last && p->job->tool->tells_missing) code = RSP_NA_BROKE_OFF;
    rsp_set_code(to, r->row, code);
}

static void fill_number(const struct plan *p, struct worker *w, const struct record *r, size_t column) {
    const rsp_target_column *t = &p->job->columns[column];
    const rsp_cell *cell = &r->cells[column];
    rsp_column *to = &p->frame->columns[t->variable];
    double x = NAN;
    int why = RSP_NA_UNKNOWN;
    if (no_answer(cell)) {
        why = why_blank(p, r, column);
    } else if (!(t->take == RSP_TAKE_DATE ? rsp_parse_date(cell->text, cell->length, &x)
                                          : rsp_parse_double(cell->text, cell->length, p->job->decimal, &x))) {
        x = NAN;
        why = RSP_NA_INVALID;
        rsp_lines_add(&w->caches[column].bad, r->line);
    }
    if (x == NO_DATE && column == p->submitted) rsp_lines_add(&w->caches[column].undated, r->line);
    to->number[r->row] = x;
    if (isnan(x)) to->why[r->row] = (int8_t) why;
}

static void fill_text(const struct plan *p, struct worker *w, const struct record *r, size_t column) {
    size_t variable = p->job->columns[column].variable;
    rsp_column *to = &p->frame->columns[variable];
    struct dictionary *words = &w->dictionaries[variable];
    rsp_cell cell = r->cells[column];
    if (is_blank(&cell)) {
        to->text[r->row] = why_blank(p, r, column);
        return;
    }
    while (cell.length && strchr(" \t\r\n", cell.text[0])) cell.text++, cell.length--;
    while (cell.length && strchr(" \t\r\n", cell.text[cell.length - 1])) cell.length--;
    if (!words->numbers) words->numbers = rsp_map_new();
    size_t number = rsp_map_get_n(words->numbers, cell.text, cell.length);
    if (number == RSP_NONE) {
        number = words->n;
        rsp_map_put_n(words->numbers, cell.text, cell.length, number);
        RSP_PUSH(words->words, words->n, words->capacity, keep(w, &cell));
    }
    to->text[r->row] = (int32_t) number;
}

/* ---- questions in several columns ------------------------------------------------------------------------------- */

static void set_parts(const struct plan *p, const struct group *g, size_t row, int value) {
    const rsp_variable *v = &p->frame->study->variables[g->variable];
    for (size_t k = 0; k < v->list->n; k++) p->frame->columns[v->first_part + k].c8[row] = (int8_t) value;
}

static int8_t *part_cell(const struct plan *p, const struct group *g, size_t part, size_t row) {
    return &p->frame->columns[p->frame->study->variables[g->variable].first_part + part].c8[row];
}

/* All cells of the question are blank: nothing chosen if an answer follows, else missing. A blank that the tool marks
 * as not shown is missing in any case. */
static int why_all_blank(const struct plan *p, const struct record *r, const struct group *g) {
    size_t last = g->columns[g->n - 1], first = g->columns[0];
    int why = why_blank(p, r, first);
    if (why == RSP_NA_NOT_SHOWN || why == RSP_NA_BROKE_OFF) return why;
    return r->last > last + 1 || why == RSP_NA_SKIPPED ? 0 : why;
}

static bool all_blank(const struct record *r, const struct group *g) {
    for (size_t k = 0; k < g->n; k++)
        if (!is_blank(&r->cells[g->columns[k]])) return false;
    return true;
}

/* One column a choice. A blank beside a tick is a choice not made; N/A is a question not shown or not reached. */
static void fill_ticks(const struct plan *p, struct worker *w, const struct record *r, const struct group *g) {
    bool blank = all_blank(r, g);
    int nothing = blank ? why_all_blank(p, r, g) : 0;
    for (size_t k = 0; k < g->n; k++) {
        size_t column = g->columns[k];
        int value = is_blank(&r->cells[column]) ? nothing : code_of(p, w, r, column);
        if (value == RSP_NA_NOT_SHOWN && !p->job->tool->tells_missing) value = RSP_NA_UNKNOWN;
        if (value == RSP_NA_NOT_SHOWN && r->left && column >= r->last) value = RSP_NA_BROKE_OFF;
        *part_cell(p, g, p->job->columns[column].part, r->row) = (int8_t) value;
    }
}

/* Place of every choice in a cell that holds several; worked out once for each spelling. */
static const uint8_t *several(const struct plan *p, struct worker *w, const struct record *r, size_t column,
                              bool *odd) {
    struct cache *c = &w->caches[column];
    const rsp_cell *cell = &r->cells[column];
    const rsp_list *list = p->frame->study->variables[p->job->columns[column].variable].list;
    if (!c->codes) c->codes = rsp_map_new();
    size_t known = rsp_map_get_n(c->codes, cell->text, cell->length);
    if (known == RSP_NONE) {
        uint8_t *set = rsp_calloc(list->n + 1, 1); /* the last: index of the odd spelling + 1, 0 for none */
        bool all = rsp_match_several(p->matcher, list, cell->text, cell->length, set, &w->fold);
        known = c->n_sets;
        set[list->n] = !all;
        RSP_PUSH(c->sets, c->n_sets, c->sets_capacity, set);
        rsp_map_put_n(c->codes, cell->text, cell->length, known);
        struct odd o = {.text = all ? NULL : keep(w, cell)};
        RSP_PUSH(c->odd, c->n_odd, c->odd_capacity, o); /* one for each set */
    }
    *odd = c->sets[known][list->n] != 0;
    if (*odd) rsp_lines_add(&c->odd[known].lines, r->line);
    return c->sets[known];
}

static void fill_joined(const struct plan *p, struct worker *w, const struct record *r, const struct group *g) {
    size_t column = g->columns[0];
    const rsp_cell *cell = &r->cells[column];
    bool rank = p->job->columns[column].take == RSP_TAKE_ORDER, odd;
    if (is_blank(cell)) {
        int why = why_all_blank(p, r, g);
        set_parts(p, g, r->row, rank && why == 0 ? RSP_NA_SKIPPED : why);
        return;
    }
    if (rsp_is_not_available(cell->text, cell->length)) {
        set_parts(p, g, r->row,
                  !p->job->tool->tells_missing   ? RSP_NA_UNKNOWN
                  : r->left && column >= r->last ? RSP_NA_BROKE_OFF
                                                 : RSP_NA_NOT_SHOWN);
        return;
    }
    const rsp_list *list = p->frame->study->variables[g->variable].list;
    const uint8_t *set = several(p, w, r, column, &odd);
    for (size_t k = 0; k < list->n; k++)
        *part_cell(p, g, k, r->row) = (int8_t) (set[k] ? rank ? set[k] : 1 : odd ? RSP_NA_INVALID : 0);
}

/* One column a place, each with the item that stands there. */
static void fill_ranked(const struct plan *p, struct worker *w, const struct record *r, const struct group *g) {
    bool any = false, invalid = false;
    set_parts(p, g, r->row, 0);
    for (size_t k = 0; k < g->n; k++) {
        size_t column = g->columns[k];
        if (no_answer(&r->cells[column])) continue;
        int item = code_of(p, w, r, column);
        if (item < 0) {
            invalid = true;
            continue;
        }
        int8_t *cell = part_cell(p, g, (size_t) item, r->row);
        if (*cell == 0) *cell = (int8_t) (p->job->columns[column].part + 1); /* named twice: the better place counts */
        any = true;
    }
    if (!any) {
        int why = invalid ? RSP_NA_INVALID : why_blank(p, r, g->columns[0]);
        set_parts(p, g, r->row, why);
    }
}

/* One column an item, each with its place. */
static void fill_places(const struct plan *p, struct worker *w, const struct record *r, const struct group *g) {
    bool any = false;
    const rsp_variable *v = &p->frame->study->variables[g->variable];
    for (size_t k = 0; k < g->n; k++) any = any || !no_answer(&r->cells[g->columns[k]]);
    for (size_t k = 0; k < g->n; k++) {
        size_t column = g->columns[k];
        const rsp_cell *cell = &r->cells[column];
        double place = 0;
        int value = any ? 0 : why_blank(p, r, column);
        if (!no_answer(cell)) {
            bool good = rsp_parse_double(cell->text, cell->length, '.', &place) && place >= 0 &&
                        place <= (double) v->list->n && place == floor(place);
            value = good ? (int) place : RSP_NA_INVALID;
            if (!good) rsp_lines_add(&w->caches[column].bad, r->line);
        }
        *part_cell(p, g, p->job->columns[column].part, r->row) = (int8_t) value;
    }
}

static void fill_group(const struct plan *p, struct worker *w, const struct record *r, const struct group *g) {
    switch (p->job->columns[g->columns[0]].take) {
    case RSP_TAKE_LIST:
    case RSP_TAKE_ORDER: fill_joined(p, w, r, g); return;
    case RSP_TAKE_RANKED: fill_ranked(p, w, r, g); return;
    case RSP_TAKE_PLACE: fill_places(p, w, r, g); return;
    default: fill_ticks(p, w, r, g); return;
    }
}

static void fill_record(const struct plan *p, struct worker *w, struct record *r) {
    r->left = p->job->tool->tells_missing && p->submitted != RSP_NONE && is_blank(&r->cells[p->submitted]);
    r->last = 0;
    for (size_t k = p->n_answers; k-- > 0;)
        if (!no_answer(&r->cells[p->answers[k]])) {
            r->last = p->answers[k] + 1;
            break;
        }
    for (size_t k = 0; k < p->n_single; k++) {
        size_t column = p->single[k];
        switch (p->job->columns[column].take) {
        case RSP_TAKE_CODE: fill_code(p, w, r, column); break;
        case RSP_TAKE_TEXT: fill_text(p, w, r, column); break;
        default: fill_number(p, w, r, column); break;
        }
    }
    for (size_t k = 0; k < p->n_groups; k++) fill_group(p, w, r, &p->groups[k]);
}

/* ---- the plan of a file ----------------------------------------------------------------------------------------- */

static bool in_group(rsp_take take) {
    return take == RSP_TAKE_TICK || take == RSP_TAKE_OTHER || take == RSP_TAKE_LIST || take == RSP_TAKE_PLACE ||
           take == RSP_TAKE_RANKED || take == RSP_TAKE_ORDER;
}

static void plan_column(struct plan *p, size_t column, size_t *group_of) {
    const rsp_target_column *t = &p->job->columns[column];
    if (t->submitted) p->submitted = column;
    if (t->question) p->answers[p->n_answers++] = column;
    if (t->take == RSP_TAKE_NOTHING) return;
    if (!in_group(t->take)) {
        p->single[p->n_single++] = column;
        return;
    }
    if (group_of[t->variable] == RSP_NONE) {
        group_of[t->variable] = p->n_groups;
        p->groups[p->n_groups++] = (struct group){.variable = t->variable};
    }
    struct group *g = &p->groups[group_of[t->variable]];
    g->columns = rsp_realloc(g->columns, (g->n + 1) * sizeof *g->columns);
    g->columns[g->n++] = column;
}

static void plan_make(struct plan *p, const rsp_fill_job *job, rsp_frame *f, const rsp_matcher *m) {
    size_t n = job->table->n_columns;
    *p = (struct plan){.job = job, .frame = f, .matcher = m, .submitted = RSP_NONE};
    p->single = rsp_calloc(n, sizeof *p->single);
    p->answers = rsp_calloc(n, sizeof *p->answers);
    p->groups = rsp_calloc(n, sizeof *p->groups);
    p->two_kinds = job->table->bare_empty && job->table->quoted_empty;
    size_t *group_of = rsp_malloc(f->n_columns * sizeof *group_of);
    for (size_t j = 0; j < f->n_columns; j++) group_of[j] = RSP_NONE;
    for (size_t j = 0; j < n; j++) plan_column(p, j, group_of);
    free(group_of);
}

static void plan_free(struct plan *p) {
    for (size_t k = 0; k < p->n_groups; k++) free(p->groups[k].columns);
    free(p->groups);
    free(p->single);
    free(p->answers);
}

/* ---- constants -------------------------------------------------------------------------------------------------- */

static void set_text(rsp_filler *x, size_t variable, const rsp_fill_job *job, const char *value) {
    rsp_table_data one = {.n_columns = 1};
    rsp_target_column target = {.take = RSP_TAKE_TEXT, .variable = variable};
    rsp_fill_job inner = *job;
    inner.columns = &target;
    inner.table = &one;
    struct plan p = {.job = &inner, .frame = x->frame, .matcher = x->matcher};
    rsp_cell cell = {value, (uint32_t) strlen(value), true};
    struct record r = {.cells = &cell};
    for (size_t i = 0; i < job->table->n_records; i++) {
        r.row = job->first_row + i;
        fill_text(&p, &x->workers[x->reader[r.row]], &r, 0);
    }
}

static void bad_constant(const rsp_fill_job *job, const rsp_pair *pair, rsp_diag *d) {
    rsp_report(d, RSP_ERR_STUDY, job->source->loc, NULL, "'%s' is no value of '%s' (under `set`)", pair->value,
               pair->name);
}

static void fill_constant(rsp_filler *x, const rsp_fill_job *job, const rsp_pair *pair, rsp_diag *d) {
    const rsp_study *s = x->frame->study;
    size_t v = rsp_study_variable(s, pair->name);
    if (v == RSP_NONE) {
        rsp_report(d, RSP_ERR_STUDY, job->source->loc, NULL, "unknown variable '%s' (under `set`)", pair->name);
        return;
    }
    if (s->variables[v].first_part != RSP_NONE || s->variables[v].derive.kind != RSP_DERIVE_NONE) {
        rsp_report(d, RSP_ERR_STUDY, job->source->loc, NULL, "'%s' cannot be set: it is %s (under `set`)", pair->name,
                   s->variables[v].first_part != RSP_NONE ? "a question in parts" : "derived");
        return;
    }
    rsp_column *c = &x->frame->columns[v];
    size_t n = strlen(pair->value), from = job->first_row, to = from + job->table->n_records;
    int code = -1;
    double number = NAN;
    bool date = s->variables[v].type == RSP_DATE || s->variables[v].type == RSP_DATETIME;
    if (c->kind == RSP_COL_TEXT) {
        set_text(x, v, job, pair->value);
        return;
    }
    if (c->kind == RSP_COL_CODE) code = rsp_match_value(x->matcher, c->list, pair->value, n, &x->workers[0].fold);
    else if (date) rsp_parse_date(pair->value, n, &number);
    else rsp_parse_double(pair->value, n, '.', &number);
    bool small = c->kind == RSP_COL_SMALL && number >= 0 && number <= 120;
    if ((c->kind == RSP_COL_CODE && code < 0) || (c->kind == RSP_COL_NUMBER && isnan(number)) ||
        (c->kind == RSP_COL_SMALL && !small)) {
        bad_constant(job, pair, d);
        return;
    }
    for (size_t i = from; i < to && c->kind != RSP_COL_NONE; i++) {
        if (c->kind == RSP_COL_NUMBER) c->number[i] = number;
        else rsp_set_code(c, i, c->kind == RSP_COL_CODE ? code : (int) number);
    }
}

/* ---- reports ---------------------------------------------------------------------------------------------------- */

enum { VALUES_SHOWN = 3, LONGEST_VALUE = 40 };

static int compare_odd(const void *x, const void *y) {
    const struct odd *a = x, *b = y;
    if (a->lines.first[0] != b->lines.first[0]) return a->lines.first[0] < b->lines.first[0] ? -1 : 1;
    return strcmp(a->text, b->text);
}

/* Spellings without meaning of one column over all threads, by their first line. */
static size_t gather_odd(const rsp_filler *x, size_t column, struct odd **out) {
    size_t n = 0, capacity = 0;
    struct odd *all = NULL;
    rsp_map *seen = rsp_map_new();
    for (int k = 0; k < x->n_workers; k++) {
        if (!x->workers[k].n_caches) continue;
        const struct cache *c = &x->workers[k].caches[column];
        for (size_t o = 0; o < c->n_odd; o++) {
            if (!c->odd[o].text || !c->odd[o].lines.n) continue;
            size_t at = rsp_map_get(seen, c->odd[o].text);
            if (at == RSP_NONE) {
                rsp_map_put(seen, c->odd[o].text, n);
                RSP_PUSH(all, n, capacity, c->odd[o]);
            } else {
                rsp_lines_merge(&all[at].lines, &c->odd[o].lines);
            }
        }
    }
    rsp_map_free(seen);
    if (n) qsort(all, n, sizeof *all, compare_odd);
    *out = all;
    return n;
}

static void show_value(rsp_buf *b, const char *text) {
    size_t n = strlen(text);
    bool cut = n > LONGEST_VALUE;
    if (cut)
        for (n = LONGEST_VALUE; n && ((unsigned char) text[n] & 0xC0) == 0x80;) n--;
    rsp_buf_putc(b, '\'');
    for (size_t k = 0; k < n; k++) rsp_buf_putc(b, (unsigned char) text[k] < ' ' ? ' ' : text[k]);
    rsp_buf_puts(b, cut ? "...'" : "'");
}

static const char *variable_name(const struct plan *p, size_t column) {
    return p->frame->study->variables[p->job->columns[column].variable].name;
}

static void report_odd(const rsp_filler *x, const struct plan *p, size_t column, rsp_diag *d) {
    struct odd *odd;
    size_t n = gather_odd(x, column, &odd);
    bool ambiguous = false;
    for (int k = 0; k < x->n_workers; k++)
        ambiguous = ambiguous || (x->workers[k].n_caches && x->workers[k].caches[column].ambiguous);
    rsp_lines lines = {0};
    rsp_buf values = {0};
    for (size_t k = 0; k < n; k++) {
        rsp_lines_merge(&lines, &odd[k].lines);
        if (k >= VALUES_SHOWN) continue;
        if (k) rsp_buf_puts(&values, ", ");
        show_value(&values, odd[k].text);
    }
    if (n > VALUES_SHOWN) rsp_buf_printf(&values, " and %zu more", n - VALUES_SHOWN);
    char text[128];
    if (n)
        rsp_report(d, ambiguous ? RSP_ERR_DATA : RSP_WARNING, (rsp_loc){p->job->table->path, (int) lines.first[0], 0},
                   ambiguous ? "two choices have the same words: use codes, or change one label or alias"
                             : "add the word to choices.csv as an `alias`, or recode it",
                   "%zu answer%s to '%s' %s (%s): %s", lines.n, lines.n == 1 ? "" : "s", variable_name(p, column),
                   ambiguous      ? "could be more than one choice, or none"
                   : lines.n == 1 ? "is no choice"
                                  : "are no choices",
                   rsp_lines_text(&lines, text), values.data);
    rsp_buf_free(&values);
    free(odd);
}

static void report_bad(const rsp_filler *x, const struct plan *p, size_t column, rsp_diag *d) {
    rsp_lines lines = {0};
    for (int k = 0; k < x->n_workers; k++)
        if (x->workers[k].n_caches) rsp_lines_merge(&lines, &x->workers[k].caches[column].bad);
    if (!lines.n) return;
    char text[128];
    bool date = p->job->columns[column].take == RSP_TAKE_DATE;
    /* The cell itself may be anything a person typed: it is not repeated. */
    rsp_report(d, RSP_WARNING, (rsp_loc){p->job->table->path, (int) lines.first[0], 0},
               date ? "dates are written 2026-03-31 or 2026-03-31 18:30:00" : "they count as missing",
               "%zu answer%s to '%s' %s no %s (%s)", lines.n, lines.n == 1 ? "" : "s", variable_name(p, column),
               lines.n == 1 ? "is" : "are", date ? "ISO date" : "number", rsp_lines_text(&lines, text));
}

/* The constant is kept, since it says that the response is complete; no duration can be had from it. */
static void report_undated(const rsp_filler *x, const struct plan *p, rsp_diag *d) {
    rsp_lines lines = {0};
    if (p->submitted == RSP_NONE || !p->job->tool->tells_missing) return;
    for (int k = 0; k < x->n_workers; k++)
        if (x->workers[k].n_caches) rsp_lines_merge(&lines, &x->workers[k].caches[p->submitted].undated);
    if (lines.n)
        rsp_report(d, RSP_NOTE, (rsp_loc){p->job->table->path, (int) lines.first[0], 0}, NULL,
                   "%zu response%s of 1980-01-01 stand%s for a survey without dates: take no durations from them",
                   lines.n, lines.n == 1 ? "" : "s", lines.n == 1 ? "s" : "");
}

static void report_ragged(const rsp_filler *x, const struct plan *p, rsp_diag *d) {
    rsp_lines fewer = {0}, more = {0};
    char text[128];
    for (int k = 0; k < x->n_workers; k++) {
        rsp_lines_merge(&fewer, &x->workers[k].room.fewer);
        rsp_lines_merge(&more, &x->workers[k].room.more);
    }
    const rsp_table_data *t = p->job->table;
    if (fewer.n)
        rsp_report(d, RSP_WARNING, (rsp_loc){t->path, (int) fewer.first[0], 0}, "the cells that lack count as blank",
                   "%zu record%s fewer cells than the %zu headings (%s)", fewer.n, fewer.n == 1 ? " has" : "s have",
                   t->n_columns, rsp_lines_text(&fewer, text));
    if (more.n)
        rsp_report(d, RSP_WARNING, (rsp_loc){t->path, (int) more.first[0], 0},
                   "look for a delimiter that is not in quotation marks: the surplus cells were not read",
                   "%zu record%s more cells than the %zu headings (%s)", more.n, more.n == 1 ? " has" : "s have",
                   t->n_columns, rsp_lines_text(&more, text));
}

/* ---- the file --------------------------------------------------------------------------------------------------- */

static void worker_start(struct worker *w, const rsp_table_data *t) {
    caches_free(w);
    w->n_caches = t->n_columns;
    w->caches = rsp_calloc(t->n_columns, sizeof *w->caches);
    w->cells = rsp_realloc(w->cells, rsp_table_block(t) * t->n_columns * sizeof *w->cells);
    w->room.fewer = w->room.more = (rsp_lines){0};
}

static void fill_block(rsp_filler *x, const struct plan *p, int thread, size_t from, size_t to) {
    struct worker *w = &x->workers[thread];
    const rsp_table_data *t = p->job->table;
    if (!w->n_caches) worker_start(w, t);
    t->read(t, from, to, &w->room, w->cells);
    for (size_t i = from; i < to; i++) {
        struct record r = {
            .cells = w->cells + (i - from) * t->n_columns, .row = p->job->first_row + i, .line = t->line[i]};
        x->frame->file[r.row] = p->job->file;
        x->frame->line[r.row] = r.line;
        x->reader[r.row] = (uint16_t) thread;
        fill_record(p, w, &r);
    }
}

void rsp_fill(rsp_filler *x, const rsp_fill_job *job, rsp_diag *d) {
    struct plan p;
    plan_make(&p, job, x->frame, x->matcher);
    size_t n = job->table->n_records, block = rsp_table_block(job->table), n_blocks = (n + block - 1) / block;
    for (int k = 0; k < x->n_workers; k++) caches_free(&x->workers[k]);
#pragma omp parallel for schedule(dynamic) num_threads(x->n_workers)
    for (size_t b = 0; b < n_blocks; b++)
        fill_block(x, &p, omp_get_thread_num(), b * block, (b + 1) * block < n ? (b + 1) * block : n);
    for (size_t k = 0; k < job->source->n_set; k++) fill_constant(x, job, &job->source->set[k], d);
    report_ragged(x, &p, d);
    report_undated(x, &p, d);
    for (size_t j = 0; j < job->table->n_columns; j++) {
        if (job->columns[j].take == RSP_TAKE_NOTHING) continue;
        report_odd(x, &p, j, d);
        report_bad(x, &p, j, d);
    }
    for (int k = 0; k < x->n_workers; k++) {
        x->workers[k].room.fewer = x->workers[k].room.more = (rsp_lines){0};
        caches_free(&x->workers[k]);
    }
    plan_free(&p);
}

/* ---- decimal sign ----------------------------------------------------------------------------------------------- */

struct signs {
    rsp_lines points, commas; /* cells that are numbers under this sign alone */
};

static void look_at_sign(const rsp_cell *c, uint32_t line, struct signs *s) {
    double x;
    if (memchr(c->text, ',', c->length) && rsp_parse_double(c->text, c->length, ',', &x))
        rsp_lines_add(&s->commas, line);
    else if (memchr(c->text, '.', c->length) && rsp_parse_double(c->text, c->length, '.', &x))
        rsp_lines_add(&s->points, line);
}

static void look_at_signs(const rsp_fill_job *job, const size_t *columns, size_t n_columns, struct signs *s) {
    const rsp_table_data *t = job->table;
    size_t block = rsp_table_block(t), n_blocks = (t->n_records + block - 1) / block;
#pragma omp parallel
    {
        rsp_room room = {0};
        struct signs own = {0};
        rsp_cell *cells = rsp_malloc(block * t->n_columns * sizeof *cells);
#pragma omp for schedule(dynamic)
        for (size_t b = 0; b < n_blocks; b++) {
            size_t from = b * block, to = from + block < t->n_records ? from + block : t->n_records;
            t->read(t, from, to, &room, cells);
            for (size_t i = from; i < to; i++)
                for (size_t k = 0; k < n_columns; k++)
                    look_at_sign(&cells[(i - from) * t->n_columns + columns[k]], t->line[i], &own);
        }
#pragma omp critical
        {
            rsp_lines_merge(&s->points, &own.points);
            rsp_lines_merge(&s->commas, &own.commas);
        }
        free(cells);
        rsp_room_free(&room);
    }
}

char rsp_detect_decimal(const rsp_fill_job *job, rsp_diag *d) {
    if (job->decimal) return job->decimal;
    if (!job->table->comma_in_cells) return '.'; /* no cell can hold a comma */
    size_t n = 0;
    size_t *columns = rsp_calloc(job->table->n_columns, sizeof *columns);
    for (size_t j = 0; j < job->table->n_columns; j++)
        if (job->columns[j].take == RSP_TAKE_NUMBER) columns[n++] = j;
    struct signs s = {0};
    if (n) look_at_signs(job, columns, n, &s);
    free(columns);
    if (!s.commas.n) return '.';
    if (!s.points.n) return ',';
    if (job->tool->decimal_point) return '.';
    char points[128], commas[128];
    rsp_report(d, RSP_ERR_DATA, (rsp_loc){job->table->path, (int) s.commas.first[0], 0},
               "give the source its `decimal`, '.' or ','; numbers with the other sign then count as invalid",
               "numbers are written with a comma (%s) and with a point (%s)", rsp_lines_text(&s.commas, commas),
               rsp_lines_text(&s.points, points));
    return 0;
}

/* ---- dictionaries ----------------------------------------------------------------------------------------------- */

struct word {
    const char *text;
    int32_t *number; /* where a thread's number becomes the frame's */
};

static int compare_words(const void *x, const void *y) {
    return strcmp(((const struct word *) x)->text, ((const struct word *) y)->text);
}

static void finish_column(rsp_filler *x, size_t variable) {
    rsp_column *c = &x->frame->columns[variable];
    size_t n = 0;
    for (int k = 0; k < x->n_workers; k++) n += x->workers[k].dictionaries[variable].n;
    struct word *words = rsp_malloc(n * sizeof *words);
    int32_t *numbers = rsp_malloc(n * sizeof *numbers), **of = rsp_malloc((size_t) x->n_workers * sizeof *of);
    n = 0;
    for (int k = 0; k < x->n_workers; k++) {
        of[k] = numbers + n;
        for (size_t w = 0; w < x->workers[k].dictionaries[variable].n; w++, n++)
            words[n] = (struct word){x->workers[k].dictionaries[variable].words[w], &numbers[n]};
    }
    if (n) qsort(words, n, sizeof *words, compare_words);
    c->words = RSP_ARRAY(x->frame->arena, const char *, n);
    for (size_t w = 0; w < n; w++) {
        if (!w || strcmp(words[w].text, words[w - 1].text) != 0)
            c->words[c->n_words++] = rsp_strdup(x->frame->arena, words[w].text);
        *words[w].number = (int32_t) c->n_words - 1;
    }
    for (size_t i = 0; i < x->frame->n; i++)
        if (c->text[i] >= 0) c->text[i] = of[x->reader[i]][c->text[i]];
    free(of);
    free(numbers);
    free(words);
}

void rsp_filler_finish(rsp_filler *x) {
    for (size_t j = 0; j < x->frame->n_columns; j++)
        if (x->frame->columns[j].kind == RSP_COL_TEXT) finish_column(x, j);
}
