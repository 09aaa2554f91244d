/* `responsive new`: the draft as survey.csv, choices.csv and study.yaml. */
#include "form.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum {
    ITEMS_AT_ONCE = 10,
    MOST_ALONE = 60,
    MOST_SEGMENTS = 7 /* of a bar */,
    MANY_A_SEGMENT = 10,
    MOST_CATEGORIES = 40 /* that fit on a page */
};

/* ---- the instrument --------------------------------------------------------------------------------------------- */

static const char *type_text(const rsp_draft *x, const rsp_draft_item *i) {
    const char *list = i->list != RSP_NONE ? x->lists[i->list].name : "";
    switch (i->type) {
    case RSP_DRAFT_ONE: return rsp_printf(x->arena, "select_one %s", list);
    case RSP_DRAFT_MULTIPLE: return rsp_printf(x->arena, "select_multiple %s", list);
    case RSP_DRAFT_RANK: return rsp_printf(x->arena, "rank %s", list);
    case RSP_DRAFT_INTEGER: return "integer";
    case RSP_DRAFT_DECIMAL: return "decimal";
    case RSP_DRAFT_DATE: return "datetime";
    case RSP_DRAFT_TEXT: break;
    }
    return "text";
}

/* The text in language l: the one text there is belongs to the first language. */
static const char *in_language(const char *const *texts, const char *text, size_t l) {
    const char *own = texts ? texts[l] : NULL;
    return own ? own : l == 0 && text ? text : "";
}

static void put_headings(const rsp_draft *x, rsp_buf *b, const char *word) {
    for (size_t l = 0; l < x->n_languages; l++) rsp_buf_printf(b, ",%s::%s", word, x->languages[l]);
}

static void put_texts(const rsp_draft *x, rsp_buf *b, const char *const *texts, const char *text) {
    for (size_t l = 0; l < x->n_languages; l++) {
        rsp_buf_putc(b, ',');
        rsp_buf_csv(b, in_language(texts, text, l), false);
    }
}

static void put_cells(rsp_buf *b, const char *const *cells, size_t n) {
    for (size_t k = 0; k < n; k++) {
        rsp_buf_putc(b, ',');
        rsp_buf_csv(b, cells[k] ? cells[k] : "", false);
    }
    rsp_buf_putc(b, '\n');
}

static bool write_survey(const rsp_draft *x, const char *dir, rsp_diag *d) {
    rsp_buf b = {0};
    rsp_buf_puts(&b, "type,name");
    put_headings(x, &b, "label");
    put_headings(x, &b, "hint");
    rsp_buf_puts(&b, ",relevant,export_name,measure\n");
    for (size_t k = 0; k < x->n_items; k++) {
        const rsp_draft_item *i = &x->items[k];
        bool ordinal = i->type == RSP_DRAFT_ONE && x->lists[i->list].ordinal;
        /* A bar parts alternatives there: such headings are matched by their text. */
        const char *heading = strchr(i->export_name, '|') || strcmp(i->export_name, i->name) == 0 ? "" : i->export_name;
        const char *cells[] = {i->relevant, heading, ordinal ? "ordinal" : ""};
        rsp_buf_printf(&b, "%s,%s", type_text(x, i), i->name);
        put_texts(x, &b, i->labels, i->label);
        put_texts(x, &b, i->hints, i->hint);
        put_cells(&b, cells, sizeof cells / sizeof *cells);
    }
    bool good = rsp_write_file(rsp_path_join(x->arena, dir, "survey.csv"), b.data, b.length, d);
    rsp_buf_free(&b);
    return good;
}

static bool write_choices(const rsp_draft *x, const char *dir, rsp_diag *d) {
    rsp_buf b = {0};
    rsp_buf_puts(&b, "list_name,name");
    put_headings(x, &b, "label");
    rsp_buf_puts(&b, ",value,missing\n");
    for (size_t l = 0; l < x->n_lists; l++)
        for (size_t k = 0; k < x->lists[l].n; k++) {
            const rsp_draft_value *v = &x->lists[l].values[k];
            bool numbered = x->lists[l].numbered && !v->missing;
            const char *cells[] = {numbered ? rsp_printf(x->arena, "%.0f", v->value) : "", v->missing ? "yes" : ""};
            rsp_buf_printf(&b, "%s,", x->lists[l].name);
            rsp_buf_csv(&b, v->code, false);
            put_texts(x, &b, v->labels, v->label);
            put_cells(&b, cells, sizeof cells / sizeof *cells);
        }
    bool good = rsp_write_file(rsp_path_join(x->arena, dir, "choices.csv"), b.data, b.length, d);
    rsp_buf_free(&b);
    return good;
}

