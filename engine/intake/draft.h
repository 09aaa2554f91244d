/* A study drafted from exports: what `responsive new` works out (draft.c) and writes (draft_write.c). */
#ifndef INTAKE_DRAFT_H
#define INTAKE_DRAFT_H

#include "profile.h"

typedef struct {
    const char *code, *label;
    const char *raw; /* as in the cells; NULL: of a part */
    size_t n;        /* answers */
    bool missing;    /* says that there is no answer */
    double place;    /* in the list's order */
} rsp_draft_value;

typedef struct {
    const char *name;
    size_t n, capacity, n_items;
    rsp_draft_value *values;
    const char *scale; /* that all answers stand on; NULL */
    bool ordinal;
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
    const char *name, *label, *hint; /* hint: the question of which this is a row; NULL */
    const char *export_name;         /* heading, or its part before the option */
    rsp_draft_type type;
    size_t list; /* index, or RSP_NONE */
    const char *role;
    bool free_text; /* kept out of the analyses */
    size_t answered;
} rsp_draft_item;

/* One column of all the files that have it. */
typedef struct {
    const char *heading, *code, *label; /* code: the heading, or the part before a joining string */
    const char *base, *part;            /* of NAME[PART] and the like; NULL */
    const char *part_label, *base_label;
    const rsp_own *own;
    const rsp_column_info *info;
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
    rsp_map *names;        /* of variables and lists */
    const char *language;  /* of the labels */
    const char *left_out;  /* headings of personal and blank columns, for a comment */
    const char *test_rows; /* condition of rows that are no interviews; NULL */
    bool only_tests;       /* there are no others */
} rsp_draft;

void rsp_draft_work_out(rsp_draft *x);
bool rsp_draft_write(const rsp_draft *x, const char *dir, rsp_diag *d);
/* A name of letters, digits and _ made of a text, not used before; kept in the arena. */
const char *rsp_draft_name(rsp_draft *x, const char *text, const char *fallback);
/* A text without HTML, on one line. */
const char *rsp_draft_words(rsp_draft *x, const char *text);

#endif
