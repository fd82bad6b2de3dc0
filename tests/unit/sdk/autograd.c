/* SPDX-License-Identifier: Apache-2.0
 *
 * The backward pass as a mechanism: graphs whose derivatives are known in closed form. */
#include "sdk-test.h"
#include <math.h>
#include <pthread.h>

static AbTensor *leaf_of(AbContext *ctx, AbShape shape, const double *values) {
  AbTensor *leaf = sdk_tensor(ctx, shape, values);
  ab_require_grad(leaf);
  return leaf;
}

static AbTensor *scalar_leaf(AbContext *ctx, double value) {
  return leaf_of(ctx, ab_scalar_shape(), &value);
}

static void assert_near(AbTensor *x, double value) {
  g_assert_nonnull(x);
  g_assert_cmpfloat_with_epsilon(ab_item(x), value, 1e-12 * fmax(1, fabs(value)));
}

/* x -> a = x^2, b = exp(x); a b (a + b): both branches meet twice */
static void test_diamond(const void *device) {
  AbContext *ctx = sdk_context(device, AB_F64);
  double x = 0.7, a = x * x, b = exp(x);
  AbTensor *leaf = scalar_leaf(ctx, x);
  AbTensor *ta = ab_square(leaf), *tb = ab_exp(leaf);
  ab_backward(ab_mul(ab_mul(ta, tb), ab_add(ta, tb)));
  /* d(a^2 b + a b^2) = (2ab + b^2) a' + (a^2 + 2ab) b' */
  assert_near(ab_gradient(leaf), (2 * a * b + b * b) * 2 * x + (a * a + 2 * a * b) * b);
  g_assert_null(ab_gradient(ta)); /* of results nothing stays */
  sdk_finish(ctx);
}

static void test_used_often(const void *device) {
  AbContext *ctx = sdk_context(device, AB_F64);
  double x = 1.25, wanted = 0;
  AbTensor *leaf = scalar_leaf(ctx, x), *middle = ab_affine(leaf, 3, 0), *sum = NULL;
  for (int i = 1; i <= 100; i++) {
    AbTensor *term = ab_affine(ab_mul(middle, i % 2 ? middle : leaf), i, 0);
    sum = sum ? ab_add(sum, term) : term;
    wanted += i * (i % 2 ? 18 * x : 6 * x);
  }
  ab_backward(sum);
  assert_near(ab_gradient(leaf), wanted);
  sdk_finish(ctx);
}

/* One gradient that goes to two inputs must not be added to in place for one of them. */
static void test_shared_gradient(const void *device) {
  AbContext *ctx = sdk_context(device, AB_F64);
  double values[3] = {1, 2, 3};
  AbTensor *a = leaf_of(ctx, AB_SHAPE(3), values), *b = leaf_of(ctx, AB_SHAPE(3), values);
  AbTensor *sum = ab_add(a, b);
  ab_backward(ab_sum(ab_add(ab_add(sum, a), ab_add(a, a))));
  g_autofree double *ga = sdk_values(ab_gradient(a)), *gb = sdk_values(ab_gradient(b));
  for (int i = 0; i < 3; i++) {
    g_assert_cmpfloat(ga[i], ==, 4);
    g_assert_cmpfloat(gb[i], ==, 1);
  }
  sdk_finish(ctx);
}

/* Nor one whose memory a view shares: b's gradient is a view of what a got first. */
static void test_shared_memory(const void *device) {
  AbContext *ctx = sdk_context(device, AB_F64);
  double values[4] = {1, 2, 3, 4};
  AbTensor *a = leaf_of(ctx, AB_SHAPE(4), values), *b = leaf_of(ctx, AB_SHAPE(2, 2), values);
  AbTensor *first = ab_square(a), *view = ab_reshape(b, AB_SHAPE(4));
  AbTensor *sum = ab_add(a, view), *last = ab_affine(first, 2, 0);
  ab_backward(ab_sum(ab_add(sum, last)));
  g_autofree double *ga = sdk_values(ab_gradient(a)), *gb = sdk_values(ab_gradient(b));
  for (int i = 0; i < 4; i++) {
    g_assert_cmpfloat(ga[i], ==, 1 + 4 * values[i]);
    g_assert_cmpfloat(gb[i], ==, 1);
  }
  sdk_finish(ctx);
}

/* A random graph of 400 operations on scalars, of which each takes any earlier results; its
 * derivatives by going through them backwards in plain double. */
