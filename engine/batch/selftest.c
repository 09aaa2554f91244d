/* Digits of accuracy. After McCullough (1998), Assessing the reliability of statistical software: part I, The American
 * Statistician 52: the logarithm (base 10) of the relative error, its sign changed, is the number of significant digits
 * that a result shares with the right one. */
#include "batch/selftest.h"

#include "batch/publish.h"
#include "responsive/batch.h"
#include "responsive/clean.h"
#include "responsive/intake.h"
#include "responsive/statistics.h"
#include "study/sheet.h"
#include "study/yaml.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char FOLDER[] = "fixtures/reference", LIST[] = "fixtures/reference/selftest.yaml",
                  RECOVERY[] = "fixtures/reference/recovery.csv";

/* Digits of a double that can be told: 15, as NIST certifies them. */
static const double MOST_DIGITS = 15;

typedef struct {
    const char *dir; /* of the study */
    rsp_loc loc;     /* in the list */
    bool slow;
    rsp_accuracy set;
} entry;

/* ---- the list --------------------------------------------------------------------------------------------------- */

static const char *word(const rsp_node *map, const char *key, rsp_diag *d) {
    const rsp_node *n = rsp_node_find(map, key);
    if (n && n->kind == RSP_Y_SCALAR) return n->text;
    rsp_report(d, RSP_ERR_STUDY, map->loc, "see the head of the file", "'%s' of a set is missing", key);
    return "";
}

static double number(const rsp_node *map, const char *key, rsp_diag *d) {
    const char *text = word(map, key, d);
    double x = NAN;
    if (*text && !rsp_parse_double(text, strlen(text), '.', &x))
        rsp_report(d, RSP_ERR_STUDY, map->loc, NULL, "'%s' of a set is a number, not '%s'", key, text);
    return x;
}

static entry read_entry(const rsp_node *map, rsp_arena *a, rsp_diag *d) {
    const char *dir = rsp_path_join(a, rsp_path_join(a, rsp_data_dir(), FOLDER), word(map, "study", d));
    entry e = {dir,
               map->loc,
               false,
               {.name = word(map, "name", d), .part = word(map, "part", d), .what = word(map, "what", d)}};
    bool certified = strcmp(e.set.part, "reference") != 0;
    const rsp_node *nightly = rsp_node_find(map, "nightly");
    e.slow = nightly && nightly->kind == RSP_Y_SCALAR && strcmp(nightly->text, "no") == 0;
    e.set.asked = certified ? NAN : number(map, "digits", d);
    e.set.errors_asked = certified ? NAN : number(map, "errors", d);
    return e;
}

static bool read_list(rsp_arena *a, entry **entries, size_t *n, rsp_diag *d) {
    size_t before = rsp_diag_errors(d);
    const rsp_node *root = rsp_yaml_read(a, rsp_path_join(a, rsp_data_dir(), LIST), d);
    const rsp_node *sets = rsp_node_find(root, "sets");
    *n = 0;
    if (root && (!sets || sets->kind != RSP_Y_LIST))
        rsp_report(d, RSP_ERR_STUDY, root->loc, NULL, "'sets' must be a list");
    if (rsp_diag_errors(d) > before) return false;
    *entries = RSP_ARRAY(a, entry, sets->n);
    for (size_t k = 0; k < sets->n; k++) {
        if (sets->items[k]->kind == RSP_Y_MAP) (*entries)[(*n)++] = read_entry(sets->items[k], a, d);
        else rsp_report(d, RSP_ERR_STUDY, sets->items[k]->loc, NULL, "a set is a mapping");
    }
    return rsp_diag_errors(d) == before;
}

static void hash_file(rsp_hash *h, const char *path) {
    char hex[65];
    if (rsp_hash_file(path, hex)) rsp_hash_str(h, hex);
}

void rsp_selftest_hash(rsp_hash *h) {
    rsp_arena *a = rsp_arena_new();
    rsp_diag *quiet = rsp_diag_new(); /* the self-test itself says what is missing */
    entry *entries;
    size_t n;
    hash_file(h, rsp_path_join(a, rsp_data_dir(), LIST));
    hash_file(h, rsp_path_join(a, rsp_data_dir(), RECOVERY));
    bool listed = read_list(a, &entries, &n, quiet);
    for (size_t k = 0; listed && k < n; k++) {
        const char **paths;
        size_t files;
        if (!rsp_list_files(entries[k].dir, a, &paths, &files, quiet)) continue;
        for (size_t j = 0; j < files; j++) hash_file(h, rsp_path_join(a, entries[k].dir, paths[j]));
    }
    rsp_diag_free(quiet);
    rsp_arena_free(a);
}

