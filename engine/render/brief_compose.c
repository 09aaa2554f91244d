/* From observations to pieces of a page: the words are chosen here, by the rules of reports/brief.yaml. */
#include "brief.h"

#include "charts.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Sizes in points; Noto Sans has tall lines by nature. */
static const brief_type MASTHEAD = {9.5, 1.0, true, BRIEF_ACCENT}, TITLE = {23, 0.88, true, BRIEF_ACCENT},
                        LONG_TITLE = {18, 0.9, true, BRIEF_ACCENT}, SUBTITLE = {10.5, 1.0, false, BRIEF_GREY},
                        NOTICE = {9.5, 1.0, true, BRIEF_INK}, HEADING = {11.5, 0.92, true, BRIEF_ACCENT},
                        BODY = {10.2, 1.0, false, BRIEF_INK}, MESSAGE = {11, 0.98, false, BRIEF_INK},
                        LABEL = {8.5, 1.0, true, BRIEF_ACCENT}, CELL = {9, 1.0, false, BRIEF_INK},
                        NOTE = {8, 1.0, false, BRIEF_INK};

/* Heights of figures in points: two low ones and text share a page; a tall one leaves room for a paragraph; what takes a page
 * of its own is shown where there is nothing lower, as with dozens of countries. */
enum { MAX_FIGURES = 16, LOW = 345, TALL = 560, PAGE = BRIEF_BOTTOM - BRIEF_TOP - 16 };

/* More countries than a low chart has rows for: the study's map, if it has one, shows them all. */
enum { MANY_COUNTRIES = 12 };

typedef struct {
    const brief_edition *e;
    brief_document *d;
    const char *lang;
    size_t charts; /* allowed in all */
    size_t n_shown;
    const rsp_analysis *shown[MAX_FIGURES]; /* whose figure stands in the brief, by number */
    const rsp_analysis *headline;           /* what the title is about; NULL */
} composer;

/* ---- words ------------------------------------------------------------------------------------------------------ */

static const char *say(const composer *c, const char *key, const brief_values *v) {
    return rsp_say(c->e->texts, c->e->arena, key, v->v, v->n);
}

static const char *set(const composer *c, const char *text) {
    c->d->words += brief_count_printed(brief_glue(c->e->arena, rsp_texts_lang(c->e->texts), text));
    return brief_typeset(c->e->hyphens, c->e->arena, rsp_texts_lang(c->e->texts), text);
}

/* Headings are not hyphenated. */
static const char *glued(const composer *c, const char *text) {
    const char *glued_text = brief_glue(c->e->arena, rsp_texts_lang(c->e->texts), text);
    c->d->words += brief_count_printed(glued_text);
    return glued_text;
}

static const brief_rule *matching(const brief_rules *rules, const brief_observation *o) {
    for (size_t k = 0; k < rules->n; k++)
        if (strcmp(rules->rules[k].of, o->kind) == 0 && brief_holds(rules->rules[k].when, &o->values))
            return &rules->rules[k];
    return NULL;
}

/* Keeps for the trace what stands on the page. */
static void note(composer *c, const char *part, const brief_rule *rule, const brief_observation *o, const char *text) {
    brief_sentence s = {.part = part,
                        .key = rule->say,
                        .text = text,
                        .rule = rule,
                        .analysis = o ? o->analysis : NULL,
                        .kind = o ? o->kind : "edition",
                        .values = o ? &o->values : &c->e->values};
    RSP_PUSH(c->d->sentences, c->d->n_sentences, c->d->sentences_capacity, s);
}

/* A line that every brief has. */
static const char *always(composer *c, const char *part, const char *key) {
    brief_rule *rule = RSP_NEW(c->e->arena, brief_rule);
    rule->say = key;
    const char *text = say(c, key, &c->e->values);
    note(c, part, rule, NULL, text);
    return text;
}

/* Sentence of the edition, if its condition holds; else NULL. */
static const char *stated(composer *c, const char *part, const brief_rule *rule) {
    if (!brief_holds(rule->when, &c->e->values)) return NULL;
    const char *text = say(c, rule->say, &c->e->values);
    note(c, part, rule, NULL, text);
    return text;
}

/* All sentences of the edition whose conditions hold, one after the other; NULL if there are none. */
static const char *paragraph(composer *c, const char *part, const brief_rules *rules) {
    const char *text = NULL;
    for (size_t k = 0; k < rules->n; k++) {
        const char *one = stated(c, part, &rules->rules[k]);
        if (one) text = text ? rsp_printf(c->e->arena, "%s %s", text, one) : one;
    }
    return text;
}

