#include "model/matrix.h"
#include "responsive/clean.h"
#include "responsive/limits.h"
#include "weight/number.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A factor of the formula over all rows of the frame: a number or a category. */
struct rsp_mfactor {
    bool categorical;
    rsp_categories categories;
    const char *name;
    double *value; /* [frame n], NaN missing */
    const rsp_fexpr *e;
    bool unanswered; /* by everybody with an outcome: its columns are zero, and nobody is left out for it */
};

struct builder {
    const rsp_sample *s;
    const rsp_frame *f;
    const rsp_model *model;
    const rsp_formula *formula;
    rsp_arena *arena;
    const rsp_mdomain *domain; /* NULL: the whole */
    size_t n_factors, n_terms;
    struct rsp_mfactor *factors;
    rsp_fterm *terms;
    bool *fixed_use;         /* per factor: an effect, not only the groups of a random part */
    rsp_categories **groups; /* per factor: its categories, where a random part groups by it */
};

/* One side of the formula: the fixed part, or the effects of a random part. */
struct side {
    bool intercept;
    size_t n_terms;
    const rsp_fterm *terms;
};

/* ---- values ----------------------------------------------------------------------------------------------------- */

static double arithmetic(const rsp_frame *f, const rsp_fexpr *e, size_t i) {
    switch (e->op) {
    case RSP_F_VARIABLE: return rsp_value(f, e->variable, i);
    case RSP_F_NUMBER: return e->number;
    case RSP_F_NEG: return -arithmetic(f, e->left, i);
    case RSP_F_LOG: return log(arithmetic(f, e->left, i));
    case RSP_F_EXP: return exp(arithmetic(f, e->left, i));
    case RSP_F_SQRT: return sqrt(arithmetic(f, e->left, i));
    case RSP_F_ABS: return fabs(arithmetic(f, e->left, i));
    case RSP_F_FACTOR: return arithmetic(f, e->left, i);
    default: break;
    }
    double a = arithmetic(f, e->left, i), b = arithmetic(f, e->right, i);
    switch (e->op) {
    case RSP_F_ADD: return a + b;
    case RSP_F_SUB: return a - b;
    case RSP_F_MUL: return a * b;
    case RSP_F_DIV: return a / b;
    default: break;
    }
    assert(e->op == RSP_F_POW);
    if (b == floor(b) && b >= 0 && b <= 32) { /* by products: pow() of a library may differ in the last digit */
        double x = 1;
        for (int k = 0; k < (int) b; k++) x *= a;
        return x;
    }
    return pow(a, b);
}

static bool is_categorical(const rsp_frame *f, const rsp_fexpr *e) {
    if (e->op == RSP_F_FACTOR) return true;
    if (e->op != RSP_F_VARIABLE) return false;
    rsp_column_kind kind = f->columns[e->variable].kind;
    return kind == RSP_COL_CODE || kind == RSP_COL_TEXT;
}

static void prepare_factor(struct builder *b, struct rsp_mfactor *x, const rsp_fexpr *e) {
    x->e = e;
    x->name = e->text;
    x->categorical = is_categorical(b->f, e);
    if (x->categorical) {
        const rsp_fexpr *v = e->op == RSP_F_FACTOR ? e->left : e;
        assert(v->op == RSP_F_VARIABLE);
        rsp_categorise(b->f, v->variable, b->arena, &x->categories);
        return;
    }
    x->value = RSP_ARRAY_UNSET(b->arena, double, b->f->n);
}

/* Numbers of all factors, a block of rows at a time. */
static void fill_values(struct builder *b, struct rsp_mfactor *factors, size_t n) {
    size_t rows = b->f->n;
#pragma omp parallel for schedule(static) num_threads(rsp_threads()) if (rows > RSP_BLOCK)
    for (size_t from = 0; from < rows; from += RSP_BLOCK)
        for (size_t k = 0; k < n; k++)
            for (size_t i = from; factors[k].value && i < rows && i < from + RSP_BLOCK; i++) {
                double v = arithmetic(b->f, factors[k].e, i);
                factors[k].value[i] = isfinite(v) ? v : NAN;
            }
}

static bool factor_missing(const struct rsp_mfactor *x, size_t i) {
    if (x->unanswered) return false;
    return x->categorical ? x->categories.category[i] < 0 : isnan(x->value[i]);
}

/* ---- `.` -------------------------------------------------------------------------------------------------------- */

static bool names_variable(const rsp_fexpr *e, size_t variable) {
    if (!e) return false;
    if (e->op == RSP_F_VARIABLE) return e->variable == variable;
    return names_variable(e->left, variable) || names_variable(e->right, variable);
}

/* `.` stands for the effect of every other question with numbers or codes; not for roles, weights and the design, nor for derivations,
 * which would repeat their sources. */
