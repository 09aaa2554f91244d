/* The sampling design: strata, clusters of every stage nested in the stage before, finite-population corrections and
 * base weights. */
#include "weight/internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static rsp_loc row_loc(const rsp_frame *f, size_t row) {
    if (!f->n_files || !f->file || !f->line) return RSP_NOWHERE;
    return (rsp_loc){f->files[f->file[row]].name, (int) f->line[row], 0};
}

/* Beyond so many rows with the same fault in one column, more lines help nobody. */
enum { MOST_FAULTS = 50 };

rsp_numbered rsp_number_variable(const rsp_frame *f, size_t variable, rsp_arena *a) {
    rsp_categories c = {0};
    rsp_categorise(f, variable, a, &c);
    size_t missing = 0;
#pragma omp parallel for schedule(static) num_threads(rsp_threads()) reduction(+ : missing) if (f->n > RSP_BLOCK)
    for (size_t i = 0; i < f->n; i++) {
        missing += c.category[i] < 0;
        c.category[i]++;
    }
    return (rsp_numbered){.n = c.n + 1, .number = c.category, .code = c.code, .n_missing = missing};
}

static const char *variable_name(const rsp_sample *s, size_t variable) {
    return s->frame->study->variables[variable].name;
}

/* ---- strata and clusters ---------------------------------------------------------------------------------------- */

static void build_strata(rsp_sample *s, rsp_design_private *p, rsp_diag *d) {
    const rsp_design_spec *spec = &s->frame->study->design;
    int32_t *stratum = RSP_ARRAY(s->arena, int32_t, s->n);
    s->n_strata = s->n ? 1 : 0;
    rsp_arena *scratch = rsp_arena_new();
    for (size_t k = 0; k < spec->n_strata; k++) {
        rsp_numbered v = rsp_number_variable(s->frame, spec->strata[k], scratch);
        if (v.n_missing)
            rsp_report(d, RSP_WARNING, spec->loc, "drop them by a clean rule if they are in no stratum",
                       "%zu respondents have no '%s': they form a stratum of their own", v.n_missing,
                       variable_name(s, spec->strata[k]));
        s->n_strata = rsp_number_pairs(stratum, s->n_strata, v.number, v.n, s->n, stratum);
    }
    rsp_arena_free(scratch);
    uint32_t *row = RSP_ARRAY(s->arena, uint32_t, s->n_strata);
    for (size_t i = s->n; i-- > 0;) row[stratum[i]] = (uint32_t) i;
    s->stratum = stratum;
    p->stratum_row = row;
}

const char *rsp_stratum_name(const rsp_sample *s, size_t stratum, rsp_arena *a) {
    const rsp_design_spec *spec = &s->frame->study->design;
    rsp_buf name = {0};
    for (size_t k = 0; k < spec->n_strata; k++) {
        char text[64];
        const char *code = rsp_cell_text(s->frame, spec->strata[k], s->private_->stratum_row[stratum], text);
        rsp_buf_printf(&name, "%s%s=%s", k ? ";" : "", variable_name(s, spec->strata[k]), code);
    }
    const char *copy = rsp_strdup(a, name.data ? name.data : "");
    rsp_buf_free(&name);
    return copy;
}

/* Units of one stage within parents, from the stage's variable; RSP_NONE: every row is a unit. */
static size_t number_units(rsp_sample *s, const int32_t *parent, size_t n_parents, size_t variable, int32_t *unit,
                           rsp_diag *d) {
    rsp_arena *scratch = rsp_arena_new();
    size_t n_codes = s->n;
    int32_t *code = NULL;
    if (variable == RSP_NONE) {
        code = RSP_ARRAY(scratch, int32_t, s->n);
        for (size_t i = 0; i < s->n; i++) code[i] = (int32_t) i;
    } else {
        rsp_numbered v = rsp_number_variable(s->frame, variable, scratch);
        code = v.number;
        n_codes = v.n;
        /* Nobody knows whom a respondent without a cluster belongs with; alone is the only neutral place. */
        for (size_t i = 0; v.n_missing && i < s->n; i++)
            if (!code[i]) code[i] = (int32_t) n_codes++;
        if (v.n_missing)
            rsp_report(d, RSP_WARNING, s->frame->study->design.loc, NULL,
                       "%zu respondents have no '%s': each counts as a cluster of its own", v.n_missing,
                       variable_name(s, variable));
    }
    size_t n_units = rsp_number_pairs(parent, n_parents, code, n_codes, s->n, unit);
    rsp_arena_free(scratch);
    return n_units;
}

