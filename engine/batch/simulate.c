/* Made-up exports that follow an instrument: a known latent structure, organisations, nonresponse and the flaws that
 * real exports have, in LimeSurvey's format, one file a country in its language. Every other country exports answer
 * codes, the rest full answers, since both occur.
 *
 * Each respondent has a random stream of its own, so a file does not change when another country grows. Answers are
 * first laid into a frame, where the instrument's own conditions (relevant, constraint) are evaluated, then written. */
#include "batch/simulate.h"

#include "responsive/batch.h"
#include "responsive/clean.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { FIRST_ORGANISATION_STREAM = 1 << 30, COUNTRY_IDS = 100000 };

struct simulation {
    const rsp_study *study;
    const rsp_simulation *spec;
    const rsp_sim_country *country;
    size_t country_number;
    uint64_t seed;
    rsp_frame *frame;
    rsp_map **words;   /* per text variable: word -> number */
    size_t *questions; /* in the order of the instrument */
    size_t n_questions;
    size_t *latent_of;               /* per variable: index of its latent variable (factors, then outcomes), RSP_NONE */
    const rsp_sim_answers **answers; /* per variable or NULL */
    const rsp_sim_number **numbers;
    bool *of_organisation; /* per variable: the same for all of an organisation */
    size_t *last;          /* per row: questions answered before breaking off; n_questions: complete */
    rsp_arena *arena;
};

/* ---- cells ------------------------------------------------------------------------------------------------------ */

static void set_text(struct simulation *m, size_t v, size_t row, const char *text) {
    rsp_column *c = &m->frame->columns[v];
    size_t k = rsp_map_get(m->words[v], text);
    if (k == RSP_NONE) {
        k = c->n_words;
        rsp_map_put(m->words[v], text, k);
        if ((k & (k + 1)) == 0) { /* room doubles at 0, 1, 3, 7, ... */
            const char **more = RSP_ARRAY(m->frame->arena, const char *, 2 * k + 2);
            if (k) memcpy(more, c->words, k * sizeof *more);
            c->words = more;
        }
        c->words[c->n_words++] = rsp_strdup(m->frame->arena, text);
    }
    c->text[row] = (int32_t) k;
}

static void set_number(struct simulation *m, size_t v, size_t row, double x) {
    if (m->frame->columns[v].kind == RSP_COL_NUMBER) m->frame->columns[v].number[row] = x;
}

/* Index in the list of the k-th choice that is not marked missing. */
static size_t valid_choice(const rsp_list *l, size_t k) {
    for (size_t j = 0; j < l->n; j++)
        if (!l->choices[j].missing && k-- == 0) return j;
    return RSP_NONE;
}

static size_t missing_choice(const rsp_list *l) {
    for (size_t j = 0; j < l->n; j++)
        if (l->choices[j].missing) return j;
    return RSP_NONE;
}

static size_t draw_share(rsp_rng *r, const double *share, size_t n) {
    double u = rsp_rng_uniform(r), sum = 0;
    for (size_t k = 0; k + 1 < n; k++)
        if (u < (sum += share[k])) return k;
    return n - 1;
}

/* Category of a standard normal number cut at the quantiles of the shares. */
static size_t cut_at_shares(double z, const double *share, size_t n) {
    double sum = 0;
    for (size_t k = 0; k + 1 < n; k++) {
        sum += share[k];
        if (sum > 0 && (sum >= 1 || z < rsp_normal_quantile(sum))) return k;
    }
    return n - 1;
}

/* ---- latent variables ------------------------------------------------------------------------------------------- */

/* A standard normal number of which a share of the variance belongs to the organisation. */
static double nested(double share, double organisation, rsp_rng *r) {
    return sqrt(share) * organisation + sqrt(1 - share) * rsp_rng_normal(r);
}

struct organisation {
    double *latent; /* its part of each factor and residual; the last: of what factors have in common */
    size_t *choice; /* per variable drawn for the organisation */
    char code[32];
    rsp_rng rng;
};

