/* Labels in the files that set a program up to read the data beside them: R, as LimeSurvey
 * (attributes(data)$variable.labels[7] <- "...", factor(..., levels=c(...), labels=c(...)), names(data)[7] <- "Q1") and
 * SoSci Survey (comment(data$AB01) = "...", attr(data$AB01, "1") = "...") write it, and SPSS (VARIABLE LABELS, VALUE
 * LABELS). The file is cut into words, texts and signs; nothing of it is run. */
#include "form.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { LOOKED_AT = 1 << 16 };

struct token {
    char kind; /* 'w' word or number, 't' text in quotation marks, else the sign itself; 0: the end */
    const char *text;
    bool fresh; /* first of its line */
};

struct scan {
    const char *at, *end;
    rsp_arena *arena;
    bool spss;
};

static bool is_word(char c) { return isalnum((unsigned char) c) || strchr("_.$@-", c) || (unsigned char) c >= 0x80; }

/* A text up to its closing mark: R escapes with a backslash, SPSS doubles the mark. */
static const char *text_token(struct scan *s, char mark) {
    rsp_buf b = {0};
    rsp_buf_puts(&b, "");
    while (s->at < s->end && (*s->at != mark || (s->spss && s->at + 1 < s->end && s->at[1] == mark))) {
        bool escaped = (*s->at == '\\' && !s->spss) || *s->at == mark;
        if (escaped && s->at + 1 < s->end) s->at++;
        rsp_buf_putc(&b, *s->at++);
    }
    if (s->at < s->end) s->at++;
    const char *text = rsp_strndup(s->arena, b.data, b.length);
    rsp_buf_free(&b);
    return text;
}

static struct token next_token(struct scan *s) {
    struct token t = {0, "", false};
    for (;; s->at++) {
        if (s->at < s->end && *s->at == '#' && !s->spss)
            while (s->at < s->end && *s->at != '\n') s->at++;
        if (s->at >= s->end || !isspace((unsigned char) *s->at)) break;
        t.fresh = t.fresh || *s->at == '\n';
    }
    if (s->at >= s->end) return t;
    char c = *s->at;
    if (c == '"' || c == '\'') {
        s->at++;
        t.kind = 't';
        t.text = text_token(s, c);
    } else if (is_word(c) && !(s->spss && c == '.')) {
        const char *from = s->at;
        while (s->at < s->end && is_word(*s->at)) s->at++;
        size_t n = (size_t) (s->at - from);
        if (s->spss && n > 1 && from[n - 1] == '.') n--, s->at--; /* the end of a command */
        t.kind = 'w';
        t.text = rsp_strndup(s->arena, from, n);
    } else {
        t.kind = c;
        s->at++;
    }
    return t;
}

/* ---- what is gathered ------------------------------------------------------------------------------------------- */

struct labels {
    rsp_form *form;
    rsp_map *of_name;
};

static rsp_form_question *question_named(struct labels *l, const char *name) {
    size_t at = rsp_map_get(l->of_name, name);
    if (at == RSP_NONE) {
        at = l->form->n_questions;
        rsp_map_put(l->of_name, name, at);
        rsp_form_add(l->form, (rsp_form_question){.name = rsp_strdup(l->form->arena, name), .list = RSP_NONE});
    }
    return &l->form->questions[at];
}

static void label_question(struct labels *l, const char *name, const char *text) {
    if (*name && *text) question_named(l, name)->label.in[0] = text;
}

static void label_value(struct labels *l, const char *name, const char *code, const char *text) {
    rsp_form_question *q = question_named(l, name);
    if (q->list == RSP_NONE) q->list = rsp_form_list_named(l->form, name);
    if (*text) rsp_form_choice_of(l->form, q->list, code)->label.in[0] = text;
}

/* ---- R ---------------------------------------------------------------------------------------------------------- */

enum { MOST_TEXTS = 2000 };

struct column { /* LimeSurvey's statements about one column stand together, its name last */
    const char *label;
    size_t n_levels, n_labels;
    const char *levels[MOST_TEXTS], *labels[MOST_TEXTS];
};

/* The texts and numbers of c(...), from behind the word before it. */
static size_t texts_in_c(struct scan *s, const char **texts) {
    size_t n = 0;
    struct token t;
    do t = next_token(s);
    while (t.kind && t.kind != '(');
    for (t = next_token(s); t.kind && t.kind != ')'; t = next_token(s))
        if ((t.kind == 't' || t.kind == 'w') && n < MOST_TEXTS) texts[n++] = t.text;
    return n;
}

static const char *text_after_sign(struct scan *s) {
    struct token t;
    do t = next_token(s);
    while (t.kind && t.kind != 't');
    return t.text;
}

static void name_column(struct labels *l, struct column *c, const char *name) {
    if (c->label) label_question(l, name, c->label);
    for (size_t k = 0; k < c->n_levels && k < c->n_labels; k++) label_value(l, name, c->levels[k], c->labels[k]);
    c->label = NULL;
    c->n_levels = c->n_labels = 0;
}

