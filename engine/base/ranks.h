/* Several processes that work on one night (`make MPI=1`, `mpirun -np 4 responsive run ...`).
 *
 * Every rank reads, cleans and weights. Replicates and imputations are dealt out while the ranks work together on an
 * analysis; other analyses, and those of completed data sets, are dealt out whole. Rank 0 gathers the rows, holds the lock
 * and publishes. Which rank computed a number cannot show in it. A rank that dies takes the others along (Open MPI ends
 * the job), so that nothing is published. In a build without MPI there is one rank. */
#ifndef RESPONSIVE_BASE_RANKS_H
#define RESPONSIVE_BASE_RANKS_H

#include "responsive/base.h"

void rsp_ranks_start(int *argc, char ***argv);
void rsp_ranks_end(void);
int rsp_rank(void);
int rsp_ranks(void);
bool rsp_ranks_agree(bool ok);            /* true if it is true on every rank: each must call it */
int rsp_ranks_status(int status);         /* rank 0's */
int rsp_ranks_worst(int status);          /* the greatest of all ranks' */
void rsp_ranks_share(char *bytes, int n); /* rank 0's bytes to all */
/* Brings what rank `owner` holds to rank 0. */
void rsp_ranks_bring(rsp_buf *b, int owner);

/* From true to false all ranks do the same, one after the other: parts of it may be dealt out. */
void rsp_ranks_together(bool on);

/* This rank's share of n equal parts, from .. to: whole groups of `unit` (the last may be shorter). All of them on one
 * rank, or where ranks do not work together, or inside a parallel region. */
typedef struct {
    size_t n, unit, from, to;
    bool dealt;
} rsp_part;

rsp_part rsp_ranks_part(size_t n, size_t unit);
/* Brings every rank's parts, `size` bytes each in data [n * size], to all. */
void rsp_ranks_gather(const rsp_part *p, void *data, size_t size);

#endif
