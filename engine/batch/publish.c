#include "batch/publish.h"

#include "base/ending.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

static bool fault(rsp_diag *d, const char *path, const char *doing) {
    rsp_report(d, RSP_ERR_OUTPUT, (rsp_loc){path, 0, 0}, "what was published stays as it was", "cannot %s: %s", doing,
               strerror(errno));
    return false;
}

/* ---- trees ------------------------------------------------------------------------------------------------------ */

struct walk {
    const char **paths;
    size_t n, capacity, skip;
    rsp_arena *arena;
};

static bool walk_dir(struct walk *w, const char *dir, int depth, rsp_diag *d) {
    if (depth > 16) return fault(d, dir, "list the folder: nested too deeply");
    DIR *handle = opendir(dir);
    if (!handle) return fault(d, dir, "list the folder");
    bool ok = true;
    for (struct dirent *e; ok && (e = readdir(handle));) {
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0) continue;
        char *path = rsp_printf(w->arena, "%s/%s", dir, e->d_name);
        struct stat st;
        if (lstat(path, &st) != 0) ok = fault(d, path, "look at the file");
        else if (S_ISDIR(st.st_mode)) ok = walk_dir(w, path, depth + 1, d);
        else RSP_PUSH(w->paths, w->n, w->capacity, path + w->skip);
    }
    closedir(handle);
    return ok;
}

static int compare_paths(const void *a, const void *b) {
    return strcmp(*(const char *const *) a, *(const char *const *) b);
}

bool rsp_list_files(const char *dir, rsp_arena *a, const char ***paths, size_t *n, rsp_diag *d) {
    struct walk w = {.skip = strlen(dir) + 1, .arena = a};
    bool ok = walk_dir(&w, dir, 0, d);
    *paths = RSP_ARRAY(a, const char *, w.n);
    *n = w.n;
    if (w.n) {
        memcpy(*paths, w.paths, w.n * sizeof **paths);
        qsort(*paths, w.n, sizeof **paths, compare_paths);
    }
    free(w.paths);
    return ok;
}

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw) {
    (void) st, (void) type, (void) ftw;
    return remove(path);
}

bool rsp_remove_tree(const char *dir, rsp_diag *d) {
    if (nftw(dir, remove_entry, 16, FTW_DEPTH | FTW_PHYS) == 0 || errno == ENOENT) return true;
    return fault(d, dir, "remove the folder");
}

static bool sync_path(const char *path, int flags, rsp_diag *d) {
    int fd = open(path, O_RDONLY | O_CLOEXEC | flags);
    bool ok = fd >= 0 && fsync(fd) == 0;
    if (!ok) fault(d, path, "bring to the disk");
    if (fd >= 0) close(fd);
    return ok;
}

/* Files were written by several libraries: each is brought to the disk here, then the folders that name them. */
static bool sync_tree(const char *dir, int depth, rsp_diag *d) {
    if (depth > 16) return false;
    DIR *handle = opendir(dir);
    if (!handle) return fault(d, dir, "list the folder");
    bool ok = true;
    for (struct dirent *e; ok && (e = readdir(handle));) {
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0) continue;
        char path[PATH_MAX];
        if (snprintf(path, sizeof path, "%s/%s", dir, e->d_name) >= (int) sizeof path)
            ok = fault(d, dir, "name a file: path too long");
        struct stat st;
        if (ok && lstat(path, &st) != 0) ok = fault(d, path, "look at the file");
        if (ok) ok = S_ISDIR(st.st_mode) ? sync_tree(path, depth + 1, d) : sync_path(path, 0, d);
    }
    closedir(handle);
    return ok && sync_path(dir, O_DIRECTORY, d);
}

/* ---- lock ------------------------------------------------------------------------------------------------------- */

/* The process that took the lock on the file, as the kernel lists it (proc_locks(5)); 0: it does not say, as with network
 * file systems and other containers' processes. Of inherited locks the one who took them, which may have ended. */
static long holding_process(int lock) {
    struct stat st;
    FILE *list = fopen("/proc/locks", "re");
    long holder = 0;
    if (!list) return 0;
    char line[256];
    while (!holder && fstat(lock, &st) == 0 && fgets(line, sizeof line, list)) {
        unsigned device[2];
        unsigned long long inode;
        long process;
        if (sscanf(line, "%*s FLOCK %*s %*s %ld %x:%x:%llu", &process, &device[0], &device[1], &inode) == 4 &&
            device[0] == major(st.st_dev) && device[1] == minor(st.st_dev) && inode == st.st_ino && process > 0)
            holder = process;
    }
    fclose(list);
    return holder;
}

/* The number that a process has in its own container, which is what it writes down (NSpid in proc_pid_status(5)). */
static long own_number(long process, rsp_arena *a) {
    FILE *status = fopen(rsp_printf(a, "/proc/%ld/status", process), "re");
    char line[256];
    long own = process;
    while (status && fgets(line, sizeof line, status)) {
        const char *last = strncmp(line, "NSpid:", 6) == 0 ? strrchr(line, '\t') : NULL;
        if (last) own = strtol(last, NULL, 10);
    }
    if (status) fclose(status);
    return own;
}

