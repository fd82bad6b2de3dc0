/* SPDX-License-Identifier: Apache-2.0
 *
 * The statistics of a comparison: pure functions of numbers. What is not defined (a deviation of
 * one number, a test of one pair) is NaN. */
#ifndef HOST_COMPARE_STATISTICS_H
#define HOST_COMPARE_STATISTICS_H

#include <glib.h>

/* P(|T| > |t|) for Student's t with `freedom` degrees, 1 or more; NaN for a t that is NaN. */
double statistics_t_two_sided(double t, gint64 freedom);
/* The t with P(|T| <= t) = level, which is more than 0 and less than 1. */
double statistics_t_quantile(double level, gint64 freedom);

typedef struct {
  gint64 n;
  double mean;      /* NaN of nothing */
  double sd;        /* with n - 1; NaN below two numbers */
  double low, high; /* interval of the mean by Student's t; NaN below two numbers */
} Spread;
Spread statistics_spread(const double *values, gsize count, double level);

typedef struct {
  gsize pairs;
  double p;          /* two-sided; 1 where all pairs are equal; NaN where it is not defined */
  gboolean constant; /* every pair differs by the same number, not 0: there is nothing to test */
} Paired;
/* Student's t-test of the differences of pairs. Differences that vary by no more than the rounding
 * of the numbers are taken for constant.                                                         */
Paired statistics_paired(const double *a, const double *b, gsize count);

/* Holm's step-down correction; what is NaN is no test and stays NaN. */
void statistics_holm(const double *p, gsize count, double *adjusted);

#endif
