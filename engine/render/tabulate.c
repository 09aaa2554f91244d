#include "tabulate.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    MOST_ANSWERS_WIDE = 7,
    MOST_LEVELS_WIDE = MOST_ANSWERS_WIDE + 2,
    MOST_LONG_COLUMNS = 16,
    LONGEST_HEADING = 200,
    WIDE_TEXT = 46,
    WIDEST_NOTE = 80,
    NARROW = 12,
    AROUND_WORDS = 3, /* margins, indent */
    AROUND_HEADING = 4,
    MIDDLE = 24
};

static const double SIGNIFICANT = 0.05;

struct tabulation {
    const rsp_labels *labels;
    const rsp_texts *texts;
    const rsp_analysis *analysis; /* NULL: the engine's own */
    const char *id;
    size_t n;
    const rsp_published_row **rows; /* those of the part */
    size_t n_differences;
    const rsp_published_row **differences;
    rsp_map *letter;  /* domain -> number of its letter */
    rsp_map *differs; /* domain, term -> index into differs_from */
    size_t n_from, from_capacity;
    const char **differs_from;
    rsp_tab *tab;
    rsp_map *titles; /* of columns, in lower case as spreadsheets compare them */
    rsp_arena *a;
};

/* ---- which rows ------------------------------------------------------------------------------------------------- */

static bool between_groups(const rsp_published_row *r) { return strcmp(r->statistic, "difference") == 0; }

/* Of groups, or of two choices of a ranking. */
static bool is_difference(const rsp_published_row *r) {
    return between_groups(r) || strcmp(r->statistic, "choice_difference") == 0;
}

/* A country's edition: its own rows, those of all countries, and of the comparisons those it has part in. */
static bool concerns(const rsp_labels *l, rsp_arena *a, const rsp_published_row *r, const char *country) {
    const rsp_study *s = rsp_labels_study(l);
    if (!country || s->roles.country == RSP_NONE) return true;
    const char *code = rsp_domain_code(a, r->domain, s->variables[s->roles.country].name);
    if (code) return strcmp(code, country) == 0;
    if (!between_groups(r)) return true;
    rsp_sides sides = rsp_label_sides(l, a, r);
    if (sides.variable != s->roles.country) return true;
    return strcmp(sides.first, country) == 0 || (sides.second && strcmp(sides.second, country) == 0);
}

static void collect(struct tabulation *t, const rsp_published *p, const char *country, rsp_tab_part part) {
    size_t from, to;
    if (!rsp_published_range(p, t->id, &from, &to)) return;
    t->rows = RSP_ARRAY(t->a, const rsp_published_row *, to - from);
    t->differences = RSP_ARRAY(t->a, const rsp_published_row *, to - from);
    for (size_t i = from; i < to; i++) {
        const rsp_published_row *r = rsp_published_at(p, i);
        if (!concerns(t->labels, t->a, r, country)) continue;
        if (between_groups(r)) t->differences[t->n_differences++] = r;
        if (is_difference(r) == (part == RSP_TAB_DIFFERENCES)) t->rows[t->n++] = r;
    }
}

/* Its p values are adjusted after Benjamini and Hochberg, not Holm. */
static bool of_drivers(const struct tabulation *t) {
    return t->analysis && t->analysis->kind == RSP_A_MODEL && t->analysis->model.kind == RSP_DRIVERS_MODEL;
}

/* ---- letters of significant differences ------------------------------------------------------------------------- */

static const char *letter_name(rsp_arena *a, size_t k) {
    return k < 26 ? rsp_printf(a, "%c", (int) ('A' + k))
                  : rsp_printf(a, "%s%c", letter_name(a, k / 26 - 1), (int) ('A' + k % 26));
}

static const char *side_domain(struct tabulation *t, const rsp_published_row *r, const char *variable,
                               const char *code) {
    return rsp_printf(t->a, "%s%s%s=%s", r->domain, *r->domain ? ";" : "", variable, code);
}

static void differs_from(struct tabulation *t, const char *domain, const char *term, const char *other) {
    size_t k = rsp_map_get(t->letter, other);
    if (k == RSP_NONE) return;
    const char *key = rsp_printf(t->a, "%s\x1f%s", domain, term), *letter = letter_name(t->a, k);
    size_t at = rsp_map_get(t->differs, key);
    if (at == RSP_NONE) {
        rsp_map_put(t->differs, key, t->n_from);
        RSP_PUSH(t->differs_from, t->n_from, t->from_capacity, letter);
    } else {
        t->differs_from[at] = rsp_printf(t->a, "%s, %s", t->differs_from[at], letter);
    }
}

