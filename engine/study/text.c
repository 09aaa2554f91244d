/* Words in several languages. */
#include "responsive/text.h"

#include <string.h>

const char *rsp_text_in(const rsp_text *t, const char *lang) {
    const char *any = NULL;
    for (size_t k = 0; k < t->n; k++) {
        if (strcmp(t->wording[k].lang, lang) == 0) return t->wording[k].text;
        if (!t->wording[k].lang[0]) any = t->wording[k].text;
    }
    return any;
}

const char *rsp_file_word(rsp_arena *a, const char *code) {
    char *word = rsp_strdup(a, code);
    for (char *p = word; *p; p++) {
        bool plain =
            (*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') || (*p >= '0' && *p <= '9') || strchr("_-.", *p);
        if (!plain) *p = '_';
    }
    return word;
}
