/* From variables and targets to cells and one calibration problem for each group, and back to weights, outcomes and
 * gaps. */
#include "responsive/results.h"
#include "weight/internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A margin over the whole sample: numbers of its codes by row (0: no answer), or values if it is numeric. */
typedef struct {
    const rsp_margin *spec;
    size_t n_codes; /* with 0 */
    int32_t *number;
    const char **code;   /* of number k at k */
    const double *value; /* numeric: NaN missing */
    size_t *target_code; /* [n_targets] number, RSP_NONE where no row has it */
} margin;

typedef struct {
    rsp_sample *s;
    rsp_calibration *c;
    margin *margins;          /* categorical ones first */
    const uint32_t *cell_row; /* a row of each cell */
    const double *respondents, *unit;
    rsp_arena *scratch;
    rsp_diag *d;
} building;

static const rsp_weighting_spec *spec_of(const rsp_sample *s) { return &s->frame->study->weighting; }

/* ---- margins ---------------------------------------------------------------------------------------------------- */

static void cross(const rsp_sample *s, margin *m, const rsp_numbered *v, rsp_arena *scratch) {
    size_t n = s->n;
    int32_t *pair = RSP_ARRAY(scratch, int32_t, n);
    size_t n_pairs = rsp_number_pairs(m->number, m->n_codes, v->number, v->n, n, pair);
    const char **code = RSP_ARRAY(scratch, const char *, n_pairs + 1);
    for (size_t i = 0; i < n; i++) {
        int32_t k = m->number[i] && v->number[i] ? pair[i] + 1 : 0;
        if (k && !code[k]) code[k] = rsp_printf(scratch, "%s:%s", m->code[m->number[i]], v->code[v->number[i] - 1]);
        m->number[i] = k;
    }
    m->n_codes = n_pairs + 1;
    m->code = code;
}

static void number_margin(building *b, margin *m) {
    const rsp_sample *s = b->s;
    for (size_t k = 0; k < m->spec->n_variables; k++) {
        rsp_numbered v = rsp_number_variable(s->frame, m->spec->variables[k], b->scratch);
        if (k) {
            cross(s, m, &v, b->scratch);
            continue;
        }
        m->number = v.number;
        m->n_codes = v.n;
        m->code = RSP_ARRAY(b->scratch, const char *, v.n);
        for (size_t j = 1; j < v.n; j++) m->code[j] = v.code[j - 1];
    }
    rsp_map *names = rsp_map_new();
    for (size_t j = 1; j < m->n_codes; j++)
        if (m->code[j]) rsp_map_put(names, m->code[j], j);
    m->target_code = RSP_ARRAY(b->scratch, size_t, m->spec->n_targets);
    for (size_t t = 0; t < m->spec->n_targets; t++) m->target_code[t] = rsp_map_get(names, m->spec->targets[t].code);
    rsp_map_free(names);
}

static void read_numeric(building *b, margin *m) {
    double *value = RSP_ARRAY(b->scratch, double, b->s->n);
    for (size_t i = 0; i < b->s->n; i++) value[i] = rsp_value(b->s->frame, m->spec->variables[0], i);
    m->value = value;
}

static void read_margins(building *b) {
    const rsp_weighting_spec *spec = spec_of(b->s);
    rsp_calibration *c = b->c;
    b->margins = RSP_ARRAY(b->scratch, margin, spec->n_margins);
    for (size_t k = 0; k < spec->n_margins; k++) {
        if (spec->margins[k].numeric) continue;
        b->margins[c->n_margins].spec = &spec->margins[k];
        number_margin(b, &b->margins[c->n_margins++]);
    }
    for (size_t k = 0; k < spec->n_margins; k++) {
        if (!spec->margins[k].numeric) continue;
        margin *m = &b->margins[c->n_margins + c->n_numeric++];
        m->spec = &spec->margins[k];
        read_numeric(b, m);
    }
}