static void find_letters(struct tabulation *t) {
    for (size_t i = 0; i < t->n; i++)
        if (*t->rows[i]->domain) rsp_map_put(t->letter, t->rows[i]->domain, rsp_map_count(t->letter));
    for (size_t i = 0; i < t->n_differences; i++) {
        const rsp_published_row *r = t->differences[i];
        rsp_sides s = rsp_label_sides(t->labels, t->a, r);
        if (!(r->p_adj < SIGNIFICANT) || s.variable == RSP_NONE || !s.second) continue;
        const char *name = rsp_labels_study(t->labels)->variables[s.variable].name;
        const char *first = side_domain(t, r, name, s.first), *second = side_domain(t, r, name, s.second);
        differs_from(t, first, r->term, second);
        differs_from(t, second, r->term, first);
    }
}

static const char *letters_of(const struct tabulation *t, const rsp_published_row *r) {
    const char *level = *r->level ? rsp_printf(t->a, "%s\x1f%s=%s", r->domain, r->term, r->level) : NULL;
    size_t at = level ? rsp_map_get(t->differs, level) : RSP_NONE;
    if (at == RSP_NONE) at = rsp_map_get(t->differs, rsp_printf(t->a, "%s\x1f%s", r->domain, r->term));
    return at == RSP_NONE ? "\u2013" : t->differs_from[at];
}

/* ---- columns and cells ------------------------------------------------------------------------------------------ */

static const char *say(const struct tabulation *t, const char *key) { return rsp_say(t->texts, t->a, key, NULL, 0); }

/* Headings are unique: two answers with the same label get numbers. ASCII lower case is enough to keep them apart. */
static const char *unique_title(struct tabulation *t, const char *title) {
    const char *use = title;
    for (size_t k = 2;; k++) {
        char *low = rsp_strdup(t->a, use);
        for (char *p = low; *p; p++)
            if (*p >= 'A' && *p <= 'Z') *p = (char) (*p + 32);
        if (rsp_map_put(t->titles, low, 0)) return use;
        use = rsp_printf(t->a, "%s (%zu)", title, k);
    }
}

/* Words of a heading are not broken, unless they are very long; around them stand a margin and the filter's button. */
static double heading_width(const char *title) {
    size_t longest = 0;
    for (const char *p = title; *p;) {
        size_t bytes = strcspn(p, " "), letters = 0;
        for (size_t k = 0; k < bytes; k++) letters += ((unsigned char) p[k] & 0xc0) != 0x80;
        if (letters > longest) longest = letters;
        p += bytes;
        p += strspn(p, " ");
    }
    return (double) longest + AROUND_HEADING < MIDDLE ? (double) longest + AROUND_HEADING : MIDDLE;
}

static void add_column(struct tabulation *t, const char *title, double width) {
    double least = heading_width(title);
    t->tab->columns[t->tab->n_columns++] = (rsp_tab_column){unique_title(t, title), width > least ? width : least};
}

static size_t count_letters(const char *text) {
    size_t n = 0;
    for (const char *p = text; *p; p++) n += ((unsigned char) *p & 0xc0) != 0x80;
    return n;
}

/* Letters of the column's longest text; RSP_NONE: it holds numbers. */
static size_t longest_text(const rsp_tab *tab, size_t column) {
    size_t longest = 0;
    for (size_t i = 0; i < tab->n_rows; i++) {
        const char *text = tab->cells[i * tab->n_columns + column].text;
        size_t n = text ? count_letters(text) : RSP_NONE;
        if (n == RSP_NONE || n > longest) longest = n;
        if (n == RSP_NONE) break;
    }
    return longest;
}

/* Columns of words are no wider than their words and heading, so that more of a table stands on a page; long notes in a narrow
 * column would make rows many lines high. */
