/* A study drafted from exports: what `responsive new` works out (draft.c) and writes (draft_write.c). */
#ifndef INTAKE_DRAFT_H
#define INTAKE_DRAFT_H

#include "profile.h"

typedef struct {
    const char *code, *label;
    const char *const *labels; /* by the draft's languages, NULL where there is none; NULL: the label alone */
    const char *raw;           /* as in the cells; NULL: of a part */
    size_t n;                  /* answers */
    bool missing;              /* says that there is no answer */
    double place;              /* in the list's order */
    double value;              /* of a numbered list */
} rsp_draft_value;

typedef struct {
    const char *name;
    size_t n, capacity, n_items;
    rsp_draft_value *values;
    const char *scale; /* that all answers stand on; NULL */
    bool ordinal;
    bool numbered; /* its answers are numbers, some with words */
} rsp_draft_list;

typedef enum {
    RSP_DRAFT_ONE,
    RSP_DRAFT_MULTIPLE,
    RSP_DRAFT_RANK,
    RSP_DRAFT_INTEGER,
    RSP_DRAFT_DECIMAL,
    RSP_DRAFT_DATE,
    RSP_DRAFT_TEXT
} rsp_draft_type;

typedef struct {
    const char *name, *label, *hint;          /* hint: the question of which this is a row; NULL */
    const char *const *labels, *const *hints; /* by the draft's languages, as in rsp_draft_value */
    const char *relevant;                     /* condition under which it was shown; NULL: always, as far as is known */
    const char *export_name;                  /* heading, or its part before the option */
    const char *below;                        /* the words over a blank column in front of it; NULL */
    rsp_draft_type type;
    size_t list; /* index, or RSP_NONE */
    const char *role;
    bool free_text; /* kept out of the analyses */
    bool constant;  /* everybody gave the same answer: it is about the file, not about people */
    bool weight;    /* looks like a weight of respondents */
    bool year;      /* a number that is a year */
    bool partly;    /* asked in some of the files only */
    bool skewed;    /* a number whose few greatest values would make its mean */
    size_t answered;
    size_t rarest;    /* how many gave the rarest of the answers, of a question in one column */
    size_t different; /* answers that are not alike, of a question in one column */
} rsp_draft_item;

/* One column of all the files that have it. */
typedef struct {
    const char *heading, *code, *label; /* code: the heading, or the part before a joining string */
    const char *base, *part;            /* of NAME[PART] and the like; NULL */
    const char *part_label, *base_label;
    bool row;                   /* of a question that has no name of its own: base_label and part_label alone */
    size_t occurrence, n_alike; /* the how manieth of how many columns under the heading; 0: the only one */
    const rsp_own *own;
    const rsp_column_info *info;
    size_t n_files; /* in which it has answers */
    rsp_profile profile;
    rsp_profile_kind kind;
    bool personal, done;
} rsp_draft_column;

typedef struct {
    const char *path; /* as given */
    rsp_table_data *table;
    const rsp_tool *tool;
    rsp_profile *profiles;
    bool commas, month_first, day_first; /* numbers and dates of its columns */
} rsp_draft_file;

typedef struct rsp_form rsp_form;

/* What a heading of the exports means by a questionnaire. */
typedef struct {
    const rsp_form *form;
    size_t question;
    size_t item; /* that was made of it, or RSP_NONE */
} rsp_draft_asked;

typedef struct {
    rsp_arena *arena;
    size_t n_files, file_capacity;
    rsp_draft_file *files;
    size_t n_columns, column_capacity;
    rsp_draft_column *columns;
    size_t n_lists, list_capacity;
    rsp_draft_list *lists;
    size_t n_items, item_capacity;
    rsp_draft_item *items;
    rsp_map *names;       /* of variables and lists */
    const char *language; /* of the labels: the first of the languages */
    size_t n_languages;
    const char **languages;
    const char *const *titles; /* by language; NULL: none is known */
    size_t n_forms, form_capacity;
    rsp_form **forms; /* questionnaires given beside the exports */
    size_t n_asked, asked_capacity;
    rsp_draft_asked *asked;
    rsp_map *asked_by;     /* keys of names and words of questions and their parts, to `asked` */
    rsp_map *asked_twice;  /* keys of words that stand for two questions */
    const char *left_out;  /* headings of personal and blank columns, for a comment */
    const char *test_rows; /* condition of rows that are no interviews; NULL */
    bool only_tests;       /* there are no others */
    bool headings_again;   /* a file has its headings among the answers: they are no choices */
    bool has_country;      /* the country's column is found */
} rsp_draft;

rsp_draft rsp_draft_new(void);
void rsp_draft_free(rsp_draft *x);
/* Takes over the bytes of an export or a questionnaire. False: reported. */
bool rsp_draft_take(rsp_draft *x, rsp_buf *raw, const char *path, rsp_diag *d);
void rsp_draft_work_out(rsp_draft *x); /* needs an export */
bool rsp_draft_write(const rsp_draft *x, const char *dir, rsp_diag *d);
/* A name of letters, digits and _ made of a text, not used before; kept in the arena. */
const char *rsp_draft_name(rsp_draft *x, const char *text, const char *fallback);
/* Lists and items that the two ways of drafting, from cells (draft.c) and from a questionnaire
 * (draft_form.c), share. */
rsp_draft_item *rsp_draft_add(rsp_draft *x, rsp_draft_item item);
const char *rsp_draft_folded(rsp_draft *x, const char *text); /* as rsp_fold makes it, in the arena */
/* Puts a list in the order of the scale that its labels tell, else leaves it in its own. */
void rsp_draft_order(rsp_draft *x, rsp_draft_list *l);
/* A further answer that stands in the cells. */
void rsp_draft_add_value(rsp_draft *x, rsp_draft_list *l, const char *text, size_t n);
/* Whether the list's answers are numbers, and which: after it has its order. */
void rsp_draft_count(rsp_draft_list *l);
/* Of a number: is it a weight, is it skewed? */
void rsp_draft_describe_number(rsp_draft *x, const rsp_draft_column *c, rsp_draft_item *item);
/* Of any question in one column: how many gave the rarest of its answers; 0: they are too many to tell. */
size_t rsp_draft_rarest(const rsp_draft_column *c);
/* Do some of the files have no answer in the column? */
bool rsp_draft_partly(const rsp_draft *x, const rsp_draft_column *c);
void rsp_draft_take_country(rsp_draft *x, rsp_draft_item *item); /* it is the country */
bool rsp_draft_is_country(rsp_draft *x, const rsp_draft_item *item, const char *code);

/* Of questionnaires: languages and title, before anything else. */
void rsp_draft_take_forms(rsp_draft *x);
/* Words for a column where the questionnaire has no more than words; NULL. */
const rsp_column_info *rsp_draft_words_for(rsp_draft *x, const char *heading);
/* Makes an item of the question that the column belongs to, with all its columns. False: none asks for it. *why: left out,
 * and for which reason. */
bool rsp_draft_from_form(rsp_draft *x, size_t column, const char **why);
/* Gives an item that was made of a column's cells, and is the next to be added, the words of the questionnaire. */
void rsp_draft_dress(rsp_draft *x, const rsp_draft_column *c, rsp_draft_item *item);
/* Conditions of the items, when all have their names. */
void rsp_draft_conditions(rsp_draft *x);
/* A text without HTML, on one line. */
const char *rsp_draft_words(rsp_draft *x, const char *text);

#endif
