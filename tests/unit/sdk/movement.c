/* SPDX-License-Identifier: Apache-2.0
 *
 * Shape, parts, joining, padding and turning: gradients, PyTorch's values, values written out here,
 * every element type, errors. */
#include "device-test.h"
#include "golden-test.h"
#include "gradient-test.h"
#include <math.h>

#define PERMUTE(x, ...)                                                        \
  ab_permute(x, (int32_t)(sizeof((int32_t[]){__VA_ARGS__}) / sizeof(int32_t)), \
             (int32_t[]){__VA_ARGS__})
#define CONCAT(axis, ...)                \
  ab_concat((AbTensor *[]){__VA_ARGS__}, \
            (int32_t)(sizeof((AbTensor *[]){__VA_ARGS__}) / sizeof(AbTensor *)), axis)
#define STACK(axis, ...)                \
  ab_stack((AbTensor *[]){__VA_ARGS__}, \
           (int32_t)(sizeof((AbTensor *[]){__VA_ARGS__}) / sizeof(AbTensor *)), axis)
#define PAD(x, mode, value, b0, b1, b2, a0, a1, a2) \
  ab_pad(x, (int64_t[]){b0, b1, b2}, (int64_t[]){a0, a1, a2}, mode, value)

static AbTensor *part(AbTensor *x, int32_t axis, int32_t i, int64_t a, int64_t b, int64_t c) {
  AbTensor *parts[3];
  ab_split(x, axis, 3, (int64_t[]){a, b, c}, parts);
  return parts[i];
}

FUNCTION(permute, ab_square(PERMUTE(x[0], 2, 0, 1)))
FUNCTION(concat, ab_square(CONCAT(1, x[0], x[1], x[0])))
FUNCTION(concat_many, ab_square(CONCAT(-1, x[0], x[1], x[1], x[0], x[1], x[0])))
FUNCTION(stack, ab_square(STACK(2, x[0], x[1], x[0])))
FUNCTION(stack_last, ab_square(STACK(-1, x[0], x[1])))
FUNCTION(slice_step, ab_square(ab_slice_step(x[0], 1, 1, 5, 3)))
FUNCTION(slice_step_twice, ab_square(ab_slice_step(ab_slice_step(x[0], 1, 0, 5, 2), 1, 1, 3, 2)))
FUNCTION(split, ab_square(part(x[0], 1, 1, 1, 3, 1)))
FUNCTION(split_product, ab_mul(part(x[0], 1, 0, 2, 1, 2), part(x[0], 1, 2, 2, 1, 2)))
FUNCTION(flip, ab_square(ab_flip(x[0], 5)))
FUNCTION(rot90_1, ab_square(ab_rot90(x[0], 1, 2, 0)))
FUNCTION(rot90_2, ab_square(ab_rot90(x[0], -2, 2, 0)))
FUNCTION(rot90_3, ab_square(ab_rot90(x[0], 7, -1, 0)))
FUNCTION(roll, ab_square(ab_roll(x[0], 1, -3)))
FUNCTION(repeat, ab_square(ab_repeat(x[0], AB_SHAPE(2, 1, 3, 2))))
FUNCTION(squeeze, ab_square(ab_squeeze(ab_unsqueeze(ab_unsqueeze(x[0], -1), 1), 1)))
FUNCTION(pad_constant, ab_square(PAD(x[0], AB_PAD_CONSTANT, 0.75, 1, 0, 1, 0, 1, 2)))
FUNCTION(pad_reflect, ab_square(PAD(x[0], AB_PAD_REFLECT, 0, 0, 0, 3, 0, 4, 1)))
FUNCTION(pad_replicate, ab_square(PAD(x[0], AB_PAD_REPLICATE, 0, 0, 0, 3, 0, 4, 1)))
FUNCTION(pad_circular, ab_square(PAD(x[0], AB_PAD_CIRCULAR, 0, 0, 0, 3, 0, 4, 1)))

