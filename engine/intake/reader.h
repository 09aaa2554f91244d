/* What the readers and the tools of intake have in common.
 *
 * A reader (delimited.c: text; workbook.c: xlsx, ods; xls.c; statfile.c: SPSS and Stata; euxml.c: EUSurvey's XML) opens
 * a file and gives a table: headings, records with the line or row where each begins, cells on demand for a range of
 * records, so that a file of a million rows is never held as cells. rsp_table_open finds the reader by the first bytes.
 * A tool (LimeSurvey, plain csv, ...) recognises its exports, says how many rows of headings there are, what they mean
 * and why a cell is blank. A further tool is one file and one line in tools.c. */
#ifndef INTAKE_READER_H
#define INTAKE_READER_H

#include "responsive/intake.h"

/* Of an XML document in any format: declared types can name other files and grow without end. */
#define RSP_XML_TYPED "the XML declares a document type (DOCTYPE), as no export does; it is not read"

/* ---- bytes to UTF-8 --------------------------------------------------------------------------------------------- */

typedef struct {
    char *heap; /* the caller's to free; the text stands in it */
    char *text; /* UTF-8 without BOM and without NUL bytes; not terminated */
    size_t length;
    const char *encoding; /* as recognised, static */
    const char *why;      /* what it was recognised by, static */
    bool assumed;         /* neither declared nor proven by a BOM or by being valid UTF-8 */
} rsp_decoded;

/* Takes over `raw` (empties it). declared: an encoding's name as iconv knows it, NULL: detect. What was assumed, bytes
 * that the encoding does not have and NUL bytes are reported with their lines. False if the name is unknown. */
bool rsp_decode(rsp_buf *raw, const char *declared, const char *path, rsp_decoded *out, rsp_diag *d);
/* Offset of the first byte that is not valid UTF-8; length if all is. */
size_t rsp_utf8_check(const char *text, size_t length);
/* Would the text be UTF-8 again, were its letters written as Windows-1252 or 1250? As "Ã¤", which was "ä". Never a text of
 * ASCII alone. */
bool rsp_is_twice_encoded(const char *text, size_t length);

/* ---- tables ----------------------------------------------------------------------------------------------------- */

