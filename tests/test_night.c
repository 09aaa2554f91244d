/* Whole nights: the program as a person calls it, on the studies that ship. */
#include "responsive/batch.h"
#include "responsive/results.h"
#include "shell.h"

#include <fcntl.h>
#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char here[512];     /* scratch folder */
static char program[1024]; /* the program under test */
static char root[512];     /* of the project */

static char *path(const char *format, ...) __attribute__((format(printf, 1, 2)));

static char *path(const char *format, ...) {
    static char paths[8][1200];
    static int turn;
    char *p = paths[turn = (turn + 1) % 8];
    char rest[600];
    va_list args;
    va_start(args, format);
    vsnprintf(rest, sizeof rest, format, args);
    va_end(args);
    snprintf(p, 1200, "%s/%s", here, rest);
    return p;
}

static bool exists(const char *p) {
    struct stat st;
    return stat(p, &st) == 0;
}

static json_t *manifest(const char *run) {
    json_error_t e;
    json_t *m = json_load_file(path("%s/manifest.json", run), 0, &e);
    assert_non_null(m);
    return m;
}

/* The publications hold the same files with the same bytes, manifest and log apart. */
static void same_outputs(const char *a, const char *b) {
    json_t *ma = manifest(a), *mb = manifest(b);
    json_t *oa = json_object_get(ma, "outputs"), *ob = json_object_get(mb, "outputs");
    assert_true(json_object_size(oa) > 10);
    const char *name;
    json_t *hash;
    json_object_foreach(oa, name, hash) {
        const char *other = json_string_value(json_object_get(ob, name));
        if (!other || strcmp(other, json_string_value(hash)) != 0) fail_msg("%s differs between %s and %s", name, a, b);
    }
    assert_int_equal(json_object_size(oa), json_object_size(ob));
    assert_string_equal(json_string_value(json_object_get(ma, "content_id")),
                        json_string_value(json_object_get(mb, "content_id")));
    json_decref(ma);
    json_decref(mb);
}

/* ---- nights ----------------------------------------------------------------------------------------------------- */

static void a_night_publishes_everything(void **state) {
    (void) state;
    assert_int_equal(sh("%s run specs/wvs --out %s/a --quiet", program, here), 0);
    const char *const files[] = {"index.html",
                                 "manifest.json",
                                 "run.log",
                                 "data/results.csv",
                                 "data/results.sqlite",
                                 "data/codebook.xml",
                                 "data/codebook.csv",
                                 "data/datapackage.json",
                                 "quality/cleaning.csv",
                                 "quality/quality.html",
                                 "quality/sentences.csv",
                                 "quality/sentence_values.csv",
                                 "briefs/brief-all-en.pdf",
                                 "briefs/brief-all-pl.pdf",
                                 "tables/tables-all-en.xlsx",
                                 "charts/poverty-all-pl.svg"};
    for (size_t k = 0; k < sizeof files / sizeof *files; k++)
        if (!exists(path("a/wvs/latest/%s", files[k]))) fail_msg("%s is missing", files[k]);
    assert_int_equal(sh("%s verify %s/a/wvs/latest >/dev/null", program, here), 0);
    /* the terminal speaks the user's language where the study does */
    assert_int_equal(sh("LC_ALL=pl_PL.UTF-8 %s show specs/wvs poverty --out %s/a | grep -q Odsetek", program, here), 0);
    assert_int_equal(sh("LC_ALL=fr_FR.UTF-8 %s show specs/wvs poverty --out %s/a | grep -q Share", program, here), 0);
    assert_int_equal(
        sh("LC_ALL=pl_PL.UTF-8 %s show specs/wvs poverty --out %s/a --lang en | grep -q Share", program, here), 0);
    /* ... and says the same of the run's folder, without the study */
    assert_int_equal(sh("export LC_ALL=pl_PL.UTF-8; %s show specs/wvs poverty --out %s/a > %s/by_study && "
                        "%s show %s/a/wvs/latest poverty | cmp - %s/by_study",
                        program, here, here, program, here, here),
                     0);
    assert_int_equal(sh("%s show %s/a/wvs/latest povertyy 2>&1 | grep -q \"did you mean 'poverty'\"", program, here),
                     0);
    assert_int_equal(sh("%s show %s/a/wvs/latest poverty --lang fr 2>/dev/null", program, here), 2);
}

