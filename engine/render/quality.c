/* The quality page: what was read, what cleaning and weighting did, which results carry a mark. Counts only: no
 * respondent, no answer. */
#include "html.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct quality {
    const rsp_publication *p;
    const rsp_labels *labels;
    const rsp_texts *texts;
    rsp_buf out;
    rsp_arena *a;
};

static const char *say(const struct quality *q, const char *key) { return rsp_say(q->texts, q->a, key, NULL, 0); }

static const char *count(const struct quality *q, double n) {
    return rsp_label_number(q->labels, q->a, n, RSP_AS_COUNT);
}

static double value(const struct quality *q, const char *analysis, const char *domain, const char *term,
                    const char *level, const char *statistic) {
    const rsp_published_row *r = rsp_published_find(q->p->results, analysis, domain, term, level, statistic);
    return r ? r->estimate : NAN;
}

static void heading(struct quality *q, const char *key) {
    rsp_html_element(&q->out, "h2", rsp_printf(q->a, "id=\"%s-%s\"", rsp_texts_lang(q->texts), key), say(q, key));
}

static void paragraph(struct quality *q, const char *text) { rsp_html_element(&q->out, "p", NULL, text); }

static void cell(struct quality *q, const char *text) { rsp_html_cell(&q->out, text, false); }

static void number(struct quality *q, const char *text) { rsp_html_cell(&q->out, text, true); }

static void table(struct quality *q, const char *caption, size_t n, const rsp_html_column *columns) {
    rsp_html_table(&q->out, say(q, caption), n, columns);
}

/* Domains of an analysis' rows in order of appearance. */
static const char **domains(const struct quality *q, const char *analysis, size_t *n) {
    size_t from = 0, to = 0;
    const char **list = NULL;
    rsp_map *seen = rsp_map_new();
    *n = 0;
    if (rsp_published_range(q->p->results, analysis, &from, &to)) list = RSP_ARRAY(q->a, const char *, to - from);
    for (size_t i = from; i < to; i++) {
        const char *domain = rsp_published_at(q->p->results, i)->domain;
        if (rsp_map_put(seen, domain, *n)) list[(*n)++] = domain;
    }
    rsp_map_free(seen);
    return list;
}

/* ---- rows ------------------------------------------------------------------------------------------------------- */

/* Rows kept now less rows kept in the publication before; NaN where there is none or the group was not in it. */
static double since(const struct quality *q, const char *domain) {
    const rsp_published_row *now = rsp_published_find(q->p->results, "response", domain, "kept", "", "count"),
                            *before = q->p->changes && now ? rsp_changes_before(q->p->changes, now) : NULL;
    return before ? now->estimate - before->estimate : NAN;
}

static void share_cell(struct quality *q, double share) {
    if (isnan(share)) number(q, "\u2013");
    else rsp_html_bar(&q->out, rsp_label_number(q->labels, q->a, share, RSP_AS_SHARE), share);
}

static const char *signed_count(const struct quality *q, double n) {
    const char *text = count(q, n);
    return n > 0 ? rsp_printf(q->a, "+%s", text) : text;
}

static void response(struct quality *q) {
    static const char *const stages[] = {"read", "kept", "set_aside"};
    rsp_html_column columns[] = {{say(q, "quality_country"), false},   {say(q, "quality_read"), true},
                                 {say(q, "quality_kept"), true},       {say(q, "quality_set_aside"), true},
                                 {say(q, "quality_aside_rate"), true}, {say(q, "quality_since_column"), true}};
    rsp_arg balance[] = {{"read", NULL, value(q, "response", "", "read", "", "count")},
                         {"kept", NULL, value(q, "response", "", "kept", "", "count")},
                         {"aside", NULL, value(q, "response", "", "set_aside", "", "count")}};
    heading(q, "quality_response");
    if (!isnan(balance[0].number)) paragraph(q, rsp_say(q->texts, q->a, "quality_balance", balance, 3));
    size_t n;
    const char **list = domains(q, "response", &n);
    if (!n) return;
    table(q, "quality_response", q->p->changes ? 6 : 5, columns);
    for (size_t k = 0; k < n; k++) {
        double rows[3];
        rsp_html_row(&q->out, *list[k] ? rsp_label_domain(q->labels, q->a, list[k]) : say(q, "site_everybody"));
        for (size_t j = 0; j < 3; j++) {
            rows[j] = value(q, "response", list[k], stages[j], "", "count");
            number(q, count(q, rows[j]));
        }
        share_cell(q, rows[0] > 0 ? rows[2] / rows[0] : NAN);
        if (q->p->changes) number(q, signed_count(q, since(q, list[k])));
        rsp_html_row_end(&q->out);
    }
    rsp_html_table_end(&q->out);
}

