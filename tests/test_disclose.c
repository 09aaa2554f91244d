/* Disclosure control: the primary rules, and that what they hide cannot be computed from what is shown. */
#include "responsive/clean.h"
#include "responsive/intake.h"
#include "responsive/results.h"
#include "responsive/statistics.h"
#include "results/waiting.h"
#include "shell.h"

#include <glpk.h>
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
        "type,name,label::en\ntext,id,Id\nselect_one five,item,Item\nselect_one "
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

/* With the pairs that the estimate station offers. */
static void add_five_points(rsp_results *r, const char *analysis, const char *domain, const int64_t count[5]) {
    int64_t base = 0;
    for (size_t k = 0; k < 5; k++) base += count[k];
    add_distribution(r, analysis, domain, count);
    add(r, analysis, domain, "c1 c2", "proportion_collapsed", base, count[0] + count[1]);
    add(r, analysis, domain, "c4 c5", "proportion_collapsed", base, count[3] + count[4]);
}

/* What a reader sees of a row; NULL: nothing. */
static const rsp_published_row *seen(const rsp_published *p, const rsp_row *r) {
    return rsp_published_find(p, r->analysis, r->domain, r->term, r->level, r->statistic);
}

static bool is_shown(const rsp_published *p, const rsp_row *r) {
    const rsp_published_row *row = seen(p, r);
    return row && !isnan(row->estimate);
}

static bool is_pair(const rsp_row *r) { return strcmp(r->statistic, "proportion_collapsed") == 0; }

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
    rsp_published *p = rsp_disclose(s, r, NULL, false, d);
    assert_true(hidden(p, "a", "", "c5", "proportion"));
    assert_true(hidden(p, "a", "", "c4", "proportion")); /* or c5 = 1 - the others */
    assert_false(hidden(p, "a", "", "c1", "proportion"));
    for (int k = 1; k <= 5; k++)
        assert_true(hidden(p, "a", "region=n", (char[]){'c', (char) ('0' + k), 0}, "proportion"));
    rsp_published_free(p);
    DONE();
}

/* Counts tell what shares tell: they add to the base, and the same cell is hidden both ways. */
static void counts_are_cells_like_shares(void **state) {
    (void) state;
    DISCLOSE("  - {id: e, items: [item], statistic: count, by: [[region]]}\n");
    static const int64_t count[] = {40, 30, 20, 15, 1};
    static const char *const levels[] = {"c1", "c2", "c3", "c4", "c5"};
    for (size_t k = 0; k < 5; k++) add(r, "e", "region=n", levels[k], "count", 106, count[k]);
    rsp_published *p = rsp_disclose(s, r, NULL, false, d);
    assert_true(hidden(p, "e", "region=n", "c5", "count") && hidden(p, "e", "region=n", "c4", "count"));
    assert_false(hidden(p, "e", "region=n", "c1", "count"));
    rsp_published_free(p);
    add(r, "b", "region=n", "", "mean", 106, -1);
    for (size_t k = 0; k < 5; k++) add(r, "a", "region=n", levels[k], "proportion", 106, count[k]);
    r->rows[r->n - 3].organisations = 2; /* hides c3 in one of the tables for another reason */
    p = rsp_disclose(s, r, NULL, false, d);
    for (size_t k = 0; k < 5; k++)
        assert_int_equal(hidden(p, "a", "region=n", levels[k], "proportion"),
                         hidden(p, "e", "region=n", levels[k], "count"));
    assert_true(hidden(p, "e", "region=n", "c3", "count") && hidden(p, "b", "region=n", "", "mean"));
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

/* A choice's share less the combinations shown with it leaves two respondents: one of the combinations is hidden as well. */
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
    rsp_published *p = rsp_disclose(s, r, NULL, false, d);
    assert_true(set_hidden(p, "a b", "combination") || set_hidden(p, "a", "combination")); /* either gives them away */
    assert_false(set_hidden(p, "a", "proportion"));
    assert_false(set_hidden(p, "b", "proportion"));
    /* with that, another sum that it stands in needs a second unknown */
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
    rsp_published *p = rsp_disclose(s, r, NULL, false, d);
    for (size_t k = 0; k < 3; k++) {
        const rsp_published_row *x = rsp_published_find(p, "sets", "", "aims", pairs[k], "choice_difference");
        assert_int_equal(isnan(x->estimate), k != 1);
    }
    rsp_published_free(p);
    DONE();
}

/* Two people of 107 agree strongly: a pair stands in for the answers, and the net share that follows from it is shown. */
static void five_answers_become_three(void **state) {
    (void) state;
    DISCLOSE("");
    add_five_points(r, "a", "region=n", (int64_t[]){40, 30, 20, 15, 2});
    add(r, "b", "region=n", "", "mean", 107, -1);
    add(r, "b", "region=n", "", "net", 107, -1);
    add(r, "b", "region=n", "", "top2", 107, 17);
    add_five_points(r, "a", "region=s", (int64_t[]){20, 20, 20, 20, 20});
    add_five_points(r, "a", "region=w", (int64_t[]){1, 30, 20, 15, 2});
    rsp_published *p = rsp_disclose(s, r, NULL, false, d);
    for (int k = 0; k < 5; k++)
        assert_int_equal(hidden(p, "a", "region=n", (char[]){'c', (char) ('1' + k), 0}, "proportion"), k > 2);
    assert_null(rsp_published_find(p, "a", "region=n", "item", "c1 c2", "proportion_collapsed"));
    assert_false(hidden(p, "a", "region=n", "c4 c5", "proportion_collapsed"));
    assert_true(hidden(p, "b", "region=n", "", "mean"));
    assert_false(hidden(p, "b", "region=n", "", "net"));
    assert_false(hidden(p, "b", "region=n", "", "top2"));
    const rsp_published_row *pair = rsp_published_find(p, "a", "region=n", "item", "c4 c5", "proportion_collapsed");
    assert_true(pair->estimate == 17.0 / 107 && pair->flags == RSP_F_COLLAPSED);
    assert_true(rsp_published_find(p, "a", "region=n", "item", "c4", "proportion")->flags & RSP_F_COLLAPSED);
    /* where the five can stay, there is no pair */
    assert_null(rsp_published_find(p, "a", "region=s", "item", "c1 c2", "proportion_collapsed"));
    assert_false(hidden(p, "a", "region=s", "c5", "proportion"));
    for (int k = 0; k < 5; k++) /* both ends */
        assert_int_equal(hidden(p, "a", "region=w", (char[]){'c', (char) ('1' + k), 0}, "proportion"), k != 2);
    assert_false(hidden(p, "a", "region=w", "c1 c2", "proportion_collapsed"));
    assert_false(hidden(p, "a", "region=w", "c4 c5", "proportion_collapsed"));
    assert_int_equal(rsp_published_count(p), r->n - 3);
    rsp_published_free(p);
    DONE();
}

/* The middle is of two people, or a pair is: three answers would save nothing. */
static void collapsing_that_does_not_help(void **state) {
    (void) state;
    DISCLOSE("");
    add_five_points(r, "a", "region=n", (int64_t[]){40, 30, 2, 15, 12});
    add_five_points(r, "a", "region=s", (int64_t[]){1, 1, 40, 30, 30});
    rsp_published *p = rsp_disclose(s, r, NULL, false, d);
    for (size_t i = 0; i < r->n; i++)
        if (is_pair(&r->rows[i])) assert_null(seen(p, &r->rows[i]));
    assert_true(hidden(p, "a", "region=n", "c3", "proportion"));
    assert_false(hidden(p, "a", "region=n", "c1", "proportion"));
    assert_false(hidden(p, "a", "region=s", "c5", "proportion"));
    rsp_published_free(p);
    DONE();
}

