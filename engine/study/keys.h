/* The keys of study.yaml: one table, from which the loader's validation, the JSON schema and the reference are made. */
#ifndef RESPONSIVE_STUDY_KEYS_H
#define RESPONSIVE_STUDY_KEYS_H

#include "study/yaml.h"

/* What a single value is. */
typedef enum {
    RSP_V_TEXT,     /* any text */
    RSP_V_ID,       /* letters, digits, _ and -: ids become names of files */
    RSP_V_NAME,     /* name of a new variable */
    RSP_V_VARIABLE, /* name of a variable of the study */
    RSP_V_CODE,     /* code of an answer */
    RSP_V_NUMBER,   /* `allowed` may bound it: "0..1", "0.." */
    RSP_V_INTEGER,
    RSP_V_YESNO,
    RSP_V_ENUM,     /* one of `allowed`, separated by |; a word followed by ! is known, but not built yet */
    RSP_V_DATE,     /* 2026-05-31 */
    RSP_V_LANGUAGE, /* BCP 47 tag */
    RSP_V_FILE,     /* path seen from the study folder */
    RSP_V_EXPR,     /* XLSForm expression */
    RSP_V_FORMULA,  /* R formula */
    RSP_V_LAVAAN    /* factor model */
} rsp_value_kind;

/* Shapes in which a key's value may come; several may be allowed. */
enum {
    RSP_S_ONE = 1,        /* a single value */
    RSP_S_LIST = 2,       /* [a, b] */
    RSP_S_LISTS = 4,      /* [[a], [b, c]] */
    RSP_S_MAP = 8,        /* {text: value} */
    RSP_S_MAP_LIST = 16,  /* {text: value or [values]} */
    RSP_S_WORDS = 32,     /* a text, or {language: text} */
    RSP_S_MAP_WORDS = 64, /* {code: words} */
    RSP_S_OBJECT = 128,   /* {keys of `keys`} */
    RSP_S_OBJECTS = 256   /* [{keys of `keys`}, ...] */
};

typedef struct rsp_key rsp_key;
struct rsp_key {
    const char *name;
    unsigned shapes;
    rsp_value_kind value;
    const char *allowed;
    bool required;
    const rsp_key *keys; /* of objects; ends with a name of NULL */
    const char *says;
};

/* The whole file: an object. */
extern const rsp_key RSP_STUDY_KEYS;

bool rsp_is_language(const char *s); /* looks like a BCP 47 tag: en, pt-BR */

/* Reports every value that does not fit the table; such nodes are marked bad. */
void rsp_keys_check(const rsp_key *key, rsp_node *node, rsp_diag *d);

#endif
