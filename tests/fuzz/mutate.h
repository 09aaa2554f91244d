/* Mutations of a whole study folder that know what they change: nodes of study.yaml by the table of keys, tokens of
 * expressions and formulas, rows, columns and cells of the CSV files, their encodings; some by bytes and lines. A seed
 * gives the same mutant everywhere. */
#ifndef FUZZ_MUTATE_H
#define FUZZ_MUTATE_H

#include "responsive/base.h"
#include "study/keys.h"
#include "folder.h"
#include "words.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_PARTS = 16, MOST_PART_BYTES = 1 << 20 };

struct part {
    char name[64];
    rsp_buf bytes;
};

struct mutant {
    struct part parts[MOST_PARTS];
    size_t n;
    uint64_t state;
    rsp_arena *arena;
    rsp_buf story; /* what was done, in words */
};

static inline size_t pick(struct mutant *m, size_t n) { return (size_t) draw(&m->state, n); }
static inline bool chance(struct mutant *m, size_t one_in) { return pick(m, one_in) == 0; }

#define PICK(m, list) ((list)[pick((m), sizeof(list) / sizeof *(list))])

static inline void told(struct mutant *m, const char *what, const char *about) {
    rsp_buf_printf(&m->story, "%s%s%s%.60s", m->story.length ? "; " : "", what, *about ? " " : "", about);
}

/* ---- texts that hurt -------------------------------------------------------------------------------------------- */

#define TEN(x) x x x x x x x x x x
static const char LONG_WORD[] = TEN(TEN("abcdefghijklmnopqrstuvwxyz"));

static const char *const HOSTILE[] = {"",
                                      "0",
                                      "-1",
                                      "1e308",
                                      "-1e308",
                                      "1e-320",
                                      "NaN",
                                      "inf",
                                      "99999999999999999999",
                                      "2147483648",
                                      "=1+1",
                                      "\"",
                                      "'",
                                      "a\nb",
                                      "a\r\nb,c",
                                      "\t",
                                      " ",
                                      "<zq>&\"'</zq>",
                                      "</script><zq>",
                                      "%s%n%d",
                                      "{n, plural, one {x} other {y}}",
                                      "{",
                                      "${x}",
                                      "../../etc/passwd",
                                      "/dev/zero",
                                      "CON",
                                      "\xEF\xBF\xBD",
                                      "\xE2\x80\xAE\xD7\x90\xD8\xA8",
                                      "\xF0\x9F\x98\x80\xCC\x81\xCC\x81",
                                      "\xC8\x99\xC8\x9B",
                                      "\xC2\x85\xE2\x80\xA8",
                                      "2026-13-45",
                                      "12.03.2026",
                                      "1,5",
                                      "1.234,5",
                                      "yes",
                                      "NA",
                                      "-9",
                                      LONG_WORD};

static const char *const TOKENS[] = {
    "+",      "-",           "*",    "/",     ":",     "^",      "(",   ")",     "|",         "||",
    "~",      "=~",          "~~",   "~1",    "NA*",   "c(",     ",",   ".",     "mod",       "div",
    "and",    "or",          "not(", "=",     "!=",    ">=",     "< ",  "if(",   "selected(", "coalesce(",
    "count(", "factor(",     "log(", "I(",    "0",     "1",      "-1",  "1e308", "'a'",       "''",
    "${id}",  "${",          "}",    "today", "x",     "poly(",  "- 1", "%in%",  "min(",      "max(",
    "round(", "is-missing(", "int(", "pow(",  "sqrt(", "regex(", "'('", "once(", "substr("};

/* ---- study.yaml as nodes ---------------------------------------------------------------------------------------- */

struct slot {
    rsp_node *node, *parent; /* parent NULL: the whole */
    size_t index;
    const rsp_key *key;
    bool object; /* a map whose keys are key->keys */
};

struct slots {
    struct slot *v;
    size_t n, capacity;
};

static inline const rsp_key *key_named(const rsp_key *keys, const char *name) {
    for (const rsp_key *k = keys; k && k->name; k++)
        if (strcmp(k->name, name) == 0) return k;
    return NULL;
}

