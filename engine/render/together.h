/* Files of a kind, made by the team of threads that makes the publication. */
#ifndef RESPONSIVE_RENDER_TOGETHER_H
#define RESPONSIVE_RENDER_TOGETHER_H

#include <stdbool.h>
#include <stddef.h>

/* make(context, k) for k in 0 .. n-1, in any order, by whichever threads of the team are free; by the caller alone where there
 * is no team. False: one of them was false. */
bool rsp_make_each(size_t n, bool (*make)(void *context, size_t k), void *context);

#endif
