/* Design, calibration, linearised and replicate variance: against R's survey package on one data set under every option
 * of weighting (fixtures/reference/weight), and properties on made-up samples. */
#include "responsive/intake.h"
#include "responsive/results.h"
#include "responsive/statistics.h"
#include "weight/internal.h"

#include <math.h>
#include <omp.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>
/* cmocka wants its four headers before it */
#include <cmocka.h>

static const char *const FOLDER = "fixtures/reference/weight";

static void assert_near(double x, double expected, double relative, const char *what) {
    if (fabs(x - expected) <= relative * fabs(expected)) return;
    fail_msg("%s: %.14g, expected %.14g", what, x, expected);
}

/* ---- cases of reference.R --------------------------------------------------------------------------------------- */

typedef struct {
    const char *name;
    const char *margins[2];
    int method;
    double low, high, trim_low, trim_high;    /* 0: none */
    bool fpc, set_aside, nonresponse, errors; /* errors: standard errors are in the reference */
} weight_case;

static const weight_case CASES[] = {
    {.name = "none", .fpc = true, .errors = true},
    {.name = "rake", .margins = {"stype", "sch_wide"}, .errors = true},
    {.name = "linear", .margins = {"stype", "sch_wide"}, .method = RSP_LINEAR, .errors = true},
    {.name = "rake_bounds", .margins = {"stype", "sch_wide"}, .low = 0.75, .high = 1.97, .errors = true},
    {.name = "linear_bounds",
     .margins = {"stype", "sch_wide"},
     .method = RSP_LINEAR,
     .low = 0.75,
     .high = 1.97,
     .errors = true},
    {.name = "numeric", .margins = {"stype", "api99"}, .method = RSP_LINEAR, .errors = true},
    {.name = "numeric_raking", .margins = {"stype", "api99"}, .errors = true},
    {.name = "cross", .margins = {"stype:sch_wide"}, .errors = true},
    {.name = "missing", .margins = {"stype", "part"}, .errors = true},
    {.name = "set_aside", .margins = {"stype", "part"}, .set_aside = true, .errors = true},
    {.name = "trim", .margins = {"stype", "sch_wide"}, .trim_low = 0.4, .trim_high = 2.2},
    {.name = "nonresponse", .nonresponse = true, .errors = true},
};

static double expected(const char *name, const char *what) {
    char path[256], line[256], key[128];
    snprintf(path, sizeof path, "%s/cases.csv", FOLDER);
    snprintf(key, sizeof key, "%s,%s,", name, what);
    FILE *f = fopen(path, "r");
    double value = NAN;
    while (f && fgets(line, sizeof line, f))
        if (!strncmp(line, key, strlen(key))) value = strtod(line + strlen(key), NULL);
    if (f) fclose(f);
    if (isnan(value)) fail_msg("%s has no %s", path, key);
    return value;
}

static rsp_study *load(rsp_diag *d) {
    rsp_study *s = rsp_study_load(FOLDER, d);
    if (!s) rsp_diag_print(d, stderr, false, 0);
    assert_non_null(s);
    return s;
}

/* Leaves the margins of the case alone in the study, in its order. */
static void choose_margins(rsp_study *s, const weight_case *c) {
    rsp_margin chosen[2];
    size_t n = 0;
    for (size_t k = 0; k < 2 && c->margins[k]; k++)
        for (size_t m = 0; m < s->weighting.n_margins; m++)
            if (!strcmp(s->weighting.margins[m].name, c->margins[k])) chosen[n++] = s->weighting.margins[m];
    if (n) memcpy(s->weighting.margins, chosen, n * sizeof *chosen);
    s->weighting.n_margins = n;
    s->weighting.given = n > 0;
}

static void apply(rsp_study *s, const weight_case *c) {
    rsp_weighting_spec *w = &s->weighting;
    choose_margins(s, c);
    if (c->method == RSP_LINEAR) w->method = RSP_LINEAR;
    if (c->high > 0) w->bound_low = c->low;
    if (c->high > 0) w->bound_high = c->high;
    if (c->trim_high > 0) w->trim_low = c->trim_low;
    if (c->trim_high > 0) w->trim_high = c->trim_high;
    w->set_aside_missing = c->set_aside;
    if (!c->nonresponse) w->n_nonresponse = 0;
    if (!c->fpc) s->design.n_fpc = 0;
}

typedef struct {
    rsp_diag *d;
    rsp_study *s;
    rsp_frame *f;
    rsp_sample *sample;
} run;

static run run_case(const weight_case *c) {
    run r = {.d = rsp_diag_new()};
    r.s = load(r.d);
    apply(r.s, c);
    r.f = rsp_intake(r.s, r.d);
    assert_non_null(r.f);
    rsp_frame_sort(r.f);
    r.sample = rsp_sample_new(r.f, r.d);
    if (!r.sample) rsp_diag_print(r.d, stderr, false, 0);
    assert_non_null(r.sample);
    return r;
}

static void end(run *r) {
    rsp_sample_free(r->sample);
    rsp_frame_free(r->f);
    rsp_study_free(r->s);
    rsp_diag_free(r->d);
}

/* Influence of a total, or of a mean over everybody, of a variable; returns the estimate. */
static double influence(const run *r, const char *variable, bool mean, double *z) {
    size_t v = rsp_study_variable(r->s, variable);
    double sum = 0, weight = 0;
    for (size_t i = 0; i < r->f->n; i++) {
        z[i] = rsp_value(r->f, v, i);
        sum += r->sample->weight[i] * z[i];
        weight += r->sample->weight[i];
    }
    if (!mean) return sum;
    for (size_t i = 0; i < r->f->n; i++) z[i] = (z[i] - sum / weight) / weight;
    return sum / weight;
}

