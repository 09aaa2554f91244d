/* Loading a study: the order of sections, the plain ones, and what is asked of a loaded study. */
#include "study/loader.h"

#include "responsive/limits.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- reading nodes ---------------------------------------------------------------------------------------------- */

rsp_node *rsp_get(const rsp_node *map, const char *key) {
    rsp_node *n = map && !map->bad ? rsp_node_find(map, key) : NULL;
    return n && !n->bad && !(n->kind == RSP_Y_SCALAR && n->plain && !n->text[0]) ? n : NULL;
}

const char *rsp_get_text(const rsp_node *map, const char *key) {
    const rsp_node *n = rsp_get(map, key);
    return n && n->kind == RSP_Y_SCALAR ? n->text : NULL;
}

double rsp_node_number(const rsp_node *n) {
    double value;
    return n && !n->bad && n->kind == RSP_Y_SCALAR && rsp_parse_double(n->text, strlen(n->text), '.', &value) ? value
                                                                                                              : NAN;
}

double rsp_get_number(const rsp_node *map, const char *key, double fallback) {
    double value = rsp_node_number(rsp_get(map, key));
    return isnan(value) ? fallback : value;
}

bool rsp_get_yes(const rsp_node *map, const char *key) {
    const char *text = rsp_get_text(map, key);
    return text && (strcmp(text, "yes") == 0 || strcmp(text, "true") == 0);
}

int rsp_get_choice(const rsp_node *map, const char *key, const char *const *words, int fallback) {
    const char *text = rsp_get_text(map, key);
    for (int k = 0; text && words[k]; k++)
        if (strcmp(words[k], text) == 0) return k;
    return fallback;
}

bool rsp_wording_too_long(rsp_loader *l, const char *text, rsp_loc loc) {
    size_t length = strlen(text);
    if (length <= RSP_MOST_WORDING_BYTES) return false;
    RSP_FAULT(l, loc, "is a quotation mark missing before it?", "a text of %zu bytes: labels have at most %d", length,
              RSP_MOST_WORDING_BYTES);
    return true;
}

rsp_text rsp_read_words(rsp_loader *l, const rsp_node *n) {
    rsp_text t = {0, NULL};
    if (!n || n->kind == RSP_Y_LIST) return t;
    if (n->kind == RSP_Y_SCALAR) {
        t = (rsp_text){1, RSP_NEW(l->a, rsp_wording)};
        t.wording[0] = (rsp_wording){"", rsp_wording_too_long(l, n->text, n->loc) ? "" : n->text};
        return t;
    }
    t.wording = RSP_ARRAY(l->a, rsp_wording, n->n);
    for (size_t k = 0; k < n->n; k++) {
        if (n->keys[k]->joins && t.n)
            t.wording[t.n - 1].text = rsp_printf(l->a, "%s, %s", t.wording[t.n - 1].text, n->keys[k]->text);
        else if (!n->items[k]->bad && !rsp_wording_too_long(l, n->items[k]->text, n->items[k]->loc))
            t.wording[t.n++] = (rsp_wording){n->keys[k]->text, n->items[k]->text};
    }
    return t;
}

size_t rsp_values(const rsp_node *n) {
    return !n || n->bad ? 0 : n->kind == RSP_Y_SCALAR ? 1 : n->kind == RSP_Y_LIST ? n->n : 0;
}

rsp_node *rsp_value_at(const rsp_node *n, size_t k) { return n->kind == RSP_Y_LIST ? n->items[k] : (rsp_node *) n; }

void rsp_add_input(rsp_loader *l, const char *path) {
    for (size_t k = 0; k < l->s->n_inputs; k++)
        if (strcmp(l->s->inputs[k], path) == 0) return;
    RSP_PUSH(l->s->inputs, l->s->n_inputs, l->cap_inputs, path);
}

/* ---- plain sections --------------------------------------------------------------------------------------------- */

