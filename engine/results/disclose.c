/* Statistical disclosure control: the one gate between statistics and everything that leaves the machine.
 *
 * Primary rules hide cells that rest on too few respondents or organisations; complementary rules then hide further
 * cells so that no hidden one follows from what is shown: levels of one distribution add to 1, the parts of a crossing
 * add to their whole, an index of an item (net, mean, ...) is a sum over its levels, a difference needs both sides.
 * Rules follow Hundepool et al. 2012, Statistical Disclosure Control, chapters 4 and 5; thresholds count unweighted
 * respondents. The choice of cells is by smallest count, then by order in the table: deterministic. */
#include "results/collapse.h"
#include "results/protect.h"
#include "results/published.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A residual with fewer degrees of freedom can be solved for the answers behind it (publication rules of the project). */
enum { LEAST_RESIDUAL_DF = 10, SMALL_GROUP_FACTOR = 3 };

struct gate {
    const rsp_study *study;
    const rsp_disclosure_spec *rules;
    const rsp_results *results;
    unsigned char *hidden;         /* per row */
    int64_t *drift;                /* per row, see rsp_cell_state; NULL: there is no publication before */
    const rsp_analysis **analysis; /* per row; NULL for the engine's own */
    rsp_joining joining;           /* what this try does to five answers */
    rsp_fives fives;
    bool changed;
    rsp_arena *arena;
};

static bool is(const rsp_row *r, const char *statistic) { return strcmp(r->statistic, statistic) == 0; }

static bool about_a_regression(const rsp_row *r) {
    return strncmp(r->statistic, "coefficient", 11) == 0 || is(r, "odds_ratio") || is(r, "threshold") ||
           is(r, "rate_ratio") || is(r, "marginal_effect") || is(r, "predicted");
}

/* ---- primary rules ---------------------------------------------------------------------------------------------- */

static bool too_small(const rsp_disclosure_spec *d, const rsp_row *r) {
    if (r->base == 0) return false; /* an empty domain is nobody's answer */
    if (r->base >= 0 && r->base < d->minimum_base) return true;
    if (r->organisations >= 0 && r->organisations < d->minimum_organisations) return true;
    if (r->cell > 0 && r->cell < d->minimum_cell) return true;
    return false;
}

/* "Nobody" or "everybody" in a small group says something about each of its members. */
static bool all_or_none(const rsp_disclosure_spec *d, const rsp_row *r) {
    if (!(is(r, "proportion") || rsp_is_pair(r)) || r->base <= 0 || r->base >= SMALL_GROUP_FACTOR * d->minimum_base)
        return false;
    return r->cell == 0 || r->cell == r->base;
}

/* Dominance rule (1, k) and p % rule with p = 10 on magnitudes. */
static bool dominated(const rsp_disclosure_spec *d, const rsp_row *r) {
    if (isnan(r->largest)) return false;
    if (!isnan(d->dominance_k) && r->largest > d->dominance_k) return true;
    return 1 - r->largest - r->second < 0.1 * r->largest;
}

static bool primary(const rsp_disclosure_spec *d, const rsp_row *r) {
    if (is(r, "weight_min") || is(r, "weight_max")) return true; /* one person's weight */
    if (too_small(d, r) || all_or_none(d, r) || dominated(d, r)) return true;
    if (r->tail >= 0 && r->tail < d->minimum_base) return true;
    return about_a_regression(r) && !isnan(r->df) && r->df < LEAST_RESIDUAL_DF;
}

/* Domain without its k-th pair; *variable gets the pair's variable. NULL when there is no k-th pair. */
static const char *parent_domain(rsp_arena *a, const char *domain, size_t k, const char **variable) {
    const char *from = domain;
    for (size_t j = 0; j < k; j++) {
        from = strchr(from, ';');
        if (!from) return NULL;
        from++;
    }
    if (!*from) return NULL;
    const char *end = strchr(from, ';');
    size_t length = end ? (size_t) (end - from) : strlen(from);
    *variable = rsp_strndup(a, from, strcspn(from, "="));
    if (end) return rsp_printf(a, "%.*s%s", (int) (from - domain), domain, from + length + 1);
    return rsp_strndup(a, domain, from == domain ? 0 : (size_t) (from - domain) - 1);
}

/* A candidate that this try does not consider. */
static bool left_out(const struct gate *g, const rsp_row *r) { return g->joining == JOIN_NONE && rsp_is_pair(r); }

/* ---- the publication before ------------------------------------------------------------------------------------- */

/* Respondents that the publication before speaks of, by analysis, domain and item, and by domain and item in any. */
struct bases {
    rsp_map *by_key;
    size_t n, capacity;
    double *base;
};

static void bases_put(struct bases *b, const char *key, double n) {
    size_t k = rsp_map_get(b->by_key, key);
    if (k == RSP_NONE) {
        rsp_map_put(b->by_key, key, b->n);
        RSP_PUSH(b->base, b->n, b->capacity, n);
    } else if (n > b->base[k]) {
        b->base[k] = n;
    }
}

