/* LimeSurvey's questionnaires: the archive of a survey's structure (.lss, XML: one element for each table of its database,
 * texts beside the rows before version 4, in tables of their own since) and the tab separated structure (class S, SL, G,
 * Q, SQ, A; one block for each language). Both become rows of questions and answers, and these one rsp_form. */
#include "form.h"

#include <libxml/parser.h>
#include <libxml/tree.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

struct question {
    const char *id, *parent, *name, *relevant;
    char type;
    bool other;
    int scale;
    double order;
    rsp_form_text text;
};

struct answer {
    const char *id, *question, *code;
    int scale;
    double order;
    rsp_form_text text;
};

struct lime {
    rsp_form *form;
    size_t n, capacity, n_answers, answer_capacity;
    struct question *questions;
    struct answer *answers;
    rsp_map *of_id, *answer_of_id;
};

static struct question *question_of(struct lime *x, const char *id) {
    size_t at = rsp_map_get(x->of_id, id);
    if (at == RSP_NONE) {
        struct question q = {.id = rsp_strdup(x->form->arena, id), .parent = "", .name = "", .type = 'T'};
        at = x->n;
        rsp_map_put(x->of_id, id, at);
        RSP_PUSH(x->questions, x->n, x->capacity, q);
    }
    return &x->questions[at];
}

static struct answer *answer_of(struct lime *x, const char *id) {
    size_t at = rsp_map_get(x->answer_of_id, id);
    if (at == RSP_NONE) {
        struct answer a = {.id = rsp_strdup(x->form->arena, id), .question = "", .code = ""};
        at = x->n_answers;
        rsp_map_put(x->answer_of_id, id, at);
        RSP_PUSH(x->answers, x->n_answers, x->answer_capacity, a);
    }
    return &x->answers[at];
}

static void put_text(struct lime *x, rsp_form_text *t, const char *language, const char *text) {
    size_t at = language && *language ? rsp_form_language(x->form, language) : RSP_NONE;
    if (at != RSP_NONE && text && *text) t->in[at] = text;
}

/* ---- words that LimeSurvey has itself --------------------------------------------------------------------------- */

struct word {
    char type;
    const char *code;
    const char *in[7]; /* en de da fr pl pt ro */
};

static const char *const own_languages[] = {"en", "de", "da", "fr", "pl", "pt", "ro"};

static const struct word own_words[] = {
    {'Y', "Y", {"Yes", "Ja", "Ja", "Oui", "Tak", "Sim", "Da"}},
    {'Y', "N", {"No", "Nein", "Nej", "Non", "Nie", "Não", "Nu"}},
    {'G', "F", {"Female", "weiblich", "Kvinde", "Féminin", "Kobieta", "Feminino", "Feminin"}},
    {'G', "M", {"Male", "männlich", "Mand", "Masculin", "Mężczyzna", "Masculino", "Masculin"}},
    {'C', "Y", {"Yes", "Ja", "Ja", "Oui", "Tak", "Sim", "Da"}},
    {'C', "U", {"Uncertain", "Unsicher", "Usikker", "Incertain", "Nie wiem", "Incerto", "Nesigur"}},
    {'C', "N", {"No", "Nein", "Nej", "Non", "Nie", "Não", "Nu"}},
    {'E', "I", {"Increase", "Zunahme", "Stigning", "Augmentation", "Wzrost", "Aumento", "Creștere"}},
    {'E', "S", {"Same", "Gleich", "Uændret", "Identique", "Bez zmian", "Igual", "La fel"}},
    {'E', "D", {"Decrease", "Abnahme", "Fald", "Diminution", "Spadek", "Diminuição", "Scădere"}},
    {'M', "other", {"Other", "Sonstiges", "Andet", "Autre", "Inne", "Outro", "Altele"}},
    {'*', "-oth-", {"Other", "Sonstiges", "Andet", "Autre", "Inne", "Outro", "Altele"}}};

static void own_label(struct lime *x, const struct word *w, rsp_form_choice *c) {
    for (size_t l = 0; l < x->form->n_languages; l++) {
        c->label.in[l] = w->in[0];
        for (size_t k = 0; k < 7; k++)
            if (strncmp(x->form->languages[l], own_languages[k], 2) == 0) c->label.in[l] = w->in[k];
    }
}

static void add_own_words(struct lime *x, size_t list, char type) {
    for (size_t k = 0; k < sizeof own_words / sizeof *own_words; k++)
        if (own_words[k].type == type)
            own_label(x, &own_words[k], rsp_form_choice_of(x->form, list, own_words[k].code));
}

static void add_points(struct lime *x, size_t list, int most) {
    for (int k = 1; k <= most; k++) {
        char code[16];
        snprintf(code, sizeof code, "%d", k);
        rsp_form_choice *c = rsp_form_choice_of(x->form, list, code);
        for (size_t l = 0; l < x->form->n_languages; l++) c->label.in[l] = c->code;
    }
}

