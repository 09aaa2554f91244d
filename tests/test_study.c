/* The study loader: good studies give what they say, wrong ones every fault with its place and remedy. */
#include "responsive/study.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

/* ---- a small study to be spoilt --------------------------------------------------------------------------------- */

static const char head[] = "study: t\n"
                           "title: {en: Test, pl: Próba}\n"
                           "languages: [en, pl]\n"
                           "sources: [{files: data.csv}]\n"
                           "instrument: {survey: survey.csv, choices: choices.csv}\n"
                           "roles: {id: id, country: country}\n";

static const char survey_csv[] = "type,name,label::en,label::pl,relevant,constraint,reverse\n"
                                 "text,id,Id,Id,,,\n"
                                 "select_one country,country,Country,Kraj,,,\n"
                                 "integer,age,Age,Wiek,,. >= 0,\n"
                                 "select_one agree,engage1,One,Jeden,,,\n"
                                 "select_one agree,engage2,Two,Dwa,${age} >= 18,,\n"
                                 "select_one agree,engage3,Three,Trzy,,,yes\n"
                                 "select_one yes_no,changed,Changed,Zmiana,,,\n"
                                 "select_multiple channel,channels,Channels,Kanały,,,\n"
                                 "text,comment,Comment,Komentarz,,,\n"
                                 "decimal,w,Weight,Waga,,,\n"
                                 "date,day,Day,Dzień,,,\n";

static const char choices_csv[] = "list_name,name,label::en,label::pl,value,missing,alias\n"
                                  "country,PL,Poland,Polska,,,\n"
                                  "country,RO,Romania,Rumunia,,,\n"
                                  "agree,no,No,Nie,,,\n"
                                  "agree,so,So so,Tak sobie,,,\n"
                                  "agree,yes,Yes,Tak,,,\n"
                                  "agree,dk,Don't know,Nie wiem,,yes,\n"
                                  "yes_no,yes,Yes,Tak,,,\n"
                                  "yes_no,no,No,Nie,,,\n"
                                  "channel,online,Online,W sieci,,,\n"
                                  "channel,letter,Letter,List,,,\n";

static const char targets_csv[] = "country,changed,share,source\n"
                                  "PL,yes,0.4,a register\n"
                                  "PL,no,0.6,a register\n"
                                  "RO,yes,0.5,a register\n"
                                  "RO,no,0.5,a register\n";

#define WEIGHTING "weighting: {within: country, rake: [{margin: changed, targets: targets.csv}], scale: equal}\n"

static char folder[64];

static void put(const char *name, const char *text) {
    char path[128];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(text, 1, strlen(text), f), strlen(text));
    assert_int_equal(fclose(f), 0);
}

/* The text with the first `from` made `to`; `from` empty: `to` is appended; NULL: `to` is the whole. */
static char *changed(const char *text, const char *from, const char *to) {
    rsp_buf b = {0};
    const char *at = from && *from ? strstr(text, from) : NULL;
    if (from && *from) assert_non_null(at);
    if (!from) rsp_buf_puts(&b, to);
    else if (!*from) rsp_buf_printf(&b, "%s%s", text, to);
    else rsp_buf_printf(&b, "%.*s%s%s", (int) (at - text), text, to, at + strlen(from));
    if (!b.data) rsp_buf_puts(&b, "");
    return b.data;
}

static void put_changed(const char *name, const char *text, const char *file, const char *from, const char *to) {
    char *now = file && strcmp(file, name) == 0 ? changed(text, from, to) : changed(text, "", "");
    put(name, now);
    free(now);
}

static void put_study(const char *tail, const char *file, const char *from, const char *to) {
    char *yaml = changed(head, "", tail);
    put_changed("study.yaml", yaml, file, from, to);
    put_changed("survey.csv", survey_csv, file, from, to);
    put_changed("choices.csv", choices_csv, file, from, to);
    put_changed("targets.csv", targets_csv, file, from, to);
    free(yaml);
}

static int make_folder(void **state) {
    (void) state;
    snprintf(folder, sizeof folder, "/tmp/responsive-study-XXXXXX");
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state) {
    static const char *const names[] = {"study.yaml", "survey.csv", "choices.csv", "targets.csv", "data.csv"};
    char path[128];
    (void) state;
    for (size_t k = 0; k < sizeof names / sizeof *names; k++) {
        snprintf(path, sizeof path, "%s/%s", folder, names[k]);
        unlink(path);
    }
    return rmdir(folder);
}

/* Appends the text without the folder's name. */
static void add_bare(rsp_buf *b, const char *text) {
    size_t length = strlen(folder);
    while (*text) {
        if (strncmp(text, folder, length) == 0 && text[length] == '/') text += length + 1;
        else rsp_buf_putc(b, *text++);
    }
}

/* The entries of a class as `file:line:column: message (hint)`, one a line. */
static char *said(rsp_diag *d, rsp_class class) {
    rsp_buf b = {0};
    rsp_buf_puts(&b, "");
    for (size_t k = 0; k < rsp_diag_count(d); k++) {
        const rsp_diagnostic *x = rsp_diag_at(d, k);
        if (x->class != class) continue;
        if (b.length) rsp_buf_putc(&b, '\n');
        add_bare(&b, x->loc.file ? x->loc.file : "");
        rsp_buf_printf(&b, ":%d:%d: ", x->loc.line, x->loc.column);
        add_bare(&b, x->message);
        if (x->hint) {
            rsp_buf_puts(&b, " (");
            add_bare(&b, x->hint);
            rsp_buf_puts(&b, ")");
        }
    }
    return b.data;
}

static rsp_study *load_good(const char *dir) {
    rsp_diag *d = rsp_diag_new();
    rsp_study *s = rsp_study_load(dir, d);
    char *errors = said(d, RSP_ERR_STUDY);
    assert_string_equal(errors, "");
    assert_non_null(s);
    free(errors);
    rsp_diag_free(d);
    return s;
}

static const rsp_variable *variable(const rsp_study *s, const char *name) {
    size_t v = rsp_study_variable(s, name);
    assert_true(v != RSP_NONE);
    return &s->variables[v];
}

/* ---- wrong studies ---------------------------------------------------------------------------------------------- */