static double bases_get(const struct bases *b, const char *key) {
    size_t k = rsp_map_get(b->by_key, key);
    return k == RSP_NONE ? NAN : b->base[k];
}

static const char *item_key(rsp_arena *a, const char *analysis, const char *domain, const char *term) {
    return rsp_printf(a, "%s\x1f%s\x1f%s", analysis, domain, term);
}

/* Parts of one whole in an analysis: what the parts that tell their number leave. */
struct remainder {
    double told;
    size_t untold;
    const char *analysis, *domain, *term, *whole; /* of the last part that does not tell */
};

/* A domain that tells no number is known by subtraction where it is the only such part of a whole that does. */
static void bases_subtract(struct bases *b, const rsp_published *before, rsp_arena *a) {
    rsp_map *keys = rsp_map_new(), *seen = rsp_map_new();
    struct remainder *all = NULL;
    size_t n = 0, capacity = 0;
    for (size_t i = 0; i < rsp_published_count(before); i++) {
        const rsp_published_row *r = rsp_published_at(before, i);
        const char *own = item_key(a, r->analysis, r->domain, r->term), *variable = NULL, *whole;
        if (!rsp_map_put(seen, own, i)) continue;
        double base = bases_get(b, own);
        for (size_t k = 0; (whole = parent_domain(a, r->domain, k, &variable)); k++) {
            const char *key = rsp_printf(a, "%s\x1f%s\x1f%s", item_key(a, r->analysis, whole, r->term), variable, "");
            size_t j = rsp_map_get(keys, key);
            if (j == RSP_NONE) {
                rsp_map_put(keys, key, j = n);
                RSP_PUSH(all, n, capacity, (struct remainder){0});
            }
            if (!isnan(base)) all[j].told += base;
            else all[j] = (struct remainder){all[j].told, all[j].untold + 1, r->analysis, r->domain, r->term, whole};
        }
    }
    for (size_t j = 0; j < n; j++) {
        double whole = all[j].untold == 1 ? bases_get(b, item_key(a, "", all[j].whole, all[j].term)) : NAN;
        if (!isnan(whole)) bases_put(b, item_key(a, all[j].analysis, all[j].domain, all[j].term), whole - all[j].told);
    }
    rsp_map_free(keys);
    rsp_map_free(seen);
    free(all);
}

static struct bases bases_before(const rsp_published *before, rsp_arena *a) {
    struct bases b = {.by_key = rsp_map_new()};
    for (size_t i = 0; i < rsp_published_count(before); i++) {
        const rsp_published_row *r = rsp_published_at(before, i);
        if (isnan(r->n)) continue;
        bases_put(&b, item_key(a, r->analysis, r->domain, r->term), r->n);
        bases_put(&b, item_key(a, "", r->domain, r->term), r->n); /* in any analysis */
    }
    bases_subtract(&b, before, a);
    return b;
}

/* Between a domain that was hidden as a whole and this base there are `minimum_cell` respondents at least. */
static bool grown_out_of_hiding(const rsp_disclosure_spec *d, int64_t base) {
    return base >= d->minimum_base - 1 + d->minimum_cell;
}

/* The row of the publication before that says what was known of this cell. A pair that was not published was known if its
 * answers were. */
static const rsp_published_row *known_before(const rsp_published *before, const rsp_row *r, rsp_arena *a) {
    const rsp_published_row *was = rsp_published_find(before, r->analysis, r->domain, r->term, r->level, r->statistic);
    if (was || !rsp_is_pair(r)) return was;
    for (const char *code = r->level; *code;) {
        size_t length = strcspn(code, " ");
        was = rsp_published_find(before, r->analysis, r->domain, r->term, rsp_strndup(a, code, length), "proportion");
        if (!was || was->flags & (RSP_F_SUPPRESSED | RSP_F_SUPPRESSED_COMPLEMENTARY)) return was;
        code += length + (code[length] == ' ');
    }
    return was;
}

/* What was hidden stays so while the difference between two nights would say something about a few; how far what was shown
 * can have moved. */
static void hold_against(struct gate *g, const rsp_published *before) {
    struct bases bases = bases_before(before, g->arena);
    g->drift = RSP_ARRAY(g->arena, int64_t, g->results->n);
    for (size_t i = 0; i < g->results->n; i++) {
        const rsp_row *r = &g->results->rows[i];
        const rsp_published_row *was = known_before(before, r, g->arena);
        g->drift[i] = -1;
        if (!was || r->base <= 0) continue;
        bool hidden = was->flags & (RSP_F_SUPPRESSED | RSP_F_SUPPRESSED_COMPLEMENTARY);
        double n = bases_get(&bases, item_key(g->arena, r->analysis, r->domain, r->term));
        if (isnan(n)) n = bases_get(&bases, item_key(g->arena, "", r->domain, r->term));
        int64_t drift = isnan(n) ? -1 : llabs(r->base - (int64_t) n);
        if (!hidden) g->drift[i] = drift;
        else if (g->hidden[i] == SHOWN &&
                 (drift >= 0 ? drift < g->rules->minimum_cell : !grown_out_of_hiding(g->rules, r->base)))
            g->hidden[i] = COMPLEMENTARY;
    }
    rsp_map_free(bases.by_key);
    free(bases.base);
}

