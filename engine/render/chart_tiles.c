/* Countries as equal tiles in their rough places (reports/tiles.yaml): place is the message, size says nothing. Classes of
 * values are fixed, so that a country changes colour only when its value does; every tile has its code and its value. */
#include "chart.h"
#include "flat.h"

#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_TILES = 80, MOST_CLASSES = 5 };
static const double GAP = 3, FLATNESS = 0.8; /* height over width */

struct place {
    char code[8];
    long column, row;
};

struct places {
    size_t n;
    long columns, rows;
    struct place tile[MOST_TILES];
};

/* ---- places ------------------------------------------------------------------------------------------------------- */

static bool read_place(const rsp_flat_entry *e, struct place *p) {
    char *end;
    if (strlen(e->key) >= sizeof p->code) return false;
    strcpy(p->code, e->key);
    p->column = strtol(e->value, &end, 10);
    if (end == e->value || *end != ' ') return false;
    p->row = strtol(end, &end, 10);
    return !*end && p->column >= 0 && p->row >= 0 && p->column < 40 && p->row < 40;
}

static bool taken(const struct places *all, const struct place *p) {
    for (size_t k = 0; k < all->n; k++)
        if (all->tile[k].column == p->column && all->tile[k].row == p->row) return true;
    return false;
}

static bool load_places(struct places *all, rsp_diag *d) {
    rsp_arena *a = rsp_arena_new();
    rsp_flat f;
    bool ok = rsp_flat_load(&f, a, rsp_printf(a, "%s/reports/tiles.yaml", rsp_data_dir()), d);
    for (size_t k = 0; ok && k < f.n; k++) {
        struct place p;
        if (all->n == MOST_TILES || !read_place(&f.entries[k], &p) || taken(all, &p)) {
            rsp_report(d, RSP_ERR_STUDY, f.entries[k].value_loc, "write `CODE: \"COLUMN ROW\"`, one code a place",
                       "'%s' has no place of its own", f.entries[k].key);
            ok = false;
        }
        if (!ok) break;
        all->tile[all->n++] = p;
        if (p.column >= all->columns) all->columns = p.column + 1;
        if (p.row >= all->rows) all->rows = p.row + 1;
    }
    rsp_flat_free(&f);
    rsp_arena_free(a);
    return ok;
}

/* Read once for the process; NULL, and reported at every attempt, if the file is wrong. */
static const struct places *places(rsp_diag *d) {
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    static struct places all;
    static bool loaded;
    pthread_mutex_lock(&lock);
    if (!loaded) {
        all = (struct places){0};
        loaded = load_places(&all, d);
    }
    pthread_mutex_unlock(&lock);
    return loaded ? &all : NULL;
}

bool chart_tiles_check(rsp_diag *d) { return places(d) != NULL; }

static const struct places *known_places(void) {
    rsp_diag *d = rsp_diag_new();
    const struct places *all = places(d);
    rsp_diag_free(d);
    return all;
}

/* ---- rows --------------------------------------------------------------------------------------------------------- */

static bool wanted(const chart *c, const rsp_published_row *r, size_t item, const char *event) {
    return strcmp(r->statistic, c->data.statistic) == 0 && strcmp(r->term, c->p->study->variables[item].name) == 0 &&
           (!event || strcmp(r->level, event) == 0);
}

/* One row a country, and everybody. */
bool chart_collect_tiles(chart *c) {
    size_t from, to, country = c->p->study->roles.country, found = 0;
    const rsp_table *t = &c->x->table;
    if (c->country || country == RSP_NONE || !t->n_items || !known_places()) return false;
    size_t item = c->spec->item == RSP_NONE ? t->items[0] : c->spec->item;
    if (!rsp_published_range(c->p->results, c->spec->analysis, &from, &to)) return false;
    const char *variable = c->p->study->variables[country].name;
    c->data.statistic = rsp_label_table_statistic(c->x);
    const char *event = chart_event(c, item);
    c->data.n_columns = 1;
    for (size_t i = from; i < to; i++) {
        const rsp_published_row *r = rsp_published_at(c->p->results, i);
        const char *code = *r->domain && !strchr(r->domain, ';') ? rsp_domain_code(c->a, r->domain, variable) : NULL;
        if (!wanted(c, r, item, event) || (*r->domain && !code)) continue;
        chart_row *row = chart_add_row(c, 1);
        row->cells[0] = r;
        row->code = code;
        row->pooled = !*r->domain;
        row->label = chart_codes_label(c, r->domain);
        found += code != NULL;
    }
    if (event) c->data.answer = rsp_label_code(c->l, item, event);
    if (t->n_items > 1) c->data.topic = rsp_variable_label(c->p->study, item, rsp_texts_lang(c->t));
    chart_settle(c);
    return found > 0;
}

