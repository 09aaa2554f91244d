/* See profile.h. */
#include "profile.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static void add_spelling(rsp_profile *p, const char *text, size_t length) {
    size_t at = rsp_map_get_n(p->seen, text, length);
    if (at != RSP_NONE) {
        p->spellings[at].n++;
        return;
    }
    if (p->n_spellings == RSP_MOST_SPELLINGS) {
        p->many = true;
        return;
    }
    char *copy = rsp_malloc(length + 1);
    memcpy(copy, text, length);
    copy[length] = '\0';
    rsp_map_put_n(p->seen, text, length, p->n_spellings);
    rsp_spelling s = {copy, length, 1};
    RSP_PUSH(p->spellings, p->n_spellings, p->capacity, s);
}

static void look_at_number(rsp_profile *p, const char *text, size_t length, double x) {
    bool point = memchr(text, '.', length) != NULL, comma = memchr(text, ',', length) != NULL;
    if (x == floor(x) && !point && !comma) p->whole++;
    else p->decimal++;
    p->points += point;
    p->commas += comma;
    p->rounded += length > 5 && (memchr(text, 'E', length) || memchr(text, 'e', length)) && fabs(x) >= 1e6;
    if (p->whole + p->decimal == 1 || x < p->least) p->least = x;
    if (p->whole + p->decimal == 1 || x > p->greatest) p->greatest = x;
}

static void look(rsp_profile *p, const rsp_cell *c) {
    const char *text = c->text;
    size_t length = c->length;
    double x;
    while (length && strchr(" \t\r\n", *text)) text++, length--;
    while (length && strchr(" \t\r\n", text[length - 1])) length--;
    p->answered++;
    p->letters += length;
    if (rsp_parse_date(text, length, &x)) {
        p->iso++;
    } else if (rsp_parse_double(text, length, '.', &x) || rsp_parse_double(text, length, ',', &x)) {
        look_at_number(p, text, length, x);
    } else {
        bool day = rsp_parse_local_date(text, length, RSP_DATES_DAY_FIRST, &x);
        bool month = rsp_parse_local_date(text, length, RSP_DATES_MONTH_FIRST, &x);
        p->local += day || month;
        p->day_first = p->day_first || (day && (!month || memchr(text, '.', length)));
        p->month_first = p->month_first || (month && !day);
    }
    const char *what = rsp_personal_content(text, length);
    p->personal += what != NULL;
    if (what) p->personal_what = what;
    add_spelling(p, text, length);
}

struct places {
    size_t submitted, finished;
};

static bool is_question(const rsp_profile *p, const char *heading) { return !p->own && *heading; }

static void look_at_record(const rsp_table_data *t, const rsp_tool *tool, const struct places *at,
                           const rsp_cell *cells, rsp_profile *p) {
    bool left = rsp_was_left(tool, at->submitted != RSP_NONE ? &cells[at->submitted] : NULL,
                             at->finished != RSP_NONE ? &cells[at->finished] : NULL);
    size_t last = t->n_columns;
    for (; last > 0; last--) {
        const rsp_cell *c = &cells[last - 1];
        if (is_question(&p[last - 1], t->headings[last - 1]) && !rsp_cell_blank(c) &&
            !rsp_cell_declared(tool, c, RSP_TAKE_CODE) && !rsp_is_not_available(c->text, c->length))
            break;
    }
    for (size_t j = 0; j < t->n_columns; j++) {
        const rsp_cell *c = &cells[j];
        bool beyond = left && j >= last && !p[j].own, zero = c->length == 1 && c->text[0] == '0';
        int why = 0;
        if (rsp_cell_blank(c)) why = rsp_blank_kind(tool, t, c, beyond);
        /* A nought may be a number or a tick that was not made: only a study can tell. */
        else if (!zero && !p[j].own) why = rsp_as_left(tool, beyond, rsp_cell_declared(tool, c, RSP_TAKE_CODE));
        if (!why && rsp_is_not_available(c->text, c->length)) why = rsp_as_left(tool, beyond, RSP_NA_NOT_SHOWN);
        if (why) p[j].missing[-why]++;
        else look(&p[j], c);
    }
}