static void compare_with_r(const weight_case *c) {
    run r = run_case(c);
    const rsp_group *g = &r.sample->groups[0];
    double *z[2] = {rsp_malloc(r.f->n * sizeof(double)), rsp_malloc(r.f->n * sizeof(double))}, v[4];
    double mean = influence(&r, "api00", true, z[0]), total = influence(&r, "enroll", false, z[1]);
    if (!g->weighted) fail_msg("%s: %s", c->name, g->why);
    assert_near(g->weight_min, expected(c->name, "weight_min"), 1e-9, c->name);
    assert_near(g->weight_max, expected(c->name, "weight_max"), 1e-9, c->name);
    assert_near(g->sum, expected(c->name, "sum"), 1e-11, c->name);
    assert_near(mean, expected(c->name, "mean"), 1e-9, c->name);
    assert_near(total, expected(c->name, "total"), 1e-9, c->name);
    if (c->errors) {
        assert_true(rsp_taylor(r.sample, NULL, (const double *const *) z, 2, v, r.d));
        assert_near(sqrt(v[0]), expected(c->name, "mean_se"), 1e-8, c->name);
        assert_near(sqrt(v[3]), expected(c->name, "total_se"), 1e-8, c->name);
        assert_true(v[1] == v[2]);
    }
    free(z[0]);
    free(z[1]);
    end(&r);
}

static void test_cases(void **state) {
    (void) state;
    for (size_t k = 0; k < sizeof CASES / sizeof *CASES; k++) compare_with_r(&CASES[k]);
}

/* ---- calibrations side by side ---------------------------------------------------------------------------------- */

enum { SIDE_BY_SIDE = 21 };

/* Base weights of the first group's cells times random factors; every seventh has lost a code. */
static void vary(const rsp_calibration *c, rsp_rng *g, size_t k, double *d) {
    const rsp_problem *p = &c->problems[0];
    for (size_t q = 0; q < p->n_cells; q++) {
        d[q] = c->d[q] * (0.4 + 1.2 * rsp_rng_uniform(g));
        if (k % 7 == 6 && p->n_margins && p->col[q * p->n_margins] == 0) d[q] = 0;
    }
}

static void same_alone(const rsp_calibration *c, size_t lanes, double *const *d, double *const *g,
                       rsp_cal_outcome *const *out) {
    const rsp_problem *p = &c->problems[0];
    rsp_arena *a = rsp_arena_new();
    rsp_cal_work work = rsp_cal_work_new(a, c->max_cells, c->max_cols, lanes);
    double *alone = RSP_ARRAY(a, double, p->n_cells);
    for (size_t k = 0; k < SIDE_BY_SIDE; k++) {
        rsp_cal_outcome outcome;
        for (size_t q = 0; q < p->n_cells; q++) alone[q] = 1;
        rsp_calibrate(p, 1, &(const double *){d[k]}, &alone, &work, &(rsp_cal_outcome *){&outcome});
        assert_int_equal(outcome.status, out[k]->status);
        assert_int_equal(outcome.iterations, out[k]->iterations);
        assert_int_equal(outcome.n_trimmed, out[k]->n_trimmed);
        assert_memory_equal(alone, g[k], p->n_cells * sizeof *alone);
    }
    rsp_arena_free(a);
}

/* What a lane does before, and who is beside it, leaves no trace: raking, bounds, linear, logit, trimming; margins met, a code
 * empty, limits that cannot be met. */
static void test_side_by_side_calibration(void **state) {
    size_t met[4] = {0};
    (void) state;
    for (size_t k = 0; k <= sizeof CASES / sizeof *CASES; k++) {
        weight_case one = k ? CASES[k - 1] : (weight_case){.name = "too tight", .margins = {"stype", "sch_wide"}};
        if (!k) one.trim_low = 0.9, one.trim_high = 1.05;
        run r = run_case(&one);
        const rsp_calibration *c = r.sample->private_->calibration;
        if (c && c->solved[0]) {
            rsp_arena *a = rsp_arena_new();
            rsp_rng stream;
            rsp_rng_init(&stream, 3, k);
            rsp_cal_work work = rsp_cal_work_new(a, c->max_cells, c->max_cols, RSP_CAL_LANES);
            double *d[SIDE_BY_SIDE], *g[SIDE_BY_SIDE];
            rsp_cal_outcome outcome[SIDE_BY_SIDE], *out[SIDE_BY_SIDE];
            for (size_t j = 0; j < SIDE_BY_SIDE; j++) {
                d[j] = RSP_ARRAY(a, double, c->n_cells);
                g[j] = RSP_ARRAY(a, double, c->n_cells);
                out[j] = &outcome[j];
                vary(c, &stream, j, d[j]);
                for (size_t q = 0; q < c->n_cells; q++) g[j][q] = 1;
            }
            rsp_calibrate(&c->problems[0], SIDE_BY_SIDE, (const double *const *) d, g, &work, out);
            for (size_t j = 0; j < SIDE_BY_SIDE; j++) met[outcome[j].status]++;
            same_alone(c, 1, d, g, out);
            same_alone(c, RSP_CAL_LANES, d, g, out);
            rsp_arena_free(a);
        }
        end(&r);
    }
    assert_true(met[RSP_CAL_OK] > 60 && met[RSP_CAL_EMPTY] > 10 && met[RSP_CAL_TRIM_UNMET] > 10);
}

