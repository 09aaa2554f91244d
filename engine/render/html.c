#include "html.h"

void rsp_html_text(rsp_buf *b, const char *text) {
    for (const char *p = text; *p; p++) {
        unsigned char c = (unsigned char) *p;
        if (c == '&') rsp_buf_puts(b, "&amp;");
        else if (c == '<') rsp_buf_puts(b, "&lt;");
        else if (c == '>') rsp_buf_puts(b, "&gt;");
        else if (c == '"') rsp_buf_puts(b, "&quot;");
        else if (c >= 0x20 && c != 0x7f) rsp_buf_putc(b, *p);
        else if (c == '\n' || c == '\t') rsp_buf_putc(b, ' ');
    }
}

void rsp_html_element(rsp_buf *b, const char *tag, const char *attributes, const char *text) {
    rsp_buf_printf(b, "<%s%s%s>", tag, attributes ? " " : "", attributes ? attributes : "");
    rsp_html_text(b, text);
    rsp_buf_printf(b, "</%s>\n", tag);
}

bool rsp_html_open(rsp_buf *b, const char *lang, const char *title, rsp_diag *d) {
    rsp_arena *a = rsp_arena_new();
    rsp_buf style = {0};
    char *path = rsp_path_join(a, rsp_data_dir(), "reports/page.css");
    bool ok = rsp_read_file(path, &style, d, RSP_ERR_STUDY, (rsp_loc){path, 0, 0});
    if (ok) {
        rsp_buf_puts(b, "<!DOCTYPE html>\n<html lang=\"");
        rsp_html_text(b, lang);
        rsp_buf_puts(b, "\">\n<head>\n<meta charset=\"utf-8\">\n"
                        "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n");
        rsp_html_element(b, "title", NULL, title);
        rsp_buf_puts(b, "<style>\n");
        rsp_buf_add(b, style.data, style.length);
        rsp_buf_puts(b, "</style>\n</head>\n<body>\n");
    }
    rsp_buf_free(&style);
    rsp_arena_free(a);
    return ok;
}

void rsp_html_close(rsp_buf *b) { rsp_buf_puts(b, "</body>\n</html>\n"); }

/* The region can be scrolled by keyboard where the table is wider than the window. */
void rsp_html_table(rsp_buf *b, const char *caption, size_t n, const rsp_html_column *columns) {
    rsp_buf_puts(b, "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"");
    rsp_html_text(b, caption);
    rsp_buf_puts(b, "\">\n<table>\n");
    rsp_html_element(b, "caption", NULL, caption);
    rsp_buf_puts(b, "<thead>\n<tr>\n");
    for (size_t k = 0; k < n; k++)
        rsp_html_element(b, "th", columns[k].number ? "scope=\"col\" class=\"number\"" : "scope=\"col\"",
                         columns[k].title);
    rsp_buf_puts(b, "</tr>\n</thead>\n<tbody>\n");
}

void rsp_html_row(rsp_buf *b, const char *name) {
    rsp_buf_puts(b, "<tr>\n");
    rsp_html_element(b, "th", "scope=\"row\"", name);
}

void rsp_html_cell(rsp_buf *b, const char *text, bool number) {
    rsp_html_element(b, "td", number ? "class=\"number\"" : NULL, text);
}

void rsp_html_row_end(rsp_buf *b) { rsp_buf_puts(b, "</tr>\n"); }

void rsp_html_table_end(rsp_buf *b) { rsp_buf_puts(b, "</tbody>\n</table>\n</div>\n"); }
