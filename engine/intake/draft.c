/* `responsive new`: what kind of question each column of exports is. Columns of several files are one by their heading.
 * Questions in several columns, answers on a known scale, lists shared by several items and the tools' own columns are
 * recognised; what cannot be told is left as the file has it, for the researcher to set right in the draft. */
#include "draft.h"

#include "scales.h"

#include <assert.h>
#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unicode/uloc.h>
#include <unicode/ustring.h>
#include <unicode/utrans.h>

enum { LONGEST_NAME = 24, LONGEST_CODE_NAME = 20, MOST_CHOICES = 200, LEAST_CONSTANT = 20, LEAST_TICKS = 3 };
enum { LONG_LINE = 90, LONGEST_SHOWN = 60, MOST_REASONS = 16 }; /* of headings that are left out */

/* ---- words and names -------------------------------------------------------------------------------------------- */

/* Marks of byte order and the like within a text, which print as nothing and spoil headings of lists. */
static void drop_invisible(rsp_buf *b) {
    static const char *const signs[] = {"\xEF\xBB\xBF", "\xE2\x80\x8B", "\xE2\x81\xA0"};
    for (size_t k = 0; k < sizeof signs / sizeof *signs; k++)
        for (char *at = b->data; (at = strstr(at, signs[k])); b->length -= 3) memmove(at, at + 3, strlen(at + 3) + 1);
}

const char *rsp_draft_words(rsp_draft *x, const char *text) {
    rsp_buf b = {0};
    rsp_fold_but(text, strlen(text), RSP_FOLD_CASE | RSP_FOLD_SIGNS | RSP_FOLD_DOTS, &b);
    if (b.length) drop_invisible(&b);
    const char *words = rsp_strndup(x->arena, b.data, b.length);
    rsp_buf_free(&b);
    return words;
}

/* Letters of Europe as ASCII. */
static void ascii_of(const char *text, rsp_buf *out) {
    static const struct {
        const char *from, *to;
    } letters[] = {{"ä", "ae"}, {"ö", "oe"}, {"ü", "ue"}, {"ß", "ss"}, {"æ", "ae"}, {"ø", "oe"}, {"å", "aa"},
                   {"à", "a"},  {"á", "a"},  {"â", "a"},  {"ã", "a"},  {"ă", "a"},  {"ą", "a"},  {"ç", "c"},
                   {"ć", "c"},  {"é", "e"},  {"è", "e"},  {"ê", "e"},  {"ë", "e"},  {"ę", "e"},  {"í", "i"},
                   {"î", "i"},  {"ï", "i"},  {"ł", "l"},  {"ń", "n"},  {"ñ", "n"},  {"ó", "o"},  {"ô", "o"},
                   {"õ", "o"},  {"œ", "oe"}, {"ś", "s"},  {"ș", "s"},  {"š", "s"},  {"ț", "t"},  {"ú", "u"},
                   {"û", "u"},  {"ù", "u"},  {"ź", "z"},  {"ż", "z"},  {"ž", "z"}};
    rsp_buf folded = {0};
    rsp_fold(text, strlen(text), &folded);
    for (size_t i = 0; i < folded.length;) {
        size_t k = 0, n = sizeof letters / sizeof *letters;
        while (k < n && strncmp(folded.data + i, letters[k].from, strlen(letters[k].from)) != 0) k++;
        if (k < n) rsp_buf_puts(out, letters[k].to);
        else rsp_buf_putc(out, isalnum((unsigned char) folded.data[i]) ? folded.data[i] : ' ');
        i += k < n ? strlen(letters[k].from) : 1;
    }
    rsp_buf_free(&folded);
}

/* Words joined by _, the little ones left out while others are there, up to `most` bytes. */
static void slug_of(const char *text, size_t most, rsp_buf *out) {
    static const char little[] =
        " the a an of to in on for and or is are was do does did you your have has how what which who "
        "when at by be been it this that these with from der die das und sie ihr ihre wie ist sind von "
        "le la les des de du et est vous votre quel quelle o os as e que da og er det du dit i w na z sie "
        "czy jest si ce cu ";
    rsp_buf ascii = {0};
    ascii_of(text, &ascii);
    for (int pass = 0; pass < 2 && !out->length; pass++)
        for (size_t i = 0; i < ascii.length;) {
            size_t n = strcspn(ascii.data + i, " ");
            char word[32];
            snprintf(word, sizeof word, " %.*s ", (int) (n < 28 ? n : 28), ascii.data + i);
            bool skip = !n || (pass == 0 && strstr(little, word));
            if (!skip && out->length + n + 1 > most && out->length) break;
            if (!skip && out->length) rsp_buf_putc(out, '_');
            if (!skip) rsp_buf_add(out, ascii.data + i, n < most ? n : most);
            i += n + 1;
        }
    rsp_buf_free(&ascii);
}

/* Words of the language of expressions, and names that the engine gives itself. */
static bool is_reserved(const char *name) {
    static const char *const words[] = {"and",  "or",    "not",     "div",      "mod",      "if",
                                        "true", "false", "weights", "cleaning", "response", "selected",
                                        "sum",  "mean",  "min",     "max",      "round"};
    for (size_t k = 0; k < sizeof words / sizeof *words; k++)
        if (strcasecmp(name, words[k]) == 0) return true;
    return false;
}

static const char *unused(rsp_draft *x, rsp_map *taken, const char *name) {
    rsp_buf b = {0};
    for (size_t k = 1; k < 100000; k++) {
        b.length = 0;
        rsp_buf_puts(&b, name);
        if (k > 1) rsp_buf_printf(&b, "_%zu", k);
        if (rsp_map_put(taken, b.data, 0)) break;
    }
    const char *kept = rsp_strdup(x->arena, b.data);
    rsp_buf_free(&b);
    return kept;
}

const char *rsp_draft_name(rsp_draft *x, const char *text, const char *fallback) {
    rsp_buf b = {0};
    bool code = text[0] && strlen(text) <= 32;
    for (const char *c = text; *c && code; c++) code = isalnum((unsigned char) *c) || *c == '_';
    if (code) rsp_buf_puts(&b, text);
    else slug_of(text, LONGEST_NAME, &b);
    if (!b.length) rsp_buf_puts(&b, fallback);
    if (!isalpha((unsigned char) b.data[0]) || is_reserved(b.data)) {
        rsp_buf with = {0};
        rsp_buf_printf(&with, "q_%s", b.data);
        rsp_buf_free(&b);
        b = with;
    }
    const char *name = unused(x, x->names, b.data);
    rsp_buf_free(&b);
    return name;
}

/* ---- columns of all files --------------------------------------------------------------------------------------- */

/* Q4[SQ001]. Question [Option]: length of the code; 0 if the heading has none. */
static size_t joined_code(const char *h) {
    size_t n = 0;
    if (!isalpha((unsigned char) h[0])) return 0;
    while (isalnum((unsigned char) h[n]) || h[n] == '_') n++;
    while (h[n] == '[') {
        const char *close = strchr(h + n, ']');
        if (!close) return 0;
        n = (size_t) (close - h) + 1;
    }
    if (strncmp(h + n, ". ", 2) != 0 && strncmp(h + n, "._.", 3) != 0) return 0;
    return n;
}