#define NODES 400
static void check_random_graph(const char *device, uint64_t seed) {
  AbContext *ctx = sdk_context(device, AB_F64);
  AbTensor *nodes[NODES], *sum = NULL;
  double value[NODES], slope[NODES];
  int a[NODES], b[NODES], kind[NODES];
  uint64_t state = seed;
  for (int i = 0; i < NODES; i++) {
    kind[i] = i < 5 ? -1 : (int)(4 * sdk_number(&state));
    a[i] = (int)(i * sdk_number(&state));
    b[i] = (int)(i * sdk_number(&state));
    double x = value[a[i]], y = value[b[i]];
    AbTensor *tx = i < 5 ? NULL : nodes[a[i]], *ty = i < 5 ? NULL : nodes[b[i]];
    switch (kind[i]) {
    case 0: value[i] = tanh(x), nodes[i] = ab_tanh(tx); break;
    case 1: value[i] = x * y, nodes[i] = ab_mul(tx, ty); break;
    case 2: value[i] = x - y, nodes[i] = ab_sub(tx, ty); break;
    case 3: value[i] = 0.5 * x + 0.1, nodes[i] = ab_affine(tx, 0.5, 0.1); break;
    default: value[i] = sdk_number(&state), nodes[i] = scalar_leaf(ctx, value[i]);
    }
    if (fabs(value[i]) > 2) { /* keep it tame */
      value[i] = tanh(x), nodes[i] = ab_tanh(tx), kind[i] = 0;
    }
    sum = sum ? ab_add(sum, nodes[i]) : nodes[i];
    slope[i] = 1;
  }
  for (int i = NODES - 1; i >= 5; i--) {
    double x = value[a[i]], y = value[b[i]], g = slope[i];
    switch (kind[i]) {
    case 0: slope[a[i]] += g * (1 - tanh(x) * tanh(x)); break;
    case 1: slope[a[i]] += g * y, slope[b[i]] += g * x; break;
    case 2: slope[a[i]] += g, slope[b[i]] -= g; break;
    default: slope[a[i]] += g * 0.5;
    }
  }
  ab_backward(sum);
  for (int i = 0; i < 5; i++)
    g_assert_cmpfloat_with_epsilon(ab_item(ab_gradient(nodes[i])), slope[i],
                                   1e-11 * fmax(1, fabs(slope[i])));
  sdk_finish(ctx);
}

static void test_random_graphs(const void *device) {
  for (uint64_t seed = 1; seed <= 20; seed++) check_random_graph(device, seed * 977);
}

static void test_accumulation(const void *device) {
  AbContext *ctx = sdk_context(device, AB_F64);
  AbTensor *leaf = scalar_leaf(ctx, 2);
  g_assert_null(ab_gradient(leaf));
  ab_backward(ab_square(leaf));
  assert_near(ab_gradient(leaf), 4);
  ab_backward(ab_affine(leaf, 3, 0));
  assert_near(ab_gradient(leaf), 7);
  ab_clear_gradient(leaf);
  g_assert_null(ab_gradient(leaf));
  ab_backward(leaf); /* the loss may be the leaf itself */
  ab_backward(leaf);
  assert_near(ab_gradient(leaf), 2);
  sdk_finish(ctx);
}

/* What the caller holds stays as it was when more is added. */
static void test_held_gradient(const void *device) {
  AbContext *ctx = sdk_context(device, AB_F64);
  AbTensor *leaf = scalar_leaf(ctx, 2);
  ab_backward(ab_square(leaf));
  AbTensor *first = ab_ref(ab_gradient(leaf));
  ab_backward(ab_square(leaf));
  assert_near(first, 4);
  assert_near(ab_gradient(leaf), 8);
  ab_unref(first);
  sdk_finish(ctx);
}

/* A graph may be gone through twice: nothing of it is used up. */
static void test_twice(const void *device) {
  AbContext *ctx = sdk_context(device, AB_F64);
  AbTensor *leaf = scalar_leaf(ctx, 2), *loss = ab_square(ab_square(leaf));
  ab_backward(loss);
  ab_backward(loss);
  assert_near(ab_gradient(leaf), 64);
  sdk_finish(ctx);
}