/* Who holds the lock, in words. The file's text names the last run that took it, which need not be who holds it now. */
static const char *holder_of(const rsp_stage *s) {
    char last[256] = "", name[32] = "";
    ssize_t n = pread(s->lock, last, sizeof last - 1, 0);
    last[n > 0 ? n : 0] = '\0';
    last[strcspn(last, "\n")] = '\0';
    long process = holding_process(s->lock), of_text = 0;
    if (!process)
        return rsp_printf(s->arena, "the lock is held, by whom is not known; last taken by %s",
                          *last ? last : "nobody");
    if (sscanf(last, "process %ld", &of_text) == 1 && of_text == own_number(process, s->arena))
        return rsp_printf(s->arena, "another run holds the lock: %s", last);
    FILE *command = fopen(rsp_printf(s->arena, "/proc/%ld/comm", process), "re");
    if (command && fgets(name, sizeof name, command)) name[strcspn(name, "\n")] = '\0';
    if (command) fclose(command);
    return rsp_printf(s->arena, "a program that is no run holds the lock: process %ld (%s)", process,
                      *name ? name : "ended; one that it started keeps it");
}

/* flock() dies with its holder, so a killed run leaves no lock behind; the text tells a person who holds it. */
static bool take_lock(rsp_stage *s, rsp_diag *d) {
    char *path = rsp_printf(s->arena, "%s/.lock", s->study_dir);
    struct stat st;
    s->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
    bool link = s->lock < 0 && errno == ELOOP;
    if (s->lock < 0 && !link) return fault(d, path, "open the lock");
    if (link || fstat(s->lock, &st) != 0 || !S_ISREG(st.st_mode)) {
        rsp_report(d, RSP_ERR_OUTPUT, (rsp_loc){path, 0, 0}, "find out who put it there, and remove it",
                   link ? "a symbolic link stands in the lock's place: it is not followed"
                        : "what stands in the lock's place is no file");
        return false;
    }
    if (flock(s->lock, LOCK_EX | LOCK_NB) != 0) {
        rsp_report(d, RSP_ERR_LOCKED, (rsp_loc){path, 0, 0}, "wait for it to end, or give another --out", "%s",
                   holder_of(s));
        close(s->lock);
        s->lock = -1;
        return false;
    }
    char host[128] = "";
    gethostname(host, sizeof host - 1);
    char *text = rsp_printf(s->arena, "process %ld on %s, run %s\n", (long) getpid(), host, s->run);
    if (ftruncate(s->lock, 0) != 0 || pwrite(s->lock, text, strlen(text), 0) != (ssize_t) strlen(text))
        return fault(d, path, "write the lock");
    return true;
}

static bool remove_leftovers(const rsp_stage *s, rsp_diag *d) {
    DIR *handle = opendir(s->study_dir);
    if (!handle) return fault(d, s->study_dir, "list the folder");
    bool ok = true;
    for (struct dirent *e; ok && (e = readdir(handle));) {
        bool staging = strncmp(e->d_name, ".staging-", 9) == 0, link = strcmp(e->d_name, ".latest") == 0,
             memory = strcmp(e->d_name, ".memory.new") == 0;
        if (staging || link || memory) ok = rsp_remove_tree(rsp_printf(s->arena, "%s/%s", s->study_dir, e->d_name), d);
    }
    closedir(handle);
    return ok;
}

/* ---- staging ---------------------------------------------------------------------------------------------------- */

/* 20261122T031500Z, or with -2 behind it: two runs within a second. */
static bool is_run_name(const char *name) {
    static const char shape[] = "00000000T000000Z";
    size_t k = 0;
    for (; shape[k]; k++)
        if (shape[k] == '0' ? !isdigit((unsigned char) name[k]) : name[k] != shape[k]) return false;
    return !name[k] || (name[k] == '-' && name[k + 1] && strspn(name + k + 1, "0123456789") == strlen(name + k + 1));
}

static int place_in_second(const char *run) { return run[16] ? atoi(run + 17) : 1; }

/* Newest first: by time, then by the number behind it. */
static int compare_runs(const void *x, const void *y) {
    const char *a = *(const char *const *) x, *b = *(const char *const *) y;
    int by_time = strncmp(b, a, 16);
    return by_time ? by_time : place_in_second(b) - place_in_second(a);
}

/* The name of a run that begins in this second: behind all that did so and are still there, since names tell what is newer. */
static char *name_of_run(const rsp_stage *s, const char *second) {
    int last = 0;
    DIR *handle = opendir(s->study_dir);
    for (struct dirent *e; handle && (e = readdir(handle));)
        if (is_run_name(e->d_name) && strncmp(e->d_name, second, 16) == 0 && place_in_second(e->d_name) > last)
            last = place_in_second(e->d_name);
    if (handle) closedir(handle);
    return last ? rsp_printf(s->arena, "%s-%d", second, last + 1) : rsp_strdup(s->arena, second);
}

