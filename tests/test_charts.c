/* Charts of a study made to strain them (fixtures/charts/stress): 35 countries, eleven answers, labels of 200 characters,
 * values of every look, in three languages. The expected numbers stand in its results.csv. */
#include "render/charts.h"
#include "render/labels.h"
#include "render/theme.h"
#include "shell.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

typedef struct {
    rsp_diag *d;
    rsp_study *study;
    rsp_published *results;
    rsp_publication p;
    rsp_texts *texts[3];
    rsp_labels *labels[3];
} world;

static world w;

/* English wordings stand in where the study has none in a language: so the long ones are tried in all. */
static void serve_all_languages(const rsp_text *t) {
    for (size_t k = 0; k < t->n; k++)
        if (strcmp(t->wording[k].lang, "en") == 0) t->wording[k].lang = "";
}

static void english_everywhere(const rsp_study *s) {
    serve_all_languages(&s->title);
    for (size_t v = 0; v < s->n_variables; v++) {
        serve_all_languages(&s->variables[v].label);
        for (size_t k = 0; s->variables[v].list && k < s->variables[v].list->n; k++)
            serve_all_languages(&s->variables[v].list->choices[k].label);
    }
}

static int set_up(void **state) {
    (void) state;
    w.d = rsp_diag_new();
    w.study = rsp_study_load("fixtures/charts/stress", w.d);
    w.results = rsp_published_read_csv("fixtures/charts/stress/results.csv", w.d);
    if (!w.study || !w.results) {
        rsp_diag_print(w.d, stderr, false, 0);
        return -1;
    }
    english_everywhere(w.study);
    w.p = (rsp_publication){.study = w.study,
                            .results = w.results,
                            .content_id = "0123abcd",
                            .n_languages = w.study->n_languages,
                            .languages = w.study->languages,
                            .labels = w.labels};
    for (size_t k = 0; k < 3; k++) {
        w.texts[k] = rsp_texts_load(w.study->languages[k], w.d);
        w.labels[k] = rsp_labels_new(w.study, w.texts[k]);
    }
    return 0;
}

static int tear_down(void **state) {
    (void) state;
    for (size_t k = 0; k < 3; k++) {
        rsp_labels_free(w.labels[k]);
        rsp_texts_free(w.texts[k]);
    }
    rsp_published_free(w.results);
    rsp_study_free(w.study);
    rsp_diag_free(w.d);
    return 0;
}

static const rsp_chart_spec *spec(const char *analysis) {
    for (size_t k = 0; k < w.study->reports.n_charts; k++)
        if (strcmp(w.study->reports.charts[k].analysis, analysis) == 0) return &w.study->reports.charts[k];
    fail_msg("no chart of %s", analysis);
    return NULL;
}

static const rsp_chart_spec *spec_of_kind(const char *kind) {
    for (size_t k = 0; k < w.study->reports.n_charts; k++)
        if (strcmp(w.study->reports.charts[k].kind, kind) == 0) return &w.study->reports.charts[k];
    fail_msg("no chart of kind %s", kind);
    return NULL;
}

static rsp_scene *chart(const char *analysis, const char *country) {
    rsp_scene *s = rsp_chart(&w.p, spec(analysis), country, w.texts[0], 482);
    assert_non_null(s);
    return s;
}

static const rsp_shape *find_text(const rsp_scene *s, const char *text) {
    for (size_t k = 0; k < s->n; k++)
        if (s->shapes[k].kind == RSP_SHAPE_TEXT && strcmp(s->shapes[k].text, text) == 0) return &s->shapes[k];
    return NULL;
}

static bool mentions(const rsp_scene *s, const char *words) {
    for (size_t k = 0; k < s->n; k++)
        if (s->shapes[k].kind == RSP_SHAPE_TEXT && strstr(s->shapes[k].text, words)) return true;
    return false;
}

static void has_room(const rsp_scene *s, const rsp_chart_spec *of, const char *lang, double width) {
    char what[256];
    assert_non_null(s);
    if (rsp_scene_faults(s, what)) fail_msg("%s (%s) in %s, %g points: %s", of->analysis, of->kind, lang, width, what);
    for (size_t j = 0; j < s->n; j++)
        if (s->shapes[j].kind == RSP_SHAPE_TEXT) assert_true(s->shapes[j].style.size >= 8);
    assert_true(strlen(s->title) > 0 && strlen(s->description) > 20);
    assert_int_equal(s->unknown_glyphs, 0);
}

/* Nothing overlaps or leaves the picture, in any language, at widths of a page, a column and half of one; no text below 8
 * points. Labels that the study does not have in a language are the English ones, of 200 characters. */
static void test_room(void **state) {
    (void) state;
    static const double widths[] = {510, 482, 400};
    static const char *const languages[] = {"en", "de", "da", "fr", "pl", "pt", "ro"};
    for (size_t l = 0; l < sizeof languages / sizeof *languages; l++) {
        rsp_texts *t = rsp_texts_load(languages[l], w.d);
        assert_non_null(t);
        for (size_t c = 0; c < w.study->reports.n_charts; c++)
            for (size_t k = 0; k < 3; k++) {
                const rsp_chart_spec *of = &w.study->reports.charts[c];
                rsp_scene *s = rsp_chart(&w.p, of, NULL, t, widths[k]);
                has_room(s, of, languages[l], widths[k]);
                rsp_scene_free(s);
            }
        rsp_texts_free(t);
    }
}

