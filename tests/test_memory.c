/* What publications tell together: newcomers wait for company, the memory is sealed, and where it is lost nothing is published. */
#include "responsive/results.h"
#include "shell.h"

#include <jansson.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

enum { MOST = 400, NIGHTS = 10 };

static char here[64], program[512];

static FILE *create(const char *name) {
    char path[256];
    snprintf(path, sizeof path, "%s/%s", here, name);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    return f;
}

static void put(const char *name, const char *text) {
    FILE *f = create(name);
    fputs(text, f);
    assert_int_equal(fclose(f), 0);
}

/* ---- a study ---------------------------------------------------------------------------------------------------- */

struct respondent {
    int country, trust, voice; /* voice: -1 no answer */
    bool gone;
};

static struct respondent people[MOST];
static size_t n_people;

static void add(int country, int trust, int voice) {
    assert_true(n_people < MOST);
    people[n_people++] = (struct respondent){country, trust, voice, false};
}

static void write_export(bool with_id) {
    static const char *const countries[] = {"PL", "DK", "RO"}, *const levels[] = {"low", "mid", "high"};
    FILE *f = create("s/answers.csv");
    fprintf(f, "%scountry,trust,voice\n", with_id ? "id," : "");
    for (size_t k = 0; k < n_people; k++) {
        if (people[k].gone) continue;
        if (with_id) fprintf(f, "p%zu,", k);
        fprintf(f, "%s,%s,%s\n", countries[people[k].country], levels[people[k].trust],
                people[k].voice < 0 ? "" : levels[people[k].voice]);
    }
    assert_int_equal(fclose(f), 0);
}

static void new_study(const char *extra, bool with_id) {
    char text[2048];
    n_people = 0;
    assert_int_equal(sh("rm -rf %s/s %s/out && mkdir %s/s", here, here, here), 0);
    put("s/survey.csv", "type,name,label::en\ntext,id,Respondent\nselect_one country,country,Country\n"
                        "select_one level,trust,Trust\nselect_one level,voice,Voice\n");
    put("s/choices.csv", "list_name,name,label::en\ncountry,PL,Poland\ncountry,DK,Denmark\ncountry,RO,Romania\n"
                         "level,low,Low\nlevel,mid,Middle\nlevel,high,High\n");
    snprintf(text, sizeof text,
             "study: s\ntitle: {en: S}\nlanguages: [en]\nsources: [{files: answers.csv, format: csv}]\n"
             "instrument: {survey: survey.csv, choices: choices.csv}\nroles: {%scountry: country}\n"
             "design: {sample: self_selected}\nweighting: {scale: sample}\n"
             "tables:\n  - {id: a, items: [trust, voice], by: [[], [country]]}\n%s",
             with_id ? "id: id, " : "", extra);
    put("s/study.yaml", text);
}

/* Ends with 0 or 1 where all went well. */
static int night(void) {
    return sh("XDG_CONFIG_HOME=%s/config %s run %s/s --out %s/out --json --only a > %s/json 2> %s/said", here, program,
              here, here, here, here);
}

static json_t *summary(void) {
    char path[256];
    snprintf(path, sizeof path, "%s/json", here);
    json_t *s = json_load_file(path, 0, NULL);
    assert_non_null(s);
    return s;
}

static void assert_outcome(const char *outcome, int waiting) {
    int status = night();
    if (status > 1) sh("cat %s/said >&2", here);
    json_t *s = summary();
    assert_string_equal(json_string_value(json_object_get(s, "outcome")), outcome);
    if (waiting >= 0) assert_int_equal(json_integer_value(json_object_get(s, "waiting")), waiting);
    json_decref(s);
}

static rsp_published *results(void) {
    char path[256];
    rsp_diag *d = rsp_diag_new();
    snprintf(path, sizeof path, "%s/out/s/latest/data/results.csv", here);
    rsp_published *p = rsp_published_read_csv(path, d);
    assert_non_null(p);
    rsp_diag_free(d);
    return p;
}

static double n_of(const rsp_published *p, const char *domain, const char *term) {
    const rsp_published_row *r = rsp_published_find(p, "a", domain, term, "low", "proportion");
    assert_non_null(r);
    return r->n;
}

static void fill(void) {
    for (int k = 0; k < 120; k++) add(k % 2, k % 3, (k / 3) % 3);
}