#define CUBE DIMS(3, 5, 4)
static const SdkGradientCase gradients[] = {
    {"permute", permute_of, 1, {CUBE}, -2, 2},
    {"concat", concat_of, 2, {CUBE, DIMS(3, 2, 4)}, -2, 2},
    {"concat-many", concat_many_of, 2, {DIMS(2, 3), DIMS(2, 1)}, -2, 2},
    {"stack", stack_of, 2, {DIMS(3, 2), DIMS(3, 2)}, -2, 2},
    {"stack-last", stack_last_of, 2, {CUBE, CUBE}, -2, 2},
    {"slice-step", slice_step_of, 1, {CUBE}, -2, 2},
    {"slice-step-twice", slice_step_twice_of, 1, {CUBE}, -2, 2},
    {"split", split_of, 1, {CUBE}, -2, 2},
    {"split-product", split_product_of, 1, {CUBE}, -2, 2},
    {"flip", flip_of, 1, {CUBE}, -2, 2},
    {"rot90-1", rot90_1_of, 1, {CUBE}, -2, 2},
    {"rot90-2", rot90_2_of, 1, {CUBE}, -2, 2},
    {"rot90-3", rot90_3_of, 1, {CUBE}, -2, 2},
    {"roll", roll_of, 1, {CUBE}, -2, 2},
    {"repeat", repeat_of, 1, {DIMS(2, 3, 2)}, -2, 2},
    {"squeeze", squeeze_of, 1, {CUBE}, -2, 2},
    {"pad-constant", pad_constant_of, 1, {CUBE}, -2, 2},
    {"pad-reflect", pad_reflect_of, 1, {CUBE}, -2, 2},
    {"pad-replicate", pad_replicate_of, 1, {CUBE}, -2, 2},
    {"pad-circular", pad_circular_of, 1, {CUBE}, -2, 2},
};

static void test_first(const void *device) {
  sdk_check_gradients(device, gradients, G_N_ELEMENTS(gradients));
}
static void test_second(const void *device) {
  sdk_check_second(device, gradients, G_N_ELEMENTS(gradients));
}

static void test_golden(void) {
  static const SdkGoldenCase cases[] = {
      {"permute", permute_of, 0},
      {"concat", concat_of, 0},
      {"stack", stack_of, 0},
      {"slice-step", slice_step_of, 0},
      {"split", split_of, 0},
      {"flip", flip_of, 0},
      {"rot90-1", rot90_1_of, 0},
      {"rot90-2", rot90_2_of, 0},
      {"rot90-3", rot90_3_of, 0},
      {"roll", roll_of, 0},
      {"repeat", repeat_of, 0},
      {"pad-constant", pad_constant_of, 0},
      {"pad-reflect", pad_reflect_of, 0},
      {"pad-replicate", pad_replicate_of, 0},
      {"pad-circular", pad_circular_of, 0},
  };
  sdk_check_golden("movement", cases, G_N_ELEMENTS(cases));
}

/* ---- f32 on the cpu: moving is exact, squaring rounds once ---------------------------------- */

FUNCTION(turned, ab_square(PERMUTE(x[0], 0, 2, 1)))
FUNCTION(flipped, ab_square(ab_flip(x[0], 7)))
FUNCTION(joined, ab_square(CONCAT(1, x[0], x[0])))
FUNCTION(stepped, ab_square(ab_slice_step(x[0], 2, 0, ab_dim(x[0], 2), 3)))
FUNCTION(padded, ab_square(PAD(x[0], AB_PAD_REFLECT, 0, 1, 2, 3, 2, 1, 0)))
FUNCTION(tiled, ab_square(ab_repeat(x[0], AB_SHAPE(2, 3, 2))))
static const SdkDeviceCase device_cases[] = {
    {"permute", turned_of, 1, -9, 9, 0.5, 0, 0.5, 0},
    {"flip", flipped_of, 1, -9, 9, 0.5, 0, 0.5, 0},
    {"concat", joined_of, 1, -9, 9, 0.5, 0, 2, 20}, /* two terms */
    {"slice-step", stepped_of, 1, -9, 9, 0.5, 0, 0.5, 0},
    {"pad", padded_of, 1, -9, 9, 0.5, 0, 6, 20},   /* up to eight terms */
    {"repeat", tiled_of, 1, -9, 9, 0.5, 0, 4, 50}, /* twelve */
};

