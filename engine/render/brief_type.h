/* Typography of running text: hyphenation, spaces that must not break, measured paragraphs. */
#ifndef RESPONSIVE_RENDER_BRIEF_TYPE_H
#define RESPONSIVE_RENDER_BRIEF_TYPE_H

#include "scene.h"

#include <pango/pangocairo.h>

/* Hyphenation patterns of one language; immutable after opening, so threads may share it. */
typedef struct brief_hyphens brief_hyphens;

/* NULL, and a warning, if the file cannot be used: text is then set without hyphenation. */
brief_hyphens *brief_hyphens_open(const char *path, rsp_diag *d);
void brief_hyphens_free(brief_hyphens *h); /* NULL allowed */
/* The word with U+00AD where it may break. h NULL: as it is. */
const char *brief_hyphenate(const brief_hyphens *h, rsp_arena *a, const char *word);

/* No line may begin with what belongs to the word before: no-break spaces between a number and a short word, before dashes and, as the
 * language has it, after one-letter words (Polish) and inside punctuation (French). */
const char *brief_glue(rsp_arena *a, const char *lang, const char *text);
/* Glued, long words hyphenated except the last, and a short last word kept with the one before. */
const char *brief_typeset(const brief_hyphens *h, rsp_arena *a, const char *lang, const char *text);
/* Words between blanks; signs that stand alone (a dash, a quotation mark) are none. */
size_t brief_count_words(const char *text);
/* What a program that splits the printed text at blanks counts: such signs too. */
size_t brief_count_printed(const char *text);

typedef struct {
    double size, leading; /* points; of the natural line height */
    bool bold;
    rsp_colour colour;
} brief_type;

/* The colours of type in PDFs: one accent (#12436D), ink, and a grey with a contrast of 7:1 on white. */
#define BRIEF_ACCENT                                                                                                   \
    { 0x12 / 255.0, 0x43 / 255.0, 0x6D / 255.0 }
#define BRIEF_INK                                                                                                      \
    { 0.13, 0.13, 0.13 }
#define BRIEF_GREY                                                                                                     \
    { 0.35, 0.35, 0.35 }

/* A paragraph of this width; tail (or NULL) follows small and grey. Unref after use. */
PangoLayout *brief_paragraph(const char *lang, const char *text, const char *tail, const brief_type *type, double width,
                             PangoAlignment align);
double brief_height(const char *lang, const char *text, const char *tail, const brief_type *type, double width);
/* Draws with its top left corner at x, y; returns its height. Characters that no font has are added to *unknown. */
double brief_show(cairo_t *cr, const char *lang, const char *text, const char *tail, const brief_type *type, double x,
                  double y, double width, size_t *unknown);

#endif
