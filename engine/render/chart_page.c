/* What stands around the data of every chart: title and subtitle, keys, axes, row labels, notes and source. */
#include "brief_type.h"
#include "chart.h"

#include <math.h>
#include <string.h>

enum { KEY_SIDE = 9 };

static const rsp_colour WHITE = {1, 1, 1};

/* ---- text --------------------------------------------------------------------------------------------------------- */

rsp_style chart_style(const chart *c, double size, bool bold, rsp_colour colour, rsp_align align, double width) {
    return (rsp_style){
        .size = size, .bold = bold, .colour = colour, .align = align, .width = width, .lang = rsp_texts_lang(c->t)};
}

rsp_shape *chart_text(chart *c, double x, double y, const char *text, rsp_style style) {
    return rsp_scene_text(c->s, x, y, text, &style);
}

rsp_shape *chart_text_middle(chart *c, double x, double y, const char *text, rsp_style style) {
    rsp_shape *t = rsp_scene_text(c->s, x, y, text, &style);
    t->box.y = y - t->box.h / 2;
    return t;
}

static void paragraph(chart *c, const char *text, double size, bool bold, rsp_colour colour, double gap) {
    const char *glued = brief_glue(c->a, rsp_texts_lang(c->t), text);
    rsp_shape *t =
        chart_text(c, c->left, c->y, glued, chart_style(c, size, bold, colour, RSP_ALIGN_LEFT, c->right - c->left));
    c->y += t->box.h + gap;
}

/* ---- head --------------------------------------------------------------------------------------------------------- */

static const char *outcome(const chart *c) {
    const rsp_fexpr *y = c->x && c->x->model.formula ? c->x->model.formula->response : NULL;
    if (!y) return "";
    size_t v = y->op == RSP_F_VARIABLE ? rsp_study_variable(c->p->study, y->text) : RSP_NONE;
    return v == RSP_NONE ? y->text : rsp_variable_label(c->p->study, v, rsp_texts_lang(c->t));
}

static const char *measure(const chart *c) {
    if (c->data.answer) return rsp_say(c->t, c->a, "measure_answer", (rsp_arg[]){{"answer", c->data.answer, 0}}, 1);
    if (c->data.pairs) return rsp_label_statistic(c->l, c->a, c->data.statistic);
    bool rating = strcmp(c->data.statistic, "net") == 0 && rsp_label_rates(c->l, c->x->id);
    const char *key = rsp_printf(c->a, "measure_%s%s", c->data.statistic, rating ? "_rating" : "");
    return rsp_say(c->t, c->a, key, (rsp_arg[]){{"outcome", outcome(c), 0}}, 1);
}

bool chart_shows_n(const chart *c) {
    double low, high;
    return c->data.kind != CHART_FOREST && chart_bases(c, &low, &high) && low != high;
}

/* Respondents of a row stand beside it, or above its panel; in other charts the subtitle has them. */
static bool has_n_column(const chart *c) {
    return c->data.kind == CHART_AGREEMENT || c->data.kind == CHART_DIVERGING || c->data.kind == CHART_DOTS ||
           c->data.kind == CHART_HISTOGRAM;
}

static const char *base_text(const chart *c) {
    double low, high;
    if (!chart_bases(c, &low, &high)) return "";
    const char *key = low == high ? "base_note" : "base_range";
    const char *n = rsp_say(c->t, c->a, "respondents", (rsp_arg[]){{"n", NULL, low}}, 1);
    return rsp_say(c->t, c->a, key, (rsp_arg[]){{"respondents", n, 0}, {"low", NULL, low}, {"high", NULL, high}}, 3);
}

static bool shows_countries(const chart *c) {
    for (size_t r = 0; r < c->data.n_rows; r++)
        if (c->data.rows[r].own) return true;
    return false;
}

