/* SPDX-License-Identifier: Apache-2.0
 *
 * Gradient checkpointing: the same numbers as without it, from less memory. */
#include "sdk-test.h"
#include <string.h>

#define BLOCKS 12
#define SIZE   64

typedef enum { PLAIN, ONCE, NESTED } Mode;

typedef struct {
  AbTensor *W[BLOCKS];
} Chain;

typedef struct {
  Chain *chain;
  int block;
} Block;

static AbTensor *layer(void *data, AbTensor *const *x, int32_t count) {
  const Block *b = data;
  g_assert_cmpint(count, ==, 1);
  AbTensor *h = x[0];
  for (int i = 0; i < 4; i++) h = ab_tanh(ab_matmul(h, b->chain->W[b->block]));
  return h;
}

static AbTensor *two_layers(void *data, AbTensor *const *x, int32_t count) {
  AbTensor *h = ab_checkpoint(layer, data, x, count);
  return ab_checkpoint(layer, data, &h, 1);
}

static AbTensor *run_block(Block *b, AbTensor *x, Mode mode) {
  if (mode == NESTED) return ab_checkpoint(two_layers, b, &x, 1);
  if (mode == ONCE) x = ab_checkpoint(layer, b, &x, 1);
  if (mode == ONCE) return ab_checkpoint(layer, b, &x, 1);
  x = layer(b, &x, 1);
  return layer(b, &x, 1);
}

/* Gradients of all weights and of the input, one after another. */
static double *gradients(const char *device, Mode mode, bool input, int64_t *bytes) {
  AbContext *ctx = sdk_context(device, AB_F64);
  Chain chain;
  Block blocks[BLOCKS];
  g_autofree double *numbers = sdk_numbers(SIZE * SIZE, -0.2, 0.2, 7);
  AbTensor *x = sdk_tensor(ctx, AB_SHAPE(SIZE, SIZE), numbers), *h = x;
  if (input) ab_require_grad(x);
  for (int i = 0; i < BLOCKS; i++) {
    chain.W[i] = sdk_tensor(ctx, AB_SHAPE(SIZE, SIZE), numbers);
    ab_require_grad(chain.W[i]);
    blocks[i] = (Block){&chain, i};
    h = run_block(&blocks[i], h, mode);
  }
  ab_backward(ab_sum(h));
  sdk_assert_ok(ctx);
  double *all = g_new0(double, (BLOCKS + 1) * SIZE * SIZE);
  for (int i = 0; i < BLOCKS + (input ? 1 : 0); i++) {
    g_autofree double *g = sdk_values(ab_gradient(i < BLOCKS ? chain.W[i] : x));
    memcpy(all + i * SIZE * SIZE, g, SIZE * SIZE * sizeof *g);
  }
  int64_t allocations;
  ab_memory_use(ctx, bytes, &allocations);
  sdk_finish(ctx);
  return all;
}

/* Weights that the function only refers to get theirs, with an input that needs none or one. */
static void test_gradients(const void *device) {
  for (int input = 0; input < 2; input++) {
    int64_t plain, once, nested;
    g_autofree double *wanted = gradients(device, PLAIN, input, &plain);
    g_autofree double *given = gradients(device, ONCE, input, &once);
    g_autofree double *deeper = gradients(device, NESTED, input, &nested);
    size_t size = (BLOCKS + 1) * SIZE * SIZE * sizeof *wanted;
    g_assert_cmpmem(given, size, wanted, size);
    g_assert_cmpmem(deeper, size, wanted, size);
#ifndef __SANITIZE_ADDRESS__ /* where freed blocks go back to the system, which is not counted */
    g_assert_cmpint(once, <, plain / 2);
    g_assert_cmpint(nested, <, once);
#endif
  }
}

static AbTensor *masked(void *data, AbTensor *const *x, int32_t count) {
  (void)data, (void)count;
  AbTensor *p = ab_full(ab_context_of(x[0]), ab_dtype(x[0]), ab_shape(x[0]), 0.5);
  AbTensor *once = ab_mul(x[0], ab_bernoulli(p));
  return ab_mul(once, ab_uniform(ab_context_of(x[0]), ab_shape(x[0]), 1, 2));
}

static AbTensor *masked_twice(void *data, AbTensor *const *x, int32_t count) {
  AbTensor *y = ab_checkpoint(masked, data, x, count);
  return masked(data, &y, 1);
}

/* The second run meets the random numbers of the first: with x = 1, y is the slope itself. */
static void test_random(const void *device) {
  AbTensor *(*const functions[])(void *, AbTensor *const *, int32_t) = {masked, masked_twice};
  for (int i = 0; i < 2; i++) {
    AbContext *ctx = sdk_context(device, AB_F64);
    AbTensor *x = ab_full(ctx, AB_F64, AB_SHAPE(1000), 1);
    ab_require_grad(x);
    AbTensor *y = ab_checkpoint(functions[i], NULL, &x, 1);
    ab_backward(ab_sum(y));
    sdk_assert_ok(ctx);
    g_autofree double *values = sdk_values(y), *slopes = sdk_values(ab_gradient(x));
    g_assert_cmpmem(slopes, 1000 * sizeof *slopes, values, 1000 * sizeof *values);
    double sum = 0;
    for (int j = 0; j < 1000; j++) sum += values[j] > 0;
    g_assert_cmpfloat(sum, >, i == 0 ? 400 : 150);
    g_assert_cmpfloat(sum, <, i == 0 ? 600 : 350);
    sdk_finish(ctx);
  }
}

static AbTensor *square(void *data, AbTensor *const *x, int32_t count) {
  (void)data, (void)count;
  return ab_square(x[0]);
}

static AbTensor *shrinking(void *data, AbTensor *const *x, int32_t count) {
  (void)count;
  int *calls = data;
  return ab_slice(x[0], 0, 0, 3 - (*calls)++);
}

/* By ab_gradients, which touches no other leaf; not twice. */
static void test_targets(const void *device) {
  AbContext *ctx = sdk_context(device, AB_F64);
  double values[3] = {1, 2, 3};
  AbTensor *x = sdk_tensor(ctx, AB_SHAPE(3), values), *w = sdk_tensor(ctx, AB_SHAPE(3), values), *g;
  ab_require_grad(x);
  ab_require_grad(w);
  AbTensor *y = ab_sum(ab_mul(ab_checkpoint(square, NULL, &x, 1), w));
  ab_gradients(y, &x, 1, &g, false);
  g_autofree double *slopes = sdk_values(g);
  for (int i = 0; i < 3; i++) g_assert_cmpfloat(slopes[i], ==, 2 * values[i] * values[i]);
  g_assert_null(ab_gradient(w));
  ab_gradients(y, &x, 1, &g, true);
  sdk_assert_error(ctx, AB_CONFIG, "checkpoint", "no derivative", NULL);
  int calls = 0;
  ab_backward(ab_sum(ab_checkpoint(shrinking, &calls, &x, 1)));
  sdk_assert_error(ctx, AB_INTERNAL, "another shape", NULL);
  sdk_finish(ctx);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  sdk_add("/checkpoint/gradients", test_gradients);
  sdk_add("/checkpoint/random", test_random);
  sdk_add("/checkpoint/targets", test_targets);
  return g_test_run();
}