static void test_devices(void) {
  const AbShape shapes[] = {AB_SHAPE(3, 5, 7), AB_SHAPE(5, 333, 301), AB_SHAPE(4, 6, 40)};
  for (size_t k = 0; k < G_N_ELEMENTS(shapes); k++)
    for (size_t i = 0; i < G_N_ELEMENTS(device_cases); i++)
      sdk_compare_devices(&device_cases[i], &shapes[k]);
  sdk_check_threads(device_cases, G_N_ELEMENTS(device_cases), &shapes[1]);
}

/* ---- every type: a permuted, reversed, strided window against indices computed here --------- */

static void check_type(const char *device, AbDtype dtype) {
  const int64_t d[4] = {3, 17, 18, 33}, n = d[0] * d[1] * d[2] * d[3];
  AbContext *ctx = sdk_context(device, AB_F32);
  g_autofree double *values = sdk_numbers(n, 0, 200, 5);
  for (int64_t i = 0; i < n; i++) values[i] = dtype == AB_BOOL ? values[i] > 100 : floor(values[i]);
  AbTensor *x = sdk_tensor_of(ctx, dtype, AB_SHAPE(d[0], d[1], d[2], d[3]), values);
  int32_t order[4] = {0, 1, 2, 3};
  for (int turn = 0; turn < 24; turn++) {
    int rest = turn; /* each of the permutations once */
    for (int i = 3; i > 0; i--) {
      int j = rest % (i + 1), before = order[i];
      rest /= i + 1;
      order[i] = order[j];
      order[j] = before;
    }
    AbTensor *y = ab_flip(ab_slice(ab_permute(x, 4, order), 3, 1, d[order[3]]), 10);
    g_assert_cmpint(ab_dtype(y), ==, dtype);
    g_autofree double *given = sdk_values(y);
    int64_t at[4], k = 0;
    for (at[0] = 0; at[0] < d[order[0]]; at[0]++)
      for (at[1] = 0; at[1] < d[order[1]]; at[1]++)
        for (at[2] = 0; at[2] < d[order[2]]; at[2]++)
          for (at[3] = 0; at[3] < d[order[3]] - 1; at[3]++, k++) {
            int64_t from[4];
            from[order[0]] = at[0];
            from[order[1]] = d[order[1]] - 1 - at[1];
            from[order[2]] = at[2];
            from[order[3]] = d[order[3]] - 1 - at[3];
            double wanted = values[((from[0] * d[1] + from[1]) * d[2] + from[2]) * d[3] + from[3]];
            if (given[k] != wanted)
              g_error("%s: %g, not %g", ab_dtype_name(dtype), given[k], wanted);
          }
  }
  sdk_finish(ctx);
}

static void test_types(const void *device) {
  for (AbDtype dtype = AB_F32; dtype <= AB_BOOL; dtype++) check_type(device, dtype);
}

