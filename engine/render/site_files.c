/* The files of the staging folder as the pages of the site list them. */
#include "site.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { HEAD_OF_SVG = 65536 };

void rsp_site_enter(rsp_site *s, size_t language) {
    s->labels = s->p->labels[language];
    s->texts = rsp_labels_texts(s->labels);
    s->lang = s->p->languages[language];
}

/* ---- what files there are --------------------------------------------------------------------------------------- */

static bool ends_with(const char *name, const char *end) {
    size_t n = strlen(name), e = strlen(end);
    return n > e && strcmp(name + n - e, end) == 0;
}

long long rsp_site_size(const rsp_site *s, const char *folder, const char *name) {
    struct stat file;
    return stat(rsp_printf(s->a, "%s/%s/%s", s->p->dir, folder, name), &file) == 0 ? (long long) file.st_size : -1;
}

/* Charts are named ANALYSIS-DOMAIN-LANG, or ANALYSIS.KIND-DOMAIN-LANG; the longest id that fits is the analysis. */
static size_t analysis_of(const rsp_site *s, const char *stem) {
    size_t best = RSP_NONE, length = 0;
    for (size_t k = 0; k < s->p->study->n_analyses; k++) {
        const char *id = rsp_file_word(s->a, s->p->study->analyses[k].id);
        size_t n = strlen(id);
        if (n >= length && strncmp(stem, id, n) == 0 && (stem[n] == '-' || stem[n] == '.' || !stem[n])) {
            best = k;
            length = n;
        }
    }
    return best;
}

/* 0: everybody; 1 + place of the country in its list; after them what else there may be. */
static size_t rank_of(const rsp_site *s, const char *who) {
    size_t c = s->p->study->roles.country;
    const rsp_list *list = c == RSP_NONE ? NULL : s->p->study->variables[c].list;
    if (strcmp(who, "all") == 0) return 0;
    for (size_t k = 0; list && k < list->n; k++)
        if (strcmp(rsp_file_word(s->a, list->choices[k].code), who) == 0) return 1 + k;
    return 1 + (list ? list->n : 0);
}

static _Thread_local const rsp_site *sorting; /* qsort has no context */

static int by_who(const void *x, const void *y) {
    const rsp_site_file *a = x, *b = y;
    size_t ra = rank_of(sorting, a->who), rb = rank_of(sorting, b->who);
    if (ra != rb) return ra < rb ? -1 : 1;
    if (a->analysis != b->analysis) return a->analysis < b->analysis ? -1 : 1;
    return strcmp(a->name, b->name);
}

/* PREFIX + WHO + -LANG + EXTENSION in `folder`, for the language being written. */
void rsp_site_files(rsp_site *s, const char *folder, const char *prefix, const char *extension, rsp_site_list *out) {
    DIR *dir = opendir(rsp_path_join(s->a, s->p->dir, folder));
    const char *end = rsp_printf(s->a, "-%s%s", s->lang, extension);
    size_t head = strlen(prefix);
    out->n = 0;
    for (struct dirent *e; dir && (e = readdir(dir));) {
        if (strncmp(e->d_name, prefix, head) != 0 || !ends_with(e->d_name, end) ||
            strlen(e->d_name) < head + strlen(end))
            continue;
        const char *name = rsp_strdup(s->a, e->d_name);
        const char *who = rsp_strndup(s->a, name + head, strlen(name) - head - strlen(end));
        rsp_site_file item = {name, who, RSP_NONE, rsp_site_size(s, folder, name)};
        if (!head) {
            item.analysis = analysis_of(s, who);
            size_t id = item.analysis == RSP_NONE ? 0 : strlen(s->p->study->analyses[item.analysis].id);
            const char *hyphen = strchr(who + id, '-'); /* behind the kind */
            item.who = hyphen ? hyphen + 1 : "all";
        }
        RSP_PUSH(out->items, out->n, out->capacity, item);
    }
    if (dir) closedir(dir);
    sorting = s;
    if (out->n) qsort(out->items, out->n, sizeof *out->items, by_who);
}

/* ---- names and pictures ------------------------------------------------------------------------------------------ */

const char *rsp_site_who(const rsp_site *s, const char *who) {
    size_t rank = rank_of(s, who), c = s->p->study->roles.country;
    if (rank == 0) return rsp_say(s->texts, s->a, "site_everybody", NULL, 0);
    const rsp_list *list = c == RSP_NONE ? NULL : s->p->study->variables[c].list;
    return list && rank <= list->n ? rsp_choice_label(list, rank - 1, s->lang) : who;
}

/* What stands between the first <tag ...> and </tag>, escapes and all: the same in XML and HTML. NULL if not there. */
const char *rsp_site_svg_text(const rsp_site *s, const char *svg, const char *tag) {
    const char *open = strstr(svg, rsp_printf(s->a, "<%s", tag)), *from = open ? strchr(open, '>') : NULL;
    const char *to = from ? strstr(from, rsp_printf(s->a, "</%s>", tag)) : NULL;
    if (!to || memchr(from + 1, '<', (size_t) (to - from - 1))) return NULL;
    return rsp_strndup(s->a, from + 1, (size_t) (to - from - 1));
}

/* An attribute of the picture, as number of pixels: room is kept before it is loaded. */
int rsp_site_svg_pixels(const char *svg, const char *name) {
    const char *open = strstr(svg, "<svg"), *at = open ? strstr(open, name) : NULL;
    return at ? (int) strtol(at + strlen(name), NULL, 10) : 0;
}

char *rsp_site_svg(const rsp_site *s, const char *name) {
    char *text = rsp_malloc(HEAD_OF_SVG + 1);
    FILE *f = fopen(rsp_printf(s->a, "%s/charts/%s", s->p->dir, name), "rbe");
    size_t n = f ? fread(text, 1, HEAD_OF_SVG, f) : 0;
    if (!f || ferror(f)) rsp_report(s->d, RSP_ERR_OUTPUT, (rsp_loc){name, 0, 0}, NULL, "cannot be read back");
    if (f) fclose(f);
    text[n] = 0;
    const char *outlines = strstr(text, "<defs>"); /* of letters: nobody asks for them */
    char *head = rsp_strndup(s->a, text, outlines ? (size_t) (outlines - text) : n);
    free(text);
    return head;
}
