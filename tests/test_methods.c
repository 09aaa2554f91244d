/* The methods annex: no statistic without a definition, no source without a work, tables over pages, the finished PDF. */
#include "render/methods.h"
#include "shell.h"

#include <ctype.h>
#include <dirent.h>
#include <math.h>
#include <qpdf/qpdf-c.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static methods_words *shipped(void) {
    rsp_diag *d = rsp_diag_new();
    methods_words *w = methods_words_load("reports/methods.yaml", d);
    if (!w) rsp_diag_print(d, stderr, false, 0);
    assert_non_null(w);
    rsp_diag_free(d);
    return w;
}

/* ---- the glossary ----------------------------------------------------------------------------------------------- */

/* A cell of a Markdown table as plain text: no backticks, \| and \* without the backslash, blanks at the ends gone. */
static const char *plain(rsp_arena *a, const char *from, const char *to) {
    char *text = rsp_alloc(a, (size_t) (to - from) + 1), *out = text;
    while (from < to && *from == ' ') from++;
    while (to > from && to[-1] == ' ') to--;
    for (; from < to; from++)
        if (*from != '`' && !(*from == '\\' && from + 1 < to && strchr("|*", from[1]))) *out++ = *from;
    return text;
}

enum { MOST_CELLS = 6 };

/* Cells of `| a | b |`; 0 for another line. raw: the first cell as written. */
static size_t cells_of(rsp_arena *a, const char *line, const char **cells, const char **raw) {
    size_t n = 0;
    if (*line != '|') return 0;
    for (const char *from = line + 1, *to = from; n < MOST_CELLS; to++) {
        if (*to == '\n' || !*to) return n;
        if (*to != '|' || to[-1] == '\\') continue;
        if (!n) *raw = rsp_strndup(a, from, (size_t) (to - from));
        cells[n++] = plain(a, from, to);
        from = to + 1;
    }
    return n;
}

static bool is_free(const char *cell) {
    return !*cell || strncmp(cell, "as ", 3) == 0 || strcmp(cell, "rules above") == 0;
}

static bool same(const char *cell, const char *own) { return is_free(cell) || (own && strcmp(cell, own) == 0); }

/* Is there a definition of `name` in a kind of this section with the glossary's formula and source? */
static bool defined_alike(const methods_words *w, const char *section, const char *name, const char *formula,
                          const char *source) {
    const methods_kind *kinds;
    size_t n = methods_kinds(w, &kinds);
    for (size_t k = 0; k < n; k++) {
        if (!kinds[k].glossary || strcmp(kinds[k].glossary, section) != 0) continue;
        for (size_t j = 0; j < kinds[k].n; j++) {
            const methods_definition *d = &kinds[k].definitions[j];
            for (size_t i = 0; i < d->n_names; i++)
                if (strcmp(d->names[i], name) == 0 && same(formula, d->formula) && same(source, d->source)) return true;
        }
    }
    return false;
}

/* Every name in the first cell's leading list of backticks; what follows qualifies it. */
static size_t check_names(rsp_arena *a, const methods_words *w, rsp_map *seen, const char *section, const char *raw,
                          const char *formula, const char *source) {
    size_t wrong = 0;
    for (const char *p = strchr(raw, '`'); p;) {
        const char *end = strchr(p + 1, '`');
        assert_non_null(end);
        const char *name = rsp_strndup(a, p + 1, (size_t) (end - p - 1));
        rsp_map_put(seen, rsp_printf(a, "%s|%s", section, name), 0);
        if (!defined_alike(w, section, name, formula, source)) {
            print_error("reports/methods.yaml: '%s' (%s) is not defined with the formula '%s' and the source '%s' of "
                        "specs/glossary.md\n",
                        name, section, formula, source);
            wrong++;
        }
        p = strncmp(end, "`, `", 4) == 0 ? end + 3 : NULL;
    }
    return wrong;
}

