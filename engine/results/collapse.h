/* Five answers published as three: where an answer of few respondents must be hidden, the two lowest and the two highest
 * of an ordered scale are joined, so that its readers lose the difference within the pairs and not the answers.
 *
 * The estimate station offers the joined pairs as rows `proportion_collapsed` beside the five of `proportion`. Disclosure
 * control tries every item both ways (rsp_collapse in each round of the one) and keeps what tells more. */
#ifndef RESPONSIVE_RESULTS_COLLAPSE_H
#define RESPONSIVE_RESULTS_COLLAPSE_H

#include "responsive/results.h"

/* What becomes of a row. UNPRINTED: a pair that is not published, and no secret either. */
typedef enum { SHOWN = 0, PRIMARY, COMPLEMENTARY, UNPRINTED } rsp_hidden;

enum { RSP_FIVE = 5 };

/* One distribution: rows of its answers in order, and of the pairs 0 with 1 and 3 with 4. */
typedef struct {
    size_t answer[RSP_FIVE], pair[2];
} rsp_five;

typedef struct {
    size_t n, capacity;
    rsp_five *items; /* heap */
} rsp_fives;

rsp_fives rsp_fives_find(const rsp_results *r, rsp_arena *a);
void rsp_fives_free(rsp_fives *f);

bool rsp_is_pair(const rsp_row *r);

/* Joins the answers of every distribution that has something hidden and whose pairs and middle are shown; a pair that is not
 * published, and has a hidden answer, becomes UNPRINTED. hidden [rows]. True if it changed anything. */
bool rsp_collapse(const rsp_results *r, const rsp_fives *f, unsigned char *hidden);

/* Are the distribution's pairs published in place of its answers? */
bool rsp_is_collapsed(const rsp_results *r, const rsp_five *f, const unsigned char *hidden);

/* What a reader learns of it: all answers 10, the three 7, else 2 for every answer shown. */
int rsp_collapse_worth(const rsp_results *r, const rsp_five *f, const unsigned char *hidden);

#endif
