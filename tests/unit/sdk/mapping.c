/* SPDX-License-Identifier: Apache-2.0
 *
 * ab_map of tensors whose numbers do not lie in the order of their axes: results of convolutions
 * that others share, views, views of weights. */
#include "sdk-test.h"
#include <string.h>

static void assert_reads(AbTensor *x, int64_t count, const double *wanted) {
  g_assert_cmpint(ab_count(x), ==, count);
  g_assert_cmpint(ab_dtype(x), ==, AB_F64);
  const double *given = ab_map(x, false);
  g_assert_nonnull(given);
  for (int64_t i = 0; i < count; i++) g_assert_cmpfloat(given[i], ==, wanted[i]);
  ab_unmap(x);
}

static AbTensor *ramp(AbContext *ctx, AbShape shape, double *values) {
  for (int64_t i = 0; i < ab_shape_count(shape); i++) values[i] = (double)i + 1;
  return ab_from(ctx, AB_F64, shape, values);
}

/* ---- results of a convolution ---------------------------------------------------------------- */

#define IMAGES  AB_SHAPE(2, 3, 2, 4)
#define NUMBERS (2 * 3 * 2 * 4)

/* By a kernel of one tap that leaves x as it is. */
static AbTensor *same(void *data, AbTensor *const *x, int32_t count) {
  (void)data, (void)count;
  AbTensor *eye = ab_from(ab_context_of(x[0]), AB_F64, AB_SHAPE(3, 3, 1, 1),
                          (double[]){1, 0, 0, 0, 1, 0, 0, 0, 1});
  return ab_convolution(x[0], eye, AB_NONE, (AbConvolutionOptions){0});
}

static void test_shared(const void *device) {
  AbContext *ctx = sdk_context(device, AB_F64);
  double values[NUMBERS];
  AbTensor *x = ramp(ctx, IMAGES, values);
  AbTensor *y = same(NULL, &x, 1), *cut = ab_detach(y), *again = ab_detach(cut);
  assert_reads(cut, NUMBERS, values);
  assert_reads(y, NUMBERS, values);
  assert_reads(again, NUMBERS, values);
  assert_reads(cut, NUMBERS, values); /* twice */
  ab_assign(y, ab_neg(x));            /* they are still one */
  for (int i = 0; i < NUMBERS; i++) values[i] = -values[i];
  assert_reads(cut, NUMBERS, values);
  assert_reads(again, NUMBERS, values);
  sdk_finish(ctx);
}

static void test_checkpoint(const void *device) {
  AbContext *ctx = sdk_context(device, AB_F64);
  double values[NUMBERS], twice[NUMBERS];
  AbTensor *x = ramp(ctx, IMAGES, values);
  ab_require_grad(x);
  AbTensor *y = ab_checkpoint(same, NULL, &x, 1);
  assert_reads(y, NUMBERS, values);
  ab_backward(ab_sum(ab_square(y))); /* reading has changed nothing */
  for (int i = 0; i < NUMBERS; i++) twice[i] = 2 * values[i];
  assert_reads(ab_gradient(x), NUMBERS, twice);
  sdk_finish(ctx);
}

/* One that nobody shares is put in order where it lies, and can be written. */
static void test_alone(const void *device) {
  AbContext *ctx = sdk_context(device, AB_F64);
  double values[NUMBERS];
  AbTensor *x = ramp(ctx, IMAGES, values), *y = same(NULL, &x, 1);
  double *to = ab_map(y, true);
  g_assert_nonnull(to);
  g_assert_cmpmem(to, sizeof values, values, sizeof values);
  to[5] = values[5] = 100;
  ab_unmap(y);
  g_autofree double *given = sdk_values(y);
  g_assert_cmpmem(given, sizeof values, values, sizeof values);
  sdk_finish(ctx);
}

/* ---- views ----------------------------------------------------------------------------------- */

static void test_views(const void *device) {
  AbContext *ctx = sdk_context(device, AB_F64);
  AbTensor *x = ab_affine(ab_from(ctx, AB_F64, AB_SHAPE(2, 3), (double[]){1, 2, 3, 4, 5, 6}), 2, 0);
  assert_reads(ab_transpose(x, 0, 1), 6, (double[]){2, 8, 4, 10, 6, 12});
  assert_reads(ab_slice(x, 1, 1, 3), 4, (double[]){4, 6, 10, 12});
  assert_reads(ab_slice_step(x, 1, 0, 3, 2), 4, (double[]){2, 6, 8, 12});
  AbTensor *first = ab_slice(x, 1, 0, 1);
  assert_reads(ab_broadcast_to(first, AB_SHAPE(2, 2)), 4, (double[]){2, 2, 8, 8});
  assert_reads(ab_transpose(ab_slice(x, 0, 1, 2), 0, 1), 3, (double[]){8, 10, 12});
  assert_reads(x, 6, (double[]){2, 4, 6, 8, 10, 12});
  AbTensor *bytes = sdk_tensor_of(ctx, AB_U8, AB_SHAPE(2, 2), (double[]){1, 2, 3, 250});
  const uint8_t *byte = ab_map(ab_transpose(bytes, 0, 1), false);
  g_assert_cmpmem(byte, 4, ((uint8_t[]){1, 3, 2, 250}), 4);
  sdk_finish(ctx);
}

