/* The policy brief: typography, conditions, what may be said, pages, and the finished PDF. */
#include "render/brief.h"
#include "render/fonts.h"
#include "render/labels.h"
#include "shell.h"

#include <math.h>
#include <qpdf/qpdf-c.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static const char *const LANGUAGES[] = {"en", "de", "da", "fr", "pl", "pt", "ro"};
enum { N_LANGUAGES = sizeof LANGUAGES / sizeof *LANGUAGES };

/* ---- typography ------------------------------------------------------------------------------------------------- */

static void spaces_that_must_not_break(void **state) {
    (void) state;
    rsp_arena *a = rsp_arena_new();
    assert_string_equal(brief_glue(a, "en", "12 people in 3 rows"), "12\u00A0people in 3\u00A0rows");
    assert_string_equal(brief_glue(a, "de", "37 Antworten in 6 L\u00e4ndern"), "37 Antworten in 6\u00A0L\u00e4ndern");
    assert_string_equal(brief_glue(a, "de", "43 % – mehr"), "43\u00A0%\u00A0– mehr");
    assert_string_equal(brief_glue(a, "pl", "usługi w kraju i za granicą"), "usługi w\u00A0kraju i\u00A0za granicą");
    assert_string_equal(brief_glue(a, "en", "services i a b"), "services i a b");
    assert_string_equal(brief_glue(a, "fr", "Est-ce « oui » ?"), "Est-ce «\u202Foui\u202F»\u202F?");
    rsp_arena_free(a);
}

static void long_words_are_hyphenated(void **state) {
    (void) state;
    rsp_arena *a = rsp_arena_new();
    rsp_diag *d = rsp_diag_new();
    brief_hyphens *de = brief_hyphens_open("/usr/share/hyphen/hyph_de_DE.dic", d),
                  *pl = brief_hyphens_open("/usr/share/hyphen/hyph_pl_PL.dic", d);
    assert_non_null(de);
    assert_non_null(pl);
    assert_string_equal(brief_hyphenate(de, a, "Veränderung"), "Verän\u00ADde\u00ADrung");
    assert_string_equal(brief_hyphenate(de, a, "Dienste"), "Dienste");
    assert_non_null(strstr(brief_hyphenate(pl, a, "odpowiedzialność"), "\u00AD"));
    assert_string_equal(brief_hyphenate(NULL, a, "Veränderung"), "Veränderung");
    /* the last word of a paragraph stays whole */
    assert_null(strstr(brief_typeset(de, a, "de", "Eine Veränderung"), "\u00AD"));
    assert_int_equal(brief_count_words("zwei Verän\u00ADderungen – « ja »  "), 3);
    assert_null(brief_hyphens_open("/nonexistent.dic", d));
    assert_true(rsp_diag_warnings(d) > 0);
    brief_hyphens_free(de);
    brief_hyphens_free(pl);
    rsp_diag_free(d);
    rsp_arena_free(a);
}

/* ---- definition and conditions ---------------------------------------------------------------------------------- */

static brief_definition *shipped(rsp_diag *d) {
    brief_definition *b = brief_definition_load("reports/brief.yaml", d);
    assert_non_null(b);
    return b;
}

