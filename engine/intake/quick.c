/* Records and cells of delimited text by masks of signs, 64 bytes at a time.
 *
 * Both functions take text that is written as RFC 4180 says: a quotation mark opens a cell right behind a delimiter, and
 * right behind the mark that closes it stands a delimiter or the end of the line. Whatever else they meet, they leave to the
 * plain functions of delimited.c, which know what stray, unclosed and indented marks mean; on what they do take, the answers
 * are the same. Quotation marks then stand for states: a byte is quoted where an odd number of them stand so far. */
#include "signs.h"

#include "reader.h"

/* Each loop is compiled for every kind of processor, with its signs inside. */
#define INLINE static inline __attribute__((always_inline))

/* What the signs of a block say, with what its predecessor handed on. */
struct state {
    uint64_t quoted;            /* all ones where the block begins inside quotation marks */
    uint64_t ended, closed;     /* 1: the byte before ended a cell, was a closing mark */
    uint64_t opened_cell, none; /* 1: the byte before opened a cell, closed a cell without bytes */
};

struct block {
    uint64_t open, close, end_of_cell, first, quoted; /* first: bytes that begin a cell */
    uint64_t none;                                    /* marks that close a cell without bytes */
};

/* How signs are found and counted on a kind of processor. */
typedef struct {
    rsp_signs (*of)(const char text[RSP_SIGNS], char delimiter);
    uint64_t (*odd_so_far)(uint64_t bits);
} signs_by;

/* Of the bytes at `text`, of which `there` can be read. */
INLINE rsp_signs signs_at(signs_by by, const char *text, size_t there, char delimiter) {
    if (there >= RSP_SIGNS) return by.of(text, delimiter);
    char last[RSP_SIGNS] = {0};
    memcpy(last, text, there);
    return by.of(last, delimiter);
}

INLINE struct block read_block(signs_by by, const rsp_signs *s, uint64_t ends, const struct state *before) {
    struct block b;
    b.quoted = by.odd_so_far(s->quote) ^ before->quoted;
    b.open = s->quote & b.quoted;
    b.close = s->quote & ~b.quoted;
    b.end_of_cell = (s->delimiter | ends) & ~b.quoted;
    b.first = b.end_of_cell << 1 | before->ended;
    b.none = b.close & ((b.open & b.first) << 1 | before->opened_cell);
    return b;
}

INLINE struct state state_after(const struct block *b) {
    return (struct state){.quoted = (uint64_t) 0 - (b->quoted >> 63),
                          .ended = b->end_of_cell >> 63,
                          .closed = b->close >> 63,
                          .opened_cell = (b->open & b->first) >> 63,
                          .none = b->none >> 63};
}

/* Bits up to and including the lowest one of `of`; all if it has none. */
static inline uint64_t up_to_lowest(uint64_t of) { return of ^ (of - 1); }

INLINE size_t record(signs_by by, const char *text, size_t length, char delimiter, size_t most, rsp_seen *seen) {
    struct state before = {.ended = 1};
    uint64_t bare = 0, none = 0, commas = 0, line_ends = 0;
    for (size_t at = 0; at <= length && at <= most; at += RSP_SIGNS) {
        size_t left = length - at;
        rsp_signs s = signs_at(by, text + at, left, delimiter);
        if (left < RSP_SIGNS) s.line_end |= (uint64_t) 1 << left; /* the end of the text ends a record, too */
        struct block b = read_block(by, &s, s.line_end, &before);
        uint64_t end = s.line_end & ~b.quoted, seen_here = up_to_lowest(end), closed = b.close << 1 | before.closed;
        uint64_t odd = (b.open & ~(b.first | closed)) | (closed & ~(b.end_of_cell | b.open)) | (s.blank & b.first);
        if (odd & seen_here) return RSP_NONE;
        bare |= b.first & b.end_of_cell & seen_here;
        none |= (b.none << 1 | before.none) & b.end_of_cell & seen_here;
        commas |= s.delimiter & b.quoted & seen_here;
        line_ends |= s.line_end & b.quoted & seen_here;
        if (end) {
            seen->bare_empty = seen->bare_empty || bare;
            seen->quoted_empty = seen->quoted_empty || none;
            seen->comma = seen->comma || (commas && delimiter == ',');
            seen->lines_inside = line_ends != 0;
            return at + (size_t) __builtin_ctzll(end);
        }
        before = state_after(&b);
    }
    return RSP_NONE;
}

INLINE bool is_blank(char c, char delimiter) { return (c == ' ' || c == '\t') && c != delimiter; }

INLINE rsp_cell cell_between(const char *from, const char *to, char delimiter) {
    bool quoted = from < to && *from == '"';
    if (quoted) {
        from++, to--;
    } else {
        while (from < to && is_blank(*from, delimiter)) from++;
        while (to > from && is_blank(to[-1], delimiter)) to--;
    }
    return (rsp_cell){from, (uint32_t) (to - from), quoted, 0};
}

INLINE size_t cut(signs_by by, const char *text, size_t length, size_t behind, char delimiter, rsp_cell *cells,
                  size_t limit) {
    struct state before = {.ended = 1};
    size_t n = 0;
    const char *from = text;
    for (size_t at = 0;; at += RSP_SIGNS) {
        size_t left = length - at, there = left + behind;
        rsp_signs s = signs_at(by, text + at, there, delimiter);
        uint64_t end = left < RSP_SIGNS ? (uint64_t) 1 << left : 0, here = up_to_lowest(end);
        s.quote &= ~end & here; /* of this record alone */
        struct block b = read_block(by, &s, end, &before);
        uint64_t closed = b.close << 1 | before.closed;
        uint64_t odd = (b.open & ~b.first) | (closed & ~b.end_of_cell) | (s.blank & b.first & ~end);
        if ((odd & here) || (end & b.quoted)) return RSP_NONE;
        for (uint64_t stops = b.end_of_cell & here; stops; stops &= stops - 1) {
            const char *to = text + at + __builtin_ctzll(stops);
            if (n < limit) cells[n] = cell_between(from, to, delimiter);
            n++;
            from = to + 1;
        }
        if (end) return n;
        before = state_after(&b);
    }
}

/* ---- kinds of processors ---------------------------------------------------------------------------------------- */

static const signs_by any = {rsp_signs_of, rsp_odd_so_far};

#ifdef RSP_SIGNS_WIDE
static const signs_by wide = {rsp_signs_of_wide, rsp_odd_so_far_wide};

RSP_SIGNS_WIDE static size_t record_wide(const char *text, size_t length, char delimiter, size_t most, rsp_seen *seen) {
    return record(wide, text, length, delimiter, most, seen);
}

RSP_SIGNS_WIDE static size_t cut_wide(const char *text, size_t length, size_t behind, char delimiter, rsp_cell *cells,
                                      size_t limit) {
    return cut(wide, text, length, behind, delimiter, cells, limit);
}
#endif

size_t rsp_quick_record(const char *text, size_t length, char delimiter, size_t most, rsp_seen *seen) {
#ifdef RSP_SIGNS_WIDE
    if (rsp_signs_are_wide()) return record_wide(text, length, delimiter, most, seen);
#endif
    return record(any, text, length, delimiter, most, seen);
}

size_t rsp_quick_cut(const char *text, size_t length, size_t behind, char delimiter, rsp_cell *cells, size_t limit) {
#ifdef RSP_SIGNS_WIDE
    if (rsp_signs_are_wide()) return cut_wide(text, length, behind, delimiter, cells, limit);
#endif
    return cut(any, text, length, behind, delimiter, cells, limit);
}
