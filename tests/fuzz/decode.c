/* Fuzz target: bytes of an export to UTF-8, folding, dates and numbers. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "intake/reader.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void fold_twice(const char *text, size_t length) {
    rsp_buf once = {0}, twice = {0};
    rsp_fold(text, length, &once);
    rsp_fold(once.data ? once.data : "", once.length, &twice);
    rsp_buf_free(&once);
    rsp_buf_free(&twice);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const char *const encodings[] = {NULL,           "UTF-8",        "UTF-16",      "UTF-16LE",    "UTF-16BE",
                                            "WINDOWS-1250", "WINDOWS-1252", "ISO-8859-2",  "ISO-2022-JP", "UTF-7",
                                            "UTF-32",       "EUC-KR",       "no such name"};
    if (!size) return 0;
    rsp_diag *d = rsp_diag_new();
    rsp_buf raw = {0};
    rsp_decoded out;
    rsp_buf_add(&raw, (const char *) data + 1, size - 1);
    if (rsp_decode(&raw, encodings[data[0] % (sizeof encodings / sizeof *encodings)], "export.csv", &out, d)) {
        assert(rsp_utf8_check(out.text, out.length) == out.length);
        assert(!memchr(out.text, 0, out.length));
        double number;
        rsp_parse_date(out.text, out.length, &number);
        rsp_parse_double(out.text, out.length, ',', &number);
        fold_twice(out.text, out.length);
        free(out.heap);
    } else {
        assert(rsp_diag_errors(d) > 0);
    }
    rsp_buf_free(&raw);
    rsp_diag_free(d);
    return 0;
}
