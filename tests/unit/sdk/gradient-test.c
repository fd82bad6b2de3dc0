/* SPDX-License-Identifier: Apache-2.0
 *
 * First and second derivatives against central differences in f64.
 *
 * With fixed coefficients c the loss of a case is s = sum_i c_i f(x)_i. Each input is tried plain
 * and as a view (transposed, sliced, stretched), the derivative being taken by the tensor beneath
 * the view. For second derivatives, with coefficients d, the loss is q = sum_j d_j (ds/dx)_j.
 * Inputs are m/128 + k/512 for input k: never 0, never equal to one of another input, so away from
 * every kink. */
#include "gradient-test.h"
#include <math.h>
#include <string.h>

#define LIMIT 1e-7 /* of the largest derivative, or of 1 where that is less */

/* ---- inputs and their views ------------------------------------------------------------------ */

typedef enum { PLAIN, TRANSPOSED, SLICED, STRETCHED, LAYOUTS } Layout;

/* The shape of the leaf whose view has `shape`. A layout that a shape cannot have is PLAIN. */
static AbShape shape_below(AbShape shape, Layout layout) {
  if (layout == TRANSPOSED && shape.rank >= 2) {
    int64_t first = shape.dims[0];
    shape.dims[0] = shape.dims[shape.rank - 1];
    shape.dims[shape.rank - 1] = first;
  } else if (layout == SLICED && shape.rank >= 1) {
    shape.dims[0] += 1;
    shape.dims[shape.rank - 1] += 2;
  } else if (layout == STRETCHED && shape.rank >= 1) {
    shape.dims[0] = 1;
  }
  return shape;
}

static AbTensor *view_of(AbTensor *leaf, AbShape shape, Layout layout) {
  if (layout == TRANSPOSED && shape.rank >= 2) return ab_transpose(leaf, 0, -1);
  if (layout == STRETCHED && shape.rank >= 1) return ab_broadcast_to(leaf, shape);
  if (layout != SLICED || shape.rank < 1) return leaf;
  AbTensor *rows = ab_slice(leaf, 0, 1, ab_dim(leaf, 0));
  int64_t from = shape.rank == 1 ? 0 : 1; /* of a vector one has gone already */
  return ab_slice(rows, -1, from, from + shape.dims[shape.rank - 1]);
}

typedef struct {
  AbContext *ctx;
  const SdkGradientCase *c;
  Layout layout;
  AbTensor *leaves[SDK_INPUTS];
  double *values[SDK_INPUTS]; /* of the leaves: what differences change */
  double *weights;            /* of the result in s */
  double *slopes[SDK_INPUTS]; /* of the gradients in q */
  int64_t outputs;
} Run;

static AbTensor *result(Run *run, AbTensor *const *leaves) {
  AbTensor *views[SDK_INPUTS];
  for (int32_t i = 0; i < run->c->count; i++)
    views[i] = view_of(leaves[i], run->c->shapes[i], run->layout);
  AbTensor *y = run->c->f(views);
  sdk_assert_ok(run->ctx);
  return y;
}

static void begin(Run *run) {
  const SdkGradientCase *c = run->c;
  for (int32_t i = 0; i < c->count; i++) {
    AbShape shape = shape_below(c->shapes[i], run->layout);
    int64_t n = ab_shape_count(shape);
    double *values = run->values[i] = sdk_numbers(n, c->low, c->high, (uint64_t)i + 3);
    for (int64_t j = 0; j < n; j++) values[j] = floor(values[j] * 128) / 128 + (i + 1) / 512.0;
    run->slopes[i] = sdk_numbers(n, -1, 1, (uint64_t)i + 30);
    run->leaves[i] = sdk_tensor(run->ctx, shape, values);
    ab_require_grad(run->leaves[i]);
  }
  run->outputs = ab_count(result(run, run->leaves));
  run->weights = sdk_numbers(run->outputs, 0.5, 1.5, 300);
}

static void end(Run *run) {
  for (int32_t i = 0; i < run->c->count; i++) {
    g_free(run->values[i]);
    g_free(run->slopes[i]);
  }
  g_free(run->weights);
}

/* s as the library computes it, recorded. */
static AbTensor *loss(Run *run, AbTensor *const *leaves) {
  AbTensor *y = result(run, leaves);
  g_assert_cmpint(ab_count(y), ==, run->outputs);
  return ab_sum(ab_mul(y, sdk_tensor(run->ctx, ab_shape(y), run->weights)));
}

/* Fresh leaves with number j of input i moved by h. */
static void move(Run *run, int32_t i, int64_t j, double h, AbTensor **leaves) {
  double before = run->values[i][j];
  run->values[i][j] = before + h;
  for (int32_t k = 0; k < run->c->count; k++) {
    leaves[k] = sdk_tensor(run->ctx, ab_shape(run->leaves[k]), run->values[k]);
    ab_require_grad(leaves[k]);
  }
  run->values[i][j] = before;
}