/* ---- pieces ----------------------------------------------------------------------------------------------------- */

static brief_piece *add(composer *c, brief_piece p) {
    RSP_PUSH(c->d->pieces, c->d->n, c->d->capacity, p);
    return &c->d->pieces[c->d->n - 1];
}

static brief_piece *add_text(composer *c, const char *tag, const char *text, const brief_type *type, double x,
                             double width, double gap) {
    brief_piece p = {.kind = PIECE_TEXT, .tag = tag, .text = text, .type = *type, .x = x, .width = width, .gap = gap};
    p.height = brief_height(c->lang, text, NULL, type, width);
    return add(c, p);
}

static void add_heading(composer *c, const char *text) {
    brief_piece *p = add_text(c, "H2", glued(c, text), &HEADING, BRIEF_LEFT, BRIEF_MARGIN_W, 20);
    p->margin = p->keep = p->outline = true;
}

static void add_paragraph(composer *c, const char *text, const char *tail, double gap) {
    brief_piece *p = add_text(c, "P", set(c, text), &BODY, BRIEF_BODY_X, BRIEF_BODY_W, gap);
    if (!tail) return;
    p->tail = tail;
    p->height = brief_height(c->lang, p->text, tail, &BODY, BRIEF_BODY_W);
    c->d->words += brief_count_printed(tail);
}

static brief_piece *add_list(composer *c, const char *heading, size_t n, brief_entry *entries, const brief_type *type,
                             bool box) {
    brief_piece p = {.kind = PIECE_LIST,
                     .text = heading,
                     .type = *type,
                     .n_entries = n,
                     .entries = entries,
                     .box = box,
                     .x = box ? BRIEF_LEFT : BRIEF_BODY_X,
                     .width = box ? BRIEF_WIDTH : BRIEF_BODY_W,
                     .gap = box ? 14 : 0,
                     .outline = heading != NULL};
    p.height = brief_list_height(&p, c->lang);
    return add(c, p);
}

/* A list that may go over to the next page, but not with one entry alone: an entry a piece, so that all gaps are alike, those
 * at its ends in pairs. */
static void add_entries(composer *c, size_t n, brief_entry *entries) {
    for (size_t k = 0; k < n; k++) {
        brief_piece *p = add_list(c, NULL, 1, entries + k, &BODY, false);
        p->continues = k > 0;
        p->keep = k + 1 < n && (n < 4 || k == 0 || k + 2 == n);
        if (k) p->gap = BRIEF_ENTRY_GAP;
    }
}

/* ---- figures ---------------------------------------------------------------------------------------------------- */

static size_t figure_number(const composer *c, const rsp_analysis *x) {
    for (size_t k = 0; k < c->n_shown; k++)
        if (c->shown[k] == x) return k + 1;
    return 0;
}

static const char *figure_label(const composer *c, size_t number) {
    return rsp_say(c->e->texts, c->e->arena, "brief.figure", (rsp_arg[]){{"figure", NULL, (double) number}}, 1);
}

static rsp_scene *draw_chart(const brief_edition *e, const rsp_chart_spec *spec, double highest) {
    rsp_scene *scene = rsp_chart_inset(e->p, spec, e->country, e->labels, BRIEF_WIDTH);
    if (scene && scene->height <= highest) return scene;
    rsp_scene_free(scene);
    return NULL;
}

static bool has_many_items(const rsp_analysis *x) { return x->kind == RSP_A_TABLE && x->table.n_items >= 3; }

/* The first chart of an analysis that is not higher. only NULL: of any kind; kind NULL: drawn as the study has it. */
static rsp_scene *first_chart(const brief_edition *e, const rsp_analysis *x, const char *only, const char *kind,
                              double highest) {
    for (size_t k = 0; k < e->n_charts; k++) {
        rsp_chart_spec spec = e->charts[k];
        if (strcmp(spec.analysis, x->id) != 0 || (only && (!spec.kind || strcmp(spec.kind, only) != 0))) continue;
        if (kind) spec.kind = kind;
        rsp_scene *scene = draw_chart(e, &spec, highest);
        if (scene) return scene;
    }
    return NULL;
}

/* The chart of an analysis: the map of many countries, else the first low one. Several items that would fill a page of a brief
 * are drawn as a heat map where that is lower: it says the same numbers, and the full chart stands among the publication's.
 * NULL where there is none, or none that fits a page. */
