/* The page on which readers look for themselves: a topic, an item, a country, and the picture and the numbers of it; words
 * to search for in all tables. The numbers are the published rows; the page's own script (reports/explore.js) only chooses
 * among them and formats them. Data stand in a script file, since a page opened from a folder may read no other. */
#include "site.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Each distinct label once; its words in each language follow by its place. */
struct dictionary {
    rsp_map *places;
    size_t n, capacity;
    struct entry {
        const rsp_published_row *row; /* whose label it is */
        enum { OF_WHO, OF_TERM, OF_LEVEL, OF_STATISTIC, OF_NOTE } kind;
    } * entries;
};

static size_t place_of(struct dictionary *d, rsp_arena *a, int kind, const char *key, const rsp_published_row *row) {
    const char *full = rsp_printf(a, "%d\x1f%s", kind, key);
    size_t at = rsp_map_get(d->places, full);
    if (at != RSP_NONE) return at;
    rsp_map_put(d->places, full, at = d->n);
    struct entry e = {row, kind};
    RSP_PUSH(d->entries, d->n, d->capacity, e);
    return at;
}

static const char *words_of(const rsp_site *s, const struct entry *e) {
    switch (e->kind) {
    case OF_WHO: return rsp_label_who(s->labels, s->a, e->row);
    case OF_TERM: return *e->row->term ? rsp_label_term(s->labels, s->a, e->row) : "";
    case OF_LEVEL: return rsp_label_level(s->labels, s->a, e->row);
    case OF_STATISTIC: return rsp_label_statistic_of(s->labels, s->a, e->row->analysis, e->row->statistic);
    case OF_NOTE: return rsp_label_flags(s->labels, s->a, e->row->flags);
    }
    return "";
}

/* ---- rows --------------------------------------------------------------------------------------------------------- */

/* Enough digits for what is shown; NaN is null. */
static json_t *number(double x) {
    char text[32];
    if (isnan(x)) return json_null();
    snprintf(text, sizeof text, "%.7g", x);
    return json_real(strtod(text, NULL));
}

static const char *country_of(const rsp_site *s, const rsp_published_row *r) {
    size_t c = s->p->study->roles.country;
    const char *code = c == RSP_NONE ? NULL : rsp_domain_code(s->a, r->domain, s->p->study->variables[c].name);
    return code ? code : "";
}

/* [country, who, term, level, statistic, form of numbers, estimate, lower, upper, n, mark, note]. */
static json_t *row_of(rsp_site *s, struct dictionary *d, const rsp_published_row *r) {
    bool count = strcmp(r->statistic, "count") == 0;
    const char *term = rsp_printf(s->a, "%s\x1f%s\x1f%s", r->analysis, r->statistic, r->term);
    const char *statistic = rsp_printf(s->a, "%d%s", rsp_label_rates(s->labels, r->analysis), r->statistic);
    json_t *row = json_array();
    json_array_append_new(row, json_string(country_of(s, r)));
    json_array_append_new(
        row, json_integer((json_int_t) place_of(d, s->a, OF_WHO, rsp_printf(s->a, "%d%s", count, r->domain), r)));
    json_array_append_new(row, json_integer((json_int_t) place_of(d, s->a, OF_TERM, term, r)));
    json_array_append_new(
        row, json_integer((json_int_t) place_of(d, s->a, OF_LEVEL, rsp_printf(s->a, "%s\x1f%s", term, r->level), r)));
    json_array_append_new(row, json_integer((json_int_t) place_of(d, s->a, OF_STATISTIC, statistic, r)));
    json_array_append_new(row, json_integer(rsp_label_as(s->labels, r)));
    json_array_append_new(row, number(r->estimate));
    json_array_append_new(row, number(r->lower));
    json_array_append_new(row, number(r->upper));
    json_array_append_new(row, number(r->n));
    json_array_append_new(row, json_string(rsp_shorthand(r)));
    json_array_append_new(
        row, json_integer((json_int_t) place_of(d, s->a, OF_NOTE, rsp_printf(s->a, "%u", (unsigned) r->flags), r)));
    return row;
}

