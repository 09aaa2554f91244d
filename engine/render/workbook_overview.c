/* The two overview sheets of a workbook: native charts over the cells of its tables, so that who changes a table's filter
 * or copies a sheet keeps a chart that can be edited. Answers stand as bars of 100 %, single values as bars from zero;
 * intervals stay in the tables, which spreadsheets cannot draw as they are. Tables alone have charts here: a coefficient
 * without its interval, beside thresholds on another scale, would say what its model does not. */
#include "workbook.h"

#include <string.h>

enum { MOST_BARS = 20, MOST_GROUPS = 6, MOST_GROUPED_BARS = 30 };
enum { WIDTH = 700, BAR_HEIGHT = 30, GROUPED_BAR_HEIGHT = 18, AROUND = 140, ROW_PIXELS = 20 };
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

static const char *text_at(const rsp_tab *t, size_t row, size_t column) {
    const char *text = t->cells[row * t->n_columns + column].text;
    return text ? text : "";
}

/* The column that names the group of rows [first, first + n): the same words in each, and in one left of the values other
 * words in some other row of the table. */
static size_t find_group(const rsp_book_chart *x, const rsp_tab *t) {
    for (size_t k = 0; k < x->from; k++) {
        bool one = *text_at(t, x->first, k), other = false;
        for (size_t i = 1; i < x->n; i++) one = one && same(text_at(t, x->first, k), text_at(t, x->first + i, k));
        const rsp_published_row *a = row_of(t, x->first), *b;
        for (size_t i = 0; i < t->n_rows && !other; i++)
            other =
                (b = row_of(t, i)) && !same(a->domain, b->domain) && !same(text_at(t, i, k), text_at(t, x->first, k));
        if (one && other) return k;
    }
    return RSP_NONE;
}

/* Do the n rows from `at` on say of another group what the first run says of its own? */
static bool is_run_of(const rsp_tab *t, const rsp_book_chart *x, size_t at) {
    const rsp_published_row *first = at + x->n <= t->n_rows ? row_of(t, at) : NULL;
    bool ok = first && !same(first->domain, row_of(t, x->first)->domain);
    for (size_t i = 0; ok && i < x->n; i++) {
        const rsp_published_row *a = row_of(t, x->first + i), *b = row_of(t, at + i);
        ok = b && same(b->domain, first->domain) && same(a->term, b->term) && same(a->level, b->level) &&
             same(a->statistic, b->statistic);
    }
    return ok;
}

