/* The memory of publications: rows, cells, spells of hiding, people; as bytes and back. */
#include "results/memory.h"

#include <stdlib.h>
#include <string.h>

static const char MAGIC[] = "responsive memory 2\n", MAGIC_1[] = "responsive memory 1\n";

rsp_memory *rsp_memory_new(const char *rules) {
    rsp_arena *a = rsp_arena_new();
    rsp_memory *m = RSP_NEW(a, rsp_memory);
    m->arena = a;
    m->row_of = rsp_map_new();
    m->cell_of = rsp_map_new();
    m->last_night = RSP_NONE;
    snprintf(m->rules, sizeof m->rules, "%s", rules);
    return m;
}

static void free_tables(rsp_memory *m) {
    rsp_map_free(m->row_of);
    rsp_map_free(m->cell_of);
    rsp_map_free(m->state_of);
    free(m->row_key);
    free(m->cell_key);
    free(m->rows);
    free(m->cells);
    free(m->spells);
    free(m->sums);
    free(m->states);
    free(m->row_told);
    free(m->cell_told);
}

void rsp_memory_free(rsp_memory *m) {
    if (!m) return;
    free_tables(m);
    rsp_traces_free(m->tonight);
    free(m->people);
    rsp_arena_free(m->arena);
}

void rsp_memory_start_anew(rsp_memory *m, const char *rules) {
    rsp_memory fresh = {.releases = m->releases,
                        .n_people = m->n_people,
                        .people = m->people,
                        .tonight = m->tonight,
                        .last_night = RSP_NONE,
                        .arena = m->arena};
    free_tables(m);
    fresh.row_of = rsp_map_new();
    fresh.cell_of = rsp_map_new();
    snprintf(fresh.rules, sizeof fresh.rules, "%s", rules);
    *m = fresh;
}

size_t rsp_memory_releases(const rsp_memory *m) { return m->releases; }

/* ---- states ----------------------------------------------------------------------------------------------------- */

void rsp_memory_look(rsp_memory *m, rsp_traces *tonight) {
    rsp_traces_free(m->tonight);
    m->tonight = tonight;
}

size_t rsp_memory_differ(const rsp_memory *m, const rsp_trace *tonight, size_t state, int64_t base, int64_t base_then) {
    size_t more = (size_t) llabs(base - base_then);
    if (!tonight || state == RSP_NONE) return more;
    size_t n = rsp_trace_distance(tonight, &m->states[state], m->tonight->nameless);
    return n > more ? n : more;
}

static size_t number_state(rsp_memory *m, const rsp_trace *trace) {
    if (!trace) return RSP_NONE;
    if (!m->state_of) {
        m->state_of = rsp_map_new();
        for (size_t k = 0; k < m->n_states; k++)
            rsp_map_put_n(m->state_of, (const char *) &m->states[k], sizeof *trace, k);
    }
    size_t k = rsp_map_get_n(m->state_of, (const char *) trace, sizeof *trace);
    if (k != RSP_NONE) return k;
    rsp_map_put_n(m->state_of, (const char *) trace, sizeof *trace, k = m->n_states);
    RSP_PUSH(m->states, m->n_states, m->states_capacity, *trace);
    return k;
}

/* ---- rows and cells --------------------------------------------------------------------------------------------- */

rsp_row_memory *rsp_memory_row(const rsp_memory *m, const char *key) {
    size_t k = rsp_map_get(m->row_of, key);
    return k == RSP_NONE ? NULL : &m->rows[k];
}

static rsp_row_memory *make_row(rsp_memory *m, const char *key) {
    rsp_row_memory *there = rsp_memory_row(m, key);
    if (there) return there;
    rsp_map_put(m->row_of, key, m->n_rows);
    size_t n = m->n_rows;
    RSP_PUSH(m->row_key, n, m->row_keys_capacity, rsp_strdup(m->arena, key));
    RSP_PUSH(m->rows, m->n_rows, m->rows_capacity, ((rsp_row_memory){false, RSP_NONE}));
    return &m->rows[m->n_rows - 1];
}

