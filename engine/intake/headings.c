/* Headings to variables: by codes (rename, the heading itself, a path, the tool's own columns), then by texts; what stands
 * under a heading that several columns have; which of two columns for one thing counts; and what is said of the rest. */
#include "match.h"

#include <assert.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* ---- headings: one ---------------------------------------------------------------------------------------------- */

static const rsp_target_column nothing = {.take = RSP_TAKE_NOTHING, .variable = RSP_NONE};
static const rsp_target_column settled = {
    .take = RSP_TAKE_NOTHING, .variable = RSP_NONE, .settled = true, .question = true};

static size_t variable_named(const rsp_matcher *m, const char *name, size_t length, rsp_buf *room) {
    bool ambiguous = false;
    size_t v = rsp_matcher_word(m->names, name, length, &ambiguous);
    if (v == RSP_NONE) {
        rsp_fold(name, length, room);
        v = rsp_matcher_word(m->loose, room->data, room->length, &ambiguous);
    }
    return ambiguous ? RSP_NONE : v;
}

static rsp_target_column whole_variable(const rsp_matcher *m, size_t variable) {
    const rsp_variable *v = &m->study->variables[variable];
    rsp_target_column c = {.variable = variable};
    switch (v->type) {
    case RSP_SELECT_MULTIPLE: c.take = RSP_TAKE_LIST; break;
    case RSP_RANK: c.take = RSP_TAKE_ORDER; break;
    case RSP_INTEGER:
    case RSP_DECIMAL: c.take = v->list ? RSP_TAKE_CODE : RSP_TAKE_NUMBER; break;
    case RSP_DATE:
    case RSP_DATETIME: c.take = RSP_TAKE_DATE; break;
    case RSP_SELECT_ONE: c.take = RSP_TAKE_CODE; break;
    case RSP_TEXT:
        c.take = v->list ? RSP_TAKE_CODE : m->used[variable] ? RSP_TAKE_TEXT : RSP_TAKE_NOTHING;
        c.free_text = c.take == RSP_TAKE_NOTHING;
        break;
    }
    return c;
}

static bool ends_with(const char *text, size_t length, const char *end) {
    size_t n = strlen(end);
    return length >= n && strncasecmp(text + length - n, end, n) == 0;
}

/* The part of a question that stands in brackets or behind a separator. */
static rsp_target_column part_of(const rsp_matcher *m, size_t variable, const char *part, size_t length,
                                 const rsp_tool *tool, rsp_buf *room) {
    const rsp_variable *v = &m->study->variables[variable];
    rsp_target_column c = {.variable = variable};
    rsp_cell_trim(&part, &length);
    if (v->type == RSP_RANK && tool->ranks_by_place) {
        size_t skip = 0;
        while (skip < length && !isdigit((unsigned char) part[skip])) skip++;
        double place;
        if (rsp_parse_double(part + skip, length - skip, '.', &place) && place >= 1 && place <= (double) v->list->n) {
            c.take = RSP_TAKE_RANKED;
            c.part = (size_t) place - 1;
            return c;
        }
    }
    int choice = v->type == RSP_SELECT_MULTIPLE || v->type == RSP_RANK ? rsp_match_value(m, v->list, part, length, room)
                                                                       : RSP_VALUE_NONE;
    if (choice >= 0) {
        rsp_fold(v->list->choices[choice].code, strlen(v->list->choices[choice].code), room);
        bool other = strcmp(room->data, "other") == 0 || strcmp(room->data, "-oth-") == 0;
        c.take = v->type == RSP_RANK ? RSP_TAKE_PLACE : other ? RSP_TAKE_OTHER : RSP_TAKE_TICK;
        c.part = (size_t) choice;
        return c;
    }
    bool other = length >= 5 && strncasecmp(part, "other", 5) == 0; /* "Other (please specify)" */
    if (!other && !ends_with(part, length, "other") && !ends_with(part, length, "comment")) return nothing;
    c.variable = RSP_NONE;
    c.free_text = true;
    return c;
}

static bool matched(const rsp_target_column *c) { return c->take != RSP_TAKE_NOTHING || c->free_text; }

