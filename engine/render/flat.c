#include "flat.h"

#include <stdlib.h>
#include <string.h>
#include <yaml.h>

typedef struct {
    rsp_flat *flat;
    rsp_arena *arena;
    const char *file;
    rsp_diag *diag;
    bool ok;
    const char *key; /* waiting for its value */
    rsp_loc key_loc;
    int depth; /* of nested mappings and sequences; 1: the file's own mapping */
} flat_reader;

static rsp_loc mark_loc(const flat_reader *r, const yaml_mark_t *m) {
    return (rsp_loc){r->file, (int) m->line + 1, (int) m->column + 1};
}

static void add_entry(flat_reader *r, const char *value, rsp_loc loc) {
    if (!rsp_map_put(r->flat->index, r->key, r->flat->n)) {
        r->ok = false;
        rsp_report(r->diag, RSP_ERR_STUDY, r->key_loc, "remove one of the two", "key '%s' stands twice", r->key);
        return;
    }
    rsp_flat_entry e = {r->key, value, r->key_loc, loc};
    RSP_PUSH(r->flat->entries, r->flat->n, r->flat->capacity, e);
}

static void read_scalar(flat_reader *r, const yaml_event_t *e) {
    rsp_loc loc = mark_loc(r, &e->start_mark);
    char *text = rsp_strndup(r->arena, (const char *) e->data.scalar.value, e->data.scalar.length);
    if (strlen(text) != e->data.scalar.length) {
        r->ok = false;
        rsp_report(r->diag, RSP_ERR_STUDY, loc, NULL, "a text holds a NUL character");
    }
    if (r->depth == 0) {
        r->ok = false;
        rsp_report(r->diag, RSP_ERR_STUDY, loc, "write one 'key: value' a line", "this file must hold keys and values");
    } else if (!r->key) {
        r->key = text;
        r->key_loc = loc;
    } else {
        add_entry(r, text, loc);
        r->key = NULL;
    }
}

static void refuse_structure(flat_reader *r, const yaml_event_t *e) {
    r->ok = false;
    rsp_report(r->diag, RSP_ERR_STUDY, mark_loc(r, &e->start_mark), "values here are plain texts",
               "a list, a mapping or an alias is not allowed here");
}

/* One event; nested structures are reported once and skipped whole. */
static void read_event(flat_reader *r, const yaml_event_t *e) {
    bool opens = e->type == YAML_MAPPING_START_EVENT || e->type == YAML_SEQUENCE_START_EVENT;
    bool closes = e->type == YAML_MAPPING_END_EVENT || e->type == YAML_SEQUENCE_END_EVENT;
    if (opens) {
        if (r->depth == 1 || (r->depth == 0 && e->type == YAML_SEQUENCE_START_EVENT)) {
            refuse_structure(r, e);
            r->key = NULL;
        }
        r->depth++;
    } else if (closes) {
        r->depth--;
    } else if (r->depth <= 1) {
        if (e->type == YAML_SCALAR_EVENT) read_scalar(r, e);
        if (e->type == YAML_ALIAS_EVENT) {
            refuse_structure(r, e);
            r->key = NULL;
        }
    }
}

static void report_syntax(flat_reader *r, const yaml_parser_t *p) {
    r->ok = false;
    rsp_report(r->diag, RSP_ERR_STUDY, mark_loc(r, &p->problem_mark), NULL, "this is not YAML: %s%s%s",
               p->problem ? p->problem : "unreadable", p->context ? ", " : "", p->context ? p->context : "");
}

static void read_events(flat_reader *r, yaml_parser_t *p) {
    bool more = true;
    while (more) {
        yaml_event_t e;
        if (!yaml_parser_parse(p, &e)) {
            report_syntax(r, p);
            return;
        }
        read_event(r, &e);
        more = e.type != YAML_STREAM_END_EVENT;
        yaml_event_delete(&e);
    }
}

bool rsp_flat_load(rsp_flat *f, rsp_arena *a, const char *path, rsp_diag *d) {
    *f = (rsp_flat){.index = rsp_map_new()};
    rsp_buf bytes = {0};
    rsp_loc loc = {rsp_strdup(a, path), 0, 0};
    if (!rsp_read_file(path, &bytes, d, RSP_ERR_STUDY, loc)) {
        rsp_buf_free(&bytes);
        return false;
    }
    flat_reader r = {.flat = f, .arena = a, .file = loc.file, .diag = d, .ok = true};
    yaml_parser_t parser;
    if (!yaml_parser_initialize(&parser)) abort();
    yaml_parser_set_input_string(&parser, (const unsigned char *) (bytes.data ? bytes.data : ""), bytes.length);
    read_events(&r, &parser);
    yaml_parser_delete(&parser);
    rsp_buf_free(&bytes);
    return r.ok;
}

void rsp_flat_free(rsp_flat *f) {
    free(f->entries);
    rsp_map_free(f->index);
    *f = (rsp_flat){0};
}

const char *rsp_flat_get(const rsp_flat *f, const char *key) {
    size_t k = rsp_map_get(f->index, key);
    return k == RSP_NONE ? NULL : f->entries[k].value;
}
