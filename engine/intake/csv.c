/* Tables of no tool that is known, as colleagues keep them: titles may stand above the headings, and a second row of
 * headings, in words, below them. */
#include "reader.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum {
    MOST_IN_TITLE = 2,  /* cells of a row above the headings: a title, a date */
    LEAST_HEADINGS = 3, /* columns that tell headings from a title, and words from answers */
    LOOKED_AT = 200     /* records below */
};

static int recognise(rsp_table_data *t, char why[160]) {
    (void) t;
    snprintf(why, 160, "no other tool's signs");
    return 1;
}

static bool is_number_or_date(const char *text, size_t length) {
    double x;
    return rsp_parse_double(text, length, '.', &x) || rsp_parse_double(text, length, ',', &x) ||
           rsp_parse_date(text, length, &x) || rsp_parse_local_date(text, length, RSP_DATES_DAY_FIRST, &x) ||
           rsp_parse_local_date(text, length, RSP_DATES_MONTH_FIRST, &x);
}

/* ---- titles above the headings ---------------------------------------------------------------------------------- */

static size_t filled(const char *const *cells, size_t n) {
    size_t m = 0;
    for (size_t j = 0; j < n; j++) m += cells[j][0] != '\0';
    return m;
}

/* Words, no two alike, over nearly all columns. */
static bool may_be_headings(const char *const *cells, size_t n) {
    size_t m = filled(cells, n);
    if (m < LEAST_HEADINGS || m * 5 < n * 4) return false;
    rsp_map *seen = rsp_map_new();
    bool good = true;
    for (size_t j = 0; j < n && good; j++)
        good = !cells[j][0] || (!is_number_or_date(cells[j], strlen(cells[j])) && rsp_map_put(seen, cells[j], j));
    rsp_map_free(seen);
    return good;
}

/* Cells of record k, blank ones by what stands below them: headings under titles that reach over several columns. */
static bool may_be_titles(rsp_table_data *t, size_t k, const char *const *cells, size_t n) {
    const char **below, **both = RSP_ARRAY(t->arena, const char *, n);
    size_t m = k + 1 < t->n_records ? rsp_table_wide_record(t, k + 1, &below) : 0;
    if (m != n) return false;
    for (size_t j = 0; j < n; j++) both[j] = cells[j][0] ? cells[j] : below[j];
    return may_be_headings(both, n);
}

/* The record that holds the headings below rows of hardly a cell; RSP_NONE where they stand in the first row. */
static size_t headings_below(rsp_table_data *t) {
    if (filled(t->headings, t->n_columns) > MOST_IN_TITLE) return RSP_NONE;
    for (size_t k = 0; k < RSP_TOP && k < t->n_records; k++) {
        const char **cells;
        size_t n = rsp_table_wide_record(t, k, &cells);
        if (filled(cells, n) <= MOST_IN_TITLE) continue;
        return may_be_headings(cells, n) || may_be_titles(t, k, cells, n) ? k : RSP_NONE;
    }
    return RSP_NONE;
}

/* ---- a second row of headings ----------------------------------------------------------------------------------- */

/* Columns whose cells below the first record are numbers and dates alone, three at least. */
static void find_numeric(const rsp_table_data *t, bool *numeric) {
    size_t n = t->n_records < LOOKED_AT ? t->n_records : LOOKED_AT,
           *cells_of = rsp_calloc(t->n_columns, sizeof(size_t));
    rsp_room room = {0};
    rsp_cell *cells = rsp_calloc(t->n_columns, sizeof *cells);
    for (size_t j = 0; j < t->n_columns; j++) numeric[j] = true;
    for (size_t i = 1; i < n; i++) {
        t->read(t, i, i + 1, &room, cells);
        for (size_t j = 0; j < t->n_columns; j++) {
            if (!numeric[j] || rsp_cell_blank(&cells[j])) continue;
            numeric[j] = is_number_or_date(cells[j].text, cells[j].length);
            cells_of[j]++;
        }
    }
    for (size_t j = 0; j < t->n_columns; j++) numeric[j] = numeric[j] && cells_of[j] >= 3;
    free(cells);
    free(cells_of);
    rsp_room_free(&room);
}

/* Has the first record words over the columns of numbers, no two alike? */
static bool first_is_words(const char *const *first, const bool *numeric, size_t n) {
    size_t columns = 0, words = 0, alike = 0;
    rsp_map *seen = rsp_map_new();
    for (size_t j = 0; j < n; j++) {
        if (!numeric[j]) continue;
        columns++;
        bool word = first[j][0] && !is_number_or_date(first[j], strlen(first[j])) &&
                    !rsp_is_not_available(first[j], strlen(first[j]));
        words += word;
        alike += word && !rsp_map_put(seen, first[j], j);
    }
    rsp_map_free(seen);
    return words >= LEAST_HEADINGS && words * 10 >= columns * 9 && alike * 4 <= words;
}

static bool has_second_row(rsp_table_data *t) {
    const char **first = rsp_table_record(t, 0);
    bool *numeric = rsp_calloc(t->n_columns + 1, sizeof *numeric);
    if (first && t->n_records > LEAST_HEADINGS) find_numeric(t, numeric);
    bool second = first && first_is_words(first, numeric, t->n_columns);
    free(numeric);
    return second;
}

/* ---- titles over several columns --------------------------------------------------------------------------------- */

