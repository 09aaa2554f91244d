/* Workbooks: .xlsx (ECMA-376, SpreadsheetML) and .ods (OpenDocument 1.2), unzipped by libzip and read as a stream by
 * libxml2. What is inflated, the number of cells and their text are bounded, and documents with a DTD are refused, so
 * that an archive made to explode is an error and not a full memory. */
#include "reader.h"

#include "responsive/limits.h"

#include <libxml/xmlreader.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <zip.h>

enum { MOST_SHEETS = 255, MOST_ROW = 1048576, MOST_STYLES = 65536 };

struct sheet {
    const char *name, *part; /* part: its file in the archive; NULL in .ods */
};

struct book {
    const char *path;
    zip_t *zip;
    rsp_arena *arena;
    rsp_diag *diag;
    size_t inflated;
    bool failed; /* reported */
    size_t n_sheets;
    struct sheet sheets[MOST_SHEETS];
    size_t n_shared, shared_capacity;
    const char **shared;
    size_t n_styles;
    char *styles; /* of a cell: d date, t time of day, b both, 0 neither */
    bool from_1904;
    rsp_lines formulas; /* rows of the sheet with formulas that were never computed */
};

static void fail(struct book *b, const char *what, const char *remedy) {
    if (!b->failed) rsp_report(b->diag, RSP_ERR_DATA, (rsp_loc){b->path, 0, 0}, remedy, "%s", what);
    b->failed = true;
}

static void fail_damaged(struct book *b) {
    fail(b, "the workbook is damaged", "open it in a spreadsheet program and save it again, or export it as CSV");
}

static void fail_large(struct book *b) {
    fail(b, "the workbook holds more than can be read", "export the answers as CSV");
}

/* ---- parts of the archive --------------------------------------------------------------------------------------- */

struct part {
    struct book *book;
    zip_file_t *file;
    xmlTextReaderPtr xml;
};

static int read_part(void *context, char *into, int length) {
    struct part *p = context;
    zip_int64_t n = zip_fread(p->file, into, (zip_uint64_t) length);
    if (n < 0) return -1;
    p->book->inflated += (size_t) n;
    if (p->book->inflated <= RSP_MOST_INFLATED) return (int) n;
    fail_large(p->book);
    return -1;
}

static void ignore_error(void *context, const char *message, xmlParserSeverities severity,
                         xmlTextReaderLocatorPtr locator) {
    (void) context, (void) message, (void) severity, (void) locator;
}

static bool part_open(struct part *p, struct book *b, const char *name) {
    *p = (struct part){.book = b, .file = zip_fopen(b->zip, name, 0)};
    if (!p->file) return false;
    p->xml = xmlReaderForIO(read_part, NULL, p, NULL, NULL, XML_PARSE_NONET | XML_PARSE_COMPACT);
    if (!p->xml) abort();
    xmlTextReaderSetErrorHandler(p->xml, ignore_error, NULL);
    return true;
}

/* Next node; false at the end and, reported, where the document is broken. */
static bool part_next(struct part *p) {
    int rc = p->book->failed ? -1 : xmlTextReaderRead(p->xml);
    if (rc == 1 && xmlTextReaderNodeType(p->xml) == XML_READER_TYPE_DOCUMENT_TYPE) {
        fail(p->book, RSP_XML_TYPED, "open it in a spreadsheet program and save it again, or export it as CSV");
        return false;
    }
    if (rc == 1 && xmlTextReaderDepth(p->xml) > RSP_MOST_XML_DEPTH) rc = -1;
    if (rc < 0) fail_damaged(p->book);
    return rc == 1;
}

static void part_close(struct part *p) {
    if (p->xml) xmlFreeTextReader(p->xml);
    if (p->file) zip_fclose(p->file);
}

static bool at_start(const struct part *p, const char *name) {
    return xmlTextReaderNodeType(p->xml) == XML_READER_TYPE_ELEMENT &&
           strcmp((const char *) xmlTextReaderConstLocalName(p->xml), name) == 0;
}

static bool at_end(const struct part *p, const char *name) {
    return xmlTextReaderNodeType(p->xml) == XML_READER_TYPE_END_ELEMENT &&
           strcmp((const char *) xmlTextReaderConstLocalName(p->xml), name) == 0;
}

