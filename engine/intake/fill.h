/* Cells into the frame. */
#ifndef INTAKE_FILL_H
#define INTAKE_FILL_H

#include "reader.h"

/* Fills columns of all files of a frame; its threads keep their dictionaries of texts until rsp_filler_finish. */
typedef struct rsp_filler rsp_filler;

typedef struct {
    const rsp_table_data *table;
    const rsp_target_column *columns;
    const rsp_tool *tool;
    const rsp_source *source;
    size_t first_row; /* of the frame */
    uint16_t file;
    char decimal; /* 0: detect */
} rsp_fill_job;

rsp_filler *rsp_filler_new(rsp_frame *f, const rsp_matcher *m);
/* The decimal sign of the file's numbers: given, or found in all of them. 0 when both signs occur and the tool does not
 * say which it writes (reported). */
char rsp_detect_decimal(const rsp_fill_job *job, rsp_diag *d);
void rsp_fill(rsp_filler *x, const rsp_fill_job *job, rsp_diag *d);
/* Makes the frame's dictionaries: words in sorted order, so that numbers do not follow threads or files. */
void rsp_filler_finish(rsp_filler *x);
void rsp_filler_free(rsp_filler *x);

#endif
