/* Reading reports/methods.yaml. */
#include "methods.h"

#include "message.h"
#include "study/yaml.h"

#include <assert.h>
#include <string.h>

struct methods_words {
    rsp_arena *arena;
    rsp_msg_locale *locale;
    rsp_map *index; /* key -> message */
    size_t n_messages, n_kinds, n_flags, n_sources;
    rsp_msg **messages;
    methods_kind *kinds;
    rsp_pair *flags, *sources;
};

typedef struct {
    methods_words *w;
    rsp_diag *d;
} loader;

static const char *const HINT = "see the comments of reports/methods.yaml";

#define FAULT(l, loc, hint, ...) rsp_report((l)->d, RSP_ERR_STUDY, (loc), (hint), __VA_ARGS__)

static const rsp_node *part(loader *l, const rsp_node *root, const char *key) {
    const rsp_node *n = rsp_node_find(root, key);
    if (n && n->kind == RSP_Y_MAP) return n;
    FAULT(l, n ? n->loc : root->loc, NULL, "'%s' must be a mapping", key);
    return NULL;
}

static void load_messages(loader *l, const rsp_node *texts) {
    methods_words *w = l->w;
    w->messages = RSP_ARRAY(w->arena, rsp_msg *, texts->n + 1);
    for (size_t k = 0; k < texts->n; k++) {
        const rsp_node *item = texts->items[k];
        if (item->kind != RSP_Y_SCALAR) {
            FAULT(l, item->loc, NULL, "a message is one text");
            continue;
        }
        rsp_msg *m = rsp_msg_compile(w->arena, w->locale, item->text, item->loc, l->d);
        if (m) {
            w->messages[w->n_messages] = m;
            rsp_map_put(w->index, texts->keys[k]->text, w->n_messages++);
        }
    }
}

static size_t load_pairs(loader *l, const rsp_node *map, rsp_pair **out) {
    size_t n = 0;
    *out = RSP_ARRAY(l->w->arena, rsp_pair, map->n + 1);
    for (size_t k = 0; k < map->n; k++)
        if (map->items[k]->kind == RSP_Y_SCALAR) (*out)[n++] = (rsp_pair){map->keys[k]->text, map->items[k]->text};
        else FAULT(l, map->items[k]->loc, NULL, "'%s' takes one text", map->keys[k]->text);
    return n;
}

static size_t load_names(loader *l, const rsp_node *map, const char *key, const char ***out) {
    const rsp_node *n = rsp_node_find(map, key);
    if (!n) return 0;
    if (n->kind != RSP_Y_LIST) {
        FAULT(l, n->loc, NULL, "'%s' is a list", key);
        return 0;
    }
    *out = RSP_ARRAY(l->w->arena, const char *, n->n + 1);
    for (size_t k = 0; k < n->n; k++) (*out)[k] = n->items[k]->kind == RSP_Y_SCALAR ? n->items[k]->text : "";
    return n->n;
}

static methods_definition load_definition(loader *l, const rsp_node *n) {
    static const char *const keys[] = {"is", "with", "name", "what", "formula", "source", NULL};
    methods_definition out = {0};
    if (n->kind != RSP_Y_MAP) {
        FAULT(l, n->loc, "write {is: [NAME], what: \"...\"}", "a definition is a mapping");
        return out;
    }
    rsp_node_only(n, keys, HINT, l->d);
    out.n_names = load_names(l, n, "is", &out.names);
    if (!out.n_names) FAULT(l, n->loc, NULL, "a definition names the statistics that it is of: is: [NAME]");
    out.with = rsp_node_text(n, "with", false, l->d);
    out.name = rsp_node_text(n, "name", false, l->d);
    out.what = rsp_node_text(n, "what", true, l->d);
    out.formula = rsp_node_text(n, "formula", false, l->d);
    out.source = rsp_node_text(n, "source", false, l->d);
    return out;
}

static methods_kind load_kind(loader *l, const char *id, const rsp_node *n) {
    static const char *const keys[] = {"title", "glossary", "uses", "statistics", NULL};
    methods_kind k = {.id = id};
    if (n->kind != RSP_Y_MAP) {
        FAULT(l, n->loc, NULL, "a kind is a mapping");
        return k;
    }
    rsp_node_only(n, keys, HINT, l->d);
    k.title = rsp_node_text(n, "title", true, l->d);
    k.glossary = rsp_node_text(n, "glossary", false, l->d);
    k.n_uses = load_names(l, n, "uses", &k.uses);
    const rsp_node *list = rsp_node_find(n, "statistics");
    if (!list || list->kind != RSP_Y_LIST) {
        FAULT(l, n->loc, NULL, "'statistics' must be a list");
        return k;
    }
    k.definitions = RSP_ARRAY(l->w->arena, methods_definition, list->n + 1);
    for (size_t j = 0; j < list->n; j++) k.definitions[k.n++] = load_definition(l, list->items[j]);
    return k;
}

static const methods_kind *find_kind(const methods_words *w, const char *id) {
    for (size_t k = 0; k < w->n_kinds; k++)
        if (strcmp(w->kinds[k].id, id) == 0) return &w->kinds[k];
    return NULL;
}

static void load_kinds(loader *l, const rsp_node *map) {
    methods_words *w = l->w;
    w->kinds = RSP_ARRAY(w->arena, methods_kind, map->n + 1);
    for (size_t k = 0; k < map->n; k++) w->kinds[w->n_kinds++] = load_kind(l, map->keys[k]->text, map->items[k]);
    for (size_t k = 0; k < w->n_kinds; k++)
        for (size_t j = 0; j < w->kinds[k].n_uses; j++)
            if (!find_kind(w, w->kinds[k].uses[j]))
                FAULT(l, map->items[k]->loc, NULL, "kind '%s' uses '%s', which is no kind", w->kinds[k].id,
                      w->kinds[k].uses[j]);
}

