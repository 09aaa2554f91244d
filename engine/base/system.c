/* Numbers as text, threads, files. */
#include "responsive/base.h"

#include "responsive/limits.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <locale.h>
#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#ifndef RESPONSIVE_VERSION
#error "the Makefile gives RESPONSIVE_VERSION"
#endif

const char *const RSP_VERSION = RESPONSIVE_VERSION;
const char *const RSP_COMMIT = RESPONSIVE_COMMIT;

/* ---- numbers ---------------------------------------------------------------------------------------------------- */

/* The C locale, made once, so that a process locale with a decimal comma changes no number. */
static locale_t c_locale(void) {
    static locale_t locale;
    if (!locale) {
#pragma omp critical(rsp_c_locale)
        if (!locale) locale = newlocale(LC_ALL_MASK, "C", (locale_t) 0);
    }
    return locale;
}

static bool keeps(double x, int digits, char text[32]) {
    snprintf(text, 32, "%.*g", digits, x);
    return strtod(text, NULL) == x;
}

void rsp_double_text(double x, char text[32]) {
    if (isnan(x)) {
        text[0] = '\0';
        return;
    }
    locale_t before = uselocale(c_locale());
    double value = x == 0 ? 0.0 : x; /* no -0 */
    if (keeps(value, 16, text)) {    /* most results are in need of all their digits, so this is asked first */
        char shorter[32];
        if (keeps(value, 15, shorter)) memcpy(text, shorter, sizeof shorter);
    } else {
        snprintf(text, 32, "%.17g", value);
    }
    uselocale(before);
}

/* Digits, perhaps with a sign in front and one decimal sign: what nearly all numbers of surveys are. Up to 15 digits and the
 * power of ten are whole numbers that a double holds, so that one division rounds once, as strtod does (Clinger 1990, How
 * to read floating point numbers accurately). False: not of that kind. */
static bool parse_plain(const char *text, size_t length, char decimal, double *value) {
    static const double power[] = {1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15};
    bool negative = text[0] == '-';
    size_t k = negative, n = 0, behind = 0;
    int64_t digits = 0;
    bool point = false;
    for (; k < length && n <= 15; k++) {
        if (text[k] >= '0' && text[k] <= '9') {
            digits = digits * 10 + (text[k] - '0');
            n++;
            behind += point;
        } else if (text[k] == decimal && !point) {
            point = true;
        } else {
            return false;
        }
    }
    if (k < length || n == 0 || n > 15) return false;
    double x = (double) digits / power[behind];
    *value = negative ? -x : x;
    return true;
}

bool rsp_parse_double(const char *text, size_t length, char decimal, double *value) {
    while (length && (*text == ' ' || *text == '\t')) text++, length--;
    while (length && (text[length - 1] == ' ' || text[length - 1] == '\t')) length--;
    if (length && parse_plain(text, length, decimal, value)) return true;
    char copy[64];
    if (!length || length >= sizeof copy) return false;
    for (size_t k = 0; k < length; k++) {
        char c = text[k];
        if (c == decimal) c = '.';
        else if (c == '.') return false; /* a point where the decimal sign is a comma: thousands? never guessed */
        if (!strchr("0123456789+-.eE", c) || !c) return false;
        copy[k] = c;
    }
    copy[length] = '\0';
    char *end;
    double x = strtod_l(copy, &end, c_locale());
    if (*end || !isfinite(x)) return false;
    *value = x;
    return true;
}

/* ---- threads ---------------------------------------------------------------------------------------------------- */

extern void openblas_set_num_threads(int) __attribute__((weak));

void rsp_threads_set(int jobs) {
    omp_set_num_threads(jobs > 0 ? jobs : omp_get_num_procs());
    omp_set_dynamic(0);
    omp_set_max_active_levels(1);
    if (openblas_set_num_threads) openblas_set_num_threads(1);
}

int rsp_threads(void) { return omp_get_max_threads(); }