static void published_numbers_are_the_expected_ones(void **state) {
    (void) state;
    rsp_diag *d = rsp_diag_new();
    rsp_published *e = rsp_published_read_csv("fixtures/wvs/expected.csv", d),
                  *g = rsp_published_read_csv(path("a/wvs/latest/data/results.csv"), d);
    assert_non_null(e);
    assert_non_null(g);
    for (size_t k = 0; k < rsp_published_count(e); k++) {
        const rsp_published_row *x = rsp_published_at(e, k),
                                *y = rsp_published_find(g, x->analysis, x->domain, x->term, x->level, x->statistic);
        assert_non_null(y);
        double scale = x->estimate < 0 ? -x->estimate : x->estimate, gap = x->estimate - y->estimate;
        assert_true((gap < 0 ? -gap : gap) <= 1e-6 * (scale > 1e-8 ? scale : 1e-8));
    }
    rsp_published_free(e);
    rsp_published_free(g);
    rsp_diag_free(d);
}

static void same_bytes_whatever_threads_locale_zone_folder(void **state) {
    (void) state;
    assert_int_equal(sh("cp -r specs %s/specs && cp -r fixtures/wvs %s/wvsdata && sed -i "
                        "'s|../../fixtures/wvs|../../wvsdata|' %s/specs/wvs/study.yaml && "
                        "cp -r %s/specs/wvs %s/specs/wvs2",
                        here, here, here, here, here),
                     0);
    assert_int_equal(sh("%s run %s/specs/wvs --out %s/b --quiet", program, here, here), 0);
    assert_int_equal(sh("LC_ALL=de_DE.UTF-8 TZ=Pacific/Auckland %s run %s/specs/wvs2 --out %s/c --quiet --jobs 1",
                        program, here, here),
                     0);
    same_outputs("b/wvs/latest", "c/wvs/latest");
}

static void same_results_whatever_the_order_of_rows_and_files(void **state) {
    (void) state;
    assert_int_equal(
        sh("cd %s/wvsdata && head -1 wvs.csv > s && tail -n +2 wvs.csv | sort -r >> s && mv s wvs.csv", here), 0);
    assert_int_equal(sh("%s run %s/specs/wvs --out %s/d --quiet", program, here, here), 0);
    same_outputs("b/wvs/latest", "d/wvs/latest");
}

static void simulated_study(void **state) {
    (void) state;
    int status = sh("%s run specs/ifsw --out %s/e --lang en,pl --quiet 2>%s/e.txt", program, here, here);
    if (status > 1) sh("cat %s/e.txt >&2", here);
    assert_true(status == 0 || status == 1);
    assert_true(exists(path("e/ifsw/latest/briefs/brief-PL-pl.pdf")));
    assert_true(exists(path("e/ifsw/latest/tables/tables-PL-pl.xlsx")));
    /* Free text never leaves; simulated exports carry these words for this test. */
    assert_int_equal(sh("grep -rlF -e 'never-to-be-published' %s/e/ifsw/latest/", here), 1);
    assert_int_equal(
        sh("unzip -p %s/e/ifsw/latest/tables/tables-all-en.xlsx | grep -cF never-to-be-published >/dev/null", here), 1);
    /* Every page says that the data are made up. */
    assert_int_equal(sh("grep -qi 'simulated' %s/e/ifsw/latest/index.html", here), 0);
    assert_int_equal(sh("pdftotext %s/e/ifsw/latest/briefs/brief-all-en.pdf - | grep -qi simulated", here), 0);
    assert_int_equal(sh("%s verify %s/e/ifsw/latest >/dev/null", program, here), 0);
}

static void simulated_exports_are_those_that_ship(void **state) {
    (void) state;
    assert_int_equal(sh("%s simulate specs/ifsw --out %s/sim --seed 1 >/dev/null", program, here), 0);
    assert_int_equal(sh("for f in AT DK FR PL PT RO; do cmp %s/sim/$f.csv fixtures/ifsw/$f.csv || exit 1; done", here),
                     0);
}

