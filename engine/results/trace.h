/* Traces of the answers behind statistics, so that it is seen when some were changed in place: the same respondents, another
 * answer. A trace holds no answer: it is a sum of keyed hashes in parts, and each respondent's answers go into one part. Two
 * traces of the same respondents that differ in k parts tell that at least k of them answer otherwise. */
#ifndef RESPONSIVE_RESULTS_TRACE_H
#define RESPONSIVE_RESULTS_TRACE_H

#include "responsive/frame.h"

enum { RSP_TRACE_PARTS = 16 };

typedef struct {
    uint32_t part[RSP_TRACE_PARTS];
    uint32_t n; /* respondents in it */
} rsp_trace;

typedef struct {
    size_t n, keys_capacity, capacity;
    rsp_map *place; /* key -> its number */
    const char **key;
    rsp_trace *trace;
    bool
        nameless; /* some respondents have no id: one who answers otherwise is one who left and one who came, in two parts */
    rsp_arena *arena;
} rsp_traces;

rsp_traces *rsp_traces_new(void);
void rsp_traces_free(rsp_traces *t); /* NULL allowed */
const rsp_trace *rsp_traces_find(const rsp_traces *t, const char *key);
void rsp_traces_put(rsp_traces *t, const char *key, rsp_trace trace); /* replaces */
/* At least so many respondents differ: 0 if they are the same with the same answers. */
size_t rsp_trace_distance(const rsp_trace *x, const rsp_trace *y, bool nameless);

/* Keys. filter: the analysis where it has a filter, else "". said: with those who said that they do not know. */
const char *rsp_trace_table_key(const char *filter, const char *term, const char *domain, bool said, rsp_arena *a);
const char *rsp_trace_analysis_key(const char *analysis, const char *domain, rsp_arena *a);
extern const char RSP_TRACE_EVERYBODY[]; /* all variables of all analyses */

/* Of all families of the study, each with the answers that decide over weights. numbers [rows of the frame]: keyed numbers of
 * respondents (rsp_person). */
rsp_traces *rsp_trace_answers(const rsp_frame *f, const uint64_t *numbers);

#endif
