#include "results/trace.h"

#include "base/hash64.h"
#include "results/families.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

const char RSP_TRACE_EVERYBODY[] = "everybody";

/* ---- the list --------------------------------------------------------------------------------------------------- */

rsp_traces *rsp_traces_new(void) {
    rsp_arena *a = rsp_arena_new();
    rsp_traces *t = RSP_NEW(a, rsp_traces);
    t->arena = a;
    t->place = rsp_map_new();
    return t;
}

void rsp_traces_free(rsp_traces *t) {
    if (!t) return;
    rsp_map_free(t->place);
    free(t->key);
    free(t->trace);
    rsp_arena_free(t->arena);
}

const rsp_trace *rsp_traces_find(const rsp_traces *t, const char *key) {
    size_t k = rsp_map_get(t->place, key);
    return k == RSP_NONE ? NULL : &t->trace[k];
}

void rsp_traces_put(rsp_traces *t, const char *key, rsp_trace trace) {
    size_t k = rsp_map_get(t->place, key), n = t->n;
    if (k != RSP_NONE) {
        t->trace[k] = trace;
        return;
    }
    rsp_map_put(t->place, key, n);
    RSP_PUSH(t->key, n, t->keys_capacity, rsp_strdup(t->arena, key));
    RSP_PUSH(t->trace, t->n, t->capacity, trace);
}

size_t rsp_trace_distance(const rsp_trace *x, const rsp_trace *y, bool nameless) {
    size_t n = 0, more = x->n > y->n ? x->n - y->n : y->n - x->n;
    for (size_t k = 0; k < RSP_TRACE_PARTS; k++) n += x->part[k] != y->part[k];
    if (nameless) n = (n + 1) / 2;
    return n > more ? n : more;
}

const char *rsp_trace_table_key(const char *filter, const char *term, const char *domain, bool said, rsp_arena *a) {
    return rsp_printf(a, "%s\x1f%s\x1f%s\x1f%s", said ? "said" : "table", filter, term, domain);
}

const char *rsp_trace_analysis_key(const char *analysis, const char *domain, rsp_arena *a) {
    return rsp_printf(a, "analysis\x1f%s\x1f%s", analysis, domain);
}

/* ---- made from answers ------------------------------------------------------------------------------------------ */

/* What a cell holds, the same in every night: kinds of missing count too. */
static uint64_t cell_bits(const rsp_frame *f, size_t variable, size_t row) {
    const rsp_column *c = &f->columns[variable];
    const rsp_variable *v = &f->study->variables[variable];
    uint64_t bits = 0;
    switch (c->kind) {
    case RSP_COL_CODE: return (uint64_t) rsp_code(c, row);
    case RSP_COL_SMALL: return (uint64_t) c->c8[row];
    case RSP_COL_NUMBER:
        if (isnan(c->number[row])) return bits; /* whatever kind of NaN */
        memcpy(&bits, &c->number[row], sizeof bits);
        return bits;
    case RSP_COL_TEXT:
        return c->text[row] < 0 ? 0 : rsp_hash64(c->words[c->text[row]], strlen(c->words[c->text[row]]), 0);
    case RSP_COL_NONE: break;
    }
    for (size_t k = 0; v->first_part != RSP_NONE && k < v->list->n; k++)
        bits = rsp_fold64(bits ^ (uint64_t) f->columns[v->first_part + k].c8[row], 0x94d049bb133111ebu);
    return bits;
}

static uint64_t add_bits(uint64_t h, uint64_t bits) {
    return rsp_fold64(h ^ bits ^ 0x9e3779b97f4a7c15u, 0xbf58476d1ce4e5b9u);
}

/* Whose answers they are, and what decides over the weight: who answers to a margin otherwise moves the figures of every row that he
 * or she is in, by an amount that tells the answer there. */
struct people {
    const uint64_t *number;
    uint64_t *weighed; /* per row: the number, with the answers that decide over the weight */
};

static void take_variable(const rsp_frame *f, struct people *p, size_t variable) {
    if (variable == RSP_NONE) return;
    for (size_t i = 0; i < f->n; i++) p->weighed[i] = add_bits(p->weighed[i], cell_bits(f, variable, i));
}

static struct people weigh_people(const rsp_frame *f, const uint64_t *number) {
    const rsp_weighting_spec *w = &f->study->weighting;
    struct people p = {number, rsp_malloc((f->n + 1) * sizeof *p.weighed)};
    if (f->n) memcpy(p.weighed, number, f->n * sizeof *number);
    take_variable(f, &p, f->study->design.weight);
    take_variable(f, &p, w->within);
    for (size_t k = 0; k < w->n_margins; k++)
        for (size_t j = 0; j < w->margins[k].n_variables; j++) take_variable(f, &p, w->margins[k].variables[j]);
    for (size_t k = 0; k < w->n_nonresponse; k++) take_variable(f, &p, w->nonresponse[k]);
    return p;
}

static void add_person(rsp_trace *t, uint64_t person, uint64_t answers) {
    t->part[person % RSP_TRACE_PARTS] += (uint32_t) (answers >> 32);
    t->n++;
}

static void add_answers(rsp_trace *t, const rsp_frame *f, size_t n, const size_t *variables, size_t row,
                        const struct people *people) {
    uint64_t h = people->weighed[row];
    for (size_t k = 0; k < n; k++) h = add_bits(h, cell_bits(f, variables[k], row));
    add_person(t, people->number[row], h);
}

/* What one family's domains are traced to. */
struct traced {
    size_t n_domains;
    rsp_trace *trace; /* per domain; NULL: it has none */
    bool *any;
};

