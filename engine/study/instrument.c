/* The instrument: an XLSForm saved as survey.csv and choices.csv. */
#include "study/loader.h"

#include "responsive/limits.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* ---- columns ---------------------------------------------------------------------------------------------------- */

/* Columns of XLSForm that guide data entry alone, and columns whose name starts so with a language or a medium. */
static const char *const entry_columns[] = {
    "constraint_message", "required_message", "appearance", "default",      "calculation", "choice_filter", "readonly",
    "read_only",          "read only",        "parameters", "repeat_count", "note",        "trigger",       NULL};
static const char *const survey_columns[] = {"type",     "name",    "label",   "hint",        "relevant", "constraint",
                                             "required", "measure", "reverse", "export_name", NULL};
static const char *const choices_columns[] = {"list_name", "name", "label", "value", "missing", "alias", NULL};

static bool in(const char *word, size_t length, const char *const *words) {
    for (; *words; words++)
        if (strlen(*words) == length && strncmp(*words, word, length) == 0) return true;
    return false;
}

/* Language of a heading `label::pl` or `label::Polish (pl)`; "" for a plain heading; NULL if it is none. */
static const char *heading_language(rsp_loader *l, const char *heading) {
    const char *colons = strstr(heading, "::");
    if (!colons) return "";
    const char *name = colons + 2, *open = strrchr(name, '(');
    char *tag = open ? rsp_strndup(l->a, open + 1, strcspn(open + 1, ")")) : rsp_strdup(l->a, name);
    while (*tag == ' ') tag++;
    return rsp_is_language(tag) ? tag : NULL;
}

static void check_heading(rsp_loader *l, const rsp_cell *head, const char *const *known, bool survey) {
    size_t base = strcspn(head->text, ":");
    bool translated = head->text[base] == ':';
    if (!head->text[0]) return;
    if (survey && (in(head->text, base, entry_columns) || strncmp(head->text, "media::", 7) == 0)) return;
    if (strcmp(head->text, "image") == 0 || strcmp(head->text, "audio") == 0) return;
    bool words = base == 5 ? strncmp(head->text, "label", 5) == 0 : base == 4 && strncmp(head->text, "hint", 4) == 0;
    if (in(head->text, base, known) && (!translated || words)) {
        if (!heading_language(l, head->text))
            RSP_FAULT(l, head->loc, "write it like label::en", "'%s' names no language", head->text);
        return;
    }
    size_t n = 0;
    while (known[n]) n++;
    const char *near = rsp_suggest(rsp_strndup(l->a, head->text, base), known, n);
    RSP_FAULT(l, head->loc, near ? rsp_printf(l->a, "did you mean '%s%s'?", near, head->text + base) : NULL,
              "unknown column '%s'", head->text);
}

/* Known, single headings; false if a needed one is not there. */
static bool check_headings(rsp_loader *l, const rsp_sheet *sheet, const char *const *known, const char *const *needed,
                           bool survey) {
    bool good = true;
    rsp_map *seen = rsp_map_new();
    for (size_t k = 0; k < sheet->n_columns; k++) {
        check_heading(l, &sheet->head[k], known, survey);
        if (sheet->head[k].text[0] && !rsp_map_put(seen, sheet->head[k].text, k))
            RSP_FAULT(l, sheet->head[k].loc, NULL, "column '%s' stands twice", sheet->head[k].text);
    }
    for (; *needed; needed++)
        if (rsp_sheet_column(sheet, *needed) == RSP_NONE) {
            RSP_FAULT(l, ((rsp_loc){sheet->path, 1, 1}), NULL, "the column '%s' is missing", *needed);
            good = false;
        }
    rsp_map_free(seen);
    return good;
}

/* The texts of the columns `what` and `what::LANG` in a row. */
static rsp_text row_words(rsp_loader *l, const rsp_sheet *sheet, size_t row, const char *what) {
    rsp_text t = {0, RSP_ARRAY(l->a, rsp_wording, sheet->n_columns)};
    size_t length = strlen(what);
    for (size_t k = 0; k < sheet->n_columns; k++) {
        const char *heading = sheet->head[k].text;
        if (strncmp(heading, what, length) != 0 || (heading[length] && heading[length] != ':')) continue;
        const char *lang = heading_language(l, heading), *text = rsp_sheet_cell(sheet, row, k)->text;
        if (lang && text[0] && !rsp_wording_too_long(l, text, rsp_sheet_cell(sheet, row, k)->loc))
            t.wording[t.n++] = (rsp_wording){lang, text};
    }
    return t;
}

