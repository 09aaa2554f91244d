/* Cells into the frame: blocks of records on all threads.
 *
 * Every thread keeps, per column, a map from the bytes of a cell to its code, so that matching an answer costs one
 * look-up; what the words mean is worked out once for each spelling. In front of the map stand tables for what nearly all
 * cells hold: a code of one byte, and the few spellings of up to sixteen bytes that a column repeats. What is odd about
 * them is counted by each thread, and said by fill_report.c. */
#include "fill_plan.h"

#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

/* ---- a thread's memory ------------------------------------------------------------------------------------------ */

enum { CODE_BASE = 16, ODD_BIT = 1 << 30, ONE_BYTE_MOST = INT16_MAX - CODE_BASE };

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

/* ---- some records ------------------------------------------------------------------------------------------------ */

struct record {
    const rsp_cell *cells;
    size_t row; /* of the frame */
    uint32_t line;
    size_t last; /* column of the last answer + 1; 0: none */
    bool left;   /* not submitted */
};

/* Records that stand one behind the other are filled column by column: what a column needs and the place it goes to then
 * stay in the first cache, and so do the cells, of which there are few. */
enum { FEW_RECORDS = 64, FEW_CELLS = 1 << 11 };
enum { BLOCKS_HELD = 64 /* some 8 MB of text */, BLOCKS_A_THREAD = 8 };

struct few {
    size_t n, first_row;   /* rows of the frame stand one behind the other */
    const rsp_cell *cells; /* of the first record; the next record's stand behind them */
    size_t n_columns;
    struct record r[FEW_RECORDS];
};

static bool is_blank(const rsp_cell *c) { return rsp_cell_blank(c); }

static int declared(const struct plan *p, const rsp_cell *c, rsp_take take) {
    return rsp_cell_declared(p->job->tool, c, take);
}

static bool no_answer(const struct plan *p, const rsp_cell *c, rsp_take take) {
    return is_blank(c) || rsp_is_not_available(c->text, c->length) || declared(p, c, take);
}

static bool beyond(const struct record *r, size_t column) { return r->left && column >= r->last; }

/* Behind the last answer of a questionnaire that was left, nothing was shown because it was left. */
static int as_left(const struct plan *p, const struct record *r, size_t column, int why) {
    return rsp_as_left(p->job->tool, beyond(r, column), why);
}

static int why_blank(const struct plan *p, const struct record *r, size_t column) {
    return rsp_blank_kind(p->job->tool, p->job->table, &r->cells[column], beyond(r, column));
}

static const char *keep(struct worker *w, const rsp_cell *c) { return rsp_strndup(w->arena, c->text, c->length); }

static int add_odd(struct worker *w, struct cache *c, const rsp_cell *cell) {
    struct odd o = {.text = keep(w, cell)};
    RSP_PUSH(c->odd, c->n_odd, c->odd_capacity, o);
    return (int) (ODD_BIT | (c->n_odd - 1));
}

/* What the file itself calls a code; NULL. */
static const char *label_of(const struct plan *p, size_t column, const rsp_cell *cell) {
    const rsp_column_info *info = p->job->table->info ? &p->job->table->info[column] : NULL;
    for (size_t k = 0; info && k < info->n_values; k++)
        if (strlen(info->values[k].code) == cell->length && memcmp(info->values[k].code, cell->text, cell->length) == 0)
            return info->values[k].label;
    return NULL;
}

static int match_tick(const struct plan *p, struct worker *w, size_t column, const rsp_cell *cell) {
    const rsp_tool *tool = p->job->tool;
    int value = tool->tick ? tool->tick(p->job->table, cell->text, cell->length) : RSP_NO_TICK;
    if (value == RSP_NO_TICK) value = declared(p, cell, RSP_TAKE_TICK) ? declared(p, cell, RSP_TAKE_TICK) : RSP_NO_TICK;
    const char *label = value == RSP_NO_TICK ? label_of(p, column, cell) : NULL;
    if (label && *label) value = rsp_match_tick(label, strlen(label), &w->fold);
    return value != RSP_NO_TICK ? value : rsp_match_tick(cell->text, cell->length, &w->fold);
}

/* A spelling that is none of the codes and words of the list: what the file calls it, why it is no answer, or what a
 * spreadsheet made of it. */