static void rules(struct quality *q) {
    static const char *const actions[] = {[RSP_ACTION_DROP] = "quality_action_drop",
                                          [RSP_ACTION_FLAG] = "quality_action_flag",
                                          [RSP_ACTION_SET_MISSING] = "quality_action_set_missing"};
    const rsp_study *s = q->p->study;
    rsp_html_column columns[] = {{say(q, "quality_rule"), false},
                                 {say(q, "quality_action"), false},
                                 {say(q, "quality_rows"), true},
                                 {say(q, "quality_cells"), true}};
    heading(q, "quality_rules");
    if (!s->n_rules) {
        paragraph(q, say(q, "quality_no_rules"));
        return;
    }
    table(q, "quality_rules", 4, columns);
    for (size_t k = 0; k < s->n_rules; k++) {
        const rsp_clean_rule *r = &s->rules[k];
        const char *label = rsp_text_in(&r->label, rsp_texts_lang(q->texts));
        double cells = value(q, "cleaning", "", r->id, "cells", "count");
        rsp_html_row(&q->out, label ? label : r->id);
        cell(q, say(q, actions[r->action]));
        number(q, count(q, value(q, "cleaning", "", r->id, "", "count")));
        number(q, count(q, isnan(cells) ? 0 : cells));
        rsp_html_row_end(&q->out);
    }
    rsp_html_table_end(&q->out);
}

static void files(struct quality *q) {
    rsp_html_column columns[] = {{say(q, "quality_file"), false},
                                 {say(q, "quality_tool"), false},
                                 {say(q, "quality_encoding"), false},
                                 {say(q, "workbook_rows"), true},
                                 {say(q, "quality_columns"), true}};
    heading(q, "quality_files");
    table(q, "quality_files", 5, columns);
    for (size_t k = 0; k < q->p->n_files; k++) {
        const struct rsp_file_note *f = &q->p->files[k];
        const char *slash = strrchr(f->name, '/'); /* where it lies on this machine is nobody's business */
        rsp_html_row(&q->out, slash ? slash + 1 : f->name);
        cell(q, f->tool ? f->tool : "\u2013");
        cell(q, f->encoding ? f->encoding : "\u2013");
        number(q, count(q, (double) f->rows));
        number(q, count(q, (double) f->columns));
        rsp_html_row_end(&q->out);
    }
    rsp_html_table_end(&q->out);
}

/* ---- weights ---------------------------------------------------------------------------------------------------- */

static const rsp_published_row *largest_gap(const struct quality *q, const char *domain) {
    size_t from, to;
    const rsp_published_row *largest = NULL;
    if (!rsp_published_range(q->p->results, "weights", &from, &to)) return NULL;
    for (size_t i = from; i < to; i++) {
        const rsp_published_row *r = rsp_published_at(q->p->results, i);
        if (strcmp(r->domain, domain) != 0 || strcmp(r->statistic, "margin_gap") != 0 || isnan(r->estimate)) continue;
        if (!largest || fabs(r->estimate) > fabs(largest->estimate)) largest = r;
    }
    return largest;
}

static const char *gap_text(const struct quality *q, const rsp_published_row *gap) {
    return gap ? rsp_label_number(q->labels, q->a, gap->estimate, rsp_label_as(q->labels, gap)) : "\u2013";
}