static bool dot_takes(const struct builder *b, size_t v) {
    const rsp_study *s = b->f->study;
    const rsp_variable *x = &s->variables[v];
    const rsp_roles *r = &s->roles;
    const size_t roles[] = {r->id,        r->language, r->organisation, r->started,
                            r->submitted, r->duration, r->consent,      s->design.weight};
    for (size_t k = 0; k < sizeof roles / sizeof *roles; k++)
        if (roles[k] == v) return false;
    for (size_t k = 0; k < s->design.n_fpc; k++)
        if (s->design.fpc[k] == v) return false;
    for (size_t k = 0; k < s->design.n_stages; k++)
        if (s->design.cluster[k] == v) return false;
    if (b->domain && b->domain->without == v) return false;
    if (x->derive.kind != RSP_DERIVE_NONE || x->part_of != RSP_NONE || names_variable(b->formula->response, v))
        return false;
    return x->type == RSP_SELECT_ONE || x->type == RSP_INTEGER || x->type == RSP_DECIMAL;
}

/* Has the variable an effect of its own already, or does it make the groups of a random part? */
static bool stands_already(const struct builder *b, size_t factor) {
    for (size_t t = 0; t < b->n_terms; t++)
        if (b->terms[t].n == 1 && b->terms[t].factor[0] == factor) return true;
    for (size_t k = 0; k < b->formula->n_random; k++)
        for (size_t j = 0; j < b->formula->random[k].group_term.n; j++)
            if (b->formula->random[k].group_term.factor[j] == factor) return true;
    return false;
}

static void expand_dot(struct builder *b) {
    size_t n = b->f->study->n_variables;
    rsp_fexpr *names = RSP_ARRAY(b->arena, rsp_fexpr, n);
    struct rsp_mfactor *factors = RSP_ARRAY(b->arena, struct rsp_mfactor, b->n_factors + n);
    rsp_fterm *terms = RSP_ARRAY(b->arena, rsp_fterm, b->n_terms + n);
    size_t added = 0, n_factors = b->n_factors;
    memcpy(factors, b->factors, b->n_factors * sizeof *factors);
    for (size_t v = 0; v < n; v++) {
        const rsp_variable *x = &b->f->study->variables[v];
        size_t at = 0;
        while (at < b->n_factors && strcmp(b->factors[at].name, x->name) != 0) at++;
        bool named = at < b->n_factors;
        if (!dot_takes(b, v) || (named && stands_already(b, at))) continue;
        if (!named) {
            names[v] = (rsp_fexpr){.op = RSP_F_VARIABLE, .name = x->name, .variable = v, .text = x->name};
            at = n_factors++;
            prepare_factor(b, &factors[at], &names[v]);
        }
        size_t *factor = RSP_NEW(b->arena, size_t);
        *factor = at;
        terms[added++] = (rsp_fterm){1, factor, x->name};
    }
    memcpy(terms + added, b->terms, b->n_terms * sizeof *terms); /* main effects before interactions */
    b->factors = factors;
    b->n_factors = n_factors;
    b->terms = terms;
    b->n_terms += added;
}

/* Terms that hold the variable by whose groups the model is fitted say nothing within one. */
static void drop_terms(struct builder *b) {
    rsp_fterm *kept = RSP_ARRAY(b->arena, rsp_fterm, b->n_terms + 1);
    size_t n = 0;
    for (size_t t = 0; t < b->n_terms; t++) {
        bool holds = false;
        for (size_t k = 0; k < b->terms[t].n; k++)
            holds |= names_variable(b->factors[b->terms[t].factor[k]].e, b->domain->without);
        if (!holds) kept[n++] = b->terms[t];
    }
    b->terms = kept;
    b->n_terms = n;
}

/* ---- response --------------------------------------------------------------------------------------------------- */

/* Is the outcome one of several categories, numbered from 0? */
static bool has_categories(const rsp_model *m) { return rsp_model_ordered(m) || m->kind == RSP_MULTINOMIAL_MODEL; }

static const rsp_list *response_list(const struct builder *b) {
    const rsp_fexpr *r = b->formula->response;
    return r->op == RSP_F_VARIABLE ? b->f->columns[r->variable].list : NULL;
}

/* Index of the choice that counts as 1; RSP_NONE where the response is a number. */
static size_t event_choice(const struct builder *b) {
    const rsp_list *l = response_list(b);
    if (!l) return RSP_NONE;
    if (b->model->event) return rsp_list_find(l, b->model->event);
    size_t last = RSP_NONE;
    for (size_t k = 0; k < l->n; k++)
        if (!l->choices[k].missing) last = k;
    return last;
}

static double response_at(const struct builder *b, size_t event, size_t i) {
    const rsp_fexpr *r = b->formula->response;
    bool categories = rsp_model_binary(b->model) || has_categories(b->model);
    if (r->op == RSP_F_VARIABLE && response_list(b) && categories) {
        if (!rsp_valid(b->f, r->variable, i)) return NAN;
        int code = rsp_code(&b->f->columns[r->variable], i);
        return rsp_model_binary(b->model) ? (double) ((size_t) code == event) : code;
    }
    double y = arithmetic(b->f, r, i);
    return isfinite(y) ? y : NAN;
}

