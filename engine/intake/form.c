/* Questionnaires: what they have in common, XLSForm workbooks, REDCap's data dictionary. */
#include "form.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* ---- any form --------------------------------------------------------------------------------------------------- */

rsp_form *rsp_form_new(const char *path, rsp_form_kind kind) {
    rsp_form *f = rsp_calloc(1, sizeof *f);
    f->arena = rsp_arena_new();
    f->path = path;
    f->kind = kind;
    f->list_of = rsp_map_new();
    return f;
}

void rsp_form_free(rsp_form *f) {
    if (!f) return;
    for (size_t k = 0; k < f->n_lists; k++) free(f->lists[k].choices);
    free(f->lists);
    free(f->questions);
    rsp_map_free(f->list_of);
    rsp_arena_free(f->arena);
    free(f);
}

size_t rsp_form_language(rsp_form *f, const char *code) {
    for (size_t k = 0; k < f->n_languages; k++)
        if (strcmp(f->languages[k], code) == 0) return k;
    if (f->n_languages == RSP_FORM_LANGUAGES) return RSP_NONE;
    f->languages[f->n_languages] = rsp_strdup(f->arena, code);
    return f->n_languages++;
}

size_t rsp_form_list_named(rsp_form *f, const char *name) {
    size_t at = rsp_map_get(f->list_of, name);
    if (at != RSP_NONE) return at;
    rsp_form_list l = {.name = rsp_strdup(f->arena, name)};
    rsp_map_put(f->list_of, name, f->n_lists);
    RSP_PUSH(f->lists, f->n_lists, f->list_capacity, l);
    return f->n_lists - 1;
}

rsp_form_choice *rsp_form_choice_of(rsp_form *f, size_t list, const char *code) {
    rsp_form_list *l = &f->lists[list];
    for (size_t k = 0; k < l->n; k++)
        if (strcmp(l->choices[k].code, code) == 0) return &l->choices[k];
    rsp_form_choice c = {.code = rsp_strdup(f->arena, code), .order = (double) l->n};
    RSP_PUSH(l->choices, l->n, l->capacity, c);
    return &l->choices[l->n - 1];
}

rsp_form_question *rsp_form_add(rsp_form *f, rsp_form_question q) {
    RSP_PUSH(f->questions, f->n_questions, f->question_capacity, q);
    return &f->questions[f->n_questions - 1];
}

const char *rsp_form_words(const rsp_form_text *t) {
    for (size_t k = 0; k < RSP_FORM_LANGUAGES; k++)
        if (t->in[k] && *t->in[k]) return t->in[k];
    return NULL;
}

/* ---- tables ----------------------------------------------------------------------------------------------------- */

rsp_form_sheet rsp_form_sheet_of(rsp_table_data *t, rsp_arena *a) {
    return (rsp_form_sheet){.table = t, .arena = a, .cells = rsp_calloc(t->n_columns + 1, sizeof(rsp_cell))};
}

void rsp_form_sheet_free(rsp_form_sheet *s) {
    rsp_room_free(&s->room);
    free(s->cells);
    s->cells = NULL;
}

size_t rsp_form_column(const rsp_form_sheet *s, const char *heading) {
    rsp_buf folded = {0};
    size_t at = RSP_NONE;
    for (size_t j = 0; j < s->table->n_columns && at == RSP_NONE; j++) {
        rsp_fold(s->table->headings[j], strlen(s->table->headings[j]), &folded);
        if (strcmp(folded.data, heading) == 0) at = j;
    }
    rsp_buf_free(&folded);
    return at;
}

void rsp_form_record(rsp_form_sheet *s, size_t k) { s->table->read(s->table, k, k + 1, &s->room, s->cells); }

const char *rsp_form_cell(const rsp_form_sheet *s, size_t column) {
    if (column == RSP_NONE) return "";
    const char *text = s->cells[column].text;
    size_t n = s->cells[column].length;
    while (n && isspace((unsigned char) *text)) text++, n--;
    while (n && isspace((unsigned char) text[n - 1])) n--;
    return rsp_strndup(s->arena, text, n);
}

/* ---- XLSForm ---------------------------------------------------------------------------------------------------- */