static double effect_value(const struct simulation *m, const char *name, const double *latent, size_t row,
                           size_t n_before) {
    const char *equals = strchr(name, '=');
    if (equals) {
        char variable[128], cell[64];
        size_t length = (size_t) (equals - name);
        if (length >= sizeof variable) return 0;
        memcpy(variable, name, length);
        variable[length] = '\0';
        size_t v = rsp_study_variable(m->study, variable);
        return v != RSP_NONE && strcmp(rsp_cell_text(m->frame, v, row, cell), equals + 1) == 0;
    }
    for (size_t k = 0; k < n_before; k++) {
        const rsp_sim_latent *l =
            k < m->spec->n_factors ? &m->spec->factors[k] : &m->spec->outcomes[k - m->spec->n_factors];
        if (strcmp(l->name, name) == 0) return latent[k];
    }
    return 0;
}

static void draw_latent(const struct simulation *m, const struct organisation *o, size_t row, rsp_rng *r,
                        double *latent) {
    const rsp_simulation *s = m->spec;
    double common = nested(s->cluster_variance, o->latent[s->n_factors + s->n_outcomes], r);
    for (size_t k = 0; k < s->n_factors; k++) {
        double own = nested(s->cluster_variance, o->latent[k], r);
        latent[k] = sqrt(s->common) * common + sqrt(1 - s->common) * own + m->country->effect;
    }
    for (size_t k = 0; k < s->n_outcomes; k++) {
        const rsp_sim_latent *l = &s->outcomes[k];
        double x = l->residual * nested(s->cluster_variance, o->latent[s->n_factors + k], r);
        for (size_t e = 0; e < l->n_effects; e++) {
            double weight = 0;
            rsp_parse_double(l->effects[e].value, strlen(l->effects[e].value), '.', &weight);
            x += weight * effect_value(m, l->effects[e].name, latent, row, s->n_factors + k);
        }
        latent[s->n_factors + k] = x;
    }
}

static double item_bias(const struct simulation *m, size_t v) {
    double shift = 0;
    for (size_t k = 0; k < m->spec->n_bias; k++)
        if (m->spec->bias[k].item == v && strcmp(m->spec->bias[k].country, m->country->code) == 0)
            shift += m->spec->bias[k].shift;
    return shift;
}

/* What drives an item: its latent variable by its loading, and noise. */
static double item_propensity(const struct simulation *m, size_t v, const double *latent, rsp_rng *r) {
    size_t k = m->latent_of[v];
    double noise = rsp_rng_normal(r), bias = item_bias(m, v);
    if (k == RSP_NONE) return noise + bias;
    const rsp_sim_latent *l =
        k < m->spec->n_factors ? &m->spec->factors[k] : &m->spec->outcomes[k - m->spec->n_factors];
    double loading = m->study->variables[v].reverse ? -l->loading : l->loading;
    return loading * latent[k] + sqrt(1 - loading * loading) * noise + bias;
}

/* ---- answers ---------------------------------------------------------------------------------------------------- */

static void answer_multiple(struct simulation *m, size_t v, size_t row, const double *latent, rsp_rng *r) {
    const rsp_variable *x = &m->study->variables[v];
    const rsp_sim_answers *a = m->answers[v];
    size_t none = RSP_NONE, ticked = 0;
    for (size_t k = 0; k < a->n; k++) {
        size_t choice = valid_choice(x->list, k);
        bool tick = a->shares[k] > 0 && item_propensity(m, v, latent, r) > rsp_normal_quantile(1 - a->shares[k]);
        m->frame->columns[x->first_part + choice].c8[row] = (int8_t) tick;
        ticked += tick;
        if (a->shares[k] == 0) none = choice;
    }
    if (!ticked && none != RSP_NONE) m->frame->columns[x->first_part + none].c8[row] = 1;
}

/* Plackett-Luce: one after another, with chances in proportion to the worth of those left. */
static void answer_rank(struct simulation *m, size_t v, size_t row, rsp_rng *r) {
    const rsp_variable *x = &m->study->variables[v];
    const rsp_sim_answers *a = m->answers[v];
    double *worth = rsp_malloc(a->n * sizeof *worth), sum = 0;
    size_t places = m->spec->places && m->spec->places < a->n ? m->spec->places : a->n;
    for (size_t k = 0; k < a->n; k++) {
        sum += worth[k] = a->shares[k];
        m->frame->columns[x->first_part + valid_choice(x->list, k)].c8[row] = 0;
    }
    for (size_t place = 1; place <= places && sum > 0; place++) {
        double u = rsp_rng_uniform(r) * sum;
        size_t k = 0;
        while (k + 1 < a->n && (u -= worth[k]) > 0) k++;
        while (worth[k] == 0 && k > 0) k--; /* rounding at the end of the walk */
        m->frame->columns[x->first_part + valid_choice(x->list, k)].c8[row] = (int8_t) place;
        sum -= worth[k];
        worth[k] = 0;
    }
    free(worth);
}

