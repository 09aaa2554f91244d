/* One group's calibration, on arrays alone: raking by iterative proportional fitting (Deming and Stephan 1940), and
 * Newton's method for the general problem of Deville and Saerndal (1992, JASA 87, 376-382): find lambda so that weights
 * d F(x'lambda) meet the targets, F linear, exponential (raking) or logit, the first two cut at the bounds.
 *
 * Rows alike in all margins get the same F, so everything works on cells. A margin's codes without a target keep their
 * observed share of the base weights, the others share the rest.
 *
 * Many calibrations of one problem, as those of replicates, are raked side by side: RSP_CAL_LANES of them have their numbers
 * of a cell or a column beside each other, and a sweep over the cells serves all. One that is done makes room for the next.
 * Nothing passes between lanes, so each has the bits that it would have alone. */
#include "base/vector.h"
#include "weight/internal.h"

#include <math.h>
#include <string.h>

static const double MET = 1e-12;     /* relative gap of every margin */
static const double ROUNDING = 1e-9; /* where Newton stands still, this much is taken for rounding */
static const double TRIM_MET = 1e-9;
static const double LEAST_SLOPE = 0.1;
enum { MAX_SWEEPS = 200, MAX_NEWTON = 100, MAX_TRIM = 500, PACE = 10 };

enum { MOST = RSP_CAL_LANES };

/* On whole lines of the cache, so that no register's worth of lanes lies on two. */
static double *whole_lines(rsp_arena *a, size_t n) {
    double *p = RSP_ARRAY(a, double, n + MOST);
    return p + (0 - (uintptr_t) p / sizeof *p) % MOST;
}

rsp_cal_work rsp_cal_work_new(rsp_arena *a, size_t max_cells, size_t max_cols, size_t lanes) {
    rsp_cal_work w = {.lanes = lanes,
                      .target = RSP_ARRAY(a, double, max_cols),
                      .sum = RSP_ARRAY(a, double, max_cols),
                      .gap = RSP_ARRAY(a, double, max_cols),
                      .lambda = RSP_ARRAY(a, double, max_cols),
                      .step = RSP_ARRAY(a, double, max_cols),
                      .trial = RSP_ARRAY(a, double, max_cols),
                      .matrix = RSP_ARRAY(a, double, max_cols *max_cols),
                      .one = RSP_ARRAY(a, double, max_cells),
                      .factor = RSP_ARRAY(a, double, max_cells),
                      .slope = RSP_ARRAY(a, double, max_cells),
                      .targets = whole_lines(a, max_cols * lanes),
                      .sums = whole_lines(a, max_cols * lanes),
                      .others = whole_lines(a, max_cols * lanes),
                      .start = whole_lines(a, max_cells * lanes),
                      .f = rsp_factor_new(a, max_cols)};
    for (size_t l = 0; l < lanes; l++) w.cut[l] = RSP_ARRAY(a, double, max_cells);
    return w;
}

static void column_sums(const rsp_problem *p, const double *w, double *sum) {
    size_t numeric = p->n_cols - p->n_numeric;
    memset(sum, 0, p->n_cols * sizeof *sum);
    for (size_t c = 0; c < p->n_cells; c++) {
        for (size_t m = 0; m < p->n_margins; m++) sum[p->col[c * p->n_margins + m]] += w[c];
        for (size_t q = 0; q < p->n_numeric; q++) sum[numeric + q] += w[c] * p->x[c * p->n_numeric + q];
    }
}

/* Targets as sums of weights, from the shares, the total and what is observed of codes without a target. An empty
 * column with a target cannot be met: returns false and its number. */
static bool set_targets(const rsp_problem *p, const double *d, double *target, double *sum, size_t *empty) {
    column_sums(p, d, sum);
    for (size_t m = 0; m < p->n_margins; m++) {
        double all = 0, kept = 0;
        for (size_t j = p->margin_col[m]; j < p->margin_col[m + 1]; j++) {
            all += sum[j];
            if (isnan(p->share[j])) kept += sum[j];
        }
        for (size_t j = p->margin_col[m]; j < p->margin_col[m + 1]; j++) {
            bool free_share = isnan(p->share[j]);
            target[j] = all > 0 ? p->total * (free_share ? sum[j] / all : p->share[j] * (1 - kept / all)) : NAN;
            if (!(all > 0) || (!free_share && p->share[j] > 0 && !(sum[j] > 0))) {
                *empty = j;
                return false;
            }
        }
    }
    for (size_t q = 0; q < p->n_numeric; q++) target[p->n_cols - p->n_numeric + q] = p->total_x[q];
    return true;
}

