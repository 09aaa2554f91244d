/* Layouts kept for each thread; see shaped.h. */
#include "shaped.h"

#include "fonts.h"
#include "responsive/base.h"

#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* Together some forty megabytes a thread; then all are let go and the next ones kept. */
enum { MOST_KEPT = 16384, MOST_LANGUAGES = 16 };

typedef struct {
    rsp_map *index; /* of all that a layout depends on */
    size_t n, n_contexts;
    PangoLayout *layouts[MOST_KEPT];
    struct {
        PangoLanguage *lang; /* Pango's own copy, one for each language */
        PangoContext *context;
    } contexts[MOST_LANGUAGES];
    rsp_buf key;
} kept;

static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_key_t kept_key;

static void let_go(kept *k) {
    for (size_t j = 0; j < k->n; j++) g_object_unref(k->layouts[j]);
    k->n = 0;
    rsp_map_free(k->index);
    k->index = rsp_map_new();
}

static void free_kept(void *thread) {
    kept *k = thread;
    let_go(k);
    for (size_t j = 0; j < k->n_contexts; j++) g_object_unref(k->contexts[j].context);
    rsp_map_free(k->index);
    rsp_buf_free(&k->key);
    free(k);
}

static void free_own(void) {
    kept *k = pthread_getspecific(kept_key); /* the main thread ends without its destructors */
    if (k) free_kept(k);
    pthread_setspecific(kept_key, NULL);
}

static void set_up(void) {
    if (pthread_key_create(&kept_key, free_kept) != 0) abort();
    atexit(free_own);
}

static kept *of_thread(void) {
    pthread_once(&once, set_up);
    kept *k = pthread_getspecific(kept_key);
    if (k) return k;
    k = rsp_calloc(1, sizeof *k);
    k->index = rsp_map_new();
    pthread_setspecific(kept_key, k);
    return k;
}

/* The language belongs to the context; a context that never changes lets its layouts stay as they are. */
static PangoContext *context_of(kept *k, const char *name) {
    PangoLanguage *lang = pango_language_from_string(name);
    for (size_t j = 0; j < k->n_contexts; j++)
        if (k->contexts[j].lang == lang) return g_object_ref(k->contexts[j].context);
    PangoContext *c = rsp_font_context();
    pango_context_set_language(c, lang);
    pango_context_set_base_dir(c, PANGO_DIRECTION_WEAK_LTR);
    if (k->n_contexts < MOST_LANGUAGES) {
        k->contexts[k->n_contexts].lang = lang;
        k->contexts[k->n_contexts++].context = g_object_ref(c);
    }
    return c;
}

static void add_part(rsp_buf *key, const char *part) {
    rsp_buf_add(key, part ? part : "\1", part ? strlen(part) + 1 : 2); /* with the NUL: parts cannot run together */
}

/* Of UTF-8: signs and punctuation begin with a byte of ASCII, 0xc2 or 0xe2; what follows a first byte is below 0xc0. */
static bool is_letter(unsigned char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c > 0xc2 && c != 0xe2);
}

/* Figures on one line look alike in all languages. */
static const char *language_of(const rsp_words *w) {
    bool words = w->tail || w->width > 0;
    for (const char *p = w->text; *p && !words; p++) words = is_letter((unsigned char) *p);
    return words && w->lang ? w->lang : "en";
}

static void write_key(rsp_buf *key, const rsp_words *w) {
    const double numbers[] = {w->size, w->width, w->line_spacing};
    const char flags[] = {(char) w->bold, (char) w->italic, (char) w->align};
    key->length = 0;
    rsp_buf_add(key, (const char *) numbers, sizeof numbers);
    rsp_buf_add(key, flags, sizeof flags);
    add_part(key, language_of(w));
    add_part(key, w->family);
    add_part(key, w->tail);
    add_part(key, w->text);
}

/* ---- making ----------------------------------------------------------------------------------------------------- */

static void set_font(PangoLayout *layout, const rsp_words *w) {
    PangoFontDescription *font = pango_font_description_new();
    pango_font_description_set_family(font, w->family ? w->family : rsp_font_family());
    pango_font_description_set_absolute_size(font, w->size * PANGO_SCALE);
    pango_font_description_set_weight(font, w->bold ? PANGO_WEIGHT_BOLD : PANGO_WEIGHT_NORMAL);
    pango_font_description_set_style(font, w->italic ? PANGO_STYLE_ITALIC : PANGO_STYLE_NORMAL);
    pango_layout_set_font_description(layout, font);
    pango_font_description_free(font);
}

static PangoAttribute *over(PangoAttribute *x, size_t from) {
    x->start_index = (guint) from;
    x->end_index = PANGO_ATTR_INDEX_TO_TEXT_END;
    return x;
}

/* 8 point and grey after the text: small enough to be passed over, large enough to be read. */
static void set_tail(PangoLayout *layout, size_t from) {
    PangoAttrList *list = pango_attr_list_new();
    pango_attr_list_insert(list, over(pango_attr_size_new_absolute(8 * PANGO_SCALE), from));
    pango_attr_list_insert(list, over(pango_attr_weight_new(PANGO_WEIGHT_NORMAL), from));
    pango_attr_list_insert(list, over(pango_attr_foreground_new(0x5900, 0x5900, 0x5900), from));
    pango_layout_set_attributes(layout, list);
    pango_attr_list_unref(list);
}

static void set_text(PangoLayout *layout, const rsp_words *w) {
    if (!w->tail) {
        pango_layout_set_text(layout, w->text, -1);
        return;
    }
    rsp_buf whole = {0};
    rsp_buf_printf(&whole, "%s %s", w->text, w->tail);
    pango_layout_set_text(layout, whole.data, -1);
    rsp_buf_free(&whole);
    set_tail(layout, strlen(w->text));
}

static PangoLayout *make(PangoContext *context, const rsp_words *w) {
    PangoLayout *layout = pango_layout_new(context);
    set_font(layout, w);
    set_text(layout, w);
    if (w->width > 0) {
        pango_layout_set_width(layout, (int) lround(w->width * PANGO_SCALE));
        pango_layout_set_wrap(layout, PANGO_WRAP_WORD_CHAR);
    }
    if (w->line_spacing > 0) pango_layout_set_line_spacing(layout, (float) w->line_spacing);
    pango_layout_set_alignment(layout, w->align);
    return layout;
}

PangoLayout *rsp_shape_words(const rsp_words *w) {
    if (!rsp_font_map()) return NULL;
    kept *k = of_thread();
    write_key(&k->key, w);
    size_t at = rsp_map_get_n(k->index, k->key.data, k->key.length);
    if (at != RSP_NONE) return g_object_ref(k->layouts[at]);
    PangoContext *context = context_of(k, language_of(w));
    PangoLayout *layout = make(context, w);
    g_object_unref(context);
    if (k->n == MOST_KEPT) let_go(k);
    rsp_map_put_n(k->index, k->key.data, k->key.length, k->n);
    k->layouts[k->n++] = g_object_ref(layout);
    return layout;
}