/* What is left of the results where only the first n countries answered. */
static rsp_published *with_countries(size_t n, const char *path) {
    rsp_buf all = {0}, kept = {0};
    const rsp_list *list = w.study->variables[w.study->roles.country].list;
    assert_true(rsp_read_file("fixtures/charts/stress/results.csv", &all, w.d, RSP_ERR_DATA, RSP_NOWHERE));
    rsp_buf_putc(&all, '\0');
    for (const char *line = all.data; *line;) {
        size_t length = strcspn(line, "\n");
        const char *country = strstr(line, "country="), *end = line + length;
        size_t code = country && country < end ? strcspn(country + 8, ",;") : 0;
        bool keep = code == 0;
        for (size_t k = 0; k < n && !keep; k++)
            keep = strlen(list->choices[k].code) == code && strncmp(list->choices[k].code, country + 8, code) == 0;
        length += line[length] != 0;
        if (keep) rsp_buf_add(&kept, line, length);
        line += length;
    }
    assert_true(rsp_write_file(path, kept.data, kept.length, w.d));
    rsp_buf_free(&all);
    rsp_buf_free(&kept);
    rsp_published *p = rsp_published_read_csv(path, w.d);
    assert_non_null(p);
    return p;
}

/* One country, two countries: charts of few rows keep the same rules, for everybody and for the country. */
static void test_few_countries(void **state) {
    (void) state;
    char path[] = "/tmp/responsive-few-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    close(fd);
    for (size_t n = 1; n <= 2; n++) {
        rsp_publication few = w.p;
        rsp_published *results = with_countries(n, path);
        size_t drawn = 0;
        assert_true(rsp_published_count(results) < rsp_published_count(w.results));
        few.results = results;
        for (size_t c = 0; c < w.study->reports.n_charts; c++)
            for (size_t k = 0; k <= n; k++) {
                const rsp_chart_spec *of = &w.study->reports.charts[c];
                const char *country = k ? w.study->variables[w.study->roles.country].list->choices[k - 1].code : NULL;
                rsp_scene *s = rsp_chart(&few, of, country, w.texts[0], 482);
                if (s) has_room(s, of, "en", 482);
                drawn += s != NULL;
                rsp_scene_free(s);
            }
        assert_true(drawn > w.study->reports.n_charts);
        rsp_published_free(results);
    }
    unlink(path);
}

/* Text can be read on whatever it stands on. */
static void test_contrast(void **state) {
    (void) state;
    for (size_t c = 0; c < w.study->reports.n_charts; c++) {
        rsp_scene *s = rsp_chart(&w.p, &w.study->reports.charts[c], NULL, w.texts[0], 482);
        for (size_t t = 0; t < s->n; t++) {
            const rsp_shape *text = &s->shapes[t];
            rsp_colour ground = {1, 1, 1};
            if (text->kind != RSP_SHAPE_TEXT) continue;
            double x = text->box.x + text->box.w / 2, y = text->box.y + text->box.h / 2;
            for (size_t k = 0; k < s->n; k++) {
                const rsp_shape *r = &s->shapes[k];
                if (r->kind == RSP_SHAPE_RECT && r->pattern == RSP_FILL_SOLID && x > r->box.x &&
                    x < r->box.x + r->box.w && y > r->box.y && y < r->box.y + r->box.h)
                    ground = r->fill;
            }
            if (rsp_contrast(text->fill, ground) < 4.5)
                fail_msg("'%s' has a contrast of %g", text->text, rsp_contrast(text->fill, ground));
        }
        rsp_scene_free(s);
    }
}

static bool holds_a_number(const rsp_scene *s, const rsp_box *b) {
    for (size_t k = 0; k < s->n; k++) {
        const rsp_shape *t = &s->shapes[k];
        double x = t->box.x + t->box.w / 2, y = t->box.y + t->box.h / 2;
        if (t->kind == RSP_SHAPE_TEXT && x > b->x && x < b->x + b->w && y > b->y && y < b->y + b->h) return true;
    }
    return false;
}

/* Every segment wider than 6 % has its number, though with its sign that might not fit. */
static void all_wide_segments_have_numbers(const rsp_scene *s) {
    size_t wide = 0;
    for (size_t k = 0; k < s->n; k++) {
        const rsp_shape *x = &s->shapes[k];
        double from = INFINITY, to = -INFINITY;
        if (x->kind != RSP_SHAPE_RECT || x->box.h != 15 || x->box.x > 320 || x->pattern != RSP_FILL_SOLID) continue;
        for (size_t j = 0; j < s->n; j++) {
            const rsp_shape *y = &s->shapes[j];
            if (y->kind != RSP_SHAPE_RECT || y->box.h != 15 || y->box.y != x->box.y || y->box.x > 320) continue;
            from = fmin(from, y->box.x);
            to = fmax(to, y->box.x + y->box.w);
        }
        if ((x->box.w + 1) / (to - from + 1) <= 0.0601) continue;
        wide++;
        if (!holds_a_number(s, &x->box)) fail_msg("%s: a segment of %g points has no number", s->title, x->box.w);
    }
    assert_true(wide > 5);
}