static void nobody_and_everybody(void **state) {
    (void) state;
    DISCLOSE("");
    add_distribution(r, "a", "region=n", (int64_t[]){12, 0, 0, 0, 0});
    add_distribution(r, "a", "region=s", (int64_t[]){50, 50, 0, 50, 50});
    rsp_published *p = rsp_disclose(s, r, NULL, false, d);
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
    rsp_published *p = rsp_disclose(s, r, NULL, false, d);
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
    rsp_published *p = rsp_disclose(s, r, NULL, false, d);
    assert_true(hidden(p, "c", "region=n", "c5", "proportion"));
    assert_true(hidden(p, "b", "region=n", "", "mean")); /* the mean is a sum over the levels */
    rsp_published_free(p);
    DONE();
}

static void off_hides_nothing(void **state) {
    (void) state;
    DISCLOSE("disclosure: off\n");
    add_distribution(r, "a", "region=n", (int64_t[]){1, 0, 0, 0, 0});
    rsp_published *p = rsp_disclose(s, r, NULL, true, d);
    assert_false(hidden(p, "a", "region=n", "c1", "proportion"));
    assert_true(rsp_published_at(p, 0)->flags & RSP_F_PRELIMINARY);
    const rsp_loss *none;
    assert_int_equal(rsp_published_losses(p, &none), 0);
    rsp_published_free(p);
    DONE();
}

/* ---- an attacker ------------------------------------------------------------------------------------------------ */

/* Knows every published number of respondents, every shown cell as a count, how levels add to their base and parts to
 * their whole, and the night before. For each hidden cell it asks two linear programs how small and how large it can be.
 * Its equations are written from the rows alone, with nothing of the program that hides. */
struct attacker {
    glp_prob *lp;
    rsp_map *columns; /* key of a cell -> column */
    size_t hidden, narrowed;
    char worst[256];
};

static const char *text_of(const char *format, ...) __attribute__((format(printf, 1, 2)));

static const char *text_of(const char *format, ...) {
    static char text[1024];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    return text;
}

static const char *cell_name(const rsp_study *s, const rsp_row *r, const char *domain) {
    const char *filter = "";
    for (size_t k = 0; k < s->n_analyses; k++)
        if (strcmp(s->analyses[k].id, r->analysis) == 0 && s->analyses[k].filter) filter = r->analysis;
    return text_of("%s|%s|%s|%s", filter, domain, r->term, r->level);
}

static bool in_a_table(const rsp_study *s, const rsp_row *r) {
    if ((strcmp(r->statistic, "proportion") != 0 && !is_pair(r)) || r->cell < 0 || r->base <= 0 || r->sides[0])
        return false;
    for (size_t k = 0; k < s->n_analyses; k++)
        if (strcmp(s->analyses[k].id, r->analysis) == 0) return s->analyses[k].kind == RSP_A_TABLE;
    return false;
}

static bool one_answer_each(const rsp_study *s, const char *item) {
    size_t v = rsp_study_variable(s, item);
    return v != RSP_NONE && s->variables[v].type == RSP_SELECT_ONE; /* derived codes too */
}

/* One column a cell, known to be between 0 and its base, or what it is where it is shown. */
static void learn_cells(struct attacker *x, const rsp_study *s, const rsp_results *r, const rsp_published *p) {
    for (size_t i = 0; i < r->n; i++) {
        const rsp_row *row = &r->rows[i];
        if (!in_a_table(s, row)) continue;
        bool shown = is_shown(p, row);
        const char *name = cell_name(s, row, row->domain);
        size_t j = rsp_map_get(x->columns, name);
        if (j == RSP_NONE) {
            rsp_map_put(x->columns, name, j = (size_t) glp_add_cols(x->lp, 1));
            glp_set_col_bnds(x->lp, (int) j, GLP_DB, 0, (double) row->base);
        }
        if (shown) glp_set_col_bnds(x->lp, (int) j, GLP_FX, (double) row->cell, (double) row->cell);
    }
}

/* Adds up the true counts: what is missing in a crossing is known too, which makes the attacker stronger than any real one. */
static void learn_sum(struct attacker *x, const rsp_study *s, const rsp_results *r, const size_t *rows, size_t n,
                      size_t whole) {
    int index[512], count = 0, row = glp_add_rows(x->lp, 1);
    double value[512], sum = 0;
    assert_true(n < 500);
    for (size_t k = 0; k < n; k++) {
        index[++count] = (int) rsp_map_get(x->columns, cell_name(s, &r->rows[rows[k]], r->rows[rows[k]].domain));
        value[count] = 1;
        sum += (double) r->rows[rows[k]].cell;
    }
    if (whole != RSP_NONE) {
        index[++count] = (int) rsp_map_get(x->columns, cell_name(s, &r->rows[whole], r->rows[whole].domain));
        value[count] = -1;
        sum -= (double) r->rows[whole].cell;
    }
    glp_set_row_bnds(x->lp, row, GLP_FX, sum, sum);
    glp_set_mat_row(x->lp, row, count, index, value);
}

static bool part_of(const char *part, const char *whole, const char *other) {
    /* "" of "a=x"; "a=x" of "a=x;b=y", and the other parts differ in b alone */
    size_t n = strlen(whole);
    const char *rest;
    if (n == 0) rest = part;
    else if (strncmp(part, whole, n) == 0 && part[n] == ';') rest = part + n + 1;
    else {
        const char *semi = strrchr(part, ';');
        if (!semi || strcmp(semi + 1, whole) != 0) return false;
        size_t length = strcspn(part, "=");
        return strncmp(part, other, length + 1) == 0 && strchr(other, ';') &&
               strcmp(strrchr(other, ';') + 1, whole) == 0;
    }
    if (!*rest || strchr(rest, ';')) return false;
    size_t length = strcspn(rest, "=");
    const char *o = n == 0 ? other : strncmp(other, whole, n) == 0 && other[n] == ';' ? other + n + 1 : "";
    return strncmp(rest, o, length + 1) == 0 && !strchr(o, ';');
}

/* Is the code one of the two? */
static bool joins(const char *pair, const char *code) {
    size_t first = strcspn(pair, " "), length = strlen(code);
    return (length == first && strncmp(pair, code, length) == 0) || strcmp(pair + first + 1, code) == 0;
}

