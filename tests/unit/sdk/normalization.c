/* SPDX-License-Identifier: Apache-2.0
 *
 * Normalisation: derivatives, PyTorch's values, devices against each other, running statistics,
 * means far from 0, layers, errors. */
#include "device-test.h"
#include "golden-test.h"
#include "gradient-test.h"
#include <math.h>

static AbTensor *batch(AbTensor *x, AbTensor *gain, AbTensor *bias, AbActivation f) {
  return ab_batch_norm(x, gain, bias, AB_NONE, AB_NONE, 0.1, 1e-3, f);
}

/* The running statistics [6] after one step in training. */
static AbTensor *running_after(AbTensor *x, bool variance) {
  AbContext *ctx = ab_context_of(x);
  AbTensor *mean = ab_full(ctx, ab_dtype(x), AB_SHAPE(6), 0.5);
  AbTensor *spread = ab_full(ctx, ab_dtype(x), AB_SHAPE(6), 2);
  ab_begin(ctx, AB_PURPOSE_TRAIN, 1);
  ab_batch_norm(x, AB_NONE, AB_NONE, mean, spread, 0.3, 1e-3, AB_IDENTITY);
  ab_begin(ctx, AB_PURPOSE_EVALUATE, 1);
  return variance ? spread : mean;
}

FUNCTION(plain, batch(x[0], AB_NONE, AB_NONE, AB_IDENTITY))
FUNCTION(scaled, batch(x[0], x[1], AB_NONE, AB_IDENTITY))
FUNCTION(shifted, batch(x[0], AB_NONE, x[1], AB_IDENTITY))
FUNCTION(batch, batch(x[0], x[1], x[2], AB_IDENTITY))
FUNCTION(relu, batch(x[0], x[1], x[2], AB_RELU))
FUNCTION(relu6, batch(x[0], x[1], x[2], AB_RELU6))
FUNCTION(tanh, batch(x[0], x[1], x[2], AB_TANH))
FUNCTION(fixed,
         ab_batch_norm(x[0], x[1], x[2], ab_detach(x[3]), ab_detach(x[4]), 0.1, 1e-5, AB_RELU))
FUNCTION(fixed_plain,
         ab_batch_norm(x[0], AB_NONE, AB_NONE,
                       ab_full(ab_context_of(x[0]), AB_F64, AB_SHAPE(ab_dim(x[0], 1)), 0.5),
                       ab_full(ab_context_of(x[0]), AB_F64, AB_SHAPE(ab_dim(x[0], 1)), 2), 0.1,
                       1e-5, AB_IDENTITY))
FUNCTION(running_mean, running_after(x[0], false))
FUNCTION(running_variance, running_after(x[0], true))
FUNCTION(instance, ab_instance_norm(x[0], x[1], x[2], 1e-5))
FUNCTION(instance_plain, ab_instance_norm(x[0], AB_NONE, AB_NONE, 1e-5))
FUNCTION(group, ab_group_norm(x[0], 3, x[1], x[2], 1e-5))
FUNCTION(group_one, ab_group_norm(x[0], 1, x[1], x[2], 1e-5))
FUNCTION(layer, ab_layer_norm(x[0], 1, x[1], x[2], 1e-5))
FUNCTION(layer_two, ab_layer_norm(x[0], 2, x[1], x[2], 1e-5))
FUNCTION(layer_plain, ab_layer_norm(x[0], 1, AB_NONE, AB_NONE, 1e-5))
FUNCTION(layer_shifted, ab_layer_norm(x[0], 1, AB_NONE, x[1], 1e-5))
FUNCTION(rms, ab_rms_norm(x[0], 1, x[1], 1e-5))
FUNCTION(rms_plain, ab_rms_norm(x[0], 2, AB_NONE, 1e-5))
FUNCTION(weight, ab_weight_norm(x[0], x[1], -1))
FUNCTION(weight_kernels, ab_weight_norm(x[0], x[1], 0))

