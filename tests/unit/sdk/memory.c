/* SPDX-License-Identifier: Apache-2.0
 *
 * Memory of tensors: scopes, a steady state that takes nothing, and memory that cannot be had. */
#include "sdk-test.h"
#include <math.h>
#include <string.h>

/* Under AddressSanitizer freed blocks go back to the system, so that counts say nothing. */
#ifdef __SANITIZE_ADDRESS__
#define COUNTED 0
#else
#define COUNTED 1
#endif

static int64_t bytes_of(const AbContext *ctx) {
  int64_t bytes, allocations;
  ab_memory_use(ctx, &bytes, &allocations);
  return bytes;
}

static int64_t allocations_of(const AbContext *ctx) {
  int64_t bytes, allocations;
  ab_memory_use(ctx, &bytes, &allocations);
  return allocations;
}

/* ---- scopes ---------------------------------------------------------------------------------- */

static AbTensor *numbered(AbContext *ctx, double value) {
  return ab_full(ctx, AB_F64, AB_SHAPE(100), value);
}

static void assert_number(AbTensor *x, double value) {
  g_autofree double *values = sdk_values(x);
  g_assert_cmpfloat(values[0], ==, value);
  g_assert_cmpfloat(values[99], ==, value);
}

static void test_scopes(const void *device) {
  AbContext *ctx = sdk_context(device, AB_F64);
  AbTensor *outside = numbered(ctx, 1), *held, *kept[4];
  AbScope outer = ab_scope_begin(ctx);
  {
    AbTensor *between = numbered(ctx, 2);
    AbScope inner = ab_scope_begin(ctx);
    {
      kept[0] = numbered(ctx, 3);
      kept[1] = NULL;
      kept[2] = AB_NONE;
      kept[3] = ab_add(outside, between);
      held = ab_ref(numbered(ctx, 4));
      numbered(ctx, 5);
    }
    ab_scope_end(ctx, inner, kept, 4);
    for (int i = 0; i < 20; i++) numbered(ctx, 6 + i); /* would write over what was released */
    assert_number(kept[0], 3);
    assert_number(kept[3], 3);
    assert_number(held, 4);
    assert_number(between, 2);
  }
  ab_scope_end(ctx, outer, kept, 1);
  for (int i = 0; i < 20; i++) numbered(ctx, 30 + i);
  assert_number(outside, 1);
  assert_number(kept[0], 3);
  assert_number(held, 4);
  ab_unref(held);
  sdk_finish(ctx);
}

/* What is kept twice is released once for each. */
static void test_kept_twice(const void *device) {
  AbContext *ctx = sdk_context(device, AB_F64);
  AbScope outer = ab_scope_begin(ctx), inner = ab_scope_begin(ctx);
  AbTensor *x = numbered(ctx, 1), *pair[] = {x, x};
  ab_scope_end(ctx, inner, pair, 2);
  assert_number(x, 1);
  ab_scope_end(ctx, outer, NULL, 0);
  if (COUNTED) {
    int64_t before = bytes_of(ctx);
    numbered(ctx, 2);
    g_assert_cmpint(bytes_of(ctx), ==, before);
  }
  sdk_finish(ctx);
}

/* A graph outlives its scope with what was made of it. */
static void test_graph_kept(const void *device) {
  AbContext *ctx = sdk_context(device, AB_F64);
  AbTensor *leaf = numbered(ctx, 0.5);
  ab_require_grad(leaf);
  AbScope scope = ab_scope_begin(ctx);
  AbTensor *loss = ab_sum(ab_exp(ab_square(leaf)));
  ab_scope_end(ctx, scope, &loss, 1);
  for (int i = 0; i < 20; i++) numbered(ctx, i);
  ab_backward(loss);
  g_autofree double *g = sdk_values(ab_gradient(leaf));
  g_assert_cmpfloat_with_epsilon(g[50], exp(0.25), 1e-12);
  sdk_finish(ctx);
}

typedef enum { FLAT, NESTED, HELD } Style;

