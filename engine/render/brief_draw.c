/* Drawing a placed document as a tagged PDF. Reading order is the order of drawing; rules, tints, bullets and footers are
 * drawn outside of tags and become artifacts in pdf_finish. */
#include "brief.h"

#include <cairo-pdf.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const rsp_colour ACCENT = {0x12 / 255.0, 0x43 / 255.0, 0x6D / 255.0}, TINT = {0.925, 0.945, 0.965},
                        RULE = {0.78, 0.81, 0.85}, GREY = {0.35, 0.35, 0.35};

enum {
    BULLET = 14,
    ENTRY_GAP = BRIEF_ENTRY_GAP,
    CELL_PAD = 4,
    NUMBER_W = 104,
    COLUMN_GAP = 24,
    NOTE_GAP = 7,
    BARE_GAP = 3, /* of an entry without heading */
    FOOTER_Y = 791,
    FOOTER_GAP = 20 /* between what stands left and right */
};

typedef struct {
    const brief_edition *e;
    cairo_t *cr;
    cairo_surface_t *surface;
    const char *lang;
    size_t page;               /* from 0 */
    size_t n_figures, unknown; /* characters that no font has */
    rsp_pdf_figure *figures;
} painter;

static void open_tag(painter *p, const char *tag) { cairo_tag_begin(p->cr, tag, NULL); }

static void close_tag(painter *p, const char *tag) { cairo_tag_end(p->cr, tag); }

static void fill(painter *p, rsp_colour c, double x, double y, double w, double h) {
    cairo_set_source_rgb(p->cr, c.r, c.g, c.b);
    cairo_rectangle(p->cr, x, y, w, h);
    cairo_fill(p->cr);
}

static double show(painter *p, const char *tag, const char *text, const char *tail, const brief_type *type, double x,
                   double y, double width) {
    open_tag(p, tag);
    double h = brief_show(p->cr, p->lang, text, tail, type, x, y, width, &p->unknown);
    close_tag(p, tag);
    return h;
}

static brief_type heading_type(double size) { return (brief_type){size, 1.0, true, ACCENT}; }

/* ---- lists ------------------------------------------------------------------------------------------------------ */

static double list_width(const brief_piece *x) { return x->width - BULLET - (x->box ? 2 * BRIEF_BOX_PAD : 0); }

double brief_list_height(const brief_piece *x, const char *lang) {
    brief_type heading = heading_type(11.5);
    double h = x->box ? 2 * BRIEF_BOX_PAD - 4 : 0;
    if (x->text) h += brief_height(lang, x->text, NULL, &heading, x->width) + ENTRY_GAP;
    for (size_t k = 0; k < x->n_entries; k++)
        h += brief_height(lang, x->entries[k].text, NULL, &x->type, list_width(x)) + (k ? ENTRY_GAP : 0);
    return h;
}

static bool continues(const brief_document *d, size_t k) {
    return k > 0 && k < d->n && d->pieces[k].continues && d->pieces[k - 1].kind == PIECE_LIST &&
           d->pieces[k - 1].page == d->pieces[k].page;
}

/* One L for what stands together on a page, in however many pieces it was placed. */
static void draw_list(painter *p, const brief_document *d, size_t at) {
    const brief_piece *x = &d->pieces[at];
    double left = x->x + (x->box ? BRIEF_BOX_PAD : 0), y = x->y;
    if (x->box) {
        fill(p, TINT, x->x, x->y, x->width, x->height);
        fill(p, ACCENT, x->x, x->y, 3, x->height);
        y += BRIEF_BOX_PAD - 3;
    }
    brief_type heading = heading_type(11.5);
    if (x->text) y += show(p, "H2", x->text, NULL, &heading, left, y, x->width) + ENTRY_GAP;
    if (!continues(d, at)) open_tag(p, "L");
    for (size_t k = 0; k < x->n_entries; k++) {
        fill(p, ACCENT, left, y + 0.68 * x->type.size - 1.8, 3.6, 3.6);
        open_tag(p, "LI");
        y += show(p, "LBody", x->entries[k].text, NULL, &x->type, left + BULLET, y, list_width(x)) + ENTRY_GAP;
        close_tag(p, "LI");
    }
    if (!continues(d, at + 1)) close_tag(p, "L");
}

/* ---- tables ----------------------------------------------------------------------------------------------------- */

