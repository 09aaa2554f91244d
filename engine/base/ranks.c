#include "base/ranks.h"

#include <omp.h>

static bool together;

void rsp_ranks_together(bool on) { together = on && rsp_ranks() > 1; }

/* First part of a rank's share. */
static size_t share_from(const rsp_part *p, int rank) {
    size_t groups = (p->n + p->unit - 1) / p->unit, from = groups * (size_t) rank / (size_t) rsp_ranks() * p->unit;
    return from < p->n ? from : p->n;
}

rsp_part rsp_ranks_part(size_t n, size_t unit) {
    rsp_part p = {.n = n, .unit = unit, .to = n, .dealt = together && !omp_in_parallel()};
    if (!p.dealt) return p;
    p.from = share_from(&p, rsp_rank());
    p.to = share_from(&p, rsp_rank() + 1);
    return p;
}

#ifdef RSP_MPI
#include <mpi.h>
#include <stdint.h>
#include <stdlib.h>

/* MPI counts with int: longer texts go in pieces. */
enum { PIECE = 1 << 30 };

void rsp_ranks_start(int *argc, char ***argv) {
    int level;
    MPI_Init_thread(argc, argv, MPI_THREAD_FUNNELED, &level);
}

void rsp_ranks_end(void) { MPI_Finalize(); }

int rsp_rank(void) {
    int rank;
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    return rank;
}

int rsp_ranks(void) {
    int n;
    MPI_Comm_size(MPI_COMM_WORLD, &n);
    return n;
}

bool rsp_ranks_agree(bool ok) {
    int mine = ok, all;
    MPI_Allreduce(&mine, &all, 1, MPI_INT, MPI_LAND, MPI_COMM_WORLD);
    return all;
}

int rsp_ranks_status(int status) {
    MPI_Bcast(&status, 1, MPI_INT, 0, MPI_COMM_WORLD);
    return status;
}

int rsp_ranks_worst(int status) {
    int worst;
    MPI_Allreduce(&status, &worst, 1, MPI_INT, MPI_MAX, MPI_COMM_WORLD);
    return worst;
}

void rsp_ranks_share(char *bytes, int n) { MPI_Bcast(bytes, n, MPI_CHAR, 0, MPI_COMM_WORLD); }

static void send_bytes(const rsp_buf *b) {
    uint64_t n = b->length;
    MPI_Send(&n, 1, MPI_UINT64_T, 0, 0, MPI_COMM_WORLD);
    for (uint64_t at = 0; at < n; at += PIECE)
        MPI_Send(b->data + at, (int) (n - at < PIECE ? n - at : PIECE), MPI_CHAR, 0, 0, MPI_COMM_WORLD);
}

static void receive_bytes(rsp_buf *b, int from) {
    uint64_t n;
    MPI_Recv(&n, 1, MPI_UINT64_T, from, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    char *bytes = rsp_malloc(n + 1);
    for (uint64_t at = 0; at < n; at += PIECE)
        MPI_Recv(bytes + at, (int) (n - at < PIECE ? n - at : PIECE), MPI_CHAR, from, 0, MPI_COMM_WORLD,
                 MPI_STATUS_IGNORE);
    rsp_buf_add(b, bytes, n);
    free(bytes);
}

void rsp_ranks_bring(rsp_buf *b, int owner) {
    if (owner == 0) return;
    if (rsp_rank() == owner) send_bytes(b);
    else if (rsp_rank() == 0) receive_bytes(b, owner);
}

static void bytes_of_rank(char *data, size_t n, int rank) {
    for (size_t at = 0; at < n; at += PIECE)
        MPI_Bcast(data + at, (int) (n - at < PIECE ? n - at : PIECE), MPI_CHAR, rank, MPI_COMM_WORLD);
}

void rsp_ranks_gather(const rsp_part *p, void *data, size_t size) {
    for (int rank = 0; p->dealt && rank < rsp_ranks(); rank++) {
        size_t from = share_from(p, rank), to = share_from(p, rank + 1);
        bytes_of_rank((char *) data + from * size, (to - from) * size, rank);
    }
}

#else

void rsp_ranks_start(int *argc, char ***argv) { (void) argc, (void) argv; }
void rsp_ranks_end(void) {}
int rsp_rank(void) { return 0; }
int rsp_ranks(void) { return 1; }
bool rsp_ranks_agree(bool ok) { return ok; }
int rsp_ranks_status(int status) { return status; }
int rsp_ranks_worst(int status) { return status; }
void rsp_ranks_share(char *bytes, int n) { (void) bytes, (void) n; }
void rsp_ranks_bring(rsp_buf *b, int owner) { (void) b, (void) owner; }
void rsp_ranks_gather(const rsp_part *p, void *data, size_t size) { (void) p, (void) data, (void) size; }

#endif
