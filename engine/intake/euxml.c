/* EUSurvey's XML of results: <Results><Survey><Elements lang> with questions and answers of every language, then <Answers>
 * with an <AnswerSet> for each contribution. Identifiers are headings and codes, texts their labels. What the tool says
 * of the respondent (user, invitation) is never read. */
#include "reader.h"

#include <libxml/xmlreader.h>
#include <stdlib.h>
#include <string.h>

enum { DEEPEST = 32, FIXED = 4 }; /* columns in front: contribution, creation, update, language */

static const char *const fixed[FIXED] = {"Contribution ID", "Creation date", "Last update", "Languages"};
static const char *const fixed_attribute[FIXED] = {"id", "create", "last", "lang"};

struct question {
    const char *code, *label;
    size_t n, capacity;
    rsp_value_label *values;
};

struct document {
    xmlTextReaderPtr xml;
    rsp_grid *grid;
    rsp_arena *arena;           /* texts of headings and labels */
    size_t n, capacity, matrix; /* matrix: first question that its answers belong to */
    struct question *questions;
    rsp_map *of_question, *of_answer; /* ids to questions and to codes */
    size_t n_codes, code_capacity;
    const char **codes;
    size_t n_elements; /* languages met */
    bool bad, large, typed;
};

bool rsp_is_eusurvey_xml(const rsp_buf *raw) {
    size_t n = raw->length < 400 ? raw->length : 400;
    return raw->length > 20 && memmem(raw->data, n, "<Results", 8) && memmem(raw->data, n, "<Survey", 7);
}

static bool is(const struct document *x, int type, const char *name) {
    return xmlTextReaderNodeType(x->xml) == type &&
           strcmp((const char *) xmlTextReaderConstLocalName(x->xml), name) == 0;
}

static bool next(struct document *x) {
    int rc = x->bad || x->large ? -1 : xmlTextReaderRead(x->xml);
    x->typed = x->typed || (rc == 1 && xmlTextReaderNodeType(x->xml) == XML_READER_TYPE_DOCUMENT_TYPE);
    if (x->typed || (rc == 1 && xmlTextReaderDepth(x->xml) > DEEPEST)) rc = -1;
    x->bad = x->bad || rc < 0;
    return rc == 1;
}

static const char *attribute(struct document *x, const char *name) {
    xmlChar *value = xmlTextReaderGetAttribute(x->xml, (const xmlChar *) name);
    const char *copy = value ? rsp_strdup(x->arena, (const char *) value) : NULL;
    xmlFree(value);
    return copy;
}

/* Text of the element up to its end. */
static void text_of(struct document *x, rsp_buf *text) {
    int depth = xmlTextReaderDepth(x->xml);
    text->length = 0;
    rsp_buf_add(text, "", 0);
    if (xmlTextReaderIsEmptyElement(x->xml)) return;
    while (next(x) && xmlTextReaderDepth(x->xml) > depth) {
        int type = xmlTextReaderNodeType(x->xml);
        if (type == XML_READER_TYPE_TEXT || type == XML_READER_TYPE_CDATA ||
            type == XML_READER_TYPE_SIGNIFICANT_WHITESPACE)
            rsp_buf_puts(text, (const char *) xmlTextReaderConstValue(x->xml));
    }
}

/* Identifier that the author assigned, else the tool's own. */
static const char *code_of(struct document *x, const char *id) {
    const char *assigned = attribute(x, "bid");
    return assigned && *assigned ? assigned : id;
}

static void add_question(struct document *x, rsp_buf *text) {
    const char *id = attribute(x, "id");
    struct question q = {.code = id ? code_of(x, id) : NULL};
    text_of(x, text);
    if (!id || x->n_elements > 1) return;
    q.label = rsp_strdup(x->arena, text->data);
    if (rsp_map_put(x->of_question, id, x->n)) RSP_PUSH(x->questions, x->n, x->capacity, q);
}

static void add_answer(struct document *x, size_t first, rsp_buf *text) {
    const char *id = attribute(x, "id"), *code = id ? code_of(x, id) : NULL;
    text_of(x, text);
    if (!id || x->n_elements > 1 || first >= x->n) return;
    rsp_value_label value = {code, rsp_strdup(x->arena, text->data), 0};
    if (rsp_map_put(x->of_answer, id, x->n_codes)) RSP_PUSH(x->codes, x->n_codes, x->code_capacity, code);
    for (size_t k = first; k < x->n; k++)
        RSP_PUSH(x->questions[k].values, x->questions[k].n, x->questions[k].capacity, value);
}

static void read_elements(struct document *x) {
    rsp_buf text = {0};
    x->n_elements++;
    if (xmlTextReaderIsEmptyElement(x->xml)) return;
    while (next(x) && !is(x, XML_READER_TYPE_END_ELEMENT, "Elements")) {
        if (is(x, XML_READER_TYPE_ELEMENT, "MatrixTitle")) x->matrix = x->n;
        if (is(x, XML_READER_TYPE_ELEMENT, "Question") || is(x, XML_READER_TYPE_ELEMENT, "MatrixQuestion") ||
            is(x, XML_READER_TYPE_ELEMENT, "RatingQuestion"))
            add_question(x, &text);
        else if (is(x, XML_READER_TYPE_ELEMENT, "Answer") || is(x, XML_READER_TYPE_ELEMENT, "RankingItem"))
            add_answer(x, x->n ? x->n - 1 : 0, &text);
        else if (is(x, XML_READER_TYPE_ELEMENT, "MatrixAnswer")) add_answer(x, x->matrix, &text);
    }
    rsp_buf_free(&text);
}

