/* Scenes as PNG: Cairo draws the pixels, ISA-L packs them, libpng writes the file around them. zlib, which libpng would
 * pack with, takes seven times as long even at its lowest level. */
#include "scene.h"

#include "base/vector.h"

#include <isa-l/igzip_lib.h>
#include <math.h>
#include <png.h>
#include <stdlib.h>
#include <string.h>

enum { PIECE = 1 << 16 }; /* bytes */

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

/* Packs what z->next_in holds. */
static bool pack_piece(struct isal_zstream *z, unsigned char *out, rsp_buf *packed) {
    do {
        z->next_out = out;
        z->avail_out = PIECE;
        if (isal_deflate(z) != COMP_OK) return false;
        rsp_buf_add(packed, (const char *) out, PIECE - z->avail_out);
    } while (z->avail_out == 0);
    return true;
}

/* The zlib stream of a PNG: rows, each behind the byte of its filter (none), some at a time. */
static bool pack(cairo_surface_t *image, size_t width, size_t height, rsp_buf *packed) {
    size_t row = 1 + 3 * width, at_once = PIECE / row + 1, stride = (size_t) cairo_image_surface_get_stride(image);
    const unsigned char *data = cairo_image_surface_get_data(image);
    unsigned char *memory = rsp_malloc(ISAL_DEF_LVL1_DEFAULT), *out = rsp_malloc(PIECE),
                  *rows = rsp_malloc(at_once * row);
    struct isal_zstream z;
    isal_deflate_init(&z);
    z.gzip_flag = IGZIP_ZLIB;
    z.level = 1;
    z.level_buf = memory;
    z.level_buf_size = ISAL_DEF_LVL1_DEFAULT;
    bool ok = true;
    for (size_t y = 0; ok && y < height;) {
        size_t n = 0;
        for (; n < at_once && y < height; n++, y++) {
            rows[n * row] = 0;
            pixels_to_bytes(data + y * stride, width, rows + n * row + 1);
        }
        z.next_in = rows;
        z.avail_in = (uint32_t) (n * row);
        z.end_of_stream = y == height;
        ok = pack_piece(&z, out, packed);
    }
    free(rows);
    free(out);
    free(memory);
    return ok;
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

static bool encode_png(cairo_surface_t *image, double scale, rsp_buf *into) {
    int width = cairo_image_surface_get_width(image), height = cairo_image_surface_get_height(image);
    rsp_buf packed = {0};
    bool ok = pack(image, (size_t) width, (size_t) height, &packed) && packed.length < INT32_MAX &&
              write_png(width, height, scale, &packed, into);
    rsp_buf_free(&packed);
    return ok;
}

bool rsp_scene_png_bytes(const rsp_scene *s, double scale, rsp_buf *into) {
    int width = (int) ceil(s->width * scale), height = (int) ceil(s->height * scale);
    int stride = cairo_format_stride_for_width(CAIRO_FORMAT_RGB24, width);
    if (stride <= 0 || height <= 0) return false;
    size_t size = (size_t) stride * (size_t) height;
    unsigned char *pixels = rsp_malloc(size);
    memset(pixels, 0xff, size); /* white; of Cairo's own making they would be written twice */
    cairo_surface_t *image = cairo_image_surface_create_for_data(pixels, CAIRO_FORMAT_RGB24, width, height, stride);
    if (cairo_surface_status(image) != CAIRO_STATUS_SUCCESS) {
        cairo_surface_destroy(image);
        free(pixels);
        return false;
    }
    cairo_t *cr = cairo_create(image);
    cairo_scale(cr, scale, scale);
    rsp_scene_draw(s, cr);
    bool ok = cairo_status(cr) == CAIRO_STATUS_SUCCESS;
    cairo_destroy(cr);
    cairo_surface_flush(image);
    ok = ok && encode_png(image, scale, into);
    cairo_surface_destroy(image);
    free(pixels);
    return ok;
}
