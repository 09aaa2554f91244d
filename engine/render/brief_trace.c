/* Where every sentence of the briefs comes from, as two tables that a reader, or a test, can follow:
 *
 *   quality/sentences.csv        brief, sentence (its number), language, part, template, template_at, kind, rule_at, condition,
 *                                text: what stands on the page, the message it was made of, and the condition that held
 *   quality/sentence_values.csv  brief, sentence, value, number, printed, source, analysis, domain, term, level, statistic,
 *                                column: each value that the message prints or the condition looks at, a line for each row
 *                                of data/results.csv that it rests on
 *
 * `number` is what the condition saw. A value that no row gives names its source instead: the key of study.yaml, or the run.
 * Rows are those of the published table, usable ones: a hidden row never stands here. */
#include "brief.h"

#include <math.h>
#include <string.h>

/* Values that are no results. */
static const struct {
    const char *value, *source;
} ELSEWHERE[] = {
    {"study", "study.yaml: title"},
    {"publisher", "study.yaml: publication.publisher"},
    {"contact", "study.yaml: publication.contact"},
    {"has_contact", "study.yaml: publication.contact"},
    {"funding", "study.yaml: publication.funding"},
    {"has_funding", "study.yaml: publication.funding"},
    {"licence", "study.yaml: publication.licence"},
    {"has_licence", "study.yaml: publication.licence"},
    {"from", "study.yaml: field.from"},
    {"to", "study.yaml: field.to"},
    {"dated", "study.yaml: field"},
    {"preliminary", "study.yaml: field.freeze"},
    {"weighted", "study.yaml: weighting"},
    {"margins", "study.yaml: weighting"},
    {"equal", "study.yaml: weighting.scale"},
    {"population", "study.yaml: weighting.scale"},
    {"self_selected", "study.yaml: design.sample"},
    {"public", "study.yaml: disclosure"},
    {"minimum", "study.yaml: disclosure.minimum_base"},
    {"simulated", "study.yaml: simulate"},
    {"topic", "study.yaml: the analysis' title"},
    {"content", "run: content id"},
    {"suppressed", "run: number of hidden rows"},
    {"country", "brief: its country"},
    {"in_country", "brief: its country"},
    {"one_country", "brief: its country"},
};

/* Of nothing there is no row. */
static const char *source_of(const rsp_arg *v) {
    for (size_t k = 0; k < sizeof ELSEWHERE / sizeof *ELSEWHERE; k++)
        if (strcmp(ELSEWHERE[k].value, v->name) == 0) return ELSEWHERE[k].source;
    return v->number == 0 ? "results: no such row" : "none";
}

static void field(rsp_buf *b, const char *text, char end) {
    rsp_buf_csv(b, text ? text : "", false);
    rsp_buf_puts(b, end == '\n' ? "\r\n" : ",");
}

static void number_field(rsp_buf *b, double x) {
    char text[32] = "";
    if (!isnan(x)) rsp_double_text(x, text);
    field(b, text, ',');
}

/* ---- sentences -------------------------------------------------------------------------------------------------- */

static const char *place(rsp_arena *a, const char *file, int line) {
    return line > 0 ? rsp_printf(a, "reports/%s:%d", file, line) : "";
}

static void add_sentence(const brief_edition *e, const brief_sentence *s, const char *brief, const char *number,
                         rsp_buf *out) {
    const char *lang = rsp_texts_lang(e->texts), *file = rsp_printf(e->arena, "texts/%s.yaml", lang);
    field(out, brief, ',');
    field(out, number, ',');
    field(out, lang, ',');
    field(out, s->part, ',');
    field(out, s->key, ',');
    field(out, place(e->arena, file, rsp_texts_line(e->texts, s->key)), ',');
    field(out, s->kind, ',');
    field(out, place(e->arena, "brief.yaml", s->rule->loc.line), ',');
    field(out, s->rule->condition, ',');
    field(out, s->text, '\n');
}

/* ---- values ----------------------------------------------------------------------------------------------------- */