static inline void collect(struct slots *all, rsp_node *node, rsp_node *parent, size_t index, const rsp_key *key) {
    bool object = node->kind == RSP_Y_MAP && key && key->keys && key->shapes & (RSP_S_OBJECT | RSP_S_OBJECTS);
    RSP_PUSH(all->v, all->n, all->capacity, ((struct slot){node, parent, index, key, object}));
    for (size_t k = 0; node->kind != RSP_Y_SCALAR && k < node->n && all->n < 20000; k++)
        collect(all, node->items[k], node, k, object ? key_named(key->keys, node->keys[k]->text) : key);
}

static inline rsp_node *scalar(struct mutant *m, const char *text, bool plain) {
    rsp_node *n = RSP_NEW(m->arena, rsp_node);
    n->kind = RSP_Y_SCALAR;
    n->text = rsp_strdup(m->arena, text);
    n->plain = plain;
    return n;
}

static inline void add_item(struct mutant *m, rsp_node *to, const char *name, rsp_node *item) {
    rsp_node **items = RSP_ARRAY(m->arena, rsp_node *, to->n + 1), **keys = RSP_ARRAY(m->arena, rsp_node *, to->n + 1);
    for (size_t k = 0; k < to->n; k++) {
        items[k] = to->items[k];
        if (to->keys) keys[k] = to->keys[k];
    }
    items[to->n] = item;
    keys[to->n] = name ? scalar(m, name, true) : NULL;
    to->items = items;
    if (to->kind == RSP_Y_MAP) to->keys = keys;
    to->n++;
}

static inline rsp_node *empty_node(struct mutant *m, bool map) {
    rsp_node *n = RSP_NEW(m->arena, rsp_node);
    n->kind = map ? RSP_Y_MAP : RSP_Y_LIST;
    return n;
}

/* One of the words that `|` separates. */
static inline const char *word_of(struct mutant *m, const char *allowed) {
    size_t n = 1;
    for (const char *c = allowed; *c; c++) n += *c == '|';
    for (size_t k = pick(m, n); k; k--) allowed = strchr(allowed, '|') + 1;
    size_t length = strcspn(allowed, "|!");
    return rsp_strndup(m->arena, allowed, length);
}

/* The text of another value of the same kind in the study, or NULL. */
static inline const char *like_it(struct mutant *m, const struct slots *all, const rsp_key *key) {
    for (size_t tries = 0; tries < 40 && all->n; tries++) {
        const struct slot *s = &all->v[pick(m, all->n)];
        if (s->node->kind == RSP_Y_SCALAR && s->key && s->key->value == key->value) return s->node->text;
    }
    return NULL;
}

/* A name of the instrument: the second cell of a line of survey.csv. */
static inline const char *name_in_survey(struct mutant *m) {
    for (size_t k = 0; k < m->n; k++) {
        if (strcmp(m->parts[k].name, "survey.csv") != 0 || !m->parts[k].bytes.length) continue;
        struct text t = {m->parts[k].bytes.data, m->parts[k].bytes.length, m->parts[k].bytes.length};
        size_t from, to;
        any_line(&t, &m->state, &from, &to);
        const char *comma = memchr(t.bytes + from, ',', to - from);
        if (comma) return rsp_strndup(m->arena, comma + 1, strcspn(comma + 1, ",\r\n"));
    }
    return "country";
}

static inline const char *some_number(struct mutant *m, const char *allowed) {
    static const char *const any[] = {"0", "1", "2", "3", "0.5", "0.05", "0.99", "5", "10", "100", "1000", "-1", "1e9"};
    (void) allowed;
    return PICK(m, any);
}

