/* The frame: columns of coded answers, their order, their values. */
#include "fill.h"

#include "base/arena.h"
#include "base/hash64.h"
#include "base/vector.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { LARGEST_BYTE_LIST = 120, HASHED_AT_ONCE = 512, SORTED_RUNS = 16 };
enum { MOST_IN_ONE_BLOCK = 64 << 20 }; /* larger frames have columns worth large pages */

static rsp_column_kind kind_of(const rsp_variable *v) {
    if (v->part_of != RSP_NONE) return RSP_COL_SMALL;
    switch (v->type) {
    case RSP_SELECT_ONE: return RSP_COL_CODE;
    case RSP_SELECT_MULTIPLE:
    case RSP_RANK: return RSP_COL_NONE;
    case RSP_TEXT: return v->list ? RSP_COL_CODE : RSP_COL_TEXT;
    default: return v->list ? RSP_COL_CODE : RSP_COL_NUMBER;
    }
}

static void fill_not_asked(rsp_column *c, size_t from, size_t to) {
    if (c->c8) memset(c->c8 + from, RSP_NA_NOT_ASKED, to - from);
    for (size_t i = from; c->c16 && i < to; i++) c->c16[i] = RSP_NA_NOT_ASKED;
    for (size_t i = from; c->text && i < to; i++) c->text[i] = RSP_NA_NOT_ASKED;
    for (size_t i = from; c->number && i < to; i++) c->number[i] = NAN;
    if (c->why) memset(c->why + from, RSP_NA_NOT_ASKED, to - from);
}

static void column_new(rsp_column *c, const rsp_variable *v, size_t n, rsp_arena *a) {
    c->kind = kind_of(v);
    c->list = c->kind == RSP_COL_CODE ? v->list : NULL;
    switch (c->kind) {
    case RSP_COL_CODE:
        if (v->list->n <= LARGEST_BYTE_LIST) c->c8 = RSP_ARRAY(a, int8_t, n);
        else c->c16 = RSP_ARRAY(a, int16_t, n);
        break;
    case RSP_COL_SMALL: c->c8 = RSP_ARRAY(a, int8_t, n); break;
    case RSP_COL_NUMBER:
        c->number = RSP_ARRAY(a, double, n);
        c->why = RSP_ARRAY(a, int8_t, n);
        break;
    case RSP_COL_TEXT: c->text = RSP_ARRAY(a, int32_t, n); break;
    case RSP_COL_NONE: break;
    }
}

/* What the columns of a frame take, at most: derived ones are written when the texts of the exports are gone. */
static size_t room_of(const rsp_study *s, size_t n) {
    size_t each = sizeof(uint16_t) + sizeof(uint32_t) + sizeof(int16_t) + 2 * sizeof(uint64_t);
    for (size_t j = 0; j < s->n_variables; j++) {
        switch (kind_of(&s->variables[j])) {
        case RSP_COL_CODE: each += sizeof(int16_t); break;
        case RSP_COL_SMALL: each += sizeof(int8_t); break;
        case RSP_COL_NUMBER: each += sizeof(double) + sizeof(int8_t); break;
        case RSP_COL_TEXT: each += sizeof(int32_t); break;
        case RSP_COL_NONE: break;
        }
    }
    return n < MOST_IN_ONE_BLOCK / each ? each * n : 0;
}

static bool was_read(const rsp_frame *f, size_t j) { return f->study->variables[j].derive.kind == RSP_DERIVE_NONE; }

void rsp_frame_ask(rsp_frame *f, size_t from, size_t to) {
    for (size_t j = 0; j < f->n_columns; j++)
        if (was_read(f, j)) fill_not_asked(&f->columns[j], from, to);
    for (size_t i = from; i < to; i++) f->aside[i] = -1;
}

void rsp_frame_ask_derived(rsp_frame *f) {
#pragma omp parallel for schedule(dynamic)
    for (size_t j = 0; j < f->n_columns; j++)
        if (!was_read(f, j)) fill_not_asked(&f->columns[j], 0, f->n);
}

rsp_frame *rsp_frame_new(const rsp_study *s, size_t n) {
    rsp_frame *f = rsp_frame_room(s, n);
    rsp_frame_ask(f, 0, n);
    rsp_frame_ask_derived(f);
    return f;
}