/* ---- classes ------------------------------------------------------------------------------------------------------ */

struct classes {
    size_t n;
    double limit[MOST_CLASSES - 1];
    rsp_colour colour[MOST_CLASSES];
};

static struct classes find_classes(const chart *c) {
    static const double shares[] = {0.2, 0.4, 0.6, 0.8}, nets[] = {-0.6, -0.2, 0.2, 0.6};
    bool net = strcmp(c->data.statistic, "net") == 0;
    struct classes k = {.n = 1};
    if (c->spec->n_limits) {
        for (; k.n <= c->spec->n_limits; k.n++) k.limit[k.n - 1] = c->spec->limits[k.n - 1];
    } else {
        for (; k.n < MOST_CLASSES; k.n++) k.limit[k.n - 1] = net ? nets[k.n - 1] : shares[k.n - 1];
    }
    bool both = k.n > 1 && k.limit[0] < 0 && k.limit[k.n - 2] > 0;
    for (size_t j = 0; j < k.n; j++) {
        double at = k.n > 1 ? (double) j / (double) (k.n - 1) : 0.5;
        k.colour[j] = both ? rsp_theme_between(c->theme->diverging, RSP_N_DIVERGING, at)
                           : rsp_theme_between(c->theme->sequential, RSP_N_SEQUENTIAL, at);
    }
    return k;
}

static size_t class_of(const struct classes *k, double x) {
    size_t j = 0;
    while (j + 1 < k->n && x >= k->limit[j]) j++;
    return j;
}

static const char *limit_text(const chart *c, double x) {
    if (strcmp(c->data.statistic, "net") == 0) return chart_value(c, x);
    if (chart_share(c)) return rsp_say_percent(c->t, c->a, x, fabs(100 * x - round(100 * x)) < 1e-9 ? 0 : 1);
    return rsp_say_number(c->t, c->a, x, fabs(x - round(x)) < 1e-9 ? 0 : 2);
}

static void class_key(chart *c, const struct classes *k) {
    const char *words[MOST_CLASSES];
    for (size_t j = 0; j < k->n; j++) {
        const char *low = j ? limit_text(c, k->limit[j - 1]) : "",
                   *high = j + 1 < k->n ? limit_text(c, k->limit[j]) : "";
        const char *key = !j ? "tiles_below" : j + 1 == k->n ? "tiles_from" : "tiles_between";
        words[j] = rsp_say(c->t, c->a, key, (rsp_arg[]){{"low", low, 0}, {"high", high, 0}}, 2);
    }
    chart_key(c, k->n, k->colour, words, NULL);
}

/* ---- drawing ------------------------------------------------------------------------------------------------------ */

static const chart_row *row_of_country(const chart *c, const char *code) {
    for (size_t r = 0; r < c->data.n_rows; r++)
        if (c->data.rows[r].code && strcmp(c->data.rows[r].code, code) == 0) return &c->data.rows[r];
    return NULL;
}

