#include "fonts.h"

#include <fontconfig/fontconfig.h>
#include <pango/pangofc-fontmap.h>
#include <pthread.h>
#include <stdatomic.h>
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

/* Cairo 1.16 keeps scaled fonts for all threads, and aborts where one thread drops its reference while another looks at
 * glyphs (the assertion on cache_frozen in cairo_scaled_font_destroy). Fonts with other options are other fonts to it: those of
 * a thread differ in names for the same grey, and in the order of subpixels, which grey does not have. */
static const struct style {
    cairo_antialias_t grey;
    cairo_subpixel_order_t order;
} STYLES[RSP_FONT_THREADS] = {
    {CAIRO_ANTIALIAS_GRAY, CAIRO_SUBPIXEL_ORDER_DEFAULT}, {CAIRO_ANTIALIAS_GOOD, CAIRO_SUBPIXEL_ORDER_DEFAULT},
    {CAIRO_ANTIALIAS_FAST, CAIRO_SUBPIXEL_ORDER_DEFAULT}, {CAIRO_ANTIALIAS_GRAY, CAIRO_SUBPIXEL_ORDER_RGB},
    {CAIRO_ANTIALIAS_GOOD, CAIRO_SUBPIXEL_ORDER_RGB},     {CAIRO_ANTIALIAS_FAST, CAIRO_SUBPIXEL_ORDER_RGB},
    {CAIRO_ANTIALIAS_GRAY, CAIRO_SUBPIXEL_ORDER_BGR},     {CAIRO_ANTIALIAS_GOOD, CAIRO_SUBPIXEL_ORDER_BGR},
    {CAIRO_ANTIALIAS_FAST, CAIRO_SUBPIXEL_ORDER_BGR},     {CAIRO_ANTIALIAS_GRAY, CAIRO_SUBPIXEL_ORDER_VRGB},
    {CAIRO_ANTIALIAS_GOOD, CAIRO_SUBPIXEL_ORDER_VRGB},    {CAIRO_ANTIALIAS_FAST, CAIRO_SUBPIXEL_ORDER_VRGB},
    {CAIRO_ANTIALIAS_GRAY, CAIRO_SUBPIXEL_ORDER_VBGR},    {CAIRO_ANTIALIAS_GOOD, CAIRO_SUBPIXEL_ORDER_VBGR},
    {CAIRO_ANTIALIAS_FAST, CAIRO_SUBPIXEL_ORDER_VBGR},
};

static atomic_bool taken[RSP_FONT_THREADS];
static _Thread_local size_t own_style;

/* More threads than styles share the last: rsp_render_together() starts no more. */
static void take_style(void) {
    own_style = 0;
    while (own_style + 1 < RSP_FONT_THREADS && atomic_exchange(&taken[own_style], true)) own_style++;
}

static void free_map(void *map) {
    g_object_unref(map);
    atomic_store(&taken[own_style], false);
}

/* At the end of a thread, in the second round: what else it keeps (layouts: shaped.c) lets go of its fonts in the first, and
 * only then may another thread have this style. */
static void leave_map(void *map) {
    static _Thread_local bool leaving;
    if (leaving) free_map(map);
    else pthread_setspecific(map_key, map);
    leaving = true;
}

static void free_config(void) {
    PangoFontMap *map = pthread_getspecific(map_key); /* the main thread ends without its destructors */
    if (map) free_map(map);
    FcConfigDestroy(config);
}

static void set_up(void) {
    if (pthread_key_create(&map_key, leave_map) != 0) abort();
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
    take_style();
    return map;
}

const char *rsp_font_family(void) {
    pthread_once(&once, set_up);
    return chosen ? chosen->name : NULL;
}

PangoContext *rsp_font_context(void) {
    PangoContext *c = pango_font_map_create_context(rsp_font_map());
    cairo_font_options_t *options = cairo_font_options_create();
    cairo_font_options_set_hint_style(options, CAIRO_HINT_STYLE_NONE);
    cairo_font_options_set_hint_metrics(options, CAIRO_HINT_METRICS_OFF);
    cairo_font_options_set_antialias(options, STYLES[own_style].grey);
    cairo_font_options_set_subpixel_order(options, STYLES[own_style].order);
    pango_cairo_context_set_font_options(c, options);
    cairo_font_options_destroy(options);
    pango_context_set_round_glyph_positions(c, FALSE);
    return c;
}