void rsp_memory_put_row(rsp_memory *m, const char *key, bool hidden) { make_row(m, key)->hidden = hidden; }

size_t rsp_memory_tell_row(rsp_memory *m, const char *key, const rsp_trace *trace, int64_t base, bool hidden) {
    rsp_row_memory *row = make_row(m, key);
    size_t state = number_state(m, trace);
    for (size_t k = row->last; k != RSP_NONE; k = m->row_told[k].before) {
        const rsp_row_told *then = &m->row_told[k];
        if (then->state == state && then->base == base && (!then->hidden || hidden)) return k;
    }
    RSP_PUSH(m->row_told, m->n_row_told, m->row_told_capacity, ((rsp_row_told){base, state, row->last, hidden}));
    return row->last = m->n_row_told - 1;
}

rsp_cell_memory *rsp_memory_cell(const rsp_memory *m, const char *key) {
    size_t k = rsp_map_get(m->cell_of, key);
    return k == RSP_NONE ? NULL : &m->cells[k];
}

void rsp_memory_put_cell(rsp_memory *m, const char *key, int64_t count, int64_t base, size_t spell) {
    rsp_cell_memory *there = rsp_memory_cell(m, key);
    if (there) {
        *there = (rsp_cell_memory){count, base, spell, there->last};
        return;
    }
    rsp_map_put(m->cell_of, key, m->n_cells);
    size_t n = m->n_cells;
    RSP_PUSH(m->cell_key, n, m->cell_keys_capacity, rsp_strdup(m->arena, key));
    RSP_PUSH(m->cells, m->n_cells, m->cells_capacity, ((rsp_cell_memory){count, base, spell, RSP_NONE}));
}

void rsp_memory_tell_cell(rsp_memory *m, const char *key, const rsp_trace *trace) {
    rsp_cell_memory *c = rsp_memory_cell(m, key);
    size_t state = number_state(m, trace);
    if (state == RSP_NONE) return;
    for (size_t k = c->last; k != RSP_NONE; k = m->cell_told[k].before) {
        const rsp_cell_told *then = &m->cell_told[k];
        if (then->state == state && (then->spell == RSP_NONE || then->spell == c->spell)) return;
    }
    RSP_PUSH(m->cell_told, m->n_cell_told, m->cell_told_capacity,
             ((rsp_cell_told){c->count, c->base, state, c->last, c->spell}));
    c->last = m->n_cell_told - 1;
}

/* ---- spells ----------------------------------------------------------------------------------------------------- */

size_t rsp_memory_add_spell(rsp_memory *m, rsp_spell spell) {
    RSP_PUSH(m->spells, m->n_spells, m->spells_capacity, spell);
    return m->n_spells - 1;
}

void rsp_memory_add_sum(rsp_memory *m, size_t n, const size_t *spell, const signed char *sign, double fall,
                        double rise) {
    rsp_spell_sum sum = {n, RSP_ARRAY(m->arena, size_t, n), RSP_ARRAY(m->arena, signed char, n), fall, rise};
    memcpy(sum.spell, spell, n * sizeof *spell);
    memcpy(sum.sign, sign, n);
    RSP_PUSH(m->sums, m->n_sums, m->sums_capacity, sum);
}

static size_t find(size_t *up, size_t k) {
    while (up[k] != k) k = up[k] = up[up[k]];
    return k;
}

/* Which spells hang together, by the sums that hold them. */
static size_t *hang_together(const rsp_memory *m) {
    size_t *up = rsp_malloc((m->n_spells + 1) * sizeof *up);
    for (size_t k = 0; k < m->n_spells; k++) up[k] = k;
    for (size_t i = 0; i < m->n_sums; i++)
        for (size_t k = 1; k < m->sums[i].n; k++) up[find(up, m->sums[i].spell[k])] = find(up, m->sums[i].spell[0]);
    return up;
}