/* Joining, padding and repeating in every type, of a ramp 0 to 5. */
static void test_small(const void *device) {
  AbContext *ctx = sdk_context(device, AB_F64);
  const double ramp[] = {0, 1, 2, 3, 4, 5};
  for (AbDtype dtype = AB_F32; dtype < AB_BOOL; dtype++) {
    AbTensor *x = sdk_tensor_of(ctx, dtype, AB_SHAPE(2, 3), ramp);
    AbTensor *v = sdk_tensor_of(ctx, dtype, AB_SHAPE(4), ramp + 1);
    const struct {
      AbTensor *y;
      int32_t rank;
      int64_t dims[3];
      double wanted[24];
    } cases[] = {
        {CONCAT(0, x, ab_slice(x, 0, 1, 2)), 2, {3, 3}, {0, 1, 2, 3, 4, 5, 3, 4, 5}},
        {CONCAT(1, x, ab_slice(x, 1, 1, 1), ab_slice(x, 1, 2, 3)),
         2,
         {2, 4},
         {0, 1, 2, 2, 3, 4, 5, 5}},
        {STACK(1, x, ab_flip(x, 2)), 3, {2, 2, 3}, {0, 1, 2, 2, 1, 0, 3, 4, 5, 5, 4, 3}},
        {ab_pad(v, (int64_t[]){2}, (int64_t[]){1}, AB_PAD_CONSTANT, 9),
         1,
         {7},
         {9, 9, 1, 2, 3, 4, 9}},
        {ab_pad(v, (int64_t[]){2}, (int64_t[]){3}, AB_PAD_REFLECT, 9),
         1,
         {9},
         {3, 2, 1, 2, 3, 4, 3, 2, 1}},
        {ab_pad(v, (int64_t[]){2}, (int64_t[]){1}, AB_PAD_REPLICATE, 9),
         1,
         {7},
         {1, 1, 1, 2, 3, 4, 4}},
        {ab_pad(v, (int64_t[]){4}, (int64_t[]){1}, AB_PAD_CIRCULAR, 9),
         1,
         {9},
         {1, 2, 3, 4, 1, 2, 3, 4, 1}},
        {ab_repeat(x, AB_SHAPE(1, 2)), 2, {2, 6}, {0, 1, 2, 0, 1, 2, 3, 4, 5, 3, 4, 5}},
        {ab_repeat(v, AB_SHAPE(2, 1)), 2, {2, 4}, {1, 2, 3, 4, 1, 2, 3, 4}},
        {ab_repeat(x, AB_SHAPE(2, 0)), 2, {4, 0}, {0}},
        {ab_rot90(x, 1, 0, 1), 2, {3, 2}, {2, 5, 1, 4, 0, 3}},
        {ab_rot90(x, -1, 0, 1), 2, {3, 2}, {3, 0, 4, 1, 5, 2}},
        {ab_rot90(x, 4, 0, 1), 2, {2, 3}, {0, 1, 2, 3, 4, 5}},
        {ab_roll(v, 0, 5), 1, {4}, {4, 1, 2, 3}},
        {ab_roll(v, 0, -1), 1, {4}, {2, 3, 4, 1}},
        {ab_slice_step(v, 0, 1, 4, 2), 1, {2}, {2, 4}},
        {ab_slice_step(v, 0, 3, 4, 100), 1, {1}, {4}},
        {ab_slice_step(v, 0, 4, 4, 2), 1, {0}, {0}},
        {ab_unsqueeze(v, -2), 2, {1, 4}, {1, 2, 3, 4}},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
      AbShape wanted = {.rank = cases[i].rank}, given = ab_shape(cases[i].y);
      for (int32_t k = 0; k < wanted.rank; k++) wanted.dims[k] = cases[i].dims[k];
      sdk_assert_ok(ctx);
      g_assert_cmpmem(&given, sizeof given, &wanted, sizeof wanted);
      g_assert_cmpint(ab_dtype(cases[i].y), ==, dtype);
      g_autofree double *values = sdk_values(cases[i].y);
      for (int64_t k = 0; k < ab_count(cases[i].y); k++)
        g_assert_cmpfloat(values[k], ==, cases[i].wanted[k]);
    }
  }
  sdk_finish(ctx);
}

static void test_fill(const void *device) {
  AbContext *ctx = sdk_context(device, AB_F32);
  for (AbDtype dtype = AB_F32; dtype <= AB_BOOL; dtype++) {
    for (int64_t n = 0; n < 200000; n = n * 3 + 1) {
      g_autofree double *values = sdk_values(ab_full(ctx, dtype, AB_SHAPE(n), 7));
      for (int64_t i = 0; i < n; i++) g_assert_cmpfloat(values[i], ==, dtype == AB_BOOL ? 1 : 7);
    }
  }
  sdk_finish(ctx);
}

