/* What stands behind verdicts, marks and numbers: comparability, factors, accuracy, what changed, software; definitions of
 * everything that the rows hold, and the works cited. */
#include "methods.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char DASH[] = "\u2013";

/* ---- comparability ---------------------------------------------------------------------------------------------- */

static const char *verdict_word(const methods_annex *x, double code) {
    static const char *const keys[] = {"comparability.not_comparable", "comparability.with_caution",
                                       "comparability.comparable"};
    return code >= 0 && code <= 2 ? annex_word(x, keys[(int) code]) : DASH;
}

/* Verdicts that tightened and widened cut-offs would give. */
static const char *verdict_range(const methods_annex *x, const rsp_published_row *r) {
    if (isnan(r->lower) || isnan(r->upper)) return DASH;
    if (r->lower == r->estimate && r->upper == r->estimate) return annex_word(x, "comparability.same");
    return annex_say(x, "comparability.to",
                     METHODS_ARGS({"low", verdict_word(x, r->lower), 0}, {"high", verdict_word(x, r->upper), 0}));
}

/* How much fit is lost at a step of the ladder. */
static const char *step(const methods_annex *x, const rsp_published_row *r, const char *level) {
    static const char *const measures[] = {"delta_cfi", "delta_rmsea", "delta_srmr"};
    double loss[3];
    for (size_t k = 0; k < 3; k++) loss[k] = annex_value(x, r->analysis, r->domain, r->term, level, measures[k]);
    if (isnan(loss[0])) return DASH;
    return annex_say(x, "comparability.step",
                     METHODS_ARGS({"cfi", NULL, loss[0]}, {"rmsea", NULL, loss[1]}, {"srmr", NULL, loss[2]}));
}

static size_t count_rows(const methods_annex *x, const rsp_published_row *of, const char *statistic,
                         const char *level) {
    size_t from, to, n = 0;
    if (!rsp_published_range(x->p->results, of->analysis, &from, &to)) return 0;
    for (size_t i = from; i < to; i++) {
        const rsp_published_row *r = rsp_published_at(x->p->results, i);
        n += strcmp(r->term, of->term) == 0 && strcmp(r->statistic, statistic) == 0 &&
             (!level || strcmp(r->level, level) == 0);
    }
    return n;
}

/* "Actively engaging × Country": without what stands in brackets, such as the range of a score. */
static const char *scale_label(const methods_annex *x, const rsp_published_row *r) {
    char *label = rsp_strdup(x->a, rsp_label_term(x->labels, x->a, r));
    char *open = strstr(label, " ("), *close = open ? strchr(open, ')') : NULL;
    if (close) memmove(open, close + 1, strlen(close + 1) + 1);
    return label;
}

static void add_verdict(methods_annex *x, const rsp_published_row *r, bool ordinal) {
    double groups = (double) count_rows(x, r, "latent_mean", "scalar");
    annex_cell_with(
        x, scale_label(x, r),
        annex_say(x, "comparability.groups", METHODS_ARGS({"respondents", NULL, r->n}, {"groups", NULL, groups})));
    annex_cell(x, verdict_word(x, r->estimate));
    annex_cell(x, verdict_range(x, r));
    if (ordinal) annex_cell(x, step(x, r, "threshold"));
    annex_cell(x, step(x, r, "metric"));
    annex_cell(x, step(x, r, "scalar"));
    annex_cell(x, annex_say(x, "comparability.given_up",
                            METHODS_ARGS({"n", NULL, (double) count_rows(x, r, "released", NULL)})));
}

static void begin_verdicts(methods_annex *x, bool ordinal) {
    if (ordinal)
        annex_table(x, annex_word(x, "comparability.table"), 7,
                    (const char *const[]){"comparability.scale", "comparability.verdict", "comparability.range",
                                          "comparability.thresholds", "comparability.loadings",
                                          "comparability.intercepts", "comparability.released"},
                    (const double[]){0, 64, 60, 71, 71, 71, 50}, "ttttttt");
    else
        annex_table(x, annex_word(x, "comparability.table"), 6,
                    (const char *const[]){"comparability.scale", "comparability.verdict", "comparability.range",
                                          "comparability.loadings", "comparability.intercepts",
                                          "comparability.released"},
                    (const double[]){0, 60, 66, 103, 103, 52}, "tttttt");
}