static void start(const rsp_table_data *t, const rsp_tool *tool, rsp_profile *p, struct places *at) {
    rsp_buf room = {0};
    *at = (struct places){RSP_NONE, RSP_NONE};
    for (size_t j = 0; j < t->n_columns; j++) {
        p[j].seen = rsp_map_new();
        p[j].own = rsp_tool_own(tool, t->headings[j], &room);
        p[j].personal_heading =
            (p[j].own && p[j].own->kind == RSP_OWN_PERSONAL) || rsp_is_personal_heading(t->headings[j], &room);
        if (p[j].own && p[j].own->kind == RSP_OWN_SUBMITTED && at->submitted == RSP_NONE) at->submitted = j;
        if (p[j].own && p[j].own->kind == RSP_OWN_FINISHED && at->finished == RSP_NONE) at->finished = j;
    }
    rsp_buf_free(&room);
}

/* ---- the table as a whole --------------------------------------------------------------------------------------- */

static void report_headings_again(const rsp_profile *p, const rsp_table_data *t, rsp_diag *d) {
    if (rsp_profiles_repeat_headings(p, t))
        rsp_report(d, RSP_WARNING, (rsp_loc){t->path, 0, 0}, "take those rows out: each counts as a respondent",
                   "the headings stand among the answers again: files copied one below the other?");
}

/* Texts that were UTF-8, were taken for Windows-1252 and written as UTF-8 again: their letters stand as two or three signs.
 * They are not put right, as nobody but who did it knows what else was done. */
static void report_twice_encoded(const rsp_profile *p, const rsp_table_data *t, rsp_diag *d) {
    size_t headings = 0, answers = 0, columns = 0, first = RSP_NONE;
    for (size_t j = 0; j < t->n_columns; j++) {
        const char *label = t->info ? t->info[j].label : NULL;
        size_t before = headings + answers;
        headings += rsp_is_twice_encoded(t->headings[j], strlen(t->headings[j])) ||
                    (label && rsp_is_twice_encoded(label, strlen(label)));
        for (size_t k = 0; k < p[j].n_spellings; k++)
            if (rsp_is_twice_encoded(p[j].spellings[k].text, p[j].spellings[k].length)) answers += p[j].spellings[k].n;
        if (headings + answers == before) continue;
        columns++;
        if (first == RSP_NONE) first = j;
    }
    if (columns)
        rsp_report(
            d, RSP_WARNING, (rsp_loc){t->path, 0, 0},
            "export the answers again, and open them as UTF-8: as they are, answers may not be found in the study",
            "letters of %zu column%s (from column %zu on) stand as two signs, as where \xC3\xA4 became "
            "\xC3\x83\xC2\xA4: headings %zu, answers %zu",
            columns, columns == 1 ? "" : "s", first + 1, headings, answers);
}

/* ---- together --------------------------------------------------------------------------------------------------- */

rsp_profile *rsp_profiles(const rsp_table_data *t, const rsp_tool *tool, rsp_diag *d) {
    rsp_profile *p = rsp_calloc(t->n_columns, sizeof *p);
    struct places at;
    size_t block = rsp_table_block(t);
    rsp_room room = {0};
    rsp_cell *cells = rsp_malloc(block * t->n_columns * sizeof *cells);
    start(t, tool, p, &at);
    for (size_t from = 0; from < t->n_records; from += block) {
        size_t to = from + block < t->n_records ? from + block : t->n_records;
        t->read(t, from, to, &room, cells);
        for (size_t i = from; i < to; i++) look_at_record(t, tool, &at, cells + (i - from) * t->n_columns, p);
    }
    rsp_report_records(t, &room.fewer, &room.more, d);
    report_headings_again(p, t, d);
    report_twice_encoded(p, t, d);
    rsp_room_free(&room);
    free(cells);
    return p;
}

void rsp_profiles_free(rsp_profile *p, size_t n) {
    for (size_t j = 0; j < n; j++) {
        for (size_t k = 0; k < p[j].n_spellings; k++) free((char *) p[j].spellings[k].text);
        free(p[j].spellings);
        rsp_map_free(p[j].seen);
    }
    free(p);
}

