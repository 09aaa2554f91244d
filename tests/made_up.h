/* What tests of statistics share: a made-up study in a folder of its own, run up to the rows of its results. cmocka.h must
 * be included before. */
#ifndef RESPONSIVE_TESTS_MADE_UP_H
#define RESPONSIVE_TESTS_MADE_UP_H

#include "responsive/clean.h"
#include "responsive/intake.h"
#include "responsive/statistics.h"

#include <math.h>
#include <stdlib.h>
#include <unistd.h>

static char folder[64] = "/tmp/responsive-made-up-XXXXXX";

/* Set-up and tear-down of a group of tests. */
static inline int make_folder(void **state) {
    (void) state;
    return mkdtemp(folder) ? 0 : -1;
}

static inline int remove_folder(void **state) {
    static const char *const names[] = {"study.yaml", "survey.csv", "choices.csv", "data.csv"};
    char path[128];
    (void) state;
    for (size_t k = 0; k < sizeof names / sizeof *names; k++) {
        snprintf(path, sizeof path, "%s/%s", folder, names[k]);
        unlink(path);
    }
    return rmdir(folder);
}

static inline void put(const char *name, const char *text) {
    char path[128];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs(text, f);
    assert_int_equal(fclose(f), 0);
}

struct run {
    rsp_diag *diag;
    rsp_study *study;
    rsp_frame *frame;
    rsp_sample *sample;
    rsp_results *results;
};

/* Read, cleaned and weighted; a fault on the way is printed and fails the test. */
static inline struct run load(const char *dir) {
    struct run r = {.diag = rsp_diag_new(), .results = rsp_results_new()};
    r.study = rsp_study_load(dir, r.diag);
    r.frame = r.study ? rsp_intake(r.study, r.diag) : NULL;
    rsp_clean_log *log = r.frame ? rsp_clean(r.frame, r.diag) : NULL;
    rsp_clean_log_free(log);
    r.sample = log ? rsp_sample_new(r.frame, r.diag) : NULL;
    if (!r.sample) rsp_diag_print(r.diag, stderr, false, 0);
    assert_non_null(r.sample);
    return r;
}

static inline struct run load_and_analyse(const char *dir) {
    struct run r = load(dir);
    for (size_t k = 0; k < r.study->n_analyses; k++) rsp_analyse(r.sample, &r.study->analyses[k], r.results, r.diag);
    return r;
}

static inline void done(struct run *r) {
    rsp_results_free(r->results);
    rsp_sample_free(r->sample);
    rsp_frame_free(r->frame);
    rsp_study_free(r->study);
    rsp_diag_free(r->diag);
}

static inline void near(double got, double want, double tolerance) {
    if (!(fabs(got - want) <= tolerance * fmax(1, fabs(want)))) fail_msg("%.15g instead of %.15g", got, want);
}

#endif