/* ---- groups of rows that hang together -------------------------------------------------------------------------- */

/* Rows listed by key, in order of first appearance. */
struct groups {
    rsp_map *by_key;
    size_t n, capacity;
    struct members {
        size_t n, capacity, *row;
    } * group;
};

static void groups_add(struct groups *g, const char *key, size_t row) {
    size_t k = rsp_map_get(g->by_key, key);
    if (k == RSP_NONE) {
        k = g->n;
        rsp_map_put(g->by_key, key, k);
        RSP_PUSH(g->group, g->n, g->capacity, (struct members){0});
    }
    struct members *m = &g->group[k];
    RSP_PUSH(m->row, m->n, m->capacity, row);
}

static void groups_free(struct groups *g) {
    for (size_t k = 0; k < g->n; k++) free(g->group[k].row);
    free(g->group);
    rsp_map_free(g->by_key);
}

static void hide(struct gate *g, size_t row) {
    if (g->hidden[row] != SHOWN || g->results->rows[row].base == 0) return;
    g->hidden[row] = COMPLEMENTARY;
    g->changed = true;
}

static int64_t count_of(const rsp_row *r) { return r->cell >= 0 ? r->cell : r->base; }

/* Hides the smallest shown member until the hidden ones number none or at least two and together count `least`. */
static void protect(struct gate *g, const struct members *m, int64_t least) {
    for (;;) {
        size_t hidden = 0, smallest = RSP_NONE;
        int64_t sum = 0;
        for (size_t k = 0; k < m->n; k++) {
            const rsp_row *r = &g->results->rows[m->row[k]];
            if (r->base == 0) continue;
            if (g->hidden[m->row[k]] != SHOWN) {
                hidden++;
                sum += count_of(r) > 0 ? count_of(r) : 0;
            } else if (smallest == RSP_NONE || count_of(r) < count_of(&g->results->rows[smallest])) {
                smallest = m->row[k];
            }
        }
        if (hidden == 0 || (hidden > 1 && sum >= least) || smallest == RSP_NONE) return;
        hide(g, smallest);
    }
}

static const char *filter_key(const struct gate *g, size_t row) {
    const rsp_analysis *a = g->analysis[row];
    return a && a->filter ? a->id : ""; /* a filtered analysis speaks of other people */
}

static bool adds_to_one(const struct gate *g, const char *term) {
    size_t v = rsp_study_variable(g->study, term);
    return v != RSP_NONE && g->study->variables[v].type != RSP_SELECT_MULTIPLE &&
           g->study->variables[v].type != RSP_RANK;
}

/* Of a set or a ranking: its choices (see estimate/sets.c). */
static const rsp_list *choices_of(const struct gate *g, const char *term) {
    size_t v = rsp_study_variable(g->study, term);
    return v == RSP_NONE ? NULL : g->study->variables[v].list;
}

/* The shares of this row and others like it add to 1. */
static bool part_of_a_distribution(const struct gate *g, const rsp_row *r) {
    return is(r, "combination") || (is(r, "proportion") && adds_to_one(g, r->term));
}

/* The levels of one distribution add to 1. */
static void levels_of_a_distribution(struct gate *g) {
    struct groups groups = {.by_key = rsp_map_new()};
    for (size_t i = 0; i < g->results->n; i++) {
        const rsp_row *r = &g->results->rows[i];
        if (part_of_a_distribution(g, r))
            groups_add(&groups,
                       rsp_printf(g->arena, "%s\x1f%s\x1f%s\x1f%s", r->analysis, r->domain, r->term, r->statistic), i);
    }
    for (size_t k = 0; k < groups.n; k++) protect(g, &groups.group[k], g->rules->minimum_cell);
    groups_free(&groups);
}

/* The same cell in another table of the run. */
static void same_cell(struct gate *g) {
    struct groups groups = {.by_key = rsp_map_new()};
    for (size_t i = 0; i < g->results->n; i++) {
        const rsp_row *r = &g->results->rows[i];
        if (!g->analysis[i] || g->analysis[i]->kind != RSP_A_TABLE || rsp_is_pair(r)) continue;
        groups_add(&groups,
                   rsp_printf(g->arena, "%s\x1f%s\x1f%s\x1f%s\x1f%s", filter_key(g, i), r->domain, r->term, r->level,
                              r->statistic),
                   i);
    }
    for (size_t k = 0; k < groups.n; k++) {
        const struct members *m = &groups.group[k];
        bool any = false;
        for (size_t j = 0; j < m->n; j++) any |= g->hidden[m->row[j]] != SHOWN;
        for (size_t j = 0; any && j < m->n; j++) hide(g, m->row[j]);
    }
    groups_free(&groups);
}