/* `English (en)`, `en`, `English`: the code; the word itself where it is of no known language. */
static const char *language_code(rsp_arena *a, const char *text) {
    static const char *const names[][2] = {
        {"english", "en"},    {"german", "de"},    {"deutsch", "de"},   {"danish", "da"},   {"dansk", "da"},
        {"french", "fr"},     {"français", "fr"},  {"francais", "fr"},  {"polish", "pl"},   {"polski", "pl"},
        {"portuguese", "pt"}, {"português", "pt"}, {"portugues", "pt"}, {"romanian", "ro"}, {"română", "ro"},
        {"romana", "ro"},     {"spanish", "es"},   {"español", "es"},   {"italian", "it"},  {"dutch", "nl"}};
    const char *open = strrchr(text, '('), *close = open ? strchr(open, ')') : NULL;
    if (close && close - open >= 3 && close - open <= 9) return rsp_strndup(a, open + 1, (size_t) (close - open) - 1);
    rsp_buf folded = {0};
    rsp_fold(text, strlen(text), &folded);
    const char *code = rsp_strdup(a, folded.data);
    for (size_t k = 0; k < sizeof names / sizeof *names; k++)
        if (strcmp(folded.data, names[k][0]) == 0) code = names[k][1];
    rsp_buf_free(&folded);
    return code;
}

/* Of `label::pl`, `label:Polski`, `label`: the language; RSP_NONE where the heading is another. */
static size_t labelled_in(rsp_form *f, const char *heading, const char *word) {
    size_t n = strlen(word);
    if (strncasecmp(heading, word, n) != 0) return RSP_NONE;
    const char *rest = heading + n + strspn(heading + n, " ");
    if (!*rest) return rsp_form_language(f, "");
    if (*rest != ':') return RSP_NONE;
    return rsp_form_language(f, language_code(f->arena, rest + strspn(rest, ": ")));
}

static void texts_of(rsp_form *f, const rsp_form_sheet *s, const char *word, rsp_form_text *t) {
    for (size_t j = 0; j < s->table->n_columns; j++) {
        size_t language = labelled_in(f, s->table->headings[j], word);
        const char *text = language == RSP_NONE ? "" : rsp_form_cell(s, j);
        if (*text) t->in[language] = text;
    }
}

static void read_choices(rsp_form *f, rsp_table_data *t) {
    rsp_form_sheet s = rsp_form_sheet_of(t, f->arena);
    size_t list = rsp_form_column(&s, "list_name"), name = rsp_form_column(&s, "name");
    if (list == RSP_NONE) list = rsp_form_column(&s, "list name");
    if (name == RSP_NONE) name = rsp_form_column(&s, "value");
    for (size_t k = 0; k < t->n_records && list != RSP_NONE && name != RSP_NONE; k++) {
        rsp_form_record(&s, k);
        const char *of = rsp_form_cell(&s, list), *code = rsp_form_cell(&s, name);
        if (!*of || !*code) continue;
        texts_of(f, &s, "label", &rsp_form_choice_of(f, rsp_form_list_named(f, of), code)->label);
    }
    rsp_form_sheet_free(&s);
}

/* `select_one yes_no or_other`: its kind and list. False: no question with an answer. */
static bool take_type(rsp_form *f, const char *type, rsp_form_question *q) {
    static const struct {
        const char *word;
        rsp_draft_type type;
        bool list;
    } types[] = {{"select_one ", RSP_DRAFT_ONE, true},
                 {"select one ", RSP_DRAFT_ONE, true},
                 {"select_multiple ", RSP_DRAFT_MULTIPLE, true},
                 {"select multiple ", RSP_DRAFT_MULTIPLE, true},
                 {"rank ", RSP_DRAFT_RANK, true},
                 {"integer", RSP_DRAFT_INTEGER, false},
                 {"range", RSP_DRAFT_DECIMAL, false},
                 {"decimal", RSP_DRAFT_DECIMAL, false},
                 {"datetime", RSP_DRAFT_DATE, false},
                 {"date", RSP_DRAFT_DATE, false},
                 {"text", RSP_DRAFT_TEXT, false}};
    for (size_t k = 0; k < sizeof types / sizeof *types; k++) {
        size_t n = strlen(types[k].word);
        if (strncasecmp(type, types[k].word, n) != 0) continue;
        if (!types[k].list && type[n] && type[n] != ' ') continue;
        q->typed = true;
        q->type = types[k].type;
        q->list = RSP_NONE;
        if (!types[k].list) return true;
        const char *list = type + n + strspn(type + n, " ");
        size_t length = strcspn(list, " ");
        q->list = rsp_form_list_named(f, rsp_strndup(f->arena, list, length));
        if (strstr(list + length, "or_other") && !rsp_form_words(&rsp_form_choice_of(f, q->list, "other")->label))
            rsp_form_choice_of(f, q->list, "other")->label.in[rsp_form_language(f, "en")] = "Other";
        return true;
    }
    return false;
}

