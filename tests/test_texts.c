/* Messages: plurals, numbers and dates of every language, and catalogues that must be refused. */
#include "render/labels.h"
#include "render/message.h"
#include "render/texts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char *const LANGUAGES[] = {"en", "da", "de", "fr", "pl", "pt", "ro"};

static rsp_texts *load(const char *lang) {
    rsp_diag *d = rsp_diag_new();
    rsp_texts *t = rsp_texts_load(lang, d);
    if (!t) rsp_diag_print(d, stderr, false, 0);
    assert_non_null(t);
    rsp_diag_free(d);
    return t;
}

static void respondents(const char *lang, double n, const char *expected) {
    rsp_arena *a = rsp_arena_new();
    rsp_texts *t = load(lang);
    assert_string_equal(rsp_say(t, a, "respondents", (rsp_arg[]){{"n", NULL, n}}, 1), expected);
    rsp_texts_free(t);
    rsp_arena_free(a);
}

static void test_plurals(void **state) {
    (void) state;
    respondents("en", 1, "1 respondent");
    respondents("en", 1234, "1,234 respondents");
    respondents("pl", 1, "1 osoba badana");
    respondents("pl", 22, "22 osoby badane");
    respondents("pl", 25, "25 osób badanych");
    respondents("ro", 2, "2 persoane respondente");
    respondents("ro", 20, "20 de persoane respondente"); /* from twenty on Romanian puts "de" between */
    respondents("fr", 0, "0 personne interrogée");       /* nought is singular in French */
    respondents("de", 2000, "2.000 befragte Personen");
}

static void number(const char *lang, const char *percent, const char *plain, const char *date) {
    rsp_arena *a = rsp_arena_new();
    rsp_texts *t = load(lang);
    assert_string_equal(rsp_say_percent(t, a, 0.4372, 1), percent);
    assert_string_equal(rsp_say_number(t, a, -12345.678, 2), plain);
    rsp_arg days[] = {{"from", "2026-03-01", 0}, {"to", "soon", 0}};
    const char *period = rsp_say(t, a, "period", days, 2);
    if (!strstr(period, date) || !strstr(period, "soon")) fail_msg("%s: '%s' is not in '%s'", lang, date, period);
    rsp_texts_free(t);
    rsp_arena_free(a);
}

/* What CLDR 42 says (ICU 72). U+00A0 and U+202F: no-break spaces. */
static void test_numbers(void **state) {
    (void) state;
    number("en", "43.7%", "\u221212,345.68", "1 March 2026");
    number("de", "43,7\u00a0%", "\u221212.345,68", "1. März 2026");
    number("da", "43,7\u00a0%", "\u221212.345,68", "1. marts 2026");
    number("fr", "43,7\u00a0%", "\u221212\u202f345,68", "1er mars 2026");
    number("pl", "43,7%", "\u221212\u00a0345,68", "1 marca 2026");
    number("pt", "43,7%", "\u221212\u00a0345,68", "1 de março de 2026");
    number("ro", "43,7\u00a0%", "\u221212.345,68", "1 martie 2026");
}

static void test_edges(void **state) {
    (void) state;
    rsp_arena *a = rsp_arena_new();
    rsp_texts *t = load("en");
    assert_string_equal(rsp_say_number(t, a, -0.0001, 1), "0.0"); /* no minus before a nought */
    assert_string_equal(rsp_say_number(t, a, 0.0 / 0.0, 1), "\u2013");
    assert_string_equal(rsp_say(t, a, "net_value", (rsp_arg[]){{"x", NULL, -0.125}}, 1), "\u221212");
    assert_string_equal(rsp_say(t, a, "net_value", (rsp_arg[]){{"x", NULL, 0.3}}, 1), "+30");
    assert_string_equal(rsp_say_language(t, a, "ro"), "română");
    rsp_texts_free(t);
    rsp_arena_free(a);
}

static void test_all_languages_load(void **state) {
    (void) state;
    for (size_t k = 0; k < sizeof LANGUAGES / sizeof *LANGUAGES; k++) rsp_texts_free(load(LANGUAGES[k]));
}

static void in_country(rsp_labels *l, const char *code, const char *expected) {
    rsp_arena *a = rsp_arena_new();
    assert_string_equal(rsp_label_in_country(l, a, code), expected);
    rsp_arena_free(a);
}