static void split_brackets(rsp_draft *x, const char *text, const char **base, const char **part) {
    size_t n = strlen(text);
    const char *open = n && text[n - 1] == ']' ? memrchr(text, '[', n) : NULL;
    if (!open || open == text) return;
    size_t length = (size_t) (open - text);
    while (length && text[length - 1] == ' ') length--;
    *base = rsp_strndup(x->arena, text, length);
    *part = rsp_strndup(x->arena, open + 1, (size_t) (text + n - open) - 2);
}

/* Is the text one pair of brackets: `[Row]`, `[Question [Row]]`? */
static bool in_brackets(const char *text) {
    size_t n = strlen(text), depth = 0;
    if (n < 3 || text[0] != '[') return false;
    for (size_t k = 0; k < n; k++) {
        depth += text[k] == '[';
        if (text[k] == ']' && (!depth || (!--depth && k + 1 < n))) return false;
    }
    return !depth;
}

/* What stands behind a code: `Question [Row]`, `[Row]` where the question has no words, `Question []` where the row has
 * none. */
static void describe_coded(rsp_draft *x, rsp_draft_column *c, const char *text) {
    c->label = rsp_draft_words(x, text);
    if (in_brackets(c->label)) c->label = rsp_draft_words(x, rsp_strndup(x->arena, c->label + 1, strlen(c->label) - 2));
    split_brackets(x, c->label, &c->base_label, &c->part_label);
    if (!c->part_label || *c->part_label) return;
    c->label = rsp_draft_words(x, c->base_label);
    c->base_label = c->part_label = NULL;
}

/* `Question - Row` in Qualtrics's second row. */
static void split_label(rsp_draft *x, rsp_draft_column *c) {
    const char *joint = c->label ? strrchr(c->label, '-') : NULL;
    for (; joint && joint > c->label && joint[-1] != ' ' && joint[1] == ' '; joint = NULL) {
    }
    if (!joint || joint == c->label || !joint[1]) return;
    c->base_label = rsp_draft_words(x, rsp_strndup(x->arena, c->label, (size_t) (joint - c->label)));
    c->part_label = rsp_draft_words(x, joint + 1);
}

/* NAME___CODE, NAME_3, group/NAME/CODE. */
static void split_code(rsp_draft *x, rsp_draft_column *c, const rsp_tool *tool) {
    const char *triple = strstr(c->code, "___"), *under = strrchr(c->code, '_'), *slash = strrchr(c->code, '/');
    const char *at = triple                                       ? triple
                     : tool->paths && slash                       ? slash
                     : under && isdigit((unsigned char) under[1]) ? under
                                                                  : NULL;
    if (!at || at == c->code) return;
    c->base = rsp_strndup(x->arena, c->code, (size_t) (at - c->code));
    c->part = at + (triple ? 3 : 1);
}

/* Of a heading that stands over several columns only the first can be a part of a question. */
static void describe_further(rsp_draft *x, rsp_draft_column *c) {
    c->code = rsp_printf(x->arena, "%s#%zu", c->heading, c->occurrence);
    c->label = rsp_draft_words(x, c->info && c->info->label && *c->info->label ? c->info->label : c->heading);
}

static void describe_heading(rsp_draft *x, rsp_draft_column *c, const rsp_tool *tool) {
    if (c->occurrence > 1) {
        describe_further(x, c);
        return;
    }
    size_t code = joined_code(c->heading);
    c->code = code ? rsp_strndup(x->arena, c->heading, code) : c->heading;
    if (code) {
        describe_coded(x, c, c->heading + code + strspn(c->heading + code, "._ "));
    } else if (c->info && c->info->label && *c->info->label) {
        c->label = rsp_draft_words(x, c->info->label);
        split_label(x, c);
    }
    split_brackets(x, c->code, &c->base, &c->part);
    if (!c->base) split_code(x, c, tool);
    if (!c->label && c->base && c->code == c->heading && strchr(c->heading, ' ')) {
        c->base_label = rsp_draft_words(x, c->base);
        c->part_label = rsp_draft_words(x, c->part);
    }
    if (!c->label) c->label = rsp_draft_words(x, c->heading);
}

static void add_columns(rsp_draft *x, rsp_draft_file *f, rsp_map *seen) {
    rsp_map *alike = rsp_map_new(); /* the last of a heading, from behind */
    for (size_t j = f->table->n_columns; j-- > 0;) rsp_map_put(alike, f->table->headings[j], f->table->occurrence[j]);
    for (size_t j = 0; j < f->table->n_columns; j++) {
        const char *h = f->table->headings[j], *name = rsp_column_name(f->table, j, x->arena);
        size_t at = *h ? rsp_map_get(seen, name) : RSP_NONE;
        f->commas = f->commas || (f->profiles[j].commas && !f->profiles[j].points);
        f->month_first = f->month_first || f->profiles[j].month_first;
        f->day_first = f->day_first || f->profiles[j].day_first;
        if (at != RSP_NONE) {
            x->columns[at].n_files += f->profiles[j].answered > 0;
            rsp_profile_merge(&x->columns[at].profile, &f->profiles[j]);
            continue;
        }
        rsp_draft_column c = {.heading = h,
                              .occurrence = f->table->occurrence[j],
                              .n_alike = rsp_map_get(alike, h),
                              .own = f->profiles[j].own,
                              .info = f->table->info ? &f->table->info[j] : NULL,
                              .n_files = f->profiles[j].answered > 0,
                              .profile = f->profiles[j],
                              .personal = f->profiles[j].personal_heading};
        memset(&f->profiles[j], 0, sizeof f->profiles[j]); /* it belongs to the column now */
        if (!c.info || !c.info->label) {
            const rsp_column_info *words = rsp_draft_words_for(x, h);
            if (words) c.info = words;
        }
        describe_heading(x, &c, f->tool);
        rsp_map_put(seen, name, x->n_columns);
        RSP_PUSH(x->columns, x->n_columns, x->column_capacity, c);
    }
    rsp_map_free(alike);
}

bool rsp_draft_partly(const rsp_draft *x, const rsp_draft_column *c) { return c->n_files < x->n_files; }

/* ---- lists ------------------------------------------------------------------------------------------------------ */

const char *rsp_draft_folded(rsp_draft *x, const char *text) {
    rsp_buf b = {0};
    rsp_fold(text, strlen(text), &b);
    const char *kept = rsp_strndup(x->arena, b.data, b.length);
    rsp_buf_free(&b);
    return kept;
}

static size_t value_in(rsp_draft *x, const rsp_draft_list *l, const char *label) {
    const char *folded = rsp_draft_folded(x, label);
    for (size_t k = 0; k < l->n; k++)
        if (strcmp(rsp_draft_folded(x, l->values[k].label), folded) == 0) return k;
    return RSP_NONE;
}

