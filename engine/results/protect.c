#include "results/protect.h"

#include <glpk.h>
#include <math.h>
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
    rsp_cell_state *cells;
    double least;
    bool *next; /* next: marked in this round, so that blocks see one state */
    const rsp_relation *relations;
    size_t *component; /* union-find over hidden cells */
    size_t marked;
};

static size_t find(size_t *up, size_t k) {
    while (up[k] != k) k = up[k] = up[up[k]];
    return k;
}

static bool is_unknown(const struct protector *p, size_t cell) {
    return p->cells[cell].hidden && !p->cells[cell].known;
}

/* Numbers of respondents are published beside every statistic: the constant of a relation is known even where all its cells
 * are hidden. */
static bool usable(const struct protector *p, const rsp_relation *r) {
    for (size_t k = 0; k < r->n; k++)
        if (is_unknown(p, r->cell[k])) return true;
    return false;
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

static bool holds(const rsp_relation *r, size_t cell) {
    for (size_t k = 0; k < r->n; k++)
        if (r->cell[k] == cell) return true;
    return false;
}

/* Of two cells that may be hidden, the one that costs less: somebody in it, then the smaller, then the first. */
static bool cheaper(const struct protector *p, size_t a, size_t b) {
    const rsp_cell_state *x = &p->cells[a], *y = &p->cells[b];
    if (b == RSP_NONE) return true;
    if ((x->count > 0) != (y->count > 0)) return x->count > 0;
    return x->count != y->count ? x->count < y->count : a < b;
}

/* The cheapest shown cell that shares a relation with an exposed one: hiding it gives the attacker one unknown more. */
static size_t best_partner(const struct protector *p, const struct block *b, size_t cell) {
    size_t best = RSP_NONE;
    for (size_t i = 0; i < b->n_rows; i++) {
        const rsp_relation *r = &p->relations[b->row[i]];
        for (size_t k = 0; k < r->n && holds(r, cell); k++) {
            size_t c = r->cell[k];
            if (!p->cells[c].hidden && !p->cells[c].known && cheaper(p, c, best)) best = c;
        }
    }
    return best;
}

/* Hides a partner of the exposed cell; where its own relations have none left, one of its component's. */
static bool hide_partner(struct protector *p, const struct block *b, size_t cell) {
    size_t partner = best_partner(p, b, cell);
    for (size_t i = 0; partner == RSP_NONE && i < b->n_rows; i++) {
        const rsp_relation *r = &p->relations[b->row[i]];
        for (size_t k = 0; k < r->n; k++)
            if (!p->cells[r->cell[k]].hidden && !p->cells[r->cell[k]].known && cheaper(p, r->cell[k], partner))
                partner = r->cell[k];
    }
    if (partner != RSP_NONE) p->next[partner] = true;
    return partner != RSP_NONE;
}

/* ---- elimination ------------------------------------------------------------------------------------------------ */

static double coefficient(const rsp_relation *r, size_t k) { return !r->fixed && k == 0 ? -1 : 1; }

static bool nothing_determined(struct protector *p, struct block *b, const size_t *place) {
    bool changed = false;
    b->matrix = rsp_calloc(b->n_rows * b->n_columns, sizeof *b->matrix);
    for (size_t i = 0; i < b->n_rows; i++) {
        const rsp_relation *r = &p->relations[b->row[i]];
        for (size_t k = 0; k < r->n; k++)
            if (is_unknown(p, r->cell[k]))
                b->matrix[i * b->n_columns + place[r->cell[k]]] = coefficient(r, k) < 0 ? PRIME - 1 : 1;
    }
    size_t rank = reduce(b);
    for (size_t i = 0; i < rank && !changed; i++) {
        size_t unknowns = 0, cell = 0;
        for (size_t j = 0; j < b->n_columns; j++)
            if (b->matrix[i * b->n_columns + j]) unknowns++, cell = b->column[j];
        if (unknowns == 1 && !p->cells[cell].open) changed = hide_partner(p, b, cell);
    }
    free(b->matrix);
    return !changed;
}

/* ---- intervals -------------------------------------------------------------------------------------------------- */

/* The attacker's linear program: what the hidden counts can be, given all relations. */
struct attack {
    glp_prob *lp;
    size_t n;
    double *low, *high; /* per column: least and greatest value in any table found so far */
};

static bool counts_only(const struct protector *p, const rsp_relation *r) {
    for (size_t k = 0; k < r->n; k++)
        if (!p->cells[r->cell[k]].counts) return false;
    return true;
}

static struct attack attack_new(const struct protector *p, const struct block *b, const size_t *place) {
    struct attack x = {glp_create_prob(), b->n_columns, rsp_malloc(b->n_columns * sizeof(double)),
                       rsp_malloc(b->n_columns * sizeof(double))};
    int *index = rsp_malloc((b->n_columns + 1) * sizeof *index);
    double *value = rsp_malloc((b->n_columns + 1) * sizeof *value);
    glp_add_cols(x.lp, (int) b->n_columns);
    for (size_t j = 0; j < b->n_columns; j++) {
        const rsp_cell_state *c = &p->cells[b->column[j]];
        double low = 0, high = (double) (c->base > c->count ? c->base : c->count);
        if (c->drift >= 0) {
            low = fmax(low, (double) (c->count - c->drift));
            high = fmin(high, (double) (c->count + c->drift));
        }
        glp_set_col_bnds(x.lp, (int) j + 1, high > low ? GLP_DB : GLP_FX, low, high);
        x.low[j] = x.high[j] = (double) c->count; /* the true table is one that the attacker cannot exclude */
    }
    for (size_t i = 0; i < b->n_rows; i++) {
        const rsp_relation *r = &p->relations[b->row[i]];
        int n = 0;
        double constant = 0;
        if (!counts_only(p, r)) continue;
        for (size_t k = 0; k < r->n; k++) {
            if (!is_unknown(p, r->cell[k])) continue;
            index[++n] = (int) place[r->cell[k]] + 1;
            value[n] = coefficient(r, k);
            constant += coefficient(r, k) * (double) p->cells[r->cell[k]].count;
        }
        int row = glp_add_rows(x.lp, 1);
        glp_set_row_bnds(x.lp, row, GLP_FX, constant, constant);
        glp_set_mat_row(x.lp, row, n, index, value);
    }
    free(index);
    free(value);
    return x;
}

static void attack_free(struct attack *x) {
    glp_delete_prob(x->lp);
    free(x->low);
    free(x->high);
}

/* Optimises one cell; every table found on the way widens what is known of the others. False: no answer. */
static bool bound(struct attack *x, size_t j, int direction) {
    glp_smcp how;
    glp_init_smcp(&how);
    how.msg_lev = GLP_MSG_OFF;
    glp_set_obj_dir(x->lp, direction);
    glp_set_obj_coef(x->lp, (int) j + 1, 1);
    bool ok = glp_simplex(x->lp, &how) == 0 && glp_get_status(x->lp) == GLP_OPT;
    glp_set_obj_coef(x->lp, (int) j + 1, 0);
    for (size_t k = 0; ok && k < x->n; k++) {
        double v = glp_get_col_prim(x->lp, (int) k + 1);
        if (v < x->low[k]) x->low[k] = v;
        if (v > x->high[k]) x->high[k] = v;
    }
    return ok;
}

static bool wide_enough(const struct protector *p, const struct block *b, const struct attack *x, size_t j) {
    const rsp_cell_state *c = &p->cells[b->column[j]];
    double need = fmin((double) c->base, p->least);
    if (c->drift >= 0) need = fmin(need, fmin((double) c->drift, (double) c->count) + (double) c->drift);
    return x->high[j] - x->low[j] >= need - 1e-6;
}

static bool intervals_wide(struct protector *p, struct block *b, const size_t *place) {
    struct attack x = attack_new(p, b, place);
    bool changed = false;
    for (size_t j = 0; j < b->n_columns && !changed; j++) {
        if (!p->cells[b->column[j]].counts || p->cells[b->column[j]].open) continue;
        for (int direction = GLP_MIN; !wide_enough(p, b, &x, j) && direction <= GLP_MAX; direction++)
            if (!bound(&x, j, direction)) break;
        if (!wide_enough(p, b, &x, j)) changed = hide_partner(p, b, b->column[j]);
    }
    attack_free(&x);
    return !changed;
}

/* ---- rounds ----------------------------------------------------------------------------------------------------- */

static bool protect_block(struct protector *p, struct block *b, size_t *place) {
    for (size_t j = 0; j < b->n_columns; j++) place[b->column[j]] = j;
    return nothing_determined(p, b, place) && intervals_wide(p, b, place);
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
        if (b.n_rows && b.n_columns) changed |= !protect_block(p, &b, place);
    }
    for (size_t k = 0; k < p->n_cells; k++) free(rows[k].v), free(columns[k].v);
    for (size_t k = 0; k < p->n_cells; k++) {
        p->marked += p->next[k] && !p->cells[k].hidden;
        p->cells[k].hidden |= p->next[k];
    }
    free(rows), free(columns), free(place);
    return changed;
}

size_t rsp_protect(size_t n_cells, rsp_cell_state *cells, size_t n_relations, const rsp_relation *relations,
                   int64_t least) {
    struct protector p = {.n_cells = n_cells,
                          .n_relations = n_relations,
                          .cells = cells,
                          .least = (double) least,
                          .next = rsp_calloc(n_cells + 1, sizeof(bool)),
                          .relations = relations,
                          .component = rsp_malloc((n_cells + 1) * sizeof *p.component)};
    glp_term_out(GLP_OFF);
    while (round_of(&p)) continue; /* each round hides a cell more, so it ends */
    glp_free_env();
    free(p.component);
    free(p.next);
    return p.marked;
}