static bool cell_yes(rsp_loader *l, const rsp_cell *c, const char *column) {
    static const char *const yes[] = {"yes", "true", "true()", "TRUE", "1", NULL};
    static const char *const no[] = {"", "no", "false", "false()", "FALSE", "0", NULL};
    if (in(c->text, strlen(c->text), yes)) return true;
    if (!in(c->text, strlen(c->text), no))
        RSP_FAULT(l, c->loc, NULL, "'%s' must be yes, no or blank, not '%s'", column, c->text);
    return false;
}

static const char **split_bar(rsp_loader *l, const char *text, size_t *n) {
    size_t bars = 1;
    for (const char *p = text; *p; p++) bars += *p == '|';
    const char **out = RSP_ARRAY(l->a, const char *, bars);
    *n = 0;
    for (const char *p = text; *text; p += *p == '|') {
        size_t length = strcspn(p, "|"), from = 0, to = length;
        while (from < to && p[from] == ' ') from++;
        while (to > from && p[to - 1] == ' ') to--;
        if (to > from) out[(*n)++] = rsp_strndup(l->a, p + from, to - from);
        p += length;
        if (!*p) break;
    }
    return out;
}

/* ---- choices ---------------------------------------------------------------------------------------------------- */

bool rsp_good_code(const char *code) {
    return code[0] && !code[strcspn(code, " \t\r\n;=:|,")] && strlen(code) <= RSP_MOST_NAME_BYTES;
}

rsp_list *rsp_new_list(rsp_loader *l, const char *name, size_t n) {
    rsp_list *list = &l->s->lists[l->s->n_lists++];
    *list = (rsp_list){name, n, RSP_ARRAY(l->a, rsp_choice, n)};
    return list;
}

typedef struct {
    size_t list_name, name, value, missing, alias;
} choice_columns;

static void read_choice(rsp_loader *l, const rsp_sheet *sheet, size_t row, const choice_columns *c, rsp_list *list,
                        rsp_map *seen) {
    const rsp_cell *code = rsp_sheet_cell(sheet, row, c->name), *value = rsp_sheet_cell(sheet, row, c->value);
    if (!rsp_good_code(code->text))
        RSP_FAULT(l, code->loc, RSP_CODE_HINT, code->text[0] ? "'%s' cannot be a code" : "a choice without a name%s",
                  code->text);
    char *key = rsp_printf(l->a, "%s\n%s", list->name, code->text);
    size_t same = rsp_map_get(seen, key);
    if (same != RSP_NONE && code->text[0]) {
        RSP_FAULT(l, code->loc, rsp_printf(l->a, "first in line %d", list->choices[same].loc.line),
                  "code '%s' stands twice in list '%s'", code->text, list->name);
        return;
    }
    rsp_map_put(seen, key, list->n);
    rsp_choice *x = &list->choices[list->n++];
    *x = (rsp_choice){.code = code->text, .value = (double) list->n, .loc = code->loc};
    if (value->text[0] && !rsp_parse_double(value->text, strlen(value->text), '.', &x->value))
        RSP_FAULT(l, value->loc, NULL, "'value' must be a number, not '%s'", value->text);
    x->missing = cell_yes(l, rsp_sheet_cell(sheet, row, c->missing), "missing");
    x->label = row_words(l, sheet, row, "label");
    x->aliases = split_bar(l, rsp_sheet_cell(sheet, row, c->alias)->text, &x->n_aliases);
}