static rsp_scene *chart_of(brief_edition *e, const rsp_analysis *x) {
    bool many = !e->country && e->n_countries > MANY_COUNTRIES;
    rsp_scene *map = many ? first_chart(e, x, "tiles", NULL, TALL) : NULL;
    if (map && !e->map) e->map = map;
    rsp_scene *scene = map ? map : first_chart(e, x, NULL, NULL, LOW);
    if (!scene && has_many_items(x)) scene = first_chart(e, x, NULL, "heatmap", LOW);
    if (!scene) scene = first_chart(e, x, NULL, NULL, TALL);
    return scene ? scene : first_chart(e, x, NULL, NULL, PAGE);
}

void brief_charts(brief_edition *e) {
    e->scenes = RSP_ARRAY(e->arena, rsp_scene *, e->n_analyses + 1);
    size_t most = 4 * e->definition->limits.charts, n = 0; /* some are too high, or have too many words */
    for (size_t k = 0; k < e->n_analyses && n < most; k++) n += (e->scenes[k] = chart_of(e, e->analyses[k])) != NULL;
}

void brief_charts_free(brief_edition *e) {
    for (size_t k = 0; k < e->n_analyses; k++) rsp_scene_free(e->scenes[k]);
}

static rsp_scene *scene_of(const composer *c, const rsp_analysis *x) {
    for (size_t k = 0; k < c->e->n_analyses; k++)
        if (c->e->analyses[k] == x) return c->e->scenes[k];
    return NULL;
}

static void add_figure(composer *c, const rsp_analysis *x, rsp_scene *scene) {
    assert(c->n_shown < MAX_FIGURES);
    c->shown[c->n_shown++] = x;
    brief_piece p = {.kind = PIECE_FIGURE,
                     .scene = scene,
                     .label = figure_label(c, c->n_shown),
                     .type = LABEL,
                     .x = BRIEF_LEFT,
                     .width = BRIEF_WIDTH,
                     .gap = 16};
    p.height = scene->height + brief_height(c->lang, p.label, NULL, &LABEL, BRIEF_WIDTH) + 3;
    c->d->words += brief_count_printed(p.label) + brief_count_printed(scene->title);
    add(c, p);
}

static double height_so_far(const brief_document *d) {
    double y = BRIEF_TOP;
    for (size_t k = 0; k < d->n; k++) y += d->pieces[k].height + (k ? d->pieces[k].gap : 0);
    return y;
}

/* The first page's figure: the headline's, else the first that has room under the messages. */
static void add_first_figure(composer *c) {
    double room = BRIEF_BOTTOM - height_so_far(c->d) - 40;
    for (size_t k = 0; c->charts && k <= c->e->n_analyses; k++) {
        const rsp_analysis *x = k ? c->e->analyses[k - 1] : c->headline;
        if (!x) continue;
        rsp_scene *scene = scene_of(c, x);
        if (!scene || scene->height > room) continue;
        add_figure(c, x, scene);
        return;
    }
}

/* ---- the first page --------------------------------------------------------------------------------------------- */

/* The first finding that a rule makes a title of; the last rule makes one without a finding. */
static const char *title_of(composer *c) {
    const brief_rules *rules = &c->e->definition->titles;
    for (size_t j = 0; j < c->e->n_observations; j++)
        for (size_t k = 0; k < rules->n; k++) {
            const brief_observation *o = &c->e->observations[j];
            if (strcmp(rules->rules[k].of, o->kind) != 0 || !brief_holds(rules->rules[k].when, &o->values)) continue;
            const char *text = say(c, rules->rules[k].say, &o->values);
            if (o->analysis && brief_count_words(text) > c->e->definition->limits.title_words) continue;
            c->headline = o->analysis;
            note(c, "title", &rules->rules[k], o, text);
            return text;
        }
    return c->e->p->study->id;
}

static void add_title(composer *c) {
    const brief_values *v = &c->e->values;
    const char *title = title_of(c);
    add_text(c, "P", glued(c, always(c, "masthead", c->e->country ? "brief.masthead_country" : "brief.masthead")),
             &MASTHEAD, BRIEF_LEFT, BRIEF_WIDTH, 0);
    const brief_type *type =
        brief_height(c->lang, title, NULL, &TITLE, BRIEF_WIDTH) > 4 * TITLE.size * 1.3 ? &LONG_TITLE : &TITLE;
    brief_piece *h1 = add_text(c, "H1", glued(c, title), type, BRIEF_LEFT, BRIEF_WIDTH, 16);
    h1->outline = true;
    c->d->title = title;
    if (c->headline) add_text(c, "P", glued(c, rsp_label_study(c->e->labels)), &SUBTITLE, BRIEF_LEFT, BRIEF_WIDTH, 6);
    if (brief_number(v, "dated") == 1)
        add_text(c, "P", glued(c, always(c, "period", "period")), &SUBTITLE, BRIEF_LEFT, BRIEF_WIDTH,
                 c->headline ? 0 : 6);
    const char *notice = paragraph(c, "notice", &c->e->definition->notices);
    if (!notice) return;
    add_text(c, "P", glued(c, notice), &NOTICE, BRIEF_LEFT, BRIEF_WIDTH, 8);
}

