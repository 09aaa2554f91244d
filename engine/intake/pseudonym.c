/* Pseudonyms of respondents: BLAKE2b of the study and the id under a secret key (libsodium). Whoever holds the key can tell
 * whose row is meant by computing the pseudonym of an id; whoever does not, cannot, even by trying all ids. The key is in a
 * file of the user's, not of the study's and never below the publications. */
#include "reader.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pwd.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { KEY_TEXT = 2 * RSP_KEY_BYTES, SHOWN_BYTES = 8 };

/* Where the key is: the study's word, else the user's folder of settings, without HOME (cron, containers) that of the
 * password file. NULL: there is none. */
const char *rsp_pseudonym_key_path(const rsp_study *s, rsp_arena *a) {
    const char *config = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
    if (s && s->privacy.key) return rsp_path_join(a, s->dir, s->privacy.key);
    if (config && config[0] == '/') return rsp_printf(a, "%s/responsive/pseudonyms.key", config);
    const struct passwd *user = home ? NULL : getpwuid(geteuid());
    if (user) home = user->pw_dir;
    return home && home[0] == '/' ? rsp_printf(a, "%s/.config/responsive/pseudonyms.key", home) : NULL;
}

static bool make_folder_of(const char *path, rsp_arena *a, rsp_diag *d) {
    char *dir = rsp_strdup(a, path), *slash = strrchr(dir, '/');
    if (!slash || slash == dir) return true;
    *slash = '\0';
    return rsp_make_dirs(dir, d);
}

/* Whole or not at all, also where two programs make it at once: written under another name, then linked. */
static bool make_key(const char *path, rsp_arena *a, rsp_diag *d) {
    unsigned char key[RSP_KEY_BYTES];
    char text[KEY_TEXT + 2];
    if (!make_folder_of(path, a, d)) return false;
    randombytes_buf(key, sizeof key);
    sodium_bin2hex(text, sizeof text - 1, key, sizeof key);
    strcat(text, "\n");
    char *temporary = rsp_printf(a, "%s.%ld", path, (long) getpid());
    int fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    bool good = fd >= 0 && write(fd, text, KEY_TEXT + 1) == KEY_TEXT + 1 && fsync(fd) == 0;
    if (fd >= 0 && close(fd) != 0) good = false;
    if (good) good = link(temporary, path) == 0 || errno == EEXIST;
    int why = errno;
    if (fd >= 0) unlink(temporary);
    sodium_memzero(key, sizeof key);
    sodium_memzero(text, sizeof text);
    if (good)
        rsp_report(d, RSP_NOTE, (rsp_loc){path, 0, 0},
                   "keep it safe and out of the publications: without it pseudonyms change",
                   "a key for the pseudonyms of respondents was made");
    else
        rsp_report(d, RSP_ERR_OUTPUT, (rsp_loc){path, 0, 0}, "name another file under `privacy: key`",
                   "the key of the pseudonyms cannot be made: %s", strerror(why));
    return good;
}

static bool parse_key(rsp_buf *file, unsigned char key[RSP_KEY_BYTES]) {
    size_t n = 0;
    while (file->length && strchr(" \t\r\n", file->data[file->length - 1])) file->length--;
    return file->length == KEY_TEXT &&
           sodium_hex2bin(key, RSP_KEY_BYTES, file->data, file->length, NULL, &n, NULL) == 0 && n == RSP_KEY_BYTES;
}

bool rsp_pseudonym_key(const rsp_study *s, unsigned char key[RSP_KEY_BYTES], rsp_diag *d) {
    rsp_arena *a = rsp_arena_new();
    rsp_buf file = {0};
    struct stat st;
    const char *path = rsp_pseudonym_key_path(s, a);
    if (sodium_init() < 0) abort();
    if (s && s->disclosure.off &&
        !s->privacy.key) { /* public or made up: nobody to hide, so the same names everywhere */
        memset(key, 0, RSP_KEY_BYTES);
        rsp_arena_free(a);
        return true;
    }
    if (!path)
        rsp_report(d, RSP_ERR_STUDY, (rsp_loc){s ? s->path : NULL, 0, 0}, "give `privacy: {key: FILE}`",
                   "there is no place for the key of the pseudonyms: neither XDG_CONFIG_HOME nor HOME is set, and the "
                   "user has no folder");
    bool good = path && (stat(path, &st) == 0 || make_key(path, a, d));
    good = good && rsp_read_file(path, &file, d, RSP_ERR_DATA, (rsp_loc){path, 0, 0});
    if (good && !parse_key(&file, key)) {
        rsp_report(d, RSP_ERR_DATA, (rsp_loc){path, 1, 1},
                   "a key is 64 hexadecimal digits; without the file a new one is made",
                   "this is no key of pseudonyms");
        good = false;
    }
    if (good && stat(path, &st) == 0 && (st.st_mode & 077))
        rsp_report(d, RSP_NOTE, (rsp_loc){path, 0, 0}, "chmod 600", "others may read the key of the pseudonyms");
    if (file.data) sodium_memzero(file.data, file.length);
    rsp_buf_free(&file);
    rsp_arena_free(a);
    return good;
}

void rsp_pseudonym(const unsigned char key[RSP_KEY_BYTES], const char *study, const char *id, char text[24]) {
    crypto_generichash_state state;
    unsigned char hash[32];
    crypto_generichash_init(&state, key, RSP_KEY_BYTES, sizeof hash);
    crypto_generichash_update(&state, (const unsigned char *) study, strlen(study) + 1); /* with its end */
    crypto_generichash_update(&state, (const unsigned char *) id, strlen(id));
    crypto_generichash_final(&state, hash, sizeof hash);
    text[0] = 'r';
    sodium_bin2hex(text + 1, 23, hash, SHOWN_BYTES);
}