static void learn_relations(struct attacker *x, const rsp_study *s, const rsp_results *r) {
    static size_t rows[512];
    for (size_t i = 0; i < r->n; i++) {
        const rsp_row *a = &r->rows[i];
        if (!in_a_table(s, a)) continue;
        bool first = i == 0 || strcmp(r->rows[i - 1].domain, a->domain) != 0 ||
                     strcmp(r->rows[i - 1].term, a->term) != 0 || strcmp(r->rows[i - 1].analysis, a->analysis) != 0;
        if (is_pair(a)) { /* the sum of its two answers */
            size_t n = 0;
            for (size_t j = i; j-- > 0 && strcmp(r->rows[j].domain, a->domain) == 0;)
                if (!is_pair(&r->rows[j]) && joins(a->level, r->rows[j].level) && in_a_table(s, &r->rows[j]) &&
                    strcmp(r->rows[j].term, a->term) == 0 && strcmp(r->rows[j].analysis, a->analysis) == 0)
                    rows[n++] = j;
            assert_int_equal(n, 2);
            learn_sum(x, s, r, rows, n, i);
        }
        if (first && one_answer_each(s, a->term)) {
            size_t n = 0;
            for (size_t j = i; j < r->n && n < 500; j++)
                if (strcmp(r->rows[j].analysis, a->analysis) == 0 && strcmp(r->rows[j].domain, a->domain) == 0 &&
                    strcmp(r->rows[j].term, a->term) == 0 && in_a_table(s, &r->rows[j]) && !is_pair(&r->rows[j]))
                    rows[n++] = j;
                else break;
            learn_sum(x, s, r, rows, n, RSP_NONE);
        }
        /* As a whole: of the parts of each analysis and variable. */
        for (size_t j = 0; j < r->n; j++) {
            const rsp_row *b = &r->rows[j];
            if (!in_a_table(s, b) || strcmp(b->term, a->term) != 0 || strcmp(b->level, a->level) != 0 ||
                !part_of(b->domain, a->domain, b->domain))
                continue;
            size_t n = 0;
            bool leader = true;
            for (size_t k = 0; k < r->n; k++) {
                const rsp_row *c = &r->rows[k];
                if (strcmp(c->analysis, b->analysis) != 0 || strcmp(c->term, a->term) != 0 ||
                    strcmp(c->level, a->level) != 0 || !in_a_table(s, c) || !part_of(b->domain, a->domain, c->domain))
                    continue;
                if (k < j) leader = false;
                rows[n++] = k;
            }
            char filter[2][128];
            snprintf(filter[0], 128, "%s", cell_name(s, a, ""));
            snprintf(filter[1], 128, "%s", cell_name(s, b, ""));
            if (leader && strcmp(filter[0], filter[1]) == 0) learn_sum(x, s, r, rows, n, i);
        }
    }
}

static bool has_pairs(const rsp_results *r, const rsp_published *p, const char *item) {
    for (size_t i = 0; i < r->n; i++)
        if (is_pair(&r->rows[i]) && strcmp(r->rows[i].term, item) == 0 && seen(p, &r->rows[i])) return true;
    return false;
}

static void attack_cells(struct attacker *x, const rsp_study *s, const rsp_results *r, const rsp_published *p) {
    glp_smcp how;
    glp_init_smcp(&how);
    how.msg_lev = GLP_MSG_OFF;
    for (size_t i = 0; i < r->n; i++) {
        const rsp_row *row = &r->rows[i];
        if (!in_a_table(s, row) || is_shown(p, row)) continue;
        /* A pair that is not published is confidential only where few are in it and its like are published. */
        if (is_pair(row) && (row->cell == 0 || row->cell >= s->disclosure.minimum_cell || !has_pairs(r, p, row->term)))
            continue;
        int j = (int) rsp_map_get(x->columns, cell_name(s, row, row->domain));
        double end[2];
        glp_set_obj_coef(x->lp, j, 1);
        for (int side = 0; side < 2; side++) {
            glp_set_obj_dir(x->lp, side ? GLP_MAX : GLP_MIN);
            assert_int_equal(glp_simplex(x->lp, &how), 0);
            assert_int_equal(glp_get_status(x->lp), GLP_OPT);
            end[side] = glp_get_obj_val(x->lp);
        }
        glp_set_obj_coef(x->lp, j, 0);
        double need = row->base < s->disclosure.minimum_cell ? (double) row->base : (double) s->disclosure.minimum_cell;
        x->hidden++;
        if (end[1] - end[0] > need - 1e-6) continue;
        x->narrowed++;
        snprintf(x->worst, sizeof x->worst, "%s %s %s %s is %d of %d: between %g and %g", row->analysis, row->domain,
                 row->term, row->level, (int) row->cell, (int) row->base, end[0], end[1]);
    }
}

/* The losses are what the published table shows as hidden, whichever way they are added up. */
static void check_losses(const rsp_published *p) {
    const rsp_loss *all;
    size_t n = rsp_published_losses(p, &all), hidden_rows = 0, by_rule = 0, rows = 0, lost = 0;
    assert_true(n > 1 && all->rows == rsp_published_count(p) && !*all->country && !*all->analysis);
    for (size_t i = 0; i < rsp_published_count(p); i++) {
        uint32_t flags = rsp_published_at(p, i)->flags;
        by_rule += (flags & RSP_F_SUPPRESSED) != 0;
        hidden_rows += (flags & (RSP_F_SUPPRESSED | RSP_F_SUPPRESSED_COMPLEMENTARY)) != 0;
    }
    assert_int_equal(all->by_rule, by_rule);
    assert_int_equal(all->by_rule + all->complementary + all->by_memory, hidden_rows);
    for (size_t k = 1; k < n; k++) {
        rows += *all[k].analysis ? all[k].rows : 0;
        lost += *all[k].analysis ? all[k].by_rule + all[k].complementary + all[k].by_memory : 0;
        assert_true(isnan(all[k].bases) || (all[k].bases >= 0 && all[k].bases <= 1));
    }
    assert_true(rows == all->rows && lost == hidden_rows);
}

static struct attacker attack(const rsp_study *s, const rsp_results *r, const rsp_published *p) {
    struct attacker x = {.lp = glp_create_prob(), .columns = rsp_map_new()};
    glp_term_out(GLP_OFF);
    learn_cells(&x, s, r, p);
    learn_relations(&x, s, r);
    attack_cells(&x, s, r, p);
    glp_delete_prob(x.lp);
    rsp_map_free(x.columns);
    return x;
}

/* ---- random tables ---------------------------------------------------------------------------------------------- */

enum { REGIONS = 4, GENDERS = 3, LEVELS = 5, CELLS = REGIONS * GENDERS * LEVELS }; /* index 0 of a dimension: all */

static size_t cell_index(size_t region, size_t gender, size_t level) {
    return (region * GENDERS + gender) * LEVELS + level;
}

static const char *domain_of(size_t region, size_t gender) {
    static const char *const regions[] = {"", "region=n", "region=s", "region=w"}, *const genders[] = {"", "gender=f",
                                                                                                       "gender=m"};
    static char text[64];
    snprintf(text, sizeof text, "%s%s%s", regions[region], region && gender ? ";" : "", genders[gender]);
    return text;
}

static void add_person(int64_t *count, size_t region, size_t gender, size_t level, int64_t n) {
    const size_t sums[] = {cell_index(region, gender, level), cell_index(0, gender, level),
                           cell_index(region, 0, level), cell_index(0, 0, level)};
    for (size_t j = 0; j < 4; j++) count[sums[j]] += n;
}

static void random_table(rsp_rng *rng, double richness, int64_t *count) {
    memset(count, 0, CELLS * sizeof *count);
    for (size_t i = 1; i < REGIONS; i++)
        for (size_t g = 1; g < GENDERS; g++)
            for (size_t k = 0; k < LEVELS; k++)
                add_person(count, i, g, k, (int64_t) (-log(rsp_rng_uniform(rng)) * richness));
}

typedef void (*add_answers)(rsp_results *r, const char *analysis, const char *domain, const int64_t count[5]);

static void table_rows(rsp_results *r, const int64_t *count, add_answers add_one) {
    r->n = 0;
    for (size_t i = 0; i < REGIONS; i++)
        for (size_t g = 0; g < GENDERS; g++) add_one(r, "a", domain_of(i, g), &count[cell_index(i, g, 0)]);
}

/* A distribution tells all five answers, or the three. */
static bool tells_all(const rsp_results *r, const rsp_published *p, size_t first) {
    size_t five = 0;
    for (size_t k = 0; k < LEVELS; k++) five += is_shown(p, &r->rows[first + k]);
    return five == LEVELS || (is_shown(p, &r->rows[first + LEVELS]) && is_shown(p, &r->rows[first + LEVELS + 1]));
}

