/* Cells into the frame. */
#ifndef INTAKE_FILL_H
#define INTAKE_FILL_H

#include "reader.h"

/* A frame whose cells intake writes as it goes, so that memory is taken when it is needed: columns allocated, nothing
 * written. Rows [from, to) of the answers then become RSP_NA_NOT_ASKED by rsp_frame_ask, derived columns, all rows of them,
 * by rsp_frame_ask_derived. */
rsp_frame *rsp_frame_room(const rsp_study *s, size_t n);
void rsp_frame_ask(rsp_frame *f, size_t from, size_t to);
void rsp_frame_ask_derived(rsp_frame *f);

/* Fills columns of all files of a frame; its threads keep their dictionaries of texts until rsp_filler_finish. */
typedef struct rsp_filler rsp_filler;

typedef struct {
    const rsp_table_data *table;
    const rsp_target_column *columns;
    const rsp_tool *tool;
    const rsp_source *source;
    size_t first_row; /* of the frame */
    uint16_t file;
    char decimal;                /* 0: detect */
    const rsp_date_order *dates; /* per column; NULL: ISO 8601 everywhere */
} rsp_fill_job;

rsp_filler *rsp_filler_new(rsp_frame *f, const rsp_matcher *m);
/* The decimal sign of the file's numbers: given, or found in all of them. 0 when both signs occur and the tool does not
 * say which it writes (reported). */
char rsp_detect_decimal(const rsp_fill_job *job, rsp_diag *d);
/* Sets `words` of columns whose cells are labels although some could be codes of other choices; what cannot be told is
 * reported. */
void rsp_detect_words(const rsp_fill_job *job, const rsp_matcher *m, const rsp_study *s, rsp_target_column *columns,
                      rsp_diag *d);
/* The order of day and month of every column of dates, by what stands in them: [n_columns] in the arena. Columns where no
 * day is above 12 are reported, unless the source or the tool says which it is. */
const rsp_date_order *rsp_detect_dates(const rsp_fill_job *job, rsp_arena *a, rsp_diag *d);
/* The records are read no more after it (rsp_table_release). */
void rsp_fill(rsp_filler *x, const rsp_fill_job *job, rsp_diag *d);
/* Makes the frame's dictionaries: words in sorted order, so that numbers do not follow threads or files. Columns of texts
 * that are personal data by their content are emptied, and reported. */
void rsp_filler_finish(rsp_filler *x, rsp_diag *d);
void rsp_filler_free(rsp_filler *x);

#endif
