/* What Cairo's PDF lacks for PDF/UA-1, added to the finished file with libqpdf: /Lang, alternative texts and boxes of
 * figures, viewer preferences, XMP metadata, header cells' scope, artifacts, a deterministic /ID. */
#ifndef RESPONSIVE_RENDER_PDF_FINISH_H
#define RESPONSIVE_RENDER_PDF_FINISH_H

#include "responsive/base.h"

typedef struct {
    const char *alt;
    double box[4]; /* left, bottom, right, top in PDF's page units */
} rsp_pdf_figure;

typedef struct {
    const char *title, *author, *subject, *lang, *date; /* date: ISO, of the content */
    size_t n_figures;
    const rsp_pdf_figure *figures; /* in the order of the structure tree */
} rsp_pdf_facts;

/* Replaces the bytes of `pdf`. False, and reported (`name` is shown), if the file is not as Cairo should have made it:
 * no structure tree, or another number of figures. */
bool rsp_pdf_finish(rsp_buf *pdf, const rsp_pdf_facts *facts, const char *name, rsp_diag *d);

#endif
