/* Sampling design, eligibility, weighting with its target files, variance. */
#include "study/loader.h"

#include "responsive/limits.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- design ----------------------------------------------------------------------------------------------------- */

static void need_number(rsp_loader *l, size_t v, const rsp_node *n, const char *where) {
    if (v != RSP_NONE && rsp_var(l, v)->type != RSP_INTEGER && rsp_var(l, v)->type != RSP_DECIMAL)
        RSP_FAULT(l, n->loc, NULL, "'%s' is no number in %s", rsp_var(l, v)->name, where);
}

static void refuse_sets(rsp_loader *l, const size_t *v, size_t n, rsp_loc loc, const char *where) {
    for (size_t k = 0; k < n; k++)
        if (rsp_is_set(rsp_var(l, v[k])))
            RSP_FAULT(l, loc, "name one of its choices, as NAME_CODE",
                      "'%s' takes several choices and cannot stand in %s", rsp_var(l, v[k])->name, where);
}

void rsp_load_design(rsp_loader *l) {
    static const char *const lonely[] = {"fail", "adjust", "certainty", NULL};
    static const char *const samples[] = {"probability", "self_selected", NULL};
    const rsp_node *n = rsp_get(l->root, "design"), *eligible = rsp_get(l->root, "eligible");
    const rsp_node *strata = rsp_get(n, "strata"), *cluster = rsp_get(n, "cluster"), *fpc = rsp_get(n, "fpc");
    rsp_design_spec *x = &l->s->design;
    x->weight = rsp_bind(l, rsp_get(n, "weight"), "'weight' of the design");
    need_number(l, x->weight, rsp_get(n, "weight"), "'weight' of the design");
    x->n_strata = rsp_bind_list(l, strata, "'strata' of the design", &x->strata);
    x->n_stages = rsp_bind_list(l, cluster, "'cluster' of the design", &x->cluster);
    x->n_fpc = rsp_bind_list(l, fpc, "'fpc' of the design", &x->fpc);
    if (x->n_strata) refuse_sets(l, x->strata, x->n_strata, strata->loc, "'strata' of the design");
    if (x->n_stages) refuse_sets(l, x->cluster, x->n_stages, cluster->loc, "'cluster' of the design");
    for (size_t k = 0; k < x->n_fpc; k++) need_number(l, x->fpc[k], rsp_value_at(fpc, k), "'fpc' of the design");
    if (x->n_fpc > (x->n_stages ? x->n_stages : 1))
        RSP_FAULT(l, fpc->loc, NULL, "'fpc' names %zu stages, 'cluster' %zu", x->n_fpc, x->n_stages);
    x->lonely = rsp_get_choice(n, "lonely", lonely, RSP_LONELY_FAIL);
    x->self_selected = rsp_get_choice(n, "sample", samples, 0) == 1;
    x->loc = n ? n->loc : (rsp_loc){l->s->path, 0, 0};
    l->s->eligible.respondents = (int64_t) rsp_get_number(eligible, "respondents", 0);
    l->s->eligible.clusters = (int64_t) rsp_get_number(eligible, "clusters", 0);
}

/* ---- target files ----------------------------------------------------------------------------------------------- */

typedef struct {
    rsp_loader *l;
    rsp_sheet sheet;
    size_t within;                    /* variable or RSP_NONE */
    size_t group, amount, source;     /* columns */
    size_t columns[RSP_MOST_CROSSED]; /* of the margin's variables */
    const char *where;
} target_file;

static bool open_targets(target_file *f, const rsp_node *file) {
    const char *path = rsp_named_file(f->l, file);
    return path && rsp_sheet_read(f->l->a, path, file->loc, &f->sheet, f->l->d);
}

static size_t need_column(target_file *f, const char *heading) {
    size_t k = rsp_sheet_column(&f->sheet, heading);
    if (k != RSP_NONE) return k;
    const char **headings = rsp_calloc(f->sheet.n_columns + 1, sizeof *headings);
    for (size_t j = 0; j < f->sheet.n_columns; j++) headings[j] = f->sheet.head[j].text;
    const char *hint = rsp_did_you_mean(f->l, heading, headings, f->sheet.n_columns);
    free(headings);
    RSP_FAULT(f->l, ((rsp_loc){f->sheet.path, 1, 1}), hint, "the column '%s' of %s is missing", heading, f->where);
    return RSP_NONE;
}