/* ---- waiting ---------------------------------------------------------------------------------------------------- */

static void a_newcomer_waits_for_company(void **state) {
    (void) state;
    for (int with_id = 0; with_id < 2; with_id++) {
        new_study("", with_id);
        fill();
        write_export(with_id);
        assert_outcome("published", 0);
        rsp_published *before = results();
        assert_true(n_of(before, "country=PL", "trust") == 60);
        add(0, 1, 1);
        write_export(with_id);
        assert_outcome("published", 1);
        rsp_published *now = results();
        for (size_t k = 0; k < rsp_published_count(before); k++) {
            const rsp_published_row *x = rsp_published_at(before, k), *y = rsp_published_at(now, k);
            bool same = x->estimate == y->estimate || (isnan(x->estimate) && isnan(y->estimate));
            if (strcmp(x->analysis, "a") == 0 && !same) fail_msg("%s %s %s moved", x->domain, x->term, x->level);
        }
        rsp_published_free(before);
        rsp_published_free(now);
        assert_int_equal(sh("grep -c ',waiting,drop,' %s/out/s/latest/quality/cleaning.csv | grep -qx 1", here), 0);
        add(0, 2, 1);
        add(1, 0, 0); /* alone in Denmark, while there are two in Poland */
        write_export(with_id);
        assert_outcome("published", 3);
        add(0, 0, -1); /* a third in Poland, but the second to answer about voice */
        write_export(with_id);
        assert_outcome("published", 4);
        add(0, 0, 2);
        write_export(with_id);
        assert_outcome("published", 1);
        now = results();
        assert_true(n_of(now, "country=PL", "trust") == 64 && n_of(now, "country=PL", "voice") == 63);
        assert_true(n_of(now, "country=DK", "trust") == 60 && n_of(now, "", "trust") == 124);
        rsp_published_free(now);
    }
}

static void those_who_left_are_not_told_apart(void **state) {
    (void) state;
    new_study("", true);
    fill();
    write_export(true);
    assert_outcome("published", 0);
    people[0].gone = true;
    write_export(true);
    assert_outcome("too_little", -1);
    assert_int_equal(sh("test $(ls -d %s/out/s/2* | wc -l) = 1", here), 0);
    /* Beside newcomers in the other country: its own rows are hidden, and what would give them away. */
    for (int k = 0; k < 4; k++) add(1, k % 3, 1);
    write_export(true);
    assert_outcome("published", 0);
    rsp_published *p = results();
    assert_true(isnan(n_of(p, "country=PL", "trust")) && isnan(n_of(p, "country=PL", "voice")));
    assert_true(isnan(n_of(p, "country=DK", "trust")) || isnan(n_of(p, "", "trust")));
    rsp_published_free(p);
    people[2].gone = people[4].gone = true;
    write_export(true);
    assert_outcome("too_little", -1);
    for (int k = 0; k < 12; k++) add(k % 2, k % 3, 1);
    write_export(true);
    assert_outcome("published", 0);
    p = results();
    assert_true(n_of(p, "country=PL", "trust") == 63 && n_of(p, "country=DK", "trust") == 70);
    assert_true(n_of(p, "", "voice") == 133);
    rsp_published_free(p);
}

/* Nothing is published tonight and nothing sound stands: then nothing old is removed either. */
static void a_damaged_publication_and_too_little(void **state) {
    (void) state;
    new_study("keep: 1\n", true);
    fill();
    write_export(true);
    assert_outcome("published", 0);
    assert_int_equal(
        sh("cd %s/out/s && cp -r $(readlink latest) 20200101T000000Z && echo x >> latest/index.html", here), 0);
    people[0].gone = true;
    write_export(true);
    assert_outcome("too_little", -1);
    assert_int_equal(sh("test $(ls -d %s/out/s/2* | wc -l) = 2", here), 0);
}

/* One answer is corrected: alone it waits with the whole publication, beside newcomers of the other country its own rows wait,
 * and come back with more corrections or with newcomers of the same country. */
