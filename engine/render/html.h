/* What the HTML pages have in common: escaping, the frame of a page with its style inlined, tables. */
#ifndef RESPONSIVE_RENDER_HTML_H
#define RESPONSIVE_RENDER_HTML_H

#include "labels.h"

/* Text of an element or an attribute in double quotes; control characters are dropped. */
void rsp_html_text(rsp_buf *b, const char *text);
/* <tag>text</tag> and a newline; attributes NULL or as they stand in the tag. */
void rsp_html_element(rsp_buf *b, const char *tag, const char *attributes, const char *text);
/* Everything up to and with <body>, the style of reports/page.css in it. False and reported if that cannot be read. */
bool rsp_html_open(rsp_buf *b, const char *lang, const char *title, rsp_diag *d);
void rsp_html_close(rsp_buf *b);

/* Tables whose first column names the row: rsp_html_table, then for each row rsp_html_row and the cells. */
typedef struct {
    const char *title;
    bool number;
} rsp_html_column;

void rsp_html_table(rsp_buf *b, const char *caption, size_t n, const rsp_html_column *columns);
void rsp_html_row(rsp_buf *b, const char *name);
void rsp_html_cell(rsp_buf *b, const char *text, bool number);
void rsp_html_row_end(rsp_buf *b);
void rsp_html_table_end(rsp_buf *b);

#endif