/* A scale that all answers stand on, with their places; NULL. */
static const char *scale_of(rsp_draft *x, rsp_draft_list *l) {
    for (size_t s = 0; s < 64 && l->n; s++) {
        const char *name = NULL;
        bool all = true;
        size_t answers = 0;
        double place;
        /* The s-th scale that the first answer stands on, then the same one for the others. */
        for (size_t k = 0; k < l->n && all; k++) {
            if (l->values[k].missing) continue;
            const char *folded = rsp_draft_folded(x, l->values[k].label), *found = NULL;
            if (!name) {
                name = found = rsp_scale_word(folded, s, &place);
                if (!name) return NULL;
            }
            for (size_t nth = 0; found != name || !nth; nth++) {
                found = rsp_scale_word(folded, nth, &place);
                if (!found || found == name) break;
            }
            all = found == name;
            l->values[k].place = place;
            answers++;
        }
        if (all && answers >= 2) return name;
    }
    return NULL;
}

static bool all_numbered(rsp_draft *x, rsp_draft_list *l) {
    size_t answers = 0;
    for (size_t k = 0; k < l->n; k++) {
        if (l->values[k].missing) continue;
        l->values[k].place = rsp_scale_number(rsp_draft_folded(x, l->values[k].label));
        if (isnan(l->values[k].place)) return false;
        answers++;
    }
    return answers >= 3;
}

/* Do the labels count up as the codes do (1st decile, 2nd decile; under 25, 25-44)? */
static bool numbers_rise(rsp_draft *x, const rsp_draft_list *l) {
    size_t answers = 0;
    double before = -INFINITY, code = -INFINITY;
    bool rise = true;
    for (size_t k = 0; k < l->n; k++) {
        const rsp_draft_value *v = &l->values[k];
        if (v->missing) continue;
        double number = rsp_scale_number(rsp_draft_folded(x, v->label));
        rise = rise && number > before && v->place > code;
        before = number;
        code = v->place;
        answers++;
    }
    return rise && answers >= 3;
}

static int compare_values(const void *a, const void *b) {
    const rsp_draft_value *x = a, *y = b;
    if (x->missing != y->missing) return x->missing ? 1 : -1;
    if (x->place != y->place) return x->place < y->place ? -1 : 1;
    if (x->n != y->n) return x->n > y->n ? -1 : 1;
    return strcmp(x->label, y->label);
}

/* By the scale, by the numbers in the labels, by the codes of the file, else by frequency. */
static void order_list(rsp_draft *x, rsp_draft_list *l, bool coded) {
    l->scale = scale_of(x, l);
    l->ordinal = l->scale && strcmp(l->scale, "yes_no") != 0;
    if (!l->scale && coded) {
        for (size_t k = 0; k < l->n; k++)
            if (!rsp_parse_double(l->values[k].code, strlen(l->values[k].code), '.', &l->values[k].place))
                l->values[k].place = (double) k;
        l->ordinal = numbers_rise(x, l);
    } else if (!l->scale && all_numbered(x, l)) {
        l->ordinal = true;
    } else if (!l->scale) {
        for (size_t k = 0; k < l->n; k++) l->values[k].place = 0;
    }
    if (l->n) qsort(l->values, l->n, sizeof *l->values, compare_values);
}

void rsp_draft_order(rsp_draft *x, rsp_draft_list *l) {
    l->scale = scale_of(x, l);
    l->ordinal = l->scale && strcmp(l->scale, "yes_no") != 0;
    if (!l->scale && all_numbered(x, l)) l->ordinal = true;
    else
        for (size_t k = 0; k < l->n && !l->scale; k++) l->values[k].place = (double) k;
    if (l->n) qsort(l->values, l->n, sizeof *l->values, compare_values);
}

/* EUSurvey's `Malta(MT)`: the identifier; NULL. */
static const char *identifier_of(rsp_draft *x, const char *label, size_t *text) {
    size_t n = strlen(label);
    const char *open = n > 3 && label[n - 1] == ')' ? memrchr(label, '(', n) : NULL;
    if (strcmp(x->files[0].tool->name, "eusurvey") != 0 || !open || open == label || open[-1] == ' ') return NULL;
    for (const char *c = open + 1; c < label + n - 1; c++)
        if (!isalnum((unsigned char) *c) && *c != '_' && *c != '-') return NULL;
    *text = (size_t) (open - label);
    return rsp_strndup(x->arena, open + 1, n - (size_t) (open - label) - 2);
}

static void add_value(rsp_draft *x, rsp_draft_list *l, const char *raw, const char *code, const char *label, size_t n,
                      int missing) {
    size_t length;
    const char *identifier = code ? NULL : identifier_of(x, label, &length);
    if (identifier) {
        code = identifier;
        label = rsp_strndup(x->arena, label, length);
    }
    rsp_draft_value v = {.code = code,
                         .label = rsp_draft_words(x, label),
                         .raw = raw,
                         .n = n,
                         .missing = missing != 0 || rsp_missing_word(rsp_draft_folded(x, label))};
    if (!*v.label) return;
    RSP_PUSH(l->values, l->n, l->capacity, v);
}

void rsp_draft_add_value(rsp_draft *x, rsp_draft_list *l, const char *text, size_t n) {
    if (l->n < MOST_CHOICES) add_value(x, l, text, NULL, text, n, 0);
}

/* Codes of letters and digits for labels: made of the words, each once in the list. */
static void give_codes(rsp_draft *x, rsp_draft_list *l) {
    rsp_map *taken = rsp_map_new();
    for (size_t k = 0; k < l->n; k++) {
        rsp_buf b = {0};
        bool sound = l->values[k].code && *l->values[k].code && !strpbrk(l->values[k].code, " \t\n;=:|,");
        if (sound) rsp_buf_puts(&b, l->values[k].code);
        else slug_of(l->values[k].label, LONGEST_CODE_NAME, &b);
        if (!b.length) rsp_buf_puts(&b, "answer");
        l->values[k].code = unused(x, taken, b.data);
        rsp_buf_free(&b);
    }
    rsp_map_free(taken);
}

/* Do all answers of one list stand in the other, or both on one scale? Short lists of different questions are not one. */
static bool fits(rsp_draft *x, const rsp_draft_list *l, const rsp_draft_list *into) {
    size_t same = 0;
    if (l->scale && l->scale == into->scale && l->ordinal) return true;
    for (size_t k = 0; k < l->n; k++) same += value_in(x, into, l->values[k].label) != RSP_NONE;
    if (same < l->n) return false;
    return l->n == into->n || (l->n >= 3 && l->n * 2 > into->n);
}

static size_t share_list(rsp_draft *x, rsp_draft_list *l, const char *name) {
    for (size_t k = 0; k < x->n_lists; k++) {
        rsp_draft_list *into = &x->lists[k];
        if (!into->n_items || !fits(x, l, into)) continue;
        for (size_t v = 0; v < l->n; v++) {
            size_t at = value_in(x, into, l->values[v].label);
            if (at == RSP_NONE) RSP_PUSH(into->values, into->n, into->capacity, l->values[v]);
            else into->values[at].n += l->values[v].n;
        }
        into->n_items++;
        free(l->values);
        return k;
    }
    l->name = l->scale ? rsp_draft_name(x, rsp_printf(x->arena, "%s%zu", l->scale, l->n), "list") : name;
    l->n_items = 1;
    RSP_PUSH(x->lists, x->n_lists, x->list_capacity, *l);
    return x->n_lists - 1;
}