static void set_aside_missing(building *b) {
    rsp_sample *s = b->s;
    rsp_calibration *c = b->c;
    uint8_t *aside = RSP_ARRAY(s->arena, uint8_t, s->n);
    for (size_t i = 0; i < s->n; i++) {
        bool missing = false;
        for (size_t m = 0; m < c->n_margins; m++) missing |= !b->margins[m].number[i];
        for (size_t q = 0; q < c->n_numeric; q++) missing |= isnan(b->margins[c->n_margins + q].value[i]);
        if (!missing || !(s->private_->base[i] > 0)) continue;
        s->private_->base[i] = 0;
        aside[i] = 1;
        c->set_aside++;
    }
    if (!c->set_aside) return;
    s->set_aside = aside;
    rsp_report(b->d, RSP_NOTE, spec_of(s)->loc, NULL,
               "%zu respondents miss an answer that weighting needs: set aside, with weight 0", c->set_aside);
}

/* ---- cells ------------------------------------------------------------------------------------------------------ */

static bool trims(const rsp_weighting_spec *w) { return !isnan(w->trim_low) || !isnan(w->trim_high); }

static void make_cells(building *b) {
    rsp_sample *s = b->s;
    rsp_calibration *c = b->c;
    size_t n = s->n;
    int32_t *cell = RSP_ARRAY(s->arena, int32_t, n), *id = RSP_ARRAY(b->scratch, int32_t, n);
    const int32_t *so_far = s->group; /* there is a margin, which makes cells of it */
    size_t n_cells = s->n_groups;
    for (size_t m = 0; m < c->n_margins; m++, so_far = cell)
        n_cells = rsp_number_pairs(so_far, n_cells, b->margins[m].number, b->margins[m].n_codes, n, cell);
    for (size_t q = 0; q < c->n_numeric; q++, so_far = cell) {
        size_t values = rsp_number_doubles(b->margins[c->n_margins + q].value, n, id);
        n_cells = rsp_number_pairs(so_far, n_cells, id, values, n, cell);
    }
    if (trims(spec_of(s))) {
        size_t values = rsp_number_doubles(s->base, n, id);
        n_cells = rsp_number_pairs(so_far, n_cells, id, values, n, cell);
    }
    uint32_t *order = RSP_ARRAY(s->arena, uint32_t, n), *start = RSP_ARRAY(s->arena, uint32_t, n_cells + 1);
    rsp_order_by(cell, n_cells, n, order, start);
    c->n_cells = n_cells;
    c->row_cell = cell;
    c->cell_order = order;
    c->cell_start = start;
}

static void fill_cells(building *b) {
    rsp_sample *s = b->s;
    rsp_calibration *c = b->c;
    double *d = RSP_ARRAY(s->arena, double, c->n_cells), *respondents = RSP_ARRAY(s->arena, double, c->n_cells);
    double *unit = RSP_ARRAY(s->arena, double, c->n_cells);
    uint32_t *row = RSP_ARRAY(b->scratch, uint32_t, c->n_cells);
    uint32_t *group_cell = RSP_ARRAY(s->arena, uint32_t, s->n_groups + 1);
    c->g = RSP_ARRAY(s->arena, double, c->n_cells);
#pragma omp parallel for schedule(dynamic, 16) num_threads(rsp_threads()) if (s->n > RSP_BLOCK)
    for (size_t k = 0; k < c->n_cells; k++) {
        row[k] = c->cell_order[c->cell_start[k]];
        unit[k] = s->base[row[k]];
        c->g[k] = 1;
        for (size_t i = c->cell_start[k]; i < c->cell_start[k + 1]; i++) {
            double base = s->base[c->cell_order[i]];
            d[k] += base;
            respondents[k] += base > 0;
        }
    }
    for (size_t k = 0; k < c->n_cells; k++) group_cell[s->group[row[k]] + 1]++;
    for (size_t k = 0; k < s->n_groups; k++) {
        group_cell[k + 1] += group_cell[k];
        size_t cells = group_cell[k + 1] - group_cell[k];
        if (cells > c->max_cells) c->max_cells = cells;
    }
    c->d = d;
    c->group_cell = group_cell;
    b->cell_row = row;
    b->respondents = respondents;
    b->unit = unit;
}

/* ---- one group's problem ---------------------------------------------------------------------------------------- */

static const char *target_country(const rsp_sample *s, size_t group) {
    return spec_of(s)->within == RSP_NONE ? "" : s->groups[group].code;
}

static void fail_group(rsp_group *g, const char *why, uint32_t flag) {
    g->weighted = false;
    g->why = why;
    g->flags |= flag;
}

