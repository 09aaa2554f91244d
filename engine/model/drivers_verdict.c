/* What a factor's numbers amount to. The rules stand in specs/glossary.md in the same order; who changes one changes
 * the other. Size is the standardised pooled coefficient, clear means an adjusted p below 0.05. */
#include "model/drivers.h"

#include <math.h>

static const double CLEAR = 0.05;
enum { FEWEST_GROUPS = 3 };

/* Does the estimate change its sign when something is left out? */
static bool unstable(const drv_run *x, size_t k) {
    for (size_t j = 0; j < x->n_variants; j++)
        if (x->variant[j].b[k] * x->factor[k].pool.mean < 0) return true;
    return false;
}

/* The factor's own part beside the others. */
static drv_role role_of(const drv_factor *f) {
    bool own = f->all_adjusted < CLEAR, alone = f->alone.p < CLEAR;
    if (own) return alone && f->alone.estimate * f->all.estimate > 0 ? DRV_ROLE_OWN : DRV_ROLE_SUPPRESSED;
    return alone ? DRV_ROLE_SHARED : DRV_ROLE_NONE;
}

/* Is its part a matter of the group? Slopes must differ by more than chance, and either some groups lie clearly on each
 * side of zero, or some lie clearly on one while their mean does not, or one lies on the other side and a further group
 * may lie there by more than the smallest size. */
static bool depends(const drv_run *x, const drv_factor *f) {
    double least = x->a->model.drivers.smallest;
    if (!(f->wald_adjusted < CLEAR)) return false;
    if (f->clearly_positive && f->clearly_negative) return true;
    if (!(f->pool_adjusted < CLEAR) && f->clearly_positive + f->clearly_negative > 0) return true;
    return f->opposite && f->prediction.lower * f->to_standard < -least && f->prediction.upper * f->to_standard > least;
}

static drv_verdict verdict_of(const drv_run *x, size_t k) {
    const drv_factor *f = &x->factor[k];
    double size = f->pool.mean * f->to_standard, least = x->a->model.drivers.smallest;
    if (f->n_pooled < FEWEST_GROUPS) return DRV_TOO_FEW;
    if (depends(x, f)) return DRV_DEPENDS;
    if (!(f->pool_adjusted < CLEAR) || fabs(size) < least) return DRV_NO_CLEAR_ROLE;
    if (size < 0) return f->clearly_positive ? DRV_DEPENDS : DRV_BLOCKER;
    if (f->clearly_negative || 3 * f->positive < 2 * f->n_pooled) return DRV_DEPENDS;
    if (f->net && f->net_all.upper < 0) return DRV_BLOCKER;
    bool everywhere = f->positive == f->n_pooled && f->prediction.lower > 0 && !unstable(x, k);
    return everywhere ? DRV_ENABLER_EVERYWHERE : DRV_ENABLER_IN_MOST;
}

void drv_judge(drv_run *x) {
    for (size_t k = 0; k < x->n_factors; k++) {
        drv_factor *f = &x->factor[k];
        f->judged = drv_known(&f->all) && !isnan(f->all.p) && !isnan(f->to_standard);
        if (!f->judged) continue;
        f->role = role_of(f);
        f->verdict = verdict_of(x, k);
    }
}

const char *drv_role_word(drv_role r) {
    static const char *const words[] = {[DRV_ROLE_OWN] = "own",
                                        [DRV_ROLE_SHARED] = "shared",
                                        [DRV_ROLE_SUPPRESSED] = "suppressed",
                                        [DRV_ROLE_NONE] = "none"};
    return words[r];
}

const char *drv_verdict_word(drv_verdict v) {
    static const char *const words[] = {[DRV_ENABLER_EVERYWHERE] = "enabler_everywhere",
                                        [DRV_ENABLER_IN_MOST] = "enabler_in_most",
                                        [DRV_DEPENDS] = "depends_on_country",
                                        [DRV_NO_CLEAR_ROLE] = "no_clear_role",
                                        [DRV_BLOCKER] = "blocker",
                                        [DRV_TOO_FEW] = "too_few_countries"};
    return words[v];
}