static rsp_stage stage_new(rsp_arena *a, const int32_t *row_parent, size_t n_parents, const int32_t *row_unit,
                           size_t n_units, size_t n) {
    int32_t *parent = RSP_ARRAY(a, int32_t, n_units);
    uint32_t *first = RSP_ARRAY(a, uint32_t, n_parents + 1);
#pragma omp parallel for schedule(static) num_threads(rsp_threads()) if (n > RSP_BLOCK)
    for (size_t i = 0; i < n; i++)
        __atomic_store_n(&parent[row_unit[i]], row_parent[i], __ATOMIC_RELAXED); /* all alike */
    for (size_t u = 0; u < n_units; u++) first[parent[u] + 1]++;
    for (size_t q = 0; q < n_parents; q++) first[q + 1] += first[q];
    return (rsp_stage){.n_parents = n_parents,
                       .n_units = n_units,
                       .first = first,
                       .parent = parent,
                       .fraction = RSP_ARRAY(a, double, n_parents),
                       .scale = RSP_ARRAY(a, double, n_parents),
                       .mode = RSP_ARRAY(a, uint8_t, n_parents)};
}

/* ---- finite-population corrections ------------------------------------------------------------------------------ */

/* Are all values of the column fractions (at most 1)? Then N = n / fraction, else the values are N. */
static bool column_is_fractions(const rsp_frame *f, size_t variable) {
    for (size_t i = 0; i < f->n; i++)
        if (rsp_value(f, variable, i) > 1) return false;
    return true;
}

/* Sampling fraction of every parent from the column; false after reporting missing, wrong or varying values. */
static bool read_fractions(rsp_sample *s, rsp_stage *stage, const int32_t *row_parent, size_t variable, rsp_diag *d) {
    const rsp_frame *f = s->frame;
    const char *name = variable_name(s, variable);
    double *fraction = (double *) stage->fraction;
    bool fractions = column_is_fractions(f, variable);
    size_t faults = 0;
    double *value = rsp_malloc(stage->n_parents * sizeof *value);
    for (size_t q = 0; q < stage->n_parents; q++) value[q] = NAN;
    for (size_t i = 0; i < f->n && faults < MOST_FAULTS; i++) {
        double x = rsp_value(f, variable, i), *seen = &value[row_parent[i]];
        if (isnan(x)) continue;
        if (!(x > 0)) {
            rsp_report(d, RSP_ERR_DATA, row_loc(f, i), NULL, "fpc '%s' is %g: it must be positive", name, x);
            faults++;
        } else if (isnan(*seen)) {
            *seen = x;
        } else if (fabs(x - *seen) > 1e-9 * *seen) {
            rsp_report(d, RSP_ERR_DATA, row_loc(f, i), "it is one number for each stratum or cluster sampled from",
                       "fpc '%s' is %g, but %g in another row of the same unit", name, x, *seen);
            faults++;
        }
    }
    uint32_t *row = rsp_malloc(stage->n_parents * sizeof *row);
    for (size_t i = f->n; i-- > 0;) row[row_parent[i]] = (uint32_t) i;
    for (size_t q = 0; q < stage->n_parents && faults < MOST_FAULTS; q++) {
        double sampled = stage->first[q + 1] - stage->first[q];
        fraction[q] = fractions ? value[q] : sampled / value[q];
        if (isnan(value[q])) {
            rsp_report(d, RSP_ERR_DATA, row_loc(f, row[q]), NULL, "fpc '%s' is missing", name);
            faults++;
        } else if (fraction[q] > 1 + 1e-9) {
            rsp_report(d, RSP_ERR_DATA, row_loc(f, row[q]), "fpc counts units in the population, or is a fraction",
                       "fpc '%s' says that there are %g units, but %g were sampled", name, value[q], sampled);
            faults++;
        }
    }
    free(row);
    free(value);
    return !faults;
}