static size_t distributions_told(const rsp_results *r, const rsp_published *p) {
    size_t n = 0;
    for (size_t i = 0; i + LEVELS + 1 < r->n; i += LEVELS + 2) n += tells_all(r, p, i);
    return n;
}

/* Five answers or three: what is hidden stays so, and joined in pairs more of the tables can be read whole. */
static void joined_answers_give_nothing_away(void **state) {
    (void) state;
    DISCLOSE("");
    rsp_rng rng;
    size_t whole[2] = {0}, pairs = 0;
    for (uint64_t table = 0; table < 200; table++) {
        int64_t count[CELLS];
        rsp_rng_init(&rng, 98, table);
        random_table(&rng, 4 + 20 * rsp_rng_uniform(&rng), count);
        table_rows(r, count, add_five_points);
        rsp_published *p = rsp_disclose(s, r, NULL, false, d);
        struct attacker x = attack(s, r, p);
        if (x.narrowed)
            fail_msg("table %u: %zu of %zu hidden cells: %s", (unsigned) table, x.narrowed, x.hidden, x.worst);
        whole[1] += distributions_told(r, p);
        for (size_t i = 0; i < r->n; i++) pairs += is_pair(&r->rows[i]) && is_shown(p, &r->rows[i]);
        rsp_published_free(p);
        table_rows(r, count, add_distribution);
        p = rsp_disclose(s, r, NULL, false, d);
        for (size_t i = 0; i < r->n; i += LEVELS) {
            size_t five = 0;
            for (size_t k = 0; k < LEVELS; k++) five += is_shown(p, &r->rows[i + k]);
            whole[0] += five == LEVELS;
        }
        rsp_published_free(p);
    }
    if (getenv("VERBOSE")) fprintf(stderr, "%zu told whole, joined %zu; %zu pairs\n", whole[0], whole[1], pairs);
    assert_true(pairs > 200 && whole[1] > whole[0]);
    DONE();
}

static void no_hidden_cell_can_be_narrowed(void **state) {
    (void) state;
    DISCLOSE("");
    rsp_rng rng;
    size_t n_hidden = 0, tables = 0, shown = 0;
    for (uint64_t table = 0; table < 200; table++) {
        int64_t count[CELLS];
        rsp_rng_init(&rng, 99, table);
        random_table(&rng, 2 + 12 * rsp_rng_uniform(&rng), count);
        table_rows(r, count, add_distribution);
        rsp_published *p = rsp_disclose(s, r, NULL, false, d);
        struct attacker x = attack(s, r, p);
        if (x.narrowed)
            fail_msg("table %u: %zu of %zu hidden cells: %s", (unsigned) table, x.narrowed, x.hidden, x.worst);
        n_hidden += x.hidden;
        tables += x.hidden > 0;
        check_losses(p);
        for (size_t i = 0; i < r->n; i++) shown += !isnan(rsp_published_at(p, i)->estimate);
        rsp_published_free(p);
    }
    if (getenv("VERBOSE")) fprintf(stderr, "%zu shown, %zu hidden in %zu tables\n", shown, n_hidden, tables);
    assert_true(tables > 100 && n_hidden > 1000); /* the attack had something to attack */
    assert_true(shown > n_hidden);                /* and more to read than was hidden */
    DONE();
}

/* Three small cells of one answer: each of their countries needs another cell, and that answer's sum over the countries further
 * ones. The same answer in all three countries protects them all; the smallest of each country would draw the others in. */
static void few_cells_draw_in_no_others(void **state) {
    (void) state;
    enum { COUNTRIES = 35 };
    DISCLOSE("");
    static char domains[COUNTRIES][16];
    int64_t all[5] = {0};
    for (size_t k = 0; k < COUNTRIES; k++) {
        int64_t count[5] = {12 + (int64_t) (7 * k % 11), 30, 45, 25, 12 + (int64_t) (5 * k % 13)};
        snprintf(domains[k], sizeof domains[k], "region=r%02u", (unsigned) k);
        if (k % 12 == 4) count[1] = 1;
        for (size_t j = 0; j < 5; j++) all[j] += count[j];
        add_distribution(r, "a", domains[k], count);
    }
    add_distribution(r, "a", "", all);
    rsp_published *p = rsp_disclose(s, r, NULL, false, d);
    struct attacker x = attack(s, r, p);
    assert_int_equal(x.narrowed, 0);
    assert_int_equal(x.hidden, 6);
    rsp_published_free(p);
    DONE();
}

/* ---- many nights ------------------------------------------------------------------------------------------------ */

enum { NIGHTS = 30, MOST_QUEUED = 4096 };

/* What an attacker has who kept every publication: all rows of all nights. */
struct archive {
    size_t n;
    int64_t count[NIGHTS][CELLS];
    bool shown[NIGHTS][CELLS];
    bool joined[NIGHTS][CELLS]; /* at the first of two answers: their sum is shown */
};

struct person {
    size_t region, gender, level;
};

/* Those of the queue who are in company in every domain that they belong to; the others stay. */
static size_t let_in(struct person *queue, size_t n, size_t least, int64_t *count) {
    static bool in[MOST_QUEUED];
    for (size_t k = 0; k < n; k++) in[k] = true;
    for (bool changed = true; changed;) {
        size_t domain[REGIONS][GENDERS] = {{0}};
        changed = false;
        for (size_t k = 0; k < n; k++)
            for (int side = 0; in[k] && side < 4; side++)
                domain[side & 1 ? queue[k].region : 0][side & 2 ? queue[k].gender : 0]++;
        for (size_t k = 0; k < n; k++)
            for (int side = 0; in[k] && side < 4; side++)
                if (domain[side & 1 ? queue[k].region : 0][side & 2 ? queue[k].gender : 0] < least) {
                    in[k] = false;
                    changed = true;
                }
    }
    size_t left = 0;
    for (size_t k = 0; k < n; k++) {
        if (in[k]) add_person(count, queue[k].region, queue[k].gender, queue[k].level, 1);
        else queue[left++] = queue[k];
    }
    return left;
}

/* One column for each count that some night hid. */
struct lookback {
    const struct archive *x;
    glp_prob *lp;
    int column[NIGHTS][CELLS]; /* 0: shown */
    double low[NIGHTS * CELLS + 1], high[NIGHTS * CELLS + 1];
};

/* The sum of these cells' counts is what it is, and known. */
static void learn_sum_of_night(struct lookback *a, size_t night, size_t n, const size_t *cell, size_t whole) {
    int index[LEVELS + REGIONS + 2], count = 0;
    double value[LEVELS + REGIONS + 2], sum = 0;
    for (size_t k = 0; k < n; k++) {
        double sign = cell[k] == whole ? -1 : 1;
        if (!a->column[night][cell[k]]) continue;
        index[++count] = a->column[night][cell[k]];
        value[count] = sign;
        sum += sign * (double) a->x->count[night][cell[k]];
    }
    if (!count) return;
    int row = glp_add_rows(a->lp, 1);
    glp_set_row_bnds(a->lp, row, GLP_FX, sum, sum);
    glp_set_mat_row(a->lp, row, count, index, value);
}

static void learn_night(struct lookback *a, size_t t) {
    size_t cell[8];
    for (size_t c = 0; c < CELLS; c++)
        if (a->x->joined[t][c]) learn_sum_of_night(a, t, 2, (size_t[]){c, c + 1}, RSP_NONE);
    for (size_t i = 0; i < REGIONS; i++)
        for (size_t g = 0; g < GENDERS; g++) {
            for (size_t k = 0; k < LEVELS; k++) cell[k] = cell_index(i, g, k);
            learn_sum_of_night(a, t, LEVELS, cell, RSP_NONE);
        }
    for (size_t k = 0; k < LEVELS; k++) {
        for (size_t i = 0; i < REGIONS; i++) {
            for (size_t g = 0; g < GENDERS; g++) cell[g] = cell_index(i, g, k);
            learn_sum_of_night(a, t, GENDERS, cell, cell[0]);
        }
        for (size_t g = 0; g < GENDERS; g++) {
            for (size_t i = 0; i < REGIONS; i++) cell[i] = cell_index(i, g, k);
            learn_sum_of_night(a, t, REGIONS, cell, cell[0]);
        }
    }
}

