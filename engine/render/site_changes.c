/* The page that says what changed since the publication before: why, respondents, weights, estimates, verdicts, by country
 * and topic. What has changed was found once (results/changes.c, batch/causes.c); `responsive diff` prints the same. */
#include "site.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_LISTED = 60 };

static const char *say(const rsp_site *s, const char *key) { return rsp_say(s->texts, s->a, key, NULL, 0); }

static const char *say_n(const rsp_site *s, const char *key, size_t n) {
    return rsp_say(s->texts, s->a, key, (rsp_arg[]){{"n", NULL, (double) n}}, 1);
}

static const char *count(const rsp_site *s, double n) { return rsp_label_number(s->labels, s->a, n, RSP_AS_COUNT); }

static const char *signed_count(const rsp_site *s, double n) {
    return n > 0 ? rsp_printf(s->a, "+%s", count(s, n)) : count(s, n);
}

static void paragraph(rsp_site *s, const char *text) { rsp_html_element(&s->out, "p", NULL, text); }

static void heading(rsp_site *s, const char *key) { rsp_html_element(&s->out, "h2", NULL, say(s, key)); }

static void number(rsp_site *s, const char *text) { rsp_html_cell(&s->out, text, true); }

static void words(rsp_site *s, const char *text) { rsp_html_cell(&s->out, text, false); }

/* Under a heading of the same words; numbers: a letter for each column, `n` for numbers. */
static void table(rsp_site *s, const char *caption, size_t n, const char *const *titles, const char *numbers) {
    rsp_html_column columns[6];
    for (size_t k = 0; k < n; k++) columns[k] = (rsp_html_column){say(s, titles[k]), numbers[k] == 'n'};
    rsp_html_table(&s->out, say(s, caption), n, columns);
}

/* What of a long list is not shown. */
static void table_end(rsp_site *s, size_t n) {
    rsp_html_table_end(&s->out);
    if (n > MOST_LISTED) paragraph(s, say_n(s, "changes_more", n - MOST_LISTED));
}

/* ---- why -------------------------------------------------------------------------------------------------------- */

static const char *cause_words(const rsp_site *s, const rsp_cause *c) {
    static const char *const keys[] = {"changes_cause_data", "changes_cause_study", "changes_cause_program"};
    const char *slash = strrchr(c->name, '/'); /* where it lies on this machine is nobody's business */
    rsp_arg program[] = {{"now", c->now, 0}, {"before", c->before, 0}},
            file[] = {{"how",
                       !c->before ? "new"
                       : !c->now  ? "gone"
                                  : "other",
                       0},
                      {"name", slash ? slash + 1 : c->name, 0}};
    return rsp_say(s->texts, s->a, keys[c->part], c->part == RSP_CAUSE_PROGRAM ? program : file, 2);
}

static void why(rsp_site *s, const rsp_changes *all) {
    bool only_data = !all->final;
    for (size_t k = 0; k < all->n_causes; k++) only_data &= all->causes[k].part == RSP_CAUSE_DATA;
    heading(s, "changes_why");
    if (!all->n_causes && !all->final) {
        paragraph(s, say(s, "changes_cause_none"));
        return;
    }
    rsp_buf_puts(&s->out, "<ul>\n");
    for (size_t k = 0; k < all->n_causes; k++) rsp_html_element(&s->out, "li", NULL, cause_words(s, &all->causes[k]));
    if (all->final) rsp_html_element(&s->out, "li", NULL, say(s, "changes_cause_final"));
    rsp_buf_puts(&s->out, "</ul>\n");
    paragraph(s, say(s, only_data ? "changes_only_data" : "changes_mixed"));
}

/* ---- the engine's own rows -------------------------------------------------------------------------------------- */

static const char *who(const rsp_site *s, const char *domain) {
    return *domain ? rsp_label_domain(s->labels, s->a, domain) : say(s, "site_everybody");
}

static double before_of(const rsp_changes *all, const rsp_published_row *now) {
    const rsp_published_row *r = now ? rsp_changes_before(all, now) : NULL;
    return r ? r->estimate : NAN;
}

