/* One entry of a section of analyses while it is read: what the readers of the sections share.
 *
 * A reader fills the part of rsp_analysis that belongs to its kind, and reports what is wrong with the entry; what may
 * name an analysis further down is looked up by a resolver, when all entries have been read. */
#ifndef RESPONSIVE_STUDY_ANALYSIS_H
#define RESPONSIVE_STUDY_ANALYSIS_H

#include "study/loader.h"

typedef struct {
    rsp_loader *l;
    const rsp_node *n;
    rsp_analysis *x;
    const char *where; /* "table 'age'" */
} rsp_entry;

/* Figures over several countries need a decision how countries combine. */
void rsp_need_scale(rsp_entry *e);

void rsp_load_table(rsp_entry *e);                 /* analysis_table.c */
void rsp_load_test(rsp_entry *e);                  /* analysis_table.c */
void rsp_load_scale(rsp_entry *e);                 /* analysis_factor.c */
void rsp_load_factor(rsp_entry *e);                /* analysis_factor.c */
void rsp_load_model(rsp_entry *e);                 /* analysis_model.c */
void rsp_load_drivers(rsp_entry *e, rsp_model *m); /* analysis_drivers.c */

/* `of` of a pooled model, `scales` of a ladder. */
void rsp_resolve_pooled(rsp_entry *e);     /* analysis_model.c */
void rsp_resolve_invariance(rsp_entry *e); /* analysis_factor.c */

#endif
