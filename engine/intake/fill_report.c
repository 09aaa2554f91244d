/* What is said of a file's cells when they are in the frame: answers that mean nothing, numbers and dates that are none,
 * records that are too short or too long. Counts are summed over threads and sorted by line, so that reports do not depend
 * on who read what. Values are named only where enough respondents gave them. */
#include "fill_plan.h"

#include <stdlib.h>
#include <string.h>

enum { VALUES_SHOWN = 3, LONGEST_VALUE = 40, NAMES_SHOWN = 5 };

static int compare_odd(const void *x, const void *y) {
    const struct odd *a = x, *b = y;
    if (a->lines.first[0] != b->lines.first[0]) return a->lines.first[0] < b->lines.first[0] ? -1 : 1;
    return strcmp(a->text, b->text);
}

/* Spellings without meaning of one column over all threads, by their first line. */
static size_t gather_odd(const rsp_filler *x, size_t column, struct odd **out) {
    size_t n = 0, capacity = 0;
    struct odd *all = NULL;
    rsp_map *seen = rsp_map_new();
    for (int k = 0; k < x->n_workers; k++) {
        if (!x->workers[k].n_caches) continue;
        const struct cache *c = &x->workers[k].caches[column];
        for (size_t o = 0; o < c->n_odd; o++) {
            if (!c->odd[o].text || !c->odd[o].lines.n) continue;
            size_t at = rsp_map_get(seen, c->odd[o].text);
            if (at == RSP_NONE) {
                rsp_map_put(seen, c->odd[o].text, n);
                RSP_PUSH(all, n, capacity, c->odd[o]);
            } else {
                rsp_lines_merge(&all[at].lines, &c->odd[o].lines);
            }
        }
    }
    rsp_map_free(seen);
    if (n) qsort(all, n, sizeof *all, compare_odd);
    *out = all;
    return n;
}

static const char *variable_name(const struct plan *p, size_t column) {
    return p->frame->study->variables[p->job->columns[column].variable].name;
}

/* 'trust', or 'trust' (column 'Q4. How far do you trust ...') where the heading says it otherwise. */
static const char *variable_and_column(const struct plan *p, size_t column, rsp_buf *room) {
    const char *name = variable_name(p, column), *heading = p->job->table->headings[column];
    room->length = 0;
    rsp_buf_printf(room, "'%s'", name);
    if (strcmp(name, heading) == 0 || !*heading) return room->data;
    rsp_buf_puts(room, " (column ");
    rsp_quote(room, heading, LONGEST_VALUE);
    rsp_buf_putc(room, ')');
    return room->data;
}

/* The first few of the words. What fewer respondents gave than may be published in a cell is not repeated: it may be what
 * one of them wrote beside the answers, and messages stand in the quality report. */
static void show_values(const rsp_study *s, const struct odd *odd, size_t n, rsp_buf *b) {
    int64_t least = s->disclosure.off ? 1 : s->disclosure.minimum_cell;
    size_t common = 0, rare = 0;
    for (size_t k = 0; k < n; k++) {
        if ((int64_t) odd[k].lines.n < least) rare++;
        else if (++common <= VALUES_SHOWN) {
            rsp_buf_puts(b, common > 1 ? ", " : ": ");
            rsp_quote(b, odd[k].text, LONGEST_VALUE);
        }
    }
    if (common > VALUES_SHOWN) rsp_buf_printf(b, " and %zu more", common - VALUES_SHOWN);
    if (rare)
        rsp_buf_printf(b, "; %s%zu word%s fewer than %lld respondents gave %s not repeated here", common ? "and " : "",
                       rare, rare == 1 ? " that" : "s that", (long long) least, rare == 1 ? "is" : "are");
}

