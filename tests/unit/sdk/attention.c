/* SPDX-License-Identifier: Apache-2.0
 *
 * Attention: against PyTorch, differences, its own parts, and by hand. */
#include "device-test.h"
#include "golden-test.h"
#include "gradient-test.h"
#include <math.h>
#include <string.h>

/* Numbers 0 to below - 1 of any type, as a mask. */
static AbTensor *mask_of(AbContext *ctx, AbDtype dtype, AbShape shape, uint64_t seed, int below) {
  int64_t n = ab_shape_count(shape);
  g_autofree double *values = sdk_numbers(n, 0, below, seed);
  for (int64_t i = 0; i < n; i++) values[i] = floor(values[i]);
  return sdk_tensor_of(ctx, dtype, shape, values);
}

static AbTensor *some_allowed(AbTensor *q, AbTensor *k) {
  return mask_of(ab_context_of(q), AB_BOOL, AB_SHAPE(ab_dim(q, 0), 1, ab_dim(q, 2), ab_dim(k, 2)),
                 5, 2);
}

static AbTensor *some_added(AbTensor *q, AbTensor *k) {
  return mask_of(ab_context_of(q), ab_dtype(q), AB_SHAPE(ab_dim(q, 1), 1, ab_dim(k, 2)), 6, 4);
}

FUNCTION(plain, ab_attention(x[0], x[1], x[2], AB_NONE, false, 0))
FUNCTION(causal, ab_attention(x[0], x[1], x[2], AB_NONE, true, 0))
FUNCTION(scale, ab_attention(x[0], x[1], x[2], AB_NONE, false, 0.3))
FUNCTION(allowed, ab_attention(x[0], x[1], x[2], some_allowed(x[0], x[1]), false, 0))
FUNCTION(added, ab_attention(x[0], x[1], x[2], some_added(x[0], x[1]), false, 0))
FUNCTION(both, ab_attention(x[0], x[1], x[2], some_allowed(x[0], x[1]), true, 0.7))
FUNCTION(once_for_all, ab_attention(x[0], x[0], x[0], AB_NONE, false, 0))
FUNCTION(self, ab_self_attention(x[0], 2, AB_NONE, false))
FUNCTION(self_causal, ab_self_attention(x[0], 3, AB_NONE, true))
FUNCTION(self_masked, ab_self_attention(x[0], 2,
                                        mask_of(ab_context_of(x[0]), AB_BOOL,
                                                AB_SHAPE(ab_dim(x[0], 1), ab_dim(x[0], 1)), 9, 2),
                                        true))
/* heads of a projection [b, t, h d], merged again */
FUNCTION(heads,
         ab_reshape(ab_transpose(ab_attention(ab_transpose(x[0], 1, 2), ab_transpose(x[1], 1, 2),
                                              ab_transpose(x[2], 1, 2), AB_NONE, false, 0),
                                 1, 2),
                    AB_SHAPE(ab_dim(x[0], 0), ab_dim(x[0], 1), -1)))

/* ---- derivatives ----------------------------------------------------------------------------- */

#define QKV \
  { DIMS(1, 2, 3, 2), DIMS(1, 2, 4, 2), DIMS(1, 2, 4, 3) }
static const SdkGradientCase gradient_cases[] = {
    {"plain", plain_of, 3, QKV, -2, 2},
    {"causal", causal_of, 3, QKV, -2, 2},
    {"scale", scale_of, 3, QKV, -2, 2},
    {"allowed", allowed_of, 3, QKV, -2, 2},
    {"added", added_of, 3, QKV, -2, 2},
    {"both", both_of, 3, QKV, -2, 2},
    {"once-for-all", once_for_all_of, 1, {DIMS(2, 1, 3, 2)}, -1, 1},
    {"self", self_of, 1, {DIMS(2, 3, 12)}, -2, 2},
    {"self-causal", self_causal_of, 1, {DIMS(1, 3, 18)}, -2, 2},
    {"self-masked", self_masked_of, 1, {DIMS(2, 3, 6)}, -2, 2},
    {"heads", heads_of, 3, {DIMS(1, 3, 2, 2), DIMS(1, 2, 2, 2), DIMS(1, 2, 2, 2)}, -2, 2},
};

static void test_first(const void *device) {
  sdk_check_gradients(device, gradient_cases, G_N_ELEMENTS(gradient_cases));
}