/* The small study with `tail` at its end and one change to a file: everything that must be said. */
static const struct {
    const char *tail, *file, *from, *to, *says;
} wrong[] = {
    /* what cannot be pooled over completed data */
    {"derive:\n  - {name: kind, from: engage1, map: {so: a, no: a, yes: b}}\n"
     "imputation: {variables: [engage1]}\n"
     "factors:\n"
     "  - {id: f, model: \"f =~ engage1 + engage2 + engage3\", missing: fiml, imputed: yes}\n"
     "  - {id: g, kind: parallel, items: [engage1, engage2, engage3], imputed: yes}\n"
     "  - {id: h, model: \"f =~ engage1 + engage2 + engage3\", modification: yes, imputed: no}\n"
     "scales:\n"
     "  - {id: s, name: s, items: [engage1, engage2], imputed: yes}\n"
     "models:\n"
     "  - {id: m, kind: linear, formula: \"age ~ engage2\", weights: none}\n"
     "  - {id: n, kind: pooled, of: m, term: engage2=yes, across: kind, imputed: yes}\n",
     NULL, NULL, NULL,
     "study.yaml:11:80: factor model 'f' cannot be pooled over completed data: `missing` already says what to do about "
     "answers that are not there (take one of `missing` and `imputed` out)\n"
     "study.yaml:12:74: factor model 'g' cannot be pooled over completed data: the factors of one completed data set "
     "have no counterpart in the next (pool correlations or a factor model, or leave `imputed` out)\n"
     "study.yaml:18:76: model 'n' cannot be pooled over completed data: its groups are completed themselves: who "
     "belongs to which would differ from data set to data set (take the variable of `across` out of `imputation`)"},
    /* what cannot be completed, and how */
    {"derive:\n  - {name: kind, from: engage1, map: {so: a, no: a, yes: b}}\n" WEIGHTING
     "imputation: {variables: [kind, channels, comment, country, age, engage1], predictors: [comment, age, engage2],\n"
     "  methods: {age: logistic, engage1: logistic, engage2: pmm, engage3: guess}}\n",
     NULL, NULL, NULL,
     "study.yaml:10:25: 'kind' is derived and cannot be imputed itself (name the questions it is made of)\n"
     "study.yaml:10:25: 'channels' cannot be imputed (only numbers and questions with one answer can)\n"
     "study.yaml:10:25: 'comment' cannot be imputed (only numbers and questions with one answer can)\n"
     "study.yaml:10:25: 'country' belongs to the design or the weighting and cannot be imputed (take it out here)\n"
     "study.yaml:10:87: 'comment' has no numbers or codes to predict from\n"
     "study.yaml:10:87: 'comment' stands under both variables and predictors (leave it out: imputed variables predict "
     "each other)\n"
     "study.yaml:10:87: 'age' stands under both variables and predictors (leave it out: imputed variables predict each "
     "other)\n"
     "study.yaml:11:18: 'age' is a number and has no categories for method 'logistic' (use pmm)\n"
     "study.yaml:11:37: 'engage1' has more than two answers (use ordinal or multinomial)\n"
     "study.yaml:11:47: 'engage2' is not imputed and needs no method (add it to `variables`)\n"
     "study.yaml:11:61: 'engage3' is not imputed and needs no method (add it to `variables`)"},
    {"imputation: {variables: [engage1], methods: {engage1: guess}}\n", NULL, NULL, NULL,
     "study.yaml:7:55: unknown method 'guess' of 'engage1' (one of pmm, logistic, ordinal, multinomial)"},
    {"imputation: {variables: []}\n", NULL, NULL, NULL, "study.yaml:7:25: 'imputation' names no variable"},
    {"", "study.yaml", NULL,
     "study: t\n"
     "  title: x\n",
     "study.yaml:2:8: YAML: mapping values are not allowed in this context (a key is `key: value`, with a colon and a "
     "blank: is one missing in the line above, is this line indented too far, or does a text with a colon need "
     "quotation "
     "marks?)"},
    {"", "study.yaml", NULL, "study: t\nroles:\n  id: id\n   country: country\n",
     "study.yaml:4:11: YAML: mapping values are not allowed in this context (a key is `key: value`, with a colon and a "
     "blank: is one missing in the line above, is this line indented too far, or does a text with a colon need "
     "quotation "
     "marks?)"},
    {"", "study.yaml", NULL, "study: t\nroles:\n   id: id\n  country: country\n",
     "study.yaml:4:3: YAML: did not find expected key while parsing a block mapping (is this line, or the one above, "
     "indented like its neighbours?)"},
    {"", "study.yaml", NULL, "study: t\ntitle: \"never closed\n",
     "study.yaml:3:1: YAML: found unexpected end of stream while scanning a quoted scalar (is a closing quotation mark "
     "missing?)"},
    /* One fault is one message: what a misspelt key, list, type or `within` means is known. */
    {"tables: [{id: a, items: [age], statistic: mean, by: [[], [country]]}]\n"
     "weigthing: {scale: equal}\n",
     NULL, NULL, NULL, "study.yaml:8:1: unknown key 'weigthing' in 'study.yaml' (did you mean 'weighting'?)"},
    {"weighting: {withn: country, rake: [{margin: changed, targets: targets.csv}], scale: equal}\n", NULL, NULL, NULL,
     "study.yaml:7:13: unknown key 'withn' in 'weighting' (did you mean 'within'?)"},
    {"weighting: {within: contry, rake: [{margin: changed, targets: targets.csv}], scale: equal}\n", NULL, NULL, NULL,
     "study.yaml:7:21: unknown variable 'contry' in 'within' of the weighting (did you mean 'country'?)"},
    {WEIGHTING "tables: [{id: a, items: [age], statistic: mean, by: [[], [country]]}]\n", "survey.csv",
     "select_one country", "select_one countri", "survey.csv:3:1: unknown list 'countri' (did you mean 'country'?)"},
    {WEIGHTING, "survey.csv", "select_one country", "selectone country",
     "survey.csv:3:1: unknown type 'selectone country' (did you mean 'select_one'?)"},
    {"reports: {briefs: [{for: all, languages: [en, pl]}]}\n", "study.yaml", "languages: [en, pl]",
     "languages: [English, pl]", "study.yaml:3:13: 'English' is not a language tag (write it like en, pl or pt-BR)"},
    {"", "survey.csv", "select_one yes_no", "select_one gone",
     "survey.csv:8:1: unknown list 'gone' (add its choices to choices.csv)"},
    {"derive:\n  - {name: d, label: D, expr: \"${age} + 'x'\"}\n  - {name: e, label: E, expr: \"max(${comment}, "
     "1)\"}\n",
     NULL, NULL, NULL,
     "study.yaml:8:41: 'x' is a text and cannot be reckoned with in derived variable 'd' (write a number without "
     "quotation marks, or compare with =)\n"
     "study.yaml:9:36: 'comment' is a text and cannot be reckoned with in derived variable 'e' (make it an integer or "
     "a "
     "decimal in survey.csv if it holds numbers)"},
    {WEIGHTING "tables: [{id: a, items: [age], statistic: mean, filter: \"${age} > 1 & ${w} < 5 | ${age} = 9\"}]\n",
     NULL, NULL, NULL,
     "study.yaml:8:69: '&' is not an operator of expressions (write and)\n"
     "study.yaml:8:80: '|' is not an operator of expressions (write or)"},
    {"models: [{id: m, kind: linear, formula: 'age ~ \"engage1\"'}]\n", NULL, NULL, NULL,
     "study.yaml:7:48: a quotation mark in formula (formulas hold names of variables, no texts in quotation "
     "marks)"},
    {"", "study.yaml", NULL, "study: [t\n",
     "study.yaml:1:8: YAML: did not find expected ',' or ']' while parsing a flow sequence (is "
     "a closing ] or } or a comma missing?)"},
    {"", "study.yaml", NULL, "", "study.yaml:1:1: the file is empty"},
    {"", "study.yaml", NULL, "- a\n", "study.yaml:1:1: the file must be a mapping of keys (start with `study: NAME`)"},
    {"---\n"
     "study: u\n",
     NULL, NULL, NULL, "study.yaml:7:1: a second YAML document starts here (one study, one document)"},
    {"study: u\n", NULL, NULL, NULL, "study.yaml:7:1: key 'study' stands twice (first in line 1)"},
    {"design: &a {strata: country}\n"
     "variance:\n"
     "  <<: *a\n",
     NULL, NULL, NULL,
     "study.yaml:9:3: merge keys ('<<') are not supported (repeat the keys, or use an alias for "
     "a whole value)"},
    {"design: *nowhere\n", NULL, NULL, NULL,
     "study.yaml:7:9: alias '*nowhere' has no anchor (an anchor (&name) stands before its aliases "
     "(*name))"},
    {"tables: &t [*t]\n", NULL, NULL, NULL, "study.yaml:7:13: alias '*t' stands inside its own anchor"},
    {"design: {strata: !!str country}\n", NULL, NULL, NULL,
     "study.yaml:7:18: YAML tag 'tag:yaml.org,2002:str' is not used in studies (remove it: every "
     "value here is text)"},
    {"tabels: []\n", NULL, NULL, NULL, "study.yaml:7:1: unknown key 'tabels' in 'study.yaml' (did you mean 'tables'?)"},
    {"design: {strata: country, lonly: fail}\n", NULL, NULL, NULL,
     "study.yaml:7:27: unknown key 'lonly' in 'design' (did you mean 'lonely'?)"},
    {"design: {strata: country, lonely: addjust}\n", NULL, NULL, NULL,
     "study.yaml:7:35: unknown value 'addjust' of 'lonely' (did you mean 'adjust'?)"},
    {"design: [country]\n", NULL, NULL, NULL, "study.yaml:7:9: 'design' must be a mapping of keys, not a list"},
    {"variance: {method: bootstrap, replicates: many}\n", NULL, NULL, NULL,
     "study.yaml:7:43: 'replicates' must be a number, not 'many'"},
    {"variance: {method: bootstrap, replicates: 1.5}\n", NULL, NULL, NULL,
     "study.yaml:7:43: 'replicates' must be a whole number, not 1.5"},
    {"variance: {method: bootstrap, replicates: 1}\n", NULL, NULL, NULL,
     "study.yaml:7:43: 'replicates' must be from 2 to 100000, not 1"},
    {"variance: {method: fay}\n", NULL, NULL, NULL, "study.yaml:7:11: method fay needs rho (add `rho: 0.3`)"},
    {"variance: {method: jk1, replicates: 20}\n", NULL, NULL, NULL,
     "study.yaml:7:37: 'replicates' goes with method bootstrap alone (leave it out)"},
    {"field: {from: 2026-02-30}\n", NULL, NULL, NULL,
     "study.yaml:7:15: 'from' must be a date like 2026-05-31, not '2026-02-30'"},
    {"field: {from: 2026-05-01, to: 2026-04-01}\n", NULL, NULL, NULL,
     "study.yaml:7:31: the field period ends (2026-04-01) before it begins (2026-05-01)"},
    {"eligible: {respondents: }\n", NULL, NULL, NULL, "study.yaml:7:25: 'respondents' has no value"},
    {"", "study.yaml", "files:", "file:", "study.yaml:4:12: unknown key 'file' in 'sources' (did you mean 'files'?)"},
    {"", "study.yaml", "data.csv", "data.csv, format: spas",
     "study.yaml:4:37: unknown value 'spas' of 'format' (did you mean 'spss'?)"},
    {"", "study.yaml", "en, pl", "en, polish",
     "study.yaml:3:17: 'polish' is not a language tag (write it like en, pl or pt-BR)"},
    {"", "study.yaml", "study: t\n", "",
     "study.yaml:1:1: 'study.yaml' needs the key 'study' (identifier, the name of the output "
     "folder)"},
    {"", "study.yaml", "survey: survey.csv", "survey: surveys.csv",
     "study.yaml:5:22: cannot read surveys.csv: No such file or directory (did you mean 'survey.csv'?)"},
    {"", "study.yaml", "data.csv", "data.csv, set: {country: DE}",
     "study.yaml:4:44: 'DE' is no code of 'country' (its codes are PL, RO)"},
    {"", "study.yaml", "data.csv", "data.csv, rename: {q1: engage9}",
     "study.yaml:4:42: unknown variable 'engage9' in 'rename' (did you mean 'engage1'?)"},
    {"", "study.yaml", "country: country", "country: age",
     "study.yaml:6:26: the country 'age' has no codes (make it a select_one question, so that "
     "countries have codes and names)"},
    {"", "study.yaml", "id: id", "id: ids",
     "study.yaml:6:13: unknown variable 'ids' in role 'id' (did you mean 'id'?)"},
    {"national: {PL: de}\n", NULL, NULL, NULL,
     "study.yaml:7:16: 'de' is no language of the study (add it to `languages`)"},
    {"", "survey.csv", "name,label::en", "name,lable::en",
     "survey.csv:1:11: unknown column 'lable::en' (did you mean 'label::en'?)"},
    {"", "survey.csv", "label::pl", "label::Polish",
     "survey.csv:1:21: 'label::Polish' names no language (write it like label::en)"},
    {"", "survey.csv", "integer", "intger", "survey.csv:4:1: unknown type 'intger' (did you mean 'integer'?)"},
    {"", "survey.csv", "yes_no", "yesno", "survey.csv:8:1: unknown list 'yesno' (did you mean 'yes_no'?)"},
    {"", "survey.csv", "select_one yes_no", "select_one", "survey.csv:8:1: type 'select_one' needs the name of a list"},
    {"", "survey.csv", "engage3", "engage2",
     "survey.csv:7:18: the name 'engage2' stands twice (first at survey.csv:6)"},
    {"", "survey.csv", "text,comment", "text,my comment",
     "survey.csv:10:6: 'my comment' cannot be a name (use up to 128 letters, digits, _, . and -, a letter "
     "or _ first)"},
    {"", "survey.csv", "text,comment", "calculate,comment",
     "survey.csv:10:1: 'calculate' is not computed (use `derive` in study.yaml, or give the column's "
     "export_name to read it as text)"},
    {"", "survey.csv", "text,comment", "begin_repeat,comment",
     "survey.csv:10:1: repeated questions are not read: a study has one row a respondent"},
    {"", "survey.csv", "", "begin_group,g,,,,,\n", "survey.csv:13:1: this group has no end_group"},
    {"", "survey.csv", "", "end_group,,,,,,\n", "survey.csv:13:1: this end_group closes no group"},
    {"", "survey.csv", ". >=", ". >>", "survey.csv:4:26: expected a value, found '>'"},
    {"", "survey.csv", "${age", "${agee",
     "survey.csv:6:34: unknown variable 'agee' in relevant of 'engage2' (did you mean 'age'?)"},
    {"", "survey.csv", "comment,Comment", "comment,\"Comment",
     "survey.csv:10:14: the quotation mark that opens this cell is never closed (a quotation "
     "mark inside a text is written twice)"},
    {"", "survey.csv", "Comment", "Com\"ment",
     "survey.csv:10:16: a quotation mark in the middle of a cell (put the whole cell in quotation "
     "marks and write those inside it twice)"},
    {"", "survey.csv", "Comment,Komentarz", "Comment, or not,Komentarz",
     "survey.csv:10:30: unexpected word 'Komentarz' (write ${Komentarz} for a variable, 'Komentarz' "
     "for a code or text)\n"
     "survey.csv:10:42: the row has 8 cells, the heading 7 (a text with a comma needs quotation "
     "marks)"},
    {"", "survey.csv", ",yes", ",maybe", "survey.csv:7:39: 'reverse' must be yes, no or blank, not 'maybe'"},
    {"", "survey.csv", "", "integer,channels_online,x,x,,,\n",
     "survey.csv:9:25: the name 'channels_online' stands twice (first at survey.csv:13)"},
    {"", "choices.csv", "agree,so", "agree,no",
     "choices.csv:5:7: code 'no' stands twice in list 'agree' (first in line 4)"},
    {"", "choices.csv", "agree,so", "agree,so so",
     "choices.csv:5:7: 'so so' cannot be a code (codes have up to 128 letters and signs, no blanks and none of ; = : | "
     ",)"},
    {"", "choices.csv", "sobie,", "sobie,two", "choices.csv:5:26: 'value' must be a number, not 'two'"},
    {"", "choices.csv", "list_name", "list",
     "choices.csv:1:1: unknown column 'list'\n"
     "choices.csv:1:1: the column 'list_name' is missing"},
    {"derive:\n"
     "  - {name: g, from: age, cut: [30, 20], codes: [a, b, c]}\n",
     NULL, NULL, NULL, "study.yaml:8:36: the limits of 'cut' must rise: 20 does not"},
    {"derive:\n"
     "  - {name: g, from: age, cut: [30], codes: [a, b, c]}\n",
     NULL, NULL, NULL, "study.yaml:8:44: 1 limits make 2 codes, not 3, in derived variable 'g'"},
    {"derive:\n"
     "  - {name: g, from: agge, cut: [30], codes: [a, b]}\n",
     NULL, NULL, NULL, "study.yaml:8:21: unknown variable 'agge' in derived variable 'g' (did you mean 'age'?)"},
    {"derive:\n"
     "  - {name: g, from: engage1, map: {no: low, sso: low, yes: high}}\n",
     NULL, NULL, NULL, "study.yaml:8:45: 'sso' is no code of 'engage1' (did you mean 'so'?)"},
    {"derive:\n"
     "  - {name: g, from: age, map: {a: b}}\n",
     NULL, NULL, NULL,
     "study.yaml:8:21: 'age' has no single code to map in derived variable 'g' (use `cut` for "
     "numbers, `expr` for the rest)"},
    {"derive:\n"
     "  - {name: g, mean: [engage1, egage2]}\n",
     NULL, NULL, NULL, "study.yaml:8:31: unknown variable 'egage2' in derived variable 'g' (did you mean 'engage2'?)"},
    {"derive:\n"
     "  - {name: g, mean: [engage1, comment]}\n",
     NULL, NULL, NULL, "study.yaml:8:21: 'comment' is no number in derived variable 'g'"},
    {"derive:\n"
     "  - {name: g, mean: [engage1, engage2], min_valid: 3}\n",
     NULL, NULL, NULL, "study.yaml:8:52: 'min_valid' is 3 of 2 items"},
    {"derive:\n"
     "  - {name: g}\n",
     NULL, NULL, NULL, "study.yaml:8:5: derived variable 'g' needs one of cut, map, expr, mean and sum"},
    {"derive:\n"
     "  - {name: g, expr: \"1\", sum: [age]}\n",
     NULL, NULL, NULL, "study.yaml:8:5: derived variable 'g' needs one of cut, map, expr, mean and sum, not several"},
    {"derive:\n"
     "  - {name: age, expr: \"1\"}\n",
     NULL, NULL, NULL, "study.yaml:8:12: the name 'age' stands twice (first at survey.csv:4)"},
    {"derive:\n"
     "  - {name: a, expr: \"${b} + 1\"}\n"
     "  - {name: b, expr: \"${c} + 1\"}\n"
     "  - {name: c, expr: \"${a} + 1\"}\n",
     NULL, NULL, NULL, "study.yaml:9:12: derived variables go in a circle: 'b' needs 'c' needs 'a' needs 'b'"},
    {"derive:\n"
     "  - {name: g, codes: [x, y], expr: \"if(${age} > 3, 'x', 'z')\"}\n",
     NULL, NULL, NULL, "study.yaml:8:57: 'z' is no code of derived variable 'g' (did you mean 'x'?)"},
    {"derive:\n"
     "  - {name: g, expr: \"if(${age} > 3, 'x', 'y')\"}\n",
     NULL, NULL, NULL,
     "study.yaml:8:37: derived variable 'g' gives the text 'x' (list its texts under `codes`)\n"
     "study.yaml:8:42: derived variable 'g' gives the text 'y' (list its texts under `codes`)"},
    {"derive:\n"
     "  - {name: g, codes: [x, y], labels: {x: {en: X}, zz: {en: Z}}, expr: \"if(${age} > 3, "
     "'x', 'y')\"}\n",
     NULL, NULL, NULL, "study.yaml:8:51: 'zz' is no code of derived variable 'g' (its codes are x, y)"},
    {"derive:\n"
     "  - name: g\n"
     "    expr: |\n"
     "      ${age} +\n"
     "        ${agw}\n",
     NULL, NULL, NULL, "study.yaml:11:9: unknown variable 'agw' in derived variable 'g' (did you mean 'age'?)"},
    {"clean: [{id: a, drop: \"${changed} = 'ja'\"}]\n", NULL, NULL, NULL,
     "study.yaml:7:37: 'ja' is no code of 'changed' in rule 'a' (its codes are yes, no)"},
    {"clean: [{id: a, drop: \"${country} = 'RU'\"}]\n", NULL, NULL, NULL,
     "study.yaml:7:37: 'RU' is no code of 'country' in rule 'a' (did you mean 'RO'?)"},
    {"clean: [{id: a, drop: \"selected(${channels}, 'onlin')\"}]\n", NULL, NULL, NULL,
     "study.yaml:7:46: 'onlin' is no code of 'channels' in rule 'a' (did you mean 'online'?)"},
    {"clean: [{id: a, drop: \"selected(${age}, 'x')\"}]\n", NULL, NULL, NULL,
     "study.yaml:7:33: 'age' has no choices to be selected in rule 'a'"},
    {"clean: [{id: a, drop: \"${channels} = 'online'\"}]\n", NULL, NULL, NULL,
     "study.yaml:7:24: 'channels' takes several choices and has no single value in rule 'a' (use "
     "selected(${...}, 'code') or count-selected(${...}))"},
    {"clean: [{id: a, drop: \"${age} = 'old'\"}]\n", NULL, NULL, NULL,
     "study.yaml:7:33: 'age' is a number and can never be 'old' in rule 'a'"},
    {"clean: [{id: a, drop: \"${engage1} > 'no'\"}]\n", NULL, NULL, NULL,
     "study.yaml:7:37: 'engage1' is compared with a text that is no number in rule 'a' (codes "
     "are ordered by their `value`: write a number)"},
    {"clean: [{id: a, drop: \". > 1\"}]\n", NULL, NULL, NULL,
     "study.yaml:7:24: '.' stands for no variable in rule 'a' (name the variable: ${name})"},
    {"clean: [{id: a, drop: \"${age} > \"}]\n", NULL, NULL, NULL,
     "study.yaml:7:33: expression ends where a value was expected"},
    {"clean: [{id: a}]\n", NULL, NULL, NULL,
     "study.yaml:7:9: rule 'a' needs one kind (drop, duplicates, incomplete, speeders, straightliners, "
     "outliers, recode, set-missing, constraint or relevant)"},
    {"clean: [{id: a, incomplete: 0.5, speeders: 0.3}]\n", NULL, NULL, NULL,
     "study.yaml:7:9: rule 'a' needs one kind, not several (drop, duplicates, incomplete, speeders, "
     "straightliners, outliers, recode, set-missing, constraint or relevant)"},
    {"clean: [{id: a, incomplete: 50}]\n", NULL, NULL, NULL,
     "study.yaml:7:29: 'incomplete' must be from 0 to 1, not 50"},
    {"clean: [{id: a, speeders: 0.3}]\n", NULL, NULL, NULL,
     "study.yaml:7:9: rule 'a' needs the time taken (name the variable in roles.duration, or "
     "roles.started and roles.submitted)"},
    {"clean: [{id: a, incomplete: 0.5}, {id: a, incomplete: 0.6}]\n", NULL, NULL, NULL,
     "study.yaml:7:40: rule 'a' stands twice"},
    {"clean: [{id: a, incomplete: 0.5, action: set-missing}]\n", NULL, NULL, NULL,
     "study.yaml:7:42: rule 'a' concerns whole rows and cannot set answers missing (use drop "
     "or flag)"},
    {"clean: [{id: a, straightliners: [engage1]}]\n", NULL, NULL, NULL,
     "study.yaml:7:33: rule 'a' needs at least two items"},
    {"clean: [{id: a, outliers: [age]}]\n", NULL, NULL, NULL,
     "study.yaml:7:9: rule 'a' needs 'low', 'high' or 'minimum' (interquartile ranges)"},
    {"clean: [{id: a, recode: engage1, map: {no: nein}}]\n", NULL, NULL, NULL,
     "study.yaml:7:44: 'nein' is no code of 'engage1' in rule 'a' (its codes are no, so, yes, "
     "dk)"},
    {"clean: [{id: a, set-missing: \"${age} > ${w}\"}]\n", NULL, NULL, NULL,
     "study.yaml:7:9: rule 'a' does not say which variables become missing (add `items: [...]`)"},
    {"design: {weight: comment}\n", NULL, NULL, NULL,
     "study.yaml:7:18: 'comment' is no number in 'weight' of the design"},
    {"design: {cluster: country, fpc: [w, age]}\n", NULL, NULL, NULL,
     "study.yaml:7:33: 'fpc' names 2 stages, 'cluster' 1"},
    {WEIGHTING, "targets.csv", "0.4", "0.5",
     "targets.csv:2:1: the shares of 'PL' add up to 1.1, not to 1, in margin 'changed' "
     "(correct the shares, or give counts)"},
    {WEIGHTING, "targets.csv", "PL,no", "PL,nie",
     "targets.csv:3:4: 'nie' is no code of 'changed' (its codes are yes, no)"},
    {WEIGHTING, "targets.csv", "RO,yes", "RU,yes",
     "targets.csv:4:1: 'RU' is no code of 'country' (did you mean 'RO'?)"},
    {WEIGHTING, "targets.csv", "PL,no", "PL,yes", "targets.csv:3:1: the target of PL, 'yes' stands twice"},
    {WEIGHTING, "targets.csv", "changed", "change",
     "targets.csv:1:1: the column 'changed' of margin 'changed' is missing (did you mean 'change'?)\n"
     "targets.csv:1:9: unknown column 'change' in the targets of margin 'changed' (columns are "
     "the variables, share, count or total, and source)"},
    {WEIGHTING, "targets.csv", "PL,yes,0.4", "PL,yes,0,4",
     "targets.csv:2:1: the shares of 'PL' add up to 0.6, not to 1, in margin 'changed' "
     "(correct the shares, or give counts)\n"
     "targets.csv:2:12: the row has 5 cells, the heading 4 (a text with a comma needs quotation "
     "marks)"},
    {WEIGHTING, "targets.csv", "0.4", "\"0,4\"",
     "targets.csv:2:9: 'share' must be a number from 0, not '0,4' (the decimal sign here is a "
     "point)"},
    {WEIGHTING, "targets.csv",
     "a register\n"
     "PL,no,0.6,a register\n"
     "RO,yes,0.5,a register\n"
     "RO,no,0.5,a register",
     "illustrative: made up\n"
     "PL,no,0.6,illustrative: made up\n"
     "RO,yes,0.5,illustrative: made up\n"
     "RO,no,0.5,illustrative: made up",
     "targets.csv:2:12: illustrative targets cannot weight real answers (put targets with a real "
     "source in their place, or say `simulated: yes` at made-up data)"},
    {WEIGHTING, "targets.csv", "share,source", "share",
     "targets.csv:1:1: the column 'source' of margin 'changed' is missing\n"
     "targets.csv:2:12: the row has 4 cells, the heading 3 (a text with a comma needs quotation "
     "marks)\n"
     "targets.csv:3:11: the row has 4 cells, the heading 3 (a text with a comma needs quotation "
     "marks)\n"
     "targets.csv:4:12: the row has 4 cells, the heading 3 (a text with a comma needs quotation "
     "marks)\n"
     "targets.csv:5:11: the row has 4 cells, the heading 3 (a text with a comma needs quotation "
     "marks)"},
    {WEIGHTING, "targets.csv", "share", "part",
     "targets.csv:1:1: targets of margin 'changed' need one column, `share` or `count`\n"
     "targets.csv:1:17: unknown column 'part' in the targets of margin 'changed' (columns are "
     "the variables, share, count or total, and source)"},
    {"weighting: {within: country, rake: [{margin: engage, targets: targets.csv}], scale: equal}\n", NULL, NULL, NULL,
     "study.yaml:7:46: unknown variable 'engage' in a margin (did you mean 'engage1'?)"},
    {"weighting: {within: country, rake: [{margin: channels, targets: targets.csv}], scale: equal}\n", NULL, NULL, NULL,
     "study.yaml:7:46: 'channels' has no codes to be a margin (derive a coded variable)"},
    {"weighting: {rake: [{margin: changed, targets: no.csv}]}\n", NULL, NULL, NULL,
     "study.yaml:7:47: cannot read no.csv: No such file or directory (is the name right? Names are case sensitive)"},
    {"weighting: {calibrate: [], method: logit}\n", NULL, NULL, NULL,
     "study.yaml:7:24: no margins to weight to\n"
     "study.yaml:7:36: method logit needs bounds (add `bounds: [0.3, 3]`)"},
    {"weighting: {scale: population}\n", NULL, NULL, NULL,
     "study.yaml:7:20: scale population needs the countries' population (add `population: FILE` "
     "with the country's column, count and source)"},
    {"weighting: {trim: [2, 5]}\n", NULL, NULL, NULL,
     "study.yaml:7:19: 'trim' must have a lower limit below and an upper one above 1 (like 5, "
     "or [0.2, 5])"},
    {"tables:\n"
     "  - {id: a, items: [egage1], by: [[country]]}\n",
     NULL, NULL, NULL, "study.yaml:8:21: unknown variable 'egage1' in table 'a' (did you mean 'engage1'?)"},
    {"tables:\n"
     "  - {id: a, items: [engage1]}\n",
     NULL, NULL, NULL,
     "study.yaml:8:5: table 'a' asks for figures over all countries, but the study does not say "
     "how countries combine (add `weighting: {scale: equal}`, sample or population)"},
    {WEIGHTING "models:\n"
               "  - {id: a, kind: drivers, outcome: age, factors: [engage1, engage1, age], controls: [channels]}\n"
               "  - {id: b, kind: drivers, factors: [engage1], formula: \"age ~ w\", weights: none}\n"
               "  - {id: c, kind: drivers, outcome: country, factors: [engage1, comment], leave_out: [age]}\n"
               "  - {id: d, kind: linear, formula: \"age ~ w\", neutral: 0}\n",
     NULL, NULL, NULL,
     "study.yaml:9:52: the factor 'engage1' has no numbers in model 'a' (set its `measure` to ordinal or interval)\n"
     "study.yaml:9:61: variable 'engage1' stands twice in model 'a'\n"
     "study.yaml:9:70: 'age' has two tasks in model 'a' (name it once)\n"
     "study.yaml:9:87: 'channels' cannot be held constant in model 'a' (derive a coded variable or a number)\n"
     "study.yaml:10:5: model 'b' needs 'outcome' and 'factors'\n"
     "study.yaml:10:37: model 'b' takes 2 to 16 factors, not 1\n"
     "study.yaml:10:57: 'formula' has no meaning for kind 'drivers' (leave it out)\n"
     "study.yaml:10:77: 'weights' has no meaning for kind 'drivers' (leave it out)\n"
     "study.yaml:11:37: the outcome 'country' has no numbers in model 'c' (derive a score)\n"
     "study.yaml:11:37: 'country' has two tasks in model 'c' (name it once)\n"
     "study.yaml:11:56: the factor 'engage1' has no numbers in model 'c' (set its `measure` to ordinal or interval)\n"
     "study.yaml:11:65: the factor 'comment' has no numbers in model 'c' (derive a score)\n"
     "study.yaml:11:87: 'age' has no codes to leave out in model 'c'\n"
     "study.yaml:12:56: 'neutral' has no meaning for kind 'linear' (leave it out)"},
    {WEIGHTING "tables:\n"
               "  - {id: a, items: [comment]}\n",
     NULL, NULL, NULL,
     "study.yaml:9:21: 'comment' is free text, which is never published (proportion of table "
     "'a')"},
    {WEIGHTING "tables:\n"
               "  - {id: a, items: [w]}\n",
     NULL, NULL, NULL,
     "study.yaml:9:21: 'w' is a number without categories: `cut` it first (proportion of table "
     "'a')"},
    {WEIGHTING "tables:\n"
               "  - {id: a, items: [age], statistic: quantile}\n",
     NULL, NULL, NULL, "study.yaml:9:5: table 'a' needs 'probs' (add `probs: [0.25, 0.5, 0.75]`)"},
    {WEIGHTING "tables:\n"
               "  - {id: a, items: [age], statistic: quantile, probs: [50]}\n",
     NULL, NULL, NULL, "study.yaml:9:56: 'probs' must be from 0 to 1, not 50"},
    {WEIGHTING "tables:\n"
               "  - {id: a, items: [age], statistic: meen}\n",
     NULL, NULL, NULL, "study.yaml:9:38: unknown value 'meen' of 'statistic' (did you mean 'mean'?)"},
    {WEIGHTING "tables:\n"
               "  - {id: a, items: [age], by: [country]}\n",
     NULL, NULL, NULL,
     "study.yaml:9:32: 'by' must be a list of lists (put brackets around each crossing: [[a], "
     "[a, b]])"},
    {WEIGHTING "tables:\n"
               "  - {id: a, items: [age], by: [[channels]]}\n",
     NULL, NULL, NULL,
     "study.yaml:9:33: 'channels' takes several choices and makes no groups in table 'a' (name "
     "a choice: channels_online)"},
    {WEIGHTING "tables:\n"
               "  - {id: a, items: [age], by: [[comment]]}\n",
     NULL, NULL, NULL, "study.yaml:9:33: 'comment' has no codes to make groups in table 'a' (derive a coded variable)"},
    {WEIGHTING "tables:\n"
               "  - {id: a}\n",
     NULL, NULL, NULL, "study.yaml:9:5: table 'a' needs 'items' or 'ratio'"},
    {WEIGHTING "tables:\n"
               "  - {id: a, items: [age], ratio: {numerator: age, denominator: w}}\n",
     NULL, NULL, NULL, "study.yaml:9:20: table 'a' has both 'items' and 'ratio' (keep one of them)"},
    {WEIGHTING "tables:\n"
               "  - {id: a, items: [age]}\n"
               "  - {id: a, items: [w], statistic: mean}\n",
     NULL, NULL, NULL, "study.yaml:10:10: the id 'a' stands twice"},
    {WEIGHTING "tables:\n"
               "  - {id: weights, items: [age]}\n",
     NULL, NULL, NULL, "study.yaml:9:10: the id 'weights' is the engine's own"},
    {WEIGHTING "tables:\n"
               "  - {id: a, items: [age], filter: \"${agee} > 3\"}\n",
     NULL, NULL, NULL, "study.yaml:9:36: unknown variable 'agee' in table 'a' (did you mean 'age'?)"},
    {WEIGHTING "tests:\n"
               "  - {id: a, kind: rao_scot, rows: changed, columns: country}\n",
     NULL, NULL, NULL, "study.yaml:9:19: unknown value 'rao_scot' of 'kind' (did you mean 'rao_scott'?)"},
    {WEIGHTING "tests:\n"
               "  - {id: a, kind: rao_scott, rows: changed, columns: changed}\n",
     NULL, NULL, NULL, "study.yaml:9:54: test 'a' tests 'changed' against itself"},
    {"models:\n"
     "  - {id: a, kind: mixed, formula: \"age ~ w + country\"}\n",
     NULL, NULL, NULL, "study.yaml:8:36: the mixed model 'a' has no random part (as in (1 | country))"},
    {"models:\n"
     "  - {id: a, kind: mixed, formula: \"age ~ w + (1 | country)\", method: ml, df: kenward_roger}\n",
     NULL, NULL, NULL, "study.yaml:8:78: Kenward and Roger's method needs REML, in model 'a' (use method: reml)"},
    {"models:\n"
     "  - {id: a, kind: mixed, formula: \"age ~ w + (1 | country) + (1 | changed)\", weights: design}\n",
     NULL, NULL, NULL,
     "study.yaml:8:62: weights at both levels are built for a single grouping variable, in model 'a' (keep one "
     "grouping variable, or leave `weights` out)"},
    {"models:\n"
     "  - {id: a, kind: mixed, formula: \"age ~ w + (1 | country)\", scaling: size}\n",
     NULL, NULL, NULL, "study.yaml:8:71: 'scaling' needs design weights, in model 'a' (add `weights: design`)"},
    {"models:\n"
     "  - {id: a, kind: linear, formula: \"age ~ w + (1 | country)\"}\n",
     NULL, NULL, NULL,
     "study.yaml:8:47: random parts need a kind of mixed model, in model 'a' (use kind: mixed, mixed_logistic or "
     "mixed_ordinal)"},
    {"models:\n"
     "  - {id: a, kind: pooled, of: m, term: w, across: country}\n"
     "  - {id: m1, kind: linear, formula: \"age ~ w + country\"}\n",
     NULL, NULL, NULL, "study.yaml:8:31: unknown model 'm' in model 'a' (did you mean 'm1'?)"},
    {"models:\n"
     "  - {id: m1, kind: linear, formula: \"age ~ w + country\"}\n"
     "  - {id: a, kind: pooled, of: m1, term: country=XX, across: country}\n",
     NULL, NULL, NULL,
     "study.yaml:9:41: model 'm1' has no term 'country=XX' to pool in model 'a' (terms read `variable`, "
     "`variable=code` "
     "or `a=x:b`)"},
    {"models:\n"
     "  - {id: a, kind: pooled, estimate: age}\n",
     NULL, NULL, NULL, "study.yaml:8:5: model 'a' needs both 'estimate' and 'variance', each a variable"},
    {"models:\n"
     "  - {id: a, kind: pooled}\n",
     NULL, NULL, NULL,
     "study.yaml:8:5: model 'a' needs either a model or two columns (`estimate` and `variance` name columns; `of`, "
     "`term` and "
     "`across` a model's coefficient)"},
    {"models:\n"
     "  - {id: a, kind: linear, formula: \"age ~ w\", method: reml}\n",
     NULL, NULL, NULL, "study.yaml:8:55: 'method' has no meaning for kind 'linear' (leave it out)"},
    {"models:\n"
     "  - {id: a, kind: poisson, formula: \"country ~ w\"}\n",
     NULL, NULL, NULL, "study.yaml:8:38: 'country' is no count in model 'a' (name a variable of whole numbers)"},
    {"models:\n"
     "  - {id: a, kind: linear, formula: \"age ~ w + engaged1\"}\n",
     NULL, NULL, NULL, "study.yaml:8:47: unknown variable 'engaged1' in model 'a' (did you mean 'engage1'?)"},
    {"models:\n"
     "  - {id: a, kind: linear, formula: \"age ~ w +\"}\n",
     NULL, NULL, NULL, "study.yaml:8:46: formula ends where a variable was expected"},
    {"models:\n"
     "  - {id: a, kind: linear, formula: \"age ~ channels\"}\n",
     NULL, NULL, NULL,
     "study.yaml:8:43: 'channels' takes several choices and cannot enter model 'a' (name its "
     "choices: channels_online)"},
    {"models:\n"
     "  - {id: a, kind: linear, formula: \"age ~ comment\"}\n",
     NULL, NULL, NULL, "study.yaml:8:43: 'comment' is a text or a date and cannot enter model 'a'"},
    {"models:\n"
     "  - {id: a, kind: linear, formula: \"country ~ age\"}\n",
     NULL, NULL, NULL,
     "study.yaml:8:37: 'country' has no numbers in the linear model 'a' (set its `measure` to "
     "ordinal or interval)"},
    {"models:\n"
     "  - {id: a, kind: logistic, formula: \"changed ~ age\"}\n",
     NULL, NULL, NULL,
     "study.yaml:8:39: the answers of 'changed' stand in the order yes, no: model 'a' must say "
     "which is the event (add `event: \"yes\"`)"},
    {"models:\n"
     "  - {id: a, kind: logistic, formula: \"changed ~ age\", event: ja}\n",
     NULL, NULL, NULL, "study.yaml:8:62: 'ja' is no code of 'changed' in model 'a' (its codes are yes, no)"},
    {"models:\n"
     "  - {id: a, kind: logistic, formula: \"engage1 ~ age\"}\n",
     NULL, NULL, NULL,
     "study.yaml:8:39: 'engage1' has 3 valid answers, a logistic model needs two, in model 'a' "
     "(add `event: CODE`)"},
    {"models:\n"
     "  - {id: a, kind: ordinal, formula: \"age ~ w\"}\n",
     NULL, NULL, NULL, "study.yaml:8:38: 'age' has no ordered answers in the ordinal model 'a'"},
    {"models:\n"
     "  - {id: a, kind: linear}\n",
     NULL, NULL, NULL, "study.yaml:8:5: model 'a' needs a formula"},
    {"models:\n"
     "  - {id: a, kind: linear, formula: \"age ~ w\", df: satterthwaite}\n",
     NULL, NULL, NULL, "study.yaml:8:51: 'df' has no meaning for kind 'linear' (leave it out)"},
    {"models:\n"
     "  - {id: a, kind: mixed_ordinal, formula: \"engage1 ~ w + (1 | country)\", df: satterthwaite}\n"
     "  - {id: b, kind: mixed, formula: \"w ~ age + (1 | country)\", df: normal}\n",
     NULL, NULL, NULL,
     "study.yaml:8:78: 'satterthwaite' does not count degrees of freedom of this kind of model, in model 'a' "
     "(between_within "
     "or normal)\n"
     "study.yaml:9:66: 'normal' does not count degrees of freedom of this kind of model, in model 'b' (satterthwaite "
     "or "
     "kenward_roger)"},
    {"scales:\n"
     "  - {id: s, name: engage, items: [egage1, engage2]}\n",
     NULL, NULL, NULL, "study.yaml:8:35: unknown variable 'egage1' in scale 'engage' (did you mean 'engage1'?)"},
    {"factors:\n"
     "  - id: f\n"
     "    model: |\n"
     "      f =~ engage1 + engage2\n"
     "      g =~ = engage3\n",
     NULL, NULL, NULL, "study.yaml:11:12: expected a variable, found '='"},
    {"reports: {charts: [{analysis: nothing, kind: dots}]}\n", NULL, NULL, NULL,
     "study.yaml:7:31: unknown analysis 'nothing' in a chart"},
    {WEIGHTING "models: [{id: m, kind: drivers, outcome: age, factors: [w, w2]}]\n"
               "derive: [{name: w2, label: W, expr: \"${w} + 1\"}]\n"
               "reports: {charts: [{analysis: m, kind: quadrant}]}\n",
     NULL, NULL, NULL,
     "study.yaml:10:40: a quadrant needs a neutral value: all factors of 'm' are numbers (say in the model which value "
     "neither enables nor blocks, as in `neutral: 3`)"},
    {"models: [{id: m, kind: linear, formula: \"age ~ w\"}]\n"
     "reports: {charts: [{analysis: m, kind: dots}]}\n",
     NULL, NULL, NULL, "study.yaml:8:40: a chart of kind 'dots' cannot show model 'm' (use forest)"},
    {"reports: {briefs: [{for: all, languages: [fr]}]}\n", NULL, NULL, NULL,
     "study.yaml:7:43: 'fr' is no language of the study"},
    {"reports: {briefs: [{for: each_country, languages: [national]}]}\n", NULL, NULL, NULL,
     "study.yaml:7:52: the study does not say which language is national where (add `national: "
     "{PL: pl, ...}`)"},
    {"disclosure: on\n", NULL, NULL, NULL,
     "study.yaml:7:13: unknown value 'on' of 'disclosure' (it can only be off, or a "
     "mapping of keys)"},
    {"disclosure: {minimum_base: 0}\n", NULL, NULL, NULL, "study.yaml:7:28: 'minimum_base' must be at least 1, not 0"},
    {"simulate: {answers: {changed: [0.4, 0.5]}}\n", NULL, NULL, NULL,
     "study.yaml:7:31: the shares of 'changed' add up to 0.9, not to 1"},
    {"simulate: {outcomes: [{name: o, items: [age], effects: {nobody: 1}}]}\n", NULL, NULL, NULL,
     "study.yaml:7:57: unknown effect 'nobody' in simulated outcome 'o' (name a factor, an outcome "
     "above, or variable=code)"},
};

