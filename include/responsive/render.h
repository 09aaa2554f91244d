/* Renderers: published results become charts, briefs, workbooks, open data and pages. They read the study (labels) and
 * the published table (numbers) and nothing else: no statistics header may be included from engine/render.
 *
 * Texts come from reports/texts/LANG.yaml (ICU MessageFormat), layouts and colours from reports/. A language whose
 * texts or labels are missing is left out as a whole, with an error that names the missing keys; the others go on. */
#ifndef RESPONSIVE_RENDER_H
#define RESPONSIVE_RENDER_H

#include "responsive/results.h"

/* How far a computation of the installed program agrees with certified values, or with another program's. */
typedef struct {
    const char *name, *part, *what; /* part: univariate, anova, regression, reference */
    const char *against;            /* program and version; NULL: certified by NIST */
    size_t compared;                /* numbers */
    double digits, error_digits; /* significant digits that the worst estimate, the worst standard error share, at most
                                       15; NaN: nothing of the kind was compared */
    double asked, errors_asked;
    bool met;
} rsp_accuracy;

/* The words of a language: the study's labels and the pages' texts (render/labels.h). */
typedef struct rsp_labels rsp_labels;

/* How often the 95 % intervals of a method held the truth in nights of a made-up world; why: of a shortfall, else "". */
typedef struct {
    const char *kind, *world, *verdict, *why;
    double nights, coverage, low, high; /* low, high: what chance allows */
} rsp_recovery;

typedef struct {
    const char *name, *version, *use; /* use: numbers, pages, reading */
} rsp_library;

/* What the pages say about the run besides results. */
typedef struct {
    const rsp_study *study;
    const rsp_published *results;
    const char *dir;        /* staging folder: files go below it */
    const char *content_id; /* short hash of data, study and program */
    bool preliminary, simulated;
    size_t n_languages; /* to publish: of the study, or those of --lang */
    const char **languages;
    rsp_labels *const *labels; /* [n_languages]: their words, read once for all pages */
    size_t n_only;             /* analyses of --only; 0: all */
    const char **only;
    const rsp_changes *changes; /* since the publication before; NULL: there is none */
    /* for the quality page: lines read from the cleaning log and the intake, counts only */
    size_t n_files;
    const struct rsp_file_note {
        const char *name, *tool, *encoding;
        size_t rows, columns;
    } * files;
    size_t n_notes; /* warnings of the run in plain words */
    const char *const *notes;
    /* for the methods annex */
    size_t n_accuracy, n_recovery, n_libraries;
    const rsp_accuracy *accuracy;
    const rsp_recovery *recovery;
    const rsp_library *libraries;
    /* for the index: of every file that the other renderers left */
    rsp_hashes *hashes;
} rsp_publication;

/* Each writes its files; false: an error was reported. */
typedef bool rsp_renderer(const rsp_publication *p, rsp_diag *d);
rsp_renderer rsp_render_dataset;   /* data/: results.csv .sqlite codebook.* datapackage */
rsp_renderer rsp_render_methods;   /* methods/methods-en.pdf */
rsp_renderer rsp_render_quality;   /* quality/quality.html */
rsp_renderer rsp_render_charts;    /* charts/<analysis>-<domain>-<lang>.svg .png .pdf */
rsp_renderer rsp_render_briefs;    /* briefs/brief-<who>-<lang>.pdf */
rsp_renderer rsp_render_workbooks; /* tables/tables-<who>-<lang>.xlsx */
rsp_renderer rsp_render_changes;   /* changes.html */
rsp_renderer rsp_render_explore;   /* explore.html and its data; shows the charts */
rsp_renderer rsp_render_site;      /* index.html: links to all that stands in the folder */

/* Renderers that do not need each other's files, on all threads: those with many files deal them out. */
bool rsp_render_together(const rsp_publication *p, size_t n, rsp_renderer *const *parts, rsp_diag *d);

/* `responsive show`: one analysis with bars in a terminal of `width` columns, in the words of the study, or of the publication
 * in the folder `run`: in `lang`, which it must speak, or with NULL in `wish` if it does, else in its first. Nothing is shown
 * of an analysis without rows. What cannot be read is reported. */
void rsp_show(const rsp_study *s, const rsp_published *r, const char *analysis, const char *lang, size_t width,
              FILE *to, rsp_diag *d);
void rsp_show_run(const char *run, const rsp_published *r, const char *analysis, const char *lang, const char *wish,
                  size_t width, FILE *to, rsp_diag *d);

#endif