/* ---- made-up worlds --------------------------------------------------------------------------------------------- */

bool rsp_selftest_recovery(rsp_arena *a, const rsp_recovery **list, size_t *n, rsp_diag *d) {
    static const char *const heads[] = {"kind",         "world",         "nights",  "coverage",
                                        "expected_low", "expected_high", "verdict", "why"};
    enum { KIND, WORLD, NIGHTS, COVERAGE, LOW, HIGH, VERDICT, WHY, N_HEADS };
    const char *path = rsp_path_join(a, rsp_data_dir(), RECOVERY);
    size_t at[N_HEADS], before = rsp_diag_errors(d);
    rsp_sheet s;
    *n = 0;
    if (access(path, R_OK) != 0) return true;
    if (!rsp_sheet_read(a, path, (rsp_loc){path, 0, 0}, &s, d)) return false;
    for (size_t k = 0; k < N_HEADS; k++)
        if ((at[k] = rsp_sheet_column(&s, heads[k])) == RSP_NONE)
            rsp_report(d, RSP_ERR_STUDY, (rsp_loc){path, 1, 1}, NULL, "no column '%s'", heads[k]);
    rsp_recovery *out = RSP_ARRAY(a, rsp_recovery, s.n_rows + 1);
    for (size_t r = 0; r < s.n_rows; r++) {
        double x[N_HEADS] = {0};
        for (size_t k = NIGHTS; k <= HIGH; k++) {
            const rsp_cell *c = rsp_sheet_cell(&s, r, at[k]);
            if (!rsp_parse_double(c->text, strlen(c->text), '.', &x[k]))
                rsp_report(d, RSP_ERR_STUDY, c->loc, NULL, "'%s' is a number, not '%s'", heads[k], c->text);
        }
        out[r] = (rsp_recovery){rsp_sheet_cell(&s, r, at[KIND])->text,
                                rsp_sheet_cell(&s, r, at[WORLD])->text,
                                rsp_sheet_cell(&s, r, at[VERDICT])->text,
                                rsp_sheet_cell(&s, r, at[WHY])->text,
                                x[NIGHTS],
                                x[COVERAGE],
                                x[LOW],
                                x[HIGH]};
    }
    *list = out;
    *n = s.n_rows;
    return rsp_diag_errors(d) == before;
}

/* ---- one study -------------------------------------------------------------------------------------------------- */

rsp_published *rsp_selftest_compute_study(rsp_study *s, rsp_diag *d) {
    rsp_frame *f = rsp_intake(s, d);
    rsp_clean_log *l = f ? rsp_clean(f, d) : NULL;
    rsp_sample *sample = l ? rsp_sample_new(f, d) : NULL;
    rsp_results *r = rsp_results_new();
    rsp_published *p = NULL;
    if (sample) {
        rsp_report_weights(sample, r);
        for (size_t k = 0; k < s->n_analyses; k++) rsp_analyse(sample, &s->analyses[k], r, d);
        if (!rsp_diag_errors(d)) p = rsp_disclose(s, r, NULL, false, d);
    }
    rsp_results_free(r);
    rsp_sample_free(sample);
    rsp_clean_log_free(l);
    rsp_frame_free(f);
    return p;
}

rsp_published *rsp_selftest_compute(const char *dir, rsp_diag *d) {
    rsp_study *s = rsp_study_load(dir, d);
    rsp_published *p = s ? rsp_selftest_compute_study(s, d) : NULL;
    rsp_study_free(s);
    return p;
}

/* size: what the difference is measured by; a certified zero has the absolute error. */
static double digits_of(double got, double want, double size) {
    double error = fabs(got - want) / (size > 0 ? size : 1);
    if (isnan(error)) return 0;
    return error == 0 ? MOST_DIGITS : fmax(0, fmin(MOST_DIGITS, -log10(error)));
}

static void lower(double *least, double digits) { *least = isnan(*least) ? digits : fmin(*least, digits); }