typedef struct {
    const char *text; /* not terminated; lives as long as the room it was read into */
    uint32_t length;
    bool quoted;    /* of an empty cell: "" rather than nothing */
    int8_t missing; /* the kind of missing that the file itself declares (user-missing values); 0: none */
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
/* Appends 'text' as reports quote what stands in a file: one line of at most `longest` bytes, whole characters. */
void rsp_quote(rsp_buf *b, const char *text, size_t longest);

/* A thread's room for cells. Zero-initialise; rsp_room_free. */
typedef struct {
    struct csv_parser *parser;
    char *bytes;
    size_t capacity, used;
    rsp_lines fewer, more; /* records with fewer or more cells than there are headings */
} rsp_room;

void rsp_room_free(rsp_room *r);

/* Makes room for so many bytes at r->bytes; what it held is gone. */
void rsp_room_reserve(rsp_room *r, size_t bytes);

/* What a file itself says of a column. */
typedef struct {
    const char *code;  /* as in the cells */
    const char *label; /* "" if none */
    int missing;       /* the kind of missing if the file declares it so, else 0 */
} rsp_value_label;

typedef struct {
    const char *label; /* the question's text where the heading is a code; NULL: none */
    size_t n_values;
    const rsp_value_label *values; /* in the file's order */
    bool numeric, date;            /* how a statistics file holds it */
    int measure;                   /* of a statistics file: rsp_measure + 1; 0: not said */
} rsp_column_info;

struct rsp_record { /* of delimited text: bytes */
    size_t offset;
    uint32_t length;
};

struct rsp_taller {
    uint32_t line, more; /* behind the record that begins on `line`: lines that are no rows, from the top */
};

enum { RSP_TOP = 8 }; /* records that a tool may look at to recognise its own */

typedef struct rsp_table_data rsp_table_data;
struct rsp_table_data {
    const char *path;
    const char *format; /* "text", "xlsx", "ods", "xls", "xml", "sav", "por", "dta" */
    const char *encoding, *encoding_why;
    char delimiter;      /* 0 where the format has none */
    double agreement;    /* of delimited text: share of the records with as many cells as the first */
    const char *sheet;   /* of a workbook: the one that was read */
    bool rows_not_lines; /* `line` counts rows of a sheet or cases, not lines of text */
    const char *instead; /* set by a tool: what the table holds instead of answers, such as the questions; NULL */
    bool statistical;    /* names, labels and codes are the file's own: SPSS, Stata */
    size_t n_header_rows;
    size_t n_columns;
    const char **headings; /* as in the file; a tool may have made one of several rows */
    size_t *occurrence;    /* per column, from rsp_tool_take on: the how manieth under its heading; 0: the only one */
    rsp_column_info *info; /* per column; NULL: the format has none */
    size_t n_records;
    uint32_t *line; /* per record: where it starts */
    size_t
        n_taller; /* delimited text: records with line ends inside, after which lines and a spreadsheet's rows differ */
    struct rsp_taller *taller;
    uint32_t heading_line;
    bool bare_empty, quoted_empty; /* cells of these two kinds occur */
    bool comma_in_cells;           /* a comma occurs that does not separate cells */
    bool skipped_marked;           /* the tool marks questions that were seen and not answered: blanks were not shown */
    struct rsp_record *records;    /* delimited text */
    char *heap;                    /* of delimited text: what it stands in */
    char *text;
    size_t text_length;
    bool plain;              /* read by the plain functions alone */
    struct rsp_grid *grid;   /* workbooks, XML */
    struct rsp_cases *cases; /* statistics files */
    rsp_arena *arena;
    const char **top[RSP_TOP]; /* records asked for by rsp_table_record, NULL: not yet */
    /* Cells of records from..to-1, row by row, n_columns each: missing ones are bare, surplus ones dropped. Several
     * threads may call it, each with its own room; what the room holds of an earlier call is gone. */
    void (*read)(const rsp_table_data *t, size_t from, size_t to, rsp_room *room, rsp_cell *cells);
};

/* ---- delimited text, quickly (quick.c) --------------------------------------------------------------------------- */

typedef struct {
    bool bare_empty, quoted_empty; /* cells of these two kinds occur */
    bool comma;                    /* a comma that does not separate cells */
    bool lines_inside;             /* line ends within quotation marks, in this record */
} rsp_seen;

/* Length of the record at the start of the text, and what it holds added to *seen. RSP_NONE, and nothing added, where its
 * quotation marks do not stand as RFC 4180 says, a cell begins with a blank, or it is longer than about `most`. */
size_t rsp_quick_record(const char *text, size_t length, char delimiter, size_t most, rsp_seen *seen);
/* Cells of a record, cut in place: how many, of which the first `limit` are stored. behind: bytes of the text that stand
 * behind it. RSP_NONE where a quotation mark is doubled, stray or indented. */
size_t rsp_quick_cut(const char *text, size_t length, size_t behind, char delimiter, rsp_cell *cells, size_t limit);

typedef struct {
    const char *encoding; /* NULL: detect */
    char delimiter;       /* 0: detect */
    const char *sheet;    /* of a workbook; NULL: the first one that holds answers */
} rsp_open_options;

/* Opens a file of any format, whose bytes `raw` holds (emptied). NULL if it cannot be read as a table (reported with what
 * to do). */
rsp_table_data *rsp_table_open(rsp_buf *raw, const char *path, const rsp_open_options *o, rsp_diag *d);
/* Opens delimited text. delimiter 0: detect. NULL if it cannot be read as a table (reported). */
rsp_table_data *rsp_delimited_open(rsp_buf *raw, const char *path, const char *encoding, char delimiter, rsp_diag *d);
/* The same by the plain functions alone, one byte after another: what quick.c is held against. */
rsp_table_data *rsp_delimited_open_plain(rsp_buf *raw, const char *path, const char *encoding, char delimiter,
                                         rsp_diag *d);
/* Of rsp_table_head: headings anew from record k, as many as it has. */
void rsp_delimited_head(rsp_table_data *t, size_t k);
/* The cells of record k as texts in the table's arena, all that it has; how many. */
size_t rsp_delimited_texts(const rsp_table_data *t, size_t k, const char ***cells);
bool rsp_is_workbook(const rsp_buf *raw); /* a zip archive */
rsp_table_data *rsp_workbook_open(rsp_buf *raw, const char *path, const char *sheet, rsp_diag *d);
bool rsp_is_statfile(const rsp_buf *raw);
rsp_table_data *rsp_statfile_open(rsp_buf *raw, const char *path, const char *encoding, rsp_diag *d);
bool rsp_is_eusurvey_xml(const rsp_buf *raw);
rsp_table_data *rsp_eusurvey_xml_open(rsp_buf *raw, const char *path, rsp_diag *d);
void rsp_table_close(rsp_table_data *t); /* NULL allowed */
/* What reading found of records: too few or too many cells, a file that ends within one. */
void rsp_report_records(const rsp_table_data *t, const rsp_lines *fewer, const rsp_lines *more, rsp_diag *d);
/* Records before `to` are read no more: memory of delimited text goes back to the system. */
void rsp_table_release(const rsp_table_data *t, size_t to);
/* Records to read at once so that their cells stay in the processor's cache. */
size_t rsp_table_block(const rsp_table_data *t);
/* "line 7", or "row 7" where the table has rows, or where lines are not what a spreadsheet counts as rows. */
const char *rsp_rows_text(const rsp_table_data *t, const rsp_lines *l, char text[128]);

/* ---- what a tool makes of a table -------------------------------------------------------------------------------- */

/* The cells of record k < RSP_TOP as texts, n_columns of them, kept as long as the table. NULL beyond the last record. */
const char **rsp_table_record(rsp_table_data *t, size_t k);
/* The same, but all the cells that the record has, where a first row of fewer makes the table narrower; how many. */
size_t rsp_table_wide_record(rsp_table_data *t, size_t k, const char ***cells);
/* The first n records are rows of headings, too. */
void rsp_table_drop(rsp_table_data *t, size_t n);
/* Record k is the row of headings, and what stands above it is none of the answers. Of delimited text with `wider` rows
 * below, the number of columns is that of record k. */
void rsp_table_head(rsp_table_data *t, size_t k);
void rsp_table_set_heading(rsp_table_data *t, size_t j, const char *text); /* copied */
void rsp_table_set_label(rsp_table_data *t, size_t j, const char *text);   /* copied */

typedef struct rsp_cases rsp_cases;
void rsp_cases_free(rsp_cases *c); /* statfile.c; NULL allowed */

/* ---- tables held in memory --------------------------------------------------------------------------------------- */

/* Cells row by row as they come; blank ones need not be put. Rows without a cell do not count. */
typedef struct rsp_grid rsp_grid;

rsp_grid *rsp_grid_new(void);
void rsp_grid_free(rsp_grid *g);                                         /* NULL allowed */
void rsp_grid_row(rsp_grid *g, uint32_t number);                         /* begins a row, as the user counts it */
const char *rsp_grid_keep(rsp_grid *g, const char *text, size_t length); /* a copy that lives as long as the grid */
/* The text is kept by rsp_grid_keep. False, and nothing is put, when the table is larger than can be read. */
bool rsp_grid_put(rsp_grid *g, size_t column, const char *text, size_t length, bool quoted, int missing);
size_t rsp_grid_rows(const rsp_grid *g);
/* Adds the columns of another grid at the right, rows of the same number beside each other. False: too large. */
bool rsp_grid_join(rsp_grid *g, const rsp_grid *more);
void rsp_grid_adopt(rsp_grid *g,
                    rsp_arena *a); /* an arena that lives as long as the grid: its cells' texts stand there */
/* A table of it, which it belongs to from then on; the first row is that of the headings. NULL (reported) if it has no
 * row. */
rsp_table_data *rsp_grid_table(rsp_grid *g, const char *path, const char *format, rsp_diag *d);

/* From now on the records are the grid's rows, as many and with the same lines. */
void rsp_table_hold(rsp_table_data *t, rsp_grid *g);

/* ---- folding ---------------------------------------------------------------------------------------------------- */

/* Text as it is compared: composed, case folded, white space made single blanks, without HTML tags and trailing dots,
 * entities resolved, quotation marks and dashes made plain, Romanian s and t with cedilla given their comma. Appends to
 * nothing: `into` is overwritten. */
void rsp_fold(const char *text, size_t length, rsp_buf *into);

/* What folding makes alike; RSP_FOLD_EXCEL is what a spreadsheet did to codes and ranges. */
enum {
    RSP_FOLD_CASE = 1u << 0,
    RSP_FOLD_SPACE = 1u << 1,
    RSP_FOLD_HTML = 1u << 2,
    RSP_FOLD_SIGNS = 1u << 3, /* quotation marks, dashes, apostrophes, invisible signs, composed letters */
    RSP_FOLD_DOTS = 1u << 4,
    RSP_FOLD_EXCEL = 1u << 5,
    RSP_FOLDS = 6
};

/* The same without the kinds given. */
void rsp_fold_but(const char *text, size_t length, unsigned kinds, rsp_buf *into);

/* The kind of missing (RSP_NA_...) that an answer's folded words stand for in one of the seven languages ("refused",
 * "don't know", "not applicable", "no answer"); 0: it is an answer. */
int rsp_missing_word(const char *folded);

/* ---- what a study asks for -------------------------------------------------------------------------------------- */

/* used[j] is true where something in the study (roles, rules, expressions, design, analyses) needs variable j's own
 * values; texts of other variables are never stored. used has study->n_variables elements. */
void rsp_study_uses(const rsp_study *s, bool *used);
/* The same for what numbers rest on: the country, the design, the weighting, the analyses, and what their variables are cut
 * or mapped from. Of expressions none: they may ask for what one wave alone has. */
void rsp_study_computes_with(const rsp_study *s, bool *used);

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
    bool finished;   /* says so itself: 0, false, or the tool's own word */
    bool words;      /* CODE: a cell that is a code of one choice and the label of another means the label */
} rsp_target_column;

