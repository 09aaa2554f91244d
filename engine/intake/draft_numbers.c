/* `responsive new`: what numbers are about. A scale from 0 to 10 is summed up by a mean, a weight by nothing, and a number of
 * which some respondents gave a hundred times as much as the others by its median. */
#include "draft.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    FAR = 10 /* times the value that nine of ten do not exceed */,
    LEAST_NUMBERS = 20,
    FIRST_YEAR = 1850,
    LAST_YEAR = 2100
};

/* ---- answers that are numbers ----------------------------------------------------------------------------------- */

/* "7", "10 (All my time)", "0 - Not at all": the number that the label begins with and has no other beside it; NAN. */
static double number_in_front(const char *label) {
    const char *at = label;
    double x = 0;
    while (isdigit((unsigned char) *at)) x = x * 10 + (*at++ - '0');
    if (at == label || at - label > 3) return NAN;
    bool plain = !*at || (strchr(" )-:=.", *at) && !strpbrk(at, "0123456789/%<>+"));
    return plain ? x : NAN;
}

static double code_number(const rsp_draft_value *v) {
    const char *code = v->raw ? v->raw : v->code;
    double x;
    return code && rsp_parse_double(code, strlen(code), '.', &x) ? x : NAN;
}

/* Half of the answers at least have no words but their number; those with words are the ends, or their code is one. */
void rsp_draft_count(rsp_draft_list *l) {
    size_t answers = 0, bare = 0, known = 0;
    bool rising = true;
    double before = -INFINITY;
    for (size_t k = 0; k < l->n; k++) {
        rsp_draft_value *v = &l->values[k];
        double in_front = number_in_front(v->label);
        if (v->missing) continue;
        answers++;
        bare += !isnan(in_front) && strspn(v->label, "0123456789") == strlen(v->label);
        v->value = !isnan(in_front) ? in_front : code_number(v);
        known += !isnan(v->value);
        rising = rising && v->value >= before;
        before = v->value;
    }
    l->numbered = rising && answers >= 3 && known == answers && bare * 2 >= answers;
    l->ordinal = l->ordinal || l->numbered;
}

/* ---- numbers that respondents gave ------------------------------------------------------------------------------ */

struct number {
    double x;
    size_t n;
};

static int compare_numbers(const void *a, const void *b) {
    double x = ((const struct number *) a)->x, y = ((const struct number *) b)->x;
    return (x > y) - (x < y);
}

/* What nine of ten do not exceed; NAN where too few, or too many different ones, are known. */
static double ninth_decile(const rsp_profile *p) {
    struct number *all = rsp_malloc(p->n_spellings * sizeof *all);
    size_t n = 0, answers = 0, below = 0;
    double found = NAN;
    for (size_t k = 0; k < p->n_spellings; k++) {
        const rsp_spelling *s = &p->spellings[k];
        if (!rsp_parse_double(s->text, s->length, '.', &all[n].x) &&
            !rsp_parse_double(s->text, s->length, ',', &all[n].x))
            continue;
        all[n].n = s->n;
        answers += all[n++].n;
    }
    if (n) qsort(all, n, sizeof *all, compare_numbers);
    for (size_t k = 0; k < n && answers >= LEAST_NUMBERS && !p->many && isnan(found); k++) {
        below += all[k].n;
        if (below * 10 >= answers * 9) found = all[k].x;
    }
    free(all);
    return found;
}

/* Words of a heading that says weight, where other words of it may stand before and behind. */
static bool says_weight(const char *folded) {
    static const char *const words[] = {"weight",      "gewicht", "wght",       "vægt",
                                        "pondération", "waga",    "ponderação", "ponderare"};
    for (size_t k = 0; k < sizeof words / sizeof *words; k++)
        if (strstr(folded, words[k])) return true;
    return false;
}

/* Nobody weighs less than a kilogram: numbers of a weight of respondents lie on both sides of 1. */
static bool is_weight(rsp_draft *x, const rsp_draft_column *c) {
    const rsp_profile *p = &c->profile;
    return (says_weight(rsp_draft_folded(x, c->code)) || says_weight(rsp_draft_folded(x, c->label))) && p->decimal &&
           p->least >= 0 && p->least < 1;
}

/* Whole numbers of the years that people live in. */
static bool is_year(const rsp_profile *p) {
    return p->whole == p->answered && p->least >= FIRST_YEAR && p->greatest <= LAST_YEAR;
}

void rsp_draft_describe_number(rsp_draft *x, const rsp_draft_column *c, rsp_draft_item *item) {
    if (item->type != RSP_DRAFT_INTEGER && item->type != RSP_DRAFT_DECIMAL) return;
    double most = ninth_decile(&c->profile);
    item->weight = is_weight(x, c);
    item->year = is_year(&c->profile);
    item->skewed = most > 0 && c->profile.greatest > FAR * most;
}

size_t rsp_draft_rarest(const rsp_draft_column *c) {
    const rsp_profile *p = &c->profile;
    size_t least = p->many || !p->n_spellings ? 0 : p->answered;
    for (size_t k = 0; k < p->n_spellings; k++)
        if (p->spellings[k].n < least) least = p->spellings[k].n;
    return least;
}