/* Every country of IFSW Europe has its form in every language; a code that is none is named neutrally. */
static void test_countries(void **state) {
    (void) state;
    static const char *const some[][4] = {
        {"en", "NL", "in the Netherlands", "in XX"}, {"da", "FO", "på Færøerne", "i XX"},
        {"de", "CH", "in der Schweiz", "in XX"},     {"fr", "PT", "au Portugal", "(XX)"},
        {"pl", "FR", "we Francji", "(XX)"},          {"pt", "FR", "em França", "(XX)"},
        {"ro", "GB", "din Regatul Unit", "din XX"}};
    rsp_diag *d = rsp_diag_new();
    rsp_study *s = rsp_study_load("specs/ifsw", d);
    assert_non_null(s);
    const rsp_list *list = s->variables[s->roles.country].list;
    for (size_t k = 0; k < sizeof some / sizeof *some; k++) {
        rsp_texts *t = load(some[k][0]);
        rsp_labels *l = rsp_labels_new(s, t);
        assert_true(list->n >= 35);
        for (size_t j = 0; j < list->n; j++) {
            char key[64];
            snprintf(key, sizeof key, "in_country.%s", list->choices[j].code);
            if (!rsp_texts_has(t, key)) fail_msg("%s: no form for %s", some[k][0], list->choices[j].code);
        }
        in_country(l, some[k][1], some[k][2]);
        in_country(l, "XX", some[k][3]);
        rsp_labels_free(l);
        rsp_texts_free(t);
    }
    rsp_study_free(s);
    rsp_diag_free(d);
}

/* Does a preposition stand before the bare name in this line? */
static bool bare_name(const char *line, size_t length, const char *const *prepositions) {
    for (const char *p = line; (p = strstr(p, "{country}")) && p < line + length; p++)
        for (size_t k = 0; prepositions[k]; k++) {
            size_t n = strlen(prepositions[k]);
            if (p >= line + n + 2 && p[-1] == ' ' && strncmp(p - n - 1, prepositions[k], n) == 0 &&
                strchr(" \"(", p[-(long) n - 2]))
                return true;
        }
    return false;
}

/* No sentence puts a preposition before a country's bare name, which would want an article or an ending. */
static void test_no_bare_names(void **state) {
    (void) state;
    static const char *const prepositions[] = {"in",  "between",  "from",   "of", "i",   "fra", "mellem", "aus",
                                               "von", "zwischen", "en",     "à",  "au",  "de",  "entre",  "w",
                                               "z",   "kraju",    "między", "em", "din", "în",  "între",  NULL};
    rsp_diag *d = rsp_diag_new();
    for (size_t k = 0; k < sizeof LANGUAGES / sizeof *LANGUAGES; k++) {
        char path[64];
        rsp_buf text = {0};
        snprintf(path, sizeof path, "reports/texts/%s.yaml", LANGUAGES[k]);
        assert_true(rsp_read_file(path, &text, d, RSP_ERR_STUDY, RSP_NOWHERE));
        rsp_buf_putc(&text, '\0');
        for (const char *line = text.data; *line; line += strcspn(line, "\n") + (line[strcspn(line, "\n")] != 0))
            if (strncmp(line, "in_country.other", 16) != 0 && bare_name(line, strcspn(line, "\n"), prepositions))
                fail_msg("%s: %.*s", path, (int) strcspn(line, "\n"), line);
        rsp_buf_free(&text);
    }
    assert_true(bare_name("x: \"from {country}\"", 19, prepositions));
    assert_false(bare_name("x: \"{n} · {country}\"", 20, prepositions));
    rsp_diag_free(d);
}

static void test_strange_languages(void **state) {
    (void) state;
    static const char *const names[] = {"xx", "../en", "", "e", "en/../en", "-en"};
    for (size_t k = 0; k < sizeof names / sizeof *names; k++) {
        rsp_diag *d = rsp_diag_new();
        assert_null(rsp_texts_load(names[k], d));
        assert_int_equal(rsp_diag_errors(d), 1);
        rsp_diag_free(d);
    }
}

static const char *format(const char *locale, const char *message, double n, const char *text, rsp_arena *a) {
    rsp_diag *d = rsp_diag_new();
    rsp_msg_locale *l = rsp_msg_locale_new(locale);
    rsp_msg *m = rsp_msg_compile(a, l, message, RSP_NOWHERE, d);
    const char *out = m ? rsp_msg_format(m, l, a, (rsp_arg[]){{"n", NULL, n}, {"t", text, 0}}, 2) : NULL;
    assert_true((m == NULL) == (rsp_diag_errors(d) == 1));
    rsp_msg_locale_free(l);
    rsp_diag_free(d);
    return out;
}

