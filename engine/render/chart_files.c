/* Charts as scenes, and the files of a publication: every chart for everybody and for each country it has rows of. */
#include "chart.h"

#include "responsive/limits.h"

#include "together.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- one chart ---------------------------------------------------------------------------------------------------- */

static const struct kind {
    const char *word;         /* in study.yaml; with `alt_` in front the beginning of the text alternative */
    bool (*collect)(chart *); /* which rows; true: there is something to show */
    void (*draw)(chart *);
} KINDS[CHART_N_KINDS] = {[CHART_AGREEMENT] = {"agreement", chart_collect, chart_draw_agreement},
                          [CHART_DOTS] = {"dots", chart_collect, chart_draw_dots},
                          [CHART_FOREST] = {"forest", chart_collect, chart_draw_forest},
                          [CHART_HEATMAP] = {"heatmap", chart_collect, chart_draw_heatmap},
                          [CHART_DIVERGING] = {"diverging", chart_collect, chart_draw_agreement},
                          [CHART_TILES] = {"tiles", chart_collect_tiles, chart_draw_tiles},
                          [CHART_UPSET] = {"upset", chart_collect_upset, chart_draw_upset},
                          [CHART_RANKING] = {"ranking", chart_collect_ranking, chart_draw_ranking},
                          [CHART_SLOPE] = {"slope", chart_collect_waves, chart_draw_slope},
                          [CHART_MULTIPLES] = {"multiples", chart_collect_waves, chart_draw_multiples},
                          [CHART_HISTOGRAM] = {"histogram", chart_collect_histogram, chart_draw_histogram},
                          [CHART_QUADRANT] = {"quadrant", chart_collect_quadrant, chart_draw_quadrant}};

static bool kind_of(const char *word, chart_kind *kind) {
    for (size_t k = 0; k < CHART_N_KINDS; k++)
        if (strcmp(word, KINDS[k].word) == 0) {
            *kind = (chart_kind) k;
            return true;
        }
    return false;
}

const char *chart_kind_word(chart_kind kind) { return KINDS[kind].word; }

static void draw(chart *c) {
    chart_head(c);
    KINDS[c->data.kind].draw(c); /* a kind may have become another while rows were collected */
    chart_foot(c);
}

static rsp_scene *make_chart(const rsp_publication *p, const rsp_chart_spec *spec, const char *country,
                             const rsp_labels *l, const rsp_theme *theme, double width, double padding, bool inset,
                             chart_origin *origin) {
    const rsp_analysis *x = rsp_label_find(l, spec->analysis);
    chart c = {.p = p,
               .spec = spec,
               .x = x,
               .country = country,
               .t = rsp_labels_texts(l),
               .l = l,
               .theme = theme,
               .left = padding,
               .right = width - padding,
               .y = padding,
               .inset = inset,
               .origin = origin};
    if (!kind_of(spec->kind, &c.data.kind) || (!x && c.data.kind != CHART_HISTOGRAM)) return NULL;
    c.s = rsp_scene_new(width, 0, rsp_texts_lang(c.t));
    c.a = c.s->arena;
    bool any = KINDS[c.data.kind].collect(&c);
    if (any) {
        draw(&c);
        c.s->height = ceil(c.y + padding);
    } else {
        rsp_scene_free(c.s);
    }
    chart_data_free(&c.data);
    return any ? c.s : NULL;
}

rsp_scene *rsp_chart(const rsp_publication *p, const rsp_chart_spec *spec, const char *country, const rsp_texts *texts,
                     double width) {
    const rsp_theme *theme = rsp_theme_get(NULL);
    if (!theme) return NULL;
    rsp_labels *l = rsp_labels_new(p->study, texts);
    rsp_scene *s = make_chart(p, spec, country, l, theme, width, 0, false, NULL);
    rsp_labels_free(l);
    return s;
}

/* ---- names -------------------------------------------------------------------------------------------------------- */

const char *rsp_chart_stem(const rsp_study *s, const rsp_chart_spec *spec, rsp_arena *a) {
    const rsp_chart_spec *all = s->reports.charts;
    size_t same_analysis = 0, same_kind = 0, k = 0;
    for (; k < s->reports.n_charts && &all[k] != spec; k++) {
        if (strcmp(all[k].analysis, spec->analysis) != 0) continue;
        same_analysis++;
        same_kind += strcmp(all[k].kind, spec->kind) == 0;
    }
    const char *word = rsp_file_word(a, spec->analysis);
    if (k == s->reports.n_charts || !same_analysis) return word;
    return same_kind ? rsp_printf(a, "%s.%s.%zu", word, spec->kind, same_kind + 1)
                     : rsp_printf(a, "%s.%s", word, spec->kind);
}

