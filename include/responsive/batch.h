/* The nightly run: stations in order, one publication or none.
 *
 * A run holds the lock of its study's output folder, computes, renders into a staging folder, writes the manifest,
 * brings everything to the disk, renames the staging folder to the run's name and moves the link `latest`. Whatever
 * goes wrong before the rename leaves the publication of yesterday as it was. Where exports, study, program and request are
 * those of the publication that stands, nothing is computed and nothing new is published. */
#ifndef RESPONSIVE_BATCH_H
#define RESPONSIVE_BATCH_H

#include "responsive/base.h"

typedef struct {
    const char *dir; /* study folder */
    const char *out; /* default "out" */
    int jobs;        /* threads; 0: cores */
    size_t n_only;   /* analyses; 0: all */
    const char **only;
    size_t n_languages; /* 0: the study's */
    const char **languages;
    bool quiet;
    bool json;    /* no progress; one object with the outcome on stdout */
    bool explain; /* say of each station, on a line of its own, why it ran or did not */
    bool force;   /* publish although nothing has changed since the publication that stands */
} rsp_run_options;

/* Each returns the exit status of the program and has printed what there is to say. */
int rsp_run(const rsp_run_options *o);
int rsp_check(const char *dir);
int rsp_verify(const char *run_dir);
/* Prints one respondent's way through the study, from the line of an export to the analyses: `id` as exports have it, a
 * pseudonym, or FILE:LINE as quality/cleaning.csv has it. Publishes and changes nothing, but
 * makes the key of the pseudonyms where there is none; the answers go to stdout. */
int rsp_follow(const char *dir, const char *id, const char *out);
/* Removes a respondent (the id as exports have it, or a pseudonym) from everything that is kept of the study below `out`, has later
 * runs set the respondent's row aside, and says what still holds the answers and what to do. */
int rsp_forget(const char *dir, const char *id, const char *out);
/* Prints what moved between two publications, and which inputs did it: 0 nothing, 1 something. */
int rsp_diff(const char *before, const char *now);
/* Digits that the installed program shares with certified values and with other programs: 0 as many as promised, 1 not. */
int rsp_selftest(bool json);
int rsp_show_command(const char *where, const char *out, const char *analysis, const char *lang);
/* Writes simulated exports of the study's instrument, one file a country, in LimeSurvey's format into `into`. n: respondents
 * in all, 0: as the study says. */
int rsp_simulate(const char *dir, const char *into, size_t n, uint64_t seed);

typedef struct {
    const char *dir, *out; /* study folder; where nights.csv goes */
    size_t nights, n;      /* n: respondents a night, 0: as the study says */
    uint64_t seed;         /* of the first night; the next ones follow */
    int jobs;              /* threads; 0: cores */
    bool quiet;
} rsp_rehearse_options;

/* Nights on made-up answers: OUT/nights.csv has, for each result, the nights that gave one, mean and standard deviation of the
 * estimates, the standard errors' root mean square, the share of 95 % intervals that hold the mean, and of tests with p < 0.05.
 * The same bytes for any number of threads and ranks. Returns the exit status. */
int rsp_rehearse(const rsp_rehearse_options *o);

#endif
