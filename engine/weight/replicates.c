/* Replicate weights: base weight x factor of the first-stage cluster x calibration factor of the cell.
 *
 *   jk1, jkn    one cluster left out, the others of its stratum times n/(n-1); scales (1-f)(n-1)/n
 *   brr, fay    half samples of designs with two clusters a stratum, balanced by a Hadamard matrix; the chosen cluster
 *               counts 2 - rho times, the other rho times; scale 1/(R (1-rho)^2) (Judkins 1990)
 *   bootstrap   n-1 clusters drawn from each stratum's n; factor 1 + sqrt(1-f) (n/(n-1) times drawn - 1), scale 1/(R-1)
 *               (Rao and Wu 1988, with m = n-1); replicate k draws from stream k of the seed
 *
 * The Hadamard matrix is Sylvester's: element (r, c) is (-1)^(number of bits in r AND c), its order the smallest power
 * of two above the number of strata; stratum h (from 0) takes column h + 1, column 0 of ones is left out. Paley's
 * orders would save replicates, never more than half of them, and a matrix one can state in a line is easier to check.
 *
 * Every replicate is calibrated anew, from the cells' totals that its clusters give; groups that a replicate does not
 * touch keep their factors. */
#include "base/ranks.h"
#include "base/vector.h"
#include "weight/internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Draws for one replicate: seeing that a cell is empty costs little, that margins cannot be met a good deal. */
enum { MAX_DRAWS = 1000, MAX_UNMET = 10 };
static const double MAX_WORK = 2e10, MAX_FACTORS = 2.5e8; /* 2 GB of factors */

typedef struct rsp_replicate_set {
    const rsp_sample *s;
    rsp_variance_method method;
    uint64_t seed;
    double rho;
    size_t wanted, n, redrawn;
    double *scale;            /* [n] jk1, jkn */
    int32_t *left_out;        /* [n] jk1, jkn: cluster */
    uint8_t *drawn;           /* [n * n_clusters] bootstrap: times drawn */
    double *constant, *slope; /* [n_strata] bootstrap: factor is constant + slope times drawn; jk: n/(n-1) */
    double *g;                /* [n * n_cells], NULL without calibration */
    bool *failed;             /* [n] margins cannot be met */
    rsp_replicates *views[2]; /* around the mean, around the full sample */
} set;

struct rsp_replicates {
    const set *of;
    bool mse;
};

/* ---- cluster factors -------------------------------------------------------------------------------------------- */

static inline size_t stratum_size(const set *r, size_t h) {
    const rsp_stage *stage = &r->s->private_->stages[0];
    return stage->first[h + 1] - stage->first[h];
}

static inline double jackknife_factor(const set *r, size_t k, int32_t cluster, int32_t stratum) {
    int32_t out = r->left_out[k], its_stratum = r->s->cluster_stratum[out];
    if (cluster == out) return 0;
    if (stratum_size(r, (size_t) its_stratum) > 1) return stratum == its_stratum ? r->slope[stratum] : 1;
    return (double) r->s->n_strata / (double) (r->s->n_strata - 1); /* lonely: adjust; the stratum itself is left out */
}

static inline double half_factor(const set *r, size_t k, int32_t cluster, int32_t stratum) {
    if (stratum_size(r, (size_t) stratum) == 1) return 1; /* certain */
    bool first = (uint32_t) cluster == r->s->private_->stages[0].first[stratum];
    bool plus = __builtin_popcountll(k & ((uint64_t) stratum + 1)) % 2 == 0;
    return plus == first ? 2 - r->rho : r->rho;
}

static inline double cluster_factor(const set *r, size_t k, int32_t cluster, int32_t stratum) {
    switch (r->method) {
    case RSP_BOOTSTRAP:
        return r->constant[stratum] + r->slope[stratum] * r->drawn[k * r->s->n_clusters + (size_t) cluster];
    case RSP_BRR:
    case RSP_FAY: return half_factor(r, k, cluster, stratum);
    default: return jackknife_factor(r, k, cluster, stratum);
    }
}

