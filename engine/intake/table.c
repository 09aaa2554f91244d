/* What all tables share, and the tables that are held in memory. */
#include "reader.h"

#include "responsive/limits.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { CELLS_AT_ONCE = 1 << 15 };

/* ---- which reader ----------------------------------------------------------------------------------------------- */

/* Files of other kinds that people take for exports, by their first bytes. */
static const struct {
    const char *bytes, *what, *remedy;
} other_kinds[] = {
    {"%PDF-", "a PDF", "export the answers as CSV"},
    {"<!DOCTYPE html", "a web page", "was the session over when it was downloaded? Export the answers as CSV again"},
    {"<html", "a web page", "was the session over when it was downloaded? Export the answers as CSV again"},
    {"<?xml", "an XML file, but not EUSurvey's of results", "export the answers as CSV or xlsx"},
    {"\x1F\x8B", "a compressed file (gzip)", "unpack it"},
    {"7z\xBC\xAF", "an archive (7z)", "unpack it"},
    {"Rar!", "an archive (rar)", "unpack it"},
    {"RDX", "an R workspace", "write the data frame as CSV with write.csv"},
    {"SQLite format 3", "a database (SQLite)", "export the table as CSV"}};

/* What Microsoft's programs wrote before 2007, and write still around a file with a password. */
static bool is_compound_file(const rsp_buf *raw, const char *path, rsp_diag *d) {
    static const char begins[] = "\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1",
                      encrypted[] = "E\0n\0c\0r\0y\0p\0t\0e\0d\0P\0a\0c\0k\0a\0g\0e";
    if (raw->length < sizeof begins - 1 || memcmp(raw->data, begins, sizeof begins - 1) != 0) return false;
    if (memmem(raw->data, raw->length, encrypted, sizeof encrypted - 1))
        rsp_report(d, RSP_ERR_DATA, (rsp_loc){path, 0, 0},
                   "open it in a spreadsheet program and save it as xlsx without a password",
                   "the workbook has a password");
    else
        rsp_report(d, RSP_ERR_DATA, (rsp_loc){path, 0, 0},
                   "open it in a spreadsheet program and save it as xlsx, or choose xlsx where the survey tool exports",
                   "this is an old Excel workbook (xls), which is not read");
    return true;
}

static bool is_other_kind(const rsp_buf *raw, const char *path, rsp_diag *d) {
    if (is_compound_file(raw, path, d)) return true;
    for (size_t k = 0; k < sizeof other_kinds / sizeof *other_kinds; k++) {
        size_t length = strlen(other_kinds[k].bytes);
        if (raw->length < length || strncasecmp(raw->data, other_kinds[k].bytes, length) != 0) continue;
        rsp_report(d, RSP_ERR_DATA, (rsp_loc){path, 0, 0}, other_kinds[k].remedy, "this is %s, not a table of answers",
                   other_kinds[k].what);
        return true;
    }
    return false;
}

rsp_table_data *rsp_table_open(rsp_buf *raw, const char *path, const rsp_open_options *o, rsp_diag *d) {
    if (rsp_is_workbook(raw)) return rsp_workbook_open(raw, path, o->sheet, d);
    if (rsp_is_statfile(raw)) return rsp_statfile_open(raw, path, o->encoding, d);
    if (rsp_is_eusurvey_xml(raw)) return rsp_eusurvey_xml_open(raw, path, d);
    if (!is_other_kind(raw, path, d)) return rsp_delimited_open(raw, path, o->encoding, o->delimiter, d);
    rsp_buf_free(raw);
    return NULL;
}

/* ---- any table -------------------------------------------------------------------------------------------------- */

size_t rsp_table_block(const rsp_table_data *t) {
    size_t n = CELLS_AT_ONCE / (t->n_columns ? t->n_columns : 1);
    return n < 1 ? 1 : n > 512 ? 512 : n;
}

/* A line of text as a row of the spreadsheet that it is opened in. */
static uint32_t row_of(const rsp_table_data *t, uint32_t line) {
    size_t from = 0, to = t->n_taller;
    while (from < to) {
        size_t middle = (from + to) / 2;
        if (t->taller[middle].line < line) from = middle + 1;
        else to = middle;
    }
    return line - (from ? t->taller[from - 1].more : 0);
}

const char *rsp_rows_text(const rsp_table_data *t, const rsp_lines *l, char text[128]) {
    rsp_lines shown = *l;
    for (size_t k = 0; k < RSP_LINES_SHOWN && k < l->n; k++) shown.first[k] = row_of(t, l->first[k]);
    rsp_lines_text(&shown, text);
    if (!t->rows_not_lines && !t->n_taller) return text;
    char lines[128];
    memcpy(lines, text, sizeof lines);
    const char *rest = lines + strcspn(lines, " ");
    snprintf(text, 128, "%s%.120s", l->n == 1 ? "row" : "rows", rest);
    return text;
}