static void load_root(loader *l, const rsp_node *root) {
    static const char *const keys[] = {"locale", "texts", "kinds", "flags", "sources", NULL};
    methods_words *w = l->w;
    if (root->kind != RSP_Y_MAP) {
        FAULT(l, root->loc, NULL, "the words of the methods annex are a mapping");
        return;
    }
    rsp_node_only(root, keys, HINT, l->d);
    const char *locale = rsp_node_text(root, "locale", true, l->d);
    const rsp_node *texts = part(l, root, "texts"), *kinds = part(l, root, "kinds"), *flags = part(l, root, "flags"),
                   *sources = part(l, root, "sources");
    if (locale && !(w->locale = rsp_msg_locale_new(locale)))
        FAULT(l, root->loc, "write for example locale: en_GB", "ICU knows no locale '%s'", locale);
    if (!w->locale || !texts || !kinds || !flags || !sources) return;
    load_messages(l, texts);
    load_kinds(l, kinds);
    w->n_flags = load_pairs(l, flags, &w->flags);
    w->n_sources = load_pairs(l, sources, &w->sources);
}

methods_words *methods_words_load(const char *path, rsp_diag *d) {
    rsp_arena *a = rsp_arena_new();
    methods_words *w = RSP_NEW(a, methods_words);
    *w = (methods_words){.arena = a, .index = rsp_map_new()};
    loader l = {w, d};
    size_t before = rsp_diag_errors(d);
    rsp_node *root = rsp_yaml_read(a, rsp_strdup(a, path), d);
    if (root) load_root(&l, root);
    if (rsp_diag_errors(d) == before) return w;
    methods_words_free(w);
    return NULL;
}

void methods_words_free(methods_words *w) {
    if (!w) return;
    rsp_msg_locale_free(w->locale);
    rsp_map_free(w->index);
    rsp_arena_free(w->arena);
}

/* ---- looking up ------------------------------------------------------------------------------------------------- */

const char *methods_say(const methods_words *w, rsp_arena *a, const char *key, const rsp_arg *args, size_t n) {
    size_t k = rsp_map_get(w->index, key);
    assert(k != RSP_NONE && "unknown message key");
    if (k == RSP_NONE) return rsp_strdup(a, key);
    return rsp_msg_format(w->messages[k], w->locale, a, args, n);
}

size_t methods_kinds(const methods_words *w, const methods_kind **kinds) {
    *kinds = w->kinds;
    return w->n_kinds;
}

size_t methods_sources(const methods_words *w, const rsp_pair **sources) {
    *sources = w->sources;
    return w->n_sources;
}

static bool defines(const methods_definition *d, const char *statistic) {
    for (size_t k = 0; k < d->n_names; k++)
        if (strcmp(d->names[k], statistic) == 0) return true;
    return false;
}

/* depth: kinds may use one another. */
static const methods_definition *define(const methods_words *w, const char *kind, const char *statistic, int depth) {
    const methods_kind *k = find_kind(w, kind);
    for (size_t j = 0; k && j < k->n; j++)
        if (!k->definitions[j].with && defines(&k->definitions[j], statistic)) return &k->definitions[j];
    for (size_t j = 0; k && depth && j < k->n_uses; j++) {
        const methods_definition *d = define(w, k->uses[j], statistic, depth - 1);
        if (d) return d;
    }
    return NULL;
}

const methods_definition *methods_define(const methods_words *w, const char *kind, const char *statistic) {
    return define(w, kind, statistic, 3);
}

const char *methods_flag(const methods_words *w, const char *flag) {
    for (size_t k = 0; k < w->n_flags; k++)
        if (strcmp(w->flags[k].name, flag) == 0) return w->flags[k].value;
    return NULL;
}

static const char *model_kind(const rsp_model *m) {
    if (m->kind == RSP_DRIVERS_MODEL) return "drivers";
    if (m->kind == RSP_POOLED_MODEL) return "pooled";
    return rsp_model_random(m) ? "mixed" : "regression";
}

const char *methods_kind_of(const rsp_analysis *x, const char *id) {
    if (!x) return id;
    switch (x->kind) {
    case RSP_A_TABLE: return "table";
    case RSP_A_TEST: return "test";
    case RSP_A_SCALE: return "scale";
    case RSP_A_FACTOR: return "factor";
    case RSP_A_INVARIANCE: return "invariance";
    case RSP_A_EXPLORATION: return "exploration";
    case RSP_A_MODEL: return model_kind(&x->model);
    }
    return id;
}

bool methods_has_feature(const rsp_analysis *x, const char *feature) {
    if (!x || x->kind != RSP_A_MODEL) return false;
    const rsp_model *m = &x->model;
    if (strcmp(feature, "cr2") == 0) return m->errors == RSP_ERRORS_CR2;
    if (strcmp(feature, "wild") == 0) return m->errors == RSP_ERRORS_WILD;
    if (strcmp(feature, "firth") == 0) return m->firth;
    if (strcmp(feature, "latent") == 0)
        return m->kind == RSP_MIXED_LOGISTIC_MODEL || m->kind == RSP_MIXED_ORDINAL_MODEL;
    if (strcmp(feature, "random_weighted") == 0) return rsp_model_random(m) && !m->unweighted;
    return false;
}
