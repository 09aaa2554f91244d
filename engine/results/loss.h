/* What disclosure control costs readers: see rsp_loss in results.h. */
#ifndef RESPONSIVE_RESULTS_LOSS_H
#define RESPONSIVE_RESULTS_LOSS_H

#include "results/collapse.h"
#include "results/published.h"

/* Into p->losses. hidden [rows]: rsp_hidden; dropped [rows]: pairs that are no row of the published table. */
void rsp_count_losses(rsp_published *p, const rsp_study *s, const rsp_results *r, const unsigned char *hidden,
                      const bool *dropped);

#endif