static void test_second(const void *device) {
  sdk_check_second(device, gradient_cases, G_N_ELEMENTS(gradient_cases));
}

/* ---- PyTorch -------------------------------------------------------------------------------- */

FUNCTION(golden_added, ab_attention(x[0], x[1], x[2], ab_cast(x[3], ab_dtype(x[0])), false, 0))
FUNCTION(golden_allowed, ab_attention(x[0], x[1], x[2], ab_cast(x[3], AB_BOOL), false, 0))

static const SdkGoldenCase golden_cases[] = {
    {"plain", plain_of},        {"causal", causal_of},          {"scale", scale_of},
    {"added", golden_added_of}, {"allowed", golden_allowed_of}, {"self", self_causal_of},
};

static void test_golden(void) {
  sdk_check_golden("attention", golden_cases, G_N_ELEMENTS(golden_cases));
}

/* ---- f32 on the cpu ------------------------------------------------------------------------- */

/* Scores reach 8 or so (of "both" 30), whose rounding is that of the probabilities; a gradient of a
 * key is a sum over the rows. */
static const SdkDeviceCase device_cases[] = {
    {"plain", plain_of, 3, -1.5, 1.5, 8, 1, 8, 8},
    {"causal", causal_of, 3, -1.5, 1.5, 8, 1, 8, 8},
    {"allowed", allowed_of, 3, -1.5, 1.5, 8, 1, 8, 8},
    {"added", added_of, 3, -1.5, 1.5, 8, 1, 8, 8},
    {"both", both_of, 3, -1.5, 1.5, 20, 1, 20, 8},
};
static const SdkDeviceCase self_cases[] = {
    {"self", self_of, 1, -1.5, 1.5, 8, 1, 8, 8},
    {"self-causal", self_causal_of, 1, -1.5, 1.5, 8, 1, 8, 8},
    {"self-masked", self_masked_of, 1, -1.5, 1.5, 8, 1, 8, 8},
};

/* One block, several blocks of rows and keys, cut tiles, one row or key. */
static const AbShape shapes[][3] = {
    {DIMS(1, 2, 5, 3), DIMS(1, 2, 7, 3), DIMS(1, 2, 7, 9)},
    {DIMS(2, 1, 128, 32), DIMS(2, 1, 128, 32), DIMS(2, 1, 128, 32)},
    {DIMS(1, 1, 130, 17), DIMS(1, 1, 261, 17), DIMS(1, 1, 261, 20)},
    {DIMS(1, 1, 270, 8), DIMS(1, 1, 131, 8), DIMS(1, 1, 131, 8)},
    {DIMS(2, 3, 1, 4), DIMS(2, 3, 140, 4), DIMS(2, 3, 140, 1)},
    {DIMS(2, 3, 140, 1), DIMS(2, 3, 1, 1), DIMS(2, 3, 1, 6)},
};

static void test_devices(void) {
  for (size_t i = 0; i < G_N_ELEMENTS(shapes); i++)
    for (size_t k = 0; k < G_N_ELEMENTS(device_cases); k++)
      sdk_compare_devices(&device_cases[k], shapes[i]);
  for (size_t k = 0; k < G_N_ELEMENTS(self_cases); k++) {
    sdk_compare_devices(&self_cases[k], (AbShape[]){DIMS(2, 5, 36)});
    sdk_compare_devices(&self_cases[k], (AbShape[]){DIMS(1, 133, 90)});
  }
}

static void test_threads(void) {
  for (size_t k = 0; k < G_N_ELEMENTS(device_cases); k++)
    sdk_check_threads(&device_cases[k], 1,
                      (AbShape[]){DIMS(2, 3, 130, 16), DIMS(2, 3, 131, 16), DIMS(2, 3, 131, 16)});
  sdk_check_threads(self_cases, G_N_ELEMENTS(self_cases), (AbShape[]){DIMS(3, 70, 36)});
}

/* ---- values by hand ------------------------------------------------------------------------- */

static void assert_near(AbTensor *y, AbShape shape, const double *wanted) {
  AbShape given = ab_shape(y);
  g_assert_cmpmem(&given, sizeof given, &shape, sizeof shape);
  g_autofree double *values = sdk_values(y);
  for (int64_t i = 0; i < ab_count(y); i++)
    g_assert_cmpfloat_with_epsilon(values[i], wanted[i], 1e-6 * fmax(1, fabs(wanted[i])));
}

