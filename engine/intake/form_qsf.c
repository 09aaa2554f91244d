/* Qualtrics's questionnaire (.qsf): JSON with the survey's name and language in `SurveyEntry` and a list of `SurveyElements`,
 * of which those of kind SQ are questions and one of kind BL says which of them were thrown away.
 *
 * A question's columns are called by its export tag: alone (one answer, text), with an underscore and the choice's or row's
 * number (several answers, ranks, sliders, rows of a matrix), or as the rows' own tags say. Cells of one answer hold recode
 * values where the question has them, else the choice's number. A table side by side is a matrix for each of its columns,
 * called TAG#1, TAG#2. Timings, files and pictures are left to what the columns themselves show. Conditions, of
 * questions and of the branches of the survey's flow (FL) that their blocks stand in, are put as XLSForm would where they
 * ask for choices of other questions. */
#include "form.h"

#include "responsive/limits.h"

#include <ctype.h>
#include <jansson.h>
#include <string.h>
#include <strings.h>

enum { MOST_BRANCHES = 200 }; /* within each other */

/* Under which condition something is shown. */
struct shown {
    const char *text; /* NULL: always */
    bool unknown;     /* there is a condition that cannot be put in words */
};

struct qsf {
    rsp_form *form;
    json_t *elements;
    json_t *blocks;         /* all of them */
    rsp_map *place;         /* of QuestionIDs among the elements */
    rsp_map *block;         /* of blocks' IDs among the blocks */
    rsp_map *thrown;        /* QuestionIDs in the trash */
    struct shown *branches; /* per element: of the flow that leads to the question */
    bool *reached;          /* per element: the flow leads there */
    size_t language;        /* of the survey */
};

/* ---- JSON ------------------------------------------------------------------------------------------------------- */

static const char *text_at(const json_t *object, const char *key) {
    const char *text = json_string_value(json_object_get(object, key));
    return text ? text : "";
}

