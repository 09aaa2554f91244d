/* The codebook in DDI Codebook 2.5 (https://ddialliance.org/Specification/DDI-Codebook/2.5/): the study, how the data
 * were collected and worked on, the file of results, and every question with its choices in every language. */
#include "dataset.h"

#include <libxml/tree.h>
#include <string.h>

#define DDI_NAMESPACE "ddi:codebook:2_5"

struct ddi {
    const rsp_publication *p;
    const rsp_study *study;
    rsp_arena *a;
};

static xmlNodePtr element(xmlNodePtr parent, const char *name) {
    return xmlNewChild(parent, NULL, BAD_CAST name, NULL);
}

static xmlNodePtr text_element(const struct ddi *x, xmlNodePtr parent, const char *name, const char *text) {
    return xmlNewTextChild(parent, NULL, BAD_CAST name, BAD_CAST rsp_xml_text(x->a, text));
}

static void attribute(const struct ddi *x, xmlNodePtr node, const char *name, const char *value) {
    xmlNewProp(node, BAD_CAST name, BAD_CAST rsp_xml_text(x->a, value));
}

/* One element per language of the publication that has the text. */
static void in_languages(const struct ddi *x, xmlNodePtr parent, const char *name, const rsp_text *text) {
    for (size_t k = 0; k < x->p->n_languages; k++) {
        const char *words = rsp_text_in(text, x->p->languages[k]);
        if (words) xmlNodeSetLang(text_element(x, parent, name, words), BAD_CAST x->p->languages[k]);
    }
}

/* ---- the study -------------------------------------------------------------------------------------------------- */

static void citation(const struct ddi *x, xmlNodePtr study) {
    xmlNodePtr cite = element(study, "citation"), titles = element(cite, "titlStmt");
    const char *main_title = rsp_text_in(&x->study->title, x->p->languages[0]);
    xmlNodeSetLang(text_element(x, titles, "titl", main_title ? main_title : x->study->id),
                   BAD_CAST x->p->languages[0]);
    for (size_t k = 1; k < x->p->n_languages; k++) {
        const char *title = rsp_text_in(&x->study->title, x->p->languages[k]);
        if (title) xmlNodeSetLang(text_element(x, titles, "parTitl", title), BAD_CAST x->p->languages[k]);
    }
    text_element(x, titles, "IDNo", x->study->id);
    xmlNodePtr production = element(cite, "prodStmt");
    text_element(x, production, "producer", "RESPONSIVE research project");
    attribute(x, text_element(x, production, "software", "responsive"), "version", RSP_VERSION);
    attribute(x, text_element(x, element(cite, "verStmt"), "version", x->p->content_id), "type", "content id");
}

static void collection_dates(const struct ddi *x, xmlNodePtr summary) {
    const char *dates[] = {x->study->field.from, x->study->field.to}, *events[] = {"start", "end"};
    for (size_t k = 0; k < 2; k++) {
        if (!dates[k]) continue;
        xmlNodePtr date = text_element(x, summary, "collDate", dates[k]);
        attribute(x, date, "date", dates[k]);
        attribute(x, date, "event", events[k]);
    }
}

static void nations(const struct ddi *x, xmlNodePtr summary) {
    size_t c = x->study->roles.country;
    const rsp_list *list = c == RSP_NONE ? NULL : x->study->variables[c].list;
    for (size_t k = 0; list && k < list->n; k++) {
        if (list->choices[k].missing) continue;
        xmlNodePtr nation = text_element(x, summary, "nation", rsp_choice_label(list, k, x->p->languages[0]));
        attribute(x, nation, "abbr", list->choices[k].code);
    }
}

static void study_information(const struct ddi *x, xmlNodePtr study) {
    xmlNodePtr info = element(study, "stdyInfo");
    text_element(x, info, "abstract",
                 x->p->simulated ? "Published estimates of a survey. Simulated data: no real persons."
                                 : "Published estimates of a survey.");
    xmlNodePtr summary = element(info, "sumDscr");
    collection_dates(x, summary);
    nations(x, summary);
    text_element(x, summary, "anlyUnit", "Individual");
    text_element(x, summary, "dataKind", x->p->simulated ? "Simulated survey data" : "Survey data");
}

static void cleaning(const struct ddi *x, xmlNodePtr collection) {
    static const char *const actions[] = {[RSP_ACTION_DROP] = "row set aside",
                                          [RSP_ACTION_FLAG] = "row marked",
                                          [RSP_ACTION_SET_MISSING] = "answer set to missing"};
    for (size_t k = 0; k < x->study->n_rules; k++) {
        const rsp_clean_rule *r = &x->study->rules[k];
        const char *label = rsp_text_in(&r->label, x->p->languages[0]);
        text_element(x, collection, "cleanOps",
                     rsp_printf(x->a, "%s: %s (%s)", r->id, label ? label : r->id, actions[r->action]));
    }
}

static void method(const struct ddi *x, xmlNodePtr study) {
    xmlNodePtr collection = element(element(study, "method"), "dataColl");
    text_element(x, collection, "sampProc",
                 x->study->design.self_selected ? "Self-selected sample" : "Probability sample");
    text_element(x, collection, "collMode", "Questionnaire");
    if (x->study->weighting.given)
        text_element(x, collection, "weight",
                     "Weights are calibrated to known shares or counts of the population; see data/results.csv, "
                     "analysis weights.");
    cleaning(x, collection);
}

