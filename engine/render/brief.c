/* Briefs of a publication: one for each edition, country and language, drawn side by side. */
#include "brief.h"

#include "charts.h"
#include "fonts.h"
#include "together.h"

#include <stdlib.h>
#include <string.h>

typedef struct {
    const char *lang;
    const rsp_labels *labels; /* NULL: the briefs' own words are not there */
    brief_hyphens *hyphens;
} language;

typedef struct {
    const rsp_edition *edition;
    const char *country; /* NULL: everybody */
    size_t language;
} job;

typedef struct {
    const rsp_publication *p;
    brief_definition *definition;
    rsp_arena *arena;
    rsp_diag *d;
    size_t n_languages, n_jobs, capacity;
    language *languages;
    job *jobs;
    brief_traces *traces; /* [n_jobs] */
    size_t n_countries, n_charts;
    const char **countries;
    const rsp_chart_spec *charts;
} workshop;

/* ---- languages -------------------------------------------------------------------------------------------------- */

static brief_hyphens *open_hyphens(workshop *w, const char *lang) {
    for (size_t k = 0; k < w->definition->n_hyphenation; k++)
        if (strcmp(w->definition->hyphenation[k].name, lang) == 0)
            return brief_hyphens_open(w->definition->hyphenation[k].value, w->d);
    return NULL;
}

/* Index of the language, opened when first asked for; RSP_NONE if it cannot be used. */
static size_t language_of(workshop *w, const char *lang) {
    for (size_t k = 0; k < w->n_languages; k++)
        if (strcmp(w->languages[k].lang, lang) == 0) return w->languages[k].labels ? k : RSP_NONE;
    language *l = &w->languages[w->n_languages++];
    *l = (language){.lang = lang, .labels = rsp_labels_in(w->p, lang)};
    if (l->labels && !brief_definition_covered(w->definition, rsp_labels_texts(l->labels), w->d)) l->labels = NULL;
    if (!l->labels) return RSP_NONE;
    l->hyphens = open_hyphens(w, lang);
    return w->n_languages - 1;
}

static void free_languages(workshop *w) {
    for (size_t k = 0; k < w->n_languages; k++) brief_hyphens_free(w->languages[k].hyphens);
}

/* ---- jobs ------------------------------------------------------------------------------------------------------- */

static bool planned(const workshop *w, const char *country, size_t lang) {
    for (size_t k = 0; k < w->n_jobs; k++) {
        const job *j = &w->jobs[k];
        bool same = country ? j->country && strcmp(j->country, country) == 0 : !j->country;
        if (same && j->language == lang) return true;
    }
    return false;
}

static void plan_one(workshop *w, const rsp_edition *e, const char *country) {
    size_t n;
    const char **languages = rsp_edition_languages(w->p, e, country, w->arena, &n);
    for (size_t k = 0; k < n; k++) {
        size_t lang = language_of(w, languages[k]);
        if (lang == RSP_NONE || planned(w, country, lang)) continue;
        job j = {e, country, lang};
        RSP_PUSH(w->jobs, w->n_jobs, w->capacity, j);
    }
}

static void plan(workshop *w) {
    const rsp_reports *r = &w->p->study->reports;
    if (!r->n_briefs) plan_one(w, NULL, NULL);
    for (size_t b = 0; b < r->n_briefs; b++) {
        if (!r->briefs[b].each_country) plan_one(w, &r->briefs[b], NULL);
        for (size_t k = 0; r->briefs[b].each_country && k < w->n_countries; k++)
            plan_one(w, &r->briefs[b], w->countries[k]);
    }
}

/* ---- one brief -------------------------------------------------------------------------------------------------- */

/* Takes away the tallest figure, but not the first page's, and the map only after all others; false if there is no other. */
static bool drop_figure(brief_edition *e, const brief_document *d) {
    const rsp_scene *most = NULL, *map = NULL;
    size_t seen = 0;
    for (size_t k = 0; k < d->n; k++) {
        const rsp_scene *s = d->pieces[k].scene;
        if (!s || !seen++) continue;
        if (s == e->map) map = s;
        else if (!most || s->height > most->height) most = s;
    }
    if (!most) most = map;
    for (size_t k = 0; most && k < e->n_analyses; k++) {
        if (e->scenes[k] != most) continue;
        rsp_scene_free(e->scenes[k]);
        e->scenes[k] = NULL;
    }
    return most != NULL;
}

enum { FEW_FINDINGS = 4 };
static const double SCANT = 0.25; /* a last page with less on it looks forgotten */

static bool within_limits(const brief_edition *e, const brief_document *doc) {
    const brief_limits *m = &e->definition->limits;
    return doc->n_pages <= m->pages && doc->words <= m->words;
}

static void lay_out(brief_edition *e, const char *lang, size_t findings, brief_document *doc) {
    brief_document_free(doc);
    brief_compose(e, e->definition->limits.charts, findings, lang, doc);
    brief_paginate(doc, e->definition->limits.pages);
}

/* With the figures at hand and from `most` down to `least` findings: the most of them that keep to the limits, fewer
 * where that spares a page with little on it. False if none does. */
