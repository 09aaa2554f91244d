#include "message.h"

#include "responsive/limits.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unicode/ucal.h>
#include <unicode/udat.h>
#include <unicode/uloc.h>
#include <unicode/upluralrules.h>
#include <unicode/ustring.h>

enum { N_KEYWORDS = 6 };

static const char *const KEYWORDS[N_KEYWORDS] = {"zero", "one", "two", "few", "many", "other"};

struct rsp_msg_locale {
    const char *name;
    UPluralRules *plural, *ordinal;
    uint8_t needs_plural[N_KEYWORDS], needs_ordinal[N_KEYWORDS];
    UNumberFormatter *plain;
    size_t n_formats, capacity;
    UNumberFormatter **formats; /* skeletons of messages: freed with the locale */
    rsp_arena *arena;
};

typedef enum {
    PIECE_TEXT,
    PIECE_ARGUMENT,
    PIECE_DATE,
    PIECE_PLURAL,
    PIECE_ORDINAL,
    PIECE_SELECT,
    PIECE_HASH
} piece_kind;

typedef struct piece piece;

typedef struct {
    const char *keyword; /* of a plural, a selected value; NULL for =number */
    double exact;
    rsp_msg *body;
} branch;

struct piece {
    piece_kind kind;
    const char *text;         /* literal, or the argument's name; of # the name of the plural's argument */
    UNumberFormatter *format; /* argument: number format asked for, else NULL */
    const char *style;        /* date */
    size_t n, capacity;
    branch *branches;
};

struct rsp_msg {
    size_t n, capacity;
    piece *pieces;
};

/* ---- ICU's formatters ------------------------------------------------------------------------------------------- */

const char *rsp_msg_utf8(rsp_arena *a, const UChar *text, int32_t length) {
    UErrorCode status = U_ZERO_ERROR;
    int32_t need = 0;
    u_strToUTF8(NULL, 0, &need, text, length, &status);
    char *out = rsp_alloc(a, (size_t) need + 1);
    status = U_ZERO_ERROR;
    u_strToUTF8(out, need + 1, NULL, text, length, &status);
    return out;
}

UNumberFormatter *rsp_msg_number_format(const char *locale, const char *skeleton) {
    UChar wide[256];
    int32_t n = 0;
    if (strlen(skeleton) >= 256) return NULL;
    UErrorCode status = U_ZERO_ERROR;
    u_strFromUTF8(wide, 256, &n, skeleton, -1, &status);
    if (U_FAILURE(status)) return NULL;
    UNumberFormatter *f = unumf_openForSkeletonAndLocale(wide, n, locale, &status);
    if (U_SUCCESS(status)) return f;
    if (f) unumf_close(f);
    return NULL;
}

static UFormattedNumber *formatted(const UNumberFormatter *f, double x) {
    UErrorCode status = U_ZERO_ERROR;
    UFormattedNumber *r = unumf_openResult(&status);
    unumf_formatDouble(f, x, r, &status);
    if (U_FAILURE(status)) abort(); /* only memory can fail here */
    return r;
}

/* ICU writes the hyphen for a negative number in many locales; on a page it is the minus sign. */
const char *rsp_msg_number(rsp_arena *a, const UNumberFormatter *f, double x) {
    UFormattedNumber *r = formatted(f, x);
    UChar wide[128];
    UErrorCode status = U_ZERO_ERROR;
    int32_t n = unumf_resultToString(r, wide, 128, &status);
    unumf_closeResult(r);
    if (U_FAILURE(status)) return "\u2013"; /* longer than any page has room for */
    for (int32_t k = 0; k < n; k++)
        if (wide[k] == '-') wide[k] = 0x2212;
    return rsp_msg_utf8(a, wide, n);
}

static UDateFormatStyle date_style(const char *style) {
    if (strcmp(style, "short") == 0) return UDAT_SHORT;
    if (strcmp(style, "long") == 0) return UDAT_LONG;
    return strcmp(style, "full") == 0 ? UDAT_FULL : UDAT_MEDIUM;
}

