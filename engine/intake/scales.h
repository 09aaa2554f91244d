/* Answer scales that questionnaires share: agreement, frequency, quality, ... in the seven languages. */
#ifndef INTAKE_SCALES_H
#define INTAKE_SCALES_H

#include "reader.h"

/* The scale that an answer's folded words belong to, and their place on it, low to high; NULL. A text may stand on several
 * scales ("very much"): `nth` counts them from 0. */
const char *rsp_scale_word(const char *folded, size_t nth, double *place);
/* "en", "de", ...: the language that most of these words are taken from; NULL when none is known. */
const char *rsp_language_of(const char *text, size_t length);
/* The number that a label begins with or ranges from: "18-29" 18, "< 18" just under 18, "$50,000 - $99,999" 50000,
 * "over 60" just above 60; NaN. */
double rsp_scale_number(const char *folded);

#endif
