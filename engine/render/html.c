#include "html.h"

#include <math.h>

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

/* ---- what the pages of the site share --------------------------------------------------------------------------- */

static const char *say(const rsp_texts *t, rsp_arena *a, const char *key) { return rsp_say(t, a, key, NULL, 0); }

void rsp_html_header(rsp_buf *b, const rsp_publication *p) {
    rsp_arena *a = rsp_arena_new();
    const rsp_texts *t = rsp_labels_texts(p->labels[0]);
    rsp_html_element(b, "a", "class=\"skip\" href=\"#content\"", say(t, a, "site_skip"));
    rsp_buf_puts(b, "<header>\n");
    if (p->n_languages > 1) {
        rsp_buf_puts(b, "<nav aria-label=\"");
        rsp_html_text(b, say(t, a, "site_languages"));
        rsp_buf_puts(b, "\">\n<ul>\n");
        for (size_t k = 0; k < p->n_languages; k++) {
            const char *lang = p->languages[k];
            rsp_buf_printf(b, "<li><a href=\"#%s\" lang=\"%s\" hreflang=\"%s\">", lang, lang, lang);
            rsp_html_text(b, rsp_say_language(t, a, lang));
            rsp_buf_puts(b, "</a></li>\n");
        }
        rsp_buf_puts(b, "</ul>\n</nav>\n");
    }
    rsp_buf_puts(b, "</header>\n<main id=\"content\">\n");
    rsp_arena_free(a);
}

void rsp_html_pages(rsp_buf *b, const rsp_texts *t, const char *lang, rsp_html_page here) {
    static const struct {
        const char *path, *key;
    } pages[] = {[RSP_PAGE_INDEX] = {"index.html", "site_page_files"},
                 [RSP_PAGE_EXPLORE] = {"explore.html", "explore_title"},
                 [RSP_PAGE_CHANGES] = {"changes.html", "changes_page"},
                 [RSP_PAGE_QUALITY] = {"quality/quality.html", "quality_title"}};
    rsp_arena *a = rsp_arena_new();
    rsp_buf_puts(b, "<nav class=\"pages\" aria-label=\"");
    rsp_html_text(b, say(t, a, "site_pages"));
    rsp_buf_puts(b, "\">\n<ul>\n");
    for (size_t k = 0; k < RSP_PAGES; k++) {
        bool section = k == here && here != RSP_PAGE_EXPLORE; /* which has none: its script reads the language */
        rsp_buf_printf(b, "<li><a href=\"%s%s#%s\"", here == RSP_PAGE_QUALITY && !section ? "../" : "",
                       section ? "" : pages[k].path, lang);
        rsp_buf_printf(b, "%s data-word=\"%s\">", k == here ? " aria-current=\"page\"" : "", pages[k].key);
        rsp_html_text(b, say(t, a, pages[k].key));
        rsp_buf_puts(b, "</a></li>\n");
    }
    rsp_buf_puts(b, "</ul>\n</nav>\n");
    rsp_arena_free(a);
}

void rsp_html_language(rsp_buf *b, const rsp_publication *p, size_t language, rsp_html_page page) {
    rsp_arena *a = rsp_arena_new();
    const char *lang = p->languages[language];
    rsp_buf_printf(b, "<section class=\"language\" id=\"%s\" lang=\"%s\">\n", lang, lang);
    rsp_html_element(b, "p", "class=\"publisher\"", rsp_label_publisher(p->labels[language], a));
    rsp_html_pages(b, rsp_labels_texts(p->labels[language]), lang, page);
    rsp_arena_free(a);
}

void rsp_html_badges(rsp_buf *b, const rsp_publication *p, const rsp_texts *t) {
    if (!p->preliminary && !p->simulated) return;
    rsp_arena *a = rsp_arena_new();
    rsp_buf_puts(b, "<ul class=\"badges\">\n");
    if (p->preliminary) rsp_html_element(b, "li", NULL, say(t, a, "site_badge_preliminary"));
    if (p->simulated) rsp_html_element(b, "li", NULL, say(t, a, "site_badge_simulated"));
    rsp_buf_puts(b, "</ul>\n");
    rsp_arena_free(a);
}

void rsp_html_language_end(rsp_buf *b, const rsp_publication *p, const rsp_texts *t) {
    rsp_arena *a = rsp_arena_new();
    rsp_html_element(b, "p", "class=\"hint\"", rsp_say(t, a, "content_id", (rsp_arg[]){{"id", p->content_id, 0}}, 1));
    rsp_buf_puts(b, "</section>\n");
    rsp_arena_free(a);
}

void rsp_html_fact(rsp_buf *b, const char *name, const char *number, const char *note, bool alarm) {
    rsp_buf_printf(b, "<div%s>\n", alarm ? " class=\"alarm\"" : "");
    rsp_html_element(b, "dt", NULL, name);
    rsp_html_element(b, "dd", "class=\"figure\"", number);
    if (note && *note) rsp_html_element(b, "dd", NULL, note);
    rsp_buf_puts(b, "</div>\n");
}

/* ---- tables ----------------------------------------------------------------------------------------------------- */

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

void rsp_html_bar(rsp_buf *b, const char *number, double share) {
    rsp_buf_printf(b, "<td class=\"number share\" style=\"--share: %.1f%%\">", 100 * fmax(0, fmin(1, share)));
    rsp_html_text(b, number);
    rsp_buf_puts(b, "</td>\n");
}

void rsp_html_row_end(rsp_buf *b) { rsp_buf_puts(b, "</tr>\n"); }

void rsp_html_table_end(rsp_buf *b) { rsp_buf_puts(b, "</tbody>\n</table>\n</div>\n"); }
