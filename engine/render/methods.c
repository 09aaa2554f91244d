/* The methods annex of a publication: one PDF in English. */
#include "methods.h"

#include "charts.h"
#include "fonts.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The type of briefs; tables are smaller, as there is much to look up. */
static const brief_type MASTHEAD = {9.5, 1.0, true, BRIEF_ACCENT}, TITLE = {23, 0.88, true, BRIEF_ACCENT},
                        SUBTITLE = {10.5, 1.0, false, BRIEF_GREY}, NOTICE = {9.5, 1.0, true, BRIEF_INK},
                        HEADING = {11.5, 0.92, true, BRIEF_ACCENT}, BODY = {10, 1.0, false, BRIEF_INK},
                        GLANCE = {10.2, 1.0, false, BRIEF_INK}, SUBHEADING = {9, 1.0, true, BRIEF_ACCENT},
                        CELL = {8.2, 0.98, false, BRIEF_INK}, LABEL = {8.5, 1.0, true, BRIEF_ACCENT},
                        NOTE = {8, 1.0, false, BRIEF_INK};

static const char LANG[] = "en";

/* ---- words ------------------------------------------------------------------------------------------------------ */

const char *annex_say(const methods_annex *x, const char *key, const rsp_arg *args, size_t n) {
    return methods_say(x->w, x->a, key, args, n);
}

const char *annex_word(const methods_annex *x, const char *key) { return annex_say(x, key, NULL, 0); }

void annex_add(const methods_annex *x, const char **paragraph, const char *key, const rsp_arg *args, size_t n) {
    const char *one = annex_say(x, key, args, n);
    *paragraph = *paragraph ? rsp_printf(x->a, "%s %s", *paragraph, one) : one;
}

const char *annex_count(const methods_annex *x, double n) { return rsp_say_number(x->texts, x->a, n, 0); }

double annex_value(const methods_annex *x, const char *analysis, const char *domain, const char *term,
                   const char *level, const char *statistic) {
    const rsp_published_row *r = rsp_published_find(x->p->results, analysis, domain, term, level, statistic);
    return r ? r->estimate : NAN;
}

const char *annex_variables(const methods_annex *x, const size_t *variables, size_t n) {
    const char *list = "";
    for (size_t k = 0; k < n; k++) {
        const char *one = rsp_variable_label(x->s, variables[k], LANG);
        list = *list ? rsp_printf(x->a, "%s, %s", list, one) : one;
    }
    return list;
}

static const char *printed(methods_annex *x, const char *text) {
    rsp_buf_puts(&x->printed, text);
    rsp_buf_putc(&x->printed, '\n');
    return text;
}

static const char *set(methods_annex *x, const char *text) {
    return brief_typeset(NULL, x->a, LANG, printed(x, text)); /* English on long lines needs no hyphens */
}

static const char *glued(methods_annex *x, const char *text) { return brief_glue(x->a, LANG, printed(x, text)); }

/* ---- pieces ----------------------------------------------------------------------------------------------------- */

static brief_piece *add(methods_annex *x, brief_piece p) {
    RSP_PUSH(x->doc->pieces, x->doc->n, x->doc->capacity, p);
    return &x->doc->pieces[x->doc->n - 1];
}

static brief_piece *add_text(methods_annex *x, const char *tag, const char *text, const brief_type *type, double left,
                             double width, double gap) {
    brief_piece p = {
        .kind = PIECE_TEXT, .tag = tag, .text = text, .type = *type, .x = left, .width = width, .gap = gap};
    p.height = brief_height(LANG, text, NULL, type, width);
    return add(x, p);
}

void annex_section(methods_annex *x, const char *key) {
    brief_piece *p = add_text(x, "H2", glued(x, annex_word(x, key)), &HEADING, BRIEF_LEFT, BRIEF_MARGIN_W, 22);
    p->margin = p->keep = p->outline = true;
}

void annex_paragraph(methods_annex *x, const char *text) {
    bool first = x->doc->n && x->doc->pieces[x->doc->n - 1].margin;
    add_text(x, "P", set(x, text), &BODY, BRIEF_BODY_X, BRIEF_BODY_W, first ? 0 : 6);
}

void annex_subheading(methods_annex *x, const char *text) {
    add_text(x, "H3", glued(x, text), &SUBHEADING, BRIEF_LEFT, BRIEF_WIDTH, 12)->keep = true;
}

void annex_list(methods_annex *x, const char *heading, size_t n, const char *const *items) {
    brief_entry *entries = RSP_ARRAY(x->a, brief_entry, n + 1);
    for (size_t k = 0; k < n; k++) entries[k].text = set(x, items[k]);
    if (heading) add_text(x, "H3", glued(x, heading), &SUBHEADING, BRIEF_BODY_X, BRIEF_BODY_W, 8)->keep = true;
    brief_piece p = {.kind = PIECE_LIST,
                     .type = BODY,
                     .n_entries = n,
                     .entries = entries,
                     .x = BRIEF_BODY_X,
                     .width = BRIEF_BODY_W,
                     .gap = 3};
    p.height = brief_list_height(&p, LANG);
    add(x, p);
}