static void a_corrected_answer_is_not_told(void **state) {
    (void) state;
    new_study("", true);
    fill();
    write_export(true);
    assert_outcome("published", 0);
    people[0].trust = 2;
    write_export(true);
    assert_outcome("too_little", -1);
    assert_int_equal(sh("grep -q 'would tell what they answered' %s/said", here), 0);
    for (int k = 0; k < 6; k++) add(1, k % 3, 1);
    write_export(true);
    assert_outcome("published", 0);
    rsp_published *p = results();
    assert_true(isnan(n_of(p, "country=PL", "trust")) && n_of(p, "country=PL", "voice") == 60);
    /* What that costs stands on the quality page, and beside it: three answers in Poland, not for the rules' sake. */
    assert_int_equal(sh("grep -q '^PL,,[0-9]*,0,[0-9]*,3,' %s/out/s/latest/quality/disclosure.csv", here), 0);
    assert_int_equal(sh("grep -q 'What disclosure control hides' %s/out/s/latest/quality/quality.html", here), 0);
    assert_true(isnan(n_of(p, "country=DK", "trust")) || isnan(n_of(p, "", "trust")));
    rsp_published_free(p);
    for (int k = 2; k < 18; k += 2) people[k].trust = (people[k].trust + 1) % 3;
    for (int k = 0; k < 6; k++) add(1, k % 3, 1);
    write_export(true);
    assert_outcome("published", 0); /* nine corrections by now */
    p = results();
    assert_true(n_of(p, "country=PL", "trust") == 60 && n_of(p, "country=DK", "trust") == 72);
    rsp_published_free(p);
    people[0].voice = (people[0].voice + 1) % 3;
    for (int k = 0; k < 6; k++) add(0, k % 3, k % 2);
    write_export(true);
    assert_outcome("published", 0); /* in company */
    p = results();
    assert_true(n_of(p, "country=PL", "voice") == 66);
    rsp_published_free(p);
}

/* Five answers change beside newcomers, and four of them change back in a later night: one stays changed. Each step alone is of
 * enough respondents; the first and the third publication would differ by one. */
/* One respondent of Poland answers otherwise to what weights are raked to, beside newcomers of Denmark: by how much weighted shares
 * of another question move would tell what was answered there. They wait, though nobody's answer to it has changed. */
static void an_answer_that_weights_is_not_told(void **state) {
    (void) state;
    new_study("", true);
    put("s/targets.csv", "country,voice,share,source\nPL,low,0.2,census\nPL,mid,0.3,census\nPL,high,0.5,census\n"
                         "DK,low,0.4,census\nDK,mid,0.4,census\nDK,high,0.2,census\n");
    assert_int_equal(sh("sed -i 's/^weighting: .*/weighting: {within: country, rake: [{margin: voice, targets: "
                        "targets.csv}], scale: sample}/' %s/s/study.yaml",
                        here),
                     0);
    fill();
    write_export(true);
    assert_outcome("published", 0);
    rsp_published *before = results();
    people[0].voice = 2;
    for (int k = 0; k < 12; k++) add(1, k % 3, k / 4);
    write_export(true);
    assert_outcome("published", 0);
    rsp_published *now = results();
    size_t waiting = 0, told = 0;
    for (size_t k = 0; k < rsp_published_count(before); k++) {
        const rsp_published_row *x = rsp_published_at(before, k),
                                *y = rsp_published_find(now, x->analysis, x->domain, x->term, x->level, x->statistic);
        if (strcmp(x->analysis, "a") != 0 || strcmp(x->term, "trust") != 0) continue;
        assert_non_null(y);
        told += !isnan(y->estimate);
        if (strcmp(x->domain, "country=PL") != 0) continue;
        if (!isnan(y->estimate)) fail_msg("PL %s: %.9f, before %.9f", x->level, y->estimate, x->estimate);
        waiting++;
    }
    assert_true(waiting == 3 && told == 3); /* of all, or of Denmark: one follows from the other */
    rsp_published_free(before);
    rsp_published_free(now);
}

