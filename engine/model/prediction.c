/* Prediction interval for a further group that takes into account how uncertain the variance between few groups is, after
 * the idea of Nagashima, Noma and Furukawa (2019): the variance between groups, tau2, has a confidence distribution, the
 * further group's value given tau2 a distribution of its own, and the interval holds the middle 95 % of their mixture.
 *
 * Theirs of tau2 comes from Cochran's Q, and they draw from it; here it comes from the generalised Q of Hartung and Knapp
 * (2005) and Viechtbauer (2007),
 *
 *   Q(tau2) = sum of (y_i - mean(tau2))^2 / (v_i + tau2),
 *
 * which is chi-squared on k - 1 degrees of freedom at the true tau2: a chi-square gives the tau2 where Q takes its value, 0
 * where Q(0) is smaller. Given tau2 a further group is mean(tau2) + z tau - t se(tau2), z normal, t on k - 1, se that of
 * Hartung and Knapp with these weights. Integrals are made by quadrature, so nothing is drawn. */
#include "model/fit.h"

#include <gsl/gsl_cdf.h>
#include <gsl/gsl_integration.h>
#include <math.h>
#include <stdlib.h>

enum { ROOTS = 64, STEPS = 96 };

/* tau2 at one value of the generalised Q, and what a further group is made of there. */
struct at {
    double weight; /* of this value in the mixture */
    double mean, tau, se;
};

struct mixture {
    size_t k;
    const double *y, *v;
    double df;
    size_t n;
    struct at at[ROOTS + 1];
    double t[STEPS], t_weight[STEPS]; /* quadrature of Student's t on df */
    size_t n_z;
    double z[STEPS], z_weight[STEPS]; /* and of the normal distribution */
};

/* Q(tau2), and on the way the mean and the sum of the weights there. */
static double generalised_q(const struct mixture *m, double tau2, double *mean, double *sum) {
    double w = 0, wy = 0, q = 0;
    for (size_t i = 0; i < m->k; i++) {
        w += 1 / (m->v[i] + tau2);
        wy += m->y[i] / (m->v[i] + tau2);
    }
    for (size_t i = 0; i < m->k; i++) q += (m->y[i] - wy / w) * (m->y[i] - wy / w) / (m->v[i] + tau2);
    *mean = wy / w;
    *sum = w;
    return q;
}

/* Q falls from Q(0) to 0: where it is q < Q(0). */
static double tau2_at(const struct mixture *m, double q) {
    double low = 0, high = 0, mean, sum;
    for (size_t i = 0; i < m->k; i++) high += m->v[i] / (double) m->k;
    while (generalised_q(m, high, &mean, &sum) > q) low = high, high *= 2;
    for (int step = 0; step < 200 && high - low > 1e-14 * high; step++) {
        double middle = low + (high - low) / 2;
        if (generalised_q(m, middle, &mean, &sum) > q) low = middle;
        else high = middle;
    }
    return low + (high - low) / 2;
}

static void add_point(struct mixture *m, double tau2, double weight) {
    double mean, sum, q = generalised_q(m, tau2, &mean, &sum);
    m->at[m->n++] = (struct at){weight, mean, sqrt(tau2), sqrt(q / m->df / sum)};
}

/* Over the root of the chi-square, whose density has no pole, up to Q(0); the rest is tau2 = 0. */
static void make_points(struct mixture *m) {
    double mean, sum, most = generalised_q(m, 0, &mean, &sum), end = sqrt(fmin(most, gsl_cdf_chisq_Qinv(1e-12, m->df)));
    gsl_integration_glfixed_table *table = gsl_integration_glfixed_table_alloc(ROOTS);
    for (size_t j = 0; j < ROOTS; j++) {
        double root, weight;
        gsl_integration_glfixed_point(0, end, j, &root, &weight, table);
        double density = exp((m->df - 1) * log(root) - root * root / 2 - (m->df / 2 - 1) * M_LN2 - lgamma(m->df / 2));
        add_point(m, tau2_at(m, root * root), weight * density);
    }
    gsl_integration_glfixed_table_free(table);
    add_point(m, 0, gsl_cdf_chisq_Q(most, m->df));
}