static void report_odd(const rsp_filler *x, const struct plan *p, size_t column, rsp_diag *d) {
    struct odd *odd;
    size_t n = gather_odd(x, column, &odd);
    bool ambiguous = false;
    for (int k = 0; k < x->n_workers; k++)
        ambiguous = ambiguous || (x->workers[k].n_caches && x->workers[k].caches[column].ambiguous);
    rsp_lines lines = {0};
    rsp_buf values = {0}, room = {0};
    for (size_t k = 0; k < n; k++) rsp_lines_merge(&lines, &odd[k].lines);
    show_values(x->frame->study, odd, n, &values);
    char text[128];
    if (n)
        rsp_report(d, ambiguous ? RSP_ERR_DATA : RSP_WARNING, (rsp_loc){p->job->table->path, (int) lines.first[0], 0},
                   ambiguous ? "two choices have the same words: use codes, or change one label or alias"
                             : "add the word to choices.csv as an `alias`, or recode it",
                   "%zu answer%s to %s %s (%s)%s", lines.n, lines.n == 1 ? "" : "s",
                   variable_and_column(p, column, &room),
                   ambiguous      ? "could be more than one choice, or none"
                   : lines.n == 1 ? "is no choice"
                                  : "are no choices",
                   rsp_rows_text(p->job->table, &lines, text), values.data);
    rsp_buf_free(&values);
    rsp_buf_free(&room);
    free(odd);
}

static void report_bad(const rsp_filler *x, const struct plan *p, size_t column, rsp_diag *d) {
    rsp_lines lines = {0};
    for (int k = 0; k < x->n_workers; k++)
        if (x->workers[k].n_caches) rsp_lines_merge(&lines, &x->workers[k].caches[column].bad);
    if (!lines.n) return;
    char text[128];
    bool serial = false;
    for (int k = 0; k < x->n_workers; k++)
        serial = serial || (x->workers[k].n_caches && x->workers[k].caches[column].serial);
    bool date = p->job->columns[column].take == RSP_TAKE_DATE;
    rsp_buf room = {0};
    /* The cell itself may be anything a person typed: it is not repeated. */
    rsp_report(
        d, RSP_WARNING, (rsp_loc){p->job->table->path, (int) lines.first[0], 0},
        serial ? "numbers such as 46112 are a spreadsheet's days since 1900: give the column the format of a date "
                 "there and save it again"
        : date ? "dates are written 2026-03-31 or 2026-03-31 18:30:00; for others the source may say `dates`"
               : "they count as missing",
        "%zu answer%s to %s %s no %s (%s)", lines.n, lines.n == 1 ? "" : "s", variable_and_column(p, column, &room),
        lines.n == 1 ? "is" : "are", date ? "date" : "number", rsp_rows_text(p->job->table, &lines, text));
    rsp_buf_free(&room);
}

/* The constant is kept, since it says that the response is complete; no duration can be had from it. */
static void report_undated(const rsp_filler *x, const struct plan *p, rsp_diag *d) {
    rsp_lines lines = {0};
    if (p->submitted == RSP_NONE || !p->job->tool->tells_missing) return;
    for (int k = 0; k < x->n_workers; k++)
        if (x->workers[k].n_caches) rsp_lines_merge(&lines, &x->workers[k].caches[p->submitted].undated);
    if (lines.n)
        rsp_report(d, RSP_NOTE, (rsp_loc){p->job->table->path, (int) lines.first[0], 0}, NULL,
                   "%zu response%s of 1980-01-01 stand%s for a survey without dates: take no durations from them",
                   lines.n, lines.n == 1 ? "" : "s", lines.n == 1 ? "s" : "");
}

/* The record that begins on a line. */
static size_t record_at(const rsp_table_data *t, uint32_t line) {
    size_t from = 0, to = t->n_records;
    while (from < to) {
        size_t middle = (from + to) / 2;
        if (t->line[middle] < line) from = middle + 1;
        else to = middle;
    }
    return from;
}

/* Are the cells of a record that seems to lack some parted by another sign? Its name, or NULL. */
static const char *other_delimiter(const rsp_table_data *t, uint32_t line) {
    static const struct {
        char sign;
        const char *name;
    } others[] = {{';', "semicolons"}, {',', "commas"}, {'\t', "tabs"}};
    const char *name = NULL;
    rsp_room room = {0};
    rsp_cell *cells = rsp_calloc(t->n_columns, sizeof *cells);
    size_t at = record_at(t, line);
    if (t->delimiter && at < t->n_records) t->read(t, at, at + 1, &room, cells);
    for (size_t k = 0; k < sizeof others / sizeof *others && !name; k++) {
        size_t n = 1;
        for (size_t c = 0; c < cells[0].length; c++) n += cells[0].text[c] == others[k].sign;
        if (others[k].sign != t->delimiter && n >= 2 && n * 4 >= t->n_columns * 3) name = others[k].name;
    }
    rsp_room_free(&room);
    free(cells);
    return name;
}

