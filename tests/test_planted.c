/* Nothing personal is left behind: exports in every tool's format with marked words in every column that no statistic is made
 * of, and in answers that mean nothing; after the night nothing that it leaves holds one of them: publication, cache,
 * memory, staging, temporary files, what it said, core files. */
#include "responsive/base.h"
#include "shell.h"

#include <readstat.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>
#include <xlsxwriter.h>
#include <zip.h>

#include <cmocka.h>

enum { RESPONDENTS = 60, MOST_CELLS = 24, MOST_LINES = RESPONDENTS + 8 };

/* What every planted word begins with; letters and the respondent's number follow. */
#define MARK "zqmark[a-z]+[0-9]"

static char here[64], program[1100];

/* Cells are separated by |. In a row %i is the id, %c the country's code, %C its name, %t the answer's code, %T its label, %w a
 * word of the column, %d a date, %k a number of the respondent's. */
struct export {
    const char *tool, *file;
    char delimiter;
    const char *first[3]; /* rows of headings */
    const char *row, *rename;
};

#define ASKED "country|trust|comment|phone"
#define ANSWERED "%c|%t|%w|%w"
#define LABELS "Country|Trust|Comment|Phone"
#define LABELLED "%C|%T|%w|%w"

static const struct export exports[] = {
    {"csv", "answers.csv", ',', {"id|email|address|" ASKED}, "%i|%w@example.org|%w|" ANSWERED, NULL},
    {"limesurvey",
     "lime.csv",
     ';',
     {"id|submitdate|lastpage|startlanguage|seed|startdate|datestamp|ipaddr|refurl|token|firstname|lastname|" ASKED},
     "%i|%d|3|en|%k|%d|%d|%w|%w|%w|%w|%w|" ANSWERED,
     NULL},
    {"limesurvey",
     "vv.csv",
     '\t',
     {"Respondent|Submitted|Last page|Language|Address|Token|Country|Trust|Comment|Phone",
      "id|submitdate|lastpage|startlanguage|ipaddr|token|" ASKED},
     "%i|%d|3|en|%w|%w|" ANSWERED,
     NULL},
    {"qualtrics",
     "qualtrics.csv",
     ',',
     {"StartDate|EndDate|Status|IPAddress|Progress|Finished|RecordedDate|ResponseId|RecipientLastName|"
      "RecipientFirstName|"
      "RecipientEmail|ExternalReference|LocationLatitude|LocationLongitude|" ASKED,
      "Start Date|End Date|Response Type|IP Address|Progress|Finished|Recorded Date|Response ID|Last|First|Email|"
      "External|Latitude|Longitude|" LABELS,
      "{\"ImportId\":\"startDate\"}|{\"ImportId\":\"endDate\"}|{\"ImportId\":\"status\"}|{\"ImportId\":\"ipAddress\"}|"
      "{\"ImportId\":\"progress\"}|{\"ImportId\":\"finished\"}|{\"ImportId\":\"recordedDate\"}|{\"ImportId\":\"_"
      "recordId\"}|"
      "{\"ImportId\":\"recipientLastName\"}|{\"ImportId\":\"recipientFirstName\"}|{\"ImportId\":\"recipientEmail\"}|"
      "{\"ImportId\":\"externalDataReference\"}|{\"ImportId\":\"locationLatitude\"}|{\"ImportId\":"
      "\"locationLongitude\"}|"
      "{\"ImportId\":\"QID1\"}|{\"ImportId\":\"QID2\"}|{\"ImportId\":\"QID3\"}|{\"ImportId\":\"QID4\"}"},
     "%d|%d|0|%w|100|1|%d|%i|%w|%w|%w@example.org|%w|%w|%w|" ANSWERED,
     "ResponseId: id"},
    {"surveymonkey",
     "monkey.csv",
     ',',
     {"Respondent ID|Collector ID|Start Date|End Date|IP Address|Email Address|First Name|Last Name|Custom Data "
      "1|" LABELS,
      "||||||||| Response|Response|Open-Ended Response|Open-Ended Response"},
     "%i|%w|03/01/2026 10:00:00 AM|03/01/2026 10:09:00 AM|%w|%w@example.org|%w|%w|%w|" LABELLED,
     "Respondent ID: id"},
    {"kobo",
     "kobo.csv",
     ';',
     {"start|end|username|deviceid|" ASKED "|_geolocation|_id|_uuid|_submission_time|_submitted_by|_notes|_index"},
     "%d|%d|%w|%w|" ANSWERED "|%w %w|%i|%w|%d|%w|%w|%k",
     "_id: id"},
    {"redcap",
     "redcap.csv",
     ',',
     {"record_id|redcap_survey_identifier|survey_timestamp|" ASKED "|first_name|dob|form_complete"},
     "%i|%w|%d|" ANSWERED "|%w|%w|2",
     "record_id: id"},
    {"sosci",
     "sosci.csv",
     '\t',
     {"CASE|SERIAL|REF|QUESTNNR|MODE|STARTED|" ASKED
      "|TIME001|LASTDATA|FINISHED|Q_VIEWER|LASTPAGE|MAXPAGE|MISSING|MISSREL|"
      "TIME_RSI|DEG_TIME"},
     "%k|%i|%w|base|interview|%d|" ANSWERED "|12|%d|1|0|5|5|0|0|1|0",
     "SERIAL: id"},
    {"unipark",
     "unipark.csv",
     ';',
     {"lfdn|external_lfdn|tester|dispcode|lastpage|quality|duration|" ASKED
      "|p_0001|browser|referer|participant_browser|"
      "quota|page_history|datetime|date_of_last_access|c_0001"},
     "%k|%i|0|31|7|-77|60|" ANSWERED "|%w|%w|%w|%w|0|1,2|%d|%d|%w",
     "external_lfdn: id"},
    {"google-forms",
     "google.csv",
     ',',
     {"Timestamp|Email Address|Respondent|" LABELS},
     "2026/03/01 10:00:00 AM GMT+1|%w@example.org|%i|" LABELLED,
     "Respondent: id"},
    {"microsoft-forms",
     "microsoft.xlsx",
     0,
     {"Id|Start time|Completion time|Email|Name|" LABELS},
     "%i|%d|%d|%w@example.org|%w|" LABELLED,
     "Id: id"},
    {"eusurvey",
     "eusurvey.xlsx",
     0,
     {"Alias|plant", "Export Date|2026-07-01",
      "Contribution ID|Creation date|Last update|User name|Invitation number|Country (country)|Trust (trust)|Comment "
      "(comment)|Phone (phone)"},
     "%i|%d|%d|%w|%w|%C(%c)|%T(%t)|%w|%w",
     "Contribution ID: id"},
    {"eusurvey",
     "eusurvey.ods",
     0,
     {"Alias|plant", "Export Date|2026-07-01",
      "Contribution ID|Creation date|Last update|User name|Invitation number|Country (country)|Trust (trust)|Comment "
      "(comment)|Phone (phone)"},
     "%i|%d|%d|%w|%w|%C(%c)|%T(%t)|%w|%w",
     "Contribution ID: id"},
    {"eusurvey", "eusurvey.xml", 0, {""}, "", "Contribution ID: id"},
    {"spss", "answers.sav", 0, {"id|email|" ASKED}, "%i|%w|" ANSWERED, NULL},
    {"spss", "answers.zsav", 0, {"id|email|" ASKED}, "%i|%w|" ANSWERED, NULL},
    {"stata", "answers.dta", 0, {"id|email|" ASKED}, "%i|%w|" ANSWERED, NULL}};
