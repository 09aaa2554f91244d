#include "scene.h"

#include "fonts.h"

#include <cairo-pdf.h>
#include <cairo-svg.h>
#include <math.h>
#include <png.h>
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

static PangoLayout *make_layout(PangoContext *context, const char *text, const rsp_style *style) {
    PangoLayout *layout = pango_layout_new(context);
    PangoFontDescription *font = pango_font_description_new();
    const char *family = style->family ? style->family : rsp_font_family();
    if (family) pango_font_description_set_family(font, family);
    pango_font_description_set_absolute_size(font, style->size * PANGO_SCALE);
    pango_font_description_set_weight(font, style->bold ? PANGO_WEIGHT_BOLD : PANGO_WEIGHT_NORMAL);
    pango_font_description_set_style(font, style->italic ? PANGO_STYLE_ITALIC : PANGO_STYLE_NORMAL);
    pango_layout_set_font_description(layout, font);
    pango_font_description_free(font);
    pango_layout_set_text(layout, text, -1);
    if (style->width > 0) {
        pango_layout_set_width(layout, (int) lround(style->width * PANGO_SCALE));
        pango_layout_set_wrap(layout, PANGO_WRAP_WORD_CHAR);
    }
    pango_layout_set_alignment(layout, style->align == RSP_ALIGN_CENTRE  ? PANGO_ALIGN_CENTER
                                       : style->align == RSP_ALIGN_RIGHT ? PANGO_ALIGN_RIGHT
                                                                         : PANGO_ALIGN_LEFT);
    return layout;
}

/* The thread's font map makes a context cheaply, and the language belongs to the context. */
static PangoContext *language_context(const char *lang) {
    PangoContext *context = rsp_font_context();
    pango_context_set_language(context, pango_language_from_string(lang ? lang : "en"));
    pango_context_set_base_dir(context, PANGO_DIRECTION_WEAK_LTR);
    return context;
}

/* Extent with the left edge where the lines' ink box starts: of a wrapped and centred layout Pango's x is not 0. */
static rsp_box layout_box(PangoLayout *layout) {
    PangoRectangle r;
    pango_layout_get_extents(layout, NULL, &r);
    return (rsp_box){r.x / (double) PANGO_SCALE, r.y / (double) PANGO_SCALE, r.width / (double) PANGO_SCALE,
                     r.height / (double) PANGO_SCALE};
}

static rsp_box measure(const char *text, const rsp_style *style, size_t *unknown) {
    if (!rsp_font_map()) return (rsp_box){0, 0, 0, 0};
    PangoContext *context = language_context(style->lang);
    PangoLayout *layout = make_layout(context, text, style);
    rsp_box box = layout_box(layout);
    if (unknown) *unknown += (size_t) pango_layout_get_unknown_glyphs_count(layout);
    g_object_unref(layout);
    g_object_unref(context);
    return (rsp_box){0, 0, box.w, box.h};
}

rsp_box rsp_text_extent(const char *text, const rsp_style *style) { return measure(text, style, NULL); }

rsp_shape *rsp_scene_text(rsp_scene *s, double x, double y, const char *text, const rsp_style *style) {
    rsp_style own = *style;
    if (!own.lang) own.lang = s->lang;
    rsp_box box = measure(text, &own, &s->unknown_glyphs);
    if (own.align == RSP_ALIGN_CENTRE) x -= box.w / 2;
    if (own.align == RSP_ALIGN_RIGHT) x -= box.w;
    rsp_shape *shape = add_shape(s, RSP_SHAPE_TEXT, (rsp_box){x, y, box.w, box.h});
    shape->text = rsp_strdup(s->arena, text);
    shape->style = own;
    shape->style.lang = rsp_strdup(s->arena, own.lang);
    shape->style.family = rsp_strdup(s->arena, own.family);
    shape->fill = own.colour;
    shape->layer = 2;
    return shape;
}

/* ---- drawing ---------------------------------------------------------------------------------------------------- */

static void set_colour(cairo_t *cr, rsp_colour c) { cairo_set_source_rgb(cr, c.r, c.g, c.b); }

