/* Exports of every tool: real files are read with the right tool, rows and columns; a frame written as each tool would write
 * it and read again is the same frame; what cannot be read is refused with a sentence. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>
#include <math.h>
#include <readstat.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <xlsxwriter.h>
#include <zip.h>

#include <cmocka.h>

#include "intake/reader.h"
#include "shell.h"

/* ---- real files ------------------------------------------------------------------------------------------------- */

/* Counted by Python's csv module, by BIFF and statistics readers: see the SOURCES.md beside the files. */
static const struct {
    const char *path, *tool, *encoding;
    size_t header_rows, rows, columns;
} exports[] = {{"fixtures/exports/eusurvey/everse-landscaping.xlsx", "eusurvey", "UTF-8", 4, 28, 228},
               {"fixtures/exports/google-forms/hot-dog-fall25.xlsx", "google-forms", "UTF-8", 1, 207, 3},
               {"fixtures/exports/google-forms/hot-dog-spring25.csv", "google-forms", "UTF-8", 1, 64, 9},
               {"fixtures/exports/kobo/dam-and-you-labels.csv", "kobo", "UTF-8", 1, 138, 127},
               {"fixtures/limesurvey/digital-twins-german.csv", "limesurvey", "UTF-8", 1, 96, 317},
               {"fixtures/limesurvey/unit-test-quality.csv", "limesurvey", "UTF-8", 1, 70, 146},
               {"fixtures/rse2017/rse2017-germany.csv", "limesurvey", "UTF-8", 1, 325, 248},
               {"fixtures/rse2017/rse2017-netherlands.csv", "limesurvey", "UTF-8", 1, 77, 131},
               {"fixtures/rse2017/rse2017-south-africa.csv", "limesurvey", "UTF-8", 1, 22, 277},
               {"fixtures/exports/microsoft-forms/hot-dog-fall24.csv", "microsoft-forms", "WINDOWS-1252", 1, 187, 8},
               {"fixtures/exports/qualtrics/multiple-answer-mc-3-headers.csv", "qualtrics", "UTF-8", 3, 5, 36},
               {"fixtures/exports/qualtrics/question-types-2-headers-legacy.csv", "qualtrics", "UTF-8", 2, 5, 190},
               {"fixtures/exports/qualtrics/question-types-3-headers.csv", "qualtrics", "UTF-8", 3, 5, 190},
               {"fixtures/exports/redcap/checkboxes-1-data.csv", "redcap", "UTF-8", 1, 4, 13},
               {"fixtures/exports/redcap/checkboxes-1-dictionary.csv", "redcap", "UTF-8", 1, 4, 18},
               {"fixtures/exports/redcap/repeating-instruments-data.csv", "redcap", "UTF-8", 1, 6, 15},
               {"fixtures/exports/redcap/repeating-instruments-dictionary.csv", "redcap", "UTF-8", 1, 11, 18},
               {"fixtures/exports/redcap/validation-types-1-data.csv", "redcap", "UTF-8", 1, 1, 52},
               {"fixtures/exports/redcap/validation-types-1-dictionary.csv", "redcap", "UTF-8", 1, 50, 18},
               {"fixtures/exports/spss/foreign-electric.sav", "spss", "WINDOWS-1252", 0, 240, 13},
               {"fixtures/exports/spss/haven-datetime.sav", "spss", "WINDOWS-1252", 0, 2, 3},
               {"fixtures/exports/spss/haven-labelled-num-na.sav", "spss", "UTF-8", 0, 2, 1},
               {"fixtures/exports/spss/haven-umlauts.sav", "spss", "UTF-8", 0, 4, 1},
               {"fixtures/exports/spss/pyreadstat-sample-missing.sav", "spss", "WINDOWS-1252", 0, 7, 7},
               {"fixtures/exports/spss/pyreadstat-sample.por", "spss", NULL, 0, 5, 2},
               {"fixtures/exports/spss/pyreadstat-sample.sav", "spss", "WINDOWS-1252", 0, 5, 7},
               {"fixtures/exports/spss/pyreadstat-sample.zsav", "spss", "WINDOWS-1252", 0, 5, 7},
               {"fixtures/exports/stata/haven-tagged-na-int.dta", "stata", "UTF-8", 0, 8, 1},
               {"fixtures/exports/stata/pyreadstat-sample.dta", "stata", "UTF-8", 0, 5, 7},
               {"fixtures/exports/surveymonkey/star-wars.csv", "surveymonkey", "WINDOWS-1252", 2, 1186, 38},
               {"fixtures/exports/surveymonkey/steak-risk.csv", "surveymonkey", "UTF-8", 2, 550, 15},
               {"fixtures/wvs/wvs.csv", "csv", "UTF-8", 1, 5381, 7}};
enum { N_EXPORTS = sizeof exports / sizeof *exports };

static json_t *inspected(const char *path, rsp_diag *d) {
    char *text = NULL;
    size_t length = 0;
    FILE *to = open_memstream(&text, &length);
    rsp_inspect(&path, 1, true, to, d);
    fclose(to);
    json_error_t error;
    json_t *all = json_loads(text, JSON_REJECT_DUPLICATES, &error), *files = json_object_get(all, "files");
    assert_true(json_is_array(files));
    json_t *file = json_incref(json_array_get(files, 0));
    json_decref(all);
    free(text);
    return file;
}

static size_t count(const json_t *file, const char *key) {
    return (size_t) json_integer_value(json_object_get(file, key));
}

static void test_real_exports(void **state) {
    (void) state;
    for (size_t k = 0; k < N_EXPORTS; k++) {
        rsp_diag *d = rsp_diag_new();
        json_t *file = inspected(exports[k].path, d);
        if (!file) fail_msg("%s is not read", exports[k].path);
        assert_int_equal(rsp_diag_errors(d), 0);
        assert_string_equal(json_string_value(json_object_get(file, "file")), exports[k].path);
        assert_string_equal(json_string_value(json_object_get(file, "tool")), exports[k].tool);
        if (exports[k].encoding)
            assert_string_equal(json_string_value(json_object_get(file, "encoding")), exports[k].encoding);
        if (count(file, "header_rows") != exports[k].header_rows || count(file, "rows") != exports[k].rows ||
            count(file, "columns") != exports[k].columns)
            fail_msg("%s: %zu rows of headings, %zu rows, %zu columns", exports[k].path, count(file, "header_rows"),
                     count(file, "rows"), count(file, "columns"));
        assert_int_equal(json_array_size(json_object_get(file, "variables")), exports[k].columns);
        assert_true(json_array_size(json_object_get(file, "reasons")) >= 2);
        json_decref(file);
        rsp_diag_free(d);
    }
}

static rsp_table_data *open_path(const char *path, rsp_diag *d) {
    rsp_buf raw = {0};
    rsp_open_options o = {NULL, 0, NULL};
    assert_true(rsp_read_file(path, &raw, d, RSP_ERR_DATA, RSP_NOWHERE));
    return rsp_table_open(&raw, path, &o, d);
}

/* All cells, their kinds of missing and the lines of ragged records, read in blocks of so many records. */
static uint64_t hash_of(const rsp_table_data *t, size_t block) {
    rsp_room room = {0};
    rsp_cell *cells = rsp_calloc(block * t->n_columns + 1, sizeof *cells);
    uint64_t h = 0;
    for (size_t from = 0; from < t->n_records; from += block) {
        size_t to = from + block < t->n_records ? from + block : t->n_records;
        t->read(t, from, to, &room, cells);
        for (size_t k = 0; k < (to - from) * t->n_columns; k++) {
            h = rsp_hash64(cells[k].text, cells[k].length, h);
            h = rsp_hash64(&cells[k].missing, sizeof cells[k].missing, h);
        }
    }
    h = rsp_hash64(&room.fewer, sizeof room.fewer, h);
    h = rsp_hash64(&room.more, sizeof room.more, h);
    free(cells);
    rsp_room_free(&room);
    return h;
}

/* Every reader gives the same cells in blocks of any size, its tool's preparation done. */
static void expect_any_block(const char *path) {
    static const size_t blocks[] = {1, 2, 7, 64, 513};
    rsp_diag *d = rsp_diag_new();
    char why[160];
    rsp_table_data *t = open_path(path, d);
    assert_non_null(t);
    assert_non_null(rsp_tool_take("auto", t, why, d));
    uint64_t whole = hash_of(t, t->n_records + 1);
    for (size_t k = 0; k < sizeof blocks / sizeof *blocks; k++)
        if (hash_of(t, blocks[k]) != whole) fail_msg("%s: other cells in blocks of %zu records", path, blocks[k]);
    rsp_table_close(t);
    rsp_diag_free(d);
}

