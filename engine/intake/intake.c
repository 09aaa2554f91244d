/* Sources of a study to one frame. */
#include "fill.h"

#include "responsive/limits.h"

#include <errno.h>
#include <glob.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

struct input {
    const rsp_source *source;
    const char *path, *name;
    dev_t device;
    ino_t inode;
    bool read;
    rsp_table_data *table;
    rsp_target_column *columns;
    const rsp_tool *tool;
    const rsp_date_order *dates;
    char decimal;
    bool rows_not_lines;
    char sha256[65];
};

struct inputs {
    size_t n, capacity;
    struct input *v;
};

/* ---- which files ------------------------------------------------------------------------------------------------ */

static int compare_paths(const void *x, const void *y) { return strcmp(*(char *const *) x, *(char *const *) y); }

static void add_input(struct inputs *all, const rsp_study *s, const rsp_source *source, const char *path, rsp_diag *d) {
    struct stat st;
    size_t dir = strlen(s->dir);
    struct input in = {.source = source, .path = rsp_path_plain(s->arena, path)};
    /* The name is the study's own, so that it is the same from wherever the program is started. */
    in.name = strncmp(path, s->dir, dir) == 0 && path[dir] == '/' ? rsp_strdup(s->arena, path + dir + 1) : in.path;
    if (stat(path, &st) != 0) {
        rsp_report(d, RSP_ERR_DATA, source->loc, NULL, "cannot read %s: %s", path, strerror(errno));
        return;
    }
    in.device = st.st_dev;
    in.inode = st.st_ino;
    for (size_t k = 0; k < all->n; k++) {
        if (all->v[k].device != in.device || all->v[k].inode != in.inode) continue;
        rsp_report(d, RSP_ERR_DATA, source->loc, "every file is read once: take it out of one of the patterns",
                   "%s is the same file as %s", in.name, all->v[k].name);
        return;
    }
    RSP_PUSH(all->v, all->n, all->capacity, in);
}

static void expand(struct inputs *all, const rsp_study *s, const rsp_source *source, const char *pattern, rsp_diag *d) {
    rsp_arena *a = rsp_arena_new();
    glob_t found;
    /* Not sorted by glob: that would follow the locale. */
    int rc = glob(rsp_study_pattern(s, pattern, a), GLOB_NOSORT, NULL, &found);
    if (rc == GLOB_NOMATCH || (rc == 0 && !found.gl_pathc)) rsp_study_no_file(s, pattern, source->loc, RSP_ERR_DATA, d);
    else if (rc != 0)
        rsp_report(d, RSP_ERR_DATA, source->loc, NULL, "cannot look for '%s': %s", pattern, strerror(errno));
    if (rc == 0) {
        qsort(found.gl_pathv, found.gl_pathc, sizeof *found.gl_pathv, compare_paths);
        for (size_t k = 0; k < found.gl_pathc; k++) {
            if (!rsp_study_may_read(s, found.gl_pathv[k], source->loc, d)) break; /* one remedy a pattern */
            add_input(all, s, source, found.gl_pathv[k], d);
        }
        globfree(&found);
    }
    rsp_arena_free(a);
}

/* ---- opening ---------------------------------------------------------------------------------------------------- */

static void sha256_of(const rsp_buf *bytes, char hex[65]) {
    rsp_hash h;
    rsp_hash_init(&h);
    rsp_hash_add(&h, bytes->data, bytes->length);
    rsp_hash_hex(&h, hex);
}

/* Bytes to records: what needs no other file's help and most of the time. */
static void open_table(struct input *in, rsp_buf *raw, rsp_diag *d) {
    rsp_open_options o = {in->source->encoding, in->source->delimiter, in->source->sheet};
    sha256_of(raw, in->sha256);
    in->table = rsp_table_open(raw, in->path, &o, d);
}