/* The numbers whose weighted sum is s or q, at leaves moved by h. */
static double *terms(Run *run, bool second, int32_t i, int64_t j, double h) {
  AbTensor *leaves[SDK_INPUTS];
  move(run, i, j, h, leaves);
  if (!second) return sdk_values(result(run, leaves));
  AbTensor *gradients[SDK_INPUTS];
  int64_t count = 0, at = 0;
  ab_gradients(loss(run, leaves), leaves, run->c->count, gradients, false);
  sdk_assert_ok(run->ctx);
  for (int32_t k = 0; k < run->c->count; k++) count += ab_count(leaves[k]);
  double *all = g_new(double, count);
  for (int32_t k = 0; k < run->c->count; k++) {
    g_autofree double *values = sdk_values(gradients[k]);
    memcpy(all + at, values, (size_t)ab_count(leaves[k]) * sizeof *all);
    at += ab_count(leaves[k]);
  }
  return all;
}

static double difference(Run *run, bool second, int32_t i, int64_t j) {
  AbScope scope = ab_scope_begin(run->ctx);
  double h = 1e-6 * fmax(1, fabs(run->values[i][j])), sum = 0;
  g_autofree double *above = terms(run, second, i, j, h);
  g_autofree double *below = terms(run, second, i, j, -h);
  if (!second) {
    for (int64_t k = 0; k < run->outputs; k++) sum += run->weights[k] * (above[k] - below[k]);
  } else {
    int64_t at = 0;
    for (int32_t k = 0; k < run->c->count; k++)
      for (int64_t l = 0; l < ab_count(run->leaves[k]); l++, at++)
        sum += run->slopes[k][l] * (above[at] - below[at]);
  }
  ab_scope_end(run->ctx, scope, NULL, 0);
  return sum / (2 * h);
}

static void compare(Run *run, bool second, int32_t i, AbTensor *gradient) {
  AbShape expected = ab_shape(run->leaves[i]), given = ab_shape(gradient);
  g_assert_cmpmem(&given, sizeof given, &expected, sizeof expected);
  g_autofree double *values = sdk_values(gradient);
  double scale = 1;
  for (int64_t j = 0; j < ab_count(gradient); j++) scale = fmax(scale, fabs(values[j]));
  for (int64_t j = 0; j < ab_count(gradient); j++) {
    double wanted = difference(run, second, i, j);
    if (!(fabs(values[j] - wanted) <= LIMIT * scale))
      g_error(
          "%s, layout %d, derivative %d by number %d of input %d is %.12g, by differences %.12g",
          run->c->name, run->layout, second ? 2 : 1, (int)j, i, values[j], wanted);
  }
}

static void check_first(Run *run) {
  ab_backward(loss(run, run->leaves));
  sdk_assert_ok(run->ctx);
  for (int32_t i = 0; i < run->c->count; i++) compare(run, false, i, ab_gradient(run->leaves[i]));
}

static void check_second(Run *run) {
  AbTensor *gradients[SDK_INPUTS], *q = NULL, *seconds[SDK_INPUTS];
  int32_t count = run->c->count;
  ab_gradients(loss(run, run->leaves), run->leaves, count, gradients, true);
  sdk_assert_ok(run->ctx);
  for (int32_t i = 0; i < count; i++) {
    compare(run, false, i, gradients[i]);
    AbTensor *slope = sdk_tensor(run->ctx, ab_shape(gradients[i]), run->slopes[i]);
    AbTensor *part = ab_sum(ab_mul(gradients[i], slope));
    q = q ? ab_add(q, part) : part;
  }
  if (ab_requires_grad(q))
    ab_gradients(q, run->leaves, count, seconds, false);
  else /* linear: differences must agree that there is nothing */
    for (int32_t i = 0; i < count; i++) seconds[i] = ab_zeros(run->ctx, ab_shape(gradients[i]));
  sdk_assert_ok(run->ctx);
  for (int32_t i = 0; i < count; i++) compare(run, true, i, seconds[i]);
}

static void check(const char *device, const SdkGradientCase *cases, size_t count, bool first_only,
                  void (*test)(Run *run)) {
  for (size_t i = 0; i < count; i++) {
    for (Layout layout = PLAIN; layout < (cases[i].plain_only ? TRANSPOSED : LAYOUTS); layout++) {
      if (first_only && cases[i].once) continue;
      Run run = {.ctx = sdk_context(device, AB_F64), .c = &cases[i], .layout = layout};
      begin(&run);
      test(&run);
      end(&run);
      sdk_finish(run.ctx);
    }
  }
}

void sdk_check_gradients(const char *device, const SdkGradientCase *cases, size_t count) {
  check(device, cases, count, false, check_first);
}

void sdk_check_second(const char *device, const SdkGradientCase *cases, size_t count) {
  check(device, cases, count, true, check_second);
}