static bool check_binary(const struct builder *b, const rsp_mmatrix *m, const rsp_analysis *a, rsp_diag *d) {
    bool good = true;
#pragma omp parallel for schedule(static) num_threads(rsp_threads()) reduction(&& : good) if (m->n > RSP_BLOCK)
    for (size_t i = 0; i < m->n; i++) good = good && (m->y[i] == 0 || m->y[i] == 1);
    if (!good)
        rsp_report(d, RSP_ERR_DATA, b->formula->response->loc, "derive a variable that is 0 or 1, or name `event`",
                   "the outcome '%s' of model '%s' has values other than 0 and 1", b->formula->response->text, a->id);
    return good;
}

static bool check_counts(const struct builder *b, const rsp_mmatrix *m, const rsp_analysis *a, rsp_diag *d) {
    for (size_t i = 0; i < m->n; i++) {
        if (m->y[i] >= 0 && m->y[i] == floor(m->y[i])) continue;
        char text[32];
        rsp_double_text(m->y[i], text);
        rsp_report(d, RSP_ERR_DATA, b->formula->response->loc, "use kind linear, or derive a count",
                   "the outcome '%s' of model '%s' must be counts (0, 1, 2, ...); one is %s",
                   b->formula->response->text, a->id, text);
        return false;
    }
    return true;
}

static int compare_doubles(const void *x, const void *y) {
    double a = *(const double *) x, b = *(const double *) y;
    return (a > b) - (a < b);
}

/* Distinct values, ascending: choices of the list that occur, or numbers. Returns how many. */
static size_t distinct_outcomes(const rsp_mmatrix *m, const rsp_list *l, double *seen) {
    size_t n = 0;
    if (l) {
        uint8_t *occurs = rsp_calloc(l->n + 1, 1);
        for (size_t i = 0; i < m->n; i++) occurs[(size_t) m->y[i]] = 1;
        for (size_t k = 0; k < l->n; k++)
            if (occurs[k]) seen[n++] = (double) k;
        free(occurs);
        return n;
    }
    memcpy(seen, m->y, m->n * sizeof *seen);
    qsort(seen, m->n, sizeof *seen, compare_doubles);
    for (size_t i = 0; i < m->n; i++)
        if (!n || seen[i] != seen[n - 1]) seen[n++] = seen[i];
    return n;
}

/* Categories that occur become 0, 1, 2, ... in the order of the list (or of the numbers). */
static void number_levels(const struct builder *of, rsp_mmatrix *m) {
    const rsp_list *l = response_list(of);
    double *seen = rsp_malloc((m->n + (l ? l->n : 0) + 1) * sizeof *seen);
    size_t n = distinct_outcomes(m, l, seen);
    m->n_levels = n;
    m->levels = RSP_ARRAY(m->arena, const char *, n);
    m->level_count = RSP_ARRAY(m->arena, size_t, n);
    for (size_t k = 0; k < n; k++) {
        char text[32];
        rsp_double_text(seen[k], text);
        m->levels[k] = l ? l->choices[(size_t) seen[k]].code : rsp_strdup(m->arena, text);
    }
    /* A choice is found by its place in the list, a number by looking for it. */
    size_t *of_choice = rsp_calloc((l ? l->n : 0) + 1, sizeof *of_choice);
    for (size_t k = 0; l && k < n; k++) of_choice[(size_t) seen[k]] = k;
    size_t blocks = (m->n + RSP_BLOCK - 1) / RSP_BLOCK, *count = rsp_calloc(blocks * n + 1, sizeof *count);
#pragma omp parallel for schedule(static) num_threads(rsp_threads()) if (blocks > 1)
    for (size_t b = 0; b < blocks; b++)
        for (size_t i = b * RSP_BLOCK; i < m->n && i < (b + 1) * RSP_BLOCK; i++) {
            double y = m->y[i], *at = l ? NULL : bsearch(&y, seen, n, sizeof *seen, compare_doubles);
            size_t k = l ? of_choice[(size_t) y] : (size_t) (at - seen);
            m->y[i] = (double) k;
            count[b * n + k]++;
        }
    for (size_t b = 0; b < blocks; b++)
        for (size_t k = 0; k < n; k++) m->level_count[k] += count[b * n + k];
    free(of_choice), free(count);
    free(seen);
}

/* ---- rows ------------------------------------------------------------------------------------------------------- */

static bool row_eligible(const rsp_sample *s, size_t i) {
    return !s->country || (s->country[i] >= 0 && s->countries[s->country[i]].eligible);
}

