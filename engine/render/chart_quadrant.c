/* Importance against performance: how respondents rate a factor (across), how much of the outcome it explains (up), with
 * the intervals of both and the factor's name beside its mark. */
#include "chart.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { BAND = 20, TICK_ROOM = 18, MOST_RINGS = 14, WIDEST_NAME = 110, TALLEST_NAME = 52, TAG_ROOM = 18 };
static const double MARK = 3.6, SHARE_OF_WIDTH = 0.66;

/* ---- rows --------------------------------------------------------------------------------------------------------- */

static const rsp_published_row *find(const chart *c, const char *domain, const char *term, const char *statistic) {
    return rsp_published_find(c->p->results, c->x->id, domain, term, "", statistic);
}

/* Is the factor associated with the outcome beside the others? */
static bool has_own_part(const chart *c, const char *term) {
    static const char *const roles[] = {"own", "suppressed"};
    for (size_t k = 0; k < 2; k++)
        if (rsp_published_find(c->p->results, c->x->id, "", term, roles[k], "role")) return true;
    return false;
}

static const char *own_domain(const chart *c) {
    size_t v = c->p->study->roles.country;
    return c->country ? rsp_domain_text(c->a, 1, &c->p->study->variables[v].name, &c->country) : "";
}

/* The factors above average importance that lie on one side of zero, as a list of names. */
static const char *side_list(const chart *c, double average, bool enables) {
    const char *list = NULL;
    for (size_t r = 0; r < c->data.n_rows; r++) {
        const chart_row *x = &c->data.rows[r];
        if (x->cells[0]->estimate <= average || (x->net->estimate > 0) != enables) continue;
        list = list ? rsp_printf(c->a, "%s; %s", list, x->label) : x->label;
    }
    return list;
}

/* Of the factors that share what is explained: not of those set aside. */
double chart_average_share(const chart *c) {
    const rsp_drivers *d = &c->x->model.drivers;
    size_t n = 0;
    for (size_t k = 0; k < d->n_factors; k++) {
        const rsp_published_row *r = rsp_published_find(
            c->p->results, c->x->id, "", c->p->study->variables[d->factors[k]].name, "", "explained_share");
        n += r && !(r->flags & (RSP_F_UNANSWERED | RSP_F_CONSTANT));
    }
    return n ? 1 / (double) n : 0;
}

/* Factors with a part of their own whose higher values go with a lower outcome: their place says how they are rated, which
 * must not be read as what they do. */
static const char *negative_list(const chart *c) {
    const char *list = NULL;
    for (size_t r = 0; r < c->data.n_rows; r++) {
        const chart_row *x = &c->data.rows[r];
        const rsp_published_row *b = find(c, "", x->code, "coefficient");
        if (!has_own_part(c, x->code) || !chart_known(b) || b->estimate >= 0) continue;
        list = list ? rsp_printf(c->a, "%s, %s", list, x->label) : x->label;
    }
    return list;
}

static const char *with_note(const chart *c, const char *note, const char *key, const char *factors) {
    if (!factors) return note;
    return rsp_printf(c->a, "%s%s%s", note, *note ? " " : "",
                      rsp_say(c->t, c->a, key, (rsp_arg[]){{"factors", factors, 0}}, 1));
}

static void add_words(chart *c, const char *missing) {
    const char *up = side_list(c, chart_average_share(c), true), *down = side_list(c, chart_average_share(c), false);
    const char *none = rsp_say(c->t, c->a, "quadrant_nobody", NULL, 0);
    c->data.alt = rsp_say(c->t, c->a, "quadrant_alt",
                          (rsp_arg[]){{"enables", up ? up : none, 0}, {"blocks", down ? down : none, 0}}, 2);
    const char *note = c->country
                           ? rsp_say(c->t, c->a, "quadrant_note_country",
                                     (rsp_arg[]){{"in_country", rsp_label_in_country(c->l, c->a, c->country), 0}}, 1)
                           : "";
    note = with_note(c, note, "quadrant_negative", negative_list(c));
    note = with_note(c, note, "quadrant_missing", missing);
    if (*note) c->data.note = note;
}