static void test_every_block_size(void **state) {
    (void) state;
    for (size_t k = 0; k < N_EXPORTS; k++) expect_any_block(exports[k].path);
}

/* A cell of a file, its tool's preparation done. */
static const char *cell_of(const char *path, size_t row, const char *heading, char text[256], int *missing) {
    rsp_diag *d = rsp_diag_new();
    char why[160];
    rsp_table_data *t = open_path(path, d);
    assert_non_null(t);
    assert_non_null(rsp_tool_take("auto", t, why, d));
    rsp_room room = {0};
    rsp_cell *cells = rsp_calloc(t->n_columns, sizeof *cells);
    t->read(t, row, row + 1, &room, cells);
    size_t j = 0;
    while (j < t->n_columns && strcmp(t->headings[j], heading) != 0) j++;
    if (j == t->n_columns) fail_msg("%s has no column '%s'", path, heading);
    snprintf(text, 256, "%.*s", (int) cells[j].length, cells[j].text);
    if (missing) *missing = cells[j].missing;
    free(cells);
    rsp_room_free(&room);
    rsp_table_close(t);
    rsp_diag_free(d);
    return text;
}

/* Cells as other readers give them: haven 2.5 (R) for statistics files, a spreadsheet program for workbooks. */
static void test_cells_of_real_exports(void **state) {
    static const struct {
        const char *path;
        size_t row;
        const char *heading, *cell;
        int missing;
    } cells[] = {{"fixtures/exports/spss/haven-datetime.sav", 0, "date", "2014-09-22", 0},
                 {"fixtures/exports/spss/haven-datetime.sav", 1, "date.posix", "2014-09-23 15:59:20", 0},
                 {"fixtures/exports/spss/haven-labelled-num-na.sav", 0, "VAR00002", "1", 0},
                 {"fixtures/exports/spss/haven-labelled-num-na.sav", 1, "VAR00002", "9", RSP_NA_UNKNOWN},
                 {"fixtures/exports/spss/pyreadstat-sample-missing.sav", 1, "dtime", "1880-05-06 10:10:10", 0},
                 {"fixtures/exports/spss/pyreadstat-sample-missing.sav", 2, "mynum", "-1000.3", 0},
                 {"fixtures/exports/spss/pyreadstat-sample-missing.sav", 5, "mylabl", "-1", RSP_NA_UNKNOWN},
                 {"fixtures/exports/spss/pyreadstat-sample-missing.sav", 6, "mynum", "2500", RSP_NA_UNKNOWN},
                 {"fixtures/exports/spss/pyreadstat-sample-missing.sav", 6, "mylabl", "", 0},
                 {"fixtures/exports/spss/pyreadstat-sample.zsav", 3, "mydate", "1583-01-01", 0},
                 {"fixtures/exports/spss/pyreadstat-sample.por", 0, "MYNUM", "1.1", 0},
                 {"fixtures/exports/spss/pyreadstat-sample.por", 2, "MYNUM", "-1000.3", 0},
                 {"fixtures/exports/spss/pyreadstat-sample.por", 3, "MYCHAR", "d", 0},
                 {"fixtures/exports/stata/haven-tagged-na-int.dta", 4, "x", "5", 0},
                 {"fixtures/exports/stata/haven-tagged-na-int.dta", 6, "x", ".h", RSP_NA_UNKNOWN},
                 {"fixtures/exports/stata/pyreadstat-sample.dta", 0, "dtime", "2018-05-06 10:10:10", 0},
                 {"fixtures/exports/stata/pyreadstat-sample.dta", 1, "mydate", "1880-05-06", 0},
                 {"fixtures/exports/google-forms/hot-dog-fall25.xlsx", 0, "Timestamp", "2025-08-29 17:17:57", 0},
                 {"fixtures/exports/google-forms/hot-dog-fall25.xlsx", 0, "What year are you in?", "4", 0},
                 {"fixtures/exports/eusurvey/everse-landscaping.xlsx", 0, "P5", "Library and Information Science", 0},
                 {"fixtures/exports/eusurvey/everse-landscaping.xlsx", 0, "Creation date", "2024-10-07 18:19:14", 0},
                 {"fixtures/exports/surveymonkey/steak-risk.csv", 1, "Do you eat steak?", "Yes", 0}};
    (void) state;
    for (size_t k = 0; k < sizeof cells / sizeof *cells; k++) {
        char text[256];
        int missing;
        assert_string_equal(cell_of(cells[k].path, cells[k].row, cells[k].heading, text, &missing), cells[k].cell);
        assert_int_equal(missing, cells[k].missing);
    }
}

/* ---- round trips ------------------------------------------------------------------------------------------------ */

/* How a tool writes a questionnaire. */
struct manner {
    const char *tool, *file;              /* file: its name, whose end says the format */
    const char *id, *submitted, *started; /* headings of these where they are not the variables' names */
    bool labels;                          /* headings and answers are texts */
    char delimiter;                       /* of text */
    const char *between;                  /* select_multiple and rank in one cell; NULL: a column each */
    const char *part;                     /* printf of a part's heading: name, code */
    const char *chosen, *not_chosen;      /* of a part; NULL: the option's text, a bare blank */
    const char *not_shown, *skipped, *skipped_text, *left; /* kinds of missing; "b": a bare blank, "q": a quoted one */
    bool kinds;                                            /* they are told apart */
    bool place_columns;                                    /* a rank has a column for each place */
    bool month_first;
    size_t n_rename;
    rsp_pair rename[4];
};

static const struct manner manners[] = {
    {.tool = "limesurvey",
     .file = "lime.csv",
     .delimiter = ';',
     .part = "%s[%s]",
     .chosen = "Y",
     .not_chosen = "q",
     .not_shown = "b",
     .skipped = "q",
     .skipped_text = "q",
     .left = "b",
     .kinds = true,
     .place_columns = true},
    {.tool = "limesurvey",
     .file = "vv.csv",
     .delimiter = '\t',
     .part = "%s_%s",
     .chosen = "Y",
     .not_chosen = "q",
     .not_shown = "{question_not_shown}",
     .skipped = "q",
     .skipped_text = "q",
     .left = "{question_not_shown}",
     .kinds = true,
     .place_columns = true},
    {.tool = "qualtrics",
     .file = "qualtrics.csv",
     .id = "ResponseId",
     .submitted = "RecordedDate",
     .started = "StartDate",
     .delimiter = ',',
     .part = "%s_%s",
     .chosen = "1",
     .not_chosen = "0",
     .not_shown = "b",
     .skipped = "-99",
     .skipped_text = "-99",
     .left = "b",
     .kinds = true,
     .n_rename = 3,
     .rename = {{"ResponseId", "id"}, {"RecordedDate", "submitdate"}, {"StartDate", "startdate"}}},
    {.tool = "surveymonkey",
     .file = "monkey.csv",
     .id = "Respondent ID",
     .submitted = "End Date",
     .started = "Start Date",
     .labels = true,
     .delimiter = ',',
     .not_shown = "b",
     .skipped = "b",
     .skipped_text = "b",
     .left = "b",
     .month_first = true,
     .n_rename = 3,
     .rename = {{"Respondent ID", "id"}, {"End Date", "submitdate"}, {"Start Date", "startdate"}}},
    {.tool = "kobo",
     .file = "kobo.csv",
     .id = "_id",
     .submitted = "_submission_time",
     .started = "start",
     .delimiter = ';',
     .part = "group_a/%s/%s",
     .chosen = "1",
     .not_chosen = "0",
     .not_shown = "b",
     .skipped = "b",
     .skipped_text = "b",
     .left = "b",
     .n_rename = 3,
     .rename = {{"_id", "id"}, {"_submission_time", "submitdate"}, {"start", "startdate"}}},
    {.tool = "redcap",
     .file = "redcap.csv",
     .id = "record_id",
     .submitted = "survey_timestamp",
     .delimiter = ',',
     .part = "%s___%s",
     .chosen = "1",
     .not_chosen = "0",
     .not_shown = "b",
     .skipped = "b",
     .skipped_text = "b",
     .left = "b",
     .n_rename = 2,
     .rename = {{"record_id", "id"}, {"survey_timestamp", "submitdate"}}},
    {.tool = "sosci",
     .file = "sosci.csv",
     .id = "CASE",
     .submitted = "LASTDATA",
     .started = "STARTED",
     .delimiter = '\t',
     .part = "%s_%s",
     .chosen = "2",
     .not_chosen = "1",
     .not_shown = "b",
     .skipped = "-9",
     .skipped_text = "-9",
     .left = "b",
     .kinds = true,
     .n_rename = 3,
     .rename = {{"CASE", "id"}, {"LASTDATA", "submitdate"}, {"STARTED", "startdate"}}},
    {.tool = "unipark",
     .file = "unipark.csv",
     .id = "lfdn",
     .submitted = "date_of_last_access",
     .started = "datetime",
     .delimiter = ';',
     .part = "%s_%s",
     .chosen = "1",
     .not_chosen = "0",
     .not_shown = "-77",
     .skipped = "0",
     .skipped_text = "-99",
     .left = "-77",
     .kinds = true,
     .n_rename = 3,
     .rename = {{"lfdn", "id"}, {"date_of_last_access", "submitdate"}, {"datetime", "startdate"}}},
    {.tool = "google-forms",
     .file = "google.xlsx",
     .submitted = "Timestamp",
     .labels = true,
     .between = ", ",
     .not_shown = "b",
     .skipped = "b",
     .skipped_text = "b",
     .left = "b",
     .n_rename = 1,
     .rename = {{"Timestamp", "submitdate"}}},
    {.tool = "microsoft-forms",
     .file = "microsoft.xlsx",
     .id = "Id",
     .submitted = "Completion time",
     .started = "Start time",
     .labels = true,
     .between = ";",
     .not_shown = "b",
     .skipped = "b",
     .skipped_text = "b",
     .left = "b",
     .n_rename = 3,
     .rename = {{"Id", "id"}, {"Completion time", "submitdate"}, {"Start time", "startdate"}}},
    {.tool = "eusurvey",
     .file = "eusurvey.xlsx",
     .id = "Contribution ID",
     .submitted = "Last update",
     .started = "Creation date",
     .labels = true,
     .between = "; ",
     .not_shown = "b",
     .skipped = "b",
     .skipped_text = "b",
     .left = "b",
     .n_rename = 3,
     .rename = {{"Contribution ID", "id"}, {"Last update", "submitdate"}, {"Creation date", "startdate"}}},
    {.tool = "eusurvey",
     .file = "eusurvey.ods",
     .id = "Contribution ID",
     .submitted = "Last update",
     .started = "Creation date",
     .labels = true,
     .between = "; ",
     .not_shown = "b",
     .skipped = "b",
     .skipped_text = "b",
     .left = "b",
     .n_rename = 3,
     .rename = {{"Contribution ID", "id"}, {"Last update", "submitdate"}, {"Creation date", "startdate"}}},
    {.tool = "eusurvey",
     .file = "eusurvey.xml",
     .id = "Contribution ID",
     .submitted = "Last update",
     .started = "Creation date",
     .between = "; ",
     .not_shown = "b",
     .skipped = "b",
     .skipped_text = "b",
     .left = "b",
     .n_rename = 3,
     .rename = {{"Contribution ID", "id"}, {"Last update", "submitdate"}, {"Creation date", "startdate"}}},
    {.tool = "csv",
     .file = "plain.csv",
     .delimiter = ',',
     .part = "%s_%s",
     .chosen = "1",
     .not_chosen = "0",
     .not_shown = "b",
     .skipped = "b",
     .skipped_text = "b",
     .left = "b"},
    {.tool = "spss", .file = "answers.sav", .kinds = true, .not_chosen = "0"},
    {.tool = "spss", .file = "answers.zsav", .kinds = true, .not_chosen = "0"},
    {.tool = "stata", .file = "answers.dta", .kinds = true, .not_chosen = "0"}};
