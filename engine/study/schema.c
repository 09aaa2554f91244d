/* The JSON schema of study.yaml and the reference of its keys, both from the table of keys. */
#include "responsive/study.h"
#include "study/keys.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

/* ---- schema ----------------------------------------------------------------------------------------------------- */

static json_t *types(const char *a, const char *b, const char *c) {
    json_t *list = json_array();
    const char *const all[] = {a, b, c};
    for (size_t k = 0; k < 3; k++)
        if (all[k]) json_array_append_new(list, json_string(all[k]));
    return list;
}

static json_t *text_like(const char *a, const char *b, const char *c, const char *pattern) {
    json_t *o = json_object();
    json_object_set_new(o, "type", b ? types(a, b, c) : json_string(a));
    if (pattern) json_object_set_new(o, "pattern", json_string(pattern));
    return o;
}

static json_t *choice(const char *allowed) {
    json_t *o = json_object(), *list = json_array();
    for (const char *p = allowed; *p;) {
        size_t length = strcspn(p, "|");
        if (length && p[length - 1] != '!') json_array_append_new(list, json_stringn(p, length));
        p += length + (p[length] == '|');
    }
    json_object_set_new(o, "enum", list);
    return o;
}

static json_t *yes_no(void) {
    json_t *o = json_object(), *list = types("yes", "no", NULL);
    json_array_append_new(list, json_true());
    json_array_append_new(list, json_false());
    json_object_set_new(o, "enum", list);
    return o;
}

static void set_bound(json_t *o, const char *name, const char *text, size_t length) {
    double x;
    if (!length || !rsp_parse_double(text, length, '.', &x)) return;
    bool whole = x == (double) (long) x;
    json_object_set_new(o, name, whole ? json_integer((json_int_t) x) : json_real(x));
}

static json_t *number(const rsp_key *key) {
    json_t *o = text_like(key->value == RSP_V_INTEGER ? "integer" : "number", NULL, NULL, NULL);
    const char *dots = key->allowed ? strstr(key->allowed, "..") : NULL;
    if (dots) set_bound(o, "minimum", key->allowed, (size_t) (dots - key->allowed));
    if (dots) set_bound(o, "maximum", dots + 2, strlen(dots + 2));
    return o;
}

static json_t *scalar_schema(const rsp_key *key) {
    switch (key->value) {
    case RSP_V_TEXT:
    case RSP_V_CODE: return text_like("string", "number", "boolean", NULL);
    case RSP_V_ID: return text_like("string", "integer", NULL, "^[A-Za-z0-9_-]{1,64}$");
    case RSP_V_NAME: return text_like("string", NULL, NULL, "^[A-Za-z_][A-Za-z0-9_.-]*$");
    case RSP_V_VARIABLE:
    case RSP_V_FILE:
    case RSP_V_FORMULA:
    case RSP_V_LAVAAN: return text_like("string", NULL, NULL, NULL);
    case RSP_V_EXPR: return text_like("string", "number", NULL, NULL);
    case RSP_V_LANGUAGE: return text_like("string", NULL, NULL, "^[a-z]{2,3}(-[A-Za-z0-9]+)*$");
    case RSP_V_DATE: return text_like("string", NULL, NULL, "^[0-9]{4}-[0-9]{2}-[0-9]{2}$");
    case RSP_V_NUMBER:
    case RSP_V_INTEGER: return number(key);
    case RSP_V_YESNO: return yes_no();
    case RSP_V_ENUM: return choice(key->allowed);
    }
    return json_object();
}

static json_t *list_of(json_t *items) {
    json_t *o = text_like("array", NULL, NULL, NULL);
    json_object_set_new(o, "items", items);
    return o;
}

static json_t *map_of(json_t *values) {
    json_t *o = text_like("object", NULL, NULL, NULL);
    json_object_set_new(o, "additionalProperties", values);
    return o;
}

static json_t *any_of(json_t *a, json_t *b) {
    json_t *o = json_object(), *list = json_array();
    json_array_append_new(list, a);
    json_array_append_new(list, b);
    json_object_set_new(o, "anyOf", list);
    return o;
}

/* null: the loader mends texts that an unquoted comma has cut, which leave a key without a value (keys.c). */
static json_t *words(void) {
    json_t *by_language = text_like("string", "number", "boolean", NULL);
    json_array_append_new(json_object_get(by_language, "type"), json_string("null"));
    return any_of(text_like("string", "number", "boolean", NULL), map_of(by_language));
}

static json_t *key_schema(const rsp_key *key);

static json_t *object_schema(const rsp_key *key) {
    json_t *o = text_like("object", NULL, NULL, NULL), *properties = json_object(), *required = json_array();
    for (const rsp_key *k = key->keys; k->name; k++) {
        json_t *one = key_schema(k);
        json_object_set_new(one, "description", json_string(k->says));
        json_object_set_new(properties, k->name, one);
        if (k->required) json_array_append_new(required, json_string(k->name));
    }
    json_object_set_new(o, "properties", properties);
    if (json_array_size(required)) json_object_set(o, "required", required);
    json_decref(required);
    json_object_set_new(o, "additionalProperties", json_false());
    return o;
}