/* ---- raking ----------------------------------------------------------------------------------------------------- */

/* What follows is compiled for one lane and for MOST, of which a number is one of the widest registers. */
#define LANES_KNOWN static inline __attribute__((always_inline))

typedef double wide __attribute__((vector_size(MOST * sizeof(double)), aligned(8), may_alias));
typedef int64_t mask __attribute__((vector_size(MOST * sizeof(int64_t)), aligned(8), may_alias));

/* a where the condition holds, else b. A macro: how functions pass such numbers depends on the processor. */
#define CHOOSE(condition, a, b) ((wide) (((mask) (condition) & (mask) (a)) | (~(mask) (condition) & (mask) (b))))

LANES_KNOWN void clear_margin(const rsp_problem *p, size_t m, double *sum, size_t lanes) {
    memset(sum + p->margin_col[m] * lanes, 0, (p->margin_col[m + 1] - p->margin_col[m]) * lanes * sizeof *sum);
}

LANES_KNOWN void add_margin(const rsp_problem *p, const double *w, size_t m, double *sum, size_t lanes) {
    clear_margin(p, m, sum, lanes);
    for (size_t c = 0; c < p->n_cells; c++, w += lanes) {
        double *to = sum + p->col[c * p->n_margins + m] * lanes;
        if (lanes == 1) *to += *w;
        else *(wide *) to += *(const wide *) w;
    }
}

/* Weights times the factors of margin m, which stand in its sums, and the sums of the next margin, in one visit. Cells
 * side by side are often alike in a margin, and a sum waits for its last addition: every other cell has sums of its own. */
LANES_KNOWN void multiply_and_add(const rsp_problem *p, double *restrict w, size_t m, size_t next, double *restrict sum,
                                  double *restrict other, size_t lanes) {
    size_t n = p->n_margins, from = p->margin_col[next] * lanes, to = p->margin_col[next + 1] * lanes;
    clear_margin(p, next, sum, lanes);
    clear_margin(p, next, other, lanes);
    const uint32_t *col = p->col;
    for (size_t c = 0; c < p->n_cells; c++, col += n, w += lanes) {
        const double *by = sum + col[m] * lanes;
        double *into = (c % 2 ? other : sum) + col[next] * lanes;
        if (lanes == 1) *into += *w *= *by;
        else *(wide *) into += *(wide *) w *= *(const wide *) by;
    }
    for (size_t j = from; j < to; j++) sum[j] += other[j];
}

/* The sum of a column becomes its factor; worst: the largest relative gap so far. */
LANES_KNOWN void factor_of_sum(const rsp_problem *p, const double *target, double *sum, double *worst, size_t lanes) {
    if (lanes == 1) {
        double gap = fabs(*sum - *target) / (*target > 0 ? *target : p->total);
        *worst = gap <= *worst ? *worst : gap;
        *sum = *sum > 0 ? *target / *sum : 1;
        return;
    }
    const wide t = *(const wide *) target, s = *(const wide *) sum, total = p->total - (wide){0}, one = 1 - (wide){0};
    wide gap = s - t, most = *(const wide *) worst;
    gap = CHOOSE(gap < 0, -gap, gap) / CHOOSE(t > 0, t, total);
    *(wide *) worst = CHOOSE(gap <= most, most, gap);
    *(wide *) sum = CHOOSE(s > 0, t / s, one);
}

/* One sweep over all margins, from the sums of the first on, which it leaves for the next sweep; worst [lanes]: the largest
 * relative gap met on the way. */