static void refuse_columns(target_file *f, const size_t *known, size_t n) {
    for (size_t k = 0; k < f->sheet.n_columns; k++) {
        bool found = !f->sheet.head[k].text[0];
        for (size_t j = 0; j < n; j++) found |= known[j] == k;
        if (!found)
            RSP_FAULT(f->l, f->sheet.head[k].loc, "columns are the variables, share, count or total, and source",
                      "unknown column '%s' in the targets of %s", f->sheet.head[k].text, f->where);
    }
}

/* Says once per file that its targets are made up where the answers are not. */
static void check_source(const target_file *f) {
    if (rsp_study_simulated(f->l->s) || f->source == RSP_NONE) return;
    for (size_t i = 0; i < f->sheet.n_rows; i++) {
        const rsp_cell *c = rsp_sheet_cell(&f->sheet, i, f->source);
        if (!strcasestr(c->text, "illustrative")) continue;
        RSP_FAULT(f->l, c->loc,
                  "put targets with a real source in their place, or say `simulated: yes` at made-up data",
                  "illustrative targets cannot weight real answers");
        return;
    }
}

static double read_amount(target_file *f, size_t row, bool any_sign) {
    const rsp_cell *c = rsp_sheet_cell(&f->sheet, row, f->amount);
    double x;
    if (f->amount == RSP_NONE) return NAN;
    if (!rsp_parse_double(c->text, strlen(c->text), '.', &x) || !isfinite(x) || (x < 0 && !any_sign)) {
        RSP_FAULT(f->l, c->loc, strchr(c->text, ',') ? "the decimal sign here is a point" : NULL,
                  "'%s' must be a number%s, not '%s'", f->sheet.head[f->amount].text, any_sign ? "" : " from 0",
                  c->text);
        return NAN;
    }
    return x;
}

static const char *read_group(target_file *f, size_t row) {
    if (f->within == RSP_NONE || f->group == RSP_NONE) return "";
    const rsp_cell *c = rsp_sheet_cell(&f->sheet, row, f->group);
    const rsp_variable *v = rsp_var(f->l, f->within);
    if (v->list) rsp_bind_code(f->l, v->list, c->text, c->loc, rsp_printf(f->l->a, "'%s'", v->name));
    return c->text;
}

/* The code of a row, "x:y" for a crossing. */
static const char *read_code(target_file *f, size_t row, const rsp_margin *m) {
    rsp_buf b = {0};
    for (size_t k = 0; k < m->n_variables && !m->numeric; k++) {
        const rsp_cell *c = rsp_sheet_cell(&f->sheet, row, f->columns[k]);
        const rsp_variable *v = rsp_var(f->l, m->variables[k]);
        size_t found = v->list && f->columns[k] != RSP_NONE
                           ? rsp_bind_code(f->l, v->list, c->text, c->loc, rsp_printf(f->l->a, "'%s'", v->name))
                           : RSP_NONE;
        if (found != RSP_NONE && v->list->choices[found].missing)
            RSP_FAULT(f->l, c->loc, "leave it out: it keeps its observed share", "'%s' is no valid answer to '%s'",
                      c->text, v->name);
        rsp_buf_printf(&b, "%s%s", k ? ":" : "", c->text);
    }
    const char *code = rsp_strdup(f->l->a, b.data ? b.data : "");
    rsp_buf_free(&b);
    return code;
}

typedef struct {
    const char *code;
    double sum;
    rsp_loc loc;
} group_sum;