void annex_columns(methods_annex *x, const char *heading, size_t n, const char *const *items) {
    brief_entry *entries = RSP_ARRAY(x->a, brief_entry, n + 1);
    for (size_t k = 0; k < n; k++) entries[k].text = glued(x, items[k]);
    brief_piece p = {.kind = PIECE_COLUMNS,
                     .text = glued(x, heading),
                     .type = NOTE,
                     .n_entries = n,
                     .entries = entries,
                     .x = BRIEF_LEFT,
                     .width = BRIEF_WIDTH,
                     .gap = 22,
                     .outline = true};
    p.height = brief_columns_height(&p, LANG);
    add(x, p);
}

/* ---- tables ----------------------------------------------------------------------------------------------------- */

void annex_table(methods_annex *x, const char *caption, size_t n, const char *const *heads, const double *widths,
                 const char *numbers) {
    double rest = BRIEF_WIDTH;
    size_t open = 0;
    x->n_columns = n;
    x->n_cells = 0;
    for (size_t k = 0; k < n; k++) {
        rest -= widths[k];
        open += widths[k] == 0;
    }
    for (size_t k = 0; k < n; k++)
        x->columns[k] = (brief_column){widths[k] > 0 ? widths[k] : rest / (double) open, numbers[k] == 'n'};
    if (caption) annex_subheading(x, caption);
    for (size_t k = 0; k < n; k++) annex_cell(x, annex_word(x, heads[k]));
}

void annex_cell_with(methods_annex *x, const char *text, const char *tail) {
    brief_entry e = {NULL, glued(x, text), tail && *tail ? glued(x, tail) : NULL};
    RSP_PUSH(x->cells, x->n_cells, x->capacity, e);
}

void annex_cell(methods_annex *x, const char *text) { annex_cell_with(x, text, NULL); }

void annex_table_end(methods_annex *x) {
    brief_entry *entries = RSP_ARRAY(x->a, brief_entry, x->n_cells);
    brief_column *columns = RSP_ARRAY(x->a, brief_column, x->n_columns);
    memcpy(entries, x->cells, x->n_cells * sizeof *entries);
    memcpy(columns, x->columns, x->n_columns * sizeof *columns);
    brief_piece p = {.kind = PIECE_TABLE,
                     .type = CELL,
                     .x = BRIEF_LEFT,
                     .width = BRIEF_WIDTH,
                     .gap = 4,
                     .n_columns = x->n_columns,
                     .columns = columns,
                     .n_entries = x->n_cells,
                     .entries = entries};
    p.height = brief_table_height(&p, LANG);
    add(x, p);
}

/* ---- the figure ------------------------------------------------------------------------------------------------- */

void annex_figure(methods_annex *x, const rsp_chart_spec *spec) {
    rsp_scene *scene = x->figure ? NULL : rsp_chart_inset(x->p, spec, NULL, x->labels, BRIEF_WIDTH);
    if (!scene) return;
    x->figure = scene;
    rsp_arg number = {"figure", NULL, 1};
    brief_piece p = {.kind = PIECE_FIGURE,
                     .scene = scene,
                     .label = glued(x, rsp_say(x->texts, x->a, "brief.figure", &number, 1)),
                     .type = LABEL,
                     .x = BRIEF_LEFT,
                     .width = BRIEF_WIDTH,
                     .gap = 16};
    p.height = scene->height + brief_height(LANG, p.label, NULL, &LABEL, BRIEF_WIDTH) + 3;
    add(x, p);
}

/* ---- the first page --------------------------------------------------------------------------------------------- */

/* What is true of all results, in few words as briefs say it; NULL: nothing. */
static const char *short_notice(const methods_annex *x) {
    const struct {
        bool holds;
        const char *key;
    } all[] = {{x->p->simulated, "brief.short.simulated"},
               {x->p->preliminary, "brief.short.preliminary"},
               {x->s->design.self_selected, "brief.short.self_selected"}};
    const char *text = NULL;
    for (size_t k = 0; k < sizeof all / sizeof *all; k++) {
        if (!all[k].holds) continue;
        const char *one = rsp_say(x->texts, x->a, all[k].key, NULL, 0);
        text = text ? rsp_printf(x->a, "%s · %s", text, one) : one;
    }
    return text;
}