static bool index_of_levels(const rsp_row *r) {
    return is(r, "net") || is(r, "top2") || is(r, "mean") || is(r, "sd") || is(r, "median") || is(r, "quantile") ||
           is(r, "total");
}

/* Of a five-point item the net share is the upper pair less the lower, and the share of the top two the upper pair. */
static bool index_of_pairs(const rsp_row *r) { return is(r, "net") || is(r, "top2"); }

/* Must the index be hidden beside what is shown of the members? */
static bool index_tells(const struct gate *g, const struct members *m, const rsp_row *index) {
    bool level = false, pair = false, pairs = false;
    for (size_t j = 0; j < m->n; j++) {
        const rsp_row *r = &g->results->rows[m->row[j]];
        bool hidden = g->hidden[m->row[j]] != SHOWN;
        level |= is(r, "proportion") && hidden;
        pair |= rsp_is_pair(r) && hidden;
        pairs |= rsp_is_pair(r);
    }
    return pairs && index_of_pairs(index) ? pair : level;
}

/* An index of a coded item is a sum over its levels: shown beside all levels but two, it would give them away. */
static void indices_of_levels(struct gate *g) {
    struct groups groups = {.by_key = rsp_map_new()};
    for (size_t i = 0; i < g->results->n; i++) {
        const rsp_row *r = &g->results->rows[i];
        size_t v = rsp_study_variable(g->study, r->term);
        if (v == RSP_NONE || !g->study->variables[v].list) continue;
        if (is(r, "proportion") || (rsp_is_pair(r) && !left_out(g, r)) || index_of_levels(r))
            groups_add(&groups, rsp_printf(g->arena, "%s\x1f%s\x1f%s", filter_key(g, i), r->domain, r->term), i);
    }
    for (size_t k = 0; k < groups.n; k++) {
        const struct members *m = &groups.group[k];
        for (size_t j = 0; j < m->n; j++) {
            const rsp_row *r = &g->results->rows[m->row[j]];
            if (index_of_levels(r) && g->hidden[m->row[j]] == SHOWN && index_tells(g, m, r)) hide(g, m->row[j]);
        }
    }
    groups_free(&groups);
}

/* The parts of a crossing add to the whole, where the whole is shown somewhere in the run. */
static void parts_of_a_whole(struct gate *g) {
    struct groups groups = {.by_key = rsp_map_new()};
    rsp_map *shown = rsp_map_new();
    for (size_t i = 0; i < g->results->n; i++) {
        const rsp_row *r = &g->results->rows[i];
        if (g->analysis[i] && g->analysis[i]->kind == RSP_A_TABLE && g->hidden[i] == SHOWN)
            rsp_map_put(shown,
                        rsp_printf(g->arena, "%s\x1f%s\x1f%s\x1f%s\x1f%s", filter_key(g, i), r->domain, r->term,
                                   r->level, r->statistic),
                        i);
    }
    for (size_t i = 0; i < g->results->n; i++) {
        const rsp_row *r = &g->results->rows[i];
        if (!g->analysis[i] || g->analysis[i]->kind != RSP_A_TABLE || r->sides[0] || rsp_is_pair(r)) continue;
        const char *variable = NULL, *parent;
        for (size_t k = 0; (parent = parent_domain(g->arena, r->domain, k, &variable)); k++) {
            const char *whole = rsp_printf(g->arena, "%s\x1f%s\x1f%s\x1f%s\x1f%s", filter_key(g, i), parent, r->term,
                                           r->level, r->statistic);
            if (rsp_map_get(shown, whole) != RSP_NONE)
                groups_add(&groups, rsp_printf(g->arena, "%s\x1f%s\x1f%s", r->analysis, whole, variable), i);
        }
    }
    for (size_t k = 0; k < groups.n; k++) protect(g, &groups.group[k], g->rules->minimum_cell);
    rsp_map_free(shown);
    groups_free(&groups);
}

/* How much more often one choice of a ranking was placed than another is shown only where both shares are. */
static void choice_differences(struct gate *g) {
    rsp_map *choices = rsp_map_new(); /* hidden ones */
    for (size_t i = 0; i < g->results->n; i++) {
        const rsp_row *r = &g->results->rows[i];
        if (is(r, "proportion") && g->hidden[i] != SHOWN)
            rsp_map_put(choices,
                        rsp_printf(g->arena, "%s\x1f%s\x1f%s\x1f%s", r->analysis, r->domain, r->term, r->level), i);
    }
    for (size_t i = 0; rsp_map_count(choices) && i < g->results->n; i++) {
        const rsp_row *r = &g->results->rows[i];
        const rsp_list *list = is(r, "choice_difference") ? choices_of(g, r->term) : NULL;
        for (size_t k = 0; list && k < list->n; k++) {
            const char *code = list->choices[k].code;
            size_t length = strlen(code), all = strlen(r->level);
            bool first = strncmp(r->level, code, length) == 0 && r->level[length] == '-';
            bool second =
                all > length && r->level[all - length - 1] == '-' && strcmp(r->level + all - length, code) == 0;
            if ((first || second) && rsp_map_get(choices, rsp_printf(g->arena, "%s\x1f%s\x1f%s\x1f%s", r->analysis,
                                                                     r->domain, r->term, code)) != RSP_NONE)
                hide(g, i);
        }
    }
    rsp_map_free(choices);
}