static void verdicts(methods_annex *x, const rsp_analysis *of) {
    bool ordinal = rsp_limited_information(&of->invariance.model);
    size_t from = 0, to = 0, n = 0;
    rsp_published_range(x->p->results, of->id, &from, &to);
    for (size_t i = from; i < to; i++) {
        const rsp_published_row *r = rsp_published_at(x->p->results, i);
        if (strcmp(r->statistic, "verdict") != 0) continue;
        if (!n++) begin_verdicts(x, ordinal);
        add_verdict(x, r, ordinal);
    }
    if (n) annex_table_end(x);
}

static void add_cutoffs(methods_annex *x, const char *when, const char *metric, const char *scalar) {
    annex_cell(x, annex_word(x, when));
    annex_cell(x, metric);
    annex_cell(x, scalar);
}

static const char *given_cutoffs(const methods_annex *x, const rsp_cutoffs *c, size_t k) {
    return annex_say(x, "comparability.given_cutoffs",
                     METHODS_ARGS({"cfi", NULL, c->cfi[k]}, {"rmsea", NULL, c->rmsea[k]}, {"srmr", NULL, c->srmr[k]}));
}

static void cutoffs(methods_annex *x, const rsp_cutoffs *c) {
    bool given = false;
    for (size_t k = 0; k < 2; k++) given |= !isnan(c->cfi[k]) || !isnan(c->rmsea[k]) || !isnan(c->srmr[k]);
    annex_table(x, annex_word(x, "comparability.cutoffs"), 3,
                (const char *const[]){"comparability.when", "comparability.metric", "comparability.scalar"},
                (const double[]){0, 150, 150}, "ttt");
    add_cutoffs(x, "comparability.chen", annex_word(x, "comparability.chen_metric"),
                annex_word(x, "comparability.chen_scalar"));
    add_cutoffs(x, "comparability.chen_small", annex_word(x, "comparability.chen_small_metric"),
                annex_word(x, "comparability.chen_small_scalar"));
    add_cutoffs(x, "comparability.rutkowski", annex_word(x, "comparability.rutkowski_metric"),
                annex_word(x, "comparability.rutkowski_scalar"));
    if (given) add_cutoffs(x, "comparability.given", given_cutoffs(x, c, 0), given_cutoffs(x, c, 1));
    annex_table_end(x);
}

static void comparability_of(methods_annex *x, const rsp_analysis *of) {
    const rsp_invariance *v = &of->invariance;
    const char *text = NULL;
    annex_paragraph(x, annex_say(x, "comparability.text",
                                 METHODS_ARGS({"minimum", NULL, (double) v->minimum_group},
                                              {"anchors", NULL, (double) v->anchors})));
    if (rsp_limited_information(&v->model)) annex_paragraph(x, annex_word(x, "comparability.ordinal"));
    if (v->model.weighted) annex_add(x, &text, "comparability.weights", NULL, 0);
    if (v->model.fiml) annex_add(x, &text, "comparability.fiml", NULL, 0);
    if (v->model.pairwise) annex_add(x, &text, "comparability.pairwise", NULL, 0);
    annex_add(x, &text, "comparability.configural",
              METHODS_ARGS({"cfi", NULL, v->cutoffs.configural_cfi}, {"srmr", NULL, v->cutoffs.configural_srmr}));
    if (v->cutoffs.rule == RSP_CUTOFFS_CHEN) annex_add(x, &text, "comparability.chen_everywhere", NULL, 0);
    if (v->cutoffs.rule == RSP_CUTOFFS_RUTKOWSKI_SVETINA)
        annex_add(x, &text, "comparability.rutkowski_everywhere", NULL, 0);
    annex_paragraph(x, text);
    annex_paragraph(x,
                    annex_say(x, "comparability.means", METHODS_ARGS({"noninvariant", NULL, v->cutoffs.noninvariant})));
    if (x->s->field.freeze)
        annex_paragraph(x, annex_say(x, "comparability.steady", METHODS_ARGS({"margin", NULL, v->margin})));
    cutoffs(x, &v->cutoffs);
    verdicts(x, of);
}

