/* The policy brief: two to four pages for readers who decide.
 *
 *   definition   reports/brief.yaml: which blocks in which order, which sentence is said under which condition
 *   observe      published rows -> observations: a kind ("difference", "model", ...) and named values with their rows
 *   compose      definition + observations + texts -> pieces (title, box, paragraphs, figures, tables)
 *   pages        pieces -> places on pages
 *   draw         places -> tagged PDF (Cairo), completed by pdf_finish (libqpdf)
 *   trace        what was said -> quality/sentences.csv and sentence_values.csv: each value with the rows it came from
 *
 * A value has a name, the words a reader sees and the number that conditions look at: `${share} > 0.5` asks the number
 * that a message prints as {share}. Numbers are the published table's; nothing is computed here but counts of rows. */
#ifndef RESPONSIVE_RENDER_BRIEF_H
#define RESPONSIVE_RENDER_BRIEF_H

#include "brief_type.h"
#include "labels.h"
#include "pdf_finish.h"
#include "scene.h"

#include "responsive/expr.h"

/* ---- definition ------------------------------------------------------------------------------------------------- */

/* Says message `say` of an observation of kind `of` where `when` holds; NULL: always. */
typedef struct {
    const char *of, *say;
    rsp_expr *when;
    const char *condition; /* `when` as it is written; NULL */
    rsp_loc loc;
} brief_rule;

typedef struct {
    size_t n;
    brief_rule *rules;
} brief_rules;

typedef enum { BRIEF_TEXT, BRIEF_LIST, BRIEF_FINDINGS, BRIEF_COUNTRIES } brief_section_kind;

typedef struct {
    brief_section_kind kind;
    const char *heading; /* message key */
    brief_rules text;    /* of the whole edition: one paragraph, or one entry of the list each */
} brief_section;

typedef struct {
    size_t pages, words, charts, messages, message_words, title_words, findings;
} brief_limits;

typedef struct {
    brief_limits limits;
    brief_rules titles, messages, sentences, notices, footer; /* notices: page 1; footer: every page */
    size_t n_sections, n_notes;
    brief_section *sections, *notes; /* notes: the small print of the last page */
    size_t n_hyphenation;
    rsp_pair *hyphenation; /* language -> file of patterns */
    const char *path;
    rsp_arena *arena;
} brief_definition;

/* NULL with every fault reported. */
brief_definition *brief_definition_load(const char *path, rsp_diag *d);
void brief_definition_free(brief_definition *b);
/* Every message that the definition names exists in these texts; the missing ones are reported. */
bool brief_definition_covered(const brief_definition *b, const rsp_texts *t, rsp_diag *d);

/* ---- values and observations ------------------------------------------------------------------------------------ */

enum { BRIEF_VALUES = 104 };

/* A published row that a value rests on: its number or label was printed, or it decided about a claim. */
typedef struct brief_source brief_source;
struct brief_source {
    const rsp_published_row *row;
    const char *column;       /* of the results table */
    const char *printed;      /* its words in the sentence; NULL: it decided */
    const brief_source *next; /* cited before it */
};

typedef struct {
    rsp_arg v[BRIEF_VALUES]; /* all names, in a fixed order; unset: "" and NaN */
    const brief_source *sources[BRIEF_VALUES];
    size_t n;
} brief_values;

void brief_values_clear(brief_values *v);
bool brief_value_known(const char *name);
/* text NULL: a number that messages format themselves. */
void brief_put(brief_values *v, const char *name, const char *text, double number);
double brief_number(const brief_values *v, const char *name);
/* One row more, or none where row is NULL. */
const brief_source *brief_source_add(rsp_arena *a, const brief_source *before, const rsp_published_row *row,
                                     const char *column, const char *printed);
/* After brief_put, which forgets what a value rested on: all of it, and one row more. */
void brief_rest_on(brief_values *v, const char *name, const brief_source *sources);
const brief_source *brief_sources(const brief_values *v, const char *name);
void brief_cite(brief_values *v, rsp_arena *a, const char *name, const rsp_published_row *row, const char *column,
                const char *printed);
/* False where the condition is missing. */
bool brief_holds(const rsp_expr *when, const brief_values *v);

typedef struct {
    const char *kind;
    const rsp_analysis *analysis;
    brief_values values;
} brief_observation;

/* One brief: for whom, in which language. */
typedef struct {
    const rsp_publication *p;
    const brief_definition *definition;
    const rsp_texts *texts;
    const rsp_labels *labels;
    const brief_hyphens *hyphens;
    const rsp_edition *edition; /* NULL: the study names none */
    const char *country;        /* NULL: everybody */
    const char *domain;         /* "" or "country=PL" */
    const char *path;
    size_t n_countries;
    const char **countries; /* with figures of their own */
    size_t n_analyses;
    const rsp_analysis **analyses; /* that it shows, in the order of the edition, else of the study */
    size_t n_charts;
    const rsp_chart_spec *charts;
    rsp_scene **scenes;   /* per analysis that it shows; NULL: no chart. Filled by brief_charts */
    const rsp_scene *map; /* of them: the only figure that shows dozens of countries; NULL: none */
    rsp_arena *arena;
    brief_values values; /* true of the whole brief */
    size_t n_observations, capacity;
    brief_observation *observations;
} brief_edition;