static void real_limesurvey_exports(void **state) {
    (void) state;
    int status = sh("%s run specs/rse2017 --out %s/f --quiet 2>%s/f.txt", program, here, here);
    if (status > 1) sh("cat %s/f.txt >&2", here);
    assert_true(status == 0 || status == 1);
    /* A further country is one more line. */
    assert_int_equal(sh("cp -r fixtures/rse2017 %s/rsedata && sed -e 's|../../fixtures/rse2017|../../rsedata|' "
                        "-e '/^sources:/a\\  - {files: ../../rsedata/fourth.csv, format: limesurvey, set: {country: "
                        "NL}}' -i %s/specs/rse2017/study.yaml && "
                        "cp %s/rsedata/rse2017-netherlands.csv %s/rsedata/fourth.csv && echo >> %s/rsedata/fourth.csv",
                        here, here, here, here, here),
                     0);
    status = sh("%s run %s/specs/rse2017 --out %s/g --quiet --lang en 2>%s/g.txt", program, here, here, here);
    if (status > 1) sh("cat %s/g.txt >&2", here);
    assert_true(status == 0 || status == 1);
    assert_int_equal(sh("grep -q '^response,,read,,count,501,' %s/g/rse2017/latest/data/results.csv", here), 0);
}

/* Weights from sampling fractions count the rows read: 4,421 elementary schools, 100 sampled, whatever cleaning drops. */
static void fpc_weights_count_the_rows_read(void **state) {
    (void) state;
    assert_int_equal(sh("cp -r fixtures/reference/apistrat %s/fpc && sed -i -e '/^  weight: pw/d' -e '/^design:/i "
                        "clean: [{id: far, drop: \"${ell} > 50\"}]' "
                        "%s/fpc/study.yaml",
                        here, here),
                     0);
    assert_int_equal(sh("%s run %s/fpc --out %s/k --quiet --only api 2>/dev/null", program, here, here), 0);
    rsp_diag *d = rsp_diag_new();
    rsp_published *p = rsp_published_read_csv(path("k/apistrat/latest/data/results.csv"), d);
    assert_non_null(p);
    const rsp_published_row *most = rsp_published_find(p, "weights", "", "", "", "weight_max"),
                            *read = rsp_published_find(p, "response", "", "set_aside", "", "count");
    assert_non_null(most);
    assert_true(read && read->estimate > 10);
    assert_true(most->estimate > 44.2099 && most->estimate < 44.2101);
    rsp_published_free(p);
    rsp_diag_free(d);
}

/* ---- what goes wrong -------------------------------------------------------------------------------------------- */

static void a_failed_run_leaves_yesterday(void **state) {
    (void) state;
    char before[512], after[512];
    ssize_t n = readlink(path("b/wvs/latest"), before, sizeof before - 1);
    assert_true(n > 0);
    before[n] = '\0';
    assert_int_equal(sh("sed -i 's/statistic: mean/statistic: maen/' %s/specs/wvs/study.yaml", here), 0);
    assert_int_equal(sh("%s run %s/specs/wvs --out %s/b --quiet 2>%s/b.txt", program, here, here, here), RSP_ERR_STUDY);
    assert_int_equal(sh("grep -q \"study.yaml:[0-9]*:[0-9]*: error: .*maen.*mean\" %s/b.txt", here), 0);
    assert_int_equal(sh("sed -i 's/statistic: maen/statistic: mean/' %s/specs/wvs/study.yaml", here), 0);
    assert_int_equal(sh("mv %s/wvsdata/wvs.csv %s/wvsdata/gone.csv", here, here), 0);
    assert_int_equal(sh("%s run %s/specs/wvs --out %s/b --quiet 2>%s/b.txt", program, here, here, here), RSP_ERR_DATA);
    /* A pipe in the export's place is not waited for. */
    assert_int_equal(sh("mkfifo %s/wvsdata/wvs.csv", here), 0);
    assert_int_equal(sh("timeout 30 %s run %s/specs/wvs --out %s/b --quiet 2>%s/b.txt", program, here, here, here),
                     RSP_ERR_DATA);
    assert_int_equal(sh("grep -q 'it is a pipe or a device' %s/b.txt", here), 0);
    assert_int_equal(sh("mv %s/wvsdata/gone.csv %s/wvsdata/wvs.csv", here, here), 0);
    n = readlink(path("b/wvs/latest"), after, sizeof after - 1);
    assert_true(n > 0);
    after[n] = '\0';
    assert_string_equal(before, after);
    assert_int_equal(sh("ls -A %s/b/wvs | grep -q staging", here), 1);
}

