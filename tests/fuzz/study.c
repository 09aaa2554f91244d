/* Fuzz target: a study folder with its data, from study.yaml to the published table.
 *
 * The input is the folder in one file: each of its files begins with a line `== NAME`. The mutator works on lines and
 * words: what it makes is still nearly a study, so that the faults reach deep. */
#include <assert.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "folder.h"
#include "words.h"

#include "responsive/clean.h"
#include "responsive/intake.h"
#include "responsive/statistics.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed);

/* ---- the folder ------------------------------------------------------------------------------------------------- */

static const char *study_folder(void) {
    static char folder[64];
    if (!folder[0]) {
        snprintf(folder, sizeof folder, "%s/responsive-fuzz-XXXXXX",
                 access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
        assert(mkdtemp(folder));
    }
    return folder;
}

static void empty_folder(const char *folder) {
    DIR *handle = opendir(folder);
    assert(handle);
    for (struct dirent *e; (e = readdir(handle));)
        if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0) unlinkat(dirfd(handle), e->d_name, 0);
    closedir(handle);
}

/* ---- the stations ----------------------------------------------------------------------------------------------- */

static void analyse(const rsp_study *s, rsp_sample *sample, rsp_diag *d) {
    rsp_results *r = rsp_results_new();
    rsp_report_weights(sample, r);
    for (size_t k = 0; k < s->n_analyses; k++) rsp_analyse(sample, &s->analyses[k], r, d);
    if (!rsp_diag_errors(d)) rsp_published_free(rsp_disclose(s, r, NULL, false, d));
    rsp_results_free(r);
}

static void run_stations(const rsp_study *s, rsp_diag *d) {
    rsp_frame *f = rsp_intake(s, d);
    rsp_clean_log *log = f ? rsp_clean(f, d) : NULL;
    assert(log || rsp_diag_errors(d) > 0);
    if (log && f->n && !rsp_diag_errors(d)) {
        rsp_sample *sample = rsp_sample_new(f, d);
        assert(sample || rsp_diag_errors(d) > 0);
        if (sample) analyse(s, sample, d);
        rsp_sample_free(sample);
    }
    rsp_clean_log_free(log);
    rsp_frame_free(f);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    const char *folder = study_folder();
    write_folder(folder, (const char *) data, size);
    rsp_diag *d = rsp_diag_new();
    rsp_study *s = rsp_study_load(folder, d);
    assert(s ? !rsp_diag_errors(d) : rsp_diag_errors(d) > 0);
    if (s) {
        rsp_study_check(s, d);
        run_stations(s, d);
    }
    rsp_study_free(s);
    rsp_diag_free(d);
    empty_folder(folder);
    return 0;
}

/* ---- the mutator ------------------------------------------------------------------------------------------------ */

#ifdef RSP_FUZZ

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed) {
    uint64_t state = 0x9E3779B97F4A7C15u ^ ((uint64_t) seed << 17 | 1);
    struct text t = {(char *) data, size, max_size};
    if (!size || draw(&state, 12) == 0) return LLVMFuzzerMutate(data, size, max_size);
    for (uint64_t k = 1 + draw(&state, 4); k && t.size; k--) mutate_once(&t, &state);
    return t.size;
}

#endif
