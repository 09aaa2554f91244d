/* Files of statistics programs by ReadStat: SPSS (.sav, .zsav, .por) and Stata (.dta). They are held column by column in
 * eight bytes a cell and given out as texts, so that codes are matched in one way whatever the format. Names, labels,
 * user-missing values and value labels are the file's own. */
#include "reader.h"

#include "responsive/limits.h"

#include <math.h>
#include <readstat.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { MOST_RANGES = 4, LONGEST_NUMBER = 40, LENGTH_BITS = 24 };

/* Cells without a number are NaNs that carry the letter of the missing value, 0 for the system's own. */
static const uint64_t MISSING = 0x7FF8000000000000u;

typedef enum { HELD_NUMBER, HELD_DATE, HELD_DATETIME, HELD_TEXT } held;

struct variable {
    const char *name, *label, *set; /* set: name of its value labels */
    held held;
    double unit, epoch; /* of dates: seconds in a unit, and 1970-01-01 in seconds on the file's calendar */
    int measure;
    size_t n_ranges;
    double low[MOST_RANGES], high[MOST_RANGES];
    const char *missing_text[MOST_RANGES];
    const rsp_column_info *info;
};

struct label {
    const char *set;
    rsp_value_label is;
    double value;
    size_t order;
};

struct rsp_cases {
    rsp_arena *arena;
    size_t n_variables, variable_capacity, n, capacity, n_rows;
    struct variable *variables;
    uint64_t *cells; /* row by row */
    rsp_buf texts;
    size_t n_labels, label_capacity;
    struct label *labels;
    bool large;
    const char *encoding;
    const char *error; /* in ReadStat's words */
};

void rsp_cases_free(rsp_cases *c) {
    if (!c) return;
    free(c->variables);
    free(c->cells);
    free(c->labels);
    rsp_buf_free(&c->texts);
    rsp_arena_free(c->arena);
    free(c);
}

/* ---- what ReadStat tells ---------------------------------------------------------------------------------------- */

static int on_metadata(readstat_metadata_t *m, void *context) {
    rsp_cases *c = context;
    const char *encoding = readstat_get_file_encoding(m);
    c->encoding = encoding && *encoding ? rsp_strdup(c->arena, encoding) : NULL;
    c->large = readstat_get_var_count(m) > RSP_MOST_COLUMNS;
    return c->large ? READSTAT_HANDLER_ABORT : READSTAT_HANDLER_OK;
}

static bool begins(const char *text, const char *with) { return strncmp(text, with, strlen(with)) == 0; }

/* SPSS counts seconds from 14 October 1582, Stata days or milliseconds from 1960. */
static void take_format(struct variable *v, const char *format) {
    static const char *const days[] = {"DATE", "ADATE", "EDATE", "SDATE", "JDATE"};
    if (!format) return;
    for (size_t k = 0; k < sizeof days / sizeof *days; k++)
        if (begins(format, days[k])) v->held = HELD_DATE;
    if (begins(format, "DATETIME") || begins(format, "YMDHMS")) v->held = HELD_DATETIME;
    v->unit = 1;
    v->epoch = 12219379200.0;
    if (begins(format, "%td") || begins(format, "%d") || begins(format, "%-td")) {
        v->held = HELD_DATE;
        v->unit = 86400;
        v->epoch = 3653.0 * 86400;
    } else if (begins(format, "%tc") || begins(format, "%tC")) {
        v->held = HELD_DATETIME;
        v->unit = 0.001;
        v->epoch = 3653.0 * 86400;
    }
}

static int measure_of(readstat_measure_t m) {
    return m == READSTAT_MEASURE_NOMINAL   ? RSP_NOMINAL + 1
           : m == READSTAT_MEASURE_ORDINAL ? RSP_ORDINAL + 1
           : m == READSTAT_MEASURE_SCALE   ? RSP_INTERVAL + 1
                                           : 0;
}

