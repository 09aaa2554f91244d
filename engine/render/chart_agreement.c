/* Stacked bars that add up to 100 %: answers in the order of the questionnaire, the share without an opinion apart, net
 * agreement with its interval at the right. The diverging form sets lower answers left and upper ones right of zero,
 * and the neutral middle, which would otherwise tip the picture to one side, in a column of its own (Heiberger and
 * Robbins 2014). */
#include "chart.h"

#include <math.h>

static const double BAR = 15, GAP = 1, LABELLED = 0.06, MISSING = 42;

typedef struct {
    double label, bar0, bar1, net0, net1, net_text, missing0, missing1, n; /* n: right edge */
    double neutral0;   /* diverging: left edge of the neutral's column */
    double zero, unit; /* diverging: where zero is, points a share of 1 */
    bool plain;        /* numbers in the bars have no sign; a heading says that they are per cent */
} columns;

static bool diverging(const chart *c) { return c->data.kind == CHART_DIVERGING; }

static bool has_neutral(const chart *c) { return diverging(c) && c->data.n_columns % 2 == 1; }

/* A piece of a bar: one answer, or two that are published together. */
typedef struct {
    const rsp_published_row *row;
    size_t first, last;
} piece;

/* The bar's pieces from left to right: at most one a column. */
static piece *pieces(const chart *c, const chart_row *row, size_t *n) {
    piece *all = RSP_ARRAY(c->a, piece, c->data.n_columns);
    *n = 0;
    for (size_t j = 0; j < c->data.n_columns; j++) {
        const rsp_published_row *pair = j == 0 ? row->pairs[0] : j == 3 ? row->pairs[1] : NULL;
        bool joined = pair && !chart_known(row->cells[j]) && !chart_known(row->cells[j + 1]);
        all[(*n)++] = (piece){joined ? pair : row->cells[j], j, j + joined};
        j += joined;
    }
    return all;
}

/* What is known of answers from..to (exclusive). */
static double shares(const piece *all, size_t n, size_t from, size_t to) {
    double sum = 0;
    for (size_t k = 0; k < n; k++)
        if (all[k].first >= from && all[k].last < to && chart_known(all[k].row)) sum += all[k].row->estimate;
    return sum;
}

/* One unit for both sides and for the neutral: lengths compare wherever they stand. */
static void lay_diverging(const chart *c, columns *k) {
    size_t n = c->data.n_columns, half = n / 2;
    double left = 0.05, right = 0.05, middle = has_neutral(c) ? 0.05 : 0;
    for (size_t r = 0; r < c->data.n_rows; r++) {
        const chart_row *row = &c->data.rows[r];
        bool complete = true;
        size_t n_pieces;
        const piece *all = pieces(c, row, &n_pieces);
        for (size_t j = 0; j < n_pieces; j++) complete = complete && (!all[j].row || chart_known(all[j].row));
        left = fmax(left, complete ? shares(all, n_pieces, 0, half) : 1 - shares(all, n_pieces, half, n));
        right = fmax(right, complete ? shares(all, n_pieces, n - half, n) : 1 - shares(all, n_pieces, 0, n - half));
        if (middle > 0 && chart_known(row->cells[half])) middle = fmax(middle, row->cells[half]->estimate);
    }
    double label = middle > 0 ? 30 : 0; /* the neutral's number, and the space before its column */
    k->unit = (k->bar1 - k->bar0 - label) / (left + right + middle);
    k->zero = k->bar0 + left * k->unit;
    k->neutral0 = k->zero + right * k->unit + 8;
}

static rsp_style label_style(const chart *c, rsp_colour colour) {
    return chart_style(c, c->theme->value_size - 0.5, false, colour, RSP_ALIGN_CENTRE, 0);
}

/* A number with its sign needs more room than the narrowest segment that is to have one: then none has a sign. */
static bool too_narrow_for_signs(const chart *c, const columns *k) {
    rsp_style style = label_style(c, c->theme->ink);
    double unit = diverging(c) ? k->unit : k->bar1 - k->bar0;
    for (size_t r = 0; r < c->data.n_rows; r++) {
        size_t n;
        const piece *all = pieces(c, &c->data.rows[r], &n);
        for (size_t j = 0; j < n; j++) {
            double share = chart_known(all[j].row) ? all[j].row->estimate : 0;
            if (share >= LABELLED && rsp_text_extent(chart_value(c, share), &style).w > share * unit - 1) return true;
        }
    }
    return false;
}

