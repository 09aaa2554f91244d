/* Delimited text: records by our own scan, cells by libcsv.
 *
 * The scan goes once over the bytes, knows quotes as libcsv does, and keeps each record's place and line. That gives
 * positions, lets threads parse any range of records on their own, and confines a quote that is never closed to the
 * line where it opened: libcsv alone would swallow the rest of the file. Records whose quoted cells hold no quotation
 * mark, nearly all there are, are cut in place; the others go through libcsv, whose cells are copied once. Records
 * without oddities are scanned and cut 64 bytes at a time (quick.c). */
#include "reader.h"

#include "responsive/limits.h"

#include <csv.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { SAMPLED_RECORDS = 200 };

struct scan {
    const char *text;
    size_t length;
    char delimiter;
    size_t n, capacity, n_lines, lines_capacity;
    struct rsp_record *records;
    uint32_t *lines;
    size_t limit;  /* stop after so many records */
    size_t from;   /* where the first record begins, */
    uint32_t line; /* and on which line, less one */
    uint32_t more; /* lines so far that are no rows */
    size_t n_taller, taller_capacity;
    struct rsp_taller *taller;
    rsp_lines unclosed, stray, hollow;
    rsp_seen seen; /* commas: in quoted cells */
    bool too_many;
    bool quick;     /* try quick.c first */
    bool stop[256]; /* bytes that matter outside quotes */
};

/* ---- records ---------------------------------------------------------------------------------------------------- */

static bool is_blank(char c, char delimiter) { return (c == ' ' || c == '\t') && c != delimiter; }

/* Position behind the line end at `at`. */
static size_t after_line_end(const struct scan *s, size_t at) {
    if (s->text[at] == '\r' && at + 1 < s->length && s->text[at + 1] == '\n') return at + 2;
    return at + 1;
}

static size_t line_end_from(const struct scan *s, size_t at) {
    while (at < s->length && s->text[at] != '\n' && s->text[at] != '\r') at++;
    return at;
}

static uint32_t count_lines(const char *text, size_t from, size_t to, size_t length) {
    uint32_t n = 0;
    for (size_t i = from; i < to; i++)
        n += text[i] == '\n' || (text[i] == '\r' && !(i + 1 < length && text[i + 1] == '\n'));
    return n;
}

/* From behind an opening quote to behind the quote that closes the cell, with blanks after it. False: it never closes,
 * which shows at the end of the file, or where a later line goes on after what would be the closing quote. */
static bool skip_quoted(struct scan *s, size_t open, size_t *behind) {
    size_t at = open;
    bool line_passed = false, stray = false;
    while (at < s->length && at - open <= RSP_MOST_CELL_BYTES) {
        size_t reach = s->length - at < RSP_MOST_CELL_BYTES ? s->length : at + RSP_MOST_CELL_BYTES, close = at;
        for (; close < reach && s->text[close] != '"'; close++) { /* one look at short cells, as most are */
            char c = s->text[close];
            line_passed = line_passed || c == '\n' || c == '\r';
            s->seen.comma = s->seen.comma || c == ',';
        }
        if (close == reach) return false;
        at = close + 1;
        if (at < s->length && s->text[at] == '"') { /* doubled: a quotation mark in the cell */
            at++;
            continue;
        }
        size_t next = at;
        while (next < s->length && is_blank(s->text[next], s->delimiter)) next++;
        char c = next < s->length ? s->text[next] : '\n';
        if (c == s->delimiter || c == '\n' || c == '\r') {
            if (stray) rsp_lines_add(&s->stray, s->line);
            s->seen.quoted_empty = s->seen.quoted_empty || close == open;
            *behind = next;
            return true;
        }
        if (line_passed) return false;
        stray = true; /* libcsv, too, takes the mark as part of the cell */
    }
    return false;
}

/* Reads one record from `at`; returns the position of its line end (or the end of the text). */
static size_t scan_plainly(struct scan *s, size_t at) {
    bool field_start = true;
    while (at < s->length) {
        char c = s->text[at];
        if (c == s->delimiter) {
            s->seen.bare_empty = s->seen.bare_empty || field_start;
            field_start = true;
            at++;
        } else if (c == '\n' || c == '\r') {
            break;
        } else if (c == '"') {
            at++;
            if (!field_start) continue;
            size_t behind;
            uint32_t opened = s->line;
            if (!skip_quoted(s, at, &behind)) {
                rsp_lines_add(&s->unclosed, opened);
                return line_end_from(s, at);
            }
            s->line += count_lines(s->text, at, behind, s->length);
            at = behind;
            field_start = false;
        } else {
            field_start = field_start && is_blank(c, s->delimiter);
            at++;
            while (!field_start && at < s->length && !s->stop[(unsigned char) s->text[at]]) at++;
        }
    }
    s->seen.bare_empty = s->seen.bare_empty || field_start;
    return at;
}

