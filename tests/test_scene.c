/* Scenes: measuring, faults, and back ends that give the same bytes on any thread in any order. */
#include "render/fonts.h"
#include "render/scene.h"

#include <libxml/parser.h>
#include <math.h>
#include <pango/pangocairo.h>
#include <png.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const rsp_colour BLACK = {0, 0, 0}, WHITE = {1, 1, 1}, GREY = {0.5, 0.5, 0.5};

static rsp_scene *sample(const char *title) {
    rsp_scene *s = rsp_scene_new(300, 150, "pl");
    rsp_style style = {.size = 10, .colour = BLACK};
    s->title = title;
    s->description = "Opis & <więcej>";
    rsp_scene_text(s, 10, 10, "Zażółć gęślą jaźń \u2212 ș ț", &style);
    rsp_scene_rect(s, (rsp_box){10, 40, 50, 20}, GREY);
    rsp_scene_hatched(s, (rsp_box){70, 40, 50, 20}, GREY, BLACK);
    rsp_scene_circle(s, 150, 50, 5, BLACK);
    rsp_scene_line(s, 10, 80, 200, 80, GREY, 1);
    return s;
}

static void same(const rsp_buf *a, const rsp_buf *b) {
    assert_int_equal(a->length, b->length);
    assert_memory_equal(a->data, b->data, a->length);
}

static void test_text(void **state) {
    (void) state;
    rsp_style style = {.size = 10, .lang = "en"}, wrapped = style, bold = style;
    wrapped.width = 60;
    bold.bold = true;
    const char *text = "some words that are wrapped";
    rsp_box one = rsp_text_extent(text, &style), many = rsp_text_extent(text, &wrapped);
    assert_true(one.w > 100 && many.w <= 60.01 && many.h > 1.9 * one.h);
    assert_true(rsp_text_extent(text, &bold).w > one.w);
    rsp_scene *s = rsp_scene_new(300, 100, "en");
    style.align = RSP_ALIGN_RIGHT;
    rsp_shape *right = rsp_scene_text(s, 200, 10, text, &style);
    assert_true(fabs(right->box.x + right->box.w - 200) < 1e-6);
    assert_int_equal(s->unknown_glyphs, 0);
    style.align = RSP_ALIGN_LEFT;
    rsp_scene_text(s, 0, 50, "\u2603 \U0001F600", &style); /* no font of ours has a snowman */
    assert_int_equal(s->unknown_glyphs, 2);
    rsp_scene_free(s);
}

static void test_faults(void **state) {
    (void) state;
    char what[256];
    rsp_style style = {.size = 10, .colour = BLACK};
    rsp_scene *s = rsp_scene_new(200, 100, "en");
    rsp_scene_text(s, 10, 10, "first", &style);
    rsp_scene_text(s, 10, 40, "second", &style);
    assert_int_equal(rsp_scene_faults(s, what), 0);
    rsp_scene_text(s, 15, 12, "third", &style);
    assert_int_equal(rsp_scene_faults(s, what), 1);
    assert_non_null(strstr(what, "third"));
    rsp_scene_text(s, 190, 70, "beyond the edge", &style);
    assert_int_equal(rsp_scene_faults(s, what), 2);
    rsp_scene_free(s);
}

static void test_contrast(void **state) {
    (void) state;
    assert_true(fabs(rsp_contrast(BLACK, WHITE) - 21) < 1e-9); /* WCAG 2.1, definition of contrast ratio */
    assert_true(fabs(rsp_contrast(WHITE, WHITE) - 1) < 1e-9);
    rsp_colour grey = {0x76 / 255.0, 0x76 / 255.0, 0x76 / 255.0};
    assert_true(rsp_contrast(grey, WHITE) >= 4.5 &&
                rsp_contrast(grey, WHITE) < 4.6); /* the lightest grey that passes */
}

