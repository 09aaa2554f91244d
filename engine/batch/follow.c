/* `responsive follow`: one respondent's way through the study, from the line of an export to the analyses. Computes what a
 * night would up to the weights; reads the memory of publications and leaves it as it is. */
#include "batch/previous.h"
#include "batch/respondents.h"
#include "responsive/batch.h"
#include "results/families.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { WIDTH = 100, INDENT = 11 }; /* columns of the terminal; of the name of a station */

typedef struct {
    uint16_t file;
    uint32_t line;
    const char **cells; /* per variable, as read */
} record;

typedef struct {
    const char *id, *lang;
    rsp_respondents people;
    size_t n, capacity;
    record *records; /* rows that the id names: duplicates have one id */
    rsp_arena *arena;
    rsp_diag *d;
} follower;

/* ---- words ------------------------------------------------------------------------------------------------------ */

static int kind_of_missing(const rsp_column *c, size_t row) {
    if (c->kind == RSP_COL_NUMBER) return c->why ? c->why[row] : RSP_NA_UNKNOWN;
    return c->kind == RSP_COL_TEXT ? c->text[row] : rsp_code(c, row);
}

static const char *words_for_missing(int kind) {
    static const char *const words[] = {[-RSP_NA_UNKNOWN] = "no answer, unknown why",
                                        [-RSP_NA_NOT_SHOWN] = "not shown",
                                        [-RSP_NA_SKIPPED] = "skipped",
                                        [-RSP_NA_BROKE_OFF] = "left before",
                                        [-RSP_NA_REFUSED] = "refused",
                                        [-RSP_NA_INVALID] = "matches no answer of the questionnaire",
                                        [-RSP_NA_SET] = "set missing by a rule",
                                        [-RSP_NA_NOT_ASKED] = "not in this export",
                                        [-RSP_NA_DERIVED] = "cannot be derived: an answer is missing",
                                        [-RSP_NA_DONT_KNOW] = "don't know"};
    size_t k = (size_t) -kind;
    return kind < 0 && k < sizeof words / sizeof *words ? words[k] : "";
}

static const char *moment(const follower *x, double seconds, bool day) {
    time_t t = (time_t) seconds;
    struct tm utc;
    char text[64];
    if (!gmtime_r(&t, &utc)) return "";
    strftime(text, sizeof text, day ? "%Y-%m-%d" : "%Y-%m-%d %H:%M:%S", &utc);
    return rsp_strdup(x->arena, text);
}

/* "4 (Rather agree)", "37", "skipped" */
static const char *cell_words(const follower *x, size_t variable, size_t row) {
    const rsp_frame *f = x->people.frame;
    const rsp_column *c = &f->columns[variable];
    rsp_type type = f->study->variables[variable].type;
    char cell[64];
    const char *text = rsp_cell_text(f, variable, row, cell);
    if (!*text) return words_for_missing(kind_of_missing(c, row));
    if (c->kind == RSP_COL_NUMBER && (type == RSP_DATE || type == RSP_DATETIME))
        return moment(x, c->number[row], type == RSP_DATE);
    if (c->kind != RSP_COL_CODE) return rsp_strdup(x->arena, text);
    const char *label = rsp_choice_label(c->list, (size_t) rsp_code(c, row), x->lang);
    return label && strcmp(label, text) != 0 ? rsp_printf(x->arena, "%s (%s)", text, label)
                                             : rsp_strdup(x->arena, text);
}

static void station(const char *name) { printf("%-*s", INDENT, name); }

static void next_line(void) { printf("\n%*s", INDENT, ""); }

/* ---- who is meant ----------------------------------------------------------------------------------------------- */

static bool is_meant(const follower *x, size_t row) {
    const rsp_frame *f = x->people.frame;
    const rsp_file *file = &f->files[f->file[row]];
    size_t id = f->study->roles.id;
    char text[256];
    if (id != RSP_NONE && rsp_valid(f, id, row) && strcmp(rsp_cell_text(f, id, row, text), x->id) == 0) return true;
    if (strcmp(rsp_case_name(f, row, text), x->id) == 0) return true;
    return strcmp(rsp_printf(x->arena, "%s:%u", file->name, f->line[row]), x->id) == 0 ||
           strcmp(rsp_printf(x->arena, "%s:%u", file->path, f->line[row]), x->id) == 0;
}