/* Whom all figures of the chart are about, where no row says so. */
static const char *who(const chart *c) {
    if (c->country && !shows_countries(c)) return rsp_label_country(c->l, c->country);
    for (size_t r = 0; r < c->data.n_rows; r++)
        for (size_t k = 0; k < c->data.n_columns; k++)
            if (c->data.rows[r].cells[k] && *c->data.rows[r].cells[k]->domain) return "";
    if (c->data.pairs) return rsp_say(c->t, c->a, "everybody", NULL, 0); /* no average of countries */
    return c->data.kind == CHART_FOREST ? "" : rsp_label_domain(c->l, c->a, "");
}

static void sentence(rsp_buf *b, const char *text) {
    if (!*text) return;
    if (b->length) {
        rsp_buf_puts(b, rsp_full_stop(b->data));
        rsp_buf_puts(b, " ");
    }
    rsp_buf_puts(b, text);
}

void chart_head(chart *c) {
    const rsp_theme *th = c->theme;
    c->s->title = chart_title(c, &c->subject);
    paragraph(c, c->s->title, th->title_size, true, th->ink, 3);
    rsp_buf b = {0};
    if (c->subject) sentence(&b, c->subject);
    sentence(&b, measure(c));
    if (c->data.topic) sentence(&b, c->data.topic);
    sentence(&b, who(c));
    if (!chart_shows_n(c) || !has_n_column(c)) sentence(&b, base_text(c));
    paragraph(c, b.data, th->subtitle_size, false, th->muted, 0);
    b.length = 0;
    if (c->p->simulated && !c->inset) sentence(&b, rsp_say(c->t, c->a, "simulated_note", NULL, 0));
    if (c->p->preliminary && !c->inset) sentence(&b, rsp_say(c->t, c->a, "preliminary_note", NULL, 0));
    if (b.length) paragraph(c, b.data, th->subtitle_size, true, th->muted, 0);
    rsp_buf_free(&b);
    c->y += 10;
}

/* ---- foot --------------------------------------------------------------------------------------------------------- */

static const char *state_words(const chart *c, chart_state s) {
    static const char *const keys[] = {[CHART_LOW_BASE] = "key_low_base",
                                       [CHART_SUPPRESSED] = "key_suppressed",
                                       [CHART_NOT_COMPARABLE] = "key_not_comparable",
                                       [CHART_NOT_ELIGIBLE] = "key_not_eligible",
                                       [CHART_NOT_ESTIMABLE] = "key_not_estimable",
                                       [CHART_NO_DATA] = "key_no_data"};
    return rsp_say(c->t, c->a, keys[s], NULL, 0);
}

/* The looks that occur, explained in one line or more. */
static void state_key(chart *c) {
    double x = c->left, line = c->theme->note_size + 6;
    bool any = false;
    for (chart_state s = CHART_LOW_BASE; s < CHART_N_STATES; s++) {
        if (!c->used[s]) continue;
        rsp_style style = chart_style(c, c->theme->note_size, false, c->theme->muted, RSP_ALIGN_LEFT, 0);
        const char *words = state_words(c, s);
        double text = rsp_text_extent(words, &style).w + KEY_SIDE + 7, width = text + 11;
        if (any && x + text > c->right) x = c->left, c->y += line;
        if (s == CHART_LOW_BASE) {
            rsp_shape *o = rsp_scene_circle(c->s, x + KEY_SIDE / 2.0, c->y + line / 2, 3.2, WHITE);
            o->stroke = c->theme->accent;
            o->stroke_width = 1.4;
        } else {
            chart_mark_state(c, (rsp_box){x, c->y + line / 2 - KEY_SIDE / 2.0, KEY_SIDE + 3, KEY_SIDE}, s);
        }
        chart_text_middle(c, x + KEY_SIDE + 7, c->y + line / 2, words, style);
        x += width;
        any = true;
    }
    if (any) c->y += line + 4;
}