enum { DEEPEST_GROUP = 20 };

/* Both conditions; either may be blank. */
static const char *both(rsp_arena *a, const char *one, const char *two) {
    if (!one || !*one) return two;
    return !two || !*two ? one : rsp_printf(a, "(%s) and (%s)", one, two);
}

static void read_questions(rsp_form *f, rsp_table_data *t) {
    rsp_form_sheet s = rsp_form_sheet_of(t, f->arena);
    size_t type = rsp_form_column(&s, "type"), name = rsp_form_column(&s, "name"), depth = 0;
    size_t relevant = rsp_form_column(&s, "relevant");
    const char *outer[DEEPEST_GROUP + 1] = {""};
    if (relevant == RSP_NONE) relevant = rsp_form_column(&s, "relevance");
    for (size_t k = 0; k < t->n_records; k++) {
        rsp_form_record(&s, k);
        const char *kind = rsp_form_cell(&s, type), *own = rsp_form_cell(&s, relevant);
        rsp_form_question q = {.name = rsp_form_cell(&s, name)};
        bool opens = strncasecmp(kind, "begin", 5) == 0, closes = strncasecmp(kind, "end", 3) == 0 && kind[3];
        if (opens && depth < DEEPEST_GROUP) {
            outer[depth + 1] = both(f->arena, outer[depth], own);
            depth++;
        } else if (closes && (kind[3] == '_' || kind[3] == ' ') && depth) {
            depth--;
        } else if (*q.name && take_type(f, kind, &q)) {
            texts_of(f, &s, "label", &q.label);
            q.relevant = both(f->arena, outer[depth], own);
            rsp_form_add(f, q);
        }
    }
    rsp_form_sheet_free(&s);
}

static rsp_table_data *sheet_named(const rsp_buf *raw, const char *path, const char *sheet) {
    rsp_diag *unsaid = rsp_diag_new(); /* a workbook without that sheet is none of ours */
    rsp_buf copy = {0};
    rsp_buf_add(&copy, raw->data, raw->length);
    rsp_table_data *t = rsp_workbook_open(&copy, path, sheet, unsaid);
    rsp_diag_free(unsaid);
    return t;
}

static rsp_form *xlsform(const rsp_buf *raw, const char *path) {
    rsp_form *f = NULL;
    rsp_table_data *survey = sheet_named(raw, path, "survey");
    rsp_table_data *choices = survey ? sheet_named(raw, path, "choices") : NULL;
    if (survey) {
        rsp_arena *a = rsp_arena_new();
        rsp_form_sheet s = rsp_form_sheet_of(survey, a);
        bool is = rsp_form_column(&s, "type") != RSP_NONE && rsp_form_column(&s, "name") != RSP_NONE;
        rsp_form_sheet_free(&s);
        rsp_arena_free(a);
        if (is) f = rsp_form_new(path, RSP_FORM_XLSFORM);
    }
    if (f && choices) read_choices(f, choices);
    if (f) read_questions(f, survey);
    rsp_table_close(survey);
    rsp_table_close(choices);
    return f;
}

/* ---- REDCap's data dictionary ----------------------------------------------------------------------------------- */

/* `1, Yes | 2, No`. */
static size_t listed_choices(rsp_form *f, const char *name, const char *text) {
    size_t list = rsp_form_list_named(f, name), language = rsp_form_language(f, "");
    while (*text) {
        size_t n = strcspn(text, "|");
        const char *comma = memchr(text, ',', n);
        if (comma) {
            size_t code = (size_t) (comma - text);
            while (code && isspace((unsigned char) *text)) text++, code--, n--;
            while (code && isspace((unsigned char) text[code - 1])) code--;
            const char *label = comma + 1 + strspn(comma + 1, " ");
            size_t length = (size_t) (text + n - comma) - 1 - strspn(comma + 1, " ");
            while (length && isspace((unsigned char) label[length - 1])) length--;
            rsp_form_choice_of(f, list, rsp_strndup(f->arena, text, code))->label.in[language] =
                rsp_strndup(f->arena, label, length);
        }
        text += n;
        if (*text == '|') text++;
    }
    return list;
}