/* ---- study.yaml ------------------------------------------------------------------------------------------------- */

/* A double-quoted scalar. */
static const char *quoted(const rsp_draft *x, const char *text) {
    rsp_buf b = {0};
    rsp_buf_putc(&b, '"');
    for (const char *c = text; *c; c++) {
        if (*c == '"' || *c == '\\') rsp_buf_putc(&b, '\\');
        rsp_buf_putc(&b, (unsigned char) *c < ' ' ? ' ' : *c);
    }
    rsp_buf_putc(&b, '"');
    const char *kept = rsp_strdup(x->arena, b.data);
    rsp_buf_free(&b);
    return kept;
}

/* The file as seen from the study's folder; in a pattern its signs stand for themselves. */
static const char *seen_from(const rsp_draft *x, const char *dir, const char *path, bool pattern) {
    char *from = realpath(dir, NULL), *to = realpath(path, NULL);
    rsp_buf b = {0};
    if (from && to) {
        size_t same = 0;
        for (size_t k = 0; from[k] && from[k] == to[k]; k++)
            if (from[k] == '/') same = k + 1;
        size_t whole = strlen(from), above = strlen(to);
        bool inside = above > 1 && strncmp(to, from, above) == 0 && from[above] == '/'; /* the study lies in it */
        if (inside) same = above;
        if (strncmp(from, to, whole) == 0 && to[whole] == '/') same = whole + 1;
        for (const char *c = from + (same < whole ? same : whole) + inside; *c;) {
            rsp_buf_puts(&b, "../");
            c += strcspn(c, "/");
            if (*c) c++;
        }
        if (inside) b.data[--b.length] = '\0';
        for (const char *c = to + same; *c; c++) {
            if (pattern && strchr("*?[]\\", *c)) rsp_buf_putc(&b, '\\');
            rsp_buf_putc(&b, *c);
        }
    }
    free(from);
    free(to);
    const char *kept = rsp_strdup(x->arena, b.data ? b.data : path);
    rsp_buf_free(&b);
    return kept;
}

/* What the file leaves open and a source must say: written, and reported as something to look at. */
static void put_source(const rsp_draft *x, const rsp_draft_file *f, const char *dir, rsp_buf *b, rsp_diag *d) {
    bool points = false, commas = false, local = false, day = f->day_first, month = f->month_first;
    for (size_t j = 0; j < x->n_columns; j++) {
        const rsp_draft_column *c = &x->columns[j];
        points = points || (c->kind == RSP_KIND_DECIMAL && c->profile.points);
        commas = commas || (c->kind == RSP_KIND_DECIMAL && c->profile.commas);
        local = local || (c->kind == RSP_KIND_DATE && c->profile.local);
    }
    rsp_buf_printf(b, "  - files: %s\n    format: %s\n", quoted(x, seen_from(x, dir, f->path, true)), f->tool->name);
    if (points && commas && !f->tool->decimal_point) {
        rsp_buf_puts(b, "    decimal: \".\"          # numbers with a point and with a comma occur: is it this one?\n");
        rsp_report(d, RSP_WARNING, (rsp_loc){f->path, 0, 0}, "see `decimal` in study.yaml",
                   "numbers with a point and with a comma occur; the draft takes the point");
    }
    if (local && day == month && !f->tool->month_first) {
        rsp_buf_puts(b,
                     "    dates: dmy            # no day above 12 tells day/month from month/day: is it this one?\n");
        rsp_report(d, RSP_WARNING, (rsp_loc){f->path, 0, 0}, "see `dates` in study.yaml",
                   "no date tells the order of day and month; the draft takes the day first");
    }
}