static void a_change_that_is_taken_back_is_not_told(void **state) {
    (void) state;
    new_study("", true);
    fill();
    write_export(true);
    assert_outcome("published", 0);
    for (int k = 0; k < 10; k += 2) people[k].trust = (people[k].trust + 1) % 3;
    write_export(true);
    assert_outcome("published", 0);
    for (int k = 2; k < 10; k += 2) people[k].trust = (people[k].trust + 2) % 3;
    write_export(true);
    assert_outcome("too_little", -1);
    assert_int_equal(sh("grep -q 'are those of an earlier publication again' %s/said", here), 0);
    /* With newcomers of the other country it is published, and Poland's rows wait; voice was never changed. */
    for (int k = 0; k < 6; k++) add(1, k % 3, 1);
    write_export(true);
    assert_outcome("published", 0);
    rsp_published *p = results();
    assert_true(isnan(n_of(p, "country=PL", "trust")) && n_of(p, "country=PL", "voice") == 60);
    rsp_published_free(p);
    people[0].trust = (people[0].trust + 2) % 3; /* the last one, too: as it was in the first */
    for (int k = 0; k < 6; k++) add(1, k % 3, 1);
    write_export(true);
    assert_outcome("published", 0);
    p = results();
    assert_true(n_of(p, "country=PL", "trust") == 60);
    rsp_published_free(p);
}

/* Two of Poland answer "high", which hides it, and the same in Denmark, by which it would be known. With one respondent a night in
 * each country, every third night lets six in. From the third night on the rule for a single night would show the cell; it is
 * shown as soon as that leaves open by three what Poland's two answered in the first night. */
static void a_trickle_opens_what_was_hidden(void **state) {
    (void) state;
    new_study("", true);
    for (int k = 0; k < 60; k++) add(k % 2, k < 4 ? 2 : k % 2 ? k % 3 : k / 2 % 2, 1);
    write_export(true);
    assert_outcome("published", 0);
    for (int t = 0; t < 9; t++) {
        add(0, t % 3, 1);
        add(1, t / 2 % 3, 1);
        write_export(true);
        assert_outcome("published", 2 * ((t + 1) % 3));
        rsp_published *p = results();
        const rsp_published_row *high = rsp_published_find(p, "a", "country=PL", "trust", "high", "proportion");
        if (isnan(high->estimate) != (t < 8)) fail_msg("night %d: %g of %g", t, high->estimate, high->n);
        rsp_published_free(p);
    }
}

/* Whatever comes, in whatever nights: two publications differ by none or by three, in every row that both show. */
static void any_two_publications_differ_by_enough(void **state) {
    (void) state;
    rsp_published *all[NIGHTS];
    rsp_rng rng;
    size_t differences = 0;
    rsp_rng_init(&rng, 5, 0);
    new_study("keep: 2\n", true);
    for (int k = 0; k < 50; k++) add(k % 3, (int) rsp_rng_below(&rng, 3), (int) rsp_rng_below(&rng, 4) - 1);
    for (size_t t = 0; t < NIGHTS; t++) {
        for (uint32_t more = t ? 1 + rsp_rng_below(&rng, 5) : 0; more; more--)
            add((int) rsp_rng_below(&rng, 3), (int) rsp_rng_below(&rng, 3), (int) rsp_rng_below(&rng, 4) - 1);
        write_export(true);
        assert_outcome("published", -1);
        all[t] = results();
    }
    for (size_t t = 0; t < NIGHTS; t++)
        for (size_t u = 0; u < t; u++)
            for (size_t k = 0; k < rsp_published_count(all[t]); k++) {
                const rsp_published_row *x = rsp_published_at(all[t], k),
                                        *y = rsp_published_find(all[u], x->analysis, x->domain, x->term, x->level,
                                                                x->statistic);
                if (!y || strcmp(x->analysis, "a") != 0 || isnan(x->n) || isnan(y->n)) continue;
                double gap = fabs(x->n - y->n);
                differences += gap > 0;
                if (gap > 0 && gap < 3) fail_msg("nights %zu and %zu: %s %s by %g", u, t, x->domain, x->term, gap);
            }
    assert_true(differences > 50);
    for (size_t t = 0; t < NIGHTS; t++) rsp_published_free(all[t]);
    assert_int_equal(sh("test $(ls -d %s/out/s/2* | wc -l) = 2", here), 0); /* old ones are gone, not what they told */
}

static void another_rule_of_change(void **state) {
    (void) state;
    new_study("disclosure: {minimum_change: 5}\n", true);
    fill();
    write_export(true);
    assert_outcome("published", 0);
    for (int k = 0; k < 4; k++) add(0, k % 3, 1);
    write_export(true);
    assert_outcome("published", 4);
    add(0, 0, 1);
    write_export(true);
    assert_outcome("published", 0);
    /* With the data public there is nothing to wait for, and nothing to remember. */
    new_study("disclosure: off\n", true);
    fill();
    write_export(true);
    assert_outcome("published", 0);
    assert_int_equal(sh("test -e %s/out/s/.memory", here), 1);
}

