/* What readers may have kept of earlier publications, in the form that disclosure control needs: see results.h. */
#ifndef RESPONSIVE_RESULTS_MEMORY_H
#define RESPONSIVE_RESULTS_MEMORY_H

#include "responsive/results.h"
#include "results/trace.h"

/* A row of results as it was last published. */
typedef struct {
    int64_t base;       /* respondents then */
    int64_t shown_base; /* respondents when it was last shown; -1: it never was */
    bool hidden;        /* then */
    bool waits;         /* then, and only as too few had changed since it was last shown */
} rsp_row_memory;

/* A cell of the tables as it was last published. */
typedef struct {
    int64_t count, base;
    size_t spell; /* it is hidden since this spell began; RSP_NONE: it was shown */
} rsp_cell_memory;

/* A cell's publications in a row that hid it while nobody came to its domain or left it, so that all have one count. In the tables
 * that an attacker cannot exclude, it is that count plus a number between -low and high. */
typedef struct {
    double low, high;
    double need; /* how far apart the ends of that number's range must stay; 0: the rules would have shown it */
    bool open;   /* the last publication hid it, too */
} rsp_spell;

/* What one relation of one publication (or of several alike) says: these spells' numbers, with these signs, add to something
 * between -fall and rise; both are 0 but from one spell of a cell to the next, where so many left and came. */
typedef struct {
    size_t n, *spell;
    signed char *sign;
    double fall, rise;
} rsp_spell_sum;

struct rsp_memory {
    char rules[65]; /* digest of the rules of disclosure */
    size_t releases;
    size_t n_people;
    uint64_t *people; /* sorted; the same number twice: two rows that nothing tells apart */
    size_t n_rows, rows_capacity, n_cells, cells_capacity, n_spells, spells_capacity, n_sums, sums_capacity;
    rsp_map *row_of, *cell_of; /* key -> place */
    const char **row_key, **cell_key;
    size_t row_keys_capacity, cell_keys_capacity;
    rsp_row_memory *rows;
    rsp_cell_memory *cells;
    rsp_spell *spells;
    rsp_spell_sum *sums;
    rsp_traces *then;    /* of the answers behind statistics when these were last shown, or hidden for their own sake */
    rsp_traces *tonight; /* NULL: nobody has looked */
    rsp_arena *arena;
};

rsp_row_memory *rsp_memory_row(const rsp_memory *m, const char *key); /* NULL: never published */
void rsp_memory_put_row(rsp_memory *m, const char *key, rsp_row_memory row);
rsp_cell_memory *rsp_memory_cell(const rsp_memory *m, const char *key);
void rsp_memory_put_cell(rsp_memory *m, const char *key, rsp_cell_memory cell);
size_t rsp_memory_add_spell(rsp_memory *m, rsp_spell spell);
/* Copies the arrays. The same sum twice is kept twice until rsp_memory_tidy. */
void rsp_memory_add_sum(rsp_memory *m, size_t n, const size_t *spell, const signed char *sign, double fall,
                        double rise);
/* Drops sums that stand there already, and spells of which none that hang together is open (nothing that comes can narrow them)
 * or none has a need (nothing is to be kept). */
void rsp_memory_tidy(rsp_memory *m);
/* Takes over the traces of tonight's answers. */
void rsp_memory_look(rsp_memory *m, rsp_traces *tonight);
/* Tonight's traces are the last ones, but for those of `waiting` keys. */
void rsp_memory_keep_traces(rsp_memory *m, const rsp_map *waiting);
/* Everything but the people: other rules were chosen on purpose. */
void rsp_memory_start_anew(rsp_memory *m, const char *rules);

#endif