static void wrong_studies(void **state) {
    (void) state;
    for (size_t k = 0; k < sizeof wrong / sizeof *wrong; k++) {
        put_study(wrong[k].tail, wrong[k].file, wrong[k].from, wrong[k].to);
        rsp_diag *d = rsp_diag_new();
        rsp_study *s = rsp_study_load(folder, d);
        char *errors = said(d, RSP_ERR_STUDY);
        assert_string_equal(errors, wrong[k].says);
        assert_null(s);
        assert_int_equal(rsp_diag_status(d), 3);
        free(errors);
        rsp_diag_free(d);
    }
}

/* All errors of all files at once. */
static void many_faults(void **state) {
    (void) state;
    put_study("tabels: []\ndesign: {strata: countri}\n", "survey.csv", "integer,age", "intger,age");
    rsp_diag *d = rsp_diag_new();
    assert_null(rsp_study_load(folder, d));
    char *errors = said(d, RSP_ERR_STUDY);
    assert_string_equal(errors, "study.yaml:7:1: unknown key 'tabels' in 'study.yaml' (did you mean 'tables'?)\n"
                                "study.yaml:8:18: unknown variable 'countri' in 'strata' of the design (did you mean "
                                "'country'?)\n"
                                "survey.csv:4:1: unknown type 'intger' (did you mean 'integer'?)");
    free(errors);
    rsp_diag_free(d);
}

