/* The partners' page: what there is, in each language, with links that all lead somewhere, since they are made from the
 * files that the other renderers left in the staging folder. Works without scripts; one language is shown at a time. */
#include "html.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { HEAD_OF_SVG = 65536 };

/* A file that stands in the publication. */
struct item {
    const char *name; /* without folder */
    const char *who;  /* "all" or a country; of a chart: its domain */
    size_t analysis;  /* charts: place in the study; RSP_NONE else */
    long long bytes;
};

struct listing {
    size_t n, capacity;
    struct item *items;
};

struct site {
    const rsp_publication *p;
    const rsp_labels *labels; /* of the language being written */
    const rsp_texts *texts;
    const char *lang;
    struct listing briefs, tables, charts;
    rsp_buf out;
    rsp_arena *a;
    rsp_diag *d;
};

static const char *say(const struct site *s, const char *key) { return rsp_say(s->texts, s->a, key, NULL, 0); }

/* ---- what files there are --------------------------------------------------------------------------------------- */

static bool ends_with(const char *name, const char *end) {
    size_t n = strlen(name), e = strlen(end);
    return n > e && strcmp(name + n - e, end) == 0;
}

static long long size_of(const struct site *s, const char *folder, const char *name) {
    struct stat file;
    return stat(rsp_printf(s->a, "%s/%s/%s", s->p->dir, folder, name), &file) == 0 ? (long long) file.st_size : -1;
}

/* Charts are named ANALYSIS-DOMAIN-LANG, or ANALYSIS.KIND-DOMAIN-LANG; the longest id that fits is the analysis. */
static size_t analysis_of(const struct site *s, const char *stem) {
    size_t best = RSP_NONE, length = 0;
    for (size_t k = 0; k < s->p->study->n_analyses; k++) {
        const char *id = rsp_file_word(s->a, s->p->study->analyses[k].id);
        size_t n = strlen(id);
        if (n >= length && strncmp(stem, id, n) == 0 && (stem[n] == '-' || stem[n] == '.' || !stem[n])) {
            best = k;
            length = n;
        }
    }
    return best;
}

/* 0: everybody; 1 + place of the country in its list; after them what else there may be. */
static size_t rank_of(const struct site *s, const char *who) {
    size_t c = s->p->study->roles.country;
    const rsp_list *list = c == RSP_NONE ? NULL : s->p->study->variables[c].list;
    if (strcmp(who, "all") == 0) return 0;
    for (size_t k = 0; list && k < list->n; k++)
        if (strcmp(rsp_file_word(s->a, list->choices[k].code), who) == 0) return 1 + k;
    return 1 + (list ? list->n : 0);
}

static const struct site *sorting; /* qsort has no context; pages are made by one thread */

static int by_who(const void *x, const void *y) {
    const struct item *a = x, *b = y;
    size_t ra = rank_of(sorting, a->who), rb = rank_of(sorting, b->who);
    if (ra != rb) return ra < rb ? -1 : 1;
    if (a->analysis != b->analysis) return a->analysis < b->analysis ? -1 : 1;
    return strcmp(a->name, b->name);
}

/* PREFIX + WHO + -LANG + EXTENSION in `folder`, for the language being written. */
static void list_files(struct site *s, const char *folder, const char *prefix, const char *extension,
                       struct listing *out) {
    DIR *dir = opendir(rsp_path_join(s->a, s->p->dir, folder));
    const char *end = rsp_printf(s->a, "-%s%s", s->lang, extension);
    size_t head = strlen(prefix);
    out->n = 0;
    for (struct dirent *e; dir && (e = readdir(dir));) {
        if (strncmp(e->d_name, prefix, head) != 0 || !ends_with(e->d_name, end) ||
            strlen(e->d_name) < head + strlen(end))
            continue;
        const char *name = rsp_strdup(s->a, e->d_name);
        const char *who = rsp_strndup(s->a, name + head, strlen(name) - head - strlen(end));
        struct item item = {name, who, RSP_NONE, size_of(s, folder, name)};
        if (!head) {
            item.analysis = analysis_of(s, who);
            size_t id = item.analysis == RSP_NONE ? 0 : strlen(s->p->study->analyses[item.analysis].id);
            const char *hyphen = strchr(who + id, '-'); /* behind the kind */
            item.who = hyphen ? hyphen + 1 : "all";
        }
        RSP_PUSH(out->items, out->n, out->capacity, item);
    }
    if (dir) closedir(dir);
    sorting = s;
    if (out->n) qsort(out->items, out->n, sizeof *out->items, by_who);
}