static void weights(struct quality *q) {
    size_t n;
    const char **list = domains(q, "weights", &n);
    rsp_html_column columns[] = {{say(q, "column_group"), false},       {say(q, "column_n"), true},
                                 {say(q, "statistic_deff_kish"), true}, {say(q, "statistic_n_eff"), true},
                                 {say(q, "quality_largest_gap"), true}, {say(q, "column_note"), false}};
    heading(q, "quality_weights");
    paragraph(q, say(q, q->p->study->weighting.given ? "workbook_note_weighting" : "workbook_note_unweighted"));
    if (!n) return;
    table(q, "quality_weights", 6, columns);
    for (size_t k = 0; k < n; k++) {
        const rsp_published_row *r = rsp_published_find(q->p->results, "weights", list[k], "", "", "deff_kish");
        const char *flags = r ? rsp_label_flags(q->labels, q->a, r->flags) : "";
        rsp_html_row(&q->out, *list[k] ? rsp_label_domain(q->labels, q->a, list[k]) : say(q, "site_everybody"));
        number(q, count(q, r ? r->n : NAN));
        number(q, rsp_label_number(q->labels, q->a, r ? r->estimate : NAN, RSP_AS_NUMBER));
        number(q, count(q, value(q, "weights", list[k], "", "", "n_eff")));
        number(q, gap_text(q, largest_gap(q, list[k])));
        cell(q, *flags ? flags : "\u2013");
        rsp_html_row_end(&q->out);
    }
    rsp_html_table_end(&q->out);
}

/* A gap that rounds to nothing on the page is met. */
static bool unmet(const rsp_published_row *r) { return fabs(r->estimate) >= 0.0005; }

static bool known_gap(const rsp_published_row *r) {
    return strcmp(r->statistic, "margin_gap") == 0 && !isnan(r->estimate);
}

static void gaps(struct quality *q) {
    size_t from = 0, to = 0, shown = 0, known = 0;
    rsp_html_column columns[] = {{say(q, "column_group"), false},
                                 {say(q, "quality_margin"), false},
                                 {say(q, "column_level"), false},
                                 {say(q, "statistic_margin_gap"), true}};
    if (!rsp_published_range(q->p->results, "weights", &from, &to)) return;
    for (size_t i = from; i < to; i++) {
        const rsp_published_row *r = rsp_published_at(q->p->results, i);
        known += known_gap(r);
        shown += known_gap(r) && unmet(r);
    }
    if (!known) return;
    rsp_html_element(&q->out, "h3", NULL, say(q, "quality_gaps"));
    if (!shown) {
        paragraph(q, say(q, "quality_gaps_none"));
        return;
    }
    table(q, "quality_gaps", 4, columns);
    for (size_t i = from; i < to; i++) {
        const rsp_published_row *r = rsp_published_at(q->p->results, i);
        if (!known_gap(r) || !unmet(r)) continue;
        rsp_html_row(&q->out, *r->domain ? rsp_label_domain(q->labels, q->a, r->domain) : say(q, "site_everybody"));
        cell(q, rsp_label_term(q->labels, q->a, r));
        cell(q, rsp_label_level(q->labels, q->a, r));
        number(q, gap_text(q, r));
        rsp_html_row_end(&q->out);
    }
    rsp_html_table_end(&q->out);
}

/* ---- answers and marks ------------------------------------------------------------------------------------------ */

/* Rows that tell how many of everybody answered an item: tables without a filter, the whole sample, the valid answers.
 */
static bool tells_base(const struct quality *q, const rsp_published_row *r) {
    const rsp_analysis *x = rsp_label_find(q->labels, r->analysis);
    size_t v = rsp_study_variable(q->p->study, r->term);
    if (!x || x->kind != RSP_A_TABLE || x->filter || *r->domain || isnan(r->n) || v == RSP_NONE) return false;
    const rsp_list *list = q->p->study->variables[v].list;
    size_t k = list && *r->level ? rsp_list_find(list, r->level) : RSP_NONE;
    return k == RSP_NONE || !list->choices[k].missing;
}

