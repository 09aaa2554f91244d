/* Lists in which a code of one choice is the label of another: children 1, 2, 3 labelled "0", "1", "2 or more". Whether a
 * column holds codes or labels, the other answers tell: "2 or more" is a label alone, 3 a code alone. Where they do not, it
 * is said, and codes are read. */
#include "fill.h"

#include <stdlib.h>

struct column {
    size_t index;
    size_t codes, words; /* cells that are a code alone, a label alone */
    rsp_lines twofold;   /* a code of one choice and the label of another */
};

static void look_at(const rsp_matcher *m, const rsp_list *l, const rsp_cell *c, uint32_t line, struct column *x,
                    rsp_buf *room) {
    if (rsp_cell_blank(c)) return;
    int code = rsp_match_code(m, l, c->text, c->length, room), word = rsp_match_word(m, l, c->text, c->length, room);
    if (code >= 0 && word >= 0 && code != word) rsp_lines_add(&x->twofold, line);
    x->codes += code >= 0 && word < 0;
    x->words += word >= 0 && code < 0;
}

static void look_at_all(const rsp_fill_job *job, const rsp_matcher *m, const rsp_study *s, struct column *x, size_t n) {
    const rsp_table_data *t = job->table;
    size_t block = rsp_table_block(t);
    rsp_room room = {0};
    rsp_buf fold = {0};
    rsp_cell *cells = rsp_malloc(block * t->n_columns * sizeof *cells);
    for (size_t from = 0; from < t->n_records; from += block) {
        size_t to = from + block < t->n_records ? from + block : t->n_records;
        t->read(t, from, to, &room, cells);
        for (size_t i = from; i < to; i++)
            for (size_t k = 0; k < n; k++)
                look_at(m, s->variables[job->columns[x[k].index].variable].list,
                        &cells[(i - from) * t->n_columns + x[k].index], t->line[i], &x[k], &fold);
    }
    free(cells);
    rsp_buf_free(&fold);
    rsp_room_free(&room);
}

static void report(const rsp_fill_job *job, const rsp_study *s, const struct column *x, rsp_diag *d) {
    char text[128];
    bool both = x->codes && x->words;
    rsp_report(d, both ? RSP_ERR_DATA : RSP_WARNING, (rsp_loc){job->table->path, (int) x->twofold.first[0], 0},
               "give the list codes that are no labels, and the numbers as `value`",
               "%zu answer%s to '%s' could be the code of one choice or the label of another%s (%s)", x->twofold.n,
               x->twofold.n == 1 ? "" : "s", s->variables[job->columns[x->index].variable].name,
               both ? ", and the column holds codes and labels" : "; they are read as codes",
               rsp_rows_text(job->table, &x->twofold, text));
}

void rsp_detect_words(const rsp_fill_job *job, const rsp_matcher *m, const rsp_study *s, rsp_target_column *columns,
                      rsp_diag *d) {
    size_t n = 0;
    if (job->table->statistical) return; /* their cells are codes */
    struct column *x = rsp_calloc(job->table->n_columns, sizeof *x);
    for (size_t j = 0; j < job->table->n_columns; j++)
        if (columns[j].take == RSP_TAKE_CODE && rsp_list_twofold(m, s->variables[columns[j].variable].list))
            x[n++].index = j;
    if (n) look_at_all(job, m, s, x, n);
    for (size_t k = 0; k < n; k++) {
        columns[x[k].index].words = x[k].twofold.n && x[k].words && !x[k].codes;
        if (x[k].twofold.n && !x[k].words == !x[k].codes) report(job, s, &x[k], d);
    }
    free(x);
}
