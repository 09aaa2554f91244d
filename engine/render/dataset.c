/* Open data: the published table as CSV and SQLite, the questionnaire as codebook, and what programs need to read both.
 * No row of a respondent is here: questions are described, answers are published as estimates only. */
#include "dataset.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static const char *type_name(rsp_type t) {
    static const char *const names[] = {[RSP_SELECT_ONE] = "select_one",
                                        [RSP_SELECT_MULTIPLE] = "select_multiple",
                                        [RSP_RANK] = "rank",
                                        [RSP_INTEGER] = "integer",
                                        [RSP_DECIMAL] = "decimal",
                                        [RSP_DATE] = "date",
                                        [RSP_DATETIME] = "datetime",
                                        [RSP_TEXT] = "text"};
    return names[t];
}

static const char *measure_name(rsp_measure m) {
    return m == RSP_NOMINAL ? "nominal" : m == RSP_ORDINAL ? "ordinal" : "interval";
}

bool rsp_in_codebook(const rsp_variable *v) { return v->part_of == RSP_NONE; }

const char *rsp_xml_text(rsp_arena *a, const char *text) {
    char *out = rsp_strdup(a, text), *to = out;
    for (const char *p = out; *p; p++) {
        unsigned char c = (unsigned char) *p;
        if (c >= 0x20 || c == '\t' || c == '\n' || c == '\r') *to++ = *p;
    }
    *to = 0;
    return out;
}

/* ---- codebook.csv ----------------------------------------------------------------------------------------------- */

static void field(rsp_buf *b, const char *text, bool last) {
    rsp_buf_csv(b, text, false);
    rsp_buf_puts(b, last ? "\r\n" : ",");
}

static void labels(rsp_buf *b, const rsp_publication *p, const rsp_text *text) {
    for (size_t k = 0; k < p->n_languages; k++) {
        const char *label = rsp_text_in(text, p->languages[k]);
        field(b, label ? label : "", k + 1 == p->n_languages);
    }
}

static void codebook_variable(rsp_buf *b, const rsp_publication *p, const rsp_variable *v) {
    const char *head[] = {
        v->name, "", type_name(v->type), measure_name(v->measure), v->derive.kind == RSP_DERIVE_NONE ? "no" : "yes",
        "",      ""};
    for (size_t k = 0; k < 7; k++) field(b, head[k], false);
    labels(b, p, &v->label);
    for (size_t k = 0; v->list && k < v->list->n; k++) {
        const rsp_choice *c = &v->list->choices[k];
        char value[32];
        rsp_double_text(c->value, value);
        const char *line[] = {v->name, c->code, "choice", "", "", value, c->missing ? "yes" : "no"};
        for (size_t j = 0; j < 7; j++) field(b, line[j], false);
        labels(b, p, &c->label);
    }
}

static bool write_codebook(const rsp_publication *p, const char *path, rsp_diag *d) {
    rsp_buf b = {0};
    rsp_buf_puts(&b, "variable,code,type,measure,derived,value,missing");
    for (size_t k = 0; k < p->n_languages; k++) rsp_buf_printf(&b, ",label_%s", p->languages[k]);
    rsp_buf_puts(&b, "\r\n");
    for (size_t j = 0; j < p->study->n_variables; j++)
        if (rsp_in_codebook(&p->study->variables[j])) codebook_variable(&b, p, &p->study->variables[j]);
    bool ok = rsp_write_file(path, b.data, b.length, d);
    rsp_buf_free(&b);
    return ok;
}

/* ---- metadata --------------------------------------------------------------------------------------------------- */

struct column {
    const char *name, *title, *description;
    bool number;
};