enum { N_EXPORTS = sizeof exports / sizeof *exports };

/* ---- rows ------------------------------------------------------------------------------------------------------- */

struct line {
    size_t n;
    char cell[MOST_CELLS][128];
};

static const char *code_of_country(int k) { return k % 2 ? "PL" : "DK"; }

/* One respondent's answer is a marked word: it is no answer of the list, and nobody may quote it. */
static const char *code_of_trust(int k) { return k == 7 ? "zqmarkanswer7" : k % 3 ? "low" : "high"; }
static const char *label_of_trust(int k) { return k == 7 ? "zqmarkanswer7" : k % 3 ? "Low" : "High"; }

static void put_field(char *to, size_t room, const char *from, const char *end, int k, size_t column) {
    rsp_buf b = {0};
    rsp_buf_puts(&b, "");
    for (; from < end; from++) {
        if (*from != '%') {
            rsp_buf_putc(&b, *from);
            continue;
        }
        switch (*++from) {
        case 'i': rsp_buf_printf(&b, "zqmarkid%d", k); break;
        case 'c': rsp_buf_puts(&b, code_of_country(k)); break;
        case 'C': rsp_buf_puts(&b, k % 2 ? "Poland" : "Denmark"); break;
        case 't': rsp_buf_puts(&b, code_of_trust(k)); break;
        case 'T': rsp_buf_puts(&b, label_of_trust(k)); break;
        case 'd': rsp_buf_puts(&b, "2026-03-01 10:00:00"); break;
        case 'k': rsp_buf_printf(&b, "%d", k); break;
        default: rsp_buf_printf(&b, "zqmarkword%c%d", (int) ('a' + column), k);
        }
    }
    snprintf(to, room, "%s", b.data);
    rsp_buf_free(&b);
}

