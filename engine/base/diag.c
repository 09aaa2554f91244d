/* The collector of diagnostics. */
#include "responsive/base.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    rsp_diagnostic what;
    size_t arrival;
} entry;

struct rsp_diag {
    pthread_mutex_t lock;
    rsp_arena *arena;
    rsp_map *seen;
    entry *entries;
    size_t n, capacity;
    bool sorted;
};

rsp_diag *rsp_diag_new(void) {
    rsp_diag *d = rsp_calloc(1, sizeof *d);
    pthread_mutex_init(&d->lock, NULL);
    d->arena = rsp_arena_new();
    d->seen = rsp_map_new();
    return d;
}

void rsp_diag_free(rsp_diag *d) {
    if (!d) return;
    pthread_mutex_destroy(&d->lock);
    rsp_map_free(d->seen);
    rsp_arena_free(d->arena);
    free(d->entries);
    free(d);
}

enum { LONGEST_MESSAGE = 1000 }; /* bytes; a text needs room for three dots more */

/* Messages quote foreign files: a name must not forge a second line of the log, command the terminal or fill the screen. */
static void make_presentable(char *text) {
    size_t length = strlen(text);
    if (length > LONGEST_MESSAGE) {
        length = LONGEST_MESSAGE;
        while (length && ((unsigned char) text[length] & 0xC0) == 0x80) length--; /* not inside a character */
        memcpy(text + length, "...", 4);
    }
    for (unsigned char *c = (unsigned char *) text; *c; c++) {
        if (*c == '\n' || *c == '\r' || *c == '\t') *c = ' ';
        else if (*c < 0x20 || *c == 0x7F) *c = '?';
        else if (*c == 0xC2 && c[1] >= 0x80 && c[1] < 0xA0) c[0] = c[1] = '?'; /* control characters U+0080..009F */
    }
}

void rsp_report(rsp_diag *d, rsp_class class, rsp_loc loc, const char *hint, const char *format, ...) {
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int length = vsnprintf(NULL, 0, format, again);
    va_end(again);
    pthread_mutex_lock(&d->lock);
    char *message = rsp_alloc(d->arena, (size_t) (length < 0 ? 0 : length) + 4),
         *remedy = hint ? rsp_alloc(d->arena, strlen(hint) + 4) : NULL;
    if (length > 0) vsnprintf(message, (size_t) length + 1, format, args);
    va_end(args);
    make_presentable(message);
    if (remedy) {
        memcpy(remedy, hint, strlen(hint));
        make_presentable(remedy);
    }
    const char *file = loc.file ? loc.file : "";
    char *key = rsp_printf(d->arena, "%s:%d:%d:%d:%s", file, loc.line, loc.column, (int) class, message);
    if (rsp_map_put(d->seen, key, d->n)) {
        loc.file = rsp_strdup(d->arena, loc.file);
        entry e = {{class, loc, message, remedy}, d->n};
        RSP_PUSH(d->entries, d->n, d->capacity, e);
        d->sorted = false;
    }
    pthread_mutex_unlock(&d->lock);
}

static size_t count_if(const rsp_diag *d, bool (*wanted)(rsp_class)) {
    size_t n = 0;
    for (size_t k = 0; k < d->n; k++) n += wanted(d->entries[k].what.class);
    return n;
}

static bool is_error(rsp_class c) { return c >= RSP_ERR_USAGE; }
static bool is_warning(rsp_class c) { return c == RSP_WARNING; }

size_t rsp_diag_errors(const rsp_diag *d) { return count_if(d, is_error); }
size_t rsp_diag_warnings(const rsp_diag *d) { return count_if(d, is_warning); }
size_t rsp_diag_count(const rsp_diag *d) { return d->n; }

