/* Coefficients with intervals around the line of no association, the numbers beside them. */
#include "chart.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double FURTHER = 11; /* height of the band of a further country */

typedef struct {
    double label, plot0, plot1, estimate, interval;
} columns;

static const char *interval_text(const chart *c, const rsp_published_row *r) {
    if (!chart_known(r) || isnan(r->lower) || isnan(r->upper)) return "";
    return rsp_say(c->t, c->a, "interval_between",
                   (rsp_arg[]){{"low", chart_value(c, r->lower), 0}, {"high", chart_value(c, r->upper), 0}}, 2);
}

/* Columns of numbers are as wide as their widest entry. */
static columns lay_columns(const chart *c) {
    rsp_style style = chart_style(c, c->theme->value_size, false, c->theme->ink, RSP_ALIGN_RIGHT, 0);
    double interval = rsp_text_extent(rsp_say(c->t, c->a, "interval_heading", NULL, 0), &style).w;
    double estimate = rsp_text_extent(rsp_say(c->t, c->a, "estimate_heading", NULL, 0), &style).w;
    for (size_t r = 0; r < c->data.n_rows; r++) {
        const rsp_published_row *x = c->data.rows[r].cells[0];
        if (!chart_known(x)) continue;
        interval = fmax(interval, rsp_text_extent(interval_text(c, x), &style).w);
        estimate = fmax(estimate, rsp_text_extent(chart_value(c, x->estimate), &style).w);
    }
    columns k = {.interval = c->right, .estimate = c->right - interval - 12};
    k.label = chart_label_width(c, (c->right - c->left) * 0.38);
    k.plot0 = c->left + k.label + 12;
    k.plot1 = fmax(k.plot0 + 60, k.estimate - estimate - 12);
    return k;
}

/* The scale covers all estimates and intervals of ordinary width; whiskers far beyond are cut, with an arrow, since one
 * loose estimate would press all others together. */
static chart_axis make_axis(const chart *c, const columns *k, bool ratio, size_t first, size_t last) {
    double low = 0, high = 0, ends_low = 0, ends_high = 0;
    for (size_t r = first; r < last; r++) {
        const rsp_published_row *x = c->data.rows[r].cells[0];
        if (!chart_known(x) || (ratio && !(x->estimate > 0))) continue;
        double at = ratio ? log(x->estimate) : x->estimate;
        double from = ratio ? log(x->lower) : x->lower, to = ratio ? log(x->upper) : x->upper;
        low = fmin(low, at);
        high = fmax(high, at);
        if (isfinite(from)) ends_low = fmin(ends_low, from);
        if (isfinite(to)) ends_high = fmax(ends_high, to);
        const rsp_published_row *further = c->data.rows[r].further;
        if (further) ends_low = fmin(ends_low, further->lower), ends_high = fmax(ends_high, further->upper);
    }
    double room = 0.6 * (high - low);
    low = fmax(fmin(ends_low, low), low - room);
    high = fmin(fmax(ends_high, high), high + room);
    if (!(high > low)) low = -1, high = 1;
    if (ratio) low = fmin(low, -0.004), high = fmax(high, 0.004);
    return chart_axis_make(ratio ? exp(low) : low, ratio ? exp(high) : high, k->plot0, k->plot1, ratio);
}

static void numbers(chart *c, const columns *k, const rsp_published_row *r, double middle) {
    rsp_style style = chart_style(c, c->theme->value_size, false, c->theme->ink, RSP_ALIGN_RIGHT, 0);
    chart_text_middle(c, k->estimate, middle, chart_value(c, r->estimate), style);
    style.colour = c->theme->muted;
    if (*interval_text(c, r)) chart_text_middle(c, k->interval, middle, interval_text(c, r), style);
}

static void headings(chart *c, const columns *k) {
    rsp_style style = chart_style(c, 8, false, c->theme->muted, RSP_ALIGN_RIGHT, 0);
    chart_text(c, k->estimate, c->y, rsp_say(c->t, c->a, "estimate_heading", NULL, 0), style);
    chart_text(c, k->interval, c->y, rsp_say(c->t, c->a, "interval_heading", NULL, 0), style);
    c->y += 28;
}

/* A coefficient of a number is its effect per unit, one of a category the distance from the reference: on a common scale
 * the smaller kind would be a row of dots on the line. */
static bool of_category(const chart_row *r) { return r->cells[0] && strchr(r->cells[0]->term, '=') != NULL; }

