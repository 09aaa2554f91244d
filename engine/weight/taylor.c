/* Linearised variance. A statistic with influence z has, for its variance, the total of u = w e, e the residual of z
 * from the regression on the margins of its group with the weights before calibration (Deville, Saerndal and Sautory 1993,
 * JASA 88, 1013-1020); z itself where nothing is calibrated. Totals of u by sampling unit then give the variance stage
 * by stage (Bellhouse 1985; Saerndal, Swensson and Wretman 1992, section 4.3):
 *
 *   V = sum over strata (1-f) n/(n-1) sum (t - mean)^2 + sum over units f_parent V(stages below)
 *
 * A statistic of a domain is zero elsewhere: an influence is the list of its rows, and only chunks of units that hold
 * one of them, or a row of a calibrated group that it touches, are visited. Rows are visited by unit, each unit's sum
 * is one thread's, and what is left out adds exact zeros: the same bits for any number of threads. */
#include "base/vector.h"
#include "weight/internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { PARALLEL_WORK = 100000, CHUNK = 512 };

/* ---- rows in the order of units --------------------------------------------------------------------------------- */

/* One thread's memory: influences by place, all zero between two statistics. */
struct room {
    double *z;    /* [n] by place */
    double *cell; /* [n_cells] sums, then predictions */
    double *beta, *work;
    uint8_t *group; /* [n_groups] touched */
    uint8_t *chunk; /* [n_chunks] touched */
    struct room *next;
};

/* Rows stand in the order of the last stage's units, so that a unit's total is read in one go. */
typedef struct rsp_taylor_layout {
    size_t n_units, n_chunks, n_groups;
    bool in_order;      /* rows stand in the order of units anyway */
    uint32_t *place;    /* [n] of a row in that order */
    uint32_t *unit;     /* [n] of a row */
    int32_t *cell;      /* [n] by place; NULL without calibration */
    double *weight;     /* [n] by place: the sample's */
    uint8_t *holds;     /* [n_chunks * n_groups] does the chunk hold a row of the group? */
    struct room *rooms; /* not in use */
} layout;

static layout *layout_new(const rsp_sample *s) {
    const rsp_design_private *d = s->private_;
    const rsp_calibration *c = d->calibration;
    layout *l = RSP_NEW(s->arena, layout);
    l->n_units = d->stages[d->n_stages - 1].n_units;
    l->n_chunks = (l->n_units + CHUNK - 1) / CHUNK;
    l->n_groups = c ? c->n_groups : 0;
    l->place = RSP_ARRAY(s->arena, uint32_t, s->n);
    l->unit = RSP_ARRAY(s->arena, uint32_t, s->n);
    l->cell = c ? RSP_ARRAY(s->arena, int32_t, s->n) : NULL;
    l->weight = RSP_ARRAY(s->arena, double, s->n);
    l->holds = RSP_ARRAY(s->arena, uint8_t, l->n_chunks * l->n_groups + 1);
    l->in_order = true;
    for (size_t u = 0; u < l->n_units; u++)
        for (size_t r = d->unit_start[u]; r < d->unit_start[u + 1]; r++) {
            size_t i = d->order[r];
            l->place[i] = (uint32_t) r;
            l->in_order &= i == r;
            l->unit[i] = (uint32_t) u;
            l->weight[r] = s->weight[i];
            if (!c) continue;
            l->cell[r] = c->row_cell[i];
            l->holds[u / CHUNK * l->n_groups + (size_t) s->group[i]] = 1;
        }
    return l;
}

/* Made at the first call, which may be any thread's. */
static layout *layout_of(const rsp_sample *s) {
    layout *l;
#pragma omp critical(rsp_taylor_layout)
    {
        if (!s->private_->layout) s->private_->layout = layout_new(s);
        l = s->private_->layout;
    }
    return l;
}

static struct room *room_take(const rsp_sample *s, layout *l) {
    struct room *r;
#pragma omp critical(rsp_taylor_layout)
    {
        r = l->rooms;
        if (r) {
            l->rooms = r->next;
        } else {
            const rsp_calibration *c = s->private_->calibration;
            size_t cols = c ? c->max_cols + 1 : 1;
            r = RSP_NEW(s->arena, struct room);
            r->z = RSP_ARRAY(s->arena, double, s->n);
            r->cell = RSP_ARRAY(s->arena, double, c ? c->n_cells : 0);
            r->beta = RSP_ARRAY(s->arena, double, cols);
            r->work = RSP_ARRAY(s->arena, double, cols);
            r->group = RSP_ARRAY(s->arena, uint8_t, l->n_groups + 1);
            r->chunk = RSP_ARRAY(s->arena, uint8_t, l->n_chunks);
        }
    }
    return r;
}

