/* Every study of fixtures/reference against the values other programs computed: estimates, standard errors, degrees of
 * freedom, intervals, p values, to the tolerances the project promises. */
#include "batch/selftest.h"

#include <dirent.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

static const char *const ROOT = "fixtures/reference";

/* ---- comparison ------------------------------------------------------------------------------------------------- */

static bool one_of(const char *word, const char *const *list) {
    for (; *list; list++)
        if (strcmp(word, *list) == 0) return true;
    return false;
}

/* Differences of numbers of size one, near zero where groups are alike: their tolerance is that of the numbers. */
static bool is_move(const char *statistic) {
    return one_of(statistic, (const char *const[]){"delta_cfi", "delta_rmsea", "delta_srmr", "mean_shift",
                                                   "latent_mean", "latent_variance", "dmacs", NULL});
}

static double tolerance(const char *folder, const char *statistic, const char *column) {
    static const char *const closed[] = {"mean",
                                         "proportion",
                                         "total",
                                         "ratio",
                                         "median",
                                         "quantile",
                                         "count",
                                         "sd",
                                         "net",
                                         "top2",
                                         "deff_kish",
                                         "weight_min",
                                         "weight_max",
                                         "alpha",
                                         "mean_rank",
                                         "combination",
                                         "choice_difference",
                                         NULL};
    static const char *const fit[] = {"rao_scott_f",
                                      "chisq",
                                      "cfi",
                                      "tli",
                                      "rmsea",
                                      "srmr",
                                      "chisq_scaled",
                                      "cfi_robust",
                                      "rmsea_robust",
                                      "tli_robust",
                                      "cfi_scaled",
                                      "tli_scaled",
                                      "rmsea_scaled",
                                      "modification_index",
                                      "modification_index_scaled",
                                      "delta_chisq",
                                      "expected_change",
                                      "expected_change_std",
                                      NULL};
    static const char *const factor[] = {"loading", "std_loading", "intercept", "variance", "covariance",
                                         "omega",   "scale",       "released",  NULL};
    bool is_closed = one_of(statistic, closed);
    if (strcmp(column, "n") == 0) return 0;
    if (one_of(column, (const char *const[]){"p", "p_adj", "df", "df1", NULL}) || one_of(statistic, fit)) return 1e-4;
    /* lavaan's optimiser stops within 2e-5 of the maximum that scoring reaches (its log-likelihood is lower by 1e-8). */
    bool of_factors =
        one_of(statistic, factor) || strncmp(statistic, "std_", 4) == 0 ||
        (strcmp(statistic, "r_squared") == 0 && strstr(folder, "_modification")) ||
        (strcmp(statistic, "coefficient") == 0 && strncmp(folder, "hs1939", 6) == 0) ||
        (strcmp(statistic, "threshold") == 0 && (strncmp(folder, "bfi", 3) == 0 || strstr(folder, "_wlsmv")));
    if ((of_factors || is_move(statistic)) && strcmp(column, "estimate") == 0) return 3e-5;
    /* A test of iterated estimates rests on their errors, which agree to 1e-4. */
    if (strcmp(statistic, "wald_f") == 0 && strncmp(folder, "glmm_", 5) == 0) return 1e-5;
    if (strcmp(column, "estimate") == 0) return is_closed ? 1e-7 : 1e-6;
    return is_closed ? 1e-5 : 1e-4;
}

static bool near(double want, double got, double tol, double size) {
    return !isnan(got) && fabs(want - got) <= tol * fmax(fabs(want), size);
}

/* `digits` > 0: significant digits instead of tolerances (certified values). Returns the number of differences. */
static size_t compare_row(const char *folder, const rsp_published_row *e, const rsp_published_row *g, double digits) {
    const struct {
        const char *name;
        double want, got;
    } columns[] = {{"estimate", e->estimate, g->estimate},
                   {"se", e->se, g->se},
                   {"df", e->df, g->df},
                   {"df1", e->df1, g->df1},
                   {"lower", e->lower, g->lower},
                   {"upper", e->upper, g->upper},
                   {"p", e->p, g->p},
                   {"p_adj", e->p_adj, g->p_adj},
                   {"n", e->n, g->n},
                   {"n_eff", e->n_eff, g->n_eff},
                   {"deff", e->deff, g->deff}};
    size_t wrong = 0;
    for (size_t k = 0; k < sizeof columns / sizeof *columns; k++) {
        if (isnan(columns[k].want)) continue;
        double tol = tolerance(folder, e->statistic, columns[k].name);
        bool certified = digits > 0 && (k == 0 || k == 1);
        /* d digits: half a unit of the d-th; a certified zero or one of rounding size is met within 1e-9. */
        if (certified) tol = fmax(0.5 * pow(10, 1 - digits), 0);
        double size = is_move(e->statistic) && k == 0 ? 1 : 1e-8;
        if (near(columns[k].want, columns[k].got, tol, size)) continue;
        if (certified && fabs(columns[k].want) < 1e-9 && fabs(columns[k].got) < 1e-7) continue;
        print_error("%s: %s | %s | %s | %s | %s: %s is %.12g instead of %.12g\n", folder, e->analysis, e->domain,
                    e->term, e->level, e->statistic, columns[k].name, columns[k].got, columns[k].want);
        wrong++;
    }
    return wrong;
}

