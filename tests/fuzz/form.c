/* Fuzz target: questionnaires of any tool, as bytes or, after a first byte `p`, as the parts of a workbook. Whatever was
 * read, a draft can be made of it with an export whose headings are the names it has. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "intake/form.h"
#include "parts.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { FORM_COLUMNS = 40 };

/* Two answers to each of the first questions: the first choice, and a word. */
static void export_for(const rsp_form *f, rsp_buf *b) {
    for (int row = 0; row < 3; row++) {
        for (size_t k = 0; k < f->n_questions && k < FORM_COLUMNS; k++) {
            const rsp_form_question *q = &f->questions[k];
            const rsp_form_list *l = q->list == RSP_NONE ? NULL : &f->lists[q->list];
            const char *code = l && l->n ? l->choices[0].code : "4";
            bool parts = q->typed && l && l->n && (q->type == RSP_DRAFT_MULTIPLE || q->type == RSP_DRAFT_RANK);
            rsp_buf name = {0};
            rsp_buf_printf(&name, parts ? "%s[%s]" : "%s", q->name, code);
            if (k) rsp_buf_putc(b, ',');
            rsp_buf_csv(b, row == 0 ? name.data : row == 1 ? parts ? "Y" : code : "word", false);
            rsp_buf_free(&name);
        }
        rsp_buf_putc(b, '\n');
    }
}

static void draft_with(rsp_buf *raw, const rsp_form *f) {
    rsp_diag *d = rsp_diag_new();
    rsp_draft x = rsp_draft_new();
    rsp_buf export = {0};
    export_for(f, &export);
    bool read = rsp_draft_take(&x, raw, "form", d);
    assert(read);
    if (rsp_draft_take(&x, &export, "export", d) && x.n_files) {
        rsp_draft_work_out(&x);
        for (size_t k = 0; k < x.n_items; k++) assert(x.items[k].list == RSP_NONE || x.items[k].list < x.n_lists);
    }
    rsp_draft_free(&x);
    rsp_diag_free(d);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size < 2) return 0;
    rsp_diag *d = rsp_diag_new();
    rsp_buf raw = {0};
    if (data[0] == 'p') pack_parts((const char *) data + 1, size - 1, &raw);
    else rsp_buf_add(&raw, (const char *) data + 1, size - 1);
    if (!raw.data) rsp_buf_add(&raw, "", 0);
    rsp_form *f = rsp_form_read(&raw, "form", d);
    for (size_t k = 0; f && k < f->n_questions; k++)
        assert(f->questions[k].list == RSP_NONE || f->questions[k].list < f->n_lists);
    if (f && f->n_questions) draft_with(&raw, f);
    rsp_form_free(f);
    rsp_buf_free(&raw);
    rsp_diag_free(d);
    return 0;
}
