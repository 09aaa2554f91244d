/* What the readers and the tools of intake have in common.
 *
 * A reader (delimited text; later workbooks, SPSS, Stata) opens a file and gives a table: headings, records with the
 * line where each begins, cells on demand for a range of records, so that a file of a million rows is never held as
 * cells. A tool (LimeSurvey, plain csv, ...) says what headings mean and why a cell is blank; tools.c lists them. */
#ifndef INTAKE_READER_H
#define INTAKE_READER_H

#include "responsive/intake.h"

/* ---- bytes to UTF-8 --------------------------------------------------------------------------------------------- */

typedef struct {
    char *text; /* UTF-8 without BOM and without NUL bytes; heap, not terminated */
    size_t length;
    const char *encoding; /* as recognised, static */
    bool assumed;         /* neither declared nor proven by a BOM or by being valid UTF-8 */
} rsp_decoded;

/* Takes over `raw` (empties it). declared: an encoding's name as iconv knows it, NULL: detect. What was assumed, bytes
 * that the encoding does not have and NUL bytes are reported with their lines. False if the name is unknown. */
bool rsp_decode(rsp_buf *raw, const char *declared, const char *path, rsp_decoded *out, rsp_diag *d);
/* Offset of the first byte that is not valid UTF-8; length if all is. */
size_t rsp_utf8_check(const char *text, size_t length);

/* ---- tables ----------------------------------------------------------------------------------------------------- */

typedef struct {
    const char *text; /* not terminated; lives as long as the room it was read into */
    uint32_t length;
    bool quoted; /* of an empty cell: "" rather than nothing */
} rsp_cell;

/* Lines to name in a report: how many there are, and the first of them. */
enum { RSP_LINES_SHOWN = 5 };

typedef struct {
    size_t n;
    uint32_t first[RSP_LINES_SHOWN]; /* ascending */
} rsp_lines;

void rsp_lines_add(rsp_lines *l, uint32_t line);
void rsp_lines_merge(rsp_lines *into, const rsp_lines *from);
/* "line 7", "lines 7, 9 and 3 more" */
const char *rsp_lines_text(const rsp_lines *l, char text[128]);

/* A thread's room for cells. Zero-initialise; rsp_room_free. */
typedef struct {
    struct csv_parser *parser;
    char *bytes;
    size_t capacity, used;
    rsp_lines fewer, more; /* records with fewer or more cells than there are headings */
} rsp_room;

void rsp_room_free(rsp_room *r);

typedef struct rsp_table_data rsp_table_data;
struct rsp_table_data {
    const char *path;
    const char *encoding;
    char delimiter; /* 0 where the format has none */
    size_t n_header_rows;
    size_t n_columns;
    const char **headings; /* as in the file */
    size_t n_records;
    const uint32_t *line; /* per record: where it starts */
    uint32_t heading_line;
    bool bare_empty, quoted_empty; /* cells of these two kinds occur */
    bool comma_in_cells;           /* a comma occurs that does not separate cells */
    const struct rsp_record *records;
    char *text;
    /* Cells of records from..to-1, row by row, n_columns each: missing ones are bare, surplus ones dropped. Several
     * threads may call it, each with its own room; what the room holds of an earlier call is gone. */
    void (*read)(const rsp_table_data *t, size_t from, size_t to, rsp_room *room, rsp_cell *cells);
};

/* Opens delimited text. delimiter 0: detect. NULL if it cannot be read as a table (reported). */
rsp_table_data *rsp_delimited_open(rsp_buf *raw, const char *path, const char *encoding, char delimiter, rsp_diag *d);
void rsp_table_close(rsp_table_data *t); /* NULL allowed */
/* Records to read at once so that their cells stay in the processor's cache. */
size_t rsp_table_block(const rsp_table_data *t);

/* ---- folding ---------------------------------------------------------------------------------------------------- */

/* Text as it is compared: composed, case folded, white space made single blanks, without HTML tags and trailing dots,
 * entities resolved, quotation marks and dashes made plain, Romanian s and t with cedilla given their comma. Appends to
 * nothing: `into` is overwritten. */
void rsp_fold(const char *text, size_t length, rsp_buf *into);

/* ---- what a study asks for -------------------------------------------------------------------------------------- */

/* used[j] is true where something in the study (roles, rules, expressions, design, analyses) needs variable j's own
 * values; texts of other variables are never stored. used has study->n_variables elements. */