/* Columns of the group's margins: the codes that its cells have, ascending. local[m][code] is the column + 1. */
static void number_columns(building *b, rsp_problem *p, size_t from, uint32_t **local) {
    rsp_calibration *c = b->c;
    uint32_t *margin_col = RSP_ARRAY(b->s->arena, uint32_t, c->n_margins + 1);
    uint32_t *col = RSP_ARRAY(b->s->arena, uint32_t, p->n_cells * c->n_margins);
    uint32_t next = 0;
    for (size_t m = 0; m < c->n_margins; m++) {
        const margin *of = &b->margins[m];
        margin_col[m] = next;
        memset(local[m], 0, of->n_codes * sizeof *local[m]);
        for (size_t k = 0; k < p->n_cells; k++) local[m][of->number[b->cell_row[from + k]]] = 1;
        for (size_t j = 0; j < of->n_codes; j++)
            if (local[m][j]) local[m][j] = ++next;
        for (size_t k = 0; k < p->n_cells; k++)
            col[k * c->n_margins + m] = local[m][of->number[b->cell_row[from + k]]] - 1;
    }
    margin_col[c->n_margins] = next;
    p->margin_col = margin_col;
    p->col = col;
    p->n_cols = next + c->n_numeric;
}

/* Shares of one margin in the group; returns the sum of its targets, 0 when it has none. *empty: a code is wanted that
 * nobody has. */
static double read_shares(building *b, size_t group, size_t m, const uint32_t *local, double *share, bool *empty) {
    const margin *of = &b->margins[m];
    const char *country = target_country(b->s, group);
    double sum = 0;
    for (size_t t = 0; t < of->spec->n_targets; t++) {
        const rsp_target *target = &of->spec->targets[t];
        if (strcmp(target->country, country)) continue;
        sum += target->amount;
        size_t code = of->target_code[t];
        if (code != RSP_NONE && local[code]) {
            share[local[code] - 1] = target->amount;
        } else if (target->amount > 0) {
            *empty = true;
        }
    }
    return sum;
}

/* Fills p->share and p->total; false with the group marked when a margin has no target or an empty cell. */
static bool read_targets(building *b, rsp_problem *p, size_t group, uint32_t **local) {
    rsp_calibration *c = b->c;
    double *share = RSP_ARRAY(b->s->arena, double, p->n_cols);
    double counted = 0;
    bool none = false, empty = false;
    for (size_t j = 0; j < p->n_cols; j++) share[j] = NAN;
    for (size_t m = 0; m < c->n_margins; m++) {
        const margin *of = &b->margins[m];
        double sum = read_shares(b, group, m, local[m], share, &empty);
        if (!(sum > 0)) {
            none = true;
            continue;
        }
        if (of->spec->counts) counted = sum; /* the loader has seen to it that all margins count the same people */
        for (size_t j = p->margin_col[m]; j < p->margin_col[m + 1]; j++) share[j] /= sum;
    }
    p->share = share;
    p->total = counted > 0 ? counted : p->n;
    p->rescale = c->n_margins && (!(counted > 0) || !b->s->private_->has_base);
    if (none) fail_group(&b->s->groups[group], "no target", RSP_F_NOT_WEIGHTED);
    else if (empty) fail_group(&b->s->groups[group], "empty cell", RSP_F_NOT_WEIGHTED);
    return !none && !empty;
}

static bool read_numeric_targets(building *b, rsp_problem *p, size_t group, size_t from) {
    rsp_calibration *c = b->c;
    double *x = RSP_ARRAY(b->s->arena, double, p->n_cells * c->n_numeric);
    double *total = RSP_ARRAY(b->s->arena, double, c->n_numeric);
    bool missing = false, none = false;
    for (size_t q = 0; q < c->n_numeric; q++) {
        const margin *of = &b->margins[c->n_margins + q];
        total[q] = NAN;
        for (size_t t = 0; t < of->spec->n_targets; t++)
            if (!strcmp(of->spec->targets[t].country, target_country(b->s, group)))
                total[q] = of->spec->targets[t].amount;
        none |= isnan(total[q]);
        for (size_t k = 0; k < p->n_cells; k++) {
            double value = of->value[b->cell_row[from + k]];
            missing |= isnan(value) && c->d[from + k] > 0;
            x[k * c->n_numeric + q] = isnan(value) ? 0 : value;
        }
    }
    p->x = x;
    p->total_x = total;
    if (none) fail_group(&b->s->groups[group], "no target", RSP_F_NOT_WEIGHTED);
    else if (missing) fail_group(&b->s->groups[group], "missing values of a numeric margin", RSP_F_NOT_WEIGHTED);
    return !none && !missing;
}