static void test_segments(void **state) {
    (void) state;
    rsp_scene *s = chart("answers", NULL);
    all_wide_segments_have_numbers(s);
    assert_non_null(find_text(s, "%")); /* above the bars, where numbers stand without a sign */
    rsp_scene_free(s);
}

/* A bar's segments add up to the bar, and are as long as their shares. */
static void test_agreement(void **state) {
    (void) state;
    rsp_scene *s = chart("answers", NULL);
    const rsp_published_row *r = rsp_published_find(w.results, "answers", "", "item1", "a1", "proportion");
    const rsp_shape *label = NULL;
    double from = INFINITY, to = -INFINITY, segment = 0;
    for (size_t k = 0; k < s->n && !label; k++)
        if (s->shapes[k].kind == RSP_SHAPE_TEXT && strncmp(s->shapes[k].text, "1: People", 9) == 0 &&
            s->shapes[k].style.size < 10)
            label = &s->shapes[k];
    assert_non_null(label);
    double middle = label->box.y + label->box.h / 2;
    size_t n = 0;
    for (size_t k = 0; k < s->n; k++) {
        const rsp_box *b = &s->shapes[k].box;
        if (s->shapes[k].kind != RSP_SHAPE_RECT || b->h != 15 || fabs(b->y + b->h / 2 - middle) > 0.01 || b->x > 320)
            continue;
        if (n++ == 1) segment = b->w + 1;
        from = fmin(from, b->x);
        to = fmax(to, b->x + b->w);
    }
    assert_int_equal(n, 11); /* all answers, in the questionnaire's order */
    assert_true(fabs(segment / (to - from + 1) - r->estimate) < 1e-6);
    assert_non_null(find_text(s, "\u221240")); /* net agreement of item 1 */
    assert_non_null(find_text(s, "3%"));       /* don't know, apart */
    assert_true(mentions(s, "Hidden: too few answers") && mentions(s, "Low reliability"));
    rsp_scene_free(s);
}

/* Every reason for a missing number has a look of its own, and no number. */
static void test_looks(void **state) {
    (void) state;
    rsp_scene *s = chart("items", NULL);
    size_t hatched = 0, dotted = 0, dashed = 0, empty = 0;
    for (size_t k = 0; k < s->n; k++) {
        const rsp_shape *x = &s->shapes[k];
        if (x->kind != RSP_SHAPE_RECT || x->box.w < 20) continue; /* not those of the key */
        hatched += x->pattern == RSP_FILL_HATCHED;
        dotted += x->pattern == RSP_FILL_DOTTED;
        dashed += x->dashed;
        empty += x->pattern == RSP_FILL_SOLID && x->fill.r == 1 && x->fill.g == 1 && x->fill.b == 1 && !x->dashed &&
                 x->stroke_width > 0;
    }
    assert_int_equal(hatched, 1); /* suppressed */
    assert_int_equal(dotted, 1);  /* not comparable */
    assert_int_equal(dashed, 1);  /* country not eligible */
    assert_int_equal(empty, 2);   /* no row at all; low base (hollow, with its number) */
    rsp_scene_free(s);
    s = chart("model", NULL);
    assert_true(mentions(s, "Cannot be estimated") && mentions(s, "Compared with: Country: Austria"));
    assert_true(mentions(s, "goes on beyond the chart"));
    assert_false(mentions(s, "Intercept"));
    rsp_scene_free(s);
}

/* A sentence that compares is printed only where a test bears it, never before the field is frozen, and speaks of
 * respondents where the sample selected itself. */
static void test_titles(void **state) {
    (void) state;
    rsp_scene *s = chart("heard", NULL);
    assert_string_equal(s->title, "Highest among respondents: Denmark");
    assert_true(mentions(s, "Heard. ")); /* what it is about stands below */
    assert_non_null(strstr(s->description, "Heard. "));
    rsp_scene_free(s);
    w.p.preliminary = true;
    s = chart("heard", NULL);
    assert_string_equal(s->title, "Heard");
    assert_true(mentions(s, "Preliminary"));
    rsp_scene_free(s);
    w.p.preliminary = false;
    s = chart("scores", NULL); /* Slovakia is on top there, but nothing was tested */
    assert_string_equal(s->title, "Score");
    assert_true(mentions(s, "who chose to answer is not covered"));
    rsp_scene_free(s);
}

static double y_of(const rsp_scene *s, const char *text) {
    const rsp_shape *x = find_text(s, text);
    assert_non_null(x);
    return x->box.y;
}