#define IMAGE DIMS(2, 3, 3, 2)
static const SdkGradientCase cases[] = {
    {"plain", plain_of, 1, {IMAGE}, -2, 2, .plain_only = true},
    {"matrix", batch_of, 3, {DIMS(4, 3), DIMS(3), DIMS(3)}, -2, 2, .plain_only = true},
    {"batch", batch_of, 3, {IMAGE, DIMS(3), DIMS(3)}, 0.25, 2},
    {"scaled", scaled_of, 2, {DIMS(2, 3, 4), DIMS(3)}, -2, 2, .plain_only = true},
    {"shifted", shifted_of, 2, {DIMS(2, 3, 1, 2, 2), DIMS(3)}, -2, 2, .plain_only = true},
    {"relu", relu_of, 3, {IMAGE, DIMS(3), DIMS(3)}, -1, 2, .plain_only = true},
    {"relu6", relu6_of, 3, {IMAGE, DIMS(3), DIMS(3)}, 1, 6, .plain_only = true},
    {"tanh", tanh_of, 3, {IMAGE, DIMS(3), DIMS(3)}, -1, 1, .plain_only = true},
    {"fixed", fixed_plain_of, 1, {IMAGE}, -2, 2},
    {"instance", instance_of, 3, {IMAGE, DIMS(3), DIMS(3)}, -2, 2, .plain_only = true},
    {"instance-plain", instance_plain_of, 1, {IMAGE}, -2, 2},
    {"group", group_of, 3, {DIMS(2, 6, 3), DIMS(6), DIMS(6)}, -2, 2, .plain_only = true},
    {"group-one", group_one_of, 3, {DIMS(3, 4), DIMS(4), DIMS(4)}, -2, 2, .plain_only = true},
    {"layer", layer_of, 3, {DIMS(4, 5), DIMS(5), DIMS(5)}, -2, 2, .plain_only = true},
    {"layer-two", layer_two_of, 3, {DIMS(3, 2, 4), DIMS(2, 4), DIMS(2, 4)}, -2, 2},
    {"layer-plain", layer_plain_of, 1, {DIMS(4, 5)}, -2, 2},
    {"layer-shifted", layer_shifted_of, 2, {DIMS(4, 5), DIMS(5)}, -2, 2, .plain_only = true},
    {"rms", rms_of, 2, {DIMS(4, 5), DIMS(5)}, -2, 2},
    {"rms-plain", rms_plain_of, 1, {DIMS(3, 2, 4)}, -2, 2},
    {"weight", weight_of, 2, {DIMS(4, 5), DIMS(5)}, 0.5, 2},
    {"weight-kernels", weight_kernels_of, 2, {DIMS(3, 2, 2), DIMS(3)}, 0.5, 2},
};

static void test_first(const void *device) {
  sdk_check_gradients(device, cases, G_N_ELEMENTS(cases));
}

static void test_second(const void *device) {
  sdk_check_second(device, cases, G_N_ELEMENTS(cases));
}

static const SdkGoldenCase golden[] = {
    {"batch-matrix", batch_of},
    {"batch-image", batch_of},
    {"batch-plain", plain_of},
    {"batch-volume", batch_of},
    {"batch-relu", relu_of},
    {"batch-relu6", relu6_of},
    {"batch-running-mean", running_mean_of},
    {"batch-running-variance", running_variance_of},
    {"batch-fixed", fixed_of},
    {"instance", instance_of},
    {"group", group_of},
    {"group-one", group_one_of},
    {"layer", layer_of},
    {"layer-two", layer_two_of},
    {"layer-plain", layer_plain_of},
    {"rms", rms_of},
    {"weight", weight_of},
    {"weight-kernels", weight_kernels_of},
};

static void test_golden(void) {
  sdk_check_golden("normalization", golden, G_N_ELEMENTS(golden));
}

/* ---- devices and threads --------------------------------------------------------------------- */

/* gradients of x cancel; those of gain and bias are sums of all rows */
static const SdkDeviceCase channel_cases[] = {
    {"plain", plain_of, 1, -3, 5, 4, 1, 4, 1},
    {"relu", relu_of, 3, -3, 5, 8, 4, 8, 8, .unit = 6},
    {"relu6", relu6_of, 3, -3, 5, 8, 4, 8, 8, .unit = 6},
    {"instance", instance_of, 3, -3, 5, 8, 4, 8, 8, .unit = 6},
};
static const SdkDeviceCase group_cases[] = {{"group", group_of, 3, -3, 5, 8, 4, 8, 8, .unit = 6}};
static const SdkDeviceCase row_cases[] = {
    {"layer", layer_of, 3, -3, 5, 8, 4, 8, 8, .unit = 6},
    {"rms", rms_of, 2, -3, 5, 8, 4, 8, 8, .unit = 2},
};
static const SdkDeviceCase plain_row_cases[] = {
    {"layer-plain", layer_plain_of, 1, -3, 5, 8, 4, 8, 8}};