/* ---- links ------------------------------------------------------------------------------------------------------ */

static void url(struct site *s, const char *folder, const char *name) {
    rsp_buf_printf(&s->out, "%s/", folder);
    for (const char *p = name; *p; p++) {
        bool plain =
            (*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') || (*p >= '0' && *p <= '9') || strchr("_-.", *p);
        if (plain) rsp_buf_putc(&s->out, *p);
        else rsp_buf_printf(&s->out, "%%%02X", (unsigned) (unsigned char) *p);
    }
}

static const char *size_text(const struct site *s, long long bytes) {
    bool mega = bytes >= 1000000;
    double n = mega ? (double) bytes / 1e6 : bytes < 1000 ? 1 : (double) bytes / 1e3;
    const char *number = rsp_say_number(s->texts, s->a, n, mega ? 1 : 0);
    return rsp_say(s->texts, s->a, mega ? "site_megabytes" : "site_kilobytes", (rsp_arg[]){{"n", number, 0}}, 1);
}

/* type NULL: the words say it. */
static void link_to(struct site *s, const char *folder, const char *name, const char *words, const char *type,
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

static const char *who_label(const struct site *s, const char *who) {
    size_t rank = rank_of(s, who), c = s->p->study->roles.country;
    if (rank == 0) return say(s, "site_everybody");
    const rsp_list *list = c == RSP_NONE ? NULL : s->p->study->variables[c].list;
    return list && rank <= list->n ? rsp_choice_label(list, rank - 1, s->lang) : who;
}

static void file_list(struct site *s, const char *heading, const char *folder, const struct listing *files,
                      const char *type) {
    if (!files->n) return;
    rsp_html_element(&s->out, "h2", NULL, say(s, heading));
    rsp_buf_puts(&s->out, "<ul class=\"files\">\n");
    for (size_t k = 0; k < files->n; k++) {
        rsp_buf_puts(&s->out, "<li>");
        link_to(s, folder, files->items[k].name, who_label(s, files->items[k].who), type, files->items[k].bytes);
        rsp_buf_puts(&s->out, "</li>\n");
    }
    rsp_buf_puts(&s->out, "</ul>\n");
}

/* ---- charts ----------------------------------------------------------------------------------------------------- */

/* What stands between the first <tag ...> and </tag>, escapes and all: the same in XML and HTML. NULL if not there. */
static const char *between(const struct site *s, const char *svg, const char *tag) {
    const char *open = strstr(svg, rsp_printf(s->a, "<%s", tag)), *from = open ? strchr(open, '>') : NULL;
    const char *to = from ? strstr(from, rsp_printf(s->a, "</%s>", tag)) : NULL;
    if (!to || memchr(from + 1, '<', (size_t) (to - from - 1))) return NULL;
    return rsp_strndup(s->a, from + 1, (size_t) (to - from - 1));
}

/* An attribute of the picture, as number of pixels: room is kept before it is loaded. */
static int pixels(const char *svg, const char *name) {
    const char *open = strstr(svg, "<svg"), *at = open ? strstr(open, name) : NULL;
    return at ? (int) strtol(at + strlen(name), NULL, 10) : 0;
}

static char *head_of(const struct site *s, const char *name) {
    char *text = rsp_alloc(s->a, HEAD_OF_SVG + 1);
    FILE *f = fopen(rsp_printf(s->a, "%s/charts/%s", s->p->dir, name), "rbe");
    size_t n = f ? fread(text, 1, HEAD_OF_SVG, f) : 0;
    if (f) fclose(f);
    text[n] = 0;
    return text;
}

static void quoted(struct site *s, const char *escaped) {
    for (const char *p = escaped; *p; p++) {
        if (*p == '"') rsp_buf_puts(&s->out, "&quot;");
        else if (*p != '<') rsp_buf_putc(&s->out, *p);
    }
}

static void chart_downloads(struct site *s, const char *svg) {
    static const struct { const char *extension, *type; } forms[] = {{".svg", "SVG"}, {".png", "PNG"}, {".pdf", "PDF"}};
    const char *sep = "";
    for (size_t k = 0; k < 3; k++) {
        const char *name = rsp_printf(s->a, "%.*s%s", (int) strlen(svg) - 4, svg, forms[k].extension);
        long long bytes = size_of(s, "charts", name);
        if (bytes < 0) continue;
        rsp_buf_puts(&s->out, sep);
        link_to(s, "charts", name, forms[k].type, NULL, bytes);
        sep = " \u00b7\n";
    }
}

static void chart(struct site *s, const struct item *x) {
    const char *svg = head_of(s, x->name), *description = between(s, svg, "desc"), *title = between(s, svg, "title");
    int width = pixels(svg, " width=\""), height = pixels(svg, " height=\"");
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
        rsp_buf_puts(&s->out, ". ");
        quoted(s, description);
    }
    rsp_buf_puts(&s->out, "\">\n<figcaption>");
    rsp_html_text(&s->out, say(s, "site_download"));
    rsp_buf_puts(&s->out, ": ");
    chart_downloads(s, x->name);
    rsp_buf_puts(&s->out, "</figcaption>\n</figure>\n");
}

static void charts(struct site *s) {
    const char *who = NULL;
    if (!s->charts.n) return;
    rsp_html_element(&s->out, "h2", NULL, say(s, "site_charts"));
    for (size_t k = 0; k < s->charts.n; k++) {
        const struct item *x = &s->charts.items[k];
        if (!who || strcmp(who, x->who) != 0) {
            if (who) rsp_buf_puts(&s->out, "</div>\n");
            if (strcmp(x->who, "all") != 0)
                rsp_html_element(
                    &s->out, "h3", NULL,
                    rsp_say(s->texts, s->a, "site_charts_of", (rsp_arg[]){{"who", who_label(s, x->who), 0}}, 1));
            rsp_buf_puts(&s->out, "<div class=\"charts\">\n");
            who = x->who;
        }
        chart(s, x);
    }
    rsp_buf_puts(&s->out, "</div>\n");
}

/* ---- data ------------------------------------------------------------------------------------------------------- */

static void data(struct site *s) {
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
        long long bytes = size_of(s, "data", files[k].name);
        if (bytes < 0) continue;
        rsp_buf_puts(&s->out, "<li>");
        link_to(s, "data", files[k].name, say(s, files[k].key), files[k].type, bytes);
        rsp_buf_puts(&s->out, "</li>\n");
    }
    rsp_buf_puts(&s->out, "</ul>\n");
    if (size_of(s, "quality", "quality.html") < 0) return;
    rsp_buf_puts(&s->out, "<p><a href=\"quality/quality.html\">");
    rsp_html_text(&s->out, say(s, "site_quality_link"));
    rsp_buf_puts(&s->out, "</a></p>\n");
}