/* First answers of the categorical variables of a model: what its coefficients compare with. */
static const char *reference_note(const chart *c) {
    bool shown =
        c->x && c->x->kind == RSP_A_MODEL && c->x->model.kind != RSP_DRIVERS_MODEL; /* drivers: factors alone */
    const rsp_formula *f = shown ? c->x->model.formula : NULL;
    const char *list = NULL;
    for (size_t k = 0; f && k < f->n_factors; k++) {
        if (f->factors[k]->op != RSP_F_VARIABLE) continue;
        size_t v = rsp_study_variable(c->p->study, f->factors[k]->name);
        const rsp_variable *x = v == RSP_NONE ? NULL : &c->p->study->variables[v];
        if (!x || !x->list || x->type != RSP_SELECT_ONE) continue;
        size_t first = 0;
        while (first < x->list->n && x->list->choices[first].missing) first++;
        if (first == x->list->n) continue;
        const char *lang = rsp_texts_lang(c->t);
        const char *one = rsp_say(c->t, c->a, "term_category",
                                  (rsp_arg[]){{"variable", rsp_variable_label(c->p->study, v, lang), 0},
                                              {"category", rsp_choice_label(x->list, first, lang), 0}},
                                  2);
        list = list ? rsp_printf(c->a, "%s; %s", list, one) : one;
    }
    return list ? rsp_say(c->t, c->a, "reference_note", (rsp_arg[]){{"categories", list, 0}}, 1) : "";
}

static const char *item_codes(const chart *c) {
    const char *list = NULL;
    if (!c->x || c->x->kind != RSP_A_TABLE || !c->x->table.n_items) return "";
    for (size_t k = 0; k < c->x->table.n_items; k++) {
        const char *name = c->p->study->variables[c->x->table.items[k]].name;
        if (c->spec->item != RSP_NONE && c->spec->item != c->x->table.items[k]) continue;
        list = list ? rsp_printf(c->a, "%s, %s", list, name) : name;
    }
    return rsp_say(c->t, c->a, "code_note", (rsp_arg[]){{"codes", list, 0}}, 1);
}

static const char *source_line(const chart *c) {
    if (c->inset) return item_codes(c);
    rsp_buf b = {0};
    const rsp_study *s = c->p->study;
    const char *publisher = rsp_label_publisher(c->l, c->a);
    sentence(&b, rsp_say(c->t, c->a, "source",
                         (rsp_arg[]){{"study", rsp_label_study(c->l), 0}, {"publisher", publisher, 0}}, 2));
    if (s->field.from && s->field.to)
        sentence(&b, rsp_say(c->t, c->a, "period", (rsp_arg[]){{"from", s->field.from, 0}, {"to", s->field.to, 0}}, 2));
    sentence(&b, item_codes(c));
    if (c->p->content_id) sentence(&b, rsp_say(c->t, c->a, "content_id", (rsp_arg[]){{"id", c->p->content_id, 0}}, 1));
    const char *line = rsp_strdup(c->a, b.data);
    rsp_buf_free(&b);
    return line;
}

static const char *say0(const chart *c, const char *key) { return rsp_say(c->t, c->a, key, NULL, 0); }

static const char *notes(const chart *c) {
    rsp_buf b = {0};
    bool self_selected = c->p->study->design.self_selected;
    bool counted = strcmp(c->data.statistic, "count") == 0 || strcmp(c->data.statistic, "weight_count") == 0;
    if (c->data.note) sentence(&b, c->data.note);
    if (c->data.has_pair[0] || c->data.has_pair[1]) sentence(&b, say0(c, "collapsed_note"));
    if (c->intervals) sentence(&b, say0(c, "interval_note"));
    else if (!counted)
        sentence(&b,
                 rsp_say(c->t, c->a, "no_interval_note", (rsp_arg[]){{"reason", say0(c, "see_tables_reason"), 0}}, 1));
    if (self_selected && c->intervals) sentence(&b, say0(c, "sampling_only_note"));
    if (self_selected && !c->inset) sentence(&b, say0(c, "self_selected_note"));
    if (c->arrows)
        sentence(&b,
                 rsp_printf(c->a, "%s.",
                            rsp_say(c->t, c->a, "arrow_note", (rsp_arg[]){{"meaning", say0(c, "key_arrow"), 0}}, 1)));
    sentence(&b, reference_note(c));
    if (c->p->study->disclosure.off && !c->p->simulated) sentence(&b, say0(c, "disclosure_off_note"));
    const char *text = rsp_strdup(c->a, b.data ? b.data : "");
    rsp_buf_free(&b);
    return text;
}

