/* What a file's cells tell of how it was written: the decimal sign of its numbers, the order of day and month in its
 * dates. Lists whose codes are labels, too: twofold.c. */
#include "fill.h"

#include <stdlib.h>
#include <string.h>

/* ---- decimal sign ----------------------------------------------------------------------------------------------- */

struct signs {
    rsp_lines points, commas; /* cells that are numbers under this sign alone */
    uint32_t line;            /* of the first comma; 0: none */
    size_t column;            /* and where it stands there */
};

static void note_comma(struct signs *s, uint32_t line, size_t column) {
    if (s->line && (s->line < line || (s->line == line && s->column <= column))) return;
    s->line = line;
    s->column = column;
}

static void look_at_sign(const rsp_cell *c, uint32_t line, size_t column, struct signs *s) {
    double x;
    if (memchr(c->text, ',', c->length) && rsp_parse_double(c->text, c->length, ',', &x)) {
        rsp_lines_add(&s->commas, line);
        note_comma(s, line, column);
    } else if (memchr(c->text, '.', c->length) && rsp_parse_double(c->text, c->length, '.', &x))
        rsp_lines_add(&s->points, line);
}

static void look_at_signs(const rsp_fill_job *job, const size_t *columns, size_t n_columns, struct signs *s) {
    const rsp_table_data *t = job->table;
    size_t block = rsp_table_block(t), n_blocks = (t->n_records + block - 1) / block;
#pragma omp parallel
    {
        rsp_room room = {0};
        struct signs own = {0};
        rsp_cell *cells = rsp_malloc(block * t->n_columns * sizeof *cells);
#pragma omp for schedule(dynamic)
        for (size_t b = 0; b < n_blocks; b++) {
            size_t from = b * block, to = from + block < t->n_records ? from + block : t->n_records;
            t->read(t, from, to, &room, cells);
            for (size_t i = from; i < to; i++)
                for (size_t k = 0; k < n_columns; k++)
                    look_at_sign(&cells[(i - from) * t->n_columns + columns[k]], t->line[i], columns[k], &own);
        }
#pragma omp critical
        {
            rsp_lines_merge(&s->points, &own.points);
            rsp_lines_merge(&s->commas, &own.commas);
            if (own.line) note_comma(s, own.line, own.column);
        }
        free(cells);
        rsp_room_free(&room);
    }
}

char rsp_detect_decimal(const rsp_fill_job *job, rsp_diag *d) {
    if (job->decimal) return job->decimal;
    if (!job->table->comma_in_cells) return '.'; /* no cell can hold a comma */
    size_t n = 0;
    size_t *columns = rsp_calloc(job->table->n_columns, sizeof *columns);
    for (size_t j = 0; j < job->table->n_columns; j++)
        if (job->columns[j].take == RSP_TAKE_NUMBER) columns[n++] = j;
    struct signs s = {0};
    if (n) look_at_signs(job, columns, n, &s);
    free(columns);
    if (!s.commas.n) return '.';
    if (!s.points.n) return ',';
    if (job->tool->decimal_point) return '.';
    char points[128], commas[128];
    rsp_report(d, RSP_ERR_DATA, (rsp_loc){job->table->path, (int) s.commas.first[0], 0},
               "give the source its `decimal`, '.' or ','; numbers with the other sign then count as invalid",
               "numbers are written with a comma (%s; the first in column '%s') and with a point (%s)",
               rsp_rows_text(job->table, &s.commas, commas), job->table->headings[s.column],
               rsp_rows_text(job->table, &s.points, points));
    return 0;
}

/* ---- order of day and month ------------------------------------------------------------------------------------- */

enum { DATES_LOOKED_AT = 32 }; /* records that show whether a column is of ISO dates */

struct order {
    size_t iso, other; /* cells */
    bool day, month;   /* some cell is a date only with the day, with the month in front */
    bool slashes;      /* some cell could be read both ways */
};