/* ---- a language ------------------------------------------------------------------------------------------------- */

static void badges(struct site *s) {
    if (!s->p->preliminary && !s->p->simulated) return;
    rsp_buf_puts(&s->out, "<ul class=\"badges\">\n");
    if (s->p->preliminary) rsp_html_element(&s->out, "li", NULL, say(s, "site_badge_preliminary"));
    if (s->p->simulated) rsp_html_element(&s->out, "li", NULL, say(s, "site_badge_simulated"));
    rsp_buf_puts(&s->out, "</ul>\n");
}

static void paragraph(struct site *s, const char *text) { rsp_html_element(&s->out, "p", NULL, text); }

static void introduction(struct site *s) {
    const rsp_study *study = s->p->study;
    const rsp_published_row *kept = rsp_published_find(s->p->results, "response", "", "kept", "", "count");
    rsp_html_element(&s->out, "h1", NULL, rsp_label_study(s->labels));
    badges(s);
    paragraph(s, say(s, "site_intro"));
    if (study->field.from && study->field.to)
        paragraph(s, rsp_say(s->texts, s->a, "period",
                             (rsp_arg[]){{"from", study->field.from, 0}, {"to", study->field.to, 0}}, 2));
    if (kept && kept->estimate >= 0)
        paragraph(s, rsp_say(s->texts, s->a, "site_answers", (rsp_arg[]){{"kept", NULL, kept->estimate}}, 1));
    if (s->p->preliminary) paragraph(s, say(s, "preliminary_note"));
    if (s->p->simulated) paragraph(s, say(s, "simulated_note"));
    if (study->design.self_selected) paragraph(s, say(s, "self_selected_note"));
    if (study->disclosure.off) paragraph(s, say(s, "disclosure_off_note"));
}

