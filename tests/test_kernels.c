/* Kernels against their plain versions, and the same bits for any number of threads where rows are more than a block. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <stdlib.h>
#include <string.h>

#include "measure/arrow.h"
#include "measure/sem_moments.h"
#include "responsive/batch.h"
#include "weight/internal.h"

#include <cmocka.h>

#include "made_up.h"
#include "shell.h"

/* ---- a study of many rows --------------------------------------------------------------------------------------- */

enum { RESPONDENTS = 9500 }; /* two whole blocks of rows and a part */

static char bench[] = "/tmp/responsive-kernels-XXXXXX";

/* specs/bench with some more analyses of the kinds that its tables and models leave out. */
static int make_bench(void **state) {
    (void) state;
    if (!mkdtemp(bench)) return -1;
    if (sh("cp specs/bench/*.csv %s", bench) != 0) return -1;
    if (sh("sed -e 's/replicates: 200/replicates: 20/'"
           " -e 's/^scales:/scales:\\n  - {id: weighted, name: F01, items: [f01_1, f01_2, f01_3], weights: design}/'"
           " -e 's/^models:/  - {id: gaps, estimator: mlr, missing: fiml, model: \"f =~ eng1 + eng2 + eng3 + eng4\"}\\n"
           "  - {id: weighed, estimator: mlr, weights: design, group: sector, model: \"f =~ lis1 + lis2 + lis3 + "
           "lis4\"}\\n"
           "models:\\n  - {id: kinds, kind: multinomial, formula: \"sector ~ F01 + country\"}\\n"
           "  - {id: slopes, kind: mixed, formula: \"change ~ F01 + sector + (1 + F01 | org) + (1 | country)\"}\\n"
           "  - {id: rated, kind: drivers, outcome: change, factors: [F01, F02], neutral: 3, leave_out: [sector], "
           "variance: {method: taylor}}/'"
           " specs/bench/study.yaml >%s/study.yaml",
           bench) != 0)
        return -1;
    char exports[64];
    snprintf(exports, sizeof exports, "%s/exports", bench);
    return rsp_simulate(bench, exports, RESPONDENTS, 1);
}

static int remove_bench(void **state) {
    (void) state;
    return sh("rm -rf %s", bench);
}

static void same_numbers(const rsp_row *a, const rsp_row *b) {
    const double x[] = {a->estimate, a->se, a->df, a->lower, a->upper, a->p, a->n},
                 y[] = {b->estimate, b->se, b->df, b->lower, b->upper, b->p, b->n};
    for (size_t k = 0; k < sizeof x / sizeof *x; k++)
        if (memcmp(&x[k], &y[k], sizeof *x) != 0 && !(isnan(x[k]) && isnan(y[k])))
            fail_msg("%s %s %s %s: %.17g, with more threads %.17g", a->analysis, a->domain, a->term, a->statistic, x[k],
                     y[k]);
}

static void threads_do_not_matter(void **state) {
    (void) state;
    rsp_threads_set(1);
    struct run one = load_and_analyse(bench);
    assert_true(one.frame->n > 2 * RSP_BLOCK && one.results->n > 1000);
    for (int threads = 2; threads <= 3; threads++) {
        rsp_threads_set(threads);
        struct run more = load_and_analyse(bench);
        assert_int_equal(one.results->n, more.results->n);
        for (size_t k = 0; k < one.results->n; k++) same_numbers(&one.results->rows[k], &more.results->rows[k]);
        assert_memory_equal(one.sample->weight, more.sample->weight, one.sample->n * sizeof(double));
        done(&more);
    }
    rsp_threads_set(0);
    done(&one);
}

/* ---- columns ---------------------------------------------------------------------------------------------------- */

static void columns_are_their_cells(void **state) {
    (void) state;
    struct run r = load(bench);
    double value[777];
    for (size_t j = 0; j < r.frame->n_columns; j++)
        for (int reversed = 0; reversed < 2; reversed++) {
            rsp_read_values(r.frame, j, reversed, 1000, 1777, value);
            for (size_t i = 0; i < 777; i++) {
                double cell = reversed ? rsp_value_reversed(r.frame, j, 1000 + i) : rsp_value(r.frame, j, 1000 + i);
                assert_true(value[i] == cell || (isnan(value[i]) && isnan(cell)));
            }
        }
    done(&r);
}

/* Pairs are numbered by a table where these are few, else by sorting: alike. */
static void pairs_by_table(void **state) {
    enum { ROWS = 5000, FIRST = 7, SECOND = 90 };
    int32_t a[ROWS], b[ROWS], table[ROWS], sorted[ROWS];
    (void) state;
    rsp_rng rng;
    rsp_rng_init(&rng, 11, 0);
    for (size_t i = 0; i < ROWS; i++)
        a[i] = (int32_t) rsp_rng_below(&rng, FIRST), b[i] = (int32_t) rsp_rng_below(&rng, SECOND);
    size_t n = rsp_number_pairs(a, FIRST, b, SECOND, ROWS, table);
    assert_int_equal(rsp_number_pairs(a, FIRST, b, 100 * SECOND, ROWS, sorted), n);
    assert_memory_equal(table, sorted, sizeof table);
    rsp_number_pairs(a, FIRST, b, SECOND, ROWS, a); /* in place */
    assert_memory_equal(table, a, sizeof table);
}