/* Groups that stand below each other from the first row on; 1 where they are too many for one chart. */
static size_t count_groups(const rsp_tab *t, const rsp_book_chart *x) {
    size_t groups = 1;
    while (is_run_of(t, x, x->first + groups * x->n)) groups++;
    return groups <= MOST_GROUPS && groups * x->n <= MOST_GROUPED_BARS ? groups : 1;
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
    bool ok = printable(x->title);
    for (size_t g = 0; g < x->groups && x->groups > 1; g++)
        ok = ok && printable(text_at(t, x->first + g * x->n, x->group));
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
    /* Of combinations the single answers would be drawn, which are another table's. */
    if (!of || of->kind != RSP_A_TABLE || of->table.statistic == RSP_COMBINATIONS || sheet->part != RSP_TAB_VALUES ||
        !row_of(t, x->first) || !find_values(t, x->first, &x->from, &x->to))
        return false;
    bool wide = x->to - x->from > 1;
    x->n = run_length(t, x->first, wide, false);
    x->group = x->n < 2 ? RSP_NONE : find_group(x, t);
    if (x->n < 2) x->n = run_length(t, x->first, wide, true);
    x->category = x->n < 2 ? RSP_NONE : find_category(x, t);
    x->groups = wide || x->group == RSP_NONE || x->category == RSP_NONE ? 1 : count_groups(t, x);
    bool of_one = x->group != RSP_NONE && x->groups == 1;
    x->title = of_one ? rsp_printf(a, "%s \u2013 %s", t->title, text_at(t, x->first, x->group)) : t->title;
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

/* Of answers a series is a column of the run; of values it is the run of a group. */
static lxw_chart_series *series_of(lxw_chart *chart, const rsp_book_chart *x, size_t column, size_t group) {
    lxw_chart_series *s = chart_add_series(chart, NULL, NULL);
    lxw_row_t top = (lxw_row_t) (RSP_BOOK_FIRST_ROW + 1 + x->first), last = (lxw_row_t) x->n - 1;
    lxw_row_t row = top + (lxw_row_t) (group * x->n);
    bool named = x->groups > 1;
    chart_series_set_categories(s, x->sheet->name, top, (lxw_col_t) x->category, top + last, (lxw_col_t) x->category);
    chart_series_set_values(s, x->sheet->name, row, (lxw_col_t) column, row + last, (lxw_col_t) column);
    chart_series_set_name_range(s, x->sheet->name, named ? row : (lxw_row_t) RSP_BOOK_FIRST_ROW,
                                (lxw_col_t) (named ? x->group : column));
    return s;
}

static void add_answer(lxw_chart *chart, const rsp_book_chart *x, size_t column, rsp_arena *a) {
    lxw_chart_series *s = series_of(chart, x, column, 0);
    lxw_chart_fill *fill = RSP_NEW(a, lxw_chart_fill);
    lxw_chart_line *line = RSP_NEW(a, lxw_chart_line);
    *fill = (lxw_chart_fill){.color = answer_colour(column - x->from, x->to - x->from)};
    *line = (lxw_chart_line){.color = 0xFFFFFF, .width = 1};
    chart_series_set_fill(s, fill);
    chart_series_set_line(s, line); /* numbers stand in the table; in narrow segments they would overlap */
}

static void add_group(lxw_chart *chart, const rsp_book_chart *x, size_t group, const char *number_format,
                      rsp_arena *a) {
    static const lxw_color_t colours[MOST_GROUPS] = {0x12436D, 0x28A197, 0x801650, 0xF46A25, 0x3D3D3D, 0xA285D1};
    lxw_chart_series *s = series_of(chart, x, x->from, group);
    lxw_chart_fill *fill = RSP_NEW(a, lxw_chart_fill);
    *fill = (lxw_chart_fill){.color = colours[group]};
    chart_series_set_fill(s, fill);
    chart_series_set_labels(s);
    chart_series_set_labels_num_format(s, number_format);
    chart_series_set_labels_font(s, font(a, x->groups > 1 ? 8 : 10, false));
}

static bool negative(const rsp_book_chart *x) {
    const rsp_tab *t = x->sheet->tab;
    for (size_t i = x->first; i < x->first + x->n * x->groups; i++)
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
    for (size_t k = x->from; stacked && k < x->to; k++) add_answer(chart, x, k, a);
    for (size_t g = 0; !stacked && g < x->groups; g++) add_group(chart, x, g, format, a);
    /* libxlsxwriter takes what begins with = for a formula. */
    chart_title_set_name(chart, *x->title == '=' ? rsp_printf(a, " %s", x->title) : x->title);
    chart_title_set_name_font(chart, font(a, 12, true));
    /* libxlsxwriter turns the axes of bar charts: y is the one of categories, whose first shall stand on top. */
    chart_axis_set_reverse(chart->y_axis);
    chart_axis_set_num_font(chart->x_axis, font(a, 10, false));
    chart_axis_set_num_font(chart->y_axis, font(a, 10, false));
    chart_axis_set_num_format(chart->x_axis, stacked ? "0%" : format);
    if (stacked) chart_axis_set_major_unit(chart->x_axis, 0.25); /* closer ones are printed upright */
    chart_axis_set_label_position(chart->y_axis, LXW_CHART_AXIS_LABEL_POSITION_LOW);
    if (!negative(x)) chart_axis_set_min(chart->x_axis, 0); /* a bar begins at zero */
    chart_set_series_gap(chart, 40);
    if (stacked || x->groups > 1) {
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

static size_t height_of(const rsp_book_chart *x) {
    return AROUND + (x->groups > 1 ? GROUPED_BAR_HEIGHT * (x->groups + 1) : BAR_HEIGHT) * x->n;
}

void rsp_book_draw(lxw_workbook *file, lxw_worksheet *sheet, const rsp_book_chart *charts, size_t n, size_t top,
                   rsp_arena *a) {
    size_t row = top, page = 0, n_breaks = 0; /* page: its first row */
    lxw_row_t *breaks = RSP_ARRAY(a, lxw_row_t, n + 1);
    for (size_t k = 0; k < n; k++) {
        size_t height = height_of(&charts[k]), end = row + height / ROW_PIXELS + 1;
        if (end - page > PAGE_ROWS && row > top) { /* no chart is split between pages */
            breaks[n_breaks++] = (lxw_row_t) row;
            page = row;
        }
        lxw_chart_options o = {.x_scale = WIDTH / 480.0, /* of libxlsxwriter's 480 by 288 pixels */
                               .y_scale = (double) height / 288.0,
                               .object_position = LXW_OBJECT_MOVE_DONT_SIZE,
                               .description = rsp_strdup(a, charts[k].title)};
        worksheet_insert_chart_opt(sheet, (lxw_row_t) row, 0, make_chart(file, &charts[k], a), &o);
        row += height / ROW_PIXELS + 2;
    }
    if (n_breaks) worksheet_set_h_pagebreaks(sheet, breaks); /* ends at a zero */
}