static void fit_words(struct tabulation *t) {
    const char *notes = say(t, "column_note");
    for (size_t k = 0; k < t->tab->n_columns; k++) {
        rsp_tab_column *c = &t->tab->columns[k];
        size_t longest = longest_text(t->tab, k);
        if (longest == RSP_NONE) continue;
        double least = fmax(heading_width(c->title), (double) longest + AROUND_WORDS);
        if (least < c->width) c->width = least;
        else if (longest > 2 * MIDDLE && strcmp(c->title, notes) == 0)
            c->width = longest > 3 * WIDE_TEXT ? WIDEST_NOTE : WIDE_TEXT;
    }
}

static rsp_cell words(const char *text) { return (rsp_cell){.text = text, .number = NAN}; }

static rsp_cell number(const rsp_published_row *r, const char *field, double x, rsp_as as) {
    if (!isnan(x)) return (rsp_cell){NULL, x, as, r, field};
    const char *mark = rsp_shorthand(r);
    if (isnan(r->estimate)) return (rsp_cell){mark, NAN, as, r, field};
    /* A number stands, but its error does not: either none could be had, or there is no such thing. */
    return words(r->flags & (RSP_F_NO_DF | RSP_F_LONELY | RSP_F_REPLICATES_FAILED) ? "[x]" : "[z]");
}

static const char *note_of(const struct tabulation *t, const rsp_published_row *r) {
    const char *mark = rsp_shorthand(r), *flags = rsp_label_flags(t->labels, t->a, r->flags);
    if (!*mark && !*flags) return "\u2013";
    return *mark && *flags ? rsp_printf(t->a, "%s %s", mark, flags) : *mark ? mark : flags;
}

/* ---- which columns -------------------------------------------------------------------------------------------------
 */

/* Columns that no row fills are left out. */
struct uses {
    bool group, term, level, statistic, letters, interval, df1, df, p, p_adj, n;
};

static struct uses find_uses(const struct tabulation *t) {
    struct uses u = {.letters = t->n_differences && !is_difference(t->rows[0])};
    for (size_t i = 0; i < t->n; i++) {
        const rsp_published_row *r = t->rows[i];
        u.group |= strcmp(r->domain, t->rows[0]->domain) != 0 || (*r->domain && !is_difference(r));
        u.term |= strcmp(r->term, t->rows[0]->term) != 0;
        u.level |= *r->level != 0;
        u.statistic |= strcmp(r->statistic, t->rows[0]->statistic) != 0;
        u.interval |= !isnan(r->lower);
        u.df1 |= !isnan(r->df1);
        u.p |= !isnan(r->p);
        u.p_adj |= !isnan(r->p_adj);
        u.n |= !isnan(r->n);
    }
    /* One item for all rows stands above the table, unless nothing else would name the rows. */
    if (!u.group && !u.level && !u.statistic && *t->rows[0]->term) u.term = true;
    u.df = u.df1;
    return u;
}

/* ---- wide: levels side by side ---------------------------------------------------------------------------------- */

struct wide {
    size_t n_levels, n_pairs, n_lines; /* pairs of answers that are published together are levels too */
    const char *level[MOST_LEVELS_WIDE], *label[MOST_LEVELS_WIDE];
    struct wide_line {
        const rsp_published_row *at[MOST_LEVELS_WIDE], *first;
    } * lines;
};

static bool is_pair(const rsp_published_row *r) { return strcmp(r->statistic, "proportion_collapsed") == 0; }

static size_t level_place(struct wide *w, const struct tabulation *t, const rsp_published_row *r) {
    for (size_t k = 0; k < w->n_levels; k++)
        if (strcmp(w->level[k], r->level) == 0)
            return strcmp(w->label[k], rsp_label_level(t->labels, t->a, r)) == 0 ? k : RSP_NONE;
    bool pair = is_pair(r);
    if (pair ? w->n_pairs == 2 : w->n_levels - w->n_pairs == MOST_ANSWERS_WIDE) return RSP_NONE;
    w->label[w->n_levels] = rsp_label_level(t->labels, t->a, r);
    if (strlen(w->label[w->n_levels]) > LONGEST_HEADING) return RSP_NONE;
    w->level[w->n_levels] = r->level;
    w->n_pairs += pair;
    return w->n_levels++;
}

/* The share of "don't know" has a level of its own that no other answer has, so it fits beside them.
 * Fills the lines; false where the rows do not fit side by side: other statistics, other levels, too many of them. */