/* The trapezoidal rule, exact to rounding where all derivatives vanish at the ends: over z, and over s with t = sinh(s). Its
 * error falls with exp(-2 pi d / step), d the distance of the integrand's poles from the real line (Trefethen and Weideman
 * 2014): over z those of Student's t, at least sqrt(df) away where tau is smaller than se. */
static void make_quadrature(struct mixture *m) {
    double constant = lgamma((m->df + 1) / 2) - lgamma(m->df / 2) - log(m->df * M_PI) / 2;
    double far = asinh(pow(1e-12, -1 / m->df) * sqrt(m->df)), s_step = 2 * far / (STEPS - 1);
    m->n_z = (size_t) ceil(16 / fmin(0.4, 0.2 * sqrt(m->df))) + 1;
    double z_step = 16 / (double) (m->n_z - 1);
    for (size_t j = 0; j < m->n_z; j++) {
        m->z[j] = -8 + z_step * (double) j;
        m->z_weight[j] = z_step * exp(-m->z[j] * m->z[j] / 2) / sqrt(2 * M_PI);
    }
    for (size_t j = 0; j < STEPS; j++) {
        double s = -far + s_step * (double) j;
        m->t[j] = sinh(s);
        m->t_weight[j] = s_step * cosh(s) * exp(constant - (m->df + 1) / 2 * log1p(m->t[j] * m->t[j] / m->df));
    }
}

/* P(further group <= x) given tau2: the narrower of the two parts is integrated over, so that what is integrated is smooth. */
static double below_at(const struct mixture *m, const struct at *a, double x) {
    double sum = 0;
    if (a->tau > a->se) {
        for (size_t j = 0; j < STEPS; j++)
            sum += m->t_weight[j] * erfc(-(x - a->mean - m->t[j] * a->se) / a->tau * M_SQRT1_2) / 2;
    } else {
        for (size_t j = 0; j < m->n_z; j++)
            sum += m->z_weight[j] * gsl_cdf_tdist_P((x - a->mean - m->z[j] * a->tau) / a->se, m->df);
    }
    return sum;
}

static double below(const struct mixture *m, double x) {
    double sum = 0;
    for (size_t j = 0; j < m->n; j++)
        if (m->at[j].weight > 1e-12) sum += m->at[j].weight * below_at(m, &m->at[j], x);
    return sum;
}

/* The x where P(further group <= x) is p: bracketed, then by false position with Illinois' rule. */
static double quantile(const struct mixture *m, double p, double centre, double width) {
    double low = centre - width, high = centre + width, f_low, f_high;
    while ((f_low = below(m, low) - p) > 0) low -= high - low;
    while ((f_high = below(m, high) - p) < 0) high += high - low;
    for (int step = 0; step < 200 && high - low > 1e-10 * width; step++) {
        double x = (low * f_high - high * f_low) / (f_high - f_low), f = below(m, x) - p;
        if (fabs(f) < 1e-12) return x;
        if (f < 0) {
            low = x, f_low = f, f_high /= 2;
        } else {
            high = x, f_high = f, f_low /= 2;
        }
    }
    return low + (high - low) / 2;
}

bool rsp_prediction_interval(size_t k, const double *estimate, const double *variance, double *lower, double *upper) {
    double mean, sum;
    *lower = *upper = NAN;
    if (k < 2) return false;
    struct mixture *m = rsp_calloc(1, sizeof *m);
    m->k = k, m->y = estimate, m->v = variance, m->df = (double) k - 1;
    bool spread = generalised_q(m, 0, &mean, &sum) > 1e-12; /* else all are the same */
    if (spread) {
        make_points(m);
        make_quadrature(m);
        double width = sqrt(generalised_q(m, 0, &mean, &sum) / sum);
        *lower = quantile(m, 0.025, mean, width);
        *upper = quantile(m, 0.975, mean, width);
    }
    free(m);
    return spread;
}