/* 100 steps of three operations on 1,000 numbers. */
static int64_t chain(const char *device, Style style) {
  AbContext *ctx = sdk_context(device, AB_F64);
  AbTensor *x = ab_full(ctx, AB_F64, AB_SHAPE(1000), 0.1);
  if (style == HELD) ab_ref(x);
  for (int i = 0; i < 100; i++) {
    AbScope scope = ab_scope_begin(ctx);
    AbTensor *next = ab_tanh(ab_affine(ab_square(x), 1.1, 0.2));
    if (style == NESTED) ab_scope_end(ctx, scope, &next, 1);
    if (style == HELD) {
      ab_ref(next);
      ab_scope_end(ctx, scope, NULL, 0);
      ab_unref(x);
    }
    x = next;
  }
  g_assert_true(isfinite(ab_item(ab_sum(x))));
  if (style == HELD) ab_unref(x);
  int64_t bytes = bytes_of(ctx);
  sdk_finish(ctx);
  return bytes;
}

/* In one scope everything stays; of nested ones what each keeps, until the enclosing one ends; and
 * with references nothing but the last. */
static void test_chain(const void *device) {
  int64_t flat = chain(device, FLAT), nested = chain(device, NESTED), held = chain(device, HELD);
  if (!COUNTED) return;
  g_assert_cmpint(flat, >, 300 * 8 * 1000);
  g_assert_cmpint(nested, <, 105 * 8 * 1100);
  g_assert_cmpint(held, <, 6 * 8 * 1100);
}

/* ---- the steady state ------------------------------------------------------------------------ */

typedef struct {
  AbTensor *W[2], *b[2], *m[4], *s[4];
} Mlp;

static AbTensor *lasting(AbContext *ctx, AbShape shape) {
  g_autofree double *values = sdk_numbers(ab_shape_count(shape), -0.3, 0.3, 5);
  return ab_ref(sdk_tensor(ctx, shape, values));
}

static void train(AbContext *ctx, Mlp *mlp, int64_t t) {
  AbScope scope = ab_scope_begin(ctx);
  ab_begin(ctx, AB_PURPOSE_TRAIN, t);
  AbTensor *x = ab_normal(ctx, AB_SHAPE(33, 20), 0, 1), *w[4];
  uint8_t label[33];
  for (int i = 0; i < 33; i++) label[i] = (uint8_t)(i % 7);
  AbTensor *labels = ab_from(ctx, AB_U8, AB_SHAPE(33), label);
  AbTensor *h = ab_linear(x, mlp->W[0], mlp->b[0], AB_RELU);
  h = ab_mul(h, ab_bernoulli(ab_broadcast_to(ab_full(ctx, ab_dtype(h), ab_scalar_shape(), 0.8),
                                             ab_shape(h))));
  AbTensor *z = ab_add(ab_matmul(h, mlp->W[1]), mlp->b[1]);
  AbTensor *penalty = ab_sum(ab_square(ab_transpose(mlp->W[0], 0, 1)));
  AbTensor *loss = ab_add(ab_mean(ab_cross_entropy(z, labels)), ab_affine(penalty, 0.01, 0));
  ab_backward(loss);
  for (int i = 0; i < 2; i++) w[2 * i] = mlp->W[i], w[2 * i + 1] = mlp->b[i];
  for (int i = 0; i < 4; i++) {
    AbTensor *g = ab_cast(ab_gradient(w[i]), ab_dtype(w[i]));
    ab_step_adam(w[i], g, mlp->m[i], mlp->s[i], 0.01, 0.9, 0.999, 1e-8, t + 1);
    ab_clear_gradient(w[i]);
  }
  g_assert_true(isfinite(ab_item(loss)));
  sdk_assert_ok(ctx);
  ab_scope_end(ctx, scope, NULL, 0);
}

