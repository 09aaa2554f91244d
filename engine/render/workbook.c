/* Workbooks for partners: cover, contents with links, notes, then one table a sheet, marked up as a table.
 *
 * Bytes are equal between runs: libxlsxwriter stamps the clock unless a creation date is set, so the end of the field
 * period stands there, or a constant. Text is written as text always, so nothing from a specification can become a
 * formula. */
#include "workbook.h"

#include "together.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { TEXT_WIDTH = 100, LINE_HEIGHT = 15, TITLE_HEIGHT = 22, MOST_LINES = 27 };
/* In characters: what the button of a filter takes of a heading; a page of A4 across, its 11 points printed as 8; what may
 * be frozen at the left of a screen. */
enum { FILTER_BUTTON = 2, PAGE_WIDTH = 165, MOST_FROZEN = 80, MOST_PAGES_ACROSS = 8 };

/* One file to write. */
struct edition {
    const rsp_publication *p;
    const rsp_edition *e; /* NULL: a study without `reports` */
    const char *country;  /* NULL: everybody */
    const rsp_labels *labels;
    const char *name;
};

struct book {
    const struct edition *of;
    const rsp_labels *labels;
    const rsp_texts *texts;
    lxw_workbook *file;
    lxw_format *title, *text, *wrapped, *inner, *link, *heading, *heading_of_numbers, *mark, *number[RSP_AS_P + 1];
    size_t n, capacity;
    rsp_book_sheet *sheets;
    rsp_arena *a;
};

static const char *say(const struct book *b, const char *key) { return rsp_say(b->texts, b->a, key, NULL, 0); }

static const char *say_with(const struct book *b, const char *key, const char *name, const char *value) {
    return rsp_say(b->texts, b->a, key, (rsp_arg[]){{name, value, 0}}, 1);
}

/* ---- names ------------------------------------------------------------------------------------------------------ */