static bool is_empty(const struct part *p) { return xmlTextReaderIsEmptyElement(p->xml) == 1; }

/* The attribute's value by its local name, in the arena or NULL. */
static const char *attribute(const struct part *p, const char *name, rsp_arena *a) {
    const char *value = NULL;
    for (int more = xmlTextReaderMoveToFirstAttribute(p->xml); more == 1 && !value;
         more = xmlTextReaderMoveToNextAttribute(p->xml))
        if (strcmp((const char *) xmlTextReaderConstLocalName(p->xml), name) == 0)
            value = rsp_strdup(a, (const char *) xmlTextReaderConstValue(p->xml));
    xmlTextReaderMoveToElement(p->xml);
    return value;
}

/* The same into a buffer, for the many cells. False if there is none. */
static bool attribute_into(const struct part *p, const char *name, char *into, size_t room) {
    bool found = false;
    for (int more = xmlTextReaderMoveToFirstAttribute(p->xml); more == 1 && !found;
         more = xmlTextReaderMoveToNextAttribute(p->xml)) {
        if (strcmp((const char *) xmlTextReaderConstLocalName(p->xml), name) != 0) continue;
        snprintf(into, room, "%s", (const char *) xmlTextReaderConstValue(p->xml));
        found = true;
    }
    xmlTextReaderMoveToElement(p->xml);
    return found;
}

static bool at_text(const struct part *p) {
    int type = xmlTextReaderNodeType(p->xml);
    return type == XML_READER_TYPE_TEXT || type == XML_READER_TYPE_CDATA ||
           type == XML_READER_TYPE_SIGNIFICANT_WHITESPACE;
}

/* ---- dates and numbers ------------------------------------------------------------------------------------------- */

/* d, t, b or 0 for a number format: which of year, day, hour and second it has, outside quotes, colours and [h]. */
static char format_kind(const char *code) {
    bool date = false, clock = false;
    for (const char *c = code; *c && *c != ';'; c++) {
        if (*c == '"') {
            c = strchr(c + 1, '"');
            if (!c) break;
        } else if (*c == '[') {
            c = strchr(c + 1, ']');
            if (!c) break;
        } else if (*c == '\\' || *c == '_' || *c == '*') {
            if (!*++c) break;
        } else if (strchr("yYdD", *c)) {
            date = true;
        } else if (strchr("hHsS", *c)) {
            clock = true;
        } else if (strncasecmp(c, "general", 7) == 0) {
            c += 6;
        }
    }
    return date && clock ? 'b' : date ? 'd' : clock ? 't' : 0;
}

static char builtin_kind(long id) {
    if (id >= 14 && id <= 17) return 'd';
    if (id == 22) return 'b';
    if ((id >= 27 && id <= 31) || id == 36 || (id >= 50 && id <= 54) || id == 57 || id == 58) return 'd';
    return (id >= 18 && id <= 21) || (id >= 45 && id <= 47) ? 't' : 0;
}

/* A day number of a spreadsheet as ISO 8601. Excel's 1900 was a leap year: days before March of it are one off. */
static void serial_text(double serial, char kind, bool from_1904, char text[40]) {
    double days = from_1904 ? serial + 1462 : serial < 60 ? serial + 1 : serial;
    time_t seconds = (time_t) llround((days - 25569) * 86400);
    struct tm t;
    gmtime_r(&seconds, &t);
    bool clock = t.tm_hour || t.tm_min || t.tm_sec;
    if (kind == 't' && serial < 1) snprintf(text, 40, "%02d:%02d:%02d", t.tm_hour, t.tm_min, t.tm_sec);
    else if (clock || kind == 'b')
        snprintf(text, 40, "%04d-%02d-%02d %02d:%02d:%02d", t.tm_year + 1900, t.tm_mon + 1, t.tm_mday, t.tm_hour,
                 t.tm_min, t.tm_sec);
    else snprintf(text, 40, "%04d-%02d-%02d", t.tm_year + 1900, t.tm_mon + 1, t.tm_mday);
}