/* ---- good studies ----------------------------------------------------------------------------------------------- */

static void small_study(void **state) {
    (void) state;
    put_study("derive:\n"
              "  - {name: late, expr: \"${early} * 2\"}\n"
              "  - {name: early, mean: [engage1, engage3], min_valid: 1}\n"
              "  - {name: band, from: late, cut: [2.5], codes: [low, high]}\n"
              "  - {name: pair, from: engage1, map: {so: mild, no: mild, yes: firm}}\n",
              NULL, NULL, NULL);
    rsp_study *s = load_good(folder);
    const rsp_variable *channels = variable(s, "channels");
    size_t first = channels->first_part;
    assert_int_equal(s->n_variables, 11 + 2 + 4); /* questions, parts, derivations */
    assert_string_equal(s->variables[first].name, "channels_online");
    assert_string_equal(s->variables[first + 1].name, "channels_letter");
    assert_int_equal(s->variables[first + 1].part, 1);
    assert_ptr_equal(&s->variables[s->variables[first].part_of], channels);
    assert_int_equal(s->variables[first].type, RSP_INTEGER);
    assert_string_equal(rsp_variable_label(s, first, "pl"), "W sieci");
    assert_true(variable(s, "engage3")->reverse);
    assert_non_null(variable(s, "engage2")->relevant);
    assert_int_equal(variable(s, "engage2")->relevant->args[0]->variable, rsp_study_variable(s, "age"));
    assert_non_null(variable(s, "age")->constraint);
    assert_int_equal(s->n_derived, 4);
    assert_string_equal(s->variables[s->derived[0]].name, "early");
    assert_string_equal(s->variables[s->derived[1]].name, "pair");
    assert_string_equal(s->variables[s->derived[2]].name, "late");
    assert_string_equal(s->variables[s->derived[3]].name, "band");
    assert_int_equal(variable(s, "band")->measure, RSP_ORDINAL);
    const rsp_derivation *map = &variable(s, "pair")->derive;
    assert_int_equal(map->n_map, 3);
    assert_int_equal(map->map_from[0], 1); /* so */
    assert_int_equal(map->map_to[0], 0);   /* mild: the first to appear */
    assert_int_equal(map->map_from[2], 2);
    assert_int_equal(map->map_to[2], 1);
    assert_string_equal(variable(s, "pair")->list->choices[1].code, "firm");
    assert_true(variable(s, "engage1")->list->choices[3].missing);
    assert_true(variable(s, "engage1")->list->choices[2].value == 3);
    assert_int_equal(s->roles.submitted, RSP_NONE);
    assert_int_equal(s->reports.n_briefs, 1);
    assert_string_equal(s->reports.briefs[0].languages[0], "en");
    assert_int_equal(s->disclosure.minimum_base, 10);
    assert_int_equal(s->n_inputs, 3);
    rsp_study_free(s);
}

