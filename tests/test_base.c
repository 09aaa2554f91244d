/* Foundations: names, suggestions, diagnostics, hashes, random streams, distributions, numbers as text. */
#include "responsive/base.h"
#include "responsive/results.h"
#include "base/ending.h"
#include "shell.h"

#include <dlfcn.h>
#include <math.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <zlib.h>

#include <cmocka.h>

static bool close_to(double got, double want, double relative) { return fabs(got - want) <= relative * fabs(want); }

static void arenas_and_buffers(void **state) {
    (void) state;
    rsp_arena *a = rsp_arena_new();
    char *first = rsp_strdup(a, "first");
    for (size_t k = 1; k < 2000; k++) {
        unsigned char *p = rsp_alloc(a, k * 7);
        for (size_t j = 0; j < k * 7; j++) assert_int_equal(p[j], 0);
        memset(p, 0xff, k * 7);
        assert_int_equal((uintptr_t) p % 16, 0);
    }
    assert_string_equal(first, "first");
    assert_string_equal(rsp_printf(a, "%d %s", 7, "seven"), "7 seven");
    rsp_arena_free(a);
    rsp_buf b = {0};
    for (int k = 0; k < 1000; k++) rsp_buf_printf(&b, "%d,", k);
    assert_int_equal(b.length, 10 * 2 + 90 * 3 + 900 * 4);
    assert_int_equal(b.data[b.length], 0);
    rsp_buf_free(&b);
}

static void csv_fields(void **state) {
    (void) state;
    rsp_buf b = {0};
    rsp_buf_csv(&b, "say \"a, b\"", false);
    rsp_buf_putc(&b, ',');
    rsp_buf_csv(&b, "=1+1", true);
    rsp_buf_putc(&b, ',');
    rsp_buf_csv(&b, "=1+1", false);
    rsp_buf_putc(&b, ',');
    rsp_buf_csv(&b, "", true);
    assert_string_equal(b.data, "\"say \"\"a, b\"\"\",'=1+1,=1+1,");
    rsp_buf_free(&b);
}

static void maps(void **state) {
    (void) state;
    rsp_map *m = rsp_map_new();
    char key[32];
    assert_int_equal(rsp_map_get(m, "nothing"), RSP_NONE);
    for (size_t k = 0; k < 10000; k++) {
        snprintf(key, sizeof key, "key %zu", k);
        assert_true(rsp_map_put(m, key, k));
        assert_false(rsp_map_put(m, key, 0));
    }
    for (size_t k = 0; k < 10000; k++) {
        snprintf(key, sizeof key, "key %zu", k);
        assert_int_equal(rsp_map_get(m, key), k);
    }
    assert_int_equal(rsp_map_count(m), 10000);
    assert_true(rsp_map_put_n(m, "a\0b", 3, 1)); /* keys are bytes */
    assert_true(rsp_map_put_n(m, "a\0c", 3, 2));
    assert_int_equal(rsp_map_get_n(m, "a\0c", 3), 2);
    rsp_map_free(m);
}

static void suggestions(void **state) {
    (void) state;
    const char *const names[] = {"engage1", "engage2", "listen1", "country", "id"};
    assert_string_equal(rsp_suggest("egage1", names, 5), "engage1");
    assert_string_equal(rsp_suggest("Country", names, 5), "country");
    assert_string_equal(rsp_suggest("lisetn1", names, 5), "listen1");
    assert_null(rsp_suggest("weather", names, 5));
    assert_null(rsp_suggest("", names, 5));
}