static void report_fewer(const rsp_table_data *t, const rsp_lines *fewer, rsp_diag *d) {
    char text[128], remedy[160];
    const char *other = other_delimiter(t, fewer->first[0]);
    if (other)
        snprintf(
            remedy, sizeof remedy,
            "their cells seem to be parted by %s: write the whole file with one delimiter; as it is, these answers "
            "are lost",
            other);
    rsp_report(d, RSP_WARNING, (rsp_loc){t->path, (int) fewer->first[0], 0},
               other ? remedy : "the cells that lack count as blank",
               "%zu record%s fewer cells than the %zu headings (%s)", fewer->n, fewer->n == 1 ? " has" : "s have",
               t->n_columns, rsp_rows_text(t, fewer, text));
}

/* A file that was cut ends within a record. */
static void report_cut(const rsp_table_data *t, rsp_diag *d) {
    const struct rsp_record *last = t->records && t->n_records ? &t->records[t->n_records - 1] : NULL;
    if (!last || last->offset + last->length < t->text_length) return;
    rsp_room room = {0};
    rsp_cell *cells = rsp_calloc(t->n_columns, sizeof *cells);
    t->read(t, t->n_records - 1, t->n_records, &room, cells);
    char text[128];
    if (room.fewer.n)
        rsp_report(d, RSP_WARNING, (rsp_loc){t->path, (int) room.fewer.first[0], 0},
                   "export the answers again, or copy the file again",
                   "the file seems to be cut: its last record lacks cells and the end of its line (%s)",
                   rsp_rows_text(t, &room.fewer, text));
    free(cells);
    rsp_room_free(&room);
}

void rsp_report_records(const rsp_table_data *t, const rsp_lines *fewer, const rsp_lines *more, rsp_diag *d) {
    char text[128];
    if (fewer->n) report_fewer(t, fewer, d);
    if (more->n)
        rsp_report(d, RSP_WARNING, (rsp_loc){t->path, (int) more->first[0], 0},
                   "look for a delimiter that is not in quotation marks: the surplus cells were not read",
                   "%zu record%s more cells than the %zu headings (%s)", more->n, more->n == 1 ? " has" : "s have",
                   t->n_columns, rsp_rows_text(t, more, text));
    report_cut(t, d);
}

static void report_records(const rsp_filler *x, const struct plan *p, rsp_diag *d) {
    rsp_lines fewer = {0}, more = {0};
    for (int k = 0; k < x->n_workers; k++) {
        rsp_lines_merge(&fewer, &x->workers[k].room.fewer);
        rsp_lines_merge(&more, &x->workers[k].room.more);
    }
    rsp_report_records(p->job->table, &fewer, &more, d);
}

/* ---- records whose cells are no answers at all ------------------------------------------------------------------ */

enum { LEAST_COLUMNS = 3, MOST_SUSPECTS = 1000 };

struct suspect {
    uint32_t line;
    size_t n; /* columns where it is among the first that mean nothing */
};

struct suspects {
    size_t n, capacity;
    struct suspect *v;
};

static void suspect(struct suspects *all, const rsp_lines *l) {
    for (size_t k = 0; k < l->n && k < RSP_LINES_SHOWN; k++) {
        size_t at = 0;
        while (at < all->n && all->v[at].line != l->first[k]) at++;
        struct suspect new = {l->first[k], 1};
        if (at < all->n) all->v[at].n++;
        else RSP_PUSH(all->v, all->n, all->capacity, new);
    }
}

static void suspect_column(const rsp_filler *x, size_t column, struct suspects *all) {
    rsp_lines lines = {0};
    for (int k = 0; k < x->n_workers; k++) {
        if (!x->workers[k].n_caches) continue;
        const struct cache *c = &x->workers[k].caches[column];
        for (size_t o = 0; o < c->n_odd; o++) rsp_lines_merge(&lines, &c->odd[o].lines);
        rsp_lines_merge(&lines, &c->bad);
    }
    suspect(all, &lines);
}