static bool missing_at(const struct builder *b, size_t factor, size_t i) {
    return (b->groups[factor] && b->groups[factor]->category[i] < 0) ||
           (b->fixed_use[factor] && factor_missing(&b->factors[factor], i));
}

/* The response of a row that counts; NaN: it does not. */
static double response_of_row(const struct builder *b, size_t event, const uint8_t *domain, size_t i) {
    double y = domain[i] && row_eligible(b->s, i) && b->s->weight[i] > 0 ? response_at(b, event, i) : NAN;
    for (size_t k = 0; !isnan(y) && k < b->n_factors; k++)
        if (missing_at(b, k, i)) y = NAN;
    return y;
}

/* Rows with an outcome that the analysis' filter, eligibility and weights leave; of a domain of it, too. */
static void answered_rows(const struct builder *b, const rsp_analysis *a, uint8_t *row) {
    size_t event = rsp_model_binary(b->model) ? event_choice(b) : RSP_NONE;
    memset(row, 1, b->f->n);
    if (a->filter) rsp_eval_filter(b->f, a->filter, row);
    for (size_t i = 0; i < b->f->n; i++)
        row[i] = row[i] && row_eligible(b->s, i) && b->s->weight[i] > 0 && !isnan(response_at(b, event, i));
}

/* With complete cases a question that nobody answered would take everybody along. Whether there is one. */
static bool set_unanswered(struct builder *b, const rsp_analysis *a) {
    uint8_t *row = rsp_malloc(b->f->n + 1);
    size_t n = 0;
    bool any = false;
    answered_rows(b, a, row);
    for (size_t i = 0; i < b->f->n; i++) n += row[i];
    for (size_t k = 0; n && k < b->n_factors; k++) {
        struct rsp_mfactor *x = &b->factors[k];
        bool answered = !b->fixed_use[k] || b->groups[k];
        for (size_t i = 0; !answered && i < b->f->n; i++) answered = row[i] && !factor_missing(x, i);
        if (answered) continue;
        any = x->unanswered = true;
        for (size_t i = 0; x->value && i < b->f->n; i++) x->value[i] = 0;
    }
    free(row);
    return any;
}

static void choose_rows(const struct builder *b, const rsp_analysis *a, rsp_mmatrix *m) {
    size_t n = b->f->n, event = rsp_model_binary(b->model) ? event_choice(b) : RSP_NONE;
    uint8_t *domain = rsp_malloc(n);
    memset(domain, 1, n);
    if (a->filter) rsp_eval_filter(b->f, a->filter, domain);
    m->take = RSP_ARRAY(m->arena, uint8_t, n);
    m->row = RSP_ARRAY_UNSET(m->arena, size_t, n);
    m->y = RSP_ARRAY_UNSET(m->arena, double, n);
    m->w = RSP_ARRAY_UNSET(m->arena, double, n);
    for (size_t i = 0; b->domain && b->domain->take && i < n; i++) domain[i] &= b->domain->take[i];
    size_t blocks = (n + RSP_BLOCK - 1) / RSP_BLOCK, *start = rsp_calloc(blocks + 1, sizeof *start);
    double *y = rsp_malloc((n + 1) * sizeof *y);
#pragma omp parallel for schedule(static) num_threads(rsp_threads()) if (blocks > 1)
    for (size_t k = 0; k < blocks; k++)
        for (size_t i = k * RSP_BLOCK; i < n && i < (k + 1) * RSP_BLOCK; i++) {
            y[i] = response_of_row(b, event, domain, i);
            m->take[i] = !isnan(y[i]);
            start[k + 1] += m->take[i];
        }
    for (size_t k = 0; k < blocks; k++) start[k + 1] += start[k];
    m->n = start[blocks];
#pragma omp parallel for schedule(static) num_threads(rsp_threads()) if (blocks > 1)
    for (size_t k = 0; k < blocks; k++)
        for (size_t i = k * RSP_BLOCK, at = start[k]; i < n && i < (k + 1) * RSP_BLOCK; i++) {
            if (!m->take[i]) continue;
            m->row[at] = i;
            m->w[at] = b->model->unweighted ? 1 : b->s->weight[i];
            m->y[at++] = y[i];
        }
    free(domain), free(start), free(y);
}

static int64_t count_organisations(const rsp_sample *s, const rsp_mmatrix *m) {
    if (!s->organisation) return -1;
    int32_t most = -1;
#pragma omp parallel for schedule(static) num_threads(rsp_threads()) reduction(max : most) if (m->n > RSP_BLOCK)
    for (size_t i = 0; i < m->n; i++)
        if (s->organisation[m->row[i]] > most) most = s->organisation[m->row[i]];
    uint8_t *seen = rsp_calloc((size_t) (most + 1) + 1, 1);
    int64_t n = 0;
#pragma omp parallel for schedule(static) num_threads(rsp_threads()) if (m->n > RSP_BLOCK)
    for (size_t i = 0; i < m->n; i++) {
        int32_t o = s->organisation[m->row[i]];
        if (o >= 0) __atomic_store_n(&seen[o], 1, __ATOMIC_RELAXED);
    }
    for (int32_t o = 0; o <= most; o++) n += seen[o];
    free(seen);
    return n;
}

