/* Placing pieces on pages.
 *
 * Pieces that belong together (a heading and what it heads) form a group that no page break divides; paragraphs are
 * short and stay whole, so there are neither widows nor orphans. A figure that does not fit waits for the top of the
 * next page while the text goes on, as in books; figures keep their order. A list that they would divide waits for them. */
#include "brief.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A last page less full than this is worth narrower gaps. */
static const double SCANT = 0.4, NARROW = 0.5;

typedef struct {
    brief_document *d;
    size_t page;
    double y, floor; /* where the next piece begins; lower edge of what stands in the margin */
    bool apart;      /* no two figures that waited on one page: text fills what they leave */
    size_t n_waiting, *waiting;
    size_t n_order, *order; /* pieces as they are read */
} placer;

/* Puts one piece at the cursor (which it moves). */
static void put(placer *p, size_t k) {
    brief_piece *x = &p->d->pieces[k];
    if (x->x < BRIEF_BODY_X || x->kind == PIECE_FIGURE || x->margin) p->y = fmax(p->y, p->floor);
    if (p->y > BRIEF_TOP) p->y += p->d->gaps * x->gap;
    x->page = p->page;
    x->y = p->y;
    if (x->margin) p->floor = p->y + x->height;
    else p->y += x->height;
    p->order[p->n_order++] = k;
}

static void new_page(placer *p) {
    p->page++;
    p->y = p->floor = BRIEF_TOP;
    size_t n = 0;
    for (size_t k = 0; k < p->n_waiting; k++) {
        size_t w = p->waiting[k];
        brief_piece *x = &p->d->pieces[w];
        bool fits =
            n == 0 && (p->y <= BRIEF_TOP || (!p->apart && p->y + p->d->gaps * x->gap + x->height <= BRIEF_BOTTOM));
        if (fits) put(p, w);
        else p->waiting[n++] = w;
    }
    p->n_waiting = n;
}

/* Height that pieces [from, to) take from the cursor on. */
static double height_of(const placer *p, size_t from, size_t to) {
    const brief_document *d = p->d;
    double y = p->y, floor = p->floor;
    for (size_t k = from; k < to; k++) {
        const brief_piece *x = &d->pieces[k];
        if (x->x < BRIEF_BODY_X || x->margin) y = fmax(y, floor);
        if (y > BRIEF_TOP) y += d->gaps * x->gap;
        if (x->margin) floor = y + x->height;
        else y += x->height;
    }
    return fmax(y, floor) - p->y;
}

static size_t end_of_group(const brief_document *d, size_t k) {
    while (k < d->n && d->pieces[k].keep) k++;
    return k < d->n ? k + 1 : d->n;
}

/* Where the list ends that goes on behind piece `k` (exclusive). */
static size_t end_of_list(const brief_document *d, size_t k) {
    while (k < d->n && d->pieces[k].continues) k = end_of_group(d, k);
    return k;
}

/* Figures that wait would stand within the list. */
static bool is_divided(const placer *p, size_t from, size_t to) {
    size_t end = end_of_list(p->d, to);
    return p->n_waiting && end > to && !p->d->pieces[from].continues && p->y + height_of(p, from, end) > BRIEF_BOTTOM;
}

static void place_group(placer *p, size_t from, size_t to) {
    bool fits = p->y + height_of(p, from, to) <= BRIEF_BOTTOM;
    if (p->d->pieces[from].kind == PIECE_FIGURE && (!fits || p->n_waiting)) {
        p->waiting[p->n_waiting++] = from;
        return;
    }
    /* Twice at most for each waiting figure: a page always takes one of them or this group. */
    while (p->y > BRIEF_TOP && p->y + height_of(p, from, to) > BRIEF_BOTTOM) new_page(p);
    for (size_t k = from; k < to; k++) put(p, k);
}

static void place_all(brief_document *d, size_t break_before, bool apart, size_t *order, size_t *waiting) {
    placer p = {.d = d, .apart = apart, .y = BRIEF_TOP, .floor = BRIEF_TOP, .waiting = waiting, .order = order};
    for (size_t k = 0; k < d->n;) {
        size_t to = end_of_group(d, k);
        if (p.y > BRIEF_TOP && (k == break_before || is_divided(&p, k, to))) new_page(&p);
        place_group(&p, k, to);
        k = to;
    }
    while (p.n_waiting) new_page(&p);
    d->n_pages = p.page + 1;
}