rsp_scene *rsp_chart_inset(const rsp_publication *p, const rsp_chart_spec *spec, const char *country,
                           const rsp_labels *labels, double width) {
    const rsp_theme *theme = rsp_theme_get(NULL);
    return theme ? make_chart(p, spec, country, labels, theme, width, 0, true, NULL) : NULL;
}

/* ---- which charts ------------------------------------------------------------------------------------------------- */

static size_t n_answers(const rsp_list *l) {
    size_t n = 0;
    for (size_t k = 0; k < l->n; k++) n += !l->choices[k].missing;
    return n;
}

static const char *table_kind(const rsp_study *s, const rsp_table *t) {
    size_t v = t->n_items ? t->items[0] : RSP_NONE;
    bool groups = false;
    for (size_t b = 0; b < t->n_by; b++) groups = groups || t->by[b].n > 0;
    if (t->statistic == RSP_PROPORTION && v != RSP_NONE && s->variables[v].type == RSP_SELECT_ONE &&
        s->variables[v].list && n_answers(s->variables[v].list) <= 7)
        return "agreement";
    if (t->statistic == RSP_COMBINATIONS) return "upset";
    if (t->statistic == RSP_RANKING) return "ranking";
    return t->n_items > 4 && groups ? "heatmap" : "dots";
}

static const char *default_kind(const rsp_study *s, const rsp_analysis *x) {
    const rsp_exploration *e = &x->exploration;
    switch (x->kind) {
    case RSP_A_TABLE: return table_kind(s, &x->table);
    case RSP_A_MODEL: return "forest";
    case RSP_A_EXPLORATION:
        return e->kind == RSP_EXPLORE_CORRELATIONS && e->n_items <= RSP_MOST_CORRELATED ? "heatmap" : NULL;
    default: return NULL;
    }
}

const rsp_chart_spec *rsp_chart_specs(const rsp_study *s, rsp_arena *a, size_t *n) {
    *n = s->reports.n_charts;
    if (*n) return s->reports.charts;
    rsp_chart_spec *specs = RSP_ARRAY(a, rsp_chart_spec, s->n_analyses + 1);
    for (size_t k = 0; k < s->n_analyses; k++) {
        const rsp_analysis *x = &s->analyses[k];
        const char *kind = default_kind(s, x);
        if (kind) specs[(*n)++] = (rsp_chart_spec){.analysis = x->id, .kind = kind, .item = RSP_NONE, .loc = x->loc};
    }
    return specs;
}

/* ---- files -------------------------------------------------------------------------------------------------------- */

typedef struct {
    const rsp_chart_spec *spec;
    const char *country; /* NULL: everybody */
    size_t language;
} job;

typedef struct {
    const rsp_publication *p;
    const rsp_theme *theme;
    rsp_diag *d;
    rsp_arena *a;
    size_t n, capacity;
    job *jobs;      /* heap */
    bool *drawn;    /* of each job, whether there was anything to draw; heap */
    rsp_buf *lines; /* [n] of quality/figures.csv; heap */
} batch;

static void add_job(batch *b, const rsp_chart_spec *spec, const char *country, size_t language) {
    job j = {spec, country, language};
    RSP_PUSH(b->jobs, b->n, b->capacity, j);
}

/* A country's charts speak its own languages; where the study names none, the publication's first. */
static void add_country(batch *b, const rsp_chart_spec *spec, const char *country) {
    bool found = false;
    for (size_t j = 0; j < b->p->study->n_national; j++)
        for (size_t k = 0; k < b->p->n_languages; k++)
            if (strcmp(b->p->study->national[j].name, country) == 0 &&
                strcmp(b->p->study->national[j].value, b->p->languages[k]) == 0) {
                add_job(b, spec, country, k);
                found = true;
            }
    if (!found && b->p->n_languages) add_job(b, spec, country, 0);
}

static void list_jobs(batch *b) {
    size_t n, n_countries;
    const rsp_chart_spec *specs = rsp_chart_specs(b->p->study, b->a, &n);
    const char **countries = rsp_countries(b->p->study, b->p->results, b->a, &n_countries);
    for (size_t s = 0; s < n; s++) {
        if (!rsp_edition_wants(b->p, NULL, specs[s].analysis)) continue;
        if (strcmp(specs[s].kind, "tiles") == 0 && !chart_tiles_check(b->d)) continue;
        for (size_t k = 0; k < b->p->n_languages; k++) add_job(b, &specs[s], NULL, k);
        for (size_t c = 0; c < n_countries; c++) add_country(b, &specs[s], countries[c]);
    }
}

enum { LARGEST_PICTURE = 7200 }; /* points: a hundred inches */

static void field(rsp_buf *b, const char *text, char end) {
    rsp_buf_csv(b, text ? text : "", false);
    rsp_buf_puts(b, end == '\n' ? "\r\n" : ",");
}