enum { N_MANNERS = sizeof manners / sizeof *manners };

/* A column of the export: a whole variable, or one part or place of it. */
struct column {
    const char *heading, *second; /* second: row of texts, or of options */
    size_t variable, part;        /* part RSP_NONE: the whole */
    bool place;                   /* part is a place of a rank */
};

struct writer {
    const struct manner *m;
    const rsp_study *s;
    const rsp_frame *f;
    rsp_arena *arena;
    size_t n, capacity;
    struct column *columns;
};

static bool is(const struct writer *w, const char *tool) { return strcmp(w->m->tool, tool) == 0; }

static const char *variable_heading(const struct writer *w, size_t v) {
    const rsp_variable *x = &w->s->variables[v];
    const rsp_roles *r = &w->s->roles;
    if (v == r->id && w->m->id) return w->m->id;
    if (v == r->submitted && w->m->submitted) return w->m->submitted;
    if (v == r->started && w->m->started) return w->m->started;
    if (is(w, "eusurvey")) return rsp_printf(w->arena, "%s (%s)", rsp_variable_label(w->s, v, "pl"), x->name);
    if (w->m->labels && v != r->id) return rsp_variable_label(w->s, v, "pl");
    return is(w, "kobo") ? rsp_printf(w->arena, "group_a/%s", x->name) : x->name;
}

static void add(struct writer *w, const char *heading, const char *second, size_t v, size_t part, bool place) {
    struct column c = {heading, second, v, part, place};
    RSP_PUSH(w->columns, w->n, w->capacity, c);
}

/* Columns of a select_multiple or rank. */
static void add_parts(struct writer *w, size_t v) {
    const rsp_variable *x = &w->s->variables[v];
    const char *question = rsp_variable_label(w->s, v, "pl");
    for (size_t k = 0; k < x->list->n; k++) {
        const char *code = x->list->choices[k].code, *option = rsp_choice_label(x->list, k, "pl");
        bool place = x->type == RSP_RANK && w->m->place_columns;
        if (w->m->labels) add(w, k ? "" : question, option, v, k, false);
        else
            add(w, rsp_printf(w->arena, w->m->part, x->name, place ? rsp_printf(w->arena, "%zu", k + 1) : code),
                rsp_printf(w->arena, "%s - %s", question, option), v, k, place);
    }
}

static void plan(struct writer *w) {
    for (size_t v = 0; v < w->s->n_variables; v++) {
        const rsp_variable *x = &w->s->variables[v];
        if (x->derive.kind != RSP_DERIVE_NONE || x->part_of != RSP_NONE) continue;
        bool parts = x->first_part != RSP_NONE;
        if (parts && !w->m->between) add_parts(w, v);
        else
            add(w, variable_heading(w, v), w->m->labels ? "Response" : rsp_variable_label(w->s, v, "pl"), v, RSP_NONE,
                false);
    }
}

/* The point in time stands in front. */
static void timestamp_first(struct writer *w) {
    for (size_t k = 1; is(w, "google-forms") && k < w->n; k++) {
        if (w->columns[k].variable != w->s->roles.submitted) continue;
        struct column c = w->columns[k];
        memmove(w->columns + 1, w->columns, k * sizeof c);
        w->columns[0] = c;
    }
}

/* ---- cells; NULL is a bare blank -------------------------------------------------------------------------------- */

static const char *missing_cell(const struct writer *w, int why, bool text) {
    const char *sign = why == RSP_NA_SKIPPED     ? text ? w->m->skipped_text : w->m->skipped
                       : why == RSP_NA_BROKE_OFF ? w->m->left
                                                 : w->m->not_shown;
    return strcmp(sign, "b") == 0 ? NULL : strcmp(sign, "q") == 0 ? "" : sign;
}

static const char *number_cell(const struct writer *w, double x, bool date) {
    char text[40];
    if (!date) rsp_double_text(x, text);
    else {
        time_t t = (time_t) x;
        struct tm c;
        gmtime_r(&t, &c);
        const char *form = w->m->month_first ? "%m/%d/%Y %I:%M:%S %p"
                           : is(w, "kobo")   ? "%Y-%m-%dT%H:%M:%S.000+00:00"
                                             : "%Y-%m-%d %H:%M:%S";
        strftime(text, sizeof text, form, &c);
    }
    return rsp_strdup(w->arena, text);
}

static const char *choice_cell(const struct writer *w, const rsp_list *l, size_t k) {
    if (!w->m->labels) return l->choices[k].code;
    const char *label = rsp_choice_label(l, k, "pl");
    return is(w, "eusurvey") ? rsp_printf(w->arena, "%s(%s)", label, l->choices[k].code) : label;
}

static const char *part_cell(const struct writer *w, const struct column *c, size_t row) {
    const rsp_variable *x = &w->s->variables[c->variable];
    const int8_t *parts[128] = {NULL};
    for (size_t k = 0; k < x->list->n; k++) parts[k] = w->f->columns[x->first_part + k].c8;
    int value = parts[c->part][row];
    if (c->place) {
        for (size_t k = 0; k < x->list->n; k++)
            if (parts[k][row] == (int) c->part + 1) return choice_cell(w, x->list, k);
        return parts[0][row] < 0 ? missing_cell(w, parts[0][row], false) : "";
    }
    if (x->type == RSP_RANK)
        return value > 0 ? number_cell(w, value, false) : value == 0 ? NULL : missing_cell(w, value, false);
    if (value < 0) return is(w, "redcap") ? "0" : missing_cell(w, value, true);
    if (value == 1) return w->m->chosen ? w->m->chosen : rsp_choice_label(x->list, c->part, "pl");
    return w->m->not_chosen && strcmp(w->m->not_chosen, "q") == 0 ? "" : w->m->not_chosen;
}

