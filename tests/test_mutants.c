/* Whole nights over studies and exports that were changed at random: from the study folder to the pages. Whatever they hold,
 * a night ends in time, with a status that is documented, and with a whole publication or none.
 *
 *   test_mutants                        what once went wrong (tests/fuzz/nights), and some mutants
 *   test_mutants --seconds N            mutants for so long (`make fuzz`); what goes wrong is left beside the program
 *   test_mutants --seed K [--keep FILE] one mutant; its folder in one text
 *
 * A mutant is the seed's alone: number K of the bases by turns. */
#include "fuzz/folder.h"
#include "fuzz/mutate.h"
#include "shell.h"

#include <dirent.h>
#include <ftw.h>
#include <jansson.h>
#include <libxml/parser.h>
#include <setjmp.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <sys/resource.h>
#include <time.h>
#include <zip.h>

#include <cmocka.h>

#ifdef __SANITIZE_ADDRESS__
enum { SANITIZED = 1, MUTANTS = 16, MOST_SECONDS = 240 }; /* address space is the sanitizer's to use */
#else
enum { SANITIZED = 0, MUTANTS = 48, MOST_SECONDS = 60 };
#endif
enum { MOST_BASES = 64 };

static char here[256], program[1024];
static char *bases[MOST_BASES];
static size_t n_bases;
static char wrong[2048]; /* what is wrong with the night; "" nothing */

static void say_wrong(const char *format, ...) __attribute__((format(printf, 1, 2)));
static void say_wrong(const char *format, ...) {
    va_list args;
    if (wrong[0]) return; /* the first counts */
    va_start(args, format);
    vsnprintf(wrong, sizeof wrong, format, args);
    va_end(args);
}

static void slurp(const char *path, rsp_buf *b) {
    rsp_diag *d = rsp_diag_new();
    b->length = 0;
    rsp_buf_add(b, "", 0);
    if (!rsp_read_file(path, b, d, RSP_ERR_DATA, RSP_NOWHERE)) say_wrong("%s cannot be read", path);
    rsp_diag_free(d);
}

/* ---- the files of a publication --------------------------------------------------------------------------------- */

static bool ends_with(const char *text, const char *end) {
    size_t n = strlen(text), k = strlen(end);
    return n >= k && strcmp(text + n - k, end) == 0;
}

static void check_xml(const char *path, const char *bytes, size_t length) {
    xmlDoc *doc = xmlReadMemory(bytes, (int) length, path, NULL,
                                XML_PARSE_NOERROR | XML_PARSE_NOWARNING | XML_PARSE_NONET | XML_PARSE_HUGE);
    if (!doc) say_wrong("%s is not well-formed: %s", path, xmlGetLastError() ? xmlGetLastError()->message : "?");
    xmlFreeDoc(doc);
}

static void check_workbook(const char *path) {
    zip_t *zip = zip_open(path, ZIP_RDONLY | ZIP_CHECKCONS, NULL);
    zip_int64_t n = zip ? zip_get_num_entries(zip, 0) : 0;
    if (n <= 0) say_wrong("%s is no archive", path);
    for (zip_int64_t k = 0; k < n; k++) {
        zip_stat_t st;
        zip_file_t *part = zip_fopen_index(zip, (zip_uint64_t) k, 0);
        if (!part || zip_stat_index(zip, (zip_uint64_t) k, 0, &st) != 0) say_wrong("%s cannot be unpacked", path);
        char *bytes = part ? rsp_malloc(st.size + 1) : NULL;
        if (part && zip_fread(part, bytes, st.size) != (zip_int64_t) st.size) say_wrong("%s: a part is short", path);
        else if (part && (ends_with(st.name, ".xml") || ends_with(st.name, ".rels"))) check_xml(path, bytes, st.size);
        free(bytes);
        if (part) zip_fclose(part);
    }
    if (zip) zip_discard(zip);
}

static void check_database(const char *path) {
    sqlite3 *db = NULL;
    sqlite3_stmt *q = NULL;
    bool ok = sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL) == SQLITE_OK &&
              sqlite3_prepare_v2(db, "PRAGMA integrity_check", -1, &q, NULL) == SQLITE_OK &&
              sqlite3_step(q) == SQLITE_ROW && strcmp((const char *) sqlite3_column_text(q, 0), "ok") == 0;
    if (!ok) say_wrong("%s is damaged", path);
    sqlite3_finalize(q);
    sqlite3_close(db);
}