/* Nobody leaves, so that a count lies between those of the nights around it. */
static void learn_growth(struct lookback *a, size_t t, size_t c) {
    double low = 0, high = 1e9;
    int own = a->column[t][c], next = t + 1 < a->x->n ? a->column[t + 1][c] : 0;
    if (t && !a->column[t - 1][c]) low = (double) a->x->count[t - 1][c];
    if (t + 1 < a->x->n && !next) high = (double) a->x->count[t + 1][c];
    if (high < 1e9) glp_set_col_bnds(a->lp, own, high > low ? GLP_DB : GLP_FX, low, high);
    else glp_set_col_bnds(a->lp, own, GLP_LO, low, 0);
    if (!next) return;
    int row = glp_add_rows(a->lp, 1);
    glp_set_row_bnds(a->lp, row, GLP_LO, 0, 0);
    glp_set_mat_row(a->lp, row, 2, (int[]){0, own, next}, (double[]){0, -1, 1});
}

/* Bases are known even of what is hidden; shown shares are counts. */
static void learn_nights(struct lookback *a) {
    a->lp = glp_create_prob();
    for (size_t t = 0; t < a->x->n; t++)
        for (size_t c = 0; c < CELLS; c++) {
            int j = a->column[t][c] = a->x->shown[t][c] ? 0 : glp_add_cols(a->lp, 1);
            if (j) a->low[j] = a->high[j] = (double) a->x->count[t][c];
        }
    for (size_t t = 0; t < a->x->n; t++) {
        for (size_t c = 0; c < CELLS; c++)
            if (a->column[t][c]) learn_growth(a, t, c);
        learn_night(a, t);
    }
}

static void bound_column(struct lookback *a, int j, int direction) {
    glp_smcp how;
    glp_init_smcp(&how);
    how.msg_lev = GLP_MSG_OFF;
    glp_set_obj_dir(a->lp, direction);
    glp_set_obj_coef(a->lp, j, 1);
    assert_int_equal(glp_simplex(a->lp, &how), 0);
    assert_int_equal(glp_get_status(a->lp), GLP_OPT);
    glp_set_obj_coef(a->lp, j, 0);
    for (int k = 1; k <= glp_get_num_cols(a->lp); k++) { /* every table that cannot be excluded */
        double v = glp_get_col_prim(a->lp, k);
        a->low[k] = fmin(a->low[k], v);
        a->high[k] = fmax(a->high[k], v);
    }
}

/* Shown in a night in which the domain had the same respondents. */
static bool public_already(const struct archive *x, size_t t, size_t c) {
    for (size_t u = 0; u < x->n; u++) {
        bool same = x->shown[u][c];
        for (size_t k = c / LEVELS * LEVELS, end = k + LEVELS; k < end; k++) same &= x->count[u][k] == x->count[t][k];
        if (same) return true;
    }
    return false;
}

/* Hidden for its own sake: a few, of a small domain, nobody or everybody of a domain that is not large. */
static bool hidden_by_rule(const rsp_disclosure_spec *d, int64_t count, int64_t base) {
    return base < d->minimum_base || (count > 0 && count < d->minimum_cell) ||
           (base < 3 * d->minimum_base && (count == 0 || count == base));
}

/* How many counts that some night hid can be bounded more narrowly than the rule; says the first. */
static size_t narrowed_in(const struct archive *x, const rsp_disclosure_spec *d, size_t *hidden, char worst[256]) {
    static struct lookback a;
    int64_t least = d->minimum_cell;
    size_t narrowed = 0;
    a.x = x;
    learn_nights(&a);
    for (size_t t = 0; t < x->n; t++)
        for (size_t c = 0; c < CELLS; c++) {
            int64_t base = 0;
            int j = a.column[t][c];
            for (size_t k = 0; k < LEVELS; k++) base += x->count[t][c / LEVELS * LEVELS + k];
            if (!j || !base || !hidden_by_rule(d, x->count[t][c], base) || public_already(x, t, c)) continue;
            double need = (double) (base < least ? base : least) - 1e-6;
            for (int direction = GLP_MIN; direction <= GLP_MAX && a.high[j] - a.low[j] < need; direction++)
                bound_column(&a, j, direction);
            ++*hidden;
            if (a.high[j] - a.low[j] >= need) continue;
            if (!narrowed++)
                snprintf(worst, 256, "night %zu: %s c%zu is %d of %d: between %g and %g", t,
                         domain_of(c / LEVELS / GENDERS, c / LEVELS % GENDERS), c % LEVELS + 1, (int) x->count[t][c],
                         (int) base, a.low[j], a.high[j]);
        }
    glp_delete_prob(a.lp);
    return narrowed;
}

/* A few come every night, or one, or none: no two of thirty publications differ by fewer than the rule in any domain, and all
 * of them together narrow no count that any of them hid. */
static void thirty_nights_do_not_tell_more_than_one(void **state) {
    (void) state;
    DISCLOSE("");
    static struct archive x;
    static struct person queue[MOST_QUEUED];
    size_t hidden_in_all = 0, shown_in_all = 0, opened = 0, joined = 0;
    for (uint64_t study = 0; study < 16; study++) {
        rsp_rng rng;
        int64_t count[CELLS], least = s->disclosure.minimum_change;
        size_t queued = 0;
        rsp_rng_init(&rng, 11, study);
        random_table(&rng, (study % 2 ? 6 : 1) + 5 * rsp_rng_uniform(&rng), count);
        rsp_memory *m = rsp_memory_new(s->disclosure.digest);
        uint32_t pace = 1 + rsp_rng_below(&rng, 12);
        double lean = rsp_rng_uniform(&rng); /* answers of the last comers are often the same */
        for (x.n = 0; x.n < NIGHTS; x.n++) {
            if (x.n) {
                for (uint32_t more = rsp_rng_below(&rng, pace + 1); more; more--)
                    queue[queued++] =
                        (struct person){1 + rsp_rng_below(&rng, 3), 1 + rsp_rng_below(&rng, 2),
                                        rsp_rng_uniform(&rng) < lean ? x.n / 10 : rsp_rng_below(&rng, LEVELS)};
                queued = let_in(queue, queued, (size_t) least, count);
            }
            bool pairs = study % 2;
            table_rows(r, count, pairs ? add_five_points : add_distribution);
            rsp_published *p = rsp_disclose(s, r, m, false, d);
            memcpy(x.count[x.n], count, sizeof count);
            for (size_t c = 0, width = pairs ? LEVELS + 2 : LEVELS; c < CELLS; c++) {
                size_t first = c / LEVELS * width, level = c % LEVELS;
                x.shown[x.n][c] = is_shown(p, &r->rows[first + level]);
                x.joined[x.n][c] = pairs && level % 3 == 0 && is_shown(p, &r->rows[first + LEVELS + level / 3]);
                joined += x.joined[x.n][c];
                shown_in_all += x.shown[x.n][c];
                opened += x.n && x.shown[x.n][c] && !x.shown[x.n - 1][c];
            }
            rsp_published_free(p);
        }
        char worst[256];
        size_t narrowed = narrowed_in(&x, &s->disclosure, &hidden_in_all, worst);
        if (narrowed) fail_msg("study %u: %zu counts, first %s", (unsigned) study, narrowed, worst);
        rsp_memory_free(m);
    }
    if (getenv("VERBOSE"))
        fprintf(stderr, "%zu shown, %zu joined, %zu hidden by rule, %zu opened\n", shown_in_all, joined, hidden_in_all,
                opened);
    assert_true(hidden_in_all > 1000 && shown_in_all > 1000 && opened > 50 && joined > 10);
    DONE();
}

