/* The partners' page: what there is, in each language, with links that all lead somewhere, since they are made from the
 * files that the other renderers left in the staging folder. Works without scripts; one language is shown at a time. */
#include "site.h"

#include <stdlib.h>
#include <string.h>

static const char *say(const rsp_site *s, const char *key) { return rsp_say(s->texts, s->a, key, NULL, 0); }

/* ---- links ------------------------------------------------------------------------------------------------------ */

static void url(rsp_site *s, const char *folder, const char *name) {
    rsp_buf_printf(&s->out, "%s/", folder);
    for (const char *p = name; *p; p++) {
        bool plain =
            (*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') || (*p >= '0' && *p <= '9') || strchr("_-.", *p);
        if (plain) rsp_buf_putc(&s->out, *p);
        else rsp_buf_printf(&s->out, "%%%02X", (unsigned) (unsigned char) *p);
    }
}

static const char *size_text(const rsp_site *s, long long bytes) {
    bool mega = bytes >= 1000000;
    double n = mega ? (double) bytes / 1e6 : bytes < 1000 ? 1 : (double) bytes / 1e3;
    const char *number = rsp_say_number(s->texts, s->a, n, mega ? 1 : 0);
    return rsp_say(s->texts, s->a, mega ? "site_megabytes" : "site_kilobytes", (rsp_arg[]){{"n", number, 0}}, 1);
}

/* type NULL: the words say it. */
static void link_to(rsp_site *s, const char *folder, const char *name, const char *words, const char *type,
                    long long bytes) {
    const char *size = size_text(s, bytes);
    rsp_arg file[] = {{"type", type ? type : "", 0}, {"size", size, 0}};
    rsp_buf_puts(&s->out, "<a href=\"");
    url(s, folder, name);
    rsp_buf_puts(&s->out, "\">");
    rsp_html_text(&s->out, words);
    rsp_buf_puts(&s->out, "<span class=\"size\">&nbsp;(");
    rsp_html_text(&s->out, type ? rsp_say(s->texts, s->a, "site_file", file, 2) : size);
    rsp_buf_puts(&s->out, ")</span></a>");
}

/* The first digits, to be compared by eye; all of them in manifest.json. */
static void checksum(rsp_site *s, const char *folder, const char *name) {
    const char *path = rsp_printf(s->a, "%s/%s", folder, name);
    const char *hex = rsp_hashes_get(s->p->hashes, path);
    if (!hex) {
        rsp_report(s->d, RSP_ERR_BUG, (rsp_loc){path, 0, 0}, NULL, "has appeared since the publication was hashed");
        return;
    }
    rsp_buf_printf(&s->out, " <code class=\"hash\">SHA-256 %.16s\u2026</code>", hex);
}

static void file_list(rsp_site *s, const char *heading, const char *folder, const rsp_site_list *files,
                      const char *type) {
    if (!files->n) return;
    rsp_html_element(&s->out, "h2", NULL, say(s, heading));
    rsp_buf_puts(&s->out, "<ul class=\"files\">\n");
    for (size_t k = 0; k < files->n; k++) {
        rsp_buf_puts(&s->out, "<li>");
        link_to(s, folder, files->items[k].name, rsp_site_who(s, files->items[k].who), type, files->items[k].bytes);
        checksum(s, folder, files->items[k].name);
        rsp_buf_puts(&s->out, "</li>\n");
    }
    rsp_buf_puts(&s->out, "</ul>\n");
}

/* ---- charts ----------------------------------------------------------------------------------------------------- */

static void quoted(rsp_site *s, const char *escaped) {
    for (const char *p = escaped; *p; p++) {
        if (*p == '"') rsp_buf_puts(&s->out, "&quot;");
        else if (*p != '<') rsp_buf_putc(&s->out, *p);
    }
}

static void chart_downloads(rsp_site *s, const char *svg) {
    static const struct { const char *extension, *type; } forms[] = {{".svg", "SVG"}, {".png", "PNG"}, {".pdf", "PDF"}};
    const char *sep = "";
    for (size_t k = 0; k < 3; k++) {
        const char *name = rsp_printf(s->a, "%.*s%s", (int) strlen(svg) - 4, svg, forms[k].extension);
        long long bytes = rsp_site_size(s, "charts", name);
        if (bytes < 0) continue;
        rsp_buf_puts(&s->out, sep);
        link_to(s, "charts", name, forms[k].type, NULL, bytes);
        sep = " \u00b7\n";
    }
}

static void chart(rsp_site *s, const rsp_site_file *x) {
    const char *svg = rsp_site_svg(s, x->name), *description = rsp_site_svg_text(s, svg, "desc"),
               *title = rsp_site_svg_text(s, svg, "title");
    int width = rsp_site_svg_pixels(svg, " width=\""), height = rsp_site_svg_pixels(svg, " height=\"");
    rsp_buf_puts(&s->out, "<figure>\n<img loading=\"lazy\" src=\"");
    url(s, "charts", x->name);
    rsp_buf_puts(&s->out, "\"");
    if (width > 0 && height > 0) rsp_buf_printf(&s->out, " width=\"%d\" height=\"%d\"", width, height);
    rsp_buf_puts(&s->out, " alt=\"");
    if (title) quoted(s, title);
    else
        rsp_html_text(&s->out, x->analysis == RSP_NONE
                                   ? x->name
                                   : rsp_label_analysis(s->labels, s->a, s->p->study->analyses[x->analysis].id));
    if (description) {
        rsp_buf_printf(&s->out, "%s ", title ? rsp_full_stop(title) : ".");
        quoted(s, description);
    }
    rsp_buf_puts(&s->out, "\">\n<figcaption>");
    rsp_html_text(&s->out, say(s, "site_download"));
    rsp_buf_puts(&s->out, ": ");
    chart_downloads(s, x->name);
    rsp_buf_puts(&s->out, "</figcaption>\n</figure>\n");
}

static void charts(rsp_site *s) {
    const char *who = NULL;
    if (!s->charts.n) return;
    rsp_html_element(&s->out, "h2", NULL, say(s, "site_charts"));
    for (size_t k = 0; k < s->charts.n; k++) {
        const rsp_site_file *x = &s->charts.items[k];
        if (!who || strcmp(who, x->who) != 0) {
            if (who) rsp_buf_puts(&s->out, "</div>\n");
            if (strcmp(x->who, "all") != 0)
                rsp_html_element(
                    &s->out, "h3", NULL,
                    rsp_say(s->texts, s->a, "site_charts_of", (rsp_arg[]){{"who", rsp_site_who(s, x->who), 0}}, 1));
            rsp_buf_puts(&s->out, "<div class=\"charts\">\n");
            who = x->who;
        }
        chart(s, x);
    }
    rsp_buf_puts(&s->out, "</div>\n");
}

/* ---- data ------------------------------------------------------------------------------------------------------- */

static void data(rsp_site *s) {
    static const struct {
        const char *name, *key, *type;
    } files[] = {{"results.csv", "site_data_results", "CSV"},
                 {"results.sqlite", "site_data_results", "SQLite"},
                 {"codebook.csv", "site_data_codebook", "CSV"},
                 {"codebook.xml", "site_data_codebook", "DDI Codebook 2.5"},
                 {"datapackage.json", "site_data_description", "Frictionless"},
                 {"results.csv-metadata.json", "site_data_description", "CSVW"}};
    rsp_html_element(&s->out, "h2", NULL, say(s, "site_data"));
    rsp_buf_puts(&s->out, "<ul class=\"files\">\n");
    for (size_t k = 0; k < sizeof files / sizeof *files; k++) {
        long long bytes = rsp_site_size(s, "data", files[k].name);
        if (bytes < 0) continue;
        rsp_buf_puts(&s->out, "<li>");
        link_to(s, "data", files[k].name, say(s, files[k].key), files[k].type, bytes);
        checksum(s, "data", files[k].name);
        rsp_buf_puts(&s->out, "</li>\n");
    }
    rsp_buf_puts(&s->out, "</ul>\n<p><a href=\"manifest.json\">");
    rsp_html_text(&s->out, say(s, "site_manifest"));
    rsp_buf_puts(&s->out, "</a></p>\n");
}

/* How it was done: one annex for all languages, and the quality page. */
static void methods(rsp_site *s) {
    static const char annex[] = "methods-en.pdf";
    long long bytes = rsp_site_size(s, "methods", annex);
    bool quality = rsp_site_size(s, "quality", "quality.html") >= 0;
    if (bytes < 0 && !quality) return;
    rsp_html_element(&s->out, "h2", NULL, say(s, "site_methods"));
    rsp_buf_puts(&s->out, "<ul class=\"files\">\n");
    if (bytes >= 0) {
        rsp_buf_puts(&s->out, "<li>");
        link_to(s, "methods", annex, say(s, "site_methods_annex"), "PDF", bytes);
        checksum(s, "methods", annex);
        rsp_buf_puts(&s->out, "</li>\n");
    }
    if (quality) {
        rsp_buf_printf(&s->out, "<li><a href=\"quality/quality.html#%s\">", s->lang);
        rsp_html_text(&s->out, say(s, "site_quality_link"));
        rsp_buf_puts(&s->out, "</a></li>\n");
    }
    rsp_buf_puts(&s->out, "</ul>\n");
}

/* ---- a language ------------------------------------------------------------------------------------------------- */

static void paragraph(rsp_site *s, const char *text) { rsp_html_element(&s->out, "p", NULL, text); }

static const char *sentence(const rsp_site *s, const char *before, const char *text) {
    return *before ? rsp_printf(s->a, "%s %s", before, text) : text;
}

static void introduction(rsp_site *s) {
    const rsp_study *study = s->p->study;
    const rsp_published_row *kept = rsp_published_find(s->p->results, "response", "", "kept", "", "count");
    rsp_html_element(&s->out, "h1", NULL, rsp_label_study(s->labels));
    rsp_html_badges(&s->out, s->p, s->texts);
    paragraph(s, say(s, "site_intro"));
    const char *text = "";
    if (study->field.from && study->field.to)
        text = rsp_say(s->texts, s->a, "period",
                       (rsp_arg[]){{"from", study->field.from, 0}, {"to", study->field.to, 0}}, 2);
    if (kept && kept->estimate >= 0)
        text =
            sentence(s, text, rsp_say(s->texts, s->a, "site_answers", (rsp_arg[]){{"kept", NULL, kept->estimate}}, 1));
    if (*text) paragraph(s, text);
    text = "";
    if (s->p->preliminary) text = sentence(s, text, say(s, "preliminary_note"));
    if (s->p->simulated) text = sentence(s, text, say(s, "simulated_note"));
    if (study->design.self_selected) text = sentence(s, text, say(s, "self_selected_note"));
    if (study->disclosure.off) text = sentence(s, text, say(s, "disclosure_off_note"));
    if (*text) paragraph(s, text);
}

/* In a few lines; changes.html says the rest. */
static void changes(rsp_site *s) {
    rsp_html_element(&s->out, "h2", NULL, say(s, "changes_title"));
    if (s->p->changes) rsp_site_changes_summary(s);
    else paragraph(s, say(s, "changes_first"));
    if (!s->p->changes) return;
    rsp_buf_printf(&s->out, "<p><a href=\"changes.html#%s\">", s->lang);
    rsp_html_text(&s->out, say(s, "changes_all"));
    rsp_buf_puts(&s->out, "</a></p>\n");
}

static void explore_link(rsp_site *s) {
    rsp_buf_printf(&s->out, "<p class=\"explore\"><a href=\"explore.html#%s\">", s->lang);
    rsp_html_text(&s->out, say(s, "site_explore"));
    rsp_buf_puts(&s->out, "</a></p>\n");
}

static void language(rsp_site *s, size_t k) {
    rsp_site_files(s, "briefs", "brief-", ".pdf", &s->briefs);
    rsp_site_files(s, "tables", "tables-", ".xlsx", &s->tables);
    rsp_site_files(s, "charts", "", ".svg", &s->charts);
    rsp_html_language(&s->out, s->p, k, RSP_PAGE_INDEX);
    introduction(s);
    explore_link(s);
    if (!s->p->n_only) changes(s);
    file_list(s, "site_briefs", "briefs", &s->briefs, "PDF");
    file_list(s, "site_tables", "tables", &s->tables, say(s, "site_type_spreadsheet"));
    charts(s);
    methods(s);
    data(s);
    rsp_html_language_end(&s->out, s->p, s->texts);
}

static bool write_page(rsp_site *s) {
    for (size_t k = 0; k < s->p->n_languages; k++) {
        rsp_site_enter(s, k);
        if (k == 0 && !rsp_html_open(&s->out, s->lang, rsp_label_study(s->labels), s->d)) return false;
        if (k == 0) rsp_html_header(&s->out, s->p);
        language(s, k);
    }
    rsp_buf_puts(&s->out, "</main>\n");
    rsp_html_close(&s->out);
    return rsp_write_file(rsp_path_join(s->a, s->p->dir, "index.html"), s->out.data, s->out.length, s->d);
}

static bool make_page(const rsp_publication *p, bool (*write)(rsp_site *), rsp_diag *d) {
    rsp_site s = {.p = p, .a = rsp_arena_new(), .d = d};
    bool ok = write(&s);
    free(s.briefs.items);
    free(s.tables.items);
    free(s.charts.items);
    rsp_buf_free(&s.out);
    rsp_arena_free(s.a);
    return ok;
}

bool rsp_render_site(const rsp_publication *p, rsp_diag *d) { return make_page(p, write_page, d); }

bool rsp_render_explore(const rsp_publication *p, rsp_diag *d) { return make_page(p, rsp_site_explore, d); }

bool rsp_render_changes(const rsp_publication *p, rsp_diag *d) { return make_page(p, rsp_site_changes, d); }