/* The answers of a column: the file's value labels, else what stands in the cells. Coded lists are shared only if the codes
 * say the same. */
static size_t list_of(rsp_draft *x, const rsp_draft_column *c, const char *name) {
    rsp_draft_list l = {.n = 0};
    const rsp_column_info *info = c->info;
    bool labelled = info && info->n_values, coded = labelled || c->kind == RSP_KIND_CODES;
    for (size_t k = 0; labelled && k < info->n_values; k++)
        add_value(x, &l, info->values[k].code, info->values[k].code, info->values[k].label, 0, info->values[k].missing);
    for (size_t k = 0; k < c->profile.n_spellings; k++) {
        const rsp_spelling *s = &c->profile.spellings[k];
        size_t at = RSP_NONE;
        if (x->headings_again && rsp_is_heading_again(s->text, c->heading)) continue;
        for (size_t v = 0; v < l.n && coded; v++)
            if (strcmp(l.values[v].code, s->text) == 0) at = v;
        if (at == RSP_NONE && !coded) at = value_in(x, &l, s->text);
        if (at != RSP_NONE) l.values[at].n += s->n;
        else if (l.n < MOST_CHOICES) add_value(x, &l, s->text, coded ? s->text : NULL, s->text, s->n, 0);
    }
    order_list(x, &l, coded);
    if (coded && !labelled && l.n >= 3) l.ordinal = true;
    if (info && info->measure == RSP_ORDINAL + 1) l.ordinal = true;
    if (!coded) return share_list(x, &l, name);
    for (size_t k = 0; k < x->n_lists; k++) {
        const rsp_draft_list *other = &x->lists[k];
        bool same = other->n == l.n && other->n_items;
        for (size_t v = 0; v < l.n && same; v++)
            same = other->values[v].code && strcmp(other->values[v].code, l.values[v].code) == 0 &&
                   strcmp(other->values[v].label, l.values[v].label) == 0;
        if (!same) continue;
        x->lists[k].n_items++;
        free(l.values);
        return k;
    }
    l.name = name;
    l.n_items = 1;
    RSP_PUSH(x->lists, x->n_lists, x->list_capacity, l);
    return x->n_lists - 1;
}

/* ---- items ------------------------------------------------------------------------------------------------------ */

rsp_draft_item *rsp_draft_add(rsp_draft *x, rsp_draft_item item) {
    RSP_PUSH(x->items, x->n_items, x->item_capacity, item);
    return &x->items[x->n_items - 1];
}

static void add_own(rsp_draft *x, rsp_draft_column *c) {
    static const struct {
        rsp_own_kind kind;
        rsp_draft_type type;
        const char *role;
    } roles[] = {{RSP_OWN_ID, RSP_DRAFT_TEXT, "id"},
                 {RSP_OWN_STARTED, RSP_DRAFT_DATE, "started"},
                 {RSP_OWN_SUBMITTED, RSP_DRAFT_DATE, "submitted"},
                 {RSP_OWN_LANGUAGE, RSP_DRAFT_TEXT, "language"},
                 {RSP_OWN_DURATION, RSP_DRAFT_DECIMAL, "duration"}};
    c->done = true;
    for (size_t k = 0; k < sizeof roles / sizeof *roles; k++) {
        bool taken = false;
        for (size_t i = 0; i < x->n_items; i++)
            taken = taken || (x->items[i].role && strcmp(x->items[i].role, roles[k].role) == 0);
        bool date = roles[k].type == RSP_DRAFT_DATE;
        if (c->own->kind != roles[k].kind || taken || !c->profile.answered || (date && c->kind != RSP_KIND_DATE))
            continue;
        rsp_draft_add(x, (rsp_draft_item){.name = rsp_draft_name(x, c->own->code, roles[k].role),
                                          .label = c->label,
                                          .export_name = c->code,
                                          .type = roles[k].type,
                                          .list = RSP_NONE,
                                          .role = roles[k].role,
                                          .answered = c->profile.answered});
    }
}

/* Every answer a tick: chosen or not, or the option's own text. */
static bool is_tick(rsp_draft *x, const rsp_draft_column *c, const rsp_tool *tool, const rsp_table_data *t) {
    rsp_buf room = {0};
    const char *option = rsp_draft_folded(x, c->part_label ? c->part_label : c->part ? c->part : "");
    bool all = !c->profile.many && c->profile.n_spellings <= 3;
    for (size_t k = 0; k < c->profile.n_spellings && all; k++) {
        const rsp_spelling *s = &c->profile.spellings[k];
        int value = tool->tick ? tool->tick(t, s->text, s->length) : RSP_NO_TICK;
        if (value == RSP_NO_TICK) value = rsp_match_tick(s->text, s->length, &room);
        rsp_fold(s->text, s->length, &room);
        all = value != RSP_NO_TICK || strcmp(room.data, option) == 0;
    }
    rsp_buf_free(&room);
    return all;
}

/* "Other" beside a question: words of the respondent. */
static bool is_other_text(const rsp_draft_column *c) {
    static const char *const words[] = {"other", "sonstig", "andere", "anderes", "andet", "autre", "inne",
                                        "inny",  "outro",   "outra",  "altele",  "altul", "alta",  "text"};
    const char *part = c->part_label ? c->part_label : c->part ? c->part : "", *code = c->part ? c->part : "";
    size_t n = strlen(code);
    if (n >= 7 && strcasecmp(code + n - 7, "comment") == 0) return true;
    while (*part == ' ') part++;
    for (size_t k = 0; k < sizeof words / sizeof *words; k++)
        if (strncasecmp(part, words[k], strlen(words[k])) == 0 || strncasecmp(code, words[k], strlen(words[k])) == 0)
            return true;
    return false;
}

struct group {
    size_t n, ticks, numbers, greatest;
    size_t members[256];
};

/* Columns with the same base as the given one that are not done. */
static void gather(rsp_draft *x, size_t first, struct group *g) {
    const rsp_draft_file *f = &x->files[0];
    *g = (struct group){.n = 0};
    for (size_t j = first; j < x->n_columns && g->n < 256; j++) {
        rsp_draft_column *c = &x->columns[j];
        if (c->done || c->own || !c->base || strcmp(c->base, x->columns[first].base) != 0) continue;
        g->members[g->n++] = j;
        bool other = is_other_text(c);
        g->ticks += !c->profile.answered || other || is_tick(x, c, f->tool, f->table);
        bool number = c->profile.answered && c->profile.whole == c->profile.answered && c->profile.least >= 1;
        g->numbers += number;
        if (number && c->profile.greatest > (double) g->greatest) g->greatest = (size_t) c->profile.greatest;
    }
}

/* The column that has the question alone, beside its options (Kobo's joined cell). */
static size_t parent_of(const rsp_draft *x, const char *base) {
    for (size_t j = 0; j < x->n_columns; j++)
        if (strcmp(x->columns[j].code, base) == 0) return j;
    return RSP_NONE;
}

