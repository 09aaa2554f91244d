/* Scenes as PNG: Cairo draws the pixels, ISA-L packs them, libpng writes the file around them. zlib, which libpng would
 * pack with, takes seven times as long even at its lowest level. ISA-L's level is 0: at 1 and 2 (version 2.30) one stream
 * in some hundreds has another match of the same length from run to run, which unpacks to the same pixels, but a
 * publication's files are to be the same bytes. */
#include "scene.h"

#include "base/vector.h"

#include <isa-l/igzip_lib.h>
#include <math.h>
#include <png.h>
#include <stdlib.h>
#include <string.h>

enum { PIECE = 1 << 16 /* bytes */, BAND = 192 /* rows */ };

static void png_to_buffer(png_structp png, png_bytep data, size_t length) {
    rsp_buf_add(png_get_io_ptr(png), (const char *) data, length);
}

static void png_no_flush(png_structp png) { (void) png; }

typedef uint8_t four_pixels __attribute__((vector_size(16)));

/* Native-endian xRGB words to bytes R G B: four pixels at a time, whose last four bytes the next four overwrite. */
RSP_WIDE
static void pixels_to_bytes(const unsigned char *row, size_t width, unsigned char *out) {
    size_t x = 0;
    for (; x + 6 <= width; x += 4) {
        four_pixels p;
        memcpy(&p, row + 4 * x, sizeof p);
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
        p = __builtin_shufflevector(p, p, 2, 1, 0, 6, 5, 4, 10, 9, 8, 14, 13, 12, 3, 7, 11, 15);
#else
        p = __builtin_shufflevector(p, p, 1, 2, 3, 5, 6, 7, 9, 10, 11, 13, 14, 15, 0, 4, 8, 12);
#endif
        memcpy(out + 3 * x, &p, sizeof p);
    }
    for (; x < width; x++) {
        uint32_t p;
        memcpy(&p, row + 4 * x, sizeof p);
        out[3 * x] = (unsigned char) (p >> 16);
        out[3 * x + 1] = (unsigned char) (p >> 8);
        out[3 * x + 2] = (unsigned char) p;
    }
}

/* The zlib stream of a PNG: rows, each behind the byte of its filter (none). */
typedef struct {
    struct isal_zstream z;
    unsigned char *out, *rows;
    rsp_buf packed;
} packer;

static packer packer_new(size_t width) {
    packer k = {.out = rsp_malloc(PIECE), .rows = rsp_malloc(BAND * (1 + 3 * width))};
    isal_deflate_init(&k.z);
    k.z.gzip_flag = IGZIP_ZLIB;
    return k;
}

static void packer_free(packer *k) {
    free(k->out);
    free(k->rows);
    rsp_buf_free(&k->packed);
}

static bool pack(packer *k, const unsigned char *pixels, size_t width, size_t stride, size_t n, bool last) {
    size_t row = 1 + 3 * width;
    for (size_t y = 0; y < n; y++) {
        k->rows[y * row] = 0;
        pixels_to_bytes(pixels + y * stride, width, k->rows + y * row + 1);
    }
    k->z.next_in = k->rows;
    k->z.avail_in = (uint32_t) (n * row);
    k->z.end_of_stream = last;
    do {
        k->z.next_out = k->out;
        k->z.avail_out = PIECE;
        if (isal_deflate(&k->z) != COMP_OK) return false;
        rsp_buf_add(&k->packed, (const char *) k->out, PIECE - k->z.avail_out);
    } while (k->z.avail_out == 0);
    return true;
}

static bool write_png(int width, int height, double scale, const rsp_buf *packed, rsp_buf *into) {
    png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL, NULL, NULL);
    png_infop info = png ? png_create_info_struct(png) : NULL;
    volatile bool ok = false;
    if (info && !setjmp(png_jmpbuf(png))) {
        png_set_write_fn(png, into, png_to_buffer, png_no_flush);
        png_set_IHDR(png, info, (png_uint_32) width, (png_uint_32) height, 8, PNG_COLOR_TYPE_RGB, PNG_INTERLACE_NONE,
                     PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
        png_uint_32 per_metre = (png_uint_32) lround(scale * 72 / 0.0254);
        png_set_pHYs(png, info, per_metre, per_metre, PNG_RESOLUTION_METER);
        png_write_info(png, info);
        png_write_chunk(png, (png_const_bytep) "IDAT", (png_const_bytep) packed->data, packed->length);
        png_write_chunk(png, (png_const_bytep) "IEND", NULL, 0);
        ok = true;
    }
    png_destroy_write_struct(&png, &info);
    return ok;
}

/* Draws and packs a band of rows at a time, which stays in the processor's cache; a tall picture as a whole takes tens of
 * MiB. */
static bool draw_bands(const rsp_scene *s, double scale, cairo_surface_t *band, int height, packer *k) {
    unsigned char *pixels = cairo_image_surface_get_data(band);
    size_t width = (size_t) cairo_image_surface_get_width(band), stride = (size_t) cairo_image_surface_get_stride(band);
    bool ok = true;
    for (int y = 0; ok && y < height; y += BAND) {
        int rows = height - y < BAND ? height - y : BAND;
        cairo_surface_flush(band);
        memset(pixels, 0xff, stride * BAND); /* white */
        cairo_surface_mark_dirty(band);
        cairo_t *cr = cairo_create(band);
        cairo_translate(cr, 0, -y);
        cairo_scale(cr, scale, scale);
        rsp_scene_draw_band(s, cr, y / scale, (y + rows) / scale);
        ok = cairo_status(cr) == CAIRO_STATUS_SUCCESS;
        cairo_destroy(cr);
        cairo_surface_flush(band);
        ok = ok && pack(k, pixels, width, stride, (size_t) rows, y + rows == height);
    }
    return ok;
}

bool rsp_scene_png_bytes(const rsp_scene *s, double scale, rsp_buf *into) {
    int width = (int) ceil(s->width * scale), height = (int) ceil(s->height * scale);
    if (width <= 0 || height <= 0) return false;
    cairo_surface_t *band = cairo_image_surface_create(CAIRO_FORMAT_RGB24, width, BAND);
    packer k = packer_new((size_t) width);
    bool ok = cairo_surface_status(band) == CAIRO_STATUS_SUCCESS && draw_bands(s, scale, band, height, &k) &&
              k.packed.length < INT32_MAX && write_png(width, height, scale, &k.packed, into);
    packer_free(&k);
    cairo_surface_destroy(band);
    return ok;
}