/* A view of a weight, or of anything that is assigned to, goes on being that. */
static void test_leaf(const void *device) {
  AbContext *ctx = sdk_context(device, AB_F64);
  AbTensor *w = ab_from(ctx, AB_F64, AB_SHAPE(2, 3), (double[]){1, 2, 3, 4, 5, 6});
  ab_require_grad(w);
  AbTensor *turned = ab_transpose(ab_detach(w), 0, 1);
  assert_reads(turned, 6, (double[]){1, 4, 2, 5, 3, 6});
  ab_assign(w, ab_from(ctx, AB_F64, AB_SHAPE(2, 3), (double[]){7, 8, 9, 10, 11, 12}));
  assert_reads(turned, 6, (double[]){7, 10, 8, 11, 9, 12});
  ab_assign(turned, ab_from(ctx, AB_F64, AB_SHAPE(3, 2), (double[]){0, 1, 2, 3, 4, 5}));
  assert_reads(w, 6, (double[]){0, 2, 4, 1, 3, 5});
  assert_reads(turned, 6, (double[]){0, 1, 2, 3, 4, 5});
  sdk_finish(ctx);
}

static void test_errors(const void *device) {
  AbContext *ctx = sdk_context(device, AB_F64);
  double values[NUMBERS];
  AbTensor *x = ramp(ctx, IMAGES, values), *y = same(NULL, &x, 1), *cut = ab_detach(y);
  g_assert_null(ab_map(ab_transpose(x, 0, 1), true));
  sdk_assert_error(ctx, AB_INTERNAL, "f64 [3, 2, 2, 4]", "writing", NULL);
  g_assert_null(ab_map(ab_permute(cut, 4, (int32_t[]){0, 3, 1, 2}), true));
  sdk_assert_error(ctx, AB_INTERNAL, "writing", NULL);
  int64_t huge = INT64_C(1) << 31; /* a copy of which would need more than there is */
  AbTensor *wide = ab_broadcast_to(ab_zeros(ctx, AB_SHAPE(1, 1)), AB_SHAPE(huge, huge / 2));
  g_assert_null(ab_map(wide, false));
  sdk_assert_error(ctx, AB_CONFIG, NULL);
  g_assert_null(ab_map(NULL, false));
  g_assert_null(ab_map(AB_NONE, false));
  sdk_finish(ctx);
}

/* ---- memory ---------------------------------------------------------------------------------- */

static void test_memory(const void *device) {
  AbContext *ctx = sdk_context(device, AB_F64);
  AbTensor *x = ab_full(ctx, AB_F64, AB_SHAPE(50, 70), 3);
  int64_t bytes[2], allocations[2];
  for (int i = 0; i < 20; i++) {
    AbScope scope = ab_scope_begin(ctx);
    AbTensor *turned = ab_transpose(x, 0, 1);
    for (int k = 0; k < 3; k++) {
      g_assert_cmpfloat(((const double *)ab_map(turned, false))[70 * 50 - 1], ==, 3);
      ab_unmap(turned);
    }
    ab_scope_end(ctx, scope, NULL, 0);
    ab_memory_use(ctx, &bytes[i > 0], &allocations[i > 0]);
  }
#ifndef __SANITIZE_ADDRESS__ /* where freed blocks go back to the system */
  g_assert_cmpint(bytes[1], ==, bytes[0]);
  g_assert_cmpint(allocations[1], ==, allocations[0]);
#endif
  sdk_finish(ctx);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  sdk_add("/mapping/shared", test_shared);
  sdk_add("/mapping/checkpoint", test_checkpoint);
  sdk_add("/mapping/alone", test_alone);
  sdk_add("/mapping/views", test_views);
  sdk_add("/mapping/leaf", test_leaf);
  sdk_add("/mapping/errors", test_errors);
  sdk_add("/mapping/memory", test_memory);
  return g_test_run();
}