static void add_line(const rsp_scene *s, const char *file, const char *from, const rsp_published_row *row,
                     rsp_buf *b) {
    field(b, file, ',');
    field(b, s->lang, ',');
    field(b, s->title, ',');
    field(b, from, ',');
    field(b, row ? row->analysis : "", ',');
    field(b, row ? row->domain : "", ',');
    field(b, row ? row->term : "", ',');
    field(b, row ? row->level : "", ',');
    field(b, row ? row->statistic : "", '\n');
}

/* Where the title comes from: a line, or one for each row that its claim rests on. */
static void trace_title(const rsp_scene *s, const char *file, const chart_origin *o, rsp_buf *b) {
    for (size_t k = 0; k < o->n; k++) add_line(s, file, o->from, o->rows[k], b);
    if (!o->n) add_line(s, file, o->from, NULL, b);
}

static bool write_lines(const batch *b) {
    rsp_buf all = {0};
    rsp_buf_puts(&all, "chart,language,title,origin,analysis,domain,term,level,statistic\r\n");
    for (size_t k = 0; k < b->n; k++) {
        if (b->lines[k].length) rsp_buf_add(&all, b->lines[k].data, b->lines[k].length);
        rsp_buf_free(&b->lines[k]);
    }
    bool ok = rsp_make_dirs(rsp_printf(b->a, "%s/quality", b->p->dir), b->d) &&
              rsp_write_file(rsp_printf(b->a, "%s/quality/figures.csv", b->p->dir), all.data, all.length, b->d);
    rsp_buf_free(&all);
    return ok;
}

static bool write_chart(void *batch_of, size_t k) {
    const batch *b = batch_of;
    const job *j = &b->jobs[k];
    chart_origin origin = {0};
    rsp_scene *s = make_chart(b->p, j->spec, j->country, b->p->labels[j->language], b->theme, b->theme->width,
                              b->theme->padding, false, &origin);
    b->drawn[k] = s != NULL;
    if (!s) return true;
    if (s->height > LARGEST_PICTURE) {
        rsp_report(b->d, RSP_WARNING, j->spec->loc,
                   "show fewer rows; the numbers are in the workbook and the open data",
                   "chart '%s' is left out: it would be %.0f points high", j->spec->analysis, s->height);
        rsp_scene_free(s);
        return true;
    }
    const char *analysis = rsp_chart_stem(b->p->study, j->spec, s->arena),
               *who = j->country ? rsp_file_word(s->arena, j->country) : "all";
    const char *path =
        rsp_printf(s->arena, "%s/charts/%s-%s-%s", b->p->dir, analysis, who, b->p->languages[j->language]);
    bool ok = rsp_scene_svg(s, rsp_printf(s->arena, "%s.svg", path), b->d);
    ok = rsp_scene_png(s, rsp_printf(s->arena, "%s.png", path), b->theme->png_scale, b->d) && ok;
    ok = rsp_scene_pdf(s, rsp_printf(s->arena, "%s.pdf", path), b->d) && ok;
    trace_title(s, strrchr(path, '/') + 1, &origin, &b->lines[k]);
    if (s->unknown_glyphs)
        rsp_report(b->d, RSP_WARNING, j->spec->loc, "its labels hold characters that Noto Sans does not have",
                   "chart '%s' in '%s': %zu characters cannot be shown", j->spec->analysis,
                   b->p->languages[j->language], s->unknown_glyphs);
    rsp_scene_free(s);
    return ok;
}

/* What the study asks for by name and nobody gets is said: it would be missed, and looked for in vain. */
static void tell_of_missing(const batch *b) {
    const rsp_study *s = b->p->study;
    for (size_t c = 0; c < s->reports.n_charts; c++) {
        const rsp_chart_spec *spec = &s->reports.charts[c];
        bool wanted = false, drawn = false;
        for (size_t k = 0; k < b->n; k++) {
            if (b->jobs[k].spec != spec) continue;
            wanted = true;
            drawn = drawn || b->drawn[k];
        }
        if (wanted && !drawn)
            rsp_report(b->d, RSP_NOTE, spec->loc, "its rows in data/results.csv, and their flags, say why",
                       "chart '%s' (%s) is not drawn: none of its numbers is published", spec->analysis, spec->kind);
    }
}

bool rsp_render_charts(const rsp_publication *p, rsp_diag *d) {
    batch b = {.p = p, .theme = rsp_theme_get(d), .d = d, .a = rsp_arena_new()};
    bool ok = b.theme && rsp_make_dirs(rsp_printf(b.a, "%s/charts", p->dir), d);
    if (ok) {
        list_jobs(&b);
        b.drawn = rsp_calloc(b.n + 1, sizeof *b.drawn);
        b.lines = rsp_calloc(b.n + 1, sizeof *b.lines);
        ok = rsp_make_each(b.n, write_chart, &b);
        ok = write_lines(&b) && ok;
        tell_of_missing(&b);
    }
    free(b.drawn);
    free(b.lines);
    free(b.jobs);
    rsp_arena_free(b.a);
    return ok;
}
