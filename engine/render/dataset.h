/* Inside the open data: what dataset.c and ddi.c share. */
#ifndef RESPONSIVE_RENDER_DATASET_H
#define RESPONSIVE_RENDER_DATASET_H

#include "responsive/render.h"

/* Questions and derivations; the single choices of a select_multiple or rank are told by its list. */
bool rsp_in_codebook(const rsp_variable *v);
/* The text without bytes that XML cannot hold (control characters). */
const char *rsp_xml_text(rsp_arena *a, const char *text);

/* data/codebook.xml: DDI Codebook 2.5. */
bool rsp_ddi_write(const rsp_publication *p, const char *path, rsp_diag *d);

#endif