/* Tokens of an expression or a formula leave, come or change places. */
static inline const char *other_tokens(struct mutant *m, const char *text) {
    size_t length = strlen(text), room = length + 4096;
    char *bytes = rsp_alloc(m->arena, room + 1);
    memcpy(bytes, text, length);
    struct text t = {bytes, length, room};
    for (size_t k = 1 + pick(m, 3); k; k--) {
        size_t from, to, a, b;
        any_word(&t, &m->state, &from, &to);
        any_word(&t, &m->state, &a, &b);
        char kept[64];
        size_t n = b - a < sizeof kept ? b - a : sizeof kept;
        memcpy(kept, t.bytes + a, n);
        const char *token = chance(m, 2) ? PICK(m, TOKENS) : name_in_survey(m);
        switch (pick(m, 5)) {
        case 0: replace(&t, from, to, "", 0); break;
        case 1: replace(&t, from, to, kept, n); break;
        case 2: replace(&t, to, to, token, strlen(token)); break;
        case 3: replace(&t, from, to, token, strlen(token)); break;
        default: /* deep */
            for (size_t j = pick(m, 300); j; j--) replace(&t, from, from, "(", 1);
        }
    }
    bytes[t.size] = '\0';
    return bytes;
}

static inline const char *some_text(struct mutant *m, const struct slots *all, const rsp_key *key, const char *now) {
    static const char *const languages[] = {"en", "de", "da", "fr", "pl", "pt", "ro", "xx", "pt-BR"};
    static const char *const dates[] = {"2026-01-01", "1900-01-01", "9999-12-31", "2024-02-29"};
    const char *like = like_it(m, all, key);
    if (chance(m, 12)) return PICK(m, HOSTILE);
    switch (key->value) {
    case RSP_V_ENUM: return word_of(m, key->allowed);
    case RSP_V_NUMBER:
    case RSP_V_INTEGER: return some_number(m, key->allowed);
    case RSP_V_YESNO: return chance(m, 2) ? "yes" : "no";
    case RSP_V_LANGUAGE: return PICK(m, languages);
    case RSP_V_DATE: return PICK(m, dates);
    case RSP_V_VARIABLE: return chance(m, 2) || !like ? name_in_survey(m) : like;
    case RSP_V_FILE: return m->n ? m->parts[pick(m, m->n)].name : "data.csv";
    case RSP_V_EXPR: return other_tokens(m, now ? now : like ? like : "${id} > 0");
    case RSP_V_FORMULA: return other_tokens(m, now ? now : like ? like : "y ~ x");
    case RSP_V_LAVAAN: return other_tokens(m, now ? now : like ? like : "f =~ x + y + z");
    case RSP_V_TEXT: return chance(m, 2) || !like ? PICK(m, HOSTILE) : like;
    default: return like ? like : "x";
    }
}

static inline rsp_node *made_up_value(struct mutant *m, const struct slots *all, const rsp_key *key, int depth);

/* A mapping with the keys that it needs, and some of the others. */
static inline rsp_node *made_up_object(struct mutant *m, const struct slots *all, const rsp_key *key, int depth) {
    rsp_node *n = empty_node(m, true);
    for (const rsp_key *k = key->keys; k && k->name; k++)
        if (k->required || (depth < 3 && chance(m, 6))) add_item(m, n, k->name, made_up_value(m, all, k, depth + 1));
    return n;
}

static inline rsp_node *made_up_value(struct mutant *m, const struct slots *all, const rsp_key *key, int depth) {
    unsigned s = key->shapes;
    if (key->keys && s & RSP_S_OBJECTS) {
        rsp_node *n = empty_node(m, false);
        add_item(m, n, NULL, made_up_object(m, all, key, depth));
        return n;
    }
    if (key->keys && s & RSP_S_OBJECT && (!(s & RSP_S_ONE) || chance(m, 2))) return made_up_object(m, all, key, depth);
    rsp_node *one = scalar(m, some_text(m, all, key, NULL), chance(m, 2));
    if (s & RSP_S_ONE && (chance(m, 2) || !(s & (RSP_S_LIST | RSP_S_MAP)))) return one;
    rsp_node *n = empty_node(m, (s & (RSP_S_MAP | RSP_S_MAP_LIST | RSP_S_MAP_WORDS)) != 0);
    if (s & RSP_S_WORDS) n->kind = RSP_Y_MAP;
    const char *name = s & RSP_S_WORDS ? "en" : s & RSP_S_MAP_WORDS ? "a" : name_in_survey(m);
    if (s & RSP_S_LISTS) {
        rsp_node *inner = empty_node(m, false);
        add_item(m, inner, NULL, one);
        one = inner;
    }
    add_item(m, n, n->kind == RSP_Y_MAP ? name : NULL, one);
    return n;
}

