/* Old Excel workbooks (.xls, BIFF) by FreeXL. Password-protected .xlsx files are of the same outer format and refused. */
#include "reader.h"

#include <freexl.h>
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

/* The sheet asked for, EUSurvey's, or the first; its continuations Content1, Content2, ... join it. */
static rsp_grid *read_sheets(const void *book, const char *wanted, const char **chosen, rsp_arena *a) {
    unsigned n = 0;
    rsp_grid *g = NULL;
    const char *target = wanted ? wanted : "Content";
    freexl_get_info(book, FREEXL_BIFF_SHEET_COUNT, &n);
    for (unsigned pass = 0; pass < 2 && !g; pass++) {
        for (unsigned k = 0; k < n && k < UINT16_MAX; k++) {
            const char *name = NULL;
            if (freexl_get_worksheet_name(book, (unsigned short) k, &name) != FREEXL_OK || !name) continue;
            bool match = pass ? !wanted : strcmp(name, target) == 0;
            bool further = g && !pass && !wanted && strncmp(name, "Content", 7) == 0;
            if ((!match || g) && !further) continue;
            if (freexl_select_active_worksheet(book, (unsigned short) k) != FREEXL_OK) continue;
            rsp_grid *one = rsp_grid_new();
            bool good = read_active_sheet(book, one) && (!g || rsp_grid_join(g, one));
            if (!g) *chosen = rsp_strdup(a, name);
            if (g || !good) rsp_grid_free(one);
            else g = one;
            if (pass && g && rsp_grid_rows(g)) break;
        }
    }
    return g;
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