/* A difference is shown only where both sides are. Its term is the item, or `item=code` for one level of it. */
static void differences(struct gate *g) {
    struct groups cells = {.by_key = rsp_map_new()};
    for (size_t i = 0; i < g->results->n; i++) {
        const rsp_row *r = &g->results->rows[i];
        const char *term =
            is(r, "proportion") && *r->level ? rsp_printf(g->arena, "%s=%s", r->term, r->level) : r->term;
        if (!r->sides[0] && !rsp_is_pair(r))
            groups_add(&cells, rsp_printf(g->arena, "%s\x1f%s\x1f%s", r->analysis, r->domain, term), i);
    }
    for (size_t i = 0; i < g->results->n; i++) {
        const rsp_row *r = &g->results->rows[i];
        for (size_t side = 0; r->sides[0] && side < 2; side++) {
            if (!r->sides[side]) continue;
            size_t k =
                rsp_map_get(cells.by_key, rsp_printf(g->arena, "%s\x1f%s\x1f%s", r->analysis, r->sides[side], r->term));
            for (size_t j = 0; k != RSP_NONE && j < cells.group[k].n; j++)
                if (g->hidden[cells.group[k].row[j]] != SHOWN) hide(g, i);
        }
    }
    groups_free(&cells);
}

/* ---- linked tables ---------------------------------------------------------------------------------------------- */

/* The cells of all tables: the same cell in two tables is one. */
struct linked {
    size_t n_cells, n_relations, capacity;
    rsp_map *cells; /* key of a cell -> its number */
    size_t *of_row; /* per row of results; RSP_NONE: no cell of a table */
    rsp_cell_state *state;
    rsp_relation *relations;
};

static const char *cell_key(const struct gate *g, size_t row, const char *domain) {
    const rsp_row *r = &g->results->rows[row];
    return rsp_printf(g->arena, "%s\x1f%s\x1f%s\x1f%s\x1f%s", filter_key(g, row), domain, r->term, r->level,
                      r->statistic);
}

static void number_cells(struct gate *g, struct linked *l) {
    size_t n = g->results->n;
    l->cells = rsp_map_new();
    l->of_row = RSP_ARRAY(g->arena, size_t, n);
    /* a remainder for each choice of a set besides */
    l->state = RSP_ARRAY(g->arena, rsp_cell_state, 2 * n);
    for (size_t i = 0; i < n; i++) {
        const rsp_row *r = &g->results->rows[i];
        l->of_row[i] = RSP_NONE;
        if (!g->analysis[i] || g->analysis[i]->kind != RSP_A_TABLE || r->sides[0] || left_out(g, r)) continue;
        const char *key = cell_key(g, i, r->domain);
        size_t k = rsp_map_get(l->cells, key);
        if (k == RSP_NONE) {
            rsp_map_put(l->cells, key, k = l->n_cells++);
            l->state[k] = (rsp_cell_state){
                .count = count_of(r), .base = r->base, .drift = -1, .known = r->base == 0, .counts = r->cell >= 0};
            l->state[k].open = true;
        }
        l->of_row[i] = k;
        if (g->drift && g->drift[i] >= 0 && (l->state[k].drift < 0 || g->drift[i] < l->state[k].drift))
            l->state[k].drift = g->drift[i];
        l->state[k].hidden |= g->hidden[i] != SHOWN;
        l->state[k].open &= g->hidden[i] == UNPRINTED;
    }
}

static void add_relation(struct gate *g, struct linked *l, const size_t *cells, size_t n, bool fixed) {
    rsp_relation r = {n, RSP_ARRAY(g->arena, size_t, n), fixed};
    memcpy(r.cell, cells, n * sizeof *cells);
    RSP_PUSH(l->relations, l->n_relations, l->capacity, r);
}

/* Is the code one of those that a combination joins by blanks? */
static bool names_code(const char *combination, const char *code) {
    size_t length = strlen(code);
    for (const char *p = combination; *p;) {
        size_t word = strcspn(p, " ");
        if (word == length && strncmp(p, code, length) == 0) return true;
        p += word + (p[word] == ' ');
    }
    return false;
}

/* A choice's share less the combinations shown with it leaves those that have no level of their own: a cell that nobody
 * prints and anybody can compute. It is as confidential as any other where few respondents are in it. */