static bool set_up(building *b, size_t group, uint32_t **local) {
    const rsp_weighting_spec *w = spec_of(b->s);
    rsp_calibration *c = b->c;
    rsp_problem *p = &c->problems[group];
    size_t from = c->group_cell[group];
    *p = (rsp_problem){.n_cells = c->group_cell[group + 1] - from,
                       .n_margins = c->n_margins,
                       .n_numeric = c->n_numeric,
                       .method = (int) w->method,
                       .low = w->bound_low,
                       .high = w->bound_high,
                       .respondents = b->respondents + from,
                       .unit = trims(w) ? b->unit + from : NULL,
                       .trim_low = w->trim_low,
                       .trim_high = w->trim_high};
    for (size_t k = 0; k < p->n_cells; k++) p->n += p->respondents[k];
    number_columns(b, p, from, local);
    if (p->n_cols > c->max_cols) c->max_cols = p->n_cols;
    bool categorical = read_targets(b, p, group, local), numeric = read_numeric_targets(b, p, group, from);
    return categorical && numeric;
}

/* ---- all groups ------------------------------------------------------------------------------------------------- */

static void warn(building *b, size_t group) {
    const rsp_group *g = &b->s->groups[group];
    char name[128] = "the sample";
    if (*g->code) snprintf(name, sizeof name, "'%s'", g->code);
    rsp_report(b->d, RSP_WARNING, spec_of(b->s)->loc, "it keeps its base weights; see the gaps of its margins",
               "%s is not weighted to its margins: %s", name, g->why);
}

static void calibrate_group(building *b, size_t group, rsp_cal_work *work) {
    rsp_calibration *c = b->c;
    rsp_group *g = &b->s->groups[group];
    size_t from = c->group_cell[group];
    rsp_problem *p = &c->problems[group];
    rsp_cal_outcome out;
    const double *d = c->d + from;
    double *factors = c->g + from;
    rsp_calibrate(p, 1, &d, &factors, work, &(rsp_cal_outcome *){&out});
    g->iterations = out.iterations;
    g->n_trimmed = out.n_trimmed;
    if (out.status == RSP_CAL_EMPTY) fail_group(g, "empty cell", RSP_F_NOT_WEIGHTED);
    if (out.status == RSP_CAL_NOT_CONVERGED) fail_group(g, "not converged", RSP_F_NOT_WEIGHTED | RSP_F_NOT_CONVERGED);
    if (!g->weighted) {
        for (size_t k = 0; k < p->n_cells; k++) c->g[from + k] = 1;
        return;
    }
    if (out.status == RSP_CAL_TRIM_UNMET) {
        g->flags |= RSP_F_MARGIN_UNMET;
        rsp_report(b->d, RSP_WARNING, spec_of(b->s)->loc, "allow larger weights, or merge small cells of the margins",
                   "no weights of %s%s meet both the margins and the limits of `trim`: margins kept",
                   *g->code ? "" : "the sample", g->code);
    }
    c->solved[group] = true;
    rsp_problem_products(p, c->d + from, work->matrix);
    c->regression[group] = rsp_factor_new(b->s->arena, p->n_cols);
    rsp_factorise(&c->regression[group], p->n_cols, work->matrix);
}