static void match_input(struct input *in, const rsp_study *s, const rsp_matcher *m, rsp_arena *a, rsp_diag *d) {
    char why[160];
    in->tool = rsp_tool_take(in->source->format, in->table, why, d);
    if (in->tool && in->table->instead) {
        rsp_report(d, RSP_ERR_DATA, (rsp_loc){in->path, 0, 0},
                   "name the export of the answers; `responsive new DIR --from EXPORT THIS` takes its questions over",
                   "this is %s", in->table->instead);
        in->tool = NULL;
    }
    if (!in->tool) return;
    if (strcmp(in->source->format, "auto") == 0)
        rsp_report(d, RSP_NOTE, (rsp_loc){in->path, 0, 0}, NULL, "read as %s (%s)", in->tool->name, why);
    if (!in->table->n_records)
        rsp_report(d, RSP_WARNING, (rsp_loc){in->path, 0, 0}, NULL, "holds headings and no answers");
    in->columns = rsp_match_headings(m, in->table, in->tool, in->source, a, d);
    rsp_fill_job job = {.table = in->table,
                        .columns = in->columns,
                        .tool = in->tool,
                        .source = in->source,
                        .decimal = in->source->decimal};
    in->decimal = rsp_detect_decimal(&job, d);
    in->dates = rsp_detect_dates(&job, a, d);
    rsp_detect_words(&job, m, s, in->columns, d);
}

/* Files are read one after another, so that faults of reading come in their order; meanwhile other threads open those
 * that were read. */
static void open_inputs(struct inputs *all, const rsp_study *s, const rsp_matcher *m, rsp_arena *a, rsp_diag *d) {
    rsp_buf *raw = rsp_calloc(all->n, sizeof *raw);
#pragma omp parallel if (all->n > 1)
#pragma omp single
    for (size_t k = 0; k < all->n; k++) {
        struct input *in = &all->v[k];
        in->read = rsp_read_file(in->path, &raw[k], d, RSP_ERR_DATA, in->source->loc);
        if (!in->read) rsp_buf_free(&raw[k]);
#pragma omp task if (in->read && all->n > 1) firstprivate(in, k)
        if (in->read) open_table(in, &raw[k], d);
    }
    free(raw); /* what they held belongs to the tables */
    for (size_t k = 0; k < all->n; k++)
        if (all->v[k].table) match_input(&all->v[k], s, m, a, d);
}

/* The same answers under two names would count twice. */
static void report_same_content(const struct inputs *all, rsp_diag *d) {
    rsp_map *seen = rsp_map_new();
    for (size_t k = 0; k < all->n; k++) {
        const struct input *in = &all->v[k];
        if (!in->table || !in->table->n_records || rsp_map_put(seen, in->sha256, k)) continue;
        rsp_report(d, RSP_WARNING, (rsp_loc){in->path, 0, 0}, "take one of them out if the answers are the same",
                   "holds the same bytes as %s", all->v[rsp_map_get(seen, in->sha256)].path);
    }
    rsp_map_free(seen);
}

/* ---- the frame -------------------------------------------------------------------------------------------------- */

static void describe_files(rsp_frame *f, const struct inputs *all) {
    f->n_files = all->n;
    f->files = RSP_ARRAY(f->arena, rsp_file, all->n);
    for (size_t k = 0; k < all->n; k++) {
        const struct input *in = &all->v[k];
        const char *encoding = rsp_strdup(f->arena, in->table->encoding); /* it dies with the table, long before */
        f->files[k] = (rsp_file){.path = in->path,
                                 .name = in->name,
                                 .tool = in->tool->name,
                                 .encoding = encoding,
                                 .delimiter = in->table->delimiter,
                                 .decimal = in->decimal,
                                 .rows = in->table->n_records,
                                 .columns = in->table->n_columns};
        memcpy(f->files[k].sha256, in->sha256, sizeof in->sha256);
    }
}

/* Texts that nothing in the study needs never enter the frame. */
static void leave_out_texts(rsp_frame *f, const bool *used) {
    for (size_t j = 0; j < f->n_columns; j++) {
        if (f->columns[j].kind != RSP_COL_TEXT || used[j]) continue;
        f->columns[j].kind = RSP_COL_NONE;
        f->columns[j].text = NULL;
    }
}

static bool was_asked(const rsp_column *c, size_t i) {
    switch (c->kind) {
    case RSP_COL_CODE:
    case RSP_COL_SMALL: return rsp_code(c, i) != RSP_NA_NOT_ASKED;
    case RSP_COL_NUMBER: return !isnan(c->number[i]) || !c->why || c->why[i] != RSP_NA_NOT_ASKED;
    case RSP_COL_TEXT: return c->text[i] != RSP_NA_NOT_ASKED;
    default: return true; /* nobody asked for its values */
    }
}

