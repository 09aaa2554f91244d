/* Completing Cairo's PDF with libqpdf; see pdf_finish.h. ISO 32000-1 section 14.7 to 14.9, ISO 14289-1. */
#include "pdf_finish.h"

#include <qpdf/qpdf-c.h>
#include <stdlib.h>
#include <string.h>

enum { DEEPEST = 64 }; /* of the structure tree: ours has five levels */

typedef struct {
    qpdf_data q;
    const rsp_pdf_facts *facts;
    size_t figures; /* seen so far */
} finisher;

static qpdf_oh text_of(finisher *f, const char *utf8) { return qpdf_oh_new_unicode_string(f->q, utf8); }

static void put(finisher *f, qpdf_oh dict, const char *key, qpdf_oh value) {
    qpdf_oh_replace_key(f->q, dict, key, value);
}

static qpdf_oh parse(finisher *f, const char *text) { return qpdf_oh_parse(f->q, text); }

/* ---- structure tree --------------------------------------------------------------------------------------------- */

static void finish_figure(finisher *f, qpdf_oh element) {
    if (f->figures < f->facts->n_figures) {
        const rsp_pdf_figure *x = &f->facts->figures[f->figures];
        qpdf_oh box = qpdf_oh_new_array(f->q), layout = parse(f, "<< /O /Layout /Placement /Block >>");
        for (int k = 0; k < 4; k++) qpdf_oh_append_item(f->q, box, qpdf_oh_new_real_from_double(f->q, x->box[k], 2));
        put(f, layout, "/BBox", box);
        put(f, element, "/A", layout);
        put(f, element, "/Alt", text_of(f, x->alt));
    }
    f->figures++;
}

static void finish_element(finisher *f, qpdf_oh element, int depth) {
    if (depth > DEEPEST || !qpdf_oh_is_dictionary(f->q, element)) return;
    qpdf_oh kind = qpdf_oh_get_key(f->q, element, "/S");
    if (qpdf_oh_is_name_and_equals(f->q, kind, "/Figure")) finish_figure(f, element);
    if (qpdf_oh_is_name_and_equals(f->q, kind, "/TH"))
        put(f, element, "/A", parse(f, "<< /O /Table /Scope /Column >>"));
    if (qpdf_oh_is_name_and_equals(f->q, kind, "/L"))
        put(f, element, "/A", parse(f, "<< /O /List /ListNumbering /Square >>"));
    qpdf_oh children = qpdf_oh_get_key(f->q, element, "/K");
    if (!qpdf_oh_is_array(f->q, children)) {
        finish_element(f, children, depth + 1);
        return;
    }
    for (int k = 0; k < qpdf_oh_get_array_n_items(f->q, children); k++)
        finish_element(f, qpdf_oh_get_array_item(f->q, children, k), depth + 1);
}

/* ---- artifacts -------------------------------------------------------------------------------------------------- */

static bool is_blank(unsigned char c) {
    return c == ' ' || c == '\n' || c == '\r' || c == '\t' || c == '\f' || c == '\0';
}

static bool is_delimiter(unsigned char c) { return c && strchr("()<>[]{}/%", c) != NULL; }

static size_t skip_string(const unsigned char *s, size_t n, size_t k) {
    for (int depth = 0; k < n; k++) {
        if (s[k] == '\\') k++;
        else if (s[k] == '(') depth++;
        else if (s[k] == ')' && --depth == 0) return k + 1;
    }
    return n;
}

/* End of the token that begins at k. *word: it is an operator or a number. */
static size_t skip_token(const unsigned char *s, size_t n, size_t k, bool *word) {
    *word = false;
    if (s[k] == '(') return skip_string(s, n, k);
    if (s[k] == '%') {
        while (k < n && s[k] != '\n') k++;
        return k;
    }
    if (s[k] == '<' && k + 1 < n && s[k + 1] != '<') {
        while (k < n && s[k] != '>') k++;
        return k < n ? k + 1 : n;
    }
    if (is_delimiter(s[k]) && s[k] != '/') return k + 1;
    *word = s[k] != '/';
    for (k++; k < n && !is_blank(s[k]) && !is_delimiter(s[k]);) k++;
    return k;
}

typedef struct {
    size_t from; /* of the stretch outside of marked content */
    int depth;   /* of marked content that the structure tree names */
    int spans;   /* of other marked content in the stretch: Cairo gives some texts an ActualText */
    int texts;   /* BT minus ET in the stretch */
    bool paints;
    rsp_buf out;
} marker;

/* A stretch that paints nothing sets state only and needs no mark. One that opens a text object cannot be wrapped: marked
 * content and text objects must nest. */
