/* A question with several answers as sets (UpSet; Lex, Gehlenborg, Strobelt, Vuillemot and Pfister 2014): how many ticked
 * each choice, and how many exactly which combination of them. */
#include "chart.h"

#include <math.h>
#include <string.h>

static const double COLUMN = 25, BARS = 62, SIZE_BAR = 70, VALUE = 30, LEAST_ROW = 15, DOT = 3.6;

/* ---- rows --------------------------------------------------------------------------------------------------------- */

static const char *edition_domain(const chart *c) {
    size_t country = c->p->study->roles.country;
    if (!c->country) return "";
    if (country == RSP_NONE) return NULL;
    return rsp_domain_text(c->a, 1, &c->p->study->variables[country].name, &c->country);
}

bool chart_collect_upset(chart *c) {
    size_t from, to, v = c->x->table.n_items ? c->x->table.items[0] : RSP_NONE;
    const char *domain = edition_domain(c);
    if (v == RSP_NONE || !domain || !rsp_published_range(c->p->results, c->spec->analysis, &from, &to)) return false;
    const char *item = c->p->study->variables[v].name;
    c->data.statistic = "proportion";
    c->data.n_columns = 1;
    c->data.combinations = RSP_ARRAY(c->a, const rsp_published_row *, to - from);
    for (size_t i = from; i < to; i++) {
        const rsp_published_row *r = rsp_published_at(c->p->results, i);
        if (strcmp(r->domain, domain) != 0 || strcmp(r->term, item) != 0) continue;
        if (strcmp(r->statistic, "combination") == 0) c->data.combinations[c->data.n_combinations++] = r;
        if (strcmp(r->statistic, "proportion") != 0) continue;
        chart_row *row = chart_add_row(c, 1);
        row->cells[0] = r;
        row->code = r->level;
        row->label = rsp_label_level(c->l, c->a, r);
        if (chart_known(r)) row->order = r->estimate;
    }
    chart_settle(c);
    return c->data.n_rows > 0 && c->data.n_combinations > 0;
}

static bool is_others(const rsp_published_row *r) { return strcmp(r->level, "*") == 0; }

static bool holds(const rsp_published_row *r, const char *code) {
    size_t length = strlen(code);
    for (const char *p = r->level; *p;) {
        size_t word = strcspn(p, " ");
        if (word == length && strncmp(p, code, length) == 0) return true;
        p += word + (p[word] == ' ');
    }
    return false;
}

/* ---- drawing ------------------------------------------------------------------------------------------------------ */

typedef struct {
    double label, size0, size1, matrix; /* label's width; the bars of sets; left edge of the matrix */
    size_t n, shown;                    /* combinations with a level of their own; those that fit */
    const rsp_published_row **list, *others;
    double most_set, most_combination;
} plan;

static plan make_plan(chart *c) {
    plan p = {.list = RSP_ARRAY(c->a, const rsp_published_row *, c->data.n_combinations)};
    for (size_t k = 0; k < c->data.n_combinations; k++) {
        const rsp_published_row *r = c->data.combinations[k];
        if (is_others(r)) p.others = r;
        else p.list[p.n++] = r;
    }
    double width = c->right - c->left;
    p.label = chart_label_width(c, width * 0.3);
    p.size0 = c->left + p.label + 8;
    p.size1 = p.size0 + SIZE_BAR;
    p.matrix = p.size1 + VALUE + 10;
    size_t room = (size_t) fmax(1, floor((c->right - p.matrix) / COLUMN));
    p.shown = p.n < room ? p.n : room;
    for (size_t k = 0; k < p.shown; k++)
        if (chart_known(p.list[k])) p.most_combination = fmax(p.most_combination, p.list[k]->estimate);
    for (size_t r = 0; r < c->data.n_rows; r++)
        if (chart_known(c->data.rows[r].cells[0])) p.most_set = fmax(p.most_set, c->data.rows[r].cells[0]->estimate);
    return p;
}

static void bar(chart *c, const rsp_published_row *r, rsp_box box) {
    bool low = chart_state_of(r) == CHART_LOW_BASE;
    rsp_shape *s = rsp_scene_rect(c->s, box, low ? c->theme->paper : c->theme->accent);
    if (!low) return;
    s->stroke = c->theme->accent;
    s->stroke_width = 1.2;
    c->used[CHART_LOW_BASE] = true;
}

static double column_x(const plan *p, size_t k) { return p->matrix + COLUMN * ((double) k + 0.5); }

/* Where all are small, whole per cent would make many alike. */
static const char *share_text(const chart *c, const plan *p, const rsp_published_row *r) {
    return rsp_say_percent(c->t, c->a, r->estimate, p->most_combination < 0.1 ? 1 : 0);
}