/* Numbers are written with all digits of their double: 0.10000000000000001 is 0.1. */
static void number_text(const struct book *b, const rsp_buf *value, char kind, rsp_buf *out) {
    double x;
    char text[40];
    out->length = 0;
    if (!rsp_parse_double(value->data, value->length, '.', &x)) {
        rsp_buf_add(out, value->data, value->length);
        return;
    }
    if (kind && x >= 0 && x < 2958466) serial_text(x, kind, b->from_1904, text); /* up to the year 9999 */
    else rsp_double_text(x, text);
    rsp_buf_puts(out, text);
}

/* ---- .xlsx ------------------------------------------------------------------------------------------------------ */

static const char *target_of(struct book *b, const char *id) {
    struct part p;
    const char *target = NULL;
    if (!part_open(&p, b, "xl/_rels/workbook.xml.rels")) return NULL;
    while (!target && part_next(&p)) {
        if (!at_start(&p, "Relationship")) continue;
        const char *own = attribute(&p, "Id", b->arena);
        if (own && strcmp(own, id) == 0) target = attribute(&p, "Target", b->arena);
    }
    part_close(&p);
    if (!target) return NULL;
    return target[0] == '/' ? target + 1 : rsp_printf(b->arena, "xl/%s", target);
}

static void read_sheet_names(struct book *b) {
    struct part p;
    const char *ids[MOST_SHEETS];
    if (!part_open(&p, b, "xl/workbook.xml")) {
        fail_damaged(b);
        return;
    }
    while (part_next(&p)) {
        if (at_start(&p, "workbookPr")) {
            const char *value = attribute(&p, "date1904", b->arena);
            b->from_1904 = value && (strcmp(value, "1") == 0 || strcmp(value, "true") == 0);
        }
        if (!at_start(&p, "sheet") || b->n_sheets == MOST_SHEETS) continue;
        ids[b->n_sheets] = attribute(&p, "id", b->arena);
        const char *name = attribute(&p, "name", b->arena);
        if (ids[b->n_sheets]) b->sheets[b->n_sheets++] = (struct sheet){name ? name : "", NULL};
    }
    part_close(&p);
    for (size_t k = 0; k < b->n_sheets && !b->failed; k++) b->sheets[k].part = target_of(b, ids[k]);
}

static void read_styles(struct book *b) {
    struct part p;
    size_t n_formats = 0, capacity = 0, style_capacity = 0;
    struct format {
        long id;
        char kind;
    } *formats = NULL;
    bool inside = false;
    char text[256];
    if (!part_open(&p, b, "xl/styles.xml")) return;
    while (part_next(&p)) {
        if (at_start(&p, "numFmt") && attribute_into(&p, "numFmtId", text, sizeof text) && n_formats < MOST_STYLES) {
            struct format f = {strtol(text, NULL, 10), 0};
            if (attribute_into(&p, "formatCode", text, sizeof text)) f.kind = format_kind(text);
            RSP_PUSH(formats, n_formats, capacity, f);
        }
        if (at_start(&p, "cellXfs")) inside = !is_empty(&p);
        if (at_end(&p, "cellXfs")) inside = false;
        if (!inside || !at_start(&p, "xf") || b->n_styles == MOST_STYLES) continue;
        long id = attribute_into(&p, "numFmtId", text, sizeof text) ? strtol(text, NULL, 10) : 0;
        char kind = builtin_kind(id);
        for (size_t k = 0; k < n_formats; k++)
            if (formats[k].id == id) kind = formats[k].kind;
        RSP_PUSH(b->styles, b->n_styles, style_capacity, kind);
    }
    free(formats);
    part_close(&p);
}

/* Texts of an element up to its end, without phonetic guides. */
static void text_until(struct part *p, const char *end, rsp_buf *text) {
    bool inside = false, phonetic = false;
    text->length = 0;
    rsp_buf_add(text, "", 0);
    if (is_empty(p)) return;
    while (part_next(p) && !at_end(p, end)) {
        if (at_start(p, "rPh")) phonetic = !is_empty(p);
        if (at_end(p, "rPh")) phonetic = false;
        if (at_start(p, "t")) inside = !is_empty(p) && !phonetic;
        if (at_end(p, "t")) inside = false;
        if (inside && at_text(p)) rsp_buf_puts(text, (const char *) xmlTextReaderConstValue(p->xml));
    }
}

