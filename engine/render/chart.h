/* Parts that all kinds of charts share: the rows they show (chart_data.c), the frame around them (chart_page.c). */
#ifndef RESPONSIVE_RENDER_CHART_H
#define RESPONSIVE_RENDER_CHART_H

#include "charts.h"
#include "labels.h"
#include "theme.h"

/* How a value may be seen: never two alike. */
typedef enum {
    CHART_PLAIN,
    CHART_LOW_BASE,
    CHART_SUPPRESSED,
    CHART_NOT_COMPARABLE,
    CHART_NOT_ELIGIBLE,
    CHART_NOT_ESTIMABLE,
    CHART_NO_DATA,
    CHART_N_STATES
} chart_state;

typedef struct {
    const char *label;
    const char *section;                /* heading above the row where it changes; NULL: none */
    bool own, pooled;                   /* the edition's country; all countries together */
    const char *code;                   /* tiles: the country; upset, ranking: the choice */
    size_t group;                       /* ranking: rows of one group cannot be told apart */
    double order;                       /* sorts within the section: larger first; NaN: last */
    const rsp_published_row **cells;    /* [n_columns]; NULL: no such row */
    const rsp_published_row *net;       /* agreement: net agreement, if the run has it */
    const rsp_published_row *missing;   /* agreement: share without an opinion */
    const rsp_published_row *reference; /* dots of one country: the same for everybody */
    const rsp_published_row *pairs[2];  /* agreement: the two lowest, the two highest of five, if published together */
    const rsp_published_row *further;   /* forest of drivers: pooled, and the range expected for a further country */
} chart_row;

typedef enum {
    CHART_AGREEMENT,
    CHART_DOTS,
    CHART_FOREST,
    CHART_HEATMAP,
    CHART_DIVERGING,
    CHART_TILES,
    CHART_UPSET,
    CHART_RANKING,
    CHART_SLOPE,
    CHART_MULTIPLES,
    CHART_HISTOGRAM,
    CHART_QUADRANT,
    CHART_N_KINDS
} chart_kind;

typedef struct {
    chart_kind kind;
    const char *statistic;
    const char *answer; /* label of the one answer that is shown of a two-answer item; NULL: all are */
    size_t n_columns;   /* agreement: answers; dots: series (1: none); heatmap: groups */
    const char **columns;
    bool *pooled_column;
    size_t n_rows, capacity;
    chart_row *rows;       /* heap */
    size_t n_combinations; /* upset */
    const rsp_published_row **combinations;
    bool grouped;           /* ranking: rows have groups */
    const char *topic;      /* which of the table's items, for the subtitle; NULL */
    const char *note, *alt; /* sentences of the kind's own under the chart and in its text alternative; NULL */
    bool has_net, has_missing, has_reference, has_pair[2], ordinal;
    bool pairs; /* heatmap: items by items, a row's cells end before its own column; heads are the items' numbers */
    int digits; /* decimals of all numbers that are not shares */
} chart_data;

/* Where a chart's title comes from: the key of study.yaml, or the message of a claim with the rows that bear it. */
typedef struct {
    const char *from;
    size_t n;
    const rsp_published_row **rows;
} chart_origin;

typedef struct {
    const rsp_publication *p;
    const rsp_chart_spec *spec;
    const rsp_analysis *x; /* NULL: the weights, which are no analysis of the study's */
    const char *country;   /* NULL: everybody */
    const rsp_texts *t;
    const rsp_labels *l;
    const rsp_theme *theme;
    rsp_scene *s;
    rsp_arena *a; /* the scene's */
    chart_data data;
    const char *subject;   /* what the chart is about, where its title says what was found; NULL: the title is it */
    double left, right, y; /* of what is drawn next */
    bool used[CHART_N_STATES], arrows, intervals;
    bool inset;           /* on a page that names survey, period, content id and kind of sample itself */
    chart_origin *origin; /* of the title; NULL: nobody asks */
} chart;

/* ---- chart_data.c: which rows ------------------------------------------------------------------------------------ */

bool chart_collect(chart *c); /* false: nothing to show */
void chart_data_free(chart_data *d);
/* Rows are there: decimals, order of rows. */
void chart_settle(chart *c);
int chart_digits(const chart_data *d);
/* Of two answers the one that says all (yes, or else the second); NULL: all are shown. */
const char *chart_event(const chart *c, size_t item);
chart_row *chart_add_row(chart *c, size_t n_cells); /* its label empty; valid until the next call */
/* Labels of a domain's codes without their variables; everybody for "". */
const char *chart_codes_label(const chart *c, const char *domain);
bool chart_not_comparable(const chart_data *d);
chart_state chart_state_of(const rsp_published_row *r);
bool chart_known(const rsp_published_row *r);      /* there is a number to draw */
const char *chart_kind_word(chart_kind kind);      /* as study.yaml calls it */
bool chart_share(const chart *c);                  /* values are shares, shown in per cent */
const char *chart_value(const chart *c, double x); /* as in a label: "44 %", "+12", "52.3" */
/* Respondents of the rows: all the same, or lowest and highest. False if no row has them. */
bool chart_bases(const chart *c, double *low, double *high);
double chart_row_n(const chart *c, const chart_row *r);
/* The key of what stands above net agreement, or above enabling minus blocking, by the table that it comes from. */
const char *chart_net_heading(const chart *c);