static void check_sums(const target_file *f, const rsp_margin *m) {
    rsp_map *groups = rsp_map_new();
    group_sum *sums = rsp_calloc(m->n_targets + 1, sizeof *sums);
    size_t n = 0;
    for (size_t k = 0; k < m->n_targets; k++) {
        const rsp_target *t = &m->targets[k];
        if (rsp_map_put(groups, t->country, n)) sums[n++] = (group_sum){t->country, 0, t->loc};
        sums[rsp_map_get(groups, t->country)].sum += t->amount;
    }
    for (size_t k = 0; k < n; k++) {
        const char *of = sums[k].code[0] ? rsp_printf(f->l->a, " of '%s'", sums[k].code) : "";
        if (!m->counts && !m->numeric && fabs(sums[k].sum - 1) > 1e-6)
            RSP_FAULT(f->l, sums[k].loc,
                      fabs(sums[k].sum - 100) < 1 ? "shares are parts of 1: divide percentages by 100"
                                                  : "correct the shares, or give counts",
                      "the shares%s add up to %.6g, not to 1, in %s", of, sums[k].sum, f->where);
        else if (m->counts && !m->numeric && !(sums[k].sum > 0) && !isnan(sums[k].sum))
            RSP_FAULT(f->l, sums[k].loc, NULL, "the counts%s are all 0 in %s", of, f->where);
    }
    rsp_map_free(groups);
    free(sums);
}

static void read_rows(target_file *f, rsp_margin *m) {
    rsp_map *seen = rsp_map_new();
    size_t before = rsp_diag_errors(f->l->d);
    m->targets = RSP_ARRAY(f->l->a, rsp_target, f->sheet.n_rows);
    for (size_t i = 0; i < f->sheet.n_rows; i++) {
        rsp_target t = {read_group(f, i), read_code(f, i, m), read_amount(f, i, m->numeric),
                        rsp_sheet_cell(&f->sheet, i, f->source)->text, rsp_sheet_cell(&f->sheet, i, 0)->loc};
        const char *key = rsp_printf(f->l->a, "%s|%s", t.country, t.code);
        if (!rsp_map_put(seen, key, i))
            RSP_FAULT(f->l, t.loc, NULL, "the target of %s%s'%s' stands twice", t.country, t.country[0] ? ", " : "",
                      t.code);
        else m->targets[m->n_targets++] = t;
    }
    if (!f->sheet.n_rows) RSP_FAULT(f->l, ((rsp_loc){f->sheet.path, 1, 1}), NULL, "no targets for %s", f->where);
    if (rsp_diag_errors(f->l->d) == before) check_sums(f, m);
    rsp_map_free(seen);
}

static void find_amount(target_file *f, rsp_margin *m) {
    size_t share = rsp_sheet_column(&f->sheet, "share"), count = rsp_sheet_column(&f->sheet, "count");
    if (m->numeric) {
        f->amount = need_column(f, "total");
        return;
    }
    if ((share == RSP_NONE) == (count == RSP_NONE))
        RSP_FAULT(f->l, ((rsp_loc){f->sheet.path, 1, 1}), NULL, "targets of %s need one column, `share` or `count`",
                  f->where);
    m->counts = share == RSP_NONE;
    f->amount = m->counts ? count : share;
}

static void read_targets(target_file *f, const rsp_node *file, rsp_margin *m) {
    size_t known[RSP_MOST_CROSSED + 3], n = 0;
    if (!file || !open_targets(f, file)) return;
    f->group = f->within == RSP_NONE ? RSP_NONE : need_column(f, rsp_var(f->l, f->within)->name);
    f->source = need_column(f, "source");
    find_amount(f, m);
    known[n++] = f->group;
    known[n++] = f->source;
    known[n++] = f->amount;
    for (size_t k = 0; k < m->n_variables && !m->numeric; k++)
        known[n++] = f->columns[k] = need_column(f, rsp_var(f->l, m->variables[k])->name);
    refuse_columns(f, known, n);
    check_source(f);
    bool whole = f->within == RSP_NONE || f->group != RSP_NONE;
    for (size_t k = 1; k < n; k++) whole &= known[k] != RSP_NONE;
    if (whole) read_rows(f, m);
}

/* ---- margins ---------------------------------------------------------------------------------------------------- */