static void answer_number(struct simulation *m, size_t v, size_t row, const double *latent, rsp_rng *r) {
    const rsp_sim_number *n = m->numbers[v];
    double x = floor(exp(log(n->median) + n->sigma * item_propensity(m, v, latent, r)) + 0.5);
    set_number(m, v, row, fmin(fmax(x, 0), n->max));
}

static void answer_one(struct simulation *m, size_t v, size_t row, const double *latent, rsp_rng *r) {
    const rsp_variable *x = &m->study->variables[v];
    const rsp_sim_answers *a = m->answers[v];
    size_t dont_know = missing_choice(x->list);
    if (m->latent_of[v] != RSP_NONE && dont_know != RSP_NONE && rsp_rng_uniform(r) < m->spec->dont_know) {
        rsp_set_code(&m->frame->columns[v], row, (int) dont_know);
        return;
    }
    size_t k = m->latent_of[v] == RSP_NONE ? draw_share(r, a->shares, a->n)
                                           : cut_at_shares(item_propensity(m, v, latent, r), a->shares, a->n);
    rsp_set_code(&m->frame->columns[v], row, (int) valid_choice(x->list, k));
}

static bool is_role(const rsp_roles *r, size_t v) {
    const size_t roles[] = {r->id,      r->country,   r->language, r->organisation,
                            r->started, r->submitted, r->duration, r->consent};
    for (size_t k = 0; k < sizeof roles / sizeof *roles; k++)
        if (roles[k] == v) return true;
    return false;
}

static void answer(struct simulation *m, size_t v, size_t row, const double *latent, rsp_rng *r) {
    const rsp_variable *x = &m->study->variables[v];
    if (x->relevant) {
        rsp_expr_value shown = rsp_eval(m->frame, x->relevant, row, v);
        if (shown.missing || shown.number == 0) {
            rsp_set_missing(m->frame, v, row, RSP_NA_NOT_SHOWN);
            return;
        }
    }
    bool skipped = rsp_rng_uniform(r) < m->spec->item_nonresponse && !x->required;
    rsp_set_missing(m->frame, v, row, RSP_NA_SKIPPED);
    if (skipped) return;
    if (x->type == RSP_TEXT) {
        if (m->spec->free_text && rsp_rng_uniform(r) < m->spec->free_text_share)
            set_text(m, v, row, m->spec->free_text);
    } else if (m->numbers[v]) {
        answer_number(m, v, row, latent, r);
    } else if (m->answers[v]) {
        if (x->type == RSP_SELECT_MULTIPLE) answer_multiple(m, v, row, latent, r);
        else if (x->type == RSP_RANK) answer_rank(m, v, row, r);
        else if (x->type == RSP_SELECT_ONE) answer_one(m, v, row, latent, r);
    }
}

/* ---- respondents ------------------------------------------------------------------------------------------------ */

static void draw_organisation(struct simulation *m, struct organisation *o, size_t number) {
    size_t n = m->spec->n_factors + m->spec->n_outcomes + 1;
    rsp_rng_init(&o->rng, m->seed, (uint64_t) m->country_number << 32 | (FIRST_ORGANISATION_STREAM + number));
    snprintf(o->code, sizeof o->code, "%s-%04zu", m->country->code, number + 1);
    for (size_t k = 0; k < n; k++) o->latent[k] = rsp_rng_normal(&o->rng);
    for (size_t k = 0; k < m->spec->n_organisation_level; k++) {
        const rsp_sim_answers *a = m->answers[m->spec->organisation_level[k]];
        o->choice[k] = a ? draw_share(&o->rng, a->shares, a->n) : 0;
    }
}

/* 1 and a geometric number, so that the mean is cluster_size. */
static size_t organisation_size(const struct simulation *m, struct organisation *o) {
    double mean = m->spec->cluster_size;
    if (mean <= 1) return 1;
    return 1 + (size_t) (log(rsp_rng_uniform(&o->rng)) / log(1 - 1 / mean));
}

static long day_number(const char *iso) {
    struct tm t = {0};
    return iso && strptime(iso, "%Y-%m-%d", &t) ? (long) (timegm(&t) / 86400) : 0;
}

