/* Fuzz target: files of any format, as bytes or, for workbooks, as the parts of an archive in one text (the first byte
 * chooses): each part begins with a line `== NAME`. Whatever tool is recognised, every cell can be read and profiled. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <zip.h>

#include "intake/profile.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A zip archive of the parts, in memory. */
static void pack_parts(const char *text, size_t length, rsp_buf *into) {
    zip_error_t error;
    zip_source_t *memory = zip_source_buffer_create(NULL, 0, 0, &error);
    zip_source_keep(memory);
    zip_t *zip = zip_open_from_source(memory, ZIP_TRUNCATE, &error);
    const char *end = text + length;
    for (const char *at = text; zip && at < end;) {
        const char *line = memchr(at, '\n', (size_t) (end - at)), *next;
        if (!line) break;
        next = memmem(line, (size_t) (end - line), "\n== ", 4);
        char name[64];
        snprintf(name, sizeof name, "%.*s", (int) (line - at > 60 ? 60 : line - at), at);
        const char *stop = next ? next : end;
        zip_source_t *part = zip_source_buffer(zip, line + 1 <= stop ? line + 1 : stop,
                                               line + 1 <= stop ? (size_t) (stop - line - 1) : 0, 0);
        if (strncmp(name, "== ", 3) != 0 || zip_file_add(zip, name + 3, part, ZIP_FL_OVERWRITE) < 0)
            zip_source_free(part);
        at = next ? next + 1 : end;
    }
    zip_stat_t st;
    bool closed = zip && zip_close(zip) == 0;
    if (zip && !closed) zip_discard(zip);
    if (closed && zip_source_stat(memory, &st) == 0 && (st.valid & ZIP_STAT_SIZE) && zip_source_open(memory) == 0) {
        char *bytes = rsp_malloc(st.size + 1);
        zip_int64_t n = zip_source_read(memory, bytes, st.size);
        if (n > 0) rsp_buf_add(into, bytes, (size_t) n);
        zip_source_close(memory);
        free(bytes);
    }
    zip_source_free(memory);
}

static void read_one_by_one(const rsp_table_data *t) {
    rsp_room room = {0};
    rsp_cell *cells = rsp_calloc(t->n_columns, sizeof *cells);
    for (size_t i = 0; i < t->n_records && i < 200; i++) {
        t->read(t, i, i + 1, &room, cells);
        for (size_t j = 0; j < t->n_columns; j++) assert(cells[j].text && cells[j].missing <= 0);
    }
    free(cells);
    rsp_room_free(&room);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size < 2) return 0;
    rsp_diag *d = rsp_diag_new();
    rsp_buf raw = {0};
    rsp_open_options o = {NULL, 0, NULL};
    char why[160];
    if (data[0] == 'p') pack_parts((const char *) data + 1, size - 1, &raw);
    else rsp_buf_add(&raw, (const char *) data + 1, size - 1);
    if (!raw.data) rsp_buf_add(&raw, "", 0);
    rsp_table_data *t = rsp_table_open(&raw, "export", &o, d);
    assert(t || rsp_diag_errors(d) > 0);
    const rsp_tool *tool = t ? rsp_tool_take("auto", t, why, d) : NULL;
    if (tool && t->n_columns < 2000) {
        read_one_by_one(t);
        rsp_profile *p = rsp_profiles(t, tool);
        for (size_t j = 0; j < t->n_columns; j++) assert(p[j].answered + rsp_profile_missing(&p[j]) == t->n_records);
        rsp_profiles_free(p, t->n_columns);
    }
    rsp_table_close(t);
    rsp_buf_free(&raw);
    rsp_diag_free(d);
    return 0;
}