void rsp_profile_merge(rsp_profile *into, const rsp_profile *from) {
    bool none = !(into->whole + into->decimal), any = from->whole + from->decimal;
    if (any && (none || from->least < into->least)) into->least = from->least;
    if (any && (none || from->greatest > into->greatest)) into->greatest = from->greatest;
    into->answered += from->answered;
    into->whole += from->whole;
    into->decimal += from->decimal;
    into->iso += from->iso;
    into->local += from->local;
    into->points += from->points;
    into->commas += from->commas;
    into->rounded += from->rounded;
    into->letters += from->letters;
    into->personal += from->personal;
    if (from->personal_what) into->personal_what = from->personal_what;
    into->day_first = into->day_first || from->day_first;
    into->month_first = into->month_first || from->month_first;
    for (size_t k = 0; k < RSP_KINDS_MISSING; k++) into->missing[k] += from->missing[k];
    for (size_t k = 0; k < from->n_spellings; k++) {
        const rsp_spelling *s = &from->spellings[k];
        add_spelling(into, s->text, s->length);
        size_t at = rsp_map_get_n(into->seen, s->text, s->length);
        if (at != RSP_NONE) into->spellings[at].n += s->n - 1;
    }
    into->many = into->many || from->many;
}

size_t rsp_profile_missing(const rsp_profile *p) {
    size_t n = 0;
    for (size_t k = 0; k < RSP_KINDS_MISSING; k++) n += p->missing[k];
    return n;
}

/* Does half of what occurs at least have a label (occupations, regions), so that it is no number in spite of its kinds? */
static bool names_most(const rsp_profile *p, const rsp_column_info *info) {
    size_t named = 0;
    for (size_t k = 0; k < info->n_values; k++) named += rsp_map_get(p->seen, info->values[k].code) != RSP_NONE;
    return !p->many && named * 2 >= p->n_spellings;
}

/* Are there labels for answers, and not only for reasons of having none? */
static bool is_labelled(const rsp_profile *p, const rsp_column_info *info) {
    size_t answers = 0;
    rsp_buf room = {0};
    if (!info || info->date) return false;
    for (size_t k = 0; k < info->n_values && !answers; k++) {
        rsp_fold(info->values[k].label, strlen(info->values[k].label), &room);
        answers += !info->values[k].missing && !rsp_missing_word(room.data);
    }
    rsp_buf_free(&room);
    return answers && !(info->numeric && (p->many || p->n_spellings > RSP_MOST_CODES) && !names_most(p, info));
}

/* Few different answers of many are codes or labels; otherwise the column's cells are numbers, dates or texts. */
rsp_profile_kind rsp_kind_of(const rsp_profile *p, const rsp_column_info *info) {
    if (is_labelled(p, info)) return info->numeric ? RSP_KIND_CODES : RSP_KIND_CHOICES;
    if (!p->answered) return RSP_KIND_BLANK;
    if (p->iso + p->local == p->answered) return RSP_KIND_DATE;
    size_t n = p->n_spellings;
    bool again = n < p->answered; /* somebody said what another one had said */
    bool few = !p->many && n <= 40 && (n * 4 <= p->answered || (n <= 12 && n * 2 <= p->answered) || (n <= 2 && again));
    bool long_texts = p->letters / p->answered > 120;
    if (p->whole + p->decimal == p->answered) {
        if (few && n <= 12 && !p->decimal) return RSP_KIND_CODES;
        return p->decimal ? RSP_KIND_DECIMAL : RSP_KIND_INTEGER;
    }
    return few && !long_texts ? RSP_KIND_CHOICES : RSP_KIND_TEXT;
}

bool rsp_is_heading_again(const char *text, const char *heading) {
    return strcmp(text, heading) == 0 || (strncmp(text, "\xEF\xBB\xBF", 3) == 0 && strcmp(text + 3, heading) == 0);
}

bool rsp_profiles_repeat_headings(const rsp_profile *profiles, const rsp_table_data *t) {
    size_t n = 0, all = 0;
    for (size_t j = 0; j < t->n_columns; j++) {
        const rsp_profile *p = &profiles[j];
        if (p->many || !p->answered) continue;
        bool found = false;
        for (size_t k = 0; k < p->n_spellings && !found; k++)
            found = rsp_is_heading_again(p->spellings[k].text, t->headings[j]);
        n += found;
        all++;
    }
    return n >= 2 && n * 4 >= all * 3; /* a row that was cut, a heading that one file has otherwise */
}
