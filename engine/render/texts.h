/* Words of the pages: a catalogue of messages by language, in ICU MessageFormat, formatted by ICU.
 *
 *   reports/texts/pl.yaml:   base: "{n, plural, one{# osoba} few{# osoby} many{# osób} other{# osoby}}"
 *   rsp_say(t, a, "base", (rsp_arg[]){{"n", .number = 214}}, 1)
 *
 * Files are flat: key: message. English (en.yaml) is the reference: every key of it must stand in every other, with
 * no other arguments. The key `locale` names the ICU locale for numbers, dates and plurals (`pt_PT`). Arguments are
 * {name}, {name, number}, {name, number, integer | percent | ::skeleton}, {name, date, short | medium | long | full}
 * (an ISO date as text), {name, plural | selectordinal, =0{} one{} other{}} with # for the number, and
 * {name, select, a{} other{}}; '' is an apostrophe and '{ starts quoted text, as in ICU. */
#ifndef RESPONSIVE_RENDER_TEXTS_H
#define RESPONSIVE_RENDER_TEXTS_H

#include "responsive/render.h"

typedef struct {
    const char *name;
    const char *text; /* a string argument, or NULL: then number */
    double number;
} rsp_arg;

typedef struct rsp_texts rsp_texts;

/* NULL, with every missing or malformed message reported, if the language cannot be used. */
rsp_texts *rsp_texts_load(const char *lang, rsp_diag *d);
void rsp_texts_free(rsp_texts *t);
const char *rsp_texts_lang(const rsp_texts *t);
/* The locale of numbers and dates as browsers name it: "pt-PT". */
const char *rsp_texts_locale(const rsp_texts *t);
/* The message with its arguments put in. Unknown keys and arguments are bugs (assert). Thread-safe. */
const char *rsp_say(const rsp_texts *t, rsp_arena *a, const char *key, const rsp_arg *args, size_t n);

/* What a text lacks to be a sentence: "." or, where it ends with a mark of its own (. ! ? or three dots), nothing. */
const char *rsp_full_stop(const char *text);
/* Numbers by the language's rules, `digits` decimals (0 to 6). Percent: 0.437 -> "43,7 %". A negative number
 * has the minus sign U+2212; a missing one is an en dash. */
const char *rsp_say_number(const rsp_texts *t, rsp_arena *a, double x, int digits);
const char *rsp_say_percent(const rsp_texts *t, rsp_arena *a, double share, int digits);
const char *rsp_say_language(const rsp_texts *t, rsp_arena *a, const char *lang); /* its name in that language itself */
/* True if every label that outputs of this study show exists in the language; else all missing ones are reported. */
bool rsp_texts_cover(const rsp_texts *t, const rsp_study *s, rsp_diag *d);
bool rsp_texts_has(const rsp_texts *t, const char *key);
/* Does the message ask for this argument? */
bool rsp_texts_asks(const rsp_texts *t, const char *key, const char *argument);
/* Where the message stands in its file; 0: nowhere. */
int rsp_texts_line(const rsp_texts *t, const char *key);

#endif