/* Folders of the exports that are not the study's. */
static void put_paths(const rsp_draft *x, const char *dir, rsp_buf *b) {
    rsp_map *seen = rsp_map_new();
    for (size_t k = 0; k < x->n_files; k++) {
        const char *slash = strrchr(x->files[k].path, '/');
        const char *folder = slash ? rsp_strndup(x->arena, x->files[k].path, (size_t) (slash - x->files[k].path)) : ".";
        folder = seen_from(x, dir, *folder ? folder : "/", false);
        if ((folder[0] != '/' && strncmp(folder, "..", 2) != 0) || !rsp_map_put(seen, folder, k)) continue;
        rsp_buf_printf(b, "%s%s", rsp_map_count(seen) == 1 ? "\npaths:\n  allow: [" : ", ", quoted(x, folder));
    }
    if (rsp_map_count(seen)) rsp_buf_puts(b, "]   # exports outside this folder\n");
    rsp_map_free(seen);
}

static void put_roles(const rsp_draft *x, rsp_buf *b) {
    bool any = false;
    for (size_t k = 0; k < x->n_items; k++) {
        if (!x->items[k].role) continue;
        if (!any) rsp_buf_puts(b, "roles:\n");
        any = true;
        rsp_buf_printf(b, "  %s: %s\n", x->items[k].role, x->items[k].name);
    }
    if (any) rsp_buf_putc(b, '\n');
}

static bool has_country(const rsp_draft *x) {
    for (size_t k = 0; k < x->n_items; k++)
        if (x->items[k].role && strcmp(x->items[k].role, "country") == 0) return true;
    return false;
}

/* Groups to compare: the countries, where there are several. */
static const char *countries_of(const rsp_draft *x) {
    for (size_t k = 0; k < x->n_items; k++)
        if (x->items[k].role && strcmp(x->items[k].role, "country") == 0) return x->items[k].name;
    return NULL;
}

struct tables {
    const rsp_draft *x;
    rsp_buf *b;
    rsp_map *ids;
    bool *done;
    rsp_buf brief; /* ids of the tables that a brief is made of */
    size_t n_brief, n_others;
};

/* What a table is called, by language. */
struct title {
    const char *const *texts;
    const char *text; /* NULL: it has none */
};

/* {en: "...", pl: "..."}, of the languages that have one. */
static void put_title(const rsp_draft *x, rsp_buf *b, const struct title *title) {
    bool any = false;
    for (size_t l = 0; l < x->n_languages; l++) {
        const char *text = in_language(title->texts, title->text, l);
        if (!*text) continue;
        rsp_buf_printf(b, "%s%s: %s", any ? ", " : "{", x->languages[l], quoted(x, text));
        any = true;
    }
    rsp_buf_puts(b, any ? "}\n" : "{}\n");
}

/* What is shown of some items. */
struct table {
    const char *id;
    struct title title;
    const char *statistic; /* NULL: shares */
    bool aside;            /* for workbooks alone */
    bool partly;           /* not asked in all files: countries without the question have no figure to compare */
};

static void open_table(struct tables *t, const struct table *what) {
    rsp_buf name = {0};
    const char *countries = countries_of(t->x);
    for (size_t k = 1; k < 100000; k++) {
        name.length = 0;
        rsp_buf_puts(&name, what->id);
        if (k > 1) rsp_buf_printf(&name, "_%zu", k);
        if (rsp_map_put(t->ids, name.data, 0)) break;
    }
    rsp_buf_printf(t->b, "  - id: %s\n", name.data);
    if (what->title.text && *what->title.text) {
        rsp_buf_puts(t->b, "    title: ");
        put_title(t->x, t->b, &what->title);
    }
    if (what->statistic) rsp_buf_printf(t->b, "    statistic: %s\n", what->statistic);
    if (countries && !what->partly) rsp_buf_printf(t->b, "    by: [[], [%s]]\n", countries);
    rsp_buf_puts(t->b, "    items: [");
    if (what->aside) t->n_others++;
    else rsp_buf_printf(&t->brief, "%s%s", t->n_brief++ ? ", " : "", name.data);
    rsp_buf_free(&name);
}

/* In as few tables as hold them, of about the same length. */
static void put_items(struct tables *t, const struct table *what, const size_t *items, size_t n) {
    size_t tables = (n + ITEMS_AT_ONCE - 1) / ITEMS_AT_ONCE;
    for (size_t k = 0, from = 0; k < tables; k++) {
        size_t to = n * (k + 1) / tables;
        open_table(t, what);
        for (size_t first = from; from < to; from++) {
            rsp_buf_printf(t->b, "%s%s", from > first ? ", " : "", t->x->items[items[from]].name);
            t->done[items[from]] = true;
        }
        rsp_buf_puts(t->b, "]\n");
    }
}