static void test_order(void **state) {
    (void) state;
    rsp_scene *s = chart("heard", NULL);
    assert_true(y_of(s, "Denmark") < y_of(s, "Slovakia") && y_of(s, "Slovakia") < y_of(s, "Austria")); /* by size */
    rsp_scene_free(s);
    s = chart("scores", NULL); /* one country is not comparable: the order of the list */
    assert_true(y_of(s, "Austria") < y_of(s, "Denmark") && y_of(s, "Denmark") < y_of(s, "Slovakia"));
    assert_true(y_of(s, "Slovakia") < y_of(s, "Average of the participating countries"));
    rsp_scene_free(s);
    w.p.preliminary = true;
    s = chart("heard", NULL);
    assert_true(y_of(s, "Austria") < y_of(s, "Denmark"));
    rsp_scene_free(s);
    w.p.preliminary = false;
}

static void test_country(void **state) {
    (void) state;
    rsp_scene *s = chart("scores", "PL");
    const rsp_theme *th = rsp_theme_get(w.d);
    assert_non_null(th);
    assert_memory_equal(&find_text(s, "Poland")->fill, &th->own, sizeof th->own); /* the edition's country is marked */
    assert_memory_equal(&find_text(s, "Austria")->fill, &th->ink, sizeof th->ink);
    rsp_scene_free(s);
    s = chart("items", "PL"); /* its values beside everybody's */
    assert_true(mentions(s, "Average of the participating countries"));
    rsp_scene_free(s);
    assert_null(rsp_chart(&w.p, spec("answers"), "PL", w.texts[0], 482)); /* no rows of one country */
    assert_null(rsp_chart(&w.p, spec("model"), "PL", w.texts[0], 482));
    assert_null(rsp_chart(&w.p, spec("scores"), "XX", w.texts[0], 482));
}

static void read_whole(const char *dir, const char *name, rsp_buf *b) {
    char path[512];
    snprintf(path, sizeof path, "%s/charts/%s", dir, name);
    if (!rsp_read_file(path, b, w.d, RSP_ERR_DATA, RSP_NOWHERE)) fail_msg("no file %s", path);
}

/* Of a title that claims, the tests that bear it; of the others, where in study.yaml they stand. */
static void titles_have_origins(const char *lines) {
    assert_non_null(strstr(lines, "chart,language,title,origin,analysis,domain,term,level,statistic\r\n"));
    assert_non_null(strstr(lines, "heard-all-en,en,Highest among respondents: Denmark,"
                                  "finding_highest_respondents,heard,,heard=yes,"));
    assert_non_null(strstr(lines, "scores-all-en,en,Score,study.yaml: title of the analysis,,,,,\r\n"));
}

static void test_files(void **state) {
    (void) state;
    static const char *const names[] = {"heard-all-en.svg", "heard-all-pl.png", "scores-DE-en.pdf", "model-all-de.svg"};
    static const char *const only[] = {"heard", "scores", "model"};
    char dirs[2][64] = {"/tmp/responsive-charts-XXXXXX", "/tmp/responsive-charts-XXXXXX"};
    w.p.only = (const char **) only;
    w.p.n_only = 3;
    for (int k = 0; k < 2; k++) { /* one thread, then several */
        assert_non_null(mkdtemp(dirs[k]));
        w.p.dir = dirs[k];
        rsp_threads_set(k ? 4 : 1);
        assert_true(rsp_render_together(&w.p, 1, (rsp_renderer *const[]){rsp_render_charts}, w.d));
    }
    rsp_threads_set(0);
    for (size_t k = 0; k < sizeof names / sizeof *names; k++) {
        rsp_buf a = {0}, b = {0};
        read_whole(dirs[0], names[k], &a);
        read_whole(dirs[1], names[k], &b);
        assert_int_equal(a.length, b.length);
        assert_memory_equal(a.data, b.data, a.length);
        rsp_buf_free(&a);
        rsp_buf_free(&b);
    }
    char path[256];
    rsp_buf lines[2] = {0};
    for (int k = 0; k < 2; k++) {
        snprintf(path, sizeof path, "%s/quality/figures.csv", dirs[k]);
        assert_true(rsp_read_file(path, &lines[k], w.d, RSP_ERR_DATA, RSP_NOWHERE));
    }
    titles_have_origins(lines[0].data);
    assert_string_equal(lines[0].data, lines[1].data);
    for (int k = 0; k < 2; k++) rsp_buf_free(&lines[k]);
    snprintf(path, sizeof path, "%s/charts/answers-all-en.svg", dirs[0]);
    assert_int_not_equal(access(path, F_OK), 0); /* not asked for */
    for (int k = 0; k < 2; k++) {
        assert_int_equal(sh("rm -rf %s", dirs[k]), 0);
    }
    w.p.n_only = 0;
}

/* ---- colours ------------------------------------------------------------------------------------------------------ */

static double linear(double c) { return c <= 0.04045 ? c / 12.92 : pow((c + 0.055) / 1.055, 2.4); }

static double lab_curve(double v) { return v > 216.0 / 24389 ? cbrt(v) : (24389.0 / 27 * v + 16) / 116; }