/* Rows of a key stand together and ascending, for few keys (parts of the rows side by side) and for many. */
static void orders_are_stable(void **state) {
    enum { N = 3 * RSP_BLOCK + 17 };
    static const size_t keys[] = {1, 7, N};
    int32_t *key = rsp_malloc(N * sizeof *key);
    uint32_t *order = rsp_malloc(N * sizeof *order), *start = rsp_malloc((N + 1) * sizeof *start);
    (void) state;
    for (size_t k = 0; k < 9; k++) {
        size_t n_keys = keys[k / 3], seen = 0;
        bool good = true;
        rsp_threads_set((int) (k % 3) + 1);
        for (size_t i = 0; i < N; i++) key[i] = (int32_t) (i * 7919 % n_keys);
        rsp_order_by(key, n_keys, N, order, start);
        for (size_t q = 0; q < n_keys; q++)
            for (size_t i = start[q]; i < start[q + 1]; i++, seen++)
                good = good && key[order[i]] == (int32_t) q && (i == start[q] || order[i - 1] < order[i]);
        assert_true(good && start[0] == 0 && seen == N);
    }
    rsp_threads_set(0);
    free(key), free(order), free(start);
}

/* ---- informations of several groups ----------------------------------------------------------------------------- */

/* A model of three groups whose free parameters are dealt out to one group each, the last `shared` of them to two. */
static void deal_parameters(size_t k, size_t shared, rsp_sem_cell *cells, rsp_sem *s) {
    *s = (rsp_sem){.n_groups = 3, .n_free = k, .cells = cells};
    for (size_t g = 0; g < 3; g++)
        for (size_t j = 0; j < k; j++) {
            bool own = j < k - shared ? j % 3 == g : g != j % 3;
            if (own) cells[s->n_cells++] = (rsp_sem_cell){RSP_SEM_NU, g, j, 0, j, 0};
        }
}

static bool meet(size_t k, size_t shared, size_t i, size_t j) {
    return i >= k - shared || j >= k - shared || i % 3 == j % 3;
}

/* Positive definite, columns of different length, no elements between groups. */
static double *make_arrow(size_t k, size_t shared, uint64_t seed) {
    double *matrix = rsp_calloc(k * k, sizeof *matrix);
    rsp_rng rng;
    rsp_rng_init(&rng, seed, k);
    for (size_t i = 0; i < k; i++)
        for (size_t j = 0; j <= i; j++) {
            double x = i == j ? (double) k : meet(k, shared, i, j) ? rsp_rng_normal(&rng) : 0;
            matrix[i * k + j] = matrix[j * k + i] = x * (1 + (double) i) * (1 + (double) j);
        }
    return matrix;
}

static void arrows_are_matrices(void **state) {
    static const size_t sizes[][2] = {{1, 0}, {2, 2}, {17, 0}, {24, 5}, {31, 31}, {40, 1}};
    (void) state;
    for (size_t c = 0; c < sizeof sizes / sizeof *sizes; c++) {
        size_t k = sizes[c][0], shared = sizes[c][1];
        rsp_sem_cell cells[120];
        rsp_sem s;
        rsp_arrow a;
        deal_parameters(k, shared, cells, &s);
        rsp_arrow_new(&s, &a);
        double *matrix = make_arrow(k, shared, 3), *plain = make_arrow(k, shared, 3), *other = make_arrow(k, shared, 4);
        double *factor = rsp_malloc(k * k * sizeof *factor), *scale = rsp_malloc(3 * k * sizeof *scale), least;
        double *x = scale + k, *room = x + k, *product = rsp_malloc(2 * k * k * sizeof *product),
               *want = product + k * k;
        for (size_t i = 0; i < k; i++) scale[i] = x[i] = 1;
        assert_true(rsp_arrow_factorise(&a, matrix, scale, 0, factor, &least) && least > 0);
        rsp_arrow_solve(&a, factor, x, room);
        assert_true(rsp_invert_information(plain, k) && rsp_arrow_invert(&a, matrix));
        for (size_t i = 0; i < k; i++) {
            double solution = 0;
            for (size_t j = 0; j < k; j++) solution += plain[i * k + j];
            near(x[i] * (double) (i + 1), solution * (double) (i + 1), 1e-12);
            for (size_t j = 0; j < k; j++) {
                double unit = (double) ((i + 1) * (j + 1));
                near(matrix[i * k + j] * unit, plain[i * k + j] * unit, 1e-13);
            }
        }
        rsp_arrow_sandwich(&a, plain, other, true, product);
        rsp_multiply(plain, false, other, false, k, k, k, factor);
        rsp_multiply(factor, false, plain, false, k, k, k, want);
        for (size_t i = 0; i < k * k; i++) near(product[i], want[i], 1e-13);
        matrix[0] = -1;
        assert_false(rsp_arrow_invert(&a, matrix));
        matrix[0] = NAN;
        assert_false(rsp_arrow_invert(&a, matrix));
        free(matrix), free(plain), free(other), free(factor), free(scale), free(product);
        rsp_arrow_free(&a);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(threads_do_not_matter),
                                       cmocka_unit_test(columns_are_their_cells), cmocka_unit_test(pairs_by_table),
                                       cmocka_unit_test(orders_are_stable), cmocka_unit_test(arrows_are_matrices)};
    return cmocka_run_group_tests(tests, make_bench, remove_bench);
}
