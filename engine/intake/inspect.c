/* `responsive inspect`: what a file is, before a study is written for it. Prints counts and kinds, never an answer. */
#include "profile.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

enum { HEADING_WIDTH = 60, MOST_DOUBTS = 12 };

struct inspected {
    const char *path;
    rsp_table_data *t;
    const rsp_tool *tool;
    rsp_profile *profiles;
    char why[160];
    rsp_diag *said; /* while it was opened */
    rsp_arena *arena;
};

/* ---- words ------------------------------------------------------------------------------------------------------ */

static const char *kind_name(rsp_profile_kind k) {
    static const char *const names[] = {"blank", "date", "codes", "choices", "integer", "decimal", "text"};
    return names[k];
}

static const char *const missing_names[RSP_KINDS_MISSING] = {
    NULL, "unknown", "not_shown", "skipped", "broke_off", "refused", NULL, NULL, NULL, NULL, "dont_know"};

static const char *delimiter_name(char c) {
    return c == '\t' ? "tab" : c == ';' ? "semicolon" : c == ',' ? "comma" : c ? "other" : "none";
}

static const rsp_column_info *info_of(const struct inspected *x, size_t j) {
    return x->t->info ? &x->t->info[j] : NULL;
}

struct doubts {
    size_t n;
    const char *v[MOST_DOUBTS];
};

static void doubt(struct doubts *d, const char *text) {
    if (d->n < MOST_DOUBTS) d->v[d->n++] = text;
}

/* Spellings that fold to the same words. */
static size_t folded_spellings(const rsp_profile *p) {
    rsp_map *seen = rsp_map_new();
    rsp_buf room = {0};
    for (size_t k = 0; k < p->n_spellings; k++) {
        rsp_fold(p->spellings[k].text, p->spellings[k].length, &room);
        rsp_map_put_n(seen, room.data, room.length, k);
    }
    size_t n = rsp_map_count(seen);
    rsp_map_free(seen);
    rsp_buf_free(&room);
    return n;
}

static void doubts_of_numbers(const struct inspected *x, const rsp_profile *p, struct doubts *d) {
    size_t numbers = p->whole + p->decimal;
    if (numbers < p->answered && numbers * 10 >= p->answered * 9)
        doubt(d, rsp_printf(x->arena, "%zu of %zu answers are no numbers", p->answered - numbers, p->answered));
    if (p->points && p->commas)
        doubt(d, rsp_printf(x->arena, "numbers with a point (%zu) and with a comma (%zu)", p->points, p->commas));
    if (p->rounded) doubt(d, rsp_printf(x->arena, "%zu numbers a spreadsheet rounded, such as 5.36E+08", p->rounded));
}

static void doubts_of_labels(const struct inspected *x, size_t j, struct doubts *d) {
    const rsp_column_info *info = info_of(x, j);
    size_t labelled_missing = 0;
    rsp_buf room = {0};
    for (size_t k = 0; info && k < info->n_values; k++) {
        rsp_fold(info->values[k].label, strlen(info->values[k].label), &room);
        labelled_missing += !info->values[k].missing && rsp_missing_word(room.data) != 0;
    }
    rsp_buf_free(&room);
    if (labelled_missing)
        doubt(d,
              rsp_printf(x->arena, "%zu labels say that there is no answer, but the file does not declare them missing",
                         labelled_missing));
}

/* Dates among answers of which others are ranges of two numbers. */
static size_t ranges_as_dates(const rsp_profile *p) {
    size_t ranges = 0, dates = 0;
    for (size_t k = 0; k < p->n_spellings; k++) {
        ranges += rsp_is_range(p->spellings[k].text);
        if (rsp_may_be_range(p->spellings[k].text, p->spellings[k].length)) dates += p->spellings[k].n;
    }
    return ranges ? dates : 0;
}

static void doubts_of(const struct inspected *x, size_t j, struct doubts *d) {
    const rsp_profile *p = &x->profiles[j];
    rsp_profile_kind kind = rsp_kind_of(p, info_of(x, j));
    *d = (struct doubts){.n = 0};
    if (!*x->t->headings[j]) doubt(d, "no heading");
    for (size_t k = 0; k < j; k++)
        if (*x->t->headings[j] && strcmp(x->t->headings[k], x->t->headings[j]) == 0) {
            doubt(d, rsp_printf(x->arena, "the same heading as column %zu", k + 1));
            break;
        }
    if (p->personal_heading) doubt(d, "personal data by its heading: not read unless a study keeps it");
    else if (p->personal) doubt(d, rsp_printf(x->arena, "%zu answers are %s", p->personal, p->personal_what));
    doubts_of_numbers(x, p, d);
    if (p->local && !p->day_first && !p->month_first)
        doubt(d, "dates of which no day tells the order of day and month");
    if (p->day_first && p->month_first) doubt(d, "dates with the day first and with the month first");
    if (kind == RSP_KIND_CHOICES && folded_spellings(p) < p->n_spellings)
        doubt(d, rsp_printf(x->arena, "%zu spellings of %zu answers", p->n_spellings, folded_spellings(p)));
    if (ranges_as_dates(p))
        doubt(d, rsp_printf(x->arena,
                            "%zu of the answers are dates, others ranges as 1-2: of which a spreadsheet makes dates",
                            ranges_as_dates(p)));
    doubts_of_labels(x, j, d);
}

