/* Cells to codes. Exact codes come first, then folded ones, then the words of any language; a word that could mean two
 * things is never resolved by order. Headings to variables: headings.c; dates: dates.c. */
#include "match.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Of dates that a spreadsheet shows as numbers: 1930-01-01, 2119-01-11, 1970-01-01. */
enum { FIRST_SERIAL = 10959, LAST_SERIAL = 80000, DAYS_TO_1970 = 25569 };

/* ---- what the instrument calls things --------------------------------------------------------------------------- */

/* Adds a key, or marks it as ambiguous if it stands for something else already. rsp_map keeps the first value, so
 * ambiguity is a second key: the first one with a byte in front that no folded text begins with. */
static void add_word(rsp_map *m, const char *key, size_t length, size_t value) {
    if (!length) return;
    if (rsp_map_put_n(m, key, length, value) || rsp_map_get_n(m, key, length) == value) return;
    rsp_buf marked = {0};
    rsp_buf_putc(&marked, '\x01');
    rsp_buf_add(&marked, key, length);
    rsp_map_put_n(m, marked.data, marked.length, value);
    rsp_buf_free(&marked);
}

size_t rsp_matcher_word(const rsp_map *m, const char *key, size_t length, bool *ambiguous) {
    size_t value = rsp_map_get_n(m, key, length);
    if (value == RSP_NONE) return RSP_NONE;
    char small[256];
    char *marked = length < sizeof small ? small : rsp_malloc(length + 1);
    marked[0] = '\x01';
    memcpy(marked + 1, key, length);
    if (rsp_map_get_n(m, marked, length + 1) != RSP_NONE) *ambiguous = true;
    if (marked != small) free(marked);
    return value;
}

static void add_folded(rsp_map *m, const char *text, size_t value, rsp_buf *room) {
    rsp_fold(text, strlen(text), room);
    add_word(m, room->data, room->length, value);
}

static void list_prepare(struct rsp_list_names *n, const rsp_list *l, rsp_buf *room) {
    n->list = l;
    n->codes = rsp_map_new();
    n->folded = rsp_map_new();
    n->words = rsp_map_new();
    for (size_t k = 0; k < l->n; k++) {
        const rsp_choice *c = &l->choices[k];
        rsp_map_put(n->codes, c->code, k);
        add_folded(n->folded, c->code, k, room);
        for (size_t w = 0; w < c->label.n; w++) add_folded(n->words, c->label.wording[w].text, k, room);
        for (size_t w = 0; w < c->n_aliases; w++) add_folded(n->words, c->aliases[w], k, room);
    }
}

/* Q5[SQ001] is Q5_SQ001 in an export with ExpressionScript names and Q5.SQ001. after R. */
static void add_bracket_forms(rsp_matcher *m, const char *name, size_t variable, rsp_buf *room) {
    if (!strchr(name, '[')) return;
    rsp_buf under = {0}, dots = {0};
    for (const char *c = name; *c; c++) {
        if (*c != ']') rsp_buf_putc(&under, *c == '[' ? '_' : *c);
        rsp_buf_putc(&dots, *c == '[' || *c == ']' ? '.' : *c);
    }
    add_folded(m->loose, under.data, variable, room);
    add_folded(m->loose, dots.data, variable, room);
    rsp_buf_free(&under);
    rsp_buf_free(&dots);
}

static void add_name(rsp_matcher *m, const char *name, size_t variable, rsp_buf *room) {
    add_word(m->names, name, strlen(name), variable);
    add_folded(m->loose, name, variable, room);
    add_bracket_forms(m, name, variable, room);
}