static void faults_of_a_definition_are_all_reported(void **state) {
    (void) state;
    char path[] = "/tmp/test_brief_XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    static const char text[] = "limits: {pages: none}\nmistake: 1\ntitles:\n  - {of: nothing, say: x}\n  - {of: model, "
                               "when: \"${unheard} > 1\", say: y}\n"
                               "sections: []\nnotes: []\n";
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    close(fd);
    rsp_diag *d = rsp_diag_new();
    assert_null(brief_definition_load(path, d));
    /* pages, six missing limits, unknown key, unknown kind, unknown value, no title without a condition */
    assert_int_equal(rsp_diag_errors(d), 11);
    bool found = false;
    for (size_t k = 0; k < rsp_diag_count(d); k++) {
        const rsp_diagnostic *e = rsp_diag_at(d, k);
        if (strstr(e->message, "unheard")) found = e->loc.line == 5 && e->loc.column > 20;
    }
    assert_true(found);
    rsp_diag_free(d);
    unlink(path);
}

static bool holds(rsp_arena *a, const char *condition, const brief_values *v) {
    rsp_diag *d = rsp_diag_new();
    rsp_origin origin = {{"test", 1, 1}, false, 0};
    rsp_expr *e = rsp_expr_parse(a, condition, &origin, d);
    assert_non_null(e);
    bool yes = brief_holds(e, v);
    rsp_diag_free(d);
    return yes;
}

static void missing_conditions_do_not_hold(void **state) {
    (void) state;
    rsp_arena *a = rsp_arena_new();
    brief_values v;
    brief_values_clear(&v);
    brief_put(&v, "share", "43%", 0.43);
    assert_true(holds(a, "${share} > 0.4 and ${share} < 0.5", &v));
    assert_false(holds(a, "${share} > 0.5", &v));
    assert_false(holds(a, "${upper} > 0.5", &v));
    assert_false(holds(a, "not(${upper} > 0.5)", &v));
    assert_true(holds(a, "${upper} > 0.5 or ${share} > 0.4", &v));
    assert_true(holds(a, "is-missing(${upper})", &v));
    rsp_arena_free(a);
}

/* Every message that a rule may say exists and prints in every language, whatever the finding lacks. */
static void say_all(const brief_rules *r, const rsp_texts *t, const brief_values *v, rsp_arena *a) {
    for (size_t k = 0; k < r->n; k++)
        assert_true(*rsp_say(t, a, r->rules[k].say, v->v, v->n) != '\0' || strstr(r->rules[k].say, ".title."));
}

static void every_language_can_say_everything(void **state) {
    (void) state;
    rsp_diag *d = rsp_diag_new();
    brief_definition *b = shipped(d);
    for (size_t l = 0; l < N_LANGUAGES; l++) {
        rsp_texts *t = rsp_texts_load(LANGUAGES[l], d);
        assert_non_null(t);
        assert_true(brief_definition_covered(b, t, d));
        rsp_arena *a = rsp_arena_new();
        brief_values v;
        brief_values_clear(&v);
        const char *const whole[] = {"contact", "funding",
                                     "licence"}; /* messages that are nothing but the study's words */
        for (size_t k = 0; k < 3; k++) brief_put(&v, whole[k], "words", NAN);
        const brief_rules *all[] = {&b->titles, &b->messages, &b->sentences, &b->notices, &b->footer};
        for (size_t k = 0; k < 5; k++) say_all(all[k], t, &v, a);
        for (size_t k = 0; k < b->n_sections; k++) say_all(&b->sections[k].text, t, &v, a);
        for (size_t k = 0; k < b->n_notes; k++) say_all(&b->notes[k].text, t, &v, a);
        rsp_arena_free(a);
        rsp_texts_free(t);
    }
    assert_int_equal(rsp_diag_errors(d), 0);
    brief_definition_free(b);
    rsp_diag_free(d);
}

/* ---- what may be said ------------------------------------------------------------------------------------------- */

typedef struct {
    rsp_study *study;
    rsp_results *results;
    rsp_published *published;
    rsp_diag *d;
} world;

static rsp_row *add(world *w, const char *analysis, const char *domain, const char *term, const char *level,
                    const char *statistic, double x, double se) {
    rsp_row *r = rsp_results_add(w->results, analysis, domain, term, level, statistic);
    r->estimate = x;
    r->se = se;
    r->n = 5381;
    r->lower = x - 2 * se;
    r->upper = x + 2 * se;
    return r;
}

/* Results of specs/wvs as R has them, rounded; p is that of the coefficient of age. */
static world new_world(double p) {
    world w = {.d = rsp_diag_new(), .results = rsp_results_new()};
    w.study = rsp_study_load("specs/wvs", w.d);
    assert_non_null(w.study);
    static const char *const codes[] = {"AU", "NO", "SE", "US"};
    add(&w, "response", "", "kept", "", "count", 5381, NAN);
    add(&w, "poverty", "", "poverty", "too_little", "proportion", 0.506, 0.007);
    add(&w, "poverty", "", "poverty", "about_right", "proportion", 0.349, 0.0065);
    add(&w, "poverty", "", "poverty", "too_much", "proportion", 0.145, 0.005);
    for (size_t k = 0; k < 4; k++)
        add(&w, "age", rsp_printf(w.results->arena, "country=%s", codes[k]), "age", "", "mean", 43 + (double) k, 0.4);
    add(&w, "agree_logistic", "", "(Intercept)", "", "coefficient", 0.731, 0.115)->p = 2e-10;
    add(&w, "agree_logistic", "", "age", "", "coefficient", -0.0101, 0.0017)->p = p;
    add(&w, "agree_logistic", "", "religion=yes", "", "coefficient", 0.05, 0.08)->p = 0.5;
    add(&w, "agree_logistic", "", "country=NO", "", "coefficient", 0.9, 0.08)->p = 1e-20;
    w.published = rsp_disclose(w.study, w.results, NULL, false, w.d);
    assert_non_null(w.published);
    return w;
}

static void free_world(world *w) {
    rsp_published_free(w->published);
    rsp_results_free(w->results);
    rsp_study_free(w->study);
    rsp_diag_free(w->d);
}

static const brief_observation *observed(const brief_edition *e, const char *kind, const char *analysis) {
    for (size_t k = 0; k < e->n_observations; k++)
        if (strcmp(e->observations[k].kind, kind) == 0 && e->observations[k].analysis &&
            strcmp(e->observations[k].analysis->id, analysis) == 0)
            return &e->observations[k];
    return NULL;
}

static void check_observations(double p, double negatives) {
    world w = new_world(p);
    const char *languages[] = {"en"};
    rsp_publication pub = {.study = w.study,
                           .results = w.published,
                           .dir = "/tmp",
                           .content_id = "abc",
                           .n_languages = 1,
                           .languages = languages};
    rsp_texts *t = rsp_texts_load("en", w.d);
    rsp_labels *l = rsp_labels_new(w.study, t);
    brief_definition *b = shipped(w.d);
    brief_edition e = {.p = &pub, .definition = b, .texts = t, .labels = l, .domain = "", .arena = rsp_arena_new()};
    brief_observe(&e);
    const brief_observation *model = observed(&e, "model", "agree_logistic"),
                            *answer = observed(&e, "answer", "poverty");
    assert_non_null(model);
    assert_true(brief_number(&model->values, "negatives") == negatives);
    assert_true(brief_number(&model->values, "positives") == 0); /* countries are held constant, not ranked */
    assert_true(brief_number(&model->values, "unclear") == 2 - negatives);
    assert_non_null(answer);
    assert_true(brief_number(&answer->values, "share") == 0.506);
    assert_true(brief_number(&answer->values, "second_share") == 0.349);
    const brief_observation *spread = observed(&e, "spread", "age");
    assert_non_null(spread);
    assert_true(brief_number(&spread->values, "low_value") == 43 && brief_number(&spread->values, "high_value") == 46);
    free(e.observations);
    rsp_arena_free(e.arena);
    brief_definition_free(b);
    rsp_labels_free(l);
    rsp_texts_free(t);
    free_world(&w);
}

static void associations_are_named_only_where_a_test_says_so(void **state) {
    (void) state;
    check_observations(2e-9, 1);
    check_observations(0.06, 0);
}

/* What stands highest is said to do so only where the intervals do not meet. */
static void check_order(double se, double clear, double apart) {
    world w = {.d = rsp_diag_new(), .results = rsp_results_new()};
    w.study = rsp_study_load("specs/ifsw", w.d);
    assert_non_null(w.study);
    const rsp_variable *channels = &w.study->variables[rsp_study_variable(w.study, "channels")];
    for (size_t k = 0; k < 6; k++) {
        const char *item = rsp_printf(w.results->arena, "engage%zu", k + 1);
        const rsp_list *list = w.study->variables[rsp_study_variable(w.study, item)].list;
        for (size_t c = 0; c < list->n; c++)
            if (!list->choices[c].missing)
                add(&w, "engage_items", "", item, list->choices[c].code, "proportion", 0.1 + 0.05 * (double) k, se);
    }
    for (size_t k = 0; k < channels->list->n; k++)
        add(&w, "channels", "", "channels", channels->list->choices[k].code, "proportion", k < 3 ? 0.5 : 0.45, se);
    w.published = rsp_disclose(w.study, w.results, NULL, false, w.d);
    const char *languages[] = {"en"};
    rsp_publication pub = {.study = w.study, .results = w.published, .n_languages = 1, .languages = languages};
    rsp_texts *t = rsp_texts_load("en", w.d);
    rsp_labels *l = rsp_labels_new(w.study, t);
    brief_definition *b = shipped(w.d);
    brief_edition e = {.p = &pub, .definition = b, .texts = t, .labels = l, .domain = "", .arena = rsp_arena_new()};
    brief_observe(&e);
    const brief_observation *battery = observed(&e, "battery", "engage_items"),
                            *several = observed(&e, "several", "channels");
    assert_true(battery && several);
    assert_true(brief_number(&battery->values, "clear") == clear && brief_number(&battery->values, "apart") == apart);
    assert_true(brief_number(&several->values, "clear") == clear);
    free(e.observations);
    rsp_arena_free(e.arena);
    brief_definition_free(b);
    rsp_labels_free(l);
    rsp_texts_free(t);
    free_world(&w);
}

static void the_highest_is_named_only_where_it_stands_out(void **state) {
    (void) state;
    check_order(0.005, 1, 1);
    check_order(0.02, 0, 1);
    check_order(0.1, 0, 0);
}

static void rate(world *w, const char *domain, const char *factor, double net, double p) {
    add(w, "drivers", domain, factor, "", "net", net, 0.05)->p_adj = p;
}

static void associate(world *w, const char *factor, double own, double p, double pool, double pool_p) {
    add(w, "drivers", "country=PL", factor, "", "coefficient", own, 0.02)->p_adj = p;
    add(w, "drivers", "", factor, "", "pooled", pool, 0.01)->p_adj = pool_p;
}

static const char *said(const brief_observation *o, const char *name) {
    for (size_t k = 0; k < o->values.n; k++)
        if (strcmp(o->values.v[k].name, name) == 0) return o->values.v[k].text;
    return NULL;
}

/* Poland against all countries: time runs clearly against a clear pool; trust against a pool that is not clear; culture is
 * not clear itself. `p` is that of time within Poland. */
static void check_country(double p, double reversed, double negatives) {
    world w = {.d = rsp_diag_new(), .results = rsp_results_new()};
    w.study = rsp_study_load("specs/ifsw", w.d);
    assert_non_null(w.study);
    rate(&w, "country=PL", "leadership", 0.2, 0.001);
    rate(&w, "country=PL", "skills", 0.3, 0.001);
    rate(&w, "country=PL", "culture", 0.4, 0.06);
    rate(&w, "country=PL", "funding", -0.5, 0.001);
    rate(&w, "", "politics", -0.9, 0.001);
    associate(&w, "leadership", 0.08, 0.001, 0.05, 0.001);
    associate(&w, "culture", -0.01, 0.7, 0.05, 0.001);
    associate(&w, "time", -0.07, p, 0.05, 0.001);
    associate(&w, "trust", -0.06, 0.02, 0.01, 0.4);
    w.published = rsp_disclose(w.study, w.results, NULL, false, w.d);
    const char *languages[] = {"en"};
    rsp_publication pub = {.study = w.study, .results = w.published, .n_languages = 1, .languages = languages};
    rsp_texts *t = rsp_texts_load("en", w.d);
    rsp_labels *l = rsp_labels_new(w.study, t);
    brief_definition *b = shipped(w.d);
    brief_edition e = {.p = &pub,
                       .definition = b,
                       .texts = t,
                       .labels = l,
                       .country = "PL",
                       .domain = "country=PL",
                       .arena = rsp_arena_new()};
    brief_observe(&e);
    const brief_observation *o = observed(&e, "drivers_country", "drivers");
    assert_non_null(o);
    assert_string_equal(said(o, "enabling"), "“Skills and support for staff” and “Leadership”");
    assert_string_equal(said(o, "blocking"), "“Funding”");
    assert_string_equal(said(o, "positive"), "“Leadership”");
    assert_true(brief_number(&o->values, "positives") == 1 && brief_number(&o->values, "negatives") == negatives);
    assert_string_equal(said(o, "reversed"), reversed > 0 ? "“Time and workload”" : "");
    assert_string_equal(said(o, "has_reversed"), reversed > 0 ? "yes" : "no");
    const brief_source *decided = brief_sources(&o->values, "has_reversed");
    bool time = false;
    for (; decided; decided = decided->next) time = time || strcmp(decided->row->term, "time") == 0;
    assert_true(time); /* the nearest to running against the pool, whether it does or not */
    free(e.observations);
    rsp_arena_free(e.arena);
    brief_definition_free(b);
    rsp_labels_free(l);
    rsp_texts_free(t);
    free_world(&w);
}

static void factors_in_a_country_follow_from_its_tests(void **state) {
    (void) state;
    check_country(0.001, 1, 2);
    check_country(0.06, 0, 1);
}

/* The first sentence that may be said of an observation. */
static const char *sentence_of(const brief_definition *b, const brief_observation *o) {
    for (size_t k = 0; k < b->sentences.n; k++)
        if (strcmp(b->sentences.rules[k].of, o->kind) == 0 && brief_holds(b->sentences.rules[k].when, &o->values))
            return b->sentences.rules[k].say;
    return "";
}

/* A factor that goes with less of the outcome is told, beside others or alone; only where there is neither nothing is. */
static void check_drivers(double culture, double time, const char *says, const char *with) {
    world w = {.d = rsp_diag_new(), .results = rsp_results_new()};
    w.study = rsp_study_load("specs/ifsw", w.d);
    assert_non_null(w.study);
    const char *factors[] = {"culture", "time"};
    const double estimates[] = {culture, time};
    for (size_t k = 0; k < 2; k++) {
        rsp_row *r = add(&w, "drivers", "", factors[k], "", "coefficient", estimates[k], 0.05);
        r->p = r->p_adj = fabs(estimates[k]) > 0.1 ? 1e-6 : 0.5;
        add(&w, "drivers", "", factors[k], "", "explained_share", 0.5, 0.05);
    }
    w.published = rsp_disclose(w.study, w.results, NULL, false, w.d);
    const char *languages[] = {"en"};
    rsp_publication pub = {.study = w.study, .results = w.published, .n_languages = 1, .languages = languages};
    rsp_texts *t = rsp_texts_load("en", w.d);
    rsp_labels *l = rsp_labels_new(w.study, t);
    brief_definition *b = shipped(w.d);
    brief_edition e = {.p = &pub, .definition = b, .texts = t, .labels = l, .domain = "", .arena = rsp_arena_new()};
    brief_observe(&e);
    const brief_observation *o = observed(&e, "drivers", "drivers");
    assert_non_null(o);
    const char *sentence = sentence_of(b, o);
    assert_string_equal(sentence, says);
    const char *text = rsp_say(t, e.arena, sentence, o->values.v, o->values.n);
    if (!strstr(text, with)) fail_msg("'%s' is not said: %s", with, text);
    free(e.observations);
    rsp_arena_free(e.arena);
    brief_definition_free(b);
    rsp_labels_free(l);
    rsp_texts_free(t);
    free_world(&w);
}

static void factors_that_go_with_less_are_named(void **state) {
    (void) state;
    check_drivers(0.4, 0.05, "brief.finding.drivers", "what all factors explain.");
    check_drivers(0.4, -0.3, "brief.finding.drivers", "The association is negative with “");
    check_drivers(-0.4, 0.05, "brief.finding.model_negative", "For 1 other factor");
    check_drivers(0.02, -0.05, "brief.finding.model_none", "none of the factors");
}

/* ---- pages ------------------------------------------------------------------------------------------------------ */

static void headings_stay_with_their_text(void **state) {
    (void) state;
    brief_piece pieces[] = {
        {.kind = PIECE_TEXT, .x = BRIEF_BODY_X, .height = 690},
        {.kind = PIECE_TEXT, .x = BRIEF_LEFT, .height = 15, .margin = true, .keep = true, .gap = 10},
        {.kind = PIECE_TEXT, .x = BRIEF_BODY_X, .height = 60},
        {.kind = PIECE_FIGURE, .x = BRIEF_LEFT, .height = 680, .gap = 10},
        {.kind = PIECE_TEXT, .x = BRIEF_BODY_X, .height = 60, .gap = 10},
    };
    brief_document d = {.n = 5, .pieces = pieces};
    brief_paginate(&d, 4);
    assert_int_equal(d.n_pages, 3);
    assert_true(pieces[1].margin && pieces[1].page == 1 && pieces[2].page == 1);
    assert_true(pieces[1].y == BRIEF_TOP && pieces[2].y == BRIEF_TOP); /* the heading stands beside its text */
    /* the figure waits for the next page, the text goes on, and the order is that of reading */
    assert_true(pieces[3].kind == PIECE_TEXT && pieces[3].page == 1);
    assert_true(pieces[4].kind == PIECE_FIGURE && pieces[4].page == 2 && pieces[4].y == BRIEF_TOP);
    for (size_t k = 0; k < 5; k++) assert_true(pieces[k].y + pieces[k].height <= BRIEF_BOTTOM);
}

static void a_short_brief_has_two_pages(void **state) {
    (void) state;
    brief_piece pieces[4] = {{.kind = PIECE_TEXT, .x = BRIEF_BODY_X, .height = 100}};
    for (size_t k = 1; k < 4; k++)
        pieces[k] = (brief_piece){.kind = PIECE_TEXT, .x = BRIEF_LEFT, .height = 20, .margin = k % 2, .keep = k % 2};
    brief_document d = {.n = 4, .pieces = pieces};
    brief_paginate(&d, 4);
    assert_int_equal(d.n_pages, 2);
}

/* ---- the PDF ---------------------------------------------------------------------------------------------------- */

static void render(const world *w, const char *dir) {
    const char *languages[] = {"en", "pl"};
    rsp_texts *texts[2];
    rsp_labels *labels[2];
    for (size_t k = 0; k < 2; k++) labels[k] = rsp_labels_new(w->study, texts[k] = rsp_texts_load(languages[k], w->d));
    rsp_publication p = {.study = w->study,
                         .results = w->published,
                         .dir = dir,
                         .content_id = "0123456789abcdef",
                         .preliminary = true,
                         .n_languages = 2,
                         .languages = languages,
                         .labels = labels};
    if (!rsp_render_briefs(&p, w->d) || rsp_diag_errors(w->d)) rsp_diag_print(w->d, stderr, false, 0);
    assert_int_equal(rsp_diag_errors(w->d), 0);
    for (size_t k = 0; k < 2; k++) {
        rsp_labels_free(labels[k]);
        rsp_texts_free(texts[k]);
    }
}

static rsp_buf read_pdf(const char *dir, const char *name, rsp_diag *d) {
    char path[256];
    rsp_buf bytes = {0};
    snprintf(path, sizeof path, "%s/briefs/%s", dir, name);
    assert_true(rsp_read_file(path, &bytes, d, RSP_ERR_DATA, RSP_NOWHERE));
    return bytes;
}

static int count_figures(qpdf_data q, qpdf_oh element, int depth) {
    int n = 0;
    if (depth > 20 || !qpdf_oh_is_dictionary(q, element)) return 0;
    if (qpdf_oh_is_name_and_equals(q, qpdf_oh_get_key(q, element, "/S"), "/Figure")) {
        assert_true(qpdf_oh_has_key(q, element, "/Alt"));
        n++;
    }
    qpdf_oh children = qpdf_oh_get_key(q, element, "/K");
    if (!qpdf_oh_is_array(q, children)) return n + count_figures(q, children, depth + 1);
    for (int k = 0; k < qpdf_oh_get_array_n_items(q, children); k++)
        n += count_figures(q, qpdf_oh_get_array_item(q, children, k), depth + 1);
    return n;
}

static void check_pdf(const rsp_buf *bytes, const char *lang) {
    qpdf_data q = qpdf_init();
    assert_int_equal(qpdf_read_memory(q, "brief", bytes->data, bytes->length, NULL), QPDF_SUCCESS);
    int pages = qpdf_get_num_pages(q);
    assert_true(pages >= 2 && pages <= 4);
    qpdf_oh root = qpdf_get_root(q);
    assert_string_equal(qpdf_oh_get_utf8_value(q, qpdf_oh_get_key(q, root, "/Lang")), lang);
    assert_true(qpdf_oh_get_bool_value(
        q, qpdf_oh_get_key(q, qpdf_oh_get_key(q, root, "/ViewerPreferences"), "/DisplayDocTitle")));
    assert_true(qpdf_oh_get_bool_value(q, qpdf_oh_get_key(q, qpdf_oh_get_key(q, root, "/MarkInfo"), "/Marked")));
    assert_true(qpdf_oh_has_key(q, root, "/Outlines"));
    assert_true(qpdf_oh_has_key(q, root, "/Metadata"));
    assert_true(count_figures(q, qpdf_oh_get_key(q, root, "/StructTreeRoot"), 0) >= 1);
    qpdf_cleanup(&q);
}

/* The text as pdftotext reads it, in one line. */
static rsp_buf text_of(const char *dir, const char *name) {
    char command[400], line[4096];
    rsp_buf text = {0};
    snprintf(command, sizeof command, "pdftotext %s/briefs/%s -", dir, name);
    FILE *f = popen(command, "r");
    assert_non_null(f);
    while (fgets(line, sizeof line, f)) rsp_buf_puts(&text, line);
    assert_int_equal(pclose(f), 0);
    assert_non_null(text.data);
    for (char *p = text.data; *p; p++)
        if (*p == '\n') *p = ' '; /* where lines break is not what is looked for */
    return text;
}

static void a_brief_is_accessible_and_the_same_again(void **state) {
    (void) state;
    char one[] = "/tmp/test_brief_1_XXXXXX", two[] = "/tmp/test_brief_2_XXXXXX";
    assert_non_null(mkdtemp(one));
    assert_non_null(mkdtemp(two));
    world w = new_world(2e-9);
    rsp_threads_set(2);
    render(&w, one);
    rsp_threads_set(1);
    render(&w, two);
    static const char *const names[] = {"brief-all-en.pdf", "brief-all-pl.pdf"}, *const langs[] = {"en", "pl"};
    for (size_t k = 0; k < 2; k++) {
        rsp_buf a = read_pdf(one, names[k], w.d), b = read_pdf(two, names[k], w.d), text = text_of(one, names[k]);
        assert_int_equal(a.length, b.length);
        assert_memory_equal(a.data, b.data, a.length);
        check_pdf(&a, langs[k]);
        assert_true(brief_count_printed(text.data) <= 1200);
        assert_non_null(strstr(text.data, "0123456789abcdef"));
        rsp_buf_free(&a);
        rsp_buf_free(&b);
        rsp_buf_free(&text);
    }
    rsp_buf english = text_of(one, names[0]), polish = text_of(one, names[1]);
    assert_non_null(strstr(english.data, "negative association with “Age in years”"));
    assert_non_null(strstr(english.data, "5,381 respondents"));
    assert_non_null(strstr(english.data, "Preliminary"));
    assert_non_null(strstr(polish.data, "Wyniki wstępne"));
    rsp_buf_free(&english);
    rsp_buf_free(&polish);
    free_world(&w);
    assert_int_equal(sh("rm -rf %s %s", one, two), 0);
}

static void pages_and_figures(const char *dir, int *pages, int *figures) {
    rsp_diag *d = rsp_diag_new();
    rsp_buf pdf = read_pdf(dir, "brief-all-en.pdf", d);
    qpdf_data q = qpdf_init();
    assert_int_equal(qpdf_read_memory(q, "brief", pdf.data, pdf.length, NULL), QPDF_SUCCESS);
    *pages = qpdf_get_num_pages(q);
    *figures = count_figures(q, qpdf_oh_get_key(q, qpdf_get_root(q), "/StructTreeRoot"), 0);
    qpdf_cleanup(&q);
    rsp_buf_free(&pdf);
    rsp_diag_free(d);
}

/* Less room: fewer figures, but never none, and pages as allowed; limits that nothing can keep are said. */
static void a_brief_keeps_to_its_limits(void **state) {
    static const struct {
        int pages, words;
        bool possible;
    } limits[] = {{4, 1200, true}, {4, 600, true}, {2, 1200, true}, {1, 50, false}};
    char dir[] = "/tmp/test_brief_limits_XXXXXX", latest[128];
    int before = 0;
    (void) state;
    assert_non_null(mkdtemp(dir));
    snprintf(latest, sizeof latest, "%s/out/wvs/latest", dir);
    assert_int_equal(
        sh("mkdir %s/build && cp %s/responsive %s/build && cp -r reports specs %s && mkdir %s/fixtures && cp -r "
           "fixtures/wvs %s/fixtures",
           dir, build_folder(), dir, dir, dir, dir),
        0);
    for (size_t k = 0; k < sizeof limits / sizeof *limits; k++) {
        int pages, figures;
        assert_int_equal(sh("sed -i 's/^limits: {pages: [0-9]*, words: [0-9]*/limits: {pages: %d, words: %d/' "
                            "%s/reports/brief.yaml",
                            limits[k].pages, limits[k].words, dir),
                         0);
        int status =
            sh("%s/build/responsive run %s/specs/wvs --out %s/out --lang en --quiet 2>%s/stderr", dir, dir, dir, dir);
        assert_true(status <= 1);
        pages_and_figures(latest, &pages, &figures);
        assert_int_equal(sh("grep -q 'brief-all-en.pdf has %d pages.*allows %d and %d' %s/stderr", pages,
                            limits[k].pages, limits[k].words, dir) == 0,
                         !limits[k].possible);
        if (limits[k].possible) assert_true(pages <= limits[k].pages);
        assert_true(figures >= 1 && (!k || figures < before));
        if (k + 2 < sizeof limits / sizeof *limits) before = figures;
    }
    assert_int_equal(sh("rm -rf %s", dir), 0);
}

static void damaged_pdf_is_refused(void **state) {
    (void) state;
    rsp_diag *d = rsp_diag_new();
    rsp_buf bytes = {0};
    rsp_pdf_facts facts = {"title", "author", "subject", "en", "2000-01-01T00:00:00Z", 0, NULL};
    rsp_buf_puts(&bytes, "%PDF-1.5 this is none");
    assert_false(rsp_pdf_finish(&bytes, &facts, "test", d));
    assert_int_equal(rsp_diag_errors(d), 1);
    rsp_buf_free(&bytes);
    rsp_diag_free(d);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(spaces_that_must_not_break),
        cmocka_unit_test(long_words_are_hyphenated),
        cmocka_unit_test(faults_of_a_definition_are_all_reported),
        cmocka_unit_test(missing_conditions_do_not_hold),
        cmocka_unit_test(every_language_can_say_everything),
        cmocka_unit_test(associations_are_named_only_where_a_test_says_so),
        cmocka_unit_test(the_highest_is_named_only_where_it_stands_out),
        cmocka_unit_test(factors_that_go_with_less_are_named),
        cmocka_unit_test(factors_in_a_country_follow_from_its_tests),
        cmocka_unit_test(headings_stay_with_their_text),
        cmocka_unit_test(a_short_brief_has_two_pages),
        cmocka_unit_test(a_brief_is_accessible_and_the_same_again),
        cmocka_unit_test(a_brief_keeps_to_its_limits),
        cmocka_unit_test(damaged_pdf_is_refused),
    };
    return cmocka_run_group_tests_name("brief", tests, NULL, NULL);
}
