/* Five answers published as three: where an answer of few respondents must be hidden, the two lowest or the two highest of
 * an ordered scale are joined, or both, so that readers lose the difference within a pair and not the answers. An end that
 * has nothing to hide may keep its two: their sum is known anyway. But the more is hidden in one table, the less must be
 * in those beside it, so that either may tell more.
 *
 * The estimate station offers the joined pairs as rows `proportion_collapsed` beside the five of `proportion`. Disclosure
 * control tries every item in all three ways and keeps the one that tells most. */
#ifndef RESPONSIVE_RESULTS_COLLAPSE_H
#define RESPONSIVE_RESULTS_COLLAPSE_H

#include "responsive/results.h"

/* What becomes of a row. UNPRINTED: a pair that is not published, and no secret either. HELD: hidden, as beside earlier
 * publications it would tell something. */
typedef enum { SHOWN = 0, PRIMARY, COMPLEMENTARY, UNPRINTED, HELD, RSP_N_HIDDEN } rsp_hidden;

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

/* What is joined of a distribution with something hidden: nothing, the end that has it, or both ends. */
typedef enum { JOIN_NONE, JOIN_ONE, JOIN_BOTH, N_JOININGS } rsp_joining;

/* Joins pairs of answers where pairs and middle are shown; where they are not, a pair of which one answer is hidden becomes
 * UNPRINTED. hidden [rows]. True if it changed anything. */
bool rsp_collapse(const rsp_results *r, const rsp_fives *f, rsp_joining how, unsigned char *hidden);

/* Is the pair of this side (0: lower) published in place of its answers? */
bool rsp_is_collapsed(const rsp_results *r, const rsp_five *f, size_t side, const unsigned char *hidden);

/* What a reader learns of it: all answers 10, with one pair 8, with two 7, else 2 for every answer shown. */
int rsp_collapse_worth(const rsp_results *r, const rsp_five *f, const unsigned char *hidden);

#endif
