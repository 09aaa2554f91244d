/* What filling a frame keeps while it goes: shared by fill.c and by what is said of it in the end (fill_report.c). */
#ifndef INTAKE_FILL_PLAN_H
#define INTAKE_FILL_PLAN_H

#include "fill.h"

/* ---- a thread's memory ------------------------------------------------------------------------------------------ */

struct odd { /* a spelling that means nothing */
    const char *text;
    rsp_lines lines;
};

enum { RECENT = 16, SHORT = 16 };

struct recent { /* a short spelling: its first and last bytes, which overlap; length 0: none yet */
    uint64_t head, tail;
    uint32_t length;
    int code;
};

struct cache {
    rsp_map *codes;               /* bytes of a cell -> code + CODE_BASE, or ODD_BIT + index */
    int16_t one[256];             /* of cells of one byte that mean something: code + CODE_BASE; 0: not met */
    struct recent recent[RECENT]; /* of longer ones; by a hash of their bytes */
    size_t n_odd, odd_capacity;
    struct odd *odd;
    size_t n_sets, sets_capacity;
    uint8_t **sets;    /* cells with several answers: place of each choice */
    rsp_lines bad;     /* no number, no date */
    rsp_lines undated; /* LimeSurvey's date of submission where it keeps none */
    rsp_lines damaged; /* identifiers that a spreadsheet rounded: 5.36E+08 */
    unsigned folds;    /* RSP_FOLD_... it took */
    bool ambiguous;
    bool serial; /* one of the bad dates is a number of days, as spreadsheets count them */
};

struct dictionary {
    rsp_map *numbers;
    size_t n, capacity;
    const char **words;
};

struct worker {
    rsp_room room;
    rsp_cell *cells;
    rsp_buf fold;
    rsp_arena *arena;
    size_t n_caches;
    struct cache *caches;            /* per column of the file */
    struct dictionary *dictionaries; /* per variable */
};

struct rsp_filler {
    rsp_frame *frame;
    const rsp_matcher *matcher;
    int n_workers;
    struct worker *workers;
    uint16_t *reader; /* per row: the worker that numbered its words */
};

/* ---- how a file is filled --------------------------------------------------------------------------------------- */

/* Columns of one select_multiple or rank, together. */
struct group {
    size_t variable, n, *columns;
};

struct plan {
    const rsp_fill_job *job;
    rsp_frame *frame;
    const rsp_matcher *matcher;
    size_t n_single, *single; /* columns that are filled by themselves */
    size_t n_groups;
    struct group *groups;
    size_t n_answers, *answers; /* columns that show how far the respondent came */
    size_t submitted, finished; /* columns, or RSP_NONE */
};

/* Says what was odd about a file that was filled: its records, and the cells of each column over all threads. */
void rsp_fill_report(const rsp_filler *x, const struct plan *p, rsp_diag *d);

#endif