static void test_detach(const void *device) {
  AbContext *ctx = sdk_context(device, AB_F64);
  AbTensor *leaf = scalar_leaf(ctx, 3), *cut = ab_detach(ab_square(leaf));
  g_assert_false(ab_requires_grad(cut));
  assert_near(cut, 9);
  ab_backward(ab_mul(cut, leaf));
  assert_near(ab_gradient(leaf), 9);
  g_assert_null(ab_gradient(cut));
  g_assert_null(ab_detach(NULL));
  g_assert_true(ab_detach(AB_NONE) == AB_NONE);
  sdk_finish(ctx);
}

static void test_recording(const void *device) {
  AbContext *ctx = sdk_context(device, AB_F64);
  AbTensor *leaf = scalar_leaf(ctx, 3);
  g_assert_true(ab_set_recording(ctx, false));
  AbTensor *silent = ab_square(leaf);
  g_assert_false(ab_requires_grad(silent));
  g_assert_false(ab_set_recording(ctx, true));
  ab_backward(ab_mul(silent, leaf));
  assert_near(ab_gradient(leaf), 9);
  /* neither pass leaves it changed */
  g_assert_true(ab_set_recording(ctx, true));
  AbTensor *g;
  ab_gradients(ab_square(leaf), &leaf, 1, &g, false);
  g_assert_true(ab_set_recording(ctx, true));
  ab_gradients(ab_square(leaf), &leaf, 1, &g, true);
  g_assert_true(ab_set_recording(ctx, true));
  sdk_finish(ctx);
}

/* Only what needs a gradient gets one. */
static void test_constants(const void *device) {
  AbContext *ctx = sdk_context(device, AB_F64);
  AbTensor *leaf = scalar_leaf(ctx, 3), *fixed = sdk_tensor(ctx, ab_scalar_shape(), (double[]){5});
  ab_backward(ab_mul(fixed, ab_mul(leaf, fixed)));
  assert_near(ab_gradient(leaf), 25);
  g_assert_null(ab_gradient(fixed));
  g_assert_null(ab_gradient(NULL));
  g_assert_null(ab_gradient(AB_NONE));
  sdk_finish(ctx);
}

/* ---- assignment after use -------------------------------------------------------------------- */

static void test_assigned(const void *device) {
  AbContext *ctx = sdk_context(device, AB_F64);
  double values[2] = {1, 2};
  AbTensor *leaf = leaf_of(ctx, AB_SHAPE(2), values);
  AbTensor *loss = ab_sum(ab_square(leaf));
  ab_assign(leaf, ab_zeros(ctx, AB_SHAPE(2)));
  ab_backward(loss);
  sdk_assert_error(ctx, AB_INTERNAL, "square", "[2]", "assigned", NULL);
  /* before the use it is fine, and what a view sees counts too */
  ab_clear_gradient(leaf);
  loss = ab_sum(ab_exp(ab_reshape(leaf, AB_SHAPE(2, 1))));
  ab_backward(loss);
  sdk_assert_ok(ctx);
  loss = ab_sum(ab_exp(ab_slice(leaf, 0, 0, 1)));
  ab_assign(ab_slice(leaf, 0, 1, 2), ab_zeros(ctx, AB_SHAPE(1)));
  ab_backward(loss);
  sdk_assert_error(ctx, AB_INTERNAL, "assigned", NULL);
  loss = ab_sum(ab_square(leaf));
  *(double *)ab_map(leaf, true) = 5;
  ab_unmap(leaf);
  ab_backward(loss);
  sdk_assert_error(ctx, AB_INTERNAL, "square", NULL);
  loss = ab_sum(ab_square(leaf));
  ab_step_sgd(leaf, ab_zeros(ctx, AB_SHAPE(2)), AB_NONE, 1, 0, false);
  ab_backward(loss);
  sdk_assert_error(ctx, AB_INTERNAL, "square", NULL);
  sdk_finish(ctx);
}

/* ---- ab_gradients ---------------------------------------------------------------------------- */

static void test_gradients(const void *device) {
  AbContext *ctx = sdk_context(device, AB_F64);
  AbTensor *x = scalar_leaf(ctx, 2), *y = scalar_leaf(ctx, 5), *lone = scalar_leaf(ctx, 1);
  AbTensor *held = sdk_tensor(ctx, AB_SHAPE(2), (double[]){1, 1});
  ab_backward(ab_square(x)); /* 4 in the leaf */
  AbTensor *middle = ab_mul(x, y), *z = ab_square(middle), *other = ab_exp(x);
  AbTensor *xs[] = {x, middle, lone, z, held, other}, *g[6];
  ab_gradients(z, xs, 6, g, false);
  sdk_assert_ok(ctx);
  assert_near(g[0], 2 * 10 * 5);
  assert_near(g[1], 2 * 10);
  assert_near(g[2], 0);
  assert_near(g[3], 1);
  g_assert_cmpint(ab_dim(g[4], 0), ==, 2);
  assert_near(g[5], 0);
  for (int i = 0; i < 6; i++) g_assert_false(ab_requires_grad(g[i]));
  /* leaves are as they were, asked for or not */
  assert_near(ab_gradient(x), 4);
  g_assert_null(ab_gradient(y));
  g_assert_null(ab_gradient(lone));
  ab_backward(z);
  assert_near(ab_gradient(x), 104);
  assert_near(ab_gradient(y), 2 * 10 * 2);
  sdk_finish(ctx);
}