static void bases(struct quality *q) {
    double kept = value(q, "response", "", "kept", "", "count");
    rsp_html_column columns[] = {
        {say(q, "quality_question"), false}, {say(q, "column_n"), true}, {say(q, "quality_missing_share"), true}};
    rsp_map *seen = rsp_map_new();
    for (size_t i = 0; i < rsp_published_count(q->p->results); i++) {
        const rsp_published_row *r = rsp_published_at(q->p->results, i);
        if (!(kept > 0) || !tells_base(q, r) || !rsp_map_put(seen, r->term, i)) continue;
        if (rsp_map_count(seen) == 1) {
            heading(q, "quality_answered");
            paragraph(q, say(q, "quality_answered_note"));
            table(q, "quality_answered", 3, columns);
        }
        rsp_html_row(&q->out, rsp_label_term(q->labels, q->a, r));
        number(q, count(q, r->n));
        share_cell(q, 1 - r->n / kept);
        rsp_html_row_end(&q->out);
    }
    if (rsp_map_count(seen)) rsp_html_table_end(&q->out);
    rsp_map_free(seen);
}

static void marks(struct quality *q) {
    size_t n = rsp_published_count(q->p->results), with[32] = {0};
    rsp_html_column columns[] = {{say(q, "quality_flag"), false}, {say(q, "quality_results"), true}};
    for (size_t i = 0; i < n; i++)
        for (int bit = 0; bit < 32; bit++) with[bit] += rsp_published_at(q->p->results, i)->flags >> bit & 1;
    heading(q, "quality_flags");
    paragraph(q, q->p->study->disclosure.off
                     ? say(q, "disclosure_off_note")
                     : rsp_say(q->texts, q->a, "workbook_note_disclosure",
                               (rsp_arg[]){{"base", NULL, (double) q->p->study->disclosure.minimum_base}}, 1));
    table(q, "quality_flags", 2, columns);
    for (int bit = 0; bit < 32; bit++) {
        if (!with[bit]) continue;
        rsp_html_row(&q->out, rsp_label_flag(q->labels, q->a, (uint32_t) 1 << bit));
        number(q, count(q, (double) with[bit]));
        rsp_html_row_end(&q->out);
    }
    rsp_html_row(&q->out, say(q, "quality_results_total"));
    number(q, count(q, (double) n));
    rsp_html_row_end(&q->out);
    rsp_html_table_end(&q->out);
}

/* ---- what disclosure control costs ------------------------------------------------------------------------------ */

static size_t hidden_of(const rsp_loss *x) { return x->by_rule + x->complementary + x->by_memory; }

static double share_of_rows(const rsp_loss *x) { return x->rows ? (double) hidden_of(x) / (double) x->rows : NAN; }

static void loss_row(struct quality *q, const char *name, const rsp_loss *x) {
    const size_t counts[] = {x->rows, x->by_rule, x->complementary, x->by_memory};
    rsp_html_row(&q->out, name);
    for (size_t k = 0; k < sizeof counts / sizeof *counts; k++) number(q, count(q, (double) counts[k]));
    share_cell(q, share_of_rows(x));
    share_cell(q, x->bases);
    rsp_html_row_end(&q->out);
}

static const char *loss_name(const struct quality *q, const rsp_loss *x) {
    const char *variable =
        q->p->study->roles.country == RSP_NONE ? "" : q->p->study->variables[q->p->study->roles.country].name;
    return *x->analysis ? rsp_label_analysis(q->labels, q->a, x->analysis)
                        : rsp_label_domain(q->labels, q->a, rsp_printf(q->a, "%s=%s", variable, x->country));
}