/* Lists may be scattered over the file: counted first, so that each gets its room. */
static void read_lists(rsp_loader *l, const rsp_sheet *sheet, size_t extra_lists) {
    choice_columns c = {rsp_sheet_column(sheet, "list_name"), rsp_sheet_column(sheet, "name"),
                        rsp_sheet_column(sheet, "value"), rsp_sheet_column(sheet, "missing"),
                        rsp_sheet_column(sheet, "alias")};
    size_t *count = rsp_calloc(sheet->n_rows + 1, sizeof *count);
    size_t *list_of = rsp_calloc(sheet->n_rows + 1, sizeof *list_of);
    const char **names = rsp_calloc(sheet->n_rows + 1, sizeof *names);
    size_t n = 0;
    for (size_t i = 0; i < sheet->n_rows; i++) {
        const char *name = rsp_sheet_cell(sheet, i, c.list_name)->text;
        if (!name[0]) RSP_FAULT(l, rsp_sheet_cell(sheet, i, c.list_name)->loc, NULL, "a choice without a list_name");
        if (rsp_map_put(l->list_names, name, n)) names[n++] = name;
        list_of[i] = rsp_map_get(l->list_names, name);
        count[list_of[i]]++;
    }
    l->s->lists = RSP_ARRAY(l->a, rsp_list, n + extra_lists);
    for (size_t k = 0; k < n; k++) rsp_new_list(l, names[k], count[k])->n = 0;
    rsp_map *seen = rsp_map_new();
    for (size_t i = 0; i < sheet->n_rows; i++) read_choice(l, sheet, i, &c, &l->s->lists[list_of[i]], seen);
    rsp_map_free(seen);
    free(count);
    free(list_of);
    free(names);
}

static bool load_choices(rsp_loader *l, const rsp_node *file, size_t extra_lists) {
    static const char *const needed[] = {"list_name", "name", NULL};
    rsp_sheet sheet;
    if (!file) {
        l->s->lists = RSP_ARRAY(l->a, rsp_list, extra_lists);
        return true;
    }
    l->s->choices_path = rsp_named_file(l, file);
    if (!l->s->choices_path || !rsp_sheet_read(l->a, l->s->choices_path, file->loc, &sheet, l->d)) return false;
    if (!check_headings(l, &sheet, choices_columns, needed, false)) return false;
    read_lists(l, &sheet, extra_lists);
    return true;
}

/* ---- questions -------------------------------------------------------------------------------------------------- */

typedef struct {
    size_t type, name, relevant, constraint, required, measure, reverse, export_name;
} survey_cols;

typedef struct {
    const rsp_sheet *sheet;
    survey_cols c;
    size_t depth;
    struct {
        rsp_loc loc;
        rsp_expr *relevant; /* of the group and those around it */
    } groups[RSP_MOST_GROUP_DEPTH];
} survey;

typedef struct {
    const char *word;
    int type; /* rsp_type, or below */
    bool lists;
} question_type;

enum { IGNORED = -1, GROUP_BEGIN = -2, GROUP_END = -3, CALCULATE = -4, REPEAT = -5 };

static const question_type question_types[] = {{"select_one", RSP_SELECT_ONE, true},
                                               {"select_multiple", RSP_SELECT_MULTIPLE, true},
                                               {"rank", RSP_RANK, true},
                                               {"integer", RSP_INTEGER, false},
                                               {"decimal", RSP_DECIMAL, false},
                                               {"date", RSP_DATE, false},
                                               {"datetime", RSP_DATETIME, false},
                                               {"dateTime", RSP_DATETIME, false},
                                               {"text", RSP_TEXT, false},
                                               {"start", RSP_DATETIME, false},
                                               {"end", RSP_DATETIME, false},
                                               {"today", RSP_DATE, false},
                                               {"calculate", CALCULATE, false},
                                               {"note", IGNORED, false},
                                               {"begin_group", GROUP_BEGIN, false},
                                               {"end_group", GROUP_END, false},
                                               {"begin_repeat", REPEAT, false},
                                               {"end_repeat", REPEAT, false}};
enum { N_TYPES = sizeof question_types / sizeof *question_types };

