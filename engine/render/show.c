/* `responsive show`: an analysis in a terminal, with bars. Words come from the study, or from a publication, which
 * carries the words of its rows for the explore page. Widths are counted by ICU, since the C library's wcwidth knows no
 * letter outside ASCII in the C locale that the engine keeps. */
#include "labels.h"
#include "render/published_words.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unicode/uchar.h>
#include <unicode/utf8.h>

enum { LEAST_WIDTH = 40, LEAST_BAR = 10, SHORTEST_BAR = 4, LONGEST_LABEL = 40, ESTIMATE_WIDTH = 10, N_WIDTH = 8 };

struct show {
    const rsp_texts *texts;
    const char *title, *measure;
    size_t n;
    const rsp_published_row **rows;
    const rsp_row_words *words; /* [n] */
    bool several_terms, several_domains;
    size_t width, label_width, bar_width, interval_width;
    double low, high; /* what the bars span, 0 within */
    FILE *to;
    rsp_arena *a;
};

/* ---- text in columns -------------------------------------------------------------------------------------------- */

static size_t width_of_character(UChar32 c) {
    int8_t type = u_charType(c);
    if (type == U_NON_SPACING_MARK || type == U_ENCLOSING_MARK || type == U_FORMAT_CHAR || type == U_CONTROL_CHAR)
        return 0;
    int wide = u_getIntPropertyValue(c, UCHAR_EAST_ASIAN_WIDTH);
    return wide == U_EA_WIDE || wide == U_EA_FULLWIDTH ? 2 : 1;
}

static size_t width_of(const char *text, size_t length) {
    size_t width = 0;
    for (int32_t i = 0; i < (int32_t) length;) {
        UChar32 c;
        U8_NEXT_OR_FFFD((const uint8_t *) text, i, (int32_t) length, c);
        width += width_of_character(c);
    }
    return width;
}

static void spaces(const struct show *s, size_t n) {
    for (size_t k = 0; k < n; k++) fputc(' ', s->to);
}

static void right(const struct show *s, const char *text, size_t width) {
    size_t w = width_of(text, strlen(text));
    spaces(s, w < width ? width - w : 0);
    fputs(text, s->to);
}

/* Bytes of the next line of at most `width` columns; *skip gets the blank after it. A long word is broken. */
static size_t next_line(const char *text, size_t width, size_t *skip) {
    size_t columns = 0, last_blank = 0;
    *skip = 0;
    for (int32_t i = 0, length = (int32_t) strlen(text); i < length;) {
        int32_t from = i;
        UChar32 c;
        U8_NEXT_OR_FFFD((const uint8_t *) text, i, length, c);
        if (c == ' ') last_blank = (size_t) from;
        columns += width_of_character(c);
        if (columns <= width || from == 0) continue;
        if (!last_blank) return (size_t) from;
        *skip = 1;
        return last_blank;
    }
    return strlen(text);
}

/* All lines of a label but the last; the last one is padded and the row goes on behind it. */
static void label(const struct show *s, const char *text) {
    for (;;) {
        size_t skip, n = next_line(text, s->label_width, &skip);
        fprintf(s->to, "  %.*s", (int) n, text);
        if (!text[n]) {
            spaces(s, s->label_width - (width_of(text, n) < s->label_width ? width_of(text, n) : s->label_width) + 2);
            return;
        }
        fputc('\n', s->to);
        text += n + skip;
    }
}

/* A title or heading, in as many lines as the window needs. */
static void heading(const struct show *s, const char *text) {
    size_t skip;
    do {
        size_t n = next_line(text, s->width, &skip);
        fprintf(s->to, "%.*s\n", (int) n, text);
        text += n + skip;
    } while (*text);
}

/* ---- bars ------------------------------------------------------------------------------------------------------- */

/* Eighths of a column from the left edge of the bars to x. */
static long eighths(const struct show *s, double x) {
    double share = (x - s->low) / (s->high - s->low);
    return lround((share < 0 ? 0 : share > 1 ? 1 : share) * 8 * (double) s->bar_width);
}