static void keep_cells(follower *x, size_t row) {
    const rsp_frame *f = x->people.frame;
    record r = {f->file[row], f->line[row], RSP_ARRAY(x->arena, const char *, f->n_columns)};
    for (size_t j = 0; j < f->n_columns; j++)
        if (f->columns[j].kind != RSP_COL_NONE) r.cells[j] = cell_words(x, j, row);
    RSP_PUSH(x->records, x->n, x->capacity, r);
}

static bool find_records(follower *x) {
    const rsp_frame *f = x->people.frame;
    bool forgotten = false;
    for (size_t i = 0; i < f->n; i++) {
        if (!is_meant(x, i)) continue;
        if (f->aside[i] == RSP_ASIDE_FORGOTTEN) forgotten = true;
        else keep_cells(x, i);
    }
    if (!x->n && forgotten)
        rsp_report(x->d, RSP_ERR_DATA, RSP_NOWHERE, "`responsive forget` keeps the list of them beside the key",
                   "'%s' asked to be forgotten", x->id);
    else if (!x->n)
        rsp_report(x->d, RSP_ERR_DATA, RSP_NOWHERE,
                   "an id as the exports have it, a pseudonym of quality/cleaning.csv, or FILE:LINE as there",
                   "no row of the exports belongs to '%s'", x->id);
    return x->n > 0;
}

static size_t row_now(const rsp_frame *f, const record *r) {
    for (size_t i = 0; i < f->n_read; i++)
        if (f->file[i] == r->file && f->line[i] == r->line) return i;
    return RSP_NONE;
}

/* ---- the stations ----------------------------------------------------------------------------------------------- */

static bool is_derived(const rsp_study *s, size_t variable) {
    return s->variables[variable].derive.kind != RSP_DERIVE_NONE;
}

static void print_read(const follower *x, const record *r) {
    const rsp_file *file = &x->people.frame->files[r->file];
    station("read");
    printf("%s, line %u (%s, %s)", file->name, r->line, file->tool, file->encoding);
    if (x->n > 1) printf("; one of %zu rows with this id", x->n);
    printf("\n");
}

static const rsp_clean_line *line_about(const follower *x, const char *name, const char *rule, const char *variable) {
    const rsp_clean_log *l = x->people.cleaning;
    for (size_t k = 0; k < l->n; k++) {
        const rsp_clean_line *c = &l->lines[k];
        if (strcmp(c->case_name, name) == 0 && (!rule || strcmp(c->rule, rule) == 0) &&
            strcmp(c->variable, variable) == 0)
            return c;
    }
    return NULL;
}

static void print_changed_cells(const follower *x, const record *r, size_t row, const char *name) {
    const rsp_frame *f = x->people.frame;
    for (size_t j = 0; j < f->n_columns; j++) {
        if (f->columns[j].kind == RSP_COL_NONE || is_derived(f->study, j)) continue;
        const char *now = cell_words(x, j, row);
        if (strcmp(now, r->cells[j]) == 0) continue;
        const rsp_clean_line *c = line_about(x, name, NULL, f->study->variables[j].name);
        if (!c && rsp_cell_text(f, j, row, (char[64]){0})[0] == '\0' && !rsp_valid(f, j, row) &&
            strcmp(now, words_for_missing(RSP_NA_SET)) != 0)
            continue; /* another kind of missing, found from the questionnaire's routing */
        printf("%s: ", f->study->variables[j].name);
        printf("%s", rsp_printable(x->arena, r->cells[j]));
        printf(" -> ");
        printf("%s", rsp_printable(x->arena, now));
        if (c) printf(" (%s: %s)", c->rule, c->detail);
        next_line();
    }
}

static const char *reason_aside(const follower *x, size_t row) {
    const rsp_frame *f = x->people.frame;
    int16_t why = f->aside[row];
    const rsp_sample *s = x->people.sample;
    if (why == RSP_ASIDE_WAITING) return "waiting";
    if (why >= 0) return f->study->rules[why].id;
    return s && row < f->n && s->set_aside && s->set_aside[row] ? "weighting_missing" : NULL;
}