/* ---- columns ---------------------------------------------------------------------------------------------------- */

/* Is the set of factors `term` without `without` a term of the model (the empty set: the intercept)? */
static bool margin_present(const struct side *b, const rsp_fterm *term, size_t without) {
    if (term->n == 1) return b->intercept;
    for (size_t t = 0; t < b->n_terms; t++) {
        const rsp_fterm *other = &b->terms[t];
        if (other->n != term->n - 1) continue;
        size_t found = 0;
        for (size_t k = 0; k < term->n; k++)
            for (size_t j = 0; k != without && j < other->n; j++) found += other->factor[j] == term->factor[k];
        if (found == other->n) return true;
    }
    return false;
}

struct coding {
    const struct rsp_mfactor *x;
    size_t first, n; /* categories first .. first + n - 1; n 1 for a number */
};

/* Everything of a column but its numbers. */
static void name_column(const rsp_mmatrix *m, rsp_mcolumn *c, const struct coding *codes, size_t n,
                        const size_t *place) {
    rsp_buf name = {0};
    rsp_mcode *parts = RSP_ARRAY(m->arena, rsp_mcode, n);
    c->n_codes = n;
    c->codes = parts;
    c->dummy = true;
    for (size_t k = 0; k < n; k++) {
        const struct rsp_mfactor *x = codes[k].x;
        size_t level = codes[k].first + place[k];
        parts[k] = (rsp_mcode){x, level};
        c->unanswered |= x->unanswered;
        if (k) rsp_buf_putc(&name, ':');
        rsp_buf_puts(&name, x->name);
        if (x->categorical) rsp_buf_printf(&name, "=%s", x->categories.code[level]);
        else c->dummy = false;
    }
    c->name = rsp_strndup(m->arena, name.data, name.length);
    rsp_buf_free(&name);
}

/* Rows from .. to: the product of the column's codes, 1 where it has none. Returns how many are 1. */
static size_t fill_rows(const rsp_mmatrix *m, const rsp_mcolumn *c, size_t from, size_t to) {
    size_t ones = 0;
    for (size_t i = from; !c->n_codes && i < to; i++) c->x[i] = 1;
    for (size_t k = 0; k < c->n_codes; k++) {
        const struct rsp_mfactor *x = c->codes[k].factor;
        int32_t level = (int32_t) c->codes[k].category;
        for (size_t i = from; i < to; i++) {
            size_t row = m->row[i];
            double v = x->categorical ? (double) (x->categories.category[row] == level) : x->value[row];
            c->x[i] = k ? c->x[i] * v : v;
        }
    }
    for (size_t i = from; i < to; i++) ones += c->x[i] == 1;
    return ones;
}

/* All columns, a block of rows at a time. */
static void fill_columns(const rsp_mmatrix *m, rsp_mcolumn *columns, size_t n) {
    size_t blocks = (m->n + RSP_BLOCK - 1) / RSP_BLOCK, *ones = rsp_calloc(blocks * n + 1, sizeof *ones);
    for (size_t j = 0; j < n; j++) columns[j].x = RSP_ARRAY_UNSET(m->arena, double, m->n);
#pragma omp parallel for schedule(static) num_threads(rsp_threads()) if (blocks > 1)
    for (size_t b = 0; b < blocks; b++) {
        size_t to = (b + 1) * RSP_BLOCK < m->n ? (b + 1) * RSP_BLOCK : m->n;
        for (size_t j = 0; j < n; j++) ones[b * n + j] = fill_rows(m, &columns[j], b * RSP_BLOCK, to);
    }
    for (size_t b = 0; b < blocks; b++)
        for (size_t j = 0; j < n; j++)
            if (columns[j].dummy) columns[j].ones += ones[b * n + j];
    free(ones);
}

struct columns {
    size_t n, capacity;
    rsp_mcolumn *v;
};

static struct coding coding_of(const struct builder *b, const struct side *side, size_t t, size_t k) {
    const struct rsp_mfactor *x = &b->factors[side->terms[t].factor[k]];
    size_t first = x->categorical && margin_present(side, &side->terms[t], k) ? 1 : 0;
    size_t levels = x->categorical ? x->categories.n : 1;
    return (struct coding){x, first, levels > first ? levels - first : 0};
}