/* Has any file a column for the question, or for one of its choices? */
static bool has_column(const rsp_frame *f, size_t question) {
    const rsp_variable *x = &f->study->variables[question];
    bool parts = x->first_part != RSP_NONE;
    size_t from = parts ? x->first_part : question, to = parts ? from + x->list->n : question + 1;
    for (size_t v = from; v < to; v++)
        for (size_t i = 0; i < f->n; i++)
            if (was_asked(&f->columns[v], i)) return true;
    return false;
}

/* A question without a column in one file is everyday; one that results need and no file has is a heading that was changed
 * or a question that was taken out. */
static void report_without_any_column(const rsp_frame *f, rsp_diag *d) {
    const rsp_study *s = f->study;
    bool *needed = rsp_calloc(s->n_variables + 1, sizeof *needed);
    rsp_buf names = {0};
    rsp_study_computes_with(s, needed);
    for (size_t v = 0; v < s->n_variables; v++)
        if (needed[v] && s->variables[v].part_of != RSP_NONE) needed[s->variables[v].part_of] = true;
    for (size_t v = 0; v < s->n_variables && f->n; v++) {
        const rsp_variable *x = &s->variables[v];
        if (!needed[v] || x->part_of != RSP_NONE || x->derive.kind != RSP_DERIVE_NONE || has_column(f, v)) continue;
        rsp_buf_printf(&names, "%s'%s'", names.length ? ", " : "", x->name);
    }
    if (names.length)
        rsp_report(d, RSP_WARNING, (rsp_loc){s->path, 0, 0},
                   "if the column has another name now, add it as `export_name` in survey.csv or under `rename`",
                   "no export has a column for %s, which results rest on", names.data);
    rsp_buf_free(&names);
    free(needed);
}

static rsp_frame *fill_frame(const rsp_study *s, const struct inputs *all, const rsp_matcher *m, const bool *used,
                             rsp_diag *d) {
    size_t n = 0;
    for (size_t k = 0; k < all->n; k++) n += all->v[k].table->n_records;
    if (n > UINT32_MAX) {
        rsp_report(d, RSP_ERR_DATA, RSP_NOWHERE, NULL, "%zu rows are more than can be read", n);
        return NULL;
    }
    rsp_frame *f = rsp_frame_room(s, n);
    leave_out_texts(f, used);
    describe_files(f, all);
    rsp_filler *x = rsp_filler_new(f, m);
    size_t row = 0;
    for (size_t k = 0; k < all->n; k++) {
        struct input *in = &all->v[k];
        rsp_fill_job job = {in->table, in->columns, in->tool, in->source, row, (uint16_t) k, in->decimal, in->dates};
        rsp_fill(x, &job, d);
        row += in->table->n_records;
        in->rows_not_lines = in->table->rows_not_lines;
        rsp_table_close(in->table); /* its text is the largest thing held */
        in->table = NULL;
    }
    rsp_filler_finish(x, d);
    rsp_filler_free(x);
    rsp_frame_ask_derived(f);
    report_without_any_column(f, d);
    return f;
}

/* ---- identifiers ------------------------------------------------------------------------------------------------ */

static bool rule_finds_repeats(const rsp_study *s) {
    for (size_t k = 0; k < s->n_rules; k++)
        if (s->rules[k].kind == RSP_CLEAN_DUPLICATES) return true;
    return false;
}

static bool same_id(const rsp_frame *f, size_t i, size_t k) {
    const rsp_column *c = &f->columns[f->study->roles.id];
    return c->kind == RSP_COL_TEXT ? c->text[i] == c->text[k]
                                   : rsp_value(f, f->study->roles.id, i) == rsp_value(f, f->study->roles.id, k);
}