/* What is true of one is true of all that hang together with it. */
static void spread(const rsp_memory *m, size_t *up, bool *is) {
    for (size_t k = 0; k < m->n_spells; k++) is[find(up, k)] |= is[k];
    for (size_t k = 0; k < m->n_spells; k++) is[k] = is[find(up, k)];
}

bool *rsp_memory_awake(const rsp_memory *m, bool *woken) {
    size_t *up = hang_together(m);
    for (size_t k = 0; k < m->n_spells; k++) woken[k] |= m->spells[k].open;
    spread(m, up, woken);
    free(up);
    return woken;
}

static bool *worth_keeping(const rsp_memory *m) {
    size_t *up = hang_together(m);
    bool *may_come = rsp_calloc(m->n_spells + 1, 1), *needed = rsp_calloc(m->n_spells + 1, 1);
    for (size_t k = 0; k < m->n_spells; k++) {
        may_come[k] = m->spells[k].open;
        needed[k] = m->spells[k].need > 0;
    }
    for (size_t k = 0; k < m->n_cell_told; k++)
        if (m->cell_told[k].spell < RSP_GONE) may_come[m->cell_told[k].spell] = true;
    spread(m, up, may_come);
    spread(m, up, needed);
    for (size_t k = 0; k < m->n_spells; k++) needed[k] &= may_come[k];
    free(up);
    free(may_come);
    return needed;
}

static bool first_of_its_kind(rsp_map *seen, const rsp_spell_sum *s, rsp_buf *room) {
    room->length = 0;
    rsp_buf_add(room, (const char *) s->spell, s->n * sizeof *s->spell);
    rsp_buf_add(room, (const char *) s->sign, s->n);
    rsp_buf_add(room, (const char *) &s->fall, sizeof s->fall);
    rsp_buf_add(room, (const char *) &s->rise, sizeof s->rise);
    return rsp_map_put_n(seen, room->data, room->length, 0);
}

void rsp_memory_tidy(rsp_memory *m) {
    bool *keep = worth_keeping(m);
    size_t *place = rsp_malloc((m->n_spells + 1) * sizeof *place), n = 0;
    for (size_t k = 0; k < m->n_spells; k++) {
        place[k] = keep[k] ? n : RSP_NONE;
        if (keep[k]) m->spells[n++] = m->spells[k];
    }
    m->n_spells = n;
    rsp_map *seen = rsp_map_new();
    rsp_buf room = {0};
    n = 0;
    for (size_t i = 0; i < m->n_sums; i++) {
        rsp_spell_sum *s = &m->sums[i];
        if (s->n && !keep[s->spell[0]]) continue;
        for (size_t k = 0; k < s->n; k++) s->spell[k] = place[s->spell[k]];
        if (first_of_its_kind(seen, s, &room)) m->sums[n++] = *s;
    }
    m->n_sums = n;
    for (size_t k = 0; k < m->n_cells; k++)
        if (m->cells[k].spell != RSP_NONE) m->cells[k].spell = place[m->cells[k].spell];
    for (size_t k = 0; k < m->n_cell_told; k++) {
        size_t *spell = &m->cell_told[k].spell;
        if (*spell < RSP_GONE) *spell = place[*spell] == RSP_NONE ? RSP_GONE : place[*spell];
    }
    rsp_buf_free(&room);
    rsp_map_free(seen);
    free(place);
    free(keep);
}

/* ---- people ----------------------------------------------------------------------------------------------------- */

static int compare_numbers(const void *x, const void *y) {
    uint64_t a = *(const uint64_t *) x, b = *(const uint64_t *) y;
    return (a > b) - (a < b);
}

void rsp_memory_set_people(rsp_memory *m, const uint64_t *people, size_t n) {
    free(m->people);
    m->people = rsp_malloc((n + 1) * sizeof *m->people);
    if (n) memcpy(m->people, people, n * sizeof *people);
    m->n_people = n;
    qsort(m->people, n, sizeof *m->people, compare_numbers);
}

size_t rsp_memory_people(const rsp_memory *m) { return m->n_people; }

