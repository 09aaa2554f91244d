/* Statistical disclosure control: the one gate between statistics and everything that leaves the machine.
 *
 * Primary rules hide cells that rest on too few respondents or organisations; complementary rules then hide further
 * cells so that no hidden one follows from what is shown: levels of one distribution add to 1, the parts of a crossing
 * add to their whole, an index of an item (net, mean, ...) is a sum over its levels, a difference needs both sides.
 * Rules follow Hundepool et al. 2012, Statistical Disclosure Control, chapters 4 and 5; thresholds count unweighted
 * respondents. The choice of cells is by smallest count, then by order in the table: deterministic. */
#include "results/collapse.h"
#include "results/loss.h"
#include "results/memory.h"
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
    bool *held;                    /* per row: the publication before hid it */
    bool *waits;                   /* per row: hidden, as too few have changed since it was last shown */
    rsp_memory *memory;            /* NULL: no publication before */
    struct kin *kin;               /* rows that hang together */
    struct linked *linked;         /* the cells of all tables as they were last looked at */
    struct linked *all_linked[2];  /* the same, without pairs and with them; NULL: not asked for yet */
    const rsp_analysis **analysis; /* per row; NULL for the engine's own */
    rsp_joining joining;           /* what this try does to five answers */
    rsp_fives fives;
    bool changed;
    size_t *hidden_in; /* per group of levels, then of parts: members that are hidden */
    rsp_map *safe;     /* systems of cells that were found safe */
    rsp_arena *arena;
};

/* Parts of a key, between which stands what no code may hold; the last is NULL. */
static const char *joined(rsp_arena *a, const char *const *part) {
    size_t length[8], all = 0, n = 0;
    for (; part[n]; n++) all += (length[n] = strlen(part[n])) + 1;
    char *text = rsp_alloc(a, all), *at = text;
    for (size_t k = 0; k < n; k++) {
        memcpy(at, part[k], length[k]);
        at += length[k];
        *at++ = k + 1 < n ? '\x1f' : '\0';
    }
    return text;
}

#define KEY(g, ...) joined((g)->arena, (const char *const[]){__VA_ARGS__, NULL})

static bool is(const rsp_row *r, const char *statistic) { return strcmp(r->statistic, statistic) == 0; }

/* How many gave an answer, or which share: whoever knows the base knows one by the other. */
static bool of_an_answer(const rsp_row *r) { return is(r, "proportion") || (is(r, "count") && *r->level); }

/* What the cell of a row is called, whichever way it is told. */
static const char *cell_statistic(const rsp_row *r) { return of_an_answer(r) ? "proportion" : r->statistic; }

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
    if (!(of_an_answer(r) || rsp_is_pair(r)) || r->base <= 0 || r->base >= SMALL_GROUP_FACTOR * d->minimum_base)
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

/* A candidate that this try does not publish. */
static bool left_out(const struct gate *g, const rsp_row *r) { return g->joining == JOIN_NONE && rsp_is_pair(r); }

/* Cells are what an attacker may ask about: pairs also where they are not published tonight, if another night published them. */
static bool no_cell(const struct gate *g, const rsp_row *r) { return left_out(g, r) && !g->memory; }

/* ---- earlier publications --------------------------------------------------------------------------------------- */

static const char *row_key(const struct gate *g, size_t row) {
    const rsp_row *r = &g->results->rows[row];
    return KEY(g, r->analysis, r->domain, r->term, r->level, r->statistic);
}

static const char *filter_key(const struct gate *g, size_t row) {
    const rsp_analysis *a = g->analysis[row];
    return a && a->filter ? a->id : ""; /* a filtered analysis speaks of other people */
}

/* Of the answers that a row rests on; NULL: not traced. */
static const char *trace_key(const struct gate *g, size_t row) {
    const rsp_row *r = &g->results->rows[row];
    const rsp_analysis *a = g->analysis[row];
    if (!g->memory->tonight || !a) return NULL;
    if (a->kind == RSP_A_TABLE)
        return rsp_trace_table_key(filter_key(g, row), r->term, r->domain, is(r, "proportion_missing"), g->arena);
    const char *own = rsp_trace_analysis_key(a->id, r->domain, g->arena);
    return rsp_traces_find(g->memory->tonight, own) ? own : rsp_trace_analysis_key(a->id, "", g->arena);
}

static const rsp_trace *trace_of(const struct gate *g, size_t row) {
    const char *key = trace_key(g, row);
    return key ? rsp_traces_find(g->memory->tonight, key) : NULL;
}

/* What a few respondents changed waits: a row that differs by them from any publication that showed it would tell what they answer;
 * one that differs by them, or by nobody, from a publication that hid it for its own sake would tell what was hidden. Newcomers wait
 * in front of the statistics (waiting.c), so that this concerns rows of respondents who left, came back, or whose answers were
 * changed. A row that waits is no state of its own, so that changes add up until they suffice. */
static void hold_row(struct gate *g, size_t row, const rsp_row_memory *then, const rsp_trace *now) {
    const rsp_row *r = &g->results->rows[row];
    bool few = false, uncovers = false;
    for (size_t k = then->last; k != RSP_NONE; k = g->memory->row_told[k].before) {
        const rsp_row_told *told = &g->memory->row_told[k];
        size_t n = rsp_memory_differ(g->memory, now, told->state, r->base, told->base);
        if (n >= (size_t) g->rules->minimum_change) continue;
        if (told->hidden) uncovers |= r->base > 0;
        else few |= n > 0;
    }
    g->held[row] = then->hidden;
    g->waits[row] = few && !uncovers;
    if (few || uncovers) g->hidden[row] = HELD;
}