/* All chosen, or all in order, in one cell. */
static const char *joined_cell(const struct writer *w, const struct column *c, size_t row) {
    const rsp_variable *x = &w->s->variables[c->variable];
    rsp_buf b = {0};
    for (size_t place = 1; place <= x->list->n; place++)
        for (size_t k = 0; k < x->list->n; k++) {
            int value = w->f->columns[x->first_part + k].c8[row];
            bool here = x->type == RSP_RANK ? value == (int) place : place == 1 && value == 1;
            if (!here) continue;
            if (b.length) rsp_buf_puts(&b, w->m->between);
            rsp_buf_puts(&b, choice_cell(w, x->list, k));
        }
    if (b.length && is(w, "microsoft-forms")) rsp_buf_puts(&b, w->m->between);
    const char *text = b.length ? rsp_strdup(w->arena, b.data) : NULL;
    rsp_buf_free(&b);
    return text;
}

static const char *cell(const struct writer *w, const struct column *c, size_t row) {
    const rsp_column *x = &w->f->columns[c->variable];
    rsp_type type = w->s->variables[c->variable].type;
    if (c->part != RSP_NONE) return part_cell(w, c, row);
    if (w->s->variables[c->variable].first_part != RSP_NONE) return joined_cell(w, c, row);
    switch (x->kind) {
    case RSP_COL_CODE: {
        int k = rsp_code(x, row);
        return k >= 0 ? choice_cell(w, x->list, (size_t) k) : missing_cell(w, k, false);
    }
    case RSP_COL_NUMBER:
        if (isnan(x->number[row])) return missing_cell(w, x->why[row], true);
        return number_cell(w, x->number[row], type == RSP_DATE || type == RSP_DATETIME);
    case RSP_COL_TEXT: return x->text[row] >= 0 ? x->words[x->text[row]] : missing_cell(w, x->text[row], true);
    default: return NULL; /* texts that the study does not read */
    }
}

/* ---- rows of headings that a tool adds, columns of its own ------------------------------------------------------ */

struct own {
    const char *tool, *heading, *value;
};

static const struct own own_columns[] = {{"limesurvey", "lastpage", "5"},
                                         {"qualtrics", "EndDate", "2026-03-01 10:00:00"},
                                         {"qualtrics", "Status", "0"},
                                         {"qualtrics", "IPAddress", "10.0.0.1"},
                                         {"surveymonkey", "Collector ID", "42"},
                                         {"kobo", "_uuid", "c0ffee"},
                                         {"kobo", "_index", "1"},
                                         {"kobo", "__version__", "v1"},
                                         {"redcap", "redcap_event_name", "baseline_arm_1"},
                                         {"redcap", "form_complete", "2"},
                                         {"sosci", "QUESTNNR", "pl"},
                                         {"sosci", "MODE", "interview"},
                                         {"sosci", "LASTPAGE", "5"},
                                         {"sosci", "MAXPAGE", "5"},
                                         {"unipark", "quota", "1"},
                                         {"microsoft-forms", "Email", "anonymous"},
                                         {"microsoft-forms", "Name", NULL},
                                         {"eusurvey", "Invitation number", NULL}};

enum { MOST_OWN = 8 };

/* Was the row's questionnaire left before its end? The tools that say so have a column of their own for it. */
static const char *finished_cell(const struct writer *w, size_t row) {
    bool left = isnan(w->f->columns[w->s->roles.submitted].number[row]);
    return is(w, "unipark") ? left ? "22" : "31" : left ? "0" : "1";
}

static const char *finished_heading(const struct writer *w) {
    return is(w, "qualtrics") ? "Finished" : is(w, "sosci") ? "FINISHED" : is(w, "unipark") ? "dispcode" : NULL;
}

static size_t own_of(const struct writer *w, const struct own *own[MOST_OWN]) {
    size_t n = 0;
    for (size_t k = 0; k < sizeof own_columns / sizeof *own_columns; k++)
        if (is(w, own_columns[k].tool)) own[n++] = &own_columns[k];
    return n;
}

/* All rows, texts as the tool writes them. emit is called for each cell, with NULL for a bare blank. */
struct target {
    void (*cell)(void *to, size_t row, size_t column, const char *text);
    void (*end)(void *to);
    void *to;
};

static void emit_row(const struct writer *w, const struct target *t, size_t at, int which, size_t row) {
    const struct own *own[MOST_OWN];
    size_t n_own = own_of(w, own), column = 0;
    /* SoSci, Unipark, Microsoft Forms and SurveyMonkey have the id in front: it is the study's first variable. */
    for (size_t k = 0; k < w->n; k++) {
        const struct column *c = &w->columns[k];
        const char *text = which == 0 ? c->heading : which == 1 ? c->second : cell(w, c, row);
        if (which == 1 && is(w, "surveymonkey") && c->variable == w->s->roles.id) text = NULL;
        if (which == 2) text = rsp_printf(w->arena, "{\"ImportId\":\"QID%zu\"}", k);
        if (which == 4) text = c->heading; /* codes */
        t->cell(t->to, at, column++, text);
    }
    for (size_t k = 0; k < n_own; k++)
        t->cell(t->to, at, column++,
                which == 0 || which == 4 ? own[k]->heading
                : which == 1             ? is(w, "surveymonkey") ? NULL : own[k]->heading
                : which == 2             ? "{\"ImportId\":\"own\"}"
                                         : own[k]->value);
    if (finished_heading(w))
        t->cell(t->to, at, column++,
                which < 2    ? finished_heading(w)
                : which == 2 ? "{\"ImportId\":\"finished\"}"
                             : finished_cell(w, row));
    t->end(t->to);
}

static void emit(const struct writer *w, const struct target *t) {
    size_t at = 0;
    if (is(w, "eusurvey")) {
        t->cell(t->to, 0, 0, "Alias");
        t->cell(t->to, 0, 1, "small");
        t->cell(t->to, 1, 0, "Export Date");
        t->cell(t->to, 1, 1, "2026-07-01");
        at = 3;
    }
    bool vv = strcmp(w->m->file, "vv.csv") == 0;
    emit_row(w, t, at++, vv ? 1 : 0, 0);
    if (vv) emit_row(w, t, at++, 4, 0);
    if (is(w, "qualtrics") || is(w, "surveymonkey")) emit_row(w, t, at++, 1, 0);
    if (is(w, "qualtrics")) emit_row(w, t, at++, 2, 0);
    for (size_t i = 0; i < w->f->n; i++) emit_row(w, t, at++, 3, i);
}

/* ---- containers ------------------------------------------------------------------------------------------------- */

struct text_file {
    rsp_buf b;
    char delimiter;
    bool bare; /* VV quotes nothing */
};

static void text_cell(void *to, size_t row, size_t column, const char *text) {
    struct text_file *f = to;
    (void) row;
    if (column) rsp_buf_putc(&f->b, f->delimiter);
    if (!text) return;
    if (!f->bare) rsp_buf_putc(&f->b, '"');
    for (const char *c = text; *c; c++) {
        if (*c == '"' && !f->bare) rsp_buf_putc(&f->b, '"');
        rsp_buf_putc(&f->b, *c);
    }
    if (!f->bare) rsp_buf_putc(&f->b, '"');
}

static void text_end(void *to) { rsp_buf_puts(&((struct text_file *) to)->b, "\r\n"); }

static void write_text_file(const struct writer *w, const char *path) {
    struct text_file f = {.delimiter = w->m->delimiter, .bare = strcmp(w->m->file, "vv.csv") == 0};
    rsp_diag *d = rsp_diag_new();
    emit(w, &(struct target){text_cell, text_end, &f});
    assert_true(rsp_write_file(path, f.b.data, f.b.length, d));
    rsp_buf_free(&f.b);
    rsp_diag_free(d);
}

static void xlsx_cell(void *to, size_t row, size_t column, const char *text) {
    double x;
    if (text && row > 3 && rsp_parse_double(text, strlen(text), '.', &x))
        worksheet_write_number(to, (lxw_row_t) row, (lxw_col_t) column, x, NULL);
    else if (text && *text) worksheet_write_string(to, (lxw_row_t) row, (lxw_col_t) column, text, NULL);
}

static void nothing(void *to) { (void) to; }

static void write_xlsx_file(const struct writer *w, const char *path) {
    lxw_workbook *book = workbook_new(path);
    const char *name = is(w, "eusurvey") ? "Content" : is(w, "google-forms") ? "Form Responses 1" : "Form1";
    lxw_worksheet *sheet = workbook_add_worksheet(book, name);
    emit(w, &(struct target){xlsx_cell, nothing, sheet});
    assert_int_equal(workbook_close(book), 0);
}