const char **rsp_table_record(rsp_table_data *t, size_t k) {
    if (k >= RSP_TOP || k >= t->n_records) return NULL;
    if (t->top[k]) return t->top[k];
    rsp_room room = {0};
    rsp_cell *cells = rsp_calloc(t->n_columns, sizeof *cells);
    t->read(t, k, k + 1, &room, cells);
    t->top[k] = RSP_ARRAY(t->arena, const char *, t->n_columns);
    for (size_t j = 0; j < t->n_columns; j++) t->top[k][j] = rsp_strndup(t->arena, cells[j].text, cells[j].length);
    free(cells);
    rsp_room_free(&room);
    return t->top[k];
}

size_t rsp_table_wide_record(rsp_table_data *t, size_t k, const char ***cells) {
    if (t->records) return rsp_delimited_texts(t, k, cells);
    *cells = rsp_table_record(t, k);
    return t->n_columns;
}

static void grid_drop(rsp_grid *g, size_t n);

void rsp_table_drop(rsp_table_data *t, size_t n) {
    size_t left = t->n_records - n;
    memmove(t->line, t->line + n, left * sizeof *t->line);
    if (t->records) memmove(t->records, t->records + n, left * sizeof *t->records);
    if (t->grid) grid_drop(t->grid, n);
    t->n_records = left;
    t->n_header_rows += n;
    memset(t->top, 0, sizeof t->top);
}

void rsp_table_head(rsp_table_data *t, size_t k) {
    if (t->records) {
        rsp_delimited_head(t, k);
    } else {
        const char **cells = rsp_table_record(t, k);
        for (size_t j = 0; j < t->n_columns; j++) t->headings[j] = cells[j];
    }
    t->heading_line = t->line[k];
    rsp_table_drop(t, k + 1);
    /* Blank rows of a sheet above the headings are no records, but a user counts them. */
    if (t->rows_not_lines) t->n_header_rows = t->heading_line;
}

void rsp_table_set_heading(rsp_table_data *t, size_t j, const char *text) {
    t->headings[j] = rsp_strdup(t->arena, text);
}

void rsp_table_set_label(rsp_table_data *t, size_t j, const char *text) {
    if (!t->info) t->info = RSP_ARRAY(t->arena, rsp_column_info, t->n_columns);
    t->info[j].label = rsp_strdup(t->arena, text);
}

void rsp_table_release(const rsp_table_data *t, size_t to) {
    if (!t->records || !to) return;
    size_t until = to < t->n_records ? t->records[to].offset : t->text_length;
    rsp_give_back(t->heap, (size_t) (t->text - t->heap) + until);
}

void rsp_table_close(rsp_table_data *t) {
    if (!t) return;
    free(t->records);
    free(t->line);
    free(t->taller);
    free(t->heap);
    rsp_grid_free(t->grid);
    rsp_cases_free(t->cases);
    rsp_arena_free(t->arena);
    free(t);
}

/* ---- grids ------------------------------------------------------------------------------------------------------ */

static const size_t MOST_PLACES = (size_t) 1 << 31;

struct grid_cell {
    const char *text;
    uint32_t length;
    uint16_t column;
    bool quoted;
    int8_t missing;
};

struct grid_row {
    size_t from, to; /* its cells */
    uint32_t number;
};

struct rsp_grid {
    rsp_arena *arena;
    size_t n_adopted, adopted_capacity;
    rsp_arena **adopted; /* of texts that stand elsewhere */
    size_t n_rows, row_capacity, n, capacity, n_columns;
    struct grid_row *rows;
    struct grid_cell *cells;
    uint32_t number; /* of the row that is filled */
    bool begun;      /* that row has a cell */
};

rsp_grid *rsp_grid_new(void) {
    rsp_grid *g = rsp_calloc(1, sizeof *g);
    g->arena = rsp_arena_new();
    return g;
}

void rsp_grid_free(rsp_grid *g) {
    if (!g) return;
    free(g->rows);
    free(g->cells);
    rsp_arena_free(g->arena);
    for (size_t k = 0; k < g->n_adopted; k++) rsp_arena_free(g->adopted[k]);
    free(g->adopted);
    free(g);
}

void rsp_grid_adopt(rsp_grid *g, rsp_arena *a) { RSP_PUSH(g->adopted, g->n_adopted, g->adopted_capacity, a); }

void rsp_grid_row(rsp_grid *g, uint32_t number) {
    g->number = number;
    g->begun = false;
}

const char *rsp_grid_keep(rsp_grid *g, const char *text, size_t length) { return rsp_strndup(g->arena, text, length); }

