/* A ranking: the share that placed each choice, and its mean place among those who did, both with intervals. Choices
 * that a test cannot tell apart share a band, so that nobody reads a rank into chance. Where every share is 100 % as it would
 * be printed, the places alone tell something. */
#include "chart.h"

#include <math.h>
#include <string.h>

static const double SHOWN_AS_ALL = 0.995;
static const double ROW = 17, VALUE = 34, AXIS = 18 /* the numbers above */;

/* ---- rows --------------------------------------------------------------------------------------------------------- */

static const rsp_published_row *find_rank(const chart *c, const rsp_published_row *share) {
    return rsp_published_find(c->p->results, share->analysis, share->domain, share->term, share->level, "mean_rank");
}

const rsp_published_row *chart_choice_test(const chart *c, const rsp_published_row *a, const rsp_published_row *b,
                                           bool *above) {
    const char *levels[] = {rsp_printf(c->a, "%s-%s", a->level, b->level),
                            rsp_printf(c->a, "%s-%s", b->level, a->level)};
    for (int k = 0; k < 2; k++) {
        const rsp_published_row *d =
            rsp_published_find(c->p->results, a->analysis, a->domain, a->term, levels[k], "choice_difference");
        if (!chart_known(d) || isnan(d->p_adj)) continue;
        *above = k ? d->estimate < 0 : d->estimate > 0;
        return d;
    }
    return NULL;
}

/* Is `upper` placed by a larger share than `lower`, by a test of this run? */
static bool tested_above(const chart *c, const rsp_published_row *upper, const rsp_published_row *lower, bool *any) {
    bool above = false;
    const rsp_published_row *d = chart_choice_test(c, upper, lower, &above);
    if (!d) return false;
    *any = true;
    return above && d->p_adj < 0.05;
}

/* A choice begins a band where it lies below the first of the band before; hidden ones stay in the last. */
static void find_groups(chart *c) {
    size_t first = 0, group = 0;
    for (size_t r = 0; r < c->data.n_rows; r++) {
        chart_row *row = &c->data.rows[r];
        const rsp_published_row *top = c->data.rows[first].cells[0];
        if (r > first && chart_known(row->cells[0]) && chart_known(top) &&
            tested_above(c, top, row->cells[0], &c->data.grouped)) {
            first = r;
            group++;
        }
        row->group = group;
    }
}

/* The least share of respondents that placed a choice, as far as shares are known; 0: none is. */
static double least_placed(const chart *c) {
    double least = NAN;
    for (size_t r = 0; r < c->data.n_rows; r++)
        if (chart_known(c->data.rows[r].cells[0])) least = fmin(least, c->data.rows[r].cells[0]->estimate);
    return isnan(least) ? 0 : least;
}

static void keep_places(chart *c, bool everybody) {
    c->data.note = rsp_say(c->t, c->a, everybody ? "ranking_all" : "ranking_nearly_all", NULL, 0);
    c->data.statistic = "mean_rank";
    c->data.n_columns = 1;
    for (size_t r = 0; r < c->data.n_rows; r++) {
        chart_row *row = &c->data.rows[r];
        row->cells[0] = row->cells[1];
        row->order = chart_known(row->cells[0]) ? -row->cells[0]->estimate : NAN;
    }
}

bool chart_collect_ranking(chart *c) {
    size_t from, to, v = c->x->table.n_items ? c->x->table.items[0] : RSP_NONE, country = c->p->study->roles.country;
    if (v == RSP_NONE || (c->country && country == RSP_NONE)) return false;
    const char *domain = c->country ? rsp_domain_text(c->a, 1, &c->p->study->variables[country].name, &c->country) : "";
    if (!rsp_published_range(c->p->results, c->spec->analysis, &from, &to)) return false;
    c->data.statistic = "proportion";
    c->data.n_columns = 2;
    for (size_t i = from; i < to; i++) {
        const rsp_published_row *r = rsp_published_at(c->p->results, i);
        if (strcmp(r->domain, domain) != 0 || strcmp(r->term, c->p->study->variables[v].name) != 0 ||
            strcmp(r->statistic, "proportion") != 0)
            continue;
        chart_row *row = chart_add_row(c, 2);
        row->cells[0] = r;
        row->cells[1] = find_rank(c, r);
        row->code = r->level;
        row->label = rsp_label_level(c->l, c->a, r);
        if (chart_known(r)) row->order = r->estimate;
    }
    double placed = least_placed(c);
    bool places_alone = placed >= SHOWN_AS_ALL;
    if (places_alone) keep_places(c, placed == 1);
    chart_settle(c);
    if (!places_alone && !c->p->preliminary && !chart_not_comparable(&c->data))
        find_groups(c); /* before the freeze no verdict */
    return c->data.n_rows > 0;
}

/* ---- drawing ------------------------------------------------------------------------------------------------------ */

typedef struct {
    chart_axis axis;
    double value; /* right edge of the numbers */
    size_t column;
    bool places;
    const char *heading;
} panel;