/* Those rows of an analysis that the publication has. */
static void add_topic(rsp_site *s, struct dictionary *d, const char *id, json_t *list) {
    size_t from, to;
    if (!rsp_published_range(s->p->results, id, &from, &to)) return;
    json_t *rows = json_array();
    for (size_t i = from; i < to; i++) json_array_append_new(rows, row_of(s, d, rsp_published_at(s->p->results, i)));
    json_array_append_new(list, json_pack("{s:s, s:o}", "id", id, "rows", rows));
}

/* The study's analyses in its order. */
static json_t *topics(rsp_site *s, struct dictionary *d) {
    json_t *list = json_array();
    rsp_map *seen = rsp_map_new(); /* scales share an id */
    for (size_t k = 0; k < s->p->study->n_analyses; k++) {
        const char *id = s->p->study->analyses[k].id;
        if (rsp_map_put(seen, id, k)) add_topic(s, d, id, list);
    }
    rsp_map_free(seen);
    return list;
}

/* The engine's own are no topics of the page; `responsive show RUN` reads their words here. */
static const char *const ENGINE[] = {"weights", "cleaning", "response"};
enum { N_ENGINE = sizeof ENGINE / sizeof *ENGINE };

static json_t *engine_topics(rsp_site *s, struct dictionary *d) {
    json_t *list = json_array();
    for (size_t k = 0; k < N_ENGINE; k++) add_topic(s, d, ENGINE[k], list);
    return list;
}

/* ---- pictures ----------------------------------------------------------------------------------------------------- */

/* The SVG's words are escaped; a script wants them plain. */
static const char *plain(rsp_arena *a, const char *escaped) {
    static const struct {
        const char *from, *to;
    } signs[] = {{"&lt;", "<"}, {"&gt;", ">"}, {"&quot;", "\""}, {"&#39;", "'"}, {"&apos;", "'"}, {"&amp;", "&"}};
    rsp_buf b = {0};
    rsp_buf_puts(&b, "");
    for (const char *p = escaped; *p;) {
        size_t k = 0;
        while (k < sizeof signs / sizeof *signs && strncmp(p, signs[k].from, strlen(signs[k].from)) != 0) k++;
        if (k == sizeof signs / sizeof *signs) {
            rsp_buf_putc(&b, *p++);
            continue;
        }
        rsp_buf_puts(&b, signs[k].to);
        p += strlen(signs[k].from);
    }
    const char *text = rsp_strdup(a, b.data);
    rsp_buf_free(&b);
    return text;
}

static const char *country_code(const rsp_site *s, const char *word) {
    size_t c = s->p->study->roles.country;
    const rsp_list *list = c == RSP_NONE ? NULL : s->p->study->variables[c].list;
    for (size_t k = 0; list && k < list->n; k++)
        if (strcmp(rsp_file_word(s->a, list->choices[k].code), word) == 0) return list->choices[k].code;
    return ""; /* everybody */
}

static void add_pictures(rsp_site *s, json_t *list) {
    rsp_site_files(s, "charts", "", ".svg", &s->charts);
    for (size_t k = 0; k < s->charts.n; k++) {
        const rsp_site_file *f = &s->charts.items[k];
        const char *id = f->analysis != RSP_NONE                                 ? s->p->study->analyses[f->analysis].id
                         : strncmp(f->name, "weights-", strlen("weights-")) == 0 ? "weights"
                                                                                 : "";
        const char *svg = rsp_site_svg(s, f->name), *title = rsp_site_svg_text(s, svg, "title"),
                   *description = rsp_site_svg_text(s, svg, "desc");
        json_array_append_new(
            list, json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:i, s:i}", "id", id, "country", country_code(s, f->who),
                            "lang", s->lang, "file", f->name, "title", plain(s->a, title ? title : ""), "alt",
                            plain(s->a, description ? description : ""), "w", rsp_site_svg_pixels(svg, " width=\""),
                            "h", rsp_site_svg_pixels(svg, " height=\"")));
    }
}

/* ---- words -------------------------------------------------------------------------------------------------------- */