/* The same; quickly where that can be. */
static size_t scan_record(struct scan *s, size_t at) {
    size_t length = s->quick
                        ? rsp_quick_record(s->text + at, s->length - at, s->delimiter, RSP_MOST_CELL_BYTES, &s->seen)
                        : RSP_NONE;
    if (length == RSP_NONE) return scan_plainly(s, at);
    if (s->seen.lines_inside) s->line += count_lines(s->text, at, at + length, s->length);
    return at + length;
}

static bool only_blanks(const struct scan *s, size_t from, size_t to) {
    while (from < to && is_blank(s->text[from], s->delimiter)) from++;
    return from == to;
}

/* Delimiters and nothing in the cells between them, as spreadsheets write rows that look empty. */
static bool is_hollow(const struct scan *s, size_t from, size_t to) {
    bool parted = false;
    for (size_t at = from; at < to; at++) {
        if (s->text[at] == s->delimiter) parted = true;
        else if (s->text[at] == '"' && at + 1 < to && s->text[at + 1] == '"' &&
                 (at + 2 == to || s->text[at + 2] == s->delimiter))
            at++;
        else if (!is_blank(s->text[at], s->delimiter)) return false;
    }
    return parted;
}

static void scan_all(struct scan *s) {
    size_t at = s->from;
    s->line++;
    s->quick = s->quick && s->delimiter && !strchr("\"\r\n", s->delimiter);
    s->stop[(unsigned char) s->delimiter] = s->stop['"'] = s->stop['\n'] = s->stop['\r'] = true;
    while (at < s->length && s->n < s->limit && !s->too_many) {
        struct rsp_record r = {.offset = at};
        uint32_t line = s->line;
        rsp_seen seen = s->seen;
        size_t end = scan_record(s, at);
        bool hollow = s->n && is_hollow(s, at, end);
        if (hollow) rsp_lines_add(&s->hollow, line);
        if (hollow || only_blanks(s, at, end)) {
            s->seen = seen;
        } else {
            r.length = (uint32_t) (end - at);
            if (end - at > UINT32_MAX) s->too_many = true;
            RSP_PUSH(s->records, s->n, s->capacity, r);
            RSP_PUSH(s->lines, s->n_lines, s->lines_capacity, line);
            if (s->n == 1) s->seen = (rsp_seen){0}; /* headings do not count */
        }
        if (s->line != line) {
            s->more += s->line - line;
            struct rsp_taller taller = {line, s->more};
            RSP_PUSH(s->taller, s->n_taller, s->taller_capacity, taller);
        }
        s->line++;
        at = end < s->length ? after_line_end(s, end) : end;
        s->too_many = s->too_many || s->unclosed.n > RSP_MOST_UNCLOSED;
    }
}

/* ---- cells ------------------------------------------------------------------------------------------------------ */

struct row {
    rsp_room *room;
    rsp_cell *cells;
    size_t n, limit;
};

static void put_cell(struct row *row, const char *text, size_t length, bool quoted) {
    if (row->n < row->limit) row->cells[row->n] = (rsp_cell){text, (uint32_t) length, quoted, 0};
    row->n++;
}

/* libcsv's memory is good during the callback only. */
static void on_cell(void *text, size_t length, void *context) {
    struct row *row = context;
    char *copy = row->room->bytes + row->room->used;
    if (text && length) memcpy(copy, text, length);
    row->room->used += length;
    put_cell(row, copy, length, text != NULL);
}

/* Cuts the record at its delimiters without copying. False, with row->n to be set back, where a quotation mark is
 * doubled, stray or never closed. Cells are short: a plain loop beats a call that looks for the next sign. */
static bool cut_in_place(const char *text, size_t length, char delimiter, struct row *row) {
    const char *end = text + length;
    for (;; text++) {
        while (text < end && is_blank(*text, delimiter)) text++;
        const char *first = text, *last;
        bool quoted = text < end && *text == '"';
        if (quoted) {
            first++;
            for (last = first; last < end && *last != '"';) last++;
            if (last == end) return false;
            for (text = last + 1; text < end && is_blank(*text, delimiter);) text++;
            if (text < end && *text != delimiter) return false;
        } else {
            for (; text < end && *text != delimiter; text++)
                if (*text == '"') return false;
            for (last = text; last > first && is_blank(last[-1], delimiter);) last--;
        }
        put_cell(row, first, (size_t) (last - first), quoted);
        if (text == end) return true;
    }
}

