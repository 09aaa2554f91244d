/* The frame: columns of coded answers, their order, their values. */
#include "responsive/frame.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { LARGEST_BYTE_LIST = 120 };

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

static void fill_not_asked(rsp_column *c, size_t n) {
    if (c->c8) memset(c->c8, RSP_NA_NOT_ASKED, n);
    for (size_t i = 0; c->c16 && i < n; i++) c->c16[i] = RSP_NA_NOT_ASKED;
    for (size_t i = 0; c->text && i < n; i++) c->text[i] = RSP_NA_NOT_ASKED;
    for (size_t i = 0; c->number && i < n; i++) c->number[i] = NAN;
    if (c->why) memset(c->why, RSP_NA_NOT_ASKED, n);
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
    fill_not_asked(c, n);
}

rsp_frame *rsp_frame_new(const rsp_study *s, size_t n) {
    rsp_arena *a = rsp_arena_new();
    rsp_frame *f = RSP_NEW(a, rsp_frame);
    f->arena = a;
    f->study = s;
    f->n = n;
    f->n_columns = s->n_variables;
    f->columns = RSP_ARRAY(a, rsp_column, f->n_columns);
    for (size_t j = 0; j < f->n_columns; j++) column_new(&f->columns[j], &s->variables[j], n, a);
    f->file = RSP_ARRAY(a, uint16_t, n);
    f->line = RSP_ARRAY(a, uint32_t, n);
    f->aside = RSP_ARRAY(a, int16_t, n);
    f->flags = RSP_ARRAY(a, uint64_t, n);
    for (size_t i = 0; i < n; i++) f->aside[i] = -1;
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
    double              x = rsp_value(f, variable, i);
    if (!v->reverse || !v->list) return x;
    double low, high;
    value_range(v->list, &low, &high);
    return low + high - x;
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
        snprintf(text, 256, "%s", rsp_cell_text(f, id, i, cell));
    } else {
        snprintf(text, 256, "%s:%u", f->n_files ? f->files[f->file[i]].name : "", f->line[i]);
    }
    return text;
}

/* ---- categories ------------------------------------------------------------------------------------------------- */

/* Valid choices; with `present` only those that occur. */
static void categorise_codes(const rsp_column *c, size_t n, bool present, rsp_arena *a, rsp_categories *out) {
    int32_t *place = RSP_ARRAY(a, int32_t, c->list->n);
    bool    *occurs = RSP_ARRAY(a, bool, c->list->n);
    out->code = RSP_ARRAY(a, const char *, c->list->n);
    for (size_t i = 0; i < n; i++)
        if (rsp_code(c, i) >= 0) occurs[rsp_code(c, i)] = true;
    for (size_t k = 0; k < c->list->n; k++) {
        bool left_out = c->list->choices[k].missing || (present && !occurs[k]);
        place[k] = left_out ? -1 : (int32_t) out->n;
        if (!left_out) out->code[out->n++] = c->list->choices[k].code;
    }
    for (size_t i = 0; i < n; i++) {
        int k = rsp_code(c, i);
        out->category[i] = k < 0 ? -1 : place[k];
    }
}

struct word {
    const char *text;
    int32_t     number;
};

static int compare_words(const void *x, const void *y) {
    return strcmp(((const struct word *) x)->text, ((const struct word *) y)->text);
}

/* Words that occur, sorted, so that numbering does not follow the order of files. */
static void categorise_words(const rsp_column *c, size_t n, rsp_arena *a, rsp_categories *out) {
    int32_t *place = RSP_ARRAY(a, int32_t, c->n_words);
    memset(place, 0xff, c->n_words * sizeof *place);
    for (size_t i = 0; i < n; i++)
        if (c->text[i] >= 0) place[c->text[i]] = 0;
    struct word *used = RSP_ARRAY(a, struct word, c->n_words);
    for (size_t k = 0; k < c->n_words; k++)
        if (place[k] == 0) used[out->n++] = (struct word){c->words[k], (int32_t) k};
    qsort(used, out->n, sizeof *used, compare_words);
    out->code = RSP_ARRAY(a, const char *, out->n);
    for (size_t k = 0; k < out->n; k++) {
        out->code[k] = used[k].text;
        place[used[k].number] = (int32_t) k;
    }
    for (size_t i = 0; i < n; i++) out->category[i] = c->text[i] < 0 ? -1 : place[c->text[i]];
}

static int compare_doubles(const void *x, const void *y) {
    double a = *(const double *) x, b = *(const double *) y;
    return (a > b) - (a < b);
}