static void load_field(rsp_loader *l) {
    const rsp_node *n = rsp_get(l->root, "field");
    l->s->field.from = rsp_get_text(n, "from");
    l->s->field.to = rsp_get_text(n, "to");
    l->s->field.freeze = rsp_get_text(n, "freeze");
    l->s->field.wave = (long) rsp_get_number(n, "wave", 0);
    if (l->s->field.from && l->s->field.to && strcmp(l->s->field.from, l->s->field.to) > 0)
        RSP_FAULT(l, rsp_get(n, "to")->loc, NULL, "the field period ends (%s) before it begins (%s)", l->s->field.to,
                  l->s->field.from);
}

static void load_languages(rsp_loader *l) {
    const rsp_node *n = rsp_get(l->root, "languages");
    l->s->languages = RSP_ARRAY(l->a, const char *, rsp_values(n));
    for (size_t k = 0; k < rsp_values(n); k++) {
        const rsp_node *value = rsp_value_at(n, k);
        for (size_t j = 0; j < l->s->n_languages; j++)
            if (strcmp(l->s->languages[j], value->text) == 0)
                RSP_FAULT(l, value->loc, NULL, "language '%s' stands twice", value->text);
        if (!value->bad) l->s->languages[l->s->n_languages++] = value->text;
    }
    if (n) l->s->languages_loc = n->loc;
    if (n && !n->n) RSP_FAULT(l, n->loc, NULL, "'languages' needs at least one language");
}

static char one_sign(const char *text) {
    if (!text) return 0;
    return strcmp(text, "tab") == 0 ? '\t' : strcmp(text, "pipe") == 0 ? '|' : text[0];
}

static void load_set(rsp_loader *l, const rsp_node *n, rsp_source *x) {
    x->set = RSP_ARRAY(l->a, rsp_pair, n ? n->n : 0);
    for (size_t k = 0; n && k < n->n; k++) {
        const rsp_node *key = n->keys[k], *value = n->items[k];
        size_t v = rsp_bind_name(l, key->text, key->loc, "'set'");
        if (v == RSP_NONE || value->bad) continue;
        if (rsp_var(l, v)->list && !rsp_is_set(rsp_var(l, v)))
            rsp_bind_code(l, rsp_var(l, v)->list, value->text, value->loc, rsp_printf(l->a, "'%s'", key->text));
        x->set[x->n_set++] = (rsp_pair){key->text, value->text};
    }
}

/* Is it a variable, a column of a select_multiple (NAME[CODE], NAME/CODE, ...), or a heading that survey.csv names? */
static bool is_column(const rsp_loader *l, const char *text) {
    static const char *const joints[] = {"[", "/", ".", "___"};
    if (rsp_map_get(l->names, text) != RSP_NONE) return true;
    for (size_t k = 0; k < l->n_questions; k++)
        for (size_t j = 0; j < rsp_var(l, k)->n_export_names; j++)
            if (strcmp(rsp_var(l, k)->export_names[j], text) == 0) return true;
    for (size_t k = 0; k < 4; k++) {
        const char *joint = strstr(text, joints[k]);
        size_t v = joint ? rsp_map_get_n(l->names, text, (size_t) (joint - text)) : RSP_NONE;
        if (v == RSP_NONE || !rsp_is_set(rsp_var(l, v))) continue;
        const char *code = joint + strlen(joints[k]);
        size_t length = strlen(code) - (k == 0 && code[0] && code[strlen(code) - 1] == ']');
        for (size_t c = 0; c < rsp_var(l, v)->list->n; c++) {
            const char *known = rsp_var(l, v)->list->choices[c].code;
            if (strlen(known) == length && strncmp(known, code, length) == 0) return true;
        }
    }
    return false;
}

static void load_rename(rsp_loader *l, const rsp_node *n, rsp_source *x) {
    x->rename = RSP_ARRAY(l->a, rsp_pair, n ? n->n : 0);
    for (size_t k = 0; n && k < n->n; k++) {
        const rsp_node *value = n->items[k];
        if (value->bad) continue;
        if (!is_column(l, value->text)) rsp_bind_name(l, value->text, value->loc, "'rename'");
        x->rename[x->n_rename++] = (rsp_pair){n->keys[k]->text, value->text};
    }
}