/* Of the fixed part, all equations and thresholds; counting ends beyond what is allowed. */
static size_t count_coefficients(const struct builder *b, const rsp_mmatrix *m, const struct side *side) {
    size_t all = 1, equations = b->model->kind == RSP_MULTINOMIAL_MODEL && m->n_levels > 2 ? m->n_levels - 1 : 1;
    for (size_t t = 0; t < side->n_terms && all <= RSP_MOST_COEFFICIENTS; t++) {
        size_t columns = 1;
        for (size_t k = 0; k < side->terms[t].n && columns <= RSP_MOST_COEFFICIENTS; k++)
            columns *= coding_of(b, side, t, k).n;
        all += columns;
    }
    return all * equations + (rsp_model_ordered(b->model) ? m->n_levels : 0);
}

static bool check_size(const struct builder *b, const rsp_mmatrix *m, const rsp_analysis *a, rsp_diag *d) {
    struct side side = {b->formula->intercept, b->n_terms, b->terms};
    if (count_coefficients(b, m, &side) <= RSP_MOST_COEFFICIENTS) return true;
    rsp_report(d, RSP_ERR_STUDY, b->formula->loc,
               "is there an identifier among its factors? Derive classes with `cut` or `map`",
               "model '%s' has more than %d coefficients", a->id, RSP_MOST_COEFFICIENTS);
    return false;
}

/* Returns whether a joint test says more than the coefficients. */
static bool add_term(const struct builder *b, const rsp_mmatrix *m, const struct side *side, size_t t,
                     struct columns *into) {
    const rsp_fterm *term = &side->terms[t];
    struct coding codes[16];
    size_t place[16] = {0}, total = 1;
    assert(term->n <= 16);
    bool joint = term->n > 1;
    for (size_t k = 0; k < term->n; k++) {
        codes[k] = coding_of(b, side, t, k);
        joint |= codes[k].x->categorical;
        total *= codes[k].n;
    }
    for (size_t j = 0; j < total; j++) { /* the first factor varies fastest */
        rsp_mcolumn c = {.term = t};
        name_column(m, &c, codes, term->n, place);
        RSP_PUSH(into->v, into->n, into->capacity, c);
        for (size_t k = 0; k < term->n && ++place[k] == codes[k].n; k++) place[k] = 0;
    }
    return joint;
}

static void add_intercept(struct columns *into) {
    rsp_mcolumn c = {.name = "(Intercept)", .term = RSP_NONE};
    RSP_PUSH(into->v, into->n, into->capacity, c);
}

static void add_columns(const struct builder *b, rsp_mmatrix *m) {
    struct columns all = {0};
    struct side side = {b->formula->intercept, b->n_terms, b->terms};
    /* An ordinal model's thresholds are its intercepts. */
    if (side.intercept && !rsp_model_ordered(b->model)) add_intercept(&all);
    m->n_terms = b->n_terms;
    m->term_names = RSP_ARRAY(m->arena, const char *, b->n_terms);
    m->term_joint = RSP_ARRAY(m->arena, bool, b->n_terms);
    for (size_t t = 0; t < b->n_terms; t++) {
        m->term_names[t] = b->terms[t].text;
        m->term_joint[t] = add_term(b, m, &side, t, &all);
    }
    fill_columns(m, all.v, all.n);
    m->columns = all.v;
    m->k = all.n;
}

/* ---- random parts ----------------------------------------------------------------------------------------------- */

/* Numbers the groups that occur, by the order of their categories: those of a crossing by all its variables. */
static void number_groups(const struct builder *b, const rsp_mmatrix *m, const rsp_frandom *from, rsp_mrandom *to) {
    int32_t *category = rsp_malloc((m->n + 1) * sizeof *category);
    to->group = RSP_ARRAY(m->arena, int32_t, m->n);
    to->n_groups = 1;
    for (size_t k = 0; k < from->group_term.n; k++) {
        const rsp_categories *c = b->groups[from->group_term.factor[k]];
#pragma omp parallel for schedule(static) num_threads(rsp_threads()) if (m->n > RSP_BLOCK)
        for (size_t i = 0; i < m->n; i++) category[i] = c->category[m->row[i]];
        to->n_groups = rsp_number_pairs(to->group, to->n_groups, category, c->n, m->n, to->group);
    }
    free(category);
}

static void add_random(const struct builder *b, rsp_mmatrix *m) {
    m->n_random = b->formula->n_random;
    m->random = RSP_ARRAY(m->arena, rsp_mrandom, m->n_random);
    for (size_t k = 0; k < m->n_random; k++) {
        const rsp_frandom *from = &b->formula->random[k];
        rsp_mrandom *to = &m->random[k];
        struct columns all = {0};
        struct side side = {from->intercept, from->n_terms, from->terms};
        if (side.intercept) add_intercept(&all);
        for (size_t t = 0; t < side.n_terms; t++) add_term(b, m, &side, t, &all);
        fill_columns(m, all.v, all.n);
        to->name = from->group_term.text;
        to->correlated = from->correlated;
        to->d = all.n;
        to->columns = RSP_ARRAY(m->arena, rsp_mcolumn, all.n);
        for (size_t j = 0; j < all.n; j++) to->columns[j] = all.v[j];
        free(all.v);
        number_groups(b, m, from, to);
    }
}