static void check_values(const char *device, AbDtype real) {
  AbContext *ctx = sdk_context(device, real);
  /* scores 0 and ln 3: a quarter and three quarters */
  const double one[1] = {1}, keys[2] = {0, log(3)}, values[4] = {4, 8, 0, 100};
  AbTensor *q = sdk_tensor(ctx, AB_SHAPE(1, 1, 1, 1), one);
  AbTensor *k = sdk_tensor(ctx, AB_SHAPE(1, 1, 2, 1), keys);
  AbTensor *v = sdk_tensor(ctx, AB_SHAPE(1, 1, 2, 2), values);
  AbShape shape = AB_SHAPE(1, 1, 1, 2);
  assert_near(ab_attention(q, k, v, AB_NONE, false, 0), shape, (double[]){1, 77});
  assert_near(ab_attention(q, k, v, AB_NONE, true, 0), shape, (double[]){4, 8});
  assert_near(ab_attention(q, k, v, AB_NONE, false, 2), shape, (double[]){0.4, 90.8});
  AbTensor *second = sdk_tensor_of(ctx, AB_BOOL, AB_SHAPE(2), (double[]){0, 1});
  assert_near(ab_attention(q, k, v, second, false, 0), shape, (double[]){0, 100});
  AbTensor *minus = sdk_tensor(ctx, AB_SHAPE(1, 2), (double[]){-INFINITY, -1e4});
  assert_near(ab_attention(q, k, v, minus, false, 0), shape, (double[]){0, 100});
  /* nothing allowed: zeros, and no gradient */
  AbTensor *none[] = {sdk_tensor_of(ctx, AB_BOOL, AB_SHAPE(1), (double[]){0}),
                      sdk_tensor(ctx, AB_SHAPE(1), (double[]){-INFINITY})};
  for (int i = 0; i < 2; i++) {
    AbTensor *leaves[] = {ab_detach(q), ab_detach(k), ab_detach(v)};
    for (int j = 0; j < 3; j++) ab_require_grad(leaves[j]);
    AbTensor *y = ab_attention(leaves[0], leaves[1], leaves[2], none[i], false, 0);
    assert_near(y, shape, (double[]){0, 0});
    ab_backward(ab_sum(y));
    for (int j = 0; j < 3; j++)
      assert_near(ab_gradient(leaves[j]), ab_shape(leaves[j]), (double[]){0, 0, 0, 0});
  }
  /* scores of 1e4 neither overflow nor lose their difference */
  AbTensor *far = ab_affine(k, 1, 1e4);
  g_autofree double *y = sdk_values(ab_attention(q, far, v, AB_NONE, false, 0));
  g_assert_cmpfloat_with_epsilon(y[0], 1, real == AB_F64 ? 1e-8 : 1e-3);
  sdk_finish(ctx);
}

static void test_values(const void *device) {
  check_values(device, AB_F64);
  check_values(device, AB_F32);
}

static void test_nan(const void *device) {
  AbContext *ctx = sdk_context(device, AB_F32);
  double numbers[18] = {0};
  numbers[3] = NAN;
  AbTensor *q = sdk_tensor(ctx, AB_SHAPE(1, 1, 9, 2), numbers),
           *k = ab_full(ctx, AB_F32, ab_shape(q), 1);
  g_autofree double *y = sdk_values(ab_attention(q, k, k, AB_NONE, false, 0));
  for (int i = 0; i < 18; i++) g_assert_cmpint(isnan(y[i]), ==, i / 2 == 1);
  sdk_finish(ctx);
}

/* Lengths are keys that are cut off. */
static void test_lengths(const void *device) {
  AbContext *ctx = sdk_context(device, AB_F64);
  int64_t lengths[3] = {2, 0, 9};
  AbTensor *mask = ab_length_mask(ab_from(ctx, AB_I64, AB_SHAPE(3), lengths), 4);
  assert_near(mask, AB_SHAPE(3, 1, 1, 4), (double[]){1, 1, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1});
  g_autofree double *numbers = sdk_numbers(3 * 2 * 4 * 2, -1, 1, 8);
  AbTensor *x = sdk_tensor(ctx, AB_SHAPE(3, 2, 4, 2), numbers);
  AbTensor *y = ab_attention(x, x, x, mask, false, 0);
  AbTensor *first = ab_slice(x, 0, 0, 1), *cut = ab_slice(first, 2, 0, 2);
  g_autofree double *wanted = sdk_values(ab_attention(first, cut, cut, AB_NONE, false, 0));
  assert_near(ab_slice(y, 0, 0, 1), AB_SHAPE(1, 2, 4, 2), wanted);
  double zeros[16] = {0};
  assert_near(ab_slice(y, 0, 1, 2), AB_SHAPE(1, 2, 4, 2), zeros);
  sdk_finish(ctx);
}

