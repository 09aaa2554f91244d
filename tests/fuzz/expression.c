/* Fuzz target: XLSForm expressions. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "responsive/expr.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void count_variable(rsp_expr *variable, void *context) {
    assert(variable->text);
    ++*(size_t *) context;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (!size) return 0;
    rsp_arena *a = rsp_arena_new();
    rsp_diag *d = rsp_diag_new();
    const rsp_origin origin = {{"study.yaml", 3, 5}, data[0] & 1, 5};
    const char *text = rsp_strndup(a, (const char *) data + 1, size - 1);
    rsp_expr *e = rsp_expr_parse(a, text, &origin, d);
    size_t variables = 0;
    assert(e ? !rsp_diag_errors(d) : rsp_diag_errors(d) > 0);
    if (e) rsp_expr_each_variable(e, count_variable, &variables);
    for (size_t k = 0; k < rsp_diag_count(d); k++) assert(rsp_diag_at(d, k)->loc.line >= 3);
    rsp_diag_free(d);
    rsp_arena_free(a);
    return 0;
}