/* ---- rows to questions ------------------------------------------------------------------------------------------ */

static int compare_choices(const void *a, const void *b) {
    const rsp_form_choice *x = a, *y = b;
    return x->order != y->order ? x->order < y->order ? -1 : 1 : strcmp(x->code, y->code);
}

static void sort_list(rsp_form_list *l) {
    if (l->n) qsort(l->choices, l->n, sizeof *l->choices, compare_choices);
}

static size_t answers_of(struct lime *x, const struct question *q, int scale) {
    size_t list = rsp_form_list_named(x->form, rsp_printf(x->form->arena, "%s_%s_%d", q->name, q->id, scale));
    for (size_t k = 0; k < x->n_answers; k++) {
        const struct answer *a = &x->answers[k];
        if (strcmp(a->question, q->id) != 0 || a->scale != scale) continue;
        rsp_form_choice *c = rsp_form_choice_of(x->form, list, a->code);
        c->label = a->text;
        c->order = a->order;
    }
    sort_list(&x->form->lists[list]);
    if (q->other && strchr("L!", q->type)) add_own_words(x, list, '*');
    return list;
}

static size_t parts_of(struct lime *x, const struct question *q) {
    size_t list = rsp_form_list_named(x->form, rsp_printf(x->form->arena, "%s_%s_parts", q->name, q->id));
    for (size_t k = 0; k < x->n; k++) {
        const struct question *part = &x->questions[k];
        if (strcmp(part->parent, q->id) != 0) continue;
        rsp_form_choice *c = rsp_form_choice_of(x->form, list, part->name);
        c->label = part->text;
        c->order = part->order;
    }
    sort_list(&x->form->lists[list]);
    if (q->other) add_own_words(x, list, 'M');
    return list;
}

/* The list of a row or a whole question by its type; *type is left as it is where the words alone are known. */
static size_t list_for(struct lime *x, const struct question *q, int scale, bool *typed) {
    static const struct {
        char type;
        int points;
    } points[] = {{'5', 5}, {'A', 5}, {'B', 10}};
    *typed = true;
    for (size_t k = 0; k < sizeof points / sizeof *points; k++)
        if (q->type == points[k].type) {
            size_t list = rsp_form_list_named(x->form, points[k].points == 5 ? "points5" : "points10");
            add_points(x, list, points[k].points);
            return list;
        }
    const char *own = q->type == 'Y'   ? "yesno"
                      : q->type == 'G' ? "gender"
                      : q->type == 'C' ? "certain"
                      : q->type == 'E' ? "more"
                                       : NULL;
    if (own) {
        size_t list = rsp_form_list_named(x->form, own);
        add_own_words(x, list, q->type);
        return list;
    }
    if (strchr("L!OFH1", q->type)) return answers_of(x, q, scale);
    *typed = false;
    return RSP_NONE;
}

static void add_rows(struct lime *x, const struct question *q, bool dual) {
    for (size_t k = 0; k < x->n; k++) {
        const struct question *row = &x->questions[k];
        if (strcmp(row->parent, q->id) != 0 || row->scale != 0) continue;
        for (int scale = 0; scale < (dual ? 2 : 1); scale++) {
            rsp_form_question f = {.label = row->text, .hint = q->text, .relevant = q->relevant, .type = RSP_DRAFT_ONE};
            f.name = dual ? rsp_printf(x->form->arena, "%s[%s][%d]", q->name, row->name, scale + 1)
                          : rsp_printf(x->form->arena, "%s[%s]", q->name, row->name);
            f.list = list_for(x, q, scale, &f.typed);
            rsp_form_add(x->form, f);
        }
    }
}

static void add_question(struct lime *x, const struct question *q) {
    rsp_form_question f = {.name = q->name, .label = q->text, .relevant = q->relevant, .list = RSP_NONE, .typed = true};
    switch (q->type) {
    case 'X':
    case '|': return;
    case 'M':
    case 'P':
    case 'R':
        f.type = q->type == 'R' ? RSP_DRAFT_RANK : RSP_DRAFT_MULTIPLE;
        f.list = q->type == 'R' ? answers_of(x, q, 0) : parts_of(x, q);
        break;
    case 'F':
    case 'H':
    case 'A':
    case 'B':
    case 'C':
    case 'E':
    case 'K':
    case 'Q':
    case '1': add_rows(x, q, q->type == '1'); return;
    case 'D': f.type = RSP_DRAFT_DATE; break;
    case 'S':
    case 'T':
    case 'U': f.type = RSP_DRAFT_TEXT; break;
    default: f.type = RSP_DRAFT_ONE; f.list = list_for(x, q, 0, &f.typed);
    }
    rsp_form_add(x->form, f);
}