static void instrument_columns(void **state) {
    (void) state;
    put("study.yaml", head);
    put("choices.csv", "\xEF\xBB\xBFlist_name;name;label::English (en);value;alias\n\n"
                       "country;PL;Poland;7;Polen | Pologne\r\n");
    put("survey.csv", "type;name;label;relevant;measure;export_name;appearance\n"
                      "begin group;a;;${n} > 1;;;\n"
                      "text;id;\"One; \"\"two\"\"\nlines\";;;;\n"
                      "begin_group;b;;${n} < 9;;;\n"
                      "select_one country;country;;${n} != 5;ordinal;q1| q2 ;minimal\n"
                      "end_group;;;;;;\n"
                      "end_group;;;;;;\n"
                      "note;x;Thank you;;;;\n"
                      "integer;n;;;;;\n");
    rsp_study *s = load_good(folder);
    const rsp_variable *c = variable(s, "country");
    assert_int_equal(s->n_variables, 3);
    assert_string_equal(rsp_variable_label(s, 0, "pl"), "One; \"two\"\nlines");
    assert_int_equal(c->n_export_names, 2);
    assert_string_equal(c->export_names[1], "q2");
    assert_int_equal(c->measure, RSP_ORDINAL);
    assert_int_equal(c->relevant->op, RSP_X_AND);
    assert_int_equal(c->relevant->args[0]->op, RSP_X_AND);
    assert_int_equal(c->relevant->args[1]->op, RSP_X_NE);
    assert_int_equal(variable(s, "id")->relevant->op, RSP_X_GT);
    assert_null(variable(s, "n")->relevant);
    assert_int_equal(c->loc.line, 6);
    assert_true(c->list->choices[0].value == 7);
    assert_string_equal(rsp_choice_label(c->list, 0, "en"), "Poland");
    assert_string_equal(rsp_choice_label(c->list, 0, "pl"), "PL");
    assert_int_equal(c->list->choices[0].n_aliases, 2);
    assert_string_equal(c->list->choices[0].aliases[0], "Polen");
    rsp_study_free(s);
}