size_t rsp_memory_times(const rsp_memory *m, uint64_t person) {
    size_t low = 0, high = m->n_people, n = 0;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (m->people[middle] < person) low = middle + 1;
        else high = middle;
    }
    while (low + n < m->n_people && m->people[low + n] == person) n++;
    return n;
}

/* Nobody's number takes the place: that one respondent more is gone than came must still be seen. */
bool rsp_memory_forget(rsp_memory *m, uint64_t person) {
    size_t n = 0;
    for (size_t k = 0; k < m->n_people; k++) {
        if (m->people[k] != person) continue;
        m->people[k] = 0;
        n++;
    }
    qsort(m->people, m->n_people, sizeof *m->people, compare_numbers);
    return n > 0;
}

/* ---- as bytes --------------------------------------------------------------------------------------------------- */

static void put_number(rsp_buf *b, uint64_t x) { rsp_buf_add(b, (const char *) &x, sizeof x); }

static void put_double(rsp_buf *b, double x) { rsp_buf_add(b, (const char *) &x, sizeof x); }

static void put_text(rsp_buf *b, const char *s) {
    put_number(b, strlen(s));
    rsp_buf_puts(b, s);
}

/* Places in 32 bits: what has none comes back as none. */
static void put_place(rsp_buf *b, size_t place) {
    uint32_t x = (uint32_t) place;
    rsp_buf_add(b, (const char *) &x, sizeof x);
}

static void pack_rows(const rsp_memory *m, rsp_buf *b) {
    put_number(b, m->n_states);
    rsp_buf_add(b, (const char *) m->states, m->n_states * sizeof *m->states);
    put_number(b, m->n_row_told);
    for (size_t k = 0; k < m->n_row_told; k++) {
        const rsp_row_told *x = &m->row_told[k];
        put_place(b, (size_t) x->base);
        put_place(b, x->state);
        put_place(b, x->before);
        put_place(b, x->hidden);
    }
    put_place(b, m->last_night);
    put_number(b, m->n_rows);
    for (size_t k = 0; k < m->n_rows; k++) {
        put_text(b, m->row_key[k]);
        put_place(b, m->rows[k].last);
        put_place(b, m->rows[k].hidden);
    }
}

static void pack_spells(const rsp_memory *m, rsp_buf *b) {
    put_number(b, m->n_spells);
    for (size_t k = 0; k < m->n_spells; k++) {
        put_double(b, m->spells[k].low);
        put_double(b, m->spells[k].high);
        put_double(b, m->spells[k].need);
        put_number(b, m->spells[k].open);
    }
}

static void pack_cells(const rsp_memory *m, rsp_buf *b) {
    put_number(b, m->n_cell_told);
    for (size_t k = 0; k < m->n_cell_told; k++) {
        const rsp_cell_told *x = &m->cell_told[k];
        put_place(b, (size_t) x->count);
        put_place(b, (size_t) x->base);
        put_place(b, x->state);
        put_place(b, x->before);
        put_place(b, x->spell);
    }
    put_number(b, m->n_cells);
    for (size_t k = 0; k < m->n_cells; k++) {
        put_text(b, m->cell_key[k]);
        put_number(b, (uint64_t) m->cells[k].count);
        put_number(b, (uint64_t) m->cells[k].base);
        put_number(b, m->cells[k].spell);
        put_place(b, m->cells[k].last);
    }
}

void rsp_memory_pack(const rsp_memory *m, rsp_buf *b) {
    rsp_buf_puts(b, MAGIC);
    put_text(b, m->rules);
    put_number(b, m->releases);
    put_number(b, m->n_people);
    rsp_buf_add(b, (const char *) m->people, m->n_people * sizeof *m->people);
    pack_rows(m, b);
    pack_spells(m, b);
    pack_cells(m, b);
    put_number(b, m->n_sums);
    for (size_t k = 0; k < m->n_sums; k++) {
        put_number(b, m->sums[k].n);
        put_double(b, m->sums[k].fall);
        put_double(b, m->sums[k].rise);
        rsp_buf_add(b, (const char *) m->sums[k].spell, m->sums[k].n * sizeof *m->sums[k].spell);
        rsp_buf_add(b, (const char *) m->sums[k].sign, m->sums[k].n);
    }
}

