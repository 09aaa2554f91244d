/* Change over waves: the last variable of the crossing runs from left to right. A slope chart has one line a group or
 * item, named at its end; small multiples have a panel each, all on the same axes. */
#include "chart.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_LINES = 8, MOST_PANELS = 40, PER_LINE = 3 };
static const double SLOPE_HEIGHT = 190, PANEL_HEIGHT = 74, LINE = 11;

/* ---- rows --------------------------------------------------------------------------------------------------------- */

/* The wave: last variable of the first crossing. RSP_NONE: the table has none. */
static size_t wave_of(const rsp_table *t) {
    for (size_t b = 0; b < t->n_by; b++)
        if (t->by[b].n) return t->by[b].variables[t->by[b].n - 1];
    return RSP_NONE;
}

/* The domain before its last pair, which is of the wave; NULL where it is not. *code: the wave. */
static const char *before_wave(const chart *c, const char *domain, const char *wave, const char **code) {
    const char *last = strrchr(domain, ';');
    size_t length = strlen(wave);
    last = last ? last + 1 : domain;
    if (strncmp(last, wave, length) != 0 || last[length] != '=') return NULL;
    *code = last + length + 1;
    return rsp_strndup(c->a, domain, last == domain ? 0 : (size_t) (last - domain) - 1);
}

static bool concerns(const chart *c, const char *rest) {
    if (!c->country || !*rest) return true;
    const char *code = rsp_domain_code(c->a, rest, c->p->study->variables[c->p->study->roles.country].name);
    return code && strcmp(code, c->country) == 0;
}

static const char *name_line(const chart *c, const rsp_published_row *r, const char *rest, bool items, bool groups) {
    const char *level = c->data.answer ? "" : rsp_label_level(c->l, c->a, r);
    const char *unit = *level ? level : rsp_label_term(c->l, c->a, r), *who = chart_codes_label(c, rest);
    return items && groups ? rsp_printf(c->a, "%s: %s", unit, who) : groups ? who : unit;
}

typedef struct {
    const rsp_published_row *row;
    const char *rest;
    size_t column;
} point;

static size_t gather(chart *c, size_t wave, const char *event, point *points) {
    size_t from, to, n = 0;
    const rsp_variable *v = &c->p->study->variables[wave];
    if (!rsp_published_range(c->p->results, c->spec->analysis, &from, &to)) return 0;
    for (size_t i = from; i < to; i++) {
        const rsp_published_row *r = rsp_published_at(c->p->results, i);
        const char *code = NULL, *rest = before_wave(c, r->domain, v->name, &code);
        if (!rest || strcmp(r->statistic, c->data.statistic) != 0 || (event && strcmp(r->level, event) != 0)) continue;
        if (!concerns(c, rest)) continue;
        size_t at = 0;
        while (at < c->data.n_columns && strcmp(c->data.columns[at], code) != 0) at++;
        if (at == c->data.n_columns) c->data.columns[c->data.n_columns++] = code;
        points[n++] = (point){r, rest, at};
    }
    for (size_t k = 0; k < c->data.n_columns; k++) c->data.columns[k] = rsp_label_code(c->l, wave, c->data.columns[k]);
    return n;
}

