/* Losses are counted by cells and by what these rest on, as usual for suppression (Hundepool et al. 2012, Statistical
 * Disclosure Control, section 4.4: number of suppressed cells and their weighted sum; Fischetti and Salazar 2000, whose cost of a
 * cell is free). The weight here is the base and not the cell's count: bases are what an attacker is taken to know, so that no
 * sum of them says anything about a hidden count. Shares are given in thousandths. */
#include "results/loss.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct ledger {
    rsp_loss *line;
    double *bases, *lost; /* of all rows, of the hidden ones */
    size_t n;
    rsp_map *place;
    rsp_arena *arena;
};

static void book(struct ledger *l, const char *country, const char *analysis, const rsp_row *r, unsigned char hidden) {
    const char *key = rsp_printf(l->arena, "%s\x1f%s", country, analysis);
    size_t k = rsp_map_get(l->place, key);
    if (k == RSP_NONE) {
        rsp_map_put(l->place, key, k = l->n++);
        l->line[k] = (rsp_loss){.country = country, .analysis = analysis};
    }
    rsp_loss *x = &l->line[k];
    double base = r->base > 0 ? (double) r->base : 0;
    x->rows++;
    l->bases[k] += base;
    if (hidden == SHOWN) return;
    l->lost[k] += base;
    x->by_rule += hidden == PRIMARY;
    x->by_memory += hidden == HELD;
    x->complementary += hidden != PRIMARY && hidden != HELD;
}

static double thousandths(double x) { return round(x * 1000) / 1000; }

void rsp_count_losses(rsp_published *p, const rsp_study *s, const rsp_results *r, const unsigned char *hidden,
                      const bool *dropped) {
    rsp_arena *a = rsp_arena_new();
    size_t most = 1 + 2 * r->n;
    struct ledger l = {.line = RSP_ARRAY(a, rsp_loss, most),
                       .bases = RSP_ARRAY(a, double, most),
                       .lost = RSP_ARRAY(a, double, most),
                       .place = rsp_map_new(),
                       .arena = a};
    const char *variable = s->roles.country == RSP_NONE ? NULL : s->variables[s->roles.country].name;
    for (size_t i = 0; i < r->n; i++)
        if (!dropped[i]) book(&l, "", "", &r->rows[i], hidden[i]);
    for (size_t i = 0; variable && i < r->n; i++) {
        const char *country = dropped[i] ? NULL : rsp_domain_code(a, r->rows[i].domain, variable);
        if (country) book(&l, country, "", &r->rows[i], hidden[i]);
    }
    for (size_t i = 0; i < r->n; i++)
        if (!dropped[i]) book(&l, "", r->rows[i].analysis, &r->rows[i], hidden[i]);
    p->n_losses = l.n;
    p->losses = RSP_ARRAY(p->arena, rsp_loss, l.n);
    for (size_t k = 0; k < l.n; k++) {
        rsp_loss *x = &p->losses[k];
        *x = l.line[k];
        x->country = rsp_strdup(p->arena, x->country);
        x->analysis = rsp_strdup(p->arena, x->analysis);
        x->bases = l.bases[k] > 0 ? thousandths(l.lost[k] / l.bases[k]) : NAN;
    }
    rsp_map_free(l.place);
    rsp_arena_free(a);
}

size_t rsp_published_losses(const rsp_published *p, const rsp_loss **all) {
    *all = p->losses;
    return p->n_losses;
}
