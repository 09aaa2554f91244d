#include "results/collapse.h"

#include <stdlib.h>
#include <string.h>

enum { MIDDLE = 2, WORTH_ALL = 10, WORTH_FOUR = 8, WORTH_THREE = 7, WORTH_ANSWER = 2 };

bool rsp_is_pair(const rsp_row *r) { return strcmp(r->statistic, "proportion_collapsed") == 0; }

static bool is_answer(const rsp_row *r) { return strcmp(r->statistic, "proportion") == 0; }

static const char *distribution(rsp_arena *a, const rsp_row *r) {
    return rsp_printf(a, "%s\x1f%s\x1f%s", r->analysis, r->domain, r->term);
}

/* Rows of a distribution stand in the order of its answers, then of its pairs. */
rsp_fives rsp_fives_find(const rsp_results *r, rsp_arena *a) {
    rsp_fives f = {0};
    rsp_map *keys = rsp_map_new();
    struct seen {
        unsigned char answers, pairs;
    } *seen = rsp_calloc(r->n + 1, sizeof *seen);
    for (size_t i = 0; i < r->n; i++) { /* those that have pairs */
        const char *key = rsp_is_pair(&r->rows[i]) ? distribution(a, &r->rows[i]) : NULL;
        if (key && rsp_map_put(keys, key, f.n)) RSP_PUSH(f.items, f.n, f.capacity, (rsp_five){0});
    }
    for (size_t i = 0; f.n && i < r->n; i++) {
        bool pair = rsp_is_pair(&r->rows[i]);
        if (!pair && !is_answer(&r->rows[i])) continue;
        size_t k = rsp_map_get(keys, distribution(a, &r->rows[i]));
        if (k == RSP_NONE) continue;
        if (pair && seen[k].pairs < 2) f.items[k].pair[seen[k].pairs++] = i;
        if (!pair && seen[k].answers < RSP_FIVE) f.items[k].answer[seen[k].answers++] = i;
    }
    free(seen);
    rsp_map_free(keys);
    return f;
}

void rsp_fives_free(rsp_fives *f) {
    free(f->items);
    *f = (rsp_fives){0};
}

static bool pair_has_hidden(const rsp_five *f, size_t side, const unsigned char *hidden) {
    return hidden[f->answer[3 * side]] != SHOWN || hidden[f->answer[3 * side + 1]] != SHOWN;
}

static bool any_hidden(const rsp_five *f, const unsigned char *hidden) {
    return pair_has_hidden(f, 0, hidden) || pair_has_hidden(f, 1, hidden) || hidden[f->answer[MIDDLE]] != SHOWN;
}

static bool can_collapse(const rsp_five *f, const unsigned char *hidden) {
    return hidden[f->pair[0]] == SHOWN && hidden[f->pair[1]] == SHOWN && hidden[f->answer[MIDDLE]] == SHOWN;
}

static bool set_if_shown(unsigned char *hidden, size_t row, rsp_hidden to) {
    if (hidden[row] != SHOWN) return false;
    hidden[row] = (unsigned char) to;
    return true;
}

bool rsp_collapse(const rsp_results *r, const rsp_fives *f, rsp_joining how, unsigned char *hidden) {
    bool changed = false;
    for (size_t k = 0; k < f->n; k++) {
        const rsp_five *x = &f->items[k];
        if (r->rows[x->answer[0]].base == 0 || !any_hidden(x, hidden)) continue;
        bool can = can_collapse(x, hidden);
        for (size_t side = 0; side < 2; side++) {
            /* A pair that nobody chose says that nobody chose either of them. */
            bool both = can && how == JOIN_BOTH && r->rows[x->pair[side]].cell > 0;
            if (!both && !pair_has_hidden(x, side, hidden)) continue;
            for (size_t j = 0; can && j < 2; j++)
                changed |= set_if_shown(hidden, x->answer[3 * side + j], COMPLEMENTARY);
            if (!can) changed |= set_if_shown(hidden, x->pair[side], UNPRINTED);
        }
    }
    return changed;
}

bool rsp_is_collapsed(const rsp_results *r, const rsp_five *f, size_t side, const unsigned char *hidden) {
    return r->rows[f->answer[0]].base != 0 && pair_has_hidden(f, side, hidden) && can_collapse(f, hidden);
}

int rsp_collapse_worth(const rsp_results *r, const rsp_five *f, const unsigned char *hidden) {
    int pairs = rsp_is_collapsed(r, f, 0, hidden) + rsp_is_collapsed(r, f, 1, hidden), shown = 0;
    if (pairs) return pairs == 2 ? WORTH_THREE : WORTH_FOUR;
    for (size_t k = 0; k < RSP_FIVE; k++) shown += hidden[f->answer[k]] == SHOWN;
    return shown == RSP_FIVE ? WORTH_ALL : WORTH_ANSWER * shown;
}
