/* See yaml.h. libyaml's event interface: the tree is built by hand because its own documents accept duplicate keys. */
#include "study/yaml.h"

#include "responsive/limits.h"

#include <stdlib.h>
#include <string.h>
#include <yaml.h>

typedef struct {
    yaml_parser_t yaml;
    rsp_arena *arena;
    rsp_diag *diag;
    const char *file, *bytes;
    size_t length;
    rsp_map *anchors;
    rsp_node **anchored; /* NULL while the anchor's own value is still being read */
    size_t n_anchored, cap_anchored;
    bool stopped;        /* the rest of the file cannot be read */
    const char *line_at; /* where the line `line_number` starts: lines are asked for in ascending order */
    int line_number;
} reader;

static rsp_loc at(const reader *r, yaml_mark_t mark) {
    return (rsp_loc){r->file, (int) mark.line + 1, (int) mark.column + 1};
}

static void stop(reader *r, rsp_loc loc, const char *hint, const char *message) {
    rsp_report(r->diag, RSP_ERR_STUDY, loc, hint, "%s", message);
    r->stopped = true;
}

static const char *line_start(reader *r, int line);

/* Blanks before the tab do not count. */
static bool line_begins_with_tab(reader *r, int line) {
    const char *p = line_start(r, line), *end = r->bytes + r->length;
    while (p < end && *p == ' ') p++;
    return p < end && *p == '\t';
}

/* Where the reader stopped: it counts bytes only. */
static rsp_loc byte_place(const reader *r) {
    rsp_loc loc = {r->file, 1, 1};
    for (size_t k = 0; k < r->yaml.problem_offset && k < r->length; k++) {
        if (r->bytes[k] == '\n') loc = (rsp_loc){r->file, loc.line + 1, 1};
        else if (((unsigned char) r->bytes[k] & 0xC0) != 0x80) loc.column++;
    }
    return loc;
}

/* What people have done who see these messages of libyaml: it names the rule of YAML that was broken. */
static const char *syntax_remedy(const char *problem, bool flow) {
    static const struct {
        const char *problem, *remedy;
    } remedies[] = {
        {"mapping values are not allowed",
         "a key is `key: value`, with a colon and a blank: is one missing in the line above, is this line indented too "
         "far, or does a text with a colon need quotation marks?"},
        {"could not find expected ':'", "a key is `key: value`, with a colon and a blank"},
        {"did not find expected key", "is this line, or the one above, indented like its neighbours?"},
        {"did not find expected '-' indicator", "is this line indented like its neighbours?"},
        {"block sequence entries are not allowed", "entries with a dash start on a line of their own"},
        {"cannot start any token", "a text that begins with this sign needs quotation marks"},
        {"unexpected end of stream", "is a closing quotation mark missing?"},
        {"unknown escape character", "write \\\\ for a backslash, or use single quotation marks"}};
    if (flow) return "is a closing ] or } or a comma missing?";
    for (size_t k = 0; problem && k < sizeof remedies / sizeof *remedies; k++)
        if (strstr(problem, remedies[k].problem)) return remedies[k].remedy;
    return NULL;
}

/* libyaml notices an unclosed bracket where the next line surprises it; the bracket itself is more use to a person. */
static void report_syntax(reader *r) {
    const yaml_parser_t *y = &r->yaml;
    bool flow = y->context && strstr(y->context, "flow");
    rsp_loc loc = at(r, flow ? y->context_mark : y->problem_mark);
    bool tab = line_begins_with_tab(r, loc.line);
    if (y->error == YAML_READER_ERROR && y->problem && strstr(y->problem, "control")) {
        rsp_report(r->diag, RSP_ERR_STUDY, byte_place(r), "remove it", "a control character at byte %zu",
                   y->problem_offset);
    } else if (y->error == YAML_SCANNER_ERROR && tab) {
        rsp_report(r->diag, RSP_ERR_STUDY, at(r, y->problem_mark), "indent with blanks", "a tab cannot indent");
    } else if (y->error == YAML_READER_ERROR) {
        rsp_report(r->diag, RSP_ERR_STUDY, byte_place(r), "save the file as UTF-8",
                   "not readable as text: %s at byte %zu", y->problem, y->problem_offset);
    } else {
        rsp_report(r->diag, RSP_ERR_STUDY, loc, syntax_remedy(y->problem, flow), "YAML: %s%s%s",
                   y->problem ? y->problem : "syntax error", y->context ? " " : "", y->context ? y->context : "");
    }
    r->stopped = true;
}

