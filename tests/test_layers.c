/* The order of stations: no file includes a header of a later one, statistics and renderers do not know each other. */
#include "responsive/base.h"

#include <glob.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char *const STATIONS[] = {"base",    "study", "intake",  "clean",  "weight", "estimate",
                                       "measure", "model", "results", "render", "batch"};
enum { N_STATIONS = sizeof STATIONS / sizeof *STATIONS, RENDER = 9 };

/* Which station a public header belongs to. */
static const struct {
    const char *header;
    size_t station;
} HEADERS[] = {{"base", 0},
               {"limits", 0},
               {"text", 1},
               {"expr", 1},
               {"formula", 1},
               {"study", 1},
               {"frame", 2},
               {"intake", 2},
               {"clean", 3},
               {"weight", 4},
               {"results", 4} /* the table that statistics write to */,
               {"statistics", 5},
               {"render", 9},
               {"batch", 10}};

static size_t station_of_folder(const char *path, size_t length) {
    for (size_t k = 0; k < N_STATIONS; k++)
        if (strlen(STATIONS[k]) == length && strncmp(path, STATIONS[k], length) == 0) return k;
    return RSP_NONE;
}

static size_t station_of_include(const char *name, size_t own) {
    if (!strchr(name, '/')) return own; /* beside the file */
    if (strncmp(name, "responsive/", 11) == 0) {
        for (size_t k = 0; k < sizeof HEADERS / sizeof *HEADERS; k++)
            if (strncmp(name + 11, HEADERS[k].header, strlen(HEADERS[k].header)) == 0 &&
                name[11 + strlen(HEADERS[k].header)] == '.')
                return HEADERS[k].station;
        return RSP_NONE;
    }
    return station_of_folder(name, strcspn(name, "/"));
}

static size_t faults;

static void check_file(const char *path, rsp_diag *d) {
    size_t own = station_of_folder(path + 7, strcspn(path + 7, "/")); /* engine/ */
    rsp_buf b = {0};
    assert_true(own != RSP_NONE);
    assert_true(rsp_read_file(path, &b, d, RSP_ERR_DATA, RSP_NOWHERE));
    for (char *line = b.data; (line = strstr(line, "#include \"")); line++) {
        char name[256];
        snprintf(name, sizeof name, "%.*s", (int) strcspn(line + 10, "\""), line + 10);
        size_t used = station_of_include(name, own);
        bool statistics = used >= 4 && used <= 7 && strcmp(name, "responsive/results.h") != 0;
        if (used == RSP_NONE || used > own || (own == RENDER && statistics)) {
            print_error("%s includes \"%s\"\n", path, name);
            faults++;
        }
    }
    rsp_buf_free(&b);
}

static void stations_look_back_only(void **state) {
    (void) state;
    rsp_diag *d = rsp_diag_new();
    glob_t g = {0};
    assert_int_equal(glob("engine/*/*.c", 0, NULL, &g), 0);
    assert_int_equal(glob("engine/*/*.h", GLOB_APPEND, NULL, &g), 0);
    assert_true(g.gl_pathc > 40);
    for (size_t k = 0; k < g.gl_pathc; k++) check_file(g.gl_pathv[k], d);
    globfree(&g);
    rsp_diag_free(d);
    assert_int_equal(faults, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(stations_look_back_only)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