struct ods_file {
    rsp_buf b;
    size_t row, column;
    bool open;
};

static void ods_cell(void *to, size_t row, size_t column, const char *text) {
    struct ods_file *f = to;
    if (f->open && row != f->row) {
        rsp_buf_puts(&f->b, "</table:table-row>");
        f->open = false;
    }
    if (!f->open && row > f->row + 1)
        rsp_buf_printf(&f->b,
                       "<table:table-row table:number-rows-repeated=\"%zu\"><table:table-cell/></table:table-row>",
                       row - f->row - 1);
    if (!f->open) {
        rsp_buf_puts(&f->b, "<table:table-row>");
        f->column = 0;
    }
    f->open = true;
    f->row = row;
    if (!text || !*text) return;
    if (column > f->column)
        rsp_buf_printf(&f->b, "<table:table-cell table:number-columns-repeated=\"%zu\"/>", column - f->column);
    f->column = column + 1;
    rsp_buf_puts(&f->b, "<table:table-cell office:value-type=\"string\"><text:p>");
    for (const char *c = text; *c; c++) {
        if (*c == '&') rsp_buf_puts(&f->b, "&amp;");
        else if (*c == '<') rsp_buf_puts(&f->b, "&lt;");
        else rsp_buf_putc(&f->b, *c);
    }
    rsp_buf_puts(&f->b, "</text:p></table:table-cell>");
}

static void write_ods_file(const struct writer *w, const char *path) {
    struct ods_file f = {.row = SIZE_MAX};
    rsp_buf_puts(&f.b, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>"
                       "<office:document-content xmlns:office=\"urn:oasis:names:tc:opendocument:xmlns:office:1.0\" "
                       "xmlns:table=\"urn:oasis:names:tc:opendocument:xmlns:table:1.0\" "
                       "xmlns:text=\"urn:oasis:names:tc:opendocument:xmlns:text:1.0\"><office:body><office:spreadsheet>"
                       "<table:table table:name=\"Content\">");
    emit(w, &(struct target){ods_cell, nothing, &f});
    rsp_buf_puts(&f.b, "</table:table-row></table:table></office:spreadsheet></office:body></office:document-content>");
    zip_t *zip = zip_open(path, ZIP_CREATE | ZIP_TRUNCATE, NULL);
    assert_non_null(zip);
    zip_file_add(zip, "content.xml", zip_source_buffer(zip, f.b.data, f.b.length, 0), ZIP_FL_ENC_UTF_8);
    assert_int_equal(zip_close(zip), 0);
    rsp_buf_free(&f.b);
}

/* ---- statistics files: numbers with labels ---------------------------------------------------------------------- */

static ssize_t to_file(const void *bytes, size_t n, void *context) { return (ssize_t) fwrite(bytes, 1, n, context); }

/* Kinds of missing as user-missing codes with labels. */
static const struct {
    double code;
    const char *label;
    int kind;
} stat_missing[] = {{-1, "No answer", RSP_NA_SKIPPED}, {-2, "Not applicable", RSP_NA_NOT_SHOWN}};

static void stat_variable(const struct writer *w, readstat_writer_t *out, size_t v, bool dta) {
    const rsp_variable *x = &w->s->variables[v];
    const rsp_column *c = &w->f->columns[v];
    bool text = c->kind == RSP_COL_TEXT || c->kind == RSP_COL_NONE;
    bool date = x->type == RSP_DATE || x->type == RSP_DATETIME;
    readstat_variable_t *to =
        readstat_add_variable(out, x->name, text ? READSTAT_TYPE_STRING : READSTAT_TYPE_DOUBLE, text ? 40 : 0);
    readstat_variable_set_label(to, rsp_variable_label(w->s, v, "pl"));
    if (date) readstat_variable_set_format(to, dta ? "%tc" : "DATETIME20");
    if (text || date) return;
    readstat_label_set_t *set = readstat_add_label_set(out, READSTAT_TYPE_DOUBLE, rsp_printf(w->arena, "l%zu", v));
    for (size_t k = 0; x->list && x->part_of == RSP_NONE && k < x->list->n; k++)
        readstat_label_double_value(set, (double) k + 1, rsp_choice_label(x->list, k, "pl"));
    for (size_t k = 0; k < 2 && !dta; k++) {
        readstat_label_double_value(set, stat_missing[k].code, stat_missing[k].label);
        readstat_variable_add_missing_double_value(to, stat_missing[k].code);
    }
    if (dta) {
        readstat_label_tagged_value(set, 'a', stat_missing[0].label);
        readstat_label_tagged_value(set, 'b', stat_missing[1].label);
    }
    readstat_variable_set_label_set(to, set);
}

static void stat_missing_value(readstat_writer_t *out, const readstat_variable_t *to, int why, bool dta) {
    int k = why == RSP_NA_SKIPPED ? 0 : why == RSP_NA_NOT_SHOWN ? 1 : -1;
    if (k < 0) readstat_insert_missing_value(out, to);
    else if (dta) readstat_insert_tagged_missing_value(out, to, (char) ('a' + k));
    else readstat_insert_double_value(out, to, stat_missing[k].code);
}

static void stat_value(const struct writer *w, readstat_writer_t *out, int at, size_t v, size_t row, bool dta) {
    const rsp_column *c = &w->f->columns[v];
    const readstat_variable_t *to = readstat_get_variable(out, at);
    rsp_type type = w->s->variables[v].type;
    double epoch = dta ? 315619200.0 : 12219379200.0;
    if (c->kind == RSP_COL_TEXT || c->kind == RSP_COL_NONE) {
        readstat_insert_string_value(out, to,
                                     c->kind == RSP_COL_TEXT && c->text[row] >= 0 ? c->words[c->text[row]] : "");
    } else if (c->kind == RSP_COL_NUMBER) {
        if (isnan(c->number[row])) {
            bool date = type == RSP_DATE || type == RSP_DATETIME;
            stat_missing_value(out, to, date ? 0 : c->why[row], dta);
        } else if (type == RSP_DATE || type == RSP_DATETIME)
            readstat_insert_double_value(out, to, (c->number[row] + epoch) * (dta ? 1000 : 1));
        else readstat_insert_double_value(out, to, c->number[row]);
    } else {
        int code = rsp_code(c, row);
        if (code < 0) stat_missing_value(out, to, code, dta);
        else readstat_insert_double_value(out, to, code + (c->kind == RSP_COL_CODE));
    }
}

static void write_stat_file(const struct writer *w, const char *path) {
    bool dta = strstr(path, ".dta") != NULL, zsav = strstr(path, ".zsav") != NULL, por = strstr(path, ".por") != NULL;
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    readstat_writer_t *out = readstat_writer_init();
    readstat_set_data_writer(out, to_file);
    size_t n = 0, *variables = rsp_calloc(w->s->n_variables, sizeof *variables);
    for (size_t v = 0; v < w->s->n_variables; v++) {
        const rsp_variable *x = &w->s->variables[v];
        if (x->derive.kind != RSP_DERIVE_NONE || x->first_part != RSP_NONE) continue;
        stat_variable(w, out, v, dta);
        variables[n++] = v;
    }
    if (zsav) readstat_writer_set_compression(out, READSTAT_COMPRESS_BINARY);
    long rows = (long) w->f->n;
    readstat_error_t rc = dta   ? readstat_begin_writing_dta(out, file, rows)
                          : por ? readstat_begin_writing_por(out, file, rows)
                                : readstat_begin_writing_sav(out, file, rows);
    assert_int_equal(rc, READSTAT_OK);
    for (size_t i = 0; i < w->f->n; i++) {
        readstat_begin_row(out);
        for (size_t k = 0; k < n; k++) stat_value(w, out, (int) k, variables[k], i, dta);
        assert_int_equal(readstat_end_row(out), READSTAT_OK);
    }
    assert_int_equal(readstat_end_writing(out), READSTAT_OK);
    readstat_writer_free(out);
    fclose(file);
    free(variables);
}

/* ---- there and back --------------------------------------------------------------------------------------------- */

/* Of a kind of missing what is left after the way through the tool's format. */
static int what_is_left(const struct manner *m, int why) { return why >= 0 ? why : m->kinds ? why : -1; }

static bool statistics(const struct manner *m) { return strcmp(m->tool, "spss") == 0 || strcmp(m->tool, "stata") == 0; }

