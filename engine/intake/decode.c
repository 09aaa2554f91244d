/* Bytes of an export to UTF-8.
 *
 * Order of evidence: the encoding that the study declares; a byte order mark; zero bytes in every second place (UTF-16
 * without a mark); being valid UTF-8; else an 8-bit code page of Europe. Between code pages the text itself decides:
 * under the wrong one signs such as superscripts stand inside words. uchardet is asked where that leaves a tie. */
#include "reader.h"
#include "scales.h"

#include <errno.h>
#include <iconv.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <uchardet/uchardet.h>
#include <unicode/uchar.h>
#include <unicode/utf8.h>

/* ---- lines for reports ------------------------------------------------------------------------------------------ */

void rsp_lines_add(rsp_lines *l, uint32_t line) {
    size_t shown = l->n < RSP_LINES_SHOWN ? l->n : RSP_LINES_SHOWN, k = shown;
    l->n++;
    while (k && l->first[k - 1] > line) k--;
    if (k == RSP_LINES_SHOWN) return;
    size_t last = shown < RSP_LINES_SHOWN ? shown : RSP_LINES_SHOWN - 1;
    memmove(&l->first[k + 1], &l->first[k], (last - k) * sizeof l->first[0]);
    l->first[k] = line;
}

void rsp_lines_merge(rsp_lines *into, const rsp_lines *from) {
    size_t shown = from->n < RSP_LINES_SHOWN ? from->n : RSP_LINES_SHOWN;
    for (size_t k = 0; k < shown; k++) rsp_lines_add(into, from->first[k]);
    into->n += from->n - shown;
}

const char *rsp_lines_text(const rsp_lines *l, char text[128]) {
    size_t shown = l->n < RSP_LINES_SHOWN ? l->n : RSP_LINES_SHOWN;
    int at = snprintf(text, 128, l->n == 1 ? "line " : "lines ");
    for (size_t k = 0; k < shown; k++) at += snprintf(text + at, 128 - (size_t) at, "%s%u", k ? ", " : "", l->first[k]);
    if (l->n > shown) snprintf(text + at, 128 - (size_t) at, " and %zu more", l->n - shown);
    return text;
}

void rsp_quote(rsp_buf *b, const char *text, size_t longest) {
    size_t n = strlen(text);
    bool cut = n > longest;
    if (cut)
        for (n = longest; n && ((unsigned char) text[n] & 0xC0) == 0x80;) n--;
    rsp_buf_putc(b, '\'');
    for (size_t k = 0; k < n; k++) rsp_buf_putc(b, (unsigned char) text[k] < ' ' ? ' ' : text[k]);
    rsp_buf_puts(b, cut ? "...'" : "'");
}

/* ---- validity --------------------------------------------------------------------------------------------------- */

size_t rsp_utf8_check(const char *text, size_t length) {
    size_t i = 0;
    while (i < length) {
        uint64_t eight[4];
        if (length - i >= sizeof eight && (memcpy(eight, text + i, sizeof eight),
                                           !((eight[0] | eight[1] | eight[2] | eight[3]) & 0x8080808080808080u))) {
            i += sizeof eight;
            continue;
        }
        if ((unsigned char) text[i] < 0x80) {
            i++;
            continue;
        }
        /* U8_NEXT takes 32-bit offsets: give it a window of one character. */
        int32_t at = 0, window = length - i < 4 ? (int32_t) (length - i) : 4;
        UChar32 c;
        U8_NEXT(text + i, at, window, c);
        if (c < 0) return i;
        i += (size_t) at;
    }
    return length;
}

/* ---- which encoding --------------------------------------------------------------------------------------------- */

enum { SAMPLE = 1 << 20 };

struct mark {
    const char *encoding;
    size_t length;
    const char *bytes;
};

static const struct mark marks[] = {
    {"UTF-8", 3, "\xEF\xBB\xBF"}, {"UTF-16LE", 2, "\xFF\xFE"}, {"UTF-16BE", 2, "\xFE\xFF"}};