/* The section in the middle: where a brief that would fill less than two pages is divided. */
static size_t middle_section(const brief_document *d) {
    size_t n = 0, seen = 0;
    for (size_t k = 0; k < d->n; k++) n += d->pieces[k].margin;
    for (size_t k = 0; k < d->n; k++)
        if (d->pieces[k].margin && seen++ == n / 2) return k;
    return d->n ? d->n - 1 : RSP_NONE;
}

double brief_last_page(const brief_document *d) {
    double y = BRIEF_TOP;
    for (size_t k = 0; k < d->n; k++)
        if (d->pieces[k].page + 1 == d->n_pages) y = fmax(y, d->pieces[k].y + d->pieces[k].height);
    return (y - BRIEF_TOP) / (BRIEF_BOTTOM - BRIEF_TOP);
}

/* The last section that begins on the page before the last: it goes over to a last page that would look forgotten. */
static size_t section_to_move(const brief_document *d) {
    for (size_t k = d->n; k-- > 0;)
        if (d->pieces[k].margin && d->pieces[k].page + 2 == d->n_pages) return k;
    return RSP_NONE;
}

static void reorder(brief_document *d, const size_t *order) {
    brief_piece *sorted = rsp_malloc((d->n + 1) * sizeof *sorted);
    for (size_t k = 0; k < d->n; k++) sorted[k] = d->pieces[order[k]];
    if (d->n) memcpy(d->pieces, sorted, d->n * sizeof *sorted);
    free(sorted);
}

void brief_paginate(brief_document *d, size_t most_pages) {
    size_t *order = rsp_calloc(d->n + 1, sizeof *order), *waiting = rsp_calloc(d->n + 1, sizeof *waiting);
    d->gaps = 1;
    place_all(d, RSP_NONE, false, order, waiting);
    size_t pages = d->n_pages;
    if (pages > most_pages) {
        d->gaps = NARROW;
        place_all(d, RSP_NONE, false, order, waiting);
        if (d->n_pages > most_pages) place_all(d, RSP_NONE, true, order, waiting);
    } else if (pages > 2 && brief_last_page(d) < SCANT) {
        d->gaps = NARROW;
        place_all(d, RSP_NONE, false, order, waiting);
        if (d->n_pages == pages) d->gaps = 1;
        if (d->n_pages == pages) place_all(d, section_to_move(d), false, order, waiting);
        if (d->n_pages != pages && d->gaps == 1) place_all(d, RSP_NONE, false, order, waiting);
    }
    if (d->n_pages < 2) place_all(d, middle_section(d), false, order, waiting);
    reorder(d, order);
    free(order);
    free(waiting);
}

void brief_lower_notes(brief_document *d) {
    brief_piece *last = d->n > 1 ? &d->pieces[d->n - 1] : NULL;
    if (!last || last->kind != PIECE_COLUMNS || last[-1].page != last->page) return;
    last->y = fmax(last->y, BRIEF_BOTTOM - last->height);
}

/* ---- flowing pages ---------------------------------------------------------------------------------------------- */

typedef struct {
    brief_document *d;
    const char *lang;
    rsp_arena *arena;
    double y, floor;
    size_t page, n, capacity;
    brief_piece *placed;
} flow;

/* A table begins where its head and this many rows have room. */
enum { LEAST_ROWS = 3 };

static size_t rows_of(const brief_piece *x) { return x->n_entries / x->n_columns; }

/* Columns begin where this has room. */
static const double LEAST_COLUMNS = 80;

static double least_height(const flow *f, const brief_piece *x) {
    if (x->kind == PIECE_COLUMNS) return fmin(x->height, LEAST_COLUMNS);
    if (x->kind != PIECE_TABLE) return x->height;
    double h = 2;
    for (size_t r = 0; r < rows_of(x) && r <= LEAST_ROWS; r++) h += brief_row_height(x, r, f->lang);
    return h;
}

static double top_of(const brief_piece *x, double y, double floor) {
    if (x->x < BRIEF_BODY_X || x->margin) y = fmax(y, floor);
    return y > BRIEF_TOP ? y + x->gap : y;
}