/* CIELAB (D65) of a colour as seen by someone whose cones work as `m` says (linear RGB to linear RGB). */
static void seen(rsp_colour c, double m[3][3], double lab[3]) {
    const double rgb[3] = {linear(c.r), linear(c.g), linear(c.b)};
    static const double xyz[3][3] = {{0.4124564 / 0.95047, 0.3575761 / 0.95047, 0.1804375 / 0.95047},
                                     {0.2126729, 0.7151522, 0.0721750},
                                     {0.0193339 / 1.08883, 0.1191920 / 1.08883, 0.9503041 / 1.08883}};
    double s[3], f[3];
    for (size_t k = 0; k < 3; k++) s[k] = fmin(fmax(m[k][0] * rgb[0] + m[k][1] * rgb[1] + m[k][2] * rgb[2], 0), 1);
    for (size_t k = 0; k < 3; k++) f[k] = lab_curve(xyz[k][0] * s[0] + xyz[k][1] * s[1] + xyz[k][2] * s[2]);
    lab[0] = 116 * f[1] - 16;
    lab[1] = 500 * (f[0] - f[1]);
    lab[2] = 200 * (f[1] - f[2]);
}

/* Every two of the colours differ by `least` in CIELAB for everybody (2.3 is just noticeable). */
static void apart(const char *what, size_t n, const rsp_colour *colours, double least) {
    /* Full dichromacy: Machado, Oliveira and Fernandes 2009, A physiologically-based model for simulation of color vision
     * deficiency, table of severity 1.0. */
    static double views[4][3][3] = {
        {{1, 0, 0}, {0, 1, 0}, {0, 0, 1}},
        {{0.152286, 1.052583, -0.204868}, {0.114503, 0.786281, 0.099216}, {-0.003882, -0.048116, 1.051998}},
        {{0.367322, 0.860646, -0.227968}, {0.280085, 0.672501, 0.047413}, {-0.011820, 0.042940, 0.968881}},
        {{1.255528, -0.076749, -0.178779}, {-0.078411, 0.930809, 0.147602}, {0.004733, 0.691367, 0.303900}}};
    static const char *const names[] = {"normal sight", "protanopia", "deuteranopia", "tritanopia"};
    for (size_t v = 0; v < 4; v++)
        for (size_t i = 0; i < n; i++)
            for (size_t j = i + 1; j < n; j++) {
                double a[3], b[3];
                seen(colours[i], views[v], a);
                seen(colours[j], views[v], b);
                double distance = sqrt(pow(a[0] - b[0], 2) + pow(a[1] - b[1], 2) + pow(a[2] - b[2], 2));
                if (distance < least)
                    fail_msg("%s %zu and %zu: %.1f apart under %s", what, i + 1, j + 1, distance, names[v]);
            }
}

/* Every two of the colours differ by `least` in lightness (CIELAB's L*, 0 to 100): a copy in grey tells them apart. */
static void apart_in_grey(const char *what, size_t n, const rsp_colour *colours, double least) {
    static double as_it_is[3][3] = {{1, 0, 0}, {0, 1, 0}, {0, 0, 1}};
    for (size_t i = 0; i < n; i++)
        for (size_t j = i + 1; j < n; j++) {
            double a[3], b[3];
            seen(colours[i], as_it_is, a);
            seen(colours[j], as_it_is, b);
            if (fabs(a[0] - b[0]) < least)
                fail_msg("%s %zu and %zu: %.1f apart in grey", what, i + 1, j + 1, fabs(a[0] - b[0]));
        }
}

static void test_scales_are_read_in_grey(void **state) {
    (void) state;
    const rsp_theme *t = rsp_theme_get(NULL);
    assert_non_null(t);
    apart_in_grey("answers", RSP_N_DIVERGING, t->diverging, 15);
    apart_in_grey("classes", RSP_N_SEQUENTIAL, t->sequential, 25);
    const rsp_colour with_pairs[] = {t->diverging[0], t->diverging[1], t->diverging[2], t->diverging[3],
                                     t->diverging[4], t->pair[0],      t->pair[1]};
    apart_in_grey("answers and pairs", 7, with_pairs, 8);
    static const double least[] = {[3] = 30, [4] = 15, [5] = 15, [6] = 7, [7] = 7};
    for (size_t n = 3; n <= 7; n++) { /* shorter and longer scales have places of their own */
        rsp_colour scale[7];
        for (size_t k = 0; k < n; k++) scale[k] = rsp_theme_ordinal(t, k, n);
        apart_in_grey("answers of a scale", n, scale, least[n]);
    }
    for (size_t k = 0; k + 1 < 4; k++) apart_in_grey("neighbouring categories", 2, &t->categorical[k], 25);
}

static void test_colour_vision(void **state) {
    (void) state;
    const rsp_theme *t = rsp_theme_get(NULL);
    assert_non_null(t);
    apart("categories", 4, t->categorical, 10);
    apart("six categories", 6, t->categorical, 5);
    apart("classes", 3, t->sequential, 10);
    const rsp_colour answers[] = {t->diverging[0], t->diverging[1], t->diverging[2],
                                  t->diverging[3], t->diverging[4], t->dont_know};
    apart("answers", 6, answers, 10);
    const rsp_colour pairs[] = {t->diverging[0], t->diverging[1], t->pair[0],
                                t->pair[1],      t->diverging[3], t->diverging[4]};
    apart("answers and pairs", 6, pairs, 9);
    const rsp_colour marks[] = {t->accent, t->own, t->pooled};
    apart("marks", 3, marks, 10);
}