static void diagnostics(void **state) {
    (void) state;
    rsp_diag *d = rsp_diag_new();
    rsp_report(d, RSP_WARNING, (rsp_loc){"b.csv", 9, 1}, NULL, "late");
    rsp_report(d, RSP_ERR_DATA, (rsp_loc){"b.csv", 3, 2}, "mend it", "early %d", 1);
    rsp_report(d, RSP_ERR_DATA, (rsp_loc){"b.csv", 3, 2}, "mend it", "early %d", 1); /* said once */
    rsp_report(d, RSP_ERR_STUDY, (rsp_loc){"a.yaml", 1, 1}, NULL, "first");
    assert_int_equal(rsp_diag_count(d), 3);
    assert_int_equal(rsp_diag_errors(d), 2);
    assert_int_equal(rsp_diag_warnings(d), 1);
    assert_int_equal(rsp_diag_status(d), RSP_ERR_STUDY);
    assert_string_equal(rsp_diag_at(d, 0)->message, "first");
    assert_string_equal(rsp_diag_at(d, 1)->message, "early 1");
    char *text = NULL;
    size_t size;
    FILE *f = open_memstream(&text, &size);
    rsp_diag_print(d, f, false, 0);
    fclose(f);
    assert_string_equal(text,
                        "a.yaml:1:1: error: first\nb.csv:3:2: error: early 1 (mend it)\nb.csv:9:1: warning: late\n");
    free(text);
    rsp_diag_free(d);
}

/* What fails for one reason is said once; places in an export are each to be mended, and stay. */
static void failures_alike(void **state) {
    (void) state;
    rsp_diag *d = rsp_diag_new();
    for (int k = 0; k < 3; k++) {
        char name[8];
        snprintf(name, sizeof name, "%d.svg", k);
        rsp_report(d, RSP_ERR_OUTPUT, (rsp_loc){name, 0, 0}, "make room", "cannot write: full");
        rsp_report(d, RSP_ERR_DATA, (rsp_loc){"a.csv", k + 1, 0}, NULL, "no number");
    }
    rsp_report(d, RSP_ERR_OUTPUT, (rsp_loc){"1.svg", 0, 0}, NULL, "cannot look");
    char *text = NULL;
    size_t size;
    FILE *f = open_memstream(&text, &size);
    rsp_diag_print(d, f, false, 4);
    fclose(f);
    assert_string_equal(text, "0.svg: error: cannot write: full; likewise 2 other files (make room)\n"
                              "1.svg: error: cannot look\na.csv:1: error: no number\na.csv:2: error: no number\n"
                              "... and 1 more error\n");
    assert_int_equal(rsp_diag_errors(d), 7);
    free(text);
    rsp_diag_free(d);
}

static void flags_as_text(void **state) {
    (void) state;
    char text[256];
    for (size_t k = 0; k < RSP_N_FLAGS; k++)
        for (size_t j = 0; j <= k; j++)
            assert_int_equal(rsp_flags_of(rsp_flags_text(1u << k | 1u << j, text)), 1u << k | 1u << j);
    assert_int_equal(rsp_flags_of(rsp_flags_text((1u << RSP_N_FLAGS) - 1, text)), (1u << RSP_N_FLAGS) - 1);
    assert_int_equal(rsp_flags_of("suppressed;lone;empty"),
                     RSP_F_SUPPRESSED | RSP_F_EMPTY); /* a beginning is no name */
}