static void language(struct site *s) {
    list_files(s, "briefs", "brief-", ".pdf", &s->briefs);
    list_files(s, "tables", "tables-", ".xlsx", &s->tables);
    list_files(s, "charts", "", ".svg", &s->charts);
    rsp_buf_printf(&s->out, "<section class=\"language\" id=\"%s\" lang=\"%s\">\n", s->lang, s->lang);
    introduction(s);
    file_list(s, "site_briefs", "briefs", &s->briefs, "PDF");
    file_list(s, "site_tables", "tables", &s->tables, say(s, "site_type_spreadsheet"));
    charts(s);
    data(s);
    paragraph(s, rsp_say(s->texts, s->a, "content_id", (rsp_arg[]){{"id", s->p->content_id, 0}}, 1));
    rsp_buf_puts(&s->out, "</section>\n");
}

static void navigation(struct site *s) {
    rsp_html_element(&s->out, "a", "class=\"skip\" href=\"#content\"", say(s, "site_skip"));
    rsp_buf_puts(&s->out, "<header>\n");
    paragraph(s, rsp_label_publisher(s->labels, s->a));
    if (s->p->n_languages > 1) {
        rsp_buf_puts(&s->out, "<nav aria-label=\"");
        rsp_html_text(&s->out, say(s, "site_languages"));
        rsp_buf_puts(&s->out, "\">\n<ul>\n");
        for (size_t k = 0; k < s->p->n_languages; k++) {
            const char *lang = s->p->languages[k];
            rsp_buf_printf(&s->out, "<li><a href=\"#%s\" lang=\"%s\" hreflang=\"%s\">", lang, lang, lang);
            rsp_html_text(&s->out, rsp_say_language(s->texts, s->a, lang));
            rsp_buf_puts(&s->out, "</a></li>\n");
        }
        rsp_buf_puts(&s->out, "</ul>\n</nav>\n");
    }
    rsp_buf_puts(&s->out, "</header>\n<main id=\"content\">\n");
}

static bool enter(struct site *s, const char *lang) {
    rsp_texts *t = rsp_texts_load(lang, s->d);
    if (!t) return false;
    s->texts = t;
    s->labels = rsp_labels_new(s->p->study, t);
    s->lang = lang;
    return true;
}

static void leave(struct site *s) {
    rsp_labels_free((rsp_labels *) s->labels);
    rsp_texts_free((rsp_texts *) s->texts);
}

static bool write_page(struct site *s) {
    for (size_t k = 0; k < s->p->n_languages; k++) {
        if (!enter(s, s->p->languages[k])) return false;
        bool ok = k > 0 || rsp_html_open(&s->out, s->lang, rsp_label_study(s->labels), s->d);
        if (ok && k == 0) navigation(s);
        if (ok) language(s);
        leave(s);
        if (!ok) return false;
    }
    rsp_buf_puts(&s->out, "</main>\n");
    rsp_html_close(&s->out);
    return rsp_write_file(rsp_path_join(s->a, s->p->dir, "index.html"), s->out.data, s->out.length, s->d);
}

bool rsp_render_site(const rsp_publication *p, rsp_diag *d) {
    struct site s = {.p = p, .a = rsp_arena_new(), .d = d};
    bool ok = write_page(&s);
    free(s.briefs.items);
    free(s.tables.items);
    free(s.charts.items);
    rsp_buf_free(&s.out);
    rsp_arena_free(s.a);
    return ok;
}
