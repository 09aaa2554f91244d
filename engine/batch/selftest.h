/* The installed program held against certified values and against other programs' results, on data installed with it. */
#ifndef RESPONSIVE_BATCH_SELFTEST_H
#define RESPONSIVE_BATCH_SELFTEST_H

#include "responsive/render.h"

/* What a study of public data comes to, without cache, memory or pages. NULL, and reported, if it cannot be computed. */
rsp_published *rsp_selftest_compute(const char *dir, rsp_diag *d);
rsp_published *rsp_selftest_compute_study(rsp_study *s, rsp_diag *d);

/* Computes the sets of fixtures/reference/selftest.yaml, for a night those that take little time; strings live in the arena.
 * False, and reported, where the list or a study cannot be read. The same on any number of threads. */
bool rsp_selftest_run(bool nightly, rsp_arena *a, const rsp_accuracy **sets, size_t *n, rsp_diag *d);

/* What tests/test_recovery.c found in made-up worlds (fixtures/reference/recovery.csv); *n 0 where there is no such file. False,
 * and reported, if it cannot be understood. */
bool rsp_selftest_recovery(rsp_arena *a, const rsp_recovery **list, size_t *n, rsp_diag *d);

/* Everything of this that is installed counts into h, as the annex rests on it; what is not there counts as nothing. */
void rsp_selftest_hash(rsp_hash *h);

#endif