static void look_at_date(const rsp_cell *c, struct order *o) {
    double x;
    if (rsp_cell_blank(c)) return;
    if (rsp_parse_date(c->text, c->length, &x)) {
        o->iso++;
        return;
    }
    o->other++;
    bool day = rsp_parse_local_date(c->text, c->length, RSP_DATES_DAY_FIRST, &x);
    bool month = rsp_parse_local_date(c->text, c->length, RSP_DATES_MONTH_FIRST, &x);
    o->day = o->day || (day && !month);
    o->month = o->month || (month && !day);
    o->slashes = o->slashes || (day && month && !memchr(c->text, '.', c->length));
}

static void look_at_dates(const rsp_fill_job *job, size_t from, size_t to, struct order *orders) {
    const rsp_table_data *t = job->table;
    size_t block = rsp_table_block(t);
    rsp_room room = {0};
    rsp_cell *cells = rsp_malloc(block * t->n_columns * sizeof *cells);
    for (size_t b = from; b < to; b += block) {
        size_t end = b + block < to ? b + block : to;
        t->read(t, b, end, &room, cells);
        for (size_t k = 0; k < (end - b) * t->n_columns; k++)
            if (job->columns[k % t->n_columns].take == RSP_TAKE_DATE)
                look_at_date(&cells[k], &orders[k % t->n_columns]);
    }
    free(cells);
    rsp_room_free(&room);
}

static rsp_date_order order_of(const struct order *o, const rsp_fill_job *job) {
    if (job->source->dates) return job->source->dates == 'm' ? RSP_DATES_MONTH_FIRST : RSP_DATES_DAY_FIRST;
    if (!o->other) return RSP_DATES_ISO;
    if (o->month && !o->day) return RSP_DATES_MONTH_FIRST;
    return job->tool->month_first && !o->day ? RSP_DATES_MONTH_FIRST : RSP_DATES_DAY_FIRST;
}

/* Columns of one file are written by one program: where one tells the order, it holds for the others. */
static void agree(const rsp_fill_job *job, struct order *orders) {
    bool day = false, month = false;
    for (size_t j = 0; j < job->table->n_columns; j++) {
        day = day || orders[j].day;
        month = month || orders[j].month;
    }
    for (size_t j = 0; j < job->table->n_columns; j++) {
        bool open = orders[j].slashes && !orders[j].day && !orders[j].month;
        if (open && day != month) orders[j].day = day, orders[j].month = month;
    }
}

const rsp_date_order *rsp_detect_dates(const rsp_fill_job *job, rsp_arena *a, rsp_diag *d) {
    const rsp_table_data *t = job->table;
    size_t first = t->n_records < DATES_LOOKED_AT ? t->n_records : DATES_LOOKED_AT;
    bool dated = job->source->dates != 0;
    for (size_t j = 0; j < t->n_columns; j++) dated = dated || job->columns[j].take == RSP_TAKE_DATE;
    if (!dated) return NULL;
    struct order *orders = rsp_calloc(t->n_columns, sizeof *orders);
    bool any = false;
    look_at_dates(job, 0, first, orders); /* a column that begins with ISO dates has no others */
    for (size_t j = 0; j < t->n_columns; j++) any = any || (orders[j].other && !orders[j].iso);
    if (any) look_at_dates(job, first, t->n_records, orders);
    if (any) agree(job, orders);
    rsp_date_order *found = any || job->source->dates ? RSP_ARRAY(a, rsp_date_order, t->n_columns) : NULL;
    for (size_t j = 0; found && j < t->n_columns; j++) {
        const struct order *o = &orders[j];
        found[j] = order_of(o, job);
        bool known = job->source->dates || job->tool->month_first || (o->day != o->month);
        if (o->slashes && !known)
            rsp_report(d, RSP_ERR_DATA, (rsp_loc){t->path, (int) t->heading_line, 0},
                       "give the source `dates: dmy` or `dates: mdy`", "'%s' holds dates such as 3/4/2026, and %s",
                       t->headings[j],
                       o->day ? "days stand first in some and second in others" : "no day above 12 tells the order");
    }
    free(orders);
    return found;
}