/* How many replicates are trimmed side by side depends on the threads; their weights do not. */
static void test_trimmed_replicates(void **state) {
    enum { REPLICATES = 37 };
    rsp_variance_spec spec = {.method = RSP_BOOTSTRAP, .replicates = REPLICATES, .seed = 8};
    double *weights[2];
    size_t n = 0, cut = 0;
    (void) state;
    for (int k = 0; k < 2; k++) {
        weight_case trim = {.name = "trim", .margins = {"stype", "sch_wide"}, .trim_low = 0.4, .trim_high = 2.2};
        run r = run_case(&trim);
        omp_set_num_threads(k ? 3 : 1);
        const rsp_replicates *reps = rsp_replicates_get(r.sample, &spec, RSP_NOWHERE, r.d);
        assert_non_null(reps);
        n = r.f->n;
        weights[k] = rsp_malloc(REPLICATES * n * sizeof **weights);
        for (size_t j = 0; j < REPLICATES; j++) rsp_replicate_weights(reps, j, weights[k] + j * n);
        cut += r.sample->groups[0].n_trimmed;
        end(&r);
    }
    omp_set_num_threads(omp_get_num_procs());
    assert_true(cut > 0);
    assert_memory_equal(weights[0], weights[1], REPLICATES * n * sizeof **weights);
    free(weights[0]), free(weights[1]);
}

/* ---- replicates on the reference data --------------------------------------------------------------------------- */

static double replicate_error(run *r, rsp_variance_spec spec, const char *variable, bool mean) {
    const rsp_replicates *reps = rsp_replicates_get(r->sample, &spec, RSP_NOWHERE, r->d);
    if (!reps) rsp_diag_print(r->d, stderr, false, 0);
    assert_non_null(reps);
    size_t n = r->f->n, n_reps = rsp_replicates_count(reps), v = rsp_study_variable(r->s, variable), failed;
    double *w = rsp_malloc(n * sizeof *w), *theta = rsp_malloc(n_reps * sizeof *theta), full = 0, sum = 0, variance;
    for (size_t i = 0; i < n; i++) {
        full += r->sample->weight[i] * rsp_value(r->f, v, i);
        sum += r->sample->weight[i];
    }
    if (mean) full /= sum;
    for (size_t k = 0; k < n_reps; k++) {
        double a = 0, b = 0;
        rsp_replicate_weights(reps, k, w);
        for (size_t i = 0; i < n; i++) {
            a += w[i] * rsp_value(r->f, v, i);
            b += w[i];
        }
        theta[k] = mean ? a / b : a;
    }
    rsp_replicate_variance(reps, theta, &full, 1, &variance, &failed);
    assert_int_equal(failed, 0);
    free(w);
    free(theta);
    return sqrt(variance);
}

static double taylor_error(run *r, const char *variable, bool mean) {
    double *z = rsp_malloc(r->f->n * sizeof *z), v;
    influence(r, variable, mean, z);
    assert_true(rsp_taylor(r->sample, NULL, (const double *const[]){z}, 1, &v, r->d));
    free(z);
    return sqrt(v);
}

static void test_jackknife_fpc(void **state) {
    (void) state;
    run r = run_case(&CASES[0]);
    rsp_variance_spec jkn = {.method = RSP_JKN};
    assert_near(replicate_error(&r, jkn, "api00", true), expected("jkn_fpc", "mean_se"), 1e-9, "jkn with fpc");
    /* of a total, jackknife and linearised variance are one formula */
    assert_near(replicate_error(&r, jkn, "enroll", false), taylor_error(&r, "enroll", false), 1e-10, "total");
    end(&r);
}

/* Bootstrap, each replicate raked anew, and linearised errors with raking residuals: apart by simulation error, whose
 * standard deviation is about 1/sqrt(2R), and by terms of order 1/n. */
static void test_bootstrap(void **state) {
    (void) state;
    for (size_t k = 0; k < 2; k++) {
        run r = run_case(&CASES[k]);
        rsp_variance_spec boot = {.method = RSP_BOOTSTRAP, .replicates = 4000, .seed = 20};
        assert_near(replicate_error(&r, boot, "api00", true), taylor_error(&r, "api00", true), 0.05, "bootstrap, mean");
        double total = taylor_error(&r, "enroll", false);
        assert_near(replicate_error(&r, boot, "enroll", false), total, 0.05, "bootstrap, total");
        end(&r);
    }
}

static void test_replicates_meet_margins(void **state) {
    (void) state;
    run r = run_case(&CASES[1]);
    rsp_variance_spec boot = {.method = RSP_BOOTSTRAP, .replicates = 50, .seed = 3};
    const rsp_replicates *reps = rsp_replicates_get(r.sample, &boot, RSP_NOWHERE, r.d);
    double *w = rsp_malloc(r.f->n * sizeof *w);
    size_t stype = rsp_study_variable(r.s, "stype");
    for (size_t k = 0; k < 50; k++) {
        double sum[3] = {0};
        rsp_replicate_weights(reps, k, w);
        for (size_t i = 0; i < r.f->n; i++) sum[rsp_code(&r.f->columns[stype], i)] += w[i];
        assert_near(sum[0], 130, 1e-10, "E");
        assert_near(sum[1], 30, 1e-10, "H");
        assert_near(sum[2], 40, 1e-10, "M");
    }
    free(w);
    end(&r);
}

/* ---- made-up samples -------------------------------------------------------------------------------------------- */

enum { COUNTRY, GENDER, AGE, CLUSTER, Y, N_VARIABLES, N_CODES = 4, MAX_TARGETS = 64 };

typedef struct {
    rsp_choice choices[N_CODES];
    rsp_list list;
    rsp_variable variables[N_VARIABLES];
    size_t strata[1], cluster[1], gender[1], age[1];
    rsp_target targets[2][MAX_TARGETS];
    rsp_margin margins[2];
    rsp_study study;
    rsp_frame *frame;
    rsp_diag *d;
} made_up;

static const char *const CODES[N_CODES] = {"a", "b", "c", "d"};