static bool lay_out_wide(struct tabulation *t, struct wide *w) {
    if (!t->analysis || t->analysis->kind != RSP_A_TABLE || t->n_differences) return false;
    rsp_map *keys = rsp_map_new();
    bool fits = true;
    *w = (struct wide){.lines = RSP_ARRAY(t->a, struct wide_line, t->n)};
    for (size_t i = 0; fits && i < t->n; i++) {
        const rsp_published_row *r = t->rows[i];
        bool share =
            strcmp(r->statistic, "proportion") == 0 || strcmp(r->statistic, "proportion_missing") == 0 || is_pair(r);
        size_t place = *r->level && share ? level_place(w, t, r) : RSP_NONE;
        if (!(fits = place != RSP_NONE)) break;
        const char *key = rsp_printf(t->a, "%s\x1f%s", r->domain, r->term);
        size_t line = rsp_map_get(keys, key);
        if (line == RSP_NONE) {
            line = w->n_lines++;
            rsp_map_put(keys, key, line);
            w->lines[line].first = r;
        }
        w->lines[line].at[place] = r;
    }
    rsp_map_free(keys);
    return fits && w->n_levels > 1;
}

static void wide_columns(struct tabulation *t, const struct wide *w, const struct uses *u) {
    if (u->group) add_column(t, say(t, "column_group"), MIDDLE);
    if (u->term) add_column(t, say(t, "column_item"), WIDE_TEXT);
    for (size_t k = 0; k < w->n_levels; k++) add_column(t, w->label[k], NARROW);
    add_column(t, say(t, "column_n"), NARROW);
    add_column(t, say(t, "column_note"), MIDDLE);
    for (size_t k = 0; k < w->n_levels; k++) {
        rsp_arg level = {"level", w->label[k], 0};
        add_column(t, rsp_say(t->texts, t->a, "column_lower_of", &level, 1), NARROW);
        add_column(t, rsp_say(t->texts, t->a, "column_upper_of", &level, 1), NARROW);
    }
}

/* A flag that not all answers of the line have names those it concerns. */
static const char *wide_note(struct tabulation *t, const struct wide *w, const struct wide_line *line) {
    const char *note = "";
    for (int bit = 0; bit < 32; bit++) {
        uint32_t flag = (uint32_t) 1 << bit;
        size_t have = 0, present = 0;
        const char *levels = "";
        for (size_t k = 0; k < w->n_levels; k++) {
            present += line->at[k] != NULL;
            if (!line->at[k] || !(line->at[k]->flags & flag)) continue;
            have++;
            levels = *levels ? rsp_printf(t->a, "%s, %s", levels, w->label[k]) : w->label[k];
        }
        if (!have || flag == RSP_F_PRELIMINARY) continue;
        const char *mark = flag == RSP_F_LOW_BASE                                       ? "[u] "
                           : flag & (RSP_F_SUPPRESSED | RSP_F_SUPPRESSED_COMPLEMENTARY) ? "[c] "
                                                                                        : "";
        const char *flag_words = rsp_label_flag(t->labels, t->a, flag);
        const char *one = have == present || flag == RSP_F_COLLAPSED
                              ? rsp_printf(t->a, "%s%s", mark, flag_words)
                              : rsp_printf(t->a, "%s%s (%s)", mark, flag_words, levels);
        note = *note ? rsp_printf(t->a, "%s; %s", note, one) : one;
    }
    return *note ? note : "\u2013";
}

/* The base of the answers proper; a "don't know" has a base of its own, and a hidden cell has none. */
static rsp_cell wide_base(const struct wide *w, const struct wide_line *line) {
    for (size_t k = 0; k < w->n_levels; k++)
        if (line->at[k] && !isnan(line->at[k]->n)) return number(line->at[k], "n", line->at[k]->n, RSP_AS_COUNT);
    return number(line->first, "n", line->first->n, RSP_AS_COUNT);
}

static void wide_cells(struct tabulation *t, struct wide *w, const struct uses *u) {
    rsp_cell *c = t->tab->cells = RSP_ARRAY(t->a, rsp_cell, w->n_lines * t->tab->n_columns);
    t->tab->n_rows = w->n_lines;
    for (size_t i = 0; i < w->n_lines; i++) {
        const struct wide_line *line = &w->lines[i];
        if (u->group) *c++ = words(rsp_label_who(t->labels, t->a, line->first));
        if (u->term) *c++ = words(rsp_label_term(t->labels, t->a, line->first));
        for (size_t k = 0; k < w->n_levels; k++)
            *c++ = line->at[k] ? number(line->at[k], "estimate", line->at[k]->estimate, RSP_AS_SHARE) : words("[z]");
        *c++ = wide_base(w, line);
        *c++ = words(wide_note(t, w, line));
        for (size_t k = 0; k < w->n_levels; k++) {
            *c++ = line->at[k] ? number(line->at[k], "lower", line->at[k]->lower, RSP_AS_SHARE) : words("[z]");
            *c++ = line->at[k] ? number(line->at[k], "upper", line->at[k]->upper, RSP_AS_SHARE) : words("[z]");
        }
    }
}