/* Bars of all answers to a question: no value can be compared with that of another answer. */
static bool all_answers(const chart *c) { return c->data.kind == CHART_AGREEMENT || c->data.kind == CHART_DIVERGING; }

/* A row's name with the heading that it stands under. */
static const char *row_name(const chart *c, size_t row) {
    const chart_row *x = &c->data.rows[row];
    return x->section ? rsp_printf(c->a, "%s, %s", x->section, x->label) : x->label;
}

static const char *cell_name(const chart *c, size_t row, size_t column) {
    const char *name = row_name(c, row);
    if (all_answers(c)) return name;
    if (!c->data.pairs)
        return c->data.n_columns > 1 && c->data.columns && c->data.kind != CHART_RANKING
                   ? rsp_printf(c->a, "%s, %s", name, c->data.columns[column])
                   : name;
    return rsp_say(c->t, c->a, "alt_pair",
                   (rsp_arg[]){{"first", c->data.columns[column], 0}, {"second", c->data.columns[row], 0}}, 2);
}

/* The smallest and the largest value, and where they are. */
typedef struct {
    double low, high;
    const char *low_name, *high_name; /* NULL: no value is known */
} extent;

static void widen(const chart *c, extent *e, const rsp_published_row *x, size_t row, size_t column) {
    bool pooled_column = !all_answers(c) && c->data.pooled_column && c->data.pooled_column[column];
    if (!chart_known(x) || c->data.rows[row].pooled || pooled_column) return;
    if (!e->low_name || x->estimate < e->low) e->low = x->estimate, e->low_name = cell_name(c, row, column);
    if (!e->high_name || x->estimate > e->high) e->high = x->estimate, e->high_name = cell_name(c, row, column);
}

/* of: what reaches from the low value to the high one; NULL: the chart's title says it. */
static void say_extent(const chart *c, rsp_buf *b, const extent *e, const char *of, const char *low, const char *high) {
    if (!e->low_name) return;
    sentence(b, rsp_say(c->t, c->a, of ? "alt_range_of" : "alt_range",
                        (rsp_arg[]){{"low", low, 0},
                                    {"low_label", e->low_name, 0},
                                    {"high", high, 0},
                                    {"high_label", e->high_name, 0},
                                    {"of", of, 0}},
                        of ? 5 : 4));
}

static void say_range(const chart *c, rsp_buf *b, size_t from, size_t to, const char *of) {
    extent e = {0};
    for (size_t r = 0; r < c->data.n_rows; r++)
        for (size_t k = from; k < to; k++) widen(c, &e, c->data.rows[r].cells[k], r, k);
    say_extent(c, b, &e, of, chart_value(c, e.low), chart_value(c, e.high));
}

static void say_value(const chart *c, rsp_buf *b, const char *label, const rsp_published_row *x) {
    if (!chart_known(x)) return;
    sentence(b, rsp_say(c->t, c->a, "alt_pooled",
                        (rsp_arg[]){{"label", label, 0}, {"value", chart_value(c, x->estimate), 0}}, 2));
}

/* The answer with the largest share of all rows together. */
static size_t main_answer(const chart *c) {
    size_t best = 0;
    double most = -1;
    for (size_t k = 0; k < c->data.n_columns; k++) {
        double sum = 0;
        for (size_t r = 0; r < c->data.n_rows; r++)
            if (chart_known(c->data.rows[r].cells[k])) sum += c->data.rows[r].cells[k]->estimate;
        if (sum > most) most = sum, best = k;
    }
    return best;
}