static bool group_fits(const flow *f, size_t from, size_t to) {
    double y = f->y, floor = f->floor;
    for (size_t k = from; k < to; k++) {
        const brief_piece *x = &f->d->pieces[k];
        double top = top_of(x, y, floor), h = k + 1 == to ? least_height(f, x) : x->height;
        if (x->margin) {
            y = top;
            floor = top + h;
        } else {
            y = top + h;
        }
    }
    return fmax(y, floor) <= BRIEF_BOTTOM;
}

static void turn_page(flow *f) {
    f->page++;
    f->y = f->floor = BRIEF_TOP;
}

/* Rows of the table that have room below `top`, its head counted; all of them where there is room for all. */
static size_t rows_that_fit(const flow *f, const brief_piece *x, double top) {
    double h = 2;
    size_t r = 0;
    for (; r < rows_of(x); r++) {
        double row = brief_row_height(x, r, f->lang);
        if (top + h + row > BRIEF_BOTTOM && r >= 2) break;
        h += row;
    }
    return r;
}

/* The first rows of a table, or what is left of it under its head again. */
static brief_piece part_of_table(const flow *f, const brief_piece *x, size_t rows, bool rest) {
    brief_piece part = *x;
    size_t line = x->n_columns, from = rest ? rows : 1, to = rest ? rows_of(x) : rows;
    part.n_entries = (to - from + 1) * line;
    part.entries = rsp_alloc_array(f->arena, part.n_entries, sizeof *part.entries);
    memcpy(part.entries, x->entries, line * sizeof *part.entries);
    memcpy(part.entries + line, x->entries + from * line, (to - from) * line * sizeof *part.entries);
    part.height = brief_table_height(&part, f->lang);
    return part;
}

static void place(flow *f, brief_piece x, double top) {
    x.page = f->page;
    x.y = top;
    if (x.margin) f->floor = top + x.height;
    f->y = x.margin ? top : top + x.height;
    RSP_PUSH(f->placed, f->n, f->capacity, x);
}

enum { LEAST_ENTRIES = 8 }; /* on the last page: one or two by themselves look forgotten */

/* Columns that go over pages: the entries that have room here, each page with columns of its own. */
static brief_piece columns_that_fit(const flow *f, const brief_piece *x, double top) {
    brief_piece part = *x;
    for (part.n_entries = 1; part.n_entries < x->n_entries; part.n_entries++) {
        brief_piece more = part;
        more.n_entries++;
        if (top + brief_columns_height(&more, f->lang) > BRIEF_BOTTOM) break;
    }
    size_t left = x->n_entries - part.n_entries, wanted = left && left < LEAST_ENTRIES ? LEAST_ENTRIES - left : 0;
    if (part.n_entries > 2 * wanted) part.n_entries -= wanted;
    part.height = brief_columns_height(&part, f->lang);
    return part;
}

static void put_flowing(flow *f, brief_piece x) {
    double top = top_of(&x, f->y, f->floor);
    while (x.kind == PIECE_COLUMNS && top + x.height > BRIEF_BOTTOM && x.n_entries > 1) {
        brief_piece part = columns_that_fit(f, &x, top);
        if (part.n_entries == x.n_entries) break;
        place(f, part, top);
        x.entries += part.n_entries;
        x.n_entries -= part.n_entries;
        x.text = NULL;
        x.outline = false;
        x.height = brief_columns_height(&x, f->lang);
        turn_page(f);
        top = BRIEF_TOP;
    }
    while (x.kind == PIECE_TABLE) {
        size_t rows = rows_that_fit(f, &x, top);
        if (rows == rows_of(&x)) break;
        place(f, part_of_table(f, &x, rows, false), top);
        x = part_of_table(f, &x, rows, true);
        turn_page(f);
        top = BRIEF_TOP;
    }
    place(f, x, top);
}

void brief_flow(brief_document *d, const char *lang, rsp_arena *a) {
    flow f = {.d = d, .lang = lang, .arena = a, .y = BRIEF_TOP, .floor = BRIEF_TOP};
    for (size_t k = 0; k < d->n;) {
        size_t to = end_of_group(d, k);
        if (f.y > BRIEF_TOP && !group_fits(&f, k, to)) turn_page(&f);
        for (; k < to; k++) put_flowing(&f, d->pieces[k]);
    }
    free(d->pieces);
    d->pieces = f.placed;
    d->n = f.n;
    d->capacity = f.capacity;
    d->n_pages = f.page + 1;
}