static void hold_against_memory(struct gate *g) {
    for (size_t i = 0; i < g->results->n; i++) {
        const rsp_row_memory *then =
            g->hidden[i] == SHOWN && g->results->rows[i].base >= 0 ? rsp_memory_row(g->memory, row_key(g, i)) : NULL;
        if (then) hold_row(g, i, then, trace_of(g, i));
    }
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

/* Rows that hang together by what they are, whatever is hidden: found once. */
struct kin {
    struct groups levels, same, indices, parts;
    struct members *whole; /* per group of parts: the rows of what they add to, which belong to: */
    struct groups wholes;
    size_t *first_of_row, *group_of_row;     /* per row: where its groups begin; those of levels, then those of parts */
    size_t n_sides, n_differences, capacity; /* differences of domains, then those of choices */
    struct difference {
        size_t row, side; /* a group of `sides` or of `choices` */
    } * difference;
    struct groups sides, choices;
};

static void add_difference(struct kin *kin, size_t row, size_t side) {
    RSP_PUSH(kin->difference, kin->n_differences, kin->capacity, ((struct difference){row, side}));
}

static const struct members *sum_of(const struct kin *kin, size_t group) {
    return group < kin->levels.n ? &kin->levels.group[group] : &kin->parts.group[group - kin->levels.n];
}

static size_t n_sums(const struct kin *kin) { return kin->levels.n + kin->parts.n; }

/* Of which sums each row is a member. */
static void list_sums_of_rows(const struct gate *g, struct kin *kin) {
    size_t *first = RSP_ARRAY(g->arena, size_t, g->results->n + 2), n = 0;
    for (size_t k = 0; k < n_sums(kin); k++)
        for (size_t j = 0; j < sum_of(kin, k)->n; j++, n++) first[sum_of(kin, k)->row[j] + 2]++;
    for (size_t i = 2; i < g->results->n + 2; i++) first[i] += first[i - 1];
    kin->group_of_row = RSP_ARRAY(g->arena, size_t, n + 1);
    for (size_t k = 0; k < n_sums(kin); k++)
        for (size_t j = 0; j < sum_of(kin, k)->n; j++) kin->group_of_row[first[sum_of(kin, k)->row[j] + 1]++] = k;
    kin->first_of_row = first;
}

static void count_hidden(struct gate *g) {
    for (size_t k = 0; k < n_sums(g->kin); k++) {
        const struct members *m = sum_of(g->kin, k);
        g->hidden_in[k] = 0;
        for (size_t j = 0; j < m->n; j++) g->hidden_in[k] += g->hidden[m->row[j]] != SHOWN;
    }
}

static void hide_as(struct gate *g, size_t row, rsp_hidden why) {
    if (g->hidden[row] != SHOWN || g->results->rows[row].base == 0) return;
    g->hidden[row] = (unsigned char) why;
    for (size_t j = g->kin->first_of_row[row]; j < g->kin->first_of_row[row + 1]; j++)
        g->hidden_in[g->kin->group_of_row[j]]++;
    g->changed = true;
}

static void hide(struct gate *g, size_t row) { hide_as(g, row, COMPLEMENTARY); }

static int64_t count_of(const rsp_row *r) { return r->cell >= 0 ? r->cell : r->base; }

/* In how many sums would the row be the first that is hidden? Each of them needs another one then, and so on. */
static size_t sums_opened(const struct gate *g, size_t row) {
    size_t n = 0;
    for (size_t j = g->kin->first_of_row[row]; j < g->kin->first_of_row[row + 1]; j++)
        n += g->hidden_in[g->kin->group_of_row[j]] == 0;
    return n;
}

/* To hide again what the publication before hid opens nothing; else what hangs together least with what is shown, and of such
 * the smallest, goes first. */
static bool cheaper(const struct gate *g, size_t row, size_t than) {
    if (g->held[row] != g->held[than]) return g->held[row];
    int64_t count = count_of(&g->results->rows[row]), of_other = count_of(&g->results->rows[than]);
    size_t opened = sums_opened(g, row), by_other = sums_opened(g, than);
    if (opened != by_other) return opened < by_other;
    return (count > 0) != (of_other > 0) ? count > 0 : count < of_other;
}

/* Hides the cheapest shown member until the hidden ones number none or at least two and together count `least`. */
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
            } else if (smallest == RSP_NONE || cheaper(g, m->row[k], smallest)) {
                smallest = m->row[k];
            }
        }
        if (hidden == 0 || (hidden > 1 && sum >= least) || smallest == RSP_NONE) return;
        hide(g, smallest);
    }
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

/* The shares of this row and others like it add to 1, or its counts to the base. */
static bool part_of_a_distribution(const struct gate *g, const rsp_row *r) {
    return is(r, "combination") || (of_an_answer(r) && adds_to_one(g, r->term));
}

/* The levels of one distribution add to 1. */
static void find_levels(const struct gate *g, struct groups *levels) {
    for (size_t i = 0; i < g->results->n; i++) {
        const rsp_row *r = &g->results->rows[i];
        if (part_of_a_distribution(g, r)) groups_add(levels, KEY(g, r->analysis, r->domain, r->term, r->statistic), i);
    }
}

static void levels_of_a_distribution(struct gate *g) {
    for (size_t k = 0; k < g->kin->levels.n; k++) protect(g, &g->kin->levels.group[k], g->rules->minimum_cell);
}

/* The same cell in another table of the run. */
static void find_same_cells(const struct gate *g, struct groups *same) {
    for (size_t i = 0; i < g->results->n; i++) {
        const rsp_row *r = &g->results->rows[i];
        if (!g->analysis[i] || g->analysis[i]->kind != RSP_A_TABLE || rsp_is_pair(r)) continue;
        groups_add(same, KEY(g, filter_key(g, i), r->domain, r->term, r->level, cell_statistic(r)), i);
    }
}

static void same_cell(struct gate *g) {
    for (size_t k = 0; k < g->kin->same.n; k++) {
        const struct members *m = &g->kin->same.group[k];
        bool any = false;
        for (size_t j = 0; j < m->n; j++) any |= g->hidden[m->row[j]] != SHOWN;
        for (size_t j = 0; any && j < m->n; j++) hide(g, m->row[j]);
    }
}

static bool index_of_levels(const rsp_row *r) {
    return is(r, "net") || is(r, "top2") || is(r, "mean") || is(r, "sd") || is(r, "median") || is(r, "quantile") ||
           is(r, "total");
}

/* Of a five-point item the net share is the upper pair less the lower, and the share of the top two the upper pair. */
static bool index_of_pairs(const rsp_row *r) { return is(r, "net") || is(r, "top2"); }