static bool has_rows(const methods_annex *x, const char *id) {
    size_t from, to;
    return rsp_published_range(x->p->results, id, &from, &to) && to > from;
}

void methods_comparability(methods_annex *x) {
    bool begun = false;
    for (size_t k = 0; k < x->s->n_analyses; k++) {
        const rsp_analysis *of = &x->s->analyses[k];
        if (of->kind != RSP_A_INVARIANCE || !has_rows(x, of->id)) continue;
        if (!begun) annex_section(x, "comparability.heading");
        begun = true;
        comparability_of(x, of);
    }
}

/* ---- factors ---------------------------------------------------------------------------------------------------- */

static bool same_question(const rsp_analysis *x, const rsp_analysis *y) {
    const rsp_drivers *d = &x->model.drivers, *e = &y->model.drivers;
    return d->n_factors == e->n_factors && d->n_controls == e->n_controls && d->smallest == e->smallest &&
           x->model.across == y->model.across;
}

static bool is_drivers(const methods_annex *x, size_t k) {
    const rsp_analysis *of = &x->s->analyses[k];
    return of->kind == RSP_A_MODEL && of->model.kind == RSP_DRIVERS_MODEL && has_rows(x, of->id);
}

static const char *in_quotes(const methods_annex *x, size_t variable) {
    return rsp_printf(x->a, "\u201c%s\u201d", rsp_variable_label(x->s, variable, "en"));
}

/* Factors and controls that the analysis lists but could not use, each with why. */
static void add_aside(methods_annex *x, const rsp_analysis *of, const char **text) {
    const rsp_drivers *d = &of->model.drivers;
    const char *list = "";
    for (size_t k = 0; k < d->n_factors + d->n_controls; k++) {
        size_t v = k < d->n_factors ? d->factors[k] : d->controls[k - d->n_factors];
        const rsp_published_row *r =
            rsp_published_find(x->p->results, of->id, "", x->s->variables[v].name, "", "coefficient");
        if (!r || !(r->flags & (RSP_F_UNANSWERED | RSP_F_CONSTANT))) continue;
        const char *key = r->flags & RSP_F_CONSTANT ? "drivers.aside_constant" : "drivers.aside_unanswered",
                   *one = annex_say(x, key, METHODS_ARGS({"predictor", in_quotes(x, v), 0}));
        list = rsp_printf(x->a, "%s%s%s", list, *list ? ", " : "", one);
    }
    if (!*list) return;
    annex_add(x, text, "drivers.aside", METHODS_ARGS({"outcome", in_quotes(x, d->outcome), 0}, {"list", list, 0}));
}

/* Analysis k and those after it that ask the same of another outcome; nothing where one before it was told with this one. */
static void drivers_of(methods_annex *x, size_t k) {
    const rsp_analysis *of = &x->s->analyses[k];
    const rsp_drivers *d = &of->model.drivers;
    const char *groups = of->model.across == RSP_NONE ? "" : rsp_variable_label(x->s, of->model.across, "en"),
               *outcomes = "";
    double n = 0;
    for (size_t j = 0; j < k; j++)
        if (is_drivers(x, j) && same_question(&x->s->analyses[j], of)) return;
    for (size_t j = k; j < x->s->n_analyses; j++) {
        if (!is_drivers(x, j) || !same_question(of, &x->s->analyses[j])) continue;
        outcomes = rsp_printf(x->a, "%s%s%s", outcomes, n++ > 0 ? ", " : "",
                              in_quotes(x, x->s->analyses[j].model.drivers.outcome));
    }
    const char *text =
        annex_say(x, "drivers.text",
                  METHODS_ARGS({"outcomes", outcomes, 0}, {"n", NULL, n}, {"factors", NULL, (double) d->n_factors},
                               {"controls", NULL, (double) d->n_controls}, {"groups", groups, 0}));
    annex_add(x, &text, "drivers.clear", METHODS_ARGS({"smallest", NULL, d->smallest}));
    for (size_t j = k; j < x->s->n_analyses; j++)
        if (is_drivers(x, j) && same_question(of, &x->s->analyses[j])) add_aside(x, &x->s->analyses[j], &text);
    annex_paragraph(x, text);
}

