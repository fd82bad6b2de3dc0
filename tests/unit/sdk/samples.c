/* SPDX-License-Identifier: Apache-2.0
 *
 * What components ask of samples: the shape and range of a spec, the activation of an output,
 * batches in the shape of samples, and how the command line names a parameter. */
#include "sdk-test.h"
#include <absdk/layers.h>
#include <string.h>

/* ---- specs ----------------------------------------------------------------------------------- */

static void test_spec_shape(void) {
  const AbSpec image = {.rank = 3, .shape = {1, 28, 28, 99}, .dtype = AB_F32};
  const AbSpec number = {.rank = 0, .shape = {7}}, nothing = {.rank = -1, .shape = {7}};
  AbShape shape = ab_spec_shape(&image);
  g_assert_cmpint(shape.rank, ==, 3);
  g_assert_cmpint(shape.dims[0], ==, 1);
  g_assert_cmpint(shape.dims[2], ==, 28);
  g_assert_cmpint(shape.dims[3], ==, 0); /* what lies behind the rank is not passed on */
  g_assert_cmpint(ab_shape_count(shape), ==, 784);
  g_assert_cmpint(ab_spec_count(&image), ==, 784);
  g_assert_cmpint(ab_spec_shape(&number).rank, ==, 0);
  g_assert_cmpint(ab_spec_shape(&number).dims[0], ==, 0);
  g_assert_cmpint(ab_spec_count(&number), ==, 1);
  g_assert_cmpint(ab_spec_shape(&nothing).rank, ==, 0);
  g_assert_cmpint(ab_spec_count(&nothing), ==, -1);
}

static void test_spec_is_unit(void) {
  static const struct {
    AbRange range;
    gboolean unit;
  } ranges[] = {{AB_RANGE_REAL, FALSE},
                {AB_RANGE_UNIT, TRUE},
                {AB_RANGE_BINARY, TRUE},
                {AB_RANGE_CLASS, FALSE}};
  for (guint i = 0; i < G_N_ELEMENTS(ranges); i++) {
    AbSpec spec = {.rank = 1, .shape = {3}, .range = ranges[i].range};
    g_assert_cmpint(ab_spec_is_unit(&spec), ==, ranges[i].unit);
  }
}

/* "auto" asks the spec; every other choice is the activation of that name, whatever the spec. */
static void test_output_activation(void) {
  const AbSpec real = {.rank = 1, .range = AB_RANGE_REAL},
               unit = {.rank = 1, .range = AB_RANGE_UNIT};
  const AbSpec binary = {.rank = 1, .range = AB_RANGE_BINARY};
  g_assert_cmpstr(ab_output_activation_names[0], ==, "auto");
  g_assert_cmpint(ab_output_activation(0, &real), ==, AB_IDENTITY);
  g_assert_cmpint(ab_output_activation(0, &unit), ==, AB_SIGMOID);
  g_assert_cmpint(ab_output_activation(0, &binary), ==, AB_SIGMOID);
  int64_t choice = 1;
  for (; ab_output_activation_names[choice]; choice++) {
    AbActivation f = ab_output_activation(choice, &unit);
    g_assert_cmpstr(ab_activation_names[f], ==, ab_output_activation_names[choice]);
    g_assert_cmpint(f, ==, ab_output_activation(choice, &real));
  }
  g_assert_cmpint(choice, ==, AB_ACTIVATIONS + 1);
}

/* ---- batches --------------------------------------------------------------------------------- */