/* ---- files ------------------------------------------------------------------------------------------------------ */

static const char *read_remedy(int error) {
    switch (error) {
    case ENOENT: return "is the name right? Names are case sensitive";
    case EACCES: return "the user who runs the program needs the right to read it";
    case ELOOP: return "its links point at each other";
    default: return NULL;
    }
}

static int compare_names(const void *a, const void *b) {
    return strcmp(*(const char *const *) a, *(const char *const *) b);
}

const char *rsp_suggest_file(rsp_arena *a, const char *path) {
    enum { MOST_NAMES = 1000 }; /* of a larger folder some: this is help, no answer */
    const char *slash = strrchr(path, '/'), **names = NULL;
    size_t n = 0, capacity = 0;
    DIR *folder = opendir(slash ? rsp_strndup(a, path, (size_t) (slash - path) + 1) : ".");
    for (struct dirent *e; folder && n < MOST_NAMES && (e = readdir(folder));)
        if (e->d_name[0] != '.') RSP_PUSH(names, n, capacity, rsp_strdup(a, e->d_name));
    if (folder) closedir(folder);
    if (n) qsort(names, n, sizeof *names, compare_names);
    const char *near = rsp_suggest(slash ? slash + 1 : path, names, n);
    free(names);
    return near;
}

static void report_unread(const char *path, int error, rsp_diag *d, rsp_class class, rsp_loc loc) {
    rsp_arena *a = rsp_arena_new();
    const char *near = error == ENOENT ? rsp_suggest_file(a, path) : NULL;
    rsp_report(d, class, loc, near ? rsp_printf(a, "did you mean '%s'?", near) : read_remedy(error),
               "cannot read %s: %s", path, strerror(error));
    rsp_arena_free(a);
}

/* A pipe or a device might never end, so only files are read. */
static bool is_readable_file(const struct stat *st, const char *path, rsp_diag *d, rsp_class class, rsp_loc loc) {
    if (S_ISDIR(st->st_mode)) rsp_report(d, class, loc, "name a file in it", "cannot read %s: it is a folder", path);
    else if (!S_ISREG(st->st_mode))
        rsp_report(d, class, loc, "save it as a file first", "cannot read %s: it is a pipe or a device", path);
    else if (st->st_size > (off_t) RSP_MOST_FILE_GIB << 30)
        rsp_report(d, class, loc, "split it into several files", "cannot read %s: it is larger than %d GiB", path,
                   RSP_MOST_FILE_GIB);
    else return true;
    return false;
}

bool rsp_read_file(const char *path, rsp_buf *into, rsp_diag *d, rsp_class class, rsp_loc loc) {
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* opening a pipe must not wait for its writer */
    struct stat st;
    if (fd < 0 || fstat(fd, &st) != 0) {
        report_unread(path, errno, d, class, loc);
        if (fd >= 0) close(fd);
        return false;
    }
    if (!is_readable_file(&st, path, d, class, loc)) {
        close(fd);
        return false;
    }
    ssize_t got;
    rsp_buf_reserve(into, (size_t) st.st_size + 1); /* one more, so that the end is met without growing */
    while ((got = read(fd, into->data + into->length, into->capacity - into->length - 1)) > 0) {
        into->length += (size_t) got;
        rsp_buf_reserve(into, 1);
    }
    if (got < 0) rsp_report(d, class, loc, NULL, "cannot read %s: %s", path, strerror(errno));
    into->data[into->length] = '\0';
    close(fd);
    return got == 0;
}

static bool write_all(int fd, const char *bytes, size_t length) {
    while (length) {
        ssize_t n = write(fd, bytes, length);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return false;
        bytes += n;
        length -= (size_t) n;
    }
    return true;
}

