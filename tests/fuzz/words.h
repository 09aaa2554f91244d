/* Mutations of texts by lines and words, so that what they make is still nearly what it was. Drawn from a state of the
 * caller's, which is not 0. */
#ifndef FUZZ_WORDS_H
#define FUZZ_WORDS_H

#include <stdint.h>
#include <string.h>

struct text {
    char *bytes;
    size_t size, room;
};

static inline uint64_t draw(uint64_t *state, uint64_t n) { /* xorshift64* */
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return n ? (*state * 2685821657736338717u) % n : 0;
}

/* The place [from, to) becomes `with`; nothing happens where there is no room. */
static inline void replace(struct text *t, size_t from, size_t to, const char *with, size_t length) {
    if (t->size - (to - from) + length > t->room) return;
    memmove(t->bytes + from + length, t->bytes + to, t->size - to);
    memmove(t->bytes + from, with, length);
    t->size = t->size - (to - from) + length;
}

static inline void any_line(const struct text *t, uint64_t *state, size_t *from, size_t *to) {
    size_t at = draw(state, t->size);
    *from = at;
    while (*from && t->bytes[*from - 1] != '\n') --*from;
    const char *newline = memchr(t->bytes + at, '\n', t->size - at);
    *to = newline ? (size_t) (newline - t->bytes) + 1 : t->size;
}

static inline bool in_word(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '.' ||
           c == '-';
}

static inline void any_word(const struct text *t, uint64_t *state, size_t *from, size_t *to) {
    *from = *to = draw(state, t->size);
    while (*from && in_word(t->bytes[*from - 1])) --*from;
    while (*to < t->size && in_word(t->bytes[*to])) ++*to;
}

static const char *const WORDS[] = {"0",
                                    "1",
                                    "-1",
                                    "2",
                                    "0.5",
                                    "1e308",
                                    "-1e308",
                                    "1e-320",
                                    "NaN",
                                    "99999999999",
                                    "9223372036854775807",
                                    "18446744073709551616",
                                    "1000000",
                                    "",
                                    "[]",
                                    "{}",
                                    "[[]]",
                                    "~",
                                    "null",
                                    "yes",
                                    "no",
                                    "*a",
                                    "&a",
                                    "\"",
                                    "'",
                                    "\t",
                                    ",",
                                    ";",
                                    ":",
                                    "=",
                                    "==",
                                    "${id}",
                                    "country",
                                    "all",
                                    "none",
                                    "fail",
                                    "adjust",
                                    "certainty",
                                    "taylor",
                                    "jk1",
                                    "jkn",
                                    "brr",
                                    "fay",
                                    "bootstrap",
                                    "proportion",
                                    "mean",
                                    "total",
                                    "median",
                                    "quantile",
                                    "count",
                                    "sd",
                                    "net",
                                    "top2",
                                    "ratio",
                                    "rao_scott",
                                    "t",
                                    "wald",
                                    "kruskal",
                                    "linear",
                                    "logistic",
                                    "ordinal",
                                    "poisson",
                                    "negative_binomial",
                                    "multinomial",
                                    "ml",
                                    "mlr",
                                    "equal",
                                    "population",
                                    "sample",
                                    "raking",
                                    "logit",
                                    "set-aside",
                                    "proportional",
                                    "drop",
                                    "flag",
                                    "set-missing",
                                    "select_one",
                                    "select_multiple",
                                    "rank",
                                    "integer",
                                    "decimal",
                                    "date",
                                    "text",
                                    "N/A",
                                    "\xEF\xBB\xBF",
                                    "\xFF\xFE",
                                    "(",
                                    ")",
                                    "*",
                                    "+",
                                    "^9",
                                    "1:2"};

static inline void mutate_once(struct text *t, uint64_t *state) {
    size_t from, to, a, b;
    char kept[512];
    switch (draw(state, 8)) {
    case 0: /* a line goes */
        any_line(t, state, &from, &to);
        replace(t, from, to, "", 0);
        return;
    case 1: /* a line comes again elsewhere */
    case 2:
        any_line(t, state, &a, &b);
        any_line(t, state, &from, &to);
        if (b - a > sizeof kept) b = a + sizeof kept;
        memcpy(kept, t->bytes + a, b - a);
        replace(t, from, draw(state, 2) ? to : from, kept, b - a);
        return;
    case 3: /* a word becomes another of the study */
    case 4:
        any_word(t, state, &a, &b);
        any_word(t, state, &from, &to);
        if (b - a > sizeof kept) b = a + sizeof kept;
        memcpy(kept, t->bytes + a, b - a);
        replace(t, from, to, kept, b - a);
        return;
    case 5: /* ... or one that means something somewhere */
    case 6: {
        const char *word = WORDS[draw(state, sizeof WORDS / sizeof *WORDS)];
        any_word(t, state, &from, &to);
        replace(t, from, to, word, strlen(word));
        return;
    }
    default: /* indentation */
        any_line(t, state, &from, &to);
        if (draw(state, 2)) replace(t, from, from, "  ", 2);
        else if (to - from > 2 && memcmp(t->bytes + from, "  ", 2) == 0) replace(t, from, from + 2, "", 0);
    }
}

#endif