static void test_steady_state(const void *device) {
  AbContext *ctx = sdk_context(device, AB_F32);
  AbScope scope = ab_scope_begin(ctx);
  const AbShape shapes[] = {AB_SHAPE(20, 30), AB_SHAPE(30), AB_SHAPE(30, 7), AB_SHAPE(7)};
  Mlp mlp;
  for (int i = 0; i < 4; i++) {
    AbTensor *w = lasting(ctx, shapes[i]);
    ab_require_grad(w);
    *(i % 2 ? &mlp.b[i / 2] : &mlp.W[i / 2]) = w;
    mlp.m[i] = ab_ref(ab_zeros(ctx, shapes[i]));
    mlp.s[i] = ab_ref(ab_zeros(ctx, shapes[i]));
  }
  ab_scope_end(ctx, scope, NULL, 0);
  for (int64_t t = 0; t < 5; t++) train(ctx, &mlp, t);
  int64_t bytes = bytes_of(ctx), allocations = allocations_of(ctx);
  for (int64_t t = 5; t < 55; t++) train(ctx, &mlp, t);
  if (COUNTED) {
    g_assert_cmpint(bytes_of(ctx), ==, bytes);
    g_assert_cmpint(allocations_of(ctx), ==, allocations);
  }
  for (int i = 0; i < 2; i++) {
    ab_unref(mlp.W[i]);
    ab_unref(mlp.b[i]);
  }
  for (int i = 0; i < 4; i++) {
    ab_unref(mlp.m[i]);
    ab_unref(mlp.s[i]);
  }
  sdk_finish(ctx);
}

/* A block of a size is used again for the next of that size, and wastes at most an eighth. */
static void test_blocks(const void *device) {
  AbContext *ctx = sdk_context(device, AB_F64);
  for (int64_t size = 1; size < 10000000; size += size / 7 + 1) {
    int64_t before = bytes_of(ctx);
    AbScope scope = ab_scope_begin(ctx);
    AbTensor *x = ab_empty(ctx, AB_U8, AB_SHAPE(size));
    g_assert_cmpuint((uintptr_t)ab_map(x, true) % 64, ==, 0);
    memset(ab_map(x, true), 1, (size_t)size);
    int64_t taken = bytes_of(ctx) - before;
    g_assert_cmpint(taken, <=, size + size / 8 + 64);
    ab_scope_end(ctx, scope, NULL, 0);
    before = bytes_of(ctx);
    ab_empty(ctx, AB_U8, AB_SHAPE(size));
    if (COUNTED) g_assert_cmpint(bytes_of(ctx), ==, before);
  }
  sdk_finish(ctx);
}

/* ---- what cannot be had ---------------------------------------------------------------------- */

static void test_absurd(const void *device) {
  AbContext *ctx = sdk_context(device, AB_F64);
  int64_t before = bytes_of(ctx);
  const int64_t sizes[] = {INT64_C(1) << 44, INT64_C(1) << 50, (INT64_C(1) << 60) - 1};
  for (int i = 0; i < 3; i++) {
    g_assert_null(ab_empty(ctx, AB_F64, AB_SHAPE(sizes[i])));
    sdk_assert_error(ctx, AB_INTERNAL, "memory", "GB", NULL);
    g_assert_null(ab_full(ctx, AB_F64, AB_SHAPE(sizes[i]), 1));
    sdk_assert_error(ctx, AB_INTERNAL, "memory", "GB", NULL);
    g_assert_null(ab_uniform(ctx, AB_SHAPE(sizes[i]), 0, 1));
    sdk_assert_error(ctx, AB_INTERNAL, "memory", "GB", NULL);
  }
  /* an operation whose result is too large, from operands that are not */
  int64_t side = INT64_C(1) << 24;
  AbTensor *row = ab_broadcast_to(ab_zeros(ctx, AB_SHAPE(1, 1)), AB_SHAPE(1, side));
  AbTensor *column = ab_broadcast_to(ab_zeros(ctx, AB_SHAPE(1, 1)), AB_SHAPE(side, 1));
  g_assert_null(ab_add(row, column));
  sdk_assert_error(ctx, AB_INTERNAL, "memory", NULL);
  g_assert_null(ab_exp(ab_broadcast_to(row, AB_SHAPE(side, side))));
  sdk_assert_error(ctx, AB_INTERNAL, "memory", NULL);
  g_assert_cmpint(bytes_of(ctx) - before, <, 1000);
  AbTensor *x = numbered(ctx, 7); /* the context is as good as before */
  assert_number(ab_neg(x), -7);
  sdk_finish(ctx);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  sdk_add("/memory/scopes", test_scopes);
  sdk_add("/memory/kept-twice", test_kept_twice);
  sdk_add("/memory/graph-kept", test_graph_kept);
  sdk_add("/memory/chain", test_chain);
  sdk_add("/memory/steady-state", test_steady_state);
  sdk_add("/memory/blocks", test_blocks);
  sdk_add("/memory/absurd", test_absurd);
  return g_test_run();
}
