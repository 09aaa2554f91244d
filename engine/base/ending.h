/* How the program ends when it cannot go on: without memory, by a signal, by a library that calls exit(). What stands in
 * staging is removed, one line says what happened, and the publication before stays as it was.
 *
 * Everything here works without an allocation and inside a signal handler: system calls and static memory only. Only what
 * cannot be caught (SIGKILL, the loss of power) leaves staging to the next run. */
#ifndef RESPONSIVE_BASE_ENDING_H
#define RESPONSIVE_BASE_ENDING_H

#include <stdbool.h>

/* The folder that goes with the program, NULL: none. The path is copied; one that is longer than a path may be is left to
 * the next run. */
void rsp_ending_removes(const char *dir);

/* From here on the run counts as published, whatever follows. */
void rsp_ending_published(void);

/* Ends the program with exit status 70. */
_Noreturn void rsp_ending_without_memory(void);

/* The program only tells something: nobody asks what was published, and a reader who has seen enough (a closed pipe) is no
 * mishap. */
void rsp_ending_tells_only(void);

/* For programs: from here on signals and exit() end it like that, until rsp_ending_expected(). A library that gives up
 * with exit(1) must not look like a run that only wants a look. */
void rsp_ending_watch(void);
void rsp_ending_expected(void);

#endif