static const char *const WORDS[] = {
    "explore_title",     "explore_intro",     "explore_topic",       "explore_item",      "explore_all_items",
    "explore_country",   "explore_search",    "explore_search_hint", "explore_rows",      "explore_more",
    "explore_nothing",   "explore_no_chart",  "explore_numbers",     "site_page_files",   "changes_page",
    "quality_title",     "site_pages",        "explore_marks",       "site_everybody",    "site_download",
    "site_skip",         "site_languages",    "column_group",        "column_item",       "column_level",
    "column_statistic",  "estimate_heading",  "interval_heading",    "column_n",          "column_note",
    "workbook_symbol_c", "workbook_symbol_u", "workbook_symbol_x",   "workbook_symbol_z", "analysis_weights"};

static void add_note(const rsp_site *s, json_t *notes, const char *key) {
    json_array_append_new(notes, json_string(rsp_say(s->texts, s->a, key, NULL, 0)));
}

static json_t *notes_of(const rsp_site *s) {
    json_t *notes = json_array();
    if (s->p->preliminary) add_note(s, notes, "preliminary_note");
    if (s->p->simulated) add_note(s, notes, "simulated_note");
    if (s->p->study->design.self_selected) add_note(s, notes, "self_selected_note");
    if (s->p->study->disclosure.off) add_note(s, notes, "disclosure_off_note");
    return notes;
}

static void add_title(const rsp_site *s, const char *id, json_t *titles, json_t *measures) {
    json_object_set_new(titles, id, json_string(rsp_label_analysis(s->labels, s->a, id)));
    json_object_set_new(measures, id, json_string(rsp_label_measure(s->labels, s->a, id)));
}

static json_t *words_in(rsp_site *s, const struct dictionary *d) {
    json_t *words = json_object(), *labels = json_array(), *titles = json_object(), *measures = json_object(),
           *countries = json_object();
    for (size_t k = 0; k < sizeof WORDS / sizeof *WORDS; k++)
        json_object_set_new(words, WORDS[k], json_string(rsp_say(s->texts, s->a, WORDS[k], NULL, 0)));
    for (size_t k = 0; k < d->n; k++) json_array_append_new(labels, json_string(words_of(s, &d->entries[k])));
    for (size_t k = 0; k < s->p->study->n_analyses; k++) add_title(s, s->p->study->analyses[k].id, titles, measures);
    for (size_t k = 0; k < N_ENGINE; k++) add_title(s, ENGINE[k], titles, measures);
    size_t n;
    const char **codes = rsp_countries(s->p->study, s->p->results, s->a, &n);
    for (size_t k = 0; k < n; k++)
        json_object_set_new(countries, codes[k], json_string(rsp_label_country(s->labels, codes[k])));
    return json_pack("{s:s, s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:o}", "name", rsp_say_language(s->texts, s->a, s->lang),
                     "locale", rsp_texts_locale(s->texts), "study", rsp_label_study(s->labels), "words", words,
                     "labels", labels, "titles", titles, "measures", measures, "countries", countries, "notes",
                     notes_of(s));
}

static json_t *country_codes(const rsp_site *s) {
    size_t n;
    json_t *list = json_array();
    const char **codes = rsp_countries(s->p->study, s->p->results, s->a, &n);
    for (size_t k = 0; k < n; k++) json_array_append_new(list, json_string(codes[k]));
    return list;
}

/* ---- files -------------------------------------------------------------------------------------------------------- */

static void add_topics(rsp_site *s, struct dictionary *d, json_t *all) {
    json_object_set_new(all, "topics", topics(s, d));
    json_object_set_new(all, "engine", engine_topics(s, d));
}

static void collect(rsp_site *s, json_t *all) {
    struct dictionary d = {.places = rsp_map_new()};
    json_t *languages = json_array(), *words = json_object(), *pictures = json_array();
    for (size_t k = 0; k < s->p->n_languages; k++) {
        rsp_site_enter(s, k);
        if (k == 0) add_topics(s, &d, all);
        json_array_append_new(languages, json_string(s->lang));
        json_object_set_new(words, s->lang, words_in(s, &d));
        add_pictures(s, pictures);
    }
    json_object_set_new(all, "languages", languages);
    json_object_set_new(all, "words", words);
    json_object_set_new(all, "pictures", pictures);
    json_object_set_new(all, "countries", country_codes(s));
    json_object_set_new(all, "content", json_string(s->p->content_id));
    free(d.entries);
    rsp_map_free(d.places);
}