/* One bar: its answers. Several: the range of what they are sorted by, net agreement, or of the most frequent answer. */
static void say_answers(const chart *c, rsp_buf *b) {
    extent e = {0};
    for (size_t k = 0; k < c->data.n_columns && c->data.n_rows == 1; k++)
        say_value(c, b, c->data.columns[k], c->data.rows[0].cells[k]);
    if (c->data.n_rows == 1) return;
    for (size_t r = 0; r < c->data.n_rows && c->data.has_net; r++) widen(c, &e, c->data.rows[r].net, r, 0);
    if (e.low_name) {
        const char *low = rsp_say(c->t, c->a, "net_value", (rsp_arg[]){{"x", NULL, e.low}}, 1),
                   *high = rsp_say(c->t, c->a, "net_value", (rsp_arg[]){{"x", NULL, e.high}}, 1);
        say_extent(c, b, &e, say0(c, chart_net_heading(c)), low, high);
        return;
    }
    size_t answer = main_answer(c);
    say_range(c, b, answer, answer + 1, c->data.columns[answer]);
}

/* The text alternative: what kind of picture, from where to where, the value of everybody. */
static void describe(chart *c) {
    rsp_buf b = {0};
    const char *places = c->data.kind == CHART_RANKING && c->data.n_columns == 1 ? "_places" : "";
    sentence(&b, rsp_say(c->t, c->a, rsp_printf(c->a, "alt_%s%s", chart_kind_word(c->data.kind), places),
                         (rsp_arg[]){{"n", NULL, (double) c->data.n_rows}}, 1));
    if (c->subject) sentence(&b, c->subject);
    if (c->data.alt) sentence(&b, c->data.alt);
    if (all_answers(c)) say_answers(c, &b);
    else if (c->data.kind != CHART_HISTOGRAM)
        say_range(c, &b, 0, c->data.kind == CHART_RANKING ? 1 : c->data.n_columns, NULL);
    for (size_t r = 0; r < c->data.n_rows && c->data.n_columns == 1 && !all_answers(c); r++)
        if (c->data.rows[r].pooled) say_value(c, &b, row_name(c, r), c->data.rows[r].cells[0]);
    if (c->p->simulated) sentence(&b, say0(c, "simulated_note"));
    sentence(&b, say0(c, "alt_tables"));
    c->s->description = rsp_strdup(c->a, b.data);
    rsp_buf_free(&b);
}

void chart_foot(chart *c) {
    const rsp_theme *th = c->theme;
    c->y += 10;
    state_key(c);
    if (*notes(c)) paragraph(c, notes(c), th->note_size, false, th->muted, 2);
    paragraph(c, source_line(c), th->note_size, false, th->muted, 0);
    describe(c);
}

/* ---- keys and marks ----------------------------------------------------------------------------------------------- */

static rsp_shape *mark_shape(chart *c, double x, double y, rsp_colour colour, chart_mark mark) {
    double r = 3.4;
    if (mark == CHART_DIAMOND)
        return rsp_scene_polygon(c->s, 4, (double[]){x, y - 1.4 * r, x + 1.4 * r, y, x, y + 1.4 * r, x - 1.4 * r, y},
                                 colour);
    if (mark == CHART_SQUARE)
        return rsp_scene_rect(c->s, (rsp_box){x - 0.9 * r, y - 0.9 * r, 1.8 * r, 1.8 * r}, colour);
    if (mark == CHART_TRIANGLE)
        return rsp_scene_polygon(
            c->s, 3, (double[]){x, y - 1.3 * r, x + 1.2 * r, y + 0.9 * r, x - 1.2 * r, y + 0.9 * r}, colour);
    if (mark == CHART_WEDGE)
        return rsp_scene_polygon(
            c->s, 3, (double[]){x, y + 1.3 * r, x + 1.2 * r, y - 0.9 * r, x - 1.2 * r, y - 0.9 * r}, colour);
    if (mark == CHART_TICK) return rsp_scene_line(c->s, x, y - 5, x, y + 5, colour, 1.8);
    return rsp_scene_circle(c->s, x, y, r, colour);
}