/* ---- what each method needs ------------------------------------------------------------------------------------- */

static bool report_lonely(const set *r, rsp_loc loc, rsp_diag *d) {
    const rsp_stage *stage = &r->s->private_->stages[0];
    for (size_t h = 0; h < stage->n_parents; h++) {
        bool adjust = stage->mode[h] == RSP_UNIT_ADJUST && (r->method != RSP_JKN || stage->n_parents == 1);
        if (stage->mode[h] != RSP_UNIT_LONELY && !adjust) continue;
        rsp_arena *a = rsp_arena_new();
        rsp_report(d, RSP_WARNING, loc, "merge it with another, or say lonely: certainty",
                   "stratum '%s' has a single cluster: no replicates can be made", rsp_stratum_name(r->s, h, a));
        rsp_arena_free(a);
        return true;
    }
    return false;
}

static bool too_many(const set *r, size_t n, rsp_loc loc, rsp_diag *d) {
    const rsp_calibration *c = r->s->private_->calibration;
    double rows = (double) n * (double) r->s->n, factors = c ? (double) n * (double) c->n_cells : 0;
    if (rows <= MAX_WORK && factors <= MAX_FACTORS) return false;
    rsp_report(d, RSP_ERR_STUDY, loc, "use method: bootstrap, or fewer replicates",
               "%zu replicates of %zu respondents are too many", n, r->s->n);
    return true;
}

static bool plan_jackknife(set *r, rsp_loc loc, rsp_diag *d) {
    const rsp_stage *stage = &r->s->private_->stages[0];
    if (r->method == RSP_JK1 && (r->s->n_strata > 1 || r->s->n_clusters < 2)) {
        rsp_report(d, RSP_ERR_STUDY, loc, r->s->n_strata > 1 ? "use jkn" : NULL,
                   r->s->n_strata > 1 ? "jk1 is for designs without strata" : "jk1 needs two clusters");
        return false;
    }
    if (too_many(r, r->s->n_clusters, loc, d)) return false;
    r->left_out = rsp_malloc(r->s->n_clusters * sizeof *r->left_out);
    r->scale = rsp_malloc(r->s->n_clusters * sizeof *r->scale);
    r->slope = rsp_calloc(r->s->n_strata, sizeof *r->slope);
    for (size_t h = 0; h < r->s->n_strata; h++) {
        double size = (double) stratum_size(r, h), strata = (double) r->s->n_strata;
        r->slope[h] = size / (size - 1);
        if (stage->mode[h] == RSP_UNIT_ZERO) continue; /* taken whole: adds nothing */
        for (size_t c = stage->first[h]; c < stage->first[h + 1]; c++) {
            r->left_out[r->n] = (int32_t) c;
            r->scale[r->n++] = (1 - stage->fraction[h]) * (size > 1 ? (size - 1) / size : (strata - 1) / strata);
        }
    }
    return true;
}

static bool plan_halves(set *r, rsp_loc loc, rsp_diag *d) {
    for (size_t h = 0; h < r->s->n_strata; h++) {
        size_t size = stratum_size(r, h);
        if (size <= 2) continue;
        rsp_arena *a = rsp_arena_new();
        rsp_report(d, RSP_ERR_STUDY, loc, "use jkn or bootstrap",
                   "half samples need two clusters in each stratum; '%s' has %zu", rsp_stratum_name(r->s, h, a), size);
        rsp_arena_free(a);
        return false;
    }
    r->n = 1;
    while (r->n <= r->s->n_strata) r->n *= 2;
    return !too_many(r, r->n, loc, d);
}