static chart_axis axis_of(const chart *c, size_t column, bool places, double x0, double x1) {
    double low = NAN, high = NAN;
    for (size_t r = 0; r < c->data.n_rows; r++) {
        const rsp_published_row *x = c->data.rows[r].cells[column];
        if (!chart_known(x)) continue;
        low = fmin(low, isnan(x->lower) ? x->estimate : x->lower);
        high = fmax(high, isnan(x->upper) ? x->estimate : x->upper);
    }
    if (isnan(low)) low = 0, high = 1;
    return chart_axis_make(places ? fmin(low, 1) : 0, high, x0, x1, false);
}

/* Places are no shares: axis and text follow the statistic. */
static void as(chart *c, const panel *p) { c->data.statistic = p->places ? "mean_rank" : "proportion"; }

static const char *value_text(const chart *c, const panel *p, double x) {
    return p->places ? rsp_say_number(c->t, c->a, x, 1) : chart_value(c, x);
}

static void plot(chart *c, const panel *p, const chart_row *row, double middle) {
    const rsp_published_row *r = row->cells[p->column];
    if (!chart_known(r)) {
        chart_mark_state(c, (rsp_box){p->axis.x0, middle - 3.5, 34, 7}, chart_state_of(r));
        return;
    }
    chart_dot(c, &p->axis, r, middle, p->places ? c->theme->categorical[1] : c->theme->accent,
              p->places ? CHART_SQUARE : CHART_DOT);
    chart_text_middle(c, p->value, middle, value_text(c, p, r->estimate),
                      chart_style(c, c->theme->value_size, false, c->theme->ink, RSP_ALIGN_RIGHT, 0));
}

static void headings(chart *c, panel *panels, size_t n) {
    double tall = 0;
    rsp_style style = chart_style(c, 8, false, c->theme->muted, RSP_ALIGN_LEFT, 0);
    for (size_t k = 0; k < n; k++) {
        style.width = panels[k].value - panels[k].axis.x0;
        tall = fmax(tall, rsp_text_extent(panels[k].heading, &style).h);
    }
    for (size_t k = 0; k < n; k++) {
        style.width = panels[k].value - panels[k].axis.x0;
        rsp_shape *t = chart_text(c, panels[k].axis.x0, c->y, panels[k].heading, style);
        t->box.y = c->y + tall - t->box.h;
    }
    c->y += tall + AXIS;
}

/* Every second band of choices that cannot be told apart lies on a light ground, with a bar beside its names. */
static void band(chart *c, size_t r, double x, double top, double height) {
    const chart_row *row = &c->data.rows[r];
    if (!c->data.grouped) return;
    if (row->group % 2 == 0) {
        rsp_box box = {c->left, top, c->right - c->left, height};
        rsp_scene_rect(c->s, box, rsp_theme_between(c->theme->sequential, RSP_N_SEQUENTIAL, 0))->layer = 0;
    }
    bool alone = (r == 0 || row[-1].group != row->group) && (r + 1 == c->data.n_rows || row[1].group != row->group);
    if (!alone) rsp_scene_line(c->s, x, top + 1, x, top + height - 1, c->theme->ink, 1.6);
}

/* Shares and places, or places alone; how many. */
static size_t make_panels(const chart *c, double x0, panel panels[2]) {
    double half = (c->right - x0 - 16) / 2, middle = x0 + half + 16, end = c->right - VALUE;
    if (c->data.n_columns == 1) { /* the subtitle says what it shows */
        panels[0] = (panel){axis_of(c, 0, true, x0, end), c->right, 0, true, NULL};
        return 1;
    }
    const char *share = rsp_say(c->t, c->a, "ranking_share", NULL, 0),
               *mean = rsp_say(c->t, c->a, "ranking_mean", NULL, 0);
    panels[0] = (panel){axis_of(c, 0, false, x0, x0 + half - VALUE), x0 + half, 0, false, share};
    panels[1] = (panel){axis_of(c, 1, true, middle, end), c->right, 1, true, mean};
    return 2;
}

void chart_draw_ranking(chart *c) {
    double label = chart_label_width(c, (c->right - c->left) * 0.36), x0 = c->left + label + 14;
    panel panels[2];
    size_t n = make_panels(c, x0, panels);
    if (n == 2) headings(c, panels, n);
    else c->y += AXIS;
    double top = c->y;
    for (size_t r = 0; r < c->data.n_rows; r++) {
        double h = chart_row_height(c, r, label, ROW);
        band(c, r, x0 - 8, c->y, h);
        chart_row_label(c, r, label, h);
        for (size_t k = 0; k < n; k++) plot(c, &panels[k], &c->data.rows[r], c->y + h / 2);
        c->y += h;
    }
    for (size_t k = n; k-- > 0;) {
        as(c, &panels[k]);
        chart_axis_draw(c, &panels[k].axis, top, c->y + 2);
    }
    const char *order = rsp_say(c->t, c->a, c->data.grouped ? "ranking_groups" : "ranking_no_groups", NULL, 0);
    c->data.note = c->data.note ? rsp_printf(c->a, "%s %s", c->data.note, order) : order;
}
