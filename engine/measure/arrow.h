/* Informations of models of several groups. A group's own parameters meet those of no other, so the matrix consists of a block
 * for each group but for the rows of parameters that groups share: an arrow, once these stand last. Its factor has no entries
 * outside (George and Liu 1981, chapter 2), and is made block by block: of six groups with parameters of their own in a
 * thirty-sixth of the time that the whole would take. */
#ifndef RESPONSIVE_MEASURE_ARROW_H
#define RESPONSIVE_MEASURE_ARROW_H

#include "measure/sem.h"

typedef struct {
    size_t k, n_blocks;
    size_t *start; /* [n_blocks + 1] places where blocks begin; from the last on: shared parameters */
    size_t *order; /* [k] parameter by place */
} rsp_arrow;

/* By which groups have the free parameters of the model in their cells. */
void rsp_arrow_new(const rsp_sem *s, rsp_arrow *a);
void rsp_arrow_free(rsp_arrow *a);

/* Cholesky's factor [k*k], in the order of places, of a symmetric matrix [k*k] whose other elements are 0, after rows and
 * columns were multiplied by scale [k] and `ridge` was added to the diagonal. `least`: the smallest element of the factor's
 * diagonal. False: there is no factor. */
bool rsp_arrow_factorise(const rsp_arrow *a, const double *matrix, const double *scale, double ridge, double *factor,
                         double *least);

/* x [k] becomes the solution for it, given the factor; room [k]. */
void rsp_arrow_solve(const rsp_arrow *a, const double *factor, double *x, double *room);

/* As rsp_invert_information, for such a matrix. */
bool rsp_arrow_invert(const rsp_arrow *a, double *matrix);

/* out [k*k] = v b v, both symmetric. Without shared parameters, and b without elements outside of blocks either (`blocks`), by
 * block. */
void rsp_arrow_sandwich(const rsp_arrow *a, const double *v, const double *b, bool blocks, double *out);

#endif