static void relate_set(struct gate *g, struct linked *l, size_t set, const struct members *combinations,
                       size_t *cells) {
    size_t n = 1;
    int64_t rest = count_of(&g->results->rows[set]);
    cells[0] = l->of_row[set];
    for (size_t k = 0; k < combinations->n; k++) {
        const rsp_row *r = &g->results->rows[combinations->row[k]];
        if (!names_code(r->level, g->results->rows[set].level)) continue;
        cells[n++] = l->of_row[combinations->row[k]];
        rest -= count_of(r);
    }
    if (rest > 0) {
        size_t k = l->n_cells++;
        l->state[k] = (rsp_cell_state){.count = rest,
                                       .base = g->results->rows[set].base,
                                       .drift = -1,
                                       .counts = true,
                                       .hidden = rest < g->rules->minimum_cell};
        cells[n++] = k;
    }
    if (n > 1) add_relation(g, l, cells, n, false);
}

/* Every choice of a set with the combinations it is part of. */
static void relate_sets(struct gate *g, struct linked *l, size_t *cells) {
    struct groups combinations = {.by_key = rsp_map_new()};
    for (size_t i = 0; i < g->results->n; i++) {
        const rsp_row *r = &g->results->rows[i];
        if (l->of_row[i] != RSP_NONE && is(r, "combination"))
            groups_add(&combinations, rsp_printf(g->arena, "%s\x1f%s\x1f%s", r->analysis, r->domain, r->term), i);
    }
    for (size_t i = 0; combinations.n && i < g->results->n; i++) {
        const rsp_row *r = &g->results->rows[i];
        if (l->of_row[i] == RSP_NONE || !is(r, "proportion") || r->base == 0) continue;
        size_t k =
            rsp_map_get(combinations.by_key, rsp_printf(g->arena, "%s\x1f%s\x1f%s", r->analysis, r->domain, r->term));
        if (k != RSP_NONE) relate_set(g, l, i, &combinations.group[k], cells);
    }
    groups_free(&combinations);
}

/* A pair is the sum of its two answers, whether it is published or not. */
static void relate_pairs(struct gate *g, struct linked *l) {
    for (size_t k = 0; g->joining != JOIN_NONE && k < g->fives.n; k++)
        for (size_t side = 0; side < 2; side++) {
            const rsp_five *f = &g->fives.items[k];
            const size_t rows[] = {f->pair[side], f->answer[3 * side], f->answer[3 * side + 1]};
            size_t cells[3];
            for (size_t j = 0; j < 3; j++) cells[j] = l->of_row[rows[j]];
            if (cells[0] != RSP_NONE) add_relation(g, l, cells, 3, false);
        }
}

static void relate(struct gate *g, struct linked *l) {
    struct groups levels = {.by_key = rsp_map_new()}, parts = {.by_key = rsp_map_new()};
    size_t *cells = rsp_malloc((g->results->n + 1) * sizeof *cells);
    for (size_t i = 0; i < g->results->n; i++) {
        const rsp_row *r = &g->results->rows[i];
        if (l->of_row[i] == RSP_NONE) continue;
        if (part_of_a_distribution(g, r))
            groups_add(&levels,
                       rsp_printf(g->arena, "%s\x1f%s\x1f%s\x1f%s", r->analysis, r->domain, r->term, r->statistic), i);
        const char *variable = NULL, *parent;
        for (size_t k = 0; (parent = parent_domain(g->arena, r->domain, k, &variable)); k++)
            if (rsp_map_get(l->cells, cell_key(g, i, parent)) != RSP_NONE)
                groups_add(&parts,
                           rsp_printf(g->arena, "%s\x1f%s\x1f%s", r->analysis, cell_key(g, i, parent), variable), i);
    }
    for (size_t k = 0; k < levels.n; k++) {
        for (size_t j = 0; j < levels.group[k].n; j++) cells[j] = l->of_row[levels.group[k].row[j]];
        add_relation(g, l, cells, levels.group[k].n, true);
    }
    for (size_t k = 0; k < parts.n; k++) {
        const char *variable = NULL, *parent, *key = NULL;
        size_t row = parts.group[k].row[0];
        for (size_t j = 0; (parent = parent_domain(g->arena, g->results->rows[row].domain, j, &variable)); j++) {
            key = cell_key(g, row, parent);
            const char *group = rsp_printf(g->arena, "%s\x1f%s\x1f%s", g->results->rows[row].analysis, key, variable);
            if (rsp_map_get(parts.by_key, group) == k) break;
        }
        cells[0] = rsp_map_get(l->cells, key);
        for (size_t j = 0; j < parts.group[k].n; j++) cells[j + 1] = l->of_row[parts.group[k].row[j]];
        add_relation(g, l, cells, parts.group[k].n + 1, false);
    }
    relate_sets(g, l, cells);
    relate_pairs(g, l);
    free(cells);
    groups_free(&levels);
    groups_free(&parts);
}

/* What the rules above leave open: cells that several relations together determine. */
static void linked_tables(struct gate *g) {
    struct linked l = {0};
    number_cells(g, &l);
    relate(g, &l);
    rsp_protect(l.n_cells, l.state, l.n_relations, l.relations, g->rules->minimum_cell);
    for (size_t i = 0; i < g->results->n; i++)
        if (l.of_row[i] != RSP_NONE && l.state[l.of_row[i]].hidden) hide(g, i);
    free(l.relations);
    rsp_map_free(l.cells);
}

