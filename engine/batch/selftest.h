/* The installed program held against certified values and against other programs' results, on data installed with it. */
#ifndef RESPONSIVE_BATCH_SELFTEST_H
#define RESPONSIVE_BATCH_SELFTEST_H

#include "responsive/render.h"

/* Computes every set of fixtures/reference/selftest.yaml; strings live in the arena. False, and reported, where the list or
 * a study cannot be read. The same on any number of threads. */
bool rsp_selftest_run(rsp_arena *a, const rsp_accuracy **sets, size_t *n, rsp_diag *d);

/* The list and all files of the folders that it names count into h: what the annex prints rests on them. */
bool rsp_selftest_hash(rsp_hash *h, rsp_diag *d);

#endif