static void add_parts(rsp_draft *x, const struct group *g, rsp_draft_type type) {
    rsp_draft_column *first = &x->columns[g->members[0]];
    size_t parent = parent_of(x, first->base);
    const char *label = first->base_label    ? first->base_label
                        : parent != RSP_NONE ? x->columns[parent].label
                                             : first->base;
    const char *name = rsp_draft_name(x, first->base, "choices");
    rsp_draft_list l = {.n = 0};
    size_t answered = 0, others = 0;
    for (size_t k = 0; k < g->n; k++) {
        rsp_draft_column *c = &x->columns[g->members[k]];
        bool code = strlen(c->part) <= 32 && !strchr(c->part, ' ');
        for (const char *p = c->part; *p && code; p++) code = isalnum((unsigned char) *p) || *p == '_';
        const char *option = c->part_label && *c->part_label ? c->part_label : c->part;
        /* The code `other` stands for words of the respondents: there or not. */
        const char *own = is_other_text(c) && !others++ ? "other" : code ? c->part : NULL;
        rsp_draft_value v = {
            .code = own, .label = rsp_draft_words(x, option), .n = c->profile.answered, .place = (double) k};
        RSP_PUSH(l.values, l.n, l.capacity, v);
        if (c->profile.answered > answered) answered = c->profile.answered;
        c->done = true;
    }
    if (parent != RSP_NONE) x->columns[parent].done = true;
    l.name = rsp_draft_name(x, rsp_printf(x->arena, "%s_list", name), "list");
    RSP_PUSH(x->lists, x->n_lists, x->list_capacity, l); /* its own: n_items stays 0, so that nobody shares it */
    rsp_draft_add(x, (rsp_draft_item){.name = name,
                                      .label = rsp_draft_words(x, label),
                                      .export_name = first->base,
                                      .type = type,
                                      .list = x->n_lists - 1,
                                      .partly = rsp_draft_partly(x, first),
                                      .answered = answered});
}

static bool add_group(rsp_draft *x, size_t first) {
    struct group g;
    if (!x->columns[first].base || x->columns[first].own) return false;
    gather(x, first, &g);
    if (g.n < 2) return false;
    bool multiple = g.ticks == g.n, rank = g.numbers == g.n && g.n >= 3 && g.greatest == g.n;
    if (!multiple && !rank) return false;
    add_parts(x, &g, multiple ? RSP_DRAFT_MULTIPLE : RSP_DRAFT_RANK);
    return true;
}

/* Words have slashes, too: `herbs / plants`, `How did/will you` are no question and option, unless others begin alike. */
static bool is_path(const rsp_draft *x, const rsp_draft_column *c) {
    size_t n = c->base ? strlen(c->base) : 0, alike = 0;
    if (!n || c->code[n] != '/' || !strchr(c->code, ' ')) return true;
    for (size_t k = 0; k < x->n_columns && alike < 2; k++) {
        const char *code = x->columns[k].code;
        alike += strncmp(code, c->base, n) == 0 && (code[n] == '/' || !code[n]);
    }
    return alike > 1;
}

/* Kobo: the options stand behind the question's own column, NAME/OPTION; options have slashes, too. */
static void split_paths(rsp_draft *x) {
    for (size_t j = 0; j < x->n_columns; j++) {
        rsp_draft_column *c = &x->columns[j];
        if (!is_path(x, c)) c->base = c->part = c->base_label = c->part_label = NULL;
    }
    for (size_t j = 0; j < x->n_columns; j++) {
        rsp_draft_column *c = &x->columns[j];
        for (const char *at = strchr(c->code, '/'); at; at = strchr(at + 1, '/')) {
            const char *base = rsp_strndup(x->arena, c->code, (size_t) (at - c->code));
            size_t parent = parent_of(x, base);
            if (parent == RSP_NONE) continue;
            c->base = base;
            c->part = at + 1;
            c->base_label = x->columns[parent].label;
            c->part_label = rsp_draft_words(x, c->part);
            break;
        }
    }
}

/* Nothing but 0 and 1, or one sign and blanks: a tick. Yes and no in words answer a question of their own. */
static bool is_bare_tick(const rsp_draft_column *c) {
    const rsp_profile *p = &c->profile;
    bool numbers = p->whole == p->answered && p->least >= 0 && p->greatest <= 1;
    bool sign = p->n_spellings == 1 && p->spellings[0].length == 1 && rsp_profile_missing(p) > 0;
    return !c->own && !c->base && !c->done && p->answered && !p->many && (numbers || sign);
}

/* Length of NAME in NAME_PART; 0. */
static size_t name_before_part(const char *code) {
    const char *under = strrchr(code, '_');
    return under && under > code && under[1] ? (size_t) (under - code) : 0;
}

/* Of tables of no known tool: NAME_a, NAME_b, NAME_c beside each other, all of them ticks, are one question's options. */
static void split_ticks(rsp_draft *x) {
    for (size_t j = 0, end; j < x->n_columns; j = end) {
        size_t n = name_before_part(x->columns[j].code);
        end = j + 1;
        if (!n || !is_bare_tick(&x->columns[j])) continue;
        while (end < x->n_columns && is_bare_tick(&x->columns[end]) && name_before_part(x->columns[end].code) == n &&
               strncmp(x->columns[end].code, x->columns[j].code, n) == 0)
            end++;
        for (size_t k = j; k < end && end - j >= LEAST_TICKS; k++) {
            rsp_draft_column *c = &x->columns[k];
            c->base = rsp_strndup(x->arena, c->code, n);
            c->part = c->code + n + 1;
            if (c->info && c->info->label) c->part_label = c->label;
        }
    }
}

/* The same: headings below a title that stands over several columns are the rows of one question. */
static void rows_of_titles(rsp_draft *x) {
    for (size_t j = 0; j < x->n_columns; j++) {
        rsp_draft_column *c = &x->columns[j];
        bool before = j && x->columns[j - 1].base_label && c->base_label &&
                      strcmp(x->columns[j - 1].base_label, c->base_label) == 0;
        c->row = c->row || before;
        if (before) x->columns[j - 1].row = true;
    }
}

/* Do other columns' texts begin with these n bytes and a colon? */
static bool shares_question(const rsp_draft *x, size_t column, size_t n) {
    const char *label = x->columns[column].label;
    for (size_t k = 0; k < x->n_columns; k++) {
        const char *other = x->columns[k].label;
        if (k != column && strncmp(other, label, n) == 0 && other[n] == ':' && other[n + 1]) return true;
    }
    return false;
}

/* EUSurvey: rows of a question are headed `Question: Row`; both have colons of their own, too. */
static void split_rows(rsp_draft *x) {
    for (size_t j = 0; j < x->n_columns; j++) {
        rsp_draft_column *c = &x->columns[j];
        if (c->own || c->base || c->base_label) continue;
        for (size_t n = strlen(c->label); n-- > 1 && !c->row;) {
            if (c->label[n] != ':' || !c->label[n + 1] || !shares_question(x, j, n)) continue;
            c->base_label = rsp_strndup(x->arena, c->label, n);
            c->part_label = rsp_draft_words(x, c->label + n + 1);
            c->row = true;
        }
    }
}