/* What a tool's own column is for. */
typedef enum {
    RSP_OWN_STATUS, /* none of the following */
    RSP_OWN_ID,
    RSP_OWN_STARTED,
    RSP_OWN_SUBMITTED,
    RSP_OWN_LANGUAGE,
    RSP_OWN_DURATION,
    RSP_OWN_FINISHED,
    RSP_OWN_PERSONAL
} rsp_own_kind;

typedef struct {
    const char *folded; /* heading as rsp_fold makes it, in one of the languages of the tool's exports */
    const char *code;   /* the name it goes by in a study */
    rsp_own_kind kind;
} rsp_own;

typedef struct rsp_tool {
    const char *name;
    /* How sure the first rows make it: 0 not at all; the highest wins. `why` gets the evidence in words. */
    int (*recognise)(rsp_table_data *t, char why[160]);
    /* Takes further rows of headings out of the answers and puts headings together; NULL: nothing to do. */
    void (*prepare)(rsp_table_data *t, rsp_diag *d);
    size_t n_own;
    const rsp_own *own; /* the tool's own columns */
    /* The kind of missing that a cell stands for by the tool's rules, 0 none. NULL: the tool writes no such codes. */
    int (*missing)(const char *text, size_t length, rsp_take take);
    /* Was the questionnaire finished, as the cell of a column RSP_OWN_FINISHED says? NULL: by the usual words. */
    bool (*finished)(const char *text, size_t length);
    /* 1 chosen, 0 not, RSP_NO_TICK none of the tool's words. NULL: the usual words alone. */
    int (*tick)(const rsp_table_data *t, const char *text, size_t length);
    bool decimal_point;  /* writes numbers with a point */
    bool ranks_by_place; /* NAME[1] of a ranking is the item at the first place, not the place of item 1 */
    bool tells_missing;  /* blank cells tell why: before or behind the last answer, submitted or not */
    bool quotes_tell;    /* quoted blanks were seen, bare ones not shown, where both occur */
    bool noughts;        /* a choice not made is written 0: blanks of a multiple choice are no answer */
    bool paths;          /* headings may have names of groups in front: group/name */
    bool month_first;    /* dates with slashes are month/day/year, whatever the country */
} rsp_tool;

