/* Reading reports/brief.yaml. */
#include "brief.h"

#include "study/yaml.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    brief_definition *b;
    rsp_diag *d;
} loader;

static const char *const HINT = "see the comments of reports/brief.yaml";

#define FAULT(l, loc, hint, ...) rsp_report((l)->d, RSP_ERR_STUDY, (loc), (hint), __VA_ARGS__)

/* ---- conditions ------------------------------------------------------------------------------------------------- */

static bool allowed(rsp_expr_op op) {
    return op == RSP_X_NUMBER || op == RSP_X_VARIABLE || (op >= RSP_X_AND && op <= RSP_X_DIV) || op == RSP_X_NEG ||
           op == RSP_X_IS_MISSING;
}

static void check_condition(loader *l, const rsp_expr *e) {
    if (!allowed(e->op))
        FAULT(l, e->loc, "compare numbers; and, or, not, is-missing", "conditions of the brief know no such function");
    if (e->op == RSP_X_VARIABLE && !brief_value_known(e->text))
        FAULT(l, e->loc, "the names stand at the top of reports/brief.yaml", "unknown value '%s'", e->text);
    for (size_t k = 0; k < e->n_args; k++) check_condition(l, e->args[k]);
}

static rsp_expr *condition(loader *l, const rsp_node *map) {
    const rsp_node *n = rsp_node_find(map, "when");
    if (!n || !rsp_node_text(map, "when", false, l->d)) return NULL;
    rsp_expr *e = rsp_expr_parse(l->b->arena, n->text, &n->origin, l->d);
    if (e) check_condition(l, e);
    return e;
}

/* ---- rules ------------------------------------------------------------------------------------------------------ */

/* of_kinds: each rule says the kind of observation it is about; otherwise all are about the edition. */
static brief_rule one_rule(loader *l, const rsp_node *n, bool of_kinds) {
    static const char *const keys[] = {"of", "when", "say", NULL};
    brief_rule r = {.loc = n->loc};
    if (n->kind == RSP_Y_SCALAR && !of_kinds) {
        r.say = n->text;
        return r;
    }
    if (n->kind != RSP_Y_MAP) {
        FAULT(l, n->loc, "write {say: KEY, when: CONDITION}", "a rule is a mapping");
        return r;
    }
    rsp_node_only(n, keys, HINT, l->d);
    r.say = rsp_node_text(n, "say", true, l->d);
    r.of = rsp_node_text(n, "of", of_kinds, l->d);
    r.when = condition(l, n);
    if (r.when) r.condition = rsp_node_find(n, "when")->text;
    if (r.of && !brief_kind_known(r.of)) FAULT(l, n->loc, NULL, "there are no observations of kind '%s'", r.of);
    return r;
}

static brief_rules rules_of(loader *l, const rsp_node *map, const char *key, bool of_kinds) {
    brief_rules out = {0, NULL};
    const rsp_node *n = rsp_node_find(map, key);
    if (!n) return out;
    if (n->kind != RSP_Y_LIST) {
        FAULT(l, n->loc, NULL, "'%s' is a list of rules", key);
        return out;
    }
    out.rules = RSP_ARRAY(l->b->arena, brief_rule, n->n);
    for (size_t k = 0; k < n->n; k++) {
        brief_rule r = one_rule(l, n->items[k], of_kinds);
        if (r.say) out.rules[out.n++] = r;
    }
    return out;
}

/* ---- sections --------------------------------------------------------------------------------------------------- */

static brief_section one_section(loader *l, const rsp_node *n) {
    static const char *const keys[] = {"heading", "text", "list", "findings", "countries", NULL};
    brief_section s = {.kind = BRIEF_TEXT};
    if (n->kind != RSP_Y_MAP) {
        FAULT(l, n->loc, "write {heading: KEY, text: [...]}", "a section is a mapping");
        return s;
    }
    rsp_node_only(n, keys, HINT, l->d);
    s.heading = rsp_node_text(n, "heading", true, l->d);
    if (rsp_node_find(n, "list")) s.kind = BRIEF_LIST;
    if (rsp_node_find(n, "findings")) s.kind = BRIEF_FINDINGS;
    if (rsp_node_find(n, "countries")) s.kind = BRIEF_COUNTRIES;
    s.text = rules_of(l, n, s.kind == BRIEF_LIST ? "list" : "text", false);
    return s;
}

static size_t sections_of(loader *l, const rsp_node *root, const char *key, brief_section **out) {
    const rsp_node *n = rsp_node_find(root, key);
    if (!n || n->kind != RSP_Y_LIST) {
        FAULT(l, n ? n->loc : root->loc, NULL, "'%s' must be a list of sections", key);
        return 0;
    }
    *out = RSP_ARRAY(l->b->arena, brief_section, n->n);
    for (size_t k = 0; k < n->n; k++) (*out)[k] = one_section(l, n->items[k]);
    return n->n;
}

/* ---- numbers and names ------------------------------------------------------------------------------------------ */

