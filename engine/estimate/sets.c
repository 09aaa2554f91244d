/* Questions whose answer is a set or a ranking of choices, seen as a whole: the exclusive combinations of choices ticked
 * together, and which choices of a ranking can be told apart.
 *
 * A combination is named by its codes in the order of the list, with a blank between them, as XLSForm writes a
 * select_multiple; "" is nobody's choice, `*` all combinations that have no level of their own. The same combinations
 * stand in every domain, chosen among all rows of the study by their weight. */
#include "estimate/estimate.h"

#include <stdlib.h>
#include <string.h>

/* More columns than these nobody reads, and the smaller ones would be single respondents. */
enum { MOST_COMBINATIONS = 20 };

struct combination {
    const char *ticks; /* one '0' or '1' a choice */
    double weight;
    int64_t n;
};

static int by_weight(const void *x, const void *y) {
    const struct combination *a = x, *b = y;
    if (a->weight != b->weight) return a->weight > b->weight ? -1 : 1;
    return strcmp(b->ticks, a->ticks); /* first choices first */
}

/* False where the question was not shown or not answered: then no part of it was. */
static bool ticks_of(const rsp_frame *f, const rsp_variable *v, size_t i, char *ticks) {
    for (size_t c = 0; c < v->list->n; c++) {
        int8_t t = f->columns[v->first_part + c].c8[i];
        if (t < 0) return false;
        ticks[c] = t ? '1' : '0';
    }
    ticks[v->list->n] = 0;
    return true;
}

/* Every combination that occurs, in the order of first appearance; cell[i] its place or -1. */
static struct combination *find_combinations(const rsp_frame *f, const rsp_variable *v, const double *weight,
                                             rsp_arena *a, int32_t *cell, size_t *n) {
    struct combination *all = NULL;
    size_t capacity = 0;
    rsp_map *places = rsp_map_new();
    char *ticks = rsp_alloc(a, v->list->n + 1);
    *n = 0;
    for (size_t i = 0; i < f->n; i++) {
        cell[i] = -1;
        if (!ticks_of(f, v, i, ticks)) continue;
        size_t at = rsp_map_get_n(places, ticks, v->list->n);
        if (at == RSP_NONE) {
            at = *n;
            rsp_map_put_n(places, ticks, v->list->n, at);
            struct combination one = {rsp_strdup(a, ticks), 0, 0};
            RSP_PUSH(all, *n, capacity, one);
        }
        all[at].weight += weight[i];
        all[at].n++;
        cell[i] = (int32_t) at;
    }
    rsp_map_free(places);
    return all;
}

static const char *name_of(const rsp_variable *v, const char *ticks, rsp_arena *a) {
    const char *name = "";
    for (size_t c = 0; c < v->list->n; c++)
        if (ticks[c] == '1')
            name = *name ? rsp_printf(a, "%s %s", name, v->list->choices[c].code) : v->list->choices[c].code;
    return name;
}

size_t est_combinations(const rsp_frame *f, size_t variable, const double *weight, rsp_arena *a, int32_t *cell,
                        const char ***names) {
    const rsp_variable *v = &f->study->variables[variable];
    size_t n, kept = 0, least = f->study->disclosure.off ? 1 : (size_t) f->study->disclosure.minimum_cell;
    struct combination *all = find_combinations(f, v, weight, a, cell, &n),
                       *sorted = RSP_ARRAY(a, struct combination, n);
    rsp_map *places = rsp_map_new();
    if (n) memcpy(sorted, all, n * sizeof *sorted);
    if (n) qsort(sorted, n, sizeof *sorted, by_weight);
    *names = RSP_ARRAY(a, const char *, MOST_COMBINATIONS + 1);
    for (size_t k = 0; k < n && kept < MOST_COMBINATIONS; k++) {
        if ((size_t) sorted[k].n < least) continue;
        (*names)[kept] = name_of(v, sorted[k].ticks, a);
        rsp_map_put(places, sorted[k].ticks, kept++);
    }
    bool others = false;
    for (size_t i = 0; i < f->n; i++) {
        if (cell[i] < 0) continue;
        size_t at = rsp_map_get(places, all[cell[i]].ticks);
        others |= at == RSP_NONE;
        cell[i] = (int32_t) (at == RSP_NONE ? kept : at);
    }
    rsp_map_free(places);
    free(all);
    if (others) (*names)[kept++] = "*";
    return kept;
}

const int8_t *est_preferred(const rsp_frame *f, size_t variable, size_t first, size_t second, rsp_arena *a) {
    const rsp_variable *v = &f->study->variables[variable];
    const int8_t *x = f->columns[v->first_part + first].c8, *y = f->columns[v->first_part + second].c8;
    int8_t *cell = RSP_ARRAY(a, int8_t, f->n);
    for (size_t i = 0; i < f->n; i++) cell[i] = x[i] < 0 || y[i] < 0 ? -1 : (int8_t) ((x[i] > 0) + 2 * (y[i] > 0)) % 3;
    return cell;
}