static void room_give(layout *l, struct room *r) {
#pragma omp critical(rsp_taylor_layout)
    {
        r->next = l->rooms;
        l->rooms = r;
    }
}

/* ---- residuals -------------------------------------------------------------------------------------------------- */

/* Turns a group's cell sums into fitted values. */
static void predict_group(const rsp_calibration *c, size_t group, struct room *room) {
    const rsp_problem *p = &c->problems[group];
    size_t from = c->group_cell[group], numeric = p->n_cols - p->n_numeric;
    double *cell = room->cell + from, *beta = room->beta;
    memset(beta, 0, p->n_cols * sizeof *beta);
    for (size_t k = 0; k < p->n_cells; k++) {
        for (size_t m = 0; m < p->n_margins; m++) beta[p->col[k * p->n_margins + m]] += cell[k];
        for (size_t q = 0; q < p->n_numeric; q++) beta[numeric + q] += cell[k] * p->x[k * p->n_numeric + q];
    }
    rsp_factor_solve(&c->regression[group], room->work, beta);
    for (size_t k = 0; k < p->n_cells; k++) {
        double fitted = 0;
        for (size_t m = 0; m < p->n_margins; m++) fitted += beta[p->col[k * p->n_margins + m]];
        for (size_t q = 0; q < p->n_numeric; q++) fitted += beta[numeric + q] * p->x[k * p->n_numeric + q];
        cell[k] = fitted;
    }
}

/* Row of the k-th influence; without a list, of every row. */
static inline size_t row_of(const rsp_influence *z, size_t k) { return z->row ? z->row[k] : k; }

/* Lays the influence out by place, sums it by cell, marks the groups and chunks that it touches. */
static void spread(const rsp_sample *s, const layout *l, const rsp_influence *z, struct room *room) {
    const rsp_calibration *c = s->private_->calibration;
    if (!c) {
        for (size_t k = 0; k < z->n; k++) {
            size_t i = row_of(z, k);
            if (z->z[k] == 0) continue;
            room->z[l->place[i]] = z->z[k];
            room->chunk[l->unit[i] / CHUNK] = 1;
        }
        return;
    }
    memset(room->cell, 0, c->n_cells * sizeof *room->cell);
    for (size_t k = 0; k < z->n; k++) {
        size_t i = row_of(z, k), group = (size_t) s->group[i];
        if (z->z[k] == 0) continue;
        room->z[l->place[i]] = z->z[k];
        if (c->solved[group]) {
            room->cell[c->row_cell[i]] += s->base[i] * z->z[k];
            room->group[group] = 1;
        } else {
            room->chunk[l->unit[i] / CHUNK] = 1;
        }
    }
    for (size_t g = 0; g < l->n_groups; g++) {
        if (!room->group[g]) continue;
        predict_group(c, g, room);
        for (size_t chunk = 0; chunk < l->n_chunks; chunk++) room->chunk[chunk] |= l->holds[chunk * l->n_groups + g];
    }
}

static void clear(const layout *l, const rsp_influence *z, struct room *room) {
    for (size_t k = 0; k < z->n; k++) room->z[l->place[row_of(z, k)]] = 0;
    memset(room->group, 0, l->n_groups);
    memset(room->chunk, 0, l->n_chunks);
}

/* ---- totals ----------------------------------------------------------------------------------------------------- */

/* Units between which all totals of a statistic lie that are not zero. */
struct range {
    size_t from, to;
};

static double unit_total(const rsp_sample *s, const layout *l, const double *w, const struct room *room, size_t u) {
    const rsp_design_private *d = s->private_;
    double total = 0;
    for (size_t r = d->unit_start[u]; r < d->unit_start[u + 1]; r++) {
        double weight = w ? w[d->order[r]] : l->weight[r];
        total += weight * (l->cell ? room->z[r] - room->cell[l->cell[r]] : room->z[r]);
    }
    return total;
}

/* totals[units of the last stage] of w (z - prediction); w NULL: the sample's weights. */
static struct range unit_totals(const rsp_sample *s, const layout *l, const double *w, const rsp_influence *z,
                                struct room *room, double *totals) {
    struct range all = {l->n_units, 0};
    spread(s, l, z, room);
    for (size_t chunk = 0; chunk < l->n_chunks; chunk++) {
        size_t from = chunk * CHUNK, to = from + CHUNK < l->n_units ? from + CHUNK : l->n_units;
        if (!room->chunk[chunk]) {
            memset(totals + from, 0, (to - from) * sizeof *totals);
            continue;
        }
        for (size_t u = from; u < to; u++) totals[u] = unit_total(s, l, w, room, u);
        if (all.from > from) all.from = from;
        all.to = to;
    }
    clear(l, z, room);
    return all;
}

