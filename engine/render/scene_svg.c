/* Scenes as SVG. Shapes are written as they are; text becomes the outlines of its glyphs, so that it looks the same
 * wherever it is opened: each glyph stands once among the definitions, in units of its font, and is used by number.
 * Numbers have two decimals of a point and no locale. */
#include "scene.h"

#include <hb.h>
#include <math.h>
#include <pango/pangocairo.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* ---- writing ---------------------------------------------------------------------------------------------------- */

/* `places` decimals at most, without trailing zeros; |x| is far below 10^12. */
static void add_number(rsp_buf *out, double x, int places) {
    static const long long powers[] = {1, 10, 100, 1000, 10000, 100000, 1000000, 10000000};
    long long scaled = llround(x * (double) powers[places]);
    if (scaled < 0) rsp_buf_putc(out, '-');
    unsigned long long rest = (unsigned long long) (scaled < 0 ? -scaled : scaled);
    for (; places && rest % 10 == 0; places--) rest /= 10;
    char text[32], *p = text + sizeof text;
    for (int digits = 0; rest || digits <= places; digits++) {
        if (digits == places && places) *--p = '.';
        *--p = (char) ('0' + rest % 10);
        rest /= 10;
    }
    rsp_buf_add(out, p, (size_t) (text + sizeof text - p));
}

static void add_point(rsp_buf *out, char command, double x, double y) {
    rsp_buf_putc(out, command);
    add_number(out, x, 2);
    rsp_buf_putc(out, ' ');
    add_number(out, y, 2);
}

/* ` name="x"` */
static void add_attribute(rsp_buf *out, const char *name, double x) {
    rsp_buf_putc(out, ' ');
    rsp_buf_puts(out, name);
    rsp_buf_puts(out, "=\"");
    add_number(out, x, 2);
    rsp_buf_putc(out, '"');
}