static void fill_line(struct line *l, const char *form, int k) {
    l->n = 0;
    for (const char *from = form;; from++) {
        const char *end = from + strcspn(from, "|");
        assert_true(l->n < MOST_CELLS);
        put_field(l->cell[l->n], sizeof l->cell[0], from, end, k, l->n);
        l->n++;
        from = end;
        if (!*from) return;
    }
}

/* All lines of an export, headings in front; EUSurvey leaves the third free. */
static size_t fill_lines(const struct export *x, struct line *lines, size_t *headings) {
    size_t n = 0;
    for (size_t k = 0; k < 3 && x->first[k]; k++) {
        if (k == 2 && strcmp(x->tool, "eusurvey") == 0) lines[n++].n = 0;
        fill_line(&lines[n++], x->first[k], 0);
    }
    *headings = n;
    for (int k = 1; k <= RESPONDENTS; k++) fill_line(&lines[n++], x->row, k);
    return n;
}

/* ---- formats ---------------------------------------------------------------------------------------------------- */

static void write_bytes(const char *path, const rsp_buf *b) {
    rsp_diag *d = rsp_diag_new();
    assert_true(rsp_write_file(path, b->data, b->length, d));
    rsp_diag_free(d);
}

static void write_text(const struct export *x, const struct line *lines, size_t n, const char *path) {
    rsp_buf b = {0};
    for (size_t i = 0; i < n; i++) {
        for (size_t j = 0; j < lines[i].n; j++) {
            if (j) rsp_buf_putc(&b, x->delimiter);
            if (strcmp(x->file, "vv.csv") == 0) {
                rsp_buf_puts(&b, lines[i].cell[j]);
                continue;
            }
            rsp_buf_putc(&b, '"');
            for (const char *c = lines[i].cell[j]; *c; c++) {
                if (*c == '"') rsp_buf_putc(&b, '"');
                rsp_buf_putc(&b, *c);
            }
            rsp_buf_putc(&b, '"');
        }
        rsp_buf_puts(&b, "\r\n");
    }
    write_bytes(path, &b);
    rsp_buf_free(&b);
}

static void write_xlsx(const struct export *x, const struct line *lines, size_t n, const char *path) {
    lxw_workbook *book = workbook_new(path);
    lxw_worksheet *sheet = workbook_add_worksheet(book, strcmp(x->tool, "eusurvey") == 0 ? "Content" : "Form1");
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < lines[i].n; j++)
            worksheet_write_string(sheet, (lxw_row_t) i, (lxw_col_t) j, lines[i].cell[j], NULL);
    assert_int_equal(workbook_close(book), 0);
}

static void write_ods(const struct line *lines, size_t n, const char *path) {
    rsp_buf b = {0};
    rsp_buf_puts(&b, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>"
                     "<office:document-content xmlns:office=\"urn:oasis:names:tc:opendocument:xmlns:office:1.0\" "
                     "xmlns:table=\"urn:oasis:names:tc:opendocument:xmlns:table:1.0\" "
                     "xmlns:text=\"urn:oasis:names:tc:opendocument:xmlns:text:1.0\"><office:body><office:spreadsheet>"
                     "<table:table table:name=\"Content\">");
    for (size_t i = 0; i < n; i++) {
        rsp_buf_puts(&b, "<table:table-row>");
        if (!lines[i].n) rsp_buf_puts(&b, "<table:table-cell/>");
        for (size_t j = 0; j < lines[i].n; j++)
            rsp_buf_printf(&b, "<table:table-cell office:value-type=\"string\"><text:p>%s</text:p></table:table-cell>",
                           lines[i].cell[j]);
        rsp_buf_puts(&b, "</table:table-row>");
    }
    rsp_buf_puts(&b, "</table:table></office:spreadsheet></office:body></office:document-content>");
    zip_t *zip = zip_open(path, ZIP_CREATE | ZIP_TRUNCATE, NULL);
    assert_non_null(zip);
    zip_file_add(zip, "content.xml", zip_source_buffer(zip, b.data, b.length, 0), ZIP_FL_ENC_UTF_8);
    assert_int_equal(zip_close(zip), 0);
    rsp_buf_free(&b);
}