static void all_totals(const rsp_sample *s, const double *w, const rsp_influence *z, size_t p, double *totals,
                       struct range *range) {
    layout *l = layout_of(s);
    size_t work = 0;
    for (size_t k = 0; k < p; k++) work += z[k].n;
#pragma omp parallel if (work > PARALLEL_WORK)
    {
        struct room *room = room_take(s, l);
#pragma omp for schedule(dynamic)
        for (size_t k = 0; k < p; k++) range[k] = unit_totals(s, l, w, &z[k], room, totals + k * l->n_units);
        room_give(l, room);
    }
}

/* Totals of one stage from those of the stage below, statistic by statistic. */
static double *roll_up(const rsp_stage *below, const double *totals, size_t p) {
    double *up = rsp_calloc(p * below->n_parents, sizeof *up);
    for (size_t k = 0; k < p; k++)
        for (size_t u = 0; u < below->n_units; u++)
            up[k * below->n_parents + (size_t) below->parent[u]] += totals[k * below->n_units + u];
    return up;
}

/* Turns totals into deviations whose products sum to the stage's variance. Returns where they are not zero: parents
 * whose units all lie outside the range stay as they are. */
static struct range center(const rsp_stage *stage, double *t, struct range range) {
    struct range all = {stage->n_units, 0};
    for (size_t q = 0; q < stage->n_parents; q++) {
        size_t from = stage->first[q], to = stage->first[q + 1];
        double mean = 0, root = sqrt(stage->scale[q]);
        if (from >= range.to || to <= range.from) continue;
        if (stage->mode[q] == RSP_UNIT_SPREAD) {
            for (size_t u = from; u < to; u++) mean += t[u];
            mean /= (double) (to - from);
        }
        for (size_t u = from; u < to; u++) /* not root * anything: NaN must not come of a stratum that adds nothing */
            t[u] = stage->mode[q] == RSP_UNIT_ZERO ? 0 : root * (t[u] - mean);
        if (all.from > from) all.from = from;
        all.to = to;
    }
    return all;
}

/* Four running sums in fixed order: as fast as the processor adds, and the same everywhere. Begins at a multiple of
 * four, so that a sum has the same bits wherever its zeros were left out. */
static double dot(const double *x, const double *y, struct range a, struct range b, size_t n) {
    double s0 = 0, s1 = 0, s2 = 0, s3 = 0;
    size_t i = (a.from > b.from ? a.from : b.from) & ~(size_t) 3, to = a.to < b.to ? a.to : b.to;
    to = (to + 3) & ~(size_t) 3;
    if (to > n) to = n;
    for (; i + 4 <= to; i += 4) {
        s0 += x[i] * y[i];
        s1 += x[i + 1] * y[i + 1];
        s2 += x[i + 2] * y[i + 2];
        s3 += x[i + 3] * y[i + 3];
    }
    for (; i < to; i++) s0 += x[i] * y[i];
    return (s0 + s1) + (s2 + s3);
}

static void add_products(const rsp_stage *stage, double *t, size_t p, struct range *range, double *vcov) {
    size_t n = stage->n_units;
#pragma omp parallel if (n * p > PARALLEL_WORK)
    {
#pragma omp for schedule(dynamic)
        for (size_t k = 0; k < p; k++) range[k] = center(stage, t + k * n, range[k]);
#pragma omp for schedule(dynamic)
        for (size_t k = 0; k < p; k++)
            for (size_t l = 0; l <= k; l++) vcov[k * p + l] += dot(t + k * n, t + l * n, range[k], range[l], n);
    }
}

static bool report_lonely(const rsp_sample *s, rsp_diag *d) {
    const rsp_design_private *p = s->private_;
    for (size_t k = 0; k < p->n_stages; k++) {
        if (!p->stages[k].lonely) continue;
        size_t lonely = 0, first = RSP_NONE;
        for (size_t q = 0; q < p->stages[k].n_parents; q++) {
            if (p->stages[k].mode[q] != RSP_UNIT_LONELY) continue;
            if (first == RSP_NONE) first = q;
            lonely++;
        }
        for (size_t j = k; j-- > 0;) first = (size_t) p->stages[j].parent[first];
        rsp_arena *a = rsp_arena_new();
        const char *name = rsp_stratum_name(s, first, a);
        rsp_report(d, RSP_WARNING, s->frame->study->design.loc,
                   "merge it with another, or say lonely: adjust or certainty",
                   "%zu %s with a single sampling unit (the first: '%s'): no variance can be given", lonely,
                   k ? "units of a later stage" : "strata", name);
        rsp_arena_free(a);
        return true;
    }
    return false;
}

