/* What moved between two publications. */
#include "responsive/results.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static bool is_verdict(const rsp_published_row *r) { return strcmp(r->statistic, "verdict") == 0; }

static bool is_own(const rsp_published_row *r) {
    return strcmp(r->analysis, "response") == 0 || strcmp(r->analysis, "cleaning") == 0 ||
           strcmp(r->analysis, "weights") == 0;
}

static void key(rsp_buf *b, const rsp_published_row *r) {
    const char *const parts[] = {r->analysis, r->domain, r->term, is_verdict(r) ? "" : r->level, r->statistic};
    b->length = 0;
    for (size_t k = 0; k < sizeof parts / sizeof *parts; k++) {
        rsp_buf_puts(b, parts[k]);
        rsp_buf_putc(b, '\x1f');
    }
}

static rsp_map *index_rows(const rsp_published *p) {
    rsp_map *m = rsp_map_new();
    rsp_buf b = {0};
    for (size_t i = 0; i < rsp_published_count(p); i++) {
        key(&b, rsp_published_at(p, i));
        rsp_map_put_n(m, b.data, b.length, i);
    }
    rsp_buf_free(&b);
    return m;
}

static size_t find(const rsp_map *m, const rsp_published_row *r, rsp_buf *b) {
    key(b, r);
    return rsp_map_get_n(m, b->data, b->length);
}

/* In standard errors; NaN where neither has one: a count or a measure of fit moves with every respondent. */
static double distance(const rsp_published_row *x, const rsp_published_row *y) {
    double se = fmax(x->se, y->se); /* fmax passes over NaN */
    return se > 0 ? fabs(x->estimate - y->estimate) / se : NAN;
}

static bool flipped(const rsp_published_row *x, const rsp_published_row *y) {
    return (x->flags & ~RSP_F_PRELIMINARY) != (y->flags & ~RSP_F_PRELIMINARY) ||
           (is_verdict(x) && strcmp(x->level, y->level) != 0);
}

/* Beyond the last digits: raking ends where it ends. */
static bool other_number(double x, double y) { return isnan(x) != isnan(y) || fabs(x - y) > 1e-9 * (1 + fabs(x)); }

struct list {
    rsp_changes *c;
    size_t capacity;
};

static void add(struct list *l, rsp_change_kind kind, const rsp_published_row *before, const rsp_published_row *now,
                double errors) {
    rsp_change one = {kind, before, now, errors};
    RSP_PUSH(l->c->changes, l->c->n, l->capacity, one);
    l->c->of_kind[kind]++;
}

static void compare(struct list *l, const rsp_published_row *x, const rsp_published_row *y) {
    double errors = distance(x, y);
    l->c->compared++;
    if (flipped(x, y)) add(l, RSP_CHANGE_FLIPPED, x, y, NAN);
    else if (is_own(x) && other_number(x->estimate, y->estimate)) add(l, RSP_CHANGE_COUNTED, x, y, NAN);
    else if (errors > 1) add(l, RSP_CHANGE_MOVED, x, y, errors);
}

/* At a freeze all rows lose the flag together. */
static bool preliminary(const rsp_published *p) {
    return rsp_published_count(p) && rsp_published_at(p, 0)->flags & RSP_F_PRELIMINARY;
}

rsp_changes *rsp_changes_find(const rsp_published *before, const rsp_published *now, rsp_arena *a) {
    struct list l = {.c = RSP_NEW(a, rsp_changes)};
    rsp_map *there = index_rows(before), *here = index_rows(now);
    rsp_buf b = {0};
    for (size_t i = 0; i < rsp_published_count(now); i++) {
        const rsp_published_row *y = rsp_published_at(now, i);
        size_t j = find(there, y, &b);
        if (j == RSP_NONE) add(&l, RSP_CHANGE_ADDED, NULL, y, NAN);
        else compare(&l, rsp_published_at(before, j), y);
    }
    for (size_t j = 0; j < rsp_published_count(before); j++) {
        const rsp_published_row *x = rsp_published_at(before, j);
        if (find(here, x, &b) == RSP_NONE) add(&l, RSP_CHANGE_REMOVED, x, NULL, NAN);
    }
    l.c->final = preliminary(before) && !preliminary(now);
    rsp_change *kept = RSP_ARRAY(a, rsp_change, l.c->n);
    if (l.c->n) memcpy(kept, l.c->changes, l.c->n * sizeof *kept);
    free(l.c->changes);
    l.c->changes = kept;
    rsp_buf_free(&b);
    rsp_map_free(there);
    rsp_map_free(here);
    return l.c;
}

static int by_errors(const void *x, const void *y) {
    const rsp_change *const *a = x, *const *b = y;
    if ((*a)->errors != (*b)->errors) return (*a)->errors > (*b)->errors ? -1 : 1;
    return *a < *b ? -1 : *a > *b;
}

const rsp_change **rsp_changes_moved(const rsp_changes *c, rsp_arena *a, size_t *n) {
    const rsp_change **moved = RSP_ARRAY(a, const rsp_change *, c->of_kind[RSP_CHANGE_MOVED]);
    *n = 0;
    for (size_t k = 0; k < c->n; k++)
        if (c->changes[k].kind == RSP_CHANGE_MOVED) moved[(*n)++] = &c->changes[k];
    if (*n) qsort(moved, *n, sizeof *moved, by_errors);
    return moved;
}

const rsp_published_row *rsp_changes_before(const rsp_changes *c, const rsp_published_row *now) {
    for (size_t k = 0; k < c->n; k++)
        if (c->changes[k].now == now) return c->changes[k].before;
    return now;
}
