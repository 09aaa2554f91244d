/* The results table: every number on any page is one of its rows.
 *
 * Statistics append to rsp_results in the order of study.yaml. Disclosure control makes rsp_published of it, a
 * different type and the only one that renderers accept: it has no hidden counts, and suppressed rows hold no number. */
#ifndef RESPONSIVE_RESULTS_H
#define RESPONSIVE_RESULTS_H

#include "responsive/study.h"

enum {
    RSP_F_LOW_BASE = 1u << 0,
    RSP_F_SUPPRESSED = 1u << 1,
    RSP_F_SUPPRESSED_COMPLEMENTARY = 1u << 2,
    RSP_F_NO_DF = 1u << 3,
    RSP_F_NOT_CONVERGED = 1u << 4,
    RSP_F_SINGULAR = 1u << 5,
    RSP_F_SEPARATED = 1u << 6,
    RSP_F_NOT_COMPARABLE = 1u << 7,
    RSP_F_PRELIMINARY = 1u << 8,
    RSP_F_NOT_ELIGIBLE = 1u << 9,
    RSP_F_NOT_WEIGHTED = 1u << 10, /* margins could not be met: base weights */
    RSP_F_MARGIN_UNMET = 1u << 11,
    RSP_F_EMPTY = 1u << 12, /* nobody in the domain */
    RSP_F_REPLICATES_FAILED = 1u << 13,
    RSP_F_LONELY = 1u << 14,     /* variance not estimable: a stratum with a single cluster */
    RSP_F_HEYWOOD = 1u << 15,    /* a factor model with a negative variance */
    RSP_F_FEW_GROUPS = 1u << 16, /* a mixed model with fewer than 10 groups of a kind */
    RSP_F_COLLAPSED = 1u << 17,  /* five answers are published as three: too few gave one of them */
    RSP_F_UNANSWERED = 1u << 18, /* a predictor set aside: nobody answered it */
    RSP_F_CONSTANT = 1u << 19,   /* a factor set aside: all who answered gave the same answer */
    RSP_F_EXACT = 1u << 20       /* a linear model that leaves nothing of its outcome: there are no errors */
};
enum { RSP_N_FLAGS = 21 };
/* Names joined by ';' in the order above; "" for 0. */
const char *rsp_flags_text(uint32_t flags, char text[256]);
uint32_t rsp_flags_of(const char *text); /* the other way; words that are no flag count for nothing */

typedef struct {
    const char *analysis, *domain, *term, *level, *statistic;
    double estimate, se, df, df1, lower, upper, p, p_adj, n, n_eff, deff; /* NaN: empty */
    uint32_t flags;
    /* Hidden: never leaves the disclosure station. -1: does not apply. */
    int64_t base;           /* unweighted respondents the statistic rests on */
    int64_t cell;           /* unweighted respondents in this very cell (this answer, this domain) */
    int64_t organisations;  /* distinct organisations among the base */
    int64_t tail;           /* quantiles: fewer of the respondents at or below, at or above */
    double largest, second; /* totals: shares of the two largest contributions; NaN: does not apply */
    const char *sides[2];   /* differences: the two domains compared; NULL otherwise. Arena strings */
} rsp_row;

typedef struct {
    size_t n, capacity;
    rsp_row *rows;
    rsp_arena *arena;
} rsp_results;

rsp_results *rsp_results_new(void);
void rsp_results_free(rsp_results *r);
/* A new row: strings copied, all numbers NaN, hidden counts -1. The pointer is valid until the next call. */
rsp_row *rsp_results_add(rsp_results *r, const char *analysis, const char *domain, const char *term, const char *level,
                         const char *statistic);
/* Fills lower and upper as estimate +- t(df) se; df <= 0 gives no interval and RSP_F_NO_DF. df NaN: normal. */
void rsp_row_interval(rsp_row *row);
/* "country=PL;gender=female" */
char *rsp_domain_text(rsp_arena *a, size_t n, const char *const *variables, const char *const *codes);

/* What is left after disclosure control: all that anybody outside ever sees. */
typedef struct {
    const char *analysis, *domain, *term, *level, *statistic;
    double estimate, se, df, df1, lower, upper, p, p_adj, n, n_eff, deff;
    uint32_t flags;
} rsp_published_row;

typedef struct rsp_published rsp_published;

/* What all earlier publications of a study told: which respondents they rest on, which rows and cells they showed or hid, and
 * what that leaves an attacker in doubt about who kept every one of them. It knows hidden counts: as bytes it is to be kept
 * sealed. NULL in the calls below: there is no publication before, and none will be looked at against this one. */
typedef struct rsp_memory rsp_memory;