static columns lay_columns(const chart *c) {
    columns k = {0};
    double width = c->right - c->left, x = c->right;
    k.n = c->right;
    if (chart_shows_n(c)) x -= 30;
    if (c->data.has_missing) {
        k.missing1 = x;
        k.missing0 = x -= MISSING;
        x -= 8;
    }
    if (c->data.has_net) {
        k.net_text = x;
        k.net1 = x -= 26;
        k.net0 = x -= 56;
        x -= 10;
    }
    k.label = chart_label_width(c, width * (c->data.has_net ? 0.3 : 0.36));
    k.bar0 = c->left + k.label + 8;
    k.bar1 = x - 4;
    if (diverging(c)) lay_diverging(c, &k);
    k.plain = too_narrow_for_signs(c, &k);
    return k;
}

/* Nominal answers have colours of their own; an ordered scale runs between two ends. Two answers together, which only a
 * scale of five has, take a colour between theirs. */
static rsp_colour answer_colour(const chart *c, size_t k, size_t last) {
    size_t n = c->data.n_columns;
    if (last > k) return c->theme->pair[k > 0];
    if (c->data.ordinal && n > 2) return rsp_theme_ordinal(c->theme, k, n);
    if (n == 2) return c->theme->diverging[k ? 4 : 1];
    if (n <= RSP_N_CATEGORICAL) return c->theme->categorical[k];
    return rsp_theme_between(c->theme->sequential, RSP_N_SEQUENTIAL, (double) k / (double) (n - 1));
}

static void segment_label(chart *c, const columns *k, const rsp_published_row *r, double x0, double x1, double middle,
                          rsp_colour ground) {
    rsp_style style = label_style(c, rsp_theme_on(ground));
    const char *text = k->plain ? rsp_say_number(c->t, c->a, 100 * r->estimate, 0) : chart_value(c, r->estimate);
    if (r->estimate < LABELLED || rsp_text_extent(text, &style).w > x1 - x0 - 1) return;
    chart_text_middle(c, (x0 + x1) / 2, middle, text, style);
}

/* A low base: the outline in the answer's colour, the inside nearly white. */
static rsp_colour paler(rsp_colour x) {
    return (rsp_colour){1 - 0.2 * (1 - x.r), 1 - 0.2 * (1 - x.g), 1 - 0.2 * (1 - x.b)};
}

static void segment(chart *c, const columns *k, const piece *p, double x0, double x1, double top) {
    const rsp_published_row *r = p->row;
    double width = x1 - x0, gap = fmin(GAP, width / 2); /* a sliver stays to be seen */
    rsp_box box = {x0 + gap / 2, top, width - gap, BAR};
    if (!(width > 0)) return;
    chart_state state = chart_state_of(r);
    if (!chart_known(r)) {
        chart_mark_state(c, box, state);
        return;
    }
    bool low = state == CHART_LOW_BASE;
    rsp_colour colour = answer_colour(c, p->first, p->last), fill = low ? paler(colour) : colour;
    rsp_shape *s = rsp_scene_rect(c->s, box, fill);
    s->stroke = !low ? c->theme->ink : rsp_contrast(colour, c->theme->paper) < 1.5 ? c->theme->hidden : colour;
    s->stroke_width = low ? 1.2 : 0.35;
    if (low) c->used[CHART_LOW_BASE] = true;
    segment_label(c, k, r, x0, x1, top + BAR / 2, fill);
}

static double share_of(const piece *p, double each) {
    return chart_known(p->row) ? p->row->estimate : p->row ? each : 0;
}

static size_t count_hidden(const piece *all, size_t n) {
    size_t hidden = 0;
    for (size_t j = 0; j < n; j++) hidden += all[j].row && !chart_known(all[j].row);
    return hidden;
}

/* What is hidden lies between what is shown: the rest of the bar is shared out evenly among the hidden answers. */
static void bar(chart *c, const chart_row *row, const columns *k, double top) {
    size_t n;
    const piece *all = pieces(c, row, &n);
    double known = shares(all, n, 0, c->data.n_columns), hidden = (double) count_hidden(all, n);
    double each = hidden > 0 ? fmax(0, 1 - known) / hidden : 0, total = known + each * hidden, at = k->bar0;
    if (known == 0 && hidden == 0) {
        chart_mark_state(c, (rsp_box){k->bar0, top, k->bar1 - k->bar0, BAR}, CHART_NO_DATA);
        return;
    }
    for (size_t j = 0; j < n && total > 0; j++) {
        double to = at + (k->bar1 - k->bar0) * share_of(&all[j], each) / total;
        segment(c, k, &all[j], at, to, top);
        at = to;
    }
}