static double column_width(const brief_piece *x, size_t column) {
    if (x->columns) return x->columns[column].width;
    return column ? NUMBER_W : x->width - NUMBER_W * (double) (x->n_columns - 1);
}

static bool stands_right(const brief_piece *x, size_t column) {
    return x->columns ? x->columns[column].number : column > 0;
}

static const brief_type TAIL = {8, 0.95, false, {0.35, 0.35, 0.35}};

static brief_type cell_type(const brief_piece *x, size_t row) {
    brief_type type = x->type;
    type.bold = row == 0;
    return type;
}

double brief_row_height(const brief_piece *x, size_t row, const char *lang) {
    double h = 0;
    brief_type type = cell_type(x, row);
    for (size_t c = 0; c < x->n_columns; c++) {
        const brief_entry *e = &x->entries[row * x->n_columns + c];
        double width = column_width(x, c) - 8, cell = brief_height(lang, e->text, NULL, &type, width);
        if (e->tail) cell += brief_height(lang, e->tail, NULL, &TAIL, width);
        h = fmax(h, cell);
    }
    return h + CELL_PAD;
}

double brief_table_height(const brief_piece *x, const char *lang) {
    double h = 0;
    for (size_t r = 0; r < x->n_entries / x->n_columns; r++) h += brief_row_height(x, r, lang);
    return h + 2;
}

static double draw_words(painter *p, const char *text, const brief_type *type, bool right, double x, double y,
                         double width) {
    PangoLayout *layout =
        brief_paragraph(p->lang, text, NULL, type, width, right ? PANGO_ALIGN_RIGHT : PANGO_ALIGN_LEFT);
    cairo_set_source_rgb(p->cr, type->colour.r, type->colour.g, type->colour.b);
    cairo_move_to(p->cr, x, y);
    pango_cairo_show_layout(p->cr, layout);
    cairo_new_path(p->cr);
    p->unknown += (size_t) pango_layout_get_unknown_glyphs_count(layout);
    g_object_unref(layout);
    return brief_height(p->lang, text, NULL, type, width);
}

/* Numbers stand right, words left. */
static void draw_cell(painter *p, const brief_piece *x, size_t row, size_t column, double left, double y) {
    brief_type type = cell_type(x, row);
    const brief_entry *e = &x->entries[row * x->n_columns + column];
    bool right = stands_right(x, column);
    double width = column_width(x, column) - 8;
    if (right) left += 8;
    open_tag(p, row ? "TD" : "TH");
    y += CELL_PAD / 2.0;
    y += draw_words(p, e->text, &type, right, left, y, width);
    if (e->tail) draw_words(p, e->tail, &TAIL, right, left, y, width);
    close_tag(p, row ? "TD" : "TH");
}

static void draw_table(painter *p, const brief_piece *x) {
    double y = x->y;
    open_tag(p, "Table");
    for (size_t r = 0; r < x->n_entries / x->n_columns; r++) {
        double left = x->x, h = brief_row_height(x, r, p->lang);
        open_tag(p, "TR");
        for (size_t c = 0; c < x->n_columns; c++) {
            draw_cell(p, x, r, c, left, y);
            left += column_width(x, c);
        }
        close_tag(p, "TR");
        y += h;
        fill(p, r ? RULE : ACCENT, x->x, y, x->width, r ? 0.4 : 0.8);
    }
    close_tag(p, "Table");
}

/* ---- small print ------------------------------------------------------------------------------------------------ */

static double entry_height(const brief_entry *n, const brief_type *type, const char *lang, double width) {
    brief_type head = heading_type(type->size);
    double h = brief_height(lang, n->text, NULL, type, width);
    return n->heading ? h + brief_height(lang, n->heading, NULL, &head, width) + NOTE_GAP : h + BARE_GAP;
}

static double note_width(const brief_piece *x) { return (x->width - COLUMN_GAP) / 2; }

/* Entries of the left column: the split that makes the taller column least tall; of those alike the one with more of them. */
static size_t split_columns(const brief_piece *x, const char *lang, double *tallest) {
    double *h = rsp_calloc(x->n_entries + 1, sizeof *h), right = 0, left = 0;
    size_t best = x->n_entries;
    *tallest = INFINITY;
    for (size_t k = 0; k < x->n_entries; k++)
        right += h[k] = entry_height(&x->entries[k], &x->type, lang, note_width(x));
    for (size_t s = 0; s <= x->n_entries; s++) {
        if (fmax(left, right) <= *tallest) {
            *tallest = fmax(left, right);
            best = s;
        }
        left += h[s];
        right -= h[s];
    }
    free(h);
    return best;
}

