/* What the HTML pages have in common: escaping, the frame of a page with its style inlined, tables. */
#ifndef RESPONSIVE_RENDER_HTML_H
#define RESPONSIVE_RENDER_HTML_H

#include "labels.h"

typedef enum { RSP_PAGE_INDEX, RSP_PAGE_EXPLORE, RSP_PAGE_CHANGES, RSP_PAGE_QUALITY, RSP_PAGES } rsp_html_page;

/* Text of an element or an attribute in double quotes; control characters are dropped. */
void rsp_html_text(rsp_buf *b, const char *text);
/* <tag>text</tag> and a newline; attributes NULL or as they stand in the tag. */
void rsp_html_element(rsp_buf *b, const char *tag, const char *attributes, const char *text);
/* Everything up to and with <body>, the style of reports/page.css in it. False and reported if that cannot be read. */
bool rsp_html_open(rsp_buf *b, const char *lang, const char *title, rsp_diag *d);
void rsp_html_close(rsp_buf *b);

/* What the pages of the site begin with: skip link, a choice of the publication's languages; opens <main>. */
void rsp_html_header(rsp_buf *b, const rsp_publication *p);
/* Links to the site's other pages, in a language; a script finds the words' keys in data-word. */
void rsp_html_pages(rsp_buf *b, const rsp_texts *t, const char *lang, rsp_html_page here);
/* Opens the section of a language of the publication: publisher, links to the site's other pages. */
void rsp_html_language(rsp_buf *b, const rsp_publication *p, size_t language, rsp_html_page page);
/* "Preliminary", "Simulated data". */
void rsp_html_badges(rsp_buf *b, const rsp_publication *p, const rsp_texts *t);
/* Content id; closes the section. */
void rsp_html_language_end(rsp_buf *b, const rsp_publication *p, const rsp_texts *t);
/* In <dl class="facts">: a name, a number, a few words; an empty or NULL note is left out. */
void rsp_html_fact(rsp_buf *b, const char *name, const char *number, const char *note, bool alarm);

/* Tables whose first column names the row: rsp_html_table, then for each row rsp_html_row and the cells. */
typedef struct {
    const char *title;
    bool number;
} rsp_html_column;

void rsp_html_table(rsp_buf *b, const char *caption, size_t n, const rsp_html_column *columns);
void rsp_html_row(rsp_buf *b, const char *name);
void rsp_html_cell(rsp_buf *b, const char *text, bool number);
/* A number with a bar before it, `share` of the longest (0 to 1): the number is text, the bar is for the eye. */
void rsp_html_bar(rsp_buf *b, const char *number, double share);
void rsp_html_row_end(rsp_buf *b);
void rsp_html_table_end(rsp_buf *b);

#endif
