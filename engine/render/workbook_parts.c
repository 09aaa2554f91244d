/* Where libxlsxwriter keeps the parts of a workbook, some hundred files, until it packs them: in memory. It asks
 * lxw_tmpfile() of its own header for each, and the linker (Makefile: HOOKS) lets ours stand before its own, for two reasons:
 * it does not notice when a temporary file cannot be written (a full disk), which memory cannot fail at; and a disk's file
 * system takes longer over their names than the program over their content. */
#include "workbook.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static _Thread_local size_t parts_given;

size_t rsp_book_parts_given(void) { return parts_given; }

struct part {
    unsigned char *bytes; /* heap */
    size_t n, capacity, at;
};

static ssize_t read_part(void *cookie, char *into, size_t length) {
    struct part *p = cookie;
    size_t left = p->at < p->n ? p->n - p->at : 0;
    if (length > left) length = left;
    memcpy(into, p->bytes + p->at, length);
    p->at += length;
    return (ssize_t) length;
}

static ssize_t write_part(void *cookie, const char *from, size_t length) {
    struct part *p = cookie;
    size_t end = p->at + length;
    if (end > p->capacity) {
        size_t capacity = end > 2 * p->capacity ? end : 2 * p->capacity;
        p->bytes = rsp_realloc(p->bytes, capacity);
        p->capacity = capacity;
    }
    if (p->at > p->n) memset(p->bytes + p->n, 0, p->at - p->n); /* as in a file, behind a seek past its end */
    memcpy(p->bytes + p->at, from, length);
    p->at = end;
    if (end > p->n) p->n = end;
    return (ssize_t) length;
}

static int seek_part(void *cookie, off64_t *offset, int whence) {
    struct part *p = cookie;
    off64_t from = whence == SEEK_SET ? 0 : whence == SEEK_CUR ? (off64_t) p->at : (off64_t) p->n;
    if (from + *offset < 0) {
        errno = EINVAL;
        return -1;
    }
    p->at = (size_t) (from + *offset);
    *offset = (off64_t) p->at;
    return 0;
}

static int close_part(void *cookie) {
    struct part *p = cookie;
    free(p->bytes);
    free(p);
    return 0;
}

FILE *lxw_tmpfile(char *folder) {
    (void) folder;
    struct part *p = rsp_calloc(1, sizeof *p);
    cookie_io_functions_t ways = {read_part, write_part, seek_part, close_part};
    FILE *f = fopencookie(p, "w+", ways);
    if (f) parts_given++;
    else free(p);
    return f;
}
