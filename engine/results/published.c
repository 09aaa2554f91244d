/* The published table: found by key, written as CSV and SQLite, read back. */
#include "results/published.h"

#include <csv.h>
#include <math.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const char *const RSP_NUMBER_NAMES[RSP_N_NUMBERS] = {"estimate", "se",    "df", "df1",   "lower", "upper",
                                                     "p",        "p_adj", "n",  "n_eff", "deff"};
static const char *const KEY_NAMES[] = {"analysis", "domain", "term", "level", "statistic"};
enum { N_KEYS = 5, N_COLUMNS = N_KEYS + RSP_N_NUMBERS + 1 };

double *rsp_published_number(rsp_published_row *row, size_t k) {
    double *numbers[RSP_N_NUMBERS] = {&row->estimate, &row->se,    &row->df, &row->df1,   &row->lower, &row->upper,
                                      &row->p,        &row->p_adj, &row->n,  &row->n_eff, &row->deff};
    return numbers[k];
}

static const char **key_field(rsp_published_row *row, size_t k) {
    const char **fields[N_KEYS] = {&row->analysis, &row->domain, &row->term, &row->level, &row->statistic};
    return fields[k];
}

rsp_published *rsp_published_new(size_t n) {
    rsp_arena *a = rsp_arena_new();
    rsp_published *p = RSP_NEW(a, rsp_published);
    p->arena = a;
    p->n = n;
    p->rows = RSP_ARRAY(a, rsp_published_row, n);
    for (size_t i = 0; i < n; i++) {
        for (size_t k = 0; k < N_KEYS; k++) *key_field(&p->rows[i], k) = "";
        for (size_t k = 0; k < RSP_N_NUMBERS; k++) *rsp_published_number(&p->rows[i], k) = NAN;
    }
    return p;
}

void rsp_published_free(rsp_published *p) {
    if (!p) return;
    rsp_map_free(p->keys);
    rsp_map_free(p->first);
    rsp_arena_free(p->arena);
}

/* Unit separators between the parts: no code may hold one. */
static void key_text(rsp_buf *b, const char *const parts[N_KEYS]) {
    b->length = 0;
    for (size_t k = 0; k < N_KEYS; k++) {
        rsp_buf_puts(b, parts[k]);
        rsp_buf_putc(b, '\x1f');
    }
}

void rsp_published_index(rsp_published *p) {
    rsp_map_free(p->keys);
    rsp_map_free(p->first);
    p->keys = rsp_map_new();
    p->first = rsp_map_new();
    rsp_buf b = {0};
    for (size_t i = 0; i < p->n; i++) {
        const rsp_published_row *r = &p->rows[i];
        key_text(&b, (const char *const[]){r->analysis, r->domain, r->term, r->level, r->statistic});
        rsp_map_put_n(p->keys, b.data, b.length, i);
        rsp_map_put(p->first, r->analysis, i);
    }
    rsp_buf_free(&b);
}

size_t rsp_published_count(const rsp_published *p) { return p->n; }

const rsp_published_row *rsp_published_at(const rsp_published *p, size_t k) { return k < p->n ? &p->rows[k] : NULL; }

const rsp_published_row *rsp_published_find(const rsp_published *p, const char *analysis, const char *domain,
                                            const char *term, const char *level, const char *statistic) {
    rsp_buf b = {0};
    key_text(&b, (const char *const[]){analysis, domain, term, level, statistic});
    size_t i = rsp_map_get_n(p->keys, b.data, b.length);
    rsp_buf_free(&b);
    return i == RSP_NONE ? NULL : &p->rows[i];
}

bool rsp_published_range(const rsp_published *p, const char *analysis, size_t *from, size_t *to) {
    size_t first = rsp_map_get(p->first, analysis);
    *from = *to = first == RSP_NONE ? p->n : first;
    while (*to < p->n && strcmp(p->rows[*to].analysis, analysis) == 0) ++*to;
    return *to > *from;
}

/* ---- CSV -------------------------------------------------------------------------------------------------------- */