static int compare_entries(const void *a, const void *b) {
    const entry *x = a, *y = b;
    const char *fx = x->what.loc.file ? x->what.loc.file : "", *fy = y->what.loc.file ? y->what.loc.file : "";
    int c = strcmp(fx, fy);
    if (c) return c;
    if (x->what.loc.line != y->what.loc.line) return x->what.loc.line < y->what.loc.line ? -1 : 1;
    if (x->what.loc.column != y->what.loc.column) return x->what.loc.column < y->what.loc.column ? -1 : 1;
    /* Without a place the order of arrival would follow the schedule of threads: the text decides. */
    if (!x->what.loc.line && (c = strcmp(x->what.message, y->what.message))) return c;
    return x->arrival < y->arrival ? -1 : 1;
}

const rsp_diagnostic *rsp_diag_at(rsp_diag *d, size_t k) {
    if (!d->sorted && d->n) {
        qsort(d->entries, d->n, sizeof *d->entries, compare_entries);
        d->sorted = true;
    }
    return k < d->n ? &d->entries[k].what : NULL;
}

int rsp_diag_status(const rsp_diag *d) {
    int status = 0;
    for (size_t k = 0; k < d->n; k++) {
        rsp_class c = d->entries[k].what.class;
        if (is_error(c)) status = status <= 1 || (int) c < status ? (int) c : status;
        else if (is_warning(c) && status == 0) status = 1;
    }
    return status;
}

static const char *class_word(rsp_class c) { return c == RSP_NOTE ? "note" : c == RSP_WARNING ? "warning" : "error"; }

/* A full disk fails hundreds of files alike: the first one speaks for them. */
static bool alike(const rsp_diagnostic *x, const rsp_diagnostic *y) {
    return x->class == RSP_ERR_OUTPUT && y->class == x->class && strcmp(x->message, y->message) == 0;
}

/* How many entries of [from, to) say what entry k says. */
static size_t count_alike(rsp_diag *d, size_t k, size_t from, size_t to) {
    const rsp_diagnostic *e = rsp_diag_at(d, k);
    size_t n = 0;
    for (size_t j = from; e->class == RSP_ERR_OUTPUT && j < to; j++) n += alike(e, rsp_diag_at(d, j));
    return n;
}

static void print_one(const rsp_diagnostic *e, size_t others, FILE *to, bool colour) {
    if (e->loc.file) {
        fprintf(to, "%s:", e->loc.file);
        if (e->loc.line) fprintf(to, "%d:", e->loc.line);
        if (e->loc.line && e->loc.column) fprintf(to, "%d:", e->loc.column);
        fputc(' ', to);
    }
    const char *on = is_error(e->class) ? "\033[1;31m" : e->class == RSP_WARNING ? "\033[1;33m" : "\033[1m";
    fprintf(to, "%s%s:%s %s", colour ? on : "", class_word(e->class), colour ? "\033[0m" : "", e->message);
    if (others) fprintf(to, "; likewise %zu other file%s", others, others == 1 ? "" : "s");
    if (e->hint) fprintf(to, " (%s)", e->hint);
    fputc('\n', to);
}

void rsp_diag_print(rsp_diag *d, FILE *to, bool colour, size_t limit) {
    const rsp_class kinds[] = {RSP_ERR_USAGE, RSP_WARNING, RSP_NOTE}; /* USAGE stands for every error */
    for (size_t kind = 0; kind < 3; kind++) {
        size_t shown = 0, hidden = 0;
        for (size_t k = 0; k < d->n; k++) {
            const rsp_diagnostic *e = rsp_diag_at(d, k);
            bool mine = kinds[kind] == RSP_ERR_USAGE ? is_error(e->class) : e->class == kinds[kind];
            if (!mine || count_alike(d, k, 0, k)) continue;
            if (limit && shown == limit) {
                hidden++;
                continue;
            }
            print_one(e, count_alike(d, k, k + 1, d->n), to, colour);
            shown++;
        }
        if (hidden) fprintf(to, "... and %zu more %s%s\n", hidden, class_word(kinds[kind]), hidden == 1 ? "" : "s");
    }
}