static void load_sources(rsp_loader *l) {
    const rsp_node *n = rsp_get(l->root, "sources");
    l->s->sources = RSP_ARRAY(l->a, rsp_source, n ? n->n : 0);
    if (n && !n->n) RSP_FAULT(l, n->loc, NULL, "'sources' needs at least one entry");
    for (size_t k = 0; n && k < n->n; k++) {
        const rsp_node *one = n->items[k], *files = rsp_get(one, "files");
        rsp_source *x = &l->s->sources[l->s->n_sources++];
        const char *format = rsp_get_text(one, "format");
        *x = (rsp_source){.format = format ? format : "auto",
                          .encoding = rsp_get_text(one, "encoding"),
                          .delimiter = one_sign(rsp_get_text(one, "delimiter")),
                          .decimal = one_sign(rsp_get_text(one, "decimal")),
                          .sheet = rsp_get_text(one, "sheet"),
                          .dates = one_sign(rsp_get_text(one, "dates")),
                          .simulated = rsp_get_yes(one, "simulated"),
                          .loc = files ? files->loc : one->loc};
        x->patterns = RSP_ARRAY(l->a, const char *, rsp_values(files));
        for (size_t j = 0; j < rsp_values(files); j++)
            if (!rsp_value_at(files, j)->bad) x->patterns[x->n_patterns++] = rsp_value_at(files, j)->text;
        if (files && !rsp_values(files)) RSP_FAULT(l, files->loc, NULL, "'files' names no file");
        load_set(l, rsp_get(one, "set"), x);
        load_rename(l, rsp_get(one, "rename"), x);
    }
}

static size_t load_role(rsp_loader *l, const rsp_node *n, const char *role) {
    return rsp_bind(l, rsp_get(n, role), rsp_printf(l->a, "role '%s'", role));
}

/* A country's files bear its code: two that differ in nothing but signs would be one file. */
static void check_country_files(rsp_loader *l, const rsp_list *list, rsp_loc loc) {
    rsp_map *seen = rsp_map_new();
    for (size_t k = 0; list && k < list->n; k++) {
        const char *word = rsp_file_word(l->a, list->choices[k].code);
        size_t other = rsp_map_get(seen, word);
        if (other == RSP_NONE) rsp_map_put(seen, word, k);
        else
            RSP_FAULT(l, loc, "change one of them", "the countries '%s' and '%s' would share their files: '%s'",
                      list->choices[other].code, list->choices[k].code, word);
    }
    rsp_map_free(seen);
}

static void load_roles(rsp_loader *l) {
    const rsp_node *n = rsp_get(l->root, "roles");
    rsp_roles *r = &l->s->roles;
    r->id = load_role(l, n, "id");
    r->country = load_role(l, n, "country");
    r->language = load_role(l, n, "language");
    r->organisation = load_role(l, n, "organisation");
    r->started = load_role(l, n, "started");
    r->submitted = load_role(l, n, "submitted");
    r->duration = load_role(l, n, "duration");
    r->consent = load_role(l, n, "consent");
    if (r->country != RSP_NONE) check_country_files(l, rsp_var(l, r->country)->list, rsp_get(n, "country")->loc);
    if (r->country != RSP_NONE && rsp_var(l, r->country)->type != RSP_SELECT_ONE)
        RSP_FAULT(l, rsp_get(n, "country")->loc,
                  "make it a select_one question, so that countries have codes and names",
                  "the country '%s' has no codes", rsp_var(l, r->country)->name);
}

static void load_privacy(rsp_loader *l) {
    const rsp_node *n = rsp_get(l->root, "privacy"), *keep = rsp_get(n, "keep");
    size_t *kept = RSP_ARRAY(l->a, size_t, rsp_values(keep));
    for (size_t k = 0; k < rsp_values(keep); k++) {
        size_t v = rsp_bind(l, rsp_value_at(keep, k), "'keep'");
        if (v != RSP_NONE) kept[l->s->privacy.n_keep++] = v;
    }
    l->s->privacy.keep = kept;
    l->s->privacy.key = rsp_get_text(n, "key");
    if (l->s->privacy.key) /* it is made where it is not there yet, so it is no input */
        rsp_study_may_read(l->s, rsp_path_join(l->a, l->s->dir, l->s->privacy.key), rsp_get(n, "key")->loc, l->d);
}

