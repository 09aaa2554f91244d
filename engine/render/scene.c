#include "scene.h"

#include "shaped.h"

#include <cairo-pdf.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- building --------------------------------------------------------------------------------------------------- */

rsp_scene *rsp_scene_new(double width, double height, const char *lang) {
    rsp_arena *a = rsp_arena_new();
    rsp_scene *s = RSP_NEW(a, rsp_scene);
    *s = (rsp_scene){
        .width = width, .height = height, .lang = rsp_strdup(a, lang), .title = "", .description = "", .arena = a};
    return s;
}

void rsp_scene_free(rsp_scene *s) {
    if (!s) return;
    for (size_t k = 0; k < s->n; k++)
        if (s->shapes[k].layout) g_object_unref(s->shapes[k].layout);
    free(s->shapes);
    rsp_arena_free(s->arena);
}

static rsp_shape *add_shape(rsp_scene *s, rsp_shape_kind kind, rsp_box box) {
    rsp_shape shape = {.kind = kind, .box = box, .layer = 1};
    RSP_PUSH(s->shapes, s->n, s->capacity, shape);
    return &s->shapes[s->n - 1];
}

rsp_shape *rsp_scene_rect(rsp_scene *s, rsp_box box, rsp_colour fill) {
    rsp_shape *x = add_shape(s, RSP_SHAPE_RECT, box);
    x->fill = fill;
    return x;
}

rsp_shape *rsp_scene_hatched(rsp_scene *s, rsp_box box, rsp_colour lines, rsp_colour outline) {
    rsp_shape *x = add_shape(s, RSP_SHAPE_RECT, box);
    x->pattern = RSP_FILL_HATCHED;
    x->fill = lines;
    x->stroke = outline;
    x->stroke_width = 0.6;
    return x;
}

rsp_shape *rsp_scene_line(rsp_scene *s, double x0, double y0, double x1, double y1, rsp_colour stroke, double width) {
    rsp_shape *x = add_shape(s, RSP_SHAPE_LINE, (rsp_box){fmin(x0, x1), fmin(y0, y1), fabs(x1 - x0), fabs(y1 - y0)});
    x->stroke = stroke;
    x->stroke_width = width;
    x->n_points = 2;
    x->points = RSP_ARRAY(s->arena, double, 4);
    memcpy(x->points, (double[]){x0, y0, x1, y1}, 4 * sizeof(double));
    return x;
}

rsp_shape *rsp_scene_circle(rsp_scene *s, double x, double y, double radius, rsp_colour fill) {
    rsp_shape *shape = add_shape(s, RSP_SHAPE_CIRCLE, (rsp_box){x - radius, y - radius, 2 * radius, 2 * radius});
    shape->fill = fill;
    return shape;
}

rsp_shape *rsp_scene_polygon(rsp_scene *s, size_t n, const double *points, rsp_colour fill) {
    double x0 = INFINITY, y0 = INFINITY, x1 = -INFINITY, y1 = -INFINITY;
    for (size_t k = 0; k < n; k++) {
        x0 = fmin(x0, points[2 * k]), x1 = fmax(x1, points[2 * k]);
        y0 = fmin(y0, points[2 * k + 1]), y1 = fmax(y1, points[2 * k + 1]);
    }
    rsp_shape *x = add_shape(s, RSP_SHAPE_POLYGON, (rsp_box){x0, y0, x1 - x0, y1 - y0});
    x->fill = fill;
    x->n_points = n;
    x->points = RSP_ARRAY(s->arena, double, 2 * n);
    memcpy(x->points, points, 2 * n * sizeof *points);
    return x;
}

/* ---- text ------------------------------------------------------------------------------------------------------- */

static PangoLayout *layout_of(const char *text, const rsp_style *style) {
    return rsp_shape_words(&(rsp_words){.text = text,
                                        .family = style->family,
                                        .lang = style->lang,
                                        .size = style->size,
                                        .width = style->width,
                                        .bold = style->bold,
                                        .italic = style->italic,
                                        .align = style->align == RSP_ALIGN_CENTRE  ? PANGO_ALIGN_CENTER
                                                 : style->align == RSP_ALIGN_RIGHT ? PANGO_ALIGN_RIGHT
                                                                                   : PANGO_ALIGN_LEFT});
}