/* ---- golden scenes ------------------------------------------------------------------------------------------------ */

static void dump_colour(rsp_buf *b, const char *name, rsp_colour c) {
    rsp_buf_printf(b, " %s=#%02x%02x%02x", name, (unsigned) lround(255 * c.r), (unsigned) lround(255 * c.g),
                   (unsigned) lround(255 * c.b));
}

static double tenth(double x) {
    double r = round(10 * x) / 10;
    return r == 0 ? 0 : r; /* no minus zero */
}

/* One line a shape, to be read and compared by people. */
static void dump(const rsp_scene *s, rsp_buf *b) {
    static const char *const kinds[] = {"rect", "line", "circle", "polygon", "text"};
    static const char *const patterns[] = {"", " outline", " hatched", " dotted"};
    rsp_buf_printf(b, "scene %.0f x %.0f\ntitle %s\ndescription %s\n", s->width, s->height, s->title, s->description);
    for (size_t k = 0; k < s->n; k++) {
        const rsp_shape *x = &s->shapes[k];
        rsp_buf_printf(b, "%s %.1f %.1f %.1f x %.1f", kinds[x->kind], tenth(x->box.x), tenth(x->box.y), tenth(x->box.w),
                       tenth(x->box.h));
        if (x->kind != RSP_SHAPE_LINE) dump_colour(b, "fill", x->fill);
        rsp_buf_puts(b, patterns[x->pattern]);
        if (x->stroke_width > 0) {
            dump_colour(b, "stroke", x->stroke);
            rsp_buf_printf(b, " %.2g%s", x->stroke_width, x->dashed ? " dashed" : "");
        }
        if (x->kind == RSP_SHAPE_TEXT)
            rsp_buf_printf(b, " %g%s %s", x->style.size, x->style.bold ? " bold" : "", x->text);
        rsp_buf_putc(b, '\n');
    }
}

/* One chart of each kind as a list of shapes, and one of correlations. After a change that is meant: RSP_GOLDEN=write, and
 * read the difference. */
static void test_golden(void **state) {
    (void) state;
    static const char *const kinds[] = {"agreement", "diverging", "dots",        "forest", "heatmap",
                                        "tiles",     "upset",     "ranking",     "slope",  "multiples",
                                        "histogram", "quadrant",  "correlations"};
    size_t differ = 0;
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
        const rsp_chart_spec *of = strcmp(kinds[k], "correlations") == 0 ? spec("links") : spec_of_kind(kinds[k]);
        rsp_scene *s = rsp_chart(&w.p, of, NULL, w.texts[0], 482);
        rsp_buf now = {0}, golden = {0};
        char path[128];
        assert_non_null(s);
        dump(s, &now);
        snprintf(path, sizeof path, "fixtures/charts/golden/%s.txt", kinds[k]);
        if (getenv("RSP_GOLDEN")) assert_true(rsp_write_file(path, now.data, now.length, w.d));
        assert_true(rsp_read_file(path, &golden, w.d, RSP_ERR_DATA, RSP_NOWHERE));
        if (golden.length != now.length || memcmp(golden.data, now.data, now.length) != 0) {
            size_t at = 0, line = 1;
            while (at < now.length && at < golden.length && now.data[at] == golden.data[at])
                line += now.data[at++] == '\n';
            print_error("%s:%zu: the scene differs\n", path, line);
            differ++;
        }
        rsp_buf_free(&now);
        rsp_buf_free(&golden);
        rsp_scene_free(s);
    }
    assert_int_equal(differ, 0);
}

/* ---- the further kinds --------------------------------------------------------------------------------------------- */

static const rsp_shape *first_text(const rsp_scene *s, const char *text) {
    const rsp_shape *x = find_text(s, text);
    if (!x) fail_msg("no text '%s'", text);
    return x;
}

/* Every country of the map once, values in their fixed class, what is hidden hatched, what is not there white. */
static void test_tiles(void **state) {
    (void) state;
    rsp_scene *s = rsp_chart(&w.p, spec_of_kind("tiles"), NULL, w.texts[0], 482);
    size_t hatched = 0, tiles = 0;
    double width = 0, height = 0;
    for (size_t k = 0; k < s->n; k++) {
        const rsp_shape *x = &s->shapes[k];
        if (x->kind != RSP_SHAPE_RECT || x->box.h < 20) continue;
        if (tiles++) assert_true(fabs(x->box.w - width) < 1e-9 && fabs(x->box.h - height) < 1e-9);
        width = x->box.w;
        height = x->box.h;
        hatched += x->pattern == RSP_FILL_HATCHED;
    }
    assert_int_equal(tiles, 48);
    assert_int_equal(hatched, 1);
    assert_true(mentions(s, "40 to under 50") && mentions(s, "60 and over") && mentions(s, "under 30"));
    assert_true(mentions(s, "Not on the map: Liechtenstein"));
    assert_true(first_text(s, "NO")->box.y < first_text(s, "DK")->box.y); /* not read as a "no" of YAML */
    assert_true(first_text(s, "PT")->box.x < first_text(s, "RO")->box.x);
    rsp_scene_free(s);
    assert_null(rsp_chart(&w.p, spec_of_kind("tiles"), "PL", w.texts[0], 482));
}