bool chart_collect_waves(chart *c) {
    size_t wave = wave_of(&c->x->table), from, to;
    if (wave == RSP_NONE || !rsp_published_range(c->p->results, c->spec->analysis, &from, &to)) return false;
    if (c->country && c->p->study->roles.country == RSP_NONE) return false;
    c->data.statistic = rsp_label_table_statistic(c->x);
    const char *event = c->x->table.n_items ? chart_event(c, c->x->table.items[0]) : NULL;
    point *points = RSP_ARRAY(c->a, point, to - from);
    c->data.columns = RSP_ARRAY(c->a, const char *, to - from + 1);
    if (event) c->data.answer = rsp_label_code(c->l, c->x->table.items[0], event);
    size_t n = gather(c, wave, event, points);
    bool items = false, groups = false, own = false;
    for (size_t k = 0; k < n; k++) {
        items = items || strcmp(points[k].row->term, points[0].row->term) != 0 ||
                (!event && strcmp(points[k].row->level, points[0].row->level) != 0);
        groups = groups || *points[k].rest;
        own = own || *points[k].rest;
    }
    rsp_map *index = rsp_map_new();
    for (size_t k = 0; k < n; k++) {
        const point *p = &points[k];
        const char *key = rsp_printf(c->a, "%s\x1f%s\x1f%s", p->row->term, p->row->level, p->rest);
        size_t at = rsp_map_get(index, key);
        if (at == RSP_NONE) {
            rsp_map_put(index, key, at = c->data.n_rows);
            chart_row *row = chart_add_row(c, c->data.n_columns);
            row->label = name_line(c, p->row, p->rest, items, groups);
            row->pooled = groups && !*p->rest;
            row->own = c->country && *p->rest;
        }
        c->data.rows[at].cells[p->column] = p->row;
    }
    rsp_map_free(index);
    if (c->data.kind == CHART_SLOPE && c->data.n_rows > MOST_LINES) c->data.kind = CHART_MULTIPLES;
    c->data.digits = chart_digits(&c->data);
    return c->data.n_rows > 0 && c->data.n_rows <= MOST_PANELS && c->data.n_columns > 1 && (!c->country || own);
}

/* ---- axes --------------------------------------------------------------------------------------------------------- */

/* Values from bottom to top, the same for all lines: intervals included, from zero where shares come near it. */
static chart_axis value_axis(const chart *c, double bottom, double top) {
    double low = NAN, high = NAN;
    for (size_t r = 0; r < c->data.n_rows; r++)
        for (size_t k = 0; k < c->data.n_columns; k++) {
            const rsp_published_row *x = c->data.rows[r].cells[k];
            if (!chart_known(x)) continue;
            low = fmin(low, isnan(x->lower) ? x->estimate : x->lower);
            high = fmax(high, isnan(x->upper) ? x->estimate : x->upper);
        }
    if (isnan(low)) low = 0, high = 1;
    if (low > 0 && low < 0.5 * high) low = 0;
    return chart_axis_make(low, high, bottom, top, false);
}

static rsp_colour line_colour(const chart *c, size_t r) {
    const chart_row *x = &c->data.rows[r];
    if (c->data.kind == CHART_MULTIPLES)
        return x->own ? c->theme->own : x->pooled ? c->theme->pooled : c->theme->accent;
    if (x->own) return c->theme->own;
    return x->pooled ? c->theme->pooled : c->theme->accent;
}

static double wave_x(const chart *c, size_t k, double x0, double x1) {
    return x0 + (x1 - x0) * (double) k / (double) (c->data.n_columns - 1);
}

/* Points with their intervals, joined where neighbours are known. */
static void line(chart *c, const chart_axis *axis, size_t r, double x0, double x1) {
    const chart_row *row = &c->data.rows[r];
    rsp_colour colour = line_colour(c, r);
    /* Lines of one panel stand a little beside each other, so that intervals do not hide one another. */
    double aside = c->data.kind == CHART_SLOPE ? 4 * ((double) r - (double) (c->data.n_rows - 1) / 2) : 0;
    double before_x = NAN, before_y = NAN;
    for (size_t k = 0; k < c->data.n_columns; k++) {
        const rsp_published_row *p = row->cells[k];
        double x = wave_x(c, k, x0, x1) + aside;
        if (!chart_known(p)) {
            if (p) chart_mark_state(c, (rsp_box){x - 4, axis->x0 - 9, 8, 8}, chart_state_of(p));
            before_x = NAN;
            continue;
        }
        double y = chart_axis_at(axis, p->estimate);
        if (!isnan(before_x)) rsp_scene_line(c->s, before_x, before_y, x, y, colour, row->pooled ? 2.2 : 1.4);
        if (!isnan(p->lower) && !isnan(p->upper)) {
            rsp_scene_line(c->s, x, chart_axis_at(axis, p->lower), x, chart_axis_at(axis, p->upper), colour, 0.8);
            c->intervals = true;
        }
        bool low = chart_state_of(p) == CHART_LOW_BASE;
        rsp_shape *dot = rsp_scene_circle(c->s, x, y, 2.8, low ? c->theme->paper : colour);
        if (low) {
            dot->stroke = colour;
            dot->stroke_width = 1.2;
            c->used[CHART_LOW_BASE] = true;
        }
        before_x = x;
        before_y = y;
    }
}

