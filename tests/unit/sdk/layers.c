/* SPDX-License-Identifier: Apache-2.0
 *
 * Layers against their formulas. */
#include "sdk-test.h"
#include <math.h>

typedef struct {
  AbModel base;
  AbLinear layers[AB_SOFTPLUS + 1];
} Stack;

static void stack_build(AbModel *self, const AbSignature *wanted) {
  (void)wanted;
  for (int f = 0; f <= AB_SOFTPLUS; f++)
    ((Stack *)self)->layers[f] = ab_linear_make(self, f + 1, 300, 200, f);
}
static AbTensor *stack_encode(AbModel *self, AbTensor *x) {
  return ab_linear_apply(&((Stack *)self)->layers[0], x);
}
static const AbModelVtable stack_table = {
    .struct_size = sizeof stack_table, .build = stack_build, .encode = stack_encode};
static const AbComponent stack = {
    sizeof(AbComponent),   AB_KIND_MODEL, "stack", "Layers.", "", .instance_size = sizeof(Stack),
    .vtable = &stack_table};

static double activated(AbActivation f, double x) {
  switch (f) {
  case AB_SIGMOID: return 1 / (1 + exp(-x));
  case AB_TANH: return tanh(x);
  case AB_RELU: return fmax(x, 0);
  case AB_SOFTPLUS: return log1p(exp(x));
  default: return x;
  }
}

static void test_linear(const void *device) {
  AbContext *ctx = sdk_context(device, AB_F64);
  Stack *s = (Stack *)ab_instance_new(ctx, &stack, "model", NULL);
  AbSpec in = {.rank = 1, .dtype = AB_F64, .shape = {300}};
  AbSignature wanted = ab_signature(AB_ROLE_ENCODE, &in, NULL);
  ab_build(&s->base, &wanted);
  sdk_assert_ok(ctx);
  g_assert_cmpint(ab_state_count(&s->base), ==, 2 * (AB_SOFTPLUS + 1));
  g_autofree double *x = sdk_numbers(300, -1, 1, 4);
  for (int f = 0; f <= AB_SOFTPLUS; f++) {
    g_autofree char *W_name = g_strdup_printf("W%d", f + 1),
                    *b_name = g_strdup_printf("b%d", f + 1);
    AbTensor *b = ab_find_weight(&s->base, b_name);
    g_autofree double *W = sdk_values(ab_find_weight(&s->base, W_name)), *zeros = sdk_values(b);
    g_autofree double *bias = sdk_numbers(200, -1, 1, 5);
    double squares = 0;
    for (int i = 0; i < 300 * 200; i++) squares += W[i] * W[i];
    double deviation = f == AB_RELU ? sqrt(2.0 / 300) : sqrt(2.0 / 500);
    g_assert_cmpfloat(fabs(sqrt(squares / 60000) / deviation - 1), <, 0.02);
    for (int j = 0; j < 200; j++) g_assert_cmpfloat(zeros[j], ==, 0);
    ab_assign(b, sdk_tensor(ctx, AB_SHAPE(200), bias));
    AbTensor *y = ab_linear_apply(&s->layers[f], sdk_tensor(ctx, AB_SHAPE(1, 300), x));
    g_autofree double *values = sdk_values(y);
    for (int j = 0; j < 200; j++) {
      double sum = bias[j];
      for (int i = 0; i < 300; i++) sum += x[i] * W[i * 200 + j];
      g_assert_cmpfloat_with_epsilon(values[j], activated(f, sum), 1e-13);
    }
  }
  g_assert_null(ab_linear_make(&s->base, 1, 2, 2, AB_RELU).W);
  sdk_assert_error(ctx, AB_INTERNAL, "W1", NULL);
  ab_instance_free(&s->base);
  sdk_finish(ctx);
}

/* Zero at the rate, the rest scaled so that the mean stays; in training alone. */
static void test_dropout(const void *device) {
  AbContext *ctx = sdk_context(device, AB_F32);
  AbTensor *x = ab_full(ctx, AB_F32, AB_SHAPE(100, 1000), 3), *y;
  ab_require_grad(x);
  ab_begin(ctx, AB_PURPOSE_EVALUATE, 0);
  g_assert_true(ab_dropout(x, 0.4) == x);
  ab_begin(ctx, AB_PURPOSE_TRAIN, 0);
  g_assert_true(ab_dropout(x, 0) == x);
  g_assert_null(ab_dropout(NULL, 0.4));
  y = ab_dropout(x, 0.4);
  ab_backward(ab_sum(y));
  g_autofree double *values = sdk_values(y), *slopes = sdk_values(ab_gradient(x));
  double kept = 0;
  for (int i = 0; i < 100000; i++) {
    kept += values[i] != 0;
    g_assert_cmpfloat_with_epsilon(values[i], values[i] != 0 ? 3 / 0.6 : 0, 1e-6);
    g_assert_cmpfloat_with_epsilon(slopes[i], values[i] / 3, 1e-6);
  }
  g_assert_cmpfloat(fabs(kept - 60000), <, 3.3 * sqrt(100000 * 0.6 * 0.4));
  sdk_finish(ctx);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  sdk_add("/layers/linear", test_linear);
  sdk_add("/layers/dropout", test_dropout);
  return g_test_run();
}