static bool plan_bootstrap(set *r, rsp_loc loc, rsp_diag *d) {
    const rsp_stage *stage = &r->s->private_->stages[0];
    if (r->wanted < 2) {
        rsp_report(d, RSP_ERR_STUDY, loc, "200 is usual", "a bootstrap needs two replicates or more");
        return false;
    }
    if (too_many(r, r->wanted, loc, d)) return false;
    r->n = r->wanted;
    r->constant = rsp_malloc(r->s->n_strata * sizeof *r->constant);
    r->slope = rsp_calloc(r->s->n_strata, sizeof *r->slope);
    for (size_t h = 0; h < r->s->n_strata; h++) {
        double size = (double) stratum_size(r, h), root = sqrt(fmax(0, 1 - stage->fraction[h]));
        if (stage->mode[h] == RSP_UNIT_ZERO) root = 0;
        r->constant[h] = 1 - root;
        r->slope[h] = size > 1 ? root * size / (size - 1) : 0;
    }
    r->drawn = rsp_calloc(r->n * r->s->n_clusters, 1);
    return true;
}

static void draw(set *r, size_t k, rsp_rng *stream) {
    const rsp_stage *stage = &r->s->private_->stages[0];
    uint8_t *drawn = r->drawn + k * r->s->n_clusters;
    memset(drawn, 0, r->s->n_clusters);
    for (size_t h = 0; h < stage->n_parents; h++) {
        uint32_t size = stage->first[h + 1] - stage->first[h];
        if (r->slope[h] == 0) continue;
        for (uint32_t j = 1; j < size; j++) {
            uint8_t *times = &drawn[stage->first[h] + rsp_rng_below(stream, size)];
            if (*times < UINT8_MAX) ++*times; /* 255 of the same cluster: less likely than 1e-500 */
        }
    }
}

/* ---- calibration of a replicate --------------------------------------------------------------------------------- */

/* Base weights by cluster and cell, and what each cell has when every cluster counts once. */
typedef struct {
    size_t n;
    uint32_t *start; /* [n_clusters + 1] */
    int32_t *cell;
    double *sum, *all;
} shares;

static shares shares_new(const rsp_sample *s) {
    const rsp_calibration *c = s->private_->calibration;
    shares out = {0};
    int32_t *pair = rsp_malloc(s->n * sizeof *pair);
    out.n = rsp_number_pairs(s->cluster, s->n_clusters, c->row_cell, c->n_cells, s->n, pair);
    out.start = rsp_calloc(s->n_clusters + 1, sizeof *out.start);
    out.cell = rsp_malloc(out.n * sizeof *out.cell);
    out.sum = rsp_calloc(out.n, sizeof *out.sum);
    out.all = rsp_calloc(c->n_cells, sizeof *out.all);
    int32_t *cluster = rsp_malloc(out.n * sizeof *cluster);
    for (size_t i = 0; i < s->n; i++) {
        out.sum[pair[i]] += s->base[i];
        out.cell[pair[i]] = c->row_cell[i];
        cluster[pair[i]] = s->cluster[i];
    }
    for (size_t e = 0; e < out.n; e++) {
        out.start[cluster[e] + 1]++;
        out.all[out.cell[e]] += out.sum[e];
    }
    for (size_t k = 0; k < s->n_clusters; k++) out.start[k + 1] += out.start[k];
    free(cluster);
    free(pair);
    return out;
}

static void shares_free(shares *x) {
    free(x->start);
    free(x->cell);
    free(x->sum);
    free(x->all);
}

static void cell_totals(const set *r, size_t k, const shares *x, double *total) {
    const rsp_sample *s = r->s;
    memset(total, 0, s->private_->calibration->n_cells * sizeof *total);
    for (size_t c = 0; c < s->n_clusters; c++) {
        double factor = cluster_factor(r, k, (int32_t) c, s->cluster_stratum[c]);
        for (size_t e = x->start[c]; e < x->start[c + 1]; e++) total[x->cell[e]] += factor * x->sum[e];
    }
}

/* Replicates that one thread makes together: their calibrations of a group go side by side. Of them, those whose totals are added
 * up in one pass over the clusters: of many respondents that is longer than any cache. */