static int work_out_further(const struct plan *p, struct worker *w, struct cache *c, const rsp_list *list,
                            size_t column, const rsp_cell *cell) {
    const char *label = label_of(p, column, cell);
    int value = label && *label ? rsp_match_value(p->matcher, list, label, strlen(label), &w->fold) : RSP_VALUE_NONE;
    if (value >= 0) return value;
    int why = declared(p, cell, p->job->columns[column].take);
    if (why) return why;
    if (rsp_is_not_available(cell->text, cell->length)) return RSP_NA_UNKNOWN;
    value = rsp_match_damaged(list, cell->text, cell->length);
    if (value == RSP_VALUE_AMBIGUOUS) c->ambiguous = true;
    if (value >= 0) c->folds |= RSP_FOLD_EXCEL;
    return value >= 0 ? value : add_odd(w, c, cell);
}

/* The code of a cell that the cache has not met. */
static int work_out(const struct plan *p, struct worker *w, struct cache *c, size_t column, const rsp_cell *cell) {
    const rsp_target_column *t = &p->job->columns[column];
    const rsp_list *list = p->frame->study->variables[t->variable].list;
    int value;
    if (t->take == RSP_TAKE_TICK || t->take == RSP_TAKE_OTHER) {
        value = match_tick(p, w, column, cell);
        if (value != RSP_NO_TICK) return value;
        if (t->take == RSP_TAKE_OTHER) return 1; /* respondents' own words: they said something */
        value = rsp_match_value(p->matcher, list, cell->text, cell->length, &w->fold);
        if (value == (int) t->part) return 1; /* the option's text stands for a tick */
        return add_odd(w, c, cell);
    }
    value = t->words ? rsp_match_word(p->matcher, list, cell->text, cell->length, &w->fold) : RSP_VALUE_NONE;
    if (value < 0) value = rsp_match_value(p->matcher, list, cell->text, cell->length, &w->fold);
    if (value >= 0) c->folds |= rsp_match_folds(list, (size_t) value, cell->text, cell->length, &w->fold);
    if (value >= 0) return value;
    if (value == RSP_VALUE_NONE) return work_out_further(p, w, c, list, column, cell);
    c->ambiguous = true;
    return add_odd(w, c, cell);
}

/* Through the map of all spellings but those of one byte that mean something, which stand in their own table. */
static int look_up(const struct plan *p, struct worker *w, const struct record *r, size_t column) {
    struct cache *c = &w->caches[column];
    const rsp_cell *cell = &r->cells[column];
    size_t known = c->codes ? rsp_map_get_n(c->codes, cell->text, cell->length) : RSP_NONE;
    if (known != RSP_NONE) return (int) known - CODE_BASE;
    int code = work_out(p, w, c, column, cell);
    if (cell->length == 1 && code < ONE_BYTE_MOST) return code;
    if (!c->codes) c->codes = rsp_map_new();
    /* CODE_BASE makes every code positive. */
    rsp_map_put_n(c->codes, cell->text, cell->length, (size_t) (code + CODE_BASE));
    return code;
}

/* The first and the last bytes of a cell of 2 to 16; with its length they tell it from every other. */
static inline void ends_of(const rsp_cell *cell, struct recent *key) {
    const char *text = cell->text, *end = text + cell->length;
    uint32_t four[2] = {0, 0};
    key->length = cell->length;
    if (cell->length >= 8) {
        memcpy(&key->head, text, 8);
        memcpy(&key->tail, end - 8, 8);
    } else if (cell->length >= 4) {
        memcpy(&four[0], text, 4);
        memcpy(&four[1], end - 4, 4);
        key->head = four[0];
        key->tail = four[1];
    } else {
        memcpy(&four[0], text, 2);
        memcpy(&four[1], end - 2, 2);
        key->head = four[0];
        key->tail = four[1];
    }
}

/* Through the table of short spellings. */
static inline int code_of_short(const struct plan *p, struct worker *w, const struct record *r, size_t column) {
    struct recent key;
    ends_of(&r->cells[column], &key);
    uint64_t mixed = (key.head ^ key.tail << 7 ^ key.length) * 0x9e3779b97f4a7c15u;
    struct recent *at = &w->caches[column].recent[mixed >> 60];
    if (at->head == key.head && at->tail == key.tail && at->length == key.length) return at->code;
    key.code = look_up(p, w, r, column);
    if (key.code < ODD_BIT) *at = key; /* of others every line counts */
    return key.code;
}