/* How each parent enters the variance, given the product of the sampling fractions above it. */
static void set_modes(rsp_stage *stage, const rsp_stage *above, int lonely) {
    double *scale = (double *) stage->scale;
    uint8_t *mode = (uint8_t *) stage->mode;
    for (size_t q = 0; q < stage->n_parents; q++) {
        double n = stage->first[q + 1] - stage->first[q], left = 1 - stage->fraction[q];
        double before = above ? above->scale[q] : 1;
        if (left < 1e-7 || before <= 0) mode[q] = RSP_UNIT_ZERO;
        else if (n > 1) mode[q] = RSP_UNIT_SPREAD;
        else if (lonely == RSP_LONELY_ADJUST) mode[q] = RSP_UNIT_ADJUST;
        else if (lonely == RSP_LONELY_CERTAINTY) mode[q] = RSP_UNIT_ZERO;
        else mode[q] = RSP_UNIT_LONELY;
        stage->lonely |= mode[q] == RSP_UNIT_LONELY;
        scale[q] = mode[q] == RSP_UNIT_ZERO ? 0 : before * left * (n > 1 ? n / (n - 1) : 1);
    }
}

/* The product of the fractions down to each unit of a stage stands for a while as `scale` of a stand-in stage. */
static rsp_stage fractions_above(const rsp_stage *stage, const rsp_stage *above, rsp_arena *a) {
    double *product = RSP_ARRAY(a, double, stage->n_units);
    for (size_t u = 0; u < stage->n_units; u++) {
        size_t q = (size_t) stage->parent[u];
        product[u] = (above ? above->scale[q] : 1) * stage->fraction[q];
    }
    return (rsp_stage){.scale = product};
}

/* ---- base weights ----------------------------------------------------------------------------------------------- */

static bool weights_from_column(rsp_sample *s, double *base, rsp_diag *d) {
    const rsp_frame *f = s->frame;
    size_t variable = f->study->design.weight, missing = 0, faults = 0;
    double sum = 0;
    for (size_t i = 0; i < s->n && faults < MOST_FAULTS; i++) {
        double w = rsp_value(f, variable, i);
        if (isnan(w)) {
            missing++;
            w = 0;
        } else if (w < 0 || isinf(w)) {
            rsp_report(d, RSP_ERR_DATA, row_loc(f, i),
                       "weights are 0 or more: correct the export, or drop such rows by a clean rule",
                       "weight '%s' is %g", variable_name(s, variable), w);
            faults++;
        }
        base[i] = w;
        sum += w * w; /* squares, too, must stay numbers: they stand in every variance */
    }
    if (!faults && s->n && !(sum >= 1e-200 && sum <= 1e200)) {
        rsp_report(d, RSP_ERR_DATA, f->study->design.loc, "look at the column: is it the weight?",
                   sum > 1 ? "the weights '%s' are too large to compute with"
                           : "no respondent has a weight '%s' above 0 that can be computed with",
                   variable_name(s, variable));
        return false;
    }
    if (missing)
        rsp_report(d, RSP_WARNING, f->study->design.loc, "they stay in the design with weight 0",
                   "%zu respondents have no weight '%s'", missing, variable_name(s, variable));
    return !faults;
}

/* ---- together --------------------------------------------------------------------------------------------------- */

static void order_rows(rsp_sample *s, rsp_design_private *p, const int32_t *last_unit) {
    size_t n_last = p->stages[p->n_stages - 1].n_units;
    uint32_t *order = RSP_ARRAY(s->arena, uint32_t, s->n), *start = RSP_ARRAY(s->arena, uint32_t, n_last + 1);
    rsp_order_by(last_unit, n_last, s->n, order, start);
    p->order = order;
    p->unit_start = start;
    if (p->n_stages == 1) {
        p->cluster_order = order;
        p->cluster_start = start;
        return;
    }
    uint32_t *rows = RSP_ARRAY(s->arena, uint32_t, s->n), *from = RSP_ARRAY(s->arena, uint32_t, s->n_clusters + 1);
    rsp_order_by(s->cluster, s->n_clusters, s->n, rows, from);
    p->cluster_order = rows;
    p->cluster_start = from;
}

/* All stages, with their fpc; stages below the first count for the variance only where there is any fpc: without, the
 * spread of first-stage totals holds all of it (ultimate clusters). */
