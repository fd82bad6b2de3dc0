/* SPDX-License-Identifier: Apache-2.0
 *
 * What the feed makes of x: standardised, scaled, binarised, augmented; and the statistics for it.
 * Expectations are worked out by hand.
 */
#include "feed-test.h"

#include <math.h>
#include <string.h>

/* ---- transforms ------------------------------------------------------------------------------ */

/* Two features of four training samples; the other splits must not count. */
static double few_values(AbSplit split, gint64 row, gint64 feature) {
  const double first[] = {1, 2, 3, 6};
  if (split != AB_TRAIN) return split == AB_VALIDATION ? 1000 : -1000;
  return feature == 1 ? 10 : first[row];
}

static Toy *few_toy(AbDtype real, AbDtype dtype, gboolean blocking) {
  Toy *toy = feed_test_toy_new(real, blocking, 4, 2, 2);
  toy->x.dtype = dtype;
  toy->value = few_values;
  return toy;
}

/* Mean 3 and variance (4 + 1 + 0 + 9) / 4 of the first feature; the second is 10 throughout. */
static void test_standardise(void) {
  const AbDtype types[] = {AB_F32, AB_F64};
  for (gsize t = 0; t < 4 * G_N_ELEMENTS(types); t++) {
    g_autoptr(Toy) toy = few_toy(t & 1 ? AB_F32 : AB_F64, types[t / 4], t & 2);
    FeedTransform transform = feed_test_no_transform();
    transform.standardise = true;
    FeedOptions options = feed_test_options(2);
    options.shuffle = false;
    g_autoptr(Feed) feed = feed_test_make(toy, &transform, options, 3);
    gint64 count = 0;
    const double *mean = feed_statistic(feed, "mean", &count);
    const double *std = feed_statistic(feed, "std", NULL);
    g_assert_cmpint(count, ==, 2);
    g_assert_cmpfloat_with_epsilon(mean[0], 3, 1e-12);
    g_assert_cmpfloat_with_epsilon(std[0], 1.8708286933869707, 1e-12);
    g_assert_cmpfloat(mean[1], ==, 10);
    g_assert_cmpfloat(std[1], ==, 1);
    g_assert_null(feed_statistic(feed, "scale", NULL));
    g_assert_cmpint(feed_spec(feed, "x")->range, ==, AB_RANGE_REAL);
    g_auto(Seen) seen = feed_test_pass(feed, toy, AB_TRAIN, 0, 0);
    const double expected[] = {-1.0690449676496976, 0, -0.5345224838248488, 0, 0, 0,
                               1.6035674514745464,  0};
    for (guint i = 0; i < 8; i++)
      g_assert_cmpfloat_with_epsilon(feed_test_x(&seen, i), expected[i], t & 1 ? 1e-6 : 1e-12);
    g_auto(Seen) test = feed_test_pass(feed, toy, AB_TEST, 0, 0);
    g_assert_cmpfloat_with_epsilon(feed_test_x(&test, 0), -1003 / 1.8708286933869707, 1e-3);
  }
}

/* Welford against values on which a sum of squares loses every digit. */
static double far_values(AbSplit split, gint64 row, gint64 feature) {
  (void)split;
  return 1e9 + (double)((row + feature) % 2);
}

static void test_standardise_far(void) {
  g_autoptr(Toy) toy = feed_test_toy_new(AB_F64, FALSE, 1000, 3, 0);
  toy->x.dtype = AB_F64;
  toy->value = far_values;
  FeedTransform transform = feed_test_no_transform();
  transform.standardise = true;
  g_autoptr(Feed) feed = feed_test_make(toy, &transform, feed_test_options(2), 3);
  g_assert_cmpfloat_with_epsilon(feed_statistic(feed, "mean", NULL)[0], 1e9 + 0.5, 1e-6);
  g_assert_cmpfloat_with_epsilon(feed_statistic(feed, "std", NULL)[1], 0.5, 1e-9);
}

