/* Complementary suppression over linked tables: which further cells must be hidden so that no hidden one follows from
 * the relations among them (levels add to their base, parts to their whole). */
#ifndef RESPONSIVE_RESULTS_PROTECT_H
#define RESPONSIVE_RESULTS_PROTECT_H

#include "responsive/base.h"

/* cell[0] = sum of cell[1..n) (a whole and its parts), or, with `fixed`, the sum of all cells is a known number as soon
 * as one of them is shown (the levels of one distribution). With `sign`, of an earlier publication: what an attacker cannot tell
 * about these cells then, with these signs, adds to something between -fall and rise, whatever is hidden tonight. */
typedef struct {
    size_t n;
    size_t *cell;
    bool fixed;
    const signed char *sign; /* NULL: tonight's */
    bool to_tonight;         /* with sign: the last cell's number is tonight's, not that of the publication before */
    double fall, rise;       /* with sign */
} rsp_relation;

typedef struct {
    int64_t count; /* respondents in it: the smallest cell is hidden first, then the one that stands first */
    double room;   /* respondents of its domain who are not in it */
    bool known;    /* of nobody, or as it was last shown: everybody knows it, to hide it is of no use */
    bool counts;   /* its value is its count (a share of the base); else it is known or not known */
    bool hidden;
    bool open;  /* hidden, as nobody prints it, but not confidential: that it can be computed does no harm */
    bool stays; /* the publication before hid it: to hide it again costs least, and opens nothing */
    bool held; /* likewise, and an attacker is in doubt about it: shown tonight, it says what its count can have been */
    bool past; /* no cell of tonight's: one that earlier publications hid */
    /* Before relations are looked at, a hidden count lies between count - low and count + high. Of a `held` cell that is said
     * of the publication before; since then it cannot have fallen by more than `fall` below or risen by more than `rise` above
     * what it did. Its ends must stay `need` apart, those of the publication before `need_before`. */
    double low, high, fall, rise, need, need_before;
    /* Tonight's own count, likewise; narrower where the cell was shown when its answers were these, or nearly. */
    double now_low, now_high;
    bool exposed; /* out: it stays narrowed, nothing is left to hide */
} rsp_cell_state;

/* Marks cells as hidden until no hidden one is determined by elimination, and the least and the greatest count that a hidden
 * one, tonight's or an earlier publication's, can have (linear programming over all relations) lie at least `need` apart. Returns
 * how many cells were marked. After Fischetti and Salazar 2000, Models and algorithms for optimizing cell suppression in
 * tabular data with linear constraints, JASA 95: their attacker's problem, with a greedy choice of the next cell.
 * safe: systems of cells that hang together and were found safe, as bytes; those of one run come up again and again. */
size_t rsp_protect(size_t n_cells, rsp_cell_state *cells, size_t n_relations, const rsp_relation *relations,
                   rsp_map *safe);

/* Takes back what is superfluous: shows the cells of order[n], hidden counts of tonight that no rule hides, one after another where
 * the count of every hidden cell still stays `need` open (the cleaning up of Kelly, Golden and Assad 1992, Cell suppression:
 * disclosure protection for sensitive tabular data, Networks 22). Of tonight's relations alone: what earlier publications
 * tell is to be asked anew. Returns how many it shows. */
size_t rsp_take_back(size_t n_cells, rsp_cell_state *cells, size_t n_relations, const rsp_relation *relations, size_t n,
                     const size_t *order);

#endif