LANES_KNOWN void sweep(const rsp_problem *p, double *w, const double *target, double *sum, double *other, double *worst,
                       size_t lanes) {
    for (size_t l = 0; l < lanes; l++) worst[l] = 0;
    for (size_t m = 0; m < p->n_margins; m++) {
        for (size_t j = p->margin_col[m]; j < p->margin_col[m + 1]; j++)
            factor_of_sum(p, target + j * lanes, sum + j * lanes, worst, lanes);
        if (p->n_margins > 1) {
            multiply_and_add(p, w, m, (m + 1) % p->n_margins, sum, other, lanes);
        } else {
            for (size_t c = 0; c < p->n_cells; c++)
                for (size_t l = 0; l < lanes; l++) w[c * lanes + l] *= sum[p->col[c] * lanes + l];
            add_margin(p, w, m, sum, lanes);
        }
    }
}

RSP_WIDE
static void sweep_many(const rsp_problem *p, double *w, const double *target, double *sum, double *other,
                       double *worst) {
    sweep(p, w, target, sum, other, worst, MOST);
}

static void sweep_lanes(const rsp_problem *p, rsp_cal_work *w, double *worst) {
    if (w->lanes == 1) sweep(p, w->start, w->targets, w->sums, w->others, worst, 1);
    else sweep_many(p, w->start, w->targets, w->sums, w->others, worst);
}

/* ---- Newton ----------------------------------------------------------------------------------------------------- */

/* F and its derivative at u. */
static double calibration_factor(const rsp_problem *p, double u, double *derivative) {
    double low = p->low, high = p->high;
    if (p->method == RSP_LOGIT) { /* their equation for case 6: between low and high, F(0) = F'(0) = 1 */
        double a = (high - low) / ((1 - low) * (high - 1)), e = exp(-fabs(a * u));
        double at_low = a * u > 0 ? e : 1, at_high = a * u > 0 ? 1 : e;
        double below = (high - 1) * at_low, above = (1 - low) * at_high, sum = below + above;
        *derivative = a * (high - low) * below / sum * (above / sum);
        return (low * below + high * above) / sum;
    }
    double f = p->method == RSP_RAKE ? exp(u) : 1 + u;
    *derivative = p->method == RSP_RAKE ? f : 1;
    if (f < low || f > high) { /* false for NaN: no bounds */
        *derivative = 0;
        return f < low ? low : high;
    }
    return f;
}

/* Integral of F from 0 to u: the weights that meet the targets minimise sum d G(x'lambda) - target'lambda, a convex
 * function, which tells good steps from bad ones where F is cut and gaps alone do not. */
static double calibration_integral(const rsp_problem *p, double u) {
    double low = p->low, high = p->high;
    if (p->method == RSP_LOGIT) {
        double a = (high - low) / ((1 - low) * (high - 1)), larger = fmax(a * u, 0);
        double log_sum = larger + log((high - 1) * exp(-larger) + (1 - low) * exp(a * u - larger));
        return low * u + (high - low) / a * (log_sum - log(high - low));
    }
    bool rake = p->method == RSP_RAKE;
    double cut = u; /* F is constant from there to u */
    if (rake ? exp(u) < low : 1 + u < low) cut = rake ? log(low) : low - 1;
    if (rake ? exp(u) > high : 1 + u > high) cut = rake ? log(high) : high - 1;
    double inner = rake ? exp(cut) - 1 : cut + cut * cut / 2;
    return inner + (cut < u ? high * (u - cut) : cut > u ? low * (u - cut) : 0);
}

static double cell_product(const rsp_problem *p, size_t c, const double *lambda) {
    double u = 0;
    for (size_t m = 0; m < p->n_margins; m++) u += lambda[p->col[c * p->n_margins + m]];
    for (size_t q = 0; q < p->n_numeric; q++) u += lambda[p->n_cols - p->n_numeric + q] * p->x[c * p->n_numeric + q];
    return u;
}

void rsp_problem_products(const rsp_problem *p, const double *d, double *matrix) {
    size_t n = p->n_cols, numeric = n - p->n_numeric;
    memset(matrix, 0, n * n * sizeof *matrix);
    for (size_t c = 0; c < p->n_cells; c++) {
        const uint32_t *col = p->col + c * p->n_margins;
        const double *x = p->x + c * p->n_numeric;
        for (size_t m = 0; m < p->n_margins; m++) {
            for (size_t k = 0; k <= m; k++) matrix[(size_t) col[m] * n + col[k]] += d[c];
            for (size_t q = 0; q < p->n_numeric; q++) matrix[(numeric + q) * n + col[m]] += d[c] * x[q];
        }
        for (size_t q = 0; q < p->n_numeric; q++)
            for (size_t r = 0; r <= q; r++) matrix[(numeric + q) * n + numeric + r] += d[c] * x[q] * x[r];
    }
    for (size_t i = 0; i < n; i++) /* columns of a later margin are greater: all of the lower triangle is filled */
        for (size_t j = i + 1; j < n; j++) matrix[i * n + j] = matrix[j * n + i];
}