/* Bars stand to each other as their shares; the marks of a column are those of its combination. */
static void test_upset(void **state) {
    (void) state;
    rsp_scene *s = rsp_chart(&w.p, spec_of_kind("upset"), NULL, w.texts[0], 482);
    double tall[2] = {0};
    size_t n = 0, full = 0, joined = 0;
    for (size_t k = 0; k < s->n; k++) {
        const rsp_shape *x = &s->shapes[k];
        if (x->kind == RSP_SHAPE_RECT && fabs(x->box.w - 14) < 1e-9 && n < 2) tall[n++] = x->box.h;
        if (x->kind == RSP_SHAPE_CIRCLE && fabs(x->box.w - 7.2) < 1e-9) full++;
        if (x->kind == RSP_SHAPE_LINE && x->layer == 1 && x->stroke_width == 1.6) joined++;
    }
    assert_true(fabs(tall[1] / tall[0] - 0.17 / 0.21) < 1e-9);
    /* columns shown: w1 | w1 w2 | w1 w2 w3 | none | w1 w3 | w2 w4 | w4 | w2 | w1 w4 w5 | w5, as many as fit */
    assert_true(full >= 12 && joined >= 4);
    assert_true(mentions(s, "All remaining combinations together: 14%") && mentions(s, "further combination"));
    assert_non_null(strstr(s->description, "Largest combination: Way number 1, 21%"));
    rsp_scene_free(s);
}

/* What a test cannot tell apart shares a band; before the freeze there are no bands. */
static void test_ranking(void **state) {
    (void) state;
    rsp_scene *s = rsp_chart(&w.p, spec_of_kind("ranking"), NULL, w.texts[0], 482);
    assert_true(mentions(s, "Bands: no test tells"));
    size_t marked = 0;
    for (size_t k = 0; k < s->n; k++) marked += s->shapes[k].kind == RSP_SHAPE_LINE && s->shapes[k].stroke_width == 1.6;
    assert_int_equal(marked, 6); /* 70 and 66 %, 52 and 50 %, 12 % with what is hidden; 31 % stands alone */
    rsp_scene_free(s);
    w.p.preliminary = true;
    s = rsp_chart(&w.p, spec_of_kind("ranking"), NULL, w.texts[0], 482);
    assert_true(mentions(s, "The order is no verdict"));
    rsp_scene_free(s);
    w.p.preliminary = false;
}

/* Where everybody placed every choice the shares tell nothing: places alone, the best first. */
static void test_ranking_of_all(void **state) {
    (void) state;
    const rsp_chart_spec *spec = spec_of_kind("ranking");
    size_t from, to;
    assert_true(rsp_published_range(w.p.results, spec->analysis, &from, &to));
    double *was = rsp_calloc(to, sizeof *was);
    for (size_t i = from; i < to; i++) {
        rsp_published_row *r = (rsp_published_row *) rsp_published_at(w.p.results, i);
        was[i] = r->estimate;
        if (strcmp(r->statistic, "proportion") == 0 && !isnan(r->estimate)) r->estimate = 1;
    }
    rsp_scene *s = rsp_chart(&w.p, spec, NULL, w.texts[0], 482);
    assert_true(mentions(s, "Mean place (1:") && mentions(s, "Everybody placed every choice."));
    assert_false(mentions(s, "Bands:") || mentions(s, "Share") || mentions(s, "100") || mentions(s, "may hold first"));
    assert_non_null(strstr(s->description, "Ranking: mean place with intervals"));
    rsp_scene_free(s);
    /* So do shares that would be printed as 100 %, but not all did. */
    for (size_t i = from; i < to; i++) {
        rsp_published_row *r = (rsp_published_row *) rsp_published_at(w.p.results, i);
        if (strcmp(r->statistic, "proportion") == 0 && !isnan(r->estimate)) r->estimate = 0.996;
    }
    s = rsp_chart(&w.p, spec, NULL, w.texts[0], 482);
    assert_true(mentions(s, "All but a few placed every choice.") && !mentions(s, "Everybody"));
    rsp_scene_free(s);
    for (size_t i = from; i < to; i++) ((rsp_published_row *) rsp_published_at(w.p.results, i))->estimate = was[i];
    free(was);
}

/* All panels have the same axis: equal values are equally high. */
static void test_waves(void **state) {
    (void) state;
    rsp_scene *s = rsp_chart(&w.p, spec_of_kind("multiples"), NULL, w.texts[0], 482);
    size_t points = 0, hatched = 0;
    for (size_t k = 0; k < s->n; k++) {
        points += s->shapes[k].kind == RSP_SHAPE_CIRCLE && fabs(s->shapes[k].box.w - 5.6) < 1e-9;
        hatched += s->shapes[k].pattern == RSP_FILL_HATCHED && s->shapes[k].box.w == 8;
    }
    assert_int_equal(points, 14 * 3 - 2); /* thirteen countries and everybody; one hidden, one not there */
    assert_int_equal(hatched, 1);
    rsp_scene_free(s);
    s = rsp_chart(&w.p, spec_of_kind("multiples"), "AT", w.texts[0], 482);
    assert_non_null(s); /* the country beside everybody */
    rsp_scene_free(s);
    s = rsp_chart(&w.p, spec_of_kind("slope"), NULL, w.texts[0], 482);
    assert_true(mentions(s, "2021") && mentions(s, "2026") && mentions(s, "50%  1: People"));
    rsp_scene_free(s);
}