/* NAME/CODE, NAME.CODE, NAME___CODE, NAME_CODE: the cut that leaves the longest name. */
static rsp_target_column split_at_separator(const rsp_matcher *m, const char *code, size_t length, const rsp_tool *tool,
                                            rsp_buf *room) {
    for (size_t k = length; k-- > 1;) {
        if (!strchr("/._", code[k])) continue;
        size_t v = variable_named(m, code, k, room);
        if (v == RSP_NONE || m->study->variables[v].first_part == RSP_NONE) continue;
        size_t from = k + 1;
        while (from < length && code[k] == '_' && code[from] == '_') from++;
        size_t part_length = length - from;
        rsp_target_column c = part_of(m, v, code + from, part_length, tool, room);
        /* REDCap: the code -1 is an underscore more. */
        if (!matched(&c) && from > k + 3 && code[k] == '_') {
            rsp_buf negative = {0};
            rsp_buf_printf(&negative, "-%.*s", (int) part_length, code + from);
            c = part_of(m, v, negative.data, negative.length, tool, room);
            rsp_buf_free(&negative);
        }
        /* R turns both brackets into points. */
        if (!matched(&c) && part_length > 1 && code[length - 1] == '.')
            c = part_of(m, v, code + from, part_length - 1, tool, room);
        if (matched(&c)) return c;
    }
    return nothing;
}

enum { LONGEST_CODE = 512 }; /* no name is longer, and trying every cut of a heading takes the square of its length */

/* A heading that is a code and nothing else. */
static rsp_target_column by_code(const rsp_matcher *m, const char *code, size_t length, const rsp_tool *tool,
                                 rsp_buf *room) {
    rsp_cell_trim(&code, &length);
    if (!length || length > LONGEST_CODE) return nothing;
    size_t v = variable_named(m, code, length, room);
    if (v != RSP_NONE) return whole_variable(m, v);
    if (code[length - 1] == ']') {
        const char *open = memrchr(code, '[', length);
        v = open ? variable_named(m, code, (size_t) (open - code), room) : RSP_NONE;
        if (v != RSP_NONE) return part_of(m, v, open + 1, (size_t) (code + length - open) - 2, tool, room);
    }
    rsp_target_column c = split_at_separator(m, code, length, tool, room);
    if (matched(&c) || !ends_with(code, length, "_TEXT")) return c;
    c.free_text = true; /* Qualtrics: the words beside a choice */
    return c;
}

/* Without the names of groups in front: group/name, group/name/option, in ODK Central group-name. */
static rsp_target_column by_path(const rsp_matcher *m, const char *code, size_t length, const rsp_tool *tool,
                                 rsp_buf *room) {
    rsp_target_column c = by_code(m, code, length, tool, room);
    for (size_t k = 0; tool->paths && !matched(&c) && k < length && length <= LONGEST_CODE; k++)
        if (code[k] == '/' || code[k] == '-') c = by_code(m, code + k + 1, length - k - 1, tool, room);
    return c;
}

static size_t variable_labelled(const rsp_matcher *m, const char *text, size_t length, rsp_buf *room) {
    bool ambiguous = false;
    rsp_cell_trim(&text, &length);
    rsp_fold(text, length, room);
    size_t v = room->length ? rsp_matcher_word(m->labels, room->data, room->length, &ambiguous) : RSP_NONE;
    return ambiguous ? RSP_NONE : v;
}

enum { MOST_JOINTS = 24, LONGEST_LABEL = 4096 };

/* `Question/Option` (Kobo), `Question: Row` (EUSurvey), `Question - Row` (Qualtrics). */
static rsp_target_column by_joint(const rsp_matcher *m, const char *text, size_t length, const rsp_tool *tool,
                                  rsp_buf *room) {
    static const char *const joints[] = {"/", ": ", " - ", "-"};
    int tried = 0;
    if (length > LONGEST_LABEL) return nothing;
    for (size_t k = 0; k < sizeof joints / sizeof *joints; k++) {
        size_t n = strlen(joints[k]);
        for (const char *at = text;
             (at = memmem(at, (size_t) (text + length - at), joints[k], n)) && tried < MOST_JOINTS; at += n) {
            tried++;
            const char *rest = at + n;
            size_t left = (size_t) (text + length - rest);
            size_t v = variable_labelled(m, text, (size_t) (at - text), room);
            rsp_target_column c = v == RSP_NONE ? nothing : part_of(m, v, rest, left, tool, room);
            if (matched(&c)) return c;
            v = variable_labelled(m, rest, left, room); /* row of a matrix */
            if (v != RSP_NONE) return whole_variable(m, v);
        }
    }
    return nothing;
}