static void read_shared_strings(struct book *b) {
    struct part p;
    rsp_buf text = {0};
    if (!part_open(&p, b, "xl/sharedStrings.xml")) return;
    while (part_next(&p)) {
        if (!at_start(&p, "si")) continue;
        text_until(&p, "si", &text);
        RSP_PUSH(b->shared, b->n_shared, b->shared_capacity, rsp_strndup(b->arena, text.data, text.length));
    }
    rsp_buf_free(&text);
    part_close(&p);
}

/* "BC12" gives column 54, from 0. */
static bool cell_place(const char *reference, size_t *column) {
    size_t c = 0;
    const char *at = reference;
    for (; *at >= 'A' && *at <= 'Z' && at - reference < 4; at++) c = c * 26 + (size_t) (*at - 'A' + 1);
    if (at == reference) return false;
    *column = c - 1;
    return true;
}

struct cell_room {
    rsp_buf value, text;
};

static void put(struct book *b, rsp_grid *g, size_t column, const rsp_buf *text) {
    if (!text->length || b->failed) return;
    if (!rsp_grid_put(g, column, rsp_grid_keep(g, text->data, text->length), text->length, true, 0)) fail_large(b);
}

static void put_shared(struct book *b, rsp_grid *g, size_t column, const char *index) {
    char *end;
    unsigned long k = strtoul(index, &end, 10);
    if (end == index || k >= b->n_shared) {
        fail_damaged(b);
        return;
    }
    /* The shared texts live in the book's arena, which becomes the table's. */
    size_t length = strlen(b->shared[k]);
    if (length && !rsp_grid_put(g, column, b->shared[k], length, true, 0)) fail_large(b);
}

static void read_cell(struct book *b, struct part *p, rsp_grid *g, uint32_t row, size_t *column,
                      struct cell_room *room) {
    char reference[16] = "", type[16] = "n", style[16] = "0";
    attribute_into(p, "r", reference, sizeof reference);
    attribute_into(p, "t", type, sizeof type);
    attribute_into(p, "s", style, sizeof style);
    if (*reference && !cell_place(reference, column)) fail_damaged(b);
    size_t at = (*column)++, s = strtoul(style, NULL, 10);
    bool inside = false, formula = false;
    room->value.length = 0;
    rsp_buf_add(&room->value, "", 0);
    if (is_empty(p)) return;
    while (part_next(p) && !at_end(p, "c")) {
        if (at_start(p, "is")) {
            text_until(p, "is", &room->value);
            put(b, g, at, &room->value);
            room->value.length = 0;
        }
        if (at_start(p, "f")) formula = true;
        if (at_start(p, "v")) inside = !is_empty(p);
        if (at_end(p, "v")) inside = false;
        if (inside && at_text(p)) rsp_buf_puts(&room->value, (const char *) xmlTextReaderConstValue(p->xml));
    }
    if (formula && !room->value.length && strcmp(type, "str") != 0) rsp_lines_add(&b->formulas, row);
    if (!room->value.length || b->failed) return;
    if (strcmp(type, "s") == 0) {
        put_shared(b, g, at, room->value.data);
    } else if (strcmp(type, "n") == 0) {
        number_text(b, &room->value, s < b->n_styles ? b->styles[s] : 0, &room->text);
        put(b, g, at, &room->text);
    } else if (strcmp(type, "b") == 0) {
        room->text.length = 0;
        rsp_buf_puts(&room->text, room->value.data[0] == '1' ? "TRUE" : "FALSE");
        put(b, g, at, &room->text);
    } else {
        put(b, g, at, &room->value); /* text of a formula, ISO date, error */
    }
}