static rsp_form *finish(struct lime *x) {
    rsp_form *f = x->form;
    for (size_t k = 0; k < x->n; k++)
        if (!*x->questions[k].parent && *x->questions[k].name) add_question(x, &x->questions[k]);
    free(x->questions);
    free(x->answers);
    rsp_map_free(x->of_id);
    rsp_map_free(x->answer_of_id);
    return f;
}

static struct lime lime_new(const char *path) {
    return (struct lime){
        .form = rsp_form_new(path, RSP_FORM_LIMESURVEY), .of_id = rsp_map_new(), .answer_of_id = rsp_map_new()};
}

/* ---- XML -------------------------------------------------------------------------------------------------------- */

bool rsp_form_is_lss(const rsp_buf *raw) {
    size_t n = raw->length < 400 ? raw->length : 400;
    return raw->length > 20 && memmem(raw->data, n, "<LimeSurveyDocType>Survey", 25);
}

/* The text of a row's field; NULL if it has none. */
static const char *field(struct lime *x, xmlNode *row, const char *name) {
    for (xmlNode *n = row->children; n; n = n->next) {
        if (n->type != XML_ELEMENT_NODE || strcmp((const char *) n->name, name) != 0) continue;
        xmlChar *text = xmlNodeGetContent(n);
        const char *kept = text ? rsp_strdup(x->form->arena, (const char *) text) : NULL;
        xmlFree(text);
        return kept;
    }
    return NULL;
}

static const char *field_or(struct lime *x, xmlNode *row, const char *name, const char *other) {
    const char *text = field(x, row, name);
    return text && *text ? text : other;
}

static double number_of(const char *text) {
    double value = 0;
    rsp_parse_double(text, strlen(text), '.', &value);
    return value;
}

static void question_row(struct lime *x, xmlNode *row) {
    const char *id = field(x, row, "qid"), *parent = field_or(x, row, "parent_qid", "");
    if (!id || !*id) return;
    struct question *q = question_of(x, id);
    q->parent = strcmp(parent, "0") == 0 ? "" : parent;
    q->name = field_or(x, row, "title", "");
    q->relevant = field_or(x, row, "relevance", "");
    q->type = field_or(x, row, "type", "T")[0];
    q->other = strcmp(field_or(x, row, "other", "N"), "Y") == 0;
    q->scale = (int) number_of(field_or(x, row, "scale_id", "0"));
    q->order = number_of(field_or(x, row, "question_order", "0"));
    put_text(x, &q->text, field(x, row, "language"), field(x, row, "question"));
}

static void question_words(struct lime *x, xmlNode *row) {
    const char *id = field(x, row, "qid");
    if (id && *id) put_text(x, &question_of(x, id)->text, field(x, row, "language"), field(x, row, "question"));
}

static void answer_row(struct lime *x, xmlNode *row) {
    const char *question = field_or(x, row, "qid", ""), *code = field_or(x, row, "code", "");
    const char *scale = field_or(x, row, "scale_id", "0");
    const char *id = field_or(x, row, "aid", rsp_printf(x->form->arena, "%s/%s/%s", question, scale, code));
    struct answer *a = answer_of(x, id);
    a->question = question;
    a->code = code;
    a->scale = (int) number_of(scale);
    a->order = number_of(field_or(x, row, "sortorder", "0"));
    put_text(x, &a->text, field(x, row, "language"), field(x, row, "answer"));
}

static void answer_words(struct lime *x, xmlNode *row) {
    const char *id = field(x, row, "aid");
    if (id && *id) put_text(x, &answer_of(x, id)->text, field(x, row, "language"), field(x, row, "answer"));
}

static void settings_row(struct lime *x, xmlNode *row) {
    put_text(x, &x->form->title, field(x, row, "surveyls_language"), field(x, row, "surveyls_title"));
}

static void each_row(struct lime *x, xmlNode *table, void (*take)(struct lime *, xmlNode *)) {
    for (xmlNode *rows = table->children; rows; rows = rows->next) {
        if (rows->type != XML_ELEMENT_NODE || strcmp((const char *) rows->name, "rows") != 0) continue;
        for (xmlNode *row = rows->children; row; row = row->next)
            if (row->type == XML_ELEMENT_NODE) take(x, row);
    }
}

static void survey_row(struct lime *x, xmlNode *row) {
    const char *language = field(x, row, "language");
    if (language && *language) rsp_form_language(x->form, language);
}

/* The survey's own row first: it names the language that comes first. */
static void read_tables(struct lime *x, xmlNode *root) {
    static const struct {
        const char *name;
        void (*take)(struct lime *, xmlNode *);
    } tables[] = {
        {"surveys", survey_row},        {"surveys_languagesettings", settings_row}, {"questions", question_row},
        {"subquestions", question_row}, {"question_l10ns", question_words},         {"answers", answer_row},
        {"answer_l10ns", answer_words}};
    for (size_t k = 0; k < sizeof tables / sizeof *tables; k++)
        for (xmlNode *n = root->children; n; n = n->next)
            if (n->type == XML_ELEMENT_NODE && strcmp((const char *) n->name, tables[k].name) == 0)
                each_row(x, n, tables[k].take);
}