void methods_drivers(methods_annex *x) {
    static const char *const roles[] = {"drivers.role_own", "drivers.role_suppressed", "drivers.role_shared",
                                        "drivers.role_none"},
                             *const rules[] = {"drivers.rule_few", "drivers.rule_depends", "drivers.rule_no_role",
                                               "drivers.rule_blocker", "drivers.rule_enabler"};
    const char *items[5];
    bool begun = false;
    for (size_t k = 0; k < x->s->n_analyses; k++) {
        if (!is_drivers(x, k)) continue;
        if (!begun) annex_section(x, "drivers.heading");
        begun = true;
        drivers_of(x, k);
    }
    if (!begun) return;
    for (size_t k = 0; k < 4; k++) items[k] = annex_word(x, roles[k]);
    annex_list(x, annex_word(x, "drivers.roles"), 4, items);
    for (size_t k = 0; k < 5; k++) items[k] = annex_word(x, rules[k]);
    annex_list(x, annex_word(x, "drivers.rules"), 5, items);
    if (x->p->preliminary) annex_paragraph(x, annex_word(x, "drivers.withheld"));
}

/* ---- marks ------------------------------------------------------------------------------------------------------ */

static void add_flag(methods_annex *x, uint32_t flag, size_t n) {
    char name[256];
    rsp_flags_text(flag, name);
    const char *meaning = methods_flag(x->w, name);
    if (!meaning)
        rsp_report(x->d, RSP_WARNING, (rsp_loc){"reports/methods.yaml", 0, 0}, "add it under flags",
                   "the flag '%s' is not defined: the methods annex prints its name alone", name);
    annex_cell_with(x, rsp_label_flag(x->labels, x->a, flag), name);
    annex_cell(x, meaning ? meaning : DASH);
    annex_cell(x, annex_count(x, (double) n));
}

void methods_flags(methods_annex *x) {
    size_t n = rsp_published_count(x->p->results), with[32] = {0}, any = 0;
    for (size_t i = 0; i < n; i++)
        for (int bit = 0; bit < 32; bit++) with[bit] += rsp_published_at(x->p->results, i)->flags >> bit & 1;
    for (int bit = 0; bit < 32; bit++) any += with[bit] > 0;
    annex_section(x, "flags.heading");
    annex_paragraph(x, annex_say(x, "flags.text", METHODS_ARGS({"results", NULL, (double) n})));
    if (any) {
        annex_table(x, NULL, 3, (const char *const[]){"flags.flag", "flags.meaning", "flags.results"},
                    (const double[]){160, 0, 65}, "ttn");
        for (int bit = 0; bit < 32; bit++)
            if (with[bit]) add_flag(x, (uint32_t) 1 << bit, with[bit]);
        annex_table_end(x);
    }
    if (x->p->n_notes) annex_list(x, annex_word(x, "flags.notes"), x->p->n_notes, x->p->notes);
    else annex_paragraph(x, annex_word(x, "flags.no_notes"));
}

/* ---- accuracy --------------------------------------------------------------------------------------------------- */

static const char *digits(const methods_annex *x, double d) {
    return isnan(d) ? DASH : rsp_say_number(x->texts, x->a, floor(d * 10) / 10, 1);
}

/* "9", or "6; 4" where less is asked of errors. */
static const char *asked(const methods_annex *x, const rsp_accuracy *s) {
    const char *text = rsp_say_number(x->texts, x->a, s->asked, s->asked == floor(s->asked) ? 0 : 1);
    if (s->asked == s->errors_asked) return text;
    return rsp_printf(x->a, "%s; %s", text, rsp_say_number(x->texts, x->a, s->errors_asked, 0));
}

