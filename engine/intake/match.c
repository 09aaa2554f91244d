/* Headings to variables and cells to codes. Exact codes come first, then folded ones, then the words of any language;
 * a word that could mean two things is never resolved by order. */
#include "reader.h"

#include <assert.h>
#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- what the instrument calls things --------------------------------------------------------------------------- */

struct list_names {
    const rsp_list *list;
    rsp_map *codes;  /* exact */
    rsp_map *folded; /* codes folded; value list->n: ambiguous */
    rsp_map *words;  /* labels and aliases folded, likewise */
};

struct rsp_matcher {
    const rsp_study *study;
    const bool *used;
    rsp_map *names;  /* names and export names as written -> variable */
    rsp_map *loose;  /* the same folded, brackets in other notations; n_variables: ambiguous */
    rsp_map *labels; /* folded labels; n_variables: ambiguous */
    size_t n_lists;
    struct list_names *lists;
};

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

static size_t get_word(const rsp_map *m, const char *key, size_t length, bool *ambiguous) {
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

static void list_prepare(struct list_names *n, const rsp_list *l, rsp_buf *room) {
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

static bool is_question(const rsp_variable *v) { return v->derive.kind == RSP_DERIVE_NONE && v->part_of == RSP_NONE; }

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
        if (!is_question(v)) continue;
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

static const struct list_names *names_of(const rsp_matcher *m, const rsp_list *l) {
    for (size_t k = 0; k < m->n_lists; k++)
        if (m->lists[k].list == l) return &m->lists[k];
    assert(!"a list of no question");
    return NULL;
}

static int found(size_t value, bool ambiguous) {
    return ambiguous ? RSP_VALUE_AMBIGUOUS : value == RSP_NONE ? RSP_VALUE_NONE : (int) value;
}

/* What tools write instead of a code: their own sign for "other", Y and N. */
static int match_convention(const struct list_names *n, const char *folded) {
    static const char *const pairs[][2] = {{"-oth-", "other"}, {"y", "yes"}, {"n", "no"}};
    for (size_t k = 0; k < 3; k++) {
        if (strcmp(folded, pairs[k][0]) != 0) continue;
        bool ambiguous = false;
        size_t value = get_word(n->folded, pairs[k][1], strlen(pairs[k][1]), &ambiguous);
        return found(value, ambiguous);
    }
    return RSP_VALUE_NONE;
}

static int match_folded(const struct list_names *n, const rsp_buf *folded) {
    bool ambiguous = false;
    size_t value = get_word(n->folded, folded->data, folded->length, &ambiguous);
    if (value == RSP_NONE) value = get_word(n->words, folded->data, folded->length, &ambiguous);
    return found(value, ambiguous);
}

/* EUSurvey writes the identifier behind the text, `Malta(MT)`: the code counts, else the text in front of it. Several
 * such answers, parted by semicolons, are not one. */
static int match_identified(const struct list_names *n, const char *text, size_t length, rsp_buf *room) {
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
    size_t value = get_word(words, room->data, room->length, &ambiguous);
    return found(value, ambiguous);
}

int rsp_match_code(const rsp_matcher *m, const rsp_list *l, const char *text, size_t length, rsp_buf *room) {
    return match_in(names_of(m, l)->folded, text, length, room);
}

int rsp_match_word(const rsp_matcher *m, const rsp_list *l, const char *text, size_t length, rsp_buf *room) {
    return match_in(names_of(m, l)->words, text, length, room);
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
    const struct list_names *n = names_of(m, l);
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

static bool alike(const char *text, size_t length, const char *wording, unsigned without, rsp_buf *room) {
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
    if (!alike(text, length, wording, 0, room)) return RSP_FOLD_EXCEL;
    for (unsigned k = 1; k < RSP_FOLD_EXCEL; k <<= 1)
        if (!alike(text, length, wording, k, room)) kinds |= k;
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

static bool same_range(const char *wording, int month, int other) {
    int from, to;
    return range_of(wording, &from, &to) && ((from == month && to == other) || (from == other && to == month));
}

static bool same_number(const char *code, double x) {
    double y;
    return rsp_parse_double(code, strlen(code), '.', &y) && x == y;
}

int rsp_match_damaged(const rsp_list *l, const char *text, size_t length) {
    double x = NAN;
    int month = 0, other = 0, found_at = RSP_VALUE_NONE;
    if (!rsp_parse_double(text, length, '.', &x) && !rsp_parse_double(text, length, ',', &x)) x = NAN;
    bool date = isnan(x) && short_date(text, length, &month, &other);
    for (size_t k = 0; k < l->n && (date || !isnan(x)); k++) {
        const rsp_choice *c = &l->choices[k];
        bool same = date ? same_range(c->code, month, other) : same_number(c->code, x);
        for (size_t w = 0; date && w < c->label.n; w++)
            same = same || same_range(c->label.wording[w].text, month, other);
        if (same) found_at = found_at == RSP_VALUE_NONE ? (int) k : RSP_VALUE_AMBIGUOUS;
    }
    return found_at;
}

/* ---- cells that hold several answers ---------------------------------------------------------------------------- */

enum { MOST_PIECES = 200 };

static bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

static void trim(const char **text, size_t *length) {
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
    trim(&piece, &length);
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

/* ---- dates ------------------------------------------------------------------------------------------------------ */

static bool digits(const char **at, const char *end, int n, int *value) {
    *value = 0;
    for (int k = 0; k < n; k++, (*at)++) {
        if (*at == end || **at < '0' || **at > '9') return false;
        *value = *value * 10 + (**at - '0');
    }
    return true;
}

static bool sign(const char **at, const char *end, char c) {
    if (*at == end || **at != c) return false;
    (*at)++;
    return true;
}

/* Days since 1970-01-01 in the Gregorian calendar: years begin in March, so that the leap day is the last. */
static long days_from_civil(int year, int month, int day) {
    long y = month <= 2 ? year - 1 : year, era = y / 400, of_era = y - era * 400;
    long of_year = (153L * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

static bool date_exists(int year, int month, int day) {
    static const int length[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    if (year < 1 || month < 1 || month > 12 || day < 1) return false;
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return day <= length[month - 1] + (month == 2 && leap);
}

static bool parse_clock(const char **at, const char *end, double *seconds) {
    int hour, minute, second = 0;
    if (!digits(at, end, 2, &hour) || !sign(at, end, ':') || !digits(at, end, 2, &minute)) return false;
    if (sign(at, end, ':') && !digits(at, end, 2, &second)) return false;
    if (hour > 23 || minute > 59 || second > 60) return false;
    *seconds = hour * 3600.0 + minute * 60.0 + second;
    double unit = 0.1;
    if (*at != end && **at == '.') {
        (*at)++;
        for (; *at != end && **at >= '0' && **at <= '9'; (*at)++, unit /= 10) *seconds += (**at - '0') * unit;
    }
    return true;
}

/* "Z", "+02", "+0200", "+02:00": seconds to take away. */
static bool parse_offset(const char **at, const char *end, double *seconds) {
    *seconds = 0;
    if (*at == end || sign(at, end, 'Z')) return true;
    int hour, minute = 0;
    bool east = **at == '+';
    if (!east && **at != '-') return false;
    (*at)++;
    if (!digits(at, end, 2, &hour)) return false;
    sign(at, end, ':');
    if (*at != end && !digits(at, end, 2, &minute)) return false;
    *seconds = (east ? 1 : -1) * (hour * 3600.0 + minute * 60.0);
    return true;
}

bool rsp_parse_date(const char *text, size_t length, double *seconds) {
    trim(&text, &length);
    const char *at = text, *end = text + length;
    int year, month, day;
    double clock = 0, offset = 0;
    if (!digits(&at, end, 4, &year) || !sign(&at, end, '-') || !digits(&at, end, 2, &month) || !sign(&at, end, '-') ||
        !digits(&at, end, 2, &day) || !date_exists(year, month, day))
        return false;
    if (at != end) {
        if (*at != 'T' && *at != ' ') return false;
        at++;
        if (!parse_clock(&at, end, &clock) || !parse_offset(&at, end, &offset)) return false;
    }
    if (at != end) return false;
    *seconds = (double) days_from_civil(year, month, day) * 86400.0 + clock - offset;
    return true;
}

static bool up_to(const char **at, const char *end, int least, int most, int *value) {
    int n = 0;
    *value = 0;
    for (; n < most && *at != end && **at >= '0' && **at <= '9'; n++, (*at)++) *value = *value * 10 + (**at - '0');
    return n >= least;
}

static bool parse_half_day(const char **at, const char *end, double *clock) {
    while (*at != end && **at == ' ') (*at)++;
    if (end - *at == 2 && ((*at)[1] == 'M' || (*at)[1] == 'm') && strchr("AaPp", (*at)[0])) {
        bool after_noon = (*at)[0] == 'P' || (*at)[0] == 'p', twelve = *clock >= 12 * 3600.0;
        if (*clock >= 13 * 3600.0) return false;
        *clock += after_noon && !twelve ? 12 * 3600.0 : !after_noon && twelve ? -12 * 3600.0 : 0;
        *at = end;
    }
    return *at == end;
}

/* h:mm or h:mm:ss, perhaps with AM or PM. */
static bool parse_short_clock(const char **at, const char *end, double *clock) {
    int hour, minute, second = 0;
    while (*at != end && (**at == ' ' || **at == ',')) (*at)++;
    if (*at == end) return true;
    if (!up_to(at, end, 1, 2, &hour) || !(sign(at, end, ':') || sign(at, end, '.')) || !up_to(at, end, 2, 2, &minute))
        return false;
    if ((sign(at, end, ':') || sign(at, end, '.')) && !up_to(at, end, 2, 2, &second)) return false;
    if (hour > 23 || minute > 59 || second > 60) return false;
    *clock = hour * 3600.0 + minute * 60.0 + second;
    return parse_half_day(at, end, clock);
}

bool rsp_parse_local_date(const char *text, size_t length, rsp_date_order order, double *seconds) {
    trim(&text, &length);
    const char *at = text, *end = text + length;
    int first, second, year;
    double clock = 0;
    if (!up_to(&at, end, 1, 2, &first) || at == end || !strchr("/.-", *at)) return false;
    char between = *at++;
    if (!up_to(&at, end, 1, 2, &second) || !sign(&at, end, between)) return false;
    const char *from = at;
    if (!up_to(&at, end, 2, 4, &year) || at - from == 3) return false;
    if (at - from == 2) year += year < 70 ? 2000 : 1900;
    bool month_first = order == RSP_DATES_MONTH_FIRST && between != '.';
    int month = month_first ? first : second, day = month_first ? second : first;
    if (!date_exists(year, month, day) || !parse_short_clock(&at, end, &clock)) return false;
    *seconds = (double) days_from_civil(year, month, day) * 86400.0 + clock;
    return true;
}

/* ---- headings: one ---------------------------------------------------------------------------------------------- */

static const rsp_target_column nothing = {.take = RSP_TAKE_NOTHING, .variable = RSP_NONE};
static const rsp_target_column settled = {
    .take = RSP_TAKE_NOTHING, .variable = RSP_NONE, .settled = true, .question = true};

static size_t variable_named(const rsp_matcher *m, const char *name, size_t length, rsp_buf *room) {
    bool ambiguous = false;
    size_t v = get_word(m->names, name, length, &ambiguous);
    if (v == RSP_NONE) {
        rsp_fold(name, length, room);
        v = get_word(m->loose, room->data, room->length, &ambiguous);
    }
    return ambiguous ? RSP_NONE : v;
}

static rsp_target_column whole_variable(const rsp_matcher *m, size_t variable) {
    const rsp_variable *v = &m->study->variables[variable];
    rsp_target_column c = {.variable = variable};
    switch (v->type) {
    case RSP_SELECT_MULTIPLE: c.take = RSP_TAKE_LIST; break;
    case RSP_RANK: c.take = RSP_TAKE_ORDER; break;
    case RSP_INTEGER:
    case RSP_DECIMAL: c.take = v->list ? RSP_TAKE_CODE : RSP_TAKE_NUMBER; break;
    case RSP_DATE:
    case RSP_DATETIME: c.take = RSP_TAKE_DATE; break;
    case RSP_SELECT_ONE: c.take = RSP_TAKE_CODE; break;
    case RSP_TEXT:
        c.take = v->list ? RSP_TAKE_CODE : m->used[variable] ? RSP_TAKE_TEXT : RSP_TAKE_NOTHING;
        c.free_text = c.take == RSP_TAKE_NOTHING;
        break;
    }
    return c;
}

static bool ends_with(const char *text, size_t length, const char *end) {
    size_t n = strlen(end);
    return length >= n && strncasecmp(text + length - n, end, n) == 0;
}

/* The part of a question that stands in brackets or behind a separator. */
static rsp_target_column part_of(const rsp_matcher *m, size_t variable, const char *part, size_t length,
                                 const rsp_tool *tool, rsp_buf *room) {
    const rsp_variable *v = &m->study->variables[variable];
    rsp_target_column c = {.variable = variable};
    trim(&part, &length);
    if (v->type == RSP_RANK && tool->ranks_by_place) {
        size_t skip = 0;
        while (skip < length && !isdigit((unsigned char) part[skip])) skip++;
        double place;
        if (rsp_parse_double(part + skip, length - skip, '.', &place) && place >= 1 && place <= (double) v->list->n) {
            c.take = RSP_TAKE_RANKED;
            c.part = (size_t) place - 1;
            return c;
        }
    }
    int choice = v->type == RSP_SELECT_MULTIPLE || v->type == RSP_RANK ? rsp_match_value(m, v->list, part, length, room)
                                                                       : RSP_VALUE_NONE;
    if (choice >= 0) {
        rsp_fold(v->list->choices[choice].code, strlen(v->list->choices[choice].code), room);
        bool other = strcmp(room->data, "other") == 0 || strcmp(room->data, "-oth-") == 0;
        c.take = v->type == RSP_RANK ? RSP_TAKE_PLACE : other ? RSP_TAKE_OTHER : RSP_TAKE_TICK;
        c.part = (size_t) choice;
        return c;
    }
    bool other = length >= 5 && strncasecmp(part, "other", 5) == 0; /* "Other (please specify)" */
    if (!other && !ends_with(part, length, "other") && !ends_with(part, length, "comment")) return nothing;
    c.variable = RSP_NONE;
    c.free_text = true;
    return c;
}

static bool matched(const rsp_target_column *c) { return c->take != RSP_TAKE_NOTHING || c->free_text; }

/* NAME/CODE, NAME.CODE, NAME___CODE, NAME_CODE: the cut that leaves the longest name. */
static rsp_target_column split_at_separator(const rsp_matcher *m, const char *code, size_t length, const rsp_tool *tool,
                                            rsp_buf *room) {
    for (size_t k = length; k-- > 1;) {
        if (!strchr("/._", code[k])) continue;
        size_t v = variable_named(m, code, k, room);
        if (v == RSP_NONE || m->study->variables[v].first_part == RSP_NONE) continue;
        size_t from = k + 1;
        while (from < length && code[k] == '_' && code[from] == '_') from++;
        size_t part_length = length - from;
        rsp_target_column c = part_of(m, v, code + from, part_length, tool, room);
        /* REDCap: the code -1 is an underscore more. */
        if (!matched(&c) && from > k + 3 && code[k] == '_') {
            rsp_buf negative = {0};
            rsp_buf_printf(&negative, "-%.*s", (int) part_length, code + from);
            c = part_of(m, v, negative.data, negative.length, tool, room);
            rsp_buf_free(&negative);
        }
        /* R turns both brackets into points. */
        if (!matched(&c) && part_length > 1 && code[length - 1] == '.')
            c = part_of(m, v, code + from, part_length - 1, tool, room);
        if (matched(&c)) return c;
    }
    return nothing;
}

enum { LONGEST_CODE = 512 }; /* no name is longer, and trying every cut of a heading takes the square of its length */

/* A heading that is a code and nothing else. */
static rsp_target_column by_code(const rsp_matcher *m, const char *code, size_t length, const rsp_tool *tool,
                                 rsp_buf *room) {
    trim(&code, &length);
    if (!length || length > LONGEST_CODE) return nothing;
    size_t v = variable_named(m, code, length, room);
    if (v != RSP_NONE) return whole_variable(m, v);
    if (code[length - 1] == ']') {
        const char *open = memrchr(code, '[', length);
        v = open ? variable_named(m, code, (size_t) (open - code), room) : RSP_NONE;
        if (v != RSP_NONE) return part_of(m, v, open + 1, (size_t) (code + length - open) - 2, tool, room);
    }
    rsp_target_column c = split_at_separator(m, code, length, tool, room);
    if (matched(&c) || !ends_with(code, length, "_TEXT")) return c;
    c.free_text = true; /* Qualtrics: the words beside a choice */
    return c;
}

/* Without the names of groups in front: group/name, group/name/option, in ODK Central group-name. */
static rsp_target_column by_path(const rsp_matcher *m, const char *code, size_t length, const rsp_tool *tool,
                                 rsp_buf *room) {
    rsp_target_column c = by_code(m, code, length, tool, room);
    for (size_t k = 0; tool->paths && !matched(&c) && k < length && length <= LONGEST_CODE; k++)
        if (code[k] == '/' || code[k] == '-') c = by_code(m, code + k + 1, length - k - 1, tool, room);
    return c;
}

static size_t variable_labelled(const rsp_matcher *m, const char *text, size_t length, rsp_buf *room) {
    bool ambiguous = false;
    trim(&text, &length);
    rsp_fold(text, length, room);
    size_t v = room->length ? get_word(m->labels, room->data, room->length, &ambiguous) : RSP_NONE;
    return ambiguous ? RSP_NONE : v;
}

enum { MOST_JOINTS = 24, LONGEST_LABEL = 4096 };

/* `Question/Option` (Kobo), `Question: Row` (EUSurvey), `Question - Row` (Qualtrics). */
static rsp_target_column by_joint(const rsp_matcher *m, const char *text, size_t length, const rsp_tool *tool,
                                  rsp_buf *room) {
    static const char *const joints[] = {"/", ": ", " - ", "-"};
    int tried = 0;
    if (length > LONGEST_LABEL) return nothing;
    for (size_t k = 0; k < sizeof joints / sizeof *joints; k++) {
        size_t n = strlen(joints[k]);
        for (const char *at = text;
             (at = memmem(at, (size_t) (text + length - at), joints[k], n)) && tried < MOST_JOINTS; at += n) {
            tried++;
            const char *rest = at + n;
            size_t left = (size_t) (text + length - rest);
            size_t v = variable_labelled(m, text, (size_t) (at - text), room);
            rsp_target_column c = v == RSP_NONE ? nothing : part_of(m, v, rest, left, tool, room);
            if (matched(&c)) return c;
            v = variable_labelled(m, rest, left, room); /* row of a matrix */
            if (v != RSP_NONE) return whole_variable(m, v);
        }
    }
    return nothing;
}

/* A heading that is a question's text, perhaps with an option's or a row's in brackets behind it. */
static rsp_target_column by_label(const rsp_matcher *m, const char *text, size_t length, const rsp_tool *tool,
                                  rsp_buf *room) {
    trim(&text, &length);
    size_t v = variable_labelled(m, text, length, room);
    if (v != RSP_NONE) return whole_variable(m, v);
    const char *open = length && text[length - 1] == ']' ? memrchr(text, '[', length) : NULL;
    if (!open) return by_joint(m, text, length, tool, room);
    const char *inside = open + 1;
    size_t n = (size_t) (text + length - 1 - inside);
    v = variable_labelled(m, text, (size_t) (open - text), room);
    if (v != RSP_NONE) {
        rsp_target_column c = part_of(m, v, inside, n, tool, room);
        if (matched(&c)) return c;
    }
    v = variable_labelled(m, inside, n, room); /* row of an array */
    return v == RSP_NONE ? nothing : whole_variable(m, v);
}

/* Length of the code before a joining string (`Q4[SQ001]. Text`); 0 if the heading has no such form. A blank alone
 * joins nothing: "Country of birth" is not the variable `country`. */
static size_t code_length(const char *h) {
    size_t n = 0;
    if (!isalpha((unsigned char) h[0])) return 0;
    while (isalnum((unsigned char) h[n]) || h[n] == '_') n++;
    while (h[n] == '[') {
        const char *close = strchr(h + n, ']');
        if (!close) break;
        n = (size_t) (close - h) + 1;
    }
    while (n && h[n] && h[n - 1] == '_') n--; /* `_._` joins too */
    size_t join = strspn(h + n, " ._:;|-");
    bool only_blanks = strspn(h + n, " ") == join;
    return h[n] && join && !only_blanks ? n : 0;
}

static rsp_target_column by_own_column(const rsp_matcher *m, const char *text, size_t length, const rsp_tool *tool,
                                       const rsp_own **own, rsp_buf *room) {
    rsp_fold(text, length, room);
    *own = rsp_own_find(tool->own, tool->n_own, room->data);
    return *own ? by_code(m, (*own)->code, strlen((*own)->code), tool, room) : nothing;
}

static rsp_target_column renamed(const rsp_matcher *m, const rsp_source *source, const char *text, size_t length,
                                 const rsp_tool *tool, bool *applies, rsp_buf *room) {
    for (size_t k = 0; k < source->n_rename; k++) {
        const rsp_pair *p = &source->rename[k];
        if (strlen(p->name) != length || memcmp(p->name, text, length) != 0) continue;
        *applies = true;
        return by_code(m, p->value, strlen(p->value), tool, room);
    }
    return nothing;
}

/* By codes: rename, the heading itself, the tool's own columns, the code in front of a text. */
static rsp_target_column strong_match(const rsp_matcher *m, const char *heading, const rsp_tool *tool,
                                      const rsp_source *source, const rsp_own **own, rsp_buf *room) {
    size_t length = strlen(heading), code = code_length(heading);
    bool applies = false;
    *own = NULL;
    rsp_target_column c = renamed(m, source, heading, length, tool, &applies, room);
    if (!applies && code) c = renamed(m, source, heading, code, tool, &applies, room);
    if (applies) return c;
    c = by_path(m, heading, length, tool, room);
    if (matched(&c)) return c;
    c = by_own_column(m, heading, length, tool, own, room);
    if (matched(&c) || *own || !code) return c;
    c = by_code(m, heading, code, tool, room);
    return matched(&c) ? c : by_own_column(m, heading, code, tool, own, room);
}

/* By texts: the heading's, or what the file says beside it. */
static rsp_target_column weak_match(const rsp_matcher *m, const char *heading, const char *label, const rsp_tool *tool,
                                    rsp_buf *room) {
    rsp_target_column c = by_label(m, heading, strlen(heading), tool, room);
    if (!matched(&c) && label && *label) c = by_label(m, label, strlen(label), tool, room);
    size_t code = code_length(heading);
    if (matched(&c) || !code) return c;
    const char *text = heading + code + strspn(heading + code, " ._:;|-");
    return by_label(m, text, strlen(text), tool, room);
}

/* ---- headings: those of several columns ------------------------------------------------------------------------- */

/* Variables of one label, as label exports have them ("Other (specify)" beside every question), and the columns under that
 * heading: as many of each stand in the same order. */
static size_t variable_in_order(const rsp_matcher *m, const rsp_table_data *t, size_t column, rsp_buf *room) {
    size_t n_columns = 0, n = 0, found = RSP_NONE;
    rsp_buf label = {0};
    for (size_t j = 0; j < t->n_columns; j++) n_columns += strcmp(t->headings[j], t->headings[column]) == 0;
    rsp_fold(t->headings[column], strlen(t->headings[column]), &label);
    for (size_t v = 0; v < m->study->n_variables; v++) {
        const rsp_variable *x = &m->study->variables[v];
        bool same = false;
        for (size_t w = 0; is_question(x) && w < x->label.n && !same; w++) {
            rsp_fold(x->label.wording[w].text, strlen(x->label.wording[w].text), room);
            same = strcmp(room->data, label.data) == 0;
        }
        if (same && ++n == t->occurrence[column]) found = v;
    }
    rsp_buf_free(&label);
    return n == n_columns ? found : RSP_NONE;
}

/* A column under a heading that others have, too: by `heading#2` as `export_name` or under `rename`, or by order. */
static rsp_target_column one_of_several(const rsp_matcher *m, const rsp_table_data *t, size_t column,
                                        const rsp_tool *tool, const rsp_source *source, bool *in_order, rsp_buf *room) {
    rsp_buf name = {0};
    bool applies = false, ambiguous = false;
    rsp_target_column c = nothing;
    rsp_buf_printf(&name, "%s#%zu", t->headings[column], t->occurrence[column]);
    size_t v = t->occurrence[column] > 1 ? get_word(m->names, name.data, name.length, &ambiguous) : RSP_NONE;
    if (t->occurrence[column] > 1) c = renamed(m, source, name.data, name.length, tool, &applies, room);
    if (!applies && v != RSP_NONE && !ambiguous) c = whole_variable(m, v);
    rsp_buf_free(&name);
    rsp_fold(t->headings[column], strlen(t->headings[column]), room);
    if (matched(&c) || applies || (get_word(m->labels, room->data, room->length, &ambiguous), !ambiguous)) return c;
    v = variable_in_order(m, t, column, room);
    *in_order = v != RSP_NONE;
    return *in_order ? whole_variable(m, v) : nothing;
}

/* ---- headings: all ---------------------------------------------------------------------------------------------- */

struct names {
    size_t n;
    rsp_buf text;
};

enum { NAMES_SHOWN = 8, LONGEST_NAME = 48 };

/* Appends a name to a list for a report; long ones are cut between characters. */
static void name_add(struct names *l, const char *name) {
    if (l->n++ >= NAMES_SHOWN) return;
    size_t n = strlen(name);
    bool cut = n > LONGEST_NAME;
    if (cut)
        for (n = LONGEST_NAME; n && ((unsigned char) name[n] & 0xC0) == 0x80;) n--;
    if (l->n > 1) rsp_buf_puts(&l->text, ", ");
    rsp_buf_putc(&l->text, '\'');
    for (size_t k = 0; k < n; k++) rsp_buf_putc(&l->text, (unsigned char) name[k] < ' ' ? ' ' : name[k]);
    rsp_buf_puts(&l->text, cut ? "...'" : "'");
}

static const char *names_text(struct names *l) {
    if (l->n > NAMES_SHOWN) rsp_buf_printf(&l->text, " and %zu more", l->n - NAMES_SHOWN);
    return l->text.data ? l->text.data : "";
}

static bool same_target(const rsp_target_column *a, const rsp_target_column *b) {
    return a->take != RSP_TAKE_NOTHING && a->take == b->take && a->variable == b->variable && a->part == b->part;
}

static const char *target_name(const rsp_matcher *m, const rsp_target_column *c, char text[200]) {
    const rsp_variable *v = &m->study->variables[c->variable];
    if (c->take == RSP_TAKE_TICK || c->take == RSP_TAKE_OTHER || c->take == RSP_TAKE_PLACE)
        snprintf(text, 200, "%s[%s]", v->name, v->list->choices[c->part].code);
    else if (c->take == RSP_TAKE_RANKED) snprintf(text, 200, "%s[%zu]", v->name, c->part + 1);
    else snprintf(text, 200, "%s", v->name);
    return text;
}

/* Two columns for one thing: by label against by code is settled, else the first one counts and both are named. */
static void settle_duplicate(const rsp_matcher *m, const rsp_table_data *t, rsp_target_column *columns, size_t first,
                             size_t second, const bool *weak, rsp_diag *d) {
    char text[200];
    if (weak[second] && !weak[first]) {
        columns[second] = settled;
        return;
    }
    rsp_report(d, RSP_WARNING, (rsp_loc){t->path, (int) t->heading_line, 0},
               "say under `rename` which one is meant, or take one out",
               "columns %zu and %zu both hold '%s'; the first is read", first + 1, second + 1,
               target_name(m, &columns[first], text));
    columns[second] = settled;
}

static void settle_duplicates(const rsp_matcher *m, const rsp_table_data *t, rsp_target_column *columns,
                              const bool *weak, rsp_diag *d) {
    rsp_map *seen = rsp_map_new();
    for (int pass = 0; pass < 2; pass++) { /* codes before labels */
        for (size_t j = 0; j < t->n_columns; j++) {
            if (columns[j].take == RSP_TAKE_NOTHING || weak[j] != (pass == 1)) continue;
            size_t key[3] = {columns[j].take, columns[j].variable, columns[j].part};
            if (rsp_map_put_n(seen, (const char *) key, sizeof key, j)) continue;
            size_t first = rsp_map_get_n(seen, (const char *) key, sizeof key);
            assert(same_target(&columns[first], &columns[j]));
            settle_duplicate(m, t, columns, first, j, weak, d);
        }
    }
    rsp_map_free(seen);
}

/* Where there is a column for each choice, the joined cell (Kobo's "both") says nothing more. */
static void drop_joined_cells(const rsp_matcher *m, size_t n, rsp_target_column *columns) {
    bool *split = rsp_calloc(m->study->n_variables, sizeof *split);
    for (size_t j = 0; j < n; j++) {
        rsp_take take = columns[j].take;
        if (take == RSP_TAKE_TICK || take == RSP_TAKE_PLACE || take == RSP_TAKE_RANKED)
            split[columns[j].variable] = true;
    }
    for (size_t j = 0; j < n; j++) {
        rsp_take take = columns[j].take;
        if ((take == RSP_TAKE_LIST || take == RSP_TAKE_ORDER) && split[columns[j].variable]) columns[j] = settled;
    }
    free(split);
}

/* A constant of the source stands instead of a column. */
static void drop_set_columns(const rsp_matcher *m, const rsp_source *source, size_t n, rsp_target_column *columns) {
    for (size_t k = 0; k < source->n_set; k++) {
        size_t v = rsp_study_variable(m->study, source->set[k].name);
        for (size_t j = 0; j < n; j++)
            if (columns[j].take != RSP_TAKE_NOTHING && columns[j].variable == v) columns[j] = settled;
    }
}

static bool is_set(const rsp_source *source, const char *name) {
    for (size_t k = 0; k < source->n_set; k++)
        if (strcmp(source->set[k].name, name) == 0) return true;
    return false;
}

static void report_without_column(const rsp_matcher *m, const rsp_table_data *t, const rsp_source *source,
                                  const rsp_target_column *columns, rsp_diag *d) {
    struct names missing = {0};
    bool *has = rsp_calloc(m->study->n_variables, sizeof *has);
    for (size_t j = 0; j < t->n_columns; j++)
        if (columns[j].variable != RSP_NONE) has[columns[j].variable] = true;
    for (size_t v = 0; v < m->study->n_variables; v++) {
        const rsp_variable *x = &m->study->variables[v];
        if (is_question(x) && !has[v] && !is_set(source, x->name)) name_add(&missing, x->name);
    }
    if (missing.n)
        rsp_report(d, RSP_NOTE, (rsp_loc){t->path, (int) t->heading_line, 0},
                   "if a column has another name, add it as `export_name` or under `rename`",
                   "%zu variable%s no column here: %s", missing.n, missing.n == 1 ? " has" : "s have",
                   names_text(&missing));
    rsp_buf_free(&missing.text);
    free(has);
}

static void report_columns(const rsp_table_data *t, const rsp_target_column *columns, rsp_diag *d) {
    struct names unknown = {0}, personal = {0}, asked = {0};
    for (size_t j = 0; j < t->n_columns; j++) {
        if (columns[j].take != RSP_TAKE_NOTHING) continue;
        if (columns[j].personal) name_add(columns[j].variable == RSP_NONE ? &personal : &asked, t->headings[j]);
        else if (!columns[j].free_text && !columns[j].settled && !columns[j].submitted)
            name_add(&unknown, t->headings[j]);
    }
    rsp_loc loc = {t->path, (int) t->heading_line, 0};
    if (personal.n)
        rsp_report(d, RSP_NOTE, loc, NULL, "%zu column%s with personal data not read: %s", personal.n,
                   personal.n == 1 ? "" : "s", names_text(&personal));
    if (asked.n)
        rsp_report(d, RSP_WARNING, loc, "if the study needs them, name the variables under `privacy: keep`",
                   "%zu column%s of the study with personal data not read: %s", asked.n, asked.n == 1 ? "" : "s",
                   names_text(&asked));
    if (unknown.n)
        rsp_report(d, RSP_NOTE, loc, NULL, "%zu column%s that the instrument does not know not read: %s", unknown.n,
                   unknown.n == 1 ? "" : "s", names_text(&unknown));
    rsp_buf_free(&personal.text);
    rsp_buf_free(&asked.text);
    rsp_buf_free(&unknown.text);
}

static bool is_role(const rsp_roles *r, size_t v) {
    return v == r->id || v == r->country || v == r->language || v == r->organisation || v == r->started ||
           v == r->submitted || v == r->duration;
}

/* Timings, which LimeSurvey fills by itself: interviewtime, groupTime12, Q1Time. */
static bool is_timing(const char *heading) {
    size_t n = strlen(heading);
    while (n && isdigit((unsigned char) heading[n - 1])) n--;
    return n >= 4 && strncasecmp(heading + n - 4, "time", 4) == 0;
}

/* Answers of respondents, as against what a tool writes of itself: only those show how far somebody came. A column that
 * the instrument does not know counts where the tool's own columns can be told. */
static bool is_question_column(const rsp_matcher *m, const rsp_target_column *c, const char *heading,
                               const rsp_own *own, const rsp_tool *tool) {
    if (c->variable != RSP_NONE) return !is_role(&m->study->roles, c->variable);
    if (c->free_text) return true;
    return tool->tells_missing && *heading && !own && !c->personal && !is_timing(heading);
}

/* Columns that identify persons are read only where the study says so under `privacy`, or as the id, which leaves as a
 * pseudonym. */
static void leave_out_personal(const rsp_matcher *m, const char *heading, const rsp_own *own, rsp_target_column *c,
                               rsp_buf *room) {
    bool text = c->take == RSP_TAKE_TEXT || c->take == RSP_TAKE_NUMBER;
    if (matched(c) && (!text || c->variable == m->study->roles.id || rsp_study_keeps(m->study, c->variable))) return;
    if (!(own && own->kind == RSP_OWN_PERSONAL) && !rsp_is_personal_heading(heading, room)) return;
    if (c->take != RSP_TAKE_NOTHING) c->take = RSP_TAKE_NOTHING;
    c->free_text = false;
    c->personal = true;
}

static bool is_wording(const rsp_choice *c, const char *label, rsp_buf *room) {
    for (size_t w = 0; w < c->label.n; w++)
        if (alike(label, strlen(label), c->label.wording[w].text, 0, room)) return true;
    return false;
}

/* The file's own labels against the study's: code 1 must not be "Agree" there and "Disagree" here. */
static void compare_labels(const rsp_matcher *m, const rsp_table_data *t, size_t j, const rsp_target_column *c,
                           rsp_buf *room, rsp_diag *d) {
    const rsp_list *l = m->study->variables[c->variable].list;
    const struct list_names *names = names_of(m, l);
    for (size_t k = 0; k < t->info[j].n_values; k++) {
        const rsp_value_label *v = &t->info[j].values[k];
        size_t by_code = rsp_map_get(names->codes, v->code);
        int by_label = *v->label ? rsp_match_value(m, l, v->label, strlen(v->label), room) : RSP_VALUE_NONE;
        if (by_code == RSP_NONE || by_label < 0 || (size_t) by_label == by_code) continue;
        if (is_wording(&l->choices[by_code], v->label, room)) continue; /* two codes of one label */
        rsp_report(d, RSP_ERR_DATA, (rsp_loc){t->path, 0, 0},
                   "set right the codes in choices.csv, or give the list codes of its own and leave the labels",
                   "'%s': code %s is '%s' in the file, which choices.csv gives to code %s", t->headings[j], v->code,
                   v->label, l->choices[by_label].code);
    }
}

static void compare_all_labels(const rsp_matcher *m, const rsp_table_data *t, const rsp_target_column *columns,
                               rsp_diag *d) {
    rsp_buf room = {0};
    for (size_t j = 0; t->info && j < t->n_columns; j++)
        if (columns[j].take == RSP_TAKE_CODE) compare_labels(m, t, j, &columns[j], &room, d);
    rsp_buf_free(&room);
}

rsp_target_column *rsp_match_headings(const rsp_matcher *m, const rsp_table_data *t, const rsp_tool *tool,
                                      const rsp_source *source, rsp_arena *a, rsp_diag *d) {
    rsp_target_column *columns = RSP_ARRAY(a, rsp_target_column, t->n_columns);
    bool *weak = rsp_calloc(t->n_columns, sizeof *weak);
    rsp_buf room = {0};
    struct names in_order = {0};
    size_t submitted = m->study->roles.submitted, n_matched = 0;
    for (size_t j = 0; j < t->n_columns; j++) {
        const rsp_own *own;
        rsp_target_column *c = &columns[j];
        own = NULL;
        if (t->occurrence && t->occurrence[j]) {
            bool by_order = false;
            *c = one_of_several(m, t, j, tool, source, &by_order, &room);
            if (by_order) name_add(&in_order, t->headings[j]);
        }
        if (!matched(c)) *c = strong_match(m, t->headings[j], tool, source, &own, &room);
        if (!matched(c) && !own) {
            *c = weak_match(m, t->headings[j], t->info ? t->info[j].label : NULL, tool, &room);
            weak[j] = true;
        }
        n_matched += matched(c);
        c->submitted = (own && own->kind == RSP_OWN_SUBMITTED) ||
                       (matched(c) && submitted != RSP_NONE && c->variable == submitted);
        c->finished = own && own->kind == RSP_OWN_FINISHED;
        leave_out_personal(m, t->headings[j], own, c, &room);
        c->question = is_question_column(m, c, t->headings[j], own, tool);
    }
    rsp_buf_free(&room);
    if (in_order.n)
        rsp_report(d, RSP_WARNING, (rsp_loc){t->path, (int) t->heading_line, 0},
                   "export the answers with the questions' names, or name the columns under `rename` as 'heading#2'",
                   "%zu columns under headings that stand more than once were taken in the order of the questions: %s",
                   in_order.n, names_text(&in_order));
    rsp_buf_free(&in_order.text);
    settle_duplicates(m, t, columns, weak, d);
    free(weak);
    drop_joined_cells(m, t->n_columns, columns);
    drop_set_columns(m, source, t->n_columns, columns);
    compare_all_labels(m, t, columns, d);
    if (!n_matched)
        rsp_report(d, RSP_ERR_DATA, (rsp_loc){t->path, (int) t->heading_line, 0},
                   "is this an export of this questionnaire? check `format`, `delimiter` and `encoding` of the source",
                   "none of the %zu columns is a variable of the study", t->n_columns);
    report_columns(t, columns, d);
    report_without_column(m, t, source, columns, d);
    return columns;
}
