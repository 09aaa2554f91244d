/* What readers may have kept of earlier publications, in the form that disclosure control needs: see results.h. */
#ifndef RESPONSIVE_RESULTS_MEMORY_H
#define RESPONSIVE_RESULTS_MEMORY_H

#include "responsive/results.h"
#include "results/trace.h"

/* One of the states in which a row was published: shown, or hidden for its own sake. What was hidden only as too few had changed
 * is none. */
typedef struct {
    int64_t base;  /* respondents then */
    size_t state;  /* of the answers behind it; RSP_NONE: nobody looked */
    size_t before; /* the row's one before; RSP_NONE */
    bool hidden;
} rsp_row_told;

typedef struct {
    bool hidden; /* in the last publication */
    size_t last; /* its newest rsp_row_told; RSP_NONE */
} rsp_row_memory;

/* Likewise a cell of the tables. */
typedef struct {
    int64_t count, base;
    size_t state, before;
    size_t spell; /* RSP_NONE: shown; RSP_GONE: hidden, and nothing is to be kept of it any more */
} rsp_cell_told;

enum { RSP_TOLD_IN_FILE = 16, RSP_CELL_TOLD_IN_FILE = 20 }; /* bytes */
static const size_t RSP_GONE = RSP_NONE - 1;

typedef struct {
    int64_t count, base; /* in the last publication */
    size_t spell;        /* it is hidden since this spell began; RSP_NONE: it was shown */
    size_t last;         /* its newest rsp_cell_told; RSP_NONE */
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
    size_t n_states, states_capacity, n_row_told, row_told_capacity, n_cell_told, cell_told_capacity;
    rsp_map *row_of, *cell_of; /* key -> place */
    const char **row_key, **cell_key;
    size_t row_keys_capacity, cell_keys_capacity;
    rsp_row_memory *rows;
    rsp_cell_memory *cells;
    rsp_spell *spells;
    rsp_spell_sum *sums;
    rsp_trace *states; /* of the answers behind rows and cells, each once */
    rsp_map *state_of; /* trace -> its place; NULL until something is told */
    rsp_row_told *row_told;
    size_t last_night; /* of all answers in the last publication: a row_told of the row `everybody`; RSP_NONE */
    rsp_cell_told *cell_told;
    rsp_traces *tonight; /* of tonight's answers; NULL: nobody has looked */
    rsp_arena *arena;
};

rsp_row_memory *rsp_memory_row(const rsp_memory *m, const char *key); /* NULL: never published */
rsp_cell_memory *rsp_memory_cell(const rsp_memory *m, const char *key);
/* As tonight's publication left it; its states stay. */
void rsp_memory_put_row(rsp_memory *m, const char *key, bool hidden);
void rsp_memory_put_cell(rsp_memory *m, const char *key, int64_t count, int64_t base, size_t spell);
/* A state more, unless it stands there (of a row: its number); what was shown once in a state is known in it, hidden or not. trace NULL: nobody looked. */
size_t rsp_memory_tell_row(rsp_memory *m, const char *key, const rsp_trace *trace, int64_t base, bool hidden);
void rsp_memory_tell_cell(rsp_memory *m, const char *key, const rsp_trace *trace);
/* Of how many respondents at least the difference between tonight and then speaks; 0: everything is the same. */
size_t rsp_memory_differ(const rsp_memory *m, const rsp_trace *tonight, size_t state, int64_t base, int64_t base_then);
size_t rsp_memory_add_spell(rsp_memory *m, rsp_spell spell);
/* Copies the arrays. The same sum twice is kept twice until rsp_memory_tidy. */
void rsp_memory_add_sum(rsp_memory *m, size_t n, const size_t *spell, const signed char *sign, double fall,
                        double rise);
/* Drops sums that stand there already, and spells of which none that hang together has a need (nothing is to be kept), or none is
 * open (nothing that comes can narrow them) nor of a state that may come again. */
void rsp_memory_tidy(rsp_memory *m);
/* Per spell: does it hang together with one that is open, or with one of these? heap. woken [spells]: taken over. */
bool *rsp_memory_awake(const rsp_memory *m, bool *woken);
/* Takes over the traces of tonight's answers. */
void rsp_memory_look(rsp_memory *m, rsp_traces *tonight);
/* Everything but the people: other rules were chosen on purpose. */
void rsp_memory_start_anew(rsp_memory *m, const char *rules);

#endif
