/* From exports to a weighted sample, as every night takes them: read, the forgotten set aside, cleaned, newcomers let in or kept
 * waiting beside the memory of publications, weighted. Every rank does this for itself. */
#ifndef RESPONSIVE_BATCH_RESPONDENTS_H
#define RESPONSIVE_BATCH_RESPONDENTS_H

#include "batch/log.h"
#include "responsive/clean.h"
#include "responsive/intake.h"
#include "responsive/results.h"
#include "responsive/weight.h"
#include "results/waiting.h"

typedef struct {
    const rsp_study *study;
    const char *study_dir; /* OUT/<study>, where the memory is */
    size_t releases;       /* of how many publications the one that stands says that the memory holds them */
    rsp_log *log;
    rsp_arena *arena; /* the caller's */
    rsp_frame *frame;
    size_t *read_by_country; /* per choice of the country list, before cleaning; NULL: no country */
    rsp_clean_log *cleaning;
    rsp_memory *memory; /* of earlier publications; NULL: disclosure control is off */
    unsigned char key[RSP_KEY_BYTES];
    rsp_arrivals arrivals;
    rsp_sample *sample;
    size_t forgotten;
    bool
        too_little; /* a few respondents left or answer otherwise, nobody came: the publication before stays, nobody is weighted */
} rsp_respondents;

/* Answers as they were read. False: reported. */
bool rsp_respondents_read(rsp_respondents *x, rsp_diag *d);
/* Then cleaned, let in and weighted. False: reported, as a note where there is too little. */
bool rsp_respondents_weigh(rsp_respondents *x, rsp_diag *d);
void rsp_respondents_free(rsp_respondents *x);

/* Rows in use, per choice of the country list; NULL: no country. */
size_t *rsp_count_by_country(const rsp_frame *f, rsp_arena *a);

#endif