/* The first of a month is an ordinal in French, which CLDR's patterns cannot say. */
static const char *french_first(rsp_arena *a, const char *text) {
    const char *day = strncmp(text, "1 ", 2) == 0 ? text : strstr(text, " 1 ");
    if (!day) return text;
    if (*day == ' ') day++;
    return rsp_printf(a, "%.*ser%s", (int) (day + 1 - text), text, day + 1);
}

static const char *format_date(rsp_arena *a, const char *locale, const int date[3], const char *style) {
    static const UChar utc[] = {'U', 'T', 'C', 0};
    UErrorCode status = U_ZERO_ERROR;
    UCalendar *c = ucal_open(utc, 3, locale, UCAL_GREGORIAN, &status);
    UDateFormat *f = udat_open(UDAT_NONE, date_style(style), locale, utc, 3, NULL, 0, &status);
    UChar wide[256];
    int32_t n = 0;
    if (U_SUCCESS(status)) {
        ucal_clear(c);
        ucal_setDateTime(c, date[0], date[1] - 1, date[2], 12, 0, 0, &status);
        n = udat_format(f, ucal_getMillis(c, &status), wide, 256, NULL, &status);
    }
    if (f) udat_close(f);
    if (c) ucal_close(c);
    if (U_FAILURE(status)) return NULL;
    const char *text = rsp_msg_utf8(a, wide, n);
    return date[2] == 1 && strncmp(locale, "fr", 2) == 0 ? french_first(a, text) : text;
}

/* Calendar and format are not safe to share, and dear to open; but the dates of a run are few: each thread remembers
 * the last ones. */
const char *rsp_msg_date(rsp_arena *a, const char *locale, const char *iso_date, const char *style) {
    enum { RECENT = 16 };
    static _Thread_local struct { char asked[64], text[64]; } recent[RECENT];
    static _Thread_local size_t next;
    int date[3], used = 0;
    if (sscanf(iso_date, "%4d-%2d-%2d%n", &date[0], &date[1], &date[2], &used) < 3 || used < 8)
        return rsp_strdup(a, iso_date);
    char asked[64];
    bool kept = snprintf(asked, sizeof asked, "%s %.10s %s", locale, iso_date, style) < (int) sizeof asked;
    for (size_t k = 0; kept && k < RECENT; k++)
        if (strcmp(recent[k].asked, asked) == 0) return rsp_strdup(a, recent[k].text);
    const char *text = format_date(a, locale, date, style);
    if (!text) return rsp_strdup(a, iso_date);
    if (kept && strlen(text) < sizeof recent->text) {
        strcpy(recent[next].asked, asked);
        strcpy(recent[next].text, text);
        next = (next + 1) % RECENT;
    }
    return text;
}

/* ---- locales ---------------------------------------------------------------------------------------------------- */

static size_t keyword_index(const char *word) {
    for (size_t k = 0; k < N_KEYWORDS; k++)
        if (strcmp(word, KEYWORDS[k]) == 0) return k;
    return RSP_NONE;
}

/* Category of x as it will be written (1.0 is not 1 in some languages). */
static const char *plural_category(const UPluralRules *rules, const UNumberFormatter *f, double x, char word[32]) {
    UFormattedNumber *r = formatted(f, x);
    UChar wide[32];
    UErrorCode status = U_ZERO_ERROR;
    int32_t n = uplrules_selectFormatted(rules, r, wide, 31, &status);
    unumf_closeResult(r);
    if (U_FAILURE(status)) return "other";
    u_UCharsToChars(wide, word, n);
    word[n] = 0;
    return word;
}

/* The categories that counts up to 200 fall into are those a translation cannot do without. */
static void find_needs(const UPluralRules *rules, const UNumberFormatter *f, uint8_t needs[N_KEYWORDS]) {
    for (int x = 0; x <= 200; x++) {
        char word[32];
        size_t k = keyword_index(plural_category(rules, f, x, word));
        if (k != RSP_NONE) needs[k] = 1;
    }
}

static bool locale_known(const char *name) {
    for (int32_t k = 0; k < uloc_countAvailable(); k++)
        if (strcmp(uloc_getAvailable(k), name) == 0) return true;
    return false;
}

