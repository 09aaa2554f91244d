/* Folding: two texts that a reader would call the same answer become the same bytes. */
#include "reader.h"

#include <libxml/HTMLparser.h>
#include <stdlib.h>
#include <string.h>
#include <unicode/unorm2.h>
#include <unicode/ustring.h>
#include <unicode/utf8.h>

enum { LONGEST_TAG = 1024, LONGEST_ENTITY = 32, LONGEST_FOLDED = 1 << 20 };

static bool ascii_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

/* Length of the tag at text, 0 if `<` stands for itself. */
static size_t tag_length(const char *text, size_t length) {
    if (length < 3 || !(ascii_letter(text[1]) || (text[1] == '/' && ascii_letter(text[2])) || text[1] == '!')) return 0;
    const char *end = memchr(text, '>', length < LONGEST_TAG ? length : LONGEST_TAG);
    return end ? (size_t) (end - text) + 1 : 0;
}

static void put_code_point(rsp_buf *b, unsigned long c) {
    char bytes[4];
    int32_t n = 0;
    UBool bad = false;
    if (c == 0 || c > 0x10FFFF) c = 0xFFFD;
    U8_APPEND((uint8_t *) bytes, n, 4, (UChar32) c, bad);
    if (!bad) rsp_buf_add(b, bytes, (size_t) n);
}

/* Resolves the entity at text into b; returns its length, 0 if `&` stands for itself. */
static size_t take_entity(const char *text, size_t length, rsp_buf *b) {
    const char *end = memchr(text, ';', length < LONGEST_ENTITY ? length : LONGEST_ENTITY);
    char name[LONGEST_ENTITY];
    size_t n = end ? (size_t) (end - text) - 1 : 0;
    if (!n) return 0;
    memcpy(name, text + 1, n);
    name[n] = '\0';
    if (name[0] == '#') {
        bool hex = name[1] == 'x' || name[1] == 'X';
        char *stop;
        unsigned long c = strtoul(name + (hex ? 2 : 1), &stop, hex ? 16 : 10);
        if (*stop || stop == name + (hex ? 2 : 1)) return 0;
        put_code_point(b, c);
    } else {
        const htmlEntityDesc *e = htmlEntityLookup((const xmlChar *) name);
        if (!e) return 0;
        put_code_point(b, e->value);
    }
    return n + 2;
}

/* Line breaks and paragraphs part words; tags of fonts do not. */
static bool parts_words(const char *tag) {
    const char *name = tag[1] == '/' ? tag + 2 : tag + 1;
    return strchr("bBpPdDlLtT", *name) && !(strchr("bB", *name) && !strchr("rR", name[1]));
}

static void without_html(const char *text, size_t length, rsp_buf *out) {
    for (size_t i = 0; i < length;) {
        size_t taken = 0;
        if (text[i] == '<' && (taken = tag_length(text + i, length - i))) {
            if (parts_words(text + i)) rsp_buf_putc(out, ' ');
        } else if (text[i] == '&') {
            taken = take_entity(text + i, length - i, out);
        }
        if (!taken) {
            rsp_buf_putc(out, text[i]);
            taken = 1;
        }
        i += taken;
    }
}

static bool is_space(UChar c) {
    return c == '\t' || c == '\n' || c == '\r' || c == 0xA0 || c == 0x2028 || c == 0x2029 || c == 0x202F ||
           c == 0x3000 || (c >= 0x2000 && c <= 0x200A);
}

/* One character for those that mean the same; 0: leave out. */
static UChar plain(UChar c) {
    switch (c) {
    case 0xAD:
    case 0x200B:
    case 0x200C:
    case 0x200D:
    case 0x200E:
    case 0x200F:
    case 0x2060:
    case 0xFEFF: return 0;
    case 0x2018:
    case 0x2019:
    case 0x201A:
    case 0x201B:
    case 0x2032:
    case 0xB4:
    case '`': return '\'';
    case 0x201C:
    case 0x201D:
    case 0x201E:
    case 0x201F:
    case 0x2033:
    case 0xAB:
    case 0xBB: return '"';
    case 0x2010:
    case 0x2011:
    case 0x2012:
    case 0x2013:
    case 0x2014:
    case 0x2015:
    case 0x2212: return '-';
    case 0x015F: return 0x0219; /* s with cedilla, as Windows-1250 has it */
    case 0x0163: return 0x021B;
    default: return c;
    }
}