/* The options of a question whose own column, of all that was chosen, stands in front of them. */
static bool add_group_behind(rsp_draft *x, size_t parent) {
    for (size_t j = parent + 1; j < x->n_columns; j++) {
        const rsp_draft_column *c = &x->columns[j];
        if (!c->done && c->base && strcmp(c->base, x->columns[parent].code) == 0) return add_group(x, j);
    }
    return false;
}

/* Several answers in one cell, as forms write them: pieces that come again and again. */
struct pieces {
    rsp_draft_list list;
    size_t cells, several, pieces, longest;
};

static void cut_pieces(rsp_draft *x, const rsp_draft_column *c, const char *between, struct pieces *p) {
    *p = (struct pieces){.cells = c->profile.answered};
    for (size_t k = 0; k < c->profile.n_spellings; k++) {
        const rsp_spelling *s = &c->profile.spellings[k];
        size_t n = 0;
        for (const char *at = s->text; at;) {
            const char *stop = strstr(at, between);
            size_t length = stop ? (size_t) (stop - at) : strlen(at);
            const char *piece = rsp_draft_words(x, rsp_strndup(x->arena, at, length));
            at = stop ? stop + strlen(between) : NULL;
            if (!*piece) continue;
            n++;
            if (strlen(piece) > p->longest) p->longest = strlen(piece);
            size_t text;
            const char *id = identifier_of(x, piece, &text);
            if (id) piece = rsp_strndup(x->arena, piece, text);
            size_t known = p->list.n <= MOST_CHOICES ? value_in(x, &p->list, piece) : 0;
            if (known != RSP_NONE && p->list.n) p->list.values[known].n += s->n;
            else add_value(x, &p->list, NULL, id, piece, s->n, 0);
        }
        p->pieces += n * s->n;
        p->several += n > 1 ? s->n : 0;
    }
}

static bool add_joined(rsp_draft *x, rsp_draft_column *c) {
    static const char *const betweens[] = {";", ", "};
    bool identified = false;
    size_t length;
    for (size_t k = 0; k < c->profile.n_spellings; k++)
        identified = identified || identifier_of(x, c->profile.spellings[k].text, &length);
    if (c->profile.many || (c->profile.answered < 8 && !identified)) return false;
    for (size_t k = 0; k < 2; k++) {
        struct pieces p;
        cut_pieces(x, c, betweens[k], &p);
        bool good =
            p.list.n >= 2 && p.list.n <= 30 && p.several * 5 >= p.cells && p.pieces >= 3 * p.list.n && p.longest <= 80;
        good = good || (identified && p.several && k == 0);
        if (!good) {
            free(p.list.values);
            continue;
        }
        for (size_t v = 0; v < p.list.n; v++) p.list.values[v].missing = false;
        const char *name = rsp_draft_name(x, c->code, "choices");
        order_list(x, &p.list, false);
        p.list.name = rsp_draft_name(x, rsp_printf(x->arena, "%s_list", name), "list");
        RSP_PUSH(x->lists, x->n_lists, x->list_capacity, p.list);
        rsp_draft_add(x, (rsp_draft_item){.name = name,
                                          .label = c->label,
                                          .export_name = c->code,
                                          .type = RSP_DRAFT_MULTIPLE,
                                          .list = x->n_lists - 1,
                                          .partly = rsp_draft_partly(x, c),
                                          .answered = c->profile.answered});
        return true;
    }
    return false;
}

/* Words for a country in headings; `also` ones mean something else in another language (whose land? who pays?). */
static bool is_place(const char *folded, bool *surely) {
    static const struct {
        const char *word;
        bool also;
    } words[] = {{"country", false}, {"cntry", false}, {"kraj", false}, {"país", false}, {"țara", false},
                 {"tara", false},    {"pais", true},   {"land", true},  {"pays", true},  {"nation", true}};
    for (size_t k = 0; k < sizeof words / sizeof *words; k++) {
        size_t n = strlen(words[k].word);
        for (const char *at = folded; (at = strstr(at, words[k].word)); at += n) {
            bool before = at == folded || !isalpha((unsigned char) at[-1]), after = !isalpha((unsigned char) at[n]);
            *surely = *surely || (before && after && !words[k].also);
            if (before && after) return true;
        }
    }
    return false;
}

/* A country's name in a language of the pages; NULL: none is known. */
static const char *country_name(rsp_draft *x, const char *code, const char *language) {
    UChar name[128];
    char utf8[400];
    UErrorCode status = U_ZERO_ERROR;
    int32_t n = uloc_getDisplayCountry(rsp_printf(x->arena, "und_%s", code), language, name, 128, &status);
    u_strToUTF8(utf8, sizeof utf8, NULL, name, n < 128 ? n : 0, &status);
    return U_SUCCESS(status) && utf8[0] ? rsp_strdup(x->arena, utf8) : NULL;
}

/* The k-th of ICU's countries under its names in the languages of the pages, and its codes. */
static void put_country(rsp_draft *x, rsp_map *names, const char *code, size_t k) {
    static const char *const languages[] = {"en", "de", "da", "fr", "pl", "pt", "ro"};
    rsp_map_put(names, rsp_draft_folded(x, code), k);
    rsp_map_put(names, rsp_draft_folded(x, uloc_getISO3Country(rsp_printf(x->arena, "und_%s", code))), k);
    for (size_t l = 0; l < sizeof languages / sizeof *languages; l++) {
        const char *name = country_name(x, code, languages[l]);
        if (name) rsp_map_put(names, rsp_draft_folded(x, name), k);
    }
}

/* Of each value the country's ISO code, or NULL. Returns how many have one. */
static size_t find_countries(rsp_draft *x, const rsp_draft_list *l, const char **found) {
    rsp_map *names = rsp_map_new();
    const char *const *codes = uloc_getISOCountries();
    size_t n = 0;
    for (size_t k = 0; codes[k]; k++) put_country(x, names, codes[k], k);
    for (size_t k = 0; k < l->n; k++) {
        size_t at = rsp_map_get(names, rsp_draft_folded(x, l->values[k].label));
        found[k] = at == RSP_NONE ? NULL : codes[at];
        n += at != RSP_NONE;
    }
    rsp_map_free(names);
    return n;
}

/* Is half of the list at least made of names or codes of countries? */
static bool names_countries(rsp_draft *x, const rsp_draft_list *l) {
    const char **found = RSP_ARRAY(x->arena, const char *, l->n);
    return find_countries(x, l, found) * 2 >= l->n;
}

/* Countries under a heading that asks for one: DK is no "don't know" here. Those that the export names have their ISO codes,
 * which maps and flags of languages know; bare codes have their names. Codes of the file's own stay. */