rsp_msg_locale *rsp_msg_locale_new(const char *locale) {
    if (!locale_known(locale)) return NULL;
    rsp_arena *a = rsp_arena_new();
    rsp_msg_locale *l = RSP_NEW(a, rsp_msg_locale);
    *l = (rsp_msg_locale){.name = rsp_strdup(a, locale), .arena = a};
    UErrorCode status = U_ZERO_ERROR;
    l->plural = uplrules_open(locale, &status);
    l->ordinal = uplrules_openForType(locale, UPLURAL_TYPE_ORDINAL, &status);
    l->plain = rsp_msg_number_format(locale, "sign-negative .###");
    if (U_FAILURE(status) || !l->plain) {
        rsp_msg_locale_free(l);
        return NULL;
    }
    find_needs(l->plural, l->plain, l->needs_plural);
    find_needs(l->ordinal, l->plain, l->needs_ordinal);
    return l;
}

void rsp_msg_locale_free(rsp_msg_locale *l) {
    if (!l) return;
    if (l->plural) uplrules_close(l->plural);
    if (l->ordinal) uplrules_close(l->ordinal);
    if (l->plain) unumf_close(l->plain);
    for (size_t k = 0; k < l->n_formats; k++) unumf_close(l->formats[k]);
    free(l->formats);
    rsp_arena_free(l->arena);
}

const char *rsp_msg_locale_name(const rsp_msg_locale *l) { return l->name; }

/* ---- compiling -------------------------------------------------------------------------------------------------- */

typedef struct {
    const char *start, *at;
    rsp_arena *arena;
    rsp_msg_locale *locale;
    rsp_loc loc;
    rsp_diag *diag;
    bool ok;
} parser;

static bool fail(parser *p, const char *hint, const char *what, const char *detail) {
    if (p->ok)
        rsp_report(p->diag, RSP_ERR_STUDY, p->loc, hint, "malformed message at character %zu: %s%s%s",
                   (size_t) (p->at - p->start) + 1, what, *detail ? " " : "", detail);
    p->ok = false;
    return false;
}

static piece *add_piece(parser *p, rsp_msg *m, piece_kind kind, const char *text) {
    if (m->n == m->capacity) {
        size_t capacity = m->capacity ? 2 * m->capacity : 4;
        piece *grown = RSP_ARRAY(p->arena, piece, capacity);
        if (m->n) memcpy(grown, m->pieces, m->n * sizeof *grown);
        m->pieces = grown;
        m->capacity = capacity;
    }
    m->pieces[m->n] = (piece){.kind = kind, .text = text};
    return &m->pieces[m->n++];
}

static void add_branch(parser *p, piece *x, branch b) {
    if (x->n == x->capacity) {
        size_t capacity = x->capacity ? 2 * x->capacity : 4;
        branch *grown = RSP_ARRAY(p->arena, branch, capacity);
        if (x->n) memcpy(grown, x->branches, x->n * sizeof *grown);
        x->branches = grown;
        x->capacity = capacity;
    }
    x->branches[x->n++] = b;
}

static void skip_blanks(parser *p) { p->at += strspn(p->at, " \t\r\n"); }

/* A run of characters that is not syntax; false for none. */
static const char *take_word(parser *p) {
    skip_blanks(p);
    size_t n = strcspn(p->at, " \t\r\n{},#'|");
    if (n == 0) return NULL;
    const char *word = rsp_strndup(p->arena, p->at, n);
    p->at += n;
    skip_blanks(p);
    return word;
}

/* An apostrophe: '' is one; before { } (and # in a plural) it opens quoted text up to the next one; else it is itself,
 * as in French, without doubling. */
static void take_apostrophe(parser *p, rsp_buf *literal, bool in_plural) {
    p->at++;
    if (*p->at == '\'') {
        rsp_buf_putc(literal, *p->at++);
        return;
    }
    if (*p->at != '{' && *p->at != '}' && !(in_plural && *p->at == '#')) {
        rsp_buf_putc(literal, '\'');
        return;
    }
    while (*p->at) {
        if (p->at[0] == '\'' && p->at[1] == '\'') p->at++;
        else if (*p->at == '\'') break;
        rsp_buf_putc(literal, *p->at++);
    }
    if (*p->at) p->at++;
    else fail(p, "close it by another apostrophe", "quoted text has no end", "");
}