enum { TOGETHER = 64, BESIDE = 8, MOST_TOTALS = 1 << 20, MOST_CELLS_BESIDE = 4096 };

/* As cell_totals, of the n replicates k, with the same bits. beside [n_cells * BESIDE]: room. */
RSP_WIDE
static void cell_totals_beside(const set *r, const size_t *k, size_t n, const shares *x, double *restrict beside,
                               double *const *total) {
    const rsp_sample *s = r->s;
    size_t n_cells = s->private_->calibration->n_cells;
    double factor[BESIDE] = {0};
    memset(beside, 0, n_cells * BESIDE * sizeof *beside);
    for (size_t c = 0; c < s->n_clusters; c++) {
        for (size_t j = 0; j < n; j++) factor[j] = cluster_factor(r, k[j], (int32_t) c, s->cluster_stratum[c]);
        for (size_t e = x->start[c]; e < x->start[c + 1]; e++) {
            double *restrict to = beside + (size_t) x->cell[e] * BESIDE, sum = x->sum[e];
            for (size_t j = 0; j < BESIDE; j++) to[j] += factor[j] * sum;
        }
    }
    for (size_t j = 0; j < n; j++)
        for (size_t cell = 0; cell < n_cells; cell++) total[j][cell] = beside[cell * BESIDE + j];
}

struct batch {
    set *r;
    const shares *x;
    size_t first, n;
    double *total;                   /* [n * n_cells] base weights by cell */
    double *beside;                  /* room to add them up side by side; NULL: too many cells */
    bool pending[TOGETHER];          /* not there yet */
    rsp_cal_status status[TOGETHER]; /* the first that is not OK */
    rsp_cal_work work;
};

/* Group j of the pending replicates whose margins could be met so far. */
static void calibrate_group(struct batch *b, size_t j) {
    const rsp_calibration *c = b->r->s->private_->calibration;
    size_t from = c->group_cell[j], cells = c->group_cell[j + 1] - from, n = 0, of[TOGETHER];
    const double *d[TOGETHER];
    double *g[TOGETHER];
    rsp_cal_outcome outcome[TOGETHER], *out[TOGETHER];
    for (size_t k = 0; k < b->n; k++) {
        if (!b->pending[k] || b->status[k] != RSP_CAL_OK) continue;
        d[n] = b->total + k * c->n_cells + from;
        g[n] = b->r->g + (b->first + k) * c->n_cells + from;
        memcpy(g[n], c->g + from, cells * sizeof **g);
        if (!c->solved[j] || !memcmp(d[n], b->x->all + from, cells * sizeof **d)) continue;
        for (size_t q = 0; c->problems[j].unit && q < cells; q++) g[n][q] = 1; /* trimmed factors are no start */
        out[n] = &outcome[n];
        of[n++] = k;
    }
    rsp_calibrate(&c->problems[j], n, d, g, &b->work, out);
    for (size_t k = 0; k < n; k++)
        if (outcome[k].status == RSP_CAL_EMPTY || outcome[k].status == RSP_CAL_NOT_CONVERGED)
            b->status[of[k]] = outcome[k].status;
}

static void add_totals(const struct batch *b, size_t n_cells) {
    size_t of[BESIDE], n = 0, left = 0;
    double *total[BESIDE];
    for (size_t k = 0; k < b->n; k++) left += b->pending[k];
    for (size_t k = 0; left; k++) {
        if (!b->pending[k]) continue;
        left--;
        of[n] = b->first + k;
        total[n++] = b->total + k * n_cells;
        if (left && n < BESIDE) continue;
        if (b->beside && n > 1) cell_totals_beside(b->r, of, n, b->x, b->beside, total);
        else
            for (size_t j = 0; j < n; j++) cell_totals(b->r, of[j], b->x, total[j]);
        n = 0;
    }
}