/* Must the index be hidden beside what is shown of the members? */
static bool index_tells(const struct gate *g, const struct members *m, const rsp_row *index) {
    bool level = false, pair = false, pairs = false, unprinted = false; /* five answers stay as they are */
    for (size_t j = 0; j < m->n; j++) {
        const rsp_row *r = &g->results->rows[m->row[j]];
        bool hidden = g->hidden[m->row[j]] != SHOWN;
        if (left_out(g, r)) continue;
        level |= of_an_answer(r) && hidden;
        pair |= rsp_is_pair(r) && hidden;
        pairs |= rsp_is_pair(r);
        unprinted |= g->hidden[m->row[j]] == UNPRINTED;
    }
    return pairs && !unprinted && index_of_pairs(index) ? pair : level;
}

/* An index of a coded item is a sum over its levels: shown beside all levels but two, it would give them away. */
static void find_indices(const struct gate *g, struct groups *indices) {
    for (size_t i = 0; i < g->results->n; i++) {
        const rsp_row *r = &g->results->rows[i];
        size_t v = rsp_study_variable(g->study, r->term);
        if (v == RSP_NONE || !g->study->variables[v].list) continue;
        if (of_an_answer(r) || rsp_is_pair(r) || index_of_levels(r))
            groups_add(indices, KEY(g, filter_key(g, i), r->domain, r->term), i);
    }
}

static void indices_of_levels(struct gate *g) {
    for (size_t k = 0; k < g->kin->indices.n; k++) {
        const struct members *m = &g->kin->indices.group[k];
        for (size_t j = 0; j < m->n; j++) {
            const rsp_row *r = &g->results->rows[m->row[j]];
            if (index_of_levels(r) && g->hidden[m->row[j]] == SHOWN && index_tells(g, m, r)) hide(g, m->row[j]);
        }
    }
}

/* The parts of a crossing add to the whole; of each group of parts the whole's rows, wherever it stands in the run. */
static void find_parts(const struct gate *g, struct kin *kin) {
    struct groups wholes = {.by_key = rsp_map_new()};
    size_t capacity = 0;
    for (size_t i = 0; i < g->results->n; i++) {
        const rsp_row *r = &g->results->rows[i];
        if (g->analysis[i] && g->analysis[i]->kind == RSP_A_TABLE)
            groups_add(&wholes, KEY(g, filter_key(g, i), r->domain, r->term, r->level, cell_statistic(r)), i);
    }
    for (size_t i = 0; i < g->results->n; i++) {
        const rsp_row *r = &g->results->rows[i];
        if (!g->analysis[i] || g->analysis[i]->kind != RSP_A_TABLE || r->sides[0] || rsp_is_pair(r)) continue;
        const char *variable = NULL, *parent;
        for (size_t k = 0; (parent = parent_domain(g->arena, r->domain, k, &variable)); k++) {
            const char *whole = KEY(g, filter_key(g, i), parent, r->term, r->level, cell_statistic(r));
            size_t of = rsp_map_get(wholes.by_key, whole), known = kin->parts.n;
            if (of == RSP_NONE) continue;
            groups_add(&kin->parts, KEY(g, r->analysis, whole, variable), i);
            if (kin->parts.n > known) RSP_PUSH(kin->whole, known, capacity, wholes.group[of]);
        }
    }
    kin->wholes = wholes;
}

/* Where the whole is shown somewhere in the run before any part is hidden. */
static void parts_of_a_whole(struct gate *g) {
    const struct kin *kin = g->kin;
    bool *shown = rsp_calloc(kin->parts.n + 1, sizeof *shown);
    for (size_t k = 0; k < kin->parts.n; k++)
        for (size_t j = 0; j < kin->whole[k].n; j++) shown[k] |= g->hidden[kin->whole[k].row[j]] == SHOWN;
    for (size_t k = 0; k < kin->parts.n; k++)
        if (shown[k]) protect(g, &kin->parts.group[k], g->rules->minimum_cell);
    free(shown);
}

/* Is the difference of two choices one of this choice? */
static bool names_side(const char *difference, const char *code) {
    size_t length = strlen(code), all = strlen(difference);
    bool first = strncmp(difference, code, length) == 0 && difference[length] == '-';
    return first ||
           (all > length && difference[all - length - 1] == '-' && strcmp(difference + all - length, code) == 0);
}

/* How much more often one choice of a ranking was placed than another is shown only where both shares are. */
static void find_choice_differences(const struct gate *g, struct kin *kin) {
    struct groups choices = {.by_key = rsp_map_new()};
    bool any = false;
    for (size_t i = 0; !any && i < g->results->n; i++) any = is(&g->results->rows[i], "choice_difference");
    for (size_t i = 0; any && i < g->results->n; i++) {
        const rsp_row *r = &g->results->rows[i];
        if (is(r, "proportion")) groups_add(&choices, KEY(g, r->analysis, r->domain, r->term, r->level), i);
    }
    for (size_t i = 0; any && i < g->results->n; i++) {
        const rsp_row *r = &g->results->rows[i];
        const rsp_list *list = is(r, "choice_difference") ? choices_of(g, r->term) : NULL;
        for (size_t k = 0; list && k < list->n; k++) {
            const char *code = list->choices[k].code;
            size_t of = names_side(r->level, code)
                            ? rsp_map_get(choices.by_key, KEY(g, r->analysis, r->domain, r->term, code))
                            : RSP_NONE;
            if (of != RSP_NONE) add_difference(kin, i, of);
        }
    }
    kin->choices = choices;
}

/* A difference is shown only where both sides are. Its term is the item, or `item=code` for one level of it. */
static void find_differences(const struct gate *g, struct kin *kin) {
    struct groups cells = {.by_key = rsp_map_new()};
    for (size_t i = 0; i < g->results->n; i++) {
        const rsp_row *r = &g->results->rows[i];
        const char *term =
            is(r, "proportion") && *r->level ? rsp_printf(g->arena, "%s=%s", r->term, r->level) : r->term;
        if (!r->sides[0] && !rsp_is_pair(r)) groups_add(&cells, KEY(g, r->analysis, r->domain, term), i);
    }
    for (size_t i = 0; i < g->results->n; i++) {
        const rsp_row *r = &g->results->rows[i];
        for (size_t side = 0; r->sides[0] && side < 2; side++) {
            if (!r->sides[side]) continue;
            size_t k = rsp_map_get(cells.by_key, KEY(g, r->analysis, r->sides[side], r->term));
            if (k != RSP_NONE) add_difference(kin, i, k);
        }
    }
    kin->sides = cells;
}