static void close_stretch(marker *m, const unsigned char *s, size_t to) {
    bool wrap = m->paints && m->texts == 0;
    if (wrap) rsp_buf_puts(&m->out, "\n/Artifact BMC\n");
    rsp_buf_add(&m->out, (const char *) s + m->from, to - m->from);
    if (wrap) rsp_buf_puts(&m->out, "\nEMC\n");
    m->from = to;
    m->paints = false;
    m->texts = 0;
}

static bool is_painting(const char *op) {
    static const char *const ops[] = {"f",  "f*", "F",  "S", "s",  "B",  "B*", "b",
                                      "b*", "Tj", "TJ", "'", "\"", "Do", "sh", "EI"};
    for (size_t k = 0; k < sizeof ops / sizeof *ops; k++)
        if (strcmp(op, ops[k]) == 0) return true;
    return false;
}

static void see_operator(marker *m, const unsigned char *s, const char *op, size_t operands, size_t end) {
    if (strcmp(op, "BDC") == 0 || strcmp(op, "BMC") == 0) {
        bool named = memmem(s + operands, end - operands, "/MCID", 5) != NULL;
        if (m->depth == 0 && !named) m->spans++;
        else if (m->depth++ == 0) close_stretch(m, s, operands);
    } else if (strcmp(op, "EMC") == 0 && m->depth == 0) {
        m->spans--;
    } else if (strcmp(op, "EMC") == 0) {
        if (--m->depth > 0) return;
        rsp_buf_add(&m->out, (const char *) s + m->from, end - m->from);
        m->from = end;
    } else if (m->depth == 0) {
        m->paints |= is_painting(op);
        m->texts += strcmp(op, "BT") == 0 ? 1 : strcmp(op, "ET") == 0 ? -1 : 0;
    }
}

/* Everything painted outside of marked content becomes an artifact: rules, tints, running footers. */
static void mark_artifacts(const unsigned char *s, size_t n, rsp_buf *out) {
    marker m = {0};
    size_t operands = 0;
    for (size_t k = 0; k < n;) {
        if (is_blank(s[k])) {
            k++;
            continue;
        }
        bool word;
        size_t end = skip_token(s, n, k, &word);
        bool is_operator = word && !(s[k] >= '0' && s[k] <= '9') && s[k] != '-' && s[k] != '.' && s[k] != '+';
        if (is_operator && end - k < 8) {
            char op[8] = {0};
            memcpy(op, s + k, end - k);
            see_operator(&m, s, op, operands, end);
        }
        if (is_operator) operands = end;
        k = end;
    }
    if (m.depth == 0) close_stretch(&m, s, n);
    else rsp_buf_add(&m.out, (const char *) s + m.from, n - m.from);
    *out = m.out;
}

static void finish_page(finisher *f, qpdf_oh page) {
    put(f, page, "/Tabs", qpdf_oh_new_name(f->q, "/S"));
    qpdf_oh contents = qpdf_oh_get_key(f->q, page, "/Contents");
    unsigned char *bytes = NULL;
    size_t length = 0;
    QPDF_BOOL filtered = 0;
    if (!qpdf_oh_is_stream(f->q, contents)) return;
    if (qpdf_oh_get_stream_data(f->q, contents, qpdf_dl_generalized, &filtered, &bytes, &length) & QPDF_ERRORS ||
        !bytes)
        return;
    rsp_buf marked = {0};
    mark_artifacts(bytes, length, &marked);
    qpdf_oh none = qpdf_oh_new_null(f->q);
    if (filtered && marked.data)
        qpdf_oh_replace_stream_data(f->q, contents, (const unsigned char *) marked.data, marked.length, none, none);
    rsp_buf_free(&marked);
    free(bytes);
}

/* ---- metadata --------------------------------------------------------------------------------------------------- */

static void add_xml(rsp_buf *out, const char *text) {
    for (; *text; text++) {
        unsigned char c = (unsigned char) *text;
        if (c == '<') rsp_buf_puts(out, "&lt;");
        else if (c == '>') rsp_buf_puts(out, "&gt;");
        else if (c == '&') rsp_buf_puts(out, "&amp;");
        else if (c >= 0x20 || c == '\n' || c == '\t') rsp_buf_putc(out, (char) c);
    }
}

static void add_property(rsp_buf *out, const char *open, const char *text, const char *close) {
    rsp_buf_puts(out, open);
    add_xml(out, text);
    rsp_buf_puts(out, close);
}

