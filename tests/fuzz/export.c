/* Fuzz target: files of any format, as bytes or, for workbooks, as the parts of an archive in one text (the first byte
 * chooses): each part begins with a line `== NAME`. Whatever tool is recognised, every cell can be read and profiled. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "intake/profile.h"
#include "parts.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

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
        rsp_profile *p = rsp_profiles(t, tool, d);
        for (size_t j = 0; j < t->n_columns; j++) assert(p[j].answered + rsp_profile_missing(&p[j]) == t->n_records);
        rsp_profiles_free(p, t->n_columns);
    }
    rsp_table_close(t);
    rsp_buf_free(&raw);
    rsp_diag_free(d);
    return 0;
}