static void fixed_facts(struct simulation *m, const struct organisation *o, size_t row, size_t number, rsp_rng *r) {
    const rsp_roles *roles = &m->study->roles;
    char id[32];
    snprintf(id, sizeof id, "%zu", (m->country_number + 1) * COUNTRY_IDS + number + 1);
    if (roles->id != RSP_NONE && m->words[roles->id]) set_text(m, roles->id, row, id);
    else if (roles->id != RSP_NONE) set_number(m, roles->id, row, strtod(id, NULL));
    if (roles->country != RSP_NONE)
        rsp_set_code(&m->frame->columns[roles->country], row,
                     (int) rsp_list_find(m->study->variables[roles->country].list, m->country->code));
    if (roles->language != RSP_NONE && m->words[roles->language])
        set_text(m, roles->language, row, m->country->language);
    if (roles->organisation != RSP_NONE && m->words[roles->organisation])
        set_text(m, roles->organisation, row, o->code);
    long from = day_number(m->study->field.from), to = day_number(m->study->field.to);
    double day = (double) from + floor(rsp_rng_uniform(r) * (double) (to > from ? to - from + 1 : 1));
    /* Within working hours, mostly. */
    double start = day * 86400 + 8 * 3600 + floor(rsp_rng_uniform(r) * 11 * 3600);
    if (roles->started != RSP_NONE) set_number(m, roles->started, row, start);
}

static void organisation_answers(struct simulation *m, const struct organisation *o, size_t row) {
    for (size_t k = 0; k < m->spec->n_organisation_level; k++) {
        size_t v = m->spec->organisation_level[k];
        if (m->answers[v] && m->frame->columns[v].kind == RSP_COL_CODE)
            rsp_set_code(&m->frame->columns[v], row, (int) valid_choice(m->study->variables[v].list, o->choice[k]));
    }
}

/* Answers that do not depend on latent variables come first: effects such as role=manager read them. */
static void respondent(struct simulation *m, const struct organisation *o, size_t row, size_t number, double *latent) {
    rsp_rng r;
    rsp_rng_init(&r, m->seed, (uint64_t) m->country_number << 32 | number);
    m->last[row] = m->n_questions;
    for (size_t k = 0; k < m->n_questions; k++) rsp_set_missing(m->frame, m->questions[k], row, RSP_NA_SKIPPED);
    fixed_facts(m, o, row, number, &r);
    organisation_answers(m, o, row);
    for (int pass = 0; pass < 2; pass++) {
        if (pass == 1) draw_latent(m, o, row, &r, latent);
        for (size_t k = 0; k < m->n_questions; k++) {
            size_t v = m->questions[k];
            bool later = m->latent_of[v] != RSP_NONE || m->study->variables[v].relevant;
            if (m->of_organisation[v] || (int) later != pass) continue;
            if (is_role(&m->study->roles, v) && !m->answers[v] && !m->numbers[v]) continue;
            answer(m, v, row, latent, &r);
        }
    }
    size_t duration = m->study->roles.duration, submitted = m->study->roles.submitted,
           started = m->study->roles.started;
    double time = duration == RSP_NONE ? NAN : m->frame->columns[duration].number[row];
    if (!isnan(time) && rsp_rng_uniform(&r) < m->spec->speeders) set_number(m, duration, row, time = floor(time / 5));
    if (submitted != RSP_NONE && started != RSP_NONE)
        set_number(m, submitted, row, m->frame->columns[started].number[row] + (isnan(time) ? 900 : time));
}

/* ---- flaws ------------------------------------------------------------------------------------------------------ */

/* The list of the first outcome's first item: the battery that straightliners run down. */
static void straightline(struct simulation *m, size_t row, rsp_rng *r) {
    const rsp_list *battery = NULL;
    int code = -1;
    for (size_t k = 0; k < m->spec->n_outcomes; k++)
        for (size_t j = 0; j < m->spec->outcomes[k].n_items; j++) {
            size_t v = m->spec->outcomes[k].items[j];
            const rsp_list *l = m->study->variables[v].list;
            if (m->frame->columns[v].kind != RSP_COL_CODE) continue;
            if (!battery) {
                size_t valid = 0;
                for (size_t c = 0; c < l->n; c++) valid += !l->choices[c].missing;
                battery = l;
                code = (int) valid_choice(l, rsp_rng_below(r, (uint32_t) valid));
            }
            if (l == battery) rsp_set_code(&m->frame->columns[v], row, code);
        }
}