rsp_matcher *rsp_matcher_new(const rsp_study *s, const bool *used) {
    rsp_matcher *m = rsp_calloc(1, sizeof *m);
    rsp_buf room = {0};
    m->study = s;
    m->used = used;
    m->names = rsp_map_new();
    m->loose = rsp_map_new();
    m->labels = rsp_map_new();
    m->lists = rsp_calloc(s->n_variables, sizeof *m->lists);
    for (size_t j = 0; j < s->n_variables; j++) {
        const rsp_variable *v = &s->variables[j];
        if (!rsp_is_question(v)) continue;
        add_name(m, v->name, j, &room);
        for (size_t k = 0; k < v->n_export_names; k++) add_name(m, v->export_names[k], j, &room);
        for (size_t k = 0; k < v->label.n; k++) add_folded(m->labels, v->label.wording[k].text, j, &room);
        size_t l = 0;
        while (v->list && l < m->n_lists && m->lists[l].list != v->list) l++;
        if (v->list && l == m->n_lists) list_prepare(&m->lists[m->n_lists++], v->list, &room);
    }
    rsp_buf_free(&room);
    return m;
}

void rsp_matcher_free(rsp_matcher *m) {
    if (!m) return;
    for (size_t l = 0; l < m->n_lists; l++) {
        rsp_map_free(m->lists[l].codes);
        rsp_map_free(m->lists[l].folded);
        rsp_map_free(m->lists[l].words);
    }
    free(m->lists);
    rsp_map_free(m->names);
    rsp_map_free(m->loose);
    rsp_map_free(m->labels);
    free(m);
}

/* ---- cells ------------------------------------------------------------------------------------------------------ */

const struct rsp_list_names *rsp_matcher_list(const rsp_matcher *m, const rsp_list *l) {
    for (size_t k = 0; k < m->n_lists; k++)
        if (m->lists[k].list == l) return &m->lists[k];
    assert(!"a list of no question");
    return NULL;
}

static int found(size_t value, bool ambiguous) {
    return ambiguous ? RSP_VALUE_AMBIGUOUS : value == RSP_NONE ? RSP_VALUE_NONE : (int) value;
}

/* What tools write instead of a code: their own sign for "other", Y and N. */
static int match_convention(const struct rsp_list_names *n, const char *folded) {
    static const char *const pairs[][2] = {{"-oth-", "other"}, {"y", "yes"}, {"n", "no"}};
    for (size_t k = 0; k < 3; k++) {
        if (strcmp(folded, pairs[k][0]) != 0) continue;
        bool ambiguous = false;
        size_t value = rsp_matcher_word(n->folded, pairs[k][1], strlen(pairs[k][1]), &ambiguous);
        return found(value, ambiguous);
    }
    return RSP_VALUE_NONE;
}

static int match_folded(const struct rsp_list_names *n, const rsp_buf *folded) {
    bool ambiguous = false;
    size_t value = rsp_matcher_word(n->folded, folded->data, folded->length, &ambiguous);
    if (value == RSP_NONE) value = rsp_matcher_word(n->words, folded->data, folded->length, &ambiguous);
    return found(value, ambiguous);
}

/* EUSurvey writes the identifier behind the text, `Malta(MT)`: the code counts, else the text in front of it. Several
 * such answers, parted by semicolons, are not one. */
static int match_identified(const struct rsp_list_names *n, const char *text, size_t length, rsp_buf *room) {
    while (length && text[length - 1] == ' ') length--;
    const char *open = length > 2 && text[length - 1] == ')' ? memrchr(text, '(', length) : NULL;
    if (!open || open == text) return RSP_VALUE_NONE;
    size_t code = rsp_map_get_n(n->codes, open + 1, (size_t) (text + length - 1 - (open + 1)));
    if (code != RSP_NONE && !memchr(text, ';', (size_t) (open - text))) return (int) code;
    if (open[-1] == ' ') return RSP_VALUE_NONE; /* words in brackets, not an identifier */
    rsp_fold(text, (size_t) (open - text), room);
    return match_folded(n, room);
}

static int match_in(const rsp_map *words, const char *text, size_t length, rsp_buf *room) {
    bool ambiguous = false;
    rsp_fold(text, length, room);
    size_t value = rsp_matcher_word(words, room->data, room->length, &ambiguous);
    return found(value, ambiguous);
}

int rsp_match_code(const rsp_matcher *m, const rsp_list *l, const char *text, size_t length, rsp_buf *room) {
    return match_in(rsp_matcher_list(m, l)->folded, text, length, room);
}

