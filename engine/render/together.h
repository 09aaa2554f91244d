/* Files of a kind, made by the team of threads that makes the publication. */
#ifndef RESPONSIVE_RENDER_TOGETHER_H
#define RESPONSIVE_RENDER_TOGETHER_H

#include <stdbool.h>
#include <stddef.h>

/* make(context, k) for k in 0 .. n-1, begun in this order, by whichever threads of the team are free; by the caller alone where
 * there is no team. The longest should come first, so that no thread is left with one at the end. False: one was false. */
bool rsp_make_each(size_t n, bool (*make)(void *context, size_t k), void *context);

#endif
