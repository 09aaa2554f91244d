/* Shared by the parts of a workbook: its table sheets, and the overview sheets with charts over them. */
#ifndef RESPONSIVE_RENDER_WORKBOOK_H
#define RESPONSIVE_RENDER_WORKBOOK_H

#include "tabulate.h"

#include <xlsxwriter.h>

/* Headings of every table, counted from 0; per cent at which overview sheets are printed, so that charts fit A4. */
enum { RSP_BOOK_FIRST_ROW = 3, RSP_BOOK_OVERVIEW_SCALE = 75 };

typedef struct {
    const char *name, *table, *of; /* names of the sheet and of the table in it; the analysis */
    rsp_tab *tab;
    rsp_tab_part part;
} rsp_book_sheet;

/* Names of the sheets of tables with these titles, unique by their numbers: "07 Scores by field of work". At most the 31
 * UTF-16 units of spreadsheets, cut between words, without the signs that they forbid. */
const char **rsp_book_sheet_names(rsp_arena *a, const char *const *titles, size_t n);

/* A run of rows of one table and the columns of them to draw; or several runs below each other, the same rows for a group each. */
typedef struct {
    const rsp_book_sheet *sheet;
    size_t first, n, category, from, to; /* rows; column of names; columns of values [from, to) */
    size_t groups, group; /* runs; column of the groups' names, RSP_NONE: rows are the groups, or there are none */
    const char *title;
} rsp_book_chart;

/* Charts over the sheets' tables: answers as bars of 100 % (stacked), or single values. Returns how many. */
size_t rsp_book_charts(const rsp_labels *l, const rsp_book_sheet *sheets, size_t n, const char *country, bool stacked,
                       rsp_arena *a, rsp_book_chart **charts);
/* Draws them below each other from row `top` on. */
void rsp_book_draw(lxw_workbook *file, lxw_worksheet *sheet, const rsp_book_chart *charts, size_t n, size_t top,
                   rsp_arena *a);

/* How many parts of workbooks this thread's libxlsxwriter has put into our memory so far. */
size_t rsp_book_parts_given(void);

#endif
