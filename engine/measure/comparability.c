#include "measure/comparability.h"

const char *rsp_grade_word(rsp_grade g) {
    static const char *const words[] = {"not_comparable", "with_caution", "comparable"};
    return words[g];
}