static void take_ranges(rsp_cases *c, struct variable *v, readstat_variable_t *from) {
    int n = readstat_variable_get_missing_ranges_count(from);
    for (int k = 0; k < n && v->n_ranges < MOST_RANGES; k++) {
        readstat_value_t low = readstat_variable_get_missing_range_lo(from, k);
        readstat_value_t high = readstat_variable_get_missing_range_hi(from, k);
        size_t at = v->n_ranges++;
        v->low[at] = v->high[at] = NAN;
        if (v->held == HELD_TEXT) {
            v->missing_text[at] = rsp_strdup(c->arena, readstat_string_value(low));
        } else {
            v->low[at] = readstat_double_value(low);
            v->high[at] = readstat_double_value(high);
        }
    }
}

static int on_variable(int index, readstat_variable_t *from, const char *set, void *context) {
    rsp_cases *c = context;
    (void) index;
    const char *name = readstat_variable_get_name(from), *label = readstat_variable_get_label(from);
    struct variable v = {.name = rsp_strdup(c->arena, name ? name : ""),
                         .label = label && *label ? rsp_strdup(c->arena, label) : NULL,
                         .set = set && *set ? rsp_strdup(c->arena, set) : NULL,
                         .measure = measure_of(readstat_variable_get_measure(from))};
    if (readstat_variable_get_type_class(from) == READSTAT_TYPE_CLASS_STRING) v.held = HELD_TEXT;
    else take_format(&v, readstat_variable_get_format(from));
    take_ranges(c, &v, from);
    RSP_PUSH(c->variables, c->n_variables, c->variable_capacity, v);
    return READSTAT_HANDLER_OK;
}

static uint64_t keep_text(rsp_cases *c, const char *text) {
    size_t length = text ? strlen(text) : 0, most = ((size_t) 1 << LENGTH_BITS) - 1;
    while (length && text[length - 1] == ' ') length--; /* padding */
    if (length > most) length = most;
    uint64_t cell = (uint64_t) c->texts.length << LENGTH_BITS | length;
    rsp_buf_add(&c->texts, length ? text : "", length);
    return cell;
}

