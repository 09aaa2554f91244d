/* What fuzzing once found stays found: every file of tests/fuzz/crashers through its target, and the targets' own seeds
 * for a start. The name of a file begins with that of its target. */
#include "shell.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define LLVMFuzzerTestOneInput fuzz_expression
#include "fuzz/expression.c"
#undef LLVMFuzzerTestOneInput
#define LLVMFuzzerTestOneInput fuzz_formula
#include "fuzz/formula.c"
#undef LLVMFuzzerTestOneInput
#define LLVMFuzzerTestOneInput fuzz_lavaan
#include "fuzz/lavaan.c"
#undef LLVMFuzzerTestOneInput
#define LLVMFuzzerTestOneInput fuzz_yaml
#include "fuzz/yaml.c"
#undef LLVMFuzzerTestOneInput
#define LLVMFuzzerTestOneInput fuzz_decode
#include "fuzz/decode.c"
#undef LLVMFuzzerTestOneInput
#define read_all read_all_records
#define LLVMFuzzerTestOneInput fuzz_delimited
#include "fuzz/delimited.c"
#undef LLVMFuzzerTestOneInput
#undef read_all
#define LLVMFuzzerTestOneInput fuzz_export
#include "fuzz/export.c"
#undef LLVMFuzzerTestOneInput
#define LLVMFuzzerTestOneInput fuzz_form
#include "fuzz/form.c"
#undef LLVMFuzzerTestOneInput
#define LLVMFuzzerTestOneInput fuzz_study
#include "fuzz/study.c"
#undef LLVMFuzzerTestOneInput

static const struct target {
    const char *name;
    int (*run)(const uint8_t *data, size_t size);
} TARGETS[] = {{"expression", fuzz_expression},
               {"formula", fuzz_formula},
               {"lavaan", fuzz_lavaan},
               {"yaml", fuzz_yaml},
               {"decode", fuzz_decode},
               {"delimited", fuzz_delimited},
               {"export", fuzz_export},
               {"form", fuzz_form},
               {"study", fuzz_study}};
enum { N_TARGETS = sizeof TARGETS / sizeof *TARGETS };

/* Runs each file of the folder; returns their number. */
static size_t replay(const char *folder, const struct target *only) {
    DIR *handle = opendir(folder);
    size_t n = 0;
    assert_non_null(handle);
    for (struct dirent *e; (e = readdir(handle));) {
        char path[512];
        if (e->d_name[0] == '.') continue;
        const struct target *t = only;
        for (size_t k = 0; !t && k < N_TARGETS; k++)
            if (strncmp(e->d_name, TARGETS[k].name, strlen(TARGETS[k].name)) == 0) t = &TARGETS[k];
        if (!t) fail_msg("%s/%s: the name begins with no target's", folder, e->d_name);
        snprintf(path, sizeof path, "%s/%s", folder, e->d_name);
        rsp_buf file = {0};
        rsp_diag *d = rsp_diag_new();
        if (!rsp_read_file(path, &file, d, RSP_ERR_DATA, RSP_NOWHERE)) fail_msg("%s cannot be read", path);
        t->run((const uint8_t *) file.data, file.length);
        rsp_buf_free(&file);
        rsp_diag_free(d);
        n++;
    }
    closedir(handle);
    return n;
}

static void crashers(void **state) {
    (void) state;
    assert_true(replay("tests/fuzz/crashers", NULL) > 0);
}

/* The targets work, and their seeds are sound. Those of `study` are the studies of other tests. */
static void seeds(void **state) {
    (void) state;
    char folder[] = "/tmp/responsive-seeds-XXXXXX", place[300];
    assert_non_null(mkdtemp(folder));
    for (size_t k = 0; k + 1 < N_TARGETS; k++) {
        snprintf(place, sizeof place, "%s/%s", folder, TARGETS[k].name);
        assert_int_equal(sh("tests/fuzz/corpus %s %s", TARGETS[k].name, place), 0);
        assert_true(replay(place, &TARGETS[k]) > 0);
    }
    assert_int_equal(sh("rm -rf %s", folder), 0);
}

/* Lines are looked up in one pass: 200,000 block texts took minutes once. */
static void many_block_texts(void **state) {
    (void) state;
    rsp_buf b = {0};
    rsp_diag *d = rsp_diag_new();
    rsp_buf_puts(&b, "list:\n");
    for (int k = 0; k < 200000; k++) rsp_buf_puts(&b, "- |\n  a\n");
    rsp_arena *a = rsp_arena_new();
    limit_seconds(60);
    rsp_node *root = rsp_yaml_parse(a, "study.yaml", b.data, b.length, d);
    limit_seconds(0);
    assert_non_null(root);
    const rsp_node *last = root->items[0]->items[199999];
    assert_int_equal(last->origin.loc.line, 400001);
    assert_int_equal(last->origin.loc.column, 3);
    rsp_buf_free(&b);
    rsp_diag_free(d);
    rsp_arena_free(a);
}

/* A message that quotes a foreign file stays one line, short, and commands no terminal. */
static void messages_are_presentable(void **state) {
    (void) state;
    rsp_diag *d = rsp_diag_new();
    char longer[5000];
    memset(longer, 'x', sizeof longer - 1);
    longer[sizeof longer - 1] = '\0';
    rsp_report(d, RSP_WARNING, RSP_NOWHERE, "a\nb", "one\n\x1b[31mtwo \xC2\x9B three");
    rsp_report(d, RSP_ERR_DATA, RSP_NOWHERE, longer, "%s", longer);
    assert_string_equal(rsp_diag_at(d, 0)->message, "one ?[31mtwo ?? three");
    assert_string_equal(rsp_diag_at(d, 0)->hint, "a b");
    assert_int_equal(strlen(rsp_diag_at(d, 1)->message), 1003);
    assert_int_equal(strlen(rsp_diag_at(d, 1)->hint), 1003);
    rsp_diag_free(d);
}

static void refused_files(void **state) {
    (void) state;
    static const struct {
        const char *path, *says;
    } files[] = {{"/dev/zero", "a pipe or a device"}, {"/tmp", "a folder"}, {"/no/such/file", "No such file"}};
    for (size_t k = 0; k < sizeof files / sizeof *files; k++) {
        rsp_diag *d = rsp_diag_new();
        rsp_buf b = {0};
        assert_false(rsp_read_file(files[k].path, &b, d, RSP_ERR_DATA, RSP_NOWHERE));
        assert_int_equal(rsp_diag_status(d), RSP_ERR_DATA);
        assert_non_null(strstr(rsp_diag_at(d, 0)->message, files[k].says));
        rsp_buf_free(&b);
        rsp_diag_free(d);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(crashers), cmocka_unit_test(seeds),
                                       cmocka_unit_test(many_block_texts), cmocka_unit_test(messages_are_presentable),
                                       cmocka_unit_test(refused_files)};
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    rmdir(study_folder());
    return failed;
}