/* Countries, or analyses with something hidden: a long list of what is shown whole helps nobody. */
static void loss_table(struct quality *q, bool by_country, size_t n, const rsp_loss *all) {
    rsp_html_column columns[] = {{say(q, by_country ? "quality_country" : "workbook_table"), false},
                                 {say(q, "quality_results"), true},
                                 {say(q, "quality_loss_rules"), true},
                                 {say(q, "quality_loss_complementary"), true},
                                 {say(q, "quality_loss_memory"), true},
                                 {say(q, "quality_loss_share"), true},
                                 {say(q, "quality_loss_bases"), true}};
    size_t listed = 0;
    for (size_t k = 1; k < n; k++)
        listed += *(by_country ? all[k].country : all[k].analysis) && (by_country || hidden_of(&all[k]));
    if (!listed) return;
    table(q, by_country ? "quality_loss_by_country" : "quality_loss_by_table", 7, columns);
    for (size_t k = 1; k < n; k++)
        if (*(by_country ? all[k].country : all[k].analysis) && (by_country || hidden_of(&all[k])))
            loss_row(q, loss_name(q, &all[k]), &all[k]);
    loss_row(q, say(q, "quality_results_total"), &all[0]);
    rsp_html_table_end(&q->out);
}

static void losses(struct quality *q) {
    const rsp_loss *all;
    size_t n = rsp_published_losses(q->p->results, &all);
    if (!n) return;
    rsp_arg args[] = {{"hidden", NULL, (double) hidden_of(all)},
                      {"all", NULL, (double) all->rows},
                      {"share", rsp_label_number(q->labels, q->a, share_of_rows(all), RSP_AS_SHARE), 0},
                      {"bases", rsp_label_number(q->labels, q->a, all->bases, RSP_AS_SHARE), 0}};
    heading(q, "quality_disclosure");
    paragraph(q, rsp_say(q->texts, q->a, "quality_loss_note", args, 4));
    loss_table(q, true, n, all);
    loss_table(q, false, n, all);
}

/* The same as a file, for those who watch it over many nights. */
static bool write_losses(const rsp_publication *p, const char *path, rsp_diag *d) {
    const rsp_loss *all;
    size_t n = rsp_published_losses(p->results, &all);
    rsp_buf b = {0};
    rsp_buf_puts(&b, "country,analysis,results,by_rule,complementary,by_memory,share_of_results,share_of_bases\r\n");
    for (size_t k = 0; k < n; k++) {
        char share[32], bases[32];
        rsp_double_text(share_of_rows(&all[k]), share);
        rsp_double_text(all[k].bases, bases);
        rsp_buf_csv(&b, all[k].country, false);
        rsp_buf_putc(&b, ',');
        rsp_buf_csv(&b, all[k].analysis, false);
        rsp_buf_printf(&b, ",%zu,%zu,%zu,%zu,%s,%s\r\n", all[k].rows, all[k].by_rule, all[k].complementary,
                       all[k].by_memory, share, bases);
    }
    bool ok = !n || rsp_write_file(path, b.data, b.length, d);
    rsp_buf_free(&b);
    return ok;
}

/* Messages of the run are in the operators' language, English. */
static void warnings(struct quality *q) {
    rsp_buf_puts(&q->out, "<ul lang=\"en\">\n");
    for (size_t k = 0; k < q->p->n_notes; k++) rsp_html_element(&q->out, "li", NULL, q->p->notes[k]);
    rsp_buf_puts(&q->out, "</ul>\n");
}

/* ---- at a glance ------------------------------------------------------------------------------------------------ */

static void fact(struct quality *q, const char *name, const char *number_text, const char *note, bool alarm) {
    rsp_html_fact(&q->out, name, number_text, note, alarm);
}

static void fact_rows(struct quality *q) {
    double read = value(q, "response", "", "read", "", "count"), kept = value(q, "response", "", "kept", "", "count"),
           aside = value(q, "response", "", "set_aside", "", "count"), more = since(q, "");
    if (isnan(kept)) return;
    rsp_arg args[] = {{"aside", NULL, aside},
                      {"read", NULL, read},
                      {"share", rsp_label_number(q->labels, q->a, read > 0 ? aside / read : NAN, RSP_AS_SHARE), 0}};
    const char *note = rsp_say(q->texts, q->a, "quality_aside_share", args, 3);
    if (!isnan(more))
        note = rsp_printf(q->a, "%s; %s", rsp_say(q->texts, q->a, "quality_since", (rsp_arg[]){{"n", NULL, more}}, 1),
                          note);
    fact(q, say(q, "quality_kept"), count(q, kept), note, false);
}

