/* One message of a catalogue: ICU's MessageFormat syntax compiled once, formatted with named arguments.
 *
 * ICU's own C interface takes arguments by position and C varargs, where a wrong type is undefined behaviour; so the
 * outer structure is parsed here, and numbers, dates and plural categories come from ICU's immutable formatters. A
 * compiled message may be formatted by any number of threads at once. */
#ifndef RESPONSIVE_RENDER_MESSAGE_H
#define RESPONSIVE_RENDER_MESSAGE_H

#include "texts.h"

#include <unicode/unumberformatter.h>

typedef struct rsp_msg_locale rsp_msg_locale; /* plural rules and number formats of one locale */
typedef struct rsp_msg rsp_msg;               /* lives in the arena it was compiled in */

rsp_msg_locale *rsp_msg_locale_new(const char *locale); /* NULL if ICU does not know it */
void rsp_msg_locale_free(rsp_msg_locale *l);            /* NULL allowed */
const char *rsp_msg_locale_name(const rsp_msg_locale *l);

/* NULL, and reported at loc, if the message is malformed or lacks a plural form that its language needs. */
rsp_msg *rsp_msg_compile(rsp_arena *a, rsp_msg_locale *l, const char *text, rsp_loc loc, rsp_diag *d);
const char *rsp_msg_format(const rsp_msg *m, const rsp_msg_locale *l, rsp_arena *a, const rsp_arg *args, size_t n);
/* The first argument of m that `reference` does not have; NULL if there is none. */
const char *rsp_msg_strange_argument(const rsp_msg *m, const rsp_msg *reference);

/* Does any branch of m ask for the argument? */
bool rsp_msg_asks(const rsp_msg *m, const char *name);

UNumberFormatter *rsp_msg_number_format(const char *locale, const char *skeleton); /* NULL if malformed */
const char *rsp_msg_number(rsp_arena *a, const UNumberFormatter *f, double x);
const char *rsp_msg_date(rsp_arena *a, const char *locale, const char *iso_date, const char *style);
const char *rsp_msg_utf8(rsp_arena *a, const UChar *text, int32_t length);

#endif
