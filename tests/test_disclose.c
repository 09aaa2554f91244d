/* Disclosure control: the primary rules, and that what they hide cannot be computed from what is shown. */
#include "responsive/results.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* ---- a study with one five-point item, a region and a gender ---------------------------------------------------- */

static const char *const STUDY =
    "study: t\ntitle: {en: T}\nlanguages: [en]\nsources: [{files: x.csv, format: csv}]\n"
    "instrument: {survey: survey.csv, choices: choices.csv}\n"
    "tables:\n  - {id: a, items: [item], statistic: proportion, by: [[], [region], [gender], [region, gender]]}\n"
    "  - {id: b, items: [item], statistic: mean, by: [[region]]}\n"
    "  - {id: c, items: [item], statistic: proportion, by: [[region]]}\n";

static char dir[64];

static void put_file(const char *name, const char *text) {
    char path[128];
    FILE *f;
    snprintf(path, sizeof path, "%s/%s", dir, name);
    assert_non_null(f = fopen(path, "w"));
    fputs(text, f);
    fclose(f);
}

static rsp_study *load(const char *extra, rsp_diag *d) {
    char text[4096];
    snprintf(text, sizeof text, "%s%s", STUDY, extra);
    put_file("study.yaml", text);
    put_file(
        "survey.csv",
        "type,name,label::en\nselect_one five,item,Item\nselect_one "
        "region,region,Region\nselect_one gender,gender,Gender\nselect_multiple way,ways,Ways\nrank aim,aims,Aims\n");
    put_file("choices.csv", "list_name,name,label::en\nfive,c1,1\nfive,c2,2\nfive,c3,3\nfive,c4,4\nfive,c5,5\nregion,n,"
                            "N\nregion,s,S\nregion,w,W\n"
                            "gender,f,F\ngender,m,M\nway,a,A\nway,b,B\nway,c,C\naim,x,X\naim,x-y,XY\naim,z,Z\n");
    rsp_study *s = rsp_study_load(dir, d);
    if (!s) rsp_diag_print(d, stderr, false, 0);
    return s;
}

static void add(rsp_results *r, const char *analysis, const char *domain, const char *level, const char *statistic,
                int64_t base, int64_t cell) {
    rsp_row *x = rsp_results_add(r, analysis, domain, "item", level, statistic);
    x->base = base;
    x->cell = cell;
    x->n = (double) base;
    x->estimate = cell >= 0 && base > 0 ? (double) cell / (double) base : 3;
    x->se = 0.1;
}

static void add_distribution(rsp_results *r, const char *analysis, const char *domain, const int64_t count[5]) {
    static const char *const levels[] = {"c1", "c2", "c3", "c4", "c5"};
    int64_t base = 0;
    for (size_t k = 0; k < 5; k++) base += count[k];
    for (size_t k = 0; k < 5; k++) add(r, analysis, domain, levels[k], "proportion", base, count[k]);
}

static bool hidden(const rsp_published *p, const char *analysis, const char *domain, const char *level,
                   const char *statistic) {
    const rsp_published_row *r = rsp_published_find(p, analysis, domain, "item", level, statistic);
    assert_non_null(r);
    bool h = r->flags & (RSP_F_SUPPRESSED | RSP_F_SUPPRESSED_COMPLEMENTARY);
    assert_true(h == isnan(r->estimate));
    if (h) assert_true(isnan(r->n) && isnan(r->se) && isnan(r->lower) && isnan(r->p));
    return h;
}

#define DISCLOSE(extra)                                                                                                \
    rsp_diag *d = rsp_diag_new();                                                                                      \
    rsp_study *s = load((extra), d);                                                                                   \
    assert_non_null(s);                                                                                                \
    rsp_results *r = rsp_results_new()
#define DONE()                                                                                                         \
    rsp_results_free(r);                                                                                               \
    rsp_study_free(s);                                                                                                 \
    rsp_diag_free(d)

/* ---- rules ------------------------------------------------------------------------------------------------------ */

static void small_bases_and_cells(void **state) {
    (void) state;
    DISCLOSE("");
    add_distribution(r, "a", "", (int64_t[]){40, 30, 20, 15, 2});     /* a cell of two */
    add_distribution(r, "a", "region=n", (int64_t[]){3, 3, 3, 0, 0}); /* nine respondents */
    add_distribution(r, "a", "region=s", (int64_t[]){20, 20, 20, 20, 20});
    rsp_published *p = rsp_disclose(s, r, false, d);
    assert_true(hidden(p, "a", "", "c5", "proportion"));
    assert_true(hidden(p, "a", "", "c4", "proportion")); /* or c5 = 1 - the others */
    assert_false(hidden(p, "a", "", "c1", "proportion"));
    for (int k = 1; k <= 5; k++)
        assert_true(hidden(p, "a", "region=n", (char[]){'c', (char) ('0' + k), 0}, "proportion"));
    rsp_published_free(p);
    DONE();
}