static void test_messages(void **state) {
    (void) state;
    static const struct {
        const char *message, *expected;
        double n;
    } cases[] = {
        {"l'an {n}, d''ici", "l'an 3, d'ici", 3},
        {"'{n}' is {n}", "{n} is 3", 3},
        {"{n, plural, =0{none} one{one #} other{# of '#'}}", "none", 0},
        {"{n, plural, =0{none} one{one #} other{# of '#'}}", "one 1", 1},
        {"{n, plural, =0{none} one{one #} other{# of '#'}}", "1,500 of #", 1500},
        {"{n, selectordinal, one{#st} two{#nd} few{#rd} other{#th}}", "22nd", 22},
        {"{t, select, a{A} other{?}}{t, select, b{B{n, number, percent}} other{?}}", "?B50%", 0.5},
        {"{n, number, ::.00}", "2.50", 2.5},
        {"{n, number, integer}", "\u22123", -2.6},
    };
    rsp_arena *a = rsp_arena_new();
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++)
        assert_string_equal(format("en_GB", cases[k].message, cases[k].n, "b", a), cases[k].expected);
    rsp_arena_free(a);
}

static void test_malformed(void **state) {
    (void) state;
    static const char *const wrong[] = {"{",
                                        "}",
                                        "{n",
                                        "{}",
                                        "{n,}",
                                        "{n, plural}",
                                        "{n, plural, one{x}}",
                                        "{n, plural, other{x}",
                                        "{n, plural, other{x}}",
                                        "{n, plural, one{x} some{y} other{z}}",
                                        "{n, plural, one{x} one{y} other{z}}",
                                        "{n, plural, =x{y} one{} other{}}",
                                        "{n, number, ::nonsense-stem}",
                                        "{n, number, fancy}",
                                        "{n, date, tomorrow}",
                                        "{n, list}",
                                        "'{ open",
                                        "{n, select, a{x}}"};
    rsp_arena *a = rsp_arena_new();
    for (size_t k = 0; k < sizeof wrong / sizeof *wrong; k++)
        if (format("en_GB", wrong[k], 1, "b", a)) fail_msg("accepted: %s", wrong[k]);
    assert_null(format("pl_PL", "{n, plural, one{#} other{#}}", 1, "b", a)); /* Polish needs few and many */
    rsp_buf deep = {0};
    for (int k = 0; k < 4000; k++) rsp_buf_puts(&deep, "{t,select,other{");
    assert_null(format("en_GB", deep.data, 1, "b", a)); /* refused, not recursed into */
    rsp_buf_free(&deep);
    rsp_arena_free(a);
}

static void test_concurrent(void **state) {
    (void) state;
    rsp_texts *t = load("pl");
    int wrong = 0;
#pragma omp parallel for reduction(+ : wrong) num_threads(4)
    for (int k = 0; k < 2000; k++) {
        rsp_arena *a = rsp_arena_new();
        wrong += strcmp(rsp_say(t, a, "respondents", (rsp_arg[]){{"n", NULL, 5}}, 1), "5 osób badanych") != 0;
        wrong += strcmp(rsp_say_percent(t, a, 0.5, 0), "50%") != 0;
        rsp_arena_free(a);
    }
    assert_int_equal(wrong, 0);
    rsp_texts_free(t);
}

static void test_full_stop(void **state) {
    (void) state;
    static const struct {
        const char *text, *stop;
    } cases[] = {{"Age", "."},      {"Age.", ""},    {"How old?", ""}, {"Well!", ""},
                 {"And\u2026", ""}, {"\u2013", "."}, {"", "."}};
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++)
        assert_string_equal(rsp_full_stop(cases[k].text), cases[k].stop);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_plurals),
                                       cmocka_unit_test(test_numbers),
                                       cmocka_unit_test(test_edges),
                                       cmocka_unit_test(test_all_languages_load),
                                       cmocka_unit_test(test_countries),
                                       cmocka_unit_test(test_no_bare_names),
                                       cmocka_unit_test(test_strange_languages),
                                       cmocka_unit_test(test_messages),
                                       cmocka_unit_test(test_malformed),
                                       cmocka_unit_test(test_full_stop),
                                       cmocka_unit_test(test_concurrent)};
    return cmocka_run_group_tests_name("texts", tests, NULL, NULL);
}