static void write_xmp(const rsp_pdf_facts *x, rsp_buf *out) {
    rsp_buf_puts(
        out,
        "<?xpacket begin=\"\xEF\xBB\xBF\" id=\"W5M0MpCehiHzreSzNTczkc9d\"?>\n<x:xmpmeta xmlns:x=\"adobe:ns:meta/\">\n"
        "<rdf:RDF xmlns:rdf=\"http://www.w3.org/1999/02/22-rdf-syntax-ns#\">\n"
        "<rdf:Description rdf:about=\"\" xmlns:dc=\"http://purl.org/dc/elements/1.1/\""
        " xmlns:xmp=\"http://ns.adobe.com/xap/1.0/\" xmlns:pdfuaid=\"http://www.aiim.org/pdfua/ns/id/\">\n"
        "<pdfuaid:part>1</pdfuaid:part>\n<dc:format>application/pdf</dc:format>\n");
    add_property(out, "<dc:title><rdf:Alt><rdf:li xml:lang=\"x-default\">", x->title,
                 "</rdf:li></rdf:Alt></dc:title>\n");
    add_property(out, "<dc:creator><rdf:Seq><rdf:li>", x->author, "</rdf:li></rdf:Seq></dc:creator>\n");
    add_property(out, "<dc:description><rdf:Alt><rdf:li xml:lang=\"x-default\">", x->subject,
                 "</rdf:li></rdf:Alt></dc:description>\n");
    add_property(out, "<dc:language><rdf:Bag><rdf:li>", x->lang, "</rdf:li></rdf:Bag></dc:language>\n");
    add_property(out, "<xmp:CreateDate>", x->date, "</xmp:CreateDate>\n");
    rsp_buf_puts(out, "</rdf:Description>\n</rdf:RDF>\n</x:xmpmeta>\n<?xpacket end=\"r\"?>\n");
}

static void add_metadata(finisher *f, qpdf_oh root) {
    rsp_buf xmp = {0};
    write_xmp(f->facts, &xmp);
    qpdf_oh stream = qpdf_oh_new_stream(f->q), none = qpdf_oh_new_null(f->q);
    qpdf_oh_replace_stream_data(f->q, stream, (const unsigned char *) xmp.data, xmp.length, none, none);
    qpdf_oh dict = qpdf_oh_get_dict(f->q, stream);
    put(f, dict, "/Type", qpdf_oh_new_name(f->q, "/Metadata"));
    put(f, dict, "/Subtype", qpdf_oh_new_name(f->q, "/XML"));
    put(f, root, "/Metadata", stream);
    rsp_buf_free(&xmp);
}

/* ---- the whole -------------------------------------------------------------------------------------------------- */

static bool complete(finisher *f) {
    qpdf_oh root = qpdf_get_root(f->q), tree = qpdf_oh_get_key(f->q, root, "/StructTreeRoot");
    if (!qpdf_oh_is_dictionary(f->q, tree)) return false;
    put(f, root, "/Lang", text_of(f, f->facts->lang));
    put(f, root, "/ViewerPreferences", parse(f, "<< /DisplayDocTitle true >>"));
    add_metadata(f, root);
    finish_element(f, tree, 0);
    for (int k = 0; k < qpdf_get_num_pages(f->q); k++) finish_page(f, qpdf_get_page_n(f->q, (size_t) k));
    return f->figures == f->facts->n_figures;
}

static bool write_back(finisher *f, rsp_buf *pdf) {
    if (qpdf_init_write_memory(f->q) & QPDF_ERRORS) return false;
    qpdf_set_deterministic_ID(f->q, QPDF_TRUE);
    qpdf_set_object_stream_mode(f->q, qpdf_o_generate);
    if (qpdf_write(f->q) & QPDF_ERRORS) return false;
    rsp_buf out = {0};
    rsp_buf_add(&out, (const char *) qpdf_get_buffer(f->q), qpdf_get_buffer_length(f->q));
    rsp_buf_free(pdf);
    *pdf = out;
    return true;
}

bool rsp_pdf_finish(rsp_buf *pdf, const rsp_pdf_facts *facts, const char *name, rsp_diag *d) {
    finisher f = {.q = qpdf_init(), .facts = facts};
    qpdf_silence_errors(f.q);
    qpdf_set_suppress_warnings(f.q, QPDF_TRUE);
    bool read = !(qpdf_read_memory(f.q, name, pdf->data, pdf->length, NULL) & QPDF_ERRORS);
    bool ok = read && complete(&f) && !qpdf_has_error(f.q) && write_back(&f, pdf);
    const char *why = qpdf_has_error(f.q) ? qpdf_get_error_full_text(f.q, qpdf_get_error(f.q)) : NULL;
    if (!ok)
        rsp_report(d, RSP_ERR_BUG, (rsp_loc){name, 0, 0}, "the versions of Cairo and qpdf may not suit each other",
                   "the PDF cannot be completed: %s", why ? why : "its structure tree is not the one that was drawn");
    qpdf_cleanup(&f.q);
    return ok;
}