static bool write_data(rsp_site *s) {
    json_t *all = json_object();
    collect(s, all);
    char *text = json_dumps(all, JSON_COMPACT | JSON_REAL_PRECISION(7));
    rsp_buf b = {0};
    bool ok = text != NULL;
    if (ok) {
        rsp_buf_puts(&b, "const EXPLORE = ");
        rsp_buf_puts(&b, text);
        rsp_buf_puts(&b, ";\n");
        ok = rsp_write_file(rsp_path_join(s->a, s->p->dir, "explore-data.js"), b.data, b.length, s->d);
    }
    free(text);
    json_decref(all);
    rsp_buf_free(&b);
    return ok;
}

static void put(rsp_site *s, const char *tag, const char *attributes, const char *key) {
    rsp_html_element(&s->out, tag, rsp_printf(s->a, "%s data-word=\"%s\"", attributes, key),
                     rsp_say(s->texts, s->a, key, NULL, 0));
}

/* The page in its first language; the script changes the words. Without a script it says where the tables are. */
static void write_shell(rsp_site *s, const rsp_buf *script) {
    put(s, "a", "class=\"skip\" href=\"#content\"", "site_skip");
    rsp_buf_puts(&s->out, "<header>\n<nav id=\"languages\"></nav>\n</header>\n<main id=\"content\" tabindex=\"-1\">\n");
    rsp_html_pages(&s->out, s->texts, s->lang, RSP_PAGE_EXPLORE);
    put(s, "h1", "id=\"title\"", "explore_title");
    rsp_buf_puts(&s->out, "<ul class=\"badges\" id=\"notes\"></ul>\n");
    put(s, "p", "", "explore_intro");
    rsp_buf_puts(&s->out, "<noscript><p><a href=\"index.html\">");
    rsp_html_text(&s->out, rsp_say(s->texts, s->a, "explore_no_script", NULL, 0));
    rsp_buf_puts(&s->out, "</a></p></noscript>\n<form id=\"choice\" class=\"choice\">\n");
    static const char *const selects[][2] = {
        {"topic", "explore_topic"}, {"item", "explore_item"}, {"country", "explore_country"}};
    for (size_t k = 0; k < 3; k++) {
        rsp_buf_puts(&s->out, "<p>");
        put(s, "label", rsp_printf(s->a, "for=\"%s\"", selects[k][0]), selects[k][1]);
        rsp_buf_printf(&s->out, "<select id=\"%s\"></select></p>\n", selects[k][0]);
    }
    rsp_buf_puts(&s->out, "<p>");
    put(s, "label", "for=\"search\"", "explore_search");
    rsp_buf_puts(&s->out, "<input id=\"search\" type=\"search\" autocomplete=\"off\" aria-describedby=\"hint\"></p>\n");
    put(s, "p", "id=\"hint\" class=\"hint\"", "explore_search_hint");
    rsp_buf_puts(&s->out, "</form>\n<p id=\"status\" role=\"status\"></p>\n<div id=\"charts\" class=\"charts\"></div>\n"
                          "<div id=\"numbers\"></div>\n");
    put(s, "p", "class=\"hint\"", "explore_marks");
    rsp_buf_puts(&s->out, "</main>\n<script src=\"explore-data.js\" charset=\"utf-8\"></script>\n<script>\n");
    rsp_buf_add(&s->out, script->data, script->length);
    rsp_buf_puts(&s->out, "</script>\n");
}

bool rsp_site_explore(rsp_site *s) {
    rsp_buf script = {0};
    char *path = rsp_path_join(s->a, rsp_data_dir(), "reports/explore.js");
    if (!s->p->n_languages) return true;
    bool ok = rsp_read_file(path, &script, s->d, RSP_ERR_STUDY, (rsp_loc){path, 0, 0}) && write_data(s);
    if (ok) {
        rsp_site_enter(s, 0);
        s->out.length = 0;
        ok = rsp_html_open(&s->out, s->lang, rsp_say(s->texts, s->a, "explore_title", NULL, 0), s->d);
        if (ok) write_shell(s, &script);
        rsp_html_close(&s->out);
        ok = ok && rsp_write_file(rsp_path_join(s->a, s->p->dir, "explore.html"), s->out.data, s->out.length, s->d);
    }
    rsp_buf_free(&script);
    return ok;
}