/* ---- answers changed in place ----------------------------------------------------------------------------------- */

enum { PLACE_NIGHTS = 12, MOST_PEOPLE = 1200 };

struct correspondent {
    int region, gender, level, first; /* from 0; first: as it was answered before it was corrected */
    bool gone, corrected;
};

static struct correspondent people[MOST_PEOPLE];
static size_t n_people;

static void write_people(void) {
    static const char regions[] = "nsw", genders[] = "fm";
    rsp_buf b = {0};
    rsp_buf_puts(&b, "id,item,region,gender\n");
    for (size_t k = 0; k < n_people; k++)
        if (!people[k].gone)
            rsp_buf_printf(&b, "p%zu,c%d,%c,%c\n", k, people[k].level + 1, regions[people[k].region],
                           genders[people[k].gender]);
    put_file("x.csv", b.data);
    rsp_buf_free(&b);
}

static void add_people(rsp_rng *rng, uint32_t n) {
    for (; n && n_people < MOST_PEOPLE; n--) {
        struct correspondent *one = &people[n_people++];
        *one = (struct correspondent){.region = (int) rsp_rng_below(rng, 3), .gender = (int) rsp_rng_below(rng, 2)};
        one->level = one->first = (int) rsp_rng_below(rng, LEVELS);
    }
}

/* Corrections are taken back, and who left comes back. */
static void take_back(rsp_rng *rng, size_t first_night) {
    for (size_t k = 0; k < first_night; k++) {
        if (people[k].corrected && rsp_rng_uniform(rng) < 0.4) {
            people[k].level = people[k].first;
            people[k].corrected = false;
        }
        if (people[k].gone && rsp_rng_uniform(rng) < 0.4) people[k].gone = false;
    }
}

/* Each corrects once, so that no two corrections cancel; nobody who came leaves, for the same reason. */
static void correct_some(rsp_rng *rng, uint32_t n, size_t first_night) {
    for (; n; n--) {
        struct correspondent *one = &people[rsp_rng_below(rng, (uint32_t) first_night)];
        if (one->gone || one->corrected) continue;
        one->level = (one->level + 1 + (int) rsp_rng_below(rng, LEVELS - 1)) % LEVELS;
        one->corrected = true;
    }
    struct correspondent *leaver = &people[rsp_rng_below(rng, (uint32_t) first_night)];
    if (rsp_rng_uniform(rng) < 0.3 && !leaver->corrected) leaver->gone = true;
}

/* A night as the program makes it, from the export to the published table. */
struct made_night {
    rsp_results *rows;
    rsp_published *published;
    int level[MOST_PEOPLE]; /* as the tables count them; -1: not among them */
};

static size_t number_of(const rsp_frame *f, size_t row) {
    for (size_t k = 0; k < n_people; k++) { /* ids are pseudonyms by now; rows are told apart by their line */
        size_t line = 2;
        for (size_t j = 0; j < k; j++) line += !people[j].gone;
        if (!people[k].gone && line == f->line[row]) return k;
    }
    return RSP_NONE;
}

static void make_night(struct made_night *x, const rsp_study *s, rsp_memory *m, rsp_diag *d) {
    static const unsigned char key[RSP_KEY_BYTES] = {7};
    write_people();
    rsp_frame *f = rsp_intake(s, d);
    assert_non_null(f);
    rsp_clean_log *l = rsp_clean(f, d);
    rsp_let_wait(f, l, m, key);
    for (size_t k = 0; k < MOST_PEOPLE; k++) x->level[k] = -1;
    for (size_t i = 0; i < f->n; i++)
        x->level[number_of(f, i)] = rsp_code(&f->columns[rsp_study_variable(s, "item")], i);
    rsp_sample *sample = rsp_sample_new(f, d);
    assert_non_null(sample);
    x->rows = rsp_results_new();
    for (size_t k = 0; k < s->n_analyses; k++) rsp_analyse(sample, &s->analyses[k], x->rows, d);
    x->published = rsp_disclose(s, x->rows, m, false, d);
    rsp_let_in(f, m, key);
    rsp_sample_free(sample);
    rsp_clean_log_free(l);
    rsp_frame_free(f);
}

static bool lives_in(size_t k, const char *domain) {
    static const char *const regions[] = {"region=n", "region=s", "region=w"}, *const genders[] = {"gender=f",
                                                                                                   "gender=m"};
    return (!strstr(domain, "region=") || strstr(domain, regions[people[k].region])) &&
           (!strstr(domain, "gender=") || strstr(domain, genders[people[k].gender]));
}

/* Respondents whom the difference of two nights speaks of, in a domain. */
static size_t differ(const struct made_night *x, const struct made_night *y, const char *domain) {
    size_t n = 0;
    for (size_t k = 0; k < n_people; k++) n += x->level[k] != y->level[k] && lives_in(k, domain);
    return n;
}

/* Rows that two nights show and that are not the same are of at least so many respondents. */
static size_t compare_nights(const struct made_night *x, const struct made_night *y, size_t least) {
    size_t told = 0;
    for (size_t i = 0; i < y->rows->n; i++) {
        const rsp_row *r = &y->rows->rows[i];
        const rsp_published_row *before = seen(x->published, r), *now = seen(y->published, r);
        if (r->sides[0] || !before || !now || isnan(before->estimate) || isnan(now->estimate)) continue;
        size_t n = differ(x, y, r->domain);
        if (before->estimate != now->estimate && n < least)
            fail_msg("%s %s %s %s tells of %zu", r->analysis, r->domain, r->level, r->statistic, n);
        told += n >= least;
    }
    return told;
}

/* Corrections, newcomers and some who leave, in small numbers, night after night: no row that two publications show tells by its
 * difference what fewer than three answered, and each night's tables hold out on their own. */
static void corrections_are_not_told_apart(void **state) {
    (void) state;
    DISCLOSE("  - {id: e, items: [item], statistic: median, by: [[gender]]}\n"
             "roles: {id: id}\ndesign: {sample: self_selected}\n");
    size_t told = 0, waits = 0, released = 0;
    setenv("XDG_CONFIG_HOME", dir, 1);
    for (uint64_t world = 0; world < 6; world++) { /* from the fourth on, changes come and go */
        static struct made_night night[PLACE_NIGHTS];
        rsp_rng rng;
        rsp_rng_init(&rng, 31, world);
        rsp_memory *m = rsp_memory_new(s->disclosure.digest);
        n_people = 0;
        add_people(&rng, 500);
        for (size_t t = 0; t < PLACE_NIGHTS; t++) {
            if (t && world < 4) add_people(&rng, rsp_rng_below(&rng, 2) * rsp_rng_below(&rng, 40));
            if (t && world >= 4) take_back(&rng, 500);
            if (t) correct_some(&rng, rsp_rng_below(&rng, 4), 500);
            make_night(&night[t], s, m, d);
            struct attacker x = attack(s, night[t].rows, night[t].published);
            if (x.narrowed) fail_msg("world %u, night %zu: %s", (unsigned) world, t, x.worst);
            for (size_t u = 0; u < t; u++)
                told += compare_nights(&night[u], &night[t], (size_t) s->disclosure.minimum_change);
            for (size_t i = 0; t && i < night[t].rows->n; i++) {
                const rsp_row *row = &night[t].rows->rows[i];
                bool then = is_shown(night[t - 1].published, row), now = is_shown(night[t].published, row);
                waits += then && !now;
                released += !then && now;
            }
        }
        for (size_t t = 0; t < PLACE_NIGHTS; t++) {
            rsp_published_free(night[t].published);
            rsp_results_free(night[t].rows);
        }
        rsp_memory_free(m);
    }
    unsetenv("XDG_CONFIG_HOME");
    if (getenv("VERBOSE"))
        fprintf(stderr, "%zu differences told, %zu rows wait, %zu released\n", told, waits, released);
    assert_true(told > 1000 && waits > 100 && released > 100);
    DONE();
}

