/* The waiting room. Whoever keeps two publications can subtract them: what is left speaks of the newcomers alone. A newcomer
 * enters only in company: for each item, in each domain of each table (and for all variables of any other analysis together),
 * those let in since the last publication must number none or at least `minimum_change`. Groups that fulfil this can be joined
 * and still do, so there is one largest, found by taking out whoever lacks company until nobody does. As each night adds
 * none or enough to each set, so does the difference between any two nights. */
#include "results/waiting.h"

#include "responsive/intake.h"

#include <stdlib.h>
#include <string.h>

/* Respondents whom a statistic rests on: of a filter, with answers to all items, in a domain of the crossing. */
struct family {
    const uint8_t *take; /* per row; NULL: no filter */
    size_t n_items, n_by;
    const size_t *items, *by;
    bool said; /* a don't-know counts as an answer: its share is published, too */
};

struct room {
    const rsp_study *study;
    const rsp_frame *frame;
    size_t n, *row; /* newcomers still in */
    size_t least;
    rsp_categories *axes; /* per variable; made when first asked for */
    bool *made;
    size_t n_families, capacity;
    struct family *families;
    size_t counts_capacity, *count; /* per domain of a family */
    int64_t *domain;                /* per newcomer */
    rsp_arena *arena;
};

/* ---- families --------------------------------------------------------------------------------------------------- */

static void add_family(struct room *x, const uint8_t *take, size_t n_items, const size_t *items, const rsp_crossing *by,
                       bool said) {
    struct family f = {take, n_items, by ? by->n : 0, items, by ? by->variables : NULL, said};
    RSP_PUSH(x->families, x->n_families, x->capacity, f);
}

static bool has_dont_know(const rsp_study *s, size_t item) {
    const rsp_list *list = s->variables[item].list;
    for (size_t k = 0; list && k < list->n; k++)
        if (list->choices[k].missing) return true;
    return false;
}

static void table_families(struct room *x, const uint8_t *take, const rsp_table *t) {
    const size_t pair[] = {t->numerator, t->denominator};
    size_t *ratio = RSP_ARRAY(x->arena, size_t, 2);
    memcpy(ratio, pair, sizeof pair);
    for (size_t b = 0; b < t->n_by; b++) {
        if (t->statistic == RSP_RATIO) add_family(x, take, 2, ratio, &t->by[b], false);
        for (size_t k = 0; t->statistic != RSP_RATIO && k < t->n_items; k++) {
            add_family(x, take, 1, &t->items[k], &t->by[b], false);
            if (has_dont_know(x->study, t->items[k])) add_family(x, take, 1, &t->items[k], &t->by[b], true);
        }
    }
}

static void use_names(const rsp_study *s, const rsp_lavaan *syntax, bool *used) {
    for (size_t k = 0; syntax && k < syntax->n; k++) {
        size_t sides[] = {rsp_study_variable(s, syntax->rows[k].lhs),
                          syntax->rows[k].rhs ? rsp_study_variable(s, syntax->rows[k].rhs) : RSP_NONE};
        for (size_t j = 0; j < 2; j++)
            if (sides[j] != RSP_NONE) used[sides[j]] = true;
    }
}

/* Variables whose groups an analysis looks at one by one. */
static size_t groups_of(const rsp_analysis *a, const size_t **groups) {
    *groups = a->invariance.by;
    if (a->kind == RSP_A_INVARIANCE) return a->invariance.n_by;
    *groups = a->kind == RSP_A_FACTOR ? &a->factor.group : a->kind == RSP_A_TEST ? &a->test.columns : &a->model.across;
    bool some = a->kind == RSP_A_FACTOR || a->kind == RSP_A_TEST || a->kind == RSP_A_MODEL;
    return some && **groups != RSP_NONE;
}

/* All variables together: models take complete rows. */
static void other_families(struct room *x, const uint8_t *take, const rsp_analysis *a) {
    bool *used = rsp_calloc(x->study->n_variables + 1, 1);
    rsp_analysis unfiltered = *a;
    unfiltered.filter = NULL;
    rsp_analysis_uses(&unfiltered, used);
    if (a->kind == RSP_A_FACTOR) use_names(x->study, a->factor.syntax, used);
    size_t n = 0, *items = RSP_ARRAY(x->arena, size_t, x->study->n_variables);
    for (size_t j = 0; j < x->study->n_variables; j++)
        if (used[j]) items[n++] = j;
    free(used);
    if (!n) return;
    const size_t *groups;
    size_t n_groups = groups_of(a, &groups);
    add_family(x, take, n, items, NULL, false);
    for (size_t k = 0; k < n_groups; k++) {
        rsp_crossing by = {1, &groups[k]};
        add_family(x, take, n, items, &by, false);
    }
}

static void list_families(struct room *x) {
    for (size_t k = 0; k < x->study->n_analyses; k++) {
        const rsp_analysis *a = &x->study->analyses[k];
        uint8_t *take = a->filter ? RSP_ARRAY(x->arena, uint8_t, x->frame->n) : NULL;
        if (take) rsp_eval_filter(x->frame, a->filter, take);
        if (a->kind == RSP_A_TABLE) table_families(x, take, &a->table);
        else other_families(x, take, a);
    }
}

/* ---- who lacks company ------------------------------------------------------------------------------------------ */

static bool answered(const struct room *x, const struct family *f, size_t row) {
    if (f->take && !f->take[row]) return false;
    for (size_t k = 0; k < f->n_items; k++) {
        const rsp_column *c = &x->frame->columns[f->items[k]];
        if (f->said && c->kind == RSP_COL_CODE ? rsp_code(c, row) < 0 : !rsp_valid(x->frame, f->items[k], row))
            return false;
    }
    return true;
}