/* Gradients of a concatenation are views of one gradient: no later sum may change it. */
static void test_shared_gradient(const void *device) {
  AbContext *ctx = sdk_context(device, AB_F64);
  const double ones[] = {1, 2, 3, 4};
  AbTensor *x = sdk_tensor(ctx, AB_SHAPE(2, 2), ones), *two = ab_affine(x, 2, 0);
  ab_require_grad(x);
  two = ab_affine(x, 2, 0);
  AbTensor *y = CONCAT(0, two, two, ab_square(two));
  ab_backward(ab_sum(ab_mul(y, y)));
  g_autofree double *g = sdk_values(ab_gradient(x));
  for (int i = 0; i < 4; i++) { /* 2 (2 x)^2 + (2 x)^4 */
    double v = ones[i];
    g_assert_cmpfloat(g[i], ==, 16 * v + 64 * v * v * v);
  }
  sdk_finish(ctx);
}

/* ---- errors ---------------------------------------------------------------------------------- */

static void test_errors(void) {
  AbContext *ctx = sdk_context("cpu", AB_F32), *other = sdk_context("cpu", AB_F32);
  AbTensor *x = ab_zeros(ctx, AB_SHAPE(2, 3)), *z = ab_full(ctx, AB_F64, AB_SHAPE(2, 3), 0);
  AbTensor *foreign = ab_zeros(other, AB_SHAPE(2, 3)), *parts[3] = {x, x, x};
  const int64_t none[2] = {0, 0}, some[2] = {1, 3}, below[2] = {0, -1}, huge[2] = {0, INT64_MAX};
#define WRONG(call, ...) \
  g_assert_null(call);   \
  sdk_assert_error(ctx, AB_CONFIG, __VA_ARGS__, NULL)
  WRONG(PERMUTE(x, 0, 0), "permute", "f32 [2, 3]");
  WRONG(PERMUTE(x, 0), "permute", "f32 [2, 3]", "in 2 numbers");
  WRONG(PERMUTE(x, 0, 2), "permute");
  WRONG(ab_squeeze(x, 0), "squeeze", "axis 0", "f32 [2, 3]");
  WRONG(ab_squeeze(x, 2), "squeeze", "no such axis");
  WRONG(ab_unsqueeze(x, 3), "unsqueeze", "f32 [2, 3]", "axis 3");
  WRONG(ab_unsqueeze(ab_zeros(ctx, AB_SHAPE(1, 1, 1, 1, 1, 1, 1, 1)), 0), "unsqueeze", "at most");
  WRONG(ab_slice_step(x, 1, 0, 3, 0), "slice", "steps of 0");
  WRONG(ab_slice_step(x, 1, 0, 4, 2), "slice", "[0, 4)", "f32 [2, 3]");
  WRONG(CONCAT(0, x, z), "concat", "f64 [2, 3]", "f32 [2, 3]");
  WRONG(CONCAT(0, x, ab_zeros(ctx, AB_SHAPE(2, 4))), "concat", "f32 [2, 4]", "along axis 0");
  WRONG(CONCAT(2, x, x), "concat", "no such axis");
  WRONG(CONCAT(0, ab_zeros(ctx, ab_scalar_shape())), "concat", "no such axis");
  WRONG(STACK(0, x, ab_zeros(ctx, AB_SHAPE(3, 2))), "stack", "f32 [3, 2]");
  WRONG(STACK(3, x, x), "stack", "axis 3");
  WRONG(ab_pad(x, some, none, AB_PAD_REFLECT, 0), "pad", "f32 [2, 3]");
  WRONG(ab_pad(x, none, huge, AB_PAD_CIRCULAR, 0), "pad");
  WRONG(ab_pad(x, below, none, AB_PAD_CONSTANT, 0), "pad");
  WRONG(ab_pad(x, huge, some, AB_PAD_CONSTANT, 0), "pad");
  WRONG(ab_pad(x, NULL, none, AB_PAD_CONSTANT, 0), "pad");
  WRONG(ab_pad(x, none, none, 4, 0), "pad");
  WRONG(ab_pad(ab_zeros(ctx, AB_SHAPE(0)), some, none, AB_PAD_REPLICATE, 0), "pad", "f32 [0]");
  WRONG(ab_flip(x, 4), "flip", "0x4", "f32 [2, 3]");
  WRONG(ab_rot90(x, 1, 1, -1), "rot90", "two axes");
  WRONG(ab_rot90(x, 1, 0, 2), "rot90", "no such axis");
  WRONG(ab_roll(x, 2, 1), "roll", "no such axis");
  WRONG(ab_repeat(x, AB_SHAPE(2)), "repeat", "f32 [2, 3]", "[2]");
  WRONG(ab_repeat(x, AB_SHAPE(2, -1)), "repeat");
  WRONG(ab_repeat(x, AB_SHAPE(INT64_MAX / 2, 2)), "repeat");
  ab_split(x, 1, 3, (int64_t[]){1, 1, 2}, parts);
  g_assert_true(!parts[0] && !parts[1] && !parts[2]);
  sdk_assert_error(ctx, AB_CONFIG, "split", "axis 1", "f32 [2, 3]", NULL);
  ab_split(x, 1, 3, (int64_t[]){4, -2, 1}, parts);
  sdk_assert_error(ctx, AB_CONFIG, "split", NULL);
  g_assert_null(CONCAT(0, x, foreign));
  sdk_assert_error(ctx, AB_INTERNAL, "concat", "two contexts", NULL);
  g_assert_null(STACK(0, x, foreign));
  sdk_assert_error(ctx, AB_INTERNAL, "stack", "two contexts", NULL);
  /* NULL passes */
  g_assert_null(PERMUTE(NULL, 0));
  g_assert_null(CONCAT(0, x, NULL));
  g_assert_null(STACK(0, NULL, x));
  g_assert_null(ab_concat(NULL, 2, 0));
  g_assert_null(ab_stack(&x, 0, 0));
  g_assert_null(ab_flip(AB_NONE, 0));
  g_assert_null(ab_pad(NULL, none, none, AB_PAD_CONSTANT, 0));
  g_assert_null(ab_repeat(NULL, AB_SHAPE(1)));
  g_assert_null(ab_rot90(NULL, 1, 0, 1));
  g_assert_null(ab_roll(NULL, 0, 1));
  g_assert_null(ab_squeeze(NULL, 0));
  g_assert_null(ab_unsqueeze(NULL, 0));
  sdk_finish(ctx);
  sdk_finish(other);
}

