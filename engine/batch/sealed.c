#include "batch/sealed.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char MAGIC[] = "responsive sealed memory 1\n";
enum { NONCE_AT = sizeof MAGIC - 1, BOX_AT = NONCE_AT + crypto_secretbox_NONCEBYTES };

/* Not the key of the pseudonyms itself: one key, one use. */
static void key_of_memory(const unsigned char key[RSP_KEY_BYTES], unsigned char own[crypto_secretbox_KEYBYTES]) {
    static const char use[] = "memory of publications";
    crypto_generichash(own, crypto_secretbox_KEYBYTES, (const unsigned char *) use, sizeof use, key, RSP_KEY_BYTES);
}

/* ---- reading ---------------------------------------------------------------------------------------------------- */

static rsp_memory *unseal(const rsp_buf *file, const unsigned char key[RSP_KEY_BYTES]) {
    if (file->length < BOX_AT + crypto_secretbox_MACBYTES || memcmp(file->data, MAGIC, NONCE_AT) != 0) return NULL;
    unsigned char own[crypto_secretbox_KEYBYTES];
    size_t n = file->length - BOX_AT - crypto_secretbox_MACBYTES;
    unsigned char *plain = rsp_malloc(n + 1);
    key_of_memory(key, own);
    bool good = crypto_secretbox_open_easy(plain, (const unsigned char *) file->data + BOX_AT, file->length - BOX_AT,
                                           (const unsigned char *) file->data + NONCE_AT, own) == 0;
    rsp_memory *m = good ? rsp_memory_unpack((const char *) plain, n) : NULL;
    sodium_memzero(own, sizeof own);
    sodium_memzero(plain, n + 1);
    free(plain);
    return m;
}

/* The two ways out, as commands: what was lost comes back, or, on purpose, the study begins anew. */
static void report_lost(const char *study_dir, const rsp_study *s, const char *what, rsp_diag *d) {
    rsp_arena *a = rsp_arena_new();
    const char *path = rsp_path_join(a, study_dir, ".memory"), *key = rsp_pseudonym_key_path(s, a);
    rsp_report(
        d, RSP_ERR_DATA, (rsp_loc){path, 0, 0},
        rsp_printf(a,
                   "bring back from a backup %s and the key it was sealed with, %s; or, only if nobody can have kept "
                   "the earlier publications, begin anew: rm -f '%s' '%s/latest', and run again: that is the first "
                   "publication then",
                   path, key ? key : "that of the pseudonyms", path, study_dir),
        "%s: what differences to earlier publications would tell of single respondents is not known, so that "
        "nothing is published",
        what);
    rsp_arena_free(a);
}

rsp_memory *rsp_memory_open(const char *study_dir, const rsp_study *s, const unsigned char key[RSP_KEY_BYTES],
                            size_t published, rsp_diag *d) {
    rsp_arena *a = rsp_arena_new();
    const char *path = rsp_path_join(a, study_dir, ".memory");
    struct stat st;
    rsp_memory *m = NULL;
    if (lstat(path, &st) != 0) {
        if (!published) m = rsp_memory_new(s->disclosure.digest);
        else report_lost(study_dir, s, "the memory of earlier publications is gone", d);
    } else {
        rsp_buf file = {0};
        rsp_diag *quiet = rsp_diag_new();
        bool read = S_ISREG(st.st_mode) && rsp_read_file(path, &file, quiet, RSP_ERR_DATA, (rsp_loc){path, 0, 0});
        m = read ? unseal(&file, key) : NULL;
        if (!m)
            report_lost(study_dir, s, "the memory of earlier publications is damaged, or sealed with another key", d);
        rsp_diag_free(quiet);
        rsp_buf_free(&file);
    }
    if (m && rsp_memory_releases(m) < published) {
        report_lost(study_dir, s, "the memory of earlier publications is older than the publication that stands", d);
        rsp_memory_free(m);
        m = NULL;
    }
    rsp_arena_free(a);
    return m;
}

/* ---- writing ---------------------------------------------------------------------------------------------------- */

static void seal(const rsp_memory *m, const unsigned char key[RSP_KEY_BYTES], rsp_buf *file) {
    rsp_buf plain = {0};
    unsigned char own[crypto_secretbox_KEYBYTES], nonce[crypto_secretbox_NONCEBYTES];
    rsp_memory_pack(m, &plain);
    size_t n = plain.length + crypto_secretbox_MACBYTES;
    unsigned char *box = rsp_malloc(n);
    key_of_memory(key, own);
    randombytes_buf(nonce, sizeof nonce);
    crypto_secretbox_easy(box, (const unsigned char *) plain.data, plain.length, nonce, own);
    rsp_buf_puts(file, MAGIC);
    rsp_buf_add(file, (const char *) nonce, sizeof nonce);
    rsp_buf_add(file, (const char *) box, n);
    sodium_memzero(own, sizeof own);
    sodium_memzero(plain.data, plain.length);
    free(box);
    rsp_buf_free(&plain);
}

static bool write_whole(const char *path, const rsp_buf *file) {
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    bool good = fd >= 0;
    for (size_t at = 0; good && at < file->length;) {
        ssize_t n = write(fd, file->data + at, file->length - at);
        if (n < 0 && errno == EINTR) continue;
        good = n > 0;
        at += good ? (size_t) n : 0;
    }
    good = good && fsync(fd) == 0;
    if (fd >= 0 && close(fd) != 0) good = false;
    return good;
}

static bool sync_folder(const char *dir) {
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool good = fd >= 0 && fsync(fd) == 0;
    if (fd >= 0) close(fd);
    return good;
}

bool rsp_memory_save(const rsp_memory *m, const char *study_dir, const unsigned char key[RSP_KEY_BYTES], rsp_diag *d) {
    rsp_arena *a = rsp_arena_new();
    const char *path = rsp_path_join(a, study_dir, ".memory"), *fresh = rsp_path_join(a, study_dir, ".memory.new");
    rsp_buf file = {0};
    seal(m, key, &file);
    unlink(fresh); /* of a run that died: the caller holds the lock */
    bool good = write_whole(fresh, &file) && rename(fresh, path) == 0 && sync_folder(study_dir);
    if (!good) {
        rsp_report(d, RSP_ERR_OUTPUT, (rsp_loc){path, 0, 0}, "what was published stays as it was",
                   "cannot write the memory of publications: %s", strerror(errno));
        unlink(fresh);
    }
    rsp_buf_free(&file);
    rsp_arena_free(a);
    return good;
}