static void name_countries(rsp_draft *x, const rsp_draft_item *item, const char *heading) {
    rsp_draft_list *l = &x->lists[item->list];
    const char **found = RSP_ARRAY(x->arena, const char *, l->n);
    bool surely = false;
    if (!is_place(rsp_draft_folded(x, heading), &surely) && !is_place(rsp_draft_folded(x, item->label), &surely))
        return;
    if (l->scale || find_countries(x, l, found) * 2 < l->n) return;
    for (size_t k = 0; k < l->n; k++) {
        rsp_draft_value *v = &l->values[k];
        if (!found[k]) continue;
        v->missing = false;
        const char *name = strcasecmp(v->label, found[k]) == 0 ? country_name(x, found[k], x->language) : NULL;
        if (!v->code && (name || strlen(v->label) > 3)) v->code = found[k];
        if (name) v->label = name;
    }
    qsort(l->values, l->n, sizeof *l->values, compare_values);
}

bool rsp_draft_is_country(rsp_draft *x, const rsp_draft_item *item, const char *code) {
    bool surely = false;
    rsp_draft_list *l = &x->lists[item->list];
    if (x->has_country || l->n < 2) return false;
    rsp_draft_count(l);
    if (l->ordinal || l->scale) return false; /* trust in the country's parliament */
    if (!is_place(rsp_draft_folded(x, code), &surely) && !is_place(rsp_draft_folded(x, item->label), &surely))
        return false;
    return surely || names_countries(x, l);
}

/* Of one country there is nothing to compare. */
void rsp_draft_take_country(rsp_draft *x, rsp_draft_item *item) {
    x->has_country = true;
    if (item->different > 1) item->role = "country";
    else item->constant = true;
}

static void add_single(rsp_draft *x, rsp_draft_column *c) {
    static const rsp_draft_type types[] = {RSP_DRAFT_TEXT,    RSP_DRAFT_DATE,    RSP_DRAFT_ONE, RSP_DRAFT_ONE,
                                           RSP_DRAFT_INTEGER, RSP_DRAFT_DECIMAL, RSP_DRAFT_TEXT};
    c->done = true;
    bool choices = c->kind == RSP_KIND_CHOICES && strcmp(x->files[0].tool->name, "eusurvey") == 0;
    if ((c->kind == RSP_KIND_TEXT || choices) && add_joined(x, c)) return;
    bool row = c->row || (c->base && (c->base_label || strchr(c->base, ' ')));
    rsp_draft_item item = {.label = row && c->part_label ? rsp_draft_words(x, c->part_label) : c->label,
                           .hint = row ? c->base_label : NULL,
                           .export_name = c->code,
                           .type = types[c->kind],
                           .list = RSP_NONE,
                           .partly = rsp_draft_partly(x, c),
                           .answered = c->profile.answered};
    item.name =
        rsp_draft_name(x, c->part && strchr(c->code, ' ') && c->part_label ? c->part_label : c->code, "question");
    item.free_text = item.type == RSP_DRAFT_TEXT;
    bool labelled = c->info && c->info->n_values > 1;
    item.different = c->profile.n_spellings;
    item.rarest = rsp_draft_rarest(c);
    item.constant = !labelled && c->profile.n_spellings == 1 && c->profile.answered >= LEAST_CONSTANT;
    if (item.type == RSP_DRAFT_ONE) {
        item.list = list_of(x, c, item.name);
        name_countries(x, &item, c->code);
        if (rsp_draft_is_country(x, &item, c->code)) rsp_draft_take_country(x, &item);
    }
    rsp_draft_describe_number(x, c, &item);
    rsp_draft_dress(x, c, &item);
    rsp_draft_add(x, item);
}

static bool is_id_heading(const char *folded) {
    static const char *const words[] = {"id",      "idno",   "id no",      "case",          "caseid",
                                        "case id", "respid", "respondent", "respondent id", "respondentid",
                                        "serial",  "record", "uuid",       "response id"};
    for (size_t k = 0; k < sizeof words / sizeof *words; k++)
        if (strcmp(folded, words[k]) == 0) return true;
    return false;
}

/* Whole numbers, each once, and none left out: somebody counted the rows. */
static bool counts_rows(const rsp_draft_column *c) {
    const rsp_profile *p = &c->profile;
    bool each = p->many ? p->n_spellings == RSP_MOST_SPELLINGS : p->n_spellings == p->answered;
    return p->answered >= 20 && p->whole == p->answered && each && p->greatest - p->least + 1 == (double) p->answered;
}

static void find_id(rsp_draft *x) {
    for (size_t k = 0; k < x->n_items; k++)
        if (x->items[k].role && strcmp(x->items[k].role, "id") == 0) return;
    for (size_t j = 0; j < x->n_columns; j++) {
        rsp_draft_column *c = &x->columns[j];
        bool once = c->profile.many || c->profile.n_spellings == c->profile.answered;
        if (c->done || c->own || !c->profile.answered || !once || !is_id_heading(rsp_draft_folded(x, c->code)))
            continue;
        c->done = true;
        rsp_draft_add(x, (rsp_draft_item){.name = rsp_draft_name(x, c->code, "id"),
                                          .label = c->label,
                                          .export_name = c->code,
                                          .type = RSP_DRAFT_TEXT,
                                          .list = RSP_NONE,
                                          .role = "id",
                                          .answered = c->profile.answered});
        return;
    }
}

/* ---- the whole -------------------------------------------------------------------------------------------------- */

/* Headings that are not read, by the reason: lines of a comment. */
struct left_out {
    size_t n;
    struct {
        const char *why;
        rsp_buf lines;
        size_t line; /* where the last line begins */
    } of[MOST_REASONS];
};

static void note_left_out(rsp_draft *x, struct left_out *all, const char *heading, const char *why) {
    size_t k = 0;
    while (k < all->n && strcmp(all->of[k].why, why) != 0) k++;
    assert(k < MOST_REASONS);
    rsp_buf *b = &all->of[k].lines;
    if (k == all->n) {
        all->of[all->n++].why = why;
        rsp_buf_printf(b, "#   %s: ", why);
    } else if (b->length - all->of[k].line > LONG_LINE) {
        rsp_buf_puts(b, ",\n");
        all->of[k].line = b->length;
        rsp_buf_puts(b, "#     ");
    } else {
        rsp_buf_puts(b, ", ");
    }
    rsp_quote(b, rsp_draft_words(x, heading), LONGEST_SHOWN);
}

static const char *all_left_out(const rsp_draft *x, struct left_out *all) {
    rsp_buf b = {0};
    for (size_t k = 0; k < all->n; k++) {
        rsp_buf_printf(&b, "%s\n", all->of[k].lines.data);
        rsp_buf_free(&all->of[k].lines);
    }
    const char *text = rsp_strdup(x->arena, b.data ? b.data : "");
    rsp_buf_free(&b);
    return text;
}