struct bytes {
    const char *at;
    size_t left;
    bool good;
};

static const char *take(struct bytes *b, size_t n) {
    if (!b->good || n > b->left) {
        b->good = false;
        return NULL;
    }
    const char *from = b->at;
    b->at += n;
    b->left -= n;
    return from;
}

static uint64_t take_number(struct bytes *b) {
    uint64_t x = 0;
    const char *from = take(b, sizeof x);
    if (from) memcpy(&x, from, sizeof x);
    return x;
}

static double take_double(struct bytes *b) {
    double x = 0;
    const char *from = take(b, sizeof x);
    if (from) memcpy(&x, from, sizeof x);
    return x;
}

/* How many things of at least `size` bytes follow. */
static size_t take_count(struct bytes *b, size_t size) {
    uint64_t n = take_number(b);
    if (n > b->left / size) b->good = false;
    return b->good ? (size_t) n : 0;
}

static const char *take_text(struct bytes *b, rsp_arena *a) {
    size_t n = take_count(b, 1);
    const char *from = take(b, n);
    return from ? rsp_strndup(a, from, n) : "";
}

static void take_people(struct bytes *b, rsp_memory *m) {
    size_t n = take_count(b, sizeof(uint64_t));
    const char *from = take(b, n * sizeof(uint64_t));
    m->people = rsp_malloc((n + 1) * sizeof *m->people);
    if (from) memcpy(m->people, from, n * sizeof *m->people);
    m->n_people = from ? n : 0;
}

/* A place below `n`, or none of the kinds of none. */
static size_t take_place(struct bytes *b, size_t n) {
    uint32_t x = 0;
    const char *from = take(b, sizeof x);
    if (from) memcpy(&x, from, sizeof x);
    if (x == (uint32_t) RSP_NONE) return RSP_NONE;
    if (x == (uint32_t) RSP_GONE) return RSP_GONE;
    b->good &= x < n;
    return x;
}

static int64_t take_size(struct bytes *b) { return (int64_t) take_place(b, UINT32_MAX); }

static void take_states(struct bytes *b, rsp_memory *m) {
    size_t n = take_count(b, sizeof *m->states);
    const char *from = take(b, n * sizeof *m->states);
    if (!from || !n) return;
    m->states = rsp_malloc(n * sizeof *m->states);
    memcpy(m->states, from, n * sizeof *m->states);
    m->n_states = m->states_capacity = n;
}

static void take_rows(struct bytes *b, rsp_memory *m) {
    take_states(b, m);
    for (size_t n = take_count(b, RSP_TOLD_IN_FILE); n && b->good; n--) {
        rsp_row_told x = {.base = take_size(b)};
        x.state = take_place(b, m->n_states);
        x.before = take_place(b, m->n_row_told); /* back only: chains end */
        x.hidden = take_place(b, 2);
        b->good &= x.state != RSP_GONE && x.before != RSP_GONE;
        if (b->good) RSP_PUSH(m->row_told, m->n_row_told, m->row_told_capacity, x);
    }
    m->last_night = take_place(b, m->n_row_told);
    b->good &= m->last_night != RSP_GONE;
    for (size_t n = take_count(b, 16); n && b->good; n--) {
        rsp_row_memory *row = make_row(m, take_text(b, m->arena));
        row->last = take_place(b, m->n_row_told);
        row->hidden = take_place(b, 2);
        b->good &= row->last != RSP_GONE;
    }
}

/* A memory of before states were kept: of each row what was last shown or hidden. */
static void take_rows_1(struct bytes *b, rsp_memory *m) {
    for (size_t n = take_count(b, 32); n && b->good; n--) {
        const char *key = take_text(b, m->arena);
        int64_t base = (int64_t) take_number(b), shown = (int64_t) take_number(b);
        uint64_t marks = take_number(b);
        bool hidden = marks & 1, waits = marks & 2;
        if (!b->good) return;
        rsp_memory_put_row(m, key, hidden);
        if (shown >= 0) rsp_memory_tell_row(m, key, NULL, shown, false);
        if (hidden && !waits) rsp_memory_tell_row(m, key, NULL, base, true);
    }
}