/* Rows that are held out do not count: the largest values are made theirs. */
static GHashTable *outliers;
static double outlier_values(AbSplit split, gint64 row, gint64 feature) {
  double id = feed_test_identity(split, row);
  if (outliers && g_hash_table_contains(outliers, &id)) return 1e6;
  return (double)((row + feature) % 2);
}

static void test_statistics_held_out(void) {
  for (gint kind = 0; kind < 4; kind++) {
    g_autoptr(Toy) toy = feed_test_toy_kind(kind, 100);
    toy->value = outlier_values;
    FeedTransform transform = feed_test_no_transform();
    transform.standardise = true;
    transform.scale = (AbReals){2, (const double[]){0, 1}};
    g_autoptr(Feed) plain = feed_test_make(toy, NULL, feed_test_options(10), 3);
    g_auto(Seen) held = feed_test_pass(plain, toy, AB_VALIDATION, 0, 0);
    outliers = feed_test_once_each(&held);
    g_autoptr(Feed) feed = feed_test_make(toy, &transform, feed_test_options(10), 3);
    const double *scale = feed_statistic(feed, "scale", NULL);
    g_assert_cmpfloat(scale[0], ==, 1);
    g_assert_cmpfloat(scale[1], ==, 0);
    g_assert_cmpfloat(fabs(feed_statistic(feed, "mean", NULL)[0] - 0.5), <, 0.1);
    g_assert_cmpfloat(feed_statistic(feed, "std", NULL)[0], <, 0.51);
    g_clear_pointer(&outliers, g_hash_table_unref);
  }
}

/* 1 to 10 goes to [0, 1]; what lies outside in other splits is clipped. */
static void test_scale_unit(void) {
  g_autoptr(Toy) toy = few_toy(AB_F32, AB_F64, FALSE);
  FeedTransform transform = feed_test_no_transform();
  transform.scale = (AbReals){2, (const double[]){0, 1}};
  FeedOptions options = feed_test_options(4);
  options.shuffle = false;
  g_autoptr(Feed) feed = feed_test_make(toy, &transform, options, 3);
  g_assert_cmpint(feed_spec(feed, "x")->range, ==, AB_RANGE_UNIT);
  g_assert_cmpint(feed_spec(feed, "x")->dtype, ==, AB_F32);
  g_auto(Seen) train = feed_test_pass(feed, toy, AB_TRAIN, 0, 0);
  const double expected[] = {0, 1, 1.0 / 9, 1, 2.0 / 9, 1, 5.0 / 9, 1};
  for (guint i = 0; i < 8; i++)
    g_assert_cmpfloat_with_epsilon(feed_test_x(&train, i), expected[i], 1e-6);
  g_assert_cmpfloat(feed_test_x(&train, 1), <=, 1);
  g_auto(Seen) above = feed_test_pass(feed, toy, AB_VALIDATION, 0, 0);
  g_auto(Seen) below = feed_test_pass(feed, toy, AB_TEST, 0, 0);
  g_assert_cmpfloat(feed_test_x(&above, 0), ==, 1);
  g_assert_cmpfloat(feed_test_x(&below, 3), ==, 0);
}

static void test_scale_real(void) {
  g_autoptr(Toy) toy = few_toy(AB_F64, AB_F32, FALSE);
  toy->lengths[AB_VALIDATION] = 0;
  FeedTransform transform = feed_test_no_transform();
  transform.scale = (AbReals){2, (const double[]){-1, 2}};
  FeedOptions options = feed_test_options(4);
  options.shuffle = false;
  options.fraction = 0;
  g_autoptr(Feed) feed = feed_test_make(toy, &transform, options, 3);
  gint64 count = 0;
  const double *scale = feed_statistic(feed, "scale", &count);
  g_assert_cmpint(count, ==, 2);
  g_assert_cmpfloat_with_epsilon(scale[0], 1.0 / 3, 1e-12);
  g_assert_cmpfloat_with_epsilon(scale[1], -4.0 / 3, 1e-12);
  g_assert_cmpint(feed_spec(feed, "x")->range, ==, AB_RANGE_REAL);
  g_assert_cmpint(feed_spec(feed, "x")->dtype, ==, AB_F64);
  g_auto(Seen) seen = feed_test_pass(feed, toy, AB_TRAIN, 0, 0);
  g_assert_cmpfloat_with_epsilon(feed_test_x(&seen, 0), -1, 1e-12);
  g_assert_cmpfloat_with_epsilon(feed_test_x(&seen, 1), 2, 1e-12);
  g_assert_cmpfloat_with_epsilon(feed_test_x(&seen, 6), 2.0 / 3, 1e-12);
}