static void sets(methods_annex *x, bool certified) {
    static const char *const heads[] = {"accuracy.set",    "accuracy.what",   "accuracy.numbers",
                                        "accuracy.digits", "accuracy.errors", "accuracy.asked"};
    size_t n = 0;
    for (size_t k = 0; k < x->p->n_accuracy; k++) {
        const rsp_accuracy *s = &x->p->accuracy[k];
        if (!s->against != certified) continue;
        if (!n++)
            annex_table(x, annex_word(x, certified ? "accuracy.nist" : "accuracy.reference"), 6, heads,
                        (const double[]){88, 0, 50, 52, 44, 52}, "ttnnnn");
        annex_cell(x, s->name);
        annex_cell_with(x, s->what, s->against);
        annex_cell(x, annex_count(x, (double) s->compared));
        annex_cell(x, digits(x, s->digits));
        annex_cell(x, digits(x, s->error_digits));
        annex_cell(x, asked(x, s));
    }
    if (n) annex_table_end(x);
}

/* What the certified sets are about: "Mean and standard deviation: Lottery, Lew." NULL: there are none. */
static const char *parts(const methods_annex *x) {
    const char *text = NULL, *list = "";
    for (size_t k = 0; k < x->p->n_accuracy; k++) {
        const rsp_accuracy *s = &x->p->accuracy[k];
        if (s->against) continue;
        list = rsp_printf(x->a, "%s%s%s", list, *list ? ", " : "", s->name);
        if (k + 1 < x->p->n_accuracy && strcmp(s[1].part, s->part) == 0) continue;
        annex_add(x, &text, rsp_printf(x->a, "accuracy.%s", s->part), METHODS_ARGS({"list", list, 0}));
        list = "";
    }
    return text;
}

static void unmet(methods_annex *x) {
    const char *list = "";
    for (size_t k = 0; k < x->p->n_accuracy; k++)
        if (!x->p->accuracy[k].met) list = rsp_printf(x->a, "%s%s%s", list, *list ? ", " : "", x->p->accuracy[k].name);
    if (*list) annex_paragraph(x, annex_say(x, "accuracy.unmet", METHODS_ARGS({"list", list, 0})));
}

/* One row for each world: how many methods keep what they promise there. */
static void worlds(methods_annex *x) {
    static const char *const verdicts[] = {"holds", "short", "wide"};
    rsp_map *seen = rsp_map_new();
    annex_table(x, NULL, 6,
                (const char *const[]){"recovery.world", "recovery.methods", "recovery.holds", "recovery.short",
                                      "recovery.wide", "recovery.lowest"},
                (const double[]){0, 65, 75, 60, 60, 75}, "tnnnnn");
    for (size_t k = 0; k < x->p->n_recovery; k++) {
        const char *world = x->p->recovery[k].world;
        double n[3] = {0}, all = 0, least = INFINITY;
        if (!rsp_map_put(seen, world, k)) continue;
        for (size_t j = k; j < x->p->n_recovery; j++) {
            const rsp_recovery *r = &x->p->recovery[j];
            if (strcmp(r->world, world) != 0) continue;
            all++;
            least = fmin(least, r->coverage);
            for (size_t v = 0; v < 3; v++) n[v] += strcmp(r->verdict, verdicts[v]) == 0;
        }
        annex_cell(x, world);
        annex_cell(x, annex_count(x, all));
        for (size_t v = 0; v < 3; v++) annex_cell(x, annex_count(x, n[v]));
        annex_cell(x, rsp_say_percent(x->texts, x->a, least, 1));
    }
    annex_table_end(x);
    rsp_map_free(seen);
}