static void fact_weights(struct quality *q) {
    size_t from, to, missed = 0;
    double low = INFINITY, high = -INFINITY;
    if (!q->p->study->weighting.given || !rsp_published_range(q->p->results, "weights", &from, &to)) return;
    for (size_t i = from; i < to; i++) {
        const rsp_published_row *r = rsp_published_at(q->p->results, i);
        missed += known_gap(r) && unmet(r);
        if (strcmp(r->statistic, "deff_kish") != 0 || isnan(r->estimate)) continue;
        low = fmin(low, r->estimate);
        high = fmax(high, r->estimate);
    }
    if (high < low) return;
    const char *range = rsp_label_number(q->labels, q->a, low, RSP_AS_NUMBER);
    if (high > low)
        range = rsp_printf(q->a, "%s\u2013%s", range, rsp_label_number(q->labels, q->a, high, RSP_AS_NUMBER));
    const char *note =
        missed ? rsp_say(q->texts, q->a, "quality_targets_missed", (rsp_arg[]){{"n", NULL, (double) missed}}, 1)
               : say(q, "quality_gaps_none");
    fact(q, say(q, "statistic_deff_kish"), range, note, missed > 0);
}

static void fact_hidden(struct quality *q) {
    size_t n = rsp_published_count(q->p->results), hidden = 0;
    for (size_t i = 0; i < n; i++)
        hidden +=
            (rsp_published_at(q->p->results, i)->flags & (RSP_F_SUPPRESSED | RSP_F_SUPPRESSED_COMPLEMENTARY)) != 0;
    if (q->p->study->disclosure.off) return;
    fact(q, say(q, "quality_hidden"), count(q, (double) hidden),
         rsp_say(q->texts, q->a, "quality_of", (rsp_arg[]){{"all", NULL, (double) n}}, 1), false);
}

static void fact_changes(struct quality *q) {
    static const struct {
        rsp_change_kind kind;
        const char *key;
    } kinds[] = {{RSP_CHANGE_FLIPPED, "changes_flipped"},
                 {RSP_CHANGE_ADDED, "changes_added"},
                 {RSP_CHANGE_REMOVED, "changes_removed"}};
    const rsp_changes *all = q->p->changes;
    if (!all) return;
    rsp_arg moved[] = {{"n", NULL, (double) all->of_kind[RSP_CHANGE_MOVED]}};
    const char *note =
        moved[0].number > 0 ? rsp_say(q->texts, q->a, "changes_moved", moved, 1) : say(q, "changes_none");
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
        rsp_arg n[] = {{"n", NULL, (double) all->of_kind[kinds[k].kind]}};
        if (n[0].number > 0) note = rsp_printf(q->a, "%s %s", note, rsp_say(q->texts, q->a, kinds[k].key, n, 1));
    }
    fact(q, say(q, "changes_title"), count(q, moved[0].number), note, false);
}

static void fact_accuracy(struct quality *q) {
    size_t met = 0;
    if (!q->p->n_accuracy) return;
    for (size_t k = 0; k < q->p->n_accuracy; k++) met += q->p->accuracy[k].met;
    fact(q, say(q, "quality_accuracy"), count(q, (double) met),
         rsp_say(q->texts, q->a, "quality_of", (rsp_arg[]){{"all", NULL, (double) q->p->n_accuracy}}, 1),
         met < q->p->n_accuracy);
}