/* Scaled to [0, 10] first: 0, 10/9, 20/9, 50/9; then about their own mean 20/9. */
static void test_scale_and_standardise(void) {
  g_autoptr(Toy) toy = few_toy(AB_F64, AB_F64, FALSE);
  FeedTransform transform = feed_test_no_transform();
  transform.scale = (AbReals){2, (const double[]){0, 10}};
  transform.standardise = true;
  transform.binarise = -0.6;
  FeedOptions options = feed_test_options(4);
  options.shuffle = false;
  g_autoptr(Feed) feed = feed_test_make(toy, &transform, options, 3);
  g_assert_cmpfloat_with_epsilon(feed_statistic(feed, "mean", NULL)[0], 20.0 / 9, 1e-12);
  g_assert_cmpfloat_with_epsilon(feed_statistic(feed, "std", NULL)[0], 10 * sqrt(3.5) / 9, 1e-12);
  g_assert_cmpint(feed_spec(feed, "x")->range, ==, AB_RANGE_BINARY);
  g_auto(Seen) seen = feed_test_pass(feed, toy, AB_TRAIN, 0, 0);
  const double expected[] = {0, 1, 1, 1, 1, 1, 1, 1}; /* -1.07, -0.53, 0, 1.6 against -0.6 */
  for (guint i = 0; i < 8; i++) g_assert_cmpfloat(feed_test_x(&seen, i), ==, expected[i]);
}

static void test_binarise(void) {
  g_autoptr(Toy) toy = few_toy(AB_F32, AB_F32, TRUE);
  FeedTransform transform = feed_test_no_transform();
  transform.binarise = 2;
  FeedOptions options = feed_test_options(3);
  options.shuffle = false;
  g_autoptr(Feed) feed = feed_test_make(toy, &transform, options, 3);
  g_auto(Seen) seen = feed_test_pass(feed, toy, AB_TRAIN, 0, 0);
  const double expected[] = {0, 1, 0, 1, 1, 1, 1, 1};
  for (guint i = 0; i < 8; i++) g_assert_cmpfloat(feed_test_x(&seen, i), ==, expected[i]);
  g_assert_cmpint(feed_spec(feed, "x")->range, ==, AB_RANGE_BINARY);
  g_assert_null(feed_statistic(feed, "mean", NULL));
  g_assert_cmpint(feed_field_count(feed), ==, 3);
  g_assert_cmpstr(feed_field(feed, 0).name, ==, "x");
  g_assert_cmpint(feed_field(feed, 1).spec.dtype, ==, AB_I64);
  g_assert_cmpint(feed_field(feed, 2).spec.dtype, ==, AB_F32);
  g_assert_null(feed_spec(feed, "z"));
}