bool rsp_pseudonym_number(const char *text, uint64_t *number) {
    unsigned char bytes[SHOWN_BYTES];
    size_t n = 0;
    if (text[0] != 'r' || strlen(text) != 1 + 2 * SHOWN_BYTES) return false;
    if (sodium_hex2bin(bytes, sizeof bytes, text + 1, 2 * SHOWN_BYTES, NULL, &n, NULL) != 0 || n != sizeof bytes)
        return false;
    *number = 0;
    for (size_t k = 0; k < n; k++) *number = *number << 8 | bytes[k];
    return true;
}

uint64_t rsp_person(const rsp_frame *f, size_t row, const unsigned char key[RSP_KEY_BYTES]) {
    char cell[64], text[24];
    uint64_t number = 0;
    size_t id = f->study->roles.id;
    if (id != RSP_NONE && rsp_valid(f, id, row))
        rsp_pseudonym(key, f->study->id, rsp_cell_text(f, id, row, cell), text);
    else /* no id begins with a unit separator */
        rsp_pseudonym(key, f->study->id, (snprintf(cell, sizeof cell, "\x1f%016" PRIx64, f->answers[row]), cell), text);
    rsp_pseudonym_number(text, &number);
    return number;
}

/* ---- the forgotten ---------------------------------------------------------------------------------------------- */

const char *rsp_forgotten_path(const rsp_study *s, rsp_arena *a) {
    const char *key = rsp_pseudonym_key_path(s, a);
    return key ? rsp_printf(a, "%s.forgotten", key) : NULL;
}

/* Numbers of the list; a line that is no pseudonym is an error: who is meant must not be read past. */
static rsp_map *read_forgotten(const char *path, rsp_buf *file, rsp_diag *d) {
    rsp_map *all = rsp_map_new();
    if (access(path, F_OK) != 0) return all;
    bool good = rsp_read_file(path, file, d, RSP_ERR_DATA, (rsp_loc){path, 0, 0});
    int line = 1;
    for (char *at = file->data; good && at && *at; line++) {
        size_t length = strcspn(at, "\n");
        bool more = at[length] == '\n';
        uint64_t person;
        at[length] = '\0';
        if (length && !rsp_pseudonym_number(at, &person)) {
            rsp_report(d, RSP_ERR_DATA, (rsp_loc){path, line, 1}, "a pseudonym is an r and 16 hexadecimal digits",
                       "this is no pseudonym of a respondent");
            good = false;
        } else if (length) {
            rsp_map_put_n(all, (const char *) &person, sizeof person, 0);
        }
        at[length] = '\n';
        at += length + more;
    }
    if (good) return all;
    rsp_map_free(all);
    return NULL;
}

/* Under another name first, so that a full disk forgets nobody anew. */
static bool replace_file(const char *path, const rsp_buf *text, rsp_arena *a, rsp_diag *d) {
    char *temporary = rsp_printf(a, "%s.%ld", path, (long) getpid());
    int fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    bool good = fd >= 0 && write(fd, text->data, text->length) == (ssize_t) text->length && fsync(fd) == 0;
    if (fd >= 0 && close(fd) != 0) good = false;
    if (good && rename(temporary, path) == 0) return true;
    rsp_report(d, RSP_ERR_OUTPUT, (rsp_loc){path, 0, 0}, NULL,
               "the list of forgotten respondents cannot be written: %s", strerror(errno));
    if (fd >= 0) unlink(temporary);
    return false;
}

bool rsp_forgotten_add(const rsp_study *s, const char *pseudonym, bool *already, rsp_diag *d) {
    rsp_arena *a = rsp_arena_new();
    rsp_buf file = {0};
    const char *path = rsp_forgotten_path(s, a);
    uint64_t person = 0;
    rsp_pseudonym_number(pseudonym, &person);
    rsp_map *all = path ? read_forgotten(path, &file, d) : NULL;
    bool good = all, there = all && rsp_map_get_n(all, (const char *) &person, sizeof person) != RSP_NONE;
    *already = there;
    if (good && !there) {
        if (file.length && file.data[file.length - 1] != '\n') rsp_buf_putc(&file, '\n');
        rsp_buf_printf(&file, "%s\n", pseudonym);
        good = replace_file(path, &file, a, d);
    }
    rsp_map_free(all);
    rsp_buf_free(&file);
    rsp_arena_free(a);
    return good;
}

size_t rsp_set_forgotten_aside(rsp_frame *f, const unsigned char key[RSP_KEY_BYTES], rsp_diag *d) {
    rsp_arena *a = rsp_arena_new();
    rsp_buf file = {0};
    size_t n = 0;
    const char *path = rsp_forgotten_path(f->study, a);
    rsp_map *all = path ? read_forgotten(path, &file, d) : NULL;
    for (size_t i = 0; all && rsp_map_count(all) && i < f->n; i++) {
        uint64_t person = rsp_person(f, i, key);
        if (rsp_map_get_n(all, (const char *) &person, sizeof person) == RSP_NONE) continue;
        f->aside[i] = RSP_ASIDE_FORGOTTEN;
        n++;
    }
    rsp_map_free(all);
    rsp_buf_free(&file);
    rsp_arena_free(a);
    return n;
}
