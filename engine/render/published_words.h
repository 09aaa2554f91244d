/* The words that a publication carries for its own rows: explore-data.js holds, for every row and in every language, what
 * the explore page says of it. So a publication can be shown where its study is not at hand, or says something else by now.
 *
 *   rsp_published_words *w = rsp_published_words_read("out/ifsw/latest", d);      NULL, and reported: no publication
 *   const char *lang = rsp_published_words_language(w, NULL, "pl", d);            one that it speaks
 *   rsp_published_words_of(w, "scores", lang, n, &title, &measure, arena, d);     of the n rows of an analysis, in their order
 *
 * The file is not trusted: what does not fit together is reported, with the advice to verify the run. */
#ifndef RESPONSIVE_RENDER_PUBLISHED_WORDS_H
#define RESPONSIVE_RENDER_PUBLISHED_WORDS_H

#include "labels.h"

typedef struct rsp_published_words rsp_published_words;

typedef struct {
    const char *who, *term, *level, *statistic; /* as rsp_label_who ... rsp_label_statistic say them */
    rsp_as as;
} rsp_row_words;

rsp_published_words *rsp_published_words_read(const char *run, rsp_diag *d);
void rsp_published_words_free(rsp_published_words *w); /* NULL allowed */
/* asked: must be spoken, else NULL and reported. NULL: `wish` if it is spoken, else the first. Lives as long as w; w NULL: NULL. */
const char *rsp_published_words_language(const rsp_published_words *w, const char *asked, const char *wish,
                                         rsp_diag *d);
/* NULL, and reported, unless the file has exactly n rows of the analysis with all their words. Strings live as long as w. */
const rsp_row_words *rsp_published_words_of(const rsp_published_words *w, const char *analysis, const char *lang,
                                            size_t n, const char **title, const char **measure, rsp_arena *a,
                                            rsp_diag *d);

#endif
