#include "batch/analyses.h"

#include "batch/cache.h"
#include "batch/pack.h"
#include "batch/ranks.h"

#include <stdlib.h>

/* What becomes of an analysis. */
enum { NOT_WANTED, CACHED, COMPUTED };

static void look_up(const rsp_analyses *x, rsp_cache *cache, rsp_buf *packed, char *fate, const char **why) {
    for (size_t k = 0; k < x->study->n_analyses; k++) {
        fate[k] = NOT_WANTED;
        if (x->wanted[k]) fate[k] = rsp_cache_find(cache, k, &packed[k], &why[k]) ? CACHED : COMPUTED;
        if (fate[k] == CACHED) rsp_log_line(x->log, "%s: %s", x->study->analyses[k].id, why[k]);
    }
}

/* Packed even where nothing is sent or kept: rows take one way, whoever computed them. */
static bool compute(const rsp_analyses *x, size_t k, const char *why, rsp_buf *packed) {
    rsp_log_line(x->log, "computing %s: %s", x->study->analyses[k].id, why ? why : "dealt to this rank");
    rsp_diag *said = rsp_diag_new();
    rsp_results *rows = rsp_results_new();
    rsp_analyse(x->sample, &x->study->analyses[k], rows, said);
    rsp_pack(packed, &x->study->analyses[k], rows, said);
    bool ok = rsp_diag_errors(said) == 0;
    rsp_results_free(rows);
    rsp_diag_free(said);
    return ok;
}

bool rsp_analyses_run(const rsp_analyses *x, rsp_results *into, rsp_diag *d) {
    size_t n = x->study->n_analyses, dealt = 0, errors = rsp_diag_errors(d);
    rsp_cache *cache = x->study_dir ? rsp_cache_open(x->study_dir, x->sample->frame) : NULL;
    rsp_buf *packed = rsp_calloc(n + 1, sizeof *packed);
    char *fate = rsp_calloc(n + 1, 1);
    const char **why = rsp_calloc(n + 1, sizeof *why);
    if (cache) look_up(x, cache, packed, fate, why);
    rsp_ranks_share(fate, (int) n);
    int *owner = rsp_calloc(n + 1, sizeof *owner);
    for (size_t k = 0; k < n; k++) {
        owner[k] = fate[k] == COMPUTED ? (int) (dealt++ % (size_t) rsp_ranks()) : 0;
        if (fate[k] == COMPUTED && owner[k] == rsp_rank() && compute(x, k, why[k], &packed[k]) && cache)
            rsp_cache_keep(cache, k, &packed[k]);
    }
    for (size_t k = 0; k < n; k++) {
        if (fate[k] == COMPUTED) rsp_ranks_bring(&packed[k], owner[k]);
        if (cache && fate[k] != NOT_WANTED &&
            !rsp_unpack(packed[k].data, packed[k].length, x->study, &x->study->analyses[k], into, d))
            rsp_report(d, RSP_ERR_BUG, x->study->analyses[k].loc, NULL, "the rows of '%s' came back cut short",
                       x->study->analyses[k].id);
        rsp_buf_free(&packed[k]);
    }
    free(owner);
    free(why);
    free(fate);
    free(packed);
    rsp_cache_close(cache);
    return rsp_diag_errors(d) == errors;
}