static inline void put_in(struct mutant *m, const struct slot *s, rsp_node *with) {
    (void) m;
    if (s->parent) s->parent->items[s->index] = with;
}

static inline void take_out(const struct slot *s) {
    rsp_node *p = s->parent;
    if (!p || !p->n) return;
    for (size_t k = s->index; k + 1 < p->n; k++) {
        p->items[k] = p->items[k + 1];
        if (p->keys) p->keys[k] = p->keys[k + 1];
    }
    p->n--;
}

/* Is `inner` below `outer`, or the same? A node put below itself would have no end. */
static inline bool holds(const rsp_node *outer, const rsp_node *inner) {
    if (outer == inner) return true;
    for (size_t k = 0; outer->kind != RSP_Y_SCALAR && k < outer->n; k++)
        if (holds(outer->items[k], inner)) return true;
    return false;
}

static inline const char *name_of(const struct slot *s) { return s->key ? s->key->name : "?"; }

static inline void insert_key(struct mutant *m, const struct slots *all) {
    for (size_t tries = 0; tries < 50; tries++) {
        const struct slot *s = &all->v[pick(m, chance(m, 3) ? 1 : all->n)]; /* the first is the whole */
        if (!s->object) continue;
        size_t n = 0;
        while (s->key->keys[n].name) n++;
        const rsp_key *key = &s->key->keys[pick(m, n)];
        if (rsp_node_find(s->node, key->name)) continue;
        add_item(m, s->node, key->name, made_up_value(m, all, key, 0));
        told(m, "new key", key->name);
        return;
    }
}

static inline void mutate_node(struct mutant *m, const struct slots *all) {
    const struct slot *s = &all->v[pick(m, all->n)], *other = &all->v[pick(m, all->n)];
    for (size_t tries = 0; tries < 30 && (!s->key || !s->parent); tries++) s = &all->v[pick(m, all->n)];
    if (!s->key || !s->parent) return;
    switch (pick(m, 8)) {
    case 0:
        told(m, "without", name_of(s));
        take_out(s);
        return;
    case 1:
        if (s->parent->n >= 1000 || (s->parent->keys && !chance(m, 6))) return; /* a key twice is an error, and known */
        told(m, "twice", name_of(s));
        add_item(m, s->parent, s->parent->keys ? s->parent->keys[s->index]->text : NULL, s->node);
        return;
    case 2: /* any other value */
        if (holds(other->node, s->node) || holds(s->node, other->node)) return;
        told(m, rsp_printf(m->arena, "value of %s for", name_of(other)), name_of(s));
        put_in(m, s, other->node);
        return;
    case 3: { /* another shape */
        if (!chance(m, 3)) return;
        rsp_node *wrapped = empty_node(m, chance(m, 2));
        add_item(m, wrapped, wrapped->kind == RSP_Y_MAP ? "en" : NULL, s->node);
        told(m, "wrapped", name_of(s));
        put_in(m, s, chance(m, 3) ? empty_node(m, wrapped->kind == RSP_Y_MAP) : wrapped);
        return;
    }
    case 4: insert_key(m, all); return;
    default: { /* another value of its kind */
        bool single = s->node->kind == RSP_Y_SCALAR;
        told(m, "another", name_of(s));
        put_in(m, s,
               single ? scalar(m, some_text(m, all, s->key, s->node->text), s->node->plain)
                      : made_up_value(m, all, s->key, 1));
    }
    }
}

static inline void emit_scalar(const rsp_node *n, rsp_buf *b) {
    bool simple = n->text[0] != '-' || isdigit((unsigned char) n->text[1]);
    for (const char *c = n->text; *c; c++) simple = simple && (isalnum((unsigned char) *c) || strchr("_.-", *c));
    if (n->plain && simple) {
        rsp_buf_puts(b, n->text);
        return;
    }
    rsp_buf_putc(b, '"');
    for (const unsigned char *c = (const unsigned char *) n->text; *c; c++) {
        if (*c == '"' || *c == '\\') rsp_buf_printf(b, "\\%c", *c);
        else if (*c < 0x20) rsp_buf_printf(b, "\\x%02x", *c);
        else rsp_buf_putc(b, (char) *c);
    }
    rsp_buf_putc(b, '"');
}