/* Variance, stage by stage, from totals [p * units of the last stage], which it frees. */
static void add_stages(const rsp_sample *s, double *totals, size_t p, struct range *range, double *vcov) {
    const rsp_design_private *design = s->private_;
    for (size_t k = design->n_stages; k-- > 0;) {
        double *up = k ? roll_up(&design->stages[k], totals, p) : NULL; /* before they become deviations */
        add_products(&design->stages[k], totals, p, range, vcov);
        for (size_t j = 0; k && j < p; j++) range[j] = (struct range){0, design->stages[k - 1].n_units};
        free(totals);
        totals = up;
    }
    for (size_t k = 0; k < p; k++)
        for (size_t l = k + 1; l < p; l++) vcov[k * p + l] = vcov[l * p + k];
}

/* Starts vcov; false where no variance can be given. */
static bool begin(const rsp_sample *s, size_t p, double *vcov, rsp_diag *d) {
    for (size_t k = 0; k < p * p; k++) vcov[k] = NAN;
    if (report_lonely(s, d)) return false;
    memset(vcov, 0, p * p * sizeof *vcov);
    return true;
}

bool rsp_taylor_rows(const rsp_sample *s, const double *weight, const rsp_influence *z, size_t p, double *vcov,
                     rsp_diag *d) {
    const rsp_design_private *design = s->private_;
    if (!begin(s, p, vcov, d)) return false;
    if (!p) return true;
    double *totals = rsp_malloc(p * design->stages[design->n_stages - 1].n_units * sizeof *totals);
    struct range *range = rsp_malloc(p * sizeof *range);
    all_totals(s, weight, z, p, totals, range);
    add_stages(s, totals, p, range, vcov);
    free(range);
    return true;
}

/* ---- statistics side by side ------------------------------------------------------------------------------------ */

/* Statistics of the same rows, of which one visit of a row adds all: sums by cell, fitted values, totals by unit. Rows are
 * taken by unit and cut into parts, as many as their number says, between units; a part is one thread's. */
enum { BESIDE = 8, ROWS_AT_ONCE = 128, PART_ROWS = 16384, MOST_PARTS = 16 };

/* As many statistics as one of the widest registers holds. */
typedef double lanes __attribute__((vector_size(BESIDE * sizeof(double)), aligned(8), may_alias));

struct beside {
    const rsp_sample *s;
    const layout *l;
    const double *weight;
    size_t n, p, stride; /* rows, statistics, statistics rounded up to whole registers */
    uint32_t *position;  /* [n] of the given rows, by unit; NULL: as they stand */
    const uint32_t *row; /* as given; NULL: all */
    size_t n_parts, *part;
    rsp_influence_fill fill; /* influences of rows, or */
    const void *context;
    const uint32_t *code; /* [n] as given: the row of `of_code` that holds a row's influences */
    double *of_code;      /* [codes * stride] */
    double *cell;         /* [n_parts + 1][n_cells * stride] sums; the last: fitted values */
    uint8_t *touched;     /* [n_parts * n_cells] holds one of the part's rows */
    uint8_t *group;       /* [n_groups] holds one of the rows, and is calibrated */
    struct range units;   /* whole parents that hold one of the rows, or of their calibrated groups' rows */
    double *totals;       /* [units * stride], the first of the range first */
};

static inline size_t place_at(const struct beside *x, size_t k) { return x->position ? x->position[k] : k; }

static inline size_t row_at(const struct beside *x, size_t k) {
    size_t place = place_at(x, k);
    return x->row ? x->row[place] : place;
}

static bool in_order(const struct beside *x) {
    if (x->l->in_order || x->n < 2) return true;
    if (!x->row) return false;
    size_t k = 1;
    while (k < x->n && x->l->place[x->row[k - 1]] < x->l->place[x->row[k]]) k++;
    return k == x->n;
}

/* Places of the given rows in the order of units. */
static void order_rows(struct beside *x) {
    if (in_order(x)) return;
    x->position = rsp_malloc((x->n + 1) * sizeof *x->position);
    uint32_t *at = rsp_calloc(x->s->n + 1, sizeof *at);
    for (size_t k = 0; k < x->n; k++) at[x->l->place[x->row ? x->row[k] : k]] = (uint32_t) k + 1;
    for (size_t r = 0, k = 0; r < x->s->n; r++)
        if (at[r]) x->position[k++] = at[r] - 1;
    free(at);
}