static void hashes(void **state) {
    (void) state;
    rsp_hash h;
    char hex[65], other[65];
    rsp_hash_init(&h);
    rsp_hash_add(&h, "abc", 3); /* FIPS 180-2, appendix B.1 */
    rsp_hash_hex(&h, hex);
    assert_string_equal(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    rsp_hash_init(&h), rsp_hash_str(&h, "ab"), rsp_hash_str(&h, ""), rsp_hash_hex(&h, hex);
    rsp_hash_init(&h), rsp_hash_str(&h, "a"), rsp_hash_str(&h, "b"), rsp_hash_hex(&h, other);
    assert_string_not_equal(hex, other);
}

static void random_streams(void **state) {
    (void) state;
    /* Known answers of Philox 4x32-10 (Salmon et al. 2011, distributed test vectors): counter 0, key 0. */
    rsp_rng r;
    rsp_rng_init(&r, 0, 0);
    const uint32_t known[4] = {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8};
    for (int k = 0; k < 4; k++) assert_int_equal(rsp_rng_u32(&r), known[k]);
    /* A stream does not depend on what others did. */
    rsp_rng a, b;
    rsp_rng_init(&a, 7, 3);
    rsp_rng_init(&b, 7, 4);
    uint32_t first = rsp_rng_u32(&a);
    assert_true(first != rsp_rng_u32(&b));
    rsp_rng_init(&a, 7, 3);
    assert_int_equal(rsp_rng_u32(&a), first);
    double sum = 0, squares = 0;
    size_t count[6] = {0};
    for (int k = 0; k < 60000; k++) {
        double z = rsp_rng_normal(&a);
        sum += z;
        squares += z * z;
        count[rsp_rng_below(&b, 6)]++;
    }
    assert_true(fabs(sum / 60000) < 4 / sqrt(60000));
    assert_true(fabs(squares / 60000 - 1) < 4 * sqrt(2.0 / 60000));
    for (int k = 0; k < 6; k++) assert_true(fabs((double) count[k] - 10000) < 4 * sqrt(60000 * 5 / 36.0));
}

/* Values by R 4.2.2: pt, pf, pchisq, qt, qbeta. */
static void distributions(void **state) {
    (void) state;
    assert_true(close_to(rsp_t_two_sided(2, 10), 0.0733880347707405, 1e-12));
    assert_true(close_to(rsp_t_two_sided(40, 5370), 1.80786541754885e-306, 1e-9));
    assert_true(close_to(rsp_t_two_sided(5, NAN), 5.73303143758387e-07, 1e-12));
    assert_true(close_to(rsp_f_upper(3.5, 3, 12.5), 0.0480848119521712, 1e-10));
    assert_true(close_to(rsp_f_upper(50, 4, 300), 3.22119779072437e-32, 1e-9));
    assert_true(close_to(rsp_chisq_upper(85.30552177, 24), 8.50255316455444e-09, 1e-12));
    assert_true(close_to(rsp_t_quantile(0.975, 3), 3.18244630528371, 1e-12));
    assert_true(close_to(rsp_t_quantile(0.975, 1e6), 1.95996635681411, 1e-10));
    assert_true(close_to(rsp_t_quantile(0.025, 7), -2.36462425159278, 1e-12));
    assert_true(close_to(rsp_beta_quantile(0.975, 1, 50), 0.0711217364641976, 1e-12));
    assert_true(isnan(rsp_t_two_sided(1, 0)) && isnan(rsp_t_quantile(0.9, -1)) && isnan(rsp_f_upper(NAN, 1, 1)));
    assert_true(rsp_f_upper(0, 2, 9) == 1);
}

static void numbers_as_text(void **state) {
    (void) state;
    const double values[] = {0.1, 1.0 / 3, 1e-300, 123456789012345680.0, -2.5, 5e-324, 1e22};
    for (size_t k = 0; k < sizeof values / sizeof *values; k++) {
        char text[32];
        rsp_double_text(values[k], text);
        assert_true(strtod(text, NULL) == values[k]);
    }
    char text[32];
    rsp_double_text(0.1, text);
    assert_string_equal(text, "0.1");
    rsp_double_text(-0.0, text);
    assert_string_equal(text, "0");
    rsp_double_text(NAN, text);
    assert_string_equal(text, "");
    double x;
    assert_true(rsp_parse_double(" 1,5 ", 5, ',', &x) && x == 1.5);
    assert_true(rsp_parse_double(".5", 2, '.', &x) && x == 0.5);
    assert_false(rsp_parse_double("1.500", 5, ',', &x)); /* thousands or a decimal point? never guessed */
    assert_false(rsp_parse_double("4 eur", 5, '.', &x));
    assert_false(rsp_parse_double("0x10", 4, '.', &x));
    assert_false(rsp_parse_double("nan", 3, '.', &x));
    assert_false(rsp_parse_double("", 0, '.', &x));
    assert_false(rsp_parse_double("1e999", 5, '.', &x));
    rsp_rng rng;
    rsp_rng_init(&rng, 3, 1);
    for (int k = 0; k < 20000; k++) {
        int behind = (int) rsp_rng_below(&rng, 12);
        snprintf(text, sizeof text, "%s%.*f", k & 1 ? "-" : "", behind, 1e5 * rsp_rng_uniform(&rng));
        assert_true(rsp_parse_double(text, strlen(text), '.', &x) && x == strtod(text, NULL));
    }
    assert_true(rsp_parse_double("123456789012345678", 18, '.', &x) && x == 123456789012345678.0);
    assert_true(rsp_parse_double("5.", 2, '.', &x) && x == 5);
    assert_false(rsp_parse_double("1.2.3", 5, '.', &x));
    assert_false(rsp_parse_double("-", 1, '.', &x));
}

static void files(void **state) {
    (void) state;
    rsp_diag *d = rsp_diag_new();
    rsp_buf b = {0};
    char dir[] = "/tmp/responsive-base-XXXXXX", path[64];
    assert_non_null(mkdtemp(dir));
    snprintf(path, sizeof path, "%s/a/b", dir);
    assert_true(rsp_make_dirs(path, d));
    assert_false(rsp_read_file(path, &b, d, RSP_ERR_DATA, RSP_NOWHERE)); /* a folder */
    snprintf(path, sizeof path, "%s/a/b/c", dir);
    assert_true(rsp_write_file(path, "x\0y", 3, d));
    assert_true(rsp_read_file(path, &b, d, RSP_ERR_DATA, RSP_NOWHERE));
    assert_int_equal(b.length, 3);
    assert_false(rsp_write_file("/dev/full", "x", 1, d)); /* a full disk is noticed */
    snprintf(path, sizeof path, "%s/a/b/c/d", dir);
    assert_false(rsp_make_dirs(path, d)); /* below a file */
    assert_int_equal(rsp_diag_errors(d), 3);
    rsp_buf_free(&b);
    rsp_diag_free(d);
    assert_int_equal(sh("rm -rf %s", dir), 0);
}

/* What the Makefile's HOOKS name stands in this program, and libraries find it there before their own. */
static void hooks_are_ours(void **state) {
    (void) state;
    static const char *const hooks[] = {"getenv",  "register_printf_type", "deflateInit_", "deflateInit2_",
                                        "deflate", "deflateEnd",           "deflateReset", "lxw_tmpfile"};
    Dl_info self, found;
    assert_int_not_equal(dladdr((void *) &hooks_are_ours, &self), 0);
    for (size_t k = 0; k < sizeof hooks / sizeof *hooks; k++) {
        void *symbol = dlsym(RTLD_DEFAULT, hooks[k]);
        assert_non_null(symbol);
        assert_int_not_equal(dladdr(symbol, &found), 0);
        assert_ptr_equal(found.dli_fbase, self.dli_fbase);
    }
}

/* Where something else runs, waiting threads sleep early; what somebody has set in the environment holds. */
static void waiting_threads_leave_a_busy_machine(void **state) {
    (void) state;
    char *was = getenv("GOMP_SPINCOUNT");
    char *kept = was ? strdup(was) : NULL;
    setenv("GOMP_SPINCOUNT", "77", 1);
    assert_string_equal(getenv("GOMP_SPINCOUNT"), "77");
    unsetenv("GOMP_SPINCOUNT");
    pid_t busy = fork();
    assert_true(busy >= 0);
    if (busy == 0) {
        alarm(10);
        for (volatile int k = 0;; k = !k) continue;
    }
    if (!getenv("OMP_WAIT_POLICY")) assert_string_equal(getenv("GOMP_SPINCOUNT"), "1000");
    setenv("OMP_WAIT_POLICY", "active", 0);
    assert_null(getenv("GOMP_SPINCOUNT"));
    unsetenv("OMP_WAIT_POLICY");
    kill(busy, SIGKILL);
    assert_int_equal(waitpid(busy, NULL, 0), busy);
    if (kept) setenv("GOMP_SPINCOUNT", kept, 1);
    free(kept);
}

enum { PLAIN = 100000, PACKED = 200000 };

/* Packs `plain` in pieces of `in` bytes into pieces of `out` bytes; returns the length. */
static size_t pack_in_pieces(z_stream *z, const unsigned char *plain, unsigned char *packed, size_t in, size_t out) {
    size_t taken = 0, given = 0;
    for (int result = Z_OK; result != Z_STREAM_END;) {
        uInt n = (uInt) (PLAIN - taken < in ? PLAIN - taken : in), room = (uInt) out;
        z->next_in = (unsigned char *) plain + taken;
        z->next_out = packed + given;
        z->avail_in = n;
        z->avail_out = room;
        result = deflate(z, taken + n == PLAIN ? Z_FINISH : Z_NO_FLUSH);
        assert_true(result == Z_OK || result == Z_STREAM_END || (result == Z_BUF_ERROR && !n));
        taken += n - z->avail_in;
        given += room - z->avail_out;
        assert_true(given + out <= PACKED);
    }
    assert_int_equal(taken, PLAIN);
    assert_int_equal(z->total_in, PLAIN);
    assert_int_equal(z->total_out, given);
    return given;
}

/* What the program's own deflate packs, zlib's inflate unpacks: any header, any pieces, twice with one stream. */
static void packed_bytes_come_back(void **state) {
    (void) state;
    static const int headers[] = {MAX_WBITS, -MAX_WBITS, 16 + MAX_WBITS}, levels[] = {Z_DEFAULT_COMPRESSION, 9, 0};
    static const size_t pieces[][2] = {{PLAIN, 4096}, {1000, 7}, {1, 300}};
    unsigned char *plain = rsp_malloc(PLAIN), *packed = rsp_malloc(PACKED), *back = rsp_malloc(PLAIN);
    rsp_rng rng;
    rsp_rng_init(&rng, 1, 2);
    for (size_t k = 0; k < PLAIN; k++) /* words that come back, and noise */
        plain[k] = k % 1000 < 200 ? (unsigned char) rsp_rng_below(&rng, 256) : (unsigned char) ("responsive"[k % 10]);
    for (size_t c = 0; c < 27; c++) {
        int header = headers[c / 9], level = levels[c / 3 % 3];
        z_stream z = {0};
        assert_int_equal(deflateInit2(&z, level, Z_DEFLATED, header, 8, Z_DEFAULT_STRATEGY), Z_OK);
        for (int again = 0; again < 2; again++) {
            size_t length = pack_in_pieces(&z, plain, packed, pieces[c % 3][0], pieces[c % 3][1]);
            if (level) assert_true(length < PLAIN / 2);
            z_stream u = {.next_in = packed, .avail_in = (uInt) length, .next_out = back, .avail_out = PLAIN};
            assert_int_equal(inflateInit2(&u, header), Z_OK);
            assert_int_equal(inflate(&u, Z_FINISH), Z_STREAM_END);
            assert_int_equal(u.total_out, PLAIN);
            assert_memory_equal(back, plain, PLAIN);
            inflateEnd(&u);
            assert_int_equal(deflateReset(&z), Z_OK);
        }
        deflateEnd(&z);
    }
    free(plain);
    free(packed);
    free(back);
}

static void test_plain_paths(void **state) {
    static const struct {
        const char *path, *plain;
    } cases[] = {{"tests/../tests/./test_base.c", "tests/test_base.c"},
                 {"tests/fuzz/../../Makefile", "Makefile"},
                 {"../../x.csv", "../../x.csv"},
                 {"tests/../../x.csv", "../x.csv"},
                 {"./tests//fuzz/../x.csv", "tests//x.csv"},
                 {"not_there/../x.csv", "not_there/../x.csv"},
                 {"/usr/../usr/lib", "/usr/lib"},
                 {"/../x", "/../x"},
                 {"a..b/x.csv", "a..b/x.csv"},
                 {".", "."},
                 {"", ""}};
    (void) state;
    rsp_arena *a = rsp_arena_new();
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++)
        assert_string_equal(rsp_path_plain(a, cases[k].path), cases[k].plain);
    /* Behind a link `..` is another folder than the one the link stands in. */
    char folder[] = "/tmp/rsp_plain_XXXXXX";
    assert_non_null(mkdtemp(folder));
    const char *link = rsp_path_join(a, folder, "link"), *through = rsp_path_join(a, link, "../x.csv");
    assert_int_equal(symlink("/usr/lib", link), 0);
    assert_string_equal(rsp_path_plain(a, through), through);
    unlink(link);
    rmdir(folder);
    rsp_arena_free(a);
}