/* Both say the same; whoever adds a statistic to one adds it to the other. */
static void glossary_and_annex_agree(void **state) {
    (void) state;
    rsp_arena *a = rsp_arena_new();
    rsp_diag *d = rsp_diag_new();
    methods_words *w = shipped();
    rsp_map *seen = rsp_map_new();
    rsp_buf text = {0};
    assert_true(rsp_read_file("specs/glossary.md", &text, d, RSP_ERR_DATA, RSP_NOWHERE));
    const char *section = "", *cells[MOST_CELLS], *raw = NULL;
    size_t wrong = 0, rows = 0;
    for (const char *line = text.data; *line; line += strcspn(line, "\n") + (line[strcspn(line, "\n")] == '\n')) {
        if (strncmp(line, "## ", 3) == 0) section = rsp_strndup(a, line + 3, strcspn(line + 3, "\n"));
        size_t n = cells_of(a, line, cells, &raw);
        if (n < 3 || !strchr(raw, '`')) continue; /* two cells: words of a verdict, flags */
        wrong += check_names(a, w, seen, section, raw, n == 4 ? cells[2] : "", cells[n - 1]);
        rows++;
    }
    const methods_kind *kinds;
    size_t n = methods_kinds(w, &kinds);
    for (size_t k = 0; k < n; k++)
        for (size_t j = 0; kinds[k].glossary && j < kinds[k].n; j++)
            for (size_t i = 0; i < kinds[k].definitions[j].n_names; i++) {
                const char *name = kinds[k].definitions[j].names[i];
                const char *key = rsp_printf(a, "%s|%s", kinds[k].glossary, name);
                /* What several sections share stands in one of them; standardised twins stand together. */
                bool elsewhere = strstr(text.data, rsp_printf(a, "`%s`", name)) || strncmp(name, "std_lv_", 7) == 0;
                if (rsp_map_get(seen, key) != RSP_NONE || elsewhere) continue;
                print_error("specs/glossary.md: '%s' is missing\n", key);
                wrong++;
            }
    assert_true(rows > 80);
    assert_int_equal(wrong, 0);
    rsp_map_free(seen);
    rsp_buf_free(&text);
    methods_words_free(w);
    rsp_diag_free(d);
    rsp_arena_free(a);
}

/* ---- nothing without its definition ----------------------------------------------------------------------------- */

static const rsp_analysis *find(const rsp_study *s, const char *id) {
    for (size_t k = 0; k < s->n_analyses; k++)
        if (strcmp(s->analyses[k].id, id) == 0) return &s->analyses[k];
    return NULL;
}

static size_t undefined_rows(const methods_words *w, const char *dir, size_t *rows) {
    rsp_diag *d = rsp_diag_new();
    rsp_arena *a = rsp_arena_new();
    rsp_study *s = rsp_study_load(dir, d);
    rsp_published *p = rsp_published_read_csv(rsp_path_join(a, dir, "expected.csv"), d);
    size_t wrong = 0;
    assert_true(s && p);
    for (size_t k = 0; k < rsp_published_count(p); k++) {
        const rsp_published_row *r = rsp_published_at(p, k);
        const char *kind = methods_kind_of(find(s, r->analysis), r->analysis);
        (*rows)++;
        if (methods_define(w, kind, r->statistic)) continue;
        print_error("%s: no definition of '%s' of kind '%s'\n", dir, r->statistic, kind);
        wrong++;
    }
    rsp_published_free(p);
    rsp_study_free(s);
    rsp_arena_free(a);
    rsp_diag_free(d);
    return wrong;
}

/* All rows that other programs computed, which is every kind of analysis there is. */
static void no_row_without_a_definition(void **state) {
    (void) state;
    methods_words *w = shipped();
    DIR *dir = opendir("fixtures/reference");
    size_t wrong = 0, rows = 0, folders = 0;
    assert_non_null(dir);
    for (struct dirent *e; (e = readdir(dir));) {
        char path[600], file[700];
        snprintf(path, sizeof path, "fixtures/reference/%s", e->d_name);
        snprintf(file, sizeof file, "%s/expected.csv", path);
        if (e->d_name[0] == '.' || access(file, R_OK) != 0) continue;
        wrong += undefined_rows(w, path, &rows);
        folders++;
    }
    closedir(dir);
    assert_true(folders > 40 && rows > 5000);
    assert_int_equal(wrong, 0);
    assert_null(methods_define(w, "table", "unheard_of"));
    assert_null(methods_define(w, "unheard_of", "mean"));
    /* A kind's own definition stands before one that it uses. */
    assert_string_equal(methods_define(w, "drivers", "net")->name, "Enabling minus blocking");
    assert_ptr_equal(methods_define(w, "mixed", "coefficient"), methods_define(w, "regression", "coefficient"));
    methods_words_free(w);
}