static void bar(const struct show *s, double x) {
    static const char *const parts[] = {" ", "▏", "▎", "▍", "▌", "▋", "▊", "▉", "█"};
    long zero = eighths(s, 0), end = eighths(s, x), from = (zero < end ? zero : end) / 8 * 8,
         to = zero < end ? end : zero;
    for (long column = 0; column < (long) s->bar_width; column++) {
        long left = 8 * column, filled = to - left;
        if (isnan(x) || left < from || filled <= 0) fputc(' ', s->to);
        else fputs(parts[filled >= 8 || x < 0 ? 8 : filled], s->to);
    }
}

static void find_span(struct show *s) {
    bool shares = true;
    for (size_t i = 0; i < s->n; i++) {
        const rsp_published_row *r = s->rows[i];
        shares &= s->words[i].as == RSP_AS_SHARE;
        if (isnan(r->estimate)) continue;
        if (r->estimate < s->low) s->low = r->estimate;
        if (r->estimate > s->high) s->high = r->estimate;
    }
    if (shares && s->high < 1 && s->low >= 0) s->high = 1;
    if (!(s->high > s->low) || !isfinite(s->high - s->low)) {
        s->low = 0;
        s->high = 1;
    }
}

/* ---- rows ------------------------------------------------------------------------------------------------------- */

static const char *interval(const struct show *s, size_t i) {
    const rsp_published_row *r = s->rows[i];
    if (isnan(r->lower) || isnan(r->upper)) return "";
    rsp_arg ends[] = {{"low", rsp_value_number(s->texts, s->a, r->lower, s->words[i].as), 0},
                      {"high", rsp_value_number(s->texts, s->a, r->upper, s->words[i].as), 0}};
    return rsp_say(s->texts, s->a, "interval_between", ends, 2);
}

/* What tells the row from the one above it; the rest stands in the heading. */
static const char *row_label(const struct show *s, size_t i) {
    const rsp_published_row *r = s->rows[i];
    const rsp_row_words *w = &s->words[i];
    const char *text = *r->level ? w->level : *r->term && (s->several_terms || !s->several_domains) ? w->term : w->who;
    if (strcmp(w->statistic, s->measure) != 0) /* that one stands on top */
        text = *r->level || *r->term ? rsp_printf(s->a, "%s (%s)", text, w->statistic) : w->statistic;
    return rsp_printable(s->a, text);
}

static const char *row_heading(const struct show *s, size_t i) {
    const rsp_published_row *r = s->rows[i];
    /* A difference names its sides itself; its domain holds what else they share. */
    bool named = *r->domain || strcmp(r->statistic, "difference") != 0;
    const char *domain = s->several_domains && named ? s->words[i].who : "";
    if (*r->level && *r->term && (s->several_terms || !*domain)) {
        const char *term = s->words[i].term;
        return rsp_printable(s->a, *domain ? rsp_printf(s->a, "%s \u2013 %s", domain, term) : term);
    }
    return s->several_terms || *r->level ? rsp_printable(s->a, domain) : "";
}

static void measure_columns(struct show *s, size_t width) {
    for (size_t i = 0; i < s->n; i++) {
        const char *text = row_label(s, i), *ends = interval(s, i);
        size_t label_width = width_of(text, strlen(text)), interval_width = width_of(ends, strlen(ends));
        if (label_width > s->label_width) s->label_width = label_width;
        if (interval_width > s->interval_width) s->interval_width = interval_width;
    }
    if (s->label_width > LONGEST_LABEL) s->label_width = LONGEST_LABEL;
    if (s->label_width > width / 3) s->label_width = width / 3;
    size_t used = 2 + s->label_width + 2 + ESTIMATE_WIDTH + (s->interval_width ? 2 + s->interval_width : 0) + N_WIDTH;
    if (used + LEAST_BAR > width) {
        used -= s->interval_width ? 2 + s->interval_width : 0; /* a narrow window shows no intervals */
        s->interval_width = 0;
    }
    s->bar_width = used + SHORTEST_BAR > width ? SHORTEST_BAR : width - used;
}