/* Statistics files tell the two kinds that they declare. */
static int kind_left(const struct manner *m, const rsp_variable *v, int why) {
    if (why >= 0) return why;
    bool date = v->type == RSP_DATE || v->type == RSP_DATETIME;
    if (date) return RSP_NA_UNKNOWN; /* only of the tools' own columns: blank because the questionnaire was left */
    if (statistics(m)) return why == RSP_NA_SKIPPED || why == RSP_NA_NOT_SHOWN ? why : RSP_NA_UNKNOWN;
    return what_is_left(m, why);
}

static int small(const rsp_column *c, size_t i) {
    if (c->kind == RSP_COL_NUMBER) return isnan(c->number[i]) ? c->why[i] : 0;
    return c->kind == RSP_COL_TEXT ? c->text[i] < 0 ? c->text[i] : 0 : rsp_code(c, i);
}

static void expect_same_cell(const struct manner *m, const rsp_frame *f, const rsp_frame *g, size_t v, size_t i) {
    const rsp_variable *x = &f->study->variables[v];
    const rsp_column *a = &f->columns[v], *b = &g->columns[v];
    if (a->kind == RSP_COL_NONE) return;
    int want = small(a, i), got = small(b, i);
    bool part = x->part_of != RSP_NONE;
    bool joined = part && m->between,
         noughts = part && (strcmp(m->tool, "redcap") == 0 || strcmp(m->tool, "csv") == 0 || !m->not_chosen);
    /* A joined cell, and ticks that are blank or 0 in any case, do not tell "none" from "not answered". */
    if ((joined || noughts) && want <= 0 && got <= 0) return;
    if (part && f->study->variables[x->part_of].type == RSP_RANK && want <= 0 && got <= 0) return;
    want = kind_left(m, x, want);
    got = kind_left(m, x, got);
    if (want != got) {
        char name[256];
        fail_msg("%s: '%s' of %s is %d instead of %d (%s)", m->file, x->name, rsp_case_name(f, i, name), got, want,
                 x->list && got >= 0 && a->kind == RSP_COL_CODE ? x->list->choices[got].code : "");
    }
    if (a->kind == RSP_COL_NUMBER && want == 0 && a->number[i] != b->number[i])
        fail_msg("%s: '%s' is %.17g instead of %.17g", m->file, x->name, b->number[i], a->number[i]);
    if (a->kind == RSP_COL_TEXT && want == 0) assert_string_equal(a->words[a->text[i]], b->words[b->text[i]]);
}

static void expect_same_frame(const struct manner *m, const rsp_frame *f, const rsp_frame *g) {
    assert_int_equal(f->n, g->n);
    for (size_t i = 0; i < f->n; i++)
        for (size_t v = 0; v < f->n_columns; v++)
            if (f->study->variables[v].derive.kind == RSP_DERIVE_NONE) expect_same_cell(m, f, g, v, i);
}

/* ---- EUSurvey's XML ---------------------------------------------------------------------------------------------- */

static void xml_text(rsp_buf *b, const char *text) {
    for (; *text; text++) {
        if (strchr("<>&\"", *text)) rsp_buf_printf(b, "&#%d;", *text);
        else rsp_buf_putc(b, *text);
    }
}

static void xml_attribute(rsp_buf *b, const char *name, const char *text) {
    rsp_buf_printf(b, " %s=\"", name);
    xml_text(b, text);
    rsp_buf_puts(b, "\"");
}

/* The attribute of a contribution that holds the variable; NULL: it is a question. */
static const char *xml_attribute_of(const struct writer *w, size_t v) {
    const rsp_roles *r = &w->s->roles;
    return v == r->id ? "id" : v == r->started ? "create" : v == r->submitted ? "last" : NULL;
}

static void xml_question(const struct writer *w, size_t k, rsp_buf *b) {
    size_t v = w->columns[k].variable;
    const rsp_list *l = w->s->variables[v].list;
    if (xml_attribute_of(w, v)) return;
    rsp_buf_printf(b, "<Question id=\"q%zu\"", k);
    xml_attribute(b, "bid", w->s->variables[v].name);
    rsp_buf_puts(b, ">");
    xml_text(b, rsp_variable_label(w->s, v, "pl"));
    rsp_buf_puts(b, "</Question>\n");
    for (size_t c = 0; l && c < l->n; c++) {
        rsp_buf_printf(b, "<Answer id=\"q%zu_%s\"", k, l->choices[c].code);
        xml_attribute(b, "bid", l->choices[c].code);
        rsp_buf_puts(b, ">");
        xml_text(b, rsp_choice_label(l, c, "pl"));
        rsp_buf_puts(b, "</Answer>\n");
    }
}

/* Each of several codes is an answer of its own. */
static void xml_answers(const struct writer *w, size_t k, const char *text, rsp_buf *b) {
    bool coded = w->s->variables[w->columns[k].variable].list != NULL;
    while (text && *text) {
        size_t n = coded ? strcspn(text, ";") : strlen(text);
        const char *one = rsp_strndup(w->arena, text, n);
        rsp_buf_printf(b, "<Answer qid=\"q%zu\"", k);
        if (coded) xml_attribute(b, "aid", rsp_printf(w->arena, "q%zu_%s", k, one));
        rsp_buf_puts(b, ">");
        if (!coded) xml_text(b, one);
        rsp_buf_puts(b, "</Answer>");
        text += n + strspn(text + n, "; ");
    }
}

static void xml_contribution(const struct writer *w, size_t row, rsp_buf *b) {
    rsp_buf_puts(b, "<AnswerSet list=\"1\" lang=\"pl\"");
    for (size_t k = 0; k < w->n; k++) {
        const char *name = xml_attribute_of(w, w->columns[k].variable), *text = cell(w, &w->columns[k], row);
        if (!name || !text) continue;
        char *point = rsp_strdup(w->arena, text); /* of time: 2026-03-01_10-00-00 */
        for (char *c = point; strcmp(name, "id") != 0 && *c; c++) *c = *c == ' ' ? '_' : *c == ':' ? '-' : *c;
        xml_attribute(b, name, point);
    }
    rsp_buf_puts(b, ">");
    for (size_t k = 0; k < w->n; k++)
        if (!xml_attribute_of(w, w->columns[k].variable)) xml_answers(w, k, cell(w, &w->columns[k], row), b);
    rsp_buf_puts(b, "</AnswerSet>\n");
}

static void write_xml_file(const struct writer *w, const char *path) {
    rsp_diag *d = rsp_diag_new();
    rsp_buf b = {0};
    rsp_buf_puts(&b,
                 "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Results create=\"2026-07-01_10-00-00\"><Survey id=\"1\" "
                 "alias=\"small\"><Elements lang=\"pl\">\n");
    for (size_t k = 0; k < w->n; k++) xml_question(w, k, &b);
    rsp_buf_puts(&b, "</Elements></Survey><Answers>\n");
    for (size_t i = 0; i < w->f->n; i++) xml_contribution(w, i, &b);
    rsp_buf_puts(&b, "</Answers></Results>\n");
    assert_true(rsp_write_file(path, b.data, b.length, d));
    rsp_buf_free(&b);
    rsp_diag_free(d);
}

static void write_export(const struct writer *w, const char *path) {
    if (statistics(w->m)) write_stat_file(w, path);
    else if (strstr(path, ".xml")) write_xml_file(w, path);
    else if (strstr(path, ".xlsx")) write_xlsx_file(w, path);
    else if (strstr(path, ".ods")) write_ods_file(w, path);
    else write_text_file(w, path);
}

static void there_and_back(rsp_study *s, const rsp_frame *f, const struct manner *m, const char *folder) {
    rsp_diag *d = rsp_diag_new();
    struct writer w = {.m = m, .s = s, .f = f, .arena = rsp_arena_new()};
    char path[200];
    snprintf(path, sizeof path, "%s/%s", folder, m->file);
    if (!statistics(m)) plan(&w);
    timestamp_first(&w);
    write_export(&w, path);
    expect_any_block(path);
    const char *patterns[] = {path};
    rsp_source source = {.n_patterns = 1,
                         .patterns = patterns,
                         .format = strcmp(m->tool, "csv") ? "auto" : "csv",
                         .n_rename = m->n_rename,
                         .rename = (rsp_pair *) m->rename};
    rsp_study with = *s; /* the export is the whole study's only source, in a folder that it may read */
    char *real = realpath(folder, NULL);
    const char *roots[] = {real};
    with.sources = &source;
    with.n_sources = 1;
    with.roots = roots;
    with.n_roots = 1;
    rsp_frame *g = rsp_intake(&with, d);
    if (!g || rsp_diag_warnings(d)) rsp_diag_print(d, stderr, false, 20);
    assert_non_null(g);
    assert_string_equal(g->files[0].tool, m->tool);
    assert_int_equal(rsp_diag_warnings(d), 0);
    expect_same_frame(m, f, g);
    rsp_frame_free(g);
    free(real);
    free(w.columns);
    rsp_arena_free(w.arena);
    rsp_diag_free(d);
}