static void break_off(struct simulation *m, size_t row, rsp_rng *r) {
    if (m->n_questions < 2) return;
    m->last[row] = 1 + rsp_rng_below(r, (uint32_t) m->n_questions - 1);
    for (size_t k = m->last[row]; k < m->n_questions; k++)
        if (!is_role(&m->study->roles, m->questions[k]))
            rsp_set_missing(m->frame, m->questions[k], row, RSP_NA_BROKE_OFF);
    if (m->study->roles.submitted != RSP_NONE)
        rsp_set_missing(m->frame, m->study->roles.submitted, row, RSP_NA_BROKE_OFF);
}

static void copy_row(struct simulation *m, size_t from, size_t to) {
    for (size_t v = 0; v < m->frame->n_columns; v++) {
        rsp_column *c = &m->frame->columns[v];
        if (c->c8) c->c8[to] = c->c8[from];
        if (c->c16) c->c16[to] = c->c16[from];
        if (c->number) c->number[to] = c->number[from];
        if (c->why) c->why[to] = c->why[from];
        if (c->text) c->text[to] = c->text[from];
    }
    m->last[to] = m->last[from];
    size_t submitted = m->study->roles.submitted;
    if (submitted != RSP_NONE) set_number(m, submitted, to, m->frame->columns[submitted].number[from] + 86400);
}

/* Returns the number of rows in all: duplicates stand at the end, as a second visit does. */
static size_t add_flaws(struct simulation *m, size_t n, size_t room) {
    rsp_rng r;
    rsp_rng_init(&r, m->seed, (uint64_t) m->country_number << 32 | 0xffffffffu);
    size_t organisation = m->study->roles.organisation, rows = n;
    for (size_t i = 0; i < n; i++) {
        double u[4];
        for (size_t k = 0; k < 4; k++) u[k] = rsp_rng_uniform(&r);
        if (u[0] < m->spec->straightliners) straightline(m, i, &r);
        if (u[1] < m->spec->incomplete) break_off(m, i, &r);
        if (u[2] < m->spec->test_rows && organisation != RSP_NONE && m->words[organisation])
            set_text(m, organisation, i, "test");
        if (u[3] < m->spec->duplicates && rows < room && m->last[i] == m->n_questions) copy_row(m, i, rows++);
    }
    return rows;
}

/* ---- writing ---------------------------------------------------------------------------------------------------- */

/* What LimeSurvey writes for a ticked and an unticked choice among full answers. */
static const char *const TICKS[][3] = {{"en", "Yes", "No"},  {"de", "Ja", "Nein"}, {"da", "Ja", "Nej"},
                                       {"fr", "Oui", "Non"}, {"pl", "Tak", "Nie"}, {"pt", "Sim", "Não"},
                                       {"ro", "Da", "Nu"}};

struct writer {
    const struct simulation *m;
    rsp_buf b;
    bool full;
    const char *yes, *no;
    bool first;
};

static void put(struct writer *w, const char *text) {
    if (!w->first) rsp_buf_putc(&w->b, ';');
    w->first = false;
    rsp_buf_putc(&w->b, '"');
    for (; *text; text++) {
        if (*text == '"') rsp_buf_putc(&w->b, '"');
        rsp_buf_putc(&w->b, *text);
    }
    rsp_buf_putc(&w->b, '"');
}

static const char *heading(const rsp_variable *v) { return v->n_export_names ? v->export_names[0] : v->name; }

static void put_heading(struct writer *w, const rsp_variable *v) {
    char name[256];
    if (v->type == RSP_SELECT_MULTIPLE || v->type == RSP_RANK) {
        size_t places = v->type == RSP_RANK && w->m->spec->places ? w->m->spec->places : v->list->n;
        for (size_t k = 0; k < places; k++) {
            if (v->type == RSP_RANK) snprintf(name, sizeof name, "%s[%zu]", heading(v), k + 1);
            else snprintf(name, sizeof name, "%s[%s]", heading(v), v->list->choices[k].code);
            put(w, name);
        }
    } else {
        put(w, heading(v));
    }
}

static const char *choice_text(const struct writer *w, const rsp_list *l, size_t k) {
    return w->full ? rsp_choice_label(l, k, w->m->country->language) : l->choices[k].code;
}