static void take_spells(struct bytes *b, rsp_memory *m) {
    for (size_t n = take_count(b, 32); n && b->good; n--) {
        rsp_spell s = {.low = take_double(b)};
        s.high = take_double(b);
        s.need = take_double(b);
        s.open = take_number(b) != 0;
        if (b->good) rsp_memory_add_spell(m, s);
    }
}

static void take_cells(struct bytes *b, rsp_memory *m, bool states) {
    for (size_t n = states ? take_count(b, RSP_CELL_TOLD_IN_FILE) : 0; n && b->good; n--) {
        rsp_cell_told x = {.count = take_size(b)};
        x.base = take_size(b);
        x.state = take_place(b, m->n_states);
        x.before = take_place(b, m->n_cell_told);
        x.spell = take_place(b, m->n_spells);
        b->good &= x.state < RSP_GONE && x.before != RSP_GONE;
        if (b->good) RSP_PUSH(m->cell_told, m->n_cell_told, m->cell_told_capacity, x);
    }
    for (size_t n = take_count(b, 32); n && b->good; n--) {
        const char *key = take_text(b, m->arena);
        int64_t count = (int64_t) take_number(b), base = (int64_t) take_number(b);
        size_t spell = (size_t) take_number(b), last = states ? take_place(b, m->n_cell_told) : RSP_NONE;
        b->good &= (spell == RSP_NONE || spell < m->n_spells) && last != RSP_GONE;
        if (!b->good) return;
        rsp_memory_put_cell(m, key, count, base, spell);
        rsp_memory_cell(m, key)->last = last;
    }
}

static void take_sums(struct bytes *b, rsp_memory *m) {
    for (size_t left = take_count(b, 24); left && b->good; left--) {
        size_t n = take_count(b, sizeof(size_t) + 1);
        double fall = take_double(b), rise = take_double(b);
        const char *spells = take(b, n * sizeof(size_t)), *signs = take(b, n);
        if (!spells || !signs) continue;
        size_t *spell = RSP_ARRAY(m->arena, size_t, n);
        memcpy(spell, spells, n * sizeof *spell);
        for (size_t k = 0; k < n; k++) b->good &= spell[k] < m->n_spells;
        if (b->good) rsp_memory_add_sum(m, n, spell, (const signed char *) signs, fall, rise);
    }
}

/* Of the same memory: keys and traces of last answers, without numbers of respondents. */
static void skip_traces_1(struct bytes *b, rsp_memory *m) {
    for (size_t n = take_count(b, 8 + RSP_TRACE_PARTS * sizeof(uint32_t)); n && b->good; n--) {
        take_text(b, m->arena);
        take(b, RSP_TRACE_PARTS * sizeof(uint32_t));
    }
}

rsp_memory *rsp_memory_unpack(const char *bytes, size_t length) {
    struct bytes b = {bytes, length, true};
    const char *magic = take(&b, sizeof MAGIC - 1);
    bool first = magic && memcmp(magic, MAGIC_1, sizeof MAGIC_1 - 1) == 0;
    if (!first && (!magic || memcmp(magic, MAGIC, sizeof MAGIC - 1) != 0)) return NULL;
    rsp_memory *m = rsp_memory_new("");
    snprintf(m->rules, sizeof m->rules, "%s", take_text(&b, m->arena));
    m->releases = (size_t) take_number(&b);
    take_people(&b, m);
    if (first) take_rows_1(&b, m);
    else take_rows(&b, m);
    take_spells(&b, m);
    take_cells(&b, m, !first);
    take_sums(&b, m);
    if (first && b.left) skip_traces_1(&b, m);
    if (b.good && !b.left) return m;
    rsp_memory_free(m);
    return NULL;
}