static inline int code_of(const struct plan *p, struct worker *w, const struct record *r, size_t column) {
    const rsp_cell *cell = &r->cells[column];
    int16_t *one = &w->caches[column].one[(unsigned char) cell->text[0]];
    int code;
    if (cell->length == 1 && *one) return *one - CODE_BASE;
    if (cell->length > 1 && cell->length <= SHORT) code = code_of_short(p, w, r, column);
    else code = look_up(p, w, r, column);
    if (cell->length == 1 && code < ONE_BYTE_MOST) *one = (int16_t) (code + CODE_BASE);
    if (code < ODD_BIT) return code;
    rsp_lines_add(&w->caches[column].odd[code - ODD_BIT].lines, r->line);
    return RSP_NA_INVALID;
}

/* The code of any cell, of one that the table of single bytes does not settle. */
static int code_further(const struct plan *p, struct worker *w, const struct record *r, size_t column) {
    int code = is_blank(&r->cells[column]) ? why_blank(p, r, column) : code_of(p, w, r, column);
    return code < 0 ? as_left(p, r, column, code) : code;
}

static void fill_codes(const struct plan *p, struct worker *w, const struct few *few, size_t column) {
    rsp_column *to = &p->frame->columns[p->job->columns[column].variable];
    const int16_t *one = w->caches[column].one;
    const rsp_cell *cell = few->cells + column;
    for (size_t i = 0; i < few->n; i++, cell += few->n_columns) {
        int code = cell->length == 1 ? one[(unsigned char) cell->text[0]] - CODE_BASE : -CODE_BASE;
        if (code < 0) code = code_further(p, w, &few->r[i], column);
        rsp_set_code(to, few->first_row + i, code);
    }
}

static bool date_of(const struct plan *p, size_t column, const rsp_cell *cell, double *x) {
    if (rsp_parse_date(cell->text, cell->length, x)) return true;
    rsp_date_order order = p->job->dates ? p->job->dates[column] : RSP_DATES_ISO;
    return order != RSP_DATES_ISO && rsp_parse_local_date(cell->text, cell->length, order, x);
}

/* A day from 1954 to 2119 as spreadsheets count them, from 1900 on. */
static bool is_serial(const rsp_cell *cell) {
    double days;
    if (!rsp_parse_double(cell->text, cell->length, '.', &days) &&
        !rsp_parse_double(cell->text, cell->length, ',', &days))
        return false;
    return days >= 20000 && days < 80000;
}

static void fill_number(const struct plan *p, struct worker *w, const struct record *r, size_t column) {
    const rsp_target_column *t = &p->job->columns[column];
    const rsp_cell *cell = &r->cells[column];
    rsp_column *to = &p->frame->columns[t->variable];
    double x = NAN;
    int why = RSP_NA_UNKNOWN;
    if (is_blank(cell) || rsp_is_not_available(cell->text, cell->length)) {
        why = why_blank(p, r, column);
    } else if (declared(p, cell, t->take)) {
        why = as_left(p, r, column, declared(p, cell, t->take));
    } else if (!(t->take == RSP_TAKE_DATE ? date_of(p, column, cell, &x)
                                          : rsp_parse_double(cell->text, cell->length, p->job->decimal, &x))) {
        x = NAN;
        why = RSP_NA_INVALID;
        rsp_lines_add(&w->caches[column].bad, r->line);
        if (t->take == RSP_TAKE_DATE && is_serial(cell)) w->caches[column].serial = true;
    }
    if (x == NO_DATE && column == p->submitted) rsp_lines_add(&w->caches[column].undated, r->line);
    to->number[r->row] = x;
    if (isnan(x)) to->why[r->row] = (int8_t) why;
}

/* 5.36E+08, 5,36E+08: a long number that a spreadsheet shortened. */
static bool is_rounded(const rsp_cell *c) {
    const char *e = c->length > 5 && c->length < 16 ? memchr(c->text, 'E', c->length) : NULL;
    double x;
    return e && e + 1 < c->text + c->length && e[1] == '+' &&
           (rsp_parse_double(c->text, c->length, '.', &x) || rsp_parse_double(c->text, c->length, ',', &x));
}