bool rsp_stage_open(rsp_stage *s, const char *out, const char *study, const char *run, rsp_diag *d) {
    *s = (rsp_stage){.lock = -1, .arena = rsp_arena_new()};
    s->study_dir = rsp_printf(s->arena, "%s/%s", out, study);
    if (!rsp_make_dirs(s->study_dir, d)) return false;
    s->run = rsp_strdup(s->arena, run); /* for the text in the lock */
    if (!take_lock(s, d) || !remove_leftovers(s, d)) return false;
    s->run = name_of_run(s, run);
    s->final = rsp_printf(s->arena, "%s/%s", s->study_dir, s->run);
    s->staging = rsp_printf(s->arena, "%s/.staging-%s", s->study_dir, s->run);
    rsp_ending_removes(s->staging);
    static const char *const folders[] = {"briefs", "charts", "tables", "data", "quality"};
    for (size_t k = 0; k < sizeof folders / sizeof *folders; k++)
        if (!rsp_make_dirs(rsp_printf(s->arena, "%s/%s", s->staging, folders[k]), d)) return false;
    return true;
}

/* The run is in its place, but nothing names it yet: rsp_stage_close() takes it away if the link cannot be moved. */
static bool move_link(rsp_stage *s, rsp_diag *d) {
    char *link = rsp_printf(s->arena, "%s/.latest", s->study_dir),
         *latest = rsp_printf(s->arena, "%s/latest", s->study_dir);
    if (!sync_path(s->study_dir, O_DIRECTORY, d)) return false;
    if (symlink(s->run, link) != 0) return fault(d, link, "make the link");
    rsp_ending_removes(NULL); /* once the link has moved the run must stay */
    if (rename(link, latest) == 0) {
        rsp_ending_published();
        return true;
    }
    fault(d, latest, "move the link");
    unlink(link);
    return false;
}

bool rsp_stage_publish(rsp_stage *s, rsp_diag *d) {
    if (!sync_tree(s->staging, 0, d)) return false;
    if (rename(s->staging, s->final) != 0) return fault(d, s->final, "publish the run");
    s->staging = s->final;
    rsp_ending_removes(s->final);
    if (!move_link(s, d)) return false;
    s->staging = NULL;
    rsp_diag *late = rsp_diag_new();
    if (!sync_path(s->study_dir, O_DIRECTORY, late))
        rsp_report(d, RSP_ERR_OUTPUT, (rsp_loc){s->study_dir, 0, 0}, "run it again when the disk is sound",
                   "the run is published, but the link to it cannot be brought to the disk: a power failure may bring "
                   "back the publication before");
    rsp_diag_free(late);
    return true;
}

/* ---- retention -------------------------------------------------------------------------------------------------- */

/* Under a name that the next run cleans up by: one that dies meanwhile leaves no half of a publication beside the others. */
static bool remove_publication(const rsp_stage *s, const char *run) {
    char *doomed = rsp_printf(s->arena, "%s/.staging-%s", s->study_dir, run);
    rsp_diag *quiet = rsp_diag_new();
    bool good = rename(rsp_printf(s->arena, "%s/%s", s->study_dir, run), doomed) == 0 && rsp_remove_tree(doomed, quiet);
    rsp_diag_free(quiet);
    return good;
}

void rsp_stage_retain(rsp_stage *s, const char *latest, size_t keep, rsp_diag *d) {
    DIR *handle = keep ? opendir(s->study_dir) : NULL;
    if (!handle) return;
    const char **runs = NULL;
    size_t n = 0, capacity = 0;
    for (struct dirent *e; (e = readdir(handle));) {
        char *manifest = rsp_printf(s->arena, "%s/%s/manifest.json", s->study_dir, e->d_name);
        if (is_run_name(e->d_name) && access(manifest, F_OK) == 0)
            RSP_PUSH(runs, n, capacity, rsp_strdup(s->arena, e->d_name));
    }
    closedir(handle);
    if (n) qsort(runs, n, sizeof *runs, compare_runs);
    for (size_t k = keep; k < n; k++) {
        if (strcmp(runs[k], latest) != 0 && !remove_publication(s, runs[k]))
            rsp_report(d, RSP_WARNING, (rsp_loc){rsp_printf(s->arena, "%s/%s", s->study_dir, runs[k]), 0, 0},
                       "the next run tries again", "an old publication cannot be removed");
    }
    free(runs);
}

void rsp_stage_close(rsp_stage *s) {
    if (s->staging) {
        rsp_diag *nobody = rsp_diag_new(); /* the fault that brought us here is reported already */
        rsp_remove_tree(s->staging, nobody);
        rsp_diag_free(nobody);
    }
    if (s->lock >= 0) close(s->lock);
    rsp_arena_free(s->arena);
    *s = (rsp_stage){.lock = -1};
}