rsp_memory *rsp_memory_new(const char *rules); /* digest of the rules of disclosure */
void rsp_memory_free(rsp_memory *m);           /* NULL allowed */
void rsp_memory_pack(const rsp_memory *m, rsp_buf *b);
rsp_memory *rsp_memory_unpack(const char *bytes, size_t length); /* NULL: not what was packed */
size_t rsp_memory_releases(const rsp_memory *m);                 /* publications so far */
/* Respondents of the last publication: keyed numbers of theirs (rsp_person). */
void rsp_memory_set_people(rsp_memory *m, const uint64_t *people, size_t n);
size_t rsp_memory_people(const rsp_memory *m);
size_t rsp_memory_times(const rsp_memory *m, uint64_t person); /* how often the number stands there */
bool rsp_memory_forget(rsp_memory *m, uint64_t person);        /* false: it did not stand there */

/* Applies the study's rules once. `preliminary` marks every row. With a memory, tonight's rows are held against all earlier
 * publications: a row shown before stays hidden while fewer than `minimum_change` respondents came or went since; a row that
 * was hidden, likewise; and no cell that any publication hid is narrowed, by linear programming over all of them. Tonight's
 * publication is then part of the memory. */
rsp_published *rsp_disclose(const rsp_study *s, const rsp_results *r, rsp_memory *memory, bool preliminary,
                            rsp_diag *d);
void rsp_published_free(rsp_published *p);
size_t rsp_published_count(const rsp_published *p);
const rsp_published_row *rsp_published_at(const rsp_published *p, size_t k);
/* The row with this key, or NULL. */
const rsp_published_row *rsp_published_find(const rsp_published *p, const char *analysis, const char *domain,
                                            const char *term, const char *level, const char *statistic);
/* Range [*from, *to) of an analysis' rows; false if it has none. */
bool rsp_published_range(const rsp_published *p, const char *analysis, size_t *from, size_t *to);
/* The code that `variable` has in a domain text, or NULL: rsp_domain_code("country=PL;x=a", "country") is "PL". */
const char *rsp_domain_code(rsp_arena *a, const char *domain, const char *variable);

/* What disclosure control costs: of all rows, of a country's, or of an analysis' (the other of the two is ""; both are: all). */
typedef struct {
    const char *country, *analysis;
    size_t rows;
    size_t by_rule;       /* hidden, as they rest on too few */
    size_t complementary; /* ... as others could be computed from them */
    size_t by_memory;     /* ... as they would tell something beside earlier publications */
    double bases; /* share of all bases added up that those of hidden rows are, in thousandths; NaN: there are none */
} rsp_loss;

/* All, then countries, then analyses, as they come in the table. 0: disclosure control is off. */
size_t rsp_published_losses(const rsp_published *p, const rsp_loss **all);

bool rsp_published_write_csv(const rsp_published *p, const char *path, rsp_diag *d);
bool rsp_published_write_sqlite(const rsp_published *p, const rsp_study *s, const char *path, rsp_diag *d);
/* Reads data/results.csv of a run back (for show and diff). */
rsp_published *rsp_published_read_csv(const char *path, rsp_diag *d);

/* ---- two publications ------------------------------------------------------------------------------------------- */

typedef enum {
    RSP_CHANGE_ADDED,   /* the row before is NULL */
    RSP_CHANGE_REMOVED, /* the row now is NULL */
    RSP_CHANGE_MOVED,   /* the estimate by more than the larger of its standard errors */
    RSP_CHANGE_FLIPPED, /* another verdict, or hidden, marked or no longer so */
    RSP_CHANGE_COUNTED, /* the engine's own rows (response, cleaning, weights): another number */
    RSP_CHANGE_KINDS
} rsp_change_kind;

typedef struct {
    rsp_change_kind kind;
    const rsp_published_row *before, *now;
    double errors; /* moved: by how many standard errors; else NaN */
} rsp_change;

/* Why: an input of the publication before that is new, gone or another. */
typedef struct {
    enum { RSP_CAUSE_DATA, RSP_CAUSE_STUDY, RSP_CAUSE_PROGRAM } part;
    const char *name;         /* a file as the manifest names it; of the program: "" */
    const char *before, *now; /* hash of the file, version of the program; NULL: it was or is not there */
} rsp_cause;

typedef struct {
    size_t n, of_kind[RSP_CHANGE_KINDS];
    rsp_change *changes; /* in the order of the rows now, then those removed in the order before */
    size_t compared;     /* rows that both have */
    bool final;          /* rows were preliminary and are so no longer */
    size_t n_causes;     /* filled by who knows both manifests (batch/causes.h) */
    const rsp_cause *causes;
} rsp_changes;

/* Rows are the same by analysis, domain, term, level and statistic; a `verdict` is the same whatever its level says. Flags
 * that every row has or loses at a freeze (preliminary) are no change. Rows of the publications are borrowed. */
rsp_changes *rsp_changes_find(const rsp_published *before, const rsp_published *now, rsp_arena *a);
/* Estimates that moved, by their standard errors, the farthest first. */
const rsp_change **rsp_changes_moved(const rsp_changes *c, rsp_arena *a, size_t *n);
/* One of the engine's own rows (response, cleaning, weights) as it was: the row itself if it is still the same, NULL if it is
 * new. */
const rsp_published_row *rsp_changes_before(const rsp_changes *c, const rsp_published_row *now);

#endif