static bool looks_at(const rsp_expr *when, const char *name) {
    if (!when) return false;
    if (when->op == RSP_X_VARIABLE && strcmp(when->text, name) == 0) return true;
    for (size_t k = 0; k < when->n_args; k++)
        if (looks_at(when->args[k], name)) return true;
    return false;
}

typedef struct {
    const brief_edition *e;
    const char *brief, *sentence;
    rsp_buf *out;
} value_writer;

static void begin(const value_writer *w, const rsp_arg *v) {
    field(w->out, w->brief, ',');
    field(w->out, w->sentence, ',');
    field(w->out, v->name, ',');
    number_field(w->out, v->number);
}

static void add_elsewhere(const value_writer *w, const rsp_arg *v) {
    begin(w, v);
    field(w->out, v->text, ',');
    field(w->out, source_of(v), ',');
    rsp_buf_puts(w->out, ",,,,,\r\n");
}

/* Sources stand in a chain, the last first. */
static void add_sources(const value_writer *w, const rsp_arg *v, const brief_source *s, bool printed) {
    if (!s) return;
    add_sources(w, v, s->next, printed);
    begin(w, v);
    field(w->out, printed ? s->printed : "", ',');
    field(w->out, "results", ',');
    field(w->out, s->row->analysis, ',');
    field(w->out, s->row->domain, ',');
    field(w->out, s->row->term, ',');
    field(w->out, s->row->level, ',');
    field(w->out, s->row->statistic, ',');
    field(w->out, s->column, '\n');
}

static void add_values(const value_writer *w, const brief_sentence *s) {
    for (size_t k = 0; k < s->values->n; k++) {
        const rsp_arg *v = &s->values->v[k];
        bool printed = rsp_texts_asks(w->e->texts, s->key, v->name), given = !isnan(v->number) || (v->text && *v->text);
        if (!given || (!printed && !looks_at(s->rule->when, v->name))) continue;
        if (s->values->sources[k]) add_sources(w, v, s->values->sources[k], printed);
        else add_elsewhere(w, v);
    }
}

/* ---- files ------------------------------------------------------------------------------------------------------ */

void brief_trace(const brief_edition *e, const brief_document *d, const char *brief, brief_traces *out) {
    for (size_t k = 0; k < d->n_sentences; k++) {
        const brief_sentence *s = &d->sentences[k];
        const char *number = rsp_printf(e->arena, "%zu", k + 1);
        add_sentence(e, s, brief, number, &out->sentences);
        add_values(&(value_writer){e, brief, number, &out->values}, s);
    }
}

static bool write_one(const rsp_publication *p, const char *name, const char *head, size_t n,
                      const brief_traces *traces, bool values, rsp_diag *d) {
    rsp_arena *a = rsp_arena_new();
    rsp_buf all = {0};
    rsp_buf_puts(&all, head);
    for (size_t k = 0; k < n; k++) {
        const rsp_buf *one = values ? &traces[k].values : &traces[k].sentences;
        if (one->length) rsp_buf_add(&all, one->data, one->length);
    }
    bool ok = rsp_make_dirs(rsp_path_join(a, p->dir, "quality"), d) &&
              rsp_write_file(rsp_path_join(a, p->dir, name), all.data, all.length, d);
    rsp_buf_free(&all);
    rsp_arena_free(a);
    return ok;
}

bool brief_traces_write(const rsp_publication *p, size_t n, const brief_traces *traces, rsp_diag *d) {
    return write_one(p, "quality/sentences.csv",
                     "brief,sentence,language,part,template,template_at,kind,rule_at,condition,text\r\n", n, traces,
                     false, d) &&
           write_one(p, "quality/sentence_values.csv",
                     "brief,sentence,value,number,printed,source,analysis,domain,term,level,statistic,column\r\n", n,
                     traces, true, d);
}

void brief_traces_free(brief_traces *t) {
    rsp_buf_free(&t->sentences);
    rsp_buf_free(&t->values);
}