rsp_frame *rsp_frame_room(const rsp_study *s, size_t n) {
    rsp_arena *a = rsp_arena_new();
    rsp_frame *f = RSP_NEW(a, rsp_frame);
    f->arena = a;
    f->study = s;
    f->n = f->n_read = n;
    f->n_columns = s->n_variables;
    f->columns = RSP_ARRAY(a, rsp_column, f->n_columns);
    if (room_of(s, n)) rsp_arena_expect(a, room_of(s, n));
    for (size_t j = 0; j < f->n_columns; j++) column_new(&f->columns[j], &s->variables[j], n, a);
    f->file = RSP_ARRAY(a, uint16_t, n);
    f->line = RSP_ARRAY(a, uint32_t, n);
    f->aside = RSP_ARRAY(a, int16_t, n);
    f->flags = RSP_ARRAY(a, uint64_t, n);
    f->answers = RSP_ARRAY(a, uint64_t, n);
    return f;
}

void rsp_frame_free(rsp_frame *f) {
    if (f) rsp_arena_free(f->arena);
}

/* ---- cells ------------------------------------------------------------------------------------------------------ */

bool rsp_valid(const rsp_frame *f, size_t variable, size_t i) {
    const rsp_column *c = &f->columns[variable];
    switch (c->kind) {
    case RSP_COL_CODE: {
        int k = rsp_code(c, i);
        return k >= 0 && !c->list->choices[k].missing;
    }
    case RSP_COL_SMALL: return c->c8[i] >= 0;
    case RSP_COL_NUMBER: return !isnan(c->number[i]);
    case RSP_COL_TEXT: return c->text[i] >= 0;
    case RSP_COL_NONE: break;
    }
    /* A question stored in parts is answered where any part is. */
    const rsp_variable *v = &f->study->variables[variable];
    for (size_t k = 0; v->first_part != RSP_NONE && k < v->list->n; k++)
        if (f->columns[v->first_part + k].c8[i] >= 0) return true;
    return false;
}

double rsp_value(const rsp_frame *f, size_t variable, size_t i) {
    const rsp_column *c = &f->columns[variable];
    if (c->kind == RSP_COL_NUMBER) return c->number[i];
    if (c->kind == RSP_COL_TEXT || c->kind == RSP_COL_NONE || !rsp_valid(f, variable, i)) return NAN;
    return c->kind == RSP_COL_CODE ? c->list->choices[rsp_code(c, i)].value : c->c8[i];
}

static void value_range(const rsp_list *l, double *low, double *high) {
    *low = INFINITY;
    *high = -INFINITY;
    for (size_t k = 0; k < l->n; k++) {
        if (l->choices[k].missing) continue;
        *low = fmin(*low, l->choices[k].value);
        *high = fmax(*high, l->choices[k].value);
    }
}

double rsp_value_reversed(const rsp_frame *f, size_t variable, size_t i) {
    const rsp_variable *v = &f->study->variables[variable];
    double x = rsp_value(f, variable, i);
    if (!v->reverse || !v->list) return x;
    double low, high;
    value_range(v->list, &low, &high);
    return low + high - x;
}

/* The numbers of a coded column's cells, looked up by code: of one byte from -128 on, so that kinds of missing are no case of
 * their own. */
static void values_of_bytes(const rsp_column *c, size_t from, size_t to, double *into) {
    double table[256], *value = table + 128;
    for (int k = -128; k < 128; k++) value[k] = k >= 0 && c->kind == RSP_COL_SMALL ? k : NAN;
    for (size_t k = 0; c->kind == RSP_COL_CODE && k < c->list->n; k++)
        if (!c->list->choices[k].missing) value[k] = c->list->choices[k].value;
    for (size_t i = from; i < to; i++) into[i - from] = value[c->c8[i]];
}

void rsp_read_values(const rsp_frame *f, size_t variable, bool reversed, size_t from, size_t to, double *into) {
    const rsp_column *c = &f->columns[variable];
    const rsp_variable *v = &f->study->variables[variable];
    if (c->c8) values_of_bytes(c, from, to, into);
    else
        for (size_t i = from; i < to; i++) into[i - from] = rsp_value(f, variable, i);
    if (!reversed || !v->reverse || !v->list) return;
    double low, high;
    value_range(v->list, &low, &high);
    for (size_t i = from; i < to; i++) into[i - from] = low + high - into[i - from];
}