static void one_run_at_a_time(void **state) {
    (void) state;
    int fd = open(path("b/wvs/.lock"), O_RDWR);
    assert_true(fd >= 0);
    assert_int_equal(flock(fd, LOCK_EX | LOCK_NB), 0);
    assert_int_equal(sh("%s run %s/specs/wvs --out %s/b --quiet 2>%s/b.txt", program, here, here, here),
                     RSP_ERR_LOCKED);
    /* This is no run: the one that took the lock last, whose name stands in the file, does not hold it. */
    assert_int_equal(sh("grep -q 'a program that is no run holds the lock: process %ld (test_night)' %s/b.txt",
                        (long) getpid(), here),
                     0);
    /* A run's own text, as it holds the lock. */
    char text[512] = "";
    ssize_t n = pread(fd, text, sizeof text - 1, 0);
    assert_true(n > 0 && strncmp(text, "process ", 8) == 0);
    assert_true(ftruncate(fd, 0) == 0 && dprintf(fd, "process %ld on here, run X\n", (long) getpid()) > 0);
    assert_int_equal(sh("%s run %s/specs/wvs --out %s/b --quiet 2>%s/b.txt", program, here, here, here),
                     RSP_ERR_LOCKED);
    assert_int_equal(
        sh("grep -q 'another run holds the lock: process %ld on here, run X' %s/b.txt", (long) getpid(), here), 0);
    /* Nor does the kernel name it to a container, which sees none of our processes; where we may make one. */
    if (sh("unshare --user --map-root-user --pid --fork --mount-proc true 2>/dev/null") == 0) {
        assert_int_equal(sh("unshare --user --map-root-user --pid --fork --mount-proc "
                            "%s run %s/specs/wvs --out %s/b --quiet 2>%s/b.txt",
                            program, here, here, here),
                         RSP_ERR_LOCKED);
        assert_int_equal(
            sh("grep -q 'the lock is held, by whom is not known; last taken by process %ld on here' %s/b.txt",
               (long) getpid(), here),
            0);
    } else print_message("no container can be made here: a lock whose holder is not known was not tried\n");
    close(fd);
    /* A run in a container writes the number down that it has there. */
    if (sh("unshare --user --map-root-user --pid --fork true 2>/dev/null") == 0) {
        assert_int_equal(sh("echo 'process 1 on there, run Y' > %s/b/wvs/.lock; "
                            "unshare --user --map-root-user --pid --fork flock -n %s/b/wvs/.lock -c "
                            "'touch %s/held; sleep 3' & while [ ! -e %s/held ]; do sleep 0.05; done; "
                            "%s run %s/specs/wvs --out %s/b --quiet 2>%s/b.txt; status=$?; wait; exit $status",
                            here, here, here, here, program, here, here, here),
                         RSP_ERR_LOCKED);
        assert_int_equal(sh("grep -q 'another run holds the lock: process 1 on there, run Y' %s/b.txt", here), 0);
    }
    assert_int_equal(
        sh("%s run %s/specs/wvs --out %s/b --quiet --lang en --only poverty 2>/dev/null", program, here, here), 0);
}

static size_t n_runs(const char *out) {
    sh("ls %s/%s/wvs | grep -c T > %s/count", here, out, here);
    FILE *f = fopen(path("count"), "r");
    size_t n = 0;
    assert_non_null(f);
    assert_int_equal(fscanf(f, "%zu", &n), 1);
    fclose(f);
    return n;
}

static void a_night_without_changes_publishes_nothing_new(void **state) {
    (void) state;
    const char *run = "run specs/wvs --lang en --only poverty,poverty_gender --quiet";
    assert_int_equal(sh("%s %s --out %s/k", program, run, here), 0);
    assert_int_equal(sh("%s %s --out %s/k", program, run, here), 0);
    assert_int_equal(n_runs("k"), 1);
    assert_int_equal(sh("%s %s --out %s/k --force", program, run, here), 0);
    assert_int_equal(n_runs("k"), 2);
    /* Nothing moved, so that the pages say the same: the same bytes, as if there were no publication before. */
    assert_int_equal(
        sh("ls -d %s/k/wvs/2*Z* > %s/runs && test \"$(grep -h content_id $(sed 's|$|/manifest.json|' %s/runs) "
           "| sort -u | wc -l)\" = 1",
           here, here, here),
        0);
    /* Another request is something new. */
    assert_int_equal(sh("%s run specs/wvs --lang en,pl --only poverty --quiet --out %s/k", program, here), 0);
    assert_int_equal(n_runs("k"), 3);
    /* One that was copied back, all of whose files look touched, is held against its hashes and is the same. */
    assert_int_equal(
        sh("d=$(readlink -f %s/k/wvs/latest) && cp -r $d %s/copy && rm -r $d && mv %s/copy $d", here, here, here), 0);
    assert_int_equal(sh("%s run specs/wvs --lang en,pl --only poverty --quiet --out %s/k", program, here), 0);
    assert_int_equal(n_runs("k"), 3);
    /* A damaged publication is no ground to rest on. */
    assert_int_equal(sh("echo x >> %s/k/wvs/latest/index.html", here), 0);
    assert_int_equal(
        sh("%s run specs/wvs --lang en,pl --only poverty --quiet --out %s/k 2>%s/k.txt", program, here, here), 1);
    assert_int_equal(sh("grep -q 'is damaged' %s/k.txt", here), 0);
    assert_int_equal(n_runs("k"), 4);
}

