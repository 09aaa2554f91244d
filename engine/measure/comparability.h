/* Verdicts on comparability and what they withhold. */
#ifndef RESPONSIVE_MEASURE_COMPARABILITY_H
#define RESPONSIVE_MEASURE_COMPARABILITY_H

#include "measure/ladder.h"

/* "not_comparable", "with_caution", "comparable" */
const char *rsp_grade_word(rsp_grade g);

#endif