static const struct column RESULT_COLUMNS[] = {
    {"analysis", "Analysis",
     "Identifier of the analysis in study.yaml; weights, cleaning and response are the engine's own", false},
    {"domain", "Domain", "Who: variable=code pairs joined by semicolons in the order of the crossing; empty: everybody",
     false},
    {"term", "Term", "About what: the item, the coefficient, numerator/denominator of a ratio", false},
    {"level", "Level", "The answer's code, the quantile's probability, the two sides of a difference", false},
    {"statistic", "Statistic", "Name of the statistic; see the glossary", false},
    {"estimate", "Estimate", "Full precision; shares are in 0..1", true},
    {"se", "Standard error", "In units of the estimate", true},
    {"df", "Degrees of freedom", "Of the reference distribution (the denominator's); empty: normal", true},
    {"df1", "Numerator degrees of freedom", "Of an F test", true},
    {"lower", "Lower limit", "Of the 95 % interval", true},
    {"upper", "Upper limit", "Of the 95 % interval", true},
    {"p", "p-value", "Two-sided", true},
    {"p_adj", "Adjusted p-value", "Adjusted for the other tests of its family after Holm", true},
    {"n", "Respondents", "Unweighted number of respondents that the estimate rests on", true},
    {"n_eff", "Effective sample size", "n over the design effect", true},
    {"deff", "Design effect", "Variance over that of a simple random sample with replacement of the same size", true},
    {"flag", "Flags", "Empty, or several joined by semicolons; a suppressed row has no numbers", false}};
enum { N_RESULT_COLUMNS = sizeof RESULT_COLUMNS / sizeof *RESULT_COLUMNS, N_RESULT_KEYS = 5 };

static const struct column CODEBOOK_COLUMNS[] = {
    {"variable", "Variable", "Name of the question or derived variable", false},
    {"code", "Code", "Code of a choice; empty on the variable's own line", false},
    {"type", "Type", "Type of question as in XLSForm, or choice", false},
    {"measure", "Measure", "nominal, ordinal or interval", false},
    {"derived", "Derived", "yes: computed from answers", false},
    {"value", "Value", "Number that stands for a choice in means and scales", true},
    {"missing", "Missing", "yes: an answer that does not count as valid, such as don't know", false}};
enum { N_CODEBOOK_COLUMNS = sizeof CODEBOOK_COLUMNS / sizeof *CODEBOOK_COLUMNS };

static bool write_json(json_t *root, const char *path, rsp_diag *d) {
    char *text = json_dumps(root, JSON_INDENT(2));
    json_decref(root);
    if (!text) {
        rsp_report(d, RSP_ERR_STUDY, (rsp_loc){path, 0, 0},
                   "look for bytes that are not UTF-8 in titles and names of the study",
                   "the description of the data cannot be written as JSON");
        return false;
    }
    rsp_buf b = {0};
    rsp_buf_puts(&b, text);
    rsp_buf_putc(&b, '\n');
    free(text);
    bool ok = rsp_write_file(path, b.data, b.length, d);
    rsp_buf_free(&b);
    return ok;
}

static const char *study_title(const rsp_publication *p) {
    const char *title = rsp_text_in(&p->study->title, p->languages[0]);
    return title ? title : p->study->id;
}

/* A Frictionless table schema: https://specs.frictionlessdata.io/table-schema/ */
static json_t *schema(const struct column *columns, size_t n, const rsp_publication *labelled) {
    json_t *fields = json_array();
    for (size_t k = 0; k < n; k++)
        json_array_append_new(fields, json_pack("{s:s, s:s, s:s, s:s}", "name", columns[k].name, "type",
                                                columns[k].number ? "number" : "string", "title", columns[k].title,
                                                "description", columns[k].description));
    for (size_t k = 0; labelled && k < labelled->n_languages; k++) {
        char name[64];
        snprintf(name, sizeof name, "label_%s", labelled->languages[k]);
        json_array_append_new(fields, json_pack("{s:s, s:s, s:s}", "name", name, "type", "string", "title", name));
    }
    return json_pack("{s:o, s:o}", "fields", fields, "missingValues", json_pack("[s]", ""));
}

static json_t *resource(const char *data, const char *name, const char *title, json_t *table_schema, rsp_arena *a) {
    char path[64], hash[65];
    struct stat file;
    snprintf(path, sizeof path, "%s.csv", name);
    const char *full = rsp_path_join(a, data, path);
    if (stat(full, &file) != 0 || !rsp_hash_file(full, hash)) {
        json_decref(table_schema);
        return NULL;
    }
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:I, s:s, s:o}", "name", name, "path", path, "title", title,
                     "profile", "tabular-data-resource", "format", "csv", "mediatype", "text/csv", "bytes",
                     (json_int_t) file.st_size, "hash", rsp_printf(a, "sha256:%s", hash), "schema", table_schema);
}

