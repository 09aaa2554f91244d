/* The results table: rows as statistics append them. */
#include "responsive/results.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char *const FLAG_NAMES[] = {"low_base",     "suppressed",        "suppressed_complementary",
                                         "no_df",        "not_converged",     "singular",
                                         "separated",    "not_comparable",    "preliminary",
                                         "not_eligible", "not_weighted",      "margin_unmet",
                                         "empty",        "replicates_failed", "lonely",
                                         "heywood",      "few_groups",        "collapsed",
                                         "unanswered",   "constant",          "exact"};
_Static_assert(sizeof FLAG_NAMES / sizeof *FLAG_NAMES == RSP_N_FLAGS, "a name for every flag");

const char *rsp_flags_text(uint32_t flags, char text[256]) {
    size_t used = 0;
    text[0] = '\0';
    for (size_t k = 0; k < sizeof FLAG_NAMES / sizeof *FLAG_NAMES; k++)
        if (flags & (1u << k))
            used += (size_t) snprintf(text + used, 256 - used, "%s%s", used ? ";" : "", FLAG_NAMES[k]);
    return text;
}

uint32_t rsp_flags_of(const char *text) {
    uint32_t flags = 0;
    for (const char *p = text; *p;) {
        size_t length = strcspn(p, ";");
        for (size_t k = 0; k < RSP_N_FLAGS; k++)
            if (strncmp(FLAG_NAMES[k], p, length) == 0 && !FLAG_NAMES[k][length]) flags |= 1u << k;
        p += length + (p[length] == ';');
    }
    return flags;
}

rsp_results *rsp_results_new(void) {
    rsp_arena *a = rsp_arena_new();
    rsp_results *r = RSP_NEW(a, rsp_results);
    r->arena = a;
    return r;
}

void rsp_results_free(rsp_results *r) {
    if (!r) return;
    rsp_row *rows = r->rows;
    rsp_arena_free(r->arena);
    free(rows);
}

rsp_row *rsp_results_add(rsp_results *r, const char *analysis, const char *domain, const char *term, const char *level,
                         const char *statistic) {
    rsp_row row = {.analysis = rsp_strdup(r->arena, analysis ? analysis : ""),
                   .domain = rsp_strdup(r->arena, domain ? domain : ""),
                   .term = rsp_strdup(r->arena, term ? term : ""),
                   .level = rsp_strdup(r->arena, level ? level : ""),
                   .statistic = rsp_strdup(r->arena, statistic),
                   .estimate = NAN,
                   .se = NAN,
                   .df = NAN,
                   .df1 = NAN,
                   .lower = NAN,
                   .upper = NAN,
                   .p = NAN,
                   .p_adj = NAN,
                   .n = NAN,
                   .n_eff = NAN,
                   .deff = NAN,
                   .base = -1,
                   .cell = -1,
                   .organisations = -1,
                   .tail = -1,
                   .largest = NAN,
                   .second = NAN};
    RSP_PUSH(r->rows, r->n, r->capacity, row);
    return &r->rows[r->n - 1];
}

void rsp_row_interval(rsp_row *row) {
    if (isnan(row->estimate) || isnan(row->se)) return;
    if (!isnan(row->df) && row->df <= 0) {
        row->flags |= RSP_F_NO_DF;
        row->df = NAN;
        return;
    }
    double t = rsp_t_quantile(0.975, row->df);
    row->lower = row->estimate - t * row->se;
    row->upper = row->estimate + t * row->se;
}

char *rsp_domain_text(rsp_arena *a, size_t n, const char *const *variables, const char *const *codes) {
    rsp_buf b = {0};
    for (size_t k = 0; k < n; k++) {
        if (k) rsp_buf_putc(&b, ';');
        rsp_buf_puts(&b, variables[k]);
        rsp_buf_putc(&b, '=');
        rsp_buf_puts(&b, codes[k]);
    }
    char *text = rsp_strndup(a, b.data ? b.data : "", b.length);
    rsp_buf_free(&b);
    return text;
}

const char *rsp_domain_code(rsp_arena *a, const char *domain, const char *variable) {
    size_t length = strlen(variable);
    for (const char *p = domain; p && *p; p = strchr(p, ';') ? strchr(p, ';') + 1 : NULL) {
        if (strncmp(p, variable, length) != 0 || p[length] != '=') continue;
        const char *code = p + length + 1, *end = strchr(code, ';');
        return rsp_strndup(a, code, end ? (size_t) (end - code) : strlen(code));
    }
    return NULL;
}
