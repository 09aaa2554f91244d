/* The memory of publications on the disk: OUT/<study>/.memory, sealed with the key of the pseudonyms (libsodium's secretbox), so
 * that neither who copies the output folder nor who finds the file learns a hidden count. It stays when old publications are
 * removed: readers may have kept them. */
#ifndef RESPONSIVE_BATCH_SEALED_H
#define RESPONSIVE_BATCH_SEALED_H

#include "responsive/intake.h"
#include "responsive/results.h"

/* `published`: of how many publications the manifest of the one that stands says that the memory holds them; 0: of none. NULL
 * (reported) where the memory is lost, older than that, or sealed with another key: what may be published is not known then. */
rsp_memory *rsp_memory_open(const char *study_dir, const rsp_study *s, const unsigned char key[RSP_KEY_BYTES],
                            size_t published, rsp_diag *d);
/* Whole or not at all, and on the disk: to be called before the publication that it holds is moved into its place. */
bool rsp_memory_save(const rsp_memory *m, const char *study_dir, const unsigned char key[RSP_KEY_BYTES], rsp_diag *d);

#endif