static void add_targets(rsp_margin *m, size_t countries, size_t codes) {
    for (size_t c = 0; c < countries; c++)
        for (size_t k = 0; k < codes; k++)
            m->targets[m->n_targets++] = (rsp_target){
                .country = CODES[c], .code = CODES[k], .amount = (double) (k + 1) / (double) (codes * (codes + 1) / 2)};
}

/* n respondents in `countries` countries (strata too) with clusters of about `size`; margins gender (2), age (4). */
static made_up *make(size_t n, size_t countries, size_t size) {
    made_up *m = rsp_calloc(1, sizeof *m);
    rsp_study *s = &m->study;
    m->d = rsp_diag_new();
    for (size_t k = 0; k < N_CODES; k++) m->choices[k] = (rsp_choice){.code = CODES[k], .value = (double) k};
    m->list = (rsp_list){"codes", N_CODES, m->choices};
    static const char *const names[] = {"country", "gender", "age", "cluster", "y"};
    for (size_t k = 0; k < N_VARIABLES; k++)
        m->variables[k] = (rsp_variable){.name = names[k],
                                         .type = k < CLUSTER ? RSP_SELECT_ONE : RSP_DECIMAL,
                                         .list = k < CLUSTER ? &m->list : NULL,
                                         .part_of = RSP_NONE,
                                         .first_part = RSP_NONE};
    m->strata[0] = COUNTRY;
    m->cluster[0] = CLUSTER;
    m->gender[0] = GENDER;
    m->age[0] = AGE;
    m->margins[0] = (rsp_margin){.name = "gender", .n_variables = 1, .variables = m->gender, .targets = m->targets[0]};
    m->margins[1] = (rsp_margin){.name = "age", .n_variables = 1, .variables = m->age, .targets = m->targets[1]};
    add_targets(&m->margins[0], countries, 2);
    add_targets(&m->margins[1], countries, 4);
    *s = (rsp_study){.id = "made_up", .n_variables = N_VARIABLES, .variables = m->variables};
    s->roles = (rsp_roles){RSP_NONE, COUNTRY, RSP_NONE, RSP_NONE, RSP_NONE, RSP_NONE, RSP_NONE, RSP_NONE};
    s->design = (rsp_design_spec){
        .weight = RSP_NONE, .n_strata = 1, .strata = m->strata, .n_stages = size > 1, .cluster = m->cluster};
    s->weighting = (rsp_weighting_spec){.given = true,
                                        .within = COUNTRY,
                                        .n_margins = 2,
                                        .margins = m->margins,
                                        .bound_low = NAN,
                                        .bound_high = NAN,
                                        .trim_low = NAN,
                                        .trim_high = NAN};
    m->frame = rsp_frame_new(s, n);
    rsp_rng g;
    rsp_rng_init(&g, 11, n);
    for (size_t i = 0; i < n; i++) {
        size_t c = i % countries;
        rsp_set_code(&m->frame->columns[COUNTRY], i, (int) c);
        rsp_set_code(&m->frame->columns[GENDER], i, (int) rsp_rng_below(&g, 2));
        rsp_set_code(&m->frame->columns[AGE], i, (int) rsp_rng_below(&g, 4));
        m->frame->columns[CLUSTER].number[i] = (double) (i / countries / size); /* the same names in every country */
        m->frame->columns[Y].number[i] = (double) rsp_code(&m->frame->columns[AGE], i) + rsp_rng_normal(&g);
    }
    return m;
}

static void unmake(made_up *m) {
    rsp_frame_free(m->frame);
    rsp_diag_free(m->d);
    free(m);
}

static void test_margins_are_met(void **state) {
    (void) state;
    made_up *m = make(3000, 3, 5);
    rsp_sample *s = rsp_sample_new(m->frame, m->d);
    assert_non_null(s);
    assert_int_equal(s->n_groups, 3);
    assert_int_equal(s->n_strata, 3);
    assert_int_equal(s->n_clusters, 600); /* nested: the same name in two strata is two clusters */
    assert_true(s->country == s->group && s->n_countries == 3);
    assert_int_equal(s->n_gaps, 18);
    for (size_t k = 0; k < s->n_gaps; k++)
        assert_near(s->gaps[k].achieved, s->gaps[k].target, 1e-11, s->gaps[k].margin);
    for (size_t k = 0; k < 3; k++) assert_near(s->groups[k].sum, 1000, 1e-12, "sum of a country");
    assert_true(rsp_design_df(s, NULL) == 597);
    rsp_sample_free(s);
    unmake(m);
}

/* What the margins fix has no variance. */
static void test_margins_have_no_variance(void **state) {
    (void) state;
    made_up *m = make(3000, 3, 5);
    rsp_sample *s = rsp_sample_new(m->frame, m->d);
    double *z = rsp_calloc(3000, sizeof *z), v;
    for (size_t i = 0; i < 3000; i++) z[i] = rsp_code(&m->frame->columns[AGE], i) == 2;
    assert_true(rsp_taylor(s, NULL, (const double *const[]){z}, 1, &v, m->d));
    assert_true(fabs(v) < 1e-15);
    free(z);
    rsp_sample_free(s);
    unmake(m);
}