/* Fills values and observations from the published table. */
void brief_observe(brief_edition *e);
/* Kinds that observations may have. */
bool brief_kind_known(const char *kind);

/* ---- composition ------------------------------------------------------------------------------------------------ */

typedef enum { PIECE_TEXT, PIECE_LIST, PIECE_FIGURE, PIECE_TABLE, PIECE_COLUMNS } brief_piece_kind;

typedef struct {
    const char *heading, *text;
    const char *tail; /* of a table's cell: small and grey below the text, or NULL */
} brief_entry;

typedef struct {
    double width; /* points */
    bool number;  /* stands right */
} brief_column;

typedef struct {
    brief_piece_kind kind;
    const char *tag; /* of a text: H1, H2, P */
    const char *text;
    const char *tail; /* small and grey after the text, or NULL */
    brief_type type;
    double x, width, height, gap; /* gap: above */
    bool margin;                  /* stands beside what follows and takes no room of its own */
    bool keep;                    /* with the next piece */
    bool box;                     /* tinted, with the accent at its left */
    bool outline;                 /* a bookmark */
    bool continues;               /* a list: more entries of the one before */
    size_t n_entries;
    brief_entry *entries; /* list, columns; table: n_columns a row, the first row heads */
    size_t n_columns;
    const brief_column *columns; /* table; NULL: words in the first, numbers in the others */
    rsp_scene *scene;            /* figure; the edition's */
    const char *label;           /* figure: "Figure 1" */
    size_t page;                 /* set by brief_paginate */
    double y;
} brief_piece;

/* What was said, and why: part of the page, rule (NULL: always said), message, the values it had. */
typedef struct {
    const char *part, *key, *text;
    const brief_rule *rule;
    const rsp_analysis *analysis; /* NULL: of the whole brief */
    const char *kind;
    const brief_values *values;
} brief_sentence;

typedef struct {
    const char *title, *footer, *notice, *content; /* document title; lines of the footer */
    size_t n_sentences, sentences_capacity;
    brief_sentence *sentences; /* in the order in which they were written */
    size_t n, capacity;
    brief_piece *pieces;
    size_t words; /* of the text and of the figures' titles: labels and numbers within figures are none */
    size_t n_pages;
    double gaps; /* factor of all gaps */
} brief_document;

/* Draws up the charts once, as composition may be tried several times; brief_charts_free frees them. */
void brief_charts(brief_edition *e);
void brief_charts_free(brief_edition *e);
/* At most `charts` figures and `findings` paragraphs. Heights are measured in `lang`. */
void brief_compose(const brief_edition *e, size_t charts, size_t findings, const char *lang, brief_document *out);
void brief_document_free(brief_document *d);

/* ---- pages ------------------------------------------------------------------------------------------------------ */

/* A4 in points; the columns of the grid. */
#define BRIEF_PAGE_W 595.28
#define BRIEF_PAGE_H 841.89
enum {
    BRIEF_LEFT = 51,
    BRIEF_TOP = 54,
    BRIEF_BOTTOM = 776, /* text stands between; the footer below */
    BRIEF_WIDTH = 493,
    BRIEF_BODY_X = 164,
    BRIEF_BODY_W = 380,
    BRIEF_MARGIN_W = 101,
    BRIEF_BOX_PAD = 12
};

/* Places pieces: a heading never ends a page, a figure that does not fit goes to the top of the next page and the text
 * goes on. More pages than allowed, and a last page with little on it, are avoided by narrower gaps where that is enough.
 * Reorders pieces into reading order; sets n_pages. */
void brief_paginate(brief_document *d, size_t most_pages);
/* Places pieces one after the other on as many pages as it takes: tables are divided between rows, their heads repeated, and
 * columns between entries. What that adds lives in the arena. */
void brief_flow(brief_document *d, const char *lang, rsp_arena *a);
/* How much of the last page is taken, 0 to 1. */
double brief_last_page(const brief_document *d);
/* Puts what the brief says about itself at the foot of the last page: what is free there lies above, not below. */
void brief_lower_notes(brief_document *d);

/* ---- trace ------------------------------------------------------------------------------------------------------ */

/* Two files of comma-separated values: sentences, and the values in them with the rows they rest on. */
typedef struct {
    rsp_buf sentences, values;
} brief_traces;

/* `brief`: the file's name. */
void brief_trace(const brief_edition *e, const brief_document *d, const char *brief, brief_traces *out);
/* Writes quality/sentences.csv and quality/sentence_values.csv from the traces of all briefs, in their order. */
bool brief_traces_write(const rsp_publication *p, size_t n, const brief_traces *traces, rsp_diag *d);
void brief_traces_free(brief_traces *t);

/* ---- drawing ---------------------------------------------------------------------------------------------------- */

/* False, and reported, if the PDF could not be made. */
bool brief_draw(const brief_edition *e, const brief_document *doc, const char *lang, rsp_buf *pdf, rsp_diag *d);
/* Between entries of a list, points. */
enum { BRIEF_ENTRY_GAP = 5 };
double brief_list_height(const brief_piece *piece, const char *lang);
double brief_table_height(const brief_piece *piece, const char *lang);
double brief_columns_height(const brief_piece *piece, const char *lang);
double brief_row_height(const brief_piece *table, size_t row, const char *lang);

#endif
