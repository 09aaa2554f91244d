/* Densities of the answers in models with random effects, with the derivatives that Laplace's approximation and its
 * gradient need.
 *
 * Cumulative logits: F(a) - F(b) = F(a) (1 - F(b)) (1 - exp(b - a)) for the logistic F, with a = tau_y - eta and b =
 * tau_(y-1) - eta, so that the logarithm is a sum whose terms never cancel. A binary answer is the case of one threshold
 * at 0. */
#include "model/glmm.h"

#include <math.h>

static const double HALF_LOG_2PI = 0.91893853320467274178;

bool rsp_glmm_prepare(rsp_glmm_family f, size_t n_tau, const double *tau, double *gap) {
    if (f == RSP_GLMM_NORMAL) {
        gap[0] = exp(-2 * tau[0]);
        return isfinite(gap[0]) && gap[0] > 0;
    }
    for (size_t j = 1; j < n_tau; j++) {
        double d = tau[j] - tau[j - 1];
        if (!(d > 1e-10)) return false;
        gap[2 * j] = log(-expm1(-d));
        gap[2 * j + 1] = 1 / expm1(d);
    }
    return true;
}

/* Logistic F(x), its density and slope of the density, log F(x) (up) or log (1 - F(x)). */
struct logistic {
    double f, density, slope, log_f;
};

static struct logistic logistic_at(double x, bool up) {
    double e = exp(-fabs(x)), f = x > 0 ? 1 / (1 + e) : e / (1 + e), density = e / ((1 + e) * (1 + e));
    double tail = log1p(e); /* -log of the larger of F and 1 - F */
    return (struct logistic){f, density, density * (1 - 2 * f), (x > 0) == up ? -tail : -tail - fabs(x)};
}

static void add_below(rsp_glmm_row *r, double a) {
    struct logistic l = logistic_at(a, true);
    r->loglik += l.log_f;
    r->slope -= 1 - l.f;
    r->w += l.density;
    r->w_slope -= l.slope;
    r->loglik_tau[r->n_tau] = 1 - l.f;
    r->slope_tau[r->n_tau] = l.density;
    r->w_tau[r->n_tau] = l.slope;
}

static void add_above(rsp_glmm_row *r, double b) {
    struct logistic l = logistic_at(b, false);
    r->loglik += l.log_f;
    r->slope += l.f;
    r->w += l.density;
    r->w_slope -= l.slope;
    r->loglik_tau[r->n_tau] = -l.f;
    r->slope_tau[r->n_tau] = l.density;
    r->w_tau[r->n_tau] = l.slope;
}

static rsp_glmm_row ordinal_row(size_t n_tau, const double *tau, const double *gap, size_t y, double eta) {
    rsp_glmm_row r = {0};
    bool inner = y > 0 && y < n_tau;
    if (inner) r.loglik = gap[2 * y];
    if (y < n_tau) {
        add_below(&r, tau[y] - eta);
        if (inner) r.loglik_tau[0] += gap[2 * y + 1];
        r.tau[r.n_tau++] = y;
    }
    if (y > 0) {
        add_above(&r, tau[y - 1] - eta);
        if (inner) r.loglik_tau[1] -= gap[2 * y + 1];
        r.tau[r.n_tau++] = y - 1;
    }
    return r;
}

rsp_glmm_row rsp_glmm_row_at(rsp_glmm_family f, size_t n_tau, const double *tau, const double *gap, double y,
                             double eta) {
    rsp_glmm_row r = {0};
    switch (f) {
    case RSP_GLMM_ORDINAL: return ordinal_row(n_tau, tau, gap, (size_t) y, eta);
    case RSP_GLMM_LOGISTIC:
        if (y > 0) add_above(&r, -eta);
        else add_below(&r, -eta);
        return r;
    case RSP_GLMM_NORMAL: break;
    }
    double e = y - eta, square = e * e * gap[0];
    return (rsp_glmm_row){.loglik = -tau[0] - HALF_LOG_2PI - square / 2,
                          .slope = e * gap[0],
                          .w = gap[0],
                          .n_tau = 1,
                          .loglik_tau = {square - 1},
                          .slope_tau = {-2 * e * gap[0]},
                          .w_tau = {-2 * gap[0]}};
}
