/* SPDX-License-Identifier: Apache-2.0
 *
 * The small digits. The figures were computed with Python's csv and gzip modules alone from
 * digits.csv.gz of scikit-learn's sources, not from the file that the plugin reads: samples and
 * sum of pixels of each digit, in the first 1,437 rows and in the last 360.                     */
#include "plugin-test.h"
#include "store/service.h"
#include "store/store.h"
#include <string.h>

static const int counts[2][10] = {{143, 146, 142, 146, 144, 145, 144, 143, 141, 143},
                                  {35, 36, 35, 37, 37, 37, 37, 36, 33, 37}};
static const int sums[2][10] = {
    {45106, 45786, 44624, 44693, 44770, 44886, 45077, 43098, 46609, 44723},
    {11309, 11221, 10942, 11458, 11469, 11029, 11259, 11191, 10799, 11669}};

static AbContext *new_context(void) {
  AbContext *ctx = ab_context_new("reference", AB_F32, 1);

  ab_set_store(ctx, store_service());
  return ctx;
}

static void test_fields(void) {
  AbContext *ctx = new_context();
  AbData *data = plugin_test_new(ctx, AB_KIND_DATA, "digits");
  AbField x, y;

  ab_data_open(data);
  plugin_test_fine(ctx);
  x = ab_data_field_at(data, 0);
  y = ab_data_field_at(data, 1);
  g_assert_cmpstr(x.name, ==, "x");
  g_assert_cmpint(x.spec.rank, ==, 2);
  g_assert_cmpint(ab_spec_count(&x.spec), ==, 64);
  g_assert_cmpint(x.spec.range, ==, AB_RANGE_UNIT);
  g_assert_cmpstr(y.name, ==, "y");
  g_assert_cmpint(y.spec.classes, ==, 10);
  ab_instance_free(data);
  ab_context_free(ctx);
}

static void test_sums(void) {
  AbContext *ctx = new_context();
  AbData *data = plugin_test_new(ctx, AB_KIND_DATA, "digits");

  g_assert_true(plugin_test_open(data));
  for (int part = 0; part < 2; part++) {
    AbSplit split = part == 0 ? AB_TRAIN : AB_TEST;
    g_autofree double *x = plugin_test_fetch_all(data, "x", split);
    g_autofree double *y = plugin_test_fetch_all(data, "y", split);
    double sum[10] = {0};
    int count[10] = {0};

    g_assert_cmpint(ab_data_samples(data, split), ==, part == 0 ? 1437 : 360);
    for (gint64 i = 0; i < ab_data_samples(data, split); i++) {
      count[(int)y[i]]++;
      for (int j = 0; j < 64; j++) {
        g_assert_true(x[i * 64 + j] >= 0 && x[i * 64 + j] <= 1);
        sum[(int)y[i]] += 16 * x[i * 64 + j];
      }
    }
    for (int i = 0; i < 10; i++) {
      g_assert_cmpint(count[i], ==, counts[part][i]);
      g_assert_cmpfloat(sum[i], ==, sums[part][i]);
    }
  }
  ab_instance_free(data);
  ab_context_free(ctx);
}

/* The first two rows of the first sample, as printed in scikit-learn's example. */
static void test_first(void) {
  static const double pixels[] = {0, 0, 5, 13, 9, 1, 0, 0, 0, 0, 13, 15, 10, 15, 5, 0};
  AbContext *ctx = new_context();
  AbData *data = plugin_test_new(ctx, AB_KIND_DATA, "digits");
  g_autofree double *x = NULL;
  gint64 row = 0;

  g_assert_true(plugin_test_open(data));
  x = plugin_test_fetch(data, "x", AB_TRAIN, &row, 1);
  for (int i = 0; i < 16; i++) g_assert_cmpfloat(x[i], ==, pixels[i] / 16);
  ab_instance_free(data);
  ab_context_free(ctx);
}

/* ---- another digits.h5 beside the plugin ----------------------------------------------------- */

/* The component believes to come from `folder`, and fails with this. */
static void fails_in(const char *folder, AbCode code, const char *pattern) {
  AbContext *ctx = new_context();
  g_autofree char *file = g_build_filename(folder, "data-digits.so", NULL);
  const AbComponent *component = plugin_test_load(AB_KIND_DATA, "digits", NULL);
  AbData *data = ab_instance_new(ctx, component, "data", file);

  g_assert_false(plugin_test_open(data));
  plugin_test_error(ctx, code, pattern);
  ab_instance_free(data);
  ab_context_free(ctx);
}

static void write_other(const char *folder, gint64 rows, guint8 pixel, guint8 label) {
  g_autofree char *path = g_build_filename(folder, "digits.h5", NULL);
  g_autofree guint8 *x = g_malloc((gsize)rows * 64), *y = g_malloc((gsize)rows);
  GError *error = NULL;
  StoreWriter *writer = store_create(path, &error);

  g_assert_no_error(error);
  memset(x, pixel, (gsize)rows * 64);
  memset(y, label, (gsize)rows);
  store_write(writer, "/x", AB_U8, 3, (gint64[]){rows, 8, 8}, x, NULL);
  store_write(writer, "/y", AB_U8, 1, (gint64[]){rows}, y, NULL);
  store_commit(writer, &error);
  g_assert_no_error(error);
}

static void test_wrong(void) {
  char *folder = plugin_test_folder();

  fails_in(folder, AB_NO_INPUT, "data (digits): *digits.h5*No such file*");
  g_free(plugin_test_write(folder, "digits.h5", "not HDF5", 8));
  fails_in(folder, AB_DATA, "*digits.h5*");
  write_other(folder, 1796, 0, 0);
  fails_in(folder, AB_DATA, "*is not the one that came with it (dataset x)*install*");
  write_other(folder, 1797, 17, 0);
  fails_in(folder, AB_DATA, "*pixels above 16*");
  write_other(folder, 1797, 16, 10);
  fails_in(folder, AB_DATA, "*labels above 9*");
  plugin_test_drop_folder(folder);
}

int main(int argc, char **argv) {
  store_init();
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/plugins/data/digits/fields", test_fields);
  g_test_add_func("/plugins/data/digits/sums", test_sums);
  g_test_add_func("/plugins/data/digits/first", test_first);
  g_test_add_func("/plugins/data/digits/wrong", test_wrong);
  return g_test_run();
}
