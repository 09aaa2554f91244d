/* What the parts of cleaning share: the state of one run over one frame. */
#ifndef RESPONSIVE_CLEAN_CLEANER_H
#define RESPONSIVE_CLEAN_CLEANER_H

#include "responsive/clean.h"

typedef struct {
    rsp_frame *frame;
    const rsp_study *study;
    rsp_clean_log *log;
    rsp_diag *diag;
    bool *dirty; /* per variable: cells changed since derivations were computed */
    bool any_dirty;
    bool computed;    /* derivations have values: from then on only those with dirty inputs are computed */
    size_t rule;      /* the rule at work */
    uint8_t *take;    /* per row: room for a condition */
    uint8_t *touched; /* per row: counted for this rule */
} rsp_cleaner;

/* ---- log.c ---- */
void rsp_cleaner_line(rsp_cleaner *c, size_t row, const char *action, const char *variable, const char *detail);

/* ---- derive.c ---- */
/* Computes the derivations whose inputs are dirty, in the study's order; what they change is an input of later ones. */
void rsp_cleaner_derive(rsp_cleaner *c);
/* Warns of results that are none of a derived variable's codes, over the rows kept. */
void rsp_cleaner_check_derived(rsp_cleaner *c);

/* ---- cells.c ---- */
/* Is there an answer, valid or a "don't know"? A question stored in parts: is any part there? */
bool rsp_cell_present(const rsp_frame *f, size_t variable, size_t row);
/* Order of two rows' cells, for grouping; missing ones are equal. */
int rsp_cell_compare(const rsp_frame *f, size_t variable, size_t a, size_t b);
/* Marks a variable's cells as changed; a part's question changes with it. */
void rsp_cleaner_changed(rsp_cleaner *c, size_t variable);
/* One cell becomes missing, with a line of the log. */
void rsp_cleaner_set_missing(rsp_cleaner *c, size_t row, size_t variable, int kind, const char *detail);
/* What the rule's action says for a row, or for one cell of it (variable RSP_NONE: the row). */
void rsp_cleaner_act(rsp_cleaner *c, size_t row, size_t variable, const char *detail);
/* The row counts among those that the rule concerned. */
void rsp_cleaner_touch(rsp_cleaner *c, size_t row);

/* ---- rules ---- */
void rsp_rule_drop(rsp_cleaner *c); /* conditions.c */
void rsp_rule_set_missing(rsp_cleaner *c);
void rsp_rule_constraint(rsp_cleaner *c);
void rsp_rule_relevant(rsp_cleaner *c);
void rsp_rule_recode(rsp_cleaner *c);
void rsp_cleaner_mark_not_shown(rsp_cleaner *c);
void rsp_rule_duplicates(rsp_cleaner *c); /* conduct.c */
void rsp_rule_incomplete(rsp_cleaner *c);
void rsp_rule_speeders(rsp_cleaner *c);
void rsp_rule_straightliners(rsp_cleaner *c);
void rsp_rule_outliers(rsp_cleaner *c);

#endif
