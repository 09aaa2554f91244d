/* Several processes that work on one night (`make MPI=1`, `mpirun -np 4 responsive run ...`).
 *
 * Every rank reads, cleans and weights; analyses are dealt out; rank 0 gathers their rows, holds the lock and publishes.
 * Which rank computed a row cannot show in it. A rank that dies takes the others along (Open MPI ends the job), so that
 * nothing is published. In a build without MPI there is one rank. */
#ifndef RESPONSIVE_BATCH_RANKS_H
#define RESPONSIVE_BATCH_RANKS_H

#include "responsive/base.h"

void rsp_ranks_start(int *argc, char ***argv);
void rsp_ranks_end(void);
int rsp_rank(void);
int rsp_ranks(void);
bool rsp_ranks_agree(bool ok);            /* true if it is true on every rank: each must call it */
int rsp_ranks_status(int status);         /* rank 0's */
void rsp_ranks_share(char *bytes, int n); /* rank 0's bytes to all */
/* Brings what rank `owner` holds to rank 0. */
void rsp_ranks_bring(rsp_buf *b, int owner);

#endif