static void write_xml(const char *path) {
    rsp_buf b = {0};
    rsp_buf_puts(&b,
                 "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Results create=\"2026-07-01_10-00-00\"><Survey id=\"1\" "
                 "alias=\"a\"><Elements lang=\"en\"><Question id=\"q1\" bid=\"country\">Country</Question>"
                 "<Answer id=\"a1\" bid=\"PL\">Poland</Answer><Answer id=\"a2\" bid=\"DK\">Denmark</Answer>"
                 "<Question id=\"q2\" bid=\"trust\">Trust</Question><Answer id=\"t1\" bid=\"low\">Low</Answer>"
                 "<Answer id=\"t2\" bid=\"high\">High</Answer><Question id=\"q3\" bid=\"comment\">Comment</Question>"
                 "<Question id=\"q4\" bid=\"phone\">Phone</Question></Elements></Survey><Answers>");
    for (int k = 1; k <= RESPONDENTS; k++)
        rsp_buf_printf(
            &b,
            "<AnswerSet id=\"zqmarkid%d\" create=\"2026-06-01_10-11-12\" last=\"2026-06-01_10-12-13\" list=\"1\" "
            "lang=\"en\" user=\"zqmarkuser%d@example.org\" invitation=\"zqmarkinvitation%d\">"
            "<Answer qid=\"q1\" aid=\"%s\"/><Answer qid=\"q2\" aid=\"%s\">zqmarkanswer%d</Answer>"
            "<Answer qid=\"q3\">zqmarkwordc%d</Answer><Answer qid=\"q4\">zqmarkwordd%d</Answer></AnswerSet>",
            k, k, k, k % 2 ? "a1" : "a2", k % 3 ? "t1" : "t2", k, k, k);
    rsp_buf_puts(&b, "</Answers></Results>");
    write_bytes(path, &b);
    rsp_buf_free(&b);
}

static ssize_t to_file(const void *bytes, size_t n, void *context) { return (ssize_t) fwrite(bytes, 1, n, context); }

static void write_statistics(const struct export *x, const struct line *lines, size_t n, const char *path) {
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    readstat_writer_t *out = readstat_writer_init();
    readstat_set_data_writer(out, to_file);
    for (size_t j = 0; j < lines[0].n; j++) {
        readstat_variable_t *v = readstat_add_variable(out, lines[0].cell[j], READSTAT_TYPE_STRING, 40);
        readstat_variable_set_label(v, lines[0].cell[j]);
    }
    if (strstr(x->file, ".zsav")) readstat_writer_set_compression(out, READSTAT_COMPRESS_BINARY);
    readstat_error_t rc = strcmp(x->tool, "stata") == 0 ? readstat_begin_writing_dta(out, file, (long) n - 1)
                                                        : readstat_begin_writing_sav(out, file, (long) n - 1);
    assert_int_equal(rc, READSTAT_OK);
    for (size_t i = 1; i < n; i++) {
        readstat_begin_row(out);
        for (size_t j = 0; j < lines[i].n; j++)
            readstat_insert_string_value(out, readstat_get_variable(out, (int) j), lines[i].cell[j]);
        assert_int_equal(readstat_end_row(out), READSTAT_OK);
    }
    assert_int_equal(readstat_end_writing(out), READSTAT_OK);
    readstat_writer_free(out);
    fclose(file);
}

static void write_export(const struct export *x) {
    static struct line lines[MOST_LINES];
    char path[200];
    size_t headings, n = fill_lines(x, lines, &headings);
    snprintf(path, sizeof path, "%s/s/%s", here, x->file);
    if (x->delimiter) write_text(x, lines, n, path);
    else if (strstr(x->file, ".xlsx")) write_xlsx(x, lines, n, path);
    else if (strstr(x->file, ".ods")) write_ods(lines, n, path);
    else if (strstr(x->file, ".xml")) write_xml(path);
    else write_statistics(x, lines, n, path);
}

static void put(const char *name, const char *text) {
    char path[200];
    snprintf(path, sizeof path, "%s/s/%s", here, name);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs(text, f);
    assert_int_equal(fclose(f), 0);
}