/* ---- chart_titles.c: what the chart says ------------------------------------------------------------------------ */

/* At most ten words, and what the chart is about where these say something else (NULL: they do not). */
const char *chart_title(const chart *c, const char **subject);

/* ---- chart_page.c: what stands around ---------------------------------------------------------------------------- */

void chart_head(chart *c);
void chart_foot(chart *c);
/* Triangle: standing on its side; wedge: on its tip. */
typedef enum { CHART_DOT, CHART_SQUARE, CHART_TRIANGLE, CHART_WEDGE, CHART_DIAMOND, CHART_TICK } chart_mark;
/* Marks (NULL: filled squares as in bars) with words, flowing over lines; moves c->y below. */
void chart_key(chart *c, size_t n, const rsp_colour *colours, const char *const *words, const chart_mark *marks);
rsp_style chart_style(const chart *c, double size, bool bold, rsp_colour colour, rsp_align align, double width);
rsp_shape *chart_text(chart *c, double x, double y, const char *text, rsp_style style); /* y: top */
/* One line, its middle at y. */
rsp_shape *chart_text_middle(chart *c, double x, double y, const char *text, rsp_style style);
/* The look of a value that is not drawn as a number. */
void chart_mark_state(chart *c, rsp_box box, chart_state state);
/* Width of the column of row labels, and the height of row r with its label wrapped in it. */
double chart_label_width(const chart *c, double most);
double chart_row_height(const chart *c, size_t r, double label_width, double least);
/* The heading of the section that starts at row r, if one does; moves c->y. */
void chart_section(chart *c, size_t r);
void chart_row_label(chart *c, size_t r, double label_width, double height);
bool chart_shows_n(const chart *c); /* bases differ: a column of their own */

/* ---- scales ------------------------------------------------------------------------------------------------------- */

typedef struct {
    double from, to; /* of the values (logarithms on a log axis) */
    double x0, x1;   /* of the picture */
    bool log;
    size_t n_ticks;
    double ticks[16];
    int digits; /* decimals that tell the ticks apart */
} chart_axis;

chart_axis chart_axis_make(double from, double to, double x0, double x1, bool log);
double chart_axis_at(const chart_axis *x, double value);
const char *chart_tick(const chart *c, const chart_axis *x, double value);
/* Light lines from top to bottom and numbers above them. */
void chart_axis_draw(chart *c, const chart_axis *x, double top, double bottom);
/* Dot with its interval; hollow where the base is low. Ends beyond the axis get an arrow. */
void chart_dot(chart *c, const chart_axis *x, const rsp_published_row *r, double y, rsp_colour colour, chart_mark mark);

/* ---- the kinds: which rows (true: something to show) where the kind has its own, and how they are drawn ------------- */

bool chart_collect_correlations(chart *c); /* heatmap of a matrix of correlations */
void chart_draw_agreement(chart *c);       /* and diverging */
bool chart_collect_tiles(chart *c);
void chart_draw_tiles(chart *c);
bool chart_tiles_check(rsp_diag *d); /* false, and reported, where reports/tiles.yaml cannot be used */
bool chart_collect_upset(chart *c);
void chart_draw_upset(chart *c);
bool chart_collect_ranking(chart *c);
/* The run's test of the shares that place two choices, and whether the first is the larger; NULL: there is none. */
const rsp_published_row *chart_choice_test(const chart *c, const rsp_published_row *a, const rsp_published_row *b,
                                           bool *above);
void chart_draw_ranking(chart *c);
bool chart_collect_waves(chart *c); /* slope, multiples */
void chart_draw_slope(chart *c);
void chart_draw_multiples(chart *c);
bool chart_collect_histogram(chart *c);
void chart_draw_histogram(chart *c);
bool chart_collect_quadrant(chart *c);
double chart_average_share(const chart *c); /* of the factors that share what is explained */
void chart_draw_quadrant(chart *c);
void chart_draw_dots(chart *c);
void chart_draw_forest(chart *c);
void chart_draw_heatmap(chart *c);

#endif
