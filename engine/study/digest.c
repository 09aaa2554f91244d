/* What results depend on in a study, as hashes: words that only pages show are left out, so that a changed label redraws
 * and does not compute. */
#include "study/loader.h"

#include <string.h>

static bool any_of(const char *word, const char *const *words) {
    for (; *words; words++)
        if (strcmp(word, *words) == 0) return true;
    return false;
}

/* Keys that no statistic looks at, wherever they stand. */
static bool is_words(const char *key) {
    static const char *const words[] = {"title", "label", "labels", NULL};
    return any_of(key, words);
}

static void hash_node(rsp_hash *h, const rsp_node *n) {
    unsigned char kind = (unsigned char) n->kind;
    rsp_hash_add(h, &kind, 1);
    if (n->kind == RSP_Y_SCALAR) rsp_hash_str(h, n->text);
    for (size_t k = 0; n->kind != RSP_Y_SCALAR && k < n->n; k++) {
        if (n->kind == RSP_Y_MAP && is_words(n->keys[k]->text)) continue;
        if (n->kind == RSP_Y_MAP) rsp_hash_str(h, n->keys[k]->text);
        hash_node(h, n->items[k]);
    }
    rsp_hash_str(h, "end");
}

static void hash_sheet(rsp_hash *h, rsp_loader *l, const char *path) {
    rsp_sheet sheet;
    if (!rsp_sheet_read(l->a, path, RSP_NOWHERE, &sheet, l->d)) return;
    for (size_t k = 0; k < sheet.n_columns; k++) {
        const char *heading = sheet.head[k].text;
        if (strncmp(heading, "label", 5) == 0 || strncmp(heading, "hint", 4) == 0) continue;
        rsp_hash_str(h, heading);
        for (size_t i = 0; i < sheet.n_rows; i++) rsp_hash_str(h, rsp_sheet_cell(&sheet, i, k)->text);
    }
}

/* Targets and populations: the other files that were read. */
static void hash_inputs(rsp_hash *h, const rsp_study *s) {
    for (size_t k = 0; k < s->n_inputs; k++) {
        char hex[65];
        if (strcmp(s->inputs[k], s->path) == 0 || strcmp(s->inputs[k], s->survey_path) == 0 ||
            strcmp(s->inputs[k], s->choices_path) == 0)
            continue;
        rsp_hash_str(h, rsp_hash_file(s->inputs[k], hex) ? hex : "");
    }
}

void rsp_digest_node(const rsp_node *n, char hex[65]) {
    rsp_hash h;
    rsp_hash_init(&h);
    hash_node(&h, n);
    rsp_hash_hex(&h, hex);
}

/* `disclosure` counts: combinations of choices are listed down to its smallest cell. */
void rsp_digest_study(rsp_loader *l) {
    static const char *const beside[] = {"study",    "title",  "languages", "publication", "national", "reports",
                                         "simulate", "keep",   "paths",     "instrument",  "sources",  "tables",
                                         "tests",    "scales", "factors",   "models",      NULL};
    static const char *const analyses[] = {"tables", "tests", "scales", "factors", "models", NULL};
    rsp_hash shared, all;
    rsp_hash_init(&shared);
    rsp_hash_init(&all);
    for (size_t k = 0; k < l->root->n; k++) {
        const char *key = l->root->keys[k]->text;
        rsp_hash *h = any_of(key, analyses) ? &all : any_of(key, beside) ? NULL : &shared;
        if (!h) continue;
        rsp_hash_str(h, key);
        hash_node(h, l->root->items[k]);
    }
    hash_sheet(&shared, l, l->s->survey_path);
    hash_sheet(&shared, l, l->s->choices_path);
    hash_inputs(&shared, l->s);
    rsp_hash_hex(&shared, l->s->digest);
    rsp_hash_hex(&all, l->s->analyses_digest);
}