bool chart_collect_quadrant(chart *c) {
    const rsp_drivers *d = &c->x->model.drivers;
    const char *domain = own_domain(c), *missing = NULL;
    c->data.statistic = "explained_share";
    c->data.n_columns = 1;
    for (size_t k = 0; k < d->n_factors; k++) {
        const char *name = c->p->study->variables[d->factors[k]].name;
        const rsp_published_row *share = find(c, "", name, "explained_share"), *net = find(c, domain, name, "net");
        const char *label = rsp_variable_label(c->p->study, d->factors[k], rsp_texts_lang(c->t));
        if (!chart_known(share) || !chart_known(net)) {
            missing = missing ? rsp_printf(c->a, "%s, %s", missing, label) : label;
            continue;
        }
        chart_row *r = chart_add_row(c, 1);
        r->label = label;
        r->cells[0] = share;
        r->net = net;
        r->code = name;
    }
    if (c->data.n_rows) add_words(c, missing);
    return c->data.n_rows > 0;
}

/* ---- plane -------------------------------------------------------------------------------------------------------- */

typedef struct {
    rsp_box box;
    chart_axis across, up; /* `up` runs from the bottom (x0) to the top (x1) */
} plane;

static double low_end(const rsp_published_row *r) { return isnan(r->lower) ? r->estimate : r->lower; }
static double high_end(const rsp_published_row *r) { return isnan(r->upper) ? r->estimate : r->upper; }

static const char *share_text(const chart *c, double x) { return rsp_say_percent(c->t, c->a, x, 0); }

static const char *net_text(const chart *c, double x) {
    return rsp_say(c->t, c->a, "net_value", (rsp_arg[]){{"x", NULL, x}}, 1);
}

/* Even steps may end far beyond the data: the scale ends where these do, with some room for names. */
static void narrow(chart_axis *x, double from, double to) {
    size_t n = 0;
    x->from = fmax(x->from, from);
    x->to = fmin(x->to, to);
    for (size_t k = 0; k < x->n_ticks; k++)
        if (x->ticks[k] >= x->from - 1e-9 && x->ticks[k] <= x->to + 1e-9) x->ticks[n++] = x->ticks[k];
    x->n_ticks = n;
}

static plane make_plane(chart *c) {
    double low = -0.05, high = 0.05, most = chart_average_share(c);
    for (size_t r = 0; r < c->data.n_rows; r++) {
        low = fmin(low, low_end(c->data.rows[r].net));
        high = fmax(high, high_end(c->data.rows[r].net));
        most = fmax(most, high_end(c->data.rows[r].cells[0]));
    }
    rsp_style style = chart_style(c, 8, false, c->theme->muted, RSP_ALIGN_RIGHT, 0);
    double ticks = rsp_text_extent(share_text(c, 1), &style).w + 6;
    plane p = {.box = {c->left + ticks, c->y, c->right - c->left - ticks, 0}};
    p.box.h = p.box.w * SHARE_OF_WIDTH;
    p.across = chart_axis_make(low, high, p.box.x + 6, p.box.x + p.box.w - 6, false);
    narrow(&p.across, low - 0.1 * (high - low), high + 0.1 * (high - low));
    p.up = chart_axis_make(0, most, p.box.y + p.box.h - BAND, p.box.y + BAND, false);
    return p;
}

static rsp_shape *grid_line(chart *c, double x0, double y0, double x1, double y1, rsp_colour colour, double width) {
    rsp_shape *s = rsp_scene_line(c->s, x0, y0, x1, y1, colour, width);
    s->layer = 0;
    return s;
}