/* The colour of text on a tile, and the tile. */
static rsp_colour ground(chart *c, const struct classes *k, const rsp_published_row *r, rsp_box box) {
    chart_state state = chart_state_of(r);
    if (!chart_known(r)) {
        chart_mark_state(c, box, state);
        return c->theme->paper;
    }
    rsp_colour colour = k->colour[class_of(k, r->estimate)];
    bool low = state == CHART_LOW_BASE;
    rsp_shape *s = rsp_scene_rect(c->s, box, low ? c->theme->paper : colour);
    bool faint = rsp_contrast(colour, c->theme->paper) < 1.5;
    s->stroke = low && !faint ? colour : c->theme->rule;
    s->stroke_width = low ? 2.4 : 0.5;
    c->used[CHART_LOW_BASE] = c->used[CHART_LOW_BASE] || low;
    return s->fill;
}

static void tile(chart *c, const struct classes *k, const char *code, const rsp_published_row *r, rsp_box box) {
    bool known = chart_known(r),
         hidden = chart_state_of(r) == CHART_SUPPRESSED || chart_state_of(r) == CHART_NOT_COMPARABLE;
    rsp_colour on = rsp_theme_on(ground(c, k, r, box));
    if (hidden) { /* a code on hatching could not be read */
        rsp_style measured = chart_style(c, 8, true, c->theme->ink, RSP_ALIGN_CENTRE, 0);
        rsp_box text = rsp_text_extent(code, &measured);
        rsp_scene_rect(c->s, (rsp_box){box.x + (box.w - text.w) / 2 - 2, box.y + 2.5, text.w + 4, 11}, c->theme->paper);
    }
    rsp_colour colour = known ? on : hidden ? c->theme->ink : c->theme->muted;
    double x = box.x + box.w / 2;
    chart_text_middle(c, x, box.y + (known || hidden ? 8 : box.h / 2), code,
                      chart_style(c, 8, known || hidden, colour, RSP_ALIGN_CENTRE, 0));
    if (!known) return;
    chart_text_middle(c, x, box.y + box.h - 10, chart_value(c, r->estimate),
                      chart_style(c, c->theme->value_size, false, on, RSP_ALIGN_CENTRE, 0));
}

static void pooled_line(chart *c) {
    for (size_t r = 0; r < c->data.n_rows; r++) {
        const chart_row *x = &c->data.rows[r];
        if (!x->pooled || !chart_known(x->cells[0])) continue;
        const char *text =
            rsp_say(c->t, c->a, "alt_pooled",
                    (rsp_arg[]){{"label", x->label, 0}, {"value", chart_value(c, x->cells[0]->estimate), 0}}, 2);
        c->y += 8;
        c->y +=
            chart_text(c, c->left, c->y, text,
                       chart_style(c, c->theme->label_size, true, c->theme->ink, RSP_ALIGN_LEFT, c->right - c->left))
                ->box.h;
    }
}

/* Countries of the study that the tiles do not know are named, not dropped. */
static void note_others(chart *c, const struct places *all) {
    const char *list = NULL;
    for (size_t r = 0; r < c->data.n_rows; r++) {
        const chart_row *x = &c->data.rows[r];
        bool found = !x->code;
        for (size_t k = 0; k < all->n && !found; k++) found = strcmp(all->tile[k].code, x->code) == 0;
        if (found || !chart_known(x->cells[0])) continue;
        const char *one = rsp_printf(c->a, "%s %s", x->label, chart_value(c, x->cells[0]->estimate));
        list = list ? rsp_printf(c->a, "%s; %s", list, one) : one;
    }
    if (list) c->data.note = rsp_say(c->t, c->a, "tiles_others", (rsp_arg[]){{"list", list, 0}}, 1);
}

void chart_draw_tiles(chart *c) {
    const struct places *all = known_places();
    struct classes k = find_classes(c);
    class_key(c, &k);
    double side = (c->right - c->left + GAP) / (double) all->columns, tall = side * FLATNESS, top = c->y + 2;
    for (size_t j = 0; j < all->n; j++) {
        const struct place *p = &all->tile[j];
        const chart_row *row = row_of_country(c, p->code);
        rsp_box box = {c->left + (double) p->column * side, top + (double) p->row * tall, side - GAP, tall - GAP};
        tile(c, &k, p->code, row ? row->cells[0] : NULL, box);
    }
    c->y = top + (double) all->rows * tall;
    pooled_line(c);
    note_others(c, all);
}