static void compare(const SdkDeviceCase *of, size_t count, AbShape x, int64_t width) {
  AbShape shapes[3] = {x, AB_SHAPE(width), AB_SHAPE(width)};
  for (size_t i = 0; i < count; i++) sdk_compare_devices(&of[i], shapes);
}

static void test_devices(void) {
  const AbShape images[] = {AB_SHAPE(3, 1, 5, 7), AB_SHAPE(5, 3, 13, 11), AB_SHAPE(20, 10, 3, 3),
                            AB_SHAPE(2, 50, 4),   AB_SHAPE(17, 65, 4, 3), AB_SHAPE(3, 9, 2, 1, 1)};
  for (size_t i = 0; i < G_N_ELEMENTS(images); i++)
    compare(channel_cases, G_N_ELEMENTS(channel_cases), images[i], images[i].dims[1]);
  compare(channel_cases, 3, AB_SHAPE(1000, 7), 7);
  compare(channel_cases, 3, AB_SHAPE(9, 300), 300);
  compare(group_cases, 1, AB_SHAPE(17, 6, 5, 5), 6);
  compare(group_cases, 1, AB_SHAPE(1, 60, 5, 5), 60);
  const int64_t widths[] = {2, 15, 16, 256, 5000};
  for (size_t i = 0; i < G_N_ELEMENTS(widths); i++) {
    compare(row_cases, G_N_ELEMENTS(row_cases), AB_SHAPE(70, widths[i]), widths[i]);
    compare(plain_row_cases, 1, AB_SHAPE(3, widths[i]), widths[i]);
  }
}

static void test_threads(void) {
  AbShape image[3] = {AB_SHAPE(19, 24, 9, 13), AB_SHAPE(24), AB_SHAPE(24)};
  AbShape rows[3] = {AB_SHAPE(531, 100), AB_SHAPE(100), AB_SHAPE(100)};
  sdk_check_threads(channel_cases, G_N_ELEMENTS(channel_cases), image);
  sdk_check_threads(group_cases, 1, image);
  sdk_check_threads(row_cases, G_N_ELEMENTS(row_cases), rows);
}

/* ---- means far from 0 ------------------------------------------------------------------------ */

/* Mean 1e4, deviation 1, as f32 holds it: the result is as good as with a mean of 0. */
static void far_from_zero(const char *device, AbShape shape, AbTensor *(*f)(AbTensor *const *)) {
  int64_t n = ab_shape_count(shape);
  g_autofree double *values = sdk_numbers(n, 1e4 - sqrt(3), 1e4 + sqrt(3), 9);
  for (int64_t i = 0; i < n; i++) values[i] = (double)(float)values[i];
  AbContext *ctx = sdk_context(device, AB_F32), *exact = sdk_context("reference", AB_F64);
  AbTensor *x = sdk_tensor(ctx, shape, values), *wide = sdk_tensor(exact, shape, values);
  ab_require_grad(x);
  ab_require_grad(wide);
  AbTensor *y = f(&x), *z = f(&wide);
  g_assert_cmpfloat(sdk_worst_error(y, z, 1), <=, 4);
  ab_backward(ab_sum(ab_mul(ab_square(y), y)));
  ab_backward(ab_sum(ab_mul(ab_square(z), z)));
  g_assert_cmpfloat(sdk_worst_error(ab_gradient(x), ab_gradient(wide), 1), <=, 30);
  sdk_finish(ctx);
  sdk_finish(exact);
}

static void test_far(const void *device) {
  far_from_zero(device, AB_SHAPE(8, 24, 11, 10), plain_of);
  far_from_zero(device, AB_SHAPE(500, 3), plain_of);
  far_from_zero(device, AB_SHAPE(3, 5, 30, 10), instance_plain_of);
  far_from_zero(device, AB_SHAPE(30, 256), layer_plain_of);
}