static void cut_quoted(const char *text, size_t length, char delimiter, struct row *row) {
    csv_set_delim(row->room->parser, (unsigned char) delimiter);
    csv_parse(row->room->parser, text, length, on_cell, NULL, row);
    csv_fini(row->room->parser, on_cell, NULL, row);
}

/* A room is as large as the bytes it was cut from: unquoting only makes cells shorter. */
static void room_reserve(rsp_room *room, size_t bytes) {
    if (!room->parser) {
        room->parser = rsp_calloc(1, sizeof *room->parser);
        if (csv_init(room->parser, CSV_EMPTY_IS_NULL) != 0) abort();
        csv_set_realloc_func(room->parser, rsp_realloc);
    }
    rsp_room_reserve(room, bytes);
}

void rsp_room_reserve(rsp_room *room, size_t bytes) {
    if (bytes > room->capacity) {
        room->bytes = rsp_realloc(room->bytes, bytes);
        room->capacity = bytes;
    }
    room->used = 0;
}

void rsp_room_free(rsp_room *r) {
    if (r->parser) csv_free(r->parser);
    free(r->parser);
    free(r->bytes);
    *r = (rsp_room){0};
}

/* Number of cells in the record; at most `limit` are stored. */
static size_t cut_plainly(const char *text, size_t length, char delimiter, rsp_room *room, rsp_cell *cells,
                          size_t limit) {
    struct row row = {room, cells, 0, limit};
    if (!cut_in_place(text, length, delimiter, &row)) {
        row.n = 0;
        cut_quoted(text, length, delimiter, &row);
    }
    return row.n;
}

static size_t cut_record(const rsp_table_data *t, const struct rsp_record *r, rsp_room *room, rsp_cell *cells,
                         size_t limit) {
    const char *text = t->text + r->offset;
    size_t behind = t->text_length - r->offset - r->length;
    size_t n = t->plain ? RSP_NONE : rsp_quick_cut(text, r->length, behind, t->delimiter, cells, limit);
    return n != RSP_NONE ? n : cut_plainly(text, r->length, t->delimiter, room, cells, limit);
}

static void read_cells(const rsp_table_data *t, size_t from, size_t to, rsp_room *room, rsp_cell *cells) {
    size_t bytes = 1;
    for (size_t i = from; i < to; i++) bytes += t->records[i].length;
    room_reserve(room, bytes);
    for (size_t i = from; i < to; i++, cells += t->n_columns) {
        size_t n = cut_record(t, &t->records[i], room, cells, t->n_columns);
        if (n < t->n_columns) rsp_lines_add(&room->fewer, t->line[i]);
        if (n > t->n_columns) rsp_lines_add(&room->more, t->line[i]);
        for (size_t j = n; j < t->n_columns; j++) cells[j] = (rsp_cell){"", 0, false, 0};
    }
}

/* ---- which delimiter -------------------------------------------------------------------------------------------- */

static void scan_free(struct scan *s) {
    free(s->records);
    free(s->lines);
    free(s->taller);
}

/* Cells of a record that the scan has found. */
static size_t count_cells(const struct scan *s, const struct rsp_record *r, rsp_room *room) {
    const char *text = s->text + r->offset;
    size_t behind = s->length - r->offset - r->length;
    size_t n = s->quick ? rsp_quick_cut(text, r->length, behind, s->delimiter, NULL, 0) : RSP_NONE;
    if (n != RSP_NONE) return n;
    room_reserve(room, r->length + 1u);
    return cut_plainly(text, r->length, s->delimiter, room, NULL, 0);
}

/* Share of the first records, `limit` at most, that have as many cells as the first of them; 0 if that has one. */
static double share_alike(const char *text, size_t length, char delimiter, size_t limit, size_t *columns) {
    struct scan s = {.text = text, .length = length, .delimiter = delimiter, .limit = limit, .quick = true};
    rsp_room room = {0};
    size_t same = 0;
    scan_all(&s);
    *columns = s.n ? count_cells(&s, &s.records[0], &room) : 0;
    for (size_t i = 0; i<s.n && * columns> 1; i++) same += i == 0 || count_cells(&s, &s.records[i], &room) == *columns;
    double share = same ? (double) same / (double) s.n : 0;
    rsp_room_free(&room);
    scan_free(&s);
    return share;
}