static void read_xlsx_sheet(struct book *b, size_t k, rsp_grid *g) {
    struct part p;
    struct cell_room room = {{0}, {0}};
    size_t row = 0, column = 0;
    char number[16];
    if (!b->sheets[k].part || !part_open(&p, b, b->sheets[k].part)) {
        fail_damaged(b);
        return;
    }
    while (part_next(&p)) {
        if (at_start(&p, "row")) {
            row = attribute_into(&p, "r", number, sizeof number) ? strtoul(number, NULL, 10) : row + 1;
            if (!row || row > MOST_ROW) fail_damaged(b);
            rsp_grid_row(g, (uint32_t) row);
            column = 0;
        } else if (at_start(&p, "c")) {
            read_cell(b, &p, g, (uint32_t) row, &column, &room);
        }
    }
    rsp_buf_free(&room.value);
    rsp_buf_free(&room.text);
    part_close(&p);
}

/* ---- .ods ------------------------------------------------------------------------------------------------------- */

static void read_ods_names(struct book *b) {
    struct part p;
    if (!part_open(&p, b, "content.xml")) {
        fail_damaged(b);
        return;
    }
    while (part_next(&p)) {
        if (!at_start(&p, "table") || b->n_sheets == MOST_SHEETS) continue;
        const char *name = attribute(&p, "name", b->arena);
        b->sheets[b->n_sheets++] = (struct sheet){name ? name : "", NULL};
    }
    part_close(&p);
}

static size_t repeats(const struct part *p, const char *name) {
    char text[24];
    if (!attribute_into(p, name, text, sizeof text)) return 1;
    size_t n = strtoul(text, NULL, 10);
    return n ? n : 1;
}

/* Paragraphs of a cell, parted by line ends, without the comments that hang on it. */
static void ods_text(struct part *p, rsp_buf *text) {
    size_t comment = 0, paragraphs = 0;
    char count[16];
    text->length = 0;
    rsp_buf_add(text, "", 0);
    if (is_empty(p)) return;
    while (part_next(p) && !at_end(p, "table-cell") && !at_end(p, "covered-table-cell")) {
        if (at_start(p, "annotation") && !is_empty(p)) comment++;
        if (at_end(p, "annotation")) comment--;
        if (comment) continue;
        if (at_start(p, "p") && paragraphs++) rsp_buf_putc(text, '\n');
        if (at_start(p, "tab")) rsp_buf_putc(text, '\t');
        if (at_start(p, "line-break")) rsp_buf_putc(text, '\n');
        if (at_start(p, "s")) {
            size_t n = attribute_into(p, "c", count, sizeof count) ? strtoul(count, NULL, 10) : 1;
            for (size_t k = 0; k < n && k < 64; k++) rsp_buf_putc(text, ' ');
        }
        if (at_text(p)) rsp_buf_puts(text, (const char *) xmlTextReaderConstValue(p->xml));
    }
}

/* The value behind a cell rather than how it is shown. */
static void ods_value(struct book *b, struct part *p, struct cell_room *room) {
    char type[16] = "", value[64] = "";
    attribute_into(p, "value-type", type, sizeof type);
    bool date = strcmp(type, "date") == 0, truth = strcmp(type, "boolean") == 0;
    bool number = strcmp(type, "float") == 0 || strcmp(type, "percentage") == 0 || strcmp(type, "currency") == 0;
    bool found = (date && attribute_into(p, "date-value", value, sizeof value)) ||
                 (truth && attribute_into(p, "boolean-value", value, sizeof value)) ||
                 (number && attribute_into(p, "value", value, sizeof value));
    ods_text(p, &room->text);
    if (!found) return;
    room->value.length = 0;
    rsp_buf_puts(&room->value, value);
    if (number) {
        number_text(b, &room->value, 0, &room->text);
        return;
    }
    room->text.length = 0;
    for (const char *c = value; *c; c++) rsp_buf_putc(&room->text, date && *c == 'T' ? ' ' : *c);
}

