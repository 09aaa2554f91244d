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

static bool good_name(const char *name, size_t length) {
    if (!length || length > 40 || name[0] == '.') return false;
    for (size_t k = 0; k < length; k++)
        if (!strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-", name[k]) || !name[k])
            return false;
    return true;
}

static const char *next_part(const char *from, const char *end) {
    for (const char *p = from; p < end;) {
        if (end - p > 3 && memcmp(p, "== ", 3) == 0) return p;
        const char *newline = memchr(p, '\n', (size_t) (end - p));
        if (!newline) break;
        p = newline + 1;
    }
    return end;
}

static void write_part(int folder, const char *name, size_t length, const char *bytes, const char *end) {
    char path[64];
    if (!good_name(name, length)) return;
    memcpy(path, name, length);
    path[length] = '\0';
    int fd = openat(folder, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0) return;
    assert(write(fd, bytes, (size_t) (end - bytes)) == end - bytes);
    close(fd);
}

static void write_folder(const char *folder, const char *data, size_t size) {
    const char *end = data + size;
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert(fd >= 0);
    for (const char *p = next_part(data, end); p < end;) {
        const char *name = p + 3, *newline = memchr(name, '\n', (size_t) (end - name));
        if (!newline) break;
        p = next_part(newline + 1, end);
        write_part(fd, name, (size_t) (newline - name), newline + 1, p);
    }
    close(fd);
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

struct text {
    char *bytes;
    size_t size, room;
};

static uint64_t draw(uint64_t *state, uint64_t n) { /* xorshift64* */
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return n ? (*state * 2685821657736338717u) % n : 0;
}

/* The place [from, to) becomes `with`; nothing happens where there is no room. */
static void replace(struct text *t, size_t from, size_t to, const char *with, size_t length) {
    if (t->size - (to - from) + length > t->room) return;
    memmove(t->bytes + from + length, t->bytes + to, t->size - to);
    memmove(t->bytes + from, with, length);
    t->size = t->size - (to - from) + length;
}

static void any_line(const struct text *t, uint64_t *state, size_t *from, size_t *to) {
    size_t at = draw(state, t->size);
    *from = at;
    while (*from && t->bytes[*from - 1] != '\n') --*from;
    const char *newline = memchr(t->bytes + at, '\n', t->size - at);
    *to = newline ? (size_t) (newline - t->bytes) + 1 : t->size;
}

static bool in_word(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '.' ||
           c == '-';
}

static void any_word(const struct text *t, uint64_t *state, size_t *from, size_t *to) {
    *from = *to = draw(state, t->size);
    while (*from && in_word(t->bytes[*from - 1])) --*from;
    while (*to < t->size && in_word(t->bytes[*to])) ++*to;
}

static const char *const WORDS[] = {"0",
                                    "1",
                                    "-1",
                                    "2",
                                    "0.5",
                                    "1e308",
                                    "-1e308",
                                    "1e-320",
                                    "NaN",
                                    "99999999999",
                                    "9223372036854775807",
                                    "18446744073709551616",
                                    "1000000",
                                    "",
                                    "[]",
                                    "{}",
                                    "[[]]",
                                    "~",
                                    "null",
                                    "yes",
                                    "no",
                                    "*a",
                                    "&a",
                                    "\"",
                                    "'",
                                    "\t",
                                    ",",
                                    ";",
                                    ":",
                                    "=",
                                    "==",
                                    "${id}",
                                    "country",
                                    "all",
                                    "none",
                                    "fail",
                                    "adjust",
                                    "certainty",
                                    "taylor",
                                    "jk1",
                                    "jkn",
                                    "brr",
                                    "fay",
                                    "bootstrap",
                                    "proportion",
                                    "mean",
                                    "total",
                                    "median",
                                    "quantile",
                                    "count",
                                    "sd",
                                    "net",
                                    "top2",
                                    "ratio",
                                    "rao_scott",
                                    "t",
                                    "wald",
                                    "kruskal",
                                    "linear",
                                    "logistic",
                                    "ordinal",
                                    "poisson",
                                    "negative_binomial",
                                    "multinomial",
                                    "ml",
                                    "mlr",
                                    "equal",
                                    "population",
                                    "sample",
                                    "raking",
                                    "logit",
                                    "set-aside",
                                    "proportional",
                                    "drop",
                                    "flag",
                                    "set-missing",
                                    "select_one",
                                    "select_multiple",
                                    "rank",
                                    "integer",
                                    "decimal",
                                    "date",
                                    "text",
                                    "N/A",
                                    "\xEF\xBB\xBF",
                                    "\xFF\xFE",
                                    "(",
                                    ")",
                                    "*",
                                    "+",
                                    "^9",
                                    "1:2"};

static void mutate_once(struct text *t, uint64_t *state) {
    size_t from, to, a, b;
    char kept[512];
    switch (draw(state, 8)) {
    case 0: /* a line goes */
        any_line(t, state, &from, &to);
        replace(t, from, to, "", 0);
        return;
    case 1: /* a line comes again elsewhere */
    case 2:
        any_line(t, state, &a, &b);
        any_line(t, state, &from, &to);
        if (b - a > sizeof kept) b = a + sizeof kept;
        memcpy(kept, t->bytes + a, b - a);
        replace(t, from, draw(state, 2) ? to : from, kept, b - a);
        return;
    case 3: /* a word becomes another of the study */
    case 4:
        any_word(t, state, &a, &b);
        any_word(t, state, &from, &to);
        if (b - a > sizeof kept) b = a + sizeof kept;
        memcpy(kept, t->bytes + a, b - a);
        replace(t, from, to, kept, b - a);
        return;
    case 5: /* ... or one that means something somewhere */
    case 6: {
        const char *word = WORDS[draw(state, sizeof WORDS / sizeof *WORDS)];
        any_word(t, state, &from, &to);
        replace(t, from, to, word, strlen(word));
        return;
    }
    default: /* indentation */
        any_line(t, state, &from, &to);
        if (draw(state, 2)) replace(t, from, from, "  ", 2);
        else if (to - from > 2 && memcmp(t->bytes + from, "  ", 2) == 0) replace(t, from, from + 2, "", 0);
    }
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed) {
    uint64_t state = 0x9E3779B97F4A7C15u ^ ((uint64_t) seed << 17 | 1);
    struct text t = {(char *) data, size, max_size};
    if (!size || draw(&state, 12) == 0) return LLVMFuzzerMutate(data, size, max_size);
    for (uint64_t k = 1 + draw(&state, 4); k && t.size; k--) mutate_once(&t, &state);
    return t.size;
}

#endif
