/* Archives for fuzz targets: their parts stand in one text, each behind a line `== NAME`. */
#ifndef FUZZ_PARTS_H
#define FUZZ_PARTS_H

#include <stdlib.h>
#include <string.h>
#include <zip.h>

#include "responsive/base.h"

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

#endif
