/* Colours and sizes of charts, from reports/theme.yaml. */
#ifndef RESPONSIVE_RENDER_THEME_H
#define RESPONSIVE_RENDER_THEME_H

#include "scene.h"

enum { RSP_N_CATEGORICAL = 6, RSP_N_DIVERGING = 5, RSP_N_SEQUENTIAL = 3 };

typedef struct {
    rsp_colour paper, ink, muted, grid, rule;
    rsp_colour accent; /* points and intervals */
    rsp_colour own;    /* the country that an edition is for */
    rsp_colour pooled; /* all countries together */
    rsp_colour dont_know, hidden;
    rsp_colour categorical[RSP_N_CATEGORICAL];
    rsp_colour diverging[RSP_N_DIVERGING];                               /* from the lowest answer to the highest */
    rsp_colour pair[2];                                                  /* the two lowest of five, the two highest */
    rsp_colour sequential[RSP_N_SEQUENTIAL];                             /* from low to high */
    double title_size, subtitle_size, label_size, value_size, note_size; /* points; none below 8 */
    double padding;   /* around a chart that stands in a file of its own */
    double width;     /* of such a chart */
    double png_scale; /* pixels per point */
} rsp_theme;

/* Read once for the process; NULL, and every fault reported, if the file is wrong. d NULL: not reported. */
const rsp_theme *rsp_theme_get(rsp_diag *d);

/* Colour k of n in a row of given ones, between them in proportion. */
rsp_colour rsp_theme_between(const rsp_colour *given, size_t n_given, double position);
/* Black or white, whichever can be read better on a ground. */
/* Answer k of n (n > 2) on an ordered scale. */
rsp_colour rsp_theme_ordinal(const rsp_theme *t, size_t k, size_t n);
rsp_colour rsp_theme_on(rsp_colour ground);

#endif