/* What a step is judged by. */
typedef struct {
    double worst;     /* largest relative gap */
    double squares;   /* sum of squared relative gaps */
    double objective; /* of the convex problem */
} merit;

static merit judge(const rsp_problem *p, const rsp_cal_work *w, const double *lambda, const double *gap) {
    merit m = {0};
    for (size_t j = 0; j < p->n_cols; j++) {
        double of = fabs(w->target[j]) > 0 ? fabs(w->target[j]) : w->sum[j] > 0 ? w->sum[j] : p->total;
        double relative = fabs(gap[j]) / of;
        if (!(relative <= m.worst)) m.worst = relative;
        m.squares += relative * relative;
        m.objective -= w->target[j] * lambda[j];
    }
    return m;
}

/* Factors, slopes d F' and gaps at lambda; infinite or NaN where F overflows. */
static merit evaluate(const rsp_problem *p, const double *d, const double *lambda, rsp_cal_work *w) {
    size_t numeric = p->n_cols - p->n_numeric;
    double objective = 0;
    memcpy(w->gap, w->target, p->n_cols * sizeof *w->gap);
    for (size_t c = 0; c < p->n_cells; c++) {
        w->factor[c] = 1;
        w->slope[c] = 0;
        if (!(d[c] > 0)) continue;
        double u = cell_product(p, c, lambda), derivative;
        w->factor[c] = calibration_factor(p, u, &derivative);
        w->slope[c] = d[c] * derivative;
        objective += d[c] * calibration_integral(p, u);
        double weight = d[c] * w->factor[c];
        for (size_t m = 0; m < p->n_margins; m++) w->gap[p->col[c * p->n_margins + m]] -= weight;
        for (size_t q = 0; q < p->n_numeric; q++) w->gap[numeric + q] -= weight * p->x[c * p->n_numeric + q];
    }
    merit m = judge(p, w, lambda, w->gap);
    m.objective += objective;
    return m;
}

/* One step from lambda, halved until it helps. `least`: slopes count at least this times d, so that margins all of
 * whose cells stand at a bound still move. */
static bool step(const rsp_problem *p, const double *d, rsp_cal_work *w, double least, merit *now) {
    size_t n = p->n_cols;
    for (size_t c = 0; c < p->n_cells; c++) w->slope[c] = fmax(w->slope[c], least * d[c]);
    rsp_problem_products(p, w->slope, w->matrix);
    rsp_factorise(&w->f, n, w->matrix);
    memcpy(w->step, w->gap, n * sizeof *w->step);
    rsp_factor_solve(&w->f, w->f.work, w->step);
    for (int half = 0; half < 40; half++) {
        for (size_t j = 0; j < n; j++) w->trial[j] = w->lambda[j] + ldexp(w->step[j], -half);
        merit then = evaluate(p, d, w->trial, w);
        if (!(then.squares < now->squares) && !(then.objective < now->objective)) continue;
        memcpy(w->lambda, w->trial, n * sizeof *w->lambda);
        *now = then;
        return true;
    }
    evaluate(p, d, w->lambda, w);
    return false;
}

/* Newton's method from lambda = 0; d: base weights by cell; factors into w->factor. Where no step helps these are the
 * last digits, or there is no solution. */
static bool newton(const rsp_problem *p, const double *d, rsp_cal_work *w, size_t *iterations) {
    memset(w->lambda, 0, p->n_cols * sizeof *w->lambda);
    merit now = evaluate(p, d, w->lambda, w);
    for (size_t k = 0; k < MAX_NEWTON && !(now.worst <= MET); k++, ++*iterations)
        if (!step(p, d, w, 0, &now) && (now.worst <= ROUNDING || !step(p, d, w, LEAST_SLOPE, &now))) break;
    return now.worst <= ROUNDING;
}

