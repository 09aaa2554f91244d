/* A number in every cell, its ground the darker the higher; column heads on top, numbered where their words are too long. */
#include "chart.h"

#include <math.h>
#include <string.h>

static const double CELL = 17, LEAST_CELL = 17, MOST_CELL = 64;
static const double NARROW_CELL = 29, WIDE_CELL = 38; /* what labels leave, where they can: for numbers, for words */

typedef struct {
    double label, x0, cell;
    bool numbered;
} grid;

static double widest_word(const chart *c, const char *text) {
    rsp_style style = chart_style(c, 8, false, c->theme->muted, RSP_ALIGN_CENTRE, 0);
    double width = 0;
    for (const char *p = text; *p;) {
        size_t n = strcspn(p, " \t\n-");
        char *word = rsp_strndup(c->a, p, n);
        width = fmax(width, rsp_text_extent(word, &style).w);
        p += n + (p[n] != 0);
    }
    return width;
}

/* A head of at most five lines whose words are not broken. */
static bool fits_head(const chart *c, const char *text, double cell) {
    rsp_style style = chart_style(c, 8, false, c->theme->muted, RSP_ALIGN_CENTRE, cell - 2);
    return widest_word(c, text) <= cell - 3 && rsp_text_extent(text, &style).h <= 5 * 8 * 1.5;
}

static grid lay_labels(const chart *c, double share) {
    double width = c->right - c->left, n = (double) c->data.n_columns, wanted = c->data.pairs ? NARROW_CELL : WIDE_CELL;
    grid g = {.label = chart_label_width(c, fmax(90, fmin(width * share, width - 8 - n * wanted)))};
    g.x0 = c->left + g.label + 8;
    g.cell = fmin(MOST_CELL, fmax(LEAST_CELL, (c->right - g.x0) / n));
    if (g.x0 + g.cell * n > c->right + 0.5) g.cell = (c->right - g.x0) / n; /* more columns than the width holds */
    g.numbered = c->data.pairs;
    for (size_t k = 0; k < c->data.n_columns && !g.numbered; k++)
        g.numbered = !fits_head(c, c->data.columns[k], g.cell);
    return g;
}

/* Labels of rows give way, down to a quarter of the width, where that leaves room for words over the columns. */
static grid lay_grid(const chart *c) {
    static const double shares[] = {0.5, 0.42, 0.36, 0.3, 0.25};
    grid widest = lay_labels(c, shares[0]), g = widest;
    for (size_t k = 1; k < sizeof shares / sizeof *shares && g.numbered; k++) g = lay_labels(c, shares[k]);
    return g.numbered ? widest : g;
}

static void column_heads(chart *c, const grid *g) {
    double tallest = 0;
    for (int pass = 0; pass < 2; pass++) { /* measure, then place on one lower edge */
        for (size_t k = 0; k < c->data.n_columns; k++) {
            bool pooled = c->data.pooled_column && c->data.pooled_column[k];
            rsp_style style = chart_style(c, 8, pooled, c->theme->ink, RSP_ALIGN_CENTRE, g->numbered ? 0 : g->cell - 2);
            const char *text = g->numbered ? rsp_say_number(c->t, c->a, (double) k + 1, 0) : c->data.columns[k];
            double h = rsp_text_extent(text, &style).h;
            if (pass == 0) tallest = fmax(tallest, h);
            else {
                rsp_shape *t = chart_text(c, 0, 0, text, style);
                t->box.x = g->x0 + g->cell * (double) k + (g->cell - t->box.w) / 2;
                t->box.y = c->y + tallest - h;
            }
        }
    }
    c->y += tallest + 4;
}