/* `margin: a`, `margin: [a, b]` and `margin: a:b`. */
static size_t margin_variables(rsp_loader *l, const rsp_node *n, const char *where, const size_t **out) {
    if (!n || n->kind != RSP_Y_SCALAR || !strchr(n->text, ':')) return rsp_bind_list(l, n, where, out);
    size_t *found = RSP_ARRAY(l->a, size_t, strlen(n->text)), count = 0;
    for (const char *p = n->text; p; p = strchr(p, ':') ? strchr(p, ':') + 1 : NULL) {
        size_t v = rsp_bind_name(l, rsp_strndup(l->a, p, strcspn(p, ":")), n->loc, where);
        if (v != RSP_NONE) found[count++] = v;
    }
    *out = found;
    return count;
}

static void load_margin(rsp_loader *l, const rsp_node *n, rsp_weighting_spec *w) {
    const rsp_node *name = rsp_get(n, "margin");
    rsp_margin *m = &w->margins[w->n_margins];
    if (!name) return;
    *m = (rsp_margin){.loc = name->loc};
    m->n_variables = margin_variables(l, name, "a margin", &m->variables);
    if (!m->n_variables) return;
    if (m->n_variables > RSP_MOST_CROSSED) {
        RSP_FAULT(l, name->loc, NULL, "a margin crosses more than %d variables", RSP_MOST_CROSSED);
        return;
    }
    rsp_buf b = {0};
    bool coded = true;
    for (size_t k = 0; k < m->n_variables; k++) {
        const rsp_variable *v = rsp_var(l, m->variables[k]);
        rsp_buf_printf(&b, "%s%s", k ? ":" : "", v->name);
        bool number = v->type == RSP_INTEGER || v->type == RSP_DECIMAL;
        m->numeric |= number && v->part_of == RSP_NONE && m->n_variables == 1;
        if (v->type != RSP_SELECT_ONE && !m->numeric)
            RSP_FAULT(l, name->loc, "derive a coded variable", "'%s' has no codes to be a margin", v->name);
        coded &= v->type == RSP_SELECT_ONE || m->numeric;
    }
    m->name = rsp_strdup(l->a, b.data);
    rsp_buf_free(&b);
    target_file f = {.l = l, .within = w->within, .where = rsp_printf(l->a, "margin '%s'", m->name)};
    for (size_t k = 0; k < w->n_margins; k++)
        if (strcmp(w->margins[k].name, m->name) == 0) RSP_FAULT(l, name->loc, NULL, "%s stands twice", f.where);
    /* Where nobody knows within what, no column of a target file can be said to be wrong. */
    bool astray = w->within == RSP_NONE && rsp_get(rsp_get(l->root, "weighting"), "within");
    if (coded && !astray) read_targets(&f, rsp_get(n, "targets"), m);
    w->n_margins++;
}

static double group_total(const rsp_margin *m, const char *group) {
    double sum = 0;
    for (size_t k = 0; k < m->n_targets; k++)
        if (strcmp(m->targets[k].country, group) == 0) sum += m->targets[k].amount;
    return sum;
}

/* Margins that disagree on the size of a group cannot all be met. */
static void check_agreement(rsp_loader *l, const rsp_weighting_spec *w) {
    const rsp_margin *first = NULL;
    for (size_t k = 0; k < w->n_margins; k++) {
        const rsp_margin *m = &w->margins[k];
        if (m->numeric) continue;
        if (!first) first = m;
        if (m->counts != first->counts)
            RSP_FAULT(l, m->loc, "give all margins as shares or all as counts", "margin '%s' has %s, margin '%s' %s",
                      m->name, m->counts ? "counts" : "shares", first->name, first->counts ? "counts" : "shares");
        const char *last = NULL; /* group of the target before: files are sorted by group as a rule */
        for (size_t j = 0; m != first && m->counts && first->counts && j < m->n_targets; j++) {
            const char *group = m->targets[j].country;
            if (last && strcmp(last, group) == 0) continue;
            last = group;
            double a = group_total(first, group), b = group_total(m, group);
            if (a > 0 && fabs(a - b) > 1e-6 * a)
                RSP_FAULT(l, m->targets[j].loc, NULL,
                          "the counts of margin '%s'%s%s add up to %.10g, those of '%s' to %.10g", m->name,
                          group[0] ? " in " : "", group, b, first->name, a);
        }
    }
}

