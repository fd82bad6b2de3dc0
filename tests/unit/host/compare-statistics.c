/* SPDX-License-Identifier: Apache-2.0
 *
 * The statistics of comparisons against closed forms, numerical integration, published tables and
 * numbers worked out by hand.                                                                    */
#include "compare/statistics.h"

#include <math.h>

#define PI 3.14159265358979323846

static void close_to(double value, double expected, double relative) {
  if (!(fabs(value - expected) <= relative * fabs(expected)))
    g_error("%.17g instead of %.17g", value, expected);
}

/* ---- Student's t ----------------------------------------------------------------------------- */

/* One degree: Cauchy. Two: elementary as well. */
static void test_closed(void) {
  for (double t = 0; t < 30; t += 0.37) {
    close_to(statistics_t_two_sided(t, 1), 1 - 2 / PI * atan(t), 1e-10);
    close_to(statistics_t_two_sided(-t, 2), 1 - t / sqrt(2 + t * t), 1e-10);
  }
  g_assert_true(statistics_t_two_sided(0, 7) == 1);
  g_assert_true(statistics_t_two_sided(INFINITY, 7) == 0);
  g_assert_true(isnan(statistics_t_two_sided(NAN, 7)));
}

/* The density of t, integrated by Simpson's rule. */
static double integrated(double t, int n) {
  const int pieces = 20000;
  double scale = exp(lgamma((n + 1) / 2.0) - lgamma(n / 2.0)) / sqrt(n * PI), sum = 0;
  for (int i = 0; i <= pieces; i++) {
    double x = t * i / pieces, weight = i == 0 || i == pieces ? 1 : i % 2 ? 4 : 2;
    sum += weight * pow(1 + x * x / n, -(n + 1) / 2.0);
  }
  return 1 - 2 * scale * sum * t / pieces / 3;
}

static void test_integral(void) {
  static const int freedoms[] = {3, 4, 5, 8, 9, 30, 99, 200};
  for (guint i = 0; i < G_N_ELEMENTS(freedoms); i++)
    for (double t = 0.1; t < 4; t += 0.3)
      g_assert_cmpfloat_with_epsilon(statistics_t_two_sided(t, freedoms[i]),
                                     integrated(t, freedoms[i]), 1e-11);
}

/* scipy 1.17.1: 2 * scipy.stats.t.sf(t, n). The last have lost all digits where 1 is subtracted. */
static void test_tail(void) {
  static const struct {
    double t;
    int n;
    double p;
  } rows[] = {
      {0.5, 3, 0.651447964848151},     {2, 4, 0.11611652351681556},
      {2, 7, 0.08561932856297605},     {4.5, 5, 0.0063995363463242964},
      {10, 4, 0.000562003622715991},   {100, 2, 9.998500249956258e-05},
      {30, 9, 2.4837047041582635e-10}, {8, 40, 7.905084110104538e-10},
  };
  for (guint i = 0; i < G_N_ELEMENTS(rows); i++)
    close_to(statistics_t_two_sided(rows[i].t, rows[i].n), rows[i].p, 1e-11);
}

/* The 0.975 quantiles of the usual table (Fisher & Yates, Statistical Tables, III), with the digits
 * of scipy 1.17.1, scipy.stats.t.ppf(0.975, n).                                                  */
static void test_quantile(void) {
  static const struct {
    int n;
    double t;
  } rows[] = {{1, 12.706204736174694},  {2, 4.302652729749462},  {3, 3.1824463052837078},
              {4, 2.7764451051977934},  {5, 2.5705818356363146}, {9, 2.262157162798205},
              {10, 2.228138851986274},  {29, 2.045229642132703}, {30, 2.0422724563012378},
              {120, 1.9799304050824402}};
  for (guint i = 0; i < G_N_ELEMENTS(rows); i++)
    close_to(statistics_t_quantile(0.95, rows[i].n), rows[i].t, 1e-12);
}

/* ---- spread ---------------------------------------------------------------------------------- */

static void test_spread(void) {
  static const double values[] = {2, 4, 4, 4, 5, 5, 7, 9}; /* sum of squares about 5: 32 */
  Spread spread = statistics_spread(values, 8, 0.95);
  g_assert_cmpint(spread.n, ==, 8);
  close_to(spread.mean, 5, 1e-15);
  close_to(spread.sd, sqrt(32.0 / 7), 1e-15);
  close_to(spread.high - 5, 2.364624251592785 * sqrt(32.0 / 7 / 8), 1e-12);
  close_to(5 - spread.low, spread.high - 5, 1e-12);
}