static void calibrate_pending(struct batch *b) {
    const rsp_calibration *c = b->r->s->private_->calibration;
    for (size_t k = 0; k < b->n; k++) b->status[k] = RSP_CAL_OK;
    if (c) add_totals(b, c->n_cells);
    for (size_t j = 0; c && j < c->n_groups; j++) calibrate_group(b, j);
}

/* Draws (bootstrap) and calibrates replicates; again [n]: whether one had to be drawn again. */
static void make_replicates(struct batch *b, bool *again) {
    set *r = b->r;
    rsp_rng stream[TOGETHER];
    int unmet[TOGETHER] = {0};
    size_t left = b->n;
    for (size_t k = 0; k < b->n; k++) {
        b->pending[k] = true;
        rsp_rng_init(&stream[k], r->seed, b->first + k);
    }
    for (int attempt = 0; left && attempt < MAX_DRAWS; attempt++) {
        for (size_t k = 0; k < b->n && r->method == RSP_BOOTSTRAP; k++)
            if (b->pending[k]) draw(r, b->first + k, &stream[k]);
        calibrate_pending(b);
        for (size_t k = 0; k < b->n; k++) {
            if (!b->pending[k]) continue;
            bool met = b->status[k] == RSP_CAL_OK;
            again[k] = attempt > 0;
            unmet[k] += b->status[k] == RSP_CAL_NOT_CONVERGED;
            if (!met && r->method == RSP_BOOTSTRAP && unmet[k] < MAX_UNMET && attempt + 1 < MAX_DRAWS) continue;
            if (!met) r->failed[b->first + k] = true;
            if (!met) again[k] = r->method == RSP_BOOTSTRAP;
            b->pending[k] = false;
            left--;
        }
    }
}

/* What a thread takes at a time: enough to fill the lanes for long, not so many that another has nothing to do. */
static size_t batch_size(const set *r) {
    const rsp_calibration *c = r->s->private_->calibration;
    size_t n = r->n / (2 * (size_t) rsp_threads()) + 1;
    if (n > TOGETHER) n = TOGETHER;
    if (c && n * c->n_cells > MOST_TOTALS) n = MOST_TOTALS / c->n_cells;
    return n ? n : 1;
}

static void make_all(set *r) {
    const rsp_calibration *c = r->s->private_->calibration;
    shares x = {0};
    if (c) {
        x = shares_new(r->s);
        r->g = rsp_malloc(r->n * c->n_cells * sizeof *r->g);
    }
    r->failed = rsp_calloc(r->n, sizeof *r->failed);
    rsp_part part = rsp_ranks_part(r->n, 1);
    bool *again = rsp_calloc(r->n + 1, sizeof *again);
    size_t size = batch_size(r);
#pragma omp parallel if (r->n * r->s->n_clusters > 10000)
    {
        rsp_arena *a = rsp_arena_new();
        struct batch b = {.r = r, .x = &x};
        if (c) {
            size_t lanes = c->max_cells <= MOST_CELLS_BESIDE ? RSP_CAL_LANES : 1;
            b.work = rsp_cal_work_new(a, c->max_cells, c->max_cols, lanes);
            b.total = RSP_ARRAY(a, double, size * c->n_cells);
            if (c->n_cells <= MOST_CELLS_BESIDE) b.beside = RSP_ARRAY(a, double, c->n_cells *BESIDE);
        }
#pragma omp for schedule(dynamic)
        for (size_t k = part.from; k < part.to; k += size) {
            b.first = k;
            b.n = part.to - k < size ? part.to - k : size;
            make_replicates(&b, again + k);
        }
        rsp_arena_free(a);
    }
    if (r->drawn) rsp_ranks_gather(&part, r->drawn, r->s->n_clusters);
    if (c) rsp_ranks_gather(&part, r->g, c->n_cells * sizeof *r->g);
    rsp_ranks_gather(&part, r->failed, sizeof *r->failed);
    rsp_ranks_gather(&part, again, sizeof *again);
    for (size_t k = 0; k < r->n; k++) r->redrawn += again[k];
    free(again);
    shares_free(&x);
}