static void flush_literal(parser *p, rsp_msg *m, rsp_buf *literal) {
    if (literal->length) add_piece(p, m, PIECE_TEXT, rsp_strndup(p->arena, literal->data, literal->length));
    literal->length = 0;
}

static bool parse_argument(parser *p, rsp_msg *m, const char *plural, int depth);

/* Text up to the end or the closing brace of the branch. `plural`: argument that # stands for, or NULL. */
static rsp_msg *parse_body(parser *p, const char *plural, int depth) {
    rsp_msg *m = RSP_NEW(p->arena, rsp_msg);
    rsp_buf literal = {0};
    while (p->ok && *p->at && *p->at != '}') {
        if (*p->at == '\'') {
            take_apostrophe(p, &literal, plural != NULL);
        } else if (*p->at == '{') {
            flush_literal(p, m, &literal);
            parse_argument(p, m, plural, depth);
        } else if (*p->at == '#' && plural) {
            flush_literal(p, m, &literal);
            add_piece(p, m, PIECE_HASH, plural);
            p->at++;
        } else {
            rsp_buf_putc(&literal, *p->at++);
        }
    }
    flush_literal(p, m, &literal);
    rsp_buf_free(&literal);
    return m;
}

static bool keep_format(parser *p, piece *x, const char *skeleton) {
    UNumberFormatter *f = rsp_msg_number_format(p->locale->name, skeleton);
    if (!f) return fail(p, "see ICU's number skeletons", "unknown number style", skeleton);
    RSP_PUSH(p->locale->formats, p->locale->n_formats, p->locale->capacity, f);
    x->format = f;
    return true;
}

static bool parse_number_style(parser *p, piece *x) {
    if (*p->at == '}') return keep_format(p, x, "sign-negative .###");
    p->at++;
    skip_blanks(p);
    size_t n = strcspn(p->at, "{}'");
    char *style = rsp_strndup(p->arena, p->at, n);
    p->at += n;
    while (n && strchr(" \t\r\n", style[n - 1])) style[--n] = 0;
    if (strcmp(style, "integer") == 0) return keep_format(p, x, "sign-negative precision-integer");
    if (strcmp(style, "percent") == 0) return keep_format(p, x, "sign-negative precision-integer percent scale/100");
    if (strncmp(style, "::", 2) == 0) return keep_format(p, x, style + 2);
    return fail(p, "use integer, percent or ::skeleton", "unknown number style", style);
}

static bool parse_date_style(parser *p, piece *x) {
    x->style = "medium";
    if (*p->at == '}') return true;
    p->at++;
    x->style = take_word(p);
    static const char *const known[] = {"short", "medium", "long", "full"};
    for (size_t k = 0; x->style && k < 4; k++)
        if (strcmp(x->style, known[k]) == 0) return true;
    return fail(p, "use short, medium, long or full", "unknown date style", x->style ? x->style : "");
}

static bool has_branch(const piece *x, const char *keyword) {
    for (size_t k = 0; k < x->n; k++)
        if (x->branches[k].keyword && strcmp(x->branches[k].keyword, keyword) == 0) return true;
    return false;
}

/* `other` always; of a plural also whatever categories its language knows, and no others. */
static bool check_branches(parser *p, const piece *x) {
    if (!has_branch(x, "other")) return fail(p, "add other{...}", "no branch 'other' for the argument", x->text);
    if (x->kind == PIECE_SELECT) return true;
    const uint8_t *needs = x->kind == PIECE_PLURAL ? p->locale->needs_plural : p->locale->needs_ordinal;
    for (size_t k = 0; k < N_KEYWORDS; k++)
        if (needs[k] && !has_branch(x, KEYWORDS[k]))
            return fail(p, "every plural form of the language is needed", "missing plural form", KEYWORDS[k]);
    for (size_t k = 0; k < x->n; k++)
        if (x->branches[k].keyword && keyword_index(x->branches[k].keyword) == RSP_NONE)
            return fail(p, "use zero, one, two, few, many, other or =number", "unknown plural form",
                        x->branches[k].keyword);
    return true;
}