static inline void emit(const rsp_node *n, rsp_buf *b, int depth) {
    if (n->kind == RSP_Y_SCALAR) {
        emit_scalar(n, b);
        return;
    }
    bool map = n->kind == RSP_Y_MAP, lines = depth == 0 || (depth == 1 && n->n > 1);
    if (depth) rsp_buf_putc(b, map ? '{' : '[');
    for (size_t k = 0; k < n->n && b->length < MOST_PART_BYTES; k++) {
        if (depth && k) rsp_buf_puts(b, ", ");
        if (depth && lines) rsp_buf_puts(b, "\n  ");
        if (map) {
            emit_scalar(n->keys[k], b);
            rsp_buf_puts(b, ": ");
        }
        emit(n->items[k], b, depth + 1);
        if (!depth) rsp_buf_putc(b, '\n');
    }
    if (depth) rsp_buf_putc(b, map ? '}' : ']');
}

/* False if it is no YAML (any more): then only its lines can be changed. */
static inline bool mutate_nodes(struct mutant *m, struct part *p, size_t times) {
    rsp_diag *d = rsp_diag_new();
    struct slots all = {0};
    rsp_node *root = rsp_yaml_parse(m->arena, "study.yaml", p->bytes.data, p->bytes.length, d);
    bool usable = root && root->kind == RSP_Y_MAP;
    for (; usable && times; times--) {
        all.n = 0;
        collect(&all, root, NULL, 0, &RSP_STUDY_KEYS);
        mutate_node(m, &all);
    }
    if (usable) {
        p->bytes.length = 0;
        emit(root, &p->bytes, 0);
    }
    free(all.v);
    rsp_diag_free(d);
    return usable;
}

/* ---- CSV files as grids ----------------------------------------------------------------------------------------- */

struct grid {
    char ***rows;
    size_t *width, n;
};

static inline struct grid read_grid(struct mutant *m, const rsp_buf *file) {
    size_t most = 2, commas = 2;
    for (size_t k = 0; k < file->length; k++) most += file->data[k] == '\n', commas += file->data[k] == ',';
    struct grid g = {RSP_ARRAY(m->arena, char **, most), RSP_ARRAY(m->arena, size_t, most), 0};
    char **room = RSP_ARRAY(m->arena, char *, most + commas), *out = rsp_alloc(m->arena, file->length + most + commas);
    bool quoted = false;
    char *cell = out;
    if (file->length) g.rows[0] = room;
    for (size_t k = 0; k < file->length; k++) {
        char c = file->data[k];
        if (c == '"') quoted = !quoted;
        else if (quoted || (c != ',' && c != '\n')) *out++ = c == '\r' && !quoted ? ' ' : c;
        else {
            *out++ = '\0';
            g.rows[g.n][g.width[g.n]++] = cell;
            cell = out;
            if (c == '\n') {
                room = g.rows[g.n] + g.width[g.n];
                g.rows[++g.n] = room;
            }
        }
    }
    if (out > cell && g.n < most) {
        *out = '\0';
        g.rows[g.n][g.width[g.n]++] = cell;
        g.n++;
    }
    return g;
}

static inline void write_grid(const struct grid *g, rsp_buf *to) {
    to->length = 0;
    for (size_t i = 0; i < g->n; i++) {
        for (size_t j = 0; j < g->width[i] && to->length < MOST_PART_BYTES; j++) {
            if (j) rsp_buf_putc(to, ',');
            rsp_buf_csv(to, g->rows[i][j], false);
        }
        rsp_buf_putc(to, '\n');
    }
}

static inline void swap_cells(char **a, char **b) {
    char *t = *a;
    *a = *b;
    *b = t;
}