static void every_flag_has_a_meaning(void **state) {
    (void) state;
    methods_words *w = shipped();
    for (int bit = 0; bit < RSP_N_FLAGS; bit++) {
        char name[256];
        rsp_flags_text((uint32_t) 1 << bit, name);
        if (!methods_flag(w, name)) fail_msg("no meaning of flag %s", name);
    }
    assert_null(methods_flag(w, "unheard_of"));
    methods_words_free(w);
}

static bool is_listed(const methods_words *w, const char *cited, size_t length) {
    const rsp_pair *all;
    size_t n = methods_sources(w, &all);
    for (size_t k = 0; k < n; k++) {
        size_t own = strlen(all[k].name);
        if (own <= length && strncmp(all[k].name, cited, own) == 0 && (own == length || strchr(", (", cited[own])))
            return true;
    }
    return false;
}

/* "interval: Knapp and Hartung 2003", "Cochran 1977, ch. 3", "Woodruff 1952 (interval)": each part between semicolons. */
static void every_source_is_a_work(void **state) {
    (void) state;
    methods_words *w = shipped();
    const methods_kind *kinds;
    size_t n = methods_kinds(w, &kinds), parts = 0;
    for (size_t k = 0; k < n; k++)
        for (size_t j = 0; j < kinds[k].n; j++) {
            const char *source = kinds[k].definitions[j].source;
            while (source && *source) {
                size_t length = strcspn(source, ";");
                const char *from = strncmp(source, "interval: ", 10) == 0 ? source + 10
                                   : strncmp(source, "se: ", 4) == 0      ? source + 4
                                                                          : source;
                if (!is_listed(w, from, length - (size_t) (from - source)))
                    fail_msg("no work for '%.*s'", (int) length, source);
                parts++;
                source += length;
                source += strspn(source, "; ");
            }
        }
    assert_true(parts > 80);
    methods_words_free(w);
}

static void faults_are_all_reported(void **state) {
    (void) state;
    char path[] = "/tmp/test_methods_XXXXXX";
    int fd = mkstemp(path);
    static const char text[] =
        "locale: en_GB\nmistake: 1\ntexts:\n  a: \"{n, plural, other{x}}\"\n  b: [1]\n"
        "kinds:\n  table: {title: T, uses: [nothing], statistics: [{what: x}, y]}\n  test: {title: T}\n"
        "flags: {a: [b]}\nsources: 3\n";
    assert_true(fd >= 0);
    rsp_diag *d = rsp_diag_new();
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    assert_null(methods_words_load(path, d));
    assert_int_equal(rsp_diag_errors(d),
                     2); /* the unknown key, sources: no mapping; the parts are read when all are there */
    rsp_diag_free(d);
    d = rsp_diag_new();
    assert_int_equal(pwrite(fd, "sources: {}", 11, (off_t) strlen(text) - 11), 11);
    assert_null(methods_words_load(path, d));
    /* key; plural form; list as message; unused kind; nameless definition; text as definition; no statistics; flag */
    assert_int_equal(rsp_diag_errors(d), 8);
    rsp_diag_free(d);
    close(fd);
    unlink(path);
}

/* ---- tables over pages ------------------------------------------------------------------------------------------ */

static brief_piece text_piece(double height, bool margin) {
    return (brief_piece){.kind = PIECE_TEXT,
                         .text = "words",
                         .tag = "P",
                         .height = height,
                         .width = 100,
                         .x = margin ? BRIEF_LEFT : BRIEF_BODY_X,
                         .margin = margin,
                         .keep = margin,
                         .gap = 10};
}