int rsp_match_word(const rsp_matcher *m, const rsp_list *l, const char *text, size_t length, rsp_buf *room) {
    return match_in(rsp_matcher_list(m, l)->words, text, length, room);
}

bool rsp_list_twofold(const rsp_matcher *m, const rsp_list *l) {
    rsp_buf room = {0};
    bool twofold = false;
    for (size_t k = 0; k < l->n && !twofold; k++) {
        int word = rsp_match_word(m, l, l->choices[k].code, strlen(l->choices[k].code), &room);
        twofold = word >= 0 && (size_t) word != k;
    }
    rsp_buf_free(&room);
    return twofold;
}

int rsp_match_value(const rsp_matcher *m, const rsp_list *l, const char *text, size_t length, rsp_buf *room) {
    const struct rsp_list_names *n = rsp_matcher_list(m, l);
    size_t exact = rsp_map_get_n(n->codes, text, length);
    if (exact != RSP_NONE) return (int) exact;
    rsp_fold(text, length, room);
    int value = match_folded(n, room);
    if (value != RSP_VALUE_NONE) return value;
    value = match_convention(n, room->data);
    if (value != RSP_VALUE_NONE) return value;
    value = match_identified(n, text, length, room);
    if (value != RSP_VALUE_NONE) return value;
    rsp_fold(text, length, room);
    /* Programs that hold codes as numbers with missing ones write 3 as 3.0. */
    if (room->length > 2 && memcmp(room->data + room->length - 2, ".0", 2) == 0 &&
        strspn(room->data, "0123456789") == room->length - 2) {
        room->length -= 2;
        room->data[room->length] = '\0';
        return match_folded(n, room);
    }
    return RSP_VALUE_NONE;
}

bool rsp_is_not_available(const char *text, size_t length) {
    return (length == 2 && memcmp(text, "NA", 2) == 0) || (length == 3 && strncasecmp(text, "N/A", 3) == 0) ||
           (length == 4 && strncasecmp(text, "#N/A", 4) == 0);
}

int rsp_match_tick(const char *text, size_t length, rsp_buf *room) {
    static const char *const yes[] = {"y",   "yes", "1",  "1.0", "true", "x",  "checked", "selected", "ja", "oui",
                                      "tak", "sim", "da", "sí",  "si",   "sì", "kyllä",   "jah",      "ano"};
    static const char *const no[] = {"n",   "no",  "0",   "0.0", "false", "unchecked", "not selected", "nein",
                                     "nej", "non", "nie", "não", "nu",    "nee",       "ei",           "ne"};
    if (rsp_is_not_available(text, length)) return RSP_NA_NOT_SHOWN;
    rsp_fold(text, length, room);
    for (size_t k = 0; k < sizeof yes / sizeof yes[0]; k++)
        if (strcmp(room->data, yes[k]) == 0) return 1;
    for (size_t k = 0; k < sizeof no / sizeof no[0]; k++)
        if (strcmp(room->data, no[k]) == 0) return 0;
    return RSP_NO_TICK;
}

/* ---- how far an answer is from how the study writes it ---------------------------------------------------------- */

bool rsp_match_alike(const char *text, size_t length, const char *wording, unsigned without, rsp_buf *room) {
    rsp_buf other = {0};
    rsp_fold_but(text, length, without, room);
    rsp_fold_but(wording, strlen(wording), without, &other);
    bool same = room->length == other.length && memcmp(room->data, other.data, other.length) == 0;
    rsp_buf_free(&other);
    return same;
}

/* The kinds of folding without which the two would differ; RSP_FOLD_EXCEL where they differ in any case. */
static unsigned distance(const char *text, size_t length, const char *wording, rsp_buf *room) {
    unsigned kinds = 0;
    if (strlen(wording) == length && memcmp(wording, text, length) == 0) return 0;
    if (!rsp_match_alike(text, length, wording, 0, room)) return RSP_FOLD_EXCEL;
    for (unsigned k = 1; k < RSP_FOLD_EXCEL; k <<= 1)
        if (!rsp_match_alike(text, length, wording, k, room)) kinds |= k;
    return kinds;
}