extern const rsp_tool rsp_tool_limesurvey, rsp_tool_eusurvey, rsp_tool_qualtrics, rsp_tool_surveymonkey, rsp_tool_kobo,
    rsp_tool_redcap, rsp_tool_sosci, rsp_tool_unipark, rsp_tool_google_forms, rsp_tool_microsoft_forms, rsp_tool_spss,
    rsp_tool_stata, rsp_tool_csv;

/* The tool by its name in study.yaml ("auto": by evidence, when `t` is opened); NULL if there is none of that name. */
const rsp_tool *rsp_tool_find(const char *format, rsp_table_data *t, char why[160]);
/* Finds the tool and lets it prepare the table. NULL if the table cannot be one of the tool's (reported). */
const rsp_tool *rsp_tool_take(const char *format, rsp_table_data *t, char why[160], rsp_diag *d);
/* The own column that a heading names, in any language, alone or as the code before a joining string; NULL. */
const rsp_own *rsp_tool_own(const rsp_tool *tool, const char *heading, rsp_buf *room);
const rsp_own *rsp_own_find(const rsp_own *own, size_t n, const char *folded);
/* What a column is called where its heading may stand over several: `heading`, `heading#2`, ... */
const char *rsp_column_name(const rsp_table_data *t, size_t column, rsp_arena *a);

/* Looked at for every cell, hence here. */
static inline bool rsp_cell_blank(const rsp_cell *c) {
    for (uint32_t k = 0; k < c->length; k++) {
        unsigned char b = (unsigned char) c->text[k];
        if (b == 0xC2 && k + 1 < c->length && (unsigned char) c->text[k + 1] == 0xA0) k++;
        else if (b != ' ' && b != '\t' && b != '\n' && b != '\r') return false;
    }
    return true;
}

