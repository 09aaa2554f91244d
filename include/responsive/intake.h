/* Intake: exports in any format become the frame.
 *
 * A reader turns a file into a table of records (rsp_table_data): decoded to UTF-8, header rows apart, each cell with
 * its record's line or row. The tool (LimeSurvey, plain csv, ...) says what headings and cells mean. Matching takes
 * headings to variables and cells to codes: by code, then by label in any language of the instrument, folded (case, white
 * space, HTML, quotes, trailing dots; each kind is reported once), then by the file's own labels. What matches nothing is
 * reported with file, line and heading, never guessed. Columns that identify persons are not read unless the study keeps
 * them; respondents' ids leave the program as keyed pseudonyms only.
 * A new tool is one file engine/intake/<tool>.c and one line in the list of engine/intake/tools.c. */
#ifndef RESPONSIVE_INTAKE_H
#define RESPONSIVE_INTAKE_H

#include "responsive/frame.h"

/* Reads every source of the study. NULL when a file is unreadable or inconsistent (class RSP_ERR_DATA). Warnings are
 * given for ragged rows, unmatched columns and answers (grouped: one line for a heading, with the first lines). */
rsp_frame *rsp_intake(const rsp_study *s, rsp_diag *d);

/* Marks the variables that an analysis names itself (not `.`, not the model that a pooled one refits). */
void rsp_analysis_uses(const rsp_analysis *a, bool *used);

/* ---- pseudonyms ------------------------------------------------------------------------------------------------- */

enum { RSP_KEY_BYTES = 32 };

/* The study's key, made on first use with mode 0600. s NULL: the user's. False: reported. */
bool rsp_pseudonym_key(const rsp_study *s, unsigned char key[RSP_KEY_BYTES], rsp_diag *d);
const char *rsp_pseudonym_key_path(const rsp_study *s, rsp_arena *a); /* NULL: there is no place for it */
/* "r" and 16 hexadecimal digits. */
void rsp_pseudonym(const unsigned char key[RSP_KEY_BYTES], const char *study, const char *id, char text[24]);
/* The number in a pseudonym. False: the text is none. */
bool rsp_pseudonym_number(const char *text, uint64_t *number);
/* Who a row is, as a number that says nothing without the key: that of the pseudonym where the respondent has an id, else one
 * made of all the answers as they were read. */
uint64_t rsp_person(const rsp_frame *f, size_t row, const unsigned char key[RSP_KEY_BYTES]);

/* The list of respondents to be forgotten: a file beside the key (its name and `.forgotten`), a pseudonym a line, mode 0600. */
const char *rsp_forgotten_path(const rsp_study *s, rsp_arena *a); /* NULL: there is no place for the key */
/* Adds a pseudonym, unless it stands there already, whole or not at all. */
bool rsp_forgotten_add(const rsp_study *s, const char *pseudonym, bool *already, rsp_diag *d);
/* Sets rows of forgotten respondents aside (RSP_ASIDE_FORGOTTEN), before any rule sees them; how many. */
size_t rsp_set_forgotten_aside(rsp_frame *f, const unsigned char key[RSP_KEY_BYTES], rsp_diag *d);

/* The files that the sources name, in the order in which they are read: paths as opened, names as shown. */
bool rsp_source_files(const rsp_study *s, rsp_arena *a, const char ***paths, const char ***names, size_t *n,
                      rsp_diag *d);

/* `responsive inspect`: prints what files are, as a table for readers or as one JSON document: counts, kinds and what is
 * doubtful, never an answer. False if one of them cannot be read; the others are shown. */
bool rsp_inspect(const char *const *paths, size_t n, bool json, FILE *to, rsp_diag *d);

/* `responsive new`: drafts a study in the new folder dir from exports of one questionnaire: survey.csv, choices.csv and
 * study.yaml, which run as they are. False (reported) if a file cannot be read or the folder holds a study. */
bool rsp_new(const char *dir, const char *const *paths, size_t n, rsp_diag *d);

#endif
