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

/* The least and the greatest value of a cell in any table found so far, tonight's and the publication before's. To hide a
 * further cell takes no table away, so that what was found in one round holds in all that follow. */
struct reach {
    double low[2], high[2];
    int column; /* what the cell's column stands for (kind_of_column): 0 until it has one */
    /* Where the last program left the columns and the row between them: GLPK's status; 0: they are new. Programs begin there: rows
     * and columns are never taken away, a new row's own variable is basic and a new column is not, so that it is a basis. */
    int status[2], between;
};

struct protector {
    size_t n_cells, n_relations;
    rsp_cell_state *cells;
    bool *next; /* next: marked in this round, so that blocks see one state */
    const rsp_relation *relations;
    size_t *first, *relation; /* relations of a cell: relation[first[cell]] to relation[first[cell + 1]] */
    size_t *unknowns;         /* per relation: its cells that took part when the round began */
    size_t *component;        /* union-find over hidden cells */
    size_t *place;            /* per hidden cell: its column among those of its component */
    struct reach *reach;
    int *status; /* per relation, likewise */
    size_t marked;
    rsp_map *safe;
};

static size_t find(size_t *up, size_t k) {
    while (up[k] != k) k = up[k] = up[up[k]];
    return k;
}

static bool is_unknown(const struct protector *p, size_t cell) {
    return p->cells[cell].hidden && !p->cells[cell].known;
}

/* Something that an attacker asks about: a cell hidden tonight or in an earlier publication. */
static bool is_asked(const struct protector *p, size_t cell) {
    const rsp_cell_state *c = &p->cells[cell];
    return c->held || c->past || is_unknown(p, cell);
}

/* Is the number of the relation's k-th cell the one that tonight publishes or hides? */
static bool of_tonight(const rsp_relation *r, size_t k) { return !r->sign || (r->to_tonight && k + 1 == r->n); }

/* Is the k-th cell one of the relation's unknowns? */
static bool takes_part(const struct protector *p, const rsp_relation *r, size_t k) {
    return of_tonight(r, k) ? is_unknown(p, r->cell[k]) : is_asked(p, r->cell[k]);
}

static bool can_be_hidden(const struct protector *p, size_t cell) {
    const rsp_cell_state *c = &p->cells[cell];
    return !c->hidden && !c->known && !c->past;
}

static void list_relations(struct protector *p) {
    size_t n = 0, *first = rsp_calloc(p->n_cells + 2, sizeof *first);
    for (size_t i = 0; i < p->n_relations; i++)
        for (size_t k = 0; k < p->relations[i].n; k++, n++) first[p->relations[i].cell[k] + 2]++;
    for (size_t k = 2; k < p->n_cells + 2; k++) first[k] += first[k - 1];
    p->relation = rsp_malloc((n + 1) * sizeof *p->relation);
    for (size_t i = 0; i < p->n_relations; i++)
        for (size_t k = 0; k < p->relations[i].n; k++) p->relation[first[p->relations[i].cell[k] + 1]++] = i;
    p->first = first;
}

static void count_unknowns(struct protector *p) {
    for (size_t i = 0; i < p->n_relations; i++) {
        const rsp_relation *r = &p->relations[i];
        p->unknowns[i] = 0;
        for (size_t k = 0; k < r->n; k++) p->unknowns[i] += takes_part(p, r, k);
    }
}

/* Numbers of respondents are published beside every statistic: the constant of a relation is known even where all its cells
 * are hidden. */
static bool usable(const struct protector *p, size_t relation) { return p->unknowns[relation] > 0; }