void chart_key(chart *c, size_t n, const rsp_colour *colours, const char *const *words, const chart_mark *marks) {
    double x = c->left, line = c->theme->value_size + 6;
    for (size_t k = 0; k < n; k++) {
        rsp_style style = chart_style(c, c->theme->value_size, false, c->theme->ink, RSP_ALIGN_LEFT, 0);
        double width = rsp_text_extent(words[k], &style).w;
        if (k && x + KEY_SIDE + 5 + width > c->right) x = c->left, c->y += line;
        if (x + KEY_SIDE + 5 + width > c->right) style.width = c->right - x - KEY_SIDE - 5;
        if (marks) {
            mark_shape(c, x + KEY_SIDE / 2.0, c->y + line / 2, colours[k], marks[k]);
        } else {
            rsp_shape *q =
                rsp_scene_rect(c->s, (rsp_box){x, c->y + line / 2 - KEY_SIDE / 2.0, KEY_SIDE, KEY_SIDE}, colours[k]);
            q->stroke = c->theme->ink;
            q->stroke_width = 0.4;
        }
        rsp_shape *t = chart_text(c, x + KEY_SIDE + 5, c->y, words[k], style);
        if (!style.width) t->box.y = c->y + line / 2 - t->box.h / 2;
        else c->y += fmax(0, t->box.h - line);
        x += KEY_SIDE + 5 + width + 14;
    }
    c->y += line + 6;
}

void chart_mark_state(chart *c, rsp_box box, chart_state state) {
    c->used[state] = true;
    if (state == CHART_SUPPRESSED) {
        rsp_scene_hatched(c->s, box, c->theme->hidden, c->theme->hidden);
        return;
    }
    rsp_shape *x = rsp_scene_rect(c->s, box, state == CHART_NOT_COMPARABLE ? c->theme->hidden : WHITE);
    if (state == CHART_NOT_COMPARABLE) x->pattern = RSP_FILL_DOTTED;
    x->stroke = c->theme->hidden;
    x->stroke_width = 0.6;
    x->dashed = state == CHART_NOT_ELIGIBLE;
    if (state == CHART_NOT_ESTIMABLE)
        rsp_scene_line(c->s, box.x, box.y + box.h, box.x + box.w, box.y, c->theme->hidden, 0.6);
}

/* ---- rows --------------------------------------------------------------------------------------------------------- */

static rsp_style label_style(const chart *c, const chart_row *r, double width) {
    return chart_style(c, c->theme->label_size, r->own || r->pooled, r->own ? c->theme->own : c->theme->ink,
                       RSP_ALIGN_LEFT, width);
}

/* A row's label as it is set: no line ends on a word that belongs to the next. */
static const char *label_words(const chart *c, const chart_row *r) {
    return brief_glue(c->a, rsp_texts_lang(c->t), r->label);
}

double chart_label_width(const chart *c, double most) {
    double width = 40;
    for (size_t r = 0; r < c->data.n_rows && width < most; r++) {
        rsp_style s = label_style(c, &c->data.rows[r], 0);
        width = fmax(width, rsp_text_extent(label_words(c, &c->data.rows[r]), &s).w + 1);
    }
    return fmin(width, most);
}

/* Between rows; pages of a brief are dear, but lines of one label must stand nearer to each other than to the next row. */
static const double LEADING = 5, INSET_LEADING = 1, INSET_LEADING_WRAPPED = 4, INSET_LEAST = 0.87;

/* A figure of more rows, of dozens of countries for instance, is set as tight as its labels allow. */
enum { MANY_ROWS = 24 };