static void test_empty(const void *device) {
  AbContext *ctx = sdk_context(device, AB_F32);
  AbTensor *x = ab_zeros(ctx, AB_SHAPE(2, 0, 3));
  ab_require_grad(x);
  AbTensor *y = CONCAT(1, x, x);
  g_assert_cmpint(ab_count(y), ==, 0);
  g_assert_cmpint(ab_count(STACK(0, x, x)), ==, 0);
  g_assert_cmpint(ab_count(ab_flip(PERMUTE(x, 1, 2, 0), 7)), ==, 0);
  g_assert_cmpint(ab_count(ab_roll(x, 1, 3)), ==, 0);
  AbTensor *padded = PAD(x, AB_PAD_CONSTANT, 2, 0, 1, 0, 0, 1, 0);
  g_autofree double *values = sdk_values(padded);
  for (int i = 0; i < 12; i++) g_assert_cmpfloat(values[i], ==, 2);
  ab_backward(ab_sum(ab_add(padded, ab_sum(y))));
  g_assert_cmpint(ab_count(ab_gradient(x)), ==, 0);
  g_assert_cmpint(ab_count(ab_slice_step(x, 1, 0, 0, 5)), ==, 0);
  sdk_finish(ctx);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  sdk_add("/movement/first", test_first);
  sdk_add("/movement/second", test_second);
  g_test_add_func("/movement/golden", test_golden);
  g_test_add_func("/movement/devices", test_devices);
  sdk_add("/movement/types", test_types);
  sdk_add("/movement/small", test_small);
  sdk_add("/movement/fill", test_fill);
  sdk_add("/movement/shared-gradient", test_shared_gradient);
  g_test_add_func("/movement/errors", test_errors);
  sdk_add("/movement/empty", test_empty);
  return g_test_run();
}