static size_t valid_answers(const rsp_draft_list *l) {
    size_t n = 0;
    for (size_t k = 0; k < l->n; k++) n += !l->values[k].missing;
    return n;
}

/* Those of the items of which every share would be shown, in each country too. */
static size_t shown_by_shares(const struct tables *t, const size_t *items, size_t n, size_t *shown) {
    const rsp_draft *x = t->x;
    size_t countries = 0, m = 0;
    for (size_t k = 0; k < x->n_items; k++)
        if (x->items[k].role && strcmp(x->items[k].role, "country") == 0 && x->items[k].list != RSP_NONE)
            countries = x->lists[x->items[k].list].n;
    for (size_t k = 0; k < n; k++)
        if (x->items[items[k]].rarest >= MANY_A_SEGMENT * (1 + countries)) shown[m++] = items[k];
    return m;
}

/* Items on one list. A scale of more numbers than a bar has room for is read by its mean; its shares stand in workbooks
 * where none of them is to be hidden: hidden shares would take the mean with them. */
static void put_answers(struct tables *t, struct table what, const size_t *items, size_t n) {
    const rsp_draft *x = t->x;
    const rsp_draft_item *first = &x->items[items[0]];
    const rsp_draft_list *l = first->type == RSP_DRAFT_ONE ? &x->lists[first->list] : NULL;
    if (l && l->numbered && valid_answers(l) > MOST_SEGMENTS) {
        struct table mean = what;
        mean.statistic = "mean";
        put_items(t, &mean, items, n);
        size_t *shown = RSP_ARRAY(x->arena, size_t, n);
        n = shown_by_shares(t, items, n, shown);
        items = shown;
        what.id = rsp_printf(x->arena, "shares_%s", what.id);
        what.aside = true;
    }
    put_items(t, &what, items, n);
}

static bool wanted(const struct tables *t, size_t k) {
    const rsp_draft_item *i = &t->x->items[k];
    bool long_list = i->type == RSP_DRAFT_ONE && t->x->lists[i->list].n > MOST_CATEGORIES;
    return !t->done[k] && !i->role && !i->free_text && !i->constant && !i->weight && !long_list && i->answered &&
           i->type != RSP_DRAFT_DATE && i->type != RSP_DRAFT_TEXT;
}

static bool same_text(const char *a, const char *b) { return a == b || (a && b && strcmp(a, b) == 0); }

/* Items on the list of item `first`, rows of the same question if `rows`. */
static size_t items_like(const struct tables *t, size_t first, bool rows, size_t *room) {
    const rsp_draft *x = t->x;
    size_t n = 0;
    for (size_t k = first; k < x->n_items; k++) {
        const rsp_draft_item *i = &x->items[k];
        if (wanted(t, k) && i->type == RSP_DRAFT_ONE && i->list == x->items[first].list &&
            i->partly == x->items[first].partly && (!rows || same_text(i->hint, x->items[first].hint)))
            room[n++] = k;
    }
    return n;
}

/* Items that share an ordered list, or another one of some length, stand together, as they stood in the questionnaire: the
 * rows of one question under its words, then what is left of the list. */
static void put_batteries(struct tables *t, size_t *room) {
    const rsp_draft *x = t->x;
    for (int pass = 0; pass < 2; pass++)
        for (size_t k = 0; k < x->n_items; k++) {
            const rsp_draft_item *first = &x->items[k];
            bool rows = pass == 0;
            if (!wanted(t, k) || first->type != RSP_DRAFT_ONE || (rows && !first->hint)) continue;
            const rsp_draft_list *l = &x->lists[first->list];
            size_t n = l->ordinal || l->n >= 3 ? items_like(t, k, rows, room) : 0;
            if (n < (l->ordinal ? 2u : 3u)) continue;
            struct table what = {.id = rsp_printf(x->arena, "items_%s", l->name),
                                 .title = {rows ? first->hints : NULL, rows ? first->hint : NULL},
                                 .partly = first->partly};
            put_answers(t, what, room, n);
        }
}

static size_t items_of(const struct tables *t, rsp_draft_type type, size_t *room) {
    size_t n = 0;
    for (size_t k = 0; k < t->x->n_items; k++)
        if (wanted(t, k) && t->x->items[k].type == type) room[n++] = k;
    return n;
}

