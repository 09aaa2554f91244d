/* Parts of a publication side by side. Charts, briefs and workbooks deal out their files as tasks of the same team, so that
 * no thread waits at the end of one kind while another is still to be made. */
#include "responsive/render.h"

bool rsp_render_together(const rsp_publication *p, size_t n, rsp_renderer *const *parts, rsp_diag *d) {
    bool ok = true;
#pragma omp parallel num_threads(rsp_threads())
#pragma omp single
#pragma omp taskloop grainsize(1) reduction(&& : ok)
    for (size_t k = 0; k < n; k++) ok = parts[k](p, d) && ok;
    return ok;
}