/* Rows are in the order of their ids. Files number their own respondents: a row repeats an id of its file alone. */
static void report_repeated_ids(const rsp_frame *f, const struct inputs *all, rsp_diag *d) {
    size_t id = f->study->roles.id, run = 0, *seen = rsp_calloc(all->n + 1, sizeof *seen);
    uint32_t *first = rsp_calloc(all->n + 1, sizeof *first); /* line of the run's first record in the file */
    rsp_lines *lines = rsp_calloc(all->n + 1, sizeof *lines);
    for (size_t i = 0; i < f->n; i++) {
        if (!rsp_valid(f, id, i)) continue;
        if (!run || !same_id(f, i - 1, i)) run++;
        uint16_t file = f->file[i];
        if (seen[file] == run) rsp_lines_add(&lines[file], f->line[i] > first[file] ? f->line[i] : first[file]);
        if (seen[file] != run || f->line[i] < first[file]) first[file] = f->line[i];
        seen[file] = run;
    }
    for (size_t k = 0; k < all->n; k++) {
        char text[128];
        if (!lines[k].n) continue;
        const char *where = rsp_lines_text(&lines[k], text), *name = f->study->variables[id].name;
        bool rows = all->v[k].rows_not_lines && strncmp(where, "line", 4) == 0;
        char remedy[256];
        snprintf(
            remedy, sizeof remedy,
            "answered twice? Say which one counts: `clean: [{id: repeated, duplicates: {by: [%.64s], keep: last}}]`",
            name);
        rsp_report(d, RSP_WARNING, (rsp_loc){all->v[k].path, (int) lines[k].first[0], 0}, remedy,
                   "%zu record%s the '%s' of another one and count%s as a further respondent (%s%s)", lines[k].n,
                   lines[k].n == 1 ? " has" : "s have", name, lines[k].n == 1 ? "s" : "", rows ? "row" : "",
                   rows ? where + 4 : where);
    }
    free(seen);
    free(first);
    free(lines);
}

static bool find_inputs(struct inputs *all, const rsp_study *s, rsp_diag *d) {
    for (size_t k = 0; k < s->n_sources; k++) {
        for (size_t p = 0; p < s->sources[k].n_patterns; p++)
            expand(all, s, &s->sources[k], s->sources[k].patterns[p], d);
    }
    if (all->n > RSP_MOST_FILES)
        rsp_report(d, RSP_ERR_DATA, (rsp_loc){s->path, 0, 0}, "narrow the patterns under `sources`",
                   "%zu files are more than can be read", all->n);
    return all->n <= RSP_MOST_FILES;
}

bool rsp_source_files(const rsp_study *s, rsp_arena *a, const char ***paths, const char ***names, size_t *n,
                      rsp_diag *d) {
    struct inputs all = {0};
    size_t errors = rsp_diag_errors(d);
    bool ok = find_inputs(&all, s, d);
    *n = all.n;
    *paths = RSP_ARRAY(a, const char *, all.n);
    *names = RSP_ARRAY(a, const char *, all.n);
    for (size_t k = 0; k < all.n; k++) {
        (*paths)[k] = all.v[k].path;
        (*names)[k] = all.v[k].name;
    }
    free(all.v);
    return ok && rsp_diag_errors(d) == errors;
}

rsp_frame *rsp_intake(const rsp_study *s, rsp_diag *d) {
    struct inputs all = {0};
    rsp_frame *f = NULL;
    size_t errors = rsp_diag_errors(d);
    bool *used = rsp_calloc(s->n_variables, sizeof *used);
    rsp_arena *a = rsp_arena_new();
    rsp_study_uses(s, used);
    rsp_matcher *m = rsp_matcher_new(s, used);
    if (find_inputs(&all, s, d)) {
        open_inputs(&all, s, m, a, d);
        report_same_content(&all, d);
    }
    if (rsp_diag_errors(d) == errors) f = fill_frame(s, &all, m, used, d);
    if (f && s->roles.id != RSP_NONE && !rsp_study_keeps(s, s->roles.id)) f->keyed = rsp_pseudonym_key(s, f->key, d);
    if (f && rsp_diag_errors(d) != errors) {
        rsp_frame_free(f);
        f = NULL;
    }
    if (f) rsp_frame_sort(f);
    if (f && s->roles.id != RSP_NONE && !rule_finds_repeats(s)) report_repeated_ids(f, &all, d);
    for (size_t k = 0; k < all.n; k++) rsp_table_close(all.v[k].table);
    free(all.v);
    rsp_matcher_free(m);
    rsp_arena_free(a);
    free(used);
    return f;
}