/* Names of tables are like those of cells, but must not be one: hence the number in front. */
static const char *table_name(rsp_arena *a, size_t number, const char *id) {
    char *name = rsp_printf(a, "table_%02zu_%s", number, id);
    for (char *p = name; *p; p++)
        if (!((*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') || (*p >= '0' && *p <= '9'))) *p = '_';
    return name;
}

static const char *link_to(const struct book *b, const char *sheet) {
    return rsp_printf(b->a, "internal:'%s'!A1", sheet);
}

/* ---- formats ---------------------------------------------------------------------------------------------------- */

static lxw_format *new_format(struct book *b, double size) {
    lxw_format *f = workbook_add_format(b->file);
    format_set_font_size(f, size);
    format_set_align(f, LXW_ALIGN_VERTICAL_TOP);
    return f;
}

static lxw_format *new_heading(struct book *b) {
    lxw_format *f = new_format(b, 11);
    format_set_bold(f);
    format_set_text_wrap(f);
    format_set_bg_color(f, 0x12436D);
    format_set_font_color(f, LXW_COLOR_WHITE);
    return f;
}

static void add_formats(struct book *b) {
    static const char *const shown[] = {
        [RSP_AS_TEXT] = "@",          [RSP_AS_SHARE] = "0.0%",  [RSP_AS_COUNT] = "#,##0",
        [RSP_AS_NUMBER] = "#,##0.00", [RSP_AS_RATIO] = "0.000", [RSP_AS_P] = "[<0.0005]\"<0.001\";0.000"};
    b->title = new_format(b, 14);
    format_set_bold(b->title);
    b->text = new_format(b, 11);
    b->wrapped = new_format(b, 11);
    format_set_text_wrap(b->wrapped);
    b->inner = new_format(b, 11); /* words behind a number */
    format_set_text_wrap(b->inner);
    format_set_indent(b->inner, 1);
    b->link = new_format(b, 11);
    format_set_underline(b->link, LXW_UNDERLINE_SINGLE);
    format_set_font_color(b->link, 0x0B5394);
    b->mark = new_format(b, 11);
    format_set_align(b->mark, LXW_ALIGN_RIGHT);
    b->heading = new_heading(b);
    b->heading_of_numbers = new_heading(b);
    format_set_align(b->heading_of_numbers, LXW_ALIGN_RIGHT);
    format_set_indent(b->heading_of_numbers, FILTER_BUTTON); /* which stands at the right */
    for (int k = 0; k <= RSP_AS_P; k++) {
        b->number[k] = new_format(b, 11);
        format_set_num_format(b->number[k], shown[k]);
    }
}

/* ---- sheets ----------------------------------------------------------------------------------------------------- */

/* Height of a row whose texts are wrapped: not every program fits rows to their text when it opens a file. Letters are
 * taken as one column wide, which is generous for proportional fonts. */
static size_t lines_of(const char *text, double width) {
    size_t lines = 1, column = 0;
    for (const char *p = text; *p; p += strspn(p, " ")) {
        size_t word = strcspn(p, " ");
        size_t letters = 0;
        for (size_t k = 0; k < word; k++) letters += ((unsigned char) p[k] & 0xc0) != 0x80;
        if (column && (double) (column + 1 + letters) > width) {
            lines++;
            column = 0;
        }
        column += (column > 0) + letters;
        for (; (double) column > width; column -= (size_t) width) lines++;
        p += word;
    }
    return lines;
}

static void fit_row(lxw_worksheet *s, size_t row, size_t lines) {
    if (lines > 1)
        worksheet_set_row(s, (lxw_row_t) row, LINE_HEIGHT * (double) (lines < MOST_LINES ? lines : MOST_LINES), NULL);
}

static lxw_worksheet *add_sheet(struct book *b, const char *name, const char *title) {
    lxw_worksheet *s = workbook_add_worksheet(b->file, name);
    assert(s && "names of sheets are unique and short");
    worksheet_set_landscape(s);
    worksheet_set_paper(s, 9); /* A4 */
    worksheet_fit_to_pages(s, 1, 0);
    worksheet_set_footer(s, "&L&A&R&P / &N"); /* name of the sheet, page of pages */
    worksheet_write_string(s, 0, 0, title, b->title);
    worksheet_set_row(s, 0, TITLE_HEIGHT, NULL);
    return s;
}

/* numbers: which columns hold numbers, or NULL. */
static void mark_up(struct book *b, lxw_worksheet *s, const char *name, size_t n_columns, const rsp_tab_column *columns,
                    const bool *numbers, size_t first_row, size_t n_rows) {
    lxw_table_column *column = RSP_ARRAY(b->a, lxw_table_column, n_columns);
    lxw_table_column **list = RSP_ARRAY(b->a, lxw_table_column *, n_columns + 1);
    size_t most = 1;
    for (size_t k = 0; k < n_columns; k++) {
        column[k] = (lxw_table_column){.header = rsp_strdup(b->a, columns[k].title),
                                       .header_format = numbers && numbers[k] ? b->heading_of_numbers : b->heading};
        list[k] = &column[k];
        size_t lines = lines_of(columns[k].title, columns[k].width - FILTER_BUTTON);
        if (lines > most) most = lines;
        worksheet_set_column(s, (lxw_col_t) k, (lxw_col_t) k, columns[k].width, NULL);
    }
    lxw_table_options o = {.name = rsp_strdup(b->a, name),
                           .style_type = LXW_TABLE_STYLE_TYPE_LIGHT,
                           .style_type_number = 1,
                           .columns = list};
    worksheet_add_table(s, (lxw_row_t) first_row, 0, (lxw_row_t) (first_row + n_rows), (lxw_col_t) (n_columns - 1), &o);
    fit_row(s, first_row, most);
    worksheet_repeat_rows(s, (lxw_row_t) first_row, (lxw_row_t) first_row);
}

static void write_cell(const struct book *b, lxw_worksheet *s, size_t row, size_t column, const rsp_cell *c) {
    lxw_row_t r = (lxw_row_t) row;
    lxw_col_t k = (lxw_col_t) column;
    if (!c->text) worksheet_write_number(s, r, k, c->number, b->number[c->as]);
    else
        worksheet_write_string(s, r, k, c->text,
                               c->text[0] == '[' && strlen(c->text) == 3 ? b->mark
                               : k                                       ? b->inner
                                                                         : b->wrapped);
}

/* What the whole publication must say beside every number. */
static const char *standing_notes(const struct book *b) {
    const rsp_publication *p = b->of->p;
    const char *text = "";
    if (p->preliminary) text = rsp_printf(b->a, "%s %s", text, say(b, "preliminary_note"));
    if (p->simulated) text = rsp_printf(b->a, "%s %s", text, say(b, "simulated_note"));
    if (p->study->design.self_selected) text = rsp_printf(b->a, "%s %s", text, say(b, "self_selected_note"));
    return text;
}

/* The same in few words, on one line over a table: a line of sentences would be cut at the edge of a page. */
static const char *short_notes(const struct book *b) {
    const rsp_publication *p = b->of->p;
    const struct {
        bool said;
        const char *key;
    } notes[] = {{p->preliminary, "brief.short.preliminary"},
                 {p->simulated, "brief.short.simulated"},
                 {p->study->design.self_selected, "brief.short.self_selected"}};
    const char *text = "";
    for (size_t k = 0; k < sizeof notes / sizeof *notes; k++)
        if (notes[k].said) text = rsp_printf(b->a, "%s \u00b7 %s", text, say(b, notes[k].key));
    return text;
}

static const bool *number_columns(const struct book *b, const rsp_tab *t) {
    bool *numbers = RSP_ARRAY(b->a, bool, t->n_columns);
    for (size_t i = 0; i < t->n_rows * t->n_columns; i++) numbers[i % t->n_columns] |= t->cells[i].row != NULL;
    return numbers;
}

/* A table too wide for one page is printed on several, and scrolled, with the columns that name its rows on each. */
static void fit_width(lxw_worksheet *s, const rsp_tab *t, const bool *numbers) {
    size_t lead = 0, pages = 1;
    double all = 0, names = 0;
    while (lead < t->n_columns && !numbers[lead]) names += t->columns[lead++].width;
    for (size_t k = 0; k < t->n_columns; k++) all += t->columns[k].width;
    while (pages < MOST_PAGES_ACROSS && all + names * (double) (pages - 1) > PAGE_WIDTH * (double) pages) pages++;
    bool repeated = pages > 1 && lead && lead < t->n_columns;
    if (pages > 1) worksheet_fit_to_pages(s, (uint16_t) pages, 0);
    if (repeated) worksheet_repeat_columns(s, 0, (lxw_col_t) (lead - 1));
    worksheet_freeze_panes(s, RSP_BOOK_FIRST_ROW + 1, repeated && names <= MOST_FROZEN ? (lxw_col_t) lead : 0);
}

static void write_table_sheet(struct book *b, const rsp_book_sheet *x) {
    const rsp_tab *t = x->tab;
    const bool *numbers = number_columns(b, t);
    lxw_worksheet *s = add_sheet(b, x->name, t->title);
    worksheet_write_string(s, 1, 0, rsp_printf(b->a, "%s%s", t->subtitle, short_notes(b)), b->text);
    worksheet_write_url_opt(s, 2, 0, link_to(b, say(b, "workbook_contents")), b->link, say(b, "workbook_back"), NULL);
    mark_up(b, s, x->table, t->n_columns, t->columns, numbers, RSP_BOOK_FIRST_ROW, t->n_rows);
    for (size_t i = 0; i < t->n_rows; i++) {
        size_t most = 1;
        for (size_t k = 0; k < t->n_columns; k++) {
            const rsp_cell *c = &t->cells[i * t->n_columns + k];
            size_t lines = c->text ? lines_of(c->text, t->columns[k].width) : 1;
            if (lines > most) most = lines;
            write_cell(b, s, RSP_BOOK_FIRST_ROW + 1 + i, k, c);
        }
        fit_row(s, RSP_BOOK_FIRST_ROW + 1 + i, most);
    }
    fit_width(s, t, numbers);
}

/* ---- cover, contents, notes ------------------------------------------------------------------------------------- */

static void add_line(const struct book *b, lxw_worksheet *s, lxw_row_t *row, const char *text) {
    fit_row(s, *row, lines_of(text, TEXT_WIDTH));
    worksheet_write_string(s, (*row)++, 0, text, b->wrapped);
}

static const char *who(const struct book *b) {
    if (!b->of->country) return say(b, "site_everybody");
    return say_with(b, "workbook_country_and_average", "country", rsp_label_country(b->labels, b->of->country));
}

static const char *book_title(const struct book *b) {
    return say_with(b, "workbook_title", "study", rsp_label_study(b->labels));
}

static void write_cover(struct book *b) {
    const rsp_study *study = b->of->p->study;
    lxw_worksheet *s = add_sheet(b, say(b, "workbook_cover"), book_title(b));
    lxw_row_t row = 1;
    worksheet_set_column(s, 0, 0, TEXT_WIDTH, NULL);
    add_line(b, s, &row, say_with(b, "workbook_who", "who", who(b)));
    if (study->field.from && study->field.to)
        add_line(b, s, &row,
                 rsp_say(b->texts, b->a, "period",
                         (rsp_arg[]){{"from", study->field.from, 0}, {"to", study->field.to, 0}}, 2));
    add_line(b, s, &row, say_with(b, "workbook_published_by", "publisher", rsp_label_publisher(b->labels, b->a)));
    if (b->of->p->preliminary) add_line(b, s, &row, say(b, "preliminary_note"));
    if (b->of->p->preliminary) add_line(b, s, &row, say(b, "workbook_update"));
    if (b->of->p->simulated) add_line(b, s, &row, say(b, "simulated_note"));
    if (study->disclosure.off) add_line(b, s, &row, say(b, "disclosure_off_note"));
    if (study->design.self_selected) add_line(b, s, &row, say(b, "self_selected_note"));
    rsp_arg names[] = {{"contents", say(b, "workbook_contents"), 0}, {"notes", say(b, "workbook_notes"), 0}};
    add_line(b, s, &row, rsp_say(b->texts, b->a, "workbook_how", names, 2));
    add_line(b, s, &row, say_with(b, "content_id", "id", b->of->p->content_id));
    worksheet_activate(s);
    worksheet_set_first_sheet(s);
}

static void write_contents(struct book *b) {
    const char *name = say(b, "workbook_contents");
    lxw_worksheet *s = add_sheet(b, name, name);
    rsp_tab_column columns[] = {{say(b, "workbook_sheet"), 34},
                                {say(b, "workbook_table"), 60},
                                {say(b, "workbook_measure"), 36},
                                {say(b, "workbook_rows"), 10},
                                {say(b, "workbook_analysis"), 25}};
    mark_up(b, s, "contents", 5, columns, (bool[5]){[3] = true}, 1, b->n);
    worksheet_freeze_panes(s, 2, 0);
    for (size_t k = 0; k < b->n; k++) {
        lxw_row_t row = (lxw_row_t) (2 + k);
        worksheet_write_url_opt(s, row, 0, link_to(b, b->sheets[k].name), b->link, b->sheets[k].name, NULL);
        worksheet_write_string(s, row, 1, b->sheets[k].tab->title, b->wrapped);
        const char *texts[] = {b->sheets[k].name, b->sheets[k].tab->title, b->sheets[k].tab->measure, "",
                               b->sheets[k].of};
        size_t most = 1;
        for (size_t j = 0; j < 5; j++) {
            size_t lines = lines_of(texts[j], columns[j].width);
            if (lines > most) most = lines;
        }
        fit_row(s, row, most);
        worksheet_write_string(s, row, 2, b->sheets[k].tab->measure, b->wrapped);
        worksheet_write_number(s, row, 3, (double) b->sheets[k].tab->n_rows, b->number[RSP_AS_COUNT]);
        worksheet_write_string(s, row, 4, b->sheets[k].of, b->inner);
    }
}

static bool all_estimates(const struct book *b) { return !b->of->e || b->of->e->all_estimates; }

/* What verdicts mean, where a sheet gives some: the rules of specs/glossary.md in words. */
static void add_verdict_rules(const struct book *b, lxw_worksheet *s, lxw_row_t *row) {
    for (size_t k = 0; k < b->n; k++) {
        if (b->sheets[k].part != RSP_TAB_SUMMARY) continue;
        rsp_arg least = {"least", NULL, rsp_label_find(b->labels, b->sheets[k].of)->model.drivers.smallest};
        if (!all_estimates(b)) add_line(b, s, row, say(b, "workbook_note_summaries"));
        add_line(b, s, row, rsp_say(b->texts, b->a, "workbook_note_verdicts", &least, 1));
        return;
    }
}

static lxw_row_t write_method_notes(const struct book *b, lxw_worksheet *s) {
    const rsp_study *study = b->of->p->study;
    lxw_row_t row = 1;
    rsp_arg base = {"base", NULL, (double) study->disclosure.minimum_base};
    add_line(b, s, &row, say(b, study->weighting.given ? "workbook_note_weighting" : "workbook_note_unweighted"));
    if (rsp_label_is_average(b->labels)) add_line(b, s, &row, say(b, "workbook_note_equal"));
    add_line(b, s, &row, say(b, "workbook_note_interval"));
    if (study->design.self_selected) add_line(b, s, &row, say(b, "sampling_only_note"));
    add_line(b, s, &row, say(b, "workbook_note_letters"));
    add_line(b, s, &row,
             study->disclosure.off ? say(b, "disclosure_off_note")
                                   : rsp_say(b->texts, b->a, "workbook_note_disclosure", &base, 1));
    add_line(b, s, &row, say(b, "workbook_note_precision"));
    add_verdict_rules(b, s, &row);
    return row;
}

static void write_notes(struct book *b) {
    static const struct {
        const char *symbol, *key;
    } symbols[] = {{"[c]", "workbook_symbol_c"},
                   {"[u]", "workbook_symbol_u"},
                   {"[x]", "workbook_symbol_x"},
                   {"[z]", "workbook_symbol_z"},
                   {"\u2013", "workbook_symbol_dash"}};
    enum { SYMBOLS = sizeof symbols / sizeof *symbols };
    const char *name = say(b, "workbook_notes");
    lxw_worksheet *s = add_sheet(b, name, name);
    lxw_row_t row = write_method_notes(b, s);
    /* Meanings stand in the wide first column, under the paragraphs. */
    rsp_tab_column columns[] = {{say(b, "workbook_meaning"), TEXT_WIDTH}, {say(b, "workbook_symbol"), 12}};
    mark_up(b, s, "symbols", 2, columns, NULL, row, SYMBOLS);
    for (size_t k = 0; k < SYMBOLS; k++) {
        worksheet_write_string(s, (lxw_row_t) (row + 1 + k), 0, say(b, symbols[k].key), b->wrapped);
        worksheet_write_string(s, (lxw_row_t) (row + 1 + k), 1, symbols[k].symbol, b->text);
    }
}

/* ---- overview --------------------------------------------------------------------------------------------------- */

static void write_overview(struct book *b, const char *key, bool stacked) {
    rsp_book_chart *charts;
    size_t n = rsp_book_charts(b->labels, b->sheets, b->n, b->of->country, stacked, b->a, &charts);
    if (!n) return;
    lxw_worksheet *s = add_sheet(b, say(b, key), say(b, key));
    lxw_row_t row = 1;
    worksheet_set_column(s, 0, 0, TEXT_WIDTH, NULL);
    add_line(b, s, &row, rsp_printf(b->a, "%s%s", say(b, "workbook_overview_note"), standing_notes(b)));
    worksheet_write_url_opt(s, 2, 0, link_to(b, say(b, "workbook_contents")), b->link, say(b, "workbook_back"), NULL);
    worksheet_set_portrait(s);
    worksheet_set_print_scale(s, RSP_BOOK_OVERVIEW_SCALE); /* in place of the fit to a page, which knows no breaks */
    rsp_book_draw(b->file, s, charts, n, RSP_BOOK_FIRST_ROW + 1, b->a);
}

/* ---- the workbook ----------------------------------------------------------------------------------------------- */

static void add_tab(struct book *b, const char *id, rsp_tab_part part) {
    rsp_tab *tab = rsp_tabulate(b->labels, b->of->p->results, id, b->of->country, part, b->a);
    if (!tab) return;
    rsp_book_sheet x = {NULL, table_name(b->a, b->n + 1, id), id, tab, part};
    RSP_PUSH(b->sheets, b->n, b->capacity, x);
}

/* Several scales may share one id: their rows stand in one table. */
static bool seen_before(const rsp_study *s, size_t k) {
    for (size_t j = 0; j < k; j++)
        if (strcmp(s->analyses[j].id, s->analyses[k].id) == 0) return true;
    return false;
}

/* What a sheet is called by: a table that goes on with the one before it bears its number, since no name holds both that it
 * does and the title. */
static const char *calling(const struct book *b, size_t k) {
    const rsp_book_sheet *x = &b->sheets[k], *before = k ? x - 1 : NULL;
    if (!before || before->of != x->of) return x->tab->title;
    const char *key = x->part == RSP_TAB_DIFFERENCES ? "workbook_differences" : "workbook_details";
    while (before > b->sheets && before[-1].of == x->of) before--;
    return say_with(b, key, "title", rsp_printf(b->a, "%02zu", (size_t) (before - b->sheets) + 1));
}

static void name_sheets(struct book *b) {
    const char **calls = RSP_ARRAY(b->a, const char *, b->n);
    for (size_t k = 0; k < b->n; k++) calls[k] = calling(b, k);
    const char **names = rsp_book_sheet_names(b->a, calls, b->n);
    for (size_t k = 0; k < b->n; k++) b->sheets[k].name = names[k];
}

static void lay_out(struct book *b) {
    const rsp_study *s = b->of->p->study;
    for (size_t k = 0; k < s->n_analyses; k++) {
        if (!rsp_edition_wants(b->of->p, b->of->e, s->analyses[k].id) || seen_before(s, k)) continue;
        size_t before = b->n;
        add_tab(b, s->analyses[k].id, RSP_TAB_SUMMARY);
        /* What a summary of a few rows rests on is hundreds of them, which all readers find in the open data. */
        if (b->n == before || all_estimates(b)) add_tab(b, s->analyses[k].id, RSP_TAB_VALUES);
        add_tab(b, s->analyses[k].id, RSP_TAB_DIFFERENCES);
    }
}

/* Noon of the day, UTC: no time zone of a reader's program makes another date of it. */
static time_t creation_date(const rsp_study *s) {
    struct tm day = {.tm_year = 2000 - 1900, .tm_mon = 0, .tm_mday = 1, .tm_hour = 12};
    const char *iso = s->field.to ? s->field.to : s->field.from;
    int y, m, d;
    if (iso && sscanf(iso, "%4d-%2d-%2d", &y, &m, &d) == 3) {
        day.tm_year = y - 1900;
        day.tm_mon = m - 1;
        day.tm_mday = d;
    }
    return timegm(&day);
}

/* libxlsxwriter takes char * that it copies. */
static char *copy(const struct book *b, const char *text) { return rsp_strdup(b->a, text); }

static void set_properties(struct book *b) {
    lxw_doc_properties properties = {.title = copy(b, book_title(b)),
                                     .subject = copy(b, who(b)),
                                     .author = copy(b, rsp_label_publisher(b->labels, b->a)),
                                     .company = copy(b, rsp_label_publisher(b->labels, b->a)),
                                     .keywords = copy(b, b->of->p->study->id),
                                     .comments = copy(b, say_with(b, "content_id", "id", b->of->p->content_id)),
                                     .created = creation_date(b->of->p->study)};
    workbook_set_properties(b->file, &properties);
}

static bool write_book(const struct edition *of, rsp_diag *d) {
    struct book b = {.of = of, .labels = of->labels, .texts = rsp_labels_texts(of->labels), .a = rsp_arena_new()};
    const char *path = rsp_path_join(b.a, of->p->dir, of->name);
    lay_out(&b);
    name_sheets(&b);
    b.file = workbook_new(path);
    add_formats(&b);
    set_properties(&b);
    write_cover(&b);
    if (b.n) write_contents(&b);
    write_notes(&b);
    write_overview(&b, "workbook_overview_answers", true);
    write_overview(&b, "workbook_overview_values", false);
    for (size_t k = 0; k < b.n; k++) write_table_sheet(&b, &b.sheets[k]);
    size_t given = rsp_book_parts_given();
    lxw_error error = workbook_close(b.file);
    if (error)
        rsp_report(d, RSP_ERR_OUTPUT, (rsp_loc){path, 0, 0}, "is the disk full?", "cannot write the workbook: %s",
                   lxw_strerror(error));
    bool in_memory = rsp_book_parts_given() > given;
    if (!in_memory)
        rsp_report(d, RSP_ERR_BUG, (rsp_loc){path, 0, 0}, "build with the libxlsxwriter of Debian 12",
                   "this libxlsxwriter keeps parts of workbooks where a full disk would go unnoticed");
    free(b.sheets);
    rsp_arena_free(b.a);
    return !error && in_memory;
}

/* ---- all workbooks ---------------------------------------------------------------------------------------------- */

struct shelf {
    const rsp_publication *p;
    rsp_map *names;
    size_t n, capacity;
    struct edition *editions;
    rsp_arena *a;
    rsp_diag *d;
};

static void plan(struct shelf *s, const rsp_edition *e, const char *country) {
    size_t n;
    const char **languages = rsp_edition_languages(s->p, e, country, s->a, &n);
    for (size_t k = 0; k < n; k++) {
        char *name =
            rsp_printf(s->a, "tables/tables-%s-%s.xlsx", country ? rsp_file_word(s->a, country) : "all", languages[k]);
        if (!rsp_map_put(s->names, name, s->n)) {
            rsp_report(s->d, RSP_ERR_STUDY, e ? e->loc : RSP_NOWHERE,
                       "give one of them another language, or join their analyses", "two workbooks would be called %s",
                       name);
            continue;
        }
        struct edition x = {s->p, e, country, rsp_labels_in(s->p, languages[k]), name};
        RSP_PUSH(s->editions, s->n, s->capacity, x);
    }
}

static void plan_all(struct shelf *s) {
    const rsp_reports *r = &s->p->study->reports;
    size_t n;
    const char **countries = rsp_countries(s->p->study, s->p->results, s->a, &n);
    if (!r->n_workbooks) plan(s, NULL, NULL);
    for (size_t k = 0; k < r->n_workbooks; k++) {
        const rsp_edition *e = &r->workbooks[k];
        if (!e->each_country) plan(s, e, NULL);
        for (size_t j = 0; e->each_country && j < n; j++) plan(s, e, countries[j]);
    }
}

static bool make_book(void *shelf, size_t k) {
    const struct shelf *s = shelf;
    return write_book(&s->editions[k], s->d);
}

static bool write_all(struct shelf *s) {
    return rsp_make_dirs(rsp_path_join(s->a, s->p->dir, "tables"), s->d) && !rsp_diag_errors(s->d) &&
           rsp_make_each(s->n, make_book, s);
}

bool rsp_render_workbooks(const rsp_publication *p, rsp_diag *d) {
    struct shelf s = {.p = p, .names = rsp_map_new(), .a = rsp_arena_new(), .d = d};
    plan_all(&s);
    bool ok = write_all(&s);
    free(s.editions);
    rsp_map_free(s.names);
    rsp_arena_free(s.a);
    return ok;
}