bool rsp_published_write_csv(const rsp_published *p, const char *path, rsp_diag *d) {
    rsp_buf b = {0};
    for (size_t k = 0; k < N_KEYS; k++) rsp_buf_printf(&b, "%s,", KEY_NAMES[k]);
    for (size_t k = 0; k < RSP_N_NUMBERS; k++) rsp_buf_printf(&b, "%s,", RSP_NUMBER_NAMES[k]);
    rsp_buf_puts(&b, "flag\r\n"); /* RFC 4180 */
    for (size_t i = 0; i < p->n; i++) {
        rsp_published_row row = p->rows[i];
        for (size_t k = 0; k < N_KEYS; k++) {
            rsp_buf_csv(&b, *key_field(&row, k), false);
            rsp_buf_putc(&b, ',');
        }
        for (size_t k = 0; k < RSP_N_NUMBERS; k++) {
            char text[32];
            rsp_double_text(*rsp_published_number(&row, k), text);
            rsp_buf_puts(&b, text);
            rsp_buf_putc(&b, ',');
        }
        char flags[256];
        rsp_buf_puts(&b, rsp_flags_text(row.flags, flags));
        rsp_buf_puts(&b, "\r\n");
    }
    bool ok = rsp_write_file(path, b.data, b.length, d);
    rsp_buf_free(&b);
    return ok;
}

struct reader {
    rsp_arena *arena;
    rsp_published_row *rows;
    size_t n, capacity, field;
    int column[64]; /* field of the file -> column of the table, -1 unknown */
    bool heading, wrong;
    rsp_published_row row;
};

static int column_named(const char *name) {
    for (int k = 0; k < N_KEYS; k++)
        if (strcmp(name, KEY_NAMES[k]) == 0) return k;
    for (int k = 0; k < RSP_N_NUMBERS; k++)
        if (strcmp(name, RSP_NUMBER_NAMES[k]) == 0) return N_KEYS + k;
    return strcmp(name, "flag") == 0 ? N_COLUMNS - 1 : -1;
}

static void read_field(void *bytes, size_t length, void *context) {
    struct reader *r = context;
    char *text = rsp_strndup(r->arena, bytes ? bytes : "", length);
    if (r->field >= 64) {
        r->wrong = true;
        return;
    }
    if (r->heading) {
        r->column[r->field++] = column_named(text);
        return;
    }
    int column = r->column[r->field++];
    if (column < 0) return;
    if (column < N_KEYS) *key_field(&r->row, (size_t) column) = text;
    else if (column == N_COLUMNS - 1) r->row.flags = rsp_flags_of(text);
    else if (length && !rsp_parse_double(text, length, '.', rsp_published_number(&r->row, (size_t) column - N_KEYS)))
        r->wrong = true;
}

static rsp_published_row blank_row(void) {
    rsp_published_row row = {"", "", "", "", "", 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0};
    for (size_t k = 0; k < RSP_N_NUMBERS; k++) *rsp_published_number(&row, k) = NAN;
    return row;
}

static void read_record(int end, void *context) {
    (void) end;
    struct reader *r = context;
    if (!r->heading) RSP_PUSH(r->rows, r->n, r->capacity, r->row);
    r->heading = false;
    r->field = 0;
    r->row = blank_row();
}

rsp_published *rsp_published_read_csv(const char *path, rsp_diag *d) {
    rsp_buf file = {0};
    if (!rsp_read_file(path, &file, d, RSP_ERR_DATA, (rsp_loc){path, 0, 0})) return NULL;
    struct reader r = {.arena = rsp_arena_new(), .heading = true, .row = blank_row()};
    struct csv_parser parser;
    csv_init(&parser, CSV_APPEND_NULL);
    bool ok = csv_parse(&parser, file.data, file.length, read_field, read_record, &r) == file.length;
    csv_fini(&parser, read_field, read_record, &r);
    csv_free(&parser);
    rsp_buf_free(&file);
    if (!ok || r.wrong) rsp_report(d, RSP_ERR_DATA, (rsp_loc){path, 0, 0}, NULL, "not a results table");
    rsp_published *p = NULL;
    if (ok && !r.wrong) {
        p = rsp_published_new(0);
        p->n = r.n;
        p->rows = RSP_ARRAY(p->arena, rsp_published_row, r.n);
        for (size_t i = 0; i < r.n; i++) {
            p->rows[i] = r.rows[i];
            for (size_t k = 0; k < N_KEYS; k++)
                *key_field(&p->rows[i], k) = rsp_strdup(p->arena, *key_field(&r.rows[i], k));
        }
        rsp_published_index(p);
    }
    free(r.rows);
    rsp_arena_free(r.arena);
    return p;
}

/* ---- SQLite ----------------------------------------------------------------------------------------------------- */

static bool exec(sqlite3 *db, const char *sql) { return sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK; }