static void take_field(rsp_form *f, const char *type, const char *choices, const char *check, rsp_form_question *q) {
    bool one = strcmp(type, "radio") == 0 || strcmp(type, "dropdown") == 0;
    q->typed = true;
    q->list = RSP_NONE;
    q->type = RSP_DRAFT_TEXT;
    if (one || strcmp(type, "checkbox") == 0) {
        q->type = one ? RSP_DRAFT_ONE : RSP_DRAFT_MULTIPLE;
        q->list = listed_choices(f, q->name, choices);
    } else if (strcmp(type, "yesno") == 0) {
        q->type = RSP_DRAFT_ONE;
        q->list = listed_choices(f, "yesno", "0, No | 1, Yes");
    } else if (strcmp(type, "truefalse") == 0) {
        q->type = RSP_DRAFT_ONE;
        q->list = listed_choices(f, "truefalse", "0, False | 1, True");
    } else if (strcmp(type, "slider") == 0 || strncmp(check, "number", 6) == 0) {
        q->type = RSP_DRAFT_DECIMAL;
    } else if (strcmp(check, "integer") == 0) {
        q->type = RSP_DRAFT_INTEGER;
    } else if (strncmp(check, "date", 4) == 0) {
        q->type = RSP_DRAFT_DATE;
    } else if (strcmp(type, "text") == 0 || strcmp(type, "calc") == 0) {
        q->typed = false; /* numbers or words: as the cells have it */
    }
}

static rsp_form *dictionary(rsp_table_data *t, const char *path) {
    rsp_form *f = rsp_form_new(path, RSP_FORM_REDCAP);
    rsp_form_sheet s = rsp_form_sheet_of(t, f->arena);
    size_t language = rsp_form_language(f, ""), name = rsp_form_column(&s, "variable / field name");
    size_t type = rsp_form_column(&s, "field type"), label = rsp_form_column(&s, "field label");
    size_t choices = rsp_form_column(&s, "choices, calculations, or slider labels");
    size_t check = rsp_form_column(&s, "text validation type or show slider number");
    size_t personal = rsp_form_column(&s, "identifier?");
    size_t logic = rsp_form_column(&s, "branching logic (show field only if...)");
    if (logic == RSP_NONE) logic = rsp_form_column(&s, "branching logic (show field only if");
    for (size_t k = 0; k < t->n_records; k++) {
        rsp_form_record(&s, k);
        const char *kind = rsp_form_cell(&s, type);
        rsp_form_question q = {.name = rsp_form_cell(&s, name), .relevant = rsp_form_cell(&s, logic)};
        if (!*q.name || strcmp(kind, "descriptive") == 0 || strcmp(kind, "file") == 0) continue;
        take_field(f, kind, rsp_form_cell(&s, choices), rsp_form_cell(&s, check), &q);
        q.label.in[language] = rsp_form_cell(&s, label);
        q.personal = strcasecmp(rsp_form_cell(&s, personal), "y") == 0;
        rsp_form_add(f, q);
    }
    rsp_form_sheet_free(&s);
    return f;
}

/* ---- which questionnaire ---------------------------------------------------------------------------------------- */

static bool begins_with(const rsp_buf *raw, const char *text) {
    size_t mark = raw->length >= 3 && memcmp(raw->data, "\xEF\xBB\xBF", 3) == 0 ? 3 : 0, n = strlen(text);
    mark += mark < raw->length && raw->data[mark] == '"';
    return raw->length >= mark + n && strncasecmp(raw->data + mark, text, n) == 0;
}

static rsp_form *from_text(const rsp_buf *raw, const char *path, rsp_diag *d) {
    bool redcap = begins_with(raw, "Variable / Field Name");
    size_t first = raw->length < 400 ? raw->length : 400;
    bool lime = memmem(raw->data, first, "class", 5) && memmem(raw->data, first, "type/scale", 10);
    if (!redcap && !lime) return NULL;
    rsp_buf copy = {0};
    rsp_buf_add(&copy, raw->data, raw->length);
    rsp_table_data *t = rsp_delimited_open(&copy, path, NULL, lime ? '\t' : 0, d);
    rsp_form *f = !t ? NULL : lime ? rsp_form_lime_table(t, path) : dictionary(t, path);
    rsp_table_close(t);
    return f;
}

rsp_form *rsp_form_read(const rsp_buf *raw, const char *path, rsp_diag *d) {
    if (rsp_is_workbook(raw)) return xlsform(raw, path);
    if (rsp_form_is_lss(raw)) return rsp_form_lss(raw, path, d);
    if (rsp_form_is_qsf(raw)) return rsp_form_qsf(raw, path, d);
    if (rsp_form_is_syntax(raw)) return rsp_form_syntax(raw, path, d);
    return from_text(raw, path, d);
}
