/* Typography of running text; see brief_type.h. */
#include "brief_type.h"

#include "shaped.h"

#include <hyphen.h>
#include <iconv.h>
#include <stdlib.h>
#include <string.h>

/* Ragged-right text needs few hyphens: only words this long break, and leave this much on either side. */
enum { LONG_WORD = 9, LEAST_LEFT = 4, LEAST_RIGHT = 4, MAX_WORD = 64 };

static const char SOFT_HYPHEN[] = "\u00AD", NO_BREAK[] = "\u00A0", NARROW_NO_BREAK[] = "\u202F";

/* ---- hyphenation ------------------------------------------------------------------------------------------------ */

struct brief_hyphens {
    HyphenDict *dict;
    char charset[32];
};

/* Where a file of several levels has a list of words before its patterns (69,000 in German) only the patterns are
 * kept: libhyphen takes seconds to read such a list, and ragged-right text can do without its finer points. */
enum { LONG_LIST = 1 << 18 };

static void leave_out_words(rsp_buf *file) {
    static const char mark[] = "\nNEXTLEVEL";
    char *level = file->data ? memmem(file->data, file->length, mark, strlen(mark)) : NULL;
    char *first_end = file->data ? memchr(file->data, '\n', file->length) : NULL;
    if (!level || level - file->data < LONG_LIST) return;
    char *rest = level + strlen(mark);
    size_t kept = file->length - (size_t) (rest - file->data);
    memmove(first_end, rest, kept); /* the first line names the encoding */
    file->length = (size_t) (first_end - file->data) + kept;
}

static HyphenDict *load_patterns(const char *path, rsp_diag *d) {
    rsp_buf file = {0};
    if (!rsp_read_file(path, &file, d, RSP_WARNING, (rsp_loc){path, 0, 0})) return NULL;
    leave_out_words(&file);
    FILE *f = file.length ? fmemopen(file.data, file.length, "r") : NULL;
    HyphenDict *dict = f ? hnj_hyphen_load_file(f) : NULL;
    if (f) fclose(f);
    rsp_buf_free(&file);
    return dict;
}

brief_hyphens *brief_hyphens_open(const char *path, rsp_diag *d) {
    HyphenDict *dict = load_patterns(path, d);
    if (!dict) {
        rsp_report(d, RSP_WARNING, (rsp_loc){path, 0, 0}, "install Debian's hyphen-* package of the language",
                   "hyphenation patterns cannot be read: the language's briefs have no hyphens");
        return NULL;
    }
    brief_hyphens *h = rsp_calloc(1, sizeof *h);
    h->dict = dict;
    snprintf(h->charset, sizeof h->charset, "%s", dict->cset);
    /* The patterns name their encoding as ISO8859-1; iconv wants a hyphen more. */
    if (strncmp(dict->cset, "ISO8859", 7) == 0) snprintf(h->charset, sizeof h->charset, "ISO-%.20s", dict->cset + 3);
    return h;
}

void brief_hyphens_free(brief_hyphens *h) {
    if (!h) return;
    hnj_hyphen_free(h->dict);
    free(h);
}

/* The lower-case word in the patterns' encoding; 0 if it has letters that the encoding lacks. */
static size_t encode(const brief_hyphens *h, const char *lower, char out[4 * MAX_WORD + 1]) {
    iconv_t conversion = iconv_open(h->charset, "UTF-8");
    if (conversion == (iconv_t) -1) return 0;
    char *from = (char *) lower, *to = out;
    size_t left = strlen(lower), room = 4 * MAX_WORD;
    bool ok = iconv(conversion, &from, &left, &to, &room) == 0 && left == 0;
    iconv_close(conversion);
    *to = '\0';
    return ok ? (size_t) (to - out) : 0;
}

static void free_changes(char **rep, int *pos, int *cut, size_t n) {
    for (size_t k = 0; rep && k < n; k++) free(rep[k]);
    free(rep);
    free(pos);
    free(cut);
}