/* ---- weighting -------------------------------------------------------------------------------------------------- */

static void load_bounds(rsp_loader *l, const rsp_node *n, rsp_weighting_spec *w) {
    const rsp_node *bounds = rsp_get(n, "bounds"), *trim = rsp_get(n, "trim");
    w->bound_low = w->bound_high = w->trim_low = w->trim_high = NAN;
    if (bounds && bounds->n == 2) {
        w->bound_low = rsp_node_number(bounds->items[0]);
        w->bound_high = rsp_node_number(bounds->items[1]);
    }
    if (bounds && (bounds->n != 2 || !(w->bound_low < 1) || !(w->bound_high > 1)))
        RSP_FAULT(l, bounds->loc, "like [0.3, 3]", "'bounds' must be two numbers, one below and one above 1");
    if (w->method == RSP_LOGIT && !bounds)
        RSP_FAULT(l, rsp_get(n, "method")->loc, "add `bounds: [0.3, 3]`", "method logit needs bounds");
    if (trim && trim->kind == RSP_Y_SCALAR) w->trim_high = rsp_node_number(trim);
    if (trim && trim->kind == RSP_Y_LIST && trim->n == 2) {
        w->trim_low = rsp_node_number(trim->items[0]);
        w->trim_high = rsp_node_number(trim->items[1]);
    }
    if (trim && trim->kind == RSP_Y_MAP) {
        w->trim_low = rsp_get_number(trim, "low", NAN);
        w->trim_high = rsp_get_number(trim, "high", NAN);
    }
    if (trim && ((trim->kind == RSP_Y_LIST && trim->n != 2) || w->trim_low >= 1 || w->trim_high <= 1))
        RSP_FAULT(l, trim->loc, "like 5, or [0.2, 5]", "'trim' must have a lower limit below and an upper one above 1");
}

static void load_method(rsp_loader *l, const rsp_node *n, rsp_weighting_spec *w) {
    static const char *const methods[] = {"raking", "linear", "logit", NULL};
    const rsp_node *rake = rsp_get(n, "rake"), *calibrate = rsp_get(n, "calibrate"), *method = rsp_get(n, "method");
    w->method = rsp_get_choice(n, "method", methods, RSP_RAKE);
    if (rake && calibrate)
        RSP_FAULT(l, calibrate->loc, "keep one of them", "weighting has both 'rake' and 'calibrate'");
    if (rake && w->method != RSP_RAKE)
        RSP_FAULT(l, method->loc, "write `calibrate` in place of `rake`", "method '%s' does not rake", method->text);
    if (rake && rsp_get(n, "bounds"))
        RSP_FAULT(l, rsp_get(n, "bounds")->loc, "write `calibrate`, or `trim`",
                  "'bounds' go with `calibrate`, not `rake`");
    load_bounds(l, n, w);
}

static void load_nonresponse(rsp_loader *l, const rsp_node *n, rsp_weighting_spec *w) {
    const rsp_node *classes = n && n->kind == RSP_Y_MAP ? rsp_get(n, "classes") : n;
    w->n_nonresponse = rsp_bind_list(l, classes, "'nonresponse'", &w->nonresponse);
    if (w->n_nonresponse) refuse_sets(l, w->nonresponse, w->n_nonresponse, classes->loc, "'nonresponse'");
    w->respondent = rsp_read_expr(l, rsp_get(n, "respondent"), RSP_NONE, "'respondent' of the nonresponse adjustment");
}

