/* Worlds whose truth is known: a night draws a sample of one into a frame, straight into its columns, for the studies of
 * fixtures/recovery. What is alike within a unit is alike by a normal effect of the unit under a copula, so that the
 * models hold exactly for everybody: P(y | x) is the stated one, answers within a unit are correlated. */
#ifndef RESPONSIVE_TESTS_WORLDS_H
#define RESPONSIVE_TESTS_WORLDS_H

#include "responsive/frame.h"

#include <math.h>

/* In the order of fixtures/recovery/survey.csv. */
enum variable {
    REGION,
    PAIR,
    UNIT,
    WEIGHT,
    SEX,
    AGE,
    Y,
    SKEW,
    POSITIVE,
    LIKELY,
    RARE,
    AGREE,
    OPINION,
    X,
    Z,
    EXPOSED,
    LINEAR,
    BINARY,
    ORDERED,
    KIND,
    COUNT,
    SPREAD,
    N1,
    S1 = N1 + 5,
    C1 = S1 + 5,
    O1 = C1 + 5,
    COUNTRY = O1 + 5,
    ESTIMATE,
    VARIANCE,
    F1,
    N_VARIABLES = F1 + 3
};

enum { ITEMS = 5, MOST_EFFECTS = 24 };
static const double LOADING[ITEMS] = {0.8, 0.7, 0.6, 0.7, 0.5};

/* Of one unit: effects that its members share, one for each thing drawn. */
struct night {
    rsp_frame *f;
    rsp_rng g;
    size_t units, members; /* as the world's size says */
    size_t i;              /* row to fill */
    double effect[MOST_EFFECTS];
    double further; /* what a further group would have: prediction intervals */
};

static inline double normal(struct night *t) { return rsp_rng_normal(&t->g); }
static inline double uniform(struct night *t) { return rsp_rng_uniform(&t->g); }
static inline void number(struct night *t, size_t v, double x) { t->f->columns[v].number[t->i] = x; }
static inline void answer(struct night *t, size_t v, int code) { rsp_set_code(&t->f->columns[v], t->i, code); }
static inline double logistic(double x) { return 1 / (1 + exp(-x)); }

static inline void new_unit(struct night *t) {
    for (size_t k = 0; k < MOST_EFFECTS; k++) t->effect[k] = normal(t);
}

/* Standard normal with the share `alike` of its variance between units. */
static inline double shared(struct night *t, size_t k, double alike) {
    return sqrt(alike) * t->effect[k] + sqrt(1 - alike) * normal(t);
}

/* Uniform in the same way. */
static inline double rank_of(struct night *t, size_t k, double alike) {
    return 0.5 * erfc(-shared(t, k, alike) / sqrt(2));
}

/* Standardised gamma of shape 4: skewness 1, excess kurtosis 1.5. */
static inline double skewed(struct night *t) {
    double sum = 0;
    for (int k = 0; k < 4; k++) sum -= log(uniform(t));
    return (sum - 4) / 2;
}

/* The category into which u falls, given the cumulative shares of all but the last. */
static inline int cut(double u, const double *cumulative, int n) {
    int k = 0;
    while (k < n - 1 && u > cumulative[k]) k++;
    return k;
}

static inline void ordered(struct night *t, size_t v, double u, double predictor) {
    const double at[] = {logistic(-1 - predictor), logistic(0.2 - predictor), logistic(1.2 - predictor)};
    answer(t, v, cut(u, at, 4));
}

/* Quantile of a count with first probability p and P(k + 1) = P(k) (a + b k) / (k + 1). */
static inline double count_of(double u, double p, double a, double b) {
    double k = 0;
    for (double sum = p; u > sum && k < 1000; k++) {
        p *= (a + b * k) / (k + 1);
        sum += p;
    }
    return k;
}