static void fill_text(const struct plan *p, struct worker *w, const struct record *r, size_t column) {
    size_t variable = p->job->columns[column].variable;
    rsp_column *to = &p->frame->columns[variable];
    struct dictionary *words = &w->dictionaries[variable];
    rsp_cell cell = r->cells[column];
    int why = is_blank(&cell) ? why_blank(p, r, column) : as_left(p, r, column, declared(p, &cell, RSP_TAKE_TEXT));
    if (why) {
        to->text[r->row] = why;
        return;
    }
    if (is_rounded(&cell)) rsp_lines_add(&w->caches[column].damaged, r->line);
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
    if (why == RSP_NA_NOT_SHOWN || why == RSP_NA_BROKE_OFF || p->job->tool->noughts) return why;
    return r->last > last + 1 || why == RSP_NA_SKIPPED ? 0 : why;
}

static bool all_blank(const struct record *r, const struct group *g) {
    for (size_t k = 0; k < g->n; k++)
        if (!is_blank(&r->cells[g->columns[k]])) return false;
    return true;
}

/* N/A is a question not shown or not reached, as far as the tool tells. */
static int tick_settled(const struct plan *p, const struct record *r, size_t column, int value) {
    if (value != RSP_NA_NOT_SHOWN) return value;
    bool told = p->job->tool->tells_missing || declared(p, &r->cells[column], RSP_TAKE_TICK);
    return !told ? RSP_NA_UNKNOWN : beyond(r, column) ? RSP_NA_BROKE_OFF : value;
}

/* One column a choice. A blank beside a tick is a choice not made. */
static void fill_ticks(const struct plan *p, struct worker *w, const struct few *few, const struct group *g) {
    int nothing[FEW_RECORDS];
    for (size_t i = 0; i < few->n; i++) {
        const struct record *r = &few->r[i];
        nothing[i] = all_blank(r, g) ? why_all_blank(p, r, g) : 0;
    }
    for (size_t k = 0; k < g->n; k++) {
        size_t column = g->columns[k];
        for (size_t i = 0; i < few->n; i++) {
            const struct record *r = &few->r[i];
            int value = is_blank(&r->cells[column]) ? nothing[i] : code_of(p, w, r, column);
            *part_cell(p, g, p->job->columns[column].part, r->row) = (int8_t) tick_settled(p, r, column, value);
        }
    }
}

/* Codes of a cell that the file labels itself, matched by these labels. */
static bool several_by_label(const struct plan *p, struct worker *w, const struct record *r, size_t column,
                             const rsp_list *list, uint8_t *set) {
    const rsp_cell *cell = &r->cells[column];
    rsp_buf labels = {0};
    bool any = false;
    if (!p->job->table->info || !p->job->table->info[column].n_values) return false;
    for (const char *at = cell->text, *end = at + cell->length; at < end;) {
        while (at < end && (*at == ' ' || *at == ';')) at++;
        const char *stop = memchr(at, ';', (size_t) (end - at));
        rsp_cell piece = {at, (uint32_t) ((stop ? stop : end) - at), true, 0};
        const char *label = label_of(p, column, &piece);
        any = any || label;
        if (label) rsp_buf_puts(&labels, label);
        else rsp_buf_add(&labels, piece.text, piece.length);
        rsp_buf_putc(&labels, ';');
        at = stop ? stop + 1 : end;
    }
    bool all = any && rsp_match_several(p->matcher, list, labels.data, labels.length, set, &w->fold);
    rsp_buf_free(&labels);
    return all;
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
        if (!all) all = several_by_label(p, w, r, column, list, set);
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
        if (no_answer(p, &r->cells[column], RSP_TAKE_RANKED)) continue;
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
    for (size_t k = 0; k < g->n; k++) any = any || !no_answer(p, &r->cells[g->columns[k]], RSP_TAKE_PLACE);
    for (size_t k = 0; k < g->n; k++) {
        size_t column = g->columns[k];
        const rsp_cell *cell = &r->cells[column];
        double place = 0;
        int why = declared(p, cell, RSP_TAKE_PLACE), value = any ? 0 : why ? why : why_blank(p, r, column);
        if (!no_answer(p, cell, RSP_TAKE_PLACE)) {
            bool good = rsp_parse_double(cell->text, cell->length, '.', &place) && place >= 0 &&
                        place <= (double) v->list->n && place == floor(place);
            value = good ? (int) place : RSP_NA_INVALID;
            if (!good) rsp_lines_add(&w->caches[column].bad, r->line);
        }
        *part_cell(p, g, p->job->columns[column].part, r->row) = (int8_t) value;
    }
}