/* ---- the memory ------------------------------------------------------------------------------------------------- */

static void the_memory_is_sealed(void **state) {
    (void) state;
    new_study("", true);
    fill();
    write_export(true);
    assert_outcome("published", 0);
    assert_int_equal(sh("test $(stat -c %%a %s/out/s/.memory) = 600", here), 0);
    assert_int_equal(sh("grep -aqE 'country=|trust|proportion' %s/out/s/.memory", here), 1);
    assert_int_equal(sh("cp %s/out/s/.memory %s/first", here, here), 0);
    for (int k = 0; k < 6; k++) add(k % 2, k % 3, 1);
    write_export(true);
    assert_outcome("published", 0);
    static const char *const losses[] = {
        "rm out/s/.memory",                                                       /* gone */
        "cp first out/s/.memory",                                                 /* an old one */
        "printf x | dd of=out/s/.memory bs=1 seek=300 conv=notrunc 2> /dev/null", /* damaged */
        "rm out/s/.memory && ln -s ../../first out/s/.memory",                    /* a link */
        "truncate -s 20 out/s/.memory",                                           /* cut short */
        "cd config/responsive && mv pseudonyms.key ../../key && tr 0-9 a < ../../key > pseudonyms.key",
    };
    assert_int_equal(sh("cp %s/out/s/.memory %s/sound", here, here), 0);
    for (int k = 0; k < 6; k++) add(k % 2, k % 3, 1);
    write_export(true);
    for (size_t k = 0; k < sizeof losses / sizeof *losses; k++) {
        assert_int_equal(sh("cd %s && %s", here, losses[k]), 0);
        int status = night();
        if (status != RSP_ERR_DATA) fail_msg("'%s' ends with %d", losses[k], status);
        assert_int_equal(sh("grep -q 'nothing is published' %s/said", here), 0);
        assert_int_equal(sh("test $(ls -d %s/out/s/2* | wc -l) = 2", here), 0);
        assert_int_equal(sh("rm -f %s/out/s/.memory && cp %s/sound %s/out/s/.memory", here, here, here), 0);
    }
    assert_int_equal(sh("mv %s/key %s/config/responsive/pseudonyms.key", here, here), 0);
    assert_outcome("published", 0);
    /* The way out that the message names, as it stands there. */
    assert_int_equal(sh("rm %s/out/s/.memory", here), 0);
    assert_int_equal(sh("printf 'p9999,PL,low,low\\n' >> %s/s/answers.csv", here), 0);
    assert_int_equal(night(), RSP_ERR_DATA);
    assert_int_equal(sh("grep -q 'bring back .*/config/responsive/pseudonyms.key' %s/said", here), 0);
    assert_int_equal(sh("grep -o \"rm -f '[^']*' '[^']*'\" %s/said > %s/anew && sh %s/anew", here, here, here), 0);
    assert_outcome("published", 0);
}

/* ---- forgetting ------------------------------------------------------------------------------------------------- */

static int forget(const char *id) {
    return sh("XDG_CONFIG_HOME=%s/config %s forget %s/s %s --out %s/out > %s/forgot 2> %s/said", here, program, here,
              id, here, here, here);
}

static double kept(void) {
    rsp_published *p = results();
    double n = rsp_published_find(p, "response", "", "kept", "", "count")->estimate;
    rsp_published_free(p);
    return n;
}