/* Numbers first, each kind in its order; returns how many numbers there are. */
static size_t numbers_first(chart_data *d) {
    chart_row *sorted = rsp_malloc((d->n_rows + 1) * sizeof *sorted);
    size_t n = 0, first = 0;
    for (int kind = 0; kind < 2; kind++) {
        for (size_t r = 0; r < d->n_rows; r++)
            if (of_category(&d->rows[r]) == (kind == 1)) sorted[n++] = d->rows[r];
        if (kind == 0) first = n;
    }
    memcpy(d->rows, sorted, n * sizeof *sorted);
    free(sorted);
    return first;
}

static double reach(const chart *c, size_t first, size_t last, bool ratio) {
    double most = 0;
    for (size_t r = first; r < last; r++) {
        const rsp_published_row *x = c->data.rows[r].cells[0];
        if (chart_known(x) && (!ratio || x->estimate > 0))
            most = fmax(most, fabs(ratio ? log(x->estimate) : x->estimate));
    }
    return most;
}

/* Behind the estimate: where that of a further country is expected, and where the countries' own pool. */
static void draw_further(chart *c, const chart_axis *axis, const rsp_published_row *r, double middle) {
    double from = fmax(chart_axis_at(axis, r->lower), axis->x0), to = fmin(chart_axis_at(axis, r->upper), axis->x1),
           at = chart_axis_at(axis, r->estimate);
    if (from < to)
        rsp_scene_rect(c->s, (rsp_box){from, middle - FURTHER / 2, to - from, FURTHER},
                       rsp_theme_between(c->theme->sequential, RSP_N_SEQUENTIAL, 0.22))
            ->layer = 0;
    if (at >= axis->x0 && at <= axis->x1)
        rsp_scene_line(c->s, at, middle - FURTHER / 2, at, middle + FURTHER / 2, c->theme->pooled, 1.2);
}

static void draw_block(chart *c, const columns *k, bool ratio, size_t first, size_t last) {
    chart_axis axis = make_axis(c, k, ratio, first, last);
    double top = c->y;
    for (size_t r = first; r < last; r++) {
        const rsp_published_row *x = c->data.rows[r].cells[0];
        double h = chart_row_height(c, r, k->label, 15), middle = c->y + h / 2;
        chart_row_label(c, r, k->label, h);
        if (chart_known(x) && (!ratio || x->estimate > 0)) {
            if (c->data.rows[r].further) draw_further(c, &axis, c->data.rows[r].further, middle);
            chart_dot(c, &axis, x, middle, c->theme->accent, CHART_DOT);
            numbers(c, k, x, middle);
        } else {
            chart_mark_state(c, (rsp_box){k->plot0, middle - 3.5, 40, 7}, chart_state_of(x));
        }
        c->y += h;
    }
    chart_axis_draw(c, &axis, top, c->y + 2);
    double none = chart_axis_at(&axis, ratio ? 1 : 0);
    rsp_scene_line(c->s, none, top, none, c->y + 2, c->theme->ink, 0.9)->layer = 0;
}

static void block_heading(chart *c, const columns *k, const char *key) {
    enum { ROOM = 24 }; /* that the caller left above: two lines */
    rsp_style style = chart_style(c, 8, true, c->theme->muted, RSP_ALIGN_LEFT, k->label + 8);
    rsp_shape *t = chart_text(c, c->left, c->y, rsp_say(c->t, c->a, key, NULL, 0), style);
    c->y += fmax(0, t->box.h - ROOM);
    t->box.y = c->y - 3 - t->box.h;
}

void chart_draw_forest(chart *c) {
    enum { TOO_DIFFERENT = 6 };
    bool ratio = strncmp(c->data.statistic, "coefficient", 11) != 0;
    size_t n = c->data.n_rows, first = numbers_first(&c->data);
    double a = reach(c, 0, first, ratio), b = reach(c, first, n, ratio);
    columns k = lay_columns(c);
    headings(c, &k);
    if (first && first < n && (a > TOO_DIFFERENT * b || b > TOO_DIFFERENT * a)) {
        block_heading(c, &k, "forest_numbers");
        draw_block(c, &k, ratio, 0, first);
        c->y += 32;
        block_heading(c, &k, "forest_categories");
        draw_block(c, &k, ratio, first, n);
    } else {
        draw_block(c, &k, ratio, 0, n);
    }
}