static bool parse_branch(parser *p, piece *x, const char *plural, int depth) {
    const char *word = take_word(p);
    if (!word) return fail(p, "write keyword{text}", "a branch needs a keyword", "");
    branch b = {.keyword = word};
    if (word[0] == '=' && x->kind != PIECE_SELECT) {
        b.keyword = NULL;
        if (!rsp_parse_double(word + 1, strlen(word + 1), '.', &b.exact))
            return fail(p, "write for example =0{...}", "not a number", word);
    } else if (has_branch(x, word)) {
        return fail(p, "remove one of the two", "a branch stands twice:", word);
    }
    if (*p->at != '{') return fail(p, "write keyword{text}", "no '{' after the keyword", word);
    p->at++;
    b.body = parse_body(p, plural, depth + 1);
    if (p->ok && *p->at != '}') return fail(p, NULL, "a '{' is never closed", "");
    if (*p->at) p->at++;
    add_branch(p, x, b);
    skip_blanks(p);
    return p->ok;
}

static bool parse_branches(parser *p, piece *x, const char *plural, int depth) {
    if (*p->at != ',') return fail(p, "write {name, plural, one{...} other{...}}", "no branches for", x->text);
    p->at++;
    skip_blanks(p);
    if (x->kind != PIECE_SELECT) plural = x->text;
    while (p->ok && *p->at && *p->at != '}') parse_branch(p, x, plural, depth);
    return p->ok && check_branches(p, x);
}

static bool parse_kind(parser *p, piece *x, const char *plural, int depth) {
    static const struct {
        const char *word;
        piece_kind kind;
    } kinds[] = {{"number", PIECE_ARGUMENT},
                 {"date", PIECE_DATE},
                 {"plural", PIECE_PLURAL},
                 {"selectordinal", PIECE_ORDINAL},
                 {"select", PIECE_SELECT}};
    p->at++;
    const char *word = take_word(p);
    size_t k = 0;
    while (word && k < 5 && strcmp(kinds[k].word, word) != 0) k++;
    if (!word || k == 5)
        return fail(p, "use number, date, plural, selectordinal or select", "unknown kind of argument",
                    word ? word : "");
    x->kind = kinds[k].kind;
    if (x->kind == PIECE_ARGUMENT) return parse_number_style(p, x);
    if (x->kind == PIECE_DATE) return parse_date_style(p, x);
    return parse_branches(p, x, plural, depth);
}

static bool parse_argument(parser *p, rsp_msg *m, const char *plural, int depth) {
    if (depth >= RSP_MOST_MESSAGE_DEPTH) return fail(p, NULL, "branches are nested too deeply", "");
    p->at++;
    const char *name = take_word(p);
    if (!name) return fail(p, "write {name}; a brace as text is '{'", "a '{' without an argument's name", "");
    piece x = {.kind = PIECE_ARGUMENT, .text = name};
    if (*p->at == ',' && !parse_kind(p, &x, plural, depth)) return false;
    skip_blanks(p);
    if (*p->at != '}') return fail(p, NULL, "no '}' after the argument", name);
    p->at++;
    *add_piece(p, m, x.kind, name) = x;
    return true;
}

rsp_msg *rsp_msg_compile(rsp_arena *a, rsp_msg_locale *l, const char *text, rsp_loc loc, rsp_diag *d) {
    parser p = {text, text, a, l, loc, d, true};
    if (strlen(text) > RSP_MOST_MESSAGE_BYTES) fail(&p, NULL, "it is longer than a page", "");
    rsp_msg *m = parse_body(&p, NULL, 0);
    if (p.ok && *p.at) fail(&p, "a brace as text is '}'", "a '}' closes nothing", "");
    return p.ok ? m : NULL;
}

/* ---- formatting ------------------------------------------------------------------------------------------------- */

typedef struct {
    const rsp_msg_locale *locale;
    rsp_arena *arena;
    const rsp_arg *args;
    size_t n;
    rsp_buf out;
} writer;