void rsp_set_missing(rsp_frame *f, size_t variable, size_t i, int kind) {
    rsp_column *c = &f->columns[variable];
    switch (c->kind) {
    case RSP_COL_CODE:
    case RSP_COL_SMALL: rsp_set_code(c, i, kind); return;
    case RSP_COL_NUMBER:
        c->number[i] = NAN;
        c->why[i] = (int8_t) kind;
        return;
    case RSP_COL_TEXT: c->text[i] = kind; return;
    case RSP_COL_NONE: break;
    }
    const rsp_variable *v = &f->study->variables[variable];
    for (size_t k = 0; v->first_part != RSP_NONE && k < v->list->n; k++)
        f->columns[v->first_part + k].c8[i] = (int8_t) kind;
}

const char *rsp_cell_text(const rsp_frame *f, size_t variable, size_t i, char text[64]) {
    const rsp_column *c = &f->columns[variable];
    text[0] = '\0';
    switch (c->kind) {
    case RSP_COL_CODE: return rsp_code(c, i) >= 0 ? c->list->choices[rsp_code(c, i)].code : "";
    case RSP_COL_SMALL:
        if (c->c8[i] >= 0) snprintf(text, 64, "%d", c->c8[i]);
        return text;
    case RSP_COL_NUMBER: {
        char number[32];
        rsp_double_text(c->number[i], number);
        return strcpy(text, number);
    }
    case RSP_COL_TEXT: return c->text[i] >= 0 ? c->words[c->text[i]] : "";
    case RSP_COL_NONE: break;
    }
    return "";
}

const char *rsp_case_name(const rsp_frame *f, size_t i, char text[256]) {
    size_t id = f->study->roles.id;
    if (id != RSP_NONE && rsp_valid(f, id, i)) {
        char cell[64];
        const char *name = rsp_cell_text(f, id, i, cell);
        if (f->keyed) rsp_pseudonym(f->key, f->study->id, name, text);
        else snprintf(text, 256, "%s", name);
    } else {
        snprintf(text, 256, "%s:%u", f->n_files ? f->files[f->file[i]].name : "", f->line[i]);
    }
    return text;
}

/* ---- categories ------------------------------------------------------------------------------------------------- */

/* Valid choices; with `present` only those that occur. */
static void categorise_codes(const rsp_column *c, size_t n, bool present, rsp_arena *a, rsp_categories *out) {
    int32_t *place = RSP_ARRAY(a, int32_t, c->list->n);
    bool *occurs = RSP_ARRAY(a, bool, c->list->n);
    out->code = RSP_ARRAY(a, const char *, c->list->n);
#pragma omp parallel for schedule(static) num_threads(rsp_threads()) if (n > RSP_BLOCK)
    for (size_t i = 0; i < (present ? n : 0); i++) {
        int k = rsp_code(c, i);
        if (k >= 0 && !__atomic_load_n(&occurs[k], __ATOMIC_RELAXED))
            __atomic_store_n(&occurs[k], true, __ATOMIC_RELAXED);
    }
    for (size_t k = 0; k < c->list->n; k++) {
        bool left_out = c->list->choices[k].missing || (present && !occurs[k]);
        place[k] = left_out ? -1 : (int32_t) out->n;
        if (!left_out) out->code[out->n++] = c->list->choices[k].code;
    }
#pragma omp parallel for schedule(static) num_threads(rsp_threads()) if (n > RSP_BLOCK)
    for (size_t i = 0; i < n; i++) {
        int k = rsp_code(c, i);
        out->category[i] = k < 0 ? -1 : place[k];
    }
}

struct word {
    const char *text;
    int32_t number;
};

static int compare_words(const void *x, const void *y) {
    return strcmp(((const struct word *) x)->text, ((const struct word *) y)->text);
}

/* Intake leaves words in order, and sorting those that are takes twenty times as long as looking. */
static void put_words_in_order(struct word *words, size_t n) {
    for (size_t k = 1; k < n; k++)
        if (compare_words(&words[k - 1], &words[k]) > 0) {
            qsort(words, n, sizeof *words, compare_words);
            return;
        }
}