/* One row for each reason, with all that it explains. */
static void shortfalls(methods_annex *x) {
    rsp_map *seen = rsp_map_new();
    for (size_t k = 0; k < x->p->n_recovery; k++) {
        const char *why = x->p->recovery[k].why, *list = "";
        if (!*why || !rsp_map_put(seen, why, k)) continue;
        if (rsp_map_count(seen) == 1)
            annex_table(x, annex_word(x, "recovery.shortfalls"), 2,
                        (const char *const[]){"recovery.why", "recovery.where"}, (const double[]){170, 0}, "tt");
        for (size_t j = k; j < x->p->n_recovery; j++) {
            const rsp_recovery *r = &x->p->recovery[j];
            if (strcmp(r->why, why) != 0) continue;
            const char *one = annex_say(x, "recovery.one",
                                        METHODS_ARGS({"kind", r->kind, 0}, {"world", r->world, 0},
                                                     {"coverage", rsp_say_percent(x->texts, x->a, r->coverage, 1), 0}));
            list = *list ? rsp_printf(x->a, "%s; %s", list, one) : one;
        }
        annex_cell(x, why);
        annex_cell(x, list);
    }
    if (rsp_map_count(seen)) annex_table_end(x);
    rsp_map_free(seen);
}

static void recovery(methods_annex *x) {
    double nights = 0, low = INFINITY, high = -INFINITY;
    if (!x->p->n_recovery) return;
    for (size_t k = 0; k < x->p->n_recovery; k++) {
        const rsp_recovery *r = &x->p->recovery[k];
        nights = fmax(nights, r->nights);
        low = fmin(low, r->low);
        high = fmax(high, r->high);
    }
    annex_subheading(x, annex_word(x, "recovery.title"));
    annex_paragraph(
        x, annex_say(x, "recovery.text",
                     METHODS_ARGS({"nights", NULL, nights}, {"low", rsp_say_percent(x->texts, x->a, low, 1), 0},
                                  {"high", rsp_say_percent(x->texts, x->a, high, 1), 0})));
    worlds(x);
    shortfalls(x);
}

void methods_accuracy(methods_annex *x) {
    if (!x->p->n_accuracy && !x->p->n_recovery) return;
    annex_section(x, "accuracy.heading");
    annex_paragraph(x, annex_word(x, "accuracy.text"));
    const char *what = parts(x);
    if (what) annex_paragraph(x, what);
    unmet(x);
    sets(x, true);
    sets(x, false);
    annex_paragraph(x, annex_word(x, "accuracy.more"));
    recovery(x);
}

/* ---- since the last run ----------------------------------------------------------------------------------------- */

static void largest_moves(methods_annex *x, const rsp_changes *all) {
    enum { MOST = 8 };
    size_t n;
    const rsp_change **moved = rsp_changes_moved(all, x->a, &n);
    if (!n) return;
    annex_table(x, annex_word(x, "changes.table"), 4,
                (const char *const[]){"changes.what", "changes.before", "changes.now", "changes.errors"},
                (const double[]){0, 65, 65, 75}, "tnnn");
    for (size_t k = 0; k < n && k < MOST; k++) {
        annex_cell(x, rsp_label_row(x->labels, x->a, moved[k]->now));
        annex_cell(x, rsp_label_estimate(x->labels, x->a, moved[k]->before));
        annex_cell(x, rsp_label_estimate(x->labels, x->a, moved[k]->now));
        annex_cell(x, rsp_say_number(x->texts, x->a, moved[k]->errors, 1));
    }
    annex_table_end(x);
}

static void add_kept(methods_annex *x, const char **text, const rsp_changes *all) {
    const rsp_published_row *now = rsp_published_find(x->p->results, "response", "", "kept", "", "count"),
                            *before = now ? rsp_changes_before(all, now) : NULL;
    if (before)
        annex_add(x, text, "changes.kept",
                  METHODS_ARGS({"now", NULL, now->estimate}, {"before", NULL, before->estimate}));
}

