/* `responsive new` with a questionnaire beside the exports: columns are found by the names and, where the export has words
 * for headings, by the words of the questions; types, lists, languages and conditions are the questionnaire's. */
#include "form.h"

#include "scales.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* ---- keys ------------------------------------------------------------------------------------------------------- */

/* Q4[SQ001], Q4_SQ001, q4/SQ001, Q4___SQ001: one key, q4_sq001. Of n bytes. */
static const char *key_of(rsp_draft *x, const char *text, size_t n) {
    rsp_buf b = {0};
    rsp_buf_puts(&b, "");
    for (size_t k = 0; k < n; k++) {
        bool sound = isalnum((unsigned char) text[k]) || (unsigned char) text[k] >= 0x80;
        if (sound) rsp_buf_putc(&b, (char) tolower((unsigned char) text[k]));
        else if (b.length && b.data[b.length - 1] != '_') rsp_buf_putc(&b, '_');
    }
    while (b.length && b.data[b.length - 1] == '_') b.length--;
    const char *key = rsp_strndup(x->arena, b.data, b.length);
    rsp_buf_free(&b);
    return key;
}

/* Questions' words stand apart from names. */
static const char *key_of_words(rsp_draft *x, const char *words) {
    return rsp_printf(x->arena, "\n%s", rsp_draft_folded(x, words));
}

static void put_parts(rsp_draft *x, const rsp_form *f, const rsp_form_question *q, size_t asked) {
    const rsp_form_list *l = &f->lists[q->list];
    for (size_t k = 0; k < l->n; k++) {
        const char *name = rsp_printf(x->arena, "%s_%s", q->name, l->choices[k].code);
        rsp_map_put(x->asked_by, key_of(x, name, strlen(name)), asked);
        if (q->type != RSP_DRAFT_RANK) continue;
        name = rsp_printf(x->arena, "%s_%zu", q->name, k + 1);
        rsp_map_put(x->asked_by, key_of(x, name, strlen(name)), asked);
    }
}

/* Words that stand for two questions tell neither, unless as many columns have them for a heading: key#1, key#2, ... */
static void put_words(rsp_draft *x, const rsp_form_question *q, size_t asked) {
    for (size_t l = 0; l < RSP_FORM_LANGUAGES; l++) {
        const char *label = q->label.in[l], *hint = q->hint.in[l];
        if (!label || !*label) continue;
        label = rsp_draft_words(x, label);
        if (hint) label = rsp_printf(x->arena, "%s [%s]", rsp_draft_words(x, hint), label);
        const char *key = key_of_words(x, label);
        size_t at = rsp_map_get(x->asked_by, key);
        if (at == RSP_NONE) rsp_map_put(x->asked_by, key, asked);
        else if (at != asked) rsp_map_put(x->asked_twice, key, asked);
        for (size_t nth = 1, other = RSP_NONE; other != asked; nth++) {
            const char *numbered = rsp_printf(x->arena, "%s#%zu", key, nth);
            rsp_map_put(x->asked_by, numbered, asked);
            other = rsp_map_get(x->asked_by, numbered);
        }
    }
}

static bool has_parts(const rsp_form_question *q) {
    return q->typed && (q->type == RSP_DRAFT_MULTIPLE || q->type == RSP_DRAFT_RANK);
}

static const rsp_form_question *question_at(const rsp_draft *x, size_t asked) {
    return &x->asked[asked].form->questions[x->asked[asked].question];
}

/* Names first: they win over those of parts. */
static void put_keys(rsp_draft *x) {
    for (size_t k = 0; k < x->n_asked; k++) {
        const char *name = question_at(x, k)->name;
        rsp_map_put(x->asked_by, key_of(x, name, strlen(name)), k);
    }
    for (size_t k = 0; k < x->n_asked; k++) {
        if (has_parts(question_at(x, k))) put_parts(x, x->asked[k].form, question_at(x, k), k);
        put_words(x, question_at(x, k), k);
    }
}

/* ---- languages -------------------------------------------------------------------------------------------------- */