static const rsp_categories *axis(struct room *x, size_t variable) {
    if (!x->made[variable]) rsp_categorise(x->frame, variable, x->arena, &x->axes[variable]);
    x->made[variable] = true;
    return &x->axes[variable];
}

static int64_t domain_of(struct room *x, const struct family *f, size_t row) {
    int64_t domain = 0;
    if (!answered(x, f, row)) return -1;
    for (size_t k = 0; k < f->n_by; k++) {
        const rsp_categories *a = axis(x, f->by[k]);
        if (a->category[row] < 0) return -1;
        domain = domain * (int64_t) a->n + a->category[row];
    }
    return domain;
}

/* Room for the counts of a family's domains; false: it crosses what cannot be crossed, which the tables report. */
static bool make_counts(struct room *x, const struct family *f) {
    size_t n = 1;
    for (size_t k = 0; k < f->n_by; k++) {
        if (x->frame->columns[f->by[k]].kind == RSP_COL_NONE) return false;
        size_t codes = axis(x, f->by[k])->n;
        if (codes > 1u << 20 || n * codes > 1u << 20) return false;
        n *= codes;
    }
    if (n > x->counts_capacity) {
        free(x->count);
        x->count = rsp_calloc(n, sizeof *x->count);
        x->counts_capacity = n;
    }
    return true;
}

/* Takes out the newcomers of domains that too few of them belong to. */
static bool take_out(struct room *x, const struct family *f) {
    if (!make_counts(x, f)) return false;
    size_t n = 0;
    for (size_t k = 0; k < x->n; k++) {
        x->domain[k] = domain_of(x, f, x->row[k]);
        if (x->domain[k] >= 0) x->count[x->domain[k]]++;
    }
    for (size_t k = 0; k < x->n; k++)
        if (x->domain[k] < 0 || x->count[x->domain[k]] >= x->least) x->row[n++] = x->row[k];
    for (size_t k = 0; k < x->n; k++)
        if (x->domain[k] >= 0) x->count[x->domain[k]] = 0;
    bool any = n < x->n;
    x->n = n;
    return any;
}

static void find_company(struct room *x) {
    size_t quiet = 0; /* families looked at since somebody was taken out */
    for (size_t k = 0; x->n && x->n_families && quiet < x->n_families; k = (k + 1) % x->n_families)
        quiet = take_out(x, &x->families[k]) ? 0 : quiet + 1;
}

/* ---- arrivals --------------------------------------------------------------------------------------------------- */

/* Rows beyond those that the last publication rests on, counting rows that nothing tells apart. */
static size_t find_newcomers(const rsp_frame *f, const rsp_memory *m, const unsigned char *key, size_t *row) {
    rsp_map *seen = rsp_map_new();
    size_t n = 0, n_seen = 0, capacity = 0, *times = NULL;
    for (size_t i = 0; i < f->n; i++) {
        uint64_t person = rsp_person(f, i, key);
        size_t known = rsp_memory_times(m, person), k = known ? rsp_map_get_n(seen, (char *) &person, 8) : RSP_NONE;
        if (known && k == RSP_NONE) {
            rsp_map_put_n(seen, (char *) &person, 8, k = n_seen);
            RSP_PUSH(times, n_seen, capacity, 0);
        }
        if (!known || times[k]++ >= known) row[n++] = i;
    }
    free(times);
    rsp_map_free(seen);
    return n;
}

static void set_aside(rsp_frame *f, rsp_clean_log *log, size_t n_in, const size_t *in, size_t n, const size_t *row) {
    for (size_t k = 0, j = 0; k < n; k++) {
        if (j < n_in && in[j] == row[k]) {
            j++;
            continue;
        }
        f->aside[row[k]] = RSP_ASIDE_WAITING;
        rsp_clean_log_add(log, f, row[k], "waiting", "drop", "", "too few newcomers beside this one so far");
        log->rows_kept--;
    }
    if (n_in < n) rsp_frame_keep(f);
}

rsp_arrivals rsp_let_wait(rsp_frame *f, rsp_clean_log *log, const rsp_memory *m, const unsigned char *key) {
    if (!rsp_memory_releases(m)) return (rsp_arrivals){.came = f->n};
    rsp_arena *a = rsp_arena_new();
    size_t *row = RSP_ARRAY(a, size_t, f->n + 1), n = find_newcomers(f, m, key, row), stayed = f->n - n;
    struct room x = {.study = f->study,
                     .frame = f,
                     .n = n,
                     .row = RSP_ARRAY(a, size_t, n + 1),
                     .least = (size_t) f->study->disclosure.minimum_change,
                     .axes = RSP_ARRAY(a, rsp_categories, f->study->n_variables),
                     .made = RSP_ARRAY(a, bool, f->study->n_variables),
                     .domain = RSP_ARRAY(a, int64_t, n + 1),
                     .arena = a};
    memcpy(x.row, row, n * sizeof *row);
    if (n < x.least) x.n = 0;
    if (x.n) list_families(&x);
    find_company(&x);
    set_aside(f, log, x.n, x.row, n, row);
    free(x.families);
    free(x.count);
    size_t came = x.n, people = rsp_memory_people(m);
    rsp_arena_free(a);
    return (rsp_arrivals){came, people > stayed ? people - stayed : 0, n - came};
}

void rsp_let_in(const rsp_frame *f, rsp_memory *m, const unsigned char *key) {
    uint64_t *people = rsp_malloc((f->n + 1) * sizeof *people);
#pragma omp parallel for schedule(static)
    for (size_t i = 0; i < f->n; i++) people[i] = rsp_person(f, i, key);
    rsp_memory_set_people(m, people, f->n);
    free(people);
}