static void draw_grid(chart *c, const plane *p) {
    rsp_style centre = chart_style(c, 8, false, c->theme->muted, RSP_ALIGN_CENTRE, 0),
              right = chart_style(c, 8, false, c->theme->muted, RSP_ALIGN_RIGHT, 0);
    double bottom = p->box.y + p->box.h, end = p->box.x + p->box.w;
    rsp_shape *frame = rsp_scene_rect(c->s, p->box, c->theme->paper);
    frame->stroke = c->theme->rule;
    frame->stroke_width = 0.6;
    frame->layer = 0;
    for (size_t k = 0; k < p->across.n_ticks; k++) {
        double x = chart_axis_at(&p->across, p->across.ticks[k]);
        grid_line(c, x, p->box.y, x, bottom, c->theme->grid, 0.7);
        chart_text(c, x, bottom + 3, net_text(c, p->across.ticks[k]), centre);
    }
    for (size_t k = 0; k < p->up.n_ticks; k++) {
        double y = chart_axis_at(&p->up, p->up.ticks[k]);
        grid_line(c, p->box.x, y, end, y, c->theme->grid, 0.7);
        chart_text_middle(c, p->box.x - 5, y, share_text(c, p->up.ticks[k]), right);
    }
    double zero = chart_axis_at(&p->across, 0), middle = chart_axis_at(&p->up, chart_average_share(c));
    grid_line(c, zero, p->box.y, zero, bottom, c->theme->ink, 0.9);
    grid_line(c, p->box.x, middle, end, middle, c->theme->ink, 0.9)->dashed = true;
}

/* What each corner means, in bands of their own at the top and the bottom, unless the side is too narrow for the words, where
 * no factor lies; the axes' names below. */
static void draw_corners(chart *c, const plane *p) {
    static const char *const keys[] = {"quadrant_block_more", "quadrant_enable_more", "quadrant_block_less",
                                       "quadrant_enable_less"};
    double width = p->box.w / 2 - 10, zero = chart_axis_at(&p->across, 0);
    for (size_t k = 0; k < 4; k++) {
        bool right = k & 1, below = k > 1;
        rsp_style style = chart_style(c, 8, true, c->theme->muted, right ? RSP_ALIGN_RIGHT : RSP_ALIGN_LEFT, width);
        const char *words = rsp_say(c->t, c->a, keys[k], NULL, 0);
        double room = (right ? p->box.x + p->box.w - zero : zero - p->box.x) - 8;
        if (rsp_text_extent(words, &style).w > room) continue;
        double y = below ? p->box.y + p->box.h - BAND / 2.0 : p->box.y + BAND / 2.0;
        chart_text_middle(c, right ? p->box.x + p->box.w - 5 : p->box.x + 5, y, words, style);
    }
    rsp_style plain = chart_style(c, 8, false, c->theme->ink, RSP_ALIGN_CENTRE, p->box.w);
    rsp_shape *t = chart_text(c, p->box.x + p->box.w / 2, p->box.y + p->box.h + TICK_ROOM,
                              rsp_say(c->t, c->a, "quadrant_across", NULL, 0), plain);
    c->y = t->box.y + t->box.h;
}

/* ---- marks and names ---------------------------------------------------------------------------------------------- */

typedef struct {
    double x, y, left, right, top, bottom; /* the point, the ends of its intervals */
} point;

static point point_of(const plane *p, const chart_row *r) {
    return (point){chart_axis_at(&p->across, r->net->estimate),  chart_axis_at(&p->up, r->cells[0]->estimate),
                   chart_axis_at(&p->across, low_end(r->net)),   chart_axis_at(&p->across, high_end(r->net)),
                   chart_axis_at(&p->up, high_end(r->cells[0])), chart_axis_at(&p->up, low_end(r->cells[0]))};
}

static void draw_mark(chart *c, const chart_row *r, const point *at) {
    bool own = has_own_part(c, r->code);
    rsp_colour colour = own ? c->theme->accent : c->theme->hidden;
    c->intervals = true;
    rsp_scene_line(c->s, at->left, at->y, at->right, at->y, colour, 0.9);
    rsp_scene_line(c->s, at->x, at->top, at->x, at->bottom, colour, 0.9);
    rsp_shape *s = own ? rsp_scene_circle(c->s, at->x, at->y, MARK, colour)
                       : rsp_scene_rect(c->s, (rsp_box){at->x - MARK, at->y - MARK, 2 * MARK, 2 * MARK}, colour);
    if (chart_state_of(r->net) != CHART_LOW_BASE && chart_state_of(r->cells[0]) != CHART_LOW_BASE) return;
    c->used[CHART_LOW_BASE] = true;
    s->fill = c->theme->paper;
    s->stroke = colour;
    s->stroke_width = 1.4;
}

static double overlap(rsp_box a, rsp_box b) {
    double w = fmin(a.x + a.w, b.x + b.w) - fmax(a.x, b.x), h = fmin(a.y + a.h, b.y + b.h) - fmax(a.y, b.y);
    return w > 0 && h > 0 ? w * h : 0;
}