/* Lower answers left, upper ones right of zero, on one unit; the neutral apart. */
static void test_diverging(void **state) {
    (void) state;
    rsp_scene *s = rsp_chart(&w.p, spec_of_kind("diverging"), NULL, w.texts[0], 482);
    const rsp_published_row *low = rsp_published_find(w.results, "answers", "", "item1", "a4", "proportion"),
                            *high = rsp_published_find(w.results, "answers", "", "item1", "a6", "proportion"),
                            *middle = rsp_published_find(w.results, "answers", "", "item1", "a5", "proportion");
    const rsp_shape *zero = NULL, *left = NULL, *right = NULL, *apart = NULL;
    for (size_t k = 0; k < s->n; k++)
        if (s->shapes[k].kind == RSP_SHAPE_LINE && s->shapes[k].stroke_width == 0.9) zero = &s->shapes[k];
    assert_non_null(zero);
    const rsp_shape *label = NULL;
    for (size_t k = 0; k < s->n && !label; k++)
        if (s->shapes[k].kind == RSP_SHAPE_TEXT && strncmp(s->shapes[k].text, "1: People", 9) == 0 &&
            s->shapes[k].style.size < 10)
            label = &s->shapes[k];
    double y = label->box.y + label->box.h / 2, at = zero->points[0];
    for (size_t k = 0; k < s->n; k++) {
        const rsp_shape *x = &s->shapes[k];
        if (x->kind != RSP_SHAPE_RECT || x->box.h != 15 || fabs(x->box.y + 7.5 - y) > 0.01) continue;
        if (fabs(x->box.x + x->box.w + 0.5 - at) < 1e-6) left = x;
        if (fabs(x->box.x - 0.5 - at) < 1e-6) right = x;
        if (right && x->box.x > right->box.x &&
            fabs((x->box.w + 1) / (right->box.w + 1) - middle->estimate / high->estimate) < 1e-6)
            apart = x;
    }
    assert_true(left && right && apart);
    assert_true(fabs((left->box.w + 1) / (right->box.w + 1) - low->estimate / high->estimate) < 1e-6);
    assert_true(mentions(s, "Neither"));
    rsp_scene_free(s);
}

/* A cell for each pair of fourteen items, its number that of its row of results; a country has its own. */
static void test_correlations(void **state) {
    (void) state;
    const char *countries[] = {NULL, "PL"};
    for (size_t c = 0; c < 2; c++) {
        rsp_scene *s = chart("links", countries[c]);
        size_t cells = 0, hatched = 0;
        for (size_t k = 0; k < s->n; k++) {
            const rsp_shape *x = &s->shapes[k];
            if (x->kind != RSP_SHAPE_RECT || x->box.h < 14) continue;
            cells++;
            hatched += x->pattern == RSP_FILL_HATCHED;
            if (x->pattern == RSP_FILL_SOLID && c == 1) assert_true(holds_a_number(s, &x->box));
        }
        assert_int_equal(cells, 14 * 13 / 2);
        assert_int_equal(hatched, c == 0);
        assert_true(mentions(s, "14\u00A0\u00A0Score") && mentions(s, c ? "Poland" : "All respondents"));
        assert_true(mentions(s, "need not cause") && !mentions(s, "Average of the participating countries"));
        rsp_scene_free(s);
    }
    rsp_scene *s = chart("links", NULL);
    /* the lowest of the numbers made up, and its pair */
    assert_non_null(strstr(s->description, "From \u22120.45 (“Culture of the organisation” and “Mandate and rules”)"));
    rsp_scene_free(s);
    assert_null(rsp_chart(&w.p, spec("links"), "AT", w.texts[0], 482)); /* no rows */
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_room),          cmocka_unit_test(test_few_countries),
        cmocka_unit_test(test_contrast),      cmocka_unit_test(test_segments),
        cmocka_unit_test(test_agreement),     cmocka_unit_test(test_looks),
        cmocka_unit_test(test_titles),        cmocka_unit_test(test_order),
        cmocka_unit_test(test_country),       cmocka_unit_test(test_files),
        cmocka_unit_test(test_tiles),         cmocka_unit_test(test_upset),
        cmocka_unit_test(test_ranking),       cmocka_unit_test(test_ranking_of_all),
        cmocka_unit_test(test_waves),         cmocka_unit_test(test_diverging),
        cmocka_unit_test(test_correlations),  cmocka_unit_test(test_golden),
        cmocka_unit_test(test_colour_vision), cmocka_unit_test(test_scales_are_read_in_grey)};
    return cmocka_run_group_tests_name("charts", tests, set_up, tear_down);
}