static void test_spread_of_few(void) {
  static const double one[] = {3}, same[] = {0.1, 0.1, 0.1};
  Spread none = statistics_spread(one, 0, 0.95), single = statistics_spread(one, 1, 0.95);
  g_assert_true(none.n == 0 && isnan(none.mean));
  g_assert_true(single.mean == 3 && isnan(single.sd) && isnan(single.low) && isnan(single.high));
  Spread flat = statistics_spread(same, 3, 0.95);
  g_assert_cmpfloat_with_epsilon(flat.sd, 0, 1e-16);
  g_assert_cmpfloat_with_epsilon(flat.high, flat.low, 1e-15);
}

/* ---- pairs ----------------------------------------------------------------------------------- */

/* Two drugs against sleeplessness (Student: The probable error of a mean. Biometrika 6, 1908):
 * t = -4.0621, p = 0.00283 in every textbook; the digits are scipy's ttest_rel.                  */
static void test_student(void) {
  static const double a[] = {0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0};
  static const double b[] = {1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4};
  Paired paired = statistics_paired(a, b, 10);
  g_assert_cmpuint(paired.pairs, ==, 10);
  close_to(paired.p, 0.002832890197384273, 1e-11);
  close_to(statistics_paired(b, a, 10).p, paired.p, 1e-15);
}

/* By hand: differences 1, 2, 3 have mean 2 and sd 1, so t = 2 sqrt(3), n = 2:
 * p = 1 - t / sqrt(2 + t^2) = 1 - sqrt(12 / 14).                                                 */
static void test_by_hand(void) {
  static const double a[] = {11, 22, 33}, b[] = {10, 20, 30};
  close_to(statistics_paired(a, b, 3).p, 1 - sqrt(12.0 / 14), 1e-12);
}

static void test_constant(void) {
  static const double a[] = {1.5, 2.5, 3.5}, b[] = {1.25, 2.25, 3.25};
  static const double c[] = {0.3, 0.6, 0.9}, d[] = {0.2, 0.5, 0.8}; /* 0.1, but for rounding */
  Paired shifted = statistics_paired(a, b, 3), rounded = statistics_paired(c, d, 3);
  g_assert_true(shifted.constant && isnan(shifted.p));
  g_assert_true(rounded.constant && isnan(rounded.p));
  Paired equal = statistics_paired(a, a, 3),
         zeros = statistics_paired((double[]){0, 0}, (double[]){0, 0}, 2);
  g_assert_true(!equal.constant && equal.p == 1);
  g_assert_true(!zeros.constant && zeros.p == 1);
  Paired single = statistics_paired(a, b, 1);
  g_assert_true(!single.constant && isnan(single.p));
}

/* ---- Holm ------------------------------------------------------------------------------------ */

/* 4 x 0.005, 3 x 0.01, 2 x 0.03, and 0.04 raised to what is before it. */
static void test_holm(void) {
  static const double p[] = {0.01, 0.04, NAN, 0.03, 0.005};
  double adjusted[5];
  statistics_holm(p, 5, adjusted);
  close_to(adjusted[0], 0.03, 1e-14);
  close_to(adjusted[1], 0.06, 1e-14);
  g_assert_true(isnan(adjusted[2]));
  close_to(adjusted[3], 0.06, 1e-14);
  close_to(adjusted[4], 0.02, 1e-14);
  statistics_holm((double[]){0.6, 0.7}, 2, adjusted);
  g_assert_true(adjusted[0] == 1 && adjusted[1] == 1);
  statistics_holm((double[]){NAN}, 1, adjusted);
  g_assert_true(isnan(adjusted[0]));
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/compare/statistics/closed", test_closed);
  g_test_add_func("/compare/statistics/integral", test_integral);
  g_test_add_func("/compare/statistics/tail", test_tail);
  g_test_add_func("/compare/statistics/quantile", test_quantile);
  g_test_add_func("/compare/statistics/spread", test_spread);
  g_test_add_func("/compare/statistics/few", test_spread_of_few);
  g_test_add_func("/compare/statistics/student", test_student);
  g_test_add_func("/compare/statistics/by-hand", test_by_hand);
  g_test_add_func("/compare/statistics/constant", test_constant);
  g_test_add_func("/compare/statistics/holm", test_holm);
  return g_test_run();
}