static void cut_parts(struct beside *x) {
    const rsp_calibration *c = x->s->private_->calibration;
    size_t least = c && 4 * c->n_cells > PART_ROWS ? 4 * c->n_cells : PART_ROWS, wanted = x->n / least + 1;
    if (wanted > MOST_PARTS) wanted = MOST_PARTS;
    x->part = rsp_calloc(wanted + 1, sizeof *x->part);
    for (size_t k = 1; k <= wanted; k++) {
        size_t to = x->n * k / wanted;
        if (to < x->part[k - 1]) to = x->part[k - 1];
        while (to > 0 && to < x->n && x->l->unit[row_at(x, to)] == x->l->unit[row_at(x, to - 1)]) to++;
        x->part[k] = to;
    }
    x->n_parts = wanted;
}

/* Influences of the rows k to k + n as blocks of registers: row by row, or where the rows' codes say. Whatever a loop looks
 * at stands in a local variable: a sum that is stored might be anything, and what it might be would be read again. */
struct block {
    size_t n;
    uint32_t row[ROWS_AT_ONCE], at[ROWS_AT_ONCE]; /* at: place of its influences among z's, in registers */
    const double *z;
};

static void take_block(const struct beside *x, size_t from, size_t to, double *z, struct block *b) {
    uint32_t registers = (uint32_t) (x->stride / BESIDE), place[ROWS_AT_ONCE];
    b->n = to - from;
    b->z = x->fill ? z : x->of_code;
    for (size_t k = 0; k < b->n; k++) place[k] = (uint32_t) place_at(x, from + k);
    for (size_t k = 0; k < b->n; k++) b->row[k] = x->row ? x->row[place[k]] : place[k];
    for (size_t k = 0; k < b->n; k++) b->at[k] = registers * (x->fill ? (uint32_t) k : x->code[place[k]]);
    if (x->fill) x->fill(x->context, place, b->n, x->stride, z);
}

/* into[where of a row] += weight * its influences, register by register. */
RSP_WIDE
static void add_block(const struct block *b, size_t registers, const uint32_t *restrict where,
                      const double *restrict weight, double *restrict into) {
    const uint32_t *restrict at = b->at;
    const lanes *restrict z = (const lanes *) b->z;
    lanes *restrict sums = (lanes *) into;
    size_t n = b->n;
    if (registers == 1) {
        for (size_t k = 0; k < n; k++) sums[where[k]] += weight[k] * z[at[k]];
        return;
    }
    for (size_t k = 0; k < n; k++)
        for (size_t q = 0; q < registers; q++) sums[where[k] * registers + q] += weight[k] * z[at[k] + q];
}

static void add_to_cells(const struct beside *x, const struct block *b, double *sums, uint8_t *touched) {
    const int32_t *cell = x->s->private_->calibration->row_cell;
    uint32_t where[ROWS_AT_ONCE];
    double base[ROWS_AT_ONCE];
    for (size_t k = 0; k < b->n; k++) where[k] = (uint32_t) cell[b->row[k]];
    for (size_t k = 0; k < b->n; k++) base[k] = x->s->base[b->row[k]];
    for (size_t k = 0; k < b->n; k++) touched[where[k]] = 1;
    add_block(b, x->stride / BESIDE, where, base, sums);
}

static void add_to_units(const struct beside *x, const struct block *b) {
    const double *weight = x->weight ? x->weight : x->s->weight;
    uint32_t where[ROWS_AT_ONCE], first = (uint32_t) x->units.from;
    double w[ROWS_AT_ONCE];
    for (size_t k = 0; k < b->n; k++) where[k] = x->l->unit[b->row[k]] - first;
    for (size_t k = 0; k < b->n; k++) w[k] = weight[b->row[k]];
    add_block(b, x->stride / BESIDE, where, w, x->totals);
}

RSP_WIDE
static void take_fitted(const struct beside *x, size_t from, size_t to, const double *fitted) {
    const rsp_design_private *d = x->s->private_;
    const uint32_t *start = d->unit_start, *order = x->weight ? d->order : NULL;
    const double *weight = x->weight ? x->weight : x->l->weight;
    const int32_t *cell = x->l->cell;
    size_t registers = x->stride / BESIDE;
    lanes *totals = (lanes *) (x->totals + (from - x->units.from) * x->stride);
    for (size_t unit = from; unit < to; unit++)
        for (size_t q = 0; q < registers; q++) {
            lanes sum = {0};
            for (size_t r = start[unit]; r < start[unit + 1]; r++)
                sum += weight[order ? order[r] : r] * ((const lanes *) fitted)[(size_t) cell[r] * registers + q];
            *totals++ -= sum;
        }
}