/* relevant and constraint of survey.csv: bound when questions, parts and derivations all have their names. */
static void bind_questions(rsp_loader *l) {
    for (size_t k = 0; k < l->n_questions; k++) {
        const rsp_variable *v = rsp_var(l, k);
        rsp_bind_expr(l, v->relevant, RSP_NONE, rsp_printf(l->a, "relevant of '%s'", v->name));
        rsp_bind_expr(l, v->constraint, k, rsp_printf(l->a, "constraint of '%s'", v->name));
    }
}

static void load_national(rsp_loader *l) {
    const rsp_node *n = rsp_get(l->root, "national");
    size_t total = 0;
    for (size_t k = 0; n && k < n->n; k++) total += rsp_values(n->items[k]);
    l->s->national = RSP_ARRAY(l->a, rsp_pair, total);
    size_t country = l->s->roles.country;
    for (size_t k = 0; n && k < n->n; k++) {
        const rsp_node *key = n->keys[k];
        if (country != RSP_NONE && rsp_var(l, country)->list)
            rsp_bind_code(l, rsp_var(l, country)->list, key->text, key->loc, "the country");
        for (size_t j = 0; j < rsp_values(n->items[k]); j++) {
            const rsp_node *tag = rsp_value_at(n->items[k], j);
            bool known = false;
            for (size_t i = 0; i < l->s->n_languages; i++) known |= strcmp(l->s->languages[i], tag->text) == 0;
            if (!known && !tag->bad)
                RSP_FAULT(l, tag->loc, "add it to `languages`", "'%s' is no language of the study", tag->text);
            l->s->national[l->s->n_national++] = (rsp_pair){key->text, tag->text};
        }
    }
}

static void load_disclosure(rsp_loader *l) {
    const rsp_node *n = rsp_get(l->root, "disclosure"), *dominance = rsp_get(n, "dominance");
    rsp_disclosure_spec *x = &l->s->disclosure;
    x->off = n && n->kind == RSP_Y_SCALAR;
    x->minimum_base = (int64_t) rsp_get_number(n, "minimum_base", 10);
    x->minimum_cell = (int64_t) rsp_get_number(n, "minimum_cell", 3);
    x->minimum_organisations = (int64_t) rsp_get_number(n, "minimum_organisations", 3);
    x->minimum_change = (int64_t) rsp_get_number(n, "minimum_change", (double) x->minimum_cell);
    x->rounding = rsp_get_number(n, "rounding", 0);
    x->dominance_n = rsp_get_number(dominance, "n", NAN);
    x->dominance_k = rsp_get_number(dominance, "k", NAN);
    if (n) rsp_digest_node(n, x->digest);
    x->loc = n ? n->loc : (rsp_loc){l->s->path, 0, 0};
}

/* ---- the whole -------------------------------------------------------------------------------------------------- */

static void load_sections(rsp_loader *l) {
    rsp_study *s = l->s;
    rsp_load_paths(l);
    s->id = rsp_get_text(l->root, "study");
    s->title = rsp_read_words(l, rsp_get(l->root, "title"));
    const rsp_node *publication = rsp_get(l->root, "publication");
    s->publication.publisher = rsp_read_words(l, rsp_get(publication, "publisher"));
    s->publication.contact = rsp_read_words(l, rsp_get(publication, "contact"));
    s->publication.funding = rsp_read_words(l, rsp_get(publication, "funding"));
    s->publication.licence = rsp_read_words(l, rsp_get(publication, "licence"));
    load_languages(l);
    load_field(l);
    rsp_load_instrument(l);
    rsp_load_derivations(l);
    bind_questions(l);
    load_roles(l);
    load_privacy(l);
    load_sources(l);
    load_national(l);
    rsp_load_rules(l);
    rsp_load_design(l);
    rsp_load_weighting(l);
    s->variance = rsp_load_variance(l, rsp_get(l->root, "variance"), NULL);
    load_disclosure(l);
    s->keep = (size_t) rsp_get_number(l->root, "keep", 0);
    rsp_load_imputation(l);
    rsp_load_analyses(l);
    rsp_load_simulation(l);
    rsp_load_reports(l);
}