double chart_row_height(const chart *c, size_t r, double label_width, double least) {
    rsp_style s = label_style(c, &c->data.rows[r], label_width);
    double label = rsp_text_extent(label_words(c, &c->data.rows[r]), &s).h;
    if (!c->inset) return fmax(least, label + LEADING);
    bool wrapped = label > 2 * s.size;
    if (c->data.n_rows > MANY_ROWS && !wrapped) return label + INSET_LEADING;
    return fmax(INSET_LEAST * least, label + (wrapped ? INSET_LEADING_WRAPPED : INSET_LEADING));
}

void chart_row_label(chart *c, size_t r, double label_width, double height) {
    const chart_row *x = &c->data.rows[r];
    chart_text_middle(c, c->left, c->y + height / 2, label_words(c, x), label_style(c, x, label_width));
}

void chart_section(chart *c, size_t r) {
    const chart_row *x = &c->data.rows[r], *before = r ? &c->data.rows[r - 1] : NULL;
    bool changed = x->section && (!before || !before->section || strcmp(before->section, x->section) != 0);
    if (changed) {
        c->y += r ? 8 : 0;
        paragraph(c, x->section, c->theme->label_size, true, c->theme->muted, 2);
    }
    if (before && x->pooled && !before->pooled && !changed) {
        c->y += 3;
        rsp_scene_line(c->s, c->left, c->y, c->right, c->y, c->theme->rule, 0.8);
        c->y += 3;
    }
}

/* ---- scales ------------------------------------------------------------------------------------------------------- */

static double nice_step(double range, int most) {
    double raw = range / most, power = pow(10, floor(log10(raw))), m = raw / power;
    return (m <= 1 ? 1 : m <= 2 ? 2 : m <= 5 ? 5 : 10) * power;
}

static void linear_ticks(chart_axis *x) {
    double step = nice_step(x->to - x->from, 5);
    x->from = floor(x->from / step + 1e-9) * step;
    x->to = ceil(x->to / step - 1e-9) * step;
    long n = lround((x->to - x->from) / step);
    for (long k = 0; k <= n && x->n_ticks < 16; k++) x->ticks[x->n_ticks++] = x->from + (double) k * step;
    x->digits = step >= 1 ? 0 : (int) fmin(6, ceil(-log10(step) - 1e-9));
}

/* A scale too short for powers, such as 0.995 to 1.01, is marked at even steps. */
static void even_ticks(chart_axis *x) {
    double low = exp(x->from), high = exp(x->to), step = nice_step(high - low, 4);
    long first = lround(ceil(low / step - 1e-9)), last = lround(floor(high / step + 1e-9));
    if (last - first < 1 || last - first > 12) return; /* hardly better than what there is */
    x->n_ticks = 0;
    for (long k = first; k <= last; k++) x->ticks[x->n_ticks++] = (double) k * step;
}

/* 1, 2, 5 times powers of ten, or powers alone where these would be too many. */
static void log_ticks(chart_axis *x) {
    static const double parts[] = {1, 2, 5};
    int first = (int) floor(x->from / log(10)), last = (int) ceil(x->to / log(10));
    int every = last - first > 4 ? 1 : 3, jump = last - first > 12 ? (last - first) / 6 : 1;
    double least = 1;
    for (int e = first; e <= last; e += jump)
        for (int k = 0; k < every && x->n_ticks < 16; k++) {
            double v = parts[k] * pow(10, e);
            if (log(v) < x->from - 1e-9 || log(v) > x->to + 1e-9) continue;
            x->ticks[x->n_ticks++] = v;
            least = fmin(least, v);
        }
    x->digits = least < 1 ? (int) fmin(6, ceil(-log10(least) - 1e-9)) : 0;
    if (x->n_ticks < 3) even_ticks(x);
}

