/* What the pages of the site share: the files that the other renderers left in the staging folder, by language, and what
 * a picture says of itself. */
#ifndef RESPONSIVE_RENDER_SITE_H
#define RESPONSIVE_RENDER_SITE_H

#include "html.h"

/* A file that stands in the publication. */
typedef struct {
    const char *name; /* without folder */
    const char *who;  /* "all" or a country; of a chart: its domain */
    size_t analysis;  /* charts: place in the study; RSP_NONE else */
    long long bytes;
} rsp_site_file;

typedef struct {
    size_t n, capacity;
    rsp_site_file *items; /* heap */
} rsp_site_list;

typedef struct {
    const rsp_publication *p;
    const rsp_labels *labels; /* of the language being written */
    const rsp_texts *texts;
    const char *lang;
    rsp_site_list briefs, tables, charts;
    rsp_buf out;
    rsp_arena *a;
    rsp_diag *d;
} rsp_site;

/* What follows is written in this language of the publication. */
void rsp_site_enter(rsp_site *s, size_t language);

/* PREFIX + WHO + -LANG + EXTENSION in `folder`, for the language being written; no prefix: charts, named by analysis. In
 * the order of the study's countries and analyses. */
void rsp_site_files(rsp_site *s, const char *folder, const char *prefix, const char *extension, rsp_site_list *out);
long long rsp_site_size(const rsp_site *s, const char *folder, const char *name); /* bytes; -1: not there */
const char *rsp_site_who(const rsp_site *s, const char *who);                     /* label of "all" or of a country */

/* The beginning of a chart's SVG, with what it says of itself. */
char *rsp_site_svg(const rsp_site *s, const char *name);
/* Its <title> or <desc>, escapes and all: the same in XML and HTML. NULL if not there. */
const char *rsp_site_svg_text(const rsp_site *s, const char *svg, const char *tag);
int rsp_site_svg_pixels(const char *svg, const char *attribute);

/* changes.html: what moved since the publication before, and why. */
bool rsp_site_changes(rsp_site *s);
/* The same in a few lines, for the index. */
void rsp_site_changes_summary(rsp_site *s);

/* explore.html and explore-data.js: choose a topic and a country, see its chart and numbers, search in all of them. */
bool rsp_site_explore(rsp_site *s);

#endif
