#include "published_words.h"

#include <jansson.h>
#include <string.h>

struct rsp_published_words {
    json_t *all;
    const char *path;
    rsp_arena *a;
};

/* Places in a row of explore-data.js, as explore.c writes it. */
enum { WHO = 1, TERM, LEVEL, STATISTIC, FORM };

static void damaged(const char *path, const char *what, rsp_diag *d) {
    rsp_report(d, RSP_ERR_DATA, (rsp_loc){path, 0, 0}, "hold the files against the manifest: responsive verify RUN",
               "the words of the publication cannot be read: %s", what);
}

/* The object between `const EXPLORE = ` and `;`. */
static json_t *parse(const rsp_buf *b, const char *path, rsp_diag *d) {
    const char *from = b->length ? memchr(b->data, '{', b->length) : NULL;
    size_t length = from ? b->length - (size_t) (from - b->data) : 0;
    while (length && from[length - 1] != '}') length--;
    json_error_t e = {.text = "no data"};
    json_t *all = length ? json_loadb(from, length, JSON_REJECT_DUPLICATES, &e) : NULL;
    if (!all) damaged(path, e.text, d);
    return all;
}

rsp_published_words *rsp_published_words_read(const char *run, rsp_diag *d) {
    rsp_arena *a = rsp_arena_new();
    rsp_published_words *w = RSP_ARRAY(a, rsp_published_words, 1);
    rsp_buf b = {0};
    *w = (rsp_published_words){.path = rsp_path_join(a, run, "explore-data.js"), .a = a};
    if (rsp_read_file(w->path, &b, d, RSP_ERR_DATA, (rsp_loc){w->path, 0, 0})) w->all = parse(&b, w->path, d);
    rsp_buf_free(&b);
    if (w->all) return w;
    rsp_arena_free(a);
    return NULL;
}

void rsp_published_words_free(rsp_published_words *w) {
    if (!w) return;
    json_decref(w->all);
    rsp_arena_free(w->a);
}

static const char *spoken(const rsp_published_words *w, const char *lang) {
    size_t k;
    json_t *one;
    json_array_foreach(json_object_get(w->all, "languages"), k, one) {
        const char *word = json_string_value(one);
        if (word && (!lang || strcmp(word, lang) == 0)) return word;
    }
    return NULL;
}

const char *rsp_published_words_language(const rsp_published_words *w, const char *asked, const char *wish,
                                         rsp_diag *d) {
    if (!w) return NULL;
    const char *found = asked ? spoken(w, asked) : wish ? spoken(w, wish) : NULL;
    if (!found && !asked) found = spoken(w, NULL);
    if (!found && asked)
        rsp_report(d, RSP_ERR_USAGE, RSP_NOWHERE, "name one of the languages of its pages",
                   "the publication does not speak '%s'", asked);
    else if (!found) damaged(w->path, "no language", d);
    return found;
}

/* Rows of an analysis of the study, or of the engine's own. */
static json_t *rows_of(const rsp_published_words *w, const char *analysis) {
    static const char *const lists[] = {"topics", "engine"};
    for (size_t j = 0; j < 2; j++) {
        size_t k;
        json_t *topic;
        json_array_foreach(json_object_get(w->all, lists[j]), k, topic) {
            const char *id = json_string_value(json_object_get(topic, "id"));
            if (id && strcmp(id, analysis) == 0) return json_object_get(topic, "rows");
        }
    }
    return NULL;
}

static const char *label_at(json_t *labels, json_t *row, size_t place) {
    json_t *at = json_array_get(row, place);
    return json_is_integer(at) && json_integer_value(at) >= 0
               ? json_string_value(json_array_get(labels, (size_t) json_integer_value(at)))
               : NULL;
}

static bool is_form(const json_t *form) {
    return json_is_integer(form) && json_integer_value(form) >= RSP_AS_TEXT && json_integer_value(form) <= RSP_AS_P;
}

static bool take_row(json_t *labels, json_t *row, rsp_row_words *into) {
    json_t *form = json_array_get(row, FORM);
    *into = (rsp_row_words){.who = label_at(labels, row, WHO),
                            .term = label_at(labels, row, TERM),
                            .level = label_at(labels, row, LEVEL),
                            .statistic = label_at(labels, row, STATISTIC),
                            .as = is_form(form) ? (rsp_as) json_integer_value(form) : RSP_AS_TEXT};
    return into->who && into->term && into->level && into->statistic && is_form(form);
}

const rsp_row_words *rsp_published_words_of(const rsp_published_words *w, const char *analysis, const char *lang,
                                            size_t n, const char **title, const char **measure, rsp_arena *a,
                                            rsp_diag *d) {
    json_t *words = json_object_get(json_object_get(w->all, "words"), lang), *labels = json_object_get(words, "labels"),
           *rows = rows_of(w, analysis);
    rsp_row_words *of = RSP_ARRAY(a, rsp_row_words, n);
    size_t good = 0;
    *title = json_string_value(json_object_get(json_object_get(words, "titles"), analysis));
    *measure = json_string_value(json_object_get(json_object_get(words, "measures"), analysis));
    if (json_array_size(rows) == n)
        while (good < n && take_row(labels, json_array_get(rows, good), &of[good])) good++;
    if (good == n && *title && *measure) return of;
    damaged(w->path, "rows and words do not match the results", d);
    return NULL;
}