static void glance(struct quality *q) {
    rsp_arg n[] = {{"n", NULL, (double) q->p->n_notes}};
    heading(q, "quality_glance");
    rsp_html_element(&q->out, "p", q->p->n_notes ? "class=\"lead alarm\"" : "class=\"lead\"",
                     rsp_say(q->texts, q->a, "quality_attention", n, 1));
    if (q->p->n_notes) warnings(q);
    rsp_buf_puts(&q->out, "<dl class=\"facts\">\n");
    fact_rows(q);
    fact_changes(q);
    fact_weights(q);
    fact_hidden(q);
    fact_accuracy(q);
    rsp_buf_puts(&q->out, "</dl>\n");
}

/* ---- the page --------------------------------------------------------------------------------------------------- */

static bool has_bases(const struct quality *q) {
    if (!(value(q, "response", "", "kept", "", "count") > 0)) return false;
    for (size_t i = 0; i < rsp_published_count(q->p->results); i++)
        if (tells_base(q, rsp_published_at(q->p->results, i))) return true;
    return false;
}

static void contents(struct quality *q) {
    const rsp_loss *all;
    static const char *const parts[] = {"quality_response", "quality_rules", "quality_files",     "quality_weights",
                                        "quality_answered", "quality_flags", "quality_disclosure"};
    rsp_buf_puts(&q->out, "<nav aria-label=\"");
    rsp_html_text(&q->out, say(q, "quality_contents"));
    rsp_buf_puts(&q->out, "\">\n<ul>\n");
    for (size_t k = 0; k < sizeof parts / sizeof *parts; k++) {
        if (strcmp(parts[k], "quality_answered") == 0 && !has_bases(q)) continue;
        if (strcmp(parts[k], "quality_disclosure") == 0 && !rsp_published_losses(q->p->results, &all)) continue;
        rsp_buf_printf(&q->out, "<li><a href=\"#%s-%s\">", rsp_texts_lang(q->texts), parts[k]);
        rsp_html_text(&q->out, say(q, parts[k]));
        rsp_buf_puts(&q->out, "</a></li>\n");
    }
    rsp_buf_puts(&q->out, "<li><a href=\"../methods/methods-en.pdf\">");
    rsp_html_text(&q->out, say(q, "site_methods_annex"));
    rsp_buf_puts(&q->out, "</a></li>\n</ul>\n</nav>\n");
}

static void language(struct quality *q, size_t k) {
    q->labels = q->p->labels[k];
    q->texts = rsp_labels_texts(q->labels);
    rsp_html_language(&q->out, q->p, k, RSP_PAGE_QUALITY);
    rsp_html_element(&q->out, "h1", NULL, say(q, "quality_title"));
    rsp_html_badges(&q->out, q->p, q->texts);
    paragraph(q, rsp_label_study(q->labels));
    glance(q);
    contents(q);
    response(q);
    rules(q);
    files(q);
    weights(q);
    gaps(q);
    bases(q);
    marks(q);
    losses(q);
    rsp_html_language_end(&q->out, q->p, q->texts);
}

bool rsp_render_quality(const rsp_publication *p, rsp_diag *d) {
    const rsp_labels *labels = p->labels[0];
    struct quality q = {.p = p, .labels = labels, .texts = rsp_labels_texts(labels), .a = rsp_arena_new()};
    const char *title = rsp_printf(q.a, "%s \u2013 %s", say(&q, "quality_title"), rsp_label_study(labels));
    bool ok =
        rsp_make_dirs(rsp_path_join(q.a, p->dir, "quality"), d) && rsp_html_open(&q.out, p->languages[0], title, d);
    if (ok) {
        rsp_html_header(&q.out, p);
        for (size_t k = 0; k < p->n_languages; k++) language(&q, k);
        rsp_buf_puts(&q.out, "</main>\n");
        rsp_html_close(&q.out);
        ok = rsp_write_file(rsp_path_join(q.a, p->dir, "quality/quality.html"), q.out.data, q.out.length, d) &&
             write_losses(p, rsp_path_join(q.a, p->dir, "quality/disclosure.csv"), d);
    }
    rsp_buf_free(&q.out);
    rsp_arena_free(q.a);
    return ok;
}