static void report_failures(const set *r, rsp_loc loc, rsp_diag *d) {
    size_t failed = 0;
    for (size_t k = 0; k < r->n; k++) failed += r->failed[k];
    if (failed)
        rsp_report(d, RSP_WARNING, loc, "merge small cells of the margins",
                   "%zu of %zu replicates cannot be weighted to the margins and are left out", failed, r->n);
    if (r->redrawn)
        rsp_report(d, r->redrawn > r->n / 10 ? RSP_WARNING : RSP_NOTE, loc, "merge small cells of the margins",
                   "%zu of %zu replicates were drawn again: a cell of the margins was empty", r->redrawn, r->n);
}

/* ---- the set and its views -------------------------------------------------------------------------------------- */

static void set_free(set *r) {
    free(r->scale);
    free(r->left_out);
    free(r->drawn);
    free(r->constant);
    free(r->slope);
    free(r->g);
    free(r->failed);
    free(r->views[0]);
    free(r->views[1]);
    free(r);
}

void rsp_replicate_sets_free(rsp_design_private *p) {
    for (size_t k = 0; k < p->n_sets; k++) set_free(p->sets[k]);
    free(p->sets);
}

static set *set_new(rsp_sample *s, const rsp_variance_spec *spec, rsp_loc loc, rsp_diag *d) {
    set *r = rsp_calloc(1, sizeof *r);
    *r = (set){.s = s,
               .method = spec->method,
               .seed = spec->seed,
               .wanted = spec->replicates,
               .rho = spec->method == RSP_FAY ? spec->rho : 0};
    bool good = !report_lonely(r, loc, d);
    switch (r->method) {
    case RSP_JK1:
    case RSP_JKN: good = good && plan_jackknife(r, loc, d); break;
    case RSP_BRR:
    case RSP_FAY: good = good && plan_halves(r, loc, d); break;
    case RSP_BOOTSTRAP: good = good && plan_bootstrap(r, loc, d); break;
    case RSP_TAYLOR: good = false; break;
    }
    if (good && !(r->rho >= 0 && r->rho < 1)) {
        rsp_report(d, RSP_ERR_STUDY, loc, "0.3 and 0.5 are usual", "rho of fay is %g: it must be at least 0, below 1",
                   r->rho);
        good = false;
    }
    if (!good) {
        set_free(r);
        return NULL;
    }
    make_all(r);
    report_failures(r, loc, d);
    return r;
}

/* Do two specifications ask for the same weights? Replicates and seed count for the bootstrap alone. */
static bool same(const set *r, const rsp_variance_spec *spec) {
    if (r->method != spec->method) return false;
    if (r->method == RSP_BOOTSTRAP) return r->seed == spec->seed && r->wanted == spec->replicates;
    return r->method != RSP_FAY || r->rho == spec->rho;
}

static const rsp_replicates *find_or_make(rsp_sample *s, const rsp_variance_spec *spec, rsp_loc loc, rsp_diag *d) {
    rsp_design_private *p = s->private_;
    set *r = NULL;
    for (size_t k = 0; k < p->n_sets; k++)
        if (same(p->sets[k], spec)) r = p->sets[k];
    if (!r) {
        r = set_new(s, spec, loc, d);
        if (!r) return NULL;
        RSP_PUSH(p->sets, p->n_sets, p->sets_capacity, r);
    }
    if (!r->views[spec->mse]) {
        rsp_replicates *view = rsp_malloc(sizeof *view);
        *view = (rsp_replicates){.of = r, .mse = spec->mse};
        r->views[spec->mse] = view;
    }
    return r->views[spec->mse];
}