/* Left edge where the lines' ink box starts: of a wrapped and centred layout Pango's x is not 0. */
static rsp_box layout_box(PangoLayout *layout) {
    PangoRectangle r;
    pango_layout_get_extents(layout, NULL, &r);
    return (rsp_box){r.x / (double) PANGO_SCALE, r.y / (double) PANGO_SCALE, r.width / (double) PANGO_SCALE,
                     r.height / (double) PANGO_SCALE};
}

rsp_box rsp_text_extent(const char *text, const rsp_style *style) {
    PangoLayout *layout = layout_of(text, style);
    if (!layout) return (rsp_box){0, 0, 0, 0};
    rsp_box box = layout_box(layout);
    g_object_unref(layout);
    return (rsp_box){0, 0, box.w, box.h};
}

rsp_shape *rsp_scene_text(rsp_scene *s, double x, double y, const char *text, const rsp_style *style) {
    rsp_style own = *style;
    if (!own.lang) own.lang = s->lang;
    PangoLayout *layout = layout_of(text, &own);
    rsp_box box = layout ? layout_box(layout) : (rsp_box){0, 0, 0, 0};
    if (layout) s->unknown_glyphs += (size_t) pango_layout_get_unknown_glyphs_count(layout);
    if (own.align == RSP_ALIGN_CENTRE) x -= box.w / 2;
    if (own.align == RSP_ALIGN_RIGHT) x -= box.w;
    rsp_shape *shape = add_shape(s, RSP_SHAPE_TEXT, (rsp_box){x, y, box.w, box.h});
    shape->text = rsp_strdup(s->arena, text);
    shape->layout = layout;
    shape->layout_x = box.x;
    shape->layout_y = box.y;
    shape->style = own;
    shape->style.lang = rsp_strdup(s->arena, own.lang);
    shape->style.family = rsp_strdup(s->arena, own.family);
    shape->fill = own.colour;
    shape->layer = 2;
    return shape;
}

/* ---- drawing ---------------------------------------------------------------------------------------------------- */

static void set_colour(cairo_t *cr, rsp_colour c) { cairo_set_source_rgb(cr, c.r, c.g, c.b); }

static const double HATCH_STEP = 4;

bool rsp_hatch_line(rsp_box b, size_t k, double line[4]) {
    double c = b.x + b.y + HATCH_STEP * (double) (k + 1);
    double left = fmax(b.x, c - (b.y + b.h)), right = fmin(b.x + b.w, c - b.y);
    if (right <= left) return false;
    memcpy(line, (double[]){left, c - left, right, c - right}, 4 * sizeof *line);
    return true;
}

static void hatch(cairo_t *cr, rsp_box b) {
    double line[4];
    for (size_t k = 0; rsp_hatch_line(b, k, line); k++) {
        cairo_move_to(cr, line[0], line[1]);
        cairo_line_to(cr, line[2], line[3]);
    }
    cairo_set_line_width(cr, RSP_HATCH_WIDTH);
    cairo_stroke(cr);
}

static void dot(cairo_t *cr, rsp_box b) {
    for (double y = b.y + RSP_DOT_STEP / 2; y < b.y + b.h; y += RSP_DOT_STEP)
        for (double x = b.x + RSP_DOT_STEP / 2; x < b.x + b.w; x += RSP_DOT_STEP) {
            cairo_arc(cr, x, y, RSP_DOT_RADIUS, 0, 2 * M_PI);
            cairo_fill(cr);
        }
}

static void trace(cairo_t *cr, const rsp_shape *x) {
    if (x->kind == RSP_SHAPE_RECT) cairo_rectangle(cr, x->box.x, x->box.y, x->box.w, x->box.h);
    if (x->kind == RSP_SHAPE_CIRCLE) {
        cairo_new_sub_path(cr);
        cairo_arc(cr, x->box.x + x->box.w / 2, x->box.y + x->box.h / 2, x->box.w / 2, 0, 2 * M_PI);
    }
    for (size_t k = 0; k < x->n_points; k++) {
        if (k == 0) cairo_move_to(cr, x->points[0], x->points[1]);
        else cairo_line_to(cr, x->points[2 * k], x->points[2 * k + 1]);
    }
    if (x->kind == RSP_SHAPE_POLYGON) cairo_close_path(cr);
}

