/* Linearised variance. A statistic with influence z has, for its variance, the total of u = w e, e the residual of z
 * from the regression on the margins of its group with the weights before calibration (Deville and Saerndal 1993,
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
    uint32_t *position;  /* [n] of the given rows, by unit */
    const uint32_t *row; /* as given; NULL: all */
    size_t n_parts, *part;
    rsp_influence_fill fill;
    const void *context;
    double *cell;   /* [n_parts + 1][n_cells * stride] sums; the last: fitted values */
    uint8_t *group; /* [n_groups] holds one of the rows, and is calibrated */
    double *totals; /* [n_units * stride] */
};

static inline size_t row_at(const struct beside *x, size_t k) {
    return x->row ? x->row[x->position[k]] : x->position[k];
}

/* Places of the given rows in the order of units. */
static void order_rows(struct beside *x) {
    x->position = rsp_malloc((x->n + 1) * sizeof *x->position);
    if (x->l->in_order) {
        for (size_t k = 0; k < x->n; k++) x->position[k] = (uint32_t) k;
        return;
    }
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

RSP_WIDE
static void add_to_cells(const struct beside *x, size_t from, size_t to, const double *z, double *sums) {
    const int32_t *cell = x->s->private_->calibration->row_cell;
    size_t registers = x->stride / BESIDE;
    for (size_t k = from; k < to; k++) {
        size_t i = row_at(x, k);
        const lanes *of = (const lanes *) (z + (k - from) * x->stride);
        lanes *into = (lanes *) (sums + (size_t) cell[i] * x->stride);
        double base = x->s->base[i];
        for (size_t q = 0; q < registers; q++) into[q] += base * of[q];
    }
}

RSP_WIDE
static void add_to_units(const struct beside *x, size_t from, size_t to, const double *z) {
    const double *weight = x->weight ? x->weight : x->s->weight;
    size_t registers = x->stride / BESIDE;
    for (size_t k = from; k < to; k++) {
        size_t i = row_at(x, k);
        const lanes *of = (const lanes *) (z + (k - from) * x->stride);
        lanes *into = (lanes *) (x->totals + x->l->unit[i] * x->stride);
        double w = weight[i];
        for (size_t q = 0; q < registers; q++) into[q] += w * of[q];
    }
}

RSP_WIDE
static void take_fitted(const struct beside *x, size_t from, size_t to, const double *fitted) {
    const rsp_design_private *d = x->s->private_;
    size_t registers = x->stride / BESIDE;
    for (size_t unit = from; unit < to; unit++)
        for (size_t q = 0; q < registers; q++) {
            lanes sum = {0};
            for (size_t r = d->unit_start[unit]; r < d->unit_start[unit + 1]; r++) {
                double w = x->weight ? x->weight[d->order[r]] : x->l->weight[r];
                sum += w * ((const lanes *) (fitted + (size_t) x->l->cell[r] * x->stride))[q];
            }
            ((lanes *) (x->totals + unit * x->stride))[q] -= sum;
        }
}

/* Influences of a part's rows, block by block, to the sums by cell (NULL: not wanted) or by unit. */
static void visit_part(const struct beside *x, size_t part, double *sums) {
    double *z = rsp_calloc(ROWS_AT_ONCE * x->stride, sizeof *z);
    for (size_t from = x->part[part]; from < x->part[part + 1]; from += ROWS_AT_ONCE) {
        size_t to = from + ROWS_AT_ONCE < x->part[part + 1] ? from + ROWS_AT_ONCE : x->part[part + 1];
        x->fill(x->context, x->position + from, to - from, x->stride, z);
        if (sums) add_to_cells(x, from, to, z, sums);
        else add_to_units(x, from, to, z);
    }
    free(z);
}

/* Sums by cell of all parts become fitted values, statistic by statistic. */
static double *fit_cells(struct beside *x) {
    const rsp_calibration *c = x->s->private_->calibration;
    size_t size = c->n_cells * x->stride;
    double *fitted = x->cell + x->n_parts * size;
    for (size_t part = 0; part < x->n_parts; part++)
        for (size_t k = 0; k < size; k++) fitted[k] += x->cell[part * size + k];
    for (size_t k = 0; k < x->n; k++) {
        size_t g = (size_t) x->s->group[row_at(x, k)];
        x->group[g] = c->solved[g];
    }
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
        size_t from = chunk * CHUNK, to = from + CHUNK < l->n_units ? from + CHUNK : l->n_units;
        if (touched) take_fitted(x, from, to, fitted);
    }
}

