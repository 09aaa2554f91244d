/* The waiting room. Whoever keeps two publications can subtract them: what is left speaks of the newcomers alone. A newcomer
 * enters only in company: for each item, in each domain of each table (and for all variables of any other analysis together),
 * those let in since the last publication must number none or at least `minimum_change`. Groups that fulfil this can be joined
 * and still do, so there is one largest, found by taking out whoever lacks company until nobody does. As each night adds
 * none or enough to each set, so does the difference between any two nights. */
#include "results/waiting.h"

#include "results/families.h"
#include "results/memory.h"

#include <stdlib.h>
#include <string.h>

struct room {
    rsp_families families;
    size_t n, *row; /* newcomers still in */
    size_t least;
    size_t counts_capacity, *count; /* per domain of a family */
    int64_t *domain;                /* per newcomer */
};

/* ---- who lacks company ------------------------------------------------------------------------------------------ */

/* Room for the counts of a family's domains; false: it has none. */
static bool make_counts(struct room *x, const rsp_family *f) {
    size_t n = rsp_family_domains(&x->families, f);
    if (n > x->counts_capacity) {
        free(x->count);
        x->count = rsp_calloc(n, sizeof *x->count);
        x->counts_capacity = n;
    }
    return n > 0;
}

/* Takes out the newcomers of domains that too few of them belong to. */
static bool take_out(struct room *x, const rsp_family *f) {
    if (!make_counts(x, f)) return false;
    size_t n = 0;
    for (size_t k = 0; k < x->n; k++) {
        x->domain[k] = rsp_family_domain(&x->families, f, x->row[k]);
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
    for (size_t k = 0; x->n && x->families.n && quiet < x->families.n; k = (k + 1) % x->families.n)
        quiet = take_out(x, &x->families.all[k]) ? 0 : quiet + 1;
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

/* Newcomers too few to be published go back behind the rows in use. */
static rsp_arrivals wait_for_company(rsp_frame *f, rsp_clean_log *log, const rsp_memory *m, const unsigned char *key) {
    rsp_arena *a = rsp_arena_new();
    size_t *row = RSP_ARRAY(a, size_t, f->n + 1), n = find_newcomers(f, m, key, row), stayed = f->n - n;
    struct room x = {.n = n,
                     .row = RSP_ARRAY(a, size_t, n + 1),
                     .least = (size_t) f->study->disclosure.minimum_change,
                     .domain = RSP_ARRAY(a, int64_t, n + 1)};
    memcpy(x.row, row, n * sizeof *row);
    if (n < x.least) x.n = 0;
    if (x.n) x.families = rsp_families_list(f, a);
    find_company(&x);
    set_aside(f, log, x.n, x.row, n, row);
    rsp_families_free(&x.families);
    free(x.count);
    size_t came = x.n, people = rsp_memory_people(m);
    rsp_arena_free(a);
    return (rsp_arrivals){.came = came, .left = people > stayed ? people - stayed : 0, .wait = n - came};
}

static uint64_t *number_people(const rsp_frame *f, const unsigned char *key) {
    uint64_t *people = rsp_malloc((f->n + 1) * sizeof *people);
#pragma omp parallel for schedule(static)
    for (size_t i = 0; i < f->n; i++) people[i] = rsp_person(f, i, key);
    return people;
}

static bool some_are_nameless(const rsp_frame *f) {
    size_t id = f->study->roles.id;
    for (size_t i = 0; id != RSP_NONE && i < f->n; i++)
        if (!rsp_valid(f, id, i)) return true;
    return id == RSP_NONE;
}

/* All answers of all respondents, as they were in every publication so far. */
static void compare_with_all(const rsp_frame *f, const rsp_memory *m, rsp_arrivals *x) {
    const rsp_row_memory *all = rsp_memory_row(m, RSP_TRACE_EVERYBODY);
    const rsp_trace *now = rsp_traces_find(m->tonight, RSP_TRACE_EVERYBODY);
    for (size_t k = all ? all->last : RSP_NONE; k != RSP_NONE; k = m->row_told[k].before) {
        const rsp_row_told *then = &m->row_told[k];
        size_t n = rsp_memory_differ(m, now, then->state, (int64_t) f->n, then->base);
        if (k == m->last_night) {
            if (!x->came) x->other = n;
        } else if (n > 0 && n < (size_t) f->study->disclosure.minimum_change && (!x->back || n < x->back)) {
            x->back = n;
        }
    }
}

rsp_arrivals rsp_let_wait(rsp_frame *f, rsp_clean_log *log, rsp_memory *m, const unsigned char *key) {
    rsp_arrivals arrivals = {.came = f->n};
    if (rsp_memory_releases(m)) arrivals = wait_for_company(f, log, m, key);
    uint64_t *people = number_people(f, key);
    rsp_memory_look(m, rsp_trace_answers(f, people));
    free(people);
    m->tonight->nameless = some_are_nameless(f);
    compare_with_all(f, m, &arrivals);
    return arrivals;
}

void rsp_let_in(const rsp_frame *f, rsp_memory *m, const unsigned char *key) {
    uint64_t *people = number_people(f, key);
    rsp_memory_set_people(m, people, f->n);
    free(people);
}
