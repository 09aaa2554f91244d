/* Names of sheets, as readers of the tabs see them: a number, and as much of the title as a name may hold. That is its
 * first words; or, where another title begins with them too, those around the word that tells it from the others. */
#include "workbook.h"

#include <string.h>

#include <unicode/utf16.h>
#include <unicode/utf8.h>

/* In UTF-16 units, as spreadsheets count. */
enum { LONGEST_NAME = 31 };

static void put(rsp_buf *b, UChar32 c) {
    char bytes[U8_MAX_LENGTH + 1];
    int32_t n = 0;
    U8_APPEND_UNSAFE(bytes, n, c);
    bytes[n] = '\0';
    rsp_buf_puts(b, bytes);
}

static bool at_space(const rsp_buf *b) { return b->length == 0 || b->data[b->length - 1] == ' '; }

/* What spreadsheets forbid in names gives way to what reads alike; question marks and stars vanish. */
static void put_allowed(rsp_buf *b, UChar32 c) {
    switch (c) {
    case '/':
    case '\\': rsp_buf_puts(b, "-"); break;
    case '[': rsp_buf_puts(b, "("); break;
    case ']': rsp_buf_puts(b, ")"); break;
    case '\'': rsp_buf_puts(b, "\u2019"); break;
    case '?':
    case '*': break;
    default: put(b, c);
    }
}

/* A dash between words; within one, as in "Bürger:innen", what reads alike. */
static void put_colon(rsp_buf *b, char next) {
    bool within = !at_space(b) && next && !strchr(" \t\n", next);
    if (!within && !at_space(b)) rsp_buf_puts(b, " ");
    rsp_buf_puts(b, within ? "_" : "\u2013");
}

static bool is_space(UChar32 c) {
    return c <= 0x20 || c == 0x7f || c == 0xa0 || c == 0x202f || c == 0x2028 || c == 0x2029;
}

static const char *allowed(rsp_arena *a, const char *title) {
    rsp_buf b = {0};
    int32_t n = (int32_t) strlen(title);
    for (int32_t k = 0; k < n;) {
        UChar32 c;
        U8_NEXT_OR_FFFD(title, k, n, c);
        if (c == ':') put_colon(&b, title[k]);
        else if (!is_space(c)) put_allowed(&b, c);
        else if (!at_space(&b)) rsp_buf_puts(&b, " ");
    }
    const char *said = rsp_strdup(a, b.length ? b.data : "");
    rsp_buf_free(&b);
    return said;
}

/* Bytes of the text that take up to `room` units. */
static size_t fitting(const char *text, size_t room) {
    int32_t n = (int32_t) strlen(text), k = 0, end = 0;
    for (size_t used = 0; k < n; end = k) {
        UChar32 c;
        U8_NEXT_OR_FFFD(text, k, n, c);
        used += U16_LENGTH(c);
        if (used > room) break;
    }
    return (size_t) end;
}

static bool ends_with(const char *text, size_t n, const char *tail) {
    size_t m = strlen(tail);
    return n >= m && memcmp(text + n - m, tail, m) == 0;
}

/* Length without the signs and spaces that lead on to what is cut. */
static size_t trimmed(const char *text, size_t n) {
    static const char *const signs[] = {" ", ",", ";", "-", "\u2013", "("};
    for (size_t k = 0; k < sizeof signs / sizeof *signs;) {
        bool found = ends_with(text, n, signs[k]);
        if (found) n -= strlen(signs[k]);
        k = found ? 0 : k + 1;
    }
    return n;
}

/* The place of a bracket that is open at n, or n. */
static size_t open_bracket(const char *text, size_t n) {
    for (size_t k = n; k-- > 0 && text[k] != ')';)
        if (text[k] == '(') return k;
    return n;
}

/* Bytes of the text's first whole words that take up to `room` units with an ellipsis behind them. `whole`: nothing is
 * missed behind them but, perhaps, what stands in brackets. */
static size_t first_words(const char *text, size_t room, bool *whole) {
    size_t n = fitting(text, room);
    *whole = true;
    if (!text[n]) return trimmed(text, n);
    n = fitting(text, room - 1);
    size_t word = n;
    if (text[n] != ' ')
        while (word && text[word - 1] != ' ') word--;
    if (trimmed(text, word)) n = word; /* else one long word */
    size_t bracket = open_bracket(text, n);
    *whole = bracket < n && trimmed(text, bracket);
    return trimmed(text, *whole ? bracket : n);
}

/* The end of the first word that two texts do not share, in the first of them. */
static size_t telling_word(const char *text, const char *other) {
    size_t k = 0;
    while (text[k] && text[k] == other[k]) k++;
    while (k && text[k - 1] != ' ') k--;
    while (text[k] == ' ' || strncmp(text + k, "\u2013 ", 4) == 0) k += text[k] == ' ' ? 1 : 4;
    return k + strcspn(text + k, " ");
}

/* Where the words have to reach that tell this text from all others that begin like its first n bytes, or 0. */
static size_t reach_to_tell(const char *const *texts, size_t n_texts, size_t own, size_t n) {
    size_t reach = 0;
    for (size_t k = 0; k < n_texts; k++) {
        if (k == own || strncmp(texts[k], texts[own], n) || strcmp(texts[k], texts[own]) == 0) continue;
        size_t end = telling_word(texts[own], texts[k]);
        if (end > reach) reach = end;
    }
    return reach > n ? reach : 0;
}

/* The words to begin with, so that those up to `reach` fit. */
static const char *late_words(const char *text, size_t reach, size_t room) {
    size_t k = 0;
    while (k < reach && k + fitting(text + k, room) < reach) {
        k += strcspn(text + k, " ");
        k += strspn(text + k, " ");
        if (strncmp(text + k, "\u2013 ", 4) == 0) k += 4;
    }
    return k < reach ? text + k : text;
}

static const char *words_of(rsp_arena *a, const char *const *texts, size_t n_texts, size_t own, size_t room) {
    bool whole;
    const char *text = texts[own];
    size_t n = first_words(text, room, &whole);
    size_t reach = whole && !text[n] ? 0 : reach_to_tell(texts, n_texts, own, n);
    const char *from = reach ? late_words(text, reach, room - 2) : text;
    if (from == text) return rsp_printf(a, "%.*s%s", (int) n, text, whole ? "" : "\u2026");
    n = first_words(from, room - 1, &whole);
    return rsp_printf(a, "\u2026%.*s%s", (int) n, from, whole ? "" : "\u2026");
}

const char **rsp_book_sheet_names(rsp_arena *a, const char *const *titles, size_t n) {
    const char **texts = RSP_ARRAY(a, const char *, n), **names = RSP_ARRAY(a, const char *, n);
    for (size_t k = 0; k < n; k++) texts[k] = allowed(a, titles[k]);
    for (size_t k = 0; k < n; k++) {
        const char *number = rsp_printf(a, "%02zu", k + 1);
        const char *words = words_of(a, texts, n, k, LONGEST_NAME - strlen(number) - 1);
        names[k] = *words ? rsp_printf(a, "%s %s", number, words) : number;
    }
    return names;
}
