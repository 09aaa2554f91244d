/* The pages in a real browser, by keyboard and at the width of a phone: tests/browse.py drives headless Chromium. Without
 * Chromium the tests are skipped, and say so. */
#include "shell.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static char here[] = "/tmp/responsive-browser-XXXXXX";

static void need_chromium(void) {
    if (sh("command -v chromium >/dev/null") == 0) return;
    fprintf(stderr, "SKIPPED: no chromium here, so nobody has walked the pages by keyboard\n");
    skip();
}

static int browse(const char *pages) {
    return sh("cd %s/wvs/latest && timeout 120 python3 -I $OLDPWD/tests/browse.py chromium %s >%s/said", here, pages,
              here);
}

static void pages_are_walked_by_keyboard(void **state) {
    (void) state;
    need_chromium();
    if (browse("index.html explore.html changes.html quality/quality.html") == 0) return;
    sh("cat %s/said >&2", here);
    fail_msg("a page cannot be used as it should");
}

/* What the walk is there to find. */
static void faults_of_a_page_are_found(void **state) {
    (void) state;
    static const char *const faults[] = {"<a href=x tabindex=1>first though last</a>",
                                         "<style>*{outline:none!important}</style>",
                                         "<script>console.error(1)</script>", "<p style=\"width:2000px\">wide</p>"};
    need_chromium();
    for (size_t k = 0; k < sizeof faults / sizeof *faults; k++) {
        assert_int_equal(
            sh("cd %s/wvs/latest && cp quality/quality.html quality/odd.html && echo '%s' >>quality/odd.html", here,
               faults[k]),
            0);
        if (browse("quality/odd.html") != 1) fail_msg("not found: %s", faults[k]);
    }
}

static int set_up(void **state) {
    (void) state;
    if (!mkdtemp(here)) return -1;
    return sh("%s/responsive run specs/wvs --out %s --lang en --quiet 2>%s/log", build_folder(), here, here);
}

static int tear_down(void **state) {
    (void) state;
    return sh("rm -rf %s", here);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(pages_are_walked_by_keyboard),
                                       cmocka_unit_test(faults_of_a_page_are_found)};
    return cmocka_run_group_tests_name("browser", tests, set_up, tear_down);
}