static void print_cleaned(const follower *x, const record *r, size_t row) {
    const rsp_frame *f = x->people.frame;
    char text[256];
    const char *name = rsp_case_name(f, row, text), *aside = reason_aside(x, row);
    station("cleaned");
    print_changed_cells(x, r, row, name);
    for (size_t k = 0; k < f->study->n_rules; k++) {
        if (!(f->flags[row] >> k & 1)) continue;
        const rsp_clean_line *c = line_about(x, name, f->study->rules[k].id, "");
        printf("flagged by '%s'%s%s", f->study->rules[k].id, c ? ": " : "", c ? c->detail : "");
        next_line();
    }
    const rsp_clean_line *c = aside ? line_about(x, name, aside, "") : NULL;
    if (aside) printf("set aside by '%s'%s%s\n", aside, c ? ": " : "", c ? c->detail : "");
    else printf("kept\n");
}

static void print_weighted(const follower *x, size_t row) {
    const rsp_sample *s = x->people.sample;
    const rsp_group *g = s ? &s->groups[s->group[row]] : NULL;
    station("weighted");
    if (!s) {
        printf("not tonight: too little has changed for a new publication\n");
        return;
    }
    if (*g->code) printf("%s, %zu respondents in %zu clusters", g->code, g->n, g->n_clusters);
    else printf("%zu respondents in %zu clusters", g->n, g->n_clusters);
    if (!g->eligible) printf(": too few to enter figures of all countries");
    next_line();
    printf("weight %.4g", s->weight[row]);
    if (x->people.study->weighting.given)
        printf(", before the margins %.4g; weights there reach from %.4g to %.4g", s->base[row], g->weight_min,
               g->weight_max);
    if (!g->weighted && *g->why) printf("; the margins could not be met: %s", g->why);
    next_line();
    printf("stratum %d of %zu, cluster %d of %zu\n", s->stratum[row] + 1, s->n_strata, s->cluster[row] + 1,
           s->n_clusters);
}

/* ---- where it counts -------------------------------------------------------------------------------------------- */

typedef struct {
    size_t families, counted; /* sets of respondents that its statistics rest on; those with this one */
    bool filtered;            /* outside of its filter */
    bool *lacking;            /* per variable: no valid answer */
    size_t n_lacking;
} presence;

static void see_family(const rsp_families *all, const rsp_family *f, size_t row, presence *p) {
    p->families++;
    if (f->take && !f->take[row]) {
        p->filtered = true;
        return;
    }
    size_t before = p->n_lacking;
    for (size_t side = 0; side < 2; side++)
        for (size_t k = 0; k < (side ? f->n_by : f->n_items); k++) {
            size_t j = side ? f->by[k] : f->items[k];
            if (rsp_valid(all->frame, j, row) || all->frame->columns[j].kind == RSP_COL_NONE) continue;
            p->n_lacking += !p->lacking[j];
            p->lacking[j] = true;
            before = RSP_NONE;
        }
    p->counted += before != RSP_NONE;
}

/* In all analyses of one id: `kind: scale` makes one of each scale. */
static presence presence_in(const follower *x, const rsp_families *all, const char *id, size_t row) {
    presence p = {.lacking = RSP_ARRAY(x->arena, bool, x->people.study->n_variables)};
    for (size_t k = 0; k < all->n; k++)
        if (strcmp(all->all[k].analysis->id, id) == 0 && !all->all[k].said) see_family(all, &all->all[k], row, &p);
    return p;
}

/* Does the analysis take respondents with some answers only? */
static bool takes_incomplete(const rsp_analysis *a) {
    return a->imputed || (a->kind == RSP_A_FACTOR && (a->factor.fiml || a->factor.pairwise)) ||
           (a->kind == RSP_A_INVARIANCE && (a->invariance.model.fiml || a->invariance.model.pairwise)) ||
           (a->kind == RSP_A_EXPLORATION && a->exploration.pairwise) || a->kind == RSP_A_INVARIANCE;
}

static void print_lacking(const follower *x, const presence *p) {
    enum { MOST = 4 };
    size_t shown = 0;
    printf("no valid answer to ");
    for (size_t j = 0; j < x->people.study->n_variables && shown < MOST; j++)
        if (p->lacking[j]) printf("%s%s", shown++ ? ", " : "", x->people.study->variables[j].name);
    if (p->n_lacking > MOST) printf(" and %zu more", p->n_lacking - MOST);
}

static bool is_further(const rsp_study *s, size_t k) {
    return k && strcmp(s->analyses[k].id, s->analyses[k - 1].id) == 0;
}