/* Outcomes of the regressions: x varies between units for 30 %, z for all of its variance. */
static void draw_outcomes(struct night *t, double x, double z) {
    const double alike = 0.1, p = exp(0.2 + 0.5 * x), q = exp(-0.3 - 0.4 * x),
                 kind[] = {1 / (1 + p + q), (1 + p) / (1 + p + q)};
    double mean = exp(0.5 + 0.4 * x), wide = exp(0.8 + 0.4 * x), theta = 2;
    bool exposed = uniform(t) < 0.4;
    number(t, X, x);
    number(t, Z, z);
    number(t, LINEAR, 1 + 0.5 * x + 0.3 * z + shared(t, 1, alike));
    answer(t, BINARY, rank_of(t, 2, alike) < logistic(-0.3 + 0.8 * x));
    ordered(t, ORDERED, rank_of(t, 3, alike), 0.8 * x);
    answer(t, KIND, cut(rank_of(t, 4, alike), kind, 3));
    number(t, COUNT, count_of(rank_of(t, 5, alike), exp(-mean), mean, 0));
    number(t, SPREAD,
           count_of(rank_of(t, 6, alike), pow(theta / (theta + wide), theta), theta * wide / (theta + wide),
                    wide / (theta + wide)));
    answer(t, EXPOSED, exposed);
    answer(t, RARE, uniform(t) < logistic(-2.2 + 1.2 * exposed));
}

/* ---- by design -------------------------------------------------------------------------------------------------- */

/* Two regions, 70 and 30 % of the population, half of the sample each; weights vary within them too. */
static void draw_design(struct night *t) {
    static const double opinion[] = {0.1, 0.3, 0.5, 0.8};
    for (size_t c = 0; c < t->units; c++) {
        new_unit(t);
        for (size_t m = 0; m < t->members; m++, t->i++) {
            bool b = 2 * c >= t->units;
            int sex = uniform(t) < 0.5;
            double y = 3 + b + 0.5 * sex + shared(t, 7, 0.1);
            answer(t, REGION, b);
            number(t, PAIR, (double) (c / 2));
            number(t, UNIT, (double) c);
            number(t, WEIGHT, (b ? 0.6 : 1.4) * (0.6 + 0.8 * uniform(t)));
            answer(t, SEX, sex);
            answer(t, AGE, (int) (3 * uniform(t)));
            number(t, Y, y);
            number(t, SKEW, exp(0.8 * shared(t, 8, 0.1)));
            number(t, POSITIVE, 4 + 0.5 * y + 0.5 * shared(t, 9, 0.1));
            answer(t, LIKELY, rank_of(t, 10, 0.05) < (b ? 0.75 : 0.6));
            answer(t, AGREE, cut(rank_of(t, 11, 0.05), opinion, 5));
            answer(t, OPINION, cut(rank_of(t, 12, 0.05), opinion, 5));
            draw_outcomes(t, shared(t, 13, 0.3), 0);
            answer(t, RARE, rank_of(t, 14, 0.05) < (b ? 0.08 : 0.04));
        }
    }
}

/* Women are 60 % of the population and answer half as often as men; the young 30, the middle 40 %. */
static void draw_raked(struct night *t) {
    static const double sex[] = {0.3 / 0.7}, age[] = {0.15 / 0.77, 0.47 / 0.77};
    for (size_t c = 0; c < t->units; c++) {
        new_unit(t);
        for (size_t m = 0; m < t->members; m++, t->i++) {
            int man = cut(uniform(t), sex, 2), old = cut(uniform(t), age, 3);
            number(t, PAIR, (double) (c / 2));
            number(t, UNIT, (double) c);
            number(t, WEIGHT, 0.8 + 0.4 * uniform(t));
            answer(t, SEX, man);
            answer(t, AGE, old);
            number(t, Y, 2 + man + 0.5 * old + shared(t, 7, 0.1));
            draw_outcomes(t, shared(t, 13, 0.3), t->effect[15]);
        }
    }
}

/* ---- groups, factors, countries --------------------------------------------------------------------------------- */