double brief_columns_height(const brief_piece *x, const char *lang) {
    double tallest;
    brief_type heading = heading_type(11.5);
    split_columns(x, lang, &tallest);
    return x->text ? 8 + brief_height(lang, x->text, NULL, &heading, x->width) + 6 + tallest : tallest;
}

static void draw_columns(painter *p, const brief_piece *x) {
    double tallest, y = x->y, at;
    brief_type heading = heading_type(11.5), head = heading_type(x->type.size);
    size_t left = split_columns(x, p->lang, &tallest);
    if (x->text) {
        fill(p, ACCENT, x->x, x->y, x->width, 0.8);
        y += 8 + show(p, "H2", x->text, NULL, &heading, x->x, y + 8, x->width) + 6;
    }
    at = y;
    for (size_t k = 0; k < x->n_entries; k++) {
        double l = x->x + (k < left ? 0 : note_width(x) + COLUMN_GAP);
        if (k == left) at = y;
        const brief_entry *e = &x->entries[k];
        if (e->heading) at += show(p, "H3", e->heading, NULL, &head, l, at, note_width(x));
        at += show(p, "P", e->text, NULL, &x->type, l, at, note_width(x)) + (e->heading ? NOTE_GAP : BARE_GAP);
    }
}

/* ---- figures ---------------------------------------------------------------------------------------------------- */

static void draw_figure(painter *p, const brief_piece *x) {
    double top = x->y + brief_height(p->lang, x->label, NULL, &x->type, x->width) + 3,
           bottom = BRIEF_PAGE_H - (top + x->scene->height);
    show(p, "P", x->label, NULL, &x->type, x->x, x->y, x->width);
    open_tag(p, "Figure");
    cairo_save(p->cr);
    cairo_translate(p->cr, x->x, top);
    rsp_scene_draw(x->scene, p->cr);
    cairo_restore(p->cr);
    close_tag(p, "Figure");
    const char *alt =
        rsp_printf(p->e->arena, "%s%s %s", x->scene->title, rsp_full_stop(x->scene->title), x->scene->description);
    p->figures[p->n_figures++] =
        (rsp_pdf_figure){alt, {x->x, bottom, x->x + x->scene->width, bottom + x->scene->height}};
}

/* ---- pages ------------------------------------------------------------------------------------------------------ */

static void add_bookmark(painter *p, const brief_piece *x) {
    const char *where = rsp_printf(p->e->arena, "page=%zu pos=[%d %d]", p->page + 1, (int) x->x, (int) x->y);
    cairo_pdf_surface_add_outline(p->surface, CAIRO_PDF_OUTLINE_ROOT, x->text, where, CAIRO_PDF_OUTLINE_FLAG_OPEN);
}

static void draw_piece(painter *p, const brief_document *d, size_t at) {
    const brief_piece *x = &d->pieces[at];
    if (x->outline) add_bookmark(p, x);
    switch (x->kind) {
    case PIECE_TEXT: show(p, x->tag, x->text, x->tail, &x->type, x->x, x->y, x->width); break;
    case PIECE_LIST: draw_list(p, d, at); break;
    case PIECE_FIGURE: draw_figure(p, x); break;
    case PIECE_TABLE: draw_table(p, x); break;
    case PIECE_COLUMNS: draw_columns(p, x); break;
    }
}

static double width_of(painter *p, const char *text, const brief_type *type) {
    PangoLayout *layout = brief_paragraph(p->lang, text, NULL, type, BRIEF_WIDTH, PANGO_ALIGN_LEFT);
    int width;
    pango_layout_get_size(layout, &width, NULL);
    g_object_unref(layout);
    return (double) width / PANGO_SCALE;
}

