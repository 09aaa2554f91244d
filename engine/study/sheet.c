/* See sheet.h. libcsv knows what is quoted but not where it stands, so a scan of the same grammar (libcsv's strict
 * mode) notes the places of the cells first; the k-th cell of the parser is the k-th place of the scan. */
#include "study/sheet.h"

#include "responsive/limits.h"

#include <csv.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    int line, column;
} place;

typedef struct {
    const char *path, *bytes;
    size_t length;
    char delimiter;
    rsp_arena *arena;
    rsp_diag *diag;
    place *places;
    size_t n_places, cap_places;
    rsp_cell *cells; /* of all rows, as long as they are */
    size_t n_cells, cap_cells;
    size_t *ends; /* cells before the end of each row */
    size_t n_rows, cap_rows;
} reader;

static rsp_loc at(const reader *r, place p) { return (rsp_loc){r->path, p.line, p.column}; }

static place place_of(const reader *r, size_t offset) {
    place p = {1, 1};
    for (size_t k = 0; k < offset && k < r->length; k++) {
        unsigned char c = (unsigned char) r->bytes[k];
        if (c == '\n' || (c == '\r' && !(k + 1 < r->length && r->bytes[k + 1] == '\n'))) p = (place){p.line + 1, 1};
        else if ((c & 0xC0) != 0x80) p.column++;
    }
    return p;
}

/* Length of the UTF-8 character at p, 0 if it is none (overlong forms and surrogates are none). */
static size_t utf8_length(const unsigned char *p, size_t left) {
    if (p[0] < 0x80) return 1;
    size_t n = p[0] >= 0xC2 && p[0] < 0xE0 ? 2 : (p[0] & 0xF0) == 0xE0 ? 3 : p[0] >= 0xF0 && p[0] < 0xF5 ? 4 : 0;
    if (!n || n > left) return 0;
    for (size_t k = 1; k < n; k++)
        if ((p[k] & 0xC0) != 0x80) return 0;
    if ((p[0] == 0xE0 && p[1] < 0xA0) || (p[0] == 0xED && p[1] > 0x9F) || (p[0] == 0xF0 && p[1] < 0x90) ||
        (p[0] == 0xF4 && p[1] > 0x8F))
        return 0;
    return n;
}

static bool is_text(const reader *r) {
    for (size_t k = 0; k < r->length;) {
        size_t n = utf8_length((const unsigned char *) r->bytes + k, r->length - k);
        if (!n || !r->bytes[k]) {
            rsp_report(r->diag, RSP_ERR_STUDY, at(r, place_of(r, k)), "save the file as CSV in UTF-8",
                       n ? "a NUL character" : "not UTF-8 text");
            return false;
        }
        k += n;
    }
    return true;
}

static char heading_delimiter(const reader *r) {
    size_t n[3] = {0, 0, 0};
    for (size_t k = 0; k < r->length && r->bytes[k] != '\n' && r->bytes[k] != '\r'; k++) {
        n[0] += r->bytes[k] == ',';
        n[1] += r->bytes[k] == ';';
        n[2] += r->bytes[k] == '\t';
    }
    return n[0] >= n[1] && n[0] >= n[2] ? ',' : n[1] >= n[2] ? ';' : '\t';
}

typedef struct {
    size_t k;
    place p;
} cursor;

static void step(const reader *r, cursor *c) {
    unsigned char b = (unsigned char) r->bytes[c->k++];
    if (b == '\n' || (b == '\r' && !(c->k < r->length && r->bytes[c->k] == '\n'))) c->p = (place){c->p.line + 1, 1};
    else if ((b & 0xC0) != 0x80 && b != '\r') c->p.column++;
}

static bool blank(const reader *r, char c) { return (c == ' ' || c == '\t') && c != r->delimiter; }

/* Notes where one cell starts and moves behind it. False if its quotes do not close. */
static bool scan_cell(reader *r, cursor *c) {
    while (c->k < r->length && blank(r, r->bytes[c->k])) step(r, c);
    bool quoted = c->k < r->length && r->bytes[c->k] == '"';
    cursor start = *c;
    if (quoted) step(r, c);
    RSP_PUSH(r->places, r->n_places, r->cap_places, c->p);
    bool inside = quoted;
    while (c->k < r->length) {
        char b = r->bytes[c->k];
        if (quoted && b == '"') inside = !inside;
        if (!inside && (b == r->delimiter || b == '\n' || b == '\r')) break;
        step(r, c);
    }
    if (inside)
        rsp_report(r->diag, RSP_ERR_STUDY, at(r, start.p), "a quotation mark inside a text is written twice",
                   "the quotation mark that opens this cell is never closed");
    return !inside;
}

static bool scan(reader *r) {
    cursor c = {0, {1, 1}};
    while (c.k < r->length) {
        if (blank(r, r->bytes[c.k]) || r->bytes[c.k] == '\n' || r->bytes[c.k] == '\r') {
            step(r, &c);
            continue;
        }
        for (;;) {
            if (!scan_cell(r, &c)) return false;
            if (c.k >= r->length || r->bytes[c.k] != r->delimiter) break;
            step(r, &c);
        }
    }
    return true;
}