/* The most frequent kind by far, one coded item, without a call for each row. */
static void trace_codes(const rsp_families *x, const rsp_family *f, const struct people *people, struct traced *t) {
    const rsp_column *c = &x->frame->columns[f->items[0]];
    bool counts[INT8_MAX + 1] = {false};
    for (size_t k = 0; k < c->list->n; k++) counts[k] = f->said || !c->list->choices[k].missing;
    for (size_t i = 0; i < x->frame->n; i++) {
        int64_t domain = 0;
        if (c->c8[i] < 0 || !counts[c->c8[i]] || (f->take && !f->take[i])) continue;
        for (size_t k = 0; domain >= 0 && k < f->n_by; k++) {
            const rsp_categories *by = &x->axes[f->by[k]];
            domain = by->category[i] < 0 ? -1 : domain * (int64_t) by->n + by->category[i];
        }
        if (domain < 0) continue;
        add_person(&t->trace[domain], people->number[i], add_bits(people->weighed[i], (uint64_t) c->c8[i]));
        t->any[domain] = true;
    }
}

static void trace_family(const rsp_families *x, const rsp_family *f, const struct people *people, struct traced *t) {
    if (!t->n_domains) return;
    t->trace = rsp_calloc(t->n_domains, sizeof *t->trace);
    t->any = rsp_calloc(t->n_domains, sizeof *t->any);
    const rsp_column *c = f->n_items == 1 ? &x->frame->columns[f->items[0]] : NULL;
    if (c && c->kind == RSP_COL_CODE && c->c8) {
        trace_codes(x, f, people, t);
        return;
    }
    for (size_t i = 0; i < x->frame->n; i++) {
        int64_t domain = rsp_family_domain(x, f, i);
        if (domain < 0) continue;
        add_answers(&t->trace[domain], x->frame, f->n_items, f->items, i, people);
        t->any[domain] = true;
    }
}

static const char *key_of(const rsp_families *x, const rsp_family *f, const char *domain) {
    const rsp_variable *v = x->study->variables;
    if (f->analysis->kind != RSP_A_TABLE) return rsp_trace_analysis_key(f->analysis->id, domain, x->arena);
    const char *term =
        f->n_items > 1 ? rsp_printf(x->arena, "%s/%s", v[f->items[0]].name, v[f->items[1]].name) : v[f->items[0]].name;
    return rsp_trace_table_key(f->take ? f->analysis->id : "", term, domain, f->said, x->arena);
}

/* Items stand in several tables: the last one is traced. */
static bool *last_of_their_kind(const rsp_families *x) {
    bool *last = RSP_ARRAY(x->arena, bool, x->n);
    rsp_map *seen = rsp_map_new();
    for (size_t k = x->n; k-- > 0;) {
        const rsp_family *f = &x->all[k];
        rsp_buf key = {0};
        rsp_buf_puts(&key, key_of(x, f, ""));
        rsp_buf_add(&key, (const char *) f->by, f->n_by * sizeof *f->by);
        last[k] = rsp_map_put_n(seen, key.data, key.length, k);
        rsp_buf_free(&key);
    }
    rsp_map_free(seen);
    return last;
}

static void keep_family(rsp_traces *out, const rsp_families *x, const rsp_family *f, struct traced *t) {
    for (size_t k = 0; t->trace && k < t->n_domains; k++)
        if (t->any[k]) rsp_traces_put(out, key_of(x, f, rsp_family_domain_text(x, f, k, x->arena)), t->trace[k]);
    free(t->trace);
    free(t->any);
}

static rsp_trace trace_everybody(const rsp_frame *f, const struct people *people) {
    const rsp_study *s = f->study;
    bool *used = rsp_calloc(s->n_variables + 1, 1);
    size_t n = 0, *variables = rsp_malloc((s->n_variables + 1) * sizeof *variables);
    rsp_trace all = {0};
    for (size_t k = 0; k < s->n_analyses; k++) rsp_analysis_uses(&s->analyses[k], used);
    for (size_t j = 0; j < s->n_variables; j++)
        if (used[j]) variables[n++] = j;
#pragma omp parallel
    {
        rsp_trace own = {0};
#pragma omp for schedule(static)
        for (size_t i = 0; i < f->n; i++) add_answers(&own, f, n, variables, i, people);
#pragma omp critical
        {
            for (size_t k = 0; k < RSP_TRACE_PARTS; k++) all.part[k] += own.part[k];
            all.n += own.n;
        }
    }
    free(variables);
    free(used);
    return all;
}

rsp_traces *rsp_trace_answers(const rsp_frame *f, const uint64_t *numbers) {
    rsp_arena *a = rsp_arena_new();
    rsp_traces *out = rsp_traces_new();
    rsp_families x = rsp_families_list(f, a);
    struct traced *t = rsp_calloc(x.n + 1, sizeof *t);
    const bool *last = last_of_their_kind(&x);
    struct people people = weigh_people(f, numbers);
    for (size_t k = 0; k < x.n; k++) t[k].n_domains = last[k] ? rsp_family_domains(&x, &x.all[k]) : 0;
#pragma omp parallel for schedule(dynamic)
    for (size_t k = 0; k < x.n; k++) trace_family(&x, &x.all[k], &people, &t[k]);
    for (size_t k = 0; k < x.n; k++) keep_family(out, &x, &x.all[k], &t[k]);
    rsp_traces_put(out, RSP_TRACE_EVERYBODY, trace_everybody(f, &people));
    free(people.weighed);
    free(t);
    rsp_families_free(&x);
    rsp_arena_free(a);
    return out;
}