const rsp_replicates *rsp_replicates_get(rsp_sample *s, const rsp_variance_spec *spec, rsp_loc loc, rsp_diag *d) {
    const rsp_replicates *found;
#pragma omp critical(rsp_replicate_sets)
    found = find_or_make(s, spec, loc, d);
    return found;
}

size_t rsp_replicates_count(const rsp_replicates *r) { return r->of->n; }
size_t rsp_replicates_redrawn(const rsp_replicates *r) { return r->of->redrawn; }

void rsp_replicate_weights_block(const rsp_replicates *view, size_t k, size_t from, size_t to, double *w) {
    const set *r = view->of;
    const rsp_sample *s = r->s;
    const rsp_calibration *c = s->private_->calibration;
    if (r->failed[k]) {
        for (size_t i = from; i < to; i++) w[i - from] = NAN;
        return;
    }
    if (r->method == RSP_BOOTSTRAP) { /* the loop that nights are spent in: no branch */
        const uint8_t *drawn = r->drawn + k * s->n_clusters;
        for (size_t i = from; i < to; i++)
            w[i - from] = s->base[i] * (r->constant[s->stratum[i]] + r->slope[s->stratum[i]] * drawn[s->cluster[i]]);
    } else {
        for (size_t i = from; i < to; i++)
            w[i - from] = s->base[i] * cluster_factor(r, k, s->cluster[i], s->stratum[i]);
    }
    if (!r->g) return;
    const double *g = r->g + k * c->n_cells;
    for (size_t i = from; i < to; i++) w[i - from] *= g[c->row_cell[i]];
}

void rsp_replicate_weights(const rsp_replicates *r, size_t k, double *w) {
    rsp_replicate_weights_block(r, k, 0, r->of->s->n, w);
}

/* ---- replicates side by side ------------------------------------------------------------------------------------ */

/* What a replicate has for each cluster and cell, turned over so that a row finds its lanes in one place. */
struct rsp_lanes {
    const set *of;
    size_t first, n;
    uint8_t *drawn; /* [n_clusters * RSP_LANES] bootstrap; NULL: other methods */
    double *g;      /* [n_cells * RSP_LANES]; NULL without calibration */
    double *one;    /* [RSP_BLOCK] other methods */
};

static void turn_over(const set *r, rsp_lanes *l) {
    const rsp_calibration *c = r->s->private_->calibration;
    for (size_t lane = 0; lane < l->n; lane++) {
        const uint8_t *drawn = r->drawn + (l->first + lane) * r->s->n_clusters;
        for (size_t k = 0; k < r->s->n_clusters; k++) l->drawn[k * RSP_LANES + lane] = drawn[k];
        for (size_t k = 0; r->g && k < c->n_cells; k++)
            l->g[k * RSP_LANES + lane] = r->failed[l->first + lane] ? NAN : r->g[(l->first + lane) * c->n_cells + k];
    }
}

rsp_lanes *rsp_lanes_new(const rsp_replicates *view, size_t first) {
    const set *r = view->of;
    rsp_lanes *l = rsp_calloc(1, sizeof *l);
    *l = (rsp_lanes){.of = r, .first = first, .n = r->n - first < RSP_LANES ? r->n - first : RSP_LANES};
    if (r->method == RSP_BOOTSTRAP) {
        l->drawn = rsp_calloc(r->s->n_clusters, RSP_LANES);
        if (r->g) l->g = rsp_calloc(r->s->private_->calibration->n_cells, RSP_LANES * sizeof *l->g);
        turn_over(r, l);
    } else {
        l->one = rsp_malloc(RSP_BLOCK * sizeof *l->one);
    }
    return l;
}

void rsp_lanes_free(rsp_lanes *l) {
    if (!l) return;
    free(l->drawn);
    free(l->g);
    free(l->one);
    free(l);
}