/* [b, t, h d] comes out of the transposed result without a copy, and can be mapped. */
static void test_order(const void *device) {
  AbContext *ctx = sdk_context(device, AB_F32);
  AbTensor *x = ab_full(ctx, AB_F32, AB_SHAPE(2, 3, 4, 5), 1);
  AbTensor *y = ab_attention(x, x, x, AB_NONE, false, 0), *turned = ab_transpose(y, 1, 2);
  AbTensor *merged = ab_reshape(turned, AB_SHAPE(2, 4, 15));
  g_assert_true(ab_map(merged, false) == ab_map(turned, false));
  sdk_finish(ctx);
}

static void test_empty(const void *device) {
  AbContext *ctx = sdk_context(device, AB_F32);
  const AbShape empty[][3] = {
      {DIMS(0, 2, 3, 4), DIMS(0, 2, 5, 4), DIMS(0, 2, 5, 4)},
      {DIMS(2, 0, 3, 4), DIMS(2, 0, 5, 4), DIMS(2, 0, 5, 4)},
      {DIMS(2, 2, 0, 4), DIMS(2, 2, 5, 4), DIMS(2, 2, 5, 4)}, /* no rows */
      {DIMS(2, 2, 3, 4), DIMS(2, 2, 0, 4), DIMS(2, 2, 0, 4)}, /* no keys: zeros */
      {DIMS(2, 2, 3, 4), DIMS(2, 2, 5, 4), DIMS(2, 2, 5, 0)},
      {DIMS(1, 1, 3, 0), DIMS(1, 1, 2, 0), DIMS(1, 1, 2, 1)}, /* scores 0: the mean */
  };
  for (size_t i = 0; i < G_N_ELEMENTS(empty); i++) {
    for (int causal = 0; causal < 2; causal++) {
      AbTensor *x[3];
      for (int j = 0; j < 3; j++) {
        x[j] = ab_full(ctx, AB_F32, empty[i][j], 1);
        ab_require_grad(x[j]);
      }
      AbTensor *y = ab_attention(x[0], x[1], x[2], AB_NONE, causal, 0);
      g_autofree double *values = sdk_values(y);
      for (int64_t j = 0; j < ab_count(y); j++) g_assert_cmpfloat(values[j], ==, i == 5 ? 1 : 0);
      ab_backward(ab_sum(y));
      sdk_assert_ok(ctx);
      g_autofree double *slope = sdk_values(ab_gradient(x[0]));
      for (int64_t j = 0; j < ab_count(x[0]); j++) g_assert_cmpfloat(slope[j], ==, 0);
      g_autofree double *keys = sdk_values(ab_gradient(x[1]));
      for (int64_t j = 0; j < ab_count(x[1]); j++) g_assert_cmpfloat(keys[j], ==, 0);
    }
  }
  AbTensor *y = ab_self_attention(ab_zeros(ctx, AB_SHAPE(2, 0, 12)), 2, AB_NONE, false);
  g_assert_cmpint(ab_count(y), ==, 0);
  y = ab_self_attention(ab_zeros(ctx, AB_SHAPE(2, 3, 0)), 2, AB_NONE, false);
  g_assert_cmpint(ab_count(y), ==, 0);
  sdk_finish(ctx);
}

/* ---- dry runs ------------------------------------------------------------------------------- */

typedef struct {
  AbModel base;
} Net;

static void net_build(AbModel *self, const AbSignature *wanted) {
  (void)wanted;
  AbInit zero = {AB_INIT_CONSTANT, 0, 0};
  ab_weight(self, "q", AB_SHAPE(2, 3, 1000000, 5), zero, "b h t d");
  ab_weight(self, "k", AB_SHAPE(2, 3, 2000000, 5), zero, "b h s d");
  ab_weight(self, "v", AB_SHAPE(2, 3, 2000000, 7), zero, "b h s e");
  ab_weight(self, "qkv", AB_SHAPE(2, 1000000, 36), zero, "b t width");
  ab_weight(self, "table", AB_SHAPE(1000000000, 6), zero, "v d");
  ab_weight(self, "A", AB_SHAPE(1000000, 1000000), zero, "n n");
}
static AbTensor *net_predict(AbModel *self, AbTensor *x) {
  (void)self;
  return x;
}
static const AbModelVtable net_table = {
    .struct_size = sizeof net_table, .build = net_build, .predict = net_predict};
