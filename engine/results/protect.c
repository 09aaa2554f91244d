#include "results/protect.h"

#include <stdlib.h>
#include <string.h>

/* Elimination is exact: in the field of integers modulo a prime. (A determinant that this prime divides could at worst
 * hide a cell too many or too few once in a billion systems.) */
static const uint64_t PRIME = 2147483647u; /* 2^31 - 1 */

static uint64_t power(uint64_t x, uint64_t e) {
    uint64_t r = 1;
    for (; e; e >>= 1, x = x * x % PRIME)
        if (e & 1) r = r * x % PRIME;
    return r;
}

struct protector {
    size_t n_cells, n_relations;
    const int64_t *count;
    const bool *known;
    bool *hidden, *next; /* next: marked in this round, so that blocks see one state */
    const rsp_relation *relations;
    size_t *component; /* union-find over hidden cells */
    size_t marked;
};

static size_t find(size_t *up, size_t k) {
    while (up[k] != k) k = up[k] = up[up[k]];
    return k;
}

static bool is_unknown(const struct protector *p, size_t cell) { return p->hidden[cell] && !p->known[cell]; }

/* A relation says something only if an attacker knows its constant. */
static bool usable(const struct protector *p, const rsp_relation *r) {
    size_t unknown = 0, shown = 0;
    for (size_t k = 0; k < r->n; k++) {
        unknown += is_unknown(p, r->cell[k]);
        shown += !p->hidden[r->cell[k]];
    }
    return unknown > 0 && (!r->fixed || shown > 0);
}

static void join_components(struct protector *p) {
    for (size_t k = 0; k < p->n_cells; k++) p->component[k] = k;
    for (size_t i = 0; i < p->n_relations; i++) {
        const rsp_relation *r = &p->relations[i];
        size_t first = RSP_NONE;
        for (size_t k = 0; usable(p, r) && k < r->n; k++) {
            if (!is_unknown(p, r->cell[k])) continue;
            if (first == RSP_NONE) first = find(p->component, r->cell[k]);
            else p->component[find(p->component, r->cell[k])] = first;
        }
    }
}

struct block { /* one component's system */
    size_t n_rows, n_columns;
    size_t *row;    /* relations */
    size_t *column; /* cells */
    uint64_t *matrix;
};

/* Reduced row echelon form. */
static size_t reduce(struct block *b) {
    size_t rank = 0, n = b->n_columns;
    for (size_t c = 0; c < n && rank < b->n_rows; c++) {
        size_t pivot = rank;
        while (pivot < b->n_rows && b->matrix[pivot * n + c] == 0) pivot++;
        if (pivot == b->n_rows) continue;
        uint64_t *a = b->matrix + rank * n, *swap = b->matrix + pivot * n;
        uint64_t inverse = power(swap[c], PRIME - 2);
        for (size_t j = 0; j < n; j++) {
            uint64_t x = swap[j];
            swap[j] = a[j];
            a[j] = x * inverse % PRIME;
        }
        for (size_t i = 0; i < b->n_rows; i++) {
            uint64_t *other = b->matrix + i * n, factor = other[c];
            if (i == rank || factor == 0) continue;
            for (size_t j = c; j < n; j++) other[j] = (other[j] + (PRIME - factor) * a[j]) % PRIME;
        }
        rank++;
    }
    return rank;
}

/* The smallest shown cell that shares a relation with a determined one. Hiding it gives the attacker one unknown more. */
static size_t best_partner(const struct protector *p, const struct block *b, size_t cell) {
    size_t best = RSP_NONE;
    for (size_t i = 0; i < b->n_rows; i++) {
        const rsp_relation *r = &p->relations[b->row[i]];
        bool mine = false;
        for (size_t k = 0; k < r->n; k++) mine |= r->cell[k] == cell;
        for (size_t k = 0; mine && k < r->n; k++) {
            size_t c = r->cell[k];
            if (p->hidden[c] || p->known[c]) continue;
            if (best == RSP_NONE || p->count[c] < p->count[best] || (p->count[c] == p->count[best] && c < best))
                best = c;
        }
    }
    return best;
}

static bool protect_block(struct protector *p, struct block *b, size_t *place) {
    bool changed = false;
    b->matrix = rsp_calloc(b->n_rows * b->n_columns, sizeof *b->matrix);
    for (size_t j = 0; j < b->n_columns; j++) place[b->column[j]] = j;
    for (size_t i = 0; i < b->n_rows; i++) {
        const rsp_relation *r = &p->relations[b->row[i]];
        for (size_t k = 0; k < r->n; k++)
            if (is_unknown(p, r->cell[k]))
                b->matrix[i * b->n_columns + place[r->cell[k]]] = !r->fixed && k == 0 ? PRIME - 1 : 1;
    }
    size_t rank = reduce(b);
    for (size_t i = 0; i < rank && !changed; i++) {
        size_t unknowns = 0, cell = 0;
        for (size_t j = 0; j < b->n_columns; j++)
            if (b->matrix[i * b->n_columns + j]) unknowns++, cell = b->column[j];
        if (unknowns != 1) continue;
        size_t partner = best_partner(p, b, cell);
        if (partner == RSP_NONE) continue;
        p->next[partner] = changed = true;
    }
    free(b->matrix);
    return changed;
}

static void push(size_t **v, size_t *n, size_t *capacity, size_t x) { RSP_PUSH(*v, *n, *capacity, x); }

/* One round over all components; true if a cell was marked. */
static bool round_of(struct protector *p) {
    struct list {
        size_t *v, n, capacity;
    } * rows, *columns;
    size_t *place = rsp_malloc((p->n_cells + 1) * sizeof *place);
    bool changed = false;
    join_components(p);
    rows = rsp_calloc(p->n_cells + 1, sizeof *rows);
    columns = rsp_calloc(p->n_cells + 1, sizeof *columns);
    for (size_t k = 0; k < p->n_cells; k++)
        if (is_unknown(p, k)) {
            struct list *l = &columns[find(p->component, k)];
            push(&l->v, &l->n, &l->capacity, k);
        }
    for (size_t i = 0; i < p->n_relations; i++) {
        const rsp_relation *r = &p->relations[i];
        size_t k = 0;
        if (!usable(p, r)) continue;
        while (!is_unknown(p, r->cell[k])) k++;
        struct list *l = &rows[find(p->component, r->cell[k])];
        push(&l->v, &l->n, &l->capacity, i);
    }
    for (size_t k = 0; k < p->n_cells; k++) {
        struct block b = {rows[k].n, columns[k].n, rows[k].v, columns[k].v, NULL};
        if (b.n_rows && b.n_columns) changed |= protect_block(p, &b, place);
    }
    for (size_t k = 0; k < p->n_cells; k++) free(rows[k].v), free(columns[k].v);
    for (size_t k = 0; k < p->n_cells; k++) {
        p->marked += p->next[k] && !p->hidden[k];
        p->hidden[k] |= p->next[k];
    }
    free(rows), free(columns), free(place);
    return changed;
}

size_t rsp_protect(size_t n_cells, const int64_t *count, const bool *known, bool *hidden, size_t n_relations,
                   const rsp_relation *relations) {
    struct protector p = {n_cells,   n_relations,
                          count,     known,
                          hidden,    rsp_calloc(n_cells + 1, sizeof(bool)),
                          relations, rsp_malloc((n_cells + 1) * sizeof *p.component),
                          0};
    while (round_of(&p)) continue; /* each round hides a cell more, so it ends */
    free(p.component);
    free(p.next);
    return p.marked;
}