/* Each rule only hides more, so the loop ends. */
static void complementary(struct gate *g) {
    bool any = false; /* nothing hidden by the primary rules, nor left over: nothing to protect */
    for (size_t i = 0; i < g->results->n; i++) any |= g->hidden[i] != SHOWN || is(&g->results->rows[i], "combination");
    if (!any) return;
    do {
        g->changed = g->joining != JOIN_NONE && rsp_collapse(g->results, &g->fives, g->joining, g->hidden);
        levels_of_a_distribution(g);
        same_cell(g);
        indices_of_levels(g);
        parts_of_a_whole(g);
        linked_tables(g);
        differences(g);
        choice_differences(g);
    } while (g->changed);
}

/* ---- five answers or three -------------------------------------------------------------------------------------- */

/* The people and the item: what relations between cells never leave. */
static const char *item_of(const struct gate *g, size_t row) {
    return rsp_printf(g->arena, "%s\x1f%s", filter_key(g, row), g->results->rows[row].term);
}

/* An item's differences have a level in their term. */
static const char *item_of_any(const struct gate *g, size_t row) {
    const rsp_row *r = &g->results->rows[row];
    return rsp_printf(g->arena, "%s\x1f%.*s", filter_key(g, row),
                      (int) (r->sides[0] ? strcspn(r->term, "=") : strlen(r->term)), r->term);
}

/* Every item as this try leaves it where that tells more than the tries before. */
static void take_better(struct gate *g, const unsigned char *other) {
    rsp_map *items = rsp_map_new();
    int *gain = rsp_calloc(g->fives.n + 1, sizeof *gain);
    for (size_t k = 0; k < g->fives.n; k++) {
        const rsp_five *f = &g->fives.items[k];
        const char *key = item_of(g, f->answer[0]);
        rsp_map_put(items, key, rsp_map_count(items));
        gain[rsp_map_get(items, key)] +=
            rsp_collapse_worth(g->results, f, g->hidden) - rsp_collapse_worth(g->results, f, other);
    }
    for (size_t i = 0; i < g->results->n; i++) {
        size_t k = rsp_map_get(items, item_of_any(g, i));
        if (k == RSP_NONE || gain[k] <= 0) g->hidden[i] = other[i];
    }
    free(gain);
    rsp_map_free(items);
}

/* Hides what must be hidden with five answers as they are, then once more joining them in either way. */
static void complementary_all_ways(struct gate *g) {
    size_t n = g->results->n;
    unsigned char *first = rsp_calloc(n + 1, 1), *best = NULL;
    memcpy(first, g->hidden, n);
    g->fives = rsp_fives_find(g->results, g->arena);
    for (size_t way = JOIN_NONE; way < (g->fives.n ? N_JOININGS : JOIN_ONE); way++) {
        g->joining = (rsp_joining) way;
        if (best) {
            g->hidden = rsp_calloc(n + 1, 1);
            memcpy(g->hidden, first, n);
        }
        complementary(g);
        for (size_t i = 0; i < n; i++)
            if (left_out(g, &g->results->rows[i])) g->hidden[i] = UNPRINTED;
        if (best) take_better(g, best);
        free(best);
        best = g->hidden;
    }
    free(first);
}

/* Pairs that are published; answers that stand in one. */
static void mark_collapsed(const struct gate *g, bool *dropped, uint32_t *flags) {
    for (size_t i = 0; i < g->results->n; i++) dropped[i] = rsp_is_pair(&g->results->rows[i]);
    for (size_t k = 0; k < g->fives.n; k++) {
        const rsp_five *f = &g->fives.items[k];
        for (size_t side = 0; side < 2; side++) {
            if (!rsp_is_collapsed(g->results, f, side, g->hidden)) continue;
            dropped[f->pair[side]] = false;
            flags[f->pair[side]] = RSP_F_COLLAPSED;
            for (size_t j = 0; j < 2; j++)
                if (g->hidden[f->answer[3 * side + j]] != SHOWN) flags[f->answer[3 * side + j]] = RSP_F_COLLAPSED;
        }
    }
}

/* ---- the published table ---------------------------------------------------------------------------------------- */

static double rounded(double x, double to) { return to > 0 && !isnan(x) ? to * round(x / to) : x; }

/* Where counts are rounded, a share of full precision would give them back (5/37 is 5/37), and so would its error: a share
 * is given in steps of one rounded respondent, an error with two digits. */
static void round_share(rsp_published_row *p, double to) {
    double step = p->n > 0 ? to / p->n : 1;
    double *steps[] = {&p->estimate, &p->lower, &p->upper}, *digits[] = {&p->se, &p->deff};
    for (size_t k = 0; k < sizeof steps / sizeof *steps; k++) *steps[k] = rounded(*steps[k], step);
    for (size_t k = 0; k < sizeof digits / sizeof *digits; k++)
        if (*digits[k] > 0) *digits[k] = rounded(*digits[k], pow(10, floor(log10(*digits[k])) - 1));
    p->n_eff = rounded(p->n_eff, to);
}