/* Which factors are effects and which make groups. */
static void mark_uses(struct builder *b) {
    b->fixed_use = RSP_ARRAY(b->arena, bool, b->n_factors + 1);
    b->groups = RSP_ARRAY(b->arena, rsp_categories *, b->n_factors + 1);
    for (size_t k = 0; k < b->n_factors; k++) b->fixed_use[k] = true;
    for (size_t k = 0; k < b->formula->n_random; k++) {
        const rsp_frandom *r = &b->formula->random[k];
        for (size_t j = 0; j < r->group_term.n; j++) {
            size_t at = r->group_term.factor[j];
            const rsp_fexpr *e = b->factors[at].e;
            b->fixed_use[at] = false;
            if (b->groups[at]) continue;
            b->groups[at] = RSP_NEW(b->arena, rsp_categories);
            rsp_categorise(b->f, (e->op == RSP_F_FACTOR ? e->left : e)->variable, b->arena, b->groups[at]);
        }
    }
    for (size_t t = 0; t < b->n_terms; t++)
        for (size_t k = 0; k < b->terms[t].n; k++) b->fixed_use[b->terms[t].factor[k]] = true;
    for (size_t k = 0; k < b->formula->n_random; k++)
        for (size_t t = 0; t < b->formula->random[k].n_terms; t++)
            for (size_t j = 0; j < b->formula->random[k].terms[t].n; j++)
                b->fixed_use[b->formula->random[k].terms[t].factor[j]] = true;
}

/* ---- all -------------------------------------------------------------------------------------------------------- */

static bool check_outcome(const struct builder *b, const rsp_mmatrix *m, const rsp_analysis *a, rsp_diag *d) {
    switch (b->model->kind) {
    case RSP_LOGISTIC_MODEL:
    case RSP_MIXED_LOGISTIC_MODEL: return check_binary(b, m, a, d);
    case RSP_POISSON_MODEL:
    case RSP_NEGATIVE_BINOMIAL_MODEL: return check_counts(b, m, a, d);
    default: return true;
    }
}

rsp_mmatrix *rsp_mmatrix_new(const rsp_sample *s, const rsp_analysis *a, const rsp_mdomain *domain, rsp_diag *d) {
    rsp_arena *arena = rsp_arena_new();
    rsp_mmatrix *m = RSP_NEW(arena, rsp_mmatrix);
    struct builder b = {
        .s = s, .f = s->frame, .model = &a->model, .formula = a->model.formula, .arena = arena, .domain = domain};
    m->arena = arena;
    b.n_factors = b.formula->n_factors;
    b.factors = RSP_ARRAY(arena, struct rsp_mfactor, b.n_factors);
    for (size_t k = 0; k < b.n_factors; k++) prepare_factor(&b, &b.factors[k], b.formula->factors[k]);
    b.n_terms = b.formula->n_terms;
    b.terms = b.formula->terms;
    if (b.formula->dot) expand_dot(&b);
    fill_values(&b, b.factors, b.n_factors);
    if (domain && domain->without != RSP_NONE) drop_terms(&b);
    mark_uses(&b);
    choose_rows(&b, a, m);
    if (!m->n && set_unanswered(&b, a)) choose_rows(&b, a, m);
    if (!check_outcome(&b, m, a, d)) {
        rsp_mmatrix_free(m);
        return NULL;
    }
    if (has_categories(b.model)) number_levels(&b, m);
    if (!check_size(&b, m, a, d)) {
        rsp_mmatrix_free(m);
        return NULL;
    }
    m->organisations = count_organisations(s, m);
    m->frame = b.f;
    m->n_factors = b.n_factors;
    m->factors = b.factors;
    add_columns(&b, m);
    add_random(&b, m);
    return m;
}

bool rsp_mmatrix_unanswered(const rsp_mmatrix *m, size_t variable) {
    bool any = false, all = true;
    for (size_t k = 0; k < m->n_factors; k++) {
        if (!names_variable(m->factors[k].e, variable)) continue;
        any = true;
        all = all && m->factors[k].unanswered;
    }
    return any && all;
}

uint32_t rsp_mmatrix_untested(const rsp_mmatrix *m, size_t t) {
    for (size_t j = 0; j < m->k; j++)
        if (m->columns[j].term == t && m->columns[j].unanswered) return RSP_F_UNANSWERED;
    return RSP_F_SINGULAR;
}

void rsp_mmatrix_free(rsp_mmatrix *m) {
    if (!m) return;
    free(m->columns);
    rsp_arena_free(m->arena);
}

/* ---- the columns at other values -------------------------------------------------------------------------------- */

const rsp_categories *rsp_mmatrix_categories(const rsp_mmatrix *m, size_t variable) {
    for (size_t k = 0; k < m->n_factors; k++)
        if (m->factors[k].categorical && names_variable(m->factors[k].e, variable)) return &m->factors[k].categories;
    return NULL;
}

