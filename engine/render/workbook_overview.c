/* The two overview sheets of a workbook: native charts over the cells of its tables, so that who changes a table's filter
 * or copies a sheet keeps a chart that can be edited. Answers stand as bars of 100 %, single values as bars from zero;
 * intervals stay in the tables, which spreadsheets cannot draw as they are. Tables alone have charts here: a coefficient
 * without its interval, beside thresholds on another scale, would say what its model does not. */
#include "workbook.h"

#include <string.h>

enum { MOST_BARS = 20, WIDTH = 700, BAR_HEIGHT = 30, AROUND = 140, ROW_PIXELS = 20 };
enum { PAGE_ROWS = 60 }; /* of A4 upright at RSP_BOOK_OVERVIEW_SCALE */

static const rsp_published_row *row_of(const rsp_tab *t, size_t i) {
    for (size_t k = 0; k < t->n_columns; k++)
        if (t->cells[i * t->n_columns + k].row) return t->cells[i * t->n_columns + k].row;
    return NULL;
}

static bool same(const char *a, const char *b) { return strcmp(a, b) == 0; }

/* The columns of estimates that stand beside each other; don't-know shares have another base and stay out. */
static bool find_values(const rsp_tab *t, size_t i, size_t *from, size_t *to) {
    *from = *to = 0;
    for (size_t k = 0; k < t->n_columns; k++) {
        const rsp_cell *c = &t->cells[i * t->n_columns + k];
        bool value = c->row && same(c->field, "estimate") && !same(c->row->statistic, "proportion_missing");
        if (value && !*to) *from = k;
        if (value && (*to == 0 || *to == k)) *to = k + 1;
    }
    return *to > *from;
}

/* Rows of one group, or else of one item over the groups. */
static bool goes_on(const rsp_published_row *a, const rsp_published_row *b, bool wide, bool groups) {
    if (!b || !same(a->statistic, b->statistic)) return false;
    if (groups) return same(a->term, b->term) && (wide || same(a->level, b->level));
    return same(a->domain, b->domain) && (wide || !*a->level || same(a->term, b->term));
}

static size_t run_length(const rsp_tab *t, size_t first, bool wide, bool groups) {
    const rsp_published_row *a = row_of(t, first);
    size_t n = 1;
    while (a && n < MOST_BARS && first + n < t->n_rows && goes_on(a, row_of(t, first + n), wide, groups)) n++;
    return n;
}

/* The column of words that tells the rows of the run apart. */
static size_t find_category(const rsp_book_chart *x, const rsp_tab *t) {
    for (size_t k = 0; k < x->from; k++)
        for (size_t i = 1; i < x->n; i++) {
            const char *a = t->cells[x->first * t->n_columns + k].text,
                       *b = t->cells[(x->first + i) * t->n_columns + k].text;
            if (a && b && !same(a, b)) return k;
        }
    return RSP_NONE;
}

/* Rows about the edition's country come first where there are some. */
static size_t first_row(const rsp_labels *l, const rsp_tab *t, const char *country, rsp_arena *a) {
    const rsp_study *s = rsp_labels_study(l);
    for (size_t i = 0; country && s->roles.country != RSP_NONE && i < t->n_rows; i++) {
        const rsp_published_row *r = row_of(t, i);
        const char *code = r ? rsp_domain_code(a, r->domain, s->variables[s->roles.country].name) : NULL;
        if (code && same(code, country)) return i;
    }
    return 0;
}

static bool printable(const char *text) {
    for (; *text; text++)
        if ((unsigned char) *text < 0x20) return false;
    return true;
}

/* libxlsxwriter keeps the texts of a chart in its part of the file without escaping control characters, which XML has no
 * place for; a table with such labels has no chart. */
static bool all_printable(const rsp_book_chart *x) {
    const rsp_tab *t = x->sheet->tab;
    bool ok = printable(t->title);
    for (size_t k = x->from; k < x->to; k++) ok = ok && printable(t->columns[k].title);
    for (size_t i = x->first; i < x->first + x->n; i++) {
        const char *name = t->cells[i * t->n_columns + x->category].text;
        ok = ok && name && printable(name);
    }
    return ok;
}