/* Western text in UTF-16 has a zero in nearly every second byte. */
static const char *utf16_without_mark(const char *bytes, size_t length) {
    size_t n = length < SAMPLE ? length : SAMPLE, zeros[2] = {0, 0};
    if (n < 8 || !memchr(bytes, 0, n)) return NULL;
    for (size_t i = 0; i < n; i++) zeros[i & 1] += bytes[i] == 0;
    if (zeros[1] > n / 4 && zeros[0] < n / 40) return "UTF-16LE";
    if (zeros[0] > n / 4 && zeros[1] < n / 40) return "UTF-16BE";
    return NULL;
}

/* Code points of bytes 80..FF under an encoding; 0 where it has none. */
static void code_page(const char *encoding, UChar32 upper[128]) {
    iconv_t cd = iconv_open("UTF-32LE", encoding);
    for (int k = 0; k < 128; k++) {
        char in = (char) (128 + k), *from = &in;
        unsigned char out[4] = {0};
        char *to = (char *) out;
        size_t n_in = 1, n_out = 4;
        upper[k] = 0;
        if (cd != (iconv_t) -1 && iconv(cd, &from, &n_in, &to, &n_out) != (size_t) -1)
            upper[k] = (UChar32) (out[0] | (uint32_t) out[1] << 8 | (uint32_t) out[2] << 16);
    }
    if (cd != (iconv_t) -1) iconv_close(cd);
}

/* How little a byte inside a word looks like a letter there. */
static int strangeness(UChar32 c, UChar32 before, UChar32 after) {
    if (!c) return 20;                    /* the code page has no such character */
    if (c >= 0x80 && c < 0xA0) return 20; /* a control character: ISO 8859 where Windows has quotes and letters */
    bool in_word = u_isalpha(before) || u_isalpha(after);
    if (!in_word) return u_isalpha(c) && !u_isupper(c) ? 1 : 0;
    if (!u_isalpha(c)) return u_isalpha(before) && u_isalpha(after) ? 6 : 1;
    if (u_islower(before) && u_isupper(c)) return 4;   /* aL inside a word */
    if (c == 0xAA || c == 0xBA || c == 0xB5) return 6; /* ordinal signs and micro */
    /* Letters of Icelandic and Turkish, and y with diaeresis: in these surveys a sign of the wrong code page. */
    if (c == 0xFE || c == 0xDE || c == 0xF0 || c == 0xD0 || c == 0xFF) return 3;
    return 0;
}

static long page_score(const char *encoding, const char *bytes, size_t n) {
    UChar32 upper[128];
    long score = 0;
    code_page(encoding, upper);
    for (size_t i = 0; i < n; i++) {
        unsigned char b = (unsigned char) bytes[i];
        if (b < 0x80) continue;
        unsigned char p = i ? (unsigned char) bytes[i - 1] : ' ', q = i + 1 < n ? (unsigned char) bytes[i + 1] : ' ';
        score += strangeness(upper[b - 128], p < 128 ? p : upper[p - 128], q < 128 ? q : upper[q - 128]);
    }
    return score;
}

static const char *const pages[] = {"WINDOWS-1252", "WINDOWS-1250", "ISO-8859-2"};
enum { N_PAGES = sizeof pages / sizeof pages[0] };

/* Of the pages that fit equally well, the one that uchardet names, else the first. ISO-8859-1 is part of Windows-1252.
 */
static const char *tie_break(const char *bytes, size_t n, const bool *fits) {
    const char *chosen = NULL;
    uchardet_t u = uchardet_new();
    if (uchardet_handle_data(u, bytes, n) == 0) {
        uchardet_data_end(u);
        const char *said = uchardet_get_charset(u);
        if (strcasecmp(said, "ISO-8859-1") == 0) said = pages[0];
        for (size_t k = 0; k < N_PAGES; k++)
            if (fits[k] && strcasecmp(said, pages[k]) == 0) chosen = pages[k];
    }
    uchardet_delete(u);
    for (size_t k = 0; !chosen && k < N_PAGES; k++)
        if (fits[k]) chosen = pages[k];
    return chosen;
}