static rsp_row *add_set(rsp_results *r, const char *level, const char *statistic, int64_t cell) {
    rsp_row *x = rsp_results_add(r, "sets", "", "ways", level, statistic);
    x->base = 200;
    x->cell = cell;
    x->estimate = cell >= 0 ? (double) cell / 200 : 0.1;
    return x;
}

static bool set_hidden(const rsp_published *p, const char *level, const char *statistic) {
    const rsp_published_row *x = rsp_published_find(p, "sets", "", "ways", level, statistic);
    assert_non_null(x);
    return x->flags & (RSP_F_SUPPRESSED | RSP_F_SUPPRESSED_COMPLEMENTARY);
}

/* A choice's share less the combinations shown with it leaves two respondents: one of them is hidden as well. */
static void what_combinations_leave_over(void **state) {
    (void) state;
    DISCLOSE("  - {id: sets, items: [ways], statistic: combinations}\n");
    add_set(r, "a", "proportion", 92);
    add_set(r, "b", "proportion", 60);
    add_set(r, "a", "combination", 70);
    add_set(r, "a b", "combination", 20);
    add_set(r, "b", "combination", 30);
    add_set(r, "", "combination", 60);
    add_set(r, "*", "combination", 20); /* two with a, ten with b, ten with a third choice */
    rsp_published *p = rsp_disclose(s, r, false, d);
    assert_true(set_hidden(p, "a b", "combination")); /* the smallest that would give them away */
    assert_false(set_hidden(p, "a", "proportion"));
    assert_false(set_hidden(p, "b", "proportion"));
    /* with that, b less its own combination is not known either, and the sum over all needs a second unknown */
    size_t n = 0;
    for (size_t k = 2; k < 7; k++) n += set_hidden(p, r->rows[k].level, "combination");
    assert_true(n >= 2);
    rsp_published_free(p);
    DONE();
}

/* How much more often one choice is ranked than another gives a hidden share away. */
static void differences_between_choices(void **state) {
    (void) state;
    DISCLOSE("  - {id: sets, items: [aims], statistic: ranking}\n");
    static const char *const codes[] = {"x", "x-y", "z"};
    for (size_t k = 0; k < 3; k++) {
        rsp_row *x = rsp_results_add(r, "sets", "", "aims", codes[k], "proportion");
        x->base = 200;
        x->cell = k == 1 ? 2 : 50;
        x->estimate = (double) x->cell / 200;
    }
    static const char *const pairs[] = {"x-x-y", "x-z", "x-y-z"};
    for (size_t k = 0; k < 3; k++) {
        rsp_row *x = rsp_results_add(r, "sets", "", "aims", pairs[k], "choice_difference");
        x->base = 200;
        x->estimate = 0.1;
    }
    rsp_published *p = rsp_disclose(s, r, false, d);
    for (size_t k = 0; k < 3; k++) {
        const rsp_published_row *x = rsp_published_find(p, "sets", "", "aims", pairs[k], "choice_difference");
        assert_int_equal(isnan(x->estimate), k != 1);
    }
    rsp_published_free(p);
    DONE();
}

static void nobody_and_everybody(void **state) {
    (void) state;
    DISCLOSE("");
    add_distribution(r, "a", "region=n", (int64_t[]){12, 0, 0, 0, 0});
    add_distribution(r, "a", "region=s", (int64_t[]){50, 50, 0, 50, 50});
    rsp_published *p = rsp_disclose(s, r, false, d);
    assert_true(hidden(p, "a", "region=n", "c1", "proportion"));
    assert_true(hidden(p, "a", "region=n", "c2", "proportion"));
    assert_false(hidden(p, "a", "region=s", "c3", "proportion")); /* nobody of two hundred says nothing about one */
    rsp_published_free(p);
    DONE();
}

