/* Charts of published results as scenes: layout only; scene.h draws them. */
#ifndef RESPONSIVE_RENDER_CHARTS_H
#define RESPONSIVE_RENDER_CHARTS_H

#include "labels.h"
#include "scene.h"
#include "texts.h"

/* The chart of spec for everybody (country NULL) or for one country, `width` points wide and as high as it needs, without
 * margins. NULL where there is nothing to show: no row of the analysis for this edition. The text alternative is the
 * scene's description. Caller frees. */
rsp_scene *rsp_chart(const rsp_publication *p, const rsp_chart_spec *spec, const char *country, const rsp_texts *texts,
                     double width);

/* The same for a page that says on its own what every chart shares: the survey, its period and content id, whether data
 * are simulated or preliminary, how the sample came about. Of the source line only the items' codes are left. */
rsp_scene *rsp_chart_inset(const rsp_publication *p, const rsp_chart_spec *spec, const char *country,
                           const rsp_labels *labels, double width);

/* The beginning of a chart's file names: its analysis; of a second chart of the same analysis with its kind behind a dot,
 * and where that is not enough with its place among the charts. */
const char *rsp_chart_stem(const rsp_study *s, const rsp_chart_spec *spec, rsp_arena *a);
/* The charts of the study's reports; without any, one for each analysis that makes a chart, of the kind that suits it. */
const rsp_chart_spec *rsp_chart_specs(const rsp_study *s, rsp_arena *a, size_t *n);

#endif