static void grid(chart *c, const chart_axis *axis, double x0, double x1, double numbers) {
    rsp_style style = chart_style(c, 8, false, c->theme->muted, RSP_ALIGN_RIGHT, 0);
    for (size_t k = 0; k < axis->n_ticks; k++) {
        double y = chart_axis_at(axis, axis->ticks[k]);
        rsp_scene_line(c->s, x0, y, x1, y, c->theme->grid, 0.7)->layer = 0;
        if (numbers > 0 && (axis->n_ticks < 5 || k % 2 == 0 || c->data.kind == CHART_SLOPE))
            chart_text_middle(c, numbers, y, chart_tick(c, axis, axis->ticks[k]), style);
    }
}

/* Waves under the axis; of many only the ends and what fits between. */
static void wave_names(chart *c, double y, double x0, double x1) {
    rsp_style style = chart_style(c, 8, false, c->theme->muted, RSP_ALIGN_CENTRE, 0);
    double free_from = -INFINITY, last_w = rsp_text_extent(c->data.columns[c->data.n_columns - 1], &style).w;
    for (size_t k = 0; k < c->data.n_columns; k++) {
        const char *text = c->data.columns[k];
        double w = rsp_text_extent(text, &style).w, x = wave_x(c, k, x0, x1);
        bool ends = k == 0 || k + 1 == c->data.n_columns;
        if (x - w / 2 < free_from || (!ends && x + w / 2 + 4 > x1 - last_w / 2)) continue;
        double left = fmax(x - w / 2, c->left), at = fmin(left, c->right - w);
        rsp_shape *t = chart_text(c, at, y, text, chart_style(c, 8, false, c->theme->muted, RSP_ALIGN_LEFT, 0));
        free_from = t->box.x + t->box.w + 4;
    }
}

/* ---- slope -------------------------------------------------------------------------------------------------------- */

typedef struct {
    size_t row;
    double y, h; /* middle of the label */
} end_label;

static int by_place(const void *x, const void *y) {
    const end_label *a = x, *b = y;
    if (a->y != b->y) return a->y < b->y ? -1 : 1;
    return a->row < b->row ? -1 : 1;
}

static const rsp_published_row *last_known(const chart *c, const chart_row *row) {
    for (size_t k = c->data.n_columns; k-- > 0;)
        if (chart_known(row->cells[k])) return row->cells[k];
    return NULL;
}

static const char *end_text(const chart *c, const chart_row *row) {
    const rsp_published_row *p = last_known(c, row);
    return p ? rsp_printf(c->a, "%s  %s", chart_value(c, p->estimate), row->label) : row->label;
}

