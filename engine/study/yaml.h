/* YAML as the study files use it: a tree whose every node knows where it stands.
 *
 * Plain scalars are text; whoever wants a number reads one. Aliases share the node of their anchor, so a fault in an
 * aliased value is reported where its text stands. Duplicate keys, merge keys, tags, further documents, nesting deeper
 * than 64 levels and aliases that would grow the file beyond a million nodes are errors. */
#ifndef RESPONSIVE_STUDY_YAML_H
#define RESPONSIVE_STUDY_YAML_H

#include "responsive/expr.h"

typedef struct rsp_node rsp_node;
struct rsp_node {
    enum { RSP_Y_SCALAR, RSP_Y_LIST, RSP_Y_MAP } kind;
    rsp_loc loc;
    rsp_origin origin; /* scalars: where their characters stand */
    const char *text;  /* scalars; of others "" */
    bool plain;        /* scalars without quotes: an empty one is no value */
    bool bad;          /* a fault was reported: readers pass it over */
    bool flow;         /* maps: written in braces */
    bool joins;        /* keys of words: no key, but what follows a comma in the text before (see keys.c) */
    size_t n;
    rsp_node **keys;  /* maps: scalars */
    rsp_node **items; /* maps and lists */
    double size;      /* nodes in it, aliases written out */
};

/* NULL with the faults reported as RSP_ERR_STUDY. `file` is the name shown; it must live as long as the arena. */
rsp_node *rsp_yaml_parse(rsp_arena *a, const char *file, const char *bytes, size_t length, rsp_diag *d);

/* The same of a whole file, which may also be unreadable; `path` must live as long as the arena. */
rsp_node *rsp_yaml_read(rsp_arena *a, const char *path, rsp_diag *d);

/* The value of a key, NULL if absent; map may be NULL. */
rsp_node *rsp_node_find(const rsp_node *map, const char *key);

/* Files of the program's own (page texts, briefs, self-test); a study's are read by the table of keys, study/keys.h. */

/* The text of a key; NULL if it is absent or no text, which is reported, absence only where it is needed. */
const char *rsp_node_text(const rsp_node *map, const char *key, bool needed, rsp_diag *d);
/* Reports every key of the map that is none of the known ones (a list that ends with NULL). */
void rsp_node_only(const rsp_node *map, const char *const *known, const char *hint, rsp_diag *d);

#endif