/* No number that is none, and no line with another number of cells. */
static void check_results(const char *path, const char *bytes) {
    size_t commas = 0;
    static const char *const not [] = {",nan,", ",-nan,", ",inf,", ",-inf,"};
    for (size_t k = 0; k < sizeof not / sizeof *not ; k++)
        if (strstr(bytes, not [k])) say_wrong("%s holds %s", path, not [k]);
    for (const char *line = bytes; *line; line++) {
        size_t n = 0;
        bool quoted = false;
        for (; *line && (quoted || *line != '\n'); line++) {
            if (*line == '"') quoted = !quoted;
            n += *line == ',' && !quoted;
        }
        if (!commas) commas = n;
        if (n != commas) say_wrong("%s: a line of %zu cells where the heading has %zu", path, n + 1, commas + 1);
        if (!*line) break;
    }
}

static int check_file(const char *path, const struct stat *st, int type, struct FTW *where) {
    rsp_buf b = {0};
    (void) where;
    if (type != FTW_F) return 0;
    slurp(path, &b);
    if (st->st_mode & 022) say_wrong("%s can be written by others", path);
    if (ends_with(path, ".svg") || ends_with(path, ".xml")) check_xml(path, b.data, b.length);
    if (ends_with(path, ".html") && strstr(b.data, "<zq>")) say_wrong("%s: a text of the study is markup", path);
    if (ends_with(path, ".pdf") &&
        (strncmp(b.data, "%PDF-", 5) != 0 ||
         !memmem(b.data + (b.length > 32 ? b.length - 32 : 0), b.length > 32 ? 32 : b.length, "%%EOF", 5)))
        say_wrong("%s is cut short", path);
    if (ends_with(path, ".png") && (b.length < 20 || memcmp(b.data + b.length - 8, "IEND\xAE\x42\x60\x82", 8) != 0))
        say_wrong("%s is cut short", path);
    if (ends_with(path, "/results.csv")) check_results(path, b.data);
    if (ends_with(path, ".json")) {
        json_t *json = json_loadb(b.data, b.length, 0, NULL);
        if (!json) say_wrong("%s is no JSON", path);
        json_decref(json);
    }
    if (ends_with(path, ".xlsx")) check_workbook(path);
    if (ends_with(path, ".sqlite")) check_database(path);
    rsp_buf_free(&b);
    return 0;
}

/* ---- one night -------------------------------------------------------------------------------------------------- */

static void limits_of_a_night(void) {
    setrlimit(RLIMIT_CPU, &(struct rlimit){MOST_SECONDS, MOST_SECONDS});
    if (!SANITIZED) setrlimit(RLIMIT_AS, &(struct rlimit){(rlim_t) 4 << 30, (rlim_t) 4 << 30});
    alarm(MOST_SECONDS * 5); /* a night that waits for itself */
}

