/* How unequal weights are: respondents by the size of their weight, its mean being 1, in each group that is weighted by
 * itself. The classes come from the results; ends without enough respondents were joined to their neighbours there. */
#include "chart.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { PER_LINE = 3 };
static const double HEIGHT = 62;

typedef struct {
    double low, high; /* high infinite: open */
} class_limits;

/* "0.5-0.75", "5-". */
static class_limits limits_of(const char *level) {
    class_limits x = {NAN, INFINITY};
    const char *hyphen = strchr(level, '-');
    if (!hyphen) return x;
    rsp_parse_double(level, (size_t) (hyphen - level), '.', &x.low);
    if (hyphen[1]) rsp_parse_double(hyphen + 1, strlen(hyphen + 1), '.', &x.high);
    return x;
}

bool chart_collect_histogram(chart *c) {
    size_t from, to;
    if (c->country) return false; /* its panel stands among the others */
    if (!rsp_published_range(c->p->results, "weights", &from, &to)) return false;
    c->data.statistic = "weight_count";
    c->data.n_columns = 1;
    const char *domain = NULL;
    size_t cell = 0;
    for (size_t i = from; i < to; i++) {
        const rsp_published_row *r = rsp_published_at(c->p->results, i);
        if (strcmp(r->statistic, "weight_count") != 0) continue;
        if (!domain || strcmp(domain, r->domain) != 0) {
            chart_add_row(c, to - from)->label = chart_codes_label(c, r->domain);
            domain = r->domain;
            cell = 0;
        }
        c->data.rows[c->data.n_rows - 1].cells[cell++] = r;
        if (cell > c->data.n_columns) c->data.n_columns = cell;
    }
    return c->data.n_rows > 0;
}

/* Density: a class twice as wide is half as high for as many respondents, so that areas compare. The open class is as
 * wide as it begins away from 1. */
static const double END = 6;

static double density(const rsp_published_row *r, double total) {
    class_limits x = limits_of(r->level);
    double width = (isinf(x.high) ? fmax(END, x.low + 1) : x.high) - x.low;
    return chart_known(r) && width > 0 && total > 0 ? r->estimate / total / width : 0;
}

static double total_of(const chart *c, const chart_row *row) {
    double sum = 0;
    for (size_t k = 0; k < c->data.n_columns; k++)
        if (chart_known(row->cells[k])) sum += row->cells[k]->estimate;
    return sum;
}

static void panel(chart *c, const chart_row *row, rsp_box box, double most) {
    double total = total_of(c, row), scale = box.w / END;
    rsp_style small = chart_style(c, 8, false, c->theme->muted, RSP_ALIGN_CENTRE, 0);
    for (size_t k = 0; k < c->data.n_columns; k++) {
        const rsp_published_row *r = row->cells[k];
        if (!r) continue;
        class_limits x = limits_of(r->level);
        double x0 = box.x + fmin(x.low, END) * scale, x1 = box.x + fmin(x.high, END) * scale;
        double h = most > 0 ? box.h * density(r, total) / most : 0;
        if (!chart_known(r))
            chart_mark_state(c, (rsp_box){x0 + 0.5, box.y + box.h - 8, x1 - x0 - 1, 8}, chart_state_of(r));
        else if (h > 0)
            rsp_scene_rect(c->s, (rsp_box){x0 + 0.4, box.y + box.h - h, x1 - x0 - 0.8, h}, c->theme->accent);
    }
    double bottom = box.y + box.h, one = box.x + scale;
    rsp_scene_line(c->s, box.x, bottom, box.x + box.w, bottom, c->theme->rule, 0.8)->layer = 0;
    rsp_shape *mean = rsp_scene_line(c->s, one, box.y, one, bottom, c->theme->own, 1);
    mean->dashed = true;
    for (int tick = 0; tick <= (int) END - 1; tick++) {
        double x = box.x + scale * tick;
        const char *text = rsp_say_number(c->t, c->a, tick, 0);
        chart_text(c, tick ? x : x + 3, bottom + 2, text, small);
    }
}

void chart_draw_histogram(chart *c) {
    double most = 0, gap = 14, width = (c->right - c->left - (PER_LINE - 1) * gap) / PER_LINE;
    for (size_t r = 0; r < c->data.n_rows; r++)
        for (size_t k = 0; k < c->data.n_columns; k++)
            if (c->data.rows[r].cells[k])
                most = fmax(most, density(c->data.rows[r].cells[k], total_of(c, &c->data.rows[r])));
    for (size_t first = 0; first < c->data.n_rows; first += PER_LINE) {
        size_t n = c->data.n_rows - first < PER_LINE ? c->data.n_rows - first : PER_LINE;
        double tall = 0;
        const char *heads[PER_LINE];
        for (size_t k = 0; k < n; k++) {
            rsp_style style = chart_style(c, 8.5, true, c->theme->ink, RSP_ALIGN_LEFT, width);
            const chart_row *row = &c->data.rows[first + k];
            heads[k] = rsp_say(c->t, c->a, "series_base",
                               (rsp_arg[]){{"label", row->label, 0}, {"low", NULL, row->cells[0]->n}}, 2);
            tall = fmax(tall, rsp_text_extent(heads[k], &style).h);
        }
        for (size_t k = 0; k < n; k++) {
            double x = c->left + (double) k * (width + gap);
            rsp_shape *t =
                chart_text(c, x, 0, heads[k], chart_style(c, 8.5, true, c->theme->ink, RSP_ALIGN_LEFT, width));
            t->box.y = c->y + tall - t->box.h;
            panel(c, &c->data.rows[first + k], (rsp_box){x, c->y + tall + 5, width, HEIGHT}, most);
        }
        c->y += tall + 5 + HEIGHT + 22;
    }
    c->data.note = rsp_say(c->t, c->a, "histogram_note", NULL, 0);
}