static void tables_are_divided_between_rows(void **state) {
    (void) state;
    enum { ROWS = 120, COLUMNS = 2 };
    rsp_arena *a = rsp_arena_new();
    brief_document doc = {0};
    brief_entry *cells = RSP_ARRAY(a, brief_entry, (ROWS + 1) * COLUMNS);
    for (size_t k = 0; k < (ROWS + 1) * COLUMNS; k++) cells[k].text = rsp_printf(a, "cell %zu", k);
    brief_piece pieces[] = {text_piece(600, false),
                            text_piece(30, true),
                            text_piece(20, false),
                            {.kind = PIECE_TABLE,
                             .type = {9, 1.0, false, {0, 0, 0}},
                             .x = BRIEF_LEFT,
                             .width = BRIEF_WIDTH,
                             .n_columns = COLUMNS,
                             .n_entries = (ROWS + 1) * COLUMNS,
                             .entries = cells},
                            text_piece(20, false)};
    pieces[3].height = brief_table_height(&pieces[3], "en");
    for (size_t k = 0; k < 5; k++) RSP_PUSH(doc.pieces, doc.n, doc.capacity, pieces[k]);
    brief_flow(&doc, "en", a);
    size_t rows = 0, tables = 0;
    for (size_t k = 0; k < doc.n; k++) {
        const brief_piece *x = &doc.pieces[k];
        assert_true(x->y >= BRIEF_TOP && x->y + x->height <= BRIEF_BOTTOM + 0.5);
        if (k) assert_true(x->page > doc.pieces[k - 1].page || x->margin || x->y >= doc.pieces[k - 1].y);
        if (x->kind != PIECE_TABLE) continue;
        assert_string_equal(x->entries[0].text, "cell 0");
        for (size_t r = 1; r < x->n_entries / COLUMNS; r++, rows++)
            assert_string_equal(x->entries[r * COLUMNS].text, rsp_printf(a, "cell %zu", (rows + 1) * COLUMNS));
        tables++;
    }
    assert_int_equal(rows, ROWS);
    assert_true(tables >= 3 && doc.n_pages >= 4);
    assert_true(doc.pieces[1].page == doc.pieces[2].page); /* a heading goes with its text */
    brief_document_free(&doc);
    rsp_arena_free(a);
}

/* ---- the finished annex ----------------------------------------------------------------------------------------- */

static char here[64];

typedef struct {
    rsp_diag *d;
    rsp_arena *a;
    rsp_study *study;
    rsp_results *results;
    rsp_published *published;
    rsp_publication p;
} world;

static rsp_row *add(world *w, const char *analysis, const char *domain, const char *term, const char *level,
                    const char *statistic, double estimate, double n) {
    rsp_row *r = rsp_results_add(w->results, analysis, domain, term, level, statistic);
    r->estimate = estimate;
    r->se = 0.01;
    r->n = n;
    r->base = (int64_t) n;
    return r;
}

static void add_rows(world *w) {
    add(w, "response", "", "read", "", "count", 5400, 5400);
    add(w, "response", "", "kept", "", "count", 5381, 5381);
    add(w, "response", "", "set_aside", "", "count", 19, 19);
    add(w, "weights", "country=AU", "", "", "deff_kish", 1.217, 1300);
    add(w, "weights", "country=AU", "", "", "n_eff", 1068, 1300);
    add(w, "weights", "country=AU", "gender", "female", "margin_gap", 1e-9, 1300);
    add(w, "poverty", "", "poverty", "too_little", "proportion", 0.505, 5381);
    add(w, "poverty", "", "poverty", "too_much", "proportion", 0.2, 4)->flags = RSP_F_LOW_BASE;
    add(w, "agree_logistic", "", "degree=yes", "", "odds_ratio", 0.8731, 5381);
}

static const rsp_accuracy ACCURACY[] = {
    {"Norris", "regression", "straight line", NULL, 5, 13.99, 13.5, 9, 9, true},
    {"SmLs07", "anova", "nine groups", NULL, 2, 4.44, NAN, 4, 4, true},
    {"Raking", "reference", "two margins", "survey 4.1.1", 104, 10.86, 8.7, 6, 5, true}};
static const rsp_recovery RECOVERY[] = {
    {"bootstrap", "few clusters", "short", "nine clusters only", 400, 0.912, 0.93, 0.97}};
static const rsp_library LIBRARIES[] = {{"GSL", "2.7.1", "numbers"}, {"Cairo", "1.16.0", "pages"}};