/* Pages are written in these. */
static bool is_page_language(const char *code) {
    static const char *const codes[] = {"en", "de", "da", "fr", "pl", "pt", "ro"};
    for (size_t k = 0; k < sizeof codes / sizeof *codes; k++)
        if (strncmp(code, codes[k], 2) == 0 && !isalpha((unsigned char) code[2])) return true;
    return false;
}

static void add_language(rsp_draft *x, const char *code) {
    const char *two = rsp_strndup(x->arena, code, 2);
    for (size_t k = 0; k < x->n_languages; k++)
        if (strcmp(x->languages[k], two) == 0) return;
    x->languages[x->n_languages++] = two;
}

/* By the draft's languages; a text whose language is not said belongs to the first. NULL where there is none at all. */
static const char *const *texts_of(rsp_draft *x, const rsp_form *f, const rsp_form_text *t) {
    const char **texts = RSP_ARRAY(x->arena, const char *, x->n_languages);
    bool any = false;
    for (size_t l = 0; l < x->n_languages; l++)
        for (size_t k = 0; k < f->n_languages && !texts[l]; k++) {
            bool unsaid = !is_page_language(f->languages[k]) && l == 0;
            if (!t->in[k] || !*t->in[k] || (!unsaid && strncmp(f->languages[k], x->languages[l], 2) != 0)) continue;
            texts[l] = rsp_draft_words(x, t->in[k]);
            any = true;
        }
    return any ? texts : NULL;
}

/* Where no language is said, the words tell it. */
static void guess_language(rsp_draft *x) {
    rsp_buf all = {0};
    for (size_t k = 0; k < x->n_asked && all.length < 100000; k++) {
        const char *words = rsp_form_words(&question_at(x, k)->label);
        if (words) rsp_buf_printf(&all, "%s . ", words);
    }
    const char *found = all.data ? rsp_language_of(all.data, all.length) : NULL;
    x->languages[x->n_languages++] = found ? found : "en";
    rsp_buf_free(&all);
}

void rsp_draft_take_forms(rsp_draft *x) {
    bool typed = false;
    x->languages = RSP_ARRAY(x->arena, const char *, x->n_forms *RSP_FORM_LANGUAGES + 1);
    for (size_t k = 0; k < x->n_forms; k++) {
        const rsp_form *f = x->forms[k];
        typed = typed || f->kind != RSP_FORM_SYNTAX;
        for (size_t l = 0; l < f->n_languages; l++)
            if (is_page_language(f->languages[l])) add_language(x, f->languages[l]);
        for (size_t q = 0; q < f->n_questions; q++) {
            rsp_draft_asked asked = {f, q, RSP_NONE};
            RSP_PUSH(x->asked, x->n_asked, x->asked_capacity, asked);
        }
    }
    put_keys(x);
    if (typed && !x->n_languages) guess_language(x);
    for (size_t k = 0; k < x->n_forms && x->n_languages && !x->titles; k++)
        x->titles = texts_of(x, x->forms[k], &x->forms[k]->title);
    if (x->n_languages) x->language = x->languages[0];
}

/* ---- columns ---------------------------------------------------------------------------------------------------- */

static size_t asked_by_words(const rsp_draft *x, const char *key) {
    return rsp_map_get(x->asked_twice, key) != RSP_NONE ? RSP_NONE : rsp_map_get(x->asked_by, key);
}

/* Of several columns under one heading: the question of the same place among those of these words. */
static size_t asked_in_order(rsp_draft *x, const rsp_draft_column *c) {
    const char *key = key_of_words(x, rsp_draft_words(x, c->heading));
    if (rsp_map_get(x->asked_by, rsp_printf(x->arena, "%s#%zu", key, c->n_alike + 1)) != RSP_NONE) return RSP_NONE;
    if (rsp_map_get(x->asked_by, rsp_printf(x->arena, "%s#%zu", key, c->n_alike)) == RSP_NONE) return RSP_NONE;
    return rsp_map_get(x->asked_by, rsp_printf(x->arena, "%s#%zu", key, c->occurrence));
}