static void a_forgotten_respondent_is_left_out(void **state) {
    (void) state;
    new_study("clean: [{id: alike, straightliners: [trust, voice], action: flag}]\n", true);
    fill();
    write_export(true);
    assert_outcome("published", 0);
    assert_int_equal(sh("test -d %s/out/s/.cache", here), 0);
    assert_int_equal(forget("p0"), 0); /* flagged in Poland: the first publication's log names the pseudonym */
    assert_int_equal(sh("test -e %s/out/s/.cache || ls -d %s/out/s/.staging-* 2> /dev/null", here, here), 2);
    assert_int_equal(sh("test $(stat -c %%a %s/config/responsive/pseudonyms.key.forgotten) = 600", here), 0);
    assert_int_equal(sh("grep -q 'quality/cleaning.csv names the pseudonym' %s/forgot && "
                        "grep -q 's/answers.csv' %s/forgot && grep -q 'responsive run' %s/forgot",
                        here, here, here),
                     0);
    assert_int_equal(sh("sed 's/ is forgotten.*//;q' %s/forgot > %s/pseudonym", here, here), 0);
    assert_int_equal(sh("grep -rqFf %s/pseudonym %s/out/s/latest/", here, here), 0);
    assert_outcome("too_little", -1); /* a publication that differs by one alone would tell the answers */
    assert_int_equal(forget("p0"), 0);
    assert_int_equal(sh("test $(wc -l < %s/config/responsive/pseudonyms.key.forgotten) = 1", here), 0);
    for (int k = 0; k < 12; k++) add(k % 2, k % 3, 1);
    write_export(true);
    assert_outcome("published", 0);
    assert_true(kept() == 131);
    assert_int_equal(sh("grep -rqFf %s/pseudonym %s/out/s/latest/", here, here), 1);
    assert_int_equal(sh("grep -q '^,forgotten,drop,' %s/out/s/latest/quality/cleaning.csv", here), 0);
    /* By the pseudonym, as the log has it; that nobody has it is said, by the pseudonym alone. */
    assert_int_equal(forget("r0123456789abcdef"), 1);
    assert_int_equal(sh("grep -q 'nobody is known as r0123456789abcdef' %s/said && ! test -s %s/forgot", here, here),
                     0);
    assert_int_equal(forget("r0123456789abcdef"), 0); /* on the list by now */
    assert_int_equal(sh("grep -q '^r0123456789abcdef is forgotten: ' %s/forgot && ! test -s %s/said", here, here), 0);
    assert_int_equal(forget("p77777"), 1);
    assert_int_equal(sh("grep -q p77777 %s/said %s/forgot", here, here), 1);
    assert_int_equal(sh("grep -qx r0123456789abcdef %s/config/responsive/pseudonyms.key.forgotten", here), 0);
    /* A list that cannot be read forgets nobody by mistake: nothing is published. */
    assert_int_equal(sh("echo somebody >> %s/config/responsive/pseudonyms.key.forgotten", here), 0);
    assert_int_equal(night(), RSP_ERR_DATA);
    assert_int_equal(sh("grep -q 'forgotten:[0-9]*:1: error: this is no pseudonym' %s/said", here), 0);
    assert_int_equal(sh("rm %s/config/responsive/pseudonyms.key.forgotten", here), 0);
    new_study("", false);
    fill();
    write_export(false);
    assert_int_equal(forget("p0"), RSP_ERR_STUDY);
}

/* ---- modes and links -------------------------------------------------------------------------------------------- */

static void no_files(const char *test) {
    if (sh("cd %s && test -z \"$(find %s)\"", here, test) == 0) return;
    sh("cd %s && find %s -exec ls -ld {} + >&2", here, test);
    fail_msg("find %s", test);
}

/* Nobody else may write what a night leaves, nor read what is no publication, whatever the umask; nor read publications where it
 * says so. */
static void modes_hold_under_any_umask(void **state) {
    (void) state;
    mode_t before = umask(0);
    for (int k = 0; k < 2; k++) {
        assert_int_equal(sh("rm -rf %s/config", here), 0);
        new_study("", true);
        fill();
        write_export(true);
        umask(k ? 077 : 0);
        assert_outcome("published", 0);
        no_files("out config ! -type l -perm /022");
        no_files("config out/s/.memory -type f -perm /077");
        no_files("out/s/.cache -maxdepth 0 ! -perm 700"); /* a closed folder */
        if (k) no_files("out ! -type l -perm /077");
        else no_files("out/s/latest/ -type f ! -perm 644 -o -type d ! -perm 755");
    }
    umask(before);
}