static void on_cell(void *bytes, size_t length, void *context) {
    reader *r = context;
    place p = r->n_cells < r->n_places ? r->places[r->n_cells] : (place){0, 0};
    rsp_cell cell = {rsp_strndup(r->arena, bytes ? bytes : "", length), at(r, p)};
    RSP_PUSH(r->cells, r->n_cells, r->cap_cells, cell);
}

static void on_row(int last, void *context) {
    reader *r = context;
    (void) last;
    RSP_PUSH(r->ends, r->n_rows, r->cap_rows, r->n_cells);
}

static bool parse(reader *r) {
    struct csv_parser csv;
    if (csv_init(&csv, CSV_STRICT | CSV_STRICT_FINI) != 0) return false;
    csv_set_delim(&csv, (unsigned char) r->delimiter);
    size_t done = csv_parse(&csv, r->bytes, r->length, on_cell, on_row, r);
    bool whole = done == r->length && csv_fini(&csv, on_cell, on_row, r) == 0;
    if (!whole)
        rsp_report(r->diag, RSP_ERR_STUDY, at(r, place_of(r, done ? done - 1 : 0)),
                   "put the whole cell in quotation marks and write those inside it twice",
                   "a quotation mark in the middle of a cell");
    csv_free(&csv);
    return whole;
}

/* Even an empty surplus cell tells of a comma that has pushed the cells after it to the right. */
static void check_length(const reader *r, const rsp_cell *row, size_t n, size_t n_columns) {
    if (n > n_columns)
        rsp_report(r->diag, RSP_ERR_STUDY, row[n_columns].loc, "a text with a comma needs quotation marks",
                   "the row has %zu cells, the heading %zu", n, n_columns);
}

static bool rectangle(reader *r, rsp_sheet *out) {
    size_t n_columns = r->n_rows ? r->ends[0] : 0;
    if (!n_columns || n_columns > RSP_MOST_SHEET_COLUMNS) {
        rsp_report(r->diag, RSP_ERR_STUDY, (rsp_loc){r->path, 1, 1}, NULL,
                   n_columns ? "more than 1000 columns" : "the file is empty");
        return false;
    }
    *out = (rsp_sheet){r->path, n_columns, RSP_ARRAY(r->arena, rsp_cell, n_columns), r->n_rows - 1,
                       RSP_ARRAY(r->arena, rsp_cell, (r->n_rows - 1) * n_columns)};
    memcpy(out->head, r->cells, n_columns * sizeof *r->cells);
    for (size_t i = 1; i < r->n_rows; i++) {
        const rsp_cell *row = r->cells + r->ends[i - 1];
        size_t n = r->ends[i] - r->ends[i - 1];
        check_length(r, row, n, n_columns);
        for (size_t k = 0; k < n_columns; k++)
            out->cells[(i - 1) * n_columns + k] = k < n ? row[k] : (rsp_cell){"", row[0].loc};
    }
    return true;
}

static bool read_all(reader *r, rsp_sheet *out) {
    if (r->length > RSP_MOST_SHEET_BYTES) {
        rsp_report(r->diag, RSP_ERR_STUDY, (rsp_loc){r->path, 0, 0}, "is it the questionnaire, and not an export?",
                   "the file is larger than %d MiB", RSP_MOST_SHEET_BYTES >> 20);
        return false;
    }
    if (!is_text(r)) return false;
    r->delimiter = heading_delimiter(r);
    return scan(r) && parse(r) && rectangle(r, out);
}

bool rsp_sheet_read(rsp_arena *a, const char *path, rsp_loc from, rsp_sheet *out, rsp_diag *d) {
    rsp_buf file = {0};
    bool good = rsp_read_file(path, &file, d, RSP_ERR_STUDY, from);
    if (good) {
        size_t bom = file.length >= 3 && memcmp(file.data, "\xEF\xBB\xBF", 3) == 0 ? 3 : 0;
        reader r = {.path = rsp_strdup(a, path),
                    .bytes = file.length ? file.data + bom : "",
                    .length = file.length - bom,
                    .arena = a,
                    .diag = d};
        good = read_all(&r, out);
        free(r.places);
        free(r.cells);
        free(r.ends);
    }
    rsp_buf_free(&file);
    return good;
}

size_t rsp_sheet_column(const rsp_sheet *s, const char *heading) {
    for (size_t k = 0; k < s->n_columns; k++)
        if (strcmp(s->head[k].text, heading) == 0) return k;
    return RSP_NONE;
}

const rsp_cell *rsp_sheet_cell(const rsp_sheet *s, size_t row, size_t column) {
    static const rsp_cell empty = {"", {NULL, 0, 0}};
    return column == RSP_NONE ? &empty : &s->cells[row * s->n_columns + column];
}