static void fill_group(const struct plan *p, struct worker *w, const struct few *few, const struct group *g) {
    rsp_take take = p->job->columns[g->columns[0]].take;
    if (take == RSP_TAKE_TICK || take == RSP_TAKE_OTHER) {
        fill_ticks(p, w, few, g);
        return;
    }
    for (size_t i = 0; i < few->n; i++) {
        if (take == RSP_TAKE_RANKED) fill_ranked(p, w, &few->r[i], g);
        else if (take == RSP_TAKE_PLACE) fill_places(p, w, &few->r[i], g);
        else fill_joined(p, w, &few->r[i], g);
    }
}

static void fill_single(const struct plan *p, struct worker *w, const struct few *few, size_t column) {
    rsp_take take = p->job->columns[column].take;
    if (take == RSP_TAKE_CODE) {
        fill_codes(p, w, few, column);
        return;
    }
    for (size_t i = 0; i < few->n; i++) {
        if (take == RSP_TAKE_TEXT) fill_text(p, w, &few->r[i], column);
        else fill_number(p, w, &few->r[i], column);
    }
}

/* How far the respondent came. */
static void look_at_end(const struct plan *p, struct record *r) {
    r->left = rsp_was_left(p->job->tool, p->submitted != RSP_NONE ? &r->cells[p->submitted] : NULL,
                           p->finished != RSP_NONE ? &r->cells[p->finished] : NULL);
    r->last = 0;
    for (size_t k = p->n_answers; k-- > 0;)
        if (!no_answer(p, &r->cells[p->answers[k]], p->job->columns[p->answers[k]].take)) {
            r->last = p->answers[k] + 1;
            break;
        }
}

static void fill_few(const struct plan *p, struct worker *w, struct few *few) {
    for (size_t i = 0; i < few->n; i++) look_at_end(p, &few->r[i]);
    for (size_t k = 0; k < p->n_single; k++) fill_single(p, w, few, p->single[k]);
    for (size_t k = 0; k < p->n_groups; k++) fill_group(p, w, few, &p->groups[k]);
}

/* ---- the plan of a file ----------------------------------------------------------------------------------------- */

static bool in_group(rsp_take take) {
    return take == RSP_TAKE_TICK || take == RSP_TAKE_OTHER || take == RSP_TAKE_LIST || take == RSP_TAKE_PLACE ||
           take == RSP_TAKE_RANKED || take == RSP_TAKE_ORDER;
}