/* Does a word of the first record stand in its column again? Then it is an answer. */
static bool comes_again(rsp_table_data *t, const char *const *first) {
    size_t n = t->n_records < LOOKED_AT ? t->n_records : LOOKED_AT;
    rsp_room room = {0};
    rsp_cell *cells = rsp_calloc(t->n_columns, sizeof *cells);
    bool again = false;
    for (size_t i = 1; i < n && !again; i++) {
        t->read(t, i, i + 1, &room, cells);
        for (size_t j = 0; j < t->n_columns && !again; j++)
            again = first[j][0] && cells[j].length == strlen(first[j]) &&
                    memcmp(cells[j].text, first[j], cells[j].length) == 0;
    }
    free(cells);
    rsp_room_free(&room);
    return again;
}

/* Cells that were merged over several columns leave blank headings, and the columns' own headings stand below: words that
 * are no answers, one for each blank. */
static bool has_titles(rsp_table_data *t) {
    const char **first = rsp_table_record(t, 0);
    size_t blank = 0;
    for (size_t j = 0; first && j < t->n_columns; j++) {
        blank += !t->headings[j][0] && first[j][0];
        if (!t->headings[j][0] && !first[j][0]) return false;
        if (first[j][0] && is_number_or_date(first[j], strlen(first[j]))) return false;
    }
    return blank >= 2 && t->n_records > LEAST_HEADINGS && !comes_again(t, first);
}

/* A heading that stands once keeps its name, with the title before it as its words; of others, `Title [Heading]`. */
static void name_column(rsp_table_data *t, size_t j, const char *title, const char *heading, bool once) {
    if (!once && *title) rsp_table_set_heading(t, j, rsp_printf(t->arena, "%s [%s]", title, heading));
    else rsp_table_set_heading(t, j, heading);
    if (once && *title) rsp_table_set_label(t, j, rsp_printf(t->arena, "%s - %s", title, heading));
}

/* A title reaches to the next one. */
static void join_titles(rsp_table_data *t, rsp_diag *d) {
    const char **below = rsp_table_record(t, 0), *title = "";
    rsp_map *first = rsp_map_new();
    bool *again = rsp_calloc(t->n_columns + 1, sizeof *again);
    for (size_t j = 0; j < t->n_columns; j++)
        if (!rsp_map_put(first, below[j], j)) again[j] = again[rsp_map_get(first, below[j])] = true;
    for (size_t j = 0; j < t->n_columns; j++) {
        bool over_several = j + 1 < t->n_columns && !t->headings[j + 1][0];
        if (t->headings[j][0]) title = below[j][0] && over_several ? t->headings[j] : "";
        if (below[j][0] && t->headings[j][0] && !*title) rsp_table_set_label(t, j, below[j]);
        else if (below[j][0]) name_column(t, j, title, below[j], !again[j]);
    }
    free(again);
    rsp_map_free(first);
    rsp_report(d, RSP_NOTE, (rsp_loc){t->path, (int) t->line[0], 0}, NULL,
               "taken for the headings of the columns, below titles that stand over several of them");
    rsp_table_drop(t, 1);
}

/* ---- columns that a spreadsheet program did not part ------------------------------------------------------------- */

static size_t count_of(const char *text, char sign) {
    size_t n = 0;
    for (; (text = strchr(text, sign)); text++) n++;
    return n;
}

/* The sign that every row, held in one cell, has as often as the row of headings; 0. */
static char parted_within(rsp_table_data *t) {
    static const char signs[] = {',', ';', '\t'};
    for (size_t s = 0; s < sizeof signs && t->n_columns == 1 && t->n_records > 1; s++) {
        size_t n = count_of(t->headings[0], signs[s]), alike = 0, k = 0;
        for (; k < RSP_TOP && k < t->n_records; k++) alike += count_of(*rsp_table_record(t, k), signs[s]) == n;
        if (n >= LEAST_HEADINGS - 1 && alike == k) return signs[s];
    }
    return 0;
}

static void report_unparted(rsp_table_data *t, rsp_diag *d) {
    char sign = parted_within(t);
    if (sign)
        rsp_report(d, RSP_ERR_DATA, (rsp_loc){t->path, (int) t->heading_line, 0},
                   t->delimiter
                       ? "quotation marks stand around whole rows: export the answers again, or take these marks out"
                       : "let the spreadsheet program part the column (text to columns), or export the answers again",
                   "each row stands in one cell, its answers parted by %s within it",
                   sign == '\t'  ? "tabs"
                   : sign == ';' ? "semicolons"
                                 : "commas");
}

static void take_titles(rsp_table_data *t, rsp_diag *d) {
    size_t head = headings_below(t);
    if (head == RSP_NONE) return;
    rsp_table_head(t, head);
    rsp_report(d, RSP_NOTE, (rsp_loc){t->path, (int) t->heading_line, 0}, NULL,
               "the headings stand here: the rows above have hardly a cell and are taken for a title");
}

static void take_second_row(rsp_table_data *t, rsp_diag *d) {
    const char **words = rsp_table_record(t, 0);
    for (size_t j = 0; j < t->n_columns; j++)
        if (words[j][0]) rsp_table_set_label(t, j, words[j]);
    rsp_report(
        d, RSP_NOTE, (rsp_loc){t->path, (int) t->line[0], 0}, NULL,
        "taken for a second row of headings, not for a respondent: it has words where all other rows have numbers");
    rsp_table_drop(t, 1);
}

static void prepare(rsp_table_data *t, rsp_diag *d) {
    report_unparted(t, d);
    bool several = filled(t->headings, t->n_columns) > 1; /* one alone is a title of the whole */
    if (!several || !has_titles(t)) take_titles(t, d);
    if (has_titles(t)) join_titles(t, d);
    else if (has_second_row(t)) take_second_row(t, d);
}

const rsp_tool rsp_tool_csv = {.name = "csv", .recognise = recognise, .prepare = prepare};
