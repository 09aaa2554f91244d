/* Shaped text. Breaking and shaping a text is the dearest step of a page, and the same words come back in chart after
 * chart, in three formats each: layouts are kept, by all that they depend on, for the thread that made them.
 *
 * A layout belongs to its thread's font map: make, draw and release it on one thread, and change nothing about it. */
#ifndef RESPONSIVE_RENDER_SHAPED_H
#define RESPONSIVE_RENDER_SHAPED_H

#include <pango/pangocairo.h>
#include <stdbool.h>

typedef struct {
    const char *text, *tail; /* tail: small and grey after the text; NULL: none */
    const char *family;      /* NULL: the theme's */
    const char *lang;        /* for breaking and shaping; NULL: English */
    double size;             /* points */
    double width;            /* wraps at this width; 0: one line */
    double line_spacing;     /* factor; 0: the font's own */
    bool bold, italic;
    PangoAlignment align;
} rsp_words;

/* New reference to the layout of these words; NULL without fonts. */
PangoLayout *rsp_shape_words(const rsp_words *w);

#endif