/* What the numbers over the columns stand for: short words in one paragraph, long ones a line each. Rows of pairs say it. */
static void head_key(chart *c, const grid *g) {
    if (!g->numbered || c->data.pairs) return;
    rsp_style style = chart_style(c, 8, false, c->theme->ink, RSP_ALIGN_LEFT, 0);
    bool lines = false;
    for (size_t k = 0; k < c->data.n_columns; k++)
        lines = lines || rsp_text_extent(c->data.columns[k], &style).w > (c->right - c->left) / 2;
    rsp_buf b = {0};
    for (size_t k = 0; k < c->data.n_columns; k++)
        rsp_buf_printf(&b, "%s%s\u00A0\u00A0%s",
                       k == 0  ? ""
                       : lines ? "\n"
                               : "    ",
                       rsp_say_number(c->t, c->a, (double) k + 1, 0), c->data.columns[k]);
    c->y += 6;
    style.width = c->right - c->left;
    c->y += chart_text(c, c->left, c->y, b.data, style)->box.h;
    rsp_buf_free(&b);
}

/* Correlations keep their colours from night to night and from country to country. */
static void range(const chart *c, double *low, double *high) {
    *low = *high = NAN;
    if (c->data.pairs) {
        *low = -1;
        *high = 1;
        return;
    }
    for (size_t r = 0; r < c->data.n_rows; r++)
        for (size_t k = 0; k < c->data.n_columns; k++) {
            const rsp_published_row *x = c->data.rows[r].cells[k];
            if (!chart_known(x)) continue;
            *low = fmin(*low, x->estimate);
            *high = fmax(*high, x->estimate);
        }
}

/* Values on both sides of zero run between two colours, others from light to dark. */
static rsp_colour ground(const chart *c, double x, double low, double high) {
    if (low < 0 && high > 0) {
        double most = fmax(-low, high);
        return rsp_theme_between(c->theme->diverging, RSP_N_DIVERGING, 0.5 + 0.5 * x / most);
    }
    return rsp_theme_between(c->theme->sequential, RSP_N_SEQUENTIAL, high > low ? (x - low) / (high - low) : 0.5);
}

/* Narrow cells drop the sign of per cent, which the subtitle says, and then a decimal; a correlation keeps one. */
static const char *cell_text(const chart *c, double x, double width, rsp_style *style) {
    const char *text = chart_value(c, x);
    if (rsp_text_extent(text, style).w <= width) return text;
    if (c->data.pairs) return rsp_say_number(c->t, c->a, x, 1);
    return rsp_say_number(c->t, c->a, chart_share(c) ? 100 * x : x, 0);
}

static void cell(chart *c, const rsp_published_row *r, rsp_box box, double low, double high) {
    rsp_box inner = {box.x + 0.5, box.y + 0.5, box.w - 1, box.h - 1};
    if (!chart_known(r)) {
        chart_mark_state(c, (rsp_box){inner.x + 0.5, inner.y + 0.5, inner.w - 1, inner.h - 1}, chart_state_of(r));
        return;
    }
    bool hollow = chart_state_of(r) == CHART_LOW_BASE;
    rsp_colour colour = ground(c, r->estimate, low, high), fill = hollow ? c->theme->paper : colour;
    rsp_shape *s =
        rsp_scene_rect(c->s, hollow ? (rsp_box){inner.x + 1, inner.y + 1, inner.w - 2, inner.h - 2} : inner, fill);
    if (hollow) {
        s->stroke = c->theme->accent;
        s->stroke_width = 1.4;
        c->used[CHART_LOW_BASE] = true;
    }
    rsp_style style = chart_style(c, 8, false, rsp_theme_on(fill), RSP_ALIGN_CENTRE, 0);
    const char *text = cell_text(c, r->estimate, box.w - 2, &style);
    chart_text_middle(c, box.x + box.w / 2, box.y + box.h / 2, text, style);
}

void chart_draw_heatmap(chart *c) {
    double low, high;
    grid g = lay_grid(c);
    range(c, &low, &high);
    column_heads(c, &g);
    for (size_t r = 0; r < c->data.n_rows; r++) {
        chart_section(c, r);
        double h = chart_row_height(c, r, g.label, CELL);
        chart_row_label(c, r, g.label, h);
        for (size_t k = 0; k < (c->data.pairs ? r : c->data.n_columns); k++)
            cell(c, c->data.rows[r].cells[k], (rsp_box){g.x0 + g.cell * (double) k, c->y, g.cell, h}, low, high);
        c->y += h;
    }
    head_key(c, &g);
}
