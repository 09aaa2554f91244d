/* Coefficients with intervals around the line of no association, the numbers beside them. */
#include "chart.h"

#include <math.h>
#include <string.h>

typedef struct {
    double label, plot0, plot1, estimate, interval;
} columns;

static const char *interval_text(const chart *c, const rsp_published_row *r)
{
    if (!chart_known(r) || isnan(r->lower) || isnan(r->upper)) return "";
    return rsp_say(c->t, c->a, "interval_between", (rsp_arg[]){{"low", chart_value(c, r->lower), 0},
                                                               {"high", chart_value(c, r->upper), 0}}, 2);
}

/* Columns of numbers are as wide as their widest entry. */
static columns lay_columns(const chart *c)
{
    rsp_style style = chart_style(c, c->theme->value_size, false, c->theme->ink, RSP_ALIGN_RIGHT, 0);
    double    interval = rsp_text_extent(rsp_say(c->t, c->a, "interval_heading", NULL, 0), &style).w;
    double    estimate = rsp_text_extent(rsp_say(c->t, c->a, "estimate_heading", NULL, 0), &style).w;
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
static chart_axis make_axis(const chart *c, const columns *k, bool ratio)
{
    double low = 0, high = 0, ends_low = 0, ends_high = 0;
    for (size_t r = 0; r < c->data.n_rows; r++) {
        const rsp_published_row *x = c->data.rows[r].cells[0];
        if (!chart_known(x) || (ratio && !(x->estimate > 0))) continue;
        double at = ratio ? log(x->estimate) : x->estimate;
        double from = ratio ? log(x->lower) : x->lower, to = ratio ? log(x->upper) : x->upper;
        low = fmin(low, at);
        high = fmax(high, at);
        if (isfinite(from)) ends_low = fmin(ends_low, from);
        if (isfinite(to)) ends_high = fmax(ends_high, to);
    }
    double room = 0.6 * (high - low);
    low = fmax(fmin(ends_low, low), low - room);
    high = fmin(fmax(ends_high, high), high + room);
    if (!(high > low)) low = -1, high = 1;
    if (ratio) low = fmin(low, -0.05), high = fmax(high, 0.05);
    return chart_axis_make(ratio ? exp(low) : low, ratio ? exp(high) : high, k->plot0, k->plot1, ratio);
}

static void numbers(chart *c, const columns *k, const rsp_published_row *r, double middle)
{
    rsp_style style = chart_style(c, c->theme->value_size, false, c->theme->ink, RSP_ALIGN_RIGHT, 0);
    chart_text_middle(c, k->estimate, middle, chart_value(c, r->estimate), style);
    style.colour = c->theme->muted;
    if (*interval_text(c, r)) chart_text_middle(c, k->interval, middle, interval_text(c, r), style);
}

static void headings(chart *c, const columns *k)
{
    rsp_style style = chart_style(c, 8, false, c->theme->muted, RSP_ALIGN_RIGHT, 0);
    chart_text(c, k->estimate, c->y, rsp_say(c->t, c->a, "estimate_heading", NULL, 0), style);
    chart_text(c, k->interval, c->y, rsp_say(c->t, c->a, "interval_heading", NULL, 0), style);
    c->y += 28;
}

void chart_draw_forest(chart *c)
{
    bool       ratio = strcmp(c->data.statistic, "coefficient") != 0;
    columns    k = lay_columns(c);
    chart_axis axis = make_axis(c, &k, ratio);
    headings(c, &k);
    double top = c->y;
    for (size_t r = 0; r < c->data.n_rows; r++) {
        const rsp_published_row *x = c->data.rows[r].cells[0];
        double h = chart_row_height(c, r, k.label, 15), middle = c->y + h / 2;
        chart_row_label(c, r, k.label, h);
        if (chart_known(x) && (!ratio || x->estimate > 0)) {
            chart_dot(c, &axis, x, middle, c->theme->accent, CHART_DOT);
            numbers(c, &k, x, middle);
        } else {
            chart_mark_state(c, (rsp_box){k.plot0, middle - 3.5, 40, 7}, chart_state_of(x));
        }
        c->y += h;
    }
    chart_axis_draw(c, &axis, top, c->y + 2);
    double none = chart_axis_at(&axis, ratio ? 1 : 0);
    rsp_scene_line(c->s, none, top, none, c->y + 2, c->theme->ink, 0.9)->layer = 0;
}