static void test_reshape_samples(const void *device) {
  AbContext *ctx = sdk_context(device, AB_F64);
  g_autofree double *numbers = sdk_numbers(24, -1, 1, 5);
  AbTensor *x = sdk_tensor(ctx, AB_SHAPE(2, 12), numbers), *slope[1];
  ab_require_grad(x);
  AbTensor *y = ab_reshape_samples(x, AB_SHAPE(3, 2, 2));
  g_assert_cmpint(ab_rank(y), ==, 4);
  g_assert_cmpint(ab_dim(y, 0), ==, 2);
  g_assert_cmpint(ab_dim(y, 1), ==, 3);
  g_assert_cmpint(ab_dim(y, 3), ==, 2);
  g_autofree double *same = sdk_values(y);
  g_assert_cmpmem(same, 24 * sizeof *same, numbers, 24 * sizeof *numbers);
  /* sum of cubes: the gradient is 3 x^2, in the shape of x */
  ab_gradients(ab_sum(ab_mul(y, ab_square(y))), &x, 1, slope, false);
  g_autofree double *gradient = sdk_values(slope[0]);
  g_assert_cmpint(ab_rank(slope[0]), ==, 2);
  for (int i = 0; i < 24; i++)
    g_assert_cmpfloat_with_epsilon(gradient[i], 3 * numbers[i] * numbers[i], 1e-12);

  AbTensor *scalars = ab_reshape_samples(ab_slice(x, 1, 0, 1), ab_scalar_shape());
  g_assert_cmpint(ab_rank(scalars), ==, 1);
  g_assert_cmpint(ab_dim(scalars, 0), ==, 2);
  AbTensor *left = ab_reshape_samples(x, AB_SHAPE(4, -1)); /* what is left */
  g_assert_cmpint(ab_dim(left, 2), ==, 3);
  AbTensor *none = ab_reshape_samples(ab_zeros(ctx, AB_SHAPE(0, 6)), AB_SHAPE(2, 3));
  g_assert_cmpint(ab_dim(none, 0), ==, 0);
  g_assert_cmpint(ab_dim(none, 2), ==, 3);
  sdk_finish(ctx);
}

/* Rows in any order of memory. */
static void test_reshape_strided(const void *device) {
  AbContext *ctx = sdk_context(device, AB_F32);
  const double numbers[] = {1, 2, 3, 4, 5, 6, 7, 8};
  AbTensor *x = ab_transpose(sdk_tensor(ctx, AB_SHAPE(4, 2), numbers), 0, 1);
  g_autofree double *got = sdk_values(ab_reshape_samples(x, AB_SHAPE(2, 2)));
  const double expected[] = {1, 3, 5, 7, 2, 4, 6, 8};
  for (int i = 0; i < 8; i++) g_assert_cmpfloat(got[i], ==, expected[i]);
  sdk_finish(ctx);
}

static void test_reshape_errors(const void *device) {
  AbContext *ctx = sdk_context(device, AB_F32);
  AbTensor *x = ab_zeros(ctx, AB_SHAPE(2, 12));
  AbShape deep = {.rank = AB_MAX_RANK};
  for (int i = 0; i < AB_MAX_RANK; i++) deep.dims[i] = 1;
  g_assert_null(ab_reshape_samples(x, AB_SHAPE(5)));
  sdk_assert_error(ctx, AB_CONFIG, "[2, 12]", "[2, 5]", NULL);
  g_assert_null(ab_reshape_samples(ab_zeros(ctx, ab_scalar_shape()), AB_SHAPE(1)));
  sdk_assert_error(ctx, AB_CONFIG, "wants a batch axis", NULL);
  g_assert_null(ab_reshape_samples(x, deep));
  sdk_assert_error(ctx, AB_CONFIG, "at most", NULL);
  g_assert_null(ab_reshape_samples(NULL, AB_SHAPE(1)));
  sdk_assert_ok(ctx);
  sdk_finish(ctx);
}

/* ---- names ----------------------------------------------------------------------------------- */

static const AbNoiseVtable table = {.struct_size = sizeof table};
static const AbComponent component = {
    sizeof(AbComponent), AB_KIND_NOISE, "noise", "A noise.", "", .instance_size = sizeof(AbNoise),
    .vtable = &table,
};

/* As --set has it; both names stay. */
static void test_setting(const void *device) {
  AbContext *ctx = sdk_context(device, AB_F32);
  AbNoise *deep = ab_instance_new(ctx, &component, "model/layers/0/encoder", NULL);
  AbNoise *top = ab_instance_new(ctx, &component, "noise", NULL);
  const char *first = ab_setting(deep, "units"), *second = ab_setting(deep, "rate");
  g_assert_cmpstr(first, ==, "model.layers.0.encoder.units");
  g_assert_cmpstr(second, ==, "model.layers.0.encoder.rate");
  g_assert_cmpstr(ab_setting(top, "std"), ==, "noise.std");
  g_assert_cmpstr(ab_path(deep), ==, "model/layers/0/encoder");
  ab_instance_free(deep);
  ab_instance_free(top);
  sdk_finish(ctx);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/samples/spec/shape", test_spec_shape);
  g_test_add_func("/samples/spec/is-unit", test_spec_is_unit);
  g_test_add_func("/samples/output-activation", test_output_activation);
  sdk_add("/samples/reshape/values", test_reshape_samples);
  sdk_add("/samples/reshape/strided", test_reshape_strided);
  sdk_add("/samples/reshape/errors", test_reshape_errors);
  sdk_add("/samples/setting", test_setting);
  return g_test_run();
}