/* A country without a target, one with an empty cell, and others: each its own outcome, none in the way of others. */
static void test_outcomes_by_country(void **state) {
    (void) state;
    made_up *m = make(400, 4, 2);
    m->study.eligible.respondents = 100;
    m->study.eligible.clusters = 50;
    for (size_t k = 0; k < m->margins[0].n_targets; k++)
        if (!strcmp(m->targets[0][k].country, "b")) m->targets[0][k].country = "elsewhere";
    for (size_t i = 0; i < 400; i++) {
        if (i % 4 == 2 && rsp_code(&m->frame->columns[AGE], i) == 3) rsp_set_code(&m->frame->columns[AGE], i, 2);
        if (i % 4 == 3) m->frame->columns[CLUSTER].number[i] = (double) (i % 3);
    }
    rsp_sample *s = rsp_sample_new(m->frame, m->d);
    assert_non_null(s);
    assert_true(s->groups[0].weighted && s->groups[0].eligible);
    assert_string_equal(s->groups[1].why, "no target");
    assert_string_equal(s->groups[2].why, "empty cell");
    assert_true(!s->groups[1].weighted && s->groups[1].flags & RSP_F_NOT_WEIGHTED);
    for (size_t i = 0; i < 400; i++)
        if (i % 4 == 1 || i % 4 == 2) assert_true(s->weight[i] == s->base[i]);
    assert_true(!s->groups[3].eligible && s->groups[3].flags & RSP_F_NOT_ELIGIBLE); /* three clusters */
    assert_int_equal(rsp_diag_errors(m->d), 0);
    assert_int_equal(rsp_diag_warnings(m->d), 2);
    double *w = rsp_malloc(400 * sizeof *w), sum[4] = {0};
    m->study.weighting.scale = RSP_SCALE_EQUAL;
    rsp_scaled_weights(s, w);
    for (size_t i = 0; i < 400; i++) sum[i % 4] += w[i];
    assert_near(sum[0], sum[1], 1e-12, "equal sums");
    assert_true(sum[3] == 0);
    free(w);
    rsp_sample_free(s);
    unmake(m);
}

static void test_set_aside(void **state) {
    (void) state;
    made_up *m = make(300, 1, 1);
    m->study.weighting.set_aside_missing = true;
    rsp_set_missing(m->frame, AGE, 7, RSP_NA_SKIPPED);
    rsp_sample *s = rsp_sample_new(m->frame, m->d);
    assert_true(s->set_aside && s->set_aside[7] && !s->set_aside[8] && s->weight[7] == 0);
    assert_int_equal(s->groups[0].n, 299);
    assert_near(s->groups[0].sum, 299, 1e-12, "sum of the others");
    rsp_sample_free(s);
    unmake(m);
}

static void test_trim_impossible(void **state) {
    (void) state;
    made_up *m = make(300, 1, 1);
    m->study.weighting.trim_high = 1.05; /* the oldest are 40 % of the population, a quarter of the sample */
    rsp_sample *s = rsp_sample_new(m->frame, m->d);
    assert_true(s->groups[0].weighted && s->groups[0].flags & RSP_F_MARGIN_UNMET);
    for (size_t k = 0; k < s->n_gaps; k++) assert_near(s->gaps[k].achieved, s->gaps[k].target, 1e-9, "margin kept");
    rsp_sample_free(s);
    unmake(m);
}

/* Bit for bit the same with one thread and with three. */
static void test_threads(void **state) {
    (void) state;
    uint64_t hash[2];
    double v[2][4];
    for (int k = 0; k < 2; k++) {
        omp_set_num_threads(k ? 3 : 1);
        made_up *m = make(30000, 4, 3);
        rsp_sample *s = rsp_sample_new(m->frame, m->d);
        rsp_variance_spec boot = {.method = RSP_BOOTSTRAP, .replicates = 20, .seed = 5};
        const rsp_replicates *r = rsp_replicates_get(s, &boot, RSP_NOWHERE, m->d);
        double *w = rsp_malloc(30000 * sizeof *w);
        hash[k] = 0;
        for (size_t j = 0; j < 20; j++) {
            rsp_replicate_weights(r, j, w);
            hash[k] = rsp_hash64(w, 30000 * sizeof *w, hash[k]);
        }
        const double *y = m->frame->columns[Y].number;
        assert_true(rsp_taylor(s, NULL, (const double *const[]){y, w}, 2, v[k], m->d));
        free(w);
        rsp_sample_free(s);
        unmake(m);
    }
    omp_set_num_threads(omp_get_num_procs());
    assert_true(hash[0] == hash[1]);
    assert_memory_equal(v[0], v[1], sizeof v[0]);
}

/* Replicates side by side are the replicates one by one, to the bit, whatever row a block begins at. */
static void lanes_are_replicates(rsp_sample *s, const rsp_variance_spec *spec, rsp_diag *d) {
    enum { FROM = 1037, TO = 5500 };
    const rsp_replicates *r = rsp_replicates_get(s, spec, RSP_NOWHERE, d);
    assert_non_null(r);
    size_t n = rsp_replicates_count(r) < 40 ? rsp_replicates_count(r) : 40;
    double *w = rsp_malloc(s->n * sizeof *w), *lanes = rsp_malloc((size_t) (TO - FROM) * RSP_LANES * sizeof *lanes);
    for (size_t first = 0; first < n; first += RSP_LANES) {
        rsp_lanes *l = rsp_lanes_new(r, first);
        rsp_lanes_weights(l, FROM, TO, lanes);
        for (size_t lane = 0; lane < RSP_LANES; lane++) {
            bool there = first + lane < rsp_replicates_count(r);
            if (there) rsp_replicate_weights(r, first + lane, w);
            for (size_t i = FROM; i < TO; i++) assert_true(lanes[(i - FROM) * RSP_LANES + lane] == (there ? w[i] : 0));
        }
        rsp_lanes_free(l);
    }
    free(w);
    free(lanes);
}

static void test_lanes(void **state) {
    (void) state;
    made_up *m = make(6000, 4, 30);
    rsp_sample *s = rsp_sample_new(m->frame, m->d);
    rsp_variance_spec boot = {.method = RSP_BOOTSTRAP, .replicates = 20, .seed = 5}, jkn = {.method = RSP_JKN};
    lanes_are_replicates(s, &boot, m->d);
    lanes_are_replicates(s, &jkn, m->d);
    rsp_sample_free(s);
    unmake(m);
}

