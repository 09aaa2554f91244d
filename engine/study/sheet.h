/* Small CSV files of a study (survey, choices, targets), with the place of every cell. */
#ifndef RESPONSIVE_STUDY_SHEET_H
#define RESPONSIVE_STUDY_SHEET_H

#include "responsive/base.h"

typedef struct {
    const char *text; /* "" where the row is too short */
    rsp_loc loc;      /* of its first character, inside the quotes */
} rsp_cell;

typedef struct {
    const char *path;
    size_t n_columns;
    rsp_cell *head;
    size_t n_rows;
    rsp_cell *cells; /* row-major, n_rows x n_columns */
} rsp_sheet;

/* RFC 4180 in UTF-8, separated by comma, semicolon or tab, as the heading tells; blank lines are passed over. False
 * with the faults reported as RSP_ERR_STUDY; `from` is where the file is named. */
bool rsp_sheet_read(rsp_arena *a, const char *path, rsp_loc from, rsp_sheet *out, rsp_diag *d);

size_t rsp_sheet_column(const rsp_sheet *s, const char *heading);              /* RSP_NONE if absent */
const rsp_cell *rsp_sheet_cell(const rsp_sheet *s, size_t row, size_t column); /* column RSP_NONE: an empty cell */

#endif