/* The fixture does not say why blanks are blank: here half of them were skipped, the others not shown. */
static void tell_kinds(rsp_frame *f) {
    for (size_t v = 0; v < f->n_columns; v++) {
        const rsp_variable *x = &f->study->variables[v];
        bool parts = x->first_part != RSP_NONE;
        if (x->derive.kind != RSP_DERIVE_NONE || x->part_of != RSP_NONE || v == f->study->roles.submitted) continue;
        const rsp_column *c = &f->columns[parts ? x->first_part : v];
        for (size_t i = 0; c->kind != RSP_COL_NONE && i < f->n; i++)
            if (small(c, i) == RSP_NA_UNKNOWN)
                rsp_set_missing(f, v, i, !parts && (i + v) % 2 ? RSP_NA_SKIPPED : RSP_NA_NOT_SHOWN);
    }
}

/* Rows sent twice could change places, as their order follows their content. */
static void leave_out_doubles(rsp_frame *f) {
    char name[256], next[256];
    for (size_t i = 0; i + 1 < f->n; i++)
        if (strcmp(rsp_case_name(f, i, name), rsp_case_name(f, i + 1, next)) == 0) f->aside[i] = 0;
    rsp_frame_keep(f);
}

/* The questionnaire of specs/ifsw, simulated answers of one country. */
static void test_round_trips(void **state) {
    (void) state;
    rsp_diag *d = rsp_diag_new();
    rsp_study *s = rsp_study_load("specs/ifsw", d);
    assert_non_null(s);
    const char *patterns[] = {"../../fixtures/ifsw/PL.csv"};
    rsp_source source = {.n_patterns = 1, .patterns = patterns, .format = "auto"};
    rsp_source *before = s->sources;
    size_t n_before = s->n_sources;
    s->sources = &source;
    s->n_sources = 1;
    rsp_frame *f = rsp_intake(s, d);
    s->sources = before;
    s->n_sources = n_before;
    assert_non_null(f);
    leave_out_doubles(f);
    tell_kinds(f);
    char folder[] = "/tmp/responsive-exports-XXXXXX";
    assert_non_null(mkdtemp(folder));
    for (size_t k = 0; k < N_MANNERS; k++) there_and_back(s, f, &manners[k], folder);
    assert_int_equal(sh("rm -r %s", folder), 0);
    rsp_frame_free(f);
    rsp_study_free(s);
    rsp_diag_free(d);
}

/* ---- EUSurvey's XML by hand --------------------------------------------------------------------------------------- */

static void test_eusurvey_xml(void **state) {
    static const char xml[] = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Results "
                              "create=\"2026-07-01_10-00-00\"><Survey id=\"1\" alias=\"a\">"
                              "<Elements lang=\"en\"><Question id=\"q1\" bid=\"country\">Country &lt;b&gt;of "
                              "work&lt;/b&gt;</Question><Answer id=\"a1\" "
                              "bid=\"MT\">Malta</Answer><Answer id=\"a2\">Italy</Answer><Question "
                              "id=\"q2\">Services</Question><Answer id=\"s1\" "
                              "bid=\"S1\">Advice</Answer><Answer id=\"s3\" bid=\"S3\">Home care</Answer><MatrixTitle "
                              "id=\"m\">Trust</MatrixTitle>"
                              "<MatrixQuestion id=\"m1\" bid=\"courts\">Courts</MatrixQuestion><MatrixQuestion "
                              "id=\"m2\">Police</MatrixQuestion>"
                              "<MatrixAnswer id=\"h\" bid=\"4\">high</MatrixAnswer></Elements><Elements "
                              "lang=\"it\"><Question id=\"q1\">Paese</Question>"
                              "</Elements></Survey><Answers><AnswerSet id=\"c1\" create=\"2026-06-01_10-11-12\" "
                              "last=\"2026-06-01_10-12-13\" list=\"1\" "
                              "lang=\"mt\" user=\"x@y.eu\"><Answer qid=\"q1\" aid=\"a1\"/><Answer qid=\"q2\" "
                              "aid=\"s1\">x</Answer><Answer qid=\"q2\" "
                              "aid=\"s3\"/><Answer qid=\"m2\" aid=\"h\"/></AnswerSet><AnswerSet id=\"Anonymous\" "
                              "create=\"2026-06-02_10-11-12\" "
                              "lang=\"it\"><Answer qid=\"q1\" aid=\"a2\"/></AnswerSet></Answers></Results>";
    static const char *const headings[] = {
        "Contribution ID", "Creation date", "Last update", "Languages", "country", "q2", "courts", "m2"};
    static const char *const cells[2][8] = {
        {"c1", "2026-06-01 10:11:12", "2026-06-01 10:12:13", "mt", "MT", "S1; S3", "", "4"},
        {"", "2026-06-02 10:11:12", "", "it", "a2", "", "", ""}};
    (void) state;
    rsp_diag *d = rsp_diag_new();
    rsp_buf raw = {0};
    rsp_open_options o = {NULL, 0, NULL};
    char why[160];
    rsp_buf_add(&raw, xml, sizeof xml - 1);
    rsp_table_data *t = rsp_table_open(&raw, "results.xml", &o, d);
    assert_non_null(t);
    assert_string_equal(rsp_tool_take("auto", t, why, d)->name, "eusurvey");
    assert_int_equal(t->n_records, 2);
    assert_int_equal(t->n_columns, 8);
    for (size_t j = 0; j < 8; j++) assert_string_equal(t->headings[j], headings[j]);
    for (size_t i = 0; i < 2; i++)
        for (size_t j = 0; j < 8; j++) assert_string_equal(rsp_table_record(t, i)[j], cells[i][j]);
    assert_int_equal(t->info[4].n_values, 2);
    assert_string_equal(t->info[4].values[1].label, "Italy");
    assert_string_equal(t->info[6].values[0].code, "4");
    rsp_table_close(t);
    assert_int_equal(rsp_diag_errors(d), 0);
    rsp_diag_free(d);
}

/* ---- what is refused -------------------------------------------------------------------------------------------- */

static void expect_refused(const char *what, const char *bytes, size_t length, const char *says) {
    rsp_diag *d = rsp_diag_new();
    rsp_buf raw = {0};
    rsp_open_options o = {NULL, 0, NULL};
    rsp_buf_add(&raw, bytes, length);
    limit_seconds(60);
    rsp_table_data *t = rsp_table_open(&raw, what, &o, d);
    limit_seconds(0);
    if (t) fail_msg("%s is read", what);
    assert_int_equal(rsp_diag_status(d), RSP_ERR_DATA);
    const rsp_diagnostic *e = rsp_diag_at(d, 0);
    if (!strstr(e->message, says)) fail_msg("%s: %s", what, e->message);
    assert_non_null(e->hint); /* what to do */
    rsp_diag_free(d);
}

/* A zip archive of one or two parts. */
static void expect_archive_refused(const char *what, const char *name, const char *text, const char *second,
                                   const char *says) {
    char path[] = "/tmp/responsive-zip-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    close(fd);
    unlink(path);
    zip_t *zip = zip_open(path, ZIP_CREATE, NULL);
    zip_file_add(zip, name, zip_source_buffer(zip, text, strlen(text), 0), 0);
    if (second) zip_file_add(zip, second, zip_source_buffer(zip, text, strlen(text), 0), 0);
    assert_int_equal(zip_close(zip), 0);
    rsp_diag *d = rsp_diag_new();
    rsp_buf raw = {0};
    assert_true(rsp_read_file(path, &raw, d, RSP_ERR_DATA, RSP_NOWHERE));
    expect_refused(what, raw.data, raw.length, says);
    rsp_buf_free(&raw);
    rsp_diag_free(d);
    unlink(path);
}

static void truncated(const char *path, size_t length, const char *says) {
    rsp_diag *d = rsp_diag_new();
    rsp_buf raw = {0};
    assert_true(rsp_read_file(path, &raw, d, RSP_ERR_DATA, RSP_NOWHERE));
    assert_true(raw.length > length);
    expect_refused(path, raw.data, length, says);
    rsp_buf_free(&raw);
    rsp_diag_free(d);
}

#define ODS(inside) "<d xmlns:table=\"t\" xmlns:text=\"x\"><table:table table:name=\"a\">" inside "</table:table></d>"