static void draw_fill(cairo_t *cr, const rsp_shape *x) {
    if (x->kind == RSP_SHAPE_LINE || x->pattern == RSP_FILL_NONE) return;
    set_colour(cr, x->fill);
    if (x->pattern == RSP_FILL_HATCHED) hatch(cr, x->box);
    else if (x->pattern == RSP_FILL_DOTTED) dot(cr, x->box);
    else {
        trace(cr, x);
        cairo_fill(cr);
    }
}

static void draw_stroke(cairo_t *cr, const rsp_shape *x) {
    if (x->stroke_width <= 0) return;
    set_colour(cr, x->stroke);
    cairo_set_line_width(cr, x->stroke_width);
    if (x->dashed) cairo_set_dash(cr, (double[]){RSP_DASH, RSP_DASH_GAP}, 2, 0);
    trace(cr, x);
    cairo_stroke(cr);
    cairo_set_dash(cr, NULL, 0, 0);
}

static void draw_text(cairo_t *cr, const rsp_shape *x) {
    set_colour(cr, x->fill);
    cairo_move_to(cr, x->box.x - x->layout_x, x->box.y - x->layout_y);
    pango_cairo_show_layout(cr, x->layout);
    cairo_new_path(cr);
}

/* Letters may reach out of their lines, outlines and caps out of their boxes. */
static bool reaches(const rsp_shape *x, double top, double bottom) {
    double out = x->kind == RSP_SHAPE_TEXT ? x->style.size : x->stroke_width + 1;
    return x->box.y - out < bottom && x->box.y + x->box.h + out > top;
}

void rsp_scene_draw(const rsp_scene *s, cairo_t *cr) { rsp_scene_draw_band(s, cr, -INFINITY, INFINITY); }

void rsp_scene_draw_band(const rsp_scene *s, cairo_t *cr, double top, double bottom) {
    cairo_save(cr);
    cairo_set_line_cap(cr, CAIRO_LINE_CAP_BUTT);
    for (int layer = 0; layer < RSP_LAYERS; layer++)
        for (size_t k = 0; k < s->n; k++) {
            const rsp_shape *x = &s->shapes[k];
            if (x->layer != layer || !reaches(x, top, bottom)) continue;
            if (x->kind == RSP_SHAPE_TEXT) {
                if (x->layout) draw_text(cr, x);
                continue;
            }
            draw_fill(cr, x);
            draw_stroke(cr, x);
        }
    cairo_restore(cr);
}

/* ---- PDF -------------------------------------------------------------------------------------------------------- */

static cairo_status_t to_buffer(void *closure, const unsigned char *data, unsigned int length) {
    rsp_buf_add(closure, (const char *) data, length);
    return CAIRO_STATUS_SUCCESS;
}

cairo_surface_t *rsp_pdf_open(rsp_buf *into, double width, double height) {
    return cairo_pdf_surface_create_for_stream(to_buffer, into, width, height);
}

bool rsp_pdf_close(cairo_t *cr, cairo_surface_t *pdf) {
    bool ok = cairo_status(cr) == CAIRO_STATUS_SUCCESS;
    cairo_destroy(cr);
    cairo_surface_finish(pdf);
    ok = ok && cairo_surface_status(pdf) == CAIRO_STATUS_SUCCESS;
    cairo_surface_destroy(pdf);
    return ok;
}

bool rsp_scene_pdf_bytes(const rsp_scene *s, rsp_buf *into) {
    cairo_surface_t *surface = rsp_pdf_open(into, s->width, s->height);
    /* Fixed, since the clock must not show in a file; what it is made from stands in its source line. */
    cairo_pdf_surface_set_metadata(surface, CAIRO_PDF_METADATA_CREATE_DATE, "2000-01-01T00:00:00Z");
    cairo_pdf_surface_set_metadata(surface, CAIRO_PDF_METADATA_TITLE, s->title);
    cairo_pdf_surface_set_metadata(surface, CAIRO_PDF_METADATA_SUBJECT, s->description);
    cairo_t *cr = cairo_create(surface);
    /* White paper, as in the other formats; without it Cairo joins the areas of all shapes one by one, a quarter of the
     * time of a picture with a thousand of them. Before the tags: what covers the page makes Cairo forget them. */
    cairo_set_source_rgb(cr, 1, 1, 1);
    cairo_rectangle(cr, 0, 0, s->width, s->height);
    cairo_fill(cr);
    cairo_tag_begin(cr, "Document", NULL);
    cairo_tag_begin(cr, "Figure", NULL);
    rsp_scene_draw(s, cr);
    cairo_tag_end(cr, "Figure");
    cairo_tag_end(cr, "Document");
    return rsp_pdf_close(cr, surface);
}

