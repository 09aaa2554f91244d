/* Words in several languages, as researchers write them: `{en: Age group, pl: Grupa wieku}`. */
#ifndef RESPONSIVE_TEXT_H
#define RESPONSIVE_TEXT_H

#include "responsive/base.h"

typedef struct {
    const char *lang; /* BCP 47 tag, "" where no language is said (a plain scalar) */
    const char *text; /* UTF-8 */
} rsp_wording;

typedef struct {
    size_t n;
    rsp_wording *wording;
} rsp_text;

/* The text in lang; a wording without a language serves every language; NULL if there is none. */
const char *rsp_text_in(const rsp_text *t, const char *lang);

/* A code as part of a file name: letters, digits, `_`, `-` and `.` stay, other bytes become `_`. */
const char *rsp_file_word(rsp_arena *a, const char *code);

#endif