/* A number and its derivative by the scene's slope. */
struct dual {
    double v, d;
};

struct rsp_mscene {
    const rsp_mmatrix *m;
    size_t n, slope;
    const rsp_msetting *settings;
    struct place {
        bool changed;     /* the factor holds a variable that is set, or the slope's */
        int32_t category; /* of a categorical factor that is set; -1: the row's own */
    } * places;           /* [n_factors] */
};

const rsp_mscene *rsp_mscene_new(const rsp_mmatrix *m, size_t n, const rsp_msetting *settings, size_t slope) {
    rsp_mscene *s = RSP_NEW(m->arena, rsp_mscene);
    rsp_msetting *kept = RSP_ARRAY(m->arena, rsp_msetting, n + 1);
    if (n) memcpy(kept, settings, n * sizeof *kept);
    *s = (rsp_mscene){m, n, slope, kept, RSP_ARRAY(m->arena, struct place, m->n_factors + 1)};
    for (size_t k = 0; k < m->n_factors; k++) {
        const rsp_mfactor *x = &m->factors[k];
        s->places[k] = (struct place){slope != RSP_NONE && !x->categorical && names_variable(x->e, slope), -1};
        for (size_t j = 0; j < n; j++) {
            if (!names_variable(x->e, settings[j].variable)) continue;
            s->places[k].changed = true;
            for (size_t c = 0; x->categorical && c < x->categories.n; c++)
                if (strcmp(x->categories.code[c], settings[j].code) == 0) s->places[k].category = (int32_t) c;
        }
    }
    return s;
}

static struct dual leaf(const rsp_mscene *s, const rsp_fexpr *e, size_t row) {
    struct dual x = {NAN, e->variable == s->slope};
    for (size_t j = 0; j < s->n; j++)
        if (s->settings[j].variable == e->variable) x.v = s->settings[j].value;
    if (isnan(x.v)) x.v = rsp_value(s->m->frame, e->variable, row);
    return x;
}

/* Arithmetic with derivatives carried along (Griewank and Walther 2008, section 3.1). */
static struct dual differentiate(const rsp_mscene *s, const rsp_fexpr *e, size_t row) {
    if (e->op == RSP_F_VARIABLE) return leaf(s, e, row);
    if (e->op == RSP_F_NUMBER) return (struct dual){e->number, 0};
    struct dual a = differentiate(s, e->left, row),
                b = e->right ? differentiate(s, e->right, row) : (struct dual){0, 0};
    switch (e->op) {
    case RSP_F_NEG: return (struct dual){-a.v, -a.d};
    case RSP_F_LOG: return (struct dual){log(a.v), a.d / a.v};
    case RSP_F_EXP: return (struct dual){exp(a.v), a.d * exp(a.v)};
    case RSP_F_SQRT: return (struct dual){sqrt(a.v), a.d / (2 * sqrt(a.v))};
    case RSP_F_ABS: return (struct dual){fabs(a.v), a.v < 0 ? -a.d : a.d};
    case RSP_F_ADD: return (struct dual){a.v + b.v, a.d + b.d};
    case RSP_F_SUB: return (struct dual){a.v - b.v, a.d - b.d};
    case RSP_F_MUL: return (struct dual){a.v * b.v, a.d * b.v + a.v * b.d};
    case RSP_F_DIV: return (struct dual){a.v / b.v, (a.d - a.v / b.v * b.d) / b.v};
    default: break;
    }
    assert(e->op == RSP_F_POW);
    double slope = a.d != 0 ? b.v * pow(a.v, b.v - 1) * a.d : 0;
    return (struct dual){pow(a.v, b.v), slope + (b.d != 0 ? log(a.v) * pow(a.v, b.v) * b.d : 0)};
}

static struct dual part_at(const rsp_mscene *s, const rsp_mcode *c, size_t row) {
    const rsp_mfactor *x = c->factor;
    const struct place *p = &s->places[x - s->m->factors];
    if (!x->categorical) return p->changed ? differentiate(s, x->e, row) : (struct dual){x->value[row], 0};
    int32_t category = p->category >= 0 ? p->category : x->categories.category[row];
    return (struct dual){category == (int32_t) c->category, 0};
}

void rsp_mscene_row(const rsp_mscene *s, size_t i, double *x, double *dx) {
    for (size_t j = 0; j < s->m->k; j++) {
        const rsp_mcolumn *c = &s->m->columns[j];
        struct dual product = {1, 0};
        for (size_t k = 0; k < c->n_codes; k++) {
            struct dual part = part_at(s, &c->codes[k], s->m->row[i]);
            product = (struct dual){product.v * part.v, product.d * part.v + product.v * part.d};
        }
        x[j] = product.v;
        if (dx) dx[j] = product.d;
    }
}