static json_t *shape_schema(const rsp_key *key, unsigned shape) {
    switch (shape) {
    case RSP_S_ONE: return scalar_schema(key);
    case RSP_S_LIST: return list_of(scalar_schema(key));
    case RSP_S_LISTS: return list_of(list_of(scalar_schema(key)));
    case RSP_S_MAP: return map_of(scalar_schema(key));
    case RSP_S_MAP_LIST: return map_of(any_of(scalar_schema(key), list_of(scalar_schema(key))));
    case RSP_S_WORDS: return words();
    case RSP_S_MAP_WORDS: return map_of(words());
    case RSP_S_OBJECT: return object_schema(key);
    default: return list_of(object_schema(key));
    }
}

static json_t *key_schema(const rsp_key *key) {
    json_t *list = json_array();
    for (unsigned shape = 1; shape <= RSP_S_OBJECTS; shape *= 2)
        if (key->shapes & shape) json_array_append_new(list, shape_schema(key, shape));
    json_t *o = json_object();
    if (json_array_size(list) == 1) json_object_update(o, json_array_get(list, 0));
    else json_object_set(o, "anyOf", list);
    json_decref(list);
    return o;
}

void rsp_study_schema(rsp_buf *into) {
    json_t *root = json_object();
    json_object_set_new(root, "$schema", json_string("https://json-schema.org/draft/2020-12/schema"));
    json_object_set_new(root, "title", json_string("study.yaml of responsive"));
    json_t *keys = key_schema(&RSP_STUDY_KEYS);
    json_object_update(root, keys);
    json_decref(keys);
    char *text = json_dumps(root, JSON_INDENT(2) | JSON_PRESERVE_ORDER | JSON_REAL_PRECISION(15));
    rsp_buf_puts(into, text);
    rsp_buf_putc(into, '\n');
    free(text);
    json_decref(root);
}

/* ---- reference -------------------------------------------------------------------------------------------------- */

static void describe_scalar(const rsp_key *key, bool many, rsp_buf *b) {
    static const char *const words_of[] = {"text",     "identifier",   "new name",   "variable", "code",
                                           "number",   "whole number", "yes or no",  "",         "date",
                                           "language", "file",         "expression", "formula",  "factor model"};
    if (key->value != RSP_V_ENUM) {
        rsp_buf_printf(b, "%s%s", words_of[key->value], many ? "s" : "");
        if (key->allowed) rsp_buf_printf(b, " %s", key->allowed);
        return;
    }
    bool first = true;
    for (const char *p = key->allowed; *p;) {
        size_t length = strcspn(p, "|");
        if (length && p[length - 1] != '!') {
            rsp_buf_printf(b, "%s`%.*s`", first ? "" : ", ", (int) length, p);
            first = false;
        }
        p += length + (p[length] == '|');
    }
}

static void describe_value(const rsp_key *key, rsp_buf *b) {
    static const struct {
        unsigned shape;
        const char *before, *after;
    } forms[] = {{RSP_S_ONE, "", ""},
                 {RSP_S_LIST, "list of ", ""},
                 {RSP_S_LISTS, "list of lists of ", ""},
                 {RSP_S_MAP, "mapping of names to ", ""},
                 {RSP_S_MAP_LIST, "mapping of names to ", " or list"}};
    bool first = true;
    for (size_t k = 0; k < sizeof forms / sizeof *forms; k++) {
        if (!(key->shapes & forms[k].shape)) continue;
        rsp_buf_printf(b, "%s%s", first ? "" : ", or ", forms[k].before);
        if (first || key->value != RSP_V_ENUM) describe_scalar(key, forms[k].shape != RSP_S_ONE, b);
        else rsp_buf_puts(b, "these");
        rsp_buf_puts(b, forms[k].after);
        first = false;
    }
    if (key->shapes & RSP_S_WORDS) rsp_buf_puts(b, "text, or texts by language");
    if (key->shapes & RSP_S_MAP_WORDS) rsp_buf_puts(b, "texts by code");
    if (key->shapes & RSP_S_OBJECT) rsp_buf_puts(b, first ? "keys below" : ", or keys below");
    if (key->shapes & RSP_S_OBJECTS) rsp_buf_puts(b, "list of entries with the keys below");
}

/* Rows of the table, depth first; a group of keys that serves several parents is written out once. */
static void describe_keys(const rsp_key *keys, const char *path, const rsp_key **seen, size_t *n_seen, rsp_buf *b) {
    for (const rsp_key *k = keys; k->name; k++) {
        char below[256];
        bool known = false;
        rsp_buf_printf(b, "| `%s%s` | ", path, k->name);
        describe_value(k, b);
        rsp_buf_printf(b, " | %s | %s |\n", k->required ? "yes" : "", k->says);
        if (!k->keys) continue;
        for (size_t j = 0; j < *n_seen; j++) known |= seen[j] == k->keys;
        if (known) continue;
        seen[(*n_seen)++] = k->keys;
        snprintf(below, sizeof below, "%s%s%s.", path, k->name, k->shapes & RSP_S_OBJECTS ? "[]" : "");
        describe_keys(k->keys, below, seen, n_seen, b);
    }
}

void rsp_study_reference(rsp_buf *into) {
    const rsp_key *seen[128];
    size_t n = 0;
    rsp_buf_puts(into, "| key | value | needed | what it says |\n| --- | --- | --- | --- |\n");
    describe_keys(RSP_STUDY_KEYS.keys, "", seen, &n, into);
}