static void whole_options(void **state) {
    (void) state;
    put_study("field: {from: 2026-01-01, to: 2026-02-01, freeze: 2026-03-01, wave: 2}\n"
              "national: {PL: pl, RO: [en, pl]}\n"
              "clean:\n"
              "  - {id: a, drop: \"${age} < 18\", label: Under age}\n"
              "  - {id: b, duplicates: {by: [age, country], keep: most_complete}}\n"
              "  - {id: c, straightliners: {items: [engage1, engage2], minimum: 2}, action: flag}\n"
              "  - {id: d, outliers: [age, w], low: 0, high: 120}\n"
              "  - {id: e, recode: engage1, map: {so: \"no\", dk: missing}}\n"
              "  - {id: f, set-missing: \"${age} > 99\"}\n"
              "design: {weight: w, strata: [country, changed], cluster: [id, age], fpc: [w, w_], lonely: certainty, "
              "sample: self_selected}\n"
              "derive: [{name: w_, expr: \"${w}\"}]\n"
              "weighting: {within: country, calibrate: [{margin: changed, targets: targets.csv}], method: logit, "
              "bounds: [0.3, 3], trim: [0.2, 5], missing: set-aside, scale: sample, "
              "nonresponse: {classes: [changed]}}\n"
              "variance: {method: bootstrap, replicates: 50, seed: 9, mse: yes}\n"
              "models: [{id: m, kind: logistic, formula: \"changed ~ age\", event: \"yes\", weights: none}]\n"
              "tables:\n"
              "  - {id: q, items: [age], statistic: quantile, probs: [0.25, 0.5], by: [[], [country, changed]], "
              "variance: {method: taylor}}\n"
              "  - {id: r, ratio: {numerator: age, denominator: w}, filter: \"${age} > 20\", compare: yes}\n"
              "disclosure: {minimum_cell: 5, dominance: {n: 1, k: 0.5}}\n"
              "reports:\n"
              "  briefs: [{for: each_country, languages: [national, en], analyses: [r, q]}]\n"
              "  charts: [{analysis: m, kind: forest, title: {en: Found}}]\n",
              NULL, NULL, NULL);
    rsp_study *s = load_good(folder);
    assert_int_equal(s->field.wave, 2);
    assert_int_equal(s->n_national, 3);
    assert_string_equal(s->national[2].name, "RO");
    assert_string_equal(s->national[2].value, "pl");
    assert_int_equal(s->n_rules, 6);
    assert_int_equal(s->rules[0].action, RSP_ACTION_DROP);
    assert_int_equal(s->rules[1].keep, RSP_KEEP_MOST_COMPLETE);
    assert_int_equal(s->rules[1].n_by, 2);
    assert_int_equal(s->rules[2].action, RSP_ACTION_FLAG);
    assert_true(s->rules[2].minimum == 2);
    assert_true(s->rules[3].high == 120 && isnan(s->rules[3].minimum));
    assert_int_equal(s->rules[3].action, RSP_ACTION_SET_MISSING);
    assert_string_equal(s->rules[4].recode[1].value, "");
    assert_int_equal(s->rules[5].n_items, 1);
    assert_int_equal(s->design.n_stages, 2);
    assert_int_equal(s->design.lonely, RSP_LONELY_CERTAINTY);
    assert_true(s->design.self_selected);
    assert_int_equal(s->weighting.method, RSP_LOGIT);
    assert_true(s->weighting.bound_high == 3 && s->weighting.trim_low == 0.2 && s->weighting.set_aside_missing);
    assert_int_equal(s->weighting.scale, RSP_SCALE_SAMPLE);
    assert_int_equal(s->weighting.n_nonresponse, 1);
    assert_int_equal(s->weighting.margins[0].n_targets, 4);
    assert_string_equal(s->weighting.margins[0].targets[3].country, "RO");
    assert_string_equal(s->weighting.margins[0].targets[3].code, "no");
    assert_true(s->weighting.margins[0].targets[1].amount == 0.6);
    assert_int_equal(s->n_analyses, 3); /* in the order of the file: models stand first here */
    assert_string_equal(s->analyses[0].id, "m");
    assert_true(s->analyses[0].model.unweighted);
    assert_int_equal(s->analyses[0].variance.method, RSP_BOOTSTRAP);
    assert_int_equal(s->analyses[0].variance.replicates, 50);
    assert_int_equal(s->analyses[1].variance.method, RSP_TAYLOR);
    assert_true(s->analyses[1].variance.mse);
    assert_int_equal(s->analyses[1].table.by[0].n, 0);
    assert_int_equal(s->analyses[1].table.by[1].n, 2);
    assert_int_equal(s->analyses[2].table.statistic, RSP_RATIO);
    assert_int_equal(s->analyses[2].table.n_by, 1);
    assert_true(s->analyses[2].table.compare);
    assert_int_equal(s->disclosure.minimum_cell, 5);
    assert_int_equal(s->disclosure.minimum_base, 10);
    assert_true(s->disclosure.dominance_k == 0.5);
    assert_true(s->reports.briefs[0].each_country);
    assert_string_equal(s->reports.briefs[0].analyses[0], "r");
    assert_string_equal(s->reports.charts[0].kind, "forest");
    assert_true(rsp_study_preliminary(s, "2026-02-28"));
    assert_true(rsp_study_preliminary(s, "2026-03-01")); /* the day itself has not passed */
    assert_false(rsp_study_preliminary(s, "2026-03-02"));
    assert_false(rsp_study_simulated(s));
    rsp_study_free(s);
}

