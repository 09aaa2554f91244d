/* Fonts of the pages: the same files on every host. Fontconfig gets a configuration of our own with the files of Noto
 * Sans and Open Sans and nothing else, so no alias, substitution or hinting rule of the host can move a line break. */
#ifndef RESPONSIVE_RENDER_FONTS_H
#define RESPONSIVE_RENDER_FONTS_H

#include <pango/pangocairo.h>
#include <stdbool.h>

/* So many threads can draw at a time: Cairo must not share a font between two of them. */
enum { RSP_FONT_THREADS = 15 };

/* Font map of this thread at 72 dots per inch (a point is a unit of Cairo's), hinting off. NULL if neither Noto Sans
 * nor Open Sans is installed (Debian's fonts-noto-core, fonts-open-sans). Freed when the thread ends. */
PangoFontMap *rsp_font_map(void);
/* Family that the map holds: "Noto Sans" or "Open Sans"; NULL where there is none. */
const char *rsp_font_family(void);
/* A context of this thread's map, set up for layouts that are measured and drawn alike; unref after use. */
PangoContext *rsp_font_context(void);

#endif