/* Share of the first records that have as many cells as the last of them, if most have. */
static double agreement_below(const char *text, size_t length, char delimiter, size_t *columns) {
    struct scan s = {.text = text, .length = length, .delimiter = delimiter, .limit = SAMPLED_RECORDS, .quick = true};
    rsp_room room = {0};
    size_t same = 0;
    scan_all(&s);
    *columns = s.n ? count_cells(&s, &s.records[s.n - 1], &room) : 0;
    for (size_t i = 0; i<s.n && * columns> 1; i++) same += count_cells(&s, &s.records[i], &room) == *columns;
    double share = 2 * same > s.n ? (double) same / (double) s.n : 0;
    rsp_room_free(&room);
    scan_free(&s);
    return share;
}

/* Of a sample. What does not part the first record is no delimiter, and the plain functions would be slow to find no more. */
static double agreement(const char *text, size_t length, char delimiter, size_t *columns) {
    if (share_alike(text, length, delimiter, 1, columns) == 0) return 0;
    return share_alike(text, length, delimiter, SAMPLED_RECORDS, columns);
}

typedef double agreement_fn(const char *text, size_t length, char delimiter, size_t *columns);

static char delimiter_by(agreement_fn *of, const char *text, size_t length, double *sure) {
    static const char candidates[] = {',', ';', '\t'};
    char chosen = ',';
    double best = 0;
    size_t best_columns = 0;
    for (size_t k = 0; k < sizeof candidates; k++) {
        size_t columns;
        double share = of(text, length, candidates[k], &columns);
        if (share > best || (share == best && share > 0 && columns > best_columns)) {
            best = share;
            best_columns = columns;
            chosen = candidates[k];
        }
    }
    *sure = best;
    return chosen;
}

/* A title of one cell above the headings is parted by nothing: then what the records below agree in. */
static char detect_delimiter(const char *text, size_t length, double *sure) {
    double below;
    char chosen = delimiter_by(agreement, text, length, sure);
    return *sure > 0 ? chosen : delimiter_by(agreement_below, text, length, &below);
}

/* `sep=;` in the first line tells a spreadsheet program the delimiter, and is no record. */
static size_t behind_named_delimiter(const char *text, size_t length, char *delimiter) {
    if (length < 6 || strncasecmp(text, "sep=", 4) != 0 || !strchr(",;\t|", text[4])) return 0;
    size_t end = text[5] == '\r' && length > 6 && text[6] == '\n' ? 7 : 6;
    if (text[5] != '\r' && text[5] != '\n') return 0;
    if (!*delimiter) *delimiter = text[4];
    return end;
}

/* ---- the table -------------------------------------------------------------------------------------------------- */

static void report_scan(const struct scan *s, const char *path, rsp_diag *d) {
    char text[128];
    if (s->unclosed.n)
        rsp_report(d, RSP_WARNING, (rsp_loc){path, (int) s->unclosed.first[0], 0},
                   "close the quotation mark; the record was taken to end with its line",
                   "a quotation mark opens a cell and is never closed (%s)", rsp_lines_text(&s->unclosed, text));
    if (s->stray.n)
        rsp_report(d, RSP_WARNING, (rsp_loc){path, (int) s->stray.first[0], 0},
                   "inside a quoted cell a quotation mark is written twice",
                   "text follows a closing quotation mark (%s)", rsp_lines_text(&s->stray, text));
    if (s->hollow.n)
        rsp_report(d, RSP_NOTE, (rsp_loc){path, (int) s->hollow.first[0], 0}, NULL,
                   "%zu row%s nothing in %s cells and %s no respondent%s (%s)", s->hollow.n,
                   s->hollow.n == 1 ? " has" : "s have", s->hollow.n == 1 ? "its" : "their",
                   s->hollow.n == 1 ? "is" : "are", s->hollow.n == 1 ? "" : "s", rsp_lines_text(&s->hollow, text));
}

static bool check_scan(const struct scan *s, const char *path, rsp_diag *d) {
    if (s->too_many) {
        rsp_report(d, RSP_ERR_DATA, (rsp_loc){path, (int) s->unclosed.first[0], 0},
                   "export the file again, with quotation marks doubled inside cells",
                   "more than %d quotation marks are never closed: the cells cannot be told apart", RSP_MOST_UNCLOSED);
        return false;
    }
    if (!s->n) {
        rsp_report(d, RSP_ERR_DATA, (rsp_loc){path, 0, 0}, "a table begins with a row of headings",
                   "the file is empty");
        return false;
    }
    return true;
}