/* A side of a diverging bar from zero outwards; hidden answers share what the shown ones of all leave. */
static double side(chart *c, const piece *p, const columns *k, double at, double direction, double each, double top) {
    double to = at + direction * share_of(p, each) * k->unit;
    segment(c, k, p, fmin(at, to), fmax(at, to), top);
    return to;
}

static void diverging_bar(chart *c, const chart_row *row, const columns *k, double top) {
    size_t n = c->data.n_columns, half = n / 2, n_pieces;
    const piece *all = pieces(c, row, &n_pieces);
    double known = shares(all, n_pieces, 0, n), hidden = (double) count_hidden(all, n_pieces);
    double each = hidden > 0 ? fmax(0, 1 - known) / hidden : 0, at = k->zero;
    if (known == 0 && hidden == 0) {
        chart_mark_state(c, (rsp_box){k->bar0, top, k->neutral0 - 8 - k->bar0, BAR}, CHART_NO_DATA);
        return;
    }
    for (size_t j = n_pieces; j-- > 0;)
        if (all[j].last < half) at = side(c, &all[j], k, at, -1, each, top);
    at = k->zero;
    for (size_t j = 0; j < n_pieces; j++)
        if (all[j].first >= n - half) at = side(c, &all[j], k, at, 1, each, top);
    for (size_t j = 0; j < n_pieces; j++)
        if (all[j].first == half && half < n - half) side(c, &all[j], k, k->neutral0, 1, each, top);
}

static void net_dot(chart *c, const chart_axis *axis, const chart_row *row, const columns *k, double middle) {
    rsp_style style = chart_style(c, c->theme->value_size, row->pooled, c->theme->ink, RSP_ALIGN_RIGHT, 0);
    chart_state state = chart_state_of(row->net);
    if (!row->net) return;
    if (!chart_known(row->net)) {
        chart_mark_state(c, (rsp_box){k->net0, middle - 5, k->net1 - k->net0, 10}, state);
        return;
    }
    chart_dot(c, axis, row->net, middle, row->own ? c->theme->own : c->theme->accent,
              row->pooled ? CHART_DIAMOND : CHART_DOT);
    chart_text_middle(c, k->net_text, middle,
                      rsp_say(c->t, c->a, "net_value", (rsp_arg[]){{"x", NULL, row->net->estimate}}, 1), style);
}

/* The grey bar has the scale of the others, so that lengths compare. */
static void missing_bar(chart *c, const chart_row *row, const columns *k, double top) {
    rsp_style style = chart_style(c, c->theme->value_size, false, c->theme->muted, RSP_ALIGN_LEFT, 0);
    if (!row->missing) return;
    if (!chart_known(row->missing)) {
        chart_mark_state(c, (rsp_box){k->missing0, top + 2, 22, BAR - 4}, chart_state_of(row->missing));
        return;
    }
    double width = fmin((k->bar1 - k->bar0) * row->missing->estimate, 20);
    rsp_shape *s = rsp_scene_rect(c->s, (rsp_box){k->missing0, top, fmax(width, 0.5), BAR}, c->theme->dont_know);
    s->stroke = c->theme->muted;
    s->stroke_width = 0.35;
    chart_text_middle(c, k->missing0 + width + 4, top + BAR / 2, rsp_say_percent(c->t, c->a, row->missing->estimate, 0),
                      style);
}

static rsp_shape *words_above(chart *c, double x, double bottom, double width, rsp_align align, const char *words) {
    rsp_shape *t = chart_text(c, x, 0, words, chart_style(c, 8, false, c->theme->muted, align, width));
    t->box.y = bottom - t->box.h;
    return t;
}

static rsp_shape *heading(chart *c, double x, double bottom, double width, rsp_align align, const char *key) {
    return words_above(c, x, bottom, width, align, rsp_say(c->t, c->a, key, NULL, 0));
}

static double words_height(const chart *c, double width, const char *words) {
    rsp_style s = chart_style(c, 8, false, c->theme->muted, RSP_ALIGN_LEFT, width);
    return rsp_text_extent(words, &s).h;
}

static double heading_height(const chart *c, double width, const char *key) {
    return words_height(c, width, rsp_say(c->t, c->a, key, NULL, 0));
}

