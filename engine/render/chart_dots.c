/* One number a row as a dot with its interval on a common scale (Cleveland 1984); several groups a row as dots in colours
 * and shapes of their own; the value of everybody as another mark. */
#include "chart.h"

#include <math.h>

/* A mark for each group of a row, so that a copy in grey tells them apart; the diamond is everybody's. */
enum { N_MARKS = 4 };
static const chart_mark MARKS[N_MARKS] = {CHART_DOT, CHART_SQUARE, CHART_TRIANGLE, CHART_WEDGE};
static const double SPREAD = 7; /* between the marks of one row */

typedef struct {
    double label, plot0, plot1, value, n;
    bool values; /* numbers as text: one mark a row */
    bool bases;  /* respondents of each row; several groups have them in the key */
} columns;

static void widen(double *low, double *high, const rsp_published_row *r) {
    if (!chart_known(r)) return;
    *low = fmin(*low, isnan(r->lower) ? r->estimate : fmin(r->lower, r->estimate));
    *high = fmax(*high, isnan(r->upper) ? r->estimate : fmax(r->upper, r->estimate));
}

/* The scale covers all intervals; shares that come near zero begin there. */
static chart_axis make_axis(const chart *c, const columns *k) {
    double low = NAN, high = NAN;
    for (size_t r = 0; r < c->data.n_rows; r++) {
        for (size_t j = 0; j < c->data.n_columns; j++) widen(&low, &high, c->data.rows[r].cells[j]);
        widen(&low, &high, c->data.rows[r].reference);
    }
    if (isnan(low)) low = 0, high = 1;
    if (low > 0 && low < 0.5 * high) low = 0;
    return chart_axis_make(low, high, k->plot0, k->plot1, false);
}

static columns lay_columns(const chart *c) {
    columns k = {.values = c->data.n_columns == 1, .n = c->right};
    double x = c->right;
    k.bases = k.values && chart_shows_n(c);
    if (k.bases) x -= 38;
    if (k.values) {
        k.value = x;
        x -= 46;
    }
    k.label = chart_label_width(c, (c->right - c->left) * 0.42);
    k.plot0 = c->left + k.label + 16;
    k.plot1 = x - 12;
    return k;
}

static rsp_colour series_colour(const chart *c, size_t j) {
    if (c->data.n_columns == 1) return c->theme->accent;
    return c->data.pooled_column && c->data.pooled_column[j] ? c->theme->pooled
                                                             : c->theme->categorical[j % RSP_N_CATEGORICAL];
}

static rsp_colour row_colour(const chart *c, const chart_row *row, size_t j) {
    if (row->own) return c->theme->own;
    return row->pooled ? c->theme->pooled : series_colour(c, j);
}

/* A group's name with its base, where several share a row. */
static const char *series_name(const chart *c, size_t j) {
    double low = NAN, high = NAN;
    for (size_t r = 0; r < c->data.n_rows; r++) {
        const rsp_published_row *x = c->data.rows[r].cells[j];
        if (!x || isnan(x->n)) continue;
        low = fmin(low, x->n);
        high = fmax(high, x->n);
    }
    if (isnan(low)) return c->data.columns[j];
    return rsp_say(c->t, c->a, low == high ? "series_base" : "series_bases",
                   (rsp_arg[]){{"label", c->data.columns[j], 0}, {"low", NULL, low}, {"high", NULL, high}}, 3);
}

static chart_mark series_mark(const chart *c, size_t j) {
    return c->data.pooled_column && c->data.pooled_column[j] ? CHART_DIAMOND : MARKS[j % N_MARKS];
}

static chart_mark row_mark(const chart *c, const chart_row *row, size_t j) {
    if (c->data.n_columns > 1) return series_mark(c, j);
    return row->pooled ? CHART_DIAMOND : CHART_DOT;
}

static void keys(chart *c) {
    size_t n = c->data.n_columns;
    if (n > 1) {
        rsp_colour *colours = RSP_ARRAY(c->a, rsp_colour, n);
        chart_mark *marks = RSP_ARRAY(c->a, chart_mark, n);
        const char **words = RSP_ARRAY(c->a, const char *, n);
        for (size_t j = 0; j < n; j++) {
            colours[j] = series_colour(c, j);
            marks[j] = series_mark(c, j);
            words[j] = series_name(c, j);
        }
        chart_key(c, n, colours, words, marks);
    }
    if (!c->data.has_reference) return;
    const char *words[] = {rsp_label_country(c->l, c->country), rsp_label_domain(c->l, c->a, "")};
    rsp_colour colours[] = {c->theme->accent, c->theme->pooled};
    chart_mark marks[] = {CHART_DOT, CHART_TICK};
    chart_key(c, 2, colours, words, marks);
}

static void plot_row(chart *c, const chart_axis *axis, const columns *k, const chart_row *row, double middle) {
    size_t n = c->data.n_columns;
    if (chart_known(row->reference)) chart_dot(c, axis, row->reference, middle, c->theme->pooled, CHART_TICK);
    for (size_t j = 0; j < n; j++) {
        const rsp_published_row *r = row->cells[j];
        double y = middle + ((double) j - (double) (n - 1) / 2) * SPREAD;
        if (chart_known(r)) chart_dot(c, axis, r, y, row_colour(c, row, j), row_mark(c, row, j));
        else chart_mark_state(c, (rsp_box){k->plot0, y - 3.5, 40, 7}, chart_state_of(r));
    }
}

static void row_numbers(chart *c, const columns *k, const chart_row *row, double middle) {
    rsp_style style = chart_style(c, c->theme->value_size, row->own || row->pooled, c->theme->ink, RSP_ALIGN_RIGHT, 0);
    if (k->values && chart_known(row->cells[0]))
        chart_text_middle(c, k->value, middle, chart_value(c, row->cells[0]->estimate), style);
    double n = chart_row_n(c, row);
    style.colour = c->theme->muted;
    style.bold = false;
    if (k->bases && !isnan(n)) chart_text_middle(c, k->n, middle, rsp_say_number(c->t, c->a, n, 0), style);
}

void chart_draw_dots(chart *c) {
    keys(c);
    columns k = lay_columns(c);
    chart_axis axis = make_axis(c, &k);
    if (k.bases)
        chart_text(c, k.n, c->y, rsp_say(c->t, c->a, "n_heading", NULL, 0),
                   chart_style(c, 8, false, c->theme->muted, RSP_ALIGN_RIGHT, 0));
    c->y += 16;
    double top = c->y, least = 15 + SPREAD * (double) (c->data.n_columns - 1);
    for (size_t r = 0; r < c->data.n_rows; r++) {
        chart_section(c, r);
        double h = chart_row_height(c, r, k.label, least);
        chart_row_label(c, r, k.label, h);
        plot_row(c, &axis, &k, &c->data.rows[r], c->y + h / 2);
        row_numbers(c, &k, &c->data.rows[r], c->y + h / 2);
        c->y += h;
    }
    chart_axis_draw(c, &axis, top, c->y + 2);
    if (axis.from < 0 && axis.to > 0) {
        double zero = chart_axis_at(&axis, 0);
        rsp_scene_line(c->s, zero, top, zero, c->y + 2, c->theme->rule, 0.9)->layer = 0;
    }
}