static const question_type *find_type(rsp_loader *l, const rsp_cell *cell, const char **list) {
    char word[64];
    const char *text = cell->text;
    size_t length = strcspn(text, " ");
    bool two = strncmp(text, "begin ", 6) == 0 || strncmp(text, "end ", 4) == 0; /* `begin group` is begin_group */
    snprintf(word, sizeof word, "%.*s", (int) length, text);
    *list = text + length + strspn(text + length, " ");
    if (two) {
        snprintf(word, sizeof word, "%.*s_%.40s", (int) length, text, *list);
        *list = "";
    }
    const char *names[N_TYPES];
    for (size_t k = 0; k < N_TYPES; k++) {
        names[k] = question_types[k].word;
        if (strcmp(names[k], word) != 0) continue;
        if (question_types[k].lists == (**list != '\0')) return &question_types[k];
        if (question_types[k].lists) RSP_FAULT(l, cell->loc, NULL, "type '%s' needs the name of a list", word);
        else RSP_FAULT(l, cell->loc, NULL, "type '%s' takes no list", word);
        return NULL;
    }
    const char *hint = text[0] ? rsp_did_you_mean(l, word, names, N_TYPES) : NULL;
    if (!text[0]) RSP_FAULT(l, cell->loc, NULL, "a row without a type");
    else RSP_FAULT(l, cell->loc, hint, "unknown type '%s'", text);
    const char *meant = hint ? rsp_suggest(word, names, N_TYPES) : NULL;
    for (size_t k = 0; meant && k < N_TYPES; k++) /* read as it is meant: the name keeps its codes */
        if (names[k] == meant && question_types[k].lists == (**list != '\0')) return &question_types[k];
    return NULL;
}

/* Of a misspelt name the list that is meant; NULL. */
static const rsp_list *find_list(rsp_loader *l, const rsp_cell *cell, const char *name) {
    size_t k = rsp_map_get(l->list_names, name);
    if (k != RSP_NONE) return &l->s->lists[k];
    const char **names = rsp_calloc(l->s->n_lists + 1, sizeof *names);
    for (k = 0; k < l->s->n_lists; k++) names[k] = l->s->lists[k].name;
    const char *hint = rsp_did_you_mean(l, name, names, l->s->n_lists);
    const char *near = hint ? rsp_suggest(name, names, l->s->n_lists) : NULL;
    RSP_FAULT(l, cell->loc, hint ? hint : "add its choices to choices.csv", "unknown list '%s'", name);
    free(names);
    return near ? &l->s->lists[rsp_map_get(l->list_names, near)] : NULL;
}

static rsp_expr *cell_expr(rsp_loader *l, const rsp_cell *c) {
    rsp_origin o = {c->loc, false, 0};
    return c->text[0] ? rsp_expr_parse(l->a, c->text, &o, l->d) : NULL;
}

static rsp_expr *both(rsp_loader *l, rsp_expr *a, rsp_expr *b) {
    if (!a || !b) return a ? a : b;
    rsp_expr *e = RSP_NEW(l->a, rsp_expr);
    *e = (rsp_expr){
        .op = RSP_X_AND, .variable = RSP_NONE, .n_args = 2, .args = RSP_ARRAY(l->a, rsp_expr *, 2), .loc = b->loc};
    e->args[0] = a;
    e->args[1] = b;
    return e;
}

static rsp_expr *group_condition(const survey *v) { return v->depth ? v->groups[v->depth - 1].relevant : NULL; }

static void begin_group(rsp_loader *l, survey *v, size_t row) {
    const rsp_cell *type = rsp_sheet_cell(v->sheet, row, v->c.type);
    if (v->depth == RSP_MOST_GROUP_DEPTH) {
        RSP_FAULT(l, type->loc, NULL, "groups are nested deeper than %d", RSP_MOST_GROUP_DEPTH);
        return;
    }
    rsp_expr *own = cell_expr(l, rsp_sheet_cell(v->sheet, row, v->c.relevant)), *outer = group_condition(v);
    v->groups[v->depth].loc = type->loc;
    v->groups[v->depth].relevant = both(l, outer, own);
    v->depth++;
}

static rsp_measure read_measure(rsp_loader *l, const rsp_cell *c, rsp_type type) {
    static const char *const words[] = {"nominal", "ordinal", "interval"};
    for (int k = 0; k < 3; k++)
        if (strcmp(c->text, words[k]) == 0) return (rsp_measure) k;
    if (c->text[0])
        RSP_FAULT(l, c->loc, rsp_did_you_mean(l, c->text, words, 3),
                  "'measure' must be nominal, ordinal or interval, not '%s'", c->text);
    if (type == RSP_RANK) return RSP_ORDINAL;
    return type == RSP_SELECT_ONE || type == RSP_SELECT_MULTIPLE || type == RSP_TEXT ? RSP_NOMINAL : RSP_INTERVAL;
}