static void hide_differences(struct gate *g, const struct groups *of, size_t from, size_t to) {
    for (size_t k = from; k < to; k++) {
        const struct difference *d = &g->kin->difference[k];
        const struct members *m = &of->group[d->side];
        for (size_t j = 0; j < m->n; j++)
            if (g->hidden[m->row[j]] != SHOWN) hide(g, d->row);
    }
}

static void differences(struct gate *g) {
    hide_differences(g, &g->kin->sides, 0, g->kin->n_sides);
}

static void choice_differences(struct gate *g) {
    hide_differences(g, &g->kin->choices, g->kin->n_sides, g->kin->n_differences);
}

static struct kin *find_kin(const struct gate *g) {
    struct kin *kin = RSP_NEW(g->arena, struct kin);
    kin->levels.by_key = rsp_map_new();
    kin->same.by_key = rsp_map_new();
    kin->indices.by_key = rsp_map_new();
    kin->parts.by_key = rsp_map_new();
    find_levels(g, &kin->levels);
    find_same_cells(g, &kin->same);
    find_indices(g, &kin->indices);
    find_parts(g, kin);
    find_differences(g, kin);
    kin->n_sides = kin->n_differences;
    find_choice_differences(g, kin);
    list_sums_of_rows(g, kin);
    return kin;
}

static void kin_free(struct kin *kin) {
    if (!kin) return;
    struct groups *all[] = {&kin->levels, &kin->same,  &kin->indices, &kin->parts,
                            &kin->wholes, &kin->sides, &kin->choices};
    for (size_t k = 0; k < sizeof all / sizeof *all; k++) groups_free(all[k]);
    free(kin->whole);
    free(kin->difference);
}

/* ---- linked tables ---------------------------------------------------------------------------------------------- */

/* The cells of all tables: the same cell in two tables is one. Behind them stand the spells of hiding in the memory that no
 * cell of tonight belongs to. */
struct linked {
    size_t n_cells, n_relations, capacity;
    rsp_map *cells;   /* key of a cell -> its number */
    size_t *of_row;   /* per row of results; RSP_NONE: no cell of a table */
    const char **key; /* per cell; NULL: none of tonight */
    int64_t *base;
    size_t *row; /* per cell of tonight: the first one of it */
    rsp_cell_state *state;
    size_t *spell; /* per cell: of the publication before, or of an earlier one; RSP_NONE */
    size_t n_returns, returns_capacity;
    struct cell_return {
        size_t cell,
            spell; /* tonight's cell stands nearly as it did in that spell, which is another than the last one */
        double fall, rise; /* since then */
    } * returns;
    size_t own;            /* cells before this one are tonight's */
    rsp_cell_state *first; /* [own] as they are before anything is hidden */
    size_t tonight;        /* relations before this one are tonight's */
    rsp_relation *relations;
};

static const char *cell_key(const struct gate *g, size_t row, const char *domain) {
    const rsp_row *r = &g->results->rows[row];
    return KEY(g, filter_key(g, row), domain, r->term, r->level, cell_statistic(r));
}

static double at_least_zero(double x) { return x > 0 ? x : 0; }

/* By how much a count can have moved otherwise than it did, for whoever knows how many more respondents there are. */
static void since(int64_t change, int64_t more, double *fall, double *rise) {
    *fall = at_least_zero(at_least_zero((double) -more) + (double) change);
    *rise = at_least_zero(at_least_zero((double) more) - (double) change);
}

/* How far from the true count an attacker cannot exclude that it is. Whoever has seen the count of the publication before knows
 * tonight's but for those who came (at most so many more) and left (at most so many less). Over several publications only
 * what the rules hide needs an interval: other counts may become known once they are no partner of such any more. */
static void set_bounds(const struct gate *g, rsp_cell_state *c, int64_t base, bool by_rule,
                       const rsp_cell_memory *then) {
    double count = (double) c->count, least = (double) g->rules->minimum_cell;
    c->room = at_least_zero((double) base - count);
    c->low = c->now_low = count;
    c->high = c->now_high = c->room;
    c->need = by_rule ? fmin(least, count + c->room) : 0;
    if (!then) return;
    since(c->count - then->count, base - then->base, &c->fall, &c->rise);
    c->held = then->spell != RSP_NONE;
    if (c->held) {
        const rsp_spell *spell = &g->memory->spells[then->spell];
        c->low = fmin(count, spell->low);
        c->high = spell->high;
        c->need_before = spell->need;
    } else {
        c->low = fmin(count, c->fall);
        c->high = c->rise;
        c->need = fmin(c->need, c->low + c->high);
        c->known |= c->low + c->high == 0; /* nobody came or left since it was shown */
    }
}

/* A new cell of tonight. */
static size_t add_cell(struct linked *l, const char *key, rsp_cell_state state, int64_t base, size_t row) {
    size_t k = l->n_cells++;
    l->row[k] = row;
    l->state[k] = state;
    l->key[k] = key;
    l->base[k] = base;
    l->spell[k] = RSP_NONE;
    return k;
}

/* A cell that was shown when its answers were those of tonight, but those of a few, is known as well as then: tonight's own count,
 * whatever publications since then hid. */
static void narrow(rsp_cell_state *c, double fall, double rise) {
    c->now_low = fmin(c->now_low, fall);
    c->now_high = fmin(c->now_high, rise);
    c->need = fmin(c->need, c->now_low + c->now_high);
    c->known |= c->now_low + c->now_high == 0;
    if (c->held) return;
    c->low = fmin(c->low, c->now_low);
    c->high = fmin(c->high, c->now_high);
}