/* All cells of a record, kept as texts. */
static size_t texts_of(const rsp_table_data *t, const struct rsp_record *r, const char ***texts) {
    rsp_room room = {0};
    room_reserve(&room, r->length + 1u);
    size_t n = cut_record(t, r, &room, NULL, 0);
    rsp_cell *cells = rsp_calloc(n, sizeof *cells);
    room.used = 0;
    cut_record(t, r, &room, cells, n);
    *texts = RSP_ARRAY(t->arena, const char *, n);
    for (size_t j = 0; j < n; j++) (*texts)[j] = rsp_strndup(t->arena, cells[j].text, cells[j].length);
    free(cells);
    rsp_room_free(&room);
    return n;
}

static void head_from(rsp_table_data *t, const struct rsp_record *r) { t->n_columns = texts_of(t, r, &t->headings); }

size_t rsp_delimited_texts(const rsp_table_data *t, size_t k, const char ***cells) {
    return texts_of(t, &t->records[k], cells);
}

static bool check_width(const rsp_table_data *t, uint32_t line, rsp_diag *d) {
    if (t->n_columns <= RSP_MOST_COLUMNS) return true;
    rsp_report(d, RSP_ERR_DATA, (rsp_loc){t->path, (int) line, 0}, "check the delimiter",
               "the first record has %zu columns; at most %d are read", t->n_columns, RSP_MOST_COLUMNS);
    return false;
}

void rsp_delimited_head(rsp_table_data *t, size_t k) {
    size_t before = t->n_columns;
    head_from(t, &t->records[k]);
    if (t->n_columns > RSP_MOST_COLUMNS) t->n_columns = RSP_MOST_COLUMNS;
    if (t->n_columns != before) t->info = NULL;
}

static bool has_comma_in_cells(const struct scan *s) {
    if (s->delimiter != ',') return memchr(s->text, ',', s->length) != NULL;
    return s->seen.comma || s->unclosed.n;
}

static rsp_table_data *open_text(rsp_buf *raw, const char *path, const char *encoding, char delimiter, bool plain,
                                 rsp_diag *d) {
    rsp_decoded text;
    if (!rsp_decode(raw, encoding, path, &text, d)) return NULL;
    rsp_table_data *t = rsp_calloc(1, sizeof *t);
    t->arena = rsp_arena_new();
    t->path = path;
    t->format = "text";
    t->encoding = text.encoding;
    t->encoding_why = text.why;
    t->heap = text.heap;
    t->text = text.text;
    t->text_length = text.length;
    size_t from = behind_named_delimiter(text.text, text.length, &delimiter);
    t->delimiter = delimiter ? delimiter : detect_delimiter(text.text, text.length, &t->agreement);
    struct scan s = {.text = text.text,
                     .length = text.length,
                     .delimiter = t->delimiter,
                     .limit = SIZE_MAX,
                     .quick = !plain,
                     .from = from,
                     .line = from > 0};
    scan_all(&s);
    t->plain = !s.quick;
    report_scan(&s, path, d);
    bool good = check_scan(&s, path, d);
    if (good) head_from(t, &s.records[0]);
    if (!good || !check_width(t, s.lines[0], d)) {
        scan_free(&s);
        rsp_table_close(t);
        return NULL;
    }
    t->n_records = s.n;
    t->records = s.records;
    t->line = s.lines;
    t->n_taller = s.n_taller;
    t->taller = s.taller;
    t->heading_line = s.lines[0];
    rsp_table_drop(t, 1);
    t->bare_empty = s.seen.bare_empty;
    t->quoted_empty = s.seen.quoted_empty;
    t->comma_in_cells = has_comma_in_cells(&s);
    t->read = read_cells;
    return t;
}

rsp_table_data *rsp_delimited_open(rsp_buf *raw, const char *path, const char *encoding, char delimiter, rsp_diag *d) {
    return open_text(raw, path, encoding, delimiter, false, d);
}

rsp_table_data *rsp_delimited_open_plain(rsp_buf *raw, const char *path, const char *encoding, char delimiter,
                                         rsp_diag *d) {
    return open_text(raw, path, encoding, delimiter, true, d);
}