/* Length of a line within a box; lines run across or up. */
static double hidden(rsp_box box, double x0, double y0, double x1, double y1) {
    return overlap(box, (rsp_box){x0 - 0.7, y0 - 0.7, x1 - x0 + 1.4, y1 - y0 + 1.4}) / 1.4;
}

/* Where the line from a mark to its name ends. */
static point tie_of(const point *at, rsp_box box) {
    return (point){.x = fmin(fmax(at->x, box.x), box.x + box.w), .y = fmin(fmax(at->y, box.y), box.y + box.h)};
}

/* Does the line between two points run through the box? Looked at every few points of it. */
static bool runs_through(const point *from, const point *to, rsp_box box) {
    enum { LOOKS = 24 };
    for (int k = 1; k < LOOKS; k++) {
        double part = k / (double) LOOKS, x = from->x + part * (to->x - from->x),
               y = from->y + part * (to->y - from->y);
        if (x > box.x && x < box.x + box.w && y > box.y && y < box.y + box.h) return true;
    }
    return false;
}

/* Names and the lines to them stay clear of each other. */
static double tangle(const point *points, size_t own, const rsp_box *names, rsp_box box) {
    point end = tie_of(&points[own], box);
    double cost = 0;
    for (size_t k = 0; k < own; k++) {
        point other = tie_of(&points[k], names[k]);
        cost += runs_through(&points[own], &end, names[k]) || runs_through(&points[k], &other, box) ? 60 : 0;
    }
    return cost;
}

/* What a name in this box would hide: other names and marks are out of the question, lines a nuisance. */
static double cost_of(rsp_box box, const plane *p, const point *points, size_t n, const rsp_box *names, size_t n_names,
                      double lines[2]) {
    double length = 0;
    rsp_box wide = {box.x - 2, box.y - 1, box.w + 4, box.h + 2};
    if (box.x < p->box.x + 2 || box.x + box.w > p->box.x + p->box.w - 2 || box.y < p->box.y + BAND ||
        box.y + box.h > p->box.y + p->box.h - BAND)
        return INFINITY;
    for (size_t k = 0; k < n_names; k++)
        if (overlap(wide, names[k]) > 0) return INFINITY;
    for (size_t k = 0; k < n; k++) {
        const point *q = &points[k];
        double reach = MARK + 1.5;
        if (overlap(box, (rsp_box){q->x - reach, q->y - reach, 2 * reach, 2 * reach}) > 0) return INFINITY;
        length += hidden(wide, q->left, q->y, q->right, q->y) + hidden(wide, q->x, q->top, q->x, q->bottom);
    }
    length += hidden(wide, lines[0], p->box.y, lines[0], p->box.y + p->box.h);
    length += hidden(wide, p->box.x, lines[1], p->box.x + p->box.w, lines[1]);
    return length > 0 ? 12 + length : 0;
}

/* Places of a name around its point, nearest first: beside and between the arms of its intervals. False, and beside the
 * mark, where nothing is free. */
static bool place_name(const chart *c, const plane *p, const point *points, size_t own, rsp_box *names, rsp_box size) {
    static const double side[8][2] = {{1, -1}, {1, 1}, {-1, -1}, {-1, 1}, {1, 0}, {-1, 0}, {0, -1}, {0, 1}};
    const point *at = &points[own];
    double lines[2] = {chart_axis_at(&p->across, 0), chart_axis_at(&p->up, chart_average_share(c))}, least = INFINITY;
    rsp_box best = {at->x + MARK + 3, at->y - size.h / 2, size.w, size.h};
    for (int ring = 0; ring < MOST_RINGS && 3.0 * ring < least; ring++)
        for (int k = 0; k < 8; k++)
            for (int turn = 0; turn <= (ring ? 1 : 0); turn++) { /* further out sideways, or up and down */
                double dx = MARK + (turn ? 1 : 1 + 5.0 * ring), dy = (k < 4 ? 1 : MARK + 1) + (turn ? 5.0 * ring : 0);
                double x = at->x + side[k][0] * (dx + size.w / 2), y = at->y + side[k][1] * (dy + size.h / 2);
                rsp_box box = {x - size.w / 2, y - size.h / 2, size.w, size.h};
                double cost = 3.0 * ring + 0.4 * k + cost_of(box, p, points, c->data.n_rows, names, own, lines);
                if (cost < least) cost += tangle(points, own, names, box);
                if (cost < least) least = cost, best = box;
            }
    names[own] = best;
    return isfinite(least);
}