/* Files by their names alone: where they lie on this machine is nobody's business. */
static void add_causes(methods_annex *x, const char **text, const rsp_changes *all) {
    static const char *const keys[] = {"changes.exports", "changes.study"};
    const char *lists[] = {"", ""};
    for (size_t k = 0; k < all->n_causes; k++) {
        const rsp_cause *c = &all->causes[k];
        if (c->part == RSP_CAUSE_PROGRAM) {
            annex_add(x, text, "changes.program", METHODS_ARGS({"now", c->now, 0}, {"before", c->before, 0}));
            continue;
        }
        const char *slash = strrchr(c->name, '/'), *name = slash ? slash + 1 : c->name;
        lists[c->part] = *lists[c->part] ? rsp_printf(x->a, "%s, %s", lists[c->part], name) : name;
    }
    for (size_t k = 0; k < 2; k++)
        if (*lists[k]) annex_add(x, text, keys[k], METHODS_ARGS({"list", lists[k], 0}));
    if (all->final) annex_add(x, text, "changes.final", NULL, 0);
    if (!all->n_causes && !all->final) annex_add(x, text, "changes.same", NULL, 0);
}

void methods_changes(methods_annex *x) {
    const rsp_changes *all = x->p->changes;
    const char *text = NULL;
    annex_section(x, "changes.heading");
    if (!all) {
        annex_paragraph(x, annex_word(x, "changes.first"));
        return;
    }
    double moved = (double) all->of_kind[RSP_CHANGE_MOVED], flipped = (double) all->of_kind[RSP_CHANGE_FLIPPED],
           added = (double) all->of_kind[RSP_CHANGE_ADDED], removed = (double) all->of_kind[RSP_CHANGE_REMOVED];
    add_causes(x, &text, all);
    add_kept(x, &text, all);
    annex_add(x, &text, moved + flipped + added + removed > 0 ? "changes.text" : "changes.none",
              METHODS_ARGS({"compared", NULL, (double) all->compared}, {"moved", NULL, moved},
                           {"flipped", NULL, flipped}, {"added", NULL, added}, {"removed", NULL, removed}));
    annex_paragraph(x, text);
    largest_moves(x, all);
}

/* ---- software --------------------------------------------------------------------------------------------------- */

/* "GSL 2.7.1, OpenBLAS 0.3.21" */
static const char *libraries(const methods_annex *x, const char *use) {
    const char *list = "";
    for (size_t k = 0; k < x->p->n_libraries; k++) {
        const rsp_library *l = &x->p->libraries[k];
        if (strcmp(l->use, use) == 0)
            list = rsp_printf(x->a, "%s%s%s %s", list, *list ? ", " : "", l->name, l->version);
    }
    return list;
}

void methods_software(methods_annex *x) {
    static const char *const uses[] = {"numbers", "pages", "reading"};
    const char *items[3];
    size_t n = 0;
    annex_section(x, "software.heading");
    annex_paragraph(x, annex_say(x, "software.text", METHODS_ARGS({"version", RSP_VERSION, 0})));
    for (size_t k = 0; k < 3; k++) {
        const char *list = libraries(x, uses[k]);
        if (*list) items[n++] = annex_say(x, rsp_printf(x->a, "software.%s", uses[k]), METHODS_ARGS({"list", list, 0}));
    }
    if (n) annex_list(x, NULL, n, items);
}

/* ---- definitions ------------------------------------------------------------------------------------------------ */

/* Which names of which definition stand in the rows: key "address of definition" is its place in the kinds. */
typedef struct {
    const methods_kind *kinds;
    size_t n_kinds;
    rsp_map *seen; /* "kind|statistic", every pair once */
    bool **used;   /* [kind][definition * MOST_NAMES + name] */
} usage;

enum { MOST_NAMES = 16 };

static void mark(usage *u, const methods_definition *d, const char *statistic) {
    for (size_t k = 0; k < u->n_kinds; k++) {
        const methods_kind *kind = &u->kinds[k];
        if (d < kind->definitions || d >= kind->definitions + kind->n) continue;
        for (size_t j = 0; j < d->n_names && j < MOST_NAMES; j++)
            if (strcmp(d->names[j], statistic) == 0)
                u->used[k][(size_t) (d - kind->definitions) * MOST_NAMES + j] = true;
    }
}

/* Definitions for a feature of the analysis stand beside the plain one. */
static void mark_features(usage *u, const rsp_analysis *of, const char *statistic) {
    for (size_t k = 0; k < u->n_kinds; k++)
        for (size_t j = 0; j < u->kinds[k].n; j++) {
            const methods_definition *d = &u->kinds[k].definitions[j];
            if (d->with && methods_has_feature(of, d->with)) mark(u, d, statistic);
        }
}

