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

typedef struct {
    int64_t count; /* respondents in it: the smallest cell is hidden first, then the one that stands first */
    int64_t base;  /* respondents of its domain with a valid answer, which an attacker is taken to know */
    int64_t drift; /* it was shown in the publication before, since when that many came or went: its count is known to
                      +- drift; -1: it was not */
    bool known;    /* of nobody: everybody knows its zero, it is never hidden */
    bool counts;   /* its value is its count (a share of the base); else it is known or not known */
    bool hidden;
    bool open; /* hidden, as nobody prints it, but not confidential: that it can be computed does no harm */
} rsp_cell_state;

/* Marks cells as hidden until no hidden one is determined by elimination, and the least and the greatest count that a hidden
 * one can have (linear programming over all relations) lie at least `least` apart, or as far as its base and drift allow. Returns
 * how many cells were marked. After Fischetti and Salazar 2000, Models and algorithms for optimizing cell suppression in
 * tabular data with linear constraints, JASA 95: their attacker's problem, with a greedy choice of the next cell. */
size_t rsp_protect(size_t n_cells, rsp_cell_state *cells, size_t n_relations, const rsp_relation *relations,
                   int64_t least);

#endif