/* Influences of a part's rows, block by block, to the sums by cell or, where these are NULL, by unit. */
static void visit_part(const struct beside *x, size_t part, double *sums, uint8_t *touched) {
    double *z = x->fill ? rsp_calloc(ROWS_AT_ONCE * x->stride, sizeof *z) : NULL;
    struct block b;
    for (size_t from = x->part[part]; from < x->part[part + 1]; from += ROWS_AT_ONCE) {
        size_t to = from + ROWS_AT_ONCE < x->part[part + 1] ? from + ROWS_AT_ONCE : x->part[part + 1];
        take_block(x, from, to, z, &b);
        if (sums) add_to_cells(x, &b, sums, touched);
        else add_to_units(x, &b);
    }
    free(z);
}

static void sum_cells(struct beside *x) {
    const rsp_calibration *c = x->s->private_->calibration;
    x->cell = rsp_calloc((x->n_parts + 1) * c->n_cells * x->stride, sizeof *x->cell);
    x->touched = rsp_calloc(x->n_parts * c->n_cells + 1, 1);
#pragma omp parallel for schedule(dynamic, 1) num_threads(rsp_threads()) if (x->n_parts > 1)
    for (size_t part = 0; part < x->n_parts; part++)
        visit_part(x, part, x->cell + part * c->n_cells * x->stride, x->touched + part * c->n_cells);
    for (size_t g = 0; g < c->n_groups; g++)
        for (size_t part = 0; c->solved[g] && part < x->n_parts; part++)
            for (size_t k = c->group_cell[g]; k < c->group_cell[g + 1]; k++)
                x->group[g] |= x->touched[part * c->n_cells + k];
}

/* Sums by cell of all parts become fitted values, statistic by statistic. */
static double *fit_cells(struct beside *x) {
    const rsp_calibration *c = x->s->private_->calibration;
    size_t size = c->n_cells * x->stride;
    double *fitted = x->cell + x->n_parts * size;
    for (size_t part = 0; part < x->n_parts; part++)
        for (size_t k = 0; k < size; k++) fitted[k] += x->cell[part * size + k];
    struct room *room = room_take(x->s, (layout *) x->l);
    for (size_t g = 0; g < c->n_groups; g++) {
        size_t from = c->group_cell[g], to = c->group_cell[g + 1];
        if (!x->group[g]) {
            memset(fitted + from * x->stride, 0, (to - from) * x->stride * sizeof *fitted);
            continue;
        }
        for (size_t j = 0; j < x->p; j++) {
            for (size_t k = from; k < to; k++) room->cell[k] = fitted[k * x->stride + j];
            predict_group(c, g, room);
            for (size_t k = from; k < to; k++) fitted[k * x->stride + j] = room->cell[k];
        }
    }
    room_give((layout *) x->l, room);
    return fitted;
}

static void take_all_fitted(const struct beside *x, const double *fitted) {
    const layout *l = x->l;
#pragma omp parallel for schedule(dynamic, 1) num_threads(rsp_threads()) if (x->n_parts > 1)
    for (size_t chunk = 0; chunk < l->n_chunks; chunk++) {
        bool touched = false;
        for (size_t g = 0; g < l->n_groups; g++) touched |= x->group[g] && l->holds[chunk * l->n_groups + g];
        size_t from = chunk * CHUNK, to = from + CHUNK;
        if (from < x->units.from) from = x->units.from;
        if (to > x->units.to) to = x->units.to;
        if (touched) take_fitted(x, from, to, fitted);
    }
}

/* Units from the first to the last of these, and those with the same parents. */
static struct range whole_parents(const rsp_stage *stage, struct range units) {
    if (units.from >= units.to) return (struct range){0, 0};
    return (struct range){stage->first[stage->parent[units.from]], stage->first[stage->parent[units.to - 1] + 1]};
}

static struct range units_touched(const struct beside *x) {
    const layout *l = x->l;
    const rsp_design_private *d = x->s->private_;
    struct range all = {x->n ? l->unit[row_at(x, 0)] : l->n_units, x->n ? l->unit[row_at(x, x->n - 1)] + 1 : 0};
    for (size_t chunk = 0; chunk < l->n_chunks; chunk++)
        for (size_t g = 0; g < l->n_groups; g++) {
            size_t from = chunk * CHUNK, to = from + CHUNK < l->n_units ? from + CHUNK : l->n_units;
            if (!x->group[g] || !l->holds[chunk * l->n_groups + g]) continue;
            if (all.from > from) all.from = from;
            if (all.to < to) all.to = to;
        }
    return whole_parents(&d->stages[d->n_stages - 1], all);
}