/* breaks[k]: the word may break after its k-th letter. Breaks that change the spelling are left out. */
static bool find_breaks(const brief_hyphens *h, const char *lower, size_t letters, bool breaks[MAX_WORD]) {
    char word[4 * MAX_WORD + 1], marks[4 * MAX_WORD + 8];
    size_t length = encode(h, lower, word);
    if (!length) return false;
    memset(marks, 0, sizeof marks);
    char **rep = NULL;
    int *pos = NULL, *cut = NULL;
    bool ok = hnj_hyphen_hyphenate2(h->dict, word, (int) length, marks, NULL, &rep, &pos, &cut) == 0;
    bool any = false;
    for (size_t k = 0; k < letters; k++) {
        breaks[k] = ok && k + 1 >= LEAST_LEFT && letters - k - 1 >= LEAST_RIGHT && (marks[k] & 1) && !(rep && rep[k]);
        any |= breaks[k];
    }
    free_changes(rep, pos, cut, length);
    return any;
}

const char *brief_hyphenate(const brief_hyphens *h, rsp_arena *a, const char *word) {
    size_t letters = (size_t) g_utf8_strlen(word, -1);
    bool breaks[MAX_WORD] = {false};
    if (!h || letters < LONG_WORD || letters > MAX_WORD) return word;
    char *lower = g_utf8_strdown(word, -1);
    bool found = (size_t) g_utf8_strlen(lower, -1) == letters && find_breaks(h, lower, letters, breaks);
    g_free(lower);
    if (!found) return word;
    rsp_buf out = {0};
    const char *p = word;
    for (size_t k = 0; k < letters; k++) {
        const char *next = g_utf8_next_char(p);
        rsp_buf_add(&out, p, (size_t) (next - p));
        if (breaks[k]) rsp_buf_puts(&out, SOFT_HYPHEN);
        p = next;
    }
    const char *text = rsp_strdup(a, out.data);
    rsp_buf_free(&out);
    return text;
}

/* ---- spaces ----------------------------------------------------------------------------------------------------- */

static bool has(const char *set, gunichar c) { return c && g_utf8_strchr(set, -1, c); }

/* Is what follows a word of so few letters that it may go over to the next line with the number before it? A long one would
 * leave a hole at the end of this line. */
static bool begins_short(const char *text) {
    size_t letters = 0;
    for (const char *p = text; letters < LONG_WORD && g_unichar_isalpha(g_utf8_get_char(p)); p = g_utf8_next_char(p))
        letters++;
    return letters && letters < LONG_WORD;
}

/* Must the blank between a character and what is next stay? `word` is the number of letters of the word before. */
static bool binds(const char *lang, gunichar before, const char *next, size_t word) {
    gunichar after = *next ? g_utf8_get_char(next) : 0;
    if (g_unichar_isdigit(before) && begins_short(next)) return true;
    if (has("–—±%€", after)) return true;
    if (strcmp(lang, "pl") == 0 && word == 1 && g_unichar_isalpha(before)) return true;
    return strcmp(lang, "fr") == 0 && (has(":;?!»", after) || before == 0xAB);
}

/* French sets all but the colon and the per cent sign off by a narrow space. */
static bool narrow(const char *lang, gunichar before, gunichar after) {
    return strcmp(lang, "fr") == 0 && (has(";?!»", after) || before == 0xAB);
}

const char *brief_glue(rsp_arena *a, const char *lang, const char *text) {
    rsp_buf out = {0};
    gunichar before = 0;
    size_t word = 0;
    rsp_buf_puts(&out, "");
    for (const char *p = text; *p; p = g_utf8_next_char(p)) {
        gunichar c = g_utf8_get_char(p);
        const char *next = g_utf8_next_char(p);
        gunichar after = *next ? g_utf8_get_char(next) : 0;
        if (c == ' ' && binds(lang, before, next, word))
            rsp_buf_puts(&out, narrow(lang, before, after) ? NARROW_NO_BREAK : NO_BREAK);
        else rsp_buf_add(&out, p, (size_t) (next - p));
        word = g_unichar_isalpha(c) ? word + 1 : 0;
        before = c;
    }
    const char *glued = rsp_strdup(a, out.data);
    rsp_buf_free(&out);
    return glued;
}

