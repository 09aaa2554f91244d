/* Words for published rows: the one place that turns codes of the results table into a reader's language.
 *
 *   rsp_labels *l = rsp_labels_new(study, texts);   one per language; the study and the texts must outlive it
 *   rsp_label_domain(l, a, "country=PL;gender=female")   "Poland, Female"
 *
 * All functions return strings of arena a (or longer-lived ones), never NULL, and may be called by many threads at
 * once. What the study has no label for is shown as its code or name, as `responsive check` warned. */
#ifndef RESPONSIVE_RENDER_LABELS_H
#define RESPONSIVE_RENDER_LABELS_H

#include "texts.h"

rsp_labels *rsp_labels_new(const rsp_study *s, const rsp_texts *t);
void rsp_labels_free(rsp_labels *l); /* NULL allowed */
/* With texts of their own, which hold every word that outputs of this study show; else NULL, and what is missing reported. */
rsp_labels *rsp_labels_open(const rsp_study *s, const char *lang, rsp_diag *d);
/* Where all respondents that were kept are of one country, everybody is no average of countries: tells the labels. */
void rsp_labels_count_countries(rsp_labels *l, const rsp_published *p);
/* Of a language of the publication. NULL: it is not published in this language. */
const rsp_labels *rsp_labels_in(const rsp_publication *p, const char *lang);
const rsp_texts *rsp_labels_texts(const rsp_labels *l);
const rsp_study *rsp_labels_study(const rsp_labels *l);

/* The analysis with this id, or NULL: the engine's own (`weights`, `cleaning`, `response`). */
const rsp_analysis *rsp_label_find(const rsp_labels *l, const char *id);
/* The study's title in the language, or its id. */
const char *rsp_label_study(const rsp_labels *l);
/* Who publishes, or words that nobody is named. */
const char *rsp_label_publisher(const rsp_labels *l, rsp_arena *a);
/* Title of an analysis; without one, composed of what it is about. */
const char *rsp_label_analysis(const rsp_labels *l, rsp_arena *a, const char *id);
/* Whether rsp_labels_count_countries found one country alone. */
bool rsp_label_one_country(const rsp_labels *l);
/* Is everybody the average of several countries, each counting the same? */
bool rsp_label_is_average(const rsp_labels *l);
/* Who: labels of the codes in the order of the crossing. A code whose list serves several variables (yes, no) brings
 * its variable's name. "" is everybody, named by the way countries are combined. */
const char *rsp_label_domain(const rsp_labels *l, rsp_arena *a, const char *domain);
/* The same for a row: counts add up respondents, whatever the way countries are combined. */
const char *rsp_label_who(const rsp_labels *l, rsp_arena *a, const rsp_published_row *row);
const char *rsp_label_country(const rsp_labels *l, const char *code);
/* Where respondents are, as the language says it behind the word for them: "in der Schweiz", "au Portugal". A code that is no
 * country of the texts takes their neutral form around the study's name for it. */
const char *rsp_label_in_country(const rsp_labels *l, rsp_arena *a, const char *code);
/* About what: items by their label, coefficients as `Role: manager`, interactions with a times sign, thresholds,
 * ratios; cleaning rules and stages of the response too. */
const char *rsp_label_term(const rsp_labels *l, rsp_arena *a, const rsp_published_row *row);
const char *rsp_label_level(const rsp_labels *l, rsp_arena *a, const rsp_published_row *row);
/* Analysis, who, about what and level of a row, with dots between. */
const char *rsp_label_row(const rsp_labels *l, rsp_arena *a, const rsp_published_row *row);
/* Name of a statistic; its column name where the catalogue does not know it. */
const char *rsp_label_statistic(const rsp_labels *l, rsp_arena *a, const char *statistic);
/* The same for a row of an analysis: net of answers that rate from blocking to enabling is not called agreement. */
const char *rsp_label_statistic_of(const rsp_labels *l, rsp_arena *a, const char *analysis, const char *statistic);
/* Do the answers of this analysis rate what enables and what blocks? So do those of all drivers. */
bool rsp_label_rates(const rsp_labels *l, const char *analysis);
/* The statistic of a table's own rows, in the results table. */
const char *rsp_label_table_statistic(const rsp_analysis *x);
/* How an analysis measures, for contents and subtitles: the name of its main statistic. */
const char *rsp_label_measure(const rsp_labels *l, rsp_arena *a, const char *id);

/* How numbers of a row are shown. */
typedef enum {
    RSP_AS_TEXT,
    RSP_AS_SHARE, /* 0..1, shown as per cent with one decimal */
    RSP_AS_COUNT,
    RSP_AS_NUMBER, /* decimals by size */
    RSP_AS_RATIO,  /* coefficients, odds ratios, F: three decimals */
    RSP_AS_P
} rsp_as;

rsp_as rsp_label_as(const rsp_labels *l, const rsp_published_row *row);
const char *rsp_label_number(const rsp_labels *l, rsp_arena *a, double x, rsp_as as);
/* The estimate as readers see it: the number, or the shorthand of what hides it. */
const char *rsp_label_estimate(const rsp_labels *l, rsp_arena *a, const rsp_published_row *row);
/* The same where the form of the numbers is known and no study is at hand. */
const char *rsp_value_number(const rsp_texts *t, rsp_arena *a, double x, rsp_as as);
const char *rsp_value_estimate(const rsp_texts *t, rsp_arena *a, const rsp_published_row *row, rsp_as as);
/* "" for a plain number; "[c]" confidential, "[z]" nobody in the group, "[x]" not available, "[u]" low reliability. */
const char *rsp_shorthand(const rsp_published_row *row);
/* What the flags say, in words; "" for none. `preliminary` is left out: it is true of the whole publication. */
const char *rsp_label_flags(const rsp_labels *l, rsp_arena *a, uint32_t flags);
const char *rsp_label_flag(const rsp_labels *l, rsp_arena *a, uint32_t flag); /* one bit */

/* The two sides of a `difference` row as codes of one variable: its level is `a-b`, and codes may hold hyphens. second
 * NULL: the average of the participating countries. */
typedef struct {
    size_t variable; /* RSP_NONE where the sides could not be told apart */
    const char *first, *second;
} rsp_sides;

rsp_sides rsp_label_sides(const rsp_labels *l, rsp_arena *a, const rsp_published_row *row);

/* Label of one code of a variable: its choice, else the code. */
const char *rsp_label_code(const rsp_labels *l, size_t variable, const char *code);
/* Codes of the countries of the publication that have figures of their own, in the order of the list. *n 0: none. */
const char **rsp_countries(const rsp_study *s, const rsp_published *p, rsp_arena *a, size_t *n);
/* Languages of an edition for one country (NULL: everybody) among those that are published; "national" is resolved. An
 * edition that names none has the study's first; e NULL (a study without `reports`) means every language. */
const char **rsp_edition_languages(const rsp_publication *p, const rsp_edition *e, const char *country, rsp_arena *a,
                                   size_t *n);
/* Is an analysis part of an edition (NULL: yes) and of --only? */
bool rsp_edition_wants(const rsp_publication *p, const rsp_edition *e, const char *id);

#endif