/* Does some high byte stand in a word with plain letters? Where none does, no word of a language tells the page. */
static bool in_words(const char *bytes, size_t n) {
    for (size_t i = 0; i < n; i++) {
        unsigned char p = i ? (unsigned char) bytes[i - 1] : ' ', q = i + 1 < n ? (unsigned char) bytes[i + 1] : ' ';
        if ((unsigned char) bytes[i] >= 0x80 && ((p < 128 && u_isalpha(p)) || (q < 128 && u_isalpha(q)))) return true;
    }
    return false;
}

/* Is the text, by its frequent words, of a language that Windows-1250 was made for? A single "si\xEA" is no word of any
 * language under Windows-1252, which a look at letters does not tell. */
static bool is_eastern(const char *bytes, size_t n) {
    enum { ENOUGH = 1 << 16 };
    rsp_buf plain = {0};
    for (size_t i = 0; i < n && i < ENOUGH; i++) rsp_buf_putc(&plain, (unsigned char) bytes[i] < 0x80 ? bytes[i] : '?');
    const char *language = rsp_language_of(plain.data, plain.length);
    rsp_buf_free(&plain);
    return language && (strcmp(language, "pl") == 0 || strcmp(language, "ro") == 0);
}

static const char *eight_bit(const char *bytes, size_t length, size_t first_high) {
    const char *from = bytes + (first_high > SAMPLE / 4 ? first_high - SAMPLE / 4 : 0);
    size_t n = (size_t) (bytes + length - from) < SAMPLE ? (size_t) (bytes + length - from) : SAMPLE;
    long score[N_PAGES], best = 0;
    bool fits[N_PAGES];
    for (size_t k = 0; k < N_PAGES; k++) {
        score[k] = page_score(pages[k], from, n);
        if (k == 0 || score[k] < best) best = score[k];
    }
    for (size_t k = 0; k < N_PAGES; k++) fits[k] = score[k] == best;
    /* A stray sign or two behind a question mark, as in "Universe?\x8c\xe6,": the commonest page has them. */
    if (fits[0] && !in_words(from, n)) return pages[0];
    if (fits[1] && is_eastern(from, n)) return pages[1];
    return tie_break(from, n, fits);
}

/* ---- conversion ------------------------------------------------------------------------------------------------- */

static uint32_t line_at(const char *text, size_t offset) {
    uint32_t line = 1;
    for (size_t i = 0; i < offset; i++) line += text[i] == '\n' || (text[i] == '\r' && text[i + 1] != '\n');
    return line;
}

/* The text in bytes of an encoding; what it leaves undefined between 80 and 9F stands for itself. */
static bool as_bytes(const char *text, size_t length, const char *encoding, rsp_buf *out) {
    iconv_t cd = iconv_open(encoding, "UTF-8");
    bool good = cd != (iconv_t) -1;
    for (size_t i = 0, next = 0; good && i < length; i = next) {
        UChar32 c;
        U8_NEXT(text, next, length, c);
        char byte = (char) c, *from = (char *) text + i, *to = &byte;
        size_t left = next - i, room = 1;
        if (c >= 0xA0 || c < 0) good = c > 0 && iconv(cd, &from, &left, &to, &room) != (size_t) -1;
        if (good) rsp_buf_add(out, &byte, 1);
    }
    if (cd != (iconv_t) -1) iconv_close(cd);
    return good;
}

bool rsp_is_twice_encoded(const char *text, size_t length) {
    static const char *const encodings[] = {"WINDOWS-1252", "WINDOWS-1250"};
    bool ascii = true, again = false;
    for (size_t i = 0; i < length && ascii; i++) ascii = (signed char) text[i] >= 0;
    for (size_t k = 0; k < sizeof encodings / sizeof *encodings && !ascii && !again; k++) {
        rsp_buf bytes = {0};
        again =
            as_bytes(text, length, encodings[k], &bytes) && rsp_utf8_check(bytes.data, bytes.length) == bytes.length;
        rsp_buf_free(&bytes);
    }
    return again;
}

