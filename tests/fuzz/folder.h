/* A study folder in one text: each of its files begins with a line `== NAME`. */
#ifndef FUZZ_FOLDER_H
#define FUZZ_FOLDER_H

#include <assert.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

/* One name of a file, which is no way out of the folder. */
static inline bool good_name(const char *name, size_t length) {
    if (!length || length > 40 || name[0] == '.') return false;
    for (size_t k = 0; k < length; k++)
        if (!strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-", name[k]) || !name[k])
            return false;
    return true;
}

/* The next line that begins a file, or `end`. */
static inline const char *next_part(const char *from, const char *end) {
    for (const char *p = from; p < end;) {
        if (end - p > 3 && memcmp(p, "== ", 3) == 0) return p;
        const char *newline = memchr(p, '\n', (size_t) (end - p));
        if (!newline) break;
        p = newline + 1;
    }
    return end;
}

static inline void write_part(int folder, const char *name, size_t length, const char *bytes, const char *end) {
    char path[64];
    if (!good_name(name, length)) return;
    memcpy(path, name, length);
    path[length] = '\0';
    int fd = openat(folder, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0) return;
    assert(write(fd, bytes, (size_t) (end - bytes)) == end - bytes);
    close(fd);
}

/* Writes the files of the text into a folder that is there. */
static inline void write_folder(const char *folder, const char *data, size_t size) {
    const char *end = data + size;
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert(fd >= 0);
    for (const char *p = next_part(data, end); p < end;) {
        const char *name = p + 3, *newline = memchr(name, '\n', (size_t) (end - name));
        if (!newline) break;
        p = next_part(newline + 1, end);
        write_part(fd, name, (size_t) (newline - name), newline + 1, p);
    }
    close(fd);
}

#endif