/* An influence given by its rows is the same as one with zeros elsewhere, to the bit; a domain that lies in one country
 * leaves the other countries' variance at zero, so that two such domains have no covariance. */
static void test_influence_of_rows(void **state) {
    (void) state;
    for (size_t calibrated = 0; calibrated < 2; calibrated++) {
        made_up *m = make(6000, 4, 3);
        if (!calibrated) {
            m->study.weighting.given = false;
            m->study.weighting.n_margins = 0;
        }
        rsp_sample *s = rsp_sample_new(m->frame, m->d);
        const double *y = m->frame->columns[Y].number;
        double *dense[3], *z[2], v[9], by_rows[4];
        uint32_t *row[2];
        rsp_influence list[2];
        for (size_t k = 0; k < 3; k++) dense[k] = rsp_calloc(s->n, sizeof **dense);
        for (size_t k = 0; k < 2; k++) {
            z[k] = rsp_calloc(s->n, sizeof **z);
            row[k] = rsp_calloc(s->n, sizeof **row);
            list[k] = (rsp_influence){0, row[k], z[k]};
            for (size_t i = 0; i < s->n; i++) {
                if (rsp_code(&m->frame->columns[COUNTRY], i) != (int) (k + 1)) continue;
                row[k][list[k].n] = (uint32_t) i;
                z[k][list[k].n++] = dense[k][i] = y[i];
            }
        }
        for (size_t i = 0; i < s->n; i++) dense[2][i] = y[i];
        assert_true(rsp_taylor(s, NULL, (const double *const *) dense, 3, v, m->d));
        assert_true(rsp_taylor_rows(s, NULL, list, 2, by_rows, m->d));
        assert_true(v[0] > 0 && v[0] == by_rows[0] && v[4] == by_rows[3]);
        assert_true(v[1] == 0 && by_rows[1] == 0);
        assert_near(v[2], v[0], 1e-12, "covariance with everybody's total is the domain's variance");
        for (size_t k = 0; k < 3; k++) free(dense[k]);
        for (size_t k = 0; k < 2; k++) free(z[k]), free(row[k]);
        rsp_sample_free(s);
        unmake(m);
    }
}

enum { BESIDE = 11 };

/* Influences of 11 statistics on a listed row: powers and indicators of its number. */
struct side {
    const double *y;
    const uint32_t *row;
};

static double influence_beside(double y, size_t k) {
    return k % 3 == 0 ? y > 0.1 * (double) k : pow(y, (double) (k % 5)) - 1;
}

static void fill_beside(const void *context, const uint32_t *place, size_t n, size_t stride, double *z) {
    const struct side *x = context;
    for (size_t r = 0; r < n; r++)
        for (size_t k = 0; k < BESIDE; k++)
            z[r * stride + k] = influence_beside(x->y[x->row ? x->row[place[r]] : place[r]], k);
}

/* Statistics side by side have the covariances that they have one by one, on all rows and on a domain that cuts through
 * clusters and leaves a country out, under the sample's weights and under others; the same bits for any number of threads. */
static void test_side_by_side(void **state) {
    (void) state;
    for (size_t c = 0; c < 8; c++) {
        made_up *m = make(50000, 4, c & 4 ? 7 : 1);
        if (c & 1) {
            m->study.weighting.given = false;
            m->study.weighting.n_margins = 0;
        }
        rsp_sample *s = rsp_sample_new(m->frame, m->d);
        const double *y = m->frame->columns[Y].number;
        double *z[BESIDE], *w = rsp_malloc(s->n * sizeof *w), plain[BESIDE * BESIDE], beside[3][BESIDE * BESIDE];
        uint32_t *row = rsp_malloc(s->n * sizeof *row), n = 0;
        for (size_t k = 0; k < BESIDE; k++) z[k] = rsp_calloc(s->n, sizeof **z);
        for (size_t i = 0; i < s->n; i++) {
            w[i] = s->weight[i] * (1 + 0.5 * (double) (i % 3));
            if (c & 2 && (rsp_code(&m->frame->columns[COUNTRY], i) == 1 || i % 5 < 2)) continue;
            row[n++] = (uint32_t) i;
            for (size_t k = 0; k < BESIDE; k++) z[k][i] = influence_beside(y[i], k);
        }
        const double *weight = c & 1 ? w : NULL;
        struct side of = {y, c & 2 ? row : NULL};
        assert_true(rsp_taylor(s, weight, (const double *const *) z, BESIDE, plain, m->d));
        for (int k = 0; k < 3; k++) {
            omp_set_num_threads(k + 1);
            assert_true(rsp_taylor_fill(s, weight, n, of.row, BESIDE, fill_beside, &of, beside[k], m->d));
            assert_memory_equal(beside[k], beside[0], sizeof beside[0]);
        }
        omp_set_num_threads(omp_get_num_procs());
        for (size_t k = 0; k < BESIDE; k++)
            for (size_t l = 0; l < BESIDE; l++) {
                double unit = sqrt(plain[k * BESIDE + k] * plain[l * BESIDE + l]);
                assert_true(fabs(beside[0][k * BESIDE + l] - plain[k * BESIDE + l]) <= 1e-10 * unit);
            }
        assert_true(plain[BESIDE + 1] > 0);
        for (size_t k = 0; k < BESIDE; k++) free(z[k]);
        free(w), free(row);
        rsp_sample_free(s);
        unmake(m);
    }
}