/* Line and column (in characters) of an offset into UTF-8 text. */
static rsp_loc place_of(const char *path, const char *text, size_t offset) {
    size_t start = offset;
    int column = 1;
    while (start && text[start - 1] != '\n' && text[start - 1] != '\r') start--;
    for (size_t i = start; i < offset; i++) column += ((unsigned char) text[i] & 0xC0) != 0x80;
    return (rsp_loc){path, (int) line_at(text, start), column};
}

struct bad {
    size_t n, first; /* first: offset in the converted text */
    unsigned char byte;
};

static void replace_bad(rsp_buf *out, struct bad *bad, char byte) {
    if (!bad->n++) {
        bad->first = out->length;
        bad->byte = (unsigned char) byte;
    }
    rsp_buf_add(out, "\xEF\xBF\xBD", 3); /* U+FFFD */
}

static bool convert(const char *in, size_t length, const char *encoding, size_t unit, rsp_buf *out, struct bad *bad) {
    iconv_t cd = iconv_open("UTF-8", encoding);
    if (cd == (iconv_t) -1) return false;
    char *from = (char *) in, *chunk = rsp_malloc(1 << 16);
    size_t left = length;
    while (left) {
        char *to = chunk;
        size_t room = 1 << 16, got = iconv(cd, &from, &left, &to, &room);
        int why = errno;
        rsp_buf_add(out, chunk, (size_t) (to - chunk));
        if (got != (size_t) -1 || why == E2BIG) continue;
        size_t skip = left < unit ? left : unit; /* EILSEQ, or EINVAL: cut off at the end of the file */
        replace_bad(out, bad, *from);
        from += skip;
        left -= skip;
        iconv(cd, NULL, NULL, NULL, NULL);
    }
    free(chunk);
    iconv_close(cd);
    if (!out->data) rsp_buf_add(out, "", 0);
    return true;
}

/* Invalid bytes of text that calls itself UTF-8 become U+FFFD. */
static void repair_utf8(const char *in, size_t length, rsp_buf *out, struct bad *bad) {
    while (length) {
        size_t good = rsp_utf8_check(in, length);
        rsp_buf_add(out, in, good);
        in += good;
        length -= good;
        if (!length) break;
        replace_bad(out, bad, *in);
        in++;
        length--;
    }
}

static void drop_nul(rsp_buf *b, const char *path, rsp_diag *d) {
    if (!memchr(b->data, 0, b->length)) return;
    rsp_lines lines = {0};
    uint32_t line = 1, last = 0;
    size_t to = 0, dropped = 0;
    for (size_t i = 0; i < b->length; i++) {
        char c = b->data[i];
        if (c == 0) {
            dropped++;
            if (!lines.n || line != last) rsp_lines_add(&lines, line);
            last = line;
            continue;
        }
        b->data[to++] = c;
        line += c == '\n' || (c == '\r' && !(i + 1 < b->length && b->data[i + 1] == '\n'));
    }
    b->length = to;
    b->data[to] = '\0';
    char text[128];
    rsp_report(d, RSP_WARNING, (rsp_loc){path, (int) lines.first[0], 0}, "export the file again if answers look cut",
               "%zu NUL byte%s dropped (%s)", dropped, dropped == 1 ? "" : "s", rsp_lines_text(&lines, text));
}

static void report_bad(const struct bad *bad, const char *encoding, const rsp_buf *text, const char *path,
                       rsp_diag *d) {
    if (!bad->n) return;
    rsp_report(d, RSP_WARNING, place_of(path, text->data, bad->first), "give the source its `encoding`",
               "%zu byte%s not valid in %s (the first is 0x%02X); each is read as U+FFFD", bad->n,
               bad->n == 1 ? " is" : "s are", encoding, bad->byte);
}