static bool good_name(const char *s) {
    const char *whole = s;
    if (!(isalpha((unsigned char) *s) || *s == '_') || (unsigned char) *s > 127) return false;
    for (; *s; s++)
        if ((unsigned char) *s > 127 || !(isalnum((unsigned char) *s) || strchr("_.-", *s))) return false;
    return strlen(whole) <= RSP_MOST_NAME_BYTES;
}

bool rsp_add_variable(rsp_loader *l, const rsp_variable *v, size_t *index) {
    rsp_study *s = l->s;
    size_t first = rsp_map_get(l->names, v->name);
    if (first != RSP_NONE) {
        rsp_loc where = s->variables[first].loc;
        *index = first;
        RSP_FAULT(l, v->loc, rsp_printf(l->a, "first at %s:%d", where.file ? where.file : "?", where.line),
                  "the name '%s' stands twice", v->name);
        return false;
    }
    if (s->n_variables == RSP_MOST_VARIABLES && !l->full)
        RSP_FAULT(l, v->loc, "split the study", "more than %d variables, choices of multiple choices among them",
                  RSP_MOST_VARIABLES);
    if (s->n_variables == RSP_MOST_VARIABLES) {
        l->full = true;
        *index = 0;
        return false;
    }
    RSP_PUSH(s->variables, s->n_variables, l->cap_variables, *v);
    *index = s->n_variables - 1;
    rsp_map_put(l->names, v->name, *index);
    return true;
}

static void add_question(rsp_loader *l, survey *v, size_t row, const question_type *t, const char *list) {
    const rsp_cell *name = rsp_sheet_cell(v->sheet, row, v->c.name), *type = rsp_sheet_cell(v->sheet, row, v->c.type);
    const rsp_cell *reverse = rsp_sheet_cell(v->sheet, row, v->c.reverse);
    if (!good_name(name->text)) {
        RSP_FAULT(l, name->text[0] ? name->loc : type->loc,
                  "use up to 128 letters, digits, _, . and -, a letter or _ first",
                  name->text[0] ? "'%s' cannot be a name" : "a question without a name%s", name->text);
        return;
    }
    rsp_variable x = {.name = name->text, .loc = name->loc, .part_of = RSP_NONE, .first_part = RSP_NONE};
    /* A question of a faulty type stays known by name: one fault should not make ten. */
    x.type = t ? t->type == CALCULATE ? RSP_TEXT : (rsp_type) t->type : RSP_TEXT;
    x.list = t && t->lists ? find_list(l, type, list) : NULL;
    if (t && t->lists && !x.list) x.type = RSP_TEXT;
    x.measure = read_measure(l, rsp_sheet_cell(v->sheet, row, v->c.measure), x.type);
    x.reverse = cell_yes(l, reverse, "reverse");
    if (x.reverse && x.type != RSP_SELECT_ONE && t)
        RSP_FAULT(l, reverse->loc, NULL, "'reverse' is for select_one questions; '%s' is none", x.name);
    x.required = cell_yes(l, rsp_sheet_cell(v->sheet, row, v->c.required), "required");
    x.export_names = split_bar(l, rsp_sheet_cell(v->sheet, row, v->c.export_name)->text, &x.n_export_names);
    x.label = row_words(l, v->sheet, row, "label");
    x.hint = row_words(l, v->sheet, row, "hint");
    x.relevant = both(l, group_condition(v), cell_expr(l, rsp_sheet_cell(v->sheet, row, v->c.relevant)));
    x.constraint = cell_expr(l, rsp_sheet_cell(v->sheet, row, v->c.constraint));
    x.derive.from = RSP_NONE;
    size_t index;
    rsp_add_variable(l, &x, &index);
}