/* ---- running statistics ---------------------------------------------------------------------- */

static void test_running(const void *device) {
  AbContext *ctx = sdk_context(device, AB_F32);
  double values[4] = {1, 10, 3, 30};
  AbTensor *x = sdk_tensor(ctx, AB_SHAPE(2, 2), values);
  AbTensor *mean = ab_zeros(ctx, AB_SHAPE(2)), *variance = ab_full(ctx, AB_F32, AB_SHAPE(2), 1);
  ab_begin(ctx, AB_PURPOSE_TRAIN, 1);
  ab_batch_norm(x, AB_NONE, AB_NONE, mean, variance, 0.25, 1e-5, AB_IDENTITY);
  g_autofree double *means = sdk_values(mean), *variances = sdk_values(variance);
  g_assert_cmpfloat(means[0], ==, 0.5); /* a quarter of 2 */
  g_assert_cmpfloat(means[1], ==, 5);
  g_assert_cmpfloat(variances[0], ==, 0.75 + 0.5); /* unbiased: 2 */
  g_assert_cmpfloat(variances[1], ==, 0.75 + 50);
  /* evaluation: these, unchanged, as they were when they were used */
  ab_begin(ctx, AB_PURPOSE_EVALUATE, 1);
  ab_require_grad(x);
  AbTensor *y = ab_batch_norm(x, AB_NONE, AB_NONE, mean, variance, 0.25, 1e-5, AB_IDENTITY);
  ab_assign(variance, ab_zeros(ctx, AB_SHAPE(2)));
  ab_backward(ab_sum(y));
  g_autofree double *result = sdk_values(y), *slope = sdk_values(ab_gradient(x));
  for (int i = 0; i < 4; i++) {
    double inverse = 1 / sqrt(variances[i % 2] + 1e-5);
    g_assert_cmpfloat_with_epsilon(result[i], (values[i] - means[i % 2]) * inverse, 1e-6);
    g_assert_cmpfloat_with_epsilon(slope[i], inverse, 1e-6);
  }
  sdk_finish(ctx);
}

/* ---- layers ---------------------------------------------------------------------------------- */

typedef struct {
  AbModel base;
  AbBatchNorm batch;
  AbLayerNorm layer;
} Net;

static void net_build(AbModel *self, const AbSignature *wanted) {
  (void)wanted;
  ((Net *)self)->batch = ab_batch_norm_make(self, 1, 3, AB_RELU6);
  ((Net *)self)->layer = ab_layer_norm_make(self, 2, AB_SHAPE(3));
}
static AbTensor *net_encode(AbModel *self, AbTensor *x) {
  Net *net = (Net *)self;
  return ab_layer_norm_apply(&net->layer, ab_batch_norm_apply(&net->batch, x));
}
static const AbModelVtable net_table = {
    .struct_size = sizeof net_table, .build = net_build, .encode = net_encode};
static const AbComponent net = {
    sizeof(AbComponent),          AB_KIND_MODEL,       "net", "Layers.", "",
    .instance_size = sizeof(Net), .vtable = &net_table};

static void test_layers(const void *device) {
  AbContext *ctx = sdk_context(device, AB_F32);
  Net *n = (Net *)ab_instance_new(ctx, &net, "model", NULL);
  AbSpec in = {.rank = 1, .dtype = AB_F32, .shape = {3}};
  AbSignature wanted = ab_signature(AB_ROLE_ENCODE, &in, NULL);
  ab_build(&n->base, &wanted);
  sdk_assert_ok(ctx);
  const char *names[] = {"gain1", "bias1", "running_mean1", "running_variance1", "gain2", "bias2"};
  const double starts[] = {1, 0, 0, 1, 1, 0};
  g_assert_cmpint(ab_state_count(&n->base), ==, 6);
  for (int i = 0; i < 6; i++) {
    AbState state = ab_state(&n->base, i);
    g_assert_true(g_str_has_suffix(state.name, names[i]));
    g_assert_cmpint(state.weight, ==, i != 2 && i != 3);
    g_autofree double *values = sdk_values(state.tensor);
    for (int j = 0; j < 3; j++) g_assert_cmpfloat(values[j], ==, starts[i]);
  }
  g_autofree double *numbers = sdk_numbers(60, -2, 2, 3);
  ab_begin(ctx, AB_PURPOSE_TRAIN, 1);
  AbTensor *x = sdk_tensor(ctx, AB_SHAPE(20, 3), numbers);
  ab_backward(ab_sum(ab_square(net_encode(&n->base, x))));
  sdk_assert_ok(ctx);
  g_autofree double *mean = sdk_values(n->batch.running_mean);
  g_assert_cmpfloat(mean[0], !=, 0);
  g_assert_null(ab_batch_norm_make(&n->base, 1, 3, AB_RELU).gain);
  sdk_assert_error(ctx, AB_INTERNAL, "gain1", NULL);
  ab_instance_free(&n->base);
  sdk_finish(ctx);
}

