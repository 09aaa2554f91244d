/* Fuzz target: R's model formulas. */
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
    rsp_formula *f = rsp_formula_parse(a, rsp_strndup(a, (const char *) data + 1, size - 1), &origin, d);
    assert(f ? !rsp_diag_errors(d) : rsp_diag_errors(d) > 0);
    for (size_t k = 0; f && k < f->n_terms; k++)
        for (size_t j = 0; j < f->terms[k].n; j++) assert(f->terms[k].factor[j] < f->n_factors);
    rsp_diag_free(d);
    rsp_arena_free(a);
    return 0;
}