static void respondents(rsp_site *s, const rsp_changes *all) {
    static const char *const titles[] = {"quality_country",    "changes_kept_before",  "changes_kept_now",
                                         "changes_difference", "changes_aside_before", "changes_aside_now"};
    size_t from, to;
    if (!rsp_published_range(s->p->results, "response", &from, &to)) return;
    heading(s, "changes_respondents");
    table(s, "changes_respondents", 6, titles, "tnnnnn");
    for (size_t i = from; i < to; i++) {
        const rsp_published_row *kept = rsp_published_at(s->p->results, i);
        if (strcmp(kept->term, "kept") != 0) continue;
        const rsp_published_row *aside =
            rsp_published_find(s->p->results, "response", kept->domain, "set_aside", "", "count");
        double before = before_of(all, kept);
        rsp_html_row(&s->out, who(s, kept->domain));
        number(s, count(s, before));
        number(s, count(s, kept->estimate));
        number(s, signed_count(s, kept->estimate - before));
        number(s, count(s, before_of(all, aside)));
        number(s, count(s, aside ? aside->estimate : NAN));
        rsp_html_row_end(&s->out);
    }
    rsp_html_table_end(&s->out);
}

static bool is_of(const rsp_change *c, rsp_change_kind kind, const char *analysis) {
    return c->kind == kind && (!analysis || strcmp(c->now->analysis, analysis) == 0);
}

/* Raking ends where it ends: a distance that is shown as nothing before and now is none. The histogram of the weights has a
 * picture of its own. */
static bool shows(const rsp_site *s, const rsp_change *c) {
    return strcmp(c->now->statistic, "weight_count") != 0 &&
           strcmp(rsp_label_estimate(s->labels, s->a, c->before), rsp_label_estimate(s->labels, s->a, c->now)) != 0;
}

static void own_rows(rsp_site *s, const rsp_changes *all, const char *analysis, const char *title,
                     const char *(*name)(const rsp_site *, const rsp_published_row *), const char *column) {
    const char *const titles[] = {column, "changes_before", "changes_now"};
    size_t n = 0;
    for (size_t k = 0; k < all->n; k++) {
        const rsp_change *c = &all->changes[k];
        if (!is_of(c, RSP_CHANGE_COUNTED, analysis) || !shows(s, c) || n++ >= MOST_LISTED) continue;
        if (n == 1) {
            heading(s, title);
            table(s, title, 3, titles, "tnn");
        }
        rsp_html_row(&s->out, name(s, c->now));
        number(s, rsp_label_estimate(s->labels, s->a, c->before));
        number(s, rsp_label_estimate(s->labels, s->a, c->now));
        rsp_html_row_end(&s->out);
    }
    if (n) table_end(s, n);
}

static const char *weight_name(const rsp_site *s, const rsp_published_row *r) {
    const char *text = rsp_printf(s->a, "%s \u00b7 %s", who(s, r->domain),
                                  rsp_label_statistic_of(s->labels, s->a, r->analysis, r->statistic));
    if (!*r->term) return text;
    return rsp_printf(s->a, "%s \u00b7 %s \u00b7 %s", text, rsp_label_term(s->labels, s->a, r),
                      rsp_label_level(s->labels, s->a, r));
}

static const char *rule_name(const rsp_site *s, const rsp_published_row *r) {
    const char *rule = rsp_label_term(s->labels, s->a, r);
    return *r->level ? rsp_printf(s->a, "%s \u00b7 %s", rule, rsp_label_level(s->labels, s->a, r)) : rule;
}

/* ---- by country and topic --------------------------------------------------------------------------------------- */

/* Changes of the study's own figures. */
typedef struct {
    size_t of_kind[RSP_CHANGE_KINDS];
} tally;

static const rsp_published_row *row_of(const rsp_change *c) { return c->now ? c->now : c->before; }

static bool any(const tally *t) {
    return t->of_kind[RSP_CHANGE_MOVED] + t->of_kind[RSP_CHANGE_FLIPPED] + t->of_kind[RSP_CHANGE_ADDED] +
           t->of_kind[RSP_CHANGE_REMOVED];
}

static const char *country_of(const rsp_site *s, const rsp_change *c) {
    size_t v = s->p->study->roles.country;
    const char *code = v == RSP_NONE ? NULL : rsp_domain_code(s->a, row_of(c)->domain, s->p->study->variables[v].name);
    return code ? code : "";
}

static const char *topic_of(const rsp_site *s, const rsp_change *c) {
    (void) s;
    return row_of(c)->analysis;
}

/* What changes are counted by. */
typedef struct {
    const char *(*word)(const rsp_site *, const rsp_change *); /* of a change */
    const char *(*name)(const rsp_site *, const char *word);   /* as readers see it */
    const char *title, *column;
    size_t n;
    const char **words; /* in the order of the rows */
    tally *tallies;
} counting;