/* Words that occur, sorted, so that numbering does not follow the order of files. */
static void categorise_words(const rsp_column *c, size_t n, rsp_arena *a, rsp_categories *out) {
    int32_t *place = RSP_ARRAY(a, int32_t, c->n_words);
    memset(place, 0xff, c->n_words * sizeof *place);
#pragma omp parallel for schedule(static) num_threads(rsp_threads()) if (n > RSP_BLOCK)
    for (size_t i = 0; i < n; i++)
        if (c->text[i] >= 0) __atomic_store_n(&place[c->text[i]], 0, __ATOMIC_RELAXED);
    struct word *used = RSP_ARRAY(a, struct word, c->n_words);
    for (size_t k = 0; k < c->n_words; k++)
        if (place[k] == 0) used[out->n++] = (struct word){c->words[k], (int32_t) k};
    put_words_in_order(used, out->n);
    out->code = RSP_ARRAY(a, const char *, out->n);
    for (size_t k = 0; k < out->n; k++) {
        out->code[k] = used[k].text;
        place[used[k].number] = (int32_t) k;
    }
#pragma omp parallel for schedule(static) num_threads(rsp_threads()) if (n > RSP_BLOCK)
    for (size_t i = 0; i < n; i++) out->category[i] = c->text[i] < 0 ? -1 : place[c->text[i]];
}

static int compare_doubles(const void *x, const void *y) {
    double a = *(const double *) x, b = *(const double *) y;
    return (a > b) - (a < b);
}

static void categorise_numbers(const rsp_frame *f, size_t variable, rsp_arena *a, rsp_categories *out) {
    double *distinct = rsp_malloc(f->n * sizeof *distinct);
    size_t n = 0;
    for (size_t i = 0; i < f->n; i++) {
        double x = rsp_value(f, variable, i);
        if (!isnan(x)) distinct[n++] = x;
    }
    qsort(distinct, n, sizeof *distinct, compare_doubles);
    for (size_t k = 0; k < n; k++)
        if (!out->n || distinct[k] != distinct[out->n - 1]) distinct[out->n++] = distinct[k];
    out->code = RSP_ARRAY(a, const char *, out->n);
    for (size_t k = 0; k < out->n; k++) {
        char text[32];
        rsp_double_text(distinct[k], text);
        out->code[k] = rsp_strdup(a, text);
    }
    for (size_t i = 0; i < f->n; i++) {
        double x = rsp_value(f, variable, i);
        double *at = isnan(x) ? NULL : bsearch(&x, distinct, out->n, sizeof *distinct, compare_doubles);
        out->category[i] = at ? (int32_t) (at - distinct) : -1;
    }
    free(distinct);
}

void rsp_categorise(const rsp_frame *f, size_t variable, rsp_arena *a, rsp_categories *out) {
    const rsp_column *c = &f->columns[variable];
    assert(c->kind != RSP_COL_NONE);
    *out = (rsp_categories){.category = RSP_ARRAY_UNSET(a, int32_t, f->n)};
    if (c->kind == RSP_COL_CODE) categorise_codes(c, f->n, variable == f->study->roles.country, a, out);
    else if (c->kind == RSP_COL_TEXT) categorise_words(c, f->n, a, out);
    else categorise_numbers(f, variable, a, out);
}

/* ---- order ------------------------------------------------------------------------------------------------------ */

/* Adds a row's cell to both of its hashes. */
static inline void hash_both(const void *bytes, size_t length, uint64_t h[2], uint64_t shift) {
    h[0] = rsp_hash64_inline(bytes, length, h[0] + shift);
    h[1] = rsp_hash64_inline(bytes, length, h[1] + shift);
}

enum { PACKED = 8 }; /* cells of a byte that are hashed as one word */

/* One column of rows [from, to) into their hashes: a column at a time, since its cells are neighbours. */
static void hash_column(const rsp_column *c, size_t from, size_t to, uint64_t (*h)[2]) {
    switch (c->kind) {
    case RSP_COL_CODE:
    case RSP_COL_SMALL:
        for (size_t i = from; i < to; i++) {
            int k = rsp_code(c, i);
            hash_both(&k, sizeof k, h[i - from], 0);
        }
        return;
    case RSP_COL_NUMBER:
        for (size_t i = from; i < to; i++) {
            if (isnan(c->number[i])) hash_both(&c->why[i], 1, h[i - from], 0);
            else hash_both(&c->number[i], sizeof(double), h[i - from], 0);
        }
        return;
    case RSP_COL_TEXT:
        for (size_t i = from; i < to; i++) {
            const char *word = c->text[i] >= 0 ? c->words[c->text[i]] : "";
            hash_both(word, strlen(word), h[i - from], c->text[i] < 0 ? (uint64_t) -c->text[i] : 0);
        }
        return;
    case RSP_COL_NONE: return;
    }
}