/* A heading that is a question's text, perhaps with an option's or a row's in brackets behind it. */
static rsp_target_column by_label(const rsp_matcher *m, const char *text, size_t length, const rsp_tool *tool,
                                  rsp_buf *room) {
    rsp_cell_trim(&text, &length);
    size_t v = variable_labelled(m, text, length, room);
    if (v != RSP_NONE) return whole_variable(m, v);
    const char *open = length && text[length - 1] == ']' ? memrchr(text, '[', length) : NULL;
    if (!open) return by_joint(m, text, length, tool, room);
    const char *inside = open + 1;
    size_t n = (size_t) (text + length - 1 - inside);
    v = variable_labelled(m, text, (size_t) (open - text), room);
    if (v != RSP_NONE) {
        rsp_target_column c = part_of(m, v, inside, n, tool, room);
        if (matched(&c)) return c;
    }
    v = variable_labelled(m, inside, n, room); /* row of an array */
    return v == RSP_NONE ? nothing : whole_variable(m, v);
}

/* Length of the code before a joining string (`Q4[SQ001]. Text`); 0 if the heading has no such form. A blank alone
 * joins nothing: "Country of birth" is not the variable `country`. */
static size_t code_length(const char *h) {
    size_t n = 0;
    if (!isalpha((unsigned char) h[0])) return 0;
    while (isalnum((unsigned char) h[n]) || h[n] == '_') n++;
    while (h[n] == '[') {
        const char *close = strchr(h + n, ']');
        if (!close) break;
        n = (size_t) (close - h) + 1;
    }
    while (n && h[n] && h[n - 1] == '_') n--; /* `_._` joins too */
    size_t join = strspn(h + n, " ._:;|-");
    bool only_blanks = strspn(h + n, " ") == join;
    return h[n] && join && !only_blanks ? n : 0;
}

static rsp_target_column by_own_column(const rsp_matcher *m, const char *text, size_t length, const rsp_tool *tool,
                                       const rsp_own **own, rsp_buf *room) {
    rsp_fold(text, length, room);
    *own = rsp_own_find(tool->own, tool->n_own, room->data);
    return *own ? by_code(m, (*own)->code, strlen((*own)->code), tool, room) : nothing;
}

static rsp_target_column renamed(const rsp_matcher *m, const rsp_source *source, const char *text, size_t length,
                                 const rsp_tool *tool, bool *applies, rsp_buf *room) {
    for (size_t k = 0; k < source->n_rename; k++) {
        const rsp_pair *p = &source->rename[k];
        if (strlen(p->name) != length || memcmp(p->name, text, length) != 0) continue;
        *applies = true;
        return by_code(m, p->value, strlen(p->value), tool, room);
    }
    return nothing;
}

/* By codes: rename, the heading itself, the tool's own columns, the code in front of a text. */
static rsp_target_column strong_match(const rsp_matcher *m, const char *heading, const rsp_tool *tool,
                                      const rsp_source *source, const rsp_own **own, rsp_buf *room) {
    size_t length = strlen(heading), code = code_length(heading);
    bool applies = false;
    *own = NULL;
    rsp_target_column c = renamed(m, source, heading, length, tool, &applies, room);
    if (!applies && code) c = renamed(m, source, heading, code, tool, &applies, room);
    if (applies) return c;
    c = by_path(m, heading, length, tool, room);
    if (matched(&c)) return c;
    c = by_own_column(m, heading, length, tool, own, room);
    if (matched(&c) || *own || !code) return c;
    c = by_code(m, heading, code, tool, room);
    return matched(&c) ? c : by_own_column(m, heading, code, tool, own, room);
}

/* By texts: the heading's, or what the file says beside it. */
static rsp_target_column weak_match(const rsp_matcher *m, const char *heading, const char *label, const rsp_tool *tool,
                                    rsp_buf *room) {
    rsp_target_column c = by_label(m, heading, strlen(heading), tool, room);
    if (!matched(&c) && label && *label) c = by_label(m, label, strlen(label), tool, room);
    size_t code = code_length(heading);
    if (matched(&c) || !code) return c;
    const char *text = heading + code + strspn(heading + code, " ._:;|-");
    return by_label(m, text, strlen(text), tool, room);
}

/* ---- headings: those of several columns ------------------------------------------------------------------------- */

/* Variables of one label, as label exports have them ("Other (specify)" beside every question), and the columns under that
 * heading: as many of each stand in the same order. */