/* Upright bars with their numbers above: each combination, exactly it and nothing else. */
static void combination_bars(chart *c, const plan *p) {
    double bottom = c->y + BARS + 14;
    rsp_style style = chart_style(c, 8, false, c->theme->ink, RSP_ALIGN_CENTRE, 0);
    for (size_t k = 0; k < p->shown; k++) {
        const rsp_published_row *r = p->list[k];
        double x = column_x(p, k), h = 12;
        if (!chart_known(r)) {
            chart_mark_state(c, (rsp_box){x - 7, bottom - h, 14, h}, chart_state_of(r));
            continue;
        }
        h = p->most_combination > 0 ? BARS * r->estimate / p->most_combination : 0;
        if (h > 0) bar(c, r, (rsp_box){x - 7, bottom - h, 14, h});
        chart_text(c, x, bottom - h - 12, share_text(c, p, r), style);
    }
    rsp_scene_line(c->s, p->matrix, bottom, p->matrix + COLUMN * (double) p->shown, bottom, c->theme->rule, 0.8)
        ->layer = 0;
    rsp_style heading = chart_style(c, 8, false, c->theme->muted, RSP_ALIGN_LEFT, p->matrix - 10 - c->left);
    chart_text(c, c->left, c->y, rsp_say(c->t, c->a, "upset_combinations", NULL, 0), heading);
    rsp_shape *sets = chart_text(c, p->size0, 0, rsp_say(c->t, c->a, "upset_sets", NULL, 0),
                                 chart_style(c, 8, false, c->theme->muted, RSP_ALIGN_LEFT, SIZE_BAR + VALUE));
    sets->box.y = bottom - sets->box.h;
    c->y = bottom + 5;
}

static void set_bar(chart *c, const plan *p, const chart_row *row, double middle) {
    const rsp_published_row *r = row->cells[0];
    if (!chart_known(r)) {
        chart_mark_state(c, (rsp_box){p->size0, middle - 4, 30, 8}, chart_state_of(r));
        return;
    }
    double w = p->most_set > 0 ? SIZE_BAR * r->estimate / p->most_set : 0;
    if (w > 0) bar(c, r, (rsp_box){p->size0, middle - 4, w, 8});
    chart_text_middle(c, p->size0 + w + 4, middle, chart_value(c, r->estimate),
                      chart_style(c, c->theme->value_size, false, c->theme->ink, RSP_ALIGN_LEFT, 0));
}

/* Full marks where the choice is part of the combination, joined from the first to the last. */
static void matrix(chart *c, const plan *p, const double *middle) {
    for (size_t k = 0; k < p->shown; k++) {
        double x = column_x(p, k), first = NAN, last = NAN;
        for (size_t r = 0; r < c->data.n_rows; r++) {
            if (!holds(p->list[k], c->data.rows[r].code)) continue;
            if (isnan(first)) first = middle[r];
            last = middle[r];
        }
        if (last > first) rsp_scene_line(c->s, x, first, x, last, c->theme->ink, 1.6);
        for (size_t r = 0; r < c->data.n_rows; r++) {
            bool in = holds(p->list[k], c->data.rows[r].code);
            rsp_shape *dot =
                rsp_scene_circle(c->s, x, middle[r], in ? DOT : DOT - 1.2, in ? c->theme->ink : c->theme->grid);
            if (!in) dot->layer = 0;
        }
    }
}

static const char *note(const chart *c, const plan *p) {
    const char *text = rsp_say(c->t, c->a, "upset_note", NULL, 0);
    if (p->shown < p->n)
        text = rsp_printf(c->a, "%s %s", text,
                          rsp_say(c->t, c->a, "upset_more", (rsp_arg[]){{"n", NULL, (double) (p->n - p->shown)}}, 1));
    if (chart_known(p->others))
        text = rsp_printf(
            c->a, "%s %s", text,
            rsp_say(c->t, c->a, "upset_others", (rsp_arg[]){{"value", chart_value(c, p->others->estimate), 0}}, 1));
    return text;
}

void chart_draw_upset(chart *c) {
    plan p = make_plan(c);
    double *middle = RSP_ARRAY(c->a, double, c->data.n_rows);
    combination_bars(c, &p);
    for (size_t r = 0; r < c->data.n_rows; r++) {
        double h = chart_row_height(c, r, p.label, LEAST_ROW);
        if (r % 2 == 0) {
            rsp_box band = {c->left, c->y, c->right - c->left, h};
            rsp_scene_rect(c->s, band, rsp_theme_between(c->theme->sequential, RSP_N_SEQUENTIAL, 0))->layer = 0;
        }
        middle[r] = c->y + h / 2;
        chart_row_label(c, r, p.label, h);
        set_bar(c, &p, &c->data.rows[r], middle[r]);
        c->y += h;
    }
    matrix(c, &p, middle);
    c->data.note = note(c, &p);
    for (size_t k = 0; k < p.n && !c->data.alt; k++) /* the largest is the message */
        if (chart_known(p.list[k]))
            c->data.alt = rsp_say(c->t, c->a, "alt_upset_largest",
                                  (rsp_arg[]){{"label", rsp_label_level(c->l, c->a, p.list[k]), 0},
                                              {"value", chart_value(c, p.list[k]->estimate), 0}},
                                  2);
}