static void put_rank(struct writer *w, const rsp_variable *v, size_t row) {
    size_t places = w->m->spec->places ? w->m->spec->places : v->list->n;
    for (size_t place = 1; place <= places; place++) {
        size_t at = RSP_NONE;
        for (size_t k = 0; k < v->list->n; k++)
            if (w->m->frame->columns[v->first_part + k].c8[row] == (int) place) at = k;
        put(w, at == RSP_NONE ? "" : choice_text(w, v->list, at));
    }
}

static void put_multiple(struct writer *w, const rsp_variable *v, size_t row) {
    for (size_t k = 0; k < v->list->n; k++) {
        int tick = w->m->frame->columns[v->first_part + k].c8[row];
        if (w->full) put(w, tick < 0 ? "N/A" : tick ? w->yes : w->no);
        else put(w, tick > 0 ? "Y" : "");
    }
}

static void put_time(struct writer *w, double seconds, bool with_time) {
    char text[32] = "";
    time_t t = (time_t) seconds;
    struct tm utc;
    if (!isnan(seconds) && gmtime_r(&t, &utc))
        strftime(text, sizeof text, with_time ? "%Y-%m-%d %H:%M:%S" : "%Y-%m-%d", &utc);
    put(w, text);
}

static void put_cell(struct writer *w, size_t variable, size_t row) {
    const rsp_frame *f = w->m->frame;
    const rsp_variable *v = &w->m->study->variables[variable];
    const rsp_column *c = &f->columns[variable];
    char text[64];
    if (v->type == RSP_SELECT_MULTIPLE) put_multiple(w, v, row);
    else if (v->type == RSP_RANK) put_rank(w, v, row);
    else if (v->type == RSP_DATE || v->type == RSP_DATETIME) put_time(w, c->number[row], v->type == RSP_DATETIME);
    else if (c->kind == RSP_COL_CODE)
        put(w, rsp_code(c, row) < 0 ? "" : choice_text(w, c->list, (size_t) rsp_code(c, row)));
    else put(w, rsp_cell_text(f, variable, row, text));
}

static void end_record(struct writer *w) {
    rsp_buf_puts(&w->b, "\r\n");
    w->first = true;
}

static bool write_country(const struct simulation *m, size_t rows, const char *into, rsp_diag *d) {
    struct writer w = {.m = m, .full = m->country_number % 2 == 1, .yes = "Yes", .no = "No", .first = true};
    for (size_t k = 0; k < sizeof TICKS / sizeof *TICKS; k++)
        if (strcmp(TICKS[k][0], m->country->language) == 0) w.yes = TICKS[k][1], w.no = TICKS[k][2];
    rsp_buf_puts(&w.b, "\xEF\xBB\xBF");
    for (size_t k = 0; k < m->n_questions; k++) put_heading(&w, &m->study->variables[m->questions[k]]);
    end_record(&w);
    for (size_t i = 0; i < rows; i++) {
        for (size_t k = 0; k < m->n_questions; k++) put_cell(&w, m->questions[k], i);
        end_record(&w);
    }
    rsp_buf_puts(&w.b, "\r\n"); /* LimeSurvey ends with a blank line */
    bool ok = rsp_write_file(rsp_printf(m->arena, "%s/%s.csv", into, m->country->code), w.b.data, w.b.length, d);
    rsp_buf_free(&w.b);
    return ok;
}

/* ---- one country ------------------------------------------------------------------------------------------------ */

static void index_spec(struct simulation *m) {
    const rsp_study *s = m->study;
    m->questions = RSP_ARRAY(m->arena, size_t, s->n_variables);
    m->latent_of = RSP_ARRAY(m->arena, size_t, s->n_variables);
    m->answers = RSP_ARRAY(m->arena, const rsp_sim_answers *, s->n_variables);
    m->numbers = RSP_ARRAY(m->arena, const rsp_sim_number *, s->n_variables);
    m->of_organisation = RSP_ARRAY(m->arena, bool, s->n_variables);
    for (size_t v = 0; v < s->n_variables; v++) {
        m->latent_of[v] = RSP_NONE;
        if (s->variables[v].derive.kind == RSP_DERIVE_NONE && s->variables[v].part_of == RSP_NONE)
            m->questions[m->n_questions++] = v;
    }
    for (size_t k = 0; k < m->spec->n_factors + m->spec->n_outcomes; k++) {
        const rsp_sim_latent *l =
            k < m->spec->n_factors ? &m->spec->factors[k] : &m->spec->outcomes[k - m->spec->n_factors];
        for (size_t j = 0; j < l->n_items; j++) m->latent_of[l->items[j]] = k;
    }
    for (size_t k = 0; k < m->spec->n_answers; k++) m->answers[m->spec->answers[k].variable] = &m->spec->answers[k];
    for (size_t k = 0; k < m->spec->n_numbers; k++) m->numbers[m->spec->numbers[k].variable] = &m->spec->numbers[k];
    for (size_t k = 0; k < m->spec->n_organisation_level; k++)
        m->of_organisation[m->spec->organisation_level[k]] = true;
}