/* Entities are declared in the document type: the parser ends before it reads one. */
static void refuse_type(void *context, const xmlChar *name, const xmlChar *external, const xmlChar *system) {
    xmlParserCtxt *parser = context;
    (void) name, (void) external, (void) system;
    *(bool *) parser->_private = true;
    xmlStopParser(parser);
}

static xmlDoc *read_xml(const rsp_buf *raw, bool *typed) {
    xmlParserCtxt *parser = raw->length > INT_MAX ? NULL : xmlNewParserCtxt();
    if (!parser) return NULL;
    parser->_private = typed;
    parser->sax->internalSubset = refuse_type;
    xmlDoc *document = xmlCtxtReadMemory(parser, raw->data, (int) raw->length, NULL, NULL,
                                         XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING);
    xmlFreeParserCtxt(parser);
    return document;
}

rsp_form *rsp_form_lss(const rsp_buf *raw, const char *path, rsp_diag *d) {
    bool typed = false;
    xmlDoc *document = read_xml(raw, &typed);
    xmlNode *root = document ? xmlDocGetRootElement(document) : NULL;
    if (!root || typed) {
        rsp_report(d, RSP_ERR_DATA, (rsp_loc){path, 0, 0}, "export the survey's structure (.lss) again",
                   typed ? RSP_XML_TYPED : "the questionnaire is damaged: it is no whole XML document");
        xmlFreeDoc(document);
        return NULL;
    }
    struct lime x = lime_new(path);
    read_tables(&x, root);
    xmlFreeDoc(document);
    return finish(&x);
}

/* ---- tab separated ---------------------------------------------------------------------------------------------- */

/* Questions of all languages go by their names, rows by those of their questions too. */
static void table_row(struct lime *x, const rsp_form_sheet *s, const size_t c[7], const char **last, double order) {
    const char *class = rsp_form_cell(s, c[0]), *name = rsp_form_cell(s, c[2]), *text = rsp_form_cell(s, c[4]);
    const char *language = rsp_form_cell(s, c[5]), *type = rsp_form_cell(s, c[1]);
    if (strcmp(class, "S") == 0 && strcmp(name, "language") == 0) {
        rsp_form_language(x->form, text);
    } else if (strcmp(class, "SL") == 0 && strcmp(name, "surveyls_title") == 0) {
        put_text(x, &x->form->title, language, text);
    } else if (strcmp(class, "Q") == 0) {
        struct question *q = question_of(x, name);
        q->name = name;
        q->type = *type ? *type : 'T';
        q->relevant = rsp_form_cell(s, c[3]);
        q->other = strcmp(rsp_form_cell(s, c[6]), "Y") == 0;
        put_text(x, &q->text, language, text);
        *last = q->id;
    } else if (strcmp(class, "SQ") == 0 && *last) {
        struct question *q = question_of(x, rsp_printf(x->form->arena, "%s/%s/%s", *last, type, name));
        q->parent = *last;
        q->name = name;
        q->scale = (int) number_of(type);
        if (!rsp_form_words(&q->text)) q->order = order;
        put_text(x, &q->text, language, text);
    } else if (strcmp(class, "A") == 0 && *last) {
        struct answer *a = answer_of(x, rsp_printf(x->form->arena, "%s/%s/%s", *last, type, name));
        a->question = *last;
        a->code = name;
        a->scale = (int) number_of(type);
        if (!rsp_form_words(&a->text)) a->order = order;
        put_text(x, &a->text, language, text);
    }
}

rsp_form *rsp_form_lime_table(rsp_table_data *t, const char *path) {
    static const char *const headings[] = {"class", "type/scale", "name", "relevance", "text", "language", "other"};
    struct lime x = lime_new(path);
    rsp_form_sheet s = rsp_form_sheet_of(t, x.form->arena);
    size_t columns[7];
    const char *last = NULL;
    for (size_t k = 0; k < 7; k++) columns[k] = rsp_form_column(&s, headings[k]);
    bool is = columns[0] != RSP_NONE && columns[1] != RSP_NONE && columns[2] != RSP_NONE && columns[4] != RSP_NONE;
    for (size_t k = 0; k < t->n_records && is; k++) {
        rsp_form_record(&s, k);
        table_row(&x, &s, columns, &last, (double) k);
    }
    rsp_form_sheet_free(&s);
    rsp_form *f = finish(&x);
    if (is) return f;
    rsp_form_free(f);
    return NULL;
}