static void read_ods_row(struct book *b, struct part *p, rsp_grid *g, struct cell_room *room, size_t row,
                         size_t times) {
    size_t column = 0, n = 0, capacity = 0;
    struct one {
        size_t column, repeated;
        const char *text;
        size_t length;
    } *cells = NULL;
    bool empty = is_empty(p);
    while (!empty && part_next(p) && !at_end(p, "table-row")) {
        if (!at_start(p, "table-cell") && !at_start(p, "covered-table-cell")) continue;
        size_t repeated = repeats(p, "number-columns-repeated");
        ods_value(b, p, room);
        if (room->text.length) {
            struct one c = {column, repeated, rsp_grid_keep(g, room->text.data, room->text.length), room->text.length};
            RSP_PUSH(cells, n, capacity, c);
        }
        column += repeated;
        if (column > MOST_ROW) column = MOST_ROW;
    }
    for (size_t r = 0; n && r < times && !b->failed; r++) {
        if (row + r > MOST_ROW) fail_large(b);
        rsp_grid_row(g, (uint32_t) (row + r));
        for (size_t k = 0; k < n && !b->failed; k++)
            for (size_t c = 0; c < cells[k].repeated && !b->failed; c++)
                if (!rsp_grid_put(g, cells[k].column + c, cells[k].text, cells[k].length, true, 0)) fail_large(b);
    }
    free(cells);
}

static void read_ods_sheet(struct book *b, size_t which, rsp_grid *g) {
    struct part p;
    struct cell_room room = {{0}, {0}};
    size_t sheet = 0, row = 1;
    if (!part_open(&p, b, "content.xml")) {
        fail_damaged(b);
        return;
    }
    while (sheet <= which + 1 && part_next(&p)) {
        if (at_start(&p, "table")) sheet++;
        if (sheet != which + 1 || !at_start(&p, "table-row")) continue;
        size_t times = repeats(&p, "number-rows-repeated");
        read_ods_row(b, &p, g, &room, row, times);
        row += times;
        if (row > MOST_ROW) row = MOST_ROW;
    }
    rsp_buf_free(&room.value);
    rsp_buf_free(&room.text);
    part_close(&p);
}

/* ---- the workbook ----------------------------------------------------------------------------------------------- */

static rsp_grid *read_sheet(struct book *b, size_t k, bool ods) {
    b->formulas = (rsp_lines){0};
    rsp_grid *g = rsp_grid_new();
    if (ods) read_ods_sheet(b, k, g);
    else read_xlsx_sheet(b, k, g);
    return g;
}

static size_t sheet_named(const struct book *b, const char *name) {
    for (size_t k = 0; k < b->n_sheets; k++)
        if (strcmp(b->sheets[k].name, name) == 0) return k;
    return RSP_NONE;
}

static const char *sheet_names(const struct book *b, size_t but) {
    rsp_buf names = {0};
    for (size_t k = 0; k < b->n_sheets; k++)
        if (k != but) rsp_buf_printf(&names, "%s'%s'", names.length ? ", " : "", b->sheets[k].name);
    const char *text = rsp_strdup(b->arena, names.data ? names.data : "");
    rsp_buf_free(&names);
    return text;
}

/* EUSurvey goes on with further columns on sheets Content1, Content2, ... */
static rsp_grid *with_continuations(struct book *b, rsp_grid *g, bool ods) {
    for (size_t k = 1; k < MOST_SHEETS; k++) {
        char name[24];
        snprintf(name, sizeof name, "Content%zu", k);
        size_t at = sheet_named(b, name);
        if (at == RSP_NONE || b->failed) break;
        rsp_grid *more = read_sheet(b, at, ods);
        if (!rsp_grid_join(g, more)) fail_large(b);
        rsp_grid_free(more);
    }
    return g;
}

/* The first sheet that has rows below one another, else the first that holds something: a note often stands in front. */
static rsp_grid *first_table(struct book *b, bool ods, size_t *chosen) {
    rsp_grid *g = NULL;
    size_t something = RSP_NONE;
    for (size_t k = 0; k < b->n_sheets && !b->failed; k++) {
        g = read_sheet(b, k, ods);
        *chosen = k;
        if (rsp_grid_rows(g) > 1) return g;
        if (rsp_grid_rows(g) && something == RSP_NONE) something = k;
        rsp_grid_free(g);
    }
    if (something == RSP_NONE || b->failed) return rsp_grid_new();
    *chosen = something;
    return read_sheet(b, something, ods);
}