/* ---- for readers ------------------------------------------------------------------------------------------------ */

/* The heading on one line, cut between characters. */
static void print_heading(const char *h, FILE *to) {
    size_t shown = 0;
    for (; *h; h++) {
        bool start = ((unsigned char) *h & 0xC0) != 0x80;
        if (start && shown++ == HEADING_WIDTH) {
            fputs("...", to);
            return;
        }
        fputc((unsigned char) *h < ' ' || *h == 0x7F ? ' ' : *h, to);
    }
}

static void print_missing(const rsp_profile *p, FILE *to) {
    static const char *const words[RSP_KINDS_MISSING] = {
        NULL, "unknown why", "not shown", "skipped", "left before", "refused", NULL, NULL, NULL, NULL, "don't know"};
    if (rsp_profile_missing(p) == p->missing[1]) return; /* the number alone says it */
    fputs("        missing:", to);
    const char *between = "";
    for (size_t k = 0; k < RSP_KINDS_MISSING; k++) {
        if (!p->missing[k] || !words[k]) continue;
        fprintf(to, "%s %zu %s", between, p->missing[k], words[k]);
        between = ",";
    }
    fputc('\n', to);
}

static void print_columns(const struct inspected *x, FILE *to) {
    fprintf(to, "\n%6s  %-8s %9s %9s  %s\n", "column", "kind", "different", "missing", "heading");
    for (size_t j = 0; j < x->t->n_columns; j++) {
        const rsp_profile *p = &x->profiles[j];
        char distinct[32];
        struct doubts d;
        snprintf(distinct, sizeof distinct, p->many ? ">%zu" : "%zu", p->n_spellings);
        fprintf(to, "%6zu  %-8s %9s %9zu  ", j + 1, kind_name(rsp_kind_of(p, info_of(x, j))), distinct,
                rsp_profile_missing(p));
        print_heading(x->t->headings[j], to);
        const char *label = info_of(x, j) ? info_of(x, j)->label : NULL;
        if (label && *label) {
            fputs(" | ", to);
            print_heading(label, to);
        }
        fputc('\n', to);
        print_missing(p, to);
        doubts_of(x, j, &d);
        for (size_t k = 0; k < d.n; k++) fprintf(to, "        ? %s\n", d.v[k]);
    }
    fputc('\n', to);
}

static void print_file(const struct inspected *x, FILE *to) {
    const rsp_table_data *t = x->t;
    fprintf(to, "%s\n  tool      %s (%s)\n  format    %s%s%s%s\n  encoding  %s (%s)\n", x->path, x->tool->name, x->why,
            t->format, t->sheet ? ", sheet '" : "", t->sheet ? t->sheet : "", t->sheet ? "'" : "", t->encoding,
            t->encoding_why);
    if (t->delimiter) fprintf(to, "  delimiter %s\n", delimiter_name(t->delimiter));
    fprintf(to, "  headings  %zu row%s\n  records   %zu\n  columns   %zu\n", t->n_header_rows,
            t->n_header_rows == 1 ? "" : "s", t->n_records, t->n_columns);
    print_columns(x, to);
}

/* ---- for programs ----------------------------------------------------------------------------------------------- */

static json_t *json_words(const char *text) {
    json_t *s = json_string(text);
    return s ? s : json_string("?"); /* jansson takes valid UTF-8 only */
}

static json_t *json_variable(const struct inspected *x, size_t j) {
    const rsp_profile *p = &x->profiles[j];
    struct doubts d;
    json_t *missing = json_object(), *doubts = json_array(), *v = json_object();
    const rsp_column_info *info = info_of(x, j);
    for (size_t k = 0; k < RSP_KINDS_MISSING; k++)
        if (missing_names[k] && p->missing[k])
            json_object_set_new(missing, missing_names[k], json_integer((json_int_t) p->missing[k]));
    doubts_of(x, j, &d);
    for (size_t k = 0; k < d.n; k++) json_array_append_new(doubts, json_words(d.v[k]));
    json_object_set_new(v, "column", json_integer((json_int_t) j + 1));
    json_object_set_new(v, "heading", json_words(x->t->headings[j]));
    json_object_set_new(v, "label", info && info->label ? json_words(info->label) : json_null());
    json_object_set_new(v, "type", json_string(kind_name(rsp_kind_of(p, info))));
    json_object_set_new(v, "distinct", json_integer((json_int_t) p->n_spellings));
    json_object_set_new(v, "distinct_is_minimum", json_boolean(p->many));
    json_object_set_new(v, "answered", json_integer((json_int_t) p->answered));
    json_object_set_new(v, "missing", missing);
    json_object_set_new(v, "doubts", doubts);
    return v;
}