/* A paragraph's last line shall not be one short word. */
static void bind_last_word(char *text) {
    char *blank = strrchr(text, ' ');
    if (!blank || g_utf8_strlen(blank + 1, -1) > 5 || blank == text) return;
    size_t rest = strlen(blank + 1);
    memmove(blank + 2, blank + 1, rest + 1); /* room was left for one byte more */
    memcpy(blank, NO_BREAK, 2);
}

/* Appends the text with its long words hyphenated, the last one not: a paragraph does not end on half a word. */
static void add_hyphenated(rsp_buf *out, const brief_hyphens *h, rsp_arena *a, const char *text) {
    const char *last = strrchr(text, ' ');
    for (const char *p = text; *p;) {
        const char *end = p;
        while (*end && g_unichar_isalpha(g_utf8_get_char(end))) end = g_utf8_next_char(end);
        if (end > p) {
            const char *word = rsp_strndup(a, p, (size_t) (end - p));
            rsp_buf_puts(out, last && p < last ? brief_hyphenate(h, a, word) : word);
            p = end;
            continue;
        }
        end = g_utf8_next_char(p);
        rsp_buf_add(out, p, (size_t) (end - p));
        p = end;
    }
}

const char *brief_typeset(const brief_hyphens *h, rsp_arena *a, const char *lang, const char *text) {
    rsp_buf out = {0};
    rsp_buf_puts(&out, "");
    add_hyphenated(&out, h, a, brief_glue(a, lang, text));
    char *set = rsp_alloc(a, out.length + 2);
    memcpy(set, out.data, out.length + 1);
    rsp_buf_free(&out);
    bind_last_word(set);
    return set;
}

size_t brief_count_words(const char *text) {
    size_t n = 0;
    bool counted = false;
    for (const char *p = text; *p; p = g_utf8_next_char(p)) {
        gunichar c = g_utf8_get_char(p);
        if (g_unichar_isspace(c)) counted = false;
        else if (!counted && g_unichar_isalnum(c)) {
            counted = true;
            n++;
        }
    }
    return n;
}

size_t brief_count_printed(const char *text) {
    size_t n = 0;
    bool inside = false;
    for (const char *p = text; *p; p = g_utf8_next_char(p)) {
        gunichar c = g_utf8_get_char(p);
        bool letter = !g_unichar_isspace(c);
        n += letter && !inside;
        inside = letter;
    }
    return n;
}

/* ---- paragraphs ------------------------------------------------------------------------------------------------- */

PangoLayout *brief_paragraph(const char *lang, const char *text, const char *tail, const brief_type *type, double width,
                             PangoAlignment align) {
    return rsp_shape_words(&(rsp_words){.text = text,
                                        .tail = tail,
                                        .lang = lang,
                                        .size = type->size,
                                        .width = width,
                                        .line_spacing = type->leading,
                                        .bold = type->bold,
                                        .align = align});
}

static double layout_height(PangoLayout *layout) {
    int w, h;
    pango_layout_get_size(layout, &w, &h);
    return h / (double) PANGO_SCALE;
}

double brief_height(const char *lang, const char *text, const char *tail, const brief_type *type, double width) {
    PangoLayout *layout = brief_paragraph(lang, text, tail, type, width, PANGO_ALIGN_LEFT);
    double height = layout_height(layout);
    g_object_unref(layout);
    return height;
}

double brief_show(cairo_t *cr, const char *lang, const char *text, const char *tail, const brief_type *type, double x,
                  double y, double width, size_t *unknown) {
    PangoLayout *layout = brief_paragraph(lang, text, tail, type, width, PANGO_ALIGN_LEFT);
    cairo_set_source_rgb(cr, type->colour.r, type->colour.g, type->colour.b);
    cairo_move_to(cr, x, y);
    pango_cairo_show_layout(cr, layout);
    cairo_new_path(cr);
    *unknown += (size_t) pango_layout_get_unknown_glyphs_count(layout);
    double height = layout_height(layout);
    g_object_unref(layout);
    return height;
}