unsigned rsp_match_folds(const rsp_list *l, size_t k, const char *text, size_t length, rsp_buf *room) {
    const rsp_choice *c = &l->choices[k];
    unsigned best = distance(text, length, c->code, room);
    size_t n = c->label.n + c->n_aliases;
    for (size_t w = 0; w < n && best; w++) {
        const char *wording = w < c->label.n ? c->label.wording[w].text : c->aliases[w - c->label.n];
        unsigned kinds = distance(text, length, wording, room);
        if (!kinds || best == RSP_FOLD_EXCEL) best = kinds;
    }
    return best == RSP_FOLD_EXCEL ? 0 : best;
}

/* ---- what spreadsheets do to answers ---------------------------------------------------------------------------- */

/* Two whole numbers with a dash or slash between them, as in "1-2" and "10 – 14". */
static bool range_of(const char *text, int *from, int *to) {
    rsp_buf folded = {0};
    int used = 0;
    rsp_fold(text, strlen(text), &folded);
    bool good = sscanf(folded.data, "%d - %d%n", from, to, &used) == 2 ||
                sscanf(folded.data, "%d / %d%n", from, to, &used) == 2;
    good = good && (size_t) used == folded.length && *from >= 0 && *to >= 0;
    rsp_buf_free(&folded);
    return good;
}

/* A date as a spreadsheet shows it: 2026-02-01, 01.02.2026, 1-Feb, Feb-01; day or two-digit year in `other`. */
static bool short_date(const char *text, size_t length, int *month, int *other) {
    static const char *const months[] = {"jan", "feb", "mar", "apr", "may", "jun",
                                         "jul", "aug", "sep", "oct", "nov", "dec"};
    static const char *const elsewhere[] = {"mai", "okt", "dez", "dec"};
    static const int of_elsewhere[] = {5, 10, 12, 12};
    char copy[32], name[4];
    int year, n = 0;
    if (length >= sizeof copy) return false;
    memcpy(copy, text, length);
    copy[length] = '\0';
    if (sscanf(copy, "%4d-%2d-%2d%n", &year, month, other, &n) == 3 && n == 10 && (!copy[n] || copy[n] == ' ')) {
        if (*other == 1 && year < 2000) *other = year % 100; /* 10-49 became October 1949 */
        return true;
    }
    if (sscanf(copy, "%2d.%2d.%4d%n", other, month, &year, &n) == 3 && copy[n] == '\0') return true;
    bool day_first = sscanf(copy, "%2d%*[-. ]%3[A-Za-z]%n", other, name, &n) == 2;
    if (!day_first && sscanf(copy, "%3[A-Za-z]%*[-. ]%2d%n", name, other, &n) != 2) return false;
    if (copy[n] == '.') n++;
    if (copy[n]) return false;
    for (*month = 1; *month <= 12; (*month)++)
        if (strcasecmp(name, months[*month - 1]) == 0) return true;
    for (size_t k = 0; k < sizeof elsewhere / sizeof *elsewhere; k++)
        if (strcasecmp(name, elsewhere[k]) == 0) {
            *month = of_elsewhere[k];
            return true;
        }
    return false;
}

/* The same of a date that was shown as a number: days since 1899-12-30. */
static bool serial_date(double x, int *month, int *other) {
    if (!(x >= FIRST_SERIAL && x <= LAST_SERIAL) || x != floor(x)) return false;
    time_t seconds = (time_t) ((x - DAYS_TO_1970) * 86400);
    struct tm day;
    gmtime_r(&seconds, &day);
    *month = day.tm_mon + 1;
    *other = day.tm_mday == 1 && day.tm_year < 100 ? day.tm_year : day.tm_mday;
    return true;
}

bool rsp_is_range(const char *text) {
    int from, to;
    return range_of(text, &from, &to);
}

bool rsp_may_be_range(const char *text, size_t length) {
    int month, other;
    return short_date(text, length, &month, &other);
}

static bool same_range(const char *wording, int month, int other) {
    int from, to;
    return range_of(wording, &from, &to) && ((from == month && to == other) || (from == other && to == month));
}

static bool same_number(const char *code, double x) {
    double y;
    return rsp_parse_double(code, strlen(code), '.', &y) && x == y;
}