static bool next(reader *r, yaml_event_t *event) {
    if (yaml_parser_parse(&r->yaml, event)) return true;
    report_syntax(r);
    return false;
}

static const char *line_start(reader *r, int line) {
    const char *end = r->bytes + r->length;
    if (!r->line_at || line < r->line_number) {
        r->line_at = r->bytes;
        r->line_number = 1;
    }
    for (; r->line_number < line && r->line_at < end; r->line_number++) {
        const char *newline = memchr(r->line_at, '\n', (size_t) (end - r->line_at));
        r->line_at = newline ? newline + 1 : end;
    }
    return r->line_at;
}

/* A block scalar's mark points at its | or >: its text starts a line below, indented as its first line with words. */
static rsp_origin block_origin(reader *r, rsp_loc mark, bool literal) {
    const char *p = line_start(r, mark.line + 1), *end = r->bytes + r->length;
    int indent = 1;
    while (p < end) {
        const char *q = p;
        while (q < end && *q == ' ') q++;
        indent = (int) (q - p) + 1;
        if (q < end && *q != '\n' && *q != '\r') break;
        p = memchr(q, '\n', (size_t) (end - q));
        if (!p) break;
        p++;
    }
    return (rsp_origin){{mark.file, mark.line + 1, indent}, literal, indent};
}

static rsp_origin scalar_origin(reader *r, const yaml_event_t *event, rsp_loc loc) {
    switch (event->data.scalar.style) {
    case YAML_LITERAL_SCALAR_STYLE: return block_origin(r, loc, true);
    case YAML_FOLDED_SCALAR_STYLE: return block_origin(r, loc, false);
    case YAML_SINGLE_QUOTED_SCALAR_STYLE:
    case YAML_DOUBLE_QUOTED_SCALAR_STYLE: return (rsp_origin){{loc.file, loc.line, loc.column + 1}, false, 0};
    default: return (rsp_origin){loc, false, 0};
    }
}

static rsp_node *scalar(reader *r, const yaml_event_t *event) {
    rsp_node *n = RSP_NEW(r->arena, rsp_node);
    size_t length = event->data.scalar.length;
    const char *value = (const char *) event->data.scalar.value;
    n->kind = RSP_Y_SCALAR;
    n->loc = at(r, event->start_mark);
    n->origin = scalar_origin(r, event, n->loc);
    n->plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
    n->text = rsp_strndup(r->arena, value, length);
    n->size = 1;
    if (memchr(value, '\0', length)) {
        rsp_report(r->diag, RSP_ERR_STUDY, n->loc, "remove it", "a text holds a NUL character");
        n->bad = true;
    }
    return n;
}

static rsp_node *node(reader *r, yaml_event_t *event, int depth);

static size_t anchor_open(reader *r, const yaml_char_t *name) {
    if (!name) return RSP_NONE;
    const char *text = (const char *) name;
    size_t k = rsp_map_get(r->anchors, text);
    if (k != RSP_NONE) { /* an anchor may be given anew: later aliases mean the later value */
        r->anchored[k] = NULL;
        return k;
    }
    k = r->n_anchored;
    RSP_PUSH(r->anchored, r->n_anchored, r->cap_anchored, NULL);
    rsp_map_put(r->anchors, text, k);
    return k;
}

static rsp_node *alias(reader *r, const yaml_event_t *event) {
    const char *name = (const char *) event->data.alias.anchor;
    size_t k = rsp_map_get(r->anchors, name);
    rsp_loc loc = at(r, event->start_mark);
    if (k == RSP_NONE)
        rsp_report(r->diag, RSP_ERR_STUDY, loc, "an anchor (&name) stands before its aliases (*name)",
                   "alias '*%s' has no anchor", name);
    else if (!r->anchored[k])
        rsp_report(r->diag, RSP_ERR_STUDY, loc, NULL, "alias '*%s' stands inside its own anchor", name);
    else return r->anchored[k];
    rsp_node *n = RSP_NEW(r->arena, rsp_node);
    *n = (rsp_node){.kind = RSP_Y_SCALAR, .loc = loc, .origin = {loc, false, 0}, .text = "", .bad = true, .size = 1};
    return n;
}

static void grow(reader *r, rsp_node *parent, const rsp_node *child) {
    parent->size += child->size;
    if (parent->size > RSP_MOST_YAML_VALUES && !r->stopped)
        stop(r, child->loc, "write the values out", "aliases make the file too large (more than 1000000 values)");
}