/* ---- files ------------------------------------------------------------------------------------------------------ */

static bool write_bytes(bool made, rsp_buf *bytes, const char *path, rsp_diag *d) {
    if (!made)
        rsp_report(d, RSP_ERR_OUTPUT, (rsp_loc){path, 0, 0}, "the picture may be too large",
                   "this picture cannot be drawn");
    bool ok = made && rsp_write_file(path, bytes->data, bytes->length, d);
    rsp_buf_free(bytes);
    return ok;
}

bool rsp_scene_svg(const rsp_scene *s, const char *path, rsp_diag *d) {
    rsp_buf b = {0};
    bool made = rsp_scene_svg_bytes(s, &b);
    return write_bytes(made, &b, path, d);
}

bool rsp_scene_png(const rsp_scene *s, const char *path, double scale, rsp_diag *d) {
    rsp_buf b = {0};
    bool made = rsp_scene_png_bytes(s, scale, &b);
    return write_bytes(made, &b, path, d);
}

bool rsp_scene_pdf(const rsp_scene *s, const char *path, rsp_diag *d) {
    rsp_buf b = {0};
    bool made = rsp_scene_pdf_bytes(s, &b);
    return write_bytes(made, &b, path, d);
}

/* ---- checks ----------------------------------------------------------------------------------------------------- */

/* Line boxes hold leading above and below the letters, which may overlap without harm. */
static bool overlap(const rsp_shape *a, const rsp_shape *b) {
    double ya = 0.2 * a->style.size, yb = 0.2 * b->style.size;
    return a->box.x < b->box.x + b->box.w - 0.5 && b->box.x < a->box.x + a->box.w - 0.5 &&
           a->box.y + ya < b->box.y + b->box.h - yb && b->box.y + yb < a->box.y + a->box.h - ya;
}

static bool outside(const rsp_scene *s, const rsp_shape *x) {
    return x->box.x < -0.5 || x->box.y < -0.5 || x->box.x + x->box.w > s->width + 0.5 ||
           x->box.y + x->box.h > s->height + 0.5;
}

static void note_fault(size_t *n, char what[256], const char *kind, const char *a, const char *b) {
    if ((*n)++ == 0 && what)
        snprintf(what, 256, "%s: '%.90s'%s%.90s%s", kind, a, b ? " and '" : "", b ? b : "", b ? "'" : "");
}

size_t rsp_scene_faults(const rsp_scene *s, char what[256]) {
    size_t n = 0;
    if (s->unknown_glyphs) note_fault(&n, what, "characters without a glyph", s->title, NULL);
    for (size_t i = 0; i < s->n; i++) {
        const rsp_shape *a = &s->shapes[i];
        if (a->kind != RSP_SHAPE_TEXT || !*a->text) continue;
        if (outside(s, a)) note_fault(&n, what, "text leaves the picture", a->text, NULL);
        for (size_t j = i + 1; j < s->n; j++) {
            const rsp_shape *b = &s->shapes[j];
            if (b->kind == RSP_SHAPE_TEXT && *b->text && overlap(a, b))
                note_fault(&n, what, "texts overlap", a->text, b->text);
        }
    }
    return n;
}

static double linear_light(double c) { return c <= 0.03928 ? c / 12.92 : pow((c + 0.055) / 1.055, 2.4); }

static double luminance(rsp_colour c) {
    return 0.2126 * linear_light(c.r) + 0.7152 * linear_light(c.g) + 0.0722 * linear_light(c.b);
}

double rsp_contrast(rsp_colour a, rsp_colour b) {
    double la = luminance(a), lb = luminance(b);
    return (fmax(la, lb) + 0.05) / (fmin(la, lb) + 0.05);
}