/* x of bytes and integers becomes real, if the SDK lets data declare it. */
static void test_integers(void) {
  const AbDtype types[] = {AB_U8, AB_I32, AB_I64};
  for (gsize t = 0; t < 4 * G_N_ELEMENTS(types); t++) {
    g_autoptr(Toy) toy = feed_test_toy_new(t & 1 ? AB_F32 : AB_F64, t & 2, 30, 4, 0);
    toy->x.dtype = types[t / 4];
    ab_data_open(&toy->base);
    if (!ab_ok(ab_context(&toy->base))) {
      g_test_skip("fields of integers cannot be declared");
      return;
    }
    FeedTransform transform = feed_test_no_transform();
    FeedOptions options = feed_test_options(8);
    options.shuffle = false;
    g_autoptr(Feed) plain = feed_test_make(toy, &transform, options, 3);
    g_auto(Seen) seen = feed_test_pass(plain, toy, AB_TRAIN, 0, 0);
    for (guint i = 0; i < 60; i++)
      g_assert_cmpfloat(feed_test_x(&seen, i), ==, 3 * (i / 2) + i % 2);
    transform.scale = (AbReals){2, (const double[]){0, 176}}; /* 0 to 88, doubled */
    g_autoptr(Feed) scaled = feed_test_make(toy, &transform, options, 3);
    g_auto(Seen) doubled = feed_test_pass(scaled, toy, AB_TRAIN, 0, 0);
    for (guint i = 0; i < 60; i++)
      g_assert_cmpfloat(feed_test_x(&doubled, i), ==, 2 * feed_test_x(&seen, i));
  }
}

/* ---- augment --------------------------------------------------------------------------------- */

enum { CHANNELS = 2, HEIGHT = 3, WIDTH = 4, PIXELS = CHANNELS * HEIGHT * WIDTH };

static double pixel_value(AbSplit split, gint64 row, gint64 feature) {
  return (double)(1 + feature + 100 * row + split);
}

/* Pixel by pixel: where would it have come from? */
static gboolean is_moved(const double *x, double row, gint dy, gint dx, gboolean flip) {
  for (gint p = 0; p < PIXELS; p++) {
    gint c = p / (HEIGHT * WIDTH), i = p / WIDTH % HEIGHT, j = p % WIDTH;
    gint from_i = i - dy, from_j = (flip ? WIDTH - 1 - j : j) - dx;
    gboolean inside = from_i >= 0 && from_i < HEIGHT && from_j >= 0 && from_j < WIDTH;
    double expected = inside ? 1 + 100 * row + (c * HEIGHT + from_i) * WIDTH + from_j : 0;
    if (x[p] != expected) return FALSE;
  }
  return TRUE;
}

/* The one way in which a sample was moved, as a number; fails if there is none. */
static gint way_moved(const double *x, double row, gint shift, gboolean may_flip) {
  for (gint flip = 0; flip <= may_flip; flip++)
    for (gint dy = -shift; dy <= shift; dy++)
      for (gint dx = -shift; dx <= shift; dx++)
        if (is_moved(x, row, dy, dx, flip)) return (flip * 5 + dy + 2) * 5 + dx + 2;
  g_assert_not_reached();
}

static void check_augment(AbDtype real, gint64 shift, gboolean flip, guint ways) {
  static const gint64 shape[] = {CHANNELS, HEIGHT, WIDTH};
  g_autoptr(Toy) toy = feed_test_toy_new(real, FALSE, 500, 3, 0);
  toy->x.shape[0] = PIXELS;
  toy->value = pixel_value;
  FeedTransform transform = feed_test_no_transform();
  transform.reshape = (AbInts){3, shape};
  transform.shift = shift;
  transform.flip = flip;
  g_autoptr(Feed) feed = feed_test_make(toy, &transform, feed_test_options(50), 3);
  guint counts[64] = {0}, different = 0;
  g_auto(Seen) seen = feed_test_pass(feed, toy, AB_TRAIN, 0, 0);
  for (guint s = 0; s < 500; s++) {
    const double *x = (const double *)(void *)seen.x->data + s * PIXELS;
    counts[way_moved(x, feed_test_id(&seen, s), (gint)shift, flip)]++;
  }
  for (guint w = 0; w < G_N_ELEMENTS(counts); w++) {
    different += counts[w] > 0;
    if (counts[w]) g_assert_cmpuint(counts[w], >, 500 / ways / 4);
  }
  g_assert_cmpuint(different, ==, ways);

  g_auto(Seen) validation = feed_test_pass(feed, toy, AB_VALIDATION, 0, 0);
  for (guint i = 0; i < 3 * PIXELS; i++)
    g_assert_cmpfloat(feed_test_x(&validation, i), ==,
                      pixel_value(AB_VALIDATION, i / PIXELS, i % PIXELS));
}

