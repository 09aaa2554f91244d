/* Cleaning: derivations, then the study's rules in their order, each seeing the rows as the rules before left them. */
#include "clean/cleaner.h"

#include "responsive/limits.h"

#include <stdlib.h>
#include <string.h>

static void apply_rule(rsp_cleaner *c) {
    static void (*const rules[])(rsp_cleaner *) = {
        [RSP_CLEAN_DROP] = rsp_rule_drop,
        [RSP_CLEAN_DUPLICATES] = rsp_rule_duplicates,
        [RSP_CLEAN_INCOMPLETE] = rsp_rule_incomplete,
        [RSP_CLEAN_SPEEDERS] = rsp_rule_speeders,
        [RSP_CLEAN_STRAIGHTLINERS] = rsp_rule_straightliners,
        [RSP_CLEAN_OUTLIERS] = rsp_rule_outliers,
        [RSP_CLEAN_RECODE] = rsp_rule_recode,
        [RSP_CLEAN_SET_MISSING] = rsp_rule_set_missing,
        [RSP_CLEAN_CONSTRAINT] = rsp_rule_constraint,
        [RSP_CLEAN_RELEVANT] = rsp_rule_relevant,
    };
    memset(c->touched, 0, c->frame->n);
    rsp_cleaner_derive(c);
    rules[c->study->rules[c->rule].kind](c);
}

static rsp_clean_log *new_log(const rsp_frame *f) {
    rsp_arena *a = rsp_arena_new();
    rsp_clean_log *l = RSP_NEW(a, rsp_clean_log);
    l->arena = a;
    l->rows_read = f->n;
    l->rule_rows = RSP_ARRAY(a, size_t, f->study->n_rules + 1);
    l->rule_cells = RSP_ARRAY(a, size_t, f->study->n_rules + 1);
    return l;
}

rsp_clean_log *rsp_clean(rsp_frame *f, rsp_diag *d) {
    const rsp_study *s = f->study;
    if (s->n_rules > RSP_MOST_RULES) {
        rsp_report(d, RSP_ERR_STUDY, s->rules[RSP_MOST_RULES].loc, "join conditions with or",
                   "more than %d cleaning rules", RSP_MOST_RULES);
        return NULL;
    }
    rsp_cleaner c = {.frame = f, .study = s, .log = new_log(f), .diag = d};
    c.dirty = rsp_calloc(s->n_variables + 1, sizeof *c.dirty);
    c.take = rsp_calloc(f->n + 1, 1);
    c.touched = rsp_calloc(f->n + 1, 1);
    rsp_cleaner_derive(&c);
    rsp_cleaner_mark_not_shown(&c);
    for (c.rule = 0; c.rule < s->n_rules; c.rule++) apply_rule(&c);
    rsp_cleaner_derive(&c);
    rsp_cleaner_check_derived(&c);
    rsp_frame_keep(f);
    c.log->rows_kept = f->n;
    free(c.dirty);
    free(c.take);
    free(c.touched);
    return c.log;
}