/* ---- calibrations side by side, each trimmed after --------------------------------------------------------------- */

/* What a lane works on: calibrating base weights d, then those that were cut. */
struct job {
    const double *d;
    double *g, *cut; /* [n_cells] */
    rsp_cal_outcome *out;
    bool cutting;
    int round, sweeps;
    double earlier[PACE];
};

/* Raking without bounds goes by sweeps as long as these get on; everything else by Newton's method. */
static bool by_sweeps(const rsp_problem *p) {
    return p->method == RSP_RAKE && isnan(p->low) && isnan(p->high) && !p->n_numeric;
}

static const double *base_of(const struct job *j) { return j->cutting ? j->cut : j->d; }

/* Weights to start from, in w->one: base weights times the factors at hand, or, as bounds and the linear distance count
 * from the base weights, these alone. */
static void start_weights(const rsp_problem *p, const struct job *j, rsp_cal_work *w) {
    const double *d = base_of(j);
    bool raking = p->method == RSP_RAKE && isnan(p->low) && isnan(p->high);
    double sum = 0;
    for (size_t c = 0; c < p->n_cells; c++) sum += d[c];
    for (size_t c = 0; c < p->n_cells; c++) {
        if (raking) w->one[c] = j->cutting ? d[c] : d[c] * j->g[c];
        else w->one[c] = d[c] * (p->rescale ? p->total / sum : 1);
    }
}

/* From w->one to weights that meet the targets, there. */
static bool solve_by_newton(const rsp_problem *p, size_t lane, rsp_cal_work *w, size_t *iterations) {
    for (size_t j = 0; j < p->n_cols; j++) w->target[j] = w->targets[j * w->lanes + lane];
    column_sums(p, w->one, w->sum);
    if (!newton(p, w->one, w, iterations)) return false;
    for (size_t c = 0; c < p->n_cells; c++) w->one[c] *= w->factor[c];
    return true;
}

/* The lane begins its sweeps with w->one. */
static void load(const rsp_problem *p, size_t lane, struct job *j, rsp_cal_work *w) {
    size_t lanes = w->lanes;
    j->sweeps = 0;
    for (size_t c = 0; c < p->n_cells; c++) w->start[c * lanes + lane] = w->one[c];
    if (!p->n_margins) return;
    for (size_t k = p->margin_col[0]; k < p->margin_col[1]; k++) w->sums[k * lanes + lane] = 0;
    for (size_t c = 0; c < p->n_cells; c++) w->sums[p->col[c * p->n_margins] * lanes + lane] += w->one[c];
}

/* Factors of the job from calibrated weights in w->one. */
static void take_factors(const rsp_problem *p, const struct job *j, const rsp_cal_work *w) {
    for (size_t c = 0; c < p->n_cells; c++) {
        double base = base_of(j)[c], factor = base > 0 ? w->one[c] / base : 1;
        if (!j->cutting) j->g[c] = factor;
        else j->g[c] = j->d[c] > 0 ? base * factor / j->d[c] : 1;
    }
}

/* Weights beyond the limits are set to them; returns how many respondents, and the largest relative excess. */
static double clip(const rsp_problem *p, double *g, size_t *n_trimmed) {
    double mean = p->total / p->n, excess = 0;
    double low = isnan(p->trim_low) ? 0 : p->trim_low * mean;
    double high = isnan(p->trim_high) ? INFINITY : p->trim_high * mean;
    *n_trimmed = 0;
    for (size_t c = 0; c < p->n_cells; c++) {
        double weight = p->unit[c] * g[c], cut = weight;
        if (!(p->unit[c] > 0) || weight == 0) continue; /* a code with target 0 has weight 0, whatever the floor */
        if (cut < low) cut = low;
        if (cut > high) cut = high;
        if (weight <= low * (1 + TRIM_MET) || weight >= high * (1 - TRIM_MET)) *n_trimmed += (size_t) p->respondents[c];
        double relative = fabs(weight - cut) / cut;
        if (relative > excess) excess = relative;
        g[c] = cut / p->unit[c];
    }
    return excess;
}

/* The excess falls by about the same factor in every round. Will it be small enough within the rounds that are left,
 * judged by the last PACE rounds? Limits that cannot be met together with the margins are given up early by this. */