/* Words in the order in which rows first bear them: that of the study. */
static void count_changes(const rsp_site *s, const rsp_changes *all, counting *c) {
    size_t rows = rsp_published_count(s->p->results);
    rsp_map *seen = rsp_map_new();
    c->tallies = RSP_ARRAY(s->a, tally, rows + all->n);
    c->words = RSP_ARRAY(s->a, const char *, rows + all->n);
    for (size_t k = 0; k < rows + all->n; k++) {
        rsp_change row = {.now = k < rows ? rsp_published_at(s->p->results, k) : NULL};
        const rsp_change *change = k < rows ? &row : &all->changes[k - rows];
        const char *word = c->word(s, change);
        size_t at = rsp_map_get(seen, word);
        if (at == RSP_NONE) {
            rsp_map_put(seen, word, at = c->n);
            c->words[c->n++] = word;
        }
        if (change != &row) c->tallies[at].of_kind[change->kind]++;
    }
    rsp_map_free(seen);
}

static void tally_row(rsp_site *s, const char *name, const tally *t) {
    rsp_html_row(&s->out, name);
    number(s, count(s, (double) t->of_kind[RSP_CHANGE_MOVED]));
    number(s, count(s, (double) t->of_kind[RSP_CHANGE_FLIPPED]));
    number(s, count(s, (double) t->of_kind[RSP_CHANGE_ADDED]));
    number(s, count(s, (double) t->of_kind[RSP_CHANGE_REMOVED]));
    rsp_html_row_end(&s->out);
}

static const char *country_name(const rsp_site *s, const char *code) {
    return *code ? rsp_label_country(s->labels, code) : say(s, "site_everybody");
}

static const char *topic_name(const rsp_site *s, const char *id) { return rsp_label_analysis(s->labels, s->a, id); }

static void by(rsp_site *s, const rsp_changes *all, counting c) {
    const char *const titles[] = {c.column, "changes_column_moved", "changes_column_flipped", "changes_column_added",
                                  "changes_column_removed"};
    size_t shown = 0;
    count_changes(s, all, &c);
    for (size_t k = 0; k < c.n; k++) {
        if (!any(&c.tallies[k])) continue;
        if (!shown++) {
            heading(s, c.title);
            table(s, c.title, 5, titles, "tnnnn");
        }
        tally_row(s, c.name(s, c.words[k]), &c.tallies[k]);
    }
    if (shown) rsp_html_table_end(&s->out);
}

/* ---- figures ---------------------------------------------------------------------------------------------------- */

/* A verdict by its words; else the number, or what hides it, and its marks. */
static const char *figure(const rsp_site *s, const rsp_published_row *r) {
    const char *flags = rsp_label_flags(s->labels, s->a, r->flags);
    const char *text = strcmp(r->statistic, "verdict") == 0 ? rsp_label_level(s->labels, s->a, r)
                                                            : rsp_label_estimate(s->labels, s->a, r);
    if (!*flags) return text;
    return *text ? rsp_printf(s->a, "%s (%s)", text, flags) : flags;
}

/* What a figure is about; a verdict's level is the verdict. */
static const char *about(const rsp_site *s, const rsp_published_row *r) {
    rsp_published_row plain = *r;
    if (strcmp(r->statistic, "verdict") == 0) plain.level = "";
    const char *statistic = rsp_label_statistic_of(s->labels, s->a, r->analysis, r->statistic),
               *text = rsp_label_row(s->labels, s->a, &plain);
    bool measured = strcmp(statistic, rsp_label_measure(s->labels, s->a, r->analysis)) == 0;
    return measured ? text : rsp_printf(s->a, "%s \u00b7 %s", text, statistic);
}

static bool judges(const rsp_change *c) { return strcmp(c->now->statistic, "verdict") == 0; }

/* Verdicts first: they are what readers act upon. */
static const rsp_change **flipped(const rsp_site *s, const rsp_changes *all, size_t *n) {
    const rsp_change **list = RSP_ARRAY(s->a, const rsp_change *, all->of_kind[RSP_CHANGE_FLIPPED]);
    *n = 0;
    for (size_t verdicts = 2; verdicts-- > 0;)
        for (size_t k = 0; k < all->n; k++)
            if (is_of(&all->changes[k], RSP_CHANGE_FLIPPED, NULL) && judges(&all->changes[k]) == verdicts)
                list[(*n)++] = &all->changes[k];
    return list;
}

static void flips(rsp_site *s, const rsp_changes *all) {
    static const char *const titles[] = {"changes_what", "changes_before", "changes_now"};
    size_t n;
    const rsp_change **list = flipped(s, all, &n);
    if (!n) return;
    heading(s, "changes_column_flipped");
    table(s, "changes_column_flipped", 3, titles, "ttt");
    for (size_t k = 0; k < n && k < MOST_LISTED; k++) {
        rsp_html_row(&s->out, about(s, list[k]->now));
        words(s, figure(s, list[k]->before));
        words(s, figure(s, list[k]->now));
        rsp_html_row_end(&s->out);
    }
    table_end(s, n);
}