/* Units between the first and the last that hold one of the rows or of their calibrated groups' rows. */
static struct range units_touched(const struct beside *x) {
    const layout *l = x->l;
    struct range all = {x->n ? l->unit[row_at(x, 0)] : l->n_units, x->n ? l->unit[row_at(x, x->n - 1)] + 1 : 0};
    for (size_t chunk = 0; chunk < l->n_chunks; chunk++)
        for (size_t g = 0; g < l->n_groups; g++) {
            size_t from = chunk * CHUNK, to = from + CHUNK < l->n_units ? from + CHUNK : l->n_units;
            if (!x->group[g] || !l->holds[chunk * l->n_groups + g]) continue;
            if (all.from > from) all.from = from;
            if (all.to < to) all.to = to;
        }
    return all;
}

static void totals_beside(struct beside *x) {
    const rsp_calibration *c = x->s->private_->calibration;
    double *fitted = NULL;
    if (c) x->cell = rsp_calloc((x->n_parts + 1) * c->n_cells * x->stride, sizeof *x->cell);
#pragma omp parallel for schedule(dynamic, 1) num_threads(rsp_threads()) if (x->n_parts > 1)
    for (size_t part = 0; part < x->n_parts; part++) {
        if (c) visit_part(x, part, x->cell + part * c->n_cells * x->stride);
        visit_part(x, part, NULL);
    }
    if (c) fitted = fit_cells(x);
    if (c) take_all_fitted(x, fitted);
    free(x->cell);
}

bool rsp_taylor_fill(const rsp_sample *s, const double *weight, size_t n, const uint32_t *row, size_t p,
                     rsp_influence_fill fill, const void *context, double *vcov, rsp_diag *d) {
    if (!begin(s, p, vcov, d)) return false;
    if (!p) return true;
    struct beside x = {.s = s, .l = layout_of(s), .weight = weight, .n = row ? n : s->n, .p = p, .row = row};
    x.stride = (p + BESIDE - 1) / BESIDE * BESIDE;
    x.fill = fill;
    x.context = context;
    x.group = rsp_calloc(x.l->n_groups + 1, 1);
    x.totals = rsp_calloc(x.l->n_units * x.stride + 1, sizeof *x.totals);
    order_rows(&x);
    cut_parts(&x);
    totals_beside(&x);
    struct range units = units_touched(&x), *range = rsp_malloc(p * sizeof *range);
    double *totals = rsp_calloc(p * x.l->n_units + 1, sizeof *totals); /* pages that no unit touches are never made */
    for (size_t u = units.from; u < units.to; u++)
        for (size_t k = 0; k < p; k++) totals[k * x.l->n_units + u] = x.totals[u * x.stride + k];
    for (size_t k = 0; k < p; k++) range[k] = units;
    free(x.totals), free(x.position), free(x.part), free(x.group);
    add_stages(s, totals, p, range, vcov);
    free(range);
    return true;
}

bool rsp_taylor(const rsp_sample *s, const double *weight, const double *const *z, size_t p, double *vcov,
                rsp_diag *d) {
    rsp_influence *rows = rsp_malloc((p + 1) * sizeof *rows);
    for (size_t k = 0; k < p; k++) rows[k] = (rsp_influence){s->n, NULL, z[k]};
    bool good = rsp_taylor_rows(s, weight, rows, p, vcov, d);
    free(rows);
    return good;
}

double rsp_design_df(const rsp_sample *s, const uint8_t *take) {
    const rsp_design_private *d = s->private_;
    double clusters = 0, strata = 0;
    for (size_t h = 0; h < s->n_strata; h++) {
        bool any = false;
        for (size_t c = d->stages[0].first[h]; c < d->stages[0].first[h + 1]; c++) {
            bool here = false;
            for (size_t r = d->cluster_start[c]; r < d->cluster_start[c + 1] && !here; r++) {
                size_t i = d->cluster_order[r];
                here = s->weight[i] != 0 && (!take || take[i]);
            }
            clusters += here;
            any |= here;
        }
        strata += any;
    }
    return clusters - strata;
}
