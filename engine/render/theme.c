#include "theme.h"

#include "flat.h"

#include <math.h>
#include <pthread.h>
#include <stddef.h>
#include <string.h>

typedef enum { ENTRY_COLOUR, ENTRY_SIZE, ENTRY_LENGTH } entry_kind;

typedef struct {
    const char *key;
    entry_kind kind;
    size_t offset;
} entry;

#define COLOUR(name)                                                                                                   \
    { #name, ENTRY_COLOUR, offsetof(rsp_theme, name) }
#define PLACE(name, k)                                                                                                 \
    { #name "_" #k, ENTRY_COLOUR, offsetof(rsp_theme, name) + ((k) -1) * sizeof(rsp_colour) }
#define SIZE(name)                                                                                                     \
    { #name, ENTRY_SIZE, offsetof(rsp_theme, name) }
#define LENGTH(name)                                                                                                   \
    { #name, ENTRY_LENGTH, offsetof(rsp_theme, name) }

static const entry ENTRIES[] = {
    COLOUR(paper),         COLOUR(ink),           COLOUR(muted),         COLOUR(grid),          COLOUR(rule),
    COLOUR(accent),        COLOUR(own),           COLOUR(pooled),        COLOUR(dont_know),     COLOUR(hidden),
    PLACE(categorical, 1), PLACE(categorical, 2), PLACE(categorical, 3), PLACE(categorical, 4), PLACE(categorical, 5),
    PLACE(categorical, 6), PLACE(diverging, 1),   PLACE(diverging, 2),   PLACE(diverging, 3),   PLACE(diverging, 4),
    PLACE(diverging, 5),   PLACE(pair, 1),        PLACE(pair, 2),        PLACE(sequential, 1),  PLACE(sequential, 2),
    PLACE(sequential, 3),  SIZE(title_size),      SIZE(subtitle_size),   SIZE(label_size),      SIZE(value_size),
    SIZE(note_size),       LENGTH(padding),       LENGTH(width),         LENGTH(png_scale)};
enum { N_ENTRIES = sizeof ENTRIES / sizeof *ENTRIES };

static int hex_digit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static bool read_colour(const char *text, rsp_colour *out) {
    if (strlen(text) != 7 || text[0] != '#') return false;
    double part[3];
    for (int k = 0; k < 3; k++) {
        int high = hex_digit(text[1 + 2 * k]), low = hex_digit(text[2 + 2 * k]);
        if (high < 0 || low < 0) return false;
        part[k] = (16 * high + low) / 255.0;
    }
    *out = (rsp_colour){part[0], part[1], part[2]};
    return true;
}

static bool read_length(const char *text, double least, double most, double *out) {
    return rsp_parse_double(text, strlen(text), '.', out) && *out >= least && *out <= most;
}

static void read_entry(rsp_theme *t, const entry *e, const rsp_flat_entry *f, rsp_diag *d) {
    void *into = (char *) t + e->offset;
    if (e->kind == ENTRY_COLOUR && !read_colour(f->value, into))
        rsp_report(d, RSP_ERR_STUDY, f->value_loc, "write for example \"#12436D\"", "'%s' is not a colour", f->value);
    if (e->kind == ENTRY_SIZE && !read_length(f->value, 8, 40, into))
        rsp_report(d, RSP_ERR_STUDY, f->value_loc, "text is from 8 to 40 points high", "'%s' is not a size of text",
                   f->value);
    if (e->kind == ENTRY_LENGTH && !read_length(f->value, 0, 2000, into))
        rsp_report(d, RSP_ERR_STUDY, f->value_loc, "write a number from 0 to 2000", "'%s' is not a length", f->value);
}

static void read_theme(rsp_theme *t, const rsp_flat *f, const char *path, rsp_diag *d) {
    const char *known[N_ENTRIES];
    for (size_t k = 0; k < N_ENTRIES; k++) {
        known[k] = ENTRIES[k].key;
        size_t at = rsp_map_get(f->index, ENTRIES[k].key);
        if (at != RSP_NONE) read_entry(t, &ENTRIES[k], &f->entries[at], d);
        else rsp_report(d, RSP_ERR_STUDY, (rsp_loc){path, 0, 0}, NULL, "the theme lacks the key '%s'", ENTRIES[k].key);
    }
    for (size_t k = 0; k < f->n; k++) {
        bool found = false;
        for (size_t j = 0; j < N_ENTRIES && !found; j++) found = strcmp(known[j], f->entries[k].key) == 0;
        const char *near = found ? NULL : rsp_suggest(f->entries[k].key, known, N_ENTRIES);
        if (!found)
            rsp_report(d, RSP_ERR_STUDY, f->entries[k].key_loc, NULL,
                       near ? "unknown key '%s' (did you mean '%s'?)" : "unknown key '%s'", f->entries[k].key, near);
    }
}

static bool load(rsp_theme *t, rsp_diag *d) {
    rsp_arena *a = rsp_arena_new();
    char *path = rsp_printf(a, "%s/reports/theme.yaml", rsp_data_dir());
    size_t before = rsp_diag_errors(d);
    rsp_flat f;
    if (rsp_flat_load(&f, a, path, d)) read_theme(t, &f, path, d);
    rsp_flat_free(&f);
    rsp_arena_free(a);
    return rsp_diag_errors(d) == before;
}

const rsp_theme *rsp_theme_get(rsp_diag *d) {
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    static rsp_theme theme;
    static bool loaded;
    pthread_mutex_lock(&lock);
    rsp_diag *own = d ? NULL : rsp_diag_new();
    if (!loaded) loaded = load(&theme, d ? d : own);
    rsp_diag_free(own);
    pthread_mutex_unlock(&lock);
    return loaded ? &theme : NULL;
}

rsp_colour rsp_theme_between(const rsp_colour *given, size_t n_given, double position) {
    double at = fmin(fmax(position, 0), 1) * (double) (n_given - 1);
    size_t k = at >= (double) (n_given - 1) ? n_given - 2 : (size_t) at;
    double f = at - (double) k;
    return (rsp_colour){given[k].r + f * (given[k + 1].r - given[k].r), given[k].g + f * (given[k + 1].g - given[k].g),
                        given[k].b + f * (given[k + 1].b - given[k].b)};
}

/* Where on the diverging scale (0 to 4) the answers of a scale of n answers lie: each side keeps its hue, and no two answers are
 * nearly equally light, so that a copy in grey can be read. Evenly spaced places would make the two sides alike. */
enum { LEAST_ORDINAL = 3, MOST_ORDINAL = 7 };
static const double PLACES[][MOST_ORDINAL] = {
    {1, 2, 4}, {0, 1, 3, 4}, {0, 1, 2, 3, 4}, {0, 0.84, 1.62, 3.16, 3.58, 4}, {0, 0.84, 1.62, 2, 3.16, 3.58, 4}};

rsp_colour rsp_theme_ordinal(const rsp_theme *theme, size_t k, size_t n) {
    double place = n >= LEAST_ORDINAL && n <= MOST_ORDINAL ? PLACES[n - LEAST_ORDINAL][k] / (RSP_N_DIVERGING - 1)
                                                           : (double) k / (double) (n - 1);
    return rsp_theme_between(theme->diverging, RSP_N_DIVERGING, place);
}

rsp_colour rsp_theme_on(rsp_colour ground) {
    static const rsp_colour black = {0, 0, 0}, white = {1, 1, 1};
    return rsp_contrast(ground, black) >= rsp_contrast(ground, white) ? black : white;
}