static void add_gaps(building *b, size_t group) {
    rsp_sample *s = b->s;
    rsp_calibration *c = b->c;
    size_t from = c->group_cell[group], to = c->group_cell[group + 1];
    if (!strcmp(s->groups[group].why, "no target")) return;
    for (size_t m = 0; m < c->n_margins; m++) {
        const margin *of = &b->margins[m];
        double *sum = RSP_ARRAY(b->scratch, double, of->n_codes);
        double *count = RSP_ARRAY(b->scratch, double, of->n_codes);
        double wanted = 0, all = 0;
        for (size_t k = from; k < to; k++) {
            int32_t code = of->number[b->cell_row[k]];
            sum[code] += c->d[k] * c->g[k];
            count[code] += b->respondents[k];
        }
        for (size_t t = 0; t < of->spec->n_targets; t++) {
            if (strcmp(of->spec->targets[t].country, target_country(s, group))) continue;
            wanted += of->spec->targets[t].amount;
            if (of->target_code[t] != RSP_NONE) all += sum[of->target_code[t]];
        }
        for (size_t t = 0; t < of->spec->n_targets; t++) {
            const rsp_target *target = &of->spec->targets[t];
            if (strcmp(target->country, target_country(s, group))) continue;
            size_t code = of->target_code[t];
            s->gaps[s->n_gaps++] = (rsp_margin_gap){.group = group,
                                                    .margin = of->spec->name,
                                                    .code = target->code,
                                                    .target = target->amount / wanted,
                                                    .achieved = code == RSP_NONE ? 0 : sum[code] / all,
                                                    .n = code == RSP_NONE ? 0 : (int64_t) count[code]};
        }
    }
    for (size_t q = 0; q < c->n_numeric; q++) {
        const rsp_problem *p = &c->problems[group];
        double sum = 0;
        for (size_t k = from; k < to; k++) sum += c->d[k] * c->g[k] * p->x[(k - from) * c->n_numeric + q];
        s->gaps[s->n_gaps++] = (rsp_margin_gap){.group = group,
                                                .margin = b->margins[c->n_margins + q].spec->name,
                                                .code = "",
                                                .target = p->total_x[q],
                                                .achieved = sum,
                                                .n = (int64_t) p->n};
    }
}

static void collect_gaps(building *b) {
    rsp_sample *s = b->s;
    size_t room = b->c->n_numeric * s->n_groups;
    for (size_t m = 0; m < b->c->n_margins; m++) room += b->margins[m].spec->n_targets;
    s->gaps = RSP_ARRAY(s->arena, rsp_margin_gap, room);
    for (size_t group = 0; group < s->n_groups; group++) add_gaps(b, group);
}

static void calibrate_groups(building *b) {
    rsp_sample *s = b->s;
    rsp_calibration *c = b->c;
    uint32_t **local = RSP_ARRAY(b->scratch, uint32_t *, c->n_margins);
    bool *ready = RSP_ARRAY(b->scratch, bool, s->n_groups);
    for (size_t m = 0; m < c->n_margins; m++) local[m] = RSP_ARRAY(b->scratch, uint32_t, b->margins[m].n_codes);
    c->n_groups = s->n_groups;
    c->problems = RSP_ARRAY(s->arena, rsp_problem, s->n_groups);
    c->solved = RSP_ARRAY(s->arena, bool, s->n_groups);
    c->regression = RSP_ARRAY(s->arena, rsp_factor, s->n_groups);
    for (size_t k = 0; k < s->n_groups; k++) ready[k] = set_up(b, k, local);
    rsp_cal_work work = rsp_cal_work_new(b->scratch, c->max_cells, c->max_cols, 1);
    for (size_t k = 0; k < s->n_groups; k++) {
        if (ready[k]) calibrate_group(b, k, &work);
        if (!s->groups[k].weighted) warn(b, k);
    }
}

void rsp_weighting_run(rsp_sample *s, rsp_diag *d) {
    rsp_design_private *p = s->private_;
    if (spec_of(s)->given && spec_of(s)->n_margins) {
        building b = {.s = s, .c = RSP_NEW(s->arena, rsp_calibration), .scratch = rsp_arena_new(), .d = d};
        p->calibration = b.c;
        read_margins(&b);
        if (spec_of(s)->set_aside_missing) set_aside_missing(&b);
        make_cells(&b);
        fill_cells(&b);
        calibrate_groups(&b);
        collect_gaps(&b);
        rsp_arena_free(b.scratch);
    }
#pragma omp parallel for schedule(static) num_threads(rsp_threads()) if (s->n > RSP_BLOCK)
    for (size_t i = 0; i < s->n; i++)
        p->weight[i] = s->base[i] * (p->calibration ? p->calibration->g[p->calibration->row_cell[i]] : 1);
}