/* The study's title stands beside the number of the page; if it needs two lines, beside the content id, too. */
static void draw_footer(painter *p, const brief_document *d) {
    brief_type type = {8, 1.0, false, GREY}, strong = {8, 1.0, true, GREY};
    const char *number =
        rsp_say(p->e->texts, p->e->arena, "brief.page",
                (rsp_arg[]){{"page", NULL, (double) p->page + 1}, {"pages", NULL, (double) d->n_pages}}, 2);
    double right = width_of(p, number, &type), below = fmax(right, width_of(p, d->content, &type)) + FOOTER_GAP;
    double line = brief_height(p->lang, number, NULL, &type, BRIEF_WIDTH), width = BRIEF_WIDTH - right - FOOTER_GAP;
    if (brief_height(p->lang, d->footer, NULL, &type, width) > 1.5 * line) width = BRIEF_WIDTH - below;
    fill(p, RULE, BRIEF_LEFT, FOOTER_Y - 5, BRIEF_WIDTH, 0.5);
    double h = brief_show(p->cr, p->lang, d->footer, NULL, &type, BRIEF_LEFT, FOOTER_Y, width, &p->unknown);
    if (d->notice)
        brief_show(p->cr, p->lang, d->notice, NULL, &strong, BRIEF_LEFT, FOOTER_Y + h, BRIEF_WIDTH - below,
                   &p->unknown);
    draw_words(p, number, &type, true, BRIEF_LEFT, FOOTER_Y, BRIEF_WIDTH);
    draw_words(p, d->content, &type, true, BRIEF_LEFT, FOOTER_Y + line, BRIEF_WIDTH);
}

static void draw_pages(painter *p, const brief_document *d) {
    open_tag(p, "Document");
    for (size_t k = 0; p->page < d->n_pages; p->page++) {
        if (p->page == 0) fill(p, ACCENT, 0, 0, BRIEF_PAGE_W, 9);
        for (; k < d->n && d->pieces[k].page == p->page; k++) draw_piece(p, d, k);
        draw_footer(p, d);
        cairo_show_page(p->cr);
    }
    close_tag(p, "Document");
}

/* The date of the contents, never the clock: the end of the field, or a fixed day where the study names none. */
static const char *content_date(const brief_edition *e) {
    const char *to = e->p->study->field.to;
    return rsp_printf(e->arena, "%sT00:00:00Z", to ? to : "2000-01-01");
}

static void set_metadata(const brief_edition *e, cairo_surface_t *s, const rsp_pdf_facts *facts) {
    cairo_pdf_surface_set_metadata(s, CAIRO_PDF_METADATA_TITLE, facts->title);
    cairo_pdf_surface_set_metadata(s, CAIRO_PDF_METADATA_AUTHOR, facts->author);
    cairo_pdf_surface_set_metadata(s, CAIRO_PDF_METADATA_SUBJECT, facts->subject);
    cairo_pdf_surface_set_metadata(s, CAIRO_PDF_METADATA_CREATOR, rsp_printf(e->arena, "responsive %s", RSP_VERSION));
    cairo_pdf_surface_set_metadata(s, CAIRO_PDF_METADATA_CREATE_DATE, facts->date);
}

bool brief_draw(const brief_edition *e, const brief_document *d, const char *lang, rsp_buf *pdf, rsp_diag *diag) {
    rsp_pdf_facts facts = {.title = d->title,
                           .author = rsp_label_publisher(e->labels, e->arena),
                           .subject = rsp_label_study(e->labels),
                           .lang = rsp_texts_lang(e->texts),
                           .date = content_date(e)};
    painter p = {.e = e, .lang = lang, .figures = RSP_ARRAY(e->arena, rsp_pdf_figure, d->n + 1)};
    p.surface = rsp_pdf_open(pdf, BRIEF_PAGE_W, BRIEF_PAGE_H);
    p.cr = cairo_create(p.surface);
    set_metadata(e, p.surface, &facts);
    draw_pages(&p, d);
    if (!rsp_pdf_close(p.cr, p.surface)) {
        rsp_report(diag, RSP_ERR_OUTPUT, (rsp_loc){e->path, 0, 0}, NULL, "Cairo could not draw the pages");
        return false;
    }
    for (size_t k = 0; k < d->n; k++)
        if (d->pieces[k].scene) p.unknown += d->pieces[k].scene->unknown_glyphs;
    if (p.unknown)
        rsp_report(diag, RSP_WARNING, (rsp_loc){e->path, 0, 0}, "replace them in labels and texts",
                   "the fonts lack %zu characters of these pages", p.unknown);
    facts.n_figures = p.n_figures;
    facts.figures = p.figures;
    return rsp_pdf_finish(pdf, &facts, e->path, diag);
}