/* Names stand where the lines end, pushed apart downwards; returns the lowest point they need. */
static double end_labels(chart *c, const chart_axis *axis, double x, double top) {
    end_label *labels = RSP_ARRAY(c->a, end_label, c->data.n_rows);
    double free_from = top;
    for (size_t r = 0; r < c->data.n_rows; r++) {
        const rsp_published_row *p = last_known(c, &c->data.rows[r]);
        rsp_style style = chart_style(c, c->theme->value_size, c->data.rows[r].pooled || c->data.rows[r].own,
                                      c->theme->ink, RSP_ALIGN_LEFT, c->right - x);
        labels[r] = (end_label){r, p ? chart_axis_at(axis, p->estimate) : axis->x0,
                                rsp_text_extent(end_text(c, &c->data.rows[r]), &style).h};
    }
    qsort(labels, c->data.n_rows, sizeof *labels, by_place);
    for (size_t k = 0; k < c->data.n_rows; k++) {
        const chart_row *row = &c->data.rows[labels[k].row];
        double y = fmax(labels[k].y, free_from + labels[k].h / 2);
        chart_text_middle(c, x, y, end_text(c, row),
                          chart_style(c, c->theme->value_size, row->pooled || row->own, line_colour(c, labels[k].row),
                                      RSP_ALIGN_LEFT, c->right - x));
        if (fabs(y - labels[k].y) > 3) rsp_scene_line(c->s, x - 9, labels[k].y, x - 2, y, c->theme->rule, 0.6);
        free_from = y + labels[k].h / 2 + 1;
    }
    return free_from;
}

void chart_draw_slope(chart *c) {
    double top = c->y + 6, bottom = top + SLOPE_HEIGHT;
    chart_axis axis = value_axis(c, bottom, top);
    double numbers = c->left + 34, x0 = numbers + 14, x1 = c->left + (c->right - c->left) * 0.6;
    grid(c, &axis, numbers + 4, x1 + 6, numbers);
    for (size_t r = 0; r < c->data.n_rows; r++) line(c, &axis, r, x0, x1);
    wave_names(c, bottom + 5, x0, x1);
    double below = end_labels(c, &axis, x1 + 16, top - 4);
    c->y = fmax(bottom + 5 + LINE, below) + 2;
}

/* ---- small multiples ---------------------------------------------------------------------------------------------- */

void chart_draw_multiples(chart *c) {
    double numbers = 30, gap = 12, width = (c->right - c->left - numbers - (PER_LINE - 1) * gap) / PER_LINE;
    for (size_t first = 0; first < c->data.n_rows; first += PER_LINE) {
        double tall = 0;
        size_t n = c->data.n_rows - first < PER_LINE ? c->data.n_rows - first : PER_LINE;
        for (size_t k = 0; k < n; k++) {
            rsp_style style = chart_style(c, 8.5, true, c->theme->ink, RSP_ALIGN_LEFT, width);
            tall = fmax(tall, rsp_text_extent(c->data.rows[first + k].label, &style).h);
        }
        double top = c->y + tall + 8, bottom = top + PANEL_HEIGHT;
        chart_axis axis = value_axis(c, bottom, top);
        for (size_t k = 0; k < n; k++) {
            double x0 = c->left + numbers + (double) k * (width + gap), x1 = x0 + width;
            const chart_row *row = &c->data.rows[first + k];
            rsp_shape *t =
                chart_text(c, x0, 0, row->label,
                           chart_style(c, 8.5, true, row->own ? c->theme->own : c->theme->ink, RSP_ALIGN_LEFT, width));
            t->box.y = c->y + tall - t->box.h;
            grid(c, &axis, x0, x1, k ? 0 : c->left + numbers - 4);
            line(c, &axis, first + k, x0 + 8, x1 - 8);
            rsp_style measure = chart_style(c, 8, false, c->theme->muted, RSP_ALIGN_LEFT, 0);
            const char *start = c->data.columns[0], *end = c->data.columns[c->data.n_columns - 1];
            rsp_box a = rsp_text_extent(start, &measure), b = rsp_text_extent(end, &measure);
            chart_text(c, x0, bottom + 3, start, measure);
            if (a.w + b.w + 6 < width) chart_text(c, x1 - b.w, bottom + 3, end, measure);
        }
        c->y = bottom + 3 + LINE + 8;
    }
}