static void make_words(struct simulation *m) {
    m->words = RSP_ARRAY(m->arena, rsp_map *, m->study->n_variables);
    for (size_t v = 0; v < m->study->n_variables; v++)
        if (m->frame->columns[v].kind == RSP_COL_TEXT) m->words[v] = rsp_map_new();
}

static bool simulate_country(struct simulation *m, size_t n, const char *into, rsp_diag *d) {
    size_t room = n + n / 10 + 1, latents = m->spec->n_factors + m->spec->n_outcomes;
    struct organisation o = {.latent = rsp_calloc(latents + 1, sizeof(double)),
                             .choice = rsp_calloc(m->spec->n_organisation_level + 1, sizeof(size_t))};
    double *latent = rsp_calloc(latents + 1, sizeof *latent);
    m->frame = rsp_frame_new(m->study, room);
    m->last = RSP_ARRAY(m->frame->arena, size_t, room);
    make_words(m);
    for (size_t i = 0, organisation = 0, left = 0; i < n; i++) {
        if (!left) {
            draw_organisation(m, &o, organisation++);
            left = organisation_size(m, &o);
        }
        respondent(m, &o, i, i, latent);
        left--;
    }
    bool ok = write_country(m, add_flaws(m, n, room), into, d);
    for (size_t v = 0; v < m->study->n_variables; v++) rsp_map_free(m->words[v]);
    rsp_frame_free(m->frame);
    free(latent), free(o.latent), free(o.choice);
    return ok;
}

bool rsp_can_simulate(const rsp_study *s, rsp_diag *d) {
    if (s->simulation.n_countries) return true;
    rsp_report(d, RSP_ERR_STUDY, (rsp_loc){s->path, 0, 0}, "see specs/ifsw/study.yaml for an example",
               "there is no `simulate` with `countries`");
    return false;
}

/* Respondents of a country: n are divided in the study's proportions. */
static size_t respondents_of(const rsp_study *s, size_t country, size_t n) {
    size_t all = 0, own = s->simulation.countries[country].n;
    for (size_t k = 0; k < s->simulation.n_countries; k++) all += s->simulation.countries[k].n;
    return n && all ? (size_t) ((double) own * (double) n / (double) all + 0.5) : own;
}

bool rsp_simulate_exports(const rsp_study *s, const char *into, size_t n, uint64_t seed, rsp_diag *d) {
    bool good = rsp_can_simulate(s, d) && rsp_make_dirs(into, d);
    for (size_t k = 0; good && k < s->simulation.n_countries; k++) {
        struct simulation m = {.study = s,
                               .spec = &s->simulation,
                               .country = &s->simulation.countries[k],
                               .country_number = k,
                               .seed = seed,
                               .arena = rsp_arena_new()};
        index_spec(&m);
        good = simulate_country(&m, respondents_of(s, k, n), into, d);
        rsp_arena_free(m.arena);
    }
    return good;
}

int rsp_simulate(const char *dir, const char *into, size_t n, uint64_t seed) {
    rsp_diag *d = rsp_diag_new();
    rsp_study *s = rsp_study_load(dir, d);
    if (s && !rsp_diag_errors(d) && rsp_simulate_exports(s, into, n, seed, d))
        for (size_t k = 0; k < s->simulation.n_countries; k++)
            printf("%s/%s.csv: %zu respondents\n", into, s->simulation.countries[k].code, respondents_of(s, k, n));
    rsp_diag_print(d, stderr, false, 0);
    int status = rsp_diag_status(d);
    rsp_study_free(s);
    rsp_diag_free(d);
    return status;
}