/* By the name, then without the names of groups in front, then by the words. */
static size_t asked_by(rsp_draft *x, const rsp_draft_column *c, const char *base) {
    const char *code = c->code, *heading = c->heading;
    if (!x->n_asked) return RSP_NONE;
    if (c->occurrence > 1) return asked_in_order(x, c);
    size_t at = rsp_map_get(x->asked_by, key_of(x, code, strlen(code)));
    for (const char *in = strpbrk(code, "/-"); in && at == RSP_NONE;
         in = strpbrk(in + 1, "/-")) /* group/name, group-name */
        at = rsp_map_get(x->asked_by, key_of(x, in + 1, strlen(in + 1)));
    if (at == RSP_NONE && c->occurrence) at = asked_in_order(x, c);
    if (at == RSP_NONE) at = asked_by_words(x, key_of_words(x, rsp_draft_words(x, heading)));
    if (at == RSP_NONE && base) {
        at = asked_by_words(x, key_of_words(x, rsp_draft_words(x, base)));
        if (at != RSP_NONE && !has_parts(question_at(x, at))) at = RSP_NONE;
    }
    return at;
}

const rsp_column_info *rsp_draft_words_for(rsp_draft *x, const char *heading) {
    if (!x->n_asked) return NULL;
    size_t at = rsp_map_get(x->asked_by, key_of(x, heading, strlen(heading)));
    const rsp_form_question *q = at == RSP_NONE ? NULL : question_at(x, at);
    if (!q || q->typed) return NULL;
    rsp_column_info *info = RSP_NEW(x->arena, rsp_column_info);
    const rsp_form_list *l = q->list == RSP_NONE ? NULL : &x->asked[at].form->lists[q->list];
    rsp_value_label *values = RSP_ARRAY(x->arena, rsp_value_label, l ? l->n : 0);
    for (size_t k = 0; l && k < l->n; k++) {
        const char *label = rsp_form_words(&l->choices[k].label);
        values[k] = (rsp_value_label){l->choices[k].code, label ? label : "", 0};
    }
    info->label = rsp_form_words(&q->label);
    info->values = values;
    info->n_values = l ? l->n : 0;
    return info;
}

/* ---- lists ------------------------------------------------------------------------------------------------------ */

static rsp_draft_value value_of(rsp_draft *x, const rsp_form *f, const rsp_form_choice *c) {
    rsp_draft_value v = {.code = c->code, .labels = texts_of(x, f, &c->label)};
    const char *words = rsp_form_words(&c->label);
    v.label = v.labels && v.labels[0] ? v.labels[0] : words ? rsp_draft_words(x, words) : c->code;
    v.missing = rsp_missing_word(rsp_draft_folded(x, v.label)) != 0;
    return v;
}

static bool same_list(const rsp_draft_list *a, const rsp_draft_list *b) {
    bool same = a->n == b->n && b->n_items;
    for (size_t k = 0; k < a->n && same; k++)
        same = b->values[k].code && strcmp(a->values[k].code, b->values[k].code) == 0 &&
               strcmp(a->values[k].label, b->values[k].label) == 0;
    return same;
}

/* The form's list; questions of one answer share lists that say the same. parts: of a question in several columns, which
 * keeps its own and the form's order. */
static size_t list_from(rsp_draft *x, const rsp_form *f, const rsp_form_question *q, bool parts) {
    const rsp_form_list *from = &f->lists[q->list];
    rsp_draft_list l = {.n = 0};
    for (size_t k = 0; k < from->n; k++) RSP_PUSH(l.values, l.n, l.capacity, value_of(x, f, &from->choices[k]));
    if (parts)
        for (size_t k = 0; k < l.n; k++) l.values[k].missing = false;
    else rsp_draft_order(x, &l);
    for (size_t k = 0; k < x->n_lists && !parts; k++) {
        if (!same_list(&l, &x->lists[k])) continue;
        free(l.values);
        x->lists[k].n_items++;
        return k;
    }
    /* LimeSurvey's are called after their question, behind which ids stand; others may have its very name. */
    size_t front = f->kind == RSP_FORM_LIMESURVEY ? strcspn(from->name, "_") : strlen(from->name);
    bool own = f->kind == RSP_FORM_LIMESURVEY || strcmp(from->name, q->name) == 0;
    l.name = rsp_draft_name(x, rsp_printf(x->arena, own ? "%.*s_list" : "%.*s", (int) front, from->name), "list");
    l.n_items = !parts;
    RSP_PUSH(x->lists, x->n_lists, x->list_capacity, l);
    return x->n_lists - 1;
}