static void read_row(rsp_loader *l, survey *v, size_t row) {
    const rsp_cell *type = rsp_sheet_cell(v->sheet, row, v->c.type);
    const char *list = "";
    const question_type *t = find_type(l, type, &list);
    switch (t ? t->type : RSP_TEXT) {
    case IGNORED: return;
    case GROUP_BEGIN: begin_group(l, v, row); return;
    case GROUP_END:
        if (v->depth) v->depth--;
        else RSP_FAULT(l, type->loc, NULL, "this end_group closes no group");
        return;
    case REPEAT:
        RSP_FAULT(l, type->loc, NULL, "repeated questions are not read: a study has one row a respondent");
        return;
    case CALCULATE: /* the tool's result can be read as an answer; computing is this program's own affair */
        if (!rsp_sheet_cell(v->sheet, row, v->c.export_name)->text[0])
            RSP_FAULT(l, type->loc, "use `derive` in study.yaml, or give the column's export_name to read it as text",
                      "'calculate' is not computed");
        break;
    default: break;
    }
    add_question(l, v, row, t, list);
}

static bool blank_row(const rsp_sheet *sheet, size_t row) {
    for (size_t k = 0; k < sheet->n_columns; k++)
        if (rsp_sheet_cell(sheet, row, k)->text[0]) return false;
    return true;
}

static bool load_survey(rsp_loader *l, const rsp_node *file) {
    static const char *const needed[] = {"type", "name", NULL};
    rsp_sheet sheet;
    if (!file) return false;
    l->s->survey_path = rsp_named_file(l, file);
    if (!l->s->survey_path || !rsp_sheet_read(l->a, l->s->survey_path, file->loc, &sheet, l->d)) return false;
    if (!check_headings(l, &sheet, survey_columns, needed, true)) return false;
    if (!sheet.n_rows) {
        RSP_FAULT(l, ((rsp_loc){l->s->survey_path, 1, 1}), "one row a question, as in an XLSForm",
                  "the questionnaire holds no questions");
        return false;
    }
    survey v = {.sheet = &sheet,
                .c = {rsp_sheet_column(&sheet, "type"), rsp_sheet_column(&sheet, "name"),
                      rsp_sheet_column(&sheet, "relevant"), rsp_sheet_column(&sheet, "constraint"),
                      rsp_sheet_column(&sheet, "required"), rsp_sheet_column(&sheet, "measure"),
                      rsp_sheet_column(&sheet, "reverse"), rsp_sheet_column(&sheet, "export_name")}};
    for (size_t i = 0; i < sheet.n_rows; i++)
        if (!blank_row(&sheet, i)) read_row(l, &v, i);
    while (v.depth) RSP_FAULT(l, v.groups[--v.depth].loc, NULL, "this group has no end_group");
    l->n_questions = l->s->n_variables;
    return true;
}

/* One variable for each choice of a select_multiple or rank, labelled as the choice. */
static void add_parts(rsp_loader *l, size_t question) {
    const rsp_list *list = rsp_var(l, question)->list;
    size_t first = l->s->n_variables;
    for (size_t k = 0; k < list->n; k++) {
        const rsp_variable *q = rsp_var(l, question);
        size_t index;
        rsp_variable part = {.name = rsp_printf(l->a, "%s_%s", q->name, list->choices[k].code),
                             .type = RSP_INTEGER,
                             .measure = RSP_INTERVAL,
                             .label = list->choices[k].label,
                             .hint = q->label,
                             .relevant = q->relevant,
                             .part_of = question,
                             .part = k,
                             .first_part = RSP_NONE,
                             .loc = q->loc};
        part.derive.from = RSP_NONE;
        if (!rsp_add_variable(l, &part, &index)) return;
    }
    l->s->variables[question].first_part = first;
}

void rsp_load_instrument(rsp_loader *l) {
    const rsp_node *n = rsp_get(l->root, "instrument"), *derive = rsp_get(l->root, "derive");
    bool choices = load_choices(l, rsp_get(n, "choices"), derive ? derive->n : 0);
    if (!choices) l->s->lists = RSP_ARRAY(l->a, rsp_list, derive ? derive->n : 0);
    if (choices) {
        l->blind = !load_survey(l, rsp_get(n, "survey"));
    } else {
        l->blind = true; /* without its lists every question of choices would be called wrong */
    }
    for (size_t k = 0; k < l->n_questions; k++)
        if (rsp_is_set(rsp_var(l, k))) add_parts(l, k);
}