static void old_publications_go(void **state) {
    (void) state;
    assert_int_equal(sh("cp -r specs/wvs %s/keep && sed -i 's|../../fixtures|%s/fixtures|' %s/keep/study.yaml && "
                        "echo 'keep: 2' >> %s/keep/study.yaml && mkdir -p %s/k/wvs/20990101T000000Z",
                        here, root, here, here, here),
                     0);
    assert_int_equal(sh("%s run %s/keep --lang en --only poverty --quiet --out %s/k", program, here, here), 0);
    assert_int_equal(n_runs("k"), 3); /* two, and a folder that holds no publication */
    assert_int_equal(sh("rmdir %s/k/wvs/20990101T000000Z && %s verify %s/k/wvs/latest >/dev/null", here, program, here),
                     0);
    /* A night that was killed before it came to this leaves one too many: one that finds nothing new takes it away. */
    assert_int_equal(sh("cp -r $(readlink -f %s/k/wvs/latest) %s/k/wvs/20200101T000000Z", here, here), 0);
    assert_int_equal(sh("%s run %s/keep --lang en --only poverty --quiet --out %s/k", program, here, here), 0);
    assert_int_equal(n_runs("k"), 2);
    assert_int_equal(sh("%s verify %s/k/wvs/latest >/dev/null", program, here), 0);
}

/* A run of the study `heard`, which must end with 1 and say this; NULL: with 0. */
static void expect_heard(const char *says) {
    assert_int_equal(
        sh("%s run %s/heard --lang en --only poverty --quiet --out %s/hd 2>%s/heard.txt", program, here, here, here),
        says ? 1 : 0);
    if (says && sh("grep -qF \"%s\" %s/heard.txt", says, here) != 0) {
        sh("cat %s/heard.txt >&2", here);
        fail_msg("not said: %s", says);
    }
}

/* Nobody watches a night: what a person would see at once is told by messages and the exit status. */
static void an_operator_hears_of_what_is_missing(void **state) {
    (void) state;
    assert_int_equal(
        sh("cp -r specs/wvs %s/heard && cp fixtures/wvs/wvs.csv %s/heard/ && cp fixtures/wvs/wvs.csv %s/all "
           "&& sed -i 's|files: .*/wvs.csv|files: wvs.csv|' %s/heard/study.yaml",
           here, here, here, here),
        0);
    expect_heard(NULL);
    /* A country's answers are gone, and come back. */
    assert_int_equal(sh("grep -v '\"SE\"' %s/all > %s/heard/wvs.csv", here, here), 0);
    expect_heard("country 'SE': 0 respondents tonight, 1003 in the publication before");
    assert_int_equal(sh("cp %s/all %s/heard/wvs.csv", here, here), 0);
    expect_heard(NULL);
    assert_int_equal(sh("head -2600 %s/all > %s/heard/wvs.csv", here, here), 0);
    expect_heard("in all: 2599 respondents tonight, 5381 in the publication before");
    /* Rows that were appended twice; a heading that is another tonight. */
    assert_int_equal(sh("{ cat %s/all; sed -n 2,50p %s/all; } > %s/heard/wvs.csv", here, here, here), 0);
    expect_heard("49 records have the 'id' of another one and count as a further respondent");
    assert_int_equal(sh("sed '1s/poverty/poverti/' %s/all > %s/heard/wvs.csv", here, here), 0);
    expect_heard("no export has a column for 'poverty', which results rest on");
}

