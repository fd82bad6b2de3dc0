/* SPDX-License-Identifier: Apache-2.0
 *
 * Means, intervals, tests. */
#include "statistics.h"

#include <float.h>
#include <math.h>

#define PI 3.14159265358979323846

/* ---- Student's t ----------------------------------------------------------------------------- */

/* P(|T| <= t): Abramowitz & Stegun 26.7.3 (odd) and 26.7.4 (even), theta = atan(t / sqrt(n)). */
static double inside(double t, gint64 freedom) {
  double theta = atan(t / sqrt((double)freedom)), cosine = cos(theta);
  double term = freedom % 2 ? cosine : 1, sum = freedom == 1 ? 0 : term;
  for (gint64 k = freedom % 2 ? 3 : 2; k < freedom; k += 2) {
    term *= (double)(k - 1) / (double)k * cosine * cosine;
    sum += term;
  }
  return freedom % 2 ? 2 / PI * (theta + sin(theta) * sum) : sin(theta) * sum;
}

/* P(|T| > t) = I_x(n/2, 1/2), x = n / (n + t^2), by the power series of the incomplete beta
 * function: all of its terms are positive, so that a small p keeps its digits, which 1 less
 * something near 1 would lose.                                                                   */
static double outside(double t, gint64 freedom) {
  double a = (double)freedom / 2, x = (double)freedom / ((double)freedom + t * t);
  double coefficient = 1, sum = 1 / a;
  for (int k = 1; k < 10000; k++) {
    coefficient *= (k - 0.5) / k * x;
    double term = coefficient / (a + k);
    sum += term;
    if (term < sum * DBL_EPSILON) break;
  }
  double log_beta = lgamma(a) + lgamma(0.5) - lgamma(a + 0.5);
  return exp(a * log(x) - log_beta) * sum;
}

double statistics_t_two_sided(double t, gint64 freedom) {
  t = fabs(t);
  if (isnan(t) || freedom < 1) return NAN;
  if (isinf(t)) return 0;
  double most = inside(t, freedom);
  return most < 0.9 ? 1 - most : outside(t, freedom);
}

double statistics_t_quantile(double level, gint64 freedom) {
  double low = 0, high = 1, p = 1 - level;
  while (statistics_t_two_sided(high, freedom) > p && high < DBL_MAX / 4) high *= 2;
  for (int i = 0; i < 200 && high - low > high * DBL_EPSILON; i++) {
    double middle = low + (high - low) / 2;
    if (statistics_t_two_sided(middle, freedom) > p)
      low = middle;
    else
      high = middle;
  }
  return low + (high - low) / 2;
}

/* ---- one sample ------------------------------------------------------------------------------ */

static double mean_of(const double *values, gsize count) {
  double sum = 0;
  for (gsize i = 0; i < count; i++) sum += values[i];
  return sum / (double)count;
}

static double deviation(const double *values, gsize count, double mean) {
  double sum = 0;
  for (gsize i = 0; i < count; i++) sum += (values[i] - mean) * (values[i] - mean);
  return sqrt(sum / (double)(count - 1));
}

Spread statistics_spread(const double *values, gsize count, double level) {
  Spread spread = {(gint64)count, NAN, NAN, NAN, NAN};
  if (count > 0) spread.mean = mean_of(values, count);
  if (count < 2) return spread;
  spread.sd = deviation(values, count, spread.mean);
  double half = statistics_t_quantile(level, (gint64)count - 1) * spread.sd / sqrt((double)count);
  spread.low = spread.mean - half;
  spread.high = spread.mean + half;
  return spread;
}

/* ---- pairs ----------------------------------------------------------------------------------- */

Paired statistics_paired(const double *a, const double *b, gsize count) {
  Paired result = {count, NAN, FALSE};
  if (count < 2) return result;
  double *differences = g_new(double, count), largest = 0;
  for (gsize i = 0; i < count; i++) {
    differences[i] = a[i] - b[i];
    largest = fmax(largest, fmax(fabs(a[i]), fabs(b[i])));
  }
  double mean = mean_of(differences, count), sd = deviation(differences, count, mean);
  double rounding = 16 * DBL_EPSILON * largest;
  if (sd > rounding)
    result.p = statistics_t_two_sided(mean / (sd / sqrt((double)count)), (gint64)count - 1);
  else if (fabs(mean) <= rounding)
    result.p = 1;
  else
    result.constant = isfinite(mean);
  g_free(differences);
  return result;
}

/* The smallest p times the number of tests, the next times one less, and so on; never less than
 * the one before, never more than 1.                                                             */
void statistics_holm(const double *p, gsize count, double *adjusted) {
  gsize tests = 0;
  for (gsize i = 0; i < count; i++) {
    adjusted[i] = NAN;
    tests += !isnan(p[i]);
  }
  double before = 0;
  for (gsize left = tests; left > 0; left--) {
    gsize smallest = count;
    for (gsize i = 0; i < count; i++)
      if (!isnan(p[i]) && isnan(adjusted[i]) && (smallest == count || p[i] < p[smallest]))
        smallest = i;
    before = fmin(1, fmax(before, (double)left * p[smallest]));
    adjusted[smallest] = before;
  }
}
