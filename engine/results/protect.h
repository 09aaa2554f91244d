/* Complementary suppression over linked tables: which further cells must be hidden so that no hidden one follows from
 * the relations among them (levels add to their base, parts to their whole). */
#ifndef RESPONSIVE_RESULTS_PROTECT_H
#define RESPONSIVE_RESULTS_PROTECT_H

#include "responsive/base.h"

/* cell[0] = sum of cell[1..n) (a whole and its parts), or, with `fixed`, the sum of all cells is a known number as soon
 * as one of them is shown (the levels of one distribution). */
typedef struct {
    size_t n;
    size_t *cell;
    bool fixed;
} rsp_relation;

/* Marks cells in hidden[] until elimination determines none of them. count[]: respondents, the smallest is hidden
 * first, then the one that stands first; cells with count 0 of nobody are `known` and never hidden. Returns how many
 * cells were marked. */
size_t rsp_protect(size_t n_cells, const int64_t *count, const bool *known, bool *hidden, size_t n_relations,
                   const rsp_relation *relations);

#endif