static UChar plain_but(UChar c, unsigned without) {
    if (is_space(c)) return without & RSP_FOLD_SPACE ? c : ' ';
    return without & RSP_FOLD_SIGNS ? c : plain(c);
}

static void fold_unicode(const rsp_buf *in, unsigned without, rsp_buf *out) {
    UErrorCode status = U_ZERO_ERROR;
    int32_t room = (int32_t) in->length * 3 + 16, n = 0;
    UChar *a = rsp_malloc((size_t) room * sizeof *a), *b = rsp_malloc((size_t) room * sizeof *b);
    u_strFromUTF8WithSub(a, room, &n, in->data, (int32_t) in->length, 0xFFFD, NULL, &status);
    if (without & RSP_FOLD_SIGNS) u_memcpy(b, a, n);
    else n = unorm2_normalize(unorm2_getNFCInstance(&status), a, n, b, room, &status);
    if (without & RSP_FOLD_CASE) u_memcpy(a, b, n);
    else n = u_strFoldCase(a, room, b, n, U_FOLD_CASE_DEFAULT, &status);
    int32_t to = 0;
    for (int32_t i = 0; U_SUCCESS(status) && i < n; i++) {
        UChar c = plain_but(a[i], without);
        if (c) b[to++] = c;
    }
    char *utf8 = rsp_malloc((size_t) to * 3 + 1);
    int32_t length = 0;
    u_strToUTF8WithSub(utf8, to * 3 + 1, &length, b, to, 0xFFFD, NULL, &status);
    if (U_SUCCESS(status)) rsp_buf_add(out, utf8, (size_t) length);
    free(utf8);
    free(a);
    free(b);
}

static bool ascii_only(const char *text, size_t length) {
    for (size_t i = 0; i < length; i++)
        if ((unsigned char) text[i] >= 0x80) return false;
    return true;
}

static void fold_ascii(const rsp_buf *in, unsigned without, rsp_buf *out) {
    for (size_t i = 0; i < in->length; i++) {
        char c = in->data[i];
        c = c >= 'A' && c <= 'Z' ? (char) (without & RSP_FOLD_CASE ? c : c + 32)
                                 : (char) plain_but((UChar) (unsigned char) c, without);
        rsp_buf_putc(out, c);
    }
}

/* Single blanks, none at the ends; no dots at the end unless there is nothing else. */
static void tidy(rsp_buf *b, unsigned without) {
    size_t to = 0;
    bool spaces = !(without & RSP_FOLD_SPACE);
    for (size_t i = 0; i < b->length; i++) {
        if (spaces && b->data[i] == ' ' && (to == 0 || b->data[to - 1] == ' ')) continue;
        b->data[to++] = b->data[i];
    }
    while (spaces && to && b->data[to - 1] == ' ') to--;
    size_t full = to;
    while (!(without & RSP_FOLD_DOTS)) {
        if (to && (b->data[to - 1] == '.' || b->data[to - 1] == ' ')) to--;
        else if (to >= 3 && memcmp(b->data + to - 3, "\xE2\x80\xA6", 3) == 0) to -= 3; /* one-sign ellipsis */
        else break;
    }
    b->length = to ? to : full;
    b->data[b->length] = '\0';
}

void rsp_fold(const char *text, size_t length, rsp_buf *into) { rsp_fold_but(text, length, 0, into); }

void rsp_fold_but(const char *text, size_t length, unsigned kinds, rsp_buf *into) {
    if (length > LONGEST_FOLDED) length = LONGEST_FOLDED;
    rsp_buf stripped = {0};
    rsp_buf_add(&stripped, "", 0);
    if (kinds & RSP_FOLD_HTML) rsp_buf_add(&stripped, text, length);
    else without_html(text, length, &stripped);
    into->length = 0;
    rsp_buf_add(into, "", 0);
    if (ascii_only(stripped.data, stripped.length)) fold_ascii(&stripped, kinds, into);
    else fold_unicode(&stripped, kinds, into);
    rsp_buf_free(&stripped);
    tidy(into, kinds);
}