/* NIST certifies coefficients with their errors, means, standard deviations, F and R2; what else stands in the expected
 * rows of its sets was computed from these, to fewer digits. */
static bool is_certified(const char *statistic) { return strcmp(statistic, "loglik") != 0; }

static void compare(entry *e, const rsp_published_row *want, const rsp_published_row *got) {
    bool certified = !e->set.against;
    if (certified && !is_certified(want->statistic)) return;
    double value = got ? got->estimate : NAN, error = got ? got->se : NAN;
    /* A difference that is small beside the estimate's own error is small, whatever the estimate. */
    double size = certified ? fabs(want->estimate) : fmax(fabs(want->estimate), isnan(want->se) ? 0 : want->se);
    if (!isnan(want->estimate)) {
        lower(&e->set.digits, digits_of(value, want->estimate, size));
        e->set.compared++;
    }
    if (isnan(want->se) || (certified && strcmp(want->statistic, "coefficient") != 0)) return;
    lower(&e->set.error_digits, digits_of(error, want->se, want->se));
    e->set.compared++;
}

/* What a certified set asks for: the last cell of its expected rows, the same in all. */
static double asked_of(const char *path, rsp_diag *d) {
    rsp_buf b = {0};
    double digits = NAN;
    if (rsp_read_file(path, &b, d, RSP_ERR_STUDY, RSP_NOWHERE)) {
        size_t end = b.length;
        while (end && strchr("\r\n\"", b.data[end - 1])) end--;
        size_t from = end;
        while (from && b.data[from - 1] >= '0' && b.data[from - 1] <= '9') from--;
        if (!rsp_parse_double(b.data + from, end - from, '.', &digits)) digits = NAN;
    }
    rsp_buf_free(&b);
    return digits;
}

/* Packages and versions: the lines behind R's own. */
static const char *other_program(const char *path, rsp_arena *a, rsp_diag *d) {
    rsp_buf b = {0};
    const char *text = "";
    if (!rsp_read_file(path, &b, d, RSP_ERR_STUDY, RSP_NOWHERE)) return text;
    for (char *line = strchr(b.data, '\n'); line && line[1]; line = strchr(line + 1, '\n'))
        text = rsp_printf(a, "%s%s%.*s", text, *text ? ", " : "", (int) strcspn(line + 1, "\n"), line + 1);
    rsp_buf_free(&b);
    return text;
}

static bool check(entry *e, rsp_arena *a, rsp_diag *d) {
    bool certified = strcmp(e->set.part, "reference") != 0;
    rsp_diag *own = rsp_diag_new(); /* warnings about these studies are no warnings about tonight's */
    char *path = rsp_path_join(a, e->dir, "expected.csv"), *digits = rsp_path_join(a, e->dir, "expected_digits.csv");
    if (certified && access(path, R_OK) != 0) path = digits;
    e->set.digits = e->set.error_digits = NAN;
    if (certified) e->set.asked = e->set.errors_asked = asked_of(path, own);
    else e->set.against = other_program(rsp_path_join(a, e->dir, "VERSIONS"), a, own);
    rsp_published *want = rsp_published_read_csv(path, own), *got = rsp_selftest_compute(e->dir, own);
    for (size_t k = 0; want && got && k < rsp_published_count(want); k++) {
        const rsp_published_row *w = rsp_published_at(want, k);
        compare(e, w, rsp_published_find(got, w->analysis, w->domain, w->term, w->level, w->statistic));
    }
    bool ok = want && got;
    e->set.met = ok && e->set.digits >= e->set.asked && !(e->set.error_digits < e->set.errors_asked);
    if (!ok) {
        const rsp_diagnostic *first = rsp_diag_count(own) ? rsp_diag_at(own, 0) : NULL;
        rsp_report(d, RSP_ERR_STUDY, e->loc, "is the program installed with its data (make install)?",
                   "the set '%s' cannot be computed: %s", e->set.name, first ? first->message : "unknown");
    }
    rsp_published_free(want);
    rsp_published_free(got);
    rsp_diag_free(own);
    return ok;
}