/* A link at every place that a night writes, removes or reads: what it leads to stays as it was. */
static void links_lead_nowhere(void **state) {
    (void) state;
    static const struct {
        const char *at, *to, *says; /* in out/s; in the folder of the test; on stderr */
        int status;
    } cases[] = {
        {".lock", "precious/file", "/.lock: error: a symbolic link stands in the lock's place", RSP_ERR_OUTPUT},
        {".memory", "precious/file", "memory of earlier publications is damaged", RSP_ERR_DATA},
        {".memory.new", "precious/file", "", 0},
        {".staging-20200101T000000Z", "precious", "", 0},
        {".latest", "precious", "", 0},
        {"20200101T000000Z", "precious", "", 0},
        {".cache", "precious", "", 0},
        {".cache/a.0", "precious/file", "", 0}};
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        new_study("keep: 1\n", true);
        fill();
        write_export(true);
        assert_outcome("published", 0);
        assert_int_equal(sh("cd %s && rm -rf precious out/s/%s && mkdir precious && echo mine > precious/file && "
                            "cp out/s/latest/manifest.json precious && touch -d 2020-01-01 precious/* precious && "
                            "ln -s %s/%s out/s/%s",
                            here, cases[k].at, here, cases[k].to, cases[k].at),
                         0);
        for (int j = 0; j < 30; j++) add(j % 2, j % 3, 1);
        write_export(true);
        int status = night();
        if (status != cases[k].status) fail_msg("%s: status %d", cases[k].at, status);
        if (sh("grep -q \"%s\" %s/said", cases[k].says, here)) fail_msg("%s: not said", cases[k].at);
        if (sh("cd %s && test $(ls -A precious | wc -l) = 2 && test $(cat precious/file) = mine && "
               "test -z \"$(find precious -newermt 2020-01-02)\"",
               here))
            fail_msg("%s: something is written or removed where it leads", cases[k].at);
    }
}

/* A pipe in the lock's place is said by what it is, not by what a call on it returns. */
static void a_lock_that_is_no_file(void **state) {
    (void) state;
    new_study("", true);
    fill();
    write_export(true);
    assert_int_equal(sh("cd %s && rm -rf out && mkdir -p out/s && mkfifo out/s/.lock", here), 0);
    assert_int_equal(night(), RSP_ERR_OUTPUT);
    assert_int_equal(
        sh("grep -q \"/.lock: error: what stands in the lock's place is no file (find out\" %s/said", here), 0);
    assert_int_equal(sh("test $(ls -A %s/out/s) = .lock", here), 0);
}

/* A folder that is no publication of ours, under the name of the latest, is a damaged publication of which nothing is known: it
 * stays, nothing is published, and what helps is said. */
static void a_latest_that_leads_elsewhere(void **state) {
    (void) state;
    new_study("", true);
    fill();
    write_export(true);
    assert_int_equal(sh("cd %s && rm -rf precious && mkdir -p out/s precious && echo mine > precious/file && "
                        "touch -d 2020-01-01 precious/file precious && ln -s %s/precious out/s/latest",
                        here, here),
                     0);
    assert_int_equal(night(), RSP_ERR_DATA);
    assert_int_equal(sh("grep -q 'the publication before is damaged' %s/said", here), 0);
    assert_int_equal(sh("grep -o \"rm -f '[^']*' '[^']*'\" %s/said > %s/anew && sh %s/anew", here, here, here), 0);
    assert_outcome("published", 0);
    assert_int_equal(
        sh("cd %s && test $(cat precious/file) = mine && test -z \"$(find precious -newermt 2020-01-02)\"", here), 0);
}

/* ---- marked words ----------------------------------------------------------------------------------------------- */

/* Words in every column of a person, in the exports of several tools: nothing that a night leaves holds one of them. */
#define MARKED "zq(mail|phone|text|address|url|token|uuid|user|device|place|first|last)"

