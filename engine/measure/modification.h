/* Modification indices: what each parameter that a model fixes, or holds equal to another, would do if it were free
 * (modification.c). */
#ifndef RESPONSIVE_MEASURE_MODIFICATION_H
#define RESPONSIVE_MEASURE_MODIFICATION_H

#include "measure/factor.h"

typedef struct {
    rsp_sem_cell cell;
    bool
        equal; /* an equality is given up: this cell's with all that share its parameter; else it is fixed, or not there */
    double index; /* score statistic of the normal likelihood or the weighted misfit, chi-square if that holds */
    double
        scaled; /* the same with the variance that errors rest on: chi-square on one degree of freedom (Boos 1992). NaN: no
                    * robust estimator, or no such variance */
    double epc; /* expected change of the cell; of an equal one beyond the others' */
    double std; /* the same standardised by items and factors; NaN where a variance is not positive */
} rsp_modification;

/* All that are identified, by group, what is fixed before what is equal; their number. `out` lives in the arena.
 * 0 where the fit cannot be used. */
size_t rsp_factor_modifications(const rsp_factor_fit *fit, rsp_arena *a, rsp_modification **out, rsp_diag *d);

/* The cell as a statement of lavaan's syntax: "visual =~ x9". */
const char *rsp_factor_statement(const rsp_factor_fit *fit, const rsp_sem_cell *cell, rsp_arena *a);

#endif