static void margins_of_many_kinds(void **state) {
    (void) state;
    put_study("weighting: {rake: [{margin: changed:country, targets: targets.csv}]}\n", NULL, NULL, NULL);
    put("targets.csv", "changed,country,count,source\nyes,PL,10,x\nno,PL,20,x\nyes,RO,30,x\nno,RO,40.5,x\n");
    rsp_study *s = load_good(folder);
    assert_string_equal(s->weighting.margins[0].name, "changed:country");
    assert_true(s->weighting.margins[0].counts);
    assert_string_equal(s->weighting.margins[0].targets[3].code, "no:RO");
    assert_true(s->weighting.margins[0].targets[3].amount == 40.5);
    rsp_study_free(s);
    put_study("weighting: {calibrate: [{margin: age, targets: targets.csv}], method: linear}\n", NULL, NULL, NULL);
    put("targets.csv", "total,source\n81000,x\n");
    s = load_good(folder);
    assert_true(s->weighting.margins[0].numeric);
    assert_true(s->weighting.margins[0].targets[0].amount == 81000);
    rsp_study_free(s);
}

/* Targets that say illustrative go with simulated data. */
static void illustrative(void **state) {
    (void) state;
    put_study(WEIGHTING, "targets.csv", "a register", "illustrative");
    char *yaml = changed(head, "data.csv", "data.csv, simulated: yes");
    char *with = changed(yaml, "", WEIGHTING);
    put("study.yaml", with);
    rsp_study *s = load_good(folder);
    assert_true(rsp_study_simulated(s));
    rsp_study_free(s);
    free(yaml);
    free(with);
}

static void shipped_studies(void **state) {
    (void) state;
    rsp_study *s = load_good("specs/wvs");
    assert_int_equal(s->n_analyses, 8);
    assert_string_equal(s->analyses[7].id, "poverty_ordinal");
    const rsp_variable *age = variable(s, "age_group");
    assert_int_equal(age->list->n, 4);
    assert_string_equal(age->list->choices[1].code, "30_44");
    assert_string_equal(rsp_choice_label(age->list, 3, "pl"), "60 i więcej");
    assert_true(age->derive.cut[2] == 60);
    /* A comma in braces ends a text after YAML; the loader reads what was meant. */
    assert_string_equal(rsp_variable_label(s, rsp_study_variable(s, "agree"), "pl"), "Uważa, że robi się za mało");
    assert_true(rsp_list_find(variable(s, "country")->list, "NO") != RSP_NONE);
    assert_int_equal(s->weighting.n_margins, 2);
    assert_int_equal(s->weighting.margins[1].n_targets, 8);
    rsp_study_free(s);
    s = load_good("specs/rse2017");
    assert_int_equal(s->n_sources, 3);
    assert_int_equal(s->sources[2].n_rename, 8);
    assert_string_equal(s->sources[2].rename[0].value, "discipline[computing]");
    assert_int_equal(s->weighting.scale, RSP_SCALE_EQUAL);
    rsp_study_free(s);
    s = load_good("specs/ifsw");
    assert_true(rsp_study_simulated(s));
    assert_int_equal(s->simulation.n_countries, 6);
    assert_int_equal(s->simulation.n_factors, 12);
    assert_true(s->simulation.n_answers > 50);
    rsp_study_free(s);
}

static void measurement(void **state) {
    (void) state;
    rsp_study *s = load_good("fixtures/reference/hs1939");
    assert_int_equal(s->n_analyses, 7);
    assert_int_equal(s->analyses[0].kind, RSP_A_SCALE);
    assert_string_equal(s->analyses[1].scale.name, "textual");
    assert_int_equal(s->analyses[1].scale.min_valid, 3);
    assert_int_equal(s->analyses[6].kind, RSP_A_FACTOR);
    assert_int_equal(s->analyses[6].factor.equal, RSP_EQUAL_LOADINGS | RSP_EQUAL_INTERCEPTS);
    assert_string_equal(s->analyses[6].factor.group_name, "school");
    assert_int_equal(s->analyses[6].factor.syntax->n, 9);
    rsp_study_free(s);
}

/* ---- check ------------------------------------------------------------------------------------------------------ */