static void test_what_is_refused(void **state) {
    static const char laughs[] = "<!DOCTYPE d [<!ENTITY a \"ha\"><!ENTITY b \"&a;&a;&a;&a;\">]><d>&b;</d>",
                      locked[] =
                          "\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1 and so on E\0n\0c\0r\0y\0p\0t\0e\0d\0P\0a\0c\0k\0a\0g\0e\0";
    (void) state;
    truncated("fixtures/exports/spss/foreign-electric.sav", 3000, "the SPSS file cannot be read");
    truncated("fixtures/exports/stata/pyreadstat-sample.dta", 2000, "the Stata file cannot be read");
    truncated("fixtures/exports/google-forms/hot-dog-fall25.xlsx", 5000, "the workbook is damaged");
    truncated("fixtures/exports/eusurvey/everse-landscaping.xls", 145919, "an old Excel workbook (xls)");
    expect_refused("secret.xlsx", locked, sizeof locked - 1, "the workbook has a password");
    expect_refused("results.xml", "<Results><Survey><Elements lang='en'>", 36, "the XML document is damaged");
    expect_refused("laughs.xml", "<!DOCTYPE x [<!ENTITY a 'b'>]><Results><Survey/></Results>", 58,
                   "declares a document type");
    expect_refused("answers.pdf", "%PDF-1.7 ", 9, "this is a PDF");
    expect_refused("answers.gz", "\x1F\x8B\x08 and so on", 14, "compressed");
    expect_archive_refused("laughs.ods", "content.xml", laughs, NULL, "declares a document type");
    expect_archive_refused("answers.zip", "answers.csv", "id,a\n1,2\n", NULL, "a zip archive, not a workbook");
    expect_archive_refused("blank.ods", "content.xml", ODS(""), NULL, "it holds no cells");
    /* A few bytes that stand for a million rows of a thousand columns each. */
    expect_archive_refused(
        "bomb.ods", "content.xml",
        ODS("<table:table-row table:number-rows-repeated=\"1048576\"><table:table-cell "
            "table:number-columns-repeated=\"1024\"><text:p>x</text:p></table:table-cell></table:table-row>"),
        NULL, "more than can be read");
    expect_archive_refused("wide.ods", "content.xml",
                           ODS("<table:table-row><table:table-cell table:number-columns-repeated=\"999999999999\"/>"
                               "<table:table-cell><text:p>x</text:p></table:table-cell></table:table-row>"),
                           NULL, "more than can be read");
    expect_archive_refused(
        "form.ods", "content.xml",
        "<d xmlns:table=\"t\" xmlns:text=\"x\"><table:table table:name=\"survey\"><table:table-row><table:table-cell>"
        "<text:p>type</text:p></table:table-cell></table:table-row></table:table><table:table "
        "table:name=\"choices\"/></d>",
        NULL, "a questionnaire (XLSForm)");
}

/* ---- sheets of one workbook ------------------------------------------------------------------------------------- */

static void sheet_of(lxw_workbook *book, const char *name, size_t n, const char *const (*cells)[4]) {
    lxw_worksheet *sheet = workbook_add_worksheet(book, name);
    for (size_t k = 0; k < n; k++)
        worksheet_write_string(sheet, (lxw_row_t) atoi(cells[k][0]) - 1, (lxw_col_t) atoi(cells[k][1]), cells[k][2],
                               NULL);
}

static char *table_text(const char *path, const char *sheet, rsp_diag *d) {
    rsp_buf raw = {0}, b = {0};
    rsp_room room = {0};
    assert_true(rsp_read_file(path, &raw, d, RSP_ERR_DATA, RSP_NOWHERE));
    rsp_table_data *t = rsp_workbook_open(&raw, path, sheet, d);
    if (!t) return NULL;
    rsp_cell *cells = rsp_calloc(t->n_columns + 1, sizeof *cells);
    for (size_t j = 0; j < t->n_columns; j++) rsp_buf_printf(&b, "%s|", t->headings[j]);
    for (size_t i = 0; i < t->n_records; i++) {
        t->read(t, i, i + 1, &room, cells);
        rsp_buf_printf(&b, "\n%u: ", t->line[i]);
        for (size_t j = 0; j < t->n_columns; j++) rsp_buf_printf(&b, "%.*s|", (int) cells[j].length, cells[j].text);
    }
    free(cells);
    rsp_room_free(&room);
    rsp_table_close(t);
    return b.data;
}

static const char CONTINUED[] = "id|age|member|x||z|\n2: a|30||||1|\n3: b||yes||||\n4: ||no||||\n5: d|50||2|||",
                  OF_ITS_OWN[] = "member|\n3: yes|\n4: no|";

/* Read as a whole, by the sheet that is asked for, and by one that is not there. */
static void expect_continued(const char *path) {
    rsp_diag *d = rsp_diag_new();
    char *all = table_text(path, NULL, d), *one = table_text(path, "Content1", d);
    assert_string_equal(all, CONTINUED);
    assert_string_equal(one, OF_ITS_OWN);
    assert_null(table_text(path, "Content3", d));
    free(all);
    free(one);
    rsp_diag_free(d);
}

#define ODS_CELL(text) "<table:table-cell office:value-type=\"string\"><text:p>" text "</text:p></table:table-cell>"
#define ODS_NONE "<table:table-cell/>"
#define ODS_ROW(cells) "<table:table-row>" cells "</table:table-row>"
#define ODS_SHEET(name, rows) "<table:table table:name=\"" name "\">" rows "</table:table>"

/* The same sheets as an OpenDocument spreadsheet; a row without cells stands in it, too. */
static void write_continued_ods(const char *path) {
    static const char content[] =
        "<d xmlns:office=\"urn:oasis:names:tc:opendocument:xmlns:office:1.0\" "
        "xmlns:table=\"urn:oasis:names:tc:opendocument:xmlns:table:1.0\" "
        "xmlns:text=\"urn:oasis:names:tc:opendocument:xmlns:text:1.0\">" ODS_SHEET("Notes", ODS_ROW(ODS_CELL("a note")))
            ODS_SHEET("Content2", ODS_ROW(ODS_CELL("x") ODS_NONE ODS_CELL("z")) ODS_ROW(ODS_NONE ODS_NONE ODS_CELL("1"))
                                      ODS_ROW(ODS_NONE) ODS_ROW(ODS_NONE) ODS_ROW(ODS_CELL("2")))
                ODS_SHEET("Content", ODS_ROW(ODS_CELL("id") ODS_CELL("age")) ODS_ROW(ODS_CELL("a") ODS_CELL("30"))
                                         ODS_ROW(ODS_CELL("b")) ODS_ROW(ODS_NONE) ODS_ROW(ODS_CELL("d") ODS_CELL("50")))
                    ODS_SHEET("Content1", ODS_ROW(ODS_CELL("member")) ODS_ROW(ODS_NONE) ODS_ROW(ODS_CELL("yes"))
                                              ODS_ROW(ODS_CELL("no"))) "</d>";
    zip_t *zip = zip_open(path, ZIP_CREATE | ZIP_TRUNCATE, NULL);
    assert_non_null(zip);
    zip_file_add(zip, "content.xml", zip_source_buffer(zip, content, sizeof content - 1, 0), ZIP_FL_ENC_UTF_8);
    assert_int_equal(zip_close(zip), 0);
}

/* EUSurvey goes on with further columns on sheets Content1, Content2: rows go by their number, whichever sheet has one that
 * the others lack, and nothing moves under another heading. A sheet that is asked for stands by itself. */
static void test_continued_sheets(void **state) {
    static const char *const first[][4] = {{"1", "0", "id"}, {"1", "1", "age"}, {"2", "0", "a"}, {"2", "1", "30"},
                                           {"3", "0", "b"},  {"5", "0", "d"},   {"5", "1", "50"}},
                             *const second[][4] = {{"1", "0", "member"}, {"3", "0", "yes"}, {"4", "0", "no"}},
                             *const third[][4] = {{"1", "0", "x"}, {"1", "2", "z"}, {"2", "2", "1"}, {"5", "0", "2"}},
                             *const note[][4] = {{"1", "0", "a note"}};
    char path[] = "/tmp/responsive-sheets-XXXXXX";
    (void) state;
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    close(fd);
    lxw_workbook *book = workbook_new(path);
    sheet_of(book, "Notes", 1, note);
    sheet_of(book, "Content2", 4, third);
    sheet_of(book, "Content", 7, first);
    sheet_of(book, "Content1", 3, second);
    assert_int_equal(workbook_close(book), 0);
    expect_continued(path);
    write_continued_ods(path);
    expect_continued(path);
    unlink(path);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_real_exports),          cmocka_unit_test(test_every_block_size),
        cmocka_unit_test(test_cells_of_real_exports), cmocka_unit_test(test_round_trips),
        cmocka_unit_test(test_eusurvey_xml),          cmocka_unit_test(test_continued_sheets),
        cmocka_unit_test(test_what_is_refused)};
    return cmocka_run_group_tests_name("exports", tests, NULL, NULL);
}