/* Names of packages are lower case letters, digits, `_`, `-`, `.`. */
static const char *package_name(rsp_arena *a, const char *id) {
    char *name = rsp_strdup(a, id);
    for (char *p = name; *p; p++) {
        if (*p >= 'A' && *p <= 'Z') *p = (char) (*p + 32);
        else if (!((*p >= 'a' && *p <= 'z') || (*p >= '0' && *p <= '9') || strchr("_-.", *p))) *p = '_';
    }
    return name;
}

static const char *description(const rsp_publication *p, rsp_arena *a) {
    return rsp_printf(a, "Published estimates of the study %s.%s%s%s", p->study->id,
                      p->preliminary ? " Preliminary: answers are still being collected." : "",
                      p->simulated ? " Simulated data: no real persons." : "",
                      p->study->disclosure.off ? " Public or made-up data: disclosure control is off." : "");
}

static bool write_package(const rsp_publication *p, const char *data, rsp_arena *a, rsp_diag *d) {
    json_t *results = resource(data, "results", "Published results", schema(RESULT_COLUMNS, N_RESULT_COLUMNS, NULL), a);
    json_t *codebook = resource(data, "codebook", "Codebook", schema(CODEBOOK_COLUMNS, N_CODEBOOK_COLUMNS, p), a);
    if (!results || !codebook) {
        json_decref(results);
        json_decref(codebook);
        rsp_report(d, RSP_ERR_OUTPUT, (rsp_loc){data, 0, 0}, NULL, "the files of the data package cannot be read back");
        return false;
    }
    json_t *root = json_pack("{s:s, s:s, s:s, s:s, s:s, s:o}", "name", package_name(a, p->study->id), "title",
                             study_title(p), "description", description(p, a), "version", p->content_id, "profile",
                             "tabular-data-package", "resources", json_pack("[o, o]", results, codebook));
    return write_json(root, rsp_path_join(a, data, "datapackage.json"), d);
}

/* CSV on the Web: https://www.w3.org/TR/tabular-metadata/ . Keys may be empty texts, so that is not a null there. */
static bool write_csvw(const rsp_publication *p, const char *data, rsp_arena *a, rsp_diag *d) {
    json_t *columns = json_array(), *key = json_array();
    for (size_t k = 0; k < N_RESULT_COLUMNS; k++) {
        const struct column *c = &RESULT_COLUMNS[k];
        json_t *column = json_pack("{s:s, s:s, s:s, s:s}", "name", c->name, "titles", c->name, "datatype",
                                   c->number ? "double" : "string", "dc:description", c->description);
        if (!c->number) json_object_set_new(column, "null", json_array());
        json_array_append_new(columns, column);
        if (k < N_RESULT_KEYS) json_array_append_new(key, json_string(c->name));
    }
    json_t *context = json_pack("[s, {s:s}]", "http://www.w3.org/ns/csvw", "@language", "en");
    json_t *root = json_pack("{s:o, s:s, s:s, s:s, s:{s:s, s:b}, s:{s:o, s:o}}", "@context", context, "url",
                             "results.csv", "dc:title", study_title(p), "dc:description", description(p, a), "dialect",
                             "encoding", "utf-8", "header", 1, "tableSchema", "columns", columns, "primaryKey", key);
    return write_json(root, rsp_path_join(a, data, "results.csv-metadata.json"), d);
}

bool rsp_render_dataset(const rsp_publication *p, rsp_diag *d) {
    rsp_arena *a = rsp_arena_new();
    char *data = rsp_path_join(a, p->dir, "data");
    bool ok = rsp_make_dirs(data, d);
    ok = ok && rsp_published_write_csv(p->results, rsp_path_join(a, data, "results.csv"), d);
    ok = ok && rsp_published_write_sqlite(p->results, p->study, rsp_path_join(a, data, "results.sqlite"), d);
    ok = ok && write_codebook(p, rsp_path_join(a, data, "codebook.csv"), d);
    ok = ok && rsp_ddi_write(p, rsp_path_join(a, data, "codebook.xml"), d);
    ok = ok && write_package(p, data, a, d) && write_csvw(p, data, a, d);
    rsp_arena_free(a);
    return ok;
}