static void put(struct document *x, size_t column, const char *text, size_t length) {
    if (length && !rsp_grid_put(x->grid, column, rsp_grid_keep(x->grid, text, length), length, true, 0))
        x->large = true;
}

/* yyyy-MM-dd_HH-mm-ss */
static void put_attribute(struct document *x, size_t k) {
    const char *value = attribute(x, fixed_attribute[k]);
    char date[24];
    size_t n = value ? strlen(value) : 0;
    if (n == 19 && value[10] == '_') {
        memcpy(date, value, 20);
        date[10] = ' ';
        date[13] = date[16] = ':';
        value = date;
    }
    if (n && !(k == 0 && strcmp(value, "Anonymous") == 0)) put(x, k, value, n);
}

/* Answers of one contribution to the same question stand apart: they are joined as in the workbooks. */
static void read_answers(struct document *x, uint32_t number) {
    rsp_buf text = {0}, *cells = rsp_calloc(x->n, sizeof *cells);
    bool empty = xmlTextReaderIsEmptyElement(x->xml) == 1;
    rsp_grid_row(x->grid, number);
    for (size_t k = 0; k < FIXED; k++) put_attribute(x, k);
    while (!empty && next(x) && !is(x, XML_READER_TYPE_END_ELEMENT, "AnswerSet")) {
        if (!is(x, XML_READER_TYPE_ELEMENT, "Answer")) continue;
        const char *question = attribute(x, "qid"), *answer = attribute(x, "aid");
        size_t q = question ? rsp_map_get(x->of_question, question) : RSP_NONE;
        size_t code = answer ? rsp_map_get(x->of_answer, answer) : RSP_NONE;
        text_of(x, &text);
        if (q == RSP_NONE) continue;
        if (cells[q].length) rsp_buf_puts(&cells[q], "; ");
        rsp_buf_puts(&cells[q], code != RSP_NONE ? x->codes[code] : text.data);
    }
    for (size_t q = 0; q < x->n; q++) {
        put(x, FIXED + q, cells[q].data, cells[q].length);
        rsp_buf_free(&cells[q]);
    }
    free(cells);
    rsp_buf_free(&text);
}

static void put_headings(struct document *x) {
    rsp_grid_row(x->grid, 0);
    for (size_t k = 0; k < FIXED; k++) put(x, k, fixed[k], strlen(fixed[k]));
    for (size_t q = 0; q < x->n; q++) put(x, FIXED + q, x->questions[q].code, strlen(x->questions[q].code));
}

static void read_document(struct document *x) {
    uint32_t row = 0;
    while (next(x)) {
        if (is(x, XML_READER_TYPE_ELEMENT, "Elements")) read_elements(x);
        if (is(x, XML_READER_TYPE_ELEMENT, "Answers")) put_headings(x);
        if (is(x, XML_READER_TYPE_ELEMENT, "AnswerSet")) read_answers(x, ++row);
    }
}

static void describe(struct document *x, rsp_table_data *t) {
    t->info = RSP_ARRAY(t->arena, rsp_column_info, t->n_columns);
    for (size_t q = 0; q < x->n && FIXED + q < t->n_columns; q++) {
        const struct question *from = &x->questions[q];
        rsp_value_label *values = RSP_ARRAY(t->arena, rsp_value_label, from->n);
        if (from->n) memcpy(values, from->values, from->n * sizeof *values);
        t->info[FIXED + q] = (rsp_column_info){.label = from->label, .n_values = from->n, .values = values};
    }
    t->n_header_rows = 0; /* what stands in the table as headings are elements of the document */
}

static void ignore_error(void *context, const char *message, xmlParserSeverities severity,
                         xmlTextReaderLocatorPtr locator) {
    (void) context, (void) message, (void) severity, (void) locator;
}

rsp_table_data *rsp_eusurvey_xml_open(rsp_buf *raw, const char *path, rsp_diag *d) {
    struct document x = {
        .arena = rsp_arena_new(), .grid = rsp_grid_new(), .of_question = rsp_map_new(), .of_answer = rsp_map_new()};
    rsp_table_data *t = NULL;
    x.bad = raw->length > INT32_MAX;
    if (!x.bad)
        x.xml = xmlReaderForMemory(raw->data, (int) raw->length, NULL, NULL, XML_PARSE_NONET | XML_PARSE_COMPACT);
    if (x.xml) {
        xmlTextReaderSetErrorHandler(x.xml, ignore_error, NULL);
        read_document(&x);
        xmlFreeTextReader(x.xml);
    }
    if (x.bad || x.large) {
        rsp_report(d, RSP_ERR_DATA, (rsp_loc){path, 0, 0}, "export the results again, or as xlsx",
                   x.large   ? "the document holds more than can be read"
                   : x.typed ? RSP_XML_TYPED
                             : "the XML document is damaged");
        rsp_grid_free(x.grid);
    } else {
        t = rsp_grid_table(x.grid, path, "xml", d);
    }
    if (t) {
        describe(&x, t);
        rsp_grid_adopt(t->grid, x.arena);
    } else {
        rsp_arena_free(x.arena);
    }
    for (size_t q = 0; q < x.n; q++) free(x.questions[q].values);
    free(x.questions);
    free(x.codes);
    rsp_map_free(x.of_question);
    rsp_map_free(x.of_answer);
    rsp_buf_free(raw);
    return t;
}
