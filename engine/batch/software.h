#ifndef RESPONSIVE_BATCH_SOFTWARE_H
#define RESPONSIVE_BATCH_SOFTWARE_H

#include "responsive/render.h"

/* Libraries on which numbers and pages rest, with the versions in use; strings live as long as the arena. */
rsp_library *rsp_software(rsp_arena *a, size_t *n);

#endif