bool rsp_selftest_run(bool nightly, rsp_arena *a, const rsp_accuracy **sets, size_t *n, rsp_diag *d) {
    entry *entries;
    if (!read_list(a, &entries, n, d)) return false;
    rsp_accuracy *out = RSP_ARRAY(a, rsp_accuracy, *n + 1);
    size_t listed = *n;
    bool ok = true;
    *n = 0;
    for (size_t k = 0; k < listed; k++) {
        if (nightly && entries[k].slow) continue;
        ok = check(&entries[k], a, d) && ok;
        out[(*n)++] = entries[k].set;
    }
    *sets = out;
    return ok;
}

/* ---- the command ------------------------------------------------------------------------------------------------ */

static const char *heading(const char *part) {
    static const struct {
        const char *part, *words;
    } all[] = {{"univariate", "certified by NIST: mean, standard deviation"},
               {"anova", "certified by NIST: analysis of variance"},
               {"regression", "certified by NIST: linear regression"},
               {"reference", "other programs on the same data"}};
    for (size_t k = 0; k < sizeof all / sizeof *all; k++)
        if (strcmp(all[k].part, part) == 0) return all[k].words;
    return part;
}

static void print_digits(double digits, double asked) {
    if (isnan(digits)) printf("  %13s", "\u2013  ");
    else printf("  %4.1f of %-3g", digits, asked);
}

static void print_sets(const rsp_accuracy *sets, size_t n) {
    const char *part = "";
    printf("responsive %s%s%s%s: significant digits shared, of those promised (estimates, standard errors)\n",
           RSP_VERSION, *RSP_COMMIT ? " (" : "", RSP_COMMIT, *RSP_COMMIT ? ")" : "");
    for (size_t k = 0; k < n; k++) {
        const rsp_accuracy *s = &sets[k];
        if (strcmp(s->part, part) != 0) printf("\n%s\n", heading(s->part));
        part = s->part;
        printf("  %-20s", s->name);
        print_digits(s->digits, s->asked);
        print_digits(s->error_digits, s->errors_asked);
        printf("  %5zu numbers  %s%s%s\n", s->compared, s->against ? s->against : "", s->against ? "  " : "",
               s->met ? "met" : "NOT MET");
    }
}

static json_t *digits_or_null(double x) { return isnan(x) ? json_null() : json_real(round(x * 10) / 10); }

static void print_json(const rsp_accuracy *sets, size_t n) {
    json_t *root = json_object(), *list = json_array();
    for (size_t k = 0; k < n; k++) {
        const rsp_accuracy *s = &sets[k];
        json_t *one = json_object();
        json_object_set_new(one, "name", json_string(s->name));
        json_object_set_new(one, "part", json_string(s->part));
        json_object_set_new(one, "what", json_string(s->what));
        json_object_set_new(one, "against", json_string(s->against ? s->against : "NIST StRD"));
        json_object_set_new(one, "numbers", json_integer((json_int_t) s->compared));
        json_object_set_new(one, "digits", digits_or_null(s->digits));
        json_object_set_new(one, "digits_asked", digits_or_null(s->asked));
        json_object_set_new(one, "error_digits", digits_or_null(s->error_digits));
        json_object_set_new(one, "error_digits_asked", digits_or_null(s->errors_asked));
        json_object_set_new(one, "met", json_boolean(s->met));
        json_array_append_new(list, one);
    }
    json_object_set_new(root, "version", json_string(RSP_VERSION));
    json_object_set_new(root, "commit", json_string(RSP_COMMIT));
    json_object_set_new(root, "sets", list);
    json_dumpf(root, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(6));
    putchar('\n');
    json_decref(root);
}

int rsp_selftest(bool json) {
    rsp_arena *a = rsp_arena_new();
    rsp_diag *d = rsp_diag_new();
    const rsp_accuracy *sets;
    size_t n;
    if (rsp_selftest_run(false, a, &sets, &n, d)) {
        for (size_t k = 0; k < n; k++)
            if (!sets[k].met)
                rsp_report(d, RSP_WARNING, RSP_NOWHERE, "do not trust results of this kind before it is found out why",
                           "the set '%s' is met to fewer digits than promised", sets[k].name);
        if (json) print_json(sets, n);
        else print_sets(sets, n);
    }
    rsp_diag_print(d, stderr, false, 0);
    int status = rsp_diag_status(d);
    rsp_diag_free(d);
    rsp_arena_free(a);
    return status;
}
