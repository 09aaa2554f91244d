/* What `check` says of a study that loads: files that match nothing, lists nobody uses, words without translation. */
#include "study/loader.h"

#include <glob.h>
#include <string.h>

static void check_files(rsp_study *s, rsp_diag *d) {
    for (size_t k = 0; k < s->n_sources; k++)
        for (size_t j = 0; j < s->sources[k].n_patterns; j++) {
            glob_t found = {0};
            const char *pattern = rsp_path_join(s->arena, s->dir, s->sources[k].patterns[j]);
            if (glob(pattern, GLOB_NOSORT, NULL, &found) != 0)
                rsp_report(d, RSP_ERR_STUDY, s->sources[k].loc, "paths are seen from the study folder",
                           "no file matches '%s'", s->sources[k].patterns[j]);
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
    for (size_t k = 0; k < s->n_languages; k++) check_language(s, s->languages[k], d);
}