static void condition_of_tests(rsp_draft *x) {
    static const struct {
        const char *tool, *own, *first, *condition;
    } rules[] = {{"sosci", "MODE", "interview", "${%s} != 'interview'"},
                 {"qualtrics", "Status", "0",
                  "${%s} = '1' or ${%s} = '2' or ${%s} = 'Survey Preview' or ${%s} = 'Survey Test'"}};
    for (size_t r = 0; r < sizeof rules / sizeof *rules; r++)
        for (size_t j = 0; j < x->n_columns; j++) {
            const rsp_draft_column *c = &x->columns[j];
            if (strcmp(x->files[0].tool->name, rules[r].tool) != 0 || !c->own ||
                strcmp(c->own->code, rules[r].own) != 0 || !c->profile.answered)
                continue;
            const char *name = rsp_draft_name(x, c->own->code, "mode");
            rsp_draft_add(x, (rsp_draft_item){.name = name,
                                              .label = c->label,
                                              .export_name = c->code,
                                              .type = RSP_DRAFT_TEXT,
                                              .list = RSP_NONE,
                                              .role = NULL,
                                              .answered = c->profile.answered,
                                              .free_text = true});
            rsp_buf b = {0};
            for (const char *p = rules[r].condition; *p; p++) {
                if (strncmp(p, "%s", 2) == 0) {
                    rsp_buf_puts(&b, name);
                    p++;
                } else {
                    rsp_buf_putc(&b, *p);
                }
            }
            x->test_rows = rsp_strdup(x->arena, b.data);
            rsp_buf_free(&b);
            size_t at = rsp_map_get(c->profile.seen, rules[r].first);
            x->only_tests = at == RSP_NONE;
        }
}

/* Of words in a row: names of variables and single words say little of a language. */
static void add_sentence(rsp_buf *all, const char *text) {
    size_t blanks = 0;
    for (const char *c = text; *c; c++) blanks += *c == ' ';
    if (blanks >= 2) rsp_buf_printf(all, "%s . ", text);
}

static void find_language(rsp_draft *x) {
    rsp_buf all = {0};
    for (size_t j = 0; j < x->n_columns && all.length < 100000; j++) {
        add_sentence(&all, x->columns[j].label);
        for (size_t k = 0; k < x->columns[j].profile.n_spellings && k < 3; k++)
            add_sentence(&all, x->columns[j].profile.spellings[k].text);
    }
    const char *found = all.data ? rsp_language_of(all.data, all.length) : NULL;
    x->language = found ? found : "en";
    x->n_languages = 1;
    x->languages = &x->language;
    rsp_buf_free(&all);
}

/* Label exports leave the question of a matrix over a blank column, and its rows behind it: several items of one list. */
static void give_questions(rsp_draft *x) {
    for (size_t from = 0, to; from < x->n_items; from = to) {
        const rsp_draft_item *first = &x->items[from];
        to = from + 1;
        bool behind = !from || x->items[from - 1].below != first->below; /* nothing between it and the blank column */
        if (!first->below || first->list == RSP_NONE || !behind) continue;
        while (to < x->n_items && x->items[to].below == first->below && x->items[to].list == first->list) to++;
        for (size_t k = from; k < to && to > from + 1; k++)
            if (!x->items[k].hint) x->items[k].hint = first->below;
    }
}

/* Of a question that goes by a name alone and whose answers are numbers alone, nobody who reads a page knows what they
 * mean: the label says so. Questions in words ("from 1 to 5") tell it themselves. */
static void say_bare_codes(rsp_draft *x) {
    static const char *const words[][2] = {{"en", "numbers without words in the file"},
                                           {"de", "in der Datei Zahlen ohne Worte"},
                                           {"da", "tal uden ord i filen"},
                                           {"fr", "nombres sans libellé dans le fichier"},
                                           {"pl", "w pliku liczby bez opisu"},
                                           {"pt", "números sem descrição no ficheiro"},
                                           {"ro", "numere fără descriere în fișier"}};
    size_t own = 0;
    for (size_t k = 0; k < sizeof words / sizeof *words; k++)
        if (strcmp(words[k][0], x->language) == 0) own = k;
    for (size_t k = 0; k < x->n_items; k++) {
        rsp_draft_item *i = &x->items[k];
        bool bare = i->type == RSP_DRAFT_ONE && !i->labels && !i->role && !strchr(i->label, ' ');
        for (size_t v = 0; bare && v < x->lists[i->list].n; v++) {
            const rsp_draft_value *value = &x->lists[i->list].values[v];
            double number;
            bare = value->missing || rsp_parse_double(value->label, strlen(value->label), '.', &number);
        }
        if (bare) i->label = rsp_printf(x->arena, "%s (%s)", i->label, words[own][1]);
    }
}

void rsp_draft_work_out(rsp_draft *x) {
    const char *below = NULL;
    rsp_map *seen = rsp_map_new();
    struct left_out left_out = {0};
    rsp_draft_take_forms(x);
    for (size_t k = 0; k < x->n_files; k++) add_columns(x, &x->files[k], seen);
    rsp_map_free(seen);
    for (size_t j = 0; j < x->n_columns; j++) {
        rsp_draft_column *c = &x->columns[j];
        c->kind = rsp_kind_of(&c->profile, c->info);
        c->personal = c->personal || c->profile.personal * 10 > c->profile.answered;
    }
    if (x->files[0].tool->paths) split_paths(x);
    if (strcmp(x->files[0].tool->name, "eusurvey") == 0) split_rows(x);
    if (x->files[0].tool == &rsp_tool_csv) {
        split_ticks(x);
        rows_of_titles(x);
    }
    for (size_t j = 0; j < x->n_columns; j++)
        if (x->columns[j].own) add_own(x, &x->columns[j]);
    find_id(x);
    for (size_t j = 0; j < x->n_columns; j++) {
        rsp_draft_column *c = &x->columns[j];
        const char *form_why = NULL;
        size_t made = x->n_items;
        bool asked = !c->done && !c->personal && *c->heading && rsp_draft_from_form(x, j, &form_why);
        if (form_why) note_left_out(x, &left_out, c->heading, form_why);
        if (c->done || asked || add_group(x, j) || add_group_behind(x, j)) continue;
        bool status = strcmp(x->files[0].tool->name, "redcap") == 0 && c->code != NULL &&
                      (strstr(c->code, "_complete") || strstr(c->code, "_timestamp"));
        const char *why = c->personal            ? "personal data"
                          : !c->profile.answered ? "blank"
                          : !*c->heading         ? "no heading"
                          : status               ? "the tool's own"
                          : is_other_text(c)     ? "words beside a choice"
                          : counts_rows(c)       ? "counts the rows"
                                                 : NULL;
        if (why) note_left_out(x, &left_out, c->heading, why);
        if (why) c->done = true;
        else add_single(x, c);
        bool words = !c->own && !c->profile.answered && *c->heading && !x->files[0].table->statistical;
        if (words) below = c->label;
        if (x->n_items > made) x->items[made].below = below;
    }
    give_questions(x);
    condition_of_tests(x);
    rsp_draft_conditions(x);
    for (size_t k = 0; k < x->n_lists; k++) {
        rsp_draft_list *l = &x->lists[k];
        if (l->scale && l->n) qsort(l->values, l->n, sizeof *l->values, compare_values);
        rsp_draft_count(l);
        give_codes(x, l);
    }
    if (!x->n_languages) find_language(x);
    say_bare_codes(x);
    x->left_out = all_left_out(x, &left_out);
}