/* A second row of headings, the headings of a file that was appended, cells that were shifted: one after the other column
 * would complain, and the row would count as a respondent. */
static void report_strangers(const rsp_filler *x, const struct plan *p, rsp_diag *d) {
    const rsp_table_data *t = p->job->table;
    struct suspects all = {0};
    size_t asked = 0;
    for (size_t j = 0; j < t->n_columns; j++) {
        rsp_take take = p->job->columns[j].take;
        if (take != RSP_TAKE_CODE && take != RSP_TAKE_NUMBER && take != RSP_TAKE_DATE && take != RSP_TAKE_TICK)
            continue;
        asked++;
        if (all.n < MOST_SUSPECTS) suspect_column(x, j, &all);
    }
    rsp_lines lines = {0};
    for (size_t k = 0; k < all.n; k++)
        if (all.v[k].n >= LEAST_COLUMNS && all.v[k].n * 3 >= asked * 2) rsp_lines_add(&lines, all.v[k].line);
    char text[128];
    if (lines.n)
        rsp_report(
            d, RSP_WARNING, (rsp_loc){t->path, (int) lines.first[0], 0},
            "is it a second row of headings, or of cells in the wrong columns? Take it out of the file or mend it: it "
            "counts as a respondent",
            "hardly a cell of %zu record%s could be an answer to its question (%s)", lines.n, lines.n == 1 ? "" : "s",
            rsp_rows_text(t, &lines, text));
    free(all.v);
}

static void report_damaged(const rsp_filler *x, const struct plan *p, size_t column, rsp_diag *d) {
    rsp_lines lines = {0};
    char text[128];
    for (int k = 0; k < x->n_workers; k++)
        if (x->workers[k].n_caches) rsp_lines_merge(&lines, &x->workers[k].caches[column].damaged);
    if (lines.n)
        rsp_report(d, RSP_WARNING, (rsp_loc){p->job->table->path, (int) lines.first[0], 0},
                   "export the answers again and do not open them in a spreadsheet program: the digits are lost",
                   "%zu value%s of '%s' %s rounded numbers such as 5.36E+08 (%s)", lines.n, lines.n == 1 ? "" : "s",
                   variable_name(p, column), lines.n == 1 ? "is one of the" : "are",
                   rsp_rows_text(p->job->table, &lines, text));
}

/* One line for each kind of difference between what cells hold and what choices.csv says. */
static void report_folds(const rsp_filler *x, const struct plan *p, rsp_diag *d) {
    static const char *const what[RSP_FOLDS] = {
        "letters in another case",
        "blanks, tabs or line breaks",
        "HTML",
        "quotation marks, dashes, accents or invisible signs written in another way",
        "dots at the end",
        "numbers and ranges that a spreadsheet changed (01 to 1, 1-2 to a date)"};
    for (size_t f = 0; f < RSP_FOLDS; f++) {
        rsp_buf names = {0};
        size_t n = 0;
        for (size_t j = 0; j < p->job->table->n_columns; j++) {
            unsigned folds = 0;
            for (int k = 0; k < x->n_workers; k++)
                if (x->workers[k].n_caches) folds |= x->workers[k].caches[j].folds;
            if (!(folds >> f & 1) || n++ >= NAMES_SHOWN) continue;
            rsp_buf_printf(&names, "%s'%s'", n > 1 ? ", " : "", variable_name(p, j));
        }
        if (n > NAMES_SHOWN) rsp_buf_printf(&names, " and %zu more", n - NAMES_SHOWN);
        if (n)
            rsp_report(d, RSP_NOTE, (rsp_loc){p->job->table->path, 0, 0}, NULL,
                       "answers were matched in spite of %s: %s", what[f], names.data);
        rsp_buf_free(&names);
    }
}

void rsp_fill_report(const rsp_filler *x, const struct plan *p, rsp_diag *d) {
    report_records(x, p, d);
    report_strangers(x, p, d);
    report_undated(x, p, d);
    for (size_t j = 0; j < p->job->table->n_columns; j++) {
        if (p->job->columns[j].take == RSP_TAKE_NOTHING) continue;
        report_odd(x, p, j, d);
        report_bad(x, p, j, d);
        report_damaged(x, p, j, d);
    }
    report_folds(x, p, d);
}
