/* What a study calls things, as exports may write them: shared by the matching of cells (match.c), of headings
 * (headings.c) and of dates (dates.c). */
#ifndef INTAKE_MATCH_H
#define INTAKE_MATCH_H

#include "reader.h"

/* Words that stand for two things are told by rsp_matcher_word alone. */
struct rsp_list_names {
    const rsp_list *list;
    rsp_map *codes;  /* exact -> choice */
    rsp_map *folded; /* codes folded -> choice */
    rsp_map *words;  /* labels and aliases folded -> choice */
};

struct rsp_matcher {
    const rsp_study *study;
    const bool *used; /* per variable: something in the study needs its own values (rsp_study_uses) */
    rsp_map *names;   /* names and export names as written -> variable */
    rsp_map *loose;   /* the same folded, brackets in other notations */
    rsp_map *labels;  /* folded labels -> variable */
    size_t n_lists;
    struct rsp_list_names *lists;
};

/* The value of a key of one of these maps, RSP_NONE if there is none; *ambiguous becomes true if it stands for two things. */
size_t rsp_matcher_word(const rsp_map *m, const char *key, size_t length, bool *ambiguous);
/* What the list's choices are called; the list is that of a question. */
const struct rsp_list_names *rsp_matcher_list(const rsp_matcher *m, const rsp_list *l);
/* Are text and wording the same when folded, the kinds of folding in `without` (RSP_FOLD_...) left out? */
bool rsp_match_alike(const char *text, size_t length, const char *wording, unsigned without, rsp_buf *room);
/* Takes blanks, tabs and line ends off both ends. */
void rsp_cell_trim(const char **text, size_t *length);

/* Asked for itself: neither derived nor a part of a select_multiple or a rank. */
static inline bool rsp_is_question(const rsp_variable *v) {
    return v->derive.kind == RSP_DERIVE_NONE && v->part_of == RSP_NONE;
}

#endif
