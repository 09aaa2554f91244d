/* Faults of one text, as its parser meets them: one a place, and not more than a reader would want to see, since later ones
 * mostly follow from the first. Expressions, formulas and lavaan's syntax have them alike. */
#ifndef RESPONSIVE_STUDY_FAULTS_H
#define RESPONSIVE_STUDY_FAULTS_H

#include "responsive/expr.h"

typedef struct {
    const char *text;
    const rsp_origin *origin; /* of the text, in its file */
    rsp_diag *diag;
    size_t most, n; /* told at most, told so far */
    size_t last;    /* place of the newest, bytes */
    bool over;      /* the text is too big: what is met from here on says nothing */
} rsp_faults;

static inline bool rsp_faults_full(const rsp_faults *f) { return f->over || f->n >= f->most; }

static inline bool rsp_faults_any(const rsp_faults *f) { return f->over || f->n > 0; }

/* Counts the fault; false: nothing is to be said of it. */
static inline bool rsp_faults_add(rsp_faults *f, size_t at) {
    if (rsp_faults_full(f) || (f->n && f->last == at)) return false;
    f->n++;
    f->last = at;
    return true;
}

/* RSP_FAULT(faults, place, hint, format, ...) */
#define RSP_FAULT(f, at, hint, ...)                                                                                    \
    do {                                                                                                               \
        size_t fault_at_ = (at);                                                                                       \
        if (rsp_faults_add((f), fault_at_))                                                                            \
            rsp_report((f)->diag, RSP_ERR_STUDY, rsp_origin_at((f)->origin, (f)->text, fault_at_), (hint),             \
                       __VA_ARGS__);                                                                                   \
    } while (0)

#endif