/* ---- long: a row a result --------------------------------------------------------------------------------------- */

static void long_columns(struct tabulation *t, const struct uses *u) {
    bool difference = is_difference(t->rows[0]);
    if (u->group) add_column(t, say(t, "column_group"), MIDDLE);
    if (u->letters) add_column(t, say(t, "column_letter"), NARROW);
    if (u->term) add_column(t, say(t, "column_item"), WIDE_TEXT);
    if (u->level)
        add_column(t, say(t, difference ? "column_compared" : "column_level"), difference ? WIDE_TEXT : MIDDLE);
    if (u->statistic) add_column(t, say(t, "column_statistic"), MIDDLE);
    add_column(t,
               u->statistic ? say(t, "estimate_heading")
                            : rsp_label_statistic_of(t->labels, t->a, t->rows[0]->analysis, t->rows[0]->statistic),
               NARROW + 2);
    if (u->letters) add_column(t, say(t, "column_differs"), NARROW);
    if (u->interval) add_column(t, say(t, "column_lower"), NARROW);
    if (u->interval) add_column(t, say(t, "column_upper"), NARROW);
    if (u->df1) add_column(t, say(t, "column_df1"), NARROW);
    if (u->df) add_column(t, say(t, "column_df"), NARROW);
    if (u->p) add_column(t, say(t, "column_p"), NARROW);
    if (u->p_adj) add_column(t, say(t, of_drivers(t) ? "column_p_adjusted_rate" : "column_p_adjusted"), NARROW);
    if (u->p_adj) add_column(t, say(t, "column_significant"), NARROW);
    if (u->n) add_column(t, say(t, "column_n"), NARROW);
    add_column(t, say(t, "column_note"), MIDDLE);
}

static rsp_cell significance(const struct tabulation *t, const rsp_published_row *r) {
    if (isnan(r->p_adj)) return number(r, "p_adj", NAN, RSP_AS_P);
    return words(say(t, r->p_adj < SIGNIFICANT ? "label_yes" : "label_no"));
}

/* A verdict on a factor is another thing than one on a scale. */
static const char *statistic_words(const struct tabulation *t, const rsp_published_row *r) {
    if (of_drivers(t) && strcmp(r->statistic, "verdict") == 0) return say(t, "column_verdict");
    return rsp_label_statistic_of(t->labels, t->a, r->analysis, r->statistic);
}

static rsp_cell *long_row(const struct tabulation *t, const struct uses *u, const rsp_published_row *r, rsp_cell *c) {
    rsp_as as = rsp_label_as(t->labels, r);
    size_t letter = rsp_map_get(t->letter, r->domain);
    if (u->group) *c++ = words(rsp_label_who(t->labels, t->a, r));
    if (u->letters) *c++ = words(letter == RSP_NONE ? "\u2013" : letter_name(t->a, letter));
    if (u->term) *c++ = words(*r->term ? rsp_label_term(t->labels, t->a, r) : "\u2013");
    if (u->level) *c++ = words(*r->level ? rsp_label_level(t->labels, t->a, r) : "\u2013");
    if (u->statistic) *c++ = words(statistic_words(t, r));
    *c++ = number(r, "estimate", r->estimate, as);
    if (u->letters) *c++ = words(letters_of(t, r));
    if (u->interval) *c++ = number(r, "lower", r->lower, as);
    if (u->interval) *c++ = number(r, "upper", r->upper, as);
    if (u->df1) *c++ = number(r, "df1", r->df1, RSP_AS_RATIO);
    if (u->df) *c++ = number(r, "df", r->df, RSP_AS_RATIO);
    if (u->p) *c++ = number(r, "p", r->p, RSP_AS_P);
    if (u->p_adj) *c++ = number(r, "p_adj", r->p_adj, RSP_AS_P);
    if (u->p_adj) *c++ = significance(t, r);
    if (u->n) *c++ = number(r, "n", r->n, RSP_AS_COUNT);
    *c++ = words(note_of(t, r));
    return c;
}

