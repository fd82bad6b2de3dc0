/* SPDX-License-Identifier: Apache-2.0
 *
 * The statistic of contrastive divergence: ab_contrast against its definition in sums. */
#include "device-test.h"
#include "gradient-test.h"

#define V 5
#define H 3
#define N 7
#define M 4

static double *numbers(int64_t count, uint64_t seed) {
  double *x = sdk_numbers(count, -1, 1, seed);
  for (int64_t i = 0; i < count; i++) x[i] = (double)(float)x[i];
  return x;
}

/* Wide or narrow, so that either operand is the one that is scaled. */
static AbTensor *contrast(AbTensor *W, int64_t v, int64_t h) {
  AbContext *ctx = ab_context_of(W);
  g_autofree double *a = numbers(N * v, 2), *b = numbers(N * h, 3);
  g_autofree double *c = numbers(M * v, 4), *d = numbers(M * h, 5);
  return ab_contrast(W, sdk_tensor(ctx, AB_SHAPE(N, v), a), sdk_tensor(ctx, AB_SHAPE(N, h), b),
                     sdk_tensor(ctx, AB_SHAPE(M, v), c), sdk_tensor(ctx, AB_SHAPE(M, h), d));
}

static AbTensor *tall_of(AbTensor *const *x) {
  return contrast(x[0], V, H);
}

static AbTensor *wide_of(AbTensor *const *x) {
  return contrast(x[0], H, V);
}

static AbTensor *twice_of(AbTensor *const *x) {
  return ab_square(ab_add(contrast(x[0], V, H), ab_sum(x[0])));
}

static const SdkGradientCase cases[] = {
    {"tall", tall_of, 1, {DIMS(V, H)}, -1, 1},
    {"wide", wide_of, 1, {DIMS(H, V)}, -1, 1},
    {"twice", twice_of, 1, {DIMS(V, H)}, -1, 1},
};

static void test_gradients(const void *device) {
  sdk_check_gradients(device, cases, G_N_ELEMENTS(cases));
  sdk_check_second(device, cases, G_N_ELEMENTS(cases));
}

static void test_devices(void) {
  const SdkDeviceCase c = {"contrast", tall_of, 1, -1, 1, 8, 1, 8, 1};
  sdk_compare_devices(&c, (AbShape[]){AB_SHAPE(V, H)});
}

static void test_value(const void *device) {
  AbContext *ctx = sdk_context(device, AB_F64);
  g_autofree double *W = numbers(V * H, 1), *v = numbers(N * V, 2), *h = numbers(N * H, 3);
  g_autofree double *vk = numbers(M * V, 4), *hk = numbers(M * H, 5);
  double sum = 0;
  for (int i = 0; i < V; i++) {
    for (int j = 0; j < H; j++) {
      double given = 0, drawn = 0;
      for (int n = 0; n < N; n++) given += v[n * V + i] * h[n * H + j];
      for (int n = 0; n < M; n++) drawn += vk[n * V + i] * hk[n * H + j];
      sum += W[i * H + j] * (given / N - drawn / M);
    }
  }
  AbTensor *s = contrast(sdk_tensor(ctx, AB_SHAPE(V, H), W), V, H);
  g_assert_cmpfloat_with_epsilon(ab_item(s), sum, 1e-14);
  sdk_finish(ctx);
}

static void test_errors(const void *device) {
  AbContext *ctx = sdk_context(device, AB_F64);
  AbTensor *W = ab_zeros(ctx, AB_SHAPE(V, H)), *v = ab_zeros(ctx, AB_SHAPE(N, V)),
           *h = ab_zeros(ctx, AB_SHAPE(N, H)), *none = ab_zeros(ctx, AB_SHAPE(0, V)),
           *other = ab_zeros(ctx, AB_SHAPE(0, H));
  g_assert_null(ab_contrast(W, h, v, v, h));
  sdk_assert_error(ctx, AB_CONFIG, "contrast", "[5, 3]", "[7, 3]", NULL);
  g_assert_null(ab_contrast(W, v, h, none, other));
  sdk_assert_error(ctx, AB_CONFIG, "contrast", "at least 1", NULL);
  g_assert_null(ab_contrast(W, v, h, ab_cast(v, AB_F32), h));
  sdk_assert_error(ctx, AB_CONFIG, "contrast", "types differ", NULL);
  g_assert_null(ab_contrast(W, v, NULL, v, h));
  sdk_finish(ctx);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  sdk_add("/contrast/gradients", test_gradients);
  sdk_add("/contrast/value", test_value);
  g_test_add_func("/contrast/devices", test_devices);
  sdk_add("/contrast/errors", test_errors);
  return g_test_run();
}
