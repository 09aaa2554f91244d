/* Families: the sets of respondents that statistics rest on. What publications tell together is looked at family by family. */
#ifndef RESPONSIVE_RESULTS_FAMILIES_H
#define RESPONSIVE_RESULTS_FAMILIES_H

#include "responsive/intake.h"

/* Respondents whom a statistic rests on: of a filter, with answers to all items, in a domain of the crossing. */
typedef struct {
    const rsp_analysis *analysis; /* the first one that it belongs to */
    const uint8_t *take;          /* per row of the frame; NULL: no filter */
    size_t n_items, n_by;
    const size_t *items, *by;
    bool said; /* a don't-know counts as an answer: its share is published, too */
} rsp_family;

typedef struct {
    const rsp_study *study;
    const rsp_frame *frame;
    rsp_categories *axes; /* per variable; made when first asked for */
    bool *made;
    size_t n, capacity;
    rsp_family *all; /* heap */
    rsp_arena *arena;
} rsp_families;

/* Of each item, in each crossing of each table; of all variables of any other analysis together, in its groups. */
rsp_families rsp_families_list(const rsp_frame *f, rsp_arena *a);
void rsp_families_free(rsp_families *x);

/* How many domains a family's crossing has; 0: it crosses what cannot be crossed, which the tables report. The axes that
 * rsp_family_domain looks at are there from then on. */
size_t rsp_family_domains(rsp_families *x, const rsp_family *f);
/* Number of the domain that a row of the frame belongs to; -1: the family does not take it. */
int64_t rsp_family_domain(const rsp_families *x, const rsp_family *f, size_t row);
/* "country=PL;gender=female" */
char *rsp_family_domain_text(const rsp_families *x, const rsp_family *f, size_t domain, rsp_arena *a);

#endif