static const AbComponent net_component = {
    sizeof(AbComponent),          AB_KIND_MODEL,       "net", "A net.", "",
    .instance_size = sizeof(Net), .vtable = &net_table};

static AbTensor *shape_of_weight(Net *net, const char *name) {
  AbTensor *x = ab_find_weight(&net->base, name);
  g_assert_true(ab_is_shape_only(x));
  return x;
}

static void assert_shape_only(AbTensor *y, AbShape wanted) {
  AbShape shape = ab_shape(y);
  g_assert_true(ab_is_shape_only(y));
  g_assert_cmpmem(&shape, sizeof shape, &wanted, sizeof wanted);
}

/* Shapes alone, of what no memory would hold: of all operations of linalg.h and attention.h. */
static void test_dry_run(const void *device) {
  AbContext *ctx = sdk_context(device, AB_F32);
  ab_dry_run(ctx, true);
  Net *net = (Net *)ab_instance_new(ctx, &net_component, "model", NULL);
  AbSpec spec = {1, AB_F32, {3}, 0, 0, 0};
  AbSignature wanted = ab_signature(AB_ROLE_PREDICT, &spec, NULL);
  ab_build(&net->base, &wanted);
  sdk_assert_ok(ctx);
  AbTensor *q = shape_of_weight(net, "q"), *k = shape_of_weight(net, "k");
  AbTensor *v = shape_of_weight(net, "v"), *A = shape_of_weight(net, "A");
  assert_shape_only(ab_attention(q, k, v, AB_NONE, true, 0), AB_SHAPE(2, 3, 1000000, 7));
  assert_shape_only(ab_self_attention(shape_of_weight(net, "qkv"), 3, AB_NONE, false),
                    AB_SHAPE(2, 1000000, 12));
  assert_shape_only(ab_matmul(q, ab_transpose(k, 2, 3)), AB_SHAPE(2, 3, 1000000, 2000000));
  int64_t at[2] = {5, 999999999};
  assert_shape_only(ab_embedding(shape_of_weight(net, "table"),
                                 ab_from(ctx, AB_I64, AB_SHAPE(2), at), AB_NO_PADDING),
                    AB_SHAPE(2, 6));
  assert_shape_only(ab_cholesky_solve(ab_cholesky(A), A), AB_SHAPE(1000000, 1000000));
  assert_shape_only(ab_outer(ab_diagonal(A), ab_trace(ab_reshape(A, AB_SHAPE(-1, 10, 10)))),
                    AB_SHAPE(1000000, 10000000000));
  AbSparse *s = ab_sparse_new(ctx, 1, 1000000, (int64_t[]){0, 1}, at, AB_NONE);
  assert_shape_only(ab_sparse_matmul(s, A), AB_SHAPE(1, 1000000));
  ab_sparse_unref(s);
  sdk_assert_ok(ctx);
  ab_instance_free(&net->base);
  sdk_finish(ctx);
}

/* ---- errors --------------------------------------------------------------------------------- */