static size_t variable_in_order(const rsp_matcher *m, const rsp_table_data *t, size_t column, rsp_buf *room) {
    size_t n_columns = 0, n = 0, found = RSP_NONE;
    rsp_buf label = {0};
    for (size_t j = 0; j < t->n_columns; j++) n_columns += strcmp(t->headings[j], t->headings[column]) == 0;
    rsp_fold(t->headings[column], strlen(t->headings[column]), &label);
    for (size_t v = 0; v < m->study->n_variables; v++) {
        const rsp_variable *x = &m->study->variables[v];
        bool same = false;
        for (size_t w = 0; rsp_is_question(x) && w < x->label.n && !same; w++) {
            rsp_fold(x->label.wording[w].text, strlen(x->label.wording[w].text), room);
            same = strcmp(room->data, label.data) == 0;
        }
        if (same && ++n == t->occurrence[column]) found = v;
    }
    rsp_buf_free(&label);
    return n == n_columns ? found : RSP_NONE;
}

/* A column under a heading that others have, too: by `heading#2` as `export_name` or under `rename`, or by order. */
static rsp_target_column one_of_several(const rsp_matcher *m, const rsp_table_data *t, size_t column,
                                        const rsp_tool *tool, const rsp_source *source, bool *in_order, rsp_buf *room) {
    rsp_buf name = {0};
    bool applies = false, ambiguous = false;
    rsp_target_column c = nothing;
    rsp_buf_printf(&name, "%s#%zu", t->headings[column], t->occurrence[column]);
    size_t v = t->occurrence[column] > 1 ? rsp_matcher_word(m->names, name.data, name.length, &ambiguous) : RSP_NONE;
    if (t->occurrence[column] > 1) c = renamed(m, source, name.data, name.length, tool, &applies, room);
    if (!applies && v != RSP_NONE && !ambiguous) c = whole_variable(m, v);
    rsp_buf_free(&name);
    rsp_fold(t->headings[column], strlen(t->headings[column]), room);
    if (matched(&c) || applies || (rsp_matcher_word(m->labels, room->data, room->length, &ambiguous), !ambiguous))
        return c;
    v = variable_in_order(m, t, column, room);
    *in_order = v != RSP_NONE;
    return *in_order ? whole_variable(m, v) : nothing;
}

/* ---- headings: all ---------------------------------------------------------------------------------------------- */

struct names { /* for a report */
    size_t n;
    rsp_buf text;
};

enum { NAMES_SHOWN = 8, LONGEST_NAME = 48 };

static void name_add(struct names *l, const char *name) {
    if (l->n++ >= NAMES_SHOWN) return;
    if (l->n > 1) rsp_buf_puts(&l->text, ", ");
    rsp_quote(&l->text, name, LONGEST_NAME);
}

static const char *names_text(struct names *l) {
    if (l->n > NAMES_SHOWN) rsp_buf_printf(&l->text, " and %zu more", l->n - NAMES_SHOWN);
    return l->text.data ? l->text.data : "";
}

static bool same_target(const rsp_target_column *a, const rsp_target_column *b) {
    return a->take != RSP_TAKE_NOTHING && a->take == b->take && a->variable == b->variable && a->part == b->part;
}

static const char *target_name(const rsp_matcher *m, const rsp_target_column *c, char text[200]) {
    const rsp_variable *v = &m->study->variables[c->variable];
    if (c->take == RSP_TAKE_TICK || c->take == RSP_TAKE_OTHER || c->take == RSP_TAKE_PLACE)
        snprintf(text, 200, "%s[%s]", v->name, v->list->choices[c->part].code);
    else if (c->take == RSP_TAKE_RANKED) snprintf(text, 200, "%s[%zu]", v->name, c->part + 1);
    else snprintf(text, 200, "%s", v->name);
    return text;
}

/* Two columns for one thing: by label against by code is settled, else the first one counts and both are named. */
static void settle_duplicate(const rsp_matcher *m, const rsp_table_data *t, rsp_target_column *columns, size_t first,
                             size_t second, const bool *weak, rsp_diag *d) {
    char text[200];
    if (weak[second] && !weak[first]) {
        columns[second] = settled;
        return;
    }
    rsp_report(d, RSP_WARNING, (rsp_loc){t->path, (int) t->heading_line, 0},
               "say under `rename` which one is meant, or take one out",
               "columns %zu and %zu both hold '%s'; the first is read", first + 1, second + 1,
               target_name(m, &columns[first], text));
    columns[second] = settled;
}