/* Keys of choices are numbers as texts, in their order as numbers or texts; what else stands there is none. */
static const char *key_text(struct qsf *q, const json_t *value) {
    if (json_is_string(value)) return json_string_value(value);
    if (json_is_integer(value)) return rsp_printf(q->form->arena, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
    return NULL;
}

/* The value of a key; where there are no gaps PHP writes an object as an array. */
static const json_t *value_of(const json_t *from, const char *key) {
    if (json_is_object(from)) return json_object_get(from, key);
    size_t k = 0;
    for (const char *c = key; *c; c++) {
        if (!isdigit((unsigned char) *c) || k > 100000) return NULL;
        k = 10 * k + (size_t) (*c - '0');
    }
    return json_is_array(from) && *key ? json_array_get(from, k) : NULL;
}

/* The text of a choice, row or answer: {"Display": text}. */
static const char *display_of(const json_t *choices, const char *key) {
    return text_at(value_of(choices, key), "Display");
}

/* Keys in the order in which they were shown; *n of them. */
static const char **keys_of(struct qsf *q, const json_t *payload, const char *choices, const char *order, size_t *n) {
    const json_t *all = json_object_get(payload, choices), *in_order = json_object_get(payload, order);
    size_t most = json_array_size(in_order) + json_object_size(all) + json_array_size(all);
    const char **keys = RSP_ARRAY(q->form->arena, const char *, most);
    rsp_map *seen = rsp_map_new();
    *n = 0;
    for (size_t k = 0; k < json_array_size(in_order); k++) {
        const char *key = key_text(q, json_array_get(in_order, k));
        if (key && value_of(all, key) && rsp_map_put(seen, key, k)) keys[(*n)++] = rsp_strdup(q->form->arena, key);
    }
    const char *key;
    json_t *value;
    json_object_foreach((json_t *) all, key, value) if (rsp_map_put(seen, key, 0)) keys[(*n)++] =
        rsp_strdup(q->form->arena, key);
    for (size_t k = 0; k < json_array_size(all); k++) {
        const char *number = rsp_printf(q->form->arena, "%zu", k);
        if (json_is_object(json_array_get(all, k)) && rsp_map_put(seen, number, 0)) keys[(*n)++] = number;
    }
    rsp_map_free(seen);
    return keys;
}

/* ---- texts ------------------------------------------------------------------------------------------------------ */

/* `EN`, `PT-BR`: en, pt-br. */
static size_t language_of(struct qsf *q, const char *code) {
    char lower[16];
    size_t n = 0;
    for (; code[n] && n + 1 < sizeof lower; n++) lower[n] = (char) tolower((unsigned char) code[n]);
    lower[n] = '\0';
    return rsp_form_language(q->form, lower);
}

static void put_text(struct qsf *q, rsp_form_text *into, size_t language, const char *text) {
    if (language != RSP_NONE && *text) into->in[language] = rsp_strdup(q->form->arena, text);
}

/* A question's text in all languages. */
static rsp_form_text question_text(struct qsf *q, const json_t *payload) {
    rsp_form_text t = {{NULL}};
    const char *code;
    json_t *translation;
    put_text(q, &t, q->language, text_at(payload, "QuestionText"));
    json_object_foreach(json_object_get(payload, "Language"), code, translation)
        put_text(q, &t, language_of(q, code), text_at(translation, "QuestionText"));
    return t;
}

/* That of a choice (which: Choices) or of an answer of a matrix (Answers). */
static rsp_form_text choice_text(struct qsf *q, const json_t *payload, const char *which, const char *key) {
    rsp_form_text t = {{NULL}};
    const char *code;
    json_t *translation;
    put_text(q, &t, q->language, display_of(json_object_get(payload, which), key));
    json_object_foreach(json_object_get(payload, "Language"), code, translation)
        put_text(q, &t, language_of(q, code), display_of(json_object_get(translation, which), key));
    return t;
}

/* ---- lists ------------------------------------------------------------------------------------------------------ */

/* What cells hold for a choice: its recode value; of several answers its number, which stands in the heading. */
static const char *code_of(struct qsf *q, const json_t *payload, const char *key, bool recoded) {
    const json_t *value = value_of(json_object_get(payload, "RecodeValues"), key);
    const char *code = recoded && value ? key_text(q, value) : NULL;
    return code && *code ? code : key;
}

static size_t list_from(struct qsf *q, const json_t *payload, const char *name, const char *which, const char *order,
                        bool recoded) {
    size_t n, list = rsp_form_list_named(q->form, name);
    const char **keys = keys_of(q, payload, which, order, &n);
    for (size_t k = 0; k < n; k++)
        rsp_form_choice_of(q->form, list, code_of(q, payload, keys[k], recoded))->label =
            choice_text(q, payload, which, keys[k]);
    return list;
}

/* ---- conditions ------------------------------------------------------------------------------------------------- */

static const json_t *payload_of(const struct qsf *q, const char *question) {
    size_t at = rsp_map_get(q->place, question);
    return at == RSP_NONE ? NULL : json_object_get(json_array_get(q->elements, at), "Payload");
}

static bool has_several(const json_t *payload) {
    const char *selector = text_at(payload, "Selector");
    return strncmp(selector, "MA", 2) == 0 || strcmp(selector, "MSB") == 0;
}

/* `q://QID1/SelectableChoice/2` with Selected or NotSelected; NULL for all else. */
static const char *term_of(struct qsf *q, const json_t *logic) {
    const char *question = text_at(logic, "QuestionID"), *how = text_at(logic, "Operator");
    const char *locator = text_at(logic, "ChoiceLocator"), *choice = strstr(locator, "/SelectableChoice/");
    const json_t *payload = payload_of(q, question);
    bool selected = strcmp(how, "Selected") == 0;
    if (!payload || !choice || (!selected && strcmp(how, "NotSelected") != 0)) return NULL;
    choice += strlen("/SelectableChoice/");
    if (!*choice || strchr(choice, '/') || strcmp(text_at(payload, "QuestionType"), "MC") != 0) return NULL;
    const char *tag = text_at(payload, "DataExportTag");
    if (has_several(payload))
        return rsp_printf(q->form->arena, selected ? "selected(${%s}, '%s')" : "not(selected(${%s}, '%s'))", tag,
                          choice);
    const char *code = code_of(q, payload, choice, true);
    return rsp_printf(q->form->arena, "${%s} %s '%s'", tag, selected ? "=" : "!=", code);
}

/* One group of terms that are all joined in one way. Half a condition would be another one: unknown where a part is. */
static struct shown condition_of(struct qsf *q, const json_t *logic) {
    static const struct shown unknown = {NULL, true};
    const json_t *group = value_of(logic, "0");
    const char *joined = NULL, *how = NULL;
    if (!json_object_size(logic) && !json_array_size(logic)) return (struct shown){NULL, false};
    if (!group || value_of(logic, "1")) return unknown;
    for (size_t k = 0;; k++) {
        const json_t *term = value_of(group, rsp_printf(q->form->arena, "%zu", k));
        if (!term) return joined ? (struct shown){joined, false} : unknown;
        const char *text = term_of(q, term), *by = text_at(term, "Conjuction"); /* Qualtrics's own spelling */
        if (!*by) by = text_at(term, "Conjunction");
        const char *join = strcasecmp(by, "or") == 0 ? "or" : "and";
        if (!text || (k && how && strcmp(how, join) != 0)) return unknown;
        if (k) how = join;
        joined = k ? rsp_printf(q->form->arena, "%s %s %s", joined, join, text) : text;
    }
}

static struct shown both(struct qsf *q, struct shown a, struct shown b) {
    if (a.unknown || b.unknown) return (struct shown){NULL, true};
    if (!a.text || !b.text) return a.text ? a : b;
    return (struct shown){rsp_printf(q->form->arena, "(%s) and (%s)", a.text, b.text), false};
}

/* A block may stand in the flow several times: what shows it to all is enough, two different conditions are too many. */
static void reach(struct qsf *q, const char *question, struct shown by) {
    size_t at = rsp_map_get(q->place, question);
    if (at == RSP_NONE) return;
    struct shown *so_far = &q->branches[at];
    bool always = !by.text && !by.unknown, before = q->reached[at] && !so_far->text && !so_far->unknown;
    bool same = q->reached[at] && so_far->text && by.text && strcmp(so_far->text, by.text) == 0;
    if (!q->reached[at] || always) *so_far = by;
    else if (!before && !same) *so_far = (struct shown){NULL, true};
    q->reached[at] = true;
}

static void reach_block(struct qsf *q, const char *id, struct shown by) {
    size_t at = rsp_map_get(q->block, id);
    const json_t *parts = at == RSP_NONE ? NULL : json_object_get(json_array_get(q->blocks, at), "BlockElements");
    for (size_t p = 0; p < json_array_size(parts); p++) reach(q, text_at(json_array_get(parts, p), "QuestionID"), by);
}

/* Groups and randomisers as they stand; what is within a branch is shown under its condition. */
static void follow(struct qsf *q, const json_t *flow, struct shown by, int depth) {
    for (size_t k = 0; k < json_array_size(flow) && depth < MOST_BRANCHES; k++) {
        const json_t *part = json_array_get(flow, k);
        struct shown here = by;
        if (strcmp(text_at(part, "Type"), "Branch") == 0)
            here = both(q, by, condition_of(q, json_object_get(part, "BranchLogic")));
        reach_block(q, text_at(part, "ID"), here);
        follow(q, json_object_get(part, "Flow"), here, depth + 1);
    }
}

static void follow_flow(struct qsf *q) {
    size_t n = json_array_size(q->elements);
    q->branches = RSP_ARRAY(q->form->arena, struct shown, n);
    q->reached = RSP_ARRAY(q->form->arena, bool, n);
    for (size_t k = 0; k < n; k++) {
        const json_t *element = json_array_get(q->elements, k);
        if (strcmp(text_at(element, "Element"), "FL") == 0)
            follow(q, json_object_get(json_object_get(element, "Payload"), "Flow"), (struct shown){NULL, false}, 0);
    }
}

/* The question's own condition and that of the flow; NULL: everybody, or nobody can tell. */
static const char *relevant_of(struct qsf *q, const json_t *payload) {
    size_t at = rsp_map_get(q->place, text_at(payload, "QuestionID"));
    struct shown own = condition_of(q, json_object_get(payload, "DisplayLogic"));
    return at == RSP_NONE ? own.text : both(q, q->branches[at], own).text;
}

/* ---- questions -------------------------------------------------------------------------------------------------- */

static void add(struct qsf *q, rsp_form_question question) { rsp_form_add(q->form, question); }

/* Rows of a matrix or sliders: a question each, or a part of a form's texts. */
static void add_rows(struct qsf *q, const json_t *payload, rsp_form_question row) {
    size_t n;
    const char **keys = keys_of(q, payload, "Choices", "ChoiceOrder", &n), *tag = text_at(payload, "DataExportTag");
    const json_t *tags = json_object_get(payload, "ChoiceDataExportTags");
    row.hint = question_text(q, payload);
    for (size_t k = 0; k < n; k++) {
        const char *own = json_string_value(value_of(tags, keys[k]));
        row.name = own && *own ? rsp_strdup(q->form->arena, own) : rsp_printf(q->form->arena, "%s_%s", tag, keys[k]);
        row.label = choice_text(q, payload, "Choices", keys[k]);
        add(q, row);
    }
}

static void add_matrix(struct qsf *q, const json_t *payload, rsp_form_question row) {
    const char *selector = text_at(payload, "Selector"), *kind = text_at(payload, "SubSelector");
    bool several = strcmp(kind, "MultipleAnswer") == 0, answers = strcmp(selector, "Likert") == 0;
    row.type = !answers ? RSP_DRAFT_TEXT : several ? RSP_DRAFT_MULTIPLE : RSP_DRAFT_ONE;
    row.typed = answers;
    if (answers) {
        const char *name = rsp_printf(q->form->arena, "%s_answers", text_at(payload, "DataExportTag"));
        row.list = list_from(q, payload, name, "Answers", "AnswerOrder", !several);
    }
    add_rows(q, payload, row);
}

/* Each column of a table side by side is a matrix of its own under a common question; rows have the table's words. */
static void add_side_by_side(struct qsf *q, const json_t *payload, rsp_form_question row) {
    const json_t *all = json_object_get(payload, "AdditionalQuestions");
    size_t n, n_columns = json_object_size(all) + json_array_size(all);
    const char **keys = keys_of(q, payload, "Choices", "ChoiceOrder", &n), *tag = text_at(payload, "DataExportTag");
    for (size_t c = 1; c <= n_columns && c <= RSP_MOST_COLUMNS; c++) {
        const json_t *column = value_of(all, rsp_printf(q->form->arena, "%zu", c));
        const char *kind = text_at(column, "SubSelector"), *front = rsp_printf(q->form->arena, "%s#%zu", tag, c);
        bool answers = strcmp(text_at(column, "Selector"), "Likert") == 0,
             several = strcmp(kind, "MultipleAnswer") == 0;
        if (!column) continue;
        row.type = !answers ? RSP_DRAFT_TEXT : several ? RSP_DRAFT_MULTIPLE : RSP_DRAFT_ONE;
        row.typed = answers;
        row.hint = question_text(q, column);
        if (answers)
            row.list = list_from(q, column, rsp_printf(q->form->arena, "%s_answers", front), "Answers", "AnswerOrder",
                                 !several);
        for (size_t k = 0; k < n; k++) {
            row.name = rsp_printf(q->form->arena, "%s_%s", front, keys[k]);
            row.label = choice_text(q, payload, "Choices", keys[k]);
            add(q, row);
        }
    }
}

static void add_choices(struct qsf *q, const json_t *payload, rsp_form_question question) {
    bool several = has_several(payload), rank = strcmp(text_at(payload, "QuestionType"), "RO") == 0;
    question.type = rank ? RSP_DRAFT_RANK : several ? RSP_DRAFT_MULTIPLE : RSP_DRAFT_ONE;
    question.list = list_from(q, payload, question.name, "Choices", "ChoiceOrder", !several && !rank);
    if (!q->form->lists[question.list].n) question.typed = false, question.list = RSP_NONE; /* a scale without words */
    add(q, question);
}

static void add_question(struct qsf *q, const json_t *payload) {
    const char *type = text_at(payload, "QuestionType"), *tag = text_at(payload, "DataExportTag");
    rsp_form_question question = {.name = rsp_strdup(q->form->arena, tag),
                                  .typed = true,
                                  .list = RSP_NONE,
                                  .label = question_text(q, payload),
                                  .relevant = relevant_of(q, payload)};
    if (!*tag || rsp_map_get(q->thrown, text_at(payload, "QuestionID")) != RSP_NONE) return;
    if (strcmp(type, "MC") == 0 || strcmp(type, "RO") == 0) {
        add_choices(q, payload, question);
    } else if (strcmp(type, "Matrix") == 0) {
        add_matrix(q, payload, question);
    } else if (strcmp(type, "SBS") == 0) {
        add_side_by_side(q, payload, question);
    } else if (strcmp(type, "Slider") == 0 || strcmp(type, "CS") == 0) {
        question.type = RSP_DRAFT_DECIMAL;
        add_rows(q, payload, question);
    } else if (strcmp(type, "TE") == 0) {
        const char *selector = text_at(payload, "Selector");
        question.typed = strcmp(selector, "ML") == 0 || strcmp(selector, "ESTB") == 0;
        question.type = RSP_DRAFT_TEXT; /* one line may hold numbers or dates, too: as the cells have it */
        if (strcmp(selector, "FORM") == 0) add_rows(q, payload, question);
        else add(q, question);
    }
}

/* ---- the file --------------------------------------------------------------------------------------------------- */

/* Where there are no gaps PHP writes blocks as an array. */
static void take_blocks(struct qsf *q, const json_t *blocks) {
    const char *key;
    json_t *block;
    json_object_foreach((json_t *) blocks, key, block) json_array_append(q->blocks, block);
    if (json_is_array(blocks)) json_array_extend(q->blocks, (json_t *) blocks);
}

static void find_questions(struct qsf *q) {
    for (size_t k = 0; k < json_array_size(q->elements); k++) {
        const json_t *element = json_array_get(q->elements, k), *payload = json_object_get(element, "Payload");
        if (strcmp(text_at(element, "Element"), "SQ") == 0) rsp_map_put(q->place, text_at(payload, "QuestionID"), k);
        if (strcmp(text_at(element, "Element"), "BL") == 0) take_blocks(q, payload);
    }
    for (size_t b = 0; b < json_array_size(q->blocks); b++) {
        const json_t *block = json_array_get(q->blocks, b), *parts = json_object_get(block, "BlockElements");
        if (*text_at(block, "ID")) rsp_map_put(q->block, text_at(block, "ID"), b);
        for (size_t p = 0; strcmp(text_at(block, "Type"), "Trash") == 0 && p < json_array_size(parts); p++)
            rsp_map_put(q->thrown, text_at(json_array_get(parts, p), "QuestionID"), 0);
    }
}

bool rsp_form_is_qsf(const rsp_buf *raw) {
    size_t mark = raw->length >= 3 && memcmp(raw->data, "\xEF\xBB\xBF", 3) == 0 ? 3 : 0;
    while (mark < raw->length && isspace((unsigned char) raw->data[mark])) mark++;
    return mark < raw->length && raw->data[mark] == '{' && memmem(raw->data, raw->length, "\"SurveyElements\"", 16);
}

rsp_form *rsp_form_qsf(const rsp_buf *raw, const char *path, rsp_diag *d) {
    size_t mark = memcmp(raw->data, "\xEF\xBB\xBF", 3) == 0 ? 3 : 0;
    json_error_t wrong;
    json_t *root =
        raw->length <= RSP_MOST_SHEET_BYTES ? json_loadb(raw->data + mark, raw->length - mark, 0, &wrong) : NULL;
    if (!root) {
        bool large = raw->length > RSP_MOST_SHEET_BYTES;
        rsp_report(d, RSP_ERR_DATA, (rsp_loc){path, large ? 0 : wrong.line, large ? 0 : wrong.column},
                   "export the survey from Qualtrics again", "%s",
                   large ? "a questionnaire of this size is not read" : "this .qsf file is cut or damaged");
        return NULL;
    }
    const json_t *entry = json_object_get(root, "SurveyEntry");
    struct qsf q = {.form = rsp_form_new(path, RSP_FORM_XLSFORM),
                    .elements = json_object_get(root, "SurveyElements"),
                    .blocks = json_array(),
                    .place = rsp_map_new(),
                    .block = rsp_map_new(),
                    .thrown = rsp_map_new()};
    q.language = language_of(&q, text_at(entry, "SurveyLanguage"));
    put_text(&q, &q.form->title, q.language, text_at(entry, "SurveyName"));
    find_questions(&q);
    follow_flow(&q);
    for (size_t k = 0; k < json_array_size(q.elements); k++) {
        const json_t *element = json_array_get(q.elements, k);
        if (strcmp(text_at(element, "Element"), "SQ") == 0) add_question(&q, json_object_get(element, "Payload"));
    }
    rsp_map_free(q.place);
    rsp_map_free(q.block);
    rsp_map_free(q.thrown);
    json_decref(q.blocks);
    json_decref(root);
    return q.form;
}
