/* Expressions bound to a frame, ready to run over rows.
 *
 *   rsp_program *p = rsp_program_new(frame, expr, RSP_NONE);
 *   rsp_program_numbers(p, 0, frame->n, out);
 *   rsp_program_free(p);
 *
 * A program is made for the columns as they are bound now (lists, dictionaries), and reads their cells when it runs:
 * it stays good while cells change, not when a dictionary grows. It may run in several threads at once. */
#ifndef RESPONSIVE_CLEAN_EVAL_H
#define RESPONSIVE_CLEAN_EVAL_H

#include "responsive/clean.h"

typedef struct rsp_program rsp_program;

/* What a row of a text program holds where it holds no word. */
enum { RSP_WORD_MISSING = -1, RSP_WORD_NUMBER = -2 };

/* self: variable that '.' stands for, or RSP_NONE. */
rsp_program *rsp_program_new(const rsp_frame *f, const rsp_expr *e, size_t self);
void rsp_program_free(rsp_program *p);
/* Rows from .. from+n-1 as numbers: truth is 1 or 0, NaN where missing or no number. */
void rsp_program_numbers(const rsp_program *p, size_t from, size_t n, double *out);
/* The same as words (index for rsp_program_word) or, where word is RSP_WORD_NUMBER, numbers. */
void rsp_program_values(const rsp_program *p, size_t from, size_t n, double *number, int32_t *word);
size_t rsp_program_n_words(const rsp_program *p);
const char *rsp_program_word(const rsp_program *p, size_t k);
/* take[i] = 1 where the value is true, over all rows, in parallel. */
void rsp_program_filter(const rsp_program *p, uint8_t *take);

#endif