static void open_world(world *w, const char *dir) {
    *w = (world){.d = rsp_diag_new(), .a = rsp_arena_new(), .results = rsp_results_new()};
    assert_non_null(w->study = rsp_study_load("specs/wvs", w->d));
    add_rows(w);
    assert_non_null(w->published = rsp_disclose(w->study, w->results, NULL, true, w->d));
    w->p = (rsp_publication){.study = w->study,
                             .results = w->published,
                             .dir = rsp_printf(w->a, "%s/%s", here, dir),
                             .content_id = "0123456789abcdef",
                             .preliminary = true,
                             .n_accuracy = 3,
                             .accuracy = ACCURACY,
                             .n_recovery = 1,
                             .recovery = RECOVERY,
                             .n_libraries = 2,
                             .libraries = LIBRARIES};
}

static void close_world(world *w) {
    rsp_published_free(w->published);
    rsp_results_free(w->results);
    rsp_study_free(w->study);
    rsp_diag_free(w->d);
    rsp_arena_free(w->a);
}

static const char *annex_path(const world *w) { return rsp_printf(w->a, "%s/methods/methods-en.pdf", w->p.dir); }

/* The text as pdftotext reads it, in one line. */
static const char *text_of(world *w) {
    rsp_buf text = {0};
    char line[4096];
    FILE *f = popen(rsp_printf(w->a, "pdftotext %s -", annex_path(w)), "r");
    assert_non_null(f);
    while (fgets(line, sizeof line, f)) rsp_buf_puts(&text, line);
    assert_int_equal(pclose(f), 0);
    for (char *p = text.data; *p; p++)
        if (isspace((unsigned char) *p)) *p = ' ';
    const char *copy = rsp_strdup(w->a, text.data);
    rsp_buf_free(&text);
    return copy;
}

/* Headings skip no level; header cells and figures are what the standard asks for. Returns how many tables there are. */
static size_t walk(qpdf_data q, qpdf_oh element, int *level, int depth) {
    static const char *const heads[] = {"/H1", "/H2", "/H3"};
    size_t tables = 0;
    if (depth > 40 || !qpdf_oh_is_dictionary(q, element)) return 0;
    qpdf_oh kind = qpdf_oh_get_key(q, element, "/S");
    for (int k = 0; k < 3; k++)
        if (qpdf_oh_is_name_and_equals(q, kind, heads[k])) {
            assert_true(k <= *level);
            *level = k + 1;
        }
    if (qpdf_oh_is_name_and_equals(q, kind, "/Figure")) assert_true(qpdf_oh_has_key(q, element, "/Alt"));
    if (qpdf_oh_is_name_and_equals(q, kind, "/TH")) assert_true(qpdf_oh_has_key(q, element, "/A"));
    tables += qpdf_oh_is_name_and_equals(q, kind, "/Table") != 0;
    qpdf_oh children = qpdf_oh_get_key(q, element, "/K");
    if (!qpdf_oh_is_array(q, children)) return tables + walk(q, children, level, depth + 1);
    for (int k = 0; k < qpdf_oh_get_array_n_items(q, children); k++)
        tables += walk(q, qpdf_oh_get_array_item(q, children, k), level, depth + 1);
    return tables;
}

static void check_pdf(const char *path) {
    qpdf_data q = qpdf_init();
    int level = 0;
    assert_int_equal(qpdf_read(q, path, NULL), QPDF_SUCCESS);
    qpdf_oh root = qpdf_get_root(q);
    assert_string_equal(qpdf_oh_get_utf8_value(q, qpdf_oh_get_key(q, root, "/Lang")), "en");
    assert_true(qpdf_oh_has_key(q, root, "/Metadata") && qpdf_oh_has_key(q, root, "/Outlines"));
    assert_true(qpdf_oh_get_bool_value(q, qpdf_oh_get_key(q, qpdf_oh_get_key(q, root, "/MarkInfo"), "/Marked")));
    assert_true(walk(q, qpdf_oh_get_key(q, root, "/StructTreeRoot"), &level, 0) >= 8);
    assert_true(level >= 2);
    qpdf_cleanup(&q);
}