/* The kind of missing that a cell stands for by itself: as the file or the tool's rules declare it; 0: none. */
static inline int rsp_cell_declared(const rsp_tool *tool, const rsp_cell *c, rsp_take take) {
    if (c->missing) return c->missing;
    return tool->missing ? tool->missing(c->text, c->length, take) : 0;
}

/* Was the questionnaire left before its end: never submitted, or not finished as the tool says? Cells may be NULL. */
bool rsp_was_left(const rsp_tool *tool, const rsp_cell *submitted, const rsp_cell *finished);
/* Why a cell is blank. beyond: it stands behind the last answer of a questionnaire that was left. */
int rsp_blank_kind(const rsp_tool *tool, const rsp_table_data *t, const rsp_cell *c, bool beyond);
/* A kind of missing, made "left before" where it stands behind the last answer. */
int rsp_as_left(const rsp_tool *tool, bool beyond, int why);

/* All names and labels of an instrument, prepared for look-up. */
typedef struct rsp_matcher rsp_matcher;

rsp_matcher *rsp_matcher_new(const rsp_study *s, const bool *used);
void rsp_matcher_free(rsp_matcher *m);
/* Where each heading goes: [t->n_columns]. Duplicates, unmatched headings and variables without a column are reported.
 */
rsp_target_column *rsp_match_headings(const rsp_matcher *m, const rsp_table_data *t, const rsp_tool *tool,
                                      const rsp_source *source, rsp_arena *a, rsp_diag *d);

/* What a text is that identifies a person: "e-mail addresses", "network addresses", ...; NULL. */
const char *rsp_personal_content(const char *text, size_t length);
/* Is the heading one of columns that identify persons (name, e-mail, address in the network, place)? */
bool rsp_is_personal_heading(const char *heading, rsp_buf *room);

enum { RSP_VALUE_NONE = -1, RSP_VALUE_AMBIGUOUS = -2, RSP_NO_TICK = -100 };
/* The choice that a cell means, by code, then by label or alias; RSP_VALUE_NONE, RSP_VALUE_AMBIGUOUS. `room` is the
 * caller's, for folding. */
int rsp_match_value(const rsp_matcher *m, const rsp_list *l, const char *text, size_t length, rsp_buf *room);
/* The same by the code alone, folded, and by labels and aliases alone. */
int rsp_match_code(const rsp_matcher *m, const rsp_list *l, const char *text, size_t length, rsp_buf *room);
int rsp_match_word(const rsp_matcher *m, const rsp_list *l, const char *text, size_t length, rsp_buf *room);
bool rsp_list_twofold(const rsp_matcher *m, const rsp_list *l); /* some choice's code is a label of another */
/* Which RSP_FOLD_... it took to find that the cell means choice k; 0: it is written as the study writes it. */
unsigned rsp_match_folds(const rsp_list *l, size_t k, const char *text, size_t length, rsp_buf *room);
/* The choice whose code is the same number, or whose range of numbers is the date that a spreadsheet made of it (1-2 as
 * 1 February); RSP_VALUE_NONE, RSP_VALUE_AMBIGUOUS. */
int rsp_match_damaged(const rsp_list *l, const char *text, size_t length);
bool rsp_is_range(const char *text);                    /* 1-2, 10 / 14: two numbers alone */
bool rsp_may_be_range(const char *text, size_t length); /* a date of the kind that a spreadsheet makes of one */
/* 1 yes, 0 no, RSP_NA_NOT_SHOWN for N/A, RSP_NO_TICK if it is no such word. */
int rsp_match_tick(const char *text, size_t length, rsp_buf *room);
bool rsp_is_not_available(const char *text, size_t length); /* "N/A" */
/* Choices in a cell that holds several; chosen has l->n bytes: place from 1 in the order written, else 0. False if a
 * piece is no choice. */
bool rsp_match_several(const rsp_matcher *m, const rsp_list *l, const char *text, size_t length, uint8_t *chosen,
                       rsp_buf *room);
/* ISO 8601 date or date and time (zone offset allowed, none means UTC) as seconds since 1970-01-01 UTC. */
bool rsp_parse_date(const char *text, size_t length, double *seconds);

typedef enum { RSP_DATES_ISO, RSP_DATES_DAY_FIRST, RSP_DATES_MONTH_FIRST } rsp_date_order;

/* The same, and dates that spreadsheets and forms write: 31.3.2026, 3/31/2026 9:53:05 PM, 31-03-26. */
bool rsp_parse_local_date(const char *text, size_t length, rsp_date_order order, double *seconds);

#endif