static void settle_duplicates(const rsp_matcher *m, const rsp_table_data *t, rsp_target_column *columns,
                              const bool *weak, rsp_diag *d) {
    rsp_map *seen = rsp_map_new();
    for (int pass = 0; pass < 2; pass++) { /* codes before labels */
        for (size_t j = 0; j < t->n_columns; j++) {
            if (columns[j].take == RSP_TAKE_NOTHING || weak[j] != (pass == 1)) continue;
            size_t key[3] = {columns[j].take, columns[j].variable, columns[j].part};
            if (rsp_map_put_n(seen, (const char *) key, sizeof key, j)) continue;
            size_t first = rsp_map_get_n(seen, (const char *) key, sizeof key);
            assert(same_target(&columns[first], &columns[j]));
            settle_duplicate(m, t, columns, first, j, weak, d);
        }
    }
    rsp_map_free(seen);
}

/* Where there is a column for each choice, the joined cell (Kobo's "both") says nothing more. */
static void drop_joined_cells(const rsp_matcher *m, size_t n, rsp_target_column *columns) {
    bool *split = rsp_calloc(m->study->n_variables, sizeof *split);
    for (size_t j = 0; j < n; j++) {
        rsp_take take = columns[j].take;
        if (take == RSP_TAKE_TICK || take == RSP_TAKE_PLACE || take == RSP_TAKE_RANKED)
            split[columns[j].variable] = true;
    }
    for (size_t j = 0; j < n; j++) {
        rsp_take take = columns[j].take;
        if ((take == RSP_TAKE_LIST || take == RSP_TAKE_ORDER) && split[columns[j].variable]) columns[j] = settled;
    }
    free(split);
}

/* A constant of the source stands instead of a column. */
static void drop_set_columns(const rsp_matcher *m, const rsp_source *source, size_t n, rsp_target_column *columns) {
    for (size_t k = 0; k < source->n_set; k++) {
        size_t v = rsp_study_variable(m->study, source->set[k].name);
        for (size_t j = 0; j < n; j++)
            if (columns[j].take != RSP_TAKE_NOTHING && columns[j].variable == v) columns[j] = settled;
    }
}

static bool is_set(const rsp_source *source, const char *name) {
    for (size_t k = 0; k < source->n_set; k++)
        if (strcmp(source->set[k].name, name) == 0) return true;
    return false;
}

static void report_without_column(const rsp_matcher *m, const rsp_table_data *t, const rsp_source *source,
                                  const rsp_target_column *columns, rsp_diag *d) {
    struct names missing = {0};
    bool *has = rsp_calloc(m->study->n_variables, sizeof *has);
    for (size_t j = 0; j < t->n_columns; j++)
        if (columns[j].variable != RSP_NONE) has[columns[j].variable] = true;
    for (size_t v = 0; v < m->study->n_variables; v++) {
        const rsp_variable *x = &m->study->variables[v];
        if (rsp_is_question(x) && !has[v] && !is_set(source, x->name)) name_add(&missing, x->name);
    }
    if (missing.n)
        rsp_report(d, RSP_NOTE, (rsp_loc){t->path, (int) t->heading_line, 0},
                   "if a column has another name, add it as `export_name` or under `rename`",
                   "%zu variable%s no column here: %s", missing.n, missing.n == 1 ? " has" : "s have",
                   names_text(&missing));
    rsp_buf_free(&missing.text);
    free(has);
}

static void report_columns(const rsp_table_data *t, const rsp_target_column *columns, rsp_diag *d) {
    struct names unknown = {0}, personal = {0}, asked = {0};
    for (size_t j = 0; j < t->n_columns; j++) {
        if (columns[j].take != RSP_TAKE_NOTHING) continue;
        if (columns[j].personal) name_add(columns[j].variable == RSP_NONE ? &personal : &asked, t->headings[j]);
        else if (!columns[j].free_text && !columns[j].settled && !columns[j].submitted)
            name_add(&unknown, t->headings[j]);
    }
    rsp_loc loc = {t->path, (int) t->heading_line, 0};
    if (personal.n)
        rsp_report(d, RSP_NOTE, loc, NULL, "%zu column%s with personal data not read: %s", personal.n,
                   personal.n == 1 ? "" : "s", names_text(&personal));
    if (asked.n)
        rsp_report(d, RSP_WARNING, loc, "if the study needs them, name the variables under `privacy: keep`",
                   "%zu column%s of the study with personal data not read: %s", asked.n, asked.n == 1 ? "" : "s",
                   names_text(&asked));
    if (unknown.n)
        rsp_report(d, RSP_NOTE, loc, NULL, "%zu column%s not read, since the instrument does not know %s: %s",
                   unknown.n, unknown.n == 1 ? "" : "s", unknown.n == 1 ? "it" : "them", names_text(&unknown));
    rsp_buf_free(&personal.text);
    rsp_buf_free(&asked.text);
    rsp_buf_free(&unknown.text);
}