static void show_row(const struct show *s, size_t i) {
    const rsp_published_row *r = s->rows[i];
    label(s, row_label(s, i));
    bar(s, r->estimate);
    right(s, rsp_value_estimate(s->texts, s->a, r, s->words[i].as), ESTIMATE_WIDTH);
    if (s->interval_width) {
        fputs("  ", s->to);
        right(s, interval(s, i), s->interval_width);
    }
    right(s, isnan(r->n) ? "" : rsp_printf(s->a, "n=%s", rsp_value_number(s->texts, s->a, r->n, RSP_AS_COUNT)),
          N_WIDTH);
    fputc('\n', s->to);
}

static void collect(struct show *s, const rsp_published *r, size_t from, size_t to) {
    s->rows = RSP_ARRAY(s->a, const rsp_published_row *, to - from);
    for (size_t i = from; i < to; i++) {
        const rsp_published_row *row = s->rows[s->n++] = rsp_published_at(r, i);
        s->several_terms |= strcmp(row->term, s->rows[0]->term) != 0;
        s->several_domains |= strcmp(row->domain, s->rows[0]->domain) != 0;
    }
}

static void show_all(struct show *s, size_t width) {
    const char *above = "";
    find_span(s);
    s->width = width < LEAST_WIDTH ? LEAST_WIDTH : width;
    measure_columns(s, s->width);
    heading(s, rsp_printable(s->a, s->title));
    if (*s->measure) heading(s, rsp_printable(s->a, s->measure));
    for (size_t i = 0; i < s->n; i++) {
        const char *now = row_heading(s, i);
        if (strcmp(now, above) != 0) {
            fputc('\n', s->to);
            heading(s, now);
        }
        above = now;
        show_row(s, i);
    }
}

/* ---- where the words come from ------------------------------------------------------------------------------------ */

static void words_of_study(struct show *s, const rsp_labels *l, const char *analysis) {
    rsp_row_words *words = RSP_ARRAY(s->a, rsp_row_words, s->n);
    for (size_t i = 0; i < s->n; i++) {
        const rsp_published_row *r = s->rows[i];
        words[i] = (rsp_row_words){.who = rsp_label_who(l, s->a, r),
                                   .term = rsp_label_term(l, s->a, r),
                                   .level = rsp_label_level(l, s->a, r),
                                   .statistic = rsp_label_statistic_of(l, s->a, r->analysis, r->statistic),
                                   .as = rsp_label_as(l, r)};
    }
    s->words = words;
    s->title = rsp_label_analysis(l, s->a, analysis);
    s->measure = rsp_label_measure(l, s->a, analysis);
}

void rsp_show(const rsp_study *s, const rsp_published *r, const char *analysis, const char *lang, size_t width,
              FILE *to, rsp_diag *d) {
    size_t from, end;
    rsp_texts *texts = rsp_texts_load(lang, d);
    if (texts && rsp_published_range(r, analysis, &from, &end)) {
        rsp_labels *labels = rsp_labels_new(s, texts);
        rsp_labels_count_countries(labels, r);
        struct show x = {.texts = texts, .to = to, .a = rsp_arena_new()};
        collect(&x, r, from, end);
        words_of_study(&x, labels, analysis);
        show_all(&x, width);
        rsp_arena_free(x.a);
        rsp_labels_free(labels);
    }
    rsp_texts_free(texts);
}

void rsp_show_run(const char *run, const rsp_published *r, const char *analysis, const char *lang, const char *wish,
                  size_t width, FILE *to, rsp_diag *d) {
    size_t from, end;
    struct show x = {.to = to, .a = rsp_arena_new()};
    rsp_published_words *words = rsp_published_words_read(run, d);
    const char *spoken = rsp_published_words_language(words, lang, wish, d);
    rsp_texts *texts = spoken ? rsp_texts_load(spoken, d) : NULL;
    x.texts = texts;
    if (texts && rsp_published_range(r, analysis, &from, &end)) {
        collect(&x, r, from, end);
        x.words = rsp_published_words_of(words, analysis, spoken, x.n, &x.title, &x.measure, x.a, d);
        if (x.words) show_all(&x, width);
    }
    rsp_texts_free(texts);
    rsp_published_words_free(words);
    rsp_arena_free(x.a);
}