static inline void mutate_column(struct mutant *m, struct grid *g, size_t j) {
    size_t kind = pick(m, 6), other = g->width[0] ? pick(m, g->width[0]) : 0;
    const char *hostile = PICK(m, HOSTILE);
    static const char *const kinds[] = {"blank", "constant", "hostile", "swapped", "distinct", "sparse"};
    told(m, rsp_printf(m->arena, "column %s", kinds[kind]), g->n && j < g->width[0] ? g->rows[0][j] : "");
    for (size_t i = 1; i < g->n; i++) {
        if (j >= g->width[i]) continue;
        char **cell = &g->rows[i][j];
        if (kind == 0) *cell = (char *) "";
        else if (kind == 1 && j < g->width[1]) *cell = g->rows[1][j];
        else if (kind == 2) *cell = rsp_strdup(m->arena, hostile);
        else if (kind == 3 && other < g->width[i]) swap_cells(cell, &g->rows[i][other]);
        else if (kind == 4) *cell = rsp_printf(m->arena, "%zu", i * 7919);
        else if (kind == 5 && i % 7) *cell = (char *) "";
    }
}

static inline void mutate_grid(struct mutant *m, struct grid *g) {
    if (g->n < 2) return;
    size_t i = pick(m, g->n), k = pick(m, g->n), j = g->width[i] ? pick(m, g->width[i]) : 0;
    switch (pick(m, 9)) {
    case 0:
        told(m, "row gone", "");
        memmove(g->rows + i, g->rows + i + 1, (g->n - i - 1) * sizeof *g->rows);
        memmove(g->width + i, g->width + i + 1, (g->n - i - 1) * sizeof *g->width);
        g->n--;
        return;
    case 1:
        told(m, "row twice", "");
        g->rows[i] = g->rows[k];
        g->width[i] = g->width[k];
        return;
    case 2:
        told(m, "few rows", "");
        g->n = 1 + pick(m, g->n < 14 ? g->n : 14);
        return;
    case 3:
        told(m, "short row", "");
        g->width[i] = j;
        return;
    case 4:
    case 5: mutate_column(m, g, g->width[0] ? pick(m, g->width[0]) : 0); return;
    case 6: /* a heading */
        if (!g->width[0]) return;
        j = pick(m, g->width[0]);
        told(m, "other heading", g->rows[0][j]);
        g->rows[0][j] = chance(m, 2) ? g->rows[0][pick(m, g->width[0])] : rsp_strdup(m->arena, PICK(m, HOSTILE));
        return;
    default: /* a cell, or some */
        told(m, "cells", "");
        for (size_t n = 1 + pick(m, 20); n; n--) {
            i = pick(m, g->n);
            if (!g->width[i]) continue;
            j = pick(m, g->width[i]);
            k = pick(m, g->n);
            if (chance(m, 2) && g->width[k]) g->rows[i][j] = g->rows[k][pick(m, g->width[k])];
            else g->rows[i][j] = rsp_strdup(m->arena, PICK(m, HOSTILE));
        }
    }
}

/* ---- encodings, lines, bytes ------------------------------------------------------------------------------------ */

static inline void swap_bytes(rsp_buf *b, const rsp_buf *with) {
    b->length = 0;
    rsp_buf_add(b, with->data ? with->data : "", with->length);
}

static inline void recode(struct mutant *m, rsp_buf *b) {
    rsp_buf out = {0};
    size_t kind = pick(m, 7);
    static const char *const kinds[] = {"UTF-16LE", "UTF-16BE", "BOM", "CR", "delimiter", "cut off", "Latin-1"};
    if (kind < 2) rsp_buf_add(&out, kind ? "\xFE\xFF" : "\xFF\xFE", 2);
    if (kind == 2) rsp_buf_puts(&out, "\xEF\xBB\xBF");
    for (size_t k = 0; k < b->length; k++) {
        char c = b->data[k];
        if (kind == 1) rsp_buf_putc(&out, '\0');
        if (kind == 3 && c == '\n') c = '\r';
        if (kind == 4 && c == ',') c = ';';
        if (kind == 6 && (unsigned char) c >= 0xC0) c = '\xE9';
        rsp_buf_putc(&out, c);
        if (kind == 0) rsp_buf_putc(&out, '\0');
    }
    if (kind == 5) out.length = pick(m, out.length + 1);
    told(m, "recoded:", kinds[kind]);
    swap_bytes(b, &out);
    rsp_buf_free(&out);
}