static bool hopeless(double excess, double earlier, int rounds_left) {
    double rate = log(excess / earlier) / PACE;
    return !(rate < 0) || log(TRIM_MET / excess) / rate > rounds_left;
}

/* Cut, calibrate again from there, and so on until neither changes anything: cutting once at the end would pull the
 * margins off their targets again. True: cut, to be calibrated again. */
static bool cut_again(const rsp_problem *p, struct job *j) {
    int k = j->round++;
    j->out->status = RSP_CAL_TRIM_UNMET;
    if (k == MAX_TRIM) return false;
    memcpy(j->cut, j->g, p->n_cells * sizeof *j->cut);
    double excess = clip(p, j->cut, &j->out->n_trimmed);
    if (excess <= TRIM_MET) j->out->status = RSP_CAL_OK;
    if (excess <= TRIM_MET || (k >= PACE && hopeless(excess, j->earlier[k % PACE], MAX_TRIM - k))) return false;
    j->earlier[k % PACE] = excess;
    for (size_t c = 0; c < p->n_cells; c++) j->cut[c] *= j->d[c];
    j->cutting = true;
    return true;
}

/* What comes after weights were found (in w->one) or not. True: the lane has more to sweep. */
static bool go_on(const rsp_problem *p, size_t lane, struct job *j, rsp_cal_work *w, bool found) {
    for (;;) {
        if (!found) {
            j->out->status = j->cutting ? RSP_CAL_TRIM_UNMET : RSP_CAL_NOT_CONVERGED;
            return false;
        }
        take_factors(p, j, w);
        if (!p->unit || !cut_again(p, j)) return false;
        start_weights(p, j, w);
        if (by_sweeps(p)) {
            load(p, lane, j, w);
            return true;
        }
        found = solve_by_newton(p, lane, w, &j->out->iterations);
    }
}

/* True: the lane has something to sweep. */
static bool begin(const rsp_problem *p, size_t lane, struct job *j, rsp_cal_work *w) {
    *j->out = (rsp_cal_outcome){.status = RSP_CAL_OK};
    if (!set_targets(p, j->d, w->target, w->sum, &j->out->empty_col)) {
        j->out->status = RSP_CAL_EMPTY;
        return false;
    }
    for (size_t k = 0; k < p->n_cols; k++) w->targets[k * w->lanes + lane] = w->target[k];
    start_weights(p, j, w);
    if (!by_sweeps(p)) return go_on(p, lane, j, w, solve_by_newton(p, lane, w, &j->out->iterations));
    load(p, lane, j, w);
    return true;
}

/* After a sweep that met gaps up to `worst`. */
static bool swept(const rsp_problem *p, size_t lane, struct job *j, rsp_cal_work *w, double worst) {
    j->out->iterations++;
    if (++j->sweeps < MAX_SWEEPS && worst > MET) return true;
    for (size_t c = 0; c < p->n_cells; c++) w->one[c] = w->start[c * w->lanes + lane];
    return go_on(p, lane, j, w, !(worst > MET) || solve_by_newton(p, lane, w, &j->out->iterations));
}

void rsp_calibrate(const rsp_problem *p, size_t n, const double *const *d, double *const *g, rsp_cal_work *w,
                   rsp_cal_outcome *const *out) {
    struct job jobs[MOST];
    bool busy[MOST] = {false}, any = true;
    double worst[MOST];
    for (size_t c = 0; c < p->n_cols * w->lanes; c++) w->targets[c] = w->sums[c] = 1;
    for (size_t c = 0; c < p->n_cells * w->lanes; c++) w->start[c] = 0;
    for (size_t next = 0; any;) {
        any = false;
        for (size_t lane = 0; lane < w->lanes; lane++) {
            for (; !busy[lane] && next < n; next++) {
                jobs[lane] = (struct job){.d = d[next], .g = g[next], .cut = w->cut[lane], .out = out[next]};
                busy[lane] = begin(p, lane, &jobs[lane], w);
            }
            any |= busy[lane];
        }
        if (any) sweep_lanes(p, w, worst);
        for (size_t lane = 0; lane < w->lanes; lane++)
            if (busy[lane]) busy[lane] = swept(p, lane, &jobs[lane], w, worst[lane]);
    }
}