static void test_svg(void **state) {
    (void) state;
    rsp_scene *s = sample("Tytuł \"x\" & <y>");
    rsp_buf b = {0};
    assert_true(rsp_scene_svg_bytes(s, &b));
    assert_non_null(strstr(b.data, "role=\"img\""));
    assert_non_null(strstr(b.data, ">Tytuł &quot;x&quot; &amp; &lt;y&gt;</title>"));
    assert_non_null(strstr(b.data, ">Opis &amp; &lt;więcej&gt;</desc>"));
    assert_non_null(strstr(b.data, "xml:lang=\"pl\""));
    assert_null(strstr(b.data, "surface")); /* ids of Cairo's counter */
    assert_null(strstr(b.data, "\"glyph"));
    assert_null(strstr(b.data, "<image")); /* nothing became a picture */
    assert_null(strstr(b.data, "<text"));
    rsp_buf_free(&b);
    rsp_scene_free(s);
}

static size_t count(const char *text, const char *what) {
    size_t n = 0;
    for (const char *p = text; (p = strstr(p, what)); p += strlen(what)) n++;
    return n;
}

static void test_svg_glyphs(void **state) {
    (void) state;
    rsp_scene *s = rsp_scene_new(200, 60, "en");
    rsp_style style = {.size = 10, .colour = BLACK, .width = 60};
    rsp_scene_text(s, 10.125, 5, "tattoo tattoo tattoo \u2212", &style); /* wrapped; the minus from another font */
    rsp_scene_line(s, 0, 0, 200, -0.004, GREY, 0.5)->dashed = true;
    rsp_buf b = {0};
    assert_true(rsp_scene_svg_bytes(s, &b));
    assert_non_null(strstr(b.data, "width=\"200pt\" height=\"60pt\" viewBox=\"0 0 200 60\""));
    assert_int_equal(count(b.data, "<path id="), 5); /* t a o, blank, minus: each once */
    assert_in_range(count(b.data, "<use "), 19, 22); /* blanks at the ends of lines may be none */
    assert_non_null(strstr(b.data, "translate(10.13 "));
    assert_non_null(strstr(b.data, "d=\"M0 0L200 0\""));
    assert_non_null(strstr(b.data, "stroke-dasharray=\"3 2\""));
    xmlDocPtr doc = xmlReadMemory(b.data, (int) b.length, NULL, NULL, XML_PARSE_NONET);
    assert_non_null(doc);
    xmlFreeDoc(doc);
    rsp_buf_free(&b);
    rsp_scene_free(s);
}

/* Every pixel of a row whose width is no multiple of four. */
static void test_png_pixels(void **state) {
    (void) state;
    rsp_scene *s = rsp_scene_new(23, 8, "en");
    const rsp_colour colour = {0x12 / 255.0, 0x80 / 255.0, 0xf0 / 255.0};
    rsp_scene_rect(s, (rsp_box){0, 0, 23, 8}, colour);
    rsp_scene_rect(s, (rsp_box){22, 4, 1, 1}, BLACK);
    rsp_buf png = {0};
    assert_true(rsp_scene_png_bytes(s, 1, &png));
    png_image image = {.version = PNG_IMAGE_VERSION};
    assert_true(png_image_begin_read_from_memory(&image, png.data, png.length));
    assert_int_equal(image.width, 23);
    assert_int_equal(image.height, 8);
    image.format = PNG_FORMAT_RGB;
    unsigned char pixels[8][23][3];
    assert_true(png_image_finish_read(&image, NULL, pixels, 0, NULL));
    for (size_t y = 0; y < 8; y++)
        for (size_t x = 0; x < 23; x++) {
            static const unsigned char ground[3] = {0x12, 0x80, 0xf0}, dot[3] = {0};
            assert_memory_equal(pixels[y][x], y == 4 && x == 22 ? dot : ground, 3);
        }
    rsp_buf_free(&png);
    rsp_scene_free(s);
}

typedef bool (*writer)(const rsp_scene *, rsp_buf *);

static bool png_of(const rsp_scene *s, rsp_buf *b) { return rsp_scene_png_bytes(s, 2, b); }