static const char *recognise(const rsp_buf *raw, size_t *skip, bool *assumed, const char **why) {
    *why = "byte order mark";
    for (size_t k = 0; k < sizeof marks / sizeof marks[0]; k++) {
        if (raw->length < marks[k].length || memcmp(raw->data, marks[k].bytes, marks[k].length) != 0) continue;
        *skip = marks[k].length;
        return marks[k].encoding;
    }
    const char *utf16 = utf16_without_mark(raw->data, raw->length);
    *assumed = utf16 != NULL;
    *why = "every second byte is zero";
    if (utf16) return utf16;
    size_t valid = rsp_utf8_check(raw->data, raw->length);
    *why = "all bytes are valid in it";
    if (valid == raw->length) return "UTF-8";
    *assumed = true;
    *why = "not valid UTF-8; its letters and signs stand best under it";
    return eight_bit(raw->data, raw->length, valid);
}

/* A declared encoding under one name, so that "utf8" and "UTF-8" go the same way. */
static const char *declared_name(const char *declared, const rsp_buf *raw, size_t *skip) {
    bool utf8 = strcasecmp(declared, "utf-8") == 0 || strcasecmp(declared, "utf8") == 0;
    bool utf16 = strcasecmp(declared, "utf-16") == 0 || strcasecmp(declared, "utf16") == 0;
    for (size_t k = 0; k < sizeof marks / sizeof marks[0]; k++) {
        bool same = k == 0 ? utf8 : utf16 || strcasecmp(declared, marks[k].encoding) == 0;
        if (same && raw->length >= marks[k].length && memcmp(raw->data, marks[k].bytes, marks[k].length) == 0) {
            *skip = marks[k].length;
            return marks[k].encoding;
        }
    }
    if (utf16) {
        const char *found = utf16_without_mark(raw->data, raw->length);
        return found ? found : "UTF-16LE";
    }
    return utf8 ? "UTF-8" : declared;
}

bool rsp_decode(rsp_buf *raw, const char *declared, const char *path, rsp_decoded *out, rsp_diag *d) {
    size_t skip = 0, mark = 0;
    rsp_buf text = {0};
    struct bad bad = {0};
    *out = (rsp_decoded){0};
    if (!raw->data) rsp_buf_add(raw, "", 0);
    out->why = "declared";
    out->encoding = declared ? declared_name(declared, raw, &skip) : recognise(raw, &skip, &out->assumed, &out->why);
    const char *bytes = raw->data + skip;
    size_t length = raw->length - skip;
    bool utf8 = strcmp(out->encoding, "UTF-8") == 0;
    if (utf8 && rsp_utf8_check(bytes, length) == length) {
        text = *raw; /* the mark stays in front of the text: moving a large file would cost a look at all of it */
        mark = skip;
        *raw = (rsp_buf){0};
    } else if (utf8) {
        repair_utf8(bytes, length, &text, &bad);
    } else if (!convert(bytes, length, out->encoding, strncmp(out->encoding, "UTF-16", 6) == 0 ? 2 : 1, &text, &bad)) {
        rsp_report(d, RSP_ERR_STUDY, (rsp_loc){path, 0, 0}, "`iconv -l` lists the names", "unknown encoding '%s'",
                   declared);
        rsp_buf_free(raw);
        rsp_buf_free(&text);
        return false;
    }
    rsp_buf_free(raw);
    report_bad(&bad, out->encoding, &text, path, d);
    drop_nul(&text, path, d);
    if (out->assumed)
        rsp_report(d, RSP_NOTE, (rsp_loc){path, 0, 0}, "if letters look wrong, give the source its `encoding`",
                   "read as %s, judging by its bytes", out->encoding);
    out->heap = text.data;
    out->text = text.data + mark;
    out->length = text.length - mark;
    return true;
}