static void diff_says_what_moved_and_why(void **state) {
    (void) state;
    assert_int_equal(sh("cp -r specs/wvs %s/fewer && head -3000 fixtures/wvs/wvs.csv > %s/fewer/wvs.csv && "
                        "sed -i 's|files: .*/wvs.csv|files: wvs.csv|' %s/fewer/study.yaml",
                        here, here, here),
                     0);
    assert_int_equal(sh("%s run %s/fewer --quiet --out %s/f2 2>/dev/null", program, here, here) & ~1, 0);
    const char *const said[] = {"gone    export ../../wvsdata/wvs.csv",
                                "new     export wvs.csv",
                                "changed study file study.yaml",
                                "response read count: 5381 -> 2999",
                                "poverty poverty too_much proportion: 0.1467 -> ",
                                "standard errors)",
                                "response country=NO read count: 1127"};
    assert_int_equal(sh("%s run %s/specs/wvs --quiet --force --out %s/b", program, here, here), 0);
    assert_int_equal(sh("%s diff %s/b/wvs/latest %s/f2/wvs/latest > %s/diff.txt", program, here, here, here), 1);
    for (size_t k = 0; k < sizeof said / sizeof *said; k++)
        if (sh("grep -qF '%s' %s/diff.txt", said[k], here) != 0) fail_msg("diff does not say '%s'", said[k]);
    assert_int_equal(sh("%s diff %s/c/wvs/latest %s/d/wvs/latest > %s/diff.txt", program, here, here, here), 0);
    assert_int_equal(sh("grep -q 'nothing moved' %s/diff.txt", here), 0);
}

/* How many analyses of the last night were computed, and how many came from the cache. */
static void assert_stations(const char *study, size_t computed, size_t cached) {
    assert_int_equal(
        sh("%s run %s --lang en --explain --out %s/ca > %s/ca.txt 2>/dev/null", program, study, here, here), 0);
    if (sh("test $(grep -c '^computing ' %s/ca.txt) = %zu && test $(grep -c ': from the cache' %s/ca.txt) = %zu", here,
           computed, here, cached) != 0) {
        sh("cat %s/ca.txt >&2", here);
        fail_msg("not %zu computed and %zu from the cache", computed, cached);
    }
}

static void what_nothing_has_changed_for_is_not_computed_again(void **state) {
    (void) state;
    assert_int_equal(sh("cp -r specs/wvs %s/cached && cp fixtures/wvs/wvs.csv %s/cached && "
                        "sed -i 's|files: .*/wvs.csv|files: wvs.csv|' %s/cached/study.yaml",
                        here, here, here),
                     0);
    char study[600];
    snprintf(study, sizeof study, "%s", path("cached"));
    assert_stations(study, 8, 0);
    /* Labels and titles are words for pages. */
    assert_int_equal(sh("sed -i 's/^gender,female,Female/gender,female,Women/' %s/choices.csv && "
                        "sed -i 's/^study: wvs/# a line more\\n&/' %s/study.yaml",
                        study, study),
                     0);
    assert_stations(study, 0, 8);
    assert_int_equal(sh("grep -q Women %s/ca/wvs/latest/index.html %s/ca/wvs/latest/data/codebook.csv", here, here), 0);
    /* An analysis' own lines concern itself. */
    assert_int_equal(sh("sed -i 's/id: poverty_gender/&\\n    compare: yes/' %s/study.yaml", study), 0);
    assert_stations(study, 1, 7);
    assert_int_equal(sh("grep -q 'computing poverty_gender: its own lines' %s/ca.txt", here), 0);
    /* A damaged entry costs time only. */
    assert_int_equal(
        sh("cp %s/ca/wvs/latest/data/results.csv %s/sound.csv && printf x | dd of=%s/ca/wvs/.cache/poverty.0 bs=1 "
           "seek=200 conv=notrunc 2>/dev/null && sed -i 's/Women/Female/' %s/choices.csv",
           here, here, here, study),
        0);
    assert_stations(study, 1, 7);
    assert_int_equal(sh("cmp %s/ca/wvs/latest/data/results.csv %s/sound.csv", here, here), 0);
    /* Combinations are listed by the smallest cell, so that the rules of disclosure are part of what rows rest on. */
    assert_int_equal(sh("sed -i 's/^disclosure: .*/disclosure: {minimum_cell: 5}/' %s/study.yaml", study), 0);
    assert_stations(study, 8, 0);
    /* Data, and what every analysis rests on, concern all. */
    assert_int_equal(sh("cd %s && head -n -40 wvs.csv > fewer && mv fewer wvs.csv", study), 0);
    assert_stations(study, 8, 0);
    assert_int_equal(sh("grep -q 'computing poverty: the data have changed' %s/ca.txt", here), 0);
    assert_int_equal(sh("test $(stat -c %%a %s/ca/wvs/.cache) = 700", here), 0);
}

