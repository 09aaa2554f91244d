/* Reference distributions. GSL's tails of t and F lose digits far out (relative error about 1e-6), and p values are
 * promised to 1e-4 there: the regularised incomplete beta function is computed here by its continued fraction
 * (Press et al. 2007, section 6.4, evaluated by Lentz's method) with the logarithm of its prefactor. */
#include "responsive/base.h"

#include <gsl/gsl_cdf.h>
#include <math.h>

static double beta_fraction(double x, double a, double b) {
    const double tiny = 1e-300;
    double c = 1, d = 1 - (a + b) * x / (a + 1);
    if (fabs(d) < tiny) d = tiny;
    d = 1 / d;
    double h = d;
    for (int m = 1; m <= 100000; m++) {
        double k = m, even = k * (b - k) * x / ((a + 2 * k - 1) * (a + 2 * k));
        d = 1 + even * d;
        c = 1 + even / c;
        if (fabs(d) < tiny) d = tiny;
        if (fabs(c) < tiny) c = tiny;
        d = 1 / d;
        h *= d * c;
        double odd = -(a + k) * (a + b + k) * x / ((a + 2 * k) * (a + 2 * k + 1));
        d = 1 + odd * d;
        c = 1 + odd / c;
        if (fabs(d) < tiny) d = tiny;
        if (fabs(c) < tiny) c = tiny;
        d = 1 / d;
        double factor = d * c;
        h *= factor;
        if (fabs(factor - 1) < 1e-16) break;
    }
    return h;
}

/* log of 1/B(a,b), by the difference of lgamma at neighbouring arguments where a is large (lgamma_r: no global sign). */
static double log_inverse_beta(double a, double b) {
    int sign;
    return lgamma_r(a + b, &sign) - lgamma_r(a, &sign) - lgamma_r(b, &sign);
}

/* I_x(a,b) given x and y = 1 - x, both to full precision. */
static double beta_inc(double x, double y, double a, double b) {
    if (x <= 0) return 0;
    if (y <= 0) return 1;
    double front = exp(log_inverse_beta(a, b) + a * log(x) + b * log(y));
    if (x < (a + 1) / (a + b + 2)) return front * beta_fraction(x, a, b) / a;
    return 1 - front * beta_fraction(y, b, a) / b;
}

double rsp_t_two_sided(double t, double df) {
    if (isnan(t)) return NAN;
    if (isnan(df) || isinf(df)) return erfc(fabs(t) / sqrt(2));
    if (df <= 0) return NAN;
    double s = t * t;
    if (isinf(s)) return 0;
    return beta_inc(df / (df + s), s / (df + s), df / 2, 0.5);
}

double rsp_f_upper(double f, double df1, double df2) {
    if (isnan(f) || !(df1 > 0)) return NAN;
    if (f <= 0) return 1;
    if (isnan(df2) || isinf(df2)) return rsp_chisq_upper(f * df1, df1);
    if (df2 <= 0) return NAN;
    double s = df1 * f;
    return beta_inc(df2 / (df2 + s), s / (df2 + s), df2 / 2, df1 / 2);
}

double rsp_chisq_upper(double x, double df) {
    return isnan(x) || !(df > 0) ? NAN : x <= 0 ? 1 : gsl_cdf_chisq_Q(x, df);
}

double rsp_normal_quantile(double p) { return gsl_cdf_ugaussian_Pinv(p); }

double rsp_t_quantile(double p, double df) {
    if (isnan(p)) return NAN;
    if (isnan(df) || isinf(df)) return rsp_normal_quantile(p);
    if (df <= 0) return NAN;
    if (p == 0.5) return 0;
    double tail = p < 0.5 ? p : 1 - p, t = fabs(gsl_cdf_tdist_Qinv(tail, df));
    for (int step = 0; step < 3; step++) { /* Newton on the log of the tail: GSL's start has six good digits */
        double q = rsp_t_two_sided(t, df) / 2;
        double density = exp(log_inverse_beta(df / 2, 0.5) - 0.5 * log(df) - (df + 1) / 2 * log1p(t * t / df));
        if (!(density > 0) || !(q > 0)) break;
        t += (q - tail) / density;
    }
    return p < 0.5 ? -t : t;
}

double rsp_beta_quantile(double p, double a, double b) {
    if (isnan(p) || !(a > 0) || !(b > 0)) return NAN;
    if (p <= 0) return 0;
    if (p >= 1) return 1;
    double x = gsl_cdf_beta_Pinv(p, a, b);
    for (int step = 0; step < 4 && x > 0 && x < 1; step++) {
        double error = beta_inc(x, 1 - x, a, b) - p;
        double density = exp(log_inverse_beta(a, b) + (a - 1) * log(x) + (b - 1) * log1p(-x));
        double next = x - error / density;
        if (!(density > 0) || !(next > 0 && next < 1)) break;
        x = next;
    }
    return x;
}