void rsp_study_uses(const rsp_study *s, bool *used);

/* ---- headings and cells ----------------------------------------------------------------------------------------- */

typedef enum {
    RSP_TAKE_NOTHING,
    RSP_TAKE_CODE, /* a choice's code or label */
    RSP_TAKE_NUMBER,
    RSP_TAKE_DATE,
    RSP_TAKE_TEXT,
    RSP_TAKE_TICK,   /* one choice of a select_multiple */
    RSP_TAKE_OTHER,  /* the text of "other" of a select_multiple: there or not, the text is not kept */
    RSP_TAKE_LIST,   /* all chosen codes or labels in one cell */
    RSP_TAKE_PLACE,  /* rank: an item's place as a number */
    RSP_TAKE_RANKED, /* rank: the item at place `part` + 1 */
    RSP_TAKE_ORDER   /* rank: all items in order in one cell */
} rsp_take;

typedef struct {
    rsp_take take;
    size_t variable; /* the question (not its part); RSP_NONE with RSP_TAKE_NOTHING */
    size_t part;     /* TICK, OTHER, PLACE: choice; RANKED: place from 0 */
    bool personal;   /* not read because it identifies a person */
    bool free_text;  /* not read because it is text that the study does not use, or stands beside a question */
    bool settled;    /* not read because another column or the source says the same */
    bool question;   /* an answer here shows how far the respondent came, read or not */
    bool submitted;  /* blank where the questionnaire was left before its end */
} rsp_target_column;

typedef struct rsp_tool {
    const char *name;
    /* How sure the headings make it: 0 not at all; the highest wins. `why` gets the evidence in words. */
    int (*recognise)(const rsp_table_data *t, char why[160]);
    /* The code by which a heading of the tool's own columns (response id, date submitted, ...) goes in any language of
     * its exports; NULL if the heading is none of those. */
    const char *(*own_column)(const char *folded);
    bool decimal_point;  /* writes numbers with a point */
    bool ranks_by_place; /* NAME[1] of a ranking is the item at the first place, not the place of item 1 */
    bool tells_missing;  /* blank cells tell why: bare or quoted, submitted or not */
} rsp_tool;

extern const rsp_tool rsp_tool_limesurvey, rsp_tool_csv;

/* The tool by its name in study.yaml ("auto": by evidence); NULL if there is none of that name. */
const rsp_tool *rsp_tool_find(const char *format, const rsp_table_data *t, char why[160]);
const char *rsp_tool_names(char text[160]);

/* All names and labels of an instrument, prepared for look-up. */
typedef struct rsp_matcher rsp_matcher;

rsp_matcher *rsp_matcher_new(const rsp_study *s, const bool *used);
void rsp_matcher_free(rsp_matcher *m);
/* Where each heading goes: [t->n_columns]. Duplicates, unmatched headings and variables without a column are reported.
 */
rsp_target_column *rsp_match_headings(const rsp_matcher *m, const rsp_table_data *t, const rsp_tool *tool,
                                      const rsp_source *source, rsp_arena *a, rsp_diag *d);

enum { RSP_VALUE_NONE = -1, RSP_VALUE_AMBIGUOUS = -2, RSP_NO_TICK = -100 };
/* The choice that a cell means, by code, then by label or alias; RSP_VALUE_NONE, RSP_VALUE_AMBIGUOUS. `room` is the
 * caller's, for folding. */
int rsp_match_value(const rsp_matcher *m, const rsp_list *l, const char *text, size_t length, rsp_buf *room);
/* 1 yes, 0 no, RSP_NA_NOT_SHOWN for N/A, RSP_NO_TICK if it is no such word. */
int rsp_match_tick(const char *text, size_t length, rsp_buf *room);
bool rsp_is_not_available(const char *text, size_t length); /* "N/A" */
/* Choices in a cell that holds several; chosen has l->n bytes: place from 1 in the order written, else 0. False if a
 * piece is no choice. */
bool rsp_match_several(const rsp_matcher *m, const rsp_list *l, const char *text, size_t length, uint8_t *chosen,
                       rsp_buf *room);
/* ISO 8601 date or date and time (zone offset allowed, none means UTC) as seconds since 1970-01-01 UTC. */
bool rsp_parse_date(const char *text, size_t length, double *seconds);

#endif