static bool is_role(const rsp_roles *r, size_t v) {
    return v == r->id || v == r->country || v == r->language || v == r->organisation || v == r->started ||
           v == r->submitted || v == r->duration;
}

/* Timings, which LimeSurvey fills by itself: interviewtime, groupTime12, Q1Time. */
static bool is_timing(const char *heading) {
    size_t n = strlen(heading);
    while (n && isdigit((unsigned char) heading[n - 1])) n--;
    return n >= 4 && strncasecmp(heading + n - 4, "time", 4) == 0;
}

/* Answers of respondents, as against what a tool writes of itself: only those show how far somebody came. A column that
 * the instrument does not know counts where the tool's own columns can be told. */
static bool is_question_column(const rsp_matcher *m, const rsp_target_column *c, const char *heading,
                               const rsp_own *own, const rsp_tool *tool) {
    if (c->variable != RSP_NONE) return !is_role(&m->study->roles, c->variable);
    if (c->free_text) return true;
    return tool->tells_missing && *heading && !own && !c->personal && !is_timing(heading);
}

/* Columns that identify persons are read only where the study says so under `privacy`, or as the id, which leaves as a
 * pseudonym. */
static void leave_out_personal(const rsp_matcher *m, const char *heading, const rsp_own *own, rsp_target_column *c,
                               rsp_buf *room) {
    bool text = c->take == RSP_TAKE_TEXT || c->take == RSP_TAKE_NUMBER;
    if (matched(c) && (!text || c->variable == m->study->roles.id || rsp_study_keeps(m->study, c->variable))) return;
    if (!(own && own->kind == RSP_OWN_PERSONAL) && !rsp_is_personal_heading(heading, room)) return;
    if (c->take != RSP_TAKE_NOTHING) c->take = RSP_TAKE_NOTHING;
    c->free_text = false;
    c->personal = true;
}

static bool is_wording(const rsp_choice *c, const char *label, rsp_buf *room) {
    for (size_t w = 0; w < c->label.n; w++)
        if (rsp_match_alike(label, strlen(label), c->label.wording[w].text, 0, room)) return true;
    return false;
}

/* The file's own labels against the study's: code 1 must not be "Agree" there and "Disagree" here. */
static void compare_labels(const rsp_matcher *m, const rsp_table_data *t, size_t j, const rsp_target_column *c,
                           rsp_buf *room, rsp_diag *d) {
    const rsp_list *l = m->study->variables[c->variable].list;
    const struct rsp_list_names *names = rsp_matcher_list(m, l);
    for (size_t k = 0; k < t->info[j].n_values; k++) {
        const rsp_value_label *v = &t->info[j].values[k];
        size_t by_code = rsp_map_get(names->codes, v->code);
        int by_label = *v->label ? rsp_match_value(m, l, v->label, strlen(v->label), room) : RSP_VALUE_NONE;
        if (by_code == RSP_NONE || by_label < 0 || (size_t) by_label == by_code) continue;
        if (is_wording(&l->choices[by_code], v->label, room)) continue; /* two codes of one label */
        rsp_report(d, RSP_ERR_DATA, (rsp_loc){t->path, 0, 0},
                   "set right the codes in choices.csv, or give the list codes of its own and leave the labels",
                   "'%s': code %s is '%s' in the file, which choices.csv gives to code %s", t->headings[j], v->code,
                   v->label, l->choices[by_label].code);
    }
}

static void compare_all_labels(const rsp_matcher *m, const rsp_table_data *t, const rsp_target_column *columns,
                               rsp_diag *d) {
    rsp_buf room = {0};
    for (size_t j = 0; t->info && j < t->n_columns; j++)
        if (columns[j].take == RSP_TAKE_CODE) compare_labels(m, t, j, &columns[j], &room, d);
    rsp_buf_free(&room);
}