static void test_gradients_of_itself(const void *device) {
  AbContext *ctx = sdk_context(device, AB_F64);
  AbTensor *x = scalar_leaf(ctx, 2), *g[3];
  ab_backward(ab_square(x));
  ab_gradients(x, &x, 1, g, false);
  assert_near(g[0], 1);
  assert_near(ab_gradient(x), 4);
  AbTensor *y = ab_square(x), *xs[] = {x, y, x};
  ab_gradients(y, xs, 3, g, false); /* one that is asked for twice */
  assert_near(g[0], 4);
  assert_near(g[1], 1);
  assert_near(g[2], 4);
  assert_near(ab_gradient(x), 4);
  sdk_finish(ctx);
}

/* x^4, three times over */
static void test_higher(const void *device) {
  AbContext *ctx = sdk_context(device, AB_F64);
  AbTensor *x = scalar_leaf(ctx, 1.5), *y = ab_mul(ab_square(x), ab_square(x));
  const double wanted[] = {4 * pow(1.5, 3), 12 * pow(1.5, 2), 24 * 1.5, 24};
  for (int i = 0; i < 4; i++) {
    AbTensor *g;
    ab_gradients(y, &x, 1, &g, true);
    sdk_assert_ok(ctx);
    assert_near(g, wanted[i]);
    y = g;
  }
  g_assert_null(ab_gradient(x));
  sdk_finish(ctx);
}

/* A gradient penalty: backward through a gradient, into leaves it was not taken by. */
static void test_penalty(const void *device) {
  AbContext *ctx = sdk_context(device, AB_F64);
  double x = 0.3, w = -1.2, t = tanh(w * x);
  AbTensor *tx = scalar_leaf(ctx, x), *tw = scalar_leaf(ctx, w), *g;
  ab_gradients(ab_tanh(ab_mul(tw, tx)), &tx, 1, &g, true);
  double slope = w * (1 - t * t);
  assert_near(g, slope);
  ab_backward(ab_square(g));
  /* d/dw of slope^2 */
  assert_near(ab_gradient(tw), 2 * slope * ((1 - t * t) - 2 * w * x * t * (1 - t * t)));
  sdk_finish(ctx);
}

/* ---- errors ---------------------------------------------------------------------------------- */

static void test_errors(const void *device) {
  AbContext *ctx = sdk_context(device, AB_F64);
  double values[2] = {1, 2};
  AbTensor *leaf = leaf_of(ctx, AB_SHAPE(2), values), *g = leaf;
  ab_backward(ab_square(leaf));
  sdk_assert_error(ctx, AB_CONFIG, "backward", "scalar", "[2]", NULL);
  ab_backward(ab_sum(ab_square(ab_detach(leaf))));
  sdk_assert_error(ctx, AB_CONFIG, "backward", "gradient", NULL);
  ab_gradients(ab_square(leaf), &leaf, 1, &g, false);
  g_assert_null(g);
  sdk_assert_error(ctx, AB_CONFIG, "gradients", "scalar", "[2]", NULL);
  ab_backward(ab_full(ctx, AB_I64, ab_scalar_shape(), 1));
  sdk_assert_error(ctx, AB_CONFIG, "i64", NULL);
  AbTensor *many[65], *results[65];
  for (int i = 0; i < 65; i++) many[i] = leaf;
  ab_gradients(ab_sum(leaf), many, 65, results, false);
  sdk_assert_error(ctx, AB_INTERNAL, "64", NULL);
  g_assert_null(results[64]);
  /* NULL passes through: the error was reported where it came from */
  ab_backward(NULL);
  ab_gradients(NULL, &leaf, 1, &g, false);
  g_assert_null(g);
  ab_gradients(ab_sum(leaf), (AbTensor *[]){NULL}, 1, &g, false);
  g_assert_null(g);
  ab_require_grad(NULL);
  ab_require_grad(AB_NONE);
  g_assert_false(ab_requires_grad(NULL));
  g_assert_false(ab_requires_grad(AB_NONE));
  ab_require_grad(ab_full(ctx, AB_I64, ab_scalar_shape(), 1));
  sdk_assert_error(ctx, AB_CONFIG, "i64", NULL);
  /* after an error no gradient moves, and the next pass starts clean */
  AbTensor *loss = ab_sum(ab_square(leaf));
  ab_error(ctx, AB_DATA, "something else");
  ab_backward(loss);
  g_assert_null(ab_gradient(leaf));
  sdk_assert_error(ctx, AB_DATA, "something else", NULL);
  ab_backward(loss);
  g_autofree double *slopes = sdk_values(ab_gradient(leaf));
  g_assert_cmpfloat(slopes[1], ==, 4);
  sdk_finish(ctx);
}