static void create_sql(rsp_buf *b) {
    rsp_buf_puts(b, "CREATE TABLE results (");
    for (size_t k = 0; k < N_KEYS; k++) rsp_buf_printf(b, "%s TEXT NOT NULL, ", KEY_NAMES[k]);
    for (size_t k = 0; k < RSP_N_NUMBERS; k++) rsp_buf_printf(b, "%s REAL, ", RSP_NUMBER_NAMES[k]);
    rsp_buf_puts(b, "flag TEXT NOT NULL, PRIMARY KEY (analysis, domain, term, level, statistic));");
}

static bool insert_rows(sqlite3 *db, const rsp_published *p) {
    rsp_buf sql = {0};
    rsp_buf_puts(&sql, "INSERT INTO results VALUES (?");
    for (size_t k = 1; k < N_COLUMNS; k++) rsp_buf_puts(&sql, ",?");
    rsp_buf_puts(&sql, ")");
    sqlite3_stmt *statement = NULL;
    bool ok = sqlite3_prepare_v2(db, sql.data, -1, &statement, NULL) == SQLITE_OK;
    for (size_t i = 0; ok && i < p->n; i++) {
        rsp_published_row row = p->rows[i];
        char flags[256];
        for (size_t k = 0; k < N_KEYS; k++)
            sqlite3_bind_text(statement, (int) k + 1, *key_field(&row, k), -1, SQLITE_TRANSIENT);
        for (size_t k = 0; k < RSP_N_NUMBERS; k++) {
            double x = *rsp_published_number(&row, k);
            if (isnan(x)) sqlite3_bind_null(statement, (int) (N_KEYS + k) + 1);
            else sqlite3_bind_double(statement, (int) (N_KEYS + k) + 1, x);
        }
        sqlite3_bind_text(statement, N_COLUMNS, rsp_flags_text(row.flags, flags), -1, SQLITE_TRANSIENT);
        ok = sqlite3_step(statement) == SQLITE_DONE;
        sqlite3_reset(statement);
    }
    sqlite3_finalize(statement);
    rsp_buf_free(&sql);
    return ok;
}

static bool insert_study(sqlite3 *db, const rsp_study *s) {
    sqlite3_stmt *statement = NULL;
    if (sqlite3_prepare_v2(db, "INSERT INTO study VALUES (?,?)", -1, &statement, NULL) != SQLITE_OK) return false;
    const char *title = rsp_text_in(&s->title, s->languages[0]);
    const char *pairs[][2] = {{"study", s->id}, {"title", title ? title : s->id}, {"program", RSP_VERSION}};
    bool ok = true;
    for (size_t k = 0; ok && k < sizeof pairs / sizeof *pairs; k++) {
        sqlite3_bind_text(statement, 1, pairs[k][0], -1, SQLITE_TRANSIENT);
        sqlite3_bind_text(statement, 2, pairs[k][1], -1, SQLITE_TRANSIENT);
        ok = sqlite3_step(statement) == SQLITE_DONE;
        sqlite3_reset(statement);
    }
    sqlite3_finalize(statement);
    return ok;
}

bool rsp_published_write_sqlite(const rsp_published *p, const rsp_study *s, const char *path, rsp_diag *d) {
    sqlite3 *db = NULL;
    rsp_buf sql = {0};
    unlink(path);
    create_sql(&sql);
    /* Built in memory and written as one image: equal bytes for equal rows, and one checked write. */
    bool ok = sqlite3_open(":memory:", &db) == SQLITE_OK && exec(db, "PRAGMA page_size=4096") && exec(db, sql.data) &&
              exec(db, "CREATE TABLE study (key TEXT PRIMARY KEY, value TEXT NOT NULL)") && exec(db, "BEGIN") &&
              insert_rows(db, p) && insert_study(db, s) && exec(db, "COMMIT") && exec(db, "VACUUM");
    if (!ok)
        rsp_report(d, RSP_ERR_OUTPUT, (rsp_loc){path, 0, 0}, NULL, "SQLite: %s", db ? sqlite3_errmsg(db) : "no memory");
    if (ok) {
        sqlite3_int64 size = 0;
        unsigned char *image = sqlite3_serialize(db, "main", &size, 0);
        ok = image && rsp_write_file(path, image, (size_t) size, d);
        sqlite3_free(image);
    }
    sqlite3_close(db);
    rsp_buf_free(&sql);
    return ok;
}