static void organisations_tails_totals_weights(void **state) {
    (void) state;
    DISCLOSE("");
    add(r, "b", "region=n", "", "mean", 50, -1);
    r->rows[0].organisations = 2;
    add(r, "b", "region=s", "", "mean", 50, -1);
    r->rows[1].organisations = 3;
    add(r, "b", "region=w", "0.1", "quantile", 50, -1);
    r->rows[2].tail = 5;
    add(r, "b", "region=w", "", "total", 50, -1);
    r->rows[3].largest = 0.95;
    r->rows[3].second = 0.01;
    add(r, "weights", "", "", "weight_max", 50, -1);
    rsp_published *p = rsp_disclose(s, r, false, d);
    assert_true(hidden(p, "b", "region=n", "", "mean"));
    assert_false(hidden(p, "b", "region=s", "", "mean"));
    assert_true(hidden(p, "b", "region=w", "0.1", "quantile"));
    assert_true(hidden(p, "b", "region=w", "", "total"));
    assert_true(hidden(p, "weights", "", "", "weight_max"));
    rsp_published_free(p);
    DONE();
}

static void the_same_cell_in_another_table(void **state) {
    (void) state;
    DISCLOSE("");
    add_distribution(r, "a", "region=n", (int64_t[]){20, 20, 20, 20, 2});
    add(r, "b", "region=n", "", "mean", 82, -1);
    add_distribution(r, "c", "region=n", (int64_t[]){20, 20, 20, 20, 2});
    rsp_published *p = rsp_disclose(s, r, false, d);
    assert_true(hidden(p, "c", "region=n", "c5", "proportion"));
    assert_true(hidden(p, "b", "region=n", "", "mean")); /* the mean is a sum over the levels */
    rsp_published_free(p);
    DONE();
}

static void off_hides_nothing(void **state) {
    (void) state;
    DISCLOSE("disclosure: off\n");
    add_distribution(r, "a", "region=n", (int64_t[]){1, 0, 0, 0, 0});
    rsp_published *p = rsp_disclose(s, r, true, d);
    assert_false(hidden(p, "a", "region=n", "c1", "proportion"));
    assert_true(rsp_published_at(p, 0)->flags & RSP_F_PRELIMINARY);
    rsp_published_free(p);
    DONE();
}

/* ---- an attacker ------------------------------------------------------------------------------------------------ */

/* What is shown are linear equations in the counts of all cells: a distribution's levels add to its base, regions and
 * genders add to their wholes. A hidden count that is a combination of the equations is found by elimination. */
enum { REGIONS = 4, GENDERS = 3, LEVELS = 5, CELLS = REGIONS * GENDERS * LEVELS }; /* index 0 of a dimension: all */

static size_t cell_index(size_t region, size_t gender, size_t level) {
    return (region * GENDERS + gender) * LEVELS + level;
}

struct system {
    double rows[400][CELLS];
    size_t n;
};

static void equation(struct system *e, const bool *known, const size_t *cells, const double *coefficients, size_t n) {
    double *row = e->rows[e->n++];
    memset(row, 0, sizeof e->rows[0]);
    for (size_t k = 0; k < n; k++)
        if (!known[cells[k]]) row[cells[k]] += coefficients[k];
}

/* Number of unknowns that elimination determines. */
static size_t determined(struct system *e) {
    size_t rank = 0, found = 0;
    for (size_t column = 0; column < CELLS; column++) {
        size_t best = RSP_NONE;
        for (size_t i = rank; i < e->n; i++)
            if (fabs(e->rows[i][column]) > 1e-9 &&
                (best == RSP_NONE || fabs(e->rows[i][column]) > fabs(e->rows[best][column])))
                best = i;
        if (best == RSP_NONE) continue;
        for (size_t j = 0; j < CELLS; j++) {
            double swap = e->rows[rank][j];
            e->rows[rank][j] = e->rows[best][j];
            e->rows[best][j] = swap;
        }
        for (size_t i = 0; i < e->n; i++) {
            double factor = i == rank ? 0 : e->rows[i][column] / e->rows[rank][column];
            for (size_t j = 0; factor != 0 && j < CELLS; j++) e->rows[i][j] -= factor * e->rows[rank][j];
        }
        rank++;
    }
    for (size_t i = 0; i < rank; i++) {
        size_t unknowns = 0;
        for (size_t j = 0; j < CELLS; j++) unknowns += fabs(e->rows[i][j]) > 1e-9;
        found += unknowns == 1;
    }
    return found;
}

static const char *domain_of(size_t region, size_t gender) {
    static const char *const regions[] = {"", "region=n", "region=s", "region=w"}, *const genders[] = {"", "gender=f",
                                                                                                       "gender=m"};
    static char text[64];
    snprintf(text, sizeof text, "%s%s%s", regions[region], region && gender ? ";" : "", genders[gender]);
    return text;
}