static bool choose(const rsp_labels *l, const rsp_book_sheet *sheet, const char *country, rsp_arena *a,
                   rsp_book_chart *x) {
    const rsp_tab *t = sheet->tab;
    *x = (rsp_book_chart){.sheet = sheet, .first = first_row(l, t, country, a)};
    const rsp_analysis *of = rsp_label_find(l, sheet->of);
    if (!of || of->kind != RSP_A_TABLE || sheet->part != RSP_TAB_VALUES || !row_of(t, x->first) ||
        !find_values(t, x->first, &x->from, &x->to))
        return false;
    bool wide = x->to - x->from > 1;
    x->n = run_length(t, x->first, wide, false);
    if (x->n < 2) x->n = run_length(t, x->first, wide, true);
    x->category = x->n < 2 ? RSP_NONE : find_category(x, t);
    return x->category != RSP_NONE && all_printable(x);
}

/* ---- charts ------------------------------------------------------------------------------------------------------- */

static const lxw_color_t ANSWERS[] = {0x801650, 0xD093B4, 0xF2EBDD, 0x8DB8D6, 0x12436D};

/* Between the two ends of the theme, so that the middle stays light for any number of answers. */
static lxw_color_t answer_colour(size_t k, size_t n) {
    size_t last = sizeof ANSWERS / sizeof *ANSWERS - 1;
    return ANSWERS[n > 1 ? (k * last + (n - 1) / 2) / (n - 1) : last];
}

static lxw_chart_font *font(rsp_arena *a, double size, bool bold) {
    lxw_chart_font *f = RSP_NEW(a, lxw_chart_font);
    *f = (lxw_chart_font){.name = rsp_strdup(a, "Calibri"), .size = size, .bold = bold ? LXW_TRUE : LXW_EXPLICIT_FALSE};
    return f;
}

static void add_series(lxw_chart *chart, const rsp_book_chart *x, size_t k, const char *number_format, rsp_arena *a) {
    lxw_chart_series *s = chart_add_series(chart, NULL, NULL);
    lxw_row_t top = (lxw_row_t) (RSP_BOOK_FIRST_ROW + 1 + x->first), bottom = top + (lxw_row_t) x->n - 1;
    lxw_row_t heading = (lxw_row_t) RSP_BOOK_FIRST_ROW;
    bool stacked = x->to - x->from > 1;
    chart_series_set_categories(s, x->sheet->name, top, (lxw_col_t) x->category, bottom, (lxw_col_t) x->category);
    chart_series_set_values(s, x->sheet->name, top, (lxw_col_t) k, bottom, (lxw_col_t) k);
    chart_series_set_name_range(s, x->sheet->name, heading, (lxw_col_t) k);
    lxw_color_t colour = stacked ? answer_colour(k - x->from, x->to - x->from) : 0x12436D;
    lxw_chart_fill *fill = RSP_NEW(a, lxw_chart_fill);
    lxw_chart_line *line = RSP_NEW(a, lxw_chart_line);
    *fill = (lxw_chart_fill){.color = colour};
    *line = (lxw_chart_line){.color = 0xFFFFFF, .width = 1};
    chart_series_set_fill(s, fill);
    if (stacked) chart_series_set_line(s, line);
    if (stacked) return; /* numbers stand in the table; in narrow segments they would overlap */
    chart_series_set_labels(s);
    chart_series_set_labels_num_format(s, number_format);
    chart_series_set_labels_font(s, font(a, 10, false));
}

static bool negative(const rsp_book_chart *x) {
    const rsp_tab *t = x->sheet->tab;
    for (size_t i = x->first; i < x->first + x->n; i++)
        for (size_t k = x->from; k < x->to; k++)
            if (t->cells[i * t->n_columns + k].number < 0) return true;
    return false;
}

