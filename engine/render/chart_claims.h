/* What titles of charts claim: a message with names or numbers, and the rows of the run that bear it. */
#ifndef RESPONSIVE_RENDER_CHART_CLAIMS_H
#define RESPONSIVE_RENDER_CHART_CLAIMS_H

#include "chart.h"

enum { CHART_NAMED = 2 }; /* as many names a title has room for; more are counted */

/* The arguments of a claim's message, those that it asks for. */
typedef struct {
    size_t k, n;
    const char *name, *other, *first, *last, *value; /* NULL: none */
} chart_said;

/* The claim in words, or NULL where its names make it longer than the ten words of a title. */
const char *chart_claim(const chart *c, chart_origin *o, const char *key, chart_said said);
/* The message's key where it is about respondents: those who chose to answer do not stand for everybody. */
const char *chart_of_sample(const chart *c, const char *key);
/* "A", "A and B"; NULL where there are none, more than CHART_NAMED, or one without a name. */
const char *chart_names(const chart *c, const char *const *names, size_t n);
/* Is the test significant at 5 %, by its p-value adjusted for the others of its table? */
bool chart_significant(const rsp_published_row *test);
/* The published test of two codes of a variable, one of which may be `average`, on the item of row r, whose domain is `before`
 * but for the variable; *above: the first lies above. NULL: none, or none with a p-value. */
const rsp_published_row *chart_group_test(const chart *c, const rsp_published_row *r, const char *before,
                                          const char *variable, const char *a, const char *b, bool *above);

/* The findings of the kinds; NULL: nothing that the run's results bear. */
const char *chart_find_groups(const chart *c, chart_origin *o);       /* dots, heat maps, tiles */
const char *chart_find_waves(const chart *c, chart_origin *o);        /* slope, small multiples */
const char *chart_find_combinations(const chart *c, chart_origin *o); /* upset */
const char *chart_find_correlations(const chart *c, chart_origin *o);
const char *chart_find_weights(const chart *c, chart_origin *o); /* histogram */

#endif