static bool build_stages(rsp_sample *s, rsp_design_private *p, double *base, rsp_diag *d) {
    const rsp_design_spec *spec = &s->frame->study->design;
    size_t n_stages = spec->n_stages > spec->n_fpc ? spec->n_stages : spec->n_fpc;
    if (!spec->n_fpc || !n_stages) n_stages = 1;
    p->stages = RSP_ARRAY(s->arena, rsp_stage, n_stages);
    p->n_stages = n_stages;
    rsp_arena *scratch = rsp_arena_new();
    const int32_t *parent = s->stratum;
    size_t n_parents = s->n_strata;
    rsp_stage above = {0};
    bool good = true, weights_from_fpc = spec->weight == RSP_NONE && spec->n_fpc;
    for (size_t k = 0; k < n_stages; k++) {
        int32_t *unit = RSP_ARRAY(s->arena, int32_t, s->n);
        size_t variable = k < spec->n_stages ? spec->cluster[k] : RSP_NONE;
        size_t n_units = number_units(s, parent, n_parents, variable, unit, d);
        rsp_stage *stage = &p->stages[k];
        *stage = stage_new(s->arena, parent, n_parents, unit, n_units, s->n);
        if (k < spec->n_fpc && !read_fractions(s, stage, parent, spec->fpc[k], d)) good = false;
        set_modes(stage, k ? &above : NULL, (int) spec->lonely);
        above = fractions_above(stage, k ? &above : NULL, scratch);
        for (size_t i = 0; weights_from_fpc && k < spec->n_fpc && i < s->n; i++) base[i] /= stage->fraction[parent[i]];
        if (!k) {
            s->cluster = unit;
            s->n_clusters = n_units;
            s->cluster_stratum = stage->parent;
        }
        parent = unit;
        n_parents = n_units;
    }
    order_rows(s, p, parent);
    rsp_arena_free(scratch);
    return good;
}

static void number_organisations(rsp_sample *s) {
    size_t variable = s->frame->study->roles.organisation;
    if (variable == RSP_NONE) return;
    int32_t *organisation = RSP_ARRAY(s->arena, int32_t, s->n);
    rsp_arena *scratch = rsp_arena_new();
    rsp_numbered v = rsp_number_variable(s->frame, variable, scratch);
#pragma omp parallel for schedule(static) num_threads(rsp_threads()) if (s->n > RSP_BLOCK)
    for (size_t i = 0; i < s->n; i++) organisation[i] = v.number[i] - 1;
    rsp_arena_free(scratch);
    s->organisation = organisation;
}

/* Weights that come from sampling fractions count the units as they were sampled: rows that cleaning set aside were
 * sampled, too. So the design of all rows read is built for its base weights alone. */
static bool weights_of_rows_read(const rsp_sample *s, double *base, rsp_diag *d) {
    rsp_arena *scratch = rsp_arena_new();
    rsp_frame all = *s->frame;
    rsp_design_private p = {0};
    all.n = s->frame->n_read;
    rsp_sample t = {.frame = &all, .n = all.n, .arena = scratch, .private_ = &p};
    rsp_diag *own = rsp_diag_new(); /* its warnings speak of rows that are not in use */
    double *weight = RSP_ARRAY(scratch, double, t.n);
    for (size_t i = 0; i < t.n; i++) weight[i] = 1;
    build_strata(&t, &p, own);
    bool good = build_stages(&t, &p, weight, own);
    for (size_t k = 0; !good && k < rsp_diag_count(own); k++) {
        const rsp_diagnostic *e = rsp_diag_at(own, k);
        if (e->class >= RSP_ERR_USAGE) rsp_report(d, e->class, e->loc, e->hint, "%s", e->message);
    }
    memcpy(base, weight, s->n * sizeof *base); /* the rows in use stand first */
    rsp_diag_free(own);
    rsp_arena_free(scratch);
    return good;
}

bool rsp_design_build(rsp_sample *s, rsp_diag *d) {
    const rsp_design_spec *spec = &s->frame->study->design;
    rsp_design_private *p = s->private_;
    if (!s->n) {
        rsp_report(d, RSP_ERR_DATA, spec->loc, "look at the cleaning log", "no respondent is left");
        return false;
    }
    if (s->n > INT32_MAX / 2) {
        rsp_report(d, RSP_ERR_DATA, spec->loc, NULL, "%zu rows are more than can be numbered", s->n);
        return false;
    }
    double *base = RSP_ARRAY(s->arena, double, s->n);
#pragma omp parallel for schedule(static) num_threads(rsp_threads()) if (s->n > RSP_BLOCK)
    for (size_t i = 0; i < s->n; i++) base[i] = 1;
    p->base = base;
    s->base = base;
    p->has_base = spec->weight != RSP_NONE || spec->n_fpc;
    build_strata(s, p, d);
    bool good = build_stages(s, p, base, d);
    if (spec->weight == RSP_NONE && spec->n_fpc && s->frame->n_read > s->n && !weights_of_rows_read(s, base, d))
        good = false;
    if (spec->weight != RSP_NONE && !weights_from_column(s, base, d)) good = false;
    number_organisations(s);
    return good;
}