static void mark_row(methods_annex *x, usage *u, const rsp_published_row *r, size_t place) {
    const rsp_analysis *of = rsp_label_find(x->labels, r->analysis);
    const char *kind = methods_kind_of(of, r->analysis);
    if (!rsp_map_put(u->seen, rsp_printf(x->a, "%s|%s", r->analysis, r->statistic), place)) return;
    const methods_definition *d = methods_define(x->w, kind, r->statistic);
    if (d) mark(u, d, r->statistic);
    else
        rsp_report(x->d, RSP_WARNING, (rsp_loc){"reports/methods.yaml", 0, 0}, "add it under kinds",
                   "the statistic '%s' of kind '%s' is not defined: the methods annex does not explain it",
                   r->statistic, kind);
    mark_features(u, of, r->statistic);
}

static void definition_row(methods_annex *x, const methods_definition *d, const bool *used) {
    const char *name = d->name, *columns = "";
    for (size_t k = 0; k < d->n_names && k < MOST_NAMES; k++) {
        if (!used[k]) continue;
        const char *label = rsp_label_statistic(x->labels, x->a, d->names[k]);
        if (!d->name) name = name ? rsp_printf(x->a, "%s; %s", name, label) : label;
        columns = rsp_printf(x->a, "%s%s%s", columns, *columns ? ", " : "", d->names[k]);
    }
    annex_cell_with(x, name, columns);
    annex_cell_with(x, d->what, d->source);
    annex_cell(x, d->formula ? d->formula : DASH);
}

static void kind_table(methods_annex *x, const methods_kind *kind, const bool *used) {
    static const char *const heads[] = {"definitions.statistic", "definitions.what", "definitions.formula"};
    bool begun = false;
    for (size_t k = 0; k < kind->n; k++) {
        bool any = false;
        for (size_t j = 0; j < MOST_NAMES; j++) any |= used[k * MOST_NAMES + j];
        if (!any) continue;
        if (!begun) annex_table(x, kind->title, 3, heads, (const double[]){122, 0, 146}, "ttt");
        begun = true;
        definition_row(x, &kind->definitions[k], used + k * MOST_NAMES);
    }
    if (begun) annex_table_end(x);
}

void methods_definitions(methods_annex *x) {
    usage u = {.seen = rsp_map_new()};
    u.n_kinds = methods_kinds(x->w, &u.kinds);
    u.used = RSP_ARRAY(x->a, bool *, u.n_kinds);
    for (size_t k = 0; k < u.n_kinds; k++) u.used[k] = RSP_ARRAY(x->a, bool, u.kinds[k].n *MOST_NAMES + 1);
    for (size_t i = 0; i < rsp_published_count(x->p->results); i++)
        mark_row(x, &u, rsp_published_at(x->p->results, i), i);
    rsp_map_free(u.seen);
    annex_section(x, "definitions.heading");
    annex_paragraph(x, annex_word(x, "definitions.text"));
    for (size_t k = 0; k < u.n_kinds; k++) kind_table(x, &u.kinds[k], u.used[k]);
}

/* "H. Akaike: A new look" and "Akaike 1974" are "H. Akaike (1974): A new look". */
static const char *with_year(const methods_annex *x, const rsp_pair *source) {
    const char *year = strrchr(source->name, ' '), *colon = strchr(source->value, ':');
    if (!year || !colon) return source->value;
    return rsp_printf(x->a, "%.*s (%s)%s", (int) (colon - source->value), source->value, year + 1, colon);
}

void methods_cited(methods_annex *x) {
    const rsp_pair *all;
    size_t n = methods_sources(x->w, &all), cited = 0;
    const char **list = RSP_ARRAY(x->a, const char *, n + 1);
    for (size_t k = 0; k < n; k++)
        if (x->printed.data && strstr(x->printed.data, all[k].name)) list[cited++] = with_year(x, &all[k]);
    if (cited) annex_columns(x, annex_word(x, "sources.heading"), cited, list);
}