typedef struct {
    const char *text;
    size_t rule, place; /* rules stand in order of preference */
    const brief_observation *about;
} message;

/* The title stands right above the messages. */
static bool said_by_title(const composer *c, const char *text) {
    size_t n = strlen(c->d->title);
    return strncmp(text, c->d->title, n) == 0 && (text[n] == '\0' || strcmp(text + n, ".") == 0);
}

/* The best message about one analysis. */
static message message_about(const composer *c, const rsp_analysis *x, size_t place) {
    const brief_definition *def = c->e->definition;
    for (size_t k = 0; k < def->messages.n; k++)
        for (size_t j = 0; j < c->e->n_observations; j++) {
            const brief_observation *o = &c->e->observations[j];
            const brief_rule *r = &def->messages.rules[k];
            if (o->analysis != x || strcmp(r->of, o->kind) != 0 || !brief_holds(r->when, &o->values)) continue;
            const char *text = say(c, r->say, &o->values);
            if (brief_count_words(text) <= def->limits.message_words && !said_by_title(c, text))
                return (message){text, k, place, o};
        }
    return (message){NULL, def->messages.n, place, NULL};
}

static int by_rule(const void *x, const void *y) {
    const message *a = x, *b = y;
    if (a->rule != b->rule) return a->rule < b->rule ? -1 : 1;
    return (a->place > b->place) - (a->place < b->place);
}

static int by_place(const void *x, const void *y) {
    const message *a = x, *b = y;
    return (a->place > b->place) - (a->place < b->place);
}

/* The best messages of all, in the order of the analyses. */
static size_t choose_messages(const composer *c, message *best) {
    size_t most = c->e->definition->limits.messages, n = 0;
    for (size_t k = 0; k < c->e->n_analyses; k++) {
        best[n] = message_about(c, c->e->analyses[k], k);
        n += best[n].text != NULL;
    }
    qsort(best, n, sizeof *best, by_rule);
    n = n < most ? n : most;
    qsort(best, n, sizeof *best, by_place);
    return n;
}

static void add_messages(composer *c) {
    const brief_definition *def = c->e->definition;
    message *best = RSP_ARRAY(c->e->arena, message, c->e->n_analyses + 1);
    size_t n = choose_messages(c, best);
    brief_entry *entries = RSP_ARRAY(c->e->arena, brief_entry, n + def->messages.n);
    for (size_t k = 0; k < n; k++) {
        entries[k].text = set(c, best[k].text);
        note(c, "message", &def->messages.rules[best[k].rule], best[k].about, best[k].text);
    }
    for (size_t k = 0; k < def->messages.n && n < 2; k++) {
        const brief_rule *r = &def->messages.rules[k];
        const char *text = strcmp(r->of, "edition") == 0 ? stated(c, "message", r) : NULL;
        if (text) entries[n++].text = set(c, text);
    }
    if (n)
        add_list(c, glued(c, rsp_say(c->e->texts, c->e->arena, "brief.messages", NULL, 0)), n, entries, &MESSAGE, true);
}

/* ---- findings --------------------------------------------------------------------------------------------------- */

/* Sentences about one analysis, two at most: differences that were found before those that were not. */
static const char *finding(composer *c, const rsp_analysis *x) {
    const char *text = NULL;
    size_t n = 0;
    for (int unclear = 0; unclear <= 1; unclear++)
        for (size_t j = 0; j < c->e->n_observations && n < 2; j++) {
            const brief_observation *o = &c->e->observations[j];
            if (o->analysis != x || (brief_number(&o->values, "significant") == 0) != unclear) continue;
            const brief_rule *r = matching(&c->e->definition->sentences, o);
            if (!r) continue;
            const char *one = say(c, r->say, &o->values);
            note(c, "finding", r, o, one);
            text = text ? rsp_printf(c->e->arena, "%s %s", text, one) : one;
            n++;
        }
    return text;
}