static void load_limits(loader *l, const rsp_node *root) {
    static const char *const keys[] = {"pages",    "words",         "charts",      "findings",
                                       "messages", "message_words", "title_words", NULL};
    brief_limits *m = &l->b->limits;
    size_t *const into[] = {&m->pages,    &m->words,         &m->charts,     &m->findings,
                            &m->messages, &m->message_words, &m->title_words};
    const rsp_node *n = rsp_node_find(root, "limits");
    if (!n || n->kind != RSP_Y_MAP) {
        FAULT(l, n ? n->loc : root->loc, NULL, "'limits' must be a mapping");
        return;
    }
    rsp_node_only(n, keys, HINT, l->d);
    for (size_t k = 0; keys[k]; k++) {
        const char *text = rsp_node_text(n, keys[k], true, l->d);
        double x;
        if (text && rsp_parse_double(text, strlen(text), '.', &x) && x >= 1 && x <= 100000 && x == floor(x))
            *into[k] = (size_t) x;
        else if (text) FAULT(l, n->loc, NULL, "limit '%s' is a whole number above 0, not '%s'", keys[k], text);
    }
}

static void load_hyphenation(loader *l, const rsp_node *root) {
    const rsp_node *n = rsp_node_find(root, "hyphenation");
    if (!n || n->kind != RSP_Y_MAP) return;
    l->b->hyphenation = RSP_ARRAY(l->b->arena, rsp_pair, n->n);
    for (size_t k = 0; k < n->n; k++)
        if (n->items[k]->kind == RSP_Y_SCALAR)
            l->b->hyphenation[l->b->n_hyphenation++] = (rsp_pair){n->keys[k]->text, n->items[k]->text};
        else FAULT(l, n->items[k]->loc, NULL, "hyphenation: a language has one file of patterns");
}

static void load_root(loader *l, const rsp_node *root) {
    static const char *const keys[] = {"limits",  "hyphenation", "titles",   "messages", "sentences",
                                       "notices", "footer",      "sections", "notes",    NULL};
    brief_definition *b = l->b;
    if (root->kind != RSP_Y_MAP) {
        FAULT(l, root->loc, NULL, "the definition of the brief is a mapping");
        return;
    }
    rsp_node_only(root, keys, HINT, l->d);
    load_limits(l, root);
    load_hyphenation(l, root);
    b->titles = rules_of(l, root, "titles", true);
    b->messages = rules_of(l, root, "messages", true);
    b->sentences = rules_of(l, root, "sentences", true);
    b->notices = rules_of(l, root, "notices", false);
    b->footer = rules_of(l, root, "footer", false);
    b->n_sections = sections_of(l, root, "sections", &b->sections);
    b->n_notes = sections_of(l, root, "notes", &b->notes);
    if (!b->titles.n || b->titles.rules[b->titles.n - 1].when)
        FAULT(l, root->loc, "end `titles` with a rule of kind edition that has no condition",
              "a brief without a finding would have no title");
}

brief_definition *brief_definition_load(const char *path, rsp_diag *d) {
    rsp_arena *a = rsp_arena_new();
    brief_definition *b = RSP_NEW(a, brief_definition);
    *b = (brief_definition){.arena = a, .path = rsp_strdup(a, path)};
    loader l = {b, d};
    size_t before = rsp_diag_errors(d);
    rsp_node *root = rsp_yaml_read(a, b->path, d);
    if (root) load_root(&l, root);
    if (rsp_diag_errors(d) == before) return b;
    brief_definition_free(b);
    return NULL;
}

void brief_definition_free(brief_definition *b) {
    if (b) rsp_arena_free(b->arena);
}

/* ---- messages --------------------------------------------------------------------------------------------------- */

static bool covers(const brief_rules *r, const rsp_texts *t, rsp_diag *d) {
    bool ok = true;
    for (size_t k = 0; k < r->n; k++) {
        if (rsp_texts_has(t, r->rules[k].say)) continue;
        ok = false;
        rsp_report(d, RSP_ERR_STUDY, r->rules[k].loc, "add it to reports/texts", "no message '%s' in '%s'",
                   r->rules[k].say, rsp_texts_lang(t));
    }
    return ok;
}

static bool covers_sections(const brief_section *s, size_t n, const brief_definition *b, const rsp_texts *t,
                            rsp_diag *d) {
    bool ok = true;
    for (size_t k = 0; k < n; k++) {
        brief_rule heading = {.say = s[k].heading, .loc = {b->path, 0, 0}};
        ok = covers(&(brief_rules){1, &heading}, t, d) && ok;
        ok = covers(&s[k].text, t, d) && ok;
    }
    return ok;
}

bool brief_definition_covered(const brief_definition *b, const rsp_texts *t, rsp_diag *d) {
    bool ok = covers(&b->titles, t, d);
    ok = covers(&b->messages, t, d) && ok;
    ok = covers(&b->sentences, t, d) && ok;
    ok = covers(&b->notices, t, d) && ok;
    ok = covers(&b->footer, t, d) && ok;
    ok = covers_sections(b->sections, b->n_sections, b, t, d) && ok;
    return covers_sections(b->notes, b->n_notes, b, t, d) && ok;
}