/* Verdicts on factors. */
static bool judges_a_factor(const struct gate *g, size_t row) {
    return is(&g->results->rows[row], "verdict") && g->analysis[row] && g->analysis[row]->kind == RSP_A_MODEL;
}

static rsp_published_row publish_row(const struct gate *g, const rsp_row *r, rsp_hidden hidden, bool preliminary,
                                     rsp_arena *a) {
    rsp_published_row p = {rsp_strdup(a, r->analysis),
                           rsp_strdup(a, r->domain),
                           rsp_strdup(a, r->term),
                           rsp_strdup(a, r->level),
                           rsp_strdup(a, r->statistic),
                           r->estimate,
                           r->se,
                           r->df,
                           r->df1,
                           r->lower,
                           r->upper,
                           r->p,
                           r->p_adj,
                           r->n,
                           r->n_eff,
                           r->deff,
                           r->flags};
    if (preliminary) p.flags |= RSP_F_PRELIMINARY;
    p.n = rounded(p.n, g->rules->rounding);
    if (is(r, "count")) p.estimate = rounded(p.estimate, g->rules->rounding);
    if (g->rules->rounding > 0 && r->cell >= 0 && !is(r, "count")) round_share(&p, g->rules->rounding);
    if (hidden == SHOWN) return p;
    for (size_t k = 0; k < RSP_N_NUMBERS; k++) *rsp_published_number(&p, k) = NAN;
    /* What else is known of a hidden cell would be a hint about it. */
    p.flags = (hidden == PRIMARY ? RSP_F_SUPPRESSED : RSP_F_SUPPRESSED_COMPLEMENTARY) | (p.flags & RSP_F_PRELIMINARY);
    return p;
}

static const rsp_analysis **analyses_of_rows(const rsp_study *s, const rsp_results *r, rsp_arena *a) {
    const rsp_analysis **of = RSP_ARRAY(a, const rsp_analysis *, r->n);
    rsp_map *ids = rsp_map_new();
    for (size_t k = 0; k < s->n_analyses; k++) rsp_map_put(ids, s->analyses[k].id, k);
    for (size_t i = 0; i < r->n; i++) {
        size_t k = rsp_map_get(ids, r->rows[i].analysis);
        of[i] = k == RSP_NONE ? NULL : &s->analyses[k];
    }
    rsp_map_free(ids);
    return of;
}

/* Rows in their order, but for pairs that are not published. n_hidden: of each kind. */
static rsp_published *publish(const struct gate *g, bool preliminary, size_t n_hidden[COMPLEMENTARY + 1]) {
    size_t n = g->results->n, at = 0;
    bool *dropped = RSP_ARRAY(g->arena, bool, n);
    uint32_t *flags = RSP_ARRAY(g->arena, uint32_t, n);
    mark_collapsed(g, dropped, flags);
    for (size_t i = 0; i < n; i++) at += !dropped[i];
    rsp_published *p = rsp_published_new(at);
    at = 0;
    for (size_t i = 0; i < n; i++) {
        if (dropped[i]) continue;
        rsp_published_row *row = &p->rows[at++];
        *row = publish_row(g, &g->results->rows[i], g->hidden[i], preliminary, p->arena);
        row->flags |= flags[i];
        n_hidden[g->hidden[i]]++;
        if (preliminary && judges_a_factor(g, i)) row->level = ""; /* none before the field is frozen */
    }
    rsp_published_index(p);
    return p;
}

rsp_published *rsp_disclose(const rsp_study *s, const rsp_results *r, const rsp_published *previous, bool preliminary,
                            rsp_diag *d) {
    rsp_arena *a = rsp_arena_new();
    struct gate g = {.study = s, .rules = &s->disclosure, .results = r, .hidden = rsp_calloc(r->n + 1, 1), .arena = a};
    size_t n_hidden[COMPLEMENTARY + 1] = {0};
    g.analysis = analyses_of_rows(s, r, a);
    if (!s->disclosure.off) {
        for (size_t i = 0; i < r->n; i++)
            if (primary(g.rules, &r->rows[i])) g.hidden[i] = PRIMARY;
        if (previous) hold_against(&g, previous);
        complementary_all_ways(&g);
    }
    rsp_published *p = publish(&g, preliminary, n_hidden);
    if (n_hidden[PRIMARY])
        rsp_report(
            d, RSP_NOTE, RSP_NOWHERE, NULL,
            "disclosure control: %zu of %zu results hidden (%zu by the rules, %zu so that they cannot be computed)",
            n_hidden[PRIMARY] + n_hidden[COMPLEMENTARY], p->n, n_hidden[PRIMARY], n_hidden[COMPLEMENTARY]);
    rsp_fives_free(&g.fives);
    free(g.hidden);
    rsp_arena_free(a);
    return p;
}