/* Where the numbers are: the figure and the table's id in the open data. */
static const char *trace(const composer *c, const rsp_analysis *x) {
    size_t figure = figure_number(c, x);
    rsp_arg args[] = {{"figure", NULL, (double) figure}, {"table", x->id, 0}};
    return brief_glue(c->e->arena, rsp_texts_lang(c->e->texts),
                      rsp_say(c->e->texts, c->e->arena, figure ? "brief.trace_figure" : "brief.trace", args, 2));
}

static void add_findings(composer *c, const brief_section *s, size_t most) {
    size_t n = 0;
    for (size_t k = 0; k < c->e->n_analyses && n < most; k++) {
        const rsp_analysis *x = c->e->analyses[k];
        const char *text = finding(c, x);
        if (!text) continue;
        if (n == 0) add_heading(c, rsp_say(c->e->texts, c->e->arena, s->heading, NULL, 0));
        rsp_scene *scene = !figure_number(c, x) && c->n_shown < c->charts ? scene_of(c, x) : NULL;
        size_t at = c->d->n;
        if (scene) add_figure(c, x, scene);
        add_paragraph(c, text, trace(c, x), n ? 8 : 0);
        if (scene) { /* the text stands before its figure, but names its number */
            brief_piece figure = c->d->pieces[at];
            c->d->pieces[at] = c->d->pieces[at + 1];
            c->d->pieces[at + 1] = figure;
        }
        n++;
    }
}

/* ---- other sections --------------------------------------------------------------------------------------------- */

static const rsp_published_row *count_of(const brief_edition *e, const char *code, const char *stage) {
    const char *domain = rsp_domain_text(e->arena, 1, &e->p->study->variables[e->p->study->roles.country].name, &code);
    return rsp_published_find(e->p->results, "response", domain, stage, "", "count");
}

/* One line of the table, in cells and for the trace. */
static void add_country(composer *c, const char *code, brief_entry *row) {
    const brief_edition *e = c->e;
    static const char *const stages[][2] = {{"read", "read"}, {"n", "kept"}};
    brief_rule *rule = RSP_NEW(e->arena, brief_rule);
    brief_observation *o = RSP_NEW(e->arena, brief_observation);
    brief_values_clear(&o->values);
    o->kind = "edition";
    rule->say = "brief.table_row";
    row[0].text = glued(c, rsp_label_country(e->labels, code));
    brief_put(&o->values, "country", row[0].text, NAN);
    for (size_t k = 0; k < 2; k++) {
        const rsp_published_row *r = count_of(e, code, stages[k][1]);
        row[k + 1].text = rsp_say_number(e->texts, e->arena, r ? r->estimate : NAN, 0);
        brief_put(&o->values, stages[k][0], NULL, r ? r->estimate : NAN);
        brief_cite(&o->values, e->arena, stages[k][0], r, "estimate", row[k + 1].text);
    }
    c->d->words += 2;
    note(c, "table", rule, o, say(c, rule->say, &o->values));
}

static void add_country_heads(composer *c, brief_entry *row) {
    const char *const heads[] = {"brief.table_country", "brief.table_read", "brief.table_used"};
    for (size_t k = 0; k < 3; k++) row[k].text = glued(c, rsp_say(c->e->texts, c->e->arena, heads[k], NULL, 0));
}

/* More countries than this stand in two halves beside each other over the width of the page: one column of the continent's
 * would be longer than a page, and tables of briefs are not divided. */
enum { MOST_COUNTRY_ROWS = 16, COUNTRY_W = 122, COUNT_W = 56 };
static const brief_column country_halves[] = {
    {COUNTRY_W, false}, {COUNT_W, true}, {COUNT_W, true}, {BRIEF_WIDTH - 2 * COUNTRY_W - 4 * COUNT_W, false},
    {COUNTRY_W, false}, {COUNT_W, true}, {COUNT_W, true}};