static inline void mutate_bytes(struct mutant *m, rsp_buf *b, size_t times) {
    size_t room = b->length + 65536;
    char *bytes = rsp_malloc(room);
    memcpy(bytes, b->data ? b->data : "", b->length);
    struct text t = {bytes, b->length, room};
    told(m, "lines and words", "");
    for (; times && t.size; times--) {
        if (chance(m, 6)) t.bytes[pick(m, t.size)] = (char) pick(m, 256);
        else mutate_once(&t, &m->state);
    }
    b->length = 0;
    rsp_buf_add(b, t.bytes, t.size);
    free(bytes);
}

/* ---- the whole -------------------------------------------------------------------------------------------------- */

static inline void mutate_part(struct mutant *m, struct part *p) {
    bool yaml = strcmp(p->name, "study.yaml") == 0;
    told(m, p->name, ":");
    if (yaml && !chance(m, 6) && mutate_nodes(m, p, 1 + pick(m, 2))) return;
    if (!yaml && !chance(m, 5)) {
        struct grid g = read_grid(m, &p->bytes);
        for (size_t k = 1 + pick(m, 3); k; k--) mutate_grid(m, &g);
        write_grid(&g, &p->bytes);
        return;
    }
    if (!yaml && chance(m, 2)) recode(m, &p->bytes);
    else mutate_bytes(m, &p->bytes, 1 + pick(m, 4));
}

/* Published and made-up data need no disclosure control; here they get it now and then. */
static inline void protect(struct mutant *m) {
    static const char off[] = "\ndisclosure: off";
    for (size_t k = 0; k < m->n; k++) {
        rsp_buf *b = &m->parts[k].bytes;
        char *at = strcmp(m->parts[k].name, "study.yaml") == 0 ? memmem(b->data, b->length, off, sizeof off - 1) : NULL;
        if (!at) continue;
        memset(at + 1, '#', 1);
        told(m, "protected", "");
    }
}

/* The folder of the text, changed as the seed says. The parts are the caller's to free. */
static inline void mutate_folder(struct mutant *m, const char *data, size_t size, uint64_t seed) {
    const char *end = data + size;
    *m = (struct mutant){.state = (seed + 1) * 0x9E3779B97F4A7C15u, .arena = rsp_arena_new()};
    for (int k = 0; k < 8; k++) draw(&m->state, 0); /* seeds beside each other part */
    for (const char *p = next_part(data, end); p < end && m->n < MOST_PARTS;) {
        const char *name = p + 3, *newline = memchr(name, '\n', (size_t) (end - name));
        if (!newline) break;
        p = next_part(newline + 1, end);
        if (!good_name(name, (size_t) (newline - name))) continue;
        struct part *part = &m->parts[m->n++];
        snprintf(part->name, sizeof part->name, "%.*s", (int) (newline - name), name);
        rsp_buf_add(&part->bytes, newline + 1, (size_t) (p - newline - 1));
    }
    if (seed == 0) return; /* as it is */
    if (chance(m, 3)) protect(m);
    for (size_t k = chance(m, 3) ? 2 : 1; k && m->n; k--) {
        size_t at = pick(m, m->n), wanted = pick(m, 3); /* the study, the answers, any */
        for (size_t tries = 0; tries < 50 && wanted < 2; tries++, at = pick(m, m->n)) {
            const char *name = m->parts[at].name;
            bool study = strcmp(name, "study.yaml") == 0, form = strcmp(name, "survey.csv") == 0 ||
                                                                 strcmp(name, "choices.csv") == 0 ||
                                                                 strncmp(name, "targets", 7) == 0;
            if (wanted == 0 ? study : !study && !form) break;
        }
        mutate_part(m, &m->parts[at]);
    }
}

static inline void mutant_free(struct mutant *m) {
    for (size_t k = 0; k < m->n; k++) rsp_buf_free(&m->parts[k].bytes);
    rsp_buf_free(&m->story);
    rsp_arena_free(m->arena);
}

#endif