/* What either of two publications of the same answers shows. */
static void put_together(struct made_night *x, const struct made_night *y) {
    for (size_t i = 0; i < x->rows->n; i++) {
        const rsp_row *r = &x->rows->rows[i];
        const rsp_published_row *other = seen(y->published, r), *own = seen(x->published, r);
        if (own && other && isnan(own->estimate)) memcpy((rsp_published_row *) own, other, sizeof *own);
    }
}

/* A crowd comes and leaves again, and a few answers change in between: the third night has the answers of the first, but for
 * those. What the two show together narrows nothing that either hides, and no row tells of a few. */
static void answers_that_come_back_open_nothing(void **state) {
    (void) state;
    DISCLOSE("  - {id: e, items: [item], statistic: mean, by: [[gender]]}\n"
             "roles: {id: id}\ndesign: {sample: self_selected}\n");
    size_t hidden = 0, opened = 0;
    setenv("XDG_CONFIG_HOME", dir, 1);
    for (uint64_t world = 0; world < 10; world++) {
        static struct made_night night[3];
        rsp_rng rng;
        rsp_rng_init(&rng, 53, world);
        rsp_memory *m = rsp_memory_new(s->disclosure.digest);
        size_t few = world % 3, first = 60 + 12 * world; /* answers that stay changed */
        n_people = 0;
        add_people(&rng, (uint32_t) first);
        for (size_t t = 0; t < 3; t++) {
            if (t == 1) add_people(&rng, 90);
            for (size_t k = first; t == 2 && k < n_people; k++) people[k].gone = true;
            for (size_t k = 0; t == 2 && k < few; k++) people[k].level = (people[k].level + 1) % LEVELS;
            make_night(&night[t], s, m, d);
            for (size_t u = 0; u < t; u++) compare_nights(&night[u], &night[t], (size_t) s->disclosure.minimum_change);
        }
        for (size_t i = 0; i < night[0].rows->n; i++) {
            const rsp_row *row = &night[0].rows->rows[i];
            hidden += !is_shown(night[0].published, row);
            opened += !is_shown(night[0].published, row) && is_shown(night[1].published, row);
        }
        if (!few) put_together(&night[2], &night[0]);
        struct attacker x = attack(s, night[2].rows, night[2].published);
        if (x.narrowed) fail_msg("world %u: %s", (unsigned) world, x.worst);
        for (size_t t = 0; t < 3; t++) {
            rsp_published_free(night[t].published);
            rsp_results_free(night[t].rows);
        }
        rsp_memory_free(m);
    }
    unsetenv("XDG_CONFIG_HOME");
    if (getenv("VERBOSE")) fprintf(stderr, "%zu hidden in the first nights, %zu shown in the second\n", hidden, opened);
    assert_true(hidden > 100 && opened > 50);
    DONE();
}

static void put_u64(rsp_buf *b, uint64_t x) { rsp_buf_add(b, (const char *) &x, sizeof x); }

/* Of the first version, which knew the last state of each row alone: it is held against that. */
static void an_old_memory_is_understood(void **state) {
    (void) state;
    DISCLOSE("");
    const int64_t then[] = {20, 20, 20, 20, 20}, one_more[] = {21, 20, 20, 20, 20}, many_more[] = {28, 20, 20, 20, 20};
    rsp_buf b = {0};
    rsp_buf_puts(&b, "responsive memory 1\n");
    put_u64(&b, strlen(s->disclosure.digest));
    rsp_buf_puts(&b, s->disclosure.digest);
    put_u64(&b, 1); /* publications */
    put_u64(&b, 0); /* people */
    add_distribution(r, "a", "region=n", then);
    put_u64(&b, r->n);
    for (size_t i = 0; i < r->n; i++) {
        const rsp_row *x = &r->rows[i];
        char key[256];
        int n = snprintf(key, sizeof key, "%s\x1f%s\x1f%s\x1f%s\x1f%s", x->analysis, x->domain, x->term, x->level,
                         x->statistic);
        put_u64(&b, (uint64_t) n);
        rsp_buf_puts(&b, key);
        put_u64(&b, 100); /* respondents */
        put_u64(&b, 100); /* when it was shown */
        put_u64(&b, 0);   /* and it was */
    }
    for (int k = 0; k < 3; k++) put_u64(&b, 0); /* no spells, cells, sums */
    for (int night = 0; night < 2; night++) {
        rsp_memory *m = rsp_memory_unpack(b.data, b.length);
        assert_non_null(m);
        r->n = 0;
        add_distribution(r, "a", "region=n", night ? many_more : one_more);
        rsp_published *p = rsp_disclose(s, r, m, false, d);
        assert_int_equal(is_shown(p, &r->rows[0]), night);
        rsp_published_free(p);
        rsp_memory_free(m);
    }
    rsp_buf_free(&b);
    DONE();
}

/* What is kept comes back as it was, and nothing shorter passes for it. */
static void a_memory_is_kept_whole(void **state) {
    (void) state;
    DISCLOSE("roles: {id: id}\ndesign: {sample: self_selected}\n");
    rsp_rng rng;
    struct made_night night;
    rsp_memory *m = rsp_memory_new(s->disclosure.digest);
    setenv("XDG_CONFIG_HOME", dir, 1);
    rsp_rng_init(&rng, 77, 0);
    n_people = 0;
    add_people(&rng, 150);
    make_night(&night, s, m, d);
    unsetenv("XDG_CONFIG_HOME");
    rsp_buf bytes = {0}, again = {0};
    rsp_memory_pack(m, &bytes);
    rsp_memory *back = rsp_memory_unpack(bytes.data, bytes.length);
    assert_non_null(back);
    rsp_memory_pack(back, &again);
    assert_true(again.length == bytes.length && memcmp(again.data, bytes.data, bytes.length) == 0);
    rsp_memory_free(back);
    size_t accepted = 0;
    for (size_t length = 0; length < bytes.length; length++) {
        char *part = rsp_malloc(length + 1); /* of its own length, so that reading on is seen */
        memcpy(part, bytes.data, length);
        rsp_memory *one = rsp_memory_unpack(part, length);
        accepted += one != NULL;
        rsp_memory_free(one);
        free(part);
    }
    assert_int_equal(accepted, 0);
    rsp_buf_free(&bytes);
    rsp_buf_free(&again);
    rsp_published_free(night.published);
    rsp_results_free(night.rows);
    rsp_memory_free(m);
    DONE();
}

