#include "batch/respondents.h"

#include "batch/sealed.h"

#include <string.h>
#include <unistd.h>

size_t *rsp_count_by_country(const rsp_frame *f, rsp_arena *a) {
    size_t c = f->study->roles.country;
    if (c == RSP_NONE || !f->study->variables[c].list) return NULL;
    size_t *count = RSP_ARRAY(a, size_t, f->study->variables[c].list->n);
    for (size_t i = 0; i < f->n; i++) {
        int k = rsp_code(&f->columns[c], i);
        if (k >= 0) count[k]++;
    }
    return count;
}

static bool take_key(rsp_respondents *x, rsp_diag *d) {
    if (!x->frame->keyed) return rsp_pseudonym_key(x->study, x->key, d);
    memcpy(x->key, x->frame->key, sizeof x->key);
    return true;
}

/* ---- reading ---------------------------------------------------------------------------------------------------- */

/* Forgotten respondents are no rows for any rule; the log counts them without a name. */
static bool forget_rows(rsp_respondents *x, rsp_diag *d) {
    const char *list = rsp_forgotten_path(x->study, x->arena);
    if (x->study->roles.id == RSP_NONE || !list || access(list, F_OK) != 0) return true;
    if (!take_key(x, d)) return false;
    x->forgotten = rsp_set_forgotten_aside(x->frame, x->key, d);
    return !rsp_diag_errors(d);
}

static void log_forgotten(rsp_respondents *x) {
    rsp_clean_log *l = x->cleaning;
    for (size_t k = 0; k < x->forgotten; k++)
        RSP_PUSH(l->lines, l->n, l->capacity, ((rsp_clean_line){"", "forgotten", "drop", "", "asked to be forgotten"}));
}

bool rsp_respondents_read(rsp_respondents *x, rsp_diag *d) {
    rsp_log_line(x->log, "reading exports");
    if (!(x->frame = rsp_intake(x->study, d)) || rsp_diag_errors(d)) return false;
    x->read_by_country = rsp_count_by_country(x->frame, x->arena);
    return forget_rows(x, d);
}

/* ---- letting in ------------------------------------------------------------------------------------------------- */

/* Nobody came, and a few left or changed their answers: the difference to the publication before would be theirs alone. Likewise
 * to an earlier one, where answers or respondents come back. */
static bool too_little(const rsp_respondents *x) {
    const rsp_arrivals *a = &x->arrivals;
    size_t least = (size_t) x->study->disclosure.minimum_change, other = a->left > a->other ? a->left : a->other;
    return rsp_memory_releases(x->memory) && (a->back || (!a->came && other > 0 && other < least));
}

static void report_too_little(const rsp_arrivals *x, rsp_diag *d) {
    static const char remedy[] = "the publication before stays until there are more, or newcomers beside them";
    if (x->back)
        rsp_report(d, RSP_NOTE, RSP_NOWHERE, remedy,
                   "but for at least %zu respondents the answers are those of an earlier publication again: one that "
                   "differs from it by so few would tell what they answered",
                   x->back);
    else
        rsp_report(d, RSP_NOTE, RSP_NOWHERE, remedy,
                   "%zu respondents of the publication before are gone, at least %zu are gone or answer otherwise: one "
                   "that differs by so few would tell what they answered",
                   x->left, x->other);
}

/* Newcomers too few to be published wait. The memory is every rank's own to read: each lets in the same. */
static bool let_wait(rsp_respondents *x, rsp_diag *d) {
    if (x->study->disclosure.off) return true;
    if (!take_key(x, d)) return false;
    if (!(x->memory = rsp_memory_open(x->study_dir, x->study, x->key, x->releases, d))) return false;
    x->arrivals = rsp_let_wait(x->frame, x->cleaning, x->memory, x->key);
    if (x->arrivals.wait)
        rsp_log_line(x->log, "%zu newcomers wait until there are enough to be published, %zu are let in",
                     x->arrivals.wait, x->arrivals.came);
    x->too_little = too_little(x);
    if (x->too_little) report_too_little(&x->arrivals, d);
    return !x->too_little;
}

/* ---- weighting -------------------------------------------------------------------------------------------------- */

static bool anybody(const rsp_respondents *x, rsp_diag *d) {
    const rsp_loc study = {x->study->path, 0, 0};
    if (!x->cleaning->rows_read)
        rsp_report(d, RSP_ERR_DATA, study, "is this the export with the answers?", "the exports hold no answers");
    else if (!x->frame->n)
        rsp_report(d, RSP_ERR_DATA, study, "look at the cleaning rules and at the exports",
                   "of %zu rows read none is left after cleaning", x->cleaning->rows_read);
    return x->frame->n > 0;
}

bool rsp_respondents_weigh(rsp_respondents *x, rsp_diag *d) {
    rsp_log_line(x->log, "cleaning %zu rows of %zu files", x->frame->n, x->frame->n_files);
    if (!(x->cleaning = rsp_clean(x->frame, d)) || rsp_diag_errors(d)) return false;
    log_forgotten(x);
    rsp_log_line(x->log, "weighting %zu rows kept", x->frame->n);
    if (!anybody(x, d) || !let_wait(x, d)) return false;
    if (!(x->sample = rsp_sample_new(x->frame, d)) || rsp_diag_errors(d)) return false;
    for (size_t i = 0; x->sample->set_aside && i < x->frame->n; i++)
        if (x->sample->set_aside[i])
            rsp_clean_log_add(x->cleaning, x->frame, i, "weighting_missing", "drop", "",
                              "no answer to a margin of the weighting");
    return true;
}

void rsp_respondents_free(rsp_respondents *x) {
    rsp_memory_free(x->memory);
    rsp_sample_free(x->sample);
    rsp_clean_log_free(x->cleaning);
    rsp_frame_free(x->frame);
}