/* ---- ends ------------------------------------------------------------------------------------------------------- */

#if !defined __SANITIZE_ADDRESS__ /* has handlers of its own */
/* A child that is ended by someone else's code, with a staging folder at dir; what it says goes to dir.said. */
static int end_of_child(const char *dir, void (*ended)(void)) {
    char said[64];
    snprintf(said, sizeof said, "%s.said", dir);
    fflush(NULL);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        if (!freopen(said, "w", stderr)) _exit(99);
        rsp_ending_removes(dir);
        rsp_ending_watch();
        ended();
        _exit(98);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void exit_as_a_library(void) { exit(1); }
static void trap_as_glib(void) { raise(SIGTRAP); }
static void exit_as_expected(void) {
    rsp_ending_expected();
    exit(3);
}
#endif

/* A library that calls exit() or traps leaves no staging folder and is told from an end that the program chose. */
static void a_library_gives_up(void **state) {
    (void) state;
#if defined __SANITIZE_ADDRESS__
    skip();
#else
    static const struct {
        void (*ended)(void);
        int status;
        bool removed;
        const char *says;
    } ends[] = {{exit_as_a_library, RSP_ERR_BUG, true, "responsive: a library gave up; nothing was published"},
                {trap_as_glib, RSP_ERR_BUG, true, "responsive: a library gave up, for want of memory or threads"},
                {exit_as_expected, 3, false, NULL}};
    for (size_t k = 0; k < sizeof ends / sizeof *ends; k++) {
        char dir[] = "/tmp/responsive-ending-XXXXXX";
        assert_non_null(mkdtemp(dir));
        assert_int_equal(sh("mkdir %s/charts && echo part > %s/charts/one", dir, dir), 0);
        assert_int_equal(end_of_child(dir, ends[k].ended), ends[k].status);
        assert_int_equal(sh("test -e %s", dir), ends[k].removed);
        if (ends[k].says) assert_int_equal(sh("grep -q '^%s' %s.said", ends[k].says, dir), 0);
        else assert_int_equal(sh("test ! -s %s.said", dir), 0);
        sh("rm -rf %s %s.said", dir, dir);
    }
#endif
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_plain_paths),
                                       cmocka_unit_test(arenas_and_buffers),
                                       cmocka_unit_test(csv_fields),
                                       cmocka_unit_test(maps),
                                       cmocka_unit_test(suggestions),
                                       cmocka_unit_test(diagnostics),
                                       cmocka_unit_test(failures_alike),
                                       cmocka_unit_test(flags_as_text),
                                       cmocka_unit_test(hashes),
                                       cmocka_unit_test(random_streams),
                                       cmocka_unit_test(distributions),
                                       cmocka_unit_test(numbers_as_text),
                                       cmocka_unit_test(files),
                                       cmocka_unit_test(hooks_are_ours),
                                       cmocka_unit_test(waiting_threads_leave_a_busy_machine),
                                       cmocka_unit_test(packed_bytes_come_back),
                                       cmocka_unit_test(a_library_gives_up)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