static void title(methods_annex *x) {
    const char *publisher = rsp_label_publisher(x->labels, x->a), *study = rsp_label_study(x->labels);
    add_text(x, "P", glued(x, annex_say(x, "masthead", METHODS_ARGS({"publisher", publisher, 0}))), &MASTHEAD,
             BRIEF_LEFT, BRIEF_WIDTH, 0);
    add_text(x, "H1", glued(x, annex_word(x, "title")), &TITLE, BRIEF_LEFT, BRIEF_WIDTH, 16)->outline = true;
    add_text(x, "P", glued(x, study), &SUBTITLE, BRIEF_LEFT, BRIEF_WIDTH, 6);
    if (x->s->field.from && x->s->field.to)
        add_text(x, "P",
                 glued(x, annex_say(x, "data.period",
                                    METHODS_ARGS({"from", x->s->field.from, 0}, {"to", x->s->field.to, 0}))),
                 &SUBTITLE, BRIEF_LEFT, BRIEF_WIDTH, 0);
    const char *notice = short_notice(x);
    if (notice) add_text(x, "P", glued(x, notice), &NOTICE, BRIEF_LEFT, BRIEF_WIDTH, 8);
    x->doc->title = rsp_printf(x->a, "%s: %s", annex_word(x, "title"), study);
    x->doc->footer = glued(x, annex_say(x, "footer", METHODS_ARGS({"study", study, 0})));
    x->doc->notice = notice ? glued(x, notice) : NULL;
    x->doc->content = glued(x, annex_say(x, "content", METHODS_ARGS({"id", x->p->content_id, 0})));
}

static const char *glance_weights(const methods_annex *x) {
    size_t from, to, groups = 0;
    double low = INFINITY, high = 0, gap = 0;
    if (!x->s->weighting.given || !rsp_published_range(x->p->results, "weights", &from, &to))
        return annex_word(x, "glance.unweighted");
    for (size_t i = from; i < to; i++) {
        const rsp_published_row *r = rsp_published_at(x->p->results, i);
        bool deff = strcmp(r->statistic, "deff_kish") == 0 && !isnan(r->estimate);
        groups += deff;
        if (deff) low = fmin(low, r->estimate), high = fmax(high, r->estimate);
        if (strcmp(r->statistic, "margin_gap") == 0 && !isnan(r->estimate)) gap = fmax(gap, fabs(r->estimate));
    }
    if (!groups) return annex_word(x, "glance.unweighted");
    return annex_say(x, groups > 1 ? "glance.weighted" : "glance.weighted_one",
                     METHODS_ARGS({"groups", NULL, (double) groups}, {"met", gap < 0.0005 ? "all" : "some", 0},
                                  {"low", rsp_say_number(x->texts, x->a, low, 2), 0},
                                  {"high", rsp_say_number(x->texts, x->a, high, 2), 0}));
}

static size_t hidden_rows(const methods_annex *x) {
    size_t n = 0;
    for (size_t i = 0; i < rsp_published_count(x->p->results); i++)
        n += (rsp_published_at(x->p->results, i)->flags & (RSP_F_SUPPRESSED | RSP_F_SUPPRESSED_COMPLEMENTARY)) != 0;
    return n;
}

/* NULL: no scale was compared. */
static const char *glance_verdicts(const methods_annex *x) {
    static const char *const words[] = {"not_comparable", "with_caution", "comparable"};
    double n[3] = {0};
    for (size_t i = 0; i < rsp_published_count(x->p->results); i++) {
        const rsp_published_row *r = rsp_published_at(x->p->results, i);
        const rsp_analysis *of = rsp_label_find(x->labels, r->analysis);
        if (!of || of->kind != RSP_A_INVARIANCE || strcmp(r->statistic, "verdict") != 0) continue;
        for (size_t k = 0; k < 3; k++) n[k] += strcmp(r->level, words[k]) == 0;
    }
    if (n[0] + n[1] + n[2] == 0) return NULL;
    return annex_say(x, "glance.verdicts",
                     METHODS_ARGS({"all", NULL, n[0] + n[1] + n[2]}, {"comparable", NULL, n[2]},
                                  {"caution", NULL, n[1]}, {"not", NULL, n[0]}));
}

/* NULL: nothing was held against anything. */
static const char *glance_accuracy(const methods_annex *x) {
    enum { NINE = 9 };
    double sets = 0, nine = 0, least = INFINITY;
    for (size_t k = 0; k < x->p->n_accuracy; k++) {
        const rsp_accuracy *s = &x->p->accuracy[k];
        double worst = fmin(s->digits, s->error_digits); /* of those that are numbers */
        if (!s->met)
            return annex_say(x, "glance.accuracy_not", METHODS_ARGS({"section", annex_word(x, "accuracy.heading"), 0}));
        if (s->against) continue;
        sets++;
        nine += worst >= NINE;
        least = fmin(least, worst);
    }
    if (!sets) return NULL;
    return annex_say(x, "glance.accuracy",
                     METHODS_ARGS({"sets", NULL, sets}, {"nine", NULL, nine}, {"least", NULL, floor(least)}));
}