/* Lines x + y = c at equal distances, cut at the rectangle's edges by arithmetic: a clip or a pattern would become a
 * picture in some back ends. */
static void hatch(cairo_t *cr, rsp_box b, double step) {
    for (double c = b.x + b.y + step; c < b.x + b.w + b.y + b.h; c += step) {
        double left = fmax(b.x, c - (b.y + b.h)), right = fmin(b.x + b.w, c - b.y);
        if (right <= left) continue;
        cairo_move_to(cr, left, c - left);
        cairo_line_to(cr, right, c - right);
    }
    cairo_set_line_width(cr, 0.8);
    cairo_stroke(cr);
}

static void dot(cairo_t *cr, rsp_box b, double step) {
    for (double y = b.y + step / 2; y < b.y + b.h; y += step)
        for (double x = b.x + step / 2; x < b.x + b.w; x += step) {
            cairo_arc(cr, x, y, 0.6, 0, 2 * M_PI);
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
    if (x->pattern == RSP_FILL_HATCHED) hatch(cr, x->box, 4);
    else if (x->pattern == RSP_FILL_DOTTED) dot(cr, x->box, 4);
    else {
        trace(cr, x);
        cairo_fill(cr);
    }
}

static void draw_stroke(cairo_t *cr, const rsp_shape *x) {
    if (x->stroke_width <= 0) return;
    set_colour(cr, x->stroke);
    cairo_set_line_width(cr, x->stroke_width);
    if (x->dashed) cairo_set_dash(cr, (double[]){3, 2}, 2, 0);
    trace(cr, x);
    cairo_stroke(cr);
    cairo_set_dash(cr, NULL, 0, 0);
}

static void draw_text(cairo_t *cr, const rsp_shape *x, PangoContext *context) {
    pango_context_set_language(context, pango_language_from_string(x->style.lang ? x->style.lang : "en"));
    PangoLayout *layout = make_layout(context, x->text, &x->style);
    rsp_box at = layout_box(layout);
    set_colour(cr, x->fill);
    cairo_move_to(cr, x->box.x - at.x, x->box.y - at.y);
    pango_cairo_show_layout(cr, layout);
    cairo_new_path(cr);
    g_object_unref(layout);
}

void rsp_scene_draw(const rsp_scene *s, cairo_t *cr) {
    PangoContext *context = rsp_font_map() ? language_context(s->lang) : NULL;
    cairo_save(cr);
    cairo_set_line_cap(cr, CAIRO_LINE_CAP_BUTT);
    for (int layer = 0; layer <= 2; layer++)
        for (size_t k = 0; k < s->n; k++) {
            const rsp_shape *x = &s->shapes[k];
            if (x->layer != layer) continue;
            if (x->kind == RSP_SHAPE_TEXT) {
                if (context) draw_text(cr, x, context);
                continue;
            }
            draw_fill(cr, x);
            draw_stroke(cr, x);
        }
    cairo_restore(cr);
    if (context) g_object_unref(context);
}

/* ---- back ends -------------------------------------------------------------------------------------------------- */

static cairo_status_t to_buffer(void *closure, const unsigned char *data, unsigned int length) {
    rsp_buf_add(closure, (const char *) data, length);
    return CAIRO_STATUS_SUCCESS;
}

/* Finishes the surface and says whether all went well. */
static bool close_surface(cairo_t *cr, cairo_surface_t *surface) {
    bool ok = cairo_status(cr) == CAIRO_STATUS_SUCCESS;
    cairo_destroy(cr);
    cairo_surface_finish(surface);
    ok = ok && cairo_surface_status(surface) == CAIRO_STATUS_SUCCESS;
    cairo_surface_destroy(surface);
    return ok;
}

static void add_escaped(rsp_buf *out, const char *text) {
    for (; *text; text++) {
        unsigned char c = (unsigned char) *text;
        if (c == '<') rsp_buf_puts(out, "&lt;");
        else if (c == '>') rsp_buf_puts(out, "&gt;");
        else if (c == '&') rsp_buf_puts(out, "&amp;");
        else if (c == '"') rsp_buf_puts(out, "&quot;");
        else if (c >= 0x20 || c == '\n' || c == '\t') rsp_buf_putc(out, (char) c); /* XML allows no other controls */
    }
}

/* Cairo numbers some ids by a counter of the process. They become 1, 2, ... in order of appearance after a prefix
 * that differs between pictures, so that several may stand in one page of HTML. */
typedef struct {
    rsp_map *numbers;
    char prefix[16];
    rsp_buf *out;
} renumbering;

static void add_id(renumbering *r, const char *id, size_t length) {
    size_t k = rsp_map_get_n(r->numbers, id, length);
    if (k == RSP_NONE) {
        k = rsp_map_count(r->numbers) + 1;
        rsp_map_put_n(r->numbers, id, length, k);
    }
    rsp_buf_printf(r->out, "%s%zu", r->prefix, k);
}

static void renumber(renumbering *r, const char *svg) {
    static const struct {
        const char *open;
        char close;
    } marks[] = {{"id=\"", '"'}, {"href=\"#", '"'}, {"url(#", ')'}};
    for (const char *next; *svg; svg = next) {
        next = svg + 1 + strcspn(svg + 1, "ihu"); /* where a mark may begin */
        size_t k = 0;
        while (k < 3 && strncmp(svg, marks[k].open, strlen(marks[k].open)) != 0) k++;
        const char *from = k < 3 ? svg + strlen(marks[k].open) : NULL, *to = from ? strchr(from, marks[k].close) : NULL;
        if (to && (k || svg[-1] == ' ')) { /* not the end of another attribute's name */
            rsp_buf_puts(r->out, marks[k].open);
            add_id(r, from, (size_t) (to - from));
            next = to;
        } else {
            rsp_buf_add(r->out, svg, (size_t) (next - svg));
        }
    }
}

static bool cairo_svg(const rsp_scene *s, rsp_buf *into) {
    cairo_surface_t *surface = cairo_svg_surface_create_for_stream(to_buffer, into, s->width, s->height);
    cairo_t *cr = cairo_create(surface);
    rsp_scene_draw(s, cr);
    return close_surface(cr, surface) && into->length > 0;
}

bool rsp_scene_svg_bytes(const rsp_scene *s, rsp_buf *into) {
    rsp_buf raw = {0};
    bool ok = cairo_svg(s, &raw);
    char *root = ok ? strstr(raw.data, "<svg ") : NULL, *end = root ? strchr(root, '>') : NULL;
    if (end) {
        uint64_t name =
            rsp_hash64(s->description, strlen(s->description), rsp_hash64(s->title, strlen(s->title), s->n));
        renumbering r = {rsp_map_new(), "", into};
        snprintf(r.prefix, sizeof r.prefix, "c%06x-", (unsigned) (name & 0xffffff));
        rsp_buf_add(into, raw.data, (size_t) (root - raw.data));
        rsp_buf_printf(into, "<svg role=\"img\" aria-labelledby=\"%stitle %sdesc\" xml:lang=\"", r.prefix, r.prefix);
        add_escaped(into, s->lang);
        rsp_buf_puts(into, "\" ");
        rsp_buf_add(into, root + 5, (size_t) (end + 1 - (root + 5)));
        rsp_buf_printf(into, "\n<title id=\"%stitle\">", r.prefix);
        add_escaped(into, s->title);
        rsp_buf_printf(into, "</title>\n<desc id=\"%sdesc\">", r.prefix);
        add_escaped(into, s->description);
        rsp_buf_puts(into, "</desc>");
        renumber(&r, end + 1);
        rsp_map_free(r.numbers);
    }
    rsp_buf_free(&raw);
    return end != NULL;
}

bool rsp_scene_pdf_bytes(const rsp_scene *s, rsp_buf *into) {
    cairo_surface_t *surface = cairo_pdf_surface_create_for_stream(to_buffer, into, s->width, s->height);
    /* Fixed, since the clock must not show in a file; what it is made from stands in its source line. */
    cairo_pdf_surface_set_metadata(surface, CAIRO_PDF_METADATA_CREATE_DATE, "2000-01-01T00:00:00Z");
    cairo_pdf_surface_set_metadata(surface, CAIRO_PDF_METADATA_TITLE, s->title);
    cairo_pdf_surface_set_metadata(surface, CAIRO_PDF_METADATA_SUBJECT, s->description);
    cairo_t *cr = cairo_create(surface);
    cairo_tag_begin(cr, "Document", NULL);
    cairo_tag_begin(cr, "Figure", NULL);
    rsp_scene_draw(s, cr);
    cairo_tag_end(cr, "Figure");
    cairo_tag_end(cr, "Document");
    return close_surface(cr, surface);
}

/* ---- PNG -------------------------------------------------------------------------------------------------------- */

static void png_to_buffer(png_structp png, png_bytep data, size_t length) {
    rsp_buf_add(png_get_io_ptr(png), (const char *) data, length);
}

static void png_no_flush(png_structp png) { (void) png; }

/* Native-endian xRGB words to bytes R G B. */
static void pixels_to_bytes(const unsigned char *row, int width, unsigned char *out) {
    for (int x = 0; x < width; x++) {
        uint32_t p;
        memcpy(&p, row + 4 * (size_t) x, 4);
        out[3 * x] = (unsigned char) (p >> 16);
        out[3 * x + 1] = (unsigned char) (p >> 8);
        out[3 * x + 2] = (unsigned char) p;
    }
}

/* No filter and level 1: much faster than Cairo's own writer, and flat areas compress well all the same. */
static bool encode_png(cairo_surface_t *image, double scale, rsp_buf *into) {
    int width = cairo_image_surface_get_width(image), height = cairo_image_surface_get_height(image);
    int stride = cairo_image_surface_get_stride(image);
    const unsigned char *data = cairo_image_surface_get_data(image);
    unsigned char *row = rsp_malloc(3 * (size_t) width);
    png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL, NULL, NULL);
    png_infop info = png ? png_create_info_struct(png) : NULL;
    volatile bool ok = false;
    if (info && !setjmp(png_jmpbuf(png))) {
        png_set_write_fn(png, into, png_to_buffer, png_no_flush);
        png_set_filter(png, 0, PNG_FILTER_NONE);
        png_set_compression_level(png, 1);
        png_set_IHDR(png, info, (png_uint_32) width, (png_uint_32) height, 8, PNG_COLOR_TYPE_RGB, PNG_INTERLACE_NONE,
                     PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
        png_uint_32 per_metre = (png_uint_32) lround(scale * 72 / 0.0254);
        png_set_pHYs(png, info, per_metre, per_metre, PNG_RESOLUTION_METER);
        png_write_info(png, info);
        for (int y = 0; y < height; y++) {
            pixels_to_bytes(data + (size_t) y * (size_t) stride, width, row);
            png_write_row(png, row);
        }
        png_write_end(png, info);
        ok = true;
    }
    png_destroy_write_struct(&png, &info);
    free(row);
    return ok;
}

bool rsp_scene_png_bytes(const rsp_scene *s, double scale, rsp_buf *into) {
    cairo_surface_t *image =
        cairo_image_surface_create(CAIRO_FORMAT_RGB24, (int) ceil(s->width * scale), (int) ceil(s->height * scale));
    if (cairo_surface_status(image) != CAIRO_STATUS_SUCCESS) {
        cairo_surface_destroy(image);
        return false;
    }
    cairo_t *cr = cairo_create(image);
    cairo_set_source_rgb(cr, 1, 1, 1);
    cairo_paint(cr);
    cairo_scale(cr, scale, scale);
    rsp_scene_draw(s, cr);
    bool ok = cairo_status(cr) == CAIRO_STATUS_SUCCESS;
    cairo_destroy(cr);
    cairo_surface_flush(image);
    ok = ok && encode_png(image, scale, into);
    cairo_surface_destroy(image);
    return ok;
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