static void check_says(void **state) {
    (void) state;
    put_study("derive: [{name: g, from: age, cut: [3], codes: [a, b]}]\n", "choices.csv", "Tak sobie", "");
    rsp_study *s = load_good(folder);
    rsp_diag *d = rsp_diag_new();
    rsp_study_check(s, d);
    char *errors = said(d, RSP_ERR_STUDY), *warnings = said(d, RSP_WARNING);
    assert_string_equal(errors, "study.yaml:4:19: there is no file 'data.csv' (paths are seen from the study folder)");
    assert_string_equal(warnings,
                        "choices.csv:5:7: 1 text has no translation into 'pl', the first is that of 'so'\n"
                        "study.yaml:7:17: derived variable 'g' has no label: its name is shown (add `label`)\n"
                        "study.yaml:7:17: the codes of 'g' have no labels: the codes are shown (add `labels`)");
    free(errors);
    free(warnings);
    rsp_diag_free(d);
    rsp_study_free(s);
    put_study("", "choices.csv", "", "spare,x,X,X,,,\n");
    put("data.csv", "id\n");
    s = load_good(folder);
    d = rsp_diag_new();
    rsp_study_check(s, d);
    char *notes = said(d, RSP_NOTE);
    assert_int_equal(rsp_diag_errors(d), 0);
    assert_string_equal(notes, "choices.csv:12:7: no question uses the list 'spare'");
    free(notes);
    rsp_diag_free(d);
    rsp_study_free(s);
    /* A file's name that nearly is another's; numbers made of answers whose order nobody gave. */
    put_study("tables: [{id: a, items: [engage1, changed], statistic: mean}]\n"
              "scales: [{id: s, name: s, items: [engage1, engage2]}]\n" WEIGHTING,
              "study.yaml", "data.csv", "date.csv");
    s = load_good(folder);
    d = rsp_diag_new();
    rsp_study_check(s, d);
    errors = said(d, RSP_ERR_STUDY), warnings = said(d, RSP_WARNING);
    assert_string_equal(errors, "study.yaml:4:19: there is no file 'date.csv' (did you mean 'data.csv'?)");
    assert_string_equal(
        warnings, "study.yaml:7:10: 'a' takes the answers to 'engage1' for the numbers 1, 2, 3, ..., but they are "
                  "nominal (set its `measure` to ordinal in survey.csv, if its answers have an order)\n"
                  "study.yaml:8:10: 's' takes the answers to 'engage1' for the numbers 1, 2, 3, ..., but they are "
                  "nominal (set its `measure` to ordinal in survey.csv, if its answers have an order)\n"
                  "study.yaml:8:10: 's' takes the answers to 'engage2' for the numbers 1, 2, 3, ..., but they are "
                  "nominal (set its `measure` to ordinal in survey.csv, if its answers have an order)");
    free(errors);
    free(warnings);
    rsp_diag_free(d);
    rsp_study_free(s);
}

/* ---- hostile files ---------------------------------------------------------------------------------------------- */

static char *first_error(const char *yaml) {
    put("study.yaml", yaml);
    rsp_diag *d = rsp_diag_new();
    assert_null(rsp_study_load(folder, d));
    char *text = changed(rsp_diag_at(d, 0)->message, "", "");
    rsp_diag_free(d);
    return text;
}

static void bombs(void **state) {
    (void) state;
    rsp_buf b = {0};
    put_study("", NULL, NULL, NULL);
    rsp_buf_puts(&b, "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for (int k = 1; k < 12; k++) {
        rsp_buf_printf(&b, "a%d: &a%d [", k, k);
        for (int j = 0; j < 10; j++) rsp_buf_printf(&b, "*a%d%s", k - 1, j < 9 ? ", " : "]\n");
    }
    char *text = first_error(b.data);
    assert_string_equal(text, "aliases make the file too large (more than 1000000 values)");
    free(text);
    rsp_buf_free(&b);
    for (int k = 0; k < 500; k++) rsp_buf_puts(&b, "[");
    text = first_error(b.data);
    assert_string_equal(text, "values are nested deeper than 64 levels");
    free(text);
    rsp_buf_free(&b);
}

/* A file cut off at any byte is refused or read, never a crash; the sanitizers watch. */
static void cut_off(void **state) {
    (void) state;
    rsp_buf whole = {0};
    rsp_diag *d = rsp_diag_new();
    assert_true(rsp_read_file("specs/wvs/study.yaml", &whole, d, RSP_ERR_STUDY, RSP_NOWHERE));
    rsp_diag_free(d);
    put_study("", NULL, NULL, NULL);
    size_t refused = 0;
    for (size_t n = 0; n < whole.length; n += 7) {
        char *part = changed("", NULL, whole.data);
        part[n] = '\0';
        put("study.yaml", part);
        d = rsp_diag_new();
        rsp_study *s = rsp_study_load(folder, d);
        assert_true((s == NULL) == (rsp_diag_errors(d) > 0));
        refused += s == NULL;
        rsp_study_free(s);
        rsp_diag_free(d);
        free(part);
    }
    assert_true(refused > 0);
    for (size_t n = 0; n < strlen(survey_csv); n++) {
        char *part = changed("", NULL, survey_csv);
        part[n] = '\0';
        put("study.yaml", head);
        put("survey.csv", part);
        d = rsp_diag_new();
        rsp_study *s = rsp_study_load(folder, d);
        assert_true((s == NULL) == (rsp_diag_errors(d) > 0));
        rsp_study_free(s);
        rsp_diag_free(d);
        free(part);
    }
    rsp_buf_free(&whole);
}

/* ---- generated files -------------------------------------------------------------------------------------------- */

static void schema_is_current(void **state) {
    (void) state;
    rsp_buf made = {0}, shipped = {0};
    rsp_diag *d = rsp_diag_new();
    rsp_study_schema(&made);
    assert_true(rsp_read_file("specs/study.schema.json", &shipped, d, RSP_ERR_STUDY, RSP_NOWHERE));
    assert_string_equal(shipped.data, made.data);
    rsp_buf_free(&made);
    rsp_buf_free(&shipped);
    rsp_diag_free(d);
}

static void reference_is_current(void **state) {
    (void) state;
    rsp_buf made = {0}, shipped = {0};
    rsp_diag *d = rsp_diag_new();
    rsp_study_reference(&made);
    assert_true(rsp_read_file("specs/README.md", &shipped, d, RSP_ERR_STUDY, RSP_NOWHERE));
    assert_non_null(strstr(shipped.data, made.data));
    rsp_buf_free(&made);
    rsp_buf_free(&shipped);
    rsp_diag_free(d);
}

static void words(void **state) {
    (void) state;
    rsp_wording w[] = {{"en", "Yes"}, {"pl", "Tak"}}, any[] = {{"", "Ja"}};
    rsp_text two = {2, w}, one = {1, any}, none = {0, NULL};
    assert_string_equal(rsp_text_in(&two, "pl"), "Tak");
    assert_null(rsp_text_in(&two, "de"));
    assert_string_equal(rsp_text_in(&one, "de"), "Ja");
    assert_null(rsp_text_in(&none, "de"));
}

/* What stands outside the folder is not read, by whatever way a study gets there. */
static void files_outside(void **state) {
    static const struct {
        const char *tail, *file, *from, *to, *says;
    } cases[] = {
        {"", "study.yaml", "choices: choices.csv", "choices: ../elsewhere/choices.csv",
         "study.yaml:5:43: %s/../elsewhere/choices.csv lies outside the study folder (if that is meant: `paths: "
         "{allow: "
         "[../elsewhere]}`)"},
        {"privacy: {key: /etc/passwd}\n", "", "", "",
         "study.yaml:7:16: /etc/passwd lies outside the study folder (if that is meant: `paths: {allow: [/etc]}`)"},
        {"weighting: {rake: [{margin: changed, targets: link/passwd}], scale: equal}\n", "", "", "",
         "study.yaml:7:47: /etc/passwd lies outside the study folder (if that is meant: `paths: {allow: [/etc]}`)"},
        {"privacy: {key: new/../../../key}\n", "", "", "",
         "study.yaml:7:16: %s/new/../../../key lies outside the study folder (if that is meant: `paths: {allow: "
         "[/]}`)"},
    };
    char link[128], text[512];
    (void) state;
    snprintf(link, sizeof link, "%s/link", folder);
    assert_int_equal(symlink("/etc", link), 0);
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        rsp_diag *d = rsp_diag_new();
        bool found = false;
        put_study(cases[k].tail, cases[k].file, cases[k].from, cases[k].to);
        rsp_study_free(rsp_study_load(folder, d));
        assert_int_equal(rsp_diag_status(d), RSP_ERR_STUDY);
        snprintf(text, sizeof text, cases[k].says, folder);
        for (size_t j = 0; j < rsp_diag_count(d); j++) {
            const rsp_diagnostic *e = rsp_diag_at(d, j);
            char got[1024];
            snprintf(got, sizeof got, "study.yaml:%d:%d: %s (%s)", e->loc.line, e->loc.column, e->message,
                     e->hint ? e->hint : "");
            found |= strcmp(got, text) == 0;
        }
        if (!found) rsp_diag_print(d, stderr, false, 0);
        assert_true(found);
        rsp_diag_free(d);
    }
    rsp_diag *d = rsp_diag_new();
    put_study("paths: {allow: /etc}\nweighting: {rake: [{margin: changed, targets: link/passwd}], scale: equal}\n",
              NULL, NULL, NULL);
    rsp_study_free(rsp_study_load(folder, d)); /* which has other faults now */
    for (size_t k = 0; k < rsp_diag_count(d); k++) assert_null(strstr(rsp_diag_at(d, k)->message, "outside"));
    assert_non_null(strstr(rsp_diag_at(d, 0)->loc.file, "/link/passwd"));
    rsp_diag_free(d);
    unlink(link);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(wrong_studies),
                                       cmocka_unit_test(many_faults),
                                       cmocka_unit_test(small_study),
                                       cmocka_unit_test(instrument_columns),
                                       cmocka_unit_test(whole_options),
                                       cmocka_unit_test(margins_of_many_kinds),
                                       cmocka_unit_test(illustrative),
                                       cmocka_unit_test(shipped_studies),
                                       cmocka_unit_test(measurement),
                                       cmocka_unit_test(check_says),
                                       cmocka_unit_test(bombs),
                                       cmocka_unit_test(files_outside),
                                       cmocka_unit_test(cut_off),
                                       cmocka_unit_test(schema_is_current),
                                       cmocka_unit_test(reference_is_current),
                                       cmocka_unit_test(words)};
    return cmocka_run_group_tests_name("study", tests, make_folder, remove_folder);
}
