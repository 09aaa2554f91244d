/* What stands in the columns of a table, before a study says what they mean: for `inspect` and `new`. */
#ifndef INTAKE_PROFILE_H
#define INTAKE_PROFILE_H

#include "reader.h"

enum { RSP_KINDS_MISSING = 11, RSP_MOST_SPELLINGS = 1000, RSP_MOST_CODES = 60 /* of a labelled number */ };

typedef struct {
    const char *text; /* as in the file, without blanks around */
    size_t length, n;
} rsp_spelling;

typedef struct {
    size_t answered;
    size_t missing[RSP_KINDS_MISSING]; /* by -kind: RSP_NA_UNKNOWN at 1, ... */
    size_t whole, decimal, iso, local; /* cells that are whole numbers, other numbers, dates of either kind */
    size_t points, commas;             /* numbers under this sign alone */
    bool day_first, month_first;       /* dates that can be read in one way only */
    size_t rounded;                    /* 5.36E+08 */
    size_t personal;                   /* by content */
    const char *personal_what;
    double least, greatest; /* of the numbers */
    size_t letters;         /* bytes of all answers */
    size_t n_spellings, capacity;
    rsp_spelling *spellings; /* in order of first appearance; at most RSP_MOST_SPELLINGS */
    rsp_map *seen;
    bool many; /* more spellings than that */
    const rsp_own *own;
    bool personal_heading;
} rsp_profile;

typedef enum {
    RSP_KIND_BLANK,
    RSP_KIND_DATE,
    RSP_KIND_CODES,   /* few different numbers */
    RSP_KIND_CHOICES, /* few different texts */
    RSP_KIND_INTEGER,
    RSP_KIND_DECIMAL,
    RSP_KIND_TEXT
} rsp_profile_kind;

/* One for each column; rsp_profiles_free. Says what is doubtful about the table as a whole: records of too few or too many
 * cells, headings among the answers, letters that a wrong encoding left. */
rsp_profile *rsp_profiles(const rsp_table_data *t, const rsp_tool *tool, rsp_diag *d);
void rsp_profiles_free(rsp_profile *p, size_t n);
/* Adds what stands in the same column of another file. */
void rsp_profile_merge(rsp_profile *into, const rsp_profile *from);
rsp_profile_kind rsp_kind_of(const rsp_profile *p, const rsp_column_info *info);
size_t rsp_profile_missing(const rsp_profile *p);

/* Is the answer the column's heading, with a mark of byte order in front or without? */
bool rsp_is_heading_again(const char *text, const char *heading);
/* Do most columns hold their own heading among their answers, as where files were copied one below the other? Columns of too
 * many answers to keep tell nothing; fewer than two others are no evidence. */
bool rsp_profiles_repeat_headings(const rsp_profile *profiles, const rsp_table_data *t);

#endif