static void categorise_numbers(const rsp_frame *f, size_t variable, rsp_arena *a, rsp_categories *out) {
    double *distinct = rsp_malloc(f->n * sizeof *distinct);
    size_t  n = 0;
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
        double  x = rsp_value(f, variable, i);
        double *at = isnan(x) ? NULL : bsearch(&x, distinct, out->n, sizeof *distinct, compare_doubles);
        out->category[i] = at ? (int32_t) (at - distinct) : -1;
    }
    free(distinct);
}

void rsp_categorise(const rsp_frame *f, size_t variable, rsp_arena *a, rsp_categories *out) {
    const rsp_column *c = &f->columns[variable];
    assert(c->kind != RSP_COL_NONE);
    *out = (rsp_categories){.category = RSP_ARRAY(a, int32_t, f->n)};
    if (c->kind == RSP_COL_CODE) categorise_codes(c, f->n, variable == f->study->roles.country, a, out);
    else if (c->kind == RSP_COL_TEXT) categorise_words(c, f->n, a, out);
    else categorise_numbers(f, variable, a, out);
}

/* ---- order ------------------------------------------------------------------------------------------------------ */

static uint64_t hash_cell(const rsp_column *c, size_t i, uint64_t h) {
    switch (c->kind) {
    case RSP_COL_CODE:
    case RSP_COL_SMALL: {
        int k = rsp_code(c, i);
        return rsp_hash64(&k, sizeof k, h);
    }
    case RSP_COL_NUMBER:
        if (isnan(c->number[i])) return rsp_hash64(&c->why[i], 1, h);
        return rsp_hash64(&c->number[i], sizeof(double), h);
    case RSP_COL_TEXT: {
        const char *word = c->text[i] >= 0 ? c->words[c->text[i]] : "";
        return rsp_hash64(word, strlen(word), h + (c->text[i] < 0 ? (uint64_t) -c->text[i] : 0));
    }
    case RSP_COL_NONE: break;
    }
    return h;
}

struct key {
    double      id_number;
    const char *id_text;
    uint64_t    content, content2;
    size_t      row;
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
    for (size_t i = 0; i < n; i++) memcpy(room + i * size, old + from[i] * size, size);
    memcpy(cells, room, n * size);
}

/* Rows from[0..n) become the frame. */
static void rearrange(rsp_frame *f, const size_t *from, size_t n) {
    unsigned char *room = rsp_malloc(n * sizeof(uint64_t));
    for (size_t j = 0; j < f->n_columns; j++) {
        rsp_column *c = &f->columns[j];
        permute(c->c8, sizeof *c->c8, from, n, room);
        permute(c->c16, sizeof *c->c16, from, n, room);
        permute(c->number, sizeof *c->number, from, n, room);
        permute(c->why, sizeof *c->why, from, n, room);
        permute(c->text, sizeof *c->text, from, n, room);
    }
    permute(f->file, sizeof *f->file, from, n, room);
    permute(f->line, sizeof *f->line, from, n, room);
    permute(f->aside, sizeof *f->aside, from, n, room);
    permute(f->flags, sizeof *f->flags, from, n, room);
    free(room);
    f->n = n;
}

void rsp_frame_sort(rsp_frame *f) {
    struct key *keys = rsp_malloc(f->n * sizeof *keys);
    size_t      id = f->study->roles.id;
    const rsp_column *c = id == RSP_NONE ? NULL : &f->columns[id];
#pragma omp parallel for schedule(static)
    for (size_t i = 0; i < f->n; i++) {
        keys[i] = (struct key){NAN, NULL, 0x5bd1e995, 0x27d4eb2f, i};
        if (c && c->kind == RSP_COL_TEXT) keys[i].id_text = c->text[i] >= 0 ? c->words[c->text[i]] : "";
        else if (c) keys[i].id_number = rsp_value(f, id, i);
        for (size_t j = 0; j < f->n_columns; j++) {
            keys[i].content = hash_cell(&f->columns[j], i, keys[i].content);
            keys[i].content2 = hash_cell(&f->columns[j], i, keys[i].content2);
        }
    }
    qsort(keys, f->n, sizeof *keys, compare_keys);
    size_t  *from = rsp_malloc(f->n * sizeof *from);
    rsp_hash all;
    rsp_hash_init(&all);
    for (size_t i = 0; i < f->n; i++) {
        from[i] = keys[i].row;
        rsp_hash_add(&all, &keys[i].content, sizeof keys[i].content);
        rsp_hash_add(&all, &keys[i].content2, sizeof keys[i].content2);
    }
    rsp_hash_hex(&all, f->content);
    free(keys);
    rearrange(f, from, f->n);
    free(from);
}

void rsp_frame_keep(rsp_frame *f) {
    size_t *from = rsp_malloc(f->n * sizeof *from), n = 0;
    for (size_t i = 0; i < f->n; i++)
        if (f->aside[i] < 0) from[n++] = i;
    rearrange(f, from, n);
    free(from);
}