bool rsp_write_file(const char *path, const void *bytes, size_t length, rsp_diag *d) {
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    bool ok = fd >= 0 && write_all(fd, bytes, length);
    int why = errno;
    if (fd >= 0 && close(fd) != 0 && ok) {
        ok = false;
        why = errno;
    }
    if (!ok)
        rsp_report(d, RSP_ERR_OUTPUT, (rsp_loc){path, 0, 0}, "nothing was published", "cannot write: %s",
                   strerror(why));
    return ok;
}

bool rsp_make_dirs(const char *path, rsp_diag *d) {
    char copy[PATH_MAX];
    size_t length = strlen(path);
    if (length >= sizeof copy) {
        rsp_report(d, RSP_ERR_OUTPUT, RSP_NOWHERE, NULL, "path too long: %.200s...", path);
        return false;
    }
    memcpy(copy, path, length + 1);
    for (char *p = copy + 1;; p++) {
        if (*p != '/' && *p) continue;
        char kept = *p;
        *p = '\0';
        if (mkdir(copy, 0755) != 0 && errno != EEXIST) {
            rsp_report(d, RSP_ERR_OUTPUT, (rsp_loc){copy, 0, 0}, "choose another folder with --out",
                       "cannot make the folder: %s", strerror(errno));
            return false;
        }
        *p = kept;
        if (!kept) return true;
    }
}

char *rsp_path_join(rsp_arena *a, const char *dir, const char *name) {
    if (name[0] == '/' || !dir[0] || strcmp(dir, ".") == 0) return rsp_strdup(a, name);
    size_t length = strlen(dir);
    return rsp_printf(a, "%s%s%s", dir, dir[length - 1] == '/' ? "" : "/", name);
}

/* Is the folder named by the first n bytes one whose `..` is the folder before it: no link, and there? */
static bool plain_folder(const char *path, size_t n) {
    struct stat st;
    char name[PATH_MAX];
    if (n >= sizeof name) return false;
    memcpy(name, path, n);
    name[n] = '\0';
    return lstat(name, &st) == 0 && S_ISDIR(st.st_mode);
}

char *rsp_path_plain(rsp_arena *a, const char *path) {
    char *out = rsp_strdup(a, path);
    size_t to = 0;
    for (const char *c = path; *c;) {
        size_t n = strcspn(c, "/"), rest = n + strspn(c + n, "/"), from = to;
        while (from > 1 && out[from - 1] == '/') from--;
        size_t end = from; /* of the last name written, without the bars behind it */
        while (from && out[from - 1] != '/') from--;
        bool up = n == 2 && strncmp(c, "..", 2) == 0, above = end - from == 2 && strncmp(out + from, "..", 2) == 0;
        if (up && end > from && !above && plain_folder(out, end)) {
            to = from;
        } else if (n != 1 || *c != '.' || !rest || !c[rest]) {
            memmove(out + to, c, rest);
            to += rest;
        }
        c += rest;
    }
    out[to] = '\0';
    return out;
}

static char data_dir[PATH_MAX];

static bool holds_reports(const char *dir) {
    char path[PATH_MAX + 64];
    snprintf(path, sizeof path, "%s/reports/texts", dir);
    return access(path, R_OK) == 0;
}

/* The program stands in build/ of the sources, in <prefix>/bin, or is a test in build/tests: walk up from it. */
static void find_data_dir(void) {
    char self[PATH_MAX];
    ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
    if (n > 0) {
        self[n] = '\0';
        for (char *slash; (slash = strrchr(self, '/')) && slash != self;) {
            *slash = '\0';
            if (holds_reports(self) && strlen(self) < sizeof data_dir) {
                strcpy(data_dir, self);
                return;
            }
            char installed[PATH_MAX + 32];
            snprintf(installed, sizeof installed, "%s/share/responsive", self);
            if (holds_reports(installed) && strlen(installed) < sizeof data_dir) {
                strcpy(data_dir, installed);
                return;
            }
        }
    }
    strcpy(data_dir, ".");
}

const char *rsp_data_dir(void) {
#pragma omp critical(rsp_data_dir)
    if (!data_dir[0]) find_data_dir();
    return data_dir;
}