static void load_population(rsp_loader *l, const rsp_node *n, rsp_weighting_spec *w) {
    const rsp_node *file = rsp_get(n, "population");
    size_t country = l->s->roles.country;
    if (w->scale == RSP_SCALE_POPULATION && !file && !rsp_node_find(n, "population"))
        RSP_FAULT(l, rsp_get(n, "scale")->loc, "add `population: FILE` with the country's column, count and source",
                  "scale population needs the countries' population");
    if (file && country == RSP_NONE)
        RSP_FAULT(l, file->loc, "name the country's variable in roles.country",
                  "'population' is for studies with countries");
    if (!file || country == RSP_NONE) return;
    const size_t *variables = &l->s->roles.country;
    rsp_margin m = {.name = "population", .n_variables = 1, .variables = variables, .loc = file->loc};
    target_file f = {.l = l, .within = RSP_NONE, .where = "the population"};
    read_targets(&f, file, &m);
    if (!m.counts && m.n_targets) RSP_FAULT(l, file->loc, NULL, "the population needs the column 'count'");
    w->population = m.targets;
    w->n_population = m.n_targets;
    for (size_t k = 0; k < m.n_targets; k++) { /* by country: the code is the country's */
        w->population[k].country = w->population[k].code;
        if (w->population[k].amount == 0) RSP_FAULT(l, w->population[k].loc, NULL, "a country without population");
    }
}

void rsp_load_weighting(rsp_loader *l) {
    static const char *const missing[] = {"proportional", "set-aside", NULL};
    static const char *const scales[] = {"sample", "population", "equal", NULL};
    const rsp_node *n = rsp_get(l->root, "weighting"), *within = rsp_get(n, "within");
    const rsp_node *margins = rsp_get(n, "rake") ? rsp_get(n, "rake") : rsp_get(n, "calibrate");
    rsp_weighting_spec *w = &l->s->weighting;
    w->within = rsp_bind(l, within, "'within' of the weighting");
    if (w->within != RSP_NONE && rsp_var(l, w->within)->type != RSP_SELECT_ONE)
        RSP_FAULT(l, within->loc, NULL, "'%s' has no codes to weight within", within->text);
    w->set_aside_missing = rsp_get_choice(n, "missing", missing, 0) == 1;
    w->scale = rsp_get_choice(n, "scale", scales, -1) + 1;
    w->loc = n ? n->loc : (rsp_loc){l->s->path, 0, 0};
    load_method(l, n, w);
    load_nonresponse(l, rsp_get(n, "nonresponse"), w);
    w->margins = RSP_ARRAY(l->a, rsp_margin, margins ? margins->n : 0);
    for (size_t k = 0; margins && k < margins->n; k++) load_margin(l, margins->items[k], w);
    if (margins && !margins->n) RSP_FAULT(l, margins->loc, NULL, "no margins to weight to");
    w->given = w->n_margins > 0;
    check_agreement(l, w);
    load_population(l, n, w);
}

/* ---- variance --------------------------------------------------------------------------------------------------- */

rsp_variance_spec rsp_load_variance(rsp_loader *l, const rsp_node *n, const rsp_variance_spec *base) {
    static const char *const methods[] = {"taylor", "jk1", "jkn", "brr", "fay", "bootstrap", NULL};
    rsp_variance_spec x = base ? *base : (rsp_variance_spec){RSP_TAYLOR, 200, 1, NAN, false};
    if (!n || n->kind != RSP_Y_MAP) return x;
    x.method = (rsp_variance_method) rsp_get_choice(n, "method", methods, (int) x.method);
    x.replicates = (size_t) rsp_get_number(n, "replicates", (double) x.replicates);
    x.seed = (uint64_t) rsp_get_number(n, "seed", (double) x.seed);
    x.rho = rsp_get_number(n, "rho", x.rho);
    if (rsp_get(n, "mse")) x.mse = rsp_get_yes(n, "mse");
    if (x.method == RSP_FAY && isnan(x.rho)) RSP_FAULT(l, n->loc, "add `rho: 0.3`", "method fay needs rho");
    else if (rsp_get(n, "rho") && (x.method != RSP_FAY || x.rho >= 1))
        RSP_FAULT(l, rsp_get(n, "rho")->loc, NULL,
                  x.method == RSP_FAY ? "'rho' must be below 1" : "'rho' goes with method fay alone");
    if (x.method != RSP_BOOTSTRAP && rsp_get(n, "replicates"))
        RSP_FAULT(l, rsp_get(n, "replicates")->loc, "leave it out", "'replicates' goes with method bootstrap alone");
    return x;
}