static rsp_node *read_tree(rsp_loader *l) {
    rsp_node *root = rsp_yaml_read(l->a, l->s->path, l->d);
    if (root && root->kind != RSP_Y_MAP) {
        RSP_FAULT(l, root->loc, "start with `study: NAME`", "the file must be a mapping of keys");
        root = NULL;
    }
    return root;
}

/* Arrays that grew on the heap move into the arena. */
static void settle(rsp_loader *l) {
    rsp_study *s = l->s;
    rsp_variable *variables = RSP_ARRAY(l->a, rsp_variable, s->n_variables);
    const char **inputs = RSP_ARRAY(l->a, const char *, s->n_inputs);
    if (s->n_variables) memcpy(variables, s->variables, s->n_variables * sizeof *variables);
    if (s->n_inputs) memcpy(inputs, s->inputs, s->n_inputs * sizeof *inputs);
    free(s->variables);
    free(s->inputs);
    s->variables = variables;
    s->inputs = inputs;
}

rsp_study *rsp_study_load(const char *dir, rsp_diag *d) {
    rsp_arena *a = rsp_arena_new();
    rsp_loader l = {.s = RSP_NEW(a, rsp_study), .a = a, .d = d, .names = rsp_map_new(), .list_names = rsp_map_new()};
    size_t before = rsp_diag_errors(d);
    l.s->arena = a;
    l.s->names = l.names;
    l.s->dir = rsp_strdup(a, dir);
    l.s->path = rsp_path_join(a, dir, "study.yaml");
    rsp_add_input(&l, l.s->path);
    l.root = read_tree(&l);
    if (l.root) {
        rsp_keys_check(&RSP_STUDY_KEYS, l.root, d);
        load_sections(&l);
        if (rsp_diag_errors(d) == before) rsp_digest_study(&l);
    }
    settle(&l);
    rsp_map_free(l.list_names);
    if (rsp_diag_errors(d) == before) return l.s;
    rsp_study_free(l.s);
    return NULL;
}

void rsp_study_free(rsp_study *s) {
    if (!s) return;
    rsp_map_free(s->names);
    rsp_arena_free(s->arena);
}

/* ---- questions to a study --------------------------------------------------------------------------------------- */

size_t rsp_list_find(const rsp_list *l, const char *code) {
    for (size_t k = 0; k < l->n; k++)
        if (strcmp(l->choices[k].code, code) == 0) return k;
    return RSP_NONE;
}

size_t rsp_study_variable(const rsp_study *s, const char *name) { return rsp_map_get(s->names, name); }

const char *rsp_variable_label(const rsp_study *s, size_t variable, const char *lang) {
    const char *text = rsp_text_in(&s->variables[variable].label, lang);
    return text ? text : s->variables[variable].name;
}

const char *rsp_choice_label(const rsp_list *l, size_t k, const char *lang) {
    const char *text = rsp_text_in(&l->choices[k].label, lang);
    return text ? text : l->choices[k].code;
}

bool rsp_study_preliminary(const rsp_study *s, const char *today_iso) {
    return s->field.freeze && strcmp(today_iso, s->field.freeze) <= 0;
}

bool rsp_study_keeps(const rsp_study *s, size_t variable) {
    for (size_t k = 0; k < s->privacy.n_keep; k++)
        if (s->privacy.keep[k] == variable) return true;
    return false;
}

bool rsp_study_simulated(const rsp_study *s) {
    for (size_t k = 0; k < s->n_sources; k++)
        if (s->sources[k].simulated) return true;
    return false;
}
