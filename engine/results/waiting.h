/* Newcomers wait until there are enough of them, so that no difference between two publications speaks of a few. */
#ifndef RESPONSIVE_RESULTS_WAITING_H
#define RESPONSIVE_RESULTS_WAITING_H

#include "responsive/clean.h"
#include "responsive/results.h"

typedef struct {
    size_t came;  /* newcomers that are let in */
    size_t left;  /* respondents of the last publication who are not there any more */
    size_t wait;  /* newcomers set aside */
    size_t other; /* where nobody came: at least so many left or answer otherwise than in the last publication */
    size_t back;  /* at least so many, and fewer than `minimum_change`, differ from an earlier one; 0: from none */
} rsp_arrivals;

/* Sets newcomers (rows of the frame that the last publication did not rest on) aside, so that of those let in each statistic
 * of each domain of the study rests on none or on at least `minimum_change`: the largest such group. The first publication
 * lets everybody in. `key` is that of rsp_person; each row that waits is a line of the log. The memory sees the answers of
 * those who are in, and so which statistics rest on answers that were changed in place. */
rsp_arrivals rsp_let_wait(rsp_frame *f, rsp_clean_log *log, rsp_memory *m, const unsigned char *key);
/* The memory's respondents are now those of the frame. */
void rsp_let_in(const rsp_frame *f, rsp_memory *m, const unsigned char *key);

#endif