static void totals_beside(struct beside *x) {
    const rsp_calibration *c = x->s->private_->calibration;
    if (c) sum_cells(x);
    x->units = units_touched(x);
    x->totals = rsp_calloc((x->units.to - x->units.from) * x->stride + 1, sizeof *x->totals);
#pragma omp parallel for schedule(dynamic, 1) num_threads(rsp_threads()) if (x->n_parts > 1)
    for (size_t part = 0; part < x->n_parts; part++) visit_part(x, part, NULL, NULL);
    if (c) take_all_fitted(x, fit_cells(x));
    free(x->cell);
    free(x->touched);
}

/* ---- their variance --------------------------------------------------------------------------------------------- */

/* As center(): totals t [units * stride] of whole parents, in place. */
RSP_WIDE
static void center_beside(const rsp_stage *stage, struct range units, size_t stride, double *t) {
    for (size_t q = (size_t) stage->parent[units.from]; q < stage->n_parents && stage->first[q] < units.to; q++) {
        size_t from = stage->first[q] - units.from, to = stage->first[q + 1] - units.from;
        double root = sqrt(stage->scale[q]);
        for (size_t r = 0; r < stride; r += BESIDE) {
            lanes mean = {0};
            for (size_t u = from; u < to && stage->mode[q] == RSP_UNIT_SPREAD; u++)
                mean += *(const lanes *) (t + u * stride + r);
            if (stage->mode[q] == RSP_UNIT_SPREAD) mean /= (double) (to - from);
            for (size_t u = from; u < to; u++) {
                lanes *of = (lanes *) (t + u * stride + r);
                if (stage->mode[q] == RSP_UNIT_ZERO) *of = (lanes){0};
                else *of = root * (*of - mean);
            }
        }
    }
}

/* sums [stride * stride] += products of n units' totals t, eight statistics by eight whose sums stay in registers; of these
 * squares the ones on and below the diagonal. */
RSP_WIDE
static void multiply_units(const double *t, size_t n, size_t stride, double *sums) {
    for (size_t a = 0; a < stride; a += BESIDE)
        for (size_t b = 0; b <= a; b += BESIDE) {
            lanes s[BESIDE];
            for (size_t j = 0; j < BESIDE; j++) s[j] = *(const lanes *) (sums + (a + j) * stride + b);
            for (size_t u = 0; u < n; u++) {
                const double *by = t + u * stride + a;
                lanes of = *(const lanes *) (t + u * stride + b);
                for (size_t j = 0; j < BESIDE; j++) s[j] += by[j] * of;
            }
            for (size_t j = 0; j < BESIDE; j++) *(lanes *) (sums + (a + j) * stride + b) = s[j];
        }
}

/* sums [stride * stride] += products of n units' totals. Units are cut into parts by their number alone, whose sums are added
 * in order. */
static void add_units_beside(const double *totals, size_t n, size_t stride, double *sums) {
    enum { UNITS_AT_ONCE = 64, PART_UNITS = 1024, MOST_SUMS = 16 };
    size_t parts = n / PART_UNITS + 1, square = stride * stride;
    if (parts > MOST_SUMS) parts = MOST_SUMS;
    double *own = rsp_calloc(parts * square, sizeof *own);
#pragma omp parallel for schedule(dynamic, 1) num_threads(rsp_threads()) if (parts > 2)
    for (size_t p = 0; p < parts; p++)
        for (size_t u = n * p / parts, end = n * (p + 1) / parts; u < end; u += UNITS_AT_ONCE)
            multiply_units(totals + u * stride, end - u < UNITS_AT_ONCE ? end - u : UNITS_AT_ONCE, stride,
                           own + p * square);
    for (size_t p = 0; p < parts; p++)
        for (size_t k = 0; k < square; k++) sums[k] += own[p * square + k];
    free(own);
}

/* Totals of whole parents' units become those of their parents, which are units of whole parents of the stage above. */
RSP_WIDE
static double *roll_up_beside(const rsp_stage *below, struct range units, size_t stride, const double *totals,
                              struct range above) {
    double *up = rsp_calloc((above.to - above.from) * stride + 1, sizeof *up);
    for (size_t u = units.from; u < units.to; u++)
        for (size_t j = 0; j < stride; j++)
            up[((size_t) below->parent[u] - above.from) * stride + j] += totals[(u - units.from) * stride + j];
    return up;
}