/* One of the first records that holds names of variables, where title and date stand above the headings; NONE. */
static size_t headings_below(const rsp_matcher *m, const rsp_table_data *t) {
    rsp_room room = {0};
    rsp_buf folded = {0};
    rsp_cell *cells = rsp_calloc(t->n_columns, sizeof *cells);
    size_t found = RSP_NONE;
    for (size_t k = 0; k < t->n_records && k < RSP_TOP && found == RSP_NONE; k++) {
        size_t names = 0;
        t->read(t, k, k + 1, &room, cells);
        for (size_t j = 0; j < t->n_columns; j++)
            names += cells[j].length && variable_named(m, cells[j].text, cells[j].length, &folded) != RSP_NONE;
        if (names >= 2 || (names && t->n_columns == 1)) found = k;
    }
    rsp_room_free(&room);
    rsp_buf_free(&folded);
    free(cells);
    return found;
}

static void report_no_variable(const rsp_matcher *m, const rsp_table_data *t, rsp_diag *d) {
    const char *remedy =
        "is this an export of this questionnaire? check `format`, `delimiter` and `encoding` of the source";
    size_t below = headings_below(m, t);
    char text[128], further[256];
    rsp_lines lines = {0};
    if (below != RSP_NONE) {
        rsp_lines_add(&lines, t->line[below]);
        snprintf(further, sizeof further, "the headings seem to stand in %s: take out what stands above them",
                 rsp_rows_text(t, &lines, text));
    }
    rsp_report(d, RSP_ERR_DATA, (rsp_loc){t->path, (int) t->heading_line, 0}, below != RSP_NONE ? further : remedy,
               "none of the %zu columns is a variable of the study", t->n_columns);
}

rsp_target_column *rsp_match_headings(const rsp_matcher *m, const rsp_table_data *t, const rsp_tool *tool,
                                      const rsp_source *source, rsp_arena *a, rsp_diag *d) {
    rsp_target_column *columns = RSP_ARRAY(a, rsp_target_column, t->n_columns);
    bool *weak = rsp_calloc(t->n_columns, sizeof *weak);
    rsp_buf room = {0};
    struct names in_order = {0};
    size_t submitted = m->study->roles.submitted, n_matched = 0;
    for (size_t j = 0; j < t->n_columns; j++) {
        const rsp_own *own;
        rsp_target_column *c = &columns[j];
        own = NULL;
        if (t->occurrence && t->occurrence[j]) {
            bool by_order = false;
            *c = one_of_several(m, t, j, tool, source, &by_order, &room);
            if (by_order) name_add(&in_order, t->headings[j]);
        }
        if (!matched(c)) *c = strong_match(m, t->headings[j], tool, source, &own, &room);
        if (!matched(c) && !own) {
            *c = weak_match(m, t->headings[j], t->info ? t->info[j].label : NULL, tool, &room);
            weak[j] = true;
        }
        n_matched += matched(c);
        c->submitted = (own && own->kind == RSP_OWN_SUBMITTED) ||
                       (matched(c) && submitted != RSP_NONE && c->variable == submitted);
        c->finished = own && own->kind == RSP_OWN_FINISHED;
        leave_out_personal(m, t->headings[j], own, c, &room);
        c->question = is_question_column(m, c, t->headings[j], own, tool);
    }
    rsp_buf_free(&room);
    if (in_order.n)
        rsp_report(d, RSP_WARNING, (rsp_loc){t->path, (int) t->heading_line, 0},
                   "export the answers with the questions' names, or name the columns under `rename` as 'heading#2'",
                   "%zu column%s under headings that stand more than once %s taken in the order of the questions: %s",
                   in_order.n, in_order.n == 1 ? "" : "s", in_order.n == 1 ? "was" : "were", names_text(&in_order));
    rsp_buf_free(&in_order.text);
    settle_duplicates(m, t, columns, weak, d);
    free(weak);
    drop_joined_cells(m, t->n_columns, columns);
    drop_set_columns(m, source, t->n_columns, columns);
    compare_all_labels(m, t, columns, d);
    if (!n_matched) report_no_variable(m, t, d);
    report_columns(t, columns, d);
    report_without_column(m, t, source, columns, d);
    return columns;
}
