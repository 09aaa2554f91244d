/* Fuzz target: lavaan's model syntax. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "responsive/formula.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (!size) return 0;
    rsp_arena *a = rsp_arena_new();
    rsp_diag *d = rsp_diag_new();
    const rsp_origin origin = {{"study.yaml", 3, 5}, data[0] & 1, 5};
    rsp_lavaan *m = rsp_lavaan_parse(a, rsp_strndup(a, (const char *) data + 1, size - 1), &origin, d);
    assert(m ? !rsp_diag_errors(d) : rsp_diag_errors(d) > 0);
    for (size_t k = 0; m && k < m->n; k++) assert(m->rows[k].lhs);
    rsp_diag_free(d);
    rsp_arena_free(a);
    return 0;
}