static void no_tool_leaves_personal_words(void **state) {
    (void) state;
    static const struct {
        const char *format, *heading, *row; /* of the row: number, country, answer, number, number, number */
    } tools[] = {
        {"csv", "id,country,trust,email,phone,comment", "p%d,%s,%s,zqmail%d@example.org,zqphone%d,zqtext%d"},
        {"limesurvey", "id,submitdate,country,trust,ipaddr,refurl,token,comment",
         "%d,2026-03-01 10:00:00,%s,%s,zqaddress%d,zqurl,zqtoken%d,zqtext%d"},
        {"kobo", "_id,_uuid,_submission_time,username,deviceid,country,trust,_geolocation,comment",
         "%d,zquuid,2026-03-01T10:00:00,zquser,zqdevice,%s,%s,zqplace%d %d,zqtext%d"},
        {"redcap", "id,country,trust,first_name,last_name,comment", "p%d,%s,%s,zqfirst%d,zqlast%d,zqtext%d"},
    };
    for (size_t t = 0; t < sizeof tools / sizeof *tools; t++) {
        char extra[128], row[256];
        snprintf(extra, sizeof extra, "clean: [{id: odd, drop: \"${comment} = 'zqtext7'\"}]\n");
        new_study(extra, t == 0 || t == 3);
        put("s/survey.csv", "type,name,label::en\ntext,id,Respondent\nselect_one country,country,Country\n"
                            "select_one level,trust,Trust\nselect_one level,voice,Voice\ntext,comment,Comment\n");
        assert_int_equal(sh("sed -i 's/format: csv/format: %s/' %s/s/study.yaml", tools[t].format, here), 0);
        FILE *f = create("s/answers.csv");
        fprintf(f, "%s\n", tools[t].heading);
        for (int k = 1; k <= 80; k++) {
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
            snprintf(row, sizeof row, tools[t].row, k, k % 2 ? "PL" : "DK", k % 3 ? "low" : "high", k, k, k);
#pragma GCC diagnostic pop
            fprintf(f, "%s\n", row);
        }
        assert_int_equal(fclose(f), 0);
        assert_int_equal(sh("rm -rf %s/tmp && mkdir %s/tmp", here, here), 0);
        setenv("TMPDIR", here, 1);
        int status = night();
        unsetenv("TMPDIR");
        if (status > 1) {
            sh("cat %s/said >&2", here);
            fail_msg("%s: %d", tools[t].format, status);
        }
        if (sh("grep -raqE '" MARKED "' %s/out %s/tmp "
               "%s/said %s/json %s/config",
               here, here, here, here, here) != 1) {
            sh("grep -raoE '.{0,60}" MARKED ".{0,20}' "
               "%s/out %s/said %s/json >&2",
               here, here, here);
            fail_msg("%s: a marked word is left", tools[t].format);
        }
        assert_int_equal(sh("cd %s/out/s/latest && for x in tables/*.xlsx; do unzip -p $x | grep -aqE "
                            "'" MARKED "' && exit 7; "
                            "done; for x in briefs/*.pdf; do pdftotext $x - | grep -qE "
                            "'" MARKED "' && exit 7; done; exit 0",
                            here),
                         0);
        /* What knows hidden counts is the owner's alone; nothing can be written by others. */
        assert_int_equal(
            sh("test $(stat -c %%a %s/out/s/.cache) = 700 && test $(stat -c %%a %s/out/s/.memory) = 600 && "
               "test -z \"$(find %s/out ! -type l -perm /022)\" && ! find %s | grep -q 'core'",
               here, here, here, here),
            0);
    }
}

static int set_up(void **state) {
    (void) state;
    snprintf(program, sizeof program, "%s/responsive", build_folder());
    strcpy(here, "/tmp/responsive-memory-XXXXXX");
    return mkdtemp(here) ? 0 : -1;
}

static int tear_down(void **state) {
    (void) state;
    return sh("rm -rf %s", here);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_newcomer_waits_for_company),
        cmocka_unit_test(those_who_left_are_not_told_apart),
        cmocka_unit_test(a_damaged_publication_and_too_little),
        cmocka_unit_test(a_corrected_answer_is_not_told),
        cmocka_unit_test(an_answer_that_weights_is_not_told),
        cmocka_unit_test(a_change_that_is_taken_back_is_not_told),
        cmocka_unit_test(a_trickle_opens_what_was_hidden),
        cmocka_unit_test(any_two_publications_differ_by_enough),
        cmocka_unit_test(another_rule_of_change),
        cmocka_unit_test(the_memory_is_sealed),
        cmocka_unit_test(modes_hold_under_any_umask),
        cmocka_unit_test(links_lead_nowhere),
        cmocka_unit_test(a_lock_that_is_no_file),
        cmocka_unit_test(a_latest_that_leads_elsewhere),
        cmocka_unit_test(a_forgotten_respondent_is_left_out),
        cmocka_unit_test(no_tool_leaves_personal_words),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