chart_axis chart_axis_make(double from, double to, double x0, double x1, bool log_scale) {
    if (!(to > from)) {
        double width = fabs(from) > 0 ? 0.5 * fabs(from) : 0.5;
        from -= width;
        to += width;
    }
    chart_axis x = {
        .from = log_scale ? log(from) : from, .to = log_scale ? log(to) : to, .x0 = x0, .x1 = x1, .log = log_scale};
    if (log_scale) log_ticks(&x);
    else linear_ticks(&x);
    return x;
}

double chart_axis_at(const chart_axis *x, double value) {
    double v = x->log ? log(value) : value;
    return x->x0 + (x->x1 - x->x0) * (v - x->from) / (x->to - x->from);
}

const char *chart_tick(const chart *c, const chart_axis *x, double v) {
    if (strcmp(c->data.statistic, "net") == 0) return chart_value(c, v);
    if (chart_share(c)) return rsp_say_percent(c->t, c->a, v, x->digits > 2 ? x->digits - 2 : 0);
    if (!x->log) return rsp_say_number(c->t, c->a, v, x->digits);
    int digits = 0;
    while (digits < 6 && fabs(v * pow(10, digits) - round(v * pow(10, digits))) > 1e-6) digits++;
    return rsp_say_number(c->t, c->a, v, digits);
}

void chart_axis_draw(chart *c, const chart_axis *x, double top, double bottom) {
    rsp_style style = chart_style(c, fmax(8, c->theme->value_size - 0.5), false, c->theme->muted, RSP_ALIGN_CENTRE, 0);
    double free_from = -INFINITY;
    for (size_t k = 0; k < x->n_ticks; k++) {
        double at = chart_axis_at(x, x->ticks[k]);
        rsp_scene_line(c->s, at, top, at, bottom, c->theme->grid, 0.7)->layer = 0;
        const char *text = chart_tick(c, x, x->ticks[k]);
        double w = rsp_text_extent(text, &style).w;
        if (at - w / 2 < free_from) continue; /* a tick whose number would touch its neighbour's stays without */
        chart_text(c, at, top - style.size - 5, text, style);
        free_from = at + w / 2 + 4;
    }
}

/* ---- dots --------------------------------------------------------------------------------------------------------- */

static void arrow(chart *c, double x, double y, double direction, rsp_colour colour) {
    double points[] = {x, y, x - 5 * direction, y - 2.8, x - 5 * direction, y + 2.8};
    rsp_scene_polygon(c->s, 3, points, colour);
    c->arrows = true;
}

static void whisker(chart *c, const chart_axis *x, const rsp_published_row *r, double y, rsp_colour colour) {
    if (isnan(r->lower) || isnan(r->upper) || (x->log && !(r->lower > 0))) return;
    double from = chart_axis_at(x, r->lower), to = chart_axis_at(x, r->upper);
    c->intervals = true;
    rsp_scene_line(c->s, fmax(from, x->x0), y, fmin(to, x->x1), y, colour, 1.4);
    if (from < x->x0 - 0.5) arrow(c, x->x0, y, -1, colour);
    if (to > x->x1 + 0.5) arrow(c, x->x1, y, 1, colour);
}

void chart_dot(chart *c, const chart_axis *x, const rsp_published_row *r, double y, rsp_colour colour,
               chart_mark mark) {
    double at = chart_axis_at(x, r->estimate);
    if (mark != CHART_TICK) whisker(c, x, r, y, colour);
    if (at < x->x0 - 0.5 || at > x->x1 + 0.5) {
        arrow(c, at < x->x0 ? x->x0 : x->x1, y, at < x->x0 ? -1 : 1, colour);
        return;
    }
    rsp_shape *s = mark_shape(c, at, y, colour, mark);
    if (mark == CHART_TICK || chart_state_of(r) != CHART_LOW_BASE) return;
    c->used[CHART_LOW_BASE] = true;
    s->fill = WHITE;
    s->stroke = colour;
    s->stroke_width = 1.4;
}