static void test_augment(void) {
  check_augment(AB_F32, 1, FALSE, 9);
  check_augment(AB_F64, 2, FALSE, 25);
  check_augment(AB_F32, 0, TRUE, 2);
  check_augment(AB_F64, 1, TRUE, 18);
}

/* Another epoch or seed moves the same samples otherwise. */
static void test_augment_streams(void) {
  g_autoptr(Toy) toy = feed_test_toy_new(AB_F32, FALSE, 40, 3, 0);
  toy->x.shape[0] = 16;
  FeedTransform transform = feed_test_image_transform();
  FeedOptions options = feed_test_options(20);
  options.shuffle = false;
  g_autoptr(Feed) feed = feed_test_make(toy, &transform, options, 3);
  g_autoptr(Feed) other = feed_test_make(toy, &transform, options, 4);
  g_auto(Seen) first = feed_test_pass(feed, toy, AB_TRAIN, 0, 0);
  g_auto(Seen) later = feed_test_pass(feed, toy, AB_TRAIN, 1, 0);
  g_auto(Seen) seed = feed_test_pass(other, toy, AB_TRAIN, 0, 0);
  g_assert_true(feed_test_same(first.ids, 0, later.ids) && feed_test_same(first.ids, 0, seed.ids));
  g_assert_false(feed_test_same(first.x, 0, later.x));
  g_assert_false(feed_test_same(first.x, 0, seed.x));
}

/* ---- draws ----------------------------------------------------------------------------------- */

/* Feature i of five is a probability of i / 4. */
static double chance_values(AbSplit split, gint64 row, gint64 feature) {
  (void)split, (void)row;
  return (double)feature / 4;
}

static void check_draws(const Seen *seen, gint rows) {
  gint ones[5] = {0};
  for (gint i = 0; i < 5 * rows; i++) {
    double x = feed_test_x(seen, (guint)i);
    g_assert_true(x == 0 || x == 1);
    ones[i % 5] += (gint)x;
  }
  g_assert_cmpint(ones[0], ==, 0);
  g_assert_cmpint(ones[4], ==, rows);
  for (gint i = 1; i < 4; i++) /* five standard deviations */
    g_assert_cmpfloat(fabs(ones[i] - rows * i / 4.0), <, 5 * sqrt(rows * i * (4 - i) / 16.0));
}

/* Ones as often as x says; anew in every epoch of training, and always the same elsewhere. */
static void test_draw(void) {
  const AbDtype types[] = {AB_F32, AB_F64};
  for (gsize t = 0; t < G_N_ELEMENTS(types); t++) {
    g_autoptr(Toy) toy = feed_test_toy_new(types[t], t == 0, 400, 300, 0);
    toy->x.shape[0] = 5;
    toy->x.range = AB_RANGE_UNIT;
    toy->value = chance_values;
    FeedTransform transform = feed_test_no_transform();
    transform.draw = true;
    FeedOptions options = feed_test_options(30);
    options.shuffle = false;
    g_autoptr(Feed) feed = feed_test_make(toy, &transform, options, 3);
    g_assert_cmpint(feed_spec(feed, "x")->range, ==, AB_RANGE_BINARY);
    g_auto(Seen) first = feed_test_pass(feed, toy, AB_TRAIN, 0, 0);
    g_auto(Seen) again = feed_test_pass(feed, toy, AB_TRAIN, 0, 0);
    g_auto(Seen) later = feed_test_pass(feed, toy, AB_TRAIN, 1, 0);
    check_draws(&first, 400);
    check_draws(&later, 400);
    g_assert_true(feed_test_same(first.x, 0, again.x));
    g_assert_false(feed_test_same(first.x, 0, later.x));
    g_auto(Seen) held = feed_test_pass(feed, toy, AB_VALIDATION, 0, 0);
    g_auto(Seen) held_later = feed_test_pass(feed, toy, AB_VALIDATION, 1, 0);
    check_draws(&held, 300);
    g_assert_true(feed_test_same(held.x, 0, held_later.x));
  }
}