static void moves(rsp_site *s, const rsp_changes *all) {
    static const char *const titles[] = {"changes_what", "changes_before", "changes_now", "changes_errors"};
    size_t n;
    const rsp_change **moved = rsp_changes_moved(all, s->a, &n);
    if (!n) return;
    heading(s, "changes_column_moved");
    table(s, "changes_column_moved", 4, titles, "tnnn");
    for (size_t k = 0; k < n && k < MOST_LISTED; k++) {
        rsp_html_row(&s->out, about(s, moved[k]->now));
        number(s, rsp_label_estimate(s->labels, s->a, moved[k]->before));
        number(s, rsp_label_estimate(s->labels, s->a, moved[k]->now));
        rsp_html_bar(&s->out, rsp_say_number(s->texts, s->a, moved[k]->errors, 1), moved[k]->errors / moved[0]->errors);
        rsp_html_row_end(&s->out);
    }
    table_end(s, n);
}

/* ---- the page --------------------------------------------------------------------------------------------------- */

void rsp_site_changes_summary(rsp_site *s) {
    static const struct {
        rsp_change_kind kind;
        const char *key;
    } kinds[] = {{RSP_CHANGE_MOVED, "changes_moved"},
                 {RSP_CHANGE_FLIPPED, "changes_flipped"},
                 {RSP_CHANGE_ADDED, "changes_added"},
                 {RSP_CHANGE_REMOVED, "changes_removed"}};
    const rsp_changes *all = s->p->changes;
    const rsp_published_row *kept = rsp_published_find(s->p->results, "response", "", "kept", "", "count");
    rsp_arg respondents_then[] = {{"before", NULL, before_of(all, kept)}, {"now", NULL, kept ? kept->estimate : NAN}};
    size_t n = 0;
    rsp_buf_puts(&s->out, "<ul>\n");
    if (!isnan(respondents_then[0].number))
        rsp_html_element(&s->out, "li", NULL, rsp_say(s->texts, s->a, "changes_kept", respondents_then, 2));
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
        size_t of_kind = all->of_kind[kinds[k].kind];
        n += of_kind;
        if (of_kind) rsp_html_element(&s->out, "li", NULL, say_n(s, kinds[k].key, of_kind));
    }
    if (!n) rsp_html_element(&s->out, "li", NULL, say(s, "changes_none"));
    rsp_buf_puts(&s->out, "</ul>\n");
}

static void all_changes(rsp_site *s, const rsp_changes *all) {
    paragraph(s, say(s, "changes_intro"));
    rsp_site_changes_summary(s);
    why(s, all);
    respondents(s, all);
    by(s, all, (counting){country_of, country_name, "changes_by_country", "quality_country", 0, NULL, NULL});
    flips(s, all);
    moves(s, all);
    own_rows(s, all, "weights", "quality_weights", weight_name, "column_group");
    own_rows(s, all, "cleaning", "quality_rules", rule_name, "quality_rule");
    by(s, all, (counting){topic_of, topic_name, "changes_by_topic", "explore_topic", 0, NULL, NULL});
}

static void language(rsp_site *s, size_t k) {
    rsp_html_language(&s->out, s->p, k, RSP_PAGE_CHANGES);
    rsp_html_element(&s->out, "h1", NULL, say(s, "changes_title"));
    rsp_html_badges(&s->out, s->p, s->texts);
    paragraph(s, rsp_label_study(s->labels));
    if (s->p->changes) all_changes(s, s->p->changes);
    else paragraph(s, say(s, s->p->n_only ? "changes_partial" : "changes_first"));
    rsp_html_language_end(&s->out, s->p, s->texts);
}

bool rsp_site_changes(rsp_site *s) {
    for (size_t k = 0; k < s->p->n_languages; k++) {
        rsp_site_enter(s, k);
        const char *title = rsp_printf(s->a, "%s \u2013 %s", say(s, "changes_title"), rsp_label_study(s->labels));
        if (k == 0 && !rsp_html_open(&s->out, s->lang, title, s->d)) return false;
        if (k == 0) rsp_html_header(&s->out, s->p);
        language(s, k);
    }
    rsp_buf_puts(&s->out, "</main>\n");
    rsp_html_close(&s->out);
    return rsp_write_file(rsp_path_join(s->a, s->p->dir, "changes.html"), s->out.data, s->out.length, s->d);
}