/* ---- errors and empty tensors ---------------------------------------------------------------- */

static void test_errors(const void *device) {
  AbContext *ctx = sdk_context(device, AB_F32), *other = sdk_context(device, AB_F32);
  AbTensor *x = ab_zeros(ctx, AB_SHAPE(2, 3, 5, 4)), *three = ab_zeros(ctx, AB_SHAPE(3));
  AbTensor *four = ab_zeros(ctx, AB_SHAPE(4)), *one = ab_zeros(ctx, AB_SHAPE(1, 3));
  AbTensor *none = AB_NONE, *wide = ab_full(ctx, AB_F64, AB_SHAPE(3), 1);
  g_assert_null(ab_batch_norm(x, four, none, none, none, 0.1, 1e-5, AB_IDENTITY));
  sdk_assert_error(ctx, AB_CONFIG, "batch_norm: x of f32 [2, 3, 5, 4], gain of f32 [4]", "[3]",
                   NULL);
  g_assert_null(ab_batch_norm(x, three, wide, none, none, 0.1, 1e-5, AB_IDENTITY));
  sdk_assert_error(ctx, AB_CONFIG, "bias of f64 [3]", NULL);
  g_assert_null(ab_batch_norm(x, none, none, three, four, 0.1, 1e-5, AB_IDENTITY));
  sdk_assert_error(ctx, AB_CONFIG, "running mean of f32 [3] and a running variance of f32 [4]",
                   NULL);
  g_assert_null(ab_batch_norm(x, none, none, three, none, 0.1, 1e-5, AB_IDENTITY));
  sdk_assert_error(ctx, AB_INTERNAL, "AB_NONE", NULL);
  const double bad[] = {0, -1, NAN, INFINITY};
  for (int i = 0; i < 4; i++) {
    g_assert_null(ab_batch_norm(x, none, none, none, none, 0.1, bad[i], AB_IDENTITY));
    sdk_assert_error(ctx, AB_CONFIG, "batch_norm: an epsilon of", NULL);
    g_assert_null(ab_layer_norm(x, 1, none, none, bad[i]));
    sdk_assert_error(ctx, AB_CONFIG, "layer_norm: an epsilon of", NULL);
  }
  g_assert_null(ab_batch_norm(x, none, none, none, none, 1.5, 1e-5, AB_IDENTITY));
  sdk_assert_error(ctx, AB_CONFIG, "a momentum of 1.5", NULL);
  g_assert_null(ab_batch_norm(x, none, none, none, none, 0.1, 1e-5, 4711));
  sdk_assert_error(ctx, AB_INTERNAL, "4711", NULL);
  g_assert_null(ab_batch_norm(one, none, none, none, none, 0.1, 1e-5, AB_IDENTITY));
  sdk_assert_error(ctx, AB_CONFIG, "batch_norm: x of f32 [1, 3] has one value", NULL);
  g_assert_null(ab_batch_norm(three, none, none, none, none, 0.1, 1e-5, AB_IDENTITY));
  sdk_assert_error(ctx, AB_CONFIG, "batch_norm: x of f32 [3]", NULL);
  g_assert_null(ab_instance_norm(ab_zeros(ctx, AB_SHAPE(2, 3, 1)), none, none, 1e-5));
  sdk_assert_error(ctx, AB_CONFIG, "instance_norm: x of f32 [2, 3, 1] has one value", NULL);
  g_assert_null(ab_instance_norm(one, none, none, 1e-5));
  sdk_assert_error(ctx, AB_CONFIG, "instance_norm: x of f32 [1, 3]; wanted", NULL);
  for (int64_t groups = -1; groups <= 2; groups += groups ? 3 : 2) {
    g_assert_null(ab_group_norm(x, groups, none, none, 1e-5));
    sdk_assert_error(ctx, AB_CONFIG, "group_norm:", "groups of the channels", NULL);
  }
  g_assert_null(ab_layer_norm(x, 5, none, none, 1e-5));
  sdk_assert_error(ctx, AB_CONFIG, "layer_norm: over the last 5 axes", NULL);
  g_assert_null(ab_rms_norm(x, 0, none, 1e-5));
  sdk_assert_error(ctx, AB_CONFIG, "rms_norm: over the last 0 axes", NULL);
  g_assert_null(ab_layer_norm(ab_zeros(ctx, AB_SHAPE(2, 0)), 1, none, none, 1e-5));
  sdk_assert_error(ctx, AB_CONFIG, "f32 [2, 0]", NULL);
  g_assert_null(ab_layer_norm(x, 1, ab_zeros(other, AB_SHAPE(4)), none, 1e-5));
  sdk_assert_error(ctx, AB_INTERNAL, "two contexts", NULL);
  g_assert_null(ab_weight_norm(x, three, 0));
  sdk_assert_error(ctx, AB_CONFIG, "weight_norm: v of f32 [2, 3, 5, 4]", "f32 [3]", NULL);
  g_assert_null(ab_weight_norm(x, three, 4));
  sdk_assert_error(ctx, AB_CONFIG, "weight_norm: there is no such axis", NULL);
  g_assert_null(ab_batch_norm(x, NULL, none, none, none, 0.1, 1e-5, AB_IDENTITY));
  g_assert_null(ab_layer_norm(NULL, 1, none, none, 1e-5));
  sdk_finish(other);
  sdk_finish(ctx);
}