static void the_program_runs_where_it_is_installed(void **state) {
    (void) state;
    assert_int_equal(sh("mkdir -p %s/usr/bin %s/usr/share/responsive && cp %s %s/usr/bin/ && "
                        "cp -r reports specs %s/usr/share/responsive/ && mkdir %s/usr/share/responsive/fixtures && "
                        "cp -r fixtures/reference %s/usr/share/responsive/fixtures/",
                        here, here, program, here, here, here, here),
                     0);
    assert_int_equal(sh("cd / && %s/usr/bin/responsive run %s/cached --lang en --only poverty --quiet --out %s/inst",
                        here, here, here),
                     0);
    assert_int_equal(sh("%s manual man | grep -q '^.TH RESPONSIVE' && %s manual bash | bash -n", program, program), 0);
    assert_int_equal(sh("%s manual nothing 2>/dev/null", program), RSP_ERR_USAGE);
    /* A reader who has seen enough is no mishap. */
    assert_int_equal(
        sh("{ sleep 0.2; %s schema; } 2>%s/closed.txt | true; test ! -s %s/closed.txt", program, here, here), 0);
}

/* Words in every cell that no published statistic is made of: after the run nothing that it leaves holds them. */
static void nothing_personal_is_left_behind(void **state) {
    (void) state;
    const char *export = "id,country,trust,email,comment\n";
    assert_int_equal(sh("mkdir -p %s/plant %s/tmp", here, here), 0);
    FILE *f = fopen(path("plant/answers.csv"), "w");
    assert_non_null(f);
    fputs(export, f);
    for (int k = 0; k < 60; k++)
        fprintf(f, "%d,%s,%s,zqmail%d@example.org,zqtext%d\n", k + 1, k % 2 ? "PL" : "DK", k % 3 ? "low" : "high", k,
                k);
    fclose(f);
    f = fopen(path("plant/survey.csv"), "w");
    assert_non_null(f);
    fputs(
        "type,name,label::en\ninteger,id,Respondent\nselect_one country,country,Country\nselect_one trust,trust,Trust\n"
        "text,email,Address\ntext,comment,Comment\n",
        f);
    fclose(f);
    f = fopen(path("plant/choices.csv"), "w");
    assert_non_null(f);
    fputs("list_name,name,label::en\ncountry,PL,Poland\ncountry,DK,Denmark\ntrust,low,Low\ntrust,high,High\n", f);
    fclose(f);
    f = fopen(path("plant/study.yaml"), "w");
    assert_non_null(f);
    fputs("study: plant\ntitle: {en: Plant}\nlanguages: [en]\nsources: [{files: answers.csv}]\n"
          "instrument: {survey: survey.csv, choices: choices.csv}\nroles: {id: id, country: country}\n"
          "clean: [{id: odd, drop: \"${comment} = 'zqtext7'\"}]\ndesign: {sample: self_selected}\n"
          "weighting: {scale: sample}\ntables: [{id: trust, items: [trust], by: [[], [country]]}]\n",
          f);
    fclose(f);
    assert_int_equal(sh("TMPDIR=%s/tmp %s run %s/plant --out %s/planted --explain > %s/said.txt 2>&1", here, program,
                        here, here, here) &
                         ~1,
                     0);
    assert_true(exists(path("planted/plant/latest/index.html")));
    /* The study's expression is quoted in no output either. */
    assert_int_equal(sh("grep -raqE 'zqmail|zqtext' %s/planted %s/tmp %s/said.txt", here, here, here), 1);
    assert_int_equal(
        sh("cd %s/planted/plant/latest && for x in tables/*.xlsx; do unzip -p $x | grep -aqE 'zqmail|zqtext' && "
           "exit 7; done; for x in briefs/*.pdf; do pdftotext $x - | grep -qE 'zqmail|zqtext' && exit 7; done; "
           "exit 0",
           here),
        0);
}

static void a_summary_for_monitoring(void **state) {
    (void) state;
    assert_int_equal(sh("%s run specs/wvs --lang en --only poverty --json --out %s/s > %s/s.json", program, here, here),
                     0);
    json_error_t e;
    json_t *s = json_load_file(path("s.json"), 0, &e);
    assert_non_null(s);
    assert_string_equal(json_string_value(json_object_get(s, "outcome")), "published");
    assert_int_equal(json_integer_value(json_object_get(s, "rows_read")), 5381);
    json_decref(s);
    assert_int_equal(sh("%s run %s/nowhere --json --out %s/s > %s/s.json 2>/dev/null", program, here, here, here),
                     RSP_ERR_STUDY);
    assert_non_null(s = json_load_file(path("s.json"), 0, &e));
    assert_string_equal(json_string_value(json_object_get(s, "outcome")), "failed");
    assert_int_equal(json_integer_value(json_object_get(s, "status")), RSP_ERR_STUDY);
    assert_int_equal(json_array_size(json_object_get(s, "entries")), 1);
    json_decref(s);
}

