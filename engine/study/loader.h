/* What the parts of the study loader share.
 *
 * Loading goes on after a fault as far as it makes sense, so that all faults are reported at once: a reader of a bad
 * value gives a harmless one (RSP_NONE, NULL, an empty list), and rsp_study_load() refuses the study in the end. */
#ifndef RESPONSIVE_STUDY_LOADER_H
#define RESPONSIVE_STUDY_LOADER_H

#include "responsive/study.h"
#include "study/keys.h"
#include "study/sheet.h"

typedef struct {
    rsp_study *s;
    rsp_arena *a;
    rsp_diag *d;
    rsp_node *root;
    rsp_map *names; /* variable -> index */
    bool blind;     /* the instrument could not be read: unknown names mean nothing */
    size_t cap_variables, cap_inputs;
    bool full; /* more variables than fit: said */
    rsp_map *list_names;
    size_t n_questions; /* variables of survey.csv stand first */
    size_t n_suggestions;
    bool needs_scale; /* said already that `weighting: scale` is missing */
} rsp_loader;

/* The study's own fault at a place. */
#define RSP_FAULT(l, loc, hint, ...) rsp_report((l)->d, RSP_ERR_STUDY, (loc), (hint), __VA_ARGS__)

/* ---- reading nodes (load.c): bad and absent nodes give the fallback -----------------------------------------------
 */

rsp_node *rsp_get(const rsp_node *map, const char *key); /* the value unless bad or empty; NULL if none */
const char *rsp_get_text(const rsp_node *map, const char *key);
double rsp_get_number(const rsp_node *map, const char *key, double fallback);
bool rsp_get_yes(const rsp_node *map, const char *key);
/* Place of the value in words (ends with NULL), or fallback. */
int rsp_get_choice(const rsp_node *map, const char *key, const char *const *words, int fallback);
rsp_text rsp_read_words(rsp_loader *l, const rsp_node *n);
/* Is a label longer than pages can hold? Reported then. */
bool rsp_wording_too_long(rsp_loader *l, const char *text, rsp_loc loc);
/* Single values of a node that is one value or a list: k-th of rsp_values(n). */
size_t rsp_values(const rsp_node *n);
rsp_node *rsp_value_at(const rsp_node *n, size_t k);
double rsp_node_number(const rsp_node *n);
void rsp_add_input(rsp_loader *l, const char *path);
/* Path of a file that the study names, noted as an input; NULL and reported where it may not be read (paths.c). */
const char *rsp_named_file(rsp_loader *l, const rsp_node *file);
/* "did you mean 'x'?" from n candidates, or NULL; in the loader's arena. */
const char *rsp_did_you_mean(rsp_loader *l, const char *word, const char *const *candidates, size_t n);

/* ---- variables and names (instrument.c, bind.c) -------------------------------------------------------------------
 */

void rsp_load_instrument(rsp_loader *l);
/* A new variable; false (and reported) if the name is taken. The index is that of the new one either way. */
bool rsp_add_variable(rsp_loader *l, const rsp_variable *v, size_t *index);
rsp_list *rsp_new_list(rsp_loader *l, const char *name, size_t n);
bool rsp_good_code(const char *code); /* holds nothing that results and headings use as signs */
#define RSP_CODE_HINT "codes have up to 128 letters and signs, no blanks and none of ; = : | ,"

/* The variable a node names; `where` is what names it, like "table 'age'". RSP_NONE and reported if there is none. */
size_t rsp_bind(rsp_loader *l, const rsp_node *n, const char *where);
size_t rsp_bind_name(rsp_loader *l, const char *name, rsp_loc loc, const char *where);
size_t rsp_bind_list(rsp_loader *l, const rsp_node *n, const char *where, const size_t **out);
size_t rsp_bind_code(rsp_loader *l, const rsp_list *list, const char *code, rsp_loc loc, const char *where);
/* Binds and checks an expression; self is the variable of '.', or RSP_NONE. */
void rsp_bind_expr(rsp_loader *l, rsp_expr *e, size_t self, const char *where);
rsp_expr *rsp_read_expr(rsp_loader *l, const rsp_node *n, size_t self, const char *where);
void rsp_bind_formula(rsp_loader *l, rsp_formula *f, const char *where);

static inline const rsp_variable *rsp_var(const rsp_loader *l, size_t v) { return &l->s->variables[v]; }
/* Has the variable a number in every row: a number, a coded answer, a tick? */
bool rsp_is_numeric(const rsp_variable *v);
bool rsp_is_set(const rsp_variable *v); /* select_multiple or rank */

/* ---- sections ------------------------------------------------------------------------------------------------------
 */

void rsp_load_paths(rsp_loader *l);       /* before all that name files */
void rsp_load_derivations(rsp_loader *l); /* declares, then binds and orders */
void rsp_load_rules(rsp_loader *l);
void rsp_load_design(rsp_loader *l); /* design, eligible */
void rsp_load_weighting(rsp_loader *l);
rsp_variance_spec rsp_load_variance(rsp_loader *l, const rsp_node *n, const rsp_variance_spec *base);
void rsp_load_imputation(rsp_loader *l);
void rsp_load_analyses(rsp_loader *l);
void rsp_load_simulation(rsp_loader *l);
void rsp_load_reports(rsp_loader *l);
void rsp_digest_node(const rsp_node *n, char hex[65]);
void rsp_digest_study(rsp_loader *l); /* when all sections are loaded without a fault */

#endif