/* Up to PACKED columns of bytes, a row's cells side by side in one word. */
RSP_WIDE static void hash_bytes(const int8_t *const *columns, size_t n, size_t from, size_t to, uint64_t (*h)[2]) {
    uint64_t words[HASHED_AT_ONCE] = {0};
    for (size_t k = 0; k < n; k++)
#pragma omp simd
        for (size_t i = from; i < to; i++) words[i - from] |= (uint64_t) (uint8_t) columns[k][i] << (8 * k);
    for (size_t i = 0; i < to - from; i++) hash_both(&words[i], sizeof words[i], h[i], n);
}

/* All columns that were read: those of bytes first, eight at a time. Derived ones say nothing yet, and a study that derives
 * one more has the same respondents. */
static void hash_rows(const rsp_frame *f, size_t from, size_t to, uint64_t (*h)[2]) {
    const int8_t *packed[PACKED];
    size_t n = 0;
    for (size_t j = 0; j < f->n_columns; j++) {
        if (f->columns[j].c8 && was_read(f, j)) packed[n++] = f->columns[j].c8;
        if (n < PACKED) continue;
        hash_bytes(packed, n, from, to, h);
        n = 0;
    }
    if (n) hash_bytes(packed, n, from, to, h);
    for (size_t j = 0; j < f->n_columns; j++)
        if (!f->columns[j].c8 && was_read(f, j)) hash_column(&f->columns[j], from, to, h);
}

struct key {
    double id_number;
    const char *id_text;
    uint64_t content, content2;
    size_t row;
};

/* Rows that agree in id and content are the same answers: their order cannot show in any result. */
static int compare_keys(const void *x, const void *y) {
    const struct key *a = x, *b = y;
    if (a->id_number != b->id_number) {
        if (isnan(a->id_number) || isnan(b->id_number)) {
            if (isnan(a->id_number) != isnan(b->id_number)) return isnan(a->id_number) ? 1 : -1;
        } else {
            return a->id_number < b->id_number ? -1 : 1;
        }
    }
    int c = a->id_text && b->id_text ? strcmp(a->id_text, b->id_text) : 0;
    if (c) return c;
    if (a->content != b->content) return a->content < b->content ? -1 : 1;
    if (a->content2 != b->content2) return a->content2 < b->content2 ? -1 : 1;
    return a->row < b->row ? -1 : 1;
}

static void permute(void *cells, size_t size, const size_t *from, size_t n, unsigned char *room) {
    if (!cells) return;
    const unsigned char *old = cells;
    switch (size) { /* sizes that the compiler knows */
    case 1:
        for (size_t i = 0; i < n; i++) room[i] = old[from[i]];
        break;
    case 4:
        for (size_t i = 0; i < n; i++) memcpy(room + i * 4, old + from[i] * 4, 4);
        break;
    case 8:
        for (size_t i = 0; i < n; i++) memcpy(room + i * 8, old + from[i] * 8, 8);
        break;
    default:
        for (size_t i = 0; i < n; i++) memcpy(room + i * size, old + from[i] * size, size);
    }
    memcpy(cells, room, n * size);
}

static void permute_column(rsp_column *c, const size_t *from, size_t n, unsigned char *room) {
    permute(c->c8, sizeof *c->c8, from, n, room);
    permute(c->c16, sizeof *c->c16, from, n, room);
    permute(c->number, sizeof *c->number, from, n, room);
    permute(c->why, sizeof *c->why, from, n, room);
    permute(c->text, sizeof *c->text, from, n, room);
}

/* Rows from[0..n) become the frame. */
static void rearrange(rsp_frame *f, const size_t *from, size_t n) {
    bool as_they_are = true;
    for (size_t i = 0; i < n && as_they_are; i++) as_they_are = from[i] == i;
    f->n = n;
    if (as_they_are) return;
#pragma omp parallel
    {
        unsigned char *room = rsp_malloc(n * sizeof(uint64_t));
#pragma omp for schedule(dynamic, 4)
        for (size_t j = 0; j < f->n_columns; j++) permute_column(&f->columns[j], from, n, room);
#pragma omp single
        {
            permute(f->file, sizeof *f->file, from, n, room);
            permute(f->line, sizeof *f->line, from, n, room);
            permute(f->aside, sizeof *f->aside, from, n, room);
            permute(f->flags, sizeof *f->flags, from, n, room);
            permute(f->answers, sizeof *f->answers, from, n, room);
        }
        free(room);
    }
}

