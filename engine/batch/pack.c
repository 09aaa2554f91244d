#include "batch/pack.h"

#include <stdlib.h>
#include <string.h>

/* ---- bytes ------------------------------------------------------------------------------------------------------ */

static void put(rsp_buf *b, const void *bytes, size_t n) { rsp_buf_add(b, bytes, n); }

static void put_text(rsp_buf *b, const char *s) {
    uint32_t length = s ? (uint32_t) strlen(s) : UINT32_MAX;
    put(b, &length, sizeof length);
    if (s) put(b, s, length);
}

struct bytes {
    const char *at, *end;
    bool short_; /* read beyond the end */
};

static void get(struct bytes *b, void *into, size_t n) {
    if ((size_t) (b->end - b->at) < n) b->short_ = true;
    if (b->short_) memset(into, 0, n);
    else memcpy(into, b->at, n);
    if (!b->short_) b->at += n;
}

static const char *get_text(struct bytes *b, rsp_arena *a) {
    uint32_t length;
    get(b, &length, sizeof length);
    if (b->short_ || length == UINT32_MAX) return NULL;
    if ((size_t) (b->end - b->at) < length) {
        b->short_ = true;
        return NULL;
    }
    b->at += length;
    return rsp_strndup(a, b->at - length, length);
}

/* ---- rows ------------------------------------------------------------------------------------------------------- */

enum { N_DOUBLES = 13, N_COUNTS = 4 };

static double *number(rsp_row *r, size_t k) {
    double *all[N_DOUBLES] = {&r->estimate, &r->se, &r->df,    &r->df1,  &r->lower,   &r->upper, &r->p,
                              &r->p_adj,    &r->n,  &r->n_eff, &r->deff, &r->largest, &r->second};
    return all[k];
}

static int64_t *count(rsp_row *r, size_t k) {
    int64_t *all[N_COUNTS] = {&r->base, &r->cell, &r->organisations, &r->tail};
    return all[k];
}

static void put_row(rsp_buf *b, rsp_row r) {
    const char *const texts[] = {r.analysis, r.domain, r.term, r.level, r.statistic, r.sides[0], r.sides[1]};
    for (size_t k = 0; k < sizeof texts / sizeof *texts; k++) put_text(b, texts[k]);
    for (size_t k = 0; k < N_DOUBLES; k++) put(b, number(&r, k), sizeof(double));
    for (size_t k = 0; k < N_COUNTS; k++) put(b, count(&r, k), sizeof(int64_t));
    put(b, &r.flags, sizeof r.flags);
}

static void get_row(struct bytes *b, rsp_results *into) {
    const char *texts[7];
    for (size_t k = 0; k < 7; k++) texts[k] = get_text(b, into->arena);
    rsp_row *r = rsp_results_add(into, texts[0], texts[1], texts[2], texts[3], texts[4] ? texts[4] : "");
    r->sides[0] = texts[5];
    r->sides[1] = texts[6];
    for (size_t k = 0; k < N_DOUBLES; k++) get(b, number(r, k), sizeof(double));
    for (size_t k = 0; k < N_COUNTS; k++) get(b, count(r, k), sizeof(int64_t));
    get(b, &r->flags, sizeof r->flags);
}

/* Lines are counted from the analysis' own, which may have moved in the file. */
static void put_entry(rsp_buf *b, const rsp_diagnostic *e, const rsp_analysis *a) {
    bool own = e->loc.file && strcmp(e->loc.file, a->loc.file) == 0;
    int32_t line = e->loc.line - (own ? a->loc.line : 0), numbers[] = {e->class, own, line, e->loc.column};
    put(b, numbers, sizeof numbers);
    put_text(b, own ? NULL : e->loc.file);
    put_text(b, e->message);
    put_text(b, e->hint);
}

static void get_entry(struct bytes *b, const rsp_analysis *a, rsp_arena *arena, rsp_diag *d) {
    int32_t numbers[4];
    get(b, numbers, sizeof numbers);
    const char *file = get_text(b, arena), *message = get_text(b, arena), *hint = get_text(b, arena);
    rsp_loc loc = {numbers[1] ? a->loc.file : file, numbers[2] + (numbers[1] ? a->loc.line : 0), numbers[3]};
    if (message) rsp_report(d, numbers[0], loc, hint, "%s", message);
}

/* ---- the whole -------------------------------------------------------------------------------------------------- */

void rsp_pack(rsp_buf *b, const rsp_analysis *a, const rsp_results *rows, rsp_diag *said) {
    uint64_t n = rows->n, entries = rsp_diag_count(said);
    put(b, &n, sizeof n);
    for (size_t j = 0; j < n; j++) put_row(b, rows->rows[j]);
    put(b, &entries, sizeof entries);
    for (size_t j = 0; j < entries; j++) put_entry(b, rsp_diag_at(said, j), a);
}

bool rsp_unpack(const char *bytes, size_t length, const rsp_study *s, const rsp_analysis *a, rsp_results *into,
                rsp_diag *d) {
    struct bytes b = {bytes, bytes + length, false};
    uint64_t n, entries;
    get(&b, &n, sizeof n);
    for (uint64_t j = 0; j < n && !b.short_; j++) get_row(&b, into);
    get(&b, &entries, sizeof entries);
    for (uint64_t j = 0; j < entries && !b.short_; j++) get_entry(&b, a, s->arena, d);
    return !b.short_;
}