/* ---- statistics from a checkpoint ------------------------------------------------------------ */

static void test_set_statistic(void) {
  g_autoptr(Toy) toy = feed_test_toy_new(AB_F64, FALSE, 0, 0, 4);
  ab_data_open(&toy->base);
  FeedTransform transform = feed_test_no_transform();
  transform.standardise = true;
  FeedOptions options = feed_test_options(2);
  g_autoptr(Feed) feed = feed_new(&toy->base, &transform, &options, 3, NULL);
  const double mean[] = {1, 2, 3}, std[] = {2, 0.5}, zero[] = {1, 0}, nan[] = {NAN, 0};
  const struct {
    const char *name;
    const double *values;
    gint64 count;
    AbCode code;
  } bad[] = {{"mean", mean, 3, AB_CONFIG},
             {"scale", mean, 2, AB_CONFIG},
             {"median", mean, 2, AB_CONFIG},
             {"std", zero, 2, AB_DATA},
             {"mean", nan, 2, AB_DATA}};
  for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
    g_autoptr(GError) error = NULL;
    g_assert_false(feed_set_statistic(feed, bad[i].name, bad[i].values, bad[i].count, &error));
    g_assert_error(error, HOST_ERROR, bad[i].code);
  }
  g_assert_true(feed_set_statistic(feed, "mean", mean, 2, NULL));
  g_assert_true(feed_set_statistic(feed, "mean", mean, 2, NULL));
  g_assert_true(feed_set_statistic(feed, "std", std, 2, NULL));
  g_assert_true(feed_load(feed, NULL));
  g_assert_cmpint(toy->fetched, ==, 0);
  g_auto(Seen) seen = feed_test_pass(feed, toy, AB_TEST, 0, 0);
  g_assert_cmpfloat_with_epsilon(feed_test_x(&seen, 2), ((2 * 7 + 3 + 0) - 1) / 2.0, 1e-12);
  g_assert_cmpfloat_with_epsilon(feed_test_x(&seen, 3), ((2 * 7 + 3 + 1) - 2) / 0.5, 1e-12);
  g_assert_false(feed_set_statistic(feed, "mean", mean, 2, NULL));
}

static double constant_values(AbSplit split, gint64 row, gint64 feature) {
  (void)split, (void)row, (void)feature;
  return 4;
}

static void test_scale_constant(void) {
  g_autoptr(Toy) toy = feed_test_toy_new(AB_F32, FALSE, 20, 0, 0);
  toy->value = constant_values;
  ab_data_open(&toy->base);
  FeedTransform transform = feed_test_no_transform();
  transform.scale = (AbReals){2, (const double[]){0, 1}};
  FeedOptions options = feed_test_options(2);
  g_autoptr(GError) error = NULL;
  g_autoptr(Feed) feed = feed_new(&toy->base, &transform, &options, 3, NULL);
  g_assert_false(feed_load(feed, &error));
  g_assert_error(error, HOST_ERROR, AB_DATA);
  g_assert_nonnull(strstr(error->message, "x is 4 in every training sample"));
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/feed/transform/standardise", test_standardise);
  g_test_add_func("/feed/transform/standardise-far", test_standardise_far);
  g_test_add_func("/feed/transform/held-out", test_statistics_held_out);
  g_test_add_func("/feed/transform/scale-unit", test_scale_unit);
  g_test_add_func("/feed/transform/scale-real", test_scale_real);
  g_test_add_func("/feed/transform/scale-constant", test_scale_constant);
  g_test_add_func("/feed/transform/scale-and-standardise", test_scale_and_standardise);
  g_test_add_func("/feed/transform/binarise", test_binarise);
  g_test_add_func("/feed/transform/integers", test_integers);
  g_test_add_func("/feed/transform/augment", test_augment);
  g_test_add_func("/feed/transform/augment-streams", test_augment_streams);
  g_test_add_func("/feed/transform/draw", test_draw);
  g_test_add_func("/feed/transform/set-statistic", test_set_statistic);
  return g_test_run();
}