static void join_components(struct protector *p) {
    for (size_t k = 0; k < p->n_cells; k++) p->component[k] = k;
    for (size_t i = 0; i < p->n_relations; i++) {
        const rsp_relation *r = &p->relations[i];
        size_t first = RSP_NONE;
        for (size_t k = 0; usable(p, i) && k < r->n; k++) {
            if (!takes_part(p, r, k)) continue;
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

/* In how many relations of tonight would the cell be the first that is hidden? Each of them needs another one then, and so on. */
static size_t relations_opened(const struct protector *p, size_t cell) {
    size_t n = 0;
    for (size_t j = p->first[cell]; j < p->first[cell + 1]; j++)
        n += !p->relations[p->relation[j]].sign && p->unknowns[p->relation[j]] == 0;
    return n;
}

/* Of how many relations is it the whole? */
static size_t relations_topped(const struct protector *p, size_t cell) {
    size_t n = 0;
    for (size_t j = p->first[cell]; j < p->first[cell + 1]; j++) {
        const rsp_relation *r = &p->relations[p->relation[j]];
        n += !r->sign && !r->fixed && r->cell[0] == cell;
    }
    return n;
}

/* Of two cells that may be hidden, the one that costs less: hidden in the publication before, so that the pattern stays and opens
 * nothing; then somebody in it, then what hangs together least with what is shown, then the smaller, then the first. */
static bool cheaper(const struct protector *p, size_t a, size_t b) {
    if (b == RSP_NONE) return true;
    const rsp_cell_state *x = &p->cells[a], *y = &p->cells[b];
    if (x->stays != y->stays) return x->stays;

    size_t topped = relations_topped(p, a), by_b = relations_topped(p, b);
    if (topped != by_b) return topped < by_b;
    size_t opened = relations_opened(p, a), by_other = relations_opened(p, b);
    if (opened != by_other) return opened < by_other;
    if ((x->count > 0) != (y->count > 0)) return x->count > 0;
    return x->count != y->count ? x->count < y->count : a < b;
}

static size_t cheapest_in(const struct protector *p, const rsp_relation *r, size_t best) {
    for (size_t k = 0; k < r->n; k++)
        if (can_be_hidden(p, r->cell[k]) && cheaper(p, r->cell[k], best)) best = r->cell[k];
    return best;
}

/* The cheapest shown cell that shares a relation with an exposed one: hiding it gives the attacker one unknown more. Where a
 * relation says what the cell is, or is all that speaks of it, it has to be one of that relation. */
static size_t best_partner(const struct protector *p, size_t cell) {
    size_t best = RSP_NONE;
    for (size_t alone = 1; best == RSP_NONE && alone <= 2; alone++)
        for (size_t j = p->first[cell]; j < p->first[cell + 1]; j++)
            if (alone == 2 || p->unknowns[p->relation[j]] == 1)
                best = cheapest_in(p, &p->relations[p->relation[j]], best);
    return best;
}

struct candidate {
    const struct protector *p;
    size_t cell;
};

static int compare_candidates(const void *x, const void *y) {
    const struct candidate *a = x, *b = y;
    if (a->cell == b->cell) return 0;
    return cheaper(a->p, a->cell, b->cell) ? -1 : 1;
}

/* Cells that would be shown again tonight narrow what earlier publications hid: the cheaper half of them stays hidden. */
static bool keep_hidden(struct protector *p, const struct block *b) {
    struct candidate *all = rsp_malloc((b->n_columns + 1) * sizeof *all);
    size_t n = 0;
    for (size_t j = 0; j < b->n_columns; j++)
        if (p->cells[b->column[j]].held && can_be_hidden(p, b->column[j]))
            all[n++] = (struct candidate){p, b->column[j]};
    if (n) qsort(all, n, sizeof *all, compare_candidates);
    for (size_t k = 0; k < (n + 1) / 2; k++) p->next[all[k].cell] = true;
    free(all);
    return n > 0;
}

/* Hides a partner of the exposed cell; where its own relations have none left, one of its component's. */
static bool hide_partner(struct protector *p, const struct block *b, size_t cell) {
    if (keep_hidden(p, b)) return true;
    size_t partner = best_partner(p, cell);
    bool none = partner == RSP_NONE;
    for (size_t i = 0; none && i < b->n_rows; i++) partner = cheapest_in(p, &p->relations[b->row[i]], partner);
    if (partner != RSP_NONE) p->next[partner] = true;
    else p->cells[cell].exposed = true;
    return partner != RSP_NONE;
}

/* Where a single relation says what the cell is, hides another one of it, unless one was marked in this round. True if one is. */
static bool hide_beside_single(struct protector *p, size_t cell) {
    bool any = false;
    for (size_t j = p->first[cell]; j < p->first[cell + 1]; j++) {
        const rsp_relation *r = &p->relations[p->relation[j]];
        if (r->sign || p->unknowns[p->relation[j]] != 1) continue;
        bool marked = false;
        for (size_t k = 0; k < r->n; k++) marked |= p->next[r->cell[k]] && !p->cells[r->cell[k]].hidden;
        size_t partner = marked ? RSP_NONE : cheapest_in(p, r, RSP_NONE);
        if (partner != RSP_NONE) p->next[partner] = true;
        any |= marked || partner != RSP_NONE;
    }
    return any;
}

/* ---- elimination ------------------------------------------------------------------------------------------------ */

static double coefficient(const rsp_relation *r, size_t k) {
    if (r->sign) return r->sign[k];
    return !r->fixed && k == 0 ? -1 : 1;
}

static bool nothing_determined(struct protector *p, struct block *b) {
    bool changed = false;
    b->matrix = rsp_calloc(b->n_rows * b->n_columns, sizeof *b->matrix);
    for (size_t i = 0; i < b->n_rows; i++) {
        const rsp_relation *r = &p->relations[b->row[i]];
        for (size_t k = 0; k < r->n && !r->sign; k++) /* earlier publications were looked at in their night */
            if (is_unknown(p, r->cell[k]))
                b->matrix[i * b->n_columns + p->place[r->cell[k]]] = coefficient(r, k) < 0 ? PRIME - 1 : 1;
    }
    size_t rank = reduce(b), *determined = rsp_malloc((rank + 1) * sizeof *determined), n = 0;
    for (size_t i = 0; i < rank; i++) {
        size_t unknowns = 0, cell = 0;
        for (size_t j = 0; j < b->n_columns; j++)
            if (b->matrix[i * b->n_columns + j]) unknowns++, cell = b->column[j];
        bool matters = !p->cells[cell].open && (!p->cells[cell].counts || p->cells[cell].need > 0);
        if (unknowns == 1 && matters) determined[n++] = cell;
    }
    for (size_t k = 0; k < n; k++) changed |= hide_beside_single(p, determined[k]);
    for (size_t k = 0; k < n && !changed; k++) changed = hide_partner(p, b, determined[k]);
    free(determined);
    free(b->matrix);
    return !changed;
}

/* ---- intervals -------------------------------------------------------------------------------------------------- */

/* The attacker's linear program: how far the hidden counts can be from the true ones, given all relations. */
struct attack {
    glp_prob *lp;
    size_t n,
        *cell; /* per column; behind those of the block, what the publication before hid of cells that moved since */
    double *low, *high; /* least and greatest value in any table found so far */
    double *need;
    size_t *before; /* per column of the block: the one behind; RSP_NONE */
    size_t *row;    /* per row: its relation, or, behind all relations, the cell whose columns it ties */
};

/* Hidden in both publications, between which respondents came or left. */
static bool moved(const rsp_cell_state *c) { return c->held && c->hidden && !c->known && c->fall + c->rise > 0; }

/* In the program of a round, what does the cell's column stand for? */
static int kind_of_column(const rsp_cell_state *c) {
    if (!c->held) return 1;
    return moved(c) ? 4 : c->hidden && !c->known ? 3 : 2;
}

/* Of a row of the program. */
static int *status_of_row(const struct protector *p, const struct attack *x, int row) {
    size_t of = x->row[row - 1];
    return of < p->n_relations ? &p->status[of] : &p->reach[of - p->n_relations].between;
}

static bool counts_only(const struct protector *p, const rsp_relation *r) {
    for (size_t k = 0; k < r->n; k++)
        if (!p->cells[r->cell[k]].counts) return false;
    return true;
}

static void add_column(struct attack *x, size_t cell, double low, double high, double need) {
    glp_add_cols(x->lp, 1);
    glp_set_col_bnds(x->lp, (int) x->n + 1, high > -low ? GLP_DB : GLP_FX, -low, high);
    x->low[x->n] = x->high[x->n] = 0; /* the true table is one that the attacker cannot exclude */
    x->need[x->n] = need;
    x->cell[x->n++] = cell;
}

/* Takes the widths that earlier rounds found. Columns behind those of the block are the second of their cells. */
static void take_reach(struct protector *p, const struct block *b, struct attack *x) {
    for (size_t k = 0; k < x->n; k++) {
        struct reach *r = &p->reach[x->cell[k]];
        int column = kind_of_column(&p->cells[x->cell[k]]);
        if (r->column != column) {
            r->column = column;
            for (size_t side = 0; side < 2; side++) r->low[side] = r->high[side] = 0;
        }
        x->low[k] = r->low[k >= b->n_columns];
        x->high[k] = r->high[k >= b->n_columns];
    }
}

static void keep_reach(struct protector *p, const struct block *b, const struct attack *x) {
    for (size_t k = 0; k < x->n; k++) {
        p->reach[x->cell[k]].low[k >= b->n_columns] = x->low[k];
        p->reach[x->cell[k]].high[k >= b->n_columns] = x->high[k];
    }
}

static void take_basis(const struct protector *p, const struct block *b, const struct attack *x) {
    for (size_t k = 0; k < x->n; k++) {
        const rsp_cell_state *c = &p->cells[x->cell[k]];
        int status = p->reach[x->cell[k]].status[k >= b->n_columns];
        glp_set_col_stat(x->lp, (int) k + 1, status ? status : c->high < c->low ? GLP_NU : GLP_NL);
    }
    for (int row = 1; row <= glp_get_num_rows(x->lp); row++) {
        int status = *status_of_row(p, x, row);
        glp_set_row_stat(x->lp, row, status ? status : GLP_BS);
    }
}

static void keep_basis(const struct protector *p, const struct block *b, const struct attack *x) {
    for (size_t k = 0; k < x->n; k++)
        p->reach[x->cell[k]].status[k >= b->n_columns] = glp_get_col_stat(x->lp, (int) k + 1);
    for (int row = 1; row <= glp_get_num_rows(x->lp); row++) *status_of_row(p, x, row) = glp_get_row_stat(x->lp, row);
}

static void add_columns(const struct protector *p, const struct block *b, struct attack *x) {
    for (size_t j = 0; j < b->n_columns; j++) {
        const rsp_cell_state *c = &p->cells[b->column[j]];
        x->before[j] = RSP_NONE;
        if (moved(c)) add_column(x, b->column[j], c->now_low, c->now_high, c->need);
        else if (c->held && c->hidden && !c->known)
            add_column(x, b->column[j], fmin(c->low, c->now_low), fmin(c->high, c->now_high),
                       fmax(c->need, c->need_before));
        else if (c->held) add_column(x, b->column[j], fmin(c->low, c->rise), fmin(c->high, c->fall), c->need_before);
        else add_column(x, b->column[j], c->low, c->high, c->need);
    }
    for (size_t j = 0; j < b->n_columns; j++) {
        const rsp_cell_state *c = &p->cells[b->column[j]];
        if (!moved(c)) continue;
        x->before[j] = x->n;
        add_column(x, b->column[j], c->low, c->high, c->need_before);
        int row = glp_add_rows(x->lp, 1);
        x->row[row - 1] = p->n_relations + b->column[j];
        glp_set_row_bnds(x->lp, row, GLP_DB, -c->fall, c->rise);
        glp_set_mat_row(x->lp, row, 2, (int[]){0, (int) x->before[j] + 1, (int) j + 1}, (double[]){0, -1, 1});
    }
}

static struct attack attack_new(const struct protector *p, const struct block *b) {
    size_t room = 2 * b->n_columns;
    struct attack x = {.lp = glp_create_prob(),
                       .cell = rsp_malloc(room * sizeof *x.cell),
                       .low = rsp_malloc(room * sizeof(double)),
                       .high = rsp_malloc(room * sizeof(double)),
                       .need = rsp_malloc(room * sizeof(double)),
                       .before = rsp_malloc(room * sizeof *x.before),
                       .row = rsp_malloc((b->n_rows + b->n_columns) * sizeof *x.row)};
    int *index = rsp_malloc((b->n_columns + 1) * sizeof *index);
    double *value = rsp_malloc((b->n_columns + 1) * sizeof *value);
    add_columns(p, b, &x);
    for (size_t i = 0; i < b->n_rows; i++) {
        const rsp_relation *r = &p->relations[b->row[i]];
        int n = 0;
        if (!counts_only(p, r)) continue;
        for (size_t k = 0; k < r->n; k++) {
            if (!takes_part(p, r, k)) continue;
            size_t j = p->place[r->cell[k]];
            index[++n] = (int) (!of_tonight(r, k) && x.before[j] != RSP_NONE ? x.before[j] : j) + 1;
            value[n] = coefficient(r, k);
        }
        int row = glp_add_rows(x.lp, 1);
        x.row[row - 1] = b->row[i];
        glp_set_row_bnds(x.lp, row, r->fall + r->rise > 0 ? GLP_DB : GLP_FX, -r->fall, r->rise);
        glp_set_mat_row(x.lp, row, n, index, value);
    }
    free(index);
    free(value);
    return x;
}

static void attack_free(struct attack *x) {
    glp_delete_prob(x->lp);
    free(x->cell);
    free(x->before);
    free(x->row);
    free(x->need);
    free(x->low);
    free(x->high);
}

static bool solved(glp_prob *lp, const glp_smcp *how) {
    return glp_simplex(lp, how) == 0 && glp_get_status(lp) == GLP_OPT;
}

/* Optimises one cell; every table found on the way widens what is known of the others. False: no answer. */
static bool bound(struct attack *x, size_t j, int direction) {
    glp_smcp how;
    glp_init_smcp(&how);
    how.msg_lev = GLP_MSG_OFF;
    glp_set_obj_dir(x->lp, direction);
    glp_set_obj_coef(x->lp, (int) j + 1, 1);
    bool ok = solved(x->lp, &how);
    if (!ok) {
        glp_std_basis(x->lp);
        ok = solved(x->lp, &how);
    }
    glp_set_obj_coef(x->lp, (int) j + 1, 0);
    for (size_t k = 0; ok && k < x->n; k++) {
        double v = glp_get_col_prim(x->lp, (int) k + 1);
        if (v < x->low[k]) x->low[k] = v;
        if (v > x->high[k]) x->high[k] = v;
    }
    return ok;
}

static bool wide_enough(const struct attack *x, size_t j) { return x->high[j] - x->low[j] >= x->need[j] - 1e-6; }

static bool intervals_wide(struct protector *p, struct block *b) {
    struct attack x = attack_new(p, b);
    bool changed = false;
    take_reach(p, b, &x);
    take_basis(p, b, &x);
    for (size_t j = 0; j < b->n_columns; j++) p->cells[b->column[j]].exposed = false;
    for (size_t j = 0; j < x.n && !changed; j++) {
        if (!p->cells[x.cell[j]].counts) continue;
        for (int direction = GLP_MIN; !wide_enough(&x, j) && direction <= GLP_MAX; direction++)
            if (!bound(&x, j, direction)) break;
        if (!wide_enough(&x, j)) changed = hide_partner(p, b, x.cell[j]);
    }
    keep_reach(p, b, &x);
    keep_basis(p, b, &x);
    attack_free(&x);
    return !changed;
}

/* ---- rounds ----------------------------------------------------------------------------------------------------- */

static void describe_cell(rsp_buf *out, const rsp_cell_state *c) {
    const double numbers[] = {(double) c->count, c->room, c->low,         c->high,    c->fall,
                              c->rise,           c->need, c->need_before, c->now_low, c->now_high};
    const char marks[] = {c->known, c->counts, c->hidden, c->open, c->held, c->past};
    rsp_buf_add(out, (const char *) numbers, sizeof numbers);
    rsp_buf_add(out, marks, sizeof marks);
}

static void describe_relation(const struct protector *p, rsp_buf *out, const rsp_relation *r) {
    const double ends[] = {r->fall, r->rise};
    const char marks[] = {r->sign != NULL, r->to_tonight, counts_only(p, r)};
    rsp_buf_add(out, (const char *) ends, sizeof ends);
    rsp_buf_add(out, marks, sizeof marks);
    for (size_t k = 0; k < r->n; k++) {
        if (!takes_part(p, r, k)) continue;
        rsp_buf_add(out, (const char *) &p->place[r->cell[k]], sizeof *p->place);
        rsp_buf_add(out, coefficient(r, k) < 0 ? "-" : "+", 1);
    }
}

/* All that the verdict on a block rests on: a block that is safe hides nothing more, so what could be hidden is no part. */
static rsp_buf describe(const struct protector *p, const struct block *b) {
    rsp_buf out = {0};
    for (size_t j = 0; j < b->n_columns; j++) describe_cell(&out, &p->cells[b->column[j]]);
    for (size_t i = 0; i < b->n_rows; i++) describe_relation(p, &out, &p->relations[b->row[i]]);
    return out;
}

static bool protect_block(struct protector *p, struct block *b) {
    for (size_t j = 0; j < b->n_columns; j++) p->place[b->column[j]] = j;
    rsp_buf description = describe(p, b);
    bool safe = rsp_map_get_n(p->safe, description.data, description.length) != RSP_NONE, exposed = false;
    if (safe) {
        for (size_t j = 0; j < b->n_columns; j++) p->cells[b->column[j]].exposed = false;
    } else {
        safe = nothing_determined(p, b) && intervals_wide(p, b);
        for (size_t j = 0; j < b->n_columns; j++) exposed |= p->cells[b->column[j]].exposed;
        if (safe && !exposed) rsp_map_put_n(p->safe, description.data, description.length, 1);
    }
    rsp_buf_free(&description);
    return safe;
}

static void push(size_t **v, size_t *n, size_t *capacity, size_t x) { RSP_PUSH(*v, *n, *capacity, x); }

/* The systems that hang together, each in the place of the cell that stands for its component; others are empty. */
struct blocks {
    struct list {
        size_t *v, n, capacity;
    } * rows, *columns;
};

static struct blocks blocks_new(struct protector *p) {
    struct blocks all = {rsp_calloc(p->n_cells + 1, sizeof *all.rows), rsp_calloc(p->n_cells + 1, sizeof *all.columns)};
    count_unknowns(p);
    join_components(p);
    for (size_t k = 0; k < p->n_cells; k++)
        if (is_asked(p, k)) {
            struct list *l = &all.columns[find(p->component, k)];
            push(&l->v, &l->n, &l->capacity, k);
        }
    for (size_t i = 0; i < p->n_relations; i++) {
        const rsp_relation *r = &p->relations[i];
        size_t k = 0;
        if (!usable(p, i)) continue;
        while (!takes_part(p, r, k)) k++;
        struct list *l = &all.rows[find(p->component, r->cell[k])];
        push(&l->v, &l->n, &l->capacity, i);
    }
    return all;
}

static struct block block_of(const struct blocks *all, size_t component) {
    const struct list *rows = &all->rows[component], *columns = &all->columns[component];
    return (struct block){rows->n, columns->n, rows->v, columns->v, NULL};
}

static void blocks_free(const struct protector *p, struct blocks *all) {
    for (size_t k = 0; k < p->n_cells; k++) free(all->rows[k].v), free(all->columns[k].v);
    free(all->rows);
    free(all->columns);
}

/* One round over all components; true if a cell was marked. */
static bool round_of(struct protector *p) {
    struct blocks all = blocks_new(p);
    bool changed = false;
    for (size_t k = 0; k < p->n_cells; k++) {
        struct block b = block_of(&all, k);
        /* In no relation, a hidden cell is safe; one that is shown again says what it was. */
        bool alone = b.n_columns && !b.n_rows && is_unknown(p, b.column[0]);
        if (b.n_columns && !alone) changed |= !protect_block(p, &b);
    }
    blocks_free(p, &all);
    for (size_t k = 0; k < p->n_cells; k++) {
        p->marked += p->next[k] && !p->cells[k].hidden;
        p->cells[k].hidden |= p->next[k];
    }
    return changed;
}

static struct protector protector_new(size_t n_cells, rsp_cell_state *cells, size_t n_relations,
                                      const rsp_relation *relations, rsp_map *safe) {
    struct protector p = {.n_cells = n_cells,
                          .n_relations = n_relations,
                          .cells = cells,
                          .next = rsp_calloc(n_cells + 1, sizeof(bool)),
                          .relations = relations,
                          .safe = safe,
                          .reach = rsp_calloc(n_cells + 1, sizeof *p.reach),
                          .status = rsp_calloc(n_relations + 1, sizeof *p.status),
                          .place = rsp_malloc((n_cells + 1) * sizeof *p.place),
                          .unknowns = rsp_malloc((n_relations + 1) * sizeof *p.unknowns),
                          .component = rsp_malloc((n_cells + 1) * sizeof *p.component)};
    glp_term_out(GLP_OFF);
    list_relations(&p);
    return p;
}

static void protector_free(struct protector *p) {
    glp_free_env();
    free(p->component);
    free(p->unknowns);
    free(p->place);
    free(p->first);
    free(p->relation);
    free(p->reach);
    free(p->status);
    free(p->next);
}

size_t rsp_protect(size_t n_cells, rsp_cell_state *cells, size_t n_relations, const rsp_relation *relations,
                   rsp_map *safe) {
    struct protector p = protector_new(n_cells, cells, n_relations, relations, safe);
    while (round_of(&p)) continue; /* each round hides a cell more, so it ends */
    protector_free(&p);
    return p.marked;
}

/* ---- taking back ------------------------------------------------------------------------------------------------ */

/* Without the cell, would a relation say what another one is? Sooner seen than by linear programming. */
static bool leaves_one(const struct protector *p, size_t cell) {
    for (size_t j = p->first[cell]; j < p->first[cell + 1]; j++) {
        const rsp_relation *r = &p->relations[p->relation[j]];
        if (p->unknowns[p->relation[j]] != 2) continue;
        for (size_t k = 0; k < r->n; k++)
            if (r->cell[k] != cell && is_unknown(p, r->cell[k]) && p->cells[r->cell[k]].need > 0) return true;
    }
    return false;
}

/* Do all intervals stay wide enough where the j-th column is known? */
static bool wide_without(const struct protector *p, struct attack *x, size_t j) {
    bool wide = true;
    glp_set_col_bnds(x->lp, (int) j + 1, GLP_FX, 0, 0);
    for (size_t k = 0; k < x->n; k++) x->low[k] = x->high[k] = 0;
    for (size_t k = 0; wide && k < x->n; k++) {
        if (k == j || !is_unknown(p, x->cell[k])) continue;
        for (int direction = GLP_MIN; !wide_enough(x, k) && direction <= GLP_MAX; direction++)
            if (!bound(x, k, direction)) break;
        wide = wide_enough(x, k);
    }
    const rsp_cell_state *c = &p->cells[x->cell[j]];
    if (!wide) glp_set_col_bnds(x->lp, (int) j + 1, c->high > -c->low ? GLP_DB : GLP_FX, -c->low, c->high);
    return wide;
}

static void take_back(struct protector *p, size_t cell) {
    p->cells[cell].hidden = false;
    for (size_t j = p->first[cell]; j < p->first[cell + 1]; j++) p->unknowns[p->relation[j]]--;
}

size_t rsp_take_back(size_t n_cells, rsp_cell_state *cells, size_t n_relations, const rsp_relation *relations, size_t n,
                     const size_t *order) {
    struct protector p = protector_new(n_cells, cells, n_relations, relations, NULL);
    struct blocks all = blocks_new(&p);
    struct attack *attack = rsp_calloc(n_cells + 1, sizeof *attack); /* per component, once it is asked for */
    size_t shown = 0;
    for (size_t k = 0; k < n; k++) {
        size_t component = find(p.component, order[k]);
        struct block b = block_of(&all, component);
        if (leaves_one(&p, order[k])) continue;
        if (!attack[component].lp) {
            for (size_t j = 0; j < b.n_columns; j++) p.place[b.column[j]] = j;
            attack[component] = attack_new(&p, &b);
        }
        if (!wide_without(&p, &attack[component], p.place[order[k]])) continue;
        take_back(&p, order[k]);
        shown++;
    }
    for (size_t k = 0; k < n_cells; k++)
        if (attack[k].lp) attack_free(&attack[k]);
    free(attack);
    blocks_free(&p, &all);
    protector_free(&p);
    return shown;
}