static const rsp_arg *find_argument(const writer *w, const char *name) {
    for (size_t k = 0; k < w->n; k++)
        if (strcmp(w->args[k].name, name) == 0) return &w->args[k];
    assert(!"a message's argument was not given");
    return NULL;
}

static const rsp_msg *choose_text(const piece *x, const char *value) {
    const rsp_msg *other = NULL;
    for (size_t k = 0; k < x->n; k++) {
        if (value && strcmp(x->branches[k].keyword, value) == 0) return x->branches[k].body;
        if (strcmp(x->branches[k].keyword, "other") == 0) other = x->branches[k].body;
    }
    return other;
}

static const rsp_msg *choose_plural(const writer *w, const piece *x, double value) {
    for (size_t k = 0; k < x->n; k++)
        if (!x->branches[k].keyword && x->branches[k].exact == value) return x->branches[k].body;
    char word[32];
    const char *want = plural_category(x->kind == PIECE_PLURAL ? w->locale->plural : w->locale->ordinal,
                                       w->locale->plain, value, word);
    const rsp_msg *other = NULL;
    for (size_t k = 0; k < x->n; k++) {
        if (!x->branches[k].keyword) continue;
        if (strcmp(x->branches[k].keyword, want) == 0) return x->branches[k].body;
        if (strcmp(x->branches[k].keyword, "other") == 0) other = x->branches[k].body;
    }
    return other;
}

static void write_argument(writer *w, const piece *x, const rsp_arg *arg) {
    if (arg->text) rsp_buf_puts(&w->out, arg->text);
    else if (isnan(arg->number)) rsp_buf_puts(&w->out, "\u2013");
    else rsp_buf_puts(&w->out, rsp_msg_number(w->arena, x->format ? x->format : w->locale->plain, arg->number));
}

static void write_message(writer *w, const rsp_msg *m) {
    for (size_t k = 0; m && k < m->n; k++) {
        const piece *x = &m->pieces[k];
        if (x->kind == PIECE_TEXT) {
            rsp_buf_puts(&w->out, x->text);
            continue;
        }
        const rsp_arg *arg = find_argument(w, x->text);
        if (!arg) continue;
        if (x->kind == PIECE_SELECT) write_message(w, choose_text(x, arg->text));
        else if (x->kind == PIECE_PLURAL || x->kind == PIECE_ORDINAL)
            write_message(w, choose_plural(w, x, arg->number));
        else if (x->kind == PIECE_DATE)
            rsp_buf_puts(&w->out, rsp_msg_date(w->arena, w->locale->name, arg->text ? arg->text : "", x->style));
        else write_argument(w, x, arg);
    }
}

const char *rsp_msg_format(const rsp_msg *m, const rsp_msg_locale *l, rsp_arena *a, const rsp_arg *args, size_t n) {
    writer w = {.locale = l, .arena = a, .args = args, .n = n};
    write_message(&w, m);
    const char *text = rsp_strdup(a, w.out.data ? w.out.data : "");
    rsp_buf_free(&w.out);
    return text;
}

/* ---- comparing translations ------------------------------------------------------------------------------------- */

bool rsp_msg_asks(const rsp_msg *m, const char *name) {
    for (size_t k = 0; k < m->n; k++) {
        const piece *x = &m->pieces[k];
        if (x->kind != PIECE_TEXT && strcmp(x->text, name) == 0) return true;
        for (size_t b = 0; b < x->n; b++)
            if (rsp_msg_asks(x->branches[b].body, name)) return true;
    }
    return false;
}

const char *rsp_msg_strange_argument(const rsp_msg *m, const rsp_msg *reference) {
    for (size_t k = 0; k < m->n; k++) {
        const piece *x = &m->pieces[k];
        if (x->kind != PIECE_TEXT && !rsp_msg_asks(reference, x->text)) return x->text;
        for (size_t b = 0; b < x->n; b++) {
            const char *strange = rsp_msg_strange_argument(x->branches[b].body, reference);
            if (strange) return strange;
        }
    }
    return NULL;
}