static double neutral_width(const columns *k) { return fmax(44, k->bar1 - k->neutral0); }

static void headings(chart *c, const columns *k) {
    double height = 0;
    if (c->data.has_net) height = fmax(height, heading_height(c, k->net_text - k->net0, chart_net_heading(c)));
    if (c->data.has_missing) height = fmax(height, heading_height(c, MISSING, "dont_know_heading"));
    if (chart_shows_n(c)) height = fmax(height, heading_height(c, 30, "n_heading"));
    if (has_neutral(c)) height = fmax(height, heading_height(c, neutral_width(k), "neutral_heading"));
    if (k->plain) height = fmax(height, words_height(c, 0, "%"));
    double bottom = c->y + height;
    if (k->plain) words_above(c, k->bar0, bottom, 0, RSP_ALIGN_LEFT, "%");
    if (c->data.has_net) heading(c, k->net0, bottom, k->net_text - k->net0, RSP_ALIGN_LEFT, chart_net_heading(c));
    if (c->data.has_missing) heading(c, k->missing0, bottom, MISSING, RSP_ALIGN_LEFT, "dont_know_heading");
    if (chart_shows_n(c)) heading(c, k->n, bottom, 0, RSP_ALIGN_RIGHT, "n_heading");
    if (has_neutral(c)) heading(c, k->neutral0, bottom, neutral_width(k), RSP_ALIGN_LEFT, "neutral_heading");
    c->y = bottom + (height > 0 ? 4 : 0);
}

/* The scale of net agreement: the same to both sides of zero, as wide as the widest interval. */
static double most_net(const chart *c) {
    double most = 0.1;
    for (size_t r = 0; r < c->data.n_rows; r++) {
        const rsp_published_row *x = c->data.rows[r].net;
        if (!chart_known(x)) continue;
        most = fmax(most, fabs(x->estimate));
        if (!isnan(x->lower) && !isnan(x->upper)) most = fmax(most, fmax(fabs(x->lower), fabs(x->upper)));
    }
    return most;
}

/* The answers in their order, a pair after its second where one is shown. */
static void answers_key(chart *c) {
    size_t n = 0;
    rsp_colour *colours = RSP_ARRAY(c->a, rsp_colour, c->data.n_columns + 2);
    const char **words = RSP_ARRAY(c->a, const char *, c->data.n_columns + 2);
    for (size_t k = 0; k < c->data.n_columns; k++) {
        colours[n] = answer_colour(c, k, k);
        words[n++] = c->data.columns[k];
        if ((k != 1 || !c->data.has_pair[0]) && (k != 4 || !c->data.has_pair[1])) continue;
        colours[n] = answer_colour(c, k - 1, k);
        words[n++] = rsp_printf(c->a, "%s / %s", c->data.columns[k - 1], c->data.columns[k]);
    }
    chart_key(c, n, colours, words, NULL);
}

void chart_draw_agreement(chart *c) {
    answers_key(c);
    columns k = lay_columns(c);
    headings(c, &k);
    double most = most_net(c);
    chart_axis axis = {.from = -most, .to = most, .x0 = k.net0 + 4, .x1 = k.net1 - 4};
    double top = c->y;
    for (size_t r = 0; r < c->data.n_rows; r++) {
        const chart_row *row = &c->data.rows[r];
        chart_section(c, r);
        double h = chart_row_height(c, r, k.label, BAR + 6), middle = c->y + h / 2;
        chart_row_label(c, r, k.label, h);
        if (diverging(c)) diverging_bar(c, row, &k, middle - BAR / 2);
        else bar(c, row, &k, middle - BAR / 2);
        net_dot(c, &axis, row, &k, middle);
        missing_bar(c, row, &k, middle - BAR / 2);
        double n = chart_row_n(c, row);
        if (chart_shows_n(c) && !isnan(n))
            chart_text_middle(c, k.n, middle, rsp_say_number(c->t, c->a, n, 0),
                              chart_style(c, c->theme->value_size, false, c->theme->muted, RSP_ALIGN_RIGHT, 0));
        c->y += h;
    }
    if (diverging(c)) rsp_scene_line(c->s, k.zero, top - 2, k.zero, c->y, c->theme->ink, 0.9);
    if (c->data.has_net) {
        double zero = chart_axis_at(&axis, 0);
        rsp_scene_line(c->s, zero, top, zero, c->y, c->theme->rule, 0.8)->layer = 0;
    }
}
