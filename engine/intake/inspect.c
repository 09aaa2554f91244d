/* `responsive inspect`: what a file is, before a study is written for it. Prints counts and kinds, never an answer. */
#include "reader.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_DISTINCT = 1000, HEADING_WIDTH = 60 };

struct profile {
    rsp_map *distinct; /* up to MOST_DISTINCT */
    size_t answered, whole, numbers, dates;
    bool many;
};

static bool blank(const rsp_cell *c) {
    for (uint32_t k = 0; k < c->length; k++)
        if (!strchr(" \t\r\n", c->text[k])) return false;
    return true;
}

static void look(struct profile *p, const rsp_cell *c) {
    double x;
    if (blank(c)) return;
    p->answered++;
    if (rsp_parse_date(c->text, c->length, &x)) p->dates++;
    else if (rsp_parse_double(c->text, c->length, '.', &x) || rsp_parse_double(c->text, c->length, ',', &x))
        p->numbers++;
    p->whole += !memchr(c->text, '.', c->length) && !memchr(c->text, ',', c->length);
    if (p->many) return;
    rsp_map_put_n(p->distinct, c->text, c->length, 0);
    p->many = rsp_map_count(p->distinct) > MOST_DISTINCT;
}

/* Few different answers of many are codes or labels; otherwise the column's cells are numbers, dates or texts. */
static const char *kind_of(const struct profile *p) {
    if (!p->answered) return "blank";
    if (p->dates == p->answered) return "date";
    bool few = !p->many && rsp_map_count(p->distinct) * 4 <= p->answered && rsp_map_count(p->distinct) <= 30;
    if (p->numbers == p->answered) return few ? "codes" : p->whole == p->answered ? "integer" : "decimal";
    return few ? "choices" : "text";
}

/* The heading on one line, cut between characters. */
static void print_heading(const char *h, FILE *to) {
    size_t shown = 0;
    for (; *h; h++) {
        bool start = ((unsigned char) *h & 0xC0) != 0x80;
        if (start && shown++ == HEADING_WIDTH) {
            fputs("...", to);
            return;
        }
        fputc((unsigned char) *h < ' ' || *h == 0x7F ? ' ' : *h, to);
    }
}

static void look_at_all(const rsp_table_data *t, struct profile *profiles) {
    size_t block = rsp_table_block(t);
    rsp_room room = {0};
    rsp_cell *cells = rsp_malloc(block * t->n_columns * sizeof *cells);
    for (size_t from = 0; from < t->n_records; from += block) {
        size_t to = from + block < t->n_records ? from + block : t->n_records;
        t->read(t, from, to, &room, cells);
        for (size_t k = 0; k < (to - from) * t->n_columns; k++) look(&profiles[k % t->n_columns], &cells[k]);
    }
    rsp_room_free(&room);
    free(cells);
}

static const char *delimiter_name(char c) {
    return c == '\t' ? "tab" : c == ';' ? "semicolon" : c == ',' ? "comma" : "other";
}

static void print_table(const rsp_table_data *t, const struct profile *profiles, FILE *to) {
    char why[160];
    const rsp_tool *tool = rsp_tool_find("auto", t, why);
    fprintf(to,
            "%s\n  tool      %s (%s)\n  encoding  %s\n  delimiter %s\n  headings  %zu row%s\n  records   %zu\n"
            "  columns   %zu\n\n",
            t->path, tool->name, why, t->encoding, delimiter_name(t->delimiter), t->n_header_rows,
            t->n_header_rows == 1 ? "" : "s", t->n_records, t->n_columns);
    fprintf(to, "%6s  %-8s %9s %9s  %s\n", "column", "kind", "different", "missing", "heading");
    for (size_t j = 0; j < t->n_columns; j++) {
        const struct profile *p = &profiles[j];
        char distinct[32];
        snprintf(distinct, sizeof distinct, p->many ? ">%zu" : "%zu",
                 p->many ? (size_t) MOST_DISTINCT : rsp_map_count(p->distinct));
        fprintf(to, "%6zu  %-8s %9s %9zu  ", j + 1, kind_of(p), distinct, t->n_records - p->answered);
        print_heading(t->headings[j], to);
        fputc('\n', to);
    }
}

bool rsp_inspect(const char *path, FILE *to, rsp_diag *d) {
    rsp_buf raw = {0};
    if (!rsp_read_file(path, &raw, d, RSP_ERR_DATA, RSP_NOWHERE)) {
        rsp_buf_free(&raw);
        return false;
    }
    rsp_table_data *t = rsp_delimited_open(&raw, path, NULL, 0, d);
    if (!t) return false;
    struct profile *profiles = rsp_calloc(t->n_columns, sizeof *profiles);
    for (size_t j = 0; j < t->n_columns; j++) profiles[j].distinct = rsp_map_new();
    look_at_all(t, profiles);
    print_table(t, profiles, to);
    for (size_t j = 0; j < t->n_columns; j++) rsp_map_free(profiles[j].distinct);
    free(profiles);
    rsp_table_close(t);
    return true;
}
