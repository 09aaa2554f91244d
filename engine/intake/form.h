/* Questionnaires as the tools keep them: what `new` takes over when one is given beside the exports.
 *
 * LimeSurvey's structure (.lss, .txt/.tsv: form_lime.c), Qualtrics's (.qsf: form_qsf.c), XLSForm workbooks and REDCap's data
 * dictionary (form.c), and the
 * labels in syntax files for R and SPSS (form_syntax.c) all become one rsp_form: questions by the name their columns have
 * in the exports, lists of choices, texts by language, conditions as XLSForm writes them (form_condition.c). */
#ifndef INTAKE_FORM_H
#define INTAKE_FORM_H

#include "draft.h"

enum { RSP_FORM_LANGUAGES = 16 };

typedef struct {
    const char *in[RSP_FORM_LANGUAGES]; /* by the form's languages; NULL: none */
} rsp_form_text;

typedef struct {
    const char *code;
    rsp_form_text label;
    double order;
} rsp_form_choice;

typedef struct {
    const char *name;
    size_t n, capacity;
    rsp_form_choice *choices;
} rsp_form_list;

typedef struct {
    const char *name; /* of its column, or what its columns have in front */
    bool typed;       /* false: the form gives words alone */
    bool personal;    /* said to identify a person */
    rsp_draft_type type;
    size_t list;               /* index, or RSP_NONE */
    rsp_form_text label, hint; /* hint: the question of which this is a row */
    const char *relevant;      /* as the tool writes it; NULL or "": always shown */
} rsp_form_question;

typedef enum { RSP_FORM_XLSFORM, RSP_FORM_LIMESURVEY, RSP_FORM_REDCAP, RSP_FORM_SYNTAX } rsp_form_kind;

struct rsp_form {
    rsp_arena *arena;
    const char *path;
    rsp_form_kind kind;
    size_t n_languages;
    const char *languages[RSP_FORM_LANGUAGES]; /* codes of two letters or more; "": not said */
    rsp_form_text title;
    size_t n_lists, list_capacity, n_questions, question_capacity;
    rsp_form_list *lists;
    rsp_form_question *questions;
    rsp_map *list_of; /* by name */
};

/* The questionnaire in a file's bytes, or NULL if they are none; `raw` stays the caller's. One that cannot be read is
 * reported. */
rsp_form *rsp_form_read(const rsp_buf *raw, const char *path, rsp_diag *d);
void rsp_form_free(rsp_form *f); /* NULL allowed */

/* For the readers of forms. */
rsp_form *rsp_form_new(const char *path, rsp_form_kind kind);
size_t rsp_form_language(rsp_form *f,
                         const char *code); /* index, made if it is new; RSP_NONE when there are too many */
size_t rsp_form_list_named(rsp_form *f, const char *name);                       /* index, made if it is new */
rsp_form_choice *rsp_form_choice_of(rsp_form *f, size_t list, const char *code); /* made if it is new */
rsp_form_question *rsp_form_add(rsp_form *f, rsp_form_question q);
const char *rsp_form_words(const rsp_form_text *t); /* in the first language that has some; NULL */

bool rsp_form_is_lss(const rsp_buf *raw);
rsp_form *rsp_form_lss(const rsp_buf *raw, const char *path, rsp_diag *d);
rsp_form *rsp_form_lime_table(rsp_table_data *t, const char *path); /* NULL if its headings are not LimeSurvey's */
bool rsp_form_is_qsf(const rsp_buf *raw);
rsp_form *rsp_form_qsf(const rsp_buf *raw, const char *path, rsp_diag *d);
bool rsp_form_is_syntax(const rsp_buf *raw);
rsp_form *rsp_form_syntax(const rsp_buf *raw, const char *path, rsp_diag *d);

/* A table at a time: headings to columns, records to cells. */
typedef struct {
    const rsp_table_data *table;
    rsp_arena *arena;
    rsp_room room;
    rsp_cell *cells; /* of the record read last */
} rsp_form_sheet;

rsp_form_sheet rsp_form_sheet_of(rsp_table_data *t, rsp_arena *a);
void rsp_form_sheet_free(rsp_form_sheet *s);
size_t rsp_form_column(const rsp_form_sheet *s, const char *heading); /* RSP_NONE: there is none */
void rsp_form_record(rsp_form_sheet *s, size_t k);
const char *rsp_form_cell(const rsp_form_sheet *s, size_t column); /* in the arena, without blanks around; "" */

/* A condition as XLSForm writes it, `${name}` being what resolve gives for a name of the form; NULL if it says something
 * that cannot be said there, names what resolve does not know, or is always true. *part, when resolve sets it, is the
 * choice of a multiple choice that the name stands for. */
typedef const char *(*rsp_form_resolve)(void *context, const char *name, const char **part);
const char *rsp_form_condition(rsp_form_kind kind, const char *text, rsp_form_resolve resolve, void *context,
                               rsp_arena *a);

#endif
