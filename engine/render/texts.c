#include "texts.h"

#include "flat.h"
#include "message.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unicode/udat.h>
#include <unicode/uloc.h>

enum { MAX_DIGITS = 6 };

struct rsp_texts {
    const char *lang, *tag;
    rsp_msg_locale *locale;
    UNumberFormatter *number[MAX_DIGITS + 1], *percent[MAX_DIGITS + 1];
    rsp_map *index; /* key -> message */
    size_t n;
    rsp_msg **messages;
    int *lines; /* of the messages, in their file */
    rsp_arena *arena;
};

/* ---- loading ---------------------------------------------------------------------------------------------------- */

/* A tag becomes part of a file name, so nothing but letters, digits and hyphens may pass. */
static bool is_language_tag(const char *lang) {
    size_t n = strlen(lang);
    return n >= 2 && n <= 35 && strspn(lang, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-") == n &&
           lang[0] != '-';
}

static char *catalogue_path(rsp_arena *a, const char *lang) {
    return rsp_printf(a, "%s/reports/texts/%s.yaml", rsp_data_dir(), lang);
}

static bool file_exists(const char *path) {
    FILE *f = fopen(path, "re");
    if (f) fclose(f);
    return f != NULL;
}

static void free_formatters(rsp_texts *t) {
    for (int k = 0; k <= MAX_DIGITS; k++) {
        if (t->number[k]) unumf_close(t->number[k]);
        if (t->percent[k]) unumf_close(t->percent[k]);
    }
}

void rsp_texts_free(rsp_texts *t) {
    if (!t) return;
    free_formatters(t);
    rsp_msg_locale_free(t->locale);
    rsp_map_free(t->index);
    rsp_arena_free(t->arena);
}

static bool open_formatters(rsp_texts *t) {
    const char *name = rsp_msg_locale_name(t->locale);
    for (int k = 0; k <= MAX_DIGITS; k++) {
        char skeleton[64];
        snprintf(skeleton, sizeof skeleton, "sign-negative .%.*s", k, "000000");
        if (k == 0) strcpy(skeleton, "sign-negative precision-integer");
        t->number[k] = rsp_msg_number_format(name, skeleton);
        strcat(skeleton, " percent scale/100");
        t->percent[k] = rsp_msg_number_format(name, skeleton);
        if (!t->number[k] || !t->percent[k]) return false;
    }
    return true;
}

static void compile_messages(rsp_texts *t, const rsp_flat *own, rsp_diag *d) {
    t->messages = RSP_ARRAY(t->arena, rsp_msg *, own->n ? own->n : 1);
    t->lines = RSP_ARRAY(t->arena, int, own->n ? own->n : 1);
    for (size_t k = 0; k < own->n; k++) {
        const rsp_flat_entry *e = &own->entries[k];
        t->messages[t->n] = rsp_msg_compile(t->arena, t->locale, e->value, e->value_loc, d);
        t->lines[t->n] = e->key_loc.line;
        if (t->messages[t->n]) rsp_map_put(t->index, e->key, t->n++);
    }
}

/* Every key of the reference, and no other: a key that English lacks is a misspelling. */
static void compare_keys(const rsp_flat *reference, const rsp_flat *own, const char *file, rsp_diag *d) {
    for (size_t k = 0; k < reference->n; k++)
        if (!rsp_flat_get(own, reference->entries[k].key))
            rsp_report(d, RSP_ERR_STUDY, (rsp_loc){file, 0, 0}, "translate it from en.yaml", "no text for the key '%s'",
                       reference->entries[k].key);
    const char **keys = rsp_calloc(reference->n + 1, sizeof *keys);
    for (size_t k = 0; k < reference->n; k++) keys[k] = reference->entries[k].key;
    for (size_t k = 0; k < own->n; k++) {
        const rsp_flat_entry *e = &own->entries[k];
        if (rsp_flat_get(reference, e->key)) continue;
        const char *near = rsp_suggest(e->key, keys, reference->n);
        rsp_report(d, RSP_ERR_STUDY, e->key_loc, near ? "look at en.yaml for the spelling" : "add it to en.yaml too",
                   near ? "unknown key '%s' (did you mean '%s'?)" : "unknown key '%s'", e->key, near);
    }
    free(keys);
}

/* A translation may leave an argument out, but one that English does not have will never be given. Faults of en.yaml
 * itself are reported where it is loaded as a language, so they are dropped here. */
static void compare_arguments(rsp_texts *t, const rsp_flat *reference, const rsp_flat *own, rsp_diag *d) {
    const char *name = rsp_flat_get(reference, "locale");
    rsp_msg_locale *locale = name ? rsp_msg_locale_new(name) : NULL;
    rsp_diag *dropped = rsp_diag_new();
    for (size_t k = 0; locale && k < own->n; k++) {
        const rsp_flat_entry *e = &own->entries[k];
        size_t mine = rsp_map_get(t->index, e->key), theirs = rsp_map_get(reference->index, e->key);
        if (mine == RSP_NONE || theirs == RSP_NONE) continue;
        rsp_msg *english = rsp_msg_compile(t->arena, locale, reference->entries[theirs].value, RSP_NOWHERE, dropped);
        const char *strange = english ? rsp_msg_strange_argument(t->messages[mine], english) : NULL;
        if (strange)
            rsp_report(d, RSP_ERR_STUDY, e->value_loc, "names in braces are not translated",
                       "the message '%s' has no argument {%s}", e->key, strange);
    }
    rsp_diag_free(dropped);
    rsp_msg_locale_free(locale);
}

static bool load_catalogue(rsp_texts *t, const char *path, const rsp_flat *reference, const rsp_flat *own,
                           rsp_diag *d) {
    const char *locale = rsp_flat_get(own, "locale");
    t->locale = locale ? rsp_msg_locale_new(locale) : NULL;
    if (!t->locale || !open_formatters(t)) {
        rsp_report(d, RSP_ERR_STUDY, (rsp_loc){path, 0, 0}, "write for example locale: pt_PT",
                   "the key 'locale' must name a locale that ICU knows%s%s", locale ? ", not " : "",
                   locale ? locale : "");
        return false;
    }
    char *tag = rsp_strdup(t->arena, locale);
    for (char *c = tag; *c; c++)
        if (*c == '_') *c = '-';
    t->tag = tag;
    compile_messages(t, own, d);
    compare_keys(reference, own, path, d);
    compare_arguments(t, reference, own, d);
    return true;
}

static rsp_texts *new_texts(const char *lang) {
    rsp_arena *a = rsp_arena_new();
    rsp_texts *t = RSP_NEW(a, rsp_texts);
    *t = (rsp_texts){.lang = rsp_strdup(a, lang), .index = rsp_map_new(), .arena = a};
    return t;
}

rsp_texts *rsp_texts_load(const char *lang, rsp_diag *d) {
    rsp_texts *t = new_texts(lang);
    char *path = catalogue_path(t->arena, lang);
    if (!is_language_tag(lang) || !file_exists(path)) {
        rsp_report(d, RSP_ERR_STUDY, RSP_NOWHERE,
                   "add a file LANGUAGE.yaml to reports/texts, or leave the language out",
                   "there are no texts in the language '%s'", lang);
        rsp_texts_free(t);
        return NULL;
    }
    size_t before = rsp_diag_errors(d);
    rsp_flat reference, own;
    bool ok = rsp_flat_load(&reference, t->arena, catalogue_path(t->arena, "en"), d);
    ok = rsp_flat_load(&own, t->arena, path, d) && ok;
    ok = ok && load_catalogue(t, path, &reference, &own, d);
    rsp_flat_free(&reference);
    rsp_flat_free(&own);
    if (!ok || rsp_diag_errors(d) > before) {
        rsp_texts_free(t);
        return NULL;
    }
    return t;
}

const char *rsp_texts_lang(const rsp_texts *t) { return t->lang; }

const char *rsp_texts_locale(const rsp_texts *t) { return t->tag; }

bool rsp_texts_has(const rsp_texts *t, const char *key) { return rsp_map_get(t->index, key) != RSP_NONE; }

bool rsp_texts_asks(const rsp_texts *t, const char *key, const char *argument) {
    size_t k = rsp_map_get(t->index, key);
    return k != RSP_NONE && rsp_msg_asks(t->messages[k], argument);
}

int rsp_texts_line(const rsp_texts *t, const char *key) {
    size_t k = rsp_map_get(t->index, key);
    return k == RSP_NONE ? 0 : t->lines[k];
}

/* ---- saying ----------------------------------------------------------------------------------------------------- */

const char *rsp_say(const rsp_texts *t, rsp_arena *a, const char *key, const rsp_arg *args, size_t n) {
    size_t k = rsp_map_get(t->index, key);
    assert(k != RSP_NONE && "unknown message key");
    if (k == RSP_NONE) return rsp_strdup(a, key);
    return rsp_msg_format(t->messages[k], t->locale, a, args, n);
}

static bool ends_with(const char *text, size_t n, const char *end) {
    size_t m = strlen(end);
    return n >= m && memcmp(text + n - m, end, m) == 0;
}

const char *rsp_full_stop(const char *text) {
    static const char *const marks[] = {".", "!", "?", "\u2026"};
    size_t n = strlen(text);
    for (size_t k = 0; k < sizeof marks / sizeof *marks; k++)
        if (ends_with(text, n, marks[k])) return "";
    return ".";
}

static const char *say_with(const rsp_texts *t, rsp_arena *a, UNumberFormatter *const *formats, double x, int digits) {
    (void) t;
    if (isnan(x)) return "\u2013";
    int use = digits < 0 ? 0 : digits > MAX_DIGITS ? MAX_DIGITS : digits;
    return rsp_msg_number(a, formats[use], x);
}

const char *rsp_say_number(const rsp_texts *t, rsp_arena *a, double x, int digits) {
    return say_with(t, a, t->number, x, digits);
}

const char *rsp_say_percent(const rsp_texts *t, rsp_arena *a, double share, int digits) {
    return say_with(t, a, t->percent, share, digits);
}

const char *rsp_say_language(const rsp_texts *t, rsp_arena *a, const char *lang) {
    (void) t;
    UChar name[128];
    UErrorCode status = U_ZERO_ERROR;
    int32_t n = uloc_getDisplayName(lang, lang, name, 128, &status);
    return U_SUCCESS(status) ? rsp_msg_utf8(a, name, n) : rsp_strdup(a, lang);
}

/* ---- labels of a study ------------------------------------------------------------------------------------------ */

typedef struct {
    const rsp_study *study;
    const char *lang;
    uint8_t *seen; /* per variable */
    bool ok;
    rsp_diag *diag;
} cover;

static void cover_text(cover *c, const rsp_text *t, const char *what, const char *name, rsp_loc loc) {
    if (t->n == 0 || rsp_text_in(t, c->lang)) return;
    c->ok = false;
    rsp_report(c->diag, RSP_ERR_STUDY, loc, "translate it, or leave the language out", "%s '%s' has no label in '%s'",
               what, name, c->lang);
}

static void cover_variable(cover *c, size_t v) {
    if (v == RSP_NONE || c->seen[v]) return;
    c->seen[v] = 1;
    const rsp_variable *x = &c->study->variables[v];
    if (x->part_of != RSP_NONE) {
        cover_variable(c, x->part_of);
        return;
    }
    cover_text(c, &x->label, "variable", x->name, x->loc);
    for (size_t k = 0; x->list && k < x->list->n; k++)
        cover_text(c, &x->list->choices[k].label, "choice", x->list->choices[k].code, x->list->choices[k].loc);
}

static void cover_model(cover *c, const rsp_formula *f) {
    if (!f) return;
    if (f->response && f->response->op == RSP_F_VARIABLE) cover_variable(c, f->response->variable);
    for (size_t k = 0; k < f->n_factors; k++)
        if (f->factors[k]->op == RSP_F_VARIABLE) cover_variable(c, f->factors[k]->variable);
}

static void cover_table(cover *c, const rsp_table *t) {
    for (size_t k = 0; k < t->n_items; k++) cover_variable(c, t->items[k]);
    for (size_t b = 0; b < t->n_by; b++)
        for (size_t k = 0; k < t->by[b].n; k++) cover_variable(c, t->by[b].variables[k]);
    if (t->statistic == RSP_RATIO) {
        cover_variable(c, t->numerator);
        cover_variable(c, t->denominator);
    }
}

static void cover_analysis(cover *c, const rsp_analysis *a) {
    cover_text(c, &a->title, "the title of analysis", a->id, a->loc);
    switch (a->kind) {
    case RSP_A_TABLE: cover_table(c, &a->table); break;
    case RSP_A_TEST:
        cover_variable(c, a->test.rows);
        cover_variable(c, a->test.columns);
        break;
    case RSP_A_SCALE:
        for (size_t k = 0; k < a->scale.n_items; k++) cover_variable(c, a->scale.items[k]);
        break;
    case RSP_A_FACTOR:
        for (size_t k = 0; k < a->factor.syntax->n; k++) {
            size_t v = rsp_study_variable(c->study, a->factor.syntax->rows[k].rhs);
            if (v != RSP_NONE) cover_variable(c, v);
        }
        break;
    case RSP_A_INVARIANCE:
        for (size_t m = 0; m < a->invariance.n_models; m++)
            for (size_t k = 0; k < a->invariance.n_items[m]; k++) cover_variable(c, a->invariance.items[m][k]);
        for (size_t k = 0; k < a->invariance.n_by; k++) cover_variable(c, a->invariance.by[k]);
        break;
    case RSP_A_EXPLORATION:
        for (size_t k = 0; k < a->exploration.n_items; k++) cover_variable(c, a->exploration.items[k]);
        for (size_t k = 0; k < a->exploration.n_by; k++) cover_variable(c, a->exploration.by[k]);
        break;
    case RSP_A_MODEL: cover_model(c, a->model.formula); break;
    }
}

bool rsp_texts_cover(const rsp_texts *t, const rsp_study *s, rsp_diag *d) {
    cover c = {s, t->lang, rsp_calloc(s->n_variables + 1, 1), true, d};
    const rsp_loc whole = {s->path, 0, 0};
    cover_text(&c, &s->title, "the study", s->id, whole);
    cover_text(&c, &s->publication.publisher, "publication", "publisher", whole);
    cover_text(&c, &s->publication.contact, "publication", "contact", whole);
    cover_text(&c, &s->publication.funding, "publication", "funding", whole);
    cover_text(&c, &s->publication.licence, "publication", "licence", whole);
    cover_variable(&c, s->roles.country);
    for (size_t k = 0; k < s->n_analyses; k++) cover_analysis(&c, &s->analyses[k]);
    for (size_t k = 0; k < s->reports.n_charts; k++)
        cover_text(&c, &s->reports.charts[k].title, "the title of chart", s->reports.charts[k].analysis,
                   s->reports.charts[k].loc);
    free(c.seen);
    return c.ok;
}