/* `data$AB01` -> AB01. */
static const char *behind_dollar(const char *word) {
    const char *dollar = strchr(word, '$');
    return dollar ? dollar + 1 : word;
}

static void read_r(struct scan *s, struct labels *l) {
    struct column *c = rsp_calloc(1, sizeof *c);
    for (struct token t = next_token(s); t.kind; t = next_token(s)) {
        if (t.kind != 'w') continue;
        if (strcmp(t.text, "levels") == 0) {
            c->n_levels = texts_in_c(s, c->levels);
        } else if (strcmp(t.text, "labels") == 0) {
            c->n_labels = texts_in_c(s, c->labels);
        } else if (strstr(t.text, "variable.labels")) {
            next_token(s); /* [7] */
            next_token(s);
            next_token(s);
            c->label = text_after_sign(s);
        } else if (strcmp(t.text, "names") == 0 && t.fresh) {
            do t = next_token(s);
            while (t.kind && t.kind != ']');
            name_column(l, c, text_after_sign(s));
        } else if (strcmp(t.text, "comment") == 0) {
            next_token(s);
            const char *name = behind_dollar(next_token(s).text);
            next_token(s);
            label_question(l, name, text_after_sign(s));
        } else if (strcmp(t.text, "attr") == 0) {
            next_token(s);
            const char *name = behind_dollar(next_token(s).text);
            const char *code = text_after_sign(s);
            next_token(s);
            label_value(l, name, code, text_after_sign(s));
        }
    }
    free(c);
}

/* ---- SPSS ------------------------------------------------------------------------------------------------------- */

static void variable_labels(struct scan *s, struct labels *l) {
    const char *name = "";
    for (struct token t = next_token(s); t.kind && t.kind != '.'; t = next_token(s)) {
        if (t.kind == 'w') name = t.text;
        else if (t.kind == 't') label_question(l, name, t.text);
    }
}

enum { MOST_NAMES = 500 };

/* VALUE LABELS a b 1 'one' 2 'two' / c ...: names until the first code, which a text follows. */
static void value_labels(struct scan *s, struct labels *l) {
    const char *names[MOST_NAMES], *code = NULL;
    size_t n = 0;
    bool first = true;
    for (struct token t = next_token(s); t.kind && t.kind != '.'; t = next_token(s)) {
        if (t.kind == '/') {
            n = 0;
            code = NULL;
            first = true;
        } else if (t.kind == 't' && code) {
            for (size_t k = 0; k < n; k++) label_value(l, names[k], code, t.text);
            code = NULL;
            first = false;
        } else if (t.kind == 't') {
            code = t.text; /* of a variable of words */
        } else if (t.kind == 'w') {
            bool number = isdigit((unsigned char) t.text[0]) || t.text[0] == '-';
            if (number || !first) code = t.text;
            else if (n < MOST_NAMES) names[n++] = t.text;
        }
    }
}

static void read_spss(struct scan *s, struct labels *l) {
    const char *before = "";
    for (struct token t = next_token(s); t.kind; t = next_token(s)) {
        bool labels = t.kind == 'w' && strcasecmp(t.text, "labels") == 0;
        if (labels && strcasecmp(before, "variable") == 0) variable_labels(s, l);
        else if (labels && strcasecmp(before, "value") == 0) value_labels(s, l);
        before = t.kind == 'w' ? t.text : "";
    }
}

/* ---- the file --------------------------------------------------------------------------------------------------- */

static bool has_word(const rsp_buf *raw, const char *word) {
    size_t n = strlen(word), most = raw->length < LOOKED_AT ? raw->length : LOOKED_AT;
    for (size_t k = 0; k + n <= most; k++)
        if (strncasecmp(raw->data + k, word, n) == 0 && (k == 0 || raw->data[k - 1] == '\n')) return true;
    return false;
}

static bool is_r(const rsp_buf *raw) {
    return has_word(raw, "attributes(data)$variable.labels") || has_word(raw, "comment(data$") ||
           has_word(raw, "attr(data$");
}

bool rsp_form_is_syntax(const rsp_buf *raw) {
    return is_r(raw) || has_word(raw, "VARIABLE LABELS") || has_word(raw, "VALUE LABELS");
}

rsp_form *rsp_form_syntax(const rsp_buf *raw, const char *path, rsp_diag *d) {
    rsp_buf copy = {0};
    rsp_decoded text;
    rsp_buf_add(&copy, raw->data, raw->length);
    if (!rsp_decode(&copy, NULL, path, &text, d)) return NULL;
    rsp_form *f = rsp_form_new(path, RSP_FORM_SYNTAX);
    struct labels l = {f, rsp_map_new()};
    struct scan s = {text.text, text.text + text.length, f->arena, !is_r(raw)};
    rsp_form_language(f, "");
    if (s.spss) read_spss(&s, &l);
    else read_r(&s, &l);
    rsp_map_free(l.of_name);
    free(text.heap);
    return f;
}
