/* Parts of a publication side by side. Charts, briefs and workbooks deal out their files as tasks of one team, so that no
 * thread waits at the end of one kind while another is still to be made. */
#include "together.h"

#include "fonts.h"
#include "responsive/render.h"

#include <stdlib.h>

struct each {
    bool (*make)(void *context, size_t k);
    void *context;
    size_t next, failed;
};

static void make_next(struct each *e) {
    size_t k;
#pragma omp atomic capture
    k = e->next++;
    if (e->make(e->context, k)) return;
#pragma omp atomic
    e->failed++;
}

/* Tasks, not a task loop: libgomp runs a loop of more than 64 tasks a thread at once, on the thread that came to it. A task
 * takes what comes next rather than a file of its own: libgomp hands tasks out from both ends of its queue. */
bool rsp_make_each(size_t n, bool (*make)(void *context, size_t k), void *context) {
    struct each each = {.make = make, .context = context}, *e = &each;
#pragma omp taskgroup
    for (size_t task = 0; task < n; task++) {
#pragma omp task firstprivate(e)
        make_next(e);
    }
    return each.failed == 0;
}

/* The parts stand in no group: a thread that waited for one would not take the files of another. */
bool rsp_render_together(const rsp_publication *p, size_t n, rsp_renderer *const *parts, rsp_diag *d) {
    size_t failed = 0;
    int team = rsp_threads() < RSP_FONT_THREADS ? rsp_threads() : RSP_FONT_THREADS;
#pragma omp parallel num_threads(team)
#pragma omp single nowait
    for (size_t k = 0; k < n; k++) {
#pragma omp task firstprivate(k) shared(failed)
        if (!parts[k](p, d)) {
#pragma omp atomic
            failed++;
        }
    }
    return failed == 0;
}