static lxw_chart *make_chart(lxw_workbook *file, const rsp_book_chart *x, rsp_arena *a) {
    static const char *const formats[] = {
        [RSP_AS_TEXT] = "0.00",      [RSP_AS_SHARE] = "0%",   [RSP_AS_COUNT] = "#,##0",
        [RSP_AS_NUMBER] = "#,##0.0", [RSP_AS_RATIO] = "0.00", [RSP_AS_P] = "0.000"};
    bool stacked = x->to - x->from > 1;
    const rsp_tab *t = x->sheet->tab;
    rsp_as as = t->cells[x->first * t->n_columns + x->from].as;
    lxw_chart *chart = workbook_add_chart(file, stacked ? LXW_CHART_BAR_STACKED_PERCENT : LXW_CHART_BAR);
    const char *format = formats[as];
    for (size_t k = x->from; k < x->to; k++) add_series(chart, x, k, format, a);
    /* libxlsxwriter takes what begins with = for a formula. */
    chart_title_set_name(chart, *t->title == '=' ? rsp_printf(a, " %s", t->title) : t->title);
    chart_title_set_name_font(chart, font(a, 12, true));
    /* libxlsxwriter turns the axes of bar charts: y is the one of categories, whose first shall stand on top. */
    chart_axis_set_reverse(chart->y_axis);
    chart_axis_set_num_font(chart->x_axis, font(a, 10, false));
    chart_axis_set_num_font(chart->y_axis, font(a, 10, false));
    chart_axis_set_num_format(chart->x_axis, stacked ? "0%" : format);
    chart_axis_set_label_position(chart->y_axis, LXW_CHART_AXIS_LABEL_POSITION_LOW);
    if (!negative(x)) chart_axis_set_min(chart->x_axis, 0); /* a bar begins at zero */
    chart_set_series_gap(chart, 40);
    if (stacked) {
        chart_legend_set_position(chart, LXW_CHART_LEGEND_BOTTOM);
        chart_legend_set_font(chart, font(a, 10, false));
    } else {
        chart_legend_set_position(chart, LXW_CHART_LEGEND_NONE);
    }
    return chart;
}

/* ---- sheets ------------------------------------------------------------------------------------------------------- */

size_t rsp_book_charts(const rsp_labels *l, const rsp_book_sheet *sheets, size_t n, const char *country, bool stacked,
                       rsp_arena *a, rsp_book_chart **charts) {
    size_t found = 0;
    *charts = RSP_ARRAY(a, rsp_book_chart, n);
    for (size_t k = 0; k < n; k++) {
        rsp_book_chart x;
        if (choose(l, &sheets[k], country, a, &x) && (x.to - x.from > 1) == stacked) (*charts)[found++] = x;
    }
    return found;
}

void rsp_book_draw(lxw_workbook *file, lxw_worksheet *sheet, const rsp_book_chart *charts, size_t n, size_t top,
                   rsp_arena *a) {
    size_t row = top, page = 0, n_breaks = 0; /* page: its first row */
    lxw_row_t *breaks = RSP_ARRAY(a, lxw_row_t, n + 1);
    for (size_t k = 0; k < n; k++) {
        size_t height = AROUND + BAR_HEIGHT * charts[k].n, end = row + height / ROW_PIXELS + 1;
        if (end - page > PAGE_ROWS && row > top) { /* no chart is split between pages */
            breaks[n_breaks++] = (lxw_row_t) row;
            page = row;
        }
        lxw_chart_options o = {.x_scale = WIDTH / 480.0, /* of libxlsxwriter's 480 by 288 pixels */
                               .y_scale = (double) height / 288.0,
                               .object_position = LXW_OBJECT_MOVE_DONT_SIZE,
                               .description = rsp_strdup(a, charts[k].sheet->tab->title)};
        worksheet_insert_chart_opt(sheet, (lxw_row_t) row, 0, make_chart(file, &charts[k], a), &o);
        row += height / ROW_PIXELS + 2;
    }
    if (n_breaks) worksheet_set_h_pagebreaks(sheet, breaks); /* ends at a zero */
}