static void output_that_cannot_be_written(void **state) {
    (void) state;
    assert_int_equal(sh("touch %s/file && %s run specs/wvs --out %s/file/out --quiet 2>/dev/null", here, program, here),
                     RSP_ERR_OUTPUT);
}

static void a_language_without_translations_is_left_out_alone(void **state) {
    (void) state;
    assert_int_equal(
        sh("sed -i 's/^gender,female,Female,Kobieta/gender,female,Female,/' %s/specs/wvs/choices.csv", here), 0);
    assert_int_equal(sh("%s run %s/specs/wvs --out %s/h --quiet 2>%s/h.txt", program, here, here, here), 1);
    assert_true(exists(path("h/wvs/latest/briefs/brief-all-en.pdf")));
    assert_false(exists(path("h/wvs/latest/briefs/brief-all-pl.pdf")));
    assert_int_equal(sh("grep -q \"language 'pl' is left out\" %s/h.txt", here), 0);
}

static void verify_finds_what_was_changed(void **state) {
    (void) state;
    assert_int_equal(
        sh("echo x >> %s/a/wvs/latest/index.html && %s verify %s/a/wvs/latest 2>/dev/null", here, program, here),
        RSP_ERR_DATA);
}

static void wrong_usage(void **state) {
    (void) state;
    const char *const calls[] = {"",
                                 "runn specs/wvs",
                                 "run",
                                 "run a b",
                                 "run specs/wvs --jobs x",
                                 "run specs/wvs --only nothing",
                                 "run specs/wvs --lang xx",
                                 "check specs/wvs --out x",
                                 "run specs/wvs --frobnicate",
                                 "simulate specs/ifsw"};
    for (size_t k = 0; k < sizeof calls / sizeof *calls; k++) {
        int status = sh("%s %s --quiet >/dev/null 2>&1", program, calls[k]);
        if (status != RSP_ERR_USAGE) fail_msg("'responsive %s' ends with %d", calls[k], status);
    }
    assert_int_equal(sh("%s run specs/wvs --seed 3 2>&1 | grep -q 'does not take the option: seed'", program), 0);
    /* A file that is not there has no line. */
    assert_int_equal(sh("%s verify %s/nothing 2>&1 | grep -q 'nothing/manifest.json: error: '", program, here), 0);
    assert_int_equal(
        sh("%s --help >/dev/null && %s run --help >/dev/null && %s --version >/dev/null", program, program, program),
        0);
}

static int set_up(void **state) {
    (void) state;
    snprintf(program, sizeof program, "%s/responsive", build_folder());
    snprintf(here, sizeof here, "/tmp/responsive-test-XXXXXX");
    return mkdtemp(here) && getcwd(root, sizeof root) ? 0 : -1;
}

static int tear_down(void **state) {
    (void) state;
    return sh("rm -rf %s", here);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_night_publishes_everything),
        cmocka_unit_test(published_numbers_are_the_expected_ones),
        cmocka_unit_test(same_bytes_whatever_threads_locale_zone_folder),
        cmocka_unit_test(same_results_whatever_the_order_of_rows_and_files),
        cmocka_unit_test(simulated_study),
        cmocka_unit_test(simulated_exports_are_those_that_ship),
        cmocka_unit_test(real_limesurvey_exports),
        cmocka_unit_test(fpc_weights_count_the_rows_read),
        cmocka_unit_test(a_failed_run_leaves_yesterday),
        cmocka_unit_test(one_run_at_a_time),
        cmocka_unit_test(a_night_without_changes_publishes_nothing_new),
        cmocka_unit_test(old_publications_go),
        cmocka_unit_test(an_operator_hears_of_what_is_missing),
        cmocka_unit_test(diff_says_what_moved_and_why),
        cmocka_unit_test(what_nothing_has_changed_for_is_not_computed_again),
        cmocka_unit_test(the_program_runs_where_it_is_installed),
        cmocka_unit_test(nothing_personal_is_left_behind),
        cmocka_unit_test(a_summary_for_monitoring),
        cmocka_unit_test(output_that_cannot_be_written),
        cmocka_unit_test(a_language_without_translations_is_left_out_alone),
        cmocka_unit_test(verify_finds_what_was_changed),
        cmocka_unit_test(wrong_usage),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
