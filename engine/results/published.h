/* What disclosure control and the readers of results.csv build; renderers see it through results.h alone. */
#ifndef RESPONSIVE_RESULTS_PUBLISHED_H
#define RESPONSIVE_RESULTS_PUBLISHED_H

#include "responsive/results.h"

struct rsp_published {
    size_t n;
    rsp_published_row *rows;
    rsp_map *keys;   /* analysis, domain, term, level, statistic -> row */
    rsp_map *first;  /* analysis -> its first row; those of one analysis stand together */
    size_t n_losses; /* 0: disclosure control is off, or the table was read back */
    rsp_loss *losses;
    rsp_arena *arena;
};

rsp_published *rsp_published_new(size_t n); /* n rows to be filled, then rsp_published_index */
void rsp_published_index(rsp_published *p);

/* The numeric columns in the order of the table. */
enum { RSP_N_NUMBERS = 11 };
extern const char *const RSP_NUMBER_NAMES[RSP_N_NUMBERS];
double *rsp_published_number(rsp_published_row *row, size_t k);

#endif