static void test_errors(const void *device) {
  AbContext *ctx = sdk_context(device, AB_F32), *other = sdk_context(device, AB_F32);
  AbTensor *q = ab_zeros(ctx, AB_SHAPE(2, 3, 4, 5)), *k = ab_zeros(ctx, AB_SHAPE(2, 3, 6, 5));
  const AbShape wrong[] = {DIMS(2, 3, 6, 4), DIMS(2, 2, 6, 5), DIMS(1, 3, 6, 5), DIMS(3, 6, 5)};
  for (size_t i = 0; i < G_N_ELEMENTS(wrong); i++) {
    g_assert_null(ab_attention(q, ab_zeros(ctx, wrong[i]), k, AB_NONE, false, 0));
    sdk_assert_error(ctx, AB_CONFIG, "attention", "q of f32 [2, 3, 4, 5]", "[b, h, s, d]", NULL);
  }
  g_assert_null(ab_attention(q, k, q, AB_NONE, false, 0));
  sdk_assert_error(ctx, AB_CONFIG, "v of f32 [2, 3, 4, 5]", NULL);
  g_assert_null(
      ab_attention(q, k, ab_full(ctx, AB_F64, AB_SHAPE(2, 3, 6, 5), 0), AB_NONE, false, 0));
  sdk_assert_error(ctx, AB_CONFIG, "types differ", NULL);
  g_assert_null(ab_attention(q, k, ab_zeros(other, AB_SHAPE(2, 3, 6, 5)), AB_NONE, false, 0));
  sdk_assert_error(ctx, AB_INTERNAL, "two contexts", NULL);
  const double scales[] = {-1, NAN, INFINITY};
  for (int i = 0; i < 3; i++) {
    g_assert_null(ab_attention(q, k, k, AB_NONE, false, scales[i]));
    sdk_assert_error(ctx, AB_CONFIG, "attention", "scale", NULL);
  }
  AbTensor *masks[] = {ab_zeros(ctx, AB_SHAPE(4, 5)), ab_zeros(ctx, AB_SHAPE(1, 2, 3, 4, 6)),
                       ab_full(ctx, AB_I64, AB_SHAPE(4, 6), 1),
                       ab_full(ctx, AB_F64, AB_SHAPE(4, 6), 1)};
  for (size_t i = 0; i < G_N_ELEMENTS(masks); i++) {
    g_assert_null(ab_attention(q, k, k, masks[i], false, 0));
    sdk_assert_error(ctx, AB_CONFIG, "a mask of", "bool or f32", "[2, 3, 4, 6]", NULL);
  }
  g_assert_null(ab_attention(q, k, k, ab_zeros(other, AB_SHAPE(4, 6)), false, 0));
  sdk_assert_error(ctx, AB_INTERNAL, "two contexts", NULL);
  AbTensor *learned = ab_zeros(ctx, AB_SHAPE(4, 6));
  ab_require_grad(learned);
  g_assert_null(ab_attention(q, k, k, learned, false, 0));
  sdk_assert_error(ctx, AB_CONFIG, "mask", "no gradient", "ab_softmax", NULL);
  g_assert_null(ab_attention(q, k, NULL, AB_NONE, false, 0));
  g_assert_null(ab_attention(q, k, k, NULL, false, 0));
  AbTensor *x = ab_zeros(ctx, AB_SHAPE(2, 3, 12));
  const int64_t heads[] = {0, -1, 3, 5};
  for (size_t i = 0; i < G_N_ELEMENTS(heads); i++) {
    g_assert_null(ab_self_attention(x, heads[i], AB_NONE, false));
    sdk_assert_error(ctx, AB_CONFIG, "self_attention", "f32 [2, 3, 12]", "[b, t, 3 h d]", NULL);
  }
  g_assert_null(ab_self_attention(q, 1, AB_NONE, false));
  sdk_assert_error(ctx, AB_CONFIG, "self_attention", NULL);
  g_assert_null(ab_self_attention(ab_full(ctx, AB_U8, AB_SHAPE(2, 3, 12), 0), 2, AB_NONE, false));
  sdk_assert_error(ctx, AB_CONFIG, "self_attention", "real", NULL);
  g_assert_null(ab_self_attention(x, 2, q, false));
  sdk_assert_error(ctx, AB_CONFIG, "self_attention: a mask", "[2, 2, 3, 3]", NULL);
  g_assert_null(ab_self_attention(NULL, 2, AB_NONE, false));
  g_assert_null(ab_length_mask(x, 3));
  sdk_assert_error(ctx, AB_CONFIG, "length_mask", "i64 [b]", NULL);
  g_assert_null(ab_length_mask(NULL, 3));
  ab_context_free(other);
  sdk_finish(ctx);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  sdk_add("/attention/first", test_first);
  sdk_add("/attention/second", test_second);
  g_test_add_func("/attention/golden", test_golden);
  g_test_add_func("/attention/devices", test_devices);
  g_test_add_func("/attention/threads", test_threads);
  sdk_add("/attention/values", test_values);
  sdk_add("/attention/nan", test_nan);
  sdk_add("/attention/lengths", test_lengths);
  sdk_add("/attention/order", test_order);
  sdk_add("/attention/empty", test_empty);
  sdk_add("/attention/dry-run", test_dry_run);
  sdk_add("/attention/errors", test_errors);
  return g_test_run();
}