static void the_annex_says_what_the_rows_hold(void **state) {
    (void) state;
    static const char *const said[] = {"5,400 rows were read; 5,381 were kept, 19 were set aside",
                                       "Norris",
                                       "13.9",
                                       "4.4",
                                       "survey 4.1.1",
                                       "10.8",
                                       "GSL 2.7.1",
                                       "91.2%",
                                       "nine clusters only",
                                       "bootstrap, few clusters: 91.2%",
                                       "proportion",
                                       "Σ w·1(answer) / Σ w",
                                       "W. G. Cochran (1977): Sampling",
                                       "odds_ratio",
                                       "low_base",
                                       "2 NIST data sets",
                                       "1 agree to nine digits or more, the hardest to 4",
                                       "0123456789abcdef",
                                       "first publication",
                                       "no unpublished words"};
    world w;
    open_world(&w, "one");
    assert_true(rsp_render_methods(&w.p, w.d));
    assert_int_equal(rsp_diag_count(w.d), 0);
    const char *text = text_of(&w);
    for (size_t k = 0; k + 1 < sizeof said / sizeof *said; k++)
        if (!strstr(text, said[k])) fail_msg("the annex does not say '%s'", said[k]);
    assert_null(strstr(text, said[sizeof said / sizeof *said - 1]));
    /* Of statistics, flags and works that the run does not use nothing is said. */
    assert_null(strstr(text, "Cronbach"));
    assert_null(strstr(text, "heywood"));
    assert_null(strstr(text, "verdict_computed"));
    check_pdf(annex_path(&w));
    close_world(&w);
}

static void same_bytes(const char *one, const char *two) {
    rsp_diag *d = rsp_diag_new();
    rsp_buf a = {0}, b = {0};
    assert_true(rsp_read_file(one, &a, d, RSP_ERR_DATA, RSP_NOWHERE) &&
                rsp_read_file(two, &b, d, RSP_ERR_DATA, RSP_NOWHERE));
    assert_int_equal(a.length, b.length);
    assert_memory_equal(a.data, b.data, a.length);
    rsp_buf_free(&a);
    rsp_buf_free(&b);
    rsp_diag_free(d);
}

static void the_same_again(void **state) {
    (void) state;
    world one, two;
    open_world(&one, "one");
    open_world(&two, "two");
    assert_true(rsp_render_methods(&one.p, one.d));
    setenv("TZ", "Asia/Tokyo", 1);
    assert_true(rsp_render_methods(&two.p, two.d));
    unsetenv("TZ");
    same_bytes(annex_path(&one), annex_path(&two));
    close_world(&one);
    close_world(&two);
}

static void what_is_not_met_or_not_defined_is_said(void **state) {
    (void) state;
    world w;
    open_world(&w, "three");
    rsp_accuracy bad[] = {ACCURACY[0], ACCURACY[1]};
    bad[1].met = false;
    w.p.accuracy = bad;
    w.p.n_accuracy = 2;
    w.p.n_recovery = 0;
    rsp_published_free(w.published);
    add(&w, "poverty", "", "poverty", "", "unheard_of", 1, 5000);
    w.p.results = w.published = rsp_disclose(w.study, w.results, NULL, true, w.d);
    assert_true(rsp_render_methods(&w.p, w.d));
    assert_int_equal(rsp_diag_warnings(w.d), 1);
    assert_non_null(strstr(rsp_diag_at(w.d, 0)->message, "'unheard_of' of kind 'table'"));
    const char *text = text_of(&w);
    assert_non_null(strstr(text, "met to fewer digits than promised"));
    assert_non_null(strstr(text, "SmLs07. Results of this kind are not to be trusted"));
    assert_null(strstr(text, "Made-up worlds"));
    close_world(&w);
}

static int set_up(void **state) {
    (void) state;
    snprintf(here, sizeof here, "/tmp/test_methods_XXXXXX");
    return mkdtemp(here) ? 0 : -1;
}

static int tear_down(void **state) {
    (void) state;
    return sh("rm -rf %s", here);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(glossary_and_annex_agree),
                                       cmocka_unit_test(no_row_without_a_definition),
                                       cmocka_unit_test(every_flag_has_a_meaning),
                                       cmocka_unit_test(every_source_is_a_work),
                                       cmocka_unit_test(faults_are_all_reported),
                                       cmocka_unit_test(tables_are_divided_between_rows),
                                       cmocka_unit_test(the_annex_says_what_the_rows_hold),
                                       cmocka_unit_test(the_same_again),
                                       cmocka_unit_test(what_is_not_met_or_not_defined_is_said)};
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
