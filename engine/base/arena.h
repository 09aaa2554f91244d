/* Arenas of which it is known how much they will hold; arenas of threads. */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include "responsive/base.h"

/* So many bytes will be asked for next, in many pieces: they come from one block, whose pages the system gives as they are
 * written to. No large pages: the first byte would take 2 MiB. */
void rsp_arena_expect(rsp_arena *a, size_t bytes);

/* What lives in `other`, which is no more, now lives in a: threads fill an arena each. */
void rsp_arena_join(rsp_arena *a, rsp_arena *other);

#endif