static bool lay_out_findings(brief_edition *e, const char *lang, size_t most, size_t least, brief_document *doc) {
    size_t possible = 0;
    for (size_t n = most; n >= least && n; n--) {
        lay_out(e, lang, n, doc);
        if (!within_limits(e, doc)) continue;
        if (doc->n_pages <= 2 || brief_last_page(doc) >= SCANT) return true;
        if (!possible) possible = n;
    }
    if (possible) lay_out(e, lang, possible, doc);
    return possible > 0;
}

/* A figure says more than the words it takes: findings give way down to a few, then a figure does, and so on. */
static void choose(brief_edition *e, const char *lang, brief_document *doc) {
    size_t most = e->definition->limits.findings < e->n_analyses ? e->definition->limits.findings : e->n_analyses;
    size_t few = most < FEW_FINDINGS ? most : FEW_FINDINGS;
    do {
        if (lay_out_findings(e, lang, most, few, doc)) return;
    } while (drop_figure(e, doc));
    if (!lay_out_findings(e, lang, few, 1, doc)) lay_out(e, lang, 1, doc); /* nothing is left to drop */
}

static void compose(brief_edition *e, const char *lang, brief_document *doc) {
    choose(e, lang, doc);
    brief_lower_notes(doc);
}

static void report_limits(const brief_edition *e, const brief_document *doc, const char *name, rsp_diag *d) {
    const brief_limits *m = &e->definition->limits;
    if (within_limits(e, doc)) return;
    rsp_report(d, RSP_WARNING, RSP_NOWHERE, "raise its `limits`",
               "%s has %zu pages and %zu words, however much is left out; reports/brief.yaml allows %zu and %zu", name,
               (size_t) doc->n_pages, (size_t) doc->words, (size_t) m->pages, (size_t) m->words);
}

static bool make(void *workshop_of, size_t k) {
    const workshop *w = workshop_of;
    const job *j = &w->jobs[k];
    rsp_arena *a = rsp_arena_new();
    const language *l = &w->languages[j->language];
    brief_edition e = {.p = w->p,
                       .definition = w->definition,
                       .texts = rsp_labels_texts(l->labels),
                       .labels = l->labels,
                       .hyphens = l->hyphens,
                       .edition = j->edition,
                       .country = j->country,
                       .domain = "",
                       .n_countries = w->n_countries,
                       .countries = w->countries,
                       .n_charts = w->n_charts,
                       .charts = w->charts,
                       .arena = a};
    const char *name =
        rsp_printf(a, "briefs/brief-%s-%s.pdf", j->country ? rsp_file_word(a, j->country) : "all", l->lang);
    if (j->country)
        e.domain = rsp_domain_text(a, 1, &w->p->study->variables[w->p->study->roles.country].name, &j->country);
    e.path = rsp_path_join(a, w->p->dir, name);
    brief_observe(&e);
    brief_document doc = {0};
    brief_charts(&e);
    compose(&e, l->lang, &doc);
    report_limits(&e, &doc, name, w->d);
    rsp_buf pdf = {0};
    bool ok = brief_draw(&e, &doc, l->lang, &pdf, w->d) && rsp_write_file(e.path, pdf.data, pdf.length, w->d);
    rsp_buf_free(&pdf);
    brief_trace(&e, &doc, strchr(name, '/') + 1, &w->traces[k]);
    brief_document_free(&doc);
    brief_charts_free(&e);
    free(e.observations);
    rsp_arena_free(a);
    return ok;
}

static bool make_all(workshop *w) {
    w->traces = rsp_calloc(w->n_jobs + 1, sizeof *w->traces);
    bool ok = rsp_make_each(w->n_jobs, make, w) && brief_traces_write(w->p, w->n_jobs, w->traces, w->d);
    for (size_t k = 0; k < w->n_jobs; k++) brief_traces_free(&w->traces[k]);
    free(w->traces);
    return ok;
}

bool rsp_render_briefs(const rsp_publication *p, rsp_diag *d) {
    rsp_arena *a = rsp_arena_new();
    workshop w = {.p = p, .arena = a, .d = d};
    bool ok = false;
    w.definition = brief_definition_load(rsp_path_join(a, rsp_data_dir(), "reports/brief.yaml"), d);
    if (w.definition && !rsp_font_map())
        rsp_report(d, RSP_ERR_OUTPUT, RSP_NOWHERE, "install Debian's fonts-noto-core or fonts-open-sans",
                   "no font for the briefs");
    else if (w.definition && rsp_make_dirs(rsp_path_join(a, p->dir, "briefs"), d)) {
        w.languages = RSP_ARRAY(a, language, p->n_languages + 1);
        w.charts = rsp_chart_specs(p->study, a, &w.n_charts);
        w.countries = rsp_countries(p->study, p->results, a, &w.n_countries);
        plan(&w);
        ok = make_all(&w);
        free_languages(&w);
    }
    free(w.jobs);
    brief_definition_free(w.definition);
    rsp_arena_free(a);
    return ok;
}