/* Programs that write workbooks leave it to the spreadsheet to compute them. */
static void report_formulas(const struct book *b, const rsp_table_data *t) {
    char text[128];
    if (b->formulas.n)
        rsp_report(b->diag, RSP_WARNING, (rsp_loc){b->path, (int) b->formulas.first[0], 0},
                   "open the workbook in a spreadsheet program and save it",
                   "%zu cell%s a formula without a value and count%s as blank (%s)", b->formulas.n,
                   b->formulas.n == 1 ? " holds" : "s hold", b->formulas.n == 1 ? "s" : "",
                   rsp_rows_text(t, &b->formulas, text));
}

/* The sheet asked for; EUSurvey's; the first that holds a table. NULL: reported. */
static rsp_grid *choose_sheet(struct book *b, const char *wanted, bool ods, size_t *chosen) {
    *chosen = wanted ? sheet_named(b, wanted) : sheet_named(b, "Content");
    if (wanted && *chosen == RSP_NONE) {
        rsp_report(b->diag, RSP_ERR_DATA, (rsp_loc){b->path, 0, 0},
                   rsp_printf(b->arena, "it has %s", sheet_names(b, RSP_NONE)), "the workbook has no sheet '%s'",
                   wanted);
        b->failed = true;
        return NULL;
    }
    if (*chosen != RSP_NONE) {
        rsp_grid *g = read_sheet(b, *chosen, ods);
        return wanted ? g : with_continuations(b, g, ods);
    }
    return first_table(b, ods, chosen);
}

static rsp_table_data *table_of(struct book *b, const char *wanted, bool ods) {
    size_t chosen;
    if (ods) {
        read_ods_names(b);
    } else {
        read_sheet_names(b);
        read_styles(b);
        read_shared_strings(b);
    }
    rsp_grid *g = b->failed ? NULL : choose_sheet(b, wanted, ods, &chosen);
    if (b->failed) {
        rsp_grid_free(g);
        return NULL;
    }
    if (!wanted && sheet_named(b, "survey") != RSP_NONE && sheet_named(b, "choices") != RSP_NONE) {
        rsp_grid_free(g);
        fail(b, "this is a questionnaire (XLSForm), not a table of answers",
             "name the export of the answers; `new` takes the form beside it");
        return NULL;
    }
    rsp_table_data *t = rsp_grid_table(g, b->path, ods ? "ods" : "xlsx", b->diag);
    if (!t) return NULL;
    t->sheet = rsp_strdup(t->arena, b->sheets[chosen].name);
    report_formulas(b, t);
    bool continued = !wanted && strcmp(t->sheet, "Content") == 0;
    if (b->n_sheets > 1 && !wanted && !continued)
        rsp_report(b->diag, RSP_NOTE, (rsp_loc){b->path, 0, 0}, "give the source its `sheet` if another one is meant",
                   "sheet '%s' is read; others are not: %s", t->sheet, sheet_names(b, chosen));
    return t;
}

bool rsp_is_workbook(const rsp_buf *raw) { return raw->length > 4 && memcmp(raw->data, "PK\x03\x04", 4) == 0; }

rsp_table_data *rsp_workbook_open(rsp_buf *raw, const char *path, const char *sheet, rsp_diag *d) {
    struct book *b = rsp_calloc(1, sizeof *b);
    zip_error_t error;
    rsp_table_data *t = NULL;
    b->path = path;
    b->diag = d;
    b->arena = rsp_arena_new();
    zip_error_init(&error);
    zip_source_t *source = zip_source_buffer_create(raw->data, raw->length, 0, &error);
    if (source) b->zip = zip_open_from_source(source, ZIP_RDONLY, &error);
    if (!b->zip) {
        zip_source_free(source);
        fail_damaged(b);
    } else if (zip_name_locate(b->zip, "xl/workbook.xml", 0) >= 0) {
        t = table_of(b, sheet, false);
    } else if (zip_name_locate(b->zip, "content.xml", 0) >= 0) {
        t = table_of(b, sheet, true);
    } else {
        fail(b, "this is a zip archive, not a workbook", "unpack it, and name the files in it");
    }
    if (b->zip) zip_discard(b->zip);
    zip_error_fini(&error);
    if (t) rsp_grid_adopt(t->grid, b->arena); /* shared texts */
    else rsp_arena_free(b->arena);
    free(b->shared);
    free(b->styles);
    free(b);
    rsp_buf_free(raw);
    return t;
}