static void long_cells(struct tabulation *t, const struct uses *u) {
    rsp_cell *c = t->tab->cells = RSP_ARRAY(t->a, rsp_cell, t->n * t->tab->n_columns);
    t->tab->n_rows = t->n;
    for (size_t i = 0; i < t->n; i++) c = long_row(t, u, t->rows[i], c);
}

/* ---- drivers: a row a factor ------------------------------------------------------------------------------------ */

/* The row of a factor, whatever its level (a role, a verdict). */
static const rsp_published_row *row_of_factor(const struct tabulation *t, const char *term, const char *domain,
                                              const char *statistic) {
    for (size_t i = 0; i < t->n; i++)
        if (strcmp(t->rows[i]->term, term) == 0 && strcmp(t->rows[i]->domain, domain) == 0 &&
            strcmp(t->rows[i]->statistic, statistic) == 0)
            return t->rows[i];
    return NULL;
}

enum { SUMMARY_INTERVALS = 3 };
static const struct {
    const char *statistic, *title;
} summary_numbers[SUMMARY_INTERVALS] = {{"net", "statistic_net_rating"},
                                        {"explained_share", "statistic_explained_share"},
                                        {"coefficient_std", "statistic_coefficient_std"}};
/* Beside these the adjusted p of `coefficient`, then: */
static const char *const summary_more[] = {"pooled", "prediction", "groups", "opposite_sign"};

static void summary_columns(struct tabulation *t) {
    add_column(t, say(t, "column_item"), WIDE_TEXT);
    add_column(t, say(t, "column_verdict"), MIDDLE);
    add_column(t, say(t, "statistic_role"), MIDDLE);
    for (size_t k = 0; k < SUMMARY_INTERVALS; k++) {
        rsp_arg level = {"level", say(t, summary_numbers[k].title), 0};
        add_column(t, level.text, MIDDLE);
        add_column(t, rsp_say(t->texts, t->a, "column_lower_of", &level, 1), NARROW);
        add_column(t, rsp_say(t->texts, t->a, "column_upper_of", &level, 1), NARROW);
    }
    add_column(t, say(t, "column_p_adjusted_rate"), NARROW);
    add_column(t, rsp_label_statistic(t->labels, t->a, "pooled"), NARROW);
    rsp_arg prediction = {"level", rsp_label_statistic(t->labels, t->a, "prediction"), 0};
    add_column(t, rsp_say(t->texts, t->a, "column_lower_of", &prediction, 1), NARROW);
    add_column(t, rsp_say(t->texts, t->a, "column_upper_of", &prediction, 1), NARROW);
    add_column(t, rsp_label_statistic(t->labels, t->a, "groups"), NARROW);
    add_column(t, rsp_label_statistic(t->labels, t->a, "opposite_sign"), NARROW);
    add_column(t, say(t, "column_note"), MIDDLE);
}

static rsp_cell cell_of_factor(const struct tabulation *t, const rsp_published_row *r, const char *field, double x) {
    return r ? number(r, field, x, strcmp(field, "p_adj") == 0 ? RSP_AS_P : rsp_label_as(t->labels, r)) : words("[z]");
}

static rsp_cell level_of_factor(const struct tabulation *t, const rsp_published_row *r) {
    if (r && *r->level) return words(rsp_label_level(t->labels, t->a, r));
    return words(r && isnan(r->estimate) ? rsp_shorthand(r) : "[z]");
}