static rsp_node *list(reader *r, const yaml_event_t *start, int depth) {
    rsp_node *n = RSP_NEW(r->arena, rsp_node);
    rsp_node **items = NULL;
    size_t cap = 0;
    n->kind = RSP_Y_LIST;
    n->text = "";
    n->loc = at(r, start->start_mark);
    n->size = 1;
    yaml_event_t event;
    while (!r->stopped && next(r, &event)) {
        if (event.type == YAML_SEQUENCE_END_EVENT) {
            yaml_event_delete(&event);
            break;
        }
        rsp_node *child = node(r, &event, depth);
        if (!child) break;
        RSP_PUSH(items, n->n, cap, child);
        grow(r, n, child);
    }
    n->items = RSP_ARRAY(r->arena, rsp_node *, n->n);
    if (n->n) memcpy(n->items, items, n->n * sizeof *items);
    free(items);
    return n;
}

/* True if the key may stand: a text, not there before, no merge key. */
static bool key_stands(reader *r, const rsp_node *key, rsp_map *seen, rsp_node *const *keys, size_t k) {
    if (key->kind != RSP_Y_SCALAR) {
        rsp_report(r->diag, RSP_ERR_STUDY, key->loc, NULL, "a key must be a text");
        return false;
    }
    if (key->plain && strcmp(key->text, "<<") == 0) {
        rsp_report(r->diag, RSP_ERR_STUDY, key->loc, "repeat the keys, or use an alias for a whole value",
                   "merge keys ('<<') are not supported");
        return false;
    }
    if (!rsp_map_put(seen, key->text, k)) {
        const rsp_node *first = keys[rsp_map_get(seen, key->text)];
        char hint[64];
        snprintf(hint, sizeof hint, "first in line %d", first->loc.line);
        rsp_report(r->diag, RSP_ERR_STUDY, key->loc, hint, "key '%s' stands twice", key->text);
        return false;
    }
    return true;
}

static rsp_node *map(reader *r, const yaml_event_t *start, int depth) {
    rsp_node *n = RSP_NEW(r->arena, rsp_node);
    rsp_node **keys = NULL, **items = NULL;
    size_t cap_keys = 0, cap_items = 0, n_keys = 0;
    rsp_map *seen = rsp_map_new();
    n->kind = RSP_Y_MAP;
    n->text = "";
    n->flow = start->data.mapping_start.style == YAML_FLOW_MAPPING_STYLE;
    n->loc = at(r, start->start_mark);
    n->size = 1;
    yaml_event_t event;
    while (!r->stopped && next(r, &event)) {
        if (event.type == YAML_MAPPING_END_EVENT) {
            yaml_event_delete(&event);
            break;
        }
        rsp_node *key = node(r, &event, depth);
        if (!key || r->stopped || !next(r, &event)) break;
        rsp_node *value = node(r, &event, depth);
        if (!value) break;
        grow(r, n, key);
        grow(r, n, value);
        if (!key_stands(r, key, seen, keys, n_keys)) continue;
        RSP_PUSH(keys, n_keys, cap_keys, key);
        RSP_PUSH(items, n->n, cap_items, value);
    }
    n->keys = RSP_ARRAY(r->arena, rsp_node *, n->n);
    n->items = RSP_ARRAY(r->arena, rsp_node *, n->n);
    if (n->n) {
        memcpy(n->keys, keys, n->n * sizeof *keys);
        memcpy(n->items, items, n->n * sizeof *items);
    }
    rsp_map_free(seen);
    free(keys);
    free(items);
    return n;
}

static void refuse_tag(reader *r, const yaml_char_t *tag, yaml_mark_t mark) {
    if (tag)
        rsp_report(r->diag, RSP_ERR_STUDY, at(r, mark), "remove it: every value here is text",
                   "YAML tag '%s' is not used in studies", (const char *) tag);
}