bool rsp_grid_put(rsp_grid *g, size_t column, const char *text, size_t length, bool quoted, int missing) {
    if (column >= RSP_MOST_GRID_COLUMNS || g->n >= RSP_MOST_GRID_CELLS || length > UINT32_MAX) return false;
    if (!g->begun) {
        struct grid_row row = {g->n, g->n, g->number};
        if (g->n_rows == UINT32_MAX) return false;
        RSP_PUSH(g->rows, g->n_rows, g->row_capacity, row);
        g->begun = true;
    }
    struct grid_cell cell = {text, (uint32_t) length, (uint16_t) column, quoted, (int8_t) missing};
    RSP_PUSH(g->cells, g->n, g->capacity, cell);
    g->rows[g->n_rows - 1].to = g->n;
    if (column + 1 > g->n_columns) g->n_columns = column + 1;
    return g->n_rows * g->n_columns <= MOST_PLACES;
}

size_t rsp_grid_rows(const rsp_grid *g) { return g->n_rows; }
static bool copy_row(rsp_grid *to, const rsp_grid *from, size_t row, size_t shift) {
    for (size_t k = from->rows[row].from; k < from->rows[row].to; k++) {
        const struct grid_cell *c = &from->cells[k];
        const char *text = shift ? rsp_grid_keep(to, c->text, c->length) : c->text;
        if (!rsp_grid_put(to, c->column + shift, text, c->length, c->quoted, c->missing)) return false;
    }
    return true;
}

bool rsp_grid_join(rsp_grid *g, const rsp_grid *more) {
    rsp_grid *both = rsp_grid_new();
    bool good = true;
    for (size_t i = 0, j = 0; good && (i < g->n_rows || j < more->n_rows);) {
        bool left = i < g->n_rows && (j == more->n_rows || g->rows[i].number <= more->rows[j].number);
        uint32_t number = left ? g->rows[i].number : more->rows[j].number;
        bool right = j < more->n_rows && more->rows[j].number == number;
        rsp_grid_row(both, number);
        if (left) good = copy_row(both, g, i++, 0);
        if (right) good = good && copy_row(both, more, j++, g->n_columns);
    }
    free(g->rows);
    free(g->cells);
    g->rows = both->rows;
    g->cells = both->cells;
    g->n_rows = both->n_rows;
    g->row_capacity = both->row_capacity;
    g->n = both->n;
    g->capacity = both->capacity;
    g->n_columns = both->n_columns;
    rsp_grid_adopt(g, both->arena);
    free(both);
    return good;
}

static void grid_drop(rsp_grid *g, size_t n) {
    g->n_rows -= n;
    memmove(g->rows, g->rows + n, g->n_rows * sizeof *g->rows);
}

static void grid_read(const rsp_table_data *t, size_t from, size_t to, rsp_room *room, rsp_cell *cells) {
    const rsp_grid *g = t->grid;
    (void) room;
    for (size_t i = from; i < to; i++, cells += t->n_columns) {
        for (size_t j = 0; j < t->n_columns; j++) cells[j] = (rsp_cell){"", 0, false, 0};
        for (size_t k = g->rows[i].from; k < g->rows[i].to; k++) {
            const struct grid_cell *c = &g->cells[k];
            if (c->column < t->n_columns) cells[c->column] = (rsp_cell){c->text, c->length, c->quoted, c->missing};
        }
    }
}

void rsp_table_hold(rsp_table_data *t, rsp_grid *g) {
    assert(g->n_rows == t->n_records);
    free(t->records);
    free(t->heap);
    t->records = NULL;
    t->heap = NULL;
    t->text = NULL;
    rsp_grid_free(t->grid);
    t->grid = g;
    t->read = grid_read;
    memset(t->top, 0, sizeof t->top);
}

rsp_table_data *rsp_grid_table(rsp_grid *g, const char *path, const char *format, rsp_diag *d) {
    if (!g->n_rows) {
        rsp_report(d, RSP_ERR_DATA, (rsp_loc){path, 0, 0}, "a table begins with a row of headings",
                   "it holds no cells");
        rsp_grid_free(g);
        return NULL;
    }
    rsp_table_data *t = rsp_calloc(1, sizeof *t);
    t->arena = rsp_arena_new();
    t->path = path;
    t->format = format;
    t->encoding = "UTF-8";
    t->encoding_why = "the format's own";
    t->grid = g;
    t->rows_not_lines = true;
    t->n_columns = g->n_columns;
    t->n_records = g->n_rows;
    t->line = rsp_malloc((g->n_rows + 1) * sizeof *t->line);
    for (size_t i = 0; i < g->n_rows; i++) t->line[i] = g->rows[i].number;
    for (size_t k = 0; k < g->n && !t->comma_in_cells; k++)
        t->comma_in_cells = memchr(g->cells[k].text, ',', g->cells[k].length) != NULL;
    t->read = grid_read;
    t->headings = RSP_ARRAY(t->arena, const char *, t->n_columns);
    for (size_t k = g->rows[0].from; k < g->rows[0].to; k++)
        t->headings[g->cells[k].column] = rsp_strndup(t->arena, g->cells[k].text, g->cells[k].length);
    for (size_t j = 0; j < t->n_columns; j++)
        if (!t->headings[j]) t->headings[j] = "";
    t->heading_line = t->line[0];
    rsp_table_drop(t, 1);
    return t;
}
