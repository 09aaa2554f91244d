/* Fuzz target: delimited text. However records are taken, quickly or plainly, together or one by one, the cells are the
 * same. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "intake/reader.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void compare_one_by_one(const rsp_table_data *t, size_t from, size_t to, const rsp_cell *together) {
    rsp_room room = {0};
    rsp_cell *cells = rsp_calloc(t->n_columns, sizeof *cells);
    for (size_t i = from; i < to; i++) {
        const rsp_cell *expected = together + (i - from) * t->n_columns;
        t->read(t, i, i + 1, &room, cells);
        for (size_t j = 0; j < t->n_columns; j++) {
            assert(cells[j].length == expected[j].length && cells[j].quoted == expected[j].quoted);
            assert(memcmp(cells[j].text, expected[j].text, cells[j].length) == 0);
        }
    }
    free(cells);
    rsp_room_free(&room);
}

static void read_all(const rsp_table_data *t) {
    size_t block = rsp_table_block(t);
    rsp_room room = {0};
    rsp_cell *cells = rsp_calloc(block * t->n_columns, sizeof *cells);
    for (size_t from = 0; from < t->n_records; from += block) {
        size_t to = from + block < t->n_records ? from + block : t->n_records;
        t->read(t, from, to, &room, cells);
        compare_one_by_one(t, from, to, cells);
    }
    free(cells);
    rsp_room_free(&room);
}

static void compare_with_plain(const rsp_table_data *t, const rsp_table_data *plain) {
    rsp_room rooms[2] = {0};
    rsp_cell *cells = rsp_calloc(2 * t->n_columns, sizeof *cells), *expected = cells + t->n_columns;
    assert(plain && plain->n_records == t->n_records && plain->n_columns == t->n_columns);
    assert(plain->bare_empty == t->bare_empty && plain->quoted_empty == t->quoted_empty);
    assert(plain->comma_in_cells == t->comma_in_cells);
    for (size_t i = 0; i < t->n_records; i++) {
        assert(plain->line[i] == t->line[i]);
        t->read(t, i, i + 1, &rooms[0], cells);
        plain->read(plain, i, i + 1, &rooms[1], expected);
        for (size_t j = 0; j < t->n_columns; j++) {
            assert(cells[j].length == expected[j].length && cells[j].quoted == expected[j].quoted);
            assert(memcmp(cells[j].text, expected[j].text, cells[j].length) == 0);
        }
    }
    free(cells);
    rsp_room_free(&rooms[0]);
    rsp_room_free(&rooms[1]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const char *const encodings[] = {NULL, "UTF-8", "UTF-16", "WINDOWS-1250"};
    static const char delimiters[] = {0, 0, ',', ';', '\t', '|', ' '};
    if (size < 2) return 0;
    rsp_diag *d = rsp_diag_new();
    rsp_buf raw = {0};
    rsp_buf_add(&raw, (const char *) data + 2, size - 2);
    rsp_table_data *t =
        rsp_delimited_open(&raw, "export.csv", encodings[data[0] % 4], delimiters[data[1] % sizeof delimiters], d);
    assert(t || rsp_diag_errors(d) > 0);
    if (t) {
        for (size_t i = 1; i < t->n_records; i++) assert(t->line[i] > t->line[i - 1]);
        read_all(t);
        rsp_buf again = {0};
        rsp_buf_add(&again, (const char *) data + 2, size - 2);
        rsp_table_data *plain = rsp_delimited_open_plain(&again, "export.csv", encodings[data[0] % 4],
                                                         delimiters[data[1] % sizeof delimiters], d);
        compare_with_plain(t, plain);
        rsp_table_close(plain);
    }
    rsp_table_close(t);
    rsp_buf_free(&raw);
    rsp_diag_free(d);
    return 0;
}