static json_t *json_reasons(const struct inspected *x) {
    json_t *reasons = json_array();
    const rsp_table_data *t = x->t;
    json_array_append_new(reasons, json_words(rsp_printf(x->arena, "tool: %s", x->why)));
    json_array_append_new(reasons, json_words(rsp_printf(x->arena, "encoding: %s", t->encoding_why)));
    if (t->delimiter && t->agreement > 0)
        json_array_append_new(
            reasons, json_words(rsp_printf(
                         x->arena, "delimiter: %.0f %% of the first records have as many cells as the first row",
                         100 * t->agreement)));
    return reasons;
}

static json_t *json_doubts(const struct inspected *x) {
    json_t *doubts = json_array();
    for (size_t k = 0; k < rsp_diag_count(x->said); k++) {
        const rsp_diagnostic *e = rsp_diag_at(x->said, k);
        json_array_append_new(doubts,
                              json_words(e->hint ? rsp_printf(x->arena, "%s (%s)", e->message, e->hint) : e->message));
    }
    return doubts;
}

static json_t *json_file(const struct inspected *x) {
    json_t *f = json_object(), *variables = json_array();
    json_object_set_new(f, "file", json_words(x->path));
    json_object_set_new(f, "tool", json_string(x->tool->name));
    json_object_set_new(f, "encoding", json_words(x->t->encoding));
    json_object_set_new(f, "delimiter", x->t->delimiter ? json_stringn(&x->t->delimiter, 1) : json_null());
    json_object_set_new(f, "header_rows", json_integer((json_int_t) x->t->n_header_rows));
    json_object_set_new(f, "rows", json_integer((json_int_t) x->t->n_records));
    json_object_set_new(f, "columns", json_integer((json_int_t) x->t->n_columns));
    json_object_set_new(f, "reasons", json_reasons(x));
    json_object_set_new(f, "doubts", json_doubts(x));
    for (size_t j = 0; j < x->t->n_columns; j++) json_array_append_new(variables, json_variable(x, j));
    json_object_set_new(f, "variables", variables);
    return f;
}

/* ---- files ------------------------------------------------------------------------------------------------------ */

/* What was said on the way is a doubt about the file; errors go to the caller's collector. */
static bool inspect_open(struct inspected *x, const char *path, rsp_diag *d) {
    rsp_buf raw = {0};
    rsp_open_options o = {NULL, 0, NULL};
    *x = (struct inspected){.path = path, .said = rsp_diag_new(), .arena = rsp_arena_new()};
    if (rsp_read_file(path, &raw, d, RSP_ERR_DATA, RSP_NOWHERE)) x->t = rsp_table_open(&raw, path, &o, x->said);
    else rsp_buf_free(&raw);
    if (x->t) x->tool = rsp_tool_take("auto", x->t, x->why, x->said);
    if (x->tool && x->t->instead)
        rsp_report(x->said, RSP_WARNING, (rsp_loc){path, 0, 0},
                   "give it to `responsive new` beside the export of the answers", "this is %s", x->t->instead);
    if (x->tool) x->profiles = rsp_profiles(x->t, x->tool, x->said);
    return x->tool != NULL;
}

static void pass_on(const struct inspected *x, bool all, rsp_diag *d) {
    for (size_t k = 0; k < rsp_diag_count(x->said); k++) {
        const rsp_diagnostic *e = rsp_diag_at(x->said, k);
        if (all || e->class > RSP_WARNING) rsp_report(d, e->class, e->loc, e->hint, "%s", e->message);
    }
}

static void inspect_close(struct inspected *x) {
    if (x->profiles) rsp_profiles_free(x->profiles, x->t->n_columns);
    rsp_table_close(x->t);
    rsp_diag_free(x->said);
    rsp_arena_free(x->arena);
}

bool rsp_inspect(const char *const *paths, size_t n, bool json, FILE *to, rsp_diag *d) {
    json_t *files = json_array();
    bool good = true;
    for (size_t k = 0; k < n; k++) {
        struct inspected x;
        if (!inspect_open(&x, paths[k], d)) good = false;
        else if (json) json_array_append_new(files, json_file(&x));
        else print_file(&x, to);
        pass_on(&x, !json || !x.tool, d);
        inspect_close(&x);
    }
    json_t *all = json_pack("{s:o}", "files", files);
    if (json) {
        json_dumpf(all, to, JSON_INDENT(2) | JSON_PRESERVE_ORDER);
        fputc('\n', to);
    }
    json_decref(all);
    return good;
}
