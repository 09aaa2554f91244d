#include "batch/ranks.h"

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

#else

void rsp_ranks_start(int *argc, char ***argv) { (void) argc, (void) argv; }
void rsp_ranks_end(void) {}
int rsp_rank(void) { return 0; }
int rsp_ranks(void) { return 1; }
bool rsp_ranks_agree(bool ok) { return ok; }
int rsp_ranks_status(int status) { return status; }
void rsp_ranks_share(char *bytes, int n) { (void) bytes, (void) n; }
void rsp_ranks_bring(rsp_buf *b, int owner) { (void) b, (void) owner; }

#endif