static void make_keys(const rsp_frame *f, size_t from, size_t to, struct key *keys) {
    size_t id = f->study->roles.id;
    const rsp_column *c = id == RSP_NONE ? NULL : &f->columns[id];
    uint64_t h[HASHED_AT_ONCE][2];
    for (size_t i = 0; i < to - from; i++) {
        h[i][0] = 0x5bd1e995;
        h[i][1] = 0x27d4eb2f;
    }
    hash_rows(f, from, to, h);
    for (size_t i = from; i < to; i++) {
        keys[i] = (struct key){NAN, NULL, h[i - from][0], h[i - from][1], i};
        if (c && c->kind == RSP_COL_TEXT) keys[i].id_text = c->text[i] >= 0 ? c->words[c->text[i]] : "";
        else if (c) keys[i].id_number = rsp_value(f, id, i);
    }
}

/* Merges the sorted runs x and y. Keys differ in their row at least, so there is one order alone. */
static void merge(const struct key *x, size_t n, const struct key *y, size_t m, struct key *out) {
    while (n && m) {
        if (compare_keys(x, y) < 0) *out++ = *x++, n--;
        else *out++ = *y++, m--;
    }
    memcpy(out, n ? x : y, (n + m) * sizeof *out);
}

/* Runs are sorted and merged in pairs, each by one thread. Returns the array that holds the result: keys or room. */
static struct key *sort_keys(struct key *keys, struct key *room, size_t n) {
    size_t run = n / SORTED_RUNS + 1;
#pragma omp parallel for schedule(dynamic)
    for (size_t from = 0; from < n; from += run)
        qsort(keys + from, n - from < run ? n - from : run, sizeof *keys, compare_keys);
    for (; run < n; run *= 2) {
#pragma omp parallel for schedule(dynamic)
        for (size_t from = 0; from < n; from += 2 * run) {
            size_t middle = n - from < run ? n : from + run, to = n - from < 2 * run ? n : from + 2 * run;
            merge(keys + from, middle - from, keys + middle, to - middle, room + from);
        }
        struct key *merged = room;
        room = keys;
        keys = merged;
    }
    return keys;
}

/* Both hashes of every row in canonical order. */
static void hash_content(const struct key *sorted, size_t n, char hex[65]) {
    uint64_t block[HASHED_AT_ONCE][2];
    rsp_hash all;
    rsp_hash_init(&all);
    for (size_t from = 0; from < n; from += HASHED_AT_ONCE) {
        size_t rows = n - from < HASHED_AT_ONCE ? n - from : HASHED_AT_ONCE;
        for (size_t i = 0; i < rows; i++) {
            block[i][0] = sorted[from + i].content;
            block[i][1] = sorted[from + i].content2;
        }
        rsp_hash_add(&all, block, rows * sizeof *block);
    }
    rsp_hash_hex(&all, hex);
}

void rsp_frame_sort(rsp_frame *f) {
    struct key *keys = rsp_malloc(f->n * sizeof *keys), *room = rsp_malloc(f->n * sizeof *room);
#pragma omp parallel for schedule(static)
    for (size_t from = 0; from < f->n; from += HASHED_AT_ONCE)
        make_keys(f, from, f->n - from < HASHED_AT_ONCE ? f->n : from + HASHED_AT_ONCE, keys);
    const struct key *sorted = sort_keys(keys, room, f->n);
    size_t *from = rsp_malloc(f->n * sizeof *from);
    for (size_t i = 0; i < f->n; i++) {
        from[i] = sorted[i].row;
        f->answers[sorted[i].row] = sorted[i].content;
    }
    hash_content(sorted, f->n, f->content);
    free(keys);
    free(room);
    rearrange(f, from, f->n);
    free(from);
}

void rsp_frame_keep(rsp_frame *f) {
    size_t *from = rsp_malloc(f->n_read * sizeof *from), n = 0, kept = 0;
    for (size_t i = 0; i < f->n; i++)
        if (f->aside[i] < 0) from[n++] = i;
    kept = n;
    for (size_t i = 0; i < f->n; i++)
        if (f->aside[i] >= 0) from[n++] = i;
    for (size_t i = f->n; i < f->n_read; i++) from[n++] = i;
    rearrange(f, from, n);
    f->n = kept;
    free(from);
}