static void test_same_bytes(void **state) {
    (void) state;
    static const writer writers[] = {rsp_scene_svg_bytes, rsp_scene_pdf_bytes, png_of};
    rsp_buf first[3] = {{0}}, again[24] = {{0}};
    rsp_scene *s = sample("t");
    for (size_t k = 0; k < 3; k++) assert_true(writers[k](s, &first[k]));
    rsp_scene_free(s);
    int failed = 0;
#pragma omp parallel for schedule(dynamic) num_threads(4) reduction(+ : failed)
    for (int k = 0; k < 24; k++) {
        rsp_scene *own = sample("t");
        failed += !writers[k % 3](own, &again[k]);
        rsp_scene_free(own);
    }
    assert_int_equal(failed, 0);
    for (size_t k = 0; k < 24; k++) same(&first[k % 3], &again[k]);
    for (size_t k = 0; k < 24; k++) rsp_buf_free(&again[k]);
    for (size_t k = 0; k < 3; k++) rsp_buf_free(&first[k]);
}

static void test_formats(void **state) {
    (void) state;
    rsp_scene *s = sample("t");
    rsp_buf png = {0}, pdf = {0};
    assert_true(rsp_scene_png_bytes(s, 2, &png) && rsp_scene_pdf_bytes(s, &pdf));
    assert_memory_equal(png.data, "\x89PNG\r\n\x1a\n", 8);
    const unsigned char *w = (const unsigned char *) png.data + 16;
    assert_int_equal(w[0] << 24 | w[1] << 16 | w[2] << 8 | w[3], 600);
    assert_int_equal(w[4] << 24 | w[5] << 16 | w[6] << 8 | w[7], 300);
    assert_memory_equal(pdf.data, "%PDF-", 5);
    assert_non_null(memmem(pdf.data, pdf.length, "20000101", 8)); /* no clock in the file */
    rsp_buf_free(&png);
    rsp_buf_free(&pdf);
    rsp_scene_free(s);
}

static void test_unwritable(void **state) {
    (void) state;
    rsp_diag *d = rsp_diag_new();
    rsp_scene *s = sample("t");
    assert_false(rsp_scene_svg(s, "/nonexistent/folder/x.svg", d));
    assert_int_equal(rsp_diag_status(d), RSP_ERR_OUTPUT);
    rsp_scene_free(s);
    rsp_diag_free(d);
}

/* Context, font and Cairo's font for it, which another thread must not get. */
struct loaded {
    PangoContext *context;
    PangoFont *font;
    cairo_scaled_font_t *scaled;
};

static void *load_font(void *into) {
    struct loaded *l = into;
    PangoFontDescription *words = pango_font_description_new();
    pango_font_description_set_family(words, rsp_font_family());
    pango_font_description_set_absolute_size(words, 9 * PANGO_SCALE);
    l->context = rsp_font_context();
    l->font = pango_context_load_font(l->context, words);
    l->scaled = cairo_scaled_font_reference(pango_cairo_font_get_scaled_font(PANGO_CAIRO_FONT(l->font)));
    pango_font_description_free(words);
    return NULL;
}

static void release(struct loaded *l) {
    cairo_scaled_font_destroy(l->scaled);
    g_object_unref(l->font);
    g_object_unref(l->context);
}

static void test_fonts_of_threads(void **state) {
    (void) state;
    struct loaded here, again, other;
    pthread_t thread;
    load_font(&here);
    load_font(&again);
    assert_int_equal(pthread_create(&thread, NULL, load_font, &other), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_ptr_equal(here.scaled, again.scaled);
    assert_ptr_not_equal(here.scaled, other.scaled);
    release(&here);
    release(&again);
    release(&other);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_text),       cmocka_unit_test(test_faults),
                                       cmocka_unit_test(test_contrast),   cmocka_unit_test(test_svg),
                                       cmocka_unit_test(test_svg_glyphs), cmocka_unit_test(test_png_pixels),
                                       cmocka_unit_test(test_same_bytes), cmocka_unit_test(test_formats),
                                       cmocka_unit_test(test_unwritable), cmocka_unit_test(test_fonts_of_threads)};
    return cmocka_run_group_tests_name("scene", tests, NULL, NULL);
}