/* Any earlier publication in which the cell stood as tonight, or nearly: its answers may have changed and changed back. */
static void look_back(const struct gate *g, struct linked *l, size_t cell, const rsp_cell_memory *then) {
    const rsp_trace *now = then->last == RSP_NONE ? NULL : trace_of(g, l->row[cell]);
    for (size_t k = now ? then->last : RSP_NONE; k != RSP_NONE; k = g->memory->cell_told[k].before) {
        const rsp_cell_told *told = &g->memory->cell_told[k];
        if (told->spell == RSP_GONE || (told->spell == then->spell && then->spell != RSP_NONE)) continue;
        size_t n = rsp_memory_differ(g->memory, now, told->state, l->base[cell], told->base);
        if (n >= (size_t) g->rules->minimum_change) continue;
        struct cell_return x = {.cell = cell, .spell = told->spell};
        since(l->state[cell].count - told->count, l->base[cell] - told->base, &x.fall, &x.rise);
        if (told->spell == RSP_NONE) narrow(&l->state[cell], x.fall, x.rise);
        else RSP_PUSH(l->returns, l->n_returns, l->returns_capacity, x);
    }
}

/* Bounds of tonight's cells: by tonight's publication alone, or by all. */
static void bound_cells(const struct gate *g, struct linked *l, bool with_memory) {
    bool *by_rule = RSP_ARRAY(g->arena, bool, l->n_cells);
    for (size_t i = 0; i < g->results->n; i++)
        if (l->of_row[i] != RSP_NONE) by_rule[l->of_row[i]] |= g->hidden[i] == PRIMARY;
    for (size_t k = 0; k < l->n_cells; k++) {
        rsp_cell_state *c = &l->state[k];
        if (!c->counts) continue;
        bool remainder = c->count < g->rules->minimum_cell && strncmp(l->key[k], "rest\x1f", 5) == 0;
        const rsp_cell_memory *then = with_memory ? rsp_memory_cell(g->memory, l->key[k]) : NULL;
        set_bounds(g, c, l->base[k], !c->open && (!with_memory || by_rule[k] || remainder), then);
        if (!then) continue;
        l->spell[k] = then->spell;
        look_back(g, l, k, then);
    }
}

static void number_cells(struct gate *g, struct linked *l) {
    /* a remainder for each choice of a set besides */
    size_t n = g->results->n, room = 2 * n + (g->memory ? g->memory->n_spells : 0);
    l->cells = rsp_map_new();
    l->of_row = RSP_ARRAY(g->arena, size_t, n);
    l->state = RSP_ARRAY(g->arena, rsp_cell_state, room);
    l->key = RSP_ARRAY(g->arena, const char *, room);
    l->base = RSP_ARRAY(g->arena, int64_t, room);
    l->row = RSP_ARRAY(g->arena, size_t, room);
    l->spell = RSP_ARRAY(g->arena, size_t, room);
    for (size_t i = 0; i < n; i++) {
        const rsp_row *r = &g->results->rows[i];
        l->of_row[i] = RSP_NONE;
        if (!g->analysis[i] || g->analysis[i]->kind != RSP_A_TABLE || r->sides[0] || no_cell(g, r)) continue;
        const char *key = cell_key(g, i, r->domain);
        size_t k = rsp_map_get(l->cells, key);
        if (k == RSP_NONE) {
            rsp_cell_state c = {
                .count = count_of(r), .known = r->base == 0, .counts = r->cell >= 0, .open = true, .stays = g->held[i]};
            rsp_map_put(l->cells, key, k = add_cell(l, key, c, r->base, i));
        }
        l->of_row[i] = k;
    }
}

static void add_relation(struct gate *g, struct linked *l, const size_t *cells, size_t n, bool fixed) {
    rsp_relation r = {.n = n, .cell = RSP_ARRAY(g->arena, size_t, n), .fixed = fixed};
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
    if (rest > 0)
        cells[n++] = add_cell(l, rsp_printf(g->arena, "rest\x1f%s", l->key[cells[0]]),
                              (rsp_cell_state){.count = rest, .counts = true, .hidden = rest < g->rules->minimum_cell},
                              g->results->rows[set].base, set);
    if (n > 1) add_relation(g, l, cells, n, false);
}

/* Every choice of a set with the combinations it is part of. */
static void relate_sets(struct gate *g, struct linked *l, size_t *cells) {
    struct groups combinations = {.by_key = rsp_map_new()};
    for (size_t i = 0; i < g->results->n; i++) {
        const rsp_row *r = &g->results->rows[i];
        if (l->of_row[i] != RSP_NONE && is(r, "combination"))
            groups_add(&combinations, KEY(g, r->analysis, r->domain, r->term), i);
    }
    for (size_t i = 0; combinations.n && i < g->results->n; i++) {
        const rsp_row *r = &g->results->rows[i];
        if (l->of_row[i] == RSP_NONE || !is(r, "proportion") || r->base == 0) continue;
        size_t k = rsp_map_get(combinations.by_key, KEY(g, r->analysis, r->domain, r->term));
        if (k != RSP_NONE) relate_set(g, l, i, &combinations.group[k], cells);
    }
    groups_free(&combinations);
}

