/* What `check` says of a study that loads: files that match nothing, lists nobody uses, words without translation. */
#include "study/loader.h"

#include <glob.h>
#include <string.h>

static void check_files(rsp_study *s, rsp_diag *d) {
    for (size_t k = 0; k < s->n_sources; k++)
        for (size_t j = 0; j < s->sources[k].n_patterns; j++) {
            glob_t found = {0};
            const char *pattern = rsp_study_pattern(s, s->sources[k].patterns[j], s->arena);
            if (glob(pattern, GLOB_NOSORT, NULL, &found) != 0)
                rsp_study_no_file(s, s->sources[k].patterns[j], s->sources[k].loc, RSP_ERR_STUDY, d);
            for (size_t i = 0; i < found.gl_pathc; i++)
                if (!rsp_study_may_read(s, found.gl_pathv[i], s->sources[k].loc, d)) break; /* one remedy a pattern */
            globfree(&found);
        }
}

static void check_lists(const rsp_study *s, rsp_diag *d) {
    for (size_t k = 0; k < s->n_lists; k++) {
        bool used = s->lists[k].n == 0;
        for (size_t v = 0; v < s->n_variables && !used; v++) used = s->variables[v].list == &s->lists[k];
        if (!used)
            rsp_report(d, RSP_NOTE, s->lists[k].choices[0].loc, NULL, "no question uses the list '%s'",
                       s->lists[k].name);
    }
}

static bool labelled(const rsp_list *list) {
    for (size_t k = 0; k < list->n; k++)
        if (list->choices[k].label.n) return true;
    return false;
}

static void check_derived(const rsp_study *s, rsp_diag *d) {
    for (size_t v = 0; v < s->n_variables; v++) {
        const rsp_variable *x = &s->variables[v];
        if (x->derive.kind == RSP_DERIVE_NONE) continue;
        if (!x->label.n)
            rsp_report(d, RSP_WARNING, x->loc, "add `label`", "derived variable '%s' has no label: its name is shown",
                       x->name);
        if (x->list && !labelled(x->list))
            rsp_report(d, RSP_WARNING, x->loc, "add `labels`", "the codes of '%s' have no labels: the codes are shown",
                       x->name);
    }
}

/* Three answers or more whose measure nobody gave: numbers made of them follow the order of the list, which may be any. */
static bool counts_names(const rsp_study *s, size_t v) {
    const rsp_variable *x = &s->variables[v];
    size_t valid = 0;
    if (x->type != RSP_SELECT_ONE || !x->list || x->measure != RSP_NOMINAL) return false;
    for (size_t k = 0; k < x->list->n; k++) valid += !x->list->choices[k].missing;
    return valid > 2;
}

static void check_measures(const rsp_study *s, rsp_diag *d) {
    for (size_t k = 0; k < s->n_analyses; k++) {
        const rsp_analysis *a = &s->analyses[k];
        bool table = a->kind == RSP_A_TABLE, scale = a->kind == RSP_A_SCALE;
        if (!scale && !(table && a->table.statistic != RSP_PROPORTION && a->table.statistic != RSP_COUNT)) continue;
        size_t n = table ? a->table.n_items : a->scale.n_items;
        const size_t *items = table ? a->table.items : a->scale.items;
        for (size_t i = 0; i < n; i++)
            if (counts_names(s, items[i]))
                rsp_report(d, RSP_WARNING, a->loc,
                           "set its `measure` to ordinal in survey.csv, if its answers have an order",
                           "'%s' takes the answers to '%s' for the numbers 1, 2, 3, ..., but they are nominal", a->id,
                           s->variables[items[i]].name);
    }
}

typedef struct {
    const char *lang;
    size_t n;
    rsp_loc first;
    const char *name;
} gap;

/* Words that exist in some language, but not in this one. */
static void count_gap(gap *g, const rsp_text *t, rsp_loc loc, const char *name) {
    if (!t->n || rsp_text_in(t, g->lang)) return;
    if (!g->n++) {
        g->first = loc;
        g->name = name;
    }
}

static void check_language(const rsp_study *s, const char *lang, rsp_diag *d) {
    gap g = {.lang = lang};
    count_gap(&g, &s->title, (rsp_loc){s->path, 0, 0}, "title");
    for (size_t v = 0; v < s->n_variables; v++)
        if (s->variables[v].part_of == RSP_NONE || s->variables[v].first_part != RSP_NONE)
            count_gap(&g, &s->variables[v].label, s->variables[v].loc, s->variables[v].name);
    for (size_t k = 0; k < s->n_lists; k++)
        for (size_t c = 0; c < s->lists[k].n; c++)
            count_gap(&g, &s->lists[k].choices[c].label, s->lists[k].choices[c].loc, s->lists[k].choices[c].code);
    for (size_t k = 0; k < s->n_rules; k++) count_gap(&g, &s->rules[k].label, s->rules[k].loc, s->rules[k].id);
    for (size_t k = 0; k < s->n_analyses; k++)
        count_gap(&g, &s->analyses[k].title, s->analyses[k].loc, s->analyses[k].id);
    if (g.n)
        rsp_report(d, RSP_WARNING, g.first, NULL, "%zu text%s no translation into '%s', the first is that of '%s'", g.n,
                   g.n == 1 ? " has" : "s have", lang, g.name);
}

void rsp_study_check(rsp_study *s, rsp_diag *d) {
    check_files(s, d);
    check_lists(s, d);
    check_derived(s, d);
    check_measures(s, d);
    for (size_t k = 0; k < s->n_languages; k++) check_language(s, s->languages[k], d);
}
