/* Made-up exports, for those who want them without words. */
#ifndef RESPONSIVE_BATCH_SIMULATE_H
#define RESPONSIVE_BATCH_SIMULATE_H

#include "responsive/study.h"

/* Does the study say what is to be simulated? False and reported if not. */
bool rsp_can_simulate(const rsp_study *s, rsp_diag *d);
/* As rsp_simulate(): one file a country below `into`, which is made. */
bool rsp_simulate_exports(const rsp_study *s, const char *into, size_t n, uint64_t seed, rsp_diag *d);

#endif