/* A pair is the sum of its two answers, whether it is published or not. */
static void relate_pairs(struct gate *g, struct linked *l) {
    for (size_t k = 0; (g->joining != JOIN_NONE || g->memory) && k < g->fives.n; k++)
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
        if (part_of_a_distribution(g, r)) groups_add(&levels, KEY(g, r->analysis, r->domain, r->term, r->statistic), i);
        const char *variable = NULL, *parent;
        for (size_t k = 0; (parent = parent_domain(g->arena, r->domain, k, &variable)); k++)
            if (rsp_map_get(l->cells, cell_key(g, i, parent)) != RSP_NONE)
                groups_add(&parts, KEY(g, r->analysis, cell_key(g, i, parent), variable), i);
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
            const char *group = KEY(g, g->results->rows[row].analysis, key, variable);
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

/* Spells that tonight can narrow: those that hang together with one that is open, or with one that returns. */
static bool *spells_awake(const struct gate *g, const struct linked *l) {
    bool *woken = rsp_calloc(g->memory->n_spells + 1, 1);
    for (size_t k = 0; k < l->n_returns; k++) woken[l->returns[k].spell] = true;
    return rsp_memory_awake(g->memory, woken);
}

/* What earlier publications left open, as relations over spells: a cell of tonight that the publication before hid is its own
 * spell's number. */
static void relate_memory(struct gate *g, struct linked *l) {
    const rsp_memory *m = g->memory;
    size_t *cell = RSP_ARRAY(g->arena, size_t, m->n_spells);
    bool *awake = spells_awake(g, l);
    for (size_t k = 0; k < m->n_spells; k++) cell[k] = RSP_NONE;
    for (size_t k = 0; k < l->n_cells; k++)
        if (l->spell[k] != RSP_NONE) cell[l->spell[k]] = k;
    for (size_t k = 0; k < m->n_spells; k++) {
        const rsp_spell *s = &m->spells[k];
        if (cell[k] != RSP_NONE || !awake[k]) continue;
        cell[k] = add_cell(l, NULL, (rsp_cell_state){.past = true, .counts = true, .low = s->low, .high = s->high}, 0,
                           RSP_NONE);
        l->state[cell[k]].need = s->need;
        l->spell[cell[k]] = k;
    }
    for (size_t k = 0; k < m->n_sums; k++) {
        const rsp_spell_sum *s = &m->sums[k];
        if (!s->n || cell[s->spell[0]] == RSP_NONE) continue;
        rsp_relation r = {s->n, RSP_ARRAY(g->arena, size_t, s->n), true, s->sign, false, s->fall, s->rise};
        for (size_t j = 0; j < s->n; j++) r.cell[j] = cell[s->spell[j]];
        RSP_PUSH(l->relations, l->n_relations, l->capacity, r);
    }
    static const signed char since_then[] = {-1, 1};
    for (size_t k = 0; k < l->n_returns; k++) {
        const struct cell_return *x = &l->returns[k];
        rsp_relation r = {2, RSP_ARRAY(g->arena, size_t, 2), true, since_then, true, x->fall, x->rise};
        r.cell[0] = cell[x->spell];
        r.cell[1] = x->cell;
        RSP_PUSH(l->relations, l->n_relations, l->capacity, r);
    }
    free(awake);
}

static void linked_free(struct linked *l) {
    if (!l) return;
    free(l->relations);
    free(l->returns);
    rsp_map_free(l->cells);
}

static struct linked *linked_new(struct gate *g) {
    struct linked *l = RSP_NEW(g->arena, struct linked);
    number_cells(g, l);
    relate(g, l);
    l->own = l->n_cells;
    l->tonight = l->n_relations;
    l->first = RSP_ARRAY(g->arena, rsp_cell_state, l->own + 1);
    memcpy(l->first, l->state, l->own * sizeof *l->first);
    return l;
}

/* Tonight's cells as rows are hidden now; nothing of earlier nights. */
static void begin_linked(const struct gate *g, struct linked *l) {
    l->n_cells = l->own;
    l->n_relations = l->tonight;
    l->n_returns = 0;
    memcpy(l->state, l->first, l->own * sizeof *l->state);
    for (size_t k = 0; k < l->own; k++) l->spell[k] = RSP_NONE;
    for (size_t i = 0; i < g->results->n; i++) {
        const rsp_row *r = &g->results->rows[i];
        if (l->of_row[i] == RSP_NONE) continue;
        rsp_cell_state *c = &l->state[l->of_row[i]];
        c->hidden |= g->hidden[i] != SHOWN || left_out(g, r);
        c->open &= g->hidden[i] == UNPRINTED || left_out(g, r);
    }
}

static struct linked *linked_now(struct gate *g) {
    bool pairs = g->joining != JOIN_NONE || g->memory;
    if (!g->all_linked[pairs]) g->all_linked[pairs] = linked_new(g);
    begin_linked(g, g->all_linked[pairs]);
    return g->all_linked[pairs];
}

/* What the rules above leave open: cells that several relations together determine, tonight's, then those of all nights. */
static void linked_tables(struct gate *g) {
    struct linked *l = g->linked = linked_now(g);
    bound_cells(g, l, false);
    rsp_protect(l->n_cells, l->state, l->n_relations, l->relations, g->safe);
    bool *tonight = RSP_ARRAY(g->arena, bool, l->n_cells + 1);
    for (size_t k = 0; k < l->n_cells; k++) tonight[k] = l->state[k].hidden;
    if (g->memory) {
        bound_cells(g, l, true);
        relate_memory(g, l);
        rsp_protect(l->n_cells, l->state, l->n_relations, l->relations, g->safe);
    }
    for (size_t i = 0; i < g->results->n; i++)
        if (l->of_row[i] != RSP_NONE && l->state[l->of_row[i]].hidden && !left_out(g, &g->results->rows[i]))
            hide_as(g, i, tonight[l->of_row[i]] ? COMPLEMENTARY : HELD);
}

/* Each rule only hides more, so the loop ends. join: answers too, as this try does. */
static void complementary(struct gate *g, bool join) {
    bool any = g->memory; /* else, nothing hidden by the primary rules, nor left over: nothing to protect */
    for (size_t i = 0; i < g->results->n; i++) any |= g->hidden[i] != SHOWN || is(&g->results->rows[i], "combination");
    if (!any) return;
    do {
        g->changed = join && rsp_collapse(g->results, &g->fives, g->joining, g->hidden);
        count_hidden(g);
        levels_of_a_distribution(g);
        same_cell(g);
        indices_of_levels(g);
        parts_of_a_whole(g);
        linked_tables(g);
        differences(g);
        choice_differences(g);
    } while (g->changed);
}

/* ---- taking back ------------------------------------------------------------------------------------------------ */

struct candidate {
    int64_t count;
    size_t cell;
};

/* What readers miss most comes first. */
static int compare_candidates(const void *x, const void *y) {
    const struct candidate *a = x, *b = y;
    if (a->count != b->count) return a->count > b->count ? -1 : 1;
    return a->cell < b->cell ? -1 : a->cell > b->cell;
}

/* Counts that no rule hides, nor the publication before, which would be told something by what is shown again. */
static size_t list_candidates(const struct gate *g, const struct linked *l, size_t *order) {
    struct candidate *all = rsp_malloc((l->n_cells + 1) * sizeof *all);
    bool *other = rsp_calloc(l->n_cells + 1, sizeof *other);
    size_t n = 0;
    for (size_t i = 0; i < g->results->n; i++)
        if (l->of_row[i] != RSP_NONE)
            other[l->of_row[i]] |= g->hidden[i] != COMPLEMENTARY || g->held[i] || rsp_is_pair(&g->results->rows[i]);
    for (size_t k = 0; k < l->own; k++)
        if (l->key[k] && l->row[k] != RSP_NONE && l->state[k].counts && l->state[k].hidden && !other[k])
            all[n++] = (struct candidate){l->state[k].count, k};
    if (n) qsort(all, n, sizeof *all, compare_candidates);
    for (size_t k = 0; k < n; k++) order[k] = all[k].cell;
    free(all);
    free(other);
    return n;
}

/* Shows counts that were hidden so that others cannot be computed, but need not be, as more was hidden since, and whatever
 * followed from theirs. */
static bool take_back(struct gate *g) {
    struct linked *l = linked_now(g);
    size_t *order = rsp_malloc((l->n_cells + 1) * sizeof *order), n = list_candidates(g, l, order);
    bound_cells(g, l, false);
    bool any = n && rsp_take_back(l->n_cells, l->state, l->n_relations, l->relations, n, order);
    for (size_t i = 0; any && i < g->results->n; i++) {
        size_t cell = l->of_row[i];
        bool counts = cell != RSP_NONE && l->state[cell].counts;
        bool follows = g->hidden[i] == COMPLEMENTARY && !(counts && l->state[cell].hidden);
        if (follows) g->hidden[i] = SHOWN;
    }
    free(order);
    return any;
}

/* ---- five answers or three -------------------------------------------------------------------------------------- */

/* The people and the item: what relations between cells never leave. */
static const char *item_of(const struct gate *g, size_t row) {
    return KEY(g, filter_key(g, row), g->results->rows[row].term);
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

static bool is_missed(unsigned char hidden) { return hidden != SHOWN && hidden != UNPRINTED; }

/* Every item as it was before where no less is hidden now. */
static void keep_lesser(struct gate *g, const unsigned char *before) {
    rsp_map *items = rsp_map_new();
    size_t n = g->results->n, *item = rsp_malloc((n + 1) * sizeof *item);
    long *more = rsp_calloc(n + 1, sizeof *more);
    for (size_t i = 0; i < n; i++) {
        const char *key = item_of_any(g, i);
        rsp_map_put(items, key, rsp_map_count(items));
        item[i] = rsp_map_get(items, key);
        more[item[i]] += is_missed(g->hidden[i]) - is_missed(before[i]);
    }
    for (size_t i = 0; i < n; i++)
        if (more[item[i]] >= 0) g->hidden[i] = before[i];
    free(more);
    free(item);
    rsp_map_free(items);
}

/* Rules look at one sum at a time, and hide more than what protects all of them together. Every item as it was left, whichever
 * way that was. */
static void show_superfluous(struct gate *g) {
    unsigned char *before = rsp_malloc(g->results->n + 1);
    memcpy(before, g->hidden, g->results->n);
    g->joining = JOIN_ONE;
    if (take_back(g)) {
        complementary(g, false);
        keep_lesser(g, before);
    }
    free(before);
}

/* Hides what must be hidden with five answers as they are, then once more joining them in either way. */
static void complementary_all_ways(struct gate *g) {
    size_t n = g->results->n;
    unsigned char *first = rsp_calloc(n + 1, 1), *best = NULL;
    memcpy(first, g->hidden, n);
    g->fives = rsp_fives_find(g->results, g->arena);
    g->kin = find_kin(g);
    g->hidden_in = RSP_ARRAY(g->arena, size_t, n_sums(g->kin) + 1);
    for (size_t way = JOIN_NONE; way < (g->fives.n ? N_JOININGS : JOIN_ONE); way++) {
        g->joining = (rsp_joining) way;
        if (best) {
            g->hidden = rsp_calloc(n + 1, 1);
            memcpy(g->hidden, first, n);
        }
        complementary(g, way != JOIN_NONE);
        for (size_t i = 0; i < n; i++)
            if (left_out(g, &g->results->rows[i])) g->hidden[i] = UNPRINTED;
        if (best) take_better(g, best);
        free(best);
        best = g->hidden;
    }
    free(first);
    show_superfluous(g);
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

/* ---- into the memory -------------------------------------------------------------------------------------------- */

/* Rows that readers see or can add up: a pair that is not published is known where both its answers are shown. */
static bool *rows_known(const struct gate *g) {
    bool *known = RSP_ARRAY(g->arena, bool, g->results->n);
    for (size_t i = 0; i < g->results->n; i++) known[i] = g->hidden[i] == SHOWN;
    for (size_t k = 0; k < g->fives.n; k++)
        for (size_t side = 0; side < 2; side++) {
            const rsp_five *f = &g->fives.items[k];
            known[f->pair[side]] |= known[f->answer[3 * side]] && known[f->answer[3 * side + 1]];
        }
    return known;
}

static void remember_rows(struct gate *g) {
    const bool *known = rows_known(g);
    for (size_t i = 0; i < g->results->n; i++) {
        const rsp_row *r = &g->results->rows[i];
        if (r->base < 0) continue;
        const char *key = row_key(g, i);
        rsp_memory_put_row(g->memory, key, !known[i]);
        if (known[i] || !g->waits[i]) rsp_memory_tell_row(g->memory, key, trace_of(g, i), r->base, !known[i]);
    }
}

static void remember_everybody(rsp_memory *m) {
    const rsp_trace *all = m->tonight ? rsp_traces_find(m->tonight, RSP_TRACE_EVERYBODY) : NULL;
    if (!all) return;
    rsp_memory_put_row(m, RSP_TRACE_EVERYBODY, false);
    m->last_night = rsp_memory_tell_row(m, RSP_TRACE_EVERYBODY, all, all->n, false);
}

/* The spell that tonight's publication of the cell belongs to; a spell that it ends gets its last bounds. */
static size_t spell_of(struct gate *g, const struct linked *l, size_t k) {
    const rsp_cell_state *c = &l->state[k];
    rsp_memory *m = g->memory;
    double need = c->exposed ? 0 : c->need, need_before = c->exposed ? 0 : c->need_before;
    bool hidden = c->hidden && !c->known;
    if (!c->held) return hidden ? rsp_memory_add_spell(m, (rsp_spell){c->low, c->high, need, true}) : RSP_NONE;
    rsp_spell *before = &m->spells[l->spell[k]];
    if (hidden && c->fall + c->rise <= 0) {
        *before = (rsp_spell){fmin(c->low, c->now_low), fmin(c->high, c->now_high), fmax(need, need_before), true};
        return l->spell[k];
    }
    if (!hidden) {
        *before = (rsp_spell){fmin(c->low, c->rise), fmin(c->high, c->fall), need_before, false};
        return RSP_NONE;
    }
    *before = (rsp_spell){c->low, c->high, need_before, false};
    size_t next = rsp_memory_add_spell(m, (rsp_spell){c->now_low, c->now_high, need, true});
    rsp_memory_add_sum(m, 2, (size_t[]){l->spell[k], next}, (signed char[]){-1, 1}, c->fall, c->rise);
    return next;
}

static void remember_cell(struct gate *g, const struct linked *l, size_t k) {
    size_t spell = spell_of(g, l, k);
    rsp_memory_put_cell(g->memory, l->key[k], l->state[k].count, l->base[k], spell);
    rsp_memory_tell_cell(g->memory, l->key[k], trace_of(g, l->row[k]));
}

/* Spells that returned: tonight's own is theirs but for a few, or what tonight shows is. */
static void remember_return(struct gate *g, const struct linked *l, const struct cell_return *x) {
    size_t own = rsp_memory_cell(g->memory, l->key[x->cell])->spell;
    rsp_spell *then = &g->memory->spells[x->spell];
    if (own == RSP_NONE) {
        then->low = fmin(then->low, x->rise);
        then->high = fmin(then->high, x->fall);
    } else if (own != x->spell) {
        rsp_memory_add_sum(g->memory, 2, (size_t[]){x->spell, own}, (signed char[]){-1, 1}, x->fall, x->rise);
    }
}

/* A sum over what tonight hides; spells have their numbers by now. */
static void remember_sum(struct gate *g, const struct linked *l, const rsp_relation *r, size_t *spell,
                         signed char *sign) {
    size_t n = 0;
    for (size_t k = 0; k < r->n; k++) {
        const rsp_cell_state *c = &l->state[r->cell[k]];
        if (!c->counts) return;
        if (!c->hidden || c->known) continue;
        spell[n] = rsp_memory_cell(g->memory, l->key[r->cell[k]])->spell;
        sign[n++] = !r->fixed && k == 0 ? -1 : 1;
    }
    if (n) rsp_memory_add_sum(g->memory, n, spell, sign, 0, 0);
}

static void remember_cells(struct gate *g) {
    struct linked *l = g->linked;
    size_t *spell = rsp_malloc((l->n_cells + 1) * sizeof *spell);
    signed char *sign = rsp_malloc(l->n_cells + 1);
    for (size_t k = 0; k < l->n_cells; k++) {
        if (l->key[k] && l->state[k].counts) remember_cell(g, l, k);
        else if (l->state[k].past && l->state[k].exposed) g->memory->spells[l->spell[k]].need = 0;
    }
    for (size_t k = 0; k < l->n_returns; k++) remember_return(g, l, &l->returns[k]);
    for (size_t k = 0; k < l->tonight; k++) remember_sum(g, l, &l->relations[k], spell, sign);
    free(spell);
    free(sign);
}

/* Every item as it was left, whichever way that was. */
static void remember(struct gate *g) {
    g->joining = JOIN_ONE;
    do {
        g->changed = false;
        linked_tables(g);
        indices_of_levels(g);
        differences(g);
        choice_differences(g);
    } while (g->changed);
    remember_rows(g);
    remember_everybody(g->memory);
    remember_cells(g);
    rsp_memory_tidy(g->memory);
    g->memory->releases++;
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
static rsp_published *publish(const struct gate *g, bool preliminary, size_t n_hidden[RSP_N_HIDDEN]) {
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
    if (!g->rules->off) rsp_count_losses(p, g->study, g->results, g->hidden, dropped);
    rsp_published_index(p);
    return p;
}

rsp_published *rsp_disclose(const rsp_study *s, const rsp_results *r, rsp_memory *memory, bool preliminary,
                            rsp_diag *d) {
    rsp_arena *a = rsp_arena_new();
    struct gate g = {.study = s,
                     .rules = &s->disclosure,
                     .results = r,
                     .hidden = rsp_calloc(r->n + 1, 1),
                     .safe = rsp_map_new(),
                     .arena = a};
    size_t n_hidden[RSP_N_HIDDEN] = {0};
    g.analysis = analyses_of_rows(s, r, a);
    g.held = RSP_ARRAY(a, bool, r->n);
    g.waits = RSP_ARRAY(a, bool, r->n);
    if (!s->disclosure.off) {
        g.memory = memory;
        for (size_t i = 0; i < r->n; i++)
            if (primary(g.rules, &r->rows[i])) g.hidden[i] = PRIMARY;
        if (memory && strcmp(memory->rules, s->disclosure.digest) != 0)
            rsp_memory_start_anew(memory, s->disclosure.digest);
        if (memory) hold_against_memory(&g);
        complementary_all_ways(&g);
        if (memory) remember(&g);
    }
    rsp_published *p = publish(&g, preliminary, n_hidden);
    size_t all = n_hidden[PRIMARY] + n_hidden[COMPLEMENTARY] + n_hidden[HELD];
    if (all)
        rsp_report(
            d, RSP_NOTE, RSP_NOWHERE, NULL,
            "disclosure control: %zu of %zu results hidden (%zu by the rules, %zu so that they cannot be computed, "
            "%zu beside earlier publications)",
            all, p->n, n_hidden[PRIMARY], n_hidden[COMPLEMENTARY], n_hidden[HELD]);
    rsp_fives_free(&g.fives);
    kin_free(g.kin);
    for (size_t k = 0; k < 2; k++) linked_free(g.all_linked[k]);
    rsp_map_free(g.safe);
    free(g.hidden);
    rsp_arena_free(a);
    return p;
}