RSP_WIDE
static void bootstrap_lanes(const rsp_lanes *l, size_t from, size_t to, double *restrict w) {
    const set *r = l->of;
    const rsp_sample *s = r->s;
    for (size_t i = from; i < to; i++, w += RSP_LANES) {
        double base = s->base[i], constant = r->constant[s->stratum[i]], slope = r->slope[s->stratum[i]];
        const uint8_t *drawn = l->drawn + (size_t) s->cluster[i] * RSP_LANES;
        for (size_t lane = 0; lane < RSP_LANES; lane++) w[lane] = base * (constant + slope * drawn[lane]);
    }
}

RSP_WIDE
static void calibrate_lanes(const rsp_lanes *l, const int32_t *cell, size_t from, size_t to, double *restrict w) {
    for (size_t i = from; i < to; i++, w += RSP_LANES) {
        const double *g = l->g + (size_t) cell[i] * RSP_LANES;
        for (size_t lane = 0; lane < RSP_LANES; lane++) w[lane] *= g[lane];
    }
}

void rsp_lanes_weights(const rsp_lanes *l, size_t from, size_t to, double *w) {
    const set *r = l->of;
    if (l->drawn) {
        bootstrap_lanes(l, from, to, w);
        if (l->g) calibrate_lanes(l, r->s->private_->calibration->row_cell, from, to, w);
    } else {
        for (size_t at = from; at < to; at += RSP_BLOCK) {
            size_t end = at + RSP_BLOCK < to ? at + RSP_BLOCK : to;
            double *block = w + (at - from) * RSP_LANES;
            rsp_replicates view = {.of = r};
            for (size_t lane = 0; lane < l->n; lane++) {
                rsp_replicate_weights_block(&view, l->first + lane, at, end, l->one);
                for (size_t i = 0; i < end - at; i++) block[i * RSP_LANES + lane] = l->one[i];
            }
        }
    }
    for (size_t lane = l->n; lane < RSP_LANES; lane++)
        for (size_t i = 0; i < to - from; i++) w[i * RSP_LANES + lane] = 0;
}

/* ---- variance --------------------------------------------------------------------------------------------------- */

/* Scale of replicate k when `used` replicates have an estimate. */
static double scale_of(const set *r, size_t k, double used) {
    switch (r->method) {
    case RSP_BOOTSTRAP: return used > 1 ? 1 / (used - 1) : NAN;
    case RSP_BRR:
    case RSP_FAY: return 1 / (used * (1 - r->rho) * (1 - r->rho));
    default: return r->scale[k];
    }
}

static double covariance(const set *r, const double *theta, const double *center, size_t p, size_t j, size_t l) {
    double used = 0, sum = 0;
    for (size_t k = 0; k < r->n; k++) used += !isnan(theta[k * p + j]) && !isnan(theta[k * p + l]);
    if (!(used > 0)) return NAN;
    for (size_t k = 0; k < r->n; k++) {
        double a = theta[k * p + j], b = theta[k * p + l];
        if (!isnan(a) && !isnan(b)) sum += scale_of(r, k, used) * (a - center[j]) * (b - center[l]);
    }
    return sum;
}

void rsp_replicate_variance(const rsp_replicates *view, const double *theta, const double *full, size_t p, double *vcov,
                            size_t *failed) {
    const set *r = view->of;
    double *center = rsp_calloc(p, sizeof *center), *used = rsp_calloc(p, sizeof *used);
    size_t n_failed = 0;
    for (size_t k = 0; k < r->n; k++) {
        bool missing = false;
        for (size_t j = 0; j < p; j++) {
            double x = theta[k * p + j];
            missing |= isnan(x);
            if (isnan(x)) continue;
            center[j] += x;
            used[j]++;
        }
        n_failed += missing;
    }
    for (size_t j = 0; j < p; j++) center[j] = view->mse ? full[j] : center[j] / used[j];
    for (size_t j = 0; j < p; j++)
        for (size_t l = 0; l <= j; l++) vcov[j * p + l] = vcov[l * p + j] = covariance(r, theta, center, p, j, l);
    if (failed) *failed = n_failed;
    free(center);
    free(used);
}
