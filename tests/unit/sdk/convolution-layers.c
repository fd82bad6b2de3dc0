/* SPDX-License-Identifier: Apache-2.0
 *
 * Layers of convolution: what they make, and that they are the operations. */
#include "sdk-test.h"
#include <math.h>
#include <string.h>

typedef struct {
  AbModel base;
  AbConvolution down, up;
  bool unbiased;
} Net;

static void build(AbModel *self, const AbSignature *wanted) {
  (void)wanted;
  Net *net = (Net *)self;
  AbConvolutionOptions o = {
      .stride = {2, 2}, .padding = {1, 1}, .groups = 2, .activation = AB_SIGMOID};
  net->down = (net->unbiased ? ab_convolution_make_unbiased
                             : ab_convolution_make)(self, 1, 4, 60, AB_SHAPE(3, 3), o);
  o.output_padding[0] = o.output_padding[1] = 1;
  net->up = (net->unbiased ? ab_transposed_convolution_make_unbiased
                           : ab_transposed_convolution_make)(self, 2, 60, 4, AB_SHAPE(3, 3), o);
}
static AbTensor *encode(AbModel *self, AbTensor *x) {
  Net *net = (Net *)self;
  return ab_transposed_convolution_apply(&net->up, ab_convolution_apply(&net->down, x));
}
static const AbModelVtable table = {.struct_size = sizeof table, .build = build, .encode = encode};
static const AbComponent component = {
    sizeof(AbComponent),          AB_KIND_MODEL,   "net", "Convolutions.", "",
    .instance_size = sizeof(Net), .vtable = &table};

static Net *make(AbContext *ctx, bool unbiased) {
  Net *net = (Net *)ab_instance_new(ctx, &component, "model", NULL);
  net->unbiased = unbiased;
  AbSpec in = {.rank = 3, .dtype = AB_F64, .shape = {4, 6, 8}};
  AbSignature wanted = ab_signature(AB_ROLE_ENCODE, &in, NULL);
  ab_build(&net->base, &wanted);
  sdk_assert_ok(ctx);
  return net;
}

static void test_weights(const void *device) {
  AbContext *ctx = sdk_context(device, AB_F64);
  Net *net = make(ctx, false);
  g_assert_cmpint(ab_state_count(&net->base), ==, 4);
  g_assert_cmpstr(ab_state(&net->base, 0).axes, ==, "output input height width");
  g_assert_cmpstr(ab_state(&net->base, 2).axes, ==, "input output height width");
  AbShape down = AB_SHAPE(60, 2, 3, 3), given = ab_shape(net->down.W);
  g_assert_cmpmem(&given, sizeof given, &down, sizeof down);
  AbShape up = AB_SHAPE(60, 2, 3, 3);
  given = ab_shape(net->up.W);
  g_assert_cmpmem(&given, sizeof given, &up, sizeof up);
  g_assert_cmpint(ab_count(net->down.b), ==, 60);
  g_assert_cmpint(ab_count(net->up.b), ==, 4);
  /* [3 x 4] results of 30 x 2 x 9 products in each of 2 groups, twice */
  g_assert_cmpint(ab_model_multiply_adds(&net->base), ==, 2 * 12 * 60 * 2 * 9);
  ab_instance_free(&net->base);
  sdk_finish(ctx);
}

static void test_apply(const void *device) {
  AbContext *ctx = sdk_context(device, AB_F64);
  Net *net = make(ctx, false);
  g_autofree double *image = sdk_numbers(2 * 4 * 6 * 8, -1, 1, 3);
  AbTensor *x = sdk_tensor(ctx, AB_SHAPE(2, 4, 6, 8), image);
  AbTensor *h = ab_convolution(x, net->down.W, net->down.b, net->down.options);
  AbTensor *y = ab_transposed_convolution(h, net->up.W, net->up.b, net->up.options);
  AbTensor *given = encode(&net->base, x);
  g_autofree double *a = sdk_values(y), *b = sdk_values(given);
  AbShape shape = ab_shape(given), wanted = ab_shape(x);
  g_assert_cmpmem(&shape, sizeof shape, &wanted, sizeof wanted);
  for (int64_t i = 0; i < ab_count(y); i++) g_assert_cmpfloat_with_epsilon(a[i], b[i], 1e-14);
  AbConvolutionOptions three = {.groups = 3};
  g_assert_null(ab_convolution_make(&net->base, 9, 4, 6, AB_SHAPE(3, 3), three).W);
  sdk_assert_error(ctx, AB_CONFIG, "convolution 9", "3 groups", NULL);
  g_assert_null(ab_convolution_make(&net->base, 9, 4, 6, ab_scalar_shape(), three).W);
  sdk_assert_error(ctx, AB_CONFIG, "convolution 9", NULL);
  ab_instance_free(&net->base);
  sdk_finish(ctx);
}

/* Without biases the same weights are made, and biases of 0 would give the same. */
static void test_unbiased(const void *device) {
  AbContext *ctx = sdk_context(device, AB_F64);
  Net *net = make(ctx, true);
  g_assert_cmpint(ab_state_count(&net->base), ==, 2);
  g_assert_cmpstr(ab_state(&net->base, 0).name, ==, "model/W1");
  g_assert_cmpstr(ab_state(&net->base, 1).name, ==, "model/W2");
  g_assert_true(ab_is_none(net->down.b) && ab_is_none(net->up.b));
  g_autofree double *image = sdk_numbers(2 * 4 * 6 * 8, -1, 1, 3);
  AbTensor *x = sdk_tensor(ctx, AB_SHAPE(2, 4, 6, 8), image);
  AbTensor *h = ab_convolution(x, net->down.W, ab_zeros(ctx, AB_SHAPE(60)), net->down.options);
  AbTensor *y =
      ab_transposed_convolution(h, net->up.W, ab_zeros(ctx, AB_SHAPE(4)), net->up.options);
  g_autofree double *a = sdk_values(y), *b = sdk_values(encode(&net->base, x));
  for (int64_t i = 0; i < ab_count(y); i++) g_assert_cmpfloat_with_epsilon(a[i], b[i], 1e-14);
  ab_instance_free(&net->base);
  sdk_finish(ctx);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  sdk_add("/convolution-layers/weights", test_weights);
  sdk_add("/convolution-layers/apply", test_apply);
  sdk_add("/convolution-layers/unbiased", test_unbiased);
  return g_test_run();
}