/* A pair that nobody could know yesterday is not told while fewer than three came. */
static void pairs_of_two_nights(void **state) {
    (void) state;
    DISCLOSE("");
    rsp_rng rng;
    size_t pairs = 0;
    for (uint64_t table = 0; table < 100; table++) {
        int64_t count[CELLS];
        rsp_rng_init(&rng, 17, table);
        random_table(&rng, 8 + 12 * rsp_rng_uniform(&rng), count);
        table_rows(r, count, add_five_points);
        rsp_memory *m = rsp_memory_new(s->disclosure.digest);
        rsp_published *before = rsp_disclose(s, r, m, false, d);
        for (int more = 0; more < 2; more++)
            add_person(count, 1 + rsp_rng_below(&rng, 3), 1 + rsp_rng_below(&rng, 2), rsp_rng_below(&rng, 5), 1);
        table_rows(r, count, add_five_points);
        rsp_published *now = rsp_disclose(s, r, m, false, d);
        struct attacker x = attack(s, r, now);
        if (x.narrowed) fail_msg("table %u: %s", (unsigned) table, x.worst);
        for (size_t i = 0; i < r->n; i++) {
            if (!is_pair(&r->rows[i])) continue;
            const rsp_row *answers = &r->rows[i - (r->rows[i].level[1] == '1' ? LEVELS : LEVELS - 2)];
            bool known = is_shown(before, &r->rows[i]) || (is_shown(before, answers) && is_shown(before, answers + 1));
            pairs += is_shown(now, &r->rows[i]);
            assert_true(known || !is_shown(now, &r->rows[i]));
        }
        rsp_published_free(before);
        rsp_published_free(now);
        rsp_memory_free(m);
    }
    assert_true(pairs > 20);
    DONE();
}

/* Where nothing was published before, a memory hides nothing more: not the net share of an item of which all five answers
 * are shown, whose pairs nobody prints. */
static void a_new_memory_hides_nothing_more(void **state) {
    (void) state;
    DISCLOSE("");
    static const int64_t counts[][5] = {{20, 20, 20, 20, 20}, {40, 30, 20, 15, 2}, {1, 30, 2, 15, 12}};
    static const char *const domains[] = {"region=n", "region=s", "region=w"};
    for (size_t k = 0; k < 3; k++) {
        int64_t base = 0;
        for (size_t j = 0; j < 5; j++) base += counts[k][j];
        add_five_points(r, "a", domains[k], counts[k]);
        add(r, "b", domains[k], "", "net", base, -1);
        add(r, "b", domains[k], "", "top2", base, counts[k][3] + counts[k][4]);
    }
    rsp_memory *m = rsp_memory_new(s->disclosure.digest);
    rsp_published *with = rsp_disclose(s, r, m, false, d), *without = rsp_disclose(s, r, NULL, false, d);
    assert_true(is_shown(with, &r->rows[7])); /* the first item's net share */
    assert_int_equal(rsp_published_count(with), rsp_published_count(without));
    for (size_t i = 0; i < r->n; i++) assert_int_equal(is_shown(with, &r->rows[i]), is_shown(without, &r->rows[i]));
    rsp_published_free(with);
    rsp_published_free(without);
    rsp_memory_free(m);
    DONE();
}

/* Yesterday two of 62 agreed, tonight three: shown, the pair would say who came. */
static void a_pair_is_held_back(void **state) {
    (void) state;
    DISCLOSE("");
    static const int64_t nights[][5] = {{20, 20, 20, 1, 1}, {20, 20, 20, 2, 1}, {20, 20, 20, 2, 4}};
    rsp_memory *m = rsp_memory_new(s->disclosure.digest);
    for (int night = 0; night < 3; night++) {
        r->n = 0;
        add_five_points(r, "a", "region=n", nights[night]);
        rsp_published *now = rsp_disclose(s, r, m, false, d), *alone = rsp_disclose(s, r, NULL, false, d);
        assert_int_equal(is_shown(alone, &r->rows[6]), night > 0);
        assert_int_equal(is_shown(now, &r->rows[6]), night == 2);
        rsp_published_free(alone);
        rsp_published_free(now);
    }
    rsp_memory_free(m);
    DONE();
}

/* Counts are rounded to fives: no share gives them back. */
static void rounded_counts_stay_rounded(void **state) {
    (void) state;
    DISCLOSE("disclosure: {rounding: 5}\n");
    add_distribution(r, "a", "region=n", (int64_t[]){13, 11, 7, 17, 9}); /* 57 */
    rsp_published *p = rsp_disclose(s, r, NULL, false, d);
    for (size_t i = 0; i < r->n; i++) {
        const rsp_published_row *row = rsp_published_at(p, i);
        assert_true(row->n == 55);
        double steps = row->estimate * 55 / 5;
        assert_true(fabs(steps - round(steps)) < 1e-9 && fabs(row->estimate - r->rows[i].estimate) <= 2.5 / 55 + 1e-9);
    }
    rsp_published_free(p);
    DONE();
}

/* ---- the study that ships --------------------------------------------------------------------------------------- */

static void the_shipped_study_holds_out(void **state) {
    (void) state;
    rsp_diag *d = rsp_diag_new();
    rsp_study *s = rsp_study_load("specs/ifsw", d);
    assert_non_null(s);
    rsp_frame *f = rsp_intake(s, d);
    rsp_clean_log *l = rsp_clean(f, d);
    rsp_sample *sample = rsp_sample_new(f, d);
    rsp_results *r = rsp_results_new();
    for (size_t k = 0; k < s->n_analyses; k++)
        if (s->analyses[k].kind == RSP_A_TABLE) rsp_analyse(sample, &s->analyses[k], r, d);
    rsp_published *p = rsp_disclose(s, r, NULL, false, d);
    struct attacker x = attack(s, r, p);
    if (x.narrowed) fail_msg("%zu of %zu hidden cells can be narrowed: %s", x.narrowed, x.hidden, x.worst);
    assert_true(x.hidden > 10);
    check_losses(p);
    rsp_published_free(p);
    rsp_results_free(r);
    rsp_sample_free(sample);
    rsp_clean_log_free(l);
    rsp_frame_free(f);
    rsp_study_free(s);
    rsp_diag_free(d);
}

static int set_up(void **state) {
    (void) state;
    strcpy(dir, "/tmp/responsive-disclose-XXXXXX");
    return mkdtemp(dir) ? 0 : -1;
}

static int tear_down(void **state) {
    (void) state;
    return sh("rm -rf %s", dir);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(small_bases_and_cells),
                                       cmocka_unit_test(nobody_and_everybody),
                                       cmocka_unit_test(counts_are_cells_like_shares),
                                       cmocka_unit_test(five_answers_become_three),
                                       cmocka_unit_test(a_new_memory_hides_nothing_more),
                                       cmocka_unit_test(collapsing_that_does_not_help),
                                       cmocka_unit_test(joined_answers_give_nothing_away),
                                       cmocka_unit_test(organisations_tails_totals_weights),
                                       cmocka_unit_test(the_same_cell_in_another_table),
                                       cmocka_unit_test(off_hides_nothing),
                                       cmocka_unit_test(what_combinations_leave_over),
                                       cmocka_unit_test(differences_between_choices),
                                       cmocka_unit_test(no_hidden_cell_can_be_narrowed),
                                       cmocka_unit_test(few_cells_draw_in_no_others),
                                       cmocka_unit_test(thirty_nights_do_not_tell_more_than_one),
                                       cmocka_unit_test(pairs_of_two_nights),
                                       cmocka_unit_test(corrections_are_not_told_apart),
                                       cmocka_unit_test(answers_that_come_back_open_nothing),
                                       cmocka_unit_test(an_old_memory_is_understood),
                                       cmocka_unit_test(a_memory_is_kept_whole),
                                       cmocka_unit_test(a_pair_is_held_back),
                                       cmocka_unit_test(rounded_counts_stay_rounded),
                                       cmocka_unit_test(the_shipped_study_holds_out)};
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