static bool has_range(const rsp_choice *c, int month, int other) {
    bool same = same_range(c->code, month, other);
    for (size_t w = 0; w < c->label.n && !same; w++) same = same_range(c->label.wording[w].text, month, other);
    return same;
}

int rsp_match_damaged(const rsp_list *l, const char *text, size_t length) {
    double x = NAN;
    int month = 0, other = 0, found_at = RSP_VALUE_NONE;
    if (!rsp_parse_double(text, length, '.', &x) && !rsp_parse_double(text, length, ',', &x)) x = NAN;
    bool date = isnan(x) ? short_date(text, length, &month, &other) : serial_date(x, &month, &other);
    for (size_t k = 0; k < l->n && (date || !isnan(x)); k++) {
        const rsp_choice *c = &l->choices[k];
        bool same = (!isnan(x) && same_number(c->code, x)) || (date && has_range(c, month, other));
        if (same) found_at = found_at == RSP_VALUE_NONE ? (int) k : RSP_VALUE_AMBIGUOUS;
    }
    return found_at;
}

/* ---- cells that hold several answers ---------------------------------------------------------------------------- */

enum { MOST_PIECES = 200 };

static bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

void rsp_cell_trim(const char **text, size_t *length) {
    while (*length && is_space(**text)) (*text)++, (*length)--;
    while (*length && is_space((*text)[*length - 1])) (*length)--;
}

/* Ends of the pieces of a cell at a separator; 0 if there are too many. */
static size_t cut_pieces(const char *text, size_t length, char separator, size_t ends[MOST_PIECES]) {
    size_t n = 0;
    for (size_t i = 0; i <= length; i++) {
        if (i < length && text[i] != separator) continue;
        if (n == MOST_PIECES) return 0;
        ends[n++] = i;
    }
    return n;
}

static int match_piece(const rsp_matcher *m, const rsp_list *l, const char *text, size_t from, size_t to,
                       rsp_buf *room) {
    const char *piece = text + from;
    size_t length = to - from;
    rsp_cell_trim(&piece, &length);
    return length ? rsp_match_value(m, l, piece, length, room) : RSP_VALUE_NONE;
}

static bool blank_piece(const char *text, size_t from, size_t to) {
    while (from < to && is_space(text[from])) from++;
    return from == to;
}

/* Pieces from the left, each as long as possible, since labels may hold the separator. */
static bool match_with(const rsp_matcher *m, const rsp_list *l, const char *text, size_t length, char separator,
                       uint8_t *chosen, rsp_buf *room) {
    size_t ends[MOST_PIECES], n = cut_pieces(text, length, separator, ends), at = 0;
    bool all = n > 0;
    int place = 0;
    memset(chosen, 0, l->n);
    for (size_t k = 0; k < n;) {
        size_t last = n - 1 < k + 8 ? n - 1 : k + 8; /* a label holds few separators */
        int value = RSP_VALUE_NONE;
        size_t e = last;
        for (;; e--) {
            value = match_piece(m, l, text, at, ends[e], room);
            if (value >= 0 || e == k) break;
        }
        if (value >= 0 && !chosen[value]) chosen[value] = (uint8_t) ++place;
        if (value < 0 && !blank_piece(text, at, ends[e])) all = false;
        at = ends[e] + 1;
        k = e + 1;
    }
    return all && place > 0;
}

bool rsp_match_several(const rsp_matcher *m, const rsp_list *l, const char *text, size_t length, uint8_t *chosen,
                       rsp_buf *room) {
    static const char separators[] = {';', '|', '\n', ',', ' '};
    uint8_t *best = rsp_calloc(l->n, 1);
    size_t most = 0;
    bool all = false;
    for (size_t k = 0; k < sizeof separators && !all; k++) {
        all = match_with(m, l, text, length, separators[k], chosen, room);
        size_t n = 0;
        for (size_t c = 0; c < l->n; c++) n += chosen[c] != 0;
        if (n > most || all) {
            most = n;
            memcpy(best, chosen, l->n);
        }
    }
    memcpy(chosen, best, l->n);
    free(best);
    return all;
}