static void write_study(const struct export *x) {
    char text[1024];
    assert_int_equal(sh("rm -rf %s/s %s/out %s/tmp && mkdir %s/s %s/tmp", here, here, here, here, here), 0);
    put("survey.csv", "type,name,label::en\ntext,id,Respondent\nselect_one country,country,Country\n"
                      "select_one level,trust,Trust\ntext,comment,Comment\ntext,phone,Phone\n");
    put("choices.csv", "list_name,name,label::en\ncountry,PL,Poland\ncountry,DK,Denmark\nlevel,low,Low\n"
                       "level,high,High\n");
    snprintf(text, sizeof text,
             "study: s\ntitle: {en: S}\nlanguages: [en]\nsources: [{files: %s, format: %s%s%s%s}]\n"
             "instrument: {survey: survey.csv, choices: choices.csv}\nroles: {id: id, country: country}\n"
             "clean:\n  - {id: odd, drop: \"${comment} = 'zqmarkwordx7'\"}\n  - {id: twice, duplicates: [id]}\n"
             "design: {sample: self_selected}\nweighting: {scale: sample}\n"
             "tables:\n  - {id: a, items: [trust], by: [[], [country]]}\n",
             x->file, x->tool, x->rename ? ", rename: {" : "", x->rename ? x->rename : "", x->rename ? "}" : "");
    put("study.yaml", text);
}

/* ---- the search ------------------------------------------------------------------------------------------------- */

static void assert_nothing_left(const struct export *x) {
    if (sh("cd %s && grep -raqE '" MARK "' out tmp said json config", here) != 1) {
        sh("cd %s && grep -raoE '.{0,60}" MARK ".{0,20}' out tmp said json config | head -5 >&2", here);
        fail_msg("%s: a marked word is left", x->file);
    }
    /* ... inside what is compressed, too. */
    if (sh("cd %s/out/s/latest/ && for f in tables/*.xlsx; do unzip -p $f | grep -aqE '" MARK "' && exit 7; done; "
           "for f in briefs/*.pdf charts/*.pdf methods/*.pdf; do pdftotext $f - | grep -qE '" MARK "' && exit 7; "
           "pdfinfo $f | grep -qE '" MARK "' && exit 7; done; exit 0",
           here) != 0)
        fail_msg("%s: a marked word stands in a workbook or a PDF", x->file);
    assert_int_equal(
        sh("test -z \"$(find %s -name 'core*' -o -name '.staging*')\" && test -z \"$(ls %s/tmp)\"", here, here), 0);
    /* The words were there to be found. */
    if (x->delimiter) assert_int_equal(sh("grep -qE '" MARK "' %s/s/%s", here, x->file), 0);
}

static void night_over(const struct export *x) {
    write_study(x);
    write_export(x);
    int status =
        sh("TMPDIR=%s/tmp XDG_CONFIG_HOME=%s/config %s run %s/s --out %s/out --json --explain > %s/json 2> %s/said",
           here, here, program, here, here, here, here);
    if (status > 1 || sh("grep -q '\"rows_read\": *%d\\b' %s/json", RESPONDENTS, here) != 0) {
        sh("cat %s/said %s/json >&2", here, here);
        fail_msg("%s: %d", x->file, status);
    }
    assert_nothing_left(x);
}

static void no_tool_leaves_personal_words(void **state) {
    (void) state;
    for (size_t k = 0; k < N_EXPORTS; k++) night_over(&exports[k]);
}

/* What looks at a file, or drafts a study of it, quotes nobody either: words of one respondent alone. */
static void nor_do_inspect_and_new(void **state) {
    (void) state;
    for (size_t k = 0; k < N_EXPORTS; k++) {
        const struct export *x = &exports[k];
        write_study(x);
        write_export(x);
        assert_int_equal(
            sh("rm -rf %s/draft && cd %s/s && %s inspect %s > ../said 2>&1; %s inspect --json %s > ../json 2>&1", here,
               here, program, x->file, program, x->file) > 1,
            0);
        sh("%s new %s/draft --from %s/s/%s >> %s/said 2>&1", program, here, here, x->file, here);
        if (sh("cd %s && grep -raqE 'zqmarkword[a-z][0-9]|zqmarkid[0-9]|zqmarkuser' said json draft 2> /dev/null",
               here) == 0) {
            sh("cd %s && grep -raoE '.{0,60}(zqmarkword[a-z][0-9]|zqmarkid[0-9]).{0,20}' said json draft | head -5 >&2",
               here);
            fail_msg("%s: a marked word is shown", x->file);
        }
    }
}

static int set_up(void **state) {
    (void) state;
    char cwd[512];
    if (!getcwd(cwd, sizeof cwd)) return -1;
    snprintf(program, sizeof program, "%s/%s/responsive", cwd, build_folder());
    strcpy(here, "/tmp/responsive-planted-XXXXXX");
    return mkdtemp(here) && sh("mkdir %s/config", here) == 0 ? 0 : -1;
}

static int tear_down(void **state) {
    (void) state;
    return sh("rm -rf %s", here);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(no_tool_leaves_personal_words),
                                       cmocka_unit_test(nor_do_inspect_and_new)};
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