/* A name away from its mark is tied to it by a thin line. */
static void tie(chart *c, const point *at, rsp_box box) {
    point end = tie_of(at, box);
    if (hypot(end.x - at->x, end.y - at->y) < MARK + 7) return;
    rsp_scene_line(c->s, at->x, at->y, end.x, end.y, c->theme->muted, 0.5)->dashed = true;
}

/* Names beside their marks. One that is too long, or finds no room, is a number there and stands below the plane: *tags
 * gets its number, 0 for the others. Returns how many there are. */
static size_t draw_names(chart *c, const plane *p, const point *points, size_t *tags) {
    size_t n = c->data.n_rows, tagged = 0;
    rsp_box *names = rsp_malloc((n + 1) * sizeof *names);
    for (size_t r = 0; r < n; r++) {
        const char *words = c->data.rows[r].label;
        rsp_style style = chart_style(c, c->theme->value_size, false, c->theme->ink, RSP_ALIGN_LEFT, 0);
        rsp_box size = rsp_text_extent(words, &style);
        if (size.w > WIDEST_NAME) { /* long names take several lines */
            style.width = WIDEST_NAME;
            size = rsp_text_extent(words, &style);
        }
        if (size.h > TALLEST_NAME || !place_name(c, p, points, r, names, size)) {
            tags[r] = ++tagged;
            style.width = 0;
            style.bold = true;
            words = rsp_say_number(c->t, c->a, (double) tagged, 0);
            place_name(c, p, points, r, names, rsp_text_extent(words, &style));
        }
        tie(c, &points[r], names[r]);
        chart_text(c, names[r].x, names[r].y, words, style);
    }
    free(names);
    return tagged;
}

/* What the numbers in the plane stand for. */
static void draw_tagged(chart *c, const size_t *tags, size_t n_tagged) {
    c->y += n_tagged ? 6 : 0;
    for (size_t r = 0; r < c->data.n_rows && n_tagged; r++) {
        if (!tags[r]) continue;
        rsp_style style = chart_style(c, c->theme->value_size, true, c->theme->ink, RSP_ALIGN_LEFT, 0);
        chart_text(c, c->left, c->y, rsp_say_number(c->t, c->a, (double) tags[r], 0), style);
        style.bold = false;
        style.width = c->right - c->left - TAG_ROOM;
        c->y += chart_text(c, c->left + TAG_ROOM, c->y, c->data.rows[r].label, style)->box.h + 3;
    }
}

/* ---- all ---------------------------------------------------------------------------------------------------------- */

static void draw_key(chart *c) {
    rsp_colour colours[2] = {c->theme->accent, c->theme->hidden};
    chart_mark marks[2] = {CHART_DOT, CHART_SQUARE};
    const char *words[2] = {rsp_say(c->t, c->a, "quadrant_own", NULL, 0),
                            rsp_say(c->t, c->a, "quadrant_shared", NULL, 0)};
    chart_key(c, 2, colours, words, marks);
}

void chart_draw_quadrant(chart *c) {
    draw_key(c);
    rsp_style style = chart_style(c, 8, false, c->theme->ink, RSP_ALIGN_LEFT, c->right - c->left);
    c->y += chart_text(c, c->left, c->y, rsp_say(c->t, c->a, "quadrant_up", NULL, 0), style)->box.h + 4;
    plane p = make_plane(c);
    point *points = rsp_malloc((c->data.n_rows + 1) * sizeof *points);
    draw_grid(c, &p);
    for (size_t r = 0; r < c->data.n_rows; r++) {
        points[r] = point_of(&p, &c->data.rows[r]);
        draw_mark(c, &c->data.rows[r], &points[r]);
    }
    size_t *tags = rsp_calloc(c->data.n_rows + 1, sizeof *tags), n_tagged = draw_names(c, &p, points, tags);
    draw_corners(c, &p);
    draw_tagged(c, tags, n_tagged);
    free(tags);
    free(points);
}