/* Variance, stage by stage, from the totals, which it frees. */
static void add_stages_beside(struct beside *x, double *vcov) {
    const rsp_design_private *d = x->s->private_;
    double *sums = rsp_calloc(x->stride * x->stride, sizeof *sums), *totals = x->totals;
    struct range units = x->units;
    for (size_t k = d->n_stages; k-- > 0 && units.from < units.to;) {
        const rsp_stage *stage = &d->stages[k];
        struct range above = {0, 0};
        double *up = NULL;
        if (k) {
            above = (struct range){(size_t) stage->parent[units.from], (size_t) stage->parent[units.to - 1] + 1};
            above = whole_parents(&d->stages[k - 1], above);
            up = roll_up_beside(stage, units, x->stride, totals, above); /* before they become deviations */
        }
        center_beside(stage, units, x->stride, totals);
        add_units_beside(totals, units.to - units.from, x->stride, sums);
        free(totals);
        totals = up;
        units = above;
    }
    for (size_t k = 0; k < x->p; k++)
        for (size_t l = 0; l <= k; l++) vcov[k * x->p + l] = vcov[l * x->p + k] = sums[k * x->stride + l];
    free(totals);
    free(sums);
}

static bool variance_beside(struct beside *x, double *vcov, rsp_diag *d) {
    if (!begin(x->s, x->p, vcov, d)) return false;
    if (!x->p) return true;
    x->l = layout_of(x->s);
    if (!x->row) x->n = x->s->n;
    x->group = rsp_calloc(x->l->n_groups + 1, 1);
    order_rows(x);
    cut_parts(x);
    totals_beside(x);
    add_stages_beside(x, vcov);
    free(x->position), free(x->part), free(x->group);
    return true;
}

static size_t whole_registers(size_t p) { return (p + BESIDE - 1) / BESIDE * BESIDE; }

bool rsp_taylor_fill(const rsp_sample *s, const double *weight, size_t n, const uint32_t *row, size_t p,
                     rsp_influence_fill fill, const void *context, double *vcov, rsp_diag *d) {
    struct beside x = {.s = s, .weight = weight, .n = n, .p = p, .row = row, .fill = fill, .context = context};
    x.stride = whole_registers(p);
    return variance_beside(&x, vcov, d);
}

bool rsp_taylor_codes(const rsp_sample *s, const double *weight, size_t n, const uint32_t *row, const uint32_t *code,
                      size_t n_codes, const double *z, size_t p, double *vcov, rsp_diag *d) {
    struct beside x = {.s = s, .weight = weight, .n = n, .p = p, .row = row, .code = code};
    x.stride = whole_registers(p);
    x.of_code = rsp_calloc(n_codes * x.stride + 1, sizeof *x.of_code);
    for (size_t k = 0; k < n_codes; k++) memcpy(x.of_code + k * x.stride, z + k * p, p * sizeof *z);
    bool good = variance_beside(&x, vcov, d);
    free(x.of_code);
    return good;
}

bool rsp_taylor(const rsp_sample *s, const double *weight, const double *const *z, size_t p, double *vcov,
                rsp_diag *d) {
    rsp_influence *rows = rsp_malloc((p + 1) * sizeof *rows);
    for (size_t k = 0; k < p; k++) rows[k] = (rsp_influence){s->n, NULL, z[k]};
    bool good = rsp_taylor_rows(s, weight, rows, p, vcov, d);
    free(rows);
    return good;
}

static bool cluster_counts(const rsp_sample *s, const uint8_t *take, size_t cluster) {
    const rsp_design_private *d = s->private_;
    for (size_t r = d->cluster_start[cluster]; r < d->cluster_start[cluster + 1]; r++) {
        size_t i = d->cluster_order[r];
        if (s->weight[i] != 0 && (!take || take[i])) return true;
    }
    return false;
}

double rsp_design_df(const rsp_sample *s, const uint8_t *take) {
    const rsp_stage *first = &s->private_->stages[0];
    double clusters = 0, strata = 0;
#pragma omp parallel for schedule(static) num_threads(rsp_threads()) reduction(+ : clusters, strata) if (s->n > RSP_BLOCK)
    for (size_t h = 0; h < s->n_strata; h++) {
        double here = 0;
        for (size_t c = first->first[h]; c < first->first[h + 1]; c++) here += cluster_counts(s, take, c);
        clusters += here;
        strata += here > 0;
    }
    return clusters - strata;
}
