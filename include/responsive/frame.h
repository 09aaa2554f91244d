/* The frame: respondents' answers in columns, and where each row came from.
 *
 * Coded answers are small integers, negative ones say why there is no answer; numbers are doubles, NaN if missing.
 * Texts are kept only for variables that the study uses (roles, design, expressions), as numbers into a dictionary.
 * Order of calls: rsp_frame_new, columns filled by intake, rsp_frame_sort (canonical order of rows, so that neither
 * the order of files nor of rows can matter), cleaning marks rows, rsp_frame_keep drops them. */
#ifndef RESPONSIVE_FRAME_H
#define RESPONSIVE_FRAME_H

#include "responsive/study.h"

/* Kinds of missing: codes of coded and small columns, and dictionary numbers of text columns. */
enum {
    RSP_NA_UNKNOWN = -1,   /* blank, and the tool does not tell why */
    RSP_NA_NOT_SHOWN = -2, /* routing */
    RSP_NA_SKIPPED = -3,   /* shown, no answer */
    RSP_NA_BROKE_OFF = -4, /* left before */
    RSP_NA_REFUSED = -5,
    RSP_NA_INVALID = -6,   /* an answer that matches no code, or no number */
    RSP_NA_SET = -7,       /* set missing by a cleaning rule */
    RSP_NA_NOT_ASKED = -8, /* this source has no such column */
    RSP_NA_DERIVED = -9,   /* a derivation whose inputs are missing */
    RSP_NA_DONT_KNOW = -10 /* said so where the instrument has no such choice */
};

typedef enum {
    RSP_COL_CODE,   /* index of a choice in the variable's list, or a kind of missing */
    RSP_COL_SMALL,  /* small integers 0..120: parts of select_multiple and rank */
    RSP_COL_NUMBER, /* integer, decimal; date and datetime as seconds since 1970-01-01 UTC */
    RSP_COL_TEXT,   /* index into the column's dictionary */
    RSP_COL_NONE    /* nothing stored: select_multiple and rank themselves (see their parts), unused texts */
} rsp_column_kind;

typedef struct {
    rsp_column_kind kind;
    const rsp_list *list;
    int8_t *c8;   /* CODE with at most 120 choices, SMALL */
    int16_t *c16; /* CODE with more */
    double *number;
    int8_t *why; /* NUMBER: kind of missing where NaN; NULL: all unknown */
    int32_t *text;
    size_t n_words; /* TEXT: dictionary, in order of first appearance until sorted */
    const char **words;
} rsp_column;

typedef struct {
    const char *path;            /* as opened */
    const char *name;            /* as shown: relative to the study folder */
    const char *tool, *encoding; /* recognised */
    char delimiter, decimal;
    size_t rows, columns;
    char sha256[65];
} rsp_file;

/* Reasons to set a row aside that are no rule of the study. */
enum { RSP_ASIDE_FORGOTTEN = INT16_MAX - 1, RSP_ASIDE_WAITING = INT16_MAX };

typedef struct rsp_frame {
    const rsp_study *study;
    size_t n;         /* rows in use */
    size_t n_read;    /* rows read: those set aside by cleaning stand behind the others, at n .. n_read - 1 */
    size_t n_columns; /* = study->n_variables: column j is variable j */
    rsp_column *columns;
    size_t n_files;
    rsp_file *files;
    uint16_t *file;    /* per row */
    uint32_t *line;    /* per row: line in the file where the record starts */
    int16_t *aside;    /* per row: -1 kept, else the index of the cleaning rule that set it aside, or RSP_ASIDE_... */
    uint64_t *flags;   /* per row: bit k set: flagged by cleaning rule k */
    uint64_t *answers; /* per row: hash of all its answers as they were read; from rsp_frame_sort on */
    char content[65];  /* hash of all rows in canonical order, whatever files they came from and whatever the key */
    bool keyed;        /* respondents are named by pseudonyms */
    unsigned char key[32];
    rsp_arena *arena;
} rsp_frame;

rsp_frame *rsp_frame_new(const rsp_study *s, size_t n); /* columns allocated, every cell RSP_NA_NOT_ASKED */
void rsp_frame_free(rsp_frame *f);

static inline int rsp_code(const rsp_column *c, size_t i) { return c->c8 ? c->c8[i] : c->c16[i]; }
static inline void rsp_set_code(rsp_column *c, size_t i, int code) {
    if (c->c8) c->c8[i] = (int8_t) code;
    else c->c16[i] = (int16_t) code;
}
/* Is the cell a valid answer (present, and not a choice marked missing)? */
bool rsp_valid(const rsp_frame *f, size_t variable, size_t i);
/* The number of a cell as answered: the choice's value, the number, the tick; NaN if not valid or text. */
double rsp_value(const rsp_frame *f, size_t variable, size_t i);
/* The same with `reverse` applied: minimum + maximum - value over the list's valid choices. */
double rsp_value_reversed(const rsp_frame *f, size_t variable, size_t i);
/* The numbers of rows [from, to) at once, into[0 .. to - from). */
void rsp_read_values(const rsp_frame *f, size_t variable, bool reversed, size_t from, size_t to, double *into);
void rsp_set_missing(rsp_frame *f, size_t variable, size_t i, int kind);
/* The cell as text: code, number, word; "" if missing. Writes into text of at least 64 bytes or returns a borrowed string. */
const char *rsp_cell_text(const rsp_frame *f, size_t variable, size_t i, char text[64]);
/* Name of the respondent for logs: the pseudonym of roles.id (the id itself where the study keeps it), else `file:line`. */
const char *rsp_case_name(const rsp_frame *f, size_t i, char text[256]);

/* Categories of a variable for crossings and designs: coded variables have those of their list (valid ones only),
 * text and number variables their distinct values in sorted order. category[i] is -1 where not valid. A list of
 * countries names all that may take part: of the country role only those that did are categories. */
typedef struct {
    size_t n;
    const char **code;
    int32_t *category; /* per row */
} rsp_categories;

void rsp_categorise(const rsp_frame *f, size_t variable, rsp_arena *a, rsp_categories *out);

/* Puts rows into canonical order: by id, then by content. Results cannot depend on the order of files or rows. */
void rsp_frame_sort(rsp_frame *f);
/* Keeps only rows with aside < 0 in use; the others stand behind them. */
void rsp_frame_keep(rsp_frame *f);

#endif