static bool in_list(rsp_draft *x, const rsp_draft_list *l, const rsp_spelling *s) {
    const char *folded = rsp_draft_folded(x, s->text);
    for (size_t k = 0; k < l->n; k++) {
        const rsp_draft_value *v = &l->values[k];
        if ((v->code && strcmp(v->code, s->text) == 0) || strcmp(rsp_draft_folded(x, v->label), folded) == 0)
            return true;
        for (size_t t = 0; v->labels && t < x->n_languages; t++)
            if (v->labels[t] && strcmp(rsp_draft_folded(x, v->labels[t]), folded) == 0) return true;
    }
    return false;
}

/* Answers that the questionnaire does not have: an earlier version had them, or somebody wrote them in. */
static void add_further(rsp_draft *x, size_t list, const rsp_profile *p) {
    for (size_t k = 0; k < p->n_spellings; k++) {
        const rsp_spelling *s = &p->spellings[k];
        if (!rsp_is_not_available(s->text, s->length) && !in_list(x, &x->lists[list], s))
            rsp_draft_add_value(x, &x->lists[list], s->text, s->n);
    }
}

/* ---- items ------------------------------------------------------------------------------------------------------ */

/* What the columns of a question have in front: as much of this one's code as makes the question's key. */
static const char *front_of(rsp_draft *x, const rsp_draft_column *c, const char *name) {
    const char *key = key_of(x, name, strlen(name));
    for (size_t n = strlen(name); n && n < strlen(c->code); n++)
        if (isalnum((unsigned char) c->code[n - 1]) && strcmp(key_of(x, c->code, n), key) == 0)
            return rsp_strndup(x->arena, c->code, n);
    return c->base ? c->base : c->code;
}

/* All columns of the question are taken; how often the one that was answered most was. */
static size_t take_columns(rsp_draft *x, size_t asked, size_t first, const char **front) {
    size_t answered = 0;
    const char *name = question_at(x, asked)->name;
    for (size_t j = first; j < x->n_columns; j++) {
        rsp_draft_column *c = &x->columns[j];
        if (c->done || c->own || c->personal || asked_by(x, c, c->base) != asked) continue;
        c->done = true;
        if (c->profile.answered > answered) answered = c->profile.answered;
        bool whole = strcmp(key_of(x, c->code, strlen(c->code)), key_of(x, name, strlen(name))) == 0;
        if (!*front) *front = whole ? c->code : front_of(x, c, name);
    }
    return answered;
}

static rsp_draft_item item_of(rsp_draft *x, const rsp_draft_column *c, size_t asked) {
    const rsp_form_question *q = question_at(x, asked);
    const rsp_form *f = x->asked[asked].form;
    rsp_draft_item i = {.type = q->type, .list = RSP_NONE, .answered = c->profile.answered, .export_name = c->code};
    i.labels = texts_of(x, f, &q->label);
    i.hints = texts_of(x, f, &q->hint);
    const char *label = rsp_form_words(&q->label), *hint = rsp_form_words(&q->hint);
    i.label = i.labels && i.labels[0] ? i.labels[0] : label ? rsp_draft_words(x, label) : c->label;
    i.hint = i.hints && i.hints[0] ? i.hints[0] : hint ? rsp_draft_words(x, hint) : NULL;
    i.free_text = q->type == RSP_DRAFT_TEXT;
    return i;
}