/* Half samples of a total give the linearised variance of two clusters a stratum exactly: columns are orthogonal. */
static void test_half_samples(void **state) {
    (void) state;
    made_up *m = make(8, 4, 1);
    m->study.weighting.given = false;
    m->study.weighting.n_margins = 0;
    rsp_sample *s = rsp_sample_new(m->frame, m->d);
    const double *y = m->frame->columns[Y].number;
    double taylor;
    assert_true(rsp_taylor(s, NULL, &y, 1, &taylor, m->d));
    for (int k = 0; k < 2; k++) {
        rsp_variance_spec spec = {.method = k ? RSP_FAY : RSP_BRR, .rho = k ? 0.3 : 0};
        const rsp_replicates *r = rsp_replicates_get(s, &spec, RSP_NOWHERE, m->d);
        assert_int_equal(rsp_replicates_count(r), 8);
        double theta[8] = {0}, w[8], full = 0, v;
        for (size_t i = 0; i < 8; i++) full += y[i];
        for (size_t j = 0; j < 8; j++) {
            rsp_replicate_weights(r, j, w);
            for (size_t i = 0; i < 8; i++) theta[j] += w[i] * y[i];
        }
        rsp_replicate_variance(r, theta, &full, 1, &v, NULL);
        assert_near(v, taylor, 1e-12, k ? "fay" : "brr");
    }
    rsp_sample_free(s);
    unmake(m);
}

/* Few respondents in a cell: some bootstrap replicates miss it, are drawn again and counted. */
static void test_redrawn(void **state) {
    (void) state;
    made_up *m = make(120, 1, 4);
    for (size_t i = 8; i < 120; i++)
        if (rsp_code(&m->frame->columns[AGE], i) == 3) rsp_set_code(&m->frame->columns[AGE], i, 2);
    rsp_set_code(&m->frame->columns[AGE], 0, 3);
    rsp_sample *s = rsp_sample_new(m->frame, m->d);
    rsp_variance_spec boot = {.method = RSP_BOOTSTRAP, .replicates = 100, .seed = 1};
    const rsp_replicates *r = rsp_replicates_get(s, &boot, RSP_NOWHERE, m->d);
    assert_true(rsp_replicates_redrawn(r) > 5 && rsp_replicates_redrawn(r) < 60);
    double w[120];
    for (size_t k = 0; k < 100; k++) {
        double sum = 0;
        rsp_replicate_weights(r, k, w);
        for (size_t i = 0; i < 120; i++) sum += w[i] * (rsp_code(&m->frame->columns[AGE], i) == 3);
        assert_near(sum, 0.4 * 120, 1e-10, "the rare cell");
    }
    rsp_sample_free(s);
    unmake(m);
}

/* A jackknife replicate that empties a cell cannot be drawn again: it is left out and counted. */
static void test_failed_replicates(void **state) {
    (void) state;
    made_up *m = make(40, 1, 1);
    for (size_t i = 1; i < 40; i++)
        if (rsp_code(&m->frame->columns[AGE], i) == 3) rsp_set_code(&m->frame->columns[AGE], i, 2);
    rsp_set_code(&m->frame->columns[AGE], 0, 3);
    rsp_sample *s = rsp_sample_new(m->frame, m->d);
    rsp_variance_spec jk1 = {.method = RSP_JK1};
    const rsp_replicates *r = rsp_replicates_get(s, &jk1, RSP_NOWHERE, m->d);
    double w[40], theta[40], full = 1, v;
    for (size_t k = 0; k < 40; k++) {
        rsp_replicate_weights(r, k, w);
        theta[k] = w[1] / (w[1] + w[2]);
    }
    size_t failed;
    rsp_replicate_variance(r, theta, &full, 1, &v, &failed);
    assert_int_equal(failed, 1);
    assert_true(isfinite(v));
    rsp_sample_free(s);
    unmake(m);
}

/* ---- what is wrong with data or design -------------------------------------------------------------------------- */

static void test_lonely(void **state) {
    (void) state;
    made_up *m = make(40, 2, 1);
    m->study.weighting.given = false;
    m->study.weighting.n_margins = 0;
    m->study.design.n_stages = 1;
    for (size_t i = 0; i < 40; i++)
        if (i % 2) m->frame->columns[CLUSTER].number[i] = 1;
    rsp_sample *s = rsp_sample_new(m->frame, m->d);
    const double *y = m->frame->columns[Y].number;
    double v;
    rsp_variance_spec jkn = {.method = RSP_JKN}, jk1 = {.method = RSP_JK1}, brr = {.method = RSP_BRR};
    assert_false(rsp_taylor(s, NULL, &y, 1, &v, m->d));
    assert_true(isnan(v));
    assert_non_null(strstr(rsp_diag_at(m->d, 0)->message, "country=b"));
    assert_null(rsp_replicates_get(s, &jkn, RSP_NOWHERE, m->d));
    rsp_sample_free(s);
    m->study.design.lonely = RSP_LONELY_CERTAINTY;
    s = rsp_sample_new(m->frame, m->d);
    assert_true(rsp_taylor(s, NULL, &y, 1, &v, m->d));
    assert_true(v > 0);
    assert_int_equal(rsp_replicates_count(rsp_replicates_get(s, &jkn, RSP_NOWHERE, m->d)), 20);
    assert_null(rsp_replicates_get(s, &jk1, RSP_NOWHERE, m->d)); /* strata */
    assert_null(rsp_replicates_get(s, &brr, RSP_NOWHERE, m->d)); /* twenty clusters */
    assert_true(rsp_diag_errors(m->d) >= 2);
    rsp_sample_free(s);
    unmake(m);
}