/* Answers read and used by country; nothing for one country or where the run left no counts. */
static void add_countries(composer *c) {
    const brief_edition *e = c->e;
    const rsp_published_row *first = e->country || e->n_countries < 2 ? NULL : count_of(e, e->countries[0], "kept");
    if (!first || isnan(first->estimate)) return;
    bool halves = e->n_countries > MOST_COUNTRY_ROWS;
    size_t rows = halves ? (e->n_countries + 1) / 2 : e->n_countries, n_columns = halves ? 7 : 3;
    brief_entry *cells = RSP_ARRAY(e->arena, brief_entry, n_columns * (rows + 1));
    for (size_t k = 0; k < n_columns * (rows + 1); k++) cells[k].text = "";
    add_country_heads(c, cells);
    if (halves) add_country_heads(c, cells + 4);
    for (size_t k = 0; k < e->n_countries; k++)
        add_country(c, e->countries[k], &cells[n_columns * (k % rows + 1) + 4 * (k / rows)]);
    brief_piece p = {.kind = PIECE_TABLE,
                     .type = CELL,
                     .x = halves ? BRIEF_LEFT : BRIEF_BODY_X,
                     .width = halves ? BRIEF_WIDTH : BRIEF_BODY_W,
                     .gap = 8,
                     .n_columns = n_columns,
                     .n_entries = n_columns * (rows + 1),
                     .columns = halves ? country_halves : NULL,
                     .entries = cells};
    p.height = brief_table_height(&p, c->lang);
    add(c, p);
}

static void add_section(composer *c, const brief_section *s, size_t findings) {
    if (s->kind == BRIEF_FINDINGS) {
        add_findings(c, s, findings);
        return;
    }
    brief_entry *entries = RSP_ARRAY(c->e->arena, brief_entry, s->text.n + 1);
    size_t n = 0;
    for (size_t k = 0; s->kind == BRIEF_LIST && k < s->text.n; k++) {
        const char *entry = stated(c, s->heading, &s->text.rules[k]);
        if (entry) entries[n++].text = set(c, entry);
    }
    const char *text = s->kind == BRIEF_LIST ? NULL : paragraph(c, s->heading, &s->text);
    if (!text && !n) return; /* a section without content vanishes, heading and all */
    add_heading(c, rsp_say(c->e->texts, c->e->arena, s->heading, NULL, 0));
    if (text) add_paragraph(c, text, NULL, 0);
    add_entries(c, n, entries);
    size_t last = c->d->n - 1;
    if (s->kind == BRIEF_COUNTRIES) add_countries(c);
    c->d->pieces[last].keep = c->d->n > last + 1; /* a table stays with its text */
}

static void add_notes(composer *c) {
    const brief_definition *def = c->e->definition;
    brief_entry *entries = RSP_ARRAY(c->e->arena, brief_entry, def->n_notes + 1);
    size_t n = 0;
    for (size_t k = 0; k < def->n_notes; k++) {
        const char *text = paragraph(c, def->notes[k].heading, &def->notes[k].text);
        if (text)
            entries[n++] =
                (brief_entry){.heading = glued(c, rsp_say(c->e->texts, c->e->arena, def->notes[k].heading, NULL, 0)),
                              .text = set(c, text)};
    }
    if (!n) return;
    brief_piece p = {.kind = PIECE_COLUMNS,
                     .text = glued(c, rsp_say(c->e->texts, c->e->arena, "brief.about", NULL, 0)),
                     .type = NOTE,
                     .x = BRIEF_LEFT,
                     .width = BRIEF_WIDTH,
                     .gap = 24,
                     .n_entries = n,
                     .entries = entries,
                     .outline = true};
    p.height = brief_columns_height(&p, c->lang);
    add(c, p);
}

/* What must be said on every page, in few words; NULL if there is nothing. */
static const char *footer_notice(composer *c) {
    const brief_rules *rules = &c->e->definition->footer;
    const char *text = NULL;
    for (size_t k = 0; k < rules->n; k++) {
        const char *one = stated(c, "footer", &rules->rules[k]);
        if (one) text = text ? rsp_printf(c->e->arena, "%s · %s", text, one) : one;
    }
    return text ? glued(c, text) : NULL;
}

void brief_compose(const brief_edition *e, size_t charts, size_t findings, const char *lang, brief_document *out) {
    composer c = {.e = e, .d = out, .lang = lang, .charts = charts < MAX_FIGURES ? charts : MAX_FIGURES};
    add_title(&c);
    add_messages(&c);
    add_first_figure(&c);
    for (size_t k = 0; k < e->definition->n_sections; k++) add_section(&c, &e->definition->sections[k], findings);
    add_notes(&c);
    out->footer = glued(&c, always(&c, "footer", e->country ? "brief.footer_country" : "brief.footer"));
    out->notice = footer_notice(&c);
    out->content = glued(&c, rsp_say(e->texts, e->arena, "content_id", (rsp_arg[]){{"id", e->p->content_id, 0}}, 1));
}

void brief_document_free(brief_document *d) {
    free(d->pieces);
    free(d->sentences);
    *d = (brief_document){0};
}