static rsp_cell *summary_row(const struct tabulation *t, const char *term, rsp_cell *c) {
    const rsp_published_row *p = row_of_factor(t, term, "", "coefficient"), *more[4];
    for (size_t k = 0; k < 4; k++) more[k] = row_of_factor(t, term, "", summary_more[k]);
    *c++ = words(p ? rsp_label_term(t->labels, t->a, p) : term);
    *c++ = level_of_factor(t, row_of_factor(t, term, "", "verdict"));
    *c++ = level_of_factor(t, row_of_factor(t, term, "", "role"));
    for (size_t k = 0; k < SUMMARY_INTERVALS; k++) {
        const rsp_published_row *r = row_of_factor(t, term, "", summary_numbers[k].statistic);
        *c++ = cell_of_factor(t, r, "estimate", r ? r->estimate : NAN);
        *c++ = cell_of_factor(t, r, "lower", r ? r->lower : NAN);
        *c++ = cell_of_factor(t, r, "upper", r ? r->upper : NAN);
    }
    *c++ = cell_of_factor(t, p, "p_adj", p ? p->p_adj : NAN);
    *c++ = cell_of_factor(t, more[0], "estimate", more[0] ? more[0]->estimate : NAN);
    *c++ = cell_of_factor(t, more[1], "lower", more[1] ? more[1]->lower : NAN);
    *c++ = cell_of_factor(t, more[1], "upper", more[1] ? more[1]->upper : NAN);
    for (size_t k = 2; k < 4; k++) *c++ = cell_of_factor(t, more[k], "estimate", more[k] ? more[k]->estimate : NAN);
    *c++ = words(p ? note_of(t, p) : "\u2013");
    return c;
}

static void lay_out_summary(struct tabulation *t) {
    const rsp_drivers *d = &t->analysis->model.drivers;
    t->tab->columns = RSP_ARRAY(t->a, rsp_tab_column, 3 + 3 * SUMMARY_INTERVALS + 8);
    summary_columns(t);
    t->tab->n_rows = d->n_factors;
    rsp_cell *c = t->tab->cells = RSP_ARRAY(t->a, rsp_cell, d->n_factors * t->tab->n_columns);
    for (size_t k = 0; k < d->n_factors; k++)
        c = summary_row(t, rsp_labels_study(t->labels)->variables[d->factors[k]].name, c);
}

/* ---- the table -------------------------------------------------------------------------------------------------- */

/* The one item of a table that has no column for it, where the title does not name it. */
static void name_the_item(struct tabulation *t) {
    const char *item = rsp_label_term(t->labels, t->a, t->rows[0]);
    if (*item && !strstr(t->tab->title, item)) t->tab->subtitle = rsp_printf(t->a, "%s: %s", t->tab->subtitle, item);
}

static void lay_out(struct tabulation *t) {
    struct wide w;
    struct uses u = find_uses(t);
    t->tab->columns = RSP_ARRAY(t->a, rsp_tab_column, MOST_LONG_COLUMNS + 3 * MOST_LEVELS_WIDE);
    if (lay_out_wide(t, &w)) {
        u.term |= !u.group;
        wide_columns(t, &w, &u);
        wide_cells(t, &w, &u);
    } else {
        long_columns(t, &u);
        long_cells(t, &u);
    }
    if (!u.term) name_the_item(t);
}

rsp_tab *rsp_tabulate(const rsp_labels *l, const rsp_published *p, const char *analysis, const char *country,
                      rsp_tab_part part, rsp_arena *a) {
    struct tabulation t = {
        .labels = l, .texts = rsp_labels_texts(l), .analysis = rsp_label_find(l, analysis), .id = analysis, .a = a};
    if (part == RSP_TAB_SUMMARY && !of_drivers(&t)) return NULL;
    collect(&t, p, country, part);
    if (!t.n) return NULL;
    t.tab = RSP_NEW(a, rsp_tab);
    t.letter = rsp_map_new();
    t.differs = rsp_map_new();
    t.titles = rsp_map_new();
    const char *title = rsp_label_analysis(l, a, analysis);
    rsp_arg of = {"title", title, 0};
    t.tab->title = part == RSP_TAB_DIFFERENCES ? rsp_say(t.texts, a, "workbook_differences", &of, 1) : title;
    t.tab->measure = part == RSP_TAB_DIFFERENCES ? say(&t, "statistic_difference") : rsp_label_measure(l, a, analysis);
    t.tab->subtitle = part == RSP_TAB_DIFFERENCES ? say(&t, "workbook_differences_note") : t.tab->measure;
    if (part == RSP_TAB_VALUES && of_drivers(&t)) t.tab->title = rsp_say(t.texts, a, "workbook_details", &of, 1);
    if (part == RSP_TAB_VALUES) find_letters(&t);
    if (part == RSP_TAB_SUMMARY) lay_out_summary(&t);
    else lay_out(&t);
    fit_words(&t);
    rsp_map_free(t.letter);
    rsp_map_free(t.differs);
    rsp_map_free(t.titles);
    free(t.differs_from);
    return t.tab;
}
