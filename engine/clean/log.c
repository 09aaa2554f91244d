/* The cleaning log and its file. Details are words of the engine: no answer stands in the log. */
#include "clean/cleaner.h"

#include <stdlib.h>
#include <string.h>

void rsp_clean_log_add(rsp_clean_log *l, const rsp_frame *f, size_t row, const char *rule, const char *action,
                       const char *variable, const char *detail) {
    char name[256];
    rsp_clean_line line = {.rule = rule, .action = action, .variable = variable, .detail = detail};
    line.case_name = rsp_strdup(l->arena, rsp_case_name(f, row, name));
    RSP_PUSH(l->lines, l->n, l->capacity, line);
}

void rsp_cleaner_line(rsp_cleaner *c, size_t row, const char *action, const char *variable, const char *detail) {
    rsp_clean_log_add(c->log, c->frame, row, c->study->rules[c->rule].id, action, variable, detail);
}

void rsp_clean_log_free(rsp_clean_log *l) {
    if (!l) return;
    free(l->lines);
    rsp_arena_free(l->arena);
}

typedef struct {
    const rsp_clean_line *line;
    size_t arrival;
} entry;

/* By case; a case's lines stay in the order of the rules, then of the variables' names. */
static int compare_entries(const void *x, const void *y) {
    const entry *a = x, *b = y;
    int order = strcmp(a->line->case_name, b->line->case_name);
    if (order) return order;
    if (strcmp(a->line->rule, b->line->rule)) return a->arrival < b->arrival ? -1 : 1;
    if ((order = strcmp(a->line->variable, b->line->variable))) return order;
    if ((order = strcmp(a->line->action, b->line->action))) return order;
    return strcmp(a->line->detail, b->line->detail);
}

static void add_line(rsp_buf *b, const rsp_clean_line *line) {
    const char *fields[] = {line->case_name, line->rule, line->action, line->variable, line->detail};
    for (size_t k = 0; k < sizeof fields / sizeof *fields; k++) {
        if (k) rsp_buf_putc(b, ',');
        rsp_buf_csv(b, fields[k], true);
    }
    rsp_buf_puts(b, "\r\n");
}

bool rsp_clean_write(const rsp_clean_log *l, const char *path, rsp_diag *d) {
    entry *sorted = rsp_malloc((l->n + 1) * sizeof *sorted);
    for (size_t k = 0; k < l->n; k++) sorted[k] = (entry){&l->lines[k], k};
    qsort(sorted, l->n, sizeof *sorted, compare_entries);
    rsp_buf text = {0};
    rsp_buf_puts(&text, "case,rule,action,variable,detail\r\n");
    for (size_t k = 0; k < l->n; k++) add_line(&text, sorted[k].line);
    bool good = rsp_write_file(path, text.data, text.length, d);
    rsp_buf_free(&text);
    free(sorted);
    return good;
}