void rsp_draft_dress(rsp_draft *x, const rsp_draft_column *c, rsp_draft_item *item) {
    size_t asked = asked_by(x, c, NULL);
    if (asked == RSP_NONE || x->asked[asked].item != RSP_NONE || !x->n_languages) return;
    rsp_draft_item words = item_of(x, c, asked);
    item->label = words.label;
    item->labels = words.labels;
    if (words.hint) item->hint = words.hint, item->hints = words.hints;
    x->asked[asked].item = x->n_items; /* where it is about to be added */
}

bool rsp_draft_from_form(rsp_draft *x, size_t column, const char **why) {
    rsp_draft_column *c = &x->columns[column];
    size_t asked = asked_by(x, c, c->base);
    const rsp_form_question *q = asked == RSP_NONE ? NULL : question_at(x, asked);
    if (!q || (!q->typed && !q->personal) || x->asked[asked].item != RSP_NONE) return false;
    const rsp_form *f = x->asked[asked].form;
    bool parts = has_parts(q);
    const char *front = NULL;
    rsp_draft_item item = item_of(x, c, asked);
    if (parts) item.answered = take_columns(x, asked, column, &front);
    c->done = true;
    if (q->personal || !item.answered) {
        *why = q->personal ? "personal data" : "blank";
        return true;
    }
    if (front) item.export_name = front;
    item.name = rsp_draft_name(x, q->name, "question");
    if (item.type == RSP_DRAFT_DATE && c->kind != RSP_KIND_DATE) item.type = RSP_DRAFT_TEXT, item.free_text = true;
    item.partly = rsp_draft_partly(x, c);
    item.different = c->profile.n_spellings;
    item.rarest = rsp_draft_rarest(c);
    rsp_draft_describe_number(x, c, &item);
    if (q->list != RSP_NONE) item.list = list_from(x, f, q, parts);
    if (item.type == RSP_DRAFT_ONE) {
        add_further(x, item.list, &c->profile);
        if (rsp_draft_is_country(x, &item, q->name)) rsp_draft_take_country(x, &item);
    }
    x->asked[asked].item = x->n_items;
    rsp_draft_add(x, item);
    return true;
}

/* ---- conditions ------------------------------------------------------------------------------------------------- */

struct names {
    rsp_draft *x;
    const rsp_form *form;
};

/* `serv(3)` of REDCap, Q4_SQ001 of LimeSurvey: a choice of a question in several columns. */
static const char *part_in(const struct names *n, const char *name, const rsp_form_question *q) {
    const rsp_form_list *l = &n->form->lists[q->list];
    const char *key = key_of(n->x, name, strlen(name));
    for (size_t k = 0; k < l->n; k++) {
        const char *whole = rsp_printf(n->x->arena, "%s_%s", q->name, l->choices[k].code);
        if (strcmp(key_of(n->x, whole, strlen(whole)), key) == 0) return l->choices[k].code;
    }
    return NULL;
}

static const char *item_named(void *context, const char *name, const char **part) {
    struct names *n = context;
    size_t at = rsp_map_get(n->x->asked_by, key_of(n->x, name, strlen(name)));
    if (at == RSP_NONE || n->x->asked[at].form != n->form || n->x->asked[at].item == RSP_NONE) return NULL;
    const rsp_form_question *q = question_at(n->x, at);
    if (has_parts(q)) *part = part_in(n, name, q);
    if (q->type == RSP_DRAFT_RANK && has_parts(q)) return NULL;
    return n->x->items[n->x->asked[at].item].name;
}

void rsp_draft_conditions(rsp_draft *x) {
    for (size_t k = 0; k < x->n_asked; k++) {
        const rsp_form_question *q = question_at(x, k);
        struct names names = {x, x->asked[k].form};
        if (x->asked[k].item == RSP_NONE || !q->relevant || !*q->relevant) continue;
        x->items[x->asked[k].item].relevant =
            rsp_form_condition(names.form->kind, q->relevant, item_named, &names, x->arena);
    }
}