static void access_conditions(const struct ddi *x, xmlNodePtr study) {
    xmlNodePtr use = element(element(study, "dataAccs"), "useStmt");
    text_element(x, use, "conditions",
                 x->study->disclosure.off ? "Estimates only; answers of respondents are not part of the file. "
                                            "Disclosure control is off: the data are public or made up."
                                          : "Estimates only; answers of respondents are not published. Estimates on "
                                            "few respondents are suppressed.");
}

/* ---- the file and its questions --------------------------------------------------------------------------------- */

static void data_file(const struct ddi *x, xmlNodePtr root) {
    xmlNodePtr file = element(root, "fileDscr");
    attribute(x, file, "ID", "results");
    xmlNodePtr text = element(file, "fileTxt");
    text_element(x, text, "fileName", "results.csv");
    text_element(x, text, "fileCont",
                 "One published estimate a row; its columns are described in datapackage.json. The variables below are "
                 "the questions that the estimates are about.");
    text_element(x, element(text, "dimensns"), "caseQnty", rsp_printf(x->a, "%zu", rsp_published_count(x->p->results)));
    attribute(x, text_element(x, text, "fileType", "CSV (RFC 4180)"), "charset", "UTF-8");
}

static const char *response_domain(const rsp_variable *v) {
    switch (v->type) {
    case RSP_SELECT_ONE: return "category";
    case RSP_SELECT_MULTIPLE:
    case RSP_RANK: return "multiple";
    case RSP_DATE:
    case RSP_DATETIME: return "datetime";
    case RSP_TEXT: return "text";
    default: return "numeric";
    }
}

static void question(const struct ddi *x, xmlNodePtr var, const rsp_variable *v) {
    if (v->derive.kind != RSP_DERIVE_NONE || !v->label.n) return;
    xmlNodePtr q = element(var, "qstn");
    attribute(x, q, "responseDomainType", response_domain(v));
    in_languages(x, q, "qstnLit", &v->label);
    in_languages(x, q, "ivuInstr", &v->hint);
}

static void categories(const struct ddi *x, xmlNodePtr var, const rsp_list *list) {
    for (size_t k = 0; list && k < list->n; k++) {
        const rsp_choice *c = &list->choices[k];
        xmlNodePtr category = element(var, "catgry");
        if (c->missing) attribute(x, category, "missing", "Y");
        text_element(x, category, "catValu", c->code);
        in_languages(x, category, "labl", &c->label);
    }
}

static void variable(const struct ddi *x, xmlNodePtr data, size_t j) {
    const rsp_variable *v = &x->study->variables[j];
    bool words = v->list || v->type == RSP_TEXT;
    xmlNodePtr var = element(data, "var");
    attribute(x, var, "ID", rsp_printf(x->a, "V%zu", j + 1));
    attribute(x, var, "name", v->name);
    attribute(x, var, "intrvl", v->type == RSP_DECIMAL ? "contin" : "discrete");
    in_languages(x, var, "labl", &v->label);
    question(x, var, v);
    if (v->type == RSP_TEXT) text_element(x, var, "txt", "Answers in words are never published.");
    categories(x, var, v->list);
    if (v->derive.kind != RSP_DERIVE_NONE)
        text_element(x, var, "codInstr", "Derived from other answers; see study.yaml.");
    attribute(x, element(var, "varFormat"), "type", words ? "character" : "numeric");
}

/* ---- the document ----------------------------------------------------------------------------------------------- */

static xmlDocPtr document(const struct ddi *x) {
    xmlDocPtr doc = xmlNewDoc(BAD_CAST "1.0");
    xmlNodePtr root = xmlNewNode(NULL, BAD_CAST "codeBook");
    xmlDocSetRootElement(doc, root);
    xmlSetNs(root, xmlNewNs(root, BAD_CAST DDI_NAMESPACE, NULL));
    attribute(x, root, "version", "2.5");
    xmlNodePtr study = element(root, "stdyDscr");
    citation(x, study);
    study_information(x, study);
    method(x, study);
    access_conditions(x, study);
    data_file(x, root);
    xmlNodePtr data = element(root, "dataDscr");
    for (size_t j = 0; j < x->study->n_variables; j++)
        if (rsp_in_codebook(&x->study->variables[j])) variable(x, data, j);
    return doc;
}

bool rsp_ddi_write(const rsp_publication *p, const char *path, rsp_diag *d) {
    struct ddi x = {p, p->study, rsp_arena_new()};
    xmlDocPtr doc = document(&x);
    xmlChar *bytes = NULL;
    int length = 0;
    xmlDocDumpFormatMemoryEnc(doc, &bytes, &length, "UTF-8", 1);
    xmlFreeDoc(doc);
    bool ok = bytes && length > 0;
    if (ok) ok = rsp_write_file(path, bytes, (size_t) length, d);
    else
        rsp_report(d, RSP_ERR_STUDY, (rsp_loc){path, 0, 0}, "look for bytes that are not UTF-8 in the study's labels",
                   "the codebook cannot be written");
    xmlFree(bytes);
    rsp_arena_free(x.a);
    return ok;
}