static uint64_t keep_number(readstat_value_t value) {
    uint64_t bits;
    if (readstat_value_is_tagged_missing(value)) return MISSING | (unsigned char) readstat_value_tag(value);
    if (readstat_value_is_system_missing(value)) return MISSING;
    double x = readstat_double_value(value);
    if (isnan(x)) return MISSING;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

static int on_value(int row, readstat_variable_t *variable, readstat_value_t value, void *context) {
    rsp_cases *c = context;
    bool text = readstat_value_type_class(value) == READSTAT_TYPE_CLASS_STRING;
    size_t at = (size_t) readstat_variable_get_index(variable);
    c->large = c->n >= RSP_MOST_CASE_CELLS || c->texts.length >> (64 - LENGTH_BITS) ||
               c->texts.length > (size_t) RSP_MOST_CASE_CELLS * 8;
    if (c->large || at >= c->n_variables || (c->variables[at].held == HELD_TEXT) != text) return READSTAT_HANDLER_ABORT;
    uint64_t cell = text ? keep_text(c, readstat_string_value(value)) : keep_number(value);
    if (at == 0) c->n_rows = (size_t) row + 1;
    RSP_PUSH(c->cells, c->n, c->capacity, cell);
    return READSTAT_HANDLER_OK;
}

static int on_label(const char *set, readstat_value_t value, const char *label, void *context) {
    rsp_cases *c = context;
    char code[32];
    struct label l = {.set = rsp_strdup(c->arena, set), .value = NAN, .order = c->n_labels};
    const char *text = code;
    if (readstat_value_type_class(value) == READSTAT_TYPE_CLASS_STRING) {
        text = readstat_string_value(value);
        if (!text) text = "";
    } else if (readstat_value_is_tagged_missing(value)) {
        snprintf(code, sizeof code, ".%c", readstat_value_tag(value));
    } else {
        l.value = readstat_double_value(value);
        rsp_double_text(l.value, code);
    }
    size_t length = strlen(text);
    while (length && text[length - 1] == ' ') length--;
    l.is = (rsp_value_label){rsp_strndup(c->arena, text, length), rsp_strdup(c->arena, label ? label : ""), 0};
    RSP_PUSH(c->labels, c->n_labels, c->label_capacity, l);
    return READSTAT_HANDLER_OK;
}

static void on_error(const char *message, void *context) {
    rsp_cases *c = context;
    if (!c->error) c->error = rsp_strdup(c->arena, message);
}

/* ---- bytes in memory -------------------------------------------------------------------------------------------- */

struct source {
    const rsp_buf *bytes;
    size_t at;
};

static int open_bytes(const char *path, void *io) {
    (void) path, (void) io;
    return 0;
}

static int close_bytes(void *io) {
    (void) io;
    return 0;
}

static readstat_off_t seek_bytes(readstat_off_t offset, readstat_io_flags_t whence, void *io) {
    struct source *s = io;
    readstat_off_t from = whence == READSTAT_SEEK_CUR   ? (readstat_off_t) s->at
                          : whence == READSTAT_SEEK_END ? (readstat_off_t) s->bytes->length
                                                        : 0;
    if (offset < -from || from + offset > (readstat_off_t) s->bytes->length) return -1;
    s->at = (size_t) (from + offset);
    return from + offset;
}

static ssize_t read_bytes(void *into, size_t n, void *io) {
    struct source *s = io;
    if (n > s->bytes->length - s->at) n = s->bytes->length - s->at;
    memcpy(into, s->bytes->data + s->at, n);
    s->at += n;
    return (ssize_t) n;
}

/* ---- cells ------------------------------------------------------------------------------------------------------ */

static void date_text(double seconds, bool clock, char text[LONGEST_NUMBER]) {
    time_t whole = (time_t) llround(seconds);
    struct tm t;
    gmtime_r(&whole, &t);
    int n = snprintf(text, LONGEST_NUMBER, "%04d-%02d-%02d", t.tm_year + 1900, t.tm_mon + 1, t.tm_mday);
    if (clock) snprintf(text + n, LONGEST_NUMBER - (size_t) n, " %02d:%02d:%02d", t.tm_hour, t.tm_min, t.tm_sec);
}

static bool in_range(const struct variable *v, double x) {
    for (size_t k = 0; k < v->n_ranges; k++)
        if (x >= v->low[k] && x <= v->high[k]) return true;
    return false;
}

/* The kind of a user-missing value: as its label says, else unknown. */
static int kind_of_code(const struct variable *v, const char *code) {
    for (size_t k = 0; k < v->info->n_values; k++)
        if (v->info->values[k].missing && strcmp(v->info->values[k].code, code) == 0) return v->info->values[k].missing;
    return RSP_NA_UNKNOWN;
}

static void read_number(const struct variable *v, uint64_t bits, char *text, rsp_cell *cell) {
    double x;
    memcpy(&x, &bits, sizeof x);
    *cell = (rsp_cell){text, 0, false, 0};
    if (isnan(x)) {
        char letter = (char) (bits & 0xFF);
        if (!letter) return;
        snprintf(text, LONGEST_NUMBER, ".%c", letter);
        cell->missing = (int8_t) kind_of_code(v, text);
    } else if ((v->held == HELD_DATE || v->held == HELD_DATETIME) && fabs(x * v->unit) < 1e12) {
        date_text(x * v->unit - v->epoch, v->held == HELD_DATETIME, text);
    } else {
        rsp_double_text(x, text);
    }
    if (in_range(v, x)) cell->missing = (int8_t) kind_of_code(v, text);
    cell->length = (uint32_t) strlen(text);
}

static void read_text(const rsp_cases *c, const struct variable *v, uint64_t bits, rsp_cell *cell) {
    *cell = (rsp_cell){c->texts.data + (bits >> LENGTH_BITS), (uint32_t) (bits & (((uint64_t) 1 << LENGTH_BITS) - 1)),
                       false, 0};
    for (size_t k = 0; k < v->n_ranges; k++) {
        const char *missing = v->missing_text[k];
        if (missing && cell->length == strlen(missing) && memcmp(cell->text, missing, cell->length) == 0)
            cell->missing = (int8_t) kind_of_code(v, missing);
    }
}

static void read_cases(const rsp_table_data *t, size_t from, size_t to, rsp_room *room, rsp_cell *cells) {
    const rsp_cases *c = t->cases;
    rsp_room_reserve(room, (to - from) * t->n_columns * LONGEST_NUMBER + 1);
    char *text = room->bytes;
    for (size_t i = from; i < to; i++)
        for (size_t j = 0; j < t->n_columns; j++, cells++, text += LONGEST_NUMBER) {
            uint64_t bits = c->cells[i * t->n_columns + j];
            if (c->variables[j].held == HELD_TEXT) read_text(c, &c->variables[j], bits, cells);
            else read_number(&c->variables[j], bits, text, cells);
        }
}

/* ---- the table -------------------------------------------------------------------------------------------------- */

static int compare_labels(const void *x, const void *y) {
    const struct label *a = x, *b = y;
    int order = strcmp(a->set, b->set);
    return order ? order : a->order < b->order ? -1 : 1;
}

/* Whether the file declares a labelled value missing, and why as far as its label says so. */
static int declared(const struct variable *v, const struct label *l, rsp_buf *room) {
    bool missing = l->is.code[0] == '.' && isnan(l->value) && v->held != HELD_TEXT;
    missing = missing || in_range(v, l->value);
    for (size_t k = 0; k < v->n_ranges; k++)
        missing = missing || (v->missing_text[k] && strcmp(v->missing_text[k], l->is.code) == 0);
    if (!missing) return 0;
    rsp_fold(l->is.label, strlen(l->is.label), room);
    int kind = rsp_missing_word(room->data);
    return kind ? kind : RSP_NA_UNKNOWN;
}

static void describe(rsp_table_data *t, struct variable *v, rsp_column_info *info, rsp_buf *room) {
    const rsp_cases *c = t->cases;
    info->label = v->label;
    info->numeric = v->held == HELD_NUMBER;
    info->date = v->held == HELD_DATE || v->held == HELD_DATETIME;
    info->measure = v->measure;
    size_t from = 0, to;
    while (v->set && from < c->n_labels && strcmp(c->labels[from].set, v->set) != 0) from++;
    for (to = from; v->set && to < c->n_labels && strcmp(c->labels[to].set, v->set) == 0;) to++;
    if (!v->set) from = to = 0;
    rsp_value_label *values = RSP_ARRAY(t->arena, rsp_value_label, to - from);
    for (size_t k = from; k < to; k++) {
        values[k - from] = c->labels[k].is;
        values[k - from].missing = declared(v, &c->labels[k], room);
    }
    info->n_values = to - from;
    info->values = values;
    v->info = info;
}

static rsp_table_data *table_of(rsp_cases *c, const char *path, const char *format) {
    rsp_table_data *t = rsp_calloc(1, sizeof *t);
    rsp_buf room = {0};
    t->arena = rsp_arena_new();
    t->path = path;
    t->format = format;
    t->encoding = c->encoding ? rsp_strdup(t->arena, c->encoding) : "UTF-8";
    t->encoding_why = c->encoding ? "as the file says" : "the file does not say; taken for this";
    t->statistical = t->rows_not_lines = true;
    t->cases = c;
    t->n_columns = c->n_variables;
    t->n_records = c->n_variables ? c->n / c->n_variables : 0;
    t->line = rsp_malloc((t->n_records + 1) * sizeof *t->line);
    for (size_t i = 0; i < t->n_records; i++) t->line[i] = (uint32_t) i + 1;
    t->headings = RSP_ARRAY(t->arena, const char *, t->n_columns);
    t->info = RSP_ARRAY(t->arena, rsp_column_info, t->n_columns);
    if (c->n_labels) qsort(c->labels, c->n_labels, sizeof *c->labels, compare_labels);
    for (size_t j = 0; j < t->n_columns; j++) {
        t->headings[j] = c->variables[j].name;
        describe(t, &c->variables[j], &t->info[j], &room);
    }
    t->bare_empty = true;
    t->read = read_cases;
    rsp_buf_free(&room);
    return t;
}

static const char *format_of(const rsp_buf *raw) {
    const unsigned char *b = (const unsigned char *) raw->data;
    if (raw->length < 16) return NULL;
    if (memcmp(b, "$FL2@(#)", 8) == 0 || memcmp(b, "$FL3@(#)", 8) == 0) return "sav";
    if (memcmp(b, "<stata_dta>", 11) == 0) return "dta";
    if (b[0] >= 104 && b[0] <= 115 && (b[1] == 1 || b[1] == 2) && b[2] == 1) return "dta";
    size_t head = raw->length < 600 ? raw->length : 600;
    return memmem(b, head, "ASCII SPSS PORT FILE", 20) ? "por" : NULL;
}

bool rsp_is_statfile(const rsp_buf *raw) { return format_of(raw) != NULL; }

static readstat_error_t parse(readstat_parser_t *p, const char *format, void *context) {
    if (strcmp(format, "dta") == 0) return readstat_parse_dta(p, "", context);
    return strcmp(format, "por") == 0 ? readstat_parse_por(p, "", context) : readstat_parse_sav(p, "", context);
}

static void report(const rsp_cases *c, const char *path, const char *format, readstat_error_t rc, rsp_diag *d) {
    bool stata = strcmp(format, "dta") == 0;
    if (c->large)
        rsp_report(d, RSP_ERR_DATA, (rsp_loc){path, 0, 0}, "export it as CSV", "the file holds more than can be read");
    else
        rsp_report(d, RSP_ERR_DATA, (rsp_loc){path, 0, 0},
                   stata ? "in Stata: saveold FILE, version(12); in R: haven::write_dta; or export it as CSV"
                         : "open it in SPSS or PSPP and save it again, or export it as CSV",
                   "the %s file cannot be read: %s", stata ? "Stata" : "SPSS",
                   c->error ? c->error : readstat_error_message(rc));
}

rsp_table_data *rsp_statfile_open(rsp_buf *raw, const char *path, const char *encoding, rsp_diag *d) {
    const char *format = format_of(raw);
    rsp_cases *c = rsp_calloc(1, sizeof *c);
    c->arena = rsp_arena_new();
    struct source io = {.bytes = raw};
    readstat_parser_t *p = readstat_parser_init();
    if (!p) abort();
    readstat_set_metadata_handler(p, on_metadata);
    readstat_set_variable_handler(p, on_variable);
    readstat_set_value_handler(p, on_value);
    readstat_set_value_label_handler(p, on_label);
    readstat_set_error_handler(p, on_error);
    readstat_set_open_handler(p, open_bytes);
    readstat_set_close_handler(p, close_bytes);
    readstat_set_seek_handler(p, seek_bytes);
    readstat_set_read_handler(p, read_bytes);
    readstat_set_io_ctx(p, &io);
    if (encoding) readstat_set_file_character_encoding(p, encoding);
    readstat_error_t rc = parse(p, format, c);
    readstat_parser_free(p);
    rsp_buf_free(raw);
    bool whole = c->n_variables && c->n == c->n_rows * c->n_variables;
    if (rc == READSTAT_OK && whole) return table_of(c, path, format);
    report(c, path, format, rc == READSTAT_OK ? READSTAT_ERROR_PARSE : rc, d);
    rsp_cases_free(c);
    return NULL;
}

/* ---- the tools -------------------------------------------------------------------------------------------------- */

static int recognise_spss(rsp_table_data *t, char why[160]) {
    snprintf(why, 160, "an SPSS file (%s) by its first bytes", t->format);
    return t->statistical && strcmp(t->format, "dta") != 0 ? 100 : 0;
}

static int recognise_stata(rsp_table_data *t, char why[160]) {
    snprintf(why, 160, "a Stata file (dta) by its first bytes");
    return t->statistical && strcmp(t->format, "dta") == 0 ? 100 : 0;
}

const rsp_tool rsp_tool_spss = {.name = "spss", .recognise = recognise_spss, .decimal_point = true, .noughts = true};
const rsp_tool rsp_tool_stata = {.name = "stata", .recognise = recognise_stata, .decimal_point = true, .noughts = true};
