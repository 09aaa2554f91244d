/* Rows of an analysis and what was said about them as bytes: for the cache and for sending them to another process. The bytes
 * are those of one type of processor; they come back as exactly the rows that they were made of. */
#ifndef RESPONSIVE_BATCH_PACK_H
#define RESPONSIVE_BATCH_PACK_H

#include "responsive/results.h"

void rsp_pack(rsp_buf *b, const rsp_analysis *a, const rsp_results *rows, rsp_diag *said);
/* Appends the rows and reports again what was said. False, with part of it done: the bytes are cut short. */
bool rsp_unpack(const char *bytes, size_t length, const rsp_study *s, const rsp_analysis *a, rsp_results *into,
                rsp_diag *d);

#endif