/* Certified sets name their digits in the last column, the same for all rows of a set. */
static double digits_of(const char *path) {
    rsp_buf b = {0};
    rsp_diag *d = rsp_diag_new();
    double digits = 0;
    if (rsp_read_file(path, &b, d, RSP_ERR_DATA, RSP_NOWHERE) &&
        strncmp(b.data + strcspn(b.data, "\n") - 9, "\"digits\"", 8) == 0) {
        const char *end = b.data + b.length;
        while (end > b.data && (end[-1] == '\n' || end[-1] == '\r' || end[-1] == '"')) end--;
        digits = strtod(end - 1, NULL);
    }
    rsp_buf_free(&b);
    rsp_diag_free(d);
    return digits;
}

static size_t rows_checked;

static size_t check_folder(const char *folder) {
    char dir[512], path[600];
    snprintf(dir, sizeof dir, "%s/%s", ROOT, folder);
    snprintf(path, sizeof path, "%s/expected.csv", dir);
    rsp_diag *d = rsp_diag_new();
    rsp_published *expected = rsp_published_read_csv(path, d), *got = rsp_selftest_compute(dir, d);
    double digits = digits_of(path);
    size_t wrong = 0;
    if (!expected || !got) {
        print_error("%s: not computed\n", folder);
        rsp_diag_print(d, stderr, false, 20);
        wrong++;
    }
    for (size_t k = 0; expected && got && k < rsp_published_count(expected); k++) {
        const rsp_published_row *e = rsp_published_at(expected, k);
        const rsp_published_row *g = rsp_published_find(got, e->analysis, e->domain, e->term, e->level, e->statistic);
        rows_checked++;
        if (g) {
            wrong += compare_row(folder, e, g, digits);
        } else {
            print_error("%s: no row %s | %s | %s | %s | %s\n", folder, e->analysis, e->domain, e->term, e->level,
                        e->statistic);
            wrong++;
        }
    }
    rsp_published_free(expected);
    rsp_published_free(got);
    rsp_diag_free(d);
    return wrong;
}

static int compare_names(const void *a, const void *b) { return strcmp(a, b); }

static size_t list_folders(const char *below, char names[][256], size_t most) {
    char path[512];
    snprintf(path, sizeof path, "%s%s%s", ROOT, *below ? "/" : "", below);
    DIR *dir = opendir(path);
    size_t n = 0;
    assert_non_null(dir);
    for (struct dirent *e; (e = readdir(dir));) {
        char name[768], expected[1400];
        struct stat st;
        snprintf(name, sizeof name, "%s%s%s", below, *below ? "/" : "", e->d_name);
        snprintf(expected, sizeof expected, "%s/%s/expected.csv", ROOT, name);
        if (e->d_name[0] == '.' || stat(expected, &st) != 0 || strlen(name) >= 256 || n == most) continue;
        memcpy(names[n++], name, strlen(name) + 1);
    }
    closedir(dir);
    qsort(names, n, sizeof *names, compare_names);
    return n;
}

static void check_all(const char *below, size_t least) {
    static char names[128][256];
    size_t n = list_folders(below, names, 128), wrong = 0;
    assert_true(n >= least);
    for (size_t k = 0; k < n; k++) wrong += check_folder(names[k]);
    assert_int_equal(wrong, 0);
}

static void references(void **state) {
    (void) state;
    check_all("", 25);
    assert_true(rows_checked > 1000);
}

static void certified_values(void **state) {
    (void) state;
    check_all("nist", 14);
}

int main(void) {
    rsp_threads_set(0);
    const struct CMUnitTest tests[] = {cmocka_unit_test(references), cmocka_unit_test(certified_values)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