/* ---- depth ----------------------------------------------------------------------------------- */

/* 10,000 operations one on the other, of which only the last is held: released without recursion,
 * on a small stack. */
static gpointer chain(gpointer device) {
  AbContext *ctx = sdk_context(device, AB_F64);
  AbTensor *leaf = ab_ref(scalar_leaf(ctx, 0.5));
  for (int round = 0; round < 2; round++) {
    AbScope scope = ab_scope_begin(ctx);
    AbTensor *x = leaf;
    for (int i = 0; i < 10000; i++) x = ab_affine(x, 1.0001, 0);
    ab_scope_end(ctx, scope, &x, 1);
    scope = ab_scope_begin(ctx);
    ab_backward(x);
    ab_scope_end(ctx, scope, NULL, 0);
  }
  sdk_assert_ok(ctx);
  g_assert_cmpfloat_with_epsilon(ab_item(ab_gradient(leaf)), 2 * pow(1.0001, 10000), 1e-9);
  ab_unref(leaf);
  sdk_finish(ctx);
  return NULL;
}

static void test_deep(const void *device) {
  pthread_t thread;
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  g_assert_cmpint(pthread_attr_setstacksize(&attributes, 128 << 10), ==, 0);
  g_assert_cmpint(pthread_create(&thread, &attributes, chain, (gpointer)device), ==, 0);
  g_assert_cmpint(pthread_join(thread, NULL), ==, 0);
  pthread_attr_destroy(&attributes);
}

/* Backward holds no more than a few gradients at a time. */
static void test_released(const void *device) {
  AbContext *ctx = sdk_context(device, AB_F64);
  g_autofree double *values = sdk_numbers(1000, -1, 1, 7);
  AbTensor *leaf = leaf_of(ctx, AB_SHAPE(1000), values), *x = leaf;
  for (int i = 0; i < 200; i++) x = ab_tanh(x);
  AbTensor *loss = ab_sum(x);
  int64_t before, after, calls;
  ab_memory_use(ctx, &before, &calls);
  ab_backward(loss);
  ab_memory_use(ctx, &after, &calls);
#ifndef __SANITIZE_ADDRESS__ /* where freed blocks are not used again */
  g_assert_cmpint(after - before, <, 20 * 8192);
#endif
  sdk_finish(ctx);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  sdk_add("/autograd/diamond", test_diamond);
  sdk_add("/autograd/used-often", test_used_often);
  sdk_add("/autograd/shared-gradient", test_shared_gradient);
  sdk_add("/autograd/shared-memory", test_shared_memory);
  sdk_add("/autograd/random-graphs", test_random_graphs);
  sdk_add("/autograd/accumulation", test_accumulation);
  sdk_add("/autograd/held-gradient", test_held_gradient);
  sdk_add("/autograd/twice", test_twice);
  sdk_add("/autograd/detach", test_detach);
  sdk_add("/autograd/recording", test_recording);
  sdk_add("/autograd/constants", test_constants);
  sdk_add("/autograd/assigned", test_assigned);
  sdk_add("/autograd/gradients", test_gradients);
  sdk_add("/autograd/gradients-of-itself", test_gradients_of_itself);
  sdk_add("/autograd/higher", test_higher);
  sdk_add("/autograd/penalty", test_penalty);
  sdk_add("/autograd/errors", test_errors);
  sdk_add("/autograd/deep", test_deep);
  sdk_add("/autograd/released", test_released);
  return g_test_run();
}
