/* Cleaning and derivation: the frame in, the frame and its log out. Nothing disappears: every row read is kept or set
 * aside with the rule that did it, every changed cell is a line of the log. */
#ifndef RESPONSIVE_CLEAN_H
#define RESPONSIVE_CLEAN_H

#include "responsive/frame.h"

typedef struct {
    const char *case_name; /* rsp_case_name */
    const char *rule;      /* id of the rule; the engine's own: `weighting_missing`, ... */
    const char *action;    /* "drop", "flag", "set-missing", "recode" */
    const char *variable;  /* "" for whole rows */
    const char *detail;    /* why, in words that hold no answer */
} rsp_clean_line;

typedef struct {
    size_t n, capacity;
    rsp_clean_line *lines;
    size_t rows_read, rows_kept;
    size_t *rule_rows;  /* per rule of the study: rows concerned */
    size_t *rule_cells; /* per rule: cells changed */
    rsp_arena *arena;
} rsp_clean_log;

/* Evaluates expressions and derivations over rows. */
typedef struct {
    double number;    /* NaN if missing or not a number */
    const char *text; /* code or text of a string value; NULL if it is none */
    bool missing;
} rsp_expr_value;

/* `self`: variable that '.' stands for, or RSP_NONE. */
rsp_expr_value rsp_eval(const rsp_frame *f, const rsp_expr *e, size_t row, size_t self);
/* True where the condition holds; a missing condition does not take the row. take has f->n bytes. */
void rsp_eval_filter(const rsp_frame *f, const rsp_expr *e, uint8_t *take);

/* Computes all derivations, applies the rules in order (derivations are brought up to date before each rule), marks
 * rows set aside, then keeps the others. NULL on error. */
rsp_clean_log *rsp_clean(rsp_frame *f, rsp_diag *d);
/* Computes anew what is derived from variables marked in `changed` [n_variables], and marks that, too. The columns must be
 * the frame's own to write to. */
void rsp_derive_again(rsp_frame *f, bool *changed);
/* Marks what would be computed anew. */
void rsp_derived_from(const rsp_study *s, bool *changed);
/* A line about a row from a later station (weighting). Strings other than the case's name must outlive the log. */
void rsp_clean_log_add(rsp_clean_log *l, const rsp_frame *f, size_t row, const char *rule, const char *action,
                       const char *variable, const char *detail);
void rsp_clean_log_free(rsp_clean_log *l);
bool rsp_clean_write(const rsp_clean_log *l, const char *path, rsp_diag *d); /* quality/cleaning.csv */

#endif