/* A row of a question that stands alone: both. */
static struct title title_of(const struct tables *t, const rsp_draft_item *i) {
    const rsp_draft *x = t->x;
    const char **texts = RSP_ARRAY(x->arena, const char *, x->n_languages);
    if (!i->hint) return (struct title){i->labels, i->label};
    for (size_t l = 0; l < x->n_languages; l++) {
        const char *label = in_language(i->labels, i->label, l), *hint = in_language(i->hints, i->hint, l);
        texts[l] = *hint && *label ? rsp_printf(x->arena, "%s %s", hint, label) : *label ? label : NULL;
    }
    return (struct title){texts, i->label};
}

static void put_alone(struct tables *t, size_t k, const char *statistic) {
    const rsp_draft_item *i = &t->x->items[k];
    struct table what = {.id = rsp_printf(t->x->arena, "t_%s", i->name),
                         .title = title_of(t, i),
                         .statistic = statistic,
                         .aside = i->year,
                         .partly = i->partly};
    put_answers(t, what, &k, 1);
}

/* Items that are not done yet, several in a table that nobody reads as a whole; those that were asked everywhere apart. */
static void put_aside(struct tables *t, const char *id, const char *statistic, const size_t *items, size_t n,
                      size_t *room) {
    for (size_t partly = 0; partly < 2; partly++) {
        size_t m = 0;
        for (size_t k = 0; k < n; k++)
            if (t->x->items[items[k]].partly == (partly == 1)) room[m++] = items[k];
        struct table what = {.id = id, .statistic = statistic, .aside = true, .partly = partly == 1};
        if (m) put_items(t, &what, room, m);
    }
}

/* Questions of their own get tables and charts of their own, unless there are so many that nobody would leaf through them;
 * then tables of several for the workbook, as nothing compares what they hold. */
static void put_questions(struct tables *t, size_t *room) {
    size_t n = items_of(t, RSP_DRAFT_ONE, room);
    for (size_t k = 0; k < n && n <= MOST_ALONE; k++) put_alone(t, room[k], NULL);
    if (n > MOST_ALONE) put_aside(t, "answers", NULL, room, n, room + n);
    n = items_of(t, RSP_DRAFT_MULTIPLE, room);
    for (size_t k = 0; k < n; k++) put_alone(t, room[k], NULL);
    n = items_of(t, RSP_DRAFT_RANK, room);
    for (size_t k = 0; k < n; k++) put_alone(t, room[k], "ranking");
}

/* Numbers have each their unit: years and hours do not stand in one chart. */
static void put_numbers(struct tables *t, size_t *room) {
    size_t n = items_of(t, RSP_DRAFT_INTEGER, room);
    n += items_of(t, RSP_DRAFT_DECIMAL, room + n);
    for (size_t skewed = 0; skewed < 2; skewed++) {
        const char *statistic = skewed ? "median" : "mean";
        size_t m = 0, *several = room + n;
        for (size_t k = 0; k < n; k++) {
            const rsp_draft_item *i = &t->x->items[room[k]];
            if ((i->skewed || i->year) != (skewed == 1)) continue;
            if (n <= MOST_ALONE) put_alone(t, room[k], statistic);
            else several[m++] = room[k];
        }
        if (m) put_aside(t, "numbers", statistic, several, m, several + m);
    }
}

static void put_tables(const rsp_draft *x, rsp_buf *b) {
    struct tables t = {.x = x, .b = b, .ids = rsp_map_new(), .done = rsp_calloc(x->n_items + 1, sizeof(bool))};
    size_t *room = rsp_calloc(3 * x->n_items + 1, sizeof *room), before = b->length;
    rsp_buf_puts(b, "tables:\n");
    size_t head = b->length;
    put_batteries(&t, room);
    put_questions(&t, room);
    put_numbers(&t, room);
    if (b->length == head) b->length = before;
    if (t.n_brief && t.n_others)
        rsp_buf_printf(
            b,
            "\nreports:   # the other tables stand in the workbook\n  briefs:\n    - for: all\n      analyses: "
            "[%s]\n  workbooks:\n    - for: all\n",
            t.brief.data);
    rsp_buf_free(&t.brief);
    rsp_map_free(t.ids);
    free(t.done);
    free(room);
}