static void draw_groups(struct night *t) {
    for (size_t c = 0; c < t->units; c++) {
        new_unit(t);
        const double *u = t->effect;
        for (size_t m = 0; m < t->members; m++, t->i++) {
            double x = shared(t, 13, 0.1), z = u[15], person = normal(t);
            number(t, UNIT, (double) c);
            number(t, X, x);
            number(t, Z, z);
            number(t, Y, 1 + 0.5 * x + 0.7 * z + 0.5 * u[0] + normal(t));
            number(t, LINEAR, 1 + 0.5 * u[1] + (0.5 + 0.4 * u[2]) * x + normal(t));
            answer(t, BINARY, uniform(t) < logistic(-0.2 + 0.6 * x + 0.5 * z + 0.8 * u[3]));
            ordered(t, ORDERED, uniform(t), 0.6 * x + 0.5 * z + 0.8 * u[4]);
            for (size_t k = 0; k < 3; k++) number(t, N1 + k, 0.5 * u[5] + sqrt(0.5) * person + sqrt(0.75) * normal(t));
        }
    }
}

static void draw_latent(struct night *t) {
    static const double answers[] = {0.16, 0.5, 0.8};
    for (size_t c = 0; c < t->units; c++) {
        new_unit(t);
        for (size_t m = 0; m < t->members; m++, t->i++) {
            double factor[4] = {normal(t), skewed(t), shared(t, 0, 0.2), normal(t)};
            number(t, UNIT, (double) c);
            number(t, WEIGHT, 0.5 + uniform(t));
            for (size_t k = 0; k < ITEMS; k++) {
                double own = sqrt(1 - LOADING[k] * LOADING[k]), level = (double) k;
                number(t, N1 + k, level + LOADING[k] * factor[0] + own * normal(t));
                number(t, S1 + k, level + LOADING[k] * factor[1] + own * skewed(t));
                number(t, C1 + k, level + LOADING[k] * factor[2] + own * shared(t, 1 + k, 0.1));
                double latent = LOADING[k] * factor[3] + own * normal(t);
                answer(t, O1 + k, cut(0.5 * erfc(-latent / sqrt(2)), answers, 4));
            }
        }
    }
}

/* Coefficients of y differ between countries with a standard deviation of 0.1, those of the other outcome do not. */
static void draw_countries(struct night *t) {
    static const double slope[] = {0.4, 0.2, 0};
    for (size_t c = 0; c < t->units; c++) {
        new_unit(t);
        for (size_t m = 0; m < t->members; m++, t->i++) {
            double y = t->effect[3] + normal(t), same = t->effect[4] + normal(t);
            answer(t, COUNTRY, (int) c);
            for (size_t k = 0; k < 3; k++) {
                double x = normal(t);
                number(t, F1 + k, x);
                y += (slope[k] + 0.1 * t->effect[k]) * x;
                same += slope[k] * x;
            }
            number(t, Y, y);
            number(t, LINEAR, same);
        }
    }
    t->further = slope[0] + 0.1 * normal(t);
}

static void draw_pooled(struct night *t) {
    for (; t->i < t->units; t->i++) {
        double variance = (0.5 + uniform(t)) / (double) t->members;
        number(t, ESTIMATE, 0.3 + 0.15 * normal(t) + sqrt(variance) * normal(t));
        number(t, VARIANCE, variance);
    }
    t->further = 0.3 + 0.15 * normal(t);
}

static void draw_missing(struct night *t) {
    for (; t->i < t->f->n; t->i++) {
        double x = normal(t);
        number(t, X, x);
        number(t, Y, 1 + 0.5 * x + normal(t));
        answer(t, BINARY, uniform(t) < logistic(-0.3 + 0.8 * x));
        if (uniform(t) < logistic(-1 + x)) rsp_set_missing(t->f, Y, t->i, RSP_NA_SKIPPED);
        if (uniform(t) < logistic(-1 + 0.8 * x)) rsp_set_missing(t->f, BINARY, t->i, RSP_NA_SKIPPED);
    }
}

#endif
