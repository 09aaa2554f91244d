/* Fuzz target: study.yaml as a tree, and the table of keys that goes over it. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "study/keys.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    rsp_arena *a = rsp_arena_new();
    rsp_diag *d = rsp_diag_new();
    char *text = rsp_strndup(a, "", 0);
    if (size) {
        text = rsp_alloc(a, size + 1);
        memcpy(text, data, size);
    }
    rsp_node *root = rsp_yaml_parse(a, "study.yaml", text, size, d);
    assert(root || rsp_diag_errors(d) > 0);
    if (root) rsp_keys_check(&RSP_STUDY_KEYS, root, d);
    rsp_diag_free(d);
    rsp_arena_free(a);
    return 0;
}