/* Columns that may be weights: which of them the study needs, only the researcher knows. */
static void put_weights(const rsp_draft *x, rsp_buf *b) {
    bool any = false;
    for (size_t k = 0; k < x->n_items; k++) {
        if (!x->items[k].weight) continue;
        rsp_buf_printf(b, "%s%s", any ? ", " : "#   columns that may be its `weight`: ", x->items[k].name);
        any = true;
    }
    if (any) rsp_buf_putc(b, '\n');
}

static const char *base_name(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

static const char *folder_name(const rsp_draft *x, const char *dir) {
    char *whole = realpath(dir, NULL);
    const char *name = rsp_strdup(x->arena, base_name(whole ? whole : dir));
    free(whole);
    return name;
}

static const char *identifier(const rsp_draft *x, const char *name) {
    rsp_buf b = {0};
    for (const char *c = name; *c; c++) {
        bool good =
            (*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') || (*c >= '0' && *c <= '9') || *c == '-' || *c == '_';
        rsp_buf_putc(&b, good ? *c : '_');
    }
    const char *kept = rsp_strdup(x->arena, b.data ? b.data : "study");
    rsp_buf_free(&b);
    return kept;
}

/* Two answers on every place of a scale are those of two languages: which word is which one's translation only a person
 * can tell. Values are in the order of their places. */
static bool in_two_languages(const rsp_draft_list *l) {
    size_t places = 0, from = 0, answers = 0;
    while (answers < l->n && !l->values[answers].missing) answers++;
    for (size_t k = 1; l->scale && l->ordinal && k <= answers; k++) {
        if (k < answers && l->values[k].place == l->values[from].place) continue;
        if (k - from < 2) return false;
        from = k;
        places++;
    }
    return places >= 3;
}

static void report_languages(const rsp_draft *x, rsp_diag *d) {
    for (size_t k = 0; k < x->n_lists; k++) {
        const rsp_draft_list *l = &x->lists[k];
        if (in_two_languages(l))
            rsp_report(d, RSP_WARNING, (rsp_loc){x->files[0].path, 0, 0},
                       "in choices.csv make one row of each pair: one code, and a column of labels for each language",
                       "the answers of list '%s' seem to be one scale in several languages: '%s' beside '%s'", l->name,
                       l->values[0].label, l->values[1].label);
    }
}

static bool write_yaml(const rsp_draft *x, const char *dir, rsp_diag *d) {
    rsp_buf b = {0};
    const char *name = folder_name(x, dir);
    rsp_buf_printf(
        &b,
        "# A draft made from the exports below. It runs as it is: responsive run %s\n"
        "# Set right what only you can know: titles, labels and languages in survey.csv and choices.csv, the order of\n"
        "# choices, which answers are missing ones, and how the respondents came to be (design, weighting).\n"
        "study: %s\ntitle: ",
        quoted(x, dir), identifier(x, name));
    put_title(x, &b, &(struct title){x->titles, name});
    rsp_buf_puts(
        &b,
        "# publication: {publisher: \"...\"}   # who publishes: every page names it, or says that nobody is named\n");
    rsp_buf_puts(&b, "languages: [");
    for (size_t l = 0; l < x->n_languages; l++) rsp_buf_printf(&b, "%s%s", l ? ", " : "", x->languages[l]);
    rsp_buf_puts(&b, "]\n\nsources:\n");
    for (size_t k = 0; k < x->n_files; k++) put_source(x, &x->files[k], dir, &b, d);
    put_paths(x, dir, &b);
    rsp_buf_puts(&b, "\ninstrument: {survey: survey.csv, choices: choices.csv}\n\n");
    put_roles(x, &b);
    report_languages(x, d);
    if (*x->left_out) rsp_buf_printf(&b, "# Columns that are not read:\n%s\n", x->left_out);
    if (x->test_rows && !x->only_tests)
        rsp_buf_printf(
            &b, "clean:\n  - id: test_rows           # previews and tests of the questionnaire\n    drop: %s\n\n",
            quoted(x, x->test_rows));
    if (x->test_rows && x->only_tests)
        rsp_report(d, RSP_WARNING, (rsp_loc){x->files[0].path, 0, 0}, "they are kept in the draft, so that it runs",
                   "all rows are previews or tests of the questionnaire");
    rsp_buf_puts(
        &b,
        "design: {sample: self_selected}   # or: weight, strata, cluster, if the respondents were drawn at random\n");
    put_weights(x, &b);
    if (has_country(x))
        rsp_buf_puts(
            &b, "weighting: {scale: sample}        # how countries combine: sample (as they are), equal, population\n");
    rsp_buf_putc(&b, '\n');
    put_tables(x, &b);
    bool good = rsp_write_file(rsp_path_join(x->arena, dir, "study.yaml"), b.data, b.length, d);
    rsp_buf_free(&b);
    return good;
}

/* ---- the whole -------------------------------------------------------------------------------------------------- */

bool rsp_draft_write(const rsp_draft *x, const char *dir, rsp_diag *d) {
    struct stat st;
    const char *yaml = rsp_path_join(x->arena, dir, "study.yaml");
    if (stat(yaml, &st) == 0) {
        rsp_report(d, RSP_ERR_OUTPUT, (rsp_loc){yaml, 0, 0}, "name a new folder", "there is a study already");
        return false;
    }
    return rsp_make_dirs(dir, d) && write_survey(x, dir, d) && write_choices(x, dir, d) && write_yaml(x, dir, d);
}

rsp_draft rsp_draft_new(void) {
    return (rsp_draft){
        .arena = rsp_arena_new(), .names = rsp_map_new(), .asked_by = rsp_map_new(), .asked_twice = rsp_map_new()};
}

bool rsp_draft_take(rsp_draft *x, rsp_buf *raw, const char *path, rsp_diag *d) {
    rsp_open_options o = {NULL, 0, NULL};
    char why[160];
    rsp_draft_file f = {.path = path};
    size_t errors = rsp_diag_errors(d);
    rsp_form *form = rsp_form_read(raw, path, d);
    if (form || rsp_diag_errors(d) != errors) {
        rsp_buf_free(raw);
        if (form) RSP_PUSH(x->forms, x->n_forms, x->form_capacity, form);
        return form != NULL;
    }
    f.table = rsp_table_open(raw, path, &o, d);
    if (f.table) f.tool = rsp_tool_take("auto", f.table, why, d);
    if (f.tool) f.profiles = rsp_profiles(f.table, f.tool, d);
    if (f.tool && rsp_profiles_repeat_headings(f.profiles, f.table)) x->headings_again = true;
    RSP_PUSH(x->files, x->n_files, x->file_capacity, f);
    return f.tool != NULL;
}

static bool open_one(rsp_draft *x, const char *path, rsp_diag *d) {
    rsp_buf raw = {0};
    if (rsp_read_file(path, &raw, d, RSP_ERR_DATA, RSP_NOWHERE)) return rsp_draft_take(x, &raw, path, d);
    rsp_buf_free(&raw);
    return false;
}

void rsp_draft_free(rsp_draft *x) {
    for (size_t j = 0; j < x->n_columns; j++) {
        rsp_profile *p = &x->columns[j].profile;
        for (size_t k = 0; k < p->n_spellings; k++) free((char *) p->spellings[k].text);
        free(p->spellings);
        rsp_map_free(p->seen);
    }
    for (size_t k = 0; k < x->n_files; k++) {
        if (x->files[k].profiles) rsp_profiles_free(x->files[k].profiles, x->files[k].table->n_columns);
        rsp_table_close(x->files[k].table);
    }
    for (size_t k = 0; k < x->n_forms; k++) rsp_form_free(x->forms[k]);
    free(x->forms);
    free(x->asked);
    rsp_map_free(x->asked_by);
    rsp_map_free(x->asked_twice);
    for (size_t k = 0; k < x->n_lists; k++) free(x->lists[k].values);
    free(x->files);
    free(x->columns);
    free(x->lists);
    free(x->items);
    rsp_map_free(x->names);
    rsp_arena_free(x->arena);
}

bool rsp_new(const char *dir, const char *const *paths, size_t n, rsp_diag *d) {
    rsp_draft x = rsp_draft_new();
    bool good = true;
    for (size_t k = 0; k < n; k++) good = open_one(&x, paths[k], d) && good;
    if (good && !x.n_files) {
        rsp_report(d, RSP_ERR_DATA, (rsp_loc){paths[0], 0, 0}, "name the exports too",
                   "this is a questionnaire without answers");
        good = false;
    }
    if (good) {
        rsp_draft_work_out(&x);
        good = rsp_draft_write(&x, dir, d);
    }
    rsp_draft_free(&x);
    return good;
}