static void add_colour(rsp_buf *out, const char *name, rsp_colour c) {
    static const char hex[] = "0123456789abcdef";
    const double part[] = {c.r, c.g, c.b};
    char text[7];
    for (size_t k = 0; k < 3; k++) {
        unsigned v = (unsigned) lround(255 * fmin(fmax(part[k], 0), 1));
        text[2 * k] = hex[v >> 4];
        text[2 * k + 1] = hex[v & 15];
    }
    text[6] = '"';
    rsp_buf_putc(out, ' ');
    rsp_buf_puts(out, name);
    rsp_buf_puts(out, "=\"#");
    rsp_buf_add(out, text, sizeof text);
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

/* ---- outlines --------------------------------------------------------------------------------------------------- */

/* Outlines of one font file, written once for each thread. */
typedef struct {
    hb_face_t *face;
    hb_font_t *font;
    double units; /* of an em */
    size_t n;
    char **outlines; /* by glyph: path data, y downwards; NULL: not asked for yet */
} face;

enum { MOST_FACES = 16 };

typedef struct {
    size_t n;
    face faces[MOST_FACES];
} faces;

static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_key_t faces_key;

static void free_faces(void *thread) {
    faces *all = thread;
    for (size_t k = 0; k < all->n; k++) {
        face *f = &all->faces[k];
        for (size_t g = 0; g < f->n; g++) free(f->outlines[g]);
        free(f->outlines);
        hb_font_destroy(f->font);
        hb_face_destroy(f->face);
    }
    free(all);
}

static void free_own(void) {
    faces *all = pthread_getspecific(faces_key); /* the main thread ends without its destructors */
    if (all) free_faces(all);
    pthread_setspecific(faces_key, NULL);
}

static void set_up(void) {
    if (pthread_key_create(&faces_key, free_faces) != 0) abort();
    atexit(free_own);
}

static size_t face_of(faces *all, PangoFont *font) {
    hb_face_t *own = hb_font_get_face(pango_font_get_hb_font(font));
    for (size_t k = 0; k < all->n; k++)
        if (all->faces[k].face == own) return k;
    if (all->n == MOST_FACES) abort(); /* fonts.c has two families of four */
    face *f = &all->faces[all->n];
    *f = (face){.face = hb_face_reference(own), .font = hb_font_create(own), .n = hb_face_get_glyph_count(own)};
    f->units = hb_face_get_upem(own);
    f->outlines = rsp_calloc(f->n + 1, sizeof *f->outlines);
    return all->n++;
}

/* Points are whole or half units of the font, so that differences are exact. */
typedef struct {
    rsp_buf text;
    double x, y;
} pen;

static void add_coordinate(rsp_buf *out, double v) {
    char last = out->data[out->length - 1];
    if (v >= 0 && last >= '.' && last <= '9') rsp_buf_putc(out, ' '); /* after a number; a sign parts numbers too */
    add_number(out, v, 1);
}

/* From the pen's place; the axis points downwards on paper. */
static void add_step(pen *p, double x, double y) {
    add_coordinate(&p->text, x - p->x);
    add_coordinate(&p->text, p->y - y);
}

static void move_pen(pen *p, double x, double y) {
    p->x = x;
    p->y = y;
}

static void on_move(hb_draw_funcs_t *f, void *data, hb_draw_state_t *state, float x, float y, void *user) {
    (void) f, (void) state, (void) user;
    rsp_buf_putc(&((pen *) data)->text, 'm');
    add_step(data, x, y);
    move_pen(data, x, y);
}

static void on_line(hb_draw_funcs_t *f, void *data, hb_draw_state_t *state, float x, float y, void *user) {
    (void) f, (void) state, (void) user;
    pen *p = data;
    bool flat = y == p->y, upright = x == p->x;
    rsp_buf_putc(&p->text, flat ? 'h' : upright ? 'v' : 'l');
    if (!upright || flat) add_coordinate(&p->text, x - p->x);
    if (!flat) add_coordinate(&p->text, p->y - y);
    move_pen(p, x, y);
}

static void on_quadratic(hb_draw_funcs_t *f, void *data, hb_draw_state_t *state, float cx, float cy, float x, float y,
                         void *user) {
    (void) f, (void) state, (void) user;
    rsp_buf_putc(&((pen *) data)->text, 'q');
    add_step(data, cx, cy);
    add_step(data, x, y);
    move_pen(data, x, y);
}

static void on_cubic(hb_draw_funcs_t *f, void *data, hb_draw_state_t *state, float ax, float ay, float bx, float by,
                     float x, float y, void *user) {
    (void) f, (void) state, (void) user;
    rsp_buf_putc(&((pen *) data)->text, 'c');
    add_step(data, ax, ay);
    add_step(data, bx, by);
    add_step(data, x, y);
    move_pen(data, x, y);
}

static void on_close(hb_draw_funcs_t *f, void *data, hb_draw_state_t *state, void *user) {
    (void) f, (void) user;
    rsp_buf_putc(&((pen *) data)->text, 'z');
    move_pen(data, state->path_start_x, state->path_start_y); /* where SVG's pen stands after a z */
}

static char *write_outline(const face *f, hb_codepoint_t glyph) {
    hb_draw_funcs_t *funcs = hb_draw_funcs_create();
    hb_draw_funcs_set_move_to_func(funcs, on_move, NULL, NULL);
    hb_draw_funcs_set_line_to_func(funcs, on_line, NULL, NULL);
    hb_draw_funcs_set_quadratic_to_func(funcs, on_quadratic, NULL, NULL);
    hb_draw_funcs_set_cubic_to_func(funcs, on_cubic, NULL, NULL);
    hb_draw_funcs_set_close_path_func(funcs, on_close, NULL, NULL);
    pen p = {0};
    rsp_buf_puts(&p.text, "");
#if HB_VERSION_ATLEAST(7, 0, 0)
    hb_font_draw_glyph(f->font, glyph, funcs, &p);
#else
    hb_font_get_glyph_shape(f->font, glyph, funcs, &p);
#endif
    hb_draw_funcs_destroy(funcs);
    return p.text.data;
}

static const char *outline(face *f, hb_codepoint_t glyph) {
    if (glyph >= f->n) glyph = 0; /* Pango's mark for a character without a glyph: the font's empty box */
    if (!f->outlines[glyph]) f->outlines[glyph] = write_outline(f, glyph);
    return f->outlines[glyph];
}

/* ---- text ------------------------------------------------------------------------------------------------------- */

/* One picture. Ids begin with a prefix that differs between pictures, so that several may stand in one page of HTML. */
typedef struct {
    const rsp_scene *s;
    char prefix[16];
    faces *faces;
    rsp_map *numbers; /* of face and glyph, in the order of appearance */
    rsp_buf glyphs, body;
} writer;

static size_t glyph_number(writer *w, size_t f, hb_codepoint_t glyph) {
    const uint32_t key[2] = {(uint32_t) f, glyph};
    size_t n = rsp_map_get_n(w->numbers, (const char *) key, sizeof key);
    if (n != RSP_NONE) return n;
    n = rsp_map_count(w->numbers) + 1;
    rsp_map_put_n(w->numbers, (const char *) key, sizeof key, n);
    rsp_buf_puts(&w->glyphs, "<path id=\"");
    rsp_buf_puts(&w->glyphs, w->prefix);
    add_number(&w->glyphs, (double) n, 0);
    rsp_buf_puts(&w->glyphs, "\" d=\"");
    rsp_buf_puts(&w->glyphs, outline(&w->faces->faces[f], glyph));
    rsp_buf_puts(&w->glyphs, "\"/>\n");
    return n;
}

static void add_use(writer *w, size_t number, double x, double y) {
    rsp_buf_puts(&w->body, "<use xlink:href=\"#");
    rsp_buf_puts(&w->body, w->prefix);
    add_number(&w->body, (double) number, 0);
    rsp_buf_putc(&w->body, '"');
    if (round(x) != 0) {
        rsp_buf_puts(&w->body, " x=\"");
        add_number(&w->body, x, 0);
        rsp_buf_putc(&w->body, '"');
    }
    if (round(y) != 0) {
        rsp_buf_puts(&w->body, " y=\"");
        add_number(&w->body, y, 0);
        rsp_buf_putc(&w->body, '"');
    }
    rsp_buf_puts(&w->body, "/>");
}

/* Glyphs of one font on one line, whose baseline begins at x, y (points). */
static void add_run(writer *w, const PangoLayoutRun *run, double size, double x, double y, rsp_colour colour) {
    size_t f = face_of(w->faces, run->item->analysis.font);
    double units = w->faces->faces[f].units / (size * PANGO_SCALE); /* of the font, in one of Pango's */
    int at = 0;
    rsp_buf_puts(&w->body, "<g");
    add_colour(&w->body, "fill", colour);
    rsp_buf_puts(&w->body, " transform=\"translate(");
    add_number(&w->body, x, 2);
    rsp_buf_putc(&w->body, ' ');
    add_number(&w->body, y, 2);
    rsp_buf_puts(&w->body, ")scale(");
    add_number(&w->body, size / w->faces->faces[f].units, 7);
    rsp_buf_puts(&w->body, ")\">");
    for (int k = 0; k < run->glyphs->num_glyphs; k++) {
        const PangoGlyphInfo *g = &run->glyphs->glyphs[k];
        if (g->glyph != PANGO_GLYPH_EMPTY) {
            size_t number = glyph_number(w, f, g->glyph);
            add_use(w, number, (at + g->geometry.x_offset) * units, g->geometry.y_offset * units);
        }
        at += g->geometry.width;
    }
    rsp_buf_puts(&w->body, "</g>\n");
}

static void add_text(writer *w, const rsp_shape *x) {
    PangoLayoutIter *i = pango_layout_get_iter(x->layout);
    double left = x->box.x - x->layout_x, top = x->box.y - x->layout_y;
    do {
        const PangoLayoutRun *run = pango_layout_iter_get_run_readonly(i);
        if (!run) continue; /* the end of a line */
        PangoRectangle r;
        pango_layout_iter_get_run_extents(i, NULL, &r);
        add_run(w, run, x->style.size, left + r.x / (double) PANGO_SCALE,
                top + pango_layout_iter_get_baseline(i) / (double) PANGO_SCALE, x->fill);
    } while (pango_layout_iter_next_run(i));
    pango_layout_iter_free(i);
}

/* ---- shapes ----------------------------------------------------------------------------------------------------- */

static void add_path(rsp_buf *out, const rsp_shape *x) {
    rsp_buf_puts(out, " d=\"");
    for (size_t k = 0; k < x->n_points; k++) add_point(out, k ? 'L' : 'M', x->points[2 * k], x->points[2 * k + 1]);
    rsp_buf_puts(out, x->kind == RSP_SHAPE_POLYGON ? "Z\"" : "\"");
}

/* The element's name and place; attributes of paint follow. */
static void open_shape(rsp_buf *out, const rsp_shape *x) {
    if (x->kind == RSP_SHAPE_RECT) {
        rsp_buf_puts(out, "<rect");
        add_attribute(out, "x", x->box.x);
        add_attribute(out, "y", x->box.y);
        add_attribute(out, "width", x->box.w);
        add_attribute(out, "height", x->box.h);
    } else if (x->kind == RSP_SHAPE_CIRCLE) {
        rsp_buf_puts(out, "<circle");
        add_attribute(out, "cx", x->box.x + x->box.w / 2);
        add_attribute(out, "cy", x->box.y + x->box.h / 2);
        add_attribute(out, "r", x->box.w / 2);
    } else {
        rsp_buf_puts(out, "<path");
        add_path(out, x);
    }
}

static void add_hatching(rsp_buf *out, const rsp_shape *x) {
    double line[4];
    rsp_buf_puts(out, "<path");
    add_colour(out, "stroke", x->fill);
    add_attribute(out, "stroke-width", RSP_HATCH_WIDTH);
    rsp_buf_puts(out, " d=\"");
    for (size_t k = 0; rsp_hatch_line(x->box, k, line); k++) {
        add_point(out, 'M', line[0], line[1]);
        add_point(out, 'L', line[2], line[3]);
    }
    rsp_buf_puts(out, "\"/>\n");
}

static void add_dots(rsp_buf *out, const rsp_shape *x) {
    rsp_buf_puts(out, "<g");
    add_colour(out, "fill", x->fill);
    rsp_buf_putc(out, '>');
    for (double cy = x->box.y + RSP_DOT_STEP / 2; cy < x->box.y + x->box.h; cy += RSP_DOT_STEP)
        for (double cx = x->box.x + RSP_DOT_STEP / 2; cx < x->box.x + x->box.w; cx += RSP_DOT_STEP) {
            rsp_buf_puts(out, "<circle");
            add_attribute(out, "cx", cx);
            add_attribute(out, "cy", cy);
            add_attribute(out, "r", RSP_DOT_RADIUS);
            rsp_buf_puts(out, "/>");
        }
    rsp_buf_puts(out, "</g>\n");
}

static void add_shape(rsp_buf *out, const rsp_shape *x) {
    if (x->kind != RSP_SHAPE_LINE && x->pattern == RSP_FILL_HATCHED) add_hatching(out, x);
    if (x->kind != RSP_SHAPE_LINE && x->pattern == RSP_FILL_DOTTED) add_dots(out, x);
    bool filled = x->kind != RSP_SHAPE_LINE && x->pattern == RSP_FILL_SOLID, stroked = x->stroke_width > 0;
    if (!filled && !stroked) return;
    open_shape(out, x);
    if (filled) add_colour(out, "fill", x->fill);
    else rsp_buf_puts(out, " fill=\"none\"");
    if (stroked) {
        add_colour(out, "stroke", x->stroke);
        add_attribute(out, "stroke-width", x->stroke_width);
    }
    if (stroked && x->dashed) rsp_buf_printf(out, " stroke-dasharray=\"%g %g\"", RSP_DASH, RSP_DASH_GAP);
    rsp_buf_puts(out, "/>\n");
}

/* ---- the file --------------------------------------------------------------------------------------------------- */

static void add_head(const writer *w, rsp_buf *into) {
    const rsp_scene *s = w->s;
    rsp_buf_puts(into, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
                       "<svg xmlns=\"http://www.w3.org/2000/svg\" xmlns:xlink=\"http://www.w3.org/1999/xlink\"");
    rsp_buf_printf(into, " role=\"img\" aria-labelledby=\"%stitle %sdesc\" xml:lang=\"", w->prefix, w->prefix);
    add_escaped(into, s->lang);
    rsp_buf_puts(into, "\" width=\"");
    add_number(into, s->width, 2);
    rsp_buf_puts(into, "pt\" height=\"");
    add_number(into, s->height, 2);
    rsp_buf_puts(into, "pt\" viewBox=\"0 0 ");
    add_number(into, s->width, 2);
    rsp_buf_putc(into, ' ');
    add_number(into, s->height, 2);
    rsp_buf_printf(into, "\">\n<title id=\"%stitle\">", w->prefix);
    add_escaped(into, s->title);
    rsp_buf_printf(into, "</title>\n<desc id=\"%sdesc\">", w->prefix);
    add_escaped(into, s->description);
    /* Paper, as in the other formats: on a dark page black text would be lost. */
    rsp_buf_puts(into, "</desc>\n<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n");
}

static faces *faces_of_thread(void) {
    pthread_once(&once, set_up);
    faces *all = pthread_getspecific(faces_key);
    if (all) return all;
    all = rsp_calloc(1, sizeof *all);
    pthread_setspecific(faces_key, all);
    return all;
}

bool rsp_scene_svg_bytes(const rsp_scene *s, rsp_buf *into) {
    writer w = {.s = s, .faces = faces_of_thread(), .numbers = rsp_map_new()};
    uint64_t name = rsp_hash64(s->description, strlen(s->description), rsp_hash64(s->title, strlen(s->title), s->n));
    snprintf(w.prefix, sizeof w.prefix, "c%06x-", (unsigned) (name & 0xffffff));
    rsp_buf_puts(&w.glyphs, "");
    rsp_buf_puts(&w.body, "");
    for (int layer = 0; layer < RSP_LAYERS; layer++)
        for (size_t k = 0; k < s->n; k++) {
            const rsp_shape *x = &s->shapes[k];
            if (x->layer != layer) continue;
            if (x->kind != RSP_SHAPE_TEXT) add_shape(&w.body, x);
            else if (x->layout) add_text(&w, x);
        }
    add_head(&w, into);
    rsp_buf_printf(into, "<defs>\n%s</defs>\n", w.glyphs.data);
    rsp_buf_add(into, w.body.data, w.body.length);
    rsp_buf_puts(into, "</svg>\n");
    rsp_map_free(w.numbers);
    rsp_buf_free(&w.glyphs);
    rsp_buf_free(&w.body);
    return true;
}
