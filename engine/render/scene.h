/* A scene: a picture as a list of shapes in points, whose texts Pango has measured. Layout makes it without drawing,
 * tests look at it (overlaps, sizes, contrast), back ends draw it as SVG, PNG, PDF or into a page of a brief.
 * A scene is made, drawn and freed on one thread, since its texts are shaped with the fonts of that thread. */
#ifndef RESPONSIVE_RENDER_SCENE_H
#define RESPONSIVE_RENDER_SCENE_H

#include "responsive/base.h"

#include <cairo.h>

typedef struct {
    double r, g, b;
} rsp_colour;

typedef struct {
    double x, y, w, h;
} rsp_box;

typedef enum { RSP_SHAPE_RECT, RSP_SHAPE_LINE, RSP_SHAPE_CIRCLE, RSP_SHAPE_POLYGON, RSP_SHAPE_TEXT } rsp_shape_kind;

typedef enum { RSP_ALIGN_LEFT, RSP_ALIGN_CENTRE, RSP_ALIGN_RIGHT } rsp_align;

typedef enum { RSP_FILL_SOLID, RSP_FILL_NONE, RSP_FILL_HATCHED, RSP_FILL_DOTTED } rsp_fill;

typedef struct {
    const char *family; /* NULL: the theme's */
    double size;        /* points */
    bool bold, italic;
    rsp_colour colour;
    rsp_align align;
    double width;     /* wrap at this width; 0: one line */
    const char *lang; /* for hyphenation and shaping */
} rsp_style;

enum { RSP_LAYERS = 3 }; /* 0 background and grid, 1 data, 2 text: overlaps are checked within texts */

typedef struct {
    rsp_shape_kind kind;
    rsp_box box; /* extent; of a text: as measured, wrapped lines included */
    rsp_colour fill, stroke;
    rsp_fill pattern;
    double stroke_width; /* 0: no outline */
    bool dashed;
    size_t n_points; /* line, polygon */
    double *points;  /* x0 y0 x1 y1 ... */
    const char *text;
    struct _PangoLayout *layout; /* the text as shaped; NULL without fonts */
    double layout_x, layout_y;   /* where the box begins in the layout */
    rsp_style style;
    const char *id; /* what a test or a reader of the layout calls it; NULL */
    int layer;
} rsp_shape;

typedef struct {
    double width, height;
    const char *title;       /* accessible name */
    const char *description; /* text alternative */
    const char *lang;
    size_t unknown_glyphs; /* characters that no font of ours has */
    size_t n, capacity;
    rsp_shape *shapes;
    rsp_arena *arena;
} rsp_scene;

rsp_scene *rsp_scene_new(double width, double height, const char *lang);
void rsp_scene_free(rsp_scene *s);

rsp_shape *rsp_scene_rect(rsp_scene *s, rsp_box box, rsp_colour fill);
rsp_shape *rsp_scene_line(rsp_scene *s, double x0, double y0, double x1, double y1, rsp_colour stroke, double width);
rsp_shape *rsp_scene_circle(rsp_scene *s, double x, double y, double radius, rsp_colour fill);
rsp_shape *rsp_scene_polygon(rsp_scene *s, size_t n, const double *points, rsp_colour fill);
/* Rectangle with 45 degree hatching, which no back end needs a pattern for. */
rsp_shape *rsp_scene_hatched(rsp_scene *s, rsp_box box, rsp_colour lines, rsp_colour outline);
/* x is the left edge, centre or right edge as style->align says; y is the top. The shape's box is the measured extent. */
rsp_shape *rsp_scene_text(rsp_scene *s, double x, double y, const char *text, const rsp_style *style);
/* Extent of a text without placing it. */
rsp_box rsp_text_extent(const char *text, const rsp_style *style);

/* How back ends draw what is hatched, dotted and dashed, in points. */
#define RSP_HATCH_WIDTH 0.8
#define RSP_DOT_STEP 4.0
#define RSP_DOT_RADIUS 0.6
#define RSP_DASH 3.0
#define RSP_DASH_GAP 2.0
/* The k-th line x0 y0 x1 y1 of a hatching: x + y = c at equal distances, cut at the box's edges by arithmetic, since a
 * clip or a pattern would become a picture in some back ends. False after the last. */
bool rsp_hatch_line(rsp_box box, size_t k, double line[4]);

/* Draws onto a Cairo context whose unit is the point. */
void rsp_scene_draw(const rsp_scene *s, cairo_t *cr);
/* The same but for shapes that do not reach between these heights. */
void rsp_scene_draw_band(const rsp_scene *s, cairo_t *cr, double top, double bottom);
/* Writes to memory; false if Cairo could not. */
bool rsp_scene_svg_bytes(const rsp_scene *s, rsp_buf *into);
bool rsp_scene_png_bytes(const rsp_scene *s, double scale, rsp_buf *into);
bool rsp_scene_pdf_bytes(const rsp_scene *s, rsp_buf *into);
/* A PDF in memory, of pages of points; closing it frees both and says whether all went well. */
cairo_surface_t *rsp_pdf_open(rsp_buf *into, double width, double height);
bool rsp_pdf_close(cairo_t *cr, cairo_surface_t *pdf);
/* Files: same scene, same bytes, on any thread and in any order. */
bool rsp_scene_svg(const rsp_scene *s, const char *path, rsp_diag *d);
bool rsp_scene_png(const rsp_scene *s, const char *path, double scale, rsp_diag *d); /* pixels per point */
bool rsp_scene_pdf(const rsp_scene *s, const char *path, rsp_diag *d);

/* Pairs of texts that overlap, or texts that leave the picture: number found, the first described in `what`. */
size_t rsp_scene_faults(const rsp_scene *s, char what[256]);
/* Contrast ratio of two colours (WCAG 2). */
double rsp_contrast(rsp_colour a, rsp_colour b);

#endif