static void print_whole(const rsp_study *s, const presence *p) {
    size_t column = INDENT, n = 0;
    for (size_t k = 0; k < s->n_analyses; k++) {
        if (is_further(s, k) || p[k].filtered || p[k].n_lacking) continue;
        const char *id = s->analyses[k].id;
        printf(n ? "," : "in");
        if (column + strlen(id) + 2 > WIDTH) {
            next_line();
            column = INDENT;
        } else {
            printf(" ");
        }
        printf("%s", id);
        column += strlen(id) + 2;
        n++;
    }
    if (!n) printf("in no analysis as a whole");
}

static void print_counted(const follower *x, size_t row) {
    const rsp_study *s = x->people.study;
    rsp_families all = rsp_families_list(x->people.frame, x->arena);
    presence *p = RSP_ARRAY(x->arena, presence, s->n_analyses);
    for (size_t k = 0; k < s->n_analyses; k++)
        if (!is_further(s, k)) p[k] = presence_in(x, &all, s->analyses[k].id, row);
    station("counted");
    print_whole(s, p);
    for (size_t k = 0; k < s->n_analyses; k++) {
        if (is_further(s, k) || (!p[k].filtered && !p[k].n_lacking)) continue;
        bool part = !p[k].filtered && (p[k].counted || takes_incomplete(&s->analyses[k]));
        next_line();
        printf("%s %s: ", part ? "in part in" : "not in", s->analyses[k].id);
        if (p[k].filtered) printf("outside of its filter");
        else print_lacking(x, &p[k]);
    }
    printf("\n");
    rsp_families_free(&all);
}

/* ---- answers ---------------------------------------------------------------------------------------------------- */

static void print_answers(const follower *x, const record *r, size_t row) {
    const rsp_frame *f = x->people.frame;
    for (size_t derived = 0; derived < 2; derived++) {
        bool any = false;
        for (size_t j = 0; j < f->n_columns; j++) {
            if (f->columns[j].kind == RSP_COL_NONE || is_derived(f->study, j) != (derived == 1)) continue;
            if (!any) printf(derived ? "\nderived\n" : "\nmatched\n");
            any = true;
            printf("  %-28s ", f->study->variables[j].name);
            printf("%s", rsp_printable(x->arena, derived ? cell_words(x, j, row) : r->cells[j]));
            printf("\n");
        }
    }
}

static void print_record(const follower *x, const record *r) {
    const rsp_frame *f = x->people.frame;
    size_t row = row_now(f, r);
    char text[256];
    printf("respondent %s\n", rsp_printable(x->arena, rsp_case_name(f, row, text)));
    print_read(x, r);
    print_cleaned(x, r, row);
    if (!reason_aside(x, row)) {
        print_weighted(x, row);
        print_counted(x, row);
    }
    print_answers(x, r, row);
}

static bool go_along(follower *x, const char *out) {
    rsp_previous previous = {0};
    rsp_respondents *p = &x->people;
    p->study_dir = rsp_printf(x->arena, "%s/%s", out, p->study->id);
    rsp_previous_open(&previous, p->study_dir, x->arena, x->d);
    p->releases = previous.releases;
    rsp_previous_close(&previous);
    return rsp_respondents_read(p, x->d) && find_records(x) && (rsp_respondents_weigh(p, x->d) || p->too_little);
}

int rsp_follow(const char *dir, const char *id, const char *out) {
    rsp_log log;
    rsp_arena *a = rsp_arena_new();
    follower x = {.id = id, .people = {.log = &log, .arena = a}, .arena = a, .d = rsp_diag_new()};
    rsp_study *s = rsp_study_load(dir, x.d);
    rsp_log_open(&log, true);
    x.people.study = s;
    if (s && !rsp_diag_errors(x.d)) {
        x.lang = s->languages[0];
        if (go_along(&x, out))
            for (size_t k = 0; k < x.n; k++) {
                if (k) printf("\n");
                print_record(&x, &x.records[k]);
            }
    }
    rsp_diag_print(x.d, stderr, rsp_colour_wanted(stderr), 0);
    int status = rsp_diag_status(x.d);
    rsp_log_close(&log);
    rsp_respondents_free(&x.people);
    free(x.records);
    rsp_study_free(s);
    rsp_diag_free(x.d);
    rsp_arena_free(a);
    return status;
}
