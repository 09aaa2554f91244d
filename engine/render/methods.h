/* The methods annex: how the results of a run were made, for readers who check.
 *
 *   words        reports/methods.yaml: messages, definitions of statistics and flags, sources
 *   sections     study + published rows + what the run says of itself -> pieces
 *   flow, draw   as for briefs: a tagged PDF
 *
 * In English alone. Numbers are those of the published rows and of the study; nothing is computed here but counts of rows. */
#ifndef RESPONSIVE_RENDER_METHODS_H
#define RESPONSIVE_RENDER_METHODS_H

#include "brief.h"

/* ---- words ------------------------------------------------------------------------------------------------------ */

typedef struct {
    size_t n_names;
    const char **names;                  /* of the statistics that it defines together */
    const char *with;                    /* only where an analysis has this feature; NULL: always */
    const char *name;                    /* printed in place of the statistics' own; NULL */
    const char *what, *formula, *source; /* formula, source: NULL */
} methods_definition;

typedef struct {
    const char *id, *title, *glossary; /* glossary: section of specs/glossary.md; NULL */
    size_t n_uses, n;
    const char **uses;
    methods_definition *definitions;
} methods_kind;

typedef struct methods_words methods_words;

/* NULL with every fault reported. */
methods_words *methods_words_load(const char *path, rsp_diag *d);
void methods_words_free(methods_words *w); /* NULL allowed */
const char *methods_say(const methods_words *w, rsp_arena *a, const char *key, const rsp_arg *args, size_t n);
size_t methods_kinds(const methods_words *w, const methods_kind **kinds);
/* Definition of a statistic of this kind of analysis, its own or one of those that it uses; NULL: there is none. */
const methods_definition *methods_define(const methods_words *w, const char *kind, const char *statistic);
const char *methods_flag(const methods_words *w, const char *flag); /* NULL: unknown */
/* Works that may be cited: key as in running text, and how to find them; sorted as in the file. */
size_t methods_sources(const methods_words *w, const rsp_pair **sources);

/* Which kind of reports/methods.yaml the rows of an analysis belong to; analysis NULL: the engine's own, by its id. */
const char *methods_kind_of(const rsp_analysis *x, const char *id);
bool methods_has_feature(const rsp_analysis *x, const char *feature);

/* ---- writing ---------------------------------------------------------------------------------------------------- */

typedef struct {
    const rsp_publication *p;
    const rsp_study *s;
    const methods_words *w;
    const rsp_texts *texts; /* English */
    const rsp_labels *labels;
    brief_document *doc;
    rsp_arena *a;
    rsp_diag *d;
    rsp_buf printed; /* all that was set, to know which sources are cited */
    /* the table being written */
    size_t n_columns, n_cells, capacity;
    brief_column columns[8];
    brief_entry *cells; /* heap */
    rsp_scene *figure;  /* NULL: none */
} methods_annex;

#define METHODS_ARGS(...) (rsp_arg[]){__VA_ARGS__}, sizeof((rsp_arg[]){__VA_ARGS__}) / sizeof(rsp_arg)

const char *annex_say(const methods_annex *x, const char *key, const rsp_arg *args, size_t n);
const char *annex_word(const methods_annex *x, const char *key); /* a message without arguments */
/* Adds a sentence to a paragraph that may be NULL. */
void annex_add(const methods_annex *x, const char **paragraph, const char *key, const rsp_arg *args, size_t n);
void annex_section(methods_annex *x, const char *key); /* heading in the margin; a paragraph follows */
void annex_paragraph(methods_annex *x, const char *text);
void annex_subheading(methods_annex *x, const char *text);
void annex_list(methods_annex *x, const char *heading, size_t n, const char *const *items);
/* A table under its caption: columns that have no number may take what is left of the width (0). */
void annex_table(methods_annex *x, const char *caption, size_t n, const char *const *heads, const double *widths,
                 const char *numbers);
void annex_cell(methods_annex *x, const char *text);
void annex_cell_with(methods_annex *x, const char *text, const char *tail);
void annex_table_end(methods_annex *x);
void annex_figure(methods_annex *x, const rsp_chart_spec *spec); /* nothing where it has no rows */
/* Small print in two columns under a heading of its own. */
void annex_columns(methods_annex *x, const char *heading, size_t n, const char *const *entries);
const char *annex_count(const methods_annex *x, double n);
double annex_value(const methods_annex *x, const char *analysis, const char *domain, const char *term,
                   const char *level, const char *statistic);
/* Labels of variables with commas. */
const char *annex_variables(const methods_annex *x, const size_t *variables, size_t n);

/* Sections, in the order of the annex. */
void methods_data(methods_annex *x);
void methods_design(methods_annex *x);
void methods_weighting(methods_annex *x);
void methods_variance(methods_annex *x);
void methods_missing(methods_annex *x);
void methods_disclosure(methods_annex *x);
void methods_comparability(methods_annex *x);
void methods_drivers(methods_annex *x);
void methods_flags(methods_annex *x);
void methods_accuracy(methods_annex *x);
void methods_changes(methods_annex *x);
void methods_software(methods_annex *x);
void methods_definitions(methods_annex *x);
void methods_cited(methods_annex *x);

#endif
