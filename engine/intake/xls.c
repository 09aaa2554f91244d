/* Old Excel workbooks (.xls, BIFF) by FreeXL. Password-protected .xlsx files are of the same outer format and refused. */
#include "reader.h"

#include <freexl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static const char remedy[] = "open it in a spreadsheet program and save it as xlsx, or as CSV in UTF-8";

bool rsp_is_xls(const rsp_buf *raw) {
    return raw->length > 8 && memcmp(raw->data, "\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1", 8) == 0;
}

/* FreeXL opens files by name only: the bytes, which were read and hashed already, get one without a folder. */
static int as_file(const rsp_buf *raw, char name[64]) {
    int fd = memfd_create("responsive.xls", MFD_CLOEXEC);
    size_t written = 0;
    while (fd >= 0 && written < raw->length) {
        ssize_t n = write(fd, raw->data + written, raw->length - written);
        if (n <= 0) break;
        written += (size_t) n;
    }
    if (fd >= 0 && written < raw->length) {
        close(fd);
        return -1;
    }
    snprintf(name, 64, "/proc/self/fd/%d", fd);
    return fd;
}

static bool put_value(rsp_grid *g, size_t column, const FreeXL_CellValue *v) {
    char number[32];
    const char *text = number;
    switch (v->type) {
    case FREEXL_CELL_INT: snprintf(number, sizeof number, "%d", v->value.int_value); break;
    case FREEXL_CELL_DOUBLE: rsp_double_text(v->value.double_value, number); break;
    case FREEXL_CELL_TEXT:
    case FREEXL_CELL_SST_TEXT:
    case FREEXL_CELL_DATE:
    case FREEXL_CELL_DATETIME:
    case FREEXL_CELL_TIME: text = v->value.text_value; break;
    default: return true;
    }
    size_t length = text ? strlen(text) : 0;
    return !length || rsp_grid_put(g, column, rsp_grid_keep(g, text, length), length, true, 0);
}

static bool read_active_sheet(const void *book, rsp_grid *g) {
    unsigned rows;
    unsigned short columns;
    FreeXL_CellValue value;
    if (freexl_worksheet_dimensions(book, &rows, &columns) != FREEXL_OK) return false;
    for (unsigned i = 0; i < rows; i++) {
        rsp_grid_row(g, i + 1);
        for (unsigned short j = 0; j < columns; j++)
            if (freexl_get_cell_value(book, i, j, &value) == FREEXL_OK && !put_value(g, j, &value)) return false;
    }
    return true;
}

/* Numbers of sheets have 16 bits; UINT_MAX: there is no such sheet. */
static unsigned sheet_named(const void *book, const char *wanted) {
    unsigned n = 0;
    freexl_get_info(book, FREEXL_BIFF_SHEET_COUNT, &n);
    for (unsigned k = 0; k < n && k < UINT16_MAX; k++) {
        const char *name = NULL;
        if (freexl_get_worksheet_name(book, (unsigned short) k, &name) == FREEXL_OK && name &&
            strcmp(name, wanted) == 0)
            return k;
    }
    return UINT_MAX;
}

/* NULL: it cannot be read. */
static rsp_grid *read_sheet(const void *book, unsigned k) {
    if (freexl_select_active_worksheet(book, (unsigned short) k) != FREEXL_OK) return NULL;
    rsp_grid *g = rsp_grid_new();
    if (read_active_sheet(book, g)) return g;
    rsp_grid_free(g);
    return NULL;
}

/* EUSurvey goes on with further columns on sheets Content1, Content2, ..., wherever they stand. */
static rsp_grid *with_continuations(const void *book, rsp_grid *g) {
    bool good = g;
    for (unsigned k = 1; good; k++) {
        char name[24];
        snprintf(name, sizeof name, "Content%u", k);
        unsigned at = sheet_named(book, name);
        if (at == UINT_MAX) return g;
        rsp_grid *more = read_sheet(book, at);
        good = more && rsp_grid_join(g, more);
        rsp_grid_free(more);
    }
    rsp_grid_free(g);
    return NULL;
}

/* The first sheet that has rows below one another, else the first that holds something. */
static unsigned first_table(const void *book) {
    unsigned n = 0, something = UINT_MAX;
    freexl_get_info(book, FREEXL_BIFF_SHEET_COUNT, &n);
    for (unsigned k = 0; k < n && k < UINT16_MAX; k++) {
        rsp_grid *g = read_sheet(book, k);
        size_t rows = g ? rsp_grid_rows(g) : 0;
        rsp_grid_free(g);
        if (rows > 1) return k;
        if (rows && something == UINT_MAX) something = k;
    }
    return something == UINT_MAX ? 0 : something;
}

/* The sheet asked for; EUSurvey's with its continuations; the first that holds a table: as in other workbooks. */
static rsp_grid *read_sheets(const void *book, const char *wanted, const char **chosen, rsp_arena *a) {
    unsigned at = sheet_named(book, wanted ? wanted : "Content");
    bool content = !wanted && at != UINT_MAX;
    const char *name = NULL;
    if (wanted && at == UINT_MAX) return NULL;
    if (at == UINT_MAX) at = first_table(book);
    rsp_grid *g = read_sheet(book, at);
    if (freexl_get_worksheet_name(book, (unsigned short) at, &name) == FREEXL_OK && name) *chosen = rsp_strdup(a, name);
    return content ? with_continuations(book, g) : g;
}

rsp_table_data *rsp_xls_open(rsp_buf *raw, const char *path, const char *sheet, rsp_diag *d) {
    char name[64];
    const void *book = NULL;
    const char *chosen = "";
    rsp_table_data *t = NULL;
    rsp_arena *a = rsp_arena_new();
    int fd = as_file(raw, name);
    int rc = fd < 0 ? FREEXL_FILE_NOT_FOUND : freexl_open(name, &book);
    rsp_grid *g = rc == FREEXL_OK ? read_sheets(book, sheet, &chosen, a) : NULL;
    if (rc == FREEXL_OK && !g && sheet)
        rsp_report(d, RSP_ERR_DATA, (rsp_loc){path, 0, 0}, remedy, "the workbook has no sheet '%s'", sheet);
    else if (!g)
        rsp_report(d, RSP_ERR_DATA, (rsp_loc){path, 0, 0}, remedy,
                   "the old Excel workbook (xls) cannot be read: it is damaged or has a password");
    else t = rsp_grid_table(g, path, "xls", d);
    if (t) t->sheet = rsp_strdup(t->arena, chosen);
    if (book) freexl_close(book);
    if (fd >= 0) close(fd);
    rsp_arena_free(a);
    rsp_buf_free(raw);
    return t;
}