static void nothing_hidden_can_be_computed(void **state) {
    (void) state;
    DISCLOSE("");
    rsp_rng rng;
    size_t n_hidden = 0, tables = 0;
    static struct system e;
    for (uint64_t table = 0; table < 300; table++) {
        int64_t count[CELLS] = {0};
        bool known[CELLS];
        rsp_rng_init(&rng, 99, table);
        double richness = 2 + 12 * rsp_rng_uniform(&rng);
        for (size_t i = 1; i < REGIONS; i++)
            for (size_t g = 1; g < GENDERS; g++)
                for (size_t k = 0; k < LEVELS; k++) {
                    int64_t n = (int64_t) (-log(rsp_rng_uniform(&rng)) * richness);
                    const size_t sums[] = {cell_index(i, g, k), cell_index(0, g, k), cell_index(i, 0, k),
                                           cell_index(0, 0, k)};
                    for (size_t j = 0; j < 4; j++) count[sums[j]] += n;
                }
        r->n = 0;
        for (size_t i = 0; i < REGIONS; i++)
            for (size_t g = 0; g < GENDERS; g++) add_distribution(r, "a", domain_of(i, g), &count[cell_index(i, g, 0)]);
        rsp_published *p = rsp_disclose(s, r, false, d);
        size_t hidden_here = 0;
        for (size_t i = 0; i < REGIONS; i++)
            for (size_t g = 0; g < GENDERS; g++)
                for (size_t k = 0; k < LEVELS; k++) {
                    char level[3] = {'c', (char) ('1' + k), 0};
                    int64_t base = 0;
                    for (size_t j = 0; j < LEVELS; j++) base += count[cell_index(i, g, j)];
                    /* Nobody at all is flagged empty, not hidden: its zeros are known. */
                    known[cell_index(i, g, k)] = base == 0 || !hidden(p, "a", domain_of(i, g), level, "proportion");
                    hidden_here += !known[cell_index(i, g, k)];
                }
        e.n = 0;
        for (size_t i = 0; i < REGIONS; i++)
            for (size_t g = 0; g < GENDERS; g++) {
                size_t cells[LEVELS];
                double ones[LEVELS] = {1, 1, 1, 1, 1};
                bool any_shown = false;
                for (size_t k = 0; k < LEVELS; k++) {
                    cells[k] = cell_index(i, g, k);
                    any_shown |= known[cells[k]];
                }
                if (any_shown) equation(&e, known, cells, ones, LEVELS); /* shown levels give the base away */
            }
        for (size_t k = 0; k < LEVELS; k++) {
            for (size_t g = 0; g < GENDERS; g++)
                equation(&e, known,
                         (size_t[]){cell_index(0, g, k), cell_index(1, g, k), cell_index(2, g, k), cell_index(3, g, k)},
                         (double[]){-1, 1, 1, 1}, 4);
            for (size_t i = 0; i < REGIONS; i++)
                equation(&e, known, (size_t[]){cell_index(i, 0, k), cell_index(i, 1, k), cell_index(i, 2, k)},
                         (double[]){-1, 1, 1}, 3);
        }
        size_t found = determined(&e);
        if (found) fail_msg("table %u: %zu of %zu hidden cells can be computed", (unsigned) table, found, hidden_here);
        n_hidden += hidden_here;
        tables += hidden_here > 0;
        rsp_published_free(p);
    }
    assert_true(tables > 100 && n_hidden > 1000); /* the attack had something to attack */
    DONE();
}

static int set_up(void **state) {
    (void) state;
    strcpy(dir, "/tmp/responsive-disclose-XXXXXX");
    return mkdtemp(dir) ? 0 : -1;
}

static int tear_down(void **state) {
    (void) state;
    char command[128];
    snprintf(command, sizeof command, "rm -rf %s", dir);
    return system(command);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(small_bases_and_cells),
                                       cmocka_unit_test(nobody_and_everybody),
                                       cmocka_unit_test(organisations_tails_totals_weights),
                                       cmocka_unit_test(the_same_cell_in_another_table),
                                       cmocka_unit_test(off_hides_nothing),
                                       cmocka_unit_test(what_combinations_leave_over),
                                       cmocka_unit_test(differences_between_choices),
                                       cmocka_unit_test(nothing_hidden_can_be_computed)};
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
