#include "fonts.h"

#include <fontconfig/fontconfig.h>
#include <pango/pangofc-fontmap.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

typedef struct {
    const char *name, *regular, *bold, *italic, *bold_italic;
} family;

/* In order of preference: both cover Latin, Greek and Cyrillic, so all languages of the project. The second lends what
 * the first lacks: Noto Sans of Debian 12 has no minus sign. */
static const family FAMILIES[] = {
    {"Noto Sans", "/usr/share/fonts/truetype/noto/NotoSans-Regular.ttf",
     "/usr/share/fonts/truetype/noto/NotoSans-Bold.ttf", "/usr/share/fonts/truetype/noto/NotoSans-Italic.ttf",
     "/usr/share/fonts/truetype/noto/NotoSans-BoldItalic.ttf"},
    {"Open Sans", "/usr/share/fonts/truetype/open-sans/OpenSans-Regular.ttf",
     "/usr/share/fonts/truetype/open-sans/OpenSans-Bold.ttf", "/usr/share/fonts/truetype/open-sans/OpenSans-Italic.ttf",
     "/usr/share/fonts/truetype/open-sans/OpenSans-BoldItalic.ttf"},
};

static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_key_t map_key;
static FcConfig *config;
static const family *chosen;

/* A family counts only whole: without its bold a page would look different. */
static bool add_family(FcConfig *c, const family *f) {
    const char *files[] = {f->regular, f->bold, f->italic, f->bold_italic};
    for (size_t k = 0; k < 4; k++)
        if (access(files[k], R_OK) != 0) return false;
    for (size_t k = 0; k < 4; k++)
        if (!FcConfigAppFontAddFile(c, (const FcChar8 *) files[k])) return false;
    return true;
}

static void free_map(void *map) { g_object_unref(map); }

static void free_config(void) {
    PangoFontMap *map = pthread_getspecific(map_key); /* the main thread ends without its destructors */
    if (map) g_object_unref(map);
    FcConfigDestroy(config);
}

static void set_up(void) {
    if (pthread_key_create(&map_key, free_map) != 0) abort();
    config = FcConfigCreate();
    if (!config) abort();
    for (size_t k = 0; k < sizeof FAMILIES / sizeof *FAMILIES; k++)
        if (add_family(config, &FAMILIES[k]) && !chosen) chosen = &FAMILIES[k];
    atexit(free_config);
}

PangoFontMap *rsp_font_map(void) {
    pthread_once(&once, set_up);
    PangoFontMap *map = pthread_getspecific(map_key);
    if (map || !chosen) return map;
    map = pango_cairo_font_map_new_for_font_type(CAIRO_FONT_TYPE_FT);
    pango_fc_font_map_set_config(PANGO_FC_FONT_MAP(map), config);
    pango_cairo_font_map_set_resolution(PANGO_CAIRO_FONT_MAP(map), 72);
    pthread_setspecific(map_key, map);
    return map;
}

const char *rsp_font_family(void) {
    pthread_once(&once, set_up);
    return chosen ? chosen->name : NULL;
}

/* Cairo 1.16 keeps scaled fonts for all threads, and aborts where one thread drops its reference while another looks at
 * glyphs (the assertion on cache_frozen in cairo_scaled_font_destroy). Fonts with other options are other fonts to it: an axis
 * of variation that no face has, with the thread's number, changes nothing on a page and gives each thread fonts of its own. */
static void keep_to_this_thread(cairo_font_options_t *options) {
    static atomic_uint threads;
    static _Thread_local unsigned number;
    if (!number) number = ++threads;
    char axis[32];
    snprintf(axis, sizeof axis, "THRD=%u", number);
    cairo_font_options_set_variations(options, axis);
}

PangoContext *rsp_font_context(void) {
    PangoContext *c = pango_font_map_create_context(rsp_font_map());
    cairo_font_options_t *options = cairo_font_options_create();
    cairo_font_options_set_hint_style(options, CAIRO_HINT_STYLE_NONE);
    cairo_font_options_set_hint_metrics(options, CAIRO_HINT_METRICS_OFF);
    cairo_font_options_set_antialias(options, CAIRO_ANTIALIAS_GRAY);
    keep_to_this_thread(options);
    pango_cairo_context_set_font_options(c, options);
    cairo_font_options_destroy(options);
    pango_context_set_round_glyph_positions(c, FALSE);
    return c;
}