/* The node that starts with this event, which is consumed. NULL only when reading has stopped. */
static rsp_node *node(reader *r, yaml_event_t *event, int depth) {
    rsp_node *n = NULL;
    size_t anchor = RSP_NONE;
    if (depth > RSP_MOST_YAML_DEPTH) {
        stop(r, at(r, event->start_mark), NULL, "values are nested deeper than 64 levels");
        yaml_event_delete(event);
        return NULL;
    }
    switch (event->type) {
    case YAML_ALIAS_EVENT: n = alias(r, event); break;
    case YAML_SCALAR_EVENT:
        refuse_tag(r, event->data.scalar.tag, event->start_mark);
        anchor = anchor_open(r, event->data.scalar.anchor);
        n = scalar(r, event);
        break;
    case YAML_SEQUENCE_START_EVENT:
        refuse_tag(r, event->data.sequence_start.tag, event->start_mark);
        anchor = anchor_open(r, event->data.sequence_start.anchor);
        n = list(r, event, depth + 1);
        break;
    case YAML_MAPPING_START_EVENT:
        refuse_tag(r, event->data.mapping_start.tag, event->start_mark);
        anchor = anchor_open(r, event->data.mapping_start.anchor);
        n = map(r, event, depth + 1);
        break;
    default: stop(r, at(r, event->start_mark), NULL, "YAML: unexpected end of a value"); break;
    }
    yaml_event_delete(event);
    if (n && anchor != RSP_NONE) r->anchored[anchor] = n;
    return r->stopped ? NULL : n;
}

static rsp_node *document(reader *r) {
    yaml_event_t event;
    rsp_node *root = NULL;
    while (!r->stopped && next(r, &event)) {
        yaml_event_type_t type = event.type;
        if (type == YAML_STREAM_START_EVENT || type == YAML_DOCUMENT_END_EVENT) {
            yaml_event_delete(&event);
        } else if (type == YAML_DOCUMENT_START_EVENT) {
            if (root) stop(r, at(r, event.start_mark), "one study, one document", "a second YAML document starts here");
            yaml_event_delete(&event);
        } else if (type == YAML_STREAM_END_EVENT) {
            yaml_event_delete(&event);
            break;
        } else {
            root = node(r, &event, 0);
        }
    }
    if (!root && !r->stopped) stop(r, (rsp_loc){r->file, 1, 1}, NULL, "the file is empty");
    return r->stopped ? NULL : root;
}

rsp_node *rsp_yaml_parse(rsp_arena *a, const char *file, const char *bytes, size_t length, rsp_diag *d) {
    if (length > RSP_MOST_YAML_BYTES) {
        rsp_report(d, RSP_ERR_STUDY, (rsp_loc){file, 0, 0}, "move lists into CSV files",
                   "the file is larger than %d MiB", RSP_MOST_YAML_BYTES >> 20);
        return NULL;
    }
    reader r = {.arena = a, .diag = d, .file = file, .bytes = bytes, .length = length};
    if (!yaml_parser_initialize(&r.yaml)) {
        rsp_report(d, RSP_ERR_BUG, (rsp_loc){file, 0, 0}, NULL, "the YAML parser could not start");
        return NULL;
    }
    r.anchors = rsp_map_new();
    yaml_parser_set_input_string(&r.yaml, (const unsigned char *) bytes, length);
    rsp_node *root = document(&r);
    yaml_parser_delete(&r.yaml);
    rsp_map_free(r.anchors);
    free(r.anchored);
    return root;
}

rsp_node *rsp_yaml_read(rsp_arena *a, const char *path, rsp_diag *d) {
    rsp_buf bytes = {0};
    rsp_node *root = NULL;
    if (rsp_read_file(path, &bytes, d, RSP_ERR_STUDY, (rsp_loc){path, 0, 0}))
        root = rsp_yaml_parse(a, path, bytes.data, bytes.length, d);
    rsp_buf_free(&bytes);
    return root;
}

rsp_node *rsp_node_find(const rsp_node *map_node, const char *key) {
    if (!map_node || map_node->kind != RSP_Y_MAP) return NULL;
    for (size_t k = 0; k < map_node->n; k++)
        if (strcmp(map_node->keys[k]->text, key) == 0) return map_node->items[k];
    return NULL;
}

const char *rsp_node_text(const rsp_node *map, const char *key, bool needed, rsp_diag *d) {
    const rsp_node *n = rsp_node_find(map, key);
    if (n && n->kind == RSP_Y_SCALAR) return n->text;
    if (n) rsp_report(d, RSP_ERR_STUDY, n->loc, NULL, "'%s' takes one text", key);
    else if (needed) rsp_report(d, RSP_ERR_STUDY, map->loc, NULL, "'%s' is missing", key);
    return NULL;
}

void rsp_node_only(const rsp_node *map, const char *const *known, const char *hint, rsp_diag *d) {
    for (size_t k = 0; k < map->n; k++) {
        size_t j = 0;
        while (known[j] && strcmp(known[j], map->keys[k]->text) != 0) j++;
        if (!known[j]) rsp_report(d, RSP_ERR_STUDY, map->keys[k]->loc, hint, "unknown key '%s'", map->keys[k]->text);
    }
}