static void glance(methods_annex *x) {
    brief_entry entries[5] = {{0}};
    size_t n = 0;
    double read = annex_value(x, "response", "", "read", "", "count");
    if (!isnan(read))
        entries[n++].text = annex_say(
            x, "glance.rows",
            METHODS_ARGS({"read", NULL, read}, {"kept", NULL, annex_value(x, "response", "", "kept", "", "count")},
                         {"aside", NULL, annex_value(x, "response", "", "set_aside", "", "count")}));
    entries[n++].text = glance_weights(x);
    entries[n++].text = annex_say(x, "glance.results",
                                  METHODS_ARGS({"results", NULL, (double) rsp_published_count(x->p->results)},
                                               {"analyses", NULL, (double) x->s->n_analyses},
                                               {"hidden", NULL, (double) hidden_rows(x)}));
    const char *verdicts = glance_verdicts(x), *accuracy = glance_accuracy(x);
    if (verdicts) entries[n++].text = verdicts;
    if (accuracy) entries[n++].text = accuracy;
    brief_piece p = {.kind = PIECE_LIST,
                     .text = glued(x, annex_word(x, "glance")),
                     .type = GLANCE,
                     .n_entries = n,
                     .box = true,
                     .x = BRIEF_LEFT,
                     .width = BRIEF_WIDTH,
                     .gap = 14,
                     .outline = true};
    p.entries = RSP_ARRAY(x->a, brief_entry, n);
    for (size_t k = 0; k < n; k++) p.entries[k].text = set(x, entries[k].text);
    p.height = brief_list_height(&p, LANG);
    add(x, p);
}

/* ---- the annex -------------------------------------------------------------------------------------------------- */

static void compose(methods_annex *x) {
    title(x);
    glance(x);
    methods_data(x);
    methods_design(x);
    methods_weighting(x);
    methods_variance(x);
    methods_missing(x);
    methods_disclosure(x);
    methods_comparability(x);
    methods_drivers(x);
    methods_accuracy(x);
    methods_flags(x);
    methods_changes(x);
    methods_definitions(x);
    methods_software(x);
    methods_cited(x);
}

static bool write_annex(methods_annex *x) {
    brief_edition e = {.p = x->p, .texts = x->texts, .labels = x->labels, .arena = x->a};
    brief_document doc = {0};
    e.path = rsp_path_join(x->a, x->p->dir, "methods/methods-en.pdf");
    x->doc = &doc;
    compose(x);
    brief_flow(&doc, LANG, x->a);
    rsp_buf pdf = {0};
    bool ok = brief_draw(&e, &doc, LANG, &pdf, x->d) && rsp_write_file(e.path, pdf.data, pdf.length, x->d);
    rsp_buf_free(&pdf);
    brief_document_free(&doc);
    rsp_scene_free(x->figure);
    free(x->cells);
    rsp_buf_free(&x->printed);
    return ok;
}

/* The words of English: the publication's, or, where it has no English edition, opened for the annex. */
static bool open_words(methods_annex *x, rsp_texts **own_texts, rsp_labels **own_labels) {
    x->labels = rsp_labels_in(x->p, LANG);
    if (!x->labels) {
        *own_texts = rsp_texts_load(LANG, x->d);
        if (!*own_texts) return false;
        x->labels = *own_labels = rsp_labels_new(x->s, *own_texts);
        rsp_labels_count_countries(*own_labels, x->p->results);
    }
    x->texts = rsp_labels_texts(x->labels);
    return true;
}

bool rsp_render_methods(const rsp_publication *p, rsp_diag *d) {
    methods_annex x = {.p = p, .s = p->study, .a = rsp_arena_new(), .d = d};
    rsp_texts *own_texts = NULL;
    rsp_labels *own_labels = NULL;
    methods_words *words = methods_words_load(rsp_path_join(x.a, rsp_data_dir(), "reports/methods.yaml"), d);
    bool ok =
        words && open_words(&x, &own_texts, &own_labels) && rsp_make_dirs(rsp_path_join(x.a, p->dir, "methods"), d);
    if (ok && !rsp_font_map()) {
        rsp_report(d, RSP_ERR_OUTPUT, RSP_NOWHERE, "install Debian's fonts-noto-core or fonts-open-sans",
                   "no font for the methods annex");
        ok = false;
    }
    if (ok) {
        x.w = words;
        ok = write_annex(&x);
    }
    rsp_labels_free(own_labels);
    rsp_texts_free(own_texts);
    methods_words_free(words);
    rsp_arena_free(x.a);
    return ok;
}