static void test_empty(const void *device) {
  AbContext *ctx = sdk_context(device, AB_F32);
  AbTensor *gain = ab_zeros(ctx, AB_SHAPE(3)), *mean = ab_zeros(ctx, AB_SHAPE(3));
  AbTensor *variance = ab_full(ctx, AB_F32, AB_SHAPE(3), 1), *x = ab_zeros(ctx, AB_SHAPE(0, 3));
  ab_begin(ctx, AB_PURPOSE_TRAIN, 1);
  ab_require_grad(gain);
  AbTensor *y = ab_batch_norm(x, gain, AB_NONE, mean, variance, 0.1, 1e-5, AB_RELU6);
  ab_backward(ab_add(ab_sum(y), ab_sum(ab_layer_norm(x, 1, gain, gain, 1e-5))));
  ab_backward(ab_sum(ab_group_norm(x, 3, gain, AB_NONE, 1e-5)));
  AbTensor *thin = ab_zeros(ctx, AB_SHAPE(2, 0, 5));
  g_assert_nonnull(ab_instance_norm(thin, AB_NONE, AB_NONE, 1e-5));
  g_assert_nonnull(ab_batch_norm(thin, AB_NONE, AB_NONE, AB_NONE, AB_NONE, 0.1, 1e-5, AB_RELU));
  sdk_assert_ok(ctx);
  g_autofree double *slope = sdk_values(ab_gradient(gain)), *one = sdk_values(variance);
  for (int i = 0; i < 3; i++) {
    g_assert_cmpfloat(slope[i], ==, 0);
    g_assert_cmpfloat(one[i], ==, 1);
  }
  sdk_finish(ctx);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  sdk_add("/normalization/first", test_first);
  sdk_add("/normalization/second", test_second);
  g_test_add_func("/normalization/golden", test_golden);
  g_test_add_func("/normalization/devices", test_devices);
  g_test_add_func("/normalization/threads", test_threads);
  sdk_add("/normalization/far", test_far);
  sdk_add("/normalization/running", test_running);
  sdk_add("/normalization/layers", test_layers);
  sdk_add("/normalization/errors", test_errors);
  sdk_add("/normalization/empty", test_empty);
  return g_test_run();
}