static void plan_column(struct plan *p, size_t column, size_t *group_of) {
    const rsp_target_column *t = &p->job->columns[column];
    if (t->submitted) p->submitted = column;
    if (t->finished) p->finished = column;
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
    *p = (struct plan){.job = job, .frame = f, .matcher = m, .submitted = RSP_NONE, .finished = RSP_NONE};
    p->single = rsp_calloc(n, sizeof *p->single);
    p->answers = rsp_calloc(n, sizeof *p->answers);
    p->groups = rsp_calloc(n, sizeof *p->groups);
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
    rsp_cell cell = {value, (uint32_t) strlen(value), true, 0};
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

/* Of a question in parts: ticked or not, the place among the choices. */
static bool is_part_value(const rsp_study *s, size_t v, double number) {
    const rsp_variable *of = &s->variables[s->variables[v].part_of];
    double most = of->type == RSP_RANK && of->list ? (double) of->list->n : 1;
    return number >= 0 && number <= most && number == floor(number);
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
    if ((c->kind == RSP_COL_CODE && code < 0) || (c->kind == RSP_COL_NUMBER && isnan(number)) ||
        (c->kind == RSP_COL_SMALL && !is_part_value(s, v, number))) {
        bad_constant(job, pair, d);
        return;
    }
    for (size_t i = from; i < to && c->kind != RSP_COL_NONE; i++) {
        if (c->kind == RSP_COL_NUMBER) c->number[i] = number;
        else rsp_set_code(c, i, c->kind == RSP_COL_CODE ? code : (int) number);
    }
}

/* ---- the file --------------------------------------------------------------------------------------------------- */

static size_t few_records(const rsp_table_data *t) {
    size_t n = FEW_CELLS / (t->n_columns ? t->n_columns : 1);
    return n < 1 ? 1 : n > FEW_RECORDS ? FEW_RECORDS : n;
}

static void worker_start(struct worker *w, const rsp_table_data *t) {
    caches_free(w);
    w->n_caches = t->n_columns;
    w->caches = rsp_calloc(t->n_columns, sizeof *w->caches);
    w->cells = rsp_realloc(w->cells, few_records(t) * t->n_columns * sizeof *w->cells);
    w->room.fewer = w->room.more = (rsp_lines){0};
}

static void fill_block(rsp_filler *x, const struct plan *p, int thread, size_t from, size_t to) {
    struct worker *w = &x->workers[thread];
    const rsp_table_data *t = p->job->table;
    struct few few;
    if (!w->n_caches) worker_start(w, t);
    rsp_frame_ask(x->frame, p->job->first_row + from, p->job->first_row + to);
    for (size_t at = from, step = few_records(t); at < to; at += step) {
        few.n = to - at < step ? to - at : step;
        few.first_row = p->job->first_row + at;
        few.cells = w->cells;
        few.n_columns = t->n_columns;
        t->read(t, at, at + few.n, &w->room, w->cells);
        for (size_t i = 0; i < few.n; i++) {
            struct record *r = &few.r[i];
            *r = (struct record){
                .cells = w->cells + i * t->n_columns, .row = few.first_row + i, .line = t->line[at + i]};
            x->frame->file[r->row] = p->job->file;
            x->frame->line[r->row] = r->line;
            x->reader[r->row] = (uint16_t) thread;
        }
        fill_few(p, w, &few);
    }
}

static size_t smaller(size_t a, size_t b) { return a < b ? a : b; }

/* Records that a thread takes at once: of a short file few enough that all threads end at about the same time. */
static size_t block_of(const rsp_filler *x, const rsp_table_data *t) {
    size_t most = rsp_table_block(t), share = t->n_records / (BLOCKS_A_THREAD * (size_t) x->n_workers);
    return share > most ? most : share < FEW_RECORDS ? FEW_RECORDS : share;
}

/* Every so many blocks the text of what was read is given back: text and answers are never held together as a whole. */
static void fill_blocks(rsp_filler *x, const struct plan *p) {
    size_t n = p->job->table->n_records, block = block_of(x, p->job->table);
    size_t many = BLOCKS_HELD * rsp_table_block(p->job->table);
    for (size_t from = 0; from < n; from += many) {
        size_t to = smaller(from + many, n);
#pragma omp parallel for schedule(dynamic) num_threads(x->n_workers)
        for (size_t at = from; at < to; at += block)
            fill_block(x, p, omp_get_thread_num(), at, smaller(at + block, to));
        rsp_table_release(p->job->table, to);
    }
}

void rsp_fill(rsp_filler *x, const rsp_fill_job *job, rsp_diag *d) {
    struct plan p;
    plan_make(&p, job, x->frame, x->matcher);
    for (int k = 0; k < x->n_workers; k++) caches_free(&x->workers[k]);
    fill_blocks(x, &p);
    for (size_t k = 0; k < job->source->n_set; k++) fill_constant(x, job, &job->source->set[k], d);
    rsp_fill_report(x, &p, d);
    for (int k = 0; k < x->n_workers; k++) {
        x->workers[k].room.fewer = x->workers[k].room.more = (rsp_lines){0};
        caches_free(&x->workers[k]);
    }
    plan_free(&p);
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

/* Texts of which a tenth are addresses, places or telephone numbers are personal data whatever their heading says. */
static void leave_out_personal(rsp_filler *x, size_t variable, rsp_diag *d) {
    rsp_frame *f = x->frame;
    rsp_column *c = &f->columns[variable];
    const char *what = NULL;
    size_t found = 0;
    if (variable == f->study->roles.id || rsp_study_keeps(f->study, variable)) return;
    for (size_t w = 0; w < c->n_words; w++) {
        const char *is = rsp_personal_content(c->words[w], strlen(c->words[w]));
        if (is && !what) what = is;
        found += is != NULL;
    }
    if (!found || found * 10 < c->n_words) return;
    for (size_t i = 0; i < f->n; i++)
        if (c->text[i] >= 0) c->text[i] = RSP_NA_SET;
    c->n_words = 0;
    rsp_report(d, RSP_WARNING, f->study->variables[variable].loc,
               "if the study needs it, name it under `privacy: keep`", "'%s' holds %s and is left out",
               f->study->variables[variable].name, what);
}

void rsp_filler_finish(rsp_filler *x, rsp_diag *d) {
    for (size_t j = 0; j < x->frame->n_columns; j++) {
        if (x->frame->columns[j].kind != RSP_COL_TEXT) continue;
        finish_column(x, j);
        leave_out_personal(x, j, d);
    }
}