/* Exit status, or 1000 and the signal. */
static int night(const char *study, const char *out, const char *said, const char *jobs) {
    pid_t child = fork();
    assert_true(child >= 0);
    if (!child) {
        int fd = open(said, O_WRONLY | O_CREAT | O_TRUNC, 0600);
        if (fd >= 0) dup2(fd, 2);
        limits_of_a_night();
        execl(program, "responsive", "run", study, "--out", out, "--quiet", "--jobs", jobs, (char *) NULL);
        _exit(127);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

static size_t found;
static char found_path[512];
static const char *expected_run; /* the only publication that may be there; "" none */

static int find_leftovers(const char *path, const struct stat *st, int type, struct FTW *where) {
    const char *name = path + where->base;
    (void) st;
    bool staging = strncmp(name, ".staging-", 9) == 0 || strcmp(name, ".latest") == 0;
    bool published = strcmp(name, "manifest.json") == 0 && !(*expected_run && strstr(path, expected_run));
    bool link = strcmp(name, "latest") == 0 && type == FTW_SL && !*expected_run;
    if (!staging && !published && !link) return 0;
    found++;
    snprintf(found_path, sizeof found_path, "%s", path);
    return 0;
}

static void assert_nothing_new(const char *out, const char *run) {
    found = 0;
    expected_run = run;
    nftw(out, find_leftovers, 16, FTW_PHYS);
    if (found) say_wrong("refused, and %s is left", found_path);
}

/* `FILE:LINE:COLUMN: ` in front of the word. */
static bool has_place(const char *line, const char *word) {
    int fields = 0;
    for (const char *c = word - 2; c > line; c--) {
        if (*c == ':') fields++;
        else if (!isdigit((unsigned char) *c)) break;
    }
    return fields >= 3;
}

/* What concerns a file as a whole has no line: it is missing, no text, too large, without what is needed. */
static void check_messages(const char *said, int status) {
    rsp_buf b = {0};
    size_t errors = 0;
    slurp(said, &b);
    for (char *line = strtok(b.data, "\n"); line; line = strtok(NULL, "\n")) {
        char *word = strstr(line, "error: ");
        if (strstr(line, "runtime error:") || strstr(line, "Sanitizer")) say_wrong("%s", line);
        if (!word || strstr(line, "warning: ") == line) continue;
        errors++;
        if (status == RSP_ERR_STUDY && !has_place(line, word)) say_wrong("no place: %s", line);
        if (status == RSP_ERR_DATA && word == line) say_wrong("no file: %s", line);
    }
    if (status > 1 && !errors) say_wrong("refused without a word");
    rsp_buf_free(&b);
}

static void check_publication(const char *out) {
    char path[800];
    DIR *handle = opendir(out);
    size_t n = 0;
    if (!handle) say_wrong("published nothing");
    for (struct dirent *e; handle && (e = readdir(handle));) {
        snprintf(path, sizeof path, "%s/%s/latest/", out, e->d_name);
        if (e->d_name[0] == '.' || access(path, F_OK) != 0) continue;
        n++;
        if (sh("%s verify '%s' > %s/verify 2>&1", program, path, here) != 0) say_wrong("%s is not whole", path);
        nftw(path, check_file, 16, FTW_PHYS);
    }
    if (handle) closedir(handle);
    if (!n) say_wrong("published nothing");
}

static void write_mutant(const struct mutant *m, const char *folder) {
    assert_int_equal(sh("rm -rf %s && mkdir %s", folder, folder), 0);
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_true(fd >= 0);
    for (size_t k = 0; k < m->n; k++) {
        const rsp_buf *b = &m->parts[k].bytes;
        write_part(fd, m->parts[k].name, strlen(m->parts[k].name), b->data, b->data + b->length);
    }
    close(fd);
}

/* Name of the run that stands, "" if none. */
static void standing(const char *out, char run[64]) {
    char command[700];
    snprintf(command, sizeof command, "readlink %s/*/latest 2> /dev/null", out);
    FILE *p = popen(command, "r");
    run[0] = '\0';
    if (p && fgets(run, 64, p)) run[strcspn(run, "\n")] = '\0';
    if (p) pclose(p);
}

/* The night of one mutant; what is wrong stands in `wrong`. before: the study as it was is published first. */
static int one_night(const rsp_buf *base, const struct mutant *m, bool before, uint64_t seed) {
    char folder[400], out[400], said[400], run[64] = "";
    snprintf(folder, sizeof folder, "%s/study", here);
    snprintf(out, sizeof out, "%s/out", here);
    snprintf(said, sizeof said, "%s/said", here);
    wrong[0] = '\0';
    assert_int_equal(sh("rm -rf %s && mkdir -p %s", out, out), 0);
    if (before) {
        assert_int_equal(sh("rm -rf %s && mkdir %s", folder, folder), 0);
        write_folder(folder, base->data, base->length);
        night(folder, out, said, "1");
        standing(out, run);
    }
    write_mutant(m, folder);
    int status = night(folder, out, said, seed % 4 == 3 ? "2" : "1");
    bool documented = status == 0 || status == 1 || status == RSP_ERR_STUDY || status == RSP_ERR_DATA;
    check_messages(said, status);
    if (!documented) {
        wrong[0] = '\0';
        say_wrong("exit status %d", status);
    }
    if (status > 1) assert_nothing_new(out, run);
    if (status <= 1 || run[0]) check_publication(out);
    return status;
}

/* ---- bases, seeds ----------------------------------------------------------------------------------------------- */

static int by_name(const void *a, const void *b) { return strcmp(*(char *const *) a, *(char *const *) b); }

static void find_bases(void) {
    char folder[400];
    snprintf(folder, sizeof folder, "%s/seeds", here);
    assert_int_equal(sh("tests/fuzz/corpus nights %s", folder), 0);
    DIR *handle = opendir(folder);
    assert_non_null(handle);
    for (struct dirent *e; (e = readdir(handle)) && n_bases < MOST_BASES;) {
        if (e->d_name[0] == '.') continue;
        bases[n_bases] = rsp_malloc(700);
        snprintf(bases[n_bases++], 700, "%s/%s", folder, e->d_name);
    }
    closedir(handle);
    qsort(bases, n_bases, sizeof *bases, by_name);
    assert_true(n_bases > 10);
}

static void keep(const struct mutant *m, const char *path) {
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    for (size_t k = 0; k < m->n; k++) {
        fprintf(f, "== %s\n", m->parts[k].name);
        fwrite(m->parts[k].bytes.data, 1, m->parts[k].bytes.length, f);
        if (m->parts[k].bytes.length && m->parts[k].bytes.data[m->parts[k].bytes.length - 1] != '\n') fputc('\n', f);
    }
    assert_int_equal(fclose(f), 0);
}

static bool sound(uint64_t seed, const char *keep_as, int *status) {
    rsp_buf base = {0};
    struct mutant m;
    slurp(bases[seed % n_bases], &base);
    mutate_folder(&m, base.data, base.length, seed);
    *status = one_night(&base, &m, seed % 4 == 0, seed);
    if (getenv("VERBOSE") || wrong[0])
        fprintf(stderr, "%llu %s: %s: %d %s\n", (unsigned long long) seed, strrchr(bases[seed % n_bases], '/') + 1,
                m.story.data ? m.story.data : "", *status, wrong);
    if (keep_as) keep(&m, keep_as);
    mutant_free(&m);
    rsp_buf_free(&base);
    return !wrong[0];
}

/* ---- tests ------------------------------------------------------------------------------------------------------ */

static void mutants(void **state) {
    (void) state;
    size_t published = 0, refused = 0, bad = 0;
    for (uint64_t seed = 1; seed <= MUTANTS; seed++) {
        int status;
        bad += !sound(seed, NULL, &status);
        published += status <= 1;
        refused += status > 1;
    }
    assert_int_equal(bad, 0);
    assert_true(published > MUTANTS / 5 && refused > MUTANTS / 5); /* both ways are walked */
}

static void what_went_wrong_once(void **state) {
    (void) state;
    static const char *const folders[] = {"tests/fuzz/nights"};
    size_t n = 0;
    for (size_t k = 0; k < sizeof folders / sizeof *folders; k++) {
        DIR *handle = opendir(folders[k]);
        assert_non_null(handle);
        for (struct dirent *e; (e = readdir(handle));) {
            char path[400];
            rsp_buf b = {0};
            struct mutant m;
            if (e->d_name[0] == '.') continue;
            snprintf(path, sizeof path, "%s/%s", folders[k], e->d_name);
            slurp(path, &b);
            mutate_folder(&m, b.data, b.length, 0);
            one_night(&b, &m, false, n++);
            mutant_free(&m);
            rsp_buf_free(&b);
            if (wrong[0]) fail_msg("%s: %s", path, wrong);
        }
        closedir(handle);
    }
    assert_true(n > 0);
}

/* For so many seconds, from a seed that the day gives. 1: something is wrong. */
static int go_on(double seconds, uint64_t seed) {
    time_t until = time(NULL) + (time_t) seconds;
    size_t n = 0, bad = 0, published = 0;
    char path[600];
    for (; time(NULL) < until; seed++, n++) {
        int status;
        snprintf(path, sizeof path, "%s/nights-%llu", build_folder(), (unsigned long long) seed);
        if (sound(seed, path, &status)) unlink(path);
        else bad++;
        published += status <= 1;
    }
    printf("  %s nights: %zu mutants, %zu published, %zu wrong\n", bad ? "FOUND  " : "ok     ", n, published, bad);
    return bad > 0;
}

static int set_up(void **state) {
    (void) state;
    char cwd[512];
    if (!getcwd(cwd, sizeof cwd)) return -1;
    snprintf(program, sizeof program, "%s/%s/responsive", cwd, build_folder());
    snprintf(here, sizeof here, "%s/responsive-mutants-XXXXXX", access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    if (!mkdtemp(here)) return -1;
    find_bases();
    return 0;
}

static int tear_down(void **state) {
    (void) state;
    for (size_t k = 0; k < n_bases; k++) free(bases[k]);
    return sh("rm -rf %s", here);
}

int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(what_went_wrong_once), cmocka_unit_test(mutants)};
    if (argc < 3) return cmocka_run_group_tests(tests, set_up, tear_down);
    uint64_t number = strtoull(argv[2], NULL, 10);
    int status, bad;
    if (set_up(NULL) != 0) return 2;
    if (strcmp(argv[1], "--seconds") == 0)
        bad = go_on((double) number, argc > 4 ? strtoull(argv[4], NULL, 10) : (uint64_t) time(NULL) * 1000);
    else bad = !sound(number, argc > 4 ? argv[4] : NULL, &status);
    tear_down(NULL);
    return bad;
}