static void test_wrong_data(void **state) {
    (void) state;
    made_up *m = make(6, 1, 1);
    m->study.weighting.given = false;
    m->study.design.weight = Y;
    for (size_t i = 0; i < 6; i++) m->frame->columns[Y].number[i] = (double) i;
    rsp_sample *s = rsp_sample_new(m->frame, m->d);
    assert_non_null(s);
    assert_int_equal(s->groups[0].n, 5); /* weight 0 stays in the design, but is nobody */
    assert_int_equal(s->n_clusters, 6);
    assert_true(rsp_design_df(s, NULL) == 4);
    rsp_sample_free(s);
    m->frame->columns[Y].number[1] = NAN;
    s = rsp_sample_new(m->frame, m->d);
    assert_true(s->weight[1] == 0);
    assert_int_equal(rsp_diag_warnings(m->d), 1);
    rsp_sample_free(s);
    m->frame->columns[Y].number[1] = -2;
    assert_null(rsp_sample_new(m->frame, m->d));
    assert_int_equal(rsp_diag_errors(m->d), 1);
    m->study.design.weight = RSP_NONE; /* a fraction and counts in one column; fewer units than were sampled */
    m->study.design.n_fpc = 1;
    m->study.design.fpc = (const size_t[]){Y};
    for (size_t i = 0; i < 6; i++) m->frame->columns[Y].number[i] = 5;
    assert_null(rsp_sample_new(m->frame, m->d));
    m->frame->columns[Y].number[0] = 0.5;
    assert_null(rsp_sample_new(m->frame, m->d));
    unmake(m);
    m = make(0, 1, 1);
    assert_null(rsp_sample_new(m->frame, m->d));
    unmake(m);
}

static void test_nobody_weighs(void **state) {
    (void) state;
    made_up *m = make(60, 2, 1);
    m->study.design.weight = Y;
    for (size_t i = 0; i < 60; i++) m->frame->columns[Y].number[i] = i % 2 ? 0 : 1;
    rsp_sample *s = rsp_sample_new(m->frame, m->d);
    assert_non_null(s);
    assert_string_equal(s->groups[1].why, "empty cell");
    assert_int_equal(s->groups[1].n, 0);
    rsp_results *out = rsp_results_new();
    rsp_report_weights(s, out);
    /* Four measures a country; the one that weighs has six classes of weights besides. */
    assert_int_equal(out->n, 8 + 6 + s->n_gaps);
    assert_string_equal(out->rows[0].domain, "country=a");
    size_t b = 0;
    while (b < out->n && strcmp(out->rows[b].domain, "country=b") != 0) b++;
    assert_true(b < out->n && isnan(out->rows[b].estimate) && out->rows[b].flags & RSP_F_EMPTY);
    rsp_results_free(out);
    rsp_sample_free(s);
    unmake(m);
}

/* ---- numbers ---------------------------------------------------------------------------------------------------- */

static void test_numbering(void **state) {
    (void) state;
    int32_t a[6] = {2, 0, 2, 1, 0, 2}, b[6] = {1, 5, 0, 5, 5, 1}, out[6];
    assert_int_equal(rsp_number_pairs(a, 3, b, 6, 6, out), 4);
    const int32_t pairs[6] = {3, 0, 2, 1, 0, 3};
    assert_memory_equal(out, pairs, sizeof pairs);
    double x[6] = {3, NAN, 3, -0.0, 0.0, NAN};
    const int32_t values[6] = {0, 1, 0, 2, 2, 1};
    assert_int_equal(rsp_number_doubles(x, 6, out), 3);
    assert_memory_equal(out, values, sizeof values);
}

/* The dummies of two margins: rank one less than their number; the solution reproduces what lies in their span. */
static void test_factor(void **state) {
    (void) state;
    rsp_arena *a = rsp_arena_new();
    rsp_factor f = rsp_factor_new(a, 4);
    double matrix[16] = {5, 0, 2, 3, 0, 7, 3, 4, 2, 3, 5, 0, 3, 4, 0, 7};
    double x[4] = {1, -2, 3, 0.5}, rhs[4] = {0}, check[4];
    for (size_t i = 0; i < 4; i++)
        for (size_t j = 0; j < 4; j++) rhs[i] += matrix[i * 4 + j] * x[j];
    memcpy(check, rhs, sizeof rhs);
    rsp_factorise(&f, 4, matrix);
    assert_int_equal(f.rank, 3);
    rsp_factor_solve(&f, f.work, rhs);
    for (size_t i = 0; i < 4; i++) {
        double sum = 0;
        for (size_t j = 0; j < 4; j++) sum += matrix[i * 4 + j] * rhs[j];
        assert_near(sum, check[i], 1e-12, "reproduced");
    }
    rsp_arena_free(a);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_numbering),
        cmocka_unit_test(test_factor),
        cmocka_unit_test(test_cases),
        cmocka_unit_test(test_side_by_side_calibration),
        cmocka_unit_test(test_trimmed_replicates),
        cmocka_unit_test(test_jackknife_fpc),
        cmocka_unit_test(test_bootstrap),
        cmocka_unit_test(test_replicates_meet_margins),
        cmocka_unit_test(test_margins_are_met),
        cmocka_unit_test(test_margins_have_no_variance),
        cmocka_unit_test(test_outcomes_by_country),
        cmocka_unit_test(test_set_aside),
        cmocka_unit_test(test_trim_impossible),
        cmocka_unit_test(test_threads),
        cmocka_unit_test(test_lanes),
        cmocka_unit_test(test_influence_of_rows),
        cmocka_unit_test(test_side_by_side),
        cmocka_unit_test(test_half_samples),
        cmocka_unit_test(test_redrawn),
        cmocka_unit_test(test_failed_replicates),
        cmocka_unit_test(test_lonely),
        cmocka_unit_test(test_wrong_data),
        cmocka_unit_test(test_nobody_weighs),
    };
    return cmocka_run_group_tests_name("weight", tests, NULL, NULL);
}
